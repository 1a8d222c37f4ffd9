//! Leaving an account: asked once more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::account::api::{self, LeaveView};
use crate::address::{ACCOUNT, LEAVE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/accounts/{n}/leave`
pub(crate) struct LeavePage(Loading<LeaveView>);

#[lazy_route]
impl LazyRoute for LeavePage {
    fn data() -> Self {
        Self(load!(asked => api::LeavePage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number.to_string();
            let heading = words!(leave.heading, account = view.account.clone());
            let back = address_of(ACCOUNT, &[&number]);
            let content = if view.last_owner {
                view! {
                    <p>{words!(leave.last_owner, account = view.account)}</p>
                    <a class="button" href=back>{words!(leave.stay)}</a>
                }
                .into_any()
            } else {
                let owner = view.owner.then(|| view! { <p>{words!(leave.owner_text)}</p> });
                view! {
                    <p>{words!(leave.text, account = view.account)}</p>
                    {owner}
                    <Form form={endpoint::<api::Leave>()} action=address_of(LEAVE, &[&number])>
                        <input type="hidden" name="account" value=number.clone() />
                        <div class="form-actions">
                            <SubmitButton class="button-danger" words=words!(leave.button) />
                            <a class="button" href=back>{words!(leave.stay)}</a>
                        </div>
                    </Form>
                }
                .into_any()
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1>{heading}</h1>
                    {content}
                </div>
            }
            .into_any()
        })
    }
}
