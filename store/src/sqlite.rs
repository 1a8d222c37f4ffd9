//! A SQLite file: opening it, knowing it again, and keeping its write-ahead log small.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, query_as, query_scalar};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::OpenError;
use crate::db::PATIENCE;
use crate::lent::{self, Lent, lend, pool, sqlite_code, timely};

const READERS: usize = 4;
const OLDEST: [u32; 3] = [3, 51, 3];
/// What lies beside the file of a database that is in use, or was when its process ended.
const COMPANY: [&str; 3] = ["-wal", "-shm", "-journal"];
/// How long emptying the write-ahead log waits for who reads or writes at this moment.
const SHORTLY: Duration = Duration::from_millis(100);
/// What is left of the write-ahead log's file when it has been long and begins anew.
const LOG_KEPT: &str = "16777216";
/// After how many tries in a row it is told that the write-ahead log can't be emptied.
const TRIES: u32 = 5;

/// SQLite takes one writer at a time: a single connection makes them queue here, in order, instead
/// of meeting "database is locked". Readers go on beside it (write-ahead log).
#[derive(Clone)]
pub(crate) struct SqliteDatabase {
    writer: Pool<Opener>,
    readers: Pool<Opener>,
    /// Open as long as the store: the files beside the database stay the same ones, whatever
    /// happens to the other connections. It empties the write-ahead log, and does nothing else.
    keeper: Arc<Mutex<Option<SqliteConnection>>>,
    files: Arc<Files>,
    not_emptied: Arc<AtomicU32>,
}

/// Opens connections to the file.
pub(crate) struct Opener(SqliteConnectOptions);

/// The files of the database as they were when it was opened.
pub(crate) struct Files {
    path: PathBuf,
    opened: Vec<(PathBuf, FileId)>,
}

/// Device and number: what tells a file from another one under the same name.
type FileId = (u64, u64);

impl SqliteDatabase {
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        let is_new = is_new(path);
        let refused = |error: sqlx::Error| match &error {
            // SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN
            sqlx::Error::Database(known) if matches!(sqlite_code(&**known), Some(3 | 8 | 14)) => {
                OpenError::Unwritable { path: path.to_owned(), source: error }
            }
            _ => OpenError::Unreachable(error),
        };
        let options = options(path);
        let creating = options.clone().create_if_missing(true);
        let mut keeper = creating.connect().await.map_err(refused)?;
        let version: String = query_scalar("SELECT sqlite_version()")
            .fetch_one(&mut keeper)
            .await
            .map_err(OpenError::Unreachable)?;
        if version.split('.').filter_map(|part| part.parse::<u32>().ok()).lt(OLDEST) {
            return Err(OpenError::OldSqlite(version));
        }
        // A file that may only be read is opened without a word, and a transaction on it begun.
        let written = "BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK";
        if let Err(error) = keeper.execute(written).await {
            match refused(error) {
                // Another process writes at this moment, or the disk is full: that may pass.
                OpenError::Unreachable(_) => {
                    let _ = keeper.execute("ROLLBACK").await;
                }
                unwritable => return Err(unwritable),
            }
        }
        let files = Arc::new(Files::of(path).map_err(OpenError::Unreachable)?);
        if is_new {
            tracing::info!(path = %path.display(), "a new database was made");
        }
        let shortly = format!("PRAGMA busy_timeout = {}", SHORTLY.as_millis());
        keeper.execute(sqlx::AssertSqlSafe(shortly)).await.map_err(OpenError::Unreachable)?;

        let reading = Opener(options.clone().pragma("query_only", "ON"));
        let readers = pool(reading, READERS).map_err(OpenError::Unreachable)?;
        let writer = pool(Opener(options), 1).map_err(OpenError::Unreachable)?;
        let keeper = Arc::new(Mutex::new(Some(keeper)));
        Ok(Self { writer, readers, keeper, files, not_emptied: Arc::default() })
    }

    /// What migrations and copies run on: a connection of its own, closed when they are done.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.check()?;
        self.writer.manager().create().await
    }

    pub(crate) async fn reader(&self) -> Result<Lent, sqlx::Error> {
        self.check()?;
        Ok(Lent::sqlite(lend(&self.readers).await?, None))
    }

    pub(crate) async fn writer(&self) -> Result<Lent, sqlx::Error> {
        self.check()?;
        Ok(Lent::sqlite(lend(&self.writer).await?, Some(Arc::clone(&self.files))))
    }

    /// Whether the files are still those that were opened.
    pub(crate) fn is_in_place(&self) -> bool {
        self.writer.is_closed() || self.files.check().is_ok()
    }

    fn check(&self) -> Result<(), sqlx::Error> {
        // With its last connection the files beside the database go, as they should.
        if self.writer.is_closed() { Err(sqlx::Error::PoolClosed) } else { self.files.check() }
    }

    /// The database's file.
    pub(crate) fn file(&self) -> &Path {
        &self.files.path
    }

    /// Writes what is in the write-ahead log into the database and empties the log: it doesn't grow
    /// without end, and what was erased in the one isn't kept in the other. Answers whether all of it
    /// is in the database now.
    pub(crate) async fn empty_log(&self) -> Result<bool, sqlx::Error> {
        self.check()?;
        let mut keeper = self.keeper.lock().await;
        let Some(keeper) = keeper.as_mut() else { return Err(sqlx::Error::PoolClosed) };
        // The most of it, while others write; and then the rest, while they wait.
        timely(keeper.execute("PRAGMA wal_checkpoint(PASSIVE)")).await?;
        let (busy, ..): (bool, i64, i64) =
            timely(query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(keeper)).await?;
        if busy {
            let tries = self.not_emptied.fetch_add(1, Ordering::Relaxed) + 1;
            if tries == TRIES {
                let log = beside(&self.files.path, "-wal");
                let mebibytes = std::fs::metadata(&log).map_or(0, |log| log.len() >> 20);
                tracing::warn!(
                    mebibytes,
                    "the database's write-ahead log grows and can't be emptied: something has been \
                     reading the database for minutes"
                );
            }
        } else if self.not_emptied.swap(0, Ordering::Relaxed) >= TRIES {
            tracing::info!("the database's write-ahead log is emptied again");
        }
        Ok(!busy)
    }

    pub(crate) async fn close(&self) {
        lent::close(&self.readers).await;
        lent::close(&self.writer).await;
        if let Some(keeper) = self.keeper.lock().await.take() {
            let _ = timeout(PATIENCE, keeper.close()).await;
        }
    }
}

impl Manager for Opener {
    type Type = SqliteConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.0.connect().await
    }

    /// Connections to a file don't go stale.
    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

impl Files {
    fn of(path: &Path) -> Result<Self, sqlx::Error> {
        // Beside the file itself, where the path is a link to it.
        let real = path.canonicalize()?;
        let wanted = [path.to_owned(), beside(&real, "-wal"), beside(&real, "-shm")];
        let opened = wanted.map(|file| Ok((FileId::of(&file)?, file)));
        let opened: Result<Vec<_>, std::io::Error> = opened.into_iter().collect();
        let opened = opened?.into_iter().map(|(id, file)| (file, id)).collect();
        Ok(Self { path: real, opened })
    }

    /// Refuses to go on when one of the files was deleted or replaced while it was open: what would
    /// be written is in no file that has a name, and gone with this process.
    pub(crate) fn check(&self) -> Result<(), sqlx::Error> {
        match self.opened.iter().find(|(file, id)| FileId::of(file).ok() != Some(*id)) {
            None => Ok(()),
            Some((file, _)) => Err(sqlx::Error::Io(std::io::Error::other(format!(
                "{} was deleted or replaced while it was open: put it back, or restart",
                file.display()
            )))),
        }
    }
}

trait Identified: Sized {
    fn of(file: &Path) -> std::io::Result<Self>;
}

impl Identified for FileId {
    fn of(file: &Path) -> std::io::Result<Self> {
        std::fs::metadata(file).map(|facts| (facts.dev(), facts.ino()))
    }
}

/// Refuses to make a new database where something of another one is left.
pub(crate) fn refuse_what_is_left(path: &Path) -> Result<(), OpenError> {
    // The company first: another process may be making all of them, beginning with the file.
    let company = COMPANY.iter().map(|end| beside(path, end)).find(|file| file.exists());
    let length = std::fs::metadata(path).map(|file| file.len()).ok();
    match company {
        // An empty file gets a journal while it becomes a database, and the others afterwards.
        Some(journal) if length == Some(0) && journal == beside(path, "-journal") => Ok(()),
        Some(company) if is_new(path) => {
            Err(OpenError::Orphaned { path: path.to_owned(), company })
        }
        _ => Ok(()),
    }
}

fn is_new(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |file| file.len() == 0)
}

/// How every connection is opened.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A removed user must stay removed after a power cut, which NORMAL doesn't promise.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        // The links of mails that were sent are keys: erased, they are overwritten.
        .pragma("secure_delete", "ON")
        .pragma("journal_size_limit", LOG_KEPT)
}

/// The file with this ending beside the database's.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
