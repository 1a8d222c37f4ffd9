//! Requests: what people in an account ask to be given, and what becomes of that.

use model::{
    Access, AccessRequestId, AccessRequestState, AccountId, AccountNumber, Area, Conflict,
    EmailAddress, Failure, Permission, Terms, Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, gone_as, limit, new_id, read, sql, write};
use crate::memberships::locked_actor;
use crate::{
    Bound, Holding, LockedActor, NewActivity, NewMail, Owner, Store, Thing, activity, grants,
    limits, outbox,
};

/// A thing may have moved to another account in the very moment in which it was asked for.
macro_rules! requests {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.user_id, u.full_name, u.email, u.email_key, r.permission, \
                 coalesce(s.id, d.id) AS thing_id, coalesce(s.name, d.name) AS thing_name, \
                 r.until, r.why, r.state, r.words, r.told, r.asked_at, r.answered_at, \
                 b.full_name AS answered_by \
             FROM access_requests r JOIN users u ON u.id = r.user_id \
                 LEFT JOIN services s ON s.id = r.service_id AND s.account_id = r.account_id \
                 LEFT JOIN domains d ON d.id = r.domain_id AND d.account_id = r.account_id \
                 LEFT JOIN users b ON b.id = r.answered_by \
             WHERE r.account_id = $1 AND (r.service_id IS NULL OR s.id IS NOT NULL) \
                 AND (r.domain_id IS NULL OR d.id IS NOT NULL) AND ",
            $which
        )
    };
}

sql! {
    /// The oldest first: nobody can push out what others asked for before.
    OPEN = requests!("r.state = 'open' AND (r.until IS NULL OR r.until > $3) ORDER BY r.id LIMIT $2");
    /// What was asked for until a day that is over, or on a thing that isn't the account's any more.
    END_PAST = "DELETE FROM access_requests \
                WHERE account_id = $1 AND user_id = $2 AND state = 'open' AND (until <= $3 \
                    OR (service_id IS NOT NULL \
                        AND service_id NOT IN (SELECT id FROM services WHERE account_id = $1)) \
                    OR (domain_id IS NOT NULL \
                        AND domain_id NOT IN (SELECT id FROM domains WHERE account_id = $1)))";
    OPEN_OF = requests!("r.state = 'open' AND r.user_id = $2 ORDER BY r.id DESC");
    ONE = requests!("r.id = $2");
    NEWEST_OF = requests!("r.user_id = $2 ORDER BY r.id DESC LIMIT $3");
    INSERT = "INSERT INTO access_requests \
                  (id, account_id, user_id, permission, service_id, domain_id, until, why, state, \
                   words, told, asked_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', '', $9, $10)";
    ANSWER = "UPDATE access_requests \
              SET state = $2, words = $3, answered_at = $4, answered_by = $5 \
              WHERE id = $1 AND state = 'open'";
    /// Of two with one name in an account, nobody knows which was told.
    TOLD = "SELECT r.id, r.told FROM access_requests r \
            WHERE replace(r.told, $2, '') <> r.told AND NOT EXISTS ( \
                SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id \
                WHERE m.account_id = r.account_id AND u.id <> $1 AND u.full_name = $2)";
    SET_TOLD = "UPDATE access_requests SET told = $2 WHERE id = $1";
    SERVICE = "SELECT name FROM services WHERE account_id = $1 AND id = $2";
    DOMAIN = "SELECT name FROM domains WHERE account_id = $1 AND id = $2";
    STANDING = "SELECT a.number, m.paused_at IS NOT NULL AS paused, u.email, u.email_key \
                FROM memberships m JOIN accounts a ON a.id = m.account_id \
                    JOIN users u ON u.id = m.user_id \
                WHERE m.account_id = $1 AND m.user_id = $2";
    /// Owners first, then those who manage users; each of them by name.
    GIVERS = "SELECT m.user_id, m.owner, u.full_name, u.email, u.email_key \
              FROM memberships m JOIN users u ON u.id = m.user_id \
              WHERE m.account_id = $1 AND (m.owner OR (m.paused_at IS NULL AND EXISTS ( \
                  SELECT 1 FROM grants g \
                  WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                      AND (g.until IS NULL OR g.until > $2) \
                      AND ' ' || g.permissions || ' ' LIKE '% account.users %'))) \
              ORDER BY m.owner DESC, m.name_key, m.user_id LIMIT $3";
}

/// Of how many who may give something it is looked whether they could give what is asked for.
const MOST_GIVERS: usize = 200;

/// A request.
#[derive(Clone, Debug)]
pub struct AccessRequest {
    /// Its id.
    pub id: AccessRequestId,
    /// Who asks.
    pub user: UserId,
    /// Their name and address.
    pub person: Owner,
    /// What they ask for.
    pub permission: Permission,
    /// On which service or domain; none for all.
    pub thing: Option<Thing>,
    /// Until when; none for no end.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: String,
    /// How it stands.
    pub state: AccessRequestState,
    /// What was said to it when it was declined; empty if nothing.
    pub words: String,
    /// Who was told of it, by name: owners first, the first of them.
    pub told: Vec<String>,
    /// When they asked.
    pub asked_at: Timestamp,
    /// When it was answered or withdrawn.
    pub answered_at: Option<Timestamp>,
    /// Who did that, by name, if it is known.
    pub answered_by: Option<String>,
}

impl AccessRequest {
    /// What they would hold if it were given as they ask for it.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms::one(self.permission, self.thing.as_ref().map(|thing| thing.id), self.until)
    }
}

/// Somebody who may give others access.
#[derive(Clone, Debug)]
pub struct Giver {
    /// Who it is.
    pub person: Owner,
    /// What they hold at this moment, by name.
    pub access: Access,
}

/// What a request is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct AskFacts {
    /// Who asks.
    pub by: LockedActor,
    /// Their address.
    pub email: EmailAddress,
    /// Whether their access is paused.
    pub paused: bool,
    /// The account's number.
    pub number: AccountNumber,
    /// The service or domain that they name; none also for one that the account doesn't have.
    pub thing: Option<Thing>,
    /// Whether they asked for the permission already and wait for an answer.
    pub waits: bool,
    /// Who may give others access: owners first, by name.
    pub givers: Vec<Giver>,
}

/// A request that is made.
#[derive(Clone, Debug)]
pub struct NewAccessRequest {
    /// Until when; none for no end.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: String,
    /// Who is told of it, by name.
    pub told: Vec<String>,
    /// The log's row.
    pub entry: NewActivity,
    /// The mails that tell of it.
    pub mails: Vec<NewMail>,
    /// How many requests there can be.
    pub bounds: Vec<Bound>,
}

/// What an answer to a request is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct AccessRequestFacts {
    /// Who answers.
    pub by: LockedActor,
    /// The request.
    pub request: AccessRequest,
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub struct AccessRequestAnswer {
    /// How it stands from now on.
    pub state: AccessRequestState,
    /// What is said to it; empty if nothing.
    pub words: String,
    /// The log's row, if it tells of it.
    pub entry: Option<NewActivity>,
    /// The mail to whoever asked, if they don't know.
    pub mail: Option<NewMail>,
}

#[derive(FromRow)]
struct RequestRow {
    id: Uuid,
    user_id: Uuid,
    full_name: String,
    email: String,
    email_key: String,
    permission: String,
    thing_id: Option<Uuid>,
    thing_name: Option<String>,
    until: Option<i64>,
    why: String,
    state: String,
    words: String,
    told: String,
    asked_at: i64,
    answered_at: Option<i64>,
    answered_by: Option<String>,
}

impl RequestRow {
    /// None for a permission or a state that only another version knows.
    fn read(self) -> Option<AccessRequest> {
        let thing = self.thing_id.zip(self.thing_name).map(|(id, name)| Thing { id, name });
        Some(AccessRequest {
            id: self.id.into(),
            user: self.user_id.into(),
            person: Owner {
                full_name: self.full_name,
                email: EmailAddress::from_stored(self.email, self.email_key),
            },
            permission: self.permission.parse().ok()?,
            thing,
            until: self.until.map(Timestamp::from_micros),
            why: self.why,
            state: AccessRequestState::from_stored(&self.state)?,
            words: self.words,
            told: self.told.lines().map(str::to_owned).collect(),
            asked_at: Timestamp::from_micros(self.asked_at),
            answered_at: self.answered_at.map(Timestamp::from_micros),
            answered_by: self.answered_by,
        })
    }
}

fn requests(rows: Vec<RequestRow>) -> Vec<AccessRequest> {
    rows.into_iter().filter_map(RequestRow::read).collect()
}

impl Store {
    /// Makes a request: locks the account, reads the facts, asks `decide`, writes request, log and
    /// mails. The thing is a service or a domain by the permission's area.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::TooMany`]; [`Failure::NotFound`] when the actor isn't in the
    /// account; [`Conflict::ChangedMeanwhile`] when the thing is gone; [`Failure::Unavailable`].
    pub async fn ask_for_access(
        &self,
        account: AccountId,
        actor: UserId,
        permission: Permission,
        thing: Option<Uuid>,
        now: Timestamp,
        decide: impl FnOnce(&AskFacts) -> Result<NewAccessRequest, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let facts = ask_facts(&mut tx, account, actor, permission, thing, now).await?;
        let new = decide(&facts)?;
        limits::keep_within(&mut tx, &new.bounds, now).await?;
        let of = |area| thing.filter(|_| permission.area() == area);
        let id = new_id(now);
        write!(tx, db => query(INSERT)
            .bind(id)
            .bind(Uuid::from(account))
            .bind(Uuid::from(actor))
            .bind(permission.id())
            .bind(of(Area::Services))
            .bind(of(Area::Domains))
            .bind(new.until.map(Timestamp::as_micros))
            .bind(&new.why)
            .bind(new.told.join("\n"))
            .bind(now.as_micros())
            .execute(db), gone_as(Conflict::ChangedMeanwhile))?;
        activity::append(&mut tx, account, &new.entry.of(id), now).await?;
        for mail in &new.mails {
            outbox::queue(&mut tx, mail, Some(account), now).await?;
        }
        tx.commit().await
    }

    /// Answers a request of the account: locks the account, reads the facts, asks `decide`, writes
    /// request, log and mail.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when the actor isn't in the account or the request
    /// isn't there; [`Conflict::RequestOver`] when it isn't open any more; [`Failure::Unavailable`].
    pub async fn answer_access_request(
        &self,
        account: AccountId,
        actor: UserId,
        id: AccessRequestId,
        now: Timestamp,
        decide: impl FnOnce(&AccessRequestFacts) -> Result<AccessRequestAnswer, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = locked_actor(&mut tx, account, actor, now).await?;
        let row: Option<RequestRow> = read!(tx, db => query_as(ONE)
            .bind(Uuid::from(account))
            .bind(Uuid::from(id))
            .fetch_optional(db))?;
        let request = row.and_then(RequestRow::read).ok_or(Failure::NotFound)?;
        let answer = decide(&AccessRequestFacts { by, request })?;
        let answered =
            self::answer(&mut tx, id, answer.state, &answer.words, Some(actor), now).await?;
        if !answered {
            return Err(Failure::Conflict(Conflict::RequestOver));
        }
        if let Some(entry) = &answer.entry {
            activity::append(&mut tx, account, entry, now).await?;
        }
        if let Some(mail) = &answer.mail {
            outbox::queue(&mut tx, mail, Some(account), now).await?;
        }
        tx.commit().await
    }

    /// The account's open requests that aren't over at this moment, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn open_access_requests(
        &self,
        account: AccountId,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<AccessRequest>, Failure> {
        let rows: Vec<RequestRow> = read!(self, db => query_as(OPEN)
            .bind(Uuid::from(account))
            .bind(limit(most))
            .bind(now.as_micros())
            .fetch_all(db))?;
        Ok(requests(rows))
    }

    /// Somebody's open requests in the account, newest first: at most one for each permission.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn open_access_requests_of(
        &self,
        account: AccountId,
        user: UserId,
    ) -> Result<Vec<AccessRequest>, Failure> {
        let rows: Vec<RequestRow> = read!(self, db => query_as(OPEN_OF)
            .bind(Uuid::from(account))
            .bind(Uuid::from(user))
            .fetch_all(db))?;
        Ok(requests(rows))
    }

    /// One request of the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn access_request(
        &self,
        account: AccountId,
        id: AccessRequestId,
    ) -> Result<Option<AccessRequest>, Failure> {
        let row: Option<RequestRow> = read!(self, db => query_as(ONE)
            .bind(Uuid::from(account))
            .bind(Uuid::from(id))
            .fetch_optional(db))?;
        Ok(row.and_then(RequestRow::read))
    }

    /// Somebody's newest requests in the account, however they stand, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn access_requests_of(
        &self,
        account: AccountId,
        user: UserId,
        most: usize,
    ) -> Result<Vec<AccessRequest>, Failure> {
        let rows: Vec<RequestRow> = read!(self, db => query_as(NEWEST_OF)
            .bind(Uuid::from(account))
            .bind(Uuid::from(user))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(requests(rows))
    }
}

/// Locks the account, and reads what a request is decided on.
async fn ask_facts(
    tx: &mut Tx,
    account: AccountId,
    actor: UserId,
    permission: Permission,
    thing: Option<Uuid>,
    now: Timestamp,
) -> Result<AskFacts, Failure> {
    let by = locked_actor(tx, account, actor, now).await?;
    let ids = (Uuid::from(account), Uuid::from(actor));
    let (number, paused, email, email_key): (i64, bool, String, String) =
        read!(tx, db => query_as(STANDING).bind(ids.0).bind(ids.1).fetch_one(db))?;
    let email = EmailAddress::from_stored(email, email_key);
    let past = now.as_micros();
    write!(tx, db => query(END_PAST).bind(ids.0).bind(ids.1).bind(past).execute(db))?;
    let waiting: Vec<RequestRow> =
        read!(tx, db => query_as(OPEN_OF).bind(ids.0).bind(ids.1).fetch_all(db))?;
    let waits = waiting.iter().any(|row| row.permission == permission.id());
    let thing = named(tx, account, permission.area(), thing).await?;
    let givers = givers(tx, account, now).await?;
    let number = AccountNumber::from_stored(number);
    Ok(AskFacts { by, email, paused, number, thing, waits, givers })
}

/// A service or domain of the account, with its name.
async fn named(
    tx: &mut Tx,
    account: AccountId,
    area: Area,
    thing: Option<Uuid>,
) -> Result<Option<Thing>, Failure> {
    let text = match area {
        Area::Services => SERVICE,
        Area::Domains => DOMAIN,
        Area::Billing | Area::Support | Area::Account => return Ok(None),
    };
    let Some(id) = thing else { return Ok(None) };
    let name: Option<String> = read!(tx, db => query_scalar(text)
        .bind(Uuid::from(account))
        .bind(id)
        .fetch_optional(db))?;
    Ok(name.map(|name| Thing { id, name }))
}

#[derive(FromRow)]
struct GiverRow {
    user_id: Uuid,
    owner: bool,
    full_name: String,
    email: String,
    email_key: String,
}

/// Who may give others access in an account, which is locked.
async fn givers(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Vec<Giver>, Failure> {
    let rows: Vec<GiverRow> = read!(tx, db => query_as(GIVERS)
        .bind(Uuid::from(account))
        .bind(now.as_micros())
        .bind(limit(MOST_GIVERS))
        .fetch_all(db))?;
    let managers = rows.iter().filter(|row| !row.owner).map(|row| row.user_id);
    let mut held = grants::held_by(tx, account, managers).await?;
    let giver = |row: GiverRow| Giver {
        access: match row.owner {
            true => Access::Owner,
            false => {
                Holding::Granted(held.remove(&row.user_id).unwrap_or_default()).access().live(now)
            }
        },
        person: Owner {
            full_name: row.full_name,
            email: EmailAddress::from_stored(row.email, row.email_key),
        },
    };
    Ok(rows.into_iter().map(giver).collect())
}

/// Answers a request that is open; answers whether it was.
async fn answer(
    tx: &mut Tx,
    id: AccessRequestId,
    state: AccessRequestState,
    words: &str,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let answered = write!(tx, db => query(ANSWER)
        .bind(Uuid::from(id))
        .bind(state.id())
        .bind(words)
        .bind(now.as_micros())
        .bind(by.map(Uuid::from))
        .execute(db))?;
    Ok(answered > 0)
}

/// Notes which open requests of somebody are given by what they hold from now on, in an account that
/// is locked; by nobody where the provider gives it.
pub(crate) async fn settle(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    holding: &Holding,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let rows: Vec<RequestRow> = read!(tx, db => query_as(OPEN_OF)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_all(db))?;
    let access = holding.access().live(now);
    let opens = |request: &AccessRequest| {
        access.opens(request.permission, request.thing.as_ref().map(|thing| thing.id))
    };
    for request in requests(rows).iter().filter(|request| opens(request)) {
        answer(tx, request.id, AccessRequestState::Given, "", by, now).await?;
    }
    Ok(())
}

/// Takes somebody's name out of who was told of requests, in accounts that are locked.
pub(crate) async fn forget_told(tx: &mut Tx, user: UserId, name: &str) -> Result<(), Failure> {
    let rows: Vec<(Uuid, String)> =
        read!(tx, db => query_as(TOLD).bind(Uuid::from(user)).bind(name).fetch_all(db))?;
    for (id, told) in rows {
        let others: Vec<_> = told.lines().filter(|told| *told != name).collect();
        write!(tx, db => query(SET_TOLD).bind(id).bind(others.join("\n")).execute(db))?;
    }
    Ok(())
}
