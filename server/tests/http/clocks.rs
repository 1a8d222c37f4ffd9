//! The server's clock jumps ahead by 400 days, something happens, and it is set right again: nobody
//! waits for longer than they would have anyway, and nothing lives for longer.

use domain::demo::{INGRID, PASSWORD};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

const AHEAD: i64 = 400 * 24;

#[apply(on_both!)]
async fn the_right_password_opens_after_wrong_ones_ahead(db: TestDatabase) {
    let app = TestApp::with(db, &[("SIGN_INS_PER_CLIENT", "5")]).await;
    app.forward_hours(AHEAD);
    for _ in 0..8 {
        app.browser().sign_in(INGRID.email, "a wrong password").await;
        app.browser().sign_in("nobody@nordlys.example", "a wrong password").await;
    }
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(429);
    app.forward_hours(-AHEAD);
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(303);
}

#[apply(on_both!)]
async fn a_wait_that_began_before_and_grew_ahead_is_no_longer_than_any(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for _ in 0..3 {
        app.browser().sign_in(INGRID.email, "a wrong password").await.is(422);
    }
    app.forward_hours(2);
    for _ in 0..3 {
        app.browser().sign_in(INGRID.email, "a wrong password").await;
    }
    app.forward_hours(-2);
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(303);
}

#[apply(on_both!)]
async fn mails_asked_for_ahead_are_sent_and_asking_again_isnt_refused(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.keep_all_mail().await;
    let asked = [("email", INGRID.email)];
    app.forward_hours(AHEAD);
    for _ in 0..5 {
        app.browser().post("/forgot-password", "security/request-reset", &asked).await.is(303);
    }
    app.browser().post("/forgot-password", "security/request-reset", &asked).await.is(429);
    app.forward_hours(-AHEAD);
    let ahead = app.reset_links(INGRID.email).await;
    app.browser().get(&ahead[0]).await.is(410);
    app.browser().post("/forgot-password", "security/request-reset", &asked).await.is(303);
    let links = app.reset_links(INGRID.email).await;
    let link = links.iter().find(|link| !ahead.contains(link)).expect("a new link");
    app.browser().get(link).await.is(200);
}

#[apply(on_both!)]
async fn a_session_begun_ahead_goes_on_and_ends_in_its_time(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.forward_hours(AHEAD);
    let mut browser = app.as_person(INGRID).await;
    browser.get(BAKERY).await.is(200);
    app.forward_hours(-AHEAD);
    browser.get(BAKERY).await.is(200);
    app.forward_hours(23);
    browser.get(BAKERY).await.is(200);
    app.forward_hours(25);
    browser.get(BAKERY).await.is(302);
}
