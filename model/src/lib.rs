//! The words of the product, compiled for the browser and the server alike.
//!
//! No Leptos, axum or sqlx here, and neither clock nor randomness: what is here is parsed once at
//! the edge and trusted from then on.

mod access;
mod access_change;
mod access_request;
mod account;
mod activity;
mod actor;
mod day;
mod decision;
mod door;
mod email_address;
mod email_domain;
mod event;
mod eyes;
mod failure;
mod given_access;
mod grant;
mod identity;
mod invitation;
mod language;
mod line;
mod link;
mod mail;
mod owner_change;
mod page;
mod passkey;
mod pause;
mod permission;
mod policy;
mod secret;
mod successor;
mod timestamp;
mod token;
mod typed;
mod user;
mod webhook;
mod wish;

pub use access::{Access, AccessOutline, Lack};
pub use access_change::AccessChange;
pub use access_request::{AccessRequestId, AccessRequestState};
pub use account::{AccountId, AccountNumber};
pub use activity::{ActivityKind, Noted, NotedGrant, UnknownActivityKind};
pub use actor::{Actor, Key, Keys, NamedBy, On, Scope, Through};
pub use day::Day;
pub use decision::{ResourceKind, UnknownResourceKind};
pub use door::{DoorKey, DoorRef, NoDoorKey};
pub use email_address::EmailAddress;
pub use email_domain::{EmailDomain, EmailDomains};
pub use event::{
    EventAccess, EventFacts, EventGrant, EventKind, EventKinds, EventReach, LoginChange,
    UnknownEventKind,
};
pub use eyes::{Draft, Eyes};
pub use failure::{
    Conflict, Failure, Field, FieldError, FieldErrors, FieldProblem, Guessable, Limit, Limited,
    NotIdentified,
};
pub use given_access::{GivenAccess, GivenGrant};
pub use grant::{GrantId, MOST_GRANTS, Outline, Outlines, Reach, Reached, Terms};
pub use identity::{Identity, IdentityId};
pub use invitation::{Delivery, InvitationId, InvitationState};
pub use language::Language;
pub use line::{legible, one_line, plain_digits};
pub use link::Link;
pub use mail::{
    AskedFor, ChangedOwner, EmailNews, FactorNews, GivenEnd, IdentityNews, Mail, MailBound,
    MailKind, OwnerNews, OwnerNewsReader, ProvidersChange, StoredMail,
};
pub use owner_change::{Afterwards, OwnerChangeId, OwnerChangeKind, OwnerChangeState};
pub use page::{Cursor, ListPlace, PAGE_SIZE, Paged};
pub use passkey::{PasskeyId, PasskeyName};
pub use pause::{EndStage, Pause, PausedAccess};
pub use permission::{Area, Permission, PermissionSet, UnknownPermission, foremost};
pub use policy::{PolicyRule, ProviderSetting, SessionSpan, SessionSpans};
pub use secret::Secret;
pub use successor::{TAKEOVER_REMINDERS, WaitDays};
pub use timestamp::Timestamp;
pub use token::{DoorArea, DoorScope, DoorScopes, TokenId, UnknownDoorScope};
pub use typed::{TypedAddress, TypedName};
pub use user::{FullName, Password, SessionId, UserId};
pub use webhook::{DeliveryId, DeliveryState, EndpointId};
pub use wish::{Until, Which, Wish};
