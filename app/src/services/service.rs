//! One service.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SERVICE_REACHING, SERVICES, address_of};
use crate::loading::{Loading, framed};
use crate::reaching::thing_actions;
use crate::services::api::{self, ServiceRow, ServiceView};
use crate::services::{links, show_passwords};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, thing_head};
use crate::ui::state::state;
use crate::ui::still::still;
use crate::when::day;

/// `/accounts/{n}/services/{id}`
pub(crate) struct ServicePage(Loading<ServiceView>);

#[lazy_route]
impl LazyRoute for ServicePage {
    fn data() -> Self {
        Self(load!(asked => api::ServicePage {
            account: asked.account(),
            service: asked.part("service"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Services), |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let (service, number) = (view.service, account.number.to_string());
            let back = address_of(SERVICES, &[&number]);
            let reaching = address_of(SERVICE_REACHING, &[&number, &service.id]);
            let unlock = (view.credentials && view.locked)
                .then(|| show_passwords(number, Some(service.id.clone())));
            let heading = service.name.clone();
            let links = links(&service);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(services.back))}
                {thing_head(
                    html! { bdi translate="no" { (heading) } },
                    thing_actions(&account, links, &reaching),
                )}
                {facts(&service)}
                {unlock}
                {lacks(view.lacks)}
            }
            .into_any()
        })
    }
}

fn facts(service: &ServiceRow) -> AnyView {
    let secrets = [
        (words!(services.login), &service.login_name),
        (words!(services.password), &service.login_password),
    ];
    still(html! {
        dl.facts {
            dt { (words!(services.plan)) }
            dd { (service.plan) }
            dt { (words!(services.state)) }
            dd { (state(service.mood, &service.state)) }
            dt { (words!(services.renews)) }
            dd { (day(&service.renews)) }
            @for (name, text) in secrets.iter().filter(|(_, text)| !text.is_empty()) {
                dt { (name) }
                dd { code translate="no" { (text) } }
            }
        }
    })
}
