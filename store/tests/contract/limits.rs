use model::{Access, Failure, Limit, Limited, Permission};
use store::{Attempts, Bound, Offer, Offered};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, DAY, HOUR, at, at_once, email, granted, offer};

/// Ingrid offers an address something, within these bounds.
async fn offer_within(
    bakery: &Bakery,
    number: u8,
    address: &str,
    bounds: Vec<Bound>,
) -> Result<Offered, Failure> {
    let access: Access = granted(&[Permission::BillingView]);
    let decide = |_: &_| Ok(Offer { bounds, ..offer(number, access) });
    let to = email(address);
    bakery.store.offer_invitation(bakery.id, bakery.ingrid, &to, at(0), decide).await
}

fn bounds() -> Vec<Bound> {
    let bound = |key: &str, most, window, of| Bound { key: key.to_owned(), most, window, of };
    vec![
        bound("hour", 3, HOUR, Limited::InvitationsOfAccount),
        bound("day", 2, DAY, Limited::InvitationsToAddress),
    ]
}

#[apply(on_both!)]
async fn attempts_are_counted_until_their_window_ends(db: TestDatabase) {
    let first = db.store.count_attempt("sign-in", HOUR, at(0)).await.unwrap();
    assert_eq!(first, Attempts { count: 1, until: at(3600) });
    let second = db.store.count_attempt("sign-in", HOUR, at(3599)).await.unwrap();
    assert_eq!(second, Attempts { count: 2, until: at(3600) });
    let anew = db.store.count_attempt("sign-in", HOUR, at(3600)).await.unwrap();
    assert_eq!(anew, Attempts { count: 1, until: at(7200) });
}

#[apply(on_both!)]
async fn each_key_is_counted_on_its_own_and_can_be_forgotten(db: TestDatabase) {
    for _ in 0..3 {
        db.store.count_attempt("a", HOUR, at(0)).await.unwrap();
    }
    assert_eq!(db.store.count_attempt("b", HOUR, at(0)).await.unwrap().count, 1);
    db.store.forget_attempts("a").await.unwrap();
    assert_eq!(db.store.count_attempt("a", HOUR, at(0)).await.unwrap().count, 1);
    assert_eq!(db.store.count_attempt("b", HOUR, at(0)).await.unwrap().count, 2);
}

#[apply(on_both!)]
async fn counted_attempts_can_be_looked_at(db: TestDatabase) {
    assert_eq!(db.store.attempts("a", HOUR, at(0)).await.unwrap(), None);
    let counted = db.store.count_attempt("a", HOUR, at(0)).await.unwrap();
    assert_eq!(db.store.attempts("a", HOUR, at(3599)).await.unwrap(), Some(counted));
    assert_eq!(db.store.attempts("a", HOUR, at(3600)).await.unwrap(), None, "the window is over");
}

#[apply(on_both!)]
async fn attempts_at_once_are_all_counted(db: TestDatabase) {
    let mut counts = at_once(20, |_| {
        let store = db.store.clone();
        async move { store.count_attempt("a", HOUR, at(0)).await.unwrap().count }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
}

#[apply(on_both!)]
async fn an_offer_beyond_a_bound_comes_to_nothing_and_counts_nowhere(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for (number, address) in [(1, "a@example.com"), (2, "b@example.com")] {
        offer_within(&bakery, number, address, bounds()).await.unwrap();
    }
    let beyond = offer_within(&bakery, 3, "c@example.com", bounds()).await;
    let limit = Limit { of: Limited::InvitationsToAddress, retry_after_seconds: 86_400 };
    assert_eq!(beyond.map(drop), Err(Failure::TooMany(limit)));
    assert!(!db.store.is_in_account(bakery.id, &email("c@example.com")).await.unwrap());
    let tracked = db.store.track_invitation(bakery.id, &email("c@example.com"), at(0)).await;
    assert!(tracked.unwrap().is_none());
    assert_eq!(db.store.attempts("hour", HOUR, at(0)).await.unwrap().unwrap().count, 2);
}

#[apply(on_both!)]
async fn fifty_offers_at_once_stay_within_their_bound(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let offered = at_once(50, |number| {
        let (store, id, number_of) = (db.store.clone(), bakery.id, bakery.number);
        let bakery = Bakery { store, id, number: number_of, ingrid: bakery.ingrid };
        async move {
            let address = format!("user{number}@example.com");
            offer_within(&bakery, number, &address, bounds()).await.is_ok()
        }
    })
    .await;
    assert_eq!(offered.iter().filter(|offered| **offered).count(), 2);
}
