//! The account's support requests.

pub(crate) mod api;
pub(crate) mod request;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SUPPORT_REQUEST, address_of};
use crate::loading::{Loading, framed};
use crate::support::api::{RequestRow, SupportView};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::link_button::link_button;
use crate::ui::page_head::page_head;
use crate::ui::state::state;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::relative;

/// `/accounts/{n}/support`
pub(crate) struct SupportPage(Loading<SupportView>);

#[lazy_route]
impl LazyRoute for SupportPage {
    fn data() -> Self {
        Self(load!(asked => api::SupportPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Support), |view, frame| {
            let SupportView { requests, lacks: lacking } = view;
            let heading = words!(support.heading);
            let mut columns = vec![
                words!(support.request),
                words!(support.state),
                words!(support.opened_by),
                words!(support.updated),
            ];
            let linked = requests.iter().any(|request| request.open.is_some());
            columns.extend(linked.then(|| words!(users.actions)));
            let none = requests.is_empty().then(|| empty(words!(support.empty)));
            let number = frame.account.map(|account| account.number.to_string());
            let number = number.unwrap_or_default();
            let rows = requests.into_iter().map(|request| row(&number, request, linked));
            let rows = rows.collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, None)}
                {table(Caption::Quiet(heading), columns, rows)}
                {none}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

/// What leads to the provider's own page about a request, if there is one.
fn opening(request: &RequestRow) -> Option<Markup> {
    let label = words!(support.open_it, number = request.number.clone());
    link_button(request.open.as_deref(), &words!(support.open_button), &label)
}

fn row(number: &str, request: RequestRow, linked: bool) -> Vec<Cell> {
    let href = address_of(SUPPORT_REQUEST, &[&number, &request.id]);
    let open = linked.then(|| Cell::actions(opening(&request).unwrap_or_default()));
    let subject = html! {
        a href=(href) { strong { (request.subject) } }
        " "
        span.person-email { (request.number) }
    };
    let mut cells = vec![
        Cell::sentence(subject),
        Cell::new(state(request.mood, &request.state)),
        Cell::new(html! { bdi translate="no" { (request.opened_by) } }),
        Cell::number(relative(&request.updated)),
    ];
    cells.extend(open);
    cells
}
