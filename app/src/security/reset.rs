//! Choosing a new password by a link.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{FORGOT, RESET, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, narrow};
use crate::security::api::{self, ResetView};
use crate::title::PageTitle;
use crate::ui::field::PasswordField;
use crate::ui::form::{Form, SubmitButton};

/// `/reset/{token}`
pub(crate) struct ResetPage(Loading<ResetView>);

#[lazy_route]
impl LazyRoute for ResetPage {
    fn data() -> Self {
        Self(load!(asked => api::ResetPage { token: asked.part("token") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            if !view.works {
                let heading = words!(reset.spent_heading);
                return view! {
                    <PageTitle title=heading.clone() provider=frame.provider />
                    <h1>{heading}</h1>
                    <p>{words!(failure.link_spent)}</p>
                    <p>
                        <a class="button" href=FORGOT rel="external">
                            {words!(reset.new_link)}
                        </a>
                    </p>
                }
                .into_any();
            }
            let heading = words!(reset.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(reset.lead)}</p>
                <Form form={endpoint::<api::Reset>()} action=address_of(RESET, &[&view.token])>
                    <input type="hidden" name="token" value=view.token />
                    <PasswordField
                        field=Field::NewPassword
                        label=words!(form.new_password)
                        new=true
                        autofocus=true
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(reset.button) />
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}
