//! Memberships: who is in which account, with what access.

use model::{
    Access, AccountId, AccountNumber, ActivityKind, Actor, Conflict, Cursor, DoorRef, EmailAddress,
    Failure, GivenAccess, Keys, MailKind, OwnerChangeId, OwnerNews, Pause, SessionId, Timestamp,
    UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, count, limit, plain, read, sql, write};
use crate::factors::has_factor;
use crate::fold::{fold, found_by};
use crate::grants::{self, read_keys};
use crate::policies::PolicyRow;
use crate::sessions::NOTED_EVERY;
use crate::{
    AccountPolicy, Held, Holding, NewActivity, NewMail, Store, access_requests, activity,
    invitations, locks, outbox, owner_changes, successors,
};

/// Users of an account: where they are looked for first, and which ones; after `with` columns besides.
macro_rules! members {
    ($first:expr, $($which:expr),+) => {
        $crate::memberships::members!(with "", $first, $($which),+)
    };
    (with $besides:expr, $first:expr, $($which:expr),+) => {
        concat!(
            "SELECT ",
            $besides,
            "m.user_id, u.email, u.email_key, u.full_name, m.owner, \
                 m.since, i.full_name AS invited_by, m.last_active_at, m.paused_at, \
                 b.full_name AS paused_by, m.paused_why, m.ref AS reference, m.changed, ",
            $crate::factors::has_factor!("m.user_id"),
            " AS second_factor FROM ",
            $first,
            "memberships m JOIN users u ON u.id = m.user_id \
                 LEFT JOIN users i ON i.id = m.invited_by \
                 LEFT JOIN users b ON b.id = m.paused_by \
             WHERE m.account_id = $1",
            $($which),+
        )
    };
}

pub(crate) use members;

/// Whether the account's own identity provider is required of its user `m`, and knows their address.
macro_rules! by_provider {
    () => {
        "EXISTS (SELECT 1 FROM account_providers w \
                     JOIN account_domains d ON d.account_id = w.account_id \
                     JOIN users u ON u.id = m.user_id \
                 WHERE w.account_id = m.account_id AND w.demanded_since IS NOT NULL \
                     AND d.proven_at IS NOT NULL AND u.email_key LIKE '%@' || d.domain)"
    };
}

/// Whether it is required of an address that `m` gave up since.
macro_rules! gave_address_up {
    () => {
        "EXISTS (SELECT 1 FROM account_providers w \
                 WHERE w.account_id = m.account_id AND w.demanded_since IS NOT NULL \
                     AND m.bound_domain IS NOT NULL)"
    };
}

/// Whether `m` had a second factor, which they still have, before it was required.
macro_rules! had_factor {
    () => {
        "EXISTS (SELECT 1 FROM account_providers w \
                 WHERE w.account_id = m.account_id AND ( \
                     EXISTS (SELECT 1 FROM authenticator_apps f \
                             WHERE f.user_id = m.user_id AND f.since <= w.demanded_since) \
                     OR EXISTS (SELECT 1 FROM passkeys f \
                                WHERE f.user_id = m.user_id AND f.since <= w.demanded_since)))"
    };
}

/// Whether `m` can come in as an owner of the account: who counts as one of those of whom there is always
/// at least one (rule 5). A password that was forgotten, and a second factor that the policy takes, they
/// see to by themselves. Only whoever gave up the address by which the account's own identity provider
/// knew them finds it closed, unless their own sign-in opens it whatever that says.
macro_rules! comes_in {
    () => {
        concat!(
            "(NOT ",
            $crate::memberships::gave_address_up!(),
            " OR ",
            $crate::memberships::by_provider!(),
            " OR ",
            $crate::memberships::had_factor!(),
            ")"
        )
    };
}

/// What the account requires of its user `m`, by its policy `p` and its own identity provider, and what
/// they have of that.
macro_rules! required {
    () => {
        concat!(
            $crate::factors::has_factor!("m.user_id"),
            " AS second_factor, ",
            $crate::memberships::by_provider!(),
            " AS single_sign_on, ",
            $crate::memberships::gave_address_up!(),
            " AS gave_address_up, ",
            $crate::memberships::had_factor!(),
            " AS had_factor, ",
            $crate::policies::policy_columns!()
        )
    };
}

pub(crate) use {by_provider, comes_in, gave_address_up, had_factor, required};

/// The first of `m`'s other accounts by name ($4), as JSON; none where there are many to sort for that.
macro_rules! others {
    (sqlite) => {
        others!("json_group_array(json_array(o.number, o.name) ORDER BY o.place, o.id)")
    };
    (postgres) => {
        others!(
            "coalesce(CAST(json_agg(json_build_array(o.number, o.name) ORDER BY o.place, o.id) AS TEXT), \
                      '[]')"
        )
    };
    ($list:literal) => {
        concat!(
            "CASE WHEN (SELECT count(*) FROM (SELECT 1 FROM memberships n WHERE n.user_id = m.user_id \
                                              LIMIT 101) l) <= 100 \
             THEN (SELECT ",
            $list,
            " FROM (SELECT c.id, c.number, c.name, n.account_key AS place \
                    FROM memberships n JOIN accounts c ON c.id = n.account_id \
                    WHERE n.user_id = m.user_id AND n.account_id <> m.account_id \
                    ORDER BY n.account_key, n.account_id LIMIT $4) o) END AS others"
        )
    };
}

macro_rules! membership {
    ($db:ident) => {
        concat!(
            "SELECT a.id, a.number, a.name, a.time_zone, a.owners_due_at, m.owner, m.keys, \
                 m.paused_at, b.full_name AS paused_by, m.paused_why, m.last_active_at, \
                 v.last_seen_at AS visited_at, ",
            others!($db),
            ", ",
            required!(),
            " FROM memberships m JOIN accounts a ON a.id = m.account_id \
                 LEFT JOIN users b ON b.id = m.paused_by \
                 LEFT JOIN account_policies p ON p.account_id = m.account_id \
                 LEFT JOIN account_visits v ON v.account_id = m.account_id AND v.session_id = $3 \
             WHERE m.user_id = $1 AND a.number = $2"
        )
    };
}

macro_rules! visited {
    ($lock:literal) => {
        concat!(
            "INSERT INTO account_visits (session_id, account_id, last_seen_at) \
             SELECT s.id, a.id, $3 FROM sessions s, accounts a WHERE s.id = $1 AND a.id = $2",
            $lock,
            " ON CONFLICT (session_id, account_id) DO UPDATE \
             SET last_seen_at = excluded.last_seen_at"
        )
    };
}

macro_rules! active {
    ($lock:literal) => {
        concat!(
            "UPDATE memberships SET last_active_at = $3 \
             WHERE account_id = $1 AND (last_active_at IS NULL OR last_active_at <= $4 \
                 OR last_active_at > $3) \
                 AND user_id = (SELECT user_id FROM memberships \
                                WHERE account_id = $1 AND user_id = $2",
            $lock,
            ")"
        )
    };
}

/// How many of somebody's other accounts are named at once.
pub const NAMED_OTHERS: usize = 9;

/// How many accounts are looked at for those that a text is looked for in.
const LOOKED_AT: usize = 1_000;

sql! {
    MEMBERSHIP = membership!(sqlite), on Postgres membership!(postgres);
    VISITED = visited!(""),
        // A note waits for nobody's lock: a later request makes it.
        on Postgres visited!(" FOR KEY SHARE SKIP LOCKED");
    ACTIVE = active!(""),
        on Postgres active!(" FOR NO KEY UPDATE SKIP LOCKED");
    MEMBERSHIPS = "SELECT a.id, a.number, a.name, a.time_zone, a.owners_due_at, m.owner, \
                       m.last_active_at, m.paused_at, c.id AS change_id, c.due_at AS change_due_at, \
                       s.user_id IS NOT NULL AS successor \
                   FROM memberships m JOIN accounts a ON a.id = m.account_id \
                       LEFT JOIN owner_changes c ON c.account_id = m.account_id \
                           AND c.user_id = m.user_id AND c.state IN ('offered', 'waiting') \
                       LEFT JOIN successors s ON s.account_id = m.account_id \
                           AND s.user_id = m.user_id \
                   WHERE m.user_id = $1 AND (m.account_key, m.account_id) > ($2, $3) \
                   ORDER BY m.account_key, m.account_id LIMIT $4";
    LAST_ENTERED = "SELECT a.number FROM memberships m JOIN accounts a ON a.id = m.account_id \
                    WHERE m.user_id = $1 AND m.last_active_at IS NOT NULL \
                    ORDER BY m.last_active_at DESC, a.number LIMIT 1";
    COUNT_MEMBERSHIPS = "SELECT count(*) FROM \
                         (SELECT 1 FROM memberships WHERE user_id = $1 LIMIT $2) AS found";
    WITHOUT_FACTOR_BY_NAME = members!(
        "",
        " AND (m.name_key, m.user_id) > ($2, $3) AND NOT ",
        has_factor!("m.user_id"),
        " ORDER BY m.name_key, m.user_id LIMIT $4"
    );
    MEMBER = members!("", " AND m.user_id = $2");
    OWNERS = "SELECT u.full_name, u.email, u.email_key \
              FROM memberships m JOIN users u ON u.id = m.user_id \
              WHERE m.account_id = $1 AND m.owner ORDER BY m.name_key, m.user_id LIMIT $2";
    IS_IN = "SELECT EXISTS (SELECT 1 FROM memberships WHERE account_id = $1 AND user_id = $2)";
    /// Those who own the account and can come in, with $2 as if they owned it, and without $3.
    COUNT_OWNERS_LEFT = concat!(
        "SELECT count(*) FROM memberships m \
         WHERE m.account_id = $1 AND (m.owner OR m.user_id = $2) AND m.user_id <> $3 AND ",
        comes_in!()
    );
    /// The accounts of an owner that nobody who owns them can come into.
    SHUT_ACCOUNTS = concat!(
        "SELECT x.account_id FROM memberships x WHERE x.user_id = $1 AND x.owner AND NOT EXISTS \
             (SELECT 1 FROM memberships m WHERE m.account_id = x.account_id AND m.owner AND ",
        comes_in!(),
        ")"
    );
    PERSON = "SELECT u.full_name, u.email, u.email_key \
              FROM memberships m JOIN users u ON u.id = m.user_id \
              WHERE m.account_id = $1 AND m.user_id = $2";
    ACTOR = "SELECT m.owner, m.paused_at IS NOT NULL AS paused, u.full_name, u.email, u.email_key \
             FROM memberships m JOIN users u ON u.id = m.user_id \
             WHERE m.account_id = $1 AND m.user_id = $2";
    CHANGE = "UPDATE memberships SET owner = $3 WHERE account_id = $1 AND user_id = $2";
    PAUSE = "UPDATE memberships SET paused_at = $3, paused_by = $4, paused_why = $5 \
             WHERE account_id = $1 AND user_id = $2";
    /// The words and the grants go with it.
    END = "DELETE FROM memberships WHERE account_id = $1 AND user_id = $2 RETURNING ref";
    INSERT_MEMBERSHIP = "INSERT INTO memberships \
                             (account_id, user_id, owner, since, invited_by, name_key) \
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    INSERT_WORD = "INSERT INTO membership_words (account_id, word, user_id) \
                   SELECT account_id, $3, user_id FROM memberships \
                   WHERE account_id = $1 AND user_id = $2";
    SET_REF = "UPDATE memberships SET ref = $3 \
               WHERE account_id = $1 AND user_id = $2 AND ref IS NULL";
    RENAME = "UPDATE memberships SET name_key = $2 WHERE user_id = $1";
    DROP_WORDS = "DELETE FROM membership_words WHERE user_id = $1 \
                  AND account_id IN (SELECT account_id FROM memberships WHERE user_id = $1)";
    INSERT_WORD_EVERYWHERE = "INSERT INTO membership_words (account_id, word, user_id) \
                              SELECT account_id, $2, user_id FROM memberships \
                              WHERE user_id = $1";
}

/// Where somebody who was never active stands among the times of the others.
pub(crate) const NEVER: i64 = -1;

/// A user's membership as a request begins: everything about the account that its frame shows.
#[derive(Clone, Debug)]
pub struct AccountMembership {
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// What the user may do there at this moment.
    pub keys: Keys,
    /// Why that is nothing, if their access is paused.
    pub pause: Option<Pause>,
    /// When they were last active there, before this request.
    pub last_active_at: Option<Timestamp>,
    /// The first of the user's other accounts by name, number and name: [`NAMED_OTHERS`], and one more if
    /// there is. None if they are in more than a hundred: nobody picks one of those from the first.
    pub others: Option<Vec<(AccountNumber, String)>>,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// What the account requires of them.
    pub policy: AccountPolicy,
    /// When their session last opened the account, as far as that is noted.
    pub visited_at: Option<Timestamp>,
    /// Whether the account requires that whoever has an address like theirs signs in with its own
    /// identity provider.
    pub single_sign_on: bool,
    /// Whether it was required of an address that they gave up since.
    pub gave_address_up: bool,
    /// Whether they had a second factor, which they still have, before it was required.
    pub had_factor: bool,
    /// When somebody becomes an owner next, if anybody waits for that.
    pub owners_due_at: Option<Timestamp>,
}

/// An account in the list of those that a user reaches.
#[derive(Clone, Debug)]
pub struct MembershipRow {
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// What the user holds there.
    pub held: Held,
    /// When they were last active there.
    pub last_active_at: Option<Timestamp>,
    /// Since when somebody has paused their access.
    pub paused_at: Option<Timestamp>,
    /// That they were asked to become an owner, if that is open; and when it comes true, if they
    /// accepted.
    pub becoming: Option<(OwnerChangeId, Option<Timestamp>)>,
    /// Whether they may take the account over if none of its owners can be reached.
    pub successor: bool,
}

/// A user in an account.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// What they hold here.
    pub held: Held,
    /// Since when they are here.
    pub since: Timestamp,
    /// Who invited them, by name, if that is known.
    pub invited_by: Option<String>,
    /// When they were last active here.
    pub last_active_at: Option<Timestamp>,
    /// Whether they sign in with a second factor.
    pub second_factor: bool,
    /// The pause, if somebody paused their access.
    pub paused: Option<Pause>,
}

/// An owner, to be asked.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Their name.
    pub full_name: String,
    /// Their address.
    pub email: EmailAddress,
}

/// How a list of users is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserSort {
    /// By name, from A (binary order of the lower-case name, the same on both databases).
    #[default]
    Name,
    /// The last active first; those who never were come last.
    LastActive,
}

impl UserSort {
    /// Its id in a query; none for the usual one.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::LastActive => "activity",
        }
    }

    /// The one with this id; the usual one where there is none.
    #[must_use]
    pub fn of_query(id: &str) -> Self {
        if id == Self::LastActive.id() { Self::LastActive } else { Self::Name }
    }
}

/// Who asks, with what they may do at this moment, which is nothing while their access is paused: read
/// under the account's lock.
#[derive(Clone, Debug)]
pub struct LockedActor {
    /// The actor.
    pub actor: Actor,
    /// What they may do, by name: what they may give is measured by it.
    pub access: Access,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: EmailAddress,
    /// The account's name.
    pub account_name: String,
}

impl LockedActor {
    /// A row of the log that tells what they did, from the client with this address.
    #[must_use]
    pub fn entry(&self, kind: ActivityKind, address: &str) -> NewActivity {
        NewActivity::by(Some(self.actor.user), &self.name, kind, address)
    }
}

/// What a change to a membership is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct ChangeFacts {
    /// Who asks.
    pub by: LockedActor,
    /// Whose membership it is.
    pub target: Member,
    /// What it holds, by name.
    pub holding: Holding,
    /// How many others own the account at this moment and can come in.
    pub other_owners: u32,
}

/// What becomes of a membership.
#[derive(Clone, Debug)]
pub struct MembershipChange {
    /// What it holds from now on; none ends it. A grant stays the same as long as its id does.
    pub holding: Option<Holding>,
    /// The log's row.
    pub entry: NewActivity,
    /// The mail that tells the user.
    pub mail: Option<NewMail>,
}

/// A pause that begins.
#[derive(Clone, Debug)]
pub struct NewPause {
    /// Who pauses.
    pub by: UserId,
    /// Why; empty if they don't say.
    pub why: String,
}

/// What becomes of a membership that is paused or resumed.
#[derive(Clone, Debug)]
pub struct PauseChange {
    /// The pause; none resumes.
    pub pause: Option<NewPause>,
    /// The log's row.
    pub entry: NewActivity,
    /// The mail that tells the user.
    pub mail: NewMail,
}

#[derive(FromRow)]
struct AccountMembershipRow {
    id: Uuid,
    number: i64,
    name: String,
    time_zone: Option<String>,
    owners_due_at: Option<i64>,
    owner: bool,
    keys: String,
    #[sqlx(flatten)]
    pause: PauseRow,
    last_active_at: Option<i64>,
    others: Option<String>,
    second_factor: bool,
    visited_at: Option<i64>,
    single_sign_on: bool,
    gave_address_up: bool,
    had_factor: bool,
    #[sqlx(flatten)]
    policy: PolicyRow,
}

#[derive(FromRow)]
struct ReachedRow {
    id: Uuid,
    number: i64,
    name: String,
    time_zone: Option<String>,
    owners_due_at: Option<i64>,
    owner: bool,
    last_active_at: Option<i64>,
    paused_at: Option<i64>,
    change_id: Option<Uuid>,
    change_due_at: Option<i64>,
    successor: bool,
}

#[derive(FromRow)]
pub(crate) struct PauseRow {
    paused_at: Option<i64>,
    paused_by: Option<String>,
    paused_why: String,
}

fn read_others(stored: &str) -> Result<Vec<(AccountNumber, String)>, Failure> {
    let others: Vec<(i64, String)> = serde_json::from_str(stored).map_err(|error| {
        tracing::error!(%error, "the names of accounts can't be read");
        Failure::Unavailable
    })?;
    Ok(others
        .into_iter()
        .map(|(number, name)| (AccountNumber::from_stored(number), name))
        .collect())
}

impl PauseRow {
    /// The pause that somebody began. An owner's access can't be paused (rule 1).
    fn read(self, owner: bool) -> Option<Pause> {
        let since = self.paused_at.filter(|_| !owner).map(Timestamp::from_micros)?;
        Some(Pause::ByHand { since, by: self.paused_by, why: self.paused_why })
    }
}

/// A user in an account as the database holds them.
#[derive(FromRow)]
pub(crate) struct MemberRow {
    user_id: Uuid,
    email: String,
    email_key: String,
    full_name: String,
    owner: bool,
    since: i64,
    invited_by: Option<String>,
    last_active_at: Option<i64>,
    #[sqlx(flatten)]
    pause: PauseRow,
    second_factor: bool,
}

/// Without their grants, which come by another statement.
impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            user: row.user_id.into(),
            email: EmailAddress::from_stored(row.email, row.email_key),
            full_name: row.full_name,
            held: Held::begun(row.owner),
            since: Timestamp::from_micros(row.since),
            invited_by: row.invited_by,
            last_active_at: row.last_active_at.map(Timestamp::from_micros),
            second_factor: row.second_factor,
            paused: row.pause.read(row.owner),
        }
    }
}

/// What a membership opens at a moment by the keys that it keeps, or why it opens nothing.
pub(crate) fn standing(
    owner: bool,
    kept: &str,
    pause: PauseRow,
    now: Timestamp,
) -> (Keys, Option<Pause>) {
    if owner {
        return (Keys::Owner, None);
    }
    let (live, last_end) = read_keys(kept, now);
    let lapsed = || {
        let since = last_end.filter(|last| *last <= now)?;
        Some(Pause::Lapsed { since })
    };
    match pause.read(owner).or_else(lapsed) {
        Some(pause) => (Keys::Granted(Vec::new()), Some(pause)),
        None => (Keys::Granted(live), None),
    }
}

impl Store {
    /// The user's membership of the account with this number, as they come with this session, and as
    /// it is at this moment, also if somebody became an owner just now. None when there is no such
    /// account or they aren't in it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn membership(
        &self,
        user: UserId,
        number: AccountNumber,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<AccountMembership>, Failure> {
        let Some(found) = self.found(user, number, session).await? else { return Ok(None) };
        let row = match is_due(found.owners_due_at, now) {
            true => {
                self.settle_owners(found.id.into(), now).await?;
                self.found(user, number, session).await?
            }
            false => Some(found),
        };
        let Some(row) = row else { return Ok(None) };
        let (keys, pause) = standing(row.owner, &row.keys, row.pause, now);
        Ok(Some(AccountMembership {
            account: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            time_zone: row.time_zone,
            keys,
            pause,
            last_active_at: row.last_active_at.map(Timestamp::from_micros),
            others: row.others.as_deref().map(read_others).transpose()?,
            second_factor: row.second_factor,
            policy: row.policy.into(),
            visited_at: row.visited_at.map(Timestamp::from_micros),
            single_sign_on: row.single_sign_on,
            gave_address_up: row.gave_address_up,
            had_factor: row.had_factor,
            owners_due_at: row.owners_due_at.map(Timestamp::from_micros),
        }))
    }

    async fn found(
        &self,
        user: UserId,
        number: AccountNumber,
        session: Option<SessionId>,
    ) -> Result<Option<AccountMembershipRow>, Failure> {
        let text = MEMBERSHIP.at(self);
        read!(self, db => query_as(text)
            .bind(Uuid::from(user))
            .bind(number.get())
            .bind(session.map(Uuid::from))
            .bind(limit(NAMED_OTHERS + 1))
            .fetch_optional(db))
    }

    /// Whether the user is in the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn is_in(&self, account: AccountId, user: UserId) -> Result<bool, Failure> {
        read!(self, db => query_scalar(IS_IN)
            .bind(Uuid::from(account))
            .bind(Uuid::from(user))
            .fetch_one(db))
    }

    /// Notes that the user is active in the account that they entered, at most once a minute; and
    /// in which session, where its owners bound how long that may leave it unused.
    pub async fn note_visit(
        &self,
        user: UserId,
        session: SessionId,
        entered: &AccountMembership,
        now: Timestamp,
    ) {
        let (account, stale) = (Uuid::from(entered.account), now.before(NOTED_EVERY));
        let is_stale = |noted: Option<Timestamp>| {
            // Later than now was noted by a clock that ran ahead.
            noted.is_none_or(|noted| noted <= stale || noted > now)
        };
        let active = is_stale(entered.last_active_at);
        let visited = entered.policy.sessions.idle.is_some() && is_stale(entered.visited_at);
        if !active && !visited {
            return;
        }
        let store = self.clone();
        self.note(async move {
            let mut noted = 0;
            if active {
                let text = ACTIVE.at(&store);
                noted += write!(store, db => query(text)
                    .bind(account)
                    .bind(Uuid::from(user))
                    .bind(now.as_micros())
                    .bind(stale.as_micros())
                    .execute(db))?;
            }
            if visited {
                let text = VISITED.at(&store);
                noted += write!(store, db => query(text)
                    .bind(Uuid::from(session))
                    .bind(account)
                    .bind(now.as_micros())
                    .execute(db))?;
            }
            Ok(noted)
        })
        .await;
    }

    /// The accounts that the user reaches, by name, at most `most`. The cursor of a row is what
    /// [`MembershipRow::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn memberships(
        &self,
        user: UserId,
        after: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<MembershipRow>, Failure> {
        self.memberships_found(user, "", after, most, now).await
    }

    /// The same of those whose names hold this text, or whose numbers begin with it. Looked for are the
    /// first 1,000 behind the cursor: nobody has as many.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn memberships_found(
        &self,
        user: UserId,
        search: &str,
        after: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<MembershipRow>, Failure> {
        let search = fold(search.trim());
        let found = self.reached_by(user, &search, after, most).await?;
        let due: Vec<_> = found.iter().filter(|row| is_due(row.owners_due_at, now)).collect();
        for row in &due {
            self.settle_owners(row.id.into(), now).await?;
        }
        let rows = match due.is_empty() {
            true => found,
            false => self.reached_by(user, &search, after, most).await?,
        };
        let row = |row: ReachedRow| MembershipRow {
            account: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            time_zone: row.time_zone,
            held: Held::begun(row.owner),
            last_active_at: row.last_active_at.map(Timestamp::from_micros),
            paused_at: row.paused_at.filter(|_| !row.owner).map(Timestamp::from_micros),
            becoming: row
                .change_id
                .map(|id| (OwnerChangeId::from(id), row.change_due_at.map(Timestamp::from_micros))),
            successor: row.successor,
        };
        let mut rows: Vec<_> = rows.into_iter().map(row).collect();
        let held = rows.iter_mut().map(|row| (row.account, &mut row.held));
        self.fill_accounts(user, held).await?;
        Ok(rows)
    }

    /// The rows of those accounts. What is looked for is folded.
    async fn reached_by(
        &self,
        user: UserId,
        search: &str,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<Vec<ReachedRow>, Failure> {
        let looked_at = if search.is_empty() { most } else { LOOKED_AT };
        let (key, id) =
            after.map_or((String::new(), Uuid::nil()), |after| (plain(&after.key), after.id));
        let mut rows: Vec<ReachedRow> = read!(self, db => query_as(MEMBERSHIPS)
            .bind(Uuid::from(user))
            .bind(&key)
            .bind(id)
            .bind(limit(looked_at))
            .fetch_all(db))?;
        rows.retain(|row| {
            search.is_empty()
                || fold(&row.name).contains(search)
                || row.number.to_string().starts_with(search)
        });
        rows.truncate(most);
        Ok(rows)
    }

    /// Whether the user reaches more than one account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn has_several_accounts(&self, user: UserId) -> Result<bool, Failure> {
        let found: i64 = read!(self, db => query_scalar(COUNT_MEMBERSHIPS)
            .bind(Uuid::from(user))
            .bind(2_i64)
            .fetch_one(db))?;
        Ok(found > 1)
    }

    /// The account that the user was active in last, as far as that is noted.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn last_entered(&self, user: UserId) -> Result<Option<AccountNumber>, Failure> {
        let number: Option<i64> = read!(self, db => query_scalar(LAST_ENTERED)
            .bind(Uuid::from(user))
            .fetch_optional(db))?;
        Ok(number.map(AccountNumber::from_stored))
    }

    /// The account's users who have no second factor, by name, at most `most`. The cursor of a row
    /// is what [`Member::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn users_without_factor(
        &self,
        account: AccountId,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<Vec<Member>, Failure> {
        let (key, id) =
            after.map_or((String::new(), Uuid::nil()), |after| (plain(&after.key), after.id));
        let rows: Vec<MemberRow> = read!(self, db => query_as(WITHOUT_FACTOR_BY_NAME)
            .bind(Uuid::from(account))
            .bind(&key)
            .bind(id)
            .bind(limit(most))
            .fetch_all(db))?;
        self.with_grants(account, rows).await
    }

    /// The users in these rows, with what they hold.
    pub(crate) async fn with_grants(
        &self,
        account: AccountId,
        rows: Vec<MemberRow>,
    ) -> Result<Vec<Member>, Failure> {
        let mut members: Vec<_> = rows.into_iter().map(Member::from).collect();
        let held = members.iter_mut().map(|member| (member.user, &mut member.held));
        self.fill_members(account, held).await?;
        Ok(members)
    }

    /// One user of the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn member(
        &self,
        account: AccountId,
        user: UserId,
    ) -> Result<Option<Member>, Failure> {
        let row: Option<MemberRow> = read!(self, db => query_as(MEMBER)
            .bind(Uuid::from(account))
            .bind(Uuid::from(user))
            .fetch_optional(db))?;
        let rows = row.into_iter().collect();
        Ok(self.with_grants(account, rows).await?.pop())
    }

    /// The account's owners by name, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn owners(&self, account: AccountId, most: usize) -> Result<Vec<Owner>, Failure> {
        let rows: Vec<OwnerRow> = read!(self, db => query_as(OWNERS)
            .bind(Uuid::from(account))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(owner).collect())
    }

    /// How many others than this user own the account and can come in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn other_owners(&self, account: AccountId, user: UserId) -> Result<u32, Failure> {
        let others: i64 = read!(self, db => query_scalar(COUNT_OWNERS_LEFT)
            .bind(Uuid::from(account))
            .bind(Uuid::nil())
            .bind(Uuid::from(user))
            .fetch_one(db))?;
        Ok(count(others))
    }

    /// Changes or ends `target`'s membership: locks the account, reads the facts, asks `decide`,
    /// writes membership, log and mail, or nothing when it answers none. Open requests of the target
    /// that are opened by what they hold then are given. What somebody offered who owns the account no
    /// more comes to nothing; the other owners are told, and they themselves if they stay as a user.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when either of the two isn't in the account,
    /// [`Failure::Unavailable`].
    pub async fn change_membership(
        &self,
        account: AccountId,
        actor: UserId,
        target: UserId,
        now: Timestamp,
        decide: impl FnOnce(&ChangeFacts) -> Result<Option<MembershipChange>, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let facts = change_facts(&mut tx, account, actor, target, now).await?;
        let user = target;

        let Some(change) = decide(&facts)? else { return Ok(()) };
        let name = &facts.by.account_name;
        let gone = match &change.holding {
            Some(Holding::Owner) => None,
            Some(Holding::Granted(_)) => Some(OwnerNews::SteppedDown),
            None => Some(OwnerNews::Left),
        };
        let gone = gone.filter(|_| facts.target.held.is_owner());
        let entry = match change.holding {
            Some(holding) => {
                let owns = matches!(holding, Holding::Owner);
                if gone.is_some() {
                    owner_changes::end_of(&mut tx, account, name, user, now).await?;
                }
                set_owner(&mut tx, account, user, owns).await?;
                let before = facts.holding.grants();
                grants::replace(&mut tx, account, user, before, holding.grants(), now).await?;
                owner_changes::note_due_anew(&mut tx, account).await?;
                access_requests::settle(&mut tx, account, user, &holding, Some(actor), now).await?;
                change.entry
            }
            None => {
                owner_changes::end_of(&mut tx, account, name, user, now).await?;
                let reference = end(&mut tx, account, user, &facts.target.email).await?;
                change.entry.known_as(reference)
            }
        };
        activity::append(&mut tx, account, &entry, now).await?;
        if let Some(news) = gone {
            let Member { full_name, email, .. } = facts.target.clone();
            let person = Owner { full_name, email };
            owner_changes::tell_of_going(&mut tx, account, name, &person, &news, now).await?;
        }
        if let Some(mail) = change.mail {
            outbox::queue(&mut tx, &mail, Some(account), now).await?;
        }
        tx.commit().await
    }

    /// Pauses or resumes `target`'s membership: locks the account, reads the facts, asks `decide`,
    /// writes membership, log and mail, or nothing when it answers none. That a successor who is paused
    /// takes the account over comes to nothing.
    ///
    /// # Errors
    /// As [`Store::change_membership`].
    pub async fn change_pause(
        &self,
        account: AccountId,
        actor: UserId,
        target: UserId,
        now: Timestamp,
        decide: impl FnOnce(&ChangeFacts) -> Result<Option<PauseChange>, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let facts = change_facts(&mut tx, account, actor, target, now).await?;
        let Some(PauseChange { pause, entry, mail }) = decide(&facts)? else { return Ok(()) };
        let (by, why) = match &pause {
            Some(pause) => (Some(Uuid::from(pause.by)), pause.why.as_str()),
            None => (None, ""),
        };
        write!(tx, db => query(PAUSE)
            .bind(Uuid::from(account))
            .bind(Uuid::from(target))
            .bind(pause.as_ref().map(|_| now.as_micros()))
            .bind(by)
            .bind(why)
            .execute(db))?;
        activity::append(&mut tx, account, &entry, now).await?;
        if pause.is_some() {
            let name = &facts.by.account_name;
            owner_changes::end_takeover_of(&mut tx, account, name, target, now).await?;
        }
        outbox::queue(&mut tx, &mail, Some(account), now).await?;
        tx.commit().await
    }

    /// Puts a login straight into an account: for the demo and for tests.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account or user, [`Failure::Conflict`] when the
    /// user is in the account already, [`Failure::Unavailable`].
    pub async fn add_member(
        &self,
        account: AccountId,
        user: UserId,
        access: Access,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        locks::account(&mut tx, account, now).await?;
        join(&mut tx, account, user, &GivenAccess::new(access, ""), None, now).await?;
        tx.commit().await
    }
}

impl MembershipRow {
    /// Since when the user's access is paused, if it is, by this clock.
    #[must_use]
    pub fn paused_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.paused_at.or_else(|| self.held.lapsed_at(now))
    }

    /// Where the page after this row begins.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { key: self.name.to_ascii_lowercase(), id: self.account.into() }
    }
}

impl Member {
    /// Why the user's access opens nothing, if it is paused, by this clock.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Option<Pause> {
        let lapsed = || self.held.lapsed_at(now).map(|since| Pause::Lapsed { since });
        self.paused.clone().or_else(lapsed)
    }

    /// Where the page after this row begins.
    #[must_use]
    pub fn cursor(&self, sort: UserSort) -> Cursor {
        let key = match sort {
            UserSort::Name => self.full_name.to_lowercase(),
            UserSort::LastActive => {
                self.last_active_at.map_or(NEVER, Timestamp::as_micros).to_string()
            }
        };
        Cursor { key, id: self.user.into() }
    }
}

/// Name, address, and the address normalised.
type OwnerRow = (String, String, String);

fn owner((full_name, email, email_key): OwnerRow) -> Owner {
    Owner { full_name, email: EmailAddress::from_stored(email, email_key) }
}

/// Whether a change of who owns an account fell due that nobody settled yet.
pub(crate) fn is_due(owners_due_at: Option<i64>, now: Timestamp) -> bool {
    owners_due_at.is_some_and(|due_at| due_at <= now.as_micros())
}

/// Has somebody own the account, which is locked, or not. Who owns it is nobody's successor.
pub(crate) async fn set_owner(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    owns: bool,
) -> Result<(), Failure> {
    write!(tx, db => query(CHANGE)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .bind(owns)
        .execute(db))?;
    match owns {
        true => successors::remove(tx, account, user).await,
        false => Ok(()),
    }
}

/// Ends somebody's membership of an account that is locked. What others ask for there is none of their
/// business any more. Answers the provider's own id of them there.
pub(crate) async fn end(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    email: &EmailAddress,
) -> Result<Option<DoorRef>, Failure> {
    let ended: Option<Option<String>> = read!(tx, db => query_scalar(END)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    outbox::drop_about(tx, email, MailKind::AccessRequested, account).await?;
    Ok(ended.flatten().map(DoorRef::from_stored))
}

/// Somebody's name and address, in an account that is locked.
pub(crate) async fn person(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
) -> Result<Owner, Failure> {
    let row: Option<OwnerRow> = read!(tx, db => query_as(PERSON)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    row.map(owner).ok_or(Failure::NotFound)
}

/// Every owner of the account, which is locked.
pub(crate) async fn owners(tx: &mut Tx, account: AccountId) -> Result<Vec<Owner>, Failure> {
    let rows: Vec<OwnerRow> = read!(tx, db => query_as(OWNERS)
        .bind(Uuid::from(account))
        .bind(i64::MAX)
        .fetch_all(db))?;
    Ok(rows.into_iter().map(owner).collect())
}

/// Locks the account, and reads what a change to `target`'s membership is decided on.
pub(crate) async fn change_facts(
    tx: &mut Tx,
    account: AccountId,
    actor: UserId,
    target: UserId,
    now: Timestamp,
) -> Result<ChangeFacts, Failure> {
    let by = locked_actor(tx, account, actor, now).await?;
    let row: Option<MemberRow> = read!(tx, db => query_as(MEMBER)
        .bind(Uuid::from(account))
        .bind(Uuid::from(target))
        .fetch_optional(db))?;
    let mut member = Member::from(row.ok_or(Failure::NotFound)?);
    let owner = member.held.is_owner();
    member.held = grants::held(tx, account, target, owner).await?;
    let holding = grants::holding(tx, account, target, owner).await?;
    let other_owners = owners_left(tx, account, None, Some(target)).await?;
    Ok(ChangeFacts { by, target: member, holding, other_owners })
}

/// How many own the account, which is locked, and can come in, once somebody who is in it owns it too,
/// and somebody else no more.
pub(crate) async fn owners_left(
    tx: &mut Tx,
    account: AccountId,
    added: Option<UserId>,
    removed: Option<UserId>,
) -> Result<u32, Failure> {
    let id = |user: Option<UserId>| user.map_or(Uuid::nil(), Uuid::from);
    let left: i64 = read!(tx, db => query_scalar(COUNT_OWNERS_LEFT)
        .bind(Uuid::from(account))
        .bind(id(added))
        .bind(id(removed))
        .fetch_one(db))?;
    Ok(count(left))
}

/// The accounts that somebody owns, all of which are locked, and that no owner can come into.
pub(crate) async fn shut_accounts(tx: &mut Tx, user: UserId) -> Result<Vec<Uuid>, Failure> {
    read!(tx, db => query_scalar(SHUT_ACCOUNTS).bind(Uuid::from(user)).fetch_all(db))
}

/// Locks the account, and reads who asks; nobody who isn't in it learns that it exists.
pub(crate) async fn locked_actor(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    now: Timestamp,
) -> Result<LockedActor, Failure> {
    let account_name = locks::account(tx, account, now).await?;
    let row: Option<(bool, bool, String, String, String)> = read!(tx, db => query_as(ACTOR)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    let (owner, paused, name, email, email_key) = row.ok_or(Failure::NotFound)?;
    let holding = match paused && !owner {
        true => Holding::Granted(Vec::new()),
        false => grants::holding(tx, account, user, owner).await?,
    };
    let actor = Actor { user, account, keys: holding.keys(now), at: now, eyes: None };
    let email = EmailAddress::from_stored(email, email_key);
    Ok(LockedActor { actor, access: holding.access().live(now), name, email, account_name })
}

/// Puts a user into an account that is locked, for a reason that may be empty.
pub(crate) async fn join(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    given: &GivenAccess,
    invited_by: Option<UserId>,
    now: Timestamp,
) -> Result<(), Failure> {
    // Locked, so that a change of name at the same moment finds the new row or is seen here.
    let locked = locks::user(tx, user).await?;
    let ids = (Uuid::from(account), Uuid::from(user));
    let joined = write!(tx, db => query(INSERT_MEMBERSHIP)
        .bind(ids.0)
        .bind(ids.1)
        .bind(given.is_owner())
        .bind(now.as_micros())
        .bind(invited_by.map(Uuid::from))
        .bind(locked.full_name().to_lowercase())
        .execute(db))?;
    if joined == 0 {
        return Err(Failure::Conflict(Conflict::AlreadyInAccount));
    }
    for word in found_by(locked.full_name(), &locked.email()) {
        write!(tx, db => query(INSERT_WORD).bind(ids.0).bind(ids.1).bind(&word).execute(db))?;
    }
    grants::begin(tx, account, user, given, invited_by, now).await
}

/// Gives a user of an account that is locked an id of the provider's, if they have none. It may be free
/// or be that of an invitation, of which nobody else is meant by it then.
pub(crate) async fn set_reference(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    reference: &DoorRef,
) -> Result<(), Failure> {
    invitations::leave_reference(tx, account, reference).await?;
    write!(tx, db => query(SET_REF)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .bind(reference.as_str())
        .execute(db))?;
    Ok(())
}

/// Sorts and finds a user by another name in every account.
pub(crate) async fn rename(
    tx: &mut Tx,
    user: UserId,
    full_name: &str,
    email: &EmailAddress,
) -> Result<(), Failure> {
    let user = Uuid::from(user);
    write!(tx, db => query(RENAME).bind(user).bind(full_name.to_lowercase()).execute(db))?;
    write!(tx, db => query(DROP_WORDS).bind(user).execute(db))?;
    for word in found_by(full_name, email) {
        write!(tx, db => query(INSERT_WORD_EVERYWHERE).bind(user).bind(&word).execute(db))?;
    }
    Ok(())
}
