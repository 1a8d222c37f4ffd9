//! The account's invoices.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::billing::api::InvoiceRow;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Day;

/// `/accounts/{n}/billing`
pub(crate) struct BillingPage(Loading<Vec<InvoiceRow>>);

#[lazy_route]
impl LazyRoute for BillingPage {
    fn data() -> Self {
        Self(load!(asked => api::BillingPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Billing), |invoices, frame| {
            let heading = words!(billing.heading);
            let columns = vec![
                words!(billing.invoice),
                words!(billing.issued),
                words!(billing.due),
                words!(billing.total),
                words!(billing.state),
            ];
            let none = invoices.is_empty().then(|| empty(words!(billing.empty)));
            let rows = invoices.into_iter().map(row).collect();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head"><h1>{heading}</h1></div>
                {table(Caption::Shown(words!(billing.caption)), columns, rows)}
                {none}
            }
            .into_any()
        })
    }
}

fn row(invoice: InvoiceRow) -> Vec<Cell> {
    vec![
        Cell::number(view! { <strong>{invoice.number}</strong> }),
        Cell::number(view! { <Day moment=invoice.issued /> }),
        Cell::number(view! { <Day moment=invoice.due /> }),
        Cell::amount(invoice.total),
        Cell::new(view! { <State mood=invoice.mood words=invoice.state /> }),
    ]
}
