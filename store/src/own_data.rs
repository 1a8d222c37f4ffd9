//! What is known of one user, for themselves: their login and, a piece at a time, what there can be any
//! number of. Nothing secret, and of others no more than they were told.

use model::{
    AccountNumber, EmailAddress, Failure, InvitationState, PermissionSet, SessionId, Timestamp,
    UserId,
};
use sqlx::query_as;
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{count, limit, read, sql, unreadable};
use crate::grants::{ids_in, list};
use crate::{Store, offered};

/// The names of things that a grant reaches, as JSON.
macro_rules! names {
    (sqlite $things:literal, $of_grant:literal, $id:literal) => {
        concat!(
            "(SELECT json_group_array(t.name) FROM ",
            $of_grant,
            " n JOIN ",
            $things,
            " t ON t.id = n.",
            $id,
            " WHERE n.grant_id = g.id)"
        )
    };
    (postgres $things:literal, $of_grant:literal, $id:literal) => {
        concat!(
            "(SELECT CAST(coalesce(json_agg(t.name), '[]') AS TEXT) FROM ",
            $of_grant,
            " n JOIN ",
            $things,
            " t ON t.id = n.",
            $id,
            " WHERE n.grant_id = g.id)"
        )
    };
}

macro_rules! grants {
    ($db:ident) => {
        concat!(
            "SELECT g.account_id, g.permissions, g.all_services, g.all_domains, ",
            names!($db "services", "grant_services", "service_id"),
            " AS services, ",
            names!($db "domains", "grant_domains", "domain_id"),
            " AS domains, g.until, u.full_name AS given_by, g.given_at \
             FROM grants g LEFT JOIN users u ON u.id = g.given_by \
             WHERE g.user_id = $1 AND g.account_id IN ",
            ids_in!($db "$2"),
            " ORDER BY g.id"
        )
    };
}

/// A thing's name in the account of the membership `m`, where its user sees the thing at the moment $4:
/// it may have another name since they did.
macro_rules! seen_name {
    ($thing:literal, $area:literal, $all:literal, $names:literal, $id:literal) => {
        concat!(
            "CASE WHEN m.owner OR m.paused_at IS NULL AND EXISTS ( \
                 SELECT 1 FROM grants g \
                 WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                     AND (g.until IS NULL OR g.until > $4) \
                     AND (' ' || g.permissions) LIKE '% ",
            $area,
            ".%' AND (g.",
            $all,
            " OR EXISTS (SELECT 1 FROM ",
            $names,
            " n WHERE n.grant_id = g.id AND n.",
            $id,
            " = ",
            $thing,
            ".id))) THEN ",
            $thing,
            ".name END"
        )
    };
}

macro_rules! invitations {
    ($which:literal) => {
        concat!(
            "SELECT i.id, a.number, i.email, u.full_name AS inviter, i.owner, i.permissions, \
                 i.grants, i.until, i.state, i.created_at, i.sent_at, i.expires_at, i.ended_at, i.waits, \
                 i.full_name AS called \
             FROM invitations i JOIN accounts a ON a.id = i.account_id \
                 LEFT JOIN users u ON u.id = i.inviter_id \
             WHERE ",
            $which,
            " AND i.id > $2 ORDER BY i.id LIMIT $3"
        )
    };
}

sql! {
    LOGIN = "SELECT email, email_proven, full_name, language, time_zone, created_at \
             FROM users WHERE id = $1";
    APP = "SELECT since, last_used_at FROM authenticator_apps WHERE user_id = $1";
    CODES = "SELECT count(*), count(used_at) FROM recovery_codes WHERE user_id = $1";
    PASSKEYS = "SELECT name, since, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY id";
    IDENTITIES = "SELECT i.issuer, i.subject, i.email, a.number, i.since, i.last_used_at \
                  FROM identities i LEFT JOIN accounts a ON a.id = i.account_id \
                  WHERE i.user_id = $1 ORDER BY i.id";
    EMAIL_CHANGES = "SELECT old_email, new_email, asked_at, done_at FROM email_changes \
                     WHERE user_id = $1 AND old_email_key <> new_email_key ORDER BY asked_at";
    BROWSERS = "SELECT count(*), max(last_seen_at) FROM devices WHERE user_id = $1";
    NETWORKS = "SELECT count(*), max(last_at) FROM known_networks WHERE user_id = $1";
    SESSIONS = "SELECT id, created_at, last_seen_at, authenticated_at, second_factor, address, \
                    user_agent \
                FROM sessions WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    ACCOUNTS = "SELECT a.id, a.number, a.name, m.owner, m.since, i.full_name AS invited_by, \
                    m.last_active_at, m.paused_at, b.full_name AS paused_by, m.paused_why, \
                    m.bound_domain, m.ref AS reference, s.user_id IS NOT NULL AS successor \
                FROM memberships m JOIN accounts a ON a.id = m.account_id \
                    LEFT JOIN successors s ON s.account_id = m.account_id \
                        AND s.user_id = m.user_id \
                    LEFT JOIN users i ON i.id = m.invited_by \
                    LEFT JOIN users b ON b.id = m.paused_by \
                WHERE m.user_id = $1 AND m.account_id > $2 ORDER BY m.account_id LIMIT $3";
    GRANTS = grants!(sqlite), on Postgres grants!(postgres);
    RECEIVED = invitations!("i.email_key = $1");
    SENT = invitations!("i.inviter_id = $1");
    REQUESTS = concat!(
        "SELECT r.id, a.number, r.permission, coalesce(",
        seen_name!("s", "services", "all_services", "grant_services", "service_id"),
        ", ",
        seen_name!("d", "domains", "all_domains", "grant_domains", "domain_id"),
        ") AS thing, r.until, r.why, r.state, r.words, r.asked_at, r.answered_at, \
             b.full_name AS answered_by \
         FROM memberships m JOIN access_requests r \
                 ON r.account_id = m.account_id AND r.user_id = m.user_id \
             JOIN accounts a ON a.id = m.account_id \
             LEFT JOIN services s ON s.id = r.service_id \
             LEFT JOIN domains d ON d.id = r.domain_id \
             LEFT JOIN users b ON b.id = r.answered_by \
         WHERE m.user_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3"
    );
    /// Those about them, and those that they made.
    OWNER_CHANGES = "SELECT c.id, a.number, c.kind, c.state, c.user_id = $1 AS about_them, \
                         c.made_by_name, c.asked_at, c.accepted_at, c.due_at, c.over_at \
                     FROM owner_changes c JOIN accounts a ON a.id = c.account_id \
                     WHERE (c.user_id = $1 OR c.made_by = $1) AND c.id > $2 \
                     ORDER BY c.id LIMIT $3";
    MAILS = "SELECT id, kind, state, queued_at, ended_at FROM outbox \
             WHERE email_key = $1 AND id > $2 ORDER BY id LIMIT $3";
    REPORTS = "SELECT r.id, r.at, a.number, r.inviter_name, r.lifted_at \
               FROM reports r JOIN accounts a ON a.id = r.account_id \
               WHERE r.email_key = $1 AND r.id > $2 ORDER BY r.id LIMIT $3";
    LOG = "SELECT l.id, l.at, a.number, l.kind, l.address \
           FROM activity l JOIN accounts a ON a.id = l.account_id \
           WHERE l.actor_id = $1 AND l.id > $2 ORDER BY l.id LIMIT $3";
}

/// A user's login: what there is little of.
#[derive(Clone, Debug)]
pub struct OwnLogin {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Whether mail to it is known to reach them.
    pub email_proven: bool,
    /// Their name.
    pub full_name: String,
    /// Their language's tag, if they chose one.
    pub language: Option<String>,
    /// The time zone that they are told times in, if they chose one.
    pub time_zone: Option<String>,
    /// When the login was made.
    pub created_at: Timestamp,
    /// Changes of the address that are asked for, or can be taken back.
    pub email_changes: Vec<OwnEmailChange>,
    /// The authenticator app.
    pub app: Option<OwnFactor>,
    /// The passkeys.
    pub passkeys: Vec<OwnFactor>,
    /// How many recovery codes were made last, and how many of them are used.
    pub codes: (u32, u32),
    /// The identities that open the login.
    pub identities: Vec<OwnIdentity>,
    /// How many browsers the login is known on, and when it was last used on one of them.
    pub browsers: (u32, Option<Timestamp>),
    /// The same of networks.
    pub networks: (u32, Option<Timestamp>),
}

/// A change of a login's address.
#[derive(Clone, Debug)]
pub struct OwnEmailChange {
    /// The address before.
    pub before: String,
    /// The address after.
    pub after: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was done, if it is.
    pub done_at: Option<Timestamp>,
}

/// A second factor.
#[derive(Clone, Debug)]
pub struct OwnFactor {
    /// A passkey's name; empty for an app.
    pub name: String,
    /// Since when it is there.
    pub since: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// An identity that opens the login.
#[derive(Clone, Debug)]
pub struct OwnIdentity {
    /// Whose it is to say who somebody is.
    pub issuer: String,
    /// Whom they say it is.
    pub subject: String,
    /// The address that it was linked by.
    pub email: String,
    /// The account whose own provider it is; none for one of the operator's.
    pub account: Option<AccountNumber>,
    /// Since when it is linked.
    pub since: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When its user last proved who they are.
    pub authenticated_at: Timestamp,
    /// Whether that was by a second factor.
    pub second_factor: bool,
    /// The client's address.
    pub address: String,
    /// What the browser calls itself.
    pub user_agent: String,
}

/// A membership.
#[derive(Clone, Debug)]
pub struct OwnAccount {
    id: Uuid,
    /// The account's number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// Whether the user owns it.
    pub owner: bool,
    /// Whether they may take it over if none of its owners can be reached.
    pub successor: bool,
    /// Since when they are in it.
    pub since: Timestamp,
    /// Who invited them, by name, if that is known.
    pub invited_by: Option<String>,
    /// When they were last active there.
    pub last_active_at: Option<Timestamp>,
    /// Since when their access is paused, if somebody paused it.
    pub paused_at: Option<Timestamp>,
    /// Who paused it, by name, if that is known.
    pub paused_by: Option<String>,
    /// Why; empty if nobody said.
    pub paused_why: String,
    /// The domain whose single sign-on is required of them, though their address is another now.
    pub bound_domain: Option<String>,
    /// The provider's own id of them there, if it has one.
    pub reference: Option<String>,
    /// What they were given.
    pub grants: Vec<OwnGrant>,
}

/// A grant. Why it was given is between those who give.
#[derive(Clone, Debug)]
pub struct OwnGrant {
    /// What it opens.
    pub permissions: PermissionSet,
    /// The services that it reaches.
    pub services: OwnReach,
    /// The domains that it reaches.
    pub domains: OwnReach,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// Who gave it, by name, if that is known.
    pub given_by: Option<String>,
    /// When.
    pub given_at: Timestamp,
}

/// What a grant reaches, as its user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnReach {
    /// All, also those to come.
    All,
    /// Things by name.
    These(Vec<String>),
    /// So many things, whose names of today aren't for somebody to whom the grant opens nothing.
    Closed(usize),
}

/// An invitation to the user's address, or by them.
#[derive(Clone, Debug)]
pub struct OwnInvitation {
    id: Uuid,
    /// The account's number.
    pub account: AccountNumber,
    /// The invited address.
    pub email: String,
    /// Who invites, by name, if that is known.
    pub inviter: Option<String>,
    /// Whether the account's ownership is offered.
    pub owner: bool,
    /// What is offered otherwise, by all grants together.
    pub permissions: PermissionSet,
    /// Until when the last of that would be given.
    pub until: Option<Timestamp>,
    /// Where it stands.
    pub state: InvitationState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its mail was last sent out; none if it waits without one.
    pub sent_at: Option<Timestamp>,
    /// Until when it can be accepted; none if it waits without an end.
    pub expires_at: Option<Timestamp>,
    /// What the provider calls whoever is invited; empty if it doesn't say.
    pub called: String,
    /// When it was answered or taken back.
    pub ended_at: Option<Timestamp>,
}

/// Something that the user asked for in an account.
#[derive(Clone, Debug)]
pub struct OwnRequest {
    id: Uuid,
    /// The account's number.
    pub account: AccountNumber,
    /// The permission's id.
    pub permission: String,
    /// On which service or domain, by name; none for all, and for one that they don't see any more.
    pub thing: Option<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: String,
    /// How it stands, by its id.
    pub state: String,
    /// What was said to it; empty if nothing.
    pub words: String,
    /// When they asked.
    pub asked_at: Timestamp,
    /// When it was answered or withdrawn.
    pub answered_at: Option<Timestamp>,
    /// Who did that, by name, if it is known.
    pub answered_by: Option<String>,
}

/// A change of who owns an account: one about the user, or one that they made.
#[derive(Clone, Debug)]
pub struct OwnOwnerChange {
    id: Uuid,
    /// The account's number.
    pub account: AccountNumber,
    /// How, by its kind's id.
    pub kind: String,
    /// How it stands, by its id.
    pub state: String,
    /// Whether it is the user who becomes an owner.
    pub about_them: bool,
    /// Who made it, as they were called then.
    pub made_by: String,
    /// When it was offered.
    pub asked_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it comes true, once it was accepted.
    pub due_at: Option<Timestamp>,
    /// When it came true or ended.
    pub over_at: Option<Timestamp>,
}

/// A mail to the user's address.
#[derive(Clone, Debug)]
pub struct OwnMail {
    id: Uuid,
    /// Which mail it is, by its id.
    pub kind: String,
    /// Whether it is out.
    pub state: String,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When that was settled.
    pub ended_at: Option<Timestamp>,
}

/// An account that the user reported as they were invited to it.
#[derive(Clone, Debug)]
pub struct OwnReport {
    id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The account's number.
    pub account: AccountNumber,
    /// The name of who invited them.
    pub inviter: String,
    /// Since when the account may invite them again.
    pub lifted_at: Option<Timestamp>,
}

/// A row of a log that tells what the user did.
#[derive(Clone, Debug)]
pub struct OwnActivity {
    id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The account's number.
    pub account: AccountNumber,
    /// What, by its id.
    pub kind: String,
    /// The client's address.
    pub address: String,
}

/// Where the next piece of a list begins, behind a row of it.
pub trait Placed {
    /// The row's place.
    fn place(&self) -> Uuid;
}

impl Placed for OwnSession {
    fn place(&self) -> Uuid {
        self.id.into()
    }
}

macro_rules! placed {
    ($($row:ident),*) => {
        $(impl Placed for $row {
            fn place(&self) -> Uuid {
                self.id
            }
        })*
    };
}

placed!(OwnAccount, OwnInvitation, OwnRequest, OwnOwnerChange, OwnMail, OwnReport, OwnActivity);

fn moment(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    number: i64,
    name: String,
    owner: bool,
    since: i64,
    invited_by: Option<String>,
    last_active_at: Option<i64>,
    paused_at: Option<i64>,
    paused_by: Option<String>,
    paused_why: String,
    bound_domain: Option<String>,
    reference: Option<String>,
    successor: bool,
}

#[derive(FromRow)]
struct GrantRow {
    account_id: Uuid,
    permissions: String,
    all_services: bool,
    all_domains: bool,
    services: String,
    domains: String,
    until: Option<i64>,
    given_by: Option<String>,
    given_at: i64,
}

impl GrantRow {
    /// The grant as its user is told it at this moment, whose access is paused or not.
    fn read(self, paused: bool, now: Timestamp) -> Result<OwnGrant, Failure> {
        let closed = paused || self.until.is_some_and(|until| at(until) <= now);
        let reach = |all: bool, names: &str| -> Result<OwnReach, Failure> {
            if all {
                return Ok(OwnReach::All);
            }
            let names: Vec<String> = serde_json::from_str(names).map_err(unreadable)?;
            Ok(if closed { OwnReach::Closed(names.len()) } else { OwnReach::These(names) })
        };
        Ok(OwnGrant {
            permissions: PermissionSet::from_stored(&self.permissions),
            services: reach(self.all_services, &self.services)?,
            domains: reach(self.all_domains, &self.domains)?,
            until: moment(self.until),
            given_by: self.given_by,
            given_at: at(self.given_at),
        })
    }
}

#[derive(FromRow)]
struct InvitationRow {
    id: Uuid,
    number: i64,
    email: String,
    inviter: Option<String>,
    owner: bool,
    permissions: String,
    grants: String,
    until: Option<i64>,
    state: String,
    created_at: i64,
    sent_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    waits: bool,
    called: String,
}

impl InvitationRow {
    fn read(self, now: Timestamp) -> OwnInvitation {
        OwnInvitation {
            id: self.id,
            account: AccountNumber::from_stored(self.number),
            email: self.email,
            inviter: self.inviter,
            owner: self.owner,
            permissions: offered::permissions(&self.permissions, &self.grants),
            until: moment(self.until),
            state: match self.state.as_str() {
                "pending" if self.waits || at(self.expires_at) > now => InvitationState::Pending,
                "pending" => InvitationState::Expired,
                "accepted" => InvitationState::Accepted,
                "declined" => InvitationState::Declined,
                _ => InvitationState::Cancelled,
            },
            created_at: at(self.created_at),
            sent_at: (!self.waits).then(|| at(self.sent_at)),
            expires_at: (!self.waits).then(|| at(self.expires_at)),
            called: self.called,
            ended_at: moment(self.ended_at),
        }
    }
}

#[derive(FromRow)]
struct RequestRow {
    id: Uuid,
    number: i64,
    permission: String,
    thing: Option<String>,
    until: Option<i64>,
    why: String,
    state: String,
    words: String,
    asked_at: i64,
    answered_at: Option<i64>,
    answered_by: Option<String>,
}

#[derive(FromRow)]
struct OwnerChangeRow {
    id: Uuid,
    number: i64,
    kind: String,
    state: String,
    about_them: bool,
    made_by_name: String,
    asked_at: i64,
    accepted_at: Option<i64>,
    due_at: Option<i64>,
    over_at: Option<i64>,
}

type LoginRow = (String, bool, String, Option<String>, Option<String>, i64);
type SessionRow = (Uuid, i64, i64, i64, bool, String, String);
type IdentityRow = (String, String, String, Option<i64>, i64, Option<i64>);
type MailRow = (Uuid, String, String, i64, Option<i64>);
type ReportRow = (Uuid, i64, i64, String, Option<i64>);
type ActivityRow = (Uuid, i64, i64, String, String);

impl Store {
    /// The user's login, as far as there is little of it.
    ///
    /// # Errors
    /// [`Failure::SignedOut`] when it is gone; [`Failure::Unavailable`].
    pub async fn own_login(&self, user: UserId) -> Result<OwnLogin, Failure> {
        let id = Uuid::from(user);
        let row: Option<LoginRow> = read!(self, db => query_as(LOGIN).bind(id).fetch_optional(db))?;
        let (email, email_proven, full_name, language, time_zone, created_at) =
            row.ok_or(Failure::SignedOut)?;
        let app: Option<(i64, Option<i64>)> =
            read!(self, db => query_as(APP).bind(id).fetch_optional(db))?;
        let (codes, used): (i64, i64) = read!(self, db => query_as(CODES).bind(id).fetch_one(db))?;
        let passkeys: Vec<(String, i64, Option<i64>)> =
            read!(self, db => query_as(PASSKEYS).bind(id).fetch_all(db))?;
        let identities: Vec<IdentityRow> =
            read!(self, db => query_as(IDENTITIES).bind(id).fetch_all(db))?;
        let changes: Vec<(String, String, i64, Option<i64>)> =
            read!(self, db => query_as(EMAIL_CHANGES).bind(id).fetch_all(db))?;
        let browsers: (i64, Option<i64>) =
            read!(self, db => query_as(BROWSERS).bind(id).fetch_one(db))?;
        let networks: (i64, Option<i64>) =
            read!(self, db => query_as(NETWORKS).bind(id).fetch_one(db))?;
        let factor = |(name, since, last_used_at)| OwnFactor {
            name,
            since: at(since),
            last_used_at: moment(last_used_at),
        };
        let identity = |(issuer, subject, email, number, since, last_used_at): IdentityRow| {
            let account = number.map(AccountNumber::from_stored);
            let last_used_at = moment(last_used_at);
            OwnIdentity { issuer, subject, email, account, since: at(since), last_used_at }
        };
        let change = |(before, after, asked_at, done_at)| OwnEmailChange {
            before,
            after,
            asked_at: at(asked_at),
            done_at: moment(done_at),
        };
        Ok(OwnLogin {
            user,
            email,
            email_proven,
            full_name,
            language,
            time_zone,
            created_at: at(created_at),
            email_changes: changes.into_iter().map(change).collect(),
            app: app.map(|(since, last_used_at)| factor((String::new(), since, last_used_at))),
            passkeys: passkeys.into_iter().map(factor).collect(),
            codes: (count(codes), count(used)),
            identities: identities.into_iter().map(identity).collect(),
            browsers: (count(browsers.0), moment(browsers.1)),
            networks: (count(networks.0), moment(networks.1)),
        })
    }

    /// The user's sessions behind this place, at most `most`; so with the lists below.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn own_sessions(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<OwnSession>, Failure> {
        let rows: Vec<SessionRow> = read!(self, db => query_as(SESSIONS)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let session = |row: SessionRow| {
            let (id, created_at, last_seen_at, authenticated_at, second_factor, address, browser) =
                row;
            OwnSession {
                id: id.into(),
                created_at: at(created_at),
                last_seen_at: at(last_seen_at),
                authenticated_at: at(authenticated_at),
                second_factor,
                address,
                user_agent: browser,
            }
        };
        Ok(rows.into_iter().map(session).collect())
    }

    /// The accounts that the user is in, with what they were given there, and as they own them by now. What
    /// opens nothing to them at this moment names nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn own_accounts(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<OwnAccount>, Failure> {
        self.settle_due_owners_of(user, now).await?;
        let rows: Vec<AccountRow> = read!(self, db => query_as(ACCOUNTS)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let (text, ids) = (GRANTS.at(self), list(rows.iter().map(|row| row.id)));
        let grants: Vec<GrantRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(user))
            .bind(&ids)
            .fetch_all(db))?;
        let account = |row: AccountRow| OwnAccount {
            id: row.id,
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            owner: row.owner,
            successor: row.successor,
            since: at(row.since),
            invited_by: row.invited_by,
            last_active_at: moment(row.last_active_at),
            paused_at: moment(row.paused_at),
            paused_by: row.paused_by,
            paused_why: row.paused_why,
            bound_domain: row.bound_domain,
            reference: row.reference,
            grants: Vec::new(),
        };
        let mut accounts: Vec<_> = rows.into_iter().map(account).collect();
        for grant in grants {
            let of = accounts.iter_mut().find(|account| account.id == grant.account_id);
            if let Some(account) = of {
                account.grants.push(grant.read(account.paused_at.is_some(), now)?);
            }
        }
        Ok(accounts)
    }

    /// The invitations to this address.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn invitations_received(
        &self,
        email: &EmailAddress,
        after: Uuid,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<OwnInvitation>, Failure> {
        let rows: Vec<InvitationRow> = read!(self, db => query_as(RECEIVED)
            .bind(email.key())
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(|row| row.read(now)).collect())
    }

    /// The invitations by the user.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn invitations_sent(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<OwnInvitation>, Failure> {
        let rows: Vec<InvitationRow> = read!(self, db => query_as(SENT)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(|row| row.read(now)).collect())
    }

    /// What the user asked for in accounts. Things that they don't see at this moment aren't named.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn own_requests(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<OwnRequest>, Failure> {
        let rows: Vec<RequestRow> = read!(self, db => query_as(REQUESTS)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .bind(now.as_micros())
            .fetch_all(db))?;
        let request = |row: RequestRow| OwnRequest {
            id: row.id,
            account: AccountNumber::from_stored(row.number),
            permission: row.permission,
            thing: row.thing,
            until: moment(row.until),
            why: row.why,
            state: row.state,
            words: row.words,
            asked_at: at(row.asked_at),
            answered_at: moment(row.answered_at),
            answered_by: row.answered_by,
        };
        Ok(rows.into_iter().map(request).collect())
    }

    /// The changes of who owns an account that are about the user, or that they made.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn own_owner_changes(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<OwnOwnerChange>, Failure> {
        let rows: Vec<OwnerChangeRow> = read!(self, db => query_as(OWNER_CHANGES)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let change = |row: OwnerChangeRow| OwnOwnerChange {
            id: row.id,
            account: AccountNumber::from_stored(row.number),
            kind: row.kind,
            state: row.state,
            about_them: row.about_them,
            made_by: row.made_by_name,
            asked_at: at(row.asked_at),
            accepted_at: moment(row.accepted_at),
            due_at: moment(row.due_at),
            over_at: moment(row.over_at),
        };
        Ok(rows.into_iter().map(change).collect())
    }

    /// The mails to this address.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn mails_to(
        &self,
        email: &EmailAddress,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<OwnMail>, Failure> {
        let rows: Vec<MailRow> = read!(self, db => query_as(MAILS)
            .bind(email.key())
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let mail = |(id, kind, state, queued_at, ended_at): MailRow| {
            let (queued_at, ended_at) = (at(queued_at), moment(ended_at));
            OwnMail { id, kind, state, queued_at, ended_at }
        };
        Ok(rows.into_iter().map(mail).collect())
    }

    /// What was reported by whoever has this address.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reports_by(
        &self,
        email: &EmailAddress,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<OwnReport>, Failure> {
        let rows: Vec<ReportRow> = read!(self, db => query_as(REPORTS)
            .bind(email.key())
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let report = |(id, when, number, inviter, lifted_at): ReportRow| {
            let account = AccountNumber::from_stored(number);
            OwnReport { id, at: at(when), account, inviter, lifted_at: moment(lifted_at) }
        };
        Ok(rows.into_iter().map(report).collect())
    }

    /// What accounts' logs tell that the user did.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn own_activity(
        &self,
        user: UserId,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<OwnActivity>, Failure> {
        let rows: Vec<ActivityRow> = read!(self, db => query_as(LOG)
            .bind(Uuid::from(user))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        let activity = |(id, when, number, kind, address): ActivityRow| {
            let account = AccountNumber::from_stored(number);
            OwnActivity { id, at: at(when), account, kind, address }
        };
        Ok(rows.into_iter().map(activity).collect())
    }
}
