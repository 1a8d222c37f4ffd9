//! Reading a JSON object: every field by its name and kind, and all that is wrong with it at once.

use domain::links;
use domain::members_by_provider::WantedReach;
use model::{DoorKey, DoorRef, EmailAddress, FieldProblem, Link, Secret, Timestamp};
use serde_json::{Map, Value};

use crate::problem::Fault;

/// The first and the last second that a moment can be in: the years 1900 to 9999.
const YEARS: std::ops::RangeInclusive<i64> = -2_208_988_800..=253_402_300_799;

/// The fields of an object, as they are read.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// Where the object stands in the body.
    place: String,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(map: &'a Map<String, Value>, place: impl Into<String>) -> Self {
        Self { map, place: place.into(), known: Vec::new(), faults: Vec::new() }
    }

    /// The value; none if there is none, or null.
    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn fault(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        let pointer = format!("{}/{}", self.place, escaped(name));
        self.faults.push(Fault::at(pointer, code, detail.into()));
    }

    fn text(&mut self, name: &'static str) -> Option<Option<&'a str>> {
        match self.value(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => {
                self.fault(name, "wrong_type", "It must be a string.");
                None
            }
        }
    }

    fn missing(&mut self, name: &str) {
        self.fault(name, "missing", "It is needed.");
    }

    /// A line of at most `longest` characters, which must be there.
    pub(crate) fn line(&mut self, name: &'static str, longest: usize) -> Option<String> {
        self.taken(name, longest, true)
    }

    /// A line that may be left out, or empty.
    pub(crate) fn line_or_none(&mut self, name: &'static str, longest: usize) -> Option<String> {
        self.taken(name, longest, false)
    }

    fn taken(&mut self, name: &'static str, longest: usize, needed: bool) -> Option<String> {
        let text = self.text(name)?.unwrap_or_default();
        match model::one_line(text, longest) {
            Ok(line) => Some(line),
            Err(FieldProblem::TooLong) => {
                self.fault(name, "too_long", format!("It has more than {longest} characters."));
                None
            }
            Err(_) if needed => {
                self.missing(name);
                None
            }
            Err(_) => Some(String::new()),
        }
    }

    /// Text of several lines and at most `longest` characters, which must be there.
    pub(crate) fn words(&mut self, name: &'static str, longest: usize) -> Option<String> {
        let text = self.text(name)?.unwrap_or_default();
        let lines: Vec<_> = text.lines().map(model::legible).collect();
        let words = lines.join("\n").trim().to_owned();
        if words.is_empty() {
            self.missing(name);
            None
        } else if words.chars().count() > longest {
            self.fault(name, "too_long", format!("It has more than {longest} characters."));
            None
        } else {
            Some(words)
        }
    }

    /// Text as it is, of at most `longest` characters and without control characters.
    pub(crate) fn secret(&mut self, name: &'static str, longest: usize) -> Option<Secret> {
        let text = self.text(name)?.unwrap_or_default();
        if text.chars().count() > longest {
            self.fault(name, "too_long", format!("It has more than {longest} characters."));
            None
        } else if text.chars().any(char::is_control) {
            self.fault(name, "malformed", "It holds a control character.");
            None
        } else {
            Some(Secret::from(text.to_owned()))
        }
    }

    /// One of these; the first, if it is left out.
    pub(crate) fn choice(&mut self, name: &'static str, of: &[&'static str]) -> Option<String> {
        let text = self.text(name)?;
        let Some(text) = text else { return of.first().map(|first| (*first).to_owned()) };
        let found = of.iter().find(|one| **one == text);
        if found.is_none() {
            self.fault(name, "unknown", format!("It must be one of {}.", of.join(", ")));
        }
        found.map(|one| (*one).to_owned())
    }

    /// A moment, which must be there.
    pub(crate) fn moment(&mut self, name: &'static str) -> Option<Timestamp> {
        let found = self.moment_or_none(name)?;
        if found.is_none() {
            self.missing(name);
        }
        found
    }

    /// A moment that may be left out.
    pub(crate) fn moment_or_none(&mut self, name: &'static str) -> Option<Option<Timestamp>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        let read = moment(text);
        if read.is_none() {
            let wanted =
                "It must be a moment such as 2027-06-30T12:00:00Z, in the years 1900 to 9999.";
            self.fault(name, "malformed", wanted);
        }
        read.map(Some)
    }

    /// A truth; this one, if it is left out.
    pub(crate) fn truth(&mut self, name: &'static str, default: bool) -> Option<bool> {
        match self.value(name) {
            None => Some(default),
            Some(Value::Bool(truth)) => Some(*truth),
            Some(_) => {
                self.fault(name, "wrong_type", "It must be true or false.");
                None
            }
        }
    }

    /// A whole number, which must be there.
    pub(crate) fn whole(&mut self, name: &'static str, most: i64) -> Option<i64> {
        match self.value(name) {
            None => {
                self.missing(name);
                None
            }
            Some(Value::Number(number)) => {
                let whole = number.as_i64().filter(|whole| (-most..=most).contains(whole));
                if whole.is_none() {
                    let wanted = format!("It must be a whole number from -{most} to {most}.");
                    self.fault(name, "out_of_range", wanted);
                }
                whole
            }
            Some(_) => {
                self.fault(name, "wrong_type", "It must be a whole number.");
                None
            }
        }
    }

    /// A whole number in this range; this one, if it is left out.
    pub(crate) fn whole_or(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<i64>,
        default: i64,
    ) -> Option<i64> {
        let whole = match self.value(name) {
            None => return Some(default),
            Some(value) => value.as_i64().filter(|whole| range.contains(whole)),
        };
        if whole.is_none() {
            let wanted =
                format!("It must be a whole number from {} to {}.", range.start(), range.end());
            self.fault(name, "out_of_range", wanted);
        }
        whole
    }

    /// A list of ids of `what`, each of which is known; none, if it is left out.
    pub(crate) fn choices<T>(
        &mut self,
        name: &'static str,
        what: &str,
        known: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match self.value(name) {
            None => return Some(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(name, "wrong_type", "It must be a list.");
                return None;
            }
        };
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item.as_str().and_then(&known) {
                Some(found) => read.push(found),
                None => {
                    let place = format!("{}/{}/{index}", self.place, escaped(name));
                    let detail = format!("It must be the id of a {what}.");
                    self.faults.push(Fault::at(place, "unknown", detail));
                }
            }
        }
        (read.len() == items.len()).then_some(read)
    }

    /// Objects in a list of at most `most`, each read by itself; none, if it is left out.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        most: usize,
        read: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match self.value(name) {
            None => return Some(Vec::new()),
            Some(Value::Array(items)) if items.len() > most => {
                self.fault(name, "too_many", format!("There are at most {most}."));
                return None;
            }
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(name, "wrong_type", "It must be a list.");
                return None;
            }
        };
        let mut found = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = format!("{}/{}/{index}", self.place, escaped(name));
            let Some(map) = item.as_object() else {
                let detail = "It must be an object.".to_owned();
                self.faults.push(Fault::at(place, "wrong_type", detail));
                continue;
            };
            let mut fields = Fields::of(map, place);
            let read = read(&mut fields);
            match fields.finish(read) {
                Ok(read) => found.push(read),
                Err(faults) => self.faults.extend(faults),
            }
        }
        (found.len() == items.len()).then_some(found)
    }

    /// One of these words, if it is there.
    pub(crate) fn word_or_none<T: Copy>(
        &mut self,
        name: &'static str,
        of: &[(&'static str, T)],
    ) -> Option<Option<T>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        let found = of.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            let words: Vec<_> = of.iter().map(|(word, _)| *word).collect();
            self.fault(name, "unknown", format!("It must be one of {}.", words.join(", ")));
        }
        found.map(Some)
    }

    /// An id of ours as we write it, if it is there.
    pub(crate) fn id_or_none(&mut self, name: &'static str) -> Option<Option<uuid::Uuid>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        let read = text.parse().ok();
        if read.is_none() {
            self.fault(name, "malformed", "It must be a UUID.");
        }
        read.map(Some)
    }

    /// Which things are meant, if it is there: `all`, or a list of keys.
    pub(crate) fn reach(&mut self, name: &'static str) -> Option<Option<WantedReach>> {
        let items = match self.value(name) {
            None => return Some(None),
            Some(Value::String(text)) if text == "all" => return Some(Some(WantedReach::All)),
            Some(Value::Array(items)) if !items.is_empty() => items,
            Some(Value::Array(_)) => {
                self.fault(name, "missing", "One is needed.");
                return None;
            }
            Some(_) => {
                self.fault(name, "wrong_type", "It must be `all`, or a list of ids.");
                return None;
            }
        };
        let mut keys = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item.as_str().and_then(|text| text.parse().ok()) {
                Some(key) => keys.push(key),
                None => {
                    let place = format!("{}/{}/{index}", self.place, escaped(name));
                    let detail = "It must be an id of yours, or one of ours behind `id:`.";
                    self.faults.push(Fault::at(place, "malformed", detail.to_owned()));
                }
            }
        }
        (keys.len() == items.len()).then_some(Some(WantedReach::These(keys)))
    }

    /// An id of the provider's, if it is there.
    pub(crate) fn reference_or_none(&mut self, name: &'static str) -> Option<Option<DoorRef>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        let read = text.parse().ok();
        if read.is_none() {
            let wanted = "It must be an id of yours: 1 to 200 characters, no control characters.";
            self.fault(name, "malformed", wanted);
        }
        read.map(Some)
    }

    /// What names a thing at the door, if it is there.
    pub(crate) fn key_or_none(&mut self, name: &'static str) -> Option<Option<DoorKey>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        let read = text.parse().ok();
        if read.is_none() {
            let wanted = "It must be an id of yours (1 to 200 characters, no control characters), or one \
                          of ours behind `id:`.";
            self.fault(name, "malformed", wanted);
        }
        read.map(Some)
    }

    /// The same, which must be there.
    pub(crate) fn key(&mut self, name: &'static str) -> Option<DoorKey> {
        let found = self.key_or_none(name)?;
        if found.is_none() {
            self.missing(name);
        }
        found
    }

    /// An e-mail address that may be left out.
    pub(crate) fn email_or_none(&mut self, name: &'static str) -> Option<Option<EmailAddress>> {
        let Some(text) = self.text(name)? else { return Some(None) };
        match EmailAddress::parse(text) {
            Ok(email) => Some(Some(email)),
            Err(FieldProblem::TooLong) => {
                self.fault(name, "too_long", "It has more than 254 characters.");
                None
            }
            Err(_) => {
                self.fault(name, "malformed", "It is no e-mail address.");
                None
            }
        }
    }

    /// An object of links with these names, each of which may be left out, and so may all.
    pub(crate) fn links<const N: usize>(
        &mut self,
        name: &'static str,
        names: [&'static str; N],
    ) -> Option<[Option<Link>; N]> {
        let none = Map::new();
        let map = match self.value(name) {
            None => &none,
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.fault(name, "wrong_type", "It must be an object.");
                return None;
            }
        };
        let mut fields = Fields::of(map, format!("{}/{name}", self.place));
        let read = names.map(|name| fields.link_or_none(name));
        let whole = read.iter().all(Option::is_some).then_some(());
        let links = read.map(Option::flatten);
        match fields.finish(whole) {
            Ok(()) => Some(links),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// A link that may be left out, or empty.
    fn link_or_none(&mut self, name: &'static str) -> Option<Option<Link>> {
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else {
            return Some(None);
        };
        match links::read(text) {
            Ok(link) => Some(Some(link)),
            Err(FieldProblem::TooLong) => {
                let longest = Link::LONGEST;
                self.fault(name, "too_long", format!("It has more than {longest} characters."));
                None
            }
            Err(_) => {
                let wanted = "It must be an address of https, without user and password in it; of http \
                              only on localhost.";
                self.fault(name, "malformed", wanted);
                None
            }
        }
    }

    /// Fields that are answered and not written: they may come back as they were answered. `shown` is
    /// how they stand.
    pub(crate) fn as_they_are(&mut self, names: &[&'static str], shown: &Map<String, Value>) {
        for &name in names {
            let sent = self.value(name);
            if sent.is_some_and(|sent| Some(sent) != shown.get(name)) {
                self.fault(name, "read_only", "It can't be changed; leave it out.");
            }
        }
    }

    /// What was read, if nothing was wrong with it.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<Fault>> {
        let known = std::mem::take(&mut self.known);
        let map = self.map;
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            self.fault(name, "unknown_field", "There is no such field.");
        }
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(self.faults),
        }
    }

    /// The names of the fields that were read so far.
    #[cfg(test)]
    pub(crate) fn known(&self) -> &[&'static str] {
        &self.known
    }
}

/// A name as a JSON Pointer writes it (RFC 6901 section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Reads a moment (RFC 3339), in years that pages can show.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    YEARS.contains(&at.as_second()).then(|| Timestamp::from_micros(at.as_microsecond()))
}

/// A moment as answers write it (RFC 3339), in UTC.
pub(crate) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default().to_string()
}

/// Changes an object as a merge patch says (RFC 7396). What it takes away is null, and read as left out.
pub(crate) fn merged(
    mut object: Map<String, Value>,
    patch: Map<String, Value>,
) -> Map<String, Value> {
    for (name, value) in patch {
        let value = match (object.remove(&name), value) {
            (Some(Value::Object(own)), Value::Object(patch)) => Value::Object(merged(own, patch)),
            (_, value) => value,
        };
        object.insert(name, value);
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T>(
        body: &Value,
        with: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Result<T, Vec<String>> {
        let mut fields = Fields::of(body.as_object().unwrap(), "");
        let read = with(&mut fields);
        let told = |fault: Fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code);
        fields.finish(read).map_err(|faults| faults.into_iter().map(told).collect())
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let body = json!({ "name": 7, "plan": "x".repeat(201), "state": "gone", "a/b~c": 1 });
        let told = read(&body, |fields| {
            let (name, plan) = (fields.line("name", 200), fields.line_or_none("plan", 200));
            let (state, at) = (fields.choice("state", &["on", "off"]), fields.moment("renews_at"));
            Some((name?, plan?, state?, at?))
        });
        let expected = [
            "/name wrong_type",
            "/plan too_long",
            "/state unknown",
            "/renews_at missing",
            "/a~1b~0c unknown_field",
        ];
        assert_eq!(told, Err(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_left_out_or_null_is_its_default() {
        for body in [json!({}), json!({ "plan": null, "state": null, "locked": null })] {
            let read = read(&body, |fields| {
                let plan = fields.line_or_none("plan", 9);
                Some((
                    plan?,
                    fields.choice("state", &["on", "off"])?,
                    fields.truth("locked", true)?,
                ))
            });
            assert_eq!(read, Ok((String::new(), "on".to_owned(), true)));
        }
    }

    #[test]
    fn numbers_are_whole_and_bounded() {
        let whole = |value: Value| read(&json!({ "n": value }), |fields| fields.whole("n", 100));
        for (value, expected) in [(json!(100), 100), (json!(-100), -100), (json!(0), 0)] {
            assert_eq!(whole(value), Ok(expected));
        }
        for value in [json!(101), json!(1.5), json!(1.0), json!(1e300), json!(u64::MAX)] {
            assert_eq!(whole(value), Err(vec!["/n out_of_range".to_owned()]));
        }
        assert_eq!(whole(json!("5")), Err(vec!["/n wrong_type".to_owned()]));
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        let at = Timestamp::from_micros(1_800_000_000_123_456);
        assert_eq!(written(at), "2027-01-15T08:00:00.123456Z");
        assert_eq!(moment(&written(at)), Some(at));
        assert_eq!(
            moment("2027-01-15T09:00:00+01:00"),
            Some(Timestamp::from_micros(1_800_000_000_000_000))
        );
        for text in ["", "2027-01-15", "now", "1899-12-31T23:59:59Z", "-009999-01-01T00:00:00Z"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn links_are_read_by_their_names_and_refused_by_them() {
        let links = |body: Value| {
            read(&body, |fields| fields.links("links", ["open", "renew"])).map(|links| {
                links.map(|link| link.map_or_else(String::new, |link| link.to_string()))
            })
        };
        let open = "https://x.example/open";
        let none = [String::new(), String::new()];
        for body in [
            json!({}),
            json!({ "links": null }),
            json!({ "links": {} }),
            json!({ "links": { "open": null, "renew": "" } }),
        ] {
            assert_eq!(links(body), Ok(none.clone()));
        }
        let [opened, _] = links(json!({ "links": { "open": open } })).unwrap();
        assert_eq!(opened, open);
        let told = links(json!({ "links": {
            "open": "http://x.example", "renew": format!("{open}{}", "x".repeat(2_000)), "pay": open,
        } }));
        let expected =
            ["/links/open malformed", "/links/renew too_long", "/links/pay unknown_field"];
        assert_eq!(told, Err(expected.map(str::to_owned).to_vec()));
        assert_eq!(links(json!({ "links": open })), Err(vec!["/links wrong_type".to_owned()]));
    }

    #[test]
    fn a_change_reaches_into_objects() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let before = json!({ "name": "a", "links": { "open": "x", "renew": "y" } });
        let patch = json!({ "links": { "renew": null }, "plan": "b" });
        let after = json!({ "name": "a", "plan": "b", "links": { "open": "x", "renew": null } });
        assert_eq!(merged(object(before), object(patch)), object(after));
        let (before, patch) = (json!({ "links": { "open": "x" } }), json!({ "links": null }));
        assert_eq!(merged(object(before), object(patch.clone())), object(patch));
    }

    #[test]
    fn what_is_answered_and_not_written_may_come_back_as_it_was() {
        let shown = json!({ "id": "1" });
        let with = |body: Value| {
            read(&body, |fields| {
                fields.as_they_are(&["id"], shown.as_object().unwrap());
                Some(())
            })
        };
        assert_eq!(with(json!({ "id": "1" })), Ok(()));
        assert_eq!(with(json!({})), Ok(()));
        assert_eq!(with(json!({ "id": "2" })), Err(vec!["/id read_only".to_owned()]));
    }
}
