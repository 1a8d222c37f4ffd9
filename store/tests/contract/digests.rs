use model::{AccountId, AccountNumber, Day, Timestamp};
use store::{DigestFacts, LogDigest, UnsignedLog};
use test_database::{TestDatabase, apply, on_both};

use crate::activity::refuses;
use crate::chain::append;
use crate::story::{Bakery, DAY, account, at, at_once};

/// The day on which the tests begin: [`at`] 0 is in it.
fn today() -> Day {
    Day::of(at(0))
}

fn days_later(days: i64) -> Day {
    Day::from_stored(today().get() + days)
}

fn digest(log: &UnsignedLog, day: Day) -> LogDigest {
    LogDigest {
        facts: DigestFacts {
            number: log.number,
            day,
            sequence: log.sequence,
            hash: log.hash.clone(),
            signed_at: at(0).after(DAY),
        },
        public_key: vec![1; 32],
        signature: vec![2; 64],
    }
}

async fn unsigned(store: &store::Store, end: Timestamp) -> Vec<(AccountNumber, i64)> {
    let logs = store.unsigned_logs(end, None, 9).await.unwrap();
    logs.iter().map(|log| (log.number, log.sequence)).collect()
}

#[apply(on_both!)]
async fn a_log_is_unsigned_until_a_digest_covers_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    assert!(unsigned(&db.store, today().begin()).await.is_empty(), "the day isn't over");
    append(&bakery, 86_400).await.unwrap();
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!((logs[0].account, logs[0].number), (bakery.id, bakery.number));
    assert_eq!(logs[0].sequence, 2, "the third row is tomorrow's");
    assert_eq!(db.store.row_hash(bakery.id, 2).await.unwrap(), Some(logs[0].hash.clone()));

    let kept = digest(&logs[0], today());
    assert!(db.store.keep_digest(bakery.id, &kept).await.unwrap());
    assert!(unsigned(&db.store, today().end()).await.is_empty());
    assert_eq!(unsigned(&db.store, days_later(1).end()).await, [(bakery.number, 3)]);
}

#[apply(on_both!)]
async fn a_row_that_came_late_is_left_for_the_next_digest(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    let kept = digest(&logs[0], today());
    assert!(db.store.keep_digest(bakery.id, &kept).await.unwrap());
    append(&bakery, 1).await.unwrap();
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    let late = digest(&logs[0], today());
    assert!(!db.store.keep_digest(bakery.id, &late).await.unwrap(), "the day has one");
    let next = digest(&logs[0], days_later(1));
    assert!(db.store.keep_digest(bakery.id, &next).await.unwrap());
    assert!(unsigned(&db.store, days_later(1).end()).await.is_empty());
}

#[apply(on_both!)]
async fn unsigned_logs_come_in_pieces(db: TestDatabase) {
    let mut ids: Vec<AccountId> = Vec::new();
    for name in ["One", "Two", "Three"] {
        ids.push(account(&db.store, name).await.0);
    }
    ids.sort_unstable();
    let mut seen: Vec<AccountId> = Vec::new();
    loop {
        let after = seen.last().copied();
        let piece = db.store.unsigned_logs(today().end(), after, 2).await.unwrap();
        if piece.is_empty() {
            break;
        }
        seen.extend(piece.iter().map(|log| log.account));
    }
    assert_eq!(seen, ids);
}

#[apply(on_both!)]
async fn nodes_that_sign_at_once_keep_one_digest(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    let kept = at_once(8, |node| {
        let (store, id) = (db.store.clone(), bakery.id);
        let digest = LogDigest { signature: vec![node; 64], ..digest(&logs[0], today()) };
        async move { store.keep_digest(id, &digest).await }
    })
    .await;
    assert_eq!(kept.iter().filter(|kept| **kept == Ok(true)).count(), 1, "{kept:?}");
    assert_eq!(db.store.newest_digests(bakery.id, 9).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn digests_come_back_as_they_were_kept(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    assert_eq!(db.store.newest_digest_key().await.unwrap(), None);
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    let log = logs.iter().find(|log| log.account == bakery.id).unwrap();
    let kept: Vec<_> = (0..3).map(|days| digest(log, days_later(days))).collect();
    for one in &kept {
        assert!(db.store.keep_digest(bakery.id, one).await.unwrap());
    }
    let newest = db.store.newest_digests(bakery.id, 2).await.unwrap();
    assert_eq!(newest, [kept[2].clone(), kept[1].clone()]);
    let one = db.store.digest_of(bakery.id, days_later(1)).await.unwrap();
    assert_eq!(one.as_ref(), Some(&kept[1]));
    assert_eq!(db.store.digest_of(bakery.id, days_later(3)).await.unwrap(), None);
    assert_eq!(db.store.digest_of(agency, today()).await.unwrap(), None);
    assert_eq!(db.store.newest_digest_key().await.unwrap(), Some(vec![1; 32]));

    let first = db.store.digests_with_rows(bakery.id, None, 1).await.unwrap();
    assert_eq!(first, [(kept[0].clone(), Some(log.hash.clone()))]);
    let rest = db.store.digests_with_rows(bakery.id, Some(today()), 9).await.unwrap();
    assert_eq!(rest.len(), 2);
}

#[apply(on_both!)]
async fn a_digest_of_a_row_that_is_gone_comes_without_its_hash(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    let mut beyond = digest(&logs[0], today());
    beyond.facts.sequence = 99;
    assert!(db.store.keep_digest(bakery.id, &beyond).await.unwrap());
    let rows = db.store.digests_with_rows(bakery.id, None, 9).await.unwrap();
    assert_eq!(rows, [(beyond, None)]);
    assert_eq!(db.store.row_hash(bakery.id, 99).await.unwrap(), None);
}

#[apply(on_both!)]
async fn a_digest_is_never_changed_or_deleted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let logs = db.store.unsigned_logs(today().end(), None, 9).await.unwrap();
    assert!(db.store.keep_digest(bakery.id, &digest(&logs[0], today())).await.unwrap());
    refuses(&db, "UPDATE log_digests SET sequence = 1").await;
    refuses(&db, "DELETE FROM log_digests").await;
    assert_eq!(db.store.newest_digests(bakery.id, 9).await.unwrap().len(), 1);
}
