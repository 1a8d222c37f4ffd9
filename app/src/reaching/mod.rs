//! Who can reach this? Everybody to whom a service, a domain or a permission is open, and in which way.

pub(crate) mod api;
pub(crate) mod things;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::{AccountNumber, Area, Permission};

use crate::address::{
    DOMAIN, DOMAIN_REACHING, HAVING, MANAGE, SERVICE, SERVICE_REACHING, USERS, address_of,
};
use crate::frame::{AccountFrame, Frame};
use crate::loading::{Loading, framed};
use crate::reaching::api::{ReachingRow, ReachingView};
use crate::title::PageTitle;
use crate::ui::avatar::{linked_name, person};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::ui::pages::{Turn, turns};
use crate::ui::still::still;
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
    let first = view.later.then(|| Turn::first(base.clone()));
    let next = view.next.as_ref().map(|after| Turn::next(format!("{base}?after={after}")));
    let pages = turns(&words!(users.pages), first, next);
    let columns = vec![words!(users.user), words!(reaching.how), words!(users.actions)];
    let rows = view.rows.into_iter().map(|reaching| row(number, reaching)).collect();
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        {back_to(&back, &whereto)}
        {page_head(&heading, Some(&words!(reaching.lead)))}
        {table(Caption::Quiet(heading), columns, rows)}
        {pages}
    }
    .into_any()
}

fn row(number: AccountNumber, reaching: ReachingRow) -> Vec<Cell> {
    let ReachingRow { person: one, you, link: (words, label), ways } = reaching;
    let page = address_of(MANAGE, &[&number, &one.id]);
    let how = html! {
        @if ways.is_empty() { span.tag.tag-owner { (words!(access.owner)) } }
        @for way in ways {
            p { (way.opens) }
            p.hint { bdi { (way.given) } }
            @if !way.why.is_empty() {
                p.hint { bdi { (words!(access.why, why = way.why)) } }
            }
        }
    };
    let manage = html! { a.button href=(page) aria-label=(label) { (words) } };
    vec![
        Cell::new(person(&one, linked_name(&one, &page, you))),
        Cell::sentence(how),
        Cell::actions(manage),
    ]
}

/// What there is to do on a thing's page: these links of the provider's, if there are any, and the one
/// to who can reach it, for a reader who manages users.
pub(crate) fn thing_actions(
    account: &AccountFrame,
    links: Option<Markup>,
    reaching: &str,
) -> Option<Markup> {
    let manages = account.opens(Permission::AccountUsers);
    (links.is_some() || manages).then(|| {
        html! {
            @if let Some(links) = links { (links) }
            @if manages { a.button href=(reaching) { (words!(reaching.link)) } }
        }
    })
}

/// The same for each permission: folded away, as it is asked for now and then.
pub(crate) fn by_permission(number: AccountNumber) -> AnyView {
    let line = |permission: Permission| {
        let id = format!("reach-{permission}");
        html! {
            span id=(id) { (words::label(permission)) }
            " "
            a href=(address_of(HAVING, &[&number, &permission])) aria-describedby=(id) {
                (words!(reaching.link))
            }
        }
    };
    still(html! {
        details.by-permission {
            summary { h2 { (words!(reaching.by_permission)) } }
            @for area in Area::ALL {
                h3 { (words::area(area)) }
                ul { @for permission in area.permissions() { li { (line(permission)) } } }
            }
        }
    })
}
