//! What goes wrong around the database, as requests meet it, and that it ends with its cause.

use domain::demo::INGRID;
use test_database::{Kind, Line, TestDatabase, apply};

use crate::story::{BAKERY, TestApp, demo};

#[apply(on_both!)]
async fn a_write_that_fails_is_answered_503_and_ends_no_other(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.db.break_writing_to("invitations").await;
    for _ in 0..3 {
        let page = ingrid.invite("kari@nordlys.example", &["billing.view"]).await;
        page.is(503).says("what you typed is still here");
    }
    app.db.mend_writing().await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.as_person(INGRID).await.get(BAKERY).await.is(200);
    app.browser().get("/readyz").await.is(200);
}

#[apply(on_both!)]
async fn a_database_that_is_not_written_is_not_ready(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    browser.get("/readyz").await.is(200);
    app.db.break_writing_to("attempts").await;
    let page = browser.get("/readyz").await;
    assert_eq!((page.status.as_u16(), page.body.contains("can't be written")), (503, true));
    browser.get("/healthz").await.is(200);
    app.db.mend_writing().await;
    browser.get("/readyz").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_is_deleted_answers_503_until_it_is_back() {
    let app = TestApp::new(demo(Kind::Sqlite).await).await;
    let mut ingrid = app.as_person(INGRID).await;
    let [file, ..] = app.db.files();
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(503);
    let page = app.browser().get("/readyz").await;
    assert_eq!((page.status.as_u16(), page.body.contains("deleted or replaced")), (503, true));
    std::fs::rename(&away, &file).unwrap();
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.browser().get("/readyz").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_falls_silent_answers_503_and_comes_back() {
    let app = TestApp::new(demo(Kind::Postgres).await).await;
    let line = Line::to(&app.db.url).await;
    let node = app.another_node(&line.url).await;
    let mut ingrid = app.as_person(INGRID).await.at(&node);
    ingrid.get(BAKERY).await.is(200);
    line.fall_silent();
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(503);
    app.browser().at(&node).get("/readyz").await.is(503);
    line.speak();
    line.cut().await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.browser().at(&node).get("/readyz").await.is(200);
}
