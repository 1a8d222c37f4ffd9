//! The mails that Latchkey sends, as facts. Their words live with the languages, and are put
//! together when a mail is sent or shown.

use serde::{Deserialize, Serialize};

use crate::{Access, AccountNumber, PermissionSet, Secret, Timestamp};

/// One mail's facts. It is stored as JSON in the outbox until it is sent, then erased: the link in
/// it is a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// To the invited address: who invites you, to what, with what, until when.
    Invitation {
        /// The account's name.
        account: String,
        /// The inviter's full name; none when the provider set the account up.
        inviter: Option<String>,
        /// What is offered.
        access: Access,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    },
    /// To the inviter: somebody joined.
    InvitationAccepted {
        /// The account's name.
        account: String,
        /// Who joined.
        name: String,
        /// The address that was invited.
        email: String,
        /// With what access.
        access: Access,
    },
    /// To the inviter: somebody said no.
    InvitationDeclined {
        /// The account's name.
        account: String,
        /// The address that was invited.
        email: String,
    },
    /// To the operator: an invited person doesn't know who invites them.
    InvitationReported {
        /// The account's number.
        account_number: AccountNumber,
        /// The account's name.
        account: String,
        /// The inviter's full name.
        inviter: String,
        /// The inviter's address.
        inviter_email: String,
        /// The address that was invited.
        email: String,
    },
    /// To a user: what you may do in an account changed.
    PermissionsChanged {
        /// The account's name.
        account: String,
        /// Who changed it.
        changed_by: String,
        /// What was granted before.
        before: PermissionSet,
        /// What is granted now.
        after: PermissionSet,
    },
    /// To a user: your access to an account ended.
    AccessRemoved {
        /// The account's name.
        account: String,
        /// Who ended it; none when the user left.
        removed_by: Option<String>,
    },
    /// To a user: a link to choose a new password.
    PasswordReset {
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    },
    /// To a user: somebody signed in as you with a browser that you hadn't used before.
    NewDevice {
        /// When.
        at: Timestamp,
        /// What the browser calls itself.
        user_agent: String,
        /// The client's address.
        address: String,
    },
    /// To a user: your second factors changed.
    FactorChanged {
        /// What changed.
        news: FactorNews,
        /// When.
        at: Timestamp,
    },
}

/// What changed about somebody's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorNews {
    /// An authenticator app was turned on.
    AppOn,
    /// The authenticator app was turned off.
    AppOff,
    /// New recovery codes were made.
    CodesRenewed,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
}

/// Which mail it is; stays readable in the outbox after the facts are erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// [`Mail::Invitation`].
    Invitation,
    /// [`Mail::InvitationAccepted`].
    InvitationAccepted,
    /// [`Mail::InvitationDeclined`].
    InvitationDeclined,
    /// [`Mail::InvitationReported`].
    InvitationReported,
    /// [`Mail::PermissionsChanged`].
    PermissionsChanged,
    /// [`Mail::AccessRemoved`].
    AccessRemoved,
    /// [`Mail::PasswordReset`].
    PasswordReset,
    /// [`Mail::NewDevice`].
    NewDevice,
    /// [`Mail::FactorChanged`].
    FactorChanged,
}

impl Mail {
    /// Which mail it is.
    #[must_use]
    pub const fn kind(&self) -> MailKind {
        match self {
            Self::Invitation { .. } => MailKind::Invitation,
            Self::InvitationAccepted { .. } => MailKind::InvitationAccepted,
            Self::InvitationDeclined { .. } => MailKind::InvitationDeclined,
            Self::InvitationReported { .. } => MailKind::InvitationReported,
            Self::PermissionsChanged { .. } => MailKind::PermissionsChanged,
            Self::AccessRemoved { .. } => MailKind::AccessRemoved,
            Self::PasswordReset { .. } => MailKind::PasswordReset,
            Self::NewDevice { .. } => MailKind::NewDevice,
            Self::FactorChanged { .. } => MailKind::FactorChanged,
        }
    }
}

impl MailKind {
    /// The stable id that the database holds.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::InvitationAccepted => "invitation_accepted",
            Self::InvitationDeclined => "invitation_declined",
            Self::InvitationReported => "invitation_reported",
            Self::PermissionsChanged => "permissions_changed",
            Self::AccessRemoved => "access_removed",
            Self::PasswordReset => "password_reset",
            Self::NewDevice => "new_device",
            Self::FactorChanged => "factor_changed",
        }
    }
}
