//! The chain that the rows of an account's log form: every row has a number and a hash, and the
//! hash covers the row and the hash before it. Whether a chain is whole is for others to say.

use model::{AccountId, ActivityKind, Failure, Timestamp, UserId};
use sha2::{Digest, Sha256};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, count, limit, read, sql, write};
use crate::{LinkHash, Store};

/// Before the first row of a chain.
pub const NO_LINK: LinkHash = [0; 32];

/// Says what is hashed, so that no other hash can be passed off as a link.
const PURPOSE: &[u8] = b"latchkey activity row 1";

sql! {
    /// Answers the new row's number and the hash before it, and keeps the head locked: a chain
    /// never forks, also when its first rows are appended at once.
    LENGTHEN = "INSERT INTO activity_heads (account_id, sequence, hash, signed) \
                VALUES ($1, 1, $2, 0) \
                ON CONFLICT (account_id) DO UPDATE SET sequence = activity_heads.sequence + 1 \
                RETURNING sequence, hash";
    END_WITH = "UPDATE activity_heads SET hash = $2 WHERE account_id = $1";
    HEAD = "SELECT sequence, hash FROM activity_heads WHERE account_id = $1";
    LINKED = "SELECT account_id, sequence, hash, id, at, kind, actor_id, actor_name, subject_id, \
                  subject_name, before, after, address, person_key \
              FROM activity WHERE account_id = $1 AND sequence > $2 \
              ORDER BY sequence LIMIT $3";
    UNLINKED = "SELECT count(*) FROM activity \
                WHERE account_id = $1 AND sequence IS NULL AND id < $2";
}

/// A row of the log as the database holds it, with its link: what is hashed is what is stored.
#[derive(Clone, Debug, FromRow)]
pub struct LinkedRow {
    pub(crate) account_id: Uuid,
    /// Its number in the account's chain; the first is 1.
    pub sequence: i64,
    /// The hash that it was written with.
    pub hash: Option<Vec<u8>>,
    /// Its id, in the order of time.
    pub id: Uuid,
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) actor_name: String,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) subject_name: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) address: String,
    pub(crate) person_key: String,
}

/// The newest row of an account's chain.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LogHead {
    /// Its number; 0 when nothing was appended since there are chains.
    pub sequence: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

impl LinkedRow {
    /// The hash of this row behind the row with that hash: SHA-256 (FIPS 180-4) over the purpose,
    /// the hash before, and every column. Each value has its length in front, or says that it is
    /// none, so that no two rows are hashed as the same bytes. SECURITY.md describes the bytes.
    #[must_use]
    pub fn hash_behind(&self, previous: &[u8]) -> LinkHash {
        let (actor, subject) = (self.actor_id, self.subject_id);
        let values: [Option<&[u8]>; 15] = [
            Some(PURPOSE),
            Some(previous),
            Some(self.account_id.as_bytes()),
            Some(&self.sequence.to_be_bytes()),
            Some(self.id.as_bytes()),
            Some(&self.at.to_be_bytes()),
            Some(self.kind.as_bytes()),
            actor.as_ref().map(|id| &id.as_bytes()[..]),
            Some(self.actor_name.as_bytes()),
            subject.as_ref().map(|id| &id.as_bytes()[..]),
            Some(self.subject_name.as_bytes()),
            self.before.as_deref().map(str::as_bytes),
            self.after.as_deref().map(str::as_bytes),
            Some(self.address.as_bytes()),
            Some(self.person_key.as_bytes()),
        ];
        let mut hash = Sha256::new();
        for value in values {
            match value {
                None => hash.update([0]),
                Some(bytes) => {
                    hash.update([1]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
            }
        }
        hash.finalize().into()
    }

    /// Whether this row is the one of an account's creation, before which there is none.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.kind == ActivityKind::AccountCreated.id()
    }
}

impl LinkedRow {
    /// What the row tells, as it is stored: when, what happened, who did it, about whom, how it was and
    /// how it is since.
    #[must_use]
    pub fn told(&self) -> ToldRow<'_> {
        ToldRow {
            at: Timestamp::from_micros(self.at),
            kind: &self.kind,
            actor: self.actor_id.map(UserId::from),
            actor_name: &self.actor_name,
            subject: self.subject_id.map(UserId::from),
            subject_name: &self.subject_name,
            before: self.before.as_deref(),
            after: self.after.as_deref(),
        }
    }
}

/// A row of the log as it is stored, without its link and the client's address.
#[derive(Clone, Copy, Debug)]
pub struct ToldRow<'a> {
    /// When it happened.
    pub at: Timestamp,
    /// What happened, by its kind's id.
    pub kind: &'a str,
    /// Who did it; none for the provider.
    pub actor: Option<UserId>,
    /// Their name at that moment; empty for the provider.
    pub actor_name: &'a str,
    /// About whom, if that is a user.
    pub subject: Option<UserId>,
    /// Their name at that moment.
    pub subject_name: &'a str,
    /// How it was.
    pub before: Option<&'a str>,
    /// How it is since.
    pub after: Option<&'a str>,
}

impl Store {
    /// The newest row of the account's chain; none when even the note of it is gone.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn log_head(&self, account: AccountId) -> Result<Option<LogHead>, Failure> {
        read!(self, db => query_as(HEAD).bind(Uuid::from(account)).fetch_optional(db))
    }

    /// The account's rows with a greater number than `after`, in the order of the chain, at most
    /// `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn linked_rows(
        &self,
        account: AccountId,
        after: i64,
        most: usize,
    ) -> Result<Vec<LinkedRow>, Failure> {
        read!(self, db => query_as(LINKED)
            .bind(Uuid::from(account))
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))
    }

    /// How many of the account's rows before the one with this id are in no chain.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn unlinked_rows(&self, account: AccountId, before: Uuid) -> Result<u32, Failure> {
        let rows: i64 = read!(self, db => query_scalar(UNLINKED)
            .bind(Uuid::from(account))
            .bind(before)
            .fetch_one(db))?;
        Ok(count(rows))
    }
}

/// Makes room for a row at the end of the account's chain, which nobody else appends to until the
/// end of the transaction. Answers the row's number and the hash before it.
pub(crate) async fn lengthen(tx: &mut Tx, account: AccountId) -> Result<LogHead, Failure> {
    read!(tx, db => query_as(LENGTHEN)
        .bind(Uuid::from(account))
        .bind(&NO_LINK[..])
        .fetch_one(db))
}

/// Notes the hash of the row that room was made for.
pub(crate) async fn end_with(
    tx: &mut Tx,
    account: AccountId,
    hash: &LinkHash,
) -> Result<(), Failure> {
    write!(tx, db => query(END_WITH).bind(Uuid::from(account)).bind(&hash[..]).execute(db))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> LinkedRow {
        LinkedRow {
            account_id: Uuid::from_u128(1),
            sequence: 7,
            hash: None,
            id: Uuid::from_u128(2),
            at: 1_800_000_000_000_000,
            kind: "permissions.changed".to_owned(),
            actor_id: Some(Uuid::from_u128(3)),
            actor_name: "Ingrid Berg".to_owned(),
            subject_id: None,
            subject_name: "Bjørn Lie".to_owned(),
            before: None,
            after: Some("billing.view".to_owned()),
            address: "192.0.2.1".to_owned(),
            person_key: "ingrid berg bjørn lie".to_owned(),
        }
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        let id = |last: u8| Some([[0; 15].as_slice(), &[last]].concat());
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let values = [
            text("latchkey activity row 1"),
            Some(vec![0; 32]),
            id(1),
            Some(vec![0, 0, 0, 0, 0, 0, 0, 7]),
            id(2),
            Some(1_800_000_000_000_000_i64.to_be_bytes().to_vec()),
            text("permissions.changed"),
            id(3),
            text("Ingrid Berg"),
            None,
            text("Bjørn Lie"),
            None,
            text("billing.view"),
            text("192.0.2.1"),
            text("ingrid berg bjørn lie"),
        ];
        let mut bytes = Vec::new();
        for value in values {
            bytes.push(u8::from(value.is_some()));
            if let Some(value) = value {
                bytes.extend([0, 0, 0, 0, 0, 0, 0, u8::try_from(value.len()).unwrap()]);
                bytes.extend(value);
            }
        }
        assert_eq!(row().hash_behind(&NO_LINK), LinkHash::from(Sha256::digest(&bytes)));
    }

    #[test]
    fn every_column_and_what_comes_before_count() {
        type Change = fn(&mut LinkedRow);
        let changes: [Change; 14] = [
            |row| row.account_id = Uuid::from_u128(9),
            |row| row.sequence += 1,
            |row| row.id = Uuid::from_u128(9),
            |row| row.at += 1,
            |row| row.kind.push('x'),
            |row| row.actor_id = None,
            |row| row.actor_name = "Ingrid BergB".to_owned(),
            |row| row.subject_id = Some(Uuid::nil()),
            |row| row.subject_name.clear(),
            |row| row.before = Some(String::new()),
            |row| row.after = None,
            |row| row.address = "192.0.2.2".to_owned(),
            |row| row.person_key.clear(),
            // The same letters, told apart by where one value ends.
            |row| {
                row.actor_name = "Ingrid Ber".to_owned();
                row.subject_name = "gBjørn Lie".to_owned();
            },
        ];
        let before = row().hash_behind(&NO_LINK);
        assert_ne!(row().hash_behind(&[1; 32]), before);
        for (place, change) in changes.into_iter().enumerate() {
            let mut changed = row();
            change(&mut changed);
            assert_ne!(changed.hash_behind(&NO_LINK), before, "change {place}");
        }
    }
}
