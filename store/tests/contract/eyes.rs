use std::collections::BTreeSet;

use model::{
    Access, Actor, Area, Eyes, Failure, Keys, NamedBy, On, Permission, PermissionSet, Reach,
    SessionId, Terms, UserId,
};
use store::NewEyes;
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{Bakery, DAY, HOUR, account, at, change, granted, new_session, token};

use Permission::{AccountUsers, BillingPay, DomainsView, ServicesManage, ServicesView};

/// A session of Ingrid's, whose token has this number.
async fn session(bakery: &Bakery, number: u8) -> SessionId {
    let (store, ingrid) = (&bakery.store, bakery.ingrid);
    store.begin_session(ingrid, &new_session(number), None, at(0)).await.unwrap();
    store.session(&token(number), HOUR, DAY, at(0)).await.unwrap().unwrap().session
}

/// Has a session look through somebody's eyes for half an hour, with this token.
async fn look(
    bakery: &Bakery,
    session: SessionId,
    target: UserId,
    number: u8,
) -> Result<(), Failure> {
    let new = NewEyes { session, token_hash: token(number), expires_at: at(1800) };
    let (account, ingrid) = (bakery.id, bakery.ingrid);
    bakery.store.begin_eyes(account, ingrid, target, new, at(0), |_| Ok(())).await
}

/// Whose eyes those are, and what is open to them.
async fn seen(
    bakery: &Bakery,
    session: SessionId,
    number: u8,
    seconds: u64,
) -> Option<(String, PermissionSet)> {
    let found = bakery.store.eyes(session, &token(number), bakery.id, at(seconds)).await.unwrap();
    found.map(|found| (found.full_name, found.eyes.keys.open()))
}

#[apply(on_both!)]
async fn a_look_belongs_to_one_session_browser_and_account_for_a_time(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let access = granted(&[BillingPay]);
    let amira = bakery.with("Amira", "amira@example.com", access.clone()).await;
    let (own, other) = (session(&bakery, 1).await, session(&bakery, 2).await);
    assert_eq!(seen(&bakery, own, 7, 0).await, None);
    look(&bakery, own, amira, 7).await.unwrap();
    let open = Some(("Amira".to_owned(), access.permissions()));
    assert_eq!(seen(&bakery, own, 7, 1799).await, open);
    assert_eq!(seen(&bakery, own, 7, 1800).await, None, "over");
    assert_eq!(seen(&bakery, own, 8, 1).await, None, "another token");
    assert_eq!(seen(&bakery, other, 7, 1).await, None, "another session");
    let (agency, _) = account(&db.store, "Agency").await;
    let elsewhere = db.store.eyes(own, &token(7), agency, at(1)).await;
    assert_eq!(elsewhere, Ok(None));

    // One pair of eyes at a time.
    look(&bakery, own, bakery.with("Mei", "mei@example.com", Access::Owner).await, 9)
        .await
        .unwrap();
    assert_eq!(seen(&bakery, own, 7, 1).await, None);
    let everything = Some(("Mei".to_owned(), PermissionSet::all()));
    assert_eq!(seen(&bakery, own, 9, 1).await, everything);
    look(&bakery, other, amira, 7).await.unwrap();
    db.store.end_eyes(own).await.unwrap();
    assert_eq!(seen(&bakery, own, 9, 1).await, None);
    assert_eq!(seen(&bakery, other, 7, 1).await, open);
    assert_eq!(db.store.sweep(DAY, DAY, at(1799)).await, Ok(0));
    assert_eq!(db.store.sweep(DAY, DAY, at(1800)).await, Ok(1));
}

#[apply(on_both!)]
async fn a_look_ends_with_its_session_and_with_the_access_that_it_looks_by(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let amira = bakery.with("Amira", "amira@example.com", granted(&[BillingPay])).await;
    let own = session(&bakery, 1).await;
    look(&bakery, own, amira, 7).await.unwrap();
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let decide = |_: &_| Ok(Some(change(None)));
    db.store.change_membership(id, ingrid, amira, at(1), decide).await.unwrap();
    assert_eq!(seen(&bakery, own, 7, 1).await, None);
    assert_eq!(look(&bakery, own, amira, 7).await, Err(Failure::NotFound));

    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    look(&bakery, own, mei, 7).await.unwrap();
    db.store.end_session(&token(1)).await.unwrap();
    assert_eq!(seen(&bakery, own, 7, 1).await, None);
    assert_eq!(look(&bakery, own, mei, 7).await, Err(Failure::SignedOut));

    // Nor does it come back with a copy of the database.
    let own = session(&bakery, 2).await;
    look(&bakery, own, mei, 7).await.unwrap();
    db.store.settle(false, at(1)).await.unwrap();
    assert_eq!(seen(&bakery, own, 7, 1).await, None);
}

#[apply(on_both!)]
async fn whose_access_is_paused_sees_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let amira = bakery.with("Amira", "amira@example.com", granted(&[BillingPay])).await;
    let until = Some(at(10));
    let terms = Terms { until, ..Terms::whole([BillingPay].into_iter().collect()) };
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(vec![terms])).await;
    let (one, other) = (session(&bakery, 1).await, session(&bakery, 2).await);
    look(&bakery, one, amira, 7).await.unwrap();
    look(&bakery, other, mei, 8).await.unwrap();
    db.run("UPDATE memberships SET paused_at = 1").await;
    let nothing = |name: &str| Some((name.to_owned(), PermissionSet::EMPTY));
    assert_eq!(seen(&bakery, one, 7, 1).await, nothing("Amira"));
    db.run("UPDATE memberships SET paused_at = NULL").await;
    assert_ne!(seen(&bakery, other, 8, 9).await, nothing("Mei"));
    assert_eq!(seen(&bakery, other, 8, 10).await, nothing("Mei"));
}

#[apply(on_both!)]
async fn what_is_refused_begins_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let amira = bakery.with("Amira", "amira@example.com", granted(&[BillingPay])).await;
    let session = session(&bakery, 1).await;
    let new = NewEyes { session, token_hash: token(7), expires_at: at(1800) };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let refused = Err(Failure::NotAllowed(AccountUsers));
    let decide = |_: &_| refused.clone();
    let begun = db.store.begin_eyes(id, ingrid, amira, new, at(0), decide).await;
    assert_eq!(begun, refused);
    assert_eq!(seen(&bakery, session, 7, 1).await, None);
}

fn on(permissions: &[Permission], services: &[Uuid], domains: &[Uuid]) -> Terms {
    let [services, domains] = [services, domains].map(|ids| Reach::of(false, ids.iter().copied()));
    Terms { services, domains, ..Terms::whole(permissions.iter().copied().collect()) }
}

#[apply(on_both!)]
async fn through_somebody_elses_eyes_lists_hold_what_both_reach(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let services = ["Archive", "Mail", "Shop"].map(service);
    for one in &services {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let domains = ["a.example", "b.example"].map(|name| domain(name, false));
    for one in &domains {
        db.store.add_domain(bakery.id, one).await.unwrap();
    }
    let [archive, mail, shop] = services.map(|service| service.id);
    let [first, second] = domains.map(|domain| domain.id);
    let permissions = [ServicesView, ServicesManage, DomainsView];
    let mei = Access::Granted(vec![
        on(&permissions, &[archive], &[first]),
        on(&[ServicesView], &[mail], &[]),
    ]);
    let mei = bakery.with("Mei", "mei@example.com", mei).await;
    let amira = Access::Granted(vec![on(&permissions, &[mail, archive, shop], &[second])]);
    let amira = bakery.with("Amira", "amira@example.com", amira).await;
    let (mei, amira) = (bakery.acting(mei, 1).await, bakery.acting(amira, 1).await);
    let ingrid = bakery.acting(bakery.ingrid, 1).await;
    let through = |own: &Actor, other: &Actor| {
        let eyes = Some(Eyes { user: other.user, keys: other.keys.clone() });
        Actor { eyes, ..own.clone() }
    };
    for (own, other, expected, in_domains) in [
        (&mei, &amira, &["Archive", "Mail"][..], &[][..]),
        (&amira, &mei, &["Archive", "Mail"], &[]),
        (&ingrid, &mei, &["Archive", "Mail"], &["a.example"]),
        (&mei, &ingrid, &["Archive", "Mail"], &["a.example"]),
        (&ingrid, &amira, &["Archive", "Mail", "Shop"], &["b.example"]),
    ] {
        let actor = through(own, other);
        let scope = actor.reach(ServicesView).unwrap();
        let listed = db.store.services(&actor, &scope, 9).await.unwrap();
        let names: Vec<_> = listed.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, expected);
        for service in &listed {
            let asked = |actor: &Actor| actor.may(ServicesManage, On::Service(&service.named_by));
            assert!(actor.may(ServicesView, On::Service(&service.named_by)));
            assert_eq!(asked(&actor), asked(own) && asked(other), "{}", service.name);
        }
        for id in [archive, mail, shop] {
            let found = db.store.service(&actor, &scope, id).await.unwrap();
            assert_eq!(found.is_some(), listed.iter().any(|service| service.id == id));
        }
        let count = db.store.count_things(&actor, &scope, Area::Services).await;
        assert_eq!(count, Ok(u32::try_from(expected.len()).unwrap()));
        let first = BTreeSet::from([shop]);
        let area = Area::Services;
        let choices = db.store.choices(&actor, &scope, area, "", &first, 9).await.unwrap();
        assert_eq!(choices.len(), expected.len());
        let everything = model::Scope::All;
        let named = db.store.reached_services(bakery.id, [&scope, &everything], 9).await.unwrap();
        let named: Vec<_> = named.first.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(named, expected);
        let mails = amira.reach(ServicesView).unwrap();
        let named = db.store.reached_services(bakery.id, [&scope, &mails], 9).await.unwrap();
        assert_eq!(named.count, u32::try_from(expected.len()).unwrap());

        let scope = actor.reach(DomainsView).unwrap();
        let listed = db.store.domains(&actor, &scope, 9).await.unwrap();
        let names: Vec<_> = listed.iter().map(|domain| domain.name.as_str()).collect();
        assert_eq!(names, in_domains);
    }
    let owner = through(&ingrid, &ingrid);
    assert_eq!(owner.keys, Keys::Owner);
    let all = db.store.services(&owner, &owner.reach(ServicesView).unwrap(), 9).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].named_by, NamedBy::default());
}
