//! Signing in and out.

use domain::demo::{BJORN, INGRID, MEI, PASSWORD};
use domain::{Client, Latchkey, Settings, sessions};
use model::Failure;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_sqlite!)]
async fn signing_in_goes_on_to_where_one_was_heading(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let page = browser.get("/accounts/100001/users?search=a%20b").await;
    page.is(302);
    assert_eq!(page.leads_to(), "/sign-in?next=/accounts/100001/users%3Fsearch%3Da%2520b");
    browser.get(page.leads_to()).await.is(200).says("Sign in");
    let fields = [
        ("email", INGRID.email),
        ("password", PASSWORD),
        ("next", "/accounts/100001/users?search=a%20b"),
    ];
    let page = browser.post("/sign-in", "sign-in", &fields).await;
    page.is(303);
    assert_eq!(page.leads_to(), "/accounts/100001/users?search=a%20b");
}

#[apply(on_sqlite!)]
async fn where_one_was_heading_survives_any_letters(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let heading = "/accounts/100001/users?search=Bj%C3%B8rn%20%26%20Lie%2B%25&sort=activity";
    let mut browser = app.browser();
    let page = browser.get(heading).await;
    let page = browser.get(page.is(302).leads_to()).await;
    let next = page.is(200).hidden("next");
    assert_eq!(next, heading);
    let fields = [("email", INGRID.email), ("password", PASSWORD), ("next", next.as_str())];
    let page = browser.submit("/sign-in?next=", "sign-in", &fields).await;
    page.is(200).says("Nobody here has “Bjørn & Lie+%”");
}

#[apply(on_sqlite!)]
async fn signing_in_never_leads_to_another_site(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let fields = [("email", INGRID.email), ("password", PASSWORD), ("next", next)];
        let page = app.browser().post("/sign-in", "sign-in", &fields).await;
        page.is(303);
        assert_eq!(page.leads_to(), "/accounts", "{next}");
    }
}

#[apply(on_sqlite!)]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let unknown = app.browser().sign_in("nobody@nordlys.example", "wrong password").await;
    let wrong = app.browser().sign_in(INGRID.email, "wrong password").await;
    unknown.is(422).says("don't belong together");
    wrong.is(422).says("don't belong together");
    assert_eq!(
        unknown.words().replace("nobody@nordlys.example", ""),
        wrong.words().replace(INGRID.email, "")
    );
}

#[apply(on_sqlite!)]
async fn what_was_typed_stays_but_never_the_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().sign_in("kari@nordlys.example", "sesame sesame open").await;
    page.is(422).says("There is a problem");
    assert!(page.title().starts_with("Error: "), "{}", page.title());
    assert!(page.body.contains("value=\"kari@nordlys.example\""));
    assert!(!page.body.contains("sesame"));
}

#[apply(on_sqlite!)]
async fn a_session_rotates_at_sign_in_and_ends_at_sign_out(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(INGRID).await;
    let before = browser.clone();
    browser.sign_in(INGRID.email, PASSWORD).await.is(303);
    before.clone().get(BAKERY).await.is(302);
    browser.get(BAKERY).await.is(200);
    let signed_in = browser.clone();
    browser.post("/sign-out", "sign-out", &[]).await.is(303);
    browser.get(BAKERY).await.is(302);
    signed_in.clone().get(BAKERY).await.is(302);
}

#[apply(on_sqlite!)]
async fn a_session_ends_when_idle_and_at_last_anyway(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(INGRID).await;
    app.forward_hours(23);
    browser.get(BAKERY).await.is(200);
    app.forward_hours(25);
    browser.get(BAKERY).await.is(302);
    let mut browser = app.as_person(INGRID).await;
    for _ in 0..35 {
        app.forward_hours(20);
        browser.get(BAKERY).await.is(200);
    }
    app.forward_hours(21);
    browser.get(BAKERY).await.is(302);
}

#[apply(on_sqlite!)]
async fn wrong_tries_wait_longer_and_longer_and_a_right_one_ends_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for _ in 0..3 {
        app.browser().sign_in(BJORN.email, "wrong password").await.is(422);
    }
    for (seconds, words) in [(1, "in 1 second."), (2, "in 2 seconds."), (4, "in 4 seconds.")] {
        let page = app.browser().sign_in(BJORN.email, PASSWORD).await;
        page.is(429).says("That was tried too often");
        page.says(words);
        assert_eq!(page.headers.get("retry-after").unwrap(), &seconds.to_string());
        app.forward_seconds(seconds);
        app.browser().sign_in(BJORN.email, "wrong password").await.is(422);
    }
    app.forward_seconds(8);
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(303);
    for _ in 0..2 {
        app.browser().sign_in(BJORN.email, "wrong password").await.is(422);
    }
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(303);
}

#[apply(on_sqlite!)]
async fn an_unknown_address_waits_as_a_known_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for address in ["nobody@nordlys.example", BJORN.email] {
        for _ in 0..3 {
            app.browser_at("198.51.100.1").sign_in(address, "wrong password").await.is(422);
        }
        let page = app.browser_at("198.51.100.1").sign_in(address, "wrong password").await;
        page.is(429).says("in 1 second.");
    }
}

#[apply(on_sqlite!)]
async fn strangers_never_hold_up_who_signed_in_from_here_before(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(BJORN).await;
    for host in 1..=20 {
        let mut stranger = app.browser_at(&format!("198.51.100.{host}"));
        stranger.sign_in(BJORN.email, "wrong password").await;
    }
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(303);
    // From elsewhere they wait, but what they are told holds whatever the strangers do.
    let mut travelling = app.browser_at("203.0.113.7");
    let page = travelling.sign_in(BJORN.email, PASSWORD).await;
    page.is(429).says("Try again in 1 second.");
    for host in 21..=40 {
        let mut stranger = app.browser_at(&format!("198.51.100.{host}"));
        stranger.sign_in(BJORN.email, "wrong password").await;
    }
    app.forward_seconds(1);
    travelling.sign_in(BJORN.email, PASSWORD).await.is(303);
    travelling.sign_in(BJORN.email, PASSWORD).await.is(303);
}

#[apply(on_sqlite!)]
async fn nobody_waits_longer_than_a_minute_for_what_others_try(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for host in 1..=60 {
        let mut stranger = app.browser_at(&format!("198.51.100.{host}"));
        stranger.sign_in(BJORN.email, "wrong password").await;
        app.forward_seconds(60);
        stranger.sign_in(BJORN.email, "wrong password").await;
    }
    let mut bjorn = app.browser_at("203.0.113.7");
    bjorn.sign_in(BJORN.email, PASSWORD).await.is(429).says("Try again in 1 minute.");
    app.forward_seconds(60);
    bjorn.sign_in(BJORN.email, PASSWORD).await.is(303);
}

#[apply(on_sqlite!)]
async fn one_network_waits_for_its_wrong_tries_at_all_logins(db: TestDatabase) {
    let app = TestApp::with(db, &[("SIGN_INS_PER_CLIENT", "5")]).await;
    let mut ingrid = app.browser_at("[2001:db8:1:2::1]");
    ingrid.sign_in(INGRID.email, PASSWORD).await.is(303);
    for host in 1..=5 {
        let mut browser = app.browser_at(&format!("[2001:db8:1:2::{host}]"));
        let address = format!("user{host}@nordlys.example");
        browser.sign_in(&address, "wrong password").await.is(422);
    }
    let mut browser = app.browser_at("[2001:db8:1:2::9]");
    browser.sign_in(MEI.email, PASSWORD).await.is(429).says("Try again in 1 second.");
    ingrid.sign_in(INGRID.email, PASSWORD).await.is(303);
    app.forward_seconds(1);
    browser.sign_in(MEI.email, PASSWORD).await.is(303);
}

#[apply(on_sqlite!)]
async fn of_fifty_tries_at_once_three_are_looked_at(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut browser = app.browser();
        tries.spawn(
            async move { browser.sign_in(BJORN.email, "wrong password").await.status.as_u16() },
        );
    }
    let statuses = tries.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 3, "{statuses:?}");
    assert!(statuses.iter().all(|status| [422, 429, 503].contains(status)), "{statuses:?}");
}

#[apply(on_sqlite!)]
async fn the_current_password_is_guessed_at_as_at_signing_in(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let guess = [("password", "wrong password"), ("new_password", "another long password")];
    for _ in 0..3 {
        ingrid.post("/security", "security/change-password", &guess).await.is(422);
    }
    let right = [("password", PASSWORD), ("new_password", "another long password")];
    ingrid.post("/security", "security/change-password", &right).await.is(429);
    app.browser().sign_in(INGRID.email, PASSWORD).await.is(429);
    app.forward_seconds(1);
    ingrid.post("/security", "security/change-password", &right).await.is(303);
}

#[apply(on_sqlite!)]
async fn what_the_hashing_sends_away_is_no_wrong_try(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let settings = Settings { hashes_at_once: 0, hashes_waiting: 0, ..Settings::default() };
    let (store, clock) = (app.latchkey.store.clone(), app.latchkey.clock.clone());
    let full = Latchkey::new(store, clock, app.latchkey.random.clone(), settings);
    let client = Client { address: "192.0.2.1".to_owned(), ..Client::default() };
    for _ in 0..10 {
        let tried = sessions::sign_in(&full, BJORN.email, PASSWORD, &client, None).await;
        assert_eq!(tried.map(drop), Err(Failure::Unavailable));
    }
    for _ in 0..2 {
        app.browser().sign_in(BJORN.email, "wrong password").await.is(422);
    }
    app.browser().sign_in(BJORN.email, PASSWORD).await.is(303);
}

#[apply(on_sqlite!)]
async fn many_accounts_to_choose_from_come_in_pages(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let ingrid = app.id_of(INGRID).await.parse().unwrap();
    let (store, now) = (&app.latchkey.store, app.latchkey.now());
    for n in 0..30 {
        let name = format!("Shop {n:02}.");
        let made = domain::accounts::create(&app.latchkey, &name, MEI.email).await;
        let mei = app.id_of(MEI).await.parse().unwrap();
        let (number, token) = made.unwrap();
        let (token, client) = (token.secret().expose(), domain::Client::default());
        domain::invitations::join_with_password(&app.latchkey, token, PASSWORD, &client)
            .await
            .unwrap();
        let account = store.membership(mei, number, None, now).await.unwrap().unwrap().account;
        store.add_member(account, ingrid, model::Access::Owner, now).await.unwrap();
    }
    let mut browser = app.as_person(INGRID).await;
    let first = browser.get("/accounts").await;
    first.is(200).says("Next page");
    let next = first.body.split("rel=\"next\"").next().unwrap();
    let next = next.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    let second = browser.get(&next.replace("&amp;", "&")).await;
    second.is(200).says("First page");
    for n in 0..30 {
        let name = format!("Shop {n:02}.");
        let (one, other) = (first.words().contains(&name), second.words().contains(&name));
        assert!(one != other, "{name} stands on one page");
    }
}

#[apply(on_sqlite!)]
async fn one_account_is_gone_to_at_once_and_several_are_chosen_from(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(BJORN).await.get("/accounts").await;
    page.is(302);
    assert_eq!(page.leads_to(), BAKERY);
    let page = app.as_person(MEI).await.get("/accounts").await;
    page.is(200).says("Choose an account");
    page.says("Nordlys Bakeri AS");
    page.says("Fjord & Pixel");
}
