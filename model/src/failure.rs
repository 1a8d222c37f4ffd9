//! Everything that can go wrong for somebody who uses Latchkey, as codes. The words live with the
//! languages; a cause that only the operator can mend is logged where it happens.

use serde::{Deserialize, Serialize};

use crate::{
    EmailDomain, EmailDomains, InvitationState, PausedAccess, Permission, Timestamp, UserId,
};

/// Why something that was asked for didn't happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// What was typed can't be taken; each field says why. HTTP 422.
    Invalid(FieldErrors),
    /// Nobody is signed in, or the session ended. HTTP 401.
    SignedOut,
    /// It takes a fresh proof of who the user is: the session's last one is too old. HTTP 401
    /// (RFC 9470 section 3).
    Unconfirmed,
    /// Whoever has a second factor has to prove first, by that, who they are.
    FactorUnconfirmed,
    /// The actor lacks this permission. HTTP 403.
    NotAllowed(Permission),
    /// The actor has this permission, but not on all that it was to be given or taken back on. HTTP
    /// 403.
    OutOfReach(Permission),
    /// The actor has this permission on all of that, but not for so long. HTTP 403.
    EndsEarlier(Permission),
    /// Only an owner of the account may. HTTP 403.
    OwnersOnly,
    /// The account requires a second factor of everybody, and the user has none. HTTP 403.
    NoSecondFactor,
    /// The account requires a sign-in with its own identity provider. HTTP 403.
    SingleSignOn,
    /// The same, which the user can't do: the address that its provider knew was changed. HTTP 403.
    AddressGivenUp,
    /// The account's own identity provider vouched for the user longer ago than the account wants
    /// it. HTTP 403.
    VouchedLongAgo,
    /// The user's access to the account is paused: it opens nothing to them at present. HTTP 403.
    Paused(Box<PausedAccess>),
    /// The user looks at the account through the eyes of the person with this name, or through those of
    /// somebody new: nothing is changed through them. HTTP 403.
    ThroughEyes(Option<String>),
    /// The account invites addresses of these domains only. HTTP 422.
    OtherDomain(EmailDomains),
    /// There is no such thing, or none that the actor may know of. HTTP 404.
    NotFound,
    /// The domain doesn't hold the record that proves it, or not everybody sees it yet. HTTP 409.
    NoRecord(EmailDomain),
    /// Somebody else was faster; this is how things stand now. HTTP 409.
    Conflict(Conflict),
    /// The user is the only owner of the accounts with these names, which would be left without one.
    /// HTTP 409.
    OnlyOwner(Vec<String>),
    /// Too often in too short a time. HTTP 429.
    TooMany(Limit),
    /// The identity provider doesn't answer, or not as it should. HTTP 502.
    IdentityProvider,
    /// The domain's name servers don't answer, or not as they should. HTTP 502.
    NameServers(EmailDomain),
    /// The database or another part can't answer now; nothing was changed. HTTP 503.
    Unavailable,
}

impl Failure {
    /// A failure of one field.
    #[must_use]
    pub fn field(field: Field, problem: FieldProblem) -> Self {
        Self::Invalid(FieldErrors(vec![FieldError { field, problem }]))
    }

    /// The HTTP status (RFC 9110 section 15) that says this.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::OtherDomain(_) => 422,
            Self::SignedOut | Self::Unconfirmed | Self::FactorUnconfirmed => 401,
            Self::NotAllowed(_)
            | Self::OutOfReach(_)
            | Self::EndsEarlier(_)
            | Self::OwnersOnly
            | Self::NoSecondFactor
            | Self::SingleSignOn
            | Self::AddressGivenUp
            | Self::VouchedLongAgo
            | Self::Paused(_)
            | Self::ThroughEyes(_) => 403,
            Self::NotFound => 404,
            Self::Conflict(_) | Self::NoRecord(_) | Self::OnlyOwner(_) => 409,
            Self::TooMany(_) => 429,
            Self::IdentityProvider | Self::NameServers(_) => 502,
            Self::Unavailable => 503,
        }
    }
}

/// How things stand, when that is why a request came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The invitation isn't pending any more.
    Invitation(InvitationState),
    /// A newer invitation mail made this link invalid.
    LinkReplaced,
    /// The user is in the account already.
    AlreadyInAccount,
    /// The account would be left without an owner who can sign in.
    LastOwner,
    /// The same with another address: the account's own identity provider doesn't know it.
    LastOwnersAddress,
    /// An owner's access can't be changed or removed by anybody else.
    OwnersStay,
    /// Nobody but an owner changes their own permissions.
    OwnPermissions,
    /// The invitation is for another address than the one signed in with.
    OtherAddress,
    /// The address got a login in the meantime: sign in with it.
    LoginExists,
    /// The inviter may no longer grant any of what was offered.
    NothingLeftToGrant,
    /// The link was used or is too old.
    LinkSpent,
    /// The sign-in took too long, failed too often, or something about the login changed: it
    /// begins anew.
    SignInOver,
    /// The identity provider didn't say who the person is, or said it in a way that can't be
    /// trusted; or they changed their mind there.
    NotIdentified(NotIdentified),
    /// The identity provider names no address that it verified.
    AddressUnverified,
    /// The same, of an account's own provider.
    AddressUnverifiedThere,
    /// Nobody has a login with the address that the identity provider names.
    NoLogin,
    /// The identity's address is that of another login than the one signed in with.
    OtherLogin,
    /// The set-up of an authenticator app ended: it begins anew.
    SetupOver,
    /// The password is too short to stand alone, without a second factor.
    ShortPassword,
    /// A passkey was asked for too long ago, or the answer was taken already.
    PasskeyOver,
    /// The user has as many passkeys as one can have.
    TooManyPasskeys,
    /// Somebody else changed it since the form was shown.
    ChangedMeanwhile,
    /// Another login has the e-mail address, or had it lately and may take it back.
    AddressTaken,
    /// The invited address was a login's until lately, and that may be taken back: nobody else gets
    /// it before.
    AddressHeld,
    /// Who requires a second factor of others must have one first.
    SecondFactorFirst,
    /// The account takes in only addresses of other domains than the invited one.
    OtherDomain,
    /// The address that the account's identity provider names is of none of its domains, or of
    /// nobody in the account.
    NotInAccount,
    /// Another account has proven the domain.
    DomainTaken,
    /// There is no identity provider, or no proven domain, that could be signed in with.
    NoSingleSignOn,
    /// Who requires a sign-in of others must have signed in that way themselves.
    SignInFirst,
    /// What everybody has to sign in with can't be changed as long as it is required.
    WhileRequired,
    /// The account has as many domains as one can have.
    TooManyDomains,
    /// The user holds as many grants as one can hold.
    TooManyGrants,
    /// Who asks for a permission has it already.
    HeldAlready,
    /// Who asks for a permission has asked for it already, and waits for an answer.
    AskedAlready,
    /// The request is answered or withdrawn.
    RequestOver,
    /// The user is an owner already.
    OwnerAlready,
    /// The user was asked to become an owner already, and that is neither answered nor over.
    OwnerChangeAsked,
    /// The account is being handed to somebody already.
    HandedAlready,
    /// That somebody becomes an owner is true, stopped or over by now.
    OwnerChangeOver,
    /// Whose access is paused doesn't become an owner.
    PausedUser,
    /// The successor has asked to take the account over, or was asked to become an owner, and that is
    /// open.
    TakeoverAsked,
}

/// Why an identity provider vouched for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotIdentified {
    /// The person, or their provider, said no.
    Cancelled,
    /// It can't do it at the moment.
    Busy,
    /// It doesn't take what it is asked: one of the two isn't set up for the other.
    SetUp,
    /// It doesn't take our client ID and secret.
    Secret,
    /// What the browser came back with holds no more.
    Late,
    /// By our clock, what it says doesn't hold yet or any more.
    Clock,
    /// What it says is for somebody else.
    Audience,
    /// What it says is another provider's.
    Issuer,
    /// What it says can't be trusted for another reason.
    Untrusted,
}

impl NotIdentified {
    /// What an error means that a provider names (RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect
    /// Core 1.0 section 3.1.2.6).
    #[must_use]
    pub fn told(error: &str) -> Self {
        match error {
            "access_denied" => Self::Cancelled,
            "server_error" | "temporarily_unavailable" => Self::Busy,
            "invalid_client" | "unauthorized_client" => Self::Secret,
            "invalid_grant"
            | "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required" => Self::Late,
            _ => Self::SetUp,
        }
    }
}

/// Which limit was reached, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What there was too much of.
    pub of: Limited,
    /// Seconds until another try makes sense.
    pub retry_after_seconds: u32,
}

impl Limit {
    /// The limit that lets nothing pass before `until`.
    #[must_use]
    pub fn until(of: Limited, until: Timestamp, now: Timestamp) -> Self {
        let seconds = until.since(now).as_millis().div_ceil(1_000);
        Self { of, retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX) }
    }
}

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    /// Tries of whoever asks.
    Tries,
    /// Invitation mails of one inviter.
    InvitationsOfInviter,
    /// Invitation mails of one account.
    InvitationsOfAccount,
    /// Invitation mails to one address.
    InvitationsToAddress,
    /// Reminders of what an account requires.
    Reminders,
    /// Requests for access of one person in one account.
    AccessRequests,
    /// Offers to become an owner of one account.
    OwnerChanges,
    /// How often one successor asks to take one account over.
    Takeovers,
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// "Email address".
    Email,
    /// The permission groups as a whole.
    Permissions,
    /// "What" is asked for.
    Permission,
    /// "Full name".
    FullName,
    /// "Password".
    Password,
    /// "New password".
    NewPassword,
    /// "Code".
    Code,
    /// What the browser answers when it is asked for a passkey; nobody sees it.
    Passkey,
    /// "Name", of a passkey.
    PasskeyName,
    /// "Account name".
    AccountName,
    /// "Street and number".
    Street,
    /// "Postal code".
    PostalCode,
    /// "Town".
    Town,
    /// "Country".
    Country,
    /// "Time zone".
    TimeZone,
    /// Whether a guide answered the reader's question.
    Helped,
    /// What a reader adds about a guide.
    Comment,
    /// Days until a second factor is needed.
    Days,
    /// How long an account may be left unused.
    SessionIdle,
    /// How long a session opens an account at any rate.
    SessionAbsolute,
    /// Why somebody's access is paused.
    PauseReason,
    /// The domains that invitations go to.
    Domains,
    /// A domain to be proven.
    Domain,
    /// "Which services?"
    WhichServices,
    /// "Which domains?"
    WhichDomains,
    /// "Until"
    Until,
    /// "From", the first of the days that are asked for.
    FromDay,
    /// "To", the last of them.
    ToDay,
    /// "Why"
    Why,
    /// "What you become", when the account is handed over.
    Becomes,
    /// "Who may take the account over".
    Successor,
    /// How many days a successor waits.
    WaitDays,
    /// What is said to somebody whose request is declined.
    Words,
    /// "Issuer", of an identity provider.
    Issuer,
    /// "Client ID".
    ClientId,
    /// "Client secret".
    ClientSecret,
    /// What a form carries unseen, or the form as a whole.
    Form,
}

impl Field {
    /// The field's name in the form, and its control's id.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Permissions => "permissions",
            Self::Permission => "permission",
            Self::FullName => "full_name",
            Self::Password => "password",
            Self::NewPassword => "new_password",
            Self::Code => "code",
            Self::Passkey => "credential",
            Self::PasskeyName => "name",
            Self::AccountName => "account_name",
            Self::Street => "street",
            Self::PostalCode => "postal_code",
            Self::Town => "town",
            Self::Country => "country",
            Self::TimeZone => "time_zone",
            Self::Helped => "helped",
            Self::Comment => "comment",
            Self::Days => "days",
            Self::SessionIdle => "session_idle",
            Self::SessionAbsolute => "session_absolute",
            Self::PauseReason => "pause_reason",
            Self::Domains => "domains",
            Self::Domain => "domain",
            Self::WhichServices => "which-services",
            Self::WhichDomains => "which-domains",
            Self::Until => "until",
            Self::FromDay => "from",
            Self::ToDay => "to",
            Self::Why => "why",
            Self::Becomes => "becomes",
            Self::Successor => "successor",
            Self::WaitDays => "wait_days",
            Self::Words => "words",
            Self::Issuer => "issuer",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::Form => "form",
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldProblem {
    /// Nothing was entered or chosen.
    Missing,
    /// It doesn't have the form that it needs.
    Malformed,
    /// Fewer characters than are needed.
    TooShort,
    /// Fewer characters than a password needs beside a second factor.
    TooShortWithFactor,
    /// More characters than are taken.
    TooLong,
    /// It isn't the user's password.
    WrongPassword,
    /// E-mail address and password don't belong together; which of them is wrong isn't said.
    WrongCredentials,
    /// It is no code of the user's, or it was used before.
    WrongCode,
    /// No passkey was given: the person or their device didn't want to, or it took too long.
    NoPasskey,
    /// The browser knows no passkeys, or no device here can keep or use one.
    NoPasskeyHere,
    /// The device has a passkey for this login already.
    PasskeyKnown,
    /// It is no passkey of the user's (any more), or what it signed is wrong.
    WrongPasskey,
    /// Its signature counter didn't go on: there may be a copy of it.
    CopiedPasskey,
    /// It says that it is kept otherwise than when it was added.
    ChangedPasskey,
    /// The person is in the account already: this user.
    AlreadyInAccount(UserId),
    /// The domain is in the account's list already.
    AlreadyListed,
    /// The address takes no invitations from this account.
    TakesNoInvitations,
    /// It isn't one of the values that the form offers.
    Unknown,
    /// It is over already.
    Past,
    /// It is too far away.
    TooFar,
    /// Nothing would be left of somebody's permissions.
    NothingLeft,
    /// A password that would be guessed soon.
    Guessable(Guessable),
    /// The address is the user's already.
    SameAddress,
    /// It isn't the address of the user's login.
    OtherAddress,
    /// The address that the user has isn't proven yet.
    Unproven,
    /// No account has set up a sign-in of its own for the address's domain.
    NoSingleSignOn,
    /// What should be there doesn't answer, or not as it should.
    Unanswered,
    /// What is there doesn't describe itself as what it should be, or can't do what it has to.
    NoDescription,
    /// What is there calls itself by another address.
    OtherIssuer,
}

/// Why a password would be guessed soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guessable {
    /// It is one of the most used passwords, or close to one.
    Common,
    /// Most of it is the person's name, their address or the service's name.
    Personal,
    /// It repeats the same.
    Repeats,
    /// It follows the keyboard.
    Keys,
    /// It is a row such as abc or 6543.
    Sequence,
    /// It is a date or a year.
    Date,
    /// It is hardly more than one word or name.
    Word,
}

/// One field and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a form, in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Keeps a parsed value, or notes what is wrong with its field.
    pub fn take<T>(&mut self, field: Field, parsed: Result<T, FieldProblem>) -> Option<T> {
        parsed.map_err(|problem| self.note(field, problem)).ok()
    }

    /// Notes what is wrong with a field.
    pub fn note(&mut self, field: Field, problem: FieldProblem) {
        self.0.push(FieldError { field, problem });
    }

    /// The failure that says it all.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        Failure::Invalid(self)
    }

    /// What is wrong with one field, if anything.
    #[must_use]
    pub fn of(&self, field: Field) -> Option<FieldProblem> {
        self.0.iter().find(|error| error.field == field).map(|error| error.problem)
    }
}
