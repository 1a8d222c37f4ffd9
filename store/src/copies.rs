//! Copies of the database: how one is made, how it is put in place of the database, what of it must
//! not come back to life, and how it is noticed that one was put there in another way.
//!
//! SQLite replays whatever write-ahead log lies beside a file, also one that was written to another
//! state of it. So the database holds a stamp that a new one replaces at every start and every hour,
//! and a file beside it, the companion, knows which stamps the file can hold by now. A copy holds an
//! older one, or says of itself that it is a copy.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::{Failure, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, SqliteConnection, query, query_as, query_scalar};
use uuid::Uuid;

use crate::Store;
use crate::db::{Either, OpenError, read, sql, unavailable, write};
use crate::outbox::forgets_the_deleted;
use crate::sqlite::beside;

sql! {
    STAMP = "SELECT stamp, copied_at FROM database_stamp";
    RENEW = "UPDATE database_stamp SET stamp = $1, copied_at = NULL";
    MARK_COPY = "UPDATE database_stamp SET copied_at = $1";
    /// Those whose link is dead from now on aren't kept.
    GIVE_UP_MAILS = concat!(
        "UPDATE outbox SET state = 'failed', facts = NULL, answer = $1, ended_at = $2",
        forgets_the_deleted!(),
        " WHERE state = 'queued' \
             AND (NOT $3 OR kind IN ('password_reset', 'email_proof', 'email_change', 'access_waits'))"
    );
    EXPIRE_INVITATIONS = "UPDATE invitations SET expires_at = $1 \
                          WHERE state = 'pending' AND expires_at > $1 AND NOT EXISTS \
                              (SELECT 1 FROM outbox o \
                               WHERE o.invitation_id = invitations.id AND o.state = 'queued')";
    /// Those whose endpoint is off, too.
    GIVE_UP_DELIVERIES = "UPDATE webhook_deliveries \
                          SET state = 'given_up', answer = $1, ended_at = $2 \
                          WHERE state IN ('waiting', 'held')";
    END_SIGN_INS = "DELETE FROM sign_ins";
    END_SESSIONS = "DELETE FROM sessions";
    END_RESETS = "DELETE FROM resets";
    /// Whoever asked for one may have used it since.
    END_LINKS = "UPDATE invitation_tokens SET expires_at = 0 WHERE expires_at IS NOT NULL";
    /// Links that take an address back stay: the change that they undo is there again, too.
    END_EMAIL_CHANGES = "DELETE FROM email_changes WHERE done_at IS NULL";
    END_SETUPS = "DELETE FROM authenticator_setups";
    END_CHALLENGES = "DELETE FROM passkey_challenges";
    END_IDENTITY_SIGN_INS = "DELETE FROM identity_sign_ins";
    END_IDENTITY_OFFERS = "DELETE FROM identity_offers";
    END_DRAFTS = "DELETE FROM drafts";
    END_EYES = "DELETE FROM eyes";
    /// An owner may have stopped it since.
    END_OWNER_CHANGES = "UPDATE owner_changes SET state = 'lapsed', over_at = $1 \
                         WHERE state IN ('offered', 'waiting')";
    FORGET_DUE_OWNERS = "UPDATE accounts SET owners_due_at = NULL WHERE owners_due_at IS NOT NULL";
    /// Whichever of them were revoked since, or leaked.
    REVOKE_TOKENS = "UPDATE tokens SET revoked_at = $1 WHERE revoked_at IS NULL";
}

/// Which version of its schema a file has.
pub(crate) const SCHEMA: &str = "PRAGMA schema_version";

const IS_OURS: &str = "SELECT count(*) = 2 FROM sqlite_schema \
                       WHERE name IN ('_sqlx_migrations', 'memberships')";

/// What a mail's sender is shown in place of a mail server's answer, and the operator in place of an
/// endpoint's.
const NOT_SENT: &str = "not sent: the database was restored from a backup";

/// Reads and writes for its owner, nothing for others.
const PRIVATE: u32 = 0o600;

/// The length of a write-ahead log that holds nothing (SQLite file format, section 4.1).
const EMPTY_LOG: u64 = 32;

/// The file beside a SQLite database that knows which of its states belong there. Whoever has the
/// database open holds it locked.
#[derive(Debug)]
pub(crate) struct Companion {
    file: File,
    path: PathBuf,
}

/// Which stamps the database's own file can hold, each with its schema's version: the last that
/// certainly was written into it, and those that may have been since.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known(Vec<(Uuid, i64)>);

/// What of a restored copy didn't come back to life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Sessions that were ended.
    pub sessions: u64,
    /// Waiting mails that were given up.
    pub mails: u64,
    /// Invitations whose link was made to expire.
    pub invitations: u64,
    /// Tokens of the provider's systems that were revoked.
    pub tokens: u64,
    /// What webhooks were to be told, and won't be.
    pub deliveries: u64,
}

/// What came of putting a copy in place.
#[derive(Clone, Debug)]
pub struct Restored {
    /// When the copy was made, if it says so.
    pub copied_at: Option<Timestamp>,
    /// Where the database is now that was there before, if one was.
    pub aside: Option<PathBuf>,
    /// What didn't come back to life.
    pub settled: Settled,
}

/// Why a copy couldn't be made or put in place; the words are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Postgres has tools of its own for it.
    #[error("the database is a Postgres: it has its own tools for copies")]
    NotSqlite,
    /// The file for the copy is there already.
    #[error("{0} is there already: name another file, or overwrite it with --force")]
    Taken(PathBuf),
    /// The copy would be the database, or one of the files that belong to it.
    #[error("{0} is the database itself, or belongs to it: name another file")]
    Itself(PathBuf),
    /// A server or a command has the database open.
    #[error("{0} is open: stop the server, and wait for other commands to end")]
    InUse(PathBuf),
    /// It isn't a database of this program's.
    #[error("{0} isn't a database of Latchkey's")]
    Foreign(PathBuf),
    /// It is damaged.
    #[error("{0} is damaged: SQLite's checks find errors in it")]
    Broken(PathBuf),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be opened or brought up to date.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database didn't do it.
    #[error("the database can't be copied: {0}")]
    Database(#[from] sqlx::Error),
    /// The database didn't do it, and the log says why.
    #[error("the database couldn't do it; the log says why")]
    Unavailable,
}

/// Names the file that an error is about.
fn about(path: &Path) -> impl Fn(io::Error) -> CopyError {
    move |source| CopyError::File { path: path.to_owned(), source }
}

/// Says that what lies beside the database can't be written.
fn unwritable(database: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Unwritable { path: database.to_owned(), source: source.into() }
}

/// Where a database's file really is: what belongs to it lies there, not beside a link to it.
pub(crate) fn real(database: &Path) -> PathBuf {
    std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

impl Known {
    fn parse(text: &str) -> Self {
        let one = |line: &str| {
            let (stamp, schema) = line.split_once(' ')?;
            Some((stamp.parse().ok()?, schema.parse().ok()?))
        };
        Self(text.lines().filter_map(one).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|(stamp, schema)| format!("{stamp} {schema}\n")).collect()
    }

    /// Whether a file with this stamp and this version of its schema can be the database's own. What
    /// copies it into another file raises that version.
    fn fits(&self, stamp: Uuid, schema: i64) -> bool {
        self.0.iter().any(|known| known.0 == stamp) && self.0.iter().any(|known| known.1 == schema)
    }
}

impl Companion {
    fn of(database: &Path) -> io::Result<Self> {
        let path = beside(database, "-stamp");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        Ok(Self { file, path })
    }

    /// Locks the companion of a SQLite file that is about to be opened. Whoever is the first looks
    /// whether the write-ahead log beside the file is its own: nothing else has read it yet.
    pub(crate) async fn examine(database: &Path) -> Result<Self, OpenError> {
        let companion = Self::of(database).map_err(unwritable(database))?;
        // Where files can't be locked, nobody is the first.
        if companion.file.try_lock().is_ok() {
            companion.check(database).await?;
            let _ = companion.file.unlock();
        }
        // Waits while another process looks, or puts a copy in place.
        let locked = tokio::task::spawn_blocking(move || {
            let _ = companion.file.lock_shared();
            companion
        });
        locked.await.map_err(|error| unwritable(database)(error.into()))
    }

    async fn check(&self, database: &Path) -> Result<(), OpenError> {
        let log = length(&beside(database, "-wal")) > EMPTY_LOG;
        let mixture = || OpenError::Mixture { path: database.display().to_string() };
        match (length(database), log) {
            (0, false) => {
                // A new one.
                return self.write(&Known::default()).map_err(unwritable(database));
            }
            (0, true) => return Err(mixture()),
            (_, false) => return Ok(()),
            (_, true) => {}
        }
        let known = self.read();
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        let strange = match alone(&options).await {
            Ok((_, Some(_), _)) => true,
            Ok((stamp, None, schema)) => known != Known::default() && !known.fits(stamp, schema),
            // From before there were stamps.
            Err(error) if error.to_string().contains("no such table") => known != Known::default(),
            // The file alone isn't whole where a server died while writing to it: the log mends that.
            Err(_) => false,
        };
        if strange {
            return Err(mixture());
        }
        tracing::info!("checking the database, as it wasn't closed");
        match is_whole(&options).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(mixture()),
            Err(error) => Err(OpenError::Unreachable(error)),
        }
    }

    /// Notes a version of the schema that the file may have from now on, whatever stops the process
    /// before there is a new stamp.
    pub(crate) fn foresee(&self, schema: i64) -> io::Result<()> {
        let mut known = self.read();
        // As long as none is known, any will do.
        let Some(&(stamp, last)) = known.0.last() else { return Ok(()) };
        if last == schema {
            return Ok(());
        }
        known.0.push((stamp, schema));
        self.write(&known)
    }

    fn read(&self) -> Known {
        Known::parse(&std::fs::read_to_string(&self.path).unwrap_or_default())
    }

    /// In place, as others hold this very file locked.
    fn write(&self, known: &Known) -> io::Result<()> {
        let text = known.text();
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len().try_into().unwrap_or_default())?;
        self.file.sync_all()
    }
}

/// What a file says of itself without its write-ahead log: its stamp, when it was copied, and its
/// schema's version.
async fn alone(options: &SqliteConnectOptions) -> Result<(Uuid, Option<i64>, i64), sqlx::Error> {
    let mut file =
        SqliteConnection::connect_with(&options.clone().read_only(true).immutable(true)).await?;
    let (stamp, copied_at) = query_as(STAMP).fetch_one(&mut file).await?;
    let schema = query_scalar(SCHEMA).fetch_one(&mut file).await?;
    Ok((stamp, copied_at, schema))
}

/// Whether SQLite finds nothing wrong.
async fn is_whole(options: &SqliteConnectOptions) -> Result<bool, sqlx::Error> {
    let checked = async {
        let mut file = SqliteConnection::connect_with(options).await?;
        let found: String = query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut file).await?;
        let dangling = query("PRAGMA foreign_key_check").fetch_optional(&mut file).await?;
        file.close().await?;
        Ok(found == "ok" && dangling.is_none())
    };
    match checked.await {
        Err(sqlx::Error::Database(error)) if tells_of_damage(error.as_ref()) => Ok(false),
        checked => checked,
    }
}

/// Whether the file is damaged, or no database at all (SQLite's result codes 11 and 26, in the lowest
/// byte).
fn tells_of_damage(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

impl Store {
    /// Whether this is a copy that was put in place of the database without [`restore`]. On Postgres
    /// that can't be told.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn is_a_copy(&self) -> Result<bool, Failure> {
        let Some(companion) = &self.companion else { return Ok(false) };
        let (stamp, copied_at): (Uuid, Option<i64>) =
            read!(self, db => query_as(STAMP).fetch_one(db))?;
        let Known(known) = companion.read();
        let strange = !known.is_empty() && known.iter().all(|known| known.0 != stamp);
        Ok(copied_at.is_some() || strange)
    }

    /// Gives the database a new stamp: copies that were made before are told from it by that.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn renew_stamp(&self) -> Result<(), Failure> {
        let (Either::Sqlite(sqlite), Some(companion)) = (&self.db, &self.companion) else {
            return Ok(());
        };
        let stamp = Uuid::new_v4();
        let schema: i64 = read!(self, db => query_scalar(SCHEMA).fetch_one(db))?;
        let file = |error: io::Error| unavailable(sqlx::Error::Io(error));
        // It must be known before it can be in the file. As long as none is known, any will do.
        let mut known = companion.read();
        if known != Known::default() {
            known.0.push((stamp, schema));
            companion.write(&known).map_err(file)?;
        }
        write!(self, db => query(RENEW).bind(stamp).execute(db))?;
        if sqlite.empty_log().await.map_err(unavailable)? {
            companion.write(&Known(vec![(stamp, schema)])).map_err(file)?;
        }
        Ok(())
    }

    /// Has nothing of a restored copy come back to life that may have ended since it was made:
    /// sessions and sign-ins that wait for more end, open links die, nobody becomes an owner who was to
    /// become one, tokens are revoked, and mails that
    /// wait are given up, and what waits for webhooks, as they were probably sent. With `keep_mails` all that is sent, but for
    /// mails whose links are dead.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn settle(&self, keep_mails: bool, now: Timestamp) -> Result<Settled, Failure> {
        let mut tx = self.begin().await?;
        for ended in [
            END_SIGN_INS,
            END_RESETS,
            END_LINKS,
            END_EMAIL_CHANGES,
            END_SETUPS,
            END_CHALLENGES,
            END_IDENTITY_SIGN_INS,
            END_IDENTITY_OFFERS,
            END_DRAFTS,
            END_EYES,
            FORGET_DUE_OWNERS,
        ] {
            write!(tx, db => query(ended).execute(db))?;
        }
        write!(tx, db => query(END_OWNER_CHANGES).bind(now.as_micros()).execute(db))?;
        let sessions = write!(tx, db => query(END_SESSIONS).execute(db))?;
        let mails = write!(tx, db => query(GIVE_UP_MAILS)
            .bind(NOT_SENT)
            .bind(now.as_micros())
            .bind(keep_mails)
            .execute(db))?;
        let invitations =
            write!(tx, db => query(EXPIRE_INVITATIONS).bind(now.as_micros()).execute(db))?;
        let tokens = write!(tx, db => query(REVOKE_TOKENS).bind(now.as_micros()).execute(db))?;
        let deliveries = match keep_mails {
            true => 0,
            false => write!(tx, db => query(GIVE_UP_DELIVERIES)
                .bind(NOT_SENT)
                .bind(now.as_micros())
                .execute(db))?,
        };
        tx.commit().await?;
        Ok(Settled { sessions, mails, invitations, tokens, deliveries })
    }

    /// Copies the SQLite database into a file of its own, whole and checked, while others go on
    /// writing. It is there under its name only when it is finished.
    ///
    /// # Errors
    /// [`CopyError`].
    pub async fn back_up(&self, file: &Path, force: bool, now: Timestamp) -> Result<(), CopyError> {
        let Either::Sqlite(sqlite) = &self.db else { return Err(CopyError::NotSqlite) };
        // SQLite would take a name that begins with `file:` for something else.
        let file = &std::path::absolute(file).map_err(about(file))?;
        let database = sqlite.file().to_owned();
        if belongs_to(&database, file) {
            return Err(CopyError::Itself(file.to_owned()));
        }
        let free = || match std::fs::symlink_metadata(file) {
            Ok(_) if !force => Err(CopyError::Taken(file.to_owned())),
            _ => Ok(()),
        };
        free()?;
        if file.is_dir() {
            return Err(about(file)(io::ErrorKind::IsADirectory.into()));
        }
        let partial = beside(file, ".partial");
        remove(&partial)?;
        let made = async {
            private(&partial)?;
            let name = partial.to_str().ok_or(io::ErrorKind::InvalidFilename.into());
            let name = name.map_err(about(&partial))?;
            // On a connection of its own, as it takes as long as it takes.
            let mut own = sqlite.connect().await?;
            query("VACUUM INTO $1").bind(name).execute(&mut own).await?;
            own.close().await?;
            let options = SqliteConnectOptions::new()
                .filename(&partial)
                .journal_mode(SqliteJournalMode::Delete);
            let mut copy = SqliteConnection::connect_with(&options).await?;
            query(MARK_COPY).bind(now.as_micros()).execute(&mut copy).await?;
            copy.close().await?;
            if !is_whole(&options).await? {
                return Err(CopyError::Broken(database));
            }
            put(&partial, file, free)
        };
        made.await.inspect_err(|_| {
            let _ = remove(&partial);
        })
    }
}

/// Puts a copy in place of the SQLite database, which nobody must have open; the one that was there
/// is kept as `aside`. The copy is checked and brought up to date before, and nothing of it comes
/// back to life that may have ended since, see [`Store::settle`].
///
/// # Errors
/// [`CopyError`]; the database is as it was, then.
pub async fn restore(
    database: &Path,
    copy: &Path,
    aside: &Path,
    keep_mails: bool,
    now: Timestamp,
) -> Result<Restored, CopyError> {
    let database = &real(database);
    if belongs_to(database, copy) {
        return Err(CopyError::Itself(copy.to_owned()));
    }
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(about(folder))?;
    }
    let companion = Companion::of(database).map_err(about(&beside(database, "-stamp")))?;
    if companion.file.try_lock().is_err() {
        return Err(CopyError::InUse(database.to_owned()));
    }
    let new = beside(database, ".restoring");
    let clear =
        || ["", "-wal", "-shm", "-stamp"].iter().try_for_each(|end| remove(&beside(&new, end)));
    clear()?;
    let restored = async {
        let (copied_at, stamp, settled) = prepare(&new, copy, keep_mails, now).await?;
        let aside = replace(database, &new, aside)?;
        let known = companion.write(&Known(vec![stamp]));
        known.map_err(about(&companion.path))?;
        Ok(Restored { copied_at, aside, settled })
    };
    let restored = restored.await;
    let _ = clear();
    restored
}

/// Makes a database of a copy: checked, up to date, closed, and with nothing revived.
async fn prepare(
    new: &Path,
    copy: &Path,
    keep_mails: bool,
    now: Timestamp,
) -> Result<(Option<Timestamp>, (Uuid, i64), Settled), CopyError> {
    let take = |end| {
        let (from, to) = (beside(copy, end), beside(new, end));
        let mut source = File::open(&from).map_err(about(&from))?;
        io::copy(&mut source, &mut private(&to)?).map_err(about(&from))
    };
    take("")?;
    let options = SqliteConnectOptions::new().filename(new);
    let is_marked = alone(&options).await.is_ok_and(|(_, copied_at, _)| copied_at.is_some());
    // Of a file that was copied by other means, what was written last may stand in a log beside it.
    if !is_marked && length(&beside(copy, "-wal")) > EMPTY_LOG {
        take("-wal")?;
        if length(&beside(copy, "-stamp")) > 0 {
            take("-stamp")?;
        }
    }
    let broken = || CopyError::Broken(copy.to_owned());
    if length(new) == 0 {
        return Err(broken());
    }
    let store = Store::open_file(new).await.map_err(|error| match error {
        OpenError::Mixture { .. } => OpenError::Mixture { path: copy.display().to_string() }.into(),
        OpenError::Unreachable(sqlx::Error::Database(error)) if tells_of_damage(error.as_ref()) => {
            broken()
        }
        error => error.into(),
    })?;
    if !is_whole(&options).await? {
        store.close().await;
        return Err(broken());
    }
    let Either::Sqlite(sqlite) = &store.db else { return Err(CopyError::NotSqlite) };
    let mut own = sqlite.connect().await?;
    let prepared = async {
        if !query_scalar::<_, bool>(IS_OURS).fetch_one(&mut own).await? {
            return Err(CopyError::Foreign(copy.to_owned()));
        }
        store.migrate().await?;
        let (_, copied_at): (Uuid, Option<i64>) = query_as(STAMP).fetch_one(&mut own).await?;
        let settled = store.settle(keep_mails, now).await.map_err(|_| CopyError::Unavailable)?;
        let stamp = Uuid::new_v4();
        query(RENEW).bind(stamp).execute(&mut own).await?;
        let schema = query_scalar(SCHEMA).fetch_one(&mut own).await?;
        Ok((copied_at.map(Timestamp::from_micros), (stamp, schema), settled))
    };
    let prepared: Result<_, CopyError> = prepared.await;
    own.close().await?;
    store.close().await;
    let prepared = prepared?;
    // All of it must stand in the one file now.
    if length(&beside(new, "-wal")) > 0 || !is_whole(&options).await? {
        return Err(broken());
    }
    Ok(prepared)
}

/// Puts the new file in the database's place. Answers where the old one is, if there was one.
fn replace(database: &Path, new: &Path, aside: &Path) -> Result<Option<PathBuf>, CopyError> {
    let mut kept = None;
    for end in ["", "-wal"] {
        let (from, to) = (beside(database, end), beside(aside, end));
        if from.exists() {
            std::fs::hard_link(&from, &to)
                .or_else(|_| std::fs::copy(&from, &to).map(drop))
                .map_err(about(&to))?;
            kept = Some(aside.to_owned());
        }
    }
    remove(&beside(database, "-wal"))?;
    remove(&beside(database, "-shm"))?;
    put(new, database, || Ok(()))?;
    Ok(kept)
}

/// Whether a file is the SQLite database, or one of those beside it.
fn belongs_to(database: &Path, file: &Path) -> bool {
    let place = |path: &Path| {
        std::fs::canonicalize(path).ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
            Some(folder.join(path.file_name()?))
        })
    };
    let Some((database, file)) = place(database).zip(place(file)) else { return false };
    ["", "-wal", "-shm", "-journal", "-stamp"].iter().any(|end| beside(&database, end) == file)
}

/// Makes a file that nobody else can read.
fn private(path: &Path) -> Result<File, CopyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE).open(path).map_err(about(path))
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), CopyError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about(path)(error)),
        _ => Ok(()),
    }
}

/// Gives a finished file its name, so that it survives a power cut, if that is still free.
fn put(
    finished: &Path,
    name: &Path,
    free: impl Fn() -> Result<(), CopyError>,
) -> Result<(), CopyError> {
    File::open(finished).and_then(|file| file.sync_all()).map_err(about(finished))?;
    free()?;
    std::fs::rename(finished, name).map_err(about(name))?;
    let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(about(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_companion_knows_is_read_as_it_was_written() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let known = Known(vec![(one, 60), (other, 61)]);
        assert_eq!(Known::parse(&known.text()), known);
        assert!(known.fits(one, 61) && !known.fits(one, 1) && !known.fits(Uuid::from_u128(3), 60));
        // A line that wasn't written to its end is none.
        assert_eq!(Known::parse("00000000-0000-0000"), Known::default());
    }
}
