//! Support requests at the door.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::door::{self, Behind, DoorSupportRequest, Kept, KeptMessage, SupportMessage};
use domain::tokens::Token;
use model::{DoorArea, DoorKey};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::accounts::name_of;
use crate::entry::Door;
use crate::fields::{Fields, written};
use crate::page::{Asked, Parameters};
use crate::problem::{Kind, Problem};
use crate::things::{
    Condition, DryRun, Named, NamedTwice, Outcome, PageBody, Resource, etag, link, object,
    reference, tagged,
};

/// How a support request can stand.
const STATES: [&str; 3] = ["open", "answered", "closed"];

/// A conversation with your support.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupportRequest {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// The account whose it is: your id of it, or its number behind `id:`.
    #[schema(example = "customer-4711")]
    account: String,
    /// Its number as shown.
    #[schema(min_length = 1, max_length = 100, example = "4711")]
    number: String,
    /// What it is about.
    #[schema(min_length = 1, max_length = 200, example = "The shop is slow on Saturdays")]
    subject: String,
    /// `open`, `answered` or `closed`.
    #[schema(required = false, example = "open", default = "open")]
    state: String,
    /// Who opened it, by name.
    #[schema(required = false, max_length = 200)]
    opened_by: String,
    /// When something was last said.
    #[schema(format = DateTime)]
    last_said_at: String,
    /// Buttons on the pages of the request.
    #[schema(required = false)]
    links: SupportRequestLinks,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

/// Where people do something with a support request: an address of https.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupportRequestLinks {
    /// Where it is answered, for `support.view`.
    #[schema(required = false, max_length = 2000, format = "uri")]
    open: Option<String>,
}

impl Resource for DoorSupportRequest {
    type Shown = SupportRequest;
    const READ_ONLY: &'static [&'static str] = &["id", "ref", "updated_at"];
    const PATH: &'static str = "support-requests";

    fn show(kept: &Kept<Self>) -> SupportRequest {
        let request = &kept.thing;
        SupportRequest {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            account: name_of(kept),
            number: request.number.clone(),
            subject: request.subject.clone(),
            state: request.state.clone(),
            opened_by: request.opened_by.clone(),
            last_said_at: written(request.updated_at),
            links: SupportRequestLinks { open: link(request.open_link.as_ref()) },
            updated_at: written(kept.changed),
        }
    }

    fn writable(&self) -> Map<String, Value> {
        let value = json!({
            "number": self.number, "subject": self.subject, "state": self.state,
            "opened_by": self.opened_by, "last_said_at": written(self.updated_at),
            "links": { "open": link(self.open_link.as_ref()) },
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(fields: &mut Fields<'_>, _present: Option<&Self>) -> Option<Self> {
        let (number, subject) = (fields.line("number", 100), fields.line("subject", 200));
        let (state, opened_by) =
            (fields.choice("state", &STATES), fields.line_or_none("opened_by", 200));
        let updated_at = fields.moment("last_said_at");
        let links = fields.links("links", ["open"]);
        let [open_link] = links?;
        Some(Self {
            number: number?,
            subject: subject?,
            state: state?,
            opened_by: opened_by?,
            updated_at: updated_at?,
            open_link,
        })
    }
}

/// What was said in a support request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// Whether you said it, and not the customer.
    #[schema(required = false, default = true)]
    by_provider: bool,
    /// Who said it, by name.
    #[schema(required = false, max_length = 200)]
    author: String,
    /// What was said.
    #[schema(min_length = 1, max_length = 20_000)]
    words: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

impl Message {
    const READ_ONLY: [&str; 3] = ["id", "ref", "updated_at"];

    pub(crate) fn show(kept: &KeptMessage) -> Self {
        let message = &kept.message;
        Self {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            by_provider: message.by_provider,
            author: message.author.clone(),
            words: message.words.clone(),
            at: written(message.at),
            updated_at: written(kept.changed),
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<SupportMessage> {
        let by_provider = fields.truth("by_provider", true);
        let author = fields.line_or_none("author", 200);
        let (words, at) = (fields.words("words", 20_000), fields.moment("at"));
        Some(SupportMessage { by_provider: by_provider?, author: author?, words: words?, at: at? })
    }

    fn told(kept: &KeptMessage) -> Value {
        let mut value = serde_json::to_value(Self::show(kept)).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.remove("updated_at");
        }
        value
    }
}

/// `GET …/support-requests/{ref}/messages`
pub(crate) async fn messages(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(request): Named,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<PageBody<Message>>, Problem> {
    token.must(DoorArea::Support.read())?;
    let asked = Asked::read(uri.path(), uri.query(), false)?;
    let most = asked.limit + 1;
    let mut rows = door::messages(&door.latchkey, &token, &request, asked.behind, most).await?;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let last = rows.last().filter(|_| more);
    let last = last.map(|kept| Behind { changed: kept.changed, id: kept.id });
    let public_url = &door.latchkey.settings.public_url;
    let next = last.map(|behind| asked.next(public_url, behind, behind.changed));
    Ok(Json(PageBody { items: rows.iter().map(Message::show).collect(), next }))
}

/// `GET …/support-requests/{ref}/messages/{ref}`
pub(crate) async fn message(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(request, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(DoorArea::Support.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let kept = door::message(&door.latchkey, &token, &request, &key).await?;
    let mut response = match Condition::of(&headers).is_known(&etag(kept.changed)) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(Message::show(&kept)).into_response(),
    };
    tagged(&mut response, kept.changed);
    Ok(response)
}

/// `PUT …/support-requests/{ref}/messages/{ref}`
pub(crate) async fn say(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(request, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(DoorArea::Support.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let DoorKey::Ref(own) = &key else { return Err(Kind::NotFound.into()) };
    let object = object(&headers, &body)?;
    let shown = match door::message(&door.latchkey, &token, &request, &key).await {
        Ok(kept) => serde_json::to_value(Message::show(&kept)).unwrap_or_default(),
        Err(_) => json!({ "ref": own.as_str() }),
    };
    let mut fields = Fields::of(&object, "");
    let read = Message::read(&mut fields);
    fields.as_they_are(&Message::READ_ONLY, shown.as_object().unwrap_or(&Map::new()));
    let message = fields.finish(read).map_err(Problem::invalid)?;
    let condition = Condition::of(&headers);
    let as_wanted = |present: Option<&KeptMessage>| {
        condition.fulfilled(present.map(|kept| etag(kept.changed)).as_deref())
    };
    let said =
        door::say(&door.latchkey, &token, &request, own, message, as_wanted, !dry_run).await?;
    let (before, after) = said.ok_or(Kind::Precondition)?;
    let outcome = match &before {
        None => Outcome::Created,
        Some(before) if before.message == after.message => Outcome::Unchanged,
        Some(_) => Outcome::Changed,
    };
    if dry_run {
        let (before, after) = (before.as_ref().map(Message::told), Message::told(&after));
        return Ok(Json(DryRun::of(outcome, before, Some(after))).into_response());
    }
    let status = if before.is_none() { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, Json(Message::show(&after))).into_response();
    tagged(&mut response, after.changed);
    Ok(response)
}
