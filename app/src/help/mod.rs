//! The guides: how the product is used, and what stands in the way of this reader right now.

pub(crate) mod api;
#[cfg(feature = "ssr")]
mod checks;
mod feedback;
mod guide;
mod guides;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Area, Permission};

use crate::address::{GUIDES, HELP, INVITE, USERS, address_of, beside, escape_query, guide};
use crate::endpoint::endpoint;
use crate::frame::Frame;
use crate::help::api::{Found, FoundMail, HelpView};
use crate::help::feedback::Feedback;
pub(crate) use crate::help::guide::GuidePage;
pub(crate) use crate::help::guides::GuidesPage;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::icon::{Icon, icon};
use crate::ui::state::state;
use crate::ui::still::still;
use crate::users::api::Resend;
use crate::words;

/// `/help/users`
pub(crate) struct HelpPage(Loading<HelpView>);

#[lazy_route]
impl LazyRoute for HelpPage {
    fn data() -> Self {
        Self(load!(asked => api::HelpPage {
            account: asked.query("account"),
            email: asked.query("email"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(help.heading);
            let number = frame.account.as_ref().map(|account| account.number);
            let here = address(number, &view.email);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider.clone() />
                <article class="prose">
                    <h1>{heading}</h1>
                    <p class="lead">{words!(help.lead)}</p>
                    {overview()}
                    {before(&view)}
                    {steps(&frame)}
                    {trouble(view, &frame)}
                    {related(number)}
                    <h2>{words!(help.summary)}</h2>
                    <p>{words!(help.summary_text)}</p>
                    <Feedback guide="users".to_owned() here=here />
                </article>
            }
            .into_any()
        })
    }
}

fn address(number: Option<AccountNumber>, email: &str) -> String {
    match (number, email) {
        (Some(_), "") | (None, _) => guide("users", number, ""),
        (Some(_), email) => guide("users", number, "") + "&email=" + &escape_query(email),
    }
}

fn overview() -> AnyView {
    view! {
        <h2 id="overview">{words!(help.overview)}</h2>
        <p>{words!(help.overview_text)}</p>
        <ul>
            <li>{words!(help.overview_1)}</li>
            <li>{words!(help.overview_2)}</li>
            <li>{words!(help.overview_3)}</li>
            <li>{words!(help.overview_4)}</li>
        </ul>
    }
    .into_any()
}

fn before(view: &HelpView) -> AnyView {
    view! {
        <h2 id="before">{words!(help.before)}</h2>
        <ul>
            <li>{words!(help.before_1)}</li>
            <li>{words!(help.before_2)}</li>
        </ul>
        {check(view.inviting.clone())}
        {choose(&view.accounts)}
    }
    .into_any()
}

fn steps(frame: &Frame) -> AnyView {
    let number = frame.account.as_ref().map(|account| account.number);
    let open = |page: &str, words: String| {
        number.map(|number| {
            view! { <p><a class="button" href=address_of(page, &[&number])>{words}</a></p> }
        })
    };
    let step_1 = match &frame.user {
        Some(user) => words!(help.step_1_text, name = user.name.clone()),
        None => words!(help.step_1_signed_out),
    };
    let step_2 = match &frame.account {
        Some(account) => words!(help.step_2_text, account = account.name.clone()),
        None => words!(help.step_2_anywhere),
    };
    let areas = Area::ALL
        .into_iter()
        .map(|area| {
            let permissions = Permission::ALL.into_iter().filter(|of| of.area() == area);
            let permissions = permissions
                .map(|permission| {
                    view! {
                        <li>
                            <strong>{words::label(permission)}</strong> " "
                            {words::hint(permission)}
                        </li>
                    }
                })
                .collect_view();
            view! {
                <h3>{words::area(area)}</h3>
                <p>{words::area_hint(area)}</p>
                <ul>{permissions}</ul>
            }
        })
        .collect_view();
    view! {
        <h2 id="step-1">{words!(help.step_1)}</h2>
        <p>{step_1}</p>
        {open(USERS, words!(help.open_users))}
        <p class="tip"><span>{words!(users.tip)}</span></p>
        <h2 id="step-2">{words!(help.step_2)}</h2>
        <p>{step_2}</p>
        <ol>
            <li>{words!(help.step_2_1)}</li>
            <li>{words!(help.step_2_2)}</li>
            <li>{words!(help.step_2_3, button = words!(invite.button))}</li>
        </ol>
        <p>{words!(help.step_2_login)}</p>
        {open(INVITE, words!(users.invite))}
        <h2 id="step-3">{words!(help.step_3)}</h2>
        <p>{words!(help.step_3_text)}</p>
        {areas}
        <p class="tip"><span>{words!(help.step_3_tip)}</span></p>
    }
    .into_any()
}

fn trouble(view: HelpView, frame: &Frame) -> AnyView {
    let HelpView { inviting, email, mail, may_ask, accounts } = view;
    let number = frame.account.as_ref().map(|account| account.number);
    let find = frame.account.as_ref().map(|account| {
        let href = address_of(USERS, &[&account.number]);
        view! { <p><a class="button" href=href>{words!(help.open_users)}</a></p> }
    });
    view! {
        <h2 id="trouble">{words!(help.trouble)}</h2>
        <h3 id="cannot-invite">{words!(help.trouble_invite)}</h3>
        <p>{words!(help.trouble_invite_text)}</p>
        {check(inviting)}
        {choose(&accounts)}
        <h3 id="no-mail">{words!(help.trouble_mail)}</h3>
        <p>{words!(help.trouble_mail_text)}</p>
        {match number.filter(|_| may_ask) {
            Some(number) => ask(number, email, mail),
            None => view! { <p>{words!(help.trouble_mail_refused)}</p> }.into_any(),
        }}
        <h3 id="cannot-find">{words!(help.trouble_find)}</h3>
        <p>{words!(help.trouble_find_text)}</p>
        {picture(frame)}
        {find}
    }
    .into_any()
}

/// The accounts from which the reader can look how it stands with them.
fn choose(accounts: &[(String, String)]) -> AnyView {
    let links = accounts.iter().map(|(name, number)| {
        let href = format!("{HELP}?account={number}");
        view! { <li><a href=href dir="auto">{name.clone()}</a></li> }
    });
    (!accounts.is_empty()).then(|| view! { <ul>{links.collect_view()}</ul> }).into_any()
}

/// What a check found.
fn check(found: Found) -> AnyView {
    let advice = found.advice.into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    view! {
        <div class="check">
            <p>{still(state(found.mood, &found.verdict))}</p>
            {advice}
        </div>
    }
    .into_any()
}

/// Asks for the address that gets no invitation, and says what became of it.
fn ask(number: AccountNumber, email: String, mail: Option<FoundMail>) -> AnyView {
    let here = address(Some(number), &email);
    let asked = email.clone();
    let answer = mail.map(|mail| {
        let facts = mail
            .facts
            .into_iter()
            .map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> })
            .collect_view();
        let resend = mail.resend.map(|invitation| {
            view! {
                <Form form={endpoint::<Resend>()} action=here.clone()>
                    <input type="hidden" name="account" value=number.to_string() />
                    <input type="hidden" name="invitation" value=invitation />
                    <input type="hidden" name="next" value=here.clone() />
                    <p>{words!(help.mail_resend_text)}</p>
                    <div class="form-actions">
                        <SubmitButton
                            label=words!(pending.resend_to, email = email.clone())
                            words=words!(pending.resend)
                        />
                    </div>
                </Form>
            }
        });
        view! {
            <div role="status">{check(mail.found)}</div>
            <dl class="facts">{facts}</dl>
            {resend}
        }
    });
    view! {
        <form class="filters" method="get" action=guide("users", None, "#no-mail")>
            <input type="hidden" name="account" value=number.to_string() />
            <div class="field">
                <label for="email">{words!(form.email)}</label>
                <input id="email" name="email" type="email" value=asked spellcheck="false" />
            </div>
            <button class="button" type="submit">{words!(help.mail_button)}</button>
        </form>
        {answer}
    }
    .into_any()
}

/// The reader's own header, drawn, with the way to User management marked.
fn picture(frame: &Frame) -> AnyView {
    let name = frame.user.as_ref().map(|user| user.name.clone());
    let name = name.unwrap_or_else(|| words!(help.picture_name));
    let account = frame.account.as_ref().map(|account| account.name.clone()).unwrap_or_default();
    let label = words!(help.picture, name = name.clone());
    view! {
        <figure class="header-picture" role="img" aria-label=label>
            <div class="header-picture-bar">
                <span class="provider-mark">{still(icon(Icon::Key))}</span>
                <span class="header-picture-account">{account}</span>
                <span class="header-picture-name">{name} {still(icon(Icon::Down))}</span>
            </div>
            <div class="header-picture-menu">
                <span class="header-picture-here">{words!(frame.user_management)}</span>
                <span>{words!(frame.account_details)}</span>
                <span>{words!(frame.profile)}</span>
            </div>
        </figure>
    }
    .into_any()
}

fn related(number: Option<AccountNumber>) -> AnyView {
    let links = [
        ("security", words!(help.related_security)),
        ("account", words!(help.related_account)),
        ("billing", words!(help.related_billing)),
    ];
    let links = links.map(|(page, words)| {
        view! { <li><a href=guide(page, number, "")>{words}</a></li> }
    });
    let all = beside(GUIDES, number);
    view! {
        <h2 id="related">{words!(help.related)}</h2>
        <ul>
            {links.into_iter().collect_view()}
            <li><a href=all>{words!(help.all)}</a></li>
        </ul>
    }
    .into_any()
}
