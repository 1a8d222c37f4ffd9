//! What a browser is asked to sign with a passkey, and checking what it answers. The database keeps a
//! challenge for minutes and gives it out once; the answer is recognised by it.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{Conflict, Failure, Field, FieldProblem, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{AskedFor, Passkey, PasskeyChallenge, PasskeyUse, TokenHash};
use uuid::Uuid;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, Passkey as Key, PublicKeyCredential, Webauthn,
    WebauthnError,
};
use webauthn_rs_proto::AllowCredentials;

use crate::Latchkey;

/// How long a browser may take for its answer (Web Authentication Level 3 section 15.1 advises 5
/// to 10 minutes).
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5 * 60);

impl Latchkey {
    /// Whether passkeys can be used here.
    #[must_use]
    pub fn has_passkeys(&self) -> bool {
        self.webauthn.is_some()
    }

    /// What makes and checks them.
    pub(crate) fn webauthn(&self) -> Result<&Webauthn, Failure> {
        self.webauthn.as_deref().ok_or(Failure::NotFound)
    }
}

/// Whether the user has a passkey that can be used here.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn can_be_used(latchkey: &Latchkey, user: UserId) -> Result<bool, Failure> {
    Ok(latchkey.has_passkeys() && !latchkey.store.passkeys(user).await?.is_empty())
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

/// The same for an answer that is read already.
pub(crate) async fn check_answer(
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
pub(crate) fn said(answer: &PublicKeyCredential) -> Option<&[u8]> {
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

/// Asks a browser for a passkey of this user, or of anybody. Answers the question in JSON.
pub(crate) async fn ask(
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
pub(crate) async fn keep(
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
pub(crate) async fn taken<T: DeserializeOwned>(
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

/// Reads the browser's answer. Where it has none, the page's script sends the name of the error
/// instead (Web Authentication Level 3 sections 5.1.3 and 5.1.4).
pub(crate) fn read_answer<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
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

pub(crate) fn wrong() -> Failure {
    Failure::field(Field::Passkey, FieldProblem::WrongPasskey)
}

pub(crate) fn refused(error: &WebauthnError) -> Failure {
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

pub(crate) fn broken(error: WebauthnError) -> Failure {
    tracing::error!(%error, "a passkey can't be asked for");
    Failure::Unavailable
}

pub(crate) fn write(value: &impl Serialize) -> Result<String, Failure> {
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
