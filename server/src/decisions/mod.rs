//! Decisions for the provider's own systems: OpenID AuthZEN Authorization API 1.0 over HTTP. What is
//! asked is read here and what was decided is told; `domain::decisions` decides.

mod asked;
mod caller;
mod json;
mod pages;
mod told;

use std::time::Duration;

use app::headers::content_type;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use domain::decisions::{self, FoundPage, FoundResource, USER};
use model::{AccountId, Failure, Permission, UserId};
use serde::Serialize;

use crate::forms::whole;
use crate::router::Parts;
use asked::{Asked, Questions, Search, Sought};
use json::{Object, Place, Wrong};
use pages::{Cursor, begun, token};
use told::ToldDecision;

/// Where a program learns where everything is (RFC 8615).
const METADATA: &str = "/.well-known/authzen-configuration";
const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const SUBJECTS: &str = "/access/v1/search/subject";
const RESOURCES: &str = "/access/v1/search/resource";
const ACTIONS: &str = "/access/v1/search/action";

/// The largest request taken, in bytes: as many questions as can be asked at once, each with ids of
/// their greatest length.
const LARGEST: usize = 256 * 1024;
/// How long a program may take to send one.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Whether a decision is asked for at this path. That changes nothing, whatever its method, and nobody's
/// cookies matter.
pub(crate) fn is_asked_at(path: &str) -> bool {
    [METADATA, EVALUATION, EVALUATIONS, SUBJECTS, RESOURCES, ACTIONS].contains(&path)
}

/// What is answered about decisions, by its address.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Parts>); 6] {
    [
        (METADATA, get(metadata)),
        (EVALUATION, post(evaluation)),
        (EVALUATIONS, post(evaluations)),
        (SUBJECTS, post(subjects)),
        (RESOURCES, post(resources)),
        (ACTIONS, post(actions)),
    ]
}

/// Why nothing is decided.
#[derive(Debug)]
enum Refusal {
    /// There is no token, or none that is known.
    Unauthorized,
    /// The token isn't for this.
    Forbidden,
    /// The request isn't as it must be.
    Unreadable(StatusCode),
    /// What it holds isn't.
    Wrong(Wrong),
    /// The database can't be asked.
    Unavailable,
}

impl From<Failure> for Refusal {
    fn from(_: Failure) -> Self {
        Self::Unavailable
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

/// An error is told in words, in plain text (section 10.1).
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "A token is needed: Authorization: Bearer …".to_owned())
            }
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "The token needs the scope access:read".to_owned())
            }
            Self::Unreadable(status) => (status, unreadable(status)),
            Self::Wrong(Wrong(words)) => (StatusCode::BAD_REQUEST, words),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Nothing can be decided at the moment: ask again".to_owned(),
            ),
        };
        let mut response = (status, words).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

fn unreadable(status: StatusCode) -> String {
    match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Content-Type must be application/json".to_owned(),
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("The request is larger than {} kB", LARGEST / 1024)
        }
        StatusCode::REQUEST_TIMEOUT => "The request came too slowly".to_owned(),
        _ => "The request broke off".to_owned(),
    }
}

/// What is asked: the members of a request's object. What was sent is read in any case: whoever is
/// answered while still sending often loses the answer.
async fn asked(headers: &HeaderMap, body: Body) -> Result<Object, Refusal> {
    let body = tokio::time::timeout(BODY_WITHIN, whole(body, LARGEST)).await;
    if !content_type(headers).eq_ignore_ascii_case("application/json") {
        return Err(Refusal::Unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    match body {
        Ok(Ok(Some(body))) => Ok(json::read(&body)?),
        Ok(Ok(None)) => Err(Refusal::Unreadable(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(_)) => Err(Refusal::Unreadable(StatusCode::BAD_REQUEST)),
        Err(_) => Err(Refusal::Unreadable(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// What is asked by whoever may ask, and the only account that they may know of, if they are bound to
/// one.
async fn asked_within(
    parts: &Parts,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Option<AccountId>, Object), Refusal> {
    let members = asked(headers, body).await;
    let within = caller::within(&parts.latchkey, headers).await?;
    Ok((within, members?))
}

/// One question (section 6).
async fn evaluation(
    State(parts): State<Parts>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ToldDecision>, Refusal> {
    let members = asked(&headers, body).await;
    let (latchkey, bearer) = (&parts.latchkey, caller::bearer(&headers)?);
    let question = members.and_then(|members| Ok(asked::question(&members)?));
    let question = match question {
        Ok(question) => question,
        Err(refusal) => {
            // What is wrong with it is told to whoever may ask.
            caller::known(latchkey, bearer).await?;
            return Err(refusal);
        }
    };
    let evaluated = decisions::evaluate_for(latchkey, bearer, &question).await;
    let (token, considered) = evaluated.map_err(caller::refused)?;
    Ok(Json(ToldDecision::from(&considered.within(caller::bound_to(&token)?))))
}

/// The answers to several questions, in their order.
#[derive(Serialize)]
struct ToldDecisions {
    evaluations: Vec<ToldDecision>,
}

/// Several questions (section 7); without a list of them it is one.
async fn evaluations(
    State(parts): State<Parts>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (within, members) = asked_within(&parts, &headers, body).await?;
    let Questions { questions, semantic } = match asked::questions(&members)? {
        Asked::Several(several) => several,
        Asked::One(question) => {
            let decision = decisions::evaluate(&parts.latchkey, &question).await?.within(within);
            return Ok(Json(ToldDecision::from(&decision)).into_response());
        }
    };
    let mut evaluations = Vec::with_capacity(questions.len());
    for question in &questions {
        let decision = decisions::evaluate(&parts.latchkey, question).await?.within(within);
        evaluations.push(ToldDecision::from(&decision));
        if semantic.ends_with(decision.permits()) {
            break;
        }
    }
    Ok(Json(ToldDecisions { evaluations }).into_response())
}

/// A page of what was searched for (section 8.3). The page's own facts come first.
#[derive(Serialize)]
struct ToldPage<T> {
    page: PageFacts,
    results: Vec<T>,
}

#[derive(Serialize)]
struct PageFacts {
    next_token: String,
    count: usize,
}

#[derive(Serialize)]
struct ToldEntity {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

#[derive(Serialize)]
struct ToldAction {
    name: &'static str,
}

fn told<C: Cursor, F, T: Serialize>(
    search: &Search,
    sought: Sought,
    limit: usize,
    page: FoundPage<F, C>,
    tell: impl Fn(F) -> T,
) -> Json<ToldPage<T>> {
    let results: Vec<_> = page.found.into_iter().map(tell).collect();
    let next_token = token(search, sought, limit, page.next);
    Json(ToldPage { page: PageFacts { next_token, count: results.len() }, results })
}

/// A page of a search as it is asked for: what is searched for, how many results, and where it begins.
fn page_of<C: Cursor>(
    members: &Object,
    sought: Sought,
) -> Result<(Search, usize, Option<C>), Refusal> {
    let search = asked::search(members, sought)?;
    match begun(&search, sought) {
        Some((limit, after)) => Ok((search, limit, after)),
        None => {
            let place = &Place::WHOLE.of("page");
            Err(place.of("token").is("belongs to another search").into())
        }
    }
}

/// Who may do something to something (section 8.4).
async fn subjects(
    State(parts): State<Parts>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ToldPage<ToldEntity>>, Refusal> {
    let (within, members) = asked_within(&parts, &headers, body).await?;
    let (search, limit, after) = page_of(&members, Sought::Subject)?;
    let page = decisions::subjects(&parts.latchkey, within, &search.question, after, limit).await?;
    let tell = |user: UserId| ToldEntity { kind: USER, id: user.to_string() };
    Ok(told(&search, Sought::Subject, limit, page, tell))
}

/// To what somebody may do something (section 8.5).
async fn resources(
    State(parts): State<Parts>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ToldPage<ToldEntity>>, Refusal> {
    let (within, members) = asked_within(&parts, &headers, body).await?;
    let (search, limit, after) = page_of(&members, Sought::Resource)?;
    let page =
        decisions::resources(&parts.latchkey, within, &search.question, after, limit).await?;
    let tell =
        |found: FoundResource| ToldEntity { kind: found.kind.id(), id: found.key.to_string() };
    Ok(told(&search, Sought::Resource, limit, page, tell))
}

/// What somebody may do to something (section 8.6).
async fn actions(
    State(parts): State<Parts>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ToldPage<ToldAction>>, Refusal> {
    let (within, members) = asked_within(&parts, &headers, body).await?;
    let (search, limit, after) = page_of::<Permission>(&members, Sought::Action)?;
    let mut found = decisions::actions(&parts.latchkey, within, &search.question).await?;
    found.retain(|permission| after.is_none_or(|after| *permission > after));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().copied().filter(|_| more);
    let tell = |permission: Permission| ToldAction { name: permission.id() };
    Ok(told(&search, Sought::Action, limit, FoundPage { found, next }, tell))
}

/// Where everything is (section 9).
#[derive(Serialize)]
struct Metadata {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

async fn metadata(State(parts): State<Parts>) -> Response {
    let own = &parts.site.public_url;
    let metadata = Metadata {
        policy_decision_point: own.clone(),
        access_evaluation_endpoint: format!("{own}{EVALUATION}"),
        access_evaluations_endpoint: format!("{own}{EVALUATIONS}"),
        search_subject_endpoint: format!("{own}{SUBJECTS}"),
        search_resource_endpoint: format!("{own}{RESOURCES}"),
        search_action_endpoint: format!("{own}{ACTIONS}"),
    };
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(metadata)).into_response()
}
