//! "Start from": forms for giving that begin with a preset or with somebody else's access.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV, TOM};
use model::{Permission, PermissionSet, Reach, Terms};
use test_database::{TestDatabase, apply};
use uuid::Uuid;

use crate::story::{BAKERY, Browser, Page, TestApp};

use Permission::{
    AccountUsers, BillingView, DomainsView, ServicesManage, ServicesView, SupportOpen, SupportView,
};

const INVITE: &str = "/accounts/100001/users/invite";
const CHANGE: &str = "users/change-permissions";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn whole(permissions: &[Permission]) -> Terms {
    Terms::whole(permissions.iter().copied().collect())
}

async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    let permissions: PermissionSet = permissions.iter().copied().collect();
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(permissions) }
}

/// Whether the box of this service is ticked.
async fn ticks(app: &TestApp, page: &Page, service: &str) -> bool {
    let services = app.services().await;
    let id = services.iter().find(|known| known.name == service).unwrap().id;
    page.input(&format!("id=\"thing-{id}\"")).contains("checked")
}

/// The permissions whose boxes are ticked.
fn ticked(page: &Page) -> String {
    let is_ticked =
        |id: &&str| page.input(&format!("id=\"{id}\" name=\"permissions[]\"")).contains("checked");
    let ids = Permission::ALL.into_iter().map(Permission::id);
    ids.filter(|id| is_ticked(id)).collect::<Vec<_>>().join(" ")
}

fn offers(page: &Page, id: &str) -> bool {
    page.body.contains(&format!("<option value=\"{id}\""))
}

/// Has the form for inviting filled in by its button, with whatever else was typed.
async fn fill_in(browser: &mut Browser, start: &str, typed: &[(&str, &str)]) -> Page {
    let page = browser.get(INVITE).await;
    let asked = [("show", "start"), ("start", start)];
    browser.fill_in(&page, "users/invite", &[&asked[..], typed].concat()).await
}

/// Asks for a start as the browser's half does.
async fn ask(browser: &mut Browser, start: &str) -> Page {
    browser.get(&format!("/api/users/start?account=100001&start={start}")).await
}

#[apply(on_sqlite!)]
async fn a_preset_fills_the_boxes_and_nothing_typed_is_lost(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(INVITE).await;
    page.is(200).says("Start from Fills in the boxes below; you can change them.");
    for name in ["Bookkeeper", "Web agency", "Developer", "Support contact", "Administrator"] {
        page.says(name);
    }
    assert_eq!(ticked(&page), "");
    let typed = [
        ("email", "kari@nordlys.example"),
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("until", "2027-01-31"),
        ("why", "Keeps the books"),
    ];
    let page = fill_in(&mut ingrid, "preset:bookkeeper", &typed).await;
    page.is(422).says("Filled in: Bookkeeper");
    assert_eq!(ticked(&page), "billing.view billing.pay");
    assert!(page.body.contains("<option value=\"preset:bookkeeper\" selected"));
    assert!(page.input("id=\"email\"").contains("kari@nordlys.example"));
    assert!(page.input("id=\"until\"").contains("2027-01-31"));
    assert!(page.input("id=\"why\"").contains("Keeps the books"));
    assert!(!page.body.contains("There is a problem") && !page.title().contains("Error"));
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!users.body.contains("kari@nordlys.example"), "nothing was sent");
    // From then on it is the boxes that count.
    let changed = [
        ("email", "kari"),
        ("start", "preset:bookkeeper"),
        ("permissions[]", "billing.view"),
        ("permissions[]", "support.view"),
    ];
    let page = ingrid.fill_in(&page, "users/invite", &changed).await;
    page.is(422).says("There is a problem");
    assert_eq!(ticked(&page), "billing.view support.view");
    assert!(!page.words().contains("Filled in"));
    let sent = [("email", "kari@nordlys.example"), ("permissions[]", "billing.view")];
    ingrid.fill_in(&page, "users/invite", &sent).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = users.row_of("kari@nordlys.example");
    assert!(row.contains("Billing: see") && !row.contains("pay"), "{row}");
}

#[apply(on_sqlite!)]
async fn a_start_brings_no_more_than_whoever_chooses_it_could_give(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let shop = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(AMIRA, [whole(&[AccountUsers]), shop]).await;
    let both = on(&app, &[ServicesManage, BillingView], &["Webshop", "Order mail"]).await;
    app.hold(BJORN, [both]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(INVITE).await;
    assert!(offers(page.is(200), "preset:administrator") && offers(&page, "preset:web-agency"));
    assert!(!offers(&page, "preset:bookkeeper"), "she holds nothing of it");
    let page = fill_in(&mut amira, "preset:administrator", &[]).await;
    page.is(422).says("Filled in: Administrator");
    assert_eq!(ticked(&page), "services.view account.users");
    assert!(page.input("id=\"these-services\"").contains("checked"));
    assert!(ticks(&app, &page, "Webshop").await);
    let page = fill_in(&mut amira, &app.id_of(BJORN).await, &[]).await;
    page.is(422).says("Filled in: Same as Bjørn Lie");
    assert_eq!(ticked(&page), "services.view");
    assert!(ticks(&app, &page, "Webshop").await && !page.body.contains("Order mail"));
    let shop = page.input("name=\"service[]\"").split("value=\"").nth(1).unwrap();
    let shop = shop.split('"').next().unwrap().to_owned();
    let sent = [
        ("email", "kari@nordlys.example"),
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("service[]", shop.as_str()),
    ];
    amira.fill_in(&page, "users/invite", &sent).await.is(303);
    let answer = ask(&mut amira, "preset:administrator").await;
    assert!(answer.is(200).body.contains("services.view account.users"));
    assert!(answer.body.contains(&shop));
}

#[apply(on_sqlite!)]
async fn somebody_elses_access_is_begun_with_but_its_end_is_not(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(2 * DAY));
    let over = Some(app.latchkey.now());
    let small = Terms { until, ..whole(&[BillingView]) };
    let large = Terms { until, ..on(&app, &[ServicesManage], &["Webshop"]).await };
    let lapsed = Terms { until: over, ..whole(&Permission::ALL) };
    app.hold(MEI, [small, large, lapsed]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = fill_in(&mut ingrid, &app.id_of(MEI).await, &[("services", "all")]).await;
    page.is(422).says("Filled in: Same as Mei Tanaka");
    assert_eq!(ticked(&page), "services.view services.manage");
    assert!(page.input("id=\"these-services\"").contains("checked"));
    assert!(ticks(&app, &page, "Webshop").await && !ticks(&app, &page, "Order mail").await);
    assert!(page.input("id=\"until\"").contains("value=\"\""));
    assert!(page.input("id=\"why\"").contains("value=\"\""));
}

#[apply(on_sqlite!)]
async fn what_is_not_there_to_begin_with_changes_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let page = ingrid.get(INVITE).await;
    let mut starts = vec!["preset:nothing".to_owned(), "nobody".to_owned()];
    for person in [INGRID, OLAV, TOM, BJORN] {
        starts.push(app.id_of(person).await);
    }
    for start in &starts {
        assert!(!offers(&page, start), "{start}");
        let typed = [("email", "kari@nordlys.example"), ("permissions[]", "support.view")];
        let page = fill_in(&mut ingrid, start, &typed).await;
        assert_eq!(ticked(page.is(422)), "support.view", "{start}");
        assert!(page.input("id=\"email\"").contains("kari@nordlys.example"));
        assert!(!page.words().contains("Filled in"));
        ask(&mut ingrid, start).await.is(404);
    }
    assert!(offers(&page, &app.id_of(AMIRA).await) && offers(&page, &app.id_of(MEI).await));
    ask(&mut ingrid, "preset:bookkeeper").await.is(200);
    ask(&mut ingrid, "").await.is(200);
    ask(&mut app.as_person(MEI).await, "preset:bookkeeper").await.is(403);
    ask(&mut app.as_person(TOM).await, "preset:bookkeeper").await.is(404);
    ask(&mut app.browser(), "preset:bookkeeper").await.is(401);
}

#[apply(on_sqlite!)]
async fn a_start_leaves_what_its_chooser_cannot_change(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(AMIRA, [whole(&[AccountUsers, BillingView, SupportOpen])]).await;
    app.hold(BJORN, [whole(&[DomainsView, SupportView])]).await;
    let mut amira = app.as_person(AMIRA).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let page = amira.get(&path).await;
    assert!(offers(page.is(200), &app.id_of(MEI).await));
    for person in [AMIRA, BJORN, INGRID] {
        assert!(!offers(&page, &app.id_of(person).await), "{}", person.name);
    }
    let asked = [("show", "start"), ("start", "preset:bookkeeper"), ("why", "Books")];
    let page = amira.fill_in(&page, CHANGE, &asked).await;
    page.is(422).says("Filled in: Bookkeeper");
    assert_eq!(ticked(&page), "domains.view billing.view");
    assert!(page.input("id=\"why\"").contains("Books"));
    let sent = [("permissions[]", "billing.view"), ("start", "preset:bookkeeper")];
    let answer = amira.fill_in(&page, CHANGE, &sent).await;
    amira.go_on(&answer).await.says("Changes saved");
    let page = amira.get(&path).await;
    assert_eq!(ticked(&page), "domains.view billing.view");
}

#[apply(on_sqlite!)]
async fn access_is_changed_to_be_the_same_as_somebody_elses(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let shop = on(&app, &[ServicesManage], &["Webshop"]).await;
    app.hold(MEI, [shop]).await;
    app.hold(BJORN, [whole(&[ServicesView, BillingView])]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let mei = app.id_of(MEI).await;
    let asked = [("show", "start"), ("start", mei.as_str())];
    let page = ingrid.open_and_fill_in(&path, CHANGE, &asked).await;
    assert_eq!(ticked(page.is(422)), "services.view services.manage");
    assert!(page.input("id=\"these-services\"").contains("checked"));
    assert!(ticks(&app, &page, "Webshop").await && !ticks(&app, &page, "Order mail").await);
    let asked = [("show", "start"), ("start", "preset:web-agency")];
    let page = ingrid.open_and_fill_in(&path, CHANGE, &asked).await;
    assert!(!page.is(422).input("id=\"these-services\"").contains("checked"));
}

#[apply(on_sqlite!)]
async fn the_providers_own_presets_stand_in_place_of_the_products(db: TestDatabase) {
    let presets = "Accounting: billing.pay; Shop & <b>till: services.manage";
    let app = TestApp::with(db, &[("PRESETS", presets)]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(INVITE).await;
    page.is(200).says("Accounting Shop & <b>till Same as Amira Haddad");
    assert!(!page.body.contains("<b>till") && !offers(&page, "preset:bookkeeper"));
    let page = fill_in(&mut ingrid, "preset:Shop & <b>till", &[]).await;
    page.is(422).says("Filled in: Shop & <b>till");
    assert_eq!(ticked(&page), "services.view services.manage");
    ask(&mut ingrid, "preset:bookkeeper").await.is(404);
}

#[apply(on_sqlite!)]
async fn of_very_many_things_those_that_it_begins_with_are_shown(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.ingrid().await.account;
    let like = app.services().await.remove(0);
    let id_of = |number: u128| Uuid::from_u128(1000 + number);
    for number in 0..250 {
        let name = format!("Shop {number:03}");
        let service = store::Service { id: id_of(number), name, ..like.clone() };
        app.latchkey.store.add_service(account, &service).await.unwrap();
    }
    let last = Reach::of(false, [id_of(249)]);
    app.hold(MEI, [Terms { services: last, ..whole(&[ServicesView]) }]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(INVITE).await;
    assert!(!page.is(200).body.contains("Shop 249"));
    let page = fill_in(&mut ingrid, &app.id_of(MEI).await, &[]).await;
    let last = format!("id=\"thing-{}\"", id_of(249));
    assert!(page.is(422).input(&last).contains("checked"));
}

#[apply(on_sqlite!)]
async fn anybody_can_be_given_the_same_from_somebodys_page(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.ingrid().await.account;
    // More people than the list to start from offers, all of them before Mei.
    for number in 0..51 {
        let name = format!("Aa {number:02}");
        app.add_user(account, &format!("a{number}@nordlys.example"), &name).await;
    }
    let shop = on(&app, &[ServicesView, SupportView], &["Webshop"]).await;
    app.hold(MEI, [shop, whole(&[BillingView])]).await;
    let mei = app.id_of(MEI).await;
    let mut ingrid = app.as_person(INGRID).await;
    assert!(!offers(&ingrid.get(INVITE).await, &mei));
    let page = ingrid.get(&format!("{BAKERY}/users/{mei}")).await;
    let same = format!("{INVITE}?start={mei}");
    assert!(page.is(200).body.contains(&format!("href=\"{same}\"")));
    page.says("Give somebody the same");
    let page = ingrid.get(&same).await;
    page.is(200).says("Filled in: Same as Mei Tanaka. Mei Tanaka holds more than this.");
    assert!(offers(&page, &mei));
    assert_eq!(ticked(&page), "services.view support.view");
    assert!(ticks(&app, &page, "Webshop").await && !ticks(&app, &page, "Order mail").await);
    // Nothing stays linked to it, and what isn't there to begin with begins nothing.
    for nobody in ["x", &app.id_of(OLAV).await, &app.id_of(TOM).await] {
        let page = ingrid.get(&format!("{INVITE}?start={nobody}")).await;
        assert_eq!(ticked(page.is(200)), "");
    }
    app.hold(MEI, [whole(&[BillingView])]).await;
    let page = ingrid.get(&same).await;
    assert!(!page.words().contains("holds more than this"));
    // An owner's access can't be given, nor can one's own.
    let owner = format!("{BAKERY}/users/{}", app.id_of(OLAV).await);
    assert!(!ingrid.get(&owner).await.words().contains("Give somebody the same"));
}
