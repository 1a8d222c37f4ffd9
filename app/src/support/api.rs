//! Server functions of support requests.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::access_requests::lacks::LackView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::access_requests::lacks::lacks_in,
    crate::request,
    domain::areas::{KeptMessage, SupportRequest},
    model::{Area, Failure, Timestamp},
};

/// A support request in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    /// Its id.
    pub(crate) id: String,
    /// Its number.
    pub(crate) number: String,
    /// What it is about.
    pub(crate) subject: String,
    /// How it stands.
    pub(crate) mood: Mood,
    /// The same in words.
    pub(crate) state: String,
    /// Who opened it.
    pub(crate) opened_by: String,
    /// When something was last said.
    pub(crate) updated: Moment,
    /// Where it is answered, if the provider says.
    pub(crate) open: Option<String>,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SupportView {
    /// The requests.
    pub(crate) requests: Vec<RequestRow>,
    /// What the reader can't do here.
    pub(crate) lacks: Vec<LackView>,
}

/// What the page of one support request shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestView {
    /// The request.
    pub(crate) request: RequestRow,
    /// What was said in it, the newest last.
    pub(crate) messages: Vec<MessageRow>,
    /// What the reader can't do here.
    pub(crate) lacks: Vec<LackView>,
}

/// What was said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    /// Who said it, in words.
    pub(crate) author: String,
    /// What was said, in lines.
    pub(crate) words: String,
    /// When.
    pub(crate) at: Moment,
}

/// The account's support requests.
#[server(prefix = "/api", endpoint = "support/page", input = GetUrl)]
pub(crate) async fn support_page(account: String) -> Result<Page<SupportView>, Problem> {
    let inside = request::inside(&account).await?;
    let view = match domain::areas::support_requests(&inside.latchkey, &inside.acting.actor).await {
        Ok(requests) => support_view(&inside, requests).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn support_view(
    inside: &request::Inside,
    requests: Vec<SupportRequest>,
) -> Result<SupportView, Failure> {
    let now = inside.latchkey.now();
    Ok(SupportView {
        requests: requests.into_iter().map(|request| row(request, now)).collect(),
        lacks: lacks_in(inside, Area::Support).await?,
    })
}

/// One of the account's support requests.
#[server(prefix = "/api", endpoint = "support/request-page", input = GetUrl)]
pub(crate) async fn request_page(
    account: String,
    request: String,
) -> Result<Page<RequestView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let view = match domain::areas::support_request(latchkey, actor, &request).await {
        Ok((request, messages)) => request_view(&inside, request, messages).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn request_view(
    inside: &request::Inside,
    request: SupportRequest,
    messages: Vec<KeptMessage>,
) -> Result<RequestView, Failure> {
    let (provider, now) = (inside.latchkey.settings.provider.as_str(), inside.latchkey.now());
    Ok(RequestView {
        request: row(request, now),
        messages: messages.into_iter().map(|kept| message(kept, provider, now)).collect(),
        lacks: lacks_in(inside, Area::Support).await?,
    })
}

#[cfg(feature = "ssr")]
fn message(kept: KeptMessage, provider: &str, now: Timestamp) -> MessageRow {
    let said = kept.message;
    let author = match (said.by_provider, said.author.is_empty()) {
        (true, true) => provider.to_owned(),
        (true, false) => {
            words!(support.of_provider, author = said.author, provider = provider.to_owned())
        }
        (false, true) => words!(support.somebody),
        (false, false) => said.author,
    };
    MessageRow { author, words: said.words, at: Moment::new(said.at, now) }
}

#[cfg(feature = "ssr")]
fn row(request: SupportRequest, now: Timestamp) -> RequestRow {
    let (mood, state) = match request.state.as_str() {
        "open" => (Mood::Waiting, words!(support.open)),
        "answered" => (Mood::Ok, words!(support.answered)),
        _ => (Mood::Quiet, words!(support.closed)),
    };
    RequestRow {
        id: request.id.to_string(),
        number: request.number,
        subject: request.subject,
        mood,
        state,
        opened_by: request.opened_by,
        updated: Moment::new(request.updated_at, now),
        open: request.open_link.map(|link| link.to_string()),
    }
}
