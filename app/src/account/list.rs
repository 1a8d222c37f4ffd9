//! Choosing one of several accounts.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};

use crate::account::api::{self, AccountsView, ReachableAccount, WaitingAccount};
use crate::address::{ACCOUNT, ACCOUNTS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;
use crate::ui::pages::{Turn, turns};
use crate::ui::state::{Mood, state};
use crate::ui::still::still;

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
                    {still(html! {
                        div.empty {
                            h1 { (heading) }
                            p { (words!(accounts.empty, email = email)) }
                        }
                    })}
                }
                .into_any();
            }
            let heading = words!(accounts.heading);
            let none = (accounts.is_empty() && !search.is_empty()).then(|| {
                let words = words!(accounts.none_found, search = search.clone());
                still(html! { p role="status" { (words) } })
            });
            let reached = !accounts.is_empty();
            let lead = reached.then(|| words!(accounts.lead));
            let head = page_head(&heading, lead.as_deref());
            let list = reached.then(|| {
                still(html! {
                    ul.account-list { @for account in accounts { li { (card(account)) } } }
                })
            });
            let tools = many.then(|| tools(&search));
            let pages =
                turns(&words!(accounts.pages), first.map(Turn::first), next.map(Turn::next));
            view! {
                <PageTitle title=heading provider=provider />
                {head}
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
fn tools(search: &str) -> AnyView {
    still(html! {
        div.table-tools {
            form.search method="get" action=(ACCOUNTS) role="search" {
                label.visually-hidden for="search" { (words!(accounts.search)) }
                input #search
                    type="search"
                    name="search"
                    value=(search)
                    placeholder=(words!(accounts.search));
                button.button type="submit" { (words!(users.search_button)) }
                @if !search.is_empty() {
                    a.button.button-quiet href=(ACCOUNTS) { (words!(accounts.search_clear)) }
                }
            }
        }
    })
}

fn card(account: ReachableAccount) -> Markup {
    let visit = match &account.last_visit {
        Some(at) => words!(accounts.last_visit, when = at.relative()),
        None => words!(accounts.never),
    };
    html! {
        a.account-card href=(address_of(ACCOUNT, &[&account.number])) {
            span.account-name dir="auto" { (account.name) }
            span.account-number { (words!(accounts.number, number = account.number)) }
            @if let Some(words) = account.paused {
                (state(Mood::Trouble, &words))
            } @else if account.owner {
                span.tag.tag-owner { (account.access) }
            } @else {
                span.account-access { (account.access) }
            }
            span.account-visit { (visit) }
        }
        @if let Some(becoming) = account.becoming {
            p {
                (state(Mood::Waiting, &becoming.words))
                @if becoming.asked { " " a href=(becoming.page) { (words!(owners.answer)) } }
            }
        }
        @if account.successor {
            p {
                (state(Mood::Quiet, &words!(successor.mark)))
                @if let Some(page) = account.take_over {
                    " "
                    a href=(page) {
                        bdi { (words!(successor.take_over, account = account.name)) }
                    }
                }
            }
        }
        @for waiting in account.waiting {
            p {
                bdi { (waiting.sentence) }
                " "
                a href=(waiting.page) { (words!(owners.show)) }
            }
        }
    }
}
