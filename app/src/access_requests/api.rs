//! Server functions of requests for access.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;

#[cfg(feature = "ssr")]
use {
    crate::address::{ACCOUNT, USERS, address_of, same_site},
    crate::notice::Notice,
    crate::rejected::Rejected,
    crate::{formats, request, words},
    domain::access_requests::{AccessRequest, Asking, Waiting, Wanted},
    model::{AccessRequestState, Area, Failure, Permission},
};

/// What the form for asking shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskView {
    /// The permission that is asked for.
    pub(crate) permission: String,
    /// What can be asked for, the id and the label of each permission.
    pub(crate) options: Vec<(String, String)>,
    /// The service or domain that it is about; none for all.
    pub(crate) thing: Option<AskedThing>,
    /// How the newest request for it stands, if there is something to say.
    pub(crate) state: Option<String>,
    /// That request, if it waits for an answer.
    pub(crate) open: Option<String>,
}

/// A service or domain that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedThing {
    /// Whether it is a domain.
    pub(crate) is_domain: bool,
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

/// The form for asking, as a page.
#[server(prefix = "/api", endpoint = "access-requests/ask-page", input = GetUrl)]
pub(crate) async fn ask_page(
    account: String,
    permission: String,
    service: String,
    domain: String,
) -> Result<Page<AskView>, Problem> {
    let wanted = wanted(permission, service, domain);
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let asking = domain::access_requests::asking(latchkey, actor, &wanted).await;
    inside.page(asking.map(ask_view)).await
}

/// What the address asks for; for a form that comes back, what that asked for.
#[cfg(feature = "ssr")]
fn wanted(permission: String, service: String, domain: String) -> Wanted {
    let values = use_context::<Rejected>().map(|back| back.values).unwrap_or_default();
    let or_typed = |asked: String, name: &str| {
        let typed = values.iter().rfind(|(known, _)| known == name);
        match typed {
            Some((_, typed)) if asked.is_empty() => typed.clone(),
            _ => asked,
        }
    };
    Wanted {
        permission: or_typed(permission, "permission"),
        service: or_typed(service, "service"),
        domain: or_typed(domain, "domain"),
        ..Wanted::default()
    }
}

/// The form in words.
#[cfg(feature = "ssr")]
pub(crate) fn ask_view(asking: Asking) -> AskView {
    let Asking { permission, lacking, thing, newest } = asking;
    let open = newest.as_ref().filter(|newest| newest.state == AccessRequestState::Open);
    AskView {
        permission: permission.id().to_owned(),
        options: lacking.into_iter().map(|one| (one.id().to_owned(), words::label(one))).collect(),
        thing: thing.map(|thing| AskedThing {
            is_domain: permission.area() == Area::Domains,
            id: thing.id.to_string(),
            name: thing.name,
        }),
        open: open.map(|open| open.id.to_string()),
        state: newest.as_ref().and_then(|newest| standing(newest, permission)),
    }
}

/// How one's own request stands that brings this permission, if there is something to say: to ask anew
/// is what is left otherwise.
#[cfg(feature = "ssr")]
pub(crate) fn standing(request: &AccessRequest, permission: Permission) -> Option<String> {
    let state = match request.state {
        AccessRequestState::Open => {
            let day = formats::day(request.asked_at);
            match request.told.as_slice() {
                [] => words!(asking.asked, day = day),
                [only] => words!(asking.asked_one, day = day, owner = only.clone()),
                told => words!(asking.asked_many, day = day, owners = words::list(told.to_vec())),
            }
        }
        AccessRequestState::Declined => declined(request),
        AccessRequestState::Given | AccessRequestState::Withdrawn => return None,
    };
    let other = (request.permission != permission).then(|| words::label(request.permission));
    let thing = request.thing.as_ref().map(|thing| thing.name.clone());
    let about: Vec<_> = other.into_iter().chain(thing).collect();
    Some(match about.is_empty() {
        true => state,
        false => words!(asking.on_thing, thing = about.join(", "), state = state),
    })
}

#[cfg(feature = "ssr")]
fn declined(request: &AccessRequest) -> String {
    let day = formats::day(request.answered_at.unwrap_or(request.asked_at));
    let by = request.answered_by.clone().unwrap_or_else(|| words!(asking.somebody));
    match request.words.as_str() {
        "" => words!(asking.declined, day = day, name = by),
        said => words!(asking.declined_words, day = day, name = by, words = said.to_owned()),
    }
}

/// Asks for a permission.
#[server(prefix = "/api", endpoint = "access-requests/ask")]
pub(crate) async fn ask(
    account: String,
    #[server(default)] permission: String,
    #[server(default)] service: String,
    #[server(default)] domain: String,
    #[server(default)] why: String,
    #[server(default)] until: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let wanted = Wanted { permission, service, domain, why, until };
    let client = request::client()?;
    let names = domain::access_requests::ask(latchkey, actor, &wanted, &client).await?;
    request::done(&leading_to(&inside, &next), Notice::AccessAsked { names });
    Ok(())
}

/// Takes one's own request back.
#[server(prefix = "/api", endpoint = "access-requests/withdraw")]
pub(crate) async fn withdraw(
    account: String,
    request: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    domain::access_requests::withdraw(latchkey, actor, &request).await?;
    request::done(&leading_to(&inside, &next), Notice::RequestWithdrawn);
    Ok(())
}

/// The page that the reader came from, or else the overview.
#[cfg(feature = "ssr")]
fn leading_to(inside: &request::Inside, next: &str) -> String {
    let overview = || address_of(ACCOUNT, &[&inside.acting.number]);
    same_site(next).map_or_else(overview, str::to_owned)
}

/// What the page for declining shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeclineView {
    /// The request.
    pub(crate) request: String,
    /// Who asks, by name.
    pub(crate) name: String,
    /// What for, and on which thing.
    pub(crate) what: String,
    /// Until when, if there is an end.
    pub(crate) until: Option<String>,
    /// Why.
    pub(crate) why: String,
}

/// The page for declining a request.
#[server(prefix = "/api", endpoint = "access-requests/decline-page", input = GetUrl)]
pub(crate) async fn decline_page(
    account: String,
    request: String,
) -> Result<Page<DeclineView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let found = domain::access_requests::find(latchkey, actor, &request).await;
    inside.page(found.map(decline_view)).await
}

#[cfg(feature = "ssr")]
fn decline_view(waiting: Waiting) -> DeclineView {
    let what = crate::users::requests::what(&waiting);
    let request = waiting.request;
    DeclineView {
        request: request.id.to_string(),
        name: request.person.full_name,
        what,
        until: request.until.map(formats::end),
        why: request.why,
    }
}

/// Declines a request.
#[server(prefix = "/api", endpoint = "access-requests/decline")]
pub(crate) async fn decline(
    account: String,
    request: String,
    #[server(default)] words: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let name = domain::access_requests::decline(latchkey, actor, &request, &words, &client).await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::RequestDeclined { name });
    Ok(())
}

/// What the reader asks for on a page that is refused for the lack of a permission; none for what
/// can't be asked for.
#[cfg(feature = "ssr")]
pub(crate) async fn instead(
    inside: &request::Inside,
    failure: &Failure,
) -> Result<Option<AskView>, Failure> {
    let Failure::NotAllowed(permission) = failure else { return Ok(None) };
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let wanted = Wanted { permission: permission.id().to_owned(), ..Wanted::default() };
    match domain::access_requests::asking(latchkey, actor, &wanted).await {
        Ok(asking) => Ok(Some(ask_view(asking))),
        Err(Failure::Conflict(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
