//! An account's policy: what its owners require of everybody who enters.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::{AccountNumber, Field};

use crate::address::{POLICY, SECURITY, address_of, from_here};
use crate::endpoint::endpoint;
use crate::frame::PersonView;
use crate::loading::{Loading, framed};
use crate::policies::api::{
    DomainsView, FactorStep, FactorView, PolicyView, SessionsView, SpanView,
};
use crate::title::PageTitle;
use crate::ui::avatar::person;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;
use crate::ui::pages::{Turn, turns};
use crate::ui::state::state;
use crate::ui::still::still;
use crate::ui::table::{Caption, Cell, empty, table};

/// `/accounts/{n}/policy`
pub(crate) struct PolicyPage(Loading<PolicyView>);

#[lazy_route]
impl LazyRoute for PolicyPage {
    fn data() -> Self {
        Self(load!(asked => api::PolicyPage {
            account: asked.account(),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Policy, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = Here::Policy.name();
            let number = account.number;
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, Some(&words!(policy.lead, account = account.name)))}
                {factor(number, view.factor)}
                {sessions(number, view.sessions)}
                {domains(number, view.domains)}
                {single_sign_on(number)}
            }
            .into_any()
        })
    }
}

/// The path that every form of the page posts to.
fn here(number: AccountNumber) -> String {
    address_of(POLICY, &[&number])
}

fn account(number: AccountNumber) -> impl IntoView {
    view! { <input type="hidden" name="account" value=number.to_string() /> }
}

/// A second factor for everybody: how it stands, changing it, and who has none.
fn factor(number: AccountNumber, view: FactorView) -> AnyView {
    let (mood, words) = view.state;
    let required = view.step == FactorStep::Lift;
    let step = match view.step {
        FactorStep::OwnFirst => view! {
            <p>{words!(policy.own_first)}</p>
            <div class="form-actions">
                <a class="button" href=from_here(SECURITY) rel="external">
                    {words!(policy.set_up)}
                </a>
            </div>
        }
        .into_any(),
        FactorStep::Require { days, hint } => view! {
            <Form form={endpoint::<api::RequireFactor>()} action=here(number)>
                {account(number)}
                <TextField field=Field::Days label=words!(policy.days) hint=hint value=days />
                <div class="form-actions">
                    <SubmitButton words=words!(policy.require) />
                </div>
            </Form>
        }
        .into_any(),
        FactorStep::Lift => view! {
            <Form form={endpoint::<api::RequireNoFactor>()} action=here(number)>
                {account(number)}
                <div class="form-actions">
                    <SubmitButton class="" words=words!(policy.lift) />
                </div>
            </Form>
        }
        .into_any(),
    };
    let remind = (required && !view.lacking.is_empty()).then(|| {
        view! {
            <Form form={endpoint::<api::Remind>()} action=here(number)>
                {account(number)}
                <div class="form-actions">
                    <SubmitButton class="" words=words!(policy.remind) />
                </div>
            </Form>
        }
    });
    let first = view.later.then(|| Turn::first(here(number)));
    let next = view.next.map(|after| Turn::next(format!("{}?after={after}", here(number))));
    let pages = turns(&words!(users.pages), first, next);
    view! {
        <section>
            {still(html! { h2 { (words!(policy.factor)) " " (state(mood, &words)) } })}
            <p>{view.sentence}</p>
            {step}
        </section>
        <section>
            {lacking(view.lacking)}
            {pages}
            {remind}
        </section>
    }
    .into_any()
}

fn lacking(people: Vec<PersonView>) -> AnyView {
    if people.is_empty() {
        return empty(words!(policy.none_lacking));
    }
    let row = |one: PersonView| {
        let name = html! { span.person-name dir="auto" translate="no" { (one.name) } };
        vec![Cell::new(person(&one, name))]
    };
    let rows = people.into_iter().map(row).collect();
    table(Caption::Shown(words!(policy.lacking)), vec![words!(users.user)], rows)
}

/// How long sessions open the account.
fn sessions(number: AccountNumber, view: SessionsView) -> AnyView {
    let SessionsView { idle, absolute, before } = view;
    view! {
        <section>
            <h2>{words!(policy.sessions)}</h2>
            <p>{words!(policy.sessions_text)}</p>
            <Form form={endpoint::<api::BoundSessions>()} action=here(number) before=before>
                {account(number)}
                {span_field(Field::SessionIdle, words!(policy.idle), idle)}
                {span_field(Field::SessionAbsolute, words!(policy.absolute), absolute)}
                <div class="form-actions">
                    <SubmitButton class="" words=words!(policy.save_times) />
                </div>
            </Form>
        </section>
    }
    .into_any()
}

fn span_field(field: Field, label: String, span: SpanView) -> AnyView {
    let state = FormState::here();
    let name = field.name();
    let chosen = state.value(name).unwrap_or(span.chosen);
    let options = span.options.into_iter().map(|(value, words)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{words}</option> }
    });
    let error_id = format!("{name}-error");
    let described_by = {
        let error_id = error_id.clone();
        move || state.error(field).is_some().then(|| error_id.clone())
    };
    view! {
        <div class="field" class:field-invalid=move || state.error(field).is_some()>
            <label for=name>{label}</label>
            {move || {
                let id = error_id.clone();
                state.error(field).map(|error| view! { <p class="field-error" id=id>{error}</p> })
            }}
            <select
                id=name
                name=name
                aria-describedby=described_by
                aria-invalid=move || state.error(field).is_some().then_some("true")
            >
                {options.collect_view()}
            </select>
        </div>
    }
    .into_any()
}

/// The way to the account's own identity provider.
fn single_sign_on(number: AccountNumber) -> AnyView {
    let href = crate::single_sign_on::path(number);
    view! {
        <section>
            <h2>{Here::SingleSignOn.name()}</h2>
            <p>{words!(policy.sso_text)}</p>
            <div class="form-actions">
                <a class="button" href=href>{words!(policy.sso_button)}</a>
            </div>
        </section>
    }
    .into_any()
}

/// Which domains invitations go to.
fn domains(number: AccountNumber, view: DomainsView) -> AnyView {
    view! {
        <section>
            <h2>{words!(policy.domains)}</h2>
            <p>{words!(policy.domains_text)}</p>
            <Form form={endpoint::<api::LimitDomains>()} action=here(number) before=view.before>
                {account(number)}
                <TextField
                    field=Field::Domains
                    label=words!(policy.domains_field)
                    hint=words!(policy.domains_hint)
                    autocomplete="off"
                    value=view.typed
                />
                <div class="form-actions">
                    <SubmitButton class="" words=words!(policy.save_domains) />
                </div>
            </Form>
        </section>
    }
    .into_any()
}
