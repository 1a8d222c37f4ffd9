//! The WASM entry: brings the pages that the server rendered to life, and admits it when they die.

use leptos::wasm_bindgen::{self, prelude::wasm_bindgen};

/// Called once by the page's script.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        reveal_notice();
    }));
    leptos::mount::hydrate_lazy(app::App);
}

/// After a panic nothing answers any more, be it our fault or a piece of WASM that couldn't be
/// fetched: the document has a notice ready that says so.
fn reveal_notice() {
    let document = web_sys::window().and_then(|window| window.document());
    let notice = document.and_then(|document| document.get_element_by_id(app::DEAD_NOTICE));
    if let Some(notice) = notice {
        let _shown = notice.remove_attribute("hidden");
    }
}
