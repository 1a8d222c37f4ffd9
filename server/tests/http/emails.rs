//! The address of a login: changing it, taking that back, and proving it.

use domain::demo::{BJORN, INGRID, PASSWORD, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

const NEW: &str = "bjorn@new.example";
const WISH: &str = "profile/change-email";
const CONFIRM: &str = "profile/confirm-email";
const UNDO: &str = "profile/undo-email";

async fn wish(browser: &mut Browser, email: &str) -> Page {
    browser.post("/profile/email", WISH, &[("email", email)]).await
}

/// Bjørn's browser after his address was changed, by whoever sits at it.
async fn changed(app: &TestApp) -> Browser {
    let mut bjorn = app.as_person(BJORN).await;
    wish(&mut bjorn, NEW).await.is(303);
    let link = app.email_link(NEW).await;
    bjorn.follow(&link, CONFIRM).await.is(303);
    bjorn
}

/// Somebody joins by the link that the inviter was shown.
async fn join_by_copy(app: &TestApp, email: &str) -> Browser {
    let mut ingrid = app.as_person(INGRID).await;
    let answer = ingrid.invite(email, &["billing.view"]).await;
    let page = ingrid.go_on(&answer).await;
    let input = page.input("id=\"copy-link\"").to_owned();
    let link = input.split("value=\"https://my.provider.example").nth(1).unwrap();
    let link = link.split('"').next().unwrap().to_owned();
    assert_ne!(link, app.invitation_link(email).await, "the mail has another link");
    let fields = [("full_name", "Kari Nordmann"), ("password", "a password of theirs")];
    let mut browser = app.browser();
    let form = "invitations/join-with-new-login";
    browser.open_and_fill_in(&link, form, &fields).await.is(303);
    browser
}

#[apply(on_both!)]
async fn an_address_is_changed_by_a_link_to_the_new_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut elsewhere = app.as_person(BJORN).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get("/profile").await.is(200).says("Change your email address");
    bjorn.get("/profile/email").await.is(200).says("7 days");
    let page = bjorn.submit("/profile/email", WISH, &[("email", NEW)]).await;
    page.is(200).says("We sent a link to bjorn@new.example. Open it within an hour");
    page.says("Once you open it, you sign in with that address instead");
    assert_eq!(app.mails_to(NEW).await, ["email_change"]);
    assert_eq!(app.mails_to(BJORN.email).await[0], "email_news", "the old one is told at once");

    let link = app.email_link(NEW).await;
    bjorn.get(&link.replace("/email/confirm/", "/email/anything/")).await.is(404);
    bjorn.get(&link).await.is(200).says("you sign in with bjorn@new.example instead of");
    bjorn.get("/profile").await.says("bjorn@ledger.example");
    let page = bjorn.follow(&link, CONFIRM).await;
    page.is(303);
    let page = bjorn.get(page.leads_to()).await;
    page.says("bjorn@new.example is confirmed: you sign in with it");
    elsewhere.get(BAKERY).await.is(302);
    assert_eq!(app.mails_to(NEW).await[0], "email_news");
    assert_eq!(app.mails_to(BJORN.email).await[0], "email_undo");
    bjorn.get(&link).await.is(410).says("used already or is too old");
    bjorn.follow(&link, CONFIRM).await.is(410);
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(422);
    app.browser().sign_in(NEW, PASSWORD).await.is(303);
}

#[apply(on_both!)]
async fn changing_the_address_takes_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    app.forward_hours(1);
    let page = wish(&mut bjorn, NEW).await;
    page.is(401).says("Confirm that it is you");
    assert!(page.body.contains("name=\"kept.email\" value=\"bjorn@new.example\""));
    let kept = [("password", PASSWORD), ("kept_form", WISH), ("kept.email", NEW)];
    let page = bjorn.submit("/profile/email", "sign-in/confirm", &kept).await;
    page.is(200).says("We sent a link to bjorn@new.example");
}

#[apply(on_both!)]
async fn the_link_alone_gives_nobody_the_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    wish(&mut bjorn, NEW).await.is(303);
    let link = app.email_link(NEW).await;
    let mut nobody = app.browser();
    let page = nobody.get(&link).await;
    page.is(200).says("Sign in as bjorn@ledger.example first");
    assert!(page.body.contains(&format!("/sign-in?next={link}")));
    nobody.follow(&link, CONFIRM).await.is(401);
    let mut tom = app.as_person(TOM).await;
    tom.get(&link).await.is(200).says("you are signed in as somebody else");
    tom.follow(&link, CONFIRM).await.is(409).says("used already or is too old");
    bjorn.follow(&link, CONFIRM).await.is(303);
}

#[apply(on_both!)]
async fn what_can_be_no_new_address_is_said_beside_the_field(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let page = wish(&mut bjorn, "not an address").await;
    page.is(422).says("in the form name@example.com");
    assert!(page.body.contains("value=\"not an address\""));
    wish(&mut bjorn, "BJORN@ledger.example")
        .await
        .is(422)
        .says("This is your email address already");
    wish(&mut bjorn, "").await.is(422).says("Enter the email address");
}

#[apply(on_both!)]
async fn another_logins_address_gets_the_same_answer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.submit("/profile/email", WISH, &[("email", TOM.email)]).await;
    page.is(200).says("We sent a link to tom@fjordpixel.example");
    page.says("Once you open it, you sign in with that address instead");
    let mails = app.mails_to(TOM.email).await;
    assert_eq!(
        mails.iter().filter(|kind| kind.starts_with("email")).collect::<Vec<_>>(),
        [&"email_taken"]
    );
    assert_eq!(app.mails_to(BJORN.email).await[0], "email_news");
}

#[apply(on_both!)]
async fn an_address_that_got_a_login_meanwhile_stays_its_own(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    wish(&mut bjorn, NEW).await.is(303);
    let wanted = app.email_link(NEW).await;
    app.as_person(INGRID).await.invite(NEW, &["billing.view"]).await.is(303);
    let link = app.invitation_link(NEW).await;
    let fields = [("full_name", "Else"), ("password", "a password of hers")];
    let form = "invitations/join-with-new-login";
    app.browser().open_and_fill_in(&link, form, &fields).await.is(303);
    let page = bjorn.follow(&wanted, CONFIRM).await;
    page.is(409).says("belongs to another login");
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(303);
    app.browser().sign_in(NEW, "a password of hers").await.is(303);
}

#[apply(on_both!)]
async fn mails_about_addresses_are_limited(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    for number in 0..5 {
        wish(&mut bjorn, &format!("bjorn{number}@new.example")).await.is(303);
    }
    let page = wish(&mut bjorn, NEW).await;
    page.is(429).says("tried too often");
    assert!(page.headers.contains_key("retry-after"));
    app.forward_hours(1);
    bjorn = app.as_person(BJORN).await;
    wish(&mut bjorn, NEW).await.is(303);
}

#[apply(on_both!)]
async fn a_changed_password_takes_a_wish_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut thief = app.as_person(BJORN).await;
    wish(&mut thief, NEW).await.is(303);
    let link = app.email_link(NEW).await;
    let mut bjorn = app.as_person(BJORN).await;
    let fields = [("password", PASSWORD), ("new_password", "a window beside the lamp")];
    bjorn.post("/security", "security/change-password", &fields).await.is(303);
    bjorn.follow(&link, CONFIRM).await.is(410);
    thief.follow(&link, CONFIRM).await.is(410);
}

#[apply(on_both!)]
async fn a_change_is_taken_back_by_the_link_to_the_old_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut thief = changed(&app).await;
    app.turn_app_on(&mut thief).await;
    wish(&mut thief, "thief@next.example").await.is(303);
    let link = app.email_link(BJORN.email).await;
    let mut bjorn = app.browser();
    bjorn.get(&link).await.is(200).says("Put your email address back?");
    thief.get(BAKERY).await.is(200);
    let page = bjorn.follow(&link, UNDO).await;
    page.is(303);
    let reset = page.leads_to().to_owned();
    let page = bjorn.get(&reset).await;
    page.is(200).says("You sign in with bjorn@ledger.example again");
    thief.get(BAKERY).await.is(302);
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(422);
    let chosen = [("new_password", "a window beside the lamp")];
    bjorn.fill_in(&page, "security/reset", &chosen).await.is(303);
    let page = app.browser().sign_in(BJORN.email, "a window beside the lamp").await;
    page.is(303);
    assert_eq!(page.leads_to(), "/accounts", "the thief's app asks for nothing");
    assert_eq!(app.mails_to(BJORN.email).await[..2], ["password_changed", "email_news"]);
    assert_eq!(app.mails_to(NEW).await[0], "email_news");
    let page = bjorn.get(&link).await;
    page.is(410).says("choose a new password now");
    assert!(page.body.contains("href=\"/forgot-password\""), "{}", page.body);
    bjorn.follow(&link, UNDO).await.is(410);
    let wish = app.email_link("thief@next.example").await;
    bjorn.sign_in(BJORN.email, "a window beside the lamp").await.is(303);
    bjorn.follow(&wish, CONFIRM).await.is(410);
}

#[apply(on_both!)]
async fn taking_back_never_skips_a_second_factor_from_before(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    app.forward_seconds(1);
    wish(&mut bjorn, NEW).await.is(303);
    let link = app.email_link(NEW).await;
    bjorn.follow(&link, CONFIRM).await.is(303);
    let mut owner = app.browser();
    let page = owner.follow(&app.email_link(BJORN.email).await, UNDO).await;
    let reset = page.is(303).leads_to().to_owned();
    let chosen = [("new_password", "a window beside the lamp")];
    owner.open_and_fill_in(&reset, "security/reset", &chosen).await.is(303);
    let page = owner.sign_in(BJORN.email, "a window beside the lamp").await;
    assert_eq!(page.leads_to(), "/sign-in/second-factor?next=/accounts");
    let code = app.next_code(&key);
    let fields = [("code", code.as_str()), ("next", BAKERY)];
    owner.post("/sign-in/second-factor", "sign-in/second-factor", &fields).await.is(303);
}

#[apply(on_both!)]
async fn a_week_later_nothing_is_taken_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    changed(&app).await;
    let link = app.email_link(BJORN.email).await;
    app.forward_hours(7 * 24 - 1);
    app.browser().get(&link).await.is(200);
    app.forward_hours(1);
    app.browser().get(&link).await.is(410);
    app.browser().follow(&link, UNDO).await.is(410);
}

#[apply(on_both!)]
async fn an_old_reset_link_dies_with_the_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let fields = [("email", BJORN.email)];
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    let reset = app.reset_link(BJORN.email).await;
    changed(&app).await;
    app.browser().get(&reset).await.is(410);
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    assert_eq!(app.mails_to(BJORN.email).await[0], "email_undo", "no login there any more");
}

#[apply(on_both!)]
async fn invitations_stay_with_the_invited_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut tom = app.as_person(TOM).await;
    ingrid.invite(TOM.email, &["billing.view"]).await.is(303);
    ingrid.invite("tom@new.example", &["domains.view"]).await.is(303);
    let to_old = app.invitation_link(TOM.email).await;
    let to_new = app.invitation_link("tom@new.example").await;
    wish(&mut tom, "tom@new.example").await.is(303);
    let link = app.email_link("tom@new.example").await;
    tom.follow(&link, CONFIRM).await.is(303);
    app.browser().get(&to_old).await.is(410).says("For 7 days that can be taken back");
    tom.get(&to_old).await.is(410);
    tom.get(&to_new).await.is(200).says("Join Nordlys Bakeri AS");
    tom.follow(&to_new, "invitations/join").await.is(303);
    app.forward_hours(7 * 24);
    let token = to_old.rsplit('/').next().unwrap();
    ingrid = app.as_person(INGRID).await;
    ingrid.invite(TOM.email, &["billing.view"]).await.is(303);
    let again = app.invitation_link(TOM.email).await;
    assert_ne!(again.rsplit('/').next().unwrap(), token);
    app.browser().get(&again).await.is(200).says("Create your login");
}

#[apply(on_both!)]
async fn a_login_by_a_copied_link_is_proven_by_its_mailbox(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut kari = join_by_copy(&app, "kari@elsewhere.example").await;
    assert_eq!(app.mails_to("kari@elsewhere.example").await[0], "email_proof");
    kari.get("/profile").await.is(200).says("we don't know yet whether mail reaches you there");
    wish(&mut kari, NEW).await.is(422).says("Confirm the email address that you have");
    let first = app.email_link("kari@elsewhere.example").await;
    wish(&mut kari, "kari@elsewhere.example").await.is(303);
    kari.follow(&first, CONFIRM).await.is(410);
    let link = app.email_link("kari@elsewhere.example").await;
    kari.get(&link).await.is(200).says("Confirm that mail to it reaches you");
    app.browser().follow(&link, CONFIRM).await.is(401);
    kari.follow(&link, CONFIRM).await.is(303);
    assert!(!kari.get("/profile").await.words().contains("whether mail reaches you"));
    wish(&mut kari, NEW).await.is(303);
}

#[apply(on_both!)]
async fn a_login_by_the_mails_link_is_proven(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite(NEW, &["billing.view"]).await.is(303);
    let link = app.invitation_link(NEW).await;
    let fields = [("full_name", "Kari"), ("password", "a password of hers")];
    let mut kari = app.browser();
    kari.open_and_fill_in(&link, "invitations/join-with-new-login", &fields).await.is(303);
    assert!(!app.mails_to(NEW).await.contains(&"email_proof"));
    wish(&mut kari, "kari@next.example").await.is(303);
}

#[apply(on_both!)]
async fn whoever_has_the_mailbox_takes_a_planted_login_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = "kari@elsewhere.example";
    let mut thief = join_by_copy(&app, email).await;
    app.turn_app_on(&mut thief).await;
    let mut half_way = app.browser();
    let page = half_way.sign_in(email, "a password of theirs").await;
    assert_eq!(page.leads_to(), "/sign-in/second-factor?next=/accounts");
    let fields = [("email", email)];
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    let reset = app.reset_link(email).await;
    let chosen = [("new_password", "a window beside the lamp")];
    let mut kari = app.browser();
    kari.open_and_fill_in(&reset, "security/reset", &chosen).await.is(303);
    let page = kari.sign_in(email, "a window beside the lamp").await;
    page.is(303);
    assert_eq!(page.leads_to(), "/accounts", "no app but her own asks for anything");
    thief.get(BAKERY).await.is(302);
    half_way.get("/sign-in/second-factor").await.says("Sign in again");
    kari.get("/security").await.is(200).says("Set up an authenticator app");
    wish(&mut kari, NEW).await.is(303);
}

#[apply(on_both!)]
async fn the_operators_links_prove_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = "owner@elsewhere.example";
    let (_, token) = domain::accounts::create(&app.latchkey, "Shop", email).await.unwrap();
    let link = format!("/invitations/{}", token.secret().expose());
    let fields = [("full_name", "Owner"), ("password", "a password of theirs")];
    let mut owner = app.browser();
    owner.open_and_fill_in(&link, "invitations/join-with-new-login", &fields).await.is(303);
    owner.get("/profile").await.says("we don't know yet whether mail reaches you there");
    let address = model::EmailAddress::parse(email).unwrap();
    let (reset, _) = domain::passwords::reset_link(&app.latchkey, &address).await.unwrap();
    let reset = format!("/reset/{}", reset.secret().expose());
    let chosen = [("new_password", "a window beside the lamp")];
    owner.open_and_fill_in(&reset, "security/reset", &chosen).await.is(303);
    owner.sign_in(email, "a window beside the lamp").await.is(303);
    owner.get("/profile").await.says("we don't know yet whether mail reaches you there");
}

#[apply(on_both!)]
async fn of_two_who_confirm_and_take_back_at_once_the_old_address_wins(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut thief = changed(&app).await;
    wish(&mut thief, "thief@next.example").await.is(303);
    let next = app.email_link("thief@next.example").await;
    let back = app.email_link(BJORN.email).await;
    let mut owner = app.browser();
    let (confirmed, undone) = tokio::join!(thief.follow(&next, CONFIRM), owner.follow(&back, UNDO));
    undone.is(303);
    assert!([303, 401, 409, 410].contains(&confirmed.status.as_u16()), "{}", confirmed.words());
    thief.get(BAKERY).await.is(302);
    let email = model::EmailAddress::parse(BJORN.email).unwrap();
    assert!(app.latchkey.store.login(&email).await.unwrap().is_some());
}
