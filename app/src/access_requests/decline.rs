//! Declining a request, with a few words to whoever asked.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::access_requests::api::{self, DeclineView};
use crate::address::{DECLINE_REQUEST, USERS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/accounts/{n}/requests/{id}/decline`
pub(crate) struct DeclineRequestPage(Loading<DeclineView>);

#[lazy_route]
impl LazyRoute for DeclineRequestPage {
    fn data() -> Self {
        Self(load!(asked => api::DeclinePage {
            account: asked.account(),
            request: asked.part("request"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let heading = words!(requests.decline_heading, name = view.name.clone());
            let action = address_of(DECLINE_REQUEST, &[&number, &view.request]);
            let label = words!(requests.words_to, name = view.name.clone());
            let until = view.until.map(|until| {
                view! {
                    <dt>{words!(requests.until)}</dt>
                    <dd>{until}</dd>
                }
            });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1><bdi>{heading}</bdi></h1>
                    <dl class="facts">
                        <dt>{words!(requests.what)}</dt>
                        <dd><bdi>{view.what}</bdi></dd>
                        <dt>{words!(requests.why)}</dt>
                        <dd><bdi>{view.why}</bdi></dd>
                        {until}
                    </dl>
                    <Form form={endpoint::<api::Decline>()} action=action>
                        <input type="hidden" name="account" value=number.to_string() />
                        <input type="hidden" name="request" value=view.request />
                        <TextField
                            field=Field::Words
                            label=label
                            hint=words!(requests.words_hint)
                            autocomplete="off"
                        />
                        <div class="form-actions">
                            <SubmitButton class="button-danger" words=words!(requests.decline) />
                            <a class="button" href=address_of(USERS, &[&number])>
                                {words!(form.cancel)}
                            </a>
                        </div>
                    </Form>
                </div>
            }
            .into_any()
        })
    }
}
