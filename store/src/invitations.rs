//! Invitations and their tokens. Old tokens stay known, so that an old link can say what happened.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use model::{
    Access, AccountId, AccountNumber, Conflict, Cursor, Delivery, DoorRef, EmailAddress,
    EmailDomains, Failure, GivenAccess, InvitationId, InvitationState, Language, Noted, Terms,
    Timestamp, UserId,
};

use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Differing, Tx, limit, new_id, read, sql, write};
use crate::grants::{self, Grant, Holding, name, named};
use crate::memberships::is_due;
use crate::offered::{OfferedColumns, OfferedRow};
use crate::{
    Behind, Bound, JoiningOwner, LockedActor, NewActivity, NewMail, NewReport, NewSession, NewUser,
    Store, TokenHash, activity, emails, limits, locks, memberships, outbox, owner_changes,
    policies, reports, sessions, users,
};

/// No setting lets an invitation be open for longer, which works until the end of its last day: one that
/// would be was sent by a clock that ran ahead, and is over. An hour may lie between two clocks, and
/// another one more be in a day.
pub(crate) const LONGEST: Duration = Duration::from_secs((91 * 24 + 2) * 60 * 60);

/// What an [`InvitationRow`] reads, of invitations as `i`; then the tail of the statement.
macro_rules! invitation {
    ($db:ident $tail:expr) => {
        concat!(
            "SELECT i.id, i.email, i.email_key, i.owner, i.as_owner, i.permissions, \
                 i.all_services, i.all_domains, ",
            named!($db "n.service_id", "invitation_services", "invitation_id", "i.id"),
            " AS services, ",
            named!($db "n.domain_id", "invitation_domains", "invitation_id", "i.id"),
            " AS domains, i.until, i.why, i.grants, i.inviter_id, i.state, i.sent_at, i.expires_at, i.waits, \
                 i.ref AS reference, i.full_name AS called",
            $tail
        )
    };
}

macro_rules! pending_of {
    ($db:ident) => {
        invitation!(
            $db " FROM invitations i \
                 WHERE i.account_id = $1 AND i.email_key = $2 AND i.state = 'pending'"
        )
    };
}

macro_rules! pending_by_ref {
    ($db:ident) => {
        invitation!(
            $db " FROM invitations i \
                 WHERE i.account_id = $1 AND i.ref = $2 AND i.state = 'pending'"
        )
    };
}

macro_rules! waiting {
    ($db:ident) => {
        invitation!(
            $db ", i.changed FROM invitations i \
             WHERE i.account_id = $1 AND i.state = 'pending' AND i.waits \
                 AND (i.changed, i.id) > ($2, $3) \
                 AND NOT EXISTS (SELECT 1 FROM users u JOIN memberships m ON m.user_id = u.id \
                                 WHERE u.email_key = i.email_key AND m.account_id = $1) \
             ORDER BY i.changed, i.id LIMIT $4"
        )
    };
}

macro_rules! waiting_for {
    ($db:ident) => {
        invitation!(
            $db ", a.id AS account_id, a.number AS account_number, a.name AS account_name \
             FROM invitations i JOIN accounts a ON a.id = i.account_id \
             WHERE i.email_key = $1 AND i.state = 'pending' AND i.waits \
                 AND (i.until IS NULL OR i.until > $2) \
             ORDER BY i.id LIMIT $3"
        )
    };
}

macro_rules! by_id {
    ($db:ident) => {
        invitation!($db " FROM invitations i WHERE i.account_id = $1 AND i.id = $2")
    };
}

macro_rules! pending {
    ($db:ident) => {
        invitation!(
            $db ", u.full_name AS inviter_name, m.owner AS inviter_owner, \
                 o.state AS mail_state, o.answer AS mail_answer \
             FROM invitations i LEFT JOIN users u ON u.id = i.inviter_id \
                 LEFT JOIN memberships m \
                     ON m.account_id = i.account_id AND m.user_id = i.inviter_id \
                         AND (m.owner OR m.paused_at IS NULL) \
                 LEFT JOIN outbox o ON o.id = (SELECT x.id FROM outbox x \
                                               WHERE x.invitation_id = i.id \
                                               ORDER BY x.id DESC LIMIT 1) \
             WHERE i.account_id = $1 AND i.state = 'pending' AND i.id < $2 \
             ORDER BY i.id DESC LIMIT $3"
        )
    };
}

macro_rules! newest_of {
    ($db:ident) => {
        invitation!(
            $db ", i.ended_at, u.full_name AS inviter_name, o.state AS mail_state, \
                 o.answer AS mail_answer, o.due_at AS mail_due_at, o.ended_at AS mail_ended_at, \
                 o.language AS mail_language \
             FROM invitations i LEFT JOIN users u ON u.id = i.inviter_id \
                 LEFT JOIN outbox o ON o.id = (SELECT x.id FROM outbox x \
                                               WHERE x.invitation_id = i.id \
                                               ORDER BY x.id DESC LIMIT 1) \
             WHERE i.account_id = $1 AND i.email_key = $2 \
             ORDER BY i.id DESC LIMIT 1"
        )
    };
}

macro_rules! open_of {
    ($db:ident) => {
        invitation!(
            $db ", i.account_id FROM invitations i \
             WHERE i.state = 'pending' AND (i.inviter_id = $1 OR i.email_key = $2) ORDER BY i.id"
        )
    };
}

macro_rules! opened {
    ($db:ident) => {
        invitation!(
            $db ", a.id AS account_id, a.number AS account_number, a.name AS account_name, \
                 a.owners_due_at, \
                 u.full_name AS inviter_name, u.email AS inviter_email, \
                 u.email_key AS inviter_email_key, m.owner AS inviter_owner, \
                 i.current_token_hash <> coalesce(t.copy_of, t.token_hash) AS replaced, \
                 t.copy_of IS NULL AS by_mail, t.expires_at AS link_until, \
                 (SELECT max(h.undo_until) FROM email_changes h \
                  WHERE h.old_email_key = i.email_key) AS held_until, \
                 l.id AS login_id, l.full_name AS login_name, \
                 lm.user_id IS NOT NULL AS in_account, p.domains AS email_domains \
             FROM invitation_tokens t JOIN invitations i ON i.id = t.invitation_id \
                 JOIN accounts a ON a.id = i.account_id \
                 LEFT JOIN users u ON u.id = i.inviter_id \
                 LEFT JOIN memberships m \
                     ON m.account_id = i.account_id AND m.user_id = i.inviter_id \
                         AND (m.owner OR m.paused_at IS NULL) \
                 LEFT JOIN users l ON l.email_key = i.email_key \
                 LEFT JOIN memberships lm \
                     ON lm.account_id = i.account_id AND lm.user_id = l.id \
                 LEFT JOIN account_policies p ON p.account_id = i.account_id \
             WHERE t.token_hash = $1"
        )
    };
}

macro_rules! member_at {
    () => {
        "SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id \
         WHERE m.account_id = $1 AND u.email_key = $2"
    };
}

sql! {
    MEMBER_AT = member_at!();
    INVITEE = concat!(
        "SELECT (",
        member_at!(),
        "), ",
        reports::is_reported!(),
        ", (SELECT domains FROM account_policies WHERE account_id = $1)"
    );
    PENDING_OF = pending_of!(sqlite), on Postgres pending_of!(postgres);
    INVITATION = by_id!(sqlite), on Postgres by_id!(postgres);
    INSERT_INVITATION = "INSERT INTO invitations \
                             (id, account_id, email, email_key, owner, permissions, \
                              all_services, all_domains, until, why, inviter_id, state, sent_at, \
                              expires_at, current_token_hash, created_at, as_owner, grants) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'pending', $12, \
                                 $13, $14, $12, $15, $16)";
    RENEW = "UPDATE invitations \
             SET owner = $2, permissions = $3, all_services = $4, all_domains = $5, until = $6, \
                 why = $7, inviter_id = $8, sent_at = $9, expires_at = $10, \
                 current_token_hash = $11, as_owner = $12, grants = $13, expiry_noted = FALSE, \
                 waits = FALSE \
             WHERE id = $1 AND state = 'pending'";
    /// A link that somebody asked for stays: nobody else has it.
    RENEW_WAITING = "UPDATE invitations \
                     SET owner = $2, permissions = $3, all_services = $4, all_domains = $5, \
                         until = $6, why = $7, inviter_id = NULL, sent_at = $8, expires_at = $8, \
                         current_token_hash = CASE WHEN waits THEN current_token_hash ELSE $9 END, \
                         as_owner = FALSE, grants = $10, expiry_noted = TRUE, waits = TRUE \
                     WHERE id = $1 AND state = 'pending'";
    SET_WAITING = "UPDATE invitations SET waits = TRUE, expiry_noted = TRUE \
                   WHERE id = $1 AND state = 'pending'";
    CALL = "UPDATE invitations SET ref = coalesce(ref, $2), full_name = $3 \
            WHERE id = $1 AND state = 'pending'";
    SET_REF = "UPDATE invitations SET ref = $2 WHERE id = $1 AND state = 'pending'";
    /// Whoever has somebody's address has their ref.
    LEAVE_REF = "UPDATE invitations SET ref = NULL \
                 WHERE account_id = $1 AND ref = $2 AND state = 'pending'";
    PENDING_BY_REF = pending_by_ref!(sqlite), on Postgres pending_by_ref!(postgres);
    WAITING = waiting!(sqlite), on Postgres waiting!(postgres);
    WAITING_FOR = waiting_for!(sqlite), on Postgres waiting_for!(postgres);
    LINK = "UPDATE invitations SET current_token_hash = $2 \
            WHERE id = $1 AND state = 'pending' AND waits RETURNING id";
    END_LINKS = "UPDATE invitation_tokens SET expires_at = $2 \
                 WHERE invitation_id = $1 AND expires_at > $2";
    INSERT_LINK = "INSERT INTO invitation_tokens \
                       (token_hash, invitation_id, issued_at, expires_at) \
                   VALUES ($1, $2, $3, $4)";
    FORGET_SERVICES = "DELETE FROM invitation_services WHERE invitation_id = $1";
    FORGET_DOMAINS = "DELETE FROM invitation_domains WHERE invitation_id = $1";
    NAME_SERVICES = name!(sqlite "invitation_services", "services"),
        on Postgres name!(postgres "invitation_services", "services");
    NAME_DOMAINS = name!(sqlite "invitation_domains", "domains"),
        on Postgres name!(postgres "invitation_domains", "domains");
    INSERT_TOKEN = "INSERT INTO invitation_tokens (token_hash, invitation_id, issued_at, copy_of) \
                    VALUES ($1, $2, $3, NULL)";
    /// The mail's and that of a copy.
    INSERT_TOKENS = "INSERT INTO invitation_tokens (token_hash, invitation_id, issued_at, copy_of) \
                     VALUES ($1, $2, $3, NULL), ($4, $2, $3, $1)";
    END = "UPDATE invitations SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'pending'";
    PENDING = pending!(sqlite), on Postgres pending!(postgres);
    NEWEST_OF = newest_of!(sqlite), on Postgres newest_of!(postgres);
    INVITING = "SELECT a.id, a.number, a.name FROM invitations i JOIN accounts a ON a.id = i.account_id \
                WHERE i.email_key = $1 AND i.state = 'pending' ORDER BY a.number LIMIT $2";
    OPEN_OF = open_of!(sqlite), on Postgres open_of!(postgres);
    FORGET_INVITED = "UPDATE invitations \
                      SET email = '', email_key = '', why = '', grants = '', full_name = '', \
                          ref = NULL \
                      WHERE email_key = $1 AND state <> 'pending'";
    FORGET_INVITER = "UPDATE invitations SET inviter_id = NULL \
                      WHERE inviter_id = $1 AND state <> 'pending'";
    ACCOUNT_OF = "SELECT i.account_id \
                  FROM invitation_tokens t JOIN invitations i ON i.id = t.invitation_id \
                  WHERE t.token_hash = $1";
    OPENED = opened!(sqlite), on Postgres opened!(postgres);
}

/// An invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The invited address.
    pub email: EmailAddress,
    /// What is offered: one grant, or several by the provider.
    pub offered: GivenAccess,
    /// Whether whoever joins becomes an owner besides, once they have waited.
    pub as_owner: bool,
    /// Who invites; none for the provider.
    pub inviter: Option<UserId>,
    /// Where it stands; [`InvitationState::Expired`] when it is pending and its time ran out.
    pub state: InvitationState,
    /// When its mail was last sent out; of one that waits, when it was offered.
    pub sent_at: Timestamp,
    /// Until when it can be accepted; of one that waits it says nothing.
    pub expires_at: Timestamp,
    /// Whether it waits, without an end, for somebody who comes by themselves: no mail told them of it.
    pub waits: bool,
    /// The provider's own id of whoever is invited, if there is one.
    pub reference: Option<DoorRef>,
    /// What the provider calls them; empty if it doesn't say.
    pub full_name: String,
}

/// What a row of the log notes of it.
impl From<&Invitation> for Noted {
    fn from(invitation: &Invitation) -> Self {
        match invitation.as_owner {
            true => Self::Owner,
            false => Self::from(&invitation.offered),
        }
    }
}

/// A pending (or expired) invitation in the account's list.
#[derive(Clone, Debug)]
pub struct PendingInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Who invites, by name; none for the provider.
    pub inviter_name: Option<String>,
    /// What the inviter may do now; none when they are gone or paused (or are the provider).
    pub inviter_access: Option<Access>,
    /// What became of its newest mail.
    pub delivery: Delivery,
}

/// What became of an address: the newest invitation of it, and of its newest mail.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// The invitation.
    pub invitation: Invitation,
    /// Who invites, by name; none for the provider.
    pub inviter_name: Option<String>,
    /// When it was answered or cancelled.
    pub ended_at: Option<Timestamp>,
    /// What became of its mail; none when there never was one.
    pub mail: Option<TrackedMail>,
}

/// An account that invites an address.
#[derive(Clone, Debug)]
pub struct InvitingAccount {
    /// Its id.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
}

/// What waits for an address in an account.
#[derive(Clone, Debug)]
pub struct WaitingInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub account_number: AccountNumber,
    /// Its name.
    pub account_name: String,
}

/// The link to what waits for somebody.
#[derive(Clone, Copy, Debug)]
pub struct NewLink {
    /// The SHA-256 of its token.
    pub token_hash: TokenHash,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What is to wait for somebody, on the provider's word.
#[derive(Clone, Debug)]
pub struct NewWaiting {
    /// What is offered.
    pub offered: GivenAccess,
    /// What the provider calls them; empty if it doesn't say.
    pub full_name: String,
    /// The SHA-256 of a token that nobody has.
    pub token_hash: TokenHash,
    /// The log's row, if what is offered is news.
    pub entry: Option<NewActivity>,
}

/// How an invitation's mail fared.
#[derive(Clone, Debug)]
pub struct TrackedMail {
    /// Whether it is out.
    pub delivery: Delivery,
    /// The language that it is written in; none for the provider's.
    pub language: Option<Language>,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    /// When the mail server took or refused it.
    pub ended_at: Option<Timestamp>,
}

/// What an offer is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct OfferFacts {
    /// Who asks.
    pub by: LockedActor,
    /// Who with that address is in the account already.
    pub in_account: Option<UserId>,
    /// Whether a report keeps the account from inviting that address.
    pub reported: bool,
    /// The domains that the account invites.
    pub domains: EmailDomains,
    /// The invitation of that address that is pending (or expired), if there is one.
    pub pending: Option<Invitation>,
    /// The id that a new invitation will have; a pending one keeps its own.
    pub id: InvitationId,
}

/// An invitation as it is to be written.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What is offered.
    pub offered: GivenAccess,
    /// Whether whoever joins becomes an owner besides, once they have waited.
    pub as_owner: bool,
    /// Whether every owner of the account is told of it.
    pub tells_owners: bool,
    /// The SHA-256 of the token in the mail's link.
    pub token_hash: TokenHash,
    /// The SHA-256 of the token in a link that somebody is shown besides.
    pub copy_hash: Option<TokenHash>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// The log's row.
    pub entry: NewActivity,
    /// The mail with the link. The store fills in which invitation it belongs to.
    pub mail: NewMail,
    /// What the mail counts against.
    pub bounds: Vec<Bound>,
}

/// What an offer became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A new invitation.
    New(InvitationId),
    /// The pending one got these permissions and a new link.
    Updated(InvitationId),
}

/// What a step on an invitation is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct InvitationFacts {
    /// Who asks.
    pub by: LockedActor,
    /// The domains that the account invites.
    pub domains: EmailDomains,
    /// The invitation.
    pub invitation: Invitation,
}

/// What is done to a pending invitation by somebody in the account.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "made once in a request and consumed at once")]
pub enum InvitationStep {
    /// Sent again with a new link.
    Resend(Offer),
    /// Taken back.
    Cancel {
        /// The log's row.
        entry: NewActivity,
    },
}

/// What an invitation's link leads to.
#[derive(Clone, Debug)]
pub struct OpenedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub account_number: AccountNumber,
    /// Its name.
    pub account_name: String,
    /// The inviter's name; none for the provider.
    pub inviter_name: Option<String>,
    /// The inviter's address, for telling them; none for the provider.
    pub inviter_email: Option<EmailAddress>,
    /// What the inviter may do in the account now; none when they are gone or paused (or are the
    /// provider).
    pub inviter_access: Option<Access>,
    /// Whether a newer link replaced this one.
    pub replaced: bool,
    /// Whether nobody but the invited mailbox got the link.
    pub by_mail: bool,
    /// Until when the link works, if that isn't as long as the invitation.
    pub link_until: Option<Timestamp>,
    /// Until when a login that had the invited address may take it back, if one had it lately.
    pub held_until: Option<Timestamp>,
    /// The domains that the account takes in.
    pub domains: EmailDomains,
    /// The login that has the invited address, if there is one.
    pub login: Option<UserId>,
}

/// What an answer is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct AnswerFacts {
    /// What the link leads to.
    pub opened: OpenedInvitation,
    /// The name of the user with the invited address, if there is one.
    pub login_name: Option<String>,
    /// Whether that user is in the account already.
    pub in_account: bool,
}

/// What the invited person answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// They join.
    Accept {
        /// With which login.
        joiner: Joiner,
        /// With what access.
        given: GivenAccess,
        /// That they become an owner besides, if they do.
        owner: Option<JoiningOwner>,
        /// A session to begin in the same transaction.
        session: Option<Box<NewSession>>,
        /// The log's row.
        entry: NewActivity,
        /// The mail that tells the inviter.
        mail: Option<NewMail>,
    },
    /// They say no.
    Decline {
        /// The log's row.
        entry: NewActivity,
        /// The mail that tells the inviter.
        mail: Option<NewMail>,
        /// What they report besides: they don't know the inviter.
        report: Option<NewReport>,
    },
}

/// Who joins.
#[derive(Clone, Debug)]
pub enum Joiner {
    /// Somebody who has a login.
    Existing(UserId),
    /// Somebody whose login is created by joining.
    New(NewUser),
}

#[derive(FromRow)]
struct InvitationRow {
    id: Uuid,
    email: String,
    email_key: String,
    #[sqlx(flatten)]
    offered: OfferedRow,
    as_owner: bool,
    inviter_id: Option<Uuid>,
    state: String,
    sent_at: i64,
    expires_at: i64,
    waits: bool,
    reference: Option<String>,
    called: String,
}

impl InvitationRow {
    fn read(self, now: Timestamp) -> Invitation {
        let expires_at = Timestamp::from_micros(self.expires_at);
        Invitation {
            id: self.id.into(),
            email: EmailAddress::from_stored(self.email, self.email_key),
            offered: self.offered.read(),
            as_owner: self.as_owner,
            inviter: self.inviter_id.map(UserId::from),
            state: match self.state.as_str() {
                "pending" if self.waits || expires_at.is_awaited(LONGEST, now) => {
                    InvitationState::Pending
                }
                "pending" => InvitationState::Expired,
                "accepted" => InvitationState::Accepted,
                "declined" => InvitationState::Declined,
                // A state that this version doesn't know opens nothing.
                _ => InvitationState::Cancelled,
            },
            sent_at: Timestamp::from_micros(self.sent_at),
            expires_at,
            waits: self.waits,
            reference: self.reference.map(DoorRef::from_stored),
            full_name: self.called,
        }
    }
}

/// An invitation that waits, and when it changed.
#[derive(FromRow)]
struct WaitingRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    changed: i64,
}

/// One that waits for an address.
#[derive(FromRow)]
struct WaitingForRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    account_id: Uuid,
    account_number: i64,
    account_name: String,
}

/// An invitation by its account.
#[derive(FromRow)]
struct OpenRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    account_id: Uuid,
}

#[derive(FromRow)]
struct PendingRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    inviter_name: Option<String>,
    inviter_owner: Option<bool>,
    mail_state: Option<String>,
    mail_answer: Option<String>,
}

impl PendingRow {
    fn read(self, grants: &HashMap<Uuid, Vec<Grant>>, now: Timestamp) -> PendingInvitation {
        let inviter = self.invitation.inviter_id;
        PendingInvitation {
            invitation: self.invitation.read(now),
            inviter_name: self.inviter_name,
            inviter_access: self.inviter_owner.map(|owner| match owner {
                true => Access::Owner,
                false => {
                    let grants = inviter.and_then(|inviter| grants.get(&inviter));
                    let holding = Holding::Granted(grants.cloned().unwrap_or_default());
                    holding.access().live(now)
                }
            }),
            delivery: delivery(self.mail_state.as_deref(), self.mail_answer),
        }
    }
}

fn delivery(state: Option<&str>, answer: Option<String>) -> Delivery {
    match state {
        Some("sent") => Delivery::Sent,
        Some("kept") => Delivery::Kept,
        Some("failed") => Delivery::Failed { answer: answer.unwrap_or_default() },
        _ => Delivery::Queued { answer },
    }
}

#[derive(FromRow)]
struct TrackedRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    ended_at: Option<i64>,
    inviter_name: Option<String>,
    mail_state: Option<String>,
    mail_answer: Option<String>,
    mail_due_at: Option<i64>,
    mail_ended_at: Option<i64>,
    mail_language: Option<String>,
}

impl TrackedRow {
    fn read(self, now: Timestamp) -> Tracked {
        let mail = self.mail_due_at.map(|due_at| TrackedMail {
            delivery: delivery(self.mail_state.as_deref(), self.mail_answer),
            language: self.mail_language.as_deref().and_then(Language::parse),
            due_at: Timestamp::from_micros(due_at),
            ended_at: self.mail_ended_at.map(Timestamp::from_micros),
        });
        Tracked {
            invitation: self.invitation.read(now),
            inviter_name: self.inviter_name,
            ended_at: self.ended_at.map(Timestamp::from_micros),
            mail,
        }
    }
}

#[derive(FromRow)]
struct OpenedRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    account_id: Uuid,
    account_number: i64,
    account_name: String,
    owners_due_at: Option<i64>,
    inviter_name: Option<String>,
    inviter_email: Option<String>,
    inviter_email_key: Option<String>,
    inviter_owner: Option<bool>,
    replaced: bool,
    by_mail: bool,
    link_until: Option<i64>,
    held_until: Option<i64>,
    login_id: Option<Uuid>,
    login_name: Option<String>,
    in_account: bool,
    email_domains: Option<String>,
}

impl OpenedRow {
    /// Whose grants are to be read besides: the account, and the inviter with whether they own it.
    fn inviter(&self) -> Option<(AccountId, UserId, bool)> {
        let inviter = self.invitation.inviter_id.zip(self.inviter_owner);
        inviter.map(|(inviter, owner)| (self.account_id.into(), inviter.into(), owner))
    }

    fn read(self, inviter: Option<Holding>, now: Timestamp) -> AnswerFacts {
        let opened = OpenedInvitation {
            invitation: self.invitation.read(now),
            account: self.account_id.into(),
            account_number: AccountNumber::from_stored(self.account_number),
            account_name: self.account_name,
            inviter_name: self.inviter_name,
            inviter_email: self
                .inviter_email
                .zip(self.inviter_email_key)
                .map(|(email, key)| EmailAddress::from_stored(email, key)),
            inviter_access: inviter.map(|holding| holding.access().live(now)),
            replaced: self.replaced,
            by_mail: self.by_mail,
            link_until: self.link_until.map(Timestamp::from_micros),
            held_until: self.held_until.map(Timestamp::from_micros).filter(|until| *until > now),
            domains: policies::read_domains(self.email_domains.as_deref()),
            login: self.login_id.map(UserId::from),
        };
        AnswerFacts { opened, login_name: self.login_name, in_account: self.in_account }
    }
}

impl PendingInvitation {
    /// Where the page after this row begins.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { key: String::new(), id: self.invitation.id.into() }
    }
}

impl Store {
    /// Offers `email` a membership, or gives the pending offer new permissions and a new link:
    /// locks the account, reads the facts, asks `decide`, writes invitation, log and mail.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when the user isn't in the account,
    /// [`Failure::TooMany`] beyond a bound of the offer, [`Failure::Unavailable`].
    pub async fn offer_invitation(
        &self,
        account: AccountId,
        actor: UserId,
        email: &EmailAddress,
        now: Timestamp,
        decide: impl FnOnce(&OfferFacts) -> Result<Offer, Failure> + Send,
    ) -> Result<Offered, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = memberships::locked_actor(&mut tx, account, actor, now).await?;
        let Invitee { in_account, reported, domains } = invitee(&mut tx, account, email).await?;
        let pending = pending_of(&mut tx, account, email, now).await?;
        let id = pending.as_ref().map_or_else(|| new_id(now).into(), |pending| pending.id);
        let facts = OfferFacts { by, in_account, reported, domains, pending, id };

        let offer = decide(&facts)?;
        let (inviter, tells_owners) = (Some(actor), offer.tells_owners);
        let offered = match &facts.pending {
            None => {
                let written = Written::of(&offer);
                insert(&mut tx, account, id, email, inviter, &written, now).await?;
                Offered::New(id)
            }
            // Offered anew, and so the actor's to answer for (rule 7).
            Some(pending) => {
                renew(&mut tx, account, pending, inviter, &offer, now).await?;
                match pending.state {
                    InvitationState::Pending => Offered::Updated(id),
                    _ => Offered::New(id),
                }
            }
        };
        send(&mut tx, account, id, offer, now).await?;
        if tells_owners {
            owner_changes::tell_of_invitation(&mut tx, account, &facts.by, email, now).await?;
        }
        tx.commit().await?;
        Ok(offered)
    }

    /// Resends or cancels an invitation of the account, in the same manner.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when the user isn't in the account or the
    /// account has no such invitation, [`Failure::TooMany`] beyond a bound of the offer,
    /// [`Failure::Unavailable`].
    pub async fn step_invitation(
        &self,
        account: AccountId,
        actor: UserId,
        invitation: InvitationId,
        now: Timestamp,
        decide: impl FnOnce(&InvitationFacts) -> Result<InvitationStep, Failure> + Send,
    ) -> Result<Invitation, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = memberships::locked_actor(&mut tx, account, actor, now).await?;
        let invitation = find(&mut tx, account, invitation, now).await?;
        let domains = policies::domains(&mut tx, account).await?;
        let facts = InvitationFacts { by, domains, invitation };

        let step = decide(&facts)?;
        let invitation = &facts.invitation;
        match step {
            InvitationStep::Resend(offer) => {
                // Who sends it again offers it; what the provider offers stays the provider's.
                let inviter = invitation.inviter.map(|_| actor);
                let (by, to, tells_owners) = (&facts.by, &invitation.email, offer.tells_owners);
                renew(&mut tx, account, invitation, inviter, &offer, now).await?;
                send(&mut tx, account, invitation.id, offer, now).await?;
                if tells_owners {
                    owner_changes::tell_of_invitation(&mut tx, account, by, to, now).await?;
                }
            }
            InvitationStep::Cancel { entry } => {
                end(&mut tx, invitation, "cancelled", now).await?;
                activity::append(&mut tx, account, &entry.of(invitation.id), now).await?;
            }
        }
        let invitation = find(&mut tx, account, invitation.id, now).await?;
        tx.commit().await?;
        Ok(invitation)
    }

    /// The account's invitations that are pending or ran out unanswered, newest first, at
    /// most `most`. The cursor of a row is what [`PendingInvitation::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn pending_invitations(
        &self,
        account: AccountId,
        after: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<PendingInvitation>, Failure> {
        let text = PENDING.at(self);
        let rows: Vec<PendingRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(after.map_or(Uuid::max(), |cursor| cursor.id))
            .bind(limit(most))
            .fetch_all(db))?;
        let granted = rows.iter().filter(|row| row.inviter_owner == Some(false));
        let inviters: BTreeSet<_> = granted.filter_map(|row| row.invitation.inviter_id).collect();
        let grants = self.grants_of(account, &inviters).await?;
        Ok(rows.into_iter().map(|row| row.read(&grants, now)).collect())
    }

    /// One invitation of the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn invitation(
        &self,
        account: AccountId,
        invitation: InvitationId,
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        let text = INVITATION.at(self);
        let row: Option<InvitationRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(Uuid::from(invitation))
            .fetch_optional(db))?;
        Ok(row.map(|row| row.read(now)))
    }

    /// The newest invitation of this address to the account, and what became of its mail.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn track_invitation(
        &self,
        account: AccountId,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<Tracked>, Failure> {
        let text = NEWEST_OF.at(self);
        let row: Option<TrackedRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(email.key())
            .fetch_optional(db))?;
        Ok(row.map(|row| row.read(now)))
    }

    /// The accounts with a pending (or expired) invitation of this address, by number, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn inviting_accounts(
        &self,
        email: &EmailAddress,
        most: usize,
    ) -> Result<Vec<InvitingAccount>, Failure> {
        let rows: Vec<(Uuid, i64, String)> = read!(self, db => query_as(INVITING)
            .bind(email.key())
            .bind(limit(most))
            .fetch_all(db))?;
        let inviting = |(id, number, name): (Uuid, i64, String)| InvitingAccount {
            account: id.into(),
            number: AccountNumber::from_stored(number),
            name,
        };
        Ok(rows.into_iter().map(inviting).collect())
    }

    /// Those who wait in the account behind this place in the order of changes, at most `most`, each with
    /// when that was.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub(crate) async fn waiting_in(
        &self,
        account: AccountId,
        behind: Behind,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<(Timestamp, Invitation)>, Failure> {
        let text = WAITING.at(self);
        let rows: Vec<WaitingRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(behind.changed.as_micros())
            .bind(behind.id)
            .bind(limit(most))
            .fetch_all(db))?;
        let read =
            |row: WaitingRow| (Timestamp::from_micros(row.changed), row.invitation.read(now));
        Ok(rows.into_iter().map(read).collect())
    }

    /// Who waits in the account and has this ref.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub(crate) async fn waiting_by_ref(
        &self,
        account: AccountId,
        reference: &DoorRef,
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        self.waiting_one(PENDING_BY_REF, account, reference.as_str(), now).await
    }

    /// Who waits in the account and has this address.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub(crate) async fn waiting_by_email(
        &self,
        account: AccountId,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        self.waiting_one(PENDING_OF, account, email.key(), now).await
    }

    async fn waiting_one(
        &self,
        text: Differing,
        account: AccountId,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        let text = text.at(self);
        let row: Option<InvitationRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(name)
            .fetch_optional(db))?;
        Ok(row.filter(|row| row.waits).map(|row| row.read(now)))
    }

    /// What waits for whoever has this address and hasn't ended, the oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn waiting_for(
        &self,
        email: &EmailAddress,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<WaitingInvitation>, Failure> {
        let text = WAITING_FOR.at(self);
        let rows: Vec<WaitingForRow> = read!(self, db => query_as(text)
            .bind(email.key())
            .bind(now.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        let read = |row: WaitingForRow| WaitingInvitation {
            invitation: row.invitation.read(now),
            account: row.account_id.into(),
            account_number: AccountNumber::from_stored(row.account_number),
            account_name: row.account_name,
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Gives out a link to what waits for somebody, in place of those that were given out before, and
    /// queues its mail if it goes by mail. Takes as many statements as [`Store::issue_reset`]: whoever
    /// measures how long an answer takes learns nothing (OWASP ASVS 5.0 V6.3.8).
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it waits no longer, [`Failure::Unavailable`].
    pub async fn issue_link(
        &self,
        invitation: InvitationId,
        link: &NewLink,
        mail: Option<NewMail>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let id = Uuid::from(invitation);
        let mut tx = self.begin().await?;
        // Whoever answers it at this moment was faster, or finds it answered.
        let found: Option<Uuid> = read!(tx, db => query_scalar(LINK)
            .bind(id)
            .bind(&link.token_hash[..])
            .fetch_optional(db))?;
        if found.is_none() {
            return Err(Failure::NotFound);
        }
        write!(tx, db => query(END_LINKS).bind(id).bind(now.as_micros()).execute(db))?;
        outbox::drop_queued(&mut tx, invitation).await?;
        write!(tx, db => query(INSERT_LINK)
            .bind(&link.token_hash[..])
            .bind(id)
            .bind(now.as_micros())
            .bind(link.expires_at.as_micros())
            .execute(db))?;
        if let Some(mail) = mail {
            outbox::queue(&mut tx, &mail.invitation(invitation), None, now).await?;
        }
        tx.commit().await
    }

    /// Whether somebody with this address is in the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn is_in_account(
        &self,
        account: AccountId,
        email: &EmailAddress,
    ) -> Result<bool, Failure> {
        let member: Option<Uuid> = read!(self, db => query_scalar(MEMBER_AT)
            .bind(Uuid::from(account))
            .bind(email.key())
            .fetch_optional(db))?;
        Ok(member.is_some())
    }

    /// What the link with this token leads to. Changes nothing but what came true by itself.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn open_invitation(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<OpenedInvitation>, Failure> {
        let text = OPENED.at(self);
        let mut row: Option<OpenedRow> =
            read!(self, db => query_as(text).bind(&token_hash[..]).fetch_optional(db))?;
        if let Some(due) = row.as_ref().filter(|row| is_due(row.owners_due_at, now)) {
            self.settle_owners(due.account_id.into(), now).await?;
            row = read!(self, db => query_as(text).bind(&token_hash[..]).fetch_optional(db))?;
        }
        let Some(row) = row else { return Ok(None) };
        let inviter = match row.inviter() {
            Some((account, inviter, owner)) => Some(self.holding(account, inviter, owner).await?),
            None => None,
        };
        Ok(Some(row.read(inviter, now).opened))
    }

    /// Accepts or declines: locks the account and the invitation, reads the facts, asks `decide`,
    /// then consumes the invitation and writes login, membership, session, report, log and mail in
    /// the same transaction. Answers who joined, with their new membership's account number.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] for an unknown token, [`Failure::Unavailable`].
    pub async fn answer_invitation(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
        decide: impl FnOnce(&AnswerFacts) -> Result<Answer, Failure> + Send,
    ) -> Result<AccountNumber, Failure> {
        let account: Option<Uuid> =
            read!(self, db => query_scalar(ACCOUNT_OF).bind(&token_hash[..]).fetch_optional(db))?;
        let account = AccountId::from(account.ok_or(Failure::NotFound)?);
        let mut tx = self.begin_locking([account.into()]).await?;
        // Who has the account has its invitations too: every step on them takes this lock first.
        locks::account(&mut tx, account, now).await?;
        let text = OPENED.on(&tx);
        let row: OpenedRow = read!(tx, db => query_as(text).bind(&token_hash[..]).fetch_one(db))?;
        let inviter = match row.inviter() {
            Some((account, inviter, owner)) => {
                Some(grants::holding(&mut tx, account, inviter, owner).await?)
            }
            None => None,
        };
        let facts = row.read(inviter, now);

        let answer = decide(&facts)?;
        let invitation = &facts.opened.invitation;
        let mut joined = None;
        let (entry, mail) = match answer {
            Answer::Accept { joiner, given, owner, session, entry, mail } => {
                end(&mut tx, invitation, "accepted", now).await?;
                let user = match joiner {
                    Joiner::Existing(user) => {
                        // Whoever changes their address at this moment was faster, or waits.
                        if locks::user(&mut tx, user).await?.email().key() != invitation.email.key()
                        {
                            return Err(Failure::Conflict(Conflict::OtherAddress));
                        }
                        user
                    }
                    Joiner::New(user) => {
                        users::insert(&mut tx, &user, facts.opened.by_mail, now).await?;
                        user.id
                    }
                };
                let invited_by = invitation.inviter;
                memberships::join(&mut tx, account, user, &given, invited_by, now).await?;
                if let Some(reference) = &invitation.reference {
                    memberships::set_reference(&mut tx, account, user, reference).await?;
                }
                if facts.opened.by_mail {
                    emails::prove(&mut tx, user, &invitation.email).await?;
                }
                if let Some(session) = session {
                    sessions::insert(&mut tx, user, &session, now).await?;
                }
                joined = owner.map(|owner| (user, owner));
                (entry, mail)
            }
            Answer::Decline { entry, mail, report } => {
                end(&mut tx, invitation, "declined", now).await?;
                if let Some(report) = report {
                    reports::insert(&mut tx, account, &invitation.email, &report, now).await?;
                    if let Some(mail) = report.mail {
                        outbox::queue(&mut tx, &mail, Some(account), now).await?;
                    }
                }
                (entry, mail)
            }
        };
        activity::append(&mut tx, account, &entry.of(invitation.id), now).await?;
        if let Some(mail) = mail {
            outbox::queue(&mut tx, &mail, Some(account), now).await?;
        }
        if let Some((user, owner)) = joined {
            let opened = &facts.opened;
            let by = (invitation.inviter, opened.inviter_name.as_deref().unwrap_or_default());
            let name = &opened.account_name;
            owner_changes::begin(&mut tx, account, name, user, by, &owner, now).await?;
        }
        tx.commit().await?;
        Ok(facts.opened.account_number)
    }
}

/// Invites the first owner of a new account.
pub(crate) async fn offer_first(
    tx: &mut Tx,
    account: AccountId,
    owner: &EmailAddress,
    offer: Offer,
    now: Timestamp,
) -> Result<(), Failure> {
    let id = new_id(now).into();
    insert(tx, account, id, owner, None, &Written::of(&offer), now).await?;
    send(tx, account, id, offer, now).await
}

/// An invitation of an account that is locked.
pub(crate) async fn find(
    tx: &mut Tx,
    account: AccountId,
    invitation: InvitationId,
    now: Timestamp,
) -> Result<Invitation, Failure> {
    let text = INVITATION.on(tx);
    let row: Option<InvitationRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(Uuid::from(invitation))
        .fetch_optional(db))?;
    row.map(|row| row.read(now)).ok_or(Failure::NotFound)
}

/// Who with this address is in the account, which is locked.
pub(crate) async fn member_at(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
) -> Result<Option<UserId>, Failure> {
    let member: Option<Uuid> = read!(tx, db => query_scalar(MEMBER_AT)
        .bind(Uuid::from(account))
        .bind(email.key())
        .fetch_optional(db))?;
    Ok(member.map(UserId::from))
}

/// What an account that is locked has of an address that is to be invited.
struct Invitee {
    in_account: Option<UserId>,
    reported: bool,
    domains: EmailDomains,
}

async fn invitee(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
) -> Result<Invitee, Failure> {
    let (in_account, reported, domains): (Option<Uuid>, bool, Option<String>) = read!(tx, db => query_as(INVITEE)
            .bind(Uuid::from(account))
            .bind(email.key())
            .bind(reports::forgotten(email))
            .fetch_one(db))?;
    Ok(Invitee {
        in_account: in_account.map(UserId::from),
        reported,
        domains: policies::read_domains(domains.as_deref()),
    })
}

/// The invitation of this address that is pending (or expired), in an account that is locked.
pub(crate) async fn pending_of(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<Option<Invitation>, Failure> {
    let text = PENDING_OF.on(tx);
    let row: Option<InvitationRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(email.key())
        .fetch_optional(db))?;
    Ok(row.map(|row| row.read(now)))
}

/// The invitation with this ref of the provider's that is pending (or expired), in an account that is
/// locked.
pub(crate) async fn pending_by_ref(
    tx: &mut Tx,
    account: AccountId,
    reference: &DoorRef,
    now: Timestamp,
) -> Result<Option<Invitation>, Failure> {
    let text = PENDING_BY_REF.on(tx);
    let row: Option<InvitationRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(reference.as_str())
        .fetch_optional(db))?;
    Ok(row.map(|row| row.read(now)))
}

/// Whom the provider means by an invitation: by its own id, if it has one, and by name.
pub(crate) struct Called<'a> {
    pub(crate) reference: Option<&'a DoorRef>,
    pub(crate) full_name: &'a str,
}

/// Offers an address what the provider offers, in an account that is locked: in place of what was
/// offered to it before, if that is pending.
pub(crate) async fn offer_by_provider(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
    pending: Option<&Invitation>,
    offer: Offer,
    called: Called<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let id = match pending {
        Some(pending) => {
            renew(tx, account, pending, None, &offer, now).await?;
            pending.id
        }
        None => {
            let id = new_id(now).into();
            insert(tx, account, id, email, None, &Written::of(&offer), now).await?;
            id
        }
    };
    call(tx, id, called).await?;
    send(tx, account, id, offer, now).await
}

/// Has something wait for an address, in an account that is locked: in place of what was offered to it
/// before, if that is pending. What was mailed of that leads nowhere from now on.
pub(crate) async fn wait(
    tx: &mut Tx,
    account: AccountId,
    email: &EmailAddress,
    pending: Option<&Invitation>,
    waiting: NewWaiting,
    reference: Option<&DoorRef>,
    now: Timestamp,
) -> Result<(), Failure> {
    let written = Written {
        offered: &waiting.offered,
        as_owner: false,
        token_hash: waiting.token_hash,
        expires_at: now,
    };
    let id = match pending {
        Some(pending) => {
            let id = Uuid::from(pending.id);
            let OfferedColumns { owner, terms, why, grants } = OfferedColumns::of(written.offered)?;
            let renewed = write!(tx, db => query(RENEW_WAITING)
                .bind(id)
                .bind(owner)
                .bind(terms.permissions.to_stored())
                .bind(terms.services.is_all())
                .bind(terms.domains.is_all())
                .bind(terms.until.map(Timestamp::as_micros))
                .bind(&why)
                .bind(now.as_micros())
                .bind(&written.token_hash[..])
                .bind(&grants)
                .execute(db))?;
            was_pending(renewed, pending)?;
            name_anew(tx, account, id, &terms).await?;
            if !pending.waits {
                outbox::drop_queued(tx, pending.id).await?;
            }
            pending.id
        }
        None => {
            let id = InvitationId::from(new_id(now));
            insert(tx, account, id, email, None, &written, now).await?;
            write!(tx, db => query(SET_WAITING).bind(Uuid::from(id)).execute(db))?;
            id
        }
    };
    call(tx, id, Called { reference, full_name: &waiting.full_name }).await?;
    match waiting.entry {
        Some(entry) => activity::append(tx, account, &entry.of(id), now).await,
        None => Ok(()),
    }
}

/// Notes what the provider calls whom it invites. An id that it gave them stays.
async fn call(tx: &mut Tx, id: InvitationId, called: Called<'_>) -> Result<(), Failure> {
    write!(tx, db => query(CALL)
        .bind(Uuid::from(id))
        .bind(called.reference.map(DoorRef::as_str))
        .bind(called.full_name)
        .execute(db))?;
    Ok(())
}

/// Gives whoever is invited an id of the provider's.
pub(crate) async fn set_reference(
    tx: &mut Tx,
    id: InvitationId,
    reference: &DoorRef,
) -> Result<(), Failure> {
    write!(tx, db => query(SET_REF)
        .bind(Uuid::from(id))
        .bind(reference.as_str())
        .execute(db))?;
    Ok(())
}

/// Takes an id of the provider's from whoever is invited to the account by it.
pub(crate) async fn leave_reference(
    tx: &mut Tx,
    account: AccountId,
    reference: &DoorRef,
) -> Result<(), Failure> {
    write!(tx, db => query(LEAVE_REF)
        .bind(Uuid::from(account))
        .bind(reference.as_str())
        .execute(db))?;
    Ok(())
}

/// What of an offer stands in its invitation's row.
struct Written<'a> {
    offered: &'a GivenAccess,
    as_owner: bool,
    token_hash: TokenHash,
    expires_at: Timestamp,
}

impl<'a> Written<'a> {
    fn of(offer: &'a Offer) -> Self {
        let Offer { offered, as_owner, token_hash, expires_at, .. } = offer;
        Self { offered, as_owner: *as_owner, token_hash: *token_hash, expires_at: *expires_at }
    }
}

async fn insert(
    tx: &mut Tx,
    account: AccountId,
    id: InvitationId,
    email: &EmailAddress,
    inviter: Option<UserId>,
    offer: &Written<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let OfferedColumns { owner, terms, why, grants } = OfferedColumns::of(offer.offered)?;
    write!(tx, db => query(INSERT_INVITATION)
        .bind(Uuid::from(id))
        .bind(Uuid::from(account))
        .bind(email.as_str())
        .bind(email.key())
        .bind(owner)
        .bind(terms.permissions.to_stored())
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(&why)
        .bind(inviter.map(Uuid::from))
        .bind(now.as_micros())
        .bind(offer.expires_at.as_micros())
        .bind(&offer.token_hash[..])
        .bind(offer.as_owner)
        .bind(&grants)
        .execute(db))?;
    grants::name_things(tx, account, id.into(), &terms, [NAME_SERVICES, NAME_DOMAINS]).await
}

/// Gives a pending invitation what the offer says; the clock starts anew, and no mail of before is sent.
async fn renew(
    tx: &mut Tx,
    account: AccountId,
    invitation: &Invitation,
    inviter: Option<UserId>,
    offer: &Offer,
    now: Timestamp,
) -> Result<(), Failure> {
    let id = Uuid::from(invitation.id);
    let OfferedColumns { owner, terms, why, grants } = OfferedColumns::of(&offer.offered)?;
    let renewed = write!(tx, db => query(RENEW)
        .bind(id)
        .bind(owner)
        .bind(terms.permissions.to_stored())
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(&why)
        .bind(inviter.map(Uuid::from))
        .bind(now.as_micros())
        .bind(offer.expires_at.as_micros())
        .bind(&offer.token_hash[..])
        .bind(offer.as_owner)
        .bind(&grants)
        .execute(db))?;
    was_pending(renewed, invitation)?;
    name_anew(tx, account, id, &terms).await?;
    outbox::drop_queued(tx, invitation.id).await
}

/// Has a pending invitation reach what these terms name, and nothing else.
async fn name_anew(
    tx: &mut Tx,
    account: AccountId,
    id: Uuid,
    terms: &Terms,
) -> Result<(), Failure> {
    for forget in [FORGET_SERVICES, FORGET_DOMAINS] {
        write!(tx, db => query(forget).bind(id).execute(db))?;
    }
    grants::name_things(tx, account, id, terms, [NAME_SERVICES, NAME_DOMAINS]).await
}

/// The invitations that are pending (or ran out unanswered) to a user's address or by the user, with
/// their accounts, all of which are locked.
pub(crate) async fn open_of(
    tx: &mut Tx,
    user: UserId,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<Vec<(AccountId, Invitation)>, Failure> {
    let text = OPEN_OF.on(tx);
    let rows: Vec<OpenRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(user))
        .bind(email.key())
        .fetch_all(db))?;
    Ok(rows.into_iter().map(|row| (row.account_id.into(), row.invitation.read(now))).collect())
}

/// Takes a user and their address out of invitations that are answered or taken back. Of those nothing
/// is decided by who invited.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_INVITED).bind(email.key()).execute(db))?;
    write!(tx, db => query(FORGET_INVITER).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Ends a pending invitation, and what waits to be sent about it.
pub(crate) async fn end(
    tx: &mut Tx,
    invitation: &Invitation,
    state: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let ended = write!(tx, db => query(END)
        .bind(Uuid::from(invitation.id))
        .bind(state)
        .bind(now.as_micros())
        .execute(db))?;
    was_pending(ended, invitation)?;
    outbox::drop_queued(tx, invitation.id).await
}

/// Whatever was decided: what ended stays as it ended.
fn was_pending(changed: u64, invitation: &Invitation) -> Result<(), Failure> {
    match changed {
        0 => Err(Failure::Conflict(Conflict::Invitation(invitation.state))),
        _ => Ok(()),
    }
}

/// Writes what an offer sends out, within its bounds: the link's token, the log's row, and the mail.
/// One of before that still waits is gone by then ([`renew`]).
async fn send(
    tx: &mut Tx,
    account: AccountId,
    id: InvitationId,
    offer: Offer,
    now: Timestamp,
) -> Result<(), Failure> {
    limits::keep_within(tx, &offer.bounds, now).await?;
    let text = if offer.copy_hash.is_some() { INSERT_TOKENS } else { INSERT_TOKEN };
    write!(tx, db => {
        let statement = query(text)
            .bind(&offer.token_hash[..])
            .bind(Uuid::from(id))
            .bind(now.as_micros());
        match &offer.copy_hash {
            Some(hash) => statement.bind(&hash[..]),
            None => statement,
        }
        .execute(db)
    })?;
    activity::append(tx, account, &offer.entry.of(id), now).await?;
    outbox::queue(tx, &offer.mail.invitation(id), Some(account), now).await
}
