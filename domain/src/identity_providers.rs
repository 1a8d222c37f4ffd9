//! The port to identity providers: what they are asked, and what they answer. Who speaks with them is
//! handed in.

use std::pin::Pin;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{AccountId, AccountNumber, EmailAddress, Failure, Identity, Secret, Timestamp};
use sha2::{Digest, Sha256};
use store::AccountProvider;
use url::Url;

use crate::Token;

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

/// Who vouches for somebody.
#[derive(Clone, Debug)]
pub enum Provider {
    /// One that the operator trusts with every login.
    Operators(IdentityProvider),
    /// An account's own one: what it says counts in that account alone.
    Accounts(AccountProvider),
}

impl Provider {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Operators(provider) => provider.name.clone(),
            Self::Accounts(provider) => provider_name(&provider.issuer),
        }
    }

    /// Its address, as it names itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match self {
            Self::Operators(provider) => &provider.issuer,
            Self::Accounts(provider) => &provider.issuer,
        }
    }

    /// Each account's provider sends browsers back to an address of its own: what another provider
    /// sent, whom an owner chose to lead people astray, isn't taken for its (RFC 9700 section 4.4.2.2).
    pub(crate) const fn comes_back_to(&self) -> Option<AccountNumber> {
        match self {
            Self::Operators(_) => None,
            Self::Accounts(provider) => Some(provider.number),
        }
    }

    /// The account whose own one it is.
    pub(crate) const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Operators(_) => None,
            Self::Accounts(provider) => Some(provider.account),
        }
    }

    /// What is stored of it.
    pub(crate) fn to_stored(&self) -> store::Provider {
        match self {
            Self::Operators(provider) => store::Provider::Operators(provider.id.clone()),
            Self::Accounts(provider) => store::Provider::Accounts(provider.account),
        }
    }
}

/// Why what is at an address can't be used as an identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoProvider {
    /// Nothing answers there.
    Unanswered,
    /// What answers doesn't describe itself as one, or as one that can be spoken with.
    NoDescription,
    /// What answers calls itself by another address.
    OtherIssuer,
}

/// An answer on its way from an identity provider.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Speaks with the identity providers: the authorization code flow of OpenID Connect Core 1.0
/// (section 3.1) with PKCE (RFC 7636).
pub trait IdentityProviders: Send + Sync {
    /// The operator's, in the order of their buttons.
    fn all(&self) -> &[IdentityProvider];

    /// What the provider calls itself, asked anew: its address to the letter.
    fn issuer<'a>(
        &'a self,
        provider: &'a Provider,
        now: Timestamp,
    ) -> Asking<'a, Result<String, NoProvider>>;

    /// Where a browser goes to sign in there. Fails with [`Failure::IdentityProvider`].
    fn address<'a>(
        &'a self,
        provider: &'a Provider,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Asking<'a, Secret>;

    /// Redeems the code that a browser came back with and checks everything that the provider says.
    /// Fails with [`Failure::IdentityProvider`] or [`model::Conflict::NotIdentified`].
    fn identify<'a>(
        &'a self,
        provider: &'a Provider,
        returned: &'a Returned,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Asking<'a, Identified>;
}

/// No identity providers.
pub(crate) struct Nobody;

impl IdentityProviders for Nobody {
    fn all(&self) -> &[IdentityProvider] {
        &[]
    }

    fn issuer<'a>(
        &'a self,
        _: &'a Provider,
        _: Timestamp,
    ) -> Asking<'a, Result<String, NoProvider>> {
        Box::pin(std::future::ready(Ok(Err(NoProvider::Unanswered))))
    }

    fn address<'a>(&'a self, _: &'a Provider, _: &'a Keys, _: Timestamp) -> Asking<'a, Secret> {
        Box::pin(std::future::ready(Err(Failure::IdentityProvider)))
    }

    fn identify<'a>(
        &'a self,
        _: &'a Provider,
        _: &'a Returned,
        _: &'a Keys,
        _: Timestamp,
    ) -> Asking<'a, Identified> {
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
    pub(crate) fn of(token: &Token) -> Self {
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
    /// The account to whose address it was brought back; none for the operator's providers.
    pub account: Option<AccountNumber>,
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

/// What a company's people sign in with: the host of its provider's address.
#[must_use]
pub fn provider_name(issuer: &str) -> String {
    let url = Url::parse(issuer).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| issuer.to_owned())
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

    #[test]
    fn a_provider_goes_by_its_host() {
        assert_eq!(
            provider_name("https://login.nordlys.example/realms/a"),
            "login.nordlys.example"
        );
    }
}
