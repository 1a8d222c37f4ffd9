//! Accounts' activity logs at the door.

use axum::Json;
use axum::extract::{Extension, OriginalUri, State};
use domain::door::{self, LinkedRow};
use domain::tokens::Token;
use model::DoorArea;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::entry::Door;
use crate::fields::written;
use crate::page::Parameters;
use crate::problem::Problem;
use crate::things::{Named, PageBody};

/// How many rows a page holds, if nobody says, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// A row of an account's activity log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// Its number in the account's log, which has no gaps: the first is 1.
    sequence: i64,
    /// Its id.
    id: Uuid,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// What happened, such as `permissions.changed`.
    #[schema(example = "permissions.changed")]
    kind: String,
    /// Who did it; null for you.
    actor_id: Option<Uuid>,
    /// Their name at that moment; empty for you by the command line.
    actor_name: String,
    /// About whom, if that is a user.
    subject_id: Option<Uuid>,
    /// Their name at that moment, or the address or thing that it is about.
    subject_name: String,
    /// What was granted or in force before, as the log holds it.
    before: Option<String>,
    /// What is granted or in force since, as the log holds it.
    after: Option<String>,
}

impl Activity {
    pub(crate) fn show(row: &LinkedRow) -> Self {
        let told = row.told();
        Self {
            sequence: row.sequence,
            id: row.id,
            at: written(told.at),
            kind: told.kind.to_owned(),
            actor_id: told.actor.map(Uuid::from),
            actor_name: told.actor_name.to_owned(),
            subject_id: told.subject.map(Uuid::from),
            subject_name: told.subject_name.to_owned(),
            before: told.before.map(str::to_owned),
            after: told.after.map(str::to_owned),
        }
    }
}

/// `GET …/accounts/{ref}/activity`
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(account): Named,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<PageBody<Activity>>, Problem> {
    token.must(DoorArea::Activity.read())?;
    let mut parameters = Parameters::of(uri.query(), &["limit", "after"]);
    let limit = parameters.read("limit", "It must be a number from 1 to 200.", |text| {
        text.parse().ok().filter(|limit| (1..=MOST).contains(limit))
    });
    let after = parameters.read("after", "It must be the number of a row, or 0.", |text| {
        text.parse().ok().filter(|number: &i64| *number >= 0)
    });
    parameters.finish()?;
    let (limit, after) = (limit.unwrap_or(USUAL), after.unwrap_or(0));
    let mut rows = door::activity(&door.latchkey, &token, &account, after, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let public_url = &door.latchkey.settings.public_url;
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("{public_url}{}?limit={limit}&after={}", uri.path(), row.sequence));
    Ok(Json(PageBody { items: rows.iter().map(Activity::show).collect(), next }))
}
