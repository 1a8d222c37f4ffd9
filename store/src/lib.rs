//! The database: one file per table group, SQL written once for SQLite and Postgres.
//!
//! A method is one transaction with a business name. Rules about who may do what are not here:
//! where they need the facts of the moment, the method reads the facts under lock, hands them to
//! the caller's `decide`, and writes what it answers, all in the same transaction.

mod access_requests;
mod accounts;
mod activity;
mod areas;
mod chain;
mod copies;
mod db;
mod digests;
mod emails;
mod ends;
mod eyes;
mod factors;
mod feedback;
mod fold;
mod grants;
mod guesses;
mod identities;
mod invitations;
mod lent;
mod limits;
mod locks;
mod memberships;
mod outbox;
mod passkeys;
mod place;
mod policies;
mod postgres;
mod reaching;
mod readiness;
mod renewal;
mod reports;
mod resets;
mod search;
mod sessions;
mod single_sign_on;
mod sqlite;
mod starts;
mod sweep;
mod turns;
mod users;

pub use access_requests::{
    AccessRequest, AccessRequestAnswer, AccessRequestFacts, AskFacts, Giver, NewAccessRequest,
};
pub use accounts::{AccountDetails, AccountRow, NewAccount};
pub use activity::{ActivityFilter, ActivityRow, NewActivity};
pub use areas::{Domain, Invoice, Service, SupportRequest, Thing};
pub use chain::{LinkedRow, LogHead, NO_LINK};
pub use copies::{CopyError, Restored, Settled, restore};
pub use db::{OpenError, Store};
pub use digests::{DigestFacts, LogDigest, UnsignedLog};
pub use emails::{EmailChange, EmailFacts, EmailStanding, NewEmailChange, NewUndo};
pub use ends::{Ending, EndingFacts};
pub use eyes::{FoundEyes, NewEyes};
pub use factors::{AuthenticatorApp, FactorChange, FactorProof, SignInTry};
pub use feedback::Feedback;
pub use grants::{Grant, GrantRow, Held, Holding};
pub use guesses::{Guess, GuessFacts, Hearing, Tally};
pub use identities::{IdentityOffer, LinkedIdentity, Provider};
pub use invitations::{
    Answer, AnswerFacts, Invitation, InvitationFacts, InvitationStep, Joiner, Offer, OfferFacts,
    Offered, OpenedInvitation, PendingInvitation, Tracked, TrackedMail,
};
pub use limits::{Attempts, Bound};
pub use memberships::{
    AccountMembership, ChangeFacts, LockedActor, Member, MembershipChange, MembershipRow, NewPause,
    Owner, PauseChange, UserSort,
};
pub use outbox::{KeptMail, LONGEST_WAIT, NewMail, QueuedMail};
pub use passkeys::{AskedFor, NewPasskey, Passkey, PasskeyChallenge, PasskeyUse};
pub use place::{Place, UrlProblem, percent_decode};
pub use policies::{
    AccountPolicy, PolicyChange, PolicyFacts, Reminders, RequiredFactor, RequiringAccount,
};
pub use reaching::{Reachable, ReachedThings, Reaching};
pub use readiness::Unready;
pub use reports::{NewReport, Report};
pub use resets::{NewReset, OpenedReset};
pub use search::UsersQuery;
pub use sessions::{NewSession, SignedInDevice, Viewer, Vouched};
pub use single_sign_on::{AccountDomain, AccountProvider, SingleSignOn, SingleSignOnStep};
pub use starts::StartPerson;
pub use users::{Login, NewPassword, NewUser};

/// The SHA-256 of a token: what is stored in place of the token itself.
pub type TokenHash = [u8; 32];

/// The SHA-256 that links a row of the log to the one before it.
pub type LinkHash = [u8; 32];
