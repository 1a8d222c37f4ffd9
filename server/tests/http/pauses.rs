//! Access that is paused, by hand or by its end, and what is told of ends.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, TOM};
use model::{Mail, Permission, PermissionSet, Terms};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

use Permission::{AccountUsers, BillingPay, BillingView, SupportView};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: i64 = 24;
const CLOSED: [&str; 5] = ["", "/billing", "/users", "/log", "/log.csv"];

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// These permissions on everything, for so many hours.
fn lasting(app: &TestApp, permissions: &[Permission], hours: u32) -> Terms {
    let until = Some(app.latchkey.now().after(hours * HOUR));
    Terms { until, ..Terms::whole(set(permissions)) }
}

async fn page_of(app: &TestApp, person: DemoPerson) -> String {
    format!("{BAKERY}/users/{}", app.id_of(person).await)
}

/// A form about somebody, typed out whole.
async fn forge(
    app: &TestApp,
    browser: &mut Browser,
    person: DemoPerson,
    form: &str,
    more: &[(&str, &str)],
) -> Page {
    let id = app.id_of(person).await;
    let fields = [&[("account", "100001"), ("user", id.as_str())][..], more].concat();
    browser.post(&page_of(app, person).await, form, &fields).await
}

async fn tell_of_ends(app: &TestApp) -> usize {
    domain::ends::tell(&app.latchkey).await.unwrap()
}

async fn mails_of(app: &TestApp, person: DemoPerson, kind: &str) -> usize {
    app.mails_to(person.email).await.iter().filter(|known| **known == kind).count()
}

#[apply(on_sqlite!)]
async fn why_access_is_resumed_stands_in_the_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    for reason in [&[("pause_reason", "Back from leave")][..], &[]] {
        ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
        let page = ingrid.get(&path).await;
        page.is(200).says("Reason for resuming");
        ingrid.fill_in(&page, "users/resume-access", reason).await.is(303);
    }
    let log = ingrid.get(&format!("{BAKERY}/log?kind=access.resumed")).await;
    log.is(200);
    assert_eq!(log.words().matches("Back from leave").count(), 1);
    let csv = ingrid.get(&format!("{BAKERY}/log.csv?kind=access.resumed")).await;
    assert_eq!(csv.body.matches("Back from leave").count(), 1, "{}", csv.body);
    let long = "x".repeat(201);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let page = ingrid.get(&path).await;
    let page = ingrid.fill_in(&page, "users/resume-access", &[("pause_reason", &long)]).await;
    page.is(422);
}

#[apply(on_both!)]
async fn whoever_is_paused_finds_the_account_closed_and_gets_it_back_as_it_was(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let reason = [("pause_reason", "On leave until May")];
    let answer = ingrid.open_and_fill_in(&path, "users/pause-access", &reason).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Access paused for Bjørn Lie");
    page.says("Paused since Friday, 15 January · by Ingrid Solberg · Reason: On leave until May");

    for end in CLOSED {
        let page = bjorn.get(&format!("{BAKERY}{end}")).await;
        page.is(403).says("Your access is paused");
        page.says("Your access to Nordlys Bakeri AS has been paused since Friday, 15 January.");
        page.says("Ingrid Solberg gave this reason: “On leave until May”.");
        page.says("Ask Ingrid Solberg and Olav Solberg.");
    }
    bjorn.invite("kari@nordlys.example", &["billing.view"]).await.is(403);
    bjorn.get("/help/users").await.is(200);
    // It is his only account, and stands in the list all the same.
    bjorn.get("/accounts").await.is(200).says("Paused since Friday, 15 January");
    let mut again = app.as_person(BJORN).await;
    again.get(BAKERY).await.is(403);
    assert_eq!(mails_of(&app, BJORN, "access_paused").await, 1);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("bjorn@").contains("Paused since Friday, 15 January"));
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Access paused: Bjørn Lie");
    log.says("Reason: On leave until May");

    let answer = ingrid.open_and_fill_in(&path, "users/resume-access", &[]).await;
    ingrid.go_on(&answer).await.says("Access resumed for Bjørn Lie");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    assert_eq!(mails_of(&app, BJORN, "access_paused").await, 2);
    ingrid.get(&format!("{BAKERY}/log")).await.says("Access resumed: Bjørn Lie");
}

#[apply(on_both!)]
async fn pausing_takes_the_right_to_manage_users_and_no_more(db: TestDatabase) {
    let app = TestApp::new(db).await;
    // She holds none of what Mei does with domains.
    let mut amira = app.as_person(AMIRA).await;
    let path = page_of(&app, MEI).await;
    amira.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    app.as_person(MEI).await.get(BAKERY).await.is(403);
    let again = forge(&app, &mut amira, MEI, "users/pause-access", &[]).await;
    again.is(409).says("Somebody else changed this");
    amira.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    forge(&app, &mut amira, MEI, "users/resume-access", &[]).await.is(303);
    let long = "x".repeat(201);
    let page = forge(&app, &mut amira, MEI, "users/pause-access", &[("pause_reason", &long)]).await;
    page.is(422).says("200 characters at most");

    let mut bjorn = app.as_person(BJORN).await;
    for form in ["users/pause-access", "users/resume-access"] {
        for owner in [INGRID, OLAV] {
            forge(&app, &mut amira, owner, form, &[]).await.is(409);
        }
        forge(&app, &mut amira, AMIRA, form, &[]).await.is(409);
        forge(&app, &mut bjorn, MEI, form, &[]).await.is(403);
        forge(&app, &mut amira, TOM, form, &[]).await.is(404);
    }
    let page = amira.get(&page_of(&app, OLAV).await).await;
    assert!(!page.body.contains("users/pause-access"));
}

#[apply(on_both!)]
async fn a_stale_tab_resumes_nobody_from_another_pause(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = page_of(&app, BJORN).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let hers = ingrid.get(&path).await;
    app.forward_seconds(1);
    olav.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    let reason = [("pause_reason", "A laptop was stolen")];
    olav.open_and_fill_in(&path, "users/pause-access", &reason).await.is(303);
    let page = ingrid.fill_in(&hers, "users/resume-access", &[]).await;
    page.is(409).says("Somebody else changed this");
    page.says("Reason: A laptop was stolen");
    ingrid.fill_in(&page, "users/resume-access", &[]).await.is(303);
    app.as_person(BJORN).await.get(BAKERY).await.is(200);
}

#[apply(on_both!)]
async fn whoever_is_paused_may_leave(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = page_of(&app, BJORN).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let leave = format!("{BAKERY}/leave");
    assert!(bjorn.get(BAKERY).await.body.contains(&format!("href=\"{leave}\"")));
    bjorn.open_and_fill_in(&leave, "account/leave", &[]).await.is(303);
    bjorn.get(BAKERY).await.is(404);
}

#[apply(on_both!)]
async fn what_a_paused_person_offered_opens_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(AMIRA).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = page_of(&app, AMIRA).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    app.browser().get(&link).await.is(410).says("can no longer give access");
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains("can no longer give all of this"));
    ingrid.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    app.browser().get(&link).await.is(200);
}

#[apply(on_both!)]
async fn what_ended_is_given_anew_with_one_click(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [lasting(&app, &[BillingPay], 1)]).await;
    app.forward_hours(1);
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.get(&format!("{BAKERY}/billing")).await;
    page.is(403).says("Your access to Nordlys Bakeri AS ended on Friday, 15 January, as agreed.");
    page.says("Ask Ingrid Solberg and Olav Solberg.");
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = users.row_of("bjorn@");
    assert!(row.contains("ended on Friday, 15 January, as agreed"));
    assert!(row.contains(&format!("href=\"{path}#anew\"")));

    // Who can't pay gives nobody the right to.
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&path).await;
    page.is(200).says("You can't give this anew");
    let page = ingrid.get(&path).await;
    assert!(page.input("id=\"billing.pay\"").contains("checked"));
    let grant = page.hidden("grant");
    let fields = [("grant", grant.as_str())];
    forge(&app, &mut amira, BJORN, "users/renew-access", &fields).await.is(403);

    let answer = ingrid.fill_in(&page, "users/renew-access", &[]).await;
    ingrid.go_on(&answer).await.says("Access given anew to Bjørn Lie");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    app.forward_hours(9_000);
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    let mut ingrid = app.as_person(INGRID).await;
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Access given anew: Bjørn Lie");
    forge(&app, &mut ingrid, BJORN, "users/renew-access", &fields).await.is(409);
    assert!(app.mails_to(BJORN.email).await.contains(&"permissions_changed"));
}

#[apply(on_both!)]
async fn what_is_given_anew_ends_with_its_givers_own_access(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [lasting(&app, &[BillingView], 1)]).await;
    app.hold(AMIRA, [lasting(&app, &[AccountUsers, BillingView], 72)]).await;
    app.forward_hours(1);
    let mut amira = app.as_person(AMIRA).await;
    let path = page_of(&app, BJORN).await;
    amira.open_and_fill_in(&path, "users/renew-access", &[]).await.is(303);
    app.as_person(BJORN).await.get(&format!("{BAKERY}/billing")).await.is(200);
    let users = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("bjorn@").contains("until Monday, 18 January"), "its end is near");
    app.forward_hours(71);
    app.as_person(BJORN).await.get(&format!("{BAKERY}/billing")).await.is(403);
}

#[apply(on_both!)]
async fn an_end_is_told_to_both_a_week_and_a_day_before_and_when_it_comes(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let support = Terms::whole(set(&[SupportView]));
    app.hold(MEI, [support, lasting(&app, &[BillingView], 30 * 24)]).await;
    let mut number = 0;
    for (hours, told) in [(23 * DAY - 1, 0), (1, 1), (6 * DAY - 1, 0), (1, 1), (DAY, 1), (DAY, 0)] {
        app.forward_hours(hours);
        assert_eq!(tell_of_ends(&app).await, told);
        assert_eq!(tell_of_ends(&app).await, 0, "once");
        number += told;
        assert_eq!(mails_of(&app, MEI, "access_ends").await, number);
        assert_eq!(mails_of(&app, INGRID, "given_ends").await, number);
    }
    for person in [AMIRA, OLAV, BJORN] {
        assert_eq!(mails_of(&app, person, "given_ends").await, 0);
    }
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let given = mails.iter().find(|mail| mail.mail.kind().id() == "given_ends").unwrap();
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("/demo/mailbox/{}", given.id)).await;
    page.is(200).says("What you gave in Nordlys Bakeri AS has ended");
    page.says("Mei Tanaka (mei@fjordpixel.example): see invoices");
}

#[apply(on_both!)]
async fn however_much_ends_at_once_is_told_in_one_mail_each(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, std::array::from_fn::<_, 60, _>(|_| lasting(&app, &[BillingView], 240))).await;
    app.hold(MEI, std::array::from_fn::<_, 60, _>(|_| lasting(&app, &[SupportView], 240))).await;
    app.forward_hours(9 * DAY);
    assert_eq!(tell_of_ends(&app).await, 120);
    assert_eq!(tell_of_ends(&app).await, 0, "once");
    for person in [BJORN, MEI] {
        assert_eq!(mails_of(&app, person, "access_ends").await, 1);
    }
    assert_eq!(mails_of(&app, INGRID, "given_ends").await, 1);
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let told = mails.iter().find_map(|mail| match &mail.mail {
        Mail::GivenEnds { given, .. } => Some(given),
        _ => None,
    });
    let told = told.unwrap().iter().map(|given| given.ending.iter().count());
    assert_eq!(told.collect::<Vec<_>>(), [60, 60]);
}

#[apply(on_both!)]
async fn of_several_stages_that_are_due_only_the_latest_is_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [lasting(&app, &[BillingView], 10 * 24)]).await;
    app.forward_hours(11 * DAY);
    assert_eq!(tell_of_ends(&app).await, 1);
    assert_eq!(mails_of(&app, BJORN, "access_ends").await, 1);
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mail = mails.iter().find(|mail| mail.mail.kind().id() == "access_ends").unwrap();
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("/demo/mailbox/{}", mail.id)).await;
    page.says("What you were given in Nordlys Bakeri AS has ended");
}

#[apply(on_both!)]
async fn nodes_that_tell_at_once_send_one_mail_each(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [lasting(&app, &[BillingView], 10 * 24)]).await;
    app.forward_hours(9 * DAY);
    let (one, other) =
        tokio::join!(domain::ends::tell(&app.latchkey), domain::ends::tell(&app.latchkey));
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(mails_of(&app, BJORN, "access_ends").await, 1);
    assert_eq!(mails_of(&app, INGRID, "given_ends").await, 1);
}
