//! Giving a second factor: a code, or a passkey where there is one.

use leptos::prelude::*;
use model::Field;

use crate::endpoint::Endpoint;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};

/// What says in which way a second factor is given: the field's name, and its two values.
const BY: &str = "by";
const CODE: &str = "code";
const PASSKEY: &str = "passkey";

/// A second factor, as the form gave it.
pub(crate) fn given<'a>(
    by: &str,
    code: &'a str,
    credential: &'a str,
) -> domain::second_step::Given<'a> {
    if by == PASSKEY {
        domain::second_step::Given::Passkey(credential)
    } else {
        domain::second_step::Given::Code(code)
    }
}

/// What a second factor is asked for with.
pub(crate) struct FactorForms {
    /// Their server function.
    pub(crate) form: Endpoint,
    /// The path of the page that shows it.
    pub(crate) action: String,
    /// What the forms carry unseen: names and values.
    pub(crate) kept: Vec<(String, String)>,
    /// Whether an authenticator app gives codes; else there are only recovery codes.
    pub(crate) app: bool,
    /// Whether there is a passkey to give.
    pub(crate) passkey: bool,
    /// The buttons' class besides `button`.
    pub(crate) class: &'static str,
    /// The words on the button for a code.
    pub(crate) button: String,
    /// The words on the button for a passkey.
    pub(crate) passkey_button: String,
    /// Where else to go: address and words.
    pub(crate) away: (String, String),
}

impl FactorForms {
    /// The form for a passkey, if there is one, and the form for a code.
    pub(crate) fn show(self) -> AnyView {
        let Self { form, action, kept, app, passkey, class, button, passkey_button, away } = self;
        let passkey_form = passkey.then(|| {
            view! {
                {passkey_form(form, action.clone(), kept.clone(), class, passkey_button)}
                <p class="or">{words!(passkey.or)}</p>
            }
        });
        let hint =
            if app { words!(second_factor.hint) } else { words!(second_factor.recovery_hint) };
        let first = !passkey;
        view! {
            {passkey_form}
            <Form form=form action=action target=CODE.to_owned()>
                {unseen(CODE, kept)}
                <TextField
                    field=Field::Code
                    label=words!(form.code)
                    hint=hint
                    autocomplete="one-time-code"
                    autofocus=first
                />
                <div class="form-actions">
                    <SubmitButton class=class words=button />
                    <a href=away.0>{away.1}</a>
                </div>
            </Form>
        }
        .into_any()
    }
}

/// The form for a passkey as a second factor.
pub(crate) fn passkey_form(
    form: Endpoint,
    action: String,
    kept: Vec<(String, String)>,
    class: &'static str,
    button: String,
) -> AnyView {
    view! {
        <Form form=form action=action target=PASSKEY.to_owned()>
            {unseen(PASSKEY, kept)}
            {passkey_fields(class, button)}
        </Form>
    }
    .into_any()
}

fn unseen(by: &'static str, kept: Vec<(String, String)>) -> AnyView {
    view! {
        <input type="hidden" name=BY value=by />
        {hidden(kept)}
    }
    .into_any()
}

/// Values that a form carries unseen.
pub(crate) fn hidden(values: Vec<(String, String)>) -> AnyView {
    let input = |(name, value)| view! { <input type="hidden" name=name value=value /> };
    values.into_iter().map(input).collect_view().into_any()
}

/// A form's fields for a passkey. Before the form is sent, `public/passkeys.js` calls the server
/// function that asks for one (it knows which, by the form's own), and puts the browser's answer into
/// the hidden field.
pub(crate) fn passkey_fields(class: &'static str, button: String) -> AnyView {
    view! {
        <input type="hidden" name=Field::Passkey.name() />
        <div class="form-actions">
            <SubmitButton class=class words=button />
        </div>
        {passkey_hint()}
    }
    .into_any()
}

/// What a passkey takes. That it takes JavaScript is said only where there is none.
pub(crate) fn passkey_hint() -> AnyView {
    view! {
        <p class="hint">
            {words!(passkey.hint)} " "
            <span class="without-script">{words!(passkey.takes_script)}</span>
        </p>
    }
    .into_any()
}
