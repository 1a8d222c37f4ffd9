//! A connection on loan. It goes back to its pool only if all that was begun on it came to its end;
//! any other is closed, and the next one is opened in its place. So nothing that went wrong once (a
//! full disk, a server that fell silent) goes on for longer than its cause. As that is known, none is
//! asked for a sign of life on its way back, as sqlx's own pools ask: that would cost as much as a
//! statement.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Object, Pool, PoolError, QueueMode};
use sqlx::error::ErrorKind;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection, error};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::db::{Differing, Either, PATIENCE};
use crate::sqlite::Files;
use crate::{postgres, sqlite};

/// How long anything that the database is asked may take. Longer than Postgres lets a statement
/// run, so that it is the server that says so as long as there is one.
const DEADLINE: Duration = Duration::from_secs(12);
/// Answers that concern every connection: the server goes away, or takes no writing any more as
/// another took its place (read_only_sql_transaction, admin_shutdown, crash_shutdown,
/// cannot_connect_now).
const FAREWELLS: [&str; 4] = ["25006", "57P01", "57P02", "57P03"];

pub(crate) struct Lent {
    /// None once it is given back.
    connection: Option<Either<Object<sqlite::Opener>, Object<postgres::Opener>>>,
    state: State,
    /// What it is again when the statement under way has come to its end.
    before: State,
    trust: Trust,
    /// Those that are written to.
    files: Option<Arc<Files>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is begun.
    Idle,
    /// A transaction is open, and all of it went well.
    InTransaction,
    /// A transaction is open, and a statement in it was refused: nothing but its end may follow.
    Refused,
    /// A statement is under way, was left, or failed: nobody knows how the connection stands.
    Doubtful,
}

/// Since when connections that were opened earlier are doubted: what happened to one of them
/// happened to all.
#[derive(Clone, Default)]
pub(crate) struct Trust(Arc<Mutex<Option<Instant>>>);

impl Lent {
    pub(crate) fn sqlite(connection: Object<sqlite::Opener>, files: Option<Arc<Files>>) -> Self {
        Self::new(Either::Sqlite(connection), Trust::default(), files)
    }

    pub(crate) fn postgres(connection: Object<postgres::Opener>, trust: Trust) -> Self {
        Self::new(Either::Postgres(connection), trust, None)
    }

    fn new(
        connection: Either<Object<sqlite::Opener>, Object<postgres::Opener>>,
        trust: Trust,
        files: Option<Arc<Files>>,
    ) -> Self {
        let (state, before) = (State::Idle, State::Idle);
        Self { connection: Some(connection), state, before, trust, files }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.connection, Some(Either::Sqlite(_)))
    }

    /// For one statement, whose outcome is to be told to [`Lent::settle`]: until then the
    /// connection is in doubt, also when the caller is never heard of again.
    pub(crate) fn connection(
        &mut self,
    ) -> Result<Either<&mut SqliteConnection, &mut PgConnection>, sqlx::Error> {
        let calm = matches!(self.state, State::Idle | State::InTransaction);
        match &mut self.connection {
            Some(connection) if calm => {
                self.before = std::mem::replace(&mut self.state, State::Doubtful);
                Ok(match connection {
                    Either::Sqlite(connection) => Either::Sqlite(connection),
                    Either::Postgres(connection) => Either::Postgres(connection),
                })
            }
            _ => Err(sqlx::Error::Protocol("the transaction has failed already".to_owned())),
        }
    }

    /// Takes note of how the statement ended.
    pub(crate) fn settle<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let outcome = match self.before {
            State::Idle => outcome.and_then(|done| self.is_in_place().map(|()| done)),
            _ => outcome,
        };
        self.state = match (&outcome, self.before) {
            (Ok(_), before) => before,
            (Err(error), State::Idle) if leaves_it_sound(error) => State::Idle,
            (Err(error), _) if leaves_it_sound(error) => State::Refused,
            (Err(error), _) => {
                if concerns_all(error) {
                    self.trust.withdraw();
                }
                State::Doubtful
            }
        };
        outcome
    }

    /// What was written into a file that nobody finds again isn't written.
    fn is_in_place(&self) -> Result<(), sqlx::Error> {
        self.files.as_ref().map_or(Ok(()), |files| files.check())
    }

    /// Runs a statement without parameters.
    pub(crate) async fn run(&mut self, text: Differing) -> Result<(), sqlx::Error> {
        let outcome = match self.connection()? {
            Either::Sqlite(db) => timely(db.execute(text.sqlite)).await.map(drop),
            Either::Postgres(db) => timely(db.execute(text.postgres)).await.map(drop),
        };
        self.settle(outcome)
    }

    /// Begins a transaction. Not sqlx's: that one counts on every end being its own, and SQLite
    /// takes a transaction back by itself when the disk is full or fails.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        // At once the writer: a transaction that begins by reading and then wants to write fails
        // when another process wrote in between.
        self.run(Differing { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN" }).await?;
        self.state = State::InTransaction;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run(Differing { sqlite: "COMMIT", postgres: "COMMIT" }).await?;
        self.before = State::Idle;
        self.settle(Ok(()))
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        self.run(Differing { sqlite: "ROLLBACK", postgres: "ROLLBACK" }).await?;
        self.state = State::Idle;
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let (Some(connection), state) = (self.connection.take(), self.state) else { return };
        if state == State::Idle {
            // With this it is back.
            return;
        }
        // Outside of a runtime nothing can be awaited: the connection ends with its handle.
        match (connection, Handle::try_current()) {
            (Either::Sqlite(mut connection), Ok(runtime)) => {
                drop(runtime.spawn(async move {
                    // Its place is free when the statement is over, or another would wait for its lock.
                    let _ = timeout(PATIENCE, connection.ping()).await;
                    give_back(connection, state).await;
                }));
            }
            (Either::Postgres(connection), Ok(runtime)) => {
                drop(runtime.spawn(give_back(connection, state)));
            }
            (Either::Sqlite(connection), Err(_)) => drop(Object::take(connection)),
            (Either::Postgres(connection), Err(_)) => drop(Object::take(connection)),
        }
    }
}

impl Trust {
    pub(crate) fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age was opened since something happened to the others.
    pub(crate) fn covers(&self, age: Duration) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_none_or(|since| age < since.elapsed())
    }
}

/// A pool of at most so many connections. What was used last is lent first: it has the most at hand.
pub(crate) fn pool<M: Manager>(opener: M, most: usize) -> Result<Pool<M>, sqlx::Error> {
    let pool = Pool::builder(opener).max_size(most).queue_mode(QueueMode::Lifo).build();
    pool.map_err(|error| sqlx::Error::Configuration(Box::new(error)))
}

/// Takes a connection out of its pool. Nobody waits for one longer than [`PATIENCE`].
pub(crate) async fn lend<M>(pool: &Pool<M>) -> Result<Object<M>, sqlx::Error>
where
    M: Manager<Error = sqlx::Error>,
{
    match timeout(PATIENCE, pool.get()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(PoolError::Backend(error))) => Err(error),
        Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
        // The others are of what isn't asked of it.
        Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Closes a pool: each of its connections, those on loan once they are back.
pub(crate) async fn close<M>(pool: &Pool<M>)
where
    M: Manager<Error = sqlx::Error>,
    M::Type: Connection,
{
    while pool.status().size > 0 {
        let Ok(connection) = lend(pool).await else { break };
        let _ = timeout(PATIENCE, Object::take(connection).close()).await;
    }
    pool.close();
}

/// Whether a statement failed with its connection, and before its deadline: another one may answer it.
pub(crate) fn was_the_connections(error: &sqlx::Error) -> bool {
    let is_late =
        matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut);
    !is_late && concerns_all(error)
}

/// Awaits what the database is asked, for no longer than the deadline.
pub(crate) async fn timely<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(DEADLINE, asked).await
}

pub(crate) async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(patience, asked).await.unwrap_or_else(|_| {
        let words = format!("no answer within {} seconds", patience.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, words)))
    })
}

/// Gives the connection back to its pool once its transaction is undone, or closes it. Neither takes for
/// ever: what falls silent meanwhile is dropped, and its place is free.
async fn give_back<M>(mut connection: Object<M>, state: State)
where
    M: Manager,
    M::Type: Connection,
    for<'c> &'c mut M::Type: Executor<'c, Database = <M::Type as Connection>::Database>,
{
    let undone = state != State::Doubtful
        && within(PATIENCE, (&mut *connection).execute("ROLLBACK")).await.is_ok();
    if !undone {
        let _ = timeout(PATIENCE, Object::take(connection).close()).await;
    }
}

/// Whether the connection is as good as before: the database did its work, and the answer is no.
fn leaves_it_sound(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => true,
        sqlx::Error::Database(error) => {
            use ErrorKind::{
                CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation,
            };
            let broken_rule = matches!(
                error.kind(),
                UniqueViolation | ForeignKeyViolation | NotNullViolation | CheckViolation
            );
            broken_rule || is_locked(&**error)
        }
        _ => false,
    }
}

/// Whether somebody else's lock, or Postgres's own limit of time, was in the way.
fn is_locked(error: &dyn error::DatabaseError) -> bool {
    match error.code().as_deref() {
        // lock_not_available, query_canceled, deadlock_detected
        Some("55P03" | "57014" | "40P01") => true,
        _ => sqlite_code(error) == Some(5),
    }
}

/// The primary code of SQLite's; none of Postgres's is as short.
pub(crate) fn sqlite_code(error: &dyn error::DatabaseError) -> Option<u32> {
    let code = error.code()?;
    if code.len() == 5 { None } else { code.parse::<u32>().ok().map(|code| code & 0xff) }
}

fn concerns_all(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| FAREWELLS.contains(&&*code) || code.starts_with("08"))
        }
        _ => false,
    }
}
