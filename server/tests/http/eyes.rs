//! Looking at an account through somebody else's eyes: what is seen, that nothing is changed, and how it
//! ends.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, TOM};
use model::{Permission, PermissionSet, Reach, Terms};
use store::ActivityFilter;
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

use Permission::{
    AccountLog, AccountUsers, BillingPay, BillingView, DomainsManage, ServicesCredentials,
    ServicesView,
};

const COOKIE: &str = "__Host-latchkey-eyes";

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

async fn page_of(app: &TestApp, person: DemoPerson) -> String {
    format!("{BAKERY}/users/{}", app.id_of(person).await)
}

/// Has the browser's reader see the bakery as this person would; answers the overview.
async fn look(app: &TestApp, browser: &mut Browser, person: DemoPerson) -> Page {
    let answer = browser.open_and_fill_in(&page_of(app, person).await, "eyes/begin", &[]).await;
    browser.go_on(&answer).await
}

fn strip(person: DemoPerson) -> String {
    format!("You see this account as {} would.", person.name)
}

/// The path of the bakery's service with this name.
async fn service(app: &TestApp, name: &str) -> String {
    let services = app.services().await;
    let found = services.iter().find(|service| service.name == name).unwrap();
    format!("{BAKERY}/services/{}", found.id)
}

/// These permissions on the bakery's services with these names.
async fn on(app: &TestApp, permissions: &[Permission], names: &[&str]) -> Terms {
    let services = app.services().await;
    let named = services.iter().filter(|service| names.contains(&service.name.as_str()));
    let services = Reach::of(false, named.map(|service| service.id));
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(set(permissions)) }
}

/// Whether the page's navigation leads there.
fn navigates_to(page: &Page, end: &str) -> bool {
    page.between("class=\"areas\"", "</nav>").contains(&format!("href=\"{BAKERY}{end}\""))
}

#[apply(on_both!)]
async fn an_account_looks_as_it_would_to_the_person(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let own = ingrid.get(BAKERY).await;
    assert!(navigates_to(&own, "/services") && !own.body.contains("eyes/end"));
    let page = look(&app, &mut ingrid, BJORN).await;
    page.is(200).says(&strip(BJORN));
    page.says("Stop seeing as");
    assert!(page.body.contains("aria-label=\"Ingrid Solberg\""), "she stays who she is");
    assert!(!page.body.contains("You are an owner"));
    assert!(navigates_to(&page, "/billing"));
    for end in ["/services", "/domains", "/users", "/log", "/account"] {
        assert!(!navigates_to(&page, end), "{end}");
        let page = ingrid.get(&format!("{BAKERY}{end}")).await;
        page.is(403).says("You don't have access to");
        page.says(&strip(BJORN));
    }
    for end in ["/policy", "/single-sign-on", "/log.csv", "/users/invite"] {
        ingrid.get(&format!("{BAKERY}{end}")).await.is(403);
    }
    ingrid.get(&page_of(&app, AMIRA).await).await.is(403);
    ingrid.get(&service(&app, "Webshop").await).await.is(403);
    ingrid.get(&format!("{BAKERY}/billing")).await.is(200).says(&strip(BJORN));
    // What is outside the account is her own.
    let profile = ingrid.get("/profile").await;
    profile.is(200).says("Ingrid Solberg");
    assert!(!profile.body.contains("eyes/end"));

    let back = ingrid.open_and_fill_in(BAKERY, "eyes/end", &[]).await;
    let page = ingrid.go_on(&back).await;
    page.is(200);
    assert!(navigates_to(&page, "/services") && !page.body.contains("eyes/end"));
    assert_eq!(ingrid.cookie(COOKIE), None);
}

#[apply(on_both!)]
async fn nothing_is_seen_but_what_both_may_see(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let own = on(&app, &[ServicesView, ServicesCredentials], &["Webshop", "Old website"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), own]).await;
    let theirs = on(&app, &[ServicesCredentials], &["Webshop", "Order mail"]).await;
    app.hold(MEI, [theirs, Terms::whole(set(&[DomainsManage, BillingView, AccountLog]))]).await;
    let (shop, mail) = (service(&app, "Webshop").await, service(&app, "Order mail").await);
    let mut amira = app.as_person(AMIRA).await;
    look(&app, &mut amira, MEI).await.is(200).says(&strip(MEI));
    let list = amira.get(&format!("{BAKERY}/services")).await;
    list.is(200).says("Webshop");
    for unseen in ["Order mail", "Old website", "nordlys-shop"] {
        assert!(!list.words().contains(unseen), "{unseen}");
    }
    let page = amira.get(&shop).await;
    page.is(200);
    assert!(!page.body.contains("nordlys-shop"), "no password is seen through others' eyes");
    amira.get(&mail).await.is(404);
    amira.get(&service(&app, "Old website").await).await.is(404);
    for end in ["/domains", "/billing", "/log", "/log.csv", "/users"] {
        amira.get(&format!("{BAKERY}{end}")).await.is(403);
    }

    // Nor through an owner's.
    amira.open_and_fill_in(BAKERY, "eyes/end", &[]).await.is(303);
    look(&app, &mut amira, OLAV).await.is(200).says(&strip(OLAV));
    let users = amira.get(&format!("{BAKERY}/users")).await;
    assert!(users.is(200).row_of("olav@").contains("You"), "as he would see it");
    amira.get(&shop).await.is(200);
    amira.get(&mail).await.is(404);
    for end in ["/domains", "/billing", "/policy", "/log.csv"] {
        amira.get(&format!("{BAKERY}{end}")).await.is(403);
    }
    let page = amira.get(&page_of(&app, MEI).await).await;
    page.is(200);
    assert!(!page.words().contains("Order mail") && !page.body.contains("eyes/begin"));

    // An owner sees no passwords either.
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(&shop).await.says("nordlys-shop");
    look(&app, &mut ingrid, MEI).await.is(200);
    assert!(!ingrid.get(&shop).await.is(200).body.contains("nordlys-shop"));
    ingrid.get(&mail).await.is(200);
    ingrid.get(&format!("{BAKERY}/log.csv")).await.is(200);
}

#[apply(on_both!)]
async fn no_form_in_the_account_works(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("ola@nordlys.example", &["billing.view"]).await.is(303);
    let invitation = ingrid.get(&format!("{BAKERY}/users")).await.hidden("invitation");
    look(&app, &mut ingrid, OLAV).await.is(200);
    let before = rows(&app).await;
    let (user, manage) = (app.id_of(BJORN).await, page_of(&app, BJORN).await);
    let fields = [
        ("account", "100001"),
        ("user", &user),
        ("invitation", &invitation),
        ("grant", &user),
        ("request", &user),
        ("email", "kari@nordlys.example"),
        ("permissions[]", "billing.view"),
        ("account_name", "Bakery"),
        ("domains", "nordlys.example"),
        ("days", "1"),
        ("session_idle", "none"),
        ("session_absolute", "none"),
    ];
    let of_account = |end: &str| format!("{BAKERY}{end}");
    let (policy, sso) = (of_account("/policy"), of_account("/single-sign-on"));
    let cancel = of_account(&format!("/invitations/{invitation}/cancel"));
    let remove = format!("{manage}/remove");
    let forms = [
        (of_account("/users/invite"), "users/invite"),
        (of_account("/users"), "users/resend"),
        (cancel, "users/cancel"),
        (manage.clone(), "users/change-permissions"),
        (manage.clone(), "users/pause-access"),
        (manage.clone(), "users/resume-access"),
        (manage.clone(), "users/renew-access"),
        (manage.clone(), "users/take-back"),
        (manage.clone(), "eyes/begin"),
        (remove, "users/remove-access"),
        (of_account("/account"), "account/change-details"),
        (of_account("/leave"), "account/leave"),
        (of_account("/services"), "services/show-passwords"),
        (policy.clone(), "policies/demand-factor"),
        (policy.clone(), "policies/demand-no-factor"),
        (policy.clone(), "policies/remind"),
        (policy.clone(), "policies/bound-sessions"),
        (policy, "policies/limit-domains"),
        (sso.clone(), "single-sign-on/add-domain"),
        (sso.clone(), "single-sign-on/prove-domain"),
        (sso.clone(), "single-sign-on/remove-domain"),
        (sso.clone(), "single-sign-on/set-provider"),
        (sso.clone(), "single-sign-on/remove-provider"),
        (sso.clone(), "single-sign-on/require"),
        (sso, "single-sign-on/lift"),
    ];
    for (path, form) in forms {
        let page = ingrid.post(&path, form, &fields).await;
        assert_eq!(page.status.as_u16(), 403, "{form}: {}", page.words());
        page.says("You see this account as Olav Solberg would, so nothing can be changed.");
    }
    let extra = [("account", "100001"), ("user", user.as_str()), ("permissions[]", "support.view")];
    let page = ingrid.post(&format!("{manage}/extra/new"), "users/give-extra", &extra).await;
    page.is(403).says("You see this account as Olav Solberg would, so nothing can be changed.");
    // Of these the page isn't there.
    for (end, form) in [
        (format!("/users/{user}/extra/{user}"), "users/change-extra"),
        (format!("/requests/{user}/decline"), "access-requests/decline"),
        ("/ask".to_owned(), "access-requests/ask"),
        ("/ask".to_owned(), "access-requests/withdraw"),
    ] {
        ingrid.post(&of_account(&end), form, &fields).await.is(404);
    }
    assert_eq!(rows(&app).await, before);
    assert!(app.mails_to("kari@nordlys.example").await.is_empty());
    app.as_person(BJORN).await.get(&format!("{BAKERY}/billing")).await.is(200);

    // What was typed stays, and the button says why it does nothing.
    let path = format!("{BAKERY}/users/invite");
    let typed = [("email", "kari@nordlys.example"), ("permissions[]", "billing.view")];
    let page = ingrid.open_and_fill_in(&path, "users/invite", &typed).await;
    page.is(403).says("Go back to your own view first.");
    assert!(page.input("id=\"email\"").contains("value=\"kari@nordlys.example\""));
    assert!(page.input("id=\"billing.view\"").contains("checked"));
    let button = page.body.split("<button").find(|button| button.contains("Send invitation"));
    let button = button.unwrap().split('>').next().unwrap();
    assert!(button.contains(" disabled") && button.contains("nothing can be changed"), "{button}");
    let back = page.between("class=\"eyes-back\"", "</form>");
    assert!(!back.contains(" disabled"));
}

/// How many rows the bakery's log has.
async fn rows(app: &TestApp) -> usize {
    let account = app.account_of(INGRID).await;
    app.latchkey.store.activity(account, &ActivityFilter::default(), 500).await.unwrap().len()
}

#[apply(on_both!)]
async fn looking_leaves_no_trace_of_the_person(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.account_of(INGRID).await;
    let bjorn = app.id_of(BJORN).await.parse().unwrap();
    let active = async || {
        app.latchkey.store.noted().await;
        app.latchkey.store.member(account, bjorn).await.unwrap().unwrap().last_active_at
    };
    let (was_active, logged) = (active().await, rows(&app).await);
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_seconds(600);
    look(&app, &mut ingrid, BJORN).await.is(200);
    ingrid.get(&format!("{BAKERY}/billing")).await.is(200);
    app.forward_seconds(600);
    ingrid.get(&format!("{BAKERY}/billing")).await.is(200).says(&strip(BJORN));
    assert_eq!(active().await, was_active);
    assert_eq!(rows(&app).await, logged);
}

#[apply(on_both!)]
async fn a_look_ends_by_itself_and_with_what_it_needs(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let users = Terms::whole(set(&[AccountUsers, BillingPay]));
    app.hold(AMIRA, [users.clone()]).await;
    let ended = async |amira: &mut Browser| {
        let page = amira.get(&format!("{BAKERY}/billing")).await;
        page.is(200);
        assert!(!page.body.contains("eyes/end"), "{}", page.words());
        assert_eq!(amira.cookie(COOKIE), None);
    };
    let mut amira = app.as_person(AMIRA).await;

    // After half an hour.
    look(&app, &mut amira, BJORN).await.says(&strip(BJORN));
    app.forward_seconds(1799);
    amira.get(BAKERY).await.says(&strip(BJORN));
    app.forward_seconds(1);
    ended(&mut amira).await;

    // At the next request of whoever doesn't manage users any more.
    look(&app, &mut amira, BJORN).await.says(&strip(BJORN));
    app.hold(AMIRA, [Terms::whole(set(&[BillingPay]))]).await;
    ended(&mut amira).await;
    begin(&app, &mut amira, BJORN).await.is(403);
    app.hold(AMIRA, [users]).await;

    // With another account.
    let mut mei = app.as_person(MEI).await;
    app.hold(MEI, [Terms::whole(set(&[AccountUsers, BillingPay]))]).await;
    look(&app, &mut mei, BJORN).await.says(&strip(BJORN));
    let agency = mei.get(AGENCY).await;
    assert!(!agency.is(200).body.contains("eyes/end"));
    ended(&mut mei).await;

    // With the session.
    look(&app, &mut amira, BJORN).await.says(&strip(BJORN));
    let token = amira.cookie(COOKIE).unwrap().to_owned();
    amira.post("/sign-out", "sign-out", &[]).await.is(303);
    assert_eq!(amira.cookie(COOKIE), None);
    let mut amira = app.as_person(AMIRA).await;
    amira.take_cookie(COOKIE, &token);
    ended(&mut amira).await;

    // With the person's access.
    look(&app, &mut amira, BJORN).await.says(&strip(BJORN));
    let mut ingrid = app.as_person(INGRID).await;
    let remove = format!("{}/remove", page_of(&app, BJORN).await);
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    ended(&mut amira).await;
}

/// Sends the form that begins a look, whether a page shows it or not.
async fn begin(app: &TestApp, browser: &mut Browser, person: DemoPerson) -> Page {
    let id = app.id_of(person).await;
    let fields = [("account", "100001"), ("user", id.as_str())];
    browser.post(&page_of(app, person).await, "eyes/begin", &fields).await
}

#[apply(on_both!)]
async fn a_token_is_worth_nothing_elsewhere(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    look(&app, &mut ingrid, BJORN).await.says(&strip(BJORN));
    let token = ingrid.cookie(COOKIE).unwrap().to_owned();
    // Another session of hers, another owner's, and one of somebody who could see less.
    for person in [INGRID, OLAV, AMIRA] {
        let mut other = app.as_person(person).await;
        other.take_cookie(COOKIE, &token);
        let page = other.get(BAKERY).await;
        assert!(!page.is(200).body.contains("eyes/end"));
        assert_eq!(other.cookie(COOKIE), None);
    }
    let mut other = app.as_person(INGRID).await;
    for garbage in ["x", "{}", "=", &"A".repeat(43), &"A".repeat(5000)] {
        other.take_cookie(COOKIE, garbage);
        let page = other.get(BAKERY).await;
        assert!(!page.is(200).body.contains("eyes/end"));
    }
    other.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let mut nobody = app.browser();
    nobody.take_cookie(COOKIE, &token);
    nobody.get(BAKERY).await.is(302);
    ingrid.get(BAKERY).await.says(&strip(BJORN));
}

#[apply(on_both!)]
async fn nobody_looks_without_the_right_or_through_their_own_eyes(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    begin(&app, &mut bjorn, AMIRA).await.is(403);
    let mut amira = app.as_person(AMIRA).await;
    begin(&app, &mut amira, AMIRA).await.is(422);
    let own = amira.get(&page_of(&app, AMIRA).await).await;
    assert!(!own.is(200).body.contains("eyes/begin"));
    begin(&app, &mut amira, TOM).await.is(404);
    assert_eq!(amira.cookie(COOKIE), None);
    begin(&app, &mut app.as_person(TOM).await, BJORN).await.is(404);
    begin(&app, &mut app.browser(), BJORN).await.is(401);
}

#[apply(on_both!)]
async fn whose_access_is_paused_sees_nothing_and_the_page_says_so(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = page_of(&app, BJORN).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let page = look(&app, &mut ingrid, BJORN).await;
    page.is(200).says("their access is paused, so nothing of it is open");
    assert!(!page.body.contains("area-card") && !navigates_to(&page, "/billing"));
    ingrid.get(&format!("{BAKERY}/billing")).await.is(403);
}
