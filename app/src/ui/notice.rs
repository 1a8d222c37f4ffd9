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
    let copy = notice.link.map(|(email, link)| {
        view! {
            <p>{words!(notice.copy_hint)}</p>
            <input
                class="copy-link"
                readonly
                aria-label=words!(pending.link_for, email = email.clone())
                value=link.clone()
            />
            <CopyButton email=email link=link />
        }
    });
    view! {
        <div class="notice notice-success" role="status">
            <p>{notice.words}</p>
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

/// Puts the link on the clipboard. Without scripts the field beside it does.
#[component]
fn CopyButton(email: String, link: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        #[cfg(feature = "hydrate")]
        {
            let clipboard = window().navigator().clipboard();
            let _written = clipboard.write_text(&link);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = &link;
        copied.set(true);
    };
    let name = words!(pending.copy_for, email = email);
    view! {
        <button type="button" class="button" aria-label=name on:click=copy>
            {move || if copied.get() { words!(pending.copied) } else { words!(pending.copy) }}
        </button>
    }
}
