//! Signing in with an identity provider (OpenID Connect), the operator's or an account's own: the way
//! there and back, linking an identity to the login with its address, and taking the link back.

use std::time::Duration;

use model::{
    AccountId, AccountNumber, Conflict, EmailAddress, EmailDomain, Failure, Identity, IdentityId,
    IdentityNews, Mail, NotIdentified, Secret, Timestamp,
};
use store::{FactorChange, IdentityOffer, Login, NewMail};

use crate::identity_providers::{
    Identified, IdentityProvider, Keys, Provider, Returned, provider_name,
};
use crate::sessions::{self, SignedIn};
use crate::single_sign_on::provider_for;
use crate::viewer::{Viewer, must_be_confirmed_by_factor};
use crate::{Client, Latchkey, Token, guesses, invitations};

/// How long somebody may take to the provider and back, and then to link what they came back with.
const ON_THE_WAY: Duration = Duration::from_secs(10 * 60);
/// How many ways to a provider may begin from one client in an hour.
const BEGUN_PER_CLIENT: u32 = 300;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What coming back from a provider led to.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// The identity opened its login, or will after the second factor; one at an account's own
    /// provider no more of it than the account with this number.
    SignedIn(SignedIn, Option<AccountNumber>),
    /// The identity vouches for the viewer in their session, too, for the account with this number;
    /// the provider's name.
    Vouched(AccountNumber, String),
    /// There is a login with its address: whoever has this token and signs in to it may link it.
    Offered(Token),
    /// There is none, but something waits for its address: the token of a link to that.
    Waits(Token),
}

/// An identity that may be linked.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The provider's name.
    pub provider: String,
    /// The address that it verified, which the login has too.
    pub email: EmailAddress,
    /// The name of the account whose own provider it is.
    pub account: Option<String>,
}

/// An identity that opens somebody's login, as they see it.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The link's id.
    pub id: IdentityId,
    /// The provider's name.
    pub provider: String,
    /// Whether that is an account's own one: it opens that account alone.
    pub accounts: bool,
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
    set_out(latchkey, Provider::Operators(provider.clone()), client).await
}

/// Begins to sign somebody in with the identity provider of the company whose domain their address
/// has.
///
/// # Errors
/// [`Failure::Invalid`] when no account has one for it; the others of [`begin`].
pub async fn begin_at_company(
    latchkey: &Latchkey,
    email: &str,
    client: &Client,
) -> Result<Token, Failure> {
    let provider = provider_for(latchkey, email).await?;
    set_out(latchkey, Provider::Accounts(provider), client).await
}

async fn set_out(
    latchkey: &Latchkey,
    provider: Provider,
    client: &Client,
) -> Result<Token, Failure> {
    let limit = format!("identity:client:{}", client.network());
    latchkey.limit(&limit, BEGUN_PER_CLIENT, HOUR).await?;
    let token = Token::new(latchkey.random.as_ref());
    // Whether it answers is told on the page where another way in is near.
    latchkey.identity_providers.address(&provider, &Keys::of(&token), latchkey.now()).await?;
    let expires_at = latchkey.now().after(ON_THE_WAY);
    let stored = provider.to_stored();
    latchkey.store.begin_identity_sign_in(&token.hash(), &stored, expires_at).await?;
    Ok(token)
}

/// The provider that the browser with this token is on its way to, and the address there. Changes
/// nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::IdentityProvider`], [`Failure::Unavailable`].
pub async fn onward(latchkey: &Latchkey, token: &Token) -> Result<(String, Secret), Failure> {
    let now = latchkey.now();
    let provider = latchkey.store.identity_sign_in(&token.hash(), now).await?.ok_or(over())?;
    let provider = known(latchkey, provider).await?;
    let address = latchkey.identity_providers.address(&provider, &Keys::of(token), now).await?;
    Ok((provider.name(), address))
}

/// Takes a browser that comes back from a provider, once. The identity decides whose login it opens,
/// never its address; that only says to which login it may be linked. A second factor is asked for
/// as after a password. `present` is who is signed in with the same browser, and their session: a new
/// one begins in its place, or an account's own provider vouches for them in it.
///
/// # Errors
/// [`Conflict::SignInOver`] when this browser wasn't on its way, or took too long;
/// [`Conflict::NotIdentified`]; [`Conflict::AddressUnverified`] and [`Conflict::NoLogin`], or at an
/// account's own provider [`Conflict::AddressUnverifiedThere`] and [`Conflict::NotInAccount`];
/// [`Failure::IdentityProvider`]; [`Failure::Unavailable`].
pub async fn arrive(
    latchkey: &Latchkey,
    token: &Token,
    returned: &Returned,
    client: &Client,
    present: Option<(&Viewer, &Token)>,
) -> Result<Arrived, Failure> {
    let keys = Keys::of(token);
    if let (None, Some(error)) = (&returned.state, &returned.error) {
        // It may be anybody's error, but nothing more than its words comes of it.
        let error: String = error.chars().take(100).collect();
        tracing::info!(error, "a browser came back from an identity provider with an error alone");
        return Err(Failure::Conflict(Conflict::NotIdentified(NotIdentified::told(&error))));
    }
    if returned.state.as_ref() != Some(&keys.state) {
        tracing::info!("a browser came back from an identity provider with another's state");
        return Err(over());
    }
    let now = latchkey.now();
    let provider = latchkey.store.return_from_identity_provider(&token.hash(), now).await?;
    let provider = known(latchkey, provider.ok_or(over())?).await?;
    if provider.comes_back_to() != returned.account {
        tracing::warn!("a browser came back from another identity provider than it went to");
        return Err(over());
    }
    let identified = latchkey.identity_providers.identify(&provider, returned, &keys, now).await?;
    let account = provider.account();
    let identity = &identified.identity;
    match (latchkey.store.user_of_identity(account, identity).await?, &provider, present) {
        (Some(user), Provider::Accounts(provider), Some((viewer, session)))
            if viewer.user == user =>
        {
            let (account, session) = (provider.account, session.hash());
            latchkey.store.vouch_for_session(account, identity, user, &session, now).await?;
            Ok(Arrived::Vouched(provider.number, provider_name(&provider.issuer)))
        }
        (Some(user), _, _) => {
            let instead_of = present.map(|(_, session)| session);
            let login = latchkey.store.login_of(user).await?.ok_or(over())?;
            let signed_in =
                sign_in_as(latchkey, &login, account, &identified, client, instead_of).await?;
            tracing::info!(%user, provider = provider.issuer(), "an identity provider vouched");
            Ok(Arrived::SignedIn(signed_in, provider.comes_back_to()))
        }
        (None, _, _) => offer(latchkey, account, identified).await,
    }
}

async fn sign_in_as(
    latchkey: &Latchkey,
    login: &Login,
    account: Option<AccountId>,
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
                account,
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
    let proven_at = match account {
        // How old a proof may be is the account's to say, and so is its provider.
        Some(_) => now,
        // A provider that doesn't say when it asked may have asked days ago.
        None => identified.proven_at.unwrap_or(Timestamp::from_micros(0)).min(now),
    };
    let instead_of = instead_of.map(Token::hash);
    latchkey
        .store
        .begin_session_by_identity(
            account,
            identity,
            login.id,
            &session,
            proven_at,
            instead_of.as_ref(),
            now,
        )
        .await?;
    // An account's provider may be its owner's own work: it must not make room for guesses.
    if account.is_none() {
        guesses::is_here(latchkey, &login.email, login.id, client).await;
    }
    Ok(SignedIn::Wholly(begun))
}

/// Keeps an identity that opens no login yet, if there is a login with its address; at an account's
/// own provider, one that is in the account, and of a domain that it has proven. Whose address the
/// operator's provider verified, and who has no login, is led to what waits for them.
async fn offer(
    latchkey: &Latchkey,
    account: Option<AccountId>,
    identified: Identified,
) -> Result<Arrived, Failure> {
    let unverified = match account {
        Some(_) => Conflict::AddressUnverifiedThere,
        None => Conflict::AddressUnverified,
    };
    let email = identified.email.ok_or(Failure::Conflict(unverified))?;
    let login = latchkey.store.login(&email).await?;
    if let Some(account) = account {
        let elsewhere = Failure::Conflict(Conflict::NotInAccount);
        let login = login.ok_or(elsewhere.clone())?;
        let is_theirs = latchkey.store.has_proven(account, &EmailDomain::of(&email)).await?
            && latchkey.store.is_in(account, login.id).await?;
        if !is_theirs {
            return Err(elsewhere);
        }
    } else if login.is_none() {
        let waits = invitations::link_for(latchkey, &email).await?;
        return waits.map(Arrived::Waits).ok_or(Failure::Conflict(Conflict::NoLogin));
    }
    let token = Token::new(latchkey.random.as_ref());
    let offer = IdentityOffer { account, identity: identified.identity, email };
    let expires_at = latchkey.now().after(ON_THE_WAY);
    latchkey.store.offer_identity(&token.hash(), &offer, expires_at).await?;
    Ok(Arrived::Offered(token))
}

/// The identity that whoever has this token may link. Changes nothing.
///
/// # Errors
/// [`Conflict::SignInOver`], [`Failure::Unavailable`].
pub async fn offered(latchkey: &Latchkey, token: &Token) -> Result<Offered, Failure> {
    let offer = latchkey.store.offered_identity(&token.hash(), latchkey.now()).await?;
    let IdentityOffer { account, identity, email } = offer.ok_or(over())?;
    let provider = name(latchkey, account, &identity);
    let account = match account {
        Some(account) => latchkey.store.account_provider(account).await?.map(|one| one.name),
        None => None,
    };
    Ok(Offered { provider, email, account })
}

/// Links the offered identity to the login of the viewer, who must have proved lately who they are:
/// by a second factor if they have one, as an identity opens their login from then on. Answers the
/// provider's name.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::FactorUnconfirmed`]; [`Conflict::SignInOver`];
/// [`Conflict::OtherLogin`] when the viewer's login has another address;
/// [`Conflict::NotInAccount`]; [`Failure::Unavailable`].
pub async fn link(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    token: &Token,
    client: &Client,
) -> Result<String, Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    let provider = offered(latchkey, token).await?.provider;
    let now = latchkey.now();
    let mail = mail(viewer, IdentityNews::Linked, &provider, now, client);
    let (hash, session, by_factor) = (token.hash(), session.hash(), viewer.second_factor);
    latchkey.store.link_identity(&hash, viewer.user, &session, by_factor, &mail, now).await?;
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
        provider: name(latchkey, one.account, &one.identity),
        accounts: one.account.is_some(),
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
    must_be_confirmed_by_factor(latchkey, viewer).await?;
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

/// The provider, if there still is one.
async fn known(latchkey: &Latchkey, provider: store::Provider) -> Result<Provider, Failure> {
    let known = match provider {
        store::Provider::Operators(id) => named(latchkey, &id).cloned().map(Provider::Operators),
        store::Provider::Accounts(account) => {
            latchkey.store.account_provider(account).await?.map(Provider::Accounts)
        }
    };
    known.ok_or(over())
}

/// The name of the identity's provider; its address when it isn't in the settings any more.
fn name(latchkey: &Latchkey, account: Option<AccountId>, identity: &Identity) -> String {
    if account.is_some() {
        return provider_name(identity.issuer());
    }
    let mut all = latchkey.identity_providers.all().iter();
    let plain = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
    let known = all.find(|provider| plain(&provider.issuer) == plain(identity.issuer()));
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
    let mail = Mail::IdentityChanged { news, provider: provider.into(), at };
    NewMail::to(viewer.email.clone(), mail).language(language)
}
