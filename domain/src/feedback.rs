//! What readers say of the guides: kept without their name, for the operator to read.

use std::time::Duration;

use model::{Failure, Field, FieldProblem};
pub use store::Feedback;

use crate::{Client, Latchkey};

/// The guides, by the end of their addresses.
pub const GUIDES: [&str; 4] = ["users", "security", "account", "billing"];

/// The longest comment, in characters.
pub const LONGEST_COMMENT: usize = 1_000;

/// Keeps what somebody says of a guide.
///
/// # Errors
/// [`Failure::Invalid`] for an unknown guide or a comment that is too long; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn give(
    latchkey: &Latchkey,
    guide: &str,
    helped: bool,
    comment: &str,
    client: &Client,
) -> Result<(), Failure> {
    const WINDOW: Duration = Duration::from_secs(60 * 60);
    // Other control characters say nothing, and Postgres takes no NUL.
    let comment: String =
        comment.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    if !GUIDES.contains(&guide) {
        return Err(Failure::field(Field::Form, FieldProblem::Malformed));
    }
    if comment.chars().count() > LONGEST_COMMENT {
        return Err(Failure::field(Field::Comment, FieldProblem::TooLong));
    }
    latchkey.limit(&format!("feedback:{}", client.network()), 10, WINDOW).await?;
    let (language, now) = (client.language.as_ref(), latchkey.now());
    latchkey.store.add_feedback(guide, helped, &comment, language, now).await
}

/// What readers said, newest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn newest(latchkey: &Latchkey, most: usize) -> Result<Vec<Feedback>, Failure> {
    latchkey.store.feedback(most).await
}
