//! A page on its way: asked for by its address, and shown as soon as it is there.

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;
#[cfg(not(feature = "ssr"))]
use leptos_router::hooks::use_query_map;
use serde::de::DeserializeOwned;

#[cfg(not(feature = "ssr"))]
use crate::address::escape_query;
use crate::eyes::ReadOnly;
use crate::frame::Frame;
use crate::notice::Said;
use crate::page::Page;
use crate::problem::Problem;
use crate::title::Around;
use crate::ui::frame::{Content, Here};
use crate::ui::go::Revision;
use crate::words::keep_locale_near;
#[cfg(feature = "ssr")]
use {crate::wire, model::Failure, serde::Serialize};

/// Whether a page's content is on its way from the server.
#[derive(Clone, Copy)]
pub(crate) struct Waiting(pub(crate) RwSignal<bool>);

/// What an address asks for: its parameters and its query.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    params: leptos_router::params::ParamsMap,
    query: Vec<(String, String)>,
}

impl Asked {
    /// A part of the path.
    pub(crate) fn part(&self, name: &str) -> String {
        self.params.get(name).unwrap_or_default()
    }

    /// The account's number in the path.
    pub(crate) fn account(&self) -> String {
        self.part("account")
    }

    /// A parameter of the query; empty when it isn't there.
    pub(crate) fn query(&self, name: &str) -> String {
        let last = self.query.iter().rfind(|(found, _)| found == name);
        last.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// A page's content on its way from the server.
pub(crate) struct Loading<T> {
    written: Resource<Result<String, Problem>, Settled>,
    /// Where it is made it needn't be read: shown there, it is the one that was written.
    #[cfg(feature = "ssr")]
    made: StoredValue<Option<Page<T>>>,
    #[cfg(not(feature = "ssr"))]
    content: std::marker::PhantomData<fn() -> T>,
}

/// An answer on its way.
type Answer<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// A page on its way, as it is where it is asked for: itself on the server, its text in the browser.
#[cfg(feature = "ssr")]
pub(crate) type Fetching<T> = Answer<Page<T>>;
#[cfg(not(feature = "ssr"))]
pub(crate) type Fetching = Answer<String>;

/// `load!(asked => api::UsersPage { account: asked.account() })`: the server function whose type this
/// is, with all of its arguments. On the server it is called, in the browser its address is asked. The
/// browser's half has no use for the code by which Leptos would write the query: it is larger.
macro_rules! load {
    ($asked:ident => $($function:ident)::+ { $($name:ident: $value:expr),* $(,)? }) => {
        $crate::loading::load::<$($function)::+, _>(|$asked| {
            let call = $($function)::+ { $($name: $value),* };
            #[cfg(feature = "ssr")]
            return Box::pin(async move {
                $crate::words::keep_locale_near();
                leptos::server_fn::ServerFn::run_body(call).await
            });
            #[cfg(not(feature = "ssr"))]
            return {
                let $($function)::+ { $($name),* } = call;
                let values = [$((stringify!($name).trim_start_matches("r#"), $name)),*];
                let address = <$($function)::+ as leptos::server_fn::ServerFn>::PATH;
                Box::pin($crate::loading::ask(address, &values))
            };
        })
    };
}

/// Asks for the page that this server function answers with.
#[cfg(feature = "ssr")]
#[expect(clippy::extra_unused_type_parameters, reason = "as in the browser's half")]
pub(crate) fn load<F, T>(fetch: fn(Asked) -> Fetching<T>) -> Loading<T>
where
    F: ServerFn<Output = Page<T>>,
    T: Serialize + Send + Sync + 'static,
{
    let made = StoredValue::new(None);
    let written = written(move |asked| {
        let page = fetch(asked);
        Box::pin(async move {
            let page = page.await.inspect_err(no_page)?;
            let written = write(&page);
            made.set_value(Some(page));
            written
        })
    });
    Loading { written, made }
}

/// Asks for the page that this server function answers with, and again whenever its address or its
/// revision changes.
#[cfg(not(feature = "ssr"))]
#[expect(clippy::extra_unused_type_parameters, reason = "the function says which view it is")]
pub(crate) fn load<F, T>(fetch: fn(Asked) -> Fetching) -> Loading<T>
where
    F: ServerFn<Output = Page<T>>,
{
    Loading { written: written(fetch), content: std::marker::PhantomData }
}

/// How a page stands in the document, or why there is none: as much of it as the browser's half
/// has to know.
pub(crate) struct Settled;

impl Encoder<Result<String, Problem>> for Settled {
    type Error = ();
    type Encoded = String;

    fn encode(page: &Result<String, Problem>) -> Result<String, ()> {
        Ok(match page {
            Ok(written) => format!("+{written}"),
            Err(problem) => problem.status().to_string(),
        })
    }
}

impl Decoder<Result<String, Problem>> for Settled {
    type Error = ();
    type Encoded = str;

    fn decode(text: &str) -> Result<Result<String, Problem>, ()> {
        let status = || Problem::of_status(text.parse().unwrap_or_default());
        Ok(text.strip_prefix('+').map(str::to_owned).ok_or_else(status))
    }
}

fn written(
    fetch: impl Fn(Asked) -> Answer<String> + Send + Sync + 'static,
) -> Resource<Result<String, Problem>, Settled> {
    let (params, query) = (use_params_map(), queried());
    let revision = use_context::<Revision>();
    Resource::new_with_options(
        move || {
            let revision = revision.map(|revision| revision.0.get());
            (Asked { params: params.get(), query: query() }, revision)
        },
        move |(asked, _)| fetch(asked),
        false,
    )
}

/// The address's query. On the server from the request itself: the router decodes it twice, which
/// takes an address that stands in it apart.
#[cfg(feature = "ssr")]
fn queried() -> impl Fn() -> Vec<(String, String)> {
    let parts = use_context::<axum::http::request::Parts>();
    let query = parts.and_then(|parts| parts.uri.query().map(str::to_owned)).unwrap_or_default();
    move || form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The address's query.
#[cfg(not(feature = "ssr"))]
fn queried() -> impl Fn() -> Vec<(String, String)> {
    let query = use_query_map();
    move || {
        let query = query.get().into_iter();
        query.map(|(name, value)| (name.into_owned(), value)).collect()
    }
}

/// The page as one text.
#[cfg(feature = "ssr")]
fn write<T: Serialize>(page: &Page<T>) -> Result<String, Problem> {
    let Page { frame, notice, content } = page;
    wire::write(&(frame, notice, content)).map_err(|_| Problem::Unreachable)
}

/// Answers that there is no page, by the problem's status: before anything is rendered in its place.
/// Whoever must sign in for it is led to the sign-in page, unless the page is the answer to a form: what
/// was typed would be lost on the way.
#[cfg(feature = "ssr")]
fn no_page(problem: &Problem) {
    let is_again = use_context::<crate::rejected::Rejected>().is_some();
    match problem {
        Problem::Failure(Failure::SignedOut) if !is_again => {
            let parts = use_context::<axum::http::request::Parts>();
            let target = parts.as_ref().and_then(|parts| parts.uri.path_and_query());
            let next = target.map_or("/", |target| target.as_str());
            crate::request::redirect(&crate::address::sign_in_for(next));
        }
        Problem::Failure(failure) => crate::problem::set_status(failure),
        Problem::Unreachable => {}
    }
}

/// The answer of the server function at this address.
#[cfg(not(feature = "ssr"))]
pub(crate) fn ask(
    address: &str,
    values: &[(&str, String)],
) -> impl Future<Output = Result<String, Problem>> + Send + use<> {
    let mut address = format!("{address}?");
    for (name, value) in values {
        address.push_str(&format!("{name}={}&", escape_query(value)));
    }
    send_wrapper::SendWrapper::new(crate::ui::form::get(address))
}

#[cfg(feature = "ssr")]
impl<T: Send + Sync + 'static> Loading<T> {
    /// The page, once it is there.
    async fn read(self) -> Result<Page<T>, Problem> {
        self.written.await?;
        self.made.try_update_value(Option::take).flatten().ok_or(Problem::Unreachable)
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: DeserializeOwned> Loading<T> {
    /// The page, once it is there.
    async fn read(self) -> Result<Page<T>, Problem> {
        Page::read(&self.written.await?).map_err(|_| Problem::Unreachable)
    }
}

impl<T> Clone for Loading<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loading<T> {}

/// Shows a page within its frame as soon as it is there.
pub(crate) fn framed<T>(loading: Loading<T>, here: Here, show: fn(T, Frame) -> AnyView) -> AnyView
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    when_there(move || {
        Box::pin(async move {
            let Page { frame, notice, content } = loading.read().await?;
            let around = frame.clone();
            provide_context(Around::of(&frame));
            keep_locale_near();
            let content = match content {
                Ok(content) => {
                    let read_only = ReadOnly::of(frame.account.as_ref());
                    read_only.around(move || show(content, frame))
                }
                Err(refused) => crate::ui::refused::refused(refused, here, frame).await,
            };
            Ok(in_frame(around, here, notice, content))
        })
    })
}

fn in_frame(frame: Frame, here: Here, notice: Option<Said>, content: AnyView) -> AnyView {
    view! { <Content frame=frame here=here notice=notice>{content}</Content> }.into_any()
}

/// A view on its way.
type Coming = std::pin::Pin<Box<dyn Future<Output = Result<AnyView, Problem>> + Send>>;

/// Shows what is on its way as soon as it is there, or what is in its way.
pub(crate) fn when_there(view: impl Fn() -> Coming + Send + Sync + 'static) -> AnyView {
    let view: Box<dyn Fn() -> Coming + Send + Sync> = Box::new(view);
    let shown = move || {
        let coming = view();
        Suspend::new(async move {
            match coming.await {
                Ok(view) => view,
                Err(problem) => crate::ui::failed::failed(problem).await,
            }
        })
    };
    // The server shows it once, and builds it once: what may be shown again is built for each look at
    // whether all of it is there. Only browsers show that they wait: on the server, where parts of a page
    // are rendered on several threads, what sets the signal would at times read while another thread
    // writes, and panic.
    #[cfg(feature = "ssr")]
    let shown = view! { <Transition>{shown()}</Transition> };
    #[cfg(not(feature = "ssr"))]
    let shown = {
        let waiting = use_context::<Waiting>().unwrap_or(Waiting(RwSignal::new(false)));
        view! { <Transition set_pending=waiting.0>{shown}</Transition> }
    };
    shown.into_any()
}

/// Shows a page of one narrow column: sign-in, join, reset.
#[cfg(feature = "ssr")]
pub(crate) fn narrow<T>(loading: Loading<T>, show: fn(T, Frame) -> AnyView) -> AnyView
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    when_there(move || {
        Box::pin(async move {
            let Page { frame, notice, content } = loading.read().await?;
            provide_context(Around::of(&frame));
            match content {
                Ok(content) => {
                    let content = show(content, frame.clone());
                    let languages = crate::languages::choose::Languages();
                    Ok(view! {
                        <crate::ui::frame::Narrow frame=frame notice=notice>{content} {languages}</crate::ui::frame::Narrow>
                    }
                    .into_any())
                }
                // What takes a permission has a frame.
                Err(_) => Err(Problem::Unreachable),
            }
        })
    })
}
