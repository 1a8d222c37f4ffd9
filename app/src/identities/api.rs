//! Server functions of signing in with an identity provider.

use domain::identities::{Arrived, Linked, Offered};
use domain::identity_providers::Returned;
use domain::sessions::SignedIn;
use domain::viewer::Viewer;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{AccountNumber, Conflict, Failure, Secret, Timestamp};

use crate::address::{
    ACCOUNT, ACCOUNTS, IDENTITY, JOIN, LINK, ONWARD, SECOND_FACTOR, SECURITY, SIGN_IN, address_of,
    same_site, sign_in_for,
};
use crate::identities::{Choice, LinkedRow, LinkedView, StepView};
use crate::notice::Notice;
use crate::page::Page;
use crate::problem::Problem;
use crate::request;
use crate::when::Moment;

/// The identity providers that a reader may sign in with.
pub(crate) fn choices() -> Result<Vec<Choice>, Failure> {
    let latchkey = request::latchkey()?;
    let all = latchkey.identity_providers.all().iter();
    let choice = |provider: &domain::identity_providers::IdentityProvider| Choice {
        id: provider.id.clone(),
        words: words!(identity.sign_in_with, provider = provider.name.clone()),
    };
    Ok(all.map(choice).collect())
}

/// The identity that this browser came back with and may link.
pub(crate) async fn offered_here() -> Result<Option<Offered>, Failure> {
    let Some((token, _)) = request::identity_way() else { return Ok(None) };
    match domain::identities::offered(&request::latchkey()?, &token).await {
        Ok(offered) => Ok(Some(offered)),
        Err(Failure::Conflict(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Leads on to an identity provider, and from there to where the reader was heading.
#[server(prefix = "/api", endpoint = "sign-in/with")]
pub(crate) async fn sign_in_with(
    #[server(default)] provider: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let token = domain::identities::begin(&latchkey, &provider, &client).await?;
    request::keep_identity_way(&token, same_site(&next).unwrap_or(ACCOUNTS));
    request::redirect(ONWARD);
    Ok(())
}

/// The page on the way to an identity provider.
#[server(prefix = "/api", endpoint = "sign-in/onward-page", input = GetUrl)]
pub(crate) async fn onward_page() -> Result<Page<StepView>, Problem> {
    let over = Failure::Conflict(Conflict::SignInOver);
    let onward = match request::identity_way() {
        Some((token, _)) => domain::identities::onward(&request::latchkey()?, &token).await,
        None => Err(over.clone()),
    };
    let view = match onward {
        Ok((provider, address)) => {
            request::refresh(address.expose());
            StepView {
                heading: words!(identity.onward_heading, provider = provider.clone()),
                lead: words!(identity.onward_lead, provider = provider),
                words: words!(second_factor.button),
                href: Some(address.expose().to_owned()),
                back: Some((words!(form.cancel), SIGN_IN.to_owned())),
                about: String::new(),
            }
        }
        Err(failure) if failure == over => begin_anew(ACCOUNTS),
        Err(failure) => return Err(failure.into()),
    };
    request::plain_page(None, view).await
}

/// What is shown in place of a sign-in that is over.
fn begin_anew(next: &str) -> StepView {
    StepView {
        heading: words!(sign_in.heading),
        lead: words!(failure.sign_in_over),
        words: words!(second_factor.again),
        href: Some(sign_in_for(next)),
        back: None,
        about: String::new(),
    }
}

/// Takes a browser that comes back from an identity provider.
#[server(prefix = "/api", endpoint = "sign-in/arrive")]
pub(crate) async fn arrive(
    #[server(default)] code: Option<String>,
    #[server(default)] state: Option<String>,
    #[server(default)] iss: Option<String>,
    #[server(default)] error: Option<String>,
    #[server(default)] account: Option<String>,
) -> Result<(), Problem> {
    let (latchkey, client, before) = (request::latchkey()?, request::client()?, request::session());
    let account = match account.map(|number| number.parse()) {
        Some(Err(_)) => return Err(Failure::NotFound.into()),
        Some(Ok(number)) => Some(number),
        None => None,
    };
    let viewer = request::viewer_if_any()?;
    let over = Failure::Conflict(Conflict::SignInOver);
    let Some((token, next)) = request::identity_way() else {
        return again(viewer.is_some(), account).map_err(Problem::from);
    };
    let (code, state) = (code.map(Secret::from), state.map(Secret::from));
    let returned = Returned { code, state, iss, error, account };
    let present = viewer.as_ref().zip(before.as_ref());
    let arrived = domain::identities::arrive(&latchkey, &token, &returned, &client, present).await;
    let arrived = match arrived {
        Ok(arrived) => arrived,
        Err(failure) => {
            // Loaded once more: what it came to may still be there.
            if failure != over || offered_here().await?.is_none() {
                return Err(failure.into());
            }
            Arrived::Offered(token)
        }
    };
    match arrived {
        Arrived::SignedIn(SignedIn::Wholly(begun), only) => {
            request::end_identity_way();
            request::begin_session(&begun)?;
            request::redirect(&inside(&next, only));
        }
        Arrived::SignedIn(SignedIn::HalfWay(sign_in), only) => {
            request::end_identity_way();
            request::ask_for_second_factor(&sign_in, &inside(&next, only));
        }
        Arrived::Vouched(account, provider) => {
            request::end_identity_way();
            request::done(&inside(&next, Some(account)), Notice::IdentityVouched { provider });
        }
        Arrived::Waits(link) => {
            request::end_identity_way();
            request::redirect(&address_of(JOIN, &[&link.secret().expose()]));
        }
        Arrived::Offered(offer) => {
            request::keep_identity_way(&offer, &next);
            let offered = domain::identities::offered(&latchkey, &offer).await?;
            match viewer {
                Some(viewer) if viewer.email == offered.email => request::redirect(LINK),
                _ => request::redirect(&sign_in_for(LINK)),
            }
        }
    }
    Ok(())
}

/// Leads on who comes back once more, as when a page is loaded again, after the way was over: to what
/// it came to the first time.
fn again(signed_in: bool, account: Option<AccountNumber>) -> Result<(), Failure> {
    if signed_in {
        request::redirect(&inside(ACCOUNTS, account));
    } else if request::sign_in().is_some() {
        request::redirect(SECOND_FACTOR);
    } else {
        return Err(Failure::Conflict(Conflict::SignInOver));
    }
    Ok(())
}

/// Where somebody goes who reaches this account alone.
fn inside(next: &str, only: Option<AccountNumber>) -> String {
    match only {
        Some(number) if next == ACCOUNTS => address_of(ACCOUNT, &[&number]),
        _ => next.to_owned(),
    }
}

/// The page that asks whether the identity shall open the reader's login.
#[server(prefix = "/api", endpoint = "sign-in/link-page", input = GetUrl)]
pub(crate) async fn link_page() -> Result<Page<StepView>, Problem> {
    let viewer = request::signed_in()?;
    let view = match offered_here().await? {
        Some(offered) => link_view(offered, &viewer),
        None => begin_anew(ACCOUNTS),
    };
    request::plain_page(Some(&viewer), view).await
}

fn link_view(offered: Offered, viewer: &Viewer) -> StepView {
    let Offered { provider, email, account } = offered;
    let theirs = viewer.email == email;
    let heading = words!(identity.link_heading, provider = provider.clone());
    let next = request::identity_way().map(|(_, next)| next).unwrap_or_default();
    let back = Some((words!(identity.not_now), next));
    let email = email.to_string();
    if theirs {
        StepView {
            heading,
            lead: match account {
                Some(account) => words!(
                    identity.link_account_lead,
                    provider = provider.clone(),
                    email = email,
                    account = account
                ),
                None => words!(identity.link_lead, provider = provider.clone(), email = email),
            },
            words: words!(identity.link_button, provider = provider),
            href: None,
            back,
            about: String::new(),
        }
    } else {
        let other = viewer.email.to_string();
        StepView {
            heading,
            lead: words!(
                identity.link_other,
                provider = provider,
                email = email.clone(),
                other = other
            ),
            words: words!(identity.link_sign_in, email = email),
            href: Some(sign_in_for(LINK)),
            back,
            about: String::new(),
        }
    }
}

/// Links the identity that this browser came back with to the reader's login.
#[server(prefix = "/api", endpoint = "sign-in/link")]
pub(crate) async fn link_identity() -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let (token, next) = request::identity_way().ok_or(Failure::Conflict(Conflict::SignInOver))?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let provider = domain::identities::link(&latchkey, &viewer, &session, &token, &client).await?;
    request::end_identity_way();
    request::done(&next, Notice::IdentityLinked { provider });
    Ok(())
}

/// The identities that open the reader's login.
pub(crate) async fn linked(viewer: &Viewer) -> Result<LinkedView, Failure> {
    let latchkey = request::latchkey()?;
    let now = latchkey.now();
    let moment = |at: Timestamp| Moment::new(at, now);
    let row = |one: Linked| LinkedRow {
        unlink: (
            words!(identity.unlink),
            words!(identity.unlink_of, provider = one.provider.clone(), email = one.email.clone()),
        ),
        provider: one.provider,
        email: one.email,
        since: moment(one.since),
        last_used: one.last_used_at.map(moment),
        href: address_of(IDENTITY, &[&one.id]),
    };
    let rows = domain::identities::linked(&latchkey, viewer).await?.into_iter().map(row);
    Ok(LinkedView {
        caption: words!(identity.caption),
        columns: vec![
            words!(identity.provider),
            words!(security.app_since),
            words!(security.app_used),
            words!(users.actions),
        ],
        rows: rows.collect(),
    })
}

/// The page that asks whether an identity shall open the reader's login no more.
#[server(prefix = "/api", endpoint = "security/unlink-page", input = GetUrl)]
pub(crate) async fn unlink_page(identity: String) -> Result<Page<StepView>, Problem> {
    let viewer = request::signed_in()?;
    let latchkey = request::latchkey()?;
    let linked = domain::identities::linked_one(&latchkey, &viewer, &identity).await?;
    let view = StepView {
        heading: words!(identity.unlink_heading, provider = linked.provider.clone()),
        lead: match (linked.provider, linked.email) {
            (provider, email) if linked.accounts => {
                words!(identity.unlink_account_lead, provider = provider, email = email)
            }
            (provider, email) => {
                words!(identity.unlink_lead, provider = provider, email = email)
            }
        },
        words: words!(identity.unlink),
        href: None,
        back: Some((words!(form.cancel), SECURITY.to_owned())),
        about: identity,
    };
    request::own_page(&viewer, view).await
}

/// Has an identity open the reader's login no more.
#[server(prefix = "/api", endpoint = "security/unlink")]
pub(crate) async fn unlink(about: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let provider =
        domain::identities::unlink(&latchkey, &viewer, &session, &about, &client).await?;
    request::done(SECURITY, Notice::IdentityUnlinked { provider });
    Ok(())
}
