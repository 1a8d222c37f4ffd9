//! The activity log.

use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts as Head;
use axum::response::Response;
use domain::accounts::Acting;
use domain::activity::{ActivityRow, Asked, Days};
use jiff::tz::TimeZone;
use model::{
    AccessOutline, Actor, Area, Cursor, Failure, FieldErrors, Noted, NotedGrant, Permission,
    PolicyRule, Reached,
};
use serde::Deserialize;

use super::{Asking, File, Piece, moment, page_instead, send};
use crate::router::Parts;

/// The same filter as the page's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    person: String,
    kind: String,
    from: String,
    to: String,
    last: String,
}

/// What the filter asks for, in the reader's time zone.
#[derive(Clone, Debug)]
struct Wanted {
    asked: Asked,
    zone: TimeZone,
}

/// `GET /accounts/{n}/log.csv`
pub async fn log(
    State(parts): State<Parts>,
    Path(account): Path<String>,
    Query(filter): Query<Filter>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    match answer(&parts, &account, filter, &head).await {
        Ok(answer) => answer,
        Err(_) => page_instead(parts, head).await,
    }
}

async fn answer(
    parts: &Parts,
    account: &str,
    filter: Filter,
    head: &Head,
) -> Result<Response, Failure> {
    let asking = Asking::of(parts, account, head)?;
    let acting = asking.acting().await?;
    let zone = asking.facts.zone_in(acting.time_zone.as_deref(), &parts.site);
    let Filter { person, kind, from, to, last } = filter;
    let days = Days::read((&from, &to, &last), &zone, parts.latchkey.now());
    let days = days.map_err(FieldErrors::into_failure)?;
    let wanted = Wanted { asked: Asked { person, kind: kind.parse().ok(), days }, zone };
    let days = wanted.asked.days.name(&wanted.zone, parts.latchkey.now());
    let file = |acting: &Acting| File {
        name: format!("activity-{}-{days}", acting.number),
        columns: COLUMNS,
    };
    send(asking, file, move |parts, actor, after| {
        let wanted = wanted.clone();
        async move { piece(&parts, &actor, &wanted, after).await }
    })
    .await
}

async fn piece(
    parts: &Parts,
    actor: &Actor,
    Wanted { asked, zone }: &Wanted,
    after: Option<Cursor>,
) -> Result<Piece, Failure> {
    let page = domain::activity::export(&parts.latchkey, actor, asked, zone, after).await?;
    let rows = page.rows.iter().map(|row| record(row, &parts.site.provider).into());
    Ok(Piece { rows: rows.collect(), next: page.next })
}

/// What stands above the cells of [`record`]. New ones come last, so that programs find the others where
/// they were.
const COLUMNS: [&str; 15] = [
    "time (UTC)",
    "who",
    "event",
    "about",
    "granted",
    "taken back",
    "address",
    "services before",
    "services after",
    "domains before",
    "domains after",
    "until before (UTC)",
    "until after (UTC)",
    "reason before",
    "reason after",
];

/// Ids and not words, and so in no language: a file for programs.
fn record(row: &ActivityRow, provider: &str) -> [String; COLUMNS.len()] {
    let entry = &row.entry;
    let (before, after) = (entry.before.as_ref(), entry.after.as_ref());
    let (added, gone) = change(before, after);
    let reached = |noted, area| per_grant(noted, |grant| reached(grant, area));
    let until = |noted| per_grant(noted, |grant| grant.outline.until.map(moment));
    let why = |noted: Option<&Noted>| match noted.and_then(Noted::reason) {
        Some(reason) => reason.to_owned(),
        None => per_grant(noted, |grant| Some(grant.why.clone())),
    };
    let who = if entry.actor_name.is_empty() { provider } else { &entry.actor_name };
    [
        moment(row.at),
        who.to_owned(),
        entry.kind.id().to_owned(),
        entry.subject_name.clone(),
        added,
        gone,
        entry.address.clone(),
        reached(before, Area::Services),
        reached(after, Area::Services),
        reached(before, Area::Domains),
        reached(after, Area::Domains),
        until(before),
        until(after),
        why(before),
        why(after),
    ]
}

/// A cell about each grant, in their order; empty where there is nothing to say of any.
fn per_grant(noted: Option<&Noted>, cell: impl Fn(&NotedGrant) -> Option<String>) -> String {
    let grants = noted.map(Noted::grants).unwrap_or_default();
    let cells: Vec<_> = grants.iter().map(|grant| cell(grant).unwrap_or_default()).collect();
    if cells.iter().all(String::is_empty) { String::new() } else { cells.join(" | ") }
}

/// Which things of an area a grant reaches: `all`, or their names. In rows of earlier versions it is
/// how many.
fn reached(grant: &NotedGrant, area: Area) -> Option<String> {
    grant.outline.permissions.in_area(area).next()?;
    let names = grant.names(area);
    let reached = match area {
        Area::Services => grant.outline.services,
        Area::Domains => grant.outline.domains,
        Area::Billing | Area::Support | Area::Account => return None,
    };
    Some(match reached {
        Reached::All => "all".to_owned(),
        Reached::These(count) if names.is_empty() => count.to_string(),
        Reached::These(_) => names.join(", "),
    })
}

/// What was granted and taken back; of a rule, how it is and how it was.
fn change(before: Option<&Noted>, after: Option<&Noted>) -> (String, String) {
    if let (Some(before), Some(after)) = (before.and_then(Noted::rule), after.and_then(Noted::rule))
    {
        return (rule(after), rule(before));
    }
    let access = |noted: Option<&Noted>| noted.map_or(AccessOutline::NONE, Noted::access);
    let (before, after) = (access(before), access(after));
    let beyond = |one: &AccessOutline, other: &AccessOutline| {
        let beyond = one.beyond(other, None, Some);
        let ids = beyond.iter().map(|permission| permission.map_or("owner", Permission::id));
        ids.collect::<Vec<_>>().join(" ")
    };
    (beyond(&after, &before), beyond(&before, &after))
}

fn rule(rule: &PolicyRule) -> String {
    match rule {
        PolicyRule::SecondFactor(Some(from)) => moment(*from),
        rule => rule.to_stored(),
    }
}
