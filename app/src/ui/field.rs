//! Fields: label, hint, error and control, tied together for screen readers.

use leptos::prelude::*;
use maud::html;
use model::Field;

use crate::ui::form::FormState;
use crate::ui::still::still;

/// What a control is called.
pub(crate) fn label(control: &str, words: &str) -> AnyView {
    still(html! { label for=(control) { (words) } })
}

/// A line that helps to fill something in.
pub(crate) fn hint(id: &str, words: &str) -> AnyView {
    still(html! { p.hint id=(id) { (words) } })
}

/// What is wrong with what was filled in.
pub(crate) fn wrong(id: &str, words: &str) -> AnyView {
    still(html! { p.field-error id=(id) { (words) } })
}

/// A field of one line.
#[component]
pub(crate) fn TextField(
    /// Which field.
    field: Field,
    /// Its label.
    #[prop(into)]
    label: String,
    /// A line that helps to fill it in.
    #[prop(optional, into)]
    hint: String,
    /// The kind of control (HTML `input` type).
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in (HTML autofill field name).
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// The keys that a phone shows for it (HTML `inputmode`).
    #[prop(optional)]
    keys: Option<&'static str>,
    /// What is in it before anybody types.
    #[prop(optional, into)]
    value: String,
    /// Whether it is for showing only.
    #[prop(optional)]
    readonly: bool,
    /// Whether it takes the focus when it appears.
    #[prop(optional)]
    autofocus: bool,
    /// What stands beside the control.
    #[prop(optional)]
    beside: Option<AnyView>,
) -> impl IntoView {
    let state = FormState::here();
    let name = field.name();
    let value = state.value(name).unwrap_or(value);
    let hint_id = (!hint.is_empty()).then(|| format!("{name}-hint"));
    let hint_line = hint_id.as_ref().map(|id| self::hint(id, &hint));
    let error_id = format!("{name}-error");
    let described_by = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || {
            let error = state.error(field).is_some().then(|| error_id.clone());
            let ids: Vec<_> = hint_id.clone().into_iter().chain(error).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    let spelling = matches!(kind, "email" | "password").then_some("false");
    view! {
        <div class="field" class:field-invalid=move || state.error(field).is_some()>
            {self::label(name, &label)}
            {hint_line}
            {move || state.error(field).map(|error| wrong(&error_id, &error))}
            <div class="control">
                <input
                    id=name
                    name=name
                    type=kind
                    value=value
                    readonly=readonly
                    autofocus=autofocus
                    autocomplete=autocomplete
                    inputmode=keys
                    spellcheck=spelling
                    aria-describedby=described_by
                    aria-invalid=move || state.error(field).is_some().then_some("true")
                />
                {beside}
            </div>
        </div>
    }
}

/// Shows what is typed into a password's field, and hides it again (OWASP ASVS 5.0 V6.2.6). A script
/// of the document does it, and without it the button isn't there.
#[cfg(feature = "ssr")]
fn show_button(of: Field) -> AnyView {
    still(html! {
        button.button
            type="button"
            aria-label=(words!(form.show_password))
            aria-controls=(of.name())
            hidden
        { (words!(form.show)) }
    })
}

/// Whose password it is, unseen: password managers look for it beside the password.
#[cfg(feature = "ssr")]
pub(crate) fn username(email: String) -> AnyView {
    still(html! {
        input.visually-hidden
            type="email"
            name="username"
            autocomplete="username"
            value=(email)
            readonly
            tabindex="-1"
            aria-hidden="true";
    })
}

/// A password: never sent back to the page.
#[cfg(feature = "ssr")]
#[component]
pub(crate) fn PasswordField(
    /// Which field.
    field: Field,
    /// Its label.
    #[prop(into)]
    label: String,
    /// Whether a new password is chosen here.
    #[prop(optional)]
    new: bool,
    /// What is in it before anybody types: only the demo's public password.
    #[prop(optional, into)]
    value: String,
    /// Whether it takes the focus when it appears.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let autocomplete = if new { "new-password" } else { "current-password" };
    let hint = new.then(|| words!(form.password_hint));
    view! {
        <TextField
            field=field
            label=label
            kind="password"
            autocomplete=autocomplete
            hint=hint.unwrap_or_default()
            value=value
            autofocus=autofocus
            beside=show_button(field)
        />
    }
}
