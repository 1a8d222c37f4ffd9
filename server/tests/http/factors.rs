//! Signing in with a second factor, and changing it.

use domain::demo::{BJORN, INGRID, PASSWORD, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

const STEP: &str = "/sign-in/second-factor";

async fn give(browser: &mut Browser, code: &str) -> Page {
    let fields = [("code", code), ("next", BAKERY)];
    browser.post(STEP, "sign-in/second-factor", &fields).await
}

/// Gives the right password, in a browser of its own.
async fn half_way(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let page = browser.sign_in(BJORN.email, PASSWORD).await;
    page.is(303);
    assert_eq!(page.leads_to(), "/sign-in/second-factor?next=/accounts");
    browser
}

#[apply(on_sqlite!)]
async fn signing_in_takes_the_app_once_it_is_on(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, codes) = app.turn_app_on(&mut bjorn).await;
    assert_eq!(codes.len(), 10);
    bjorn.get("/security").await.says("10 left");
    assert_eq!(app.mails_to(BJORN.email).await[0], "factor_changed");

    let mut browser = half_way(&app).await;
    browser.get(BAKERY).await.is(302);
    browser.get(STEP).await.is(200).says("Second factor");
    give(&mut browser, "").await.is(422).says("Enter the code");
    give(&mut browser, "000000x").await.is(422).says("Enter the 6 digits");
    let page = give(&mut browser, &app.next_code(&key)).await;
    page.is(303);
    assert_eq!(page.leads_to(), BAKERY);
    browser.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn an_app_on_the_same_phone_takes_the_key_from_a_link(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.submit("/security", "security/begin-app", &[]).await;
    let key = page.between("<code translate=\"no\" class=\"key\">", "</code>").replace(' ', "");
    let link = page.between("href=\"otpauth://totp/", "\"");
    assert!(link.contains(&format!("secret={key}")), "{link}");
    assert!(page.body.contains(&format!("data-copy=\"{key}\"")));
    assert!(page.input("id=\"code\"").contains("inputmode=\"numeric\""));
    let code = app.next_code(&key);
    let page = bjorn.fill_in(&page, "security/turn-app-on", &[("code", &code)]).await;
    let page = bjorn.go_on(&page).await;
    page.is(200).says("Download the codes Print Copy the codes I kept them");
    assert!(page.body.contains("href=\"/security\""), "the codes are gone there");
    let half = half_way(&app).await.get(STEP).await;
    assert!(!half.input("id=\"code\"").contains("inputmode"), "recovery codes have letters");
}

#[apply(on_sqlite!)]
async fn a_code_of_the_app_opens_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let code = app.next_code(&key);
    let (mut one, mut two) = (half_way(&app).await, half_way(&app).await);
    give(&mut one, &code).await.is(303);
    give(&mut two, &code).await.is(422).says("used already");
    give(&mut two, &app.next_code(&key)).await.is(303);
}

#[apply(on_sqlite!)]
async fn a_recovery_code_opens_once_however_it_is_typed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (_, codes) = app.turn_app_on(&mut bjorn).await;
    let typed = codes[3].to_lowercase().replace('-', " ");
    give(&mut half_way(&app).await, &typed).await.is(303);
    give(&mut half_way(&app).await, &codes[3]).await.is(422).says("used already");
    bjorn.get("/security").await.says("9 left");
}

#[apply(on_sqlite!)]
async fn five_wrong_codes_ask_for_the_password_again(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let mut browser = half_way(&app).await;
    for _ in 0..5 {
        give(&mut browser, "000000").await.is(422);
    }
    let page = give(&mut browser, &app.next_code(&key)).await;
    page.is(409).says("Sign in again");
    browser.get(STEP).await.says("Sign in again");
    give(&mut half_way(&app).await, &app.next_code(&key)).await.is(303);
}

#[apply(on_sqlite!)]
async fn guessing_codes_over_many_sign_ins_has_to_wait(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    for _ in 0..10 {
        give(&mut half_way(&app).await, "000000").await.is(422);
    }
    let page = give(&mut half_way(&app).await, &app.next_code(&key)).await;
    page.is(429);
    assert!(page.headers.contains_key("retry-after"));
    app.forward_hours(1);
    give(&mut half_way(&app).await, &app.next_code(&key)).await.is(303);
}

#[apply(on_sqlite!)]
async fn a_sign_in_that_is_left_half_way_is_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let mut browser = half_way(&app).await;
    app.forward_hours(1);
    give(&mut browser, &app.next_code(&key)).await.is(409).says("took too long");
    give(&mut app.browser(), &app.next_code(&key)).await.is(409).says("Sign in again");
}

#[apply(on_sqlite!)]
async fn turning_the_app_off_ends_a_sign_in_that_is_half_way(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let mut browser = half_way(&app).await;
    let path = "/security/authenticator/off";
    let wrong = bjorn.post(path, "security/turn-app-off", &[("code", "000000")]).await;
    wrong.is(422).says("used already");
    let code = app.next_code(&key);
    let page = bjorn.submit(path, "security/turn-app-off", &[("code", &code)]).await;
    page.is(200).says("Your password alone opens your login now");
    give(&mut browser, &app.next_code(&key)).await.is(409);
    app.as_person(BJORN).await.get(BAKERY).await.is(200);
    assert_eq!(
        app.mails_to(BJORN.email).await.iter().filter(|k| **k == "factor_changed").count(),
        2
    );
}

#[apply(on_sqlite!)]
async fn being_signed_out_by_the_operator_ends_a_sign_in_that_is_half_way(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let mut browser = half_way(&app).await;
    let address = model::EmailAddress::parse(BJORN.email).unwrap();
    let ended = domain::sessions::sign_out_for(&app.latchkey, &address).await;
    assert_eq!(ended, Ok(1));
    give(&mut browser, &app.next_code(&key)).await.is(409).says("Sign in again");
    bjorn.get(BAKERY).await.is(302);
}

#[apply(on_sqlite!)]
async fn a_change_of_factors_signs_other_devices_out(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut elsewhere = app.as_person(BJORN).await;
    let mut bjorn = app.as_person(BJORN).await;
    app.turn_app_on(&mut bjorn).await;
    elsewhere.get(BAKERY).await.is(302);
    bjorn.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_reset_link_does_not_replace_the_app(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let email = model::EmailAddress::parse(BJORN.email).unwrap();
    let (token, _) = domain::passwords::reset_link(&app.latchkey, &email).await.unwrap();
    let link = format!("/reset/{}", token.secret().expose());
    let chosen = [("new_password", "a brand new password")];
    let mut browser = app.browser();
    browser.open_and_fill_in(&link, "security/reset", &chosen).await.is(303);
    let page = browser.sign_in(BJORN.email, "a brand new password").await;
    assert_eq!(page.leads_to(), "/sign-in/second-factor?next=/accounts");
    give(&mut browser, &app.next_code(&key)).await.is(303);
}

#[apply(on_sqlite!)]
async fn joining_with_a_password_asks_for_the_app_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut tom = app.as_person(TOM).await;
    let (key, _) = app.turn_app_on(&mut tom).await;
    app.as_person(INGRID).await.invite(TOM.email, &["billing.view"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let mut browser = app.browser();
    let password = [("password", PASSWORD)];
    let form = "invitations/join-with-password";
    let page = browser.open_and_fill_in(&link, form, &password).await;
    page.is(303);
    assert_eq!(page.leads_to(), format!("/sign-in/second-factor?next={link}"));
    let code = app.next_code(&key);
    let fields = [("code", code.as_str()), ("next", link.as_str())];
    let page = browser.submit(STEP, "sign-in/second-factor", &fields).await;
    page.is(200).says("Join Nordlys Bakeri AS");
    browser.fill_in(&page, "invitations/join", &[]).await.is(303);
    browser.get(&format!("{BAKERY}/billing")).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_password_may_be_shorter_beside_an_app(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let short = [("password", PASSWORD), ("new_password", "kV7#tqLz")];
    let form = "security/change-password";
    bjorn.post("/security", form, &short).await.is(422).says("at least 15 characters");
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    bjorn.post("/security", form, &short).await.is(303);
    let code = app.next_code(&key);
    let off = "/security/authenticator/off";
    let page = bjorn.post(off, "security/turn-app-off", &[("code", &code)]).await;
    page.is(409).says("too short to stand alone");
}

#[apply(on_sqlite!)]
async fn new_recovery_codes_replace_the_earlier_ones(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, earlier) = app.turn_app_on(&mut bjorn).await;
    let code = app.next_code(&key);
    let path = "/security/recovery-codes";
    let page = bjorn.submit(path, "security/renew-codes", &[("code", &code)]).await;
    page.is(200).says("These are your new recovery codes");
    give(&mut half_way(&app).await, &earlier[0]).await.is(422);
}

#[apply(on_sqlite!)]
async fn users_see_who_has_a_second_factor(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users");
    let page = ingrid.get(&path).await;
    assert!(page.row_of(BJORN.name).contains("Off"), "{}", page.row_of(BJORN.name));
    app.turn_app_on(&mut bjorn).await;
    assert!(ingrid.get(&path).await.row_of(BJORN.name).contains("On"));
}
