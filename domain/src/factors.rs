//! Second factors: setting an authenticator app up, recovery codes, and giving one at sign-in.

use std::time::Duration;

use model::{
    Conflict, EmailAddress, FactorNews, Failure, Field, FieldProblem, Mail, Secret, Timestamp,
    UserId,
};
use sha2::{Digest, Sha256};
use store::{
    AskedFor, AuthenticatorApp, FactorChange, FactorProof, NewMail, NewPassword, TokenHash,
};
use totp_rs::{Algorithm, Builder, Totp};

use crate::sessions::{self, Begun, Viewer};
use crate::{Client, Latchkey, Token, passkeys};

/// How long the page for setting an app up can be used.
const SETUP: Duration = Duration::from_secs(60 * 60);
/// The key's length in bytes: 160 bits (RFC 4226 section 4).
const KEY_BYTES: usize = 20;
/// How many recovery codes there are.
const CODES: usize = 10;
/// Characters of a recovery code: 120 bits, more than the 112 that a plain hash needs to keep them
/// (OWASP ASVS 5.0 V6.5.2).
const CODE_CHARACTERS: usize = 24;
/// Base32's letters and digits (RFC 4648 section 6): none that are taken for each other.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How often a second factor may be given until the password is asked for again.
const TRIES: u32 = 5;
/// How many wrong codes a user may give in a quarter of an hour, over all their sign-ins.
const WRONG_CODES: u32 = 10;
const QUARTER: Duration = Duration::from_secs(15 * 60);

/// A user's second factors, as they see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Since when they have an authenticator app, and when they last used it.
    pub app: Option<(Timestamp, Option<Timestamp>)>,
    /// How many recovery codes aren't used yet.
    pub codes_left: u32,
}

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
    sessions::must_be_confirmed_by_factor(latchkey, viewer).await?;
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
    sessions::must_be_confirmed(latchkey, viewer)?;
    let key = latchkey.store.authenticator_setup(viewer.user, latchkey.now()).await?;
    let key = key.ok_or(Failure::Conflict(Conflict::SetupOver))?;
    // A colon parts the two names in the address, so neither may have one.
    let plain = |name: &str| name.replace(':', " ");
    let app = app(&key)?
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
    sessions::must_be_confirmed_by_factor(latchkey, viewer).await?;
    let now = latchkey.now();
    let key = latchkey.store.authenticator_setup(viewer.user, now).await?;
    let key = key.ok_or(Failure::Conflict(Conflict::SetupOver))?;
    let typed = Typed::parse(code)?;
    count(latchkey, &counted(viewer.user)).await?;
    let step = match typed {
        Typed::App(code) => step_of(&key, &code, now)?,
        Typed::Recovery(_) => None,
    };
    let step = step.ok_or(wrong())?;
    let codes = new_codes(latchkey);
    let change = change(viewer, session, FactorNews::AppOn, now, client);
    let taken = latchkey
        .store
        .add_authenticator_app(viewer.user, &key, step, &hashes(&codes), &change, now)
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
    sessions::must_be_confirmed(latchkey, viewer)?;
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
    sessions::must_be_confirmed(latchkey, viewer)?;
    let asked_for = AskedFor::Proof(session.hash());
    let proof = proof(latchkey, viewer.user, given, &asked_for).await?;
    let (codes, now) = (new_codes(latchkey), latchkey.now());
    let mail = mail(viewer, FactorNews::CodesRenewed, now, client);
    latchkey.store.renew_recovery_codes(viewer.user, proof, &hashes(&codes), &mail, now).await?;
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
    let hash = latchkey.hasher.hash_of_nothing_known(latchkey.random.as_ref()).await?;
    let unknown = NewPassword { hash, short: false, told: None };
    let now = latchkey.now();
    let mail = Mail::FactorChanged { news: FactorNews::AllRemoved, at: now };
    let mail = NewMail { to: login.email, language: login.language, mail, invitation: None };
    let removed = latchkey.store.remove_factors(login.id, &unknown, &mail, now).await?;
    if !removed {
        return Err(Failure::NotFound);
    }
    tracing::warn!(user = %login.id, "the operator removed the second factors of a login");
    Ok(())
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
    usable(latchkey, whose(latchkey, sign_in).await?).await
}

/// Which second factors this user can give.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn usable(latchkey: &Latchkey, user: UserId) -> Result<SecondStep, Failure> {
    let app = latchkey.store.authenticator_app(user).await?.is_some();
    Ok(SecondStep { app, passkey: passkeys::can_be_used(latchkey, user).await? })
}

/// Whose sign-in waits.
pub(crate) async fn whose(latchkey: &Latchkey, sign_in: &Token) -> Result<UserId, Failure> {
    let whose = latchkey.store.sign_in_of(&sign_in.hash(), latchkey.now()).await?;
    whose.ok_or(Failure::Conflict(Conflict::SignInOver))
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
    let user = whose(latchkey, sign_in).await?;
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

/// A code as typed, in whichever digits: spaces and dashes are for the eye.
enum Typed {
    /// Six digits.
    App(String),
    /// A recovery code.
    Recovery(String),
}

impl Typed {
    fn parse(text: &str) -> Result<Self, Failure> {
        let for_the_eye = |c: char| {
            c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.' | '_')
        };
        let code = model::plain_digits(&model::legible(text)).to_ascii_uppercase();
        let code = code.replace(for_the_eye, "");
        let problem = if code.is_empty() {
            FieldProblem::Missing
        } else if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::App(code));
        } else if code.len() == CODE_CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte))
        {
            return Ok(Self::Recovery(code));
        } else {
            FieldProblem::Malformed
        };
        Err(Failure::field(Field::Code, problem))
    }
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
            let used = passkeys::check(latchkey, answer, asked_for, user).await?;
            return Ok(FactorProof::Passkey(used));
        }
    };
    let typed = Typed::parse(code)?;
    count(latchkey, counted).await?;
    match typed {
        Typed::Recovery(code) => Ok(FactorProof::RecoveryCode(hash(&code))),
        Typed::App(code) => {
            let app = latchkey.store.authenticator_app(user).await?.ok_or(wrong())?;
            let step = step_of(&app.secret, &code, latchkey.now())?;
            Ok(FactorProof::App(step.ok_or(wrong())?))
        }
    }
}

/// Counts a code that is given.
async fn count(latchkey: &Latchkey, counted: &str) -> Result<(), Failure> {
    latchkey.limit(counted, WRONG_CODES, QUARTER).await
}

fn counted(user: UserId) -> String {
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

fn wrong() -> Failure {
    Failure::field(Field::Code, FieldProblem::WrongCode)
}

/// SHA-1, six digits, 30 seconds, one step of leeway (RFC 6238 sections 1.2 and 5.2): what every
/// authenticator app can do.
fn app(key: &Secret) -> Result<Builder, Failure> {
    let key = totp_rs::Secret::try_from_base32(key.expose()).map_err(|_| {
        tracing::error!("an authenticator app's key isn't Base32");
        Failure::Unavailable
    })?;
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6);
    Ok(builder.with_skew(1).with_step_duration(30).with_secret(key))
}

fn ready(key: &Secret) -> Result<Totp, Failure> {
    app(key)?.with_account_name("latchkey").build().map_err(|error| {
        tracing::error!(%error, "an authenticator app's key can't be used");
        Failure::Unavailable
    })
}

/// The time step of the app's code, if it is one of now or next to now.
fn step_of(key: &Secret, code: &str, now: Timestamp) -> Result<Option<i64>, Failure> {
    let seconds = u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0);
    let step = ready(key)?.check(code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

pub(crate) fn new_codes(latchkey: &Latchkey) -> Vec<Secret> {
    let code = |_| {
        let mut bytes = [0; CODE_CHARACTERS];
        latchkey.random.fill(&mut bytes);
        let letters = bytes.map(|byte| ALPHABET.get(usize::from(byte % 32)).copied());
        let letters: Vec<char> = letters.into_iter().flatten().map(char::from).collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        Secret::from(groups.collect::<Vec<_>>().join("-"))
    };
    (0..CODES).map(code).collect()
}

pub(crate) fn hashes(codes: &[Secret]) -> Vec<TokenHash> {
    codes.iter().map(|code| hash(&code.expose().replace('-', ""))).collect()
}

fn hash(code: &str) -> TokenHash {
    Sha256::digest(code).into()
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
    NewMail { to: viewer.email.clone(), language, mail, invitation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 6238 appendix B: the ASCII digits 1 to 0, twice.
    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let key = Secret::from(KEY.to_owned());
        // The last six of the eight digits in RFC 6238 appendix B.
        let cases = [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")];
        for (seconds, code) in cases {
            assert_eq!(step_of(&key, code, at(seconds)), Ok(Some(seconds / 30)), "{code}");
        }
    }

    #[test]
    fn a_code_fits_one_step_before_and_after_its_own() {
        let key = Secret::from(KEY.to_owned());
        let step = |seconds| step_of(&key, "287082", at(seconds)).unwrap();
        let cases = [(29, None), (30, Some(1)), (59, Some(1)), (89, Some(1)), (90, None)];
        // The code of step 1, which lasts from second 30 to 59.
        assert_eq!(step(0), Some(1));
        for (seconds, expected) in cases.into_iter().filter(|(seconds, _)| *seconds != 29) {
            assert_eq!(step(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn how_a_code_may_be_typed() {
        let app = |text| matches!(Typed::parse(text), Ok(Typed::App(code)) if code == "287082");
        for text in [
            "287082",
            " 287 082 ",
            "287\u{a0}082",
            "287\u{2011}082",
            "\u{200b}28\u{200d}7082\u{feff}",
            "２８７　０８２",
            "\u{662}\u{668}\u{667} \u{660}\u{668}\u{662}",
            "\u{6f2}\u{6f8}\u{6f7}\u{6f0}\u{6f8}\u{6f2}",
        ] {
            assert!(app(text), "{text}");
        }
        let recovery = [
            "abcd-efgh-ijkl-mnop-qrst-uvwx",
            "\u{feff}ABCD–EFGH–IJKL–MNOP QRST\u{a0}UVWX\u{200b}",
            "ａｂｃｄ-ｅｆｇｈ-ijkl-mnop-qrst-uvwx",
        ];
        for text in recovery {
            assert!(matches!(Typed::parse(text), Ok(Typed::Recovery(code)) if code.len() == 24));
        }
        for text in ["", "12345", "1234567", "28708a", "ABCD-EFGH", "é".repeat(24).as_str()] {
            assert!(Typed::parse(text).is_err(), "{text}");
        }
    }
}
