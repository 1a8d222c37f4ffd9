//! The address of the reader's login: wanting another one, and the pages of the links that confirm it
//! and take it back.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{EMAIL, PROFILE, from_here};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed, narrow};
use crate::profile::api::{self, EmailLinkView, ProfileView};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/profile/email`
pub(crate) struct EmailPage(Loading<ProfileView>);

#[lazy_route]
impl LazyRoute for EmailPage {
    fn data() -> Self {
        Self(load!(_asked => api::ProfilePage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(email.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(email.lead, email = view.email)}</p>
                <Form form={endpoint::<api::ChangeEmail>()} action=EMAIL>
                    <TextField
                        field=Field::Email
                        label=words!(email.new)
                        kind="email"
                        autocomplete="email"
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(email.button) />
                        <a href=from_here(PROFILE)>{words!(form.cancel)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}

/// `/email/confirm/{token}` and `/email/undo/{token}`: in words that the server finds, as no page
/// of a mail's link comes to life.
pub(crate) struct EmailLinkPage(Loading<EmailLinkView>);

#[lazy_route]
impl LazyRoute for EmailLinkPage {
    fn data() -> Self {
        Self(load!(asked => api::EmailLinkPage {
            step: asked.part("step"),
            token: asked.part("token"),
        }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let EmailLinkView { heading, text, closes, button, form, path, token } = view;
            let next = match form {
                Some((form, action)) => view! {
                    <Form form=form.endpoint() action=action>
                        <input type="hidden" name="token" value=token />
                        <input type="hidden" name="next" value=path />
                        <div class="form-actions">
                            <SubmitButton words=button />
                        </div>
                    </Form>
                }
                .into_any(),
                None => view! {
                    <p><a class="button" href=path rel="external">{button}</a></p>
                }
                .into_any(),
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{text}</p>
                {closes.map(|closes| view! { <p>{closes}</p> })}
                {next}
            }
            .into_any()
        })
    }
}
