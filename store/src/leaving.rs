//! Leaving: the transaction that deletes a login with all that names its user. What happened stays in
//! the accounts' logs, under the name that they had.

use model::{
    AccountId, AccountNumber, DoorRef, EmailAddress, Failure, OwnerNews, Timestamp, UserId,
};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, count, read, sql, write};
use crate::memberships::comes_in;
use crate::{
    Held, Holding, Invitation, NewActivity, NewMail, Owner, Store, access_requests, activity,
    areas, grants, guesses, invitations, limits, locks, outbox, owner_changes, reports,
    support_messages,
};

sql! {
    ACCOUNTS = concat!(
        "SELECT a.id, a.number, a.name, a.time_zone, l.owner, l.ref AS reference, \
             (SELECT count(*) FROM memberships m \
              WHERE m.account_id = a.id AND m.user_id <> $1 AND m.owner AND ",
        comes_in!(),
        ") AS other_owners \
         FROM memberships l JOIN accounts a ON a.id = l.account_id \
         WHERE l.user_id = $1 ORDER BY l.account_key, l.account_id"
    );
    /// They hold who was asked for a passkey, and hang on nothing.
    DROP_CHALLENGES = "DELETE FROM passkey_challenges WHERE bound_to IN \
                           (SELECT token_hash FROM sessions WHERE user_id = $1 \
                            UNION SELECT token_hash FROM sign_ins WHERE user_id = $1)";
    DROP_OFFERS = "DELETE FROM identity_offers WHERE email_key = $1";
    /// What is held and asked for in the accounts goes with it.
    DROP_MEMBERSHIPS = "DELETE FROM memberships WHERE user_id = $1";
    DROP_IDENTITIES = "DELETE FROM identities WHERE user_id = $1";
    DROP_SIGN_INS = "DELETE FROM sign_ins WHERE user_id = $1";
    DROP_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
    /// Everything else that is the user's goes with the row; what they did to others' is nobody's.
    DROP_USER = "DELETE FROM users WHERE id = $1";
}

/// An account that somebody is in who may leave.
#[derive(Clone, Debug)]
pub struct LeavingAccount {
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// Whether they own it.
    pub owner: bool,
    /// The provider's own id of them there, if there is one.
    pub reference: Option<DoorRef>,
    /// How many others do and can come in.
    pub other_owners: u32,
}

impl LeavingAccount {
    /// Whether nobody would own it any more who can come in.
    #[must_use]
    pub const fn would_be_left_alone(&self) -> bool {
        self.owner && self.other_owners == 0
    }
}

/// What is decided on when somebody deletes their login: read under lock.
#[derive(Clone, Debug)]
pub struct LeavingFacts {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// The accounts that they are in, by name, with what they hold there.
    pub accounts: Vec<(LeavingAccount, Holding)>,
    /// The invitations to their address and by them that nobody has answered, with their accounts.
    pub invitations: Vec<(AccountId, Invitation)>,
}

/// What is written as somebody's login is deleted.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The rows of the accounts' logs.
    pub entries: Vec<(AccountId, NewActivity)>,
    /// The last mail to them.
    pub mail: NewMail,
}

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    number: i64,
    name: String,
    time_zone: Option<String>,
    owner: bool,
    reference: Option<String>,
    other_owners: i64,
}

impl From<AccountRow> for LeavingAccount {
    fn from(row: AccountRow) -> Self {
        Self {
            account: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            time_zone: row.time_zone,
            owner: row.owner,
            reference: row.reference.map(DoorRef::from_stored),
            other_owners: count(row.other_owners),
        }
    }
}

impl Store {
    /// The accounts that the user is in, by name, with what they hold there: all of them, with their
    /// owners as they are by now.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn leaving_accounts(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<(LeavingAccount, Held)>, Failure> {
        self.settle_due_owners_of(user, now).await?;
        let rows: Vec<AccountRow> = read!(self, db => query_as(ACCOUNTS)
            .bind(Uuid::from(user))
            .fetch_all(db))?;
        let account = |row: AccountRow| {
            let held = Held::begun(row.owner);
            (LeavingAccount::from(row), held)
        };
        let mut accounts: Vec<_> = rows.into_iter().map(account).collect();
        let held = accounts.iter_mut().map(|(account, held)| (account.account, held));
        self.fill_accounts(user, held).await?;
        Ok(accounts)
    }

    /// Deletes the user's login: locks every account in which something names them, and the user, reads
    /// the facts, asks `decide`, and deletes all that names them or is kept for their address but the
    /// rows of logs. Their invitations that nobody has answered end, and the other owners of what they
    /// owned are told. Writes log and mail, the only one to them that is left.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when there is no such user (any more);
    /// [`Failure::Unavailable`].
    pub async fn delete_login(
        &self,
        user: UserId,
        now: Timestamp,
        decide: impl FnOnce(&LeavingFacts) -> Result<Leaving, Failure> + Send,
    ) -> Result<(), Failure> {
        let (mut tx, locked) = self.begin_leaving(user).await?;
        let (email, name, id) = (locked.email(), locked.full_name(), Uuid::from(user));
        for (account, _) in accounts(&mut tx, user).await? {
            // Who owns it by now is decided before.
            locks::account(&mut tx, account.account, now).await?;
        }
        let facts = LeavingFacts {
            user,
            accounts: accounts(&mut tx, user).await?,
            invitations: invitations::open_of(&mut tx, user, &email, now).await?,
            full_name: name.to_owned(),
            email: email.clone(),
        };
        let Leaving { entries, mail } = decide(&facts)?;

        for (_, invitation) in &facts.invitations {
            let state = if invitation.email == email { "declined" } else { "cancelled" };
            invitations::end(&mut tx, invitation, state, now).await?;
        }
        invitations::forget(&mut tx, user, &email).await?;
        for (account, _) in &facts.accounts {
            owner_changes::end_of(&mut tx, account.account, &account.name, user, now).await?;
        }
        owner_changes::forget(&mut tx, user, name).await?;
        access_requests::forget_told(&mut tx, user, name).await?;
        areas::forget_opened_by(&mut tx, user, name).await?;
        support_messages::forget_author(&mut tx, user, name).await?;
        reports::forget(&mut tx, &email).await?;
        guesses::forget(&mut tx, &email).await?;
        limits::forget(&mut tx, user, &email).await?;
        write!(tx, db => query(DROP_OFFERS).bind(email.key()).execute(db))?;
        outbox::drop_all_to(&mut tx, &email).await?;
        // While they have a language.
        outbox::queue(&mut tx, &mail, None, now).await?;
        // An identity before what hangs on it, and half-way sign-ins before sessions, as everywhere.
        for dropped in [
            DROP_CHALLENGES,
            DROP_MEMBERSHIPS,
            DROP_IDENTITIES,
            DROP_SIGN_INS,
            DROP_SESSIONS,
            DROP_USER,
        ] {
            write!(tx, db => query(dropped).bind(id).execute(db))?;
        }
        let person = Owner { full_name: name.to_owned(), email };
        for (account, _) in facts.accounts.iter().filter(|(account, _)| account.owner) {
            let (id, left, news) = (account.account, &account.name, OwnerNews::Left);
            owner_changes::tell_of_going(&mut tx, id, left, &person, &news, now).await?;
        }
        for (account, entry) in &entries {
            activity::append(&mut tx, *account, entry, now).await?;
        }
        tx.commit().await
    }
}

/// The accounts of a user, all of which are locked, with what they hold there by name.
async fn accounts(tx: &mut Tx, user: UserId) -> Result<Vec<(LeavingAccount, Holding)>, Failure> {
    let rows: Vec<AccountRow> =
        read!(tx, db => query_as(ACCOUNTS).bind(Uuid::from(user)).fetch_all(db))?;
    let mut accounts = Vec::new();
    for row in rows {
        let account = LeavingAccount::from(row);
        let holding = grants::holding(tx, account.account, user, account.owner).await?;
        accounts.push((account, holding));
    }
    Ok(accounts)
}
