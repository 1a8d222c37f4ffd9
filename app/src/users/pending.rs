//! The invitations that wait for an answer.

use leptos::prelude::*;
use model::AccountNumber;

use crate::address::{CANCEL, USERS, address_of, guide};
use crate::endpoint::endpoint;
use crate::ui::avatar::Email;
use crate::ui::copy::{CopyButton, CopyWords};
use crate::ui::form::{Form, SubmitButton};
use crate::ui::state::State;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::users::api::{self, PendingRow, Queries};
use crate::when::Relative;

/// The table of pending invitations.
#[component]
pub(crate) fn PendingTable(
    /// The account's number.
    number: AccountNumber,
    /// Its rows.
    rows: Vec<PendingRow>,
    /// The queries of its other pages.
    queries: Queries,
) -> impl IntoView {
    let none = rows.is_empty().then(|| empty(words!(pending.empty)));
    let first = queries.pending_first.map(|query| {
        let href = address_of(USERS, &[&number]) + &query;
        view! { <a href=href>{words!(users.first)}</a> }
    });
    let next = queries.pending_next.map(|query| {
        let href = address_of(USERS, &[&number]) + &query;
        view! { <a href=href rel="next">{words!(users.next)}</a> }
    });
    let pages = (first.is_some() || next.is_some()).then(|| {
        view! { <nav class="pages" aria-label=words!(pending.pages)>{first} {next}</nav> }
    });
    let help = (!rows.is_empty()).then(|| {
        let href = guide("users", Some(number), "#no-mail");
        view! { <p class="quiet"><a href=href>{words!(help.trouble_mail_link)}</a></p> }
    });
    let columns = vec![
        words!(pending.email),
        words!(pending.permissions),
        words!(pending.state),
        words!(pending.invited_by),
        words!(pending.sent),
        words!(users.actions),
    ];
    let rows = rows.into_iter().map(|row| pending_row(number, row)).collect();
    view! {
        {table(Caption::Shown(words!(pending.caption)), columns, rows)}
        {none}
        {pages}
        {help}
    }
}

fn pending_row(number: AccountNumber, row: PendingRow) -> Vec<Cell> {
    let cancel = address_of(CANCEL, &[&number, &row.id]);
    let resend_to = words!(pending.resend_to, email = row.email.clone());
    let cancel_to = words!(pending.cancel_to, email = row.email.clone());
    let states = row
        .states
        .into_iter()
        .map(|(mood, words)| view! { <div><State mood=mood words=words /></div> })
        .collect_view();
    let copy = row.link.map(|link| {
        let words = CopyWords::of_link(&row.email);
        view! { <CopyButton words=words text=link class="button button-quiet" /> }
    });
    let email = view! {
        <div class="person">
            <div><Email address=row.email class="person-name" /></div>
        </div>
    };
    let actions = view! {
            {copy}
            <Form
                form={endpoint::<api::Resend>()}
                action=address_of(USERS, &[&number])
                class="inline-form"
                target=row.id.clone()
            >
                <input type="hidden" name="account" value=number.to_string() />
                <input type="hidden" name="invitation" value=row.id />
                <SubmitButton
                    class="button-quiet"
                    label=resend_to
                    words=words!(pending.resend)
                />
            </Form>
            <form method="get" action=cancel>
                <button
                    class="button button-quiet"
                    aria-label=cancel_to
                >
                    {words!(pending.cancel)}
                </button>
            </form>
    };
    vec![
        Cell::new(email),
        Cell::sentence(row.access),
        Cell::sentence(states),
        Cell::new(view! { <bdi translate="no">{row.inviter}</bdi> }),
        Cell::number(view! { <Relative moment=row.sent /> }),
        Cell::actions(actions),
    ]
}
