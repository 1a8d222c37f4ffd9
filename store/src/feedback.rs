//! What readers said of the guides.

use model::{Failure, Language, Timestamp};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;

use crate::Store;
use crate::db::{limit, new_id, read, sql, write};

sql! {
    INSERT_FEEDBACK = "INSERT INTO feedback (id, at, guide, helped, comment, language) \
                       VALUES ($1, $2, $3, $4, $5, $6)";
    FEEDBACK = "SELECT at, guide, helped, comment, language FROM feedback \
                ORDER BY id DESC LIMIT $1";
}

/// What a reader said of a guide. Who it was isn't kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The guide, by the end of its address.
    pub guide: String,
    /// Whether it answered the reader's question.
    pub helped: bool,
    /// What they added; may be empty.
    pub comment: String,
    /// The language in which they read it.
    pub language: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct FeedbackRow {
    at: i64,
    guide: String,
    helped: bool,
    comment: String,
    language: String,
}

impl From<FeedbackRow> for Feedback {
    fn from(row: FeedbackRow) -> Self {
        let FeedbackRow { at, guide, helped, comment, language } = row;
        Self { guide, helped, comment, language, at: Timestamp::from_micros(at) }
    }
}

impl Store {
    /// Keeps what a reader said.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_feedback(
        &self,
        guide: &str,
        helped: bool,
        comment: &str,
        language: Option<&Language>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(INSERT_FEEDBACK)
            .bind(new_id(now))
            .bind(now.as_micros())
            .bind(guide)
            .bind(helped)
            .bind(comment)
            .bind(language.map_or("", Language::tag))
            .execute(db))?;
        Ok(())
    }

    /// What readers said, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn feedback(&self, most: usize) -> Result<Vec<Feedback>, Failure> {
        let rows: Vec<FeedbackRow> =
            read!(self, db => query_as(FEEDBACK).bind(limit(most)).fetch_all(db))?;
        Ok(rows.into_iter().map(Feedback::from).collect())
    }
}
