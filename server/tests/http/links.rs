//! The provider's links on pages: who is led where, by whose permission, and what was said in support
//! requests.

use domain::demo::{BJORN, DemoPerson, INGRID, MEI};
use model::{Permission, PermissionSet, Reach, Terms};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use store::Service;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

use Permission::{
    AccountUsers, BillingPay, BillingView, DomainsManage, DomainsView, ServicesOrder,
    ServicesSignIn, ServicesView, SupportView,
};

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// The names of the buttons that lead to the provider's pages.
fn leading(page: &Page) -> Vec<String> {
    let links = page.body.split("href=\"https://example.com/").skip(1);
    let name = |link: &str| {
        let tag = link.split('>').next().unwrap();
        assert!(tag.contains("rel=\"noreferrer external\""), "{tag}");
        tag.split("aria-label=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    links.map(name).collect()
}

async fn on_page(browser: &mut Browser, end: &str) -> Vec<String> {
    let page = browser.get(&format!("{BAKERY}{end}")).await;
    page.is(200);
    leading(&page)
}

async fn service(app: &TestApp, name: &str) -> Service {
    app.services().await.into_iter().find(|service| service.name == name).unwrap()
}

async fn look(app: &TestApp, browser: &mut Browser, person: DemoPerson) {
    let page = format!("{BAKERY}/users/{}", app.id_of(person).await);
    browser.open_and_fill_in(&page, "eyes/begin", &[]).await.is(303);
}

/// Does this to the database, whichever it is.
async fn run(db_url: &str, statement: String) {
    let statement = AssertSqlSafe(statement);
    if db_url.starts_with("sqlite:") {
        SqliteConnection::connect(db_url).await.unwrap().execute(statement).await.unwrap();
    } else {
        PgConnection::connect(db_url).await.unwrap().execute(statement).await.unwrap();
    }
}

#[apply(on_sqlite!)]
async fn an_owner_is_led_to_all_that_the_provider_links_to(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    assert_eq!(
        on_page(&mut ingrid, "/services").await,
        [
            "Renew Old website",
            "Open Order mail",
            "Renew Order mail",
            "Open Recipe archive",
            "Renew Recipe archive",
            "Open Webshop",
            "Renew Webshop",
        ]
    );
    let shop = service(&app, "Webshop").await;
    let expected = ["Open Webshop", "Renew Webshop"];
    assert_eq!(on_page(&mut ingrid, &format!("/services/{}", shop.id)).await, expected);
    let domain = app.domains().await.remove(0);
    let renew = format!("Renew {}", domain.name);
    assert_eq!(
        on_page(&mut ingrid, &format!("/domains/{}", domain.id)).await,
        std::slice::from_ref(&renew)
    );
    assert!(on_page(&mut ingrid, "/domains").await.contains(&renew));
    // What is paid can't be paid again.
    assert_eq!(
        on_page(&mut ingrid, "/billing").await,
        [
            "Pay invoice 2026-1187",
            "PDF of invoice 2026-1187",
            "Pay invoice 2026-1042",
            "PDF of invoice 2026-1042",
            "PDF of invoice 2026-0911",
            "PDF of invoice 2026-0780",
            "PDF of invoice 2026-0655",
        ]
    );
    assert_eq!(
        on_page(&mut ingrid, "/support").await,
        ["Open request S-5031", "Open request S-4977", "Open request S-4820"]
    );
}

#[apply(on_sqlite!)]
async fn who_may_not_do_it_is_not_led_to_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let shop = service(&app, "Webshop").await;
    let of_shop = |permissions: &[Permission]| Terms {
        services: Reach::of(false, [shop.id]),
        domains: Reach::NOTHING,
        ..Terms::whole(set(permissions))
    };
    let mut mei = app.as_person(MEI).await;
    // Who sees all and signs in to one signs in to no more than one.
    app.hold(
        MEI,
        [
            Terms::whole(set(&[ServicesView, DomainsView, BillingView, SupportView])),
            of_shop(&[ServicesSignIn]),
        ],
    )
    .await;
    assert_eq!(on_page(&mut mei, "/services").await, ["Open Webshop"]);
    let mail = service(&app, "Order mail").await;
    for (id, expected) in [(shop.id, &["Open Webshop"][..]), (mail.id, &[])] {
        assert_eq!(on_page(&mut mei, &format!("/services/{id}")).await, expected);
    }
    assert!(on_page(&mut mei, "/domains").await.is_empty());
    let domain = app.domains().await.remove(0);
    assert!(on_page(&mut mei, &format!("/domains/{}", domain.id)).await.is_empty());
    let billing = on_page(&mut mei, "/billing").await;
    assert!(billing.len() == 5 && billing.iter().all(|name| name.starts_with("PDF of")));
    assert_eq!(on_page(&mut mei, "/support").await.len(), 3);
    // The answer to a script tells no more than the page.
    for page in ["services", "domains", "billing"] {
        let told = mei.get(&format!("/api/{page}/page?account=100001")).await;
        assert!(!told.is(200).body.contains("/pay/"), "{}", told.body);
        assert!(!told.body.contains("/renew/"), "{}", told.body);
        assert_eq!(told.body.matches("/open/").count(), usize::from(page == "services"));
    }
    app.hold(MEI, [of_shop(&[ServicesOrder]), Terms::whole(set(&[DomainsManage, BillingPay]))])
        .await;
    assert_eq!(on_page(&mut mei, "/services").await, ["Renew Webshop"]);
    assert_eq!(on_page(&mut mei, "/domains").await.len(), 4);
    assert_eq!(on_page(&mut mei, "/billing").await.len(), 7);
    mei.get(&format!("{BAKERY}/support")).await.is(403);
}

#[apply(on_sqlite!)]
async fn through_somebody_elses_eyes_no_button_leads_anywhere(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.hold(
        BJORN,
        [
            Terms::whole(set(&[ServicesSignIn, DomainsManage])),
            Terms::whole(set(&[BillingPay, SupportView, AccountUsers])),
        ],
    )
    .await;
    let mut ingrid = app.as_person(INGRID).await;
    look(&app, &mut ingrid, BJORN).await;
    for (end, name) in [
        ("/services", "Open Webshop"),
        ("/domains", "Renew nordlys.example"),
        ("/billing", "Pay invoice 2026-1187"),
        ("/support", "Open request S-5031"),
    ] {
        let page = ingrid.get(&format!("{BAKERY}{end}")).await;
        assert!(leading(page.is(200)).is_empty(), "{end}");
        let mut buttons =
            page.body.split("<button").skip(1).map(|one| one.split('>').next().unwrap());
        let label = format!("aria-label=\"{name}\"");
        let button = buttons.find(|button| button.contains(&label)).expect(name);
        assert!(button.contains("disabled") && button.contains("title="), "{button}");
        assert!(!page.body.contains("Renew Webshop"), "he may not");
    }
}

#[apply(on_sqlite!)]
async fn a_page_without_links_is_as_it_was(db: TestDatabase) {
    let app = TestApp::new(db).await;
    for (table, column) in [
        ("services", "open_link"),
        ("services", "renew_link"),
        ("domains", "renew_link"),
        ("invoices", "pay_link"),
        ("invoices", "pdf_link"),
        ("support_requests", "open_link"),
    ] {
        run(&app.db.url, format!("UPDATE {table} SET {column} = NULL")).await;
    }
    let mut ingrid = app.as_person(INGRID).await;
    for end in ["/services", "/domains", "/billing", "/support"] {
        let page = ingrid.get(&format!("{BAKERY}{end}")).await;
        assert!(!page.is(200).body.contains("cell-actions"), "{end}");
        assert!(!page.body.contains("Actions"), "{end}");
    }
}

#[apply(on_sqlite!)]
async fn what_was_said_in_a_support_request_is_read_in_its_order(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.account_of(INGRID).await;
    let requests = app.latchkey.store.support_requests(account, 9).await.unwrap();
    let request = requests.iter().find(|request| request.number == "S-5031").unwrap();
    let path = format!("{BAKERY}/support/{}", request.id);
    let mut ingrid = app.as_person(INGRID).await;
    let list = ingrid.get(&format!("{BAKERY}/support")).await;
    assert!(list.row_of("S-5031").contains(&format!("href=\"{path}\"")));
    let page = ingrid.get(&path).await;
    page.is(200).says("No messages yet.");
    assert_eq!(leading(&page), ["Open request S-5031"]);
    page.says("S-5031");

    let id = request.id;
    let is_sqlite = app.db.url.starts_with("sqlite:");
    let own = if is_sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") };
    for (number, at, by_provider, author, words) in [
        (2, 20, true, "Kari", "We look\n<b>into</b> it"),
        (1, 10, false, "Ingrid Solberg", "It is slow"),
        (3, 30, true, "", "Done"),
        (4, 40, false, "", "Thanks"),
    ] {
        let message = format!("{number:032x}");
        let message = if is_sqlite { format!("x'{message}'") } else { format!("'{message}'") };
        let insert = format!(
            "INSERT INTO support_messages (id, request_id, by_provider, author, words, at) \
             VALUES ({message}, {own}, {by_provider}, '{author}', '{words}', {at})"
        );
        run(&app.db.url, insert).await;
    }
    let page = ingrid.get(&path).await;
    let said = page.is(200).between("<ol class=\"messages\">", "</ol>");
    let places: Vec<_> = ["It is slow", "We look", "Done", "Thanks"]
        .into_iter()
        .map(|words| said.find(words).unwrap())
        .collect();
    assert!(places.is_sorted(), "{said}");
    for words in ["Ingrid Solberg", "Kari, Latchkey", "Latchkey", "Somebody from this account"] {
        page.says(words);
    }
    assert!(said.contains("&lt;b>into&lt;/b>") || said.contains("&lt;b&gt;into"), "{said}");

    // With the permission, and of this account.
    app.as_person(BJORN).await.get(&path).await.is(403);
    app.hold(BJORN, [Terms::whole(set(&[SupportView]))]).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&path).await.is(200).says("It is slow");
    for end in ["x", "00000000-0000-0000-0000-000000000001"] {
        ingrid.get(&format!("{BAKERY}/support/{end}")).await.is(404);
    }
    app.as_person(domain::demo::TOM).await.get(&path).await.is(404);
    let mut mei = app.as_person(MEI).await;
    let elsewhere = path.replace("100001", "100002");
    mei.get(&elsewhere).await.is(404);
}
