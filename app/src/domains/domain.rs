//! One domain.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{DOMAIN_REACHING, DOMAINS, address_of};
use crate::domains::api::{self, DomainView};
use crate::domains::{lock, renewing};
use crate::loading::{Loading, framed};
use crate::reaching::thing_actions;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, thing_head};
use crate::ui::state::state;
use crate::ui::still::still;
use crate::when::day;

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
            let facts = html! {
                dl.facts {
                    dt { (words!(domains.state)) }
                    dd { (state(domain.mood, &domain.state)) }
                    dt { (words!(domains.expires)) }
                    dd { (day(&domain.expires)) }
                    dt { (words!(domains.lock)) }
                    dd { (lock(domain.locked)) }
                }
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(domains.back))}
                {thing_head(
                    html! { bdi translate="no" { (heading) } },
                    thing_actions(&account, renewing, &reaching),
                )}
                {still(facts)}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}
