//! Digests of the log: what an account's chain was at the end of a day, signed. Append-only, as
//! the log itself is.

use model::{AccountId, AccountNumber, Day, Failure, Timestamp};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{limit, read, sql, write};

/// What a [`DigestRow`] reads, of digests as `d`; then the tail of the statement.
macro_rules! digest {
    ($tail:expr) => {
        concat!(
            "SELECT n.number, d.day, d.sequence, d.hash, d.signed_at, d.public_key, d.signature, \
                 r.hash AS row_hash \
             FROM log_digests d JOIN accounts n ON n.id = d.account_id \
                 LEFT JOIN activity r ON r.account_id = d.account_id AND r.sequence = d.sequence ",
            $tail
        )
    };
}

sql! {
    UNSIGNED = "SELECT h.account_id, n.number, r.sequence, r.hash \
                FROM activity_heads h JOIN accounts n ON n.id = h.account_id \
                    JOIN activity r ON r.account_id = h.account_id AND r.sequence = \
                        (SELECT max(e.sequence) FROM activity e \
                         WHERE e.account_id = h.account_id AND e.sequence > h.signed \
                             AND e.at < $1) \
                WHERE h.signed < h.sequence AND h.account_id > $2 \
                ORDER BY h.account_id LIMIT $3";
    INSERT_DIGEST = "INSERT INTO log_digests \
                         (account_id, day, sequence, hash, signed_at, public_key, signature) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) \
                     ON CONFLICT (account_id, day) DO NOTHING";
    NOTE_SIGNED = "UPDATE activity_heads SET signed = $2 WHERE account_id = $1 AND signed < $2";
    NEWEST = digest!("WHERE d.account_id = $1 ORDER BY d.day DESC LIMIT $2");
    OF_DAY = digest!("WHERE d.account_id = $1 AND d.day = $2");
    BY_DAY = digest!("WHERE d.account_id = $1 AND d.day > $2 ORDER BY d.day LIMIT $3");
    NEWEST_KEY = "SELECT public_key FROM log_digests ORDER BY signed_at DESC LIMIT 1";
    HASH_OF = "SELECT hash FROM activity WHERE account_id = $1 AND sequence = $2";
}

/// What a digest says of an account's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestFacts {
    /// The account's number.
    pub number: AccountNumber,
    /// The day at whose end it was so.
    pub day: Day,
    /// How many rows were in the chain, and so the newest one's number.
    pub sequence: i64,
    /// The newest row's hash.
    pub hash: Vec<u8>,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// A digest with its signature. What is in it is as the database holds it: to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDigest {
    /// What is signed.
    pub facts: DigestFacts,
    /// The public key of the pair that it was signed with.
    pub public_key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// An account whose log has rows that no digest covers.
#[derive(Clone, Debug)]
pub struct UnsignedLog {
    /// The account.
    pub account: AccountId,
    /// Its number.
    pub number: AccountNumber,
    /// The newest row's number.
    pub sequence: i64,
    /// The newest row's hash.
    pub hash: Vec<u8>,
}

#[derive(FromRow)]
struct DigestRow {
    number: i64,
    day: i64,
    sequence: i64,
    hash: Vec<u8>,
    signed_at: i64,
    public_key: Vec<u8>,
    signature: Vec<u8>,
    row_hash: Option<Vec<u8>>,
}

impl From<DigestRow> for LogDigest {
    fn from(row: DigestRow) -> Self {
        Self {
            facts: DigestFacts {
                number: AccountNumber::from_stored(row.number),
                day: Day::from_stored(row.day),
                sequence: row.sequence,
                hash: row.hash,
                signed_at: Timestamp::from_micros(row.signed_at),
            },
            public_key: row.public_key,
            signature: row.signature,
        }
    }
}

impl Store {
    /// Accounts, in the order of their ids and after this one, that have rows from before `end`
    /// which no digest covers, with the newest such row; at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn unsigned_logs(
        &self,
        end: Timestamp,
        after: Option<AccountId>,
        most: usize,
    ) -> Result<Vec<UnsignedLog>, Failure> {
        let rows: Vec<(Uuid, i64, i64, Vec<u8>)> = read!(self, db => query_as(UNSIGNED)
            .bind(end.as_micros())
            .bind(after.map_or(Uuid::nil(), Uuid::from))
            .bind(limit(most))
            .fetch_all(db))?;
        let log = |(account, number, sequence, hash): (Uuid, _, _, _)| UnsignedLog {
            account: account.into(),
            number: AccountNumber::from_stored(number),
            sequence,
            hash,
        };
        Ok(rows.into_iter().map(log).collect())
    }

    /// Keeps a digest, and notes which rows it covers. Answers false, and changes nothing, when
    /// the account has one of that day already: another node was faster.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keep_digest(
        &self,
        account: AccountId,
        digest: &LogDigest,
    ) -> Result<bool, Failure> {
        let (account, facts) = (Uuid::from(account), &digest.facts);
        let mut tx = self.begin().await?;
        let kept = write!(tx, db => query(INSERT_DIGEST)
            .bind(account)
            .bind(facts.day.get())
            .bind(facts.sequence)
            .bind(&facts.hash)
            .bind(facts.signed_at.as_micros())
            .bind(&digest.public_key)
            .bind(&digest.signature)
            .execute(db))?;
        if kept == 0 {
            return Ok(false);
        }
        write!(tx, db => query(NOTE_SIGNED).bind(account).bind(facts.sequence).execute(db))?;
        tx.commit().await?;
        Ok(true)
    }

    /// The account's newest digests, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn newest_digests(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<LogDigest>, Failure> {
        let rows: Vec<DigestRow> = read!(self, db => query_as(NEWEST)
            .bind(Uuid::from(account))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(LogDigest::from).collect())
    }

    /// The public key that the newest digest of all was signed with.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn newest_digest_key(&self) -> Result<Option<Vec<u8>>, Failure> {
        read!(self, db => query_scalar(NEWEST_KEY).fetch_optional(db))
    }

    /// The account's digest of that day.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn digest_of(
        &self,
        account: AccountId,
        day: Day,
    ) -> Result<Option<LogDigest>, Failure> {
        let row: Option<DigestRow> = read!(self, db => query_as(OF_DAY)
            .bind(Uuid::from(account))
            .bind(day.get())
            .fetch_optional(db))?;
        Ok(row.map(LogDigest::from))
    }

    /// The account's digests of the days after this one, the oldest first, each with the hash that
    /// the row it tells of has now; at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn digests_with_rows(
        &self,
        account: AccountId,
        after: Option<Day>,
        most: usize,
    ) -> Result<Vec<(LogDigest, Option<Vec<u8>>)>, Failure> {
        let rows: Vec<DigestRow> = read!(self, db => query_as(BY_DAY)
            .bind(Uuid::from(account))
            .bind(after.map_or(i64::MIN, Day::get))
            .bind(limit(most))
            .fetch_all(db))?;
        let with_row = |mut row: DigestRow| {
            let hash = row.row_hash.take();
            (row.into(), hash)
        };
        Ok(rows.into_iter().map(with_row).collect())
    }

    /// The hash of the account's row with this number.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn row_hash(
        &self,
        account: AccountId,
        sequence: i64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let hash: Option<Option<Vec<u8>>> = read!(self, db => query_scalar(HASH_OF)
            .bind(Uuid::from(account))
            .bind(sequence)
            .fetch_optional(db))?;
        Ok(hash.flatten())
    }
}
