use model::{Access, ActivityKind, Failure, Noted, Permission, Reach, Terms};
use sqlx::{PgPool, SqlitePool};
use store::{LinkedRow, NO_LINK, Store};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, at, at_once, change, entry};

/// Writes a row by the way that every row takes: together with what it tells.
pub(crate) async fn append(bakery: &Bakery, seconds: u64) -> Result<(), Failure> {
    let change = store::MembershipChange {
        entry: entry(ActivityKind::PermissionsChanged),
        ..change(Some(model::Access::Owner))
    };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    bakery.store.change_membership(id, ingrid, ingrid, at(seconds), |_| Ok(Some(change))).await
}

/// All rows of the bakery's chain, which must be whole.
async fn chain(store: &Store, bakery: &Bakery) -> Vec<LinkedRow> {
    let rows = store.linked_rows(bakery.id, 0, 999).await.unwrap();
    let mut previous = NO_LINK;
    for (place, row) in (1..).zip(&rows) {
        assert_eq!(row.sequence, place);
        previous = row.hash_behind(&previous);
        assert_eq!(row.hash.as_deref(), Some(&previous[..]), "row {place}");
    }
    let head = store.log_head(bakery.id).await.unwrap().unwrap();
    assert_eq!((head.sequence, head.hash), (rows.len() as i64, previous.to_vec()));
    rows
}

async fn refused(db: &TestDatabase, sqlite: &'static str, postgres: &'static str) -> String {
    let refused = if db.url.starts_with("sqlite:") {
        let pool = SqlitePool::connect(&db.url).await.unwrap();
        sqlx::query(sqlite).execute(&pool).await.map(drop)
    } else {
        let pool = PgPool::connect(&db.url).await.unwrap();
        sqlx::query(postgres).execute(&pool).await.map(drop)
    };
    refused.expect_err(sqlite).to_string()
}

#[apply(on_both!)]
async fn every_row_is_linked_to_the_one_before_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    assert!(chain(&db.store, &bakery).await[0].is_creation());
    append(&bakery, 1).await.unwrap();
    append(&bakery, 2).await.unwrap();
    let rows = chain(&db.store, &bakery).await;
    assert_eq!(rows.len(), 4);
    assert!(!rows[3].is_creation());
    let piece = db.store.linked_rows(bakery.id, 1, 2).await.unwrap();
    assert_eq!(piece.iter().map(|row| row.sequence).collect::<Vec<_>>(), [2, 3]);
}

#[apply(on_both!)]
async fn each_account_has_a_chain_of_its_own(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = crate::story::account(&db.store, "Agency").await;
    append(&bakery, 1).await.unwrap();
    assert_eq!(chain(&db.store, &bakery).await.len(), 3);
    assert_eq!(db.store.log_head(agency).await.unwrap().unwrap().sequence, 2);
}

#[apply(on_both!)]
async fn a_change_that_comes_to_nothing_leaves_the_chain_as_it_was(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    // The log's row is written, then the mail fails: its kind of failure doesn't matter.
    let nobody = uuid::Uuid::new_v4().into();
    let mail = crate::story::mail("a@example.com").invitation(nobody);
    let change = store::MembershipChange { mail: Some(mail), ..change(Some(model::Access::Owner)) };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let failed = db.store.change_membership(id, ingrid, ingrid, at(1), |_| Ok(Some(change))).await;
    assert_eq!(failed, Err(Failure::Unavailable));
    assert_eq!(chain(&db.store, &bakery).await.len(), 2);
    append(&bakery, 2).await.unwrap();
    assert_eq!(chain(&db.store, &bakery).await.len(), 3);
}

#[apply(on_both!)]
async fn fifty_at_once_make_one_unbroken_chain(db: TestDatabase) {
    let bakery = std::sync::Arc::new(Bakery::new(&db.store).await);
    let appended = at_once(50, |_| {
        let bakery = std::sync::Arc::clone(&bakery);
        async move { append(&bakery, 1).await }
    })
    .await;
    let done = appended.iter().filter(|appended| appended.is_ok()).count();
    assert!(
        done > 0 && appended.iter().all(|one| matches!(one, Ok(()) | Err(Failure::Unavailable)))
    );
    assert_eq!(chain(&db.store, &bakery).await.len(), 2 + done);
}

#[apply(on_both!)]
async fn a_row_without_a_link_is_refused(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let told = refused(
        &db,
        "INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, address, \
             person_key) \
         SELECT randomblob(16), account_id, at, kind, actor_name, subject_name, address, \
             person_key FROM activity",
        "INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, address, \
             person_key) \
         SELECT gen_random_uuid(), account_id, at, kind, actor_name, subject_name, address, \
             person_key FROM activity",
    )
    .await;
    assert!(told.contains("needs its link") || told.contains("always_linked"), "{told}");
    assert_eq!(db.store.unlinked_rows(bakery.id, uuid::Uuid::max()).await.unwrap(), 0);
}

#[apply(on_both!)]
async fn two_rows_never_have_one_number(db: TestDatabase) {
    Bakery::new(&db.store).await;
    let twice = "INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, \
                     address, person_key, sequence, hash) \
                 SELECT account_id, account_id, at, kind, actor_name, subject_name, address, \
                     person_key, sequence, hash FROM activity WHERE sequence = 1";
    let told = refused(&db, twice, twice).await;
    assert!(told.to_lowercase().contains("unique"), "{told}");
}

/// What is hashed is the text that a row holds, whatever it tells: what earlier versions wrote of grants
/// verifies beside what is written by now.
#[apply(on_both!)]
async fn rows_of_earlier_versions_verify_beside_new_ones(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let shop = crate::areas::service("Shop");
    db.store.add_service(bakery.id, &shop).await.unwrap();
    let kind = ActivityKind::PermissionsChanged;
    let seeing = [Permission::ServicesView].into_iter().collect();
    let services = Reach::of(false, [shop.id]);
    let new = Access::Granted(vec![Terms { services, ..Terms::whole(seeing) }]);
    // Before there were grants, it was the permissions; before grants had names, how many things.
    let earlier = ["billing.view billing.pay", "services.view services:2 until:1800000000000000"];
    let texts = earlier.map(|text| Noted::from_stored(kind, text));
    let entries = [
        entry(kind).after(texts[0].clone()),
        entry(kind).before(texts[0].clone()).after(texts[1].clone()),
        entry(kind).before(texts[1].clone()).after(&new),
        entry(kind).before(&new).after(&Access::Owner),
    ];
    for (entry, seconds) in entries.into_iter().zip(1..) {
        let change = store::MembershipChange { entry, ..change(Some(Access::Owner)) };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        let decide = |_: &store::ChangeFacts| Ok(Some(change));
        bakery.store.change_membership(id, ingrid, ingrid, at(seconds), decide).await.unwrap();
    }
    let rows = chain(&db.store, &bakery).await;
    let told: Vec<_> = rows.iter().filter_map(|row| row.told().after).collect();
    assert!(told.windows(2).any(|two| two == earlier), "{told:?}");
    assert!(told.iter().any(|text| text.contains("service=Shop")), "{told:?}");
}
