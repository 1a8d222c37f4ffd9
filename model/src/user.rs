//! Users: a person's one login.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::line::one_line;
use crate::{FieldProblem, Secret};

/// A user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl From<Uuid> for UserId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<UserId> for Uuid {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for UserId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The id of one session: what a user sees of it, unlike its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);

impl From<Uuid> for SessionId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<SessionId> for Uuid {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for SessionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A person's full name as they write it: any script, one line, 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullName(String);

impl FullName {
    /// The longest name taken, in characters.
    pub const LONGEST: usize = 200;

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

/// A password: 15 to 128 characters for a new one, 8 beside a second factor, any characters, no
/// composition rules (NIST SP 800-63B-4 section 3.1.1.2; OWASP ASVS 5.0 V6.2.1, V6.2.5, V6.2.9).
///
/// Its characters are put together (Unicode NFC, as RFC 8265 section 4.2.2 has it): an é is the same
/// whichever keyboard it was typed on. Nothing else is changed, spaces around it neither.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// The fewest characters of a new password that stands alone.
    pub const SHORTEST: usize = 15;
    /// The fewest characters of a new password beside a second factor.
    pub const SHORTEST_WITH_FACTOR: usize = 8;
    /// The most characters taken; it bounds the work of hashing.
    pub const LONGEST: usize = 128;

    /// Takes a password that is to be set.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::TooShort`] or [`FieldProblem::TooLong`].
    pub fn parse_new(text: &str) -> Result<Self, FieldProblem> {
        let given = Self::parse_given(text)?;
        if given.is_short() { Err(FieldProblem::TooShort) } else { Ok(given) }
    }

    /// Takes a password that is to be set beside a second factor.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::TooShortWithFactor`] or
    /// [`FieldProblem::TooLong`].
    pub fn parse_new_with_factor(text: &str) -> Result<Self, FieldProblem> {
        let given = Self::parse_given(text)?;
        if given.characters() < Self::SHORTEST_WITH_FACTOR {
            return Err(FieldProblem::TooShortWithFactor);
        }
        Ok(given)
    }

    /// Whether it is too short to stand alone.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.characters() < Self::SHORTEST
    }

    /// How many there are (NIST counts code points).
    fn characters(&self) -> usize {
        self.expose().chars().count()
    }

    /// Takes a password that is to be compared with one set before.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::TooLong`].
    pub fn parse_given(text: &str) -> Result<Self, FieldProblem> {
        let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
        match text.chars().count() {
            0 => Err(FieldProblem::Missing),
            length if length > Self::LONGEST => Err(FieldProblem::TooLong),
            _ => Ok(Self(Secret::from(text.into_owned()))),
        }
    }

    /// The characters, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_may_be() {
        assert_eq!(FullName::parse("  Kari   Nordmann ").map(|n| n.0), Ok("Kari Nordmann".into()));
        for name in ["<script>alert(1)</script>", "عبد الله", "🦊", "Ø"] {
            assert_eq!(FullName::parse(name).map(|n| n.0), Ok(name.to_owned()));
        }
        assert_eq!(FullName::parse(" \n"), Err(FieldProblem::Missing));
        assert_eq!(
            FullName::parse("Bjo\u{308}rn\u{200b}").map(|n| n.0),
            Ok("Bj\u{f6}rn".to_owned())
        );
        assert_eq!(FullName::parse(&"é".repeat(201)), Err(FieldProblem::TooLong));
        assert!(FullName::parse(&"é".repeat(200)).is_ok());
    }

    #[test]
    fn how_long_a_new_password_is() {
        assert_eq!(Password::parse_new("").err(), Some(FieldProblem::Missing));
        assert_eq!(Password::parse_new("fourteen chars").err(), Some(FieldProblem::TooShort));
        assert!(Password::parse_new("fifteen chars !").is_ok());
        assert_eq!(Password::parse_new(&"x".repeat(129)).err(), Some(FieldProblem::TooLong));
    }

    #[test]
    fn a_second_factor_makes_up_for_a_shorter_password() {
        let short = |text: &str| Password::parse_new_with_factor(text).map(|p| p.is_short());
        assert_eq!(short("seven c"), Err(FieldProblem::TooShortWithFactor));
        assert_eq!(short("eight ch"), Ok(true));
        assert_eq!(short("fifteen chars !"), Ok(false));
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_were_put_together() {
        let typed = |text: &str| Password::parse_given(text).map(|p| p.expose().to_owned());
        assert_eq!(typed("cafe\u{301}"), typed("caf\u{e9}"));
        assert_eq!(
            typed(" Ångström \t🦊 "),
            Ok(" Ångström \t🦊 ".to_owned()),
            "nothing else changes"
        );
        assert_ne!(typed("ﬁn"), typed("fin"));
        let counted = "e\u{301}".repeat(15);
        assert!(Password::parse_new(&counted).is_ok());
        assert_eq!(Password::parse_new(&"e\u{301}".repeat(14)).err(), Some(FieldProblem::TooShort));
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::parse_given("hunter2 hunter2");
        assert!(!format!("{password:?}").contains("hunter2"));
    }
}
