//! What stands above the table of users: whom to list, how many that are, in which order, and all of them
//! as a file.

use leptos::prelude::*;
use model::{AccountNumber, Area};

use crate::address::{USERS, address_of};
use crate::users::list::api::{ToolsView, UsersView};
use crate::words;

/// Whom to list.
pub(crate) fn tools(base: &str, by_activity: bool, view: ToolsView) -> AnyView {
    let sorted = by_activity.then(|| {
        view! { <input type="hidden" name="sort" value="activity" /> }
    });
    let factors = vec![("on".to_owned(), words!(users.on)), ("off".to_owned(), words!(users.off))];
    let factors = options(factors, &view.second_factor);
    let activities = options(view.activities, &view.last_active);
    view! {
        <form class="filters" method="get" action=base.to_owned() role="search">
            <div class="field">
                <label for="search">{words!(users.search)}</label>
                <input id="search" type="search" name="search" value=view.search />
            </div>
            {choice("access", words!(users.access), accesses(&view.access))}
            {choice("second_factor", words!(users.second_factor), factors)}
            {choice("last_active", words!(users.last_active), activities)}
            {sorted}
            <button class="button" type="submit">{words!(users.search_button)}</button>
        </form>
    }
    .into_any()
}

fn choice(name: &'static str, label: String, options: AnyView) -> AnyView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=name>
                <option value="">{words!(users.any)}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

fn options(there: Vec<(String, String)>, chosen: &str) -> AnyView {
    let option = |(id, words): (String, String)| {
        let selected = id == chosen;
        view! { <option value=id selected=selected>{words}</option> }
    };
    there.into_iter().map(option).collect_view().into_any()
}

/// Owners, whose access is paused, and who has a permission.
fn accesses(chosen: &str) -> AnyView {
    let states = vec![
        ("owner".to_owned(), words!(access.owner)),
        ("paused".to_owned(), words!(users.paused)),
    ];
    let areas = Area::ALL.into_iter().map(|area| {
        let permissions = area.permissions().map(|one| (one.to_string(), words::label(one)));
        let permissions = options(permissions.collect(), chosen);
        view! { <optgroup label=words::area(area)>{permissions}</optgroup> }
    });
    view! {
        {options(states, chosen)}
        {areas.collect_view()}
    }
    .into_any()
}

/// How many are listed, in which order, and all of them as a file.
pub(crate) fn above(number: AccountNumber, view: &UsersView) -> AnyView {
    let base = address_of(USERS, &[&number]);
    let export = format!("{base}.csv{}", view.queries.export);
    let narrowed = view.tools.as_ref().is_some_and(|tools| tools.narrowed);
    let everybody = narrowed.then(|| {
        let href = format!("{base}{}", view.queries.everybody);
        view! { " " <a href=href>{words!(users.search_clear)}</a> }
    });
    let current = |is: bool| is.then_some("true");
    let sort = view.sortable.then(|| {
        let to = |query: &str| format!("{base}{query}");
        let (by_name, by_activity) = (to(&view.queries.by_name), to(&view.queries.by_activity));
        view! {
            <nav class="sort" aria-label=words!(users.sort)>
                <a href=by_name aria-current=current(!view.by_activity)>{words!(users.sort_name)}</a>
                <a href=by_activity aria-current=current(view.by_activity)>
                    {words!(users.sort_active)}
                </a>
            </nav>
        }
    });
    view! {
        <div class="table-tools">
            <p>{view.found.clone()} {everybody}</p>
            {sort}
            <a href=export rel="external" download>{words!(users.export)}</a>
        </div>
    }
    .into_any()
}
