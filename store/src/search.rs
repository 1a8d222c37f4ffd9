//! Searching an account's users by the words of their names and addresses: the words, and the statements
//! for each way through the list.

use std::cmp::Reverse;

use model::{AccountId, Cursor, Failure};
use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use crate::db::{limit, plain, read, sql};
use crate::fold::fold;
use crate::memberships::{MemberRow, NEVER, members};
use crate::{Member, Store, UserSort};

macro_rules! by_name {
    ($first:expr, $words:expr) => {
        members!(
            $first,
            " AND (m.name_key, m.user_id) > ($2, $3)",
            $words,
            " ORDER BY m.name_key, m.user_id LIMIT $4"
        )
    };
}

macro_rules! by_activity {
    ($first:expr, $words:expr) => {
        members!(
            $first,
            " AND (coalesce(m.last_active_at, -1), m.user_id) < (CAST($2 AS BIGINT), $3)",
            $words,
            " ORDER BY coalesce(m.last_active_at, -1) DESC, m.user_id DESC LIMIT $4"
        )
    };
}

/// The words `w` of the account that begin with one of a search.
macro_rules! begins_with {
    ($word:literal) => {
        concat!(
            "w.account_id = $1 AND w.word >= ",
            $word,
            " AND w.word < ",
            $word,
            " || '\u{10ffff}'"
        )
    };
}

macro_rules! has_word {
    ($word:literal) => {
        concat!(
            " AND (",
            $word,
            " = '' OR EXISTS (SELECT 1 FROM membership_words w WHERE w.user_id = m.user_id AND ",
            begins_with!($word),
            "))"
        )
    };
}

macro_rules! has_other_words {
    () => {
        concat!(has_word!("$6"), has_word!("$7"), has_word!("$8"), has_word!("$9"))
    };
}

/// When few have one of the words, a search begins with them. SQLite takes a CROSS JOIN in the
/// order in which it is written; Postgres finds out by itself.
macro_rules! from_the_few {
    () => {
        concat!(
            "(SELECT DISTINCT w.user_id FROM membership_words w WHERE ",
            begins_with!("$5"),
            ") f CROSS JOIN "
        )
    };
}

macro_rules! of_the_few {
    () => {
        concat!(" AND m.user_id = f.user_id", has_other_words!())
    };
}

/// When many have each of them, a search goes through the list until the page is full.
macro_rules! of_the_many {
    () => {
        concat!(has_word!("$5"), has_other_words!())
    };
}

sql! {
    ALL_BY_NAME = by_name!("", "");
    FEW_BY_NAME = by_name!(from_the_few!(), of_the_few!());
    MANY_BY_NAME = by_name!("", of_the_many!());
    ALL_BY_ACTIVITY = by_activity!("", "");
    FEW_BY_ACTIVITY = by_activity!(from_the_few!(), of_the_few!());
    MANY_BY_ACTIVITY = by_activity!("", of_the_many!());
    COUNT_FOUND = "SELECT count(*) FROM (SELECT 1 FROM membership_words w \
                   WHERE w.account_id = $1 AND w.word >= $2 AND w.word < $2 || '\u{10ffff}' \
                   LIMIT $3) AS found";
}

/// How many words of a search are looked for; of more, the longest. The statements have a
/// placeholder for each.
const SEARCHED_WORDS: usize = 5;

/// How many users are few enough to look at all of them for a page. With more that have its rarest
/// word, a search goes through the list, where one in a few fits.
const FEW: i64 = 2_000;

/// Which users of an account are asked for.
#[derive(Clone, Debug, Default)]
pub struct UsersQuery {
    /// Words that the name or address must have: every one begins a word of them, as far as people
    /// type them the same.
    pub search: Option<String>,
    /// How they are sorted.
    pub sort: UserSort,
    /// After which row the page begins.
    pub after: Option<Cursor>,
}

impl Store {
    /// The account's users, at most `most`. The cursor of a row is what
    /// [`Member::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn users(
        &self,
        account: AccountId,
        query: &UsersQuery,
        most: usize,
    ) -> Result<Vec<Member>, Failure> {
        let mut words = query.search.as_deref().map(search_words).unwrap_or_default();
        // The word that the fewest have comes first. None is counted further than the rarest so far.
        let mut found = FEW;
        for place in 0..words.len() {
            if words[place].is_empty() {
                break;
            }
            let with_it = read!(self, db => query_scalar(COUNT_FOUND)
                .bind(Uuid::from(account))
                .bind(&words[place])
                .bind(found)
                .fetch_one(db))?;
            if with_it < found {
                found = with_it;
                words.swap(0, place);
            }
        }
        let text = match (query.sort, words.is_empty(), found < FEW) {
            (UserSort::Name, true, _) => ALL_BY_NAME,
            (UserSort::Name, false, true) => FEW_BY_NAME,
            (UserSort::Name, false, false) => MANY_BY_NAME,
            (UserSort::LastActive, true, _) => ALL_BY_ACTIVITY,
            (UserSort::LastActive, false, true) => FEW_BY_ACTIVITY,
            (UserSort::LastActive, false, false) => MANY_BY_ACTIVITY,
        };
        // Without a cursor, the place before the first row: one statement for every page.
        let (key, id) = match (query.sort, &query.after) {
            (UserSort::Name, None) => (String::new(), Uuid::nil()),
            (UserSort::Name, Some(after)) => (plain(&after.key), after.id),
            (UserSort::LastActive, None) => (i64::MAX.to_string(), Uuid::max()),
            (UserSort::LastActive, Some(after)) => {
                (after.key.parse().unwrap_or(NEVER).to_string(), after.id)
            }
        };
        let rows: Vec<MemberRow> = read!(self, db => {
            let page = query_as(text)
                .bind(Uuid::from(account))
                .bind(&key)
                .bind(id)
                .bind(limit(most));
            words.iter().fold(page, |page, word| page.bind(word)).fetch_all(db)
        })?;
        self.with_grants(account, rows).await
    }
}

/// The words that a search asks for: none, or exactly [`SEARCHED_WORDS`], the longest first and
/// empty where there are fewer.
fn search_words(text: &str) -> Vec<String> {
    let text = fold(text);
    // "Nordmann, Kari" and "@example.com" are looked for by what stands between the signs; a sign
    // alone is looked for as it is, and found nowhere.
    let words = text.split_whitespace().flat_map(|word| {
        let parts: Vec<_> =
            word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { vec![word] } else { parts }
    });
    let mut words: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_by_key(|word| Reverse(word.len()));
    words.truncate(SEARCHED_WORDS);
    if !words.is_empty() {
        words.resize(SEARCHED_WORDS, String::new());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_search_asks_for() {
        assert!(search_words(" \t\0").is_empty());
        assert_eq!(search_words("Nordmann, KARI")[..2], ["nordmann", "kari"]);
        assert_eq!(search_words("<a@b.example> %")[..4], ["example", "a", "b", "%"]);
        assert_eq!(search_words("a bb ccc dddd eeeee ffffff").len(), SEARCHED_WORDS);
    }
}
