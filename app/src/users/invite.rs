//! Inviting somebody: the form, as a page of its own and in the dialog over the list.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::{AccountNumber, Field, PermissionSet};

use crate::address::{INVITE, USERS, address_of};
use crate::endpoint::endpoint;
use crate::eyes::LookButton;
use crate::loading::{Loading, framed};
use crate::problem::Way;
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::back_to;
use crate::ui::still::still;
use crate::users::api::{self, AgainView, InviteView};
use crate::users::bounds::{Chosen, EnterSends};
use crate::users::giving::GivingFields;
use crate::users::permission_groups::Ticked;

/// `/accounts/{n}/users/invite`
pub(crate) struct InvitePage(Loading<InviteView>);

#[lazy_route]
impl LazyRoute for InvitePage {
    fn data() -> Self {
        Self(load!(asked => api::InvitePage {
            account: asked.account(),
            draft: asked.query("draft"),
            again: asked.query("again"),
            start: asked.query("start"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |invite, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let again = invite.again.as_ref().map(|again| again.email.clone());
            let (heading, lead) = match again {
                Some(email) => (words!(invite.again, email = email), words!(invite.again_lead)),
                None => {
                    let lead = words!(invite.lead, account = account.name);
                    (words!(invite.heading), lead)
                }
            };
            let several = invite.again.as_ref().and_then(|again| again.several.clone());
            let head = html! {
                div.page-head {
                    div {
                        h1 { (heading) }
                        p.lead { (lead) }
                        @if let Some(several) = several { p.lead { (several) } }
                    }
                }
            };
            let back = address_of(USERS, &[&account.number]);
            view! {
                <PageTitle title=heading provider=frame.provider />
                {back_to(&back, &words!(manage.back))}
                {still(head)}
                <InviteForm number=account.number invite=invite />
            }
            .into_any()
        })
    }
}

/// The form.
#[component]
pub(crate) fn InviteForm(
    /// The account's number.
    number: AccountNumber,
    /// What the form needs.
    invite: InviteView,
) -> impl IntoView {
    let back = invite.back.clone();
    let ways = vec![(Way::Manage, address_of(USERS, &[&number]))];
    let form = endpoint::<api::Invite>();
    let action = address_of(INVITE, &[&number]);
    match invite.again.clone() {
        None => view! {
            <Form form=form action=action back=back ways=ways>
                <input type="hidden" name="account" value=number.to_string() />
                <InviteFields number=number invite=invite />
            </Form>
        }
        .into_any(),
        Some(AgainView { invitation, before, .. }) => view! {
            <Form form=form action=action before=before back=back ways=ways>
                <input type="hidden" name="account" value=number.to_string() />
                <input type="hidden" name="again" value=invitation />
                <InviteFields number=number invite=invite />
            </Form>
        }
        .into_any(),
    }
}

/// Inside the form, as the ticks depend on whether it came back.
#[component]
fn InviteFields(number: AccountNumber, invite: InviteView) -> impl IntoView {
    let begun = invite.starts.begun.as_ref();
    let ticked = Ticked::new(invite.ticked, invite.held, begun);
    let chosen = Chosen::new(&invite.bounds, begun);
    let as_owner = invite.as_owner.map(as_owner_field);
    let again = invite.again.map(|again| again.email);
    let bounded = invite.bounded.map(|bounded| still(html! { p.hint { (bounded) } }));
    view! {
        <EnterSends />
        <div class="with-summary">
            <div class="fields">
                <TextField
                    field=Field::Email
                    label=words!(form.email)
                    hint=words!(invite.email_hint)
                    kind="email"
                    autocomplete="off"
                    readonly=again.is_some()
                    autofocus=again.is_none()
                    value=again.unwrap_or_default()
                />
                {as_owner}
                {still(html! { h2 { (words!(invite.permissions)) } })}
                {still(html! { p.hint { (words!(invite.hint)) } })}
                <GivingFields
                    number=number
                    starts=invite.starts
                    ticked=ticked
                    chosen=chosen
                    granted=PermissionSet::EMPTY
                    held=invite.held
                    locked=words!(invite.locked)
                    bounds=invite.bounds
                />
            </div>
            <aside class="access-summary access-bar">
                {still(html! { h2.follows-ticks { (words!(invite.summary)) } })}
                <p class="follows-ticks" aria-live="polite">{ticked.summary(chosen)}</p>
                {bounded}
                {still(html! { p.hint { (invite.valid) } })}
                <div class="form-actions" data-ticked=words!(invite.ticked)>
                    <SubmitButton words=words!(invite.button) />
                    <LookButton words=words!(eyes.see_it_as_new) />
                </div>
            </aside>
        </div>
    }
}

/// Whether they become an owner; ticked again in a form that comes back.
fn as_owner_field(hint: String) -> AnyView {
    let checked = FormState::here().value("as_owner").is_some();
    still(html! {
        div.field {
            label.answer {
                input #as_owner
                    type="checkbox"
                    name="as_owner"
                    value="true"
                    checked[checked]
                    aria-describedby="as_owner-hint"
                    autocomplete="off";
                (words!(invite.as_owner))
            }
            p.hint #as_owner-hint { (hint) }
        }
    })
}
