//! Giving a second factor: as the second step of a sign-in, and as a proof of who somebody is.

use std::time::Duration;

use model::{Conflict, Failure, UserId};
use store::{AskedFor, FactorProof};

use crate::codes::{self, Typed};
use crate::sessions::{self, Begun};
use crate::viewer::Viewer;
use crate::{Client, Latchkey, Token, challenges};

/// How often a second factor may be given until the password is asked for again.
const TRIES: u32 = 5;
/// How many wrong codes a user may give in a quarter of an hour, over all their sign-ins.
const WRONG_CODES: u32 = 10;
const QUARTER: Duration = Duration::from_secs(15 * 60);

/// A second factor, as it was given.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// A code of the authenticator app or a recovery code, as typed.
    Code(&'a str),
    /// What the browser answered when it was asked for a passkey.
    Passkey(&'a str),
}

/// What can be given as the second step of a sign-in, besides a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondStep {
    /// A code of the authenticator app.
    pub app: bool,
    /// A passkey.
    pub passkey: bool,
}

/// Takes a second factor of the viewer's as a fresh proof of who they are.
///
/// # Errors
/// [`Failure::Invalid`], [`Conflict::PasskeyOver`], [`Failure::TooMany`], [`Failure::SignedOut`],
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn confirm(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    given: Given<'_>,
) -> Result<(), Failure> {
    let (user, hash) = (viewer.user, session.hash());
    let proof = proof(latchkey, user, given, &AskedFor::Proof(hash)).await?;
    let now = latchkey.now();
    let confirmed = latchkey.store.confirm_session_with_factor(user, proof, &hash, now).await?;
    was_right(latchkey, user, given).await?;
    if confirmed { Ok(()) } else { Err(Failure::SignedOut) }
}

/// What this sign-in waits for. Changes nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::Unavailable`].
pub async fn second_step(latchkey: &Latchkey, sign_in: &Token) -> Result<SecondStep, Failure> {
    usable(latchkey, sessions::whose(latchkey, sign_in).await?).await
}

/// Which second factors this user can give.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn usable(latchkey: &Latchkey, user: UserId) -> Result<SecondStep, Failure> {
    let app = latchkey.store.authenticator_app(user).await?.is_some();
    Ok(SecondStep { app, passkey: challenges::can_be_used(latchkey, user).await? })
}

/// Finishes a sign-in with a second factor. `instead_of` is the session that the same browser had:
/// it ends.
///
/// # Errors
/// [`Failure::Invalid`]; [`Conflict::SignInOver`] after five codes or ten minutes, and when
/// password or factors changed meanwhile; [`Conflict::PasskeyOver`]; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn finish_sign_in(
    latchkey: &Latchkey,
    sign_in: &Token,
    given: Given<'_>,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<Begun, Failure> {
    let over = Failure::Conflict(Conflict::SignInOver);
    let user = sessions::whose(latchkey, sign_in).await?;
    let hash = sign_in.hash();
    let mut counted = counted(user);
    if let Given::Code(code) = given {
        // What can't be a code is no try.
        Typed::parse(code)?;
        let tried = latchkey.store.try_sign_in(&hash, latchkey.now()).await?;
        let tried = tried.ok_or(over.clone())?;
        if tried.tries > TRIES {
            latchkey.store.drop_sign_in(&hash).await?;
            return Err(over);
        }
        // Whoever runs an account's provider begins as many as they like: what they waste isn't what
        // its people have elsewhere.
        if let Some(identity) = tried.identity {
            counted = format!("{counted}:{identity}");
        }
    }
    let proof = proof_by(latchkey, user, given, &AskedFor::SecondStep(hash), &counted).await?;
    let login = latchkey.store.login_of(user).await?.ok_or(over)?;
    let (begun, mut session) = sessions::new_session(latchkey, client, &login);
    session.second_factor = true;
    let (instead_of, now) = (instead_of.map(Token::hash), latchkey.now());
    latchkey.store.finish_sign_in(&hash, user, proof, &session, instead_of.as_ref(), now).await?;
    forget(latchkey, given, &counted).await?;
    tracing::info!(%user, "signed in with a second factor");
    Ok(begun)
}

/// What the given factor proves, as far as it fits. Whether it was used before, the database says.
pub(crate) async fn proof(
    latchkey: &Latchkey,
    user: UserId,
    given: Given<'_>,
    asked_for: &AskedFor,
) -> Result<FactorProof, Failure> {
    proof_by(latchkey, user, given, asked_for, &counted(user)).await
}

async fn proof_by(
    latchkey: &Latchkey,
    user: UserId,
    given: Given<'_>,
    asked_for: &AskedFor,
    counted: &str,
) -> Result<FactorProof, Failure> {
    let code = match given {
        Given::Code(code) => code,
        Given::Passkey(answer) => {
            let used = challenges::check(latchkey, answer, asked_for, user).await?;
            return Ok(FactorProof::Passkey(used));
        }
    };
    let typed = Typed::parse(code)?;
    count(latchkey, counted).await?;
    match typed {
        Typed::Recovery(code) => Ok(FactorProof::RecoveryCode(codes::hash(&code))),
        Typed::App(code) => {
            let app = latchkey.store.authenticator_app(user).await?.ok_or(codes::wrong())?;
            let step = codes::step_of(&app.secret, &code, latchkey.now())?;
            Ok(FactorProof::App(step.ok_or(codes::wrong())?))
        }
    }
}

/// Counts a code that is given.
pub(crate) async fn count(latchkey: &Latchkey, counted: &str) -> Result<(), Failure> {
    latchkey.limit(counted, WRONG_CODES, QUARTER).await
}

pub(crate) fn counted(user: UserId) -> String {
    format!("code:{user}")
}

/// Forgets the wrong codes before a right one.
pub(crate) async fn was_right(
    latchkey: &Latchkey,
    user: UserId,
    given: Given<'_>,
) -> Result<(), Failure> {
    forget(latchkey, given, &counted(user)).await
}

async fn forget(latchkey: &Latchkey, given: Given<'_>, counted: &str) -> Result<(), Failure> {
    match given {
        Given::Code(_) => latchkey.store.forget_attempts(counted).await,
        Given::Passkey(_) => Ok(()),
    }
}
