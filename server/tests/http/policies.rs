//! What an account's owners require of everybody who enters it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PASSWORD, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp, post};

const POLICY: &str = "/accounts/100001/policy";
const DAY: i64 = 24;

async fn require(browser: &mut Browser, days: &str) -> Page {
    let fields = [("account", "100001"), ("days", days)];
    browser.post(POLICY, "policies/demand-factor", &fields).await
}

async fn limit(browser: &mut Browser, domains: &str) -> Page {
    let fields = [("account", "100001"), ("domains", domains)];
    browser.post(POLICY, "policies/limit-domains", &fields).await
}

async fn bound(browser: &mut Browser, idle: &str, absolute: &str) -> Page {
    let fields = [("account", "100001"), ("session_idle", idle), ("session_absolute", absolute)];
    browser.post(POLICY, "policies/bound-sessions", &fields).await
}

/// Ingrid with an app, who may require one of others.
async fn ingrid_with_app(app: &TestApp) -> (Browser, String) {
    let mut ingrid = app.as_person(INGRID).await;
    let (key, _) = app.turn_app_on(&mut ingrid).await;
    (ingrid, key)
}

/// Somebody signed in anew by their app.
async fn with_code(app: &TestApp, person: DemoPerson, key: &str) -> Browser {
    let mut browser = app.browser();
    browser.sign_in(person.email, PASSWORD).await.is(303);
    let code = app.next_code(key);
    let fields = [("code", code.as_str()), ("next", BAKERY)];
    browser.post("/sign-in/second-factor", "sign-in/second-factor", &fields).await.is(303);
    browser
}

async fn reminders_to(app: &TestApp, person: DemoPerson) -> usize {
    let mails = app.mails_to(person.email).await;
    mails.iter().filter(|kind| **kind == "second_factor_demanded").count()
}

async fn send_reminders(app: &TestApp) -> usize {
    domain::policies::send_reminders(&app.latchkey).await.unwrap()
}

/// What any server function takes.
const EVERYTHING: &str = "account=100001&user=x&change=x&invitation=x&grant=x&request=x&start=&search=&sort=&after=&pending_after=\
    &person=&kind=&email=&account_name=x&days=1&domains=&session_idle=&session_absolute=\
    &guide=security&next=&area=services";

/// What pages of a thing take besides. Forms may take several things.
const THINGS: &str = "permission=x&service=x&domain=x";

/// The server functions that are about no account.
fn is_elsewhere(path: &str) -> bool {
    let elsewhere = [
        "eyes/end",
        "accounts/",
        "sign-in",
        "sign-out",
        "profile/",
        "email/",
        "security/",
        "invitations/",
        "demo/",
        "help/feedback",
        "language",
    ];
    elsewhere.iter().any(|prefix| path.trim_start_matches("/api/").starts_with(prefix))
}

#[apply(on_both!)]
async fn only_owners_see_and_set_the_policy(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(POLICY).await;
    page.is(403).says("You don't have access to Security rules");
    page.says("Only owners of the account can do this");
    page.says(INGRID.name);
    require(&mut amira, "14").await.is(403).says("Only owners");
    limit(&mut amira, "nordlys.example").await.is(403);
    bound(&mut amira, "30", "").await.is(403);
    for form in ["policies/demand-no-factor", "policies/remind"] {
        amira.post(POLICY, form, &[("account", "100001")]).await.is(403);
    }
    let mut tom = app.as_person(TOM).await;
    tom.get(POLICY).await.is(404);
    require(&mut tom, "14").await.is(404);
    app.browser().get(POLICY).await.is(302);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(POLICY).await.is(200).says("Second factor for everybody");
    let details = ingrid.get(&format!("{BAKERY}/account")).await;
    assert!(details.body.contains(&format!("href=\"{POLICY}\"")));
}

#[apply(on_both!)]
async fn owners_find_the_rules_and_what_they_are_for(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let users = format!("{BAKERY}/users");
    let line = "0 of 5 users have a second factor. Require it";
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&users).await;
    page.is(200).says(line);
    assert!(page.between("class=\"areas\"", "</nav>").contains(&format!("href=\"{POLICY}\"")));
    let page = app.as_person(AMIRA).await.get(&users).await;
    assert!(!page.is(200).body.contains(POLICY) && !page.words().contains("Require it"));
    for path in [POLICY.to_owned(), format!("{BAKERY}/single-sign-on")] {
        let page = ingrid.get(&path).await;
        let areas = page.between("class=\"areas\"", "</nav>");
        let here = areas.split("aria-current=\"page\"").nth(1).unwrap();
        assert!(here.split("</a>").next().unwrap().contains("Security rules"), "{path}: {areas}");
    }
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    ingrid.get(&users).await.says("1 of 5 users have a second factor.");
    require(&mut ingrid, "14").await.is(303);
    let page = ingrid.get(&users).await;
    assert!(!page.words().contains("Require it"), "it is required by now");
}

#[apply(on_both!)]
async fn the_usual_times_are_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.get(POLICY).await;
    page.is(200).says("24 hours (usual)");
    page.says("30 days (usual)");
}

#[apply(on_both!)]
async fn who_has_no_second_factor_requires_none(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(POLICY).await;
    page.is(200).says("You have no second factor yourself yet");
    assert!(!page.body.contains("policies/demand-factor"));
    let page = require(&mut ingrid, "14").await;
    page.is(409).says("you can't require one of others");
    assert!(page.body.contains("href=\"/security?account=100001\""), "where to set one up");
    assert_eq!(reminders_to(&app, OLAV).await, 0);
    ingrid.get(POLICY).await.says("People can enter with their password alone");
}

#[apply(on_both!)]
async fn a_second_factor_is_required_with_days_to_set_it_up(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    for (days, words) in [("31", "from 0 to 30"), ("", "from 0 to 30"), ("soon", "from 0 to 30")] {
        let page = require(&mut ingrid, days).await;
        page.is(422).says(words);
        assert!(page.input("name=\"days\"").contains(&format!("value=\"{days}\"")));
    }
    let page = ingrid.get(POLICY).await;
    assert!(page.input("name=\"days\"").contains("value=\"14\""), "the usual number");
    for name in [OLAV.name, AMIRA.name, BJORN.name, MEI.name] {
        page.says(name);
    }
    let lacking = page.between("<caption", "</table>");
    assert!(!lacking.contains(INGRID.name), "she has one");

    require(&mut ingrid, "14").await.is(303);
    let page = ingrid.get(POLICY).await;
    page.says("A second factor is required of everybody now");
    page.says(
        "From Saturday, 30 January on, Nordlys Bakeri AS opens only for those who have a second",
    );
    for person in [OLAV, AMIRA, BJORN, MEI] {
        assert_eq!(reminders_to(&app, person).await, 1, "{}", person.name);
    }
    assert_eq!(reminders_to(&app, INGRID).await, 0);
    for owner in [INGRID, OLAV] {
        assert!(app.mails_to(owner.email).await.contains(&"policy_changed"));
    }
    assert!(!app.mails_to(AMIRA.email).await.contains(&"policy_changed"));
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Rule on second factors changed");
    log.says("Before: no second factor required");
    log.says("Now: second factor required from Saturday, 30 January");
    let csv = ingrid.get(&format!("{BAKERY}/log.csv")).await;
    assert!(csv.body.contains("policy.second_factor,,2027-01-30 00:0"), "{}", csv.body);
    require(&mut ingrid, "3").await.is(409).says("Somebody else changed this");
}

#[apply(on_both!)]
async fn until_the_day_it_is_said_and_from_then_on_nothing_opens(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, key) = ingrid_with_app(&app).await;
    require(&mut ingrid, "14").await.is(303);
    let mut mei = app.as_person(MEI).await;
    let page = mei.get(BAKERY).await;
    page.is(200).says("this account opens only for those who have a second factor");
    let elsewhere = mei.get(AGENCY).await;
    assert!(!elsewhere.words().contains("only for those who have a second factor"));
    assert!(!ingrid.get(BAKERY).await.words().contains("only for those who have a second factor"));

    app.forward_hours(14 * DAY + 15);
    let mut mei = app.as_person(MEI).await;
    mei.get(BAKERY).await.is(200).says("From Saturday, 30 January on, this account opens only");
    app.forward_hours(1);
    let mut ingrid = with_code(&app, INGRID, &key).await;
    ingrid.get(BAKERY).await.is(200);
    let mut mei = app.as_person(MEI).await;
    let paths = [
        "",
        "/services",
        "/domains",
        "/users",
        "/users.csv",
        "/log",
        "/log.csv",
        "/account",
        "/policy",
        "/leave",
    ];
    for path in paths {
        let page = mei.get(&format!("{BAKERY}{path}")).await;
        page.is(403).says("This account needs a second factor");
        page.says("Your other accounts stay as they are");
        assert!(page.body.contains("href=\"/security?account=100001\""), "{path}");
        assert!(!page.words().contains("Nordlys"), "{path} tells nothing else");
    }
    mei.get(AGENCY).await.is(200);
    mei.get("/accounts").await.is(200).says("Nordlys Bakeri AS");
    mei.get("/help/users").await.is(200);
    let page = mei.invite("kari@elsewhere.example", &["services.view"]).await;
    page.is(403).says("This account needs a second factor");
    assert!(page.body.contains("value=\"kari@elsewhere.example\""), "what was typed is kept");

    app.turn_app_on(&mut mei).await;
    mei.get(BAKERY).await.is(200);
}

/// Every server function about the account is refused to this browser, but those whose path begins so:
/// with this code, and by a form with these words.
async fn is_closed(browser: &mut Browser, code: &str, sentence: &str, open: Option<&str>) {
    let is_open = |path: &str| open.is_some_and(|open| path.starts_with(open));
    let known: BTreeSet<_> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| (path.to_owned(), method.to_string()))
        .filter(|(path, _)| !is_elsewhere(path) && !is_open(path))
        .collect();
    assert!(known.len() > 25, "{known:?}");
    for (path, method) in known {
        let (request, words) = if method == Method::GET.as_str() {
            let request = Request::get(format!("{path}?{EVERYTHING}&{THINGS}"));
            (request.body(Body::empty()).unwrap(), code)
        } else {
            let form = path.trim_start_matches("/api/");
            let page = app::forms::pages_with(form)[0].replace("{account}", "100001");
            let page = ["{user}", "{invitation}", "{request}", "{grant}", "{change}"]
                .iter()
                .fold(page, |page, name| page.replace(name, "x"));
            (post(&page, format!("form={form}&{EVERYTHING}")), sentence)
        };
        let (mut head, body) = request.into_parts();
        head.headers.insert(header::ACCEPT, "application/json".parse().unwrap());
        let answer = browser.send(Request::from_parts(head, body)).await;
        assert_eq!(answer.status.as_u16(), 403, "{method} {path}: {}", answer.body);
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
}

#[apply(on_both!)]
async fn no_server_function_of_a_closed_account_answers(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    require(&mut ingrid, "0").await.is(303);
    let mut olav = app.as_person(OLAV).await;
    is_closed(&mut olav, "no_second_factor", "require a second factor", None).await;
}

#[apply(on_both!)]
async fn no_server_function_answers_to_whoever_is_paused_but_that_for_leaving(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(AMIRA).await);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    is_closed(&mut amira, "\"paused\"", "has been paused since", Some("/api/account/leave")).await;
}

#[apply(on_both!)]
async fn with_no_days_it_is_needed_at_once_also_by_those_who_join(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    let mut bjorn = app.as_person(BJORN).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    ingrid.invite(TOM.email, &["billing.view"]).await.is(303);
    let (link, toms) =
        (app.invitation_link("kari@nordlys.example").await, app.invitation_link(TOM.email).await);
    require(&mut ingrid, "0").await.is(303);
    bjorn.get(BAKERY).await.is(403);
    bjorn.get("/help/users").await.is(200);
    let fields = [("full_name", "Kari Nordmann"), ("password", "a password of mine")];
    let mut kari = app.browser();
    let form = "invitations/join-with-new-login";
    let answer = kari.open_and_fill_in(&link, form, &fields).await;
    kari.go_on(&answer).await.is(403).says("This account needs a second factor");
    let mut tom = app.as_person(TOM).await;
    let answer = tom.open_and_fill_in(&toms, "invitations/join", &[]).await;
    tom.go_on(&answer).await.is(403).says("This account needs a second factor");
    tom.get(AGENCY).await.is(200);
    app.turn_app_on(&mut kari).await;
    kari.get(&format!("{BAKERY}/billing")).await.is(200);
    assert_eq!(send_reminders(&app).await, 1, "Tom, within the hour");
    assert_eq!(reminders_to(&app, TOM).await, 1);
}

#[apply(on_both!)]
async fn turning_the_app_off_says_what_closes_and_closes_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    let mut mei = app.as_person(MEI).await;
    let (key, _) = app.turn_app_on(&mut mei).await;
    let off = "/security/authenticator/off";
    assert!(!mei.get(off).await.words().contains("is required by"));
    require(&mut ingrid, "0").await.is(303);
    mei.get(BAKERY).await.is(200);
    mei.get(off).await.says("A second factor is required by Nordlys Bakeri AS.");
    let code = app.next_code(&key);
    mei.post(off, "security/turn-app-off", &[("code", &code)]).await.is(303);
    mei.get(BAKERY).await.is(403);
    mei.get(AGENCY).await.is(200);
}

#[apply(on_both!)]
async fn everybody_is_reminded_once_at_each_stage(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, key) = ingrid_with_app(&app).await;
    require(&mut ingrid, "14").await.is(303);
    assert_eq!(send_reminders(&app).await, 0, "they were told just now");
    app.forward_hours(11 * DAY + 15);
    assert_eq!(send_reminders(&app).await, 0);
    let mut bjorn = app.as_person(BJORN).await;
    app.turn_app_on(&mut bjorn).await;
    app.forward_hours(1);
    let (one, two) = tokio::join!(send_reminders(&app), send_reminders(&app));
    assert_eq!(one + two, 3, "three days before, however many nodes there are");
    app.forward_hours(3 * DAY);
    assert_eq!(send_reminders(&app).await, 3, "at the end");
    assert_eq!(send_reminders(&app).await, 0);
    assert_eq!(reminders_to(&app, AMIRA).await, 3);
    assert_eq!(reminders_to(&app, BJORN).await, 1);
    app.keep_all_mail().await;
    let mailbox = app.browser().get("/demo/mailbox").await;
    mailbox.says("Nordlys Bakeri AS will need a second factor from you");
    mailbox.says("Nordlys Bakeri AS needs a second factor from you now");

    let mut ingrid = with_code(&app, INGRID, &key).await;
    ingrid.open_and_fill_in(POLICY, "policies/demand-no-factor", &[]).await.is(303);
    app.as_person(AMIRA).await.get(BAKERY).await.is(200);
    assert_eq!(send_reminders(&app).await, 0);
}

#[apply(on_sqlite!)]
async fn the_days_end_where_the_account_is_and_are_told_as_days(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    let details = format!("{BAKERY}/account");
    let zone = [("account_name", "Nordlys Bakeri AS"), ("time_zone", "Asia/Tokyo")];
    ingrid.open_and_fill_in(&details, "account/change-details", &zone).await.is(303);
    // It is 17:00 there: tomorrow ends at 15:00 UTC.
    require(&mut ingrid, "1").await.is(303);
    ingrid.get(POLICY).await.says("From Sunday, 17 January on");
    let page = app.as_person(OLAV).await.get(BAKERY).await;
    page.is(200).says("From Sunday, 17 January on, this account opens only");
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(20).await.unwrap();
    let required = |mail: &&store::KeptMail| mail.mail.kind().id() == "second_factor_demanded";
    let mail = mails.iter().find(required).unwrap();
    let told = app::mails::Told {
        account: mail.time_zone.as_deref(),
        own: mail.own_zone.as_deref(),
        queued_at: mail.queued_at,
    };
    let written = app::mails::write(&mail.mail, mail.language.as_ref(), told, &app.site());
    assert!(written.text.contains("From Sunday, 17 January on"), "{}", written.text);
    app.forward_hours(DAY + 6);
    let mut olav = app.as_person(OLAV).await;
    olav.get(BAKERY).await.is(200);
    app.forward_hours(1);
    olav.get(BAKERY).await.is(403);
}

#[apply(on_both!)]
async fn requiring_and_lifting_again_mails_people_three_times_a_day(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    for _ in 0..3 {
        require(&mut ingrid, "14").await.is(303);
        ingrid.open_and_fill_in(POLICY, "policies/demand-no-factor", &[]).await.is(303);
        app.forward_seconds(60);
    }
    require(&mut ingrid, "14").await.is(429).says("They were reminded within the last day");
    assert_eq!(reminders_to(&app, AMIRA).await, 3);
}

#[apply(on_both!)]
async fn an_owner_reminds_everybody_once_a_day(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, key) = ingrid_with_app(&app).await;
    ingrid.post(POLICY, "policies/remind", &[("account", "100001")]).await.is(409);
    require(&mut ingrid, "14").await.is(303);
    app.forward_seconds(60);
    let answer = ingrid.open_and_fill_in(POLICY, "policies/remind", &[]).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Everybody without a second factor gets an email");
    assert_eq!(reminders_to(&app, AMIRA).await, 2);
    let page = ingrid.fill_in(&page, "policies/remind", &[]).await;
    page.is(429).says("They were reminded within the last day");
    assert_eq!(page.headers["retry-after"], "86400");
    assert_eq!(reminders_to(&app, AMIRA).await, 2);
    app.forward_hours(DAY);
    let mut ingrid = with_code(&app, INGRID, &key).await;
    ingrid.open_and_fill_in(POLICY, "policies/remind", &[]).await.is(303);
    assert_eq!(reminders_to(&app, AMIRA).await, 3);
}

#[apply(on_both!)]
async fn requiring_takes_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, _) = ingrid_with_app(&app).await;
    app.forward_seconds(601);
    require(&mut ingrid, "14").await.is(401).says("Confirm that it is you");
    limit(&mut ingrid, "nordlys.example").await.is(401);
    bound(&mut ingrid, "30", "").await.is(401);
    let kept = [
        ("password", PASSWORD),
        ("kept_form", "policies/demand-factor"),
        ("kept.account", "100001"),
        ("kept.days", "7"),
    ];
    ingrid.submit(POLICY, "sign-in/confirm", &kept).await.says("is required of everybody now");
}

#[apply(on_both!)]
async fn an_account_left_unused_asks_who_its_reader_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let page = bound(&mut ingrid, "17", "").await;
    page.is(422).says("Choose one of the times");
    let field = page.between(" id=\"session_idle\"", ">");
    assert!(field.contains("aria-describedby=\"session_idle-error\""), "{field}");
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    assert!(page.body.contains(" id=\"session_idle-error\""));
    bound(&mut ingrid, "30", "").await.is(303);
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Before: without use: The usual time, at the longest: The usual time");
    log.says("Now: without use: 30 minutes, at the longest: The usual time");
    for _ in 0..3 {
        app.forward_seconds(29 * 60);
        mei.get(&format!("{BAKERY}/domains")).await.is(200);
    }
    app.forward_seconds(31 * 60);
    mei.get(AGENCY).await.is(200);
    let path = format!("{BAKERY}/services?x=1");
    let page = mei.get(&path).await;
    page.is(401).says("Confirm that it is you");
    page.says("This account asks from time to time who you are");
    assert!(!page.body.contains("import init"), "the page is whole without the browser's half");
    assert!(!page.words().contains("Nordlys"));
    let kept = [("kept_form", page.hidden("kept_form")), ("kept.next", page.hidden("kept.next"))];
    let with = |password: &str| {
        let mut fields = vec![("password", password.to_owned())];
        fields.extend(kept.clone());
        fields
    };
    let send = async |browser: &mut Browser, password: &str| {
        let fields = with(password);
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        browser.post(&path, "sign-in/confirm", &fields).await
    };
    send(&mut mei, "wrong password").await.is(422).says("This password is wrong");
    let request = Request::get("/api/services/page?account=100001");
    let request = request.header(header::ACCEPT, "application/json");
    mei.send(request.body(Body::empty()).unwrap()).await.is(401);
    mei.get(&format!("{BAKERY}/log.csv")).await.is(401).says("Confirm that it is you");
    let page = send(&mut mei, PASSWORD).await;
    page.is(303);
    assert_eq!(page.leads_to(), path);
    mei.get(&path).await.is(200).says("Services");
}

#[apply(on_both!)]
async fn a_sign_in_opens_an_account_only_so_long_after_the_last_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    bound(&mut ingrid, "", "60").await.is(303);
    for _ in 0..3 {
        app.forward_seconds(20 * 60);
        mei.get(BAKERY).await.is(200);
    }
    app.forward_seconds(1);
    mei.get(BAKERY).await.is(401).says("Confirm that it is you");
    mei.get(AGENCY).await.is(200);
    app.as_person(MEI).await.get(BAKERY).await.is(200);
    // What was typed waits behind the question.
    let page = mei.invite("kari@nordlys.example", &["services.view"]).await;
    page.is(401);
    assert!(page.body.contains("name=\"kept.email\" value=\"kari@nordlys.example\""));
}

#[apply(on_both!)]
async fn invitations_go_to_the_domains_that_owners_chose(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@elsewhere.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@elsewhere.example").await;
    let page = limit(&mut ingrid, "nordlys.example, no domain at all").await;
    page.is(422).says("Enter domains such as example.com");
    assert!(page.input("name=\"domains\"").contains("no domain at all"));
    limit(&mut ingrid, "Nordlys.example bücher.example").await.is(303);
    let page = ingrid.get(POLICY).await;
    assert!(page.input("name=\"domains\"").contains("nordlys.example, bücher.example"));

    let page = ingrid.invite("ola@elsewhere.example", &["billing.view"]).await;
    page.is(422).says("only invites email addresses of nordlys.example and bücher.example");
    assert!(page.input("name=\"email\"").contains("ola@elsewhere.example"));
    assert!(page.input("name=\"email\"").contains("aria-invalid=\"true\""));
    ingrid.invite("Ola@xn--bcher-kva.example", &["billing.view"]).await.is(303);
    app.as_person(AMIRA).await.invite("per@nordlys.example", &["billing.view"]).await.is(303);
    app.as_person(BJORN).await.get(BAKERY).await.is(200);

    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = page.row_of("kari@");
    assert!(row.contains("the account's security rules don't allow this domain"), "{row}");
    let id = row.split("name=\"invitation\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = ingrid.fill_in(&page, "users/resend", &[("invitation", id)]).await;
    page.is(409).says("allow only email addresses of certain domains");
    let mut kari = app.browser();
    kari.get(&link).await.is(410).says("This invitation can't be accepted now");
    let token = link.rsplit('/').next().unwrap();
    let join = [("token", token), ("full_name", "Kari"), ("password", "a password of mine")];
    let form = "invitations/join-with-new-login";
    kari.post(&link, form, &join).await.is(410);
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Before: every address can be invited");
    log.says("Now: invitations only to nordlys.example and bücher.example");

    limit(&mut ingrid, "").await.is(303);
    kari.open_and_fill_in(&link, form, &join).await.is(303);
}

#[apply(on_both!)]
async fn a_rule_that_somebody_else_changed_is_not_written_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let shown = ingrid.get(POLICY).await;
    assert_eq!(shown.hidden("before"), "- -");
    bound(&mut olav, "60", "").await.is(303);
    limit(&mut olav, "nordlys.example").await.is(303);
    let spans = [("session_idle", ""), ("session_absolute", "480")];
    let page = ingrid.fill_in(&shown, "policies/bound-sessions", &spans).await;
    page.is(409).says("Somebody else changed this in the meantime");
    assert!(page.body.contains("<option value=\"60\" selected"), "how it stands now");
    let domains = [("domains", "b.example")];
    ingrid.fill_in(&shown, "policies/limit-domains", &domains).await.is(409);
    let page = ingrid.get(POLICY).await;
    assert!(page.input("name=\"domains\"").contains("value=\"nordlys.example\""));
}

#[apply(on_both!)]
async fn a_form_that_lacks_a_field_lifts_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    limit(&mut ingrid, "nordlys.example").await.is(303);
    bound(&mut ingrid, "60", "480").await.is(303);
    let without = [("account", "100001")];
    ingrid.post(POLICY, "policies/limit-domains", &without).await.is(422).says("incomplete");
    let half = [("account", "100001"), ("session_absolute", "480")];
    ingrid.post(POLICY, "policies/bound-sessions", &half).await.is(422).says("incomplete");
    let page = ingrid.get(POLICY).await;
    assert!(page.input("name=\"domains\"").contains("value=\"nordlys.example\""));
    page.is(200).says("nordlys.example");
    assert!(page.body.contains("<option value=\"60\" selected"), "{}", page.body);
}

#[apply(on_both!)]
async fn narrowing_domains_and_inviting_at_once_happen_one_after_the_other(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut amira = app.as_person(AMIRA).await;
    let mut other = ingrid.clone();
    let (narrowed, invited) = tokio::join!(
        limit(&mut other, "nordlys.example"),
        amira.invite("kari@elsewhere.example", &["billing.view"]),
    );
    narrowed.is(303);
    if invited.status.as_u16() == 303 {
        let link = app.invitation_link("kari@elsewhere.example").await;
        app.browser().get(&link).await.is(410);
        let log = ingrid.get(&format!("{BAKERY}/log")).await.words();
        let at = |words: &str| log.find(words).unwrap();
        assert!(at("Invitation sent: kari@elsewhere.example") > at("Now: invitations only to"));
    } else {
        invited.is(422);
    }
}

#[apply(on_both!)]
async fn requiring_a_factor_and_turning_ones_own_off_at_once_leaves_nobody_in_without(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let (mut ingrid, key) = ingrid_with_app(&app).await;
    let mut other = ingrid.clone();
    let code = app.next_code(&key);
    let code = [("code", code.as_str())];
    let off = "/security/authenticator/off";
    let (required, turned_off) =
        tokio::join!(require(&mut other, "0"), ingrid.post(off, "security/turn-app-off", &code),);
    turned_off.is(303);
    let page = ingrid.get(BAKERY).await;
    match required.status.as_u16() {
        303 => page.is(403),
        _ => required.is(409),
    };
}
