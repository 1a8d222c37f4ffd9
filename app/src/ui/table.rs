//! Tables: one function for all of them. On a phone each row becomes a card, its cells labelled
//! with their column.

use leptos::prelude::*;

/// The class of cells with an amount.
const AMOUNT: &str = "amount";

/// A cell of a row.
pub(crate) struct Cell {
    class: &'static str,
    content: AnyView,
}

impl Cell {
    /// A cell with this content.
    pub(crate) fn new(content: impl IntoView + 'static) -> Self {
        Self { class: "", content: content.into_any() }
    }

    /// A sentence, which may take several lines.
    pub(crate) fn sentence(content: impl IntoView + 'static) -> Self {
        Self { class: "cell-access", ..Self::new(content) }
    }

    /// A number or moment, which stays on one line.
    pub(crate) fn number(content: impl IntoView + 'static) -> Self {
        Self { class: "cell-number", ..Self::new(content) }
    }

    /// An amount of money, at the right.
    pub(crate) fn amount(content: impl IntoView + 'static) -> Self {
        Self { class: AMOUNT, ..Self::new(content) }
    }

    /// Links and buttons, at the right.
    pub(crate) fn actions(content: impl IntoView + 'static) -> Self {
        Self { class: "cell-actions", ..Self::new(content) }
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
        Caption::Shown(words) => ("", view! { <h2>{words}</h2> }.into_any()),
        Caption::Quiet(words) => ("visually-hidden", words.into_any()),
    };
    let actions = words!(users.actions);
    // Sums are compared by their ends: the column's name stands above those.
    let first = groups.iter().flat_map(|(_, rows)| rows).next();
    let classes: Vec<_> =
        first.map(|row| row.iter().map(|cell| cell.class).collect()).unwrap_or_default();
    let is_amount = |place: usize| classes.get(place).is_some_and(|class| *class == AMOUNT);
    let heads = columns.iter().cloned().enumerate();
    let heads = heads.map(|(place, name)| head(&actions, name, is_amount(place))).collect_view();
    let row = |row: Vec<Cell>| {
        let cells = row.into_iter().enumerate().map(|(place, cell)| {
            let label = columns.get(place).filter(|_| place > 0).cloned();
            match place {
                // What the row is about.
                0 => view! { <th scope="row" class=cell.class>{cell.content}</th> }.into_any(),
                _ => data(label.filter(|label| *label != actions), cell),
            }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    };
    let width = columns.len();
    let bodies = groups
        .into_iter()
        .map(|(heading, rows)| {
            let heading = heading.map(|heading| {
                view! {
                    <tr class="rows-group">
                        <th scope="rowgroup" colspan=width>{heading}</th>
                    </tr>
                }
            });
            let rows = rows.into_iter().map(row).collect_view();
            view! { <tbody>{heading} {rows}</tbody> }
        })
        .collect_view();
    view! {
        <table class="rows">
            <caption class=class>{caption}</caption>
            <thead>
                <tr>{heads}</tr>
            </thead>
            {bodies}
        </table>
    }
    .into_any()
}

fn head(actions: &str, name: String, is_amount: bool) -> AnyView {
    let class = if name == actions { "visually-hidden" } else { "" };
    let of = if is_amount { AMOUNT } else { "" };
    view! { <th scope="col" class=of><span class=class>{name}</span></th> }.into_any()
}

fn data(label: Option<String>, cell: Cell) -> AnyView {
    view! { <td class=cell.class data-label=label>{cell.content}</td> }.into_any()
}

/// What stands in place of a table's rows when there are none.
pub(crate) fn empty(words: String) -> AnyView {
    view! { <div class="empty"><p>{words}</p></div> }.into_any()
}
