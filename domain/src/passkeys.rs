//! Passkeys: adding, naming and removing them, and signing in with one. It counts as two factors: the
//! device that holds it, and the fingerprint, face or PIN that opens it (NIST SP 800-63B-4 section
//! 3.1.6.1; Web Authentication Level 3).
//!
//! A browser is asked first, then it answers. What is asked is a challenge that the database keeps
//! for minutes and gives out once; the answer is recognised by it.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{
    Conflict, FactorNews, Failure, Field, FieldProblem, PasskeyId, PasskeyName, Secret, UserId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
pub use store::Passkey;
use store::{AskedFor, NewPasskey, PasskeyChallenge, PasskeyUse, TokenHash};
use uuid::Uuid;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, Passkey as Key, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Url, Webauthn, WebauthnBuilder,
    WebauthnError,
};
use webauthn_rs_proto::{AllowCredentials, ResidentKeyRequirement};

use crate::second_step::{self, Given};
use crate::sessions::{self, Begun};
use crate::viewer::{Viewer, must_be_confirmed, must_be_confirmed_by_factor};
use crate::{Client, Latchkey, Settings, Token, codes, factors, guesses};

/// How long a browser may take for its answer (Web Authentication Level 3 section 15.1 advises 5
/// to 10 minutes).
const ANSWER_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How often browsers of one network may be asked in an hour before anybody is known. A sign-in page
/// asks when it is opened, and every four minutes while it is looked at.
const ASKED_PER_CLIENT: u32 = 1200;
/// How often they may answer in an hour.
const ANSWERED_PER_CLIENT: u32 = 600;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Why there are no passkeys at a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPasskeys {
    /// Its host is an IP address; passkeys belong to a name.
    NoName,
    /// It isn't https; browsers take passkeys over http from this machine only.
    NoHttps,
}

/// Whether passkeys can be used at this public address (Web Authentication Level 3 sections 5 and
/// 5.1.2: in secure contexts, for a domain).
///
/// # Errors
/// What stands against it.
pub fn are_possible(public_url: &str) -> Result<(), NoPasskeys> {
    let url = Url::parse(public_url).map_err(|_| NoPasskeys::NoName)?;
    let host = url.domain().ok_or(NoPasskeys::NoName)?;
    let secure = url.scheme() == "https" || host == "localhost" || host.ends_with(".localhost");
    if secure { Ok(()) } else { Err(NoPasskeys::NoHttps) }
}

/// What makes and checks the passkeys of a site. They belong to the whole host of its public
/// address, and only pages of that very address may use them.
pub(crate) fn of_site(settings: &Settings) -> Option<Webauthn> {
    are_possible(&settings.public_url).ok()?;
    let url = Url::parse(&settings.public_url).ok()?;
    let builder = WebauthnBuilder::new(url.domain()?, &url).ok()?;
    builder.rp_name(&settings.provider).timeout(ANSWER_WITHIN).build().ok()
}

impl Latchkey {
    /// Whether passkeys can be used here.
    #[must_use]
    pub fn has_passkeys(&self) -> bool {
        self.webauthn.is_some()
    }

    fn webauthn(&self) -> Result<&Webauthn, Failure> {
        self.webauthn.as_deref().ok_or(Failure::NotFound)
    }
}

/// The viewer's passkeys, the oldest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn overview(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<Passkey>, Failure> {
    latchkey.store.passkeys(viewer.user).await
}

/// Whether the user has a passkey that can be used here.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn can_be_used(latchkey: &Latchkey, user: UserId) -> Result<bool, Failure> {
    Ok(latchkey.has_passkeys() && !latchkey.store.passkeys(user).await?.is_empty())
}

/// One of the viewer's passkeys, and whether it is their last factor.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn one(
    latchkey: &Latchkey,
    viewer: &Viewer,
    id: &str,
) -> Result<(Passkey, bool), Failure> {
    let id: PasskeyId = id.parse().map_err(|_| Failure::NotFound)?;
    let all = latchkey.store.passkeys(viewer.user).await?;
    let app = latchkey.store.authenticator_app(viewer.user).await?;
    let last = all.len() == 1 && app.is_none();
    let passkey = all.into_iter().find(|passkey| passkey.id == id);
    Ok((passkey.ok_or(Failure::NotFound)?, last))
}

/// Asks a browser for any passkey of anybody's, to sign in. Answers the question in JSON, as
/// `PublicKeyCredential.parseRequestOptionsFromJSON` takes it.
///
/// # Errors
/// [`Failure::NotFound`] where there are no passkeys, [`Failure::TooMany`],
/// [`Failure::Unavailable`].
pub async fn ask_to_sign_in(latchkey: &Latchkey, client: &Client) -> Result<String, Failure> {
    let key = format!("passkey:asked:{}", client.network());
    latchkey.limit(&key, ASKED_PER_CLIENT, HOUR).await?;
    ask(latchkey, AskedFor::SignIn, None).await
}

/// Asks a browser for a passkey as the second step of a sign-in.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn ask_for_second_step(latchkey: &Latchkey, sign_in: &Token) -> Result<String, Failure> {
    let user = sessions::whose(latchkey, sign_in).await?;
    ask(latchkey, AskedFor::SecondStep(sign_in.hash()), Some(user)).await
}

/// Asks the viewer's browser for a passkey of theirs, as a proof of who they are.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn ask_for_proof(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
) -> Result<String, Failure> {
    ask(latchkey, AskedFor::Proof(session.hash()), Some(viewer.user)).await
}

/// Asks the viewer's browser to make a passkey with this name. Answers the question in JSON, as
/// `PublicKeyCredential.parseCreationOptionsFromJSON` takes it.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Failure::Invalid`] for the name;
/// [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn ask_to_make(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    name: &str,
) -> Result<String, Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    parse_name(name)?;
    let present = latchkey.store.passkeys(viewer.user).await?;
    let present = present.into_iter().map(|passkey| passkey.credential_id).collect();
    let started = latchkey.webauthn()?.start_passkey_registration(
        viewer.user.into(),
        viewer.email.as_str(),
        &viewer.full_name,
        Some(present),
    );
    let (question, state) = started.map_err(broken)?;
    let mut question = question.public_key;
    // Discoverable: it says itself whose it is, so that it signs in without a name.
    if let Some(selection) = &mut question.authenticator_selection {
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
    }
    let asked_for = AskedFor::NewPasskey(session.hash());
    keep(latchkey, asked_for, &question.challenge, &state).await?;
    write(&question)
}

/// Signs somebody in with a passkey. `instead_of` is the session that the same browser had: it
/// ends.
///
/// # Errors
/// [`Failure::Invalid`]; [`Conflict::PasskeyOver`]; [`Conflict::SignInOver`] when the password was
/// changed meanwhile; [`Failure::NotFound`]; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn sign_in(
    latchkey: &Latchkey,
    answer: &str,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<Begun, Failure> {
    let key = format!("passkey:answered:{}", client.network());
    latchkey.limit(&key, ANSWERED_PER_CLIENT, HOUR).await?;
    let answer: PublicKeyCredential = read_answer(answer)?;
    // Nobody said who they are but the passkey. Some software leaves out whose it is, which only
    // repeats what the passkey is known by: the signature doesn't cover it.
    let user: UserId = match said(&answer) {
        Some(whose) => Uuid::from_slice(whose).map_err(|_| wrong())?.into(),
        None => {
            let passkey = latchkey.store.passkey_with(answer.get_credential_id()).await?;
            passkey.ok_or_else(wrong)?.user
        }
    };
    let used = check_answer(latchkey, &answer, &AskedFor::SignIn, user).await?;
    let login = latchkey.store.login_of(user).await?.ok_or_else(wrong)?;
    let (begun, mut session) = sessions::new_session(latchkey, client, &login);
    session.second_factor = true;
    let (instead_of, now) = (instead_of.map(Token::hash), latchkey.now());
    let stored = latchkey
        .store
        .begin_session_with_passkey(user, used, &session, instead_of.as_ref(), now)
        .await;
    let changed = Failure::field(Field::Password, FieldProblem::WrongPassword);
    stored.map_err(|failure| match failure {
        failure if failure == changed => Failure::Conflict(Conflict::SignInOver),
        failure => failure,
    })?;
    guesses::is_here(latchkey, &login.email, user, client).await;
    tracing::info!(%user, "signed in with a passkey");
    Ok(begun)
}

/// Adds the passkey that the viewer's browser made. Answers the recovery codes that the first
/// factor brings, to be shown once; none beside another factor.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Failure::Invalid`];
/// [`Conflict::PasskeyOver`]; [`Conflict::TooManyPasskeys`]; [`Failure::NotFound`];
/// [`Failure::Unavailable`].
pub async fn add(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    name: &str,
    answer: &str,
    client: &Client,
) -> Result<Vec<Secret>, Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    let name = parse_name(name)?;
    let answer: RegisterPublicKeyCredential = read_answer(answer)?;
    let asked_for = AskedFor::NewPasskey(session.hash());
    let state: PasskeyRegistration =
        taken(latchkey, &answer.response.client_data_json, &asked_for).await?;
    let key = latchkey.webauthn()?.finish_passkey_registration(&answer, &state);
    let key = key.map_err(|error| refused(&error))?;
    let passkey = NewPasskey {
        id: latchkey.new_id().into(),
        credential_id: key.cred_id().clone(),
        name,
        key: write(&key)?,
    };
    let (codes, now) = (codes::new_codes(latchkey), latchkey.now());
    let change = factors::change(viewer, session, FactorNews::PasskeyAdded, now, client);
    let hashes = codes::hashes(&codes);
    let first = latchkey.store.add_passkey(viewer.user, &passkey, &hashes, &change, now).await?;
    Ok(if first { codes } else { Vec::new() })
}

/// Gives a passkey another name.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn rename(
    latchkey: &Latchkey,
    viewer: &Viewer,
    id: &str,
    name: &str,
) -> Result<(), Failure> {
    let id: PasskeyId = id.parse().map_err(|_| Failure::NotFound)?;
    let name = parse_name(name)?;
    let renamed = latchkey.store.rename_passkey(viewer.user, id, &name).await?;
    if renamed { Ok(()) } else { Err(Failure::NotFound) }
}

/// Removes a passkey, which takes a second factor: given along with the last one, else used in this
/// session. Answers whether another one is left.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Failure::NotFound`];
/// [`Failure::Invalid`];
/// [`Conflict::PasskeyOver`]; [`Conflict::ShortPassword`]; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn remove(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    id: &str,
    given: Given<'_>,
    client: &Client,
) -> Result<bool, Failure> {
    must_be_confirmed(latchkey, viewer)?;
    let (passkey, last) = one(latchkey, viewer, id).await?;
    let asked_for = AskedFor::Proof(session.hash());
    let proof = if last {
        Some(second_step::proof(latchkey, viewer.user, given, &asked_for).await?)
    } else {
        must_be_confirmed_by_factor(latchkey, viewer).await?;
        None
    };
    let now = latchkey.now();
    let change = factors::change(viewer, session, FactorNews::PasskeyRemoved, now, client);
    let left = latchkey.store.remove_passkey(viewer.user, passkey.id, proof, &change, now).await?;
    if last {
        second_step::was_right(latchkey, viewer.user, given).await?;
    }
    Ok(left)
}

/// Checks that a passkey of this user's signed what it was asked to.
pub(crate) async fn check(
    latchkey: &Latchkey,
    answer: &str,
    asked_for: &AskedFor,
    user: UserId,
) -> Result<PasskeyUse, Failure> {
    let answer: PublicKeyCredential = read_answer(answer)?;
    // Whose it is may be left unsaid where the user is known.
    let other = said(&answer).is_some_and(|id| id != Uuid::from(user).as_bytes());
    if other {
        return Err(wrong());
    }
    check_answer(latchkey, &answer, asked_for, user).await
}

async fn check_answer(
    latchkey: &Latchkey,
    answer: &PublicKeyCredential,
    asked_for: &AskedFor,
    user: UserId,
) -> Result<PasskeyUse, Failure> {
    let state: DiscoverableAuthentication =
        taken(latchkey, &answer.response.client_data_json, asked_for).await?;
    let passkey = latchkey.store.passkey_with(answer.get_credential_id()).await?;
    let passkey = passkey.filter(|passkey| passkey.user == user).ok_or_else(wrong)?;
    let key: Key = read(&passkey.key)?;
    let upgraded = upgraded(answer, &key);
    let present = upgraded.as_ref().unwrap_or(&key);
    let checked =
        latchkey.webauthn()?.finish_discoverable_authentication_v2(answer, state, present);
    let counter = match checked {
        Ok(checked) => checked.counter(),
        Err(WebauthnError::CredentialPossibleCompromise) => return Err(copied(&passkey)),
        Err(
            WebauthnError::CredentialBackupEligibilityInconsistent
            | WebauthnError::CredentialMayNotBeHardwareBound,
        ) => return Err(changed(&passkey)),
        Err(error) => return Err(refused(&error)),
    };
    // Web Authentication Level 3 section 6.1.1: a counter that doesn't go on is a sign of a copy.
    if (counter > 0 || passkey.counter > 0) && counter <= passkey.counter {
        return Err(copied(&passkey));
    }
    if let Some(key) = upgraded {
        let Passkey { id, user, .. } = passkey;
        tracing::info!(passkey = %id, %user, "a passkey is kept in more places from now on");
        latchkey.store.renew_passkey(id, &passkey.key, &write(&key)?).await?;
    }
    Ok(PasskeyUse { passkey: passkey.id, counter })
}

/// Whose passkey it is, if that is said; some software says it with nothing.
fn said(answer: &PublicKeyCredential) -> Option<&[u8]> {
    answer.get_user_unique_id().filter(|whose| !whose.is_empty())
}

/// The key of a passkey whose software keeps copies of it from now on, as password managers do after an
/// upgrade. Web Authentication Level 3 section 6.1.3 has that settled for good, but nothing here rests
/// on a passkey staying on one device, and what the answer says of it is signed. The other way round is
/// refused, as section 7.2 has it: a key that was in many places isn't in one alone.
fn upgraded(answer: &PublicKeyCredential, key: &Key) -> Option<Key> {
    const BACKUP_ELIGIBLE: u8 = 0b0000_1000;
    let flags = answer.response.authenticator_data.get(32)?;
    let mut credential = Credential::from(key.clone());
    let becomes = flags & BACKUP_ELIGIBLE != 0 && !credential.backup_eligible;
    credential.backup_eligible = true;
    becomes.then(|| Key::from(credential))
}

async fn ask(
    latchkey: &Latchkey,
    asked_for: AskedFor,
    whose: Option<UserId>,
) -> Result<String, Failure> {
    let started = latchkey.webauthn()?.start_discoverable_authentication();
    let (question, state) = started.map_err(broken)?;
    let mut question = question.public_key;
    if let Some(user) = whose {
        let passkeys = latchkey.store.passkeys(user).await?;
        question.allow_credentials = passkeys.into_iter().map(allowed).collect();
    }
    keep(latchkey, asked_for, &question.challenge, &state).await?;
    write(&question)
}

fn allowed(passkey: Passkey) -> AllowCredentials {
    let type_ = "public-key".to_owned();
    AllowCredentials { type_, id: passkey.credential_id, transports: None }
}

/// Keeps what checks the answer to this challenge.
async fn keep(
    latchkey: &Latchkey,
    asked_for: AskedFor,
    challenge: &[u8],
    state: &impl Serialize,
) -> Result<(), Failure> {
    let challenge = PasskeyChallenge {
        challenge_hash: hash(challenge),
        asked_for,
        state: write(state)?,
        expires_at: latchkey.now().after(ANSWER_WITHIN),
    };
    latchkey.store.ask_for_passkey(&challenge).await
}

/// What checks the answer with this client data; the challenge in it is spent with that.
async fn taken<T: DeserializeOwned>(
    latchkey: &Latchkey,
    client_data: &[u8],
    asked_for: &AskedFor,
) -> Result<T, Failure> {
    /// The one value of the client data that is needed to find the rest (Web Authentication Level
    /// 3 section 5.8.1).
    #[derive(Deserialize)]
    struct ClientData {
        challenge: String,
    }
    let data: ClientData = serde_json::from_slice(client_data).map_err(|_| wrong())?;
    let challenge = BASE64_URL_SAFE_NO_PAD.decode(data.challenge).map_err(|_| wrong())?;
    let now = latchkey.now();
    let state = latchkey.store.take_passkey_answer(&hash(&challenge), asked_for, now).await?;
    read(&state.ok_or(Failure::Conflict(Conflict::PasskeyOver))?)
}

fn hash(challenge: &[u8]) -> TokenHash {
    Sha256::digest(challenge).into()
}

fn parse_name(name: &str) -> Result<PasskeyName, Failure> {
    PasskeyName::parse(name).map_err(|problem| Failure::field(Field::PasskeyName, problem))
}

/// Reads the browser's answer. Where it has none, the page's script sends the name of the error
/// instead (Web Authentication Level 3 sections 5.1.3 and 5.1.4).
fn read_answer<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    let problem = match answer {
        "" => FieldProblem::Missing,
        "ConstraintError" | "NotSupportedError" | "SecurityError" => FieldProblem::NoPasskeyHere,
        "InvalidStateError" => FieldProblem::PasskeyKnown,
        // `NotAllowedError` mostly; what else goes wrong on the way is tried again, too.
        name if !name.starts_with('{') => FieldProblem::NoPasskey,
        answer => return tidy(answer).ok_or_else(wrong),
    };
    Err(Failure::field(Field::Passkey, problem))
}

/// Reads an answer as odd software writes it, too: without what nobody here looks at, and in either
/// form of base64.
fn tidy<T: DeserializeOwned>(answer: &str) -> Option<T> {
    let mut answer: Value = serde_json::from_str(answer).ok()?;
    let all = answer.as_object_mut()?;
    all.remove("extensions");
    all.insert("clientExtensionResults".to_owned(), json!({}));
    all.entry("type").or_insert_with(|| json!("public-key"));
    if let Some(id) = all.get("id").cloned() {
        all.entry("rawId").or_insert(id);
    }
    if let Some(id) = all.get_mut("rawId") {
        in_one_form(id);
    }
    let response = all.get_mut("response")?.as_object_mut()?;
    // How the device may be reached is a hint, which isn't kept.
    response.remove("transports");
    response.values_mut().for_each(in_one_form);
    serde_json::from_value(answer).ok()
}

/// Bytes as base64 for URLs without padding (RFC 4648 section 5).
fn in_one_form(value: &mut Value) {
    if let Value::String(text) = value {
        *text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    }
}

fn wrong() -> Failure {
    Failure::field(Field::Passkey, FieldProblem::WrongPasskey)
}

fn refused(error: &WebauthnError) -> Failure {
    tracing::info!(%error, "a passkey was refused");
    wrong()
}

fn copied(passkey: &Passkey) -> Failure {
    let Passkey { id, user, .. } = passkey;
    tracing::warn!(passkey = %id, %user, "a passkey's counter didn't go on: it may have been copied");
    Failure::field(Field::Passkey, FieldProblem::CopiedPasskey)
}

fn changed(passkey: &Passkey) -> Failure {
    let Passkey { id, user, .. } = passkey;
    tracing::warn!(passkey = %id, %user, "a passkey says that it isn't of the kind that it was");
    Failure::field(Field::Passkey, FieldProblem::ChangedPasskey)
}

fn broken(error: WebauthnError) -> Failure {
    tracing::error!(%error, "a passkey can't be asked for");
    Failure::Unavailable
}

fn write(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "what belongs to a passkey can't be written");
        Failure::Unavailable
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, "what is stored of a passkey can't be read");
        Failure::Unavailable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_take_a_name_and_a_secure_address() {
        for url in ["https://my.provider.example", "http://localhost:3000", "http://a.localhost"] {
            assert_eq!(are_possible(url), Ok(()), "{url}");
        }
        for url in ["http://127.0.0.1:3000", "https://192.0.2.1", "https://[2001:db8::1]"] {
            assert_eq!(are_possible(url), Err(NoPasskeys::NoName), "{url}");
        }
        assert_eq!(are_possible("http://my.provider.example"), Err(NoPasskeys::NoHttps));
    }

    #[test]
    fn passkeys_belong_to_the_host_of_the_public_address() {
        let site =
            |url: &str| of_site(&Settings { public_url: url.to_owned(), ..Settings::default() });
        let webauthn = site("https://my.provider.example:8443").unwrap();
        let (question, _) = webauthn.start_discoverable_authentication().unwrap();
        assert_eq!(question.public_key.rp_id, "my.provider.example");
        assert_eq!(webauthn.get_allowed_origins()[0].as_str(), "https://my.provider.example:8443/");
        assert!(site("https://192.0.2.1").is_none());
    }

    #[test]
    fn why_a_browser_gave_no_passkey() {
        let problem = |answer: &str| match read_answer::<PublicKeyCredential>(answer) {
            Err(Failure::Invalid(errors)) => errors.of(Field::Passkey),
            _ => None,
        };
        assert_eq!(problem(""), Some(FieldProblem::Missing));
        assert_eq!(problem("NotAllowedError"), Some(FieldProblem::NoPasskey));
        assert_eq!(problem("SecurityError"), Some(FieldProblem::NoPasskeyHere));
        assert_eq!(problem("InvalidStateError"), Some(FieldProblem::PasskeyKnown));
        for name in ["AbortError", "TimeoutError", "TypeError", "undefined", "null", "[]"] {
            assert_eq!(problem(name), Some(FieldProblem::NoPasskey), "{name}");
        }
        for answer in ["{}", "{", r#"{"response": []}"#, r#"{"id": 7, "response": {}}"#] {
            assert_eq!(problem(answer), Some(FieldProblem::WrongPasskey), "{answer}");
        }
    }
}
