//! What stands around pages: which account one is in or comes from, and the ways between accounts.

use std::collections::BTreeSet;

use domain::demo::{BJORN, INGRID, MEI, OLAV, PASSWORD};
use scraper::{Html, Selector};
use test_database::{TestDatabase, apply};

use crate::authenticator::Authenticator;
use crate::story::{AGENCY, BAKERY, Page, TestApp};

/// Pages outside of all accounts that are about the reader.
const OWN: [&str; 7] = [
    "/profile",
    "/profile/email",
    "/profile/delete",
    "/security",
    "/security/passkeys/add",
    "/demo/mailbox",
    "/help/security",
];

/// The header's markup.
fn header(page: &Page) -> String {
    page.between("<header class=\"site-header\">", "</header>")
}

/// Whether the page's navigation leads into this account.
fn leads_into(page: &Page, account: &str) -> bool {
    let areas = page.body.split("class=\"areas\"").nth(1);
    areas.is_some_and(|areas| areas.contains(&format!("href=\"{account}\"")))
}

/// Makes an account with this name, and Mei an owner of it.
async fn add_account(app: &TestApp, name: &str) {
    let store = &app.latchkey.store;
    let made = domain::accounts::create(&app.latchkey, name, "somebody@else.example").await;
    let account = store.account(made.unwrap().0).await.unwrap();
    let mei = app.id_of(MEI).await.parse().unwrap();
    store.add_member(account, mei, model::Access::Owner, app.latchkey.now()).await.unwrap();
}

#[apply(on_sqlite!)]
async fn titles_name_the_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for (path, title) in [
        (format!("{BAKERY}/users"), "User management · Nordlys Bakeri AS · Latchkey"),
        (BAKERY.to_owned(), "Nordlys Bakeri AS · Latchkey"),
        (
            "/help/security?account=100001".to_owned(),
            "Keeping your login safe · Nordlys Bakeri AS · Latchkey",
        ),
        (format!("{BAKERY}/nowhere"), "Page not found · Nordlys Bakeri AS · Latchkey"),
    ] {
        assert_eq!(ingrid.get(&path).await.title(), title, "{path}");
    }
    let refused = app.as_person(BJORN).await.get(&format!("{BAKERY}/users")).await;
    let title = "You don&#39;t have access to User management · Nordlys Bakeri AS · Latchkey";
    assert_eq!(refused.title().replace('\'', "&#39;"), title);
    let fields = [("account", "100001"), ("email", "nonsense"), ("permissions[]", "billing.view")];
    let page = ingrid.post(&format!("{BAKERY}/users/invite"), "users/invite", &fields).await;
    let title = "Error: Invite new user · Nordlys Bakeri AS · Latchkey";
    assert_eq!(page.is(422).title(), title);
    assert_eq!(app.browser().get("/sign-in").await.title(), "Sign in · Latchkey");
}

#[apply(on_sqlite!)]
async fn pages_outside_of_accounts_keep_the_one_that_their_address_names(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    for (account, number, name) in
        [(BAKERY, "100001", "Nordlys Bakeri AS"), (AGENCY, "100002", "Fjord &amp; Pixel")]
    {
        let page = mei.get(account).await;
        let links = header(&page);
        for path in OWN {
            let at = format!("{path}?account={number}");
            let is_in_menu = ["/profile", "/security", "/demo/mailbox"].contains(&path);
            assert_eq!(links.contains(&format!("href=\"{at}\"")), is_in_menu, "{at}");
            let page = mei.get(&at).await;
            page.is(200);
            assert!(header(&page).contains(&format!("Switch account: {name}")), "{at}");
            // The mailbox is anybody's, and has no navigation.
            assert!(leads_into(&page, account) || path == "/demo/mailbox", "{at}");
            assert!(!page.body.contains("aria-current=\"page\""), "{at}: it is none of its pages");
        }
    }
}

#[apply(on_sqlite!)]
async fn without_one_in_the_address_it_is_the_one_that_the_reader_was_in_last(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    for account in [AGENCY, BAKERY] {
        app.forward_hours(1);
        mei.get(account).await.is(200);
        app.latchkey.store.noted().await;
        assert!(leads_into(&mei.get("/security").await, account));
    }
    let fields = [("full_name", "Mei Tanaka"), ("language", "en")];
    let answer = mei.open_and_fill_in("/profile?account=100002", "profile/save", &fields).await;
    assert!(leads_into(&mei.go_on(&answer).await, AGENCY));
}

/// Where the page's links and forms lead, as far as those are pages that the account stays around.
fn ways(page: &Page) -> Vec<String> {
    let document = Html::parse_document(&page.body);
    let [ways, named] = ["a[href], form[action]", "input[name=account]"]
        .map(|selector| Selector::parse(selector).unwrap());
    let ways = document.select(&ways).filter(|way| way.select(&named).next().is_none());
    let ways = ways.filter_map(|way| way.attr("href").or(way.attr("action")));
    let stays = |way: &&str| {
        let begins = ["/demo/", "/help", "/profile", "/security"];
        begins.iter().any(|begin| way.starts_with(begin)) && *way != "/profile/data.json"
    };
    ways.filter(stays).map(str::to_owned).collect()
}

#[track_caller]
fn keeps_the_agency(page: &Page, at: &str) {
    for way in ways(page) {
        assert!(way.contains("account=100002"), "{at} leads to {way}");
    }
    assert!(page.title().contains("Fjord &amp; Pixel"), "{at}: {}", page.title());
}

#[apply(on_sqlite!)]
async fn no_link_and_no_form_forgets_the_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    crate::passkeys::add(&mut mei, &mut Authenticator::new(1), "Phone").await;
    app.turn_app_on(&mut mei).await;
    app.keep_all_mail().await;
    mei.get(BAKERY).await.is(200);
    app.latchkey.store.noted().await;
    let from = ["/demo/mailbox", "/help", "/profile", "/security", "/security/authenticator"];
    let mut open: Vec<_> = from.map(|path| format!("{path}?account=100002")).into();
    open.extend(
        ["/security/passkeys/add?account=100002", "/nowhere?account=100002"].map(str::to_owned),
    );
    open.extend(["log", "policy"].map(|end| format!("{AGENCY}/{end}")));
    let mut seen = BTreeSet::new();
    while let Some(at) = open.pop() {
        let page = mei.get(&at).await;
        page.is(if at.starts_with("/nowhere") { 404 } else { 200 });
        keeps_the_agency(&page, &at);
        seen.insert(at);
        let pages =
            ways(&page).into_iter().filter_map(|way| Some(way.split('#').next()?.to_owned()));
        open.extend(pages.filter(|way| !seen.contains(way)));
    }
    let met = |begin: &str| seen.iter().any(|at| at.starts_with(begin));
    for begin in
        ["/security/passkeys/0", "/security/authenticator/off", "/demo/mailbox/", "/help/users"]
    {
        assert!(met(begin), "{begin} is missing in {seen:?}");
    }
}

#[apply(on_sqlite!)]
async fn what_a_form_came_to_keeps_the_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    app.as_person(MEI).await;
    mei.get(BAKERY).await.is(200);
    app.latchkey.store.noted().await;
    for (path, form, fields) in [
        ("/profile", "profile/save", &[("full_name", "Mei Tanaka"), ("language", "en")][..]),
        ("/security", "security/end-other-devices", &[]),
        ("/security", "security/begin-app", &[]),
        ("/security", "security/begin-passkey", &[]),
        ("/help/security", "help/feedback", &[("helped", "yes")]),
    ] {
        let answer = mei.open_and_fill_in(&format!("{path}?account=100002"), form, fields).await;
        let next = answer.is(303).leads_to().to_owned();
        assert!(next.ends_with("?account=100002"), "{form} leads to {next}");
        keeps_the_agency(&mei.get(&next).await, &next);
    }
    // Refused, and waiting for a proof.
    let refused = [("full_name", ""), ("language", "en")];
    let page = mei.open_and_fill_in("/profile?account=100002", "profile/save", &refused).await;
    keeps_the_agency(page.is(422), "what was refused");
    let asked = mei.get("/profile/email?account=100002").await;
    app.forward_hours(1);
    let wish = [("email", "mei@elsewhere.example")];
    let asking = mei.fill_in(&asked, "profile/change-email", &wish).await;
    keeps_the_agency(asking.is(401), "the page that asks who one is");
    let answer = mei.fill_in(&asking, "sign-in/confirm", &[("password", PASSWORD)]).await;
    assert_eq!(answer.is(303).leads_to(), "/profile?account=100002");
}

#[apply(on_sqlite!)]
async fn no_account_is_kept_that_is_not_open_to_the_reader(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(BAKERY).await.is(200);
    app.latchkey.store.noted().await;
    let known = bjorn.get("/profile").await;
    assert!(leads_into(&known, BAKERY));
    for named in ["100002", "999999", "nonsense", "%00", ""] {
        let page = bjorn.get(&format!("/profile?account={named}")).await;
        page.is(200);
        assert_eq!(page.words(), known.words(), "{named}: it tells of no account but their own");
    }
    let pause = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.open_and_fill_in(&pause, "users/pause-access", &[]).await.is(303);
    let page = bjorn.get("/profile?account=100001").await;
    assert!(!page.is(200).words().contains("Nordlys Bakeri AS") && !leads_into(&page, BAKERY));
}

#[apply(on_sqlite!)]
async fn where_nothing_is_found_its_reader_finds_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    for (path, account) in [
        ("/nowhere?account=100002", AGENCY),
        ("/accounts/100001/nowhere", BAKERY),
        ("/accounts/100002/users/nobody", AGENCY),
    ] {
        let page = mei.get(path).await;
        page.is(404).says("Page not found");
        assert!(header(&page).contains("aria-label=\"Mei Tanaka\""), "{path}");
        let back = page.between("<main", "</main>");
        assert!(back.contains(&format!("href=\"{account}\"")), "{path}: {back}");
    }
    let page = app.browser().get("/nowhere").await;
    assert!(!page.is(404).body.contains("account-menu"));
    page.says("Your accounts");
}

#[apply(on_sqlite!)]
async fn what_is_kept_is_no_visit_and_is_seen_with_ones_own_eyes(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (account, olav) = (app.account_of(INGRID).await, app.id_of(OLAV).await.parse().unwrap());
    let last = async || {
        app.latchkey.store.noted().await;
        app.latchkey.store.member(account, olav).await.unwrap().unwrap().last_active_at
    };
    let mut olavs = app.as_person(OLAV).await;
    olavs.get(BAKERY).await.is(200);
    let before = last().await;
    assert_eq!(before, Some(app.latchkey.now()));
    app.forward_hours(2);
    assert!(leads_into(&olavs.get("/profile?account=100001").await, BAKERY));
    assert_eq!(last().await, before);
    let mut ingrid = app.as_person(INGRID).await;
    let person = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    ingrid.open_and_fill_in(&person, "eyes/begin", &[]).await.is(303);
    let page = ingrid.get("/profile?account=100001").await;
    assert!(leads_into(&page, BAKERY) && !page.words().contains("would."), "{}", page.words());
    assert!(page.body.contains(&format!("href=\"{BAKERY}/users\"")));
}

#[apply(on_sqlite!)]
async fn the_accounts_name_in_the_header_leads_to_the_others(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(MEI).await.get(BAKERY).await;
    let header = header(&page);
    assert!(header.contains("popovertarget=\"account-switch\""));
    assert!(header.contains(&format!("href=\"{AGENCY}\"")), "{header}");
    assert!(!header.contains("role=\"search\""));
    let page = app.as_person(INGRID).await.get(BAKERY).await;
    assert!(!page.body.contains("account-switch"), "there is nothing to switch to");
}

#[apply(on_sqlite!)]
async fn among_many_accounts_one_is_looked_for(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for name in ["Ås Bakeri", "Bø", "Dal", "Eng", "Fjell", "Gård", "Hav", "Lie"] {
        add_account(&app, name).await;
    }
    let mut mei = app.as_person(MEI).await;
    let header = header(&mei.get(BAKERY).await);
    assert_eq!(header.matches("href=\"/accounts/10").count(), 9 + 2, "nine, and two of this one's");
    assert!(!header.contains("role=\"search\""), "all of them are there");
    add_account(&app, "Moe <b>").await;
    let header = self::header(&mei.get(BAKERY).await);
    assert_eq!(header.matches("href=\"/accounts/10").count(), 9 + 2);
    assert!(header.contains("action=\"/accounts\"") && header.contains("role=\"search\""));

    let page = mei.get("/accounts").await;
    page.is(200).says("Fjord & Pixel");
    assert!(page.body.contains("placeholder=\"Search by name or number\""));
    for (search, found) in
        [("as%20bak", "Ås Bakeri"), ("FJORD", "Fjord & Pixel"), ("100001", "Nordlys")]
    {
        let page = mei.get(&format!("/accounts?search={search}")).await;
        page.is(200).says(found);
        assert_eq!(page.body.matches("class=\"account-card\"").count(), 1, "{search}");
    }
    let page = mei.get("/accounts?search=%3Cb%3Enone").await;
    page.is(200).says("No account matches “<b>none”.");
    assert!(!page.body.contains("<b>"));
}
