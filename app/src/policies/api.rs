//! Server functions of an account's policy.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;

#[cfg(feature = "ssr")]
use {
    crate::address::{POLICY, address_of, read_cursor, write_cursor},
    crate::notice::Notice,
    crate::request::{self, Inside},
    crate::{formats, words},
    domain::policies::{self, AccountPolicy, RequiredFactor},
    model::{Failure, PolicyRule, SessionSpan},
    std::time::Duration,
};

/// An hour, in seconds.
#[cfg(feature = "ssr")]
const HOUR: u64 = 60 * 60;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyView {
    /// The second factor.
    pub(crate) factor: FactorView,
    /// For how long sessions open the account.
    pub(crate) sessions: SessionsView,
    /// Who can be invited.
    pub(crate) domains: DomainsView,
}

/// How it stands about a second factor for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FactorView {
    /// Whether one is required, in a word.
    pub(crate) state: (Mood, String),
    /// What that means, in a sentence.
    pub(crate) sentence: String,
    /// What its owner can do about it.
    pub(crate) step: FactorStep,
    /// Those who have none.
    pub(crate) lacking: Vec<PersonView>,
    /// Whether this is a later page of them.
    pub(crate) later: bool,
    /// Where their next page begins.
    pub(crate) next: Option<String>,
}

/// What an owner can do about a second factor for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FactorStep {
    /// Set one up themselves, first.
    OwnFirst,
    /// Require it, usually from so many days on; the hint says how many there can be.
    Require {
        /// The usual number of days.
        days: String,
        /// How many there can be.
        hint: String,
    },
    /// Require it no longer.
    Lift,
}

/// The two times that bound a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionsView {
    /// Without use.
    pub(crate) idle: SpanView,
    /// At any rate.
    pub(crate) absolute: SpanView,
    /// Both, for comparing when they are saved.
    pub(crate) before: String,
}

/// A time to be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpanView {
    /// The times: value and words.
    pub(crate) options: Vec<(String, String)>,
    /// The value of the present one.
    pub(crate) chosen: String,
}

/// The domains that invitations go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainsView {
    /// As they are typed.
    pub(crate) typed: String,
    /// For comparing when they are saved.
    pub(crate) before: String,
}

/// The account's policy, for its owners.
#[server(prefix = "/api", endpoint = "policies/page", input = GetUrl)]
pub(crate) async fn policy_page(
    account: String,
    after: String,
) -> Result<Page<PolicyView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = policy(&inside, &after).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn policy(inside: &Inside, after: &str) -> Result<PolicyView, Failure> {
    let policy = policies::overview(&inside.latchkey, &inside.acting.actor).await?;
    Ok(PolicyView {
        factor: factor(inside, policy.factor, after).await?,
        sessions: sessions(inside, &policy),
        domains: DomainsView {
            typed: policy.domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            before: PolicyRule::Domains(policy.domains.clone()).to_stored(),
        },
    })
}

#[cfg(feature = "ssr")]
async fn factor(
    inside: &Inside,
    required: Option<RequiredFactor>,
    after: &str,
) -> Result<FactorView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let after = read_cursor(after);
    let page = policies::lacking(latchkey, actor, after.as_ref()).await?;
    let account = inside.acting.name.clone();
    let (state, sentence, step) = match required {
        Some(factor) => {
            let when = formats::first_day(factor.from);
            let (mood, sentence) = if factor.from <= latchkey.now() {
                (Mood::Ok, words!(policy.in_force, account = account, when = when))
            } else {
                (Mood::Waiting, words!(policy.coming, account = account, when = when))
            };
            ((mood, words!(users.on)), sentence, FactorStep::Lift)
        }
        None => {
            let step = if policies::has_factor(latchkey, actor).await? {
                let hint = words!(policy.days_hint, most = policies::LONGEST_GRACE);
                FactorStep::Require { days: policies::USUAL_GRACE.to_string(), hint }
            } else {
                FactorStep::OwnFirst
            };
            ((Mood::Quiet, words!(users.off)), words!(policy.factor_off), step)
        }
    };
    let person = |member: policies::Member| PersonView {
        id: member.user,
        name: member.full_name,
        email: member.email.to_string(),
    };
    Ok(FactorView {
        state,
        sentence,
        step,
        lacking: page.users.into_iter().map(person).collect(),
        later: after.is_some(),
        next: page.next.as_ref().map(write_cursor),
    })
}

#[cfg(feature = "ssr")]
fn sessions(inside: &Inside, policy: &AccountPolicy) -> SessionsView {
    let settings = &inside.latchkey.settings;
    SessionsView {
        idle: spans(policy.sessions.idle, settings.session_idle, |usual| {
            words!(policy.usual_hours, count = usual.as_secs() / HOUR)
        }),
        absolute: spans(policy.sessions.absolute, settings.session_absolute, |usual| {
            words!(policy.usual_days, count = usual.as_secs() / (24 * HOUR))
        }),
        before: PolicyRule::Sessions(policy.sessions).to_stored(),
    }
}

/// The times to choose from: those that are shorter than the provider's, and the present one.
#[cfg(feature = "ssr")]
fn spans(
    chosen: Option<SessionSpan>,
    usual: Duration,
    in_words: impl FnOnce(Duration) -> String,
) -> SpanView {
    let value = |span: SessionSpan| span.minutes().to_string();
    let shorter = SessionSpan::ALL.into_iter();
    let shorter = shorter.filter(|span| span.duration() < usual || Some(*span) == chosen);
    let options = shorter.map(|span| (value(span), words::span(span)));
    let usual = std::iter::once((String::new(), in_words(usual)));
    SpanView {
        options: usual.chain(options).collect(),
        chosen: chosen.map(value).unwrap_or_default(),
    }
}

/// Requires a second factor of everybody in the account.
#[server(prefix = "/api", endpoint = "policies/demand-factor")]
pub(crate) async fn require_factor(
    account: String,
    #[server(default)] days: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    policies::require_factor(latchkey, actor, &days, &request::client()?).await?;
    request::done(&policy_path(&inside), Notice::FactorRequired);
    Ok(())
}

/// Requires a second factor no longer.
#[server(prefix = "/api", endpoint = "policies/demand-no-factor")]
pub(crate) async fn require_no_factor(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    policies::require_no_factor(latchkey, actor, &request::client()?).await?;
    request::done(&policy_path(&inside), Notice::FactorNotRequired);
    Ok(())
}

/// Reminds those who have no second factor.
#[server(prefix = "/api", endpoint = "policies/remind")]
pub(crate) async fn remind(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    policies::remind(&inside.latchkey, &inside.acting.actor).await?;
    request::done(&policy_path(&inside), Notice::Reminded);
    Ok(())
}

/// Bounds for how long sessions open the account.
#[server(prefix = "/api", endpoint = "policies/bound-sessions")]
pub(crate) async fn bound_sessions(
    account: String,
    session_idle: String,
    session_absolute: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (before, client) = (before.as_deref(), request::client()?);
    policies::bound_sessions(latchkey, actor, &session_idle, &session_absolute, before, &client)
        .await?;
    request::done(&policy_path(&inside), Notice::ChangesSaved);
    Ok(())
}

/// Limits invitations to addresses of these domains.
#[server(prefix = "/api", endpoint = "policies/limit-domains")]
pub(crate) async fn limit_domains(
    account: String,
    domains: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (before, client) = (before.as_deref(), request::client()?);
    policies::limit_domains(latchkey, actor, &domains, before, &client).await?;
    request::done(&policy_path(&inside), Notice::ChangesSaved);
    Ok(())
}

#[cfg(feature = "ssr")]
fn policy_path(inside: &Inside) -> String {
    address_of(POLICY, &[&inside.acting.number])
}
