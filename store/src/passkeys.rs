//! Passkeys, and what browsers were asked so that they use or make one.

use model::{Conflict, Failure, Field, FieldProblem, PasskeyId, PasskeyName, Timestamp, UserId};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, alive, count, read, sql, write};
use crate::{FactorChange, FactorProof, Store, TokenHash, factors, locks, sessions, users};

/// The most passkeys of one user.
const MOST: u32 = 20;

macro_rules! passkeys {
    ($which:literal) => {
        concat!(
            "SELECT id, user_id, credential_id, name, key, counter, since, last_used_at \
             FROM passkeys WHERE ",
            $which
        )
    };
}

sql! {
    PASSKEYS = passkeys!("user_id = $1 ORDER BY since, id");
    PASSKEY_WITH = passkeys!("credential_id = $1");
    HOW_MANY = "SELECT count(*) FROM passkeys WHERE user_id = $1";
    ADD = "INSERT INTO passkeys (id, user_id, credential_id, name, key, counter, since) \
           VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (credential_id) DO NOTHING";
    RENAME = "UPDATE passkeys SET name = $3 WHERE user_id = $1 AND id = $2";
    RENEW = "UPDATE passkeys SET key = $3 WHERE id = $1 AND key = $2";
    REMOVE = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2";
    /// A signature counter only goes on, or there is none (Web Authentication Level 3 section
    /// 6.1.1).
    USE = "UPDATE passkeys SET counter = $3, last_used_at = $4 \
           WHERE user_id = $1 AND id = $2 AND (counter < $3 OR (counter = 0 AND $3 = 0))";
    ASK = "INSERT INTO passkey_challenges (challenge_hash, purpose, bound_to, state, expires_at) \
           VALUES ($1, $2, $3, $4, $5)";
    TAKE_ANSWER = concat!(
        "DELETE FROM passkey_challenges \
         WHERE challenge_hash = $1 AND purpose = $2 AND bound_to = $3 AND ",
        alive!("expires_at", "$4"),
        " RETURNING state"
    );
}

/// A user's passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// What its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// What the user calls it.
    pub name: String,
    /// The public key with what is known of its authenticator, in JSON.
    pub key: String,
    /// The newest signature counter seen; 0 if it has none.
    pub counter: u32,
    /// Since when they have it.
    pub since: Timestamp,
    /// When they last used it.
    pub last_used_at: Option<Timestamp>,
}

/// A passkey that is to be added.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// Its id.
    pub id: PasskeyId,
    /// What its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// What the user calls it.
    pub name: PasskeyName,
    /// The public key with what is known of its authenticator, in JSON.
    pub key: String,
}

/// That a passkey signed what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    /// Which one.
    pub passkey: PasskeyId,
    /// Its signature counter; 0 if it has none.
    pub counter: u32,
}

/// What a browser is asked for a passkey for: an answer serves nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedFor {
    /// To sign in; nobody knows yet who.
    SignIn,
    /// As the second step of the sign-in with this hash.
    SecondStep(TokenHash),
    /// As a proof in the session with this hash.
    Proof(TokenHash),
    /// To make a new one, in the session with this hash.
    NewPasskey(TokenHash),
}

impl AskedFor {
    const fn purpose(&self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SecondStep(_) => "second_step",
            Self::Proof(_) => "proof",
            Self::NewPasskey(_) => "new_passkey",
        }
    }

    fn bound_to(&self) -> &[u8] {
        match self {
            Self::SignIn => &[],
            Self::SecondStep(hash) | Self::Proof(hash) | Self::NewPasskey(hash) => hash,
        }
    }
}

/// What a browser is asked.
#[derive(Clone, Debug)]
pub struct PasskeyChallenge {
    /// The SHA-256 of the challenge, by which the answer is recognised.
    pub challenge_hash: TokenHash,
    /// What for.
    pub asked_for: AskedFor,
    /// What checks the answer, in JSON.
    pub state: String,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct PasskeyRow {
    id: Uuid,
    user_id: Uuid,
    credential_id: Vec<u8>,
    name: String,
    key: String,
    counter: i64,
    since: i64,
    last_used_at: Option<i64>,
}

impl From<PasskeyRow> for Passkey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            id: row.id.into(),
            user: row.user_id.into(),
            credential_id: row.credential_id,
            name: row.name,
            key: row.key,
            counter: count(row.counter),
            since: Timestamp::from_micros(row.since),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// The user's passkeys, the oldest first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, Failure> {
        let rows: Vec<PasskeyRow> =
            read!(self, db => query_as(PASSKEYS).bind(Uuid::from(user)).fetch_all(db))?;
        Ok(rows.into_iter().map(Passkey::from).collect())
    }

    /// The passkey that its authenticator calls so.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn passkey_with(&self, credential_id: &[u8]) -> Result<Option<Passkey>, Failure> {
        let row: Option<PasskeyRow> =
            read!(self, db => query_as(PASSKEY_WITH).bind(credential_id).fetch_optional(db))?;
        Ok(row.map(Passkey::from))
    }

    /// Notes what a browser is asked.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn ask_for_passkey(&self, challenge: &PasskeyChallenge) -> Result<(), Failure> {
        let asked_for = &challenge.asked_for;
        write!(self, db => query(ASK)
            .bind(&challenge.challenge_hash[..])
            .bind(asked_for.purpose())
            .bind(asked_for.bound_to())
            .bind(&challenge.state)
            .bind(challenge.expires_at.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// What checks an answer to this challenge. It is given out once; none when it was asked for
    /// something else, too long ago, or answered already.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn take_passkey_answer(
        &self,
        challenge_hash: &TokenHash,
        asked_for: &AskedFor,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let mut tx = self.begin().await?;
        let state: Option<String> = read!(tx, db => query_scalar(TAKE_ANSWER)
            .bind(&challenge_hash[..])
            .bind(asked_for.purpose())
            .bind(asked_for.bound_to())
            .bind(now.as_micros())
            .fetch_optional(db))?;
        tx.commit().await?;
        Ok(state)
    }

    /// Adds a passkey. Answers whether the recovery codes were taken: the user's first factor
    /// brings them.
    ///
    /// # Errors
    /// [`FieldProblem::PasskeyKnown`] when somebody has it already; [`Conflict::TooManyPasskeys`];
    /// [`Failure::FactorUnconfirmed`] beside another factor;
    /// [`Failure::Unavailable`].
    pub async fn add_passkey(
        &self,
        user: UserId,
        passkey: &NewPasskey,
        codes: &[TokenHash],
        change: &FactorChange,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        if how_many(&mut tx, user).await? >= MOST {
            return Err(Failure::Conflict(Conflict::TooManyPasskeys));
        }
        let first = factors::is_first(&mut tx, user, change).await?;
        let added = write!(tx, db => query(ADD)
            .bind(Uuid::from(passkey.id))
            .bind(Uuid::from(user))
            .bind(&passkey.credential_id)
            .bind(passkey.name.as_str())
            .bind(&passkey.key)
            .bind(now.as_micros())
            .execute(db))?;
        if added == 0 {
            return Err(Failure::field(Field::Passkey, FieldProblem::PasskeyKnown));
        }
        factors::added_factor(&mut tx, user, first.then_some(codes), change, now).await?;
        tx.commit().await?;
        Ok(first)
    }

    /// Gives a passkey another name. Answers false when the user has none with this id.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn rename_passkey(
        &self,
        user: UserId,
        passkey: PasskeyId,
        name: &PasskeyName,
    ) -> Result<bool, Failure> {
        let renamed = write!(self, db => query(RENAME)
            .bind(Uuid::from(user))
            .bind(Uuid::from(passkey))
            .bind(name.as_str())
            .execute(db))?;
        Ok(renamed > 0)
    }

    /// Notes what is known of a passkey now, unless somebody else did meanwhile.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn renew_passkey(
        &self,
        passkey: PasskeyId,
        before: &str,
        key: &str,
    ) -> Result<(), Failure> {
        write!(self, db => query(RENEW)
            .bind(Uuid::from(passkey))
            .bind(before)
            .bind(key)
            .execute(db))?;
        Ok(())
    }

    /// Removes a passkey. The user's last factor takes a proof, and their recovery codes go with
    /// it. Answers whether another factor is left.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when the user has none with this id; [`FieldProblem::Missing`] when it
    /// is the last factor and there is no proof; [`Failure::Invalid`] when the proof was used
    /// before; [`Conflict::ShortPassword`] when the password is too short to stand alone;
    /// [`Failure::Unavailable`].
    pub async fn remove_passkey(
        &self,
        user: UserId,
        passkey: PasskeyId,
        proof: Option<FactorProof>,
        change: &FactorChange,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        if let Some(proof) = proof {
            factors::use_up(&mut tx, user, proof, now).await?;
        }
        let removed = write!(tx, db => query(REMOVE)
            .bind(Uuid::from(user))
            .bind(Uuid::from(passkey))
            .execute(db))?;
        if removed == 0 {
            return Err(Failure::NotFound);
        }
        let others = users::has_factor(&mut tx, user).await?;
        if others {
            factors::changed(&mut tx, user, change, now).await?;
        } else {
            if proof.is_none() {
                return Err(Failure::field(Field::Code, FieldProblem::Missing));
            }
            factors::last_is_gone(&mut tx, user).await?;
            factors::changed(&mut tx, user, change, now).await?;
            sessions::prove(&mut tx, &change.session, false, now).await?;
        }
        tx.commit().await?;
        Ok(others)
    }
}

async fn how_many(tx: &mut Tx, user: UserId) -> Result<u32, Failure> {
    let many: i64 = read!(tx, db => query_scalar(HOW_MANY).bind(Uuid::from(user)).fetch_one(db))?;
    Ok(count(many))
}

/// Notes that a passkey was used; one that was removed, or whose counter didn't go on, opens nothing.
pub(crate) async fn use_up(
    tx: &mut Tx,
    user: UserId,
    used: PasskeyUse,
    now: Timestamp,
) -> Result<(), Failure> {
    let noted = write!(tx, db => query(USE)
        .bind(Uuid::from(user))
        .bind(Uuid::from(used.passkey))
        .bind(i64::from(used.counter))
        .bind(now.as_micros())
        .execute(db))?;
    if noted == 0 {
        return Err(Failure::field(Field::Passkey, FieldProblem::WrongPasskey));
    }
    Ok(())
}
