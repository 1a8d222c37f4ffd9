//! The WASM entry: brings the page that the server rendered to life, and admits it when it dies.

use leptos::wasm_bindgen::{self, JsCast, prelude::wasm_bindgen};
use web_sys::{Event, HtmlElement};

/// Called once by the page's script; done when the page is alive.
#[wasm_bindgen]
pub async fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        say_died();
    }));
    let document = web_sys::window().and_then(|window| window.document());
    let page = document.and_then(|document| document.get_element_by_id(app::PAGE));
    if let Some(page) = page.and_then(|page| page.dyn_into::<HtmlElement>().ok()) {
        app::fetch_what_is_shown().await;
        leptos::mount::hydrate_from(page, app::App).forget();
    }
}

/// After a panic nothing answers any more, be it our fault or a piece of WASM that couldn't be
/// fetched: the page's script hears of it and goes on without.
fn say_died() {
    if let (Some(window), Ok(event)) = (web_sys::window(), Event::new("died")) {
        let _heard = window.dispatch_event(&event);
    }
}
