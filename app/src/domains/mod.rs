//! The account's domains.

pub(crate) mod api;
pub(crate) mod domain;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{DOMAIN, DOMAINS, address_of};
use crate::domains::api::{DomainRow, DomainsView};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::link_button::link_button;
use crate::ui::page_head::page_head;
use crate::ui::pages::pages;
use crate::ui::state::state;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::day;

/// `/accounts/{n}/domains`
pub(crate) struct DomainsPage(Loading<DomainsView>);

#[lazy_route]
impl LazyRoute for DomainsPage {
    fn data() -> Self {
        Self(load!(asked => api::DomainsPage {
            account: asked.account(),
            before: asked.query("before"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Domains), |view, frame| {
            let DomainsView { domains, pages: others, lacks: lacking } = view;
            let heading = words!(domains.heading);
            let mut columns = vec![
                words!(domains.domain),
                words!(domains.state),
                words!(domains.expires),
                words!(domains.lock),
            ];
            let linked = domains.iter().any(|domain| domain.renew.is_some());
            columns.extend(linked.then(|| words!(users.actions)));
            let none = domains.is_empty().then(|| empty(words!(domains.empty)));
            let number = frame.account.map(|account| account.number.to_string());
            let number = number.unwrap_or_default();
            let base = address_of(DOMAINS, &[&number]);
            let (found, pages) = pages(&base, &words!(domains.pages), others);
            let rows = domains.into_iter().map(|domain| row(&number, domain, linked)).collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, None)}
                {found}
                {table(Caption::Quiet(heading), columns, rows)}
                {none}
                {pages}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

/// What leads to the provider's own page about renewing a domain, if there is one.
fn renewing(domain: &DomainRow) -> Option<Markup> {
    let label = words!(domains.renew_it, name = domain.name.clone());
    link_button(domain.renew.as_deref(), &words!(domains.renew), &label)
}

fn row(number: &str, domain: DomainRow, linked: bool) -> Vec<Cell> {
    let href = address_of(DOMAIN, &[&number, &domain.id]);
    let renew = linked.then(|| Cell::actions(renewing(&domain).unwrap_or_default()));
    let mut cells = vec![
        Cell::new(html! { a href=(href) { strong { (domain.name) } } }),
        Cell::new(state(domain.mood, &domain.state)),
        Cell::number(day(&domain.expires)),
        Cell::new(lock(domain.locked)),
    ];
    cells.extend(renew);
    cells
}

/// Whether transfers away are locked.
fn lock(locked: bool) -> String {
    if locked { words!(domains.locked) } else { words!(domains.unlocked) }
}
