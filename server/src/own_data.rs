//! What is known of the reader, as JSON for programs, piece by piece: its length doesn't matter.

use app::request::RequestFacts;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::digests::write_moment;
use domain::own_data::{
    self, List, OwnAccount, OwnActivity, OwnFactor, OwnGrant, OwnIdentity, OwnInvitation, OwnLogin,
    OwnMail, OwnOwnerChange, OwnReport, OwnRequest, OwnSession, Rows,
};
use domain::viewer::Viewer;
use futures_util::stream;
use model::{AccountNumber, Failure, InvitationState, Permission, PermissionSet, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::forms;
use crate::router::Parts;

/// Which version of the format it is: keys are added within one, and never change.
const FORMAT: u32 = 1;

/// The page that the file belongs to: it knows how to say what is wrong.
const PAGE: &str = "/profile";

/// `GET /profile/data.json`
pub async fn download(State(parts): State<Parts>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    match first(&parts, &head.extensions).await {
        Ok((viewer, login)) => send(parts, viewer, &login),
        Err(_) => {
            head.uri = Uri::from_static(PAGE);
            forms::page(State(parts), Request::from_parts(head, body)).await
        }
    }
}

async fn first(parts: &Parts, extensions: &Extensions) -> Result<(Viewer, OwnLogin), Failure> {
    let facts = extensions.get::<RequestFacts>().ok_or(Failure::SignedOut)?;
    let viewer = facts.viewer.clone()?;
    let login = own_data::login(&parts.latchkey, &viewer).await?;
    Ok((viewer, login))
}

/// What is still to be sent: rows of the first of these lists behind this place.
struct Rest {
    lists: &'static [List],
    after: Uuid,
    head: Option<String>,
}

fn send(parts: Parts, viewer: Viewer, login: &OwnLogin) -> Response {
    let now = parts.latchkey.now();
    let made_at = write_moment(now);
    let today = made_at.split('T').next().unwrap_or_default();
    let name = format!("attachment; filename=\"latchkey-about-me-{today}.json\"");
    let head = format!(
        "{{\n\"format\": {FORMAT},\n\"provider\": {},\n\"made_at\": {},\n\"login\": {}",
        json!(parts.site.provider),
        json!(made_at),
        self::login(login),
    );
    let start = Rest { lists: &List::ALL, after: Uuid::nil(), head: Some(head) };
    let pieces = stream::try_unfold(start, move |rest| {
        let (parts, viewer) = (parts.clone(), viewer.clone());
        async move {
            let Some((list, behind)) = rest.lists.split_first() else { return Ok(None) };
            let rows = own_data::rows(&parts.latchkey, &viewer, *list, rest.after).await;
            let (rows, next) =
                rows.map_err(|_| std::io::Error::other("what is known of a user broke off"))?;
            let begins = rest.after.is_nil();
            let mut text = rest.head.unwrap_or_default();
            if begins {
                text.push_str(&format!(",\n\"{}\": [", name_of(*list)));
            }
            for (place, row) in values(rows, &viewer).iter().enumerate() {
                text.push_str(if begins && place == 0 { "\n" } else { ",\n" });
                text.push_str(&row.to_string());
            }
            let rest = match next {
                Some(after) => Rest { lists: rest.lists, after, head: None },
                None => {
                    text.push_str(if behind.is_empty() { "]\n}\n" } else { "]" });
                    Rest { lists: behind, after: Uuid::nil(), head: None }
                }
            };
            Ok::<_, std::io::Error>(Some((Bytes::from(text), rest)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

const fn name_of(list: List) -> &'static str {
    match list {
        List::Sessions => "sessions",
        List::Accounts => "accounts",
        List::InvitationsReceived => "invitations_received",
        List::InvitationsSent => "invitations_sent",
        List::AccessRequests => "access_requests",
        List::OwnerChanges => "owner_changes",
        List::Reports => "reports",
        List::Mails => "mails",
        List::Log => "log",
    }
}

fn values(rows: Rows, viewer: &Viewer) -> Vec<Value> {
    match rows {
        Rows::Sessions(rows) => rows.iter().map(|row| session(row, viewer)).collect(),
        Rows::Accounts(rows) => rows.iter().map(account).collect(),
        Rows::Invitations(rows) => rows.iter().map(invitation).collect(),
        Rows::AccessRequests(rows) => rows.iter().map(access_request).collect(),
        Rows::OwnerChanges(rows) => rows.iter().map(owner_change).collect(),
        Rows::Reports(rows) => rows.iter().map(report).collect(),
        Rows::Mails(rows) => rows.iter().map(mail).collect(),
        Rows::Log(rows) => rows.iter().map(activity).collect(),
    }
}

/// RFC 3339, in UTC.
fn moment(at: impl Into<Option<Timestamp>>) -> Value {
    at.into().map_or(Value::Null, |at| json!(write_moment(at)))
}

/// As it stands in addresses and on invoices.
fn number(of: AccountNumber) -> Value {
    json!(of.to_string())
}

fn ids(permissions: PermissionSet) -> Vec<&'static str> {
    permissions.iter().map(Permission::id).collect()
}

fn login(login: &OwnLogin) -> Value {
    let changes = login.email_changes.iter().map(|change| {
        json!({
            "before": change.before,
            "after": change.after,
            "asked_at": moment(change.asked_at),
            "done_at": moment(change.done_at),
        })
    });
    let ((codes, used), (browsers, on_browser)) = (login.codes, login.browsers);
    let (networks, in_network) = login.networks;
    json!({
        "id": login.user.to_string(),
        "full_name": login.full_name,
        "email": login.email,
        "email_proven": login.email_proven,
        "language": login.language,
        "time_zone": login.time_zone,
        "created_at": moment(login.created_at),
        "email_changes": changes.collect::<Vec<_>>(),
        "authenticator_app": login.app.as_ref().map(factor),
        "passkeys": login.passkeys.iter().map(factor).collect::<Vec<_>>(),
        "recovery_codes": { "made": codes, "used": used },
        "identities": login.identities.iter().map(identity).collect::<Vec<_>>(),
        "known_browsers": { "count": browsers, "last_used_at": moment(on_browser) },
        "known_networks": { "count": networks, "last_used_at": moment(in_network) },
    })
}

fn factor(factor: &OwnFactor) -> Value {
    json!({
        "name": Some(&factor.name).filter(|name| !name.is_empty()),
        "since": moment(factor.since),
        "last_used_at": moment(factor.last_used_at),
    })
}

fn identity(identity: &OwnIdentity) -> Value {
    json!({
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "account": identity.account.map(number),
        "since": moment(identity.since),
        "last_used_at": moment(identity.last_used_at),
    })
}

fn session(session: &OwnSession, viewer: &Viewer) -> Value {
    json!({
        "since": moment(session.created_at),
        "last_seen_at": moment(session.last_seen_at),
        "authenticated_at": moment(session.authenticated_at),
        "second_factor": session.second_factor,
        "address": session.address,
        "browser": session.user_agent,
        "present": session.id == viewer.session,
    })
}

fn account(account: &OwnAccount) -> Value {
    let paused = account.paused_at.map(|since| {
        json!({ "since": moment(since), "by": account.paused_by, "why": account.paused_why })
    });
    json!({
        "number": number(account.number),
        "name": account.name,
        "owner": account.owner,
        "successor": account.successor,
        "since": moment(account.since),
        "invited_by": account.invited_by,
        "last_active_at": moment(account.last_active_at),
        "paused": paused,
        "single_sign_on_domain": account.bound_domain,
        "ref": account.reference,
        "grants": account.grants.iter().map(grant).collect::<Vec<_>>(),
    })
}

fn grant(grant: &OwnGrant) -> Value {
    let reach =
        |names: &Option<Vec<String>>| names.as_ref().map_or(json!("all"), |names| json!(names));
    json!({
        "permissions": ids(grant.permissions),
        "services": reach(&grant.services),
        "domains": reach(&grant.domains),
        "until": moment(grant.until),
        "given_by": grant.given_by,
        "given_at": moment(grant.given_at),
    })
}

fn invitation(invitation: &OwnInvitation) -> Value {
    let state = match invitation.state {
        InvitationState::Pending => "pending",
        InvitationState::Accepted => "accepted",
        InvitationState::Declined => "declined",
        InvitationState::Cancelled => "cancelled",
        InvitationState::Expired => "expired",
    };
    json!({
        "account": number(invitation.account),
        "email": invitation.email,
        "inviter": invitation.inviter,
        "owner": invitation.owner,
        "permissions": ids(invitation.permissions),
        "until": moment(invitation.until),
        "state": state,
        "made_at": moment(invitation.created_at),
        "called": invitation.called,
        "sent_at": moment(invitation.sent_at),
        "expires_at": moment(invitation.expires_at),
        "ended_at": moment(invitation.ended_at),
    })
}

fn access_request(request: &OwnRequest) -> Value {
    json!({
        "account": number(request.account),
        "permission": request.permission,
        "on": request.thing,
        "until": moment(request.until),
        "why": request.why,
        "state": request.state,
        "answer": request.words,
        "asked_at": moment(request.asked_at),
        "answered_at": moment(request.answered_at),
        "answered_by": request.answered_by,
    })
}

fn owner_change(change: &OwnOwnerChange) -> Value {
    json!({
        "account": number(change.account),
        "kind": change.kind,
        "state": change.state,
        "about": if change.about_them { "you" } else { "somebody else" },
        "made_by": change.made_by,
        "asked_at": moment(change.asked_at),
        "accepted_at": moment(change.accepted_at),
        "due_at": moment(change.due_at),
        "over_at": moment(change.over_at),
    })
}

fn report(report: &OwnReport) -> Value {
    json!({
        "at": moment(report.at),
        "account": number(report.account),
        "inviter": report.inviter,
        "lifted_at": moment(report.lifted_at),
    })
}

fn mail(mail: &OwnMail) -> Value {
    json!({
        "kind": mail.kind,
        "state": mail.state,
        "queued_at": moment(mail.queued_at),
        "ended_at": moment(mail.ended_at),
    })
}

fn activity(activity: &OwnActivity) -> Value {
    json!({
        "at": moment(activity.at),
        "account": number(activity.account),
        "kind": activity.kind,
        "address": activity.address,
    })
}
