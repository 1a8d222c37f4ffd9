use std::time::Duration;

use model::{
    Access, AccountId, DoorArea, DoorKey, Keys, NamedBy, Pause, Permission, PermissionSet, Reach,
    ResourceKind, Scope, Terms, Timestamp, UserId,
};
use store::{DecisionFacts, NamedUser, NewToken, Standing, Store};
use test_database::{Line, TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{Bakery, account, at, email, grant, granted, token, user};

use Permission::{AccountUsers, BillingPay, DomainsView, ServicesManage, ServicesView};

async fn facts(
    bakery: &Bakery,
    kind: ResourceKind,
    thing: impl Into<Uuid>,
    user: UserId,
    seconds: u64,
) -> Option<DecisionFacts> {
    let (thing, user) = (DoorKey::Id(thing.into()), NamedUser::Id(user));
    facts_by(&bakery.store, kind, &thing, &user, seconds).await
}

async fn facts_by(
    store: &Store,
    kind: ResourceKind,
    thing: &DoorKey,
    user: &NamedUser,
    seconds: u64,
) -> Option<DecisionFacts> {
    let found = store.decision_facts(kind, thing, user, None, at(seconds)).await;
    found.unwrap().map(|(facts, token)| {
        assert_eq!(token.map(|token| token.id), None, "nobody showed one");
        facts
    })
}

async fn standing(bakery: &Bakery, service: Uuid, user: UserId, seconds: u64) -> Standing {
    let found = facts(bakery, ResourceKind::Service, service, user, seconds).await;
    found.unwrap().standing.unwrap()
}

fn on(permission: Permission, services: &[Uuid], until: Option<Timestamp>) -> Terms {
    let services = Reach::of(false, services.iter().copied());
    let permissions = [permission].into_iter().collect();
    Terms { services, domains: Reach::NOTHING, until, ..Terms::whole(permissions) }
}

#[apply(on_both!)]
async fn what_is_asked_about_is_found_by_what_it_is_called_and_so_is_who_asks(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (shop, own) = (service("Shop"), domain("bakery.example", true));
    db.store.add_service(bakery.id, &shop).await.unwrap();
    db.store.add_domain(bakery.id, &own).await.unwrap();
    let (agency, _) = account(&db.store, "Agency").await;
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    db.store.add_member(agency, mei, Access::Owner, at(0)).await.unwrap();
    let named = [NamedUser::Id(bakery.ingrid), NamedUser::Email(email("Ingrid@Example.com"))];
    let things = [
        (ResourceKind::Account, DoorKey::Id(bakery.id.into()), Uuid::from(bakery.id)),
        (ResourceKind::Account, DoorKey::Number(bakery.number), bakery.id.into()),
        (ResourceKind::Service, DoorKey::Id(shop.id), shop.id),
        (ResourceKind::Domain, DoorKey::Id(own.id), own.id),
    ];
    for (kind, thing, id) in things {
        for user in &named {
            let found = facts_by(&db.store, kind, &thing, user, 1).await.unwrap();
            let place = (found.account, found.account_key, found.thing);
            assert_eq!(place, (bakery.id, DoorKey::Number(bakery.number), id));
            let standing = found.standing.unwrap();
            assert_eq!((standing.user, &standing.keys), (bakery.ingrid, &Keys::Owner));
            assert_eq!((standing.pause, standing.given.len()), (None, 0));
        }
        for stranger in [
            NamedUser::Id(mei),
            NamedUser::Id(Uuid::nil().into()),
            NamedUser::Email(email("mei@example.com")),
            NamedUser::Email(email("nobody@example.com")),
        ] {
            let found = facts_by(&db.store, kind, &thing, &stranger, 1).await;
            assert!(found.unwrap().standing.is_none(), "{kind:?} {stranger:?}");
        }
        // One kind's id is no other's.
        for other in ResourceKind::ALL.into_iter().filter(|other| *other != kind) {
            let found = facts_by(&db.store, other, &thing, &named[0], 1).await;
            assert!(found.is_none(), "{kind:?} {other:?}");
        }
    }
    assert!(facts(&bakery, ResourceKind::Service, Uuid::nil(), bakery.ingrid, 1).await.is_none());
}

#[apply(on_both!)]
async fn who_asks_comes_with_what_is_asked_for(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let asking = NewToken {
        id: Uuid::new_v4().into(),
        name: "Panel".to_owned(),
        prefix: "aaaaaaaaaaaa".to_owned(),
        secret_hash: token(7),
        scopes: [DoorArea::Access.read()].into_iter().collect(),
        account: Some(bakery.id),
        until: Some(at(60)),
    };
    db.store.add_token(&asking, at(1)).await.unwrap();
    let (thing, user) = (DoorKey::Id(bakery.id.into()), NamedUser::Id(bakery.ingrid));
    let beside = async |prefix| {
        let kind = ResourceKind::Account;
        let found = db.store.decision_facts(kind, &thing, &user, Some(prefix), at(1)).await;
        let (facts, token) = found.unwrap().unwrap();
        assert_eq!((facts.account, facts.standing.unwrap().user), (bakery.id, bakery.ingrid));
        token
    };
    assert!(beside("bbbbbbbbbbbb").await.is_none());
    let found = beside("aaaaaaaaaaaa").await.unwrap();
    assert_eq!((found.id, found.name), (asking.id, asking.name));
    assert_eq!((found.secret_hash, found.scopes), (asking.secret_hash, asking.scopes));
    assert_eq!((found.account, found.until), (asking.account, asking.until));
    assert_eq!((found.last_used_at, found.revoked_at), (None, None));
    db.store.revoke_token("aaaaaaaaaaaa", at(2)).await.unwrap();
    assert_eq!(beside("aaaaaaaaaaaa").await.unwrap().revoked_at, Some(at(2)));
}

#[apply(on_both!)]
async fn how_somebody_stands_is_what_a_request_is_checked_by(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop, mail] = ["Shop", "Mail"].map(service);
    for one in [&shop, &mail] {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let terms = vec![
        on(ServicesManage, &[shop.id], Some(at(10))),
        on(ServicesView, &[shop.id, mail.id], Some(at(20))),
        on(BillingPay, &[], Some(at(30))),
    ];
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(terms)).await;
    // Another one's grants name the same.
    let all = Access::Granted(vec![on(ServicesManage, &[shop.id, mail.id], None)]);
    bakery.with("Tom", "tom@example.com", all).await;
    for seconds in [0, 9, 10, 19, 20, 29, 30] {
        let found = standing(&bakery, shop.id, mei, seconds).await;
        let checked = bakery.store.membership(mei, bakery.number, None, at(seconds)).await;
        let checked = checked.unwrap().unwrap();
        assert_eq!((found.keys, found.pause), (checked.keys.clone(), checked.pause));
        let Keys::Granted(keys) = checked.keys else { panic!("an owner") };
        assert_eq!(found.given.len(), keys.len(), "at {seconds}");
        assert!(found.given.iter().all(|given| keys.contains(&given.key)), "at {seconds}");
    }
    let named = async |service, seconds| {
        let found = standing(&bakery, service, mei, seconds).await;
        let naming = found.given.iter().filter(|given| given.named_by != NamedBy::default());
        (naming.count(), found.named_by.own)
    };
    let set = |permission| -> PermissionSet { [permission].into_iter().collect() };
    assert_eq!(named(shop.id, 0).await, (2, set(ServicesManage)));
    assert_eq!(named(shop.id, 10).await, (1, set(ServicesView)), "what lapsed names nothing");
    assert_eq!(named(mail.id, 0).await, (1, set(ServicesView)));
    let ends: Vec<_> =
        standing(&bakery, shop.id, mei, 0).await.given.iter().map(|given| given.until).collect();
    assert!([at(10), at(20), at(30)].iter().all(|end| ends.contains(&Some(*end))), "{ends:?}");
    let lapsed = Some(Pause::Lapsed { since: at(30) });
    assert_eq!(standing(&bakery, shop.id, mei, 30).await.pause, lapsed);
    db.run("UPDATE memberships SET paused_at = 5, paused_why = 'Away' WHERE NOT owner").await;
    let paused = standing(&bakery, shop.id, mei, 0).await;
    let (since, why) = (Timestamp::from_micros(5), "Away".to_owned());
    assert_eq!(paused.pause, Some(Pause::ByHand { since, by: None, why }));
    assert_eq!(paused.keys, Keys::Granted(Vec::new()));
}

#[apply(on_both!)]
async fn whoever_gave_a_grant_is_named_whatever_they_are_called(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let odd = "Ingrid \"Inga\" O'Berg; {5}: é";
    let giver = bakery.with(odd, "inga@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let given = store::Grant {
        given_by: Some(giver),
        ..grant(Terms::whole([AccountUsers].into_iter().collect()))
    };
    let id = given.id;
    let decide = |_: &_| {
        let change = crate::story::change(None);
        let holding = Some(store::Holding::Granted(vec![given]));
        Ok(Some(store::MembershipChange { holding, ..change }))
    };
    let changed = db.store.change_membership(bakery.id, bakery.ingrid, mei, at(1), decide);
    changed.await.unwrap();
    let found = facts(&bakery, ResourceKind::Account, bakery.id, mei, 1).await.unwrap();
    let standing = found.standing.unwrap();
    assert_eq!(standing.named_by, NamedBy::default());
    let told: Vec<_> =
        standing.given.iter().map(|given| (given.grant, given.by.as_deref())).collect();
    assert_eq!(told, [(id, Some(odd))]);
}

#[apply(on_both!)]
async fn what_the_account_requires_is_read_as_for_a_request(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@fjord.example", granted(&[BillingPay])).await;
    db.run(
        "INSERT INTO account_policies \
             (account_id, factor_since, factor_from, session_idle, domains) \
         SELECT id, 5, 7, 30, '' FROM accounts WHERE name = 'Bakery'; \
         INSERT INTO account_providers \
             (account_id, issuer, client_id, client_secret, demanded_since) \
         SELECT id, 'https://id.example', 'us', 'secret', 9 FROM accounts WHERE name = 'Bakery'; \
         UPDATE memberships SET bound_domain = 'fjord.example' WHERE NOT owner;",
    )
    .await;
    for user in [bakery.ingrid, mei] {
        let found = facts(&bakery, ResourceKind::Account, bakery.id, user, 1).await.unwrap();
        let found = found.standing.unwrap();
        let checked = bakery.store.membership(user, bakery.number, None, at(1)).await;
        let checked = checked.unwrap().unwrap();
        assert_eq!(found.policy, checked.policy);
        assert!(found.policy.factor.is_some() && found.policy.sessions.idle.is_some());
        let standing =
            (found.second_factor, found.single_sign_on, found.gave_address_up, found.had_factor);
        let membership = (
            checked.second_factor,
            checked.single_sign_on,
            checked.gave_address_up,
            checked.had_factor,
        );
        assert_eq!(standing, membership);
        assert_eq!(found.gave_address_up, user == mei);
    }
}

async fn candidates(
    bakery: &Bakery,
    permission: Permission,
    thing: Uuid,
    after: Option<UserId>,
    most: usize,
) -> Vec<UserId> {
    let (store, account) = (&bakery.store, bakery.id);
    let found = store.decision_candidates(account, permission, thing, after, most, at(5)).await;
    found.unwrap().into_iter().map(|standing| standing.user).collect()
}

#[apply(on_both!)]
async fn whoever_a_thing_may_be_open_to_comes_into_question_in_the_order_of_ids(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop, mail] = ["Shop", "Mail"].map(service);
    for one in [&shop, &mail] {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let held = |terms: Terms| Access::Granted(vec![terms]);
    let mei = held(on(ServicesManage, &[shop.id], None));
    let mei = bakery.with("Mei", "mei@example.com", mei).await;
    let over = held(on(ServicesManage, &[shop.id], Some(at(5))));
    bakery.with("Tom", "tom@example.com", over).await;
    let all = bakery.with("Amira", "amira@example.com", granted(&[ServicesManage])).await;
    let domains = bakery.with("Bo", "bo@example.com", granted(&[DomainsView])).await;
    let in_order = |users: &[UserId]| {
        let mut users = users.to_vec();
        users.sort_unstable();
        users
    };
    let ingrid = bakery.ingrid;
    let found = candidates(&bakery, ServicesView, shop.id, None, 9).await;
    assert_eq!(found, in_order(&[ingrid, mei, all]));
    assert_eq!(candidates(&bakery, ServicesView, shop.id, Some(found[0]), 1).await, found[1..2]);
    assert_eq!(candidates(&bakery, ServicesView, shop.id, Some(found[2]), 9).await, []);
    let found = candidates(&bakery, ServicesManage, mail.id, None, 9).await;
    assert_eq!(found, in_order(&[ingrid, all]));
    let found = candidates(&bakery, DomainsView, Uuid::nil(), None, 9).await;
    assert_eq!(found, in_order(&[ingrid, domains]));
    let found = candidates(&bakery, BillingPay, bakery.id.into(), None, 9).await;
    assert_eq!(found, [ingrid]);
}

#[apply(on_both!)]
async fn somebodys_accounts_and_the_things_in_them_come_in_the_order_of_ids(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    account(&db.store, "Other").await;
    db.store.add_member(agency, bakery.ingrid, Access::Owner, at(0)).await.unwrap();
    let accounts = |from: Option<AccountId>, most| {
        let (store, user) = (db.store.clone(), NamedUser::Email(email("ingrid@example.com")));
        async move {
            let found = store.standings(&user, from, most, at(1)).await.unwrap();
            assert!(found.iter().all(|one| one.standing.is_some()));
            found.into_iter().map(|one| one.account).collect::<Vec<_>>()
        }
    };
    let mut own = vec![bakery.id, agency];
    own.sort_unstable();
    assert_eq!(accounts(None, 9).await, own);
    assert_eq!(accounts(None, 1).await, own[..1]);
    assert_eq!(accounts(Some(own[1]), 9).await, own[1..]);
    let nobody = NamedUser::Id(Uuid::nil().into());
    assert_eq!(db.store.standings(&nobody, None, 9, at(1)).await.unwrap().len(), 0);

    let mut services = Vec::new();
    for name in ["C", "B", "A"] {
        let one = service(name);
        db.store.add_service(bakery.id, &one).await.unwrap();
        services.push(one.id);
    }
    let terms = on(ServicesView, &services[1..], None);
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(vec![terms])).await;
    let through = bakery.acting(mei, 1).await.reach(ServicesView).unwrap();
    let some = {
        let mut some = services[1..].to_vec();
        some.sort_unstable();
        some
    };
    services.sort_unstable();
    let behind = |scope: Scope, kind, after, most| {
        let store = db.store.clone();
        async move {
            let found = store.things_behind(bakery.id, kind, &scope, after, most).await.unwrap();
            assert!(found.iter().all(|(id, key)| *key == DoorKey::Id(*id)));
            found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        }
    };
    let kind = ResourceKind::Service;
    assert_eq!(behind(Scope::All, kind, None, 9).await, services);
    assert_eq!(behind(Scope::All, kind, Some(services[0]), 1).await, services[1..2]);
    assert_eq!(behind(through.clone(), kind, None, 9).await, some);
    assert_eq!(behind(through, kind, Some(some[0]), 9).await, some[1..]);
    for kind in [ResourceKind::Account, ResourceKind::Domain, ResourceKind::Invoice] {
        assert!(behind(Scope::All, kind, None, 9).await.is_empty());
    }
    db.run("UPDATE services SET ref = 'b' WHERE name = 'B'; UPDATE accounts SET ref = name").await;
    let found =
        db.store.things_behind(bakery.id, ResourceKind::Service, &Scope::All, None, 9).await;
    let key: DoorKey = "b".parse().unwrap();
    assert_eq!(found.unwrap().iter().filter(|(_, one)| *one == key).count(), 1);
    let found = facts_by(&db.store, ResourceKind::Service, &key, &nobody, 1).await;
    assert_eq!(found.unwrap().account_key, "Bakery".parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_read_is_one_way_to_postgres_and_back() {
    let db = test_database::postgres().await;
    let bakery = Bakery::new(&db.store).await;
    let shop = service("Shop");
    db.store.add_service(bakery.id, &shop).await.unwrap();
    let terms = vec![on(ServicesManage, &[shop.id], None); 3];
    bakery.with("Mei", "mei@example.com", Access::Granted(terms)).await;
    let line = Line::to(&db.url).await;
    let store = Store::open(&line.url).await.unwrap();
    let (thing, mei) = (DoorKey::Id(shop.id), NamedUser::Email(email("mei@example.com")));
    let decide = async || {
        let kind = ResourceKind::Service;
        let found = facts_by(&store, kind, &thing, &mei, 1).await;
        assert_eq!(found.unwrap().standing.unwrap().given.len(), 3);
    };
    let change = async || {
        store.count_attempt("key", Duration::from_secs(60), at(0)).await.unwrap();
    };
    // Each of the connections has prepared the statements then.
    for _ in 0..20 {
        decide().await;
        change().await;
    }
    let begun = line.asked();
    for _ in 0..20 {
        decide().await;
    }
    let decided = line.asked();
    for _ in 0..20 {
        change().await;
    }
    assert_eq!(decided - begun, 20, "nothing is asked besides");
    assert_eq!(line.asked() - decided, 80, "before a change it is asked for a sign of life");
    // What one was used for a moment ago it is good for no more.
    for _ in 0..3 {
        line.cut().await;
        decide().await;
        line.cut().await;
        change().await;
    }
}
