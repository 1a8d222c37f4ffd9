//! Signing in and out.

pub(crate) mod api;
pub(crate) mod confirm;
pub(crate) mod of_another;
pub(crate) mod second_factor;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{FORGOT, MAILBOX};
use crate::endpoint::endpoint;
use crate::identities::buttons;
use crate::loading::{Loading, narrow};
use crate::sign_in::api::SignInView;
use crate::title::PageTitle;
use crate::ui::factor::passkey_fields;
use crate::ui::field::{PasswordField, TextField};
use crate::ui::form::{Form, SubmitButton};

/// `/sign-in`
pub(crate) struct SignInPage(Loading<SignInView>);

#[lazy_route]
impl LazyRoute for SignInPage {
    fn data() -> Self {
        Self(load!(asked => api::SignInPage {
            next: asked.query("next"),
            r#as: asked.query("as"),
        }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let heading = words!(sign_in.heading);
            let next = view.next.clone();
            let username = if view.passkeys { "username webauthn" } else { "username" };
            let passkey = view.passkeys.then(|| by_passkey(view.action.clone(), view.next.clone()));
            let company = (!view.company.is_empty()).then(|| {
                view! { <p><a href=view.company rel="external">{words!(sso.company)}</a></p> }
            });
            let lead = (!view.lead.is_empty()).then(|| view! { <p>{view.lead}</p> });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                    <h1>{heading}</h1>
                    {lead}
                    <Form form={endpoint::<api::SignIn>()} action=view.action.clone()>
                        <input type="hidden" name="next" value=next />
                        <TextField
                            field=Field::Email
                            label=words!(form.email)
                            kind="email"
                            autocomplete=username
                            value=view.email
                        />
                        <PasswordField
                            field=Field::Password
                            label=words!(form.password)
                            value=view.password
                        />
                        <div class="form-actions">
                            <SubmitButton words=words!(sign_in.button) />
                            <a href=FORGOT rel="external">{words!(sign_in.forgot)}</a>
                        </div>
                    </Form>
                    {passkey}
                    {buttons(view.choices, view.action, view.next)}
                    {company}
                    {demo_logins(view.demo, frame.mailbox)}
            }
            .into_any()
        })
    }
}

/// Signing in with a passkey. The browser also offers it in the field for the address.
fn by_passkey(action: String, next: String) -> AnyView {
    view! {
        <p class="or">{words!(passkey.or)}</p>
        <Form form={endpoint::<api::SignInWithPasskey>()} action=action>
            <input type="hidden" name="next" value=next />
            {passkey_fields("", words!(sign_in.by_passkey))}
        </Form>
    }
    .into_any()
}

/// The demo's people, each a link that fills the form.
fn demo_logins(people: Vec<api::DemoLogin>, mailbox: bool) -> AnyView {
    if people.is_empty() {
        return ().into_any();
    }
    let password = people.first().map(|person| person.password.clone()).unwrap_or_default();
    let rows = people
        .into_iter()
        .map(|person| {
            view! {
                <li>
                    <a href=person.href rel="external">
                        <strong>{person.name}</strong>
                        <span>{person.role}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    let mailbox = mailbox.then(|| {
        view! {
            <p><a href=MAILBOX rel="external">{words!(sign_in.demo_mailbox)}</a></p>
        }
    });
    view! {
        <section class="demo">
            <h2>{words!(sign_in.demo_heading)}</h2>
            <p class="hint">{words!(sign_in.demo_hint, password = password)}</p>
            <ul class="demo-logins">{rows}</ul>
            {mailbox}
        </section>
    }
    .into_any()
}
