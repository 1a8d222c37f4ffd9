//! The outbox's rules: how often a mail can be caused, when it is tried, when again, and when it is
//! given up.

use std::time::Duration;

use model::{Failure, Limited, MailBound, MailKind, Timestamp};
use store::{Bound, LONGEST_WAIT};
pub use store::{KeptMail, QueuedMail};
use uuid::Uuid;

use crate::Latchkey;

/// How long a node may take to send one mail; after that another may try it.
pub const LEASE: Duration = Duration::from_secs(120);

/// For how long a mail is tried again,
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// and where the operator has to mend something first: a long weekend (RFC 5321 section 4.5.4.1 has
/// four to five days).
const GIVE_OURS_UP_AFTER: Duration = Duration::from_secs(4 * 24 * 60 * 60);

/// What the mail server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It took the mail.
    Taken(String),
    /// It put us off, or couldn't be reached.
    NotNow(String),
    /// It refuses what we are or do, not the recipient: the operator has to mend that.
    Ours(String),
    /// It refused the recipient for good.
    Never(String),
}

/// Counts one mail of a kind that somebody or an address causes, and refuses it beyond the kind's
/// bound.
///
/// # Errors
/// [`Failure::TooMany`], [`Failure::Unavailable`].
pub(crate) async fn count(latchkey: &Latchkey, kind: MailKind, whose: &str) -> Result<(), Failure> {
    let key = format!("mail:{}:{whose}", kind.id());
    let Bound { key, most, window, .. } = bound(kind, key, Limited::Tries);
    latchkey.limit(&key, most, window).await
}

/// The bound of a kind of mail that is counted.
pub(crate) fn bound(kind: MailKind, key: String, of: Limited) -> Bound {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (most, window) = match kind.bound() {
        MailBound::Counted { most, hours } => (most, hours * HOUR),
        MailBound::CountedBySettings | MailBound::Follows(_) | MailBound::Gathered { .. } => {
            (u32::MAX, HOUR)
        }
    };
    Bound { key, most, window, of }
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
pub async fn note(latchkey: &Latchkey, mail: &QueuedMail, reply: &Reply) -> Result<(), Failure> {
    let now = latchkey.now();
    match reply {
        Reply::Taken(words) => latchkey.store.mail_sent(mail.id, words, now).await,
        Reply::Never(words) => latchkey.store.mail_failed(mail.id, words, now).await,
        Reply::NotNow(words) => put_off(latchkey, mail, words, GIVE_UP_AFTER).await,
        Reply::Ours(words) => put_off(latchkey, mail, words, GIVE_OURS_UP_AFTER).await,
    }
}

async fn put_off(
    latchkey: &Latchkey,
    mail: &QueuedMail,
    words: &str,
    give_up_after: Duration,
) -> Result<(), Failure> {
    let now = latchkey.now();
    let at = try_again(mail.attempts, mail.queued_at, now, give_up_after);
    // A link that has run out helps nobody.
    match at.filter(|at| mail.mail.expires_at().is_none_or(|until| *at < until)) {
        Some(at) => latchkey.store.mail_deferred(mail.id, words, at).await,
        None => latchkey.store.mail_failed(mail.id, words, now).await,
    }
}

/// Notes that a mail is kept for the mailbox, as there is no mail server.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn keep(latchkey: &Latchkey, mail: &QueuedMail) -> Result<(), Failure> {
    latchkey.store.mail_kept(mail.id, latchkey.now()).await
}

/// How many mails wait after a try that came to nothing, and what was answered to the newest.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn waiting(latchkey: &Latchkey) -> Result<Option<(u32, String)>, Failure> {
    latchkey.store.waiting_mails().await
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
/// none when the time is over (RFC 5321 section 4.5.4.1 asks for more patience of relays than a day,
/// but an invitation that is four days late helps nobody).
fn try_again(
    attempts: u32,
    queued_at: Timestamp,
    now: Timestamp,
    give_up_after: Duration,
) -> Option<Timestamp> {
    let wait = Duration::from_secs(30 << attempts.min(7)).min(LONGEST_WAIT);
    let at = now.after(wait);
    (at.since(queued_at) < give_up_after).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_end_after_a_day() {
        let start = Timestamp::from_micros(0);
        let wait = |attempts| {
            try_again(attempts, start, start, GIVE_UP_AFTER).map(|at| at.since(start).as_secs())
        };
        assert_eq!([0, 1, 2, 6, 7, 30].map(wait), [30, 60, 120, 1920, 3600, 3600].map(Some));
        let next_day = start.after(Duration::from_secs(23 * 60 * 60 + 59 * 60));
        assert_eq!(try_again(30, start, next_day, GIVE_UP_AFTER), None);
        assert!(try_again(30, start, next_day, GIVE_OURS_UP_AFTER).is_some());
    }
}
