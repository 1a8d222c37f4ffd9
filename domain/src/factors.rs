//! Second factors: setting an authenticator app up, recovery codes, and giving one at sign-in.

use std::time::Duration;

use model::{Conflict, FactorNews, Failure, Field, FieldProblem, Mail, Secret, Timestamp, UserId};
use sha2::{Digest, Sha256};
use store::{AuthenticatorApp, FactorChange, FactorProof, NewMail, TokenHash};
use totp_rs::{Algorithm, Builder, Totp};

use crate::sessions::{self, Begun, Viewer};
use crate::{Client, Latchkey, Token};

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
/// [`Failure::Unconfirmed`], [`Failure::Unavailable`].
pub async fn begin_app(latchkey: &Latchkey, viewer: &Viewer) -> Result<(), Failure> {
    sessions::must_be_confirmed(latchkey, viewer)?;
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
/// be shown once.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::Invalid`]; [`Conflict::SetupOver`]; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn turn_app_on(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    code: &str,
    client: &Client,
) -> Result<Vec<Secret>, Failure> {
    sessions::must_be_confirmed(latchkey, viewer)?;
    let now = latchkey.now();
    let key = latchkey.store.authenticator_setup(viewer.user, now).await?;
    let key = key.ok_or(Failure::Conflict(Conflict::SetupOver))?;
    let typed = Typed::parse(code)?;
    let limit = count(latchkey, viewer.user).await?;
    let step = match typed {
        Typed::App(code) => step_of(&key, &code, now)?,
        Typed::Recovery(_) => None,
    };
    let step = step.ok_or(wrong())?;
    let codes = new_codes(latchkey);
    let change = change(viewer, session, FactorNews::AppOn, now, client);
    latchkey
        .store
        .add_authenticator_app(viewer.user, &key, step, &hashes(&codes), &change, now)
        .await?;
    latchkey.store.forget_attempts(&limit).await?;
    Ok(codes)
}

/// Turns the authenticator app off. That takes a second factor itself: a code of the app, or a
/// recovery code.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::Invalid`]; [`Conflict::ShortPassword`];
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn turn_app_off(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    code: &str,
    client: &Client,
) -> Result<(), Failure> {
    sessions::must_be_confirmed(latchkey, viewer)?;
    let (proof, limit) = proof(latchkey, viewer.user, code).await?;
    let now = latchkey.now();
    let change = change(viewer, session, FactorNews::AppOff, now, client);
    latchkey.store.remove_authenticator_app(viewer.user, proof, &change, now).await?;
    latchkey.store.forget_attempts(&limit).await
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
    code: &str,
    client: &Client,
) -> Result<Vec<Secret>, Failure> {
    sessions::must_be_confirmed(latchkey, viewer)?;
    let (proof, limit) = proof(latchkey, viewer.user, code).await?;
    let (codes, now) = (new_codes(latchkey), latchkey.now());
    let mail = mail(viewer, FactorNews::CodesRenewed, now, client);
    latchkey.store.renew_recovery_codes(viewer.user, proof, &hashes(&codes), &mail, now).await?;
    latchkey.store.forget_attempts(&limit).await?;
    Ok(codes)
}

/// Whether this sign-in waits for a second factor. Changes nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::Unavailable`].
pub async fn open_sign_in(latchkey: &Latchkey, sign_in: &Token) -> Result<(), Failure> {
    let whose = latchkey.store.sign_in_of(&sign_in.hash(), latchkey.now()).await?;
    whose.map(|_| ()).ok_or(Failure::Conflict(Conflict::SignInOver))
}

/// Finishes a sign-in with a code of the authenticator app or a recovery code. `instead_of` is
/// the session that the same browser had: it ends.
///
/// # Errors
/// [`Failure::Invalid`]; [`Conflict::SignInOver`] after five tries or ten minutes, and when
/// password or factors changed meanwhile; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn finish_sign_in(
    latchkey: &Latchkey,
    sign_in: &Token,
    code: &str,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<Begun, Failure> {
    let over = Failure::Conflict(Conflict::SignInOver);
    open_sign_in(latchkey, sign_in).await?;
    // What can't be a code is no try.
    Typed::parse(code)?;
    let hash = sign_in.hash();
    let tried = latchkey.store.try_sign_in(&hash, latchkey.now()).await?;
    let tried = tried.ok_or(over.clone())?;
    if tried.tries > TRIES {
        latchkey.store.drop_sign_in(&hash).await?;
        return Err(over);
    }
    let (proof, limit) = proof(latchkey, tried.user, code).await?;
    let login = latchkey.store.login_of(tried.user).await?.ok_or(over)?;
    let (begun, mut session) = sessions::new_session(latchkey, client, &login);
    session.second_factor = true;
    let (instead_of, now) = (instead_of.map(Token::hash), latchkey.now());
    latchkey
        .store
        .finish_sign_in(&hash, tried.user, proof, &session, instead_of.as_ref(), now)
        .await?;
    latchkey.store.forget_attempts(&limit).await?;
    tracing::info!(user = %tried.user, "signed in with a second factor");
    Ok(begun)
}

/// A code as typed: spaces and dashes are for the eye.
enum Typed {
    /// Six digits.
    App(String),
    /// A recovery code.
    Recovery(String),
}

impl Typed {
    fn parse(text: &str) -> Result<Self, Failure> {
        let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let code = code.to_ascii_uppercase();
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

/// What a code proves, as far as it fits. Whether it was used before, the database says.
async fn proof(
    latchkey: &Latchkey,
    user: UserId,
    code: &str,
) -> Result<(FactorProof, String), Failure> {
    let typed = Typed::parse(code)?;
    let limit = count(latchkey, user).await?;
    let proof = match typed {
        Typed::Recovery(code) => FactorProof::RecoveryCode(hash(&code)),
        Typed::App(code) => {
            let app = latchkey.store.authenticator_app(user).await?.ok_or(wrong())?;
            let step = step_of(&app.secret, &code, latchkey.now())?;
            FactorProof::App(step.ok_or(wrong())?)
        }
    };
    Ok((proof, limit))
}

/// Counts a code that is given; answers what to forget when it was right.
async fn count(latchkey: &Latchkey, user: UserId) -> Result<String, Failure> {
    let key = format!("code:{user}");
    latchkey.limit(&key, WRONG_CODES, QUARTER).await?;
    Ok(key)
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

fn new_codes(latchkey: &Latchkey) -> Vec<Secret> {
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

fn hashes(codes: &[Secret]) -> Vec<TokenHash> {
    codes.iter().map(|code| hash(&code.expose().replace('-', ""))).collect()
}

fn hash(code: &str) -> TokenHash {
    Sha256::digest(code).into()
}

fn change(
    viewer: &Viewer,
    session: &Token,
    news: FactorNews,
    at: Timestamp,
    client: &Client,
) -> FactorChange {
    FactorChange { session: session.hash(), mail: mail(viewer, news, at, client) }
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
        assert!(app("287082") && app(" 287 082 "));
        let recovery = "abcd-efgh-ijkl-mnop-qrst-uvwx";
        assert!(matches!(Typed::parse(recovery), Ok(Typed::Recovery(code)) if code.len() == 24));
        for text in ["", "12345", "1234567", "28708a", "ABCD-EFGH", "é".repeat(24).as_str()] {
            assert!(Typed::parse(text).is_err(), "{text}");
        }
    }
}
