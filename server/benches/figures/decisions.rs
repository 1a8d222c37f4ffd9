//! What a decision costs: over an empty handler on the same router, and with how many accounts there are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::Latchkey;
use domain::tokens::{self, Order};
use http_body_util::BodyExt;
use model::DoorArea;
use server::clock::{SystemClock, SystemRandom};
use store::Store;
use tower::ServiceExt;

use super::pages::{is_sqlite, run, settle};
use super::{ROUNDS, parts_of, ratio};

/// How many accounts there are at first, and at last.
const FEW: u32 = 10;
const MANY: u32 = 100_000;
/// The demo's.
const BEGUN_WITH: u32 = 2;

/// Prints the figures for SQLite and for Postgres.
pub(crate) async fn tell() {
    println!("Asking for decisions among {FEW} and {MANY} accounts, on both databases…");
    let sqlite = Figures::of(&test_database::sqlite().await.url).await;
    let postgres = Figures::of(&test_database::postgres().await.url).await;
    println!(
        "an evaluation over an empty handler      {:>8.1} ×  (at most 10)",
        ratio(sqlite.few, sqlite.empty)
    );
    println!("    empty {:?}, an evaluation on SQLite {:?}", sqlite.empty, sqlite.few);
    for (name, figures) in [("SQLite", sqlite), ("Postgres", postgres)] {
        println!(
            "an evaluation, 100,000 accounts over 10  {:>8.2} ×  on {name} (at most 1.5)",
            ratio(figures.many, figures.few)
        );
        println!("    10 accounts {:?}, 100,000 accounts {:?}", figures.few, figures.many);
    }
}

/// What one asks with.
pub(crate) async fn token(latchkey: &Latchkey) -> String {
    let scopes = [DoorArea::Access.read()].into_iter().collect();
    let order = Order { name: "Bench", scopes, account: None, until: None };
    tokens::create(latchkey, order).await.expect("a token").expose().to_owned()
}

struct Figures {
    empty: Duration,
    few: Duration,
    many: Duration,
}

impl Figures {
    async fn of(url: &str) -> Self {
        let store = Store::open(url).await.expect("a database");
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let latchkey = Latchkey::new(store, clock, random, domain::Settings::default());
        domain::demo::seed(&latchkey).await.expect("the demo");
        let token = token(&latchkey).await;
        let app = server::router::router(parts_of(&latchkey));
        fill(url, BEGUN_WITH + 1, FEW).await;
        let asked = async || median(&app, || evaluation(&token)).await;
        let empty = median(&app, || Request::get("/healthz").body(Body::empty())).await;
        let few = asked().await;
        fill(url, FEW + 1, MANY).await;
        let many = asked().await;
        Self { empty, few, many }
    }
}

/// Whether the bookkeeper may pay, asked as a program asks.
fn evaluation(token: &str) -> axum::http::Result<Request<Body>> {
    let question = serde_json::json!({
        "subject": { "type": "user", "id": domain::demo::BJORN.email },
        "action": { "name": "billing.pay" },
        "resource": { "type": "account", "id": "id:100001" },
    });
    Request::post("/access/v1/evaluation")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(question.to_string()))
}

async fn median(app: &Router, request: impl Fn() -> axum::http::Result<Request<Body>>) -> Duration {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let request = request().expect("a request");
        let begun = Instant::now();
        let response = app.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.expect("a body");
        times.push(begun.elapsed());
    }
    times.sort();
    times[ROUNDS / 2]
}

/// Adds the accounts from one number to another, each with a user who owns it, somebody who was given a
/// service, and that service.
async fn fill(url: &str, first: u32, last: u32) {
    let is_sqlite = is_sqlite(url);
    let id = |kind: u32| match is_sqlite {
        true => format!("unhex(printf('%02x%030x', {kind}, n))"),
        false => format!("CAST(lpad(to_hex({kind}), 2, '0') || lpad(to_hex(n), 30, '0') AS UUID)"),
    };
    let [account, owner, other, service, grant] = [1, 2, 3, 4, 5].map(id);
    let yes = if is_sqlite { "1" } else { "TRUE" };
    let no = if is_sqlite { "0" } else { "FALSE" };
    let user = |id: &str, name: &str| {
        format!(
            "INSERT INTO users (id, email, email_key, full_name, password_hash, created_at) \
             SELECT {id}, '{name}' || n || '@bench.example', '{name}' || n || '@bench.example', \
                 '{name}', '', 0 FROM numbers"
        )
    };
    let member = |id: &str, owns: &str, name: &str| {
        format!(
            "INSERT INTO memberships (account_id, user_id, owner, since, name_key) \
             SELECT {account}, {id}, {owns}, 0, '{name}' FROM numbers"
        )
    };
    let statements = [
        format!(
            "CREATE TEMPORARY TABLE numbers AS WITH RECURSIVE counted (n) AS \
                 (SELECT {first} UNION ALL SELECT n + 1 FROM counted WHERE n < {last}) \
             SELECT n FROM counted"
        ),
        format!(
            "INSERT INTO accounts \
                 (id, number, name, street, postal_code, town, country, created_at) \
             SELECT {account}, 200000 + n, 'Account ' || n, '', '', '', '', 0 FROM numbers"
        ),
        user(&owner, "owner"),
        user(&other, "other"),
        member(&owner, yes, "owner"),
        member(&other, no, "other"),
        format!(
            "INSERT INTO services \
                 (id, account_id, name, plan, state, renews_at, login_name, login_password) \
             SELECT {service}, {account}, 'Shop', '', 'active', 0, '', '' FROM numbers"
        ),
        format!(
            "INSERT INTO grants (id, account_id, user_id, permissions, all_services, \
                 all_domains, until, why, given_by, given_at, told) \
             SELECT {grant}, {account}, {other}, 'services.view', {no}, {no}, NULL, '', {owner}, \
                 0, 0 FROM numbers"
        ),
        format!(
            "INSERT INTO grant_services (grant_id, service_id) SELECT {grant}, {service} \
             FROM numbers"
        ),
        "DROP TABLE numbers".to_owned(),
    ];
    run(url, &format!("BEGIN; {}; COMMIT", statements.join("; "))).await;
    settle(url).await;
}
