//! Requests: asking for what one lacks, and what becomes of that.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV};
use model::{
    AccountNumber, Actor, Failure, ListPlace, Permission, PermissionSet, Reach, Scope, Terms,
    UserId,
};
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

use Permission::{AccountUsers, ServicesManage, ServicesView};

const ASK: &str = "/accounts/100001/ask";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// The id of the bakery's service with this name.
async fn service(app: &TestApp, name: &str) -> String {
    let services = app.services().await;
    services.iter().find(|service| service.name == name).unwrap().id.to_string()
}

/// The id of the agency's only service.
async fn service_of_agency(app: &TestApp) -> String {
    let (user, now) = (app.id_of(MEI).await.parse().unwrap(), app.latchkey.now());
    let number = AccountNumber::from_stored(100_002);
    let found = app.latchkey.store.membership(user, number, None, now).await.unwrap().unwrap();
    let actor = Actor { user, account: found.account, keys: found.keys, at: now, eyes: None };
    let services =
        app.latchkey.store.services(&actor, &Scope::All, &ListPlace::First, 9).await.unwrap();
    services[0].id.to_string()
}

/// These permissions on the bakery's services with these names, without end.
async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(set(permissions)) }
}

/// Asks in the bakery for a permission, with a form typed out whole.
async fn ask(browser: &mut Browser, permission: &str, more: &[(&str, &str)]) -> Page {
    let first = [("account", "100001"), ("permission", permission), ("why", "The shop is down")];
    let kept = first.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let fields: Vec<_> = kept.chain(more).copied().collect();
    browser.post(ASK, "access-requests/ask", &fields).await
}

/// How many mails that ask for something somebody got.
async fn asked(app: &TestApp, person: DemoPerson) -> usize {
    app.mails_to(person.email).await.iter().filter(|kind| **kind == "access_requested").count()
}

async fn users(browser: &mut Browser) -> Page {
    browser.get(&format!("{BAKERY}/users")).await
}

/// The id of the only request in User management.
fn request_in(page: &Page) -> String {
    page.between("/requests/", "/decline")
}

/// The form for declining, typed out whole.
async fn decline(browser: &mut Browser, account: &str, request: &str, words: &str) -> Page {
    let number = account.rsplit('/').next().unwrap();
    let fields = [("account", number), ("request", request), ("words", words)];
    let path = format!("{account}/requests/{request}/decline");
    browser.post(&path, "access-requests/decline", &fields).await
}

#[apply(on_both!)]
async fn what_is_lacking_is_asked_for_and_declined_with_words(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let services = format!("{BAKERY}/services");
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.get(&services).await;
    page.is(403).says("Ask for this");
    let fields = [
        ("permission", "services.manage"),
        ("why", "  While the shop \n moves "),
        ("until", "2027-01-31"),
    ];
    let answer = bjorn.fill_in(&page, "access-requests/ask", &fields).await;
    assert_eq!(answer.leads_to(), services);
    let page = bjorn.go_on(&answer).await;
    let told = "Ingrid Solberg, Olav Solberg and Amira Haddad were told.";
    page.is(403).says(&format!("Asked. {told}"));
    page.says(&format!("Manage services: Asked on 15 January 2027. {told}"));
    assert!(!page.body.contains("access-requests/ask\""), "it is asked for");
    let counts = [(INGRID, 1), (OLAV, 1), (AMIRA, 1), (MEI, 0), (BJORN, 0)];
    for (person, mails) in counts {
        assert_eq!(asked(&app, person).await, mails, "{}", person.name);
    }
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mail = mails.iter().find(|mail| mail.mail.kind().id() == "access_requested").unwrap();
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("/demo/mailbox/{}", mail.id)).await;
    page.says("Bjørn Lie (bjorn@ledger.example): Manage services. Reason: While the shop moves.");
    page.says("Needed until Sunday, 31 January.");
    assert!(page.body.contains("/accounts/100001/users#requests"));

    let page = users(&mut ingrid).await;
    let row = page.row_of("bjorn@").to_owned();
    let id = app.id_of(BJORN).await;
    let request = request_in(&page);
    let give = format!("action=\"/accounts/100001/users/{id}/extra/new\"");
    for text in [
        "Manage services",
        "While the shop moves",
        "Sunday, 31 January",
        "just now",
        "Give to Bjørn Lie",
        &give,
        "Decline for Bjørn Lie",
    ] {
        assert!(row.contains(text), "{text} in {row}");
    }
    let path = format!("{BAKERY}/requests/{request}/decline");
    let page = ingrid.get(&path).await;
    page.is(200).says("Words to Bjørn Lie");
    let words = [("words", "Not before spring")];
    let answer = ingrid.fill_in(&page, "access-requests/decline", &words).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Declined. Bjørn Lie was told.");
    assert!(!page.body.contains("id=\"requests\""));
    assert_eq!(app.mails_to(BJORN.email).await.first(), Some(&"access_request_declined"));
    ingrid.get(&path).await.is(409).says("isn't open any more");
    decline(&mut ingrid, BAKERY, &request, "").await.is(409);

    let page = bjorn.get(&services).await;
    page.is(403).says("Declined on 15 January 2027 by Ingrid Solberg: Not before spring");
    page.says("Ask for this");
    ask(&mut bjorn, "services.manage", &[]).await.is(303);
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Access asked for");
    log.says("Asked for: See services · Manage services");
    log.says("until Sunday, 31 January, reason: While the shop moves");
    log.says("Request declined: Bjørn Lie");
    log.says("Not given: See services · Manage services");
    log.says("reason: Not before spring");
}

#[apply(on_both!)]
async fn what_is_given_by_changing_access_is_no_request_any_more(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    ask(&mut bjorn, "domains.view", &[]).await.is(303);
    ask(&mut bjorn, "support.view", &[]).await.is(303);
    let overview = bjorn.get(BAKERY).await;
    overview.is(200).says("What you can't open yet");
    overview.says("Domains Asked on 15 January 2027.");
    overview.says("Services Ask for this");
    assert!(overview.body.contains("aria-label=\"Ask for this: Services\""));
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let domains = [("permissions[]", "domains.view")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &domains).await.is(303);
    let page = users(&mut ingrid).await;
    let row = page.row_of("bjorn@");
    assert!(row.contains("See support requests") && !row.contains("See domains"), "{row}");
    let changed = app.mails_to(BJORN.email).await;
    assert_eq!(changed.iter().filter(|kind| **kind == "permissions_changed").count(), 1);
    assert!(!changed.contains(&"access_request_declined"));
    let held = format!("{ASK}?permission=domains.view");
    bjorn.get(&held).await.is(409).says("You can do that already.");
    ask(&mut bjorn, "domains.view", &[]).await.is(409).says("You can do that already.");
}

#[apply(on_both!)]
async fn who_couldnt_give_it_is_not_told_and_sees_why_in_the_table(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let users_only = Terms::whole(set(&[AccountUsers]));
    let two = on(&app, &[ServicesManage], &["Webshop"]).await;
    app.hold(AMIRA, [users_only, two]).await;
    let archive = service(&app, "Recipe archive").await;
    let shop = service(&app, "Webshop").await;
    app.hold(MEI, [Terms::whole(set(&[ServicesView]))]).await;
    let mut mei = app.as_person(MEI).await;
    let page = mei.get(&format!("{BAKERY}/services/{archive}")).await;
    page.is(200).says("You can't see service passwords here.");
    assert!(page.body.contains("aria-label=\"Ask for this: Manage services\""));
    let path = format!("{ASK}?permission=services.manage&service={archive}");
    let page = mei.get(&path).await;
    page.is(200).says("Recipe archive");
    let fields = [("permission", "services.manage"), ("why", "Recipes")];
    let answer = mei.fill_in(&page, "access-requests/ask", &fields).await;
    assert_eq!(answer.leads_to(), format!("{BAKERY}/services/{archive}"));
    let page = mei.go_on(&answer).await;
    page.says(
        "Recipe archive: Asked on 15 January 2027. Ingrid Solberg and Olav Solberg were told.",
    );
    assert_eq!((asked(&app, INGRID).await, asked(&app, AMIRA).await), (1, 0));
    let mut amira = app.as_person(AMIRA).await;
    let page = users(&mut amira).await;
    let row = page.row_of("mei@");
    assert!(row.contains("on something that you don't see"), "{row}");
    assert!(row.contains("on all that this is about"), "{row}");
    assert!(!row.contains("Recipe archive") && !row.contains("Give to"), "{row}");
    assert!(
        users(&mut app.as_person(INGRID).await).await.row_of("mei@").contains("Recipe archive")
    );

    // What is asked for on what she reaches, she can give.
    let answer = decline(&mut amira, BAKERY, &request_in(&page), "").await;
    answer.is(303);
    app.forward_hours(1);
    let shop = [("service", shop.as_str())];
    ask(&mut mei, "services.manage", &shop).await.is(303);
    assert_eq!((asked(&app, INGRID).await, asked(&app, AMIRA).await), (2, 1));
    let page = users(&mut app.as_person(AMIRA).await).await;
    assert!(page.row_of("mei@").contains("Give to Mei Tanaka"));
}

#[apply(on_both!)]
async fn what_cannot_be_asked_for_comes_back_with_what_was_typed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let long = "x".repeat(201);
    for (field, value, words) in [
        ("why", " ", "Fill this in"),
        ("why", long.as_str(), "200 characters at most"),
        ("until", "soon", "Enter a day such as"),
        ("until", "2027-01-14", "Choose a day that isn't over yet"),
        ("until", "2047-01-14", "within the next ten years"),
    ] {
        let page = ask(&mut bjorn, "domains.transfer", &[(field, value)]).await;
        page.is(422).says(words);
        assert!(page.title().starts_with("Error: "));
        assert!(page.input(&format!("id=\"{field}\"")).contains(value.trim()));
        assert!(page.body.contains("value=\"domains.transfer\" selected"), "{}", page.body);
    }
    let page = ask(&mut bjorn, "services.view", &[("why", ""), ("until", "2027-02-01")]).await;
    assert!(page.is(422).input("id=\"until\"").contains("2027-02-01"));
    let agencys = service_of_agency(&app).await;
    let (shop, domain) = (service(&app, "Webshop").await, app.domains().await[0].id.to_string());
    for (permission, thing) in [
        ("services.everything", ("why", "x")),
        ("domains.manage", ("service", shop.as_str())),
        ("billing.details", ("service", shop.as_str())),
        ("services.manage", ("domain", domain.as_str())),
        ("services.manage", ("service", agencys.as_str())),
        ("services.manage", ("service", "webshop")),
        // It is there, and out of his reach.
        ("services.manage", ("service", shop.as_str())),
    ] {
        ask(&mut bjorn, permission, &[thing]).await.is(404);
        let (name, id) = thing;
        let path = format!("{ASK}?permission={permission}&{name}={id}");
        if name != "why" {
            bjorn.get(&path).await.is(404);
        }
    }
    bjorn.get(&format!("{ASK}?permission=nothing")).await.is(404);
    bjorn.get(ASK).await.is(404);
    ask(&mut bjorn, "billing.view", &[]).await.is(409);
    ask(&mut app.as_person(INGRID).await, "services.view", &[]).await.is(409);
    assert_eq!(asked(&app, INGRID).await, 0);
}

#[apply(on_both!)]
async fn of_two_requests_at_once_for_the_same_there_is_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let bjorn = app.as_person(BJORN).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut bjorn = bjorn.clone();
        requests.spawn(async move { ask(&mut bjorn, "domains.view", &[]).await.status.as_u16() });
    }
    let statuses = requests.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [303, 409].contains(status)), "{statuses:?}");
    let page = ask(&mut bjorn.clone(), "domains.view", &[]).await;
    page.is(409).says("You have asked for that already. This is how it stands.");
    page.says("Asked on 15 January 2027.");
    assert_eq!(asked(&app, INGRID).await, 1);
    let page = users(&mut app.as_person(INGRID).await).await;
    let (table, choices) = (1, 2);
    assert_eq!(page.words().matches("See domains").count(), table + choices);
}

#[apply(on_both!)]
async fn ten_requests_a_day_can_be_made_and_taken_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let path = format!("{ASK}?permission=domains.view");
    for _ in 0..10 {
        ask(&mut bjorn, "domains.view", &[]).await.is(303);
        let answer = bjorn.open_and_fill_in(&path, "access-requests/withdraw", &[]).await;
        bjorn.go_on(&answer).await.says("Request withdrawn");
    }
    let page = ask(&mut bjorn, "domains.view", &[]).await;
    page.is(429).says("You have asked for as much as one person can in a day.");
    assert!(page.input("id=\"why\"").contains("The shop is down"));
    assert_eq!(asked(&app, INGRID).await, 1, "the others become one later");
    ask(&mut app.as_person(MEI).await, "billing.view", &[]).await.is(303);
    app.forward_hours(24);
    let mut bjorn = app.as_person(BJORN).await;
    ask(&mut bjorn, "domains.view", &[]).await.is(303);
}

#[apply(on_both!)]
async fn nobody_answers_a_request_that_isnt_theirs_to_answer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    ask(&mut bjorn, "domains.view", &[]).await.is(303);
    let request = request_in(&users(&mut app.as_person(INGRID).await).await);
    let page = format!("/requests/{request}/decline");
    let mut mei = app.as_person(MEI).await;
    mei.get(&format!("{AGENCY}{page}")).await.is(404);
    decline(&mut mei, AGENCY, &request, "No").await.is(404);
    mei.get(&format!("{BAKERY}{page}")).await.is(403);
    decline(&mut mei, BAKERY, &request, "No").await.is(403);
    decline(&mut bjorn, BAKERY, &request, "No").await.is(403);
    let fields = [("account", "100001"), ("request", request.as_str())];
    mei.post(ASK, "access-requests/withdraw", &fields).await.is(404);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.post(ASK, "access-requests/withdraw", &fields).await.is(404);
    ingrid.get(&format!("{BAKERY}/requests/nothing/decline")).await.is(404);
    let long = "x".repeat(201);
    decline(&mut ingrid, BAKERY, &request, &long).await.is(422).says("200 characters at most");

    // Who manages users asks for themselves like anybody else.
    let mut amira = app.as_person(AMIRA).await;
    ask(&mut amira, "domains.view", &[]).await.is(303);
    let page = users(&mut amira).await;
    let row = page.row_of("amira@");
    assert!(!row.contains("Give to") && !row.contains("Decline for"), "{row}");
    assert!(row.contains("change your own access"), "{row}");
    let open = domain::access_requests::waiting(&app.latchkey, &app.ingrid().await).await.unwrap();
    let own = open.iter().find(|one| one.request.person.full_name == AMIRA.name).unwrap();
    decline(&mut amira, BAKERY, &own.request.id.to_string(), "").await.is(409);
}

#[apply(on_both!)]
async fn a_request_goes_with_the_membership_and_a_paused_person_makes_none(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    ask(&mut bjorn, "domains.view", &[]).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    ask(&mut bjorn, "support.view", &[]).await.is(403).says("Your access is paused");
    bjorn.get(ASK).await.is(403);
    assert!(users(&mut ingrid).await.body.contains("id=\"requests\""));
    let remove = format!("{path}/remove");
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    assert!(!users(&mut ingrid).await.body.contains("id=\"requests\""));
    ask(&mut bjorn, "support.view", &[]).await.is(404);
}

#[apply(on_both!)]
async fn the_form_for_giving_begins_with_what_was_asked_for(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    let shop = service(&app, "Webshop").await;
    let more = [("service", shop.as_str()), ("until", "2027-01-31")];
    ask(&mut mei, "services.credentials", &more).await.is(303);
    let ingrid = app.ingrid().await;
    let open = domain::access_requests::waiting(&app.latchkey, &ingrid).await.unwrap();
    let (id, user) = (open[0].request.id.to_string(), open[0].request.user);
    let start = async |user: UserId, id: &str| {
        domain::access_requests::start(&app.latchkey, &ingrid, user, id).await
    };
    let begun = start(user, &id).await.unwrap();
    assert_eq!(begun.why, "The shop is down");
    let wanted = on(&app, &[Permission::ServicesCredentials], &["Webshop"]).await;
    // The end of that day in the account's time zone.
    let until = app.latchkey.now().after(16 * DAY + DAY * 2 / 3);
    assert_eq!(begun.terms, Terms { until: Some(until), ..wanted });
    let bjorn: UserId = app.id_of(BJORN).await.parse().unwrap();
    for (user, id) in [(bjorn, id.as_str()), (user, "nothing")] {
        assert_eq!(start(user, id).await.unwrap_err(), Failure::NotFound);
    }
    decline(&mut app.as_person(INGRID).await, BAKERY, &id, "").await.is(303);
    assert_eq!(start(user, &id).await.unwrap_err(), Failure::NotFound);
    let all = [("until", "")];
    ask(&mut mei, "billing.view", &all).await.is(303);
    let open = domain::access_requests::waiting(&app.latchkey, &ingrid).await.unwrap();
    let begun = start(user, &open[0].request.id.to_string()).await.unwrap();
    assert_eq!(begun.terms, Terms::whole(set(&[Permission::BillingView])));
}

#[apply(on_both!)]
async fn many_requests_become_few_mails(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut bjorn, mut mei) = (app.as_person(BJORN).await, app.as_person(MEI).await);
    ask(&mut bjorn, "services.view", &[]).await.is(303);
    assert_eq!(asked(&app, OLAV).await, 1);
    for permission in ["domains.view", "support.view"] {
        ask(&mut bjorn, permission, &[]).await.is(303);
    }
    ask(&mut mei, "billing.view", &[]).await.is(303);
    assert_eq!(asked(&app, OLAV).await, 1);
    app.forward_seconds(600);
    assert_eq!(asked(&app, OLAV).await, 2);
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let is_it = |mail: &&domain::mails::KeptMail| {
        mail.to.as_str() == OLAV.email && mail.mail.kind().id() == "access_requested"
    };
    let mail = mails.iter().find(is_it).unwrap();
    let mut olav = app.as_person(OLAV).await;
    let page = olav.get(&format!("/demo/mailbox/{}", mail.id)).await;
    for told in ["See domains", "See support requests", "Mei Tanaka (mei@fjordpixel.example)"] {
        page.says(told);
    }
    page.says("There have been 3 requests since");
    assert!(!page.words().contains("See services"), "that was told before");
}

#[apply(on_both!)]
async fn what_was_wanted_until_a_day_that_is_over_is_given_by_nobody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let wanted = [("until", "2027-01-20")];
    ask(&mut bjorn, "services.view", &wanted).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    let request = request_in(&users(&mut ingrid).await);
    app.forward_hours(10 * 24);
    let mut ingrid = app.as_person(INGRID).await;
    assert!(!users(&mut ingrid).await.body.contains("/requests/"));
    let extra = format!("{BAKERY}/users/{}/extra/new", app.id_of(BJORN).await);
    let page = ingrid.get(&format!("{extra}?request={request}")).await;
    assert!(!page.is(200).input("id=\"services.view\"").contains("checked"));
    // It stands in nobody's way.
    let mut bjorn = app.as_person(BJORN).await;
    ask(&mut bjorn, "services.view", &[]).await.is(303);
}

#[apply(on_both!)]
async fn what_one_asked_for_oneself_is_not_shown_through_somebody_elses_eyes(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    ask(&mut amira, "domains.view", &[]).await.is(303);
    amira.get(BAKERY).await.says("Asked on");
    let bjorn = app.id_of(BJORN).await;
    let (path, fields) = (format!("{BAKERY}/users/{bjorn}"), [("user", bjorn.as_str())]);
    amira.open_and_fill_in(&path, "eyes/begin", &fields).await.is(303);
    let page = amira.get(BAKERY).await;
    page.says("You see this account as Bjørn Lie would.");
    assert!(!page.words().contains("Asked on"));
    let page = amira.get(&format!("{BAKERY}/domains")).await;
    assert!(!page.is(403).words().contains("Asked on"));
}

/// What a page offers to ask for, by the names of its buttons and links.
fn offers(page: &Page) -> Vec<String> {
    let labels = page.body.split("aria-label=\"Ask for this: ").skip(1);
    labels.map(|label| label.split('"').next().unwrap().to_owned()).collect()
}

#[apply(on_sqlite!)]
async fn what_is_lacking_is_asked_for_where_it_is_missed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let seeing = [
        Permission::BillingView,
        Permission::SupportView,
        Permission::DomainsView,
        ServicesView,
        AccountUsers,
    ];
    app.hold(BJORN, [Terms::whole(set(&seeing))]).await;
    let mut bjorn = app.as_person(BJORN).await;
    let services = [
        "Manage services",
        "See service passwords",
        "Sign in to services",
        "Order, upgrade and cancel",
    ];
    for (page, expected) in [
        ("/billing", &["Pay invoices", "Change billing details"][..]),
        ("/support", &["Open and answer support requests"]),
        ("/domains", &["Manage domains and DNS", "Transfer domains away"]),
        ("/services", &services),
        ("", &["Account details", "Activity log"]),
    ] {
        let page = bjorn.get(&format!("{BAKERY}{page}")).await;
        assert_eq!(offers(page.is(200)), expected);
    }
    let support = bjorn.get(&format!("{BAKERY}/support")).await;
    let request = support.between(&format!("href=\"{BAKERY}/support/"), "\"");
    let page = bjorn.get(&format!("{BAKERY}/support/{request}")).await;
    assert_eq!(offers(page.is(200)), ["Open and answer support requests"]);
    // It is there to be sent, and then says how it stands.
    ask(&mut bjorn, "billing.pay", &[]).await.is(303);
    let page = bjorn.get(&format!("{BAKERY}/billing")).await;
    assert_eq!(offers(&page), ["Change billing details"]);
    page.says("Asked on");
    // Beside a box that can't be ticked, where the permission is lacking altogether.
    let mei = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    for form in [format!("{BAKERY}/users/invite"), mei.clone(), format!("{mei}/extra/new")] {
        let page = bjorn.get(&form).await;
        assert!(page.is(200).input("id=\"services.order\"").contains("disabled"));
        let href = format!("href=\"{ASK}?permission=services.order\"");
        assert!(page.body.contains(&href), "{form}");
        assert!(!page.body.contains(&format!("{ASK}?permission=services.view")), "{form}");
    }
    let asking = bjorn.get(&format!("{ASK}?permission=services.order")).await;
    asking.is(200).says("Ask for access");
    // An owner lacks nothing.
    let mut ingrid = app.as_person(INGRID).await;
    for page in ["", "/billing", "/support", "/services", "/domains", "/users/invite"] {
        assert_eq!(offers(&ingrid.get(&format!("{BAKERY}{page}")).await), [""; 0], "{page}");
    }
}

#[apply(on_sqlite!)]
async fn what_is_asked_for_can_be_given_until_a_day(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    ask(&mut mei, "billing.pay", &[]).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    let page = users(&mut ingrid).await;
    let request = request_in(&page);
    let form = format!("{BAKERY}/users/{}/extra/new?request={request}", app.id_of(MEI).await);
    let row = page.row_of("mei@");
    assert!(row.contains(&format!("href=\"{form}#until\"")), "{row}");
    assert!(row.contains("aria-label=\"Give to Mei Tanaka until …\""), "{row}");
    let page = ingrid.get(&form).await;
    assert!(page.is(200).input("id=\"billing.pay\"").contains("checked"));
    assert!(page.input("id=\"until\"").contains("name=\"until\""));
    // Who can't give it is offered neither.
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers]))]).await;
    let page = users(&mut app.as_person(AMIRA).await).await;
    assert!(!page.body.contains("#until") && page.body.contains("/decline"));
}
