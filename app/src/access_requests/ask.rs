//! Asking for a permission: on a page of its own, and where a page is refused for the lack of it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Field};

use crate::access_requests::api::{self, AskView, AskedThing};
use crate::address::{ACCOUNT, ASK, DOMAIN, SERVICE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};

/// `/accounts/{n}/ask`
pub(crate) struct AskPage(Loading<AskView>);

#[lazy_route]
impl LazyRoute for AskPage {
    fn data() -> Self {
        Self(load!(asked => api::AskPage {
            account: asked.account(),
            permission: asked.query("permission"),
            service: asked.query("service"),
            domain: asked.query("domain"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Overview, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let heading = words!(asking.heading);
            let (back, whereto) = match &view.thing {
                Some(AskedThing { is_domain: true, id, name }) => {
                    (address_of(DOMAIN, &[&number, id]), name.clone())
                }
                Some(AskedThing { id, name, .. }) => {
                    (address_of(SERVICE, &[&number, id]), name.clone())
                }
                None => (address_of(ACCOUNT, &[&number]), words!(frame.overview)),
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &whereto)}
                {page_head(&heading, Some(&words!(asking.lead)))}
                {asking(number, view, back)}
            }
            .into_any()
        })
    }
}

/// The form for asking, or how the request stands that waits for an answer. Both lead to `next`.
pub(crate) fn asking(number: AccountNumber, view: AskView, next: String) -> AnyView {
    let state = view.state.clone().map(|state| view! { <p><bdi>{state}</bdi></p> });
    match view.open.clone() {
        Some(request) => view! { {state} {withdraw_form(number, view, request, next)} }.into_any(),
        None => view! { {state} {ask_form(number, view, next)} }.into_any(),
    }
}

fn ask_form(number: AccountNumber, view: AskView, next: String) -> AnyView {
    let AskView { permission, options, thing, .. } = view;
    let is_one = options.len() < 2;
    let name = thing.as_ref().map(|thing| thing.name.clone());
    let about = name.map(|name| {
        view! { <p>{words!(asking.about)} " " <bdi translate="no">{name}</bdi></p> }
    });
    let only = options.first().filter(|_| is_one).map(|(_, label)| {
        view! { <p>{words!(asking.what)} ": " {label.clone()}</p> }
    });
    view! {
        <Form form={endpoint::<api::Ask>()} action=address_of(ASK, &[&number])>
            {account(number)}
            {named(thing)}
            {leading_to(next)}
            {about}
            {only}
            {match is_one {
                true => hidden(Field::Permission.name(), permission),
                false => what_field(permission, options),
            }}
            <TextField field=Field::Why label=words!(bounds.why) hint=words!(asking.why_hint) />
            <TextField
                field=Field::Until
                label=words!(bounds.until)
                hint=words!(asking.until_hint)
                kind="date"
                autocomplete="off"
            />
            <div class="form-actions">
                <SubmitButton words=words!(asking.button) />
            </div>
        </Form>
    }
    .into_any()
}

fn withdraw_form(number: AccountNumber, view: AskView, request: String, next: String) -> AnyView {
    view! {
        <Form form={endpoint::<api::Withdraw>()} action=address_of(ASK, &[&number])>
            {account(number)}
            {hidden("request", request)}
            {hidden(Field::Permission.name(), view.permission)}
            {named(view.thing)}
            {leading_to(next)}
            <div class="form-actions">
                <SubmitButton class="" words=words!(asking.withdraw) />
            </div>
        </Form>
    }
    .into_any()
}

fn hidden(name: &'static str, value: String) -> AnyView {
    view! { <input type="hidden" name=name value=value /> }.into_any()
}

fn account(number: AccountNumber) -> AnyView {
    hidden("account", number.to_string())
}

/// The service or domain that a form is about.
fn named(thing: Option<AskedThing>) -> Option<AnyView> {
    let name = |thing: &AskedThing| if thing.is_domain { "domain" } else { "service" };
    thing.map(|thing| hidden(name(&thing), thing.id))
}

/// Where the form leads: for one that came back, where it was to lead before.
fn leading_to(next: String) -> AnyView {
    hidden("next", FormState::here().value("next").unwrap_or(next))
}

/// Which permission, of those that can be asked for.
fn what_field(permission: String, options: Vec<(String, String)>) -> AnyView {
    let (state, field) = (FormState::here(), Field::Permission);
    let name = field.name();
    let chosen = state.value(name).unwrap_or(permission);
    let options = options.into_iter().map(|(id, label)| {
        let selected = id == chosen;
        view! { <option value=id selected=selected>{label}</option> }
    });
    view! {
        <div class="field">
            <label for=name>{words!(asking.what)}</label>
            <select id=name name=name>{options.collect_view()}</select>
        </div>
    }
    .into_any()
}
