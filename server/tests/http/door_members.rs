//! An account's users at the door: what they hold, who is invited, and what stays the owners'.

use axum::http::header;
use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, TOM};
use model::{DoorArea, DoorScope};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};

use crate::door::{Answer, System};
use crate::story::{AGENCY, BAKERY, Browser, TestApp};

const MEMBERS: &str = "/accounts/id:100001/members";
const INVITATIONS: &str = "/accounts/id:100001/invitations";
const ORIGIN: &str = "https://my.provider.example/api/v1";

/// The address of a person at the door.
fn of(person: DemoPerson) -> String {
    format!("{MEMBERS}/{}", person.email)
}

fn holding(grants: Value) -> Value {
    json!({ "grants": grants })
}

/// What pays invoices, for this reason.
fn paying(why: &str) -> Value {
    holding(json!([{ "permissions": ["billing.pay"], "why": why }]))
}

/// A service of the bakery with an id of the provider's.
async fn shop(system: &System) {
    let shop =
        json!({ "account": "id:100001", "name": "Shop", "renews_at": "2027-06-30T12:00:00Z" });
    system.put("/services/shop", shop).await.is(201);
}

/// The kinds of the rows of the bakery's log, the newest last.
async fn log(system: &System) -> Vec<(String, String, String)> {
    let rows = system.get("/accounts/id:100001/activity?limit=200").await;
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = rows.is(200).body["items"].as_array().unwrap().clone();
    rows.iter()
        .map(|row| (text(row, "kind"), text(row, "actor_name"), text(row, "subject_name")))
        .collect()
}

/// How many rows of this kind there are.
async fn logged(system: &System, kind: &str) -> usize {
    log(system).await.iter().filter(|(known, ..)| known == kind).count()
}

async fn opens(browser: &mut Browser, end: &str) -> u16 {
    browser.get(&format!("{BAKERY}{end}")).await.status.as_u16()
}

fn emails(answer: &Answer) -> Vec<String> {
    let items = answer.body["items"].as_array().unwrap();
    items.iter().map(|item| item["email"].as_str().unwrap().to_owned()).collect()
}

#[apply(on_both!)]
async fn an_accounts_users_are_read_with_what_they_hold(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let list = system.get(MEMBERS).await;
    let mut found = emails(list.is(200));
    found.sort();
    let mut everybody = [INGRID, OLAV, AMIRA, BJORN, MEI].map(|person| person.email.to_owned());
    everybody.sort();
    assert_eq!((found.as_slice(), &list.body["next"]), (&everybody[..], &Value::Null));
    // Page by page, in the order of changes.
    let (mut path, mut paged) = (format!("{MEMBERS}?limit=2"), Vec::new());
    loop {
        let page = system.get(&path).await;
        paged.extend(emails(page.is(200)));
        match page.body["next"].as_str() {
            Some(next) => path = next.strip_prefix(ORIGIN).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(paged, emails(&list));
    let cursor = path.split("cursor=").nth(1).unwrap();
    let elsewhere = system.get(&format!("{INVITATIONS}?cursor={cursor}")).await;
    assert_eq!(elsewhere.is(400).faults(), ["cursor malformed"]);
    let since = system.get(&format!("{MEMBERS}?updated_since=yesterday")).await;
    assert_eq!(since.is(400).faults(), ["updated_since malformed"]);

    let ingrid = system.get(&of(INGRID)).await;
    assert_eq!((&ingrid.is(200).body["owner"], &ingrid.body["grants"]), (&json!(true), &json!([])));
    let bjorn = system.get(&of(BJORN)).await;
    let grant = &bjorn.is(200).body["grants"][0];
    assert_eq!(grant["permissions"], json!(["billing.view", "billing.pay"]));
    assert_eq!(grant["given_by"], json!(app.id_of(INGRID).await));
    assert_eq!((&bjorn.body["name"], &grant["until"]), (&json!("Bjørn Lie"), &Value::Null));
    assert!(grant.get("services").is_none() && bjorn.body.get("invite").is_none());
    let mei = system.get(&of(MEI)).await;
    assert_eq!(mei.body["grants"][0]["services"], "all");
    // By our id, and by an address however it is written.
    let id = app.id_of(BJORN).await;
    for name in [format!("id:{id}"), BJORN.email.to_uppercase(), "bj%C3%B8rn".to_owned()] {
        let answer = system.get(&format!("{MEMBERS}/{name}")).await;
        match name.contains("%C3") {
            true => assert_eq!(answer.is(404).kind(), "not-found"),
            false => assert_eq!(answer.is(200).body, bjorn.body),
        }
    }
    let known = [("if-none-match", bjorn.headers[header::ETAG].to_str().unwrap())];
    let unchanged = system.ask("GET", &of(BJORN), &known, None).await;
    assert_eq!((unchanged.is(304).etag(), &unchanged.body), (bjorn.etag(), &Value::Null));
}

#[apply(on_both!)]
async fn what_is_put_is_held_whole_and_at_the_next_request(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    shop(&system).await;
    let mut mei = app.as_person(MEI).await;
    assert_eq!((opens(&mut mei, "/domains").await, opens(&mut mei, "/support").await), (200, 403));
    let before = app.mails_to(MEI.email).await.len();
    let wanted = holding(json!([
        { "permissions": ["services.manage"], "services": ["shop"], "why": "For the shop",
          "until": "2027-06-30T22:00:00Z" },
        { "permissions": ["support.view"] },
    ]));
    let put = system.put(&of(MEI), wanted.clone()).await;
    assert_eq!(put.is(200).body["grants"].as_array().unwrap().len(), 2);
    let grant = &put.body["grants"][0];
    assert_eq!(grant["permissions"], json!(["services.view", "services.manage"]));
    assert_eq!(
        (&grant["services"], &grant["until"], &grant["given_by"]),
        (&json!(["shop"]), &json!("2027-06-30T22:00:00Z"), &Value::Null)
    );
    assert_eq!((opens(&mut mei, "/domains").await, opens(&mut mei, "/support").await), (403, 200));
    let services = mei.get(&format!("{BAKERY}/services")).await;
    assert!(services.is(200).body.contains("Shop") && !services.body.contains("Webshop"));
    let mails = app.mails_to(MEI.email).await;
    assert_eq!((mails.len(), mails[0]), (before + 1, "permissions_changed"));
    let changes = logged(&system, "permissions.changed").await;
    let rows = log(&system).await;
    let last = rows.iter().rev().find(|(kind, ..)| kind == "permissions.changed").unwrap();
    assert_eq!((last.1.as_str(), last.2.as_str()), ("Latchkey (Control panel)", "Mei Tanaka"));

    // Twice is once, and what is answered can be sent back.
    for body in [wanted.clone(), put.body.clone()] {
        let again = system.put(&of(MEI), body).await;
        assert_eq!((again.is(200).etag(), &again.body), (put.etag(), &put.body));
    }
    assert_eq!(logged(&system, "permissions.changed").await, changes);
    assert_eq!(app.mails_to(MEI.email).await.len(), before + 1);

    // A grant that is named stays the same grant; one that isn't there any more is gone.
    let mut grants = put.body["grants"].clone();
    grants[0]["why"] = json!("For the shop, and more");
    let kept = json!([grants[0]]);
    let changed = system.patch(&of(MEI), json!({ "grants": kept })).await;
    let own = &changed.is(200).body["grants"];
    assert_eq!((own.as_array().unwrap().len(), &own[0]["id"]), (1, &put.body["grants"][0]["id"]));
    assert_eq!(own[0]["why"], "For the shop, and more");
    assert_eq!(opens(&mut mei, "/support").await, 403);
    // A reach without the thing that is gone.
    system.delete("/services/shop").await.is(204);
    let left = system.get(&of(MEI)).await;
    assert_ne!(left.is(200).etag(), changed.etag());
}

#[apply(on_both!)]
async fn what_cannot_be_held_is_refused_by_its_place(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    shop(&system).await;
    let other =
        json!({ "account": "id:100002", "name": "Other", "renews_at": "2027-06-30T12:00:00Z" });
    let other = system.put("/services/other", other).await;
    let others = format!("id:{}", other.is(201).body["id"].as_str().unwrap());
    let before = system.get(&of(BJORN)).await;
    let many = vec![json!({ "permissions": ["billing.view"] }); 51];
    let long = "x".repeat(201);
    for (body, faults) in [
        (json!({}), &["/grants missing"][..]),
        (holding(json!([])), &["/grants missing"]),
        (holding(json!({})), &["/grants wrong_type"]),
        (holding(json!(many)), &["/grants too_many"]),
        (holding(json!([7])), &["/grants/0 wrong_type"]),
        (holding(json!([{}])), &["/grants/0/permissions missing"]),
        (
            json!({ "grants": [{ "permissions": ["billing.view", "billing.steal", 1],
                "until": "tomorrow", "why": long, "colour": 1, "id": "x" }],
                "owner": "no", "invite": "later", "name": "Bo", "more": 1 }),
            &[
                "/owner wrong_type",
                "/grants/0/permissions/1 unknown",
                "/grants/0/permissions/2 unknown",
                "/grants/0/id malformed",
                "/grants/0/until malformed",
                "/grants/0/why too_long",
                "/grants/0/colour unknown_field",
                "/invite unknown",
                "/more unknown_field",
            ],
        ),
        (
            holding(json!([{ "permissions": ["services.view"], "domains": "all" }])),
            &["/grants/0/services missing", "/grants/0/domains without_permission"],
        ),
        (
            holding(json!([{ "permissions": ["services.view"], "services": [] }])),
            &["/grants/0/services missing"],
        ),
        (
            holding(json!([{ "permissions": ["services.view"], "services": "some" }])),
            &["/grants/0/services wrong_type"],
        ),
        (
            holding(json!([{ "permissions": ["services.view"], "services": ["shop", 7, "id:x"] }])),
            &["/grants/0/services/1 malformed", "/grants/0/services/2 malformed"],
        ),
        // Of another account, or of none.
        (
            holding(json!([
                { "permissions": ["billing.view"] },
                { "permissions": ["services.view"], "services": ["shop", "other"] },
            ])),
            &["/grants/1/services/1 unknown"],
        ),
        (
            holding(json!([{ "permissions": ["services.view"], "services": [others] }])),
            &["/grants/0/services/0 unknown"],
        ),
        (
            holding(json!([{ "permissions": ["domains.view"], "domains": ["shop"] }])),
            &["/grants/0/domains/0 unknown"],
        ),
        (
            holding(json!([{ "permissions": ["billing.view"], "until": "2027-01-15T08:00:00Z" }])),
            &["/grants/0/until out_of_range"],
        ),
        (
            holding(json!([{ "permissions": ["billing.view"], "until": "2037-02-01T00:00:00Z" }])),
            &["/grants/0/until out_of_range"],
        ),
        (
            holding(json!([{ "permissions": ["billing.view"],
                "id": "00000000-0000-0000-0000-000000000001" }])),
            &["/grants/0/id unknown"],
        ),
        (
            holding(
                json!([{ "permissions": ["billing.view"], "given_at": "2027-01-15T08:00:00Z" }]),
            ),
            &["/grants/0/given_at read_only"],
        ),
        (
            json!({ "owner": true, "grants": [{ "permissions": ["billing.view"] }] }),
            &["/grants with_owner"],
        ),
    ] {
        let mut found = system.put(&of(BJORN), body.clone()).await.is(422).faults();
        let mut expected: Vec<_> = faults.iter().map(|fault| (*fault).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{body}");
    }
    assert_eq!(system.get(&of(BJORN)).await.body, before.body);
}

#[apply(on_both!)]
async fn whoever_is_taken_out_finds_no_account_and_hears_of_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let mut bjorn = app.as_person(BJORN).await;
    let told = system.delete(&format!("{}?dry_run=true", of(BJORN))).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["before"]["name"], &told.body["after"]),
        (&json!("deleted"), &json!("Bjørn Lie"), &Value::Null)
    );
    assert_eq!(opens(&mut bjorn, "").await, 200);
    system.delete(&of(BJORN)).await.is(204);
    assert_eq!(opens(&mut bjorn, "").await, 404);
    assert_eq!(app.mails_to(BJORN.email).await[0], "access_removed");
    let last = log(&system).await.pop().unwrap();
    let (kind, actor, subject) = (last.0.as_str(), last.1.as_str(), last.2.as_str());
    assert_eq!((kind, actor, subject), ("access.removed", "Latchkey (Control panel)", "Bjørn Lie"));
    system.delete(&of(BJORN)).await.is(404);
    system.get(&of(BJORN)).await.is(404);
    system.patch(&of(BJORN), paying("")).await.is(404);
}

#[apply(on_both!)]
async fn owners_stay_unless_it_is_said_and_one_always_does(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    // Nothing that is said of others changes what an owner holds.
    let stays = system.put(&of(OLAV), paying("")).await;
    assert_eq!(stays.is(422).faults(), ["/owner owner_stays"]);
    let less = json!({ "owner": false, "grants": paying("")["grants"] });
    let stays = system.patch(&of(OLAV), less).await;
    assert_eq!(stays.is(422).faults(), ["/owner owner_stays"]);
    assert_eq!(system.delete(&of(OLAV)).await.is(422).faults(), ["/owner owner_stays"]);
    let same = system.put(&of(OLAV), json!({ "owner": true })).await;
    assert_eq!(same.is(200).body["owner"], true);
    assert_eq!(logged(&system, "owner.added_by_provider").await, 0);

    // Whoever becomes one holds everything, and every owner is told.
    let told = system.patch(&format!("{}?dry_run=true", of(BJORN)), json!({ "owner": true })).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["after"]["owner"]),
        (&json!("changed"), &json!(true))
    );
    let mut bjorn = app.as_person(BJORN).await;
    assert_eq!(opens(&mut bjorn, "/users").await, 403);
    let made = system.patch(&of(BJORN), json!({ "owner": true })).await;
    assert_eq!((&made.is(200).body["owner"], &made.body["grants"]), (&json!(true), &json!([])));
    assert_eq!(opens(&mut bjorn, "/users").await, 200);
    for person in [INGRID, OLAV, BJORN] {
        assert_eq!(app.mails_to(person.email).await[0], "owners_changed_by_provider");
    }
    let last = log(&system).await.pop().unwrap();
    assert_eq!(
        (last.0.as_str(), last.1.as_str()),
        ("owner.added_by_provider", "Latchkey (Control panel)")
    );

    for person in [INGRID, OLAV] {
        system.delete(&format!("{}?owner=true", of(person))).await.is(204);
        assert_eq!(app.mails_to(person.email).await[0], "owners_changed_by_provider");
    }
    let last_owner = system.delete(&format!("{}?owner=true", of(BJORN))).await;
    assert_eq!(last_owner.is(422).faults(), ["/owner last_owner"]);
    assert_eq!(opens(&mut bjorn, "/users").await, 200);
    let wrong = system.delete(&format!("{}?owner=maybe", of(BJORN))).await;
    assert_eq!(wrong.is(400).faults(), ["owner malformed"]);
}

#[apply(on_both!)]
async fn whoever_is_not_in_the_account_is_invited_if_that_is_said(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    shop(&system).await;
    let (kari, tom) = ("kari@new.example", of(TOM));
    let sent = logged(&system, "invitation.sent").await;
    let path = format!("{MEMBERS}/{kari}");
    // Whether somebody has a login is told to nobody: it waits for them.
    for path in [&path, &tom] {
        let answer = system.put(&format!("{path}?dry_run=true"), paying("")).await;
        assert_eq!(answer.is(200).body["after"]["claimed"], false);
    }
    assert!(app.mails_to(kari).await.is_empty());
    let id = format!("{MEMBERS}/id:{}", app.id_of(TOM).await);
    let mut wanted = holding(json!([{ "permissions": ["services.manage"], "services": ["shop"],
        "until": "2027-06-30T22:00:00Z", "why": "For the shop" }]));
    wanted["invite"] = json!("now");
    system.put(&id, wanted.clone()).await.is(404);
    let told = system.put(&format!("{path}?dry_run=true"), wanted.clone()).await;
    assert_eq!(
        (&told.is(200).body["outcome"], &told.body["after"]["email"]),
        (&json!("created"), &json!(kari))
    );
    assert!(app.mails_to(kari).await.is_empty());

    let offered = system.put(&path, wanted.clone()).await;
    let grant = &offered.is(202).body["grants"][0];
    assert_eq!(
        (&grant["permissions"], &grant["services"], &grant["why"]),
        (&json!(["services.view", "services.manage"]), &json!(["shop"]), &json!("For the shop"))
    );
    assert_eq!(
        (&offered.body["state"], &offered.body["invited_by"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!(app.mails_to(kari).await, ["invitation"]);
    system.get(&path).await.is(404);
    // Twice is once: no second mail, and the link stays good.
    assert_eq!(system.put(&path, wanted.clone()).await.is(202).body, offered.body);
    assert_eq!(app.mails_to(kari).await.len(), 1);
    // Something else takes its place.
    let mut more = paying("Also invoices");
    more["invite"] = json!("now");
    let changed = system.put(&path, more.clone()).await;
    assert_eq!(changed.is(202).body["id"], offered.body["id"]);
    let list = system.get(INVITATIONS).await;
    assert_eq!(list.is(200).body["items"][0]["grants"][0]["why"], "Also invoices");

    // They join, and hold exactly that.
    let link = app.invitation_link(kari).await;
    let fields = [("full_name", "Kari Nordmann"), ("password", "a password of theirs")];
    let form = "invitations/join-with-new-login";
    app.browser().open_and_fill_in(&link, form, &fields).await.is(303);
    let joined = system.get(&path).await;
    assert_eq!(joined.is(200).body["name"], "Kari Nordmann");
    let grants = &joined.body["grants"];
    assert_eq!(grants[0]["permissions"], json!(["billing.view", "billing.pay"]));
    // Whoever is in the account is invited to nothing.
    let same = system.put(&path, more).await;
    assert_eq!(same.is(200).body, joined.body);
    assert_eq!(logged(&system, "invitation.sent").await, sent + 1);
}

#[apply(on_both!)]
async fn an_invitation_keeps_to_the_accounts_rules(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let invited = |mut body: Value| {
        body["invite"] = json!("now");
        body
    };
    let path = format!("{MEMBERS}/kari@new.example");
    let two =
        holding(json!([{ "permissions": ["billing.view"] }, { "permissions": ["support.view"] }]));
    let told = system.put(&format!("{path}?dry_run=true"), invited(two)).await;
    assert_eq!(told.is(200).body["after"]["grants"].as_array().unwrap().len(), 2);
    let past =
        holding(json!([{ "permissions": ["billing.view"], "until": "2027-01-01T00:00:00Z" }]));
    let past = system.put(&path, invited(past)).await;
    assert_eq!(past.is(422).faults(), ["/grants/0/until out_of_range"]);
    let policy = format!("{BAKERY}/policy");
    let domains = [("domains", "nordlys.example")];
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.open_and_fill_in(&policy, "policies/limit-domains", &domains).await.is(303);
    let other = system.put(&path, invited(paying(""))).await;
    assert_eq!(other.is(422).faults(), ["member other_domain"]);
    assert!(app.mails_to("kari@new.example").await.is_empty());

    // As an owner, which the owners are told of.
    let path = format!("{MEMBERS}/kari@nordlys.example");
    let offered = system.put(&path, json!({ "owner": true, "invite": "now" })).await;
    assert_eq!(
        (&offered.is(202).body["owner"], &offered.body["grants"]),
        (&json!(true), &json!([]))
    );
    for person in [INGRID, OLAV] {
        assert_eq!(app.mails_to(person.email).await[0], "owners_changed_by_provider");
    }
    assert_eq!(app.mails_to("kari@nordlys.example").await, ["invitation"]);
}

#[apply(on_both!)]
async fn invitations_are_read_and_taken_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let list = system.get(INVITATIONS).await;
    let found = emails(list.is(200));
    assert_eq!(found, ["post@regnskap.example", "sommer@nordlys.example"]);
    let states: Vec<_> =
        list.body["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [json!("pending"), json!("expired")]);
    assert_eq!(list.body["items"][0]["invited_by_name"], "Ingrid Solberg");
    let first = system.get(&format!("{INVITATIONS}?limit=1")).await;
    let next = first.is(200).body["next"].as_str().unwrap().strip_prefix(ORIGIN).unwrap();
    assert_eq!(emails(&system.get(next).await), ["sommer@nordlys.example"]);

    let link = app.invitation_link("post@regnskap.example").await;
    let path = format!("{INVITATIONS}/id:{}", list.body["items"][0]["id"].as_str().unwrap());
    let told = system.delete(&format!("{path}?dry_run=true")).await;
    assert_eq!(told.is(200).body["before"]["email"], "post@regnskap.example");
    app.browser().get(&link).await.is(200);
    system.delete(&path).await.is(204);
    assert_eq!(app.browser().get(&link).await.status, 410);
    assert_eq!(emails(&system.get(INVITATIONS).await), ["sommer@nordlys.example"]);
    let last = log(&system).await.pop().unwrap();
    assert_eq!(
        (last.0.as_str(), last.1.as_str(), last.2.as_str()),
        ("invitation.cancelled", "Latchkey (Control panel)", "post@regnskap.example")
    );
    for path in [path, format!("{INVITATIONS}/x"), format!("{INVITATIONS}/id:100001")] {
        assert_eq!(system.delete(&path).await.is(404).kind(), "not-found");
    }
}

#[apply(on_both!)]
async fn a_token_opens_its_scope_and_its_account_also_here(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let reads = [DoorArea::Members.read()].into_iter().collect();
    let reader = System::with(&app, reads, None).await;
    reader.get(MEMBERS).await.is(200);
    reader.get(INVITATIONS).await.is(200);
    let others = DoorScope::all().filter(|scope| !scope.to_string().starts_with("members"));
    let other = System::with(&app, others.collect(), None).await;
    let none = format!("{INVITATIONS}/id:{}", app.id_of(BJORN).await);
    for answer in [
        reader.put(&of(BJORN), paying("")).await,
        reader.patch(&of(BJORN), paying("")).await,
        reader.delete(&of(BJORN)).await,
        reader.delete(&none).await,
        other.get(MEMBERS).await,
        other.get(&of(BJORN)).await,
        other.get(INVITATIONS).await,
    ] {
        assert_eq!(answer.is(403).kind(), "scope");
    }
    let bound = System::with(&app, DoorScope::all().collect(), Some(100_002)).await;
    bound.get("/accounts/id:100002/members").await.is(200);
    for account in ["id:100001", "id:7"] {
        let members = format!("/accounts/{account}/members");
        let bjorn = format!("{members}/{}", BJORN.email);
        for answer in [
            bound.get(&members).await,
            bound.get(&bjorn).await,
            bound.put(&bjorn, paying("")).await,
            bound.patch(&bjorn, paying("")).await,
            bound.delete(&bjorn).await,
            bound.get(&format!("/accounts/{account}/invitations")).await,
            bound.delete(&none.replace("id:100001", account)).await,
        ] {
            assert_eq!(answer.is(404).kind(), "not-found");
        }
    }
    // Somebody of another account isn't there by our id of them.
    let id = app.id_of(BJORN).await;
    let path = format!("/accounts/id:100002/members/id:{id}");
    for answer in [bound.get(&path).await, bound.put(&path, paying("")).await] {
        assert_eq!(answer.is(404).kind(), "not-found");
    }
    app.as_person(BJORN).await.get(&format!("{AGENCY}/billing")).await.is(404);
}

#[apply(on_both!)]
async fn what_changed_meanwhile_is_not_written_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let tag = system.get(&of(BJORN)).await.etag();
    let as_read = [("if-match", tag.as_str())];
    let mut ingrid = app.as_person(INGRID).await;
    let page = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let fields = [("permissions[]", "support.view")];
    ingrid.open_and_fill_in(&page, "users/change-permissions", &fields).await.is(303);
    for method in ["PUT", "PATCH"] {
        let answer = system.ask(method, &of(BJORN), &as_read, paying("")).await;
        assert_eq!(answer.is(412).kind(), "precondition");
    }
    let answer = system.ask("DELETE", &of(BJORN), &as_read, None).await;
    assert_eq!(answer.is(412).kind(), "precondition");
    let new = [("if-none-match", "*")];
    system.ask("PUT", &of(BJORN), &new, paying("")).await.is(412);
    let tag = system.get(&of(BJORN)).await.etag();
    system.ask("PUT", &of(BJORN), &[("if-match", &tag)], paying("")).await.is(200);
}

#[apply(on_both!)]
async fn the_provider_and_somebody_on_a_page_change_one_person_at_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (path, bjorn) = (format!("{BAKERY}/users/{}", app.id_of(BJORN).await), of(BJORN));
    for round in 0..5 {
        let tag = system.get(&of(BJORN)).await.etag();
        let page = ingrid.get(&path).await;
        let why = format!("Round {round}");
        let fields = [("permissions[]", "billing.view"), ("why", why.as_str())];
        let as_read = [("if-match", tag.as_str())];
        let (by_provider, on_page) = tokio::join!(
            system.ask("PUT", &bjorn, &as_read, paying(&why)),
            ingrid.fill_in(&page, "users/change-permissions", &fields)
        );
        // One was first, and the other is told so.
        let statuses = (by_provider.status.as_u16(), on_page.status.as_u16());
        let grants = system.get(&of(BJORN)).await.body["grants"].clone();
        assert_eq!(grants.as_array().unwrap().len(), 1);
        let pays = grants[0]["permissions"] == json!(["billing.view", "billing.pay"]);
        match statuses {
            (200, 409) => assert!(pays, "{grants}"),
            (412, 303) => assert!(!pays, "{grants}"),
            _ => panic!("{statuses:?}"),
        }
        // As it was, for the next round.
        system.put(&of(BJORN), paying("Between")).await.is(200);
    }
}

#[apply(on_both!)]
async fn of_owners_who_are_taken_out_at_once_one_stays(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let (ingrid, olav) = (format!("{}?owner=true", of(INGRID)), format!("{}?owner=true", of(OLAV)));
    let (one, other) = tokio::join!(system.delete(&ingrid), system.delete(&olav));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422]);
    let list = system.get(MEMBERS).await;
    let owners = list.body["items"].as_array().unwrap().iter();
    assert_eq!(owners.filter(|member| member["owner"] == true).count(), 1);
}
