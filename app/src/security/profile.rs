//! The reader's name and address.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::page::{Loading, PageTitle, framed};
use crate::security::api::{ProfileView, profile_page};
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/profile`
pub(crate) struct ProfilePage(Loading<ProfileView>);

#[lazy_route]
impl LazyRoute for ProfilePage {
    fn data() -> Self {
        Self(load!("profile/page", _asked => profile_page()))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(profile.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head">
                    <div>
                        <h1>{heading}</h1>
                        <p class="lead">{words!(profile.lead)}</p>
                    </div>
                </div>
                <Form form="profile/rename" action="/profile">
                    <TextField
                        field=Field::FullName
                        label=words!(form.full_name)
                        autocomplete="name"
                        value=view.name
                    />
                    <TextField
                        field=Field::Email
                        label=words!(form.email)
                        hint=words!(profile.email_hint)
                        kind="email"
                        value=view.email
                        readonly=true
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(form.save) />
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}
