//! The account's domains.

pub(crate) mod api;
pub(crate) mod domain;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{DOMAIN, DOMAINS, address_of};
use crate::domains::api::{DomainRow, DomainsView};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::link_button::link_button;
use crate::ui::pages::pages;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Day;

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
            let (found, pages) = pages(&base, words!(domains.pages), others);
            let rows = domains.into_iter().map(|domain| row(&number, domain, linked)).collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head"><h1>{heading.clone()}</h1></div>
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
fn renewing(domain: &DomainRow) -> Option<AnyView> {
    let label = words!(domains.renew_it, name = domain.name.clone());
    link_button(domain.renew.clone(), words!(domains.renew), label)
}

fn row(number: &str, domain: DomainRow, linked: bool) -> Vec<Cell> {
    let href = address_of(DOMAIN, &[&number, &domain.id]);
    let lock = lock(domain.locked);
    let renew = linked.then(|| Cell::actions(renewing(&domain)));
    let mut cells = vec![
        Cell::new(view! { <a href=href><strong>{domain.name}</strong></a> }),
        Cell::new(view! { <State mood=domain.mood words=domain.state /> }),
        Cell::number(view! { <Day moment=domain.expires /> }),
        Cell::new(lock),
    ];
    cells.extend(renew);
    cells
}

/// Whether transfers away are locked.
fn lock(locked: bool) -> String {
    if locked { words!(domains.locked) } else { words!(domains.unlocked) }
}
