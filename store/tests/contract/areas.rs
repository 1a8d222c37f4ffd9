use model::{
    Access, Actor, Area, Cursor, Keys, Link, ListPlace, NamedBy, Permission, Reach, Scope, Terms,
    Through,
};
use store::{Domain, Invoice, Service, SupportRequest, ThingsStanding};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{Bakery, account, at, secret};

fn link(verb: &str) -> Option<Link> {
    Some(Link::from_stored(format!("https://x.example/{verb}")))
}

pub(crate) fn service(name: &str) -> Service {
    Service {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        plan: "Managed hosting M".to_owned(),
        state: "active".to_owned(),
        renews_at: at(100),
        login_name: "shop".to_owned(),
        login_password: secret("correct horse"),
        open_link: link("open"),
        renew_link: None,
        named_by: NamedBy::default(),
    }
}

pub(crate) fn domain(name: &str, locked: bool) -> Domain {
    let state = "active".to_owned();
    let (id, name, named_by) = (Uuid::new_v4(), name.to_owned(), NamedBy::default());
    let (expires_at, renew_link) = (at(7), link("renew"));
    Domain { id, name, state, expires_at, locked, renew_link, named_by }
}

/// An owner of an account.
fn owner(account: model::AccountId) -> Actor {
    Actor { user: Uuid::nil().into(), account, keys: Keys::Owner, at: at(0), eyes: None }
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
        pay_link: link("pay"),
        pdf_link: link("pdf"),
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
        open_link: link("answer"),
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
    let services = db.store.services(&owner(id), &Scope::All, &ListPlace::First, 9).await.unwrap();
    assert_eq!(format!("{services:?}"), format!("{:?}", [mail, shop]));
    assert_eq!(services[0].login_password.expose(), "correct horse");
    assert_eq!(
        db.store.services(&owner(id), &Scope::All, &ListPlace::First, 1).await.unwrap().len(),
        1
    );
}

#[apply(on_both!)]
async fn domains_come_by_name_as_they_were_added(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (open, locked) = (domain("b.example", false), domain("a.example", true));
    db.store.add_domain(id, &open).await.unwrap();
    db.store.add_domain(id, &locked).await.unwrap();
    let domains = db.store.domains(&owner(id), &Scope::All, &ListPlace::First, 9).await.unwrap();
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

#[apply(on_both!)]
async fn things_to_choose_from_are_found_by_name_behind_those_that_are_chosen(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let (other, _) = account(&db.store, "Agency").await;
    let names = ["Webshop", "Mail", "Shop 100%", "Shop 100 A", "Ærlig"];
    let services = names.map(service);
    for service in &services {
        db.store.add_service(id, service).await.unwrap();
    }
    let elsewhere = service("Webshop elsewhere");
    db.store.add_service(other, &elsewhere).await.unwrap();
    let ingrid = owner(id);
    let found = async |search: &str, first: &[Uuid], most: usize| -> Vec<String> {
        let first = first.iter().copied().collect();
        let (scope, area) = (Scope::All, Area::Services);
        let found = db.store.choices(&ingrid, &scope, area, search, &first, most).await.unwrap();
        found.into_iter().map(|thing| thing.name).collect()
    };
    assert_eq!(found("sHOP", &[], 9).await, ["Shop 100 A", "Shop 100%", "Webshop"]);
    assert_eq!(found(" 0% ", &[], 9).await, ["Shop 100%"]);
    assert_eq!(found("_", &[], 9).await, Vec::<String>::new());
    let chosen = [services[0].id, elsewhere.id];
    assert_eq!(found("mail", &chosen, 9).await, ["Webshop", "Mail"]);
    assert_eq!(found("", &chosen[..1], 1).await, ["Webshop", "Mail"]);
    let permissions = vec![Permission::ServicesView];
    let of_nobody = Through { user: Uuid::nil().into(), permissions, draft: None, at: at(0) };
    let none = Scope::Through(of_nobody);
    assert_eq!(db.store.count_things(&ingrid, &Scope::All, Area::Services).await, Ok(5));
    assert_eq!(db.store.count_things(&ingrid, &none, Area::Services).await, Ok(0));
    assert_eq!(db.store.count_things(&ingrid, &Scope::All, Area::Domains).await, Ok(0));
    let asked = [services[1].id, elsewhere.id, Uuid::nil()].into_iter().collect();
    let there = db.store.there(id, Area::Services, &asked).await.unwrap();
    assert_eq!(there.into_iter().collect::<Vec<_>>(), [services[1].id]);
    assert_eq!(db.store.time_zone(id).await, Ok(None));
}

fn names(services: &[Service]) -> Vec<&str> {
    services.iter().map(|service| service.name.as_str()).collect()
}

#[apply(on_both!)]
async fn things_come_in_pages_that_lie_side_by_side(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    let owner = owner(id);
    // Two of them have one name.
    for name in ["Archive", "Mail", "Mail", "Shop", "Wiki"] {
        db.store.add_service(id, &service(name)).await.unwrap();
        db.store.add_domain(id, &domain(&format!("{name}.example"), false)).await.unwrap();
    }
    let page =
        async |place: &ListPlace| db.store.services(&owner, &Scope::All, place, 2).await.unwrap();
    let cursor = |service: &Service| Cursor { key: service.name.clone(), id: service.id };
    let first = page(&ListPlace::First).await;
    let second = page(&ListPlace::After(cursor(&first[1]))).await;
    let third = page(&ListPlace::After(cursor(&second[1]))).await;
    assert_eq!((names(&first), names(&second)), (vec!["Archive", "Mail"], vec!["Mail", "Shop"]));
    assert_eq!(names(&third), ["Wiki"]);
    assert_ne!(first[1].id, second[0].id);
    let back = page(&ListPlace::Before(cursor(&third[0]))).await;
    assert_eq!(format!("{back:?}"), format!("{second:?}"));
    let back = page(&ListPlace::Before(cursor(&second[0]))).await;
    assert_eq!(format!("{back:?}"), format!("{first:?}"));
    assert!(page(&ListPlace::Before(cursor(&first[0]))).await.is_empty());
    let key = "Mail.example".to_owned();
    let after = ListPlace::After(Cursor { key, id: Uuid::max() });
    let domains = db.store.domains(&owner, &Scope::All, &after, 9).await.unwrap();
    let names: Vec<_> = domains.iter().map(|domain| domain.name.as_str()).collect();
    assert_eq!(names, ["Shop.example", "Wiki.example"]);
}

#[apply(on_both!)]
async fn how_things_stand_is_counted_of_those_in_reach(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let services = ["Archive", "Mail", "Shop"].map(service);
    for (place, one) in services.iter().enumerate() {
        let state = if place == 0 { "active" } else { "suspended" }.to_owned();
        db.store.add_service(bakery.id, &Service { state, ..one.clone() }).await.unwrap();
    }
    for (name, expires) in [("a.example", 7), ("b.example", 8)] {
        let domain = Domain { expires_at: at(expires), ..domain(name, true) };
        db.store.add_domain(bakery.id, &domain).await.unwrap();
    }
    let owner = owner(bakery.id);
    let standing = |all, trouble| ThingsStanding { all, trouble };
    let found = db.store.services_standing(&owner, &Scope::All).await.unwrap();
    assert_eq!(found, standing(3, 2));
    let found = db.store.domains_standing(&owner, &Scope::All, at(8)).await.unwrap();
    assert_eq!(found, standing(2, 1));
    let reach = Reach::of(false, [services[0].id, services[1].id]);
    let seeing = [Permission::ServicesView].into_iter().collect();
    let two = Terms { services: reach, ..Terms::whole(seeing) };
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(vec![two])).await;
    let mei = bakery.acting(mei, 1).await;
    let scope = mei.reach(Permission::ServicesView).unwrap();
    assert_eq!(db.store.services_standing(&mei, &scope).await, Ok(standing(2, 1)));
}
