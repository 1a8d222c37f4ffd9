//! Speaking with identity providers: OpenID Connect over HTTPS. What protects the requests is
//! `guarded_http.rs`'s, and what is believed of a token `id_tokens.rs`'.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::identity_providers::{
    Asking, Identified, IdentityProvider, IdentityProviders, Keys, NoProvider, Provider, Returned,
};
use model::{
    AccountNumber, Conflict, EmailAddress, Failure, Identity, NotIdentified, Secret, Timestamp,
};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreIdToken,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreSubjectIdentifierType, CoreTokenIntrospectionResponse,
    CoreTokenType,
};
use openidconnect::{
    AccessToken, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    ProviderMetadata, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardErrorResponse,
    TokenResponse, http,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::config::{Config, IdentityProviderSettings};
use crate::guarded_http::{self, Http};
use crate::id_tokens::{self, Claims, Expected, Signer, Wrong, is_same_issuer};
use crate::mail_server::shorten;

/// How long what a provider says of itself holds.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);
/// How long a provider that didn't answer isn't asked again: who waits for it would wait in a row.
const SILENT_FOR: Duration = Duration::from_secs(5);
/// Of how many accounts' providers is known what they last said of themselves: no more than owners
/// may fill with it.
const KNOWN_AT_MOST: usize = 250;
/// How a client names itself with its secret: in the header, or in the body.
const BASIC: CoreClientAuthMethod = CoreClientAuthMethod::ClientSecretBasic;
const POST: CoreClientAuthMethod = CoreClientAuthMethod::ClientSecretPost;
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

/// What is read of the answer to a code. The library would read the ID token's claims as well, and
/// refuse the whole answer for one of another type than it expects.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Tokens {
    access_token: AccessToken,
    id_token: Option<String>,
}

impl OAuth2TokenResponse for Tokens {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &CoreTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Tokens
{
    /// It is checked here.
    fn id_token(&self) -> Option<&CoreIdToken> {
        None
    }
}

type Client = openidconnect::Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
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
        let client = guarded_http::client(true)?;
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
            guarded: guarded_http::client(private)?,
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
        let asked = self.named(id).context("there is no such provider")?.ask().await;
        asked.map(drop).map_err(|(Silent(_, why) | Refused(_, why))| anyhow::Error::msg(why))
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

    fn issuer<'a>(
        &'a self,
        provider: &'a Provider,
        now: Timestamp,
    ) -> Asking<'a, Result<String, NoProvider>> {
        Box::pin(async move {
            let contact = self.contact(provider).await?;
            // Asked anew: its owner may just have mended what was wrong.
            match contact.description(now, Some(now)).await {
                Ok(description) => Ok(Ok(description.issuer().to_string())),
                Err(Silent(why, what)) => {
                    contact.tell(&Silent(why, what));
                    Ok(Err(why))
                }
                Err(trouble) => Err(contact.tell(&trouble)),
            }
        })
    }

    fn address<'a>(
        &'a self,
        provider: &'a Provider,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Asking<'a, Secret> {
        Box::pin(async move { self.contact(provider).await?.address(keys, now).await })
    }

    fn identify<'a>(
        &'a self,
        provider: &'a Provider,
        returned: &'a Returned,
        keys: &'a Keys,
        now: Timestamp,
    ) -> Asking<'a, Identified> {
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
    Silent(NoProvider, String),
    /// What came back can't be trusted, or says no.
    Refused(NotIdentified, String),
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
            let silent = || Silent(NoProvider::Unanswered, "it didn't answer just now".to_owned());
            return known.description.clone().ok_or_else(silent);
        }
        let asked = self.ask().await.map(Arc::new);
        *known = Some(Known { at: now, description: asked.as_ref().ok().cloned() });
        asked
    }

    /// Asks the provider what it says of itself (OpenID Connect Discovery 1.0 section 4) and for its
    /// keys. Whether its address ends in a slash is its to say.
    async fn ask(&self) -> Result<Description, Trouble> {
        let issuer = &self.settings.issuer;
        let mut asked = self.ask_as(issuer.clone()).await;
        if let Err(DiscoveryError::Validation(_)) = &asked {
            let other = issuer.strip_suffix('/').map_or(format!("{issuer}/"), str::to_owned);
            asked = self.ask_as(other).await;
        }
        let description = asked.map_err(|error| {
            let kind = match &error {
                DiscoveryError::Request(_) => NoProvider::Unanswered,
                DiscoveryError::Response(status, ..) if status.is_server_error() => {
                    NoProvider::Unanswered
                }
                DiscoveryError::Validation(_) => NoProvider::OtherIssuer,
                _ => NoProvider::NoDescription,
            };
            Silent(kind, told(error))
        })?;
        let goes = description.authorization_endpoint().url();
        let methods = description.token_endpoint_auth_methods_supported();
        let mut taken = methods.into_iter().flatten();
        let what = if !self.http.is_protected(goes) {
            // The browser goes there, whose network it may be in.
            format!("{goes} isn't https")
        } else if description.token_endpoint().is_none() {
            "it names no token endpoint".to_owned()
        } else if methods.is_some() && !taken.any(|method| [BASIC, POST].contains(method)) {
            format!("it takes no client secret, but {methods:?}")
        } else {
            return Ok(description);
        };
        Err(Silent(NoProvider::NoDescription, what))
    }

    async fn ask_as(&self, issuer: String) -> Result<Description, DiscoveryError<io::Error>> {
        let issuer = IssuerUrl::new(issuer).map_err(DiscoveryError::UrlParse)?;
        Description::discover_async(issuer, &self.http).await
    }

    fn client(&self, description: &Description) -> Client {
        let IdentityProviderSettings { client_id, client_secret, .. } = &self.settings;
        let methods = description.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_some_and(|all| all.contains(&method));
        // In the header it is encoded twice (RFC 6749 section 2.3.1), which some providers don't know
        // to undo; in the body it can't be mistaken.
        let is_plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        let plain = is_plain(client_id) && is_plain(client_secret.expose());
        let in_body = takes(POST) && (!plain || !takes(BASIC));
        let how = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Client::from_provider_metadata(
            description.clone(),
            ClientId::new(client_id.clone()),
            Some(ClientSecret::new(client_secret.expose().to_owned())),
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
        let mut description = self.description(now, None).await?;
        sent_by(&description, returned.iss.as_deref())?;
        let code = match (&returned.code, &returned.error) {
            (Some(code), None) => code.expose().to_owned(),
            (_, Some(error)) => {
                return Err(Refused(NotIdentified::told(error), format!("it says {error:?}")));
            }
            (None, None) => {
                return Err(Refused(NotIdentified::Untrusted, "it sent no code".to_owned()));
            }
        };
        let tokens = self
            .client(&description)
            .exchange_code(AuthorizationCode::new(code))
            .map_err(silent)?
            .set_pkce_verifier(PkceCodeVerifier::new(keys.verifier.expose().to_owned()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(says) => {
                    Refused(NotIdentified::told(says.error().as_ref()), format!("it says {says}"))
                }
                error => silent(error),
            })?;
        let mut claims = self.verified(&description, &tokens, keys, now);
        if let Err(Wrong::NoKey) = claims {
            // It may have new keys.
            description = self.description(now, Some(now.before(KEYS_KEPT))).await?;
            claims = self.verified(&description, &tokens, keys, now);
        }
        let claims = claims.map_err(refused)?;
        let subject = claims.text("sub").unwrap_or_default();
        let identity = Identity::parse(description.issuer(), subject).ok_or_else(|| {
            Refused(NotIdentified::Untrusted, "its subject can't be one".to_owned())
        })?;
        let email = match (claims.email(), claims.email_verified()) {
            (Some(email), Some(verified)) => verified.then(|| email.to_owned()),
            (said, _) => match self.email(&description, &tokens, subject).await {
                // It said all that it wants to say of the address.
                Err(trouble) if said.is_some() => {
                    self.tell(&trouble);
                    None
                }
                email => email?,
            },
        };
        let asked_at = claims.seconds("auth_time");
        Ok(Identified {
            identity,
            email: email.and_then(|email| EmailAddress::parse(&email).ok()),
            proven_at: asked_at.map(|at| Timestamp::from_micros(at.saturating_mul(1_000_000))),
        })
    }

    fn verified(
        &self,
        description: &Description,
        tokens: &Tokens,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Claims, Wrong> {
        let expected = Expected {
            issuer: description.issuer(),
            client_id: &self.settings.client_id,
            nonce: keys.nonce.expose(),
            access_token: &tokens.access_token,
            now,
        };
        let token = tokens.id_token.as_deref().unwrap_or_default();
        id_tokens::check(token, &signer(description), &expected)
    }

    /// The verified address, where the provider keeps it, or that it is verified, out of the ID token
    /// (OpenID Connect Core 1.0 sections 5.3 and 5.4).
    async fn email(
        &self,
        description: &Description,
        tokens: &Tokens,
        subject: &str,
    ) -> Result<Option<String>, Trouble> {
        let Some(url) = description.userinfo_endpoint() else { return Ok(None) };
        let request = http::Request::get(url.url().as_str())
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::AUTHORIZATION, format!("Bearer {}", tokens.access_token.secret()))
            .body(Vec::new())
            .map_err(silent)?;
        let answer = self.http.fetch(request).await.map_err(silent)?;
        if answer.status() != http::StatusCode::OK {
            let what = format!("it answers {} about the person", answer.status());
            return Err(Silent(NoProvider::Unanswered, what));
        }
        let kind = answer.headers().get(http::header::CONTENT_TYPE);
        let is_token = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/jwt"));
        let claims = if is_token {
            let token = String::from_utf8_lossy(answer.body());
            id_tokens::signed(token.trim(), &signer(description)).map_err(refused)?.0
        } else {
            serde_json::from_slice(answer.body()).map_err(silent)?
        };
        if claims.text("sub") != Some(subject) {
            let what = "it tells of another person than the ID token".to_owned();
            return Err(Refused(NotIdentified::Untrusted, what));
        }
        let verified = claims.email_verified() == Some(true);
        Ok(claims.email().filter(|_| verified).map(str::to_owned))
    }

    /// Notes the trouble for the operator; people are told no more than that there is one.
    fn tell(&self, trouble: &Trouble) -> Failure {
        let provider = &self.settings.id;
        match trouble {
            Silent(_, why) => {
                let why = shorten(why);
                tracing::warn!(provider, why, "an identity provider doesn't answer as it should");
                Failure::IdentityProvider
            }
            Refused(kind, why) => {
                let why = shorten(why);
                tracing::warn!(provider, why, "an identity provider didn't vouch for anybody");
                Failure::Conflict(Conflict::NotIdentified(*kind))
            }
        }
    }
}

/// The library puts no more into its errors than what failed; why stands in their sources.
fn told(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::new(error))
}

fn silent(error: impl std::error::Error + Send + Sync + 'static) -> Trouble {
    Silent(NoProvider::Unanswered, told(error))
}

fn refused(wrong: Wrong) -> Trouble {
    match wrong {
        Wrong::NoKey => {
            Refused(NotIdentified::Untrusted, "it has no key like the token's".to_owned())
        }
        Wrong::Because(kind, what) => Refused(kind, what),
    }
}

/// Whether it was this provider that sent the browser back (RFC 9207 section 2.4): it says so, and
/// must if it announced that it does.
fn sent_by(description: &Description, iss: Option<&str>) -> Result<(), Trouble> {
    let announced = description.additional_metadata();
    match iss {
        Some(iss) if !is_same_issuer(iss, description.issuer()) => {
            let what = format!("{iss:?} sent the browser back");
            Err(Refused(NotIdentified::Issuer, what))
        }
        None if announced.authorization_response_iss_parameter_supported => {
            let what = "it doesn't say that it sent the browser back".to_owned();
            Err(Refused(NotIdentified::Untrusted, what))
        }
        _ => Ok(()),
    }
}

fn signer(description: &Description) -> Signer<'_> {
    Signer { keys: description.jwks(), algorithms: signing_algorithms(description) }
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
