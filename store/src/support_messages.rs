//! What is said in support requests, as the provider's own systems read and write it.

use model::{AccountId, Conflict, DoorKey, DoorRef, Failure, Timestamp, UserId};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, read, sql, taken_as, write};
use crate::{Behind, NewActivity, Store, activity, locks};

sql! {
    MESSAGE = "SELECT id, ref AS reference, by_provider, author, words, at, changed \
               FROM support_messages WHERE request_id = $1 AND ref = $2";
    MESSAGE_BY_ID = "SELECT id, ref AS reference, by_provider, author, words, at, changed \
                     FROM support_messages WHERE request_id = $1 AND id = $2";
    MESSAGES = "SELECT id, ref AS reference, by_provider, author, words, at, changed \
                FROM support_messages WHERE request_id = $1 AND (changed, id) > ($2, $3) \
                ORDER BY changed, id LIMIT $4";
    NEWEST = "SELECT id, ref AS reference, by_provider, author, words, at, changed \
              FROM support_messages WHERE request_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
    PUT_MESSAGE = "INSERT INTO support_messages (id, request_id, ref, by_provider, author, words, at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) \
                   ON CONFLICT (request_id, ref) DO UPDATE \
                   SET by_provider = $4, author = $5, words = $6, at = $7";
    SAID = "UPDATE support_requests SET updated_at = $2 WHERE id = $1 AND updated_at < $2";
    IS_THERE = "SELECT EXISTS (SELECT 1 FROM support_requests WHERE id = $1 AND account_id = $2)";
    FORGET_AUTHOR = "UPDATE support_messages SET author = '' WHERE author_id = $1";
    /// Of two with one name in an account, nobody knows which said it.
    FORGET_AUTHOR_BY_NAME = "UPDATE support_messages SET author = '' \
                     WHERE author = $2 AND author_id IS NULL AND NOT by_provider AND request_id IN \
                         (SELECT r.id FROM memberships m \
                              JOIN support_requests r ON r.account_id = m.account_id \
                          WHERE m.user_id = $1 AND NOT EXISTS ( \
                              SELECT 1 FROM memberships o JOIN users u ON u.id = o.user_id \
                              WHERE o.account_id = m.account_id \
                                  AND u.id <> $1 AND u.full_name = $2))";
}

/// What was said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportMessage {
    /// Whether the provider said it.
    pub by_provider: bool,
    /// Who said it, by name.
    pub author: String,
    /// What was said.
    pub words: String,
    /// When.
    pub at: Timestamp,
}

/// The same as the door keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its id.
    pub id: Uuid,
    /// The provider's own id of it, if there is one.
    pub reference: Option<DoorRef>,
    /// When it changed last.
    pub changed: Timestamp,
    /// What was said.
    pub message: SupportMessage,
}

#[derive(FromRow)]
struct MessageRow {
    id: Uuid,
    reference: Option<String>,
    by_provider: bool,
    author: String,
    words: String,
    at: i64,
    changed: i64,
}

impl From<MessageRow> for KeptMessage {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            reference: row.reference.map(DoorRef::from_stored),
            changed: Timestamp::from_micros(row.changed),
            message: SupportMessage {
                by_provider: row.by_provider,
                author: row.author,
                words: row.words,
                at: Timestamp::from_micros(row.at),
            },
        }
    }
}

impl Store {
    /// What was said in a support request under this key.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn support_message(
        &self,
        request: Uuid,
        key: &DoorKey,
    ) -> Result<Option<KeptMessage>, Failure> {
        let row: Option<MessageRow> = match key {
            DoorKey::Ref(reference) => {
                let reference = reference.as_str();
                read!(self, db => query_as(MESSAGE)
                    .bind(request)
                    .bind(reference)
                    .fetch_optional(db))?
            }
            DoorKey::Id(id) => read!(self, db => query_as(MESSAGE_BY_ID)
                .bind(request)
                .bind(id)
                .fetch_optional(db))?,
            DoorKey::Number(_) => None,
        };
        Ok(row.map(KeptMessage::from))
    }

    /// What was said in a support request, behind this place in the order of changes, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn support_messages(
        &self,
        request: Uuid,
        behind: Behind,
        most: usize,
    ) -> Result<Vec<KeptMessage>, Failure> {
        let rows: Vec<MessageRow> = read!(self, db => query_as(MESSAGES)
            .bind(request)
            .bind(behind.changed.as_micros())
            .bind(behind.id)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(KeptMessage::from).collect())
    }

    /// What was last said in a support request, the newest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn newest_support_messages(
        &self,
        request: Uuid,
        most: usize,
    ) -> Result<Vec<KeptMessage>, Failure> {
        let rows: Vec<MessageRow> = read!(self, db => query_as(NEWEST)
            .bind(request)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(KeptMessage::from).collect())
    }

    /// Says something in a support request of the account, or changes what was said, and logs it.
    /// `decide` is told what was said under this id so far; when it answers none, nothing is written.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when the account hasn't the request any more,
    /// [`Failure::Unavailable`].
    pub async fn put_support_message(
        &self,
        account: AccountId,
        request: Uuid,
        reference: &DoorRef,
        id: Uuid,
        now: Timestamp,
        decide: impl FnOnce(
            Option<&KeptMessage>,
        ) -> Result<Option<(SupportMessage, NewActivity)>, Failure>
        + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        locks::account(&mut tx, account, now).await?;
        let owned: bool = read!(tx, db => query_scalar(IS_THERE)
            .bind(request)
            .bind(Uuid::from(account))
            .fetch_one(db))?;
        if !owned {
            return Err(Failure::NotFound);
        }
        let key = reference.as_str();
        let row: Option<MessageRow> = read!(tx, db => query_as(MESSAGE)
            .bind(request)
            .bind(key)
            .fetch_optional(db))?;
        let present = row.map(KeptMessage::from);
        let Some((message, entry)) = decide(present.as_ref())? else { return Ok(()) };
        write!(tx, db => query(PUT_MESSAGE)
            .bind(id)
            .bind(request)
            .bind(key)
            .bind(message.by_provider)
            .bind(&message.author)
            .bind(&message.words)
            .bind(message.at.as_micros())
            .execute(db), taken_as(Conflict::ChangedMeanwhile))?;
        let at = message.at.as_micros();
        write!(tx, db => query(SAID).bind(request).bind(at).execute(db))?;
        activity::append(&mut tx, account, &entry, now).await?;
        tx.commit().await
    }
}

/// Takes somebody's name off what they said, in whichever account; where it isn't known who said it, off
/// what was said under their name in the accounts that they are in.
pub(crate) async fn forget_author(tx: &mut Tx, user: UserId, name: &str) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_AUTHOR).bind(Uuid::from(user)).execute(db))?;
    write!(tx, db => query(FORGET_AUTHOR_BY_NAME).bind(Uuid::from(user)).bind(name).execute(db))?;
    Ok(())
}
