//! Accounts' own identity providers: proving a domain, choosing a provider, and requiring it of
//! everybody with an address of such a domain. How DNS is asked is handed in.

use std::pin::Pin;
use std::time::Duration;

use model::{
    AccountNumber, Actor, Conflict, EmailDomain, EmailDomains, Failure, Field, FieldErrors,
    FieldProblem, PolicyRule, ProviderSetting, Secret,
};
pub use store::{AccountDomain, AccountProvider, SingleSignOn};
use store::{PolicyChange, PolicyFacts, SingleSignOnStep};
use url::Url;

use crate::identity_providers::{NoProvider, Provider};
use crate::policies::{apply, changing};
use crate::viewer::Viewer;
use crate::{Client, Latchkey, Token};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// How often an account may have a domain's record looked for, or a provider asked, in an hour.
const ASKED_PER_ACCOUNT: u32 = 60;
/// The longest name in DNS, in bytes (RFC 1035 section 2.3.4, less the dots that aren't written).
const LONGEST_NAME: usize = 253;
/// The most characters of a provider's address.
pub const LONGEST_ISSUER: usize = 500;
/// The most characters of a client ID, and of a client secret.
pub const LONGEST_CREDENTIAL: usize = 1_000;

/// DNS doesn't answer, or not as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// An answer on its way from DNS.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, NoAnswer>> + Send + 'a>>;

/// Asks DNS.
pub trait Records: Send + Sync {
    /// The texts that the name's TXT records hold (RFC 1035 section 3.3.14); none when there is no
    /// such name.
    fn texts<'a>(&'a self, name: &'a str) -> Asked<'a>;
}

/// No DNS.
pub(crate) struct NoRecords;

impl Records for NoRecords {
    fn texts<'a>(&'a self, _: &'a str) -> Asked<'a> {
        Box::pin(std::future::ready(Err(NoAnswer)))
    }
}

/// The name of the TXT record that proves a domain: its underscore keeps it out of the way of hosts
/// (RFC 8552 section 1.1).
#[must_use]
pub fn record_name(domain: &EmailDomain) -> String {
    format!("_latchkey-challenge.{}", domain.as_str())
}

/// How the account's own people sign in, as an owner sees it.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Domains and provider.
    pub single_sign_on: SingleSignOn,
    /// Whether the viewer's address is of a proven domain.
    pub includes_viewer: bool,
    /// Whether the viewer has signed in with the provider in this session.
    pub tried: bool,
}

/// How the account's own people sign in.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn overview(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
) -> Result<Overview, Failure> {
    actor.must_own()?;
    let single_sign_on = latchkey.store.single_sign_on(actor.account).await?;
    let includes_viewer = single_sign_on.proven().contain(&EmailDomain::of(&viewer.email));
    let tried = viewer.vouched_for(actor.account).is_some();
    Ok(Overview { single_sign_on, includes_viewer, tried })
}

/// Notes a domain that is to be proven.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::TooManyDomains`];
/// [`Failure::Unavailable`].
pub async fn add_domain(latchkey: &Latchkey, actor: &Actor, domain: &str) -> Result<(), Failure> {
    actor.must_own()?;
    let problem = |problem| Failure::field(Field::Domain, problem);
    let domain = EmailDomain::parse(domain).map_err(problem)?;
    if record_name(&domain).len() > LONGEST_NAME {
        return Err(problem(FieldProblem::Malformed));
    }
    let token = Token::new(latchkey.random.as_ref()).secret().expose().to_owned();
    let change = |facts: &PolicyFacts| {
        let present = &facts.single_sign_on.domains;
        if present.iter().any(|one| one.domain == domain) {
            return Err(problem(FieldProblem::AlreadyListed));
        }
        if present.len() >= EmailDomains::MOST {
            return Err(Failure::Conflict(Conflict::TooManyDomains));
        }
        Ok(Some(unlogged(facts, SingleSignOnStep::AddDomain(domain, token))))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Looks for the domain's record, and makes the domain the account's when it is there.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::NotFound`]; [`Failure::NoRecord`];
/// [`Failure::NameServers`]; [`Conflict::DomainTaken`]; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn prove_domain(
    latchkey: &Latchkey,
    actor: &Actor,
    domain: &str,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let present = latchkey.store.single_sign_on(actor.account).await?;
    let claimed = named(&present, domain)?;
    count(latchkey, actor).await?;
    must_hold(latchkey, &claimed).await?;
    let change = |facts: &PolicyFacts| {
        let one = named(&facts.single_sign_on, domain)?;
        if one.token != claimed.token {
            return Err(Failure::NoRecord(one.domain));
        }
        if one.proven_at.is_some() {
            return Ok(None);
        }
        let before = facts.single_sign_on.proven();
        let after = before.with(one.domain.clone());
        let step = SingleSignOnStep::ProveDomain(one.domain);
        Ok(Some(logged(facts, step, PolicyRule::ProvenDomains, before, after, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Gives a domain up. Whoever was vouched for by an address of it is so no longer.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::NotFound`]; [`Conflict::WhileRequired`] for a proven one;
/// [`Failure::Unavailable`].
pub async fn remove_domain(
    latchkey: &Latchkey,
    actor: &Actor,
    domain: &str,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let change = |facts: &PolicyFacts| {
        let one = named(&facts.single_sign_on, domain)?;
        let step = SingleSignOnStep::RemoveDomain(one.domain.clone());
        if one.proven_at.is_none() {
            return Ok(Some(unlogged(facts, step)));
        }
        must_not_be_required(facts)?;
        let before = facts.single_sign_on.proven();
        let after = before.without(&one.domain);
        Ok(Some(logged(facts, step, PolicyRule::ProvenDomains, before, after, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// What an owner enters of an identity provider.
#[derive(Clone, Copy, Debug)]
pub struct TypedProvider<'a> {
    /// Its address, as it names itself.
    pub issuer: &'a str,
    /// What it calls us.
    pub client_id: &'a str,
    /// By which it knows us; empty for the present one.
    pub client_secret: &'a str,
}

/// Has the account's own people sign in with this provider, which must answer. With another one,
/// all that began by the present one ends; with another secret alone, nothing does. `number` is the
/// account's, for the address that the provider sends browsers back to.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::WhileRequired`];
/// [`Conflict::ChangedMeanwhile`]; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn set_provider(
    latchkey: &Latchkey,
    actor: &Actor,
    number: AccountNumber,
    typed: TypedProvider<'_>,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let present = latchkey.store.account_provider(actor.account).await?;
    let mut errors = FieldErrors::default();
    let private = latchkey.settings.sso_private_addresses;
    let issuer = errors.take(Field::Issuer, parse_issuer(typed.issuer, private));
    let client_id = errors.take(Field::ClientId, parse_line(typed.client_id));
    let kept = present.as_ref().filter(|present| {
        issuer.as_ref().is_some_and(|issuer| is_same(&present.issuer, issuer))
            && Some(&present.client_id) == client_id.as_ref()
    });
    let secret = match (parse_line(typed.client_secret), kept) {
        (Err(FieldProblem::Missing), Some(present)) => Ok(present.client_secret.clone()),
        (typed, _) => typed.map(Secret::from),
    };
    let secret = errors.take(Field::ClientSecret, secret);
    let (Some(issuer), Some(client_id), Some(client_secret)) = (issuer, client_id, secret) else {
        return Err(errors.into_failure());
    };
    let keeps_secret = parse_line(typed.client_secret) == Err(FieldProblem::Missing);
    count(latchkey, actor).await?;
    let provider = AccountProvider {
        account: actor.account,
        number,
        name: String::new(),
        issuer,
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        required_since: None,
    };
    let issuer = must_answer(latchkey, provider).await?;
    let change = |facts: &PolicyFacts| {
        let present = facts.single_sign_on.provider.as_ref();
        let same =
            present.filter(|present| present.issuer == issuer && present.client_id == client_id);
        match same {
            Some(same) if keeps_secret || same.client_secret == client_secret => return Ok(None),
            Some(_) => {}
            // The one whose secret was to be kept is gone.
            None if keeps_secret => return Err(Failure::Conflict(Conflict::ChangedMeanwhile)),
            None => must_not_be_required(facts)?,
        }
        let before = present.map(|present| setting(&present.issuer, &present.client_id, false));
        let after = Some(setting(&issuer, &client_id, same.is_some()));
        let step = SingleSignOnStep::SetProvider { issuer, client_id, client_secret };
        Ok(Some(logged(facts, step, PolicyRule::IdentityProvider, before, after, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Has nobody sign in with the account's own provider any more; all that began by it ends.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Conflict::WhileRequired`], [`Failure::Unavailable`].
pub async fn remove_provider(
    latchkey: &Latchkey,
    actor: &Actor,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let change = |facts: &PolicyFacts| {
        let Some(present) = &facts.single_sign_on.provider else { return Ok(None) };
        must_not_be_required(facts)?;
        let (before, after) = (Some(setting(&present.issuer, &present.client_id, false)), None);
        let step = SingleSignOnStep::RemoveProvider;
        Ok(Some(logged(facts, step, PolicyRule::IdentityProvider, before, after, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Requires that everybody signs in with the provider who has an address of a proven domain. The
/// domains' records must still be there, and the viewer must have signed in that way themselves in
/// this session: what they require of others works, then.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Conflict::NoSingleSignOn`] without a provider or a proven domain;
/// [`Conflict::SignInFirst`]; [`Failure::NoRecord`]; [`Failure::NameServers`];
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn require(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let present = latchkey.store.single_sign_on(actor.account).await?;
    must_be_set_up(&present)?;
    if viewer.vouched_for(actor.account).is_none() {
        return Err(Failure::Conflict(Conflict::SignInFirst));
    }
    count(latchkey, actor).await?;
    for one in present.domains.iter().filter(|one| one.proven_at.is_some()) {
        must_hold(latchkey, one).await?;
    }
    let change = |facts: &PolicyFacts| {
        must_be_set_up(&facts.single_sign_on)?;
        if facts.single_sign_on.is_required() {
            return Ok(None);
        }
        // Domains that nobody looked for just now weren't there either.
        if facts.single_sign_on.proven() != present.proven() {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        let step = SingleSignOnStep::Require(viewer.session);
        Ok(Some(logged(facts, step, PolicyRule::SingleSignOn, false, true, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Requires it no longer.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn lift(latchkey: &Latchkey, actor: &Actor, client: &Client) -> Result<(), Failure> {
    actor.must_own()?;
    let change = |facts: &PolicyFacts| {
        if !facts.single_sign_on.is_required() {
            return Ok(None);
        }
        let step = SingleSignOnStep::Lift;
        Ok(Some(logged(facts, step, PolicyRule::SingleSignOn, true, false, client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Has the operator let an account's own people in again whose provider is gone. Answers false when
/// it isn't required of them.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
pub async fn lift_for(latchkey: &Latchkey, number: AccountNumber) -> Result<bool, Failure> {
    let (before, after) = (PolicyRule::SingleSignOn(true), PolicyRule::SingleSignOn(false));
    let news = |account: &str, owners: &[store::Owner]| {
        crate::policies::by_operator(latchkey, account, owners, before, after)
    };
    let lifted = latchkey.store.lift_single_sign_on(number, latchkey.now(), news).await?;
    if lifted {
        tracing::warn!(account = %number, "the operator lifted an account's single sign-on");
    }
    Ok(lifted)
}

/// Has the operator take a domain away from the account that has proven it. With its last one,
/// single sign-on is required no longer. Answers false when no account has.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::Unavailable`].
pub async fn release_domain(latchkey: &Latchkey, domain: &str) -> Result<bool, Failure> {
    let domain =
        EmailDomain::parse(domain).map_err(|problem| Failure::field(Field::Domain, problem))?;
    let news = |account: &str, owners: &[store::Owner], before: &PolicyRule, after: &PolicyRule| {
        crate::policies::by_operator(latchkey, account, owners, before.clone(), after.clone())
    };
    let released = latchkey.store.release_domain(&domain, latchkey.now(), news).await?;
    if released {
        tracing::warn!(domain = domain.as_str(), "the operator took a domain from its account");
    }
    Ok(released)
}

/// The provider of the company whose domain the address has.
///
/// # Errors
/// [`Failure::Invalid`] when no account has set one up for it, [`Failure::Unavailable`].
pub(crate) async fn provider_for(
    latchkey: &Latchkey,
    email: &str,
) -> Result<AccountProvider, Failure> {
    let problem = |problem| Failure::field(Field::Email, problem);
    let email = model::EmailAddress::parse(email).map_err(problem)?;
    let found = latchkey.store.provider_of_domain(&EmailDomain::of(&email)).await?;
    found.ok_or(problem(FieldProblem::NoSingleSignOn))
}

/// Whether any company's people sign in with a provider of their own.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn is_set_up(latchkey: &Latchkey) -> Result<bool, Failure> {
    latchkey.store.has_single_sign_on().await
}

/// Asks the provider what it calls itself.
async fn must_answer(latchkey: &Latchkey, provider: AccountProvider) -> Result<String, Failure> {
    let provider = Provider::Accounts(provider);
    let issuer = latchkey.identity_providers.issuer(&provider, latchkey.now()).await?;
    issuer.map_err(|no_provider| {
        let problem = match no_provider {
            NoProvider::Unanswered => FieldProblem::Unanswered,
            NoProvider::NoDescription => FieldProblem::NoDescription,
            NoProvider::OtherIssuer => FieldProblem::OtherIssuer,
        };
        Failure::field(Field::Issuer, problem)
    })
}

/// Whether two addresses of a provider are the same but for the slash at their end.
fn is_same(one: &str, other: &str) -> bool {
    one.strip_suffix('/').unwrap_or(one) == other.strip_suffix('/').unwrap_or(other)
}

async fn must_hold(latchkey: &Latchkey, one: &AccountDomain) -> Result<(), Failure> {
    let domain = || one.domain.clone();
    let asked = latchkey.records.texts(&record_name(&one.domain)).await;
    let texts = asked.map_err(|NoAnswer| Failure::NameServers(domain()))?;
    let holds = texts.iter().any(|text| text.trim() == one.token);
    if holds { Ok(()) } else { Err(Failure::NoRecord(domain())) }
}

async fn count(latchkey: &Latchkey, actor: &Actor) -> Result<(), Failure> {
    let key = format!("single-sign-on:{}", uuid::Uuid::from(actor.account));
    latchkey.limit(&key, ASKED_PER_ACCOUNT, HOUR).await
}

fn named(present: &SingleSignOn, domain: &str) -> Result<AccountDomain, Failure> {
    let mut all = present.domains.iter();
    all.find(|one| one.domain.as_str() == domain).cloned().ok_or(Failure::NotFound)
}

fn must_be_set_up(present: &SingleSignOn) -> Result<(), Failure> {
    if present.provider.is_some() && !present.proven().is_empty() {
        return Ok(());
    }
    Err(Failure::Conflict(Conflict::NoSingleSignOn))
}

fn setting(issuer: &str, client_id: &str, new_secret: bool) -> ProviderSetting {
    ProviderSetting { issuer: issuer.to_owned(), client_id: client_id.to_owned(), new_secret }
}

fn must_not_be_required(facts: &PolicyFacts) -> Result<(), Failure> {
    if facts.single_sign_on.is_required() {
        return Err(Failure::Conflict(Conflict::WhileRequired));
    }
    Ok(())
}

/// A step that changes nothing for anybody yet.
fn unlogged(facts: &PolicyFacts, step: SingleSignOnStep) -> PolicyChange {
    PolicyChange {
        policy: facts.policy.clone(),
        single_sign_on: Some(step),
        entry: None,
        mails: Vec::new(),
        bounds: Vec::new(),
        reminders: None,
    }
}

/// A step that the log and every owner hear of.
fn logged<T>(
    facts: &PolicyFacts,
    step: SingleSignOnStep,
    rule: fn(T) -> PolicyRule,
    before: T,
    after: T,
    client: &Client,
) -> PolicyChange {
    let change = changing(facts, facts.policy.clone(), rule(before), rule(after), client);
    PolicyChange { single_sign_on: Some(step), ..change }
}

/// A provider's address as it is meant: what people copy is often where it describes itself (OpenID
/// Connect Discovery 1.0 section 4).
#[must_use]
pub fn meant_issuer(text: &str) -> String {
    let legible = model::legible(text);
    let text = legible.trim();
    let described = text.strip_suffix('/').unwrap_or(text);
    described.strip_suffix("/.well-known/openid-configuration").unwrap_or(text).to_owned()
}

/// A provider's address: https, and nothing behind the path.
fn parse_issuer(text: &str, private: bool) -> Result<String, FieldProblem> {
    let text = meant_issuer(text);
    if text.is_empty() {
        return Err(FieldProblem::Missing);
    }
    if text.chars().count() > LONGEST_ISSUER {
        return Err(FieldProblem::TooLong);
    }
    if text.contains(char::is_whitespace) {
        return Err(FieldProblem::Malformed);
    }
    let url = Url::parse(&text).map_err(|_| FieldProblem::Malformed)?;
    let sound = (url.scheme() == "https" || private && url.scheme() == "http")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if sound { Ok(text) } else { Err(FieldProblem::Malformed) }
}

fn parse_line(text: &str) -> Result<String, FieldProblem> {
    if text.trim().contains(char::is_control) {
        return Err(FieldProblem::Malformed);
    }
    match model::legible(text).trim() {
        "" => Err(FieldProblem::Missing),
        text if text.chars().count() > LONGEST_CREDENTIAL => Err(FieldProblem::TooLong),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_address_is_https_and_no_more_than_a_path() {
        for text in
            ["https://id.example", " https://id.example/tenant/v2.0 ", "https://id.example/"]
        {
            assert_eq!(parse_issuer(text, false).as_deref(), Ok(text.trim()));
        }
        for described in [
            "https://id.example/a/.well-known/openid-configuration",
            "\u{feff}https://id.example/a/.well-known/openid-configuration/\u{a0}",
            "\u{200b}https://id.example/a\u{200b} ",
        ] {
            assert_eq!(parse_issuer(described, false).as_deref(), Ok("https://id.example/a"));
        }
        for text in [
            "id.example",
            "http://id.example",
            "https://",
            "https://me@id.example",
            "https://me:secret@id.example",
            "https://id.example?a=1",
            "https://id.example#a",
            "ftp://id.example",
        ] {
            assert_eq!(parse_issuer(text, false), Err(FieldProblem::Malformed), "{text}");
        }
        assert_eq!(parse_issuer(" ", false), Err(FieldProblem::Missing));
        let long = format!("https://id.example/{}", "a".repeat(500));
        assert_eq!(parse_issuer(&long, false), Err(FieldProblem::TooLong));
        assert!(parse_issuer("http://127.0.0.1:9000", true).is_ok());
    }
}
