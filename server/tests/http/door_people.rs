//! People who come along: who is put into an account at the door and hasn't come yet, how they come, and
//! that nobody else does in their place.

use axum::http::header;
use domain::demo::{AMIRA, BJORN, INGRID, MEI, PASSWORD, TOM};
use model::DoorScope;
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};

use crate::door::{Answer, System};
use crate::identity_provider::IdentityProvider;
use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

const MEMBERS: &str = "/accounts/id:100001/members";
const KARI: &str = "kari@new.example";
const NEW_LOGIN: &str = "invitations/join-with-new-login";

/// What Kari is given, as the provider's own systems know her.
fn kari() -> Value {
    json!({
        "email": KARI, "name": "Kari from sales",
        "grants": [{ "permissions": ["billing.pay"], "why": "Invoices" }],
    })
}

fn path(reference: &str) -> String {
    format!("{MEMBERS}/{reference}")
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// Asks for a link as who forgot their password does.
async fn ask_for_link(app: &TestApp, email: &str) -> Option<String> {
    let fields = [("email", email)];
    let page = app.browser().submit("/forgot-password", "security/request-reset", &fields).await;
    page.is(200).says("Check your email");
    app.waiting_link(email).await
}

/// Fills in the page that leads into an account, as somebody who has no login.
async fn claim(browser: &mut Browser, link: &str, name: &str) -> Page {
    let fields = [("full_name", name), ("password", "a password of theirs")];
    browser.open_and_fill_in(link, NEW_LOGIN, &fields).await
}

async fn kinds(system: &System) -> Vec<String> {
    let rows = system.get("/accounts/id:100001/activity?limit=200").await;
    let rows = rows.is(200).body["items"].as_array().unwrap().clone();
    rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
}

fn items(answer: &Answer) -> Vec<Value> {
    answer.is(200).body["items"].as_array().unwrap().clone()
}

#[apply(on_both!)]
async fn whoever_is_put_in_waits_until_they_come_and_sees_first_what_they_get(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let before = kinds(&system).await.len();
    let told = system.put(&format!("{}?dry_run=true", path("crm-1")), kari()).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["before"], &told.body["after"]["claimed"]),
        (&json!("created"), &Value::Null, &json!(false))
    );
    system.get(&path("crm-1")).await.is(404);
    let made = system.put(&path("crm-1"), kari()).await;
    assert_eq!(
        made.is(201).body,
        json!({
            "id": null, "ref": "crm-1", "email": KARI, "name": "Kari from sales",
            "claimed": false, "owner": false, "paused_since": null,
            "grants": [{
                "permissions": ["billing.view", "billing.pay"], "until": null, "why": "Invoices",
            }],
        })
    );
    // Nobody mailed her; twice is once; and what is answered can be sent back.
    assert!(app.mails_to(KARI).await.is_empty());
    for body in [kari(), made.body.clone()] {
        let again = system.put(&path("crm-1"), body).await;
        assert_eq!((again.is(200).etag(), &again.body), (made.etag(), &made.body));
    }
    assert_eq!(kinds(&system).await[before..], ["invitation.sent"]);
    for name in [path("crm-1"), path(KARI)] {
        assert_eq!(system.get(&name).await.is(200).body, made.body);
    }
    let tag = made.etag();
    system.ask("GET", &path("crm-1"), &[("if-none-match", &tag)], None).await.is(304);
    assert!(items(&system.get(MEMBERS).await).contains(&made.body));

    // A year later she forgot a password that she never had.
    app.forward_hours(24 * 366);
    let link = ask_for_link(&app, KARI).await.unwrap();
    let mut browser = app.browser();
    let page = browser.get(&link).await;
    page.is(200).says("Join Nordlys Bakeri");
    page.says("You will be able to pay invoices.");
    assert!(page.input("name=\"full_name\"").contains("value=\"Kari from sales\""));
    browser.get(&format!("{BAKERY}/billing")).await.is(302);
    let joined = claim(&mut browser, &link, "Kari Nordmann").await;
    browser.go_on(&joined).await.is(200).says("Kari Nordmann");
    browser.get(&format!("{BAKERY}/billing")).await.is(200);
    browser.get(&format!("{BAKERY}/users")).await.is(403);

    let claimed = system.get(&path("crm-1")).await;
    let body = &claimed.is(200).body;
    assert_eq!((&body["claimed"], &body["ref"]), (&json!(true), &json!("crm-1")));
    assert_eq!((&body["name"], &body["email"]), (&json!("Kari Nordmann"), &json!(KARI)));
    assert!(body["id"].is_string() && body["since"].is_string());
    assert_eq!(kinds(&system).await[before..], ["invitation.sent", "invitation.accepted"]);
    // What the provider calls her isn't looked at any more: the same request is still good.
    let same = system.put(&path("crm-1"), kari()).await;
    assert_eq!((&same.is(200).body, same.etag()), (&claimed.body, claimed.etag()));
    let other = with(kari(), "email", json!("other@new.example"));
    assert_eq!(system.put(&path("crm-1"), other).await.is(422).faults(), ["/email read_only"]);
}

#[apply(on_both!)]
async fn what_waits_is_changed_and_taken_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let made = system.put(&path(KARI), with(kari(), "invite", json!("first_sign_in"))).await;
    assert_eq!((&made.is(201).body["ref"], &made.body["claimed"]), (&Value::Null, &json!(false)));
    let link = ask_for_link(&app, KARI).await.unwrap();
    // An id of the provider's, once.
    let named = system.put(&path("crm%2F%201"), kari()).await;
    assert_eq!(
        (&named.is(200).body["ref"], &named.body["email"]),
        (&json!("crm/ 1"), &json!(KARI))
    );
    let another = system.put(&path("crm-2"), kari()).await;
    assert_eq!(another.is(422).faults(), ["/email other_ref"]);
    let another = system.patch(&path(KARI), json!({ "ref": "crm-2" })).await;
    assert_eq!(another.is(422).faults(), ["/ref read_only"]);
    let tag = named.etag();

    let more = json!({ "grants": [{ "permissions": ["support.view"] }], "name": null });
    let changed = system.patch(&path("crm%2F%201"), more).await;
    assert_eq!(changed.is(200).body["grants"][0]["permissions"], json!(["support.view"]));
    assert_eq!(changed.body["name"], "");
    let stale = [("if-match", tag.as_str())];
    for method in ["PUT", "DELETE"] {
        let body = (method == "PUT").then(kari);
        let answer = system.ask(method, &path(KARI), &stale, body).await;
        assert_eq!(answer.is(412).kind(), "precondition");
    }
    // The link that she asked for before leads to what she is given now.
    app.browser().get(&link).await.is(200).says("You will be able to see support requests.");

    let owner = json!({ "owner": true, "grants": null });
    let owner = system.patch(&path(KARI), owner).await;
    assert_eq!((&owner.is(200).body["owner"], &owner.body["grants"]), (&json!(true), &json!([])));
    assert_eq!(app.mails_to(INGRID.email).await[0], "owners_changed_by_provider");

    let told = system.delete(&format!("{}?dry_run=true", path(KARI))).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["before"]["email"], &told.body["after"]),
        (&json!("deleted"), &json!(KARI), &Value::Null)
    );
    system.delete(&path(KARI)).await.is(204);
    for answer in [system.get(&path(KARI)).await, system.delete(&path("crm%2F%201")).await] {
        answer.is(404);
    }
    app.browser().get(&link).await.is(410).says("This invitation was cancelled");
    assert_eq!(kinds(&system).await.last().unwrap(), "invitation.cancelled");
    assert_eq!(app.waiting_link(KARI).await.unwrap(), link);
    assert!(app.mails_to(KARI).await.iter().all(|kind| *kind == "access_waits"));
}

#[apply(on_both!)]
async fn what_cannot_wait_is_refused_by_field(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let grants = kari()["grants"].clone();
    let known = json!([{ "permissions": ["billing.view"], "id": uuid::Uuid::nil() }]);
    let two = json!([
        { "permissions": ["billing.view"] },
        { "permissions": ["support.view"], "until": "2027-01-01T00:00:00Z" },
    ]);
    let past = json!([{ "permissions": ["billing.view"], "until": "2027-01-01T00:00:00Z" }]);
    let long = "x".repeat(201);
    for (name, body, faults) in [
        ("crm-1", json!({ "grants": grants }), &["/email missing"][..]),
        ("crm-1", with(kari(), "email", json!("kari")), &["/email malformed"]),
        ("crm-1", with(kari(), "name", json!(long)), &["/name too_long"]),
        ("crm-1", with(kari(), "name", json!(7)), &["/name wrong_type"]),
        ("crm-1", with(kari(), "ref", json!("crm-2")), &["/ref read_only"]),
        ("crm-1", with(kari(), "ref", json!(long)), &["/ref malformed"]),
        ("crm-1", with(kari(), "claimed", json!(true)), &["/claimed read_only"]),
        ("crm-1", with(kari(), "invite", json!("later")), &["/invite unknown"]),
        ("crm-1", with(kari(), "grants", known), &["/grants/0/id unknown"]),
        ("crm-1", with(kari(), "grants", two), &["/grants/1/until out_of_range"]),
        ("crm-1", with(kari(), "grants", json!([])), &["/grants missing"]),
        ("crm-1", with(kari(), "grants", past), &["/grants/0/until out_of_range"]),
        ("ola@new.example", kari(), &["/email read_only"]),
    ] {
        let answer = system.put(&path(name), body.clone()).await;
        assert_eq!(answer.is(422).faults(), faults, "{name} {body}");
    }
    system.put(&path(&long), kari()).await.is(404);
    system.put(&path("id:100001"), kari()).await.is(404);
    system.patch(&path("crm-1"), kari()).await.is(404);
    system.delete(&path("crm-1")).await.is(404);
    assert!(ask_for_link(&app, KARI).await.is_none());
    let longest = "x".repeat(200);
    system.put(&path(&longest), kari()).await.is(201);
    system.delete(&path(&longest)).await.is(204);

    // The account's own rules.
    let mut ingrid = app.as_person(INGRID).await;
    let domains = [("domains", "nordlys.example")];
    let policy = format!("{BAKERY}/policy");
    ingrid.open_and_fill_in(&policy, "policies/limit-domains", &domains).await.is(303);
    assert_eq!(system.put(&path("crm-1"), kari()).await.is(422).faults(), ["member other_domain"]);
}

#[apply(on_both!)]
async fn a_member_has_one_id_of_the_providers_in_each_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let bjorn = system.get(&path(BJORN.email)).await;
    assert_eq!((&bjorn.is(200).body["ref"], &bjorn.body["claimed"]), (&Value::Null, &json!(true)));
    // By a name and an address, or by what a body says.
    let wanted = json!({ "email": "BJORN@ledger.example", "grants": bjorn.body["grants"] });
    let named = system.put(&path("crm-1"), wanted).await;
    assert_eq!(
        (&named.is(200).body["ref"], &named.body["id"]),
        (&json!("crm-1"), &bjorn.body["id"])
    );
    let mei = system.patch(&path(MEI.email), json!({ "ref": "crm-2" })).await;
    assert_eq!(mei.is(200).body["ref"], "crm-2");
    let amira = system.patch(&path(AMIRA.email), json!({ "ref": "crm-2" })).await;
    assert_eq!(amira.is(422).faults(), ["/ref taken"]);
    let other = system.put(&path("crm-3"), with(bjorn.body.clone(), "ref", Value::Null)).await;
    assert_eq!(other.is(422).faults(), ["/email other_ref"]);
    for name in ["crm-1".to_owned(), format!("id:{}", bjorn.body["id"].as_str().unwrap())] {
        assert_eq!(system.get(&path(&name)).await.is(200).body, named.body);
    }
    // Who is named by an address has that in the first place as an id.
    let odd =
        system.put(&path(AMIRA.email), with(kari(), "ref", json!("tom@ledger.example"))).await;
    assert_eq!(odd.is(422).faults(), ["/email read_only"]);
    let odd = system.patch(&path(AMIRA.email), json!({ "ref": "tom@ledger.example" })).await;
    odd.is(200);
    assert_eq!(system.get(&path("tom@ledger.example")).await.is(200).body, odd.body);

    // Another account's are its own.
    let elsewhere = "/accounts/id:100002/members/crm-1";
    system.get(elsewhere).await.is(404);
    system.put(elsewhere, kari()).await.is(201);
    let bound = System::with(&app, DoorScope::all().collect(), Some(100_002)).await;
    assert_eq!(bound.get(elsewhere).await.is(200).body["email"], KARI);
    for answer in [
        bound.get(&path("crm-1")).await,
        bound.put(&path("crm-1"), kari()).await,
        bound.delete(&path("crm-1")).await,
    ] {
        assert_eq!(answer.is(404).kind(), "not-found");
    }
    // It ends with the membership.
    system.delete(&path("crm-1")).await.is(204);
    system.put(&path("crm-1"), kari()).await.is(201);
}

#[apply(on_both!)]
async fn somebody_who_has_a_login_is_in_only_when_they_say_so(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let tom = with(kari(), "email", json!(TOM.email));
    let made = system.put(&path("crm-1"), tom).await;
    // The answer is the same as for an address that has none.
    let plain = system.put(&path("crm-2"), kari()).await;
    let (mut one, mut other) = (made.is(201).body.clone(), plain.is(201).body.clone());
    for body in [&mut one, &mut other] {
        body["ref"] = Value::Null;
        body["email"] = Value::Null;
    }
    assert_eq!(one, other);
    assert!(app.mails_to(TOM.email).await.is_empty());
    let mut browser = app.browser();
    browser.sign_in(TOM.email, PASSWORD).await.is(303);
    browser.get(&format!("{BAKERY}/billing")).await.is(404);
    // Who forgot their password gets that link, and no other.
    assert!(ask_for_link(&app, TOM.email).await.is_none());
    assert_eq!(app.mails_to(TOM.email).await[0], "password_reset");

    let page = browser.get("/accounts").await;
    page.is(200).says("Waiting for you");
    page.says("Nordlys Bakeri");
    let answer = browser.fill_in(&page, "accounts/see", &[]).await;
    browser.get(&format!("{BAKERY}/billing")).await.is(404);
    let page = browser.go_on(&answer).await;
    page.is(200).says("You are signed in as");
    let joined = browser.fill_in(&page, "invitations/join", &[]).await;
    browser.go_on(&joined).await.is(200);
    browser.get(&format!("{BAKERY}/billing")).await.is(200);
    let claimed = system.get(&path("crm-1")).await;
    assert_eq!(
        (&claimed.is(200).body["claimed"], &claimed.body["name"]),
        (&json!(true), &json!(TOM.name))
    );
    assert!(!browser.get("/accounts").await.words().contains("Waiting for you"));

    // Nobody sees what waits for somebody else.
    let mut mei = app.as_person(MEI).await;
    assert!(!mei.get("/accounts").await.words().contains("Waiting for you"));
    let (kari, now) = (model::EmailAddress::parse(KARI).unwrap(), app.latchkey.now());
    let found = app.latchkey.store.waiting_for(&kari, 9, now).await.unwrap();
    let id = found[0].invitation.id.to_string();
    for id in [id.as_str(), "x"] {
        mei.post("/accounts", "accounts/see", &[("invitation", id)]).await.is(404);
    }
}

#[apply(on_both!)]
async fn a_login_whose_address_nobody_proved_claims_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    // Somebody makes a login with an address that isn't theirs, by the link that an inviter was shown.
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite(KARI, &["billing.view"]).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let copied = page.input("id=\"copy-link\"").split("/invitations/").nth(1).unwrap().to_owned();
    let copied = format!("/invitations/{}", copied.split('"').next().unwrap());
    let mut thief = app.browser();
    claim(&mut thief, &copied, "Not Kari").await.is(303);

    let system = System::new(&app).await;
    let agency = "/accounts/id:100002/members/crm-1";
    system.put(agency, kari()).await.is(201);
    assert!(!thief.get("/accounts").await.words().contains("Waiting for you"));
    let email = model::EmailAddress::parse(KARI).unwrap();
    let found = app.latchkey.store.waiting_for(&email, 9, app.latchkey.now()).await.unwrap();
    let id = found[0].invitation.id.to_string();
    let page = thief.post("/accounts", "accounts/see", &[("invitation", &id)]).await;
    assert!(!page.leads_to().starts_with("/invitations/"));
    thief.get(AGENCY).await.is(404);

    // Whoever has the mailbox takes the login over by it, and finds what waits.
    let fields = [("email", KARI)];
    app.browser().submit("/forgot-password", "security/request-reset", &fields).await.is(200);
    let link = app.reset_link(KARI).await;
    let chosen = [("new_password", "another long password")];
    app.browser().open_and_fill_in(&link, "security/reset", &chosen).await.is(303);
    thief.get("/accounts").await.is(302);
    let mut browser = app.browser();
    browser.sign_in(KARI, "another long password").await.is(303);
    browser.get("/accounts").await.is(200).says("Waiting for you");
}

#[apply(on_both!)]
async fn an_identity_provider_leads_to_what_waits(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let system = System::new(&app).await;
    let mut browser = app.browser();
    idp.visit(&app, &mut browser, "k", KARI).await.is(409);
    system.put(&path("crm-1"), kari()).await.is(201);
    let mut browser = app.browser();
    let page = idp.visit(&app, &mut browser, "k", KARI).await;
    let link = page.is(303).leads_to().to_owned();
    assert!(link.starts_with("/invitations/"), "{link}");
    browser.get(&link).await.is(200).says("You will be able to pay invoices.");
    assert_eq!(system.get(&path("crm-1")).await.body["claimed"], false);
    let joined = claim(&mut browser, &link, "Kari Nordmann").await;
    browser.go_on(&joined).await.is(200);
    browser.get(&format!("{BAKERY}/billing")).await.is(200);
    assert_eq!(system.get(&path("crm-1")).await.body["claimed"], true);
    // Of a login it is only ever linked.
    system.put(&path("crm-2"), with(kari(), "email", json!(TOM.email))).await.is(201);
    let page = idp.visit(&app, &mut app.browser(), "t", TOM.email).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
}

#[apply(on_both!)]
async fn a_link_to_what_waits_works_for_a_while_and_the_newest_alone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    system.put(&path("crm-1"), kari()).await.is(201);
    let first = ask_for_link(&app, KARI).await.unwrap();
    let second = ask_for_link(&app, KARI).await.unwrap();
    app.browser().get(&first).await.is(410).says("This link is too old");
    app.browser().get(&second).await.is(200);
    app.forward_hours(1);
    let mut browser = app.browser();
    browser.get(&second).await.is(410).says("Ask for a new link");
    let token = second.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", "Kari"), ("password", "a password of theirs")];
    let page = browser.post(&second, NEW_LOGIN, &fields).await;
    assert!(page.status.is_client_error(), "{}", page.status);
    let declining = [("token", token)];
    let page = browser.post(&format!("{second}/decline"), "invitations/decline", &declining).await;
    assert!(page.status.is_client_error(), "{}", page.status);
    assert_eq!(system.get(&path("crm-1")).await.is(200).body["claimed"], false);

    // Declined is declined; the provider may ask again.
    let third = ask_for_link(&app, KARI).await.unwrap();
    let decline = format!("{third}/decline");
    app.browser().open_and_fill_in(&decline, "invitations/decline", &[]).await.is(303);
    system.get(&path("crm-1")).await.is(404);
    system.put(&path("crm-1"), kari()).await.is(201);
}

#[apply(on_both!)]
async fn user_management_shows_who_has_not_come_yet_and_mails_them(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    system.put(&path("crm-1"), kari()).await.is(201);
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = page.is(200).row_of(KARI);
    for words in ["Hasn't signed in here yet", "Kari from sales", "Invite by mail"] {
        assert!(row.contains(words), "{row}");
    }
    assert!(!row.contains("works until") && !row.contains("Expires"), "{row}");

    let invitations = system.get("/accounts/id:100001/invitations").await;
    let waiting = items(&invitations).into_iter().find(|one| one["email"] == KARI).unwrap();
    assert_eq!(
        (&waiting["state"], &waiting["expires_at"], &waiting["ref"]),
        (&json!("waiting"), &Value::Null, &json!("crm-1"))
    );
    let fields = [("account", "100001"), ("invitation", waiting["id"].as_str().unwrap())];
    ingrid.post(&format!("{BAKERY}/users"), "users/resend", &fields).await.is(303);
    assert_eq!(app.mails_to(KARI).await, ["invitation"]);
    system.get(&path("crm-1")).await.is(404);
    assert_eq!(kinds(&system).await.last().unwrap(), "invitation.sent");
    // The provider finds it as it is wanted, and leaves it.
    let offered = system.put(&path("crm-1"), kari()).await;
    assert_eq!(
        (&offered.is(202).body["state"], &offered.body["ref"]),
        (&json!("pending"), &json!("crm-1"))
    );
    let link = app.invitation_link(KARI).await;
    claim(&mut app.browser(), &link, "Kari Nordmann").await.is(303);
    let claimed = system.get(&path("crm-1")).await;
    assert_eq!(
        (&claimed.is(200).body["claimed"], &claimed.body["email"]),
        (&json!(true), &json!(KARI))
    );
}

#[apply(on_both!)]
async fn an_invitation_by_mail_and_what_waits_take_each_others_place(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    system.put(&path("crm-1"), kari()).await.is(201);
    let now = with(kari(), "invite", json!("now"));
    let told = system.put(&format!("{}?dry_run=true", path("crm-1")), now.clone()).await;
    assert_eq!(
        (&told.is(200).body["before"]["claimed"], &told.body["after"]["state"]),
        (&json!(false), &json!("pending"))
    );
    assert_eq!(system.put(&path("crm-1"), now).await.is(202).body["state"], "pending");
    let link = app.invitation_link(KARI).await;
    app.browser().get(&link).await.is(200);
    let waits = system.put(&path("crm-1"), with(kari(), "invite", json!("first_sign_in"))).await;
    assert_eq!(
        (&waits.is(201).body["claimed"], &waits.body["ref"]),
        (&json!(false), &json!("crm-1"))
    );
    app.browser().get(&link).await.is(410).says("This link is too old");
    assert_eq!(app.mails_to(KARI).await.len(), 1);
}

/// A service of the bakery's, by the provider's own id.
async fn shop(system: &System) {
    let shop = json!({
        "account": "id:100001", "name": "Webshop", "renews_at": "2028-06-30T00:00:00Z",
    });
    system.put("/services/shop", shop).await.is(201);
}

/// Grants of their own services, ends and reasons.
fn several() -> Value {
    json!([
        { "permissions": ["services.view"], "services": ["shop"], "until": null, "why": "Relaunch" },
        { "permissions": ["billing.view", "billing.pay"], "until": null, "why": "Invoices" },
        { "permissions": ["support.view"], "until": "2027-02-01T00:00:00Z", "why": "" },
    ])
}

/// What grants open, without what is known of those that somebody holds.
fn opened(grants: &Value) -> Value {
    let mut grants = grants.clone();
    for grant in grants.as_array_mut().unwrap().iter_mut() {
        for name in ["id", "given_by", "given_at"] {
            grant.as_object_mut().unwrap().remove(name).unwrap();
        }
    }
    grants
}

#[apply(on_both!)]
async fn whoever_has_not_come_yet_is_offered_several_grants(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let before = kinds(&system).await.len();
    shop(&system).await;
    let wanted = with(kari(), "grants", several());
    let made = system.put(&path("crm-1"), wanted.clone()).await;
    assert_eq!(made.is(201).body["grants"], several());
    // Twice is once, in whatever order; and what is answered can be sent back.
    let [one, two, three] = [0, 1, 2].map(|index| several()[index].clone());
    let turned = with(kari(), "grants", json!([three, one, two]));
    for body in [wanted.clone(), turned, made.body.clone()] {
        let again = system.put(&path("crm-1"), body).await;
        assert_eq!((again.is(200).etag(), &again.body), (made.etag(), &made.body));
    }
    let read = system.get(&path("crm-1")).await;
    assert_eq!((read.is(200).etag(), &read.body), (made.etag(), &made.body));
    assert!(items(&system.get(MEMBERS).await).contains(&made.body));
    let invitations = items(&system.get("/accounts/id:100001/invitations").await);
    let waiting = invitations.iter().find(|one| one["email"] == KARI).unwrap();
    assert_eq!(waiting["grants"], several());
    assert_eq!(kinds(&system).await[before + 1..], ["invitation.sent"]);

    // Fewer are fewer, and more are more.
    let fewer = system.put(&path("crm-1"), with(kari(), "grants", json!([two]))).await;
    assert_eq!(fewer.is(200).body["grants"], json!([two]));
    assert_ne!(fewer.etag(), made.etag());
    assert_eq!(system.put(&path("crm-1"), wanted).await.is(200).etag(), made.etag());

    // User management shows all of them; she sees all of them first, and gets them.
    let row = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    let row = row.is(200).row_of(KARI);
    for words in ["Services: see (1 of 5)", "Billing: see and pay", "Support requests: see"] {
        assert!(row.contains(words), "{row}");
    }
    let link = ask_for_link(&app, KARI).await.unwrap();
    let mut browser = app.browser();
    let page = browser.get(&link).await;
    for words in ["see services", "pay invoices", "see support requests"] {
        page.is(200).says(words);
    }
    claim(&mut browser, &link, "Kari Nordmann").await.is(303);
    let claimed = system.get(&path("crm-1")).await;
    assert_eq!(claimed.is(200).body["claimed"], true);
    assert_eq!(opened(&claimed.body["grants"]), several());
    let log = items(&system.get("/accounts/id:100001/activity?limit=200").await);
    let accepted = log.last().unwrap();
    assert_eq!(accepted["kind"], "invitation.accepted");
    for words in ["Webshop", "Relaunch", "Invoices"] {
        assert!(accepted.to_string().contains(words), "{accepted}");
    }
}

#[apply(on_both!)]
async fn of_several_grants_those_are_given_that_open_something_by_then(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    shop(&system).await;
    let made = system.put(&path("crm-1"), with(kari(), "grants", several())).await;
    let since = system.get(MEMBERS).await.body["as_of"].as_str().unwrap().to_owned();
    system.delete("/services/shop").await.is(204);
    let left = system.get(&path("crm-1")).await;
    assert_eq!(left.is(200).body["grants"], json!([several()[1], several()[2]]));
    assert_ne!(left.etag(), made.etag());
    let changed = system.get(&format!("{MEMBERS}?updated_since={since}")).await;
    assert_eq!(items(&changed), std::slice::from_ref(&left.body));

    app.forward_hours(24 * 30);
    // What has ended stays as it was given, and may be sent back.
    assert_eq!(system.put(&path("crm-1"), left.body.clone()).await.is(200).body, left.body);
    let link = ask_for_link(&app, KARI).await.unwrap();
    app.browser().get(&link).await.is(200).says("You will be able to pay invoices.");
    claim(&mut app.browser(), &link, "Kari Nordmann").await.is(303);
    let claimed = system.get(&path("crm-1")).await;
    assert_eq!(opened(&claimed.is(200).body["grants"]), json!([several()[1]]));
}

#[apply(on_both!)]
async fn what_is_offered_instead_replaces_all_of_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    shop(&system).await;
    system.put(&path("crm-1"), with(kari(), "grants", several())).await.is(201);
    let invitations = items(&system.get("/accounts/id:100001/invitations").await);
    let waiting = invitations.iter().find(|one| one["email"] == KARI).unwrap();
    let again = format!("{BAKERY}/users/invite?again={}", waiting["id"].as_str().unwrap());
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&again).await;
    page.is(200).says("offers several things at once");
    let chosen = [("email", KARI), ("permissions[]", "support.view")];
    ingrid.fill_in(&page, "users/invite", &chosen).await.is(303);
    let invitations = items(&system.get("/accounts/id:100001/invitations").await);
    let sent = invitations.iter().find(|one| one["email"] == KARI).unwrap();
    assert_eq!((&sent["state"], sent["grants"].as_array().unwrap().len()), (&json!("pending"), 1));
    assert_eq!(sent["grants"][0]["permissions"], json!(["support.view"]));

    // Sent by mail, all of it is offered.
    system
        .put(&path("crm-2"), {
            let ola = with(kari(), "email", json!("ola@new.example"));
            with(ola, "grants", several())
        })
        .await
        .is(201);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let id = items(&system.get("/accounts/id:100001/invitations").await)[0]["id"].clone();
    assert!(page.row_of("ola@new.example").contains("Invite by mail"));
    let fields = [("account", "100001"), ("invitation", id.as_str().unwrap())];
    ingrid.post(&format!("{BAKERY}/users"), "users/resend", &fields).await.is(303);
    let link = app.invitation_link("ola@new.example").await;
    app.browser().get(&link).await.is(200).says("pay invoices");
    claim(&mut app.browser(), &link, "Ola Nordmann").await.is(303);
    let claimed = system.get(&path("crm-2")).await;
    assert_eq!(opened(&claimed.is(200).body["grants"]), several());
}

#[apply(on_both!)]
async fn members_are_listed_as_they_change(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let list = system.get(MEMBERS).await;
    let count = items(&list).len();
    let since = |answer: &Answer| {
        let as_of = answer.body["as_of"].as_str().unwrap();
        format!("{MEMBERS}?updated_since={as_of}")
    };
    let none = system.get(&since(&list)).await;
    assert!(items(&none).is_empty());
    system.put(&path("crm-1"), kari()).await.is(201);
    let mut bjorn = app.as_person(BJORN).await;
    let profile = [("full_name", "Bjørn Lie Berg"), ("language", "en")];
    bjorn.open_and_fill_in("/profile", "profile/save", &profile).await.is(303);
    let page = system.get(&since(&none)).await;
    let names: Vec<_> = items(&page).iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, [json!("Kari from sales"), json!("Bjørn Lie Berg")]);
    // Being there changes nothing.
    bjorn.get(BAKERY).await.is(200);
    assert!(items(&system.get(&since(&page)).await).is_empty());
    let link = ask_for_link(&app, KARI).await.unwrap();
    assert!(items(&system.get(&since(&page)).await).is_empty());
    claim(&mut app.browser(), &link, "Kari Nordmann").await.is(303);
    let page = system.get(&since(&page)).await;
    assert_eq!((items(&page).len(), &items(&page)[0]["claimed"]), (1, &json!(true)));
    assert_eq!(items(&system.get(MEMBERS).await).len(), count + 1);
}

#[apply(on_both!)]
async fn an_invitation_has_a_state_that_is_told_and_kept_to(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let list = items(&system.get("/accounts/id:100001/invitations").await);
    let one = format!("/accounts/id:100001/invitations/id:{}", list[0]["id"].as_str().unwrap());
    let read = system.get(&one).await;
    assert_eq!(read.is(200).body, list[0]);
    let tag = read.etag();
    system.ask("GET", &one, &[("if-none-match", &tag)], None).await.is(304);
    let stale = [("if-match", "\"0\"")];
    assert_eq!(system.ask("DELETE", &one, &stale, None).await.is(412).kind(), "precondition");
    system.ask("DELETE", &one, &[("if-match", &tag)], None).await.is(204);
    assert_eq!(system.get(&one).await.is(404).kind(), "not-found");
    assert!(read.headers.contains_key(header::ETAG));
}
