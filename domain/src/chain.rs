//! The log's chain: whether every row is as it was written, and none is missing or too many.

use std::num::NonZeroU32;

use model::{AccountId, Day, Failure};
use store::{LogHead, NO_LINK};
use uuid::Uuid;

use crate::Latchkey;
use crate::digests::{self, DigestFault, LogDigest, PublicKey};

/// How many rows, or digests, are held at a time.
const PIECE: usize = 500;

/// What was found in an account's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Rows of the chain that are as they were written, up to the first that isn't.
    pub rows: i64,
    /// Rows from before there were chains: nothing can be said of them.
    pub older: u32,
    /// Digests that fit the log, up to the first that doesn't.
    pub digests: u32,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The row with this number isn't as it was written, or the one before it isn't.
    Changed(i64),
    /// There is no row with this number, though there are later ones.
    Missing(i64),
    /// The row with this number is one too many.
    Inserted(i64),
    /// So many rows have no place in the chain, and aren't older than it.
    Unlinked(NonZeroU32),
    /// The rows from this number on were cut off at the end.
    CutOff(i64),
    /// The note of the newest row is gone, so nobody can tell how many rows there were.
    HeadGone,
    /// The digest of this day proves something else.
    Digest(Day, DigestFault),
}

/// Follows an account's chain from its first row to its last, and compares it with every digest
/// that is stored; their signatures count only by a trusted key. Any length takes the same memory,
/// and what is appended meanwhile does no harm.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn examine(
    latchkey: &Latchkey,
    account: AccountId,
    trusted: &[PublicKey],
) -> Result<Examined, Failure> {
    let mut examined = Examined::default();
    examined.fault = match follow(latchkey, account, &mut examined).await? {
        None => compare(latchkey, account, trusted, &mut examined).await?,
        broken => broken,
    };
    Ok(examined)
}

/// Compares a digest that somebody kept with the account's log.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn examine_kept(
    latchkey: &Latchkey,
    account: AccountId,
    digest: &LogDigest,
    trusted: &[PublicKey],
) -> Result<Result<(), DigestFault>, Failure> {
    let hash = latchkey.store.row_hash(account, digest.facts.sequence).await?;
    Ok(holds(digest, hash.as_deref(), trusted))
}

async fn follow(
    latchkey: &Latchkey,
    account: AccountId,
    examined: &mut Examined,
) -> Result<Option<Fault>, Failure> {
    let mut end = LogHead { sequence: 0, hash: NO_LINK.to_vec() };
    // The place in the log where the chain begins: what is older has no link.
    let mut beginning = Uuid::max();
    let mut after = i64::MIN;
    loop {
        // Asked before the rows: what is appended in between comes with the next piece.
        let head = latchkey.store.log_head(account).await?;
        let rows = latchkey.store.linked_rows(account, after, PIECE).await?;
        if rows.is_empty() {
            let fault = at_end(&end, head);
            return if fault.is_some() {
                Ok(fault)
            } else {
                unlinked(latchkey, account, beginning, examined).await
            };
        }
        for row in rows {
            let expected = end.sequence + 1;
            let hash = row.hash_behind(&end.hash);
            if row.sequence < expected {
                return Ok(Some(Fault::Inserted(row.sequence)));
            }
            if row.sequence > expected {
                return Ok(Some(Fault::Missing(expected)));
            }
            if row.hash.as_deref() != Some(&hash[..]) {
                return Ok(Some(Fault::Changed(expected)));
            }
            if expected == 1 {
                // Before an account was created nothing happened in it.
                beginning = if row.is_creation() { Uuid::nil() } else { row.id };
            }
            end = LogHead { sequence: expected, hash: hash.to_vec() };
            after = expected;
            examined.rows = expected;
        }
    }
}

fn at_end(end: &LogHead, head: Option<LogHead>) -> Option<Fault> {
    let Some(head) = head else { return Some(Fault::HeadGone) };
    if head.sequence > end.sequence {
        Some(Fault::CutOff(end.sequence + 1))
    } else if head.sequence < end.sequence {
        Some(Fault::Inserted(head.sequence + 1))
    } else if head.hash != end.hash {
        Some(Fault::Changed(end.sequence))
    } else {
        None
    }
}

async fn unlinked(
    latchkey: &Latchkey,
    account: AccountId,
    beginning: Uuid,
    examined: &mut Examined,
) -> Result<Option<Fault>, Failure> {
    examined.older = latchkey.store.unlinked_rows(account, beginning).await?;
    let all = latchkey.store.unlinked_rows(account, Uuid::max()).await?;
    Ok(NonZeroU32::new(all.saturating_sub(examined.older)).map(Fault::Unlinked))
}

async fn compare(
    latchkey: &Latchkey,
    account: AccountId,
    trusted: &[PublicKey],
    examined: &mut Examined,
) -> Result<Option<Fault>, Failure> {
    let mut after = None;
    loop {
        let digests = latchkey.store.digests_with_rows(account, after, PIECE).await?;
        let Some((last, _)) = digests.last() else { return Ok(None) };
        after = Some(last.facts.day);
        for (digest, hash) in digests {
            if let Err(fault) = holds(&digest, hash.as_deref(), trusted) {
                return Ok(Some(Fault::Digest(digest.facts.day, fault)));
            }
            examined.digests += 1;
        }
    }
}

fn holds(
    digest: &LogDigest,
    row_hash: Option<&[u8]>,
    trusted: &[PublicKey],
) -> Result<(), DigestFault> {
    digests::check(digest, trusted)?;
    if row_hash == Some(&digest.facts.hash) { Ok(()) } else { Err(DigestFault::DoesNotFit) }
}
