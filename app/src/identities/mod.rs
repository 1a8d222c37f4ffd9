//! Signing in with an identity provider: the way there, linking what came back, and taking a link
//! away.

pub(crate) mod api;
pub(crate) mod link;
pub(crate) mod onward;
pub(crate) mod unlink;

use leptos::prelude::*;
use maud::html;
use serde::{Deserialize, Serialize};

pub(crate) use api::{choices, linked, offered_here};

use crate::address::from_here;
use crate::endpoint::{Endpoint, endpoint};
use crate::frame::Frame;
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::table::{Caption, Cell, table};
use crate::when::{Moment, relative, relative_or_never};

/// An identity provider that the reader may sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// Its id.
    id: String,
    /// The words on its button.
    words: String,
}

/// The buttons to sign in with an identity provider, and to go on to `next` then; nothing when there
/// is none.
pub(crate) fn buttons(choices: Vec<Choice>, action: String, next: String) -> AnyView {
    if choices.is_empty() {
        return ().into_any();
    }
    let button = |Choice { id, words }| {
        view! { <button type="submit" class="button" name="provider" value=id>{words}</button> }
    };
    view! {
        <Form form={endpoint::<api::SignInWith>()} action=action class="form identity-providers">
            <input type="hidden" name="next" value=next />
            {choices.into_iter().map(button).collect_view()}
        </Form>
    }
    .into_any()
}

/// The identities that open the reader's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkedView {
    /// The table's caption.
    caption: String,
    /// Its columns' names.
    columns: Vec<String>,
    /// Its rows.
    rows: Vec<LinkedRow>,
}

/// An identity that opens the reader's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LinkedRow {
    /// The provider's name.
    provider: String,
    /// The address that it was linked by.
    email: String,
    /// Since when.
    since: Moment,
    /// When it was last used.
    last_used: Option<Moment>,
    /// Where it is taken away.
    href: String,
    /// The words on the link there, and its accessible name.
    unlink: (String, String),
}

/// The table of the identities that open the reader's login; nothing when there are none.
pub(crate) fn linked_table(view: LinkedView) -> AnyView {
    let LinkedView { caption, columns, rows } = view;
    if rows.is_empty() {
        return ().into_any();
    }
    let row = |row: LinkedRow| {
        let LinkedRow { provider, email, since, last_used, href, unlink } = row;
        let (words, label) = unlink;
        vec![
            Cell::new(html! { strong { (provider) } br; " " span.hint { (email) } }),
            Cell::number(relative(&since)),
            Cell::number(relative_or_never(last_used.as_ref())),
            Cell::actions(html! {
                a.button.button-quiet href=(from_here(&href)) aria-label=(label) { (words) }
            }),
        ]
    };
    let rows = rows.into_iter().map(row).collect();
    view! { <section>{table(Caption::Shown(caption), columns, rows)}</section> }.into_any()
}

/// A page that says one thing and offers one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepView {
    /// Its heading.
    heading: String,
    /// What there is to know.
    lead: String,
    /// The words on the button of the step.
    words: String,
    /// Where the step leads; none for a form.
    href: Option<String>,
    /// The way back: its words, and where it leads.
    back: Option<(String, String)>,
    /// What a form is about.
    about: String,
}

/// Shows the page; `form` is its form's server function, if it has a form, and `class` that of its
/// button.
fn step(
    view: StepView,
    frame: Frame,
    form: Option<Endpoint>,
    action: String,
    class: &'static str,
) -> AnyView {
    let StepView { heading, lead, words, href, back, about } = view;
    let back =
        back.map(|(words, href)| view! { <a href=from_here(&href) rel="external">{words}</a> });
    let step = match href {
        Some(href) => view! {
            <div class="form-actions">
                <a class="button button-primary" href=href rel="external">{words}</a>
                {back}
            </div>
        }
        .into_any(),
        None => form
            .map(|form| {
                view! {
                    <Form form=form action=action>
                        <input type="hidden" name="about" value=about />
                        <div class="form-actions">
                            <SubmitButton class=class words=words />
                            {back}
                        </div>
                    </Form>
                }
            })
            .into_any(),
    };
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <h1>{heading}</h1>
        <p>{lead}</p>
        {step}
    }
    .into_any()
}
