//! What the provider's own programs are told of by webhooks: kinds of events, and an event's facts. They
//! are ids and what changed, nothing that somebody typed, and nothing that opens anything.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccessRequestId, AccountNumber, ActivityKind, DoorRef, InvitationId, Noted, PermissionSet,
    Timestamp, UserId,
};

/// Declares the kinds once: name and stable id.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        /// What an event is about. Its id is stable: it is what programs are told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
        }

        impl EventKind {
            /// Every kind, in the order in which the documentation has them.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

kinds! {
    /// Somebody joined an account.
    MemberAdded = "member.added";
    /// What somebody may do in an account changed, or is open again after a pause.
    MemberChanged = "member.changed";
    /// Somebody's access to an account was paused.
    MemberPaused = "member.paused";
    /// Somebody's access to an account ended.
    MemberRemoved = "member.removed";
    /// An account has an owner more or less.
    OwnerChanged = "owner.changed";
    /// An invitation was sent, for the first time or anew.
    InvitationSent = "invitation.sent";
    /// The invited person joined.
    InvitationAccepted = "invitation.accepted";
    /// The invited person said no.
    InvitationDeclined = "invitation.declined";
    /// An invitation was taken back.
    InvitationCancelled = "invitation.cancelled";
    /// An invitation wasn't answered in time.
    InvitationExpired = "invitation.expired";
    /// Somebody asked for a permission.
    RequestOpened = "request.opened";
    /// A login has another name, address, password or second factor.
    LoginChanged = "login.changed";
    /// Something of an account itself changed: its details, or its policy.
    AccountChanged = "account.changed";
}

impl EventKind {
    /// What a row of the log with this kind is told as. Every kind of row is named here, so that none is
    /// forgotten.
    #[must_use]
    pub fn of_row(kind: ActivityKind, before: Option<&Noted>, after: Option<&Noted>) -> Vec<Self> {
        let owned = |noted: Option<&Noted>| matches!(noted, Some(Noted::Owner));
        let mut kinds = match kind {
            ActivityKind::InvitationAccepted => vec![Self::InvitationAccepted, Self::MemberAdded],
            ActivityKind::PermissionsChanged
            | ActivityKind::AccessRenewed
            | ActivityKind::AccessResumed
            | ActivityKind::OwnerSteppedDown => vec![Self::MemberChanged],
            ActivityKind::AccessPaused => vec![Self::MemberPaused],
            ActivityKind::AccessRemoved
            | ActivityKind::AccountLeft
            | ActivityKind::LoginDeleted => vec![Self::MemberRemoved],
            ActivityKind::OwnerHandedOver if after.is_none() => vec![Self::MemberRemoved],
            ActivityKind::OwnerHandedOver => vec![Self::MemberChanged],
            // These rows note why, or since when.
            ActivityKind::OwnerMade
            | ActivityKind::AccountTakenOver
            | ActivityKind::OwnerAddedByProvider => {
                return vec![Self::MemberChanged, Self::OwnerChanged];
            }
            ActivityKind::OwnerRemovedByProvider => {
                return vec![Self::MemberRemoved, Self::OwnerChanged];
            }
            // What follows changes nobody's membership.
            ActivityKind::InvitationSent
            | ActivityKind::InvitationChanged
            | ActivityKind::InvitationResent => return vec![Self::InvitationSent],
            ActivityKind::InvitationDeclined => return vec![Self::InvitationDeclined],
            ActivityKind::InvitationCancelled => return vec![Self::InvitationCancelled],
            ActivityKind::AccessRequested => return vec![Self::RequestOpened],
            ActivityKind::AccountChanged
            | ActivityKind::SecondFactorRule
            | ActivityKind::SessionRule
            | ActivityKind::DomainRule
            | ActivityKind::ProvenDomainRule
            | ActivityKind::IdentityProviderRule
            | ActivityKind::SingleSignOnRule => return vec![Self::AccountChanged],
            ActivityKind::AccountCreated
            | ActivityKind::AccessRequestDeclined
            | ActivityKind::OwnerOffered
            | ActivityKind::OwnerAccepted
            | ActivityKind::OwnerDeclined
            | ActivityKind::OwnerStopped
            | ActivityKind::OwnerLapsed
            | ActivityKind::SuccessorNamed
            | ActivityKind::SuccessorRemoved
            | ActivityKind::TakeoverAsked
            | ActivityKind::TakeoverAnswered
            // The provider did this, and knows.
            | ActivityKind::ServiceAdded
            | ActivityKind::ServiceChanged
            | ActivityKind::ServiceRemoved
            | ActivityKind::DomainAdded
            | ActivityKind::DomainChanged
            | ActivityKind::DomainRemoved
            | ActivityKind::InvoiceAdded
            | ActivityKind::InvoiceChanged
            | ActivityKind::InvoiceRemoved
            | ActivityKind::SupportRequestAdded
            | ActivityKind::SupportRequestChanged
            | ActivityKind::SupportRequestRemoved => return Vec::new(),
        };
        if owned(before) != owned(after) {
            kinds.push(Self::OwnerChanged);
        }
        kinds
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The text is no kind's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEventKind;

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.id() == id).ok_or(UnknownEventKind)
    }
}

/// Which kinds of events an endpoint is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKinds {
    /// All, also those to come.
    All,
    /// These.
    These(BTreeSet<EventKind>),
}

/// What stands for all kinds in the database. It is no kind's id.
const ALL: &str = "all";

impl EventKinds {
    /// Those that were chosen; all if none was.
    #[must_use]
    pub fn of(chosen: impl IntoIterator<Item = EventKind>) -> Self {
        let chosen: BTreeSet<_> = chosen.into_iter().collect();
        if chosen.is_empty() { Self::All } else { Self::These(chosen) }
    }

    /// Whether this kind is among them.
    #[must_use]
    pub fn contain(&self, kind: EventKind) -> bool {
        match self {
            Self::All => true,
            Self::These(kinds) => kinds.contains(&kind),
        }
    }

    /// Reads what [`EventKinds::to_stored`] wrote. A kind that this version doesn't know is none.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        match text {
            ALL => Self::All,
            ids => Self::These(ids.split_whitespace().filter_map(|id| id.parse().ok()).collect()),
        }
    }

    /// The text that the database holds, and that the operator reads.
    #[must_use]
    pub fn to_stored(&self) -> String {
        match self {
            Self::All => ALL.to_owned(),
            Self::These(kinds) => kinds.iter().map(|kind| kind.id()).collect::<Vec<_>>().join(" "),
        }
    }
}

/// What changed about a login. Its id is stable: it is what programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginChange {
    /// The name.
    Name,
    /// The address.
    Email,
    /// The password.
    Password,
    /// The second factors.
    SecondFactor,
}

impl LoginChange {
    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Password => "password",
            Self::SecondFactor => "second_factor",
        }
    }
}

/// An event's facts. They are stored as JSON until nobody can ask for the event any more; what programs
/// are told is made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFacts {
    /// The account that it happened in; none for a login's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountNumber>,
    /// The provider's own id of it, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<DoorRef>,
    /// About whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The provider's own id of them in the account, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<DoorRef>,
    /// Who did it; none for the provider, for time, and for somebody without a login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The provider's own id of them in the account, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_ref: Option<DoorRef>,
    /// The invitation that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// The provider's own id of whoever is invited, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_ref: Option<DoorRef>,
    /// The request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<AccessRequestId>,
    /// What changed: the id of the log's kind, or a [`LoginChange`]'s.
    pub change: String,
    /// What was given or offered before, where that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<EventAccess>,
    /// What is given, offered or asked for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<EventAccess>,
}

/// Access as programs are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAccess {
    /// The account is owned.
    Owner,
    /// These grants.
    Granted(Vec<EventGrant>),
}

/// A grant as programs are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventGrant {
    /// Its permissions.
    pub permissions: PermissionSet,
    /// The services that it reaches; none where it has no permission about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<EventReach>,
    /// The domains that it reaches; none where it has no permission about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<EventReach>,
    /// The moment from which it opens nothing; none if there is no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A reach as programs are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventReach {
    /// All things of the area, also those to come.
    All,
    /// These.
    These(BTreeSet<Uuid>),
}

impl EventAccess {
    /// The access that a row of the log notes, before it is written; none where it notes something else,
    /// or doesn't know by id which things are reached.
    #[must_use]
    pub fn of(noted: &Noted) -> Option<Self> {
        match noted {
            // Since when is noted of whoever became an owner.
            Noted::Owner | Noted::Since(_) => Some(Self::Owner),
            Noted::Grants(grants) => {
                let grants = grants.iter().map(crate::NotedGrant::as_event);
                grants.collect::<Option<_>>().map(Self::Granted)
            }
            Noted::Rule(_) | Noted::Reason(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NotedGrant, Permission, Reach, Terms};

    #[test]
    fn kinds_are_the_published_ones() {
        let ids = EventKind::ALL.map(EventKind::id);
        assert_eq!(
            ids,
            [
                "member.added",
                "member.changed",
                "member.paused",
                "member.removed",
                "owner.changed",
                "invitation.sent",
                "invitation.accepted",
                "invitation.declined",
                "invitation.cancelled",
                "invitation.expired",
                "request.opened",
                "login.changed",
                "account.changed",
            ]
        );
        assert!(EventKind::ALL.iter().all(|kind| kind.id().parse() == Ok(*kind)));
        assert_eq!("member".parse::<EventKind>(), Err(UnknownEventKind));
    }

    #[test]
    fn chosen_kinds_are_read_as_they_are_stored() {
        let two = EventKinds::of([EventKind::MemberRemoved, EventKind::MemberAdded]);
        assert_eq!(two.to_stored(), "member.added member.removed");
        assert!(two.contain(EventKind::MemberAdded) && !two.contain(EventKind::OwnerChanged));
        for kinds in [two, EventKinds::of([]), EventKinds::of(EventKind::ALL)] {
            assert_eq!(EventKinds::from_stored(&kinds.to_stored()), kinds);
        }
        assert!(EventKind::ALL.iter().all(|kind| EventKinds::All.contain(*kind)));
        // What only a newer version knows is none of ours, and doesn't become all.
        let newer = EventKinds::from_stored("moon.risen");
        assert!(EventKind::ALL.iter().all(|kind| !newer.contain(*kind)));
    }

    #[test]
    fn a_row_is_told_as_what_it_changed() {
        use ActivityKind as Row;
        use EventKind::*;
        let (owner, some) = (Noted::Owner, Noted::from(PermissionSet::all()));
        type Case<'a> = (Row, Option<&'a Noted>, Option<&'a Noted>, &'a [EventKind]);
        let since = Noted::Since(Timestamp::from_micros(7));
        let cases: [Case<'_>; 17] = [
            (Row::InvitationAccepted, None, Some(&some), &[InvitationAccepted, MemberAdded]),
            (
                Row::InvitationAccepted,
                None,
                Some(&owner),
                &[InvitationAccepted, MemberAdded, OwnerChanged],
            ),
            (Row::PermissionsChanged, Some(&some), Some(&some), &[MemberChanged]),
            (Row::PermissionsChanged, Some(&some), Some(&owner), &[MemberChanged, OwnerChanged]),
            (Row::AccountLeft, Some(&owner), None, &[MemberRemoved, OwnerChanged]),
            (Row::AccessRemoved, Some(&some), None, &[MemberRemoved]),
            (Row::InvitationSent, None, Some(&owner), &[InvitationSent]),
            (Row::InvitationCancelled, Some(&owner), None, &[InvitationCancelled]),
            (Row::SessionRule, None, None, &[AccountChanged]),
            (Row::AccountCreated, None, None, &[]),
            (Row::OwnerAccepted, None, Some(&since), &[]),
            (Row::OwnerMade, Some(&some), Some(&since), &[MemberChanged, OwnerChanged]),
            (Row::OwnerHandedOver, Some(&owner), None, &[MemberRemoved, OwnerChanged]),
            (Row::OwnerHandedOver, Some(&owner), Some(&some), &[MemberChanged, OwnerChanged]),
            (Row::OwnerSteppedDown, Some(&owner), Some(&some), &[MemberChanged, OwnerChanged]),
            (Row::LoginDeleted, Some(&some), None, &[MemberRemoved]),
            (Row::OwnerRemovedByProvider, None, None, &[MemberRemoved, OwnerChanged]),
        ];
        for (kind, before, after, told) in cases {
            assert_eq!(EventKind::of_row(kind, before, after), told, "{kind:?}");
        }
    }

    #[test]
    fn access_is_told_by_ids_with_reach_and_end() {
        let shop = Uuid::from_u128(7);
        let terms = Terms {
            permissions: [Permission::ServicesView, Permission::BillingView].into_iter().collect(),
            services: Reach::of(false, [shop]),
            domains: Reach::NOTHING,
            until: Some(Timestamp::from_micros(7)),
        };
        let noted = Noted::Grants(vec![NotedGrant::of(&terms, "typed")]);
        let grant = EventGrant {
            permissions: terms.permissions,
            services: Some(EventReach::These([shop].into())),
            domains: None,
            until: terms.until,
        };
        assert_eq!(EventAccess::of(&noted), Some(EventAccess::Granted(vec![grant])));
        // A row that is written holds names in place of ids.
        let named = noted.named(|_| Some("Webshop".to_owned()));
        assert_eq!(EventAccess::of(&named), None);
        let whole = Noted::from(terms.permissions);
        let Some(EventAccess::Granted(told)) = EventAccess::of(&whole) else {
            unreachable!("grants are told as such")
        };
        assert!(told.iter().all(|grant| grant.services == Some(EventReach::All)));
        assert_eq!(EventAccess::of(&Noted::Owner), Some(EventAccess::Owner));
        assert_eq!(EventAccess::of(&Noted::Reason("owner".to_owned())), None);
    }
}
