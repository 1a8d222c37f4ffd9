//! Server functions of an account's own identity provider. The words come from the server with
//! the page: the browser's half needs none of them elsewhere.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::ui::copy::CopyWords;
use crate::ui::state::Mood;

#[cfg(feature = "ssr")]
use {
    crate::address::{ACCOUNTS, CALLBACK_OF_ACCOUNT, ONWARD, address_of, same_site},
    crate::notice::Notice,
    crate::request::{self, Inside},
    crate::when::server::exact,
    crate::{contact, words},
    domain::identity_providers::provider_name,
    domain::single_sign_on::{
        self, AccountDomain, AccountProvider, Overview, SingleSignOn, TypedProvider,
    },
    model::EmailDomain,
};

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SingleSignOnView {
    /// What it is about.
    pub(crate) lead: String,
    /// The domains.
    pub(crate) domains: DomainsView,
    /// The provider.
    pub(crate) provider: ProviderView,
    /// Whether it is required.
    pub(crate) requirement: RequirementView,
}

/// The words on a button, and its accessible name, which may say more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verb {
    /// The words.
    pub(crate) words: String,
    /// The name.
    pub(crate) label: String,
}

impl Verb {
    /// Words that say enough.
    pub(crate) fn new(words: String) -> Self {
        Self { label: words.clone(), words }
    }
}

/// The domains, and adding one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainsView {
    /// The heading.
    pub(crate) heading: String,
    /// What they are for.
    pub(crate) text: String,
    /// The domains.
    pub(crate) rows: Vec<DomainRow>,
    /// The field's label.
    pub(crate) label: String,
    /// Its hint.
    pub(crate) hint: String,
    /// The words on the button.
    pub(crate) add: String,
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainRow {
    /// Its ASCII form.
    pub(crate) id: String,
    /// As its owners write it.
    pub(crate) name: String,
    /// How it stands, in a word.
    pub(crate) state: (Mood, String),
    /// What to do with the record, and its parts.
    pub(crate) record: (String, Vec<Fact>),
    /// Once it was seen, it is kept behind these words.
    pub(crate) kept_behind: Option<Verb>,
    /// Having the record looked for.
    pub(crate) prove: Option<Verb>,
    /// Giving the domain up; none while single sign-on hangs on it.
    pub(crate) remove: Option<Verb>,
    /// What that means, where it is asked once more, and the answer.
    pub(crate) asked: Option<(String, Verb)>,
}

/// Something that is typed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// What it is called.
    pub(crate) name: String,
    /// The text.
    pub(crate) value: String,
    /// The words on the button that copies it.
    pub(crate) copy: Option<CopyWords>,
}

#[cfg(feature = "ssr")]
impl Fact {
    /// One to be copied; `what` says which, where several have the same name.
    fn to_copy(name: String, value: String, what: String) -> Self {
        let copy = CopyWords {
            copy: words!(sso.copy),
            copy_of: words!(sso.copy_of, what = what.clone()),
            copied: words!(pending.copied),
            copied_of: words!(sso.copied_of, what = what),
            refused: words!(sso.copy_refused),
        };
        Self { name, value, copy: Some(copy) }
    }
}

/// The provider, and choosing one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProviderView {
    /// The heading.
    pub(crate) heading: String,
    /// What to do there.
    pub(crate) text: String,
    /// Where it sends browsers back to.
    pub(crate) redirect: Fact,
    /// Its address.
    pub(crate) issuer: FieldView,
    /// What it calls us.
    pub(crate) client_id: FieldView,
    /// By which it knows us.
    pub(crate) secret: FieldView,
    /// Whether address and client ID stay, as they are required.
    pub(crate) locked: bool,
    /// The words on the button.
    pub(crate) save: String,
    /// What a change means, if there is one.
    pub(crate) change_text: Option<String>,
    /// Removing it, what that means, and the answer; none while it is required.
    pub(crate) remove: Option<(Verb, String, Verb)>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldView {
    /// Its label.
    pub(crate) label: String,
    /// Its hint.
    pub(crate) hint: String,
    /// What is in it.
    pub(crate) value: String,
}

/// Whether signing in with the provider is required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequirementView {
    /// The heading.
    pub(crate) heading: String,
    /// How it stands, in a word.
    pub(crate) state: (Mood, String),
    /// What that means, and what comes next.
    pub(crate) texts: Vec<String>,
    /// What an owner can do about it.
    pub(crate) step: Step,
}

/// What an owner can do about it; the words on the button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Nothing yet.
    None,
    /// Sign in that way themselves.
    Try {
        /// Their address.
        email: String,
        /// The words.
        words: String,
    },
    /// Require it.
    Require(String),
    /// Require it no longer.
    Lift(String),
}

/// How the account's own people sign in, for its owners.
#[server(prefix = "/api", endpoint = "single-sign-on/page", input = GetUrl)]
pub(crate) async fn single_sign_on_page(
    account: String,
) -> Result<Page<SingleSignOnView>, Problem> {
    let inside = request::inside(&account).await?;
    let overview =
        single_sign_on::overview(&inside.latchkey, &inside.acting.actor, &inside.viewer).await;
    let content = overview.map(|overview| view(&inside, &overview));
    inside.page(content).await
}

#[cfg(feature = "ssr")]
fn view(inside: &Inside, overview: &Overview) -> SingleSignOnView {
    let SingleSignOn { provider, domains } = &overview.single_sign_on;
    let required = overview.single_sign_on.is_required();
    SingleSignOnView {
        lead: words!(sso.lead, account = inside.acting.name.clone()),
        domains: DomainsView {
            heading: words!(sso.domains),
            text: words!(sso.domains_text),
            rows: domains.iter().map(|one| row(one, required)).collect(),
            label: words!(sso.domain),
            hint: words!(sso.domain_hint),
            add: words!(sso.add_domain),
        },
        provider: provider_view(inside, provider.as_ref(), required),
        requirement: requirement(inside, overview),
    }
}

#[cfg(feature = "ssr")]
fn row(one: &AccountDomain, required: bool) -> DomainRow {
    let AccountDomain { domain, token, proven_at } = one;
    let name = domain.to_string();
    let state = match proven_at {
        Some(at) => (Mood::Ok, words!(sso.proven, when = exact(*at))),
        None => (Mood::Waiting, words!(sso.unproven)),
    };
    let to_copy = |part: String, value| {
        let what = format!("{part}, {name}");
        Fact::to_copy(part, value, what)
    };
    let facts = vec![
        Fact { name: words!(sso.record_type), value: "TXT".to_owned(), copy: None },
        to_copy(words!(sso.record_name), single_sign_on::record_name(domain)),
        to_copy(words!(sso.record_value), token.clone()),
    ];
    let record_text =
        if proven_at.is_some() { words!(sso.record_stays) } else { words!(sso.record_text) };
    let kept_behind = proven_at.map(|_| Verb {
        words: words!(sso.record),
        label: words!(sso.record_of, domain = name.clone()),
    });
    let prove = proven_at.is_none().then(|| Verb {
        words: words!(sso.check),
        label: words!(sso.check_of, domain = name.clone()),
    });
    let remove =
        Verb { words: words!(sso.remove), label: words!(sso.remove_of, domain = name.clone()) };
    let locked = required && proven_at.is_some();
    DomainRow {
        id: domain.as_str().to_owned(),
        state,
        record: (record_text, facts),
        kept_behind,
        prove,
        remove: (!locked).then_some(remove),
        asked: proven_at.map(|_| {
            let answer = Verb {
                words: words!(sso.yes_remove),
                label: words!(sso.yes_remove_of, domain = name.clone()),
            };
            (words!(sso.remove_domain_text, domain = name.clone()), answer)
        }),
        name,
    }
}

#[cfg(feature = "ssr")]
fn provider_view(
    inside: &Inside,
    provider: Option<&AccountProvider>,
    required: bool,
) -> ProviderView {
    let (site, number) = (request::site(), inside.acting.number);
    let remove = provider.filter(|_| !required).map(|_| {
        let question = Verb::new(words!(sso.remove_provider));
        let answer = Verb::new(words!(sso.yes_remove_provider));
        (question, words!(sso.remove_provider_text), answer)
    });
    let change_text = provider.map(|_| match required {
        true => words!(sso.provider_locked_text),
        false => words!(sso.provider_change_text),
    });
    let value = |of: fn(&AccountProvider) -> &String| provider.map(of).cloned().unwrap_or_default();
    ProviderView {
        heading: words!(sso.provider),
        text: words!(sso.provider_text),
        redirect: Fact::to_copy(
            words!(sso.redirect),
            format!("{}{}", site.public_url, address_of(CALLBACK_OF_ACCOUNT, &[&number])),
            words!(sso.redirect),
        ),
        issuer: FieldView {
            label: words!(sso.issuer),
            hint: words!(sso.issuer_hint),
            value: value(|provider| &provider.issuer),
        },
        client_id: FieldView {
            label: words!(sso.client_id),
            hint: String::new(),
            value: value(|provider| &provider.client_id),
        },
        secret: FieldView {
            label: words!(sso.client_secret),
            hint: match provider {
                Some(_) => words!(sso.client_secret_kept),
                None => words!(sso.client_secret_hint),
            },
            value: String::new(),
        },
        locked: required,
        change_text,
        save: words!(sso.save_provider),
        remove,
    }
}

#[cfg(feature = "ssr")]
fn requirement(inside: &Inside, overview: &Overview) -> RequirementView {
    let heading = words!(sso.requirement);
    let proven = overview.single_sign_on.proven();
    let off = (Mood::Quiet, words!(users.off));
    let not_yet = |text: String| RequirementView {
        heading: words!(sso.requirement),
        state: (Mood::Quiet, words!(users.off)),
        texts: vec![text],
        step: Step::None,
    };
    let provider = match &overview.single_sign_on.provider {
        Some(provider) if !proven.is_empty() => provider,
        Some(_) => return not_yet(words!(sso.domain_first)),
        None if !proven.is_empty() => return not_yet(words!(sso.provider_first)),
        None => return not_yet(words!(sso.not_yet)),
    };
    let name = provider_name(&provider.issuer);
    let domains = words::domains(&proven);
    if provider.required_since.is_some() {
        let operator = request::site().provider.clone();
        return RequirementView {
            heading,
            state: (Mood::Ok, words!(users.on)),
            texts: vec![
                words!(sso.required, provider = name, domains = domains),
                contact::ask(words!(sso.required_locked, operator = operator)),
            ],
            step: Step::Lift(words!(sso.lift)),
        };
    }
    let mut texts = vec![words!(sso.optional, provider = name.clone(), domains = domains)];
    let step = if overview.tried {
        texts.push(words!(sso.first_time));
        texts.push(words!(sso.tried));
        Step::Require(words!(sso.require))
    } else if overview.includes_viewer {
        texts.push(words!(sso.try_first));
        let words = words!(identity.sign_in_with, provider = name);
        Step::Try { email: inside.viewer.email.to_string(), words }
    } else {
        texts.push(words!(sso.not_included));
        Step::None
    };
    RequirementView { heading, state: off, texts, step }
}

/// Notes a domain that is to be proven.
#[server(prefix = "/api", endpoint = "single-sign-on/add-domain")]
pub(crate) async fn add_domain(
    account: String,
    #[server(default)] domain: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    single_sign_on::add_domain(&inside.latchkey, &inside.acting.actor, &domain).await?;
    request::done(&path(&inside), Notice::DomainAdded { domain: shown(&domain) });
    Ok(())
}

/// Looks for the record of a domain.
#[server(prefix = "/api", endpoint = "single-sign-on/prove-domain")]
pub(crate) async fn prove_domain(
    account: String,
    #[server(default)] domain: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    single_sign_on::prove_domain(latchkey, actor, &domain, &request::client()?).await?;
    request::done(&path(&inside), Notice::DomainProven { domain: shown(&domain) });
    Ok(())
}

/// Gives a domain up.
#[server(prefix = "/api", endpoint = "single-sign-on/remove-domain")]
pub(crate) async fn remove_domain(
    account: String,
    #[server(default)] domain: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    single_sign_on::remove_domain(latchkey, actor, &domain, &request::client()?).await?;
    request::done(&path(&inside), Notice::DomainRemoved { domain: shown(&domain) });
    Ok(())
}

/// Has the account's own people sign in with this provider.
#[server(prefix = "/api", endpoint = "single-sign-on/set-provider")]
pub(crate) async fn set_provider(
    account: String,
    #[server(default)] issuer: String,
    #[server(default)] client_id: String,
    #[server(default)] client_secret: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let typed =
        TypedProvider { issuer: &issuer, client_id: &client_id, client_secret: &client_secret };
    let (number, client) = (inside.acting.number, request::client()?);
    single_sign_on::set_provider(latchkey, actor, number, typed, &client).await?;
    request::done(&path(&inside), Notice::ProviderSaved);
    Ok(())
}

/// Has nobody sign in with the account's own provider any more.
#[server(prefix = "/api", endpoint = "single-sign-on/remove-provider")]
pub(crate) async fn remove_provider(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    single_sign_on::remove_provider(latchkey, actor, &request::client()?).await?;
    request::done(&path(&inside), Notice::ProviderRemoved);
    Ok(())
}

/// Requires that the account's own people sign in with its provider.
#[server(prefix = "/api", endpoint = "single-sign-on/require")]
pub(crate) async fn require(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    single_sign_on::require(latchkey, actor, &inside.viewer, &request::client()?).await?;
    request::done(&path(&inside), Notice::SingleSignOnRequired);
    Ok(())
}

/// Requires it no longer.
#[server(prefix = "/api", endpoint = "single-sign-on/lift")]
pub(crate) async fn lift(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    single_sign_on::lift(latchkey, actor, &request::client()?).await?;
    request::done(&path(&inside), Notice::SingleSignOnLifted);
    Ok(())
}

#[cfg(feature = "ssr")]
fn path(inside: &Inside) -> String {
    super::path(inside.acting.number)
}

/// The domain as its owners write it.
#[cfg(feature = "ssr")]
fn shown(domain: &str) -> String {
    EmailDomain::parse(domain).map_or_else(|_| domain.to_owned(), |domain| domain.to_string())
}

/// Leads on to the identity provider of the company whose domain the address has, and from there to
/// where the reader was heading.
#[server(prefix = "/api", endpoint = "sign-in/with-company")]
pub(crate) async fn sign_in_with_company(
    #[server(default)] email: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let token = domain::identities::begin_at_company(&latchkey, &email, &client).await?;
    request::keep_identity_way(&token, same_site(&next).unwrap_or(ACCOUNTS));
    request::redirect(ONWARD);
    Ok(())
}
