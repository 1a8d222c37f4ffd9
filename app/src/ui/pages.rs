//! The pages of a list: how much there is on all of them, and where the others are.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {crate::address::write_cursor, domain::areas::ThingsPage};

/// Where a list's other pages are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PagesView {
    /// How much there is on all pages, in words; none where all of it is on this one.
    pub(crate) found: Option<String>,
    /// The query of the page before this one.
    pub(crate) previous: Option<String>,
    /// The query of the next page.
    pub(crate) next: Option<String>,
}

#[cfg(feature = "ssr")]
impl PagesView {
    /// Around a page of things, of which there are so many in words.
    pub(crate) fn around<T>(things: &ThingsPage<T>, found: String) -> Self {
        let page = &things.page;
        let others = page.before.is_some() || page.after.is_some();
        Self {
            found: others.then_some(found),
            previous: page.before.as_ref().map(|row| format!("?before={}", write_cursor(row))),
            next: page.after.as_ref().map(|row| format!("?after={}", write_cursor(row))),
        }
    }
}

/// How much there is, to stand above the list, and what leads to the other pages of the list at this
/// address, to stand below; nothing where there are none. `name` is what they are called.
pub(crate) fn pages(
    base: &str,
    name: String,
    view: PagesView,
) -> (Option<AnyView>, Option<AnyView>) {
    let found = view.found.map(|found| view! { <p class="quiet">{found}</p> }.into_any());
    let previous = view.previous.map(|query| {
        view! { <a href=format!("{base}{query}") rel="prev">{words!(users.previous)}</a> }
    });
    let next = view.next.map(|query| {
        view! { <a href=format!("{base}{query}") rel="next">{words!(users.next)}</a> }
    });
    let pages = (previous.is_some() || next.is_some())
        .then(|| view! { <nav class="pages" aria-label=name>{previous} {next}</nav> }.into_any());
    (found, pages)
}
