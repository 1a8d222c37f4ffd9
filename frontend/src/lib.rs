//! The WASM entry: brings the pages that the server rendered to life.

use leptos::wasm_bindgen::{self, prelude::wasm_bindgen};

/// Called once by the page's script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
