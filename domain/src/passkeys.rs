//! Passkeys: adding, naming and removing them, and signing in with one. It counts as two factors: the
//! device that holds it, and the fingerprint, face or PIN that opens it (NIST SP 800-63B-4 section
//! 3.1.6.1; Web Authentication Level 3).

use std::time::Duration;

use model::{
    Conflict, FactorNews, Failure, Field, FieldProblem, PasskeyId, PasskeyName, Secret, UserId,
};
pub use store::Passkey;
use store::{AskedFor, NewPasskey};
use uuid::Uuid;
use webauthn_rs::prelude::{
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Webauthn,
    WebauthnBuilder,
};
use webauthn_rs_proto::ResidentKeyRequirement;

pub use crate::challenges::can_be_used;
use crate::challenges::{
    ANSWER_WITHIN, ask, broken, check_answer, keep, read_answer, refused, said, taken, write, wrong,
};
use crate::second_step::{self, Given};
use crate::sessions::{self, Begun};
use crate::viewer::{Viewer, must_be_confirmed, must_be_confirmed_by_factor};
use crate::{Client, Latchkey, Settings, Token, codes, factors, guesses};

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

/// The viewer's passkeys, the oldest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn overview(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<Passkey>, Failure> {
    latchkey.store.passkeys(viewer.user).await
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

fn parse_name(name: &str) -> Result<PasskeyName, Failure> {
    PasskeyName::parse(name).map_err(|problem| Failure::field(Field::PasskeyName, problem))
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
}
