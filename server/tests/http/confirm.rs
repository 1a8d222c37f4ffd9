//! What is sensitive takes a fresh proof of who one is, and loses nothing by it.

use axum::http::header;
use domain::demo::{INGRID, PASSWORD};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp, post};

#[apply(on_sqlite!)]
async fn managing_users_asks_for_the_password_after_a_while(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_seconds(10 * 60);
    ingrid.invite("soon@elsewhere.example", &["billing.view"]).await.is(303);
    app.forward_seconds(1);
    let page = ingrid.invite("kari@elsewhere.example", &["billing.view"]).await;
    page.is(401).says("Confirm that it is you");
    assert!(page.body.contains("name=\"kept.email\" value=\"kari@elsewhere.example\""));
    assert!(!page.body.contains("import init"), "the page is whole without the browser's half");
    assert!(app.mails_to("kari@elsewhere.example").await.is_empty());
}

#[apply(on_sqlite!)]
async fn the_form_goes_on_after_the_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_hours(1);
    let path = format!("{BAKERY}/users/invite");
    let kept = [
        ("kept_form", "users/invite"),
        ("kept.account", "100001"),
        ("kept.email", "kari@elsewhere.example"),
        ("kept.permissions[]", "billing.view"),
        ("kept.permissions[]", "domains.view"),
    ];
    let with = |password| [&[("password", password)], &kept[..]].concat();
    let page = ingrid.post(&path, "sign-in/confirm", &with("wrong password")).await;
    page.is(422).says("This password is wrong");
    assert!(page.title().starts_with("Error: "), "{}", page.title());
    assert!(page.body.contains("name=\"kept.permissions[]\" value=\"domains.view\""));
    assert!(!page.body.contains("wrong password"));
    let page = ingrid.submit(&path, "sign-in/confirm", &with(PASSWORD)).await;
    page.is(200).says("Invitation sent to kari@elsewhere.example");
    assert!(page.row_of("kari@elsewhere.example").contains("Domains"));
    ingrid.invite("next@elsewhere.example", &["billing.view"]).await.is(303);
}

#[apply(on_sqlite!)]
async fn what_is_wrong_with_the_form_is_said_after_the_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_hours(1);
    let kept = [
        ("password", PASSWORD),
        ("kept_form", "users/invite"),
        ("kept.account", "100001"),
        ("kept.email", "not an address"),
        ("kept.permissions[]", "billing.view"),
    ];
    let path = format!("{BAKERY}/users/invite");
    let page = ingrid.post(&path, "sign-in/confirm", &kept).await;
    page.is(422).says("Enter one email address");
    assert!(page.body.contains("value=\"not an address\""));
}

#[apply(on_sqlite!)]
async fn the_wasm_is_told_to_ask(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_hours(1);
    let path = format!("{BAKERY}/users/invite");
    let body = "form=users/invite&account=100001&email=k%40x.example&permissions[]=billing.view";
    let mut request = post(&path, body.to_owned());
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    let answer = ingrid.send(request).await;
    answer.is(401);
    assert_eq!(answer.body, r#"[["confirm","Confirm first that it is you."]]"#);
}

#[apply(on_sqlite!)]
async fn nobody_confirms_for_a_session_that_is_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.clone().post("/sign-out", "sign-out", &[]).await.is(303);
    let kept =
        [("password", PASSWORD), ("kept_form", "users/invite"), ("kept.email", "k@x.example")];
    let path = format!("{BAKERY}/users/invite");
    let page = ingrid.post(&path, "sign-in/confirm", &kept).await;
    assert!(!page.status.is_success());
    assert!(app.mails_to("k@x.example").await.is_empty());
}

#[apply(on_sqlite!)]
async fn service_passwords_are_hidden_until_one_is_known_again(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/services");
    ingrid.get(&path).await.is(200).says("Password");
    app.forward_hours(1);
    let page = ingrid.get(&path).await;
    page.is(200).says("Show passwords");
    let secret = app.services().await[0].login_password.expose().to_owned();
    assert!(!page.body.contains(&secret));
    let asking = ingrid.fill_in(&page, "services/show-passwords", &[]).await;
    asking.is(401);
    let answer = ingrid.fill_in(&asking, "sign-in/confirm", &[("password", PASSWORD)]).await;
    let page = ingrid.go_on(&answer).await;
    assert!(page.body.contains(&secret));
}

#[apply(on_sqlite!)]
async fn setting_an_app_up_takes_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.submit("/security", "security/begin-app", &[]).await.says("Scan this code");
    app.forward_seconds(601);
    let page = ingrid.get("/security/authenticator").await;
    page.is(200).says("The set-up is over");
    assert!(!page.body.contains("class=\"key\""));
    ingrid.post("/security", "security/begin-app", &[]).await.is(401);
}
