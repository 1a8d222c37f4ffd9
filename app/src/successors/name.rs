//! Naming a successor, having them wait other days, and removing them.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Field};

use crate::address::{SUCCESSOR, USERS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::successors::api::{self, NameView, SuccessorView};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};

/// `/accounts/{n}/owners/successor`
pub(crate) struct SuccessorPage(Loading<NameView>);

#[lazy_route]
impl LazyRoute for SuccessorPage {
    fn data() -> Self {
        Self(load!(asked => api::NamePage {
            account: asked.account(),
            search: asked.query("search"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let (number, name) = (account.number, account.name);
            let heading = words!(successor.heading);
            let back = address_of(USERS, &[&number]);
            let lead = words!(successor.lead, account = name.clone());
            let since = view.successor.as_ref().map(|successor| {
                let since = successor.since.clone();
                let closed = successor.closed.clone();
                let closed = closed.map(|closed| view! { <p class="tip"><bdi>{closed}</bdi></p> });
                view! {
                    <p class="notice"><bdi>{since}</bdi></p>
                    {closed}
                }
            });
            let removal = view.successor.clone().map(|successor| removal(number, successor));
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(manage.back))}
                {page_head(&heading, Some(&lead))}
                {since}
                <div class="prose">
                    <p><bdi>{words!(successor.means_asking, account = name)}</bdi></p>
                    <p>{words!(successor.means_owner)}</p>
                    <p>{words!(successor.means_access)}</p>
                </div>
                {naming(number, view)}
                {removal}
            }
            .into_any()
        })
    }
}

/// The form, and the search where there are too many to choose from at once.
fn naming(number: AccountNumber, view: NameView) -> AnyView {
    let page = address_of(SUCCESSOR, &[&number]);
    let search = view.many.then(|| search(page.clone(), view.search.clone()));
    if view.offered.is_empty() {
        return view! {
            {search}
            <p class="tip">{words!(successor.nobody)}</p>
        }
        .into_any();
    }
    let chosen = view.successor.map(|successor| successor.user).unwrap_or_default();
    view! {
        {search}
        <Form form={endpoint::<api::Name>()} action=page>
            <input type="hidden" name="account" value=number.to_string() />
            <SuccessorField chosen=chosen offered=view.offered />
            <TextField
                field=Field::WaitDays
                label=words!(successor.wait_days)
                hint=view.days_hint
                autocomplete="off"
                value=view.days
            />
            <div class="form-actions">
                <SubmitButton words=words!(successor.save) />
            </div>
        </Form>
    }
    .into_any()
}

fn search(page: String, search: String) -> AnyView {
    let clear = (!search.is_empty()).then(|| {
        let everybody = page.clone();
        view! { <a class="button button-quiet" href=everybody>{words!(users.search_clear)}</a> }
    });
    view! {
        <p>{words!(successor.more)}</p>
        <div class="table-tools">
            <form class="search" method="get" action=page role="search">
                <label class="visually-hidden" for="search">{words!(users.search)}</label>
                <input
                    id="search"
                    type="search"
                    name="search"
                    value=search
                    placeholder=words!(users.search)
                />
                <button class="button" type="submit">{words!(users.search_button)}</button>
                {clear}
            </form>
        </div>
    }
    .into_any()
}

/// Who it shall be. Inside the form, as what is chosen depends on whether it came back.
#[component]
fn SuccessorField(chosen: String, offered: Vec<(String, String)>) -> impl IntoView {
    let (state, field) = (FormState::here(), Field::Successor);
    let name = field.name();
    let chosen = state.value(name).unwrap_or(chosen);
    let nobody = (String::new(), words!(successor.choose));
    let options = std::iter::once(nobody).chain(offered).map(|(id, label)| {
        let selected = id == chosen;
        view! { <option value=id selected=selected>{label}</option> }
    });
    let described_by = move || state.error(field).is_some().then_some("successor-error");
    view! {
        <div class="field" class:field-invalid=move || state.error(field).is_some()>
            <label for=name>{words!(successor.who)}</label>
            {move || {
                state
                    .error(field)
                    .map(|error| view! { <p class="field-error" id="successor-error">{error}</p> })
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
}

fn removal(number: AccountNumber, successor: SuccessorView) -> AnyView {
    view! {
        <Form form={endpoint::<api::Remove>()} action=address_of(SUCCESSOR, &[&number])>
            <input type="hidden" name="account" value=number.to_string() />
            <div class="form-actions">
                <SubmitButton
                    class="button-danger"
                    words=words!(successor.remove, name = successor.name)
                />
            </div>
        </Form>
    }
    .into_any()
}
