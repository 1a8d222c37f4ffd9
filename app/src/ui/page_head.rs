//! The head of a page.

use leptos::prelude::AnyView;
use maud::{Markup, html};

use crate::ui::still::still;

/// What a page is called, and what it is for, if that wants saying.
pub(crate) fn page_head(heading: &str, lead: Option<&str>) -> AnyView {
    still(html! {
        div.page-head {
            div {
                h1 { bdi { (heading) } }
                @if let Some(lead) = lead { p.lead { bdi { (lead) } } }
            }
        }
    })
}

/// What the page is about, and what there is to do with it.
pub(crate) fn thing_head(name: Markup, actions: Option<Markup>) -> AnyView {
    still(html! {
        div.page-head {
            h1 { (name) }
            @if let Some(actions) = actions { div.page-actions { (actions) } }
        }
    })
}

/// What leads back to the page that this one belongs to.
pub(crate) fn back_to(page: &str, words: &str) -> AnyView {
    still(html! { p.back { a href=(page) { bdi { (words) } } } })
}
