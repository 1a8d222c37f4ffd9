//! The page's title, and whether it says that a form was refused.

use leptos::prelude::*;
use leptos_meta::Title;
use model::AccountNumber;

use crate::frame::Frame;
use crate::rejected::Rejected;
use crate::wire::shared;

/// Whether a form on this page was refused: the title says so.
#[derive(Clone, Copy)]
pub(crate) struct HasErrors(pub(crate) RwSignal<bool>);

/// The account around the page, by number and name: the title says its name, too, as that is what tells
/// two tabs apart, and ways out of the account keep its number.
#[derive(Clone)]
pub(crate) struct Around(pub(crate) Option<(AccountNumber, String)>);

impl Around {
    /// The account in this frame.
    pub(crate) fn of(frame: &Frame) -> Self {
        Self(frame.account.as_ref().map(|account| (account.number, account.name.clone())))
    }
}

/// The page's title, in front of it "Error: " when a form was refused.
#[component]
pub(crate) fn PageTitle(
    /// The page's heading.
    #[prop(into)]
    title: String,
    /// The provider's name.
    #[prop(into)]
    provider: String,
) -> impl IntoView {
    let around = use_context::<Around>().and_then(|Around(account)| account);
    let page = match around.filter(|(_, name)| *name != title) {
        Some((_, name)) => format!("{title} · {name}"),
        None => title,
    };
    let full = words!(title.page, page = page, provider = provider);
    // A form may also come back to somebody who only searched in it.
    let rejected =
        shared(|| use_context::<Rejected>().is_some_and(|rejected| !rejected.told.0.is_empty()));
    let errors = use_context::<HasErrors>();
    if let Some(errors) = errors {
        errors.0.set(rejected);
    }
    let error_title = words!(title.error, title = full.clone());
    // The server reads the title when the page is done and its signals are gone, and puts it into
    // the document as it is: names of people and accounts stand in it. The browser's half sets it as
    // the text that it is.
    #[cfg(feature = "ssr")]
    let text = escape_text(if rejected { &error_title } else { &full });
    #[cfg(not(feature = "ssr"))]
    let text = move || {
        let refused = errors.map_or(rejected, |errors| errors.0.get());
        if refused { error_title.clone() } else { full.clone() }
    };
    view! { <Title text=text /> }
}

/// A text as it may stand within an element that Leptos doesn't escape for, `title` and `textarea`:
/// nothing in it is markup.
pub(crate) fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escape_text("</title>&lt;"), "&lt;/title>&amp;lt;");
    }
}
