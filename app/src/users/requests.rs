//! The requests that wait for an answer.

use leptos::prelude::*;
use model::AccountNumber;
use serde::{Deserialize, Serialize};

use crate::address::{DECLINE_REQUEST, EXTRA, MANAGE, address_of};
use crate::frame::PersonView;
use crate::ui::avatar::{Avatar, Email};
use crate::ui::table::{Caption, Cell, table};
use crate::users::extra::NEW;
use crate::when::{Moment, Relative};

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
    let name = row.person.name.clone();
    let page = address_of(MANAGE, &[&number, &row.person.id]);
    let lacks = row.lacks.clone().map(|lacks| view! { <p class="hint">{lacks}</p> });
    let what = view! {
        <bdi>{row.what.clone()}</bdi>
        {lacks}
    };
    let until = row.until.clone().unwrap_or_else(|| words!(bounds.no_end));
    let person = view! {
        <div class="person">
            <Avatar id=row.person.id name=name.clone() />
            <div>
                <a class="person-name" dir="auto" translate="no" href=page>{name.clone()}</a>
                <Email address=row.person.email.clone() />
            </div>
        </div>
    };
    let (why, asked) = (row.why.clone(), row.asked.clone());
    vec![
        Cell::new(person),
        Cell::sentence(what),
        Cell::sentence(view! { <bdi>{why}</bdi> }),
        Cell::number(until),
        Cell::number(view! { <Relative moment=asked /> }),
        Cell::actions(actions(number, row)),
    ]
}

fn actions(number: AccountNumber, row: RequestRow) -> AnyView {
    let name = row.person.name;
    // The form for giving somebody more begins with what they ask for.
    let give = row.lacks.is_none().then(|| {
        let action = address_of(EXTRA, &[&number, &row.person.id, &NEW]);
        let label = words!(requests.give_to, name = name.clone());
        view! {
            <form method="get" action=action>
                <input type="hidden" name="request" value=row.id.clone() />
                <button class="button" aria-label=label>{words!(requests.give)}</button>
            </form>
        }
    });
    let give_until = row.lacks.is_none().then(|| {
        let form = address_of(EXTRA, &[&number, &row.person.id, &NEW]);
        let href = format!("{form}?request={}#until", row.id);
        let label = words!(requests.give_until_to, name = name.clone());
        // Loaded whole, so that the browser puts the cursor there.
        view! {
            <a class="button" href=href rel="external" aria-label=label>
                {words!(requests.give_until)}
            </a>
        }
    });
    let decline = (!row.own).then(|| {
        let action = address_of(DECLINE_REQUEST, &[&number, &row.id]);
        let label = words!(requests.decline_for, name = name);
        view! {
            <form method="get" action=action>
                <button class="button button-quiet" aria-label=label>
                    {words!(requests.decline)}
                </button>
            </form>
        }
    });
    view! { {give} {give_until} {decline} }.into_any()
}
