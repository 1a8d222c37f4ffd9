//! Accounts and their details.

use model::{AccountId, AccountNumber, ActivityKind, Failure, Timestamp};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{count, limit, read, sql, write};
use crate::memberships::is_due;
use crate::{LockedActor, NewActivity, Offer, Store, activity, invitations, locks, memberships};

sql! {
    INSERT_ACCOUNT = "INSERT INTO accounts \
                          (id, number, name, street, postal_code, town, country, created_at) \
                      SELECT $1, coalesce(max(number), 100000) + 1, $2, '', '', '', '', $3 \
                      FROM accounts \
                      RETURNING number";
    ACCOUNTS = "SELECT a.id, a.number, a.name, a.owners_due_at, \
                    (SELECT count(*) FROM memberships m WHERE m.account_id = a.id AND m.owner) \
                        AS owners, \
                    (SELECT count(*) FROM memberships m WHERE m.account_id = a.id) AS users \
                FROM accounts a WHERE a.number > $1 ORDER BY a.number LIMIT $2";
    WITH_NUMBER = "SELECT id FROM accounts WHERE number = $1";
    TIME_ZONE = "SELECT time_zone FROM accounts WHERE id = $1";
    DETAILS = "SELECT name, street, postal_code, town, country, \
                   coalesce(time_zone, '') AS time_zone \
               FROM accounts WHERE id = $1";
    SET_DETAILS = "UPDATE accounts \
                   SET name = $2, street = $3, postal_code = $4, town = $5, country = $6, \
                       time_zone = nullif($7, '') \
                   WHERE id = $1";
}

/// An account in the operator's list.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// How many owners it has.
    pub owners: u32,
    /// How many users it has, owners included.
    pub users: u32,
}

#[derive(FromRow)]
struct ListedRow {
    id: Uuid,
    number: i64,
    name: String,
    owners_due_at: Option<i64>,
    owners: i64,
    users: i64,
}

/// What an account says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct AccountDetails {
    /// Its name.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub town: String,
    /// Country.
    pub country: String,
    /// The time zone in which its days end, by its name in the tz database; empty for the provider's.
    pub time_zone: String,
}

/// An account to be created, with the invitation of its first owner.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The first owner's address.
    pub owner: model::EmailAddress,
    /// The first owner's invitation ([`model::Access::Owner`], no inviter).
    pub offer: Offer,
}

macro_rules! set_details {
    ($account:expr, $details:expr) => {
        query(SET_DETAILS)
            .bind(Uuid::from($account))
            .bind(&$details.name)
            .bind(&$details.street)
            .bind(&$details.postal_code)
            .bind(&$details.town)
            .bind(&$details.country)
            .bind(&$details.time_zone)
    };
}

impl Store {
    /// Creates an account with the next free number (100001 is the first), its log's first row
    /// ([`model::ActivityKind::AccountCreated`]) and the owner's invitation.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn create_account(
        &self,
        account: NewAccount,
        now: Timestamp,
    ) -> Result<AccountNumber, Failure> {
        let mut tx = self.begin().await?;
        locks::numbers(&mut tx).await?;
        let number: i64 = read!(tx, db => query_scalar(INSERT_ACCOUNT)
            .bind(Uuid::from(account.id))
            .bind(&account.name)
            .bind(now.as_micros())
            .fetch_one(db))?;
        let created = NewActivity::by_provider(ActivityKind::AccountCreated);
        activity::append(&mut tx, account.id, &created, now).await?;
        invitations::offer_first(&mut tx, account.id, &account.owner, account.offer, now).await?;
        tx.commit().await?;
        Ok(AccountNumber::from_stored(number))
    }

    /// All accounts after the one with this number, by number, at most `most`, with their owners as
    /// they are by now.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn accounts(
        &self,
        after: Option<AccountNumber>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<AccountRow>, Failure> {
        let found = self.listed(after, most).await?;
        let due: Vec<_> = found.iter().filter(|row| is_due(row.owners_due_at, now)).collect();
        for row in &due {
            self.settle_owners(row.id.into(), now).await?;
        }
        let rows = match due.is_empty() {
            true => found,
            false => self.listed(after, most).await?,
        };
        let row = |row: ListedRow| AccountRow {
            id: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            owners: count(row.owners),
            users: count(row.users),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn listed(
        &self,
        after: Option<AccountNumber>,
        most: usize,
    ) -> Result<Vec<ListedRow>, Failure> {
        read!(self, db => query_as(ACCOUNTS)
            .bind(after.map_or(0, AccountNumber::get))
            .bind(limit(most))
            .fetch_all(db))
    }

    /// The account with this number.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn account(&self, number: AccountNumber) -> Result<AccountId, Failure> {
        let id: Option<Uuid> =
            read!(self, db => query_scalar(WITH_NUMBER).bind(number.get()).fetch_optional(db))?;
        id.map(AccountId::from).ok_or(Failure::NotFound)
    }

    /// The account's details.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn account_details(&self, account: AccountId) -> Result<AccountDetails, Failure> {
        let details =
            read!(self, db => query_as(DETAILS).bind(Uuid::from(account)).fetch_optional(db))?;
        details.ok_or(Failure::NotFound)
    }

    /// The time zone in which the account's days end, by its name in the tz database; none for the
    /// provider's.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn time_zone(&self, account: AccountId) -> Result<Option<String>, Failure> {
        let found: Option<Option<String>> = read!(self, db => query_scalar(TIME_ZONE)
            .bind(Uuid::from(account))
            .fetch_optional(db))?;
        found.ok_or(Failure::NotFound)
    }

    /// Changes the account's details as the actor of this moment may, and logs it. `decide` is told
    /// who asks and the details as they stand; when it answers none, nothing is written.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when the user isn't in the account,
    /// [`Failure::Unavailable`].
    pub async fn change_account_details(
        &self,
        account: AccountId,
        actor: model::UserId,
        now: Timestamp,
        decide: impl FnOnce(
            &LockedActor,
            &AccountDetails,
        ) -> Result<Option<(AccountDetails, NewActivity)>, Failure>
        + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = memberships::locked_actor(&mut tx, account, actor, now).await?;
        let present = read!(tx, db => query_as(DETAILS).bind(Uuid::from(account)).fetch_one(db))?;
        let Some((details, entry)) = decide(&by, &present)? else { return Ok(()) };
        write!(tx, db => set_details!(account, details).execute(db))?;
        activity::append(&mut tx, account, &entry, now).await?;
        tx.commit().await
    }

    /// Writes the account's details without an actor and a log row: for the demo and for imports.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn set_account_details(
        &self,
        account: AccountId,
        details: &AccountDetails,
    ) -> Result<(), Failure> {
        let set = write!(self, db => set_details!(account, details).execute(db))?;
        if set == 0 { Err(Failure::NotFound) } else { Ok(()) }
    }
}
