//! The page that asks who the reader is before it sends a form on, or leads on to a page: what they
//! are about to do takes a fresh proof. It is always whole from the server, at the address of the
//! form's own page.

use leptos::prelude::*;
use model::Field;

use crate::address::{ACCOUNT, PROFILE, address_of, from_here};
use crate::endpoint::{Endpoint, endpoint};
use crate::frame::Frame;
use crate::loading::when_there;
use crate::rejected::{Confirming, ProofTaken};
use crate::request;
use crate::sign_in::api;
use crate::title::{Around, PageTitle};
use crate::ui::factor::{FactorForms, hidden, passkey_form};
use crate::ui::field::{PasswordField, username};
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Narrow;

/// The server function that leads on to a page: nothing was typed yet.
pub const GO_ON: &str = endpoint::<api::GoOn>().name();

/// The field that says that nothing but a second factor is taken.
pub const TAKES_FACTOR: &str = "takes_factor";

/// The server function that takes a second factor as the proof.
const BY_FACTOR: Endpoint = endpoint::<api::ConfirmByFactor>();

/// The page; what was typed travels on unseen.
pub(crate) fn confirm_page(confirming: Confirming) -> AnyView {
    when_there(move || {
        let confirming = confirming.clone();
        Box::pin(async move { Ok(asking(confirming, request::frame_of_question().await)) })
    })
}

fn asking(confirming: Confirming, frame: Frame) -> AnyView {
    provide_context(Around::of(&frame));
    let viewer = request::viewer().ok();
    let email = viewer.as_ref().map(|viewer| viewer.email.to_string()).unwrap_or_default();
    let heading = words!(confirm.heading);
    let Confirming { action, form, values, takes, passkey } = confirming;
    let goes_on = form == GO_ON;
    let confined_to = viewer.as_ref().and_then(domain::viewer::Viewer::confined_to);
    let lead = match takes {
        _ if confined_to.is_some() && goes_on => words!(confirm.beyond, email = email.clone()),
        _ if confined_to.is_some() => words!(confirm.beyond_kept, email = email.clone()),
        ProofTaken::Factor { .. } => words!(confirm.factor_lead, email = email.clone()),
        ProofTaken::Password if goes_on => words!(confirm.enter, email = email.clone()),
        ProofTaken::Password => words!(confirm.lead, email = email.clone()),
    };
    // A page that asks first is no place to go back to.
    let back = match confined_to {
        Some(number) if goes_on => address_of(ACCOUNT, &[&number]),
        None if goes_on => from_here(PROFILE),
        _ => action.clone(),
    };
    let mut kept = kept(form, values);
    if let ProofTaken::Factor { .. } = takes {
        kept.push((TAKES_FACTOR.to_owned(), "true".to_owned()));
    }
    let forms = match takes {
        ProofTaken::Factor { app } => FactorForms {
            form: BY_FACTOR,
            action,
            kept,
            app,
            passkey,
            class: "button-primary",
            button: words!(confirm.button),
            passkey_button: words!(confirm.by_passkey),
            away: (back, words!(form.cancel)),
        }
        .show(),
        ProofTaken::Password => {
            let by_passkey = passkey.then(|| {
                let button = words!(confirm.by_passkey);
                view! {
                    <p class="or">{words!(passkey.or)}</p>
                    {passkey_form(BY_FACTOR, action.clone(), kept.clone(), "", button)}
                }
            });
            view! {
                <Form form={endpoint::<api::Confirm>()} action=action.clone()>
                    {hidden(kept.clone())}
                    {username(email)}
                    <PasswordField
                        field=Field::Password
                        label=words!(form.password)
                        autofocus=true
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(confirm.button) />
                        <a href=back rel="external">{words!(form.cancel)}</a>
                    </div>
                </Form>
                {by_passkey}
            }
            .into_any()
        }
    };
    view! {
        <PageTitle title=heading.clone() provider=frame.provider.clone() />
        <Narrow frame=frame>
            <h1>{heading}</h1>
            <p>{lead}</p>
            {forms}
        </Narrow>
    }
    .into_any()
}

/// The form that waits.
fn kept(form: String, values: Vec<(String, String)>) -> Vec<(String, String)> {
    let values = values.into_iter().map(|(name, value)| (format!("kept.{name}"), value));
    std::iter::once(("kept_form".to_owned(), form)).chain(values).collect()
}
