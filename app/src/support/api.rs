//! Server functions of support requests.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {crate::request, domain::areas::SupportRequest, model::Timestamp};

/// A support request in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestRow {
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
}

/// The account's support requests.
#[server(prefix = "/api", endpoint = "support/page", input = GetUrl)]
pub(crate) async fn support_page(account: String) -> Result<Page<Vec<RequestRow>>, Problem> {
    let inside = request::inside(&account).await?;
    let requests = domain::areas::support_requests(&inside.latchkey, &inside.acting.actor).await;
    let now = inside.latchkey.now();
    let rows = requests.map(|all| all.into_iter().map(|request| row(request, now)).collect());
    inside.page(rows).await
}

#[cfg(feature = "ssr")]
fn row(request: SupportRequest, now: Timestamp) -> RequestRow {
    let (mood, state) = match request.state.as_str() {
        "open" => (Mood::Waiting, words!(support.open)),
        "answered" => (Mood::Ok, words!(support.answered)),
        _ => (Mood::Quiet, words!(support.closed)),
    };
    RequestRow {
        number: request.number,
        subject: request.subject,
        mood,
        state,
        opened_by: request.opened_by,
        updated: Moment::new(request.updated_at, now),
    }
}
