//! The kinds of rows in an account's activity log, and what a row notes of before and after.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Access, AccessOutline, Area, EventGrant, EventReach, Outline, Outlines, Permission,
    PermissionSet, PolicyRule, Reach, Reached, Terms, Timestamp,
};

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
    /// The provider made somebody an owner.
    OwnerAddedByProvider = "owner.added_by_provider";
    /// The provider ended an owner's access.
    OwnerRemovedByProvider = "owner.removed_by_provider";
    /// Somebody left the account by deleting their login.
    LoginDeleted = "account.left_with_login";
    /// Somebody asked for a permission.
    AccessRequested = "access.requested";
    /// What somebody asked for was declined.
    AccessRequestDeclined = "access.request_declined";
    /// Somebody was asked to become an owner.
    OwnerOffered = "owner.offered";
    /// They accepted, or joined as one who becomes an owner: the waiting time runs.
    OwnerAccepted = "owner.accepted";
    /// They said no.
    OwnerDeclined = "owner.declined";
    /// An owner stopped it.
    OwnerStopped = "owner.stopped";
    /// It couldn't come true any more.
    OwnerLapsed = "owner.lapsed";
    /// Somebody became an owner.
    OwnerMade = "owner.made";
    /// An owner handed the account over, and is one no more.
    OwnerHandedOver = "owner.handed_over";
    /// An owner became a user with rights that they chose.
    OwnerSteppedDown = "owner.stepped_down";
    /// Somebody was named who may take the account over, or with other days to wait.
    SuccessorNamed = "successor.named";
    /// They may no more.
    SuccessorRemoved = "successor.removed";
    /// The successor asked to take the account over: the days run.
    TakeoverAsked = "successor.takeover_asked";
    /// An owner ended that by saying that they are here.
    TakeoverAnswered = "successor.takeover_answered";
    /// The successor became an owner.
    AccountTakenOver = "successor.took_over";
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
    /// The provider added a service.
    ServiceAdded = "service.added";
    /// The provider changed a service.
    ServiceChanged = "service.changed";
    /// The provider removed a service.
    ServiceRemoved = "service.removed";
    /// The provider added a domain.
    DomainAdded = "domain.added";
    /// The provider changed a domain.
    DomainChanged = "domain.changed";
    /// The provider removed a domain.
    DomainRemoved = "domain.removed";
    /// The provider added an invoice.
    InvoiceAdded = "invoice.added";
    /// The provider changed an invoice.
    InvoiceChanged = "invoice.changed";
    /// An invoice went to another account.
    InvoiceRemoved = "invoice.removed";
    /// The provider added a support request.
    SupportRequestAdded = "support.added";
    /// The provider changed a support request, or said something in it.
    SupportRequestChanged = "support.changed";
    /// A support request went to another account.
    SupportRequestRemoved = "support.removed";
}

impl ActivityKind {
    /// Whether its rows note nothing but why it was done.
    const fn is_of_reason(self) -> bool {
        matches!(
            self,
            Self::AccessPaused
                | Self::AccessResumed
                | Self::OwnerAddedByProvider
                | Self::OwnerRemovedByProvider
        )
    }
}

impl ActivityKind {
    /// Whether such a row notes from when on what it tells is true: that is written when it is known,
    /// or when somebody looks first.
    const fn tells_from_when(self) -> bool {
        matches!(
            self,
            Self::OwnerAccepted | Self::OwnerMade | Self::TakeoverAsked | Self::AccountTakenOver
        )
    }
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

/// Things of an area that a grant reaches, in a row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NotedThings {
    /// These, in a row that isn't written yet: whoever writes it finds out what they are called.
    Ids(BTreeSet<Uuid>),
    /// These, as they were called when it was written. None where it is all of them, where the grant
    /// has no permission about them, and in rows of earlier versions, which tell how many.
    Names(Vec<String>),
}

impl NotedThings {
    /// None of them by name.
    const UNNAMED: Self = Self::Names(Vec::new());

    fn of(reach: &Reach) -> Self {
        match reach {
            Reach::All => Self::UNNAMED,
            Reach::These(ids) => Self::Ids(ids.clone()),
        }
    }

    fn ids(&self) -> impl Iterator<Item = Uuid> {
        let ids = match self {
            Self::Ids(ids) => Some(ids),
            Self::Names(_) => None,
        };
        ids.into_iter().flatten().copied()
    }

    fn names(&self) -> &[String] {
        match self {
            Self::Ids(_) => &[],
            Self::Names(names) => names,
        }
    }

    /// As programs are told of it; none where so many are reached, and not known which.
    fn as_event(&self, reached: Reached) -> Option<EventReach> {
        match (self, reached) {
            (_, Reached::All) => Some(EventReach::All),
            (Self::Ids(ids), Reached::These(_)) => Some(EventReach::These(ids.clone())),
            (Self::Names(_), Reached::These(_)) => None,
        }
    }

    /// By the names that `called` knows, in their order.
    fn named(&self, called: impl Fn(Uuid) -> Option<String>) -> Self {
        match self {
            Self::Ids(ids) => {
                let mut names: Vec<_> = ids.iter().filter_map(|id| called(*id)).collect();
                names.sort_unstable();
                Self::Names(names)
            }
            named @ Self::Names(_) => named.clone(),
        }
    }
}

/// A grant as a row of the log notes it. The row outlives the things that it reached, and so it holds
/// their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedGrant {
    /// What it opens, in numbers, and until when.
    pub outline: Outline,
    services: NotedThings,
    domains: NotedThings,
    /// Why it was given; empty if nobody said.
    pub why: String,
}

impl NotedGrant {
    /// A grant with these terms, given for this reason.
    #[must_use]
    pub fn of(terms: &Terms, why: &str) -> Self {
        Self {
            outline: terms.outline(),
            services: NotedThings::of(&terms.services),
            domains: NotedThings::of(&terms.domains),
            why: why.to_owned(),
        }
    }

    /// What the things of the area that it reaches were called.
    #[must_use]
    pub fn names(&self, area: Area) -> &[String] {
        match area {
            Area::Services => self.services.names(),
            Area::Domains => self.domains.names(),
            Area::Billing | Area::Support | Area::Account => &[],
        }
    }

    /// The grant as programs are told of it; none once the row is written, which has no ids.
    #[must_use]
    pub fn as_event(&self) -> Option<EventGrant> {
        let Outline { permissions, services, domains, until } = self.outline;
        let told = |area, things: &NotedThings, reached| match permissions.in_area(area).next() {
            Some(_) => things.as_event(reached).map(Some),
            None => Some(None),
        };
        Some(EventGrant {
            permissions,
            services: told(Area::Services, &self.services, services)?,
            domains: told(Area::Domains, &self.domains, domains)?,
            until,
        })
    }

    /// The things that are still to be named.
    fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.services.ids().chain(self.domains.ids())
    }

    fn named(&self, called: impl Fn(Uuid) -> Option<String>) -> Self {
        Self {
            services: self.services.named(&called),
            domains: self.domains.named(&called),
            ..self.clone()
        }
    }

    /// The same with only these of its permissions, and what bounds them.
    fn with_only(&self, permissions: &[Permission]) -> Self {
        let outline = self.outline.with_only(permissions);
        let kept = |area, things: &NotedThings| match outline.permissions.in_area(area).next() {
            Some(_) => things.clone(),
            None => NotedThings::UNNAMED,
        };
        Self {
            outline,
            services: kept(Area::Services, &self.services),
            domains: kept(Area::Domains, &self.domains),
            why: self.why.clone(),
        }
    }

    /// Reads a line of what [`Noted`] is stored as.
    fn from_stored(line: &str) -> Self {
        let facts = |name: &'static str| {
            line.split_whitespace().filter_map(move |fact| fact.strip_prefix(name)).map(unescape)
        };
        Self {
            outline: Outline::from_stored(line),
            services: NotedThings::Names(facts(SERVICE).collect()),
            domains: NotedThings::Names(facts(DOMAIN).collect()),
            why: facts(WHY).next().unwrap_or_default(),
        }
    }
}

/// What stands before a fact in the line of a grant. Earlier versions pass them over.
const SERVICE: &str = "service=";
const DOMAIN: &str = "domain=";
const WHY: &str = "why=";

/// The line of the grant's outline, then the facts that only the log tells.
impl fmt::Display for NotedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outline)?;
        let why = Some(&self.why).filter(|why| !why.is_empty());
        let services = self.services.names().iter().map(|name| (SERVICE, name));
        let domains = self.domains.names().iter().map(|name| (DOMAIN, name));
        for (fact, text) in services.chain(domains).chain(why.map(|why| (WHY, why))) {
            write!(f, " {fact}{}", escape(text))?;
        }
        Ok(())
    }
}

/// A text without what ends a fact or a line.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c.is_whitespace() || c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Reads it back. What isn't escaped as we do it stays as it is.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How something stood before what a row tells, or stands since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// That the account was owned, or offered.
    Owner,
    /// What was granted or offered.
    Grants(Vec<NotedGrant>),
    /// A rule of the account's policy.
    Rule(PolicyRule),
    /// Why it was done, as somebody typed it.
    Reason(String),
    /// From when on it is true.
    Since(Timestamp),
}

/// An owner's access in the log. It is no permission's id; rows of earlier versions list what an
/// owner could do, and are read as they tell it.
const OWNER: &str = "owner";

impl Noted {
    /// Reads what [`Noted::to_stored`] wrote in a row of this kind.
    #[must_use]
    pub fn from_stored(kind: ActivityKind, text: &str) -> Self {
        if kind.is_of_reason() {
            return Self::Reason(text.to_owned());
        }
        if let (true, Ok(from)) = (kind.tells_from_when(), text.parse()) {
            return Self::Since(Timestamp::from_micros(from));
        }
        match PolicyRule::from_stored(kind, text) {
            Some(rule) => Self::Rule(rule),
            None if text == OWNER => Self::Owner,
            None => text.lines().map(NotedGrant::from_stored).collect(),
        }
    }

    /// The text that the database holds: of grants a line for each, as [`Outlines`] have, with the
    /// names of things and the reason behind it.
    #[must_use]
    pub fn to_stored(&self) -> String {
        match self {
            Self::Owner => OWNER.to_owned(),
            Self::Grants(grants) => {
                grants.iter().map(NotedGrant::to_string).collect::<Vec<_>>().join("\n")
            }
            Self::Rule(rule) => rule.to_stored(),
            Self::Reason(reason) => reason.clone(),
            Self::Since(since) => since.as_micros().to_string(),
        }
    }

    /// The grants; none for anything else.
    #[must_use]
    pub fn grants(&self) -> &[NotedGrant] {
        match self {
            Self::Grants(grants) => grants,
            Self::Owner | Self::Rule(_) | Self::Reason(_) | Self::Since(_) => &[],
        }
    }

    /// The access; none for anything else.
    #[must_use]
    pub fn access(&self) -> AccessOutline {
        match self {
            Self::Owner => AccessOutline::Owner,
            Self::Grants(grants) => {
                AccessOutline::Granted(grants.iter().map(|grant| grant.outline).collect())
            }
            Self::Rule(_) | Self::Reason(_) | Self::Since(_) => AccessOutline::NONE,
        }
    }

    /// What opens these permissions, for telling what bounds them: the grants that have one of them.
    #[must_use]
    pub fn opening(&self, permissions: &[Permission]) -> Vec<NotedGrant> {
        let opening = self.grants().iter().map(|grant| grant.with_only(permissions));
        opening.filter(|grant| !grant.outline.permissions.is_empty()).collect()
    }

    /// The rule, if it is one.
    #[must_use]
    pub const fn rule(&self) -> Option<&PolicyRule> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Owner | Self::Grants(_) | Self::Reason(_) | Self::Since(_) => None,
        }
    }

    /// Why it was done, if it is that.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Reason(reason) => Some(reason),
            Self::Owner | Self::Grants(_) | Self::Rule(_) | Self::Since(_) => None,
        }
    }

    /// From when on it is true, if it is that.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Since(since) => Some(*since),
            Self::Owner | Self::Grants(_) | Self::Rule(_) | Self::Reason(_) => None,
        }
    }

    /// The things that are still to be named.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.grants().iter().flat_map(NotedGrant::ids)
    }

    /// The same with the names of things in place of their ids. What nobody knows a name of is gone.
    #[must_use]
    pub fn named(&self, called: impl Fn(Uuid) -> Option<String>) -> Self {
        match self {
            Self::Grants(grants) => {
                Self::Grants(grants.iter().map(|grant| grant.named(&called)).collect())
            }
            noted => noted.clone(),
        }
    }
}

/// Without those that open nothing.
impl FromIterator<NotedGrant> for Noted {
    fn from_iter<I: IntoIterator<Item = NotedGrant>>(grants: I) -> Self {
        let opens = |grant: &NotedGrant| !grant.outline.permissions.is_empty();
        Self::Grants(grants.into_iter().filter(opens).collect())
    }
}

impl From<AccessOutline> for Noted {
    fn from(access: AccessOutline) -> Self {
        match access {
            AccessOutline::Owner => Self::Owner,
            AccessOutline::Granted(outlines) => {
                let grant = |outline: &Outline| NotedGrant {
                    outline: *outline,
                    services: NotedThings::UNNAMED,
                    domains: NotedThings::UNNAMED,
                    why: String::new(),
                };
                outlines.iter().map(grant).collect()
            }
        }
    }
}

impl From<&Access> for Noted {
    fn from(access: &Access) -> Self {
        match access {
            Access::Owner => Self::Owner,
            Access::Granted(held) => held.iter().map(|terms| NotedGrant::of(terms, "")).collect(),
        }
    }
}

impl From<PermissionSet> for Noted {
    fn from(permissions: PermissionSet) -> Self {
        AccessOutline::Granted(Outlines::from(permissions)).into()
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
    use crate::Timestamp;

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
        let kinds = [
            ActivityKind::AccessPaused,
            ActivityKind::AccessResumed,
            ActivityKind::OwnerAddedByProvider,
            ActivityKind::OwnerRemovedByProvider,
        ];
        for kind in kinds {
            assert_eq!(Noted::from_stored(kind, &reason.to_stored()), reason);
        }
        assert!(Permission::ALL.iter().all(|permission| permission.id() != OWNER));
    }

    #[test]
    fn a_moment_is_noted_beside_what_was_held_before() {
        let from = Noted::Since(Timestamp::from_micros(7));
        for kind in [
            ActivityKind::OwnerAccepted,
            ActivityKind::OwnerMade,
            ActivityKind::TakeoverAsked,
            ActivityKind::AccountTakenOver,
        ] {
            assert_eq!(Noted::from_stored(kind, &from.to_stored()), from);
            for before in ["", "owner", "services.view services:2 until:7"] {
                assert_eq!(Noted::from_stored(kind, before).to_stored(), before);
            }
        }
        let other = Noted::from_stored(ActivityKind::OwnerOffered, &from.to_stored());
        assert_eq!(other.since(), None);
    }

    #[test]
    fn grants_are_noted_with_the_names_of_what_they_reach() {
        let kind = ActivityKind::PermissionsChanged;
        let [shop, mail, gone] = [1, 2, 3].map(Uuid::from_u128);
        let called = |id: Uuid| match id {
            _ if id == shop => Some("Webshop 100 %".to_owned()),
            _ if id == mail => Some("Mail\nservices.order until:9".to_owned()),
            _ => None,
        };
        let terms = Terms {
            permissions: [Permission::ServicesView, Permission::BillingView].into_iter().collect(),
            services: Reach::of(false, [shop, mail, gone]),
            domains: Reach::NOTHING,
            until: Some(Timestamp::from_micros(7)),
        };
        let noted = Noted::Grants(vec![NotedGrant::of(&terms, "until Friday")]);
        assert_eq!(noted.ids().collect::<Vec<_>>(), [shop, mail, gone]);
        let named = noted.named(called);
        let text = "services.view billing.view services:3 until:7 \
                    service=Mail%0Aservices.order%20until:9 service=Webshop%20100%20%25 \
                    why=until%20Friday";
        assert_eq!(named.to_stored(), text);
        let read = Noted::from_stored(kind, text);
        assert_eq!(read.grants()[0].names(Area::Services), named.grants()[0].names(Area::Services));
        assert_eq!(read.grants()[0].why, "until Friday");
        assert_eq!(read.to_stored(), text);
        // Earlier versions read how many they are, and no more.
        let told: Outlines = std::iter::once(terms.outline()).collect();
        assert_eq!(Outlines::from_stored(text), told);
        let billing = read.opening(&[Permission::BillingView]);
        assert_eq!(billing[0].to_string(), "billing.view until:7 why=until%20Friday");
    }

    #[test]
    fn rows_of_earlier_versions_are_read_as_before() {
        let kind = ActivityKind::PermissionsChanged;
        let text = "services.view services:2 until:7\nbilling.view";
        let noted = Noted::from_stored(kind, text);
        assert_eq!(noted.access(), AccessOutline::Granted(Outlines::from_stored(text)));
        assert_eq!(noted.grants()[0].outline.services, Reached::These(2));
        assert!(noted.grants()[0].names(Area::Services).is_empty());
        assert_eq!(noted.to_stored(), text);
    }

    #[test]
    fn what_was_escaped_is_read_again() {
        for text in ["", "Webshop", "100 %", "a\tb\u{3000}c", "%20", "Bäckerei ø"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz%2"), "%zz%2");
    }
}
