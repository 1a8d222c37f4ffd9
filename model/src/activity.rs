//! The kinds of rows in an account's activity log.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
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
        }
    };
}

kinds! {
    /// The account was set up.
    AccountCreated = "account.created";
    /// Name or address of the account changed.
    AccountChanged = "account.changed";
    /// An invitation was sent.
    InvitationSent = "invitation.sent";
    /// A pending invitation got other permissions and a new link.
    InvitationChanged = "invitation.changed";
    /// A pending invitation was sent again with a new link.
    InvitationResent = "invitation.resent";
    /// A pending invitation was taken back.
    InvitationCancelled = "invitation.cancelled";
    /// The invited person joined.
    InvitationAccepted = "invitation.accepted";
    /// The invited person said no.
    InvitationDeclined = "invitation.declined";
    /// Somebody's permissions changed.
    PermissionsChanged = "permissions.changed";
    /// Somebody's access was removed.
    AccessRemoved = "access.removed";
    /// Somebody left the account.
    AccountLeft = "account.left";
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
