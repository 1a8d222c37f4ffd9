use model::{AccountId, ActivityKind, Conflict, DoorKey, Failure, Timestamp};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use store::{
    Asked, Behind, Changes, Decided, DoorDomain, DoorPage, DoorService, Kept, Step, Store,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{Bakery, account, at, at_once, entry, secret};

fn service(name: &str) -> DoorService {
    DoorService {
        name: name.to_owned(),
        plan: String::new(),
        state: "active".to_owned(),
        renews_at: at(60),
        login_name: String::new(),
        login_password: secret(""),
        open_link: None,
        renew_link: None,
    }
}

fn key(text: &str) -> DoorKey {
    text.parse().unwrap()
}

/// Puts services with these refs, of these accounts and names, and refuses those without a name.
async fn put(
    store: &Store,
    rows: &[(&str, AccountId, &str)],
) -> Result<Changes<DoorService, ()>, Failure> {
    let asked: Vec<_> = rows
        .iter()
        .map(|(name, account, _)| Asked {
            key: key(name),
            account: Some(DoorKey::Id((*account).into())),
        })
        .collect();
    let decide = |index: usize, present: Option<&Kept<DoorService>>, _: Option<&_>| {
        let (_, account, name) = rows[index];
        if name.is_empty() {
            return Err(());
        }
        let kind = match present {
            Some(_) => ActivityKind::ServiceChanged,
            None => ActivityKind::ServiceAdded,
        };
        Ok(Decided {
            step: Step::Write { account: Some(account), thing: service(name) },
            id: Uuid::new_v4(),
            entries: vec![(account, entry(kind))],
            owner: None,
        })
    };
    store.change_services_at_door(&asked, true, at(1), decide).await
}

fn names(page: &DoorPage<DoorService>) -> Vec<&str> {
    page.rows.iter().map(|kept| kept.thing.name.as_str()).collect()
}

async fn since(store: &Store, moment: Timestamp) -> DoorPage<DoorService> {
    store.list_services_at_door(None, Behind::since(moment), 100).await.unwrap()
}

async fn log_length(bakery: &Bakery) -> usize {
    bakery.store.linked_rows(bakery.id, 0, 1_000).await.unwrap().len()
}

#[apply(on_both!)]
async fn one_thing_has_one_id_of_the_providers(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    put(&db.store, &[("a", bakery.id, "One")]).await.unwrap();
    let changes = put(&db.store, &[("a", agency, "Two")]).await.unwrap();
    let done = changes.rows[0].as_ref().unwrap();
    let (before, after) = (done.before.as_ref().unwrap(), done.after.as_ref().unwrap());
    assert_eq!((before.id, before.account.id), (after.id, bakery.id));
    assert_eq!((after.account.id, after.reference.as_ref().unwrap().as_str()), (agency, "a"));
    let found = db.store.find_service_at_door(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.id, found.thing.name.as_str()), (after.id, "Two"));
    assert_eq!(db.store.find_service_at_door(&key("A")).await.unwrap(), None);
    // Another kind has its own.
    assert_eq!(db.store.find_domain_at_door(&key("a")).await.unwrap(), None);
    let page = db.store.list_services_at_door(Some(bakery.id), Behind::since(at(0)), 9).await;
    assert!(page.unwrap().rows.is_empty());
}

#[apply(on_both!)]
async fn fifty_who_make_one_thing_at_once_make_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let (bakery_id, before) = (bakery.id, log_length(&bakery).await);
    let made = at_once(50, |number| {
        let store = db.store.clone();
        // Also of two accounts, whose locks are two.
        let account = if number % 2 == 0 { bakery_id } else { agency };
        async move { put(&store, &[("a", account, "One")]).await.map(|changes| changes.written) }
    })
    .await;
    let faster = Failure::Conflict(Conflict::ChangedMeanwhile);
    assert!(
        made.iter().all(|made| matches!(made, Ok(true)) || *made == Err(faster.clone())),
        "{made:?}"
    );
    assert!(made.contains(&Ok(true)));
    assert_eq!(since(&db.store, Timestamp::from_micros(0)).await.rows.len(), 1);
    assert!(log_length(&bakery).await > before || !made.is_empty());
}

#[apply(on_both!)]
async fn rows_are_written_all_or_none(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, before) = (bakery.id, log_length(&bakery).await);
    let changes =
        put(&db.store, &[("a", id, "One"), ("b", id, ""), ("a", id, "Two")]).await.unwrap();
    assert!(!changes.written && changes.rows[1] == Err(()));
    // The third row saw what the first one would have made.
    let third = changes.rows[2].as_ref().unwrap();
    assert_eq!(third.before.as_ref().unwrap().thing.name, "One");
    assert!(since(&db.store, Timestamp::from_micros(0)).await.rows.is_empty());
    assert_eq!(log_length(&bakery).await, before);
    let changes = put(&db.store, &[("a", id, "One"), ("b", id, "Two"), ("a", id, "Three")]).await;
    assert!(changes.unwrap().written);
    let mut found = since(&db.store, Timestamp::from_micros(0)).await;
    found.rows.sort_by(|one, other| one.reference.cmp(&other.reference));
    assert_eq!(names(&found), ["Three", "Two"]);
    assert_eq!(log_length(&bakery).await, before + 3);
}

#[apply(on_both!)]
async fn whoever_reads_on_misses_nothing_of_a_transaction_that_is_slow_to_commit(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    put(&db.store, &[("a", bakery.id, "Before")]).await.unwrap();
    let begun = since(&db.store, Timestamp::from_micros(0)).await.as_of;
    let id = Uuid::from(bakery.id).simple();
    let is_sqlite = db.url.starts_with("sqlite:");
    let (account, other) = match is_sqlite {
        true => (format!("x'{id}'"), "randomblob(16)"),
        false => (format!("'{id}'"), "gen_random_uuid()"),
    };
    let insert = AssertSqlSafe(format!(
        "INSERT INTO services \
             (id, account_id, name, plan, state, renews_at, login_name, login_password) \
         VALUES ({other}, {account}, 'Slow', '', 'active', 0, '', '')"
    ));
    // By another process, whatever it is.
    let seen_meanwhile;
    if is_sqlite {
        let mut slow = SqliteConnection::connect(&db.url).await.unwrap();
        slow.execute("BEGIN IMMEDIATE").await.unwrap();
        slow.execute(insert).await.unwrap();
        seen_meanwhile = since(&db.store, begun).await;
        assert!(seen_meanwhile.rows.is_empty());
        slow.execute("COMMIT").await.unwrap();
    } else {
        let mut slow = PgConnection::connect(&db.url).await.unwrap();
        slow.execute("BEGIN").await.unwrap();
        slow.execute(insert).await.unwrap();
        let (agency, _) = self::account(&db.store, "Agency").await;
        put(&db.store, &[("b", agency, "Quick")]).await.unwrap();
        seen_meanwhile = since(&db.store, begun).await;
        assert_eq!(names(&seen_meanwhile), ["Quick"]);
        slow.execute("COMMIT").await.unwrap();
    }
    assert_eq!(names(&since(&db.store, seen_meanwhile.as_of).await), ["Slow"]);
    // Also by whoever goes on behind the last thing that they saw.
    let last = seen_meanwhile.rows.last().map(|kept| Behind { changed: kept.changed, id: kept.id });
    let behind = last.unwrap_or(Behind::since(begun));
    let page = db.store.list_services_at_door(None, behind, 9).await.unwrap();
    assert_eq!(names(&page), ["Slow"]);
}

#[apply(on_both!)]
async fn changes_at_once_are_read_in_the_order_in_which_they_came_to_be_seen(db: TestDatabase) {
    let mut accounts = Vec::new();
    for _ in 0..8 {
        accounts.push(account(&db.store, "One of many").await.0);
    }
    let begun = since(&db.store, Timestamp::from_micros(0)).await.as_of;
    let writing = at_once(8, |number| {
        let (store, account) = (db.store.clone(), accounts[usize::from(number)]);
        async move {
            for round in 0..5 {
                let name = format!("{number}-{round}");
                put(&store, &[(&name, account, "One")]).await.unwrap();
            }
        }
    });
    let reading = async {
        let (mut from, mut found) = (begun, std::collections::BTreeSet::new());
        while found.len() < 40 {
            let page = since(&db.store, from).await;
            found.extend(page.rows.iter().map(|kept| kept.id));
            from = page.as_of;
        }
        found.len()
    };
    let reading = tokio::time::timeout(std::time::Duration::from_secs(60), reading);
    let (_, found) = tokio::join!(writing, reading);
    assert_eq!(found, Ok(40));
}

#[apply(on_both!)]
async fn what_did_not_change_is_not_told_again(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    put(&db.store, &[("a", bakery.id, "One")]).await.unwrap();
    let as_of = since(&db.store, Timestamp::from_micros(0)).await.as_of;
    let asked = [Asked { key: key("a"), account: None }];
    let leave = |_: usize, _: Option<&Kept<DoorService>>, _: Option<&_>| {
        let (step, id) = (Step::Leave, Uuid::new_v4());
        Ok::<_, ()>(Decided { step, id, entries: Vec::new(), owner: None })
    };
    let changes = db.store.change_services_at_door(&asked, true, at(2), leave).await.unwrap();
    let done = changes.rows[0].as_ref().unwrap();
    assert_eq!(done.before, done.after);
    assert!(since(&db.store, as_of).await.rows.is_empty());
}

#[apply(on_both!)]
async fn a_thing_that_is_deleted_at_the_door_is_gone(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let domain = DoorDomain {
        name: "a.example".to_owned(),
        state: "active".to_owned(),
        expires_at: at(9),
        locked: true,
        renew_link: None,
    };
    let asked = [Asked { key: key("a"), account: Some(DoorKey::Number(bakery.number)) }];
    for step in [Step::Write { account: Some(bakery.id), thing: domain }, Step::Remove] {
        let decide = |_: usize, _: Option<&_>, _: Option<&_>| {
            let (id, step) = (Uuid::new_v4(), step.clone());
            Ok::<_, ()>(Decided { step, id, entries: Vec::new(), owner: None })
        };
        db.store.change_domains_at_door(&asked, true, at(2), decide).await.unwrap();
        let found = db.store.find_domain_at_door(&key("a")).await.unwrap();
        assert_eq!(found.is_some(), matches!(step, Step::Write { .. }));
    }
}
