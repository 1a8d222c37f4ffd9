//! Server functions of the reader's profile: name, language, time zone, the address of their login, and deleting
//! it.

use domain::emails::{Asks, Standing};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_i18n::Locale as _;
use model::Failure;
use serde::{Deserialize, Serialize};

use crate::address::{
    EMAIL_LINK, FORGOT, PROFILE, RESET, SIGN_IN, SIGN_OUT, address_of, sign_in_for,
};
use crate::endpoint::{Endpoint, endpoint};
use crate::notice::Notice;
use crate::page::Page;
use crate::problem::Problem;
use crate::request;
use crate::sign_out::SignOut;
use crate::typed::Typed;

/// What a user's own pages show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProfileView {
    /// Their name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
    /// How the address stands, in words.
    pub(crate) email_hint: String,
    /// Their language, or the one that they read this in.
    pub(crate) language: String,
    /// The time zone that they chose; empty if none.
    pub(crate) time_zone: String,
}

/// The reader's own login.
#[server(prefix = "/api", endpoint = "profile/page", input = GetUrl)]
pub(crate) async fn profile_page() -> Result<Page<ProfileView>, Problem> {
    let viewer = request::signed_in()?;
    let email_hint = match domain::emails::standing(&request::latchkey()?, &viewer).await? {
        Standing::Proven => words!(profile.email_hint),
        Standing::Changing(after) => words!(profile.email_changing, email = after.to_string()),
        Standing::Unproven => words!(profile.email_unproven),
    };
    let view = ProfileView {
        name: viewer.full_name.clone(),
        email: viewer.email.to_string(),
        email_hint,
        language: crate::words::locale().as_str().to_owned(),
        time_zone: viewer.time_zone.clone().unwrap_or_default(),
    };
    request::own_page(&viewer, view).await
}

/// Gives the reader another name, and their pages and mails another language and another time zone.
#[server(prefix = "/api", endpoint = "profile/save")]
pub(crate) async fn save_profile(
    full_name: String,
    language: String,
    #[server(default)] time_zone: Typed,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let language = crate::languages::server::known(&language)?;
    let latchkey = request::latchkey()?;
    let zone = time_zone.0.as_deref();
    domain::sessions::change_profile(&latchkey, &viewer, &full_name, &language, zone).await?;
    request::remember_language(&language);
    request::done(PROFILE, Notice::ChangesSaved);
    Ok(())
}

/// Sends a link to the address that the reader wants for their login.
#[server(prefix = "/api", endpoint = "profile/change-email")]
pub(crate) async fn change_email(#[server(default)] email: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let email = domain::emails::ask(&latchkey, &viewer, &email, &client).await?;
    request::done(PROFILE, Notice::EmailAsked { email: email.to_string() });
    Ok(())
}

/// An account that the reader would leave with their login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountLeft {
    /// Its number.
    pub(crate) number: String,
    /// Its name.
    pub(crate) name: String,
    /// "Owner", or the permissions in one line.
    pub(crate) access: String,
    /// What would happen, in a sentence.
    pub(crate) outcome: String,
    /// Whether nobody would own it any more.
    pub(crate) alone: bool,
}

/// What deleting the reader's login would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteLoginView {
    /// Its address.
    pub(crate) email: String,
    /// The accounts that they are in.
    pub(crate) accounts: Vec<AccountLeft>,
}

/// What deleting the reader's login would do.
#[server(prefix = "/api", endpoint = "profile/delete/page", input = GetUrl)]
pub(crate) async fn delete_login_page() -> Result<Page<DeleteLoginView>, Problem> {
    let viewer = request::signed_in()?;
    let latchkey = request::latchkey()?;
    let now = latchkey.now();
    let left = |(account, held): (domain::leaving::LeavingAccount, domain::leaving::Held)| {
        // Each account's days are its own.
        request::in_zone_of(account.time_zone.as_deref());
        let alone = account.would_be_left_alone();
        AccountLeft {
            number: account.number.to_string(),
            access: crate::words::access_line(&held.outline().live(now)),
            outcome: match account.other_owners {
                _ if alone => words!(leaving.alone),
                others if account.owner => words!(leaving.ends_owners, count = others),
                _ => words!(leaving.ends),
            },
            name: account.name,
            alone,
        }
    };
    let accounts = domain::leaving::outlook(&latchkey, &viewer).await?;
    let accounts = accounts.into_iter().map(left).collect();
    request::in_zone_of(None);
    let view = DeleteLoginView { email: viewer.email.to_string(), accounts };
    request::own_page(&viewer, view).await
}

/// Deletes the reader's login.
#[server(prefix = "/api", endpoint = "profile/delete")]
pub(crate) async fn delete_login(#[server(default)] email: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::leaving::delete_login(&latchkey, &viewer, &email, &client).await?;
    request::end_session();
    request::done(SIGN_IN, Notice::LoginDeleted);
    Ok(())
}

/// What the page of a link about an address shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmailLinkView {
    /// Its heading.
    pub(crate) heading: String,
    /// What it is about.
    pub(crate) text: String,
    /// What else comes of it, where an account closes.
    pub(crate) closes: Option<String>,
    /// The words on its button.
    pub(crate) button: String,
    /// What the button sends, and where; none when it is a link.
    pub(crate) form: Option<(EmailForm, String)>,
    /// Where the link leads: on, or from signing out back to here.
    pub(crate) path: String,
    /// The link's token.
    pub(crate) token: String,
}

/// What is done by a link about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EmailForm {
    /// Confirming it.
    Confirm,
    /// Taking a change back.
    Undo,
    /// Signing out, as somebody else is signed in.
    SignOut,
}

impl EmailForm {
    /// Its server function.
    pub(crate) const fn endpoint(self) -> Endpoint {
        match self {
            Self::Confirm => endpoint::<ConfirmEmail>(),
            Self::Undo => endpoint::<UndoEmail>(),
            Self::SignOut => endpoint::<SignOut>(),
        }
    }
}

/// The page of a link about an address. Opening it changes nothing.
#[server(prefix = "/api", endpoint = "email/page", input = GetUrl)]
pub(crate) async fn email_link_page(
    step: String,
    token: String,
) -> Result<Page<EmailLinkView>, Problem> {
    let viewer = request::viewer_if_any()?;
    let latchkey = request::latchkey()?;
    let path = address_of(EMAIL_LINK, &[&step, &token]);
    let view = match step.as_str() {
        "confirm" => {
            let opened = domain::emails::open(&latchkey, &token, viewer.as_ref()).await;
            opened.map(|opened| confirming(&opened, path, token))
        }
        "undo" => domain::emails::open_undo(&latchkey, &token)
            .await
            .map(|(before, after)| undoing(before.as_str(), after.as_str(), path, token)),
        _ => Err(Failure::NotFound),
    };
    let view = match view {
        Ok(view) => view,
        Err(Failure::Conflict(_)) => {
            request::gone();
            spent(step == "undo" && viewer.is_none())
        }
        Err(failure) => return Err(failure.into()),
    };
    request::plain_page(viewer.as_ref(), view).await
}

/// What a link says that does nothing any more. Whoever took a change back is signed out, and has no
/// password until they choose one.
fn spent(taken_back: bool) -> EmailLinkView {
    let (text, button, path) = match taken_back {
        true => (words!(email.undo_spent), words!(sign_in.forgot), FORGOT),
        false => (words!(email.spent), words!(email.to_profile), PROFILE),
    };
    EmailLinkView {
        heading: words!(reset.spent_heading),
        text,
        closes: None,
        button,
        form: None,
        path: path.to_owned(),
        token: String::new(),
    }
}

fn undoing(before: &str, after: &str, path: String, token: String) -> EmailLinkView {
    EmailLinkView {
        heading: words!(email.undo_heading),
        text: words!(email.undo_text, before = before.to_owned(), after = after.to_owned()),
        closes: None,
        button: words!(email.undo_button),
        form: Some((EmailForm::Undo, path.clone())),
        path,
        token,
    }
}

fn confirming(opened: &domain::emails::Opened, path: String, token: String) -> EmailLinkView {
    let (before, after) = (opened.before.to_string(), opened.after.to_string());
    let proves = opened.before == opened.after;
    let text = match opened.asks {
        Asks::Yes if proves => words!(email.prove_text, email = after.clone()),
        Asks::Yes => words!(email.confirm_text, before = before, after = after.clone()),
        Asks::SignIn => words!(email.sign_in_first, email = before),
        Asks::OtherUser => words!(email.other_user, email = before),
    };
    let (button, form, path) = match opened.asks {
        Asks::Yes => {
            let form = Some((EmailForm::Confirm, path.clone()));
            (words!(email.confirm_button, email = after), form, path)
        }
        Asks::SignIn => (words!(sign_in.button), None, sign_in_for(&path)),
        Asks::OtherUser => {
            let form = Some((EmailForm::SignOut, SIGN_OUT.to_owned()));
            (words!(join.other_button), form, path)
        }
    };
    let closes = opened.closes.clone().map(|account| words!(email.closes, account = account));
    let heading = words!(email.confirm_heading);
    EmailLinkView { heading, text, closes, button, form, path, token }
}

/// Confirms an address.
#[server(prefix = "/api", endpoint = "profile/confirm-email")]
pub(crate) async fn confirm_email(token: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let email = domain::emails::confirm(&latchkey, &viewer, &session, &token, &client).await?;
    request::done(PROFILE, Notice::EmailConfirmed { email: email.to_string() });
    Ok(())
}

/// Takes the change of an address back, and goes on to choosing a password.
#[server(prefix = "/api", endpoint = "profile/undo-email")]
pub(crate) async fn undo_email(token: String) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let (email, reset) = domain::emails::undo(&latchkey, &token, &client).await?;
    request::end_session();
    let path = address_of(RESET, &[&reset.secret().expose()]);
    request::done(&path, Notice::EmailUndone { email: email.to_string() });
    Ok(())
}
