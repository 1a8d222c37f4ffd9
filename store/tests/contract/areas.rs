use store::{Domain, Invoice, Service, SupportRequest};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{account, at, secret};

fn service(name: &str) -> Service {
    Service {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        plan: "Managed hosting M".to_owned(),
        state: "active".to_owned(),
        renews_at: at(100),
        login_name: "shop".to_owned(),
        login_password: secret("correct horse"),
    }
}

fn domain(name: &str, locked: bool) -> Domain {
    let state = "active".to_owned();
    Domain { id: Uuid::new_v4(), name: name.to_owned(), state, expires_at: at(7), locked }
}

fn invoice(number: &str, issued: u64) -> Invoice {
    Invoice {
        id: Uuid::new_v4(),
        number: number.to_owned(),
        issued_at: at(issued),
        due_at: at(issued + 1),
        total_minor: 129_900,
        currency: "NOK".to_owned(),
        state: "open".to_owned(),
    }
}

fn request(number: &str, updated: u64) -> SupportRequest {
    SupportRequest {
        id: Uuid::new_v4(),
        number: number.to_owned(),
        subject: "Moving".to_owned(),
        state: "answered".to_owned(),
        opened_by: "Ingrid Berg".to_owned(),
        updated_at: at(updated),
    }
}

#[apply(on_both!)]
async fn services_come_by_name_as_they_were_added(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (other, _) = account(&db.store, "Agency").await;
    let (shop, mail) = (service("Webshop"), service("Mail"));
    db.store.add_service(id, &shop).await.unwrap();
    db.store.add_service(id, &mail).await.unwrap();
    db.store.add_service(other, &service("Else")).await.unwrap();
    let services = db.store.services(id, 9).await.unwrap();
    assert_eq!(format!("{services:?}"), format!("{:?}", [mail, shop]));
    assert_eq!(services[0].login_password.expose(), "correct horse");
    assert_eq!(db.store.services(id, 1).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn domains_come_by_name_as_they_were_added(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (open, locked) = (domain("b.example", false), domain("a.example", true));
    db.store.add_domain(id, &open).await.unwrap();
    db.store.add_domain(id, &locked).await.unwrap();
    let domains = db.store.domains(id, 9).await.unwrap();
    assert_eq!(format!("{domains:?}"), format!("{:?}", [locked, open]));
}

#[apply(on_both!)]
async fn invoices_come_newest_first_as_they_were_added(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (old, new) = (invoice("1", 10), invoice("2", 20));
    db.store.add_invoice(id, &old).await.unwrap();
    db.store.add_invoice(id, &new).await.unwrap();
    let invoices = db.store.invoices(id, 9).await.unwrap();
    assert_eq!(format!("{invoices:?}"), format!("{:?}", [new, old]));
}

#[apply(on_both!)]
async fn support_requests_come_last_touched_first_as_they_were_added(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (new, old) = (request("S-1", 20), request("S-2", 10));
    db.store.add_support_request(id, &new).await.unwrap();
    db.store.add_support_request(id, &old).await.unwrap();
    let requests = db.store.support_requests(id, 9).await.unwrap();
    assert_eq!(format!("{requests:?}"), format!("{:?}", [new, old]));
}
