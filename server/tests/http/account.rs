//! The account's own details.

use domain::demo::{BJORN, INGRID, OLAV};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_both!)]
async fn a_stale_tab_overwrites_nobodys_change(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let path = format!("{BAKERY}/account");
    let (mut ingrid, mut olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let before = ingrid.get(&path).await.hidden("before");
    let form = |town| {
        let before = before.as_str();
        [("account", "100001"), ("account_name", "Nordlys"), ("town", town), ("before", before)]
    };
    olav.submit(&path, "account/change-details", &form("Tromsø")).await.says("Changes saved");
    olav.submit(&path, "account/change-details", &form("Tromsø")).await.says("Changes saved");
    let page = ingrid.post(&path, "account/change-details", &form("Bodø")).await;
    page.is(409).says("Somebody else changed this in the meantime");
    assert_eq!(page.hidden("town"), "Tromsø");
    assert_ne!(page.hidden("before"), before);
    assert_eq!(ingrid.get(&path).await.hidden("town"), "Tromsø");
}

#[apply(on_both!)]
async fn details_change_with_the_right_and_not_without(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/account");
    let fields =
        [("account", "100001"), ("account_name", "Nordlys Bakeri & Sønn"), ("town", "Tromsø")];
    let page = ingrid.submit(&path, "account/change-details", &fields).await;
    page.is(200).says("Changes saved");
    ingrid.get(BAKERY).await.says("Nordlys Bakeri & Sønn");
    let empty = [("account", "100001"), ("account_name", " ")];
    let page = ingrid.post(&path, "account/change-details", &empty).await;
    page.is(422).says("Enter the account's name");
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.post(&path, "account/change-details", &fields).await.is(403);
}
