//! Handing the account over: what goes along, what doesn't, and what the reader becomes.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Field, PermissionSet};

use crate::address::{HAND_OVER, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::owners::api::{self, HandOverView, OUT, USER};
use crate::title::PageTitle;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::users::bounds::{Chosen, EnterSends};
use crate::users::giving::GivingFields;
use crate::users::permission_groups::Ticked;

/// `/accounts/{n}/users/{id}/hand-over`
pub(crate) struct HandOverPage(Loading<HandOverView>);

#[lazy_route]
impl LazyRoute for HandOverPage {
    fn data() -> Self {
        Self(load!(asked => api::HandOverPage {
            account: asked.account(),
            user: asked.part("user"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let (number, user) = (account.number, view.person.id);
            let name = view.person.name.clone();
            let heading = words!(owners.hand_heading, name = name.clone());
            let back = address_of(MANAGE, &[&number, &user]);
            let along = words!(owners.goes_along, name = name.clone(), account = account.name);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(extra.back, name = name.clone()))}
                {page_head(&heading, Some(&along))}
                <p>{words!(owners.stays_yours)}</p>
                <p><bdi>{words!(owners.means_always, name = name)}</bdi></p>
                <p><bdi>{view.waits.clone()}</bdi></p>
                <Form
                    form={endpoint::<api::HandOver>()}
                    action=address_of(HAND_OVER, &[&number, &user])
                >
                    <input type="hidden" name="account" value=number.to_string() />
                    <input type="hidden" name="user" value=user.to_string() />
                    <HandOverFields number=number view=view />
                </Form>
            }
            .into_any()
        })
    }
}

/// Inside the form, as what is chosen depends on whether it came back.
#[component]
fn HandOverFields(number: AccountNumber, view: HandOverView) -> impl IntoView {
    let begun = view.giving.starts.begun.as_ref();
    let ticked = Ticked::new(PermissionSet::EMPTY, view.giving.held, begun);
    let chosen = Chosen::new(&view.giving.bounds, begun);
    let name = view.person.name;
    view! {
        <EnterSends />
        <div class="with-summary">
            <div class="fields becoming">
                {what_you_become()}
                <div class="becoming-user">
                    <GivingFields
                        number=number
                        starts=view.giving.starts
                        ticked=ticked
                        chosen=chosen
                        granted=PermissionSet::EMPTY
                        held=view.giving.held
                        locked=words!(invite.locked)
                        bounds=view.giving.bounds
                    />
                </div>
            </div>
            <aside class="access-summary">
                <p>{words!(owners.hand_summary)}</p>
                <div class="form-actions">
                    <SubmitButton words=words!(owners.hand, name = name) />
                </div>
            </aside>
        </div>
    }
}

/// A user, or nobody: what is chosen stays chosen in a form that comes back.
fn what_you_become() -> AnyView {
    let (state, field) = (FormState::here(), Field::Becomes);
    let name = field.name();
    let chosen = state.value(name).unwrap_or_default();
    let error = move || {
        state
            .error(field)
            .map(|error| view! { <p class="field-error" id="becomes-error">{error}</p> })
    };
    let answer = |value: &'static str, words: String| {
        let checked = chosen == value;
        view! {
            <label class="answer">
                <input
                    type="radio"
                    id=format!("becomes-{value}")
                    name=name
                    value=value
                    checked=checked
                    autocomplete="off"
                />
                {words}
            </label>
        }
    };
    view! {
        <fieldset
            role="radiogroup"
            id=name
            tabindex="-1"
            class:field-invalid=move || state.error(field).is_some()
            aria-describedby=move || state.error(field).is_some().then_some("becomes-error")
        >
            <legend>{words!(owners.becomes)}</legend>
            {error}
            {answer(USER, words!(owners.becomes_user))}
            {answer(OUT, words!(owners.becomes_out))}
        </fieldset>
    }
    .into_any()
}
