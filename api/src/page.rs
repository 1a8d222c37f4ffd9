//! Pages of lists: what an address asks for, and where the next page begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::door::Behind;
use model::{DoorKey, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::fields::moment;
use crate::problem::{Fault, Problem};

/// How many things a page holds, if nobody says.
const USUAL: usize = 50;
/// How many it can hold.
const MOST: usize = 200;
/// How much of a cursor's sum is kept: it guards against mistakes, not against anybody.
const SUM: usize = 8;

/// The parameters of an address, each of which may be given once.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl Parameters {
    /// Those of this query, which must be among these.
    pub(crate) fn of(query: Option<&str>, known: &[&str]) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let mut parameters = Self { given: Vec::new(), faults: Vec::new() };
        for (name, value) in pairs.into_owned() {
            if !known.contains(&name.as_str()) {
                let detail = "There is no such parameter here.";
                parameters.faults.push(Fault::of(&name, "unknown_parameter", detail));
            } else if parameters.get(&name).is_some() {
                parameters.faults.push(Fault::of(&name, "repeated", "It stands there twice."));
            } else {
                parameters.given.push((name, value));
            }
        }
        parameters
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What a parameter says, read so; none if it isn't given.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.faults.push(Fault::of(name, "malformed", wanted));
        }
        read
    }

    /// Whether what is written is only to be told.
    pub(crate) fn dry_run(&mut self) -> bool {
        self.truth("dry_run")
    }

    /// Whether a parameter says `true`; not, if it isn't given.
    pub(crate) fn truth(&mut self, name: &str) -> bool {
        self.read(name, "It must be true or false.", |text| text.parse().ok()).unwrap_or(false)
    }

    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::parameters(self.faults)) }
    }
}

/// A page that is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// How many things.
    pub(crate) limit: usize,
    /// Only those of this account.
    pub(crate) account: Option<DoorKey>,
    /// Where it begins.
    pub(crate) behind: Behind,
    /// From when on is to be asked next time, if an earlier page said so.
    pub(crate) as_of: Option<Timestamp>,
    list: List,
}

/// Which list it is, so that a cursor fits no other.
#[derive(Debug)]
struct List {
    path: String,
    account: Option<String>,
    since: Option<String>,
}

impl Asked {
    /// What this address asks for. `has_account` says whether its list can be of one account.
    pub(crate) fn read(
        path: &str,
        query: Option<&str>,
        has_account: bool,
    ) -> Result<Self, Problem> {
        match has_account {
            true => Self::with(path, query, &["limit", "cursor", "updated_since", "account"]),
            false => Self::with(path, query, &["limit", "cursor", "updated_since"]),
        }
    }

    /// The same of a list whose order isn't that of changes: each thing has its place in it for good.
    pub(crate) fn in_order(path: &str, query: Option<&str>) -> Result<Self, Problem> {
        Self::with(path, query, &["limit", "cursor"])
    }

    fn with(path: &str, query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters = Parameters::of(query, known);
        let limit = parameters.read("limit", "It must be a number from 1 to 200.", |text| {
            text.parse().ok().filter(|limit| (1..=MOST).contains(limit))
        });
        let since = parameters.read(
            "updated_since",
            "It must be a moment such as 2027-06-30T12:00:00Z.",
            // A plus that isn't written as %2B comes as a space.
            |text| moment(&text.replace(' ', "+")),
        );
        let account = parameters.read("account", "It must be an id of yours, or ours.", |text| {
            text.parse::<DoorKey>().ok()
        });
        let owned = |name| parameters.get(name).map(str::to_owned);
        let list = List {
            path: path.to_owned(),
            account: owned("account"),
            since: owned("updated_since"),
        };
        let cursor = parameters.read(
            "cursor",
            "It must be one that a page of this very list named.",
            |text| list.read(text),
        );
        parameters.finish()?;
        let since = since.unwrap_or(Timestamp::from_micros(0));
        let (behind, as_of) = match cursor {
            Some((behind, as_of)) => (behind, Some(as_of)),
            None => (Behind::since(since), None),
        };
        Ok(Self { limit: limit.unwrap_or(USUAL), account, behind, as_of, list })
    }

    /// The address of the page behind the thing with this id, in a list that isn't in the order of
    /// changes.
    pub(crate) fn next_behind(&self, public_url: &str, id: Uuid) -> String {
        let changed = Timestamp::from_micros(0);
        self.next(public_url, Behind { changed, id }, changed)
    }

    /// The address of the page behind this place, at this public address.
    pub(crate) fn next(&self, public_url: &str, behind: Behind, as_of: Timestamp) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        for (name, value) in [("account", &self.list.account), ("updated_since", &self.list.since)]
        {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", &self.list.write(behind, as_of));
        format!("{public_url}{}?{}", self.list.path, query.finish())
    }
}

impl List {
    fn write(&self, behind: Behind, as_of: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(8 + 16 + 8 + SUM);
        bytes.extend(behind.changed.as_micros().to_be_bytes());
        bytes.extend(behind.id.as_bytes());
        bytes.extend(as_of.as_micros().to_be_bytes());
        let sum = self.sum(&bytes);
        bytes.extend(sum);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(&self, cursor: &str) -> Option<(Behind, Timestamp)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (place, sum) = bytes.split_at_checked(32)?;
        if sum != self.sum(place) {
            return None;
        }
        let (changed, rest) = place.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (as_of, _) = rest.split_first_chunk()?;
        let moment = |bytes| Timestamp::from_micros(i64::from_be_bytes(bytes));
        Some((Behind { changed: moment(*changed), id: Uuid::from_bytes(*id) }, moment(*as_of)))
    }

    fn sum(&self, place: &[u8]) -> [u8; SUM] {
        let mut hash = Sha256::new();
        let text = |text: &Option<String>| {
            text.as_ref().map_or(vec![0], |text| [b"1", text.as_bytes()].concat())
        };
        for part in [
            b"latchkey cursor 1".to_vec(),
            self.path.clone().into_bytes(),
            text(&self.account),
            text(&self.since),
            place.to_vec(),
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        hash.first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, query: &str) -> Result<Asked, Problem> {
        Asked::read(path, Some(query), true)
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_ended_and_in_no_other_list() {
        let path = "/api/v1/services";
        let first = asked(path, "account=a%20b&updated_since=2027-01-15T08:00:00%2B01:00").unwrap();
        assert_eq!((first.limit, first.as_of), (50, None));
        let behind = Behind { changed: Timestamp::from_micros(7), id: Uuid::from_u128(9) };
        let next = first.next("https://x.example", behind, Timestamp::from_micros(11));
        let query = next.strip_prefix("https://x.example/api/v1/services?").unwrap();
        let second = asked(path, query).unwrap();
        assert_eq!((second.behind, second.as_of), (behind, Some(Timestamp::from_micros(11))));
        assert_eq!(second.account, first.account);

        let cursor = query.split("cursor=").nth(1).unwrap();
        let mut broken = cursor.to_owned();
        broken.replace_range(..1, if cursor.starts_with('A') { "B" } else { "A" });
        for (path, query) in [
            ("/api/v1/domains", query.to_owned()),
            (path, format!("cursor={cursor}")),
            (path, format!("account=other&cursor={cursor}")),
            (path, query.replace(cursor, &broken)),
            (path, query.replace(cursor, &cursor[..9])),
            (path, query.replace(cursor, "")),
            (path, query.replace(cursor, "%C3%A9")),
        ] {
            assert!(asked(path, &query).is_err(), "{path} {query}");
        }
    }

    #[test]
    fn a_parameter_that_cannot_be_taken_is_named() {
        for query in [
            "limit=0",
            "limit=201",
            "limit=x",
            "limit=",
            "limit=1&limit=1",
            "page=2",
            "updated_since=yesterday",
            "account=",
            "account=id%3Ax",
            "cursor=x",
        ] {
            assert!(asked("/api/v1/services", query).is_err(), "{query}");
        }
        assert!(asked("/api/v1/services", "updated_since=2027-01-15T08:00:00+01:00").is_ok());
        assert!(Asked::read("/api/v1/accounts", Some("account=1"), false).is_err());
    }
}
