//! Signing in and out, and who a session belongs to.

use std::time::Duration;

use model::{
    Conflict, EmailAddress, Failure, Field, FieldErrors, FieldProblem, FullName, Language, Mail,
    Password, Secret, SessionId, UserId,
};
pub use store::SignedInDevice;
use store::{Login, NewMail, NewSession};

use crate::viewer::Viewer;
use crate::{Client, Latchkey, Token, passwords, zones};

/// How long somebody may take from their password to their second factor.
pub(crate) const HALF_WAY: Duration = Duration::from_secs(10 * 60);

/// A session that began, for the browser's cookies.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The session.
    pub session: Token,
    /// What the browser is recognised by at the next sign-in.
    pub device: Token,
}

/// What a right password came to.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// Somebody is signed in.
    Wholly(Begun),
    /// A second factor is still to come; this is what the sign-in is recognised by meanwhile.
    HalfWay(Token),
}

/// Signs somebody in. `instead_of` is the session that the same browser had: it ends.
///
/// # Errors
/// [`Failure::Invalid`], the same for an unknown address and a wrong password (OWASP ASVS 5.0
/// V6.3.8); [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn sign_in(
    latchkey: &Latchkey,
    email: &str,
    password: &str,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<SignedIn, Failure> {
    let mut errors = FieldErrors::default();
    let email = errors.take(Field::Email, EmailAddress::parse(email));
    let password = errors.take(Field::Password, Password::parse_given(password));
    let (Some(email), Some(password)) = (email, password) else {
        return Err(errors.into_failure());
    };
    let login = passwords::verify(latchkey, &email, password, client).await.map_err(either)?;
    if login.second_factor {
        return half_way(latchkey, &login).await.map(SignedIn::HalfWay);
    }
    let (begun, session) = new_session(latchkey, client, &login);
    let instead_of = instead_of.map(Token::hash);
    let (user, now) = (login.id, latchkey.now());
    let stored = latchkey.store.begin_session(user, &session, instead_of.as_ref(), now).await;
    stored.map_err(either)?;
    tracing::info!(user = %login.id, "signed in");
    Ok(SignedIn::Wholly(begun))
}

/// Begins a sign-in whose password was right and whose second factor is still to come.
pub(crate) async fn half_way(latchkey: &Latchkey, login: &Login) -> Result<Token, Failure> {
    let token = Token::new(latchkey.random.as_ref());
    let expires_at = latchkey.now().after(HALF_WAY);
    let (user, hash) = (login.id, token.hash());
    latchkey.store.begin_sign_in(user, &hash, &login.password_hash, expires_at).await?;
    Ok(token)
}

/// Whose sign-in waits for a second factor.
pub(crate) async fn whose(latchkey: &Latchkey, sign_in: &Token) -> Result<UserId, Failure> {
    let whose = latchkey.store.sign_in_of(&sign_in.hash(), latchkey.now()).await?;
    whose.ok_or(Failure::Conflict(Conflict::SignInOver))
}

/// A wrong password at sign-in might as well be a wrong address.
fn either(failure: Failure) -> Failure {
    if failure == Failure::field(Field::Password, FieldProblem::WrongPassword) {
        return Failure::field(Field::Password, FieldProblem::WrongCredentials);
    }
    failure
}

/// A session for whoever gave the login's password.
pub(crate) fn new_session(
    latchkey: &Latchkey,
    client: &Client,
    login: &Login,
) -> (Begun, NewSession) {
    let Login { email, language, password_hash, .. } = login;
    let mail = Mail::NewDevice {
        at: latchkey.now(),
        user_agent: client.user_agent.clone(),
        address: client.address.clone(),
    };
    let language = language.clone().or_else(|| client.language.clone());
    let mail = NewMail::to(email.clone(), mail).language(language);
    session_with(latchkey, client, password_hash.clone(), Some(mail))
}

/// The same for a login that is only just made, whose first browser is no news.
pub(crate) fn first_session(
    latchkey: &Latchkey,
    client: &Client,
    password_hash: Secret,
) -> (Begun, NewSession) {
    session_with(latchkey, client, password_hash, None)
}

fn session_with(
    latchkey: &Latchkey,
    client: &Client,
    password_hash: Secret,
    new_device: Option<NewMail>,
) -> (Begun, NewSession) {
    let random = latchkey.random.as_ref();
    let device = client.device.clone().unwrap_or_else(|| Token::new(random));
    let begun = Begun { session: Token::new(random), device };
    let session = NewSession {
        token_hash: begun.session.hash(),
        password_hash,
        second_factor: false,
        identity: None,
        device_hash: begun.device.hash(),
        new_device,
        address: client.address.clone(),
        user_agent: client.user_agent.clone(),
    };
    (begun, session)
}

/// Takes the viewer's password as a fresh proof of who they are (NIST SP 800-63B-4 section 5.2).
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::TooMany`], [`Failure::SignedOut`], [`Failure::Unavailable`].
pub async fn confirm(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    password: &str,
    client: &Client,
) -> Result<(), Failure> {
    let password = Password::parse_given(password)
        .map_err(|problem| Failure::field(Field::Password, problem))?;
    let login = passwords::verify(latchkey, &viewer.email, password, client).await?;
    let (hash, now) = (session.hash(), latchkey.now());
    if latchkey.store.confirm_session(&hash, &login.password_hash, now).await? {
        Ok(())
    } else {
        Err(Failure::SignedOut)
    }
}

/// The browsers that the viewer is signed in with, the last used first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn devices(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
) -> Result<Vec<SignedInDevice>, Failure> {
    let Settings { idle, absolute } = Settings::of(latchkey);
    let (hash, now) = (session.hash(), latchkey.now());
    latchkey.store.signed_in_devices(viewer.user, &hash, idle, absolute, now).await
}

/// Signs the viewer out on one of their devices.
///
/// # Errors
/// [`Failure::NotFound`] when they aren't signed in on it (any more), [`Failure::Unavailable`].
pub async fn end_device(latchkey: &Latchkey, viewer: &Viewer, id: &str) -> Result<(), Failure> {
    let id: SessionId = id.parse().map_err(|_| Failure::NotFound)?;
    let ended = latchkey.store.end_session_of(viewer.user, id).await?;
    if ended { Ok(()) } else { Err(Failure::NotFound) }
}

/// Signs the viewer out everywhere but here.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn end_other_devices(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
) -> Result<(), Failure> {
    latchkey.store.end_other_sessions(viewer.user, &session.hash()).await
}

/// Signs the login with this address out everywhere, as the operator wants it. Answers how many sessions
/// ended.
///
/// # Errors
/// [`Failure::NotFound`] without such a login, [`Failure::Unavailable`].
pub async fn sign_out_for(latchkey: &Latchkey, email: &EmailAddress) -> Result<u64, Failure> {
    let user = latchkey.store.login(email).await?.ok_or(Failure::NotFound)?.id;
    let ended = latchkey.store.end_sessions(user).await?;
    tracing::warn!(%user, ended, "the operator ended a login's sessions");
    Ok(ended)
}

/// Signs everybody out, as the operator wants it. Answers how many sessions ended.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn sign_everybody_out(latchkey: &Latchkey) -> Result<u64, Failure> {
    let ended = latchkey.store.end_everybodys_sessions(latchkey.now()).await?;
    tracing::warn!(ended, "the operator ended everybody's sessions");
    Ok(ended)
}

/// Who is signed in with this session.
///
/// # Errors
/// [`Failure::SignedOut`] when the session ended or never was, [`Failure::Unavailable`].
pub async fn viewer(latchkey: &Latchkey, session: &Token) -> Result<Viewer, Failure> {
    let Settings { idle, absolute } = Settings::of(latchkey);
    let found = latchkey.store.session(&session.hash(), idle, absolute, latchkey.now()).await?;
    found.ok_or(Failure::SignedOut)
}

/// Ends the session.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn sign_out(latchkey: &Latchkey, session: &Token) -> Result<(), Failure> {
    latchkey.store.end_session(&session.hash()).await
}

/// Has the viewer's pages and mails in another language from now on.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn choose_language(
    latchkey: &Latchkey,
    viewer: &Viewer,
    language: &Language,
) -> Result<(), Failure> {
    latchkey.store.set_language(viewer.user, language).await
}

/// Gives the viewer another name, another language, and another time zone if the form said one, which
/// may be none.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::Unavailable`].
pub async fn change_profile(
    latchkey: &Latchkey,
    viewer: &Viewer,
    name: &str,
    language: &Language,
    time_zone: Option<&str>,
) -> Result<(), Failure> {
    let mut errors = FieldErrors::default();
    let name = errors.take(Field::FullName, FullName::parse(name));
    let time_zone = errors.take(Field::TimeZone, time_zone.map(zones::typed).transpose());
    let (Some(name), Some(time_zone)) = (name, time_zone) else {
        return Err(errors.into_failure());
    };
    let store = &latchkey.store;
    store
        .change_profile(viewer.user, &name, Some(language), time_zone.as_deref(), latchkey.now())
        .await
}

/// Deletes what ended: sessions, reset links, counted attempts.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn sweep(latchkey: &Latchkey) -> Result<u64, Failure> {
    let Settings { idle, absolute } = Settings::of(latchkey);
    latchkey.store.sweep(idle, absolute, latchkey.now()).await
}

struct Settings {
    idle: Duration,
    absolute: Duration,
}

impl Settings {
    fn of(latchkey: &Latchkey) -> Self {
        let settings = &latchkey.settings;
        Self { idle: settings.session_idle, absolute: settings.session_absolute }
    }
}
