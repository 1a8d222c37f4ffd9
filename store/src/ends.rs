//! Ends of grants: who is told of one, and that they were. Nothing here makes an end true.

use std::collections::{BTreeSet, HashMap};

use model::{
    AccountId, AccountNumber, EmailAddress, EndStage, Failure, GrantId, Outline, Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{limit, read, sql, write};
use crate::{GrantRow, NewMail, Owner, Store, grants, locks, outbox};

/// Whether there is something to tell of the grant `g`, by the moments that ends of a week, of a day and
/// of now would have.
macro_rules! to_tell_of {
    () => {
        "g.until IS NOT NULL AND g.told < 3 AND g.until <= $2 \
             AND (g.told < 1 OR (g.told < 2 AND g.until <= $3) OR g.until <= $4)"
    };
}

sql! {
    ACCOUNTS = concat!(
        "SELECT DISTINCT g.account_id FROM grants g WHERE ",
        to_tell_of!(),
        " AND g.account_id > $1 ORDER BY g.account_id LIMIT $5"
    );
    /// Whoever gave it and doesn't manage the account's users any more learns nothing of it.
    TO_TELL_OF = concat!(
        "SELECT g.id, g.user_id, u.full_name, u.email, u.email_key, g.until, a.number, \
             b.full_name AS giver_name, b.email AS giver_email, b.email_key AS giver_email_key \
         FROM grants g JOIN accounts a ON a.id = g.account_id JOIN users u ON u.id = g.user_id \
             LEFT JOIN memberships m ON m.account_id = g.account_id AND m.user_id = g.given_by \
                 AND (m.owner OR (m.paused_at IS NULL AND EXISTS ( \
                     SELECT 1 FROM grants k \
                     WHERE k.account_id = m.account_id AND k.user_id = m.user_id \
                         AND (k.until IS NULL OR k.until > $4) \
                         AND ' ' || k.permissions || ' ' LIKE '% account.users %'))) \
             LEFT JOIN users b ON b.id = m.user_id \
         WHERE ",
        to_tell_of!(),
        " AND g.account_id = $1 ORDER BY g.user_id, g.given_at, g.id LIMIT $5"
    );
    NOTE_TOLD = "UPDATE grants SET told = $2 WHERE id = $1";
}

/// A grant that ends soon, or ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Whose it is.
    pub user: UserId,
    /// Their name and address.
    pub person: Owner,
    /// Who gave it, if they still manage the account's users.
    pub giver: Option<Owner>,
    /// What it opens, and until when.
    pub outline: Outline,
    /// How near its end is.
    pub stage: EndStage,
}

/// What the mails about ends are made of: read under lock.
#[derive(Clone, Debug)]
pub struct EndingFacts {
    /// The account's name.
    pub account: String,
    /// Its number.
    pub number: AccountNumber,
    /// The grants, those of one person beside each other.
    pub ending: Vec<Ending>,
}

#[derive(FromRow)]
struct EndingRow {
    id: Uuid,
    user_id: Uuid,
    full_name: String,
    email: String,
    email_key: String,
    until: i64,
    number: i64,
    giver_name: Option<String>,
    giver_email: Option<String>,
    giver_email_key: Option<String>,
}

impl EndingRow {
    fn giver(&self) -> Option<Owner> {
        let email = self.giver_email.clone().zip(self.giver_email_key.clone());
        let (full_name, (email, key)) = self.giver_name.clone().zip(email)?;
        Some(Owner { full_name, email: EmailAddress::from_stored(email, key) })
    }
}

impl Store {
    /// Accounts with an end that somebody is to be told of, in the order of their ids and after this
    /// one, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn ending_accounts(
        &self,
        after: Option<AccountId>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<AccountId>, Failure> {
        let [week, day, ended] = moments(now);
        let ids: Vec<Uuid> = read!(self, db => query_scalar(ACCOUNTS)
            .bind(after.map_or(Uuid::nil(), Uuid::from))
            .bind(week)
            .bind(day)
            .bind(ended)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(ids.into_iter().map(AccountId::from).collect())
    }

    /// Has people told of ends in the account, `most` grants at most: locks it, reads them, queues the
    /// mails that `decide` makes of them, and notes that they are told. Answers of how many.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
    pub async fn tell_of_ends(
        &self,
        account: AccountId,
        most: usize,
        now: Timestamp,
        decide: impl FnOnce(&EndingFacts) -> Vec<NewMail> + Send,
    ) -> Result<usize, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let name = locks::account(&mut tx, account, now).await?;
        let [week, day, ended] = moments(now);
        let rows: Vec<EndingRow> = read!(tx, db => query_as(TO_TELL_OF)
            .bind(Uuid::from(account))
            .bind(week)
            .bind(day)
            .bind(ended)
            .bind(limit(most))
            .fetch_all(db))?;
        let Some(first) = rows.first() else { return Ok(0) };
        let number = AccountNumber::from_stored(first.number);
        let users: BTreeSet<_> = rows.iter().map(|row| row.user_id).collect();
        let held = grants::rows_of(&mut tx, account, &users).await?;
        let mut ending = Vec::new();
        for row in &rows {
            let until = Timestamp::from_micros(row.until);
            let Some(stage) = EndStage::of(until, now) else { continue };
            write!(tx, db => query(NOTE_TOLD).bind(row.id).bind(stage.number()).execute(db))?;
            let Some(outline) = outline(&held, row) else { continue };
            ending.push(Ending {
                user: row.user_id.into(),
                person: Owner {
                    full_name: row.full_name.clone(),
                    email: EmailAddress::from_stored(row.email.clone(), row.email_key.clone()),
                },
                giver: row.giver(),
                outline,
                stage,
            });
        }
        for mail in decide(&EndingFacts { account: name, number, ending }) {
            outbox::queue(&mut tx, &mail, Some(account), now).await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }
}

/// Until which end each stage has begun by now.
fn moments(now: Timestamp) -> [i64; 3] {
    EndStage::ALL.map(|stage| now.after(stage.ahead()).as_micros())
}

fn outline(held: &HashMap<Uuid, Vec<GrantRow>>, row: &EndingRow) -> Option<Outline> {
    let id = GrantId::from(row.id);
    let mut held = held.get(&row.user_id)?.iter();
    held.find(|held| held.id == id).map(|held| held.outline)
}
