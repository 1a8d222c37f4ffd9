//! The account's invoices.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::billing::api::{BillingView, InvoiceRow};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::link_button::link_button;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Day;

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
                <div class="page-head"><h1>{heading}</h1></div>
                {table(Caption::Shown(words!(billing.caption)), columns, rows)}
                {none}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

/// What leads to the provider's own pages about an invoice.
fn links(invoice: &InvoiceRow) -> impl IntoView + use<> {
    let pay = link_button(
        invoice.pay.clone(),
        words!(billing.pay),
        words!(billing.pay_it, number = invoice.number.clone()),
    );
    let pdf = link_button(
        invoice.pdf.clone(),
        words!(billing.pdf),
        words!(billing.pdf_of_it, number = invoice.number.clone()),
    );
    view! { {pay} {pdf} }
}

fn row(invoice: InvoiceRow, linked: bool) -> Vec<Cell> {
    let links = linked.then(|| Cell::actions(links(&invoice)));
    let mut cells = vec![
        Cell::number(view! { <strong>{invoice.number}</strong> }),
        Cell::number(view! { <Day moment=invoice.issued /> }),
        Cell::number(view! { <Day moment=invoice.due /> }),
        Cell::amount(invoice.total),
        Cell::new(view! { <State mood=invoice.mood words=invoice.state /> }),
    ];
    cells.extend(links);
    cells
}
