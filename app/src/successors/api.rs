//! Server functions of successors.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;

#[cfg(feature = "ssr")]
use {
    crate::address::{OWNER_CHANGE, SUCCESSOR, TAKE_OVER, USERS, address_of},
    crate::notice::Notice,
    crate::{formats, request},
    domain::successors::{Naming, Successor},
    model::{Failure, WaitDays},
};

/// What the page for naming a successor shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameView {
    /// The one until now; none if there is none.
    pub(crate) successor: Option<SuccessorView>,
    /// Who could be it: the id of each, and name and address.
    pub(crate) offered: Vec<(String, String)>,
    /// Whether there is more than the list holds, so that searching helps.
    pub(crate) many: bool,
    /// What was searched for.
    pub(crate) search: String,
    /// How many days they wait: as many as until now.
    pub(crate) days: String,
    /// How many there can be, in a sentence.
    pub(crate) days_hint: String,
}

/// The successor that an account has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SuccessorView {
    /// Their id.
    pub(crate) user: String,
    /// Their name.
    pub(crate) name: String,
    /// Since when, in a sentence.
    pub(crate) since: String,
    /// That they can't ask for the account at this moment, in a sentence.
    pub(crate) closed: Option<String>,
}

/// What the page for taking the account over shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakeOverView {
    /// When they become an owner who ask for it now, in a sentence.
    pub(crate) when: String,
    /// The page about what they asked for already, or were asked.
    pub(crate) asked: Option<String>,
}

/// The page for naming a successor.
#[server(prefix = "/api", endpoint = "successors/name-page", input = GetUrl)]
pub(crate) async fn name_page(account: String, search: String) -> Result<Page<NameView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let naming = domain::successors::naming(latchkey, actor, &search).await;
    inside.page(naming.map(|naming| name_view(naming, search))).await
}

#[cfg(feature = "ssr")]
fn name_view(naming: Naming, search: String) -> NameView {
    let Naming { successor, offered, more } = naming;
    let label = |name: &str, email: &model::EmailAddress| format!("{name} ({email})");
    let mut choice: Vec<_> = offered
        .iter()
        .map(|member| (member.user.to_string(), label(&member.full_name, &member.email)))
        .collect();
    if let Some((Successor { user, person, .. }, _)) = &successor {
        let user = user.to_string();
        // Also when the search finds others, or they are paused: other days can be chosen.
        if choice.iter().all(|(known, _)| *known != user) {
            choice.insert(0, (user, label(&person.full_name, &person.email)));
        }
    }
    let wait = successor.as_ref().map_or_else(WaitDays::default, |(successor, _)| successor.wait);
    NameView {
        successor: successor.map(successor_view),
        offered: choice,
        many: more || !search.trim().is_empty(),
        search,
        days: wait.number().to_string(),
        days_hint: words!(successor.wait_days_hint, least = WaitDays::LEAST, most = WaitDays::MOST),
    }
}

#[cfg(feature = "ssr")]
fn successor_view((successor, able): (Successor, bool)) -> SuccessorView {
    let Successor { user, person, named_by, named_at, .. } = successor;
    let (name, day) = (person.full_name, formats::own_day(named_at));
    let since = match named_by {
        Some(by) => words!(successor.since_by, name = name.clone(), day = day, by = by),
        None => words!(successor.since, name = name.clone(), day = day),
    };
    let closed = (!able).then(|| words!(successor.closed, name = name.clone()));
    SuccessorView { user: user.to_string(), name, since, closed }
}

/// Names a successor, or has the one that there is wait other days.
#[server(prefix = "/api", endpoint = "successors/name")]
pub(crate) async fn name(
    account: String,
    #[server(default)] successor: String,
    #[server(default)] wait_days: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let named = domain::successors::name(latchkey, actor, &successor, &wait_days, &client).await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::SuccessorNamed { name: named.full_name });
    Ok(())
}

/// Has the account have no successor any more.
#[server(prefix = "/api", endpoint = "successors/remove")]
pub(crate) async fn remove(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let name = domain::successors::remove(latchkey, actor, &request::client()?).await?;
    let page = address_of(SUCCESSOR, &[&inside.acting.number]);
    request::done(&page, Notice::SuccessorRemoved { name });
    Ok(())
}

/// The page for taking the account over, for its successor alone.
#[server(prefix = "/api", endpoint = "successors/take-over-page", input = GetUrl)]
pub(crate) async fn take_over_page(account: String) -> Result<Page<TakeOverView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = take_over_view(&inside).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn take_over_view(inside: &request::Inside) -> Result<TakeOverView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let wait = domain::successors::own(latchkey, actor).await?.ok_or(Failure::NotFound)?;
    let asked = domain::owner_changes::own(latchkey, actor).await?;
    let day = formats::own_day(latchkey.now().after(wait.span()));
    let number = inside.acting.number;
    Ok(TakeOverView {
        when: words!(successor.take_when, days = wait.number(), day = day),
        asked: asked.map(|change| address_of(OWNER_CHANGE, &[&number, &change.id])),
    })
}

/// Where the reader asks for the account that they are the successor of, if they are and it is open to
/// them at present; none once they asked for it.
#[cfg(feature = "ssr")]
pub(crate) async fn way_to_take_over(inside: &request::Inside) -> Result<Option<String>, Failure> {
    let own = domain::successors::own(&inside.latchkey, &inside.acting.actor).await?;
    Ok(own.map(|_| address_of(TAKE_OVER, &[&inside.acting.number])))
}

/// Asks for the account.
#[server(prefix = "/api", endpoint = "successors/take-over")]
pub(crate) async fn take_over(account: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let id = domain::successors::take_over(latchkey, actor, &request::client()?).await?;
    let page = address_of(OWNER_CHANGE, &[&inside.acting.number, &id]);
    request::done(&page, Notice::TakeoverAsked { account: inside.acting.name });
    Ok(())
}

/// Says that an owner is here, so that nobody takes the account over.
#[server(prefix = "/api", endpoint = "successors/answer")]
pub(crate) async fn answer(account: String, change: String) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let answered = domain::successors::answer(latchkey, actor, &change, &client).await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::TakeoverAnswered { name: answered.person.full_name });
    Ok(())
}
