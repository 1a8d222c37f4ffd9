//! Opening the database, and the macros that tell one story to both kinds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::{Conflict, Failure, Timestamp};
use sqlx::migrate::Migrator;
use sqlx::{Connection, query_as, query_scalar};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;

use crate::copies::{self, Companion};
use crate::lent::Lent;
use crate::place::{Place, UrlProblem};
use crate::postgres::PostgresDatabase;
use crate::readiness::Latest;
use crate::renewal;
use crate::sqlite::{self, SqliteDatabase};
use crate::turns::{Taken, Turns};

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
/// is written once and compiled for both kinds of database. An error is logged here. Nothing takes
/// longer than a deadline, and what becomes of the connection is `Lent`'s to say. A connection of a
/// store's is taken at its word, if it was used a moment ago: should it fail, another is asked the
/// same. So nothing is written in this way, as on SQLite nothing can be.
macro_rules! read {
    ($from:expr, $db:ident => $fetch:expr) => {{
        let mut tentatively = $from.lends_tentatively();
        loop {
            let lent = match tentatively {
                true => $from.tentative_reader().await,
                false => $from.reader().await,
            };
            let lent = match lent {
                Ok(lent) => lent,
                Err(error) => break Err($crate::db::unavailable(error)),
            };
            match $crate::db::ask!(std::future::ready(Ok(lent)), $db => $fetch) {
                Err(error) if tentatively && $crate::lent::was_the_connections(&error) => {
                    tentatively = false;
                }
                outcome => break outcome.map_err($crate::db::unavailable),
            }
        }
    }};
}

/// Awaits one statement that changes rows, on its own on a [`Store`] or in a [`Tx`], and answers
/// how many. Otherwise like [`read!`]. Where an error may mean something, a third argument says
/// what.
macro_rules! write {
    ($to:expr, $db:ident => $execute:expr) => {
        $crate::db::write!($to, $db => $execute, $crate::db::unavailable)
    };
    ($to:expr, $db:ident => $execute:expr, $error:expr) => {
        $crate::db::ask!(
            $to.writer(),
            $db => async { $execute.await.map(|done| done.rows_affected()) }
        )
        .map_err($error)
    };
}

/// What [`read!`] and [`write!`] have in common.
macro_rules! ask {
    ($lent:expr, $db:ident => $asked:expr) => {
        match $lent.await {
            Ok(lent) => {
                // A loan of its own, or the transaction's.
                let lent = &mut { lent };
                let outcome = match lent.connection() {
                    Ok($crate::db::Either::Sqlite($db)) => $crate::lent::timely($asked).await,
                    Ok($crate::db::Either::Postgres($db)) => $crate::lent::timely($asked).await,
                    Err(error) => Err(error),
                };
                lent.settle(outcome)
            }
            Err(error) => Err(error),
        }
    };
}

/// Whether what ends at the moment in this column is alive at this one, as a part of SQL. All that is
/// asked about here lives an hour at most: what would live longer (five minutes between two clocks
/// aside) was made by a clock that ran ahead, and is over.
macro_rules! alive {
    ($ends:literal, $now:literal) => {
        concat!("(", $ends, " > ", $now, " AND ", $ends, " <= ", $now, " + 3900000000)")
    };
}

/// The same for what may live a week: the time in which a changed address can be taken back.
macro_rules! held {
    ($ends:literal, $now:literal) => {
        concat!("(", $ends, " > ", $now, " AND ", $ends, " <= ", $now, " + 605100000000)")
    };
}

pub(crate) use {alive, ask, held, read, sql, write};

/// How long a request waits for a connection, and SQLite for a lock of another process. Then it is answered with [`Failure::Unavailable`]: whoever waits longer has
/// pressed reload already.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits for its turn at a lock on Postgres. That is in place of the connection and of most
/// of the lock, and keeps nobody else waiting.
const TURN_PATIENCE: Duration = Duration::from_secs(4);
/// How many uses are noted at once, and how long a request waits for its own.
const NOTES: u32 = 4;
const NOTE_PATIENCE: Duration = Duration::from_millis(50);

static SQLITE_MIGRATIONS: Migrator = sqlx_macros::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx_macros::migrate!("migrations/postgres");

sql! {
    HAS_MIGRATIONS =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
        // Each keeps the list of its tables elsewhere.
        on Postgres "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
}

/// Not among the prepared: the table is there only after the first migration.
const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations WHERE success";

/// The database.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Either<SqliteDatabase, PostgresDatabase>,
    turns: Turns,
    notes: Arc<Semaphore>,
    pub(crate) latest: Latest,
    /// The file beside a SQLite database, locked as long as this is open.
    pub(crate) companion: Option<Arc<Companion>>,
}

/// One of a kind for each kind of database.
#[derive(Clone)]
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
pub(crate) struct Tx {
    lent: Lent,
    /// Given up after the connection.
    _turns: Taken,
}

/// Why the database couldn't be opened; the words are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of neither kind, or could be meant in two ways.
    #[error("the database URL must be {0}")]
    Url(#[from] UrlProblem),
    /// What lies beside the SQLite file was written to another one.
    #[error(
        "{path} and {path}-wal beside it don't belong together, as when a backup is copied over a \
         database that wasn't closed: move both away, and put the backup in place with `latchkey \
         restore`"
    )]
    Mixture {
        /// The file.
        path: String,
    },
    /// The folder of the SQLite file can't be made.
    #[error("the folder of the database file {path} can't be made: {source}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The SQLite file is missing, and what belongs to one isn't.
    #[error(
        "the database file {path} is missing or empty, and {company} lies beside it: bring the \
         file back, or move what is left of it away to begin with a new database"
    )]
    Orphaned {
        /// The file.
        path: PathBuf,
        /// What is left of it.
        company: PathBuf,
    },
    /// The SQLite file can't be opened for writing.
    #[error(
        "the database file {path} can't be written: it, -wal, -shm and -stamp beside it, and \
         their folder must be whoever's runs Latchkey"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The Postgres database keeps text in another encoding.
    #[error(
        "the database's encoding is {0} and must be UTF8: make one with `CREATE DATABASE … \
         ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding(String),
    /// A pooler lends connections for a transaction, and sessions' settings and locks with them.
    #[error(
        "database_url leads to a pooler that shares connections between transactions: name \
         Postgres itself, of which a node takes ten connections, or have it pool by session \
         (PgBouncer: pool_mode = session)"
    )]
    Pooled,
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
    /// Opens the database named by `sqlite:path` (the file is made when it is missing, and nothing
    /// of one is left) or `postgres://…`. Migrations aren't applied.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be reached.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        match Place::parse(url)? {
            Place::Sqlite(path) => Self::open_file(&path).await,
            Place::Postgres => {
                Ok(Self::of(Either::Postgres(PostgresDatabase::open(url).await?), None))
            }
        }
    }

    /// Opens a SQLite file, unless it lies beside what was written to another one.
    pub(crate) async fn open_file(path: &Path) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { path: path.to_owned(), source })?;
        }
        let real = copies::real(path);
        sqlite::refuse_what_is_left(&real)?;
        let companion = Companion::examine(&real).await?;
        let db = Either::Sqlite(SqliteDatabase::open(path).await?);
        Ok(Self::of(db, Some(Arc::new(companion))))
    }

    fn of(db: Either<SqliteDatabase, PostgresDatabase>, companion: Option<Arc<Companion>>) -> Self {
        let notes = Arc::new(Semaphore::new(NOTES as usize));
        Self { db, turns: Turns::default(), notes, latest: Latest::default(), companion }
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
            Either::Sqlite(db) => {
                async {
                    let mut connection = db.connect().await?;
                    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
                    SQLITE_MIGRATIONS.run_direct(None, &mut *tx, false).await?;
                    let schema: i64 = query_scalar(copies::SCHEMA).fetch_one(&mut *tx).await?;
                    if let Some(companion) = &self.companion {
                        companion.foresee(schema).map_err(sqlx::Error::Io)?;
                    }
                    tx.commit().await?;
                    Ok(connection.close().await?)
                }
                .await
            }
            Either::Postgres(db) => {
                async {
                    let mut connection = db.connect().await?;
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
        let text = HAS_MIGRATIONS.at(self);
        let migrations = match &self.db {
            Either::Sqlite(_) => &SQLITE_MIGRATIONS,
            Either::Postgres(_) => &POSTGRES_MIGRATIONS,
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

    /// Empties SQLite's write-ahead log, beside which nothing that was erased is kept; to be called
    /// every minute or so. On Postgres there is nothing to do.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn tidy(&self) -> Result<(), Failure> {
        match &self.db {
            Either::Sqlite(db) => db.empty_log().await.map(drop).map_err(unavailable),
            Either::Postgres(_) => Ok(()),
        }
    }

    /// Closes the pools after what is under way has finished.
    pub async fn close(&self) {
        self.noted().await;
        match &self.db {
            Either::Sqlite(db) => db.close().await,
            Either::Postgres(db) => db.close().await,
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, Failure> {
        self.begin_locking([]).await
    }

    /// Begins a transaction that will lock these accounts and users, once it is its turn at each.
    pub(crate) async fn begin_locking(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<Tx, Failure> {
        let begun = async {
            let turns = match &self.db {
                // Its writers queue already.
                Either::Sqlite(_) => Taken::new(),
                Either::Postgres(_) => {
                    timeout(TURN_PATIENCE, self.turns.take(ids)).await.map_err(|_| {
                        sqlx::Error::Io(std::io::Error::other(
                            "others wait for the lock of the same account or user",
                        ))
                    })?
                }
            };
            let mut lent = self.writer().await?;
            lent.begin().await?;
            Ok(Tx { lent, _turns: turns })
        };
        begun.await.map_err(unavailable)
    }

    /// Has a use noted beside the request. In quiet times that is done before the request goes on;
    /// where the database has others to wait for, the request doesn't. A note that isn't made is
    /// made by a later request.
    pub(crate) async fn note(
        &self,
        note: impl Future<Output = Result<u64, Failure>> + Send + 'static,
    ) {
        let Ok(place) = Arc::clone(&self.notes).try_acquire_owned() else { return };
        let noting = tokio::spawn(async move {
            let _ = note.await;
            drop(place);
        });
        let _ = timeout(NOTE_PATIENCE, noting).await;
    }

    /// Waits until what is being noted beside requests is noted.
    pub async fn noted(&self) {
        let _ = self.notes.acquire_many(NOTES).await;
    }

    /// Whether the database is still the one that was opened.
    pub(crate) fn is_in_place(&self) -> bool {
        match &self.db {
            Either::Sqlite(db) => db.is_in_place(),
            Either::Postgres(_) => true,
        }
    }

    pub(crate) async fn reader(&self) -> Result<Lent, sqlx::Error> {
        match &self.db {
            Either::Sqlite(db) => db.reader().await,
            Either::Postgres(db) => db.lend().await,
        }
    }

    /// Whether a connection of [`Store::tentative_reader`] is another than one of [`Store::reader`].
    pub(crate) fn lends_tentatively(&self) -> bool {
        matches!(self.db, Either::Postgres(_))
    }

    /// For a statement that is asked once more, of [`Store::reader`], if it fails with its connection: on
    /// Postgres a way there and back less.
    pub(crate) async fn tentative_reader(&self) -> Result<Lent, sqlx::Error> {
        match &self.db {
            Either::Sqlite(db) => db.reader().await,
            Either::Postgres(db) => db.lend_tentatively().await,
        }
    }

    pub(crate) async fn writer(&self) -> Result<Lent, sqlx::Error> {
        match &self.db {
            Either::Sqlite(db) => db.writer().await,
            Either::Postgres(db) => db.lend().await,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Tx {
    /// It has its own.
    pub(crate) fn lends_tentatively(&self) -> bool {
        false
    }

    pub(crate) async fn tentative_reader(&mut self) -> Result<&mut Lent, sqlx::Error> {
        Ok(&mut self.lent)
    }

    pub(crate) async fn reader(&mut self) -> Result<&mut Lent, sqlx::Error> {
        Ok(&mut self.lent)
    }

    pub(crate) async fn writer(&mut self) -> Result<&mut Lent, sqlx::Error> {
        Ok(&mut self.lent)
    }

    pub(crate) async fn commit(mut self) -> Result<(), Failure> {
        self.lent.commit().await.map_err(unavailable)
    }
}

impl Differing {
    /// The text for the database that the transaction is on.
    pub(crate) fn on(self, tx: &Tx) -> &'static str {
        if tx.lent.is_sqlite() { self.sqlite } else { self.postgres }
    }

    /// The text for this database.
    pub(crate) fn at(self, store: &Store) -> &'static str {
        match store.db {
            Either::Sqlite(_) => self.sqlite,
            Either::Postgres(_) => self.postgres,
        }
    }
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

/// The least id that [`new_id`] makes at this moment: whatever is older has a lesser one.
pub(crate) fn first_id(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.as_micros()).unwrap_or(0);
    let mut tail = [0; 10];
    let (fraction, _) = tail.split_at_mut(2);
    fraction.copy_from_slice(&((micros % 1000) as u16).to_be_bytes());
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
            crate::access_requests::STATEMENTS,
            crate::accounts::STATEMENTS,
            crate::activity::STATEMENTS,
            crate::answers::STATEMENTS,
            crate::areas::STATEMENTS,
            crate::chain::STATEMENTS,
            crate::copies::STATEMENTS,
            crate::decisions::STATEMENTS,
            crate::digests::STATEMENTS,
            crate::drafts::STATEMENTS,
            crate::door::STATEMENTS,
            crate::door::accounts::STATEMENTS,
            crate::door::services::STATEMENTS,
            crate::door::domains::STATEMENTS,
            crate::door::invoices::STATEMENTS,
            crate::door::support_requests::STATEMENTS,
            crate::emails::STATEMENTS,
            crate::ends::STATEMENTS,
            crate::eyes::STATEMENTS,
            crate::factors::STATEMENTS,
            crate::feedback::STATEMENTS,
            crate::grants::STATEMENTS,
            crate::guesses::STATEMENTS,
            crate::identities::STATEMENTS,
            crate::invitations::STATEMENTS,
            crate::leaving::STATEMENTS,
            crate::limits::STATEMENTS,
            crate::locks::STATEMENTS,
            crate::members_by_provider::STATEMENTS,
            crate::memberships::STATEMENTS,
            crate::outbox::STATEMENTS,
            crate::owners_by_provider::STATEMENTS,
            crate::own_data::STATEMENTS,
            crate::owner_changes::STATEMENTS,
            crate::passkeys::STATEMENTS,
            crate::policies::STATEMENTS,
            crate::reaching::STATEMENTS,
            crate::readiness::STATEMENTS,
            crate::renewal::STATEMENTS,
            crate::reports::STATEMENTS,
            crate::resets::STATEMENTS,
            crate::search::STATEMENTS,
            crate::sessions::STATEMENTS,
            crate::single_sign_on::STATEMENTS,
            crate::starts::STATEMENTS,
            crate::successors::STATEMENTS,
            crate::support_messages::STATEMENTS,
            crate::sweep::STATEMENTS,
            crate::tokens::STATEMENTS,
            crate::users::STATEMENTS,
            crate::glance::STATEMENTS,
            crate::webhooks::STATEMENTS,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    #[tokio::test]
    async fn sqlite_takes_every_statement() {
        let database = test_database::sqlite().await;
        let store = Store::open(&database.url).await.unwrap();
        let mut lent = store.writer().await.unwrap();
        let Ok(Either::Sqlite(connection)) = lent.connection() else { panic!("not SQLite") };
        for (name, text) in statements() {
            let prepared = (&mut *connection).prepare(text.sqlite.into_sql_str()).await;
            assert!(prepared.is_ok(), "{name}: {prepared:?}");
        }
    }

    #[tokio::test]
    async fn postgres_takes_every_statement() {
        let database = test_database::postgres().await;
        let store = Store::open(&database.url).await.unwrap();
        let mut lent = store.writer().await.unwrap();
        let Ok(Either::Postgres(connection)) = lent.connection() else { panic!("not Postgres") };
        for (name, text) in statements() {
            let prepared = (&mut *connection).prepare(text.postgres.into_sql_str()).await;
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
