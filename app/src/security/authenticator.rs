//! The authenticator app: setting it up, turning it off, and new recovery codes.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{AUTHENTICATOR, AUTHENTICATOR_OFF, RECOVERY_CODES, SECURITY, from_here};
use crate::endpoint::endpoint;
use crate::frame::Frame;
use crate::loading::{Loading, framed};
use crate::security::api::{self, AppSetupView, FactorView, QrCode};
use crate::title::PageTitle;
use crate::ui::copy::copy_button;
use crate::ui::factor::FactorForms;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/security/authenticator`
pub(crate) struct AuthenticatorPage(Loading<AppSetupView>);

#[lazy_route]
impl LazyRoute for AuthenticatorPage {
    fn data() -> Self {
        Self(load!(_asked => api::AppSetupPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(authenticator.heading);
            let Some(code) = view.code else { return begin_anew(heading, frame) };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <ol class="steps">
                    <li>{words!(authenticator.step_app)}</li>
                    <li>
                        <p>{words!(authenticator.step_scan, email = view.email)}</p>
                        {draw(code)}
                        <p>{words!(authenticator.same_phone)}</p>
                        <p>
                            <a class="button" href=view.address rel="external">
                                {words!(authenticator.open_app)}
                            </a>
                        </p>
                        <p>{words!(authenticator.or_type)}</p>
                        <p class="key-line">
                            <code class="key" translate="no">{view.key.clone()}</code>
                            {copy_button(view.key.replace(' ', ""), words!(authenticator.copy))}
                        </p>
                    </li>
                    <li>{words!(authenticator.step_code)}</li>
                </ol>
                <Form form={endpoint::<api::TurnAppOn>()} action=AUTHENTICATOR>
                    <TextField
                        field=Field::Code
                        label=words!(form.code)
                        hint=words!(authenticator.code_hint)
                        autocomplete="one-time-code"
                        keys="numeric"
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(authenticator.turn_on) />
                        <a href=from_here(SECURITY)>{words!(form.cancel)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}

/// The set-up took too long, or its reader wasn't asked lately who they are.
fn begin_anew(heading: String, frame: Frame) -> AnyView {
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <h1>{heading}</h1>
        <p>{words!(failure.setup_over)}</p>
        <Form form={endpoint::<api::BeginApp>()} action=AUTHENTICATOR>
            <div class="form-actions">
                <SubmitButton words=words!(authenticator.begin) />
                <a href=from_here(SECURITY)>{words!(form.cancel)}</a>
            </div>
        </Form>
    }
    .into_any()
}

fn draw(code: QrCode) -> AnyView {
    let around = format!("0 0 {0} {0}", code.size);
    view! {
        <svg class="qr-code" viewBox=around role="img" aria-label=words!(authenticator.qr_code)>
            <path d=code.path></path>
        </svg>
    }
    .into_any()
}

/// `/security/authenticator/off`
pub(crate) struct TurnOffPage(Loading<FactorView>);

#[lazy_route]
impl LazyRoute for TurnOffPage {
    fn data() -> Self {
        Self(load!(_asked => api::FactorPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(authenticator.off_heading);
            let consequence = if view.passkey {
                words!(authenticator.off_text_passkey)
            } else {
                words!(authenticator.off_text)
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{consequence}</p>
                {view.closing.map(warning)}
                {FactorForms {
                    form: endpoint::<api::TurnAppOff>(),
                    action: AUTHENTICATOR_OFF.to_owned(),
                    kept: Vec::new(),
                    app: view.app,
                    passkey: view.passkey,
                    class: "button-danger",
                    button: words!(authenticator.turn_off),
                    passkey_button: words!(authenticator.turn_off_by_passkey),
                    away: (from_here(SECURITY), words!(form.cancel)),
                }
                    .show()}
            }
            .into_any()
        })
    }
}

/// What else follows.
pub(crate) fn warning(sentence: String) -> AnyView {
    view! { <div class="notice notice-warning"><p>{sentence}</p></div> }.into_any()
}

/// `/security/recovery-codes`
pub(crate) struct CodesPage(Loading<FactorView>);

#[lazy_route]
impl LazyRoute for CodesPage {
    fn data() -> Self {
        Self(load!(_asked => api::FactorPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(authenticator.renew_heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(authenticator.renew_text)}</p>
                {FactorForms {
                    form: endpoint::<api::RenewCodes>(),
                    action: RECOVERY_CODES.to_owned(),
                    kept: Vec::new(),
                    app: view.app,
                    passkey: view.passkey,
                    class: "button-primary",
                    button: words!(authenticator.renew),
                    passkey_button: words!(authenticator.renew_by_passkey),
                    away: (from_here(SECURITY), words!(form.cancel)),
                }
                    .show()}
            }
            .into_any()
        })
    }
}
