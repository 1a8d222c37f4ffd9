//! The activity log: append-only rows, guarded by the database itself and linked into a chain.

use std::collections::{BTreeSet, HashMap};

use model::{AccountId, ActivityKind, Cursor, DoorRef, Failure, Noted, Timestamp, UserId};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, first_id, limit, new_id, read, sql, unavailable, write};
use crate::fold::fold;
use crate::grants::{ids_in, list};
use crate::{LinkedRow, Store, chain, webhooks};

macro_rules! names {
    ($db:ident) => {
        concat!(
            "SELECT id, name FROM services WHERE account_id = $1 AND id IN ",
            ids_in!($db "$2"),
            " UNION ALL SELECT id, name FROM domains WHERE account_id = $1 AND id IN ",
            ids_in!($db "$2")
        )
    };
}

sql! {
    NAMES = names!(sqlite), on Postgres names!(postgres);
    APPEND = "INSERT INTO activity \
                  (id, account_id, at, kind, actor_id, actor_name, subject_id, subject_name, \
                   before, after, address, person_key, sequence, hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    ACTIVITY = "SELECT id, at, kind, actor_id, actor_name, subject_id, subject_name, before, \
                    after, address \
                FROM activity \
                WHERE account_id = $1 AND id < $2 AND id >= $7 \
                    AND (person_key LIKE $3 ESCAPE '!' OR person_key LIKE $6 ESCAPE '!') \
                    AND kind = coalesce($4, kind) \
                ORDER BY id DESC LIMIT $5";
}

/// A row to be appended.
#[derive(Clone, Debug)]
pub struct NewActivity {
    /// What happened.
    pub kind: ActivityKind,
    /// Who did it; none for the provider.
    pub actor: Option<UserId>,
    /// Their name at that moment; empty for the provider.
    pub actor_name: String,
    /// About whom, if that is a user.
    pub subject: Option<UserId>,
    /// Their name at that moment, or the invited address; empty when it is about nobody.
    pub subject_name: String,
    /// What was granted or in force before.
    pub before: Option<Noted>,
    /// What is granted or in force now.
    pub after: Option<Noted>,
    /// The client's address; empty for the command line.
    pub address: String,
    /// The invitation or the request that it is of, for what webhooks tell: the log doesn't keep it.
    pub of: Option<Uuid>,
    /// The provider's own id of whoever it is about, for the same; of those who stay in the account it is
    /// read.
    pub reference: Option<DoorRef>,
}

impl NewActivity {
    /// A row that tells what somebody did, who is called so at that moment, from the client with
    /// this address.
    #[must_use]
    pub fn by(actor: Option<UserId>, name: &str, kind: ActivityKind, address: &str) -> Self {
        Self {
            kind,
            actor,
            actor_name: name.to_owned(),
            subject: None,
            subject_name: String::new(),
            before: None,
            after: None,
            address: address.to_owned(),
            of: None,
            reference: None,
        }
    }

    /// A row that tells what the provider did, from the command line.
    #[must_use]
    pub fn by_provider(kind: ActivityKind) -> Self {
        Self::by(None, "", kind, "")
    }

    /// It is about somebody or something of this name, and about this user, if it is one.
    #[must_use]
    pub fn about(self, user: Option<UserId>, name: &str) -> Self {
        Self { subject: user, subject_name: name.to_owned(), ..self }
    }

    /// It is of this invitation or request.
    pub(crate) fn of(self, id: impl Into<Uuid>) -> Self {
        Self { of: Some(id.into()), ..self }
    }

    /// Whoever it is about isn't in the account any more, or never came, and the provider knows them by this
    /// id of its own.
    #[must_use]
    pub fn known_as(self, reference: Option<DoorRef>) -> Self {
        Self { reference, ..self }
    }

    /// So it was before.
    #[must_use]
    pub fn before(self, noted: impl Into<Noted>) -> Self {
        Self { before: Some(noted.into()), ..self }
    }

    /// So it is now.
    #[must_use]
    pub fn after(self, noted: impl Into<Noted>) -> Self {
        Self { after: Some(noted.into()), ..self }
    }
}

/// A row of the log.
#[derive(Clone, Debug)]
pub struct ActivityRow {
    /// Its id, in the order of time.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, to whom, by whom.
    pub entry: NewActivity,
}

/// Which rows are asked for.
#[derive(Clone, Debug, Default)]
pub struct ActivityFilter {
    /// Rows whose actor's or subject's name contains this text, as far as people type it the same.
    pub person: Option<String>,
    /// Rows of this kind.
    pub kind: Option<ActivityKind>,
    /// Rows of this moment and of later ones.
    pub from: Option<Timestamp>,
    /// Rows of earlier moments than this one.
    pub until: Option<Timestamp>,
    /// Rows before the row with this id (`Cursor::key` is empty: ids are in the order of time).
    pub after: Option<Cursor>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    at: i64,
    kind: String,
    actor_id: Option<Uuid>,
    actor_name: String,
    subject_id: Option<Uuid>,
    subject_name: String,
    before: Option<String>,
    after: Option<String>,
    address: String,
}

impl Row {
    fn read(self) -> Result<ActivityRow, Failure> {
        // A kind that only a newer version knows: better no page than one with a gap.
        let unknown = |_| unavailable(sqlx::Error::Decode(self.kind.clone().into()));
        let kind: ActivityKind = self.kind.parse().map_err(unknown)?;
        let noted = |text: Option<String>| text.map(|text| Noted::from_stored(kind, &text));
        Ok(ActivityRow {
            id: self.id,
            at: Timestamp::from_micros(self.at),
            entry: NewActivity {
                kind,
                actor: self.actor_id.map(UserId::from),
                actor_name: self.actor_name,
                subject: self.subject_id.map(UserId::from),
                subject_name: self.subject_name,
                before: noted(self.before),
                after: noted(self.after),
                address: self.address,
                of: None,
                reference: None,
            },
        })
    }
}

impl Store {
    /// The account's newest rows that fit the filter, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn activity(
        &self,
        account: AccountId,
        filter: &ActivityFilter,
        most: usize,
    ) -> Result<Vec<ActivityRow>, Failure> {
        let after = filter.after.as_ref().map_or(Uuid::max(), |cursor| cursor.id);
        let before = filter.until.map_or(after, |until| first_id(until).min(after));
        let from = filter.from.map_or(Uuid::nil(), first_id);
        let person = filter.person.as_deref().unwrap_or_default();
        // Rows of earlier versions hold names in lower case alone, and no row is ever changed.
        let lower = model::legible(person).to_lowercase();
        let folded = fold(person);
        let as_before = if lower == folded { String::new() } else { containing(&lower) };
        let rows: Vec<Row> = read!(self, db => query_as(ACTIVITY)
            .bind(Uuid::from(account))
            .bind(before)
            .bind(containing(&folded))
            .bind(filter.kind.map(ActivityKind::id))
            .bind(limit(most))
            .bind(&as_before)
            .bind(from)
            .fetch_all(db))?;
        rows.into_iter().map(Row::read).collect()
    }
}

/// Appends a row at the end of the account's chain, in the transaction that does what it tells, and has
/// webhooks tell of it. The chain's head is locked from here on: after the account and its users.
pub(crate) async fn append(
    tx: &mut Tx,
    account: AccountId,
    entry: &NewActivity,
    now: Timestamp,
) -> Result<(), Failure> {
    let names = names(tx, account, entry).await?;
    let called = |id: Uuid| names.get(&id).cloned();
    let stored =
        |noted: &Option<Noted>| noted.as_ref().map(|noted| noted.named(called).to_stored());
    let head = chain::lengthen(tx, account).await?;
    let row = LinkedRow {
        account_id: account.into(),
        sequence: head.sequence,
        hash: None,
        id: new_id(now),
        at: now.as_micros(),
        kind: entry.kind.id().to_owned(),
        actor_id: entry.actor.map(Uuid::from),
        actor_name: entry.actor_name.clone(),
        subject_id: entry.subject.map(Uuid::from),
        subject_name: entry.subject_name.clone(),
        before: stored(&entry.before),
        after: stored(&entry.after),
        address: entry.address.clone(),
        person_key: fold(&format!("{} {}", entry.actor_name, entry.subject_name)),
    };
    let hash = row.hash_behind(&head.hash);
    write!(tx, db => query(APPEND)
        .bind(row.id)
        .bind(row.account_id)
        .bind(row.at)
        .bind(&row.kind)
        .bind(row.actor_id)
        .bind(&row.actor_name)
        .bind(row.subject_id)
        .bind(&row.subject_name)
        .bind(&row.before)
        .bind(&row.after)
        .bind(&row.address)
        .bind(&row.person_key)
        .bind(row.sequence)
        .bind(&hash[..])
        .execute(db))?;
    chain::end_with(tx, account, &hash).await?;
    webhooks::tell_row(tx, account, entry, now).await
}

/// What the services and domains that a row tells of are called at this moment.
async fn names(
    tx: &mut Tx,
    account: AccountId,
    entry: &NewActivity,
) -> Result<HashMap<Uuid, String>, Failure> {
    let noted = entry.before.iter().chain(&entry.after);
    let ids: BTreeSet<_> = noted.flat_map(Noted::ids).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (text, ids) = (NAMES.on(tx), list(ids));
    let rows: Vec<(Uuid, String)> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(&ids)
        .fetch_all(db))?;
    Ok(rows.into_iter().collect())
}

/// The LIKE pattern for text that contains this one, in which `%` and `_` mean themselves.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
