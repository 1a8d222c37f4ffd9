//! Webhooks: what people do is told to programs that listen, and to nobody who mustn't be asked.

use std::time::Duration;

use domain::demo::{BJORN, INGRID};
use domain::webhooks::{self, Endpoint, OVERLAP};
use model::{DeliveryState, EventKind, EventKinds};
use serde_json::{Value, json};
use server::webhooks::{Patience, Round};
use test_database::{TestDatabase, apply};
use tokio::sync::watch;
use url::Url;

use crate::door::System;
use crate::receiver::{KEY, Manner, Received, Receiver, WELL};
use crate::story::{BAKERY, TestApp};

/// Programs on this machine may be told.
const HERE: (&str, &str) = ("WEBHOOK_PRIVATE_ADDRESSES", "true");
const OPERATOR: (&str, &str) = ("OPERATOR_EMAIL", "operator@provider.example");
const DAY: i64 = 24;

/// Has a program told of these kinds of events, or of all. Answers its secret.
async fn tell(app: &TestApp, url: &str, kinds: &[EventKind]) -> String {
    let kinds = EventKinds::of(kinds.iter().copied());
    let url = Url::parse(url).unwrap();
    let (_, secret) = webhooks::add(&app.latchkey, &url, kinds).await.unwrap();
    secret.expose().to_owned()
}

/// Delivers what is due. Answers how much that was.
async fn deliver(app: &TestApp) -> usize {
    deliver_within(app, Patience::default().answer).await
}

async fn deliver_within(app: &TestApp, answer: Duration) -> usize {
    let patience = Patience { answer, ..Patience::default() };
    let round = app.courier().with_patience(patience).send_due(&watch::channel(false).1).await;
    assert!(!round.trouble);
    round.handled
}

/// Delivers what is due, and answers what the program was told.
async fn told(app: &TestApp, receiver: &mut Receiver) -> Vec<Value> {
    deliver(app).await;
    receiver.all().iter().map(Received::json).collect()
}

fn types(told: &[Value]) -> Vec<&str> {
    told.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// What the last try of the newest delivery came to.
async fn last(app: &TestApp) -> (DeliveryState, String) {
    let row = webhooks::deliveries(&app.latchkey, false, 1).await.unwrap().remove(0);
    (row.state, row.answer.unwrap_or_default())
}

/// The only endpoint.
async fn endpoint(app: &TestApp) -> Endpoint {
    webhooks::endpoints(&app.latchkey).await.unwrap().remove(0)
}

/// Bjørn gives himself another name.
async fn rename(app: &TestApp, name: &str) {
    let fields = [("full_name", name), ("language", "en")];
    app.as_person(BJORN).await.post("/profile", "profile/save", &fields).await.is(303);
}

#[apply(on_both!)]
async fn what_people_do_is_told_signed_and_in_order(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut receiver = Receiver::start(WELL).await;
    let secret = tell(&app, &receiver.url, &[]).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@new.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@new.example").await;
    let fields = [("full_name", "Kari Nordmann"), ("password", "a password of theirs")];
    let form = "invitations/join-with-new-login";
    app.browser().open_and_fill_in(&link, form, &fields).await.is(303);
    assert_eq!(deliver(&app).await, 3);

    let received = receiver.all();
    for one in &received {
        assert_eq!(one.path, format!("/hooks?key={KEY}"));
        assert_eq!(one.header("content-type"), "application/json");
        assert!(one.is_signed_with(&secret), "{}", one.header("webhook-signature"));
        let seconds = app.latchkey.now().as_micros() / 1_000_000;
        assert_eq!(one.header("webhook-timestamp"), seconds.to_string());
        // Nothing that somebody typed, and nothing that opens anything.
        let text = String::from_utf8(one.body.clone()).unwrap();
        let token = link.rsplit('/').next().unwrap();
        for typed in ["kari", "Kari", "new.example", "Ingrid", "Bakeri", token] {
            assert!(!text.contains(typed), "{text}");
        }
    }
    let bodies: Vec<_> = received.iter().map(Received::json).collect();
    assert_eq!(types(&bodies), ["invitation.sent", "invitation.accepted", "member.added"]);
    let by = app.id_of(INGRID).await;
    let offered = json!({
        "owner": false,
        "grants": [{ "permissions": ["billing.view"], "until": null }],
    });
    let invitation = bodies[0]["data"]["invitation"].clone();
    assert_eq!(
        bodies[0]["data"],
        json!({
            "account": { "id": 100_001 },
            "by": { "id": by },
            "invitation": invitation,
            "change": "invitation.sent",
            "after": offered,
        })
    );
    assert!(bodies[0]["timestamp"].as_str().unwrap().starts_with("2027-01-15T08:0"));
    assert_eq!(bodies[2]["data"]["invitation"], invitation);
    assert_eq!(bodies[2]["data"]["user"], bodies[2]["data"]["by"]);
    assert_eq!(bodies[2]["data"]["after"], offered);
    assert_eq!(deliver(&app).await, 0);
}

#[apply(on_both!)]
async fn events_carry_the_providers_own_ids(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut receiver = Receiver::start(WELL).await;
    let system = System::new(&app).await;
    system.put("/accounts/customer-17", json!({ "name": "Fjord" })).await.is(201);
    tell(&app, &receiver.url, &[]).await;
    let member = |reference: &str| format!("/accounts/customer-17/members/{reference}");
    let grants = |permission: &str| json!([{ "permissions": [permission] }]);
    let claim = async |email: &str| {
        let asked = [("email", email)];
        app.browser().submit("/forgot-password", "security/request-reset", &asked).await;
        let link = app.waiting_link(email).await.unwrap();
        let fields = [("full_name", "Somebody"), ("password", "a password of theirs")];
        let form = "invitations/join-with-new-login";
        app.browser().open_and_fill_in(&link, form, &fields).await.is(303);
    };

    let kari = json!({ "email": "kari@new.example", "grants": grants("billing.view") });
    system.put(&member("crm-1"), kari).await.is(201);
    claim("kari@new.example").await;
    system.patch(&member("crm-1"), json!({ "grants": grants("support.view") })).await.is(200);
    system.delete(&member("crm-1")).await.is(204);
    let ola = json!({ "email": "ola@new.example", "owner": true });
    system.put(&member("crm-2"), ola.clone()).await.is(201);
    system.delete(&member("crm-2")).await.is(204);
    system.put(&member("crm-3"), ola).await.is(201);
    claim("ola@new.example").await;
    let ola = model::EmailAddress::parse("ola@new.example").unwrap();
    let id = app.latchkey.store.login(&ola).await.unwrap().unwrap().id;
    let told = told(&app, &mut receiver).await;
    let of = |name: &str| {
        let of = |event: &Value| event["data"][name]["ref"].as_str().unwrap_or("-").to_owned();
        told.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(
        types(&told),
        [
            "invitation.sent",
            "invitation.accepted",
            "member.added",
            "member.changed",
            "member.removed",
            "invitation.sent",
            "invitation.cancelled",
            "invitation.sent",
            "invitation.accepted",
            "member.added",
            "owner.changed",
        ]
    );
    assert!(of("account").iter().all(|reference| reference == "customer-17"));
    let [one, two, three] = ["crm-1", "crm-2", "crm-3"];
    assert_eq!(of("user"), ["-", one, one, one, one, "-", "-", "-", three, three, three]);
    assert_eq!(of("by"), ["-", one, one, "-", "-", "-", "-", "-", three, three, three]);
    assert_eq!(of("invitation"), [one, one, one, "-", "-", two, two, three, three, three, three]);
    assert_eq!(told[10]["data"]["user"], json!({ "id": id, "ref": "crm-3" }));
}

#[apply(on_both!)]
async fn access_that_is_paused_changed_and_removed_is_told(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut receiver = Receiver::start(WELL).await;
    tell(&app, &receiver.url, &[]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let bjorn = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{bjorn}");
    let reason = [("pause_reason", "On leave until May")];
    ingrid.open_and_fill_in(&path, "users/pause-access", &reason).await.is(303);
    ingrid.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    ingrid.open_and_fill_in(&format!("{path}/remove"), "users/remove-access", &[]).await.is(303);
    let told = told(&app, &mut receiver).await;
    assert_eq!(types(&told), ["member.paused", "member.changed", "member.removed"]);
    assert!(told.iter().all(|event| event["data"]["user"]["id"] == bjorn.as_str()));
    assert_eq!(told[1]["data"]["change"], "access.resumed");
    let before = &told[2]["data"]["before"];
    assert_eq!(before["owner"], false);
    assert!(before["grants"][0]["permissions"].as_array().is_some_and(|ids| !ids.is_empty()));
    assert!(!told.iter().any(|event| event.to_string().contains("On leave")));
}

#[apply(on_both!)]
async fn logins_and_accounts_that_change_are_told_to_who_wants_to_know(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut logins = Receiver::start(WELL).await;
    let mut accounts = Receiver::start(WELL).await;
    tell(&app, &logins.url, &[EventKind::LoginChanged]).await;
    tell(&app, &accounts.url, &[EventKind::AccountChanged]).await;
    rename(&app, "Bjørn Olsen").await;
    let mut bjorn = app.as_person(BJORN).await;
    app.turn_app_on(&mut bjorn).await;
    let mut ingrid = app.as_person(INGRID).await;
    let details = format!("{BAKERY}/account");
    let fields = [("account_name", "Nordlys Bakeri og Kafé")];
    ingrid.open_and_fill_in(&details, "account/change-details", &fields).await.is(303);
    let about_logins = told(&app, &mut logins).await;
    let said: Vec<_> = about_logins.iter().map(|event| event["data"]["change"].clone()).collect();
    assert_eq!(said, ["name", "second_factor"]);
    let id = app.id_of(BJORN).await;
    assert_eq!(about_logins[0]["data"], json!({ "user": { "id": id }, "change": "name" }));
    let about_accounts = told(&app, &mut accounts).await;
    assert_eq!(types(&about_accounts), ["account.changed"]);
    assert_eq!(about_accounts[0]["data"]["change"], "account.changed");
}

#[apply(on_both!)]
async fn after_a_rotation_both_secrets_fit_until_the_overlap_ends(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut receiver = Receiver::start(WELL).await;
    let first = tell(&app, &receiver.url, &[]).await;
    let id = endpoint(&app).await.id.to_string();
    let second = webhooks::rotate(&app.latchkey, &id, OVERLAP).await.unwrap();
    assert!(second.expose().starts_with("whsec_") && second.expose() != first);
    let mut fits = Vec::new();
    for name in ["Bjørn One", "Bjørn Two"] {
        rename(&app, name).await;
        deliver(&app).await;
        let received = receiver.all().remove(0);
        fits.push([&first, second.expose()].map(|secret| received.is_signed_with(secret)));
        app.forward_hours(DAY);
    }
    assert_eq!(fits, [[true, true], [false, true]]);
}

#[apply(on_both!)]
async fn what_fails_is_tried_again_with_the_same_id_until_it_is_taken(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut receiver = Receiver::start(Manner::Says("500 Internal Server Error")).await;
    let secret = tell(&app, &receiver.url, &[]).await;
    rename(&app, "Bjørn One").await;
    rename(&app, "Bjørn Two").await;
    assert_eq!(deliver(&app).await, 1, "the second waits for the first");
    assert_eq!(last(&app).await.0, DeliveryState::Waiting);
    assert_eq!(deliver(&app).await, 0, "it isn't due");
    app.forward_seconds(13);
    assert_eq!(deliver(&app).await, 1);
    receiver.behave(WELL);
    app.forward_seconds(25);
    assert_eq!(deliver(&app).await, 2);
    let received = receiver.all();
    let ids: Vec<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    assert_eq!(received[0].body, received[2].body);
    let stamps: Vec<_> = received.iter().map(|one| one.header("webhook-timestamp")).collect();
    assert!(stamps[0] < stamps[1] && stamps[1] < stamps[2], "{stamps:?}");
    assert!(received.iter().all(|one| one.is_signed_with(&secret)));
}

#[apply(on_both!)]
async fn an_endpoint_that_fails_for_a_day_is_turned_off_and_the_operator_told(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE, OPERATOR]).await;
    let mut receiver = Receiver::start(Manner::Says("503 Service Unavailable")).await;
    tell(&app, &receiver.url, &[]).await;
    rename(&app, "Bjørn One").await;
    rename(&app, "Bjørn Two").await;
    let mut tries = 0;
    while endpoint(&app).await.off.is_none() {
        tries += deliver(&app).await;
        app.forward_seconds(72 * 60);
        assert!(tries < 30);
    }
    assert!((20..=21).contains(&tries), "{tries}");
    let endpoint = endpoint(&app).await;
    assert_eq!(endpoint.off.as_ref().unwrap().1, "HTTP 503 Service Unavailable");
    assert_eq!(app.mails_to(OPERATOR.1).await, ["webhook_off"]);
    let mailbox = domain::mails::mailbox(&app.latchkey).await.unwrap();
    let mail = mailbox.iter().find(|mail| mail.to.as_str() == OPERATOR.1).unwrap();
    assert!(!format!("{mail:?}").contains(KEY), "{mail:?}");

    receiver.all();
    receiver.behave(WELL);
    rename(&app, "Bjørn Three").await;
    assert_eq!(deliver(&app).await, 0);
    let id = endpoint.id.to_string();
    assert_eq!(webhooks::turn_on(&app.latchkey, &id).await, Ok(Some(2)));
    assert_eq!(deliver(&app).await, 2);
    let failed = webhooks::deliveries(&app.latchkey, true, 9).await.unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(webhooks::redeliver(&app.latchkey, &failed[0].id.to_string()).await, Ok(true));
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(receiver.all().len(), 3);
}

#[apply(on_both!)]
async fn who_is_gone_or_asks_for_patience_is_heeded(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let asks = "429 Too Many Requests\r\nretry-after: 600";
    let mut receiver = Receiver::start(Manner::Says(asks)).await;
    tell(&app, &receiver.url, &[]).await;
    rename(&app, "Bjørn One").await;
    assert_eq!(deliver(&app).await, 1);
    app.forward_seconds(599);
    assert_eq!(deliver(&app).await, 0);
    receiver.behave(Manner::Says("410 Gone"));
    app.forward_seconds(1);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(receiver.all().len(), 2);
    let off = endpoint(&app).await.off.unwrap();
    assert!(off.1.contains("410"), "{off:?}");
}

#[apply(on_both!)]
async fn peers_that_misbehave_fail_and_harm_nobody(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut elsewhere = Receiver::start(WELL).await;
    let mut receiver = Receiver::start(WELL).await;
    let to: &'static str =
        Box::leak(format!("307 Temporary Redirect\r\nlocation: {}", elsewhere.url).into());
    tell(&app, &receiver.url, &[]).await;
    rename(&app, "Bjørn One").await;
    for (manner, expected) in [
        (Manner::Silent, "it didn't answer in time"),
        (Manner::Nonsense, "invalid"),
        (Manner::HangsUp, ""),
        (Manner::Says(to), "HTTP 307 Temporary Redirect, which isn't followed"),
        (Manner::Endless("500 Internal Server Error"), "HTTP 500 Internal Server Error"),
    ] {
        receiver.behave(manner);
        assert_eq!(deliver_within(&app, Duration::from_millis(500)).await, 1, "{expected}");
        let (state, answer) = last(&app).await;
        assert_eq!(state, DeliveryState::Waiting, "{answer}");
        assert!(answer.contains(expected) && !answer.is_empty(), "{expected}: {answer}");
        assert!(!answer.contains(KEY), "{answer}");
        assert_eq!(receiver.all().len(), 1, "{expected}");
        app.forward_hours(1);
    }
    // A status is an answer, whatever follows it.
    receiver.behave(Manner::Endless("200 OK"));
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(last(&app).await, (DeliveryState::Delivered, String::new()));
    assert!(elsewhere.all().is_empty());
}

#[apply(on_both!)]
async fn addresses_that_arent_public_are_never_asked_unless_configured(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut receiver = Receiver::start(WELL).await;
    let port = Url::parse(&receiver.url).unwrap().port().unwrap();
    // As if they had been added while it was allowed, or had led elsewhere then.
    for host in [
        format!("http://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://localhost:{port}"),
        "https://169.254.169.254".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://[fd00::1]".to_owned(),
    ] {
        tell(&app, &format!("{host}/hooks"), &[]).await;
    }
    rename(&app, "Bjørn One").await;
    assert_eq!(deliver_within(&app, Duration::from_secs(5)).await, 8);
    let rows = webhooks::deliveries(&app.latchkey, false, 9).await.unwrap();
    for row in rows {
        let answer = row.answer.unwrap_or_default();
        assert!(answer.contains("public"), "{}: {answer}", row.url);
        assert_eq!((row.state, row.status), (DeliveryState::Waiting, None), "{}", row.url);
    }
    assert!(receiver.all().is_empty());
}

#[apply(on_both!)]
async fn an_endpoint_that_falls_silent_holds_up_no_other_and_no_stop(db: TestDatabase) {
    let app = TestApp::with(db, &[HERE]).await;
    let mut silent = Receiver::start(Manner::Silent).await;
    let mut well = Receiver::start(WELL).await;
    tell(&app, &silent.url, &[]).await;
    tell(&app, &well.url, &[]).await;
    let patience = Patience {
        answer: Duration::from_secs(600),
        rest: Duration::from_millis(10),
        farewell: Duration::from_millis(50),
        ..Patience::default()
    };
    let (stopping, stop) = watch::channel(false);
    let working = tokio::spawn(app.courier().with_patience(patience).run(stop));
    for name in ["Bjørn One", "Bjørn Two"] {
        rename(&app, name).await;
        assert_eq!(well.next().await.json()["data"]["change"], "name");
    }
    silent.next().await;
    stopping.send_replace(true);
    working.await.unwrap();
    assert!(silent.all().is_empty(), "the second waits for the first");
    // Whoever works next has it when its lease is over.
    silent.behave(WELL);
    app.forward_seconds(60);
    let stop = watch::channel(false).1;
    assert_eq!(app.courier().send_due(&stop).await, Round { handled: 2, trouble: false });
    assert_eq!(silent.all().len(), 2);
}
