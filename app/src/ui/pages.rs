//! The pages of a list: how much there is on all of them, and where the others are.

use leptos::prelude::AnyView;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::ui::still::still;
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
pub(crate) fn pages(base: &str, name: &str, view: PagesView) -> (Option<AnyView>, Option<AnyView>) {
    let found = view.found.map(|found| still(html! { p.quiet { (found) } }));
    let to = |query: String| format!("{base}{query}");
    let (previous, next) = (view.previous.map(to), view.next.map(to));
    (found, turns(name, previous.map(Turn::previous), next.map(Turn::next)))
}

/// What leads to another page of a list.
pub(crate) struct Turn {
    href: String,
    words: String,
    rel: Option<&'static str>,
}

impl Turn {
    /// To the first page.
    pub(crate) fn first(href: String) -> Self {
        Self { href, words: words!(users.first), rel: None }
    }

    /// To the page before.
    pub(crate) fn previous(href: String) -> Self {
        Self { href, words: words!(users.previous), rel: Some("prev") }
    }

    /// To the next page.
    pub(crate) fn next(href: String) -> Self {
        Self { href, words: words!(users.next), rel: Some("next") }
    }

    /// The same in other words.
    pub(crate) fn in_words(self, words: String) -> Self {
        Self { words, ..self }
    }

    fn link(&self) -> Markup {
        let Self { href, words, rel } = self;
        html! { a href=(href) rel=[rel] { (words) } }
    }
}

/// What leads to the other pages of a list; nothing where there are none.
pub(crate) fn turns(name: &str, back: Option<Turn>, next: Option<Turn>) -> Option<AnyView> {
    let links: Vec<_> = [back, next].iter().flatten().map(Turn::link).collect();
    (!links.is_empty())
        .then(|| still(html! { nav.pages aria-label=(name) { @for link in links { (link) " " } } }))
}
