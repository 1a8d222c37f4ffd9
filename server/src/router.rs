//! Which request goes where, and the layers around all of them with the reason for each.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::sync::Arc;

use api::RequestId;
use app::headers::{listed, words};
use app::request::{RequestContext, RequestFacts, Site, plainly};
use app::{
    Assets, BUILT, CALLBACK, CALLBACK_OF_ACCOUNT, FILES, Locale, OWN_DATA, PROVIDER_MARK,
    PROVIDER_STYLE, SIGN_OUT, is_same_for_all, logged,
};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use domain::{Client, Latchkey};
use tokio::sync::{Notify, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tracing::Instrument;

use crate::accept::Crowded;
use crate::config::Config;
use crate::{assets, decisions, digests, export, forms, look, own_data, shape};

/// The kind of an answer in words alone.
const PLAIN: &str = "text/plain; charset=utf-8";

/// What is asked to learn whether we are well. It is answered in any crowd.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// What a request, and its answer, is known by.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What requests are answered with.
#[derive(Clone)]
pub struct Parts {
    /// The product.
    pub latchkey: Latchkey,
    /// What pages show of the configuration.
    pub site: Arc<Site>,
    /// The configuration.
    pub config: Arc<Config>,
    /// The built files' addresses.
    pub assets: Arc<Assets>,
    /// Rung after every form: there may be mail to send.
    pub mail_waiting: Arc<Notify>,
    /// How many pages may be rendered at the same time, also for readers who left.
    pub pages: Arc<Semaphore>,
}

impl Parts {
    /// What server functions and pages find in their context. The product is in it for those alone
    /// who bring what is known of their request.
    pub(crate) fn context(&self, facts: RequestFacts) -> impl Fn() + Clone + Send + Sync + use<> {
        let (latchkey, site) = (self.latchkey.clone(), Arc::clone(&self.site));
        let assets = Arc::clone(&self.assets);
        let context = Arc::new(RequestContext { latchkey, site, assets, facts });
        move || Arc::clone(&context).provide()
    }

    /// Renders the page with the request's path.
    pub(crate) async fn page(
        &self,
        mut request: Request,
        more: impl Fn() + Clone + Send + Sync + 'static,
    ) -> Response {
        let Some(facts) = request.extensions().get::<RequestFacts>().cloned() else {
            return StatusCode::NOT_FOUND.into_response();
        };
        // A page is a page, also in answer to a form or for who asks for its head alone. Leptos leads
        // those on who say that they take one.
        *request.method_mut() = Method::GET;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let context = self.context(facts);
        let assets = Arc::clone(&self.assets);
        let context = move || {
            context();
            more();
        };
        let shell = move || app::shell(Arc::clone(&assets));
        let Ok(place) = Arc::clone(&self.pages).acquire_owned().await else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        // Parts of a page are rendered by tasks of their own. They would find the rest gone when the
        // reader left meanwhile: so the page is one, too, and is finished for nobody.
        let page = async move {
            let page = leptos_axum::render_app_async_with_context(context, shell)(request).await;
            let page = shape::noted(page).await;
            drop(place);
            page
        };
        match tokio::spawn(page.in_current_span()).await {
            Ok(page) => page,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            },
        }
    }
}

/// Everything that Latchkey answers.
pub fn router(parts: Parts) -> Router {
    // What pages wait for runs on the server's own threads; another call has done it already.
    let _ = any_spawner::Executor::init_tokio();
    let cross_site = CsrfLayer::new();
    let cross_site = match cross_site.clone().add_trusted_origin(&parts.site.public_url) {
        Ok(trusting) => trusting,
        Err(_) => cross_site,
    };
    let pages =
        app::pages().iter().fold(Router::new(), |pages, page| pages.route(page, page_and_form()));
    let routes =
        plain().into_iter().fold(pages, |routes, (path, answers)| routes.route(&path, answers));
    let routes = routes
        .fallback(nowhere)
        .with_state(parts.clone())
        // A page is a sixth of its size on the way. Guessing its secrets by its length (BREACH) would
        // take many requests with the reader's cookie from elsewhere, which `SameSite` keeps back.
        .layer(CompressionLayer::new())
        // A form of another site must not act for somebody who is signed in here (OWASP ASVS 5.0
        // V3.5.1). It stands inside the next layer, so that the refusal is logged too.
        .layer(cross_site);
    // The provider's own systems come with tokens and without cookies: what guards browsers is of no use
    // to them, and answers that hold no page's secrets need no compressing.
    let door = api::router(parts.latchkey.clone());
    let routes = Router::new().nest_service(api::PATH, door).fallback_service(routes);
    attended(routes, parts)
}

/// Forms are posted to pages. Every other address takes none.
fn page_and_form() -> MethodRouter<Parts> {
    get(forms::page).post(forms::form)
}

/// Everything that is answered besides pages and what comes to the door, by its address. A test asks of
/// each who learns from it of which services and domains.
fn plain() -> Vec<(String, MethodRouter<Parts>)> {
    let file = |path: &'static str| {
        let name = path.trim_start_matches('/');
        (path, get(move |headers| assets::file(name, headers)))
    };
    let built = (format!("{BUILT}{{*file}}"), get(assets::package));
    let others = [
        (SIGN_OUT, page_and_form()),
        ("/", get(|| async { Redirect::to("/accounts") })),
        ("/healthz", get(|| async { "ok" })),
        ("/readyz", get(ready)),
        (PROVIDER_STYLE, get(look::css)),
        (PROVIDER_MARK, get(look::mark)),
        ("/accounts/{account}/log.csv", get(export::log)),
        ("/accounts/{account}/users.csv", get(export::users)),
        ("/accounts/{account}/log/digests/{day}", get(digests::download)),
        (OWN_DATA, get(own_data::download)),
        (CALLBACK, get(forms::callback)),
        (CALLBACK_OF_ACCOUNT, get(forms::callback_of_account)),
        ("/demo/mailbox/{mail}/html", get(mail_html)),
        ("/api/{*function}", get(forms::question).post(forms::function)),
    ];
    let routes = FILES.into_iter().map(file).chain(others).chain(decisions::routes());
    routes.map(|(path, answers)| (path.to_owned(), answers)).chain([built]).collect()
}

/// The addresses of all that is answered besides pages and what comes to the door.
#[must_use]
pub fn plain_paths() -> Vec<String> {
    plain().into_iter().map(|(path, _)| path).collect()
}

/// The routes with what every request and every answer gets.
fn attended(routes: Router, parts: Parts) -> Router {
    routes
        // A defect in one answer must not look like a server that is gone.
        .layer(CatchPanicLayer::custom(broken))
        // Outermost: every answer has its headers and every request its id and its line.
        .layer(middleware::from_fn_with_state(parts, attend))
}

fn broken(panic: Box<dyn Any + Send>) -> Response {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(words, "an answer broke off in a panic");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// An address that is none of ours: a page that says so for who wanted to see one. With a slash behind
/// it a page's address isn't its own, and takes no forms: that leads to the one without.
async fn nowhere(parts: State<Parts>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let page = path.strip_suffix('/').map(|path| format!("{path}{query}"));
    match page.as_deref().and_then(app::same_site) {
        Some(page) => Redirect::permanent(page).into_response(),
        None => forms::page(parts, request).await,
    }
}

async fn ready(State(parts): State<Parts>) -> Response {
    match parts.latchkey.store.is_ready().await {
        Ok(()) => "ok".into_response(),
        Err(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the database: {why}")).into_response()
        }
    }
}

/// The HTML part of a mail in the demo's mailbox, for the frame on its page.
async fn mail_html(State(parts): State<Parts>, Path(mail): Path<String>) -> Response {
    if !parts.site.mailbox {
        return StatusCode::NOT_FOUND.into_response();
    }
    match domain::mails::kept(&parts.latchkey, &mail).await {
        Ok(mail) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
                 sandbox; frame-ancestors 'self'";
            let headers =
                [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
            let told = app::mails::Told {
                account: mail.time_zone.as_deref(),
                own: mail.own_zone.as_deref(),
                queued_at: mail.queued_at,
            };
            let language = mail.language.as_ref();
            let written = app::mails::write(&mail.mail, language, told, &parts.site);
            (headers, Html(written.html)).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Gives every request its id, its client and its line in the log, and every answer the headers
/// that all answers have.
async fn attend(State(parts): State<Parts>, mut request: Request, next: Next) -> Response {
    let id = short_id(&parts);
    let crowded = request.extensions().get::<Crowded>().is_some();
    if crowded {
        // Whoever it is, there is no place: the database needn't be asked.
        request.headers_mut().remove(header::COOKIE);
    }
    let address = client_address(&parts, &request);
    let user_agent = words(request.headers(), "user-agent").chars().take(200).collect();
    let client = Client { address: address.to_string(), user_agent, ..Client::default() };
    let (method, path) = (request.method().clone(), logged(request.uri().path()));
    let user = tracing::field::Empty;
    let span = tracing::info_span!("request", id, %method, path, client = %address, user);
    let is_asked = decisions::is_asked_at(request.uri().path());
    // AuthZEN Authorization API 1.0, section 10.1.3.
    let named = request.headers().get(REQUEST_ID).filter(|_| is_asked).cloned();
    let changes = !is_asked && !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
    let begun = parts.latchkey.now();
    let mut locale = parts.site.language;
    let is_at_door = is_at_door(request.uri().path());
    request.extensions_mut().insert(RequestId(id.clone()));
    if (changes || is_for_people(request.uri().path())) && !is_at_door && !is_asked {
        let (latchkey, site, headers) = (&parts.latchkey, &parts.site, request.headers());
        let found = RequestFacts::find(latchkey, site, headers, client, id.clone());
        let facts = found.instrument(span.clone()).await;
        if let Ok(viewer) = &facts.viewer {
            span.record("user", tracing::field::display(viewer.user));
        }
        locale = facts.locale;
        request.extensions_mut().insert(facts);
    }
    let response = if !request.uri().path().starts_with('/') {
        // `*`, or a host and a port: no address of a page, and Leptos breaks on it.
        StatusCode::BAD_REQUEST.into_response()
    } else if crowded && !PROBES.contains(&request.uri().path()) {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
    } else {
        only_what_is_plain(request.headers_mut());
        next.run(request).instrument(span.clone()).await
    };
    // What programs are told are words for those who wrote them.
    let mut response = if is_asked { response } else { speak(response, locale, &id, &parts.site) };
    if changes {
        parts.mail_waiting.notify_one();
    }
    let _entered = span.enter();
    let millis = parts.latchkey.now().since(begun).as_millis();
    tracing::info!(status = response.status().as_u16(), millis = millis as u64, "answered");
    protect(&parts.site, &id, named, &mut response);
    // RFC 9110, section 9.3.2. Whoever spoke for an answer without words didn't look how it was asked.
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// What compresses answers reads a line of `Accept-Encoding` only when all of it is plain.
fn only_what_is_plain(headers: &mut HeaderMap) {
    let plain = listed(headers, header::ACCEPT_ENCODING).collect::<Vec<_>>().join(", ");
    if let header::Entry::Occupied(mut taken) = headers.entry(header::ACCEPT_ENCODING)
        && let Ok(plain) = HeaderValue::from_str(&plain)
    {
        taken.insert(plain);
    }
}

/// Gives an answer that says nothing, or nothing in our words, a sentence with the request's id.
fn speak(mut response: Response, locale: Locale, id: &str, site: &Site) -> Response {
    let is_empty = response.body().size_hint().exact() == Some(0);
    // What takes an address apart says in its own words what is wrong with it.
    let is_refused = response.status() == StatusCode::BAD_REQUEST
        && response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PLAIN);
    if (is_empty || is_refused)
        && let Some(words) = plainly(response.status(), locale, id, site)
    {
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PLAIN));
        *response.body_mut() = Body::from(words);
    }
    response
}

/// Whether one of the provider's own systems asks, whom a token stands for.
fn is_at_door(path: &str) -> bool {
    path.strip_prefix(api::PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether it matters who asks: files and probes are the same for everybody.
fn is_for_people(path: &str) -> bool {
    !is_same_for_all(path) && !PROBES.contains(&path)
}

fn short_id(parts: &Parts) -> String {
    parts.latchkey.new_id().simple().to_string()
}

fn client_address(parts: &Parts, request: &Request<Body>) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
    // A proxy may add a line of its own instead of adding to the one that is there.
    let forwarded = words(request.headers(), "x-forwarded-for");
    parts.config.client_address(peer, Some(forwarded.as_str()).filter(|all| !all.is_empty()))
}

/// The headers of every answer (OWASP ASVS 5.0 V3.4). It is known by the request's id, or by what whoever
/// sent that named it.
fn protect(site: &Site, id: &str, named: Option<HeaderValue>, response: &mut Response) {
    const ALWAYS: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let nothing = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(nothing));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if site.secure {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Some(name) = named.or_else(|| HeaderValue::from_str(id).ok()) {
        headers.insert(REQUEST_ID, name);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Clock, Random};
    use http_body_util::BodyExt;
    use model::Timestamp;
    use tower::ServiceExt;

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(1_800_000_000_000_000)
        }
    }

    impl Random for Still {
        fn fill(&self, _buffer: &mut [u8]) {}
    }

    async fn breaks() -> StatusCode {
        panic!("a defect")
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_500_and_the_requests_id() {
        let database = test_database::sqlite().await;
        let (config, still) = (Config::default(), Arc::new(Still));
        let store = database.store.clone();
        let latchkey = Latchkey::new(store, still.clone(), still, config.settings());
        let parts = Parts {
            latchkey,
            site: Arc::new(config.site()),
            config: Arc::new(config),
            assets: assets::load(),
            mail_waiting: Arc::default(),
            pages: Arc::new(Semaphore::new(1)),
        };
        let app = attended(Router::new().route("/", get(breaks)), parts);
        let answer = app.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.starts_with("Something broke on our side") && body.contains(&id), "{body}");
    }
}
