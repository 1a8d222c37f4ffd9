use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{BJORN, INGRID, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

async fn asking_for(browser: &mut Browser, path: &str, languages: &str) -> Page {
    let request = Request::get(path)
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_LANGUAGE, languages);
    browser.send(request.body(Body::empty()).unwrap()).await
}

#[apply(on_sqlite!)]
async fn the_browsers_wish_is_the_language_of_strangers(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let cases = [
        ("nb-NO,nb;q=0.9,en;q=0.5", "nb", "Logg inn"),
        ("de-CH", "de", "Anmelden"),
        ("fr", "en", "Sign in"),
        ("en-US", "en", "Sign in"),
    ];
    for (asked, language, heading) in cases {
        let page = asking_for(&mut app.browser(), "/sign-in", asked).await;
        page.is(200).says(heading);
        assert!(page.body.contains(&format!("<html lang=\"{language}\"")), "{asked}");
        assert_eq!(page.headers.get(header::CONTENT_LANGUAGE).unwrap(), language);
    }
}

#[apply(on_sqlite!)]
async fn the_switch_stays_chosen_in_this_browser(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let here = "/sign-in?next=/accounts";
    let fields = [("language", "de"), ("next", here)];
    let answer = browser.post(here, "language/choose", &fields).await;
    answer.is(303);
    assert_eq!(answer.leads_to(), here);
    asking_for(&mut browser, here, "nb").await.says("Anmelden");
    let answer = browser.post(here, "language/choose", &[("language", "tlh")]).await;
    answer.is(422);
    asking_for(&mut browser, here, "nb").await.says("Anmelden");
}

#[apply(on_sqlite!)]
async fn a_switch_leads_nowhere_else(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let fields = [("language", "de"), ("next", "https://evil.example/")];
    let answer = app.browser().post("/sign-in", "language/choose", &fields).await;
    answer.is(303);
    assert_eq!(answer.leads_to(), "/");
}

#[apply(on_sqlite!)]
async fn the_profile_wins_everywhere(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [("full_name", INGRID.name), ("language", "nb")];
    ingrid.submit("/profile", "profile/save", &fields).await.says("Endringene er lagret");
    let mut elsewhere = app.as_person(INGRID).await;
    let page = asking_for(&mut elsewhere, &format!("{BAKERY}/users"), "de").await;
    page.is(200).says("Brukeradministrasjon");
    assert!(page.body.contains("<html lang=\"nb\""));
}

#[apply(on_sqlite!)]
async fn mails_are_in_the_recipients_language(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let fields = [("full_name", BJORN.name), ("language", "de")];
    bjorn.post("/profile", "profile/save", &fields).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [("full_name", INGRID.name), ("language", "nb")];
    ingrid.post("/profile", "profile/save", &fields).await.is(303);

    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let id = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{id}");
    let seeing = [("permissions[]", "billing.view")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &seeing).await.is(303);
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(10).await.unwrap();
    let language_of = |email: &str| {
        let mail = mails.iter().find(|mail| mail.to.as_str() == email).unwrap();
        mail.language.as_ref().map(|language| language.to_string())
    };
    assert_eq!(language_of(BJORN.email).as_deref(), Some("de"), "his own");
    let invited = language_of("kari@nordlys.example");
    assert_eq!(invited.as_deref(), Some("nb"), "the inviter's, as hers is unknown");
}

#[apply(on_sqlite!)]
async fn who_joins_keeps_the_language_that_they_read(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    kari.post(&link, "language/choose", &[("language", "nb"), ("next", link.as_str())]).await;
    let page = kari.get(&link).await;
    page.says("Bli med i Nordlys Bakeri AS");
    let fields = [("full_name", "Kari Nordmann"), ("password", "correct horse battery")];
    kari.fill_in(&page, "invitations/join-with-new-login", &fields).await.is(303);
    let mut elsewhere = app.browser();
    elsewhere.sign_in("kari@nordlys.example", "correct horse battery").await.is(303);
    let page = asking_for(&mut elsewhere, BAKERY, "de").await;
    assert!(page.body.contains("<html lang=\"nb\""));
}

#[apply(on_sqlite!)]
async fn an_error_speaks_the_readers_language(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    browser.post("/sign-in", "language/choose", &[("language", "nb")]).await.is(303);
    let page = browser.sign_in(TOM.email, "").await;
    page.is(422);
    assert!(page.title().starts_with("Feil: "), "{}", page.title());
}
