//! Choosing one of several accounts.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::account::api::{self, AccountsView, ReachableAccount, WaitingAccount};
use crate::address::{ACCOUNT, ACCOUNTS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::state::{Mood, State};

/// `/accounts`
pub(crate) struct AccountsPage(Loading<AccountsView>);

#[lazy_route]
impl LazyRoute for AccountsPage {
    fn data() -> Self {
        Self(load!(asked => api::AccountsPage {
            after: asked.query("after"),
            search: asked.query("search"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let AccountsView { waiting, accounts, search, many, first, next } = view;
            let email = frame.user.map(|user| user.email).unwrap_or_default();
            let provider = frame.provider;
            if accounts.is_empty() && waiting.is_empty() && search.is_empty() {
                let heading = words!(accounts.empty_heading);
                return view! {
                    <PageTitle title=heading.clone() provider=provider />
                    <div class="empty">
                        <h1>{heading}</h1>
                        <p>{words!(accounts.empty, email = email)}</p>
                    </div>
                }
                .into_any();
            }
            let heading = words!(accounts.heading);
            let first = first.map(|href| view! { <a href=href>{words!(users.first)}</a> });
            let next = next.map(|href| view! { <a href=href rel="next">{words!(users.next)}</a> });
            let none = (accounts.is_empty() && !search.is_empty()).then(|| {
                view! { <p role="status">{words!(accounts.none_found, search = search.clone())}</p> }
            });
            let reached = !accounts.is_empty();
            let lead = reached.then(|| view! { <p class="lead">{words!(accounts.lead)}</p> });
            let list = reached.then(|| {
                view! { <ul class="account-list">{accounts.into_iter().map(card).collect_view()}</ul> }
            });
            let tools = many.then(|| tools(search));
            let pages = (first.is_some() || next.is_some()).then(|| {
                view! { <nav class="pages" aria-label=words!(accounts.pages)>{first} {next}</nav> }
            });
            view! {
                <PageTitle title=heading.clone() provider=provider />
                <div class="page-head">
                    <div>
                        <h1>{heading}</h1>
                        {lead}
                    </div>
                </div>
                {(!waiting.is_empty()).then(|| waiting_list(waiting))}
                {tools}
                {none}
                {list}
                {pages}
            }
            .into_any()
        })
    }
}

/// What waits for the reader in accounts that they don't reach yet.
fn waiting_list(waiting: Vec<WaitingAccount>) -> AnyView {
    view! {
        <section class="card">
            <h2>{words!(accounts.waiting_heading)}</h2>
            <p>{words!(accounts.waiting_lead)}</p>
            <ul class="account-list">{waiting.into_iter().map(waiting_card).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn waiting_card(waiting: WaitingAccount) -> impl IntoView {
    let WaitingAccount { invitation, number, name, access } = waiting;
    let label = words!(accounts.waiting_see_of, account = name.clone());
    view! {
        <li>
            <div class="account-card">
                <span class="account-name" dir="auto">{name}</span>
                <span class="account-number">{words!(accounts.number, number = number)}</span>
                <span class="account-access">{access}</span>
                <Form
                    form={endpoint::<api::SeeWaiting>()}
                    action=ACCOUNTS
                    class="inline-form"
                    target=invitation.clone()
                >
                    <input type="hidden" name="invitation" value=invitation />
                    <SubmitButton label=label words=words!(accounts.waiting_see) />
                </Form>
            </div>
        </li>
    }
}

/// Looking for an account.
fn tools(search: String) -> AnyView {
    let clear = (!search.is_empty()).then(|| {
        view! { <a class="button button-quiet" href=ACCOUNTS>{words!(accounts.search_clear)}</a> }
    });
    view! {
        <div class="table-tools">
            <form class="search" method="get" action=ACCOUNTS role="search">
                <label class="visually-hidden" for="search">{words!(accounts.search)}</label>
                <input
                    id="search"
                    type="search"
                    name="search"
                    value=search
                    placeholder=words!(accounts.search)
                />
                <button class="button" type="submit">{words!(users.search_button)}</button>
                {clear}
            </form>
        </div>
    }
    .into_any()
}

fn card(account: ReachableAccount) -> impl IntoView {
    let access = if let Some(words) = account.paused {
        view! { <State mood=Mood::Trouble words=words /> }.into_any()
    } else if account.owner {
        view! { <span class="tag tag-owner">{account.access}</span> }.into_any()
    } else {
        view! { <span class="account-access">{account.access}</span> }.into_any()
    };
    let visit = match account.last_visit {
        Some(at) => view! {
            <span class="account-visit">
                {words!(accounts.last_visit, when = at.relative())}
            </span>
        }
        .into_any(),
        None => view! { <span class="account-visit">{words!(accounts.never)}</span> }.into_any(),
    };
    let becoming = account.becoming.map(|becoming| {
        let answer = becoming.asked.then(|| {
            let page = becoming.page;
            view! { " " <a href=page>{words!(owners.answer)}</a> }
        });
        view! { <p><State mood=Mood::Waiting words=becoming.words /> {answer}</p> }
    });
    let successor = account.successor.then(|| {
        let name = account.name.clone();
        let take_over = account.take_over.map(|page| {
            let words = words!(successor.take_over, account = name);
            view! { " " <a href=page><bdi>{words}</bdi></a> }
        });
        view! { <p><State mood=Mood::Quiet words=words!(successor.mark) /> {take_over}</p> }
    });
    let href = address_of(ACCOUNT, &[&account.number]);
    view! {
        <li>
            <a class="account-card" href=href>
                <span class="account-name" dir="auto">{account.name}</span>
                <span class="account-number">
                    {words!(accounts.number, number = account.number)}
                </span>
                {access}
                {visit}
            </a>
            {becoming}
            {successor}
        </li>
    }
}
