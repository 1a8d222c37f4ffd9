//! Choosing a new password by a link.

use domain::demo::{INGRID, PASSWORD};
use model::Mail;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_both!)]
async fn a_reset_link_works_once_and_ends_every_session(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut signed_in = app.as_person(INGRID).await;
    let mut browser = app.browser();
    let fields = [("email", "INGRID@nordlys.example")];
    let page = browser.submit("/forgot-password", "security/request-reset", &fields).await;
    page.is(200).says("Check your email");
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(5).await.unwrap();
    let token = mails.iter().find_map(|kept| match &kept.mail {
        Mail::PasswordReset { token, .. } => Some(token.expose().to_owned()),
        _ => None,
    });
    let token = token.unwrap();
    let link = format!("/reset/{token}");
    let page = browser.get(&link).await;
    page.is(200).says("Choose a new password");
    assert!(page.input("id=\"new_password\"").contains("autofocus"), "it alone is asked for");
    let short = [("new_password", "short")];
    let refused = browser.fill_in(&page, "security/reset", &short).await;
    refused.is(422).says("at least 15 characters");
    let chosen = [("new_password", "another long password")];
    let answer = browser.fill_in(&refused, "security/reset", &chosen).await;
    browser.go_on(&answer).await.is(200).says("Password changed");
    signed_in.get(BAKERY).await.is(302);
    browser.fill_in(&page, "security/reset", &chosen).await.is(410);
    browser.get(&link).await.is(410).says("This link can't be used");
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(422);
    app.browser().sign_in(INGRID.email, "another long password").await.is(303);
}

#[apply(on_both!)]
async fn who_chose_a_password_by_the_link_waits_for_no_earlier_try(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for _ in 0..3 {
        app.browser().sign_in(INGRID.email, "wrong password").await.is(422);
    }
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(429);
    let email = model::EmailAddress::parse(INGRID.email).unwrap();
    let (token, _) = domain::passwords::reset_link(&app.latchkey, &email).await.unwrap();
    let link = format!("/reset/{}", token.secret().expose());
    let chosen = [("new_password", "another long password")];
    app.browser().open_and_fill_in(&link, "security/reset", &chosen).await.is(303);
    app.browser().sign_in(INGRID.email, "another long password").await.is(303);
}

#[apply(on_both!)]
async fn an_unknown_address_gets_the_same_answer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.forward_hours(25);
    domain::sessions::sweep(&app.latchkey).await.unwrap();
    let fields = [("email", "nobody@nordlys.example")];
    let page = app.browser().submit("/forgot-password", "security/request-reset", &fields).await;
    page.is(200).says("Check your email");
    assert!(app.mails_to("nobody@nordlys.example").await.is_empty());
    // As much was written as for somebody, and it goes.
    app.forward_hours(2);
    let rows = domain::sessions::sweep(&app.latchkey).await.unwrap();
    // The two limits that were counted end, too.
    assert_eq!(rows, 4);
}
