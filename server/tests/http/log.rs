//! The activity log and its export.

use domain::demo::{BJORN, INGRID};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_sqlite!)]
async fn every_change_stands_in_the_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.address = "198.51.100.7".into();
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/log")).await;
    page.is(200).says("Invitation sent: kari@nordlys.example");
    page.says("Offered: See invoices");
    page.says("198.51.100.7");
    page.says("Account set up");
    let page = ingrid.get(&format!("{BAKERY}/log?person=KARI&kind=")).await;
    page.says("kari@nordlys.example");
    assert!(!page.words().contains("Account set up 1"));
    let page = ingrid.get(&format!("{BAKERY}/log?kind=permissions.changed")).await;
    page.says("Permissions changed: Bjørn Lie");
    app.as_person(BJORN).await.get(&format!("{BAKERY}/log")).await.is(403);
}

#[apply(on_sqlite!)]
async fn that_somebody_becomes_an_owner_stands_in_the_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/log?person=olav&kind=")).await;
    page.is(200).says("Offered: Owner: full access");
    page.says("Granted: Owner: full access");
    let csv = ingrid.get(&format!("{BAKERY}/log.csv?person=olav&kind=")).await;
    csv.is(200);
    assert!(csv.body.contains(",invitation.accepted,Olav Solberg,owner,,"), "{}", csv.body);
}

#[apply(on_sqlite!)]
async fn a_person_is_looked_for_by_a_text_of_any_length(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for page in ["log", "log.csv"] {
        let long = "x".repeat(60_000);
        ingrid.get(&format!("{BAKERY}/{page}?kind=&person={long}")).await.is(200);
    }
}

#[apply(on_sqlite!)]
async fn the_export_is_csv_that_no_spreadsheet_runs(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let fields = [("full_name", "=HYPERLINK(\"https://evil.example\")"), ("language", "en")];
    ingrid.post("/profile", "profile/save", &fields).await.is(303);
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let csv = ingrid.get(&format!("{BAKERY}/log.csv?person=&kind=")).await;
    csv.is(200);
    assert!(csv.headers.get("content-type").unwrap().to_str().unwrap().starts_with("text/csv"));
    let row = csv.body.lines().find(|line| line.contains("kari@nordlys.example")).unwrap();
    assert!(row.contains("\"'=HYPERLINK(\"\"https://evil.example\"\")\""), "{row}");
    assert!(row.contains("invitation.sent") && row.contains("billing.view"), "{row}");
    let fields = [("full_name", "a;=1+1;b"), ("language", "en")];
    ingrid.post("/profile", "profile/save", &fields).await.is(303);
    ingrid.invite("mia@nordlys.example", &["billing.view"]).await.is(303);
    let csv = ingrid.get(&format!("{BAKERY}/log.csv?person=mia&kind=")).await;
    assert!(csv.body.contains(",a;'=1+1;b,"), "{}", csv.body);
    let page = app.as_person(BJORN).await.get(&format!("{BAKERY}/log.csv")).await;
    page.is(403).says("You don't have access to Activity log");
}

#[apply(on_sqlite!)]
async fn the_export_is_as_the_readers_spreadsheet_expects_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for (language, separator) in [("en", ','), ("de", ';'), ("nb", ';')] {
        let fields = [("full_name", "Berg; Ingrid, = B"), ("language", language)];
        ingrid.post("/profile", "profile/save", &fields).await.is(303);
        ingrid.invite(&format!("{language}@nordlys.example"), &["billing.view"]).await.is(303);
        let csv = ingrid.get(&format!("{BAKERY}/log.csv?person={language}@&kind=")).await;
        let file = csv.headers.get("content-disposition").unwrap().to_str().unwrap();
        assert!(file.contains("filename=\"activity-100001-2027-01-15.csv\""), "{file}");
        let text = csv.body.strip_prefix('\u{feff}').unwrap();
        assert!(text.starts_with(&format!("time (UTC){separator}who{separator}event")), "{text}");
        let row = text.split("\r\n").nth(1).unwrap();
        let start = format!(
            "2027-01-15 08:00:00{separator}\"Berg; Ingrid, '= B\"{separator}invitation.sent"
        );
        assert!(row.starts_with(&start), "{row}");
    }
}
