//! An account's own identity provider: proving a domain, choosing the provider, requiring it; and
//! signing in with it.

pub(crate) mod api;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Field};

use crate::address::{POLICY, SINGLE_SIGN_ON, address_of};
use crate::endpoint::{Endpoint, endpoint};
use crate::loading::{Loading, framed};
use crate::single_sign_on::api::{
    DomainRow, DomainsView, Fact, ProviderView, RequirementView, SingleSignOnView, Step, Verb,
};
use crate::title::PageTitle;
use crate::ui::copy::CopyButton;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::ui::state::state;
use crate::ui::still::still;

/// `/accounts/{n}/single-sign-on`
pub(crate) struct SingleSignOnPage(Loading<SingleSignOnView>);

#[lazy_route]
impl LazyRoute for SingleSignOnPage {
    fn data() -> Self {
        Self(load!(asked => api::SingleSignOnPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::SingleSignOn, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = Here::SingleSignOn.name();
            let number = account.number;
            let back = address_of(POLICY, &[&number]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &Here::Policy.name())}
                {page_head(&heading, Some(&view.lead))}
                {domains(number, view.domains)}
                {provider(number, view.provider)}
                {requirement(number, view.requirement)}
            }
            .into_any()
        })
    }
}

/// The page's path, to which each of its forms posts.
pub(crate) fn path(number: AccountNumber) -> String {
    address_of(SINGLE_SIGN_ON, &[&number])
}

/// What a form carries unseen.
fn carried(name: &'static str, value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value /> }
}

/// A form of one button, for the account or for one of its domains.
fn button(
    form: Endpoint,
    number: AccountNumber,
    domain: Option<String>,
    class: &'static str,
    verb: Verb,
) -> AnyView {
    let Verb { words, label } = verb;
    view! {
        <Form form=form action=path(number) target=domain.clone().unwrap_or_default()>
            {carried("account", number.to_string())}
            {domain.map(|domain| carried("domain", domain))}
            <div class="form-actions">
                <SubmitButton class=class label=label words=words />
            </div>
        </Form>
    }
    .into_any()
}

/// What is seldom needed, or can't be taken back, is behind a question.
fn behind(question: Verb, text: String, content: AnyView) -> AnyView {
    view! {
        <details class="asked">
            <summary aria-label=question.label>{question.words}</summary>
            <p>{text}</p>
            {content}
        </details>
    }
    .into_any()
}

fn domains(number: AccountNumber, view: DomainsView) -> AnyView {
    let DomainsView { heading, text, rows, label, hint, add } = view;
    view! {
        <section>
            <h2>{heading}</h2>
            <p>{text}</p>
            {rows.into_iter().map(|row| domain(number, row)).collect_view()}
            <Form form={endpoint::<api::AddDomain>()} action=path(number)>
                {carried("account", number.to_string())}
                <TextField field=Field::Domain label=label hint=hint autocomplete="off" />
                <div class="form-actions">
                    <SubmitButton class="" words=add />
                </div>
            </Form>
        </section>
    }
    .into_any()
}

fn domain(number: AccountNumber, row: DomainRow) -> AnyView {
    let DomainRow { id, name, state: (mood, words), record, kept_behind, prove, remove, asked } =
        row;
    let (text, facts) = record;
    let facts = facts_of(facts);
    let (record, kept) = match kept_behind {
        Some(question) => (None, Some(behind(question, text, facts))),
        None => (Some(view! { <p>{text}</p> {facts} }), None),
    };
    let prove = prove
        .map(|verb| button(endpoint::<api::ProveDomain>(), number, Some(id.clone()), "", verb));
    let form = endpoint::<api::RemoveDomain>();
    let remove = remove.map(|verb| match asked {
        Some((text, answer)) => {
            behind(verb, text, button(form, number, Some(id), "button-danger", answer))
        }
        None => button(form, number, Some(id), "button-quiet", verb),
    });
    view! {
        <article class="card">
            <h3>{name} " " {still(state(mood, &words))}</h3>
            {record}
            <div class="asked-row">{prove} {kept} {remove}</div>
        </article>
    }
    .into_any()
}

/// What is typed elsewhere, to be copied.
fn facts_of(facts: Vec<Fact>) -> AnyView {
    let facts = facts.into_iter().map(|Fact { name, value, copy }| {
        let copy = copy.map(|words| {
            view! { <CopyButton words=words text=value.clone() class="link-button" /> }
        });
        view! {
            <dt>{name}</dt>
            <dd class="to-copy"><code translate="no">{value}</code> {copy}</dd>
        }
    });
    view! { <dl class="facts">{facts.collect_view()}</dl> }.into_any()
}

fn provider(number: AccountNumber, view: ProviderView) -> AnyView {
    let ProviderView { heading, text, redirect, issuer, client_id, secret, locked, .. } = view;
    let remove = view.remove.map(|(question, text, answer)| {
        let form = endpoint::<api::RemoveProvider>();
        behind(question, text, button(form, number, None, "button-danger", answer))
    });
    view! {
        <section>
            <h2>{heading}</h2>
            <p>{text}</p>
            {facts_of(vec![redirect])}
            {view.change_text.map(|text| view! { <p>{text}</p> })}
            <Form form={endpoint::<api::SetProvider>()} action=path(number)>
                {carried("account", number.to_string())}
                <TextField
                    field=Field::Issuer
                    label=issuer.label
                    hint=issuer.hint
                    kind="url"
                    autocomplete="off"
                    value=issuer.value
                    readonly=locked
                />
                <TextField
                    field=Field::ClientId
                    label=client_id.label
                    autocomplete="off"
                    value=client_id.value
                    readonly=locked
                />
                <TextField
                    field=Field::ClientSecret
                    label=secret.label
                    hint=secret.hint
                    kind="password"
                    autocomplete="new-password"
                />
                <div class="form-actions">
                    <SubmitButton class="" words=view.save />
                </div>
            </Form>
            {remove}
        </section>
    }
    .into_any()
}

fn requirement(number: AccountNumber, view: RequirementView) -> AnyView {
    let RequirementView { heading, state: (mood, words), texts, step } = view;
    let step = match step {
        Step::None => ().into_any(),
        Step::Try { email, words } => view! {
            <Form form={endpoint::<api::SignInWithCompany>()} action=path(number)>
                {carried("email", email)}
                {carried("next", path(number))}
                <div class="form-actions">
                    <SubmitButton words=words />
                </div>
            </Form>
        }
        .into_any(),
        Step::Require(words) => {
            let verb = Verb::new(words);
            button(endpoint::<api::Require>(), number, None, "button-primary", verb)
        }
        Step::Lift(words) => {
            let verb = Verb::new(words);
            button(endpoint::<api::Lift>(), number, None, "", verb)
        }
    };
    view! {
        <section>
            <h2>{heading} " " {still(state(mood, &words))}</h2>
            {texts.into_iter().map(|text| view! { <p>{text}</p> }).collect_view()}
            {step}
        </section>
    }
    .into_any()
}
