//! The activity log as CSV (RFC 4180), piece by piece: its length doesn't matter. It is written so that
//! the reader's spreadsheet opens it without a question, and runs nothing of it.

use app::Locale;
use app::request::RequestFacts;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};
use domain::accounts::Acting;
use domain::activity::{ActivityPage, ActivityRow, Asked, Days};
use futures_util::stream;
use jiff::tz::TimeZone;
use model::{
    AccessOutline, Actor, Area, Cursor, Failure, FieldErrors, Noted, NotedGrant, Permission,
    PolicyRule, Reached, Timestamp,
};
use serde::Deserialize;

use crate::forms;
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
    match first(&parts, &account, &filter, &head.extensions).await {
        Ok((acting, wanted, page)) => {
            let locale = head.extensions.get::<RequestFacts>().map(|facts| facts.locale);
            send(parts, acting, separator(locale.unwrap_or_default()), wanted, page)
        }
        // The page that the export belongs to knows how to say what is wrong.
        Err(_) => {
            let mut page = Request::from_parts(head, Body::empty());
            let path = page.uri().path().trim_end_matches(".csv");
            let query = page.uri().query().map(|query| format!("?{query}"));
            let address = format!("{path}{}", query.unwrap_or_default());
            *page.uri_mut() = address.parse().unwrap_or_default();
            forms::page(State(parts), page).await
        }
    }
}

async fn first(
    parts: &Parts,
    account: &str,
    filter: &Filter,
    extensions: &Extensions,
) -> Result<(Acting, Wanted, ActivityPage), Failure> {
    let facts = extensions.get::<RequestFacts>().ok_or(Failure::SignedOut)?;
    let viewer = facts.viewer.clone()?;
    let acting = domain::eyes::act(&parts.latchkey, &viewer, account, facts.eyes.as_ref()).await?;
    let zone = facts.zone_in(acting.time_zone.as_deref(), &parts.site);
    let Filter { person, kind, from, to, last } = filter.clone();
    let days = Days::read((&from, &to, &last), &zone, parts.latchkey.now());
    let days = days.map_err(FieldErrors::into_failure)?;
    let wanted = Wanted { asked: Asked { person, kind: kind.parse().ok(), days }, zone };
    let page = piece(parts, &acting.actor, &wanted, None).await?;
    Ok((acting, wanted, page))
}

async fn piece(
    parts: &Parts,
    actor: &Actor,
    Wanted { asked, zone }: &Wanted,
    after: Option<Cursor>,
) -> Result<ActivityPage, Failure> {
    domain::activity::export(&parts.latchkey, actor, asked, zone, after).await
}

/// What is still to be sent.
enum Rest {
    Piece(Option<String>, ActivityPage),
    Next(Cursor),
    Nothing,
}

/// What stands between cells. Spreadsheets expect what their country uses: where the comma divides the
/// whole part of a number from its fraction, as in German and Norwegian, that is the semicolon. A line
/// that names it (`sep=`) would be a row of its own to every other program.
fn separator(locale: Locale) -> u8 {
    match locale {
        Locale::en => b',',
        Locale::de | Locale::nb => b';',
    }
}

fn send(
    parts: Parts,
    acting: Acting,
    separator: u8,
    wanted: Wanted,
    page: ActivityPage,
) -> Response {
    let actor = acting.actor;
    // A byte order mark: spreadsheets take the text for UTF-8 then.
    let head = format!("\u{feff}{}\r\n", COLUMNS.join(char::from(separator).to_string().as_str()));
    let days = wanted.asked.days.name(&wanted.zone, parts.latchkey.now());
    let name = format!("attachment; filename=\"activity-{}-{days}.csv\"", acting.number);
    let start = Rest::Piece(Some(head), page);
    let rows = stream::try_unfold(start, move |rest| {
        let (parts, actor, wanted) = (parts.clone(), actor.clone(), wanted.clone());
        async move {
            let (head, page) = match rest {
                Rest::Piece(head, page) => (head, page),
                Rest::Next(after) => {
                    let page = piece(&parts, &actor, &wanted, Some(after)).await;
                    (None, page.map_err(|_| std::io::Error::other("the log broke off"))?)
                }
                Rest::Nothing => return Ok(None),
            };
            let text =
                head.unwrap_or_default() + &csv(&page.rows, &parts.site.provider, separator)?;
            let rest = page.next.map_or(Rest::Nothing, Rest::Next);
            Ok::<_, std::io::Error>(Some((Bytes::from(text), rest)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from_stream(rows)).into_response()
}

fn csv(rows: &[ActivityRow], provider: &str, separator: u8) -> std::io::Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(record(row, provider).iter().map(|cell| harmless(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
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

/// ISO 8601 with a space in place of the T, in whole seconds: what spreadsheets of every country take
/// for a time. T, Z or a fraction makes text of it.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Spreadsheets run cells that begin like a formula: an apostrophe makes them text (OWASP, "CSV
/// Injection"). Where the list separator is another one, or a quotation mark isn't heeded, a cell of
/// theirs may begin in the middle of one of ours. The signs in full width and in their small form begin
/// formulas, too, where people write with them.
fn harmless(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut begins = true;
    for c in cell.chars() {
        let formula = matches!(
            c,
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '﹦' | '﹢' | '﹣' | '﹫' | '−'
        );
        if begins && (formula || matches!(c, '\t' | '\r' | '\n')) {
            text.push('\'');
        }
        text.push(c);
        let separates = matches!(c, ';' | ',' | '|' | '\t' | '\r' | '\n' | '"' | '；' | '，');
        begins = separates || begins && is_unseen(c);
    }
    text
}

/// Whether some spreadsheet passes it over at the beginning of a cell.
fn is_unseen(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_becomes_text() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+47 123", "'+47 123"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\t=1", "'\t'=1"),
            ("a;=1+1;b", "a;'=1+1;b"),
            ("a, -2", "a, '-2"),
            ("a\t@b", "a\t'@b"),
            ("a\"+1", "a\"'+1"),
            ("Jean-Luc; a+b=c", "Jean-Luc; a+b=c"),
            ("＝1+1", "'＝1+1"),
            ("＋47", "'＋47"),
            ("－2", "'－2"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("﹦1", "'﹦1"),
            ("\r=1", "'\r'=1"),
            ("\n=1", "'\n'=1"),
            ("a\n＝1", "a\n'＝1"),
            ("a；＝1", "a；'＝1"),
            ("a|=1", "a|'=1"),
            ("\u{a0}=1", "\u{a0}'=1"),
            ("\u{3000}＝1", "\u{3000}'＝1"),
            ("\u{200b}=1", "\u{200b}'=1"),
            ("\0=1", "\0'=1"),
            ("Kari", "Kari"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), expected);
        }
    }

    #[test]
    fn a_moment_is_one_to_every_spreadsheet() {
        assert_eq!(moment(Timestamp::from_micros(1_800_000_000_123_456)), "2027-01-15 08:00:00");
    }
}
