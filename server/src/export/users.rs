//! The users of an account.

use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts as Head;
use axum::response::Response;
use domain::accounts::Acting;
use domain::listing::Asked;
use domain::owner_changes::OwnerChange;
use domain::users::Member;
use model::{Actor, Area, Cursor, Failure, Outline, Reached, Timestamp, UserId};
use serde::Deserialize;

use super::{Asking, File, Piece, moment, page_instead, send};
use crate::router::Parts;

/// What the page's query chooses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    search: String,
    access: String,
    second_factor: String,
    last_active: String,
}

/// `GET /accounts/{n}/users.csv`
pub async fn users(
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
    let Filter { search, access, second_factor, last_active } = filter;
    let asked = Asked {
        search,
        access: access.parse().ok(),
        second_factor: second_factor.parse().ok(),
        last_active: last_active.parse().ok(),
        ..Asked::default()
    };
    let today = jiff::Timestamp::from_microsecond(parts.latchkey.now().as_micros());
    let today = today.unwrap_or_default().strftime("%Y-%m-%d").to_string();
    let file = |acting: &Acting| File {
        name: format!("users-{}-{today}", acting.number),
        columns: COLUMNS,
    };
    send(asking, file, move |parts, actor, after| {
        let asked = asked.clone();
        async move { piece(&parts, &actor, &asked, after).await }
    })
    .await
}

async fn piece(
    parts: &Parts,
    actor: &Actor,
    asked: &Asked,
    after: Option<Cursor>,
) -> Result<Piece, Failure> {
    let (users, next) = domain::listing::export(&parts.latchkey, actor, asked, after).await?;
    let now = parts.latchkey.now();
    let marks = Marks {
        becoming: domain::owner_changes::open(&parts.latchkey, actor).await?,
        successor: domain::successors::marked(&parts.latchkey, actor).await?,
    };
    let rows = users.iter().map(|member| record(member, &marks, now).into());
    Ok(Piece { rows: rows.collect(), next })
}

/// What stands above the cells of [`record`]. New ones come last, so that programs find the others where
/// they were.
const COLUMNS: [&str; 13] = [
    "name",
    "email",
    "access",
    "services",
    "domains",
    "until (UTC)",
    "paused since (UTC)",
    "second factor",
    "since (UTC)",
    "invited by",
    "last active (UTC)",
    "becomes an owner (UTC)",
    "successor",
];

/// What is marked of some of the users.
struct Marks {
    /// Who was asked to become an owner, or waits for it.
    becoming: Vec<OwnerChange>,
    /// The account's successor.
    successor: Option<UserId>,
}

impl Marks {
    /// When somebody becomes an owner, or that they were asked to.
    fn becoming(&self, user: UserId) -> String {
        let change = self.becoming.iter().find(|change| change.user == user);
        change.map_or_else(String::new, |change| {
            change.due_at.map_or_else(|| "asked".to_owned(), moment)
        })
    }

    /// Whether somebody is the account's successor.
    fn successor(&self, user: UserId) -> String {
        if self.successor == Some(user) { "yes" } else { "" }.to_owned()
    }
}

/// Ids and not words, as in the log's file. A cell about grants tells of each in their order.
fn record(member: &Member, marks: &Marks, now: Timestamp) -> [String; COLUMNS.len()] {
    let grants: Vec<&Outline> = member.held.grants().iter().map(|row| &row.outline).collect();
    let per_grant = |cell: &dyn Fn(&Outline) -> String| {
        let cells: Vec<_> = grants.iter().map(|outline| cell(outline)).collect();
        if cells.iter().all(String::is_empty) { String::new() } else { cells.join(" | ") }
    };
    let ids = |outline: &Outline| {
        let ids: Vec<_> = outline.permissions.iter().map(|permission| permission.id()).collect();
        ids.join(" ")
    };
    let at = |moment_of: Option<Timestamp>| moment_of.map(moment).unwrap_or_default();
    [
        member.full_name.clone(),
        member.email.to_string(),
        if member.held.is_owner() { "owner".to_owned() } else { per_grant(&ids) },
        per_grant(&|outline| reached(outline, Area::Services)),
        per_grant(&|outline| reached(outline, Area::Domains)),
        per_grant(&|outline| at(outline.until)),
        at(member.pause(now).map(|pause| pause.since())),
        if member.second_factor { "on" } else { "off" }.to_owned(),
        moment(member.since),
        member.invited_by.clone().unwrap_or_default(),
        at(member.last_active_at),
        marks.becoming(member.user),
        marks.successor(member.user),
    ]
}

/// How many things of an area a grant reaches, or `all`; nothing where it has no permission about them.
fn reached(outline: &Outline, area: Area) -> String {
    if outline.permissions.in_area(area).next().is_none() {
        return String::new();
    }
    let reached = match area {
        Area::Services => outline.services,
        Area::Domains => outline.domains,
        Area::Billing | Area::Support | Area::Account => return String::new(),
    };
    match reached {
        Reached::All => "all".to_owned(),
        Reached::These(count) => count.to_string(),
    }
}
