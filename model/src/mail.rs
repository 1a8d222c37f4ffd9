//! The mails that Latchkey sends, as facts. Their words live with the languages, and are put
//! together when a mail is sent or shown.

use serde::{Deserialize, Serialize};

use crate::{
    AccessOutline, AccountNumber, EndStage, Outlines, OwnerChangeId, Permission, PolicyRule,
    Secret, Timestamp, TypedAddress, TypedName,
};

/// How it is kept in bounds, how often somebody can cause a mail of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailBound {
    /// So many in so many hours: what would cause one more is refused.
    Counted {
        /// How many.
        most: u32,
        /// In how many hours.
        hours: u32,
    },
    /// As [`MailBound::Counted`], with the numbers that the operator sets.
    CountedBySettings,
    /// There is hardly more than one to each mail of another kind.
    Follows(MailKind),
    /// What causes one can't be refused, or shouldn't be. So many go out at once; beyond that they
    /// wait, and become one, which tells how it stands in the end, and that there were several.
    Gathered {
        /// How many go out at once.
        at_once: u32,
    },
}

/// Declares the mails once: name, stable id, what bounds them, and their facts. What somebody typed is
/// told by its type; a mail with a fact `expires_at` has a link that works until then.
macro_rules! mails {
    ($($(#[$doc:meta])* $kind:ident $id:literal, $bound:expr => {
        $($(#[$fact_doc:meta])* $fact:ident: $type:ty,)*
    })*) => {
        /// One mail's facts. It is stored as JSON in the outbox until it is sent, then erased: the
        /// link in it is a key.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Mail {
            $(
                $(#[$doc])*
                #[serde(rename = $id)]
                $kind { $($(#[$fact_doc])* $fact: $type,)* },
            )*
            /// Several mails of a kind about the same, in one.
            #[serde(rename = "several")]
            Several {
                /// How many.
                times: u32,
                /// When the first was queued.
                since: Timestamp,
                /// The last, which tells how it stands.
                last: Box<Mail>,
            },
        }

        impl Mail {
            /// Which mail it is.
            #[must_use]
            pub fn kind(&self) -> MailKind {
                match self {
                    $(Self::$kind { .. } => MailKind::$kind,)*
                    Self::Several { last, .. } => last.kind(),
                }
            }

            /// Until when the link in it works, if there is one.
            #[must_use]
            pub fn expires_at(&self) -> Option<Timestamp> {
                match self {
                    $(Self::$kind { $($fact,)* } => {
                        [$(mails!(@expiry $fact $fact)),*].into_iter().flatten().next()
                    })*
                    Self::Several { .. } => None,
                }
            }
        }

        /// Which mail it is; stays readable in the outbox after the facts are erased.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum MailKind {
            $(
                #[doc = concat!("[`Mail::", stringify!($kind), "`].")]
                #[serde(rename = $id)]
                $kind,
            )*
        }

        impl MailKind {
            /// Every kind.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$kind),*];

            /// The stable id that the database holds.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$kind => $id,)* }
            }

            /// What keeps mails of this kind in bounds.
            #[must_use]
            pub const fn bound(self) -> MailBound {
                match self { $(Self::$kind => $bound,)* }
            }
        }
    };
    (@expiry expires_at $at:ident) => { Some(*$at) };
    (@expiry $other:ident $fact:ident) => {{
        let _ = $fact;
        None::<Timestamp>
    }};
}

use MailBound::{Counted, CountedBySettings, Follows, Gathered};

// What tells of a danger to a login isn't held back at first: the second mail may be the thief's.
mails! {
    /// To the invited address: who invites you, to what, with what, until when.
    Invitation "invitation", CountedBySettings => {
        /// The account's name.
        account: TypedName,
        /// The inviter's full name; none when the provider set the account up.
        inviter: Option<TypedName>,
        /// The inviter's address, which says more than a name that they chose.
        #[serde(default)]
        inviter_email: Option<TypedAddress>,
        /// What is offered.
        access: AccessOutline,
        /// Whether whoever joins becomes an owner besides, once they have waited.
        #[serde(default)]
        becomes_owner: bool,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// To the inviter: somebody joined.
    InvitationAccepted "invitation_accepted", Follows(MailKind::Invitation) => {
        /// The account's name.
        account: TypedName,
        /// Who joined.
        name: TypedName,
        /// The address that was invited.
        email: TypedAddress,
        /// With what access.
        access: AccessOutline,
    }
    /// To the inviter: somebody said no.
    InvitationDeclined "invitation_declined", Follows(MailKind::Invitation) => {
        /// The account's name.
        account: TypedName,
        /// The address that was invited.
        email: TypedAddress,
    }
    /// To the operator: an invited person doesn't know who invites them.
    InvitationReported "invitation_reported", Gathered { at_once: 3 } => {
        /// The account's number.
        account_number: AccountNumber,
        /// The account's name.
        account: TypedName,
        /// The inviter's full name.
        inviter: TypedName,
        /// The inviter's address.
        inviter_email: TypedAddress,
        /// The address that was invited.
        email: TypedAddress,
    }
    /// To the operator: an address of theirs isn't told of events any more.
    WebhookOff "webhook_off", Gathered { at_once: 3 } => {
        /// The endpoint's id.
        endpoint: String,
        /// Its address.
        url: TypedName,
        /// Why, in the operator's words.
        why: TypedName,
        /// When the first of the tries was that came to nothing.
        tried_since: Timestamp,
    }
    /// To a user: what you may do in an account changed.
    PermissionsChanged "permissions_changed", Gathered { at_once: 1 } => {
        /// The account's name.
        account: TypedName,
        /// Who changed it.
        changed_by: TypedName,
        /// What was granted before.
        before: Outlines,
        /// What is granted now.
        after: Outlines,
    }
    /// To a user: your access to an account ended.
    AccessRemoved "access_removed", Follows(MailKind::Invitation) => {
        /// The account's name.
        account: TypedName,
        /// Who ended it; none when the user left.
        removed_by: Option<TypedName>,
    }
    /// To a user: your access to an account is paused, or isn't any more.
    AccessPaused "access_paused", Gathered { at_once: 3 } => {
        /// The account's name.
        account: TypedName,
        /// Who paused or resumed it.
        changed_by: TypedName,
        /// Why it is paused: empty if nobody said. None when it was resumed.
        paused: Option<TypedName>,
    }
    /// To a user: something that you were given ends, or ended.
    AccessEnds "access_ends", Gathered { at_once: 3 } => {
        /// The account's name.
        account: TypedName,
        /// What ends, and when.
        ending: Outlines,
        /// How near that is.
        stage: EndStage,
    }
    /// To who gave it: something that you gave others ends, or ended.
    GivenEnds "given_ends", Gathered { at_once: 3 } => {
        /// The account's name.
        account: TypedName,
        /// The account's number.
        account_number: AccountNumber,
        /// Whose access it is, and what of it.
        given: Vec<GivenEnd>,
        /// How near that is.
        stage: EndStage,
    }
    /// To whoever could give it: somebody asks for a permission.
    AccessRequested "access_requested", Gathered { at_once: 1 } => {
        /// The account's name.
        account: TypedName,
        /// The account's number.
        account_number: AccountNumber,
        /// Who asks for what.
        asked: Vec<AskedFor>,
    }
    /// To a user: what you asked for is declined.
    AccessRequestDeclined "access_request_declined", Follows(MailKind::AccessRequested) => {
        /// The account's name.
        account: TypedName,
        /// Who declined it.
        declined_by: TypedName,
        /// What was asked for.
        permission: Permission,
        /// On which service or domain; none for all.
        thing: Option<TypedName>,
        /// What they said to it; empty if nothing.
        words: TypedName,
    }
    /// To owners, and to whoever it is about: somebody becomes an owner, or an owner is one no more.
    OwnerNews "owner_news", Counted { most: 10, hours: 24 } => {
        /// The account's name.
        account: TypedName,
        /// The account's number.
        account_number: AccountNumber,
        /// Who reads it.
        reader: OwnerNewsReader,
        /// Who becomes an owner, or is one no more.
        name: TypedName,
        /// What happened.
        news: OwnerNews,
        /// What it tells of; none for an owner who stepped down.
        change: Option<OwnerChangeId>,
    }
    /// To a user: a link to choose a new password.
    PasswordReset "password_reset", Counted { most: 5, hours: 1 } => {
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// To an address without a login, in the place of [`Mail::PasswordReset`]: something waits for whoever
    /// has it.
    AccessWaits "access_waits", Follows(MailKind::PasswordReset) => {
        /// The account's name.
        account: TypedName,
        /// What waits.
        access: AccessOutline,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// To a user: the password of your login was changed.
    PasswordChanged "password_changed", Gathered { at_once: 3 } => {
        /// Whether by a link, so that nobody had to know the one before.
        by_link: bool,
        /// When.
        at: Timestamp,
        /// What the browser calls itself.
        user_agent: String,
        /// The client's address.
        address: String,
    }
    /// To a user: somebody signed in as you with a browser that you hadn't used before.
    NewDevice "new_device", Gathered { at_once: 3 } => {
        /// When.
        at: Timestamp,
        /// What the browser calls itself.
        user_agent: String,
        /// The client's address.
        address: String,
    }
    /// To a user: your second factors changed.
    FactorChanged "factor_changed", Gathered { at_once: 3 } => {
        /// What changed.
        news: FactorNews,
        /// When.
        at: Timestamp,
    }
    /// To the address of a login that was made without proving it: a link that proves it.
    EmailProof "email_proof", Counted { most: 5, hours: 1 } => {
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// To the address that a user wants for their login: a link that proves it.
    EmailChange "email_change", Counted { most: 5, hours: 1 } => {
        /// The address that the login has.
        before: TypedAddress,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// To an address that a user wants for their login, when it is another login's.
    EmailTaken "email_taken", Counted { most: 5, hours: 1 } => {
        /// When it was asked for.
        at: Timestamp,
    }
    /// To the address that a login had: it has another one now, and a link takes that back.
    EmailUndo "email_undo", Follows(MailKind::EmailChange) => {
        /// The address that the login has now.
        after: TypedAddress,
        /// Until when the link works.
        expires_at: Timestamp,
        /// The token in the link.
        token: Secret,
    }
    /// What happens to the address of a user's login.
    EmailNews "email_news", Follows(MailKind::EmailChange) => {
        /// What.
        news: EmailNews,
        /// The address that the login had.
        before: TypedAddress,
        /// The one that it has or shall have instead.
        after: TypedAddress,
        /// When.
        at: Timestamp,
    }
    /// To the address that a login had: it is deleted.
    LoginDeleted "login_deleted", Follows(MailKind::Invitation) => {
        /// When.
        at: Timestamp,
        /// What the browser calls itself.
        user_agent: String,
        /// The client's address.
        address: String,
    }
    /// To a user without a second factor: an account requires one.
    SecondFactorRequired "second_factor_demanded", Counted { most: 3, hours: 24 } => {
        /// The account's name.
        account: TypedName,
        /// From when on it opens with a second factor only.
        from: Timestamp,
        /// Whether that moment has come.
        closed: bool,
    }
    /// To an owner: a rule of the account's policy changed.
    PolicyChanged "policy_changed", Gathered { at_once: 3 } => {
        /// The account's name.
        account: TypedName,
        /// Who changed it.
        changed_by: TypedName,
        /// How it was.
        before: PolicyRule,
        /// How it is.
        after: PolicyRule,
    }
    /// To an account's owners, and to whom it is about: the provider made somebody an owner, ended an
    /// owner's access, or invited one.
    OwnersChangedByProvider "owners_changed_by_provider", Gathered { at_once: 3 } => {
        /// The account's name.
        account: TypedName,
        /// The provider's name.
        changed_by: TypedName,
        /// What became of whom.
        owners: Vec<ChangedOwner>,
        /// Why; empty if nobody said.
        why: TypedName,
    }
    /// To a user: an identity opens your login from now on, or no more.
    IdentityChanged "identity_changed", Gathered { at_once: 3 } => {
        /// Which of the two.
        news: IdentityNews,
        /// The identity provider's name.
        provider: TypedName,
        /// When.
        at: Timestamp,
    }
}

/// What somebody was given that ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenEnd {
    /// Their name.
    pub name: TypedName,
    /// Their address.
    pub email: TypedAddress,
    /// What ends, and when.
    pub ending: Outlines,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFor {
    /// Their name.
    pub name: TypedName,
    /// Their address.
    pub email: TypedAddress,
    /// The permission.
    pub permission: Permission,
    /// On which service or domain; none for all.
    pub thing: Option<TypedName>,
    /// Until when; none for no end.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: TypedName,
}

/// What the provider made of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvidersChange {
    /// They own the account from now on.
    Added,
    /// They aren't in the account any more.
    Removed,
    /// They are invited to own it.
    Invited,
}

/// Somebody who owns an account from now on, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedOwner {
    /// Which of these.
    pub news: ProvidersChange,
    /// Their name; empty of an invited one.
    pub name: TypedName,
    /// Their address.
    pub email: TypedAddress,
    /// Whether it is the mail's reader.
    pub is_reader: bool,
}

/// How many requests one mail tells of: of more, the newest.
const MOST_ASKED: usize = 20;

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

/// Who reads what happens to the owners of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerNewsReader {
    /// An owner.
    Owner,
    /// Whoever it is about.
    Person,
    /// Who handed the account over, and owns it no more.
    Giver,
}

/// What happens to the owners of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerNews {
    /// Somebody was asked to become an owner.
    Offered {
        /// Who asked.
        by: TypedName,
        /// Whether whoever asked hands the account over.
        handed: bool,
    },
    /// They accepted.
    Waiting {
        /// Who had asked.
        by: TypedName,
        /// Whether whoever asked hands the account over.
        handed: bool,
        /// When it comes true.
        due_at: Timestamp,
    },
    /// They are an owner.
    Done {
        /// Who had asked.
        by: TypedName,
        /// Whether whoever asked handed the account over.
        handed: bool,
    },
    /// An owner stopped it.
    Stopped {
        /// Who stopped it.
        by: TypedName,
    },
    /// They said no.
    Declined,
    /// It couldn't come true any more.
    Lapsed,
    /// An owner is one no more, of their own will.
    SteppedDown,
    /// Somebody may take the account over from now on if no owner can be reached.
    SuccessorNamed {
        /// Who named them.
        by: TypedName,
        /// How many days they wait who ask for it.
        days: u32,
    },
    /// They may no more.
    SuccessorRemoved {
        /// Who ended it.
        by: TypedName,
    },
    /// The successor asked to take the account over.
    TakeoverAsked {
        /// When.
        asked_at: Timestamp,
        /// When it comes true.
        due_at: Timestamp,
        /// Whether the owners were told before.
        again: bool,
    },
    /// An owner is here, and the successor takes nothing over.
    TakeoverAnswered {
        /// Which owner.
        by: TypedName,
    },
    /// The successor is an owner.
    TakenOver,
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

impl Mail {
    /// What it is about, among the mails of its kind to one person about one account: only mails
    /// about the same are gathered.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::FactorChanged { news, .. } => format!("{news:?}"),
            Self::IdentityChanged { news, provider, .. } => {
                format!("{news:?} {}", provider.as_typed())
            }
            Self::PolicyChanged { after, .. } => after.kind().id().to_owned(),
            // Each tells of others: none may take another's place.
            Self::OwnersChangedByProvider { owners, .. } => {
                let owner =
                    |owner: &ChangedOwner| format!("{:?} {}", owner.news, owner.email.as_typed());
                owners.iter().map(owner).collect::<Vec<_>>().join(" ")
            }
            Self::AccessEnds { stage, .. } | Self::GivenEnds { stage, .. } => format!("{stage:?}"),
            Self::WebhookOff { endpoint, .. } => endpoint.clone(),
            Self::Several { last, .. } => last.about(),
            _ => String::new(),
        }
    }

    /// This mail, with which `earlier` is gathered, that was queued at `since`: it tells how it
    /// stood before both and how it stands now.
    #[must_use]
    pub fn gathered_with(self, earlier: Self, since: Timestamp) -> Self {
        let (times, since, earlier) = match earlier {
            Self::Several { times, since, last } => (times, since, *last),
            earlier => (1, since, earlier),
        };
        let last = match (self, earlier) {
            (
                Self::PermissionsChanged { account, changed_by, after, .. },
                Self::PermissionsChanged { before, .. },
            ) => Self::PermissionsChanged { account, changed_by, before, after },
            (
                Self::PolicyChanged { account, changed_by, after, .. },
                Self::PolicyChanged { before, .. },
            ) => Self::PolicyChanged { account, changed_by, before, after },
            (
                Self::AccessRequested { account, account_number, asked },
                Self::AccessRequested { asked: mut all, .. },
            ) => {
                all.extend(asked);
                all.drain(..all.len().saturating_sub(MOST_ASKED));
                Self::AccessRequested { account, account_number, asked: all }
            }
            (last, earlier) => last.listing(earlier),
        };
        Self::Several { times: times.saturating_add(1), since, last: Box::new(last) }
    }

    /// Whether it lists what ends, which is noted in several transactions of one moment.
    #[must_use]
    pub fn lists(&self) -> bool {
        matches!(self, Self::AccessEnds { .. } | Self::GivenEnds { .. })
    }

    /// This mail, which lists what ends, and `earlier`, which was queued at the same moment, in one.
    #[must_use]
    pub fn joined_with(self, earlier: Self) -> Self {
        match earlier {
            Self::Several { times, since, last } => {
                Self::Several { times, since, last: Box::new(self.listing(*last)) }
            }
            earlier => self.listing(earlier),
        }
    }

    /// This mail; if it lists what ends, with what `earlier` lists in front.
    fn listing(self, earlier: Self) -> Self {
        match (self, earlier) {
            (
                Self::AccessEnds { account, ending, stage },
                Self::AccessEnds { ending: before, .. },
            ) => Self::AccessEnds { account, ending: before.and(&ending), stage },
            (
                Self::GivenEnds { account, account_number, given, stage },
                Self::GivenEnds { given: before, .. },
            ) => {
                let given = given.into_iter().fold(before, GivenEnd::among);
                Self::GivenEnds { account, account_number, given, stage }
            }
            (last, _) => last,
        }
    }
}

impl GivenEnd {
    /// Those before with this one: what was given to one person is told together.
    fn among(mut before: Vec<Self>, given: Self) -> Vec<Self> {
        match before.iter_mut().find(|earlier| earlier.email == given.email) {
            Some(earlier) => earlier.ending = earlier.ending.and(&given.ending),
            None => before.push(given),
        }
        before
    }
}

/// A mail as it waits in the outbox: its facts, and what it needs to be written. What earlier versions
/// queued holds the facts alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMail {
    /// The facts.
    #[serde(flatten)]
    pub mail: Mail,
    /// The time zone of the account that it tells of, in which days end there; none for the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The time zone that the recipient chose for their login, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_zone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Permission, PermissionSet};

    #[test]
    fn every_kind_of_mail_has_a_bound_in_the_end() {
        for kind in MailKind::ALL {
            let mut bound = kind.bound();
            for _ in MailKind::ALL {
                if let Follows(other) = bound {
                    bound = other.bound();
                }
            }
            let bounded = match bound {
                Counted { most, hours } => (1..=20).contains(&most) && hours > 0,
                CountedBySettings => true,
                Gathered { at_once } => (1..=3).contains(&at_once),
                Follows(_) => false,
            };
            assert!(bounded, "{kind:?}: {bound:?}");
        }
    }

    #[test]
    fn gathered_changes_tell_how_it_was_before_all_and_how_it_is_now() {
        let one = |permission| PermissionSet::from_iter([permission]);
        let change = |by: &str, before: PermissionSet, after: PermissionSet| {
            let (account, changed_by) = ("Bakery".into(), by.into());
            let (before, after) = (before.into(), after.into());
            Mail::PermissionsChanged { account, changed_by, before, after }
        };
        let (see, pay) = (one(Permission::BillingView), one(Permission::BillingPay));
        let at = Timestamp::from_micros;
        let second = change("Bjørn", pay, PermissionSet::EMPTY)
            .gathered_with(change("Ingrid", see, pay), at(1));
        let third = change("Amira", PermissionSet::EMPTY, pay).gathered_with(second, at(2));
        let last = Box::new(change("Amira", see, pay));
        assert_eq!(third, Mail::Several { times: 3, since: at(1), last });
        assert_eq!(third.kind(), MailKind::PermissionsChanged);
    }

    #[test]
    fn what_ends_at_one_moment_is_told_in_one_list() {
        let outlines = |text: &str| Outlines::from_stored(text);
        let one = |name: &str, ending: &str| GivenEnd {
            name: name.into(),
            email: format!("{name}@example.com").as_str().into(),
            ending: outlines(ending),
        };
        let given = |given: &[GivenEnd]| Mail::GivenEnds {
            account: "Bakery".into(),
            account_number: AccountNumber::from_stored(7),
            given: given.to_vec(),
            stage: EndStage::Day,
        };
        let (mei, more) = (one("mei", "billing.view until:7"), one("mei", "support.view until:7"));
        let both = one("mei", "billing.view until:7\nsupport.view until:7");
        let (first, second) = (given(&[mei]), given(&[more, one("ola", "services.view")]));
        let told = given(&[both, one("ola", "services.view")]);
        assert_eq!(second.clone().joined_with(first.clone()), told);
        let at = Timestamp::from_micros(1);
        let (times, last) = (2, Box::new(told));
        let several = Mail::Several { times, since: at, last };
        assert_eq!(second.clone().gathered_with(first.clone(), at), several);
        let earlier = Mail::Several { times, since: at, last: Box::new(first) };
        assert_eq!(second.joined_with(earlier), several);
    }

    #[test]
    fn gathered_requests_are_told_one_by_one_and_at_most_twenty_of_them() {
        let asked = |number: usize| AskedFor {
            name: format!("Name {number}").into(),
            email: "bjorn@example.com".into(),
            permission: Permission::BillingPay,
            thing: None,
            until: None,
            why: "Invoices".into(),
        };
        let mail = |asked| Mail::AccessRequested {
            account: "Bakery".into(),
            account_number: AccountNumber::from_stored(100_001),
            asked,
        };
        let one = |number| mail(vec![asked(number)]);
        let at = Timestamp::from_micros(1);
        let gathered =
            (1..30).fold(one(0), |earlier, number| one(number).gathered_with(earlier, at));
        let last = Box::new(mail((10..30).map(asked).collect()));
        assert_eq!(gathered, Mail::Several { times: 30, since: at, last });
    }

    #[test]
    fn a_mail_with_a_link_tells_until_when_it_works() {
        let expires_at = Timestamp::from_micros(7);
        let token = Secret::from("token".to_owned());
        let undo = Mail::EmailUndo { after: "kari@example.com".into(), expires_at, token };
        assert_eq!(undo.expires_at(), Some(expires_at));
        assert_eq!(Mail::EmailTaken { at: expires_at }.expires_at(), None);
    }
}
