//! Buttons that lead to the provider's own pages, as it gives links to them.

use leptos::prelude::*;

use crate::eyes::ReadOnly;

/// A button that leads to the provider's page at this address; none where there is no link. Through
/// somebody else's eyes it leads nowhere. `label` is its accessible name, which holds the words on it.
pub(crate) fn link_button(href: Option<String>, words: String, label: String) -> Option<AnyView> {
    let href = href?;
    let Some(why) = ReadOnly::here() else {
        let rel = "noreferrer external";
        return Some(
            view! { <a class="button" href=href rel=rel aria-label=label>{words}</a> }.into_any(),
        );
    };
    let button = view! {
        <button type="button" class="button" disabled aria-label=label title=why>
            {words}
        </button>
    };
    Some(button.into_any())
}
