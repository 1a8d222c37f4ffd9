//! Decisions: what the provider's own systems ask about, and which questions make sense about it.

use std::str::FromStr;

use crate::{Area, NamedBy, On, Permission};

/// What a decision is asked about. Its ids stand in the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// An account as a whole.
    Account,
    /// A service.
    Service,
    /// A domain.
    Domain,
    /// An invoice.
    Invoice,
    /// A support request.
    Request,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Account, Self::Service, Self::Domain, Self::Invoice, Self::Request];

    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Service => "service",
            Self::Domain => "domain",
            Self::Invoice => "invoice",
            Self::Request => "request",
        }
    }

    /// Whether a permission is about such ones. Those that have no reach can be asked about the account,
    /// too.
    #[must_use]
    pub const fn takes(self, permission: Permission) -> bool {
        matches!(
            (self, permission.area()),
            (Self::Account, Area::Billing | Area::Support | Area::Account)
                | (Self::Service, Area::Services)
                | (Self::Domain, Area::Domains)
                | (Self::Invoice, Area::Billing)
                | (Self::Request, Area::Support)
        )
    }

    /// What a permission is asked about such a one: itself, if it can be in a reach, or else its
    /// account. `named_by` is what those of somebody's grants open that name it.
    #[must_use]
    pub const fn on(self, named_by: &NamedBy) -> On<'_> {
        match self {
            Self::Service => On::Service(named_by),
            Self::Domain => On::Domain(named_by),
            Self::Account | Self::Invoice | Self::Request => On::Account,
        }
    }
}

/// The text is no kind's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownResourceKind;

impl FromStr for ResourceKind {
    type Err = UnknownResourceKind;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.id() == id).ok_or(UnknownResourceKind)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{AccountId, Actor, Keys, Timestamp, UserId};

    #[test]
    fn a_kind_takes_what_an_owner_may_do_to_it() {
        let user = UserId::from(Uuid::from_u128(1));
        let account = AccountId::from(Uuid::from_u128(2));
        let at = Timestamp::from_micros(0);
        let owner = Actor { user, account, keys: Keys::Owner, at, eyes: None };
        let named_by = NamedBy::default();
        for permission in Permission::ALL {
            let takes = |kind: &ResourceKind| kind.takes(permission);
            for kind in ResourceKind::ALL.into_iter().filter(takes) {
                assert!(owner.may(permission, kind.on(&named_by)), "{permission} on {kind:?}");
            }
            let kinds: Vec<_> = ResourceKind::ALL.into_iter().filter(takes).collect();
            let expected: &[ResourceKind] = match permission.area() {
                Area::Services => &[ResourceKind::Service],
                Area::Domains => &[ResourceKind::Domain],
                Area::Billing => &[ResourceKind::Account, ResourceKind::Invoice],
                Area::Support => &[ResourceKind::Account, ResourceKind::Request],
                Area::Account => &[ResourceKind::Account],
            };
            assert_eq!(kinds, expected, "{permission}");
        }
    }

    #[test]
    fn a_kind_is_known_by_its_id() {
        for kind in ResourceKind::ALL {
            assert_eq!(kind.id().parse(), Ok(kind));
        }
        for text in ["", "Account", "accounts", "user", "service "] {
            assert_eq!(text.parse::<ResourceKind>(), Err(UnknownResourceKind), "{text}");
        }
    }
}
