//! What became of somebody's access when it was changed, for whoever changed it.

use serde::{Deserialize, Serialize};

use crate::{Area, Permission, PermissionSet, Reach, Reached, Terms, Timestamp};

/// How somebody's access changed with one of their grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    before: PermissionSet,
    after: PermissionSet,
    /// What the grant reaches of the services now, if that changed.
    pub services: Option<Reached>,
    /// What it reaches of the domains now, if that changed.
    pub domains: Option<Reached>,
    /// Whether it ends at another moment than before, or ends or doesn't by now.
    pub ends_otherwise: bool,
    /// When it ends now.
    pub until: Option<Timestamp>,
}

impl AccessChange {
    /// Of a grant with the terms `was` that has the terms `is` now, and of permissions, by any grant,
    /// `before` and `after` it.
    #[must_use]
    pub fn new((was, is): (&Terms, &Terms), before: PermissionSet, after: PermissionSet) -> Self {
        let outline = is.outline();
        let is_about = |terms: &Terms, area| terms.permissions.in_area(area).next().is_some();
        let now = |area, before: &Reach, now: &Reach, reached| {
            // Whoever can newly do something can on everything, unless it is said otherwise.
            let before = if is_about(was, area) { before } else { &Reach::All };
            (is_about(is, area) && before != now).then_some(reached)
        };
        Self {
            before,
            after,
            services: now(Area::Services, &was.services, &is.services, outline.services),
            domains: now(Area::Domains, &was.domains, &is.domains, outline.domains),
            ends_otherwise: was.until != is.until,
            until: is.until,
        }
    }

    /// The permissions that they have now and didn't have before.
    pub fn gained(&self) -> impl Iterator<Item = Permission> {
        self.after.difference(self.before)
    }

    /// The permissions that they had before and don't have any more.
    pub fn lost(&self) -> impl Iterator<Item = Permission> {
        self.before.difference(self.after)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_change_is_told_by_what_is_otherwise() {
        let set = PermissionSet::from_stored;
        let these = |ids: &[u128]| Reach::of(false, ids.iter().copied().map(Uuid::from_u128));
        let terms = |permissions: &str, services: Reach| {
            Terms { services, ..Terms::whole(set(permissions)) }.opening()
        };
        let of =
            |was: &Terms, is: &Terms| AccessChange::new((was, is), was.permissions, is.permissions);
        let cases = [
            ("services.view", Reach::All, "services.view", Reach::All, "", "", None),
            (
                "services.manage",
                Reach::All,
                "billing.view",
                Reach::All,
                "billing.view",
                "services.view services.manage",
                None,
            ),
            (
                "billing.view",
                Reach::All,
                "billing.view services.view",
                these(&[1, 2]),
                "services.view",
                "",
                Some(Reached::These(2)),
            ),
            (
                "billing.view",
                these(&[1]),
                "billing.view services.view",
                Reach::All,
                "services.view",
                "",
                None,
            ),
            (
                "services.view",
                these(&[1]),
                "services.view",
                these(&[2]),
                "",
                "",
                Some(Reached::These(1)),
            ),
            ("services.view", these(&[1]), "services.view", Reach::All, "", "", Some(Reached::All)),
        ];
        for (was, was_reach, is, is_reach, gained, lost, services) in cases {
            let change = of(&terms(was, was_reach), &terms(is, is_reach));
            let ids = |permissions: &mut dyn Iterator<Item = Permission>| {
                permissions.map(Permission::id).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(ids(&mut change.gained()), gained, "{was} to {is}");
            assert_eq!(ids(&mut change.lost()), lost, "{was} to {is}");
            assert_eq!(change.services, services, "{was} to {is}");
            assert!(!change.ends_otherwise && change.domains.is_none());
        }
        let endless = terms("billing.view", Reach::All);
        let ending = Terms { until: Some(Timestamp::from_micros(1)), ..endless.clone() };
        assert!(of(&endless, &ending).ends_otherwise);
        assert_eq!(of(&ending, &endless).until, None);
    }

    #[test]
    fn what_another_grant_still_opens_is_not_lost() {
        let set = PermissionSet::from_stored;
        let (was, is) = (Terms::whole(set("billing.pay")), Terms::whole(set("support.view")));
        let (before, after) = (set("billing.pay"), set("support.view billing.view"));
        let change = AccessChange::new((&was, &is), before, after);
        assert_eq!(change.lost().collect::<Vec<_>>(), [Permission::BillingPay]);
        assert_eq!(change.gained().collect::<Vec<_>>(), [Permission::SupportView]);
    }
}
