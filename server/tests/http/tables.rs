//! Tables: what names a table, its rows and its columns.

use domain::demo::INGRID;
use scraper::{Html, Selector};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

#[apply(on_sqlite!)]
async fn captions_are_headings_and_rows_have_headers(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let caption = Selector::parse("caption > h2").unwrap();
    let document = Html::parse_document(&page.body);
    let mut captions = document.select(&caption).map(|heading| heading.text().collect::<String>());
    assert!(captions.any(|caption| caption == "Users"));
    for path in ["users", "services", "domains", "billing", "support", "log"] {
        let page = ingrid.get(&format!("{BAKERY}/{path}")).await;
        let document = Html::parse_document(&page.body);
        let rows = Selector::parse("tbody tr:not(.rows-group)").unwrap();
        let first = Selector::parse("tr > :first-child").unwrap();
        let heads = document.select(&rows).map(|row| row.select(&first).next().unwrap());
        let heads: Vec<_> = heads.map(|cell| (cell.value().name(), cell.attr("scope"))).collect();
        assert!(!heads.is_empty(), "{path}");
        assert!(heads.iter().all(|head| *head == ("th", Some("row"))), "{path}: {heads:?}");
    }
}

#[apply(on_sqlite!)]
async fn the_name_of_a_column_of_sums_stands_above_them(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/billing")).await;
    let document = Html::parse_document(&page.body);
    let amounts = Selector::parse("thead th.amount").unwrap();
    let names: Vec<_> =
        document.select(&amounts).map(|head| head.text().collect::<String>()).collect();
    assert_eq!(names, ["Total"]);
}

#[apply(on_sqlite!)]
async fn a_domain_that_expires_soon_is_marked(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/domains")).await;
    assert!(page.row_of(">boller.example").contains("Expires in 18 days"), "{}", page.words());
    assert!(page.row_of(">nordlysbakeri.example").contains("Active"));
}
