//! Signing in with an identity provider (OpenID Connect): the way there and back, linking an
//! identity to the login with its address, and taking the link back. How providers are spoken with
//! is handed in.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{
    Conflict, EmailAddress, Failure, Identity, IdentityId, IdentityNews, Mail, Secret, Timestamp,
};
use sha2::{Digest, Sha256};
use store::{FactorChange, IdentityOffer, Login, NewMail};

use crate::sessions::{self, SignedIn, Viewer};
use crate::{Client, Latchkey, Token, guesses};

/// How long somebody may take to the provider and back, and then to link what they came back with.
const ON_THE_WAY: Duration = Duration::from_secs(10 * 60);
/// How many ways to a provider may begin from one client in an hour.
const BEGUN_PER_CLIENT: u32 = 300;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An identity provider that the operator trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its id in the settings.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its address, as it names itself (OpenID Connect Discovery 1.0 section 3).
    pub issuer: String,
}

/// An answer on its way from an identity provider.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Speaks with the identity providers: the authorization code flow of OpenID Connect Core 1.0
/// (section 3.1) with PKCE (RFC 7636).
pub trait IdentityProviders: Send + Sync {
    /// All of them, in the order of their buttons.
    fn all(&self) -> &[IdentityProvider];

    /// Where a browser goes to sign in there. Fails with [`Failure::IdentityProvider`].
    fn address<'a>(
        &'a self,
        provider: &'a IdentityProvider,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Answer<'a, Secret>;

    /// Redeems the code that a browser came back with and checks everything that the provider says.
    /// Fails with [`Failure::IdentityProvider`] or [`Conflict::NotIdentified`].
    fn identify<'a>(
        &'a self,
        provider: &'a IdentityProvider,
        returned: &'a Returned,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Answer<'a, Identified>;
}

/// No identity providers.
pub(crate) struct Nobody;

impl IdentityProviders for Nobody {
    fn all(&self) -> &[IdentityProvider] {
        &[]
    }

    fn address<'a>(
        &'a self,
        _: &'a IdentityProvider,
        _: &'a Keys,
        _: Timestamp,
    ) -> Answer<'a, Secret> {
        Box::pin(std::future::ready(Err(Failure::IdentityProvider)))
    }

    fn identify<'a>(
        &'a self,
        _: &'a IdentityProvider,
        _: &'a Returned,
        _: &'a Keys,
        _: Timestamp,
    ) -> Answer<'a, Identified> {
        Box::pin(std::future::ready(Err(Failure::IdentityProvider)))
    }
}

/// What binds an answer of a provider to the browser that asked. All of it comes from the token in
/// that browser's cookie, so that nothing of it needs to be stored.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Comes back with the browser (OAuth 2.0, RFC 6749 section 10.12).
    pub state: Secret,
    /// Comes back in the ID token (OpenID Connect Core 1.0 section 3.1.2.1).
    pub nonce: Secret,
    /// Proves, when the code is redeemed, who asked for it (RFC 7636 section 4.1: 43 characters).
    pub verifier: Secret,
}

impl Keys {
    fn of(token: &Token) -> Self {
        let key = |purpose: &str| {
            let hash = Sha256::new()
                .chain_update(purpose)
                .chain_update(token.secret().expose())
                .finalize();
            Secret::from(BASE64_URL_SAFE_NO_PAD.encode(hash))
        };
        Self {
            state: key("latchkey identity state "),
            nonce: key("latchkey identity nonce "),
            verifier: key("latchkey identity verifier "),
        }
    }
}

/// What a browser brings back from a provider (RFC 6749 section 4.1.2, RFC 9207 section 2).
#[derive(Clone, Debug, Default)]
pub struct Returned {
    /// The code to be redeemed.
    pub code: Option<Secret>,
    /// What it was sent with.
    pub state: Option<Secret>,
    /// Who sends it back.
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// Whom a provider vouches for.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The identity.
    pub identity: Identity,
    /// Their address, if the provider verified it.
    pub email: Option<EmailAddress>,
    /// When it asked them who they are, if it says so.
    pub proven_at: Option<Timestamp>,
}

/// What coming back from a provider led to.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// The identity opened its login, or will after the second factor.
    SignedIn(SignedIn),
    /// There is a login with its address: whoever has this token and signs in to it may link it.
    Offered(Token),
}

/// An identity that may be linked.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The provider's name.
    pub provider: String,
    /// The address that it verified, which the login has too.
    pub email: EmailAddress,
}

/// An identity that opens somebody's login, as they see it.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The link's id.
    pub id: IdentityId,
    /// The provider's name.
    pub provider: String,
    /// The address that it was linked by.
    pub email: String,
    /// Since when.
    pub since: Timestamp,
    /// When they last signed in by it.
    pub last_used_at: Option<Timestamp>,
}

/// Begins to sign somebody in with a provider. Answers what their browser is recognised by when it
/// comes back.
///
/// # Errors
/// [`Failure::NotFound`] for a provider that isn't in the settings; [`Failure::TooMany`];
/// [`Failure::IdentityProvider`] when it doesn't answer; [`Failure::Unavailable`].
pub async fn begin(latchkey: &Latchkey, provider: &str, client: &Client) -> Result<Token, Failure> {
    let provider = named(latchkey, provider).ok_or(Failure::NotFound)?;
    let limit = format!("identity:client:{}", client.network());
    latchkey.limit(&limit, BEGUN_PER_CLIENT, HOUR).await?;
    let token = Token::new(latchkey.random.as_ref());
    // Whether it answers is told on the page where another way in is near.
    latchkey.identity_providers.address(provider, &Keys::of(&token), latchkey.now()).await?;
    let expires_at = latchkey.now().after(ON_THE_WAY);
    latchkey.store.begin_identity_sign_in(&token.hash(), &provider.id, expires_at).await?;
    Ok(token)
}

/// The provider that the browser with this token is on its way to, and the address there. Changes
/// nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::IdentityProvider`], [`Failure::Unavailable`].
pub async fn onward(latchkey: &Latchkey, token: &Token) -> Result<(String, Secret), Failure> {
    let now = latchkey.now();
    let provider = latchkey.store.identity_sign_in(&token.hash(), now).await?;
    let provider = provider.as_deref().and_then(|id| named(latchkey, id)).ok_or(over())?;
    let address = latchkey.identity_providers.address(provider, &Keys::of(token), now).await?;
    Ok((provider.name.clone(), address))
}

/// Takes a browser that comes back from a provider, once. The identity decides whose login it opens,
/// never its address; that only says to which login it may be linked. A second factor is asked for
/// as after a password. `instead_of` is the session that the same browser had.
///
/// # Errors
/// [`Conflict::SignInOver`] when this browser wasn't on its way, or took too long;
/// [`Conflict::NotIdentified`]; [`Conflict::AddressUnverified`]; [`Conflict::NoLogin`];
/// [`Failure::IdentityProvider`]; [`Failure::Unavailable`].
pub async fn arrive(
    latchkey: &Latchkey,
    token: &Token,
    returned: &Returned,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<Arrived, Failure> {
    let keys = Keys::of(token);
    if returned.state.as_ref() != Some(&keys.state) {
        tracing::info!("a browser came back from an identity provider with another's state");
        return Err(over());
    }
    let now = latchkey.now();
    let provider = latchkey.store.return_from_identity_provider(&token.hash(), now).await?;
    let provider = provider.as_deref().and_then(|id| named(latchkey, id)).ok_or(over())?;
    let identified = latchkey.identity_providers.identify(provider, returned, &keys, now).await?;
    let known = latchkey.store.user_of_identity(&identified.identity).await?;
    match known {
        Some(user) => {
            let login = latchkey.store.login_of(user).await?.ok_or(over())?;
            let signed_in = sign_in_as(latchkey, &login, &identified, client, instead_of).await?;
            tracing::info!(%user, provider = provider.id, "an identity provider vouched");
            Ok(Arrived::SignedIn(signed_in))
        }
        None => offer(latchkey, identified).await.map(Arrived::Offered),
    }
}

async fn sign_in_as(
    latchkey: &Latchkey,
    login: &Login,
    identified: &Identified,
    client: &Client,
    instead_of: Option<&Token>,
) -> Result<SignedIn, Failure> {
    let (identity, now) = (&identified.identity, latchkey.now());
    if login.second_factor {
        let token = Token::new(latchkey.random.as_ref());
        let (hash, expires_at) = (token.hash(), now.after(sessions::HALF_WAY));
        latchkey
            .store
            .begin_sign_in_by_identity(
                identity,
                login.id,
                &hash,
                &login.password_hash,
                expires_at,
                now,
            )
            .await?;
        return Ok(SignedIn::HalfWay(token));
    }
    let (begun, session) = sessions::new_session(latchkey, client, login);
    // A provider that doesn't say when it asked may have asked days ago.
    let proven_at = identified.proven_at.unwrap_or(Timestamp::from_micros(0)).min(now);
    let instead_of = instead_of.map(Token::hash);
    latchkey
        .store
        .begin_session_by_identity(
            identity,
            login.id,
            &session,
            proven_at,
            instead_of.as_ref(),
            now,
        )
        .await?;
    guesses::is_here(latchkey, &login.email, login.id, client).await;
    Ok(SignedIn::Wholly(begun))
}

/// Keeps an identity that opens no login yet, if there is a login with its address.
async fn offer(latchkey: &Latchkey, identified: Identified) -> Result<Token, Failure> {
    let email = identified.email.ok_or(Failure::Conflict(Conflict::AddressUnverified))?;
    if latchkey.store.login(&email).await?.is_none() {
        return Err(Failure::Conflict(Conflict::NoLogin));
    }
    let token = Token::new(latchkey.random.as_ref());
    let offer = IdentityOffer { identity: identified.identity, email };
    let expires_at = latchkey.now().after(ON_THE_WAY);
    latchkey.store.offer_identity(&token.hash(), &offer, expires_at).await?;
    Ok(token)
}

/// The identity that whoever has this token may link. Changes nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::Unavailable`].
pub async fn offered(latchkey: &Latchkey, token: &Token) -> Result<Offered, Failure> {
    let offer = latchkey.store.offered_identity(&token.hash(), latchkey.now()).await?;
    let IdentityOffer { identity, email } = offer.ok_or(over())?;
    Ok(Offered { provider: name(latchkey, &identity), email })
}

/// Links the offered identity to the login of the viewer, who must have proved lately who they are:
/// by a second factor if they have one, as an identity opens their login from then on. Answers the
/// provider's name.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Conflict::SignInOver`];
/// [`Conflict::OtherLogin`] when the viewer's login has another address;
/// [`Failure::Unavailable`].
pub async fn link(
    latchkey: &Latchkey,
    viewer: &Viewer,
    token: &Token,
    client: &Client,
) -> Result<String, Failure> {
    sessions::must_be_confirmed_by_factor(latchkey, viewer).await?;
    let provider = offered(latchkey, token).await?.provider;
    let now = latchkey.now();
    let mail = mail(viewer, IdentityNews::Linked, &provider, now, client);
    let (hash, by_factor) = (token.hash(), viewer.second_factor);
    latchkey.store.link_identity(&hash, viewer.user, by_factor, &mail, now).await?;
    tracing::info!(user = %viewer.user, "linked an identity");
    Ok(provider)
}

/// The identities that open the viewer's login.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn linked(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<Linked>, Failure> {
    let all = latchkey.store.linked_identities(viewer.user).await?;
    let linked = |one: store::LinkedIdentity| Linked {
        id: one.id,
        provider: name(latchkey, &one.identity),
        email: one.email,
        since: one.since,
        last_used_at: one.last_used_at,
    };
    Ok(all.into_iter().map(linked).collect())
}

/// One identity that opens the viewer's login.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn linked_one(latchkey: &Latchkey, viewer: &Viewer, id: &str) -> Result<Linked, Failure> {
    let id: IdentityId = id.parse().map_err(|_| Failure::NotFound)?;
    let all = linked(latchkey, viewer).await?;
    all.into_iter().find(|one| one.id == id).ok_or(Failure::NotFound)
}

/// Has an identity open the viewer's login no more. Their other sessions end: one of them may have
/// begun by it. Answers the provider's name.
///
/// # Errors
/// [`Failure::Unconfirmed`], [`Failure::FactorUnconfirmed`], [`Failure::NotFound`],
/// [`Failure::Unavailable`].
pub async fn unlink(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    id: &str,
    client: &Client,
) -> Result<String, Failure> {
    sessions::must_be_confirmed_by_factor(latchkey, viewer).await?;
    let Linked { id, provider, .. } = linked_one(latchkey, viewer, id).await?;
    let now = latchkey.now();
    let mail = mail(viewer, IdentityNews::Unlinked, &provider, now, client);
    let change = FactorChange { session: session.hash(), by_factor: viewer.second_factor, mail };
    latchkey.store.unlink_identity(viewer.user, id, &change, now).await?;
    tracing::info!(user = %viewer.user, "unlinked an identity");
    Ok(provider)
}

fn named<'a>(latchkey: &'a Latchkey, id: &str) -> Option<&'a IdentityProvider> {
    latchkey.identity_providers.all().iter().find(|provider| provider.id == id)
}

/// The name of the identity's provider; its address when it isn't in the settings any more.
fn name(latchkey: &Latchkey, identity: &Identity) -> String {
    let mut all = latchkey.identity_providers.all().iter();
    let known = all.find(|provider| provider.issuer == identity.issuer());
    known.map_or_else(|| identity.issuer().to_owned(), |provider| provider.name.clone())
}

fn over() -> Failure {
    Failure::Conflict(Conflict::SignInOver)
}

fn mail(
    viewer: &Viewer,
    news: IdentityNews,
    provider: &str,
    at: Timestamp,
    client: &Client,
) -> NewMail {
    let language = viewer.language.clone().or_else(|| client.language.clone());
    let mail = Mail::IdentityChanged { news, provider: provider.to_owned(), at };
    NewMail { to: viewer.email.clone(), language, mail, invitation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_sees_tells_nothing_of_the_token_and_of_each_other() {
        let token = Token::parse(&"A".repeat(43)).unwrap();
        let (keys, again) = (Keys::of(&token), Keys::of(&token));
        assert_eq!(keys.state, again.state);
        let all = [&keys.state, &keys.nonce, &keys.verifier, token.secret()];
        for (place, one) in all.iter().enumerate() {
            assert_eq!(one.expose().len(), 43);
            assert!(all.iter().skip(place + 1).all(|other| other != one));
        }
    }
}
