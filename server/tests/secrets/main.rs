//! Nothing secret reaches the server's log, however talkative it is (OWASP ASVS 5.0 V16.2.5): the
//! whole log of all that people do is searched for every secret that was used.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test that can't go on says where, and the story is the one of other tests"
)]

#[path = "../http/receiver.rs"]
mod receiver;
#[path = "../http/story.rs"]
mod story;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{BJORN, INGRID, PASSWORD, TOM};
use domain::tokens::{self, Order};
use domain::webhooks;
use model::{DoorScope, EventKinds, Mail};
use serde_json::json;
use server::config::Config;
use server::mailer::{Mailer, Transport};
use test_database::Kind;
use tokio::sync::watch;
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use crate::receiver::{KEY, Manner, Receiver, WELL};
use crate::story::{BAKERY, Browser, TestApp};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What may stand in no log.
#[derive(Default)]
struct Secrets {
    texts: Vec<String>,
    /// Six digits each: looked for standing alone, as they are in any longer number by chance.
    codes: Vec<String>,
}

impl Secrets {
    fn add(&mut self, secret: impl Into<String>) {
        self.texts.push(secret.into());
    }

    /// A secret as it is, and as forms, addresses, JSON and Rust's own quotes write it.
    fn spellings(secret: &str) -> Vec<String> {
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::to_string(secret).unwrap();
        let quoted = format!("{secret:?}");
        let inner = |text: String| text.trim_matches('"').to_owned();
        vec![secret.to_owned(), form.replace('+', "%20"), form, inner(json), inner(quoted)]
    }

    fn found_in(&self, log: &str) -> Vec<String> {
        let texts = self.texts.iter().flat_map(|secret| Self::spellings(secret));
        let texts = texts.filter(|text| log.contains(text.as_str()));
        let codes = self.codes.iter().filter(|code| {
            log.match_indices(code.as_str()).any(|(at, code)| {
                let before = log[..at].chars().next_back();
                let after = log[at + code.len()..].chars().next();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '.')
                    && !after.is_some_and(char::is_alphanumeric)
            })
        });
        texts.chain(codes.cloned()).collect()
    }
}

/// Sends the mails that wait, and adds what their links open.
async fn mails(app: &TestApp, site: &Arc<app::request::Site>, secrets: &mut Secrets) {
    let (_go_on, stop) = watch::channel(false);
    let mailer = Mailer::new(app.latchkey.clone(), Arc::clone(site), Transport::Keep);
    mailer.send_due(&stop).await;
    for kept in app.latchkey.store.kept_mails(200).await.unwrap() {
        match kept.mail {
            Mail::Invitation { token, .. }
            | Mail::AccessWaits { token, .. }
            | Mail::PasswordReset { token, .. }
            | Mail::EmailProof { token, .. }
            | Mail::EmailChange { token, .. }
            | Mail::EmailUndo { token, .. } => secrets.add(token.expose()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_by_the_most_talkative_server() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(Config { log: "trace".to_owned(), ..Config::default() }.log_filter())
        .with_ansi(false)
        .with_writer(log.clone());
    subscriber.init();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = story::demo(kind).await;
        let url = database.url.clone();
        walk(database, &log).await;
        assert!(!url.is_empty());
    }
}

/// One of the provider's systems: as it should, with a token that is no good, and clumsily.
async fn a_system_comes_in(app: &TestApp, secrets: &mut Secrets) {
    let scopes = DoorScope::all().collect();
    let order = Order { name: "Control panel", scopes, account: None, until: None };
    let token = tokens::create(&app.latchkey, order).await.unwrap().expose().to_owned();
    let (wrong, key) = (format!("{token}x"), "key: ünguessed & long");
    for secret in [token.as_str(), &token[16..], &wrong, key] {
        secrets.add(secret);
    }
    let panel = json!({ "account": "id:100001", "name": "Shop",
        "renews_at": "2027-06-30T00:00:00Z",
        "login_name": "shop", "login_password": key });
    let question = json!({ "subject": { "type": "user", "id": INGRID.email } });
    for (method, path, token, body, status) in [
        ("PUT", "/api/v1/services/shop-1".to_owned(), &token, panel.to_string(), 201),
        ("PUT", "/api/v1/services/shop-1".to_owned(), &token, format!("{{ {key}"), 400),
        ("GET", "/api/v1/services/shop-1".to_owned(), &token, String::new(), 200),
        ("GET", "/api/v1/services".to_owned(), &wrong, String::new(), 401),
        ("GET", format!("/api/v1/services?token={token}"), &token, String::new(), 400),
        ("POST", "/access/v1/evaluation".to_owned(), &token, question.to_string(), 400),
        ("POST", "/access/v1/evaluation".to_owned(), &wrong, question.to_string(), 401),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        let answer = app.router().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
    }
}

async fn walk(database: test_database::TestDatabase, log: &Log) {
    let app = TestApp::with(database, &[("WEBHOOK_PRIVATE_ADDRESSES", "true")]).await;
    let site = Arc::new(app::request::Site {
        provider: "Latchkey".to_owned(),
        public_url: "https://my.provider.example".to_owned(),
        ..app::request::Site::default()
    });
    let mut secrets = Secrets::default();
    let (wrong, weak) = ("wröng & wrong = secret", "passwordpassword");
    let (hers, later) = ("hers: ünguessed & safe", "lamp + window % beside");
    for password in [PASSWORD, wrong, weak, hers, later] {
        secrets.add(password);
    }
    let mut browsers: Vec<Browser> = Vec::new();
    // A program is told of all of it.
    let receiver = Receiver::start(WELL).await;
    let url = receiver.url.parse().unwrap();
    let (_, signing) = webhooks::add(&app.latchkey, &url, EventKinds::All).await.unwrap();
    secrets.add(signing.expose());
    secrets.add(KEY);

    // Signing in: wrong, unknown, right; asked again who one is.
    let mut ingrid = app.browser();
    ingrid.sign_in(INGRID.email, wrong).await.is(422);
    ingrid.sign_in("nobody@nordlys.example", wrong).await.is(422);
    ingrid.sign_in(INGRID.email, PASSWORD).await.is(303);
    app.forward_hours(1);
    let email = "kari@elsewhere.example";
    ingrid.invite(email, &["billing.view"]).await.is(401);
    let path = format!("{BAKERY}/users/invite");
    for (password, status) in [(wrong, 422), (PASSWORD, 303)] {
        let kept = [
            ("password", password),
            ("kept_form", "users/invite"),
            ("kept.account", "100001"),
            ("kept.email", email),
            ("kept.permissions[]", "billing.view"),
        ];
        ingrid.post(&path, "sign-in/confirm", &kept).await.is(status);
    }
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let copied = page.input("id=\"copy-link\"").split("/invitations/").nth(1).unwrap();
    let copied = copied.split('"').next().unwrap().to_owned();
    secrets.add(copied.clone());

    // Joining with a new login, by the link that was shown; proving the address; declining another.
    let link = format!("/invitations/{copied}");
    let mut kari = app.browser();
    kari.get(&link).await.is(200);
    for (password, status) in [(weak, 422), (hers, 303)] {
        let fields = [("token", copied.as_str()), ("full_name", "Kari"), ("password", password)];
        kari.post(&link, "invitations/join-with-new-login", &fields).await.is(status);
    }
    mails(&app, &site, &mut secrets).await;
    let proof = app.email_link(email).await;
    kari.get(&proof).await.is(200);
    kari.follow(&proof, "profile/confirm-email").await.is(303);
    ingrid.invite(TOM.email, &["billing.view"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let token = link.rsplit('/').next().unwrap();
    let mut tom = app.browser();
    for (password, status) in [(wrong, 422), (PASSWORD, 303)] {
        let fields = [("token", token), ("password", password)];
        tom.post(&link, "invitations/join-with-password", &fields).await.is(status);
    }

    // An authenticator app, recovery codes, the second step.
    let (key, codes) = app.turn_app_on(&mut kari).await;
    secrets.add(key.clone());
    let grouped = key.chars().collect::<Vec<_>>();
    let grouped = grouped.chunks(4).map(|four| four.iter().collect::<String>());
    secrets.add(grouped.collect::<Vec<_>>().join(" "));
    let step = "/sign-in/second-factor";
    let mut half_way = app.browser();
    half_way.sign_in(email, hers).await.is(303);
    let code = app.next_code(&key);
    for (given, status) in [("000001", 422), (code.as_str(), 303)] {
        let fields = [("code", given), ("next", BAKERY)];
        half_way.post(step, "sign-in/second-factor", &fields).await.is(status);
    }
    secrets.codes.push(code);
    let mut by_code = app.browser();
    by_code.sign_in(email, hers).await.is(303);
    let fields = [("code", codes[0].as_str()), ("next", BAKERY)];
    by_code.post(step, "sign-in/second-factor", &fields).await.is(303);
    let code = app.next_code(&key);
    let path = "/security/recovery-codes";
    let page = kari.submit(path, "security/renew-codes", &[("code", &code)]).await;
    let renewed = page.between("<ul class=\"recovery-codes\">", "</ul>");
    let renewed =
        renewed.split("<code translate=\"no\">").skip(1).map(|code| code[..29].to_owned());
    for code in codes.into_iter().chain(renewed) {
        secrets.add(code.replace('-', ""));
        secrets.add(code);
    }
    secrets.codes.push(code);

    // The address: changed, taken back, and a new password.
    let fields = [("email", "kari@new.example")];
    kari.post("/profile/email", "profile/change-email", &fields).await.is(303);
    let change = app.email_link("kari@new.example").await;
    kari.follow(&change, "profile/confirm-email").await.is(303);
    mails(&app, &site, &mut secrets).await;
    let undo = app.email_link(email).await;
    let mut owner = app.browser();
    owner.get(&undo).await.is(200);
    let page = owner.follow(&undo, "profile/undo-email").await;
    let reset = page.is(303).leads_to().to_owned();
    secrets.add(reset.rsplit('/').next().unwrap());
    owner.get(&reset).await.is(200);
    let token = reset.rsplit('/').next().unwrap();
    let fields = [("token", token), ("new_password", later)];
    owner.post(&reset, "security/reset", &fields).await.is(303);

    // A reset by mail, and a password that is changed; what the WASM asks and posts by itself.
    let fields = [("email", BJORN.email)];
    owner.post("/forgot-password", "security/request-reset", &fields).await.is(303);
    let reset = app.reset_link(BJORN.email).await;
    owner.get(&format!("/api/security/reset-page?token={}", &reset[7..])).await;
    owner.get(&format!("/api/email/page?step=undo&token={}", &undo[12..])).await;
    owner.get(&format!("/api/invitations/page?token={copied}")).await;
    let bjorn = app.id_of(BJORN).await;
    let fields = [("account", "100001"), ("user", bjorn.as_str())];
    ingrid.post(&format!("{BAKERY}/users/{bjorn}"), "eyes/begin", &fields).await.is(303);
    ingrid.get(BAKERY).await.says("You see this account as Bjørn Lie would.");
    for password in [wrong, PASSWORD] {
        let fields = [("password", password), ("new_password", later)];
        ingrid.post("/security", "security/change-password", &fields).await;
    }
    ingrid.post("/sign-out", "sign-out", &[]).await.is(303);
    mails(&app, &site, &mut secrets).await;
    for manner in [Manner::Says("500 Internal Server Error"), Manner::HangsUp, WELL] {
        receiver.behave(manner);
        let (_go_on, stop) = watch::channel(false);
        assert!(app.courier().send_due(&stop).await.handled > 0);
        app.forward_hours(2);
    }
    a_system_comes_in(&app, &mut secrets).await;
    app.latchkey.store.close().await;

    browsers.extend([ingrid, kari, tom, half_way, by_code, owner]);
    for cookie in browsers.into_iter().flat_map(|browser| browser.given) {
        secrets.add(cookie);
    }
    let log = log.0.lock().unwrap().clone();
    let log = String::from_utf8_lossy(&log);
    for level in ["DEBUG", "INFO"] {
        assert!(log.contains(level), "the log isn't as talkative as it gets: no {level}");
    }
    assert!(log.contains("/email/…"), "the walk is in it");
    let hidden = ["en", "de", "nb"];
    secrets.texts.retain(|secret| !hidden.contains(&secret.as_str()));
    assert!(secrets.texts.len() > 50 && secrets.texts.iter().all(|secret| secret.len() > 11));
    let found = secrets.found_in(&log);
    let lines: Vec<_> = found
        .iter()
        .map(|secret| {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            format!("{secret}: {}", line.unwrap_or_default().chars().take(600).collect::<String>())
        })
        .collect();
    assert!(lines.is_empty(), "{} secrets in the log:\n{}", lines.len(), lines.join("\n"));
}
