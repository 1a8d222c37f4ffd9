//! The activity log.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::activity::api::{DigestRow, LogRow, LogView};
use crate::address::{LOG, address_of, escape_query};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::when::Relative;

/// `/accounts/{n}/log`
pub(crate) struct LogPage(Loading<LogView>);

#[lazy_route]
impl LazyRoute for LogPage {
    fn data() -> Self {
        Self(load!(asked => api::LogPage {
            account: asked.account(),
            person: asked.query("person"),
            kind: asked.query("kind"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Log, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = words!(log.heading);
            let base = address_of(LOG, &[&account.number]);
            let filter =
                format!("?person={}&kind={}", escape_query(&view.person), escape_query(&view.kind));
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
            let none = view.rows.is_empty().then(|| empty(words!(log.empty)));
            let columns =
                vec![words!(log.when), words!(log.who), words!(log.what), words!(log.from)];
            let rows = view.rows.iter().cloned().map(row).collect();
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
                {table(Caption::Quiet(words!(log.caption)), columns, rows)}
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
    let filtered = !view.person.is_empty() || !view.kind.is_empty();
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
            <button class="button" type="submit">{words!(log.filter)}</button>
            {clear}
        </form>
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
        Cell::number(view! { <Relative moment=row.at /> }),
        Cell::sentence(view! { <bdi translate="no">{row.who}</bdi> }),
        Cell::sentence(what),
        Cell::number(row.from),
    ]
}
