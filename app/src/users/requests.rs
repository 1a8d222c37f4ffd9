//! The requests that wait for an answer.

use leptos::prelude::*;
use maud::{Markup, html};
use model::AccountNumber;
use serde::{Deserialize, Serialize};

use crate::address::{DECLINE_REQUEST, EXTRA, MANAGE, address_of};
use crate::frame::PersonView;
use crate::ui::avatar::person;
use crate::ui::table::{Caption, Cell, table};
use crate::users::extra::NEW;
use crate::when::{Moment, relative};

#[cfg(feature = "ssr")]
use {
    crate::{formats, words},
    domain::access_requests::Waiting,
    model::Timestamp,
};

/// A request in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    /// Its id.
    pub(crate) id: String,
    /// Who asks.
    pub(crate) person: PersonView,
    /// What for, and on which thing.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
    /// Until when, if there is an end.
    pub(crate) until: Option<String>,
    /// When they asked.
    pub(crate) asked: Moment,
    /// Why the reader can't give it; none if they can.
    pub(crate) lacks: Option<String>,
    /// Whether it is the reader's own.
    pub(crate) own: bool,
}

/// A row of the table.
#[cfg(feature = "ssr")]
pub(crate) fn request_row(waiting: Waiting, now: Timestamp) -> RequestRow {
    let what = what(&waiting);
    let Waiting { request, own, lacks, .. } = waiting;
    RequestRow {
        id: request.id.to_string(),
        person: PersonView {
            id: request.user,
            name: request.person.full_name,
            email: request.person.email.to_string(),
        },
        what,
        why: request.why,
        until: request.until.map(formats::end),
        asked: Moment::new(request.asked_at, now),
        lacks: lacks.as_ref().map(words::failure),
        own,
    }
}

/// What is asked for: the permission, and the thing that it is about.
#[cfg(feature = "ssr")]
pub(crate) fn what(waiting: &Waiting) -> String {
    let label = words::label(waiting.request.permission);
    let thing = match &waiting.request.thing {
        Some(thing) => Some(thing.name.clone()),
        None if waiting.unseen => Some(words!(requests.unseen)),
        None => None,
    };
    match thing {
        Some(thing) => words!(requests.what_on, what = label, thing = thing),
        None => label,
    }
}

/// The table of open requests; nothing where there are none.
pub(crate) fn requests(number: AccountNumber, rows: Vec<RequestRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let columns = vec![
        words!(users.user),
        words!(requests.what),
        words!(requests.why),
        words!(requests.until),
        words!(requests.asked),
        words!(users.actions),
    ];
    let rows = rows.into_iter().map(|row| request_cells(number, row)).collect();
    let table = table(Caption::Shown(words!(requests.caption)), columns, rows);
    Some(view! { <section id="requests">{table}</section> }.into_any())
}

fn request_cells(number: AccountNumber, row: RequestRow) -> Vec<Cell> {
    let page = address_of(MANAGE, &[&number, &row.person.id]);
    let name = html! {
        a.person-name dir="auto" translate="no" href=(page) { (row.person.name) }
    };
    let what = html! {
        bdi { (row.what) }
        @if let Some(lacks) = &row.lacks { p.hint { (lacks) } }
    };
    let actions = actions(number, &row);
    vec![
        Cell::new(person(&row.person, name)),
        Cell::sentence(what),
        Cell::sentence(html! { bdi { (row.why) } }),
        Cell::number(row.until.unwrap_or_else(|| words!(bounds.no_end))),
        Cell::number(relative(&row.asked)),
        Cell::actions(actions),
    ]
}

fn actions(number: AccountNumber, row: &RequestRow) -> Markup {
    let name = &row.person.name;
    // The form for giving somebody more begins with what they ask for.
    let give = address_of(EXTRA, &[&number, &row.person.id, &NEW]);
    html! {
        @if row.lacks.is_none() {
            form method="get" action=(give) {
                input type="hidden" name="request" value=(row.id);
                button.button aria-label=(words!(requests.give_to, name = name)) {
                    (words!(requests.give))
                }
            }
            // Loaded whole, so that the browser puts the cursor there.
            a.button
                href={ (give) "?request=" (row.id) "#until" }
                rel="external"
                aria-label=(words!(requests.give_until_to, name = name))
            { (words!(requests.give_until)) }
        }
        @if !row.own {
            form method="get" action=(address_of(DECLINE_REQUEST, &[&number, &row.id])) {
                button.button.button-quiet
                    aria-label=(words!(requests.decline_for, name = name))
                { (words!(requests.decline)) }
            }
        }
    }
}
