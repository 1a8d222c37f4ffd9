//! Having a second factor: setting an authenticator app up, turning it off, and recovery codes.

use std::time::Duration;

use model::{Conflict, EmailAddress, FactorNews, Failure, Mail, Secret, Timestamp};
use store::{AskedFor, AuthenticatorApp, FactorChange, NewMail, NewPassword};

use crate::codes::{self, Typed};
use crate::second_step::{Given, count, counted, proof, was_right};
use crate::viewer::{Viewer, must_be_confirmed, must_be_confirmed_by_factor};
use crate::{Client, Latchkey, Token, passwords};

/// How long the page for setting an app up can be used.
const SETUP: Duration = Duration::from_secs(60 * 60);
/// The key's length in bytes: 160 bits (RFC 4226 section 4).
const KEY_BYTES: usize = 20;

/// A user's second factors, as they see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Since when they have an authenticator app, and when they last used it.
    pub app: Option<(Timestamp, Option<Timestamp>)>,
    /// How many recovery codes aren't used yet.
    pub codes_left: u32,
}

/// An authenticator app that is being set up.
#[derive(Clone, Debug)]
pub struct AppSetup {
    /// The key in Base32, to be typed in.
    pub key: Secret,
    /// The same for a camera: an `otpauth:` address.
    pub address: Secret,
}

/// The viewer's second factors.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn overview(latchkey: &Latchkey, viewer: &Viewer) -> Result<Factors, Failure> {
    let app = latchkey.store.authenticator_app(viewer.user).await?;
    let app = app.map(|AuthenticatorApp { since, last_used_at, .. }| (since, last_used_at));
    Ok(Factors { app, codes_left: latchkey.store.recovery_codes_left(viewer.user).await? })
}

/// Begins to set an authenticator app up.
///
/// # Errors
/// [`Failure::Unconfirmed`], [`Failure::FactorUnconfirmed`], [`Failure::Unavailable`].
pub async fn begin_app(latchkey: &Latchkey, viewer: &Viewer) -> Result<(), Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    let mut bytes = vec![0; KEY_BYTES];
    latchkey.random.fill(&mut bytes);
    let key = Secret::from(totp_rs::Secret::from(bytes).to_base32());
    let expires_at = latchkey.now().after(SETUP);
    latchkey.store.begin_authenticator_setup(viewer.user, &key, expires_at).await
}

/// The authenticator app that the viewer is setting up. Changes nothing.
///
/// # Errors
/// [`Failure::Unconfirmed`], [`Conflict::SetupOver`], [`Failure::Unavailable`].
pub async fn app_setup(
    latchkey: &Latchkey,
    viewer: &Viewer,
    provider: &str,
) -> Result<AppSetup, Failure> {
    must_be_confirmed(latchkey, viewer)?;
    let key = latchkey.store.authenticator_setup(viewer.user, latchkey.now()).await?;
    let key = key.ok_or(Failure::Conflict(Conflict::SetupOver))?;
    // A colon parts the two names in the address, so neither may have one.
    let plain = |name: &str| name.replace(':', " ");
    let app = codes::app(&key)?
        .with_issuer(Some(plain(provider)))
        .with_account_name(plain(viewer.email.as_str()))
        .build();
    let address = app.and_then(|app| app.to_url()).map_err(|error| {
        tracing::error!(%error, "an authenticator app's address can't be written");
        Failure::Unavailable
    })?;
    Ok(AppSetup { key, address: address.into() })
}

/// Turns the authenticator app on once it shows a right code. Answers the new recovery codes, to
/// be shown once; none beside another factor, which brought them.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Failure::Invalid`];
/// [`Conflict::SetupOver`]; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn turn_app_on(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    code: &str,
    client: &Client,
) -> Result<Vec<Secret>, Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    let now = latchkey.now();
    let key = latchkey.store.authenticator_setup(viewer.user, now).await?;
    let key = key.ok_or(Failure::Conflict(Conflict::SetupOver))?;
    let typed = Typed::parse(code)?;
    count(latchkey, &counted(viewer.user)).await?;
    let step = match typed {
        Typed::App(code) => codes::step_of(&key, &code, now)?,
        Typed::Recovery(_) => None,
    };
    let step = step.ok_or(codes::wrong())?;
    let codes = codes::new_codes(latchkey);
    let change = change(viewer, session, FactorNews::AppOn, now, client);
    let taken = latchkey
        .store
        .add_authenticator_app(viewer.user, &key, step, &codes::hashes(&codes), &change, now)
        .await?;
    was_right(latchkey, viewer.user, Given::Code(code)).await?;
    Ok(if taken { codes } else { Vec::new() })
}

/// Turns the authenticator app off. That takes a second factor itself. Answers whether another one
/// is left.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::Invalid`]; [`Conflict::ShortPassword`];
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn turn_app_off(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    given: Given<'_>,
    client: &Client,
) -> Result<bool, Failure> {
    must_be_confirmed(latchkey, viewer)?;
    let asked_for = AskedFor::Proof(session.hash());
    let proof = proof(latchkey, viewer.user, given, &asked_for).await?;
    let now = latchkey.now();
    let change = change(viewer, session, FactorNews::AppOff, now, client);
    let left = latchkey.store.remove_authenticator_app(viewer.user, proof, &change, now).await?;
    was_right(latchkey, viewer.user, given).await?;
    Ok(left)
}

/// Makes new recovery codes in place of all earlier ones, to be shown once. That takes a second
/// factor.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::Invalid`]; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn renew_codes(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    given: Given<'_>,
    client: &Client,
) -> Result<Vec<Secret>, Failure> {
    must_be_confirmed(latchkey, viewer)?;
    let asked_for = AskedFor::Proof(session.hash());
    let proof = proof(latchkey, viewer.user, given, &asked_for).await?;
    let (codes, now) = (codes::new_codes(latchkey), latchkey.now());
    let mail = mail(viewer, FactorNews::CodesRenewed, now, client);
    latchkey
        .store
        .renew_recovery_codes(viewer.user, proof, &codes::hashes(&codes), &mail, now)
        .await?;
    was_right(latchkey, viewer.user, given).await?;
    Ok(codes)
}

/// Removes all second factors of the login with this address, for somebody who lost them and proved to
/// the operator who they are. Their sessions end, and their password is nobody's until they choose a
/// new one by mail.
///
/// # Errors
/// [`Failure::NotFound`] without such a login, or without a second factor; [`Failure::Unavailable`].
pub async fn remove_all(latchkey: &Latchkey, email: &EmailAddress) -> Result<(), Failure> {
    let login = latchkey.store.login(email).await?.ok_or(Failure::NotFound)?;
    let hash = passwords::of_nobody(latchkey.random.as_ref());
    let unknown = NewPassword { hash, short: false, told: None };
    let now = latchkey.now();
    let mail = Mail::FactorChanged { news: FactorNews::AllRemoved, at: now };
    let mail = NewMail::to(login.email, mail).language(login.language);
    let removed = latchkey.store.remove_factors(login.id, &unknown, &mail, now).await?;
    if !removed {
        return Err(Failure::NotFound);
    }
    tracing::warn!(user = %login.id, "the operator removed the second factors of a login");
    Ok(())
}

pub(crate) fn change(
    viewer: &Viewer,
    session: &Token,
    news: FactorNews,
    at: Timestamp,
    client: &Client,
) -> FactorChange {
    FactorChange {
        session: session.hash(),
        by_factor: viewer.second_factor,
        mail: mail(viewer, news, at, client),
    }
}

fn mail(viewer: &Viewer, news: FactorNews, at: Timestamp, client: &Client) -> NewMail {
    let language = viewer.language.clone().or_else(|| client.language.clone());
    let mail = Mail::FactorChanged { news, at };
    NewMail::to(viewer.email.clone(), mail).language(language)
}
