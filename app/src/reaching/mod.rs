//! Who can reach this? Everybody to whom a service, a domain or a permission is open, and in which way.

pub(crate) mod api;
pub(crate) mod things;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Area, Permission};

use crate::address::{
    DOMAIN, DOMAIN_REACHING, HAVING, MANAGE, SERVICE, SERVICE_REACHING, USERS, address_of,
};
use crate::frame::{AccountFrame, Frame};
use crate::loading::{Loading, framed};
use crate::reaching::api::{ReachingRow, ReachingView};
use crate::title::PageTitle;
use crate::ui::avatar::{Avatar, Email};
use crate::ui::frame::Here;
use crate::ui::table::{Caption, Cell, table};
use crate::words;

/// `/accounts/{n}/services/{id}/access`
pub(crate) struct ServiceReachingPage(Loading<ReachingView>);

#[lazy_route]
impl LazyRoute for ServiceReachingPage {
    fn data() -> Self {
        Self(load!(asked => api::ServiceReachingPage {
            account: asked.account(),
            service: asked.part("service"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            page(view, frame, SERVICE_REACHING, |number, view| {
                (address_of(SERVICE, &[&number, &view.id]), view.name.clone())
            })
        })
    }
}

/// `/accounts/{n}/domains/{id}/access`
pub(crate) struct DomainReachingPage(Loading<ReachingView>);

#[lazy_route]
impl LazyRoute for DomainReachingPage {
    fn data() -> Self {
        Self(load!(asked => api::DomainReachingPage {
            account: asked.account(),
            domain: asked.part("domain"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            page(view, frame, DOMAIN_REACHING, |number, view| {
                (address_of(DOMAIN, &[&number, &view.id]), view.name.clone())
            })
        })
    }
}

/// `/accounts/{n}/users/permissions/{id}`
pub(crate) struct HavingPage(Loading<ReachingView>);

#[lazy_route]
impl LazyRoute for HavingPage {
    fn data() -> Self {
        Self(load!(asked => api::HavingPage {
            account: asked.account(),
            permission: asked.part("permission"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            page(view, frame, HAVING, |number, _| {
                (address_of(USERS, &[&number]), words!(frame.user_management))
            })
        })
    }
}

/// The page at this path; `back` says where it leads back to.
fn page(
    view: ReachingView,
    frame: Frame,
    path: &str,
    back: fn(AccountNumber, &ReachingView) -> (String, String),
) -> AnyView {
    let Some(account) = frame.account else { return ().into_any() };
    let number = account.number;
    let heading = words!(reaching.heading, thing = view.name.clone());
    let (back, whereto) = back(number, &view);
    let base = address_of(path, &[&number, &view.id]);
    let first = view.later.then(|| {
        view! { <a href=base.clone()>{words!(users.first)}</a> }
    });
    let next = view.next.as_ref().map(|after| {
        view! { <a href=format!("{base}?after={after}") rel="next">{words!(users.next)}</a> }
    });
    let pages = (first.is_some() || next.is_some()).then(|| {
        view! { <nav class="pages" aria-label=words!(users.pages)>{first} {next}</nav> }
    });
    let columns = vec![words!(users.user), words!(reaching.how), words!(users.actions)];
    let rows = view.rows.into_iter().map(|reaching| row(number, reaching)).collect();
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <p class="back"><a href=back><bdi>{whereto}</bdi></a></p>
        <div class="page-head">
            <div>
                <h1><bdi>{heading.clone()}</bdi></h1>
                <p class="lead">{words!(reaching.lead)}</p>
            </div>
        </div>
        {table(Caption::Quiet(heading), columns, rows)}
        {pages}
    }
    .into_any()
}

fn row(number: AccountNumber, reaching: ReachingRow) -> Vec<Cell> {
    let ReachingRow { person, you, link: (words, label), ways } = reaching;
    let href = address_of(MANAGE, &[&number, &person.id]);
    let name = person.name.clone();
    let you = you.then(|| view! { <span class="tag tag-you">{words!(users.you)}</span> });
    let how = if ways.is_empty() {
        view! { <span class="tag tag-owner">{words!(access.owner)}</span> }.into_any()
    } else {
        let ways = ways.into_iter().map(|way| {
            let why = (!way.why.is_empty()).then(|| {
                view! { <p class="hint"><bdi>{words!(access.why, why = way.why)}</bdi></p> }
            });
            view! {
                <p>{way.opens}</p>
                <p class="hint"><bdi>{way.given}</bdi></p>
                {why}
            }
        });
        ways.collect_view().into_any()
    };
    let person = view! {
        <div class="person">
            <Avatar id=person.id name=name.clone() />
            <div>
                <a
                    class="person-name"
                    dir="auto"
                    translate="no"
                    href=href.clone()
                    tabindex="-1"
                >
                    {name}
                </a>
                " "
                {you}
                <Email address=person.email />
            </div>
        </div>
    };
    let manage = view! {
        <a class="button" href=href aria-label=label>{words}</a>
    };
    vec![Cell::new(person), Cell::sentence(how), Cell::actions(manage)]
}

/// What there is to do on a thing's page: these links of the provider's, if there are any, and the one
/// to who can reach it, for a reader who manages users.
pub(crate) fn thing_actions(
    account: &AccountFrame,
    links: Option<AnyView>,
    reaching: String,
) -> Option<AnyView> {
    let reaching = account
        .opens(Permission::AccountUsers)
        .then(|| view! { <a class="button" href=reaching>{words!(reaching.link)}</a> });
    let is_any = links.is_some() || reaching.is_some();
    is_any.then(|| view! { <div class="page-actions">{links} {reaching}</div> }.into_any())
}

/// The same for each permission: folded away, as it is asked for now and then.
pub(crate) fn by_permission(number: AccountNumber) -> AnyView {
    let areas = Area::ALL.into_iter().map(|area| {
        let permissions = area.permissions().map(|permission| {
            let href = address_of(HAVING, &[&number, &permission]);
            let id = format!("reach-{permission}");
            view! {
                <li>
                    <span id=id.clone()>{words::label(permission)}</span>
                    " "
                    <a href=href aria-describedby=id>{words!(reaching.link)}</a>
                </li>
            }
        });
        view! {
            <h3>{words::area(area)}</h3>
            <ul>{permissions.collect_view()}</ul>
        }
    });
    view! {
        <details class="by-permission">
            <summary><h2>{words!(reaching.by_permission)}</h2></summary>
            {areas.collect_view()}
        </details>
    }
    .into_any()
}
