//! The account's support requests.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::loading::{Loading, framed};
use crate::support::api::RequestRow;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Relative;

/// `/accounts/{n}/support`
pub(crate) struct SupportPage(Loading<Vec<RequestRow>>);

#[lazy_route]
impl LazyRoute for SupportPage {
    fn data() -> Self {
        Self(load!(asked => api::SupportPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Support), |requests, frame| {
            let heading = words!(support.heading);
            let columns = vec![
                words!(support.request),
                words!(support.state),
                words!(support.opened_by),
                words!(support.updated),
            ];
            let none = requests.is_empty().then(|| empty(words!(support.empty)));
            let rows = requests.into_iter().map(row).collect();
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

fn row(request: RequestRow) -> Vec<Cell> {
    let subject = view! {
        <strong>{request.subject}</strong>
        " "
        <span class="person-email">{request.number}</span>
    };
    vec![
        Cell::sentence(subject),
        Cell::new(view! { <State mood=request.mood words=request.state /> }),
        Cell::new(view! { <bdi translate="no">{request.opened_by}</bdi> }),
        Cell::number(view! { <Relative moment=request.updated /> }),
    ]
}
