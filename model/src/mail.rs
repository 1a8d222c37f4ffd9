//! The mails that Latchkey sends, as facts. Their words live with the languages, and are put
//! together when a mail is sent or shown.

use serde::{Deserialize, Serialize};

use crate::{Access, AccountNumber, PermissionSet, PolicyRule, Secret, Timestamp};

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
    /// To a user without a second factor: an account demands one.
    SecondFactorDemanded {
        /// The account's name.
        account: String,
        /// From when on it opens with a second factor only.
        from: Timestamp,
        /// Whether that moment has come.
        closed: bool,
    },
    /// To an owner: a rule of the account's policy changed.
    PolicyChanged {
        /// The account's name.
        account: String,
        /// Who changed it.
        changed_by: String,
        /// How it was.
        before: PolicyRule,
        /// How it is.
        after: PolicyRule,
    },
    /// To the address of a login that was made without proving it: a link that proves it.
    EmailProof {
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    },
    /// To the address that a user wants for their login: a link that proves it.
    EmailChange {
        /// The address that the login has.
        before: String,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    },
    /// To an address that a user wants for their login, when it is another login's.
    EmailTaken {
        /// When it was asked for.
        at: Timestamp,
    },
    /// To the address that a login had: it has another one now, and a link takes that back.
    EmailUndo {
        /// The address that the login has now.
        after: String,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    },
    /// What happens to the address of a user's login.
    EmailNews {
        /// What.
        news: EmailNews,
        /// The address that the login had.
        before: String,
        /// The one that it has or shall have instead.
        after: String,
        /// When.
        at: Timestamp,
    },
    /// To a user: an identity opens your login from now on, or no more.
    IdentityChanged {
        /// Which of the two.
        news: IdentityNews,
        /// The identity provider's name.
        provider: String,
        /// When.
        at: Timestamp,
    },
}

/// What happens to the address of somebody's login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailNews {
    /// Another one was asked for: to the present one.
    Asked,
    /// It was changed: to the new one.
    Changed,
    /// The change was taken back: to both.
    Undone,
}

/// What changed about an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityNews {
    /// It was linked to the login.
    Linked,
    /// It opens the login no more.
    Unlinked,
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
    /// The operator removed all second factors.
    AllRemoved,
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
    /// [`Mail::EmailProof`].
    EmailProof,
    /// [`Mail::EmailChange`].
    EmailChange,
    /// [`Mail::EmailTaken`].
    EmailTaken,
    /// [`Mail::EmailUndo`].
    EmailUndo,
    /// [`Mail::EmailNews`].
    EmailNews,
    /// [`Mail::SecondFactorDemanded`].
    SecondFactorDemanded,
    /// [`Mail::PolicyChanged`].
    PolicyChanged,
    /// [`Mail::IdentityChanged`].
    IdentityChanged,
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
            Self::EmailProof { .. } => MailKind::EmailProof,
            Self::EmailChange { .. } => MailKind::EmailChange,
            Self::EmailTaken { .. } => MailKind::EmailTaken,
            Self::EmailUndo { .. } => MailKind::EmailUndo,
            Self::EmailNews { .. } => MailKind::EmailNews,
            Self::SecondFactorDemanded { .. } => MailKind::SecondFactorDemanded,
            Self::PolicyChanged { .. } => MailKind::PolicyChanged,
            Self::IdentityChanged { .. } => MailKind::IdentityChanged,
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
            Self::EmailProof => "email_proof",
            Self::EmailChange => "email_change",
            Self::EmailTaken => "email_taken",
            Self::EmailUndo => "email_undo",
            Self::EmailNews => "email_news",
            Self::SecondFactorDemanded => "second_factor_demanded",
            Self::PolicyChanged => "policy_changed",
            Self::IdentityChanged => "identity_changed",
        }
    }
}
