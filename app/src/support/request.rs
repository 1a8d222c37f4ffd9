//! One support request, with what was said in it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::access_requests::lacks::lacks;
use crate::address::{SUPPORT, address_of};
use crate::loading::{Loading, framed};
use crate::support::api::{self, MessageRow, RequestView};
use crate::support::opening;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::state::State;
use crate::ui::table::empty;
use crate::when::Relative;

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
            let open = open.map(|open| view! { <div class="page-actions">{open}</div> });
            let heading = request.subject;
            let none = messages.is_empty().then(|| empty(words!(support.nothing_said)));
            let said = (!messages.is_empty()).then(|| {
                let messages = messages.into_iter().map(message).collect_view();
                view! { <ol class="messages">{messages}</ol> }
            });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <p class="back"><a href=back>{words!(support.back)}</a></p>
                <div class="page-head">
                    <h1><bdi>{heading}</bdi></h1>
                    {open}
                </div>
                <dl class="facts">
                    <dt>{words!(support.number)}</dt>
                    <dd>{request.number}</dd>
                    <dt>{words!(support.state)}</dt>
                    <dd><State mood=request.mood words=request.state /></dd>
                    <dt>{words!(support.opened_by)}</dt>
                    <dd><bdi translate="no">{request.opened_by}</bdi></dd>
                </dl>
                <h2>{words!(support.messages)}</h2>
                {said}
                {none}
                {lacks(lacking)}
            }
            .into_any()
        })
    }
}

fn message(message: MessageRow) -> impl IntoView {
    view! {
        <li>
            <p class="message-head">
                <strong><bdi translate="no">{message.author}</bdi></strong>
                " "
                <Relative moment=message.at />
            </p>
            <p class="message-words">{message.words}</p>
        </li>
    }
}
