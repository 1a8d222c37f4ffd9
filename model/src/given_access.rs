//! What is given or offered, with why.

use serde::{Deserialize, Serialize};

use crate::{Access, AccessOutline, Noted, NotedGrant, Terms, Timestamp};

/// Access that is given or offered, with the reason of each grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenAccess {
    /// Full access.
    Owner,
    /// These grants.
    Granted(Vec<GivenGrant>),
}

/// A grant that is given or offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenGrant {
    /// What it opens, and until when.
    #[serde(flatten)]
    pub terms: Terms,
    /// Why; empty if nobody said.
    pub why: String,
}

impl GivenAccess {
    /// Nothing at all.
    pub const NONE: Self = Self::Granted(Vec::new());

    /// Access, all of it for this reason, which may be empty.
    #[must_use]
    pub fn new(access: Access, why: &str) -> Self {
        match access {
            Access::Owner => Self::Owner,
            Access::Granted(held) => {
                held.into_iter().map(|terms| GivenGrant { terms, why: why.to_owned() }).collect()
            }
        }
    }

    /// Whether it is an owner's.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }

    /// The grants; an owner needs none.
    #[must_use]
    pub fn grants(&self) -> &[GivenGrant] {
        match self {
            Self::Owner => &[],
            Self::Granted(grants) => grants,
        }
    }

    /// What it opens.
    #[must_use]
    pub fn access(&self) -> Access {
        match self {
            Self::Owner => Access::Owner,
            Self::Granted(grants) => grants.iter().map(|grant| grant.terms.clone()).collect(),
        }
    }

    /// The same in numbers.
    #[must_use]
    pub fn outline(&self) -> AccessOutline {
        self.access().outline()
    }

    /// What of it still opens something by this clock.
    #[must_use]
    pub fn live(self, now: Timestamp) -> Self {
        match self {
            Self::Owner => Self::Owner,
            Self::Granted(grants) => {
                grants.into_iter().filter(|grant| grant.terms.is_live(now)).collect()
            }
        }
    }

    /// Whether it is the same, in whatever order.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.grants(), other.grants());
        let all_in = |some: &[GivenGrant], all: &[GivenGrant]| {
            some.len() == all.len() && some.iter().all(|grant| all.contains(grant))
        };
        self.is_owner() == other.is_owner() && all_in(ours, theirs) && all_in(theirs, ours)
    }
}

/// Without what opens nothing.
impl FromIterator<GivenGrant> for GivenAccess {
    fn from_iter<I: IntoIterator<Item = GivenGrant>>(grants: I) -> Self {
        let opening = grants
            .into_iter()
            .map(|grant| GivenGrant { terms: grant.terms.opening(), ..grant })
            .filter(|grant| !grant.terms.permissions.is_empty());
        Self::Granted(opening.collect())
    }
}

/// What a row of the log notes of it.
impl From<&GivenAccess> for Noted {
    fn from(given: &GivenAccess) -> Self {
        match given {
            GivenAccess::Owner => Self::Owner,
            GivenAccess::Granted(grants) => {
                grants.iter().map(|grant| NotedGrant::of(&grant.terms, &grant.why)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Permission, PermissionSet};

    fn grant(permission: Permission, until: Option<i64>, why: &str) -> GivenGrant {
        let permissions = std::iter::once(permission).collect();
        let until = until.map(Timestamp::from_micros);
        GivenGrant { terms: Terms { until, ..Terms::whole(permissions) }, why: why.to_owned() }
    }

    #[test]
    fn each_grant_keeps_its_reason() {
        let [bills, help] = [
            grant(Permission::BillingView, Some(7), "Invoices"),
            grant(Permission::SupportView, None, ""),
        ];
        let nothing = GivenGrant { terms: Terms::whole(PermissionSet::EMPTY), why: "x".to_owned() };
        let given: GivenAccess = [bills.clone(), nothing, help.clone()].into_iter().collect();
        assert_eq!(given.grants(), [bills.clone(), help.clone()]);
        assert_eq!(given.access(), [bills.terms.clone(), help.terms.clone()].into_iter().collect());
        assert_eq!(given.clone().live(Timestamp::from_micros(6)), given);
        assert_eq!(
            given.clone().live(Timestamp::from_micros(7)).grants(),
            std::slice::from_ref(&help)
        );
        assert_eq!(GivenAccess::new(given.access(), "").grants()[0].why, "");
        assert_eq!(GivenAccess::new(Access::Owner, "x"), GivenAccess::Owner);
    }

    #[test]
    fn order_makes_no_other_offer() {
        let [one, other] = [
            grant(Permission::BillingView, None, ""),
            grant(Permission::BillingView, None, "Invoices"),
        ];
        let given =
            |grants: &[&GivenGrant]| grants.iter().copied().cloned().collect::<GivenAccess>();
        assert!(given(&[&one, &other]).is_as(&given(&[&other, &one])));
        for different in
            [given(&[&one]), given(&[&one, &one]), GivenAccess::NONE, GivenAccess::Owner]
        {
            assert!(!given(&[&one, &other]).is_as(&different));
            assert!(!different.is_as(&given(&[&one, &other])));
        }
        assert!(
            GivenAccess::Owner.is_as(&GivenAccess::Owner)
                && !GivenAccess::Owner.is_as(&GivenAccess::NONE)
        );
    }
}
