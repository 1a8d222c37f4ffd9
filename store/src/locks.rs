//! The rows that a change locks before it reads what it decides on, in this order, so that nobody waits
//! in a circle: after the turns at them (`turns.rs`) accounts by their ids, the user, an identity before
//! what hangs on it, half-way sign-ins before sessions, the head of the log (`activity::append`), and last
//! the endpoints of webhooks and the line of what they are told (`webhooks::tell`).

use std::collections::BTreeSet;

use model::{AccountId, EmailAddress, Failure, Timestamp, UserId};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, read, sql, write};
use crate::{Store, owner_changes};

/// The accounts in which something names the user, or what is kept for their address.
macro_rules! concerned {
    () => {
        "SELECT account_id FROM memberships WHERE user_id = $1 \
         UNION SELECT account_id FROM memberships WHERE invited_by = $1 \
         UNION SELECT account_id FROM memberships WHERE paused_by = $1 \
         UNION SELECT account_id FROM grants WHERE given_by = $1 \
         UNION SELECT account_id FROM access_requests WHERE answered_by = $1 \
         UNION SELECT r.account_id FROM access_requests r JOIN users u ON u.id = $1 \
             WHERE replace(r.told, u.full_name, '') <> r.told \
         UNION SELECT account_id FROM owner_changes WHERE made_by = $1 \
         UNION SELECT account_id FROM owner_changes WHERE stopped_by_id = $1 \
         UNION SELECT account_id FROM support_requests WHERE opened_by_id = $1 \
         UNION SELECT r.account_id FROM support_messages s \
             JOIN support_requests r ON r.id = s.request_id WHERE s.author_id = $1 \
         UNION SELECT account_id FROM successors WHERE named_by = $1 \
         UNION SELECT account_id FROM invitations WHERE inviter_id = $1 \
         UNION SELECT i.account_id FROM invitations i JOIN users u ON u.email_key = i.email_key \
             WHERE u.id = $1"
    };
}

sql! {
    /// Taken first by everything that touches an account's memberships, grants or invitations: what is
    /// decided on can't change before it is written, and nobody waits in a circle.
    ACCOUNT = "SELECT name, owners_due_at FROM accounts WHERE id = $1",
        // SQLite's one writer holds the lock on everything already.
        on Postgres "SELECT name, owners_due_at FROM accounts WHERE id = $1 FOR UPDATE";
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
    CONCERNED = concerned!();
    CONCERNED_ACCOUNTS = concat!(
        "SELECT id FROM accounts WHERE id IN (",
        concerned!(),
        ") ORDER BY id"
    ),
        on Postgres concat!(
            "SELECT id FROM accounts WHERE id IN (",
            concerned!(),
            ") ORDER BY id FOR UPDATE"
        );
    /// A user who is to be deleted: on Postgres nothing can come to name them meanwhile.
    LEAVING_USER = "SELECT email, email_key, full_name FROM users WHERE id = $1",
        on Postgres "SELECT email, email_key, full_name FROM users WHERE id = $1 FOR UPDATE";
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

/// How often the locks for deleting a user are taken anew, as another account came to name them.
const MOST_TRIES: usize = 5;

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

    /// Begins a transaction that has locked a user who is to be deleted, and before them every account
    /// in which something names them or is kept for their address. What follows from deleting them
    /// happens in these accounts alone.
    pub(crate) async fn begin_leaving(&self, user: UserId) -> Result<(Tx, LockedUser), Failure> {
        let id = Uuid::from(user);
        for _ in 0..MOST_TRIES {
            let accounts: Vec<Uuid> =
                read!(self, db => query_scalar(CONCERNED).bind(id).fetch_all(db))?;
            let mut tx = self.begin_locking(accounts.into_iter().chain([id])).await?;
            let text = CONCERNED_ACCOUNTS.on(&tx);
            let locked: Vec<Uuid> = read!(tx, db => query_scalar(text).bind(id).fetch_all(db))?;
            let text = LEAVING_USER.on(&tx);
            let row: Option<LockedUser> =
                read!(tx, db => query_as(text).bind(id).fetch_optional(db))?;
            let leaving = row.ok_or(Failure::NotFound)?;
            // Another account may have come to name them before they were locked.
            let concerned: Vec<Uuid> =
                read!(tx, db => query_scalar(CONCERNED).bind(id).fetch_all(db))?;
            let locked: BTreeSet<_> = locked.into_iter().collect();
            if concerned.iter().all(|account| locked.contains(account)) {
                return Ok((tx, leaving));
            }
        }
        Err(Failure::Unavailable)
    }
}

/// Locks an account until the end of the transaction and answers its name. Who becomes an owner by now
/// is one from here on: what is decided on is the truth of this moment. With that the log's head may be
/// locked before a user; nobody who waits for it holds one, as all who take the head hold the account.
pub(crate) async fn account(
    tx: &mut Tx,
    account: AccountId,
    now: Timestamp,
) -> Result<String, Failure> {
    let text = ACCOUNT.on(tx);
    let row: Option<(String, Option<i64>)> =
        read!(tx, db => query_as(text).bind(Uuid::from(account)).fetch_optional(db))?;
    let (name, due_at) = row.ok_or(Failure::NotFound)?;
    if due_at.is_some_and(|due_at| due_at <= now.as_micros()) {
        owner_changes::settle(tx, account, &name, now).await?;
    }
    Ok(name)
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
