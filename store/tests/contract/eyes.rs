use std::collections::BTreeSet;

use model::{
    Access, Actor, Area, Draft, Eyes, Failure, GrantId, Keys, ListPlace, NamedBy, On, Permission,
    PermissionSet, Reach, Scope, SessionId, Terms, UserId,
};
use store::{NewDraft, NewEyes};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{
    Bakery, DAY, HOUR, account, at, at_once, change, granted, new_session, token, user,
};

use Permission::{
    AccountUsers, BillingPay, BillingView, DomainsView, ServicesManage, ServicesView, SupportView,
};

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
    bakery.store.begin_eyes(account, ingrid, target, new, at(0), |_| Ok(None)).await
}

/// Whose eyes those are, and what is open to them.
async fn seen(
    bakery: &Bakery,
    session: SessionId,
    number: u8,
    seconds: u64,
) -> Option<(String, PermissionSet)> {
    let found = bakery.store.eyes(session, &token(number), bakery.id, at(seconds)).await.unwrap();
    found.map(|found| (found.full_name.unwrap_or_default(), found.eyes.keys.open()))
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
    let decide = |_: &_| Err(Failure::NotAllowed(AccountUsers));
    let begun = db.store.begin_eyes(id, ingrid, amira, new, at(0), decide).await;
    assert_eq!(begun, Err(Failure::NotAllowed(AccountUsers)));
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
        let eyes = Some(Eyes { user: other.user, keys: other.keys.clone(), draft: None });
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
        let listed = db.store.services(&actor, &scope, &ListPlace::First, 9).await.unwrap();
        let names: Vec<_> = listed.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, expected);
        for service in &listed {
            let named_by = service.named_by;
            let asked = |actor: &Actor, named_by| actor.may(ServicesManage, On::Service(&named_by));
            assert!(actor.may(ServicesView, On::Service(&named_by)));
            let alone = NamedBy { own: named_by.theirs, ..NamedBy::default() };
            let both = asked(own, named_by) && asked(other, alone);
            assert_eq!(asked(&actor, named_by), both, "{}", service.name);
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
        let named = db
            .store
            .reached_services(bakery.id, [&scope, &everything], &ListPlace::First, 9)
            .await
            .unwrap();
        let named: Vec<_> = named.things.iter().map(|thing| thing.name.as_str()).collect();
        assert_eq!(named, expected);
        let mails = amira.reach(ServicesView).unwrap();
        let named = db
            .store
            .reached_services(bakery.id, [&scope, &mails], &ListPlace::First, 9)
            .await
            .unwrap();
        assert_eq!(named.count, u32::try_from(expected.len()).unwrap());

        let scope = actor.reach(DomainsView).unwrap();
        let listed = db.store.domains(&actor, &scope, &ListPlace::First, 9).await.unwrap();
        let names: Vec<_> = listed.iter().map(|domain| domain.name.as_str()).collect();
        assert_eq!(names, in_domains);
    }
    let owner = through(&ingrid, &ingrid);
    assert_eq!(owner.keys, Keys::Owner);
    let all = db
        .store
        .services(&owner, &owner.reach(ServicesView).unwrap(), &ListPlace::First, 9)
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].named_by, NamedBy::default());
}

/// The page whose forms the drafts come from.
const PAGE: &str = "/accounts/100001/users/invite";

/// A draft with these terms, kept for an hour.
fn draft(terms: Terms, changes: Option<GrantId>) -> NewDraft {
    let draft = Draft { id: Uuid::new_v4().into(), changes };
    let (page, typed) = (PAGE.to_owned(), "[[\"why\",\"\\u0000\"]]".to_owned());
    NewDraft { draft, terms, page, typed, expires_at: at(3600) }
}

/// Has a session look with a draft, with this token, through somebody's eyes or those of somebody new;
/// answers who Ingrid is then.
async fn look_with(
    bakery: &Bakery,
    session: SessionId,
    target: Option<UserId>,
    new: &NewDraft,
    number: u8,
) -> Actor {
    let eyes = NewEyes { session, token_hash: token(number), expires_at: at(1800) };
    let (account, ingrid, store) = (bakery.id, bakery.ingrid, &bakery.store);
    match target {
        Some(target) => {
            let decide = |_: &_| Ok(Some(new.clone()));
            store.begin_eyes(account, ingrid, target, eyes, at(0), decide).await.unwrap();
        }
        None => {
            let decide = |_: &_| Ok(new.clone());
            store.begin_new_eyes(account, ingrid, eyes, at(0), decide).await.unwrap();
        }
    }
    let found = store.eyes(session, &token(number), account, at(1)).await.unwrap().unwrap();
    assert_eq!(found.eyes.draft, Some(new.draft));
    assert_eq!(found.full_name.is_some(), target.is_some());
    Actor { eyes: Some(found.eyes), ..bakery.acting(ingrid, 1).await }
}

/// The names of the services that the actor sees.
async fn listed(bakery: &Bakery, actor: &Actor) -> Vec<String> {
    let scope = actor.reach(ServicesView).unwrap();
    let services = bakery.store.services(actor, &scope, &ListPlace::First, 9999).await.unwrap();
    let area = Area::Services;
    let count = bakery.store.count_things(actor, &scope, area).await;
    assert_eq!(count, Ok(u32::try_from(services.len()).unwrap()));
    let nothing = BTreeSet::new();
    let choices = bakery.store.choices(actor, &scope, area, "", &nothing, 9999).await.unwrap();
    assert_eq!(choices.len(), services.len());
    for service in services.iter().take(9) {
        assert!(actor.may(ServicesView, On::Service(&service.named_by)), "{}", service.name);
        let found = bakery.store.service(actor, &scope, service.id).await.unwrap().unwrap();
        assert_eq!(found.named_by, service.named_by);
    }
    services.into_iter().map(|service| service.name).collect()
}

#[apply(on_both!)]
async fn through_a_draft_lists_hold_what_it_reaches(db: TestDatabase) {
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
    let [first, _] = domains.map(|domain| domain.id);
    let held = Access::Granted(vec![
        on(&[ServicesView, BillingView], &[archive], &[]),
        on(&[ServicesView, SupportView], &[mail], &[]),
    ]);
    let mei = bakery.with("Mei", "mei@example.com", held).await;
    let holding = db.store.holding(bakery.id, mei, false).await.unwrap();
    let first_grant = holding.grants()[0].id;
    let session = session(&bakery, 1).await;

    // In the place of the first grant.
    let new = draft(on(&[ServicesManage, DomainsView], &[shop], &[first]), Some(first_grant));
    let actor = look_with(&bakery, session, Some(mei), &new, 7).await;
    assert_eq!(listed(&bakery, &actor).await, ["Mail", "Shop"]);
    let open = [ServicesView, ServicesManage, DomainsView, SupportView].into_iter().collect();
    assert_eq!(actor.open(), open);
    let scope = actor.reach(ServicesManage).unwrap();
    let managed = db.store.services(&actor, &scope, &ListPlace::First, 9).await.unwrap();
    assert_eq!(managed.len(), 1, "each permission as far as its own grant or draft");
    assert!(actor.may(ServicesManage, On::Service(&managed[0].named_by)));
    let scope = actor.reach(DomainsView).unwrap();
    let seen = db.store.domains(&actor, &scope, &ListPlace::First, 9).await.unwrap();
    assert_eq!(seen.iter().map(|domain| domain.name.as_str()).collect::<Vec<_>>(), ["a.example"]);
    assert!(actor.may(DomainsView, On::Domain(&seen[0].named_by)));
    let scope = actor.reach(ServicesView).unwrap();
    let named = db
        .store
        .reached_services(bakery.id, [&scope, &Scope::All], &ListPlace::First, 9)
        .await
        .unwrap();
    assert_eq!(named.count, 2);
    assert_eq!(db.store.draft_terms(new.draft.id).await, Ok(Some(new.terms)));

    // Besides all that they hold; and by itself.
    let new = draft(on(&[ServicesView], &[shop], &[]), None);
    let actor = look_with(&bakery, session, Some(mei), &new, 7).await;
    assert_eq!(listed(&bakery, &actor).await, ["Archive", "Mail", "Shop"]);
    let actor = look_with(&bakery, session, None, &new, 7).await;
    assert_eq!(listed(&bakery, &actor).await, ["Shop"]);
    assert_eq!(actor.open(), [ServicesView].into_iter().collect());
    let member = db.store.member(bakery.id, actor.seen_as()).await.unwrap();
    assert!(member.is_none(), "somebody new is nobody");

    // To whoever looks it opens no more than they reach themselves, and to nobody anything else.
    let own = bakery.with("Amira", "amira@example.com", Access::NONE).await;
    let held = Access::Granted(vec![on(&[ServicesView], &[mail, archive], &[])]);
    let decide = |_: &_| Ok(Some(change(Some(held))));
    db.store.change_membership(bakery.id, bakery.ingrid, own, at(1), decide).await.unwrap();
    let amira = Actor { eyes: actor.eyes.clone(), ..bakery.acting(own, 1).await };
    assert_eq!(listed(&bakery, &amira).await, [""; 0]);
    assert_eq!(listed(&bakery, &bakery.acting(mei, 1).await).await, ["Archive", "Mail"]);
}

#[apply(on_both!)]
async fn a_draft_in_the_place_of_one_of_two_grants_that_are_alike_leaves_the_other(
    db: TestDatabase,
) {
    let bakery = Bakery::new(&db.store).await;
    let services = ["Archive", "Mail", "Shop"].map(service);
    for one in &services {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let [archive, mail, shop] = services.map(|service| service.id);
    let held = [archive, mail].map(|service| on(&[ServicesView], &[service], &[]));
    let mei = bakery.with("Mei", "mei@example.com", Access::Granted(held.to_vec())).await;
    let holding = db.store.holding(bakery.id, mei, false).await.unwrap();
    let mut names = Vec::new();
    let session = session(&bakery, 1).await;
    for (grant, other) in holding.grants().iter().zip(holding.grants().iter().rev()) {
        let kept =
            if other.terms.services.covers(&Reach::of(false, [mail])) { "Mail" } else { "Archive" };
        let new = draft(on(&[ServicesView], &[shop], &[]), Some(grant.id));
        let actor = look_with(&bakery, session, Some(mei), &new, 7).await;
        assert_eq!(listed(&bakery, &actor).await, [kept, "Shop"]);
        // One that is about something else, and one that has lapsed, come in its place as well.
        for terms in [
            Terms::whole([BillingView].into_iter().collect()),
            Terms { until: Some(at(1)), ..on(&[ServicesView], &[shop], &[]) },
        ] {
            let new = draft(terms, Some(grant.id));
            let actor = look_with(&bakery, session, Some(mei), &new, 7).await;
            assert_eq!(listed(&bakery, &actor).await, [kept]);
        }
        names.push(kept);
    }
    names.sort_unstable();
    assert_eq!(names, ["Archive", "Mail"]);

    // In the place of the only one of its kind nothing of that is left.
    let alone = Access::Granted(vec![on(&[ServicesView], &[mail], &[])]);
    let amira = bakery.with("Amira", "amira@example.com", alone).await;
    let only = db.store.holding(bakery.id, amira, false).await.unwrap().grants()[0].id;
    let new = draft(Terms::whole([BillingView].into_iter().collect()), Some(only));
    let actor = look_with(&bakery, session, Some(amira), &new, 7).await;
    assert_eq!(actor.reach(ServicesView), Err(Failure::NotAllowed(ServicesView)));
    assert_eq!(actor.open(), [BillingView].into_iter().collect());
    let found = db.store.service(&actor, &Scope::All, mail).await.unwrap().unwrap();
    assert!(!actor.may(ServicesView, On::Service(&found.named_by)));
    assert_eq!(listed(&bakery, &bakery.acting(amira, 1).await).await, ["Mail"]);
}

#[apply(on_both!)]
async fn what_is_deleted_moves_or_is_of_others_is_in_no_draft(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let services = ["Gone", "Moved", "Stays"].map(service);
    for one in &services {
        db.store.add_service(bakery.id, one).await.unwrap();
    }
    let foreign = service("Foreign");
    db.store.add_service(agency, &foreign).await.unwrap();
    let [gone, moved, stays] = services.map(|service| service.id);
    let session = session(&bakery, 1).await;
    let new = draft(on(&[ServicesView], &[gone, moved, stays, foreign.id], &[]), None);
    let actor = look_with(&bakery, session, None, &new, 7).await;
    assert_eq!(listed(&bakery, &actor).await, ["Gone", "Moved", "Stays"]);
    db.run(
        "DELETE FROM services WHERE name = 'Gone'; \
         UPDATE services SET account_id = (SELECT id FROM accounts WHERE name = 'Agency') \
         WHERE name = 'Moved'",
    )
    .await;
    assert_eq!(listed(&bakery, &actor).await, ["Stays"]);
    db.run("UPDATE services SET account_id = (SELECT id FROM accounts WHERE name = 'Bakery')")
        .await;
    assert_eq!(listed(&bakery, &actor).await, ["Stays"], "nor does it come back");
    let left = Ok(Some(on(&[ServicesView], &[stays], &[])));
    assert_eq!(db.store.draft_terms(new.draft.id).await, left);
}

#[apply(on_both!)]
async fn a_draft_reaches_as_many_things_as_a_grant(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, other) = match db.url.starts_with("sqlite") {
        true => ("unhex(printf('%032x', x))", "unhex(printf('%032x', x + 9000))"),
        false => (
            "CAST(lpad(to_hex(x), 32, '0') AS UUID)",
            "CAST(lpad(to_hex(x + 9000), 32, '0') AS UUID)",
        ),
    };
    for id in [id, other] {
        db.run(&format!(
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) \
             INSERT INTO services \
                 (account_id, id, name, plan, state, renews_at, login_name, login_password) \
             SELECT a.id, {id}, 'Service', 'M', 'active', 0, '', '' FROM n, accounts a \
             WHERE a.name = 'Bakery'"
        ))
        .await;
    }
    let ids: Vec<_> = (1..=5000).map(Uuid::from_u128).collect();
    let session = session(&bakery, 1).await;
    let new = draft(on(&[ServicesView], &ids, &[]), None);
    let actor = look_with(&bakery, session, None, &new, 7).await;
    assert_eq!(listed(&bakery, &actor).await.len(), 5000);
}

#[apply(on_both!)]
async fn a_draft_ends_by_itself_and_belongs_to_one_session_and_page(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let (own, other) = (session(&bakery, 1).await, session(&bakery, 2).await);
    let until = Some(at(100));
    let new = draft(Terms { until, ..Terms::whole([SupportView].into_iter().collect()) }, None);
    look_with(&bakery, own, Some(mei), &new, 7).await;
    let open =
        |permissions: &[Permission]| Some(("Mei".to_owned(), granted(permissions).permissions()));
    assert_eq!(seen(&bakery, own, 7, 99).await, open(&[BillingPay, SupportView]));
    assert_eq!(seen(&bakery, own, 7, 100).await, open(&[BillingPay]), "its end has come");
    db.run("UPDATE memberships SET paused_at = 1 WHERE NOT owner").await;
    assert_eq!(seen(&bakery, own, 7, 99).await, open(&[]), "it resumes nothing");

    let id = new.draft.id;
    let typed = async |session, account, page, seconds| {
        db.store.draft_typed(id, session, (account, page), at(seconds)).await.unwrap()
    };
    let page =
        async |session, seconds| db.store.draft_page(id, session, at(seconds)).await.unwrap();
    db.store.end_eyes(own).await.unwrap();
    assert_eq!(seen(&bakery, own, 7, 1).await, None);
    assert_eq!(page(own, 3599).await.as_deref(), Some(PAGE));
    assert_eq!(typed(own, bakery.id, PAGE, 3599).await, Some(new.typed.clone()));
    assert_eq!((page(own, 3600).await, typed(own, bakery.id, PAGE, 3600).await), (None, None));
    assert_eq!((page(other, 1).await, typed(other, bakery.id, PAGE, 1).await), (None, None));
    assert_eq!(typed(own, bakery.id, "/accounts/100001/users", 1).await, None);
    let (agency, _) = account(&db.store, "Agency").await;
    assert_eq!(typed(own, agency, PAGE, 1).await, None);

    // A session has one, and a look through another's eyes without one leaves it.
    look(&bakery, own, mei, 8).await.unwrap();
    assert_eq!(page(own, 1).await.as_deref(), Some(PAGE));
    let next = draft(Terms::whole([BillingView].into_iter().collect()), None);
    look_with(&bakery, own, None, &next, 9).await;
    assert_eq!(page(own, 1).await, None);
    look_with(&bakery, other, None, &draft(next.terms.clone(), None), 10).await;
    assert_eq!(db.store.sweep(DAY, DAY, at(1800)).await, Ok(2), "both looks");
    assert_eq!(db.store.sweep(DAY, DAY, at(3600)).await, Ok(2), "both drafts");

    // It goes with its session, and comes back with no copy of the database.
    look_with(&bakery, own, None, &next, 9).await;
    db.store.end_session(&token(1)).await.unwrap();
    assert_eq!(db.store.draft_terms(next.draft.id).await, Ok(None));
    assert_eq!(seen(&bakery, own, 9, 1).await, None);
    let eyes = NewEyes { session: own, token_hash: token(9), expires_at: at(1800) };
    let (id, ingrid, decide) = (bakery.id, bakery.ingrid, |_: &_| Ok(next.clone()));
    let over = db.store.begin_new_eyes(id, ingrid, eyes, at(0), decide).await;
    assert_eq!(over, Err(Failure::SignedOut));
    look_with(&bakery, other, None, &next, 10).await;
    db.store.settle(false, at(1)).await.unwrap();
    assert_eq!(db.store.draft_terms(next.draft.id).await, Ok(None));
}

#[apply(on_both!)]
async fn drafts_that_a_session_begins_at_once_leave_the_last(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let session = session(&bakery, 1).await;
    let terms = Terms::whole([BillingView].into_iter().collect());
    let drafts: Vec<_> = (0..8).map(|_| draft(terms.clone(), None)).collect();
    let begun = at_once(8, |number| {
        let (store, new) = (db.store.clone(), drafts[usize::from(number)].clone());
        let eyes = NewEyes { session, token_hash: token(7), expires_at: at(1800) };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        async move { store.begin_new_eyes(id, ingrid, eyes, at(0), |_| Ok(new)).await }
    });
    assert_eq!(begun.await, vec![Ok(()); 8]);
    let found = db.store.eyes(session, &token(7), bakery.id, at(1)).await.unwrap().unwrap();
    for new in &drafts {
        let kept = db.store.draft_terms(new.draft.id).await.unwrap().is_some();
        assert_eq!(kept, found.eyes.draft == Some(new.draft));
    }
}

#[apply(on_both!)]
async fn a_draft_for_somebody_new_is_refused_as_a_whole(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let session = session(&bakery, 1).await;
    let new = draft(Terms::whole([BillingView].into_iter().collect()), None);
    let eyes = NewEyes { session, token_hash: token(7), expires_at: at(1800) };
    let refused = Err(Failure::NotAllowed(AccountUsers));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let decide = |_: &_| Err(Failure::NotAllowed(AccountUsers));
    assert_eq!(db.store.begin_new_eyes(id, ingrid, eyes, at(0), decide).await, refused);
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    let decide = |_: &_| Ok(new.clone());
    let foreign = db.store.begin_new_eyes(id, tom, eyes, at(0), decide).await;
    assert_eq!(foreign, Err(Failure::NotFound));
    assert_eq!(seen(&bakery, session, 7, 1).await, None);
    assert_eq!(db.store.draft_terms(new.draft.id).await, Ok(None));
}
