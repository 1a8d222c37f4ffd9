//! Sessions: who is signed in where. Only the cookie's hash is stored.

use std::time::Duration;

use model::{EmailAddress, Failure, Field, FieldProblem, Language, Secret, Timestamp, UserId};

use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::db::{Tx, read, sql, write};
use crate::{Store, TokenHash};

sql! {
    SESSION = "SELECT u.id, u.email, u.email_key, u.full_name, u.language, s.last_seen_at \
               FROM sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.token_hash = $1 AND s.last_seen_at >= $2 AND s.created_at >= $3";
    SEEN = "UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at <= $3";
    /// No row when the password isn't the one that was compared.
    INSERT_SESSION = "INSERT INTO sessions \
             (token_hash, user_id, created_at, last_seen_at, address, user_agent) \
         SELECT $1, id, $3, $3, $4, $5 FROM users WHERE id = $2 AND password_hash = $6",
        // Waits for a password that is being changed. SQLite has one writer at a time anyway.
        on Postgres "INSERT INTO sessions \
             (token_hash, user_id, created_at, last_seen_at, address, user_agent) \
         SELECT $1, id, $3, $3, $4, $5 FROM users WHERE id = $2 AND password_hash = $6 FOR SHARE";
    END_SESSION = "DELETE FROM sessions WHERE token_hash = $1";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE last_seen_at < $1 OR created_at < $2";
    SWEEP_RESETS = "DELETE FROM resets WHERE expires_at <= $1";
    SWEEP_ATTEMPTS = "DELETE FROM attempts WHERE until <= $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM attempts WHERE key IN \
            (SELECT key FROM attempts WHERE until <= $1 FOR UPDATE SKIP LOCKED)";
}

/// How often a use is noted: a page of a dozen requests needn't write a dozen times.
pub(crate) const NOTED_EVERY: Duration = Duration::from_secs(60);

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The SHA-256 of the cookie's value.
    pub token_hash: TokenHash,
    /// The hash of the password that was given for it, in PHC string form.
    pub password_hash: Secret,
    /// The client's address.
    pub address: String,
    /// The client's `User-Agent`, shortened to 200 characters.
    pub user_agent: String,
}

/// Who a session belongs to.
#[derive(Clone, Debug)]
pub struct SessionUser {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// Their language, if they chose one.
    pub language: Option<Language>,
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    email: String,
    email_key: String,
    full_name: String,
    language: Option<String>,
    last_seen_at: i64,
}

impl Store {
    /// Begins a session for the user and ends the one that the same browser had.
    ///
    /// # Errors
    /// [`FieldProblem::WrongPassword`] when the password was changed since it was compared,
    /// [`Failure::Unavailable`].
    pub async fn begin_session(
        &self,
        user: UserId,
        session: &NewSession,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        if let Some(earlier) = instead_of {
            write!(tx, db => query(END_SESSION).bind(&earlier[..]).execute(db))?;
        }
        insert(&mut tx, user, session, now).await?;
        tx.commit().await
    }

    /// The session's user, unless it was idle for longer than `idle` or is older than `absolute`.
    /// The last use is noted at most once a minute.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn session(
        &self,
        token_hash: &TokenHash,
        idle: Duration,
        absolute: Duration,
        now: Timestamp,
    ) -> Result<Option<SessionUser>, Failure> {
        let row: Option<SessionRow> = read!(self, db => query_as(SESSION)
            .bind(&token_hash[..])
            .bind(now.before(idle).as_micros())
            .bind(now.before(absolute).as_micros())
            .fetch_optional(db))?;
        let Some(row) = row else { return Ok(None) };
        let stale = now.before(NOTED_EVERY).as_micros();
        if row.last_seen_at <= stale {
            // A note that fails is logged and made by a later request: this one goes on.
            let _ = write!(self, db => query(SEEN)
                .bind(&token_hash[..])
                .bind(now.as_micros())
                .bind(stale)
                .execute(db));
        }
        Ok(Some(SessionUser {
            user: row.id.into(),
            email: EmailAddress::from_stored(row.email, row.email_key),
            full_name: row.full_name,
            language: row.language.as_deref().and_then(Language::parse),
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_session(&self, token_hash: &TokenHash) -> Result<(), Failure> {
        write!(self, db => query(END_SESSION).bind(&token_hash[..]).execute(db))?;
        Ok(())
    }

    /// Deletes sessions, reset links and counted attempts that are over. Answers how many rows.
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
        let now = now.as_micros();
        let resets = write!(self, db => query(SWEEP_RESETS).bind(now).execute(db))?;
        let mut tx = self.begin().await?;
        let text = SWEEP_ATTEMPTS.on(&tx);
        let attempts = write!(tx, db => query(text).bind(now).execute(db))?;
        tx.commit().await?;
        Ok(sessions + resets + attempts)
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserId,
    session: &NewSession,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = INSERT_SESSION.on(tx);
    let begun = write!(tx, db => query(text)
        .bind(&session.token_hash[..])
        .bind(Uuid::from(user))
        .bind(now.as_micros())
        .bind(&session.address)
        .bind(&session.user_agent)
        .bind(session.password_hash.expose())
        .execute(db))?;
    if begun == 0 {
        return Err(Failure::field(Field::Password, FieldProblem::WrongPassword));
    }
    Ok(())
}
