//! Deleting the reader's login: what would happen to each account, what goes and what stays, asked once
//! more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::Field;

use crate::address::{DELETE_LOGIN, PROFILE, USERS, address_of, from_here};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::profile::api::{self, AccountLeft, DeleteLoginView};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;
use crate::ui::state::{Mood, state};
use crate::ui::table::{Caption, Cell, table};

/// `/profile/delete`
pub(crate) struct DeleteLoginPage(Loading<DeleteLoginView>);

#[lazy_route]
impl LazyRoute for DeleteLoginPage {
    fn data() -> Self {
        Self(load!(_asked => api::DeleteLoginPage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let DeleteLoginView { email, accounts } = view;
            let heading = words!(leaving.heading);
            let possible = !accounts.iter().any(|account| account.alone);
            let last = if possible {
                form(email.clone())
            } else {
                view! {
                    <p><strong>{words!(leaving.impossible)}</strong></p>
                    <p><a class="button" href=from_here(PROFILE)>{words!(leaving.keep)}</a></p>
                }
                .into_any()
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, Some(&words!(leaving.lead, email = email)))}
                <section>
                    <h2>{words!(leaving.accounts)}</h2>
                    {accounts_table(accounts)}
                </section>
                <section>
                    <h2>{words!(leaving.goes)}</h2>
                    <p>{words!(leaving.goes_text)}</p>
                    <p>{words!(leaving.goes_invitations)}</p>
                </section>
                <section>
                    <h2>{words!(leaving.stays)}</h2>
                    <p>{words!(leaving.stays_text)}</p>
                </section>
                <section>{last}</section>
            }
            .into_any()
        })
    }
}

fn accounts_table(accounts: Vec<AccountLeft>) -> AnyView {
    if accounts.is_empty() {
        return view! { <p>{words!(leaving.none)}</p> }.into_any();
    }
    let columns = vec![words!(leaving.account), words!(leaving.access), words!(leaving.outcome)];
    let rows = accounts.into_iter().map(row).collect();
    table(Caption::Quiet(words!(leaving.accounts)), columns, rows)
}

fn row(account: AccountLeft) -> Vec<Cell> {
    let AccountLeft { number, name, access, outcome, alone } = account;
    let mood = if alone { Mood::Trouble } else { Mood::Quiet };
    let called = html! {
        strong { bdi translate="no" { (name) } }
        " "
        span.hint { (number) }
    };
    let outcome = html! {
        (state(mood, &outcome))
        @if alone {
            " "
            a href=(address_of(USERS, &[&number])) rel="external" {
                (words!(leaving.to_users, account = name))
            }
        }
    };
    vec![Cell::new(called), Cell::sentence(access), Cell::sentence(outcome)]
}

/// Asks once more: whoever means this login types its address.
fn form(email: String) -> AnyView {
    view! {
        <Form form={endpoint::<api::DeleteLogin>()} action=DELETE_LOGIN>
            <TextField
                field=Field::Email
                label=words!(leaving.confirm)
                hint=words!(leaving.confirm_hint, email = email)
                kind="email"
                autocomplete="off"
            />
            <div class="form-actions">
                <SubmitButton class="button-danger" words=words!(leaving.button) />
                <a class="button" href=from_here(PROFILE)>{words!(leaving.keep)}</a>
            </div>
        </Form>
    }
    .into_any()
}
