//! Leaving a login: what it would do, doing it, and having what is known of one.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PASSWORD, TOM};
use model::Mail;
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

const PATH: &str = "/profile/delete";
const DELETE: &str = "profile/delete";
const DATA: &str = "/profile/data.json";

async fn delete(browser: &mut Browser, person: DemoPerson) -> Page {
    browser.post(PATH, DELETE, &[("email", person.email)]).await
}

async fn is_there(app: &TestApp, person: DemoPerson) -> bool {
    let email = model::EmailAddress::parse(person.email).unwrap();
    app.latchkey.store.login(&email).await.unwrap().is_some()
}

async fn data(browser: &mut Browser) -> Value {
    serde_json::from_str(&browser.get(DATA).await.is(200).body).unwrap()
}

#[apply(on_both!)]
async fn a_login_is_deleted_by_whoever_types_its_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut elsewhere = app.as_person(BJORN).await;
    let mut bjorn = app.as_person(BJORN).await;
    let profile = bjorn.get("/profile").await;
    profile.is(200).says("Delete your login");
    assert!(profile.body.contains("href=\"/profile/delete\""));
    let page = bjorn.get(PATH).await;
    page.is(200).says("Your login bjorn@ledger.example is deleted for good");
    page.says("Nordlys Bakeri AS");
    page.says("Your access ends");
    page.says("Delete my login");
    for (typed, problem) in [
        ("", "Enter the email address"),
        ("bjorn", "Enter one email address"),
        (TOM.email, "This isn't the email address of your login"),
    ] {
        let page = bjorn.post(PATH, DELETE, &[("email", typed)]).await;
        page.is(422).says(problem);
        assert!(page.input("name=\"email\"").contains(&format!("value=\"{typed}\"")));
    }
    assert!(is_there(&app, BJORN).await);

    // As people type it.
    let answer = bjorn.open_and_fill_in(PATH, DELETE, &[("email", " Bjorn@Ledger.Example ")]).await;
    answer.is(303);
    assert_eq!(answer.leads_to(), "/sign-in");
    let page = bjorn.go_on(&answer).await;
    page.is(200).says("Your login was deleted");
    for browser in [&mut bjorn, &mut elsewhere] {
        browser.get(BAKERY).await.is(302);
        browser.get(DATA).await.is(302);
        delete(browser, BJORN).await.is(401);
    }
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(422);
    assert_eq!(app.mails_to(BJORN.email).await, ["login_deleted"]);

    let mut ingrid = app.as_person(INGRID).await;
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!users.is(200).body.contains("Bjørn") && !users.body.contains("ledger.example"));
    let log = ingrid.get(&format!("{BAKERY}/log?kind=account.left_with_login")).await;
    log.is(200).says("Left by deleting their login");
    log.says("Bjørn Lie");
    // The address is free: whoever comes to have it is somebody else.
    ingrid.invite(BJORN.email, &["billing.view"]).await.is(303);
    let link = app.invitation_link(BJORN.email).await;
    app.browser().get(&link).await.is(200).says("Create login and join");
}

#[apply(on_both!)]
async fn the_only_owner_hands_over_first(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    let page = mei.get(PATH).await;
    page.is(200).says("You are its only owner: hand it over first");
    page.says("As long as you are the only owner of an account, your login can't be deleted");
    assert!(page.body.contains(&format!("href=\"{AGENCY}/users\"")));
    assert!(!page.body.contains(&format!("href=\"{BAKERY}/users\"")), "others own that");
    assert!(!page.body.contains("value=\"profile/delete\""));
    let page = delete(&mut mei, MEI).await;
    page.is(409)
        .says("Nobody else who can sign in there owns Fjord & Pixel, so your login wasn't deleted");
    assert!(is_there(&app, MEI).await);
    mei.get(AGENCY).await.is(200);
}

#[apply(on_both!)]
async fn an_owner_beside_another_leaves_with_their_login(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut olav = app.as_person(OLAV).await;
    olav.get(PATH).await.is(200).says("Your access ends; 1 other owner remains");
    delete(&mut olav, OLAV).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let told = mails.iter().any(|kept| {
        kept.to.as_str() == INGRID.email
            && matches!(&kept.mail, Mail::OwnerNews { news: model::OwnerNews::Left, .. })
    });
    assert!(told, "{mails:?}");
    ingrid.get(PATH).await.is(200).says("You are its only owner");
    delete(&mut ingrid, INGRID).await.is(409);
    ingrid.get(BAKERY).await.is(200);
}

#[apply(on_both!)]
async fn of_the_last_two_owners_who_leave_at_once_one_stays(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let (one, other) = tokio::join!(delete(&mut ingrid, INGRID), delete(&mut olav, OLAV));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert!(is_there(&app, INGRID).await != is_there(&app, OLAV).await);
}

#[apply(on_both!)]
async fn one_owner_deletes_their_login_while_the_other_leaves_and_one_stays(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let path = format!("{BAKERY}/leave");
    let fields = [("account", "100001")];
    let leaving = olav.post(&path, "account/leave", &fields);
    let (one, other) = tokio::join!(delete(&mut ingrid, INGRID), leaving);
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
}

#[apply(on_both!)]
async fn deleting_a_login_takes_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    app.forward_hours(1);
    bjorn.get(PATH).await.is(200);
    let page = delete(&mut bjorn, BJORN).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.email"), BJORN.email);
    assert!(is_there(&app, BJORN).await);
    let kept =
        |password| [("password", password), ("kept_form", DELETE), ("kept.email", BJORN.email)];
    bjorn.post(PATH, "sign-in/confirm", &kept("not the password")).await.is(422);
    assert!(is_there(&app, BJORN).await);
    let page = bjorn.submit(PATH, "sign-in/confirm", &kept(PASSWORD)).await;
    page.is(200).says("Your login was deleted");
    assert!(!is_there(&app, BJORN).await);
}

#[apply(on_both!)]
async fn whoever_has_a_second_factor_proves_by_it_that_they_leave(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    app.forward_hours(1);
    let page = delete(&mut bjorn, BJORN).await;
    page.is(401);
    let password = [("password", PASSWORD), ("kept_form", DELETE), ("kept.email", BJORN.email)];
    bjorn.post(PATH, "sign-in/confirm", &password).await;
    assert!(is_there(&app, BJORN).await, "a password alone deletes nothing");
    let code = app.next_code(&key);
    let code = [
        ("by", "code"),
        ("code", code.as_str()),
        ("takes_factor", "true"),
        ("kept_form", DELETE),
        ("kept.email", BJORN.email),
    ];
    let page = bjorn.submit(PATH, "sign-in/confirm-by-factor", &code).await;
    page.is(200).says("Your login was deleted");
    assert!(!is_there(&app, BJORN).await);
}

#[apply(on_both!)]
async fn invitations_by_whoever_left_open_nothing_more(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@x.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@x.example").await;
    app.browser().get(&link).await.is(200).says("Amira Haddad");
    delete(&mut amira, AMIRA).await.is(303);
    app.browser().get(&link).await.is(410);
    let mut ingrid = app.as_person(INGRID).await;
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!users.body.contains("kari@x.example") && !users.body.contains("Amira"));
    let log = ingrid.get(&format!("{BAKERY}/log?kind=invitation.cancelled")).await;
    log.says("kari@x.example");
    log.says("Amira Haddad");
}

#[apply(on_both!)]
async fn the_last_mail_says_from_where_and_names_no_link(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut tom = app.as_person(TOM).await;
    delete(&mut tom, TOM).await.is(303);
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mails: Vec<_> = mails.iter().filter(|mail| mail.to.as_str() == TOM.email).collect();
    let [last] = mails[..] else { panic!("{mails:?}") };
    assert!(matches!(&last.mail, Mail::LoginDeleted { address, .. } if address == "192.0.2.1"));
    let mut browser = app.browser();
    let text = browser.get(&format!("/demo/mailbox/{}", last.id)).await;
    text.is(200).says("was deleted");
    text.says("192.0.2.1");
    text.says("If that wasn't you, tell us and the owners of your accounts at once");
}

#[apply(on_both!)]
async fn one_is_told_all_that_is_known_of_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let ask = [("account", "100001"), ("permission", "domains.view"), ("why", "Names")];
    let path = format!("{BAKERY}/ask");
    bjorn.post(&path, "access-requests/ask", &ask).await.is(303);
    let file = bjorn.get(DATA).await;
    file.is(200);
    assert_eq!(file.headers["content-type"], "application/json");
    assert_eq!(file.headers["cache-control"], "no-store");
    let name = file.headers["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"latchkey-about-me-20"), "{name}");
    assert!(name.ends_with(".json\""), "{name}");
    let known: Value = serde_json::from_str(&file.body).unwrap();
    let keys: Vec<_> = known.as_object().unwrap().keys().cloned().collect();
    let mut expected = vec![
        "format",
        "provider",
        "made_at",
        "login",
        "sessions",
        "accounts",
        "invitations_received",
        "invitations_sent",
        "access_requests",
        "owner_changes",
        "reports",
        "mails",
        "log",
    ];
    let mut sorted = keys.clone();
    sorted.sort();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(known["format"], 2);
    assert_eq!(known["login"]["email"], BJORN.email);
    assert_eq!(known["login"]["full_name"], BJORN.name);
    assert_eq!(known["login"]["id"], app.id_of(BJORN).await);
    assert_eq!(known["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(known["sessions"][0]["address"], "192.0.2.1");
    assert_eq!(known["sessions"][0]["present"], true);
    let [bakery] = &known["accounts"].as_array().unwrap()[..] else { panic!("{known}") };
    assert_eq!(
        (&bakery["number"], &bakery["name"]),
        (&json!("100001"), &json!("Nordlys Bakeri AS"))
    );
    assert_eq!(bakery["invited_by"], INGRID.name);
    assert_eq!(bakery["grants"][0]["permissions"], json!(["billing.view", "billing.pay"]));
    assert_eq!(bakery["grants"][0]["services"], json!([]));
    assert_eq!(bakery["grants"][0]["given_by"], INGRID.name);
    assert_eq!(known["invitations_received"][0]["state"], "accepted");
    assert_eq!(known["access_requests"][0]["permission"], "domains.view");
    assert_eq!(known["access_requests"][0]["why"], "Names");
    let kinds = |list: &Value| -> Vec<String> {
        let rows = list.as_array().unwrap().iter();
        rows.map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&known["log"]), ["invitation.accepted", "access.requested"]);
    assert!(kinds(&known["mails"]).contains(&"permissions_changed".to_owned()));
    let at = known["log"][0]["at"].as_str().unwrap();
    assert!(at.contains('T') && at.ends_with('Z'), "{at}");

    // Nothing secret, and of others no more than they were told.
    for absent in ["argon2", "password", "token", "secret", "amira", "olav", "@nordlys.example"] {
        assert!(!file.body.to_lowercase().contains(absent), "{absent}");
    }
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@x.example", &["billing.view"]).await.is(303);
    let known = data(&mut amira).await;
    assert_eq!(known["invitations_sent"][0]["email"], "kari@x.example");
    assert_eq!(known["login"]["full_name"], AMIRA.name);
    assert!(!known.to_string().contains("Bjørn"));
}

#[apply(on_both!)]
async fn whoever_looks_through_other_eyes_is_told_of_themselves(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let bjorn = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{bjorn}");
    let look = [("account", "100001"), ("user", bjorn.as_str())];
    ingrid.post(&path, "eyes/begin", &look).await.is(303);
    let known = data(&mut ingrid).await;
    assert_eq!(known["login"]["full_name"], INGRID.name);
    assert_eq!(known["login"]["email"], INGRID.email);
}

#[apply(on_both!)]
async fn what_is_known_is_told_to_nobody_else(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let answer = app.browser().get(DATA).await;
    answer.is(302);
    assert_eq!(answer.leads_to(), "/sign-in?next=/profile");
    app.browser().get(PATH).await.is(302);
    delete(&mut app.browser(), BJORN).await.is(401);
    assert!(is_there(&app, BJORN).await);
}
