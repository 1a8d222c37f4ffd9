//! What the last form came to, and its words.

use serde::{Deserialize, Serialize};

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// What it says.
    pub(crate) words: String,
    /// The invited address and its link, in the moment after sending.
    pub(crate) link: Option<(String, String)>,
    /// Recovery codes, in the moment after making them.
    pub(crate) codes: Vec<String>,
}

/// What the last form came to; said once, on the page where one lands.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// Somebody was asked to become an owner.
    OwnerAsked { name: String },
    /// Somebody was asked to own the account in the reader's place.
    HandingAsked { name: String },
    /// The reader accepted to become an owner.
    OwnershipAccepted,
    /// The reader declined to become an owner.
    OwnershipDeclined,
    /// The reader stopped that somebody becomes an owner.
    OwnerStopped { name: String },
    /// The reader stepped down as an owner.
    SteppedDown { account: String },
    /// The reader named a successor.
    SuccessorNamed { name: String },
    /// The reader removed the successor.
    SuccessorRemoved { name: String },
    /// The reader asked to take an account over.
    TakeoverAsked { account: String },
    /// The reader said that they are here, and so somebody takes nothing over.
    TakeoverAnswered { name: String },
    /// An invitation went out.
    InvitationSent { email: String, link: String },
    /// A pending invitation was changed and sent again.
    InvitationUpdated { email: String, link: String },
    /// A pending invitation was sent again.
    InvitationResent { email: String, link: String },
    /// An invitation was taken back.
    InvitationCancelled { email: String },
    /// The reader doesn't know who invited them.
    InvitationReported { account: String, provider: String },
    /// Something was saved.
    ChangesSaved,
    /// Somebody's access was saved: how it changed, unless it is paused, and whether they are told.
    AccessSaved { name: String, change: Option<model::AccessChange>, told: bool },
    /// Somebody's access was saved as it was.
    AccessUnchanged { name: String },
    /// Everybody in the account will need a second factor.
    FactorRequired,
    /// Nobody in the account needs a second factor any more.
    FactorNotRequired,
    /// Those without a second factor were reminded.
    Reminded,
    /// A domain is to be proven.
    DomainAdded { domain: String },
    /// A domain is the account's.
    DomainProven { domain: String },
    /// A domain is the account's no longer.
    DomainRemoved { domain: String },
    /// The account has an identity provider of its own.
    ProviderSaved,
    /// It has none any more.
    ProviderRemoved,
    /// Signing in with it is required.
    SingleSignOnRequired,
    /// It isn't required any more.
    SingleSignOnLifted,
    /// Somebody's access is paused.
    AccessPaused { name: String },
    /// Somebody's access isn't paused any more.
    AccessResumed { name: String },
    /// Somebody got anew what they had been given until a day.
    AccessRenewed { name: String },
    /// Somebody got extra access.
    ExtraGiven { name: String },
    /// Extra access of somebody was taken back.
    ExtraTakenBack { name: String },
    /// Somebody's access ended.
    AccessRemoved { name: String },
    /// The reader asked for a permission, and these were told.
    AccessAsked { names: Vec<String> },
    /// The reader took back what they had asked for.
    RequestWithdrawn,
    /// What somebody asked for was declined.
    RequestDeclined { name: String },
    /// The reader left an account.
    Left { account: String },
    /// The reader joined an account.
    Joined { account: String },
    /// A password was chosen by a link.
    PasswordChanged,
    /// The reader changed their password.
    OwnPasswordChanged,
    /// The reader signed out.
    SignedOut,
    /// The reader turned an authenticator app on; these are their recovery codes.
    AppOn { codes: Vec<String> },
    /// The reader turned their authenticator app off; whether another factor is left.
    AppOff { left: bool },
    /// The reader made new recovery codes.
    CodesRenewed { codes: Vec<String> },
    /// The reader added a passkey; these are the recovery codes that their first factor brings.
    PasskeyAdded { codes: Vec<String> },
    /// The reader removed a passkey; whether another factor is left.
    PasskeyRemoved { left: bool },
    /// The reader signed out on another device.
    DeviceEnded,
    /// The reader signed out on all other devices.
    OtherDevicesEnded,
    /// A link is on its way to the address that the reader wants for their login.
    EmailAsked { email: String },
    /// The reader confirmed the address of their login.
    EmailConfirmed { email: String },
    /// The address of the reader's login was put back.
    EmailUndone { email: String },
    /// The reader deleted their login.
    LoginDeleted,
    /// An identity opens the reader's login from now on.
    IdentityLinked { provider: String },
    /// An identity opens the reader's login no more.
    IdentityUnlinked { provider: String },
    /// The reader signed in with their company, too.
    IdentityVouched { provider: String },
    /// The reader said what they think of a guide.
    FeedbackGiven,
}

#[cfg(feature = "ssr")]
impl Notice {
    /// Puts it into words.
    pub(crate) fn say(&self) -> Said {
        let link = self.link().map(|(email, link)| (email.to_owned(), link.to_owned()));
        let codes = match self {
            Self::AppOn { codes } | Self::CodesRenewed { codes } | Self::PasskeyAdded { codes } => {
                codes.clone()
            }
            _ => Vec::new(),
        };
        Said { words: self.words(), link, codes }
    }

    fn words(&self) -> String {
        match self.clone() {
            Self::InvitationSent { email, .. } => words!(notice.invitation_sent, email = email),
            Self::InvitationUpdated { email, .. } => {
                words!(notice.invitation_updated, email = email)
            }
            Self::InvitationResent { email, .. } => {
                words!(notice.invitation_resent, email = email)
            }
            Self::InvitationCancelled { email } => {
                words!(notice.invitation_cancelled, email = email)
            }
            Self::InvitationReported { account, provider } => {
                words!(notice.invitation_reported, account = account, provider = provider)
            }
            Self::OwnerAsked { name } => words!(notice.owner_asked, name = name),
            Self::HandingAsked { name } => words!(notice.handing_asked, name = name),
            Self::OwnershipAccepted => words!(notice.ownership_accepted),
            Self::OwnershipDeclined => words!(notice.ownership_declined),
            Self::OwnerStopped { name } => words!(notice.owner_stopped, name = name),
            Self::SteppedDown { account } => words!(notice.stepped_down, account = account),
            Self::SuccessorNamed { name } => words!(notice.successor_named, name = name),
            Self::SuccessorRemoved { name } => words!(notice.successor_removed, name = name),
            Self::TakeoverAsked { account } => words!(notice.takeover_asked, account = account),
            Self::TakeoverAnswered { name } => words!(notice.takeover_answered, name = name),
            Self::ChangesSaved => words!(notice.changes_saved),
            Self::AccessSaved { name, change, told } => {
                crate::words::access_saved(&name, change.as_ref(), told)
            }
            Self::AccessUnchanged { name } => words!(notice.access_unchanged, name = name),
            Self::FactorRequired => words!(notice.factor_required),
            Self::FactorNotRequired => words!(notice.factor_not_required),
            Self::Reminded => words!(notice.reminded),
            Self::DomainAdded { domain } => words!(notice.domain_added, domain = domain),
            Self::DomainProven { domain } => words!(notice.domain_proven, domain = domain),
            Self::DomainRemoved { domain } => words!(notice.domain_removed, domain = domain),
            Self::ProviderSaved => words!(notice.provider_saved),
            Self::ProviderRemoved => words!(notice.provider_removed),
            Self::SingleSignOnRequired => words!(notice.sso_required),
            Self::SingleSignOnLifted => words!(notice.sso_lifted),
            Self::AccessPaused { name } => words!(notice.access_paused, name = name),
            Self::AccessResumed { name } => words!(notice.access_resumed, name = name),
            Self::AccessRenewed { name } => words!(notice.access_renewed, name = name),
            Self::ExtraGiven { name } => words!(notice.extra_given, name = name),
            Self::ExtraTakenBack { name } => words!(notice.extra_taken_back, name = name),
            Self::AccessRemoved { name } => words!(notice.access_removed, name = name),
            Self::AccessAsked { names } => match names.as_slice() {
                [only] => words!(notice.access_asked_one, owner = only.clone()),
                _ => words!(notice.access_asked, owners = crate::words::list(names)),
            },
            Self::RequestWithdrawn => words!(notice.request_withdrawn),
            Self::RequestDeclined { name } => words!(notice.request_declined, name = name),
            Self::Left { account } => words!(notice.left, account = account),
            Self::Joined { account } => words!(notice.joined, account = account),
            Self::PasswordChanged => words!(notice.password_changed),
            Self::OwnPasswordChanged => words!(notice.own_password_changed),
            Self::SignedOut => words!(notice.signed_out),
            Self::AppOn { codes } if codes.is_empty() => words!(notice.app_on_beside),
            Self::AppOn { .. } => words!(notice.app_on),
            Self::AppOff { left: true } => words!(notice.app_off_beside),
            Self::AppOff { left: false } => words!(notice.app_off),
            Self::CodesRenewed { .. } => words!(notice.codes_renewed),
            Self::PasskeyAdded { codes } if codes.is_empty() => words!(notice.passkey_added_beside),
            Self::PasskeyAdded { .. } => words!(notice.passkey_added),
            Self::PasskeyRemoved { left: true } => words!(notice.passkey_removed_beside),
            Self::PasskeyRemoved { left: false } => words!(notice.passkey_removed),
            Self::DeviceEnded => words!(notice.device_ended),
            Self::OtherDevicesEnded => words!(notice.other_devices_ended),
            Self::EmailAsked { email } => words!(notice.email_asked, email = email),
            Self::EmailConfirmed { email } => words!(notice.email_confirmed, email = email),
            Self::EmailUndone { email } => words!(notice.email_undone, email = email),
            Self::LoginDeleted => words!(notice.login_deleted),
            Self::IdentityLinked { provider } => {
                words!(notice.identity_linked, provider = provider)
            }
            Self::IdentityUnlinked { provider } => {
                words!(notice.identity_unlinked, provider = provider)
            }
            Self::IdentityVouched { provider } => {
                words!(notice.identity_vouched, provider = provider)
            }
            Self::FeedbackGiven => words!(notice.feedback_given),
        }
    }

    /// The invited address and its link, in the moment after sending.
    fn link(&self) -> Option<(&str, &str)> {
        match self {
            Self::InvitationSent { email, link }
            | Self::InvitationUpdated { email, link }
            | Self::InvitationResent { email, link } => Some((email, link)),
            _ => None,
        }
    }
}
