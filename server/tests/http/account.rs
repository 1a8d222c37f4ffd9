//! The account's own details.

use domain::demo::{BJORN, INGRID, OLAV};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_sqlite!)]
async fn a_stale_tab_overwrites_nobodys_change(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/account");
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let (hers, his) = (ingrid.get(&path).await, olav.get(&path).await);
    let details = |town| [("account_name", "Nordlys"), ("town", town)];
    // Sent twice it is done once, and the second time finds it done.
    for _ in 0..2 {
        let answer = olav.fill_in(&his, "account/change-details", &details("Tromsø")).await;
        olav.go_on(&answer).await.says("Changes saved");
    }
    let page = ingrid.fill_in(&hers, "account/change-details", &details("Bodø")).await;
    page.is(409).says("Somebody else changed this in the meantime");
    assert_eq!(page.hidden("town"), "Tromsø");
    assert_ne!(page.hidden("before"), hers.hidden("before"));
    assert_eq!(ingrid.get(&path).await.hidden("town"), "Tromsø");
}

#[apply(on_sqlite!)]
async fn a_form_without_a_time_zone_leaves_it_as_it_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/account");
    let (form, name) = ("account/change-details", ("account_name", "Nordlys"));
    let mut ingrid = app.as_person(INGRID).await;
    let oslo = [name, ("time_zone", "Europe/Oslo")];
    ingrid.open_and_fill_in(&path, form, &oslo).await.is(303);
    let unsaid = [("account", "100001"), ("account_name", "Nordlys Bakeri")];
    ingrid.post(&path, form, &unsaid).await.is(303);
    assert!(ingrid.get(&path).await.input("id=\"time_zone\"").contains("Europe/Oslo"));
    ingrid.open_and_fill_in(&path, form, &[name, ("time_zone", "")]).await.is(303);
    assert!(!ingrid.get(&path).await.input("id=\"time_zone\"").contains("Europe/Oslo"));
}

#[apply(on_sqlite!)]
async fn details_change_with_the_right_and_not_without(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/account");
    let details = [("account_name", "Nordlys Bakeri & Sønn"), ("town", "Tromsø")];
    let answer = ingrid.open_and_fill_in(&path, "account/change-details", &details).await;
    ingrid.go_on(&answer).await.is(200).says("Changes saved");
    ingrid.get(BAKERY).await.says("Nordlys Bakeri & Sønn");
    let empty = [("account_name", " ")];
    let page = ingrid.open_and_fill_in(&path, "account/change-details", &empty).await;
    page.is(422).says("Enter the account's name");
    let mut bjorn = app.as_person(BJORN).await;
    let forged = [("account", "100001"), ("account_name", "Bjørns"), ("town", "Tromsø")];
    bjorn.post(&path, "account/change-details", &forged).await.is(403);
}
