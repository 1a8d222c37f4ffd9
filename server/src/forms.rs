//! Forms: posted to the page that shows them, carried out by their server function, and answered
//! with where to go next or with the same page, errors and values in it. Nothing that was typed is
//! lost, and none of it stands in an address.

use std::sync::Arc;
use std::time::Duration;

use app::forms::{ARRIVE, ASK_FOR_PASSKEY, CONFIRM, TAKE_LISTS, is_shown, pages_with};
use app::headers::{content_type, want_page};
use app::request::{Posted, PostedTo, RequestFacts};
use app::{
    CALLBACK, Confirming, GO_ON, Locale, MADE_FOR_HEADER, OfAnother, Problem, ProofTaken, Rejected,
    SIGN_OUT, TAKES_FACTOR, Told, made_for_another, made_for_now,
};
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::second_step::{self, SecondStep};
use domain::viewer::Viewer;
use http_body_util::{BodyExt, Limited};
use leptos::prelude::provide_context;
use model::{Failure, Field, FieldProblem};

use crate::router::Parts;

/// The largest form taken, in bytes.
const LARGEST: usize = 64 * 1024;

/// The largest form that takes lists of services and domains: 5,000 of each, as browsers write one
/// when its sender is asked first who they are (`kept.service%5B%5D=`, an id and `&` are 56 bytes), and
/// the rest of it.
const LARGEST_WITH_LISTS: usize = 10_000 * 56 + LARGEST;

/// How much of a body that isn't taken is read all the same, in bytes. Whoever is answered while
/// still sending loses the connection, and often the answer with it.
const READ_PAST: usize = 1024 * 1024;

/// How long a client may take to send a body.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The largest answer of a server function to a form: a failure in JSON.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The page with the request's path; in its place the one that asks who its reader is, where that
/// comes first.
pub(crate) async fn page(State(parts): State<Parts>, request: Request) -> Response {
    let parts = &parts;
    let (head, body) = request.into_parts();
    let page = parts.page(Request::from_parts(head.clone(), body), || ()).await;
    if page.status() != StatusCode::UNAUTHORIZED || viewer(&head).is_none() {
        return page;
    }
    let on = (GO_ON.to_owned(), vec![("next".to_owned(), path(&head))]);
    let mut page = ask_who(parts, &head, on, false, None).await;
    *page.status_mut() = StatusCode::UNAUTHORIZED;
    page
}

/// `POST` to a page's own path.
pub(crate) async fn form(State(parts): State<Parts>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let values = match read(&head, body).await {
        Ok(values) => values,
        Err(unreadable) => {
            let told = unreadable.told(&parts, &head);
            let rejected = Rejected { form: String::new(), values: Vec::new(), told };
            return refuse(&parts, &head, rejected, unreadable.status).await;
        }
    };
    let name = values.iter().find(|(name, _)| name == "form").map(|(_, value)| value.clone());
    let name = name.unwrap_or_default();
    let facts = (!want_page(&head.headers)).then(|| facts(&head).cloned()).flatten();
    let answer = taken(&parts, head, name, values).await;
    saying_for_whom(&parts, facts, answer)
}

async fn taken(
    parts: &Parts,
    head: RequestParts,
    name: String,
    values: Vec<(String, String)>,
) -> Response {
    if is_unencrypted(parts, &head.headers) {
        let told = app::request::unencrypted(&parts.site, locale(&head));
        let rejected = Rejected { form: name, values: without_secrets(values), told };
        return refuse(parts, &head, rejected, StatusCode::CONFLICT).await;
    }
    if CONFIRM.contains(&name.as_str()) {
        return confirmed(parts, head, name, values).await;
    }
    carry_out(parts, &head, name, values).await
}

/// An answer to the browser's half, which finds out by it that its tab is of before.
fn saying_for_whom(parts: &Parts, facts: Option<RequestFacts>, mut answer: Response) -> Response {
    let said = facts.and_then(|facts| made_for_now(&parts.assets, &facts));
    if let Some(said) = said.and_then(|said| HeaderValue::from_str(&said).ok()) {
        answer.headers_mut().insert(MADE_FOR_HEADER, said);
    }
    answer
}

/// Whether a form was sent from a page that was opened by http where the public address is https.
/// The log tells of it, and of the opposite, which works: the operator may not know of either.
fn is_unencrypted(parts: &Parts, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).map_or(&b""[..], HeaderValue::as_bytes);
    let is = |scheme: &[u8]| origin.starts_with(scheme);
    let secure = is(b"https://").then_some(true).or_else(|| is(b"http://").then_some(false));
    let public_url = &parts.site.public_url;
    match (parts.site.secure, secure) {
        (true, Some(false)) => {
            tracing::warn!(public_url, "a form was sent by http and refused: public_url is https");
            true
        }
        (false, Some(true)) => {
            tracing::warn!(public_url, "a form was sent by https: set public_url to that address");
            false
        }
        _ => false,
    }
}

/// Carries a form out and answers with where to go next or what is wrong.
async fn carry_out(
    parts: &Parts,
    head: &RequestParts,
    name: String,
    values: Vec<(String, String)>,
) -> Response {
    if let Some(whose) = of_another(head, &name, &values) {
        return refuse_of_another(parts, head, whose, (name, values)).await;
    }
    let answer = run(parts, head, &name, &values).await;
    if let Some(location) = answer.headers().get(header::LOCATION).cloned()
        && answer.status().is_success()
    {
        return lead_on(head, answer.headers(), location);
    }
    let status = answer.status();
    let (answer_head, body) = answer.into_parts();
    let problem = problem(body).await;
    let told = Told::new(&problem, locale(head), &parts.site);
    let by_factor = match problem.failure() {
        Some(Failure::Unconfirmed) => Some(false),
        Some(Failure::FactorUnconfirmed) => Some(true),
        _ => None,
    };
    let mut refusal = match by_factor.filter(|_| want_page(&head.headers)) {
        Some(by_factor) => {
            let mut page = ask_who(parts, head, (name, values), by_factor, None).await;
            *page.status_mut() = status;
            page
        }
        None => {
            let rejected = Rejected { form: name, values: without_secrets(values), told };
            refuse(parts, head, rejected, status).await
        }
    };
    if let Some(wait) = answer_head.headers.get(header::RETRY_AFTER) {
        refusal.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    refusal
}

/// The form of the page that asks who the sender is: their proof, and the form that waits for it.
/// That one is carried out once they are known.
async fn confirmed(
    parts: &Parts,
    mut head: RequestParts,
    by: String,
    values: Vec<(String, String)>,
) -> Response {
    let mut form = String::new();
    let (mut kept, mut given) = (Vec::new(), Vec::new());
    for (name, value) in values {
        match name.strip_prefix("kept.") {
            Some(name) => kept.push((name.to_owned(), value)),
            None if name == "kept_form" => form = value,
            None => given.push((name, value)),
        }
    }
    if let Some(whose) = of_another(&head, &by, &given) {
        return refuse_of_another(parts, &head, whose, (form, kept)).await;
    }
    let answer = run(parts, &head, &by, &given).await;
    if answer.status().is_success() {
        // What was known of the request is older than the proof.
        if let Some(known) = head.extensions.get::<RequestFacts>().cloned() {
            let (latchkey, site) = (&parts.latchkey, &parts.site);
            let facts =
                RequestFacts::find(latchkey, site, &head.headers, known.client, known.id).await;
            head.extensions.insert(facts);
        }
        return carry_out(parts, &head, form, kept).await;
    }
    let status = answer.status();
    let told = Told::new(&problem(answer.into_body()).await, locale(&head), &parts.site);
    let by_factor = given.iter().any(|(name, _)| name == TAKES_FACTOR);
    let rejected = Rejected { form: by, values: without_secrets(given), told };
    let mut refusal = ask_who(parts, &head, (form, kept), by_factor, Some(rejected)).await;
    *refusal.status_mut() = status;
    refusal
}

/// For whom a form was made, if that isn't who sends it.
fn of_another(head: &RequestParts, form: &str, values: &[(String, String)]) -> Option<String> {
    made_for_another(form, values, facts(head)?)
}

/// Refuses a form that was made for somebody else than its sender: who signed in in another tab must
/// not do unawares what was begun in this one.
async fn refuse_of_another(
    parts: &Parts,
    head: &RequestParts,
    whose: String,
    (form, mut values): (String, Vec<(String, String)>),
) -> Response {
    tracing::info!("a form that was made for somebody else was refused");
    let mut refusal = if want_page(&head.headers) {
        values.retain(|(name, _)| name != "form");
        values.push(("form".to_owned(), form));
        let values = without_secrets(values);
        let form = OfAnother { whose, action: path(head), values };
        show(parts, head, move || provide_context(form.clone())).await
    } else {
        json(&facts(head).map(|facts| app::request::of_another(whose, facts)))
    };
    *refusal.status_mut() = StatusCode::CONFLICT;
    refusal
}

/// The page that asks who the sender is before it sends a form on, by a second factor or by their
/// password, and what was wrong with their answer.
async fn ask_who(
    parts: &Parts,
    head: &RequestParts,
    (form, values): (String, Vec<(String, String)>),
    by_factor: bool,
    rejected: Option<Rejected>,
) -> Response {
    let SecondStep { app, passkey } = usable_factors(parts, head).await;
    let takes = if by_factor { ProofTaken::Factor { app } } else { ProofTaken::Password };
    let confirming = Confirming { action: path(head), form, values, takes, passkey };
    show(parts, head, move || {
        provide_context(confirming.clone());
        if let Some(rejected) = rejected.clone() {
            provide_context(rejected);
        }
    })
    .await
}

/// Which second factors the sender can give. If that can't be found out, their password or a recovery
/// code will do.
async fn usable_factors(parts: &Parts, head: &RequestParts) -> SecondStep {
    let none = SecondStep { app: false, passkey: false };
    match viewer(head) {
        Some(viewer) => second_step::usable(&parts.latchkey, viewer.user).await.unwrap_or(none),
        None => none,
    }
}

fn viewer(head: &RequestParts) -> Option<Viewer> {
    facts(head).and_then(|facts| facts.viewer.clone().ok())
}

/// `GET` of a browser that comes back from an identity provider. Its query is a form that only this
/// browser could have been sent with, which its sign-in checks; nothing else changes by `GET`.
pub(crate) async fn callback(State(parts): State<Parts>, request: Request) -> Response {
    arrived(&parts, request, None).await
}

/// The same from an account's own identity provider.
pub(crate) async fn callback_of_account(
    State(parts): State<Parts>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    arrived(&parts, request, Some(account)).await
}

async fn arrived(parts: &Parts, request: Request, account: Option<String>) -> Response {
    let (head, _) = request.into_parts();
    // Coming back works once: not for whoever only looks whether something is there, or fetches it
    // ahead (Fetch section 2.5, Sec-Purpose; older browsers say it in other words).
    let ahead = ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(|name| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains("prefetch") || value.contains("preview"))
    });
    if ahead || head.method == Method::HEAD {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let query = head.uri.query().unwrap_or_default();
    let values = form_urlencoded::parse(query.as_bytes()).into_owned();
    let values = values.filter(|(name, _)| ["code", "state", "iss", "error"].contains(&&**name));
    let account = account.map(|account| ("account".to_owned(), account));
    let values = values.chain(account).collect();
    let answer = carry_out(parts, &head, ARRIVE.to_owned(), values).await;
    // There may be mail to send, as after a form.
    parts.mail_waiting.notify_one();
    answer
}

/// A server function that only answers: how pages ask for their content after the first. It leads
/// nowhere, whoever asks: the content says what there is to know.
pub(crate) async fn question(State(parts): State<Parts>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    if !is_function(head.uri.path(), &Method::GET) {
        let asks = is_asking(&head);
        return if asks { only("POST") } else { StatusCode::NOT_FOUND.into_response() };
    }
    head.method = Method::GET;
    let facts = facts(&head).cloned();
    let mut answer = call(&parts, Request::from_parts(head, body)).await;
    answer.headers_mut().remove(header::LOCATION);
    saying_for_whom(&parts, facts, answer)
}

/// A server function that has the browser asked for a passkey. The others that take a form take it on
/// its page.
pub(crate) async fn function(State(parts): State<Parts>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !is_asking(&head) {
        let answers = is_function(head.uri.path(), &Method::GET);
        return if answers { only("GET, HEAD") } else { StatusCode::NOT_FOUND.into_response() };
    }
    let name = head.uri.path().trim_start_matches("/api/");
    match read(&head, body).await {
        Ok(values) => match of_another(&head, name, &values) {
            Some(whose) => {
                let told = facts(&head).map(|facts| app::request::of_another(whose, facts));
                (StatusCode::CONFLICT, json(&told)).into_response()
            }
            None => {
                let path = head.uri.clone();
                call(&parts, sending(&head, path, &values)).await
            }
        },
        Err(unreadable) => {
            (unreadable.status, json(&unreadable.told(&parts, &head))).into_response()
        }
    }
}

fn is_asking(head: &RequestParts) -> bool {
    let name = head.uri.path().strip_prefix("/api/");
    name.is_some_and(|name| ASK_FOR_PASSKEY.contains(&name))
}

fn is_function(path: &str, method: &Method) -> bool {
    let mut known = leptos::server_fn::axum::server_fn_paths();
    known.any(|(known, takes)| known == path && takes == method)
}

/// The address takes other methods (RFC 9110 section 15.5.6).
fn only(methods: &'static str) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, methods)]).into_response()
}

/// Calls a server function. Leptos would send whoever takes a page back to where the `Referer` says,
/// whatever that is: all that it is told is that they take JSON.
async fn call(parts: &Parts, mut request: Request) -> Response {
    let Some(facts) = request.extensions().get::<RequestFacts>().cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let takes_json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::ACCEPT, takes_json);
    request.headers_mut().remove(header::REFERER);
    leptos_axum::handle_server_fns_with_context(parts.context(facts), request).await.into_response()
}

/// Why a form can't be read.
struct Unreadable {
    status: StatusCode,
    /// How large it might have been, in bytes.
    largest: usize,
}

impl Unreadable {
    fn told(&self, parts: &Parts, head: &RequestParts) -> Told {
        let Self { status, largest } = *self;
        tracing::info!(status = status.as_u16(), "an unreadable form was refused");
        let id = facts(head).map(|facts| facts.id.as_str());
        let id = id.unwrap_or_default();
        app::request::unreadable(status, largest, locale(head), id, &parts.site)
    }
}

/// Reads a form, wholly or not at all.
async fn read(head: &RequestParts, body: Body) -> Result<Vec<(String, String)>, Unreadable> {
    let largest = largest_on(head.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let unreadable = |status| Unreadable { status, largest };
    let body = body_of_form(head, body, largest).await.map_err(unreadable)?;
    let values = values(&body).map_err(unreadable)?;
    let is_named = |(name, value): &(String, String)| {
        ["form", "kept_form"].contains(&name.as_str()) && TAKE_LISTS.contains(&value.as_str())
    };
    if body.len() > LARGEST && !values.iter().any(is_named) {
        return Err(Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE, largest: LARGEST });
    }
    Ok(values)
}

/// How large a form may be that is sent to this page.
fn largest_on(page: Option<&str>) -> usize {
    let shows = |form: &str| page.is_some_and(|page| pages_with(form).contains(&page));
    if TAKE_LISTS.iter().any(|form| shows(form)) { LARGEST_WITH_LISTS } else { LARGEST }
}

async fn body_of_form(
    head: &RequestParts,
    body: Body,
    largest: usize,
) -> Result<Vec<u8>, StatusCode> {
    let kind = content_type(&head.headers);
    let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let read = tokio::time::timeout(BODY_WITHIN, whole(body, largest)).await;
    match read.map_err(|_| StatusCode::REQUEST_TIMEOUT)? {
        _ if !is_form => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

fn values(body: &[u8]) -> Result<Vec<(String, String)>, StatusCode> {
    let values: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    // The parser replaces what isn't UTF-8; a form that a browser sends has none of it.
    let broken = values.iter().any(|(name, value)| {
        name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER)
    });
    if broken { Err(StatusCode::BAD_REQUEST) } else { Ok(values) }
}

/// The whole body; none when it is larger than this.
pub(crate) async fn whole(mut body: Body, largest: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while length <= READ_PAST
        && let Some(frame) = body.frame().await
    {
        if let Ok(data) = frame?.into_data() {
            length += data.len();
            if length <= largest {
                bytes.extend_from_slice(&data);
            }
        }
    }
    Ok((length <= largest).then_some(bytes))
}

/// Carries the form out, if the page that it was posted to shows it.
async fn run(
    parts: &Parts,
    head: &RequestParts,
    name: &str,
    values: &[(String, String)],
) -> Response {
    let page = head.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    if !page.is_some_and(|page| is_shown(name, page, head.uri.path(), values)) {
        let problem = Problem::Failure(Failure::field(Field::Form, FieldProblem::Malformed));
        return (StatusCode::UNPROCESSABLE_ENTITY, json(&problem)).into_response();
    }
    let path = format!("/api/{name}").parse().unwrap_or_default();
    call(parts, sending(head, path, values)).await
}

/// A request that sends these values to a server function.
fn sending(head: &RequestParts, path: Uri, values: &[(String, String)]) -> Request {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path;
    *request.headers_mut() = head.headers.clone();
    request.headers_mut().remove(header::CONTENT_LENGTH);
    *request.extensions_mut() = head.extensions.clone();
    request.extensions_mut().insert(Posted(Arc::new(values.to_vec())));
    request.extensions_mut().insert(PostedTo(head.uri.clone()));
    request
}

/// Leads on: browsers by a redirect (RFC 9110 section 15.4.4), the WASM by the address alone.
fn lead_on(head: &RequestParts, answer: &HeaderMap, location: HeaderValue) -> Response {
    let html = want_page(&head.headers);
    let status = if html { StatusCode::SEE_OTHER } else { StatusCode::OK };
    let mut response = status.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    for cookie in answer.get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    response
}

/// Says why a form came to nothing: browsers by its page once more, the WASM by the words alone.
async fn refuse(
    parts: &Parts,
    head: &RequestParts,
    rejected: Rejected,
    status: StatusCode,
) -> Response {
    let mut refusal = if want_page(&head.headers) {
        again(parts, head, rejected).await
    } else {
        json(&rejected.told)
    };
    if refusal.status().is_success() {
        *refusal.status_mut() = status;
    }
    refusal
}

/// The form's page once more, with what was typed and what is wrong with it.
async fn again(parts: &Parts, head: &RequestParts, rejected: Rejected) -> Response {
    show(parts, head, move || provide_context(rejected.clone())).await
}

async fn show(
    parts: &Parts,
    head: &RequestParts,
    context: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = page_of(head);
    *request.headers_mut() = head.headers.clone();
    *request.extensions_mut() = head.extensions.clone();
    parts.page(request, context).await
}

/// The path and query that a form was posted to.
fn path(head: &RequestParts) -> String {
    page_of(head).path_and_query().map_or("/", |path| path.as_str()).to_owned()
}

/// The page that shows the form: the one with its path. The form for signing out stands on all
/// pages, and an identity provider sends browsers back to none; should either fail, the sign-in page
/// says so.
fn page_of(head: &RequestParts) -> Uri {
    let path = head.uri.path();
    if path == SIGN_OUT || path.starts_with(CALLBACK) {
        return Uri::from_static("/sign-in");
    }
    head.uri.clone()
}

fn locale(head: &RequestParts) -> Locale {
    facts(head).map(|facts| facts.locale).unwrap_or_default()
}

fn facts(head: &RequestParts) -> Option<&RequestFacts> {
    head.extensions.get::<RequestFacts>()
}

async fn problem(body: Body) -> Problem {
    let read = Limited::new(body, LARGEST_ANSWER).collect().await;
    let bytes = read.map(|body| body.to_bytes()).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or(Problem::Failure(Failure::Unavailable))
}

fn json(answer: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(answer).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Passwords never come back with a page, nor what a passkey signed, nor a provider's secret.
fn without_secrets(values: Vec<(String, String)>) -> Vec<(String, String)> {
    let secrets = [Field::Passkey.name(), Field::ClientSecret.name()];
    let secret = |name: &str| name.ends_with("password") || secrets.contains(&name);
    values.into_iter().filter(|(name, _)| !secret(name)).collect()
}
