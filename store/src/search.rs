//! Searching an account's users by the words of their names and addresses, and by what they must fit
//! besides: the words, and the statements for each way through the list.

use std::cmp::Reverse;

use model::{AccountId, Failure, ListPlace, Permission, Timestamp};
use sqlx::{query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{count, limit, plain, read, sql};
use crate::factors::has_factor;
use crate::fold::fold;
use crate::grants::{held_json, pattern, read_held};
use crate::memberships::{MemberRow, NEVER, members};
use crate::{Member, Store, UserSort};

/// Users that fit, and after the place ($17, $18) in this order, at most $2.
macro_rules! by_name {
    ($besides:expr, $first:expr, $words:expr, $beyond:literal, $order:literal) => {
        members!(
            with $besides,
            $first,
            fitting!(),
            $words,
            " AND (m.name_key, m.user_id) ",
            $beyond,
            " ($17, $18) ORDER BY m.name_key ",
            $order,
            ", m.user_id ",
            $order,
            " LIMIT $2"
        )
    };
}

macro_rules! by_activity {
    ($besides:expr, $first:expr, $words:expr, $beyond:literal, $order:literal) => {
        members!(
            with $besides,
            $first,
            fitting!(),
            $words,
            " AND (coalesce(m.last_active_at, -1), m.user_id) ",
            $beyond,
            " (CAST($17 AS BIGINT), $18) ORDER BY coalesce(m.last_active_at, -1) ",
            $order,
            ", m.user_id ",
            $order,
            " LIMIT $2"
        )
    };
}

/// How many of them there are, counted no further than $2.
macro_rules! counted {
    ($first:expr, $words:expr) => {
        concat!(
            "SELECT count(*) FROM (SELECT 1 FROM ",
            $first,
            "memberships m WHERE m.account_id = $1",
            fitting!(),
            $words,
            " LIMIT $2) AS found"
        )
    };
}

/// Whether the user `m` fits a filter: any does ($3), or owners alone do ($4), or those alone whose access
/// is paused at $11 ($5), or those with a live grant like $6 that reaches anything; and their second factor
/// and last activity lie between two each ($7 to $10).
macro_rules! fitting {
    () => {
        concat!(
            " AND ($3 OR (NOT $4 OR m.owner) \
              AND (NOT $5 OR NOT m.owner AND (m.paused_at IS NOT NULL OR NOT ",
            live!(""),
            ")) AND ($6 = '' OR m.owner OR m.paused_at IS NULL AND ",
            live!(
                " AND (' ' || g.permissions || ' ') LIKE $6 ESCAPE '!' \
                  AND ($6 NOT LIKE '_ services.%' OR g.all_services OR EXISTS \
                      (SELECT 1 FROM grant_services n WHERE n.grant_id = g.id)) \
                  AND ($6 NOT LIKE '_ domains.%' OR g.all_domains OR EXISTS \
                      (SELECT 1 FROM grant_domains n WHERE n.grant_id = g.id))"
            ),
            ") AND coalesce(m.last_active_at, -1) BETWEEN $9 AND $10 \
              AND ($7 = 0 AND $8 = 1 OR CAST(",
            has_factor!("m.user_id"),
            " AS INTEGER) BETWEEN $7 AND $8))"
        )
    };
}

/// Whether the user holds a grant that hasn't lapsed.
macro_rules! live {
    ($which:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM grants g \
                WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                    AND (g.until IS NULL OR g.until > $11)",
            $which,
            ")"
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
        concat!(has_word!("$13"), has_word!("$14"), has_word!("$15"), has_word!("$16"))
    };
}

/// When few have one of the words, a search begins with them. SQLite takes a CROSS JOIN in the
/// order in which it is written; Postgres finds out by itself.
macro_rules! from_the_few {
    () => {
        concat!(
            "(SELECT DISTINCT w.user_id FROM membership_words w WHERE ",
            begins_with!("$12"),
            ") f CROSS JOIN "
        )
    };
}

macro_rules! of_the_few {
    () => {
        concat!(" AND m.user_id = f.user_id", has_other_words!())
    };
}

/// When many have each of them, or nothing is searched for, the list is gone through until the page is
/// full.
macro_rules! of_the_many {
    () => {
        concat!(has_word!("$12"), has_other_words!())
    };
}

/// Those few are sorted, with all that is read of them: what they hold is read afterwards, of a page.
macro_rules! few {
    ($by:ident $beyond:literal $order:literal) => {
        $by!("", from_the_few!(), of_the_few!(), $beyond, $order)
    };
}

/// The list is in its order, so that what they hold is read with them.
macro_rules! many {
    ($db:ident $by:ident $beyond:literal $order:literal) => {
        $by!(held_json!($db), "", of_the_many!(), $beyond, $order)
    };
}

sql! {
    FEW_BY_NAME = few!(by_name ">" "ASC");
    FEW_BY_NAME_BEFORE = few!(by_name "<" "DESC");
    FEW_BY_ACTIVITY = few!(by_activity "<" "DESC");
    FEW_BY_ACTIVITY_BEFORE = few!(by_activity ">" "ASC");
    MANY_BY_NAME = many!(sqlite by_name ">" "ASC"), on Postgres many!(postgres by_name ">" "ASC");
    MANY_BY_NAME_BEFORE = many!(sqlite by_name "<" "DESC"),
        on Postgres many!(postgres by_name "<" "DESC");
    MANY_BY_ACTIVITY = many!(sqlite by_activity "<" "DESC"),
        on Postgres many!(postgres by_activity "<" "DESC");
    MANY_BY_ACTIVITY_BEFORE = many!(sqlite by_activity ">" "ASC"),
        on Postgres many!(postgres by_activity ">" "ASC");
    COUNT_ALL = "SELECT count(*) FROM (SELECT 1 FROM memberships WHERE account_id = $1 LIMIT $2) AS found";
    COUNT_FEW = counted!(from_the_few!(), of_the_few!());
    COUNT_MANY = counted!("", of_the_many!());
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
    /// What they must fit besides.
    pub filter: UsersFilter,
    /// How they are sorted.
    pub sort: UserSort,
    /// Where the page lies.
    pub place: ListPlace,
}

/// What users must fit to be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsersFilter {
    /// What their access must be.
    pub access: Option<AccessFilter>,
    /// Whether they must have a second factor, or none.
    pub second_factor: Option<bool>,
    /// When they must have been active last.
    pub last_active: Option<ActiveFilter>,
}

/// What somebody's access must be to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFilter {
    /// They own the account.
    Owner,
    /// It opens nothing at this moment: somebody paused it, or all of it lapsed.
    Paused(Timestamp),
    /// It opens what this permission is about, on anything, at this moment.
    Having(Permission, Timestamp),
}

/// When somebody must have been active last to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveFilter {
    /// At this moment or after it.
    Since(Timestamp),
    /// Before it, or never.
    NotSince(Timestamp),
    /// Never.
    Never,
}

/// A filter as the statements take it.
struct Fitting {
    all: bool,
    owners: bool,
    paused: bool,
    permission: String,
    factor: (i32, i32),
    active: (i64, i64),
    /// The moment at which what lapsed opens nothing.
    at: i64,
}

impl Fitting {
    fn of(filter: UsersFilter) -> Self {
        let (permission, at) = match filter.access {
            Some(AccessFilter::Having(permission, at)) => (pattern(permission), at),
            Some(AccessFilter::Paused(at)) => (String::new(), at),
            Some(AccessFilter::Owner) | None => (String::new(), Timestamp::from_micros(0)),
        };
        Self {
            all: filter == UsersFilter::default(),
            owners: matches!(filter.access, Some(AccessFilter::Owner)),
            paused: matches!(filter.access, Some(AccessFilter::Paused(_))),
            permission,
            at: at.as_micros(),
            factor: match filter.second_factor {
                None => (0, 1),
                Some(has) => (i32::from(has), i32::from(has)),
            },
            active: match filter.last_active {
                None => (NEVER, i64::MAX),
                Some(ActiveFilter::Since(since)) => (since.as_micros(), i64::MAX),
                Some(ActiveFilter::NotSince(since)) => (NEVER, since.as_micros().saturating_sub(1)),
                Some(ActiveFilter::Never) => (NEVER, NEVER),
            },
        }
    }
}

/// A user with what they hold.
#[derive(FromRow)]
struct HoldingRow {
    held: Option<String>,
    #[sqlx(flatten)]
    member: MemberRow,
}

impl TryFrom<HoldingRow> for Member {
    type Error = Failure;

    fn try_from(row: HoldingRow) -> Result<Self, Failure> {
        let mut member = Self::from(row.member);
        member.held.fill(row.held.as_deref().map(read_held).transpose()?);
        Ok(member)
    }
}

/// Binds what all statements about an account's users that fit begin with: $1 to $16.
macro_rules! fit {
    ($statement:expr, $account:expr, $most:expr, $fitting:expr, $words:expr) => {{
        let fitting = $fitting;
        let statement = $statement
            .bind(Uuid::from($account))
            .bind(limit($most))
            .bind(fitting.all)
            .bind(fitting.owners)
            .bind(fitting.paused)
            .bind(&fitting.permission)
            .bind(fitting.factor.0)
            .bind(fitting.factor.1)
            .bind(fitting.active.0)
            .bind(fitting.active.1)
            .bind(fitting.at);
        $words.iter().fold(statement, |statement, word| statement.bind(word))
    }};
}

impl Store {
    /// The account's users, at most `most`. The cursor of a row is what [`Member::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn users(
        &self,
        account: AccountId,
        query: &UsersQuery,
        most: usize,
    ) -> Result<Vec<Member>, Failure> {
        let (words, few) = self.searched(account, query).await?;
        let back = matches!(query.place, ListPlace::Before(_));
        // Without a cursor, the place before the first row: one statement for every page.
        let (key, id) = match (query.sort, &query.place) {
            (UserSort::Name, ListPlace::First) => (String::new(), Uuid::nil()),
            (UserSort::LastActive, ListPlace::First) => (i64::MAX.to_string(), Uuid::max()),
            (UserSort::Name, ListPlace::After(row) | ListPlace::Before(row)) => {
                (plain(&row.key), row.id)
            }
            (UserSort::LastActive, ListPlace::After(row) | ListPlace::Before(row)) => {
                (row.key.parse().unwrap_or(NEVER).to_string(), row.id)
            }
        };
        let fitting = Fitting::of(query.filter);
        let mut members = if few {
            let text = match (query.sort, back) {
                (UserSort::Name, false) => FEW_BY_NAME,
                (UserSort::Name, true) => FEW_BY_NAME_BEFORE,
                (UserSort::LastActive, false) => FEW_BY_ACTIVITY,
                (UserSort::LastActive, true) => FEW_BY_ACTIVITY_BEFORE,
            };
            let rows: Vec<MemberRow> = read!(self, db => {
                fit!(query_as(text), account, most, &fitting, words).bind(&key).bind(id).fetch_all(db)
            })?;
            self.with_grants(account, rows).await?
        } else {
            let text = match (query.sort, back) {
                (UserSort::Name, false) => MANY_BY_NAME,
                (UserSort::Name, true) => MANY_BY_NAME_BEFORE,
                (UserSort::LastActive, false) => MANY_BY_ACTIVITY,
                (UserSort::LastActive, true) => MANY_BY_ACTIVITY_BEFORE,
            };
            let text = text.at(self);
            let rows: Vec<HoldingRow> = read!(self, db => {
                fit!(query_as(text), account, most, &fitting, words).bind(&key).bind(id).fetch_all(db)
            })?;
            rows.into_iter().map(Member::try_from).collect::<Result<_, _>>()?
        };
        if back {
            members.reverse();
        }
        Ok(members)
    }

    /// How many users of the account a query asks for, wherever its page lies, counted no further than
    /// `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn count_users(
        &self,
        account: AccountId,
        query: &UsersQuery,
        most: usize,
    ) -> Result<u32, Failure> {
        let fitting = Fitting::of(query.filter);
        // By the index alone.
        if fitting.all && query.search.is_none() {
            let found: i64 = read!(self, db => query_scalar(COUNT_ALL)
                .bind(Uuid::from(account))
                .bind(limit(most))
                .fetch_one(db))?;
            return Ok(count(found));
        }
        let (words, few) = self.searched(account, query).await?;
        let text = if few { COUNT_FEW } else { COUNT_MANY };
        let found: i64 = read!(self, db => {
            fit!(query_scalar(text), account, most, &fitting, words).fetch_one(db)
        })?;
        Ok(count(found))
    }

    /// The words that are searched for, exactly [`SEARCHED_WORDS`], the one first that the fewest have; and
    /// whether those are few.
    async fn searched(
        &self,
        account: AccountId,
        query: &UsersQuery,
    ) -> Result<(Vec<String>, bool), Failure> {
        let mut words = query.search.as_deref().map(search_words).unwrap_or_default();
        // None is counted further than the rarest so far.
        let mut found = FEW;
        for place in 0..words.len() {
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
        words.resize(SEARCHED_WORDS, String::new());
        Ok((words, found < FEW))
    }
}

/// The words that a search asks for, the longest first, at most [`SEARCHED_WORDS`].
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
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_search_asks_for() {
        assert!(search_words(" \t\0").is_empty());
        assert_eq!(search_words("Nordmann, KARI"), ["nordmann", "kari"]);
        assert_eq!(search_words("<a@b.example> %"), ["example", "a", "b", "%"]);
        assert_eq!(search_words("a bb ccc dddd eeeee ffffff").len(), SEARCHED_WORDS);
    }
}
