//! What somebody in an account asks to be given. Asking gives nothing (rule 15): whoever gives it
//! decides.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A request's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessRequestId(Uuid);

impl From<Uuid> for AccessRequestId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<AccessRequestId> for Uuid {
    fn from(id: AccessRequestId) -> Self {
        id.0
    }
}

impl fmt::Display for AccessRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessRequestState {
    /// It waits for somebody who decides.
    Open,
    /// What was asked for was given.
    Given,
    /// Somebody said no.
    Declined,
    /// Whoever asked took it back.
    Withdrawn,
}

impl AccessRequestState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Given, Self::Declined, Self::Withdrawn];

    /// The stable id that the database holds.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Given => "given",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the id; none for one that this version doesn't know.
    #[must_use]
    pub fn from_stored(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_is_stored() {
        for state in AccessRequestState::ALL {
            assert_eq!(AccessRequestState::from_stored(state.id()), Some(state));
        }
        assert_eq!(AccessRequestState::from_stored("lost"), None);
    }
}
