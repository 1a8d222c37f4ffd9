use std::time::Duration;

use model::{Timestamp, UserId};
use store::{Guess, GuessFacts, Hearing, Store, Tally};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{DAY, at, at_once, email, user};

const MINUTE: Duration = Duration::from_secs(60);

fn guess(user: Option<UserId>, network: &str) -> Guess {
    let mut network_hash = [0; 32];
    network_hash[..network.len()].copy_from_slice(network.as_bytes());
    Guess { email: email("Kari@Example.com"), user, network: network.to_owned(), network_hash }
}

/// Three tries are heard at once; then each waits a minute.
fn three_free(facts: &GuessFacts, now: Timestamp) -> Hearing {
    if let Some(at) = facts.pair.next_at.filter(|at| *at > now) {
        return Hearing::Later(at);
    }
    let wait = if facts.pair.tries < 2 { Duration::ZERO } else { MINUTE };
    Hearing::Now { next_here: now.after(wait), next_from_network: now }
}

/// What the store knows of a try. Nothing is noted.
async fn facts(store: &Store, guess: &Guess, now: Timestamp) -> GuessFacts {
    let since = now.before(90 * DAY);
    let decide = |_: &GuessFacts| Hearing::Later(now);
    store.hear_guess(guess, since, now.after(DAY), now, decide).await.unwrap().1
}

async fn hear(store: &Store, guess: &Guess, now: Timestamp) -> (Hearing, GuessFacts) {
    let since = now.before(90 * DAY);
    let decide = |facts: &GuessFacts| three_free(facts, now);
    store.hear_guess(guess, since, now.after(DAY), now, decide).await.unwrap()
}

fn tries(facts: GuessFacts) -> [u32; 3] {
    [facts.pair.tries, facts.login.tries, facts.network.tries]
}

#[apply(on_both!)]
async fn a_try_counts_for_its_login_its_network_and_both_together(db: TestDatabase) {
    let here = guess(None, "192.0.2.1");
    hear(&db.store, &here, at(0)).await;
    hear(&db.store, &here, at(0)).await;
    hear(&db.store, &guess(None, "192.0.2.2"), at(0)).await;
    let other = Guess { email: email("ola@example.com"), ..here.clone() };
    hear(&db.store, &other, at(0)).await;
    assert_eq!(tries(facts(&db.store, &here, at(1)).await), [2, 3, 3]);
    assert_eq!(tries(facts(&db.store, &other, at(1)).await), [1, 1, 3]);
    let elsewhere = guess(None, "192.0.2.3");
    assert_eq!(tries(facts(&db.store, &elsewhere, at(1)).await), [0, 3, 0]);
    assert_eq!(facts(&db.store, &elsewhere, at(1)).await.pair, Tally::default());
}

#[apply(on_both!)]
async fn fifty_tries_at_once_are_heard_as_often_as_is_free(db: TestDatabase) {
    let heard = at_once(50, |_| {
        let store = db.store.clone();
        async move { hear(&store, &guess(None, "192.0.2.1"), at(0)).await }
    })
    .await;
    let now = heard.iter().filter(|(hearing, _)| matches!(hearing, Hearing::Now { .. })).count();
    assert_eq!(now, 3, "{heard:?}");
    assert_eq!(tries(facts(&db.store, &guess(None, "192.0.2.1"), at(1)).await), [3, 3, 3]);
}

#[apply(on_both!)]
async fn tries_at_many_logins_from_many_networks_at_once_never_wait_in_a_circle(db: TestDatabase) {
    at_once(40, |number| {
        let store = db.store.clone();
        async move {
            let login = email(&format!("user{}@example.com", number % 4));
            let network = guess(None, &format!("192.0.2.{}", number % 5));
            let guess = Guess { email: login, ..network };
            let (hearing, facts) = hear(&store, &guess, at(0)).await;
            if let Hearing::Now { .. } = hearing {
                store.take_guess_back(&guess, &facts, at(0)).await.unwrap();
            }
        }
    })
    .await;
    assert_eq!(tries(facts(&db.store, &guess(None, "192.0.2.1"), at(1)).await), [0, 0, 0]);
}

#[apply(on_both!)]
async fn a_right_try_counts_no_longer_and_makes_the_network_known(db: TestDatabase) {
    let kari = Some(user(&db.store, "Kari", "kari@example.com").await);
    let (here, there) = (guess(kari, "192.0.2.1"), guess(kari, "192.0.2.2"));
    hear(&db.store, &here, at(0)).await;
    hear(&db.store, &there, at(0)).await;
    let (_, heard) = hear(&db.store, &here, at(0)).await;
    db.store.guessed_right(&here, &heard, at(5)).await.unwrap();
    let known = facts(&db.store, &here, at(6)).await;
    assert!(known.known);
    assert_eq!(tries(known), [0, 0, 0]);
    let elsewhere = facts(&db.store, &there, at(6)).await;
    assert!(!elsewhere.known);
    assert_eq!(tries(elsewhere), [1, 2, 1]);
    let others = facts(&db.store, &guess(None, "192.0.2.1"), at(6)).await;
    assert!(!others.known);
    assert_eq!(tries(others), [0, 2, 1], "the wrong one still counts for the network");
    let later = at(5).after(90 * DAY);
    assert!(facts(&db.store, &here, later).await.known);
    assert!(!facts(&db.store, &here, later.after(MINUTE)).await.known);
}

#[apply(on_both!)]
async fn where_a_login_is_known_its_tries_concern_nobody_else(db: TestDatabase) {
    let kari = Some(user(&db.store, "Kari", "kari@example.com").await);
    let here = guess(kari, "192.0.2.1");
    db.store.know_network(&here, at(0)).await.unwrap();
    let (_, heard) = hear(&db.store, &here, at(1)).await;
    assert_eq!(tries(facts(&db.store, &here, at(1)).await), [1, 0, 0]);
    assert_eq!(tries(facts(&db.store, &guess(kari, "192.0.2.2"), at(1)).await), [0, 0, 0]);
    let stranger = Guess { email: email("ola@example.com"), ..guess(None, "192.0.2.1") };
    hear(&db.store, &stranger, at(1)).await;
    db.store.guessed_right(&here, &heard, at(2)).await.unwrap();
    let network = facts(&db.store, &stranger, at(2)).await.network;
    assert_eq!(network.tries, 1, "and its right ones open nothing to others");
}

#[apply(on_both!)]
async fn a_try_that_was_never_looked_at_is_taken_back(db: TestDatabase) {
    let here = guess(None, "192.0.2.1");
    for _ in 0..2 {
        hear(&db.store, &here, at(0)).await;
    }
    let (_, heard) = hear(&db.store, &here, at(0)).await;
    assert_eq!(hear(&db.store, &here, at(1)).await.0, Hearing::Later(at(60)));
    db.store.take_guess_back(&here, &heard, at(1)).await.unwrap();
    assert_eq!(tries(facts(&db.store, &here, at(1)).await), [2, 2, 2]);
    assert!(matches!(hear(&db.store, &here, at(1)).await.0, Hearing::Now { .. }));
}

#[apply(on_both!)]
async fn what_is_announced_is_noted_and_what_is_put_off_isnt(db: TestDatabase) {
    let here = guess(None, "192.0.2.1");
    assert_eq!(facts(&db.store, &here, at(0)).await.pair.next_at, None);
    let announce = |_: &GuessFacts| Hearing::Announced(at(30));
    let (since, until) = (at(0).before(DAY), at(0).after(DAY));
    db.store.hear_guess(&here, since, until, at(0), announce).await.unwrap();
    let announced = facts(&db.store, &here, at(1)).await.pair;
    assert_eq!(announced, Tally { tries: 0, next_at: Some(at(30)) });
}

#[apply(on_both!)]
async fn counting_begins_anew_when_its_time_is_over(db: TestDatabase) {
    let here = guess(None, "192.0.2.1");
    for _ in 0..3 {
        hear(&db.store, &here, at(0)).await;
    }
    let day = 24 * 60 * 60;
    assert_eq!(tries(facts(&db.store, &here, at(day - 1)).await), [3, 3, 3]);
    let over = facts(&db.store, &here, at(day)).await;
    assert_eq!((tries(over), over.pair.next_at), ([0, 0, 0], None));
}

#[apply(on_both!)]
async fn sweeping_forgets_what_is_over(db: TestDatabase) {
    let kari = Some(user(&db.store, "Kari", "kari@example.com").await);
    let here = guess(kari, "192.0.2.1");
    hear(&db.store, &here, at(0)).await;
    db.store.know_network(&guess(kari, "192.0.2.9"), at(0)).await.unwrap();
    assert_eq!(db.store.sweep_guesses(at(0), at(1)).await, Ok(0));
    assert_eq!(db.store.sweep_guesses(at(0), at(0).after(DAY)).await, Ok(3));
    assert_eq!(db.store.sweep_guesses(at(1), at(0).after(DAY)).await, Ok(1));
}
