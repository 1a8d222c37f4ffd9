//! Invoices at the door.

use domain::door::{DoorInvoice, Kept};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::accounts::name_of;
use crate::fields::{Fields, written};
use crate::things::{Resource, link, reference};

/// How an invoice can stand.
const STATES: [&str; 3] = ["open", "overdue", "paid"];
/// The greatest total, in the currency's smallest unit: what JSON's readers hold exactly (RFC 8259
/// section 6).
const MOST: i64 = 9_007_199_254_740_991;

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invoice {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// The account whose it is: your id of it, or its number behind `id:`.
    #[schema(example = "customer-4711")]
    account: String,
    /// Its number as printed.
    #[schema(min_length = 1, max_length = 100, example = "2026-1150")]
    number: String,
    /// When it was issued.
    #[schema(format = DateTime)]
    issued_at: String,
    /// When it is due.
    #[schema(format = DateTime)]
    due_at: String,
    /// The total in the currency's smallest unit: 49900 are 499.00 kroner.
    #[schema(example = 49_900)]
    total_minor: i64,
    /// The currency (ISO 4217).
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", example = "NOK")]
    currency: String,
    /// `open`, `overdue` or `paid`.
    #[schema(required = false, example = "open", default = "open")]
    state: String,
    /// Buttons beside the invoice.
    #[schema(required = false)]
    links: InvoiceLinks,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

/// Where people do something with an invoice: addresses of https.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoiceLinks {
    /// Where it is paid, for `billing.pay`. Not shown any more once it is paid.
    #[schema(required = false, max_length = 2000, format = "uri")]
    pay: Option<String>,
    /// Where it is read as it was printed, for `billing.view`.
    #[schema(required = false, max_length = 2000, format = "uri")]
    pdf: Option<String>,
}

impl Resource for DoorInvoice {
    type Shown = Invoice;
    const READ_ONLY: &'static [&'static str] = &["id", "ref", "updated_at"];
    const PATH: &'static str = "invoices";

    fn show(kept: &Kept<Self>) -> Invoice {
        let invoice = &kept.thing;
        Invoice {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            account: name_of(kept),
            number: invoice.number.clone(),
            issued_at: written(invoice.issued_at),
            due_at: written(invoice.due_at),
            total_minor: invoice.total_minor,
            currency: invoice.currency.clone(),
            state: invoice.state.clone(),
            links: InvoiceLinks {
                pay: link(invoice.pay_link.as_ref()),
                pdf: link(invoice.pdf_link.as_ref()),
            },
            updated_at: written(kept.changed),
        }
    }

    fn writable(&self) -> Map<String, Value> {
        let value = json!({
            "number": self.number, "issued_at": written(self.issued_at),
            "due_at": written(self.due_at), "total_minor": self.total_minor,
            "currency": self.currency, "state": self.state,
            "links": {
                "pay": link(self.pay_link.as_ref()), "pdf": link(self.pdf_link.as_ref()),
            },
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(fields: &mut Fields<'_>, _present: Option<&Self>) -> Option<Self> {
        let number = fields.line("number", 100);
        let (issued_at, due_at) = (fields.moment("issued_at"), fields.moment("due_at"));
        let total_minor = fields.whole("total_minor", MOST);
        let currency = fields.line("currency", 3).and_then(|currency| {
            let is_code = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
            if !is_code {
                let wanted = "It must be the three capital letters of ISO 4217, such as NOK.";
                fields.fault("currency", "malformed", wanted);
            }
            is_code.then_some(currency)
        });
        let state = fields.choice("state", &STATES);
        let links = fields.links("links", ["pay", "pdf"]);
        let [pay_link, pdf_link] = links?;
        Some(Self {
            number: number?,
            issued_at: issued_at?,
            due_at: due_at?,
            total_minor: total_minor?,
            currency: currency?,
            state: state?,
            pay_link,
            pdf_link,
        })
    }
}
