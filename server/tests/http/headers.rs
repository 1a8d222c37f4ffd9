//! The headers of every answer.

use axum::body::Body;
use axum::http::Request;
use domain::demo::INGRID;
use test_database::on_both;

use crate::story::{BAKERY, TestApp};

on_both! {
    async fn pages_go_out_compressed_where_that_is_understood(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let request = Request::get("/sign-in").header("accept-encoding", "gzip, br");
        let page = app.browser().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.headers.get("content-encoding").unwrap(), "br");
        let plain = app.browser().get("/sign-in").await;
        assert!(plain.headers.get("content-encoding").is_none());
    }

    async fn every_answer_is_protected(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let mut ingrid = app.as_person(INGRID).await;
        for path in ["/sign-in", BAKERY, "/healthz", "/no/such/page", "/demo/mailbox", "/robots.txt", "/api/users/page?account=100001"] {
            let page = ingrid.get(path).await;
            let header = |name: &str| {
                page.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
            };
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("referrer-policy"), "same-origin", "{path}");
            assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert!(!header("content-security-policy").contains("unsafe-inline"), "{path}");
            for part in ["object-src 'none'", "base-uri 'none'"] {
                assert!(header("content-security-policy").contains(part), "{part} {path}");
            }
            assert_eq!(
                header("strict-transport-security"),
                "max-age=31536000; includeSubDomains",
                "{path}"
            );
            assert_eq!(header("access-control-allow-origin"), "", "{path}");
            assert!(!header("x-request-id").is_empty(), "{path}");
        }
        let page = ingrid.get(BAKERY).await;
        assert_eq!(page.headers.get("cache-control").unwrap(), "no-store, no-transform");
    }

    async fn the_session_cookie_is_locked_down(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let page = app.browser().sign_in(INGRID.email, domain::demo::PASSWORD).await;
        let cookie = page.headers.get("set-cookie").unwrap().to_str().unwrap();
        assert!(cookie.starts_with("__Host-latchkey="), "{cookie}");
        for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age="] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
    }

    async fn text_says_how_it_is_encoded(db: TestDatabase) {
        let app = TestApp::new(db).await;
        for path in ["/healthz", "/sign-in", "/demo/mailbox"] {
            let answer = app.browser().get(path).await;
            let kind = answer.headers.get("content-type").unwrap().to_str().unwrap().to_owned();
            assert!(kind.starts_with("text/") && kind.ends_with("charset=utf-8"), "{path}: {kind}");
        }
    }

    async fn sign_in_and_join_pages_run_nothing_of_ours(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let page = app.browser().get("/sign-in").await;
        assert!(page.body.contains("rel=\"prefetch\""));
        assert!(!page.body.contains("import init"));
        let page = app.as_person(INGRID).await.get(BAKERY).await;
        assert!(page.body.contains("import init"));
    }
}
