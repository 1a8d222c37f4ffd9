//! One domain.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{DOMAIN_REACHING, DOMAINS, address_of};
use crate::domains::api::{self, DomainView};
use crate::domains::{lock, renewing};
use crate::loading::{Loading, framed};
use crate::reaching::thing_actions;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::when::Day;

/// `/accounts/{n}/domains/{id}`
pub(crate) struct DomainPage(Loading<DomainView>);

#[lazy_route]
impl LazyRoute for DomainPage {
    fn data() -> Self {
        Self(load!(asked => api::DomainPage {
            account: asked.account(),
            domain: asked.part("domain"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Domains), |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let DomainView { domain, lacks: lacking } = view;
            let number = account.number;
            let back = address_of(DOMAINS, &[&number]);
            let reaching = address_of(DOMAIN_REACHING, &[&number, &domain.id]);
            let renewing = renewing(&domain);
            let heading = domain.name;
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <p class="back"><a href=back>{words!(domains.back)}</a></p>
                <div class="page-head">
                    <h1><bdi translate="no">{heading}</bdi></h1>
                    {thing_actions(&account, renewing, reaching)}
                </div>
                <dl class="facts">
                    <dt>{words!(domains.state)}</dt>
                    <dd><State mood=domain.mood words=domain.state /></dd>
                    <dt>{words!(domains.expires)}</dt>
                    <dd><Day moment=domain.expires /></dd>
                    <dt>{words!(domains.lock)}</dt>
                    <dd>{lock(domain.locked)}</dd>
                </dl>
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}
