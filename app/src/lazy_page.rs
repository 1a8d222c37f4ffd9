//! A page whose WASM is fetched when it is first gone to.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::*;
use leptos_router::{ChooseView, LazyRoute};

/// What a page has asked for, before its view is there.
type Data = Box<dyn Any + Send>;

/// What is on its way.
type Coming<T> = Pin<Box<dyn Future<Output = T>>>;

/// A page of the route table. One type for all of them, in place of the router's `Lazy<T>`: with
/// that, each page has the router compiled for it into the WASM that all pages load.
#[derive(Clone)]
pub(crate) struct LazyPage {
    data: fn() -> Data,
    view: fn(Data) -> Coming<AnyView>,
    preload: fn() -> Coming<()>,
    ahead: Arc<Mutex<Option<Data>>>,
}

impl LazyPage {
    /// This page.
    pub(crate) fn of<T: LazyRoute>() -> Self {
        Self {
            data: || Box::new(T::data()),
            view: |data| match data.downcast::<T>() {
                Ok(page) => Box::pin(T::view(*page)),
                Err(_) => Box::pin(T::view(T::data())),
            },
            preload: || Box::pin(T::preload()),
            ahead: Arc::default(),
        }
    }

    fn ahead(&self) -> std::sync::MutexGuard<'_, Option<Data>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChooseView for LazyPage {
    async fn choose(self) -> AnyView {
        let data = self.ahead().take();
        (self.view)(data.unwrap_or_else(self.data)).await
    }

    async fn preload(&self) {
        // What the page asks for came with it, if it stands there and is about to come to life.
        if Owner::current().is_some() {
            let data = (self.data)();
            *self.ahead() = Some(data);
        }
        (self.preload)().await;
    }
}
