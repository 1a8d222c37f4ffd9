//! Tables: one function for all of them. On a phone each row becomes a card, its cells labelled
//! with their column.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::ui::still::still;

/// The class of cells with an amount.
const AMOUNT: &str = "amount";

/// A cell of a row.
pub(crate) struct Cell {
    class: Option<&'static str>,
    content: Content,
}

/// What stands in a cell.
pub(crate) enum Content {
    /// What nothing comes to life in.
    Still(Markup),
    /// What a form is in, or what changes by itself.
    Living(AnyView),
}

impl From<Markup> for Content {
    fn from(markup: Markup) -> Self {
        Self::Still(markup)
    }
}

impl From<String> for Content {
    fn from(words: String) -> Self {
        Self::Still(html! { (words) })
    }
}

impl From<AnyView> for Content {
    fn from(view: AnyView) -> Self {
        Self::Living(view)
    }
}

impl Content {
    /// The markup of one element that nothing comes to life in.
    fn markup(&self) -> Option<&Markup> {
        match self {
            Self::Still(markup) => Some(markup),
            Self::Living(_) => None,
        }
    }

    /// One element.
    fn view(self) -> AnyView {
        match self {
            Self::Still(markup) => still(markup),
            Self::Living(view) => view,
        }
    }
}

impl Cell {
    /// A cell with this content.
    pub(crate) fn new(content: impl Into<Content>) -> Self {
        Self { class: None, content: content.into() }
    }

    /// A sentence, which may take several lines.
    pub(crate) fn sentence(content: impl Into<Content>) -> Self {
        Self { class: Some("cell-access"), ..Self::new(content) }
    }

    /// A number or moment, which stays on one line.
    pub(crate) fn number(content: impl Into<Content>) -> Self {
        Self { class: Some("cell-number"), ..Self::new(content) }
    }

    /// An amount of money, at the right.
    pub(crate) fn amount(content: impl Into<Content>) -> Self {
        Self { class: Some(AMOUNT), ..Self::new(content) }
    }

    /// Links and buttons, at the right.
    pub(crate) fn actions(content: impl Into<Content>) -> Self {
        Self { class: Some("cell-actions"), ..Self::new(content) }
    }

    /// Its element: a heading for what the row is about, which comes first, else data with its label.
    fn element(self, place: usize, label: Option<&String>) -> Content {
        let Self { class, content } = self;
        match content {
            Content::Still(content) if place == 0 => {
                html! { th scope="row" class=[class] { (content) } }.into()
            }
            Content::Still(content) => {
                html! { td class=[class] data-label=[label] { (content) } }.into()
            }
            Content::Living(content) if place == 0 => {
                view! { <th scope="row" class=class>{content}</th> }.into_any().into()
            }
            Content::Living(content) => {
                view! { <td class=class data-label=label.cloned()>{content}</td> }.into_any().into()
            }
        }
    }
}

/// A table's caption: a heading to be seen, or words for those who don't see the page.
pub(crate) enum Caption {
    /// Shown above the table.
    Shown(String),
    /// For screen readers, where the page's heading says it already.
    Quiet(String),
}

/// A table with these columns. The column of actions has a name for screen readers only.
pub(crate) fn table(caption: Caption, columns: Vec<String>, rows: Vec<Vec<Cell>>) -> AnyView {
    bodies(caption, columns, vec![(None, rows)])
}

/// The same with its rows in groups, each under what it has in common.
pub(crate) fn grouped(
    caption: Caption,
    columns: Vec<String>,
    groups: Vec<(String, Vec<Vec<Cell>>)>,
) -> AnyView {
    let groups = groups.into_iter().map(|(heading, rows)| (Some(heading), rows));
    bodies(caption, columns, groups.collect())
}

fn bodies(
    caption: Caption,
    columns: Vec<String>,
    groups: Vec<(Option<String>, Vec<Vec<Cell>>)>,
) -> AnyView {
    let (class, caption) = match caption {
        Caption::Shown(words) => (None, html! { h2 { (words) } }),
        Caption::Quiet(words) => (Some("visually-hidden"), html! { (words) }),
    };
    let actions = words!(users.actions);
    // Sums are compared by their ends: the column's name stands above those.
    let first = groups.iter().flat_map(|(_, rows)| rows).next();
    let classes: Vec<_> =
        first.map(|row| row.iter().map(|cell| cell.class).collect()).unwrap_or_default();
    let is_amount = |place: usize| classes.get(place).is_some_and(|class| *class == Some(AMOUNT));
    let heads = html! {
        thead {
            tr {
                @for (place, name) in columns.iter().enumerate() {
                    th scope="col" class=[is_amount(place).then_some(AMOUNT)] {
                        span class=[(*name == actions).then_some("visually-hidden")] { (name) }
                    }
                }
            }
        }
    };
    let width = columns.len();
    // What is there to do needs no label.
    let labels: Vec<_> =
        columns.into_iter().map(|name| Some(name).filter(|name| *name != actions)).collect();
    let bodies = groups.into_iter().map(|(heading, rows)| {
        let heading = heading.map(|heading| {
            still(html! {
                tr.rows-group { th scope="rowgroup" colspan=(width) { (heading) } }
            })
        });
        let rows = rows.into_iter().map(|cells| row(&labels, cells)).collect_view();
        view! { <tbody>{heading} {rows}</tbody> }
    });
    view! {
        <table class="rows">
            {still(html! { caption class=[class] { (caption) } })}
            {still(heads)}
            {bodies.collect_view()}
        </table>
    }
    .into_any()
}

/// A row, in one piece if nothing in it comes to life.
fn row(labels: &[Option<String>], cells: Vec<Cell>) -> AnyView {
    let element = |(place, cell): (usize, Cell)| {
        cell.element(place, labels.get(place).and_then(Option::as_ref))
    };
    let cells: Vec<_> = cells.into_iter().enumerate().map(element).collect();
    let stills: Option<Vec<_>> = cells.iter().map(Content::markup).collect();
    match stills {
        Some(cells) => still(html! { tr { @for cell in cells { (cell) } } }),
        None => {
            let cells = cells.into_iter().map(Content::view).collect_view();
            view! { <tr>{cells}</tr> }.into_any()
        }
    }
}

/// What stands in place of a table's rows when there are none.
pub(crate) fn empty(words: String) -> AnyView {
    still(html! { div.empty { p { (words) } } })
}
