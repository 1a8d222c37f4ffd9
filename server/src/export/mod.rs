//! What pages list, whole, as CSV (RFC 4180), piece by piece: its length doesn't matter. It is written so
//! that the reader's spreadsheet opens it without a question, and runs nothing of it.

mod log;
mod users;

use std::future::Future;

use app::Locale;
use app::request::RequestFacts;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts as Head;
use axum::response::{IntoResponse, Response};
use domain::accounts::Acting;
use futures_util::stream;
use model::{Actor, Cursor, Failure, Timestamp};

use crate::forms;
use crate::router::Parts;

pub use self::log::log;
pub use self::users::users;

/// Some of the rows of a file, and after which one the next piece begins.
struct Piece {
    rows: Vec<Vec<String>>,
    next: Option<Cursor>,
}

/// A file that is sent.
struct File<const COLUMNS: usize> {
    /// How it is called.
    name: String,
    /// What stands above its cells.
    columns: [&'static str; COLUMNS],
}

/// Who asks for a file, and of which account.
#[derive(Clone)]
struct Asking {
    parts: Parts,
    account: String,
    facts: RequestFacts,
}

impl Asking {
    fn of(parts: &Parts, account: &str, head: &Head) -> Result<Self, Failure> {
        let facts = head.extensions.get::<RequestFacts>().ok_or(Failure::SignedOut)?.clone();
        Ok(Self { parts: parts.clone(), account: account.to_owned(), facts })
    }

    /// Who they are there at this moment. It is asked for each piece: what they may see can change while
    /// a file is on its way (rule 6).
    async fn acting(&self) -> Result<Acting, Failure> {
        let (latchkey, eyes) = (&self.parts.latchkey, self.facts.eyes.as_ref());
        let viewer = self.facts.viewer.clone()?;
        domain::eyes::act(latchkey, &viewer, &self.account, eyes).await
    }

    /// What stands between cells, by the language of whoever asks.
    const fn separator(&self) -> u8 {
        separator(self.facts.locale)
    }
}

/// The page that the file belongs to: it knows how to say what is wrong.
async fn page_instead(parts: Parts, head: Head) -> Response {
    let mut page = Request::from_parts(head, Body::empty());
    let path = page.uri().path().trim_end_matches(".csv");
    let query = page.uri().query().map(|query| format!("?{query}"));
    let address = format!("{path}{}", query.unwrap_or_default());
    *page.uri_mut() = address.parse().unwrap_or_default();
    forms::page(State(parts), page).await
}

/// What stands between cells. Spreadsheets expect what their country uses: where the comma divides the
/// whole part of a number from its fraction, as in German and Norwegian, that is the semicolon. A line
/// that names it (`sep=`) would be a row of its own to every other program.
const fn separator(locale: Locale) -> u8 {
    match locale {
        Locale::en => b',',
        Locale::de | Locale::nb => b';',
    }
}

/// Sends a file: its first piece, and each next one when the one before has gone. `read` reads the piece
/// behind a row for whoever acts at that moment.
///
/// # Errors
/// As reading the first piece.
async fn send<const COLUMNS: usize, Read, Reading>(
    asking: Asking,
    file: impl FnOnce(&Acting) -> File<COLUMNS>,
    read: Read,
) -> Result<Response, Failure>
where
    Read: Fn(Parts, Actor, Option<Cursor>) -> Reading + Clone + Send + 'static,
    Reading: Future<Output = Result<Piece, Failure>> + Send + 'static,
{
    /// What is still to be sent.
    enum Rest {
        Piece(Option<String>, Piece),
        Next(Cursor),
        Nothing,
    }
    let acting = asking.acting().await?;
    let file = file(&acting);
    let separator = asking.separator();
    let first = read(asking.parts.clone(), acting.actor, None).await?;
    // A byte order mark: spreadsheets take the text for UTF-8 then.
    let head = format!("\u{feff}{}\r\n", file.columns.join(&char::from(separator).to_string()));
    let rows = stream::try_unfold(Rest::Piece(Some(head), first), move |rest| {
        let (asking, read) = (asking.clone(), read.clone());
        async move {
            let (head, piece) = match rest {
                Rest::Piece(head, piece) => (head, piece),
                Rest::Next(after) => {
                    let broke_off = |_: Failure| std::io::Error::other("the list broke off");
                    let acting = asking.acting().await.map_err(broke_off)?;
                    let piece = read(asking.parts.clone(), acting.actor, Some(after)).await;
                    (None, piece.map_err(broke_off)?)
                }
                Rest::Nothing => return Ok(None),
            };
            let text = head.unwrap_or_default() + &csv(&piece.rows, separator)?;
            let rest = piece.next.map_or(Rest::Nothing, Rest::Next);
            Ok::<_, std::io::Error>(Some((Bytes::from(text), rest)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", file.name)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}

fn csv(rows: &[Vec<String>], separator: u8) -> std::io::Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
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
