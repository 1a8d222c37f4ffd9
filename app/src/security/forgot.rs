//! Asking for a link to choose a new password.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{FORGOT, SIGN_IN};
use crate::endpoint::endpoint;
use crate::loading::{Loading, narrow};
use crate::security::api;
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};

/// `/forgot-password`
pub(crate) struct ForgotPage(Loading<()>);

#[lazy_route]
impl LazyRoute for ForgotPage {
    fn data() -> Self {
        Self(load!(_asked => api::ForgotPage {}))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |(), frame| {
            let heading = words!(reset.ask_heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(reset.ask_lead)}</p>
                <Form form={endpoint::<api::RequestReset>()} action=FORGOT>
                    <TextField
                        field=Field::Email
                        label=words!(form.email)
                        kind="email"
                        autocomplete="username"
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(reset.ask_button) />
                        <a href=SIGN_IN rel="external">{words!(reset.back)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}

/// `/forgot-password/sent`: the same whether or not the address has a login.
pub(crate) struct ForgotSentPage(Loading<()>);

#[lazy_route]
impl LazyRoute for ForgotSentPage {
    fn data() -> Self {
        Self(load!(_asked => api::ForgotPage {}))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |(), frame| {
            let heading = words!(reset.asked_heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p role="status">{words!(reset.asked)}</p>
                <p><a href=SIGN_IN rel="external">{words!(reset.back)}</a></p>
            }
            .into_any()
        })
    }
}
