//! Decisions as they are written down in JSON. Their sentences are the operator's, in English: whoever
//! asks is a program, and goes by the ids.

use domain::decisions::{Decision, Given, Reason, Requirement};
use model::{Pause, Timestamp};
use serde::Serialize;

/// A decision (AuthZEN Authorization API 1.0, section 5.5).
#[derive(Serialize)]
pub(super) struct ToldDecision {
    decision: bool,
    context: Context,
}

#[derive(Serialize)]
struct Context {
    reason: ToldReason,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requires: Vec<ToldRequirement>,
}

/// Why: by its id, in words that aren't for the subject, and with what belongs to it.
#[derive(Serialize)]
struct ToldReason {
    id: &'static str,
    reason_admin: Words,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<ToldGrant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

#[derive(Serialize)]
struct Words {
    en: String,
}

#[derive(Serialize)]
struct ToldGrant {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_by: Option<String>,
    given_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

#[derive(Serialize)]
struct ToldRequirement {
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absolute_minutes: Option<u32>,
}

impl From<&Decision> for ToldDecision {
    fn from(decision: &Decision) -> Self {
        let requires = decision.requires.iter().map(required).collect();
        let context = Context { reason: reason(&decision.reason), requires };
        Self { decision: decision.permits(), context }
    }
}

fn reason(reason: &Reason) -> ToldReason {
    let told = |id, words: String| ToldReason {
        id,
        reason_admin: Words { en: words },
        grant: None,
        missing: None,
        since: None,
    };
    match reason {
        Reason::Owner => told("owner", "They own the account.".to_owned()),
        Reason::Given(given) => {
            ToldReason { grant: Some(grant(given)), ..told("grant", sentence(given)) }
        }
        Reason::UnknownAction => told("unknown_action", "There is no such action.".to_owned()),
        Reason::UnknownResource => {
            told("unknown_resource", "There is no such resource.".to_owned())
        }
        Reason::NotAbout(permission, kind) => {
            let words = format!("{permission} isn't about a resource of type {}.", kind.id());
            told("wrong_resource", words)
        }
        Reason::NotInAccount => told("not_in_account", "The account has no such user.".to_owned()),
        Reason::Paused(Pause::ByHand { since, by, .. }) => {
            let by = by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
            let words = format!("Their access is paused{by} since {}.", utc(*since));
            ToldReason { since: Some(utc(*since)), ..told("paused", words) }
        }
        Reason::Paused(Pause::Lapsed { since }) => {
            let words = format!("The last of their grants ended at {}.", utc(*since));
            ToldReason { since: Some(utc(*since)), ..told("lapsed", words) }
        }
        Reason::NoSecondFactor(since) => {
            let words = format!(
                "The account takes a second factor since {}, and they have none.",
                utc(*since)
            );
            ToldReason { since: Some(utc(*since)), ..told("second_factor", words) }
        }
        Reason::Lacking(permission) => {
            let words = format!("None of their grants has {permission}.");
            ToldReason { missing: Some(permission.id()), ..told("no_permission", words) }
        }
        Reason::OutOfReach(permission) => {
            let words = format!("None of their grants with {permission} reaches this resource.");
            ToldReason { missing: Some(permission.id()), ..told("out_of_reach", words) }
        }
    }
}

fn grant(given: &Given) -> ToldGrant {
    ToldGrant {
        id: given.grant.to_string(),
        given_by: given.by.clone(),
        given_at: utc(given.at),
        until: given.until.map(utc),
    }
}

fn sentence(given: &Given) -> String {
    let by = given.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    let until =
        given.until.map_or("without an end".to_owned(), |end| format!("until {}", utc(end)));
    format!("Given{by} at {}, {until}.", utc(given.at))
}

fn required(requirement: &Requirement) -> ToldRequirement {
    let told = |id| ToldRequirement { id, from: None, idle_minutes: None, absolute_minutes: None };
    match requirement {
        Requirement::SingleSignOn => told("single_sign_on"),
        Requirement::Sessions(spans) => ToldRequirement {
            idle_minutes: spans.idle.map(|span| span.minutes()),
            absolute_minutes: spans.absolute.map(|span| span.minutes()),
            ..told("session")
        },
        Requirement::SecondFactor(from) => {
            ToldRequirement { from: Some(utc(*from)), ..told("second_factor") }
        }
    }
}

/// A moment as RFC 3339 has it.
fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default().to_string()
}
