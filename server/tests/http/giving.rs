//! Giving: on what, until when and why, in the forms for inviting and for changing access.

use std::time::Duration;

use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV};
use model::{Permission, PermissionSet, Reach, Terms};
use test_database::{TestDatabase, apply};
use uuid::Uuid;

use crate::story::{BAKERY, Browser, Page, TestApp, post};

use Permission::{AccountUsers, ServicesManage, ServicesView};

const INVITE: &str = "/accounts/100001/users/invite";
const NEW_PASSWORD: &str = "three small grey boats";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn id(app: &TestApp, name: &str) -> String {
    let services = app.services().await;
    services.iter().find(|service| service.name == name).unwrap().id.to_string()
}

async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    let permissions: PermissionSet = permissions.iter().copied().collect();
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(permissions) }
}

/// Amira manages users, and sees what these terms say.
async fn amira_with(app: &TestApp, terms: Terms) -> Browser {
    let users = Terms::whole([AccountUsers].into_iter().collect());
    app.hold(AMIRA, [users, terms]).await;
    app.as_person(AMIRA).await
}

/// Invites Kari to see services, and whatever else the fields say.
async fn invite(browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    let first = [
        ("account", "100001"),
        ("email", "kari@nordlys.example"),
        ("permissions[]", "services.view"),
    ];
    browser.post(INVITE, "users/invite", &[&first[..], fields].concat()).await
}

#[apply(on_sqlite!)]
async fn these_services_until_the_days_end_are_given_and_no_others(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "Europe/Oslo")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let shop = id(&app, "Webshop").await;
    let page = ingrid.get(INVITE).await;
    page.is(200).says("Which services?");
    assert!(page.input(&format!("value=\"{shop}\"")).contains("name=\"service[]\""));
    let fields = [
        ("services", "these"),
        ("service[]", shop.as_str()),
        ("domains", "all"),
        ("until", "2027-01-31"),
        ("why", "  While the shop \n moves "),
    ];
    invite(&mut ingrid, &fields).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let bounds = "see services (1 service, until Sunday, 31 January)";
    kari.get(&link).await.is(200).says(bounds);
    let token = link.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.post(&link, "invitations/join-with-new-login", &fields).await.is(303);
    let services = kari.get(&format!("{BAKERY}/services")).await;
    services.is(200).says("Webshop");
    assert!(!services.body.contains("Order mail"));
    let log = ingrid.get(&format!("{BAKERY}/log")).await;
    let bounds = "Webshop, until Sunday, 31 January, reason: While the shop moves";
    log.says(&format!("Offered: See services · {bounds}"));
    log.says(&format!("Granted: See services · {bounds}"));
    let users = ingrid.get(&format!("{BAKERY}/users?search=kari")).await;
    let manage = users.body.split("href=\"").find(|link| link.contains("/users/0")).unwrap();
    let page = ingrid.get(manage.split('"').next().unwrap()).await;
    page.is(200).says("(1 of 4: Webshop), until Sunday, 31 January");
    assert!(page.input("id=\"until\"").contains("value=\"2027-01-31\""));
    assert!(page.input("id=\"why\"").contains("value=\"While the shop moves\""));
    assert!(page.input("id=\"these-services\"").contains("checked"));
}

#[apply(on_sqlite!)]
async fn days_end_in_the_time_zone_that_the_account_has_chosen(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "America/New_York")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/account");
    let (form, named) = ("account/change-details", ("account_name", "Nordlys"));
    let page = ingrid.open_and_fill_in(&path, form, &[named, ("time_zone", "Bergen")]).await;
    page.is(422).says("Enter the name of a time zone");
    assert!(page.input("id=\"time_zone\"").contains("Bergen"));
    invite(&mut ingrid, &[("until", "2027-07-31")]).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains("until Saturday, 31 July"));
    let chosen = [named, ("time_zone", " europe/oslo")];
    ingrid.open_and_fill_in(&path, form, &chosen).await.is(303);
    assert!(ingrid.get(&path).await.input("id=\"time_zone\"").contains("Europe/Oslo"));
    invite(&mut ingrid, &[("until", "2027-07-31")]).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains("until Saturday, 31 July"));
}

#[apply(on_sqlite!)]
async fn mails_and_the_list_of_accounts_tell_days_as_the_account_counts_them(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "America/New_York")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let oslo = [("account_name", "Nordlys"), ("time_zone", "Europe/Oslo")];
    let form = "account/change-details";
    ingrid.open_and_fill_in(&format!("{BAKERY}/account"), form, &oslo).await.is(303);
    let path = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    let ends = [("permissions[]", "billing.view"), ("until", "2027-07-31")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &ends).await.is(303);
    let accounts = app.as_person(MEI).await.get("/accounts").await;
    assert!(app.mails_to(MEI.email).await.contains(&"permissions_changed"));
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let told = mails.iter().find(|mail| mail.mail.kind().id() == "permissions_changed").unwrap();
    let mail = ingrid.get(&format!("/demo/mailbox/{}", told.id)).await;
    for page in [accounts, mail] {
        page.is(200).says("until Saturday, 31 July");
        assert!(!page.words().contains("22:00"), "{}", page.words());
    }
}

#[apply(on_sqlite!)]
async fn five_thousand_ticked_services_are_taken_and_nothing_larger(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = if app.db.url.starts_with("sqlite:") {
        "unhex(printf('%032x', 1000 + n.x))"
    } else {
        "CAST(lpad(to_hex(1000 + n.x), 32, '0') AS UUID)"
    };
    app.db
        .run(&format!(
            "WITH RECURSIVE n (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 4999) \
             INSERT INTO services \
                 (id, account_id, name, plan, state, renews_at, login_name, login_password) \
             SELECT {id}, s.account_id, 'Shop ' || n.x, s.plan, s.state, s.renews_at, \
                 s.login_name, s.login_password \
             FROM n, services s WHERE s.name = 'Webshop'"
        ))
        .await;
    let mut ingrid = app.as_person(INGRID).await;
    let ids: Vec<_> = (0..5000).map(|n| Uuid::from_u128(1000 + n).to_string()).collect();
    let ticked = ids.iter().map(|id| ("service[]", id.as_str()));
    let these: Vec<_> = [("services", "these")].into_iter().chain(ticked).collect();
    invite(&mut ingrid, &these).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains("see (5000 of 500"), "{}", users.row_of("kari@"));

    // To the byte, and for these forms alone.
    let sized = |form: &str, size: usize| {
        let begin = format!("form={form}&account=100001&email=");
        format!("{begin}{}", "x".repeat(size - begin.len()))
    };
    let most = 10_000 * 56 + 64 * 1024;
    ingrid.send(post(INVITE, sized("users/invite", most))).await.is(422);
    let page = ingrid.send(post(INVITE, sized("users/invite", most + 1))).await;
    page.is(413).says("The form is too large: 610 kB at most");
    let manage = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    for (path, form) in [(INVITE, "users/resend"), (&*manage, "users/pause-access")] {
        let page = ingrid.send(post(path, sized(form, 64 * 1024 + 1))).await;
        page.is(413).says("The form is too large: 64 kB at most");
    }
}

#[apply(on_sqlite!)]
async fn what_is_out_of_reach_is_refused_and_what_was_typed_is_kept(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (shop, mail) = (id(&app, "Webshop").await, id(&app, "Order mail").await);
    let shown = on(&app, &[ServicesView], &["Webshop"]).await;
    let mut amira = amira_with(&app, shown).await;
    let page = amira.get(INVITE).await;
    page.is(200).says("You don't reach all of them yourself, so you can't give all.");
    assert!(!page.body.contains("Order mail"));
    assert!(page.input("name=\"services\" value=\"all\"").contains("disabled"));
    let forged = [
        ("services", "these"),
        ("service[]", shop.as_str()),
        ("service[]", mail.as_str()),
        ("why", "Because"),
    ];
    let page = invite(&mut amira, &forged).await;
    page.is(403).says("“See services” on all that this is about");
    assert!(!page.body.contains("Order mail"));
    assert!(page.input("id=\"email\"").contains("kari@nordlys.example"));
    assert!(page.input("id=\"why\"").contains("Because"));
    assert!(page.input("id=\"these-services\"").contains("checked"));
    assert!(page.input(&format!("id=\"thing-{shop}\"")).contains("checked"));
    invite(&mut amira, &[("services", "all")]).await.is(403);
    let elsewhere = Uuid::from_u128(7).to_string();
    let unknown = [("services", "these"), ("service[]", elsewhere.as_str())];
    invite(&mut amira, &unknown).await.is(403);
    let mut ingrid = app.as_person(INGRID).await;
    invite(&mut ingrid, &unknown).await.is(422).says("Choose at least one service");
    invite(&mut ingrid, &[("services", "these"), ("service[]", "x")]).await.is(422);
    invite(&mut amira, &[("services", "these"), ("service[]", shop.as_str())]).await.is(303);
}

#[apply(on_sqlite!)]
async fn an_end_lies_ahead_and_not_beyond_the_givers_own(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let cases = [
        ("2027-01-14", "Choose a day that isn't over yet"),
        ("2040-01-01", "Choose a day within the next ten years"),
        ("tomorrow", "Enter a day such as 2027-01-31"),
    ];
    for (until, words) in cases {
        let page = invite(&mut ingrid, &[("until", until)]).await;
        page.is(422).says(words);
        assert!(page.input("id=\"until\"").contains(until), "{until}");
    }
    let until = Some(app.latchkey.now().after(2 * DAY));
    let all: PermissionSet = [AccountUsers, ServicesManage].into_iter().collect();
    app.hold(AMIRA, [Terms { until, ..Terms::whole(all) }]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(INVITE).await;
    let until = page.input("id=\"until\"");
    assert!(until.contains("value=\"2027-01-17\"") && until.contains("max=\"2027-01-17\""));
    for until in ["2027-01-18", ""] {
        let page = invite(&mut amira, &[("until", until)]).await;
        page.is(403).says("your own access ends earlier");
    }
    // On the day on which their own access ends, until then.
    invite(&mut amira, &[("until", "2027-01-17")]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    app.browser().get(&link).await.says("until Sunday, 17 January at 08:00 UTC");
}

#[apply(on_sqlite!)]
async fn what_is_out_of_the_makers_hold_stays_when_access_is_changed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let his = on(&app, &[ServicesView], &["Webshop", "Order mail"]).await;
    app.hold(BJORN, [his]).await;
    let hers = on(&app, &[ServicesView], &["Webshop", "Recipe archive"]).await;
    let mut amira = amira_with(&app, hers).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let page = amira.get(&path).await;
    page.is(200).says("1 more that you don't see stays as it is.");
    assert!(page.input("id=\"until\"").contains("disabled"));
    let archive = id(&app, "Recipe archive").await;
    let fields = [
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("service[]", archive.as_str()),
    ];
    let answer = amira.fill_in(&page, "users/change-permissions", &fields).await;
    amira.go_on(&answer).await.says("Changes saved");
    let services = app.as_person(BJORN).await.get(&format!("{BAKERY}/services")).await;
    services.is(200).says("Order mail");
    services.says("Recipe archive");
    assert!(!services.body.contains("Webshop"));
    let until = [("permissions[]", "services.view"), ("until", "2027-03-01")];
    amira.open_and_fill_in(&path, "users/change-permissions", &until).await.is(403);
    let all = [("permissions[]", "services.view"), ("services", "all")];
    amira.open_and_fill_in(&path, "users/change-permissions", &all).await.is(403);
}

#[apply(on_sqlite!)]
async fn a_day_that_is_over_stays_where_it_is_and_is_chosen_by_nobody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(DAY));
    let his = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(BJORN, [Terms { until, ..his }]).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let told = app.mails_to(BJORN.email).await.len();
    app.forward_hours(48);
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&path).await;
    assert!(page.input("id=\"until\"").contains("value=\"2027-01-16\""));
    let (form, manages) = ("users/change-permissions", ("permissions[]", "services.manage"));
    let earlier = [manages, ("until", "2027-01-15")];
    ingrid.fill_in(&page, form, &earlier).await.is(422).says("Choose a day that isn't over yet");
    let same = [manages, ("until", "2027-01-16")];
    ingrid.fill_in(&page, form, &same).await.is(303);
    let page = ingrid.get(&path).await;
    page.is(200).says("ended on Saturday, 16 January, as agreed");
    assert!(page.input("id=\"services.manage\"").contains("checked"));
    // It opens nothing, as before: there is nothing to tell.
    assert_eq!(app.mails_to(BJORN.email).await.len(), told);
    let later = [("permissions[]", "services.view"), manages, ("until", "2027-01-20")];
    ingrid.fill_in(&page, form, &later).await.is(303);
    assert_eq!(app.mails_to(BJORN.email).await.len(), told + 1);
    app.as_person(BJORN).await.get(&format!("{BAKERY}/services")).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_stale_tab_overwrites_nobodys_reach(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let his = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(BJORN, [his]).await;
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let form = "users/change-permissions";
    let (hers, theirs) = (ingrid.get(&path).await, olav.get(&path).await);
    let (shop, mail) = (id(&app, "Webshop").await, id(&app, "Order mail").await);
    let with = |service| {
        [("permissions[]", "services.view"), ("services", "these"), ("service[]", service)]
    };
    olav.fill_in(&theirs, form, &with(&*mail)).await.is(303);
    let end = [&with(&*shop)[..], &[("until", "2027-03-01")]].concat();
    ingrid.fill_in(&hers, form, &end).await.is(409).says("Somebody else changed this");
    let page = ingrid.get(&path).await;
    assert!(page.input(&format!("id=\"thing-{mail}\"")).contains("checked"));
    assert!(!page.input(&format!("id=\"thing-{shop}\"")).contains("checked"));
}

#[apply(on_sqlite!)]
async fn long_lists_are_searched_without_scripts_and_nothing_typed_is_lost(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.ingrid().await.account;
    let like = app.services().await.remove(0);
    for number in 0..250 {
        let (id, name) = (Uuid::from_u128(1000 + number), format!("Shop {number:03} 100%"));
        let service = store::Service { id, name, ..like.clone() };
        app.latchkey.store.add_service(account, &service).await.unwrap();
    }
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(INVITE).await;
    page.is(200).says("There are more than fit here");
    assert_eq!(page.body.matches("name=\"service[]\"").count(), 200);
    assert!(!page.body.contains("Shop 249"));
    let archive = id(&app, "Recipe archive").await;
    let ticked = [("services", "these"), ("service[]", archive.as_str()), ("show", "services")];
    let sought = [&ticked[..], &[("search_services", "sHOP 249 100%")]].concat();
    let page = invite(&mut ingrid, &sought).await;
    page.is(422);
    assert_eq!(page.body.matches("name=\"service[]\"").count(), 2);
    assert!(page.body.contains("Shop 249") && !page.body.contains("There is a problem"));
    assert!(!page.title().contains("Error"));
    assert!(page.input(&format!("id=\"thing-{archive}\"")).contains("checked"));
    assert!(page.input("id=\"email\"").contains("kari@nordlys.example"));
    assert!(page.input("id=\"search_services\"").contains("sHOP 249"));
}

/// What a form shows in a field that can be typed into.
fn shown(page: &Page, field: &str) -> String {
    let input = page.input(&format!("id=\"{field}\""));
    let value = input.split(" value=\"").nth(1).unwrap_or_default();
    value.split('"').next().unwrap_or_default().to_owned()
}

#[apply(on_sqlite!)]
async fn a_form_begins_with_an_end_that_can_be_given(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let until = Some(app.latchkey.now().after(7 * DAY));
    let shop = Terms { until, ..on(&app, &[ServicesView], &["Webshop"]).await };
    let mut amira = amira_with(&app, shop).await;
    let page = amira.get(INVITE).await;
    page.is(200).says("Some of what you have yourself ends then.");
    page.says("You have this on Webshop, until");
    assert_eq!(shown(&page, "until"), "2027-01-22");
    let (until, service) = (shown(&page, "until"), id(&app, "Webshop").await);
    let fields = [
        ("email", "kari@nordlys.example"),
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("service[]", service.as_str()),
        ("until", until.as_str()),
    ];
    amira.fill_in(&page, "users/invite", &fields).await.is(303);
    // What she has for longer she can give for longer.
    let endless =
        [("email", "ola@nordlys.example"), ("permissions[]", "account.users"), ("until", "")];
    amira.fill_in(&page, "users/invite", &endless).await.is(303);
    let bjorn = format!("{BAKERY}/users/{}/extra/new", app.id_of(BJORN).await);
    let page = amira.get(&bjorn).await;
    assert_eq!(shown(&page, "until"), "2027-01-22");
    amira.fill_in(&page, "users/give-extra", &fields[1..]).await.is(303);
}

#[apply(on_sqlite!)]
async fn who_has_permissions_on_more_and_on_less_is_told_at_each_box(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let users = Terms::whole([AccountUsers, ServicesView].into_iter().collect());
    let two = on(&app, &[ServicesManage], &["Webshop", "Order mail"]).await;
    app.hold(AMIRA, [users, two]).await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(INVITE).await;
    page.is(200).says("You have this on Order mail and Webshop.");
    page.says("Such a permission can't be given on all.");
    assert!(!page.input("name=\"services\" value=\"all\"").contains("disabled"));
    assert!(page.input("id=\"these-services\"").contains("checked"));
    // As it is shown something has to be chosen, and what is told at the box can be.
    let first = [("email", "kari@nordlys.example"), ("permissions[]", "services.manage")];
    let these = ("services", "these");
    let none = [&first[..], &[these]].concat();
    amira.fill_in(&page, "users/invite", &none).await.is(422).says("Choose at least one service");
    let (shop, mail) = (id(&app, "Webshop").await, id(&app, "Order mail").await);
    let chosen = [these, ("service[]", shop.as_str()), ("service[]", mail.as_str())];
    amira.fill_in(&page, "users/invite", &[&first[..], &chosen].concat()).await.is(303);
    let all =
        [("email", "ola@nordlys.example"), ("permissions[]", "services.view"), ("services", "all")];
    amira.fill_in(&page, "users/invite", &all).await.is(303);
    // Somebody to whom all of it is open isn't told a thing.
    let page = app.as_person(INGRID).await.get(INVITE).await;
    assert!(!page.words().contains("You have this"));
    assert!(!page.input("id=\"these-services\"").contains("checked"));
}
