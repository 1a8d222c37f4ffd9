//! Who becomes an owner of an account, and how that stands. An owner offers it, whoever it is about
//! accepts it, and then it waits, so that every owner can stop it: owners can't be removed by others.
//! What a successor asks for waits at once.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Terms;

/// The id of a change of who owns an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerChangeId(Uuid);

impl From<Uuid> for OwnerChangeId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<OwnerChangeId> for Uuid {
    fn from(id: OwnerChangeId) -> Self {
        id.0
    }
}

impl fmt::Display for OwnerChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How somebody becomes an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerChangeKind {
    /// Beside the others.
    Made,
    /// In place of the one who hands the account over.
    Handed,
    /// By their own word, as the account's successor: beside the others, none of whom said no.
    TakenOver,
}

impl OwnerChangeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Made, Self::Handed, Self::TakenOver];

    /// The stable id that the database holds.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Handed => "handed",
            Self::TakenOver => "taken_over",
        }
    }

    /// Reads the id; none for one that this version doesn't know.
    #[must_use]
    pub fn from_stored(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Whether a change of this kind comes true at the end of its waiting time. It doesn't if somebody
    /// paused whoever it is about, nor if whoever made it isn't entitled to it any more: who offered it
    /// must own the account, as nobody gives what they don't hold (rule 9), and who takes it over must
    /// be the successor, with access that hasn't ended.
    #[must_use]
    pub const fn comes_true(self, paused: bool, entitled: bool) -> bool {
        match self {
            Self::Made | Self::Handed | Self::TakenOver => !paused && entitled,
        }
    }
}

/// How a change of who owns an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerChangeState {
    /// It waits for the answer of whoever it is about.
    Offered,
    /// They accepted, and the waiting time runs.
    Waiting,
    /// It is true.
    Done,
    /// An owner stopped it.
    Stopped,
    /// Whoever it is about said no.
    Declined,
    /// It couldn't come true any more.
    Lapsed,
}

impl OwnerChangeState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Offered, Self::Waiting, Self::Done, Self::Stopped, Self::Declined, Self::Lapsed];

    /// The stable id that the database holds.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
        }
    }

    /// Reads the id; none for one that this version doesn't know.
    #[must_use]
    pub fn from_stored(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.id() == id)
    }

    /// Whether it can still become true.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Offered | Self::Waiting)
    }
}

/// What an owner becomes who is one no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// A user of the account who holds this, for this reason, which may be empty.
    User(Terms, String),
    /// Nobody: they leave the account.
    Out,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_state_are_read_as_they_are_stored() {
        for kind in OwnerChangeKind::ALL {
            assert_eq!(OwnerChangeKind::from_stored(kind.id()), Some(kind));
        }
        for state in OwnerChangeState::ALL {
            assert_eq!(OwnerChangeState::from_stored(state.id()), Some(state));
        }
        assert_eq!(OwnerChangeKind::from_stored("won"), None);
        assert_eq!(OwnerChangeState::from_stored("lost"), None);
    }

    #[test]
    fn nobody_becomes_an_owner_while_paused_or_by_the_word_of_somebody_who_is_none() {
        for kind in OwnerChangeKind::ALL {
            assert!(kind.comes_true(false, true));
            assert!(!kind.comes_true(true, true));
            assert!(!kind.comes_true(false, false));
            assert!(!kind.comes_true(true, false));
        }
    }
}
