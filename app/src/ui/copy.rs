//! A button that puts a text on the clipboard.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The field with an invitation's link, for browsers that let no button copy.
pub(crate) const COPY_FIELD: &str = "copy-link";

/// What the button and its messages say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CopyWords {
    /// On the button.
    pub(crate) copy: String,
    /// Its accessible name, which says what is copied.
    pub(crate) copy_of: String,
    /// On the button, once it is done.
    pub(crate) copied: String,
    /// Its accessible name then.
    pub(crate) copied_of: String,
    /// What to do when the browser refuses.
    pub(crate) refused: String,
}

impl CopyWords {
    /// For an invitation's link.
    pub(crate) fn of_link(email: &str) -> Self {
        Self {
            copy: words!(pending.copy),
            copy_of: words!(pending.copy_for, email = email.to_owned()),
            copied: words!(pending.copied),
            copied_of: words!(pending.copied_for, email = email.to_owned()),
            refused: words!(pending.copy_refused),
        }
    }
}

/// How far copying has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only browsers copy"))]
enum Copying {
    Offered,
    Done,
    /// The browser refused: the text is there to be selected.
    Refused,
}

/// Puts the text on the clipboard. Without scripts it isn't there, and the text is selected instead.
#[component]
pub(crate) fn CopyButton(
    /// What it says.
    words: CopyWords,
    /// The text.
    text: String,
    /// How it looks.
    #[prop(default = "button")]
    class: &'static str,
) -> impl IntoView {
    let CopyWords { copy, copy_of, copied, copied_of, refused } = words;
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let copying = RwSignal::new(Copying::Offered);
    let to_clipboard = move |_| {
        #[cfg(feature = "hydrate")]
        leptos::task::spawn_local({
            let text = text.clone();
            async move {
                copying.try_set(if is_taken(&text).await {
                    Copying::Done
                } else {
                    select_field();
                    Copying::Refused
                });
            }
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = &text;
    };
    let done = copied.clone();
    let said = move || match copying.get() {
        Copying::Offered => String::new(),
        Copying::Done => done.clone(),
        Copying::Refused => refused.clone(),
    };
    let either = move |offered: String, done: String| {
        move || match copying.get() {
            Copying::Done => done.clone(),
            _ => offered.clone(),
        }
    };
    view! {
        <span class="copy">
            <button
                type="button"
                class=class
                aria-label=either(copy_of, copied_of)
                hidden=move || !alive.get()
                on:click=to_clipboard
            >
                {either(copy, copied)}
            </button>
            <span
                class="copy-said"
                class:visually-hidden=move || copying.get() != Copying::Refused
                aria-live="polite"
            >
                {said}
            </span>
        </span>
    }
}

/// Whether the browser took it. It has no clipboard for pages that came over plain http.
#[cfg(feature = "hydrate")]
async fn is_taken(text: &str) -> bool {
    window().is_secure_context() && window().navigator().clipboard().write_text(text).await.is_ok()
}

#[cfg(feature = "hydrate")]
fn select_field() {
    use leptos::wasm_bindgen::JsCast as _;
    let field = document().get_element_by_id(COPY_FIELD);
    if let Some(field) = field.and_then(|found| found.dyn_into::<web_sys::HtmlInputElement>().ok())
    {
        let _focused = field.focus();
        field.select();
    }
}

/// A button that puts a text on the clipboard, on a page that doesn't come to life: a script of the
/// document does it, and without it the button isn't there.
pub(crate) fn copy_button(text: String, words: String) -> AnyView {
    view! {
        <button
            type="button"
            class="button"
            data-copy=text
            data-copied=words!(pending.copied)
            aria-live="polite"
            hidden
        >
            {words}
        </button>
    }
    .into_any()
}
