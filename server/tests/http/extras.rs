//! Extra access: what somebody is given besides what they hold, each with a reach and an end of its own.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, TOM};
use model::{Permission, PermissionSet, Reach, Terms};
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

use Permission::{AccountUsers, BillingView, ServicesView, SupportView};

fn whole(permissions: &[Permission]) -> Terms {
    Terms::whole(permissions.iter().copied().collect())
}

/// Seeing the webshop, and no other service.
async fn webshop(app: &TestApp) -> Terms {
    let services = app.services().await;
    let shop = services.iter().filter(|service| service.name == "Webshop");
    let services = Reach::of(false, shop.map(|service| service.id));
    let permissions: PermissionSet = [ServicesView].into_iter().collect();
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(permissions) }
}

async fn page_of(app: &TestApp, person: DemoPerson) -> String {
    format!("{BAKERY}/users/{}", app.id_of(person).await)
}

/// Gives somebody of the bakery extra access, in a form that is opened for it.
async fn give(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    browser.open_and_fill_in(&format!("{path}/extra/new"), "users/give-extra", fields).await
}

/// How many cards of extra access a page shows.
fn cards(page: &Page) -> usize {
    page.body.matches("<section class=\"grant\">").count()
}

async fn opens(app: &TestApp, person: DemoPerson, area: &str) -> u16 {
    let mut browser = app.as_person(person).await;
    browser.get(&format!("{BAKERY}/{area}")).await.status.as_u16()
}

#[apply(on_sqlite!)]
async fn extra_access_opens_more_until_its_own_end_and_leaves_the_rest(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [webshop(&app).await]).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&path).await;
    assert!(page.body.contains(&format!("href=\"{path}/extra/new\"")));
    assert_eq!(cards(&page), 0);
    let page = ingrid.get(&format!("{path}/extra/new")).await;
    page.is(200).says("Extra access for Bjørn Lie");
    assert!(page.input("id=\"until\"").contains("value=\"\""));
    let fields = [
        ("permissions[]", "billing.view"),
        ("until", "2027-01-17"),
        ("why", "While the books are closed"),
    ];
    let answer = ingrid.fill_in(&page, "users/give-extra", &fields).await;
    assert_eq!(answer.leads_to(), path);
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Extra access given to Bjørn Lie");
    page.says("Extra access until Sunday, 17 January");
    page.says("Billing: see · until Sunday, 17 January");
    page.says("Given by Ingrid Solberg on 15 January 2027");
    page.says("reason: While the books are closed");
    assert!(page.input("id=\"services.view\"").contains("checked"), "the first one's own form");
    assert!(!page.input("id=\"billing.view\"").contains("checked"));
    assert_eq!(app.mails_to(BJORN.email).await.first(), Some(&"permissions_changed"));

    app.forward_hours(63);
    assert_eq!(opens(&app, BJORN, "billing").await, 200);
    app.forward_hours(1);
    assert_eq!(opens(&app, BJORN, "billing").await, 403);
    let services = app.as_person(BJORN).await.get(&format!("{BAKERY}/services")).await;
    services.is(200).says("Webshop");
    assert!(!services.body.contains("Order mail"));
    let page = app.as_person(INGRID).await.get(&path).await;
    page.is(200).says("ended on Sunday, 17 January, as agreed");
    assert_eq!(cards(&page), 0);
}

#[apply(on_sqlite!)]
async fn what_is_given_twice_in_the_same_way_is_given_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let form = ingrid.get(&format!("{path}/extra/new")).await;
    let support = [("permissions[]", "support.view")];
    for _ in 0..2 {
        let answer = ingrid.fill_in(&form, "users/give-extra", &support).await;
        let page = ingrid.go_on(&answer).await;
        page.says("Extra access given to Bjørn Lie");
        assert_eq!(cards(&page), 1);
    }
    give(&mut ingrid, &path, &[support[0], ("why", "For the audit")]).await.is(303);
    assert_eq!(cards(&ingrid.get(&path).await), 2);
}

#[apply(on_sqlite!)]
async fn extra_access_is_changed_and_taken_back_by_itself(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [webshop(&app).await]).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [("permissions[]", "billing.view"), ("why", "For the audit")];
    give(&mut ingrid, &path, &fields).await.is(303);
    let grant = ingrid.get(&path).await.hidden("grant");
    let extra = format!("{path}/extra/{grant}");
    let form = ingrid.get(&extra).await;
    form.is(200).says("Extra access for Bjørn Lie");
    assert!(form.input("id=\"billing.view\"").contains("checked"));
    assert!(form.input("id=\"why\"").contains("value=\"For the audit\""));

    app.forward_seconds(60);
    let changed = [("permissions[]", "support.view"), ("until", "2027-01-20")];
    let answer = ingrid.fill_in(&form, "users/change-extra", &changed).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200)
        .says("Changes saved. Bjørn Lie can now see support requests, but no longer see invoices.");
    page.says("The access now lasts until Wednesday, 20 January. They get an email about it.");
    page.says("Extra access until Wednesday, 20 January");
    page.says("reason: For the audit");
    assert_eq!(
        (opens(&app, BJORN, "support").await, opens(&app, BJORN, "billing").await),
        (200, 403)
    );
    let stale = [("permissions[]", "domains.view")];
    let late = ingrid.fill_in(&form, "users/change-extra", &stale).await;
    late.is(409).says("Somebody else changed this");
    let emptied = ingrid.open_and_fill_in(&extra, "users/change-extra", &[]).await;
    emptied.is(422).says("Choose at least one permission");

    // The first one stays the first, whenever it was changed.
    app.forward_seconds(60);
    let first = [("permissions[]", "services.view"), ("why", "As ever")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &first).await.is(303);
    let page = ingrid.get(&path).await;
    assert_eq!((cards(&page), page.hidden("grant")), (1, grant));
    assert!(page.input("id=\"why\"").contains("value=\"As ever\""));

    let answer = ingrid.fill_in(&page, "users/take-back", &[]).await;
    let left = ingrid.go_on(&answer).await;
    left.is(200).says("Extra access of Bjørn Lie taken back");
    assert_eq!(cards(&left), 0);
    assert_eq!(opens(&app, BJORN, "support").await, 403);
    assert_eq!(opens(&app, BJORN, "services").await, 200);
    ingrid.fill_in(&page, "users/take-back", &[]).await.is(404);
    ingrid.get(&extra).await.is(404);
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Permissions changed: Bjørn Lie");
}

#[apply(on_sqlite!)]
async fn nobody_gives_or_takes_back_extra_access_beyond_their_own_hold(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [whole(&[SupportView])]).await;
    app.hold(AMIRA, [whole(&[AccountUsers, BillingView])]).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    give(&mut ingrid, &path, &[("permissions[]", "billing.pay")]).await.is(303);
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&path).await;
    page.is(200).says("You can't take this back");
    assert!(!page.body.contains("users/take-back"));
    let shown = ingrid.get(&path).await;
    let (id, grant) = (app.id_of(BJORN).await, shown.hidden("grant"));
    let about = [("account", "100001"), ("user", id.as_str()), ("grant", grant.as_str())];
    amira.post(&path, "users/take-back", &about).await.is(403).says("Pay invoices");
    let page = amira.get(&format!("{path}/extra/{grant}")).await;
    assert!(page.input("id=\"billing.pay\"").contains("disabled"));
    let more = [("permissions[]", "domains.view")];
    amira.fill_in(&page, "users/change-extra", &more).await.is(403).says("See domains");
    give(&mut amira, &path, &more).await.is(403).says("See domains");
    give(&mut amira, &path, &[("permissions[]", "billing.view")]).await.is(303);
    assert_eq!(opens(&app, BJORN, "billing").await, 200);
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{path}/extra/new")).await.is(403);
    bjorn.post(&path, "users/take-back", &about).await.is(403);
}

#[apply(on_sqlite!)]
async fn extra_access_of_others_is_as_if_it_were_not_there(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (tom, bjorn) = (app.id_of(TOM).await, app.id_of(BJORN).await);
    let toms = format!("{AGENCY}/users/{tom}");
    let mut mei = app.as_person(MEI).await;
    give(&mut mei, &toms, &[("permissions[]", "billing.view")]).await.is(303);
    let grant = mei.get(&toms).await.hidden("grant");
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(&format!("{BAKERY}/users/{tom}/extra/new")).await.is(404);
    ingrid.get(&format!("{BAKERY}/users/{tom}/extra/{grant}")).await.is(404);
    let path = format!("{BAKERY}/users/{bjorn}");
    let account = app.account_of(INGRID).await;
    let held = app.latchkey.store.holding(account, bjorn.parse().unwrap(), false).await.unwrap();
    // The first one has a form of its own.
    let first = held.grants()[0].id.to_string();
    for grant in [grant.as_str(), first.as_str(), "none"] {
        let extra = format!("{path}/extra/{grant}");
        ingrid.get(&extra).await.is(404);
        let about = [
            ("account", "100001"),
            ("user", bjorn.as_str()),
            ("grant", grant),
            ("permissions[]", "billing.view"),
        ];
        ingrid.post(&extra, "users/change-extra", &about).await.is(404);
        ingrid.post(&path, "users/take-back", &about[..3]).await.is(404);
    }
    let theirs = [("account", "100001"), ("user", tom.as_str()), ("permissions[]", "billing.view")];
    let forged = format!("{BAKERY}/users/{tom}/extra/new");
    ingrid.post(&forged, "users/give-extra", &theirs).await.is(404);
    assert_eq!(cards(&mei.get(&toms).await), 1);
}

#[apply(on_sqlite!)]
async fn an_owner_needs_no_extra_access_and_nobody_gives_it_to_themselves(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    let cases = [(OLAV, "Owners always have full access"), (AMIRA, "You can't change your own")];
    for (person, words) in cases {
        let (path, id) = (page_of(&app, person).await, app.id_of(person).await);
        assert!(!amira.get(&path).await.body.contains("/extra/new"));
        let new = format!("{path}/extra/new");
        amira.get(&new).await.is(409).says(words);
        let fields =
            [("account", "100001"), ("user", id.as_str()), ("permissions[]", "billing.view")];
        amira.post(&new, "users/give-extra", &fields).await.is(409);
        let fields = [("account", "100001"), ("user", id.as_str()), ("grant", "new")];
        amira.post(&path, "users/take-back", &fields).await.is(409);
        amira.post(&new, "users/change-extra", &fields).await.is(409);
    }
}

#[apply(on_sqlite!)]
async fn a_form_for_extra_access_that_comes_back_keeps_what_was_typed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = page_of(&app, BJORN).await;
    let shop = app.services().await.into_iter().find(|service| service.name == "Webshop");
    let shop = shop.unwrap().id.to_string();
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{path}/extra/new?request=some-request")).await;
    assert_eq!(page.is(200).hidden("request"), "some-request");
    let fields = [
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("service[]", shop.as_str()),
        ("until", "2027-01-14"),
        ("why", "Because"),
    ];
    let page = ingrid.fill_in(&page, "users/give-extra", &fields).await;
    page.is(422).says("Choose a day that isn't over yet");
    assert_eq!(page.hidden("request"), "some-request");
    assert!(page.input("id=\"services.view\"").contains("checked"));
    assert!(page.input("id=\"these-services\"").contains("checked"));
    assert!(page.input(&format!("id=\"thing-{shop}\"")).contains("checked"));
    assert!(page.input("id=\"until\"").contains("2027-01-14"));
    assert!(page.input("id=\"why\"").contains("Because"));
    give(&mut ingrid, &path, &[("until", "")]).await.is(422).says("Choose at least one permission");
}

#[apply(on_sqlite!)]
async fn nobody_is_left_with_nothing_by_taking_extra_access_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(std::time::Duration::from_secs(3_600)));
    app.hold(BJORN, [Terms { until, ..whole(&[BillingView]) }, whole(&[SupportView])]).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&path).await;
    assert_eq!(cards(&page), 1);
    app.forward_hours(1);
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.fill_in(&page, "users/take-back", &[]).await;
    page.is(422).says("or remove this person's access");
    assert_eq!(opens(&app, BJORN, "support").await, 200);
}

#[apply(on_sqlite!)]
async fn there_is_a_most_that_one_person_can_be_given(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let many: [Terms; model::MOST_GRANTS] = std::array::from_fn(|_| whole(&[BillingView]));
    app.hold(BJORN, many).await;
    let path = page_of(&app, BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = give(&mut ingrid, &path, &[("permissions[]", "support.view")]).await;
    page.is(409).says("Nobody can be given access more than 50 times");
    assert!(page.input("id=\"support.view\"").contains("checked"), "what was ticked stays");
}

#[apply(on_both!)]
async fn giving_and_taking_back_at_once_have_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(BJORN, [webshop(&app).await]).await;
    let path = page_of(&app, BJORN).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let support = [("permissions[]", "support.view")];
    let (hers, his) =
        tokio::join!(give(&mut ingrid, &path, &support), give(&mut olav, &path, &support));
    hers.is(303);
    his.is(303);
    let (hers, his) = (ingrid.get(&path).await, olav.get(&path).await);
    assert_eq!((cards(&hers), cards(&his)), (1, 1));
    let (one, other) = tokio::join!(
        ingrid.fill_in(&hers, "users/take-back", &[]),
        olav.fill_in(&his, "users/take-back", &[]),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    assert_eq!(cards(&ingrid.get(&path).await), 0);
}
