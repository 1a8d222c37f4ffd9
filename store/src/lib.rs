//! The database: one file per table group, SQL written once for SQLite and Postgres.
//!
//! A method is one transaction with a business name. Rules about who may do what are not here:
//! where they need the facts of the moment, the method reads the facts under lock, hands them to
//! the caller's `decide`, and writes what it answers, all in the same transaction.

mod access_requests;
mod accounts;
mod activity;
mod answers;
mod areas;
mod chain;
mod copies;
mod db;
mod decisions;
mod digests;
mod door;
mod drafts;
mod emails;
mod ends;
mod eyes;
mod factors;
mod feedback;
mod fold;
mod glance;
mod grants;
mod guesses;
mod identities;
mod invitations;
mod leaving;
mod lent;
mod limits;
mod locks;
mod members_by_provider;
mod memberships;
mod offered;
mod outbox;
mod own_data;
mod owner_changes;
mod owners_by_provider;
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
mod successors;
mod support_messages;
mod sweep;
mod tokens;
mod turns;
mod users;
mod webhooks;

pub use access_requests::{
    AccessRequest, AccessRequestAnswer, AccessRequestFacts, AskFacts, Giver, NewAccessRequest,
};
pub use accounts::{AccountDetails, AccountRow, NewAccount};
pub use activity::{ActivityFilter, ActivityRow, NewActivity};
pub use answers::{AnswerStanding, KeptAnswer};
pub use areas::{Domain, Invoice, Service, SupportRequest, Thing, ThingsStanding};
pub use chain::{LinkedRow, LogHead, NO_LINK, ToldRow};
pub use copies::{CopyError, Restored, Settled, restore};
pub use db::{OpenError, Store};
pub use decisions::{DecisionFacts, Given, NamedUser, Standing};
pub use digests::{DigestFacts, LogDigest, UnsignedLog};
pub use door::{
    AccountKey, Asked, Behind, Changes, Decided, Done, DoorAccount, DoorDomain, DoorInvoice,
    DoorPage, DoorService, DoorSupportRequest, Kept, Step,
};
pub use drafts::NewDraft;
pub use emails::{EmailChange, EmailFacts, EmailStanding, NewEmailChange, NewUndo};
pub use ends::{Ending, EndingFacts};
pub use eyes::{FoundEyes, NewEyes};
pub use factors::{AuthenticatorApp, FactorChange, FactorProof, SignInTry};
pub use feedback::Feedback;
pub use glance::Glance;
pub use grants::{Grant, GrantRow, Held, Holding};
pub use guesses::{Guess, GuessFacts, Hearing, NetworkTally, Tally};
pub use identities::{IdentityOffer, LinkedIdentity, Provider};
pub use invitations::{
    Answer, AnswerFacts, Invitation, InvitationFacts, InvitationStep, InvitingAccount, Joiner,
    NewLink, NewWaiting, Offer, OfferFacts, Offered, OpenedInvitation, PendingInvitation, Tracked,
    TrackedMail, WaitingInvitation,
};
pub use leaving::{Leaving, LeavingAccount, LeavingFacts};
pub use limits::{Attempts, Bound};
pub use members_by_provider::{
    AskedMember, DoorMember, KeptMember, KeyedThings, MemberName, MembersPage, ProvidersMemberDone,
    ProvidersMemberFacts, ProvidersMemberStep, ThingKeys,
};
pub use memberships::{
    AccountMembership, ChangeFacts, LockedActor, Member, MembershipChange, MembershipRow,
    NAMED_OTHERS, NewPause, Owner, PauseChange, UserSort,
};
pub use outbox::{KeptMail, LONGEST_WAIT, NewMail, QueuedMail};
pub use own_data::{
    OwnAccount, OwnActivity, OwnEmailChange, OwnFactor, OwnGrant, OwnIdentity, OwnInvitation,
    OwnLogin, OwnMail, OwnOwnerChange, OwnReach, OwnReport, OwnRequest, OwnSession, Placed,
};
pub use owner_changes::{
    JoiningOwner, NewOwnerChange, OwnerChange, OwnerChangeFacts, OwnerOfferFacts, OwnerStep,
    WaitingElsewhere,
};
pub use owners_by_provider::{
    Belonging, LockedPerson, OwnersChange, OwnersFacts, ProvidersOfferFacts, WantedOwners,
};
pub use passkeys::{AskedFor, NewPasskey, Passkey, PasskeyChallenge, PasskeyUse};
pub use place::{Place, UrlProblem, percent_decode};
pub use policies::{
    AccountPolicy, PolicyChange, PolicyFacts, Reminders, RequiredFactor, RequiringAccount,
};
pub use reaching::{Reachable, ReachedThings, Reaching};
pub use readiness::Unready;
pub use reports::{NewReport, Report};
pub use resets::{NewReset, OpenedReset};
pub use search::{AccessFilter, ActiveFilter, UsersFilter, UsersQuery};
pub use sessions::{NewSession, SignedInDevice, Viewer, Vouched};
pub use single_sign_on::{AccountDomain, AccountProvider, SingleSignOn, SingleSignOnStep};
pub use starts::StartPerson;
pub use successors::{NewTakeover, Successor, SuccessorChange, SuccessorFacts, TakeoverFacts};
pub use support_messages::{KeptMessage, SupportMessage};
pub use tokens::{NewToken, StoredToken, TokenRow};
pub use users::{Login, NewPassword, NewUser};
pub use webhooks::{
    Delivery, DeliveryRow, Endpoint, EndpointStep, LONGEST_PUT_OFF, NewEndpoint, Trial,
};

/// The SHA-256 of a token: what is stored in place of the token itself.
pub type TokenHash = [u8; 32];

/// The SHA-256 that links a row of the log to the one before it.
pub type LinkHash = [u8; 32];
