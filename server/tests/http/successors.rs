//! Successors: one is named, asks for the account, and takes it over unless an owner is here.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PASSWORD, TOM};
use model::{Mail, OwnerNews, OwnerNewsReader, PermissionSet, Terms};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

fn successor_page() -> String {
    format!("{BAKERY}/owners/successor")
}

fn take_over_page() -> String {
    format!("{BAKERY}/take-over")
}

/// Names somebody, by the page that does so.
async fn name(app: &TestApp, owner: &mut Browser, person: DemoPerson, days: &str) -> Page {
    let id = app.id_of(person).await;
    let fields = [("successor", id.as_str()), ("wait_days", days)];
    owner.open_and_fill_in(&successor_page(), "successors/name", &fields).await
}

/// Asks for the account; answers the page about it.
async fn take_over(browser: &mut Browser) -> String {
    let answer = browser.open_and_fill_in(&take_over_page(), "successors/take-over", &[]).await;
    answer.is(303).headers["location"].to_str().unwrap().to_owned()
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

/// How often somebody was told that the account is asked for: the first time, and again.
async fn told_of_takeover(app: &TestApp, person: DemoPerson) -> (usize, usize) {
    let news = news_to(app, person).await;
    let count = |wanted: bool| {
        let told = news.iter().filter(
            |(_, news)| matches!(news, OwnerNews::TakeoverAsked { again, .. } if *again == wanted),
        );
        told.count()
    };
    (count(false), count(true))
}

/// Whether the overview calls its reader an owner.
async fn owns(browser: &mut Browser) -> bool {
    browser.get(BAKERY).await.is(200).body.contains("You are an owner: you can do everything")
}

#[apply(on_both!)]
async fn a_successor_takes_over_when_no_owner_says_no(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let users = format!("{BAKERY}/users");
    ingrid.get(&users).await.says("Name a successor");
    let page = ingrid.get(&successor_page()).await;
    page.is(200).says("who may take over Nordlys Bakeri AS if none of its owners can be reached");
    assert!(page.body.contains("Mei Tanaka (") && !page.body.contains("Olav Solberg ("));
    let answer = name(&app, &mut ingrid, MEI, "14").await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Mei Tanaka is the successor now. All owners were told.");
    assert!(page.row_of("mei@").contains("Successor"));
    let named = OwnerNews::SuccessorNamed { by: "Ingrid Solberg".into(), days: 14 };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, named.clone()));
    for owner in [INGRID, OLAV] {
        assert_eq!(news_to(&app, owner).await[0], (OwnerNewsReader::Owner, named.clone()));
    }

    // She finds it on the list of her accounts and on the overview, and nobody else does.
    let mut mei = app.as_person(MEI).await;
    for path in [BAKERY, "/accounts"] {
        let page = mei.get(path).await;
        page.is(200).says("Take over Nordlys Bakeri AS");
        page.says("Successor");
        assert!(page.body.contains(&format!("href=\"{}\"", take_over_page())), "{path}");
    }
    let mut bjorn = app.as_person(BJORN).await;
    assert!(!bjorn.get(BAKERY).await.is(200).body.contains("Take over"));
    let page = mei.get(&take_over_page()).await;
    page.is(200).says("Take over Nordlys Bakeri AS?");
    page.says("All owners are told by email at once");
    page.says("within 14 days, you become an owner on Friday, 29 January");
    let answer = mei.fill_in(&page, "successors/take-over", &[]).await;
    let page = mei.go_on(&answer).await;
    page.is(200).says("You asked to take over Nordlys Bakeri AS. All owners were told.");
    page.says("You asked to take over the account on Friday, 15 January");
    mei.get(BAKERY).await.says("becomes an owner on Friday, 29 January");
    mei.get(&take_over_page()).await.is(200).says("You have asked to become an owner already");
    let again = [("account", "100001")];
    let page = mei.post(&take_over_page(), "successors/take-over", &again).await;
    page.is(409).says("You have asked to become an owner already");

    // Every page of the owners says so, and stops it.
    for person in [INGRID, OLAV] {
        let mut owner = app.as_person(person).await;
        for end in ["", "/billing", "/users", "/log"] {
            let page = owner.get(&format!("{BAKERY}{end}")).await;
            page.says(
                "Mei Tanaka asked to take over this account on Friday, 15 January, and becomes \
                 an owner on Friday, 29 January unless one of you says no.",
            );
            assert!(page.body.contains("Stop this") && page.body.contains("I'm here"), "{end}");
        }
        assert_eq!(told_of_takeover(&app, person).await, (1, 0));
    }
    let page = app.as_person(AMIRA).await.get(&users).await;
    assert!(page.row_of("mei@").contains("becomes an owner on Friday, 29 January"));
    assert!(!page.body.contains("successors/answer") && !page.body.contains("owners/stop"));
    assert_eq!(told_of_takeover(&app, MEI).await, (0, 0), "she knows");

    // The worker reminds them, after three days and after seven.
    for (days, reminded) in [(2, 0), (1, 1), (3, 1), (1, 2), (6, 2)] {
        app.forward_hours(days * 24);
        domain::successors::remind(&app.latchkey).await.unwrap();
        assert_eq!(told_of_takeover(&app, OLAV).await, (1, reminded));
    }
    assert!(!owns(&mut app.as_person(MEI).await).await);
    app.forward_hours(24);
    assert!(owns(&mut app.as_person(MEI).await).await, "nobody but the clock made it so");
    let mut olav = app.as_person(OLAV).await;
    assert!(owns(&mut olav).await, "the others stay owners");
    let page = olav.get(&users).await;
    let row = page.row_of("mei@");
    assert!(row.contains("Owner") && !row.contains("Successor"));
    assert!(!page.body.contains("Stop this"));
    let log = olav.get(&format!("{BAKERY}/log")).await;
    for row in ["Named as successor: Mei Tanaka", "Asked to take over the account"] {
        log.says(row);
    }
    log.says("Took over the account");
    log.says("True from 29 January 2027 at 08:00 UTC");
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, OwnerNews::TakenOver));
    for owner in [INGRID, OLAV] {
        assert_eq!(news_to(&app, owner).await[0], (OwnerNewsReader::Owner, OwnerNews::TakenOver));
    }
}

#[apply(on_both!)]
async fn any_owner_ends_it_with_one_click(db: TestDatabase) {
    let app = TestApp::new(db).await;
    name(&app, &mut app.as_person(INGRID).await, MEI, "30").await.is(303);
    // By being here,
    let change = take_over(&mut app.as_person(MEI).await).await;
    let mut olav = app.as_person(OLAV).await;
    app.forward_hours(2);
    let answer =
        olav.open_and_fill_in(&format!("{BAKERY}/billing"), "successors/answer", &[]).await;
    let page = olav.go_on(&answer).await;
    page.is(200).says("You are here: Mei Tanaka does not take over this account");
    assert!(!page.body.contains("I'm here"));
    let answered = OwnerNews::TakeoverAnswered { by: "Olav Solberg".into() };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, answered.clone()));
    assert_eq!(news_to(&app, INGRID).await[0], (OwnerNewsReader::Owner, answered));
    let mut mei = app.as_person(MEI).await;
    mei.get(&change).await.is(200).says("You do not become an owner of Nordlys Bakeri AS");
    mei.get(BAKERY).await.says("Take over Nordlys Bakeri AS");
    let id = change.rsplit('/').next().unwrap().to_owned();
    let fields = [("account", "100001"), ("change", id.as_str())];
    olav.post(&change, "successors/answer", &fields).await.is(409).says("decided in the meantime");
    // and by a no, without a fresh proof.
    take_over(&mut mei).await;
    app.forward_hours(2);
    let answer = olav.open_and_fill_in(BAKERY, "owners/stop", &[]).await;
    olav.go_on(&answer).await.is(200).says("Stopped: Mei Tanaka does not become an owner");
    let stopped = OwnerNews::Stopped { by: "Olav Solberg".into() };
    assert_eq!(news_to(&app, MEI).await[0], (OwnerNewsReader::Person, stopped));
    let log = olav.get(&format!("{BAKERY}/log")).await;
    log.says("Takeover ended, as an owner is here: Mei Tanaka");
    log.says("Becoming an owner stopped: Mei Tanaka");
    app.forward_hours(31 * 24);
    assert!(!owns(&mut app.as_person(MEI).await).await);
    assert_eq!(domain::successors::remind(&app.latchkey).await, Ok(0));
}

#[apply(on_both!)]
async fn what_is_true_is_ended_by_nobody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    name(&app, &mut app.as_person(INGRID).await, MEI, "7").await.is(303);
    let change = take_over(&mut app.as_person(MEI).await).await;
    app.forward_hours(7 * 24);
    let id = change.rsplit('/').next().unwrap().to_owned();
    let fields = [("account", "100001"), ("change", id.as_str())];
    let mut olav = app.as_person(OLAV).await;
    for form in ["successors/answer", "owners/stop"] {
        let page = olav.post(&change, form, &fields).await;
        page.is(409).says("This was decided in the meantime");
    }
    assert!(owns(&mut app.as_person(MEI).await).await);
}

#[apply(on_both!)]
async fn a_successor_is_replaced_and_removed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    name(&app, &mut ingrid, MEI, "14").await.is(303);
    take_over(&mut app.as_person(MEI).await).await;
    // Other days don't change what waits.
    name(&app, &mut ingrid, MEI, "21").await.is(303);
    ingrid
        .get(BAKERY)
        .await
        .says("becomes an owner on Friday, 29 January unless one of you says no");
    let page = ingrid.get(&successor_page()).await;
    page.says(
        "Mei Tanaka has been the successor since Friday, 15 January, named by Ingrid Solberg",
    );
    assert!(page.input("id=\"wait_days\"").contains("value=\"21\""));
    // Another person does.
    name(&app, &mut ingrid, BJORN, "14").await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!page.body.contains("I'm here") && !page.row_of("mei@").contains("Successor"));
    assert!(page.row_of("bjorn@").contains("Successor"));
    let removed = OwnerNews::SuccessorRemoved { by: "Ingrid Solberg".into() };
    let stopped = OwnerNews::Stopped { by: "Ingrid Solberg".into() };
    let news = news_to(&app, MEI).await;
    for told in [removed.clone(), stopped] {
        assert!(news.contains(&(OwnerNewsReader::Person, told)));
    }
    app.as_person(MEI).await.get(&take_over_page()).await.is(404);

    let page = ingrid.get(&successor_page()).await;
    let answer = ingrid.fill_in(&page, "successors/remove", &[]).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("is the successor no longer");
    assert!(!page.body.contains("successors/remove"));
    assert_eq!(news_to(&app, BJORN).await[0], (OwnerNewsReader::Person, removed.clone()));
    assert_eq!(news_to(&app, OLAV).await[0], (OwnerNewsReader::Owner, removed));
    ingrid.get(&format!("{BAKERY}/log")).await.says("Removed as successor");
    app.as_person(BJORN).await.get(&take_over_page()).await.is(404);
    let nobody = [("account", "100001")];
    ingrid.post(&successor_page(), "successors/remove", &nobody).await.is(404);
}

#[apply(on_both!)]
async fn what_is_typed_wrong_is_told_at_its_field_and_stays(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (mei, olav, tom) = (app.id_of(MEI).await, app.id_of(OLAV).await, app.id_of(TOM).await);
    let page = ingrid.get(&successor_page()).await;
    for days in ["6", "61", "two weeks", "-14"] {
        let fields = [("successor", mei.as_str()), ("wait_days", days)];
        let page = ingrid.fill_in(&page, "successors/name", &fields).await;
        page.is(422).says("Enter a whole number of days from 7 to 60");
        assert!(page.input("id=\"wait_days\"").contains(&format!("value=\"{days}\"")));
        let chosen = page.body.split("<option").find(|option| option.contains(&mei)).unwrap();
        assert!(chosen.split('>').next().unwrap().contains("selected"), "{chosen}");
    }
    for somebody in ["", "x", "00000000-0000-0000-0000-000000000000", tom.as_str()] {
        let fields = [("account", "100001"), ("successor", somebody), ("wait_days", "14")];
        let page = ingrid.post(&successor_page(), "successors/name", &fields).await;
        page.is(422).says("Choose somebody who is in the account");
    }
    let fields = [("account", "100001"), ("successor", olav.as_str()), ("wait_days", "14")];
    let page = ingrid.post(&successor_page(), "successors/name", &fields).await;
    page.is(409).says("This person is an owner already");
    let odd = [("account", "100001"), ("change", "x")];
    ingrid.post(&format!("{BAKERY}/owners/x"), "successors/answer", &odd).await.is(404);
    assert!(app.latchkey.store.successor(app.account_of(INGRID).await).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn each_step_takes_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    app.forward_hours(1);
    let page = name(&app, &mut ingrid, MEI, "20").await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(page.hidden("kept.wait_days"), "20", "what was chosen is kept");
    let page = ingrid.fill_in(&page, "sign-in/confirm", &[("password", PASSWORD)]).await;
    ingrid.go_on(&page).await.says("Mei Tanaka is the successor now");
    let page = mei.open_and_fill_in(&take_over_page(), "successors/take-over", &[]).await;
    page.is(401).says("Confirm that it is you");
    assert_eq!(told_of_takeover(&app, OLAV).await, (0, 0));
    app.forward_hours(1);
    let page = ingrid.open_and_fill_in(&successor_page(), "successors/remove", &[]).await;
    page.is(401).says("Confirm that it is you");
}

#[apply(on_both!)]
async fn all_permissions_together_name_no_successor_and_make_none(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(AMIRA, [Terms::whole(PermissionSet::all())]).await;
    let (mut amira, mut ingrid) = (app.as_person(AMIRA).await, app.as_person(INGRID).await);
    name(&app, &mut ingrid, MEI, "14").await.is(303);
    let change = take_over(&mut app.as_person(MEI).await).await;
    let id = change.rsplit('/').next().unwrap().to_owned();
    let page = amira.get(&format!("{BAKERY}/users")).await;
    assert!(page.row_of("mei@").contains("Successor"));
    assert!(!page.body.contains("Name a successor") && !page.body.contains("I'm here"));
    amira.get(&successor_page()).await.is(403).says("Only owners of the account can do this");
    let own = app.id_of(AMIRA).await;
    let fields = [
        ("account", "100001"),
        ("successor", own.as_str()),
        ("wait_days", "7"),
        ("change", id.as_str()),
    ];
    amira.post(&successor_page(), "successors/name", &fields).await.is(403);
    amira.post(&successor_page(), "successors/remove", &fields).await.is(403);
    amira.post(&change, "successors/answer", &fields).await.is(404);
    amira.get(&take_over_page()).await.is(404);
    amira.post(&take_over_page(), "successors/take-over", &fields).await.is(404);
    // Nor is it an owner's to take over, or to end what is no takeover.
    ingrid.get(&take_over_page()).await.is(404);
    ingrid.post(&take_over_page(), "successors/take-over", &fields).await.is(404);
    let bjorn = app.id_of(BJORN).await;
    let make = format!("{BAKERY}/users/{bjorn}/owner");
    ingrid.open_and_fill_in(&make, "owners/make", &[]).await.is(303);
    let account = app.account_of(INGRID).await;
    let open = app.latchkey.store.open_owner_changes(account, 9).await.unwrap();
    let made = open.iter().find(|change| !change.is_takeover()).unwrap().id.to_string();
    let fields = [("account", "100001"), ("change", made.as_str())];
    ingrid.post(&format!("{BAKERY}/owners/{made}"), "successors/answer", &fields).await.is(404);
}

#[apply(on_both!)]
async fn another_account_is_as_if_it_were_not_there(db: TestDatabase) {
    let app = TestApp::new(db).await;
    name(&app, &mut app.as_person(INGRID).await, BJORN, "14").await.is(303);
    let change = take_over(&mut app.as_person(BJORN).await).await;
    let id = change.rsplit('/').next().unwrap().to_owned();
    // Mei owns the agency.
    let mut mei = app.as_person(MEI).await;
    let elsewhere = format!("/accounts/100002/owners/{id}");
    let fields = [("account", "100002"), ("change", id.as_str())];
    mei.post(&elsewhere, "successors/answer", &fields).await.is(410);
    let mut tom = app.as_person(TOM).await;
    for path in [successor_page(), take_over_page()] {
        tom.get(&path).await.is(404);
        app.browser().get(&path).await.is(302);
    }
}

#[apply(on_both!)]
async fn whoever_is_paused_is_neither_named_nor_takes_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let manage = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    ingrid.open_and_fill_in(&manage, "users/pause-access", &[]).await.is(303);
    let page = ingrid.get(&successor_page()).await;
    assert!(!page.is(200).body.contains("Mei Tanaka ("));
    let mei = app.id_of(MEI).await;
    let fields = [("account", "100001"), ("successor", mei.as_str()), ("wait_days", "14")];
    let page = ingrid.post(&successor_page(), "successors/name", &fields).await;
    page.is(409).says("The access of this person is paused");
    ingrid.open_and_fill_in(&manage, "users/resume-access", &[]).await.is(303);
    name(&app, &mut ingrid, MEI, "7").await.is(303);
    let mut mei = app.as_person(MEI).await;
    take_over(&mut mei).await;
    ingrid.open_and_fill_in(&manage, "users/pause-access", &[]).await.is(303);
    // At once nobody waits any more, and nobody is shown as somebody who could.
    assert!(!ingrid.get(BAKERY).await.is(200).body.contains("I'm here"));
    mei.get(&take_over_page()).await.is(403);
    let page = mei.get("/accounts").await;
    assert!(!page.body.contains(&take_over_page()) && !page.body.contains("Successor"));
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!users.row_of("mei@").contains("Successor"));
    ingrid.get(&successor_page()).await.is(200).says(
        "Mei Tanaka can't take the account over at present: their access is paused or has ended.",
    );
    ingrid.open_and_fill_in(&manage, "users/resume-access", &[]).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("mei@").contains("Successor"));
    let page = ingrid.get(&successor_page()).await;
    assert!(!page.body.contains("take the account over at present"));
    ingrid.open_and_fill_in(&manage, "users/pause-access", &[]).await.is(303);
    app.forward_hours(7 * 24);
    assert_eq!(domain::owner_changes::settle(&app.latchkey).await, Ok(0));
    app.as_person(MEI).await.get(BAKERY).await.is(403).says("Your access is paused");
    for (person, reader) in [(MEI, OwnerNewsReader::Person), (OLAV, OwnerNewsReader::Owner)] {
        assert_eq!(news_to(&app, person).await[0], (reader, OwnerNews::Lapsed));
    }
}

#[apply(on_both!)]
async fn whoever_loses_access_is_no_successor_any_more(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    name(&app, &mut ingrid, MEI, "7").await.is(303);
    take_over(&mut mei).await;
    let remove = format!("{BAKERY}/users/{}/remove", app.id_of(MEI).await);
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    mei.get(&take_over_page()).await.is(404);
    assert!(!ingrid.get(BAKERY).await.is(200).body.contains("I'm here"));
    app.forward_hours(8 * 24);
    app.as_person(MEI).await.get(BAKERY).await.is(404);
}

#[apply(on_both!)]
async fn through_somebody_elses_eyes_nothing_of_it_is_seen(db: TestDatabase) {
    let app = TestApp::new(db).await;
    name(&app, &mut app.as_person(INGRID).await, MEI, "7").await.is(303);
    // The successor's eyes, and the successor through others'.
    let mut amira = app.as_person(AMIRA).await;
    let meis = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    amira.open_and_fill_in(&meis, "eyes/begin", &[]).await.is(303);
    assert!(!amira.get(BAKERY).await.is(200).body.contains("Take over"));
    amira.get(&take_over_page()).await.is(404);
    name(&app, &mut app.as_person(INGRID).await, AMIRA, "7").await.is(303);
    assert!(!amira.get(BAKERY).await.is(200).body.contains("Take over"));
    amira.get(&take_over_page()).await.is(404);
    amira.open_and_fill_in(BAKERY, "eyes/end", &[]).await.is(303);
    amira.get(BAKERY).await.says("Take over Nordlys Bakeri AS");
}

#[apply(on_both!)]
async fn it_is_asked_for_three_times_in_thirty_days_and_no_more(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    name(&app, &mut ingrid, MEI, "7").await.is(303);
    for _ in 0..3 {
        take_over(&mut mei).await;
        ingrid.open_and_fill_in(BAKERY, "successors/answer", &[]).await.is(303);
    }
    let page = mei.open_and_fill_in(&take_over_page(), "successors/take-over", &[]).await;
    page.is(429).says("as often as you can in 30 days");
    app.forward_hours(30 * 24);
    take_over(&mut app.as_person(MEI).await).await;
}

#[apply(on_both!)]
async fn every_page_of_an_owner_tells_of_a_takeover(db: TestDatabase) {
    let app = TestApp::new(db).await;
    name(&app, &mut app.as_person(INGRID).await, MEI, "14").await.is(303);
    let change = take_over(&mut app.as_person(MEI).await).await;
    let told = "Mei Tanaka asked to take over Nordlys Bakeri AS on Friday, 15 January, and becomes \
                an owner on Friday, 29 January unless an owner says no.";
    let link = format!("href=\"{change}\"");
    let mut olav = app.as_person(OLAV).await;
    for path in ["/profile", "/security", "/help", "/help/account", "/profile/delete"] {
        let page = olav.get(path).await;
        page.is(200).says(told);
        assert!(page.body.contains(&link), "{path}");
    }
    // Coming from the account, too.
    let page = olav.get("/profile?account=100001").await;
    page.is(200).says(told);
    // And of several accounts it is told which: Mei owns the agency, and is told of nothing.
    let mut mei = app.as_person(MEI).await;
    for path in ["/accounts", "/profile"] {
        assert!(!mei.get(path).await.is(200).body.contains("unless an owner says no"), "{path}");
    }
    let agency = model::AccountNumber::from_stored(100_002);
    let agency = app.latchkey.store.account(agency).await.unwrap();
    let olavs = app.latchkey.store.login(&model::EmailAddress::parse(OLAV.email).unwrap()).await;
    let olavs = olavs.unwrap().unwrap().id;
    let (nothing, now) = (model::Access::NONE, app.latchkey.now());
    app.latchkey.store.add_member(agency, olavs, nothing, now).await.unwrap();
    let page = olav.get("/accounts").await;
    page.is(200).says(told);
    assert_eq!(page.body.matches(&link).count(), 1, "once, at the account");
    assert!(!page.body.contains("notice notice-warning\""));
    let page = olav.get("/accounts?search=Fjord").await;
    page.is(200).says(told);
    assert!(page.body.contains("notice notice-warning\""), "the account isn't among those found");

    olav.open_and_fill_in(BAKERY, "successors/answer", &[]).await.is(303);
    for path in ["/accounts", "/profile"] {
        assert!(!olav.get(path).await.is(200).body.contains("asked to take over"), "{path}");
    }
}

#[apply(on_both!)]
async fn the_file_of_users_marks_who_becomes_an_owner_and_the_successor(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    name(&app, &mut ingrid, MEI, "14").await.is(303);
    let make = format!("{BAKERY}/users/{}/owner", app.id_of(BJORN).await);
    ingrid.open_and_fill_in(&make, "owners/make", &[]).await.is(303);
    let csv = format!("{BAKERY}/users.csv");
    let rows = ingrid.get(&csv).await.is(200).body.clone();
    assert!(rows.lines().next().unwrap().ends_with("becomes an owner (UTC),successor"), "{rows}");
    let row = |rows: &str, of: &str| rows.lines().find(|row| row.contains(of)).unwrap().to_owned();
    assert!(row(&rows, "bjorn@").ends_with(",asked,"), "{rows}");
    assert!(row(&rows, "mei@").ends_with(",,yes"), "{rows}");
    assert!(row(&rows, "olav@").ends_with(",,"), "{rows}");
    take_over(&mut app.as_person(MEI).await).await;
    let rows = ingrid.get(&csv).await.body.clone();
    assert!(row(&rows, "mei@").contains(",2027-01-29"), "{rows}");
    let manage = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    ingrid.open_and_fill_in(&manage, "users/pause-access", &[]).await.is(303);
    let rows = ingrid.get(&csv).await.body.clone();
    assert!(row(&rows, "mei@").ends_with(",,"), "{rows}");
}
