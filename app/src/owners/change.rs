//! That somebody becomes an owner: to them with the question whether they want to, to the owners with
//! how it stands.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::AccountNumber;

use crate::address::{ACCOUNT, LOG, OWNER_CHANGE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::owners::api::{self, OwnerChangeView, OwnerStepView};
use crate::owners::strip::StopForm;
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/accounts/{n}/owners/{change}`
pub(crate) struct OwnerChangePage(Loading<OwnerChangeView>);

#[lazy_route]
impl LazyRoute for OwnerChangePage {
    fn data() -> Self {
        Self(load!(asked => api::OwnerChangePage {
            account: asked.account(),
            change: asked.part("change"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let page = address_of(OWNER_CHANGE, &[&number, &view.change]);
            let change = view.change.clone();
            let step = match view.step {
                OwnerStepView::Answer => {
                    let (accepted, declined) =
                        (unseen(number, change.clone()), unseen(number, change));
                    view! {
                        <Form form={endpoint::<api::AcceptOwnership>()} action=page.clone()>
                            {accepted}
                            <div class="form-actions">
                                <SubmitButton words=words!(owners.accept) />
                            </div>
                        </Form>
                        <Form form={endpoint::<api::DeclineOwnership>()} action=page>
                            {declined}
                            <div class="form-actions">
                                <SubmitButton class="button-quiet" words=words!(owners.decline) />
                            </div>
                        </Form>
                    }
                    .into_any()
                }
                OwnerStepView::Stop => {
                    view! { <StopForm number=number change=change /> }.into_any()
                }
                OwnerStepView::Gone => {
                    let log = address_of(LOG, &[&number]);
                    view! { <p><a class="button" href=log>{words!(owners.gone_log)}</a></p> }
                        .into_any()
                }
                OwnerStepView::None => {
                    let back = address_of(ACCOUNT, &[&number]);
                    view! { <p><a class="button" href=back>{words!(refused.back)}</a></p> }
                        .into_any()
                }
            };
            let lines = view.lines.into_iter().map(|line| view! { <p><bdi>{line}</bdi></p> });
            view! {
                <PageTitle title=view.heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1><bdi>{view.heading}</bdi></h1>
                    {lines.collect_view()}
                    {step}
                </div>
            }
            .into_any()
        })
    }
}

/// What a form about a change carries unseen.
fn unseen(number: AccountNumber, change: String) -> AnyView {
    view! {
        <input type="hidden" name="account" value=number.to_string() />
        <input type="hidden" name="change" value=change />
    }
    .into_any()
}
