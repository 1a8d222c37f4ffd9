//! Eyes: through whose a session looks at an account, and until when.

use model::{AccountId, Eyes, Failure, Keys, SessionId, Timestamp, UserId};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{alive, read, sql, write};
use crate::grants::{keys, read_keys};
use crate::memberships::change_facts;
use crate::{ChangeFacts, Store, TokenHash};

macro_rules! eyes {
    ($db:ident) => {
        concat!(
            "SELECT m.user_id, u.full_name, m.owner, m.paused_at IS NOT NULL AS paused, ",
            keys!($db "$4"),
            " AS keys FROM eyes e \
                 JOIN memberships m ON m.account_id = e.account_id AND m.user_id = e.user_id \
                 JOIN users u ON u.id = m.user_id \
             WHERE e.session_id = $1 AND e.token_hash = $2 AND e.account_id = $3 AND ",
            alive!("e.expires_at", "$4")
        )
    };
}

/// A session that is over begins nothing.
macro_rules! begin {
    ($lock:literal) => {
        concat!(
            "INSERT INTO eyes (session_id, token_hash, account_id, user_id, expires_at) \
             SELECT s.id, $2, m.account_id, m.user_id, $5 FROM sessions s, memberships m \
             WHERE s.id = $1 AND m.account_id = $3 AND m.user_id = $4",
            $lock,
            " ON CONFLICT (session_id) DO UPDATE \
             SET token_hash = excluded.token_hash, account_id = excluded.account_id, \
                 user_id = excluded.user_id, expires_at = excluded.expires_at"
        )
    };
}

sql! {
    EYES = eyes!(sqlite), on Postgres eyes!(postgres);
    BEGIN = begin!(""),
        // Both stay until it is written. SQLite has one writer at a time anyway.
        on Postgres begin!(" FOR KEY SHARE");
    END = "DELETE FROM eyes WHERE session_id = $1";
}

/// A look that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewEyes {
    /// The session that looks.
    pub session: SessionId,
    /// The SHA-256 of what its browser is recognised by.
    pub token_hash: TokenHash,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Eyes that a session looks through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEyes {
    /// The eyes, with what their owner may do at this moment: nothing while their access is paused.
    pub eyes: Eyes,
    /// Their owner's name.
    pub full_name: String,
}

#[derive(FromRow)]
struct EyesRow {
    user_id: Uuid,
    full_name: String,
    owner: bool,
    paused: bool,
    keys: Option<String>,
}

impl From<EyesRow> for FoundEyes {
    fn from(row: EyesRow) -> Self {
        let keys = match row.paused && !row.owner {
            true => Keys::Granted(Vec::new()),
            false => read_keys(row.owner, row.keys.as_deref()),
        };
        let eyes = Eyes { user: row.user_id.into(), keys };
        Self { eyes, full_name: row.full_name }
    }
}

impl Store {
    /// Has a session look at the account through `target`'s eyes, in place of those that it looked
    /// through before: locks the account, reads the facts, asks `decide`.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when either of the two isn't in the account;
    /// [`Failure::SignedOut`] when the session is over; [`Failure::Unavailable`].
    pub async fn begin_eyes(
        &self,
        account: AccountId,
        actor: UserId,
        target: UserId,
        new: NewEyes,
        now: Timestamp,
        decide: impl FnOnce(&ChangeFacts) -> Result<(), Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let facts = change_facts(&mut tx, account, actor, target, now).await?;
        decide(&facts)?;
        let text = BEGIN.on(&tx);
        let begun = write!(tx, db => query(text)
            .bind(Uuid::from(new.session))
            .bind(&new.token_hash[..])
            .bind(Uuid::from(account))
            .bind(Uuid::from(target))
            .bind(new.expires_at.as_micros())
            .execute(db))?;
        if begun == 0 {
            return Err(Failure::SignedOut);
        }
        tx.commit().await
    }

    /// The eyes through which the session looks at this account at this moment, in a browser that
    /// holds this token.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn eyes(
        &self,
        session: SessionId,
        token_hash: &TokenHash,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Option<FoundEyes>, Failure> {
        let text = EYES.at(self);
        let row: Option<EyesRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(session))
            .bind(&token_hash[..])
            .bind(Uuid::from(account))
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.map(FoundEyes::from))
    }

    /// Has the session see with its own eyes again.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_eyes(&self, session: SessionId) -> Result<(), Failure> {
        write!(self, db => query(END).bind(Uuid::from(session)).execute(db))?;
        Ok(())
    }
}
