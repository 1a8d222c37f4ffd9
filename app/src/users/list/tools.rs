//! What stands above the table of users: whom to list, how many that are, in which order, and all of them
//! as a file.

use leptos::prelude::AnyView;
use maud::{Markup, html};
use model::{AccountNumber, Area};

use crate::address::{USERS, address_of};
use crate::ui::still::still;
use crate::users::list::api::{ToolsView, UsersView};
use crate::words;

/// Whom to list.
pub(crate) fn tools(base: &str, by_activity: bool, view: &ToolsView) -> AnyView {
    let factors = [("on".to_owned(), words!(users.on)), ("off".to_owned(), words!(users.off))];
    still(html! {
        form.filters method="get" action=(base) role="search" {
            div.field {
                label for="search" { (words!(users.search)) }
                input #search type="search" name="search" value=(view.search);
            }
            (choice("access", words!(users.access), accesses(&view.access)))
            (choice("second_factor", words!(users.second_factor), options(factors, &view.second_factor)))
            (choice(
                "last_active",
                words!(users.last_active),
                options(view.activities.iter().cloned(), &view.last_active),
            ))
            @if by_activity { input type="hidden" name="sort" value="activity"; }
            button.button type="submit" { (words!(users.search_button)) }
        }
    })
}

fn choice(name: &str, label: String, options: Markup) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { (words!(users.any)) }
                (options)
            }
        }
    }
}

fn options(there: impl IntoIterator<Item = (String, String)>, chosen: &str) -> Markup {
    html! {
        @for (id, words) in there {
            option value=(id) selected[id == chosen] { (words) }
        }
    }
}

/// Owners, whose access is paused, and who has a permission.
fn accesses(chosen: &str) -> Markup {
    let states =
        [("owner".to_owned(), words!(access.owner)), ("paused".to_owned(), words!(users.paused))];
    html! {
        (options(states, chosen))
        @for area in Area::ALL {
            optgroup label=(words::area(area)) {
                (options(area.permissions().map(|one| (one.to_string(), words::label(one))), chosen))
            }
        }
    }
}

/// How many are listed, in which order, and all of them as a file.
pub(crate) fn above(number: AccountNumber, view: &UsersView) -> AnyView {
    let base = address_of(USERS, &[&number]);
    let UsersView { queries, by_activity, .. } = view;
    let narrowed = view.tools.as_ref().is_some_and(|tools| tools.narrowed);
    let current = |is: bool| is.then_some("true");
    still(html! {
        div.table-tools {
            p {
                (view.found)
                @if narrowed {
                    " "
                    a href={ (base) (queries.everybody) } { (words!(users.search_clear)) }
                }
            }
            @if view.sortable {
                nav.sort aria-label=(words!(users.sort)) {
                    a href={ (base) (queries.by_name) } aria-current=[current(!by_activity)] {
                        (words!(users.sort_name))
                    }
                    a href={ (base) (queries.by_activity) } aria-current=[current(*by_activity)] {
                        (words!(users.sort_active))
                    }
                }
            }
            a href={ (base) ".csv" (queries.export) } rel="external" download {
                (words!(users.export))
            }
        }
    })
}
