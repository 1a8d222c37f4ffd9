//! Counted attempts, shared by all nodes.

use std::time::Duration;

use model::{EmailAddress, Failure, Limit, Limited, Timestamp, UserId};

use sqlx::{query, query_as};

use crate::Store;
use crate::db::{Tx, count, read, sql, write};

sql! {
    /// A window that is over, or ends later than one that begins now, as a clock that ran ahead began
    /// it, is none.
    COUNT = "INSERT INTO attempts (key, count, until) VALUES ($1, 1, $3) \
             ON CONFLICT (key) DO UPDATE SET \
                 count = CASE WHEN attempts.until > $2 AND attempts.until <= $3 \
                         THEN attempts.count + 1 ELSE 1 END, \
                 until = CASE WHEN attempts.until > $2 AND attempts.until <= $3 \
                         THEN attempts.until ELSE excluded.until END \
             RETURNING count, until";
    ATTEMPTS = "SELECT count, until FROM attempts WHERE key = $1 AND until > $2 AND until <= $3";
    /// What is counted of somebody, or of an address, has that at its end.
    FORGET_ALL_OF = "DELETE FROM attempts WHERE substr(key, length(key) - length($1) + 1) = $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts \
            WHERE substr(key, length(key) - length($1) + 1) = $1 FOR UPDATE SKIP LOCKED)";
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

/// How often something may be done in a window of time.
#[derive(Clone, Debug)]
pub struct Bound {
    /// What is counted, by whom.
    pub key: String,
    /// So often.
    pub most: u32,
    /// In a time of this length, which begins with the first.
    pub window: Duration,
    /// What whoever goes beyond it is told.
    pub of: Limited,
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
        let attempts = count_one(&mut tx, key, window, now).await?;
        tx.commit().await?;
        Ok(attempts)
    }

    /// What was counted at `key` in the present window of length `window`; none when nothing was.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn attempts(
        &self,
        key: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<Option<Attempts>, Failure> {
        let row: Option<(i64, i64)> = read!(self, db => query_as(ATTEMPTS)
            .bind(key)
            .bind(now.as_micros())
            .bind(now.after(window).as_micros())
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

/// Counts what the transaction does against every bound. The caller names them from the narrowest
/// to the widest, always in the same order, so that nobody waits in a circle.
///
/// # Errors
/// [`Failure::TooMany`] with the longest wait if it goes beyond one of them: nothing is counted
/// then, as the transaction comes to nothing; [`Failure::Unavailable`].
pub(crate) async fn keep_within(
    tx: &mut Tx,
    bounds: &[Bound],
    now: Timestamp,
) -> Result<(), Failure> {
    let mut beyond: Option<Limit> = None;
    for bound in bounds {
        let attempts = count_one(tx, &bound.key, bound.window, now).await?;
        if attempts.count > bound.most {
            let limit = Limit::until(bound.of, attempts.until, now);
            let longer = |known: &Limit| known.retry_after_seconds < limit.retry_after_seconds;
            if beyond.as_ref().is_none_or(longer) {
                beyond = Some(limit);
            }
        }
    }
    beyond.map_or(Ok(()), |limit| Err(Failure::TooMany(limit)))
}

async fn count_one(
    tx: &mut Tx,
    key: &str,
    window: Duration,
    now: Timestamp,
) -> Result<Attempts, Failure> {
    let (tries, until): (i64, i64) = read!(tx, db => query_as(COUNT)
        .bind(key)
        .bind(now.as_micros())
        .bind(now.after(window).as_micros())
        .fetch_one(db))?;
    Ok(Attempts { count: count(tries), until: Timestamp::from_micros(until) })
}

/// Forgets what was counted of a user and of their address. What is counted at this very moment stays
/// until its window ends.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
    let text = FORGET_ALL_OF.on(tx);
    for whose in [format!(":{user}"), format!(":{}", email.key())] {
        write!(tx, db => query(text).bind(&whose).execute(db))?;
    }
    Ok(())
}
