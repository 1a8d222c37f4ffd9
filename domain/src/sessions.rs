//! Signing in and out, and who a session belongs to.

use std::time::Duration;

use model::{
    EmailAddress, Failure, Field, FieldErrors, FieldProblem, FullName, Language, Password, Secret,
    UserId,
};
use store::{Login, NewSession, SessionUser};

use crate::{Client, Latchkey, Token, guesses};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// Their language, if they chose one.
    pub language: Option<Language>,
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
) -> Result<Token, Failure> {
    let mut errors = FieldErrors::default();
    let email = errors.take(Field::Email, EmailAddress::parse(email));
    let password = errors.take(Field::Password, Password::parse_given(password));
    let (Some(email), Some(password)) = (email, password) else {
        return Err(errors.into_failure());
    };
    let login = verify(latchkey, &email, password, client).await.map_err(either)?;
    let (token, session) = new_session(latchkey, client, login.password_hash);
    let instead_of = instead_of.map(Token::hash);
    let (user, now) = (login.id, latchkey.now());
    let begun = latchkey.store.begin_session(user, &session, instead_of.as_ref(), now).await;
    begun.map_err(either)?;
    tracing::info!(user = %login.id, "signed in");
    Ok(token)
}

/// A wrong password at sign-in might as well be a wrong address.
fn either(failure: Failure) -> Failure {
    if failure == Failure::field(Field::Password, FieldProblem::WrongPassword) {
        return Failure::field(Field::Password, FieldProblem::WrongCredentials);
    }
    failure
}

/// Compares a password with the login's, once it is this try's turn.
pub(crate) async fn verify(
    latchkey: &Latchkey,
    email: &EmailAddress,
    password: Password,
    client: &Client,
) -> Result<Login, Failure> {
    let login = latchkey.store.login(email).await?;
    let fits = guesses::compare(latchkey, email, login.as_ref(), password, client).await?;
    match login {
        Some(login) if fits => Ok(login),
        _ => Err(Failure::field(Field::Password, FieldProblem::WrongPassword)),
    }
}

/// A session for whoever gave the password with this hash.
pub(crate) fn new_session(
    latchkey: &Latchkey,
    client: &Client,
    password_hash: Secret,
) -> (Token, NewSession) {
    let token = Token::new(latchkey.random.as_ref());
    let session = NewSession {
        token_hash: token.hash(),
        password_hash,
        address: client.address.clone(),
        user_agent: client.user_agent.clone(),
    };
    (token, session)
}

/// Who is signed in with this session.
///
/// # Errors
/// [`Failure::SignedOut`] when the session ended or never was, [`Failure::Unavailable`].
pub async fn viewer(latchkey: &Latchkey, session: &Token) -> Result<Viewer, Failure> {
    let Settings { idle, absolute } = Settings::of(latchkey);
    let found = latchkey.store.session(&session.hash(), idle, absolute, latchkey.now()).await?;
    let user = found.ok_or(Failure::SignedOut)?;
    let SessionUser { user, email, full_name, language } = user;
    Ok(Viewer { user, email, full_name, language })
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

/// Gives the viewer another name and another language.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::Unavailable`].
pub async fn change_profile(
    latchkey: &Latchkey,
    viewer: &Viewer,
    name: &str,
    language: &Language,
) -> Result<(), Failure> {
    let name = FullName::parse(name).map_err(|problem| Failure::field(Field::FullName, problem))?;
    latchkey.store.change_profile(viewer.user, &name, Some(language)).await
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
