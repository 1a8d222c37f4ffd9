//! Grants: permissions with what they reach and until when, by name and in outline.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Area, Permission, PermissionSet, Timestamp};

/// How many grants somebody can hold in an account.
pub const MOST_GRANTS: usize = 50;

/// A grant's id. Of the grants that somebody holds, one that was given later has a greater one: what a
/// form calls their first stays so, whatever becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(Uuid);

impl From<Uuid> for GrantId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl GrantId {
    /// This id for a grant that is given to whoever holds those; if it isn't behind all of them, one that
    /// is. Clocks differ, and ids of earlier versions are in no order.
    #[must_use]
    pub fn behind(self, held: impl IntoIterator<Item = Self>) -> Self {
        match held.into_iter().max() {
            Some(last) if self <= last => Self(Uuid::from_u128(last.0.as_u128().saturating_add(1))),
            _ => self,
        }
    }
}

impl From<GrantId> for Uuid {
    fn from(id: GrantId) -> Self {
        id.0
    }
}

/// Which things of an area a grant reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All of them, also those to come.
    All,
    /// These, by their ids. None of them is no reach.
    These(BTreeSet<Uuid>),
}

impl Default for Reach {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Reach {
    /// All that there is, or these.
    #[must_use]
    pub fn of(all: bool, ids: impl IntoIterator<Item = Uuid>) -> Self {
        if all { Self::All } else { Self::These(ids.into_iter().collect()) }
    }

    /// Whether it is all, also what is to come.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Nothing at all.
    pub const NOTHING: Self = Self::These(BTreeSet::new());

    /// Whether nothing is reached.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::These(ids) if ids.is_empty())
    }

    /// Whether all that `other` reaches is reached.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::These(_), Self::All) => false,
            (Self::These(ours), Self::These(theirs)) => theirs.is_subset(ours),
        }
    }

    /// What both reach.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach.clone(),
            (Self::These(ours), Self::These(theirs)) => {
                Self::These(ours.intersection(theirs).copied().collect())
            }
        }
    }

    /// What either reaches.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::These(ours), Self::These(theirs)) => {
                Self::These(ours.union(theirs).copied().collect())
            }
        }
    }

    /// What this reaches and the other doesn't. Of all but some, all is left: it stands for those to
    /// come as well.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        match (self, other) {
            (_, Self::All) => Self::NOTHING,
            (Self::All, Self::These(_)) => Self::All,
            (Self::These(ours), Self::These(theirs)) => {
                Self::These(ours.difference(theirs).copied().collect())
            }
        }
    }
}

/// What is given: permissions, which services and domains they reach, and until when. Nothing of it
/// opens nothing, once it went through [`Terms::opening`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The permissions.
    pub permissions: PermissionSet,
    /// The services that those of the area Services reach.
    pub services: Reach,
    /// The domains that those of the area Domains reach.
    pub domains: Reach,
    /// The moment from which they open nothing; none if there is no end.
    pub until: Option<Timestamp>,
}

impl Terms {
    /// These permissions on everything, without end.
    #[must_use]
    pub fn whole(permissions: PermissionSet) -> Self {
        Self { permissions, services: Reach::All, domains: Reach::All, until: None }.opening()
    }

    /// One permission with what it implies: on this service or domain, or on all where none is named.
    #[must_use]
    pub fn one(permission: Permission, thing: Option<Uuid>, until: Option<Timestamp>) -> Self {
        let reach = thing.map_or(Reach::All, |thing| Reach::of(false, [thing]));
        let permissions = std::iter::once(permission).collect();
        Self { permissions, services: reach.clone(), domains: reach, until }.opening()
    }

    /// What the area's permissions reach; none for an area that is about the account as a whole.
    #[must_use]
    pub const fn reach_in(&self, area: Area) -> Option<&Reach> {
        match area {
            Area::Services => Some(&self.services),
            Area::Domains => Some(&self.domains),
            Area::Billing | Area::Support | Area::Account => None,
        }
    }

    /// The same without what opens nothing: permissions whose area isn't reached, and the reach of an
    /// area without permissions.
    #[must_use]
    pub fn opening(self) -> Self {
        let opens = |permission: &Permission| {
            self.reach_in(permission.area()).is_none_or(|reach| !reach.is_nothing())
        };
        let permissions: PermissionSet = self.permissions.iter().filter(opens).collect();
        let reach = |area, reach| match permissions.in_area(area).next() {
            Some(_) => reach,
            None => Reach::NOTHING,
        };
        Self {
            permissions,
            services: reach(Area::Services, self.services),
            domains: reach(Area::Domains, self.domains),
            until: self.until,
        }
    }

    /// Whether they open nothing, whenever it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.clone().opening().permissions.is_empty()
    }

    /// Whether they still open something by this clock.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// What both open.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        Self {
            permissions: self.permissions.intersection(other.permissions),
            services: self.services.within(&other.services),
            domains: self.domains.within(&other.domains),
            until,
        }
        .opening()
    }

    /// The same in numbers.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let reached = |area: Area, reach: &Reach| match reach {
            Reach::These(ids) if self.permissions.in_area(area).next().is_some() => {
                Reached::These(u32::try_from(ids.len()).unwrap_or(u32::MAX))
            }
            _ => Reached::All,
        };
        Outline {
            permissions: self.permissions,
            services: reached(Area::Services, &self.services),
            domains: reached(Area::Domains, &self.domains),
            until: self.until,
        }
    }

    /// What a permission opens by itself: none if it isn't in here.
    pub(crate) fn of(&self, permission: Permission) -> Option<Opened> {
        let things = self.reach_in(permission.area());
        (self.permissions.contains(permission)).then(|| match things {
            Some(reach) => Opened::Things(reach.clone()),
            None => Opened::Account,
        })
    }
}

/// What one permission opens: the account, or things of its area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Account,
    Things(Reach),
}

impl Opened {
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Account, Self::Account) => true,
            (Self::Things(ours), Self::Things(theirs)) => ours.covers(theirs),
            _ => false,
        }
    }

    pub(crate) fn beyond(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Things(ours), Self::Things(theirs)) => {
                Some(Self::Things(ours.beyond(theirs))).filter(|left| !left.is_nothing())
            }
            _ => None,
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Things(reach) if reach.is_nothing())
    }
}

/// How many things of an area a grant reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reached {
    /// All of them, also those to come; or the grant has no permission about them.
    All,
    /// So many.
    These(u32),
}

/// A grant in outline: as it is told where it doesn't matter which things it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The permissions.
    pub permissions: PermissionSet,
    /// How many services those of the area Services reach.
    pub services: Reached,
    /// How many domains those of the area Domains reach.
    pub domains: Reached,
    /// The moment from which they open nothing; none if there is no end.
    pub until: Option<Timestamp>,
}

impl Outline {
    /// These permissions on everything, without end.
    #[must_use]
    pub const fn whole(permissions: PermissionSet) -> Self {
        Self { permissions, services: Reached::All, domains: Reached::All, until: None }
    }

    /// Whether that is all there is to say.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::whole(self.permissions)
    }

    /// The same with only these of its permissions, and what bounds them.
    #[must_use]
    pub fn with_only(&self, permissions: &[Permission]) -> Self {
        let kept = self.permissions.iter().filter(|permission| permissions.contains(permission));
        let permissions: PermissionSet = kept.collect();
        let reached = |area, reached| match permissions.in_area(area).next() {
            Some(_) => reached,
            None => Reached::All,
        };
        Self {
            permissions,
            services: reached(Area::Services, self.services),
            domains: reached(Area::Domains, self.domains),
            until: self.until,
        }
    }

    /// Reads a line of what [`Outlines`] are stored as. What this version doesn't know grants
    /// nothing, as with [`PermissionSet::from_stored`].
    pub(crate) fn from_stored(line: &str) -> Self {
        let fact = |name: &str| line.split_whitespace().find_map(|fact| fact.strip_prefix(name));
        // What can't be read reaches nothing, and ended long ago.
        let reached = |name: &str| match fact(name) {
            None => Reached::All,
            Some(count) => Reached::These(count.parse().unwrap_or(0)),
        };
        let until = |micros: &str| Timestamp::from_micros(micros.parse().unwrap_or(i64::MIN));
        Self {
            permissions: PermissionSet::from_stored(line),
            services: reached("services:"),
            domains: reached("domains:"),
            until: fact("until:").map(until),
        }
    }

    /// What bounds it, as facts set apart by spaces: `services:2 until:1830000000000000`.
    #[must_use]
    pub fn bounds(&self) -> String {
        let reached = |name: &str, reached| match reached {
            Reached::All => None,
            Reached::These(count) => Some(format!("{name}:{count}")),
        };
        let until = self.until.map(|until| format!("until:{}", until.as_micros()));
        let services = reached("services", self.services);
        let bounds = services.into_iter().chain(reached("domains", self.domains)).chain(until);
        bounds.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = [self.permissions.to_stored(), self.bounds()];
        let text: Vec<_> = text.into_iter().filter(|part| !part.is_empty()).collect();
        f.write_str(&text.join(" "))
    }
}

/// Grants in outline. Their text, which logs and mails hold, has a line for each: the ids of its
/// permissions, and what bounds it. Without bounds that is what earlier versions wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlines(Vec<Outline>);

impl Outlines {
    /// None at all.
    pub const NONE: Self = Self(Vec::new());

    /// Reads what [`Outlines::to_stored`] wrote.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        text.lines().map(Outline::from_stored).collect()
    }

    /// The text.
    #[must_use]
    pub fn to_stored(&self) -> String {
        self.0.iter().map(Outline::to_string).collect::<Vec<_>>().join("\n")
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Outline> {
        self.0.iter()
    }

    /// These, and the others behind them.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        self.iter().chain(others.iter()).copied().collect()
    }

    /// Everything that one of them has, on whatever it is.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        self.0.iter().flat_map(|outline| outline.permissions.iter()).collect()
    }

    /// Those that still open something by this clock.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> Self {
        let live = |outline: &&Outline| outline.until.is_none_or(|until| now < until);
        self.0.iter().filter(live).copied().collect()
    }
}

/// Without those that open nothing; where none is bounded, all are told as one.
impl FromIterator<Outline> for Outlines {
    fn from_iter<I: IntoIterator<Item = Outline>>(outlines: I) -> Self {
        let opens = |outline: &Outline| !outline.permissions.is_empty();
        let outlines = Self(outlines.into_iter().filter(opens).collect());
        match outlines.0.len() > 1 && outlines.0.iter().all(Outline::is_whole) {
            true => Self(vec![Outline::whole(outlines.permissions())]),
            false => outlines,
        }
    }
}

impl From<PermissionSet> for Outlines {
    fn from(permissions: PermissionSet) -> Self {
        std::iter::once(Outline::whole(permissions)).collect()
    }
}

impl Serialize for Outlines {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_stored())
    }
}

impl<'de> Deserialize<'de> for Outlines {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_stored(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{BillingPay, BillingView, DomainsView, ServicesManage};

    fn set(permissions: &[Permission]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    #[test]
    fn without_bounds_grants_are_told_as_permissions_always_were() {
        let cases = [
            ("", Outlines::NONE),
            ("billing.view billing.pay", set(&[BillingPay]).into()),
            ("billing.everything billing.view", set(&[BillingView]).into()),
        ];
        for (text, outlines) in cases {
            assert_eq!(Outlines::from_stored(text), outlines, "{text}");
        }
        let all = PermissionSet::all();
        assert_eq!(Outlines::from(all).to_stored(), all.to_stored());
        let apart = [set(&[BillingPay]), set(&[DomainsView])].map(Outline::whole);
        let told: Outlines = apart.into_iter().collect();
        assert_eq!(told.to_stored(), "domains.view billing.view billing.pay");
    }

    #[test]
    fn what_bounds_a_grant_is_told_and_read_again() {
        let until = Some(Timestamp::from_micros(7));
        let two = Terms {
            permissions: set(&[ServicesManage, BillingView]),
            services: Reach::of(false, [1, 2].map(Uuid::from_u128)),
            domains: Reach::NOTHING,
            until,
        };
        let text = "services.view services.manage billing.view services:2 until:7";
        assert_eq!(two.outline().to_string(), text);
        let both: Outlines =
            [two.outline(), Outline::whole(set(&[BillingPay]))].into_iter().collect();
        assert_eq!(both.to_stored(), format!("{text}\nbilling.view billing.pay"));
        assert_eq!(Outlines::from_stored(&both.to_stored()), both);
        assert_eq!(both.live(Timestamp::from_micros(7)), set(&[BillingPay]).into());
        assert_eq!(both.permissions(), set(&[ServicesManage, BillingPay]));
        let billing = two.outline().with_only(&[BillingView, DomainsView]);
        assert_eq!(billing.to_string(), "billing.view until:7");
    }

    #[test]
    fn what_is_given_later_stands_behind_what_is_held() {
        let [one, two, three] = [1, 2, 3].map(|id| GrantId(Uuid::from_u128(id)));
        let cases = [
            (one, vec![], one),
            (three, vec![two, one], three),
            (one, vec![two], three),
            (two, vec![one, two], three),
        ];
        for (id, held, expected) in cases {
            assert_eq!(id.behind(held.clone()), expected, "{id} {held:?}");
        }
    }

    #[test]
    fn a_bound_that_cannot_be_read_opens_nothing() {
        let odd = Outline::from_stored("services.view services:many until:soon");
        assert_eq!(odd.services, Reached::These(0));
        assert!(Outlines(vec![odd]).live(Timestamp::from_micros(0)) == Outlines::NONE);
    }
}
