//! The account's invoices.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::billing::api::{BillingView, InvoiceRow};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::link_button::{link_button, link_buttons};
use crate::ui::page_head::page_head;
use crate::ui::state::state;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::day;

/// `/accounts/{n}/billing`
pub(crate) struct BillingPage(Loading<BillingView>);

#[lazy_route]
impl LazyRoute for BillingPage {
    fn data() -> Self {
        Self(load!(asked => api::BillingPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Billing), |view, frame| {
            let BillingView { invoices, lacks: lacking } = view;
            let heading = words!(billing.heading);
            let mut columns = vec![
                words!(billing.invoice),
                words!(billing.issued),
                words!(billing.due),
                words!(billing.total),
                words!(billing.state),
            ];
            let linked = invoices.iter().any(InvoiceRow::has_links);
            columns.extend(linked.then(|| words!(users.actions)));
            let none = invoices.is_empty().then(|| empty(words!(billing.empty)));
            let rows = invoices.into_iter().map(|invoice| row(invoice, linked)).collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, None)}
                {table(Caption::Shown(words!(billing.caption)), columns, rows)}
                {none}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

/// What leads to the provider's own pages about an invoice, if anything does.
fn links(invoice: &InvoiceRow) -> Option<Markup> {
    let number = &invoice.number;
    let pay = link_button(
        invoice.pay.as_deref(),
        &words!(billing.pay),
        &words!(billing.pay_it, number = number),
    );
    let pdf = link_button(
        invoice.pdf.as_deref(),
        &words!(billing.pdf),
        &words!(billing.pdf_of_it, number = number),
    );
    link_buttons([pay, pdf])
}

fn row(invoice: InvoiceRow, linked: bool) -> Vec<Cell> {
    let links = linked.then(|| Cell::actions(links(&invoice).unwrap_or_default()));
    let mut cells = vec![
        Cell::number(html! { strong { (invoice.number) } }),
        Cell::number(day(&invoice.issued)),
        Cell::number(day(&invoice.due)),
        Cell::amount(invoice.total),
        Cell::new(state(invoice.mood, &invoice.state)),
    ];
    cells.extend(links);
    cells
}
