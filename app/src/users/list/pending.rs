//! The invitations that wait for an answer.

use leptos::prelude::*;
use maud::{Markup, html};
use model::AccountNumber;

use crate::address::{CANCEL, INVITE, USERS, address_of, guide};
use crate::endpoint::endpoint;
use crate::ui::avatar::email;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::pages::{Turn, turns};
use crate::ui::state::{Mood, state};
use crate::ui::still::still;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::users::api;
use crate::users::list::api::{PendingRow, Queries, StandingView};
use crate::when::relative;

/// The table of pending invitations.
#[component]
pub(crate) fn PendingTable(
    /// The account's number.
    number: AccountNumber,
    /// Its rows.
    rows: Vec<PendingRow>,
    /// After which row they begin, as it was asked for.
    here: String,
    /// The queries of its other pages.
    queries: Queries,
) -> impl IntoView {
    let none = rows.is_empty().then(|| empty(words!(pending.empty)));
    let to = |query: String| address_of(USERS, &[&number]) + &query;
    let (first, next) = (queries.pending_first.map(to), queries.pending_next.map(to));
    let pages = turns(&words!(pending.pages), first.map(Turn::first), next.map(Turn::next));
    let help = (!rows.is_empty()).then(|| {
        let href = guide("users", Some(number), "#no-mail");
        still(html! { p.quiet { a href=(href) { (words!(help.trouble_mail_link)) } } })
    });
    let columns = vec![
        words!(pending.email),
        words!(pending.permissions),
        words!(pending.state),
        words!(pending.invited_by),
        words!(pending.sent),
        words!(users.actions),
    ];
    let stand = rows.iter().map(|row| (row.id.clone(), row.standing.clone())).collect();
    let standing: Standing = RwSignal::new(stand);
    if rows.iter().any(|row| row.standing.moves) {
        follow(number, here, standing);
    }
    let rows = rows.into_iter().map(|row| pending_row(number, row, standing)).collect();
    view! {
        {table(Caption::Shown(words!(pending.caption)), columns, rows)}
        {none}
        {pages}
        {help}
    }
}

fn pending_row(number: AccountNumber, row: PendingRow, standing: Standing) -> Vec<Cell> {
    let (resend, resend_to) = row.resend;
    let cancel = html! {
        form method="get" action=(address_of(CANCEL, &[&number, &row.id])) {
            button.button.button-quiet
                aria-label=(words!(pending.cancel_to, email = row.email.clone()))
            { (words!(pending.cancel)) }
        }
    };
    let states = states(row.id.clone(), standing);
    let access = html! {
        (row.access)
        @if row.correctable {
            div {
                a
                    href=(correcting(number, &row.id))
                    aria-label=(words!(pending.correct_for, email = row.email.clone()))
                { (words!(pending.correct)) }
            }
        }
    };
    let invited = html! {
        div.person {
            div {
                (email(&row.email, "person-name"))
                @if !row.name.is_empty() { div.quiet dir="auto" { (row.name) } }
            }
        }
    };
    let actions = view! {
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
                    words=resend
                />
            </Form>
            {still(cancel)}
    };
    vec![
        Cell::new(invited),
        Cell::sentence(access),
        Cell::sentence(states),
        Cell::new(html! { bdi translate="no" { (row.inviter) } }),
        Cell::number(row.sent.as_ref().map_or_else(Markup::default, relative)),
        Cell::actions(actions.into_any()),
    ]
}

/// The form for inviting, filled in with what an invitation offers.
fn correcting(number: AccountNumber, invitation: &str) -> String {
    format!("{}?again={invitation}", address_of(INVITE, &[&number]))
}

/// How the invitations of the page stand, by their ids.
type Standing = RwSignal<Vec<(String, StandingView)>>;

/// How an invitation stands. Whoever doesn't see it is told when that changes.
fn states(id: String, standing: Standing) -> AnyView {
    // Of one that waits no longer, how it stood last.
    let standing = Memo::new(move |before: Option<&StandingView>| {
        let found = standing.with(|all| all.iter().find(|(one, _)| *one == id).cloned());
        found.map(|(_, found)| found).or_else(|| before.cloned()).unwrap_or_default()
    });
    let line = |(mood, words): (Mood, String)| still(html! { div { (state(mood, &words)) } });
    view! {
        <div aria-live="polite">
            {move || standing.get().states.into_iter().map(line).collect_view()}
        </div>
    }
    .into_any()
}

/// How long one waits before one looks again, and how many times at most: a mail that isn't gone then
/// waits for somebody else's server.
#[cfg(not(feature = "ssr"))]
const LOOKS: (std::time::Duration, u32) = (std::time::Duration::from_secs(3), 40);

/// Looks every few seconds how they stand, until all are as they stay.
#[cfg(not(feature = "ssr"))]
fn follow(number: AccountNumber, here: String, standing: Standing) {
    Effect::new(move |_| look(number, here.clone(), standing, LOOKS.1));
}

#[cfg(not(feature = "ssr"))]
fn look(number: AccountNumber, here: String, standing: Standing, left: u32) {
    use crate::users::list::api::InvitationsStanding;
    let Some(left) = left.checked_sub(1) else { return };
    let ask = async move {
        // The page was left.
        if standing.is_disposed() {
            return;
        }
        let address = <InvitationsStanding as leptos::server_fn::ServerFn>::PATH;
        let values = [("account", number.to_string()), ("pending_after", here.clone())];
        // What doesn't come may come the next time.
        let written = crate::loading::ask(address, &values).await.unwrap_or_default();
        let seen = crate::wire::read::<Vec<(String, StandingView)>>(&written).ok();
        let moves = seen.as_ref().is_none_or(|seen| seen.iter().any(|(_, one)| one.moves));
        if let Some(seen) = seen {
            standing.try_set(seen);
        }
        if moves {
            look(number, here, standing, left);
        }
    };
    set_timeout(move || leptos::task::spawn_local(ask), LOOKS.0);
}

/// Where no script runs, the page is loaded again.
#[cfg(feature = "ssr")]
fn follow(_number: AccountNumber, _here: String, _standing: Standing) {}
