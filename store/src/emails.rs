//! The address of a login: proving it, changing it, and taking a change back.

use model::{Conflict, EmailAddress, Failure, LoginChange, Timestamp, UserId};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, alive, held, read, sql, taken_as, write};
use crate::{
    NewMail, NewPassword, NewReset, Store, TokenHash, factors, guesses, identities, locks,
    memberships, outbox, resets, sessions, single_sign_on, users, webhooks,
};

macro_rules! change {
    ($which:expr) => {
        concat!(
            "SELECT user_id, old_email, old_email_key, new_email, new_email_key, asked_at, \
                 done_at FROM email_changes WHERE ",
            $which
        )
    };
}

sql! {
    ASKED = change!(concat!(
        "token_hash = $1 AND done_at IS NULL AND ",
        alive!("expires_at", "$2")
    ));
    DONE = change!(concat!("undo_hash = $1 AND ", held!("undo_until", "$2")));
    ASKED_BY = change!(concat!(
        "user_id = $1 AND done_at IS NULL AND ",
        alive!("expires_at", "$2")
    ));
    IS_PROVEN = "SELECT email_proven FROM users WHERE id = $1";
    HAS_LOGIN = "SELECT EXISTS (SELECT 1 FROM users WHERE email_key = $1 AND id <> $2)";
    IS_HELD = concat!(
        "SELECT EXISTS (SELECT 1 FROM email_changes WHERE old_email_key = $1 AND ",
        held!("undo_until", "$2"),
        " AND user_id <> $3)"
    );
    ASK = "INSERT INTO email_changes (token_hash, user_id, old_email, old_email_key, new_email, \
                                      new_email_key, asked_at, expires_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DROP_ASKED = "DELETE FROM email_changes WHERE user_id = $1 AND done_at IS NULL";
    DROP_SINCE = "DELETE FROM email_changes \
                  WHERE user_id = $1 AND (done_at IS NULL OR done_at >= $2)";
    FINISH = "UPDATE email_changes SET done_at = $2, undo_hash = $3, undo_until = $4 \
              WHERE token_hash = $1";
    SET_EMAIL = "UPDATE users SET email = $2, email_key = $3, email_proven = $4 WHERE id = $1";
    PROVE = "UPDATE users SET email_proven = $3 WHERE id = $1 AND email_key = $2";
}

/// An address that somebody wants for their login. It is the one that they have when that is to be
/// proven.
#[derive(Clone, Debug)]
pub struct NewEmailChange {
    /// Whose.
    pub user: UserId,
    /// The address.
    pub after: EmailAddress,
    /// The SHA-256 of the token in the link to it.
    pub token_hash: TokenHash,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

/// What is decided on when somebody wants an address: read under lock.
#[derive(Clone, Debug)]
pub struct EmailFacts {
    /// The address that they have.
    pub present: EmailAddress,
    /// Whether that is proven.
    pub proven: bool,
    /// Whether another login has the wanted one, or had it lately and may take it back.
    pub taken: bool,
}

/// A change of a login's address.
#[derive(Clone, Debug)]
pub struct EmailChange {
    /// Whose.
    pub user: UserId,
    /// The address before.
    pub before: EmailAddress,
    /// The address after; the same where it is to be proven.
    pub after: EmailAddress,
}

/// The link that takes a change back.
#[derive(Clone, Copy, Debug)]
pub struct NewUndo {
    /// The SHA-256 of its token.
    pub token_hash: TokenHash,
    /// Until when it works.
    pub until: Timestamp,
}

/// How the address of a login stands.
#[derive(Clone, Debug)]
pub struct EmailStanding {
    /// Whether it is proven.
    pub proven: bool,
    /// What waits for its link to be opened.
    pub asked: Option<EmailChange>,
}

#[derive(FromRow)]
struct ChangeRow {
    user_id: Uuid,
    old_email: String,
    old_email_key: String,
    new_email: String,
    new_email_key: String,
    asked_at: i64,
    done_at: Option<i64>,
}

impl ChangeRow {
    fn read(&self) -> EmailChange {
        let address =
            |typed: &String, key: &String| EmailAddress::from_stored(typed.clone(), key.clone());
        EmailChange {
            user: self.user_id.into(),
            before: address(&self.old_email, &self.old_email_key),
            after: address(&self.new_email, &self.new_email_key),
        }
    }
}

impl Store {
    /// How the address of the user's login stands.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn email_standing(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<EmailStanding, Failure> {
        let user = Uuid::from(user);
        let proven: Option<bool> =
            read!(self, db => query_scalar(IS_PROVEN).bind(user).fetch_optional(db))?;
        let asked: Option<ChangeRow> = read!(self, db => query_as(ASKED_BY)
            .bind(user)
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let asked = asked.as_ref().map(ChangeRow::read);
        Ok(EmailStanding { proven: proven.unwrap_or_default(), asked })
    }

    /// Notes which address the user wants, in place of one that they wanted before, and queues the
    /// mails that `decide` answers. The address that they have stays until the link is used.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when there is no such user,
    /// [`Failure::Unavailable`].
    pub async fn ask_email_change(
        &self,
        change: &NewEmailChange,
        now: Timestamp,
        decide: impl FnOnce(&EmailFacts) -> Result<Vec<NewMail>, Failure> + Send,
    ) -> Result<(), Failure> {
        let NewEmailChange { user, after, token_hash, expires_at } = change;
        let mut tx = self.begin_locking([(*user).into()]).await?;
        let present = locks::user(&mut tx, *user).await?.email();
        let whose = Uuid::from(*user);
        let proven = is_proven(&mut tx, *user).await?;
        let has_login: bool = read!(tx, db => query_scalar(HAS_LOGIN)
            .bind(after.key())
            .bind(whose)
            .fetch_one(db))?;
        // Asked in either case: how long it takes tells nobody whether the address has a login.
        let is_held = is_held(&mut tx, after, *user, now).await?;
        let taken = has_login || is_held;
        let mails = decide(&EmailFacts { present: present.clone(), proven, taken })?;
        drop_asked(&mut tx, *user).await?;
        write!(tx, db => query(ASK)
            .bind(&token_hash[..])
            .bind(whose)
            .bind(present.as_str())
            .bind(present.key())
            .bind(after.as_str())
            .bind(after.key())
            .bind(now.as_micros())
            .bind(expires_at.as_micros())
            .execute(db))?;
        for mail in &mails {
            outbox::queue(&mut tx, mail, None, now).await?;
        }
        tx.commit().await
    }

    /// What the link to a wanted address is about, while it works. Changes nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn asked_email_change(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<EmailChange>, Failure> {
        let row: Option<ChangeRow> = read!(self, db => query_as(ASKED)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.as_ref().map(ChangeRow::read))
    }

    /// What the link that takes a change back is about, while it works. Changes nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn done_email_change(
        &self,
        undo_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<EmailChange>, Failure> {
        let row: Option<ChangeRow> = read!(self, db => query_as(DONE)
            .bind(&undo_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.as_ref().map(ChangeRow::read))
    }

    /// Gives the user the address that they wanted, or notes that the one they have is proven. With
    /// another address every session but `keep` ends, sign-ins that are half-way and reset links
    /// too; what an account's provider required of the old address stays required of them. Of
    /// several at once, one wins.
    ///
    /// # Errors
    /// [`Conflict::LinkSpent`] when the link is unknown, used, too old or somebody else's;
    /// [`Conflict::AddressTaken`] when another login was faster; [`Conflict::LastOwnersAddress`] when an
    /// account would be left without an owner who can come in; [`Failure::Unavailable`].
    pub async fn confirm_email_change(
        &self,
        token_hash: &TokenHash,
        user: UserId,
        keep: &TokenHash,
        undo: &NewUndo,
        now: Timestamp,
        mails: impl FnOnce(&EmailChange) -> Vec<NewMail> + Send,
    ) -> Result<EmailChange, Failure> {
        let (mut tx, locked) = self.begin_everywhere(user).await?;
        let row: Option<ChangeRow> = read!(tx, db => query_as(ASKED)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let change = row.as_ref().map(ChangeRow::read).filter(|change| change.user == user);
        let change = change.ok_or(Failure::Conflict(Conflict::LinkSpent))?;
        let EmailChange { before, after, .. } = &change;
        if before == after {
            prove(&mut tx, user, after).await?;
            drop_asked(&mut tx, user).await?;
            tx.commit().await?;
            return Ok(change);
        }
        write!(tx, db => query(FINISH)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .bind(&undo.token_hash[..])
            .bind(undo.until.as_micros())
            .execute(db))?;
        set(&mut tx, user, locked.full_name(), after, now).await?;
        // Asked after the address is theirs: from here on nobody else can come to hold it.
        if is_held(&mut tx, after, user, now).await? {
            return Err(Failure::Conflict(Conflict::AddressTaken));
        }
        factors::drop_sign_ins(&mut tx, user).await?;
        identities::drop_accounts(&mut tx, user).await?;
        let shut = memberships::shut_accounts(&mut tx, user).await?;
        single_sign_on::bind(&mut tx, user, before, after).await?;
        // By the new address: none of its owners could come into the account any more (rule 5).
        let shut_by_it = memberships::shut_accounts(&mut tx, user).await?;
        if shut_by_it.iter().any(|account| !shut.contains(account)) {
            return Err(Failure::Conflict(Conflict::LastOwnersAddress));
        }
        resets::drop_all(&mut tx, user, before).await?;
        sessions::end_others(&mut tx, user, keep).await?;
        for mail in mails(&change) {
            outbox::queue(&mut tx, &mail, None, now).await?;
        }
        tx.commit().await?;
        Ok(change)
    }

    /// Takes a change back, and all that came after it: the login has its old address again, which
    /// is proven thereby. Every session ends, `unknown` (a password that nobody has) replaces the
    /// password, what was set up since the change was asked for is gone, and `reset` lets a new
    /// password be chosen. Answers the change with the address that the login had last; none when
    /// the link is unknown, used or too old. Of several at once, one wins.
    ///
    /// # Errors
    /// [`Conflict::AddressTaken`], [`Failure::Unavailable`].
    pub async fn undo_email_change(
        &self,
        undo_hash: &TokenHash,
        unknown: &NewPassword,
        reset: &NewReset,
        now: Timestamp,
        mails: impl FnOnce(&EmailChange) -> Vec<NewMail> + Send,
    ) -> Result<Option<EmailChange>, Failure> {
        let found = self.done_email_change(undo_hash, now).await?;
        let Some(user) = found.map(|change| change.user) else { return Ok(None) };
        let (mut tx, locked) = self.begin_everywhere(user).await?;
        // Whoever was faster took it back already, or something older with it.
        let Some(row) = done(&mut tx, undo_hash, now).await? else { return Ok(None) };
        let change = EmailChange { after: locked.email(), ..row.read() };
        set(&mut tx, user, locked.full_name(), &change.before, now).await?;
        single_sign_on::bind(&mut tx, user, &change.after, &change.before).await?;
        write!(tx, db => query(DROP_SINCE)
            .bind(Uuid::from(user))
            .bind(row.done_at)
            .execute(db))?;
        users::set_password(&mut tx, user, unknown, None, now).await?;
        drop_planted(&mut tx, user, Timestamp::from_micros(row.asked_at), now).await?;
        resets::replace(&mut tx, user, &change.after, reset).await?;
        for mail in mails(&change) {
            outbox::queue(&mut tx, &mail, None, now).await?;
        }
        tx.commit().await?;
        Ok(Some(change))
    }
}

async fn done(
    tx: &mut Tx,
    undo_hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<ChangeRow>, Failure> {
    read!(tx, db => query_as(DONE)
        .bind(&undo_hash[..])
        .bind(now.as_micros())
        .fetch_optional(db))
}

/// Takes back what waits for its link to be opened.
pub(crate) async fn drop_asked(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(DROP_ASKED).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Notes that mail to this address reaches the user, if it still is theirs.
pub(crate) async fn prove(tx: &mut Tx, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
    write!(tx, db => query(PROVE)
        .bind(Uuid::from(user))
        .bind(email.key())
        .bind(true)
        .execute(db))?;
    Ok(())
}

/// Whether the address of the user's login is proven.
pub(crate) async fn is_proven(tx: &mut Tx, user: UserId) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(IS_PROVEN).bind(Uuid::from(user)).fetch_one(db))
}

/// Whether the address was another user's until lately, who may take it back.
pub(crate) async fn is_held(
    tx: &mut Tx,
    email: &EmailAddress,
    user: UserId,
    now: Timestamp,
) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(IS_HELD)
        .bind(email.key())
        .bind(now.as_micros())
        .bind(Uuid::from(user))
        .fetch_one(db))
}

/// Deletes what somebody who isn't the address's owner may have set up at the login since then:
/// second factors, linked identities, and browsers and networks that it is known on.
pub(crate) async fn drop_planted(
    tx: &mut Tx,
    user: UserId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    factors::drop_since(tx, user, since, now).await?;
    identities::drop_since(tx, user, since).await?;
    sessions::forget_devices(tx, user).await?;
    guesses::forget_networks(tx, user).await
}

/// Gives the user a proven address, also where they are searched by it.
async fn set(
    tx: &mut Tx,
    user: UserId,
    full_name: &str,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(SET_EMAIL)
        .bind(Uuid::from(user))
        .bind(email.as_str())
        .bind(email.key())
        .bind(true)
        .execute(db), taken_as(Conflict::AddressTaken))?;
    memberships::rename(tx, user, full_name, email).await?;
    webhooks::tell_login(tx, user, LoginChange::Email, now).await
}
