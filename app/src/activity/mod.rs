//! The activity log.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::activity::api::{DigestRow, LogRow, LogView};
use crate::address::{LOG, PROFILE, address_of, escape_query, from_here};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::table::{Caption, Cell, empty, grouped, table};
use crate::when::TimeOfDay;

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
            let first = view.later.then(|| {
                view! { <a href=format!("{base}{filter}")>{words!(log.first)}</a> }
            });
            let next = view.next.as_ref().map(|after| {
                let href = format!("{base}{filter}&after={after}");
                view! { <a href=href rel="next">{words!(log.next)}</a> }
            });
            let pages = (first.is_some() || next.is_some()).then(|| {
                view! { <nav class="pages" aria-label=words!(log.pages)>{first} {next}</nav> }
            });
            let none = view.days.is_empty().then(|| empty(words!(log.empty)));
            let columns =
                vec![words!(log.when), words!(log.who), words!(log.what), words!(log.from)];
            let days = view.days.iter().cloned();
            let days = days.map(|day| (day.day, day.rows.into_iter().map(row).collect()));
            let days = days.collect();
            let digests = view.digests.clone().map(|digests| self::digests(&base, digests));
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head">
                    <div>
                        <h1>{heading}</h1>
                        <p class="lead">{words!(log.lead, account = account.name)}</p>
                    </div>
                    <div class="page-actions">
                        <a class="button" href=export rel="external" download>
                            {words!(log.export)}
                        </a>
                    </div>
                </div>
                {filters(&base, &view)}
                <p class="hint">{view.zone.clone()} " " <a href=from_here(PROFILE)>{words!(log.zone_change)}</a></p>
                {grouped(Caption::Quiet(words!(log.caption)), columns, days)}
                {none}
                {pages}
                {digests}
            }
            .into_any()
        })
    }
}

fn filters(base: &str, view: &LogView) -> impl IntoView + use<> {
    let chosen = view.kind.clone();
    let kinds = view
        .kinds
        .iter()
        .cloned()
        .map(|(id, words)| {
            let selected = id == chosen;
            view! { <option value=id selected=selected>{words}</option> }
        })
        .collect_view();
    let days = !view.from.is_empty() || !view.to.is_empty();
    let filtered = !view.person.is_empty() || !view.kind.is_empty() || days;
    let clear = filtered.then(|| {
        view! { <a class="button button-quiet" href=base.to_owned()>{words!(log.clear)}</a> }
    });
    view! {
        <form class="filters" method="get" action=base.to_owned()>
            <div class="field">
                <label for="person">{words!(log.person)}</label>
                <input id="person" name="person" type="search" value=view.person.clone() />
            </div>
            <div class="field">
                <label for="kind">{words!(log.kind)}</label>
                <select id="kind" name="kind">
                    <option value="">{words!(log.any_kind)}</option>
                    {kinds}
                </select>
            </div>
            {day_field("from", words!(log.from_day), view.from.clone(), view.from_problem.clone())}
            {day_field("to", words!(log.to_day), view.to.clone(), view.to_problem.clone())}
            <button class="button" type="submit">{words!(log.filter)}</button>
            <button class="button" type="submit" name="last" value="7">
                {words!(log.last_week)}
            </button>
            {clear}
        </form>
    }
}

/// A field for one of the days between which rows are asked for.
fn day_field(name: &'static str, label: String, value: String, problem: Option<String>) -> AnyView {
    let problem_id = format!("{name}-error");
    let described_by = problem.is_some().then(|| problem_id.clone());
    let invalid = problem.is_some();
    let class = if invalid { "field field-invalid" } else { "field" };
    let problem = problem.map(|problem| {
        view! { <p class="field-error" id=problem_id>{problem}</p> }
    });
    view! {
        <div class=class>
            <label for=name>{label}</label>
            {problem}
            <input
                id=name
                name=name
                type="date"
                value=value
                aria-describedby=described_by
                aria-invalid=invalid.then_some("true")
            />
        </div>
    }
    .into_any()
}

/// What an owner can keep as a proof of how the log stood.
fn digests(base: &str, digests: Vec<DigestRow>) -> AnyView {
    let heading = words!(log.digests);
    let list = if digests.is_empty() {
        empty(words!(log.digests_empty))
    } else {
        let columns = vec![words!(log.digest_day), words!(log.digest_rows), words!(users.actions)];
        let rows = digests.into_iter().map(|digest| {
            let href = format!("{base}/digests/{}", digest.id);
            let words = words!(log.digest_download, day = digest.day.clone());
            let link = view! { <a href=href rel="external" download>{words}</a> };
            vec![Cell::number(digest.day), Cell::number(digest.rows), Cell::actions(link)]
        });
        table(Caption::Quiet(heading.clone()), columns, rows.collect())
    };
    view! {
        <h2>{heading}</h2>
        <p class="lead">{words!(log.digests_lead)}</p>
        {list}
    }
    .into_any()
}

fn row(row: LogRow) -> Vec<Cell> {
    let details = row.details.into_iter().map(|line| view! { <p class="hint">{line}</p> });
    let what = view! {
        <bdi>{row.what}</bdi>
        {details.collect_view()}
    };
    vec![
        Cell::new(view! { <TimeOfDay moment=row.at time=row.time /> }),
        Cell::sentence(view! { <bdi translate="no">{row.who}</bdi> }),
        Cell::sentence(what),
        Cell::number(row.from),
    ]
}
