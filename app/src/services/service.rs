//! One service.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SERVICE_REACHING, SERVICES, address_of};
use crate::loading::{Loading, framed};
use crate::reaching::thing_actions;
use crate::services::api::{self, ServiceRow, ServiceView};
use crate::services::{links, show_passwords};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::when::Day;

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
                <p class="back"><a href=back>{words!(services.back)}</a></p>
                <div class="page-head">
                    <h1><bdi translate="no">{heading}</bdi></h1>
                    {thing_actions(&account, links, reaching)}
                </div>
                {facts(service)}
                {unlock}
                {lacks(view.lacks)}
            }
            .into_any()
        })
    }
}

fn facts(service: ServiceRow) -> impl IntoView {
    let secrets = [
        (words!(services.login), service.login_name),
        (words!(services.password), service.login_password),
    ];
    let secrets = secrets.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| {
        view! {
            <dt>{name}</dt>
            <dd><code translate="no">{text}</code></dd>
        }
    });
    view! {
        <dl class="facts">
            <dt>{words!(services.plan)}</dt>
            <dd>{service.plan}</dd>
            <dt>{words!(services.state)}</dt>
            <dd><State mood=service.mood words=service.state /></dd>
            <dt>{words!(services.renews)}</dt>
            <dd><Day moment=service.renews /></dd>
            {secrets.collect_view()}
        </dl>
    }
}
