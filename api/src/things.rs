//! What is the same for every kind of thing: reading one and many, writing one and many.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, FromRequestParts, OriginalUri, Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::door::{self, Becomes, Behind, Changes, Done, Kept, MOST_ROWS, Refused, Row, Thing};
use domain::tokens::Token;
use model::{DoorKey, DoorRef, EmailAddress, Link, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::accounts::name_of;
use crate::entry::Door;
use crate::fields::{Fields, merged, written};
use crate::page::{Asked, Parameters};
use crate::problem::{Fault, Kind, Problem, ProblemBody};

/// A kind of thing as the door shows and reads it.
pub(crate) trait Resource: Thing {
    /// How an answer shows it.
    type Shown: Serialize + ToSchema;
    /// What of an answer is never written.
    const READ_ONLY: &'static [&'static str];
    /// Where it is found: the last part of the address of its list.
    const PATH: &'static str;

    fn show(kept: &Kept<Self>) -> Self::Shown;

    /// What of it is written, also what is never answered.
    fn writable(&self) -> Map<String, Value>;

    /// Reads all of it. What may stay as it is, if it is left out, is `present`'s.
    fn read(fields: &mut Fields<'_>, present: Option<&Self>) -> Option<Self>;

    /// Who is to be invited as the first owner, if it is an account that comes about.
    fn owner(_fields: &mut Fields<'_>) -> Option<Option<EmailAddress>> {
        Some(None)
    }
}

/// Why a row came to nothing, before `domain` has a say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Invalid(Vec<Fault>),
    Precondition,
    NotFound,
}

impl From<Said> for Problem {
    fn from(said: Said) -> Self {
        match said {
            Said::Invalid(faults) => Self::invalid(faults),
            Said::Precondition => Kind::Precondition.into(),
            Said::NotFound => Kind::NotFound.into(),
        }
    }
}

/// What an answer of a dry run says.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRun {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// What would come of it.
    outcome: Outcome,
    /// How it stands; null if it isn't there.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// How it would stand; null if it wouldn't be there.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

impl DryRun {
    pub(crate) fn of(outcome: Outcome, before: Option<Value>, after: Option<Value>) -> Self {
        Self { dry_run: true, outcome, before, after }
    }
}

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It came about.
    Created,
    /// It changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// It can't be taken.
    Refused,
}

/// What came of many rows.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchOutcome {
    /// Whether all of it was written. If not, nothing was.
    written: bool,
    /// Whether it was only to be told what would come of it.
    dry_run: bool,
    /// What came, or would have come, of each row, in their order.
    outcomes: Vec<RowOutcome>,
}

/// What came of one row.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowOutcome {
    /// How it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#ref: Option<String>,
    /// Our id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<uuid::Uuid>,
    /// What came of it.
    outcome: Outcome,
    /// Why nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

pub(crate) fn outcome<T: PartialEq>(done: &Done<T>) -> Outcome {
    match (&done.before, &done.after) {
        (None, _) => Outcome::Created,
        (Some(_), None) => Outcome::Deleted,
        (Some(before), Some(after)) => {
            let same = before.thing == after.thing && before.account == after.account;
            if same { Outcome::Unchanged } else { Outcome::Changed }
        }
    }
}

/// The last part of an address, as it names a thing.
pub(crate) struct Named(pub(crate) DoorKey);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| unreadable_address())?;
        // Whatever it is, there is nothing of that name.
        text.parse().map(Self).map_err(|_| Kind::NotFound.into())
    }
}

/// A thing of a thing, by the two parts of an address that name them.
pub(crate) struct NamedTwice(pub(crate) DoorKey, pub(crate) DoorKey);

impl<S: Send + Sync> FromRequestParts<S> for NamedTwice {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((outer, inner)) = path.map_err(|_| unreadable_address())?;
        let key = |text: String| text.parse().map_err(|_| Problem::from(Kind::NotFound));
        Ok(Self(key(outer)?, key(inner)?))
    }
}

fn unreadable_address() -> Problem {
    Problem::detailed(Kind::BadRequest, "The address isn't percent-encoded UTF-8.")
}

/// What an answer about a thing says beside it: its state, and when that changes.
pub(crate) fn etag(changed: Timestamp) -> String {
    format!("\"{:x}\"", changed.as_micros())
}

/// What tells one state of a thing from another, where nothing notes when it changed: a sum of what is
/// shown of it.
pub(crate) fn sum(shown: &Value) -> String {
    let hash: [u8; 32] = Sha256::digest(shown.to_string()).into();
    let hash: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

/// An answer about a thing in the state with this tag.
pub(crate) fn answered(status: StatusCode, shown: Value, tag: &str) -> Response {
    let mut response = (status, Json(shown)).into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The same to whoever reads it, who may have it already.
pub(crate) fn read(headers: &HeaderMap, shown: Value, tag: &str) -> Response {
    if !Condition::of(headers).is_known(tag) {
        return answered(StatusCode::OK, shown, tag);
    }
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// How a thing must be, or must not be, for a request to be carried out (RFC 9110 section 13.1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    matches: Option<Vec<String>>,
    matches_none: Option<Vec<String>>,
}

impl Condition {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let listed = |name: header::HeaderName| {
            let lines: Vec<_> = headers.get_all(name).iter().collect();
            let tags = lines.iter().filter_map(|line| line.to_str().ok());
            let tags = tags.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned());
            (!lines.is_empty()).then(|| tags.collect())
        };
        Self { matches: listed(header::IF_MATCH), matches_none: listed(header::IF_NONE_MATCH) }
    }

    /// Whether a thing in the state with this tag, or none, fulfils it.
    pub(crate) fn fulfilled(&self, tag: Option<&str>) -> bool {
        let fits = |tags: &Vec<String>| {
            tags.iter().any(|one| tag.is_some_and(|tag| one == "*" || one == tag))
        };
        self.matches.as_ref().is_none_or(fits) && !self.matches_none.as_ref().is_some_and(fits)
    }

    /// The same, as a row is told.
    pub(crate) fn must_fit(&self, tag: Option<&str>) -> Result<(), Said> {
        if self.fulfilled(tag) { Ok(()) } else { Err(Said::Precondition) }
    }

    /// Whether whoever reads has it already as it is.
    pub(crate) fn is_known(&self, tag: &str) -> bool {
        let known = |one: &String| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag;
        self.matches_none.as_ref().is_some_and(|tags| tags.iter().any(known))
    }
}

/// `GET …/{ref}`
pub(crate) async fn one<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(R::AREA.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let kept = door::find::<R>(&door.latchkey, &token, &key).await?;
    if Condition::of(&headers).is_known(&etag(kept.changed)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        tagged(&mut response, kept.changed);
        return Ok(response);
    }
    Ok(shown(StatusCode::OK, &kept))
}

fn shown<R: Resource>(status: StatusCode, kept: &Kept<R>) -> Response {
    let mut response = (status, Json(R::show(kept))).into_response();
    tagged(&mut response, kept.changed);
    response
}

pub(crate) fn tagged(response: &mut Response, changed: Timestamp) {
    if let Ok(tag) = HeaderValue::from_str(&etag(changed)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

/// A page of a list.
#[derive(Serialize)]
pub(crate) struct ListBody<T> {
    /// The things, in the order in which they changed last.
    pub(crate) items: Vec<T>,
    /// The address of the next page; null on the last.
    pub(crate) next: Option<String>,
    /// What to ask next time as `updated_since`: whoever read all pages then misses nothing.
    pub(crate) as_of: String,
}

/// A page of a list that isn't asked for by when its things changed.
#[derive(Serialize)]
pub(crate) struct PageBody<T> {
    /// The things, in their order.
    pub(crate) items: Vec<T>,
    /// The address of the next page; null on the last.
    pub(crate) next: Option<String>,
}

/// `GET` of a list.
pub(crate) async fn list<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<ListBody<R::Shown>>, Problem> {
    token.must(R::AREA.read())?;
    let asked = Asked::read(uri.path(), uri.query(), !R::IS_ACCOUNT)?;
    let (account, most) = (asked.account.as_ref(), asked.limit + 1);
    let mut page = door::list::<R>(&door.latchkey, &token, account, asked.behind, most).await?;
    let more = page.rows.len() > asked.limit;
    page.rows.truncate(asked.limit);
    // Of all pages the first one tells it: what changed since is in none for sure.
    let as_of = asked.as_of.unwrap_or(page.as_of);
    let last = page.rows.last().filter(|_| more);
    let last = last.map(|kept| Behind { changed: kept.changed, id: kept.id });
    let public_url = &door.latchkey.settings.public_url;
    Ok(Json(ListBody {
        items: page.rows.iter().map(R::show).collect(),
        next: last.map(|behind| asked.next(public_url, behind, as_of)),
        as_of: written(as_of),
    }))
}

/// Reads the body: an object in JSON, sent as such.
pub(crate) fn object(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let is_json = ["application/json", "application/merge-patch+json"]
        .iter()
        .any(|json| kind.eq_ignore_ascii_case(json));
    if !is_json {
        let detail = "Send it as application/json, or a change as application/merge-patch+json.";
        return Err(Problem::detailed(Kind::MediaType, detail));
    }
    let unreadable = |detail: String| Problem::detailed(Kind::BadRequest, detail);
    let text = std::str::from_utf8(body).map_err(|error| {
        unreadable(format!("The body isn't UTF-8 from byte {} on.", error.valid_up_to()))
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        unreadable(format!("The body isn't JSON: see line {line}, column {column}."))
    })?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::invalid(vec![Fault::at(
            "",
            "wrong_type",
            "It must be an object.".to_owned(),
        )])),
    }
}

/// A row that makes a thing what this object says, whole.
pub(crate) fn whole<'a, R: Resource>(
    token: &Token,
    key: DoorKey,
    object: Map<String, Value>,
    place: String,
    condition: Condition,
) -> Row<'a, R, Said> {
    let (account, owner) = named::<R>(token, &object);
    let bound = token.account.is_some();
    let own = key.clone();
    let becomes = move |present: Option<&Kept<R>>| {
        if !condition.fulfilled(present.map(|kept| etag(kept.changed)).as_deref()) {
            return Err(Said::Precondition);
        }
        read_whole::<R>(&object, &place, present, &own, bound).map(Becomes::This)
    };
    Row { key, account, owner, becomes: Box::new(becomes) }
}

/// A row that changes of a thing what this object says.
fn partly<'a, R: Resource>(
    token: &Token,
    key: DoorKey,
    patch: Map<String, Value>,
    condition: Condition,
) -> Row<'a, R, Said> {
    let (account, _) = named::<R>(token, &patch);
    let own = key.clone();
    let becomes = move |present: Option<&Kept<R>>| {
        let kept = present.ok_or(Said::NotFound)?;
        if !condition.fulfilled(Some(&etag(kept.changed))) {
            return Err(Said::Precondition);
        }
        let mut object = kept.thing.writable();
        if !R::IS_ACCOUNT {
            object.insert("account".to_owned(), Value::String(name_of(kept)));
        }
        let object = merged(object, patch.clone());
        read_whole::<R>(&object, "", present, &own, false).map(Becomes::This)
    };
    Row { key, account, owner: None, becomes: Box::new(becomes) }
}

/// Which account an object names, and who is to be its first owner: as far as it can be read. What is
/// wrong with it is told where all of it is read.
fn named<R: Resource>(
    token: &Token,
    object: &Map<String, Value>,
) -> (Option<DoorKey>, Option<EmailAddress>) {
    let account = object.get("account").and_then(Value::as_str).and_then(|text| text.parse().ok());
    // Whoever sees one account means that.
    let only = token.account.map(|account| DoorKey::Id(account.into()));
    let account = account.or(only).filter(|_| !R::IS_ACCOUNT);
    (account, R::owner(&mut Fields::of(object, "")).flatten())
}

fn read_whole<R: Resource>(
    object: &Map<String, Value>,
    place: &str,
    present: Option<&Kept<R>>,
    key: &DoorKey,
    bound: bool,
) -> Result<R, Said> {
    let mut fields = Fields::of(object, place);
    let account = match R::IS_ACCOUNT {
        true => Some(()),
        false if bound => fields.key_or_none("account").map(drop),
        false => fields.key("account").map(drop),
    };
    let owner = R::owner(&mut fields);
    let read = R::read(&mut fields, present.map(|kept| &kept.thing));
    let shown = match present {
        Some(kept) => serde_json::to_value(R::show(kept)).unwrap_or_default(),
        None => json!({ "ref": key.to_string() }),
    };
    fields.as_they_are(R::READ_ONLY, shown.as_object().unwrap_or(&Map::new()));
    let read = account.and(owner).and(read);
    fields.finish(read).map_err(Said::Invalid)
}

/// What a row that came to nothing is told, and where its account stands in the body.
pub(crate) fn refused(refused: Refused<Said>, place: &str) -> Problem {
    let about_account = |code, detail: &str| {
        Problem::invalid(vec![Fault::at(format!("{place}/account"), code, detail.to_owned())])
    };
    match refused {
        Refused::Said(said) => said.into(),
        Refused::NotFound => Kind::NotFound.into(),
        Refused::NoAccount => about_account("missing", "It is needed."),
        Refused::UnknownAccount => about_account("unknown", "There is no such account."),
    }
}

/// How a thing is told in a dry run: when it changes is known only when it does.
fn told<R: Resource>(kept: &Kept<R>) -> Value {
    let mut value = serde_json::to_value(R::show(kept)).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("updated_at");
    }
    value
}

async fn write_one<R: Resource>(
    door: &Door,
    token: &Token,
    query: Option<&str>,
    row: Row<'_, R, Said>,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(query, &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let changes = door::change(&door.latchkey, token, vec![row], !dry_run).await?;
    let done = changes.rows.into_iter().next().ok_or(Kind::Broken)?;
    let done = done.map_err(|why| refused(why, ""))?;
    let outcome = outcome(&done);
    if dry_run {
        let (before, after) = (done.before.as_ref().map(told), done.after.as_ref().map(told));
        return Ok(Json(DryRun::of(outcome, before, after)).into_response());
    }
    let Some(after) = done.after else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    // When it changed is known only now.
    let kept = R::find(&door.latchkey.store, &DoorKey::Id(after.id)).await?.unwrap_or(after);
    if outcome != Outcome::Created {
        return Ok(shown(StatusCode::OK, &kept));
    }
    let mut response = shown(StatusCode::CREATED, &kept);
    let public_url = &door.latchkey.settings.public_url;
    let place = format!("{public_url}/api/v1/{}/id:{}", R::PATH, kept.id);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// `PUT …/{ref}`
pub(crate) async fn put<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(R::AREA.write())?;
    let object = object(&headers, &body)?;
    let row = whole::<R>(&token, key, object, String::new(), Condition::of(&headers));
    write_one(&door, &token, uri.query(), row).await
}

/// `PATCH …/{ref}`
pub(crate) async fn patch<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(R::AREA.write())?;
    let object = object(&headers, &body)?;
    let row = partly::<R>(&token, key, object, Condition::of(&headers));
    write_one(&door, &token, uri.query(), row).await
}

/// `DELETE …/{ref}`
pub(crate) async fn delete<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(R::AREA.write())?;
    let condition = Condition::of(&headers);
    let becomes = move |present: Option<&Kept<R>>| {
        let kept = present.ok_or(Said::NotFound)?;
        match condition.fulfilled(Some(&etag(kept.changed))) {
            true => Ok(Becomes::Nothing),
            false => Err(Said::Precondition),
        }
    };
    let row = Row { key, account: None, owner: None, becomes: Box::new(becomes) };
    write_one(&door, &token, uri.query(), row).await
}

/// `POST …:batch`
pub(crate) async fn batch<R: Resource>(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(R::AREA.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let items = items(object(&headers, &body)?)?;
    let mut rows = Vec::with_capacity(items.len());
    let (mut faults, mut names) = (Vec::new(), Vec::with_capacity(items.len()));
    for (index, item) in items.into_iter().enumerate() {
        let place = format!("/items/{index}");
        let Value::Object(mut item) = item else {
            faults.push(Fault::at(place, "wrong_type", "It must be an object.".to_owned()));
            continue;
        };
        let name = item.remove("ref");
        let name = Map::from_iter(name.map(|name| ("ref".to_owned(), name)));
        let mut fields = Fields::of(&name, place.clone());
        let key = fields.key("ref");
        match fields.finish(key) {
            Ok(key) => {
                names.push(key.to_string());
                rows.push(whole::<R>(&token, key, item, place, Condition::default()));
            }
            Err(told) => faults.extend(told),
        }
    }
    // Whoever a row is about must be known before anything is looked at.
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let Changes { rows, written } = door::change(&door.latchkey, &token, rows, !dry_run).await?;
    let all_good = rows.iter().all(Result::is_ok);
    let outcomes = rows.into_iter().zip(names).enumerate().map(|(index, (row, name))| match row {
        Ok(done) => RowOutcome {
            outcome: outcome(&done),
            // What would come about has no id yet.
            id: done.before.or(done.after.filter(|_| written)).map(|kept| kept.id),
            r#ref: Some(name),
            problem: None,
        },
        Err(why) => RowOutcome {
            outcome: Outcome::Refused,
            id: None,
            r#ref: Some(name),
            problem: Some(refused(why, &format!("/items/{index}")).body(None)),
        },
    });
    let outcomes = outcomes.collect();
    let status = if all_good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Json(BatchOutcome { written, dry_run, outcomes })).into_response())
}

/// The rows of a body of many.
fn items(mut object: Map<String, Value>) -> Result<Vec<Value>, Problem> {
    let fault = |pointer: &str, code, detail: &str| {
        Problem::invalid(vec![Fault::at(pointer, code, detail.to_owned())])
    };
    let items = match object.remove("items") {
        Some(Value::Array(items)) => items,
        Some(_) => return Err(fault("/items", "wrong_type", "It must be a list.")),
        None => return Err(fault("/items", "missing", "It is needed.")),
    };
    Fields::of(&object, "").finish(Some(())).map_err(Problem::invalid)?;
    if items.len() > MOST_ROWS {
        let detail = format!("There are at most {MOST_ROWS} in one request.");
        return Err(fault("/items", "too_many", &detail));
    }
    Ok(items)
}

/// The provider's own id of a thing, as answers tell it.
pub(crate) fn reference(reference: Option<&DoorRef>) -> Option<String> {
    reference.map(DoorRef::to_string)
}

/// A link as answers tell it.
pub(crate) fn link(link: Option<&Link>) -> Option<String> {
    link.map(Link::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_from_another() {
        let (one, other) = (json!({ "a": 1 }), json!({ "a": 2 }));
        assert_eq!(sum(&one), sum(&one.clone()));
        assert_ne!(sum(&one), sum(&other));
        assert!(sum(&one).starts_with('"') && sum(&one).ends_with('"'));
    }

    #[test]
    fn a_condition_is_about_the_state_that_is_there() {
        let tag = |micros| etag(Timestamp::from_micros(micros));
        let (now, before) = (tag(255), tag(254));
        let condition = |name: header::HeaderName, value: &'static str| {
            Condition::of(&[(name, HeaderValue::from_static(value))].into_iter().collect())
        };
        for (value, fulfilled) in [
            ("\"ff\"", true),
            ("\"fe\", \"ff\"", true),
            ("*", true),
            ("ff", false),
            ("\"fe\"", false),
            ("W/\"ff\"", false),
            ("", false),
        ] {
            let matches = condition(header::IF_MATCH, value);
            assert_eq!(matches.fulfilled(Some(&now)), fulfilled, "{value}");
            assert!(!matches.fulfilled(None), "{value}");
            let matches_none = condition(header::IF_NONE_MATCH, value);
            assert_eq!(matches_none.fulfilled(Some(&now)), !fulfilled, "{value}");
            assert!(matches_none.fulfilled(None), "{value}");
        }
        assert!(Condition::default().fulfilled(None) && Condition::default().fulfilled(Some(&now)));
        let known = condition(header::IF_NONE_MATCH, "W/\"ff\"");
        assert!(known.is_known(&now) && !known.is_known(&before));
    }
}
