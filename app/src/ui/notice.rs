//! What the last form came to, at the top of the page where one lands.

use leptos::prelude::*;

use crate::page::Said;

/// A line that stays until the page is left. After sending an invitation it holds the link, which
/// can be copied now and never again.
#[component]
pub(crate) fn NoticeLine(
    /// What it says.
    notice: Said,
) -> impl IntoView {
    let button = !notice.button_in_row;
    let copy = notice.link.map(|(email, link)| {
        view! {
            <p>{words!(notice.copy_hint)}</p>
            <input
                class="copy-link"
                id=COPY_FIELD
                readonly
                aria-label=words!(pending.link_for, email = email.clone())
                value=link.clone()
            />
            {button.then(|| view! { <CopyButton email=email link=link /> })}
        }
    });
    view! {
        <div
            class="notice notice-success"
            id="notice"
            role="status"
            tabindex="-1"
            autofocus
            aria-labelledby="notice-words"
        >
            <p id="notice-words">{notice.words}</p>
            {copy}
            {recovery_codes(notice.codes)}
        </div>
    }
}

/// The codes, shown once: to be written down, printed, or kept as a file.
fn recovery_codes(codes: Vec<String>) -> Option<AnyView> {
    if codes.is_empty() {
        return None;
    }
    let file = format!("data:text/plain;charset=utf-8,{}%0A", codes.join("%0A"));
    let codes = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> });
    let codes = view! {
        <p>{words!(security.codes_hint)}</p>
        <ul class="recovery-codes">{codes.collect_view()}</ul>
        <p>
            <a class="button" href=file download="latchkey-recovery-codes.txt" rel="external">
                {words!(security.codes_download)}
            </a>
        </p>
    };
    Some(codes.into_any())
}

/// The field with the link, for browsers that let no button copy.
const COPY_FIELD: &str = "copy-link";

/// How far copying has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only browsers copy"))]
enum Copying {
    Offered,
    Done,
    /// The browser refused: the link stands selected in its field.
    Refused,
}

/// Puts the link on the clipboard. Without scripts it isn't there, and the field in the notice does.
#[component]
pub(crate) fn CopyButton(
    /// The invited address.
    email: String,
    /// Its link.
    link: String,
    /// Its class besides `button`.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let copying = RwSignal::new(Copying::Offered);
    let copy = move |_| {
        #[cfg(feature = "hydrate")]
        leptos::task::spawn_local({
            let link = link.clone();
            async move {
                copying.try_set(if to_clipboard(&link).await {
                    Copying::Done
                } else {
                    select_field();
                    Copying::Refused
                });
            }
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = &link;
    };
    let label = move || match copying.get() {
        Copying::Done => words!(pending.copied_for, email = email.clone()),
        _ => words!(pending.copy_for, email = email.clone()),
    };
    let said = move || match copying.get() {
        Copying::Offered => String::new(),
        Copying::Done => words!(pending.copied),
        Copying::Refused => words!(pending.copy_refused),
    };
    view! {
        <span class="copy">
            <button
                type="button"
                class=format!("button {class}")
                aria-label=label
                hidden=move || !alive.get()
                on:click=copy
            >
                {move || match copying.get() {
                    Copying::Done => words!(pending.copied),
                    _ => words!(pending.copy),
                }}
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
async fn to_clipboard(text: &str) -> bool {
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
