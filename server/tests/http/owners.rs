//! Owners: they are made, hand over and step down, and whoever owns the account can stop it in time.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PASSWORD, TOM};
use model::{Mail, OwnerNews, OwnerNewsReader, PermissionSet, Terms};
use serde_json::Value;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

const NEW_PASSWORD: &str = "three small grey boats";

/// The application, in which nobody is signed out as long as they wait.
async fn open(db: TestDatabase) -> TestApp {
    TestApp::with(db, &[("SESSION_IDLE_HOURS", "200")]).await
}

async fn page_of(app: &TestApp, person: DemoPerson) -> String {
    format!("{BAKERY}/users/{}", app.id_of(person).await)
}

/// Asks somebody to become an owner, by the page that does so.
async fn ask(app: &TestApp, owner: &mut Browser, person: DemoPerson) -> Page {
    let path = format!("{}/owner", page_of(app, person).await);
    owner.open_and_fill_in(&path, "owners/make", &[]).await
}

/// Wants to hand the account to somebody, with these fields besides.
async fn hand(
    app: &TestApp,
    owner: &mut Browser,
    person: DemoPerson,
    fields: &[(&str, &str)],
) -> Page {
    let path = format!("{}/hand-over", page_of(app, person).await);
    owner.open_and_fill_in(&path, "owners/hand-over", fields).await
}

/// The path of the page about the newest change that somebody is told of.
async fn told_page(app: &TestApp, person: DemoPerson) -> String {
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mut mails = mails.iter().filter(|kept| kept.to.as_str() == person.email);
    let change = mails.find_map(|kept| match &kept.mail {
        Mail::OwnerNews { change, .. } => *change,
        _ => None,
    });
    format!("{BAKERY}/owners/{}", change.expect("a mail about owners"))
}

/// What somebody was told about owners, newest first.
async fn news_to(app: &TestApp, person: DemoPerson) -> Vec<(OwnerNewsReader, OwnerNews)> {
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mails = mails.into_iter().filter(|kept| kept.to.as_str() == person.email);
    let news = mails.filter_map(|kept| match kept.mail {
        Mail::OwnerNews { reader, news, .. } => Some((reader, news)),
        _ => None,
    });
    news.collect()
}

/// Whether the overview calls its reader an owner.
async fn owns(browser: &mut Browser) -> bool {
    browser.get(BAKERY).await.is(200).body.contains("You are an owner: you can do everything")
}

#[apply(on_both!)]
async fn an_owner_is_made_by_a_yes_and_a_waiting_time(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let mut mei = app.as_person(MEI).await;
    let page = ingrid.get(&page_of(&app, MEI).await).await;
    page.says("Make Mei Tanaka an owner");
    page.says("Hand the account to Mei Tanaka");
    let path = format!("{}/owner", page_of(&app, MEI).await);
    let page = ingrid.get(&path).await;
    page.is(200).says("Make Mei Tanaka an owner?");
    page.says("Nobody can take that back, not even you");
    page.says("Then 24 hours pass in which every owner can stop it");
    let answer = ask(&app, &mut ingrid, MEI).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Mei Tanaka was asked to become an owner");
    page.says("Becomes an owner");
    assert!(page.row_of("mei@").contains("asked to become an owner"));
    for person in [INGRID, OLAV] {
        let (reader, news) = news_to(&app, person).await.remove(0);
        assert_eq!(reader, OwnerNewsReader::Owner);
        let offered = OwnerNews::Offered { by: "Ingrid Solberg".into(), handed: false };
        assert_eq!(news, offered);
    }
    ask(&app, &mut olav, MEI).await.is(409).says("asked to become an owner already");

    // She finds it in the mail, on the overview, and in the list of her accounts.
    let change = told_page(&app, MEI).await;
    for path in [BAKERY, "/accounts"] {
        let page = mei.get(path).await;
        page.is(200).says("asked to become an owner");
        assert!(page.body.contains(&format!("href=\"{change}\"")), "{path}");
    }
    let page = mei.get(&change).await;
    page.is(200).says("Become an owner of Nordlys Bakeri AS?");
    page.says("Ingrid Solberg asks you to become an owner");
    assert!(!page.body.contains("owners/stop"));
    let answer = mei.fill_in(&page, "owners/accept", &[]).await;
    mei.go_on(&answer).await.is(200).says("You accepted. All owners were told.");
    assert!(!owns(&mut mei).await);
    mei.get(BAKERY).await.says("becomes an owner on Saturday, 16 January");

    // Every page of the owners says so, and stops it.
    for browser in [&mut ingrid, &mut olav] {
        for end in ["", "/billing", "/users", "/log"] {
            let page = browser.get(&format!("{BAKERY}{end}")).await;
            page.says("Mei Tanaka becomes an owner of this account at this moment");
            page.says("16 January 2027 at 08:00 UTC");
            assert!(page.body.contains("Stop this"), "{end}");
        }
    }
    let page = app.as_person(AMIRA).await.get(&format!("{BAKERY}/users")).await;
    assert!(page.row_of("mei@").contains("becomes an owner on Saturday, 16 January"));
    assert!(!page.body.contains("Stop this") && !page.body.contains("owners/stop"));

    app.forward_seconds(24 * 3600 - 1);
    assert!(!owns(&mut mei).await);
    app.forward_seconds(1);
    assert!(owns(&mut mei).await, "nobody but the clock made it so");
    let page = olav.get(&format!("{BAKERY}/users")).await;
    assert!(page.row_of("mei@").contains("Owner") && !page.body.contains("Stop this"));
    let log = olav.get(&format!("{BAKERY}/log")).await;
    for row in ["Asked to become an owner: Mei Tanaka", "Became an owner: Mei Tanaka"] {
        log.says(row);
    }
    log.says("Accepted to become an owner");
    log.says("True from 16 January 2027 at 08:00 UTC");
    let done = OwnerNews::Done { by: "Ingrid Solberg".into(), handed: false };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, done.clone()));
    for person in [INGRID, OLAV] {
        assert_eq!(news_to(&app, person).await[0], (OwnerNewsReader::Owner, done.clone()));
    }
    ask(&app, &mut olav, AMIRA).await.is(401).says("Confirm that it is you");
    olav.get(&path).await.is(409).says("This person is an owner already");
}

#[apply(on_both!)]
async fn any_owner_stops_it_with_one_click_while_it_can_be_stopped(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let mut mei = app.as_person(MEI).await;
    // Before she answers,
    ask(&app, &mut ingrid, MEI).await.is(303);
    let users = format!("{BAKERY}/users");
    app.forward_hours(2);
    let answer = olav.open_and_fill_in(&users, "owners/stop", &[]).await;
    olav.go_on(&answer).await.is(200).says("Stopped: Mei Tanaka does not become an owner");
    let change = told_page(&app, MEI).await;
    mei.get(&change).await.is(200).says("Olav Solberg stopped it");
    mei.get(BAKERY).await.is(200);
    let id = change.rsplit('/').next().unwrap();
    let fields = [("account", "100001"), ("change", id)];
    let mut fresh = app.as_person(MEI).await;
    fresh.post(&change, "owners/accept", &fields).await.is(409).says("decided in the meantime");
    // and while it waits, by a strip that stands on every page, without a fresh proof.
    let mut ingrid = app.as_person(INGRID).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    fresh.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    app.forward_hours(23);
    let answer = olav.open_and_fill_in(&format!("{BAKERY}/billing"), "owners/stop", &[]).await;
    let page = olav.go_on(&answer).await;
    page.is(200).says("Stopped: Mei Tanaka does not become an owner");
    assert!(!page.body.contains("becomes an owner of this account"));
    app.forward_hours(2);
    assert!(!owns(&mut app.as_person(MEI).await).await);
    let stopped = OwnerNews::Stopped { by: "Olav Solberg".into() };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, stopped.clone()));
    assert_eq!(news_to(&app, INGRID).await[0], (OwnerNewsReader::Owner, stopped));
    olav.get(&format!("{BAKERY}/log")).await.says("Becoming an owner stopped: Mei Tanaka");
}

#[apply(on_both!)]
async fn what_has_come_true_is_stopped_by_nobody(db: TestDatabase) {
    let app = TestApp::with(db, &[("OWNER_WAIT_HOURS", "1")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut mei = app.as_person(MEI).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    let strip = ingrid.get(BAKERY).await;
    app.forward_hours(1);
    let page = ingrid.fill_in(&strip, "owners/stop", &[]).await;
    page.is(409).says("This was decided in the meantime");
    page.says("Mei Tanaka is an owner");
    assert!(owns(&mut mei).await);
}

#[apply(on_both!)]
async fn whoever_is_asked_may_say_no(db: TestDatabase) {
    let app = open(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    let mut mei = app.as_person(MEI).await;
    app.forward_hours(1);
    let answer = mei.open_and_fill_in(&change, "owners/decline", &[]).await;
    mei.go_on(&answer).await.is(200).says("You declined. All owners were told.");
    assert_eq!(news_to(&app, OLAV).await[0], (OwnerNewsReader::Owner, OwnerNews::Declined));
    // It says first what was done.
    ingrid.get(&format!("{BAKERY}/users")).await.is(200);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!page.body.contains("asked to become an owner"));
    ingrid.get(&change).await.is(200).says("Mei Tanaka does not become an owner");
}

#[apply(on_both!)]
async fn nobody_crowns_anybody_without_a_fresh_proof(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    app.forward_hours(1);
    ask(&app, &mut ingrid, MEI).await.is(401).says("Confirm that it is you");
    let out = [("becomes", "out")];
    let page = hand(&app, &mut ingrid, MEI, &out).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.becomes"), "out", "what was chosen is kept");
    let page = ingrid.fill_in(&page, "sign-in/confirm", &[("password", PASSWORD)]).await;
    ingrid.go_on(&page).await.says("Mei Tanaka was asked to take the account over");
    let change = told_page(&app, MEI).await;
    let page = mei.open_and_fill_in(&change, "owners/accept", &[]).await;
    page.is(401).says("Confirm that it is you");
    let step_down = [("permissions[]", "billing.view")];
    let mut olav = app.as_person(OLAV).await;
    app.forward_hours(1);
    let path = format!("{BAKERY}/step-down");
    olav.open_and_fill_in(&path, "owners/step-down", &step_down).await.is(401);
    let invited = [("email", "kari@nordlys.example"), ("as_owner", "true")];
    let path = format!("{BAKERY}/users/invite");
    let page = olav.open_and_fill_in(&path, "users/invite", &invited).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.as_owner"), "true");
    assert!(app.mails_to("kari@nordlys.example").await.is_empty());
}

#[apply(on_both!)]
async fn handing_over_makes_one_the_owner_and_the_other_what_they_chose(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let path = format!("{}/hand-over", page_of(&app, MEI).await);
    let page = ingrid.get(&path).await;
    page.is(200).says("Hand the account to Mei Tanaka?");
    page.says("Everything goes along");
    page.says("Your own login stays yours");
    page.says("What you become");
    let page = ingrid.fill_in(&page, "owners/hand-over", &[]).await;
    page.is(422).says("Choose what you become");
    let nothing = [("becomes", "user"), ("why", "Sold in January")];
    let page = ingrid.fill_in(&page, "owners/hand-over", &nothing).await;
    page.is(422).says("Choose at least one permission");
    assert!(page.input("value=\"user\"").contains("checked"), "what was chosen stays");
    assert!(page.body.contains("Sold in January"));
    let chosen = [("becomes", "user"), ("permissions[]", "billing.view"), ("why", "Sold")];
    let answer = ingrid.fill_in(&page, "owners/hand-over", &chosen).await;
    ingrid.go_on(&answer).await.says("wants to hand the account to Mei Tanaka");
    let amira = format!("{}/hand-over", page_of(&app, AMIRA).await);
    let again = ingrid.open_and_fill_in(&amira, "owners/hand-over", &chosen).await;
    again.is(409).says("You are handing the account to somebody already");

    let change = told_page(&app, MEI).await;
    let page = mei.get(&change).await;
    page.says("Ingrid Solberg wants to hand Nordlys Bakeri AS to you");
    mei.fill_in(&page, "owners/accept", &[]).await.is(303);
    let page = app.as_person(OLAV).await.get(&change).await;
    page.says("Ingrid Solberg then becomes a user: Billing: see");
    assert!(owns(&mut ingrid).await && !owns(&mut mei).await);
    app.forward_hours(24);
    let page = ingrid.get(BAKERY).await;
    page.is(200).says("You can see invoices.");
    ingrid.get(&format!("{BAKERY}/users")).await.is(403);
    assert!(owns(&mut mei).await);
    let log = mei.get(&format!("{BAKERY}/log")).await;
    log.says("Handed the account over");
    let done = OwnerNews::Done { by: "Ingrid Solberg".into(), handed: true };
    assert_eq!(news_to(&app, INGRID).await[0], (OwnerNewsReader::Giver, done));
}

#[apply(on_both!)]
async fn whoever_hands_the_account_over_to_leave_is_out(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    hand(&app, &mut ingrid, MEI, &[("becomes", "out")]).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    app.forward_hours(24);
    // The worker finds what nobody looked at, so that people are told.
    assert_eq!(domain::owner_changes::settle(&app.latchkey).await, Ok(1));
    assert_eq!(domain::owner_changes::settle(&app.latchkey).await, Ok(0));
    assert_eq!(news_to(&app, OLAV).await[0].0, OwnerNewsReader::Owner);
    ingrid.get(BAKERY).await.is(404);
    ingrid.get("/accounts").await.is(200);
    assert!(owns(&mut mei).await);
}

#[apply(on_both!)]
async fn an_owner_steps_down_unless_they_are_the_last(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    ingrid.get(&page_of(&app, INGRID).await).await.says("Step down as owner");
    let page = ingrid.get(&page_of(&app, OLAV).await).await;
    assert!(!page.body.contains("Step down as owner"));
    let path = format!("{BAKERY}/step-down");
    let page = ingrid.get(&path).await;
    page.is(200).says("Step down as an owner of Nordlys Bakeri AS?");
    assert!(page.body.contains(&format!("href=\"{BAKERY}/leave\"")));
    let page = ingrid.fill_in(&page, "owners/step-down", &[]).await;
    page.is(422).says("Choose at least one permission");
    let late = olav.get(&path).await;
    let chosen = [("permissions[]", "billing.pay"), ("permissions[]", "account.log")];
    let answer = ingrid.fill_in(&page, "owners/step-down", &chosen).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("You are no longer an owner of Nordlys Bakeri AS");
    assert!(!owns(&mut ingrid).await);
    ingrid.get(&format!("{BAKERY}/users")).await.is(403);
    ingrid.get(&format!("{BAKERY}/log")).await.is(200).says("Stepped down as owner");
    assert_eq!(news_to(&app, OLAV).await[0], (OwnerNewsReader::Owner, OwnerNews::SteppedDown));
    let news = news_to(&app, INGRID).await;
    assert_eq!(news[0], (OwnerNewsReader::Person, OwnerNews::SteppedDown), "she, too");

    let page = olav.fill_in(&late, "owners/step-down", &chosen).await;
    page.is(409).says("You are the only owner");
    olav.get(&path).await.is(200).says("You are the only owner");
    assert!(owns(&mut olav).await);
    ingrid.get(&path).await.is(403).says("Only owners of the account can do this");
}

#[apply(on_both!)]
async fn whoever_steps_down_takes_what_they_offered_along(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    let chosen = [("permissions[]", "billing.pay")];
    let path = format!("{BAKERY}/step-down");
    ingrid.open_and_fill_in(&path, "owners/step-down", &chosen).await.is(303);
    app.forward_hours(24);
    assert!(!owns(&mut mei).await);
    let page = mei.get(&change).await;
    page.is(200).says("You do not become an owner of Nordlys Bakeri AS");
    let news = news_to(&app, OLAV).await;
    assert!(news.contains(&(OwnerNewsReader::Owner, OwnerNews::Lapsed)));
}

#[apply(on_both!)]
async fn somebody_is_invited_as_an_owner(db: TestDatabase) {
    let app = open(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/invite");
    let page = ingrid.get(&path).await;
    page.says("Invite as an owner");
    let malformed = [("email", "no address"), ("as_owner", "true")];
    let page = ingrid.fill_in(&page, "users/invite", &malformed).await;
    page.is(422);
    assert!(page.input("id=\"as_owner\"").contains("checked"));
    let invited = [("email", "kari@nordlys.example"), ("as_owner", "true")];
    let answer = ingrid.fill_in(&page, "users/invite", &invited).await;
    let page = ingrid.go_on(&answer).await;
    page.says("Invitation sent to kari@nordlys.example");
    assert!(page.row_of("kari@").contains("and becomes an owner after a waiting time"));
    let invited = (OwnerNewsReader::Owner, OwnerNews::Invited { by: "Ingrid Solberg".into() });
    for person in [INGRID, OLAV] {
        assert_eq!(news_to(&app, person).await, std::slice::from_ref(&invited), "at once");
    }
    ingrid.get(&format!("{BAKERY}/log")).await.says("Offered: Owner");

    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    kari.get(&link).await.says("If you join now, you become an owner at this moment");
    let fields = [("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    let answer = kari.open_and_fill_in(&link, "invitations/join-with-new-login", &fields).await;
    kari.go_on(&answer).await.is(200).says("becomes an owner on Saturday, 16 January");
    kari.get(&format!("{BAKERY}/users")).await.is(200);
    assert!(!owns(&mut kari).await);
    ingrid.get(BAKERY).await.says("Kari Lie becomes an owner of this account at this moment");
    assert!(matches!(news_to(&app, OLAV).await[0].1, OwnerNews::Waiting { .. }));
    app.forward_hours(24);
    assert!(owns(&mut kari).await);
}

#[apply(on_both!)]
async fn an_invitation_as_an_owner_is_worth_what_its_inviter_is(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let path = format!("{BAKERY}/users/invite");
    let invited = [("email", "kari@nordlys.example"), ("as_owner", "true")];
    ingrid.open_and_fill_in(&path, "users/invite", &invited).await.is(303);
    // Who manages users, but owns nothing, offers no such thing, nor sends it again.
    let mut amira = app.as_person(AMIRA).await;
    assert!(!amira.get(&path).await.body.contains("as_owner"));
    let forged = [("account", "100001"), ("email", "per@nordlys.example"), ("as_owner", "true")];
    amira.post(&path, "users/invite", &forged).await.is(403);
    let users = format!("{BAKERY}/users");
    let page = amira.get(&users).await;
    let invitation = page.row_of("kari@").split("/invitations/").nth(1).unwrap();
    let invitation = invitation.split('/').next().unwrap().to_owned();
    let fields = [("account", "100001"), ("invitation", invitation.as_str())];
    amira.post(&users, "users/resend", &fields).await.is(403);

    let chosen = [("permissions[]", "account.users"), ("permissions[]", "billing.view")];
    let down = format!("{BAKERY}/step-down");
    ingrid.open_and_fill_in(&down, "owners/step-down", &chosen).await.is(303);
    let page = olav.get(&users).await;
    assert!(page.row_of("kari@").contains("can no longer give all of this"));
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let page = kari.get(&link).await;
    assert!(!page.is(200).body.contains("become an owner"));
    let fields = [("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.open_and_fill_in(&link, "invitations/join-with-new-login", &fields).await.is(303);
    app.forward_hours(48);
    kari.get(BAKERY).await.is(200).says("You can see invoices and manage users and permissions");
    assert!(!owns(&mut kari).await);
}

#[apply(on_both!)]
async fn all_permissions_together_make_and_stop_no_owner(db: TestDatabase) {
    let app = open(db).await;
    app.hold(AMIRA, [Terms::whole(PermissionSet::all())]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&page_of(&app, MEI).await).await;
    assert!(!page.body.contains("an owner</") && !page.body.contains("Hand the account"));
    let (mei, own) = (app.id_of(MEI).await, app.id_of(AMIRA).await);
    let mut ingrid = app.as_person(INGRID).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    let id = change.rsplit('/').next().unwrap().to_owned();
    for (user, status) in [(&mei, 403), (&own, 403)] {
        let path = format!("{BAKERY}/users/{user}");
        let fields = [
            ("account", "100001"),
            ("user", user.as_str()),
            ("becomes", "out"),
            ("permissions[]", "billing.view"),
        ];
        amira.get(&format!("{path}/owner")).await.is(status);
        amira.get(&format!("{path}/hand-over")).await.is(status);
        amira.post(&format!("{path}/owner"), "owners/make", &fields).await.is(status);
        amira.post(&format!("{path}/hand-over"), "owners/hand-over", &fields).await.is(status);
    }
    let fields = [("account", "100001"), ("permissions[]", "billing.view")];
    let path = format!("{BAKERY}/step-down");
    amira.post(&path, "owners/step-down", &fields).await.is(403);
    // A change that is somebody else's isn't there.
    amira.get(&change).await.is(404);
    let fields = [("account", "100001"), ("change", id.as_str())];
    for form in ["owners/stop", "owners/accept", "owners/decline"] {
        amira.post(&change, form, &fields).await.is(404);
    }
    // Nor is it anything to an owner but to be stopped.
    ingrid.post(&change, "owners/accept", &fields).await.is(404);
}

#[apply(on_both!)]
async fn another_account_is_as_if_it_were_not_there(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    ask(&app, &mut ingrid, BJORN).await.is(303);
    let change = told_page(&app, BJORN).await;
    let id = change.rsplit('/').next().unwrap().to_owned();
    // Mei owns the agency.
    let nowhere = uuid::Uuid::from_u128(7).to_string();
    for id in [id.as_str(), nowhere.as_str()] {
        let elsewhere = format!("/accounts/100002/owners/{id}");
        mei.get(&elsewhere).await.is(410).says("There is nothing to stop here any more");
        let fields = [("account", "100002"), ("change", id)];
        for form in ["owners/stop", "owners/accept", "owners/decline"] {
            mei.post(&elsewhere, form, &fields).await.is(410);
        }
    }
    let mut tom = app.as_person(TOM).await;
    tom.get(&change).await.is(404);
    tom.get(&format!("{BAKERY}/step-down")).await.is(404);
    let bjorn = app.id_of(BJORN).await;
    for end in ["owner", "hand-over"] {
        mei.get(&format!("/accounts/100002/users/{bjorn}/{end}")).await.is(404);
        mei.get(&format!("/accounts/100002/users/x/{end}")).await.is(404);
    }
    ingrid.get(&format!("{BAKERY}/owners/x")).await.is(404);
    let nothing = "00000000-0000-0000-0000-000000000000";
    mei.get(&format!("{BAKERY}/owners/{nothing}")).await.is(404);
    app.browser().get(&change).await.is(302);
}

#[apply(on_both!)]
async fn whoever_is_paused_is_neither_asked_nor_becomes_an_owner(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let path = page_of(&app, MEI).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    assert!(!ingrid.get(&path).await.body.contains("Make Mei Tanaka an owner"));
    let page = ingrid.get(&format!("{path}/owner")).await;
    page.is(409).says("The access of this person is paused");
    ingrid.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    app.forward_hours(24);
    mei.get(BAKERY).await.is(403).says("Your access is paused");
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, OwnerNews::Lapsed));
    assert_eq!(news_to(&app, OLAV).await[0], (OwnerNewsReader::Owner, OwnerNews::Lapsed));
    ingrid.get(&format!("{BAKERY}/log")).await.says("Becoming an owner came to nothing");
}

#[apply(on_both!)]
async fn a_new_owner_meets_what_the_account_demands(db: TestDatabase) {
    let app = open(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.turn_app_on(&mut ingrid).await;
    let mut mei = app.as_person(MEI).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    let policy = format!("{BAKERY}/policy");
    ingrid.open_and_fill_in(&policy, "policies/demand-factor", &[("days", "1")]).await.is(303);
    app.forward_hours(24 + 16);
    mei.get(BAKERY).await.is(403).says("This account needs a second factor");
    let mut mei = app.as_person(MEI).await;
    app.turn_app_on(&mut mei).await;
    assert!(owns(&mut mei).await);
}

#[apply(on_both!)]
async fn without_a_waiting_time_it_is_true_with_the_yes(db: TestDatabase) {
    let app = TestApp::with(db, &[("OWNER_WAIT_HOURS", "0")]).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let path = format!("{}/owner", page_of(&app, MEI).await);
    ingrid.get(&path).await.says("Then it is true at once");
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    let page = mei.get(&change).await;
    page.says("If you accept, you are an owner at once.");
    let answer = mei.fill_in(&page, "owners/accept", &[]).await;
    mei.go_on(&answer).await.is(200).says("You are an owner of Nordlys Bakeri AS");
    assert!(owns(&mut mei).await);
    let waits = |news: &(OwnerNewsReader, OwnerNews)| matches!(news.1, OwnerNews::Waiting { .. });
    assert!(!news_to(&app, OLAV).await.iter().any(waits));
}

#[apply(on_both!)]
async fn through_somebody_elses_eyes_no_change_is_seen_that_isnt_ones_own(db: TestDatabase) {
    let app = open(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    let mut amira = app.as_person(AMIRA).await;
    for person in [MEI, OLAV] {
        let path = page_of(&app, person).await;
        amira.open_and_fill_in(&path, "eyes/begin", &[]).await.is(303);
        let page = amira.get(BAKERY).await;
        assert!(!page.is(200).body.contains("asked to become an owner"));
        amira.get(&change).await.is(404);
        amira.open_and_fill_in(BAKERY, "eyes/end", &[]).await.is(303);
    }
}

#[apply(on_both!)]
async fn so_many_offers_are_made_in_a_day_and_no_more(db: TestDatabase) {
    let app = open(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for _ in 0..10 {
        ask(&app, &mut ingrid, MEI).await.is(303);
        let users = format!("{BAKERY}/users");
        ingrid.open_and_fill_in(&users, "owners/stop", &[]).await.is(303);
    }
    ask(&app, &mut ingrid, MEI).await.is(429).says("as often as it can in a day");
}

#[apply(on_both!)]
async fn owners_leave_with_a_fresh_proof_and_others_without(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut bjorn) = (app.as_person(INGRID).await, app.as_person(BJORN).await);
    app.forward_hours(1);
    let leave = format!("{BAKERY}/leave");
    bjorn.open_and_fill_in(&leave, "account/leave", &[]).await.is(303);
    assert!(news_to(&app, OLAV).await.is_empty(), "he owned nothing");
    ingrid.get(&leave).await.is(200).says("The other owners stay, and get an email.");
    let page = ingrid.open_and_fill_in(&leave, "account/leave", &[]).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.account"), "100001");
    assert!(news_to(&app, OLAV).await.is_empty());
    let page = ingrid.fill_in(&page, "sign-in/confirm", &[("password", PASSWORD)]).await;
    assert_eq!(page.is(303).leads_to(), "/accounts");
    ingrid.get(BAKERY).await.is(404);
    assert_eq!(news_to(&app, OLAV).await, [(OwnerNewsReader::Owner, OwnerNews::Left)]);
    assert!(news_to(&app, INGRID).await.is_empty(), "another mail tells her");
    assert_eq!(app.mails_to(INGRID.email).await.first(), Some(&"access_removed"));
}

#[apply(on_both!)]
async fn joining_as_an_owner_takes_a_fresh_proof_and_loses_nothing(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut tom) = (app.as_person(INGRID).await, app.as_person(TOM).await);
    let path = format!("{BAKERY}/users/invite");
    let invited = [("email", TOM.email), ("as_owner", "true")];
    ingrid.open_and_fill_in(&path, "users/invite", &invited).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    app.forward_hours(1);
    let page = tom.open_and_fill_in(&link, "invitations/join", &[]).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.token"), link.rsplit('/').next().unwrap());
    tom.get(BAKERY).await.is(404);
    // What is wrong leads nowhere, and the invitation is still there.
    let page = tom.fill_in(&page, "sign-in/confirm", &[("password", "not the password")]).await;
    page.is(422);
    assert_eq!(page.hidden("kept.token"), link.rsplit('/').next().unwrap());
    tom.get(&link).await.is(200).says("Join Nordlys Bakeri AS");
    let page = tom.fill_in(&page, "sign-in/confirm", &[("password", PASSWORD)]).await;
    let page = tom.go_on(&page).await;
    page.is(200).says("becomes an owner on Saturday, 16 January");
    // As a user it takes none.
    let mut olav = app.as_person(OLAV).await;
    let mut bjorn = app.as_person(BJORN).await;
    let remove = format!("{}/remove", page_of(&app, BJORN).await);
    olav.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    olav.invite(BJORN.email, &["billing.view"]).await.is(303);
    let link = app.invitation_link(BJORN.email).await;
    app.forward_hours(1);
    bjorn.open_and_fill_in(&link, "invitations/join", &[]).await.is(303);
}

#[apply(on_both!)]
async fn an_owner_whom_the_provider_invites_joins_with_a_fresh_proof_too(db: TestDatabase) {
    let app = open(db).await;
    let number = model::AccountNumber::from_stored(100_001);
    let email = model::EmailAddress::parse(TOM.email).unwrap();
    domain::owners_by_provider::invite(&app.latchkey, number, &email).await.unwrap();
    let mut tom = app.as_person(TOM).await;
    let link = app.invitation_link(TOM.email).await;
    app.forward_hours(1);
    tom.open_and_fill_in(&link, "invitations/join", &[]).await.is(401);
    assert!(!owns_anything(&mut tom).await);
}

async fn owns_anything(browser: &mut Browser) -> bool {
    browser.get(BAKERY).await.status.as_u16() == 200
}

#[apply(on_both!)]
async fn owners_hear_of_an_invitation_when_it_is_offered_and_not_each_time_it_is_sent(
    db: TestDatabase,
) {
    let app = open(db).await;
    // In an hour of its own each: an address gets only so many mails in one.
    let invite = async |as_owner: bool| {
        app.forward_hours(2);
        let path = format!("{BAKERY}/users/invite");
        let mut fields = vec![("email", "kari@nordlys.example"), ("permissions[]", "billing.view")];
        fields.extend(as_owner.then_some(("as_owner", "true")));
        let mut ingrid = app.as_person(INGRID).await;
        ingrid.open_and_fill_in(&path, "users/invite", &fields).await.is(303);
    };
    let resend = async || {
        app.forward_hours(2);
        let mut ingrid = app.as_person(INGRID).await;
        let users = format!("{BAKERY}/users");
        let page = ingrid.get(&users).await;
        let invitation = page.row_of("kari@").split("/invitations/").nth(1).unwrap();
        let invitation = invitation.split('/').next().unwrap().to_owned();
        let fields = [("account", "100001"), ("invitation", invitation.as_str())];
        ingrid.post(&users, "users/resend", &fields).await.is(303);
    };
    let told = async || news_to(&app, OLAV).await.len();
    // As a user: nobody hears of it. As an owner in its place: everybody does, once.
    invite(false).await;
    assert_eq!(told().await, 0);
    invite(true).await;
    assert_eq!(told().await, 1);
    invite(true).await;
    resend().await;
    assert_eq!(told().await, 1);
    // What had run out is offered anew.
    app.forward_hours(9 * 24);
    resend().await;
    assert_eq!(told().await, 2);
}

#[apply(on_both!)]
async fn a_mails_link_says_what_became_of_it_when_the_person_is_gone(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    ask(&app, &mut ingrid, MEI).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    let mut olav = app.as_person(OLAV).await;
    olav.get(&change).await.is(200);
    let remove = format!("{}/remove", page_of(&app, MEI).await);
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    assert_eq!(news_to(&app, OLAV).await[0], (OwnerNewsReader::Owner, OwnerNews::Lapsed));
    assert_eq!(told_page(&app, OLAV).await, change, "the newest mail and those before");
    let page = olav.get(&change).await;
    page.is(410).says("There is nothing to stop here any more");
    page.says("Whoever this was about is not in the account any more");
    assert!(page.body.contains(&format!("href=\"{BAKERY}/log\"")));
    olav.get(&format!("{BAKERY}/log")).await.says("Becoming an owner came to nothing");
    let id = change.rsplit('/').next().unwrap().to_owned();
    let fields = [("account", "100001"), ("change", id.as_str())];
    olav.post(&change, "owners/stop", &fields).await.is(410);
    // To everybody else nothing was there.
    mei.get(&change).await.is(404);
    app.as_person(AMIRA).await.get(&change).await.is(404);
    let look = format!("{BAKERY}/users/{}", app.id_of(AMIRA).await);
    olav.open_and_fill_in(&look, "eyes/begin", &[]).await.is(303);
    olav.get(&change).await.is(404);
}

#[apply(on_both!)]
async fn whom_the_operator_makes_an_owner_is_handed_nothing(db: TestDatabase) {
    let app = open(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    hand(&app, &mut ingrid, MEI, &[("becomes", "out")]).await.is(303);
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    let number = model::AccountNumber::from_stored(100_001);
    let email = model::EmailAddress::parse(MEI.email).unwrap();
    domain::owners_by_provider::add(&app.latchkey, number, &email, "Asked for by phone")
        .await
        .unwrap();
    let not_handed = OwnerNews::NotHanded { by: "Ingrid Solberg".into() };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, not_handed.clone()));
    for person in [INGRID, OLAV] {
        assert_eq!(news_to(&app, person).await[0], (OwnerNewsReader::Owner, not_handed.clone()));
    }
    mei.get(&change).await.is(200).says("Nordlys Bakeri AS is not handed to you");
    let page = ingrid.get(&change).await;
    page.is(200).says("The account is not handed to Mei Tanaka");
    page.says("Mei Tanaka was one already");
    app.forward_hours(24);
    assert!(owns(&mut ingrid).await && owns(&mut mei).await);
}

#[apply(on_both!)]
async fn the_operator_sees_who_owns_an_account_by_now_and_who_may_come_to(db: TestDatabase) {
    let app = open(db).await;
    let number = model::AccountNumber::from_stored(100_001);
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let list = async || {
        let found = domain::owners_by_provider::list(&app.latchkey, number).await.unwrap();
        let owners = found.owners.iter().map(|owner| owner.full_name.clone());
        let becoming = found
            .becoming
            .iter()
            .map(|change| (change.person.full_name.clone(), change.due_at.is_some()));
        let successor = found.successor.map(|(successor, able)| (successor.person.full_name, able));
        (owners.collect::<Vec<_>>(), becoming.collect::<Vec<_>>(), successor)
    };
    let named = |name: &str| name.to_owned();
    let both = vec![named(INGRID.name), named(OLAV.name)];
    assert_eq!(list().await, (both.clone(), vec![], None));
    ask(&app, &mut ingrid, MEI).await.is(303);
    let id = app.id_of(BJORN).await;
    let fields = [("successor", id.as_str()), ("wait_days", "14")];
    let path = format!("{BAKERY}/owners/successor");
    ingrid.open_and_fill_in(&path, "successors/name", &fields).await.is(303);
    let bjorn = Some((named(BJORN.name), true));
    assert_eq!(list().await, (both.clone(), vec![(named(MEI.name), false)], bjorn.clone()));
    let change = told_page(&app, MEI).await;
    mei.open_and_fill_in(&change, "owners/accept", &[]).await.is(303);
    assert_eq!(list().await, (both.clone(), vec![(named(MEI.name), true)], bjorn));
    let path = page_of(&app, BJORN).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    app.forward_hours(24);
    let three = [both, vec![named(MEI.name)]].concat();
    let bjorn = Some((named(BJORN.name), false));
    let (mut owners, becoming, successor) = list().await;
    owners.sort();
    let mut three = three;
    three.sort();
    assert_eq!((owners, becoming, successor), (three, vec![], bjorn), "nobody looked before");
}

/// What a mail about owners is to say: the keys of its subject, of its lines, and of its button.
type Said = (&'static str, &'static [&'static str], Option<&'static str>);

#[apply(on_sqlite!)]
async fn every_mail_about_owners_is_told_to_its_reader_in_their_language(db: TestDatabase) {
    use OwnerNewsReader::{Giver, Owner, Person};
    const SHOW: Option<&str> = Some("owner_show");
    let app = open(db).await;
    let at = model::Timestamp::from_micros(1_800_000_000_000_000);
    let by = || "Ingrid Berg".into();
    let offered = |handed| OwnerNews::Offered { by: by(), handed };
    let waiting = |handed| OwnerNews::Waiting { by: by(), handed, due_at: at };
    let done = |handed| OwnerNews::Done { by: by(), handed };
    let asked = |again| OwnerNews::TakeoverAsked { asked_at: at, due_at: at, again };
    let named = OwnerNews::SuccessorNamed { by: by(), days: 14 };
    let removed = OwnerNews::SuccessorRemoved { by: by() };
    let (stopped, here) =
        (OwnerNews::Stopped { by: by() }, OwnerNews::TakeoverAnswered { by: by() });
    let cases: &[(OwnerNews, OwnerNewsReader, Said)] = &[
        (
            offered(false),
            Owner,
            ("owner_offered_subject", &["owner_offered_lead", "owner_offered_after"], SHOW),
        ),
        (
            offered(true),
            Owner,
            ("owner_offered_subject", &["owner_handed_lead", "owner_offered_after"], SHOW),
        ),
        (
            offered(false),
            Person,
            (
                "owner_asked_subject",
                &["owner_asked_lead", "owner_asked_after"],
                Some("owner_asked_button"),
            ),
        ),
        (
            offered(true),
            Person,
            (
                "owner_asked_subject",
                &["owner_asked_handed", "owner_asked_after"],
                Some("owner_asked_button"),
            ),
        ),
        (
            waiting(false),
            Owner,
            ("owner_waiting_subject", &["owner_waiting_lead", "owner_waiting_after"], SHOW),
        ),
        (
            waiting(true),
            Owner,
            (
                "owner_waiting_subject",
                &["owner_waiting_lead", "owner_waiting_handed", "owner_waiting_after"],
                SHOW,
            ),
        ),
        (done(false), Owner, ("owner_done_subject", &["owner_done_lead"], SHOW)),
        (done(true), Owner, ("owner_done_subject", &["owner_done_handed"], SHOW)),
        (done(false), Person, ("owner_yours_subject", &["owner_yours_lead"], None)),
        (done(true), Giver, ("owner_gave_subject", &["owner_gave_lead"], None)),
        (stopped.clone(), Owner, ("owner_not_subject", &["owner_stopped_lead"], SHOW)),
        (stopped, Person, ("owner_not_yours_subject", &["owner_stopped_lead"], None)),
        (OwnerNews::Declined, Owner, ("owner_not_subject", &["owner_declined_lead"], SHOW)),
        (OwnerNews::Lapsed, Owner, ("owner_not_subject", &["owner_lapsed_lead"], SHOW)),
        (OwnerNews::Lapsed, Person, ("owner_not_yours_subject", &["owner_lapsed_lead"], None)),
        (
            OwnerNews::NotHanded { by: by() },
            Owner,
            ("owner_not_handed_subject", &["owner_not_handed_lead"], SHOW),
        ),
        (
            OwnerNews::NotHanded { by: by() },
            Person,
            ("owner_not_handed_subject", &["owner_not_handed_lead"], None),
        ),
        (
            OwnerNews::Invited { by: by() },
            Owner,
            ("owner_invited_subject", &["owner_invites_lead", "owner_invites_after"], SHOW),
        ),
        (
            OwnerNews::SteppedDown,
            Owner,
            ("owner_stepped_down_subject", &["owner_stepped_down_lead"], SHOW),
        ),
        (
            OwnerNews::SteppedDown,
            Person,
            (
                "owner_you_stepped_down_subject",
                &["owner_you_stepped_down_lead", "owner_you_stepped_down_after"],
                None,
            ),
        ),
        (OwnerNews::Left, Owner, ("owner_stepped_down_subject", &["owner_left_lead"], SHOW)),
        (named.clone(), Owner, ("successor_subject", &["successor_lead"], SHOW)),
        (
            named,
            Person,
            ("successor_you_subject", &["successor_you_lead", "successor_you_after"], None),
        ),
        (removed.clone(), Owner, ("successor_not_subject", &["successor_not_lead"], SHOW)),
        (removed, Person, ("successor_not_you_subject", &["successor_not_you_lead"], None)),
        (asked(false), Owner, ("takeover_subject", &["takeover_lead", "takeover_after"], SHOW)),
        (
            asked(true),
            Owner,
            ("takeover_subject", &["takeover_lead", "takeover_again", "takeover_after"], SHOW),
        ),
        (here.clone(), Owner, ("owner_not_subject", &["takeover_answered"], SHOW)),
        (here, Person, ("owner_not_yours_subject", &["takeover_answered"], None)),
        (OwnerNews::TakenOver, Owner, ("owner_done_subject", &["taken_over_lead"], SHOW)),
        (OwnerNews::TakenOver, Person, ("owner_yours_subject", &["owner_yours_lead"], None)),
    ];
    for (tag, sentences) in [
        ("en", include_str!("../../../locales/en.json")),
        ("nb", include_str!("../../../locales/nb.json")),
        ("de", include_str!("../../../locales/de.json")),
    ] {
        let sentences: Value = serde_json::from_str(sentences).unwrap();
        // Without the moments, which are told in each language's own way.
        let say = |key: &str| -> Vec<String> {
            let sentence = sentences["mail"][key].as_str().unwrap_or_else(|| panic!("{key}"));
            let said = [
                ("account", "Bakery"),
                ("name", "Mei Tanaka"),
                ("email", "Mei Tanaka"),
                ("by", "Ingrid Berg"),
                ("days", "14"),
            ];
            let said = said.iter().fold(sentence.to_owned(), |said, (name, value)| {
                said.replace(&format!("{{{{ {name} }}}}"), value)
            });
            let pieces = said.split("{{ when }}").flat_map(|piece| piece.split("{{ day }}"));
            pieces.map(str::to_owned).collect()
        };
        let language = model::Language::parse(tag);
        for (news, reader, (subject, lines, button)) in cases {
            let change = uuid::Uuid::from_u128(7);
            let of_change = !matches!(
                news,
                OwnerNews::Invited { .. }
                    | OwnerNews::SteppedDown
                    | OwnerNews::Left
                    | OwnerNews::SuccessorNamed { .. }
                    | OwnerNews::SuccessorRemoved { .. }
            );
            let mail = Mail::OwnerNews {
                account: "Bakery".into(),
                account_number: model::AccountNumber::from_stored(100_001),
                reader: *reader,
                name: "Mei Tanaka".into(),
                news: news.clone(),
                change: of_change.then(|| change.into()),
            };
            let told = app::mails::Told::at(at);
            let written = app::mails::write(&mail, language.as_ref(), told, &app.site());
            let [said, text, html] = [&written.subject, &written.text, &written.html]
                .map(|text| text.replace('\u{2060}', ""));
            assert_eq!([said], *say(subject), "{tag} {news:?} {reader:?}");
            for piece in lines.iter().flat_map(|line| say(line)) {
                assert!(
                    text.contains(piece.trim()),
                    "{tag} {news:?} {reader:?}: {piece} in {text}"
                );
            }
            let link = match of_change {
                true => format!("/accounts/100001/owners/{change}"),
                false => "/accounts/100001/users".to_owned(),
            };
            let is_there = text.contains(&link) && html.contains(&link);
            assert_eq!(is_there, button.is_some(), "{tag} {news:?} {reader:?}: {text}");
            for label in button.iter().flat_map(|button| say(button)) {
                assert!(html.contains(&label), "{tag} {news:?} {reader:?}: {label} in {html}");
            }
        }
    }
}
