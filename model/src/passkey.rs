//! Passkeys: keys on a person's devices that sign them in (Web Authentication Level 3).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::FieldProblem;
use crate::line::one_line;

/// A passkey's id with us; not the credential's, which its authenticator chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasskeyId(Uuid);

impl From<Uuid> for PasskeyId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<PasskeyId> for Uuid {
    fn from(id: PasskeyId) -> Self {
        id.0
    }
}

impl fmt::Display for PasskeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for PasskeyId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What a user calls a passkey, to tell it from their others: one line, 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyName(String);

impl PasskeyName {
    /// The longest name taken, in characters.
    pub const LONGEST: usize = 100;

    /// Takes a name as typed; what nobody sees of it is dropped, space around it and runs of space
    /// inside it are folded.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::TooLong`].
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        one_line(text, Self::LONGEST).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_passkey_may_be_called() {
        let named = |text: &str| PasskeyName::parse(text).map(|name| name.0);
        assert_eq!(named("  Kari's \n phone "), Ok("Kari's phone".to_owned()));
        assert_eq!(named(&"é".repeat(100)), Ok("é".repeat(100)));
        assert_eq!(named(&"é".repeat(101)), Err(FieldProblem::TooLong));
        assert_eq!(named(" "), Err(FieldProblem::Missing));
        assert_eq!(named("Kari\u{0}'s\u{a0}phone\u{200b}"), Ok("Kari's phone".to_owned()));
    }
}
