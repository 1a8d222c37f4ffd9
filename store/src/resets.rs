//! Links to choose a new password.

use model::{EmailAddress, Failure, Timestamp, UserId};

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Tx, alive, read, sql, unreadable, write};
use crate::{NewMail, NewPassword, Store, TokenHash, emails, locks, outbox, users};

sql! {
    RESET = "SELECT user_id, expires_at, used_at FROM resets WHERE token_hash = $1";
    WHOSE = "SELECT user_id FROM resets WHERE token_hash = $1";
    DROP_EARLIER = "DELETE FROM resets WHERE user_id = $1";
    INSERT_RESET = "INSERT INTO resets (token_hash, user_id, expires_at, mailed) \
                    VALUES ($1, $2, $3, $4)";
    INSERT_FOR_NOBODY = "INSERT INTO resets_for_nobody (token_hash, facts, expires_at) \
                         VALUES ($1, $2, $3)";
    USE_UP = concat!(
        "UPDATE resets SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND ",
        alive!("expires_at", "$2"),
        " RETURNING mailed"
    );
}

/// A link to choose a new password.
#[derive(Clone, Copy, Debug)]
pub struct NewReset {
    /// The SHA-256 of its token.
    pub token_hash: TokenHash,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Whether nobody but the mailbox of the login gets it.
    pub mailed: bool,
}

/// What a reset link leads to.
#[derive(Clone, Debug)]
pub struct OpenedReset {
    /// Whose password it is about.
    pub user: UserId,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub used: bool,
}

impl Store {
    /// Stores a reset link in place of the user's earlier ones, and its mail if it goes by mail.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such user, or their address isn't the one that the
    /// mail is for (any more); [`Failure::Unavailable`].
    pub async fn issue_reset(
        &self,
        user: UserId,
        token_hash: &TokenHash,
        expires_at: Timestamp,
        mail: Option<NewMail>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let present = locks::user(&mut tx, user).await?.email();
        if mail.as_ref().is_some_and(|mail| mail.to != present) {
            return Err(Failure::NotFound);
        }
        let mailed = mail.is_some();
        let reset = NewReset { token_hash: *token_hash, expires_at, mailed };
        replace(&mut tx, user, &present, &reset).await?;
        if let Some(mail) = mail {
            outbox::queue(&mut tx, &mail, None, now).await?;
        }
        tx.commit().await
    }

    /// Does what [`Store::issue_reset`] does, statement for statement, for an address that nobody has:
    /// whoever measures how long the answer takes learns nothing (OWASP ASVS 5.0 V6.3.8).
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn issue_reset_to_nobody(
        &self,
        tokens: [TokenHash; 2],
        expires_at: Timestamp,
        mail: &NewMail,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let nobody = UserId::from(Uuid::nil());
        let mut tx = self.begin().await?;
        match locks::user(&mut tx, nobody).await {
            Ok(_) | Err(Failure::NotFound) => {}
            Err(failure) => return Err(failure),
        }
        drop_all(&mut tx, nobody, &mail.to).await?;
        outbox::queue_nothing(&mut tx, mail.to.key(), now).await?;
        let facts = serde_json::to_string(&mail.mail).map_err(unreadable)?;
        // One in place of the link, one in place of its mail.
        for token in tokens {
            write!(tx, db => query(INSERT_FOR_NOBODY)
                .bind(&token[..])
                .bind(&facts)
                .bind(expires_at.as_micros())
                .execute(db))?;
        }
        tx.commit().await
    }

    /// What this reset link leads to.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reset(&self, token_hash: &TokenHash) -> Result<Option<OpenedReset>, Failure> {
        let row: Option<(Uuid, i64, Option<i64>)> =
            read!(self, db => query_as(RESET).bind(&token_hash[..]).fetch_optional(db))?;
        Ok(row.map(|(user, expires_at, used_at)| OpenedReset {
            user: user.into(),
            expires_at: Timestamp::from_micros(expires_at),
            used: used_at.is_some(),
        }))
    }

    /// Uses the link up, sets the password and ends every session of the user, in one transaction.
    /// If it went by mail, it proves the login's address; if that wasn't proven before, whatever was
    /// set up at the login goes: whoever made it may have been somebody else. Answers whose it was;
    /// none when the link is unknown, used or too old. Of several at once, one wins.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn use_reset(
        &self,
        token_hash: &TokenHash,
        password: &NewPassword,
        now: Timestamp,
    ) -> Result<Option<UserId>, Failure> {
        let whose: Option<Uuid> =
            read!(self, db => query_scalar(WHOSE).bind(&token_hash[..]).fetch_optional(db))?;
        let Some(user) = whose.map(UserId::from) else { return Ok(None) };
        let mut tx = self.begin_locking([user.into()]).await?;
        // The user before the link, as when a link is issued: the two never wait for each other.
        let locked = locks::user(&mut tx, user).await?;
        let mailed: Option<bool> = read!(tx, db => query_scalar(USE_UP)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let Some(mailed) = mailed else { return Ok(None) };
        if mailed && !emails::is_proven(&mut tx, user).await? {
            emails::drop_planted(&mut tx, user, Timestamp::from_micros(0), now).await?;
            emails::prove(&mut tx, user, &locked.email()).await?;
        }
        users::set_password(&mut tx, user, password, None, now).await?;
        users::tell_of_password(&mut tx, &locked, password, now).await?;
        tx.commit().await?;
        Ok(Some(user))
    }
}

/// Takes the user's reset links back, also those that wait to be sent.
pub(crate) async fn drop_all(
    tx: &mut Tx,
    user: UserId,
    email: &EmailAddress,
) -> Result<(), Failure> {
    write!(tx, db => query(DROP_EARLIER).bind(Uuid::from(user)).execute(db))?;
    outbox::drop_queued_resets(tx, email).await
}

/// Stores a reset link in place of the user's earlier ones.
pub(crate) async fn replace(
    tx: &mut Tx,
    user: UserId,
    email: &EmailAddress,
    reset: &NewReset,
) -> Result<(), Failure> {
    drop_all(tx, user, email).await?;
    write!(tx, db => query(INSERT_RESET)
        .bind(&reset.token_hash[..])
        .bind(Uuid::from(user))
        .bind(reset.expires_at.as_micros())
        .bind(reset.mailed)
        .execute(db))?;
    Ok(())
}
