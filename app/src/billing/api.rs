//! Server functions of billing.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::access_requests::lacks::LackView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::access_requests::lacks::lacks_in,
    crate::formats,
    crate::request,
    domain::areas::Invoice,
    model::{Area, Failure, Timestamp},
};

/// An invoice in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvoiceRow {
    /// Its number as printed.
    pub(crate) number: String,
    /// When it was issued.
    pub(crate) issued: Moment,
    /// When it is due.
    pub(crate) due: Moment,
    /// The total with its currency.
    pub(crate) total: String,
    /// How it stands.
    pub(crate) mood: Mood,
    /// The same in words.
    pub(crate) state: String,
    /// Where it is paid, if the reader may, it isn't yet and the provider says.
    pub(crate) pay: Option<String>,
    /// Where it is read as it was printed, if the provider says.
    pub(crate) pdf: Option<String>,
}

impl InvoiceRow {
    /// Whether anything leads to the provider's own pages about it.
    pub(crate) const fn has_links(&self) -> bool {
        self.pay.is_some() || self.pdf.is_some()
    }
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BillingView {
    /// The invoices.
    pub(crate) invoices: Vec<InvoiceRow>,
    /// What the reader can't do here.
    pub(crate) lacks: Vec<LackView>,
}

/// The account's invoices.
#[server(prefix = "/api", endpoint = "billing/page", input = GetUrl)]
pub(crate) async fn billing_page(account: String) -> Result<Page<BillingView>, Problem> {
    let inside = request::inside(&account).await?;
    let view = match domain::areas::invoices(&inside.latchkey, &inside.acting.actor).await {
        Ok(invoices) => billing_view(&inside, invoices).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn billing_view(
    inside: &request::Inside,
    invoices: Vec<Invoice>,
) -> Result<BillingView, Failure> {
    let now = inside.latchkey.now();
    Ok(BillingView {
        invoices: invoices.into_iter().map(|invoice| row(invoice, now)).collect(),
        lacks: lacks_in(inside, Area::Billing).await?,
    })
}

#[cfg(feature = "ssr")]
fn row(invoice: Invoice, now: Timestamp) -> InvoiceRow {
    let (mood, state) = match invoice.state.as_str() {
        "paid" => (Mood::Ok, words!(billing.paid)),
        "overdue" => (Mood::Trouble, words!(billing.overdue)),
        _ => (Mood::Waiting, words!(billing.open)),
    };
    InvoiceRow {
        number: invoice.number,
        issued: Moment::of_calendar(invoice.issued_at, now),
        due: Moment::of_calendar(invoice.due_at, now),
        total: words!(
            billing.amount,
            amount = formats::hundredths(invoice.total_minor),
            currency = invoice.currency
        ),
        mood,
        state,
        pay: invoice.pay_link.map(|link| link.to_string()),
        pdf: invoice.pdf_link.map(|link| link.to_string()),
    }
}
