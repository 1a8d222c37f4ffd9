use model::{
    Access, ActivityKind, Area, Cursor, ListPlace, Permission, PermissionSet, Reach, Scope, Terms,
    Through, Timestamp,
};
use store::{ActivityFilter, NewActivity, Reachable, UserSort};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{Bakery, account, at, change};

use Permission::{AccountUsers, DomainsView, ServicesManage, ServicesSignIn, ServicesView};

fn on(permission: Permission, services: &[Uuid], until: Option<Timestamp>) -> Terms {
    let services = Reach::of(false, services.iter().copied());
    let permissions: PermissionSet = [permission].into_iter().collect();
    Terms { services, domains: Reach::NOTHING, until, ..Terms::whole(permissions) }
}

fn whole(permission: Permission) -> Terms {
    Terms::whole([permission].into_iter().collect())
}

/// Who reaches this at a moment, each with the number of grants that open it.
async fn reaching(bakery: &Bakery, what: Reachable, seconds: u64) -> Vec<(String, usize)> {
    let found = bakery.store.reaching(bakery.id, what, None, 9, at(seconds)).await.unwrap();
    found.into_iter().map(|user| (user.member.full_name, user.through.len())).collect()
}

fn told(found: &[(String, usize)]) -> Vec<(&str, usize)> {
    found.iter().map(|(name, grants)| (name.as_str(), *grants)).collect()
}

#[apply(on_both!)]
async fn who_reaches_a_thing_owns_the_account_or_has_a_grant_that_opens_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop, mail] = ["Shop", "Mail"].map(service);
    for one in [&shop, &mail] {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let own = domain("bakery.example", true);
    db.store.add_domain(bakery.id, &own).await.unwrap();
    let held = |terms: &[Terms]| Access::Granted(terms.to_vec());
    let (shop_only, until) = (on(ServicesManage, &[shop.id], None), Some(at(10)));
    let mei = [shop_only, on(ServicesView, &[shop.id, mail.id], until), whole(AccountUsers)];
    bakery.with("Mei", "mei@example.com", held(&mei)).await;
    let amira = [on(ServicesSignIn, &[], None), whole(DomainsView)];
    bakery.with("Amira", "amira@example.com", held(&amira)).await;
    bakery.with("Tom", "tom@example.com", held(&[whole(ServicesView)])).await;
    let ingrid = db.store.owners(bakery.id, 9).await.unwrap().remove(0).full_name;
    let ingrid = ingrid.as_str();

    let found = reaching(&bakery, Reachable::Service(shop.id), 9).await;
    assert_eq!(told(&found), [(ingrid, 0), ("Mei", 2), ("Tom", 1)]);
    let found = reaching(&bakery, Reachable::Service(mail.id), 9).await;
    assert_eq!(told(&found), [(ingrid, 0), ("Mei", 1), ("Tom", 1)]);
    let found = reaching(&bakery, Reachable::Service(mail.id), 10).await;
    assert_eq!(told(&found), [(ingrid, 0), ("Tom", 1)]);
    let found = reaching(&bakery, Reachable::Domain(own.id), 9).await;
    assert_eq!(told(&found), [("Amira", 1), (ingrid, 0)]);
    let found = reaching(&bakery, Reachable::Permission(ServicesView), 9).await;
    assert_eq!(told(&found), [(ingrid, 0), ("Mei", 2), ("Tom", 1)]);
    let found = reaching(&bakery, Reachable::Permission(ServicesSignIn), 9).await;
    assert_eq!(told(&found), [(ingrid, 0)], "hers reaches nothing");
    let found = reaching(&bakery, Reachable::Permission(AccountUsers), 9).await;
    assert_eq!(told(&found), [(ingrid, 0), ("Mei", 1)]);

    let (agency, _) = account(&db.store, "Agency").await;
    let what = Reachable::Service(shop.id);
    let elsewhere = db.store.reaching(agency, what, None, 9, at(9)).await.unwrap();
    assert!(elsewhere.iter().all(|user| user.member.held.is_owner()));
    // A page begins after a row.
    let first = db.store.reaching(bakery.id, what, None, 2, at(9)).await.unwrap();
    let after = first[1].member.cursor(UserSort::Name);
    let second = db.store.reaching(bakery.id, what, Some(&after), 2, at(9)).await.unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].member.full_name, "Tom");
}

#[apply(on_both!)]
async fn what_two_scopes_open_is_named_and_counted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let services = ["Archive", "Mail", "Shop"].map(service);
    for one in &services {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let [archive, mail, shop] = services.map(|service| service.id);
    let mei = on(ServicesView, &[mail, shop], None);
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(vec![mei])).await;
    let amira = on(ServicesView, &[archive, mail], None);
    let amira = bakery.with("Amira", "amira@example.com", Access::Granted(vec![amira])).await;
    let [mei, amira] = [bakery.acting(mei, 1).await, bakery.acting(amira, 1).await]
        .map(|actor| actor.reach(ServicesView).unwrap());
    let Scope::Through(through) = mei.clone() else { panic!("all") };
    let nothing = Scope::Through(Through { permissions: Vec::new(), ..through });
    for (scopes, most, names, count) in [
        ([&Scope::All, &Scope::All], 2, &["Archive", "Mail"][..], 3),
        ([&Scope::All, &mei], 9, &["Mail", "Shop"], 2),
        ([&mei, &Scope::All], 9, &["Mail", "Shop"], 2),
        ([&mei, &amira], 9, &["Mail"], 1),
        ([&mei, &nothing], 9, &[][..], 0),
    ] {
        let found =
            db.store.reached_services(bakery.id, scopes, &ListPlace::First, most).await.unwrap();
        let named: Vec<_> = found.things.iter().map(|thing| thing.name.as_str()).collect();
        assert_eq!((&named[..], found.count), (names, count));
        let none =
            db.store.reached_domains(bakery.id, scopes, &ListPlace::First, most).await.unwrap();
        assert_eq!(none, store::ReachedThings::default());
    }
}

#[apply(on_both!)]
async fn a_row_of_the_log_holds_the_names_that_things_had(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let shop = service("Shop");
    db.store.add_service(bakery.id, &shop).await.unwrap();
    let held = Access::Granted(vec![on(ServicesView, &[shop.id, Uuid::new_v4()], None)]);
    let kind = ActivityKind::PermissionsChanged;
    let entry = NewActivity::by(Some(bakery.ingrid), "Ingrid", kind, "").after(&held);
    let change = store::MembershipChange { entry, ..change(Some(Access::Owner)) };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let decide = |_: &_| Ok(Some(change));
    db.store.change_membership(id, ingrid, ingrid, at(1), decide).await.unwrap();
    db.run("DELETE FROM services").await;
    let rows = db.store.activity(id, &ActivityFilter::default(), 1).await.unwrap();
    let noted = rows[0].entry.after.as_ref().unwrap();
    assert_eq!(noted.grants()[0].names(Area::Services), ["Shop"]);
}

#[apply(on_both!)]
async fn what_two_scopes_open_comes_in_pages(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let things = ["Archive", "Mail", "Shop"].map(|name| (service(name), domain(name, true)));
    for (service, domain) in &things {
        db.store.add_service(bakery.id, service).await.unwrap();
        db.store.add_domain(bakery.id, domain).await.unwrap();
    }
    let scopes = [&Scope::All, &Scope::All];
    let cursor = |thing: &store::Thing| Cursor { key: thing.name.clone(), id: thing.id };
    let page = async |place: ListPlace| {
        let found = db.store.reached_services(bakery.id, scopes, &place, 2).await.unwrap();
        let domains = db.store.reached_domains(bakery.id, scopes, &place, 2).await.unwrap();
        assert_eq!((found.count, domains.count), (3, 3));
        found.things
    };
    let first = page(ListPlace::First).await;
    let second = page(ListPlace::After(cursor(&first[1]))).await;
    let names = |things: &[store::Thing]| {
        things.iter().map(|thing| thing.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names(&first), names(&second)), ("Archive Mail".to_owned(), "Shop".to_owned()));
    assert_eq!(page(ListPlace::Before(cursor(&second[0]))).await, first);
    let none = ListPlace::After(cursor(&second[0]));
    let none = db.store.reached_services(bakery.id, scopes, &none, 2).await.unwrap();
    assert_eq!(none, store::ReachedThings::default());
}
