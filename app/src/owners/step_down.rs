//! Stepping down as an owner: choosing what one may do as a user from then on.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, PermissionSet};

use crate::address::{LEAVE, STEP_DOWN, USERS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::owners::api::{self, GivingView, StepDownView};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::users::bounds::{Chosen, EnterSends};
use crate::users::giving::GivingFields;
use crate::users::permission_groups::Ticked;

/// `/accounts/{n}/step-down`
pub(crate) struct StepDownPage(Loading<StepDownView>);

#[lazy_route]
impl LazyRoute for StepDownPage {
    fn data() -> Self {
        Self(load!(asked => api::StepDownPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let heading = words!(owners.step_down_heading, account = account.name);
            let back = address_of(USERS, &[&number]);
            let content = match view.giving {
                Some(giving) => form(number, giving),
                None => view! { <p class="tip">{words!(failure.last_owner)}</p> }.into_any(),
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(manage.back))}
                {page_head(&heading, Some(&words!(owners.step_down_lead)))}
                {content}
            }
            .into_any()
        })
    }
}

fn form(number: AccountNumber, giving: GivingView) -> AnyView {
    let leave = address_of(LEAVE, &[&number]);
    view! {
        <p><a href=leave>{words!(owners.leave_instead)}</a></p>
        <Form form={endpoint::<api::StepDown>()} action=address_of(STEP_DOWN, &[&number])>
            <input type="hidden" name="account" value=number.to_string() />
            <StepDownFields number=number giving=giving />
        </Form>
    }
    .into_any()
}

/// Inside the form, as the ticks depend on whether it came back.
#[component]
fn StepDownFields(number: AccountNumber, giving: GivingView) -> impl IntoView {
    let begun = giving.starts.begun.as_ref();
    let ticked = Ticked::new(PermissionSet::EMPTY, giving.held, begun);
    let chosen = Chosen::new(&giving.bounds, begun);
    view! {
        <EnterSends />
        <div class="with-summary">
            <div class="fields">
                <GivingFields
                    number=number
                    starts=giving.starts
                    ticked=ticked
                    chosen=chosen
                    granted=PermissionSet::EMPTY
                    held=giving.held
                    locked=words!(invite.locked)
                    bounds=giving.bounds
                />
            </div>
            <aside class="access-summary">
                <p>{words!(owners.step_down_summary)}</p>
                <div class="form-actions">
                    <SubmitButton words=words!(owners.step_down) />
                </div>
            </aside>
        </div>
    }
}
