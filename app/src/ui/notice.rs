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
        </div>
    }
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
