//! The outbox's rules: when a mail is tried, when again, and when it is given up.

use std::time::Duration;

use model::{Failure, Timestamp};
use store::LONGEST_WAIT;
pub use store::{KeptMail, QueuedMail};
use uuid::Uuid;

use crate::Latchkey;

/// How long a node may take to send one mail; after that another may try it.
pub const LEASE: Duration = Duration::from_secs(120);

/// For how long a mail is tried again.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the mail server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the mail.
    Taken(String),
    /// It put us off, or couldn't be reached.
    NotNow(String),
    /// It refused the mail for good.
    Never(String),
}

/// Takes the next mail that is due.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn take(latchkey: &Latchkey) -> Result<Option<QueuedMail>, Failure> {
    latchkey.store.take_mail(LEASE, latchkey.now()).await
}

/// Notes what became of a mail.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn note(latchkey: &Latchkey, mail: &QueuedMail, answer: &Answer) -> Result<(), Failure> {
    let now = latchkey.now();
    match answer {
        Answer::Taken(words) => latchkey.store.mail_sent(mail.id, words, now).await,
        Answer::Never(words) => latchkey.store.mail_failed(mail.id, words, now).await,
        Answer::NotNow(words) => match try_again(mail.attempts, mail.queued_at, now) {
            Some(at) => latchkey.store.mail_deferred(mail.id, words, at).await,
            None => latchkey.store.mail_failed(mail.id, words, now).await,
        },
    }
}

/// Notes that a mail is kept for the mailbox, as there is no mail server.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn keep(latchkey: &Latchkey, mail: &QueuedMail) -> Result<(), Failure> {
    latchkey.store.mail_kept(mail.id, latchkey.now()).await
}

/// The newest kept mails.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn mailbox(latchkey: &Latchkey) -> Result<Vec<KeptMail>, Failure> {
    latchkey.store.kept_mails(100).await
}

/// One kept mail.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn kept(latchkey: &Latchkey, id: &str) -> Result<KeptMail, Failure> {
    let id: Uuid = id.parse().map_err(|_| Failure::NotFound)?;
    latchkey.store.kept_mail(id).await?.ok_or(Failure::NotFound)
}

/// When to try again after this many tries: half a minute, doubled each time, an hour at most;
/// none when a day is over (RFC 5321 section 4.5.4.1 asks for more patience of relays, but an
/// invitation that is four days late helps nobody).
fn try_again(attempts: u32, queued_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let wait = Duration::from_secs(30 << attempts.min(7)).min(LONGEST_WAIT);
    let at = now.after(wait);
    (at.since(queued_at) < GIVE_UP_AFTER).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_end_after_a_day() {
        let start = Timestamp::from_micros(0);
        let wait = |attempts| try_again(attempts, start, start).map(|at| at.since(start).as_secs());
        assert_eq!([0, 1, 2, 6, 7, 30].map(wait), [30, 60, 120, 1920, 3600, 3600].map(Some));
        let next_day = start.after(Duration::from_secs(23 * 60 * 60 + 59 * 60));
        assert_eq!(try_again(30, start, next_day), None);
    }
}
