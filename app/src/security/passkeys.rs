//! Passkeys: adding one, naming it, removing it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{ADD_PASSKEY, PASSKEY, SECURITY, address_of, from_here};
use crate::endpoint::endpoint;
use crate::frame::Frame;
use crate::loading::{Loading, framed};
use crate::security::api::{self, NewPasskeyView, PasskeyView};
use crate::security::authenticator::warning;
use crate::title::PageTitle;
use crate::ui::factor::{FactorForms, passkey_hint};
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::back_to;

/// Where the name stands in the heading.
const NAME: &str = "\n";

/// `/security/passkeys/add`
pub(crate) struct AddPasskeyPage(Loading<NewPasskeyView>);

#[lazy_route]
impl LazyRoute for AddPasskeyPage {
    fn data() -> Self {
        Self(load!(_asked => api::NewPasskeyPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(passkey.add_heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(passkey.add_text)}</p>
                <Form form={endpoint::<api::AddPasskey>()} action=ADD_PASSKEY>
                    {name_field(view.name)}
                    <input type="hidden" name=Field::Passkey.name() />
                    <div class="form-actions">
                        <SubmitButton words=words!(passkey.add_button) />
                        <a href=from_here(SECURITY)>{words!(form.cancel)}</a>
                    </div>
                    {passkey_hint()}
                </Form>
            }
            .into_any()
        })
    }
}

/// `/security/passkeys/{id}`
pub(crate) struct PasskeyPage(Loading<PasskeyView>);

#[lazy_route]
impl LazyRoute for PasskeyPage {
    fn data() -> Self {
        Self(load!(asked => api::PasskeyPage { passkey: asked.part("passkey") }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, show)
    }
}

fn show(view: PasskeyView, frame: Frame) -> AnyView {
    let title = words!(passkey.heading, name = view.name.clone());
    // The name may be written from right to left, the words around it aren't.
    let heading = words!(passkey.heading, name = NAME.to_owned());
    let (before, after) = heading.split_once(NAME).unwrap_or_default();
    let (before, after) = (before.to_owned(), after.to_owned());
    let action = address_of(PASSKEY, &[&view.id]);
    let (id, to_remove) = (view.id.clone(), view.id.clone());
    let removal = if view.last {
        view! {
            <p>{words!(passkey.remove_last)}</p>
            {view.closing.clone().map(warning)}
            {FactorForms {
                form: endpoint::<api::RemovePasskey>(),
                action: action.clone(),
                kept: vec![("passkey".to_owned(), view.id.clone())],
                app: false,
                passkey: view.usable,
                class: "button-danger",
                button: words!(passkey.remove_by_code),
                passkey_button: words!(passkey.remove_by_passkey),
                away: (from_here(SECURITY), words!(form.cancel)),
            }
                .show()}
        }
        .into_any()
    } else {
        view! {
            <p>{words!(passkey.remove_text)}</p>
            <Form form={endpoint::<api::RemovePasskey>()} action=action.clone() summary=false>
                <input type="hidden" name="passkey" value=to_remove />
                <div class="form-actions">
                    <SubmitButton class="button-danger" words=words!(passkey.remove) />
                </div>
            </Form>
        }
        .into_any()
    };
    view! {
        <PageTitle title=title provider=frame.provider />
        {back_to(&from_here(SECURITY), &words!(security.heading))}
        <h1>{before} <bdi>{view.name.clone()}</bdi> {after}</h1>
        <Form form={endpoint::<api::RenamePasskey>()} action=action>
            <input type="hidden" name="passkey" value=id />
            {name_field(view.name)}
            <div class="form-actions">
                <SubmitButton words=words!(form.save) />
            </div>
        </Form>
        <section class="danger-zone">
            <h2>{words!(passkey.remove_heading)}</h2>
            {removal}
        </section>
    }
    .into_any()
}

fn name_field(name: String) -> AnyView {
    view! {
        <TextField
            field=Field::PasskeyName
            label=words!(passkey.name)
            hint=words!(passkey.name_hint)
            autocomplete="off"
            value=name
        />
    }
    .into_any()
}
