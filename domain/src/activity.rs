//! The activity log: reading it. Everything that changes something writes to it as it does so.

use model::{ActivityKind, Actor, Cursor, Failure, On, PAGE_SIZE, Permission};
use store::ActivityFilter;
pub use store::{ActivityRow, NewActivity};

use crate::Latchkey;

/// How much of the text that a person is looked for by counts, in characters: no address is longer
/// (RFC 5321 section 4.5.3.1.3), and SQLite takes no pattern over 50,000 bytes.
const LONGEST_PERSON: usize = 254;

/// One page of the log.
#[derive(Clone, Debug)]
pub struct ActivityPage {
    /// The rows, newest first.
    pub rows: Vec<ActivityRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The rows that fit the filter, newest first.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn page(
    latchkey: &Latchkey,
    actor: &Actor,
    person: &str,
    kind: Option<ActivityKind>,
    after: Option<Cursor>,
) -> Result<ActivityPage, Failure> {
    rows(latchkey, actor, person, kind, after, PAGE_SIZE).await
}

/// The next piece of the log for exporting it: like [`page`], in larger pieces.
///
/// # Errors
/// As [`page`].
pub async fn export(
    latchkey: &Latchkey,
    actor: &Actor,
    person: &str,
    kind: Option<ActivityKind>,
    after: Option<Cursor>,
) -> Result<ActivityPage, Failure> {
    rows(latchkey, actor, person, kind, after, 1_000).await
}

async fn rows(
    latchkey: &Latchkey,
    actor: &Actor,
    person: &str,
    kind: Option<ActivityKind>,
    after: Option<Cursor>,
    most: usize,
) -> Result<ActivityPage, Failure> {
    actor.must(Permission::AccountLog, On::Account)?;
    let person: String = person.trim().chars().take(LONGEST_PERSON).collect();
    let person = Some(person).filter(|person| !person.is_empty());
    let filter = ActivityFilter { person, kind, after };
    let mut rows = latchkey.store.activity(actor.account, &filter, most + 1).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let cursor = |row: &ActivityRow| Cursor { key: String::new(), id: row.id };
    let next = rows.last().filter(|_| more).map(cursor);
    Ok(ActivityPage { rows, next })
}
