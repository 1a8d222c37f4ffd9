//! The demo: its people, its log, and its mailbox.

use domain::demo::{self, INGRID};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_sqlite!)]
async fn without_a_mail_server_everybody_reads_the_mailbox(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.keep_all_mail().await;
    app.browser().get("/demo/mailbox").await.is(200).says("Mailbox");
    app.browser().get("/sign-in").await.is(200).says("Demo logins");
    assert!(app.browser().get("/sign-in").await.body.contains("/demo/mailbox"));
}

#[apply(on_sqlite!)]
async fn with_a_mail_server_there_is_no_mailbox(db: TestDatabase) {
    let app = TestApp::with(db, &[("SMTP_URL", "smtp://127.0.0.1:1")]).await;
    app.keep_all_mail().await;
    let mail = app.latchkey.store.kept_mails(1).await.unwrap().remove(0).id;
    for path in [
        "/demo/mailbox".to_owned(),
        format!("/demo/mailbox/{mail}"),
        format!("/demo/mailbox/{mail}/html"),
    ] {
        app.browser().get(&path).await.is(404);
    }
    let signing_in = app.browser().get("/sign-in").await;
    signing_in.is(200).says("Demo logins");
    let signed_in = app.as_person(INGRID).await.get(BAKERY).await;
    for page in [signing_in, signed_in] {
        assert!(!page.body.contains("/demo/mailbox"));
    }
}

#[apply(on_sqlite!)]
async fn how_everybody_came_into_the_demo_stands_in_its_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let log = app.as_person(INGRID).await.get(&format!("{BAKERY}/log")).await;
    log.is(200).says("Invitation sent: olav@nordlys.example");
    log.says("Olav Solberg Invitation accepted");
}

#[apply(test_database::on_both!)]
async fn a_demo_that_was_stopped_half_way_is_told_from_a_whole_one(db: TestDatabase) {
    let random = std::sync::Arc::new(server::clock::SystemRandom);
    let clock = std::sync::Arc::new(server::clock::SystemClock);
    let settings = domain::Settings::default();
    let latchkey = domain::Latchkey::new(db.store.clone(), clock, random, settings);
    domain::accounts::create(&latchkey, "Nordlys Bakeri AS", INGRID.email).await.unwrap();
    assert!(!demo::seed(&latchkey).await.unwrap());
    assert!(!demo::is_whole(&latchkey).await.unwrap());
}

#[apply(on_sqlite!)]
async fn a_whole_demo_is_told_so(db: TestDatabase) {
    let app = TestApp::new(db).await;
    assert!(demo::is_whole(&app.latchkey).await.unwrap());
    assert!(!demo::seed(&app.latchkey).await.unwrap());
}
