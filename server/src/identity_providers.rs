//! Speaking with identity providers: OpenID Connect over HTTPS. Every answer is small and soon
//! there, or counts as none; redirects aren't followed, so that a provider can't have us ask
//! somewhere else. Which ones accounts have is their owners' to say: those must be public, too.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::identities::{
    Answer, Identified, IdentityProvider, IdentityProviders, Keys, Provider, Returned,
};
use model::{AccountNumber, Conflict, EmailAddress, Failure, Identity, Secret, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AsyncHttpClient, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse, UserInfoError,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use crate::config::{Config, IdentityProviderSettings};
use crate::mail_server::shorten;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The largest answer taken, in bytes: a provider's keys are the largest there is.
const LARGEST: usize = 128 * 1024;
/// How long what a provider says of itself holds.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);
/// How long a provider that didn't answer isn't asked again: who waits for it would wait in a row.
const SILENT_FOR: Duration = Duration::from_secs(5);
/// Of how many accounts' providers is known what they last said of themselves: no more than owners
/// may fill with it.
const KNOWN_AT_MOST: usize = 250;
/// How old a provider's keys are at least when one that isn't among them has them asked for anew.
const KEYS_KEPT: Duration = Duration::from_secs(60);

/// What a provider says of itself, besides what the library reads.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct More {
    /// Whether it sends `iss` along (RFC 9207 section 3).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Description = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What a provider last said of itself.
type Memory = Arc<Mutex<Option<Known>>>;

/// The identity providers: those of the settings, and accounts' own.
pub struct OpenIdConnect {
    all: Vec<IdentityProvider>,
    operators: Vec<Contact>,
    callback: RedirectUrl,
    /// Asks accounts' providers.
    guarded: reqwest::Client,
    private: bool,
    /// By the address of an account's provider.
    known: Mutex<HashMap<String, Memory>>,
}

/// One of them, and how it is spoken with.
#[derive(Clone)]
struct Contact {
    settings: IdentityProviderSettings,
    callback: RedirectUrl,
    http: Http,
    known: Memory,
}

struct Known {
    at: Timestamp,
    description: Option<Arc<Description>>,
}

impl Known {
    fn holds(&self, now: Timestamp) -> bool {
        let long = if self.description.is_some() { KNOWN_FOR } else { SILENT_FOR };
        now.since(self.at) < long
    }
}

impl OpenIdConnect {
    /// Those of the settings.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(config: &Config) -> Result<Self> {
        let callback = RedirectUrl::new(format!("{}/sign-in/callback", config.public_url))
            .context("public_url can't be come back to")?;
        let client = client(true)?;
        let contact = |settings: &IdentityProviderSettings| Contact {
            http: Http {
                client: client.clone(),
                plain: settings.issuer.starts_with("http:"),
                private: true,
            },
            settings: settings.clone(),
            callback: callback.clone(),
            known: Memory::default(),
        };
        let private = config.sso_private_addresses;
        let named = |settings: &IdentityProviderSettings| IdentityProvider {
            id: settings.id.clone(),
            name: settings.name.clone(),
            issuer: settings.issuer.clone(),
        };
        Ok(Self {
            all: config.identity_providers.iter().map(named).collect(),
            operators: config.identity_providers.iter().map(contact).collect(),
            guarded: self::client(private)?,
            callback: callback.clone(),
            private,
            known: Mutex::default(),
        })
    }

    /// Asks a provider what it says of itself; answers what is wrong with that, for the operator.
    ///
    /// # Errors
    /// Why it can't be used.
    pub async fn check(&self, id: &str) -> Result<()> {
        self.named(id).context("there is no such provider")?.ask().await.map(drop)
    }

    fn named(&self, id: &str) -> Option<&Contact> {
        self.operators.iter().find(|contact| contact.settings.id == id)
    }

    /// Where an account's provider sends browsers back to.
    fn callback_of(&self, account: AccountNumber) -> RedirectUrl {
        let mut url = self.callback.url().clone();
        url.set_path(&format!("{}/{account}", self.callback.url().path()));
        RedirectUrl::from_url(url)
    }

    /// How this provider is spoken with.
    async fn contact(&self, provider: &Provider) -> Result<Contact, Failure> {
        let provider = match provider {
            Provider::Operators(known) => {
                return self.named(&known.id).cloned().ok_or(Failure::NotFound);
            }
            Provider::Accounts(provider) => provider,
        };
        let mut known = self.known.lock().await;
        if known.len() >= KNOWN_AT_MOST && !known.contains_key(&provider.issuer) {
            known.clear();
        }
        let memory = Arc::clone(known.entry(provider.issuer.clone()).or_default());
        let plain = self.private && provider.issuer.starts_with("http:");
        Ok(Contact {
            settings: IdentityProviderSettings {
                id: format!("account {}", provider.number),
                name: String::new(),
                issuer: provider.issuer.clone(),
                client_id: provider.client_id.clone(),
                client_secret: provider.client_secret.clone(),
            },
            callback: self.callback_of(provider.number),
            http: Http { client: self.guarded.clone(), plain, private: self.private },
            known: memory,
        })
    }
}

impl IdentityProviders for OpenIdConnect {
    fn all(&self) -> &[IdentityProvider] {
        &self.all
    }

    fn address<'a>(
        &'a self,
        provider: &'a Provider,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Answer<'a, Secret> {
        Box::pin(async move { self.contact(provider).await?.address(keys, now).await })
    }

    fn identify<'a>(
        &'a self,
        provider: &'a Provider,
        returned: &'a Returned,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Answer<'a, Identified> {
        Box::pin(async move {
            let contact = self.contact(provider).await?;
            let identified = contact.identify(returned, keys, now).await;
            identified.map_err(|trouble| contact.tell(&trouble))
        })
    }
}

/// Why an answer came to nothing. The words are for the log.
enum Trouble {
    /// The provider doesn't answer, or nothing that makes sense.
    Silent(String),
    /// What came back can't be trusted, or says no.
    Refused(String),
}

use Trouble::{Refused, Silent};

impl Contact {
    /// What the provider says of itself, asked for when it isn't known or older than it may be.
    async fn description(
        &self,
        now: Timestamp,
        asked_since: Option<Timestamp>,
    ) -> Result<Arc<Description>, Trouble> {
        // Whoever comes while it is asked waits for that answer.
        let mut known = self.known.lock().await;
        let holds =
            |known: &&Known| known.holds(now) && asked_since.is_none_or(|since| known.at >= since);
        if let Some(known) = known.as_ref().filter(holds) {
            return known.description.clone().ok_or(Silent("it didn't answer just now".to_owned()));
        }
        let asked = self.ask().await.map(Arc::new);
        *known = Some(Known { at: now, description: asked.as_ref().ok().cloned() });
        asked.map_err(|error| Silent(format!("{error:#}")))
    }

    /// Asks the provider what it says of itself (OpenID Connect Discovery 1.0 section 4) and for its
    /// keys.
    async fn ask(&self) -> Result<Description> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())?;
        let description = Description::discover_async(issuer, &self.http).await?;
        let goes = description.authorization_endpoint().url();
        // The browser goes there, whose network it may be in.
        anyhow::ensure!(self.http.is_protected(goes), "{goes} isn't https");
        anyhow::ensure!(description.token_endpoint().is_some(), "it names no token endpoint");
        Ok(description)
    }

    fn client(&self, description: &Description) -> Client {
        let basic = CoreClientAuthMethod::ClientSecretBasic;
        let post = CoreClientAuthMethod::ClientSecretPost;
        let methods = description.token_endpoint_auth_methods_supported();
        let only_in_body = methods.is_some_and(|all| all.contains(&post) && !all.contains(&basic));
        let how = if only_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        CoreClient::from_provider_metadata(
            description.clone(),
            ClientId::new(self.settings.client_id.clone()),
            Some(ClientSecret::new(self.settings.client_secret.expose().to_owned())),
        )
        .set_auth_type(how)
        .set_redirect_uri(self.callback.clone())
    }

    async fn address(&self, keys: &Keys, now: Timestamp) -> Result<Secret, Failure> {
        let description = self.description(now, None).await;
        let description = description.map_err(|trouble| self.tell(&trouble))?;
        let (state, nonce) = (keys.state.expose().to_owned(), keys.nonce.expose().to_owned());
        let verifier = PkceCodeVerifier::new(keys.verifier.expose().to_owned());
        let (address, _, _) = self
            .client(&description)
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(Secret::from(String::from(address)))
    }

    async fn identify(
        &self,
        returned: &Returned,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Identified, Trouble> {
        let description = self.description(now, None).await?;
        sent_by(&description, returned.iss.as_deref())?;
        let code = match (&returned.code, &returned.error) {
            (Some(code), None) => code.expose().to_owned(),
            (_, error) => return Err(Refused(format!("it says {error:?} instead of a code"))),
        };
        let client = self.client(&description);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(silent)?
            .set_pkce_verifier(PkceCodeVerifier::new(keys.verifier.expose().to_owned()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(says) => Refused(format!("it says {says}")),
                error => silent(error),
            })?;
        let nonce = Nonce::new(keys.nonce.expose().to_owned());
        let claims = match verified(&client, &description, &tokens, &nonce, now) {
            // It may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let anew = self.description(now, Some(now.before(KEYS_KEPT))).await?;
                verified(&self.client(&anew), &anew, &tokens, &nonce, now)
            }
            claims => claims,
        };
        let claims = claims.map_err(|error| Refused(error.to_string()))?;
        let identity = Identity::parse(claims.issuer(), claims.subject())
            .ok_or_else(|| Refused("its subject can't be one".to_owned()))?;
        let email = match claims.email() {
            Some(email) => (claims.email_verified() == Some(true)).then(|| email.to_string()),
            None => self.email(&client, &tokens, &claims).await?,
        };
        Ok(Identified {
            identity,
            email: email.and_then(|email| EmailAddress::parse(&email).ok()),
            proven_at: claims.auth_time().map(|at| Timestamp::from_micros(at.timestamp_micros())),
        })
    }

    /// The verified address, where the provider keeps it out of the ID token (OpenID Connect Core
    /// 1.0 section 5.4).
    async fn email(
        &self,
        client: &Client,
        tokens: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
    ) -> Result<Option<String>, Trouble> {
        if client.user_info_url().is_none() {
            return Ok(None);
        }
        let subject = Some(claims.subject().clone());
        let says: CoreUserInfoClaims = client
            .user_info(tokens.access_token().clone(), subject)
            .map_err(silent)?
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                UserInfoError::ClaimsVerification(error) => Refused(error.to_string()),
                error => silent(error),
            })?;
        let verified = says.email_verified() == Some(true);
        Ok(says.email().filter(|_| verified).map(|email| email.to_string()))
    }

    /// Notes the trouble for the operator; people are told no more than that there is one.
    fn tell(&self, trouble: &Trouble) -> Failure {
        let provider = &self.settings.id;
        match trouble {
            Silent(why) => {
                let why = shorten(why);
                tracing::warn!(provider, why, "an identity provider doesn't answer as it should");
                Failure::IdentityProvider
            }
            Refused(why) => {
                let why = shorten(why);
                tracing::warn!(provider, why, "an identity provider didn't vouch for anybody");
                Failure::Conflict(Conflict::NotIdentified)
            }
        }
    }
}

/// The library puts no more into its errors than what failed; why stands in their sources.
fn silent(error: impl std::error::Error + Send + Sync + 'static) -> Trouble {
    Silent(format!("{:#}", anyhow::Error::new(error)))
}

/// Whether it was this provider that sent the browser back (RFC 9207 section 2.4): it says so, and
/// must if it announced that it does.
fn sent_by(description: &Description, iss: Option<&str>) -> Result<(), Trouble> {
    let announced = description.additional_metadata();
    match iss {
        Some(iss) if iss != description.issuer().as_str() => {
            Err(Refused("another provider sent the browser back".to_owned()))
        }
        None if announced.authorization_response_iss_parameter_supported => {
            Err(Refused("it doesn't say that it sent the browser back".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The ID token's claims, once all is checked that OpenID Connect Core 1.0 section 3.1.3.7 demands.
fn verified(
    client: &Client,
    description: &Description,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let wrong = |what: &str| ClaimsVerificationError::Other(what.to_owned());
    let moment = DateTime::<Utc>::from_timestamp_micros(now.as_micros()).unwrap_or_default();
    let verifier: CoreIdTokenVerifier<'_> = client
        .id_token_verifier()
        .set_allowed_algs(signing_algorithms(description))
        .set_time_fn(move || moment);
    let token = tokens.id_token().ok_or_else(|| wrong("there is no ID token"))?;
    let claims = token.claims(&verifier, nonce)?;
    // The library leaves it to us (its steps 4 and 5, and section 3.1.3.8).
    if claims.authorized_party().is_some_and(|party| party != client.client_id()) {
        return Err(wrong("the ID token was issued to somebody else"));
    }
    if let Some(hash) = claims.access_token_hash() {
        let key =
            token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
        let alg = token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
        let expected = AccessTokenHash::from_token(tokens.access_token(), alg, key);
        if expected.ok().as_ref() != Some(hash) {
            return Err(wrong("the access token isn't the ID token's"));
        }
    }
    Ok(claims.clone())
}

/// The provider's algorithms, without those that sign nothing or with the client's secret: whoever
/// reads that could then vouch for everybody.
fn signing_algorithms(description: &Description) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm as Alg;
    let all = description.id_token_signing_alg_values_supported().iter().cloned();
    let signs =
        |alg: &Alg| !matches!(alg, Alg::None | Alg::HmacSha256 | Alg::HmacSha384 | Alg::HmacSha512);
    all.filter(signs).collect()
}

/// The client that they are asked with, at private addresses too or not: the TLS of the mail server's
/// connection, and the system's certificate authorities.
fn client(private: bool) -> Result<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS can't be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder();
    let builder = if private { builder } else { builder.dns_resolver(PublicOnly) };
    builder
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .user_agent("Latchkey")
        .build()
        .context("the client for identity providers can't be set up")
}

/// Finds public addresses only: an owner must not have Latchkey ask what it alone reaches (OWASP ASVS
/// 5.0 V1.3.6, V13.2.4).
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = all.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                let error = io::Error::other("it has no public address");
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(error));
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether the address is one that everybody reaches (IANA's registries of special-purpose addresses,
/// RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a, b, c) == (192, 0, 0))
        }
        // Of the global unicast addresses, not those that stand for others (6to4, Teredo) or for
        // none: NAT64 and unique local ones are outside anyway.
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        }
    }
}

/// Asks one provider.
#[derive(Clone)]
struct Http {
    client: reqwest::Client,
    /// Whether it is on this machine, without TLS.
    plain: bool,
    /// Whether it may have a private address.
    private: bool,
}

impl Http {
    /// Whether what goes to this address can't be read on the way.
    fn is_protected(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.plain && is_here(url)
    }

    /// Whether an address that the provider names may be asked. A host's name is looked at when it
    /// is resolved.
    fn may_go_to(&self, url: &Url) -> bool {
        let allowed = self.private
            || match url.host() {
                Some(url::Host::Domain(_)) => true,
                Some(url::Host::Ipv4(address)) => is_public(address.into()),
                Some(url::Host::Ipv6(address)) => is_public(address.into()),
                None => false,
            };
        allowed && self.is_protected(url)
    }

    async fn fetch(&self, request: HttpRequest) -> io::Result<HttpResponse> {
        let request = reqwest::Request::try_from(request).map_err(io::Error::other)?;
        if !self.may_go_to(request.url()) {
            let url = request.url();
            return Err(io::Error::other(format!("{url} isn't https, or isn't public")));
        }
        let mut answer = self.client.execute(request).await.map_err(io::Error::other)?;
        let mut response = HttpResponse::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(piece) = answer.chunk().await.map_err(io::Error::other)? {
            if response.body().len() + piece.len() > LARGEST {
                return Err(io::Error::other("the answer is too large"));
            }
            response.body_mut().extend_from_slice(&piece);
        }
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

/// Whether the address is this machine's own, where http is as good as https.
pub(crate) fn is_here(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_provider_on_this_machine_is_asked_without_tls() {
        let goes = |plain: bool, url: &str| {
            let http = Http { client: client(true).unwrap(), plain, private: true };
            http.may_go_to(&Url::parse(url).unwrap())
        };
        for url in ["https://id.example/keys", "https://127.0.0.1/keys"] {
            assert!(goes(false, url) && goes(true, url), "{url}");
        }
        for url in ["http://127.0.0.1:9000/keys", "http://[::1]/keys", "http://localhost/keys"] {
            assert!(!goes(false, url) && goes(true, url), "{url}");
        }
        for url in ["http://id.example/keys", "http://10.0.0.1/keys", "file:///etc/passwd"] {
            assert!(!goes(false, url) && !goes(true, url), "{url}");
        }
    }

    #[test]
    fn accounts_providers_are_asked_at_public_addresses_only() {
        let http = Http { client: client(false).unwrap(), plain: false, private: false };
        let goes = |url: &str| http.may_go_to(&Url::parse(url).unwrap());
        for url in ["https://id.example", "https://8.8.8.8/", "https://[2606:4700::1111]/"] {
            assert!(goes(url), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "https://0x7f000001/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
        ] {
            assert!(!goes(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_for_a_private_address_is_not_resolved() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err());
    }
}
