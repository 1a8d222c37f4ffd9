//! User management: who has access, and who is invited.

pub(crate) mod api;
mod pending;
mod tools;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;
use model::AccountNumber;

use crate::address::{INVITE, POLICY, SUCCESSOR, USERS, address_of};
use crate::loading::{Loading, framed};
use crate::owners::api::BecomingRow;
use crate::owners::strip::StopForm;
use crate::page::Page;
use crate::problem::Problem;
use crate::reaching::by_permission;
use crate::title::{HasErrors, PageTitle};
use crate::ui::avatar::{linked_name, person};
use crate::ui::frame::Here;
use crate::ui::go::{Go, fetch_what_opens};
use crate::ui::icon::{Icon, icon};
use crate::ui::pages::{Turn, turns};
use crate::ui::state::{Mood, state};
use crate::ui::still::still;
use crate::ui::table::{Caption, Cell, empty, table};
use crate::users::api::InviteView;
use crate::users::invite::InviteForm;
use crate::users::list::api::{UserRow, UsersView};
use crate::users::list::pending::PendingTable;
use crate::users::list::tools::{above, tools};
use crate::users::requests::requests;
use crate::when::relative_or_never;

/// `/accounts/{n}/users`
pub(crate) struct UsersPage(Loading<UsersView>);

#[lazy_route]
impl LazyRoute for UsersPage {
    fn data() -> Self {
        Self(load!(asked => api::UsersPage {
            account: asked.account(),
            search: asked.query("search"),
            access: asked.query("access"),
            second_factor: asked.query("second_factor"),
            last_active: asked.query("last_active"),
            sort: asked.query("sort"),
            before: asked.query("before"),
            after: asked.query("after"),
            pending_after: asked.query("pending_after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = words!(users.heading);
            let number = account.number;
            let successor = account.owner.then(|| {
                let href = address_of(SUCCESSOR, &[&number]);
                still(html! { a.button href=(href) { (words!(successor.link)) } })
            });
            let lead = words!(users.lead, account = account.name.clone());
            let head = html! {
                div {
                    h1 { (heading) }
                    p.lead { (lead) }
                }
            };
            let tip = html! { p.tip { (icon(Icon::Info)) " " span { (words!(users.tip)) } } };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head">
                    {still(head)}
                    <div class="page-actions">
                        {successor}
                        <InviteButton number=number account=account.name />
                    </div>
                </div>
                {still(tip)}
                {factors(number, view.factors.clone())}
                {requests(number, view.requests.clone())}
                {becoming(number, view.becoming.clone())}
                <UsersTable number=number view=view.clone() />
                <PendingTable
                    number=number
                    rows=view.pending
                    here=view.pending_here
                    queries=view.queries
                />
                {by_permission(number)}
            }
            .into_any()
        })
    }
}

/// How many have a second factor, and where an owner requires it of everybody.
fn factors(number: AccountNumber, sentence: Option<String>) -> Option<AnyView> {
    let href = address_of(POLICY, &[&number]);
    sentence.map(|sentence| {
        still(html! {
            p.quiet { (sentence) " " a href=(href) { (words!(users.require_factor)) } }
        })
    })
}

/// Those who were asked to become owners, or wait for it; nothing where there are none.
fn becoming(number: AccountNumber, rows: Vec<BecomingRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let row = move |BecomingRow { change, sentence, can_stop }: BecomingRow| {
        let stop = can_stop.then(|| view! { <StopForm number=number change=change /> });
        view! {
            <li>
                <p><bdi>{sentence}</bdi></p>
                {stop}
            </li>
        }
    };
    let rows = rows.into_iter().map(row).collect_view();
    Some(
        view! {
            <section class="card" aria-labelledby="becoming-owners">
                <h2 id="becoming-owners">{words!(owners.card)}</h2>
                <ul>{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

/// A link to the form's page; with the WASM it opens the form in a dialog over the list.
#[component]
fn InviteButton(number: AccountNumber, account: String) -> impl IntoView {
    let open = RwSignal::new(false);
    let coming = RwSignal::new(false);
    let errors = use_context::<HasErrors>();
    let show = move |event: leptos::ev::MouseEvent| {
        // A click for another tab or window keeps its meaning.
        if !event.ctrl_key() && !event.meta_key() && !event.shift_key() {
            event.prevent_default();
            event.stop_propagation();
            coming.set(true);
            open.set(true);
        }
    };
    let href = address_of(INVITE, &[&number]);
    let go = use_context::<Go>();
    fetch_what_opens();
    let content = move || {
        open.get().then(|| {
            let (account, go) = (account.clone(), go.clone());
            Suspend::new(async move {
                let dialog = match written(number).await {
                    Ok(page) => invite_dialog(number, account, page, open, errors).await,
                    Err(_) => None,
                };
                coming.try_set(false);
                // The form's own page says what is in the way.
                if let (None, Some(go)) = (&dialog, go) {
                    go.to(&address_of(INVITE, &[&number]));
                }
                dialog
            })
        })
    };
    view! {
        <a
            class="button button-primary"
            href=href
            data-opens="invite_dialog"
            aria-busy=move || coming.get().then_some("true")
            on:click=show
        >
            {still(icon(Icon::Plus))}
            {still(html! { span { (words!(users.invite)) } })}
        </a>
        {content}
    }
}

/// The form's page, as it travels. What it takes is asked for when it is opened: there may be much to
/// choose from.
#[cfg(not(feature = "ssr"))]
async fn written(number: AccountNumber) -> Result<String, Problem> {
    let address = <crate::users::api::InvitePage as leptos::server_fn::ServerFn>::PATH;
    crate::loading::ask(address, &[("account", number.to_string())]).await
}

/// The server opens no dialog.
#[cfg(feature = "ssr")]
async fn written(_number: AccountNumber) -> Result<String, Problem> {
    Err(Problem::Unreachable)
}

/// The form in a dialog, of what its page says; none if that says that it can't be shown. It comes when
/// it is asked for: most visits only look at the list.
#[lazy]
fn invite_dialog(
    number: AccountNumber,
    account: String,
    page: String,
    open: RwSignal<bool>,
    errors: Option<HasErrors>,
) -> Option<AnyView> {
    let invite = Page::<InviteView>::read(&page).ok()?.content.ok()?;
    let place = NodeRef::<leptos::html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = place.get() {
            let _shown = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = place.get_untracked() {
            dialog.close();
        }
    };
    let dialog = view! {
        <dialog
            class="dialog"
            closedby="any"
            aria-labelledby="invite-heading"
            node_ref=place
            on:close=move |_| {
                open.set(false);
                // What was wrong with the form closes with it.
                if let Some(errors) = errors {
                    errors.0.set(false);
                }
            }
        >
            <div class="dialog-head">
                {still(html! { h2 #invite-heading { (words!(invite.heading)) } })}
                <button
                    type="button"
                    class="icon-button"
                    aria-label=words!(invite.close)
                    on:click=close
                >
                    {still(icon(Icon::Cross))}
                </button>
            </div>
            {still(html! { p.lead { (words!(invite.lead, account = account)) } })}
            <InviteForm number=number invite=invite />
        </dialog>
    };
    Some(dialog.into_any())
}

#[component]
fn UsersTable(number: AccountNumber, view: UsersView) -> impl IntoView {
    let base = address_of(USERS, &[&number]);
    let above = above(number, &view);
    let nobody = view.users.is_empty().then(|| {
        let search = view.tools.as_ref().map(|tools| tools.search.clone()).unwrap_or_default();
        empty(match search.is_empty() {
            true => words!(users.none_fit),
            false => words!(users.none_found, search = search),
        })
    });
    let tools = view.tools.as_ref().map(|chosen| tools(&base, view.by_activity, chosen));
    let columns = vec![
        words!(users.user),
        words!(users.access),
        words!(users.second_factor),
        words!(users.last_active),
        words!(users.actions),
    ];
    let rows = view.users.into_iter().map(|row| user_row(&base, row)).collect();
    let to = |query: String| format!("{base}{query}");
    let (previous, next) = (view.queries.previous.map(to), view.queries.next.map(to));
    let pages = turns(&words!(users.pages), previous.map(Turn::previous), next.map(Turn::next));
    view! {
        {tools}
        {above}
        {table(Caption::Shown(words!(users.caption)), columns, rows)}
        {nobody}
        {pages}
    }
}

fn user_row(base: &str, row: UserRow) -> Vec<Cell> {
    let page = format!("{base}/{}", row.person.id);
    let name = &row.person.name;
    let access = html! {
        @if let Some(access) = row.access {
            span class=[row.owner.then_some("tag tag-owner")] { (access) }
        }
        @for (mood, words) in &row.states { " " (state(*mood, words)) }
        @if row.lapsed {
            " "
            a href={ (page) "#anew" } aria-label=(words!(manage.give_anew_to, name = name)) {
                (words!(manage.give_anew))
            }
        }
    };
    let (mood, factor) = match row.second_factor {
        true => (Mood::Ok, words!(users.on)),
        false => (Mood::Quiet, words!(users.off)),
    };
    let (words, label) = row.link;
    let actions = html! {
        a.button href=(page) aria-label=(label) { (words) }
        @if let Some((words, label)) = row.remove {
            form method="get" action={ (page) "/remove" } data-asks="" {
                button.button.button-loss aria-label=(label) { (words) }
            }
        }
    };
    vec![
        Cell::new(person(&row.person, linked_name(&row.person, &page, row.you))),
        Cell::sentence(access),
        Cell::new(state(mood, &factor)),
        Cell::number(relative_or_never(row.last_active.as_ref())),
        Cell::actions(actions),
    ]
}
