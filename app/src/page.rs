//! A page as it travels: its frame, a notice, its content or why it can't be shown.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access_requests::api::AskView;
use crate::frame::Frame;
use crate::notice::Said;
use crate::wire;

/// A page as the server sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// What stands around the content.
    pub(crate) frame: Frame,
    /// What the last form came to.
    pub(crate) notice: Option<Said>,
    /// The content, or what is missing to see it.
    pub(crate) content: Result<T, Refused>,
}

/// What is missing to see a page, and whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// What is missing, in words.
    pub(crate) label: String,
    /// What follows from it, in a sentence.
    pub(crate) sentence: String,
    /// What the reader may do, in a sentence.
    pub(crate) yours: String,
    /// The owners, who can give it.
    pub(crate) owners: Vec<OwnerToAsk>,
    /// The form for asking for it; none for what only owners can.
    pub(crate) asking: Option<AskView>,
}

/// An owner, to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerToAsk {
    /// Their name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
}

/// A page is sent as one text, which the page's own piece of WASM reads: that keeps the reading of
/// each page out of the WASM that all load.
impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = wire::write(&(&self.frame, &self.notice, &self.content));
        serializer.serialize_str(&written.map_err(serde::ser::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<T: DeserializeOwned> Page<T> {
    /// Reads what was sent.
    pub(crate) fn read(written: &str) -> Result<Self, postcard::Error> {
        let (frame, notice, content) = wire::read(written)?;
        Ok(Self { frame, notice, content })
    }
}
