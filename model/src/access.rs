//! What somebody may do in an account, and the rules about granting it to others.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Conflict, Failure, Permission, PermissionSet, UserId, foremost};

/// What a membership opens: everything, or the permissions granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Full access, always (rule 1).
    Owner,
    /// These permissions and no others (rule 2).
    Granted(PermissionSet),
}

impl Access {
    /// No access.
    pub const NONE: Self = Self::Granted(PermissionSet::EMPTY);

    /// Whether this access opens the permission.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match self {
            Self::Owner => true,
            Self::Granted(permissions) => permissions.contains(permission),
        }
    }

    /// Everything that this access opens.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        match self {
            Self::Owner => PermissionSet::all(),
            Self::Granted(permissions) => permissions,
        }
    }

    /// What somebody with this access has beyond the other, named in this way: that they own the
    /// account is one thing, whatever it opens.
    #[must_use]
    pub fn beyond<T>(self, other: Self, owner: T, permission: fn(Permission) -> T) -> Vec<T> {
        match self {
            Self::Owner if other.is_owner() => Vec::new(),
            Self::Owner => vec![owner],
            Self::Granted(permissions) => {
                permissions.difference(other.permissions()).map(permission).collect()
            }
        }
    }

    /// Whether this is an owner's access.
    #[must_use]
    pub const fn is_owner(self) -> bool {
        matches!(self, Self::Owner)
    }
}

/// Who asks: a user acting in one account, with what they may do there at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user who asks.
    pub user: UserId,
    /// The account they act in.
    pub account: AccountId,
    /// What they may do there.
    pub access: Access,
}

impl Actor {
    /// Whether the actor may do this.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.access.may(permission)
    }

    /// The actor must have a permission.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming the permission when the actor lacks it.
    pub fn must(&self, permission: Permission) -> Result<(), Failure> {
        if self.may(permission) { Ok(()) } else { Err(Failure::NotAllowed(permission)) }
    }

    /// The actor must own the account: what no permission opens is an owner's alone.
    ///
    /// # Errors
    /// [`Failure::OwnersOnly`].
    pub fn must_own(&self) -> Result<(), Failure> {
        if self.access.is_owner() { Ok(()) } else { Err(Failure::OwnersOnly) }
    }

    /// Whether the actor may grant these permissions now (rule 3: nobody grants what they lack).
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming [`Permission::AccountUsers`], or a permission that the actor
    /// doesn't hold: the one that was asked for, not what it implies.
    pub fn must_grant(&self, permissions: PermissionSet) -> Result<(), Failure> {
        self.must(Permission::AccountUsers)?;
        let missing = permissions.difference(self.access.permissions());
        match foremost(missing).next() {
            None => Ok(()),
            Some(missing) => Err(Failure::NotAllowed(missing)),
        }
    }

    /// What somebody's permissions may become when the actor asks for `wanted` (rules 1, 3 and 4).
    /// Permissions that the actor doesn't hold stay as they are: a form can neither grant nor
    /// take away what its sender couldn't tick.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] when the actor lacks [`Permission::AccountUsers`] or adds a
    /// permission that they don't hold; [`Conflict::OwnersStay`] for an owner's membership and
    /// [`Conflict::OwnPermissions`] for one's own.
    pub fn change(
        &self,
        target: UserId,
        current: Access,
        wanted: PermissionSet,
    ) -> Result<PermissionSet, Failure> {
        self.must(Permission::AccountUsers)?;
        let Access::Granted(current) = current else {
            return Err(Failure::Conflict(Conflict::OwnersStay));
        };
        if target == self.user {
            return Err(Failure::Conflict(Conflict::OwnPermissions));
        }
        let held = self.access.permissions();
        let added: PermissionSet = wanted.difference(current).collect();
        let missing = added.difference(current).filter(|added| !held.contains(*added));
        if let Some(missing) = foremost(missing).next() {
            return Err(Failure::NotAllowed(missing));
        }
        let out_of_reach = current.difference(held);
        Ok(wanted.iter().chain(out_of_reach).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use Permission::{AccountLog, AccountUsers, BillingPay, BillingView, DomainsView};

    fn user(n: u128) -> UserId {
        UserId::from(Uuid::from_u128(n))
    }

    fn actor(access: Access) -> Actor {
        Actor { user: user(1), account: AccountId::from(Uuid::from_u128(9)), access }
    }

    fn granted(permissions: &[Permission]) -> Access {
        Access::Granted(permissions.iter().copied().collect())
    }

    fn any_set() -> impl Strategy<Value = PermissionSet> {
        proptest::collection::vec(proptest::sample::select(Permission::ALL.to_vec()), 0..10)
            .prop_map(|permissions| permissions.into_iter().collect())
    }

    #[test]
    fn who_may_grant_what() {
        let cases = [
            (Access::Owner, vec![BillingPay, AccountLog], Ok(())),
            (granted(&[AccountUsers, BillingPay]), vec![BillingPay], Ok(())),
            (
                granted(&[AccountUsers, BillingView]),
                vec![BillingPay],
                Err(Failure::NotAllowed(BillingPay)),
            ),
            (granted(&[AccountUsers]), vec![BillingPay], Err(Failure::NotAllowed(BillingPay))),
            (granted(&[BillingPay]), vec![BillingPay], Err(Failure::NotAllowed(AccountUsers))),
            (granted(&[]), vec![], Err(Failure::NotAllowed(AccountUsers))),
        ];
        for (access, wanted, expected) in cases {
            let wanted = wanted.into_iter().collect();
            assert_eq!(actor(access).must_grant(wanted), expected, "{access:?} grants {wanted:?}");
        }
    }

    #[test]
    fn an_owner_has_one_thing_beyond_others() {
        let everything = Access::Granted(PermissionSet::all());
        let pays = granted(&[BillingPay]);
        let cases = [
            (Access::Owner, Access::Owner, vec![]),
            (Access::Owner, Access::NONE, vec!["owner"]),
            (Access::Owner, everything, vec!["owner"]),
            (everything, Access::Owner, vec![]),
            (pays, Access::NONE, vec!["billing.view", "billing.pay"]),
            (pays, granted(&[BillingView]), vec!["billing.pay"]),
        ];
        for (one, other, expected) in cases {
            let beyond = one.beyond(other, "owner", Permission::id);
            assert_eq!(beyond, expected, "{one:?} beyond {other:?}");
        }
    }

    #[test]
    fn no_permission_makes_an_owner() {
        assert_eq!(actor(Access::Owner).must_own(), Ok(()));
        let everything = Access::Granted(PermissionSet::all());
        assert_eq!(actor(everything).must_own(), Err(Failure::OwnersOnly));
    }

    #[test]
    fn nobody_changes_an_owner() {
        let wanted = [BillingView].into_iter().collect();
        for access in [Access::Owner, granted(&[AccountUsers])] {
            assert!(actor(access).change(user(2), Access::Owner, wanted).is_err());
        }
    }

    #[test]
    fn nobody_but_an_owner_changes_their_own_permissions() {
        let administrator = granted(&[AccountUsers, BillingView]);
        let wanted = [AccountUsers].into_iter().collect();
        assert!(actor(administrator).change(user(1), administrator, wanted).is_err());
    }

    #[test]
    fn what_the_actor_lacks_stays_as_it_is() {
        let administrator = actor(granted(&[AccountUsers, BillingView]));
        let current = granted(&[DomainsView, BillingView]);
        let after = administrator.change(user(2), current, PermissionSet::EMPTY);
        assert_eq!(after, Ok([DomainsView].into_iter().collect()));
    }

    proptest! {
        #[test]
        fn a_change_never_grants_what_the_actor_lacks(
            held in any_set(), current in any_set(), wanted in any_set(),
        ) {
            let mut held = held;
            held.insert(AccountUsers);
            let administrator = actor(Access::Granted(held));
            if let Ok(after) = administrator.change(user(2), Access::Granted(current), wanted) {
                for permission in after.iter() {
                    prop_assert!(held.contains(permission) || current.contains(permission));
                }
                for permission in current.difference(after) {
                    prop_assert!(held.contains(permission));
                }
            }
        }
    }
}
