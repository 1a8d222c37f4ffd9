//! One support request, with what was said in it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SUPPORT, address_of};
use crate::loading::{Loading, framed};
use crate::support::api::{self, MessageRow, RequestView};
use crate::support::opening;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, thing_head};
use crate::ui::state::state;
use crate::ui::still::still;
use crate::ui::table::empty;
use crate::when::relative;

/// `/accounts/{n}/support/{id}`
pub(crate) struct RequestPage(Loading<RequestView>);

#[lazy_route]
impl LazyRoute for RequestPage {
    fn data() -> Self {
        Self(load!(asked => api::RequestPage {
            account: asked.account(),
            request: asked.part("request"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Support), |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let RequestView { request, messages, lacks: lacking } = view;
            let back = address_of(SUPPORT, &[&account.number]);
            let open = opening(&request);
            let heading = request.subject;
            let none = messages.is_empty().then(|| empty(words!(support.nothing_said)));
            let said = (!messages.is_empty()).then(|| {
                still(html! {
                    ol.messages { @for one in messages { li { (message(&one)) } } }
                })
            });
            let facts = html! {
                dl.facts {
                    dt { (words!(support.number)) }
                    dd { (request.number) }
                    dt { (words!(support.state)) }
                    dd { (state(request.mood, &request.state)) }
                    dt { (words!(support.opened_by)) }
                    dd { bdi translate="no" { (request.opened_by) } }
                }
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(support.back))}
                {thing_head(html! { bdi { (heading) } }, open)}
                {still(facts)}
                {still(html! { h2 { (words!(support.messages)) } })}
                {said}
                {none}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

fn message(message: &MessageRow) -> Markup {
    html! {
        p.message-head {
            strong { bdi translate="no" { (message.author) } }
            " "
            (relative(&message.at))
        }
        p.message-words { (message.words) }
    }
}
