//! Tabs of before: what was begun in one tab isn't done unawares by who signed in in another, and a
//! tab finds out that it is none of the present.

use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, OLAV, PASSWORD};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp, post};

/// What the page at this path says it was made for.
async fn made_for(browser: &mut Browser, path: &str) -> String {
    browser.get(path).await.hidden("made_for")
}

async fn sign_in(browser: &mut Browser, person: DemoPerson) {
    browser.sign_in(person.email, PASSWORD).await.is(303);
}

/// What the WASM is answered that sends a form.
async fn send_as_wasm(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = post(path, body);
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    browser.send(request).await
}

#[apply(on_sqlite!)]
async fn a_form_of_before_changes_nothing_for_who_signed_in_since(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(OLAV).await;
    let profile = browser.get("/profile").await;
    let leaving = browser.get(&format!("{BAKERY}/leave")).await;
    sign_in(&mut browser, INGRID).await;
    let renamed = [("full_name", "Olav S. Solberg"), ("language", "en")];
    let page = browser.fill_in(&profile, "profile/save", &renamed).await;
    page.is(409).says("It was made for Olav Solberg (olav@nordlys.example)");
    page.says("but Ingrid Solberg (ingrid@nordlys.example) is signed in");
    assert!(page.body.contains("href=\"/sign-in?next=/profile\""));
    assert!(!page.body.contains("import init"), "it is whole without the browser's half");
    assert_eq!(page.hidden("full_name"), "Olav S. Solberg");
    assert_eq!(page.hidden("language"), "en");
    assert!(page.body.contains("name=\"form\" value=\"profile/save\""), "it goes on as it was");
    browser.fill_in(&leaving, "account/leave", &[]).await.is(409);
    let page = browser.get("/profile").await;
    assert!(page.input("name=\"full_name\"").contains("value=\"Ingrid Solberg\""));
    browser.get(BAKERY).await.is(200);

    // Once he is back, it is sent as it was.
    sign_in(&mut browser, OLAV).await;
    let answer = browser.fill_in(&profile, "profile/save", &renamed).await;
    browser.go_on(&answer).await.says("Changes saved");
}

#[apply(on_sqlite!)]
async fn a_page_that_the_present_reader_cant_see_keeps_what_was_typed_there(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(INGRID).await;
    let inviting = browser.get(&format!("{BAKERY}/users/invite")).await;
    sign_in(&mut browser, domain::demo::TOM).await;
    let fields = [("email", "kari@x.example"), ("permissions[]", "billing.view")];
    let page = browser.fill_in(&inviting, "users/invite", &fields).await;
    page.is(409).says("Ingrid Solberg");
    assert_eq!(page.hidden("email"), "kari@x.example");
    assert_eq!(page.hidden("permissions[]"), "billing.view");
    assert!(app.mails_to("kari@x.example").await.is_empty());
}

#[apply(on_sqlite!)]
async fn passwords_dont_wait_with_the_rest(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(OLAV).await;
    let security = browser.get("/security").await;
    sign_in(&mut browser, INGRID).await;
    let fields = [("password", PASSWORD), ("new_password", "a lamp beside the window")];
    let page = browser.fill_in(&security, "security/change-password", &fields).await;
    page.is(409);
    assert!(!page.body.contains(PASSWORD) && !page.body.contains("a lamp beside"));
    sign_in(&mut app.browser(), INGRID).await;
}

#[apply(on_sqlite!)]
async fn whose_form_it_was_is_said_in_the_readers_language(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(OLAV).await;
    let of_olav = made_for(&mut browser, "/profile").await;
    sign_in(&mut browser, AMIRA).await;
    for (language, words) in [
        ("nb", "laget for Olav Solberg (olav@nordlys.example), men nå er Amira Haddad"),
        (
            "de",
            "Es war für Olav Solberg (olav@nordlys.example), aber jetzt ist in diesem Browser Amira Haddad",
        ),
    ] {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("form", "profile/save"),
                ("full_name", "Ola"),
                ("made_for", of_olav.as_str()),
            ])
            .finish();
        let mut request = post("/profile", body);
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.parse().unwrap());
        browser.send(request).await.is(409).says(words);
    }
}

#[apply(on_sqlite!)]
async fn a_proof_of_before_is_no_proof_of_who_signed_in_since(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(OLAV).await;
    let path = format!("{BAKERY}/users/invite");
    let of_olav = made_for(&mut browser, "/profile").await;
    app.forward_hours(1);
    sign_in(&mut browser, INGRID).await;
    app.forward_hours(1);
    let fields = [
        ("password", PASSWORD),
        ("made_for", of_olav.as_str()),
        ("kept_form", "users/invite"),
        ("kept.account", "100001"),
        ("kept.email", "kari@x.example"),
        ("kept.permissions[]", "billing.view"),
        ("kept.made_for", of_olav.as_str()),
    ];
    let page = browser.post(&path, "sign-in/confirm", &fields).await;
    page.is(409).says("It was made for Olav Solberg");
    assert_eq!(page.hidden("email"), "kari@x.example");
    assert!(page.body.contains("name=\"form\" value=\"users/invite\""), "it goes on as it was");
    // Nor does her own proof carry out what was his.
    let of_ingrid = made_for(&mut browser, "/profile").await;
    let mut hers = fields;
    hers[1] = ("made_for", of_ingrid.as_str());
    browser.post(&path, "sign-in/confirm", &hers).await.is(409);
    assert!(app.mails_to("kari@x.example").await.is_empty());
}

#[apply(on_sqlite!)]
async fn what_acts_for_nobody_signed_in_is_taken_from_any_tab(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let of_nobody = made_for(&mut browser, "/sign-in").await;
    sign_in(&mut browser, OLAV).await;
    let of_olav = made_for(&mut browser, "/sign-in").await;
    assert_ne!(of_nobody, of_olav);
    for (made_for, person) in [(&of_nobody, INGRID), (&of_olav, AMIRA)] {
        let fields =
            [("email", person.email), ("password", PASSWORD), ("made_for", made_for.as_str())];
        browser.post("/sign-in", "sign-in", &fields).await.is(303);
        browser.get("/profile").await.is(200).says(person.name);
    }
    browser
        .submit("/sign-out", "sign-out", &[("made_for", of_olav.as_str())])
        .await
        .says("signed out");
    browser.get("/profile").await.is(302);
}

#[apply(on_sqlite!)]
async fn a_form_outlives_its_session_and_is_taken_from_its_own_reader(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(INGRID).await;
    let profile = browser.get("/profile").await;
    browser.submit("/sign-out", "sign-out", &[]).await.is(200);
    let fields = [("full_name", "Ingrid S."), ("language", "en")];
    let page = browser.fill_in(&profile, "profile/save", &fields).await;
    page.is(401).says("You have been signed out");
    assert_eq!(page.hidden("made_for"), profile.hidden("made_for"));
    sign_in(&mut browser, INGRID).await;
    let answer = browser.fill_in(&profile, "profile/save", &fields).await;
    browser.go_on(&answer).await.says("Changes saved");
}

#[apply(on_sqlite!)]
async fn every_form_says_for_whom_it_was_made(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@x.example", &["billing.view"]).await.is(303);
    let invitation = app.invitation_link("kari@x.example").await;
    let (olav, bjorn) = (app.id_of(OLAV).await, app.id_of(BJORN).await);
    let mut asker = app.as_person(BJORN).await;
    let ask = format!("{BAKERY}/ask?permission=domains.view");
    let fields = [("why", "Names"), ("permission", "domains.view")];
    asker.open_and_fill_in(&ask, "access-requests/ask", &fields).await.is(303);
    let made = format!("{BAKERY}/users/{bjorn}/owner");
    ingrid.open_and_fill_in(&made, "owners/make", &[]).await.is(303);
    let named = [("successor", bjorn.as_str()), ("wait_days", "14")];
    let path = format!("{BAKERY}/owners/successor");
    ingrid.open_and_fill_in(&path, "successors/name", &named).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    let change = users.hidden("change");
    let request = users.between("/requests/", "/decline");
    let paths = [
        "/sign-in",
        "/forgot-password",
        "/profile",
        "/profile/delete",
        "/profile/email",
        "/security",
        "/accounts",
        "/help/users",
        &invitation,
        BAKERY,
        &format!("{BAKERY}/users"),
        &format!("{BAKERY}/users/invite"),
        &format!("{BAKERY}/users/{olav}"),
        &format!("{BAKERY}/users/{olav}/remove"),
        &format!("{BAKERY}/users/{bjorn}"),
        &format!("{BAKERY}/users/{bjorn}/extra/new"),
        &made,
        &format!("{BAKERY}/users/{bjorn}/hand-over"),
        &format!("{BAKERY}/owners/{change}"),
        &format!("{BAKERY}/step-down"),
        &format!("{BAKERY}/owners/successor"),
        &format!("{BAKERY}/take-over"),
        &format!("{BAKERY}/account"),
        &format!("{BAKERY}/policy"),
        &format!("{BAKERY}/single-sign-on"),
        &format!("{BAKERY}/leave"),
        &format!("{BAKERY}/requests/{request}/decline"),
        &format!("{BAKERY}/ask?permission=services.view"),
        &ask,
    ];
    let id = app.id_of(INGRID).await;
    for (mut browser, whose) in
        [(ingrid, id.as_str()), (asker, bjorn.as_str()), (app.browser(), "nobody")]
    {
        for path in paths {
            let page = browser.get(path).await;
            for form in page.body.split("<form").skip(1) {
                let form = form.split("</form>").next().unwrap();
                let said = format!("/{whose}/");
                let says = form.split("name=\"made_for\" value=\"").nth(1).unwrap_or_default();
                let says = says.split('"').next().unwrap().contains(&said);
                assert!(says || form.contains("method=\"get\""), "{path}: {form}");
            }
        }
    }
}

#[apply(on_sqlite!)]
async fn the_browsers_half_finds_out_that_its_tab_is_of_before(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(OLAV).await;
    let of_olav = made_for(&mut browser, BAKERY).await;
    let asked = "/api/account/overview?account=100001";
    let said = |page: &Page| page.headers["x-made-for"].to_str().unwrap().to_owned();
    let answer = browser.get(asked).await;
    assert!(of_olav.starts_with(&said(&answer)), "{of_olav}");
    sign_in(&mut browser, INGRID).await;
    let answer = browser.get(asked).await;
    assert!(!of_olav.starts_with(&said(&answer)));
    let fields = [("form", "account/leave"), ("account", "100001"), ("made_for", of_olav.as_str())];
    let answer = send_as_wasm(&mut browser, &format!("{BAKERY}/leave"), &fields).await;
    answer.is(409);
    assert!(answer.body.starts_with(r#"[["main","It was made for Olav"#), "{}", answer.body);
    assert!(!of_olav.starts_with(&said(&answer)));
    // So does a script that asks for a passkey.
    let fields = [("password", PASSWORD), ("made_for", of_olav.as_str())];
    send_as_wasm(&mut browser, "/api/security/ask-for-proof", &fields).await.is(409);
    let (build, _) = of_olav.split_once('/').unwrap();
    let answer = app.browser().get(asked).await;
    assert_eq!(said(&answer), format!("{build}/nobody/"));
    // Who asks isn't known without the database.
    app.latchkey.store.close().await;
    let answer = browser.get(asked).await;
    answer.is(503);
    assert!(!answer.headers.contains_key("x-made-for"));
}

#[apply(on_sqlite!)]
async fn a_living_page_says_its_shape_and_asks_proxies_to_leave_it_alone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut shapes = Vec::new();
    for path in [BAKERY, &format!("{BAKERY}/users")] {
        let page = ingrid.get(path).await;
        let shape = page.between("<div id=\"page\" data-shape=\"", "\">");
        assert!(u32::from_str_radix(&shape, 16).is_ok(), "{shape}");
        assert!(page.body.contains("<body><!--email_off--><div id=\"page\""));
        assert!(page.body.contains("<!--/email_off-->"));
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store, no-transform");
        shapes.push(shape);
    }
    assert_ne!(shapes[0], shapes[1]);
    let request = Request::get(BAKERY).header(header::ACCEPT, "text/html").body(Body::empty());
    let again = ingrid.send(request.unwrap()).await;
    assert_eq!(again.between("data-shape=\"", "\""), shapes[0]);
}
