//! An account's invitations at the door: those that wait for an answer, or ran out unanswered.

use axum::Json;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::members_by_provider::{self, KeyedThings};
use domain::tokens::Token;
use model::{Access, DoorArea, DoorKey, InvitationState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::written;
use crate::members::MemberGrant;
use crate::page::{Asked, Parameters};
use crate::problem::{Kind, Problem};
use crate::things::{DryRun, Named, NamedTwice, Outcome, PageBody};

/// An invitation that waits for an answer, or ran out unanswered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// Our id.
    id: uuid::Uuid,
    /// The invited address.
    #[schema(format = Email)]
    email: String,
    /// Whether it is to own the account.
    owner: bool,
    /// What it offers, if not.
    grants: Vec<MemberGrant>,
    /// `pending`, or `expired`.
    state: &'static str,
    /// Our id of whoever invites; null for you.
    invited_by: Option<uuid::Uuid>,
    /// Their name, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_by_name: Option<String>,
    /// When its mail was last sent.
    #[schema(format = DateTime)]
    sent_at: String,
    /// Until when it can be accepted.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl Invitation {
    pub(crate) fn show(
        invitation: &members_by_provider::Invitation,
        inviter: Option<&str>,
        things: &KeyedThings,
    ) -> Self {
        let offered = match &invitation.access {
            Access::Granted(offered) if !invitation.as_owner => offered.as_slice(),
            Access::Granted(_) | Access::Owner => &[],
        };
        let grant = |terms| MemberGrant::of_terms(terms, &invitation.why, things);
        Self {
            id: invitation.id.into(),
            email: invitation.email.to_string(),
            owner: invitation.as_owner || invitation.access.is_owner(),
            grants: offered.iter().map(grant).collect(),
            state: match invitation.state {
                InvitationState::Expired => "expired",
                _ => "pending",
            },
            invited_by: invitation.inviter.map(uuid::Uuid::from),
            invited_by_name: inviter.map(str::to_owned),
            sent_at: written(invitation.sent_at),
            expires_at: written(invitation.expires_at),
        }
    }
}

/// `GET …/accounts/{ref}/invitations`
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(account): Named,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<PageBody<Invitation>>, Problem> {
    token.must(DoorArea::Members.read())?;
    let asked = Asked::in_order(uri.path(), uri.query())?;
    let (latchkey, most) = (&door.latchkey, asked.limit + 1);
    let behind = Some(asked.behind.id).filter(|id| !id.is_nil());
    let found = members_by_provider::invitations(latchkey, &token, &account, behind, most).await?;
    let (mut rows, things) = found;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let last = rows.last().filter(|_| more).map(|pending| pending.invitation.id);
    let items = rows.iter().map(|pending| {
        Invitation::show(&pending.invitation, pending.inviter_name.as_deref(), &things)
    });
    Ok(Json(PageBody {
        items: items.collect(),
        next: last.map(|last| asked.next_behind(&latchkey.settings.public_url, last.into())),
    }))
}

/// `DELETE …/accounts/{ref}/invitations/{ref}`
pub(crate) async fn cancel(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.write())?;
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let DoorKey::Id(id) = key else { return Err(Kind::NotFound.into()) };
    let (latchkey, id) = (&door.latchkey, id.into());
    let cancelled = members_by_provider::cancel(latchkey, &token, &account, id, !dry_run).await?;
    let (invitation, things) = cancelled;
    if dry_run {
        let before = serde_json::to_value(Invitation::show(&invitation, None, &things)).ok();
        return Ok(Json(DryRun::of(Outcome::Deleted, before, None)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
