use model::{AccountNumber, ActivityKind, Failure, InvitationState, Permission};
use store::{AccountDetails, ActivityFilter, LockedActor};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, HOUR, account, at, at_once, email, entry, granted, token, user};

fn details(name: &str) -> AccountDetails {
    AccountDetails {
        name: name.to_owned(),
        street: "Storgata 12".to_owned(),
        postal_code: "9008".to_owned(),
        town: "Tromsø".to_owned(),
        country: "Norway".to_owned(),
        time_zone: "Europe/Oslo".to_owned(),
    }
}

#[apply(on_both!)]
async fn the_first_account_has_number_100001_and_the_next_the_next(db: TestDatabase) {
    let (_, first) = account(&db.store, "One").await;
    let (_, second) = account(&db.store, "Two").await;
    assert_eq!((first.get(), second.get()), (100_001, 100_002));
}

#[apply(on_both!)]
async fn accounts_created_at_once_have_different_numbers(db: TestDatabase) {
    let mut numbers = at_once(10, |_| {
        let store = db.store.clone();
        async move { account(&store, "One of many").await.1.get() }
    })
    .await;
    numbers.sort_unstable();
    assert_eq!(numbers, (100_001..=100_010).collect::<Vec<_>>());
}

#[apply(on_both!)]
async fn a_new_account_has_its_first_log_rows_an_invitation_and_a_mail(db: TestDatabase) {
    let (id, number) = account(&db.store, "Bakery").await;
    let rows = db.store.activity(id, &ActivityFilter::default(), 9).await.unwrap();
    let kinds: Vec<_> = rows.iter().map(|row| row.entry.kind).collect();
    assert_eq!(kinds, [ActivityKind::InvitationSent, ActivityKind::AccountCreated]);
    assert!(rows[1].entry.actor.is_none() && rows[1].entry.actor_name.is_empty());

    let pending = db.store.pending_invitations(id, None, 9, at(0)).await.unwrap();
    assert_eq!(pending[0].invitation.email, email("founder@example.com"));
    assert!(pending[0].invitation.offered.is_owner() && pending[0].inviter_name.is_none());
    assert!(db.store.take_mail(HOUR, at(0)).await.unwrap().is_some());

    let mut token_hash = token(255);
    token_hash[..16].copy_from_slice(uuid::Uuid::from(id).as_bytes());
    let opened = db.store.open_invitation(&token_hash, at(0)).await.unwrap().unwrap();
    assert_eq!((opened.account, opened.account_number), (id, number));
    assert_eq!(opened.invitation.state, InvitationState::Pending);
    assert!(opened.inviter_name.is_none() && opened.inviter_access.is_none());
}

#[apply(on_both!)]
async fn accounts_are_listed_by_number_with_their_users(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Bjørn Lie", "bjorn@example.com", granted(&[])).await;
    account(&db.store, "Empty").await;
    let all = db.store.accounts(None, 9, at(0)).await.unwrap();
    let counted: Vec<_> = all.iter().map(|row| (row.owners, row.users)).collect();
    assert_eq!(counted, [(1, 2), (0, 0)]);
    assert_eq!(all[0].id, bakery.id);
    assert_eq!(db.store.account(bakery.number).await, Ok(bakery.id));
    let rest = db.store.accounts(Some(bakery.number), 9, at(0)).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].name, "Empty");
    assert_eq!(db.store.accounts(None, 1, at(0)).await.unwrap()[0].number, bakery.number);
    let after_all = Some(AccountNumber::from_stored(200_000));
    assert!(db.store.accounts(after_all, 9, at(0)).await.unwrap().is_empty());
    let none = db.store.account(AccountNumber::from_stored(200_000)).await;
    assert_eq!(none, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn changed_details_are_logged(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let new = details("Nordlys Bakeri");
    let before = db.store.account_details(bakery.id).await.unwrap();
    let decide = |by: &LockedActor, present: &AccountDetails| {
        assert_eq!(*present, before);
        assert!(by.access.is_owner() && by.actor.user == bakery.ingrid);
        assert_eq!(by.name, "Ingrid Berg");
        Ok(Some((new.clone(), entry(ActivityKind::AccountChanged))))
    };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_account_details(id, ingrid, at(1), decide).await.unwrap();
    assert_eq!(db.store.account_details(bakery.id).await.unwrap(), new);
    let rows = db.store.activity(bakery.id, &ActivityFilter::default(), 1).await.unwrap();
    assert_eq!((rows[0].entry.kind, rows[0].at), (ActivityKind::AccountChanged, at(1)));
}

#[apply(on_both!)]
async fn details_stay_when_the_decision_is_no(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let before = db.store.account_details(bakery.id).await.unwrap();
    let no = Failure::NotAllowed(Permission::AccountProfile);
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let decide = |_: &_, _: &_| Err(no.clone());
    let refused = db.store.change_account_details(id, ingrid, at(1), decide);
    assert_eq!(refused.await, Err(no));
    assert_eq!(db.store.account_details(bakery.id).await.unwrap(), before);
}

#[apply(on_both!)]
async fn somebody_from_elsewhere_cannot_tell_that_the_account_exists(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let stranger = user(&db.store, "Tom", "tom@example.com").await;
    let decide = |_: &_, _: &_| panic!("asked about a stranger");
    let changed = db.store.change_account_details(bakery.id, stranger, at(1), decide);
    assert_eq!(changed.await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn the_provider_sets_details_without_a_log_row(db: TestDatabase) {
    let (id, _) = account(&db.store, "Bakery").await;
    db.store.set_account_details(id, &details("Nordlys")).await.unwrap();
    assert_eq!(db.store.account_details(id).await.unwrap(), details("Nordlys"));
    let nowhere = uuid::Uuid::new_v4().into();
    let set = db.store.set_account_details(nowhere, &details("Nowhere")).await;
    assert_eq!(set, Err(Failure::NotFound));
    assert_eq!(db.store.account_details(nowhere).await, Err(Failure::NotFound));
}
