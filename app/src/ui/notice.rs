//! What the last form came to, at the top of the page where one lands.

use leptos::prelude::*;

use crate::address::{from_here, path};
use crate::notice::Said;
use crate::ui::copy::{COPY_FIELD, CopyButton, CopyWords, copy_button};

/// A line that stays until the page is left. After sending an invitation it holds the link, which
/// can be copied now and never again.
#[component]
pub(crate) fn NoticeLine(
    /// What it says.
    notice: Said,
) -> impl IntoView {
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
            <CopyButton words=CopyWords::of_link(&email) text=link />
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
    let copied = codes.join("\n");
    let codes = codes.into_iter().map(|code| view! { <li><code translate="no">{code}</code></li> });
    let codes = view! {
        <p>{words!(security.codes_hint)}</p>
        <ul class="recovery-codes">{codes.collect_view()}</ul>
        <div class="form-actions">
            <a class="button" href=file download="latchkey-recovery-codes.txt" rel="external">
                {words!(security.codes_download)}
            </a>
            <button type="button" class="button" data-print="" hidden>
                {words!(security.codes_print)}
            </button>
            {copy_button(copied, words!(security.codes_copy))}
            <a class="button button-primary" href=from_here(&path()) rel="external">
                {words!(security.codes_kept)}
            </a>
        </div>
    };
    Some(codes.into_any())
}
