//! Guessing passwords: who waits how long until their next try is heard. Nothing sleeps here: what
//! comes before its time is refused, without hashing and without counting.
//!
//! Where a login signed in before, wrong tries at it there count for themselves: they wait for no
//! others and hold no others up, so nobody can keep its owner out. From everywhere else, tries at one
//! login and tries from one network slow each other down.

use std::time::Duration;

use model::{EmailAddress, Failure, Limit, Limited, Password, Timestamp, UserId};
use sha2::{Digest, Sha256};
use store::{Guess, GuessFacts, Hearing, Login, NetworkTally};

use crate::{Client, Latchkey};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// So many tries at one login from one network cost no waiting.
const FREE_HERE: u32 = 3;

/// The longest wait after that, and after those from one network: 96 tries a day are left of any
/// number (NIST SP 800-63B section 3.2.2 takes 100 in a row as the most).
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// So many tries at one login, from all networks that it never signed in from, cost no waiting.
const FREE_ELSEWHERE: u32 = 10;

/// The longest wait that others can bring upon somebody: a nuisance, never a lock-out.
const LONGEST_ELSEWHERE: Duration = Duration::from_secs(60);

/// Counting begins anew so long after the first try.
const COUNTED_FOR: Duration = DAY;

/// For how long after the last time a network is one that the user signed in from.
const KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Compares a password with the login's, or with none in the same time, once it is this try's turn.
///
/// # Errors
/// [`Failure::TooMany`] when it isn't; [`Failure::Unavailable`], and then it didn't count.
pub(crate) async fn compare(
    latchkey: &Latchkey,
    email: &EmailAddress,
    login: Option<&Login>,
    password: Password,
    client: &Client,
) -> Result<bool, Failure> {
    let guess = guess(email, login.map(|login| login.id), client);
    let now = latchkey.now();
    let free = latchkey.settings.sign_ins_per_client;
    let decide = |facts: &GuessFacts| hearing(facts, free, now);
    let (since, until) = (now.before(KNOWN_FOR), now.after(COUNTED_FOR));
    let (hearing, facts) = latchkey.store.hear_guess(&guess, since, until, now, decide).await?;
    if let Hearing::Announced(at) | Hearing::Later(at) = hearing {
        return Err(Failure::TooMany(Limit::until(Limited::Tries, at, now)));
    }
    let hash = login.map(|login| login.password_hash.clone());
    match latchkey.hasher.verify(password, hash).await {
        Ok(true) => {
            latchkey.store.guessed_right(&guess, &facts, latchkey.now()).await?;
            Ok(true)
        }
        Ok(false) => Ok(false),
        Err(failure) => {
            latchkey.store.take_guess_back(&guess, &facts, latchkey.now()).await?;
            Err(failure)
        }
    }
}

/// Notes that the user is here without having guessed: they chose their password by a link from
/// their mailbox, or with their login's creation.
pub(crate) async fn is_here(
    latchkey: &Latchkey,
    email: &EmailAddress,
    user: UserId,
    client: &Client,
) {
    let guess = guess(email, Some(user), client);
    // What they came for is done. A failure is in the log already, and costs them a wait at most.
    let _ = latchkey.store.know_network(&guess, latchkey.now()).await;
}

/// How many networks with tries at one login are told.
const MOST_TOLD: usize = 50;

/// Tries at a login that came to nothing, and who waits because of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// From networks that it never signed in from, within a day.
    pub elsewhere: u32,
    /// The networks from which the next try isn't heard yet, and when it is.
    pub waits: Vec<(String, Timestamp)>,
}

/// What was tried in vain at the login with this address.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn tries(latchkey: &Latchkey, email: &EmailAddress) -> Result<Tries, Failure> {
    let now = latchkey.now();
    let mut tries = Tries::default();
    for NetworkTally { network, tally } in latchkey.store.guesses_at(email, MOST_TOLD, now).await? {
        match (network, tally.next_at) {
            (None, _) => tries.elsewhere = tally.tries,
            (Some(network), Some(at)) if at.is_awaited(LONGEST, now) => {
                tries.waits.push((network, at));
            }
            (Some(_), _) => {}
        }
    }
    Ok(tries)
}

/// Deletes counts that are over and networks that nobody signed in from for long.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn sweep(latchkey: &Latchkey) -> Result<u64, Failure> {
    let now = latchkey.now();
    latchkey.store.sweep_guesses(now.before(KNOWN_FOR), now).await
}

fn guess(email: &EmailAddress, user: Option<UserId>, client: &Client) -> Guess {
    let network = client.network();
    let whose = user.map(uuid::Uuid::from).unwrap_or_default();
    // With the user in it: who reads the table can't see at a glance who shares a network.
    let hash = Sha256::new().chain_update(whose).chain_update(&network).finalize();
    Guess { email: email.clone(), user, network, network_hash: hash.into() }
}

/// What becomes of a try.
fn hearing(facts: &GuessFacts, free_from_network: u32, now: Timestamp) -> Hearing {
    let GuessFacts { known, pair, login, network } = *facts;
    let gate = network.next_at.filter(|_| !known);
    let gates = [pair.next_at, gate].into_iter().flatten();
    if let Some(at) = gates.filter(|at| at.is_awaited(LONGEST, now)).max() {
        return Hearing::Later(at);
    }
    let elsewhere = |tries| match known {
        true => Duration::ZERO,
        false => wait_after(tries, FREE_ELSEWHERE, LONGEST_ELSEWHERE),
    };
    // Whoever is told this wait is heard after it: were it one gate for all, a crowd that pushes
    // through it time and again would keep the login's owner out for good.
    if pair.next_at.is_none() && elsewhere(login.tries) > Duration::ZERO {
        return Hearing::Announced(now.after(elsewhere(login.tries)));
    }
    let here = wait_after(pair.tries + 1, FREE_HERE, LONGEST).max(elsewhere(login.tries + 1));
    let from_network = wait_after(network.tries + 1, free_from_network, LONGEST);
    Hearing::Now { next_here: now.after(here), next_from_network: now.after(from_network) }
}

/// The wait after so many tries: none before the last free one, then 1 second, doubled each time.
fn wait_after(tries: u32, free: u32, longest: Duration) -> Duration {
    match tries.checked_sub(free) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(32)).min(longest),
    }
}

#[cfg(test)]
mod tests {
    use store::Tally;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn in_seconds(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn tally(tries: u32, next_at: Option<Timestamp>) -> Tally {
        Tally { tries, next_at }
    }

    /// When the next try at the login from here and any from this network are heard, in seconds.
    fn next(facts: GuessFacts) -> (u64, u64) {
        match hearing(&facts, 300, NOW) {
            Hearing::Now { next_here, next_from_network } => {
                (next_here.since(NOW).as_secs(), next_from_network.since(NOW).as_secs())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_tries_are_free_and_then_waits_double_up_to_a_quarter_of_an_hour() {
        let after = |tries| {
            let pair = tally(tries, Some(NOW));
            next(GuessFacts { pair, ..GuessFacts::default() }).0
        };
        let waits: Vec<_> = (0..14).map(after).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(after(u32::MAX - 1), 900);
    }

    #[test]
    fn a_network_has_its_own_count_over_all_logins() {
        let after = |tries| {
            let network = tally(tries, Some(NOW));
            next(GuessFacts { network, ..GuessFacts::default() }).1
        };
        assert_eq!([0, 298, 299, 300, 308, 309, 400].map(after), [0, 0, 1, 2, 512, 900, 900]);
    }

    #[test]
    fn a_try_before_its_time_is_put_off_to_the_later_of_both_moments() {
        let facts = GuessFacts {
            pair: tally(5, Some(in_seconds(8))),
            network: tally(305, Some(in_seconds(60))),
            ..GuessFacts::default()
        };
        assert_eq!(hearing(&facts, 300, NOW), Hearing::Later(in_seconds(60)));
        let known = GuessFacts { known: true, ..facts };
        assert_eq!(hearing(&known, 300, NOW), Hearing::Later(in_seconds(8)));
    }

    #[test]
    fn nobody_waits_longer_than_the_longest_wait_whatever_a_clock_wrote() {
        let pair = tally(5, Some(in_seconds(901)));
        let network = tally(305, Some(in_seconds(400 * 24 * 60 * 60)));
        let facts = GuessFacts { pair, network, ..GuessFacts::default() };
        assert_eq!(next(facts).0, 8);
        let facts = GuessFacts { pair: tally(5, Some(in_seconds(900))), ..facts };
        assert_eq!(hearing(&facts, 300, NOW), Hearing::Later(in_seconds(900)));
    }

    #[test]
    fn where_a_login_signed_in_before_nobody_else_holds_it_up() {
        let network = tally(400, Some(in_seconds(900)));
        let facts = GuessFacts { known: true, network, ..GuessFacts::default() };
        assert_eq!(next(facts).0, 0);
    }

    #[test]
    fn a_login_under_attack_is_announced_elsewhere_and_heard_within_a_minute() {
        let attacked = |tries| GuessFacts { login: tally(tries, None), ..GuessFacts::default() };
        assert_eq!(next(attacked(8)).0, 0);
        for (tries, seconds) in [(10, 1), (11, 2), (16, 60), (1_000_000, 60)] {
            let hearing = hearing(&attacked(tries), 300, NOW);
            assert_eq!(hearing, Hearing::Announced(in_seconds(seconds)), "{tries}");
        }
        let waited = GuessFacts { pair: tally(0, Some(NOW)), ..attacked(1_000_000) };
        assert_eq!(next(waited).0, 60, "the next one waits as long");
    }

    #[test]
    fn a_network_is_stored_so_that_it_tells_nothing_of_two_users() {
        let client = Client { address: "192.0.2.1".to_owned(), ..Client::default() };
        let email = EmailAddress::parse("kari@example.com").unwrap();
        let of = |user| guess(&email, Some(UserId::from(uuid::Uuid::from_u128(user))), &client);
        assert_eq!(of(1).network_hash, of(1).network_hash);
        assert_ne!(of(1).network_hash, of(2).network_hash);
    }
}
