//! What is deleted because it is over: nobody can use it any more. Each node sweeps once an hour, and
//! sets back what a clock wrote that ran ahead.

use std::time::Duration;

use model::{Failure, Timestamp};
use sqlx::query;

use crate::Store;
use crate::db::{alive, held, sql, write};
use crate::sessions::not_ahead;

/// Deletes the rows of a table that are over.
macro_rules! over {
    ($table:literal) => {
        concat!("DELETE FROM ", $table, " WHERE NOT ", alive!("expires_at", "$1"))
    };
}

sql! {
    /// What a clock wrote that ran ahead would last until the time is reached.
    SET_BACK_SESSIONS = concat!(
        "UPDATE sessions SET last_seen_at = $1",
        not_ahead!("$1"),
        " WHERE last_seen_at > $1"
    );
    SET_BACK_DEVICES = "UPDATE devices SET last_seen_at = $1 WHERE last_seen_at > $1";
    SET_BACK_VISITS = "UPDATE account_visits SET last_seen_at = $1 WHERE last_seen_at > $1";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE last_seen_at < $1 OR created_at < $2 \
                          OR (NOT proven AND identity_id IS NULL)";
    SWEEP_RESETS = over!("resets");
    SWEEP_RESETS_FOR_NOBODY = over!("resets_for_nobody");
    SWEEP_ATTEMPTS = "DELETE FROM attempts WHERE until <= $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM attempts WHERE key IN \
            (SELECT key FROM attempts WHERE until <= $1 FOR UPDATE SKIP LOCKED)";
    SWEEP_SIGN_INS = over!("sign_ins");
    SWEEP_SETUPS = over!("authenticator_setups");
    SWEEP_CHALLENGES = over!("passkey_challenges");
    SWEEP_EMAIL_CHANGES = concat!(
        "DELETE FROM email_changes WHERE NOT ",
        held!("coalesce(undo_until, expires_at)", "$1")
    );
    SWEEP_IDENTITY_SIGN_INS = over!("identity_sign_ins");
    SWEEP_IDENTITY_OFFERS = over!("identity_offers");
    SWEEP_EYES = over!("eyes");
    SWEEP_DEVICES = "DELETE FROM devices WHERE last_seen_at < $1";
    SWEEP_GUESSES = "DELETE FROM guesses WHERE until <= $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM guesses WHERE (login, network) IN \
            (SELECT login, network FROM guesses WHERE until <= $1 FOR UPDATE SKIP LOCKED)";
    SWEEP_ACCESS_REQUESTS = "DELETE FROM access_requests \
                             WHERE answered_at < $1 OR (state = 'open' AND until <= $2)";
    SET_BACK_NETWORKS = "UPDATE known_networks SET last_at = $1 WHERE last_at > $1";
    SWEEP_NETWORKS = "DELETE FROM known_networks WHERE last_at < $1";
}

/// How long a browser that nobody signs in with is remembered.
const DEVICES_KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long an answered request for access is remembered.
const ANSWERED_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

impl Store {
    /// Deletes what is over: sessions, reset links, counted attempts, sign-ins, set-ups and changes
    /// of an address that were left half-way or can't be taken back any more, looks through somebody
    /// else's eyes, browsers unused for a year, requests for access answered 90 days ago or wanted until a day that is over. Answers how
    /// many rows.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn sweep(
        &self,
        idle: Duration,
        absolute: Duration,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let sessions = write!(self, db => query(SWEEP_SESSIONS)
            .bind(now.before(idle).as_micros())
            .bind(now.before(absolute).as_micros())
            .execute(db))?;
        for set_back in [SET_BACK_SESSIONS, SET_BACK_DEVICES, SET_BACK_VISITS] {
            write!(self, db => query(set_back).bind(now.as_micros()).execute(db))?;
        }
        let unused = now.before(DEVICES_KEPT).as_micros();
        let devices = write!(self, db => query(SWEEP_DEVICES).bind(unused).execute(db))?;
        let answered = now.before(ANSWERED_KEPT).as_micros();
        let requests = write!(self, db => query(SWEEP_ACCESS_REQUESTS)
            .bind(answered)
            .bind(now.as_micros())
            .execute(db))?;
        let mut tx = self.begin().await?;
        let text = SWEEP_ATTEMPTS.on(&tx);
        let attempts = write!(tx, db => query(text).bind(now.as_micros()).execute(db))?;
        tx.commit().await?;
        let mut rows = sessions + devices + requests + attempts;
        for over in [
            SWEEP_RESETS,
            SWEEP_RESETS_FOR_NOBODY,
            SWEEP_SIGN_INS,
            SWEEP_SETUPS,
            SWEEP_CHALLENGES,
            SWEEP_EMAIL_CHANGES,
            SWEEP_IDENTITY_SIGN_INS,
            SWEEP_IDENTITY_OFFERS,
            SWEEP_EYES,
        ] {
            rows += write!(self, db => query(over).bind(now.as_micros()).execute(db))?;
        }
        Ok(rows)
    }

    /// Deletes counts that are over and networks that nobody signed in from since `known_since`.
    /// Answers how many rows.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn sweep_guesses(
        &self,
        known_since: Timestamp,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let mut tx = self.begin().await?;
        let text = SWEEP_GUESSES.on(&tx);
        let guesses = write!(tx, db => query(text).bind(now.as_micros()).execute(db))?;
        tx.commit().await?;
        write!(self, db => query(SET_BACK_NETWORKS).bind(now.as_micros()).execute(db))?;
        let networks =
            write!(self, db => query(SWEEP_NETWORKS).bind(known_since.as_micros()).execute(db))?;
        Ok(guesses + networks)
    }
}
