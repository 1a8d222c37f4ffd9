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

/// A page of the users that fit, with what they hold: those after the place ($17, $18) in this order, at most
/// $2.
macro_rules! page {
    ($db:ident $way:ident by_name $beyond:literal $order:literal) => {
        $way!($db, "m.name_key", "m.name_key || ''", "$17", $beyond, $order)
    };
    ($db:ident $way:ident by_activity $beyond:literal $order:literal) => {
        $way!(
            $db,
            "coalesce(m.last_active_at, -1)",
            "coalesce(m.last_active_at, -1) + 0",
            "CAST($17 AS BIGINT)",
            $beyond,
            $order
        )
    };
}

/// The list is in its order, so that it is gone through until the page is full.
macro_rules! many {
    ($db:ident, $key:literal, $computed:literal, $place:literal, $beyond:literal, $order:literal) => {
        members!(
            with held_json!($db),
            "",
            fitting!(),
            of_the_many!(),
            within!($key, $place, $beyond),
            in_order!($key, $order),
            " LIMIT $2"
        )
    };
}

/// Those few are sorted by themselves: all else is read of a page. Each is looked up by its own: by the key
/// as an index has it Postgres would look for them in all of the list, one after the other.
macro_rules! few {
    ($db:ident, $key:literal, $computed:literal, $place:literal, $beyond:literal, $order:literal) => {
        members!(
            with held_json!($db),
            concat!(
                "(SELECT m.user_id FROM ",
                from_the_few!(),
                "memberships m WHERE m.account_id = $1",
                of_the_few!(),
                fitting!(),
                within!($computed, $place, $beyond),
                in_order!($key, $order),
                " LIMIT $2) l CROSS JOIN "
            ),
            " AND m.user_id = l.user_id",
            in_order!($key, $order)
        )
    };
}

macro_rules! within {
    ($key:literal, $place:literal, $beyond:literal) => {
        concat!(" AND (", $key, ", m.user_id) ", $beyond, " (", $place, ", $18)")
    };
}

macro_rules! in_order {
    ($key:literal, $order:literal) => {
        concat!(" ORDER BY ", $key, " ", $order, ", m.user_id ", $order)
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

/// Whether the user `m` fits a filter: any does ($8), or owners alone do ($9), or those alone whose access
/// is paused at $16 ($10), or those with a live grant like $11 that reaches anything; and their second factor
/// and last activity lie between two each ($12 to $15).
macro_rules! fitting {
    () => {
        concat!(
            " AND ($8 OR (NOT $9 OR m.owner) \
              AND (NOT $10 OR NOT m.owner AND (m.paused_at IS NOT NULL OR NOT ",
            live!(""),
            ")) AND ($11 = '' OR m.owner OR m.paused_at IS NULL AND ",
            live!(
                " AND (' ' || g.permissions || ' ') LIKE $11 ESCAPE '!' \
                  AND ($11 NOT LIKE '_ services.%' OR g.all_services OR EXISTS \
                      (SELECT 1 FROM grant_services n WHERE n.grant_id = g.id)) \
                  AND ($11 NOT LIKE '_ domains.%' OR g.all_domains OR EXISTS \
                      (SELECT 1 FROM grant_domains n WHERE n.grant_id = g.id))"
            ),
            ") AND coalesce(m.last_active_at, -1) BETWEEN $14 AND $15 \
              AND ($12 = 0 AND $13 = 1 OR CAST(",
            has_factor!("m.user_id"),
            " AS INTEGER) BETWEEN $12 AND $13))"
        )
    };
}

/// Whether the user holds a grant that hasn't lapsed.
macro_rules! live {
    ($which:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM grants g \
                WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                    AND (g.until IS NULL OR g.until > $16)",
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

/// Looked up of each user. Postgres would rather read all who have the word, where it plans for whatever is
/// searched for: an offset keeps it from that.
macro_rules! has_word {
    ($user:literal, $word:literal) => {
        concat!(
            " AND (",
            $word,
            " = '' OR EXISTS (SELECT 1 FROM membership_words w WHERE w.user_id = ",
            $user,
            " AND ",
            begins_with!($word),
            " LIMIT 1 OFFSET 0))"
        )
    };
}

/// Whether somebody has all words but the rarest.
macro_rules! has_other_words {
    ($user:literal) => {
        concat!(
            has_word!($user, "$4"),
            has_word!($user, "$5"),
            has_word!($user, "$6"),
            has_word!($user, "$7")
        )
    };
}

/// Who has all of the words, by them alone, the rarest first.
macro_rules! found {
    () => {
        concat!(
            "SELECT DISTINCT f.user_id FROM (SELECT w.user_id FROM membership_words w WHERE ",
            begins_with!("$3"),
            ") f WHERE TRUE",
            has_other_words!("f.user_id")
        )
    };
}

/// When few have one of the words, a search begins with them. SQLite takes a CROSS JOIN in the
/// order in which it is written; Postgres finds out by itself.
macro_rules! from_the_few {
    () => {
        concat!("(", found!(), ") f CROSS JOIN ")
    };
}

macro_rules! of_the_few {
    () => {
        " AND m.user_id = f.user_id"
    };
}

/// When many have each of them, or nothing is searched for, the list is gone through.
macro_rules! of_the_many {
    () => {
        concat!(has_word!("m.user_id", "$3"), has_other_words!("m.user_id"))
    };
}

/// How many words of the account begin with this one, none if it is no word, counted no further than $2.
macro_rules! frequency {
    ($word:literal) => {
        concat!(
            "(SELECT count(*) FROM (SELECT 1 FROM membership_words w WHERE ",
            $word,
            " <> '' AND ",
            begins_with!($word),
            " LIMIT $2) AS found)"
        )
    };
}

sql! {
    FEW_BY_NAME = page!(sqlite few by_name ">" "ASC"),
        on Postgres page!(postgres few by_name ">" "ASC");
    FEW_BY_NAME_BEFORE = page!(sqlite few by_name "<" "DESC"),
        on Postgres page!(postgres few by_name "<" "DESC");
    FEW_BY_ACTIVITY = page!(sqlite few by_activity "<" "DESC"),
        on Postgres page!(postgres few by_activity "<" "DESC");
    FEW_BY_ACTIVITY_BEFORE = page!(sqlite few by_activity ">" "ASC"),
        on Postgres page!(postgres few by_activity ">" "ASC");
    MANY_BY_NAME = page!(sqlite many by_name ">" "ASC"),
        on Postgres page!(postgres many by_name ">" "ASC");
    MANY_BY_NAME_BEFORE = page!(sqlite many by_name "<" "DESC"),
        on Postgres page!(postgres many by_name "<" "DESC");
    MANY_BY_ACTIVITY = page!(sqlite many by_activity "<" "DESC"),
        on Postgres page!(postgres many by_activity "<" "DESC");
    MANY_BY_ACTIVITY_BEFORE = page!(sqlite many by_activity ">" "ASC"),
        on Postgres page!(postgres many by_activity ">" "ASC");
    COUNT_ALL = "SELECT count(*) FROM (SELECT 1 FROM memberships WHERE account_id = $1 LIMIT $2) AS found";
    COUNT_FEW = counted!(from_the_few!(), of_the_few!());
    COUNT_MANY = counted!("", of_the_many!());
    COUNT_FOUND = concat!("SELECT count(*) FROM (", found!(), " LIMIT $2) AS found");
    FREQUENCIES = concat!(
        "SELECT ", frequency!("$3"), ", ", frequency!("$4"), ", ", frequency!("$5"), ", ",
        frequency!("$6"), ", ", frequency!("$7")
    );
}

/// How many words of a search are looked for; of more, the longest. The statements have a
/// placeholder for each.
const SEARCHED_WORDS: usize = 5;

/// How many users are few enough to look at all of them for a page. With more that have its rarest
/// word, a search goes through the list, where one in a few fits.
const FEW: usize = 1_000;

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
    ($statement:expr, $account:expr, $most:expr, $words:expr, $fitting:expr) => {{
        let fitting = $fitting;
        sought!($statement, $account, $most, $words)
            .bind(fitting.all)
            .bind(fitting.owners)
            .bind(fitting.paused)
            .bind(&fitting.permission)
            .bind(fitting.factor.0)
            .bind(fitting.factor.1)
            .bind(fitting.active.0)
            .bind(fitting.active.1)
            .bind(fitting.at)
    }};
}

/// Binds what those about its words alone have: $1 to $7.
macro_rules! sought {
    ($statement:expr, $account:expr, $most:expr, $words:expr) => {{
        let statement = $statement.bind(Uuid::from($account)).bind(limit($most));
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
        let text = match (few, query.sort, back) {
            (true, UserSort::Name, false) => FEW_BY_NAME,
            (true, UserSort::Name, true) => FEW_BY_NAME_BEFORE,
            (true, UserSort::LastActive, false) => FEW_BY_ACTIVITY,
            (true, UserSort::LastActive, true) => FEW_BY_ACTIVITY_BEFORE,
            (false, UserSort::Name, false) => MANY_BY_NAME,
            (false, UserSort::Name, true) => MANY_BY_NAME_BEFORE,
            (false, UserSort::LastActive, false) => MANY_BY_ACTIVITY,
            (false, UserSort::LastActive, true) => MANY_BY_ACTIVITY_BEFORE,
        };
        let (text, fitting) = (text.at(self), Fitting::of(query.filter));
        let rows: Vec<HoldingRow> = read!(self, db => {
            fit!(query_as(text), account, most, words, &fitting).bind(&key).bind(id).fetch_all(db)
        })?;
        let mut members: Vec<Member> =
            rows.into_iter().map(Member::try_from).collect::<Result<_, _>>()?;
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
        let (words, few) = self.searched(account, query).await?;
        let fitting = Fitting::of(query.filter);
        let found: i64 = if !fitting.all {
            let text = if few { COUNT_FEW } else { COUNT_MANY };
            read!(self, db => {
                fit!(query_scalar(text), account, most, words, &fitting).fetch_one(db)
            })?
        } else if words.iter().all(String::is_empty) {
            let (account, most) = (Uuid::from(account), limit(most));
            read!(self, db => query_scalar(COUNT_ALL).bind(account).bind(most).fetch_one(db))?
        } else {
            let text = COUNT_FOUND;
            read!(self, db => sought!(query_scalar(text), account, most, words).fetch_one(db))?
        };
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
        let sought = words.len();
        words.resize(SEARCHED_WORDS, String::new());
        if sought == 0 {
            return Ok((words, false));
        }
        let (first, second, third, fourth, fifth): (i64, i64, i64, i64, i64) = read!(self, db => {
            sought!(query_as(FREQUENCIES), account, FEW, words).fetch_one(db)
        })?;
        let frequencies = [first, second, third, fourth, fifth].into_iter().take(sought);
        let rarest = frequencies.enumerate().min_by_key(|(_, frequency)| *frequency);
        let (place, frequency) = rarest.unwrap_or_default();
        words.swap(0, place);
        Ok((words, frequency < limit(FEW)))
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
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    use super::*;

    #[test]
    fn what_a_search_asks_for() {
        assert!(search_words(" \t\0").is_empty());
        assert_eq!(search_words("Nordmann, KARI"), ["nordmann", "kari"]);
        assert_eq!(search_words("<a@b.example> %"), ["example", "a", "b", "%"]);
        assert_eq!(search_words("a bb ccc dddd eeeee ffffff").len(), SEARCHED_WORDS);
    }

    /// In an account of ten thousand, where most others have one user.
    #[tokio::test]
    async fn postgres_looks_each_of_the_few_up_by_itself() {
        let database = test_database::postgres().await;
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        for statement in [
            "INSERT INTO accounts (id, number, name, street, postal_code, town, country, created_at) \
                 SELECT gen_random_uuid(), n, 'Shop', '', '', '', '', 0 FROM generate_series(1, 1000) n",
            "INSERT INTO users (id, email, email_key, full_name, password_hash, created_at) \
                 SELECT gen_random_uuid(), n, n, 'Kari ' || n, '', 0 FROM generate_series(1, 11000) n",
            "INSERT INTO memberships (account_id, user_id, owner, since, name_key) \
                 SELECT a.id, u.id, FALSE, 0, lower(u.full_name) FROM users u \
                     JOIN accounts a ON a.number = greatest(1, CAST(u.email AS BIGINT) - 10000)",
            "INSERT INTO grants \
                     (id, account_id, user_id, permissions, all_services, all_domains, why, given_at) \
                 SELECT gen_random_uuid(), account_id, user_id, 'services.view', TRUE, TRUE, '', 0 \
                     FROM memberships",
            "INSERT INTO membership_words (account_id, word, user_id) \
                 SELECT m.account_id, w.word, m.user_id FROM memberships m, \
                     LATERAL regexp_split_to_table(m.name_key, ' ') AS w (word)",
            "ANALYZE",
            "SET plan_cache_mode = force_generic_plan",
        ] {
            connection.execute(statement).await.unwrap();
        }
        for (name, text) in STATEMENTS.iter().filter(|(name, _)| name.starts_with("FEW")) {
            let prepare = AssertSqlSafe(format!("PREPARE {name} AS {}", text.postgres));
            connection.execute(prepare).await.unwrap();
            let explain =
                AssertSqlSafe(format!("EXPLAIN EXECUTE {name} ({})", ["NULL"; 18].join(", ")));
            let plan: Vec<String> = query_scalar(explain).fetch_all(&mut connection).await.unwrap();
            let in_all = |line: &String| line.contains("Index Cond") && line.contains("ROW(");
            assert!(!plan.iter().any(in_all), "{name}: {plan:#?}");
        }
    }
}
