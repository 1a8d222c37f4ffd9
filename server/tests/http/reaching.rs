//! Who can reach a service, a domain or a permission; pages of one thing; what somebody reaches.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, INGRID, MEI, TOM};
use model::{Permission, PermissionSet, Reach, Terms};
use test_database::{TestDatabase, apply};
use uuid::Uuid;

use crate::story::{AGENCY, BAKERY, Page, TestApp};

use Permission::{
    AccountUsers, BillingView, DomainsManage, DomainsView, ServicesCredentials, ServicesManage,
    ServicesView,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// The path of the bakery's service with this name.
async fn service(app: &TestApp, name: &str) -> String {
    let services = app.services().await;
    let found = services.iter().find(|service| service.name == name).unwrap();
    format!("{BAKERY}/services/{}", found.id)
}

/// The path of its first domain.
async fn domain(app: &TestApp) -> (String, store::Domain) {
    let first = app.domains().await.into_iter().next().unwrap();
    (format!("{BAKERY}/domains/{}", first.id), first)
}

/// These permissions on the bakery's services with these names, without end.
async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(set(permissions)) }
}

#[apply(on_sqlite!)]
async fn a_thing_has_a_page_for_whoever_reaches_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (shop, mail) = (service(&app, "Webshop").await, service(&app, "Order mail").await);
    let (path, own) = domain(&app).await;
    let until = Some(app.latchkey.now().after(HOUR));
    let one = Terms { until, ..on(&app, &[ServicesView], &["Webshop"]).await };
    let domains = Reach::of(false, [own.id]);
    let name = Terms { domains, ..Terms::whole(set(&[DomainsView])) };
    app.hold(MEI, [one, name]).await;
    let mut mei = app.as_person(MEI).await;
    let list = mei.get(&format!("{BAKERY}/services")).await;
    assert!(list.body.contains(&format!("href=\"{shop}\"")));
    let page = mei.get(&shop).await;
    page.is(200).says("Managed hosting M");
    assert!(!page.body.contains("nordlys-shop"), "she may not see its password");
    assert!(!page.body.contains("Who can reach this?"), "she doesn't manage users");
    mei.get(&path).await.is(200).says(&own.name);
    let missing = uuid::Uuid::from_u128(7);
    for out_of_reach in [
        mail.clone(),
        format!("{BAKERY}/services/{missing}"),
        format!("{BAKERY}/services/{}", own.id),
        format!("{BAKERY}/services/nothing"),
        format!("{BAKERY}/domains/{missing}"),
        format!("{BAKERY}/domains/nothing"),
        shop.replace(BAKERY, AGENCY),
    ] {
        mei.get(&out_of_reach).await.is(404);
    }
    let other = mei.get(&format!("{BAKERY}/services/{missing}")).await;
    let one = mei.get(&mail).await;
    assert_eq!(one.title(), other.title());
    mei.get(&format!("{shop}/access")).await.is(403);
    app.forward_seconds(60 * 60);
    mei.get(&shop).await.is(403);
    mei.get(&path).await.is(200);
    app.as_person(TOM).await.get(&shop).await.is(404);
    app.browser().get(&shop).await.is(302);
}

#[apply(on_sqlite!)]
async fn the_page_of_a_service_asks_who_it_is_before_it_shows_the_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let passwords = on(&app, &[ServicesCredentials], &["Webshop"]).await;
    app.hold(MEI, [Terms::whole(set(&[ServicesView])), passwords]).await;
    let (shop, mail) = (service(&app, "Webshop").await, service(&app, "Order mail").await);
    let mut mei = app.as_person(MEI).await;
    mei.get(&shop).await.is(200).says("nordlys-shop");
    let page = mei.get(&mail).await;
    page.is(200);
    assert!(!page.body.contains("services/show-passwords") && !page.words().contains("Password"));
    app.forward_hours(3);
    let page = mei.get(&shop).await;
    assert!(!page.body.contains("nordlys-shop"));
    mei.fill_in(&page, "services/show-passwords", &[]).await.is(401);
}

#[apply(on_sqlite!)]
async fn who_can_reach_a_thing_is_told_with_the_way(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let shop = service(&app, "Webshop").await;
    let until = Some(app.latchkey.now().after(HOUR));
    let webshop = on(&app, &[ServicesManage, BillingView], &["Webshop"]).await;
    let other = on(&app, &[ServicesView], &["Order mail"]).await;
    let administrator = Terms::whole(set(&[AccountUsers]));
    let for_an_hour = Terms { until, ..Terms::whole(set(&[ServicesView])) };
    app.hold(AMIRA, [administrator, webshop]).await;
    app.hold(MEI, [for_an_hour]).await;
    app.hold(BJORN, [other]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&shop).await;
    assert!(page.body.contains(&format!("href=\"{shop}/access\"")));
    page.says("Who can reach this?");
    let page = amira.get(&format!("{shop}/access")).await;
    page.is(200).says("Who can reach Webshop");
    assert!(page.row_of("ingrid@").contains("Owner"));
    let own = page.row_of("amira@");
    assert!(own.contains("Services: see and manage (1 service)") && !own.contains("Billing"));
    assert!(own.contains("Given by Ingrid Solberg on 15 January 2027"), "{own}");
    let mei = page.row_of("mei@");
    assert!(mei.contains("see (all services, also those to come)"), "{mei}");
    assert!(mei.contains("until Friday, 15 January at 09:00 UTC"), "{mei}");
    assert!(mei.contains(&format!("{BAKERY}/users/{}", app.id_of(MEI).await)));
    assert!(!page.body.contains("bjorn@"), "he reaches another one");
    amira.get(&format!("{}/access", service(&app, "Order mail").await)).await.is(404);
    let (domain, _) = domain(&app).await;
    amira.get(&format!("{domain}/access")).await.is(403);
    app.forward_seconds(60 * 60);
    let page = amira.get(&format!("{shop}/access")).await;
    assert!(!page.body.contains("mei@"), "hers lapsed");
    // Who lost it, or never was in the account, learns nothing.
    app.as_person(BJORN).await.get(&format!("{shop}/access")).await.is(403);
    app.as_person(TOM).await.get(&format!("{shop}/access")).await.is(404);
}

#[apply(on_sqlite!)]
async fn who_can_reach_a_domain_is_told_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (path, own) = domain(&app).await;
    let domains = Reach::of(false, [own.id]);
    let services = Reach::NOTHING;
    app.hold(MEI, [Terms { domains, services, ..Terms::whole(set(&[DomainsManage])) }]).await;
    app.hold(BJORN, [Terms::whole(set(&[ServicesView]))]).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(&path).await.says("Who can reach this?");
    let page = ingrid.get(&format!("{path}/access")).await;
    page.is(200).says(&format!("Who can reach {}", own.name));
    assert!(page.row_of("mei@").contains("Domains: see and manage (1 domain)"));
    assert!(!page.body.contains("bjorn@"));
}

#[apply(on_sqlite!)]
async fn who_has_a_permission_is_told_with_the_way(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let one = on(&app, &[ServicesManage], &["Webshop"]).await;
    app.hold(MEI, [one]).await;
    app.hold(BJORN, [on(&app, &[ServicesManage, BillingView], &[]).await]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/permissions/services.manage");
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.body.contains(&format!("href=\"{path}\"")));
    let page = ingrid.get(&path).await;
    page.is(200).says("Who can reach Manage services");
    assert!(page.row_of("ingrid@").contains("Owner"));
    assert!(page.row_of("mei@").contains("Services: see and manage (1 service)"));
    assert!(!page.body.contains("bjorn@"), "what he has reaches nothing");
    let billing = ingrid.get(&format!("{BAKERY}/users/permissions/billing.view")).await;
    assert!(billing.row_of("bjorn@").contains("Billing: see"));
    ingrid.get(&format!("{BAKERY}/users/permissions/services.everything")).await.is(404);
    app.as_person(MEI).await.get(&path).await.is(403);
    app.as_person(TOM).await.get(&path).await.is(404);
}

#[apply(on_sqlite!)]
async fn what_somebody_reaches_is_told_by_name_as_far_as_the_reader_sees_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let two = on(&app, &[ServicesView], &["Webshop", "Order mail"]).await;
    app.hold(MEI, [two]).await;
    let shop = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), shop]).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    let page = app.as_person(INGRID).await.get(&path).await;
    page.is(200).says("Services within reach Order mail Webshop");
    assert!(!page.words().contains("Domains within reach"));
    let page = app.as_person(AMIRA).await.get(&path).await;
    page.is(200).says("Services within reach Webshop");
    assert!(!page.body.contains("Order mail"));
}

#[apply(on_sqlite!)]
async fn the_log_tells_reach_by_name_also_when_the_thing_is_gone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(24 * HOUR));
    let two = on(&app, &[ServicesView, BillingView], &["Webshop", "Order mail"]).await;
    app.hold(MEI, [Terms { until, ..two }]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let id = app.id_of(MEI).await;
    let path = format!("{BAKERY}/users/{id}");
    let ticks = [("account", "100001"), ("user", id.as_str()), ("permissions[]", "services.view")];
    ingrid.post(&path, "users/change-permissions", &ticks).await.is(303);
    ingrid.post(&format!("{path}/remove"), "users/remove-access", &ticks[..2]).await.is(303);
    let log = ingrid.get(&format!("{BAKERY}/log?person=mei&kind=access.removed")).await;
    log.says(
        "Taken back: See services · Order mail and Webshop, until Saturday, 16 January at 08:00 UTC",
    );
    let csv = ingrid.get(&format!("{BAKERY}/log.csv?person=mei&kind=permissions.changed")).await;
    let head = csv.body.lines().next().unwrap();
    assert!(head.ends_with(
        "address,services before,services after,domains before,domains after,\
         until before (UTC),until after (UTC),reason before,reason after"
    ));
    let row = csv.body.lines().find(|line| line.contains("billing.view")).unwrap();
    let things = "\"Order mail, Webshop\"";
    let end = "2027-01-16 08:00:00";
    assert!(row.ends_with(&format!(",{things},{things},,,{end},{end},,")), "{row}");
}

/// Adds services and domains to the bakery, so many of each, of which every third is suspended or expires
/// soon.
async fn many(app: &TestApp, count: u128) {
    let account = app.ingrid().await.account;
    let (service, domain) = (app.services().await.remove(0), app.domains().await.remove(0));
    let now = app.latchkey.now();
    for number in 0..count {
        let (third, id) = (number % 3 == 0, Uuid::from_u128(1000 + number));
        let state = if third { "suspended" } else { "active" }.to_owned();
        let name = format!("Zone {number:03}");
        let one = store::Service { id, name, state, ..service.clone() };
        app.latchkey.store.add_service(account, &one).await.unwrap();
        let expires_at = now.after(if third { HOUR } else { 1_000 * HOUR });
        let name = format!("zone-{number:03}.example");
        let one = store::Domain { id, name, expires_at, ..domain.clone() };
        app.latchkey.store.add_domain(account, &one).await.unwrap();
    }
}

/// Where the link with these words leads to.
fn link_of(page: &Page, words: &str) -> Option<String> {
    let body = page.body.replace("<!>", "");
    let (before, _) = body.split_once(&format!(">{words}</a>"))?;
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

#[apply(on_both!)]
async fn long_lists_of_things_have_pages_with_links(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (services, domains) = (app.services().await.len(), app.domains().await.len());
    many(&app, 60).await;
    let mut ingrid = app.as_person(INGRID).await;
    let overview = ingrid.get(BAKERY).await;
    for (noun, own) in [("services", services), ("domains", domains)] {
        let (all, path) = (60 + own, format!("{BAKERY}/{noun}"));
        let (mut seen, mut next) = (Vec::new(), Some(path.clone()));
        while let Some(here) = next {
            let page = ingrid.get(&here).await;
            page.is(200).says(&format!("{all} {noun}"));
            let rows = page.body.matches("<th scope=\"row\"").count();
            assert!(rows <= 25, "{rows}");
            seen.push((here, rows));
            next = link_of(&page, "Next page");
        }
        assert_eq!(seen.iter().map(|(_, rows)| rows).sum::<usize>(), all);
        assert!(seen.len() > 2);
        let last = ingrid.get(&seen.last().unwrap().0).await;
        let back = ingrid.get(&link_of(&last, "Previous page").unwrap()).await;
        let before_it = ingrid.get(&seen[seen.len() - 2].0).await;
        let table = |page: &Page| page.between("<table", "</table>");
        assert_eq!(table(&back), table(&before_it));
        overview.says(&format!("{all} {noun}"));
        // What stood there has gone, or is none: the first page.
        for nowhere in ["after=x", "after=00000000-0000-0000-0000-000000000000~zzzz"] {
            let page = ingrid.get(&format!("{path}?{nowhere}")).await;
            assert!(link_of(page.is(200), "Previous page").is_none(), "{nowhere}");
        }
    }
    // Within reach alone, also the numbers.
    let ids = (0..40).map(|number| Uuid::from_u128(1000 + number));
    let reach = Reach::of(false, ids);
    let terms = Terms {
        services: reach.clone(),
        domains: reach,
        ..Terms::whole(set(&[ServicesView, DomainsView]))
    };
    app.hold(MEI, [terms]).await;
    let mut mei = app.as_person(MEI).await;
    let overview = mei.get(BAKERY).await;
    overview.is(200).says("40 services, 14 suspended");
    overview.says("40 domains, 14 expire within 30 days");
    let page = mei.get(&format!("{BAKERY}/services")).await;
    page.is(200).says("40 services");
    let page = mei.get(&link_of(&page, "Next page").unwrap()).await;
    assert_eq!(page.body.matches("<th scope=\"row\"").count(), 15);
    assert!(link_of(&page, "Next page").is_none());
}

#[apply(on_sqlite!)]
async fn everything_that_somebody_reaches_is_listed_as_far_as_the_reader_sees_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    many(&app, 60).await;
    let reach =
        |from: u128, to: u128| Reach::of(false, (from..to).map(|at| Uuid::from_u128(1000 + at)));
    let seeing = |services| Terms { services, ..Terms::whole(set(&[ServicesView])) };
    app.hold(MEI, [seeing(reach(0, 40))]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), seeing(reach(10, 60))]).await;
    let mei = app.id_of(MEI).await;
    let path = format!("{BAKERY}/users/{mei}");
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&path).await;
    let list = link_of(page.is(200), "and 10 more").unwrap();
    assert_eq!(list, format!("{path}/reaches/services"));
    let page = amira.get(&list).await;
    page.is(200).says("What Mei Tanaka reaches: Services");
    page.says("30 services");
    assert!(page.body.contains("Zone 010") && !page.body.contains("Zone 009"));
    let next = amira.get(&link_of(&page, "Next page").unwrap()).await;
    assert!(next.is(200).body.contains("Zone 039") && !next.body.contains("Zone 040"));
    assert_eq!(next.body.matches("<th scope=\"row\"").count(), 5);
    let back = amira.get(&link_of(&next, "Previous page").unwrap()).await;
    assert!(back.is(200).body.contains("Zone 010"));
    // She sees no domains; nobody else's list is to be had, and there is none of invoices.
    amira.get(&format!("{path}/reaches/domains")).await.is(403);
    amira.get(&format!("{path}/reaches/billing")).await.is(404);
    amira.get(&format!("{BAKERY}/users/{}/reaches/services", app.id_of(TOM).await)).await.is(404);
    app.as_person(MEI).await.get(&list).await.is(403);
    app.as_person(TOM).await.get(&list).await.is(404);
    let owners = format!("{BAKERY}/users/{}/reaches/services", app.id_of(INGRID).await);
    amira.get(&owners).await.is(200).says("50 services");
    // A paused person reaches nothing at present.
    amira.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    amira.get(&list).await.is(200).says("None at this moment.");
}
