//! Where people ask the provider, and its own pages.

use domain::demo::{INGRID, PASSWORD};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Page, TestApp};

const SETTINGS: [(&str, &str); 3] = [
    ("SUPPORT_EMAIL", "help@provider.example"),
    ("SUPPORT_URL", "https://provider.example/contact?from=<b>&to=\"us\""),
    ("LINKS", "Imprint <b>: https://provider.example/imprint; Post: mailto:post@provider.example"),
];

/// The foot of the page.
fn foot(page: &Page) -> String {
    page.between("<footer class=\"site-footer\">", "</footer>")
}

#[apply(on_sqlite!)]
async fn every_page_says_where_to_ask_and_has_the_providers_own_pages(db: TestDatabase) {
    let app = TestApp::with(db, &SETTINGS).await;
    let mut ingrid = app.as_person(INGRID).await;
    for path in ["/sign-in", "/profile", BAKERY, "/accounts/100001/users", "/nowhere"] {
        let page = ingrid.get(path).await;
        let foot = foot(&page);
        for link in [
            "href=\"mailto:help@provider.example\"",
            "href=\"https://provider.example/contact?from=%3Cb%3E&amp;to=%22us%22\"",
            "href=\"https://provider.example/imprint\"",
            "href=\"mailto:post@provider.example\"",
        ] {
            assert!(foot.contains(link), "{path}: {foot}");
        }
        assert!(foot.contains("Imprint &lt;b&gt;") && !foot.contains("<b>"), "{path}: {foot}");
        let (page, _) = page.body.split_once("<footer").unwrap();
        assert!(page.contains("</main>"), "{path}: it is no part of what comes to life");
    }
}

#[apply(on_sqlite!)]
async fn a_provider_that_says_nothing_of_itself_has_no_foot(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().get("/sign-in").await;
    assert!(!page.body.contains("<footer"), "{}", page.words());
}

#[apply(on_sqlite!)]
async fn an_answer_without_a_page_says_where_to_ask(db: TestDatabase) {
    let app = TestApp::with(db, &SETTINGS).await;
    let page = app.browser().get("/pkg/none/none.js").await;
    page.is(404)
        .says("You reach us at help@provider.example or at https://provider.example/contact");
    page.names_the_request();
}

#[apply(on_sqlite!)]
async fn mails_say_where_to_ask(db: TestDatabase) {
    let app = TestApp::with(db, &SETTINGS).await;
    let fields = [("email", INGRID.email)];
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    app.keep_all_mail().await;
    let mail = app.latchkey.store.kept_mails(1).await.unwrap().remove(0);
    let told = app::mails::Told::at(mail.queued_at);
    let written = app::mails::write(&mail.mail, mail.language.as_ref(), told, &app.site());
    let foot = written.text.split("-- \n").nth(1).unwrap();
    let contact = "You reach us at help@provider.example or at \
                   https://provider.example/contact?from=%3Cb%3E&to=%22us%22.";
    let lines: Vec<_> = foot.lines().skip(1).collect();
    let links =
        ["Imprint <b>: https://provider.example/imprint", "Post: mailto:post@provider.example"];
    assert_eq!(lines, [contact, links[0], links[1]]);
    let html = written.html;
    assert!(html.contains("href=\"https://provider.example/imprint\"") && !html.contains("<b>"));
    assert!(html.contains("You reach us at help@provider.example"), "{html}");
}

#[apply(on_sqlite!)]
async fn the_second_step_knows_a_way_for_whoever_has_not_their_app(db: TestDatabase) {
    let app = TestApp::with(db, &SETTINGS).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.turn_app_on(&mut ingrid).await;
    let mut elsewhere = app.browser();
    let answer = elsewhere.sign_in(INGRID.email, PASSWORD).await;
    let page = elsewhere.go_on(&answer).await;
    page.is(200).says("Second factor");
    page.says("I don't have my app");
    let way = page.between("<details class=\"asked prose\">", "</details>");
    assert!(way.contains("recovery codes") && way.contains("Ask Latchkey"), "{way}");
    assert!(way.contains("href=\"mailto:help@provider.example\""), "{way}");
    assert!(way.contains("href=\"/help/security#lost\""), "{way}");
}

#[apply(on_sqlite!)]
async fn the_guide_to_a_safe_login_speaks_of_what_makes_it_safe(db: TestDatabase) {
    let app = TestApp::with(db, &SETTINGS).await;
    let page = app.browser().get("/help/security").await;
    for section in ["second", "passkeys", "codes", "lost"] {
        assert!(page.body.contains(&format!("<h2 id=\"{section}\"")), "{section}");
    }
    page.is(200).says("ask us: once it is certain who you are");
    page.says("You reach us at help@provider.example or at");
}
