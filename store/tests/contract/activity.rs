use model::{ActivityKind, Cursor, Permission, PermissionSet};
use sqlx::{PgPool, SqlitePool};
use store::{ActivityFilter, ActivityRow, NewActivity};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, at, change, granted};

/// Writes a row by the way that every row takes: together with what it tells.
async fn write(bakery: &Bakery, row: NewActivity, seconds: u64) {
    let change = store::MembershipChange { entry: row, ..change(Some(model::Access::Owner)) };
    let ingrid = bakery.ingrid;
    let written = bakery
        .store
        .change_membership(bakery.id, ingrid, ingrid, at(seconds), |_| Ok(Some(change)));
    written.await.unwrap();
}

fn named(actor: &str, subject: &str) -> NewActivity {
    NewActivity::by(None, actor, ActivityKind::AccessRemoved, "192.0.2.1").about(None, subject)
}

async fn found(bakery: &Bakery, person: &str) -> Vec<String> {
    let filter = ActivityFilter { person: Some(person.to_owned()), ..ActivityFilter::default() };
    let rows = bakery.store.activity(bakery.id, &filter, 99).await.unwrap();
    rows.into_iter().map(|row| row.entry.subject_name).collect()
}

pub(crate) async fn refuses(db: &TestDatabase, statement: &'static str) {
    let refused = match db.url.starts_with("sqlite:") {
        true => {
            let pool = SqlitePool::connect(&db.url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.map(drop)
        }
        false => {
            let pool = PgPool::connect(&db.url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.map(drop)
        }
    };
    let error = refused.expect_err(statement).to_string();
    assert!(error.contains("the activity log is append-only"), "{statement}: {error}");
}

#[apply(on_both!)]
async fn a_row_comes_back_as_it_was_written(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let before: PermissionSet = [Permission::BillingView].into_iter().collect();
    let kind = ActivityKind::PermissionsChanged;
    let row = NewActivity::by(Some(bakery.ingrid), "Ingrid Berg", kind, "192.0.2.1")
        .about(Some(bakery.ingrid), "Bjørn <b>")
        .before(before)
        .after(PermissionSet::EMPTY);
    write(&bakery, row.clone(), 5).await;
    let rows = db.store.activity(bakery.id, &ActivityFilter::default(), 1).await.unwrap();
    assert_eq!(rows[0].at, at(5));
    assert_eq!(format!("{:?}", rows[0].entry), format!("{row:?}"));
}

#[apply(on_both!)]
async fn a_row_is_never_changed_or_deleted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    refuses(&db, "UPDATE activity SET actor_name = 'Nobody'").await;
    refuses(&db, "DELETE FROM activity").await;
    let rows = db.store.activity(bakery.id, &ActivityFilter::default(), 9).await.unwrap();
    assert_eq!(rows.len(), 2);
}

#[apply(on_both!)]
async fn pages_are_complete_and_newest_first_also_within_one_microsecond(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..30 {
        write(&bakery, named("Ingrid", &number.to_string()), 9).await;
    }
    let mut seen: Vec<String> = Vec::new();
    let mut filter =
        ActivityFilter { kind: Some(ActivityKind::AccessRemoved), ..ActivityFilter::default() };
    loop {
        let page = db.store.activity(bakery.id, &filter, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(Cursor { key: String::new(), id: last.id });
        seen.extend(page.into_iter().map(|row: ActivityRow| row.entry.subject_name));
    }
    let expected: Vec<_> = (0..30).rev().map(|number: i32| number.to_string()).collect();
    assert_eq!(seen, expected);
}

#[apply(on_both!)]
async fn rows_between_two_moments_are_found_to_the_second(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for second in [9, 10, 10, 11, 12] {
        write(&bakery, named("Ingrid", &second.to_string()), second).await;
    }
    let kind = Some(ActivityKind::AccessRemoved);
    for (from, until, expected) in [
        (None, None, vec!["12", "11", "10", "10", "9"]),
        (Some(10), None, vec!["12", "11", "10", "10"]),
        (None, Some(10), vec!["9"]),
        (Some(10), Some(12), vec!["11", "10", "10"]),
        (Some(13), None, vec![]),
        (Some(11), Some(11), vec![]),
    ] {
        let (from, until) = (from.map(at), until.map(at));
        let mut filter = ActivityFilter { kind, from, until, ..ActivityFilter::default() };
        let mut seen = Vec::new();
        loop {
            let page = db.store.activity(bakery.id, &filter, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(Cursor { key: String::new(), id: last.id });
            seen.extend(page.into_iter().map(|row| row.entry.subject_name));
        }
        assert_eq!(seen, expected, "{from:?} {until:?}");
    }
}

#[apply(on_both!)]
async fn rows_are_found_by_part_of_a_name_whatever_its_case(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    write(&bakery, named("Ingrid Berg", "Bjørn Ødegård"), 1).await;
    write(&bakery, named("Ingrid Berg", "Amira Haddad"), 2).await;
    assert_eq!(found(&bakery, "ØDEG").await, ["Bjørn Ødegård"]);
    assert_eq!(found(&bakery, " amira ").await, ["Amira Haddad"]);
    assert_eq!(found(&bakery, "odegaard").await, ["Bjørn Ødegård"]);
    assert_eq!(found(&bakery, "bjorn\u{a0}\u{200b}ODEGA\u{30a}rd").await, ["Bjørn Ødegård"]);
    assert_eq!(found(&bakery, "berg").await.len(), 3, "as the actor; the first invitation too");
    assert!(found(&bakery, "nobody\0").await.is_empty());
}

#[apply(on_both!)]
async fn rows_of_earlier_versions_are_found_as_their_names_are_written(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    write(&bakery, named("Ingrid Berg", "Bjørn Ødegård"), 1).await;
    let before = "INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, \
                      address, person_key, sequence, hash) \
                  SELECT account_id, account_id, at, kind, actor_name, 'Earlier', address, \
                      'ingrid berg bjørn ødegård', 99, hash FROM activity WHERE sequence = 1";
    if db.url.starts_with("sqlite:") {
        let pool = SqlitePool::connect(&db.url).await.unwrap();
        sqlx::query(before).execute(&pool).await.unwrap();
    } else {
        let pool = PgPool::connect(&db.url).await.unwrap();
        sqlx::query(before).execute(&pool).await.unwrap();
    }
    let mut both = found(&bakery, "Bjørn").await;
    both.sort();
    assert_eq!(both, ["Bjørn Ødegård", "Earlier"]);
}

#[apply(on_both!)]
async fn percent_and_underline_stand_for_themselves(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    write(&bakery, named("Ingrid", "100% Discount"), 1).await;
    write(&bakery, named("Ingrid", "under_line!"), 2).await;
    assert_eq!(found(&bakery, "%").await, ["100% Discount"]);
    assert_eq!(found(&bakery, "r_l").await, ["under_line!"]);
    assert_eq!(found(&bakery, "!").await, ["under_line!"]);
    assert!(found(&bakery, "u_d").await.is_empty());
}

#[apply(on_both!)]
async fn rows_of_one_kind_are_found(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    write(&bakery, named("Ingrid", "Bjørn"), 1).await;
    let kind = Some(ActivityKind::AccountCreated);
    let filter = ActivityFilter { kind, ..ActivityFilter::default() };
    let rows = db.store.activity(bakery.id, &filter, 9).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.kind, ActivityKind::AccountCreated);
}

#[apply(on_both!)]
async fn the_log_of_another_account_is_another(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Bjørn", "bjorn@example.com", granted(&[])).await;
    let (agency, _) = crate::story::account(&db.store, "Agency").await;
    write(&bakery, named("Ingrid", "Bjørn"), 1).await;
    let rows = db.store.activity(agency, &ActivityFilter::default(), 9).await.unwrap();
    assert_eq!(rows.len(), 2);
}
