//! User management.

use axum::body::Body;
use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV, TOM};
use http_body_util::BodyExt;
use test_database::{Kind, Line, TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, Page, TestApp, demo};

#[apply(on_sqlite!)]
async fn the_page_shows_users_and_pending_invitations(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.keep_all_mail().await;
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    page.is(200).says("Owners always have full access");
    page.says("Ingrid Solberg You");
    page.says("Services: see and manage · Billing: see · Account administration: manage users");
    page.says("post@ regnskap.example");
    page.says("Pending invitations");
}

#[apply(on_sqlite!)]
async fn without_the_administrator_right_the_page_says_what_is_missing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(BJORN).await;
    for path in ["users", "users/invite"] {
        let page = browser.get(&format!("{BAKERY}/{path}")).await;
        page.is(403).says("You don't have access to User management");
        page.says("Manage users and permissions");
        page.says("Ingrid Solberg");
        page.says("You can pay invoices");
        assert!(!page.words().contains("amira@nordlys.example"));
    }
    browser.invite("kari@nordlys.example", &["billing.view"]).await.is(403);
}

#[apply(on_sqlite!)]
async fn another_account_is_as_if_it_were_not_there(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.as_person(BJORN).await;
    let theirs = browser.get(&format!("{AGENCY}/users")).await;
    let nobodys = browser.get("/accounts/777777/users").await;
    theirs.is(404);
    assert_eq!(theirs.words().len(), nobodys.words().len());
    for path in ["/accounts/abc", "/accounts/0", "/accounts/-1", "/accounts/99999999999999999999"] {
        let page = browser.get(path).await;
        page.is(404).says("Page not found");
    }
}

#[apply(on_sqlite!)]
async fn a_user_of_another_account_cannot_be_managed_from_this_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let tom = app.id_of(TOM).await;
    let mut browser = app.as_person(INGRID).await;
    browser.get(&format!("{BAKERY}/users/{tom}")).await.is(404);
    browser.get(&format!("{BAKERY}/users/not-an-id")).await.is(404);
    let fields = [("account", "100001"), ("user", tom.as_str()), ("permissions[]", "billing.view")];
    let path = format!("{BAKERY}/users/{tom}");
    browser.post(&path, "users/change-permissions", &fields).await.is(404);
    let fields = [("account", "100002"), ("user", tom.as_str())];
    browser.post(&path, "users/remove-access", &fields).await.is(404);
    app.as_person(TOM).await.get(AGENCY).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_change_is_in_force_at_the_next_request_and_the_user_is_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/domains")).await.is(403).says("You don't have access to Domains");
    let id = app.id_of(BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{id}");
    let page = ingrid.get(&path).await;
    page.is(200).says("Manage access for Bjørn Lie");
    let domains = [("permissions[]", "domains.view")];
    let answer = ingrid.fill_in(&page, "users/change-permissions", &domains).await;
    let page = ingrid.go_on(&answer).await;
    page.is(200).says(
        "Changes saved. Bjørn Lie can now see domains, but no longer see invoices or pay invoices. \
         They get an email about it.",
    );
    bjorn.get(&format!("{BAKERY}/domains")).await.is(200);
    bjorn.get(&format!("{BAKERY}/billing")).await.is(403);
    assert_eq!(app.mails_to(BJORN.email).await.first(), Some(&"permissions_changed"));
    ingrid.get(&format!("{BAKERY}/users")).await.is(200);
}

#[apply(on_sqlite!)]
async fn what_the_mail_server_said_for_a_day_is_shown(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.keep_all_mail().await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.forward_hours(24);
    let mail = domain::mails::take(&app.latchkey).await.unwrap().unwrap();
    let reply = domain::mails::Reply::NotNow("451 4.7.1 Greylisted".to_owned());
    domain::mails::note(&app.latchkey, &mail, &reply).await.unwrap();
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    page.is(200).says("The mail server put it off for a day: “451 4.7.1 Greylisted”");
}

#[apply(on_sqlite!)]
async fn saving_says_for_whom_it_changed_what(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let webshop = app.services().await.into_iter().find(|service| service.name == "Webshop");
    let webshop = webshop.unwrap().id.to_string();
    let path = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    let mut ingrid = app.as_person(INGRID).await;
    let [view, manage, see, domains] =
        ["services.view", "services.manage", "domains.view", "domains.manage"]
            .map(|id| ("permissions[]", id));
    let these = [see, domains, view, ("services", "these"), ("service[]", &*webshop)];
    let until = [&these[..], &[("until", "2027-01-31")]].concat();
    let why = [&until[..], &[("why", "Until the relaunch")]].concat();
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[see, domains, view, manage],
            "Nothing was changed: Mei Tanaka has the same access as before.",
        ),
        (
            &these,
            "Mei Tanaka can no longer manage services. The access now covers 1 service. They get",
        ),
        (
            &until,
            "The access of Mei Tanaka was changed. The access now lasts until Sunday, 31 January. They",
        ),
        // A reason is between those who give.
        (&why, "Changes saved. The access of Mei Tanaka was changed. -- User management"),
        (
            &[see, domains, ("until", "")],
            "Mei Tanaka can no longer see services. The access no longer ends. They get",
        ),
        (
            &[see, domains, view, manage, ("services", "all")],
            "Mei Tanaka can now manage services. They get",
        ),
        (&[see, domains, view, manage], "Nothing was changed"),
    ];
    for (fields, words) in cases {
        app.forward_seconds(1);
        let answer = ingrid.open_and_fill_in(&path, "users/change-permissions", fields).await;
        ingrid.go_on(&answer).await.is(200).says(words);
    }

    // Of what is paused nothing is open yet, whatever is saved.
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    let answer = ingrid.open_and_fill_in(&path, "users/change-permissions", &these).await;
    ingrid.go_on(&answer).await.says("Changes saved. The access of Mei Tanaka was changed. They");
}

#[apply(on_sqlite!)]
async fn saving_says_so_in_the_readers_language(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let mut olav = app.as_person(OLAV).await;
    let cases = [
        (
            "nb",
            "domains.view",
            "Endringene er lagret. Bjørn Lie kan nå se domener, men ikke lenger se fakturaer eller \
             betale fakturaer. Personen får en e-post om det.",
        ),
        (
            "de",
            "billing.pay",
            "Änderungen gespeichert. Bjørn Lie kann jetzt Rechnungen bezahlen, aber nicht mehr \
             Domains sehen. Die Person erhält darüber eine E-Mail.",
        ),
    ];
    for (language, permission, words) in cases {
        let own = [("full_name", OLAV.name), ("language", language)];
        olav.open_and_fill_in("/profile", "profile/save", &own).await.is(303);
        let fields = [("permissions[]", permission)];
        let answer = olav.open_and_fill_in(&path, "users/change-permissions", &fields).await;
        olav.go_on(&answer).await.is(200).says(words);
    }
}

#[apply(on_sqlite!)]
async fn what_would_change_stands_beside_the_form_that_comes_back(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&path).await;
    assert!(!page.is(200).body.contains("data-unsaved=\"\""), "all is as it is saved");
    let fields = [
        ("permissions[]", "billing.view"),
        ("permissions[]", "services.view"),
        ("until", "1999-01-01"),
        ("why", "Books"),
    ];
    let page = ingrid.fill_in(&page, "users/change-permissions", &fields).await;
    page.is(422).says(
        "New: see services No longer: pay invoices Another end than before Another reason than before",
    );
    assert!(page.body.contains("data-unsaved=\"\""));
    assert!(page.body.contains("const lost=\"What you entered here will be lost."));
}

#[apply(on_sqlite!)]
async fn an_owners_access_and_ones_own_is_looked_at(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    let list = amira.get(&format!("{BAKERY}/users")).await;
    let cases = [
        (INGRID, "View access of Ingrid Solberg", "Access of Ingrid Solberg"),
        (AMIRA, "View your access", "Your access"),
        (BJORN, "Manage access for Bjørn Lie", "Manage access for Bjørn Lie"),
    ];
    for (person, label, heading) in cases {
        let row = list.is(200).row_of(person.name);
        assert!(row.contains(&format!("aria-label=\"{label}\"")), "{label} is missing in {row}");
        assert_eq!(
            row.matches("tabindex=\"-1\"").count(),
            1,
            "one stop, for the name leads there too"
        );
        let id = app.id_of(person).await;
        let page = amira.get(&format!("{BAKERY}/users/{id}")).await;
        assert_eq!(page.between("<h1><bdi>", "</bdi>"), heading);
    }
    let page = amira.get(&format!("{BAKERY}/users/{}", app.id_of(AMIRA).await)).await;
    page.is(200).says("You can't change your own access");
    let mut olav = app.as_person(OLAV).await;
    let own = olav.get(&format!("{BAKERY}/users/{}", app.id_of(OLAV).await)).await;
    own.is(200).says("You are an owner and always have full access.");
    own.says("Your activity");
    let having = olav.get(&format!("{BAKERY}/users/permissions/services.view")).await;
    let labels =
        ["View access of Ingrid Solberg", "View your access", "Manage access for Mei Tanaka"];
    for label in labels {
        assert!(having.is(200).body.contains(&format!("aria-label=\"{label}\"")), "{label}");
    }
}

#[apply(on_sqlite!)]
async fn a_change_made_through_one_node_is_in_force_on_another_at_the_next_request(
    db: TestDatabase,
) {
    let url = db.url.clone();
    let one = TestApp::new(db).await;
    let other = one.another_node(&url).await;
    let id = one.id_of(BJORN).await;
    let (mut ingrid, bjorn) = (one.as_person(INGRID).await, one.as_person(BJORN).await);
    let mut bjorn = bjorn.at(&other);
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    let path = format!("{BAKERY}/users/{id}");
    let domains = [("permissions[]", "domains.view")];
    let answer = ingrid.open_and_fill_in(&path, "users/change-permissions", &domains).await;
    ingrid.go_on(&answer).await.says("Changes saved");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(403);
    bjorn.get(&format!("{BAKERY}/domains")).await.is(200);
    let remove = format!("{path}/remove");
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    bjorn.get(BAKERY).await.is(404);
    bjorn.post("/sign-out", "sign-out", &[]).await.is(303);
    bjorn.at(&one.router()).get("/profile").await.is(302);
}

#[apply(on_sqlite!)]
async fn a_stale_tab_overwrites_nobodys_change(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{id}");
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let (hers, his) = (ingrid.get(&path).await, olav.get(&path).await);
    assert_eq!(hers.hidden("before"), "billing.view billing.pay");
    let (domains, details) =
        ([("permissions[]", "domains.view")], [("permissions[]", "billing.details")]);
    // Sent twice it is done once, and the second time finds it done.
    let done = [
        "Changes saved. Bjørn Lie can now see domains",
        "Nothing was changed: Bjørn Lie has the same access as before.",
    ];
    for words in done {
        let answer = olav.fill_in(&his, "users/change-permissions", &domains).await;
        olav.go_on(&answer).await.is(200).says(words);
    }
    let page = ingrid.fill_in(&hers, "users/change-permissions", &details).await;
    page.is(409).says("Somebody else changed this in the meantime");
    assert_eq!(page.hidden("before"), "domains.view");
    let ticked = |id: &str| page.input(&format!("id=\"{id}\"")).contains("checked");
    assert!(ticked("domains.view") && !ticked("billing.details") && !ticked("billing.pay"));
    app.as_person(BJORN).await.get(&format!("{BAKERY}/domains")).await.is(200);
    let log = ingrid.get(&format!("{BAKERY}/log?person=Olav&kind=permissions.changed")).await;
    assert_eq!(log.words().matches("Permissions changed: Bjørn Lie").count(), 1);
    let answer = ingrid.fill_in(&page, "users/change-permissions", &details).await;
    ingrid.go_on(&answer).await.says("Changes saved");
}

#[apply(on_sqlite!)]
async fn removed_access_is_gone_at_the_next_request_and_the_user_is_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let id = app.id_of(BJORN).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{id}/remove");
    let page = ingrid.get(&path).await;
    page.is(200).says("Remove access for Bjørn Lie?");
    let answer = ingrid.fill_in(&page, "users/remove-access", &[]).await;
    ingrid.go_on(&answer).await.is(200).says("Access removed for Bjørn Lie");
    bjorn.get(BAKERY).await.is(404);
    assert_eq!(app.mails_to(BJORN.email).await.first(), Some(&"access_removed"));
    // A second click finds nobody there any more.
    ingrid.fill_in(&page, "users/remove-access", &[]).await.is(404);
}

#[apply(on_sqlite!)]
async fn removing_begins_at_the_row_and_at_the_head_and_says_what_is_lost(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let asks = format!("action=\"{path}/remove\" data-asks");
    for person in [INGRID, AMIRA] {
        let mut browser = app.as_person(person).await;
        let list = browser.get(&format!("{BAKERY}/users")).await;
        let row = list.is(200).row_of(BJORN.name);
        assert!(row.contains(&asks) && row.contains("aria-label=\"Remove access for Bjørn Lie\""));
        for stays in [person, OLAV] {
            assert!(!list.row_of(stays.name).contains("/remove"), "{}", stays.name);
        }
        let page = browser.get(&path).await;
        assert_eq!(page.is(200).body.matches(&asks).count(), 1);
        assert!(page.body.find(&asks) < page.body.find("id=\"permissions\""), "it is at the head");
        for (stays, id) in [(person, app.id_of(person).await), (OLAV, app.id_of(OLAV).await)] {
            let page = browser.get(&format!("{BAKERY}/users/{id}")).await;
            assert!(!page.is(200).body.contains("/remove\""), "{}", stays.name);
        }
        let page = browser.get(&format!("{path}/remove")).await;
        page.is(200).says("This is what they lose: Billing: see and pay");
    }
}

#[apply(on_sqlite!)]
async fn the_links_of_both_tables_keep_what_was_chosen(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let later = "00000000-0000-7000-8000-000000000000~A";
    let chosen = format!("search=e&after={later}&pending_after={later}");
    let page = ingrid.get(&format!("{BAKERY}/users?{chosen}")).await;
    let leads = |page: &Page, query: &str, words: &str| {
        let href = format!("href=\"{BAKERY}/users?{}\"", query.replace('&', "&amp;"));
        let mut links = page.body.split("<a ").filter(|link| link.contains(words));
        assert!(links.any(|link| link.contains(&href)), "{words} doesn't lead to {query}");
    };
    leads(&page, &format!("search=e&after={later}"), "First page");
    let mut back = page.body.split("<a ").filter(|link| link.contains("Previous page"));
    let back = back.next().unwrap();
    assert!(back.contains("search=e&amp;before="), "{back}");
    assert!(back.contains(&format!("&amp;pending_after={later}")), "{back}");
    leads(&page, &format!("pending_after={later}"), "Show everybody");
    let page = ingrid.get(&format!("{BAKERY}/users?search=e&sort=activity")).await;
    leads(&page, "sort=activity", "Show everybody");
    let chosen = "search=e&access=owner&second_factor=off&last_active=not_30";
    let page = ingrid.get(&format!("{BAKERY}/users?{chosen}&sort=activity")).await;
    leads(&page, chosen, "By name");
    leads(&page, "sort=activity", "Show everybody");
    assert!(page.body.contains("type=\"hidden\" name=\"sort\" value=\"activity\""));
}

#[apply(on_sqlite!)]
async fn who_can_pay_is_answered_and_counted(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    page.is(200).says("5 users");
    let page = ingrid.get(&format!("{BAKERY}/users?access=billing.pay")).await;
    page.is(200).says("Ingrid Solberg");
    page.says("Bjørn Lie");
    assert!(!page.words().contains("Mei Tanaka"), "she sees invoices, and pays none");
    assert!(page.body.contains("<option value=\"billing.pay\" selected"));
    let page = ingrid.get(&format!("{BAKERY}/users?access=owner")).await;
    page.says("2 users found");
    let page = ingrid.get(&format!("{BAKERY}/users?access=paused&second_factor=on")).await;
    page.is(200).says("0 users found");
    page.says("Nobody here fits what you chose.");
    page.says("Show everybody");
    // What there isn't to choose isn't chosen.
    let page = ingrid.get(&format!("{BAKERY}/users?access=%00&last_active=-1")).await;
    page.is(200).says("5 users");
}

#[apply(on_sqlite!)]
async fn the_users_are_a_file_that_no_spreadsheet_runs(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let csv = ingrid.get(&format!("{BAKERY}/users.csv")).await;
    let file = csv.is(200).headers.get("content-disposition").unwrap().to_str().unwrap();
    assert!(file.contains("filename=\"users-100001-2027-01-15.csv\""), "{file}");
    let text = csv.body.strip_prefix('\u{feff}').unwrap();
    let head = "name,email,access,services,domains,until (UTC),paused since (UTC),second factor,\
                since (UTC),invited by,last active (UTC),becomes an owner (UTC),successor";
    assert_eq!(text.lines().next(), Some(head));
    let row = text.lines().find(|row| row.contains("bjorn@")).unwrap();
    let whole = "Bjørn Lie,bjorn@ledger.example,billing.view billing.pay,,,,,off,\
                 2027-01-15 08:00:00,Ingrid Solberg,,,";
    assert_eq!(row, whole);
    let row = text.lines().find(|row| row.contains("ingrid@")).unwrap();
    assert!(row.contains(",owner,,,,,"), "{row}");
    let paying = ingrid.get(&format!("{BAKERY}/users.csv?access=billing.pay&search=bj")).await;
    assert_eq!(paying.body.lines().count(), 2, "{}", paying.body);
    let fields = [("full_name", "=HYPERLINK(\"https://evil.example\")"), ("language", "en")];
    ingrid.post("/profile", "profile/save", &fields).await.is(303);
    let csv = ingrid.get(&format!("{BAKERY}/users.csv")).await;
    assert!(csv.body.contains("\"'=HYPERLINK(\"\"https://evil.example\"\")\""), "{}", csv.body);
    let page = app.as_person(BJORN).await.get(&format!("{BAKERY}/users.csv")).await;
    page.is(403).says("You don't have access to User management");
    app.browser().get(&format!("{BAKERY}/users.csv")).await.is(302);
}

#[apply(on_sqlite!)]
async fn what_an_invitation_offers_is_chosen_anew_in_its_form(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let first = app.invitation_link("kari@nordlys.example").await;
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = page.row_of("kari@");
    assert!(row.contains("Change permissions for kari@nordlys.example"), "{row}");
    let form = format!("{BAKERY}/users/invite?again=");
    let again = row.split(&form).nth(1).unwrap().split('"').next().unwrap();
    let page = ingrid.get(&format!("{form}{again}")).await;
    page.is(200).says("Change the invitation to kari@nordlys.example");
    assert!(page.input("id=\"email\"").contains("readonly"));
    assert!(page.input("id=\"billing.view\"").contains("checked"));
    assert!(!page.input("id=\"billing.pay\"").contains("checked"));
    let email = ("email", "kari@nordlys.example");
    let chosen = [email, ("permissions[]", "support.view")];
    let answer = ingrid.open_and_fill_in(&format!("{form}{again}"), "users/invite", &chosen).await;
    ingrid.go_on(&answer).await.says("kari@nordlys.example");
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    assert_eq!(page.body.matches("Cancel invitation to kari@").count(), 1);
    assert!(page.row_of("kari@").contains("Support requests: see"), "{}", page.row_of("kari@"));
    app.browser().get(&first).await.says("There is a newer invitation");
    let id = ("again", again);
    let account = ("account", "100001");
    let outdated = [account, id, email, ("before", "x"), ("permissions[]", "billing.pay")];
    let page = ingrid.post(&format!("{BAKERY}/users/invite"), "users/invite", &outdated).await;
    page.is(409).says("Change the invitation to kari@nordlys.example");
    let cancel = [account, ("invitation", again)];
    let path = format!("{BAKERY}/invitations/{again}/cancel");
    ingrid.post(&path, "users/cancel", &cancel).await.is(303);
    let again_once_more = [account, id, email, ("permissions[]", "billing.pay")];
    let path = format!("{BAKERY}/users/invite");
    let page = ingrid.post(&path, "users/invite", &again_once_more).await;
    page.is(409).says("The invitation was cancelled already");
    assert!(page.input("id=\"billing.pay\"").contains("checked"), "what was ticked is kept");
    let mails = app.mails_to("kari@nordlys.example").await;
    assert_eq!(mails.len(), 1, "the second one's mail went with it, and nothing was sent anew");
    for nothing in ["00000000-0000-7000-8000-000000000000", "%00", "x"] {
        ingrid.get(&format!("{form}{nothing}")).await.is(404);
    }
    let page = app.as_person(MEI).await.get(&format!("{AGENCY}/users/invite?again={again}")).await;
    page.is(404);
}

#[apply(on_sqlite!)]
async fn of_an_invitation_the_worst_is_said(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.keep_all_mail().await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.keep_all_mail().await;
    let states = async |ingrid: &mut crate::story::Browser| {
        let page = ingrid.get(&format!("{BAKERY}/users")).await;
        let row = page.row_of("kari@").to_owned();
        (row.matches("class=\"state").count(), row)
    };
    let (count, row) = states(&mut ingrid).await;
    assert!(count == 2 && row.contains("Sent") && row.contains("Expires"), "{row}");
    app.forward_hours(30 * 24);
    let mut ingrid = app.as_person(INGRID).await;
    let (count, row) = states(&mut ingrid).await;
    assert!(count == 1 && row.contains("Expired"), "{row}");
}

#[apply(on_sqlite!)]
async fn somebody_is_found_by_any_part_of_their_address(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for search in ["ledger.example", "@ledger", "bjorn@ledger.example", "Lie,+Bj%C3%B8rn"] {
        let page = ingrid.get(&format!("{BAKERY}/users?search={search}")).await;
        page.is(200).says("Bjørn Lie");
        assert!(!page.words().contains("Mei Tanaka"), "{search}");
    }
}

#[apply(on_sqlite!)]
async fn unticking_what_is_implied_takes_what_implies_it_without_a_script(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{id}");
    let mut ingrid = app.as_person(INGRID).await;
    let mut bjorn = app.as_person(BJORN).await;
    let paying = [("permissions[]", "billing.pay"), ("permissions[]", "services.view")];
    let page = ingrid.open_and_fill_in(&path, "users/change-permissions", &paying[..1]).await;
    page.is(422).says("Choose at least one permission, or remove this person's access");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(200);
    let answer = ingrid.open_and_fill_in(&path, "users/change-permissions", &paying).await;
    ingrid.go_on(&answer).await.says("Changes saved");
    bjorn.get(&format!("{BAKERY}/billing")).await.is(403);
    bjorn.get(&format!("{BAKERY}/services")).await.is(200);
}

#[apply(on_sqlite!)]
async fn the_fresh_link_is_copied_from_the_notice(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let button = "Copy link for kari@nordlys.example";
    assert_eq!(page.body.matches(&format!("aria-label=\"{button}\"")).count(), 1);
    assert!(!page.row_of("kari@").contains(button));
    assert!(page.body.contains("Link for kari@nordlys.example"), "the field is there too");
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!page.body.contains(button), "only in the moment after sending");
}

#[apply(on_sqlite!)]
async fn nothing_ticked_is_a_field_error(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{id}");
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.open_and_fill_in(&path, "users/change-permissions", &[]).await;
    page.is(422).says("Choose at least one permission, or remove this person's access");
}

#[apply(on_sqlite!)]
async fn an_administrator_grants_no_more_than_they_hold(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let id = app.id_of(BJORN).await;
    let mut amira = app.as_person(AMIRA).await;
    let path = format!("{BAKERY}/users/{id}");
    let fields = [("account", "100001"), ("user", id.as_str()), ("permissions[]", "domains.view")];
    let page = amira.post(&path, "users/change-permissions", &fields).await;
    page.is(403).says("See domains");
    let page = amira.invite("kari@nordlys.example", &["billing.pay"]).await;
    page.is(403).says("Pay invoices");
    assert!(page.body.contains("value=\"kari@nordlys.example\""), "what was typed stays");
    // What she can't tick, she can't take either.
    let services = [("permissions[]", "services.view")];
    let answer = amira.open_and_fill_in(&path, "users/change-permissions", &services).await;
    amira.go_on(&answer).await.says("Changes saved");
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/users/{id}")).await.is(403).says("pay invoices");
}

#[apply(on_sqlite!)]
async fn nobody_touches_an_owner_or_their_own_permissions(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (olav, amira_id) = (app.id_of(OLAV).await, app.id_of(AMIRA).await);
    for person in [INGRID, AMIRA] {
        let mut browser = app.as_person(person).await;
        let path = format!("{BAKERY}/users/{olav}");
        browser.get(&path).await.is(200).says("always has full access");
        let fields =
            [("account", "100001"), ("user", olav.as_str()), ("permissions[]", "billing.view")];
        browser.post(&path, "users/change-permissions", &fields).await.is(409);
        browser.post(&format!("{path}/remove"), "users/remove-access", &fields[..2]).await.is(409);
    }
    let path = format!("{BAKERY}/users/{amira_id}");
    let fields =
        [("account", "100001"), ("user", amira_id.as_str()), ("permissions[]", "account.users")];
    let mut amira = app.as_person(AMIRA).await;
    amira.post(&path, "users/change-permissions", &fields).await.is(409);
    app.as_person(OLAV).await.get(&format!("{BAKERY}/log")).await.is(200);
}

#[apply(on_sqlite!)]
async fn anybody_but_the_last_owner_may_leave(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut olav = app.as_person(OLAV).await;
    let path = format!("{BAKERY}/leave");
    olav.open_and_fill_in(&path, "account/leave", &[]).await.is(303);
    olav.get(BAKERY).await.is(404);
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.open_and_fill_in(&path, "account/leave", &[]).await.is(303);
    bjorn.get(BAKERY).await.is(404);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(&path).await.says("You are the only owner");
    let page = ingrid.post(&path, "account/leave", &[("account", "100001")]).await;
    page.is(409).says("You are the only owner");
    ingrid.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn an_area_is_open_with_its_permission_and_closed_without(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let cases = [
        (
            MEI,
            ["services", "domains"].as_slice(),
            ["billing", "support", "account", "log"].as_slice(),
        ),
        (BJORN, &["billing"], &["services", "domains", "support", "account", "log", "users"]),
    ];
    for (person, open, closed) in cases {
        let mut browser = app.as_person(person).await;
        let overview = browser.get(BAKERY).await;
        for area in open {
            browser.get(&format!("{BAKERY}/{area}")).await.is(200);
            assert!(overview.body.contains(&format!("href=\"{BAKERY}/{area}\"")), "{area}");
        }
        for area in closed {
            let page = browser.get(&format!("{BAKERY}/{area}")).await;
            page.is(403).says("You don't have access to");
        }
    }
    // Service passwords are a right of their own.
    let page = app.as_person(MEI).await.get(&format!("{BAKERY}/services")).await;
    assert!(!page.words().contains("nordlys-shop"));
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/services")).await;
    page.says("nordlys-shop");
}

#[apply(on_sqlite!)]
async fn searching_and_paging_find_everybody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let account = app.account_of(INGRID).await;
    for n in 0..40 {
        app.add_user(account, &format!("person{n}@many.example"), &format!("Person {n:02}")).await;
    }
    let first = ingrid.get(&format!("{BAKERY}/users")).await;
    first.is(200).says("Next page");
    let next = first.body.split("rel=\"next\"").next().unwrap();
    let next = next.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    let second = ingrid.get(&next.replace("&amp;", "&")).await;
    second.is(200).says("Previous page");
    second.says("users");
    for n in 0..40 {
        let name = format!("Person {n:02} ");
        let (one, other) = (first.words().contains(&name), second.words().contains(&name));
        assert!(one != other, "{name} stands on one page");
    }
    let back = second.body.split("rel=\"prev\"").next().unwrap();
    let back = back.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    let back = ingrid.get(&back.replace("&amp;", "&")).await;
    let names = |page: &Page| page.between("<table", "</table>");
    assert_eq!(names(&back), names(&first), "the page before is the one that it was");
    assert!(!back.words().contains("Previous page"));
    let found = ingrid.get(&format!("{BAKERY}/users?search=person37")).await;
    found.says("Person 37");
    assert!(!found.words().contains("Person 36"));
    let found = ingrid.get(&format!("{BAKERY}/users?search=%3Cscript%3E")).await;
    found.is(200).says("Nobody here has “<script>”");
    assert!(!found.body.contains("<script>”"));
}

#[apply(on_sqlite!)]
async fn a_file_that_is_under_way_ends_with_the_right_to_see_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.account_of(INGRID).await;
    for n in 0..510 {
        app.add_user(account, &format!("person{n}@many.example"), &format!("Person {n:03}")).await;
    }
    let file = || axum::http::Request::get(format!("{BAKERY}/users.csv")).body(Body::empty());
    let mut amira = app.as_person(AMIRA).await;
    let whole = amira.send(file().unwrap()).await;
    assert_eq!(whole.is(200).body.matches("@many.example").count(), 510);
    let mut body = amira.response_to(file().unwrap()).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    let told = first.matches("@many.example").count();
    assert!(told > 0 && told < 510, "{told}");
    let billing = [model::Permission::BillingView].into_iter().collect();
    app.hold(AMIRA, [model::Terms::whole(billing)]).await;
    assert!(body.frame().await.unwrap().is_err(), "it broke off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_management_is_on_its_way_to_postgres_four_times_at_most() {
    let app = TestApp::new(demo(Kind::Postgres).await).await;
    let line = Line::to(&app.db.url).await;
    let node = app.another_node(&line.url).await;
    let mut mei = app.as_person(MEI).await.at(&node);
    let path = format!("{AGENCY}/users");
    // Statements are prepared, and the visit is noted.
    for _ in 0..3 {
        mei.get(&path).await.is(200);
    }
    let begun = line.asked();
    mei.get(&path).await.is(200);
    // Whoever is signed in, what they may do in the account, what there is, and the list.
    let asked = line.asked() - begun;
    assert!(asked <= 4, "{asked} times");
}
