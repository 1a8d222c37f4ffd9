//! Buttons that lead to the provider's own pages, as it gives links to them.

use maud::{Markup, html};

use crate::eyes::ReadOnly;

/// A button that leads to the provider's page at this address; none where there is no link. Through
/// somebody else's eyes it leads nowhere. `label` is its accessible name, which holds the words on it.
pub(crate) fn link_button(href: Option<&str>, words: &str, label: &str) -> Option<Markup> {
    let href = href?;
    Some(match ReadOnly::here() {
        None => html! {
            a.button href=(href) rel="noreferrer external" aria-label=(label) { (words) }
        },
        Some(why) => html! {
            button.button type="button" disabled aria-label=(label) title=(why) { (words) }
        },
    })
}

/// Several of them; none where there is none.
pub(crate) fn link_buttons(buttons: [Option<Markup>; 2]) -> Option<Markup> {
    let there = buttons.iter().any(Option::is_some);
    there.then(|| html! { @for button in buttons.iter().flatten() { (button) } })
}
