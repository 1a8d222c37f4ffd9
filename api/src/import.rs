//! Import: a table that the provider keeps elsewhere, written in one go. A row is read as the same thing is
//! at the door, and what is wrong with it is told by line and column.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use csv::{Position, ReaderBuilder, StringRecord};
use domain::door::{self, Becoming, DoorAccount, DoorDomain, DoorService, Row};
use domain::members_by_provider::ProvidersMemberFacts;
use domain::tokens::Token;
use domain::{Latchkey, members_by_provider};
use model::{AccountId, DoorArea, DoorKey, Failure, TokenId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::members::{self, Stood};
use crate::problem::{Fault, Problem};
use crate::things::{Condition, Outcome, Resource, Said, outcome, refused, whole};

/// How many rows a table can have: they are written in one transaction, for which everybody else waits.
pub const MOST_ROWS: usize = 100_000;
/// As whom an import is logged: behind the provider's name, as a token's is.
const NAME: &str = "import";

/// The columns of a member's table that are about what they hold.
const OF_GRANT: [&str; 5] = ["permissions", "services", "domains", "until", "why"];

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accounts.
    Accounts,
    /// Services.
    Services,
    /// Domains.
    Domains,
    /// Users of accounts, or who is to come along.
    Members,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Accounts, Self::Services, Self::Domains, Self::Members];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Services => "services",
            Self::Domains => "domains",
            Self::Members => "members",
        }
    }

    /// The columns that a table of this kind must have.
    #[must_use]
    pub const fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["ref", "name"],
            Self::Services => &["ref", "account", "name", "renews_at"],
            Self::Domains => &["ref", "account", "name", "expires_at"],
            Self::Members => &["account", "email"],
        }
    }

    /// The columns that it may have besides.
    #[must_use]
    pub const fn possible(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => {
                &["street", "postal_code", "town", "country", "time_zone", "owner_email"]
            }
            Self::Services => {
                &["plan", "state", "login_name", "login_password", "open_link", "renew_link"]
            }
            Self::Domains => &["state", "locked", "renew_link"],
            Self::Members => &[
                "ref",
                "name",
                "owner",
                "permissions",
                "services",
                "domains",
                "until",
                "why",
                "invite",
            ],
        }
    }

    /// The kind whose columns these are.
    fn of(columns: &[String]) -> Option<Self> {
        let has = |name: &&str| columns.iter().any(|column| column == name);
        let is_known = |kind: Self, column: &String| {
            let mut known = kind.needed().iter().chain(kind.possible());
            known.any(|name| name == column)
        };
        Self::ALL.into_iter().find(|kind| {
            kind.needed().iter().all(has) && columns.iter().all(|column| is_known(*kind, column))
        })
    }
}

/// What is wrong with a table, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line, from 1; of a row of several lines the first.
    pub line: u64,
    /// The column, from 1, and its name; none where it is about the row.
    pub column: Option<(usize, String)>,
    /// What is wrong.
    pub detail: String,
}

impl Wrong {
    fn row(line: u64, detail: impl Into<String>) -> Self {
        Self { line, column: None, detail: detail.into() }
    }
}

/// A table as it was read: its values aren't looked at yet.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it holds.
    pub kind: Kind,
    columns: Vec<String>,
    rows: Vec<(u64, StringRecord)>,
}

impl Table {
    /// Reads CSV (RFC 4180) in UTF-8, its first line the names of its columns, with commas or, as Excel
    /// writes it in many countries, semicolons.
    ///
    /// # Errors
    /// All that is wrong with it as a table.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Wrong>> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        if let Err(error) = std::str::from_utf8(bytes) {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            return Err(vec![Wrong::row(line, "It isn't UTF-8: save the file as that.")]);
        }
        let head = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = if head.contains(&b';') { b';' } else { b',' };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(bytes);
        let (mut records, mut lines) = (Vec::new(), Lines::of(bytes));
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = lines.at(error.position());
                vec![Wrong::row(line, "It can't be read as CSV.")]
            })?;
            let line = lines.at(record.position());
            // A line without anything is none.
            if record.iter().any(|cell| !cell.is_empty()) {
                records.push((line, record));
            }
        }
        let mut records = records.into_iter();
        let Some((first, head)) = records.next() else {
            return Err(vec![Wrong::row(1, "It is empty.")]);
        };
        let columns: Vec<_> = head.iter().map(|name| name.trim().to_owned()).collect();
        let kind = kind_of(first, &columns)?;
        let rows: Vec<_> = records.collect();
        let count = columns.len();
        let mut wrong: Vec<_> = rows
            .iter()
            .filter(|(_, row)| row.len() != count)
            .map(|(line, row)| {
                let cells = row.len();
                Wrong::row(
                    *line,
                    format!("There are {count} columns, and cells in this row: {cells}."),
                )
            })
            .collect();
        if rows.len() > MOST_ROWS {
            let detail = format!("It has more than {MOST_ROWS} rows: import it in parts.");
            wrong.push(Wrong::row(first, detail));
        }
        if wrong.is_empty() { Ok(Self { kind, columns, rows }) } else { Err(wrong) }
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of a row that aren't empty, by their columns.
    fn cells<'a>(&'a self, row: &'a StringRecord) -> impl Iterator<Item = (&'a str, &'a str)> {
        let cells = self.columns.iter().map(String::as_str).zip(row);
        cells.filter(|(_, cell)| !cell.is_empty())
    }

    /// A row as the door reads an object; empty cells are left out.
    fn object(&self, row: &StringRecord) -> Map<String, Value> {
        let mut object = Map::new();
        for (column, cell) in self.cells(row) {
            match column.strip_suffix("_link") {
                Some(link) => {
                    let links = object.entry("links").or_insert_with(|| json!({}));
                    if let Some(links) = links.as_object_mut() {
                        links.insert(link.to_owned(), json!(cell));
                    }
                }
                None => {
                    object.insert(column.to_owned(), value(column, cell));
                }
            }
        }
        object
    }

    /// The same of a member, who holds one grant or owns the account.
    fn member(&self, row: &StringRecord) -> Map<String, Value> {
        let (mut member, mut grant) = (Map::new(), Map::new());
        for (column, cell) in self.cells(row).filter(|(column, _)| *column != "account") {
            let into = if OF_GRANT.contains(&column) { &mut grant } else { &mut member };
            into.insert(column.to_owned(), value(column, cell));
        }
        if !grant.is_empty() {
            member.insert("grants".to_owned(), json!([grant]));
        }
        member
    }

    /// What a fault of a row is about.
    fn wrong(&self, line: u64, fault: &Fault) -> Wrong {
        let pointer = fault.pointer.as_deref().unwrap_or_default();
        let mut parts = pointer.split('/').skip(1);
        let name = match [parts.next(), parts.next(), parts.next()] {
            [Some("links"), Some(link), _] => format!("{link}_link"),
            [Some("grants"), Some(_), Some(name)] | [Some(name), ..] => name.to_owned(),
            [None, ..] => String::new(),
        };
        let place = self.columns.iter().position(|column| *column == name);
        let column = place.map(|place| (place + 1, name.clone()));
        let detail = match (&column, name.is_empty()) {
            (None, false) => format!("{name}: {}", fault.detail),
            _ => fault.detail.clone(),
        };
        Wrong { line, column, detail }
    }
}

/// A cell as the door reads it.
fn value(column: &str, cell: &str) -> Value {
    match column {
        "locked" | "owner" => cell.parse::<bool>().map_or_else(|_| json!(cell), Value::from),
        "permissions" => json!(cell.split_whitespace().collect::<Vec<_>>()),
        // Ids may hold spaces and commas.
        "services" | "domains" if cell != "all" => {
            json!(cell.split(';').map(str::trim).collect::<Vec<_>>())
        }
        _ => json!(cell),
    }
}

/// Counts lines as an editor does. The reader itself takes the second half of a line's end for a part of
/// the next line.
struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, counted: 0, line: 1 }
    }

    /// In which line a record begins that is read from this place on: behind what ends lines.
    fn at(&mut self, place: Option<&Position>) -> u64 {
        let place = place.and_then(|place| usize::try_from(place.byte()).ok()).unwrap_or_default();
        let from = place.max(self.counted);
        let ends = self.bytes.get(from..).unwrap_or_default();
        let begins = from + ends.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.bytes.get(self.counted..begins).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = begins;
        self.line
    }
}

/// What the columns in the first line say of the table.
fn kind_of(line: u64, columns: &[String]) -> Result<Kind, Vec<Wrong>> {
    let mut seen = BTreeSet::new();
    let twice = columns.iter().enumerate().filter(|(_, name)| !seen.insert(name.as_str()));
    let twice: Vec<_> = twice
        .map(|(place, name)| Wrong {
            line,
            column: Some((place + 1, name.clone())),
            detail: "There is another column of that name.".to_owned(),
        })
        .collect();
    if !twice.is_empty() {
        return Err(twice);
    }
    Kind::of(columns).ok_or_else(|| {
        let kinds = Kind::ALL.map(|kind| {
            let (needed, possible) = (kind.needed().join(","), kind.possible().join(","));
            format!("{} have {needed} and may have {possible}", kind.name())
        });
        let detail = format!("The columns are no table's: {}.", kinds.join("; "));
        vec![Wrong::row(line, detail)]
    })
}

/// What came of a table, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many things came about.
    pub created: usize,
    /// How many changed.
    pub changed: usize,
    /// How many were so already.
    pub unchanged: usize,
}

/// Why nothing of a table was imported.
#[derive(Clone, Debug)]
pub enum NotImported {
    /// These are wrong.
    Wrong(Vec<Wrong>),
    /// The database didn't do it, or somebody else was faster.
    Failed(Failure),
}

impl From<Failure> for NotImported {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Writes what the table says: all of it, or nothing. Without `write` it is found out what would come of
/// it. `progress` is told how many rows are done.
///
/// # Errors
/// [`NotImported`].
pub async fn import(
    latchkey: &Latchkey,
    table: &Table,
    write: bool,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Imported, NotImported> {
    match table.kind {
        Kind::Accounts => things::<DoorAccount>(latchkey, table, write, progress).await,
        Kind::Services => things::<DoorService>(latchkey, table, write, progress).await,
        Kind::Domains => things::<DoorDomain>(latchkey, table, write, progress).await,
        Kind::Members => members(latchkey, table, write, progress).await,
    }
}

/// The operator, who sees everything.
pub(crate) fn operator() -> Token {
    let scopes = DoorArea::ALL.into_iter().map(DoorArea::write).collect();
    Token { id: TokenId::from(Uuid::nil()), name: NAME.to_owned(), scopes, account: None }
}

async fn things<R: Resource>(
    latchkey: &Latchkey,
    table: &Table,
    write: bool,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Imported, NotImported> {
    let (token, mut wrong) = (operator(), Vec::new());
    let keys = keys(table, &mut wrong);
    if !wrong.is_empty() {
        return Err(NotImported::Wrong(wrong));
    }
    let rows = table.rows.iter().zip(keys.into_iter().flatten()).enumerate();
    let rows = rows.map(|(index, ((_, cells), key))| {
        let mut object = table.object(cells);
        object.remove("ref");
        let row = whole::<R>(&token, key, object, String::new(), Condition::default());
        let mut becomes = row.becomes;
        let becomes: Becoming<'_, R, Said> = Box::new(move |present| {
            progress(index + 1);
            becomes(present)
        });
        Row { becomes, ..row }
    });
    let rows = rows.collect();
    let changes = door::change(latchkey, &token, rows, write).await?;
    let rows = changes.rows.into_iter().map(|row| match row {
        Ok(done) => Ok(outcome(&done)),
        Err(why) => Err(refused(why, "")),
    });
    counted(table, rows)
}

async fn members(
    latchkey: &Latchkey,
    table: &Table,
    write: bool,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Imported, NotImported> {
    let (token, mut wrong) = (operator(), Vec::new());
    let mut accounts: HashMap<&str, Option<AccountId>> = HashMap::new();
    let (mut asked, mut objects) = (Vec::new(), Vec::new());
    let mut named = BTreeMap::new();
    for (line, row) in &table.rows {
        let cell = |name: &str| {
            table.cells(row).find(|(column, _)| *column == name).map_or("", |(_, cell)| cell)
        };
        let (account, email) = (cell("account"), cell("email"));
        let known = match accounts.get(account) {
            Some(known) => *known,
            None => {
                let found = match account.parse::<DoorKey>() {
                    Ok(key) => find_account(latchkey, &token, &key).await?,
                    Err(_) => None,
                };
                accounts.insert(account, found);
                found
            }
        };
        let place = |name: &str| table.columns.iter().position(|column| column == name);
        let mut refuse = |name: &str, detail: String| {
            let column = place(name).map(|place| (place + 1, name.to_owned()));
            wrong.push(Wrong { line: *line, column, detail });
        };
        let object = table.member(row);
        let own = Some(cell("ref")).filter(|own| !own.is_empty()).unwrap_or(email);
        let key = own.parse::<DoorKey>().ok();
        let key = key.and_then(|key| members::asked(key, &object).ok());
        if let Some(earlier) = named.insert((account, email.to_lowercase()), *line) {
            refuse("email", format!("Line {earlier} is about the same person."));
        }
        match (known, key) {
            (None, _) => refuse("account", "There is no such account.".to_owned()),
            (_, None) => refuse("ref", "It can't be an id of yours.".to_owned()),
            (Some(account), Some(key)) => {
                asked.push((account, key));
                objects.push(object);
            }
        }
    }
    if !wrong.is_empty() {
        return Err(NotImported::Wrong(wrong));
    }
    let becomes = |index: usize, facts: &ProvidersMemberFacts| {
        progress(index + 1);
        match (objects.get(index), asked.get(index)) {
            (Some(object), Some((_, asked))) => members::whole(object, facts, &asked.name),
            _ => Err(Said::NotFound),
        }
    };
    let rows = members_by_provider::change_all(latchkey, &token, &asked, write, becomes).await?;
    let rows = rows.into_iter().map(|row| match row {
        Ok(done) => Ok(Stood::of(&done).outcome()),
        Err(why) => Err(members::refused(why)),
    });
    counted(table, rows)
}

/// The account with this key, if there is one.
async fn find_account(
    latchkey: &Latchkey,
    token: &Token,
    key: &DoorKey,
) -> Result<Option<AccountId>, Failure> {
    match door::account(latchkey, token, key).await {
        Ok(account) => Ok(Some(account.id)),
        Err(Failure::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What came of all rows, or what is wrong with them.
fn counted(
    table: &Table,
    rows: impl Iterator<Item = Result<Outcome, Problem>>,
) -> Result<Imported, NotImported> {
    let (mut imported, mut wrong) = (Imported::default(), Vec::new());
    for (row, (line, _)) in rows.zip(&table.rows) {
        match row {
            Ok(Outcome::Created) => imported.created += 1,
            Ok(Outcome::Unchanged) => imported.unchanged += 1,
            Ok(Outcome::Changed | Outcome::Deleted | Outcome::Refused) => imported.changed += 1,
            Err(problem) => {
                let body = problem.body(None);
                if body.errors.is_empty() {
                    let detail = body.detail.unwrap_or_else(|| format!("{}.", body.title));
                    wrong.push(Wrong::row(*line, detail));
                }
                wrong.extend(body.errors.iter().map(|fault| table.wrong(*line, fault)));
            }
        }
    }
    if wrong.is_empty() { Ok(imported) } else { Err(NotImported::Wrong(wrong)) }
}

/// The provider's ids of the rows, in their order: each is one, and no other row's.
fn keys(table: &Table, wrong: &mut Vec<Wrong>) -> Vec<Option<DoorKey>> {
    let place = table.columns.iter().position(|column| column == "ref").unwrap_or_default();
    let mut lines = BTreeMap::new();
    let key = |(line, row): &(u64, StringRecord)| {
        let mut refuse = |detail: String| {
            let column = Some((place + 1, "ref".to_owned()));
            wrong.push(Wrong { line: *line, column, detail });
            None
        };
        let text = row.get(place).unwrap_or_default();
        if text.is_empty() {
            return refuse("It is needed.".to_owned());
        }
        let Ok(key) = text.parse::<DoorKey>() else {
            let wanted = "It must have 1 to 200 characters, none of them a control character.";
            return refuse(wanted.to_owned());
        };
        match lines.insert(text.to_owned(), *line) {
            Some(earlier) => refuse(format!("Line {earlier} has the same.")),
            None => Some(key),
        }
    };
    table.rows.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<(u64, Option<usize>, String)> {
        let wrong = Table::read(text.as_bytes()).unwrap_err();
        let told = |one: Wrong| (one.line, one.column.map(|(place, _)| place), one.detail);
        wrong.into_iter().map(told).collect()
    }

    #[test]
    fn a_table_is_known_by_its_columns_in_any_order() {
        for (head, kind) in [
            ("ref,name", Kind::Accounts),
            ("owner_email,name,ref,town", Kind::Accounts),
            ("ref;account;name;renews_at", Kind::Services),
            ("\u{feff}ref,account,name,expires_at,locked", Kind::Domains),
            ("email,account,permissions,services", Kind::Members),
        ] {
            let table = Table::read(format!("{head}\r\n").as_bytes()).unwrap();
            assert_eq!((table.kind, table.len()), (kind, 0), "{head}");
        }
    }

    #[test]
    fn what_is_no_table_is_told_by_line() {
        assert_eq!(wrong("")[0], (1, None, "It is empty.".to_owned()));
        assert!(wrong("ref,name,colour\n")[0].2.contains("accounts have ref,name and may have"));
        assert_eq!(wrong("ref,name,name\n")[0].1, Some(3));
        let [cell, cells] =
            [1, 3].map(|count| format!("There are 2 columns, and cells in this row: {count}."));
        for end in ["\n", "\r\n"] {
            let text = "ref,name\na\n\n\"c\nd\",e\nf,g,h\n".replace('\n', end);
            let told = [(2, None, cell.clone()), (6, None, cells.clone())];
            assert_eq!(wrong(&text), told, "{end:?}");
        }
        let bytes = b"ref,name\na,b\nc,\xff\n";
        assert_eq!(Table::read(bytes).unwrap_err()[0].line, 3);
    }

    #[test]
    fn cells_become_what_the_door_reads() {
        let text = "ref,account,name,expires_at,locked,renew_link\n\
                    d1,c1,a.example,2027-01-01T00:00:00Z,true,https://a.example\nd2,c1,b,,maybe,\n";
        let table = Table::read(text.as_bytes()).unwrap();
        let objects: Vec<_> =
            table.rows.iter().map(|(_, row)| Value::from(table.object(row))).collect();
        assert_eq!(
            objects,
            [
                json!({
                    "ref": "d1", "account": "c1", "name": "a.example",
                    "expires_at": "2027-01-01T00:00:00Z", "locked": true,
                    "links": { "renew": "https://a.example" },
                }),
                json!({ "ref": "d2", "account": "c1", "name": "b", "locked": "maybe" }),
            ]
        );
        let fault = |pointer: &str| Fault::at(pointer, "malformed", "No.".to_owned());
        let place = |pointer| table.wrong(7, &fault(pointer)).column.map(|(place, _)| place);
        assert_eq!(place("/links/renew"), Some(6));
        assert_eq!(place("/locked"), Some(5));
        assert_eq!(table.wrong(7, &fault("/links/open")).detail, "open_link: No.");
    }

    #[test]
    fn a_members_cells_are_of_one_grant_or_of_them() {
        let text = "account,email,owner,permissions,services,why\n\
                    c1,mei@a.example,,services.manage billing.view,s 1; s-2,For the shop\n\
                    c1,kari@a.example,true,,,\n";
        let table = Table::read(text.as_bytes()).unwrap();
        let members: Vec<_> =
            table.rows.iter().map(|(_, row)| Value::from(table.member(row))).collect();
        let grant = json!({
            "permissions": ["services.manage", "billing.view"], "services": ["s 1", "s-2"],
            "why": "For the shop",
        });
        assert_eq!(
            members,
            [
                json!({ "email": "mei@a.example", "grants": [grant] }),
                json!({ "email": "kari@a.example", "owner": true }),
            ]
        );
        let fault = Fault::at("/grants/0/services/1", "unknown", "No.".to_owned());
        assert_eq!(table.wrong(2, &fault).column, Some((5, "services".to_owned())));
    }

    #[test]
    fn every_row_names_another_thing() {
        let table = Table::read(b"ref,name\na,b\n,c\na,d\n").unwrap();
        let mut wrong = Vec::new();
        let keys = keys(&table, &mut wrong);
        assert_eq!(keys.iter().filter(|key| key.is_some()).count(), 1);
        let lines: Vec<_> = wrong.iter().map(|one| (one.line, one.detail.as_str())).collect();
        assert_eq!(lines, [(3, "It is needed."), (4, "Line 2 has the same.")]);
    }
}
