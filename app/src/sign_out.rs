//! Signing out: a form on all pages.

use leptos::prelude::*;

use crate::problem::Problem;
#[cfg(feature = "ssr")]
use {
    crate::address::{SIGN_IN, same_site},
    crate::notice::Notice,
    crate::request,
};

/// Signs out, here or on the way to an invitation.
#[server(prefix = "/api", endpoint = "sign-out")]
pub(crate) async fn sign_out(#[server(default)] next: String) -> Result<(), Problem> {
    let latchkey = request::latchkey()?;
    if let Some(session) = request::session() {
        domain::sessions::sign_out(&latchkey, &session).await?;
    }
    request::end_session();
    match same_site(&next) {
        Some(next) => request::redirect(next),
        None => request::done(SIGN_IN, Notice::SignedOut),
    }
    Ok(())
}
