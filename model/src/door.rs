//! The provider's own ids of things, and how a thing is named at the door.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::AccountNumber;

/// What stands before an id of ours, where one of the provider's could stand, too.
const OURS: &str = "id:";

/// The provider's own id of a thing: 1 to 200 characters, none of them a control character. It doesn't
/// begin like one of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DoorRef(String);

impl DoorRef {
    /// How many characters it can have.
    pub const LONGEST: usize = 200;

    /// The id that the database holds.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DoorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text names nothing at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDoorKey;

impl FromStr for DoorRef {
    type Err = NoDoorKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        let fits = (1..=Self::LONGEST).contains(&length);
        let plain = !text.chars().any(char::is_control) && !text.starts_with(OURS);
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(NoDoorKey) }
    }
}

/// How a thing is named at the door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoorKey {
    /// By the provider's own id.
    Ref(DoorRef),
    /// By ours: `id:` and a UUID.
    Id(Uuid),
    /// An account by its number: `id:` and the number.
    Number(AccountNumber),
}

impl FromStr for DoorKey {
    type Err = NoDoorKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(ours) = text.strip_prefix(OURS) else { return text.parse().map(Self::Ref) };
        if let Ok(number) = ours.parse() {
            return Ok(Self::Number(number));
        }
        // As we write it, and in no other way: one thing has one name of ours.
        let id = Uuid::try_parse(ours).ok().filter(|id| id.to_string() == ours);
        id.map(Self::Id).ok_or(NoDoorKey)
    }
}

impl fmt::Display for DoorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ref(reference) => reference.fmt(f),
            Self::Id(id) => write!(f, "{OURS}{id}"),
            Self::Number(number) => write!(f, "{OURS}{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_named_by_the_providers_id_or_ours() {
        let id = "0195f0a0-0000-7000-8000-000000000001";
        for text in ["4711", "cust/47 11", "Ø", &"x".repeat(200), "ID:1", "id", " "] {
            let key: DoorKey = text.parse().unwrap();
            assert_eq!(key, DoorKey::Ref(DoorRef(text.to_owned())));
            assert_eq!(key.to_string(), text);
        }
        for text in [format!("id:{id}"), "id:100001".to_owned()] {
            let key: DoorKey = text.parse().unwrap();
            assert!(!matches!(key, DoorKey::Ref(_)) && key.to_string() == text, "{key:?}");
        }
        let long = "x".repeat(201);
        let loud = format!("id:{}", id.to_uppercase());
        for text in ["", &long, "a\nb", "a\0", "\u{85}", "id:", "id:x", "id:0", &loud] {
            assert_eq!(text.parse::<DoorKey>(), Err(NoDoorKey), "{text:?}");
        }
        assert_eq!("id:100001".parse::<DoorRef>(), Err(NoDoorKey));
    }
}
