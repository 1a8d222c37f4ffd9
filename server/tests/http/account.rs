//! The account's own details.

use domain::demo::{BJORN, INGRID};
use test_database::on_both;

use crate::story::{BAKERY, TestApp};

on_both! {
    async fn details_change_with_the_right_and_not_without(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let mut ingrid = app.as_person(INGRID).await;
        let path = format!("{BAKERY}/account");
        let fields = [("account", "100001"), ("account_name", "Nordlys Bakeri & Sønn"), ("town", "Tromsø")];
        let page = ingrid.submit(&path, "account/change-details", &fields).await;
        page.is(200).says("Changes saved");
        ingrid.get(BAKERY).await.says("Nordlys Bakeri & Sønn");
        let empty = [("account", "100001"), ("account_name", " ")];
        let page = ingrid.post(&path, "account/change-details", &empty).await;
        page.is(422).says("Enter the account's name");
        let mut bjorn = app.as_person(BJORN).await;
        bjorn.post(&path, "account/change-details", &fields).await.is(403);
    }
}
