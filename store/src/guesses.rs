//! Tries at signing in that came to nothing, and the networks that a user signed in from. How long
//! anybody waits is the caller's to say.

use model::{EmailAddress, Failure, Timestamp, UserId};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::Store;
use crate::db::{Tx, count, limit, read, sql, write};

sql! {
    KNOWN = "SELECT EXISTS (SELECT 1 FROM known_networks \
                            WHERE user_id = $1 AND network_hash = $2 AND last_at >= $3)";
    /// Makes the row or begins its count anew, and holds it until the transaction ends. A count that
    /// ends later than one that begins now was begun by a clock that ran ahead.
    TALLY = "INSERT INTO guesses (login, network, tries, until) VALUES ($1, $2, 0, $4) \
             ON CONFLICT (login, network) DO UPDATE SET \
                 tries = CASE WHEN guesses.until > $3 AND guesses.until <= $4 \
                         THEN guesses.tries ELSE 0 END, \
                 next_at = CASE WHEN guesses.until > $3 AND guesses.until <= $4 \
                           THEN guesses.next_at END, \
                 until = CASE WHEN guesses.until > $3 AND guesses.until <= $4 \
                         THEN guesses.until ELSE excluded.until END \
             RETURNING tries, next_at";
    COUNT_TRY = "UPDATE guesses SET tries = tries + 1, next_at = $3 \
                 WHERE login = $1 AND network = $2";
    ANNOUNCE = "UPDATE guesses SET next_at = $3 WHERE login = $1 AND network = $2";
    GIVE_BACK = "UPDATE guesses SET tries = tries - 1, next_at = $3 \
                 WHERE login = $1 AND network = $2 AND tries > 0";
    FORGET_PAIR = "DELETE FROM guesses WHERE login = $1 AND network = $2";
    KNOW = "INSERT INTO known_networks (user_id, network_hash, last_at) VALUES ($1, $2, $3) \
            ON CONFLICT (user_id, network_hash) DO UPDATE SET last_at = excluded.last_at";
    /// The network that stands for all of them says how often it was tried elsewhere.
    OF_LOGIN = "SELECT network, tries, next_at FROM guesses WHERE login = $1 AND until > $2 \
                ORDER BY network <> '*', coalesce(next_at, 0) DESC, network LIMIT $3";
    FORGET_LOGIN = "DELETE FROM guesses WHERE login = $1",
        // Leaves alone what others hold: they hold several, and must not wait for this in a circle.
        on Postgres "DELETE FROM guesses WHERE (login, network) IN \
            (SELECT login, network FROM guesses WHERE login = $1 FOR UPDATE SKIP LOCKED)";
    FORGET_NETWORKS = "DELETE FROM known_networks WHERE user_id = $1";
}

/// Stands for all logins, or all networks. No address and no network looks like this.
const ALL: &str = "*";

/// A try at a login's password: at which, from where.
#[derive(Clone, Debug)]
pub struct Guess {
    /// The address that was given.
    pub email: EmailAddress,
    /// The user who has it, if there is one.
    pub user: Option<UserId>,
    /// The client's network.
    pub network: String,
    /// What is stored of the network once the user signed in from it.
    pub network_hash: [u8; 32],
}

/// How often something was tried in vain, the tries that aren't settled yet included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// So many tries.
    pub tries: u32,
    /// When the next one is heard at the earliest; none when nothing came yet.
    pub next_at: Option<Timestamp>,
}

/// Tries at a login from one network, or from all that it never signed in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkTally {
    /// The network; none for all.
    pub network: Option<String>,
    /// How often it was tried, and when the next try is heard.
    pub tally: Tally,
}

/// What is decided on when a try comes: read under lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuessFacts {
    /// Whether the user signed in from this network before.
    pub known: bool,
    /// Tries at this login from this network.
    pub pair: Tally,
    /// Tries at this login from all networks that it never signed in from. Nothing when `known`.
    pub login: Tally,
    /// Tries from this network at all logins that never signed in from it. Nothing when `known`.
    pub network: Tally,
}

/// What becomes of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// It is heard, and counts as wrong until it turns out right.
    Now {
        /// When the next try at this login from this network is heard.
        next_here: Timestamp,
        /// When the next try from this network at a login that isn't known here is heard.
        next_from_network: Timestamp,
    },
    /// It is noted without counting: from this moment on, a try at this login from this network is
    /// heard whatever others try meanwhile.
    Announced(Timestamp),
    /// It isn't heard before this moment. Nothing is noted.
    Later(Timestamp),
}

impl Store {
    /// Hears a try or puts it off, as `decide` says: locks the counts that it concerns, reads them,
    /// and counts it in the same transaction. Counts that begin now last until `until`; a network
    /// is known if the user signed in from it after `known_since`. Answers what was decided on, too.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn hear_guess(
        &self,
        guess: &Guess,
        known_since: Timestamp,
        until: Timestamp,
        now: Timestamp,
        decide: impl FnOnce(&GuessFacts) -> Hearing + Send,
    ) -> Result<(Hearing, GuessFacts), Failure> {
        let (login, network) = (guess.email.key(), guess.network.as_str());
        let mut tx = self.begin().await?;
        let known: bool = read!(tx, db => query_scalar(KNOWN)
            .bind(guess.user.map(Uuid::from))
            .bind(&guess.network_hash[..])
            .bind(known_since.as_micros())
            .fetch_one(db))?;
        // In this order always: tries that share one of the three never wait in a circle.
        let mut facts = GuessFacts { known, ..GuessFacts::default() };
        if !known {
            facts.network = tally(&mut tx, ALL, network, until, now).await?;
            facts.login = tally(&mut tx, login, ALL, until, now).await?;
        }
        facts.pair = tally(&mut tx, login, network, until, now).await?;

        let hearing = decide(&facts);
        match hearing {
            Hearing::Now { next_here, next_from_network } => {
                if !known {
                    note(&mut tx, COUNT_TRY, ALL, network, next_from_network).await?;
                    note(&mut tx, COUNT_TRY, login, ALL, now).await?;
                }
                note(&mut tx, COUNT_TRY, login, network, next_here).await?;
            }
            Hearing::Announced(at) => note(&mut tx, ANNOUNCE, login, network, at).await?,
            Hearing::Later(_) => return Ok((hearing, facts)),
        }
        tx.commit().await?;
        Ok((hearing, facts))
    }

    /// What is counted of tries at this login, those that wait longest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn guesses_at(
        &self,
        email: &EmailAddress,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<NetworkTally>, Failure> {
        let rows: Vec<(String, i64, Option<i64>)> = read!(self, db => query_as(OF_LOGIN)
            .bind(email.key())
            .bind(now.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        let counted = |(network, tries, next_at): (String, i64, Option<i64>)| NetworkTally {
            network: Some(network).filter(|network| network != ALL),
            tally: Tally { tries: count(tries), next_at: next_at.map(Timestamp::from_micros) },
        };
        Ok(rows.into_iter().map(counted).collect())
    }

    /// Takes a try back that was heard but never looked at. `facts` are those that it was heard on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn take_guess_back(
        &self,
        guess: &Guess,
        facts: &GuessFacts,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        give_back(&mut tx, guess, facts, now).await?;
        note(&mut tx, GIVE_BACK, guess.email.key(), &guess.network, now).await?;
        tx.commit().await
    }

    /// Notes that a try was right: it no longer counts, what was tried before at this login from
    /// this network is forgotten, and the network is known from now on. `facts` are those that it
    /// was heard on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn guessed_right(
        &self,
        guess: &Guess,
        facts: &GuessFacts,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        give_back(&mut tx, guess, facts, now).await?;
        welcome(&mut tx, guess, now).await?;
        tx.commit().await
    }

    /// Notes that the user proved in another way than by their password that they are here: as
    /// [`Store::guessed_right`], without a try that counted.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn know_network(&self, guess: &Guess, now: Timestamp) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        welcome(&mut tx, guess, now).await?;
        tx.commit().await
    }
}

async fn tally(
    tx: &mut Tx,
    login: &str,
    network: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<Tally, Failure> {
    let (tries, next_at): (i64, Option<i64>) = read!(tx, db => query_as(TALLY)
        .bind(login)
        .bind(network)
        .bind(now.as_micros())
        .bind(until.as_micros())
        .fetch_one(db))?;
    Ok(Tally { tries: count(tries), next_at: next_at.map(Timestamp::from_micros) })
}

/// Runs one of the statements that change a count and say when the next try is heard.
async fn note(
    tx: &mut Tx,
    text: &'static str,
    login: &str,
    network: &str,
    next_at: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(text)
        .bind(login)
        .bind(network)
        .bind(next_at.as_micros())
        .execute(db))?;
    Ok(())
}

/// Gives back what a try counted for its network and its login as a whole.
async fn give_back(
    tx: &mut Tx,
    guess: &Guess,
    facts: &GuessFacts,
    now: Timestamp,
) -> Result<(), Failure> {
    if facts.known {
        return Ok(());
    }
    note(tx, GIVE_BACK, ALL, &guess.network, now).await?;
    note(tx, GIVE_BACK, guess.email.key(), ALL, now).await
}

async fn welcome(tx: &mut Tx, guess: &Guess, now: Timestamp) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_PAIR)
        .bind(guess.email.key())
        .bind(&guess.network)
        .execute(db))?;
    if let Some(user) = guess.user {
        write!(tx, db => query(KNOW)
            .bind(Uuid::from(user))
            .bind(&guess.network_hash[..])
            .bind(now.as_micros())
            .execute(db))?;
    }
    Ok(())
}

/// Forgets where the user signed in from.
pub(crate) async fn forget_networks(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_NETWORKS).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Forgets what was tried at the login with this address. A try that comes at this very moment stays
/// until it counts no more.
pub(crate) async fn forget(tx: &mut Tx, email: &EmailAddress) -> Result<(), Failure> {
    let text = FORGET_LOGIN.on(tx);
    write!(tx, db => query(text).bind(email.key()).execute(db))?;
    Ok(())
}
