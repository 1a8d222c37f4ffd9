//! A user's own login: name, password, and getting back in without it.

mod api;
pub(crate) mod forgot;
pub(crate) mod profile;
pub(crate) mod reset;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::page::{Loading, PageTitle, framed};
use crate::security::api::{ProfileView, profile_page};
use crate::ui::field::PasswordField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/security`
pub(crate) struct SecurityPage(Loading<ProfileView>);

#[lazy_route]
impl LazyRoute for SecurityPage {
    fn data() -> Self {
        Self(load!("profile/page", _asked => profile_page()))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(security.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head">
                    <div>
                        <h1>{heading}</h1>
                        <p class="lead">{words!(security.lead)}</p>
                    </div>
                </div>
                <section>
                    <h2>{words!(security.password)}</h2>
                    <Form form="security/change-password" action="/security">
                        <input
                            class="visually-hidden"
                            type="email"
                            name="username"
                            autocomplete="username"
                            value=view.email
                            readonly
                            tabindex="-1"
                            aria-hidden="true"
                        />
                        <PasswordField
                            field=Field::Password
                            label=words!(form.current_password)
                        />
                        <PasswordField
                            field=Field::NewPassword
                            label=words!(form.new_password)
                            new=true
                        />
                        <div class="form-actions">
                            <SubmitButton words=words!(security.button) />
                        </div>
                    </Form>
                </section>
            }
            .into_any()
        })
    }
}
