//! What is typed into a field that a form may lack.

use serde::{Deserialize, Deserializer, Serialize};

/// What a form holds in a field that it may lack: none if it does, which isn't the same as nothing.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Typed(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|typed| Self(Some(typed)))
    }
}
