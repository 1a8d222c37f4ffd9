//! Links to the provider's own pages, which it gives with things.

use std::fmt;

/// An address that a browser is led to: https, or http on its own machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// How many characters it can have.
    pub const LONGEST: usize = 2_000;

    /// The link that the database holds, or that was found to be one.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
