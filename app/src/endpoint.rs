//! Server functions as forms name them. The name comes from the type that `#[server]` makes, so that
//! the compiler knows each that is written down.

use leptos::server_fn::ServerFn;

/// Where the addresses of all server functions begin.
const API: &str = "/api/";

/// A server function, by the end of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint(&'static str);

impl Endpoint {
    /// What a form says in its hidden field `form`.
    pub(crate) const fn name(self) -> &'static str {
        self.0
    }
}

/// This server function.
pub(crate) const fn endpoint<F: ServerFn>() -> Endpoint {
    const {
        match F::PATH.split_at_checked(API.len()) {
            Some((_, name)) => Endpoint(name),
            None => Endpoint(F::PATH),
        }
    }
}
