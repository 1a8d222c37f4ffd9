//! Opening the database, and the macros that tell one story to both kinds.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::{Conflict, Failure, Timestamp};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    query_as, query_scalar,
};
use uuid::Uuid;

use crate::renewal;

/// Declares the SQL of a file: one text for both databases or, where the two must differ, one for
/// each, side by side. A test prepares all of them on both.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr $(, on Postgres $postgres:expr)?;)*) => {
        $($crate::db::sql!(@const $(#[$doc])* $name = $text $(, $postgres)?);)*

        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, $crate::db::Differing)] =
            &[$((stringify!($name), $crate::db::sql!(@both $text $(, $postgres)?))),*];
    };
    (@const $(#[$doc:meta])* $name:ident = $text:expr) => {
        $(#[$doc])*
        const $name: &str = $text;
    };
    (@const $(#[$doc:meta])* $name:ident = $text:expr, $postgres:expr) => {
        $(#[$doc])*
        const $name: $crate::db::Differing = $crate::db::sql!(@both $text, $postgres);
    };
    (@both $text:expr) => { $crate::db::sql!(@both $text, $text) };
    (@both $text:expr, $postgres:expr) => {
        $crate::db::Differing { sqlite: $text, postgres: $postgres }
    };
}

/// Awaits one statement that answers rows, on a [`Store`]'s readers or in a [`Tx`]. The statement
/// is written once and compiled for both kinds of database. An error is logged here.
macro_rules! read {
    ($from:expr, $db:ident => $fetch:expr) => {
        match $from.reading() {
            $crate::db::Either::Sqlite($db) => $fetch.await,
            $crate::db::Either::Postgres($db) => $fetch.await,
        }
        .map_err($crate::db::unavailable)
    };
}

/// Awaits one statement that changes rows, on its own on a [`Store`] or in a [`Tx`], and answers
/// how many. Otherwise like [`read!`]. Where an error may mean something, a third argument says
/// what.
macro_rules! write {
    ($to:expr, $db:ident => $execute:expr) => {
        $crate::db::write!($to, $db => $execute, $crate::db::unavailable)
    };
    ($to:expr, $db:ident => $execute:expr, $error:expr) => {
        match $to.writing() {
            $crate::db::Either::Sqlite($db) => $execute.await.map(|done| done.rows_affected()),
            $crate::db::Either::Postgres($db) => $execute.await.map(|done| done.rows_affected()),
        }
        .map_err($error)
    };
}

pub(crate) use {read, sql, write};

/// How long a request waits for a connection, and SQLite for a lock of another process. Then it is
/// answered with [`Failure::Unavailable`]: whoever waits longer has pressed reload already.
const PATIENCE: Duration = Duration::from_secs(2);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;
/// How long Postgres lets a statement wait for a lock, a statement take as a whole, and a transaction
/// of a node that is gone hold its locks: a request that meets one of them is answered as by
/// [`PATIENCE`].
const POSTGRES_LIMITS: [(&str, &str); 3] = [
    ("lock_timeout", "2s"),
    ("statement_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "10s"),
];
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

sql! {
    HAS_MIGRATIONS =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
        // Each keeps the list of its tables elsewhere.
        on Postgres "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
}

/// Not among the prepared: the table is there only after the first migration.
const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations WHERE success";

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

#[derive(Clone, Debug)]
enum Db {
    /// SQLite takes one writer at a time: a single connection makes them queue here, in order,
    /// instead of meeting "database is locked". Readers go on beside it (write-ahead log).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// One of a kind for each kind of database.
pub(crate) enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// A statement whose text must differ.
#[derive(Clone, Copy)]
pub(crate) struct Differing {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A transaction that writes; dropped without [`Tx::commit`], it never was.
pub(crate) struct Tx(Either<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>);

/// Why the database couldn't be opened; the words are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of neither kind.
    #[error("the database URL must start with sqlite: or postgres:")]
    UnknownKind,
    /// The folder of the SQLite file can't be made.
    #[error("the folder of the database file {path} can't be made: {source}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The SQLite inside is older than 3.51.3, whose write-ahead log can lose a reset.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// The database doesn't answer.
    #[error("the database can't be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// A migration failed.
    #[error("the database can't be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// What earlier versions wrote isn't all renewed; the next start goes on with it.
    #[error("what earlier versions wrote can't be renewed: the log says why")]
    Renewal,
}

impl Store {
    /// Opens the database named by `sqlite:path` (the file is made when it is missing) or
    /// `postgres://…`. Migrations aren't applied.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be reached.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let db = match url.split_once(':') {
            Some(("sqlite", path)) => {
                open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await?
            }
            Some(("postgres" | "postgresql", _)) => open_postgres(url).await?,
            _ => return Err(OpenError::UnknownKind),
        };
        Ok(Self { db })
    }

    /// Applies the migrations that are missing, and renews what they leave to do. Several nodes may do
    /// so at once.
    ///
    /// # Errors
    /// [`OpenError::Migration`], [`OpenError::Renewal`].
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match &self.db {
            // SQLite has no lock of its own for migrating (Postgres has, and sqlx takes it): the
            // writer's lock around all of it keeps other processes out.
            Db::Sqlite { writer, .. } => {
                async {
                    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    SQLITE_MIGRATIONS.run_direct(None, &mut *tx, false).await?;
                    Ok(tx.commit().await?)
                }
                .await
            }
            Db::Postgres(pool) => {
                async {
                    // A connection of its own, which may wait for another node to finish and take
                    // as long as it needs.
                    let patient = POSTGRES_LIMITS.map(|(name, _)| (name, "0"));
                    let options = pool.connect_options().as_ref().clone().options(patient);
                    let mut connection = PgConnection::connect_with(&options).await?;
                    POSTGRES_MIGRATIONS.run_direct(None, &mut connection, false).await?;
                    Ok(connection.close().await?)
                }
                .await
            }
        }
        .map_err(OpenError::Migration)?;
        renewal::renew(self).await.map_err(|_| OpenError::Renewal)
    }

    /// Whether the database answers and every migration of this version is applied.
    ///
    /// # Errors
    /// [`model::Failure::Unavailable`] when it doesn't answer.
    pub async fn is_current(&self) -> Result<bool, Failure> {
        let (text, migrations) = match &self.db {
            Db::Sqlite { .. } => (HAS_MIGRATIONS.sqlite, &SQLITE_MIGRATIONS),
            Db::Postgres(_) => (HAS_MIGRATIONS.postgres, &POSTGRES_MIGRATIONS),
        };
        if !read!(self, db => query_scalar::<_, bool>(text).fetch_one(db))? {
            return Ok(false);
        }
        let applied: Vec<(i64, Vec<u8>)> = read!(self, db => query_as(APPLIED).fetch_all(db))?;
        Ok(migrations.iter().all(|migration| {
            applied.iter().any(|(version, checksum)| {
                *version == migration.version && **checksum == *migration.checksum
            })
        }))
    }

    /// Closes the pools after what is under way has finished.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, Failure> {
        match &self.db {
            // At once the writer: a transaction that begins by reading and then wants to write
            // fails when another process wrote in between.
            Db::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Either::Sqlite)
            }
            Db::Postgres(pool) => pool.begin().await.map(Either::Postgres),
        }
        .map(Tx)
        .map_err(unavailable)
    }

    pub(crate) fn reading(&self) -> Either<&SqlitePool, &PgPool> {
        match &self.db {
            Db::Sqlite { readers, .. } => Either::Sqlite(readers),
            Db::Postgres(pool) => Either::Postgres(pool),
        }
    }

    pub(crate) fn writing(&self) -> Either<&SqlitePool, &PgPool> {
        match &self.db {
            Db::Sqlite { writer, .. } => Either::Sqlite(writer),
            Db::Postgres(pool) => Either::Postgres(pool),
        }
    }
}

impl Tx {
    pub(crate) fn reading(&mut self) -> Either<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.0 {
            Either::Sqlite(tx) => Either::Sqlite(tx),
            Either::Postgres(tx) => Either::Postgres(tx),
        }
    }

    pub(crate) fn writing(&mut self) -> Either<&mut SqliteConnection, &mut PgConnection> {
        self.reading()
    }

    pub(crate) async fn commit(self) -> Result<(), Failure> {
        match self.0 {
            Either::Sqlite(tx) => tx.commit().await,
            Either::Postgres(tx) => tx.commit().await,
        }
        .map_err(unavailable)
    }
}

impl Differing {
    /// The text for the database that the transaction is on.
    pub(crate) fn on(self, tx: &Tx) -> &'static str {
        match tx.0 {
            Either::Sqlite(_) => self.sqlite,
            Either::Postgres(_) => self.postgres,
        }
    }
}

async fn open_sqlite(path: &Path) -> Result<Db, OpenError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { path: path.to_owned(), source })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A removed user must stay removed after a power cut, which NORMAL doesn't promise.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE);
    // Connections to a file don't go stale: none is replaced or asked for a sign of life.
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    let writer = pool.clone().max_connections(1).connect_with(options.clone()).await;
    let writer = writer.map_err(OpenError::Unreachable)?;
    let version: String = query_scalar("SELECT sqlite_version()")
        .fetch_one(&writer)
        .await
        .map_err(OpenError::Unreachable)?;
    if version.split('.').filter_map(|part| part.parse::<u32>().ok()).lt(OLDEST_SQLITE) {
        return Err(OpenError::OldSqlite(version));
    }
    let options = options.pragma("query_only", "ON");
    let readers = pool.max_connections(SQLITE_READERS).connect_with(options).await;
    Ok(Db::Sqlite { writer, readers: readers.map_err(OpenError::Unreachable)? })
}

async fn open_postgres(url: &str) -> Result<Db, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(OpenError::Unreachable)?;
    let options = options.options(POSTGRES_LIMITS);
    let pool = PgPoolOptions::new().acquire_timeout(PATIENCE).max_connections(POSTGRES_CONNECTIONS);
    pool.connect_with(options).await.map(Db::Postgres).map_err(OpenError::Unreachable)
}

/// Logs why the database didn't do its work; the user is told no more than that.
pub(crate) fn unavailable(error: sqlx::Error) -> Failure {
    tracing::error!(%error, "the database failed");
    Failure::Unavailable
}

/// The failure of a statement for which a value that somebody else has is a conflict.
pub(crate) fn taken_as(conflict: Conflict) -> impl FnOnce(sqlx::Error) -> Failure {
    move |error| match error.as_database_error() {
        Some(known) if known.is_unique_violation() => Failure::Conflict(conflict),
        _ => unavailable(error),
    }
}

/// The failure of a statement for which something that it hangs on is gone.
pub(crate) fn gone_as(conflict: Conflict) -> impl FnOnce(sqlx::Error) -> Failure {
    move |error| match error.as_database_error() {
        Some(known) if known.is_foreign_key_violation() => Failure::Conflict(conflict),
        _ => unavailable(error),
    }
}

/// The failure of a stored value that this version can't read.
pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    unavailable(sqlx::Error::Decode(Box::new(error)))
}

/// A new id, in the order of time: a UUID of version 7 (RFC 9562 section 5.7) whose first bits are
/// `now` to the microsecond, followed by this process's count and by chance. Unlike
/// [`Uuid::now_v7`] it keeps to the clock that was handed in, also when that goes back.
pub(crate) fn new_id(now: Timestamp) -> Uuid {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    let count = u64::from(COUNT.fetch_add(1, Ordering::Relaxed));
    let chance = Uuid::new_v4().as_u64_pair().1 & 0x3fff_ffff;
    let mut tail = [0; 10];
    let (fraction, rest) = tail.split_at_mut(2);
    fraction.copy_from_slice(&((micros % 1000) as u16).to_be_bytes());
    rest.copy_from_slice(&(count << 30 | chance).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(micros / 1000, &tail).into_uuid()
}

/// A list's limit as the databases take it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A counted number of rows.
pub(crate) fn count(rows: i64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// Text from a URL without NUL, which Postgres refuses in text.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, SqlSafeStr};

    use super::*;

    fn statements() -> impl Iterator<Item = (&'static str, Differing)> {
        [
            STATEMENTS,
            crate::accounts::STATEMENTS,
            crate::activity::STATEMENTS,
            crate::areas::STATEMENTS,
            crate::chain::STATEMENTS,
            crate::digests::STATEMENTS,
            crate::emails::STATEMENTS,
            crate::factors::STATEMENTS,
            crate::feedback::STATEMENTS,
            crate::guesses::STATEMENTS,
            crate::identities::STATEMENTS,
            crate::invitations::STATEMENTS,
            crate::limits::STATEMENTS,
            crate::memberships::STATEMENTS,
            crate::outbox::STATEMENTS,
            crate::passkeys::STATEMENTS,
            crate::policies::STATEMENTS,
            crate::renewal::STATEMENTS,
            crate::reports::STATEMENTS,
            crate::resets::STATEMENTS,
            crate::sessions::STATEMENTS,
            crate::single_sign_on::STATEMENTS,
            crate::users::STATEMENTS,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    #[tokio::test]
    async fn sqlite_takes_every_statement() {
        let database = test_database::sqlite().await;
        let store = Store::open(&database.url).await.unwrap();
        let Either::Sqlite(pool) = store.writing() else { panic!("not SQLite") };
        for (name, text) in statements() {
            let prepared = pool.prepare(text.sqlite.into_sql_str()).await;
            assert!(prepared.is_ok(), "{name}: {prepared:?}");
        }
    }

    #[tokio::test]
    async fn postgres_takes_every_statement() {
        let database = test_database::postgres().await;
        let store = Store::open(&database.url).await.unwrap();
        let Either::Postgres(pool) = store.writing() else { panic!("not Postgres") };
        for (name, text) in statements() {
            let prepared = pool.prepare(text.postgres.into_sql_str()).await;
            assert!(prepared.is_ok(), "{name}: {prepared:?}");
        }
    }

    #[test]
    fn ids_are_in_the_order_of_the_clock_and_of_asking() {
        let now = Timestamp::from_micros(1_700_000_000_123_456);
        let later = Timestamp::from_micros(now.as_micros() + 1);
        let ids = [new_id(now), new_id(now), new_id(later)];
        assert!(ids.is_sorted() && ids[0] != ids[1], "{ids:?}");
        assert!(new_id(now) < ids[2]);
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
