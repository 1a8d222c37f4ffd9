//! The door for the provider's own systems: each convention, on both databases.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::demo::INGRID;
use domain::tokens::{self, Order};
use http_body_util::BodyExt;
use model::{AccountNumber, DoorArea, DoorScope, DoorScopes};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};
use tower::ServiceExt;

use crate::story::{BAKERY, TestApp};

/// One of the provider's own systems.
pub struct System {
    pub router: Router,
    pub token: String,
}

/// What it is answered.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }

    /// The problem's type, without where it is told of.
    #[track_caller]
    pub fn kind(&self) -> &str {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["instance"], self.headers["x-request-id"].to_str().unwrap());
        assert!(self.body["title"].is_string());
        self.body["type"].as_str().unwrap().strip_prefix("/api/v1/docs#").unwrap()
    }

    /// Where and what is wrong, of each value.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.body["errors"].as_array().cloned().unwrap_or_default();
        let place = |fault: &Value| {
            fault["pointer"].as_str().or(fault["parameter"].as_str()).unwrap().to_owned()
        };
        faults.iter().map(|f| format!("{} {}", place(f), f["code"].as_str().unwrap())).collect()
    }

    pub fn etag(&self) -> String {
        self.headers[header::ETAG].to_str().unwrap().to_owned()
    }

    fn refs(&self) -> Vec<&str> {
        self.body["items"].as_array().unwrap().iter().filter_map(|i| i["ref"].as_str()).collect()
    }
}

impl System {
    /// One with these scopes, that sees this account only, if one is said.
    pub async fn with(app: &TestApp, scopes: DoorScopes, account: Option<i64>) -> Self {
        let account = account.map(AccountNumber::from_stored);
        let order = Order { name: "Control panel", scopes, account, until: None };
        let token = tokens::create(&app.latchkey, order).await.unwrap();
        Self { router: app.router(), token: token.expose().to_owned() }
    }

    /// One that may do everything.
    pub async fn new(app: &TestApp) -> Self {
        Self::with(app, DoorScope::all().collect(), None).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: head.status, headers: head.headers, body }
    }

    /// A request without a body, or with this one.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Option<Value>>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Option<Value> = body.into();
        let body = body.map(|body| body.to_string());
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or(Body::empty(), Body::from));
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, &[], body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        let kind = [("content-type", "application/merge-patch+json")];
        self.ask("PATCH", path, &kind, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], body).await
    }
}

fn webshop() -> Value {
    json!({
        "account": "id:100001", "name": "Webshop", "plan": "Managed hosting M",
        "renews_at": "2027-06-30T12:00:00Z", "login_name": "shop", "login_password": "open sesame",
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[apply(on_both!)]
async fn who_comes_without_a_token_that_works_is_told_nothing_else(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let strange = System { token: format!("{}x", system.token), ..System::new(&app).await };
    let nobody = System { token: String::new(), ..System::new(&app).await };
    let beginning = system.token[..15].to_owned();
    for path in ["/services", "/services/none", "/nothing/at/all", "/", ""] {
        for one in [&strange, &nobody] {
            let answer = one.get(path).await;
            assert_eq!((answer.is(401).kind(), answer.body.get("errors")), ("no-token", None));
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        }
    }
    system.get("/services").await.is(200);
    tokens::revoke(&app.latchkey, &beginning).await.unwrap();
    assert_eq!(system.get("/services").await.is(401).kind(), "no-token");
    // A browser's session is nobody's here.
    let ingrid = app.as_person(INGRID).await;
    let cookie = format!("__Host-latchkey={}", ingrid.cookie("__Host-latchkey").unwrap());
    assert_eq!(
        nobody.ask("GET", "/services", &[("cookie", &cookie)], None).await.is(401).kind(),
        "no-token"
    );
}

#[apply(on_both!)]
async fn a_token_opens_its_scopes_and_its_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let all = System::new(&app).await;
    all.put("/services/shop", webshop()).await.is(201);
    all.put("/services/other", with(webshop(), "account", json!("id:100002"))).await.is(201);
    let reads: DoorScopes = [DoorArea::Services.read()].into_iter().collect();
    let reader = System::with(&app, reads, None).await;
    reader.get("/services/shop").await.is(200);
    for answer in [
        reader.put("/services/shop", webshop()).await,
        reader.patch("/services/shop", json!({})).await,
        reader.delete("/services/shop").await,
        reader.post("/services:batch", json!({ "items": [] })).await,
        reader.get("/domains").await,
        reader.get("/accounts/id:100001/activity").await,
    ] {
        assert_eq!(answer.is(403).kind(), "scope");
    }
    let told = reader.delete("/services/shop").await;
    assert_eq!(told.body["detail"], "It takes the scope services:write.");

    let bound = System::with(&app, DoorScope::all().collect(), Some(100_001)).await;
    bound.get("/services/shop").await.is(200);
    let list = bound.get("/services").await;
    assert!(list.refs().contains(&"shop") && !list.refs().contains(&"other"));
    let mut unnamed = webshop();
    unnamed.as_object_mut().unwrap().remove("account");
    bound.put("/services/own", unnamed).await.is(201);
    for (answer, nothing) in [
        (bound.get("/services/other").await, bound.get("/services/none").await),
        (
            bound.patch("/services/other", json!({})).await,
            bound.patch("/services/none", json!({})).await,
        ),
        (bound.delete("/services/other").await, bound.delete("/services/none").await),
        (bound.get("/services?account=id:100002").await, bound.get("/services?account=id:7").await),
        (bound.get("/accounts/id:100002").await, bound.get("/accounts/id:7").await),
        (
            bound.get("/accounts/id:100002/activity").await,
            bound.get("/accounts/id:7/activity").await,
        ),
    ] {
        assert_eq!((answer.is(404).kind(), nothing.is(404).kind()), ("not-found", "not-found"));
    }
    let there = bound.put("/services/new", with(webshop(), "account", json!("id:100002"))).await;
    let nowhere = bound.put("/services/new", with(webshop(), "account", json!("id:7"))).await;
    assert_eq!(there.is(422).faults(), ["/account unknown"]);
    assert_eq!(nowhere.is(422).faults(), ["/account unknown"]);
    bound.put("/services/other", webshop()).await.is(404);
    bound.put("/accounts/new", json!({ "name": "New" })).await.is(404);
    let accounts = bound.get("/accounts").await;
    assert_eq!(accounts.body["items"].as_array().unwrap().len(), 1);
}

#[apply(on_both!)]
async fn a_thing_is_put_twice_and_is_there_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let made = system.put("/services/shop%2F1", webshop()).await;
    made.is(201);
    let id = made.body["id"].as_str().unwrap();
    let place = format!("https://my.provider.example/api/v1/services/id:{id}");
    assert_eq!(made.headers[header::LOCATION], place);
    assert_eq!((&made.body["ref"], &made.body["account"]), (&json!("shop/1"), &json!("id:100001")));
    assert_eq!(made.body["state"], "active");
    assert!(made.body.get("login_password").is_none());
    let again = system.put("/services/shop%2F1", webshop()).await;
    assert_eq!((again.is(200).etag(), &again.body), (made.etag(), &made.body));
    for path in ["/services/shop%2F1".to_owned(), format!("/services/id:{id}")] {
        let read = system.get(&path).await;
        assert_eq!((&read.is(200).body, read.etag()), (&made.body, made.etag()));
    }
    // What is answered can be sent back.
    let back = with(made.body.clone(), "login_password", json!("open sesame"));
    let back = system.put(&format!("/services/id:{id}"), back).await;
    assert_eq!((back.is(200).etag(), &back.body), (made.etag(), &made.body));
    // What is left out gets its default.
    let small =
        json!({ "account": "id:100001", "name": "Shop", "renews_at": "2027-06-30T12:00:00Z" });
    let changed = system.put("/services/shop%2F1", small).await;
    assert_eq!(changed.is(200).body["plan"], "");
    assert_ne!(changed.etag(), made.etag());

    let services = app.services().await;
    assert_eq!(services.iter().filter(|service| service.name == "Shop").count(), 1);
    let log = app.as_person(INGRID).await.get(&format!("{BAKERY}/log")).await;
    for words in ["Latchkey (Control panel)", "Service added: Webshop", "Service changed: Shop"] {
        log.says(words);
    }
    assert_eq!(log.words().matches("Service changed: ").count(), 1);

    system.delete("/services/shop%2F1").await.is(204);
    system.get("/services/shop%2F1").await.is(404);
    system.delete("/services/shop%2F1").await.is(404);
    assert!(app.services().await.iter().all(|service| service.name != "Shop"));
    assert_eq!(
        system.put(&format!("/services/id:{id}"), webshop()).await.is(404).kind(),
        "not-found"
    );
}

#[apply(on_both!)]
async fn a_change_changes_what_it_names(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    system.put("/services/shop", webshop()).await.is(201);
    let changed = system.patch("/services/shop", json!({ "name": "Shop", "plan": null })).await;
    assert_eq!(changed.is(200).body["name"], "Shop");
    assert_eq!((&changed.body["plan"], &changed.body["login_name"]), (&json!(""), &json!("shop")));
    let password = |services: Vec<store::Service>| {
        let found = services.into_iter().find(|service| service.name == "Shop").unwrap();
        found.login_password.expose().to_owned()
    };
    assert_eq!(password(app.services().await), "open sesame", "it stays");
    let moved = system.patch("/services/shop", json!({ "account": "id:100002" })).await;
    assert_eq!(moved.is(200).body["account"], "id:100002");
    assert!(app.services().await.iter().all(|service| service.name != "Shop"));
    let wrong = system.patch("/services/shop", json!({ "name": null, "colour": null })).await;
    assert_eq!(wrong.is(422).faults(), ["/name missing", "/colour unknown_field"]);
    system.patch("/services/none", json!({})).await.is(404);
}

#[apply(on_both!)]
async fn every_field_of_every_kind_is_checked_and_all_is_told_at_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let long = "x".repeat(1_001);
    let cases = [
        (
            "/services/one",
            json!({ "account": 7, "name": " ", "plan": &long, "state": "gone", "renews_at": "soon",
                "login_name": &long, "login_password": &long, "extra/field": 1,
                "links": { "open": "javascript:alert(1)", "renew": "http://x.example", "pay": 1 } }),
            &[
                "/account wrong_type",
                "/name missing",
                "/plan too_long",
                "/state unknown",
                "/renews_at malformed",
                "/login_name too_long",
                "/login_password too_long",
                "/links/open malformed",
                "/links/renew malformed",
                "/links/pay unknown_field",
                "/extra~1field unknown_field",
            ][..],
        ),
        (
            "/domains/one",
            json!({ "account": "id:", "name": &long, "state": 1, "expires_at": null, "locked": "yes",
                "ref": "two", "links": "https://x.example" }),
            &[
                "/account malformed",
                "/name too_long",
                "/state wrong_type",
                "/expires_at missing",
                "/locked wrong_type",
                "/links wrong_type",
                "/ref read_only",
            ],
        ),
        (
            "/invoices/one",
            json!({ "account": "id:100001", "number": &long, "issued_at": "2027-02-30T00:00:00Z",
                "due_at": "10000-01-01T00:00:00Z", "total_minor": 1.5, "currency": "nok",
                "state": "lost", "links": { "pay": 7, "pdf": "https://me:geheim@x.example" } }),
            &[
                "/number too_long",
                "/issued_at malformed",
                "/due_at malformed",
                "/total_minor out_of_range",
                "/currency malformed",
                "/state unknown",
                "/links/pay wrong_type",
                "/links/pdf malformed",
            ],
        ),
        (
            "/support-requests/one",
            json!({ "account": "id:100001", "number": "", "subject": &long, "state": "lost",
                "opened_by": &long, "last_said_at": 5,
                "links": { "open": format!("https://x.example/{}", "x".repeat(2_000)) } }),
            &[
                "/number missing",
                "/subject too_long",
                "/state unknown",
                "/opened_by too_long",
                "/last_said_at wrong_type",
                "/links/open too_long",
            ],
        ),
        (
            "/accounts/one",
            json!({ "name": &long, "street": &long, "postal_code": &long, "town": &long,
                "country": &long, "time_zone": "Bergen", "owner_email": "nobody", "number": 1 }),
            &[
                "/owner_email malformed",
                "/name too_long",
                "/street too_long",
                "/postal_code too_long",
                "/town too_long",
                "/country too_long",
                "/time_zone unknown",
                "/number read_only",
            ],
        ),
    ];
    for (path, body, faults) in cases {
        let answer = system.put(path, body).await;
        assert_eq!(
            (answer.is(422).kind(), answer.faults()),
            ("invalid", faults.iter().map(|f| (*f).to_owned()).collect()),
            "{path}"
        );
        system.get(path).await.is(404);
    }
    // As long as it may be, and hostile besides.
    let hostile = "<b>' \"\u{202e}%00{{x}}";
    let line = format!("{hostile}{}", "ø".repeat(200 - hostile.chars().count() + 1));
    let service = json!({ "account": "id:100001", "name": line, "renews_at": "1900-01-01T00:00:00Z",
        "login_password": "ø".repeat(1_000) });
    let made = system.put("/services/one", service).await;
    assert_eq!(made.is(201).body["name"].as_str().unwrap().chars().count(), 200);
    system.put("/services/one", with(webshop(), "login_password", json!("a\nb"))).await.is(422);
}

#[apply(on_both!)]
async fn a_body_that_cannot_be_read_is_told_why(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let send = async |kind: &str, body: Vec<u8>| {
        let request = Request::put("/api/v1/services/shop")
            .header("authorization", format!("Bearer {}", system.token))
            .header("content-type", kind);
        system.send(request.body(Body::from(body)).unwrap()).await
    };
    let good = webshop().to_string().into_bytes();
    for kind in ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(send(kind, good.clone()).await.is(415).kind(), "media-type");
    }
    for body in [&b""[..], b"{", b"{} x", b"{\"name\": \"\xff\"}", b"{\"name\": \"\\ud800\"}"] {
        assert_eq!(send("application/json", body.to_vec()).await.is(400).kind(), "bad-request");
    }
    let deep = "[".repeat(100_000 / 2);
    assert_eq!(send("application/json", deep.into_bytes()).await.is(400).kind(), "bad-request");
    for body in ["[]", "null", "7", "\"text\""] {
        assert_eq!(send("application/json", body.into()).await.is(422).faults(), [" wrong_type"]);
    }
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(64 * 1024));
    assert_eq!(send("application/json", large.into_bytes()).await.is(413).kind(), "too-large");
    send("Application/JSON; charset=utf-8", good).await.is(201);
    for path in ["/services/%ff", "/services/%c3"] {
        assert_eq!(system.get(path).await.is(400).kind(), "bad-request");
    }
    let long = "x".repeat(201);
    for path in [format!("/services/{long}"), "/services/a%0Ab".into(), "/services/id:x".into()] {
        assert_eq!(system.put(&path, webshop()).await.is(404).kind(), "not-found");
    }
    assert_eq!(system.post("/services/shop", webshop()).await.is(405).kind(), "method");
    assert_eq!(system.get("/nothing").await.is(404).kind(), "not-found");
}

#[apply(on_both!)]
async fn a_thing_that_changed_meanwhile_is_not_written_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let none = [("if-match", "*")];
    let refused = system.ask("PUT", "/services/shop", &none, webshop()).await;
    assert_eq!(refused.is(412).kind(), "precondition");
    let new = [("if-none-match", "*")];
    let first = system.ask("PUT", "/services/shop", &new, webshop()).await.is(201).etag();
    system.ask("PUT", "/services/shop", &new, webshop()).await.is(412);
    let as_read = [("if-match", first.as_str())];
    let body = json!({ "name": "Shop" });
    system.ask("PATCH", "/services/shop", &as_read, body.clone()).await.is(200);
    system.ask("PATCH", "/services/shop", &as_read, body).await.is(412);
    system.ask("DELETE", "/services/shop", &as_read, None).await.is(412);
    let now = system.get("/services/shop").await.etag();
    let known = [("if-none-match", now.as_str())];
    let unchanged = system.ask("GET", "/services/shop", &known, None).await;
    assert_eq!((unchanged.is(304).etag(), &unchanged.body), (now.clone(), &Value::Null));
    system.ask("GET", "/services/shop", &as_read, None).await.is(200);
    system.ask("DELETE", "/services/shop", &[("if-match", &now)], None).await.is(204);
}

#[apply(on_both!)]
async fn a_dry_run_tells_what_would_come_of_it_and_changes_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let before = system.get("/services").await.body["as_of"].clone();
    let told = system.put("/services/shop?dry_run=true", webshop()).await;
    assert_eq!(told.is(200).body["outcome"], "created");
    assert_eq!((&told.body["dry_run"], &told.body["before"]), (&json!(true), &Value::Null));
    assert_eq!(told.body["after"]["name"], "Webshop");
    system.get("/services/shop").await.is(404);
    system.put("/services/shop?dry_run=false", webshop()).await.is(201);
    let told = system.patch("/services/shop?dry_run=true", json!({ "name": "Shop" })).await;
    assert_eq!(told.is(200).body["outcome"], "changed");
    assert_eq!(told.body["before"]["name"], "Webshop");
    let told = system.put("/services/shop?dry_run=true", webshop()).await;
    assert_eq!(told.is(200).body["outcome"], "unchanged");
    let told = system.ask("DELETE", "/services/shop?dry_run=true", &[], None).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["after"]),
        (&json!("deleted"), &Value::Null)
    );
    assert_eq!(system.get("/services/shop").await.is(200).body["name"], "Webshop");
    let items = json!({ "items": [with(webshop(), "ref", json!("two"))] });
    let told = system.post("/services:batch?dry_run=true", items).await;
    assert_eq!(
        (&told.is(200).body["written"], &told.body["dry_run"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(told.body["outcomes"][0]["outcome"], "created");
    system.get("/services/two").await.is(404);
    let account = json!({ "name": "New", "owner_email": "kari@example.com" });
    system.put("/accounts/new?dry_run=true", account).await.is(200);
    assert!(app.mails_to("kari@example.com").await.is_empty());
    let said = json!({ "words": "Hello", "at": "2027-01-15T08:00:00Z" });
    let request = json!({ "account": "id:100001", "number": "1", "subject": "Slow",
        "last_said_at": "2027-01-15T08:00:00Z" });
    system.put("/support-requests/r", request).await.is(201);
    let told = system.put("/support-requests/r/messages/m?dry_run=true", said).await;
    assert_eq!(told.is(200).body["outcome"], "created");
    system.get("/support-requests/r/messages/m").await.is(404);
    let wrong = system.put("/services/shop?dry_run=maybe&limit=1", webshop()).await;
    assert_eq!(wrong.is(400).faults(), ["limit unknown_parameter", "dry_run malformed"]);
    assert!(before.is_string());
}

#[apply(on_both!)]
async fn a_list_is_read_page_by_page_and_from_where_it_ended(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let begun = system.get("/services").await.body["as_of"].as_str().unwrap().to_owned();
    for number in 0..5 {
        system.put(&format!("/services/s{number}"), webshop()).await.is(201);
    }
    let since = format!("/services?updated_since={begun}");
    let mut found = Vec::new();
    let mut path = format!("{since}&limit=2");
    let mut as_of = None;
    loop {
        let page = system.get(&path).await;
        found.extend(page.is(200).refs().iter().map(|name| (*name).to_owned()));
        let told = page.body["as_of"].as_str().unwrap().to_owned();
        assert_eq!(*as_of.get_or_insert(told.clone()), told);
        // What changes on the way comes once more, at the end.
        if found.len() == 2 {
            system.patch("/services/s0", json!({ "name": "Shop" })).await.is(200);
        }
        match page.body["next"].as_str() {
            Some(next) => {
                path = next.strip_prefix("https://my.provider.example/api/v1").unwrap().to_owned();
            }
            None => break,
        }
    }
    assert_eq!(found, ["s0", "s1", "s2", "s3", "s4", "s0"]);
    let later = system.get(&format!("/services?updated_since={}", as_of.unwrap())).await;
    assert_eq!(later.refs(), ["s0"]);
    let as_of = later.body["as_of"].as_str().unwrap();
    assert!(system.get(&format!("/services?updated_since={as_of}")).await.refs().is_empty());

    let cursor = path.split("cursor=").nth(1).unwrap();
    let elsewhere = system.get(&format!("/domains?cursor={cursor}")).await;
    assert_eq!(elsewhere.is(400).faults(), ["cursor malformed"]);
    let other = system.get("/services?account=id:100002").await;
    assert!(other.refs().is_empty());
    for query in ["limit=0", "limit=201", "page=2", "updated_since=today", "account=id:"] {
        assert_eq!(system.get(&format!("/services?{query}")).await.is(400).kind(), "bad-parameter");
    }
}

#[apply(on_both!)]
async fn many_rows_are_written_in_their_order_all_or_none(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let row =
        |name: &str, title: &str| with(with(webshop(), "ref", json!(name)), "name", json!(title));
    let items = json!({ "items": [row("a", "One"), row("b", "Two"), row("a", "Three")] });
    let done = system.post("/services:batch", items.clone()).await;
    assert_eq!(done.is(200).body["written"], true);
    let outcomes = |answer: &Answer| -> Vec<String> {
        let rows = answer.body["outcomes"].as_array().unwrap();
        rows.iter().map(|row| row["outcome"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outcomes(&done), ["created", "created", "changed"]);
    assert_eq!(system.get("/services/a").await.body["name"], "Three");
    assert!(done.body["outcomes"][0]["id"].is_string());

    let bad = with(row("d", "x"), "state", json!("gone"));
    let strange = with(row("e", "x"), "account", json!("nobody"));
    let items = json!({ "items": [row("c", "Four"), bad, row("a", "Five"), strange] });
    let refused = system.post("/services:batch", items).await;
    assert_eq!(refused.is(422).body["written"], false);
    assert_eq!(outcomes(&refused), ["created", "refused", "changed", "refused"]);
    let why = |index: usize| &refused.body["outcomes"][index]["problem"]["errors"][0];
    assert_eq!(
        (&why(1)["pointer"], &why(1)["code"]),
        (&json!("/items/1/state"), &json!("unknown"))
    );
    assert_eq!(why(3)["pointer"], "/items/3/account");
    system.get("/services/c").await.is(404);
    assert_eq!(system.get("/services/a").await.body["name"], "Three");

    for (body, fault) in [
        (json!({}), "/items missing"),
        (json!({ "items": {} }), "/items wrong_type"),
        (json!({ "items": [], "more": 1 }), "/more unknown_field"),
        (json!({ "items": [7] }), "/items/0 wrong_type"),
        (json!({ "items": [webshop()] }), "/items/0/ref missing"),
        (json!({ "items": vec![json!({}); 1_001] }), "/items too_many"),
    ] {
        assert_eq!(system.post("/services:batch", body).await.is(422).faults(), [fault]);
    }
    assert_eq!(
        system.post("/services:batch", json!({ "items": [] })).await.is(200).body["written"],
        true
    );
}

#[apply(on_both!)]
async fn a_thousand_rows_fit_into_one_request(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let row = |number: usize| with(webshop(), "ref", json!(format!("row-{number}")));
    let items: Vec<_> = (0..1_000).map(row).collect();
    let done = system.post("/services:batch", json!({ "items": items })).await;
    assert_eq!(
        (&done.is(200).body["written"], done.body["outcomes"].as_array().unwrap().len()),
        (&json!(true), 1_000)
    );
    system.get("/services/row-999").await.is(200);
}

#[apply(on_both!)]
async fn a_request_with_a_name_is_done_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let named = [("idempotency-key", "one")];
    let first = system.ask("PUT", "/services/shop", &named, webshop()).await;
    system.delete("/services/shop").await.is(204);
    let again = system.ask("PUT", "/services/shop", &named, webshop()).await;
    assert_eq!((again.is(201).etag(), &again.body), (first.is(201).etag(), &first.body));
    assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    system.get("/services/shop").await.is(404);
    let other = with(webshop(), "name", json!("Shop"));
    for answer in [
        system.ask("PUT", "/services/shop", &named, other).await,
        system.ask("PUT", "/services/shop?dry_run=true", &named, webshop()).await,
        system.ask("DELETE", "/services/shop", &named, None).await,
    ] {
        assert_eq!(answer.is(422).kind(), "key-used");
    }
    // The name is the token's own, and is forgotten after a day.
    System::new(&app).await.ask("PUT", "/services/shop", &named, webshop()).await.is(201);
    app.forward_hours(25);
    system.ask("PUT", "/services/shop", &named, webshop()).await.is(200);
    // What came to nothing may come to something.
    let named = [("idempotency-key", "two")];
    let moved = with(webshop(), "account", json!("later"));
    system.ask("PUT", "/services/late", &named, moved.clone()).await.is(422);
    system.put("/accounts/later", json!({ "name": "Later" })).await.is(201);
    system.ask("PUT", "/services/late", &named, moved).await.is(201);
    let long = "x".repeat(256);
    for key in ["", &long] {
        let named = [("idempotency-key", key)];
        assert_eq!(
            system.ask("PUT", "/services/x", &named, webshop()).await.is(400).kind(),
            "bad-request"
        );
    }
}

#[apply(on_both!)]
async fn a_token_comes_so_often_in_a_minute(db: TestDatabase) {
    let app = TestApp::with(db, &[("REQUESTS_PER_TOKEN", "2")]).await;
    let system = System::new(&app).await;
    let first = system.get("/services").await;
    assert_eq!(first.is(200).headers["ratelimit-policy"], "\"token\";q=2;w=60");
    assert_eq!(first.headers["ratelimit"], "\"token\";r=1;t=60");
    let second = system.get("/services/none").await;
    assert_eq!(second.is(404).headers["ratelimit"], "\"token\";r=0;t=60");
    app.forward_seconds(10);
    let third = system.get("/services").await;
    assert_eq!(
        (third.is(429).kind(), &third.headers["retry-after"]),
        ("too-many", &"50".parse().unwrap())
    );
    System::new(&app).await.get("/services").await.is(200);
    app.forward_seconds(50);
    system.get("/services").await.is(200);
}

#[apply(on_both!)]
async fn an_account_is_made_with_its_first_owner_invited(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let body = json!({ "name": "Kari's Cakes", "time_zone": "europe/oslo", "owner_email": "kari@example.com" });
    let made = system.put("/accounts/cust-1", body.clone()).await;
    assert_eq!(
        (&made.is(201).body["ref"], &made.body["time_zone"]),
        (&json!("cust-1"), &json!("Europe/Oslo"))
    );
    let number = made.body["number"].as_i64().unwrap();
    assert_eq!(app.mails_to("kari@example.com").await, ["invitation"]);
    let mut kari = app.browser();
    kari.get(&app.invitation_link("kari@example.com").await).await.is(200).says("Kari's Cakes");
    system.put("/accounts/cust-1", body).await.is(200);
    assert_eq!(app.mails_to("kari@example.com").await.len(), 1);

    system.put("/services/cakes", with(webshop(), "account", json!("cust-1"))).await.is(201);
    let services = system.get(&format!("/services?account=id:{number}")).await;
    assert_eq!(services.refs(), ["cakes"]);
    let changed =
        system.patch(&format!("/accounts/id:{number}"), json!({ "town": "Bergen" })).await;
    assert_eq!(changed.is(200).body["town"], "Bergen");
    assert_eq!(system.delete("/accounts/cust-1").await.is(405).kind(), "method");
    let log = system.get("/accounts/cust-1/activity?limit=2").await;
    let kinds = |answer: &Answer| -> Vec<String> {
        let rows = answer.body["items"].as_array().unwrap();
        rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(log.is(200)), ["account.created", "invitation.sent"]);
    assert_eq!(log.body["items"][1]["actor_name"], "Latchkey (Control panel)");
    let next = log.body["next"].as_str().unwrap();
    let rest = system.get(next.strip_prefix("https://my.provider.example/api/v1").unwrap()).await;
    assert_eq!(
        (kinds(&rest), &rest.body["next"]),
        (vec!["service.added".to_owned(), "account.changed".to_owned()], &Value::Null)
    );
    assert_eq!(rest.body["items"][0]["sequence"], 3);
}

#[apply(on_both!)]
async fn invoices_and_support_requests_are_kept_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let invoice = json!({ "account": "id:100001", "number": "2027-1", "issued_at": "2027-01-01T00:00:00Z",
        "due_at": "2027-02-01T00:00:00Z", "total_minor": 49_900, "currency": "NOK" });
    system.put("/invoices/i1", invoice).await.is(201);
    assert_eq!(
        system.patch("/invoices/i1", json!({ "state": "paid" })).await.is(200).body["state"],
        "paid"
    );
    assert_eq!(system.delete("/invoices/i1").await.is(405).kind(), "method");
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(&format!("{BAKERY}/billing")).await.is(200).says("2027-1");

    let request = json!({ "account": "id:100001", "number": "4711", "subject": "The shop is slow",
        "opened_by": "Ingrid", "last_said_at": "2027-01-15T08:00:00Z" });
    system.put("/support-requests/r1", request).await.is(201);
    ingrid.get(&format!("{BAKERY}/support")).await.is(200).says("The shop is slow");
    let said =
        json!({ "author": "Support", "words": "We look\ninto it", "at": "2027-01-16T08:00:00Z" });
    let made = system.put("/support-requests/r1/messages/m1", said.clone()).await;
    assert_eq!(
        (&made.is(201).body["words"], &made.body["by_provider"]),
        (&json!("We look\ninto it"), &json!(true))
    );
    assert_eq!(
        system.put("/support-requests/r1/messages/m1", said).await.is(200).etag(),
        made.etag()
    );
    let request = system.get("/support-requests/r1").await;
    assert_eq!(request.body["last_said_at"], "2027-01-16T08:00:00Z");
    let messages = system.get("/support-requests/r1/messages").await;
    assert_eq!((messages.is(200).refs(), &messages.body["next"]), (vec!["m1"], &Value::Null));
    system.get("/support-requests/none/messages").await.is(404);
    let wrong = json!({ "words": " \n ", "author": "x".repeat(201), "by_provider": 1 });
    let wrong = system.put("/support-requests/r1/messages/m2", wrong).await;
    assert_eq!(
        wrong.is(422).faults(),
        ["/by_provider wrong_type", "/author too_long", "/words missing", "/at missing"]
    );
    let domain = json!({ "account": "id:100001", "name": "cakes.example", "expires_at": "2028-01-01T00:00:00Z" });
    system.put("/domains/d1", domain).await.is(201);
    assert!(app.domains().await.iter().any(|domain| domain.name == "cakes.example"));
    system.delete("/domains/d1").await.is(204);
}

#[apply(on_both!)]
async fn links_are_kept_and_shown_on_pages(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let linked = with(webshop(), "links", json!({ "open": "HTTPS://Panel.example/open?a=b" }));
    let made = system.put("/services/shop", linked.clone()).await;
    let links = json!({ "open": "https://panel.example/open?a=b", "renew": null });
    assert_eq!(made.is(201).body["links"], links);
    assert_eq!(system.put("/services/shop", linked).await.is(200).etag(), made.etag());
    // What is answered can be sent back, and a change names one of them.
    let back = with(made.body.clone(), "login_password", json!("open sesame"));
    assert_eq!(system.put("/services/shop", back).await.is(200).etag(), made.etag());
    let renew = json!({ "links": { "renew": "http://localhost:8080/renew" } });
    let changed = system.patch("/services/shop", renew).await;
    assert_ne!(changed.is(200).etag(), made.etag());
    assert_eq!(
        changed.body["links"],
        json!({ "open": "https://panel.example/open?a=b", "renew": "http://localhost:8080/renew" })
    );
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/services")).await;
    assert!(page.is(200).body.contains("href=\"https://panel.example/open?a=b\""));
    let since = changed.body["updated_at"].as_str().unwrap();
    let gone = system.patch("/services/shop", json!({ "links": null })).await;
    assert_eq!(gone.is(200).body["links"], json!({ "open": null, "renew": null }));
    let later = system.get(&format!("/services?updated_since={since}")).await;
    assert_eq!(later.refs(), ["shop"], "a link is a change");
    assert_ne!(later.body["items"][0]["updated_at"], *since);

    let invoice = json!({ "account": "id:100001", "number": "2027-1", "issued_at": "2027-01-01T00:00:00Z",
        "due_at": "2027-02-01T00:00:00Z", "total_minor": 49_900, "currency": "NOK",
        "links": { "pay": "https://pay.example/1", "pdf": "https://pdf.example/1" } });
    let made = system.put("/invoices/i1", invoice).await;
    assert_eq!(made.is(201).body["links"]["pay"], "https://pay.example/1");
    let pay = "href=\"https://pay.example/1\"";
    let billing = format!("{BAKERY}/billing");
    assert!(ingrid.get(&billing).await.body.contains(pay));
    // Paid, also for whoever still has the link.
    let paid = system.patch("/invoices/i1", json!({ "state": "paid" })).await;
    assert_eq!(paid.is(200).body["links"]["pay"], "https://pay.example/1");
    let page = ingrid.get(&billing).await;
    assert!(!page.body.contains(pay) && page.body.contains("href=\"https://pdf.example/1\""));

    let domain = json!({ "account": "id:100001", "name": "cakes.example",
        "expires_at": "2028-01-01T00:00:00Z", "links": { "renew": "https://renew.example/" } });
    let made = system.put("/domains/d1", domain).await;
    assert_eq!(made.is(201).body["links"], json!({ "renew": "https://renew.example/" }));
    let request = json!({ "account": "id:100001", "number": "7", "subject": "Slow",
        "last_said_at": "2027-01-15T08:00:00Z", "links": { "open": "https://desk.example/7" } });
    let made = system.put("/support-requests/r1", request).await;
    assert_eq!(made.is(201).body["links"], json!({ "open": "https://desk.example/7" }));
    let page = ingrid.get(&format!("{BAKERY}/support")).await;
    assert!(page.body.contains("href=\"https://desk.example/7\""));
}

#[apply(on_both!)]
async fn what_the_door_says_of_itself_is_for_everybody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let nobody = System { token: String::new(), ..System::new(&app).await };
    let document = nobody.get("/openapi.json").await;
    assert_eq!(document.is(200).body["openapi"], "3.1.0");
    let mut browser = app.browser();
    let page = browser.get("/api/v1/docs").await;
    page.is(200).says("The API of Latchkey");
    page.says("Make or change a service");
    assert_eq!(
        page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().split(';').next(),
        Some("default-src 'none'")
    );
    browser.get("/api/v1/docs.css").await.is(200);
}
