//! Keyset pages: a page begins after a row, so its cost doesn't grow with its number.

use serde::{Deserialize, Serialize};

/// How many rows a page of a list holds.
pub const PAGE_SIZE: usize = 25;

/// Where a page begins: after the row with this sort key and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last row's sort key.
    pub key: String,
    /// The last row's id, which settles equal keys.
    pub id: uuid::Uuid,
}
