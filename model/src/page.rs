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

/// Where a page of a list lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListPlace {
    /// At the beginning.
    #[default]
    First,
    /// Right after this row.
    After(Cursor),
    /// Right before this row.
    Before(Cursor),
}

/// The rows of a page, and where others lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Before which row the previous page lies, if there is one.
    pub before: Option<Cursor>,
    /// After which row the next page lies, if there is one.
    pub after: Option<Cursor>,
}

impl ListPlace {
    /// The place between these rows. Of two the one before a row is meant: it was left last.
    #[must_use]
    pub fn between(before: Option<Cursor>, after: Option<Cursor>) -> Self {
        match (before, after) {
            (Some(row), _) => Self::Before(row),
            (None, Some(row)) => Self::After(row),
            (None, None) => Self::First,
        }
    }

    /// The page that lies here and holds at most so many rows: of these, in their order, of which there
    /// is one more than that if there are more on the side that the page grows to.
    #[must_use]
    pub fn page<T>(
        &self,
        mut rows: Vec<T>,
        most: usize,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Paged<T> {
        let more = rows.len() > most;
        if more && matches!(self, Self::Before(_)) {
            rows.remove(0);
        }
        rows.truncate(most);
        let (first, last) = (rows.first().map(&cursor), rows.last().map(&cursor));
        let (before, after) = match self {
            Self::First => (None, last.filter(|_| more)),
            Self::After(_) => (first, last.filter(|_| more)),
            // The row that the page lies before follows it.
            Self::Before(_) => (first.filter(|_| more), last),
        };
        Paged { rows, before, after }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn cursor(row: &u8) -> Cursor {
        Cursor { key: row.to_string(), id: Uuid::nil() }
    }

    #[test]
    fn a_page_says_where_its_neighbours_lie() {
        let (before, after) = (ListPlace::Before(cursor(&9)), ListPlace::After(cursor(&0)));
        for (place, rows, page, neighbours) in [
            (&ListPlace::First, &[1, 2][..], &[1, 2][..], (None, None)),
            (&ListPlace::First, &[1, 2, 3], &[1, 2], (None, Some(2))),
            (&after, &[1, 2], &[1, 2], (Some(1), None)),
            (&after, &[1, 2, 3], &[1, 2], (Some(1), Some(2))),
            (&before, &[7, 8], &[7, 8], (None, Some(8))),
            (&before, &[6, 7, 8], &[7, 8], (Some(7), Some(8))),
            (&before, &[], &[], (None, None)),
        ] {
            let found = place.page(rows.to_vec(), 2, cursor);
            assert_eq!(found.rows, page, "{place:?}");
            let at = |row: Option<u8>| row.as_ref().map(cursor);
            assert_eq!((found.before, found.after), (at(neighbours.0), at(neighbours.1)));
        }
    }
}
