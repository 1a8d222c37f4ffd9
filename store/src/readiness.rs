//! Whether the database can be worked with, for who asks from outside: balancers and the operator.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::Store;
use crate::db::sql;
use crate::lent::sqlite_code;

sql! {
    /// Larger than what SQLite is given to remember below, so that it goes to the disk.
    WRITE = "INSERT INTO attempts (key, count, until) VALUES (hex(zeroblob(8192)), 0, 0)",
        // Postgres writes in any case.
        on Postgres "INSERT INTO attempts (key, count, until) \
                     VALUES (gen_random_uuid()::text, 0, 0)";
    REMEMBER_NOTHING = "PRAGMA cache_size = 1",
        on Postgres "SELECT 1";
    REMEMBER_AGAIN = "PRAGMA cache_size = -2000",
        on Postgres "SELECT 1";
}

/// Why the database can't be worked with; the words are for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// The SQLite file, or one beside it, isn't the one that was opened.
    #[error("its file was deleted or replaced while it was open: put it back, or restart")]
    Moved,
    /// It doesn't answer, or not in time.
    #[error("it doesn't answer: run it and try again")]
    Silent,
    /// This version needs more than it has.
    #[error("it isn't up to date, migrations are missing: run `latchkey migrate`")]
    Outdated,
    /// It can be read, not written.
    #[error(
        "it can only be read: name the server that takes writing, or give the files and their \
         folder to whoever runs Latchkey"
    )]
    ReadOnly,
    /// The disk or what it may take of it is full.
    #[error("its disk is full: make room")]
    Full,
    /// Writing fails, or waits for too long.
    #[error("it can't be written: the log says why")]
    Unwritable,
}

/// The latest answer, and when it began to be found.
pub(crate) type Latest = Arc<Mutex<Option<(Instant, Result<(), Unready>)>>>;

impl Store {
    /// Whether the database answers, every migration of this version is applied, and a row can be
    /// written, which is taken back at once. Many who ask at the same time are given one answer.
    ///
    /// # Errors
    /// [`Unready`].
    pub async fn is_ready(&self) -> Result<(), Unready> {
        let asked = Instant::now();
        let mut latest = self.latest.lock().await;
        if let Some((begun, answer)) = *latest
            && begun >= asked
        {
            return answer;
        }
        let begun = Instant::now();
        let answer = self.try_out().await;
        *latest = Some((begun, answer));
        answer
    }

    async fn try_out(&self) -> Result<(), Unready> {
        if !self.is_in_place() {
            return Err(Unready::Moved);
        }
        match self.is_current().await {
            Ok(true) => {}
            Ok(false) => return Err(Unready::Outdated),
            Err(_) => return Err(Unready::Silent),
        }
        self.try_to_write().await.map_err(|error| {
            tracing::error!(%error, "the database can't be written");
            why(&error)
        })
    }

    async fn try_to_write(&self) -> Result<(), sqlx::Error> {
        let mut lent = self.writer().await?;
        let is_sqlite = lent.is_sqlite();
        lent.begin().await?;
        if is_sqlite {
            lent.run(REMEMBER_NOTHING).await?;
        }
        lent.run(WRITE).await?;
        lent.roll_back().await?;
        if is_sqlite {
            lent.run(REMEMBER_AGAIN).await?;
        }
        Ok(())
    }
}

fn why(error: &sqlx::Error) -> Unready {
    let sqlx::Error::Database(known) = error else { return Unready::Unwritable };
    match (known.code().as_deref(), sqlite_code(&**known)) {
        // read_only_sql_transaction; SQLITE_READONLY
        (Some("25006"), _) | (_, Some(8)) => Unready::ReadOnly,
        // disk_full; SQLITE_FULL
        (Some("53100"), _) | (_, Some(13)) => Unready::Full,
        _ => Unready::Unwritable,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::query_scalar;

    use super::*;
    use crate::db::{Differing, read};

    #[tokio::test]
    async fn a_sqlite_that_was_full_is_written_again() {
        let database = test_database::sqlite().await;
        let store = Store::open(&database.url).await.unwrap();
        let sql = |sqlite| Differing { sqlite, postgres: sqlite };
        for in_transaction in [false, true] {
            let mut lent = store.writer().await.unwrap();
            lent.run(sql("PRAGMA max_page_count = 1")).await.unwrap();
            if in_transaction {
                lent.begin().await.unwrap();
            }
            let fill = sql("CREATE TABLE filler AS SELECT zeroblob(1000000) AS content");
            let error = lent.run(fill).await.unwrap_err();
            assert_eq!(why(&error), Unready::Full);
            assert!(lent.run(sql("SELECT 1")).await.is_err(), "nothing more on this connection");
            drop(lent);
            assert_eq!(store.is_ready().await, Ok(()), "the next one has no such limit");
        }
    }

    #[tokio::test]
    async fn a_statement_that_was_left_is_nobody_elses() {
        for database in [test_database::sqlite().await, test_database::postgres().await] {
            let store = Store::open(&database.url).await.unwrap();
            for _ in 0..25 {
                let mut lent = store.writer().await.unwrap();
                lent.begin().await.unwrap();
                lent.run(WRITE).await.unwrap();
                let _ = lent.connection().unwrap();
            }
            assert_eq!(store.is_ready().await, Ok(()));
            let attempts = "SELECT count(*) FROM attempts";
            let written: i64 = read!(store, db => query_scalar(attempts).fetch_one(db)).unwrap();
            assert_eq!(written, 0);
        }
    }
}
