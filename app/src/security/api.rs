//! Server functions of a user's own login.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;

#[cfg(feature = "ssr")]
use {crate::page::Notice, crate::request, leptos_i18n::Locale as _};

/// What a user's own pages show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProfileView {
    /// Their name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
    /// Their language, or the one that they read this in.
    pub(crate) language: String,
}

/// The reader's own login.
#[server(prefix = "/api", endpoint = "profile/page", input = GetUrl)]
pub(crate) async fn profile_page() -> Result<Page<ProfileView>, Problem> {
    let viewer = request::signed_in().await?;
    let view = ProfileView {
        name: viewer.full_name.clone(),
        email: viewer.email.to_string(),
        language: crate::words::locale().as_str().to_owned(),
    };
    request::plain_page(Some(&viewer), view).await
}

/// Gives the reader another name, and their pages and mails another language.
#[server(prefix = "/api", endpoint = "profile/save")]
pub(crate) async fn save_profile(full_name: String, language: String) -> Result<(), Problem> {
    let viewer = request::signed_in().await?;
    let language = crate::languages::server::known(&language)?;
    let latchkey = request::latchkey()?;
    domain::sessions::change_profile(&latchkey, &viewer, &full_name, &language).await?;
    request::remember_language(&language);
    request::done("/profile", Notice::ChangesSaved);
    Ok(())
}

/// Changes the reader's password.
#[server(prefix = "/api", endpoint = "security/change-password")]
pub(crate) async fn change_password(
    #[server(default)] password: String,
    #[server(default)] new_password: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in().await?;
    let session = request::session().ok_or(model::Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client());
    domain::passwords::change(&latchkey, &viewer, &password, &new_password, &session, &client)
        .await?;
    request::done("/security", Notice::OwnPasswordChanged);
    Ok(())
}

/// A page without anything of its own.
#[server(prefix = "/api", endpoint = "security/forgot-page", input = GetUrl)]
pub(crate) async fn forgot_page() -> Result<Page<()>, Problem> {
    request::plain_page(None, ()).await
}

/// Sends a link to choose a new password; says the same whether or not there is such a login.
#[server(prefix = "/api", endpoint = "security/request-reset")]
pub(crate) async fn request_reset(#[server(default)] email: String) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client());
    domain::passwords::request_reset(&latchkey, &email, &client).await?;
    request::redirect("/forgot-password/sent");
    Ok(())
}

/// What the page of a reset link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResetView {
    /// The link's token.
    pub(crate) token: String,
    /// Whether the link still works.
    pub(crate) works: bool,
}

/// The page of a reset link. Opening it changes nothing.
#[server(prefix = "/api", endpoint = "security/reset-page", input = GetUrl)]
pub(crate) async fn reset_page(token: String) -> Result<Page<ResetView>, Problem> {
    let works = match domain::passwords::open_reset(&request::latchkey()?, &token).await {
        Ok(_) => true,
        Err(model::Failure::Conflict(_)) => {
            request::gone();
            false
        }
        Err(failure) => return Err(failure.into()),
    };
    request::plain_page(None, ResetView { token, works }).await
}

/// Chooses a new password by a link.
#[server(prefix = "/api", endpoint = "security/reset")]
pub(crate) async fn reset(
    token: String,
    #[server(default)] new_password: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client());
    domain::passwords::choose_by_reset(&latchkey, &token, &new_password, &client).await?;
    request::end_session();
    request::done("/sign-in", Notice::PasswordChanged);
    Ok(())
}
