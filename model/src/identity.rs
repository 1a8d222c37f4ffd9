//! Identities: who somebody is at an identity provider, by which they sign in instead of with their
//! password.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a link between an identity and a login: what its user sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityId(Uuid);

impl From<Uuid> for IdentityId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<IdentityId> for Uuid {
    fn from(id: IdentityId) -> Self {
        id.0
    }
}

impl fmt::Display for IdentityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for IdentityId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An identity: the provider, and what that calls the person there and never calls anybody else
/// (OpenID Connect Core 1.0 section 5.7). An address is neither: it can be given to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    issuer: String,
    subject: String,
}

impl Identity {
    /// The most characters of a subject (OpenID Connect Core 1.0 section 2).
    const LONGEST: usize = 255;

    /// Takes an identity as its provider names it; none when it can't be one: the subject is 1 to
    /// 255 characters of ASCII.
    #[must_use]
    pub fn parse(issuer: &str, subject: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&subject.len())
            && subject.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
        sound.then(|| Self::from_stored(issuer.to_owned(), subject.to_owned()))
    }

    /// An identity that was parsed before it was stored.
    #[must_use]
    pub const fn from_stored(issuer: String, subject: String) -> Self {
        Self { issuer, subject }
    }

    /// The provider's address.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the provider calls the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_subject_may_be() {
        let takes = |subject: &str| Identity::parse("https://id.example", subject).is_some();
        assert!(takes("1") && takes("auth0|65f2") && takes(&"x".repeat(255)));
        for subject in ["", "a\0b", "a\nb", "é", &"x".repeat(256)] {
            assert!(!takes(subject), "{subject:?}");
        }
    }
}
