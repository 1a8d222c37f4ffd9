//! "I don't know this person": what invited people report, and what it forbids until the operator
//! lifts it.

use model::{AccountId, AccountNumber, EmailAddress, Failure, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, new_id, read, sql, write};
use crate::{NewMail, Store};

/// Whether a report keeps the account ($1) from inviting an address ($2, and what is left of it, $3).
macro_rules! is_reported {
    () => {
        "EXISTS (SELECT 1 FROM reports \
                 WHERE account_id = $1 AND email_key IN ($2, $3) AND lifted_at IS NULL)"
    };
}

pub(crate) use is_reported;

sql! {
    INSERT_REPORT = "INSERT INTO reports \
                         (id, at, account_id, email, email_key, inviter_name, inviter_email) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)";
    IN_FORCE = concat!("SELECT ", is_reported!());
    REPORTS = "SELECT r.at, a.number, a.name, r.email, r.email_key, r.inviter_name, \
                   r.inviter_email, r.lifted_at \
               FROM reports r JOIN accounts a ON a.id = r.account_id \
               ORDER BY r.id DESC LIMIT $1";
    LIFT = "UPDATE reports SET lifted_at = $3 \
            WHERE account_id = (SELECT id FROM accounts WHERE number = $1) \
                AND email_key IN ($2, $4) AND lifted_at IS NULL";
    /// It goes on to keep the account from inviting that address.
    FORGET_REPORTER = "UPDATE reports SET email = $2, email_key = $2 WHERE email_key = $1";
    FORGET_REPORTED = "UPDATE reports SET inviter_name = '', inviter_email = '' \
                       WHERE inviter_email IN ($1, $2)";
}

/// What an invited person reports by declining.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// The inviter's name.
    pub inviter_name: String,
    /// The inviter's address.
    pub inviter_email: String,
    /// The mail that tells the operator, if they want one.
    pub mail: Option<NewMail>,
}

/// A report, as the operator reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When.
    pub at: Timestamp,
    /// The account that invited, by its number.
    pub account_number: AccountNumber,
    /// Its name.
    pub account_name: String,
    /// The invited address.
    pub email: EmailAddress,
    /// The inviter's name.
    pub inviter_name: String,
    /// The inviter's address.
    pub inviter_email: String,
    /// When it was lifted; none while it is in force.
    pub lifted_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct ReportRow {
    at: i64,
    number: i64,
    name: String,
    email: String,
    email_key: String,
    inviter_name: String,
    inviter_email: String,
    lifted_at: Option<i64>,
}

impl From<ReportRow> for Report {
    fn from(row: ReportRow) -> Self {
        Self {
            at: Timestamp::from_micros(row.at),
            account_number: AccountNumber::from_stored(row.number),
            account_name: row.name,
            email: EmailAddress::from_stored(row.email, row.email_key),
            inviter_name: row.inviter_name,
            inviter_email: row.inviter_email,
            lifted_at: row.lifted_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// What was reported, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reports(&self, most: usize) -> Result<Vec<Report>, Failure> {
        let rows: Vec<ReportRow> =
            read!(self, db => query_as(REPORTS).bind(limit(most)).fetch_all(db))?;
        Ok(rows.into_iter().map(Report::from).collect())
    }

    /// Lets the account invite this address again.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when no report keeps it from that, [`Failure::Unavailable`].
    pub async fn lift_report(
        &self,
        account: AccountNumber,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let lifted = write!(self, db => query(LIFT)
            .bind(account.get())
            .bind(email.key())
            .bind(now.as_micros())
            .bind(forgotten(email))
            .execute(db))?;
        if lifted == 0 { Err(Failure::NotFound) } else { Ok(()) }
    }
}

/// Whether a report keeps the account from inviting this address.
pub(crate) async fn in_force(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(IN_FORCE)
        .bind(Uuid::from(account))
        .bind(email.key())
        .bind(forgotten(email))
        .fetch_one(db))
}

/// What is left of the address of whoever reported somebody, once their login is deleted: enough to
/// know it again when it is invited.
pub(crate) fn forgotten(email: &EmailAddress) -> String {
    let hash = Sha256::digest(email.key());
    hash.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
}

/// Takes somebody out of what they reported, and out of what was reported of them.
pub(crate) async fn forget(tx: &mut Tx, email: &EmailAddress) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_REPORTER)
        .bind(email.key())
        .bind(forgotten(email))
        .execute(db))?;
    write!(tx, db => query(FORGET_REPORTED)
        .bind(email.as_str())
        .bind(email.key())
        .execute(db))?;
    Ok(())
}

/// Writes a report, in the transaction that declines the invitation.
pub(crate) async fn insert(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
    report: &NewReport,
    now: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(INSERT_REPORT)
        .bind(new_id(now))
        .bind(now.as_micros())
        .bind(Uuid::from(account))
        .bind(email.as_str())
        .bind(email.key())
        .bind(&report.inviter_name)
        .bind(&report.inviter_email)
        .execute(db))?;
    Ok(())
}
