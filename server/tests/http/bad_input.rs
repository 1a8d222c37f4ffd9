//! Bad input, and what it gets.

use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{INGRID, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp, post};

#[apply(on_sqlite!)]
async fn addresses_that_are_none_are_field_errors(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let long = format!("{}@example.com", "x".repeat(250));
    let cases = [
        ("", "Enter the email address"),
        ("kari", "Enter one email address"),
        ("kari@example.com\r\nBcc: all@example.com", "Enter one email address"),
        (long.as_str(), "too long"),
    ];
    for (email, words) in cases {
        let page = ingrid.invite(email, &["billing.view"]).await;
        page.is(422).says(words);
        page.says("There is a problem");
    }
    ingrid.invite("kari@nordlys.example", &[]).await.is(422).says("Choose at least one");
    let both = ingrid.invite("", &[]).await;
    both.is(422).says("Enter the email address");
    both.says("Choose at least one permission");
    assert!(!app.mails_to("kari@nordlys.example").await.contains(&"invitation"));
}

#[apply(on_sqlite!)]
async fn ticks_stay_when_a_form_comes_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.invite("", &["billing.pay"]).await;
    let checkbox = |id: &str| {
        let part = page.body.split("<input").find(|input| input.contains(&format!("id=\"{id}\"")));
        part.unwrap().split('>').next().unwrap().contains("checked")
    };
    assert!(checkbox("billing.pay") && checkbox("billing.view"));
    assert!(!checkbox("billing.details"));
}

#[apply(on_sqlite!)]
async fn the_box_of_a_whole_area_counts_without_a_script(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [("account", "100001"), ("email", "kari@nordlys.example"), ("areas[]", "support")];
    ingrid.post(&format!("{BAKERY}/users/invite"), "users/invite", &fields).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    page.says("Support requests: see and write");
}

#[apply(on_sqlite!)]
async fn tampered_forms_change_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.everything"]).await.is(422);
    let fields =
        [("account", "100002"), ("email", "k@x.example"), ("permissions[]", "billing.view")];
    ingrid.post(&format!("{BAKERY}/users/invite"), "users/invite", &fields).await.is(422);
    let page = ingrid.post("/accounts/100002/users/invite", "users/invite", &fields).await;
    page.is(404);
    ingrid.post(&format!("{BAKERY}/users"), "no/such/form", &[]).await.is(422);
    ingrid.post(&format!("{BAKERY}/users"), "users/resend", &[("account", "100001")]).await.is(422);
}

#[apply(on_sqlite!)]
async fn a_form_is_taken_where_its_page_is_and_nowhere_else(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [
        ("account", "100001"),
        ("email", "kari@nordlys.example"),
        ("permissions[]", "billing.view"),
    ];
    // A page that shows others.
    for path in [&format!("{BAKERY}/services"), "/sign-in", "/sign-out", BAKERY] {
        let page = ingrid.post(path, "users/invite", &fields).await;
        page.is(422).says("The form");
    }
    // No page, whoever asks for what.
    let elsewhere = [
        "/pkg/",
        "/nothing",
        "/users/invite",
        "/api/",
        "/api/users/invite",
        "/api/users/page/x",
        "/api/nothing",
    ];
    for path in elsewhere {
        ingrid.post(path, "users/invite", &fields).await.is(404).names_the_request();
        let mut request = post(path, "form=sign-in%2Fconfirm&password=x".to_owned());
        request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
        ingrid.send(request).await.is(404).names_the_request();
    }
    let files = [
        "/pkg/x",
        "/pkg/x/latchkey.js",
        "/favicon.svg",
        "/robots.txt",
        "/healthz",
        "/readyz",
        "/provider.css",
        "/",
        "/sign-in/callback",
        "/accounts/100001/log.csv",
        "/api/users/page",
    ];
    for path in files {
        let page = ingrid.post(path, "users/invite", &fields).await;
        page.is(405).names_the_request();
        assert!(page.headers.contains_key(header::ALLOW), "{path}");
    }
    let kept = [("password", domain::demo::PASSWORD), ("kept_form", "users/invite")];
    let kept = kept.into_iter().chain([
        ("kept.account", "100001"),
        ("kept.email", "kari@nordlys.example"),
        ("kept.permissions[]", "billing.view"),
    ]);
    let kept: Vec<_> = kept.collect();
    ingrid.post(&format!("{BAKERY}/services"), "sign-in/confirm", &kept).await.is(422);
    assert!(!app.mails_to("kari@nordlys.example").await.contains(&"invitation"));
    ingrid.post(&format!("{BAKERY}/users/invite"), "sign-in/confirm", &kept).await.is(303);
    assert!(app.mails_to("kari@nordlys.example").await.contains(&"invitation"));
}

#[apply(on_sqlite!)]
async fn what_only_answers_leads_nowhere_and_takes_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut tom) = (app.as_person(INGRID).await, app.as_person(TOM).await);
    let mut nobody = app.browser();
    let path = "/api/users/page?account=100001&search=&sort=&after=&pending_after=";
    let ask = |method: &str, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, "https://evil.example/")
            .header("sec-fetch-site", "same-origin")
            .body(Body::empty())
            .unwrap()
    };
    for (browser, status) in [(&mut ingrid, 200), (&mut tom, 404), (&mut nobody, 401)] {
        let answer = browser.send(ask("GET", path)).await;
        assert_eq!(answer.is(status).leads_to(), "");
        assert_eq!(answer.headers["content-type"], "application/json");
        let head = browser.send(ask("HEAD", path)).await;
        assert_eq!((head.is(status).leads_to(), &*head.body), ("", ""));
    }
    let answer = ingrid.send(ask("GET", "/api/sign-in/page?next=/profile&as=")).await;
    assert_eq!(answer.leads_to(), "");
    for method in ["GET", "HEAD", "POST"] {
        for path in ["/api/nothing", "/api/users/invite", "/api/users/page/", "/api/%ff"] {
            let answer = ingrid.send(ask(method, path)).await;
            answer.is(404);
            assert!(
                method == "HEAD" || !answer.body.contains("server function"),
                "{}",
                answer.body
            );
        }
    }
    ingrid.send(ask("GET", "/api/nothing")).await.names_the_request();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        for path in [path, "/accounts", "/sign-in"] {
            let answer = ingrid.send(ask(method, path)).await;
            answer.is(405).names_the_request();
            assert!(answer.headers.contains_key(header::ALLOW), "{method} {path}");
        }
    }
    let asking = ingrid.send(ask("GET", "/api/sign-in/ask-for-passkey")).await;
    assert_eq!(asking.is(405).headers[header::ALLOW], "POST");
    let posted = ingrid.post("/api/users/page", "", &[("account", "100001")]).await;
    assert_eq!(posted.is(405).headers[header::ALLOW], "GET, HEAD");
}

#[apply(on_sqlite!)]
async fn the_head_of_a_page_is_the_pages(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for (browser, path) in
        [(&mut ingrid, BAKERY), (&mut app.browser(), BAKERY), (&mut app.browser(), "/nothing")]
    {
        let page = browser.get(path).await;
        let head = browser.send(Request::head(path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.leads_to()), (page.status, page.leads_to()));
        assert_eq!(head.body, "");
    }
}

#[apply(on_sqlite!)]
async fn an_address_that_cannot_be_read_says_so(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let unreadable = [
        "/accounts/%ff/log.csv",
        "/accounts/100001/log.csv?person=a&person=b",
        "/pkg/%ff/x",
        "/demo/mailbox/%ff/html",
        "/accounts/%ff/log/digests/2027-01-01",
    ];
    for path in unreadable {
        ingrid.get(path).await.is(400).names_the_request();
    }
    let odd = [
        "/accounts/%ff",
        "/accounts/%00",
        "/accounts/100001/users/%ff",
        "/%ff",
        "/accounts/ø",
        "/invitations/%00",
        "/reset/%ff",
        "/help/%00",
        "/accounts/100001/users?search=%ff%00",
        "/accounts/100001/log?person=%00",
        "/sign-in?next=%ff%00",
        "/accounts/100001/users?after=%00",
        "/accounts/",
        "/sign-in/",
        "//evil.example/sign-in",
        "/sign-in//",
        "/.",
        "/..//%2e%2e/",
    ];
    for path in odd {
        let page = ingrid.get(path).await;
        assert!(page.status.as_u16() < 500, "{path}: {}", page.status);
        assert!(!page.leads_to().starts_with("//"), "{path}");
        for off in ["action=\"//", "href=\"//", "value=\"//"] {
            assert!(!page.body.contains(off), "{path} leads to another site");
        }
    }
    for (path, page) in [
        ("/sign-in/?next=/profile", "/sign-in?next=/profile"),
        ("/accounts/100001/users//", "/accounts/100001/users/"),
    ] {
        assert_eq!(ingrid.get(path).await.is(308).leads_to(), page);
    }
    for path in ["//evil.example/", "/\\evil.example/", "///"] {
        ingrid.get(path).await.is(404);
    }
}

#[apply(on_sqlite!)]
async fn what_is_no_form_is_refused_clearly(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = "/profile";
    for path in [path, "/api/sign-in/ask-for-passkey"] {
        let large = format!("form=profile/save&full_name={}", "x".repeat(70_000));
        ingrid.send(post(path, large)).await.is(413).says("64 kB at most");
        let json = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from("{}"))
            .unwrap();
        ingrid.send(json).await.is(415).names_the_request();
        let broken = "form=profile/save&full_name=%ff%fe".to_owned();
        ingrid.send(post(path, broken)).await.is(400).names_the_request();
    }
    ingrid.get(path).await.is(200);
    let put = Request::put(path).header("sec-fetch-site", "same-origin");
    let page = ingrid.send(put.body(Body::empty()).unwrap()).await;
    page.is(405).names_the_request();
}

#[apply(on_sqlite!)]
async fn what_is_no_form_is_refused_in_the_readers_language_and_form(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = "/profile";
    let large = || format!("form=profile/save&full_name={}", "x".repeat(70_000));
    let mut request = post(path, large());
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, "de".parse().unwrap());
    let page = ingrid.send(request).await;
    page.is(413).says("Das Formular ist zu groß");
    assert!(page.body.contains("<h1>"), "it is a page");
    let mut request = post(path, large());
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    let answer = ingrid.send(request).await;
    answer.is(413);
    assert!(answer.body.starts_with(r#"[["main","The form is too large"#), "{}", answer.body);
}

#[apply(on_sqlite!)]
async fn forms_of_other_sites_are_refused(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for site in ["cross-site", "same-site"] {
        let body = "form=account/leave&account=100001".to_owned();
        let mut request = post(&format!("{BAKERY}/leave"), body);
        request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        request.headers_mut().insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        let page = ingrid.send(request).await;
        page.is(403).names_the_request();
        page.says("sent from another site");
    }
    ingrid.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_signed_out_form_waits_until_its_sender_has_signed_in(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/users/invite");
    let fields = [("account", "100001"), ("email", "k@x.example")];
    let page = app.browser().post(&path, "users/invite", &fields).await;
    page.is(401).says("You have been signed out");
    let once = page.words().matches("You have been signed out").count();
    assert_eq!(once, 1, "{}", page.words());
    assert!(page.body.contains(&format!("href=\"/sign-in?next={path}\"")));
    assert!(page.body.contains("name=\"email\" value=\"k@x.example\""));
    assert!(page.body.contains("name=\"form\" value=\"users/invite\""));
}

#[apply(on_sqlite!)]
async fn a_form_that_the_wasm_sends_is_answered_in_json(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/invite");
    let body = "form=users/invite&account=100001&email=&permissions[]=billing.view";
    let mut request = post(&path, body.to_owned());
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    let answer = ingrid.send(request).await;
    answer.is(422);
    assert_eq!(answer.body, r#"[["email","Enter the email address"]]"#);
    let body = "form=users/invite&account=100001&email=k%40x.example&permissions[]=billing.view";
    let mut request = post(&path, body.to_owned());
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    let answer = ingrid.send(request).await;
    answer.is(200);
    assert_eq!(answer.leads_to(), format!("{BAKERY}/users"));
}

#[apply(on_sqlite!)]
async fn a_database_that_another_process_locks_answers_503(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let other = app.db.being_written().await;
    let page = ingrid.invite("kari@nordlys.example", &["billing.view"]).await;
    page.is(503).says("what you typed is still here");
    assert!(page.headers.contains_key("retry-after"));
    drop(other);
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
}

#[apply(on_sqlite!)]
async fn a_database_that_is_gone_answers_503_and_keeps_what_was_typed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let mut ingrid = app.as_person(INGRID).await;
    app.latchkey.store.close().await;
    let page = browser.sign_in("kari@nordlys.example", "some password").await;
    page.is(503).says("what you typed is still here");
    assert!(page.headers.contains_key("retry-after"));
    assert!(page.headers.contains_key("x-request-id"));
    assert!(page.body.contains("value=\"kari@nordlys.example\""));
    let page = ingrid.invite("kari@nordlys.example", &["billing.view"]).await;
    page.is(503).says("what you typed is kept");
    assert!(page.headers.contains_key("retry-after"));
    assert!(page.body.contains("name=\"email\" value=\"kari@nordlys.example\""));
    assert!(page.body.contains("name=\"permissions[]\" value=\"billing.view\""));
    browser.get("/readyz").await.is(503);
    browser.get("/healthz").await.is(200);
}
