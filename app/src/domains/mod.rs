//! The account's domains.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::domains::api::DomainRow;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Day;

/// `/accounts/{n}/domains`
pub(crate) struct DomainsPage(Loading<Vec<DomainRow>>);

#[lazy_route]
impl LazyRoute for DomainsPage {
    fn data() -> Self {
        Self(load!(asked => api::DomainsPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Domains), |domains, frame| {
            let heading = words!(domains.heading);
            let columns = vec![
                words!(domains.domain),
                words!(domains.state),
                words!(domains.expires),
                words!(domains.lock),
            ];
            let none = domains.is_empty().then(|| empty(words!(domains.empty)));
            let rows = domains.into_iter().map(row).collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head"><h1>{heading.clone()}</h1></div>
                {table(Caption::Quiet(heading), columns, rows)}
                {none}
            }
            .into_any()
        })
    }
}

fn row(domain: DomainRow) -> Vec<Cell> {
    let lock = if domain.locked { words!(domains.locked) } else { words!(domains.unlocked) };
    vec![
        Cell::new(view! { <strong>{domain.name}</strong> }),
        Cell::new(view! { <State mood=domain.mood words=domain.state /> }),
        Cell::number(view! { <Day moment=domain.expires /> }),
        Cell::new(lock),
    ]
}
