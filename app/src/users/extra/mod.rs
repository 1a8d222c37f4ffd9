//! Extra access, which somebody is given besides what they hold: the form that gives it, and the one
//! that changes it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::AccountNumber;

use crate::address::{EXTRA, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::eyes::LookButton;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::users::bounds::{Chosen, EnterSends};
use crate::users::extra::api::{ChangedView, ExtraView};
use crate::users::giving::{Changes, GivingFields};
use crate::users::permission_groups::Ticked;

pub(crate) mod api;

/// What stands in the address in a grant's place where there is none yet.
pub(crate) const NEW: &str = "new";

/// `/accounts/{n}/users/{id}/extra/{grant}`
pub(crate) struct ExtraPage(Loading<ExtraView>);

#[lazy_route]
impl LazyRoute for ExtraPage {
    fn data() -> Self {
        Self(load!(asked => api::ExtraPage {
            account: asked.account(),
            user: asked.part("user"),
            grant: asked.part("grant"),
            request: asked.query("request"),
            draft: asked.query("draft"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let name = view.person.name.clone();
            let heading = words!(extra.heading, name = name.clone());
            let back = address_of(MANAGE, &[&account.number, &view.person.id]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(extra.back, name = name.clone()))}
                {page_head(&heading, Some(&words!(extra.lead, name = name)))}
                {form(account.number, view)}
            }
            .into_any()
        })
    }
}

fn form(number: AccountNumber, view: ExtraView) -> AnyView {
    let (user, back) = (view.person.id, view.back.clone());
    match view.changed.clone() {
        None => view! {
            <Form
                form={endpoint::<api::GiveExtra>()}
                action=address_of(EXTRA, &[&number, &user, &NEW])
                back=back
            >
                <input type="hidden" name="account" value=number.to_string() />
                <input type="hidden" name="user" value=user.to_string() />
                <ExtraFields
                    number=number
                    view=view
                    locked=words!(invite.locked)
                    button=words!(extra.give)
                />
            </Form>
        }
        .into_any(),
        Some(ChangedView { grant, before }) => view! {
            <Form
                form={endpoint::<api::ChangeExtra>()}
                action=address_of(EXTRA, &[&number, &user, &grant])
                before=before
                back=back
            >
                <input type="hidden" name="account" value=number.to_string() />
                <input type="hidden" name="user" value=user.to_string() />
                <input type="hidden" name="grant" value=grant />
                <ExtraFields
                    number=number
                    view=view
                    locked=words!(manage.locked)
                    button=words!(manage.save)
                />
            </Form>
        }
        .into_any(),
    }
}

/// Inside the form, as the ticks depend on whether it came back.
#[component]
fn ExtraFields(
    /// The account's number.
    number: AccountNumber,
    /// What there is to choose.
    view: ExtraView,
    /// Why a permission can't be changed.
    locked: String,
    /// The words on the button.
    button: String,
) -> impl IntoView {
    let look = words!(eyes.see_it_with_draft, name = view.person.name);
    let begun = view.starts.begun.as_ref();
    let ticked = Ticked::new(view.ticked, view.held, begun);
    let chosen = Chosen::new(&view.bounds, begun);
    let buttons = move || {
        view! {
            <SubmitButton words=button />
            <LookButton words=look />
        }
    };
    let summary = match view.changed {
        Some(_) => view! {
            <Changes
                heading=words!(extra.summary)
                ticked=ticked
                chosen=chosen
                granted=view.granted
            >
                {buttons()}
            </Changes>
        }
        .into_any(),
        None => view! {
            <aside class="access-summary access-bar">
                <h2 class="follows-ticks">{words!(extra.summary)}</h2>
                <p class="follows-ticks" aria-live="polite">{ticked.summary(chosen)}</p>
                <div class="form-actions" data-ticked=words!(invite.ticked)>{buttons()}</div>
            </aside>
        }
        .into_any(),
    };
    let request = Some(view.request).filter(|request| !request.is_empty());
    let request =
        request.map(|request| view! { <input type="hidden" name="request" value=request /> });
    view! {
        {request}
        <EnterSends />
        <div class="with-summary">
            <div class="fields">
                <GivingFields
                    number=number
                    starts=view.starts
                    ticked=ticked
                    chosen=chosen
                    granted=view.granted
                    held=view.held
                    locked=locked
                    bounds=view.bounds
                />
            </div>
            {summary}
        </div>
    }
}
