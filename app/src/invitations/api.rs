//! Server functions of answering an invitation.

use domain::invitations::{Asks, Joined, JoinedAccount};
use domain::sessions::Begun;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::Failure;
use serde::{Deserialize, Serialize};

use crate::address::{ACCOUNT, JOIN, address_of};
use crate::identities::Choice;
use crate::notice::Notice;
use crate::page::Page;
use crate::problem::{Problem, set_status};
use crate::request;
use crate::when::server::exact;
use crate::{formats, words};

/// What the page of an invitation shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum JoinView {
    /// It can be accepted.
    Open(Box<OpenInvitation>),
    /// It can't; this is why.
    Dead(Dead),
}

/// An invitation that can be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenInvitation {
    /// The link's token.
    pub(crate) token: String,
    /// The invited address.
    pub(crate) email: String,
    /// The account's name.
    pub(crate) account: String,
    /// The inviter's name; none for the provider.
    pub(crate) inviter: Option<String>,
    /// Their address, in a sentence: names can be chosen freely.
    pub(crate) address: Option<String>,
    /// What joining opens, in a sentence.
    pub(crate) opens: String,
    /// That they become an owner besides, and when, in a sentence.
    pub(crate) owner: Option<String>,
    /// For whom it is, and until when it can be accepted, in a sentence.
    pub(crate) until: String,
    /// What the provider calls them; empty if it doesn't say.
    pub(crate) called: String,
    /// What is asked of the reader.
    pub(crate) step: Step,
}

/// What joining takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// A name and a password.
    NewLogin,
    /// The password of the login that there is, or somebody else whom the reader signs in with.
    Password(Vec<Choice>),
    /// A yes.
    Yes,
    /// Signing out: this other address is signed in.
    OtherUser(String),
}

/// Why an invitation can't be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Dead {
    /// It was used.
    Accepted,
    /// The invited person said no.
    Declined,
    /// It was taken back.
    Cancelled,
    /// Its time ran out.
    Expired,
    /// A newer link replaced this one.
    Replaced,
    /// The link isn't known.
    Unknown,
    /// The inviter may no longer grant any of it.
    NothingLeft,
    /// The account takes in only addresses of other domains.
    OtherDomain,
    /// The reader's login is in the account already.
    InAccount,
    /// The invited address was a login's until lately, and may become it again.
    Held,
    /// The link is too old, or there is a newer one: what it led to waits on.
    Over,
}

/// The page of an invitation. Opening it changes nothing.
#[server(prefix = "/api", endpoint = "invitations/page", input = GetUrl)]
pub(crate) async fn join_page(token: String) -> Result<Page<JoinView>, Problem> {
    let viewer = request::viewer_if_any()?;
    let latchkey = request::latchkey()?;
    let view = match domain::invitations::open(&latchkey, &token, viewer.as_ref()).await {
        Ok(opened) => {
            let other = viewer.as_ref().map(|viewer| viewer.email.to_string());
            let step = match opened.asks {
                Asks::NewLogin => Step::NewLogin,
                Asks::Password => Step::Password(crate::identities::choices()?),
                Asks::Yes => Step::Yes,
                Asks::OtherUser => Step::OtherUser(other.unwrap_or_default()),
            };
            let email = opened.email.to_string();
            let until = match opened.waits {
                true => {
                    words!(join.link_until, email = email.clone(), when = exact(opened.expires_at))
                }
                false => {
                    let when = formats::end(opened.expires_at);
                    words!(join.until, email = email.clone(), when = when)
                }
            };
            JoinView::Open(Box::new(OpenInvitation {
                token,
                email,
                until,
                called: opened.called,
                account: opened.account_name,
                inviter: opened.inviter_name,
                address: opened
                    .inviter_email
                    .map(|email| words!(join.by_address, email = email.to_string())),
                opens: words::access_after_joining(&opened.access.outline()),
                owner: opened.owner_from.map(|from| words!(join.owner, when = exact(from))),
                step,
            }))
        }
        Err(failure) => JoinView::Dead(dead(failure)?),
    };
    request::plain_page(viewer.as_ref(), view).await
}

/// What a dead link's page says; its status says the same to programs.
fn dead(failure: Failure) -> Result<Dead, Problem> {
    use model::{Conflict, InvitationState};
    let dead = match &failure {
        Failure::NotFound => Dead::Unknown,
        Failure::Conflict(Conflict::Invitation(state)) => match state {
            InvitationState::Declined => Dead::Declined,
            InvitationState::Cancelled => Dead::Cancelled,
            InvitationState::Expired => Dead::Expired,
            InvitationState::Accepted | InvitationState::Pending => Dead::Accepted,
        },
        Failure::Conflict(Conflict::LinkReplaced) => Dead::Replaced,
        Failure::Conflict(Conflict::LinkSpent) => Dead::Over,
        Failure::Conflict(Conflict::NothingLeftToGrant) => Dead::NothingLeft,
        Failure::Conflict(Conflict::OtherDomain) => Dead::OtherDomain,
        Failure::Conflict(Conflict::AlreadyInAccount) => Dead::InAccount,
        Failure::Conflict(Conflict::AddressHeld) => Dead::Held,
        _ => return Err(failure.into()),
    };
    match dead {
        Dead::Unknown => set_status(&failure),
        _ => request::gone(),
    }
    Ok(dead)
}

/// Creates a login and joins with it.
#[server(prefix = "/api", endpoint = "invitations/join-with-new-login")]
pub(crate) async fn join_with_new_login(
    token: String,
    #[server(default)] full_name: String,
    #[server(default)] password: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let joined =
        domain::invitations::join_with_new_login(&latchkey, &token, &full_name, &password, &client);
    let (account, begun) = joined.await?;
    welcome(&begun, account).await
}

/// Signs in and joins.
#[server(prefix = "/api", endpoint = "invitations/join-with-password")]
pub(crate) async fn join_with_password(
    token: String,
    #[server(default)] password: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let joined = domain::invitations::join_with_password(&latchkey, &token, &password, &client);
    match joined.await? {
        Joined::Wholly(account, begun) => welcome(&begun, account).await,
        Joined::HalfWay(sign_in) => {
            request::ask_for_second_factor(&sign_in, &address_of(JOIN, &[&token]));
            Ok(())
        }
    }
}

async fn welcome(begun: &Begun, account: JoinedAccount) -> Result<(), Problem> {
    let latchkey = request::latchkey()?;
    // The browser has one session: who was signed in with it before isn't any more.
    if let Some(before) = request::session() {
        domain::sessions::sign_out(&latchkey, &before).await?;
    }
    request::begin_session(begun)?;
    lead_into(account);
    Ok(())
}

fn lead_into(JoinedAccount { number, name }: JoinedAccount) {
    request::done(&address_of(ACCOUNT, &[&number]), Notice::Joined { account: name });
}

/// Joins as the user who is signed in.
#[server(prefix = "/api", endpoint = "invitations/join")]
pub(crate) async fn join(token: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    lead_into(domain::invitations::join_signed_in(&latchkey, &token, &viewer, &client).await?);
    Ok(())
}

/// Declines.
#[server(prefix = "/api", endpoint = "invitations/decline")]
pub(crate) async fn decline(token: String) -> Result<(), Problem> {
    domain::invitations::decline(&request::latchkey()?, &token, &request::client()?).await?;
    request::redirect(&address_of(JOIN, &[&token]));
    Ok(())
}

/// Declines, and says that the inviter is unknown.
#[server(prefix = "/api", endpoint = "invitations/report")]
pub(crate) async fn report(token: String) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let account = domain::invitations::report(&latchkey, &token, &client).await?;
    let provider = request::site().provider.clone();
    let notice = Notice::InvitationReported { account, provider };
    request::done(&address_of(JOIN, &[&token]), notice);
    Ok(())
}
