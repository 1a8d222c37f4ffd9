//! The activity log.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::{Markup, html};

use crate::activity::api::{DigestRow, LogRow, LogView};
use crate::address::{LOG, PROFILE, address_of, escape_query, from_here};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::pages::{Turn, turns};
use crate::ui::still::still;
use crate::ui::table::{Caption, Cell, empty, grouped, table};
use crate::when::time_of_day;

/// `/accounts/{n}/log`
pub(crate) struct LogPage(Loading<LogView>);

#[lazy_route]
impl LazyRoute for LogPage {
    fn data() -> Self {
        Self(load!(asked => api::LogPage {
            account: asked.account(),
            person: asked.query("person"),
            kind: asked.query("kind"),
            from: asked.query("from"),
            to: asked.query("to"),
            last: asked.query("last"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Log, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = words!(log.heading);
            let base = address_of(LOG, &[&account.number]);
            let filter = format!(
                "?person={}&kind={}&from={}&to={}",
                escape_query(&view.person),
                escape_query(&view.kind),
                escape_query(&view.from),
                escape_query(&view.to)
            );
            let export = format!("{base}.csv{filter}");
            let first = view.later.then(|| Turn::first(format!("{base}{filter}")));
            let next = view.next.as_ref();
            let next = next.map(|after| Turn::next(format!("{base}{filter}&after={after}")));
            let pages = turns(
                &words!(log.pages),
                first.map(|turn| turn.in_words(words!(log.first))),
                next.map(|turn| turn.in_words(words!(log.next))),
            );
            let none = view.days.is_empty().then(|| empty(words!(log.empty)));
            let columns =
                vec![words!(log.when), words!(log.who), words!(log.what), words!(log.from)];
            let days = view.days.iter().cloned();
            let days = days.map(|day| (day.day, day.rows.into_iter().map(row).collect()));
            let days = days.collect();
            let digests = view.digests.clone().map(|digests| self::digests(&base, digests));
            let head = html! {
                div.page-head {
                    div {
                        h1 { (heading) }
                        p.lead { (words!(log.lead, account = account.name)) }
                    }
                    div.page-actions {
                        a.button href=(export) rel="external" download { (words!(log.export)) }
                    }
                }
            };
            let zone = html! {
                p.hint {
                    (view.zone)
                    " "
                    a href=(from_here(PROFILE)) { (words!(log.zone_change)) }
                }
            };
            view! {
                <PageTitle title=heading provider=frame.provider />
                {still(head)}
                {filters(&base, &view)}
                {still(zone)}
                {grouped(Caption::Quiet(words!(log.caption)), columns, days)}
                {none}
                {pages}
                {digests}
            }
            .into_any()
        })
    }
}

fn filters(base: &str, view: &LogView) -> AnyView {
    let days = !view.from.is_empty() || !view.to.is_empty();
    let filtered = !view.person.is_empty() || !view.kind.is_empty() || days;
    still(html! {
        form.filters method="get" action=(base) {
            div.field {
                label for="person" { (words!(log.person)) }
                input #person name="person" type="search" value=(view.person);
            }
            div.field {
                label for="kind" { (words!(log.kind)) }
                select #kind name="kind" {
                    option value="" { (words!(log.any_kind)) }
                    @for (id, words) in &view.kinds {
                        option value=(id) selected[*id == view.kind] { (words) }
                    }
                }
            }
            (day_field("from", &words!(log.from_day), &view.from, view.from_problem.as_deref()))
            (day_field("to", &words!(log.to_day), &view.to, view.to_problem.as_deref()))
            button.button type="submit" { (words!(log.filter)) }
            button.button type="submit" name="last" value="7" { (words!(log.last_week)) }
            @if filtered { a.button.button-quiet href=(base) { (words!(log.clear)) } }
        }
    })
}

/// A field for one of the days between which rows are asked for.
fn day_field(name: &str, label: &str, value: &str, problem: Option<&str>) -> Markup {
    let problem_id = format!("{name}-error");
    html! {
        div.field.field-invalid[problem.is_some()] {
            label for=(name) { (label) }
            @if let Some(problem) = problem { p.field-error id=(problem_id) { (problem) } }
            input
                id=(name)
                name=(name)
                type="date"
                value=(value)
                aria-describedby=[problem.map(|_| &problem_id)]
                aria-invalid=[problem.map(|_| "true")];
        }
    }
}

/// What an owner can keep as a proof of how the log stood.
fn digests(base: &str, digests: Vec<DigestRow>) -> AnyView {
    let heading = words!(log.digests);
    let list = if digests.is_empty() {
        empty(words!(log.digests_empty))
    } else {
        let columns = vec![words!(log.digest_day), words!(log.digest_rows), words!(users.actions)];
        let rows = digests.into_iter().map(|digest| {
            let words = words!(log.digest_download, day = digest.day.clone());
            let link = html! {
                a href={ (base) "/digests/" (digest.id) } rel="external" download { (words) }
            };
            vec![
                Cell::number(digest.day),
                Cell::number(digest.rows.to_string()),
                Cell::actions(link),
            ]
        });
        table(Caption::Quiet(heading.clone()), columns, rows.collect())
    };
    view! {
        {still(html! { h2 { (heading) } })}
        {still(html! { p.lead { (words!(log.digests_lead)) } })}
        {list}
    }
    .into_any()
}

fn row(row: LogRow) -> Vec<Cell> {
    let what = html! {
        bdi { (row.what) }
        @for line in row.details { p.hint { (line) } }
    };
    vec![
        Cell::new(time_of_day(&row.at, &row.time)),
        Cell::sentence(html! { bdi translate="no" { (row.who) } }),
        Cell::sentence(what),
        Cell::number(row.from),
    ]
}
