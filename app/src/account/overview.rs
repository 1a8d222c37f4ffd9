//! An account's overview: a card for each area that the reader may enter.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::account::api::{self, AreaCard, OverviewView};
use crate::address::{LEAVE, address_of};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::icon::{Icon, icon};
use crate::ui::state::{Mood, state};
use crate::ui::still::still;

/// `/accounts/{n}`
pub(crate) struct OverviewPage(Loading<OverviewView>);

#[lazy_route]
impl LazyRoute for OverviewPage {
    fn data() -> Self {
        Self(load!(asked => api::OverviewPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Overview, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let cards = view.cards.into_iter().map(|card| area_card(card, number.get()));
            let owner = view.owner.then(|| {
                view! { <span class="tag tag-owner">{words!(access.owner)}</span> }
            });
            let closed = lacks(view.closed).map(|closed| {
                view! {
                    <section>
                        <h2>{words!(asking.closed)}</h2>
                        {closed}
                    </section>
                }
            });
            let becoming = view.becoming.map(|becoming| {
                let label = match becoming.asked {
                    true => words!(owners.answer),
                    false => words!(owners.show),
                };
                view! {
                    <div class="notice">
                        <p>{becoming.words}</p>
                        <a class="button" href=becoming.page>{label}</a>
                    </div>
                }
            });
            let take_over = view.take_over.map(|page| {
                let words = words!(successor.take_over, account = account.name.clone());
                view! {
                    <p>
                        {still(state(Mood::Quiet, &words!(successor.mark)))} " "
                        <a href=page><bdi>{words}</bdi></a>
                    </p>
                }
            });
            view! {
                <PageTitle title=account.name.clone() provider=frame.provider />
                <div class="page-head">
                    <div>
                        <h1>{account.name}</h1>
                        <p class="lead">
                            {words!(overview.number, number = number)} " " {owner}
                        </p>
                    </div>
                </div>
                {becoming}
                {take_over}
                <p>{view.yours}</p>
                <div class="overview-grid">{cards.collect_view()}</div>
                {closed}
                <p class="quiet">
                    <a href=address_of(LEAVE, &[&number])>{words!(users.leave)}</a>
                </p>
            }
            .into_any()
        })
    }
}

fn area_card(card: AreaCard, number: i64) -> impl IntoView {
    let (name, picture) = match card.path.as_str() {
        "/services" => (Here::Area(Area::Services).name(), Icon::Server),
        "/domains" => (Here::Area(Area::Domains).name(), Icon::Globe),
        "/billing" => (Here::Area(Area::Billing).name(), Icon::Invoice),
        "/support" => (Here::Area(Area::Support).name(), Icon::Speech),
        "/users" => (Here::Users.name(), Icon::People),
        "/log" => (Here::Log.name(), Icon::Clock),
        _ => (Here::Area(Area::Account).name(), Icon::Card),
    };
    let class = card.trouble.then_some("state state-waiting");
    view! {
        <a class="area-card" href=format!("/accounts/{number}{}", card.path)>
            {still(icon(picture))}
            <h2>{name}</h2>
            <p class=class>{card.sentence}</p>
        </a>
    }
}
