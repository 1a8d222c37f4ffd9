//! From page to page in the browser: whether the present one came with the document, and how a form
//! leads on.

use leptos::prelude::*;

/// Whether the page under construction is the one that the server sent, coming to life.
#[cfg(feature = "hydrate")]
pub(crate) fn is_hydrating() -> bool {
    Owner::current_shared_context().is_some_and(|context| context.during_hydration())
}

/// Has what a link of this page opens over it (`data-opens`) fetched, if it wasn't yet, as soon as the page
/// is shown and there is nothing else to do (`frontend/pieces.js`).
pub(crate) fn fetch_what_opens() {
    Effect::new(|_| {
        if let Ok(shown) = leptos::web_sys::Event::new("opens") {
            let _heard = window().dispatch_event(&shown);
        }
    });
}

/// Counts the changes made on this page: its content is asked for anew with every one.
#[derive(Clone, Copy)]
pub(crate) struct Revision(pub(crate) RwSignal<u32>);

/// Goes to another page after a form: within the WASM where that can show it, by loading it
/// otherwise.
#[derive(Clone)]
pub(crate) struct Go {
    navigate: std::sync::Arc<dyn Fn(&str) + Send + Sync>,
}

impl Go {
    /// Made inside the router.
    pub(crate) fn new() -> Self {
        let navigate = leptos_router::hooks::use_navigate();
        let location = leptos_router::hooks::use_location();
        let revision = use_context::<Revision>();
        let go = move |target: &str| {
            let path = target.split('?').next().unwrap_or(target);
            let stays = location.pathname.with_untracked(|here| here == path);
            if !path.starts_with("/accounts/") {
                let _loading = window().location().assign(target);
            } else if stays && let Some(revision) = revision {
                revision.0.update(|count| *count += 1);
            } else {
                navigate(target, leptos_router::NavigateOptions::default());
            }
        };
        Self { navigate: std::sync::Arc::new(go) }
    }

    /// Goes there.
    pub(crate) fn to(&self, target: &str) {
        (self.navigate)(target);
    }
}
