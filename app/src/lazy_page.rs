//! A page whose WASM is fetched when it is first gone to.

use std::pin::Pin;

use leptos::prelude::*;
use leptos_router::{ChooseView, LazyRoute};

/// What is on its way.
type Coming<T> = Pin<Box<dyn Future<Output = T>>>;

/// A page of the route table. One type for all of them, in place of the router's `Lazy<T>`: with
/// that, each page has the router compiled for it into the WASM that all pages load.
#[derive(Clone)]
pub(crate) struct LazyPage {
    show: fn() -> Coming<AnyView>,
    fetch: fn() -> Coming<()>,
}

impl LazyPage {
    /// This page.
    pub(crate) fn of<T: LazyRoute>() -> Self {
        // What it asks for is under way while its WASM is fetched.
        Self { show: || Box::pin(T::view(T::data())), fetch: || Box::pin(T::preload()) }
    }
}

impl ChooseView for LazyPage {
    async fn choose(self) -> AnyView {
        (self.show)().await
    }

    async fn preload(&self) {
        (self.fetch)().await;
    }
}
