//! The kinds of rows in an account's activity log, and what a row notes of before and after.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Access, AccessOutline, Outlines, PermissionSet, PolicyRule};

/// Declares the kinds once: name, stable id, and whether such a row tells of an offer.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal $(of $offer:ident)?;)*) => {
        /// What happened. Its id is stable: it stands in the database and in the CSV.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ActivityKind {
            $($(#[$doc])* #[serde(rename = $id)] $name,)*
        }

        impl ActivityKind {
            /// Every kind, in the order in which the filter shows it.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// Whether its permissions are an invitation's, which offers them; only who joined was
            /// granted something.
            #[must_use]
            pub const fn is_of_offer(self) -> bool {
                match self { $(Self::$name => kinds!(@offer $($offer)?),)* }
            }
        }
    };
    (@offer) => { false };
    (@offer offer) => { true };
}

kinds! {
    /// The account was set up.
    AccountCreated = "account.created";
    /// Name or address of the account changed.
    AccountChanged = "account.changed";
    /// An invitation was sent.
    InvitationSent = "invitation.sent" of offer;
    /// A pending invitation got other permissions and a new link.
    InvitationChanged = "invitation.changed" of offer;
    /// A pending invitation was sent again with a new link.
    InvitationResent = "invitation.resent" of offer;
    /// A pending invitation was taken back.
    InvitationCancelled = "invitation.cancelled" of offer;
    /// The invited person joined.
    InvitationAccepted = "invitation.accepted";
    /// The invited person said no.
    InvitationDeclined = "invitation.declined" of offer;
    /// Somebody's permissions changed.
    PermissionsChanged = "permissions.changed";
    /// Somebody's access was paused.
    AccessPaused = "access.paused";
    /// Somebody's paused access was resumed.
    AccessResumed = "access.resumed";
    /// What somebody had been given until a day was given to them anew.
    AccessRenewed = "access.renewed";
    /// Somebody's access was removed.
    AccessRemoved = "access.removed";
    /// Somebody left the account.
    AccountLeft = "account.left";
    /// A second factor was required of everybody, or isn't any more.
    SecondFactorRule = "policy.second_factor";
    /// How long sessions last in the account changed.
    SessionRule = "policy.sessions";
    /// The domains that invitations may go to changed.
    DomainRule = "policy.domains";
    /// The domains that the account has proven changed.
    ProvenDomainRule = "policy.proven_domains";
    /// The account's identity provider changed.
    IdentityProviderRule = "policy.identity_provider";
    /// Signing in with the account's identity provider was required, or isn't any more.
    SingleSignOnRule = "policy.single_sign_on";
}

/// The text is no kind's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownActivityKind;

impl FromStr for ActivityKind {
    type Err = UnknownActivityKind;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.id() == id).ok_or(UnknownActivityKind)
    }
}

/// How something stood before what a row tells, or stands since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// What was granted or offered.
    Access(AccessOutline),
    /// A rule of the account's policy.
    Rule(PolicyRule),
    /// Why it was done, as somebody typed it.
    Reason(String),
}

/// An owner's access in the log. It is no permission's id; rows of earlier versions list what an
/// owner could do, and are read as they tell it.
const OWNER: &str = "owner";

impl Noted {
    /// Reads what [`Noted::to_stored`] wrote in a row of this kind.
    #[must_use]
    pub fn from_stored(kind: ActivityKind, text: &str) -> Self {
        if kind == ActivityKind::AccessPaused {
            return Self::Reason(text.to_owned());
        }
        match PolicyRule::from_stored(kind, text) {
            Some(rule) => Self::Rule(rule),
            None if text == OWNER => Self::Access(AccessOutline::Owner),
            None => Self::Access(AccessOutline::Granted(Outlines::from_stored(text))),
        }
    }

    /// The text that the database holds.
    #[must_use]
    pub fn to_stored(&self) -> String {
        match self {
            Self::Access(AccessOutline::Owner) => OWNER.to_owned(),
            Self::Access(AccessOutline::Granted(outlines)) => outlines.to_stored(),
            Self::Rule(rule) => rule.to_stored(),
            Self::Reason(reason) => reason.clone(),
        }
    }

    /// The access; none for anything else.
    #[must_use]
    pub fn access(&self) -> AccessOutline {
        match self {
            Self::Access(access) => access.clone(),
            Self::Rule(_) | Self::Reason(_) => AccessOutline::NONE,
        }
    }

    /// The rule, if it is one.
    #[must_use]
    pub const fn rule(&self) -> Option<&PolicyRule> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Access(_) | Self::Reason(_) => None,
        }
    }

    /// Why it was done, if it is that.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Reason(reason) => Some(reason),
            Self::Access(_) | Self::Rule(_) => None,
        }
    }
}

impl From<AccessOutline> for Noted {
    fn from(access: AccessOutline) -> Self {
        Self::Access(access)
    }
}

impl From<&Access> for Noted {
    fn from(access: &Access) -> Self {
        Self::Access(access.outline())
    }
}

impl From<PermissionSet> for Noted {
    fn from(permissions: PermissionSet) -> Self {
        Self::Access(AccessOutline::Granted(permissions.into()))
    }
}

impl From<PolicyRule> for Noted {
    fn from(rule: PolicyRule) -> Self {
        Self::Rule(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permission;

    #[test]
    fn an_owner_is_noted_as_one() {
        let kind = ActivityKind::InvitationAccepted;
        let everything = PermissionSet::all();
        let cases = [
            (Noted::from(&Access::Owner), "owner".to_owned()),
            (everything.into(), everything.to_stored()),
            ((&Access::NONE).into(), String::new()),
        ];
        for (noted, stored) in cases {
            assert_eq!(noted.to_stored(), stored);
            assert_eq!(Noted::from_stored(kind, &stored), noted);
        }
        let reason = Noted::Reason("owner".to_owned());
        assert_eq!(Noted::from_stored(ActivityKind::AccessPaused, &reason.to_stored()), reason);
        assert!(Permission::ALL.iter().all(|permission| permission.id() != OWNER));
    }
}
