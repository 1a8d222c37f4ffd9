use model::{
    Access, AccessRequestState, ActivityKind, Conflict, EmailAddress, Failure, InvitationState,
    Noted, Permission,
};
use store::{
    ActivityFilter, AskFacts, Belonging, NewAccessRequest, NewActivity, NewPause, OwnersChange,
    OwnersFacts, PauseChange, ProvidersOfferFacts, Store, WantedOwners,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, DAY, at, at_once, email, entry, granted, mail, offer, token, user};

fn row(kind: ActivityKind) -> NewActivity {
    NewActivity::by_provider(kind).after(Noted::Reason("She left".to_owned()))
}

fn written() -> OwnersChange {
    let entries = vec![row(ActivityKind::OwnerAddedByProvider)];
    OwnersChange { entries, mails: vec![mail("ingrid@example.com")] }
}

/// What the product decides: somebody owns the account afterwards.
pub(crate) fn keep_an_owner(facts: &OwnersFacts) -> Result<Option<OwnersChange>, Failure> {
    match facts.left {
        0 => Err(Failure::Conflict(Conflict::LastOwner)),
        _ => Ok(Some(written())),
    }
}

async fn change(
    store: &Store,
    bakery: &Bakery,
    added: Option<&str>,
    removed: Option<&str>,
) -> Result<OwnersFacts, Failure> {
    let (added, removed) = (added.map(email), removed.map(email));
    let wanted = WantedOwners { added: added.as_ref(), removed: removed.as_ref() };
    store.change_owners_by_provider(bakery.id, wanted, at(5), keep_an_owner).await
}

async fn owners(bakery: &Bakery) -> Vec<String> {
    let owners = bakery.store.owners(bakery.id, 99).await.unwrap();
    owners.into_iter().map(|owner| owner.email.to_string()).collect()
}

#[apply(on_both!)]
async fn whoever_isnt_in_the_account_joins_as_an_owner(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = user(&db.store, "Kari Nordmann", "kari@example.com").await;
    bakery.invite("kari@example.com", 7).await;
    let facts = change(&db.store, &bakery, Some("KARI@example.com"), None).await.unwrap();
    assert_eq!((facts.account_name.as_str(), facts.owners.len()), ("Bakery", 1));
    assert_eq!(facts.added.unwrap().standing, Belonging::Outside);
    assert_eq!(facts.pending.unwrap().state, InvitationState::Pending);
    assert_eq!(bakery.access(kari).await, Access::Owner);
    let opened = db.store.open_invitation(&token(7), at(6)).await.unwrap().unwrap();
    assert_eq!(opened.invitation.state, InvitationState::Cancelled);
    let log = db.store.activity(bakery.id, &ActivityFilter::default(), 1).await.unwrap();
    assert_eq!(log[0].entry.kind, ActivityKind::OwnerAddedByProvider);
    assert_eq!(log[0].entry.after, Some(Noted::Reason("She left".to_owned())));
}

#[apply(on_both!)]
async fn whoever_is_in_the_account_holds_no_grants_any_more_and_is_paused_no_more(
    db: TestDatabase,
) {
    let bakery = Bakery::new(&db.store).await;
    let pay = granted(&[Permission::BillingPay]);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", pay).await;
    let ask = |_: &AskFacts| {
        Ok(NewAccessRequest {
            until: None,
            why: String::new(),
            told: Vec::new(),
            entry: entry(ActivityKind::AccessRequested),
            mails: Vec::new(),
            bounds: Vec::new(),
        })
    };
    let wanted = Permission::ServicesView;
    db.store.ask_for_access(bakery.id, bjorn, wanted, None, at(1), ask).await.unwrap();
    let pause = |_: &_| {
        Ok(Some(PauseChange {
            pause: Some(NewPause { by: bakery.ingrid, why: "On leave".to_owned() }),
            entry: entry(ActivityKind::AccessPaused),
            mail: mail("bjorn@example.com"),
        }))
    };
    db.store.change_pause(bakery.id, bakery.ingrid, bjorn, at(2), pause).await.unwrap();
    let facts = change(&db.store, &bakery, Some("bjorn@example.com"), None).await.unwrap();
    assert_eq!(facts.added.unwrap().standing, Belonging::User);
    assert_eq!(bakery.access(bjorn).await, Access::Owner);
    let member = db.store.member(bakery.id, bjorn).await.unwrap().unwrap();
    assert_eq!(member.pause(at(9)), None);
    let asked = db.store.access_requests_of(bakery.id, bjorn, 9).await.unwrap();
    assert_eq!(asked[0].state, AccessRequestState::Given);
    assert_eq!(asked[0].answered_by, None);
    // Should they be an owner no more, nothing of before comes back.
    let less = |_: &_| Ok(Some(crate::story::change(Some(Access::NONE))));
    db.store.change_membership(bakery.id, bakery.ingrid, bjorn, at(9), less).await.unwrap();
    assert_eq!(bakery.access(bjorn).await, Access::NONE);
    let member = db.store.member(bakery.id, bjorn).await.unwrap().unwrap();
    assert_eq!(member.paused, None);
}

#[apply(on_both!)]
async fn the_last_owner_is_replaced_in_one_step(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    user(&db.store, "Kari Nordmann", "kari@example.com").await;
    let ingrid = Some("ingrid@example.com");
    let refused = change(&db.store, &bakery, None, ingrid).await.map(drop);
    assert_eq!(refused, Err(Failure::Conflict(Conflict::LastOwner)));
    assert_eq!(owners(&bakery).await, ["ingrid@example.com"]);
    let facts = change(&db.store, &bakery, Some("kari@example.com"), ingrid).await.unwrap();
    assert_eq!(facts.removed.unwrap().user, bakery.ingrid);
    assert_eq!(owners(&bakery).await, ["kari@example.com"]);
    assert!(!db.store.is_in(bakery.id, bakery.ingrid).await.unwrap());
}

#[apply(on_both!)]
async fn nobody_and_nothing_is_changed_when_it_is_decided_so(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = email("kari@example.com");
    let wanted = WantedOwners { added: Some(&kari), removed: None };
    let decide = |facts: &OwnersFacts| {
        assert!(facts.added.is_none() && facts.pending.is_none());
        Ok(None)
    };
    db.store.change_owners_by_provider(bakery.id, wanted, at(1), decide).await.unwrap();
    assert_eq!(owners(&bakery).await, ["ingrid@example.com"]);
    let nowhere = uuid::Uuid::nil().into();
    let missing = db.store.change_owners_by_provider(nowhere, wanted, at(1), decide).await;
    assert_eq!(missing.map(drop), Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn fifty_owners_removed_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut addresses = vec!["ingrid@example.com".to_owned()];
    for number in 1..50 {
        let address = format!("o{number}@example.com");
        bakery.with(&format!("Owner {number}"), &address, Access::Owner).await;
        addresses.push(address);
    }
    let id = bakery.id;
    let results = at_once(50, |number| {
        let (store, address) = (db.store.clone(), email(&addresses[usize::from(number)]));
        async move {
            let wanted = WantedOwners { added: None, removed: Some(&address) };
            store.change_owners_by_provider(id, wanted, at(5), keep_an_owner).await.map(drop)
        }
    })
    .await;
    let stayed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(stayed, [Failure::Conflict(Conflict::LastOwner)]);
    assert_eq!(owners(&bakery).await.len(), 1);
}

#[apply(on_both!)]
async fn two_who_replace_each_other_in_two_accounts_wait_in_no_circle(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = user(&db.store, "Kari Nordmann", "kari@example.com").await;
    let (agency, _) = crate::story::account(&db.store, "Agency").await;
    db.store.add_member(agency, kari, Access::Owner, at(0)).await.unwrap();
    let people: [EmailAddress; 2] = [email("ingrid@example.com"), email("kari@example.com")];
    let results = at_once(2, |number| {
        let (store, people, bakery) = (db.store.clone(), people.clone(), bakery.id);
        async move {
            let [ingrid, kari] = &people;
            let (account, added, removed) =
                if number == 0 { (bakery, kari, ingrid) } else { (agency, ingrid, kari) };
            let wanted = WantedOwners { added: Some(added), removed: Some(removed) };
            store.change_owners_by_provider(account, wanted, at(5), keep_an_owner).await.map(drop)
        }
    })
    .await;
    assert_eq!(results, [Ok(()), Ok(())]);
    assert_eq!(owners(&bakery).await, ["kari@example.com"]);
    assert_eq!(db.store.owners(agency, 9).await.unwrap()[0].email, people[0]);
}

#[apply(on_both!)]
async fn somebody_is_offered_to_own_the_account_anew(db: TestDatabase) {
    let (id, _) = crate::story::account(&db.store, "Bakery").await;
    let founder = email("founder@example.com");
    let decide = |facts: &ProvidersOfferFacts| {
        assert!(facts.owners.is_empty() && !facts.in_account);
        let pending = facts.pending.as_ref().unwrap();
        assert!(pending.state == InvitationState::Expired && pending.offered.is_owner());
        let offer = store::Offer { expires_at: at(0).after(9 * DAY), ..offer(8, Access::Owner) };
        Ok((offer, Vec::new()))
    };
    let later = at(0).after(2 * DAY);
    db.store.offer_ownership_by_provider(id, &founder, later, decide).await.unwrap();
    let opened = db.store.open_invitation(&token(8), later).await.unwrap().unwrap();
    assert_eq!(opened.invitation.state, InvitationState::Pending);
    assert_eq!((opened.invitation.inviter, opened.account_name.as_str()), (None, "Bakery"));
    let inviting = db.store.inviting_accounts(&founder, 9).await.unwrap();
    assert_eq!(inviting.iter().map(|one| one.account).collect::<Vec<_>>(), [id]);
}

#[apply(on_both!)]
async fn an_offer_to_own_takes_the_place_of_another(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("kari@example.com", 7).await;
    let decide = |facts: &ProvidersOfferFacts| {
        assert_eq!(facts.owners.len(), 1);
        Ok((offer(8, Access::Owner), vec![mail("ingrid@example.com")]))
    };
    let kari = email("kari@example.com");
    db.store.offer_ownership_by_provider(bakery.id, &kari, at(1), decide).await.unwrap();
    assert!(db.store.open_invitation(&token(7), at(1)).await.unwrap().unwrap().replaced);
    let opened = db.store.open_invitation(&token(8), at(1)).await.unwrap().unwrap();
    assert_eq!(
        (opened.invitation.offered.access(), opened.invitation.inviter),
        (Access::Owner, None)
    );
    let in_account = |facts: &ProvidersOfferFacts| {
        assert!(facts.in_account);
        Err(Failure::Conflict(Conflict::AlreadyInAccount))
    };
    let ingrid = email("ingrid@example.com");
    let refused = db.store.offer_ownership_by_provider(bakery.id, &ingrid, at(1), in_account).await;
    assert_eq!(refused.map(drop), Err(Failure::Conflict(Conflict::AlreadyInAccount)));
}

#[apply(on_both!)]
async fn a_new_name_while_somebody_becomes_an_owner_is_theirs_there_too(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = user(&db.store, "Mei Tanaka", "mei@example.com").await;
    let (store, id) = (db.store.clone(), bakery.id);
    let adding = tokio::spawn(async move {
        let mei = email("mei@example.com");
        let wanted = WantedOwners { added: Some(&mei), removed: None };
        store.change_owners_by_provider(id, wanted, at(5), keep_an_owner).await.map(drop)
    });
    let name = model::FullName::parse("Aiko Sato").unwrap();
    db.store.change_profile(mei, &name, None, None, at(5)).await.unwrap();
    adding.await.unwrap().unwrap();
    let query = store::UsersQuery { search: Some("sato".to_owned()), ..Default::default() };
    assert_eq!(db.store.users(bakery.id, &query, 9).await.unwrap()[0].user, mei);
}
