//! Tokens of the provider's own systems, and what each of them opens at the door.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A token's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(Uuid);

impl From<Uuid> for TokenId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<TokenId> for Uuid {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What the provider's systems read and write at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DoorArea {
    /// Accounts and their details.
    Accounts,
    /// Who is in an account, what they hold, and who is invited.
    Members,
    /// Services.
    Services,
    /// Domains.
    Domains,
    /// Invoices.
    Invoices,
    /// Support requests and what is said in them.
    Support,
    /// What people ask the provider's systems to do.
    Actions,
    /// The accounts' activity logs.
    Activity,
    /// The addresses that are told of events.
    Webhooks,
    /// Decisions: whether somebody may do something.
    Access,
}

impl DoorArea {
    /// Every area, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Accounts,
        Self::Members,
        Self::Services,
        Self::Domains,
        Self::Invoices,
        Self::Support,
        Self::Actions,
        Self::Activity,
        Self::Webhooks,
        Self::Access,
    ];

    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Members => "members",
            Self::Services => "services",
            Self::Domains => "domains",
            Self::Invoices => "invoices",
            Self::Support => "support",
            Self::Actions => "actions",
            Self::Activity => "activity",
            Self::Webhooks => "webhooks",
            Self::Access => "access",
        }
    }

    /// Reading it.
    #[must_use]
    pub const fn read(self) -> DoorScope {
        DoorScope { area: self, writes: false }
    }

    /// Writing it, which includes reading.
    #[must_use]
    pub const fn write(self) -> DoorScope {
        DoorScope { area: self, writes: true }
    }
}

/// Reading or writing an area: what a request at the door takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DoorScope {
    area: DoorArea,
    writes: bool,
}

impl DoorScope {
    /// Every scope.
    pub fn all() -> impl Iterator<Item = Self> {
        DoorArea::ALL.into_iter().flat_map(|area| [area.read(), area.write()])
    }
}

/// Its stable id, such as `services:write`.
impl fmt::Display for DoorScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area.id(), if self.writes { "write" } else { "read" })
    }
}

/// The text is no scope's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDoorScope;

impl FromStr for DoorScope {
    type Err = UnknownDoorScope;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::all().find(|scope| scope.to_string() == id).ok_or(UnknownDoorScope)
    }
}

/// All that a token opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorScopes(BTreeSet<DoorScope>);

impl DoorScopes {
    /// Whether what takes this scope is opened.
    #[must_use]
    pub fn open(&self, scope: DoorScope) -> bool {
        self.0.contains(&scope) || self.0.contains(&scope.area.write())
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what [`DoorScopes`] is stored as. What this version doesn't know opens nothing.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        text.split(' ').filter_map(|id| id.parse().ok()).collect()
    }
}

impl FromIterator<DoorScope> for DoorScopes {
    fn from_iter<T: IntoIterator<Item = DoorScope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// The ids with spaces between them, as the database holds them (and RFC 6749 section 3.3 writes
/// scopes).
impl fmt::Display for DoorScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else() {
        for area in DoorArea::ALL {
            let (reads, writes): (DoorScopes, DoorScopes) =
                ([area.read()].into_iter().collect(), [area.write()].into_iter().collect());
            assert!(reads.open(area.read()) && !reads.open(area.write()));
            assert!(writes.open(area.read()) && writes.open(area.write()));
            for other in DoorArea::ALL.into_iter().filter(|other| *other != area) {
                assert!(!writes.open(other.read()) && !writes.open(other.write()));
            }
        }
    }

    #[test]
    fn scopes_are_read_as_they_were_written() {
        for scope in DoorScope::all() {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        let scopes: DoorScopes = DoorScope::all().collect();
        assert_eq!(DoorScopes::from_stored(&scopes.to_string()), scopes);
        assert_eq!(DoorScopes::from_stored(""), DoorScopes::default());
        for id in ["", "services", "services:", "services:delete", "Services:read", "*"] {
            assert_eq!(id.parse::<DoorScope>(), Err(UnknownDoorScope), "{id}");
            assert!(DoorScopes::from_stored(id).is_empty());
        }
    }
}
