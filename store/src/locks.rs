//! The rows that a change locks before it reads what it decides on, in this order, so that nobody waits
//! in a circle: after the turns at them (`turns.rs`) accounts by their ids, the user, an identity before
//! what hangs on it, half-way sign-ins before sessions, the head of the log last (`activity::append`).

use model::{AccountId, EmailAddress, Failure, UserId};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{Tx, read, sql, write};

sql! {
    /// Taken first by everything that touches an account's memberships, grants or invitations: what is
    /// decided on can't change before it is written, and nobody waits in a circle.
    ACCOUNT = "SELECT name FROM accounts WHERE id = $1",
        // SQLite's one writer holds the lock on everything already.
        on Postgres "SELECT name FROM accounts WHERE id = $1 FOR UPDATE";
    /// Two new accounts at once would both take the number after the greatest.
    NUMBERS = "SELECT 1",
        // SQLite's one writer needs none. This one lets readers and row locks pass.
        on Postgres "LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE";
    ACCOUNTS_OF = "SELECT id FROM accounts \
         WHERE id IN (SELECT account_id FROM memberships WHERE user_id = $1) ORDER BY id",
        on Postgres "SELECT id FROM accounts \
         WHERE id IN (SELECT account_id FROM memberships WHERE user_id = $1) ORDER BY id \
         FOR UPDATE";
    /// Sessions, resets and names of one user change one after the other. On Postgres memberships
    /// that name the user as inviter pass: they need no more than that the user stays there.
    USER = "SELECT email, email_key, full_name FROM users WHERE id = $1",
        // SQLite's one writer holds the lock on everything already.
        on Postgres "SELECT email, email_key, full_name FROM users WHERE id = $1 \
                     FOR NO KEY UPDATE";
    /// SQLite has one writer at a time anyway.
    IDENTITY = "SELECT id FROM identities WHERE id = $1",
        on Postgres "SELECT id FROM identities WHERE id = $1 FOR KEY SHARE";
    /// As whoever changes a user takes them: the accounts first, in the order of their ids.
    MARKED_ACCOUNTS = "SELECT id FROM accounts WHERE id IN \
             (SELECT account_id FROM memberships WHERE user_id IN \
                 (SELECT id FROM users WHERE NOT folded AND id <= $1)) ORDER BY id",
        on Postgres "SELECT id FROM accounts WHERE id IN \
             (SELECT account_id FROM memberships WHERE user_id IN \
                 (SELECT id FROM users WHERE NOT folded AND id <= $1)) ORDER BY id FOR UPDATE";
    MARKED_USERS = "SELECT id, email, email_key, full_name FROM users \
                  WHERE NOT folded AND id <= $1 ORDER BY id",
        on Postgres "SELECT id, email, email_key, full_name FROM users \
                     WHERE NOT folded AND id <= $1 ORDER BY id FOR NO KEY UPDATE";
}

/// Who a locked user is.
#[derive(FromRow)]
pub(crate) struct LockedUser {
    email: String,
    email_key: String,
    full_name: String,
}

impl LockedUser {
    pub(crate) fn email(&self) -> EmailAddress {
        EmailAddress::from_stored(self.email.clone(), self.email_key.clone())
    }

    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }
}

/// A locked user whose name and address are to be renewed.
#[derive(FromRow)]
pub(crate) struct MarkedUser {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) email_key: String,
    pub(crate) full_name: String,
}

impl Store {
    /// Begins a transaction that has locked a user and before them the accounts that they are in,
    /// as joining takes them in this order too: what their memberships repeat of them stays as it is
    /// until its end.
    pub(crate) async fn begin_everywhere(&self, user: UserId) -> Result<(Tx, LockedUser), Failure> {
        let id = Uuid::from(user);
        // Without locks, to wait for them in turn; what changed meanwhile is seen below.
        let accounts: Vec<Uuid> = read!(self, db => query_scalar(ACCOUNTS_OF.sqlite)
            .bind(id)
            .fetch_all(db))?;
        let mut tx = self.begin_locking(accounts.into_iter().chain([id])).await?;
        let text = ACCOUNTS_OF.on(&tx);
        let _: Vec<Uuid> = read!(tx, db => query_scalar(text).bind(id).fetch_all(db))?;
        let locked = self::user(&mut tx, user).await?;
        Ok((tx, locked))
    }
}

/// Locks an account until the end of the transaction and answers its name.
pub(crate) async fn account(tx: &mut Tx, account: AccountId) -> Result<String, Failure> {
    let text = ACCOUNT.on(tx);
    let name = read!(tx, db => query_scalar(text).bind(Uuid::from(account)).fetch_optional(db))?;
    name.ok_or(Failure::NotFound)
}

/// Locks the numbers of accounts until the end of the transaction.
pub(crate) async fn numbers(tx: &mut Tx) -> Result<(), Failure> {
    let text = NUMBERS.on(tx);
    write!(tx, db => query(text).execute(db))?;
    Ok(())
}

/// Locks a user, so that their name and links stay as they are until the end of the transaction.
pub(crate) async fn user(tx: &mut Tx, user: UserId) -> Result<LockedUser, Failure> {
    let text = USER.on(tx);
    let row = read!(tx, db => query_as(text).bind(Uuid::from(user)).fetch_optional(db))?;
    row.ok_or(Failure::NotFound)
}

/// Whether the identity is there, and stays until the transaction ends. What hangs on it is locked
/// after it, as where it ends: neither waits for the other.
pub(crate) async fn identity(tx: &mut Tx, id: Uuid) -> Result<bool, Failure> {
    let text = IDENTITY.on(tx);
    let found: Option<Uuid> = read!(tx, db => query_scalar(text).bind(id).fetch_optional(db))?;
    Ok(found.is_some())
}

/// Locks the users up to this one who are marked to be renewed, and before them their accounts.
pub(crate) async fn marked_users(tx: &mut Tx, last: Uuid) -> Result<Vec<MarkedUser>, Failure> {
    let (accounts, users) = (MARKED_ACCOUNTS.on(tx), MARKED_USERS.on(tx));
    let _: Vec<Uuid> = read!(tx, db => query_scalar(accounts).bind(last).fetch_all(db))?;
    read!(tx, db => query_as(users).bind(last).fetch_all(db))
}
