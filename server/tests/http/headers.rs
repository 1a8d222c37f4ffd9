//! The headers of every answer.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use domain::demo::INGRID;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp, post};

#[apply(on_sqlite!)]
async fn pages_go_out_compressed_where_that_is_understood(db: TestDatabase) {
    let app = TestApp::new(db).await;
    // What takes the server a fifth of the time is preferred where it is understood, too.
    for (understood, taken) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("zstd;q=0.1, br", "br"),
    ] {
        let request = Request::get("/sign-in").header("accept-encoding", understood);
        let page = app.browser().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.headers.get("content-encoding").unwrap(), taken, "of {understood}");
    }
    let plain = app.browser().get("/sign-in").await;
    assert!(plain.headers.get("content-encoding").is_none());
}

#[apply(on_sqlite!)]
async fn one_odd_byte_voids_nothing_but_itself(db: TestDatabase) {
    let app = TestApp::with(db, &[("TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let ingrid = app.as_person(INGRID).await;
    let session = ingrid.cookie("__Host-latchkey").unwrap().to_owned();
    let ask = |path: &str, headers: &[(&str, &[u8])]| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        request
    };
    let session = format!("__Host-latchkey={session}");
    let mut browser = app.browser();
    for foreign in
        ["kunde=Bjørn".as_bytes(), b"kunde=Bj\xf8rn", b"\xff", b"=", b"__Host-latchkey=\xff"]
    {
        let before = [foreign, b"; ", session.as_bytes()].concat();
        let after = [session.as_bytes(), b";", foreign].concat();
        let (before, after) = (&[("cookie", &*before)][..], &[("cookie", &*after)][..]);
        let lines = &[("cookie", foreign), ("cookie", session.as_bytes())];
        for headers in [before, after, lines] {
            browser.send(ask(BAKERY, headers)).await.is(200).says(INGRID.name);
        }
    }

    let page =
        browser.send(ask("/sign-in", &[("accept-language", b"\xf8, de;q=0.5, x;\xf8")])).await;
    assert_eq!(page.headers["content-language"], "de");
    let page = browser.send(ask("/sign-in", &[("accept-encoding", "ø, gzip".as_bytes())])).await;
    assert_eq!(page.headers["content-encoding"], "gzip");
    let page = browser.send(ask("/sign-in", &[("accept-encoding", b"br;q=0, \xff")])).await;
    assert!(page.headers.get("content-encoding").is_none());
    let odd = [
        ("referer", &b"\xff"[..]),
        ("origin", b"\xff"),
        ("user-agent", b"\xff"),
        ("accept", b"\xff"),
    ];
    browser.send(ask("/sign-in", &odd)).await.is(200);
    let tag = browser.get("/robots.txt").await;
    if let Some(tag) = tag.headers.get("etag") {
        let known = [b"\"\xf8\", W/", tag.as_bytes()].concat();
        browser.send(ask("/robots.txt", &[("if-none-match", &known)])).await.is(304);
    }

    // Who is behind the proxy counts for limits, and stands on the security page.
    let mut other = app.browser_at("127.0.0.1");
    let mut sign_in = post(
        "/sign-in",
        format!("form=sign-in&email={}&password=correct+horse+battery", INGRID.email),
    );
    for (name, value) in [
        ("x-forwarded-for", &b"\xff, 203.0.113.9"[..]),
        ("content-type", b"application/x-www-form-urlencoded; charset=\xf8"),
        ("accept", b"text/html, \xf8/*"),
        (
            "user-agent",
            b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0; \xf8) Gecko/20100101 Firefox/140.0",
        ),
    ] {
        sign_in.headers_mut().insert(name, HeaderValue::from_bytes(value).unwrap());
    }
    other.send(sign_in).await.is(303);
    let security = other.get("/security").await;
    security.says("203.0.113.9");
    security.says("Firefox");
    // A form whose origin can't be read is another site's.
    for origin in [&b"\xff"[..], b"https://my.provider.example\xff"] {
        let mut request = post("/sign-out", "form=sign-out".to_owned());
        request.headers_mut().remove("sec-fetch-site");
        request.headers_mut().insert("origin", HeaderValue::from_bytes(origin).unwrap());
        other.send(request).await.is(403);
    }
}

#[apply(on_sqlite!)]
async fn who_asks_for_no_kind_of_answer_gets_the_page(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    for (accept, is_page) in [
        ("", true),
        ("*/*", true),
        ("image/png", true),
        ("text/html;q=0.2, application/json;q=0.1", true),
        ("application/json, text/html;q=0.9", false),
        ("text/html;q=0", false),
    ] {
        let mut request = post("/sign-in", "form=sign-in&email=x&password=x&next=/".to_owned());
        request.headers_mut().remove("accept");
        if !accept.is_empty() {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        let answer = browser.send(request).await;
        assert_eq!(answer.is(422).body.starts_with("<!DOCTYPE html>"), is_page, "{accept}");
        let request = Request::get(BAKERY).header("accept", accept);
        let page = browser.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.is(302).leads_to(), "/sign-in?next=/accounts/100001", "{accept}");
    }
}

#[apply(on_sqlite!)]
async fn where_nothing_comes_to_life_only_the_pages_own_scripts_run(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().get("/sign-in").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let scripts = policy.split("; ").find(|part| part.starts_with("script-src")).unwrap();
    let nonce = scripts.strip_prefix("script-src 'nonce-").unwrap().strip_suffix('\'').unwrap();
    assert!(nonce.len() > 15 && !nonce.contains('\''), "{scripts}");
    assert!(
        policy.contains("require-trusted-types-for 'script'; trusted-types 'none'"),
        "{policy}"
    );
    for script in page.body.split("<script").skip(1) {
        let script = script.split('>').next().unwrap();
        assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{script}");
    }
    let page = app.as_person(INGRID).await.get(BAKERY).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("' 'self' 'wasm-unsafe-eval'"), "{policy}");
}

#[apply(on_sqlite!)]
async fn every_answer_is_protected(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for path in [
        "/sign-in",
        BAKERY,
        "/healthz",
        "/no/such/page",
        "/demo/mailbox",
        "/robots.txt",
        "/api/users/page?account=100001",
    ] {
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

#[apply(on_sqlite!)]
async fn the_session_cookie_is_locked_down(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().sign_in(INGRID.email, domain::demo::PASSWORD).await;
    let cookie = page.headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-latchkey="), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age="] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
}

#[apply(on_sqlite!)]
async fn two_installations_on_one_host_keep_their_cookies_apart(db: TestDatabase) {
    let urls = [
        ("https://my.provider.example:8443", "__Host-latchkey-8443="),
        ("http://localhost:3000", "latchkey-3000="),
        ("http://[::1]:3001", "latchkey-3001="),
        ("http://[::1]", "latchkey="),
    ];
    let mut app = TestApp::new(db).await;
    for (url, name) in urls {
        app = TestApp::with(app.db, &[("PUBLIC_URL", url)]).await;
        let page = app.browser().sign_in(INGRID.email, domain::demo::PASSWORD).await;
        let cookie = page.headers.get("set-cookie").unwrap().to_str().unwrap();
        assert!(cookie.starts_with(name), "{url}: {cookie}");
        let mut browser = app.as_person(INGRID).await;
        browser.get(BAKERY).await.is(200);
    }
}

#[apply(on_sqlite!)]
async fn who_signs_in_by_http_where_it_must_be_https_is_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let fields =
        [("form", "sign-in"), ("email", INGRID.email), ("password", domain::demo::PASSWORD)];
    let body = || form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = crate::story::post("/sign-in", body());
    request.headers_mut().remove("sec-fetch-site");
    request.headers_mut().insert("origin", "http://my.provider.example".parse().unwrap());
    let mut browser = app.browser();
    let page = browser.send(request).await;
    page.is(409).says("open https://my.provider.example instead");
    assert!(page.body.contains(INGRID.email), "what was typed is kept");
    assert!(page.headers.get("set-cookie").is_none());

    // The other way round it works, and the log tells the operator.
    let app = TestApp::with(app.db, &[("PUBLIC_URL", "http://my.provider.example")]).await;
    let mut browser = app.browser();
    browser.send(crate::story::post("/sign-in", body())).await.is(303);
    browser.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn text_says_how_it_is_encoded(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for path in ["/healthz", "/sign-in", "/demo/mailbox"] {
        let answer = app.browser().get(path).await;
        let kind = answer.headers.get("content-type").unwrap().to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/") && kind.ends_with("charset=utf-8"), "{path}: {kind}");
    }
}

#[apply(on_sqlite!)]
async fn sign_in_and_join_pages_run_nothing_of_ours(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().get("/sign-in").await;
    assert!(page.body.contains("rel=\"prefetch\""));
    assert!(!page.body.contains("import init"));
    let page = app.as_person(INGRID).await.get(BAKERY).await;
    assert!(page.body.contains("import init"));
}
