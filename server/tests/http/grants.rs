//! What somebody's grants reach, and until when.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, INGRID, MEI};
use model::{Permission, PermissionSet, Reach, Terms};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

use Permission::{
    AccountUsers, BillingView, ServicesCredentials, ServicesManage, ServicesView, SupportView,
};

const NEW_PASSWORD: &str = "three small grey boats";
const HOUR: Duration = Duration::from_secs(60 * 60);

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// These permissions on the bakery's services with these names, without end.
async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(set(permissions)) }
}

#[apply(on_both!)]
async fn somebody_with_two_of_the_services_sees_these_and_no_others(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let two = on(&app, &[ServicesView], &["Webshop", "Order mail"]).await;
    app.hold(MEI, [two]).await;
    let mut mei = app.as_person(MEI).await;
    let page = mei.get(&format!("{BAKERY}/services")).await;
    page.is(200).says("Webshop");
    page.says("Order mail");
    let overview = mei.get(BAKERY).await;
    overview.is(200).says("2 services");
    overview.says("You can see services (2 services)");
    for page in [page, overview] {
        for name in ["Recipe archive", "Old website", "suspended", "nordlys-shop"] {
            assert!(!page.body.contains(name), "{name}");
        }
    }
    mei.get(&format!("{BAKERY}/domains")).await.is(403).says("(2 services)");
    let mut ingrid = app.as_person(INGRID).await;
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("mei@").contains("Services: see (2 of 4)"));
    // Whoever doesn't see all of them isn't told how many there are.
    let three = on(&app, &[ServicesView], &["Webshop", "Order mail", "Old website"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), three]).await;
    let users = app.as_person(AMIRA).await.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("mei@").contains("Services: see (2 services)"));
}

#[apply(on_both!)]
async fn passwords_are_shown_of_the_services_that_they_are_open_for(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let passwords = on(&app, &[ServicesCredentials], &["Webshop"]).await;
    app.hold(MEI, [Terms::whole(set(&[ServicesView])), passwords]).await;
    let page = app.as_person(MEI).await.get(&format!("{BAKERY}/services")).await;
    page.is(200).says("nordlys-shop");
    page.says("Recipe archive");
    for service in app.services().await {
        let secret = service.login_password.expose();
        assert_eq!(page.body.contains(secret), service.name == "Webshop", "{}", service.name);
    }
}

#[apply(on_both!)]
async fn from_its_end_on_a_grant_opens_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(2 * HOUR));
    let (billing, support) = (set(&[BillingView]), set(&[SupportView]));
    app.hold(MEI, [Terms { until, ..Terms::whole(billing) }, Terms::whole(support)]).await;
    let mut mei = app.as_person(MEI).await;
    let billing = format!("{BAKERY}/billing");
    app.forward_seconds(2 * 60 * 60 - 1);
    mei.get(&billing).await.is(200);
    let overview = mei.get(BAKERY).await;
    overview.says("see invoices (until Friday, 15 January at 10:00 UTC)");
    app.forward_seconds(1);
    mei.get(&billing).await.is(403).says("You can see support requests.");
    let overview = mei.get(BAKERY).await;
    assert!(!overview.body.contains(&billing), "nor does anything lead there");
    mei.get(&format!("{BAKERY}/support")).await.is(200);
}

#[apply(on_both!)]
async fn whether_a_grant_ended_is_said_by_the_clock_of_the_node_that_is_asked(db: TestDatabase) {
    let url = db.url.clone();
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(HOUR));
    app.hold(BJORN, [Terms { until, ..Terms::whole(set(&[BillingView])) }]).await;
    let billing = format!("{BAKERY}/billing");
    app.forward_seconds(60 * 60 - 30);
    let ahead = app.node_ahead(&url, 60).await;
    let bjorn = app.as_person(BJORN).await;
    bjorn.clone().get(&billing).await.is(200);
    bjorn.clone().at(&ahead).get(&billing).await.is(403).says("as agreed");
    // The other node hasn't ended it for everybody, and neither pauses nor deletes anything.
    bjorn.clone().get(&billing).await.is(200);
    app.forward_seconds(30);
    bjorn.clone().get(&billing).await.is(403).says("as agreed");
}

#[apply(on_both!)]
async fn a_membership_whose_last_grant_ended_stays_and_opens_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(HOUR));
    app.hold(AMIRA, [Terms { until, ..Terms::whole(PermissionSet::all()) }]).await;
    let mut amira = app.as_person(AMIRA).await;
    amira.get(&format!("{BAKERY}/users")).await.is(200);
    app.forward_hours(1);
    let page = amira.get(&format!("{BAKERY}/users")).await;
    page.is(403).says("Your access to Nordlys Bakeri AS ended on Friday, 15 January, as agreed.");
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@nordlys.example", &["billing.view"]).await.is(403);
    let id = app.id_of(BJORN).await;
    let fields = [("account", "100001"), ("user", id.as_str()), ("permissions[]", "support.view")];
    let path = format!("{BAKERY}/users/{id}");
    amira.post(&path, "users/change-permissions", &fields).await.is(403);
    let users = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("amira@").contains("ended on Friday, 15 January, as agreed"));
}

#[apply(on_both!)]
async fn whoever_invites_gives_as_far_as_they_reach_and_no_longer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(24 * HOUR));
    let shop = Terms { until, ..on(&app, &[ServicesManage], &["Webshop"]).await };
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), shop]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&format!("{BAKERY}/users/invite")).await;
    page.is(200).says("Services: see and manage (1 service)");
    amira.invite("kari@nordlys.example", &["services.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut ingrid = app.as_person(INGRID).await;
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    log.says("Offered: See services · Webshop, until Saturday, 16 January at 08:00 UTC");
    let csv = ingrid.get(&format!("{BAKERY}/log.csv")).await;
    let row = csv.body.lines().find(|line| line.contains("kari@nordlys.example")).unwrap();
    assert!(row.contains(",services.view,,"), "{row}");
    assert!(row.ends_with(",,Webshop,,,,2027-01-16 08:00:00,,"), "{row}");
    let mut kari = app.browser();
    let bounds = "(1 service, until Saturday, 16 January at 08:00 UTC)";
    kari.get(&link).await.is(200).says(&format!("see services {bounds}"));
    let token = link.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.post(&link, "invitations/join-with-new-login", &fields).await.is(303);
    let page = kari.get(&format!("{BAKERY}/services")).await;
    page.is(200).says("Webshop");
    assert!(!page.body.contains("Order mail"));
    app.forward_hours(23);
    kari.get(&format!("{BAKERY}/services")).await.is(200);
    app.forward_hours(1);
    kari.get(&format!("{BAKERY}/services")).await.is(403);
}

#[apply(on_both!)]
async fn what_was_offered_is_cut_to_what_its_inviter_reaches_when_it_is_accepted(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@nordlys.example", &["services.view", "billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let shop = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), shop]).await;
    let users = amira.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains("can no longer give all of this"));
    let mut kari = app.browser();
    kari.get(&link).await.is(200).says("You will be able to see services (1 service).");
    let token = link.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.post(&link, "invitations/join-with-new-login", &fields).await.is(303);
    let page = kari.get(&format!("{BAKERY}/services")).await;
    page.is(200).says("Webshop");
    assert!(!page.body.contains("Order mail"));
    kari.get(&format!("{BAKERY}/billing")).await.is(403);
}

#[apply(on_both!)]
async fn what_its_inviter_lost_by_an_end_meanwhile_is_cut_from_what_was_offered(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (users, services) = (set(&[AccountUsers]), set(&[ServicesView]));
    let billing = Terms::whole(set(&[BillingView]));
    app.hold(AMIRA, [Terms::whole(users), Terms::whole(services), billing.clone()]).await;
    app.as_person(AMIRA)
        .await
        .invite("kari@nordlys.example", &["services.view", "billing.view"])
        .await
        .is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    // It was sent without end. Since then hers ends: the one before it is accepted, the other after.
    let end = |hours: u32| Some(app.latchkey.now().after(hours * HOUR));
    let billing = Terms { until: end(2), ..billing };
    let day = Terms { until: end(24), ..Terms::whole(services) };
    app.hold(AMIRA, [Terms::whole(users), day, billing]).await;
    let mut kari = app.browser();
    kari.get(&link).await.is(200).says("see invoices (until Friday, 15 January at 10:00 UTC)");
    app.forward_hours(3);
    let page = kari.get(&link).await;
    let left = "You will be able to see services (until Saturday, 16 January at 08:00 UTC).";
    page.is(200).says(left);
    let token = link.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.post(&link, "invitations/join-with-new-login", &fields).await.is(303);
    kari.get(&format!("{BAKERY}/billing")).await.is(403);
    kari.get(&format!("{BAKERY}/services")).await.is(200);
    let users = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    let row = users.row_of("kari@").to_owned();
    assert!(row.contains("until Saturday, 16 January at 08:00 UTC") && !row.contains("Billing"));
    app.forward_hours(20);
    kari.get(&format!("{BAKERY}/services")).await.is(200);
    app.forward_hours(1);
    kari.get(&format!("{BAKERY}/services")).await.is(403).says("as agreed");
}

#[apply(on_both!)]
async fn nobody_gives_or_takes_back_beyond_what_they_reach(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let manage = on(&app, &[ServicesManage, BillingView], &["Webshop"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), manage]).await;
    app.hold(BJORN, [Terms::whole(set(&[ServicesView, BillingView]))]).await;
    let id = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{id}");
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&path).await;
    assert!(page.input("id=\"services.view\"").contains("disabled"));
    assert!(!page.input("id=\"billing.view\"").contains("disabled"));
    let form =
        |permission| [("account", "100001"), ("user", id.as_str()), ("permissions[]", permission)];
    let page = amira.post(&path, "users/change-permissions", &form("services.manage")).await;
    page.is(403).says("“Manage services” on all that this is about");
    // What she can't take back stays.
    let saved = amira.submit(&path, "users/change-permissions", &form("account.users")).await;
    saved.says("Changes saved");
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/services")).await.is(200).says("Order mail");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(403);
}
