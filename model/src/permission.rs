//! The permissions, their areas and what implies what: the one place that knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A group of permissions, shown as one card and one fieldset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// What the provider runs for the customer.
    Services,
    /// Domain names and their DNS.
    Domains,
    /// Invoices and payment.
    Billing,
    /// Conversations with the provider's support.
    Support,
    /// The account itself: its details, its users, its log.
    Account,
}

impl Area {
    /// Every area, in the order in which it is shown.
    pub const ALL: [Self; 5] =
        [Self::Services, Self::Domains, Self::Billing, Self::Support, Self::Account];

    /// The area's permissions, in the order in which they are shown.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| permission.area() == self)
    }

    /// The stable id, the first half of each of its permissions' ids.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Domains => "domains",
            Self::Billing => "billing",
            Self::Support => "support",
            Self::Account => "account",
        }
    }
}

/// Declares the permissions once: name, stable id, area and what each implies directly.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $id:literal in $area:ident $(implies $implied:ident)?;)*) => {
        /// One right in an account. Its id is stable: it stands in databases, logs and interfaces.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $id)] $name,)*
        }

        impl Permission {
            /// Every permission, in the order in which it is shown.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The stable id, such as `billing.pay`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The area that it belongs to.
            #[must_use]
            pub const fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)* }
            }

            /// The right without which this one makes no sense, if there is one.
            #[must_use]
            pub const fn implies(self) -> Option<Self> {
                match self { $(Self::$name => permissions!(@implied $($implied)?),)* }
            }
        }
    };
    (@implied) => { None };
    (@implied $implied:ident) => { Some(Self::$implied) };
}

permissions! {
    /// See services.
    ServicesView = "services.view" in Services;
    /// Restart, rename and configure services.
    ServicesManage = "services.manage" in Services implies ServicesView;
    /// See service passwords.
    ServicesCredentials = "services.credentials" in Services implies ServicesView;
    /// Sign in to services without their passwords.
    ServicesSignIn = "services.sign_in" in Services implies ServicesView;
    /// Order, upgrade and cancel services.
    ServicesOrder = "services.order" in Services implies ServicesView;
    /// See domains.
    DomainsView = "domains.view" in Domains;
    /// Manage domains and DNS.
    DomainsManage = "domains.manage" in Domains implies DomainsView;
    /// Transfer domains away: lock and transfer code.
    DomainsTransfer = "domains.transfer" in Domains implies DomainsView;
    /// See invoices.
    BillingView = "billing.view" in Billing;
    /// Pay invoices.
    BillingPay = "billing.pay" in Billing implies BillingView;
    /// Change billing details: payment methods and invoice recipients.
    BillingDetails = "billing.details" in Billing implies BillingView;
    /// See support requests.
    SupportView = "support.view" in Support;
    /// Open and answer support requests.
    SupportOpen = "support.open" in Support implies SupportView;
    /// Change the account's name, address and contacts.
    AccountProfile = "account.profile" in Account;
    /// Manage users and permissions: the administrator right.
    AccountUsers = "account.users" in Account;
    /// See the activity log.
    AccountLog = "account.log" in Account;
}

impl Permission {
    /// The permissions that bring it: itself, and those that imply it.
    pub fn brought_by(self) -> impl Iterator<Item = Self> {
        let brings = move |other: &Self| PermissionSet::from_iter([*other]).contains(self);
        Self::ALL.into_iter().filter(brings)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The text is no permission's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPermission;

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|permission| permission.id() == id).ok_or(UnknownPermission)
    }
}

/// A set of permissions that always holds what its members imply.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u32);

impl PermissionSet {
    /// No permission at all.
    pub const EMPTY: Self = Self(0);

    /// Every permission there is.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Reads ids as a form sends them; what they imply is added.
    ///
    /// # Errors
    /// [`UnknownPermission`] when one of them is no permission's id.
    pub fn parse<S: AsRef<str>>(
        ids: impl IntoIterator<Item = S>,
    ) -> Result<Self, UnknownPermission> {
        ids.into_iter().map(|id| id.as_ref().parse::<Permission>()).collect()
    }

    /// Reads ids as the database holds them, set apart by spaces. An id that this version doesn't
    /// know grants nothing.
    #[must_use]
    pub fn from_stored(ids: &str) -> Self {
        ids.split_whitespace().filter_map(|id| id.parse().ok()).collect()
    }

    /// The ids set apart by spaces, in the order in which they are shown: what the database holds.
    #[must_use]
    pub fn to_stored(self) -> String {
        self.iter().map(Permission::id).collect::<Vec<_>>().join(" ")
    }

    /// Whether the permission is in the set.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether every permission of `other` is in the set.
    #[must_use]
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many permissions are in the set.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Adds a permission and what it implies.
    pub fn insert(&mut self, permission: Permission) {
        self.0 |= permission.bit();
        if let Some(implied) = permission.implies() {
            self.insert(implied);
        }
    }

    /// Takes a permission out, and those that imply it: without the one the other makes no sense.
    pub fn remove(&mut self, permission: Permission) {
        self.0 &= !permission.bit();
        for other in Permission::ALL {
            if other.implies() == Some(permission) && self.contains(other) {
                self.remove(other);
            }
        }
    }

    /// Whether somebody who holds these permissions can tick and untick one in `granted`: they hold
    /// it, and nothing that they lack brings it.
    pub fn can_change(self, permission: Permission, granted: Self) -> bool {
        let brings = |stays: Permission| stays.implies() == Some(permission);
        self.contains(permission) && !granted.difference(self).any(brings)
    }

    /// What somebody who holds `held` makes of this set with boxes that don't follow each other: what
    /// they untick takes along what implied it, what they tick brings what it implies. A box that
    /// they can't change says nothing.
    #[must_use]
    pub fn with_ticks(self, ticks: &[Permission], held: Self) -> Self {
        let unticked = self.iter().filter(|permission| !ticks.contains(permission));
        let mut changed = self;
        for permission in unticked.filter(|permission| held.can_change(*permission, self)) {
            changed.remove(permission);
        }
        let ticked = ticks.iter().filter(|permission| !self.contains(**permission));
        changed.iter().chain(ticked.copied()).collect()
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other. May lack what its members imply, so it is for
    /// telling differences, not for granting.
    pub fn difference(self, other: Self) -> impl Iterator<Item = Permission> {
        self.iter().filter(move |permission| !other.contains(*permission))
    }

    /// The permissions in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
    }

    /// The set's permissions of one area.
    pub fn in_area(self, area: Area) -> impl Iterator<Item = Permission> {
        self.iter().filter(move |permission| permission.area() == area)
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::EMPTY;
        for permission in permissions {
            set.insert(permission);
        }
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::id)).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_stored())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_stored(&String::deserialize(deserializer)?))
    }
}

/// Those of the permissions that none of the others implies: what was asked for, or what tells the
/// most.
pub fn foremost(permissions: impl Iterator<Item = Permission>) -> impl Iterator<Item = Permission> {
    let all: Vec<_> = permissions.collect();
    let implied: Vec<_> = all.iter().filter_map(|permission| permission.implies()).collect();
    all.into_iter().filter(move |permission| !implied.contains(permission))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_set() -> impl Strategy<Value = PermissionSet> {
        proptest::collection::vec(proptest::sample::select(Permission::ALL.to_vec()), 0..8)
            .prop_map(|permissions| permissions.into_iter().collect())
    }

    fn is_closed(set: PermissionSet) -> bool {
        set.iter().all(|p| p.implies().is_none_or(|implied| set.contains(implied)))
    }

    #[test]
    fn ids_are_the_published_ones() {
        let ids: Vec<_> = Permission::ALL.into_iter().map(Permission::id).collect();
        assert_eq!(
            ids,
            [
                "services.view",
                "services.manage",
                "services.credentials",
                "services.sign_in",
                "services.order",
                "domains.view",
                "domains.manage",
                "domains.transfer",
                "billing.view",
                "billing.pay",
                "billing.details",
                "support.view",
                "support.open",
                "account.profile",
                "account.users",
                "account.log",
            ]
        );
    }

    #[test]
    fn an_id_begins_with_its_area() {
        for permission in Permission::ALL {
            assert_eq!(permission.id().split('.').next(), Some(permission.area().id()));
        }
    }

    #[test]
    fn ticking_a_right_ticks_what_it_implies() {
        let set = PermissionSet::parse(["billing.pay"]);
        assert_eq!(set, PermissionSet::parse(["billing.pay", "billing.view"]));
    }

    #[test]
    fn unticking_what_is_implied_unticks_what_implies_it() {
        let mut set: PermissionSet = Area::Billing.permissions().collect();
        set.remove(Permission::BillingView);
        assert!(set.is_empty());
    }

    #[test]
    fn boxes_that_do_not_follow_each_other_mean_what_was_changed() {
        let set = PermissionSet::from_stored;
        let all = PermissionSet::all().to_stored();
        let cases = [
            // What is unticked takes along what implied it.
            ("billing.view billing.pay", "billing.pay", &*all, ""),
            (
                "billing.view billing.pay domains.view",
                "billing.pay domains.view",
                &*all,
                "domains.view",
            ),
            // What is newly ticked brings what it implies, also what was unticked with it.
            ("", "billing.pay", &*all, "billing.view billing.pay"),
            (
                "billing.view billing.pay",
                "billing.pay billing.details",
                &*all,
                "billing.view billing.details",
            ),
            (
                "billing.view billing.pay",
                "billing.view billing.pay",
                &*all,
                "billing.view billing.pay",
            ),
            // A box that can't be changed isn't sent, and stays.
            (
                "billing.view billing.pay billing.details",
                "billing.details",
                "billing.view billing.details",
                "billing.view billing.pay billing.details",
            ),
            ("domains.view billing.view", "", "billing.view", "domains.view"),
        ];
        for (granted, ticks, held, expected) in cases {
            let ticks: Vec<_> = ticks.split_whitespace().filter_map(|id| id.parse().ok()).collect();
            let got = set(granted).with_ticks(&ticks, set(held));
            assert_eq!(got, set(expected), "{granted} with {ticks:?} ticked by {held}");
        }
    }

    #[test]
    fn an_unknown_id_is_refused_from_a_form_and_grants_nothing_from_the_database() {
        assert_eq!(PermissionSet::parse(["billing.everything"]), Err(UnknownPermission));
        assert_eq!(
            PermissionSet::from_stored("billing.everything billing.view").to_stored(),
            "billing.view"
        );
    }

    proptest! {
        #[test]
        fn a_set_always_holds_what_it_implies(set in any_set(), other in any_set(),
            permission in proptest::sample::select(Permission::ALL.to_vec())) {
            let mut less = set;
            less.remove(permission);
            prop_assert!(is_closed(set) && is_closed(less) && is_closed(set.intersection(other)));
            prop_assert!(!less.contains(permission));
        }

        #[test]
        fn ticks_that_follow_each_other_are_the_set_itself(granted in any_set(), ticked in any_set()) {
            let ticks: Vec<_> = ticked.iter().collect();
            prop_assert_eq!(granted.with_ticks(&ticks, PermissionSet::all()), ticked);
        }

        #[test]
        fn ticks_change_nothing_that_the_ticker_lacks(
            granted in any_set(), ticked in any_set(), held in any_set(),
        ) {
            let ticks: Vec<_> = ticked.intersection(held).iter().collect();
            let after = granted.with_ticks(&ticks, held);
            prop_assert!(is_closed(after));
            prop_assert!(granted.difference(after).all(|taken| held.contains(taken)));
            prop_assert!(after.difference(granted).all(|given| held.contains(given)));
        }

        #[test]
        fn storing_and_reading_loses_nothing(set in any_set()) {
            prop_assert_eq!(PermissionSet::from_stored(&set.to_stored()), set);
        }

        #[test]
        fn containing_all_means_no_difference(set in any_set(), other in any_set()) {
            prop_assert_eq!(set.contains_all(other), other.difference(set).next().is_none());
        }
    }
}
