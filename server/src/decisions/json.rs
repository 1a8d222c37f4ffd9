//! JSON as it is asked for here: an object is one, a name stands in it once (RFC 7493 section 2.3), and
//! what is wrong is said with the place where it is (RFC 6901).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Some JSON. Numbers other than counts, and what is true or false, are asked for nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Count(u64),
    Other,
    Text(String),
    List(Vec<Self>),
    Object(Object),
}

/// The members of an object.
pub(super) type Object = BTreeMap<String, Json>;

/// What is wrong with a request, in words for whoever wrote the program that sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

/// A place in a request: its pointer, and what is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    before: Option<&'a Place<'a>>,
    name: &'a str,
}

impl<'a> Place<'a> {
    /// The whole.
    pub(super) const WHOLE: Self = Self { before: None, name: "" };

    /// A member of what is here.
    pub(super) const fn of(&'a self, name: &'a str) -> Self {
        Self { before: Some(self), name }
    }

    /// Says that something is wrong here.
    pub(super) fn is(&self, wrong: &str) -> Wrong {
        Wrong(format!("{self} {wrong}"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.before {
            None => f.write_str("The request"),
            Some(Place { before: None, .. }) => write!(f, "/{}", self.name),
            Some(before) => write!(f, "{before}/{}", self.name),
        }
    }
}

/// The object that a body is.
pub(super) fn read(body: &[u8]) -> Result<Object, Wrong> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Place::WHOLE.is("must be a JSON object")),
        Err(error) => Err(Wrong(format!("The request is no JSON as it is asked for: {error}"))),
    }
}

/// A member that is an object, if there is one.
pub(super) fn object<'a>(
    members: &'a Object,
    name: &str,
    place: &Place<'_>,
) -> Result<Option<&'a Object>, Wrong> {
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(members)) => Ok(Some(members)),
        Some(_) => Err(place.of(name).is("must be an object")),
    }
}

/// A member that is text, if there is one.
pub(super) fn text<'a>(
    members: &'a Object,
    name: &str,
    place: &Place<'_>,
) -> Result<Option<&'a str>, Wrong> {
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(place.of(name).is("must be a string")),
    }
}

/// A member that must be there.
pub(super) fn needed<T>(found: Option<T>, name: &str, place: &Place<'_>) -> Result<T, Wrong> {
    found.ok_or_else(|| place.of(name).is("is missing"))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Json, E> {
        Ok(Json::Count(count))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(row) = rows.next_element()? {
            list.push(row);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut rows: A) -> Result<Json, A::Error> {
        let mut members = Object::new();
        while let Some((name, value)) = rows.next_entry::<String, Json>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_or_ambiguous_is_refused_with_its_place() {
        for body in [
            "",
            "{",
            "[]",
            "null",
            "\"{}\"",
            "{} {}",
            r#"{"a": 1, "a": 1}"#,
            r#"{"b": {"a": 1, "\u0061": 2}}"#,
            r#"{"a": "\ud800"}"#,
            r#"{"a": 1,}"#,
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read(b"{\"a\": \"\xff\"}").is_err());
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(4_000), "]".repeat(4_000));
        assert!(read(deep.as_bytes()).is_err());

        let members =
            read(br#"{"a": {"b": 1}, "c": "d", "e": null, "f": [-1, 0.5, true]}"#).unwrap();
        let whole = Place::WHOLE;
        assert_eq!(text(&members, "c", &whole), Ok(Some("d")));
        assert_eq!(text(&members, "e", &whole), Ok(None));
        assert_eq!(text(&members, "g", &whole), Ok(None));
        let wrong = |words: &str| Wrong(words.to_owned());
        assert_eq!(text(&members, "a", &whole), Err(wrong("/a must be a string")));
        assert_eq!(object(&members, "c", &whole), Err(wrong("/c must be an object")));
        let inner = object(&members, "a", &whole).unwrap().unwrap();
        let place = whole.of("a");
        assert_eq!(text(inner, "b", &place), Err(wrong("/a/b must be a string")));
        assert_eq!(needed(None::<()>, "x", &place), Err(wrong("/a/x is missing")));
        let others = Json::List(vec![Json::Other, Json::Other, Json::Other]);
        assert_eq!(members.get("f"), Some(&others));
    }
}
