//! Mails that somebody causes again and again, and those that tell of a danger.

use app::mails::Told;
use domain::demo::{BJORN, INGRID, PASSWORD};
use model::{EmailAddress, Permission, Reach, Terms};
use server::config::Config;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

/// The newest mail of this kind to somebody, in words.
async fn newest(app: &TestApp, email: &str, kind: &str) -> String {
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let of_kind = |kept: &&domain::mails::KeptMail| {
        kept.to.as_str() == email && kept.mail.kind().id() == kind
    };
    let kept = mails.iter().find(of_kind).unwrap();
    let told = Told::at(kept.queued_at);
    app::mails::write(&kept.mail, None, told, &Config::default().site()).text
}

async fn count(app: &TestApp, email: &str, kind: &str) -> usize {
    app.mails_to(email).await.iter().filter(|one| **one == kind).count()
}

#[apply(on_sqlite!)]
async fn many_changes_are_few_mails_and_the_last_one_is_true(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = app.id_of(BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{id}");
    for number in 0..20 {
        let area = if number % 2 == 0 { "domains.view" } else { "support.view" };
        let chosen = [("permissions[]", area)];
        ingrid.open_and_fill_in(&path, "users/change-permissions", &chosen).await.is(303);
        assert_eq!(count(&app, BJORN.email, "permissions_changed").await, 1);
    }
    app.forward_seconds(599);
    assert_eq!(count(&app, BJORN.email, "permissions_changed").await, 1);
    app.forward_seconds(1);
    assert_eq!(count(&app, BJORN.email, "permissions_changed").await, 2);
    let text = newest(&app, BJORN.email, "permissions_changed").await;
    assert!(text.contains("This is how it stands now: you can see support requests."), "{text}");
    assert!(text.contains("That has happened 19 times since"), "{text}");
}

#[apply(on_sqlite!)]
async fn one_service_in_the_place_of_another_is_told_though_the_numbers_are_the_same(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let services = app.services().await;
    let id = |name: &str| services.iter().find(|service| service.name == name).unwrap().id;
    let (shop, mail) = (id("Webshop"), id("Order mail").to_string());
    let view = Terms::whole([Permission::ServicesView].into_iter().collect());
    app.hold(BJORN, [Terms { services: Reach::of(false, [shop]), ..view }]).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    // What the demo told him isn't gathered with it any more.
    app.keep_all_mail().await;
    app.forward_hours(2);
    let mut ingrid = app.as_person(INGRID).await;
    let exchanged =
        [("permissions[]", "services.view"), ("services", "these"), ("service[]", mail.as_str())];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &exchanged).await.is(303);
    let text = newest(&app, BJORN.email, "permissions_changed").await;
    for told in [
        "This is how it stands now: you can see services (1 service).",
        "It may be about other services or domains than before.",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // Only why: that is between those who give.
    let before = count(&app, BJORN.email, "permissions_changed").await;
    let why = [&exchanged[..], &[("why", "For the orders")]].concat();
    ingrid.open_and_fill_in(&path, "users/change-permissions", &why).await.is(303);
    app.forward_hours(1);
    assert_eq!(count(&app, BJORN.email, "permissions_changed").await, before);
}

#[apply(on_sqlite!)]
async fn what_is_narrowed_beside_something_new_is_told_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let view = Terms::whole([Permission::ServicesView].into_iter().collect());
    app.hold(BJORN, [view]).await;
    let shop = app.services().await.into_iter().find(|service| service.name == "Webshop").unwrap();
    let shop = shop.id.to_string();
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let fields = [
        ("permissions[]", "services.view"),
        ("permissions[]", "support.view"),
        ("services", "these"),
        ("service[]", shop.as_str()),
    ];
    // What the demo told him isn't gathered with it any more.
    app.keep_all_mail().await;
    app.forward_hours(2);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.open_and_fill_in(&path, "users/change-permissions", &fields).await.is(303);
    let text = newest(&app, BJORN.email, "permissions_changed").await;
    assert!(text.contains("New: you can now see support requests."), "{text}");
    assert!(text.contains("you can see services and see support requests (1 service)"), "{text}");
}

#[apply(on_sqlite!)]
async fn a_new_password_is_told_with_when_from_where_and_what_to_do(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = EmailAddress::parse(BJORN.email).unwrap();
    let (token, _) = domain::passwords::reset_link(&app.latchkey, &email).await.unwrap();
    let token = token.secret().expose();
    let chosen = "a window beside the lamp";
    let fields = [("new_password", chosen)];
    let mut elsewhere = app.browser_at("198.51.100.7");
    let page = elsewhere.get(&format!("/reset/{token}")).await;
    elsewhere.fill_in(&page, "security/reset", &fields).await.is(303);
    elsewhere.fill_in(&page, "security/reset", &fields).await.is(410);
    assert_eq!(count(&app, BJORN.email, "password_changed").await, 1);
    let text = newest(&app, BJORN.email, "password_changed").await;
    for told in ["198.51.100.7", "used a link", "/forgot-password", "mailbox"] {
        assert!(text.contains(told), "{told}: {text}");
    }

    let mut bjorn = app.browser();
    bjorn.sign_in(BJORN.email, chosen).await.is(303);
    let wrong = [("password", "not this one, no"), ("new_password", PASSWORD)];
    bjorn.post("/security", "security/change-password", &wrong).await.is(422);
    assert_eq!(count(&app, BJORN.email, "password_changed").await, 1);
    let right = [("password", chosen), ("new_password", "three lamps in a window")];
    app.forward_seconds(60);
    bjorn.post("/security", "security/change-password", &right).await.is(303);
    assert_eq!(count(&app, BJORN.email, "password_changed").await, 2);
    let text = newest(&app, BJORN.email, "password_changed").await;
    assert!(
        text.contains("Somebody who was signed in to your login changed its password"),
        "{text}"
    );
}

#[apply(on_sqlite!)]
async fn links_that_are_asked_for_by_mail_are_counted(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let ask = [("email", BJORN.email)];
    for status in [302, 302, 302, 302, 302, 429] {
        let page = app.browser().post("/forgot-password", "security/request-reset", &ask).await;
        assert_eq!(page.status.as_u16() / 100, status / 100, "{}", page.status);
    }
    assert!(count(&app, BJORN.email, "password_reset").await <= 5);
    let mut ingrid = app.as_person(INGRID).await;
    for (number, status) in [303, 303, 303, 303, 303, 429].into_iter().enumerate() {
        let address = format!("new{number}@nordlys.example");
        ingrid
            .post("/profile/email", "profile/change-email", &[("email", &address)])
            .await
            .is(status);
    }
}
