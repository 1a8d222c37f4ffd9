//! The addresses that are told of events, at the door.

use axum::http::header;
use domain::demo::INGRID;
use domain::webhooks;
use model::{DoorArea, DoorScope};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};
use tokio::sync::watch;

use crate::door::System;
use crate::receiver::{Receiver, WELL};
use crate::story::TestApp;

/// Programs on this machine may be told.
const HERE: (&str, &str) = ("WEBHOOK_PRIVATE_ADDRESSES", "true");

fn crm() -> Value {
    json!({ "url": "https://crm.example/hooks", "kinds": ["member.added", "owner.changed"] })
}

#[apply(on_both!)]
async fn an_address_is_told_from_when_it_is_added_until_it_is_removed(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let system = System::new(&app).await;
    let mut receiver = Receiver::start(WELL).await;
    let made = system.post("/webhooks", json!({ "url": receiver.url, "kinds": [] })).await;
    let id = made.is(201).body["id"].as_str().unwrap().to_owned();
    let place = format!("https://my.provider.example/api/v1/webhooks/id:{id}");
    assert_eq!(made.headers[header::LOCATION], place);
    assert_eq!((&made.body["kinds"], &made.body["off_since"]), (&json!([]), &Value::Null));
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));

    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@new.example", &["billing.view"]).await.is(303);
    app.courier().send_due(&watch::channel(false).1).await;
    let told = receiver.all();
    assert!(!told.is_empty() && told.iter().all(|one| one.is_signed_with(&secret)));

    // Nothing tells the secret again.
    let path = format!("/webhooks/id:{id}");
    for answer in [system.get(&path).await, system.get("/webhooks").await] {
        assert!(!answer.is(200).body.to_string().contains("whsec_"));
    }
    let rotated = system.post(&format!("{path}/rotate"), json!({ "overlap_hours": 0 })).await;
    let new = rotated.is(200).body["secret"].as_str().unwrap().to_owned();
    assert_ne!(new, secret);
    assert_eq!(rotated.body["former_secret_until"], json!("2027-01-15T08:00:00Z"));
    ingrid.invite("ola@new.example", &["billing.view"]).await.is(303);
    app.courier().send_due(&watch::channel(false).1).await;
    let told = receiver.all();
    assert!(!told.is_empty() && told.iter().all(|one| one.is_signed_with(&new)));
    // Without a body the one before works for a day.
    let rotated = system.ask("POST", &format!("{path}/rotate"), &[], None).await;
    assert_eq!(rotated.is(200).body["former_secret_until"], json!("2027-01-16T08:00:00Z"));

    system.delete(&path).await.is(204);
    assert!(webhooks::endpoints(&app.latchkey).await.unwrap().is_empty());
    for answer in [
        system.get(&path).await,
        system.delete(&path).await,
        system.post(&format!("{path}/rotate"), json!({})).await,
        system.get("/webhooks/crm").await,
        system.get("/webhooks/id:100001").await,
    ] {
        assert_eq!(answer.is(404).kind(), "not-found");
    }
}

#[apply(on_both!)]
async fn what_cannot_be_told_is_refused_by_field(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    for url in [
        "crm.example",
        "http://crm.example/",
        "http://localhost:9000/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://me:geheim@crm.example/",
        "https://crm.example/#part",
    ] {
        let answer = system.post("/webhooks", json!({ "url": url })).await;
        assert_eq!(answer.is(422).faults(), ["/url malformed"], "{url}");
    }
    let long = format!("https://crm.example/{}", "x".repeat(1_000));
    for (body, faults) in [
        (json!({}), &["/url missing"][..]),
        (json!({ "url": long, "kinds": "member.added" }), &["/url too_long", "/kinds wrong_type"]),
        (
            json!({ "url": 7, "kinds": ["member.added", "ping", 3], "secret": "mine" }),
            &["/url wrong_type", "/kinds/1 unknown", "/kinds/2 unknown", "/secret unknown_field"],
        ),
    ] {
        let answer = system.post("/webhooks", body).await;
        assert_eq!(answer.is(422).faults(), faults);
    }
    assert_eq!(system.put("/webhooks", crm()).await.is(405).kind(), "method");
    assert!(webhooks::endpoints(&app.latchkey).await.unwrap().is_empty());
    let made = system.post("/webhooks", crm()).await;
    let rotate = format!("/webhooks/id:{}/rotate", made.is(201).body["id"].as_str().unwrap());
    for hours in [json!(-1), json!(8_761), json!("1")] {
        let answer = system.post(&rotate, json!({ "overlap_hours": hours })).await;
        assert_eq!(answer.is(422).faults(), ["/overlap_hours out_of_range"]);
    }
}

#[apply(on_both!)]
async fn it_takes_the_scope_and_a_token_of_all_accounts(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let all = System::new(&app).await;
    let made = all.post("/webhooks", crm()).await;
    let path = format!("/webhooks/id:{}", made.is(201).body["id"].as_str().unwrap());
    assert_eq!(made.body["kinds"], json!(["member.added", "owner.changed"]));
    let reads = [DoorArea::Webhooks.read()].into_iter().collect();
    let reader = System::with(&app, reads, None).await;
    let items = &reader.get("/webhooks").await.body["items"];
    assert_eq!(items[0]["url"], "https://crm.example/hooks");
    let others = DoorScope::all().filter(|scope| !scope.to_string().starts_with("webhooks"));
    let other = System::with(&app, others.collect(), None).await;
    for answer in [
        reader.post("/webhooks", crm()).await,
        reader.delete(&path).await,
        reader.post(&format!("{path}/rotate"), json!({})).await,
        other.get("/webhooks").await,
        other.get(&path).await,
    ] {
        assert_eq!(answer.is(403).kind(), "scope");
    }
    // Every account's events go there: who sees one account sees none of it.
    let bound = System::with(&app, DoorScope::all().collect(), Some(100_001)).await;
    for answer in [
        bound.get("/webhooks").await,
        bound.get(&path).await,
        bound.post("/webhooks", crm()).await,
        bound.delete(&path).await,
        bound.post(&format!("{path}/rotate"), json!({})).await,
    ] {
        assert_eq!(answer.is(404).kind(), "not-found");
    }
    assert_eq!(webhooks::endpoints(&app.latchkey).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn a_dry_run_adds_rotates_and_removes_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let told = system.post("/webhooks?dry_run=true", crm()).await;
    assert_eq!((&told.is(200).body["outcome"], &told.body["after"]), (&json!("created"), &crm()));
    assert!(webhooks::endpoints(&app.latchkey).await.unwrap().is_empty());
    // Asked for twice by one name, it is added once, and answered the same.
    let named = [("idempotency-key", "crm")];
    let made = system.ask("POST", "/webhooks", &named, crm()).await;
    let again = system.ask("POST", "/webhooks", &named, crm()).await;
    assert_eq!((&again.is(201).body, made.is(201).status), (&made.body, again.status));
    let path = format!("/webhooks/id:{}", made.body["id"].as_str().unwrap());
    let told = system.post(&format!("{path}/rotate?dry_run=true"), json!({})).await;
    assert_eq!(told.is(200).body["outcome"], "changed");
    let told = system.delete(&format!("{path}?dry_run=true")).await;
    assert_eq!(told.is(200).body["outcome"], "deleted");
    let endpoint = webhooks::endpoints(&app.latchkey).await.unwrap().remove(0);
    assert_eq!(endpoint.secret.expose(), made.body["secret"].as_str().unwrap());
    assert!(endpoint.old_secret.is_none());
}

#[apply(on_both!)]
async fn an_address_and_its_kinds_are_changed_and_the_secret_stays(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let made = system.post("/webhooks", crm()).await;
    let path = format!("/webhooks/id:{}", made.is(201).body["id"].as_str().unwrap());
    let read = system.get(&path).await;
    assert_eq!((made.etag(), read.is(200).etag()), (read.etag(), made.etag()));
    system.ask("GET", &path, &[("if-none-match", &read.etag())], None).await.is(304);

    let other = json!({ "url": "https://crm.example/other" });
    let told = system.put(&format!("{path}?dry_run=true"), other.clone()).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["after"]["kinds"]),
        (&json!("changed"), &json!([]))
    );
    assert_eq!(system.get(&path).await.etag(), read.etag());
    // Whole, and twice is once; what is answered can be sent back.
    let changed = system.put(&path, other.clone()).await;
    assert_eq!((&changed.is(200).body["url"], &changed.body["kinds"]), (&other["url"], &json!([])));
    for body in [other, changed.body.clone()] {
        assert_eq!(system.put(&path, body).await.is(200).etag(), changed.etag());
    }
    let kinds = system.patch(&path, json!({ "kinds": ["member.added"] })).await;
    assert_eq!(
        (&kinds.is(200).body["url"], &kinds.body["kinds"]),
        (&json!("https://crm.example/other"), &json!(["member.added"]))
    );
    let endpoint = webhooks::endpoints(&app.latchkey).await.unwrap().remove(0);
    assert_eq!(endpoint.secret.expose(), made.body["secret"].as_str().unwrap());

    // Only over the state that was read.
    let stale = [("if-match", read.etag())];
    let stale: Vec<_> = stale.iter().map(|(name, tag)| (*name, tag.as_str())).collect();
    for (method, body) in [("PUT", Some(crm())), ("PATCH", Some(crm())), ("DELETE", None)] {
        let answer = system.ask(method, &path, &stale, body).await;
        assert_eq!(answer.is(412).kind(), "precondition", "{method}");
    }
    for (body, faults) in [
        (json!({}), &["/url missing"][..]),
        (json!({ "url": "http://crm.example/" }), &["/url malformed"]),
        (with_given_up(crm()), &["/given_up read_only"]),
    ] {
        assert_eq!(system.put(&path, body).await.is(422).faults(), faults);
    }
    system.put("/webhooks/id:0195f0a0-0000-7000-8000-000000000001", crm()).await.is(404);
    let reads = [DoorArea::Webhooks.read()].into_iter().collect();
    let reader = System::with(&app, reads, None).await;
    assert_eq!(reader.put(&path, crm()).await.is(403).kind(), "scope");
    let bound = System::with(&app, DoorScope::all().collect(), Some(100_001)).await;
    assert_eq!(bound.patch(&path, crm()).await.is(404).kind(), "not-found");
    system.ask("DELETE", &path, &[("if-match", &kinds.etag())], None).await.is(204);
}

fn with_given_up(mut body: Value) -> Value {
    body["given_up"] = json!(7);
    body
}
