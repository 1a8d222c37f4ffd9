//! Counted attempts, shared by all nodes.

use std::time::Duration;

use model::{Failure, Timestamp};

use sqlx::{query, query_as};

use crate::Store;
use crate::db::{count, read, sql, write};

sql! {
    COUNT = "INSERT INTO attempts (key, count, until) VALUES ($1, 1, $3) \
             ON CONFLICT (key) DO UPDATE SET \
                 count = CASE WHEN attempts.until <= $2 THEN 1 ELSE attempts.count + 1 END, \
                 until = CASE WHEN attempts.until <= $2 THEN excluded.until \
                         ELSE attempts.until END \
             RETURNING count, until";
    ATTEMPTS = "SELECT count, until FROM attempts WHERE key = $1 AND until > $2";
    FORGET = "DELETE FROM attempts WHERE key = $1";
}

/// How often something was tried in the present window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// This try included.
    pub count: u32,
    /// When the window ends and counting begins anew.
    pub until: Timestamp,
}

impl Store {
    /// Counts one attempt at `key`; the first one opens a window of length `window`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn count_attempt(
        &self,
        key: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<Attempts, Failure> {
        let mut tx = self.begin().await?;
        let (tries, until): (i64, i64) = read!(tx, db => query_as(COUNT)
            .bind(key)
            .bind(now.as_micros())
            .bind(now.after(window).as_micros())
            .fetch_one(db))?;
        tx.commit().await?;
        Ok(Attempts { count: count(tries), until: Timestamp::from_micros(until) })
    }

    /// What was counted at `key` in the present window; none when nothing was.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn attempts(&self, key: &str, now: Timestamp) -> Result<Option<Attempts>, Failure> {
        let row: Option<(i64, i64)> = read!(self, db => query_as(ATTEMPTS)
            .bind(key)
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let attempts =
            |(tries, until)| Attempts { count: count(tries), until: Timestamp::from_micros(until) };
        Ok(row.map(attempts))
    }

    /// Forgets the attempts at `key`, after one that succeeded.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn forget_attempts(&self, key: &str) -> Result<(), Failure> {
        write!(self, db => query(FORGET).bind(key).execute(db))?;
        Ok(())
    }
}
