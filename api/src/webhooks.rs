//! The addresses that are told of events, at the door: as the command line lists, adds and removes them.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::tokens::Token;
use domain::webhooks::{self, Endpoint, LONGEST_URL, NoDestination, Url};
use model::{DoorArea, DoorKey, DoorScope, EventKind, EventKinds, Secret};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::{Fields, written};
use crate::page::Parameters;
use crate::problem::{Kind, Problem};
use crate::things::{DryRun, Named, Outcome, PageBody, object};

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

    /// Reads what one is made of.
    fn read(fields: &mut Fields<'_>, private: bool) -> Option<(Url, EventKinds)> {
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
) -> Result<Json<Webhook>, Problem> {
    must(&token, DoorArea::Webhooks.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let endpoint = webhooks::endpoint(&door.latchkey, &id(&key)?).await?;
    Ok(Json(Webhook::show(&endpoint, None)))
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
    let read = Webhook::read(&mut fields, latchkey.settings.webhook_private_addresses);
    let (url, kinds) = fields.finish(read).map_err(Problem::invalid)?;
    if dry_run {
        let after = json!({ "url": url.as_str(), "kinds": told(&kinds) });
        return Ok(Json(DryRun::of(Outcome::Created, None, Some(after))).into_response());
    }
    let (id, secret) = webhooks::add(latchkey, &url, kinds).await?;
    tracing::info!(token = %token.id, endpoint = %id, "an endpoint of a webhook was added");
    let endpoint = webhooks::endpoint(latchkey, &id.to_string()).await?;
    let body = Json(Webhook::show(&endpoint, Some(&secret)));
    let mut response = (StatusCode::CREATED, body).into_response();
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
) -> Result<Response, Problem> {
    must(&token, DoorArea::Webhooks.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let (latchkey, id) = (&door.latchkey, id(&key)?);
    if dry_run {
        let before = shown(&webhooks::endpoint(latchkey, &id).await?);
        return Ok(Json(DryRun::of(Outcome::Deleted, Some(before), None)).into_response());
    }
    webhooks::remove(latchkey, &id).await?;
    tracing::info!(token = %token.id, endpoint = %id, "an endpoint of a webhook was removed");
    Ok(StatusCode::NO_CONTENT.into_response())
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
        let _ = Webhook::read(&mut fields, false);
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
