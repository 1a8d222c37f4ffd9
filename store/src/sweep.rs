//! What is deleted because it is over: nobody can use it any more. Each node sweeps once an hour, and
//! sets back what a clock wrote that ran ahead.

use std::time::Duration;

use model::{Failure, Timestamp};
use sqlx::query;

use crate::Store;
use crate::db::{alive, held, sql, write};
use crate::owner_changes::next_due;
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
    SWEEP_DRAFTS = over!("drafts");
    SWEEP_DEVICES = "DELETE FROM devices WHERE last_seen_at < $1";
    SWEEP_GUESSES = "DELETE FROM guesses WHERE until <= $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM guesses WHERE (login, network) IN \
            (SELECT login, network FROM guesses WHERE until <= $1 FOR UPDATE SKIP LOCKED)";
    SWEEP_ACCESS_REQUESTS = "DELETE FROM access_requests \
                             WHERE answered_at < $1 OR (state = 'open' AND until <= $2)";
    /// Nothing waits longer than the setting lets it: it waits anew, and can be stopped all the while.
    SET_BACK_OWNER_CHANGES = "UPDATE owner_changes SET due_at = $1 \
                              WHERE state = 'waiting' AND due_at > $1 AND kind <> 'taken_over'";
    SET_BACK_TAKEOVERS = "UPDATE owner_changes SET due_at = $1 \
                          WHERE state = 'waiting' AND due_at > $1 AND kind = 'taken_over'";
    SET_BACK_DUE_OWNERS = concat!(
        "UPDATE accounts SET owners_due_at = ",
        next_due!(),
        " WHERE owners_due_at > $1"
    );
    SWEEP_OWNER_CHANGES = "DELETE FROM owner_changes WHERE over_at < $1";
    SWEEP_DOOR_ANSWERS = "DELETE FROM door_answers WHERE asked_at < $1 OR asked_at > $2";
    /// Their deliveries go with them.
    SWEEP_EVENTS = "DELETE FROM webhook_events WHERE at < $1";
    /// Those that were used since aren't over.
    SWEEP_LINES = "DELETE FROM webhook_lines WHERE place < $1";
    SET_BACK_NETWORKS = "UPDATE known_networks SET last_at = $1 WHERE last_at > $1";
    SWEEP_NETWORKS = "DELETE FROM known_networks WHERE last_at < $1";
}

/// How long a browser that nobody signs in with is remembered.
const DEVICES_KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long an answered request for access is remembered.
const ANSWERED_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// No setting has somebody wait longer to become an owner.
const LONGEST_OWNER_WAIT: Duration = Duration::from_secs(168 * 60 * 60);

/// No account has its successor wait longer.
const LONGEST_TAKEOVER: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How long what the door answered is kept, to be answered again.
pub(crate) const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long what webhooks tell is kept, delivered or not.
const EVENTS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Store {
    /// Deletes what is over: sessions, reset links, counted attempts, sign-ins, set-ups and changes
    /// of an address that were left half-way or can't be taken back any more, looks through somebody
    /// else's eyes, drafts, browsers unused for a year, requests for access answered 90 days ago or
    /// wanted until a day that is over, changes of who owns an account that are over as long, what the
    /// door answered a day ago, what webhooks told 30 days ago. Answers how many rows.
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
        let longest = now.after(LONGEST_OWNER_WAIT).as_micros();
        let takeover = now.after(LONGEST_TAKEOVER).as_micros();
        for (set_back, longest) in [
            (SET_BACK_OWNER_CHANGES, longest),
            (SET_BACK_TAKEOVERS, takeover),
            (SET_BACK_DUE_OWNERS, longest),
        ] {
            write!(self, db => query(set_back).bind(longest).execute(db))?;
        }
        let changes = write!(self, db => query(SWEEP_OWNER_CHANGES).bind(answered).execute(db))?;
        let answers = write!(self, db => query(SWEEP_DOOR_ANSWERS)
            .bind(now.before(ANSWERS_KEPT).as_micros())
            .bind(now.as_micros())
            .execute(db))?;
        let mut tx = self.begin().await?;
        let text = SWEEP_ATTEMPTS.on(&tx);
        let attempts = write!(tx, db => query(text).bind(now.as_micros()).execute(db))?;
        tx.commit().await?;
        let told = now.before(EVENTS_KEPT).as_micros();
        let mut rows = sessions + devices + requests + changes + answers + attempts;
        for over in [SWEEP_EVENTS, SWEEP_LINES] {
            rows += write!(self, db => query(over).bind(told).execute(db))?;
        }
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
            SWEEP_DRAFTS,
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
