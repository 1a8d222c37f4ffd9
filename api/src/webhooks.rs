//! The addresses that are told of events, at the door: as the command line lists, adds and removes them.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::tokens::Token;
use domain::webhooks::{self, Becomes, Endpoint, LONGEST_URL, NoDestination, Url};
use model::{DoorArea, DoorKey, DoorScope, EventKind, EventKinds, Secret};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::{Fields, merged, written};
use crate::page::Parameters;
use crate::problem::{Kind, Problem};
use crate::things::{
    Condition, DryRun, Named, Outcome, PageBody, Said, answered, object, read, sum,
};

/// What of one is never written.
const READ_ONLY: [&str; 6] = ["id", "made_at", "off_since", "off_why", "waiting", "given_up"];

/// Where they are found.
const PATH: &str = "webhooks";
/// For how many hours the secret before can be used, too: a year.
const LONGEST_OVERLAP: i64 = 8_760;

/// An address that is told of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// The address: https, and public.
    #[schema(format = "uri", max_length = 1000, example = "https://crm.example/hooks")]
    url: String,
    /// Of which kinds of events it is told; of all, if there is none.
    #[schema(required = false, example = json!(["member.added", "member.removed"]))]
    kinds: Vec<&'static str>,
    /// What its receiver checks signatures with. Told once: when it is made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    secret: Option<String>,
    /// When it was added.
    #[schema(read_only, format = DateTime)]
    made_at: String,
    /// Since when it is off; null if it is on.
    #[schema(read_only, format = DateTime)]
    off_since: Option<String>,
    /// Why it is off.
    #[schema(read_only)]
    off_why: Option<String>,
    /// How many events wait for it, or are held.
    #[schema(read_only)]
    waiting: u32,
    /// How many were given up.
    #[schema(read_only)]
    given_up: u32,
}

/// The secret that signatures are checked with from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    /// The secret. It is told this once.
    secret: String,
    /// Until when what is sent is signed with the one before, too.
    #[schema(format = DateTime)]
    former_secret_until: String,
}

impl Webhook {
    fn show(endpoint: &Endpoint, secret: Option<&Secret>) -> Self {
        let off = endpoint.off.as_ref();
        Self {
            id: endpoint.id.into(),
            url: endpoint.url.clone(),
            kinds: told(&endpoint.kinds),
            secret: secret.map(|secret| secret.expose().to_owned()),
            made_at: written(endpoint.made_at),
            off_since: off.map(|(since, _)| written(*since)),
            off_why: off.map(|(_, why)| why.clone()),
            waiting: endpoint.waiting,
            given_up: endpoint.given_up,
        }
    }

    /// Reads what one is made of, or becomes. `shown` is how it stands.
    fn read(
        fields: &mut Fields<'_>,
        private: bool,
        shown: &Map<String, Value>,
    ) -> Option<(Url, EventKinds)> {
        let own = Self::read_own(fields, private);
        fields.as_they_are(&READ_ONLY, shown);
        own
    }

    fn read_own(fields: &mut Fields<'_>, private: bool) -> Option<(Url, EventKinds)> {
        let text = fields.line("url", LONGEST_URL);
        let url = text.and_then(|text| match webhooks::destination(&text, private) {
            Ok(url) => Some(url),
            Err(why) => {
                let wanted = match why {
                    NoDestination::NoAddress => "It is no address.",
                    NoDestination::NotBare => "It holds a user, a password or a fragment.",
                    NoDestination::NotPublic => "It must be https, and public.",
                };
                fields.fault("url", "malformed", wanted);
                None
            }
        });
        let kinds = fields.choices("kinds", "kind of event", |id| id.parse::<EventKind>().ok());
        Some((url?, EventKinds::of(kinds?)))
    }
}

/// The ids of these kinds; none where it is all of them.
fn told(kinds: &EventKinds) -> Vec<&'static str> {
    match kinds {
        EventKinds::All => Vec::new(),
        kinds => EventKind::ALL
            .into_iter()
            .filter(|kind| kinds.contain(*kind))
            .map(EventKind::id)
            .collect(),
    }
}

/// They are told of every account: to a token of one account there are none.
fn must(token: &Token, scope: DoorScope) -> Result<(), Problem> {
    token.must(scope)?;
    match token.account {
        Some(_) => Err(Kind::NotFound.into()),
        None => Ok(()),
    }
}

/// The id of the one that an address names.
fn id(key: &DoorKey) -> Result<String, Problem> {
    match key {
        DoorKey::Id(id) => Ok(id.to_string()),
        DoorKey::Ref(_) | DoorKey::Number(_) => Err(Kind::NotFound.into()),
    }
}

/// `GET …/webhooks`
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<PageBody<Webhook>>, Problem> {
    must(&token, DoorArea::Webhooks.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let all = webhooks::endpoints(&door.latchkey).await?;
    let items = all.iter().map(|endpoint| Webhook::show(endpoint, None)).collect();
    Ok(Json(PageBody { items, next: None }))
}

/// `GET …/webhooks/{ref}`
pub(crate) async fn one(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let endpoint = webhooks::endpoint(&door.latchkey, &id(&key)?).await?;
    Ok(read(&headers, shown(&endpoint), &etag(&endpoint)))
}

/// What tells one state of it from another: how much waits for it is none of that.
fn etag(endpoint: &Endpoint) -> String {
    let off_since = endpoint.off.as_ref().map(|(since, _)| written(*since));
    let (url, kinds) = (&endpoint.url, told(&endpoint.kinds));
    sum(&json!({ "url": url, "kinds": kinds, "off_since": off_since }))
}

/// `PUT …/webhooks/{ref}`
pub(crate) async fn put(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let object = object(&headers, &body)?;
    let private = door.latchkey.settings.webhook_private_addresses;
    let becomes = move |endpoint: &Endpoint| become_this(&object, endpoint, private);
    change(&door, &token, &key, uri.query(), &headers, becomes).await
}

/// `PATCH …/webhooks/{ref}`
pub(crate) async fn patch(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let patch = object(&headers, &body)?;
    let private = door.latchkey.settings.webhook_private_addresses;
    let becomes = move |endpoint: &Endpoint| {
        let present = shown(endpoint).as_object().cloned().unwrap_or_default();
        become_this(&merged(present, patch), endpoint, private)
    };
    change(&door, &token, &key, uri.query(), &headers, becomes).await
}

fn become_this(
    object: &Map<String, Value>,
    endpoint: &Endpoint,
    private: bool,
) -> Result<Becomes, Said> {
    let present = shown(endpoint).as_object().cloned().unwrap_or_default();
    let mut fields = Fields::of(object, "");
    let read = Webhook::read(&mut fields, private, &present);
    let (url, kinds) = fields.finish(read).map_err(Said::Invalid)?;
    Ok(Becomes::This(url, kinds))
}

async fn change(
    door: &Door,
    token: &Token,
    key: &DoorKey,
    query: Option<&str>,
    headers: &HeaderMap,
    becomes: impl FnOnce(&Endpoint) -> Result<Becomes, Said> + Send,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(query, &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let (latchkey, id, condition) = (&door.latchkey, id(key)?, Condition::of(headers));
    let becomes = |endpoint: &Endpoint| {
        condition.must_fit(Some(&etag(endpoint)))?;
        becomes(endpoint)
    };
    let changed = webhooks::change(latchkey, &id, !dry_run, becomes).await?;
    let (before, after) = changed.map_err(Problem::from)?;
    let outcome = match &after {
        None => Outcome::Deleted,
        Some(after) if etag(after) == etag(&before) => Outcome::Unchanged,
        Some(_) => Outcome::Changed,
    };
    if dry_run {
        let (before, after) = (Some(shown(&before)), after.as_ref().map(shown));
        return Ok(Json(DryRun::of(outcome, before, after)).into_response());
    }
    if outcome != Outcome::Unchanged {
        let what = if after.is_some() { "changed" } else { "removed" };
        tracing::info!(token = %token.id, endpoint = %id, "an endpoint of a webhook was {what}");
    }
    Ok(match after {
        Some(after) => answered(StatusCode::OK, shown(&after), &etag(&after)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `POST …/webhooks`
pub(crate) async fn add(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let (latchkey, object) = (&door.latchkey, object(&headers, &body)?);
    let mut fields = Fields::of(&object, "");
    let private = latchkey.settings.webhook_private_addresses;
    let read = Webhook::read_own(&mut fields, private);
    let (url, kinds) = fields.finish(read).map_err(Problem::invalid)?;
    if dry_run {
        let after = json!({ "url": url.as_str(), "kinds": told(&kinds) });
        return Ok(Json(DryRun::of(Outcome::Created, None, Some(after))).into_response());
    }
    let (id, secret) = webhooks::add(latchkey, &url, kinds).await?;
    tracing::info!(token = %token.id, endpoint = %id, "an endpoint of a webhook was added");
    let endpoint = webhooks::endpoint(latchkey, &id.to_string()).await?;
    let body = serde_json::to_value(Webhook::show(&endpoint, Some(&secret))).unwrap_or_default();
    let mut response = answered(StatusCode::CREATED, body, &etag(&endpoint));
    let place = format!("{}/api/v1/{PATH}/id:{id}", latchkey.settings.public_url);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// `DELETE …/webhooks/{ref}`
pub(crate) async fn remove(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let becomes = |_: &Endpoint| Ok(Becomes::Nothing);
    change(&door, &token, &key, uri.query(), &headers, becomes).await
}

/// `POST …/webhooks/{ref}/rotate`
pub(crate) async fn rotate(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(key): Named,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let object = if body.is_empty() { Map::new() } else { object(&headers, &body)? };
    let mut fields = Fields::of(&object, "");
    let hours = fields.whole_or("overlap_hours", 0..=LONGEST_OVERLAP, 24);
    let hours = fields.finish(hours).map_err(Problem::invalid)?;
    let overlap = Duration::from_secs(u64::try_from(hours).unwrap_or_default() * 60 * 60);
    let (latchkey, id) = (&door.latchkey, id(&key)?);
    if dry_run {
        let endpoint = shown(&webhooks::endpoint(latchkey, &id).await?);
        let (before, after) = (Some(endpoint.clone()), Some(endpoint));
        return Ok(Json(DryRun::of(Outcome::Changed, before, after)).into_response());
    }
    let secret = webhooks::rotate(latchkey, &id, overlap).await?;
    tracing::info!(token = %token.id, endpoint = %id, "an endpoint of a webhook has another secret");
    let secret = secret.expose().to_owned();
    let former_secret_until = written(latchkey.now().after(overlap));
    Ok(Json(WebhookSecret { secret, former_secret_until }).into_response())
}

fn shown(endpoint: &Endpoint) -> Value {
    serde_json::to_value(Webhook::show(endpoint, None)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of one, and what isn't.
    fn fields() -> Vec<&'static str> {
        let object = Map::new();
        let mut fields = Fields::of(&object, "");
        let _ = Webhook::read_own(&mut fields, false);
        fields.known().to_vec()
    }

    #[test]
    fn an_address_and_kinds_are_read() {
        assert_eq!(fields(), ["url", "kinds"]);
        assert_eq!(told(&EventKinds::All), [""; 0]);
        let some = EventKinds::of([EventKind::MemberRemoved, EventKind::MemberAdded]);
        assert_eq!(told(&some), ["member.added", "member.removed"]);
    }
}
