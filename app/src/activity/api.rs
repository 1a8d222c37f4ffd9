//! Server functions of the activity log.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::address::{read_cursor, write_cursor},
    crate::formats,
    crate::problem::set_status,
    crate::request,
    crate::{when, words},
    domain::activity::{ActivityPage, ActivityRow, Asked, Days, NewActivity},
    domain::digests::LogDigest,
    model::{AccessOutline, ActivityKind, Failure, Field, Noted, Permission},
};

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogView {
    /// The rows, by days.
    pub(crate) days: Vec<LogDay>,
    /// The person filtered by.
    pub(crate) person: String,
    /// The id of the kind filtered by.
    pub(crate) kind: String,
    /// Every kind: id and words.
    pub(crate) kinds: Vec<(String, String)>,
    /// The first day filtered by, as it was typed.
    pub(crate) from: String,
    /// The last one.
    pub(crate) to: String,
    /// What is wrong with the first day.
    pub(crate) from_problem: Option<String>,
    /// What is wrong with the last one.
    pub(crate) to_problem: Option<String>,
    /// In which time zone days and times are told, in words.
    pub(crate) zone: String,
    /// Whether this is a later page.
    pub(crate) later: bool,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
    /// The newest digests; none for whoever isn't an owner.
    pub(crate) digests: Option<Vec<DigestRow>>,
}

/// A day of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogDay {
    /// The day in words.
    pub(crate) day: String,
    /// Its rows.
    pub(crate) rows: Vec<LogRow>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRow {
    /// When it happened.
    pub(crate) at: Moment,
    /// At which time of its day.
    pub(crate) time: String,
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

/// The account's log. `last` is how many days up to today are asked for, in place of `from` and `to`.
#[server(prefix = "/api", endpoint = "log/page", input = GetUrl)]
pub(crate) async fn log_page(
    account: String,
    person: String,
    kind: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
    #[server(default)] last: String,
    after: String,
) -> Result<Page<LogView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = log(&inside, person, &kind, (from, to, &last), &after).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn log(
    inside: &request::Inside,
    person: String,
    kind: &str,
    (mut from, mut to, last): (String, String, &str),
    after: &str,
) -> Result<LogView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (zones, now) = (formats::Zones::here(), latchkey.now());
    let zone = zones.reader();
    let kind: Option<ActivityKind> = kind.parse().ok();
    let after = read_cursor(after);
    let later = after.is_some();
    let (mut asked, mut errors) = (Asked { person, kind, days: Days::default() }, None);
    match Days::read((&from, &to, last), zone, now) {
        Ok(days) => {
            let typed = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
            (from, to) = (typed(days.from).unwrap_or_default(), typed(days.to).unwrap_or_default());
            asked.days = days;
        }
        Err(wrong) => errors = Some(wrong),
    }
    let mut page = domain::activity::page(latchkey, actor, &asked, zone, after).await?;
    let (mut from_problem, mut to_problem) = (None, None);
    if let Some(errors) = errors {
        // What was asked for can't be shown, and other rows would pass for it.
        page = ActivityPage { rows: Vec::new(), next: None };
        for error in &errors.0 {
            let words = Some(words::field_problem(error.field, error.problem));
            match error.field {
                Field::FromDay => from_problem = words,
                _ => to_problem = words,
            }
        }
        set_status(&errors.into_failure());
    }
    let digests = match actor.owns() {
        true => Some(domain::digests::newest(latchkey, actor).await?),
        false => None,
    };
    Ok(LogView {
        days: by_days(page.rows, zone, now),
        person: asked.person,
        kind: kind.map(|kind| kind.id().to_owned()).unwrap_or_default(),
        kinds: ActivityKind::ALL.map(|kind| (kind.id().to_owned(), kind_words(kind))).to_vec(),
        from,
        to,
        from_problem,
        to_problem,
        zone: words!(log.zone, zone = zone.iana_name().unwrap_or("UTC").to_owned()),
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
        day: formats::calendar_day(facts.day.begin()),
        rows: facts.sequence,
    }
}

/// The rows, which come newest first, under their days.
#[cfg(feature = "ssr")]
fn by_days(
    rows: Vec<ActivityRow>,
    zone: &jiff::tz::TimeZone,
    now: model::Timestamp,
) -> Vec<LogDay> {
    let mut days: Vec<LogDay> = Vec::new();
    for row in rows {
        let day = formats::full_day(domain::activity::day(row.at, zone));
        let row = log_row(row, now);
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => last.rows.push(row),
            None => days.push(LogDay { day, rows: vec![row] }),
        }
    }
    days
}

#[cfg(feature = "ssr")]
fn log_row(row: ActivityRow, now: model::Timestamp) -> LogRow {
    let (who, what, details) = describe(&row.entry);
    let (at, time) = (Moment::new(row.at, now), formats::time_of_day(row.at));
    LogRow { at, time, who, what, details, from: row.entry.address }
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
    let from = entry.after.as_ref().and_then(Noted::since);
    let from = from.map(|from| words!(log.from_when, when = when::server::exact(from)));
    let others = was.into_iter().chain(is).chain(reason).chain(from);
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
            None => words!(log.owner),
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
        ActivityKind::OwnerAddedByProvider => words!(log.owner_added_by_provider),
        ActivityKind::OwnerRemovedByProvider => words!(log.owner_removed_by_provider),
        ActivityKind::LoginDeleted => words!(log.login_deleted),
        ActivityKind::AccessRequested => words!(log.access_requested),
        ActivityKind::AccessRequestDeclined => words!(log.access_request_declined),
        ActivityKind::OwnerOffered => words!(log.owner_offered),
        ActivityKind::OwnerAccepted => words!(log.owner_accepted),
        ActivityKind::OwnerDeclined => words!(log.owner_declined),
        ActivityKind::OwnerStopped => words!(log.owner_stopped),
        ActivityKind::OwnerLapsed => words!(log.owner_lapsed),
        ActivityKind::OwnerMade => words!(log.owner_made),
        ActivityKind::OwnerHandedOver => words!(log.owner_handed_over),
        ActivityKind::OwnerSteppedDown => words!(log.owner_stepped_down),
        ActivityKind::SuccessorNamed => words!(log.successor_named),
        ActivityKind::SuccessorRemoved => words!(log.successor_removed),
        ActivityKind::TakeoverAsked => words!(log.takeover_asked),
        ActivityKind::TakeoverAnswered => words!(log.takeover_answered),
        ActivityKind::AccountTakenOver => words!(log.account_taken_over),
        ActivityKind::SecondFactorRule => words!(log.second_factor_rule),
        ActivityKind::SessionRule => words!(log.session_rule),
        ActivityKind::DomainRule => words!(log.domain_rule),
        ActivityKind::ProvenDomainRule => words!(log.proven_domain_rule),
        ActivityKind::IdentityProviderRule => words!(log.identity_provider_rule),
        ActivityKind::SingleSignOnRule => words!(log.single_sign_on_rule),
        ActivityKind::ServiceAdded => words!(log.service_added),
        ActivityKind::ServiceChanged => words!(log.service_changed),
        ActivityKind::ServiceRemoved => words!(log.service_removed),
        ActivityKind::DomainAdded => words!(log.domain_added),
        ActivityKind::DomainChanged => words!(log.domain_changed),
        ActivityKind::DomainRemoved => words!(log.domain_removed),
        ActivityKind::InvoiceAdded => words!(log.invoice_added),
        ActivityKind::InvoiceChanged => words!(log.invoice_changed),
        ActivityKind::InvoiceRemoved => words!(log.invoice_removed),
        ActivityKind::SupportRequestAdded => words!(log.support_request_added),
        ActivityKind::SupportRequestChanged => words!(log.support_request_changed),
        ActivityKind::SupportRequestRemoved => words!(log.support_request_removed),
    }
}
