//! Requests at the door that name themselves (`Idempotency-Key`): each is done once.

use model::{Failure, Timestamp, TokenId};
use store::AnswerStanding;
pub use store::KeptAnswer;

use crate::Latchkey;
use crate::tokens::Token;

/// A request that was begun, and is to be finished.
#[derive(Clone, Debug)]
pub struct Ticket {
    token: TokenId,
    key: String,
    begun: Timestamp,
}

/// How it stands with a request.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It begins now.
    Now(Ticket),
    /// The same one is under way.
    UnderWay,
    /// Another one had the name.
    Other,
    /// The same one was answered so.
    Before(KeptAnswer),
}

/// Begins a request of a token with this name and this hash.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn begin(
    latchkey: &Latchkey,
    token: &Token,
    key: &str,
    hash: &[u8; 32],
) -> Result<Begun, Failure> {
    let now = latchkey.now();
    Ok(match latchkey.store.begin_answer(token.id, key, hash, now).await? {
        AnswerStanding::Begun => {
            Begun::Now(Ticket { token: token.id, key: key.to_owned(), begun: now })
        }
        AnswerStanding::UnderWay => Begun::UnderWay,
        AnswerStanding::Other => Begun::Other,
        AnswerStanding::Answered(answer) => Begun::Before(answer),
    })
}

/// Keeps what a request was answered for a day, or forgets one that came to nothing. If that fails, the
/// database has logged it; asked again within a minute, the request counts as under way.
pub async fn finish(latchkey: &Latchkey, ticket: Ticket, answer: Option<KeptAnswer>) {
    let Ticket { token, key, begun } = ticket;
    let _ = match answer {
        Some(answer) => latchkey.store.keep_answer(token, &key, begun, &answer).await,
        None => latchkey.store.forget_answer(token, &key, begun).await,
    };
}
