//! The account's services.

pub(crate) mod api;
pub(crate) mod service;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SERVICE, SERVICES, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::services::api::{ServiceRow, ServicesView};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::link_button::{link_button, link_buttons};
use crate::ui::page_head::page_head;
use crate::ui::pages::pages;
use crate::ui::state::state;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::day;

/// `/accounts/{n}/services`
pub(crate) struct ServicesPage(Loading<ServicesView>);

#[lazy_route]
impl LazyRoute for ServicesPage {
    fn data() -> Self {
        Self(load!(asked => api::ServicesPage {
            account: asked.account(),
            before: asked.query("before"),
            after: asked.query("after"),
        }))
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
            let linked = view.services.iter().any(ServiceRow::has_links);
            columns.extend(linked.then(|| words!(users.actions)));
            let none = view.services.is_empty().then(|| empty(words!(services.empty)));
            let number = frame.account.map(|account| account.number.to_string());
            let own = number.clone().unwrap_or_default();
            let base = address_of(SERVICES, &[&own]);
            let (found, pages) = pages(&base, &words!(services.pages), view.pages);
            let rows = view.services.into_iter().map(|service| row(&own, service, shown, linked));
            let rows = rows.collect();
            let unlock = number.filter(|_| view.credentials && view.locked);
            let unlock = unlock.map(|number| show_passwords(number, None));
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, None)}
                {found}
                {table(Caption::Quiet(heading), columns, rows)}
                {none}
                {pages}
                {unlock}
                {lacks(view.lacks)}
            }
            .into_any()
        })
    }
}

/// Asks who the reader is before it shows passwords, on the page of all services or of this one.
fn show_passwords(number: String, service: Option<String>) -> AnyView {
    let action = match &service {
        Some(service) => address_of(SERVICE, &[&number, service]),
        None => address_of(SERVICES, &[&number]),
    };
    let one = service.map(|id| view! { <input type="hidden" name="service" value=id /> });
    view! {
        <Form form={endpoint::<api::ShowPasswords>()} action=action>
            <input type="hidden" name="account" value=number />
            {one}
            <p>{words!(services.locked)}</p>
            <div class="form-actions">
                <SubmitButton class="" words=words!(services.show_passwords) />
            </div>
        </Form>
    }
    .into_any()
}

/// What leads to the provider's own pages about a service, if anything does.
fn links(service: &ServiceRow) -> Option<Markup> {
    let name = &service.name;
    let open = link_button(
        service.open.as_deref(),
        &words!(services.open),
        &words!(services.open_it, name = name),
    );
    let renew = link_button(
        service.renew.as_deref(),
        &words!(services.renew),
        &words!(services.renew_it, name = name),
    );
    link_buttons([open, renew])
}

fn row(number: &str, service: ServiceRow, credentials: bool, linked: bool) -> Vec<Cell> {
    let href = address_of(SERVICE, &[&number, &service.id]);
    let links = linked.then(|| Cell::actions(links(&service).unwrap_or_default()));
    let mut cells = vec![
        Cell::new(html! { a href=(href) { strong { (service.name) } } }),
        Cell::new(service.plan),
        Cell::new(state(service.mood, &service.state)),
        Cell::number(day(&service.renews)),
    ];
    if credentials {
        for text in [service.login_name, service.login_password] {
            cells.push(Cell::new(html! {
                @if !text.is_empty() { code translate="no" { (text) } }
            }));
        }
    }
    cells.extend(links);
    cells
}
