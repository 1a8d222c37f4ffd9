//! Server functions of extra access.

// Not on the functions: what `#[server]` makes of them in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each field")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::PermissionSet;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::page::Page;
use crate::problem::Problem;
use crate::rejected::Rejected;
use crate::typed::Typed;
use crate::users::bounds::BoundsView;
use crate::users::starts::StartsView;

#[cfg(feature = "ssr")]
use {
    crate::address::{EXTRA, address_of},
    crate::endpoint::endpoint,
    crate::eyes::{self, LOOK},
    crate::notice::Notice,
    crate::request,
    crate::users::api::{bounds_view, come_back_if_asked, manage_path, saved_notice, sought},
    crate::users::extra::NEW,
    crate::users::list::api::person,
    crate::users::permission_groups::chosen,
    crate::users::starts::server as starts,
    domain::giving::{Start, Wished},
    domain::users::{Managed, Member},
    model::Failure,
};

/// What the form for extra access needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtraView {
    /// Whose it is, or will be.
    pub(crate) person: PersonView,
    /// Which one is changed; none for a new one.
    pub(crate) changed: Option<ChangedView>,
    /// The permissions that are given by now.
    pub(crate) granted: PermissionSet,
    /// Those that are ticked to begin with.
    pub(crate) ticked: PermissionSet,
    /// What else it can begin with.
    pub(crate) starts: StartsView,
    /// What the reader can give and take.
    pub(crate) held: PermissionSet,
    /// On what it can be given, and until when.
    pub(crate) bounds: BoundsView,
    /// The request that it answers; empty for none.
    pub(crate) request: String,
    /// What was typed before one looked what it would give.
    pub(crate) back: Option<Rejected>,
}

/// Extra access that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangedView {
    /// The grant.
    pub(crate) grant: String,
    /// What the form is made of, for comparing when it is saved.
    pub(crate) before: String,
}

/// The form for extra access: for some that is there, or for new, which may answer a request.
#[server(prefix = "/api", endpoint = "users/extra-page", input = GetUrl)]
pub(crate) async fn extra_page(
    account: String,
    user: String,
    grant: String,
    request: String,
    #[server(default)] draft: String,
) -> Result<Page<ExtraView>, Problem> {
    let rejected = use_context::<Rejected>();
    let inside = request::inside(&account).await?;
    let content = match grant.as_str() {
        NEW => new_view(&inside, &user, request, rejected, &draft).await,
        grant => changed_view(&inside, (&user, grant), rejected, &draft).await,
    };
    inside.page(content).await
}

/// The request that a form which comes back answers, or else the one in the address. What is longer
/// than an id is none.
#[cfg(feature = "ssr")]
fn answered(asked: String, back: Option<&Rejected>) -> String {
    const LONGEST: usize = 36;
    let values = back.map(|back| back.values.as_slice()).unwrap_or_default();
    let answered = values.iter().find(|(name, _)| name == "request");
    let request = answered.map_or(asked, |(_, request)| request.clone());
    Some(request).filter(|request| request.len() <= LONGEST).unwrap_or_default()
}

/// What the form begins with that answers this request of a user; one that is over asks for nothing.
#[cfg(feature = "ssr")]
async fn start_of(
    inside: &request::Inside,
    receiver: &Member,
    request: &str,
) -> Result<Start, Failure> {
    if request.is_empty() {
        return Ok(Start::default());
    }
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    match domain::access_requests::start(latchkey, actor, receiver.user, request).await {
        Err(Failure::NotFound) => Ok(Start::default()),
        start => start,
    }
}

#[cfg(feature = "ssr")]
async fn new_view(
    inside: &request::Inside,
    user: &str,
    request: String,
    rejected: Option<Rejected>,
    draft: &str,
) -> Result<ExtraView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let receiver = domain::extras::receiver(latchkey, actor, user).await?;
    let (form, page) = (endpoint::<GiveExtra>(), extra_path(inside, user, NEW));
    let back = eyes::came_back(inside, rejected.as_ref(), form, &page, draft).await?;
    let last = rejected.as_ref().or(back.as_ref());
    let (request, sought) = (answered(request, last), sought(last));
    let start = start_of(inside, &receiver, &request).await?;
    let (begun, sought) = starts::begun(inside, &sought).await?;
    let bounds = domain::giving::bounds_of_new(latchkey, actor, &start, &sought).await?;
    let held = actor.open();
    Ok(ExtraView {
        person: person(&receiver),
        starts: starts::offer(inside, Some(receiver.user), begun).await?,
        changed: None,
        granted: PermissionSet::EMPTY,
        ticked: start.terms.permissions.intersection(held),
        held,
        bounds: bounds_view(bounds, actor),
        request,
        back,
    })
}

#[cfg(feature = "ssr")]
async fn changed_view(
    inside: &request::Inside,
    (user, grant): (&str, &str),
    rejected: Option<Rejected>,
    draft: &str,
) -> Result<ExtraView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (form, page) = (endpoint::<ChangeExtra>(), extra_path(inside, user, grant));
    let back = eyes::came_back(inside, rejected.as_ref(), form, &page, draft).await?;
    let sought = sought(rejected.as_ref().or(back.as_ref()));
    let managed = domain::extras::manage(latchkey, actor, user, grant, &sought).await?;
    let Managed { member, granted, changeable, bounds, made_of } = managed;
    Ok(ExtraView {
        person: person(&member),
        back: back.map(|back| back.made_of(&made_of)),
        changed: Some(ChangedView { grant: grant.to_owned(), before: made_of }),
        granted,
        ticked: granted,
        starts: StartsView::default(),
        held: changeable,
        bounds: bounds_view(bounds.ok_or(Failure::NotFound)?, actor),
        request: String::new(),
    })
}

/// The address of the form for this extra access of a user's, or for new.
#[cfg(feature = "ssr")]
fn extra_path(inside: &request::Inside, user: &str, grant: &str) -> String {
    address_of(EXTRA, &[&inside.acting.number, &user, &grant])
}

/// Gives somebody extra access.
#[server(prefix = "/api", endpoint = "users/give-extra")]
pub(crate) async fn give_extra(
    account: String,
    user: String,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] areas: Vec<String>,
    #[server(default)] areas_before: Vec<String>,
    #[server(default)] services: Typed,
    #[server(default)] service: Vec<String>,
    #[server(default)] domains: Typed,
    #[server(default)] domain: Vec<String>,
    #[server(default)] until: Typed,
    #[server(default)] why: Typed,
    #[server(default)] show: String,
) -> Result<(), Problem> {
    come_back_if_asked(&show)?;
    let inside = eyes::inside_to_give(&account, &show).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let wished = Wished {
        permissions: chosen(&permissions, &areas, &areas_before, actor.open()),
        services: services.0,
        service,
        domains: domains.0,
        domain,
        until: until.0,
        why: why.0,
    };
    if show == LOOK {
        let unsent = eyes::unsent(&wished, None, extra_path(&inside, &user, NEW))?;
        let (viewer, acting) = (&inside.viewer, &inside.acting);
        let token =
            domain::eyes::begin_with_extra(latchkey, viewer, acting, &user, &unsent).await?;
        eyes::begun(&inside, &token);
        return Ok(());
    }
    let client = request::client()?;
    let given = domain::extras::give(latchkey, actor, &user, &wished, &client).await?;
    let path = manage_path(&inside, &given);
    request::done(&path, Notice::ExtraGiven { name: given.full_name });
    Ok(())
}

/// Changes extra access of somebody.
#[server(prefix = "/api", endpoint = "users/change-extra")]
pub(crate) async fn change_extra(
    account: String,
    user: String,
    grant: String,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] areas: Vec<String>,
    #[server(default)] areas_before: Vec<String>,
    #[server(default)] services: Typed,
    #[server(default)] service: Vec<String>,
    #[server(default)] domains: Typed,
    #[server(default)] domain: Vec<String>,
    #[server(default)] until: Typed,
    #[server(default)] why: Typed,
    #[server(default)] show: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    come_back_if_asked(&show)?;
    let inside = eyes::inside_to_give(&account, &show).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let held = domain::extras::changeable(latchkey, actor, &user, &grant).await?;
    let wished = Wished {
        permissions: chosen(&permissions, &areas, &areas_before, held),
        services: services.0,
        service,
        domains: domains.0,
        domain,
        until: until.0,
        why: why.0,
    };
    let before = before.as_deref();
    if show == LOOK {
        let unsent = eyes::unsent(&wished, before, extra_path(&inside, &user, &grant))?;
        let (viewer, acting) = (&inside.viewer, &inside.acting);
        let meant = (user.as_str(), Some(grant.as_str()));
        let token =
            domain::eyes::begin_with_change(latchkey, viewer, acting, meant, &unsent).await?;
        eyes::begun(&inside, &token);
        return Ok(());
    }
    let (meant, client) = ((user.as_str(), grant.as_str()), request::client()?);
    let saved = domain::extras::change(latchkey, actor, meant, &wished, before, &client).await?;
    let path = manage_path(&inside, &saved.member);
    request::done(&path, saved_notice(saved));
    Ok(())
}

/// Takes extra access back from somebody.
#[server(prefix = "/api", endpoint = "users/take-back")]
pub(crate) async fn take_back(
    account: String,
    user: String,
    grant: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (meant, client) = ((user.as_str(), grant.as_str()), request::client()?);
    let before = before.as_deref();
    let taken = domain::extras::take_back(latchkey, actor, meant, before, &client).await?;
    let path = manage_path(&inside, &taken);
    request::done(&path, Notice::ExtraTakenBack { name: taken.full_name });
    Ok(())
}
