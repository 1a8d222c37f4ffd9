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

pub const COOKIE: &str = "__Host-latchkey-eyes";

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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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
        ("change", &user),
        ("becomes", "out"),
        ("successor", &user),
        ("wait_days", "14"),
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
        (format!("{manage}/owner"), "owners/make"),
        (format!("{manage}/hand-over"), "owners/hand-over"),
        (of_account("/step-down"), "owners/step-down"),
        (of_account("/owners/successor"), "successors/name"),
        (of_account("/owners/successor"), "successors/remove"),
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
        (format!("/owners/{user}"), "owners/accept"),
        (format!("/owners/{user}"), "owners/decline"),
        (format!("/owners/{user}"), "owners/stop"),
        (format!("/owners/{user}"), "successors/answer"),
        ("/take-over".to_owned(), "successors/take-over"),
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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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

/// Sends the form of a page, as it is filled in, to see the account with what it would give.
async fn look_from(browser: &mut Browser, path: &str, form: &str, fields: &[(&str, &str)]) -> Page {
    let fields = [fields, &[("show", "look")]].concat();
    browser.open_and_fill_in(path, form, &fields).await
}

/// Goes back from a look to the form that it came from.
async fn back(browser: &mut Browser) -> (String, Page) {
    let answer = browser.open_and_fill_in(BAKERY, "eyes/end", &[]).await;
    assert_eq!(browser.cookie(COOKIE), None);
    let path = answer.is(303).leads_to().to_owned();
    let page = browser.get(&path).await;
    assert!(!page.is(200).body.contains("eyes/end") && !page.title().contains("Error"));
    (path, page)
}

/// The id of the bakery's service with this name.
async fn service_id(app: &TestApp, name: &str) -> String {
    service(app, name).await.rsplit('/').next().unwrap().to_owned()
}

#[apply(on_sqlite!)]
async fn what_a_form_would_change_is_seen_before_it_is_saved(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (path, logged) = (page_of(&app, BJORN).await, rows(&app).await);
    let mailed = app.mails_to(BJORN.email).await;
    let page = ingrid.get(&path).await;
    page.is(200).says("See it as Bjørn Lie with these permissions");
    let shop = service_id(&app, "Webshop").await;
    let fields = [
        ("permissions[]", "services.view"),
        ("permissions[]", "support.view"),
        ("services", "these"),
        ("service[]", shop.as_str()),
        ("until", "2027-01-31"),
        ("why", "For the \"shop\" & <b>more</b>"),
        ("search_services", "web"),
    ];
    let answer = look_from(&mut ingrid, &path, "users/change-permissions", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("You see this account as Bjørn Lie would with permissions that aren't saved");
    page.says("Stop seeing as Bjørn Lie");
    assert!(page.body.contains("aria-label=\"Seeing as Bjørn Lie\""));
    for (end, seen) in [("/services", true), ("/support", true), ("/billing", false)] {
        assert_eq!(navigates_to(&page, end), seen, "{end}");
    }
    let list = ingrid.get(&format!("{BAKERY}/services")).await;
    list.is(200).says("Webshop");
    assert!(!list.words().contains("Order mail"));
    ingrid.get(&service(&app, "Webshop").await).await.is(200);
    ingrid.get(&service(&app, "Order mail").await).await.is(404);
    let refused = ingrid.get(&format!("{BAKERY}/billing")).await;
    refused.is(403).says("see support requests (1 service, until Sunday, 31 January)");

    // Nothing is changed by it, and nothing can be.
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    bjorn.get(&format!("{BAKERY}/services")).await.is(403);
    let user = app.id_of(BJORN).await;
    for show in ["", "look"] {
        let fields = [("account", "100001"), ("user", &*user), ("show", show)];
        let fields = [&fields[..], &[("permissions[]", "support.view")]].concat();
        let page = ingrid.post(&path, "users/change-permissions", &fields).await;
        page.is(403).says("You see this account as Bjørn Lie would, so nothing can be changed.");
    }
    assert_eq!(rows(&app).await, logged);
    assert_eq!(app.mails_to(BJORN.email).await, mailed);

    // What was typed is there again, also when the page is loaded once more, and is saved from there.
    let (kept, page) = back(&mut ingrid).await;
    assert!(kept.starts_with(&format!("{path}?draft=")), "{kept}");
    for page in [page, ingrid.get(&kept).await] {
        for ticked in ["services.view", "support.view", "these-services"] {
            assert!(page.input(&format!("id=\"{ticked}\"")).contains("checked"), "{ticked}");
        }
        assert!(page.input(&format!("id=\"thing-{shop}\"")).contains("checked"));
        assert!(!page.input("id=\"billing.pay\"").contains("checked"));
        assert!(page.input("id=\"until\"").contains("value=\"2027-01-31\""));
        assert!(page.input("id=\"why\"").contains("&lt;b"));
        assert!(!page.body.contains("<b>more"));
    }
    let saved = ingrid.get(&path).await;
    assert!(saved.input("id=\"billing.pay\"").contains("checked"), "the page itself is as ever");
    assert!(!saved.input("id=\"support.view\"").contains("checked"));
    let answer = ingrid.open_and_fill_in(&kept, "users/change-permissions", &fields).await;
    ingrid.go_on(&answer).await.says("Changes saved");
    bjorn.get(&format!("{BAKERY}/services")).await.is(200);

    // Whoever changed it meanwhile isn't overwritten.
    let page = ingrid.get(&kept).await;
    page.is(200).says("Somebody else changed this");
    assert!(page.input("id=\"why\"").contains("shop"), "as it stands now");
}

#[apply(on_sqlite!)]
async fn what_extra_access_would_give_is_seen_besides_what_there_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = page_of(&app, BJORN).await;
    let new = format!("{path}/extra/new");
    let fields = [("permissions[]", "support.view"), ("until", "2027-01-20"), ("why", "Audit")];
    let answer = look_from(&mut ingrid, &new, "users/give-extra", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("You see this account as Bjørn Lie would with permissions that aren't saved");
    for (end, seen) in [("/support", true), ("/billing", true), ("/services", false)] {
        assert_eq!(navigates_to(&page, end), seen, "{end}");
    }
    let (kept, page) = back(&mut ingrid).await;
    assert!(kept.starts_with(&format!("{new}?draft=")), "{kept}");
    page.says("See it as Bjørn Lie with these permissions");
    assert!(page.input("id=\"support.view\"").contains("checked"));
    assert!(page.input("id=\"until\"").contains("value=\"2027-01-20\""));
    assert!(page.input("id=\"why\"").contains("value=\"Audit\""));
    let answer = ingrid.fill_in(&page, "users/give-extra", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("Extra access until Wednesday, 20 January");

    // To change some of that.
    let extra = format!("{path}/extra/{}", page.hidden("grant"));
    let fields = [("permissions[]", "domains.view"), ("why", "Moving")];
    let answer = look_from(&mut ingrid, &extra, "users/change-extra", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200);
    for (end, seen) in [("/domains", true), ("/billing", true), ("/support", false)] {
        assert_eq!(navigates_to(&page, end), seen, "{end}");
    }
    let (kept, page) = back(&mut ingrid).await;
    assert!(kept.starts_with(&format!("{extra}?draft=")), "{kept}");
    assert!(page.input("id=\"domains.view\"").contains("checked"));
    assert!(page.input("id=\"why\"").contains("value=\"Moving\""));
    app.as_person(BJORN).await.get(&format!("{BAKERY}/domains")).await.is(403);
}

#[apply(on_sqlite!)]
async fn what_an_invitation_would_open_is_seen_as_somebody_new(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (invite, logged) = (format!("{BAKERY}/users/invite"), rows(&app).await);
    ingrid.get(&invite).await.says("See it as the new user");
    let fields = [
        ("email", "kari@nowhere"),
        ("permissions[]", "billing.view"),
        ("permissions[]", "account.users"),
    ];
    let answer = look_from(&mut ingrid, &invite, "users/invite", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("You see this account as a new user would");
    page.says("Stop seeing as a new user");
    assert!(page.body.contains("aria-label=\"Seeing as a new user\""));
    assert!(navigates_to(&page, "/billing") && navigates_to(&page, "/users"));
    assert!(!navigates_to(&page, "/services"));
    ingrid.get(&format!("{BAKERY}/services")).await.is(403).says("see invoices");
    ingrid.get(&format!("{BAKERY}/policy")).await.is(403);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    let ingrids = users.is(200).row_of("ingrid@");
    assert!(!ingrids.contains(">You<"), "{ingrids}");
    // They could give what they would hold.
    let form = ingrid.get(&invite).await;
    assert!(!form.is(200).input("id=\"billing.view\"").contains("disabled"));
    assert!(form.input("id=\"domains.view\"").contains("disabled"));
    let looking = form.body.split("<button").find(|button| button.contains("See it as the new"));
    assert!(looking.unwrap().split('>').next().unwrap().contains(" disabled"));
    ingrid.get(&page_of(&app, BJORN).await).await.is(200);
    for show in ["", "look"] {
        let fields = [("account", "100001"), ("email", "a@b.example"), ("show", show)];
        let fields = [&fields[..], &[("permissions[]", "billing.view")]].concat();
        let page = ingrid.post(&invite, "users/invite", &fields).await;
        page.is(403).says("You see this account as a new user would, so nothing can be changed.");
    }
    let (kept, page) = back(&mut ingrid).await;
    assert!(kept.starts_with(&format!("{invite}?draft=")), "{kept}");
    assert!(page.input("id=\"email\"").contains("value=\"kari@nowhere\""));
    assert!(page.input("id=\"billing.view\"").contains("checked"));
    assert!(page.input("id=\"account.users\"").contains("checked"));
    assert_eq!(rows(&app).await, logged);
    let sent = [("email", "kari@nordlys.example"), ("permissions[]", "billing.view")];
    ingrid.fill_in(&page, "users/invite", &sent).await.is(303);
    assert_eq!(app.mails_to("kari@nordlys.example").await, ["invitation"]);
}

#[apply(on_sqlite!)]
async fn a_form_that_could_not_be_saved_begins_no_look(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (path, invite) = (page_of(&app, BJORN).await, format!("{BAKERY}/users/invite"));
    let extra = format!("{path}/extra/new");
    let none = [("email", "kari@nordlys.example"), ("why", "Audit")];
    let (no, long) = (("permissions[]", "billing.view"), "x".repeat(201));
    for (path, form, fields, words) in [
        (&invite, "users/invite", &none[..], "Choose at least one permission"),
        (&extra, "users/give-extra", &none, "Choose at least one permission"),
        (&path, "users/change-permissions", &none, "Choose at least one permission"),
        (&invite, "users/invite", &[no, ("until", "2020-01-01")], "There is a problem"),
        (&extra, "users/give-extra", &[no, ("why", &*long)], "There is a problem"),
        (&path, "users/change-permissions", &[no, ("until", "x")], "There is a problem"),
        (&path, "users/change-permissions", &[("permissions[]", "x")], "There is a problem"),
    ] {
        let page = look_from(&mut ingrid, path, form, fields).await;
        page.is(422).says(words);
        assert!(page.title().starts_with("Error: "));
        assert_eq!(ingrid.cookie(COOKIE), None);
        if let Some((_, why)) = fields.iter().find(|(name, _)| *name == "why") {
            assert!(page.input("id=\"why\"").contains(why));
        }
    }

    // Nobody gives, or sees given, what they don't hold.
    let own = on(&app, &[ServicesView], &["Webshop"]).await;
    app.hold(AMIRA, [Terms::whole(set(&[AccountUsers])), own]).await;
    let mut amira = app.as_person(AMIRA).await;
    let (user, mail) = (app.id_of(BJORN).await, service_id(&app, "Order mail").await);
    let forged = [
        ("account", "100001"),
        ("user", &*user),
        ("permissions[]", "services.view"),
        ("services", "these"),
        ("service[]", &*mail),
        ("show", "look"),
    ];
    for (path, form) in [
        (&invite, "users/invite"),
        (&extra, "users/give-extra"),
        (&path, "users/change-permissions"),
    ] {
        let page = amira.post(path, form, &forged).await;
        page.is(403).says("“See services” on all that this is about");
        assert_eq!(amira.cookie(COOKIE), None);
    }
    // What somebody has that she can't give stays as it is, and isn't hers to see.
    let shop = service_id(&app, "Webshop").await;
    let fields = [("permissions[]", "services.view"), ("services", "these"), ("service[]", &shop)];
    let answer = look_from(&mut amira, &path, "users/change-permissions", &fields).await;
    let page = amira.go_on(&answer).await;
    page.is(200);
    assert!(navigates_to(&page, "/services") && !navigates_to(&page, "/billing"));
    amira.get(&format!("{BAKERY}/billing")).await.is(403);

    // A form that somebody else was faster than.
    let stale = ingrid.get(&path).await;
    app.hold(BJORN, [Terms::whole(set(&[BillingView]))]).await;
    let fields = [("permissions[]", "support.view"), ("show", "look")];
    let page = ingrid.fill_in(&stale, "users/change-permissions", &fields).await;
    page.is(409).says("Somebody else changed this");
    assert_eq!(ingrid.cookie(COOKIE), None);
}

#[apply(on_sqlite!)]
async fn a_draft_is_begun_by_whoever_could_save_it_and_belongs_to_them(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (path, invite) = (page_of(&app, BJORN).await, format!("{BAKERY}/users/invite"));
    let begin = async |browser: &mut Browser, person: DemoPerson, form: &str| {
        let (path, user) = (page_of(&app, person).await, app.id_of(person).await);
        let path = match form {
            "users/invite" => invite.clone(),
            "users/give-extra" => format!("{path}/extra/new"),
            _ => path,
        };
        let fields = [
            ("account", "100001"),
            ("user", user.as_str()),
            ("permissions[]", "billing.view"),
            ("show", "look"),
        ];
        let page = browser.post(&path, form, &fields).await;
        assert_eq!(browser.cookie(COOKIE).is_some(), page.status.as_u16() == 303);
        page.status.as_u16()
    };
    let forms = ["users/invite", "users/give-extra", "users/change-permissions"];
    for form in forms {
        let mut amira = app.as_person(AMIRA).await;
        for (browser, person, status) in [
            (&mut app.as_person(BJORN).await, AMIRA, 403),
            (&mut app.as_person(TOM).await, BJORN, 404),
            (&mut app.browser(), BJORN, 401),
            (&mut amira, BJORN, 303),
        ] {
            assert_eq!(begin(browser, person, form).await, status, "{form} {}", person.name);
        }
        amira.open_and_fill_in(BAKERY, "eyes/end", &[]).await.is(303);
        if form != "users/invite" {
            // One's own, an owner's, and somebody's who isn't in the account.
            for (person, status) in [(AMIRA, 409), (OLAV, 409), (TOM, 404)] {
                assert_eq!(begin(&mut amira, person, form).await, status, "{form}");
            }
        }
    }

    // It takes no fresh proof, as it changes nothing; what was typed is for its session alone.
    let mut ingrid = app.as_person(INGRID).await;
    app.forward_hours(3);
    let fields = [("permissions[]", "support.view"), ("why", "Only mine")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &fields).await.is(401);
    let answer = look_from(&mut ingrid, &path, "users/change-permissions", &fields).await;
    ingrid.go_on(&answer).await.says("You see this account as Bjørn Lie would");
    let (kept, page) = back(&mut ingrid).await;
    assert!(page.input("id=\"why\"").contains("value=\"Only mine\""));
    let elsewhere = format!("{invite}?{}", kept.split('?').nth(1).unwrap());
    assert!(!ingrid.get(&elsewhere).await.is(200).input("id=\"support.view\"").contains("checked"));
    for person in [INGRID, AMIRA] {
        let page = app.as_person(person).await.get(&kept).await;
        assert!(!page.is(200).body.contains("Only mine"));
    }
    for garbage in ["x", "%00", "', --", &"A".repeat(5000)] {
        ingrid.get(&format!("{path}?draft={garbage}").replace(' ', "%20")).await.is(200);
        let fields = [("account", "100001"), ("draft", garbage)];
        let answer = ingrid.post(BAKERY, "eyes/end", &fields).await;
        assert_eq!(answer.is(303).leads_to(), BAKERY);
    }
    app.forward_seconds(3600);
    let page = ingrid.get(&kept).await;
    assert!(!page.is(200).body.contains("Only mine"), "it isn't kept for longer");
}

#[apply(on_sqlite!)]
async fn a_look_with_a_draft_ends_as_any_and_leads_back_all_the_same(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let (path, fields) = (page_of(&app, BJORN).await, [("permissions[]", "support.view")]);
    look_from(&mut ingrid, &path, "users/change-permissions", &fields).await.is(303);
    let last = ingrid.get(BAKERY).await;
    app.forward_seconds(1800);
    let page = ingrid.get(BAKERY).await;
    assert!(!page.is(200).body.contains("eyes/end"), "half an hour is over");
    let answer = ingrid.fill_in(&last, "eyes/end", &[]).await;
    let page = ingrid.go_on(&answer).await;
    assert!(page.is(200).input("id=\"support.view\"").contains("checked"));

    // With the person's access.
    look_from(&mut ingrid, &path, "users/change-permissions", &fields).await.is(303);
    let mut olav = app.as_person(OLAV).await;
    olav.open_and_fill_in(&format!("{path}/remove"), "users/remove-access", &[]).await.is(303);
    let page = ingrid.get(BAKERY).await;
    assert!(!page.is(200).body.contains("eyes/end"));

    // What they would hold is nothing while it is paused.
    let path = page_of(&app, MEI).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let answer = look_from(&mut ingrid, &path, "users/change-permissions", &fields).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says("their access is paused, so nothing of it is open");
    ingrid.get(&format!("{BAKERY}/support")).await.is(403);
}
