//! The page in place of one that can't be shown: not found, not available, not possible.

use leptos::prelude::*;
use model::Failure;

use crate::address::{ACCOUNT, ACCOUNTS, SIGN_IN, address_of, sign_in_for};
#[cfg(feature = "ssr")]
use crate::address::{COMPANY, LEAVE, PROFILE, SECURITY, leading_on, path};
use crate::frame::Frame;
use crate::loading::when_there;
use crate::problem::Problem;
use crate::rejected::{Rejected, Taken};
use crate::title::{Around, PageTitle};
use crate::ui::frame::Narrow;
use crate::wire::shared;

/// The whole page for a problem. Whoever isn't signed in is led to the sign-in page.
pub(crate) async fn failed(problem: Problem) -> AnyView {
    let frame = frame_around(&problem).await;
    let typed = shared(typed);
    let (heading, text) = match &problem {
        Problem::Failure(Failure::NotFound) => {
            (words!(failed.not_found_heading), words!(failed.not_found))
        }
        Problem::Failure(Failure::Unavailable) | Problem::Unreachable => {
            (words!(failed.unavailable_heading), words!(failed.unavailable))
        }
        Problem::Failure(Failure::SignedOut) => {
            #[cfg(feature = "hydrate")]
            if typed.is_none() {
                load_here();
            }
            (words!(sign_in.heading), words!(failure.signed_out))
        }
        Problem::Failure(_) => {
            // Asked for by the browser's half, the server's own page says it.
            #[cfg(feature = "hydrate")]
            if !crate::ui::go::is_hydrating() {
                load_here();
                return ().into_any();
            }
            (words!(failed.forbidden_heading), words!(failed.reload))
        }
    };
    let cure: Option<(String, String)> = None;
    let leave: Option<(String, String)> = None;
    #[cfg(feature = "ssr")]
    let leave = match &problem {
        Problem::Failure(Failure::Paused(paused)) => {
            Some((address_of(LEAVE, &[&paused.number]), words!(users.leave)))
        }
        _ => leave,
    };
    #[cfg(feature = "ssr")]
    let (heading, text, cure) = match &problem {
        Problem::Failure(Failure::NotFound | Failure::Unavailable | Failure::SignedOut)
        | Problem::Unreachable => (heading, text, cure),
        Problem::Failure(Failure::NoSecondFactor) => {
            let cure = Some((crate::request::from_here(SECURITY), words!(policy.set_up)));
            (words!(policy.closed_heading), problem.words(), cure)
        }
        Problem::Failure(Failure::SingleSignOn | Failure::VouchedLongAgo) => {
            let sign_in = leading_on(COMPANY, &path());
            let cure = Some((sign_in, words!(sso.company)));
            (words!(sso.closed_heading), problem.words(), cure)
        }
        Problem::Failure(Failure::AddressGivenUp) => {
            let cure = Some((crate::request::from_here(PROFILE), words!(email.to_profile)));
            (words!(sso.closed_heading), problem.words(), cure)
        }
        Problem::Failure(Failure::Paused(_)) => (words!(pause.heading), problem.words(), cure),
        Problem::Failure(_) => (heading, problem.words(), cure),
    };
    let (heading, text, cure, leave) = shared(move || (heading, text, cure, leave));
    let lost = matches!(problem, Problem::Failure(Failure::NotFound));
    let asked = shared(asked_about).filter(|_| !lost);
    let frame = shared(move || frame);
    provide_context(Around::of(&frame));
    let back = frame.account.as_ref().map(|account| address_of(ACCOUNT, &[&account.number]));
    let provider = frame.provider.clone();
    let link = match (problem, typed) {
        (Problem::Failure(Failure::SignedOut), Some((rejected, here))) => {
            // In a tab of its own: what was typed waits in this one.
            let href = sign_in_for(&here);
            view! {
                <p>
                    <a class="button button-primary" href=href target="_blank" rel="external">
                        {words!(failed.sign_in_beside)}
                    </a>
                </p>
                {send_again(rejected.values, None)}
            }
            .into_any()
        }
        (Problem::Failure(Failure::Unavailable), Some((rejected, _))) => {
            send_again(rejected.values, Some(words!(failed.kept)))
        }
        (Problem::Failure(Failure::Unavailable) | Problem::Unreachable, _) => {
            view! { <a class="button button-primary" href="" rel="external">{words!(failed.retry)}</a> }.into_any()
        }
        (Problem::Failure(Failure::SignedOut), _) => {
            view! { <a class="button button-primary" href=SIGN_IN rel="external">{words!(frame.sign_in)}</a> }.into_any()
        }
        (Problem::Failure(_), typed) => match cure {
            Some((href, words)) => cured_elsewhere(href, words, typed),
            None => {
                let (href, words) = match back {
                    Some(back) => (back, words!(refused.back)),
                    None => (ACCOUNTS.to_owned(), words!(failed.home)),
                };
                view! { <a class="button button-primary" href=href rel="external">{words}</a> }
                    .into_any()
            }
        },
    };
    view! {
        <PageTitle title=heading.clone() provider=provider />
        <Narrow frame=frame>
            <h1>{heading}</h1>
            <p>{text}</p>
            {asked.map(|words| view! { <p class="request-id">{words}</p> })}
            {link}
            {leave.map(|(href, words)| view! { <p><a href=href rel="external">{words}</a></p> })}
        </Narrow>
    }
    .into_any()
}

/// Where the reader takes what is in the way away. What was typed waits in this tab.
fn cured_elsewhere(href: String, words: String, typed: Option<(Rejected, String)>) -> AnyView {
    let target = typed.as_ref().map(|_| "_blank");
    let again = typed.map(|(rejected, _)| send_again(rejected.values, None));
    view! {
        <p>
            <a class="button button-primary" href=href target=target rel="external">{words}</a>
        </p>
        {again}
        <p><a href=ACCOUNTS rel="external">{words!(failed.home)}</a></p>
    }
    .into_any()
}

/// What was typed, ready to be sent once more: the page that showed it can't be shown.
pub(crate) fn send_again(values: Vec<(String, String)>, explained: Option<String>) -> AnyView {
    let values = values
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    view! {
        <form method="post" action="">
            {explained.map(|words| view! { <p>{words}</p> })}
            {values}
            <button class="button">{words!(failed.retry)}</button>
        </form>
    }
    .into_any()
}

/// The page for an address that leads nowhere.
#[cfg(feature = "ssr")]
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    nowhere()
}

/// An address that is none of the living pages: the server knows whether it is another page.
#[component]
pub(crate) fn ElsewherePage() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if !crate::ui::go::is_hydrating() {
        load_here();
        return ().into_any();
    }
    nowhere()
}

fn nowhere() -> AnyView {
    #[cfg(feature = "ssr")]
    crate::problem::set_status(&Failure::NotFound);
    when_there(|| Box::pin(async { Err(Failure::NotFound.into()) }))
}

/// What was typed into the form that led here, and the path that it was sent to. This page says
/// what is wrong with it.
fn typed() -> Option<(Rejected, String)> {
    let rejected = use_context::<Rejected>().filter(|rejected| !rejected.values.is_empty())?;
    if let Some(taken) = use_context::<Taken>() {
        taken.take();
    }
    Some((rejected, leptos_router::hooks::use_location().pathname.get_untracked()))
}

/// What to name to the provider who is asked about it, and where that is.
fn asked_about() -> Option<String> {
    #[cfg(feature = "ssr")]
    return crate::request::id().map(|id| crate::contact::ask(words!(failed.request, id = id)));
    #[cfg(not(feature = "ssr"))]
    None
}

/// The frame around the page: where nothing is found, the reader's own; else one that says nothing of
/// them.
#[cfg(feature = "ssr")]
async fn frame_around(problem: &Problem) -> Frame {
    match problem {
        Problem::Failure(Failure::NotFound) => crate::request::frame_in_place().await,
        _ => crate::request::frame(None, None, false),
    }
}

/// The frame around the page that the browser's half shows by itself: it says nothing of the reader. Of
/// a page that the server showed, its own frame is read instead.
#[cfg(not(feature = "ssr"))]
async fn frame_around(_problem: &Problem) -> Frame {
    Frame {
        provider: provider(),
        mark: has_mark(),
        mailbox: false,
        user: None,
        several: false,
        others: Vec::new(),
        more: false,
        account: None,
        waiting: Vec::new(),
    }
}

/// The provider's name, as the server wrote it into the document.
#[cfg(not(feature = "ssr"))]
fn provider() -> String {
    let html = document().document_element();
    html.and_then(|html| html.get_attribute("data-provider")).unwrap_or_default()
}

/// Whether it has a mark of its own, by the same way.
#[cfg(not(feature = "ssr"))]
fn has_mark() -> bool {
    document().document_element().is_some_and(|html| html.has_attribute("data-mark"))
}

/// Has the server show the page at this address: it knows what else there is, and what comes first.
/// The address is the router's, which the browser's own follows only later.
#[cfg(feature = "hydrate")]
fn load_here() {
    let location = leptos_router::hooks::use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let _loading = window().location().replace(&target);
}
