//! Sessions: who is signed in where. Only the cookie's hash is stored.

use std::time::Duration;

use model::{
    AccountId, AccountNumber, EmailAddress, Failure, Field, FieldProblem, IdentityId, Language,
    Secret, SessionId, Timestamp, UserId,
};
use sha2::{Digest, Sha256};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, new_id, read, sql, write};
use crate::factors::has_factor;
use crate::{FactorProof, NewMail, PasskeyUse, Store, TokenHash, factors, locks, outbox, passkeys};

macro_rules! insert_session {
    ($lock:literal) => {
        concat!(
            "INSERT INTO sessions \
                 (token_hash, id, user_id, created_at, last_seen_at, authenticated_at, \
                  second_factor, address, user_agent, identity_id, vouched_at, proven) \
             SELECT $1, $2, id, $4, $4, $4, $5, $6, $7, $9, $10, $11 FROM users \
             WHERE id = $3 AND password_hash = $8 AND ($5 OR NOT ",
            has_factor!("users.id"),
            ")",
            $lock
        )
    };
}

/// The tail of a change to sessions that leaves none of their moments later than this one.
macro_rules! not_ahead {
    ($now:literal) => {
        concat!(
            ", created_at = CASE WHEN created_at > ",
            $now,
            " THEN ",
            $now,
            " ELSE created_at END, authenticated_at = CASE WHEN authenticated_at > ",
            $now,
            " THEN ",
            $now,
            " ELSE authenticated_at END, vouched_at = CASE WHEN vouched_at > ",
            $now,
            " THEN ",
            $now,
            " ELSE vouched_at END"
        )
    };
}

pub(crate) use not_ahead;

sql! {
    /// A session that only an identity vouched for ends with that.
    SESSION = "SELECT s.id AS session_id, u.id, u.email, u.email_key, u.full_name, u.language, u.time_zone, s.last_seen_at, \
                   s.authenticated_at, s.second_factor, s.proven, s.vouched_at, \
                   a.id AS account_id, a.number AS account_number \
               FROM sessions s JOIN users u ON u.id = s.user_id \
                   LEFT JOIN identities i ON i.id = s.identity_id \
                   LEFT JOIN accounts a ON a.id = i.account_id \
               WHERE s.token_hash = $1 AND s.last_seen_at >= $2 AND s.created_at >= $3 \
                   AND (s.proven OR i.id IS NOT NULL)";
    SEEN = concat!(
        "UPDATE sessions SET last_seen_at = $2",
        not_ahead!("$2"),
        " WHERE token_hash = $1 AND (last_seen_at <= $3 OR last_seen_at > $2)"
    ),
        // A note waits for nobody's lock: a later request makes it.
        on Postgres concat!(
            "UPDATE sessions SET last_seen_at = $2",
            not_ahead!("$2"),
            " WHERE (last_seen_at <= $3 OR last_seen_at > $2) \
              AND token_hash = (SELECT token_hash FROM sessions WHERE token_hash = $1 \
                                FOR NO KEY UPDATE SKIP LOCKED)"
        );
    /// No row when the password isn't the one that was compared, or alone when it takes more.
    INSERT_SESSION = insert_session!(""),
        // Waits for a password that is being changed. SQLite has one writer at a time anyway.
        on Postgres insert_session!(" FOR SHARE");
    DEVICES = "SELECT EXISTS (SELECT 1 FROM devices \
                           WHERE user_id = $1 AND device_hash IN ($2, $3)), \
                   EXISTS (SELECT 1 FROM devices WHERE user_id = $1)";
    REMEMBER_DEVICE = "INSERT INTO devices (user_id, device_hash, last_seen_at) \
                       VALUES ($1, $2, $3) ON CONFLICT (user_id, device_hash) DO UPDATE \
                       SET last_seen_at = excluded.last_seen_at";
    SESSIONS = "SELECT id, created_at, last_seen_at, address, user_agent, \
                    token_hash = $2 AS present \
                FROM sessions WHERE user_id = $1 AND last_seen_at >= $3 AND created_at >= $4 \
                    AND (proven OR identity_id IS NOT NULL) \
                ORDER BY last_seen_at DESC, id LIMIT 100";
    PROVE = "UPDATE sessions SET authenticated_at = $2, second_factor = $3 WHERE token_hash = $1";
    PROVEN = "UPDATE sessions SET proven = TRUE WHERE token_hash = $1";
    VOUCH = "UPDATE sessions SET identity_id = $2, vouched_at = $4 \
             WHERE token_hash = $1 AND user_id = $3";
    CONFIRM = "UPDATE sessions SET authenticated_at = $3, second_factor = FALSE, proven = TRUE \
               WHERE token_hash = $1 AND user_id = \
                   (SELECT id FROM users WHERE id = sessions.user_id AND password_hash = $2)";
    FORGET_DEVICES = "DELETE FROM devices WHERE user_id = $1";
    END_SESSION = "DELETE FROM sessions WHERE token_hash = $1";
    END_ONE = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";
    END_ALL_OF = "DELETE FROM sessions WHERE user_id = $1";
    END_SOME = "DELETE FROM sessions WHERE id IN \
                    (SELECT id FROM sessions WHERE created_at <= $1 LIMIT $2)";
    DROP_ALL_SIGN_INS = "DELETE FROM sign_ins";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";
}

/// How many sessions end by one statement.
const AT_ONCE: i64 = 10_000;

/// How often a use is noted: a page of a dozen requests needn't write a dozen times.
pub(crate) const NOTED_EVERY: Duration = Duration::from_secs(60);

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The SHA-256 of the cookie's value.
    pub token_hash: TokenHash,
    /// The hash of the password that was given for it, in PHC string form.
    pub password_hash: Secret,
    /// Whether a second factor was given, too.
    pub second_factor: bool,
    /// The identity at an account's provider that vouched for them in place of the password.
    pub identity: Option<IdentityId>,
    /// The SHA-256 of the cookie that the browser is recognised by.
    pub device_hash: TokenHash,
    /// The mail that tells the user of a browser that they haven't signed in with before.
    pub new_device: Option<NewMail>,
    /// The client's address.
    pub address: String,
    /// The client's `User-Agent`, shortened to 200 characters.
    pub user_agent: String,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The session that they came with.
    pub session: SessionId,
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// Their language, if they chose one.
    pub language: Option<Language>,
    /// The time zone in which they are told when something is, by its name in the tz database, if they
    /// chose one.
    pub time_zone: Option<String>,
    /// When they last proved in this session who they are.
    pub authenticated_at: Timestamp,
    /// Whether that was by a second factor.
    pub second_factor: bool,
    /// Whether they proved by themselves who they are. Else an account's own identity provider
    /// vouched for them, and they reach no more than that account.
    pub proven: bool,
    /// That an account's own identity provider vouched for them.
    pub vouched: Option<Vouched>,
}

/// That an account's own identity provider vouched for somebody in their session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// When it last did.
    pub at: Timestamp,
}

/// A browser that somebody is signed in with.
#[derive(Clone, Debug)]
pub struct SignedInDevice {
    /// The session's id.
    pub id: SessionId,
    /// When they signed in.
    pub since: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// The address that it signed in from.
    pub address: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Whether it is the one that asks.
    pub present: bool,
}

#[derive(FromRow)]
struct SessionRow {
    session_id: Uuid,
    id: Uuid,
    email: String,
    email_key: String,
    full_name: String,
    language: Option<String>,
    time_zone: Option<String>,
    last_seen_at: i64,
    authenticated_at: i64,
    second_factor: bool,
    proven: bool,
    vouched_at: Option<i64>,
    account_id: Option<Uuid>,
    account_number: Option<i64>,
}

impl SessionRow {
    fn vouched(&self, now: Timestamp) -> Option<Vouched> {
        Some(Vouched {
            account: self.account_id?.into(),
            number: AccountNumber::from_stored(self.account_number?),
            at: Timestamp::from_micros(self.vouched_at?).min(now),
        })
    }
}

#[derive(FromRow)]
struct DeviceRow {
    id: Uuid,
    created_at: i64,
    last_seen_at: i64,
    address: String,
    user_agent: String,
    present: bool,
}

impl Viewer {
    /// When the account's own identity provider last vouched for them.
    #[must_use]
    pub fn vouched_for(&self, account: AccountId) -> Option<Timestamp> {
        self.vouched.filter(|vouched| vouched.account == account).map(|vouched| vouched.at)
    }

    /// The account that their session is confined to, until they prove by themselves who they are.
    #[must_use]
    pub fn confined_to(&self) -> Option<AccountNumber> {
        self.vouched.filter(|_| !self.proven).map(|vouched| vouched.number)
    }
}

impl Store {
    /// Begins a session for the user and ends the one that the same browser had.
    ///
    /// # Errors
    /// [`FieldProblem::WrongPassword`] when the password was changed since it was compared, or a
    /// second factor is asked for since then; [`Failure::Unavailable`].
    pub async fn begin_session(
        &self,
        user: UserId,
        session: &NewSession,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        replace(&mut tx, user, session, instead_of, now).await?;
        tx.commit().await
    }

    /// Begins a session by a passkey, which counts as two factors, and ends the one that the same
    /// browser had.
    ///
    /// # Errors
    /// [`FieldProblem::WrongPasskey`] when the passkey was removed or used elsewhere meanwhile;
    /// [`FieldProblem::WrongPassword`] when the password was changed meanwhile;
    /// [`Failure::Unavailable`].
    pub async fn begin_session_with_passkey(
        &self,
        user: UserId,
        used: PasskeyUse,
        session: &NewSession,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        // The user before their passkey, as where factors change: neither waits for the other.
        locks::user(&mut tx, user).await?;
        passkeys::use_up(&mut tx, user, used, now).await?;
        replace(&mut tx, user, session, instead_of, now).await?;
        tx.commit().await
    }

    /// Whose session it is, unless it was idle for longer than `idle` or is older than `absolute`.
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
    ) -> Result<Option<Viewer>, Failure> {
        let row: Option<SessionRow> = read!(self, db => query_as(SESSION)
            .bind(&token_hash[..])
            .bind(now.before(idle).as_micros())
            .bind(now.before(absolute).as_micros())
            .fetch_optional(db))?;
        let Some(row) = row else { return Ok(None) };
        let stale = now.before(NOTED_EVERY).as_micros();
        if row.last_seen_at <= stale || row.last_seen_at > now.as_micros() {
            let (store, token_hash) = (self.clone(), *token_hash);
            self.note(async move {
                let text = SEEN.at(&store);
                write!(store, db => query(text)
                    .bind(&token_hash[..])
                    .bind(now.as_micros())
                    .bind(stale)
                    .execute(db))
            })
            .await;
        }
        Ok(Some(Viewer {
            vouched: row.vouched(now),
            session: row.session_id.into(),
            user: row.id.into(),
            email: EmailAddress::from_stored(row.email, row.email_key),
            full_name: row.full_name,
            language: row.language.as_deref().and_then(Language::parse),
            time_zone: row.time_zone,
            authenticated_at: Timestamp::from_micros(row.authenticated_at).min(now),
            second_factor: row.second_factor,
            proven: row.proven,
        }))
    }

    /// The browsers that the user is signed in with, at most a hundred, the last used first.
    /// `present` is the one that asks.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn signed_in_devices(
        &self,
        user: UserId,
        present: &TokenHash,
        idle: Duration,
        absolute: Duration,
        now: Timestamp,
    ) -> Result<Vec<SignedInDevice>, Failure> {
        let rows: Vec<DeviceRow> = read!(self, db => query_as(SESSIONS)
            .bind(Uuid::from(user))
            .bind(&present[..])
            .bind(now.before(idle).as_micros())
            .bind(now.before(absolute).as_micros())
            .fetch_all(db))?;
        let device = |row: DeviceRow| SignedInDevice {
            id: row.id.into(),
            since: Timestamp::from_micros(row.created_at),
            last_seen_at: Timestamp::from_micros(row.last_seen_at),
            address: row.address,
            user_agent: row.user_agent,
            present: row.present,
        };
        Ok(rows.into_iter().map(device).collect())
    }

    /// Notes that the session's user proved once more who they are, by the password with this
    /// hash. Answers false when it isn't theirs any more, or the session is over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn confirm_session(
        &self,
        token_hash: &TokenHash,
        password_hash: &Secret,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let confirmed = write!(self, db => query(CONFIRM)
            .bind(&token_hash[..])
            .bind(password_hash.expose())
            .bind(now.as_micros())
            .execute(db))?;
        Ok(confirmed > 0)
    }

    /// Notes that the session's user proved once more who they are, by a second factor. Answers
    /// false when the session is over.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when the proof was used before, or the factor removed meanwhile;
    /// [`Failure::Unavailable`].
    pub async fn confirm_session_with_factor(
        &self,
        user: UserId,
        proof: FactorProof,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        factors::use_up(&mut tx, user, proof, now).await?;
        let proved = prove(&mut tx, token_hash, true, now).await?;
        // A code doesn't stand in for the password that a session began without; a passkey does.
        if matches!(proof, FactorProof::Passkey(_)) {
            write!(tx, db => query(PROVEN).bind(&token_hash[..]).execute(db))?;
        }
        tx.commit().await?;
        Ok(proved)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_session(&self, token_hash: &TokenHash) -> Result<(), Failure> {
        write!(self, db => query(END_SESSION).bind(&token_hash[..]).execute(db))?;
        Ok(())
    }

    /// Ends one session of the user's. Answers false when they have none with this id.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, Failure> {
        let ended = write!(self, db => query(END_ONE)
            .bind(Uuid::from(user))
            .bind(Uuid::from(id))
            .execute(db))?;
        Ok(ended > 0)
    }

    /// Ends every session of the user's but this one.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_other_sessions(&self, user: UserId, keep: &TokenHash) -> Result<(), Failure> {
        write!(self, db => query(END_OTHERS).bind(Uuid::from(user)).bind(&keep[..]).execute(db))?;
        Ok(())
    }

    /// Ends every session of the user's, and what waits for a second factor. Answers how many sessions.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such user, [`Failure::Unavailable`].
    pub async fn end_sessions(&self, user: UserId) -> Result<u64, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        // Before the sessions: a second step that is taken at this moment begins one, or finds nothing.
        factors::drop_sign_ins(&mut tx, user).await?;
        let ended = write!(tx, db => query(END_ALL_OF).bind(Uuid::from(user)).execute(db))?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Ends every session that began until now, and what waits for a second factor. Answers how many
    /// sessions. There may be more of them than one statement has time for.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_everybodys_sessions(&self, now: Timestamp) -> Result<u64, Failure> {
        write!(self, db => query(DROP_ALL_SIGN_INS).execute(db))?;
        let mut all = 0;
        loop {
            let now = now.as_micros();
            let ended = write!(self, db => query(END_SOME).bind(now).bind(AT_ONCE).execute(db))?;
            if ended == 0 {
                return Ok(all);
            }
            all += ended;
        }
    }
}

/// Begins a session in place of the one that the same browser had.
pub(crate) async fn replace(
    tx: &mut Tx,
    user: UserId,
    session: &NewSession,
    instead_of: Option<&TokenHash>,
    now: Timestamp,
) -> Result<(), Failure> {
    // The user's row before the session's, as where a password changes: neither waits for the other.
    insert(tx, user, session, now).await?;
    if let Some(earlier) = instead_of {
        write!(tx, db => query(END_SESSION).bind(&earlier[..]).execute(db))?;
    }
    Ok(())
}

/// Begins a session, and tells the user when its browser is a new one. Their first is no news.
pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserId,
    session: &NewSession,
    now: Timestamp,
) -> Result<(), Failure> {
    // A statement sees what was there when it began, and this one has waited: it must not miss the
    // factor that was added meanwhile.
    locks::user(tx, user).await?;
    let text = INSERT_SESSION.on(tx);
    let begun = write!(tx, db => query(text)
        .bind(&session.token_hash[..])
        .bind(new_id(now))
        .bind(Uuid::from(user))
        .bind(now.as_micros())
        .bind(session.second_factor)
        .bind(&session.address)
        .bind(&session.user_agent)
        .bind(session.password_hash.expose())
        .bind(session.identity.map(Uuid::from))
        .bind(session.identity.map(|_| now.as_micros()))
        .bind(session.identity.is_none())
        .execute(db))?;
    if begun == 0 {
        return Err(Failure::field(Field::Password, FieldProblem::WrongPassword));
    }
    let device = remembered_as(session);
    let (known, others): (bool, bool) = read!(tx, db => query_as(DEVICES)
        .bind(Uuid::from(user))
        .bind(&session.device_hash[..])
        .bind(&device[..])
        .fetch_one(db))?;
    write!(tx, db => query(REMEMBER_DEVICE)
        .bind(Uuid::from(user))
        .bind(&device[..])
        .bind(now.as_micros())
        .execute(db))?;
    match &session.new_device {
        Some(mail) if others && !known => outbox::queue(tx, mail, None, now).await,
        _ => Ok(()),
    }
}

/// What the browser is known by from now on. An identity at an account's provider makes it known for
/// itself alone: whoever runs that provider mustn't get in elsewhere without the user being told.
fn remembered_as(session: &NewSession) -> TokenHash {
    let Some(identity) = session.identity else { return session.device_hash };
    let identity = Uuid::from(identity);
    Sha256::new().chain_update(session.device_hash).chain_update(identity).finalize().into()
}

/// Notes what the session's user proved just now. Answers false when the session is over.
pub(crate) async fn prove(
    tx: &mut Tx,
    session: &TokenHash,
    second_factor: bool,
    now: Timestamp,
) -> Result<bool, Failure> {
    let proved = write!(tx, db => query(PROVE)
        .bind(&session[..])
        .bind(now.as_micros())
        .bind(second_factor)
        .execute(db))?;
    Ok(proved > 0)
}

/// Notes that an identity vouches for the user in their session, too.
pub(crate) async fn vouch(
    tx: &mut Tx,
    session: &TokenHash,
    user: UserId,
    identity: IdentityId,
    now: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(VOUCH)
        .bind(&session[..])
        .bind(Uuid::from(identity))
        .bind(Uuid::from(user))
        .bind(now.as_micros())
        .execute(db))?;
    Ok(())
}

/// Ends every session of the user's but this one.
pub(crate) async fn end_others(tx: &mut Tx, user: UserId, keep: &TokenHash) -> Result<(), Failure> {
    write!(tx, db => query(END_OTHERS).bind(Uuid::from(user)).bind(&keep[..]).execute(db))?;
    Ok(())
}

/// Forgets the browsers that the user signed in with: the next one is their first.
pub(crate) async fn forget_devices(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_DEVICES).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}
