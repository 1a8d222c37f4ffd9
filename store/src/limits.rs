//! Counted attempts, shared by all nodes.

use std::collections::HashMap;
use std::time::Duration;

use model::{EmailAddress, Failure, Limit, Limited, Timestamp, UserId};

use serde_json::json;
use sqlx::{query, query_as};

use crate::Store;
use crate::db::{Tx, count, read, sql, write};

/// Counts one more at each key of a list, in its order.
macro_rules! counted {
    ($listed:literal) => {
        concat!(
            "INSERT INTO attempts (key, count, until) SELECT ",
            $listed,
            " ON CONFLICT (key) DO UPDATE SET \
                 count = CASE WHEN attempts.until > $2 AND attempts.until <= excluded.until \
                         THEN attempts.count + 1 ELSE 1 END, \
                 until = CASE WHEN attempts.until > $2 AND attempts.until <= excluded.until \
                         THEN attempts.until ELSE excluded.until END \
             RETURNING key, count, until"
        )
    };
}

sql! {
    /// A window that is over, or ends later than one that begins now, as a clock that ran ahead began
    /// it, is none.
    COUNT = counted!("json_extract(value, '$[0]'), 1, json_extract(value, '$[1]') \
            FROM json_each($1) WHERE TRUE"),
        on Postgres counted!("value ->> 0, 1, CAST(value ->> 1 AS BIGINT) \
            FROM json_array_elements(CAST($1 AS JSON)) AS listed (value)");
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
        let counted = count_each(&mut tx, [(key, window)], now).await?.remove(key);
        tx.commit().await?;
        counted.ok_or(Failure::Unavailable)
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
    let windows = bounds.iter().map(|bound| (&*bound.key, bound.window));
    let counted = count_each(tx, windows, now).await?;
    let beyond = bounds.iter().map(|bound| {
        let attempts = counted.get(&bound.key).ok_or(Failure::Unavailable)?;
        let limit = || Limit::until(bound.of, attempts.until, now);
        Ok((attempts.count > bound.most).then(limit))
    });
    let beyond: Vec<_> = beyond.collect::<Result<_, Failure>>()?;
    match beyond.into_iter().flatten().reduce(longer) {
        Some(limit) => Err(Failure::TooMany(limit)),
        None => Ok(()),
    }
}

/// The one that is to be waited for longer, the first of two that are alike.
fn longer(one: Limit, other: Limit) -> Limit {
    if other.retry_after_seconds > one.retry_after_seconds { other } else { one }
}

/// Counts one attempt at each of these keys, of which none is there twice.
async fn count_each<'a>(
    tx: &mut Tx,
    keys: impl IntoIterator<Item = (&'a str, Duration)>,
    now: Timestamp,
) -> Result<HashMap<String, Attempts>, Failure> {
    let until = |(key, window)| json!([key, now.after(window).as_micros()]);
    let keys: Vec<_> = keys.into_iter().map(until).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let (text, keys) = (COUNT.on(tx), json!(keys).to_string());
    let rows: Vec<(String, i64, i64)> =
        read!(tx, db => query_as(text).bind(&keys).bind(now.as_micros()).fetch_all(db))?;
    let attempts = |(key, tries, until)| {
        let until = Timestamp::from_micros(until);
        (key, Attempts { count: count(tries), until })
    };
    Ok(rows.into_iter().map(attempts).collect())
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
