//! The account's services.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::address::{SERVICES, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::services::api::{ServiceRow, ServicesView};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Day;

/// `/accounts/{n}/services`
pub(crate) struct ServicesPage(Loading<ServicesView>);

#[lazy_route]
impl LazyRoute for ServicesPage {
    fn data() -> Self {
        Self(load!(asked => api::ServicesPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Services), |view, frame| {
            let heading = words!(services.heading);
            let mut columns = vec![
                words!(services.service),
                words!(services.plan),
                words!(services.state),
                words!(services.renews),
            ];
            let shown = view.credentials && !view.locked;
            if shown {
                columns.extend([words!(services.login), words!(services.password)]);
            }
            let none = view.services.is_empty().then(|| empty(words!(services.empty)));
            let rows = view.services.into_iter().map(|service| row(service, shown));
            let number = frame.account.map(|account| account.number.to_string());
            let unlock = number.filter(|_| view.credentials && view.locked).map(show_passwords);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head"><h1>{heading.clone()}</h1></div>
                {table(Caption::Quiet(heading), columns, rows.collect())}
                {none}
                {unlock}
            }
            .into_any()
        })
    }
}

/// Asks who the reader is before it shows passwords.
fn show_passwords(number: String) -> AnyView {
    let action = address_of(SERVICES, &[&number]);
    view! {
        <Form form={endpoint::<api::ShowPasswords>()} action=action>
            <input type="hidden" name="account" value=number />
            <p>{words!(services.locked)}</p>
            <div class="form-actions">
                <SubmitButton class="" words=words!(services.show_passwords) />
            </div>
        </Form>
    }
    .into_any()
}

fn row(service: ServiceRow, credentials: bool) -> Vec<Cell> {
    let mut cells = vec![
        Cell::new(view! { <strong>{service.name}</strong> }),
        Cell::new(service.plan),
        Cell::new(view! { <State mood=service.mood words=service.state /> }),
        Cell::number(view! { <Day moment=service.renews /> }),
    ];
    if credentials {
        for text in [service.login_name, service.login_password] {
            let shown = (!text.is_empty()).then(|| view! { <code translate="no">{text}</code> });
            cells.push(Cell::new(shown));
        }
    }
    cells
}
