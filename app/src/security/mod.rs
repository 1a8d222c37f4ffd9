//! A user's own login: name, address, password, second factors, devices, and getting back in without
//! them.

pub(crate) mod api;
pub(crate) mod authenticator;
pub(crate) mod forgot;
pub(crate) mod passkeys;
pub(crate) mod reset;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};
use model::Field;

use crate::address::{AUTHENTICATOR_OFF, PASSKEY, RECOVERY_CODES, SECURITY, address_of, from_here};
use crate::endpoint::endpoint;
use crate::identities::linked_table;
use crate::loading::{Loading, framed};
use crate::security::api::{DeviceRow, PasskeyRow, SecurityView};
use crate::title::PageTitle;
use crate::ui::field::{PasswordField, username};
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;
use crate::ui::state::{Mood, state};
use crate::ui::still::still;
use crate::ui::table::{Caption, Cell, table};
use crate::when::{Moment, relative, relative_or_never};

/// `/security`
pub(crate) struct SecurityPage(Loading<SecurityView>);

#[lazy_route]
impl LazyRoute for SecurityPage {
    fn data() -> Self {
        Self(load!(_asked => api::SecurityPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(security.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, Some(&words!(security.lead)))}
                {passkeys(view.passkeys, view.has_passkeys)}
                {two_steps(view.app)}
                {recovery_codes(view.codes)}
                {linked_table(view.linked)}
                {devices(view.devices)}
                <section>
                    <h2>{words!(security.password)}</h2>
                    <Form form={endpoint::<api::ChangePassword>()} action=SECURITY>
                        {username(view.email)}
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

/// The reader's passkeys, and adding one where there can be any.
fn passkeys(passkeys: Vec<PasskeyRow>, possible: bool) -> AnyView {
    if passkeys.is_empty() && !possible {
        return ().into_any();
    }
    let content = if passkeys.is_empty() {
        view! { <p>{words!(passkey.none)}</p> }.into_any()
    } else {
        let columns = vec![
            words!(passkey.name),
            words!(passkey.since),
            words!(security.device_last),
            words!(users.actions),
        ];
        let rows = passkeys.into_iter().map(passkey_row).collect();
        table(Caption::Quiet(words!(passkey.title)), columns, rows)
    };
    let add = possible.then(|| {
        view! {
            <Form form={endpoint::<api::BeginPasskey>()} action=SECURITY>
                <div class="form-actions">
                    <SubmitButton class="" words=words!(passkey.add) />
                </div>
            </Form>
        }
    });
    view! {
        <section>
            <h2>{words!(passkey.title)}</h2>
            {content}
            {add}
        </section>
    }
    .into_any()
}

fn passkey_row(passkey: PasskeyRow) -> Vec<Cell> {
    let PasskeyRow { id, name, since, used } = passkey;
    let manage = html! {
        a.button.button-quiet
            href=(from_here(&address_of(PASSKEY, &[&id])))
            aria-label=(words!(passkey.manage_of, name = name.clone()))
        { (words!(passkey.manage)) }
    };
    vec![
        Cell::new(html! { strong { bdi { (name) } } }),
        Cell::number(relative(&since)),
        Cell::number(relative_or_never(used.as_ref())),
        Cell::actions(manage),
    ]
}

/// The way in without the second factor, once there is one.
fn recovery_codes(left: Option<String>) -> Option<AnyView> {
    let left = left?;
    let codes = view! {
        <section>
            <h2>{words!(security.codes)}</h2>
            <p>{words!(security.codes_text)}</p>
            <p>{left}</p>
            <div class="form-actions">
                <a class="button" href=from_here(RECOVERY_CODES)>{words!(security.codes_new)}</a>
            </div>
        </section>
    };
    Some(codes.into_any())
}

/// The authenticator app: how it stands, and changing it.
fn two_steps(app: Option<(Moment, Option<Moment>)>) -> AnyView {
    let (state, content) = match app {
        None => (
            still(state(Mood::Quiet, &words!(users.off))),
            view! {
                <p>{words!(security.app_off)}</p>
                <Form form={endpoint::<api::BeginApp>()} action=SECURITY>
                    <div class="form-actions">
                        <SubmitButton class="" words=words!(security.app_set_up) />
                    </div>
                </Form>
            }
            .into_any(),
        ),
        Some((since, used)) => (
            still(state(Mood::Ok, &words!(users.on))),
            view! {
                <p>{words!(security.app_on)}</p>
                <dl class="facts">
                    <dt>{words!(security.app_since)}</dt>
                    <dd>{still(relative(&since))}</dd>
                    <dt>{words!(security.app_used)}</dt>
                    <dd>{still(relative_or_never(used.as_ref()))}</dd>
                </dl>
                <div class="form-actions">
                    <a class="button" href=from_here(AUTHENTICATOR_OFF)>
                        {words!(security.app_turn_off)}
                    </a>
                </div>
            }
            .into_any(),
        ),
    };
    view! {
        <section>
            <h2>{words!(security.two_steps)} " " {state}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// Where the reader is signed in.
fn devices(devices: Vec<DeviceRow>) -> AnyView {
    let others = devices.iter().any(|device| !device.present);
    let columns = vec![
        words!(security.device),
        words!(security.device_since),
        words!(security.device_last),
        words!(users.actions),
    ];
    let rows = devices.into_iter().map(device_row).collect();
    let everywhere = others.then(|| {
        view! {
            <Form form={endpoint::<api::EndOtherDevices>()} action=SECURITY summary=false>
                <div class="form-actions">
                    <SubmitButton class="" words=words!(security.end_others) />
                </div>
            </Form>
        }
    });
    view! {
        <section>
            {table(Caption::Shown(words!(security.devices)), columns, rows)}
            {everywhere}
        </section>
    }
    .into_any()
}

fn device_row(device: DeviceRow) -> Vec<Cell> {
    let DeviceRow { id, browser, address, since, last_seen, present } = device;
    let called = html! {
        span {
            strong { (browser) }
            @if present { " " span.tag { (words!(security.this_device)) } }
        }
        br;
        span.hint { (address) }
    };
    let label = words!(security.end_of, device = browser.clone(), address = address.clone());
    let end = (!present).then(|| {
        view! {
            <Form
                form={endpoint::<api::EndDevice>()}
                action=SECURITY
                class="inline-form"
                summary=false
                target=id.clone()
            >
                <input type="hidden" name="device" value=id />
                <SubmitButton class="button-quiet" label=label words=words!(security.end) />
            </Form>
        }
        .into_any()
    });
    vec![
        Cell::new(called),
        Cell::number(relative(&since)),
        Cell::number(relative(&last_seen)),
        end.map_or_else(|| Cell::actions(Markup::default()), Cell::actions),
    ]
}
