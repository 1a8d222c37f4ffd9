//! Second factors: authenticator apps and recovery codes, and sign-ins that wait for one.

use model::{
    Conflict, Failure, Field, FieldProblem, IdentityId, LoginChange, Secret, Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, alive, count, read, sql, write};
use crate::{
    NewMail, NewPassword, NewSession, PasskeyUse, Store, TokenHash, locks, outbox, passkeys,
    sessions, users, webhooks,
};

/// Whether a user has a second factor of any kind, as a part of SQL.
macro_rules! has_factor {
    ($user:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM authenticator_apps f WHERE f.user_id = ",
            $user,
            ") OR EXISTS (SELECT 1 FROM passkeys f WHERE f.user_id = ",
            $user,
            "))"
        )
    };
}

pub(crate) use has_factor;

sql! {
    APP = "SELECT secret, since, last_used_at FROM authenticator_apps WHERE user_id = $1";
    CODES_LEFT = "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    SETUP = concat!(
        "SELECT secret FROM authenticator_setups WHERE user_id = $1 AND ",
        alive!("expires_at", "$2")
    );
    BEGIN_SETUP = "INSERT INTO authenticator_setups (user_id, secret, expires_at) \
                   VALUES ($1, $2, $3) ON CONFLICT (user_id) DO UPDATE \
                   SET secret = excluded.secret, expires_at = excluded.expires_at";
    END_SETUP = concat!(
        "DELETE FROM authenticator_setups WHERE user_id = $1 AND secret = $2 AND ",
        alive!("expires_at", "$3")
    );
    ADD_APP = "INSERT INTO authenticator_apps (user_id, secret, last_step, since) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO NOTHING";
    REMOVE_APP = "DELETE FROM authenticator_apps WHERE user_id = $1";
    /// A code is accepted once, and none that is older than one accepted before. A step of two codes
    /// ahead of this one was taken by a clock that ran ahead: the app's codes are right again now.
    USE_APP = "UPDATE authenticator_apps SET last_step = $2, last_used_at = $3 \
               WHERE user_id = $1 AND (last_step < $2 OR last_step > $2 + 2)";
    USE_CODE = "UPDATE recovery_codes SET used_at = $3 \
                WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
    DROP_CODES = "DELETE FROM recovery_codes WHERE user_id = $1";
    ADD_CODE = "INSERT INTO recovery_codes (user_id, code_hash, made_at) VALUES ($1, $2, $3)";
    DROP_APP_SINCE = "DELETE FROM authenticator_apps WHERE user_id = $1 AND since >= $2";
    DROP_PASSKEYS_SINCE = "DELETE FROM passkeys WHERE user_id = $1 AND since >= $2";
    /// Without another factor there is nothing that they stand in for.
    DROP_CODES_SINCE = concat!(
        "DELETE FROM recovery_codes WHERE user_id = $1 AND (made_at >= $2 OR NOT ",
        has_factor!("$1"),
        ")"
    );
    DROP_SETUP = "DELETE FROM authenticator_setups WHERE user_id = $1";
    PASSWORD_IS_SHORT = "SELECT password_short FROM users WHERE id = $1";
    BEGIN_SIGN_IN = "INSERT INTO sign_ins \
                         (token_hash, user_id, password_hash, tries, expires_at, identity_id) \
                     VALUES ($1, $2, $3, 0, $4, $5)";
    SIGN_IN = concat!(
        "SELECT user_id FROM sign_ins WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2")
    );
    TRY_SIGN_IN = concat!(
        "UPDATE sign_ins SET tries = tries + 1 WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2"),
        " RETURNING user_id, tries, identity_id"
    );
    IDENTITY_OF_SIGN_IN = "SELECT identity_id FROM sign_ins \
                           WHERE token_hash = $1 AND identity_id IS NOT NULL";
    FINISH_SIGN_IN = concat!(
        "DELETE FROM sign_ins WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2"),
        " RETURNING user_id, password_hash, identity_id"
    );
    DROP_SIGN_IN = "DELETE FROM sign_ins WHERE token_hash = $1";
    RENEW_SIGN_INS = "UPDATE sign_ins SET password_hash = $3 \
                      WHERE user_id = $1 AND password_hash = $2";
    DROP_SIGN_INS = "DELETE FROM sign_ins WHERE user_id = $1";
}

/// A user's authenticator app.
#[derive(Clone, Debug)]
pub struct AuthenticatorApp {
    /// The key that it shares with us, in Base32 (RFC 4648 section 6).
    pub secret: Secret,
    /// Since when it is in use.
    pub since: Timestamp,
    /// When a code of it was last used, after the one that set it up.
    pub last_used_at: Option<Timestamp>,
}

/// What somebody gave as their second factor, as far as it fits without looking at what was used
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProof {
    /// A code of the authenticator app, by its time step (RFC 6238 section 4.2).
    App(i64),
    /// A recovery code, by its SHA-256.
    RecoveryCode(TokenHash),
    /// A passkey that signed what it was asked to.
    Passkey(PasskeyUse),
}

/// What goes with a change of somebody's second factors.
#[derive(Clone, Debug)]
pub struct FactorChange {
    /// The session in which it happens: the user's other ones end.
    pub session: TokenHash,
    /// Whether the session's last proof was a second factor: only by one, another is added.
    pub by_factor: bool,
    /// The mail that tells the user.
    pub mail: NewMail,
}

/// How a try to finish a sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInTry {
    /// Who signs in.
    pub user: UserId,
    /// How often a second factor was given, this time included.
    pub tries: u32,
    /// The identity at an account's provider by which it began.
    pub identity: Option<IdentityId>,
}

#[derive(FromRow)]
struct AppRow {
    secret: String,
    since: i64,
    last_used_at: Option<i64>,
}

impl Store {
    /// The user's authenticator app, if they have one.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn authenticator_app(
        &self,
        user: UserId,
    ) -> Result<Option<AuthenticatorApp>, Failure> {
        let row: Option<AppRow> =
            read!(self, db => query_as(APP).bind(Uuid::from(user)).fetch_optional(db))?;
        Ok(row.map(|row| AuthenticatorApp {
            secret: row.secret.into(),
            since: Timestamp::from_micros(row.since),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }))
    }

    /// How many of the user's recovery codes aren't used yet.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn recovery_codes_left(&self, user: UserId) -> Result<u32, Failure> {
        let left: i64 =
            read!(self, db => query_scalar(CODES_LEFT).bind(Uuid::from(user)).fetch_one(db))?;
        Ok(count(left))
    }

    /// The key of the authenticator app that the user is setting up.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn authenticator_setup(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<Secret>, Failure> {
        let secret: Option<String> = read!(self, db => query_scalar(SETUP)
            .bind(Uuid::from(user))
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(secret.map(Secret::from))
    }

    /// Begins to set an authenticator app up, in place of an earlier beginning.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn begin_authenticator_setup(
        &self,
        user: UserId,
        secret: &Secret,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(BEGIN_SETUP)
            .bind(Uuid::from(user))
            .bind(secret.expose())
            .bind(expires_at.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// Turns the authenticator app on that was set up with this key; `step` is that of the code
    /// which proved it. Answers whether the recovery codes were taken: the user's first factor
    /// brings them.
    ///
    /// # Errors
    /// [`Conflict::SetupOver`] when the setup ended or another took its place,
    /// [`Failure::FactorUnconfirmed`] beside another factor, [`Failure::Unavailable`].
    pub async fn add_authenticator_app(
        &self,
        user: UserId,
        secret: &Secret,
        step: i64,
        codes: &[TokenHash],
        change: &FactorChange,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let over = Failure::Conflict(Conflict::SetupOver);
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        let first = is_first(&mut tx, user, change).await?;
        let ended = write!(tx, db => query(END_SETUP)
            .bind(Uuid::from(user))
            .bind(secret.expose())
            .bind(now.as_micros())
            .execute(db))?;
        if ended == 0 {
            return Err(over);
        }
        let added = write!(tx, db => query(ADD_APP)
            .bind(Uuid::from(user))
            .bind(secret.expose())
            .bind(step)
            .bind(now.as_micros())
            .execute(db))?;
        if added == 0 {
            return Err(over);
        }
        added_factor(&mut tx, user, first.then_some(codes), change, now).await?;
        tx.commit().await?;
        Ok(first)
    }

    /// Turns the user's authenticator app off. Answers whether another factor is left; else their
    /// recovery codes go with it.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when the proof was used before; [`Conflict::ShortPassword`] when the
    /// password is too short to stand alone; [`Failure::Unavailable`].
    pub async fn remove_authenticator_app(
        &self,
        user: UserId,
        proof: FactorProof,
        change: &FactorChange,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        use_up(&mut tx, user, proof, now).await?;
        write!(tx, db => query(REMOVE_APP).bind(Uuid::from(user)).execute(db))?;
        let others = users::has_factor(&mut tx, user).await?;
        if !others {
            last_is_gone(&mut tx, user).await?;
        }
        changed(&mut tx, user, change, now).await?;
        sessions::prove(&mut tx, &change.session, others, now).await?;
        tx.commit().await?;
        Ok(others)
    }

    /// Gives the user new recovery codes in place of all earlier ones.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when the proof was used before, [`Failure::Unavailable`].
    pub async fn renew_recovery_codes(
        &self,
        user: UserId,
        proof: FactorProof,
        codes: &[TokenHash],
        mail: &NewMail,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        use_up(&mut tx, user, proof, now).await?;
        replace_codes(&mut tx, user, codes, now).await?;
        outbox::queue(&mut tx, mail, None, now).await?;
        tx.commit().await
    }

    /// Removes all of the user's second factors on the operator's word: whoever lost them can't give
    /// one. Every session ends, and `unknown` (a password that nobody has) replaces the password, so
    /// that a new one has to be chosen by mail. Answers false, and changes nothing, where there are
    /// none.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn remove_factors(
        &self,
        user: UserId,
        unknown: &NewPassword,
        mail: &NewMail,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        if !users::has_factor(&mut tx, user).await? {
            return Ok(false);
        }
        drop_since(&mut tx, user, Timestamp::from_micros(0), now).await?;
        users::set_password(&mut tx, user, unknown, None, now).await?;
        outbox::queue(&mut tx, mail, None, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notes a sign-in whose password was right and whose second factor is still to come.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn begin_sign_in(
        &self,
        user: UserId,
        token_hash: &TokenHash,
        password_hash: &Secret,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        begin_sign_in(&mut tx, user, token_hash, password_hash, None, expires_at).await?;
        tx.commit().await
    }

    /// Whose sign-in waits for a second factor; none when it is over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn sign_in_of(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<UserId>, Failure> {
        let user: Option<Uuid> = read!(self, db => query_scalar(SIGN_IN)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(user.map(UserId::from))
    }

    /// Counts one try to finish a sign-in; none when it is over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn try_sign_in(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<SignInTry>, Failure> {
        let mut tx = self.begin().await?;
        let row: Option<(Uuid, i64, Option<Uuid>)> = read!(tx, db => query_as(TRY_SIGN_IN)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        tx.commit().await?;
        Ok(row.map(|(user, tries, identity)| SignInTry {
            user: user.into(),
            tries: count(tries),
            identity: identity.map(IdentityId::from),
        }))
    }

    /// Ends a sign-in that came to nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn drop_sign_in(&self, token_hash: &TokenHash) -> Result<(), Failure> {
        write!(self, db => query(DROP_SIGN_IN).bind(&token_hash[..]).execute(db))?;
        Ok(())
    }

    /// Finishes a sign-in with a second factor: uses the proof up and begins the session, in one
    /// transaction. `instead_of` is the session that the same browser had: it ends.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when it took too long, the password or the factors changed
    /// meanwhile, or another try finished it; [`Failure::Invalid`] when the proof was used before;
    /// [`Failure::Unavailable`].
    pub async fn finish_sign_in(
        &self,
        token_hash: &TokenHash,
        user: UserId,
        proof: FactorProof,
        session: &NewSession,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let over = Failure::Conflict(Conflict::SignInOver);
        let mut tx = self.begin_locking([user.into()]).await?;
        // The user before their sign-in, as where factors change: neither waits for the other.
        locks::user(&mut tx, user).await?;
        let by: Option<Uuid> = read!(tx, db => query_scalar(IDENTITY_OF_SIGN_IN)
            .bind(&token_hash[..])
            .fetch_optional(db))?;
        if let Some(by) = by
            && !locks::identity(&mut tx, by).await?
        {
            return Err(over);
        }
        let row: Option<(Uuid, String, Option<Uuid>)> = read!(tx, db => query_as(FINISH_SIGN_IN)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let Some((whose, password_hash, identity)) = row else { return Err(over) };
        if UserId::from(whose) != user {
            return Err(over);
        }
        use_up(&mut tx, user, proof, now).await?;
        let session = NewSession {
            password_hash: password_hash.into(),
            identity: identity.map(Into::into),
            ..session.clone()
        };
        sessions::replace(&mut tx, user, &session, instead_of, now).await.map_err(|failure| {
            match failure {
                Failure::Invalid(_) => over.clone(),
                failure => failure,
            }
        })?;
        tx.commit().await
    }
}

/// Whether the factor that is being added is the user's first. Beside another one it takes that: else
/// the password alone would bring a second factor, and in the end be all that is asked for (NIST SP
/// 800-63B-4 section 4.1.2).
pub(crate) async fn is_first(
    tx: &mut Tx,
    user: UserId,
    change: &FactorChange,
) -> Result<bool, Failure> {
    let first = !users::has_factor(tx, user).await?;
    if first || change.by_factor { Ok(first) } else { Err(Failure::FactorUnconfirmed) }
}

/// What goes with a factor that was added; the first one brings recovery codes.
pub(crate) async fn added_factor(
    tx: &mut Tx,
    user: UserId,
    codes: Option<&[TokenHash]>,
    change: &FactorChange,
    now: Timestamp,
) -> Result<(), Failure> {
    if let Some(codes) = codes {
        replace_codes(tx, user, codes, now).await?;
    }
    changed(tx, user, change, now).await?;
    sessions::prove(tx, &change.session, true, now).await?;
    Ok(())
}

/// Uses a second factor up; one that was used before opens nothing.
pub(crate) async fn use_up(
    tx: &mut Tx,
    whose: UserId,
    proof: FactorProof,
    now: Timestamp,
) -> Result<(), Failure> {
    let user = Uuid::from(whose);
    let used = match proof {
        FactorProof::Passkey(used) => return passkeys::use_up(tx, whose, used, now).await,
        FactorProof::App(step) => write!(tx, db => query(USE_APP)
            .bind(user)
            .bind(step)
            .bind(now.as_micros())
            .execute(db))?,
        FactorProof::RecoveryCode(hash) => write!(tx, db => query(USE_CODE)
            .bind(user)
            .bind(&hash[..])
            .bind(now.as_micros())
            .execute(db))?,
    };
    if used == 0 { Err(Failure::field(Field::Code, FieldProblem::WrongCode)) } else { Ok(()) }
}

/// Replaces the user's recovery codes.
async fn replace_codes(
    tx: &mut Tx,
    user: UserId,
    codes: &[TokenHash],
    now: Timestamp,
) -> Result<(), Failure> {
    let (user, now) = (Uuid::from(user), now.as_micros());
    write!(tx, db => query(DROP_CODES).bind(user).execute(db))?;
    for code in codes {
        write!(tx, db => query(ADD_CODE).bind(user).bind(&code[..]).bind(now).execute(db))?;
    }
    Ok(())
}

/// What goes with a user's last factor: their recovery codes, and a password too short to stand
/// alone must not be left.
pub(crate) async fn last_is_gone(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    let short: bool =
        read!(tx, db => query_scalar(PASSWORD_IS_SHORT).bind(Uuid::from(user)).fetch_one(db))?;
    if short {
        return Err(Failure::Conflict(Conflict::ShortPassword));
    }
    write!(tx, db => query(DROP_CODES).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Notes a sign-in whose second factor is still to come. `identity` is the one at an account's
/// provider that vouched in place of the password.
pub(crate) async fn begin_sign_in(
    tx: &mut Tx,
    user: UserId,
    token_hash: &TokenHash,
    password_hash: &Secret,
    identity: Option<IdentityId>,
    expires_at: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(BEGIN_SIGN_IN)
        .bind(&token_hash[..])
        .bind(Uuid::from(user))
        .bind(password_hash.expose())
        .bind(expires_at.as_micros())
        .bind(identity.map(Uuid::from))
        .execute(db))?;
    Ok(())
}

/// What every change of factors does: other sessions and half-way sign-ins end, the user is told.
pub(crate) async fn changed(
    tx: &mut Tx,
    user: UserId,
    change: &FactorChange,
    now: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(DROP_SIGN_INS).bind(Uuid::from(user)).execute(db))?;
    sessions::end_others(tx, user, &change.session).await?;
    outbox::queue(tx, &change.mail, None, now).await?;
    webhooks::tell_login(tx, user, LoginChange::SecondFactor, now).await
}

/// Ends the user's half-way sign-ins.
pub(crate) async fn drop_sign_ins(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(DROP_SIGN_INS).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Has the user's half-way sign-ins go on when their password got another hash.
pub(crate) async fn renew_sign_ins(
    tx: &mut Tx,
    user: UserId,
    before: &Secret,
    after: &Secret,
) -> Result<(), Failure> {
    write!(tx, db => query(RENEW_SIGN_INS)
        .bind(Uuid::from(user))
        .bind(before.expose())
        .bind(after.expose())
        .execute(db))?;
    Ok(())
}

/// Deletes the factors that were set up since then.
pub(crate) async fn drop_since(
    tx: &mut Tx,
    whose: UserId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    let (user, since) = (Uuid::from(whose), since.as_micros());
    let mut factors = 0;
    for dropped in [DROP_APP_SINCE, DROP_PASSKEYS_SINCE] {
        factors += write!(tx, db => query(dropped).bind(user).bind(since).execute(db))?;
    }
    write!(tx, db => query(DROP_CODES_SINCE).bind(user).bind(since).execute(db))?;
    write!(tx, db => query(DROP_SETUP).bind(user).execute(db))?;
    match factors {
        0 => Ok(()),
        _ => webhooks::tell_login(tx, whose, LoginChange::SecondFactor, now).await,
    }
}
