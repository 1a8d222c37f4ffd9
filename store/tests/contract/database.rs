use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, PgPool, SqlitePool, query_as, query_scalar};
use store::{OpenError, Store};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, at, at_once};

/// A column: its table, its name, its type, whether it may be NULL.
type Column = (String, String, String, bool);

async fn sqlite_columns(url: &str) -> BTreeSet<Column> {
    let pool = SqlitePool::connect(url).await.unwrap();
    let columns: Vec<Column> = query_as(
        "SELECT t.name, c.name, c.type, NOT c.\"notnull\" \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    columns.into_iter().collect()
}

/// As SQLite would describe them.
async fn postgres_columns(url: &str) -> BTreeSet<Column> {
    let pool = PgPool::connect(url).await.unwrap();
    let columns: Vec<Column> = query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
         FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let as_in_sqlite = |(table, column, kind, nullable): Column| {
        let kind = match kind.as_str() {
            "uuid" | "bytea" => "BLOB",
            "bigint" | "boolean" => "INTEGER",
            "text" => "TEXT",
            other => panic!("{table}.{column} is {other}"),
        };
        (table, column, kind.to_owned(), nullable)
    };
    columns.into_iter().map(as_in_sqlite).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (test_database::sqlite().await, test_database::postgres().await);
    let here = sqlite_columns(&sqlite.url).await;
    let there = postgres_columns(&postgres.url).await;
    assert!(here.len() > 80);
    assert_eq!(here.difference(&there).collect::<Vec<_>>(), Vec::<&Column>::new());
    assert_eq!(there.difference(&here).collect::<Vec<_>>(), Vec::<&Column>::new());
}

#[tokio::test]
async fn both_databases_have_the_same_indexes() {
    let (sqlite, postgres) = (test_database::sqlite().await, test_database::postgres().await);
    let sqlite = SqlitePool::connect(&sqlite.url).await.unwrap();
    let here: Vec<String> = query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    )
    .fetch_all(&sqlite)
    .await
    .unwrap();
    let pool = PgPool::connect(&postgres.url).await.unwrap();
    let there: Vec<String> = query_scalar(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' \
             AND indexname !~ '_(pkey|key)$' ORDER BY indexname",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(here, there);
}

/// By the account and the user both, rather than by going through all whom the account has.
#[tokio::test]
async fn postgres_looks_a_user_up_however_few_most_accounts_have() {
    let db = test_database::postgres().await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    for statement in [
        "INSERT INTO accounts (id, number, name, street, postal_code, town, country, created_at) \
             SELECT gen_random_uuid(), n, 'Shop', '', '', '', '', 0 FROM generate_series(1, 3000) n",
        "INSERT INTO users (id, email, email_key, full_name, password_hash, created_at) \
             SELECT id, number, number, 'Kari', '', 0 FROM accounts",
        "INSERT INTO memberships (account_id, user_id, owner, since, name_key) \
             SELECT id, id, TRUE, 0, 'kari' FROM accounts",
        "ANALYZE",
        "SET plan_cache_mode = force_generic_plan",
        "PREPARE user_of (UUID, UUID) AS SELECT * FROM memberships WHERE account_id = $1 AND user_id = $2",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let explain = "EXPLAIN EXECUTE user_of (gen_random_uuid(), gen_random_uuid())";
    let plan: Vec<String> = query_scalar(explain).fetch_all(&mut connection).await.unwrap();
    assert!(plan.iter().any(|line| line.contains("memberships_pkey")), "{plan:#?}");
}

#[tokio::test]
async fn the_folder_of_a_sqlite_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for (scheme, name) in [("sqlite:", "one"), ("sqlite://", "two")] {
        let file = folder.path().join(name).join("deep/latchkey.db");
        let url = format!("{scheme}{}", file.display());
        let store = Store::open(&url).await.unwrap();
        assert!(file.exists() && !store.is_current().await.unwrap());
        store.migrate().await.unwrap();
        assert!(store.is_current().await.unwrap());
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named() {
    let kind = Store::open("mysql://localhost/latchkey").await;
    assert!(matches!(kind, Err(OpenError::Url(_))), "{kind:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let under_a_file = Store::open(&format!("sqlite:{}/latchkey.db", file.display())).await;
    assert!(matches!(under_a_file, Err(OpenError::Folder { .. })), "{under_a_file:?}");
    let nobody = Store::open("postgres://nobody@127.0.0.1:1/nothing").await;
    assert!(matches!(nobody, Err(OpenError::Unreachable(_))), "{nobody:?}");
}

#[tokio::test]
async fn several_nodes_migrate_an_empty_postgres_at_once() {
    let url = test_database::empty_postgres_url().await;
    let empty = Store::open(&url).await.unwrap();
    assert!(!empty.is_current().await.unwrap());
    for migrated in at_once(4, |_| migrate(url.clone())).await {
        migrated.unwrap();
    }
    assert!(empty.is_current().await.unwrap());
}

#[tokio::test]
async fn several_processes_migrate_an_empty_sqlite_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("latchkey.db").display());
    let empty = Store::open(&url).await.unwrap();
    for migrated in at_once(4, |_| migrate(url.clone())).await {
        migrated.unwrap();
    }
    assert!(empty.is_current().await.unwrap());
}

/// As a node of its own does it: with its own connections.
async fn migrate(url: String) -> Result<(), OpenError> {
    Store::open(&url).await?.migrate().await
}

#[apply(on_both!)]
async fn migrating_again_changes_nothing(db: TestDatabase) {
    db.store.migrate().await.unwrap();
    assert!(db.store.is_current().await.unwrap());
}

#[apply(on_both!)]
async fn a_database_that_another_process_locks_is_unavailable_and_comes_back(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let rename = || async {
        let name = model::FullName::parse("Ingrid Solberg").unwrap();
        let renamed = db.store.change_profile(bakery.ingrid, &name, None, None, at(1));
        tokio::time::timeout(Duration::from_secs(60), renamed).await.unwrap()
    };
    let other = db.being_written().await;
    assert_eq!(rename().await, Err(model::Failure::Unavailable));
    assert!(db.store.login_of(bakery.ingrid).await.unwrap().is_some(), "reading goes on");
    drop(other);
    assert_eq!(rename().await, Ok(()));
}

#[apply(on_both!)]
async fn a_closed_store_answers_that_it_is_unavailable(db: TestDatabase) {
    db.store.close().await;
    assert_eq!(db.store.is_current().await, Err(model::Failure::Unavailable));
}
