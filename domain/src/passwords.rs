//! Passwords: choosing and hashing them, changing them, and choosing a new one by a link.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use model::{
    EmailAddress, Failure, Field, FieldErrors, FieldProblem, Guessable, Mail, MailKind, Password,
    Secret, Timestamp,
};
use store::{Login, NewMail, NewPassword};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::blocklist::{Expected, weigh};
use crate::{Client, Latchkey, Random, Token, guesses, mails, sessions};

/// Memory 19 456 KiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet; OWASP ASVS 5.0
/// V11.4.2).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords off the async threads, a bounded number at a time. A bounded number more waits,
/// and what comes beyond that is sent away: whoever floods the sign-in page costs others a moment,
/// never the memory or the processor.
#[derive(Clone)]
pub(crate) struct Hasher {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// A hash that no password has: compared with when there is no login, so that the answer takes
    /// the same time.
    nobody: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether a hash is weaker than those that are made today.
fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let weaker = |params: Params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES;
    hash.algorithm != Algorithm::Argon2id.ident() || Params::try_from(&hash).is_ok_and(weaker)
}

fn hash_with(random_salt: &[u8], password: &str) -> Result<String, Failure> {
    match argon2().hash_password_with_salt(password.as_bytes(), random_salt) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => {
            tracing::error!(%error, "a password can't be hashed");
            Err(Failure::Unavailable)
        }
    }
}

impl Hasher {
    pub(crate) fn new(at_once: usize, waiting: usize, random: &dyn Random) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        let (salt, unknown) = secret.split_at(16);
        let nobody = hash_with(salt, &format!("{unknown:?}")).unwrap_or_default();
        Self {
            places: Arc::new(Semaphore::new(at_once + waiting)),
            turns: Arc::new(Semaphore::new(at_once)),
            nobody: nobody.into(),
        }
    }

    /// A place at work or in the queue, until it is dropped.
    fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            tracing::warn!("too many passwords wait to be hashed: one was sent away");
            Failure::Unavailable
        })
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.place()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "the hashing of a password broke off");
            Failure::Unavailable
        })
    }

    pub(crate) async fn hash(
        &self,
        password: Password,
        random: &dyn Random,
    ) -> Result<Secret, Failure> {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        self.in_turn(move || hash_with(&salt, password.expose())).await?.map(Secret::from)
    }

    /// Weighs a password that is to be set, and hashes it if it wouldn't be guessed soon.
    async fn hash_new(
        &self,
        password: Password,
        expected: Expected,
        random: &dyn Random,
    ) -> Result<Result<Secret, Guessable>, Failure> {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let work = move || {
            weigh(password.expose(), &expected).map(|()| hash_with(&salt, password.expose()))
        };
        match self.in_turn(work).await? {
            Ok(hash) => hash.map(Secret::from).map(Ok),
            Err(guessable) => Ok(Err(guessable)),
        }
    }

    /// The hash of a password that nobody knows. Comparing with it takes as long as with any.
    pub(crate) async fn hash_of_nothing_known(
        &self,
        random: &dyn Random,
    ) -> Result<Secret, Failure> {
        let mut secret = [0; 48];
        random.fill(&mut secret);
        let work = move || {
            let (salt, unknown) = secret.split_at(16);
            hash_with(salt, &format!("{unknown:?}"))
        };
        self.in_turn(work).await?.map(Secret::from)
    }

    /// Whether the password belongs to the hash. Without a hash it takes as long and says no.
    pub(crate) async fn verify(
        &self,
        password: Password,
        hash: Option<Secret>,
    ) -> Result<bool, Failure> {
        let nobody = Arc::clone(&self.nobody);
        self.in_turn(move || {
            let stored = hash.as_ref().map_or(&*nobody, Secret::expose);
            let fits = PasswordHash::new(stored).is_ok_and(|stored| {
                argon2().verify_password(password.expose().as_bytes(), &stored).is_ok()
            });
            fits && hash.is_some()
        })
        .await
    }
}

/// Hashes a password that is to be set, unless it would be guessed soon by whoever knows the person.
///
/// # Errors
/// [`Failure::Invalid`] for `field`, [`Failure::Unavailable`].
pub(crate) async fn choose(
    latchkey: &Latchkey,
    field: Field,
    password: Password,
    full_name: &str,
    email: &EmailAddress,
) -> Result<Secret, Failure> {
    let expected = Expected::new(full_name, email, &latchkey.settings.service_names);
    let chosen = latchkey.hasher.hash_new(password, expected, latchkey.random.as_ref()).await?;
    chosen.map_err(|why| Failure::field(field, FieldProblem::Guessable(why)))
}

/// Hashes the password that was just compared once more where its hash is weaker than today's
/// (OWASP ASVS 5.0 V11.4.2). Answers the login with the hash that it has now.
///
/// # Errors
/// [`FieldProblem::WrongPassword`] when the password was changed since it was compared;
/// [`Failure::Unavailable`].
pub(crate) async fn renew(
    latchkey: &Latchkey,
    login: Login,
    password: Password,
) -> Result<Login, Failure> {
    if !is_outdated(login.password_hash.expose()) {
        return Ok(login);
    }
    let random = latchkey.random.as_ref();
    // Too many wait to be hashed: their next sign-in will do.
    let Ok(hash) = latchkey.hasher.hash(password.clone(), random).await else { return Ok(login) };
    let (user, before) = (login.id, &login.password_hash);
    if latchkey.store.renew_password_hash(user, before, &hash).await? {
        tracing::info!(%user, "a password got a stronger hash");
        return Ok(Login { password_hash: hash, ..login });
    }
    let wrong = Failure::field(Field::Password, FieldProblem::WrongPassword);
    let login = latchkey.store.login_of(user).await?.ok_or(wrong.clone())?;
    // Another sign-in at the same moment was faster, or it is another password now.
    let present = Some(login.password_hash.clone());
    if latchkey.hasher.verify(password, present).await? { Ok(login) } else { Err(wrong) }
}

/// Sends a link to choose a new password, if the address has a login. The answer is the same if it
/// hasn't (OWASP ASVS 5.0 V6.3.8).
///
/// # Errors
/// [`Failure::Invalid`] for what is no address, [`Failure::TooMany`], [`Failure::Unavailable`].
pub async fn request_reset(
    latchkey: &Latchkey,
    email: &str,
    client: &Client,
) -> Result<(), Failure> {
    let email =
        EmailAddress::parse(email).map_err(|problem| Failure::field(Field::Email, problem))?;
    const WINDOW: Duration = Duration::from_secs(60 * 60);
    latchkey.limit(&format!("reset:client:{}", client.network()), 30, WINDOW).await?;
    mails::count(latchkey, MailKind::PasswordReset, email.key()).await?;
    let login = latchkey.store.login(&email).await?;
    let (token, expires_at) = new_link(latchkey);
    let mail = Mail::PasswordReset { expires_at, token: token.secret().clone() };
    let language = client.language.clone();
    let (hash, now) = (token.hash(), latchkey.now());
    match login {
        Some(login) => {
            let mail = NewMail { to: login.email, language, mail, invitation: None };
            match latchkey.store.issue_reset(login.id, &hash, expires_at, Some(mail), now).await {
                // The login got another address at this very moment: the one that was asked for has
                // none.
                Err(Failure::NotFound) => Ok(()),
                issued => issued,
            }
        }
        // As much work, so that it takes as long.
        None => {
            let mail = NewMail { to: email, language, mail, invitation: None };
            let hashes = [hash, Token::new(latchkey.random.as_ref()).hash()];
            latchkey.store.issue_reset_to_nobody(hashes, expires_at, &mail).await
        }
    }
}

/// Makes such a link for the operator to hand over.
///
/// # Errors
/// [`Failure::NotFound`] when the address has no login, [`Failure::Unavailable`].
pub async fn reset_link(
    latchkey: &Latchkey,
    email: &EmailAddress,
) -> Result<(Token, Timestamp), Failure> {
    let login = latchkey.store.login(email).await?.ok_or(Failure::NotFound)?;
    let (token, expires_at) = new_link(latchkey);
    let now = latchkey.now();
    latchkey.store.issue_reset(login.id, &token.hash(), expires_at, None, now).await?;
    Ok((token, expires_at))
}

fn new_link(latchkey: &Latchkey) -> (Token, Timestamp) {
    let token = Token::new(latchkey.random.as_ref());
    (token, latchkey.now().after(latchkey.settings.reset_lifetime))
}

/// Whether the link still works. Changes nothing.
///
/// # Errors
/// [`model::Conflict::LinkSpent`] when it was used, is too old or unknown;
/// [`Failure::Unavailable`].
pub async fn open_reset(latchkey: &Latchkey, token: &str) -> Result<Timestamp, Failure> {
    let spent = Failure::Conflict(model::Conflict::LinkSpent);
    let Some(token) = Token::parse(token) else { return Err(spent) };
    match latchkey.store.reset(&token.hash()).await? {
        Some(reset)
            if !reset.used
                && reset
                    .expires_at
                    .is_awaited(latchkey.settings.reset_lifetime, latchkey.now()) =>
        {
            Ok(reset.expires_at)
        }
        _ => Err(spent),
    }
}

/// Sets the password that was chosen by a link, and ends every session of the user. Whoever has the
/// link has the mailbox: earlier tries from here don't hold them up any more.
///
/// # Errors
/// [`Failure::Invalid`], [`model::Conflict::LinkSpent`], [`Failure::Unavailable`].
pub async fn choose_by_reset(
    latchkey: &Latchkey,
    token: &str,
    password: &str,
    client: &Client,
) -> Result<(), Failure> {
    open_reset(latchkey, token).await?;
    let spent = Failure::Conflict(model::Conflict::LinkSpent);
    let Some(token) = Token::parse(token) else { return Err(spent) };
    let field = Field::NewPassword;
    let password =
        Password::parse_new(password).map_err(|problem| Failure::field(field, problem))?;
    let whose = latchkey.store.reset(&token.hash()).await?.ok_or(spent.clone())?.user;
    let login = latchkey.store.login_of(whose).await?.ok_or(spent.clone())?;
    let hash = choose(latchkey, field, password, &login.full_name, &login.email).await?;
    let told = Some(news(latchkey, &login, true, client));
    let password = NewPassword { hash, short: false, told };
    let user = latchkey.store.use_reset(&token.hash(), &password, latchkey.now()).await?;
    let user = user.ok_or(spent)?;
    if let Ok(Some(login)) = latchkey.store.login_of(user).await {
        guesses::is_here(latchkey, &login.email, user, client).await;
    }
    Ok(())
}

/// Changes the password of somebody who is signed in, and ends their other sessions. It may be
/// shorter beside a second factor.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::TooMany`], [`Failure::Unavailable`].
pub async fn change(
    latchkey: &Latchkey,
    viewer: &crate::sessions::Viewer,
    current: &str,
    new: &str,
    session: &Token,
    client: &Client,
) -> Result<(), Failure> {
    let login = latchkey.store.login_of(viewer.user).await?.ok_or(Failure::SignedOut)?;
    let parse_new =
        if login.second_factor { Password::parse_new_with_factor } else { Password::parse_new };
    let mut errors = FieldErrors::default();
    let current = errors.take(Field::Password, Password::parse_given(current));
    let new = errors.take(Field::NewPassword, parse_new(new));
    let (Some(current), Some(new)) = (current, new) else { return Err(errors.into_failure()) };
    let login = sessions::verify(latchkey, &login.email, current, client).await?;
    let short = new.is_short();
    let (name, email) = (&login.full_name, &login.email);
    let hash = choose(latchkey, Field::NewPassword, new, name, email).await?;
    let told = Some(news(latchkey, &login, false, client));
    let (password, keep) = (NewPassword { hash, short, told }, session.hash());
    let (store, before, now) = (&latchkey.store, login.password_hash, latchkey.now());
    store.change_password(viewer.user, &before, &password, Some(&keep), now).await
}

/// What the user hears of it: whoever changed it may have been somebody else.
fn news(latchkey: &Latchkey, login: &Login, by_link: bool, client: &Client) -> NewMail {
    let mail = Mail::PasswordChanged {
        by_link,
        at: latchkey.now(),
        user_agent: client.user_agent.clone(),
        address: client.address.clone(),
    };
    let language = login.language.clone().or_else(|| client.language.clone());
    NewMail { to: login.email.clone(), language, mail, invitation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[tokio::test]
    async fn what_comes_beyond_the_queue_is_sent_away_at_once() {
        let hasher = Hasher::new(1, 2, &Zeros);
        let mut waiting: Vec<_> = (0..3).map(|_| hasher.place().unwrap()).collect();
        let password = || Password::parse_given("a password of mine").unwrap();
        assert_eq!(hasher.hash(password(), &Zeros).await, Err(Failure::Unavailable));
        assert_eq!(hasher.verify(password(), None).await, Err(Failure::Unavailable));
        waiting.pop();
        assert_eq!(hasher.verify(password(), None).await, Ok(false));
        assert_eq!(hasher.verify(password(), None).await, Ok(false), "a place is given back");
    }
}
