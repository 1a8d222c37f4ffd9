//! Cancelling an invitation: asked once more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{CANCEL, USERS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::users::api::{self, CancelView};

/// `/accounts/{n}/invitations/{id}/cancel`
pub(crate) struct CancelPage(Loading<CancelView>);

#[lazy_route]
impl LazyRoute for CancelPage {
    fn data() -> Self {
        Self(load!(asked => api::CancelPage {
            account: asked.account(),
            invitation: asked.part("invitation"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let heading = words!(cancel.heading, email = view.email.clone());
            let action = address_of(CANCEL, &[&number, &view.invitation]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1>{heading}</h1>
                    <p>{words!(cancel.text, email = view.email)}</p>
                    <Form form={endpoint::<api::Cancel>()} action=action>
                        <input type="hidden" name="account" value=number.to_string() />
                        <input type="hidden" name="invitation" value=view.invitation />
                        <div class="form-actions">
                            <SubmitButton class="button-danger" words=words!(cancel.button) />
                            <a class="button" href=address_of(USERS, &[&number])>
                                {words!(cancel.keep)}
                            </a>
                        </div>
                    </Form>
                </div>
            }
            .into_any()
        })
    }
}
