//! Choosing passwords: what is refused and why, and hashes that grow stronger.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use domain::demo::{BJORN, INGRID, PASSWORD};
use model::{Access, EmailAddress, FullName};
use store::NewUser;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

const OLD: &str = "an old password of hers";

async fn change(browser: &mut Browser, new: &str) -> Page {
    let fields = [("password", PASSWORD), ("new_password", new)];
    browser.post("/security", "security/change-password", &fields).await
}

/// Kari, whose password was hashed when less work was enough.
async fn kari_from_before(app: &TestApp) -> EmailAddress {
    let weak = Params::new(8_192, 1, 1, None).unwrap();
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak);
    let hash = weak.hash_password_with_salt(OLD.as_bytes(), &[7; 16]).unwrap().to_string();
    let email = EmailAddress::parse("kari@elsewhere.example").unwrap();
    let id = app.latchkey.new_id().into();
    let full_name = FullName::parse("Kari Nordmann").unwrap();
    let user =
        NewUser { id, email: email.clone(), full_name, password_hash: hash.into(), language: None };
    app.latchkey.store.add_user(&user, app.latchkey.now()).await.unwrap();
    let account = app.account_of(INGRID).await;
    let now = app.latchkey.now();
    app.latchkey.store.add_member(account, id, Access::Owner, now).await.unwrap();
    email
}

async fn hash_of(app: &TestApp, email: &EmailAddress) -> String {
    app.latchkey.store.login(email).await.unwrap().unwrap().password_hash.expose().to_owned()
}

#[apply(on_sqlite!)]
async fn a_password_that_would_be_guessed_soon_is_refused_with_the_reason(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let cases = [
        ("qwertyuiop123456", "one of the most used passwords"),
        ("passwordpassword", "repeats the same"),
        ("abcdefghijklmnop", "a row such as abc"),
        ("bjorn@ledger.example", "your name, your email address or the name of this service"),
        ("Latchkey latchkey 1", "your name, your email address or the name of this service"),
    ];
    for (password, reason) in cases {
        let page = change(&mut bjorn, password).await;
        page.is(422).says(reason);
        assert!(!page.body.contains(password) || password == BJORN.email);
        assert!(page.input("id=\"new_password\"").contains("aria-invalid=\"true\""));
    }
    change(&mut bjorn, " Ærlig talt: 🦊 ñandú ").await.is(303);
    app.browser().sign_in(BJORN.email, " Ærlig talt: 🦊 ñandú ").await.is(303);
    app.browser().sign_in(BJORN.email, "Ærlig talt: 🦊 ñandú").await.is(422);
}

#[apply(on_sqlite!)]
async fn a_password_is_the_same_from_every_keyboard(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    change(&mut bjorn, "le cafe\u{301} et la fore\u{302}t").await.is(303);
    app.browser().sign_in(BJORN.email, "le caf\u{e9} et la for\u{ea}t").await.is(303);
}

#[apply(on_sqlite!)]
async fn joining_and_resetting_refuse_such_a_password_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let fields = [("full_name", "Kari Nordmann"), ("password", "KariNordmann2026")];
    let form = "invitations/join-with-new-login";
    let page = app.browser().open_and_fill_in(&link, form, &fields).await;
    page.is(422).says("Most of this is your name");
    assert!(page.body.contains("value=\"Kari Nordmann\""));
    let fields = [("email", BJORN.email)];
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    let link = app.reset_link(BJORN.email).await;
    let mut bjorn = app.browser();
    let repeating = [("new_password", "aaaaaaaaaaaaaaaa")];
    let page = bjorn.open_and_fill_in(&link, "security/reset", &repeating).await;
    page.is(422).says("repeats the same");
    let chosen = [("new_password", "a window beside the lamp")];
    bjorn.fill_in(&page, "security/reset", &chosen).await.is(303);
}

#[apply(on_sqlite!)]
async fn eight_characters_beside_an_app_are_weighed_as_well(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    app.turn_app_on(&mut bjorn).await;
    change(&mut bjorn, "football1").await.is(422).says("one of the most used passwords");
    change(&mut bjorn, "kV7#tqLz").await.is(303);
}

#[apply(on_sqlite!)]
async fn a_hash_from_before_grows_stronger_at_sign_in(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = kari_from_before(&app).await;
    app.browser().sign_in(email.as_str(), "another password").await.is(422);
    assert!(hash_of(&app, &email).await.contains("m=8192,t=1"), "only whoever knows it renews it");
    let mut kari = app.browser();
    kari.sign_in(email.as_str(), OLD).await.is(303);
    kari.get(BAKERY).await.is(200);
    let renewed = hash_of(&app, &email).await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    app.browser().sign_in(email.as_str(), OLD).await.is(303);
    assert_eq!(hash_of(&app, &email).await, renewed, "once");
    kari.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn sign_ins_at_once_all_pass_while_the_hash_grows(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = kari_from_before(&app).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (mut browser, email) = (app.browser(), email.to_string());
        tries.spawn(async move { browser.sign_in(&email, OLD).await.status.as_u16() });
    }
    let statuses = tries.join_all().await;
    // Of guesses at once no more are looked at than are free; none of these was wrong.
    assert!(statuses.iter().all(|status| [303, 429].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&303));
    assert!(hash_of(&app, &email).await.contains("m=19456,t=2"));
}

#[apply(on_sqlite!)]
async fn a_growing_hash_never_brings_an_old_password_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let email = kari_from_before(&app).await;
    let (reset, _) = domain::passwords::reset_link(&app.latchkey, &email).await.unwrap();
    let token = reset.secret().expose().to_owned();
    let link = format!("/reset/{token}");
    let fields = [("token", token.as_str()), ("new_password", "a window beside the lamp")];
    let (mut one, mut other) = (app.browser(), app.browser());
    let (_, changed) = tokio::join!(
        one.sign_in(email.as_str(), OLD),
        other.post(&link, "security/reset", &fields),
    );
    changed.is(303);
    one.get(BAKERY).await.is(302);
    app.browser().sign_in(email.as_str(), OLD).await.is(422);
    app.browser().sign_in(email.as_str(), "a window beside the lamp").await.is(303);
}

#[apply(on_sqlite!)]
async fn pages_without_the_wasm_let_one_see_the_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().get("/sign-in").await;
    let script = page.between("<script nonce=\"", "</script>");
    assert!(script.len() < 1_700, "{}", script.len());
    assert!(script.contains("Hide password"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("'nonce-{}'", script.split('"').next().unwrap())));
    let button = page.between("aria-controls=\"password\"", ">");
    assert!(button.contains("hidden"), "without scripts it isn't there");
    let mut bjorn = app.as_person(BJORN).await;
    assert!(bjorn.get("/security").await.body.contains("querySelectorAll"));
    assert!(!bjorn.get(BAKERY).await.body.contains("Hide password"), "no password there");
}
