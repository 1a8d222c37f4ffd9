//! The page that an invitation's link opens.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{ACCOUNTS, DECLINE, FORGOT, JOIN, REPORT, SIGN_IN, SIGN_OUT, address_of};
use crate::endpoint::endpoint;
use crate::frame::Frame;
use crate::identities::buttons;
use crate::invitations::api::{self, Dead, JoinView, OpenInvitation, Step};
use crate::loading::{Loading, narrow};
use crate::sign_out::SignOut;
use crate::title::PageTitle;
use crate::ui::field::{PasswordField, TextField, username};
use crate::ui::form::{Form, SubmitButton};

/// `/invitations/{token}`
pub(crate) struct JoinPage(Loading<JoinView>);

#[lazy_route]
impl LazyRoute for JoinPage {
    fn data() -> Self {
        Self(load!(asked => api::JoinPage { token: asked.part("token") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| match view {
            JoinView::Open(invitation) => open(*invitation, frame),
            JoinView::Dead(reason) => dead(reason, frame),
        })
    }
}

fn open(invitation: OpenInvitation, frame: Frame) -> AnyView {
    let OpenInvitation {
        token,
        email,
        account,
        inviter,
        address,
        opens,
        owner,
        until,
        called,
        step,
    } = invitation;
    let owner = owner.map(|owner| view! { <p>{owner}</p> });
    let heading = words!(join.heading, account = account.clone());
    let report = inviter.is_some().then(|| {
        let report = address_of(REPORT, &[&token]);
        view! {
            <form class="decline" method="get" action=report>
                <button class="button button-quiet">{words!(join.report)}</button>
            </form>
        }
    });
    let by = match inviter {
        Some(inviter) => words!(join.by, inviter = inviter, account = account.clone()),
        None => {
            words!(join.by_provider, provider = frame.provider.clone(), account = account.clone())
        }
    };
    let decline = address_of(DECLINE, &[&token]);
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <h1>{heading}</h1>
        <p>{by}</p>
        {address.map(|address| view! { <p class="quiet">{address}</p> })}
        <section class="card">
            <h2>{words!(join.what)}</h2>
            <p>{opens}</p>
            {owner}
            <p class="hint">
                {until}
            </p>
        </section>
        {step_form(step, token, email, account, called)}
        <form method="get" action=decline>
            <button class="button button-quiet">{words!(join.decline)}</button>
        </form>
        {report}
    }
    .into_any()
}

/// What joining takes from this reader.
fn step_form(step: Step, token: String, email: String, account: String, called: String) -> AnyView {
    let action = address_of(JOIN, &[&token]);
    let hidden = move || view! { <input type="hidden" name="token" value=token.clone() /> };
    match step {
        Step::NewLogin => view! {
            <Form form={endpoint::<api::JoinWithNewLogin>()} action=action>
                {hidden()}
                <h2>{words!(join.new_heading)}</h2>
                <p>{words!(join.new_lead, email = email.clone())}</p>
                {username(email)}
                <TextField
                    field=Field::FullName
                    label=words!(form.full_name)
                    autocomplete="name"
                    value=called
                />
                <PasswordField field=Field::Password label=words!(form.password) new=true />
                <div class="form-actions">
                    <SubmitButton words=words!(join.new_button) />
                </div>
            </Form>
        }
        .into_any(),
        Step::Password(choices) => view! {
            <Form form={endpoint::<api::JoinWithPassword>()} action=action.clone()>
                {hidden()}
                <h2>{words!(join.login_heading)}</h2>
                <p>{words!(join.login_lead, email = email.clone())}</p>
                {username(email)}
                <PasswordField field=Field::Password label=words!(form.password) />
                <div class="form-actions">
                    <SubmitButton words=words!(join.login_button) />
                    <a href=FORGOT rel="external">{words!(sign_in.forgot)}</a>
                </div>
            </Form>
            {buttons(choices, action.clone(), action)}
        }
        .into_any(),
        Step::Yes => view! {
            <Form form={endpoint::<api::Join>()} action=action>
                {hidden()}
                <p>{words!(join.yes_lead, email = email)}</p>
                <div class="form-actions">
                    <SubmitButton words=words!(join.yes_button, account = account) />
                </div>
            </Form>
        }
        .into_any(),
        Step::OtherUser(other) => view! {
            <p>{words!(join.other, other = other, email = email)}</p>
            <Form form={endpoint::<SignOut>()} action=SIGN_OUT>
                <input type="hidden" name="next" value=action />
                <div class="form-actions">
                    <SubmitButton words=words!(join.other_button) />
                </div>
            </Form>
        }
        .into_any(),
    }
}

/// What became of an invitation that can't be accepted, and what to do now.
pub(crate) fn dead(reason: Dead, frame: Frame) -> AnyView {
    let (heading, text) = match reason {
        Dead::Accepted => (words!(join.accepted_heading), words!(join.accepted)),
        Dead::Declined => (words!(join.declined_heading), words!(join.declined)),
        Dead::Cancelled => (words!(join.cancelled_heading), words!(join.cancelled)),
        Dead::Expired => (words!(join.expired_heading), words!(join.expired)),
        Dead::Replaced => (words!(join.replaced_heading), words!(join.replaced)),
        Dead::Unknown => (words!(join.unknown_heading), words!(join.unknown)),
        Dead::NothingLeft => (words!(join.nothing_heading), words!(failure.nothing_left)),
        Dead::OtherDomain => (words!(join.other_domain_heading), words!(failure.other_domain)),
        Dead::InAccount => (words!(join.in_account_heading), words!(join.in_account)),
        Dead::Held => (words!(join.nothing_heading), words!(failure.address_held)),
        Dead::Over => (words!(join.over_heading), words!(join.over)),
    };
    let (href, label) = match frame.user {
        Some(_) => (ACCOUNTS, words!(join.go_accounts)),
        None if reason == Dead::Over => (FORGOT, words!(join.go_forgot)),
        None => (SIGN_IN, words!(join.go_sign_in)),
    };
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <h1>{heading}</h1>
        <p>{text}</p>
        <p><a class="button" href=href rel="external">{label}</a></p>
    }
    .into_any()
}
