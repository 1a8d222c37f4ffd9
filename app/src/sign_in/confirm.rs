//! The page that asks who the reader is before it sends a form on, or leads on to a page: what they
//! are about to do takes a fresh proof. It is always whole from the server, at the address of the
//! form's own page.

use leptos::prelude::*;
use model::Field;

use crate::page::{Confirming, PageTitle};
use crate::request;
use crate::ui::factor::passkey_fields;
use crate::ui::field::{PasswordField, username};
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Narrow;

/// The server function that leads on to a page: nothing was typed yet.
pub const GO_ON: &str = "sign-in/go-on";

/// The page; what was typed travels on unseen.
pub(crate) fn confirm_page(confirming: Confirming) -> AnyView {
    let viewer = request::viewer().ok();
    let email = viewer.as_ref().map(|viewer| viewer.email.to_string()).unwrap_or_default();
    let frame = request::frame(None, None, false);
    let heading = words!(confirm.heading);
    let Confirming { action, form, values, passkey } = confirming;
    let lead = match form.as_str() {
        GO_ON => words!(confirm.enter, email = email.clone()),
        _ => words!(confirm.lead, email = email.clone()),
    };
    let waits = || kept(&form, &values);
    let kept_by_passkey = waits();
    let passkey = passkey.then(|| {
        view! {
            <p class="or">{words!(passkey.or)}</p>
            <Form form="sign-in/confirm-by-passkey" action=action.clone()>
                {kept_by_passkey}
                {passkey_fields("security/ask-for-proof", "", words!(confirm.by_passkey))}
            </Form>
        }
    });
    let kept = waits();
    let back = action.clone();
    view! {
        <PageTitle title=heading.clone() provider=frame.provider.clone() />
        <Narrow frame=frame>
            <h1>{heading}</h1>
            <p>{lead}</p>
            <Form form="sign-in/confirm" action=action>
                {kept}
                {username(email)}
                <PasswordField field=Field::Password label=words!(form.password) />
                <div class="form-actions">
                    <SubmitButton words=words!(confirm.button) />
                    <a href=back rel="external">{words!(form.cancel)}</a>
                </div>
            </Form>
            {passkey}
        </Narrow>
    }
    .into_any()
}

/// The form that waits, unseen.
fn kept(form: &str, values: &[(String, String)]) -> AnyView {
    let values = values.iter().map(|(name, value)| {
        view! { <input type="hidden" name=format!("kept.{name}") value=value.clone() /> }
    });
    view! {
        <input type="hidden" name="kept_form" value=form.to_owned() />
        {values.collect_view()}
    }
    .into_any()
}
