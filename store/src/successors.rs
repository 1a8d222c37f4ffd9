//! Who may take an account over if none of its owners can be reached: naming them, what they ask for, and
//! that the owners are reminded of it. What they ask for is an owner change, and comes true as one.

use model::{
    AccountId, EmailAddress, Failure, Mail, OwnerChangeId, OwnerNews, OwnerNewsReader,
    TAKEOVER_REMINDERS, Timestamp, UserId, WaitDays,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, read, sql, write};
use crate::{
    Bound, ChangeFacts, LockedActor, Member, NewActivity, NewMail, Owner, Store, activity, limits,
    locks, memberships, outbox, owner_changes,
};

/// Whether there is something to remind of the owner change `c`, by the moments at which what is reminded
/// of for the first and for the second time was asked for.
macro_rules! to_remind_of {
    () => {
        "c.kind = 'taken_over' AND c.state = 'waiting' AND c.reminded < 2 AND c.asked_at <= $2 \
             AND (c.reminded < 1 OR c.asked_at <= $3)"
    };
}

sql! {
    SUCCESSOR = "SELECT s.user_id, u.full_name, u.email, u.email_key, b.full_name AS named_by, \
                     s.named_at, s.wait_days \
                 FROM successors s JOIN users u ON u.id = s.user_id \
                     LEFT JOIN users b ON b.id = s.named_by \
                 WHERE s.account_id = $1";
    NAME = "INSERT INTO successors (account_id, user_id, named_by, named_at, wait_days) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE \
            SET user_id = excluded.user_id, named_by = excluded.named_by, \
                named_at = excluded.named_at, wait_days = excluded.wait_days";
    REMOVE = "DELETE FROM successors WHERE account_id = $1 AND user_id = $2";
    /// With access that hasn't ended by then.
    IS_ENTITLED = "SELECT EXISTS (SELECT 1 FROM successors s \
                       JOIN grants g ON g.account_id = s.account_id AND g.user_id = s.user_id \
                   WHERE s.account_id = $1 AND s.user_id = $2 \
                       AND (g.until IS NULL OR g.until > $3))";
    TO_REMIND_ACCOUNTS = concat!(
        "SELECT DISTINCT c.account_id FROM owner_changes c WHERE ",
        to_remind_of!(),
        " AND c.account_id > $1 ORDER BY c.account_id LIMIT $4"
    );
    TO_REMIND_OF = concat!(
        "SELECT c.id FROM owner_changes c WHERE ",
        to_remind_of!(),
        " AND c.account_id = $1 ORDER BY c.id"
    );
    NOTE_REMINDED = "UPDATE owner_changes SET reminded = $2 WHERE id = $1";
}

/// Who may take an account over if none of its owners can be reached.
#[derive(Clone, Debug)]
pub struct Successor {
    /// The user.
    pub user: UserId,
    /// Their name and address.
    pub person: Owner,
    /// Who named them, by name, if that is known.
    pub named_by: Option<String>,
    /// When.
    pub named_at: Timestamp,
    /// How many days they wait who ask for it.
    pub wait: WaitDays,
}

/// What naming or removing a successor is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct SuccessorFacts {
    /// Who does it.
    pub by: LockedActor,
    /// Who is to be named; none for nobody.
    pub named: Option<Member>,
    /// Who the successor was until now.
    pub before: Option<Successor>,
}

/// Another successor, or none.
#[derive(Clone, Debug)]
pub struct SuccessorChange {
    /// How many days whoever is named waits; none removes the one that there was.
    pub wait: Option<WaitDays>,
    /// The log's row.
    pub entry: NewActivity,
    /// The log's row for the case that the one before waits for the account, which somebody else
    /// doesn't get by that.
    pub stopped: NewActivity,
    /// How often there can be one.
    pub bounds: Vec<Bound>,
}

/// What is decided on when somebody asks to take the account over: read under lock.
#[derive(Clone, Debug)]
pub struct TakeoverFacts {
    /// Who asks.
    pub by: LockedActor,
    /// The same as a user of the account.
    pub member: Member,
    /// The account's successor.
    pub successor: Option<Successor>,
    /// Whether they wait to become an owner already, or were asked to.
    pub asked: bool,
}

/// A takeover that begins.
#[derive(Clone, Debug)]
pub struct NewTakeover {
    /// When it comes true.
    pub due_at: Timestamp,
    /// The log's row.
    pub entry: NewActivity,
    /// How many there can be.
    pub bounds: Vec<Bound>,
}

#[derive(FromRow)]
struct SuccessorRow {
    user_id: Uuid,
    full_name: String,
    email: String,
    email_key: String,
    named_by: Option<String>,
    named_at: i64,
    wait_days: i64,
}

impl From<SuccessorRow> for Successor {
    fn from(row: SuccessorRow) -> Self {
        Self {
            user: row.user_id.into(),
            person: Owner {
                full_name: row.full_name,
                email: EmailAddress::from_stored(row.email, row.email_key),
            },
            named_by: row.named_by,
            named_at: Timestamp::from_micros(row.named_at),
            wait: WaitDays::from_stored(row.wait_days),
        }
    }
}

impl Store {
    /// The account's successor, if its owners named one.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn successor(&self, account: AccountId) -> Result<Option<Successor>, Failure> {
        let row: Option<SuccessorRow> = read!(self, db => query_as(SUCCESSOR)
            .bind(Uuid::from(account))
            .fetch_optional(db))?;
        Ok(row.map(Successor::from))
    }

    /// Names `named` as the account's successor, or nobody: locks the account, reads the facts, asks
    /// `decide`, writes it and the log, and tells all owners, whoever is named, and whoever was until
    /// now. If that one waits for the account, and it isn't the same, that is stopped.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::TooMany`]; [`Failure::NotFound`] when either of the two isn't
    /// in the account; [`Failure::Unavailable`].
    pub async fn change_successor(
        &self,
        account: AccountId,
        actor: UserId,
        named: Option<UserId>,
        now: Timestamp,
        decide: impl FnOnce(&SuccessorFacts) -> Result<SuccessorChange, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let (by, named) = match named {
            None => (memberships::locked_actor(&mut tx, account, actor, now).await?, None),
            Some(named) => {
                let ChangeFacts { by, target, .. } =
                    memberships::change_facts(&mut tx, account, actor, named, now).await?;
                (by, Some(target))
            }
        };
        let before = find(&mut tx, account).await?;
        let facts = SuccessorFacts { by, named, before };
        let SuccessorChange { wait, entry, stopped, bounds } = decide(&facts)?;
        limits::keep_within(&mut tx, &bounds, now).await?;
        let SuccessorFacts { by, named, before } = facts;
        let named = named.zip(wait);
        let is_same =
            |gone: &Successor| named.as_ref().is_some_and(|(named, _)| named.user == gone.user);
        let gone = before.filter(|before| !is_same(before));
        if let Some(gone) = &gone {
            remove(&mut tx, account, gone.user).await?;
            owner_changes::stop_takeover(&mut tx, account, &by, gone.user, &stopped, now).await?;
        }
        if let Some((named, wait)) = &named {
            write!(tx, db => query(NAME)
                .bind(Uuid::from(account))
                .bind(Uuid::from(named.user))
                .bind(Uuid::from(actor))
                .bind(now.as_micros())
                .bind(i64::from(wait.number()))
                .execute(db))?;
        }
        activity::append(&mut tx, account, &entry, now).await?;
        let removed = OwnerNews::SuccessorRemoved { by: by.name.clone().into() };
        let news = match (&named, &gone) {
            (Some((named, wait)), gone) => {
                if let Some(gone) = gone {
                    tell(&mut tx, account, &by, &gone.person, (&removed, false), now).await?;
                }
                let person =
                    Owner { full_name: named.full_name.clone(), email: named.email.clone() };
                let days = wait.number();
                Some((person, OwnerNews::SuccessorNamed { by: by.name.clone().into(), days }))
            }
            (None, Some(gone)) => Some((gone.person.clone(), removed)),
            (None, None) => None,
        };
        if let Some((person, news)) = news {
            tell(&mut tx, account, &by, &person, (&news, true), now).await?;
        }
        tx.commit().await
    }

    /// Has the account's successor become an owner once they have waited: locks the account, reads the
    /// facts, asks `decide`, writes it and the log, and tells all owners.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::TooMany`]; [`Failure::NotFound`] when the actor isn't in the
    /// account; [`Failure::Unavailable`].
    pub async fn take_over(
        &self,
        account: AccountId,
        actor: UserId,
        now: Timestamp,
        decide: impl FnOnce(&TakeoverFacts) -> Result<NewTakeover, Failure> + Send,
    ) -> Result<OwnerChangeId, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let ChangeFacts { by, target: member, .. } =
            memberships::change_facts(&mut tx, account, actor, actor, now).await?;
        let successor = find(&mut tx, account).await?;
        let asked = owner_changes::is_asked(&mut tx, account, actor).await?;
        let facts = TakeoverFacts { by, member, successor, asked };
        let NewTakeover { due_at, entry, bounds } = decide(&facts)?;
        limits::keep_within(&mut tx, &bounds, now).await?;
        activity::append(&mut tx, account, &entry, now).await?;
        let id = owner_changes::begin_takeover(&mut tx, account, &facts.by, due_at, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Accounts whose owners are to be reminded that somebody takes them over, in the order of their
    /// ids and after this one, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn accounts_to_remind(
        &self,
        after: Option<AccountId>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<AccountId>, Failure> {
        let [first, second] = asked_by(now);
        let ids: Vec<Uuid> = read!(self, db => query_scalar(TO_REMIND_ACCOUNTS)
            .bind(after.map_or(Uuid::nil(), Uuid::from))
            .bind(first.as_micros())
            .bind(second.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(ids.into_iter().map(AccountId::from).collect())
    }

    /// Reminds the account's owners that somebody takes it over, once for each of the times at which
    /// they are reminded; those that passed unnoticed are one. Answers of how many.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
    pub async fn remind_of_takeovers(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let name = locks::account(&mut tx, account, now).await?;
        let [first, second] = asked_by(now);
        let ids: Vec<Uuid> = read!(tx, db => query_scalar(TO_REMIND_OF)
            .bind(Uuid::from(account))
            .bind(first.as_micros())
            .bind(second.as_micros())
            .fetch_all(db))?;
        for id in &ids {
            let Some(change) = owner_changes::find(&mut tx, account, (*id).into()).await? else {
                continue;
            };
            let reminded: i64 = if change.asked_at <= second { 2 } else { 1 };
            write!(tx, db => query(NOTE_REMINDED).bind(*id).bind(reminded).execute(db))?;
            owner_changes::tell_of_takeover(&mut tx, account, &name, &change, true, now).await?;
        }
        tx.commit().await?;
        Ok(ids.len())
    }
}

/// When what is reminded of by now was asked for at the latest, for each time.
fn asked_by(now: Timestamp) -> [Timestamp; 2] {
    TAKEOVER_REMINDERS.map(|later| now.before(later))
}

async fn find(tx: &mut Tx, account: AccountId) -> Result<Option<Successor>, Failure> {
    let row: Option<SuccessorRow> =
        read!(tx, db => query_as(SUCCESSOR).bind(Uuid::from(account)).fetch_optional(db))?;
    Ok(row.map(Successor::from))
}

/// Has somebody be the successor of an account that is locked no more, if they were.
pub(crate) async fn remove(tx: &mut Tx, account: AccountId, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(REMOVE)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .execute(db))?;
    Ok(())
}

/// Whether somebody is the successor of an account that is locked, with access that hasn't ended by
/// then.
pub(crate) async fn is_entitled(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    then: Timestamp,
) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(IS_ENTITLED)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .bind(then.as_micros())
        .fetch_one(db))
}

/// Tells whoever it is about, and the owners if they are to know, that somebody is the successor or isn't
/// any more.
async fn tell(
    tx: &mut Tx,
    account: AccountId,
    by: &LockedActor,
    person: &Owner,
    (news, tells_owners): (&OwnerNews, bool),
    now: Timestamp,
) -> Result<(), Failure> {
    let account_number = owner_changes::number(tx, account).await?;
    let owners = match tells_owners {
        true => memberships::owners(tx, account).await?,
        false => Vec::new(),
    };
    let owners = owners.into_iter().filter(|owner| owner.email.key() != person.email.key());
    let owners = owners.map(|owner| (owner.email, OwnerNewsReader::Owner));
    for (to, reader) in owners.chain([(person.email.clone(), OwnerNewsReader::Person)]) {
        let mail = Mail::OwnerNews {
            account: by.account_name.clone().into(),
            account_number,
            reader,
            name: person.full_name.clone().into(),
            news: news.clone(),
            change: None,
        };
        outbox::queue(tx, &NewMail::to(to, mail), Some(account), now).await?;
    }
    Ok(())
}
