//! Who becomes an owner of an account, and what of that is true by now. No job makes it true: whoever
//! takes the account's lock, and whoever looks, settles what is due before they go on.

use model::{
    AccountId, AccountNumber, ActivityKind, Afterwards, Conflict, EmailAddress, Failure,
    GivenAccess, Mail, Noted, OwnerChangeId, OwnerChangeKind, OwnerChangeState, OwnerNews,
    OwnerNewsReader, PermissionSet, Terms, Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, new_id, read, sql, write};
use crate::grants::{self, TermsRow, name, named};
use crate::{
    Bound, ChangeFacts, Holding, LockedActor, Member, NewActivity, NewMail, Owner, Store,
    access_requests, activity, limits, locks, memberships, outbox, successors,
};

/// What an [`OwnerChangeRow`] reads; then which of an account's changes, and in which order.
macro_rules! changes {
    ($db:ident $which:expr) => {
        concat!(
            "SELECT c.id, c.user_id, u.full_name, u.email, u.email_key, c.kind, c.state, c.made_by, \
                 c.made_by_name, c.permissions IS NULL AS leaves, \
                 coalesce(c.permissions, '') AS permissions, c.all_services, c.all_domains, ",
            named!($db "n.service_id", "owner_change_services", "owner_change_id", "c.id"),
            " AS services, ",
            named!($db "n.domain_id", "owner_change_domains", "owner_change_id", "c.id"),
            " AS domains, c.until, c.why, c.asked_at, c.accepted_at, c.due_at, c.over_at, \
                 c.stopped_by, m.paused_at IS NOT NULL AS paused \
             FROM owner_changes c JOIN users u ON u.id = c.user_id \
                 JOIN memberships m ON m.account_id = c.account_id AND m.user_id = c.user_id \
             WHERE c.account_id = $1 AND ",
            $which
        )
    };
}

macro_rules! one {
    ($db:ident) => {
        changes!($db "c.id = $2")
    };
}

macro_rules! open {
    ($db:ident) => {
        changes!($db "c.state IN ('offered', 'waiting') ORDER BY c.id LIMIT $2")
    };
}

macro_rules! open_of {
    ($db:ident) => {
        changes!($db "c.state IN ('offered', 'waiting') AND c.user_id = $2")
    };
}

macro_rules! due {
    ($db:ident) => {
        changes!(
            $db "c.state = 'waiting' AND (c.due_at <= $2 OR c.kind = 'taken_over' AND NOT EXISTS \
                 (SELECT 1 FROM grants g WHERE g.account_id = c.account_id \
                      AND g.user_id = c.user_id AND (g.until IS NULL OR g.until > $2))) \
                 ORDER BY c.due_at, c.id"
        )
    };
}

/// When the first of an account's changes that wait comes true, or to nothing: who takes it over is its
/// successor no more from when the last of what they were given has ended.
macro_rules! next_due {
    () => {
        "(SELECT min(CASE \
              WHEN c.kind <> 'taken_over' OR EXISTS \
                  (SELECT 1 FROM grants g \
                   WHERE g.account_id = c.account_id AND g.user_id = c.user_id \
                       AND (g.until IS NULL OR g.until >= c.due_at)) THEN c.due_at \
              ELSE coalesce((SELECT max(g.until) FROM grants g \
                             WHERE g.account_id = c.account_id AND g.user_id = c.user_id), 0) END) \
          FROM owner_changes c WHERE c.account_id = accounts.id AND c.state = 'waiting')"
    };
}

pub(crate) use next_due;

macro_rules! open_with {
    ($db:ident) => {
        changes!(
            $db "c.state IN ('offered', 'waiting') AND (c.user_id = $2 OR c.made_by = $2) \
                 ORDER BY c.id"
        )
    };
}

sql! {
    ONE = one!(sqlite), on Postgres one!(postgres);
    OPEN = open!(sqlite), on Postgres open!(postgres);
    OPEN_OF = open_of!(sqlite), on Postgres open_of!(postgres);
    DUE = due!(sqlite), on Postgres due!(postgres);
    OPEN_WITH = open_with!(sqlite), on Postgres open_with!(postgres);
    ASKED = "SELECT EXISTS (SELECT 1 FROM owner_changes \
                            WHERE account_id = $1 AND user_id = $2 \
                                AND state IN ('offered', 'waiting'))";
    HANDING = "SELECT EXISTS (SELECT 1 FROM owner_changes \
                              WHERE account_id = $1 AND made_by = $2 AND kind = 'handed' \
                                  AND state IN ('offered', 'waiting'))";
    INSERT = "INSERT INTO owner_changes \
                  (id, account_id, user_id, kind, state, made_by, made_by_name, permissions, \
                   all_services, all_domains, until, why, asked_at, accepted_at, due_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    NAME_SERVICES = name!(sqlite "owner_change_services", "services"),
        on Postgres name!(postgres "owner_change_services", "services");
    NAME_DOMAINS = name!(sqlite "owner_change_domains", "domains"),
        on Postgres name!(postgres "owner_change_domains", "domains");
    ACCEPT = "UPDATE owner_changes SET state = 'waiting', accepted_at = $2, due_at = $3 \
              WHERE id = $1 AND state = 'offered'";
    IS_OWNER = "SELECT EXISTS (SELECT 1 FROM memberships \
                               WHERE account_id = $1 AND user_id = $2 AND owner)";
    NUMBER = "SELECT number FROM accounts WHERE id = $1";
    END = "UPDATE owner_changes SET state = $2, over_at = $3, stopped_by = $4, stopped_by_id = $5 \
           WHERE id = $1 AND state IN ('offered', 'waiting')";
    /// What every request looks at.
    NOTE_DUE = concat!("UPDATE accounts SET owners_due_at = ", next_due!(), " WHERE id = $1");
    NOTE_DUE_ANEW = concat!(
        "UPDATE accounts SET owners_due_at = ",
        next_due!(),
        " WHERE id = $1 AND owners_due_at IS NOT NULL"
    );
    FORGET_MAKER = "UPDATE owner_changes SET made_by_name = '' WHERE made_by = $1";
    FORGET_STOPPER = "UPDATE owner_changes SET stopped_by = '' WHERE stopped_by_id = $1";
    /// Of two with one name in an account, nobody knows which stopped it.
    FORGET_STOPPER_BY_NAME = "UPDATE owner_changes SET stopped_by = '' \
         WHERE stopped_by = $2 AND stopped_by_id IS NULL AND account_id IN \
             (SELECT account_id FROM memberships WHERE user_id = $1) \
             AND NOT EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id \
                             WHERE m.account_id = owner_changes.account_id \
                                 AND u.id <> $1 AND u.full_name = $2)";
    /// Those that an owner sees from outside, with the accounts that they are about. Few accounts wait for
    /// anybody, however many somebody owns: SQLite begins with those.
    WAITING_ELSEWHERE = "SELECT c.id, a.number, a.name AS account_name, c.kind, \
                       u.full_name, c.made_by_name, c.asked_at, c.due_at \
                   FROM accounts a CROSS JOIN memberships m CROSS JOIN owner_changes c \
                       JOIN users u ON u.id = c.user_id \
                   WHERE a.owners_due_at IS NOT NULL \
                       AND m.account_id = a.id AND m.user_id = $1 AND m.owner \
                       AND c.account_id = a.id AND c.state = 'waiting' AND c.due_at > $2 \
                   ORDER BY c.due_at, c.id LIMIT $3";
    DUE_ACCOUNTS_OF = "SELECT a.id FROM accounts a CROSS JOIN memberships m \
                       WHERE a.owners_due_at <= $2 AND m.account_id = a.id AND m.user_id = $1";
    DUE_AT = "SELECT owners_due_at FROM accounts WHERE id = $1";
    DUE_ACCOUNTS = "SELECT id FROM accounts \
                    WHERE owners_due_at IS NOT NULL AND owners_due_at <= $1 ORDER BY id LIMIT $2";
}

/// A change of who owns an account.
#[derive(Clone, Debug)]
pub struct OwnerChange {
    /// Its id.
    pub id: OwnerChangeId,
    /// Who becomes an owner.
    pub user: UserId,
    /// Their name and address.
    pub person: Owner,
    /// Whether somebody pauses their access at this moment.
    pub paused: bool,
    /// How.
    pub kind: OwnerChangeKind,
    /// How it stands.
    pub state: OwnerChangeState,
    /// Who made it; none for somebody who is gone.
    pub made_by: Option<UserId>,
    /// Their name, as they were called then.
    pub made_by_name: String,
    /// What whoever hands the account over becomes; none where nobody does.
    pub afterwards: Option<Afterwards>,
    /// When it was offered.
    pub asked_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it comes true, once it was accepted.
    pub due_at: Option<Timestamp>,
    /// When it came true or ended.
    pub over_at: Option<Timestamp>,
    /// Who stopped it, by name.
    pub stopped_by: Option<String>,
}

/// A change that waits, as an owner of the account sees it from outside.
#[derive(Clone, Debug)]
pub struct WaitingElsewhere {
    /// Its id.
    pub id: OwnerChangeId,
    /// The account's number.
    pub number: AccountNumber,
    /// The account's name.
    pub account_name: String,
    /// How somebody becomes an owner.
    pub kind: OwnerChangeKind,
    /// Who, by name.
    pub name: String,
    /// Who made it, as they were called then.
    pub made_by_name: String,
    /// When it was offered.
    pub asked_at: Timestamp,
    /// When it comes true.
    pub due_at: Timestamp,
}

/// What an offer to become an owner is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct OwnerOfferFacts {
    /// Who offers it.
    pub by: LockedActor,
    /// Whom.
    pub target: Member,
    /// Whether they were asked already, and that is open.
    pub asked: bool,
    /// Whether whoever offers it hands the account to somebody already.
    pub handing: bool,
}

/// An offer to become an owner.
#[derive(Clone, Debug)]
pub struct NewOwnerChange {
    /// What whoever offers it becomes, if they hand the account over.
    pub afterwards: Option<Afterwards>,
    /// The log's row.
    pub entry: NewActivity,
    /// How many there can be.
    pub bounds: Vec<Bound>,
}

/// What a step of a change of who owns an account is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct OwnerChangeFacts {
    /// Who takes it.
    pub by: LockedActor,
    /// The change.
    pub change: OwnerChange,
    /// Whether whoever made it owns the account.
    pub made_by_owner: bool,
}

/// What becomes of an open change of who owns an account.
#[derive(Clone, Debug)]
pub enum OwnerStep {
    /// It is accepted, and comes true at this moment.
    Accept(Timestamp, NewActivity),
    /// It is declined.
    Decline(NewActivity),
    /// It is stopped.
    Stop(NewActivity),
    /// An owner is here, and nobody takes the account over.
    Answer(NewActivity),
}

/// That somebody who joins becomes an owner.
#[derive(Clone, Debug)]
pub struct JoiningOwner {
    /// When.
    pub due_at: Timestamp,
    /// The log's row.
    pub entry: NewActivity,
}

impl OwnerChange {
    /// Whether whoever made it hands the account over.
    #[must_use]
    pub fn is_handed(&self) -> bool {
        self.kind == OwnerChangeKind::Handed
    }

    /// Whether it is the successor who takes the account over.
    #[must_use]
    pub fn is_takeover(&self) -> bool {
        self.kind == OwnerChangeKind::TakenOver
    }
}

/// How somebody is to become an owner, with what the giver becomes.
#[derive(Clone, Copy)]
enum Way<'a> {
    Made,
    Handed(&'a Afterwards),
    TakenOver,
}

#[derive(FromRow)]
struct OwnerChangeRow {
    id: Uuid,
    user_id: Uuid,
    full_name: String,
    email: String,
    email_key: String,
    kind: String,
    state: String,
    made_by: Option<Uuid>,
    made_by_name: String,
    leaves: bool,
    #[sqlx(flatten)]
    terms: TermsRow,
    why: String,
    asked_at: i64,
    accepted_at: Option<i64>,
    due_at: Option<i64>,
    over_at: Option<i64>,
    stopped_by: Option<String>,
    paused: bool,
}

impl OwnerChangeRow {
    /// None for a kind or a state that only another version knows.
    fn read(self) -> Option<OwnerChange> {
        let kind = OwnerChangeKind::from_stored(&self.kind)?;
        let afterwards = match (kind, self.leaves) {
            (OwnerChangeKind::Made | OwnerChangeKind::TakenOver, _) => None,
            (OwnerChangeKind::Handed, true) => Some(Afterwards::Out),
            (OwnerChangeKind::Handed, false) => {
                Some(Afterwards::User(Terms::from(self.terms), self.why))
            }
        };
        let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        Some(OwnerChange {
            id: self.id.into(),
            user: self.user_id.into(),
            person: Owner {
                full_name: self.full_name,
                email: EmailAddress::from_stored(self.email, self.email_key),
            },
            paused: self.paused,
            kind,
            state: OwnerChangeState::from_stored(&self.state)?,
            made_by: self.made_by.map(UserId::from),
            made_by_name: self.made_by_name,
            afterwards,
            asked_at: Timestamp::from_micros(self.asked_at),
            accepted_at: at(self.accepted_at),
            due_at: at(self.due_at),
            over_at: at(self.over_at),
            stopped_by: self.stopped_by,
        })
    }
}

#[derive(FromRow)]
struct WaitingRow {
    id: Uuid,
    number: i64,
    account_name: String,
    kind: String,
    full_name: String,
    made_by_name: String,
    asked_at: i64,
    due_at: i64,
}

impl WaitingRow {
    /// None for a kind that only another version knows.
    fn read(self) -> Option<WaitingElsewhere> {
        Some(WaitingElsewhere {
            id: self.id.into(),
            number: AccountNumber::from_stored(self.number),
            account_name: self.account_name,
            kind: OwnerChangeKind::from_stored(&self.kind)?,
            name: self.full_name,
            made_by_name: self.made_by_name,
            asked_at: Timestamp::from_micros(self.asked_at),
            due_at: Timestamp::from_micros(self.due_at),
        })
    }
}

fn changes(rows: Vec<OwnerChangeRow>) -> Vec<OwnerChange> {
    rows.into_iter().filter_map(OwnerChangeRow::read).collect()
}

impl Store {
    /// Writes down which changes of who owns the account came true by this clock.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
    pub async fn settle_owners(&self, account: AccountId, now: Timestamp) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        // It settles them.
        locks::account(&mut tx, account, now).await?;
        tx.commit().await
    }

    /// The same, if something is due in the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn settle_due_owners(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let due_at: Option<i64> = read!(self, db => query_scalar(DUE_AT)
            .bind(Uuid::from(account))
            .fetch_optional(db))?
        .flatten();
        match memberships::is_due(due_at, now) {
            true => self.settle_owners(account, now).await,
            false => Ok(()),
        }
    }

    /// The same in every account that the user is in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn settle_due_owners_of(&self, user: UserId, now: Timestamp) -> Result<(), Failure> {
        let due: Vec<Uuid> = read!(self, db => query_scalar(DUE_ACCOUNTS_OF)
            .bind(Uuid::from(user))
            .bind(now.as_micros())
            .fetch_all(db))?;
        for account in due {
            self.settle_owners(account.into(), now).await?;
        }
        Ok(())
    }

    /// The changes that wait in the accounts that the user owns, the next one first, at most `most`.
    /// What is due by this clock waits no more.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn waiting_elsewhere(
        &self,
        user: UserId,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<WaitingElsewhere>, Failure> {
        let rows: Vec<WaitingRow> = read!(self, db => query_as(WAITING_ELSEWHERE)
            .bind(Uuid::from(user))
            .bind(now.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().filter_map(WaitingRow::read).collect())
    }

    /// Accounts in which a change of who owns them is due, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn due_owner_accounts(
        &self,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<AccountId>, Failure> {
        let ids: Vec<Uuid> = read!(self, db => query_scalar(DUE_ACCOUNTS)
            .bind(now.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(ids.into_iter().map(AccountId::from).collect())
    }

    /// Offers somebody in the account to become an owner: locks the account, reads the facts, asks
    /// `decide`, writes change and log, and tells all owners and them.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::TooMany`]; [`Failure::NotFound`] when either of the two isn't in
    /// the account; [`Failure::Unavailable`].
    pub async fn offer_ownership(
        &self,
        account: AccountId,
        actor: UserId,
        target: UserId,
        now: Timestamp,
        decide: impl FnOnce(&OwnerOfferFacts) -> Result<NewOwnerChange, Failure> + Send,
    ) -> Result<OwnerChangeId, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let ChangeFacts { by, target, .. } =
            memberships::change_facts(&mut tx, account, actor, target, now).await?;
        let asked = is_asked(&mut tx, account, target.user).await?;
        let handing: bool = read!(tx, db => query_scalar(HANDING)
            .bind(Uuid::from(account))
            .bind(Uuid::from(actor))
            .fetch_one(db))?;
        let facts = OwnerOfferFacts { by, target, asked, handing };
        let NewOwnerChange { afterwards, entry, bounds } = decide(&facts)?;
        limits::keep_within(&mut tx, &bounds, now).await?;
        let (name, by) = (facts.by.account_name, (Some(actor), facts.by.name.as_str()));
        let user = facts.target.user;
        let way = match &afterwards {
            Some(afterwards) => Way::Handed(afterwards),
            None => Way::Made,
        };
        let change = insert(&mut tx, account, user, by, way, None, now).await?;
        activity::append(&mut tx, account, &entry, now).await?;
        let (by, handed) = (change.made_by_name.clone().into(), change.is_handed());
        let news = OwnerNews::Offered { by, handed };
        tell(&mut tx, account, &name, &change, &news, now).await?;
        tx.commit().await?;
        Ok(change.id)
    }

    /// Accepts, declines or stops a change of who owns the account, in the same manner.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when the actor isn't in the account or the change
    /// isn't there; [`Conflict::OwnerChangeOver`] when it isn't open any more; [`Failure::Unavailable`].
    pub async fn step_owner_change(
        &self,
        account: AccountId,
        actor: UserId,
        id: OwnerChangeId,
        now: Timestamp,
        decide: impl FnOnce(&OwnerChangeFacts) -> Result<OwnerStep, Failure> + Send,
    ) -> Result<OwnerChange, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = memberships::locked_actor(&mut tx, account, actor, now).await?;
        let change = find(&mut tx, account, id).await?.ok_or(Failure::NotFound)?;
        let made_by_owner = is_made_by_owner(&mut tx, account, &change).await?;
        let facts = OwnerChangeFacts { by, change, made_by_owner };
        let step = decide(&facts)?;
        let (name, change) = (facts.by.account_name, facts.change);
        let over = Failure::Conflict(Conflict::OwnerChangeOver);
        let (entry, news) = match step {
            OwnerStep::Accept(due_at, entry) => {
                let accepted = write!(tx, db => query(ACCEPT)
                    .bind(Uuid::from(id))
                    .bind(now.as_micros())
                    .bind(due_at.as_micros())
                    .execute(db))?;
                if accepted == 0 {
                    return Err(over);
                }
                activity::append(&mut tx, account, &entry, now).await?;
                wait(&mut tx, account, &name, &change, due_at, now).await?;
                tx.commit().await?;
                return Ok(change);
            }
            OwnerStep::Decline(entry) => {
                if !end(&mut tx, account, &change, OwnerChangeState::Declined, None, now).await? {
                    return Err(over);
                }
                (entry, OwnerNews::Declined)
            }
            OwnerStep::Stop(entry) => {
                let (state, by) = (OwnerChangeState::Stopped, facts.by.name.as_str());
                if !end(&mut tx, account, &change, state, Some((actor, by)), now).await? {
                    return Err(over);
                }
                (entry, OwnerNews::Stopped { by: by.into() })
            }
            OwnerStep::Answer(entry) => {
                let (state, by) = (OwnerChangeState::Stopped, facts.by.name.as_str());
                if !end(&mut tx, account, &change, state, Some((actor, by)), now).await? {
                    return Err(over);
                }
                (entry, OwnerNews::TakeoverAnswered { by: by.into() })
            }
        };
        activity::append(&mut tx, account, &entry, now).await?;
        tell(&mut tx, account, &name, &change, &news, now).await?;
        tx.commit().await?;
        Ok(change)
    }

    /// The account's changes of who owns it that are open, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn open_owner_changes(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<OwnerChange>, Failure> {
        let text = OPEN.at(self);
        let rows: Vec<OwnerChangeRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(changes(rows))
    }

    /// The one that is open and about this user of the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn open_owner_change_of(
        &self,
        account: AccountId,
        user: UserId,
    ) -> Result<Option<OwnerChange>, Failure> {
        let text = OPEN_OF.at(self);
        let row: Option<OwnerChangeRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(Uuid::from(user))
            .fetch_optional(db))?;
        Ok(row.and_then(OwnerChangeRow::read))
    }

    /// One change of who owns the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn owner_change(
        &self,
        account: AccountId,
        id: OwnerChangeId,
    ) -> Result<Option<OwnerChange>, Failure> {
        let text = ONE.at(self);
        let row: Option<OwnerChangeRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(Uuid::from(id))
            .fetch_optional(db))?;
        Ok(row.and_then(OwnerChangeRow::read))
    }
}

/// Has come true, or to nothing, in the account, which is locked, what is due by this clock, in the order
/// in which it fell due.
pub(crate) async fn settle(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = DUE.on(tx);
    let rows: Vec<OwnerChangeRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(now.as_micros())
        .fetch_all(db))?;
    for change in changes(rows) {
        // One that came true before it may have ended it.
        let Some(change) = find(tx, account, change.id).await? else { continue };
        if change.state == OwnerChangeState::Waiting {
            come_true(tx, account, name, &change, now).await?;
        }
    }
    note_due(tx, account).await
}

/// Has a change come true whose waiting time is over, or lapse. A successor whose access has ended takes
/// nothing over from then on.
async fn come_true(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    now: Timestamp,
) -> Result<(), Failure> {
    let from = change.due_at.unwrap_or(now);
    let entitled = match change.kind {
        OwnerChangeKind::TakenOver => {
            successors::is_entitled(tx, account, change.user, from.min(now)).await?
        }
        OwnerChangeKind::Made => is_made_by_owner(tx, account, change).await?,
        // Somebody must own the account behind it who can come in (rule 5).
        OwnerChangeKind::Handed => {
            is_made_by_owner(tx, account, change).await?
                && memberships::owners_left(tx, account, Some(change.user), change.made_by).await?
                    > 0
        }
    };
    if !change.kind.comes_true(change.paused, entitled) {
        return lapse(tx, account, name, change, now).await;
    }
    if from > now {
        return Ok(());
    }
    let owns = is_owner(tx, account, change.user).await?;
    let before = grants::holding(tx, account, change.user, owns).await?;
    memberships::set_owner(tx, account, change.user, true).await?;
    grants::replace(tx, account, change.user, before.grants(), &[], now).await?;
    let by = change.made_by.unwrap_or(change.user);
    access_requests::settle(tx, account, change.user, &Holding::Owner, Some(by), now).await?;
    end(tx, account, change, OwnerChangeState::Done, None, now).await?;
    let kind = match change.is_takeover() {
        true => ActivityKind::AccountTakenOver,
        false => ActivityKind::OwnerMade,
    };
    let entry = entry(change, kind).before(&before).after(Noted::Since(from));
    activity::append(tx, account, &entry, now).await?;
    let giver = match (change.made_by, &change.afterwards) {
        (Some(giver), Some(afterwards)) => {
            Some(hand_over(tx, account, name, (giver, afterwards), now).await?)
        }
        _ => None,
    };
    let handed = change.is_handed();
    let news = match change.is_takeover() {
        true => OwnerNews::TakenOver,
        false => OwnerNews::Done { by: change.made_by_name.clone().into(), handed },
    };
    tell(tx, account, name, change, &news, now).await?;
    let Some(giver) = giver else { return Ok(()) };
    let (number, reader) = (number(tx, account).await?, (giver.email, OwnerNewsReader::Giver));
    let name_of = &change.person.full_name;
    let told = Told { account: name, name: name_of, news: &news, change: Some(change.id) };
    outbox::queue(tx, &told.to(number, reader), Some(account), now).await
}

/// Has somebody who just joined the account, which is locked, become an owner once they have waited.
pub(crate) async fn begin(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    user: UserId,
    (by, by_name): (Option<UserId>, &str),
    joining: &JoiningOwner,
    now: Timestamp,
) -> Result<(), Failure> {
    let (by, due_at) = ((by, by_name), joining.due_at);
    let change = insert(tx, account, user, by, Way::Made, Some(due_at), now).await?;
    activity::append(tx, account, &joining.entry, now).await?;
    wait(tx, account, name, &change, due_at, now).await
}

/// Has the successor of an account, which is locked, become an owner once they have waited, and tells
/// all owners.
pub(crate) async fn begin_takeover(
    tx: &mut Tx,
    account: AccountId,
    by: &LockedActor,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<OwnerChangeId, Failure> {
    let user = by.actor.user;
    let made_by = (Some(user), by.name.as_str());
    let way = Way::TakenOver;
    let change = insert(tx, account, user, made_by, way, Some(due_at), now).await?;
    note_due(tx, account).await?;
    tell_of_takeover(tx, account, &by.account_name, &change, false, now).await?;
    Ok(change.id)
}

/// Tells all owners that the successor asked to take the account over, for the first time or again.
pub(crate) async fn tell_of_takeover(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    again: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let (asked_at, due_at) = (change.asked_at, change.due_at.unwrap_or(now));
    tell(tx, account, name, change, &OwnerNews::TakeoverAsked { asked_at, due_at, again }, now)
        .await
}

/// Stops, in an account that is locked, that somebody takes it over who is its successor no more.
pub(crate) async fn stop_takeover(
    tx: &mut Tx,
    account: AccountId,
    by: &LockedActor,
    user: UserId,
    entry: &NewActivity,
    now: Timestamp,
) -> Result<(), Failure> {
    let change = open_of(tx, account, user).await?.filter(OwnerChange::is_takeover);
    let Some(change) = change else { return Ok(()) };
    let (stopped, stopper) = (OwnerChangeState::Stopped, (by.actor.user, by.name.as_str()));
    end(tx, account, &change, stopped, Some(stopper), now).await?;
    activity::append(tx, account, entry, now).await?;
    let news = OwnerNews::Stopped { by: by.name.clone().into() };
    tell(tx, account, &by.account_name, &change, &news, now).await
}

/// Ends, in an account that is locked, that somebody takes it over who is paused from now on.
pub(crate) async fn end_takeover_of(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    user: UserId,
    now: Timestamp,
) -> Result<(), Failure> {
    match open_of(tx, account, user).await?.filter(OwnerChange::is_takeover) {
        Some(change) => lapse(tx, account, name, &change, now).await,
        None => Ok(()),
    }
}

/// Whether somebody was asked to become an owner of the account, which is locked, or waits for it.
pub(crate) async fn is_asked(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(ASKED)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_one(db))
}

/// Has a change wait that was just accepted, and all owners told; or come true, if it waits for nothing.
async fn wait(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    if due_at <= now {
        return settle(tx, account, name, now).await;
    }
    note_due(tx, account).await?;
    let (by, handed) = (change.made_by_name.clone().into(), change.is_handed());
    tell(tx, account, name, change, &OwnerNews::Waiting { by, handed, due_at }, now).await
}

/// Writes a change: one that is offered, or one that was accepted and comes true at this moment.
async fn insert(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    (by, by_name): (Option<UserId>, &str),
    way: Way<'_>,
    due_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<OwnerChange, Failure> {
    let (kind, afterwards) = match way {
        Way::Made => (OwnerChangeKind::Made, None),
        Way::Handed(afterwards) => (OwnerChangeKind::Handed, Some(afterwards)),
        Way::TakenOver => (OwnerChangeKind::TakenOver, None),
    };
    let state = match due_at {
        Some(_) => OwnerChangeState::Waiting,
        None => OwnerChangeState::Offered,
    };
    let nothing = Terms::whole(PermissionSet::EMPTY);
    let (terms, why, stays) = match afterwards {
        Some(Afterwards::User(terms, why)) => (terms, why.as_str(), true),
        Some(Afterwards::Out) | None => (&nothing, "", false),
    };
    let id = new_id(now);
    write!(tx, db => query(INSERT)
        .bind(id)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .bind(kind.id())
        .bind(state.id())
        .bind(by.map(Uuid::from))
        .bind(by_name)
        .bind(stays.then(|| terms.permissions.to_stored()))
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(why)
        .bind(now.as_micros())
        .bind(due_at.map(|_| now.as_micros()))
        .bind(due_at.map(Timestamp::as_micros))
        .execute(db))?;
    grants::name_things(tx, account, id, terms, [NAME_SERVICES, NAME_DOMAINS]).await?;
    find(tx, account, id.into()).await?.ok_or(Failure::NotFound)
}

/// Has whoever handed the account over become what they chose.
async fn hand_over(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    (giver, afterwards): (UserId, &Afterwards),
    now: Timestamp,
) -> Result<Owner, Failure> {
    let person = memberships::person(tx, account, giver).await?;
    end_of(tx, account, name, giver, now).await?;
    let entry = NewActivity::by(Some(giver), &person.full_name, ActivityKind::OwnerHandedOver, "")
        .about(Some(giver), &person.full_name)
        .before(Noted::Owner);
    let entry = match afterwards {
        Afterwards::User(terms, why) => {
            memberships::set_owner(tx, account, giver, false).await?;
            let given = GivenAccess::new(std::iter::once(terms.clone()).collect(), why);
            grants::begin(tx, account, giver, &given, Some(giver), now).await?;
            entry.after(&given)
        }
        Afterwards::Out => {
            entry.known_as(memberships::end(tx, account, giver, &person.email).await?)
        }
    };
    activity::append(tx, account, &entry, now).await?;
    Ok(person)
}

/// Ends, in an account that is locked, the open changes that somebody made, and the one that is about
/// them: they own it no more, or leave it.
pub(crate) async fn end_of(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    user: UserId,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = OPEN_WITH.on(tx);
    let rows: Vec<OwnerChangeRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_all(db))?;
    for change in changes(rows) {
        lapse(tx, account, name, &change, now).await?;
    }
    note_due(tx, account).await
}

/// Ends the open change about somebody who owns the account by another way, and is no successor any
/// more. Whoever wanted to hand the account to them stays an owner, and that came to nothing.
pub(crate) async fn owned(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    user: UserId,
    now: Timestamp,
) -> Result<(), Failure> {
    successors::remove(tx, account, user).await?;
    let Some(change) = open_of(tx, account, user).await? else { return Ok(()) };
    if !change.is_handed() {
        return end(tx, account, &change, OwnerChangeState::Done, None, now).await.map(drop);
    }
    let news = OwnerNews::NotHanded { by: change.made_by_name.clone().into() };
    come_to_nothing(tx, account, name, &change, &news, now).await
}

/// Takes somebody's name out of the changes that they made or stopped, in accounts that are locked.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, name: &str) -> Result<(), Failure> {
    for forget in [FORGET_MAKER, FORGET_STOPPER] {
        write!(tx, db => query(forget).bind(Uuid::from(user)).execute(db))?;
    }
    write!(tx, db => query(FORGET_STOPPER_BY_NAME)
        .bind(Uuid::from(user))
        .bind(name)
        .execute(db))?;
    Ok(())
}

async fn lapse(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    now: Timestamp,
) -> Result<(), Failure> {
    come_to_nothing(tx, account, name, change, &OwnerNews::Lapsed, now).await
}

async fn come_to_nothing(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    news: &OwnerNews,
    now: Timestamp,
) -> Result<(), Failure> {
    end(tx, account, change, OwnerChangeState::Lapsed, None, now).await?;
    let entry = entry(change, ActivityKind::OwnerLapsed);
    activity::append(tx, account, &entry, now).await?;
    tell(tx, account, name, change, news, now).await
}

/// Ends an open change; answers whether it was one.
async fn end(
    tx: &mut Tx,
    account: AccountId,
    change: &OwnerChange,
    state: OwnerChangeState,
    stopped_by: Option<(UserId, &str)>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let (stopper, name) = stopped_by.unzip();
    let ended = write!(tx, db => query(END)
        .bind(Uuid::from(change.id))
        .bind(state.id())
        .bind(now.as_micros())
        .bind(name)
        .bind(stopper.map(Uuid::from))
        .execute(db))?;
    note_due(tx, account).await?;
    Ok(ended > 0)
}

/// Notes when the next change of who owns the account comes true, or to nothing.
async fn note_due(tx: &mut Tx, account: AccountId) -> Result<(), Failure> {
    write!(tx, db => query(NOTE_DUE).bind(Uuid::from(account)).execute(db))?;
    Ok(())
}

/// The same, if one waits, in an account that is locked: what somebody there was given ends at another
/// moment.
pub(crate) async fn note_due_anew(tx: &mut Tx, account: AccountId) -> Result<(), Failure> {
    write!(tx, db => query(NOTE_DUE_ANEW).bind(Uuid::from(account)).execute(db))?;
    Ok(())
}

/// The open change about somebody, in an account that is locked.
async fn open_of(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
) -> Result<Option<OwnerChange>, Failure> {
    let text = OPEN_OF.on(tx);
    let row: Option<OwnerChangeRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    Ok(row.and_then(OwnerChangeRow::read))
}

pub(crate) async fn find(
    tx: &mut Tx,
    account: AccountId,
    id: OwnerChangeId,
) -> Result<Option<OwnerChange>, Failure> {
    let text = ONE.on(tx);
    let row: Option<OwnerChangeRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(Uuid::from(id))
        .fetch_optional(db))?;
    Ok(row.and_then(OwnerChangeRow::read))
}

async fn is_made_by_owner(
    tx: &mut Tx,
    account: AccountId,
    change: &OwnerChange,
) -> Result<bool, Failure> {
    match change.made_by {
        Some(maker) => is_owner(tx, account, maker).await,
        None => Ok(false),
    }
}

async fn is_owner(tx: &mut Tx, account: AccountId, user: UserId) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(IS_OWNER)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_one(db))
}

/// A row of the log that tells what became of a change by itself, of whoever made it.
fn entry(change: &OwnerChange, kind: ActivityKind) -> NewActivity {
    NewActivity::by(change.made_by, &change.made_by_name, kind, "")
        .about(Some(change.user), &change.person.full_name)
}

/// Tells all owners of the account, and whoever a change is about, what became of it. What that one just
/// did themselves they aren't told.
async fn tell(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    change: &OwnerChange,
    news: &OwnerNews,
    now: Timestamp,
) -> Result<(), Failure> {
    let by_them = matches!(
        news,
        OwnerNews::Waiting { .. } | OwnerNews::Declined | OwnerNews::TakeoverAsked { .. }
    );
    let person = &change.person;
    let them = (!by_them).then(|| (person.email.clone(), OwnerNewsReader::Person));
    let told = Told { account: name, name: &person.full_name, news, change: Some(change.id) };
    tell_these(tx, account, told, them, now).await
}

/// Tells the owners of the account, which is locked, that somebody owns it no more; and them, if they
/// stay in it.
pub(crate) async fn tell_of_going(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    person: &Owner,
    news: &OwnerNews,
    now: Timestamp,
) -> Result<(), Failure> {
    let stays = matches!(news, OwnerNews::SteppedDown);
    let them = stays.then(|| (person.email.clone(), OwnerNewsReader::Person));
    let told = Told { account: name, name: &person.full_name, news, change: None };
    tell_these(tx, account, told, them, now).await
}

/// Tells every owner of the account, which is locked, that this address is invited to become one.
pub(crate) async fn tell_of_invitation(
    tx: &mut Tx,
    account: AccountId,
    by: &LockedActor,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), Failure> {
    let news = OwnerNews::Invited { by: by.name.clone().into() };
    let told = Told { account: &by.account_name, name: email.as_str(), news: &news, change: None };
    tell_these(tx, account, told, None, now).await
}

/// What a mail about owners tells.
#[derive(Clone, Copy)]
struct Told<'a> {
    /// The account's name.
    account: &'a str,
    /// Whom it is about.
    name: &'a str,
    /// What happened.
    news: &'a OwnerNews,
    /// The change that it is about, if it is about one.
    change: Option<OwnerChangeId>,
}

impl Told<'_> {
    fn to(
        self,
        account_number: AccountNumber,
        (to, reader): (EmailAddress, OwnerNewsReader),
    ) -> NewMail {
        let mail = Mail::OwnerNews {
            account: self.account.into(),
            account_number,
            reader,
            name: self.name.into(),
            news: self.news.clone(),
            change: self.change,
        };
        NewMail::to(to, mail)
    }
}

/// Tells this to every owner of an account, which is locked, and to somebody besides.
async fn tell_these(
    tx: &mut Tx,
    account: AccountId,
    told: Told<'_>,
    besides: Option<(EmailAddress, OwnerNewsReader)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let number = number(tx, account).await?;
    let is_besides = |email: &EmailAddress| {
        besides.as_ref().is_some_and(|(besides, _)| besides.key() == email.key())
    };
    let mut owners = memberships::owners(tx, account).await?;
    owners.retain(|owner| !is_besides(&owner.email));
    let owners = owners.into_iter().map(|owner| (owner.email, OwnerNewsReader::Owner));
    let mails: Vec<_> = owners.chain(besides).map(|reader| told.to(number, reader)).collect();
    outbox::queue_all(tx, &mails, account, now).await
}

pub(crate) async fn number(tx: &mut Tx, account: AccountId) -> Result<AccountNumber, Failure> {
    let number: i64 =
        read!(tx, db => query_scalar(NUMBER).bind(Uuid::from(account)).fetch_one(db))?;
    Ok(AccountNumber::from_stored(number))
}
