//! What every request at the door passes: who comes, how often, with what body, and whether it was
//! answered already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Latchkey;
use domain::answers::{self, Begun, KeptAnswer};
use domain::tokens::{self, Token};
use model::{Timestamp, TokenId};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::problem::{Kind, Problem};

/// The largest body, in bytes.
const LARGEST: usize = 64 * 1024;
/// The largest body of many rows.
const LARGEST_BATCH: usize = 4 * 1024 * 1024;
/// How long a client may take to send a body.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// For how long requests are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// How long an `Idempotency-Key` can be.
const LONGEST_KEY: usize = 255;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The id of a request, as its answer tells it. Whoever serves the door gives it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// What requests at the door are answered with.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) latchkey: Latchkey,
    pace: Arc<Pace>,
}

impl Door {
    pub(crate) fn new(latchkey: Latchkey) -> Self {
        let most = latchkey.settings.requests_per_token;
        Self { latchkey, pace: Arc::new(Pace { most, counts: Mutex::default() }) }
    }
}

/// How often each token came. Each node counts for itself: the bound guards this one.
struct Pace {
    most: u32,
    counts: Mutex<HashMap<TokenId, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    since: Timestamp,
    requests: u32,
}

/// What is left to a token.
#[derive(Clone, Copy)]
struct Left {
    most: u32,
    requests: u32,
    seconds: u64,
    is_over: bool,
}

impl Pace {
    fn count(&self, token: TokenId, now: Timestamp) -> Left {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(token).or_insert(Count { since: now, requests: 0 });
        if now < count.since || count.since.after(WINDOW) <= now {
            *count = Count { since: now, requests: 0 };
        }
        let is_over = count.requests >= self.most;
        count.requests = count.requests.saturating_add(u32::from(!is_over));
        let until = count.since.after(WINDOW).since(now);
        let seconds = until.as_secs() + u64::from(until.subsec_nanos() > 0);
        Left { most: self.most, requests: self.most - count.requests, seconds, is_over }
    }
}

impl Left {
    /// The fields that tell of it (draft-ietf-httpapi-ratelimit-headers).
    fn tell(self, headers: &mut HeaderMap) {
        let Self { most, requests, seconds, .. } = self;
        let policy = format!("\"token\";q={most};w={}", WINDOW.as_secs());
        let limit = format!("\"token\";r={requests};t={seconds}");
        for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Writes a problem with the id of its request, wherever it came from.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|RequestId(id)| id.clone());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let headers = std::mem::take(response.headers_mut());
            let mut answer = problem.answer(id);
            for (name, value) in &headers {
                if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
                    answer.headers_mut().insert(name, value.clone());
                }
            }
            answer
        }
        None => response,
    }
}

/// Lets in who has a token that works.
pub(crate) async fn enter(
    State(door): State<Door>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let now = door.latchkey.now();
    let bearer = bearer(request.headers()).unwrap_or_default();
    let token = tokens::authenticate(&door.latchkey, bearer, now).await?;
    let left = door.pace.count(token.id, now);
    if left.is_over {
        let wait = HeaderValue::from(left.seconds);
        let problem = Problem::from(Kind::TooMany).with(header::RETRY_AFTER, wait);
        let mut response = problem.into_response();
        left.tell(response.headers_mut());
        return Ok(response);
    }
    request.extensions_mut().insert(token.clone());
    let answer = match read(request).await {
        Ok(request) => once(&door, &token, request, next).await,
        Err(problem) => Err(problem),
    };
    let mut response = answer.into_response();
    left.tell(response.headers_mut());
    Ok(response)
}

/// The token that is sent along (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = sent.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// Takes the body in, if it isn't too large.
async fn read(request: Request) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let is_batch = head.uri.path().ends_with(":batch");
    let most = if is_batch { LARGEST_BATCH } else { LARGEST };
    let too_large =
        || Problem::detailed(Kind::TooLarge, format!("At most {most} bytes are taken."));
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let body = match timeout(BODY_WITHIN, to_bytes(body, most)).await {
        Err(_) => return Err(Kind::TooSlow.into()),
        Ok(Err(error)) if is_length(&error) => return Err(too_large()),
        Ok(Err(_)) => {
            return Err(Problem::detailed(Kind::BadRequest, "The body broke off."));
        }
        Ok(Ok(body)) => body,
    };
    Ok(Request::from_parts(head, Body::from(body)))
}

/// Whether a body couldn't be read because it is too long.
fn is_length(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Does what is asked once, also when it is asked again with the same `Idempotency-Key`.
async fn once(
    door: &Door,
    token: &Token,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];
    let writes = !safe.contains(request.method());
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).filter(|_| writes) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| {
        Problem::detailed(
            Kind::BadRequest,
            format!("An Idempotency-Key has 1 to {LONGEST_KEY} visible characters of ASCII."),
        )
    })?;
    let key = key.to_owned();
    let (request, hash) = hashed(request).await?;
    let latchkey = door.latchkey.clone();
    let begun = match answers::begin(&latchkey, token, &key, &hash).await? {
        Begun::Now(begun) => begun,
        Begun::UnderWay => {
            return Err(Problem::from(Kind::UnderWay)
                .with(header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        Begun::Other => return Err(Kind::KeyUsed.into()),
        Begun::Before(kept) => return Ok(again(kept)),
    };
    // It is done to its end, also when nobody waits for the answer any more.
    let done = tokio::spawn(async move {
        let response = next.run(request).await;
        let response = match response.extensions().get::<Problem>() {
            // Its words hold the id of a request: they are written for each anew.
            Some(problem) => return finish_problem(&latchkey, begun, problem.clone()).await,
            None => response,
        };
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let kept = KeptAnswer {
            status: head.status.as_u16(),
            headers: kept_headers(&head.headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        answers::finish(&latchkey, begun, Some(kept)).await;
        Response::from_parts(head, Body::from(body))
    });
    done.await.map_err(|_| Kind::Broken.into())
}

/// Keeps no problem: nothing was done, and asking again may come to something.
async fn finish_problem(latchkey: &Latchkey, begun: answers::Ticket, problem: Problem) -> Response {
    answers::finish(latchkey, begun, None).await;
    problem.into_response()
}

/// What of an answer's headers is told again.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = KEPT.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.to_str().ok()?.to_owned();
        Some((name.to_string(), value))
    });
    kept.collect()
}

fn again(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut response = (status, kept.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// What of a request makes it the same as another one.
async fn hashed(request: Request) -> Result<(Request, [u8; 32]), Problem> {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(body, LARGEST_BATCH).await.map_err(|_| Kind::BadRequest)?;
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let condition = |name| head.headers.get(name).map_or(&[][..], HeaderValue::as_bytes);
    let mut hash = Sha256::new();
    for part in [
        head.method.as_str().as_bytes(),
        target.as_bytes(),
        condition(header::IF_MATCH),
        condition(header::IF_NONE_MATCH),
        &body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let request = Request::from_parts(head, Body::from(body));
    Ok((request, hash.finalize().into()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_comes_so_often_in_a_minute_and_no_oftener() {
        let pace = Pace { most: 2, counts: Mutex::default() };
        let (one, other) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let left = |token, millis| {
            let left = pace.count(token, at(millis));
            (left.requests, left.seconds, left.is_over)
        };
        assert_eq!(left(one, 0), (1, 60, false));
        assert_eq!(left(one, 1_500), (0, 59, false));
        assert_eq!(left(one, 59_999), (0, 1, true));
        assert_eq!(left(other, 59_999), (1, 60, false));
        assert_eq!(left(one, 60_000), (1, 60, false));
        // A clock that goes back begins anew.
        assert_eq!(left(one, 10_000), (1, 60, false));
    }

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let sent = |value: &'static str| {
            let headers = [(header::AUTHORIZATION, HeaderValue::from_static(value))];
            bearer(&headers.into_iter().collect()).map(str::to_owned)
        };
        assert_eq!(sent("Bearer lk_a_b"), Some("lk_a_b".to_owned()));
        assert_eq!(sent("bearer  lk_a_b"), Some("lk_a_b".to_owned()));
        for other in ["lk_a_b", "Basic lk_a_b", "Bearer", ""] {
            assert_eq!(sent(other), None, "{other}");
        }
    }
}
