//! Server functions of the activity log.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::formats,
    crate::request,
    crate::users::api::{read_cursor, write_cursor},
    crate::words,
    domain::activity::{ActivityRow, NewActivity},
    domain::digests::LogDigest,
    model::{AccessOutline, ActivityKind, Failure, Noted, Permission},
};

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogView {
    /// The rows.
    pub(crate) rows: Vec<LogRow>,
    /// The person filtered by.
    pub(crate) person: String,
    /// The id of the kind filtered by.
    pub(crate) kind: String,
    /// Every kind: id and words.
    pub(crate) kinds: Vec<(String, String)>,
    /// Whether this is a later page.
    pub(crate) later: bool,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
    /// The newest digests; none for whoever isn't an owner.
    pub(crate) digests: Option<Vec<DigestRow>>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRow {
    /// When it happened.
    pub(crate) at: Moment,
    /// Who did it.
    pub(crate) who: String,
    /// What they did, and about whom.
    pub(crate) what: String,
    /// What was granted and taken back.
    pub(crate) details: Vec<String>,
    /// From which address.
    pub(crate) from: String,
}

/// A digest of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DigestRow {
    /// Its day, as its address names it.
    pub(crate) id: String,
    /// Its day in words.
    pub(crate) day: String,
    /// How many rows it covers.
    pub(crate) rows: i64,
}

/// The account's log.
#[server(prefix = "/api", endpoint = "log/page", input = GetUrl)]
pub(crate) async fn log_page(
    account: String,
    person: String,
    kind: String,
    after: String,
) -> Result<Page<LogView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = log(&inside, person, &kind, &after).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn log(
    inside: &request::Inside,
    person: String,
    kind: &str,
    after: &str,
) -> Result<LogView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let kind: Option<ActivityKind> = kind.parse().ok();
    let after = read_cursor(after);
    let later = after.is_some();
    let page = domain::activity::page(latchkey, actor, &person, kind, after).await?;
    let digests = match actor.owns() {
        true => Some(domain::digests::newest(latchkey, actor).await?),
        false => None,
    };
    let now = latchkey.now();
    Ok(LogView {
        rows: page.rows.into_iter().map(|row| log_row(row, now)).collect(),
        person,
        kind: kind.map(|kind| kind.id().to_owned()).unwrap_or_default(),
        kinds: ActivityKind::ALL.map(|kind| (kind.id().to_owned(), kind_words(kind))).to_vec(),
        later,
        next: page.next.as_ref().map(write_cursor),
        digests: digests.map(|digests| digests.iter().map(digest_row).collect()),
    })
}

#[cfg(feature = "ssr")]
fn digest_row(digest: &LogDigest) -> DigestRow {
    let facts = &digest.facts;
    DigestRow {
        id: domain::digests::write_day(facts.day),
        day: formats::day(facts.day.begin()),
        rows: facts.sequence,
    }
}

#[cfg(feature = "ssr")]
fn log_row(row: ActivityRow, now: model::Timestamp) -> LogRow {
    let (who, what, details) = describe(&row.entry);
    LogRow { at: Moment::new(row.at, now), who, what, details, from: row.entry.address }
}

/// A row in words: who, what about whom, and what was granted and taken back or set.
#[cfg(feature = "ssr")]
pub(crate) fn describe(entry: &NewActivity) -> (String, String, Vec<String>) {
    let who = if entry.actor_name.is_empty() {
        request::site().provider.clone()
    } else {
        entry.actor_name.clone()
    };
    let kind = kind_words(entry.kind);
    let about_others = !entry.subject_name.is_empty() && entry.subject_name != entry.actor_name;
    let what = if about_others {
        words!(log.sentence_about, what = kind, whom = entry.subject_name.clone())
    } else {
        kind
    };
    let rule = |noted: &Option<Noted>| noted.as_ref().and_then(Noted::rule).map(words::rule);
    let was = rule(&entry.before).map(|rule| words!(log.rule_before, rule = rule));
    let is = rule(&entry.after).map(|rule| words!(log.rule_after, rule = rule));
    let reason = entry.after.as_ref().and_then(Noted::reason);
    let reason = reason.map(|reason| words!(log.reason, reason = reason.to_owned()));
    let others = was.into_iter().chain(is).chain(reason);
    let details = rebounded(entry).unwrap_or_else(|| moved(entry));
    (who, what, details.into_iter().chain(others).collect())
}

/// How grants were and are, where it isn't told by what was granted and taken back alone: other things
/// are reached, or until another moment.
#[cfg(feature = "ssr")]
fn rebounded(entry: &NewActivity) -> Option<Vec<String>> {
    let (Some(Noted::Grants(before)), Some(Noted::Grants(after))) = (&entry.before, &entry.after)
    else {
        return None;
    };
    if words::noted_bounds(before) == words::noted_bounds(after) {
        return None;
    }
    let (was, is) = (words::noted_line(before), words::noted_line(after));
    Some(vec![words!(log.rule_before, rule = was), words!(log.rule_after, rule = is)])
}

/// What was granted or offered, and what was taken back.
#[cfg(feature = "ssr")]
fn moved(entry: &NewActivity) -> Vec<String> {
    let beyond = |one: &Option<Noted>, other: &Option<Noted>| {
        let one = one.as_ref()?;
        let other = other.as_ref().map_or(AccessOutline::NONE, Noted::access);
        let beyond = one.access().beyond(&other, None, Some);
        let label = |permission: &Option<Permission>| match permission {
            Some(permission) => words::label(*permission),
            None => words!(access.owner),
        };
        let labels = beyond.iter().map(label);
        let permissions: Vec<_> = beyond.iter().flatten().copied().collect();
        let bounds = words::noted_bounds(&one.opening(&permissions));
        let labels: Vec<_> = labels.chain(bounds).collect();
        (!labels.is_empty()).then(|| labels.join(" · "))
    };
    let added = beyond(&entry.after, &entry.before);
    let gone = beyond(&entry.before, &entry.after);
    let offer = entry.kind.is_of_offer();
    let added = added.map(|permissions| match entry.kind {
        ActivityKind::AccessRequested => words!(log.asked_for, permissions = permissions),
        ActivityKind::AccessRequestDeclined => words!(log.not_given, permissions = permissions),
        _ if offer => words!(log.offered, permissions = permissions),
        _ => words!(log.granted, permissions = permissions),
    });
    let gone = gone.map(|permissions| match offer {
        true => words!(log.no_longer_offered, permissions = permissions),
        false => words!(log.withdrawn, permissions = permissions),
    });
    added.into_iter().chain(gone).collect()
}

#[cfg(feature = "ssr")]
fn kind_words(kind: ActivityKind) -> String {
    match kind {
        ActivityKind::AccountCreated => words!(log.account_created),
        ActivityKind::AccountChanged => words!(log.account_changed),
        ActivityKind::InvitationSent => words!(log.invitation_sent),
        ActivityKind::InvitationChanged => words!(log.invitation_changed),
        ActivityKind::InvitationResent => words!(log.invitation_resent),
        ActivityKind::InvitationCancelled => words!(log.invitation_cancelled),
        ActivityKind::InvitationAccepted => words!(log.invitation_accepted),
        ActivityKind::InvitationDeclined => words!(log.invitation_declined),
        ActivityKind::PermissionsChanged => words!(log.permissions_changed),
        ActivityKind::AccessPaused => words!(log.access_paused),
        ActivityKind::AccessResumed => words!(log.access_resumed),
        ActivityKind::AccessRenewed => words!(log.access_renewed),
        ActivityKind::AccessRemoved => words!(log.access_removed),
        ActivityKind::AccountLeft => words!(log.account_left),
        ActivityKind::AccessRequested => words!(log.access_requested),
        ActivityKind::AccessRequestDeclined => words!(log.access_request_declined),
        ActivityKind::SecondFactorRule => words!(log.second_factor_rule),
        ActivityKind::SessionRule => words!(log.session_rule),
        ActivityKind::DomainRule => words!(log.domain_rule),
        ActivityKind::ProvenDomainRule => words!(log.proven_domain_rule),
        ActivityKind::IdentityProviderRule => words!(log.identity_provider_rule),
        ActivityKind::SingleSignOnRule => words!(log.single_sign_on_rule),
    }
}
