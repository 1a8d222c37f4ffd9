//! An account's invitations at the door: those that wait for an answer, or ran out unanswered; also of
//! members who haven't come yet.

use axum::Json;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::members_by_provider::{self, KeyedThings};
use domain::tokens::Token;
use model::{DoorArea, DoorKey, InvitationId, InvitationState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::written;
use crate::members::MemberGrant;
use crate::page::{Asked, Parameters};
use crate::problem::{Kind, Problem};
use crate::things::{
    Condition, DryRun, Named, NamedTwice, Outcome, PageBody, read, reference, sum,
};

/// An invitation that waits for an answer, or ran out unanswered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// Our id.
    id: uuid::Uuid,
    /// Your id of whoever is invited, if there is one.
    r#ref: Option<String>,
    /// The invited address.
    #[schema(format = Email)]
    email: String,
    /// Whether it is to own the account.
    owner: bool,
    /// What it offers, if not.
    grants: Vec<MemberGrant>,
    /// `pending`, `expired`, or `waiting`: without a mail and without an end, for a member who hasn't come
    /// yet.
    state: &'static str,
    /// Our id of whoever invites; null for you.
    invited_by: Option<uuid::Uuid>,
    /// Their name, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_by_name: Option<String>,
    /// When its mail was last sent; null if it waits without one.
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// Until when it can be accepted; null if it waits without an end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl Invitation {
    pub(crate) fn show(
        invitation: &members_by_provider::Invitation,
        inviter: Option<&str>,
        things: &KeyedThings,
    ) -> Self {
        let grants = match invitation.as_owner {
            true => Vec::new(),
            false => MemberGrant::offered(&invitation.offered, things),
        };
        Self {
            id: invitation.id.into(),
            r#ref: reference(invitation.reference.as_ref()),
            email: invitation.email.to_string(),
            owner: invitation.as_owner || invitation.offered.is_owner(),
            grants,
            state: match invitation.state {
                InvitationState::Expired => "expired",
                _ if invitation.waits => "waiting",
                _ => "pending",
            },
            invited_by: invitation.inviter.map(uuid::Uuid::from),
            invited_by_name: inviter.map(str::to_owned),
            sent_at: (!invitation.waits).then(|| written(invitation.sent_at)),
            expires_at: (!invitation.waits).then(|| written(invitation.expires_at)),
        }
    }
}

fn value(
    invitation: &members_by_provider::Invitation,
    inviter: Option<&str>,
    things: &KeyedThings,
) -> Value {
    serde_json::to_value(Invitation::show(invitation, inviter, things)).unwrap_or_default()
}

/// The one that an address names.
fn id(key: &DoorKey) -> Result<InvitationId, Problem> {
    match key {
        DoorKey::Id(id) => Ok((*id).into()),
        DoorKey::Ref(_) | DoorKey::Number(_) => Err(Kind::NotFound.into()),
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

/// `GET …/accounts/{ref}/invitations/{ref}`
pub(crate) async fn one(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let found =
        members_by_provider::invitation(&door.latchkey, &token, &account, id(&key)?).await?;
    let (found, things) = found;
    let tag = sum(&value(&found.invitation, None, &things));
    let shown = value(&found.invitation, found.inviter_name.as_deref(), &things);
    Ok(read(&headers, shown, &tag))
}

/// `DELETE …/accounts/{ref}/invitations/{ref}`
pub(crate) async fn cancel(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.write())?;
    let condition = Condition::of(&headers);
    let mut parameters = Parameters::of(uri.query(), &["dry_run"]);
    let dry_run = parameters.dry_run();
    parameters.finish()?;
    let (latchkey, id) = (&door.latchkey, id(&key)?);
    // What it reaches by name takes a look of its own.
    let known = members_by_provider::invitation(latchkey, &token, &account, id).await?;
    let may = |invitation: &members_by_provider::Invitation| {
        condition.must_fit(Some(&sum(&value(invitation, None, &known.1))))
    };
    let cancelled =
        members_by_provider::cancel(latchkey, &token, &account, id, !dry_run, may).await?;
    let (invitation, things) = cancelled.map_err(Problem::from)?;
    if dry_run {
        let before = Some(value(&invitation, None, &things));
        return Ok(Json(DryRun::of(Outcome::Deleted, before, None)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
