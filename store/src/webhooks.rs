//! Webhooks: the endpoints, the events, which are written in the transaction that does what they tell,
//! and their deliveries. A worker hands each to its endpoint afterwards, in order per account.

use std::time::Duration;

use model::{
    AccountId, AccountNumber, ActivityKind, DeliveryId, DeliveryState, DoorRef, EndpointId,
    EventAccess, EventFacts, EventKind, EventKinds, Failure, InvitationId, LoginChange, Secret,
    Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, count, limit, new_id, read, sql, unreadable, write};
use crate::grants::{ids_in, list};
use crate::{NewActivity, NewMail, Store, invitations, locks, outbox};

/// No delivery is put off for longer.
pub const LONGEST_PUT_OFF: Duration = Duration::from_secs(2 * 60 * 60);

/// Takes on a delivery that is due, of an endpoint that isn't among these, unless an earlier one of the
/// same line waits. As with mails, what is due later than anything is put off is due.
macro_rules! take {
    ($db:ident $lock:literal) => {
        concat!(
            "UPDATE webhook_deliveries SET due_at = $2, attempts = attempts + 1, \
                 tried_since = coalesce(tried_since, $1) \
             WHERE id = (SELECT d.id FROM webhook_deliveries d \
                         WHERE d.state = 'waiting' AND (d.due_at <= $1 OR d.due_at > $3) \
                             AND d.endpoint_id NOT IN ",
            ids_in!($db "$4"),
            " AND NOT EXISTS (SELECT 1 FROM webhook_deliveries e \
                              WHERE e.endpoint_id = d.endpoint_id AND e.line = d.line \
                                  AND e.place < d.place AND e.state = 'waiting') \
                         ORDER BY d.due_at, d.id LIMIT 1",
            $lock,
            ") RETURNING id"
        )
    };
}

/// The endpoints that there are. Whoever turns one on or off waits until what is being noted is noted,
/// and the other way round: nothing is held for one that is on.
macro_rules! endpoints_now {
    ($lock:literal) => {
        concat!(
            "SELECT id, kinds, off_since IS NOT NULL AS is_off FROM webhook_endpoints \
             ORDER BY id",
            $lock
        )
    };
}

macro_rules! endpoint_locked {
    ($lock:literal) => {
        concat!("SELECT id FROM webhook_endpoints WHERE id = $1", $lock)
    };
}

sql! {
    ADD = "INSERT INTO webhook_endpoints (id, url, kinds, secret, made_at) \
           VALUES ($1, $2, $3, $4, $5)";
    REMOVE = "DELETE FROM webhook_endpoints WHERE id = $1";
    ENDPOINT_LOCKED = endpoint_locked!(""),
        // SQLite's one writer holds the lock on everything already.
        on Postgres endpoint_locked!(" FOR UPDATE");
    CHANGE = "UPDATE webhook_endpoints SET url = $2, kinds = $3 WHERE id = $1";
    ROTATE = "UPDATE webhook_endpoints \
              SET old_secret = secret, old_secret_until = $3, secret = $2 WHERE id = $1";
    TURN_OFF = "UPDATE webhook_endpoints SET off_since = $2, off_why = $3 \
                WHERE id = $1 AND off_since IS NULL";
    TURN_ON = "UPDATE webhook_endpoints SET off_since = NULL, off_why = NULL \
               WHERE id = $1 AND off_since IS NOT NULL";
    IS_THERE = "SELECT EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $1)";
    HOLD = "UPDATE webhook_deliveries SET state = 'held' \
            WHERE endpoint_id = $1 AND state = 'waiting'";
    /// Each has a whole day again.
    RELEASE = "UPDATE webhook_deliveries \
               SET state = 'waiting', attempts = 0, tried_since = NULL, due_at = $2 \
               WHERE endpoint_id = $1 AND state = 'held'";
    ENDPOINTS = "SELECT w.id, w.url, w.kinds, w.secret, w.old_secret, w.old_secret_until, w.made_at, \
                     w.off_since, w.off_why, \
                     (SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = w.id \
                          AND d.state IN ('waiting', 'held')) AS waiting, \
                     (SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = w.id \
                          AND d.state = 'given_up') AS given_up \
                 FROM webhook_endpoints w ORDER BY w.id";
    ENDPOINTS_NOW = endpoints_now!(""),
        // SQLite's one writer holds the lock on everything already.
        on Postgres endpoints_now!(" FOR SHARE");
    ACCOUNT = "SELECT number, ref FROM accounts WHERE id = $1";
    REF_OF_USER = "SELECT ref FROM memberships WHERE account_id = $1 AND user_id = $2";
    REF_OF_INVITED = "SELECT ref FROM invitations WHERE account_id = $1 AND id = $2";
    /// Answers the new event's place, and keeps the line locked: events are in the order in which what
    /// they tell was done. A line that was swept begins behind where it ended, as long as the clock does.
    NEXT_PLACE = "INSERT INTO webhook_lines (line, place) VALUES ($1, $2) \
                  ON CONFLICT (line) DO UPDATE \
                  SET place = CASE WHEN webhook_lines.place >= $2 THEN webhook_lines.place + 1 \
                                   ELSE $2 END \
                  RETURNING place";
    NOTE = "INSERT INTO webhook_events (id, line, kind, facts, at) VALUES ($1, $2, $3, $4, $5)";
    DELIVER = "INSERT INTO webhook_deliveries \
                   (id, event_id, endpoint_id, line, place, state, attempts, due_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 0, $7)";
    IS_DUE = "SELECT EXISTS (SELECT 1 FROM webhook_deliveries \
                             WHERE state = 'waiting' AND (due_at <= $1 OR due_at > $2))";
    TAKE = take!(sqlite ""),
        // Here workers stand side by side: each skips what another is just taking.
        on Postgres take!(postgres " FOR UPDATE SKIP LOCKED");
    TAKEN = "SELECT d.id, d.event_id, d.endpoint_id, d.attempts - 1 AS attempts, d.tried_since, \
                 v.kind, v.facts, v.at, w.url, w.secret, \
                 CASE WHEN w.old_secret_until > $2 THEN w.old_secret END AS old_secret \
             FROM webhook_deliveries d JOIN webhook_events v ON v.id = d.event_id \
                 JOIN webhook_endpoints w ON w.id = d.endpoint_id \
             WHERE d.id = $1";
    /// An endpoint that was turned off meanwhile took it all the same.
    DELIVERED = "UPDATE webhook_deliveries \
                 SET state = 'delivered', status = $2, answer = NULL, ended_at = $3 \
                 WHERE id = $1 AND state IN ('waiting', 'held')";
    PUT_OFF = "UPDATE webhook_deliveries SET status = $2, answer = $3, due_at = $4 \
               WHERE id = $1 AND state IN ('waiting', 'held')";
    GIVE_UP = "UPDATE webhook_deliveries \
               SET state = 'given_up', status = $2, answer = $3, ended_at = $4 \
               WHERE id = $1 AND state IN ('waiting', 'held')";
    DELIVERIES = "SELECT d.id, d.event_id, d.endpoint_id, w.url, v.kind, v.at, d.state, d.attempts, \
                      d.due_at, d.status, d.answer, d.ended_at \
                  FROM webhook_deliveries d JOIN webhook_events v ON v.id = d.event_id \
                      JOIN webhook_endpoints w ON w.id = d.endpoint_id \
                  WHERE NOT $1 OR d.state = 'given_up' \
                      OR (d.state IN ('waiting', 'held') AND d.answer IS NOT NULL) \
                  ORDER BY d.id DESC LIMIT $2";
    ENDPOINT_OF = "SELECT endpoint_id FROM webhook_deliveries WHERE id = $1";
    REDELIVER = "UPDATE webhook_deliveries \
                 SET state = $2, attempts = 0, tried_since = NULL, due_at = $3, ended_at = NULL \
                 WHERE id = $1 AND state IN ('delivered', 'given_up')";
    EXPIRED = "SELECT id, account_id FROM invitations \
               WHERE state = 'pending' AND NOT expiry_noted AND NOT waits \
                   AND (expires_at <= $1 OR expires_at > $2) \
               ORDER BY expires_at, id LIMIT $3";
    NOTE_EXPIRY = "UPDATE invitations SET expiry_noted = TRUE \
                   WHERE id = $1 AND state = 'pending' AND NOT expiry_noted AND NOT waits \
                       AND (expires_at <= $2 OR expires_at > $3)";
}

/// An address that is told of events.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The address.
    pub url: String,
    /// Of which kinds it is told.
    pub kinds: EventKinds,
    /// What deliveries are signed with.
    pub secret: Secret,
    /// What they were signed with before, and until when they are signed with that too.
    pub old_secret: Option<(Secret, Timestamp)>,
    /// When it was added.
    pub made_at: Timestamp,
    /// Since when it is off, and why; none if it is on.
    pub off: Option<(Timestamp, String)>,
    /// How many deliveries wait for it, or are held.
    pub waiting: u32,
    /// How many were given up.
    pub given_up: u32,
}

/// An endpoint that is to be added.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// The address.
    pub url: String,
    /// Of which kinds it is told.
    pub kinds: EventKinds,
    /// What deliveries are signed with.
    pub secret: Secret,
}

/// What becomes of an endpoint.
#[derive(Clone, Debug)]
pub enum EndpointStep {
    /// It stays as it is.
    Leave,
    /// It has another address, or is told of other kinds.
    Change {
        /// The address.
        url: String,
        /// Of which kinds it is told.
        kinds: EventKinds,
    },
    /// It is removed, with what is on its way to it.
    Remove,
}

/// A delivery that this node took on.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event's id, by which its receiver knows it again.
    pub event: Uuid,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its address.
    pub url: String,
    /// What to sign it with.
    pub secret: Secret,
    /// What to sign it with besides.
    pub old_secret: Option<Secret>,
    /// The id of the event's kind.
    pub kind: String,
    /// What happened.
    pub facts: EventFacts,
    /// When.
    pub at: Timestamp,
    /// How often it was tried before.
    pub attempts: u32,
    /// When it was first tried.
    pub tried_since: Timestamp,
}

/// A delivery as the operator sees it.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// The event's id.
    pub event: Uuid,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its address.
    pub url: String,
    /// The id of the event's kind.
    pub kind: String,
    /// When the event happened.
    pub at: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it waits.
    pub due_at: Timestamp,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// Why the last try came to nothing.
    pub answer: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
}

/// What a try came to that wasn't the last, or was in vain.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it came to nothing.
    pub why: String,
}

#[derive(FromRow)]
struct EndpointRow {
    id: Uuid,
    url: String,
    kinds: String,
    secret: String,
    old_secret: Option<String>,
    old_secret_until: Option<i64>,
    made_at: i64,
    off_since: Option<i64>,
    off_why: Option<String>,
    waiting: i64,
    given_up: i64,
}

impl From<EndpointRow> for Endpoint {
    fn from(row: EndpointRow) -> Self {
        let old_secret = row.old_secret.map(Secret::from);
        Self {
            id: row.id.into(),
            url: row.url,
            kinds: EventKinds::from_stored(&row.kinds),
            secret: row.secret.into(),
            old_secret: old_secret.zip(row.old_secret_until.map(Timestamp::from_micros)),
            made_at: Timestamp::from_micros(row.made_at),
            off: row
                .off_since
                .map(|since| (Timestamp::from_micros(since), row.off_why.unwrap_or_default())),
            waiting: count(row.waiting),
            given_up: count(row.given_up),
        }
    }
}

#[derive(FromRow)]
struct TakenRow {
    id: Uuid,
    event_id: Uuid,
    endpoint_id: Uuid,
    attempts: i64,
    tried_since: Option<i64>,
    kind: String,
    facts: String,
    at: i64,
    url: String,
    secret: String,
    old_secret: Option<String>,
}

impl TakenRow {
    fn read(self, now: Timestamp) -> Result<Delivery, Failure> {
        Ok(Delivery {
            id: self.id.into(),
            event: self.event_id,
            endpoint: self.endpoint_id.into(),
            url: self.url,
            secret: self.secret.into(),
            old_secret: self.old_secret.map(Secret::from),
            kind: self.kind,
            facts: serde_json::from_str(&self.facts).map_err(unreadable)?,
            at: Timestamp::from_micros(self.at),
            attempts: count(self.attempts),
            tried_since: self.tried_since.map_or(now, Timestamp::from_micros),
        })
    }
}

#[derive(FromRow)]
struct ListedRow {
    id: Uuid,
    event_id: Uuid,
    endpoint_id: Uuid,
    url: String,
    kind: String,
    at: i64,
    state: String,
    attempts: i64,
    due_at: i64,
    status: Option<i64>,
    answer: Option<String>,
    ended_at: Option<i64>,
}

impl From<ListedRow> for DeliveryRow {
    fn from(row: ListedRow) -> Self {
        Self {
            id: row.id.into(),
            event: row.event_id,
            endpoint: row.endpoint_id.into(),
            url: row.url,
            kind: row.kind,
            at: Timestamp::from_micros(row.at),
            state: DeliveryState::from_stored(&row.state),
            attempts: count(row.attempts),
            due_at: Timestamp::from_micros(row.due_at),
            status: row.status.and_then(|status| status.try_into().ok()),
            answer: row.answer,
            ended_at: row.ended_at.map(Timestamp::from_micros),
        }
    }
}

#[derive(FromRow)]
struct EndpointNow {
    id: Uuid,
    kinds: String,
    is_off: bool,
}

impl Store {
    /// Adds an endpoint.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_endpoint(
        &self,
        endpoint: &NewEndpoint,
        now: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(ADD)
            .bind(Uuid::from(endpoint.id))
            .bind(&endpoint.url)
            .bind(endpoint.kinds.to_stored())
            .bind(endpoint.secret.expose())
            .bind(now.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// All endpoints, the oldest first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, Failure> {
        let rows: Vec<EndpointRow> = read!(self, db => query_as(ENDPOINTS).fetch_all(db))?;
        Ok(rows.into_iter().map(Endpoint::from).collect())
    }

    /// Changes or removes an endpoint: locks it, and asks `decide`, which is told how it stands. Without
    /// `write` it is found out what would come of it. Answers how it stood and how it stands, or why
    /// `decide` leaves it.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn step_endpoint<R: Send>(
        &self,
        id: EndpointId,
        write: bool,
        decide: impl FnOnce(&Endpoint) -> Result<EndpointStep, R> + Send,
    ) -> Result<Result<(Endpoint, Option<Endpoint>), R>, Failure> {
        let mut tx = self.begin().await?;
        let (text, own) = (ENDPOINT_LOCKED.on(&tx), Uuid::from(id));
        let locked: Option<Uuid> =
            read!(tx, db => query_scalar(text).bind(own).fetch_optional(db))?;
        let before = match locked {
            Some(_) => endpoint(&mut tx, id).await?,
            None => None,
        };
        let before = before.ok_or(Failure::NotFound)?;
        match decide(&before) {
            Err(refused) => return Ok(Err(refused)),
            Ok(EndpointStep::Leave) => {}
            Ok(EndpointStep::Change { url, kinds }) => {
                write!(tx, db => query(CHANGE)
                    .bind(own)
                    .bind(&url)
                    .bind(kinds.to_stored())
                    .execute(db))?;
            }
            Ok(EndpointStep::Remove) => {
                write!(tx, db => query(REMOVE).bind(own).execute(db))?;
            }
        }
        let after = endpoint(&mut tx, id).await?;
        if write {
            tx.commit().await?;
        }
        Ok(Ok((before, after)))
    }

    /// Removes an endpoint, and what was on its way to it.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn remove_endpoint(&self, id: EndpointId) -> Result<(), Failure> {
        let removed = write!(self, db => query(REMOVE).bind(Uuid::from(id)).execute(db))?;
        there(removed)
    }

    /// Signs what is sent to an endpoint with another secret from now on, and with the present one too
    /// until `old_until`.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn rotate_secret(
        &self,
        id: EndpointId,
        secret: &Secret,
        old_until: Timestamp,
    ) -> Result<(), Failure> {
        let rotated = write!(self, db => query(ROTATE)
            .bind(Uuid::from(id))
            .bind(secret.expose())
            .bind(old_until.as_micros())
            .execute(db))?;
        there(rotated)
    }

    /// Turns an endpoint on again. What was held for it goes out, in order, and is tried for a day anew.
    /// Answers how much that is; none when it was on.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn turn_endpoint_on(
        &self,
        id: EndpointId,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        let id = Uuid::from(id);
        let mut tx = self.begin().await?;
        if write!(tx, db => query(TURN_ON).bind(id).execute(db))? == 0 {
            let found: bool = read!(tx, db => query_scalar(IS_THERE).bind(id).fetch_one(db))?;
            return if found { Ok(None) } else { Err(Failure::NotFound) };
        }
        let released = write!(tx, db => query(RELEASE).bind(id).bind(now.as_micros()).execute(db))?;
        tx.commit().await?;
        Ok(Some(released))
    }

    /// Takes on the delivery that is longest due, for `lease`: until then no other node takes it, and none
    /// behind it in its line. Those to the endpoints in `busy` are passed over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn take_delivery(
        &self,
        lease: Duration,
        busy: &[EndpointId],
        now: Timestamp,
    ) -> Result<Option<Delivery>, Failure> {
        let latest = now.after(lease.max(LONGEST_PUT_OFF)).as_micros();
        // Mostly nothing is: then nobody who writes is kept waiting.
        let is_due: bool = read!(self, db => query_scalar(IS_DUE)
            .bind(now.as_micros())
            .bind(latest)
            .fetch_one(db))?;
        if !is_due {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let text = TAKE.on(&tx);
        let busy = list(busy.iter().copied().map(Uuid::from));
        let taken: Option<Uuid> = read!(tx, db => query_scalar(text)
            .bind(now.as_micros())
            .bind(now.after(lease).as_micros())
            .bind(latest)
            .bind(&busy)
            .fetch_optional(db))?;
        let Some(taken) = taken else { return Ok(None) };
        let row: TakenRow = read!(tx, db => query_as(TAKEN)
            .bind(taken)
            .bind(now.as_micros())
            .fetch_one(db))?;
        tx.commit().await?;
        row.read(now).map(Some)
    }

    /// Notes that the endpoint took a delivery.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn delivered(
        &self,
        id: DeliveryId,
        status: u16,
        now: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(DELIVERED)
            .bind(Uuid::from(id))
            .bind(i64::from(status))
            .bind(now.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// Notes that a try came to nothing, and when to try again.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn delivery_put_off(
        &self,
        id: DeliveryId,
        trial: &Trial,
        try_again_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(PUT_OFF)
            .bind(Uuid::from(id))
            .bind(trial.status.map(i64::from))
            .bind(&trial.why)
            .bind(try_again_at.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// Notes that a delivery is given up, and turns its endpoint off: what else waits for that is held.
    /// `mail` tells the operator, if it was on. Answers whether it was.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn give_up_delivery(
        &self,
        delivery: &Delivery,
        trial: &Trial,
        mail: Option<&NewMail>,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let endpoint = Uuid::from(delivery.endpoint);
        let mut tx = self.begin().await?;
        // The endpoint before its deliveries, as where it is turned on: neither waits for the other.
        let turned_off = write!(tx, db => query(TURN_OFF)
            .bind(endpoint)
            .bind(now.as_micros())
            .bind(&trial.why)
            .execute(db))?;
        write!(tx, db => query(GIVE_UP)
            .bind(Uuid::from(delivery.id))
            .bind(trial.status.map(i64::from))
            .bind(&trial.why)
            .bind(now.as_micros())
            .execute(db))?;
        if turned_off > 0 {
            write!(tx, db => query(HOLD).bind(endpoint).execute(db))?;
            if let Some(mail) = mail {
                outbox::queue(&mut tx, mail, None, now).await?;
            }
        }
        tx.commit().await?;
        Ok(turned_off > 0)
    }

    /// The newest deliveries, or only those of which a try came to nothing, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deliveries(&self, failed: bool, most: usize) -> Result<Vec<DeliveryRow>, Failure> {
        let rows: Vec<ListedRow> = read!(self, db => query_as(DELIVERIES)
            .bind(failed)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(DeliveryRow::from).collect())
    }

    /// Has an event delivered once more that was delivered or given up. Answers false when it waits
    /// already.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn redeliver(&self, id: DeliveryId, now: Timestamp) -> Result<bool, Failure> {
        let id = Uuid::from(id);
        let mut tx = self.begin().await?;
        let endpoint: Option<Uuid> =
            read!(tx, db => query_scalar(ENDPOINT_OF).bind(id).fetch_optional(db))?;
        let endpoints = endpoints_now(&mut tx).await?;
        let endpoint = endpoints.iter().find(|one| Some(one.id) == endpoint);
        let state = endpoint.map(EndpointNow::state).ok_or(Failure::NotFound)?;
        let again = write!(tx, db => query(REDELIVER)
            .bind(id)
            .bind(state.id())
            .bind(now.as_micros())
            .execute(db))?;
        tx.commit().await?;
        Ok(again > 0)
    }

    /// Notes of at most `most` invitations that they ran out, and has webhooks tell of it. Answers how many.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn note_expired_invitations(
        &self,
        most: usize,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let (over, ahead) = (now.as_micros(), now.after(invitations::LONGEST).as_micros());
        let rows: Vec<(Uuid, Uuid)> = read!(self, db => query_as(EXPIRED)
            .bind(over)
            .bind(ahead)
            .bind(limit(most))
            .fetch_all(db))?;
        let mut noted = 0;
        for (id, account) in rows {
            let mut tx = self.begin_locking([account]).await?;
            let account = AccountId::from(account);
            locks::account(&mut tx, account, now).await?;
            let expired = write!(tx, db => query(NOTE_EXPIRY)
                .bind(id)
                .bind(over)
                .bind(ahead)
                .execute(db))?;
            // Sent anew, answered, or noted by another node.
            if expired == 0 {
                continue;
            }
            invitation_expired(&mut tx, account, id.into(), now).await?;
            tx.commit().await?;
            noted += expired;
        }
        Ok(noted)
    }
}

/// One endpoint, as it stands in a transaction.
async fn endpoint(tx: &mut Tx, id: EndpointId) -> Result<Option<Endpoint>, Failure> {
    let rows: Vec<EndpointRow> = read!(tx, db => query_as(ENDPOINTS).fetch_all(db))?;
    let mut all = rows.into_iter().map(Endpoint::from);
    Ok(all.find(|endpoint| endpoint.id == id))
}

/// An endpoint that was changed was there.
fn there(changed: u64) -> Result<(), Failure> {
    if changed == 0 { Err(Failure::NotFound) } else { Ok(()) }
}

impl EndpointNow {
    /// How a delivery to it begins.
    fn state(&self) -> DeliveryState {
        if self.is_off { DeliveryState::Held } else { DeliveryState::Waiting }
    }
}

/// The endpoints, none of which is turned on or off until the end of the transaction.
async fn endpoints_now(tx: &mut Tx) -> Result<Vec<EndpointNow>, Failure> {
    let text = ENDPOINTS_NOW.on(tx);
    read!(tx, db => query_as(text).fetch_all(db))
}

/// Notes what a row of the log is told as, in the transaction that writes the row.
pub(crate) async fn tell_row(
    tx: &mut Tx,
    account: AccountId,
    entry: &NewActivity,
    now: Timestamp,
) -> Result<(), Failure> {
    let (before, after) = (entry.before.as_ref(), entry.after.as_ref());
    let kinds = EventKind::of_row(entry.kind, before, after);
    let (request, invitation) = match entry.kind {
        ActivityKind::AccessRequested => (entry.of, None),
        _ => (None, entry.of),
    };
    let facts = EventFacts {
        user: entry.subject.or(entry.actor.filter(|_| request.is_some())),
        user_ref: entry.reference.clone(),
        by: entry.actor,
        invitation: invitation.map(Into::into),
        request: request.map(Into::into),
        change: entry.kind.id().to_owned(),
        before: before.and_then(EventAccess::of),
        after: after.and_then(EventAccess::of),
        ..EventFacts::default()
    };
    tell(tx, About::Account(account), &kinds, facts, now).await
}

/// Notes that something of a login changed, in the transaction that changes it, which has locked the user.
pub(crate) async fn tell_login(
    tx: &mut Tx,
    user: UserId,
    change: LoginChange,
    now: Timestamp,
) -> Result<(), Failure> {
    let change = change.id().to_owned();
    let facts = EventFacts { user: Some(user), change, ..EventFacts::default() };
    tell(tx, About::Login(user), &[EventKind::LoginChanged], facts, now).await
}

/// Notes that an invitation ran out.
async fn invitation_expired(
    tx: &mut Tx,
    account: AccountId,
    invitation: InvitationId,
    now: Timestamp,
) -> Result<(), Failure> {
    let kind = EventKind::InvitationExpired;
    let (invitation, change) = (Some(invitation), kind.id().to_owned());
    let facts = EventFacts { invitation, change, ..EventFacts::default() };
    tell(tx, About::Account(account), &[kind], facts, now).await
}

/// Whose event it is: what is told of one is told in order.
#[derive(Clone, Copy)]
enum About {
    Account(AccountId),
    Login(UserId),
}

/// Writes an event of each of these kinds, for the endpoints that want it; if none does, nothing. The line
/// is the last lock that a transaction takes.
async fn tell(
    tx: &mut Tx,
    about: About,
    kinds: &[EventKind],
    facts: EventFacts,
    now: Timestamp,
) -> Result<(), Failure> {
    if kinds.is_empty() {
        return Ok(());
    }
    let endpoints: Vec<_> = endpoints_now(tx)
        .await?
        .into_iter()
        .map(|endpoint| (EventKinds::from_stored(&endpoint.kinds), endpoint))
        .collect();
    let is_wanted = |kind: &EventKind| endpoints.iter().any(|(wants, _)| wants.contain(*kind));
    let wanted: Vec<_> = kinds.iter().copied().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let (line, facts) = match about {
        About::Account(account) => (Uuid::from(account), named(tx, account, facts).await?),
        About::Login(user) => (Uuid::from(user), facts),
    };
    let facts = serde_json::to_string(&facts).map_err(unreadable)?;
    for kind in wanted {
        let place: i64 = read!(tx, db => query_scalar(NEXT_PLACE)
            .bind(line)
            .bind(now.as_micros())
            .fetch_one(db))?;
        let event = new_id(now);
        write!(tx, db => query(NOTE)
            .bind(event)
            .bind(line)
            .bind(kind.id())
            .bind(&facts)
            .bind(now.as_micros())
            .execute(db))?;
        for (_, endpoint) in endpoints.iter().filter(|(wants, _)| wants.contain(kind)) {
            write!(tx, db => query(DELIVER)
                .bind(new_id(now))
                .bind(event)
                .bind(endpoint.id)
                .bind(line)
                .bind(place)
                .bind(endpoint.state().id())
                .bind(now.as_micros())
                .execute(db))?;
        }
    }
    Ok(())
}

/// The facts of something in an account, with what that is called, and what the provider itself calls it
/// and those whom it is about.
async fn named(tx: &mut Tx, account: AccountId, facts: EventFacts) -> Result<EventFacts, Failure> {
    let own = Uuid::from(account);
    let (number, reference): (i64, Option<String>) =
        read!(tx, db => query_as(ACCOUNT).bind(own).fetch_one(db))?;
    let EventFacts { user, by, invitation, .. } = facts;
    let user_ref = match facts.user_ref {
        // Whoever it is about has left the account.
        Some(reference) => Some(reference),
        None => self::reference(tx, REF_OF_USER, own, user.map(Uuid::from)).await?,
    };
    let by_ref = match by == user {
        true => user_ref.clone(),
        false => self::reference(tx, REF_OF_USER, own, by.map(Uuid::from)).await?,
    };
    Ok(EventFacts {
        account: Some(AccountNumber::from_stored(number)),
        account_ref: reference.map(DoorRef::from_stored),
        user_ref,
        by_ref,
        invitation_ref: self::reference(tx, REF_OF_INVITED, own, invitation.map(Uuid::from))
            .await?,
        ..facts
    })
}

/// What the provider itself calls the user or the invited person of an account with this id.
async fn reference(
    tx: &mut Tx,
    text: &'static str,
    account: Uuid,
    id: Option<Uuid>,
) -> Result<Option<DoorRef>, Failure> {
    let Some(id) = id else { return Ok(None) };
    let found: Option<Option<String>> =
        read!(tx, db => query_scalar(text).bind(account).bind(id).fetch_optional(db))?;
    Ok(found.flatten().map(DoorRef::from_stored))
}
