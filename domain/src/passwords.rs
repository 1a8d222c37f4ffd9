//! Passwords: choosing and hashing them, changing them, and choosing a new one by a link.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use model::{
    EmailAddress, Failure, Field, FieldErrors, FieldProblem, Guessable, Mail, MailKind, Password,
    Secret, Timestamp,
};
use store::{Login, NewMail, NewPassword};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Span;

use crate::blocklist::{Expected, weigh};
use crate::viewer::Viewer;
use crate::{Client, Latchkey, Random, Token, guesses, invitations, mails};

/// Memory 19 456 KiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet; OWASP ASVS 5.0
/// V11.4.2).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords on threads of its own: as many as may be hashed at a time. A bounded number more
/// waits, and what comes beyond that is sent away: whoever floods the sign-in page costs others a
/// moment, never the memory or the processor.
#[derive(Clone)]
pub(crate) struct Hasher {
    places: Arc<Semaphore>,
    work: Sender<Work>,
    /// Compared with when there is no login, so that the answer takes the same time.
    nobody: Secret,
}

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// What a hash is made in. It is kept for the next one, which overwrites it: asked for anew each
/// time, these 19 MiB stay behind with the allocator, once for every thread that ever hashed.
#[derive(Default)]
struct Memory(Vec<Block>);

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A hash as it is stored.
fn written(argon2: &Argon2<'_>, salt: &[u8], output: &[u8]) -> password_hash::Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(Salt::new(salt)?),
        hash: Some(Output::new(output)?),
    };
    Ok(hash.to_string())
}

/// A hash by chance, which is no password's. Comparing with it takes as long as with any.
pub(crate) fn of_nobody(random: &dyn Random) -> Secret {
    let (mut salt, mut output) = ([0; 16], [0; Params::DEFAULT_OUTPUT_LEN]);
    random.fill(&mut salt);
    random.fill(&mut output);
    // Chance of these lengths can always be written.
    Secret::from(written(&argon2(), &salt, &output).unwrap_or_default())
}

/// Whether a hash is weaker than those that are made today.
fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let weaker = |params: Params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES;
    hash.algorithm != Algorithm::Argon2id.ident() || Params::try_from(&hash).is_ok_and(weaker)
}

impl Memory {
    /// A new hash as it is stored.
    fn hash(&mut self, salt: &[u8], password: &str) -> Result<String, Failure> {
        self.try_hash(salt, password).map_err(|error| {
            tracing::error!(%error, "a password can't be hashed");
            Failure::Unavailable
        })
    }

    fn try_hash(&mut self, salt: &[u8], password: &str) -> password_hash::Result<String> {
        let argon2 = argon2();
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.fill(&argon2, password, salt, &mut output)?;
        written(&argon2, salt, &output)
    }

    /// Whether the password belongs to a hash, however that was made.
    fn fits(&mut self, hash: &PasswordHash, password: &str) -> password_hash::Result<bool> {
        let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
        let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon2 = Argon2::new(algorithm, version, Params::try_from(hash)?);
        let mut output = vec![0; expected.len()];
        self.fill(&argon2, password, salt, &mut output)?;
        // It compares in constant time.
        Ok(Output::new(&output)? == *expected)
    }

    fn fill(
        &mut self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> argon2::Result<()> {
        let (password, blocks) = (password.as_bytes(), argon2.params().block_count());
        if argon2.params().m_cost() > MEMORY_KIB {
            // More than is worth keeping.
            return argon2.hash_password_into(password, salt, output);
        }
        if let Some(more) = blocks.checked_sub(self.0.len()) {
            self.0.try_reserve_exact(more).map_err(|_| argon2::Error::OutOfMemory)?;
            self.0.resize(blocks, Block::new());
        }
        argon2.hash_password_into_with_memory(password, salt, output, self.0.as_mut_slice())
    }
}

/// What a thread does, until nobody is left who could ask for more.
fn work_in_turn(waiting: &Mutex<Receiver<Work>>) {
    let mut memory = Memory::default();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // Whoever asked for it is told, as no answer comes.
        let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
    }
}

impl Hasher {
    pub(crate) fn new(at_once: usize, waiting_at_most: usize, random: &dyn Random) -> Self {
        let (work, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..at_once {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new().name("hashing".to_owned());
            if let Err(error) = thread.spawn(move || work_in_turn(&waiting)) {
                tracing::error!(%error, "the operating system gives no thread for hashing");
            }
        }
        Self {
            places: Arc::new(Semaphore::new(at_once + waiting_at_most)),
            work,
            nobody: of_nobody(random),
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
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _place = self.place()?;
        let (answer, answered) = oneshot::channel();
        let span = Span::current();
        let work = move |memory: &mut Memory| {
            // Whoever asked may have left before it was their turn.
            if !answer.is_closed() {
                let _ = answer.send(span.in_scope(|| work(memory)));
            }
        };
        // Without any thread nobody takes it, and no answer comes.
        let _ = self.work.send(Box::new(work));
        answered.await.map_err(|_| {
            tracing::error!("the hashing of a password broke off");
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
        let work = move |memory: &mut Memory| memory.hash(&salt, password.expose());
        self.in_turn(work).await?.map(Secret::from)
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
        let work = move |memory: &mut Memory| {
            weigh(password.expose(), &expected).map(|()| memory.hash(&salt, password.expose()))
        };
        match self.in_turn(work).await? {
            Ok(hash) => hash.map(Secret::from).map(Ok),
            Err(guessable) => Ok(Err(guessable)),
        }
    }

    /// Whether the password belongs to the hash. Without a hash it takes as long and says no.
    pub(crate) async fn verify(
        &self,
        password: Password,
        hash: Option<Secret>,
    ) -> Result<bool, Failure> {
        let nobody = self.nobody.clone();
        self.in_turn(move |memory| {
            let stored = PasswordHash::new(hash.as_ref().unwrap_or(&nobody).expose());
            let fits = stored.is_ok_and(|s| memory.fits(&s, password.expose()).unwrap_or(false));
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

/// Compares a password with the login's, once it is this try's turn.
pub(crate) async fn verify(
    latchkey: &Latchkey,
    email: &EmailAddress,
    password: Password,
    client: &Client,
) -> Result<Login, Failure> {
    let login = latchkey.store.login(email).await?;
    let given = password.clone();
    let fits = guesses::compare(latchkey, email, login.as_ref(), given, client).await?;
    match login {
        Some(login) if fits => renew(latchkey, login, password).await,
        _ => Err(Failure::field(Field::Password, FieldProblem::WrongPassword)),
    }
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

/// Sends a link to choose a new password, if the address has a login, or else one to what waits for
/// whoever has it. The answer is the same if there is neither (OWASP ASVS 5.0 V6.3.8).
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
    // Asked of everybody, so that it takes as long.
    let waiting = latchkey.store.waiting_for(&email, 1, latchkey.now()).await?.pop();
    let (token, expires_at) = new_link(latchkey);
    let mail = Mail::PasswordReset { expires_at, token: token.secret().clone() };
    let language = client.language.clone();
    let (hash, now) = (token.hash(), latchkey.now());
    match (login, waiting) {
        (None, Some(waiting)) => match invitations::mail(latchkey, &waiting, client).await {
            // It was taken back or answered at this very moment.
            Err(Failure::NotFound) => Ok(()),
            mailed => mailed,
        },
        (Some(login), _) => {
            let mail = NewMail::to(login.email, mail).language(language);
            match latchkey.store.issue_reset(login.id, &hash, expires_at, Some(mail), now).await {
                // The login got another address at this very moment: the one that was asked for has
                // none.
                Err(Failure::NotFound) => Ok(()),
                issued => issued,
            }
        }
        // As much work, so that it takes as long.
        (None, None) => {
            let mail = NewMail::to(email, mail).language(language);
            let hashes = [hash, Token::new(latchkey.random.as_ref()).hash()];
            latchkey.store.issue_reset_to_nobody(hashes, expires_at, &mail, now).await
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
    viewer: &Viewer,
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
    let login = verify(latchkey, &login.email, current, client).await?;
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
    NewMail::to(login.email.clone(), mail).language(language)
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

    #[test]
    fn kept_memory_makes_and_checks_the_hashes_that_new_memory_does() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};

        let mut memory = Memory::default();
        let hash = |algorithm, kib, passes, lanes| {
            let params = Params::new(kib, passes, lanes, None).unwrap();
            let argon2 = Argon2::new(algorithm, Version::V0x13, params);
            argon2.hash_password_with_salt(b"a password of mine", &[7; 16]).unwrap()
        };
        for (algorithm, kib, passes, lanes) in [
            (Algorithm::Argon2id, 8 * 1024, 3, 1),
            (Algorithm::Argon2id, MEMORY_KIB, PASSES, LANES),
            (Algorithm::Argon2i, 1024, 3, 4),
            (Algorithm::Argon2id, 2 * MEMORY_KIB, 1, 1),
            (Algorithm::Argon2d, 512, 1, 1),
        ] {
            let hash = hash(algorithm, kib, passes, lanes);
            assert_eq!(memory.fits(&hash, "a password of mine"), Ok(true), "{hash}");
            assert_eq!(memory.fits(&hash, "a password of yours"), Ok(false), "{hash}");
        }
        let nobodys = of_nobody(&Zeros);
        let nobodys = PasswordHash::new(nobodys.expose()).unwrap();
        assert_eq!(memory.fits(&nobodys, "a password of mine"), Ok(false), "it is no hash");
        let made = memory.hash(&[7; 16], "a password of mine").unwrap();
        assert_eq!(made, hash(Algorithm::Argon2id, MEMORY_KIB, PASSES, LANES).to_string());
        assert!(argon2().verify_password(b"a password of mine", &*made).is_ok());
        assert!(!is_outdated(&made));
        assert_eq!(memory.0.len(), argon2().params().block_count(), "no more is kept");
    }

    #[tokio::test]
    async fn nobody_waits_for_the_hash_of_somebody_who_left() {
        let hasher = Hasher::new(1, 1, &Zeros);
        let (go_on, goes_on) = mpsc::channel::<()>();
        let at_work = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.in_turn(move |_| goes_on.recv().is_ok()).await }
        });
        while hasher.places.available_permits() == 2 {
            tokio::task::yield_now().await;
        }
        let (worked, has_worked) = mpsc::channel();
        let leaves = hasher.in_turn(move |_| worked.send(()));
        assert!(tokio::time::timeout(Duration::ZERO, leaves).await.is_err());
        assert_eq!(hasher.places.available_permits(), 1, "the place in the queue is free");
        go_on.send(()).unwrap();
        assert_eq!(at_work.await.unwrap(), Ok(true));
        assert_eq!(hasher.in_turn(|_| "next").await, Ok("next"));
        assert!(has_worked.recv().is_err(), "it wasn't hashed for nobody");
    }

    #[tokio::test]
    async fn a_defect_in_one_hash_costs_no_other() {
        let hasher = Hasher::new(1, 1, &Zeros);
        let broken: Result<(), Failure> = hasher.in_turn(|_| panic!("a defect")).await;
        assert_eq!(broken, Err(Failure::Unavailable));
        assert_eq!(hasher.in_turn(|_| "next").await, Ok("next"));
    }
}
