use model::{
    Access, ActivityKind, DoorKey, Failure, InvitationState, Permission, PermissionSet, Reach,
    Terms,
};
use store::{
    ActivityFilter, Grant, Holding, KeyedThings, MemberName, NewActivity, ProvidersMemberDone,
    ProvidersMemberFacts, ProvidersMemberStep, Store, ThingKeys,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::service;
use crate::story::{
    Bakery, account, at, at_once, change, email, grant, granted, mail, offer, token, user,
};

fn named(address: &str) -> MemberName {
    MemberName::Email(email(address))
}

fn row(kind: ActivityKind) -> NewActivity {
    NewActivity::by_provider(kind)
}

fn terms(permissions: &[Permission]) -> Terms {
    Terms::whole(permissions.iter().copied().collect::<PermissionSet>())
}

/// Takes a step that needs no things; `None` refuses.
async fn step(
    bakery: &Bakery,
    name: &MemberName,
    write: bool,
    decide: impl FnOnce(&ProvidersMemberFacts) -> Option<ProvidersMemberStep> + Send,
) -> Result<Result<ProvidersMemberDone, ()>, Failure> {
    let want = |_: &ProvidersMemberFacts| Ok(((), ThingKeys::default()));
    let decide = |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| decide(facts).ok_or(());
    bakery.store.change_member_by_provider(bakery.id, name, write, at(5), want, decide).await
}

fn hold(grants: Vec<Grant>) -> ProvidersMemberStep {
    let mails = vec![mail("bjorn@example.com")];
    ProvidersMemberStep::Hold(grants, row(ActivityKind::PermissionsChanged), mails)
}

/// What the product decides: somebody owns the account afterwards.
fn end(facts: &ProvidersMemberFacts) -> Option<ProvidersMemberStep> {
    let kind = ActivityKind::OwnerRemovedByProvider;
    (facts.other_owners > 0).then(|| ProvidersMemberStep::End(row(kind), Vec::new()))
}

async fn kinds(bakery: &Bakery) -> Vec<ActivityKind> {
    let rows = bakery.store.activity(bakery.id, &ActivityFilter::default(), 99).await.unwrap();
    rows.into_iter().map(|row| row.entry.kind).collect()
}

#[apply(on_both!)]
async fn what_the_provider_gives_is_held_and_logged_or_none_of_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let pay = granted(&[Permission::BillingPay]);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", pay.clone()).await;
    let given = grant(terms(&[Permission::SupportView]));
    let (name, before) = (named("BJORN@example.com"), kinds(&bakery).await.len());
    // Found out, and refused: nothing is written.
    let done = step(&bakery, &name, false, |_| Some(hold(vec![given.clone()]))).await.unwrap();
    let done = done.unwrap();
    let held = |kept: &Option<store::KeptMember>| kept.as_ref().unwrap().holding.access();
    assert_eq!(held(&done.before), pay);
    assert_eq!(held(&done.after), granted(&[Permission::SupportView]));
    assert!(step(&bakery, &name, true, |_| None).await.unwrap().is_err());
    assert_eq!((bakery.access(bjorn).await, kinds(&bakery).await.len()), (pay, before));

    let name = MemberName::Id(bjorn);
    let done = step(&bakery, &name, true, |_| Some(hold(vec![given.clone()]))).await.unwrap();
    let after = done.unwrap().after.unwrap();
    assert_eq!(after.holding, Holding::Granted(vec![given]));
    assert_eq!(bakery.access(bjorn).await, granted(&[Permission::SupportView]));
    assert_eq!(kinds(&bakery).await[0], ActivityKind::PermissionsChanged);

    let ended =
        |_: &_| Some(ProvidersMemberStep::End(row(ActivityKind::AccessRemoved), Vec::new()));
    let done = step(&bakery, &name, true, ended).await.unwrap().unwrap();
    assert!(done.before.is_some() && done.after.is_none());
    assert!(db.store.member(bakery.id, bjorn).await.unwrap().is_none());
    // Who is named and isn't there is told apart from nobody by nothing.
    for name in [name, named("bjorn@example.com"), named("nobody@example.com")] {
        let done = step(&bakery, &name, true, |facts| {
            assert!(facts.kept.is_none());
            None
        });
        assert!(done.await.unwrap().is_err());
    }
}

#[apply(on_both!)]
async fn things_are_named_by_both_ids_and_within_their_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let (own, other) = (service("Own"), service("Other"));
    db.store.add_service(bakery.id, &own).await.unwrap();
    db.store.add_service(agency, &other).await.unwrap();
    let odd: DoorKey = "o\"d'd\u{202e}".parse().unwrap();
    let keys = ThingKeys {
        services: [DoorKey::Id(own.id), DoorKey::Id(other.id), odd.clone()].into(),
        ..ThingKeys::default()
    };
    let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), keys));
    let decide = |_: &ProvidersMemberFacts, (): (), things: &KeyedThings| {
        let services = model::Area::Services;
        assert_eq!(things.find(services, &DoorKey::Id(own.id)), Some(own.id));
        assert_eq!(things.find(services, &DoorKey::Id(other.id)), None);
        assert_eq!(things.find(services, &odd), None);
        assert_eq!(things.find(model::Area::Domains, &DoorKey::Id(own.id)), None);
        let reach = Reach::of(false, [own.id]);
        let terms = Terms { services: reach, ..terms(&[Permission::ServicesView]) };
        Ok(hold(vec![grant(terms)]))
    };
    let name = named("bjorn@example.com");
    let done = db.store.change_member_by_provider(bakery.id, &name, true, at(5), want, decide);
    let done = done.await.unwrap().unwrap();
    let services = model::Area::Services;
    assert_eq!(done.things.name(services, own.id), DoorKey::Id(own.id));
    let (kept, things) = db.store.member_at_door(bakery.id, &name).await.unwrap().unwrap();
    assert_eq!(kept.member.user, bjorn);
    assert_eq!(things.find(services, &DoorKey::Id(own.id)), Some(own.id));
}

#[apply(on_both!)]
async fn users_are_listed_in_one_order(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..5 {
        let (name, address) = (format!("Person {number}"), format!("p{number}@example.com"));
        bakery.with(&name, &address, granted(&[Permission::BillingView])).await;
    }
    user(&db.store, "Kari Nordmann", "kari@example.com").await;
    let (mut found, mut behind) = (Vec::new(), Uuid::nil());
    loop {
        let (page, _) = db.store.members_at_door(bakery.id, behind, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        behind = last.member.user.into();
        assert!(
            page.iter().all(|kept| {
                kept.member.held.is_owner() == matches!(kept.holding, Holding::Owner)
            })
        );
        found.extend(page.iter().map(|kept| Uuid::from(kept.member.user)));
    }
    assert!(found.len() == 6 && found.is_sorted());
}

#[apply(on_both!)]
async fn an_offer_takes_the_place_of_what_is_open_and_is_taken_back(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = bakery.invite("kari@example.com", 7).await;
    let name = named("kari@example.com");
    let offered = offer(8, granted(&[Permission::SupportView]));
    let decide = |facts: &ProvidersMemberFacts| {
        assert_eq!(facts.pending.as_ref().unwrap().id, id);
        Some(ProvidersMemberStep::Offer(offered, Vec::new()))
    };
    let done = step(&bakery, &name, true, decide).await.unwrap().unwrap();
    let invited = done.invited.unwrap();
    assert_eq!((invited.id, invited.inviter), (id, None));
    assert_eq!(done.invited_before.unwrap().inviter, Some(bakery.ingrid));
    let replaced = db.store.open_invitation(&token(7), at(6)).await.unwrap().unwrap();
    assert!(replaced.replaced);

    let cancelled = |_: &_| row(ActivityKind::InvitationCancelled);
    for write in [false, true] {
        let store = &db.store;
        store.cancel_invitation_by_provider(bakery.id, id, write, at(7), cancelled).await.unwrap();
        let opened = store.open_invitation(&token(8), at(7)).await.unwrap().unwrap();
        let expected = if write { InvitationState::Cancelled } else { InvitationState::Pending };
        assert_eq!(opened.invitation.state, expected);
    }
    let again = db.store.cancel_invitation_by_provider(bakery.id, id, true, at(8), cancelled);
    assert_eq!(again.await.map(drop), Err(Failure::NotFound));
    let (agency, _) = account(&db.store, "Agency").await;
    let other = bakery.invite("ola@example.com", 9).await;
    let elsewhere = db.store.cancel_invitation_by_provider(agency, other, true, at(8), cancelled);
    assert_eq!(elsewhere.await.map(drop), Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn fifty_owners_taken_out_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..50 {
        let address = format!("owner{number}@example.com");
        bakery.with(&format!("Owner {number}"), &address, Access::Owner).await;
    }
    let (store, id) = (&db.store, bakery.id);
    let ended = at_once(51, |number| {
        let store: Store = store.clone();
        async move {
            let name = match number {
                50 => named("ingrid@example.com"),
                number => named(&format!("owner{number}@example.com")),
            };
            let want = |_: &ProvidersMemberFacts| Ok(((), ThingKeys::default()));
            let decide =
                |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| end(facts).ok_or(());
            let done = store.change_member_by_provider(id, &name, true, at(5), want, decide);
            done.await.unwrap().is_ok()
        }
    })
    .await;
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 50);
    assert_eq!(db.store.owners(bakery.id, 99).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn the_provider_and_somebody_in_the_account_change_one_after_the_other(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let (store, id, ingrid) = (&db.store, bakery.id, bakery.ingrid);
    // Each gives one permission besides those that it finds.
    let given = at_once(10, |number| {
        let store: Store = store.clone();
        async move {
            let more = grant(terms(&[Permission::SupportView]));
            if number % 2 == 0 {
                let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), ThingKeys::default()));
                let decide = |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| {
                    let held = facts.kept.as_ref().unwrap().holding.grants().to_vec();
                    Ok(hold([held, vec![more]].concat()))
                };
                let name = MemberName::Id(bjorn);
                let done = store.change_member_by_provider(id, &name, true, at(5), want, decide);
                done.await.unwrap().is_ok()
            } else {
                let decide = |facts: &store::ChangeFacts| {
                    let held = facts.holding.grants().to_vec();
                    let holding = Some(Holding::Granted([held, vec![more]].concat()));
                    Ok(Some(store::MembershipChange { holding, ..change(None) }))
                };
                store.change_membership(id, ingrid, bjorn, at(5), decide).await.is_ok()
            }
        }
    })
    .await;
    assert!(given.iter().all(|given| *given));
    let holding = db.store.holding(id, bjorn, false).await.unwrap();
    assert_eq!(holding.grants().len(), 11);
}
