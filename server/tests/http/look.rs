//! The provider's own colours and mark.

use axum::body::Body;
use axum::http::{Request, header};
use test_database::{TestDatabase, apply};

use crate::story::TestApp;

#[apply(on_sqlite!)]
async fn the_providers_accent_and_mark_are_on_every_page(db: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mark.svg");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9v9z\"/></svg>";
    std::fs::write(&file, svg).unwrap();
    let settings = [("ACCENT_LIGHT", "#005EA5"), ("MARK_FILE", file.to_str().unwrap())];
    let app = TestApp::with(db, &settings).await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    assert!(page.body.contains("<link rel=\"stylesheet\" href=\"/provider.css\""), "{}", page.body);
    assert!(page.body.contains("src=\"/provider-mark\""));
    let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("style-src 'self'") && policy.contains("img-src 'self'"));

    let css = browser.get("/provider.css").await;
    css.is(200);
    assert!(css.body.contains("light) { :root { --accent: #005ea5; } }"), "{}", css.body);
    assert!(!css.body.contains("dark"), "dark pages keep their accent");
    let mark = browser.get("/provider-mark").await;
    assert_eq!(mark.is(200).body, svg);
    for (file, kind) in [(&css, "text/css; charset=utf-8"), (&mark, "image/svg+xml")] {
        assert_eq!(file.headers["content-type"], kind);
        assert_eq!(file.headers["cache-control"], "public, max-age=3600");
        assert_eq!(file.headers["x-content-type-options"], "nosniff");
        let policy = file.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"));
    }
    let known = Request::get("/provider-mark").header(header::IF_NONE_MATCH, &mark.headers["etag"]);
    browser.send(known.body(Body::empty()).unwrap()).await.is(304);

    app.browser()
        .post(
            "/forgot-password",
            "security/request-reset",
            &[("email", domain::demo::INGRID.email)],
        )
        .await
        .is(303);
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(1).await.unwrap();
    let path = format!("/demo/mailbox/{}/html", mails[0].id);
    let mail = browser.get(&path).await;
    assert!(mail.body.contains("background:#005ea5") && !mail.body.contains("#007277"));
}

#[apply(on_sqlite!)]
async fn without_them_pages_have_the_products_own(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    assert!(!page.body.contains("/provider.css") && !page.body.contains("/provider-mark"));
    browser.get("/provider.css").await.is(404);
    browser.get("/provider-mark").await.is(404);
}
