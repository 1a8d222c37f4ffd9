//! What the door answered to requests that named themselves, so that each is done once.

use std::time::Duration;

use model::{Failure, Timestamp, TokenId};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{read, sql, write};
use crate::sweep::ANSWERS_KEPT;

sql! {
    /// Takes the name, unless a request has it that is under way or answered.
    BEGIN_ANSWER = "INSERT INTO door_answers \
                        (token_id, key, request_hash, asked_at, status, headers, body) \
                    VALUES ($1, $2, $3, $4, NULL, '', '') \
                    ON CONFLICT (token_id, key) DO UPDATE \
                    SET request_hash = $3, asked_at = $4, status = NULL, headers = '', body = '' \
                    WHERE door_answers.asked_at <= $5 OR door_answers.asked_at > $4 \
                        OR (door_answers.status IS NULL AND door_answers.asked_at <= $6)";
    ANSWER_BEFORE = "SELECT request_hash, status, headers, body FROM door_answers \
                     WHERE token_id = $1 AND key = $2";
    KEEP_ANSWER = "UPDATE door_answers SET status = $4, headers = $5, body = $6 \
                   WHERE token_id = $1 AND key = $2 AND asked_at = $3 AND status IS NULL";
    FORGET_ANSWER = "DELETE FROM door_answers \
                     WHERE token_id = $1 AND key = $2 AND asked_at = $3 AND status IS NULL";
}

/// For how long a request counts as under way whose node may have died.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// An answer that is kept, to be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that are told again.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// How it stands with a request that names itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerStanding {
    /// It begins now.
    Begun,
    /// The same one is under way.
    UnderWay,
    /// Another one had the name.
    Other,
    /// The same one was answered so.
    Answered(KeptAnswer),
}

#[derive(FromRow)]
struct AnswerRow {
    request_hash: Vec<u8>,
    status: Option<i64>,
    headers: String,
    body: String,
}

impl Store {
    /// Begins a request with this name and this hash, unless it was begun before.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn begin_answer(
        &self,
        token: TokenId,
        key: &str,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<AnswerStanding, Failure> {
        let token = Uuid::from(token);
        let begun = write!(self, db => query(BEGIN_ANSWER)
            .bind(token)
            .bind(key)
            .bind(hash.as_slice())
            .bind(now.as_micros())
            .bind(now.before(ANSWERS_KEPT).as_micros())
            .bind(now.before(UNDER_WAY).as_micros())
            .execute(db))?;
        if begun > 0 {
            return Ok(AnswerStanding::Begun);
        }
        let row: Option<AnswerRow> =
            read!(self, db => query_as(ANSWER_BEFORE).bind(token).bind(key).fetch_optional(db))?;
        Ok(match row {
            // Forgotten this very moment: asked again, it begins.
            None => AnswerStanding::UnderWay,
            Some(row) if row.request_hash != hash => AnswerStanding::Other,
            Some(AnswerRow { status: None, .. }) => AnswerStanding::UnderWay,
            Some(AnswerRow { status: Some(status), headers, body, .. }) => {
                let status = u16::try_from(status).unwrap_or_default();
                let headers = serde_json::from_str(&headers).unwrap_or_default();
                AnswerStanding::Answered(KeptAnswer { status, headers, body })
            }
        })
    }

    /// Keeps the answer to a request that was begun at this moment.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keep_answer(
        &self,
        token: TokenId,
        key: &str,
        begun: Timestamp,
        answer: &KeptAnswer,
    ) -> Result<(), Failure> {
        let headers = serde_json::to_string(&answer.headers).unwrap_or_default();
        write!(self, db => query(KEEP_ANSWER)
            .bind(Uuid::from(token))
            .bind(key)
            .bind(begun.as_micros())
            .bind(i64::from(answer.status))
            .bind(&headers)
            .bind(&answer.body)
            .execute(db))?;
        Ok(())
    }

    /// Forgets a request that was begun at this moment and came to nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn forget_answer(
        &self,
        token: TokenId,
        key: &str,
        begun: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(FORGET_ANSWER)
            .bind(Uuid::from(token))
            .bind(key)
            .bind(begun.as_micros())
            .execute(db))?;
        Ok(())
    }
}
