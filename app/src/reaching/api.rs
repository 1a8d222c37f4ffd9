//! Server functions of who reaches what.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::pages::PagesView;

#[cfg(feature = "ssr")]
use {
    crate::address::{DOMAIN, SERVICE, address_of, read_cursor, write_cursor},
    crate::formats,
    crate::request,
    crate::users::list::api::{link_to, person},
    crate::words,
    domain::reaching::{GrantRow, ReachedThing, Reaching, ReachingPage, ThingsOf},
    model::{AccountNumber, Area, ListPlace, Permission, UserId},
};

/// Who reaches something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReachingView {
    /// The thing's id, or the permission's, as it stands in the path.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) name: String,
    /// Who reaches it.
    pub(crate) rows: Vec<ReachingRow>,
    /// Whether this is a later page.
    pub(crate) later: bool,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// Somebody who reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReachingRow {
    /// Who it is.
    pub(crate) person: PersonView,
    /// Whether it is the reader.
    pub(crate) you: bool,
    /// What the link to their page says, and its accessible name.
    pub(crate) link: (String, String),
    /// In which ways; none for an owner.
    pub(crate) ways: Vec<Way>,
}

/// A grant that opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    /// What it opens, on what, and until when.
    pub(crate) opens: String,
    /// By whom it was given, and when.
    pub(crate) given: String,
    /// Why; empty if nobody said.
    pub(crate) why: String,
}

/// Who reaches one of the account's services.
#[server(prefix = "/api", endpoint = "services/reaching-page", input = GetUrl)]
pub(crate) async fn service_reaching_page(
    account: String,
    service: String,
    after: String,
) -> Result<Page<ReachingView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, after) = (&inside.latchkey, &inside.acting.actor, read_cursor(&after));
    let found = domain::reaching::service(latchkey, actor, &service, after.as_ref()).await;
    let view = found.map(|found| thing(found, Area::Services, actor.seen_as(), after.is_some()));
    inside.page(view).await
}

/// Who reaches one of the account's domains.
#[server(prefix = "/api", endpoint = "domains/reaching-page", input = GetUrl)]
pub(crate) async fn domain_reaching_page(
    account: String,
    domain: String,
    after: String,
) -> Result<Page<ReachingView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, after) = (&inside.latchkey, &inside.acting.actor, read_cursor(&after));
    let found = domain::reaching::domain(latchkey, actor, &domain, after.as_ref()).await;
    let view = found.map(|found| thing(found, Area::Domains, actor.seen_as(), after.is_some()));
    inside.page(view).await
}

/// Who has a permission.
#[server(prefix = "/api", endpoint = "users/having-page", input = GetUrl)]
pub(crate) async fn having_page(
    account: String,
    permission: String,
    after: String,
) -> Result<Page<ReachingView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, after) = (&inside.latchkey, &inside.acting.actor, read_cursor(&after));
    let found = domain::reaching::having(latchkey, actor, &permission, after.as_ref()).await;
    let view = found.map(|(permission, page)| {
        let name = words::label(permission);
        let (id, later) = (permission.id().to_owned(), after.is_some());
        view(id, name, &[permission], page, actor.seen_as(), later)
    });
    inside.page(view).await
}

#[cfg(feature = "ssr")]
fn thing(found: ReachedThing, area: Area, reader: UserId, later: bool) -> ReachingView {
    let permissions: Vec<_> = area.permissions().collect();
    view(found.id.to_string(), found.name, &permissions, found.page, reader, later)
}

/// The page, where it is about these permissions.
#[cfg(feature = "ssr")]
fn view(
    id: String,
    name: String,
    permissions: &[Permission],
    page: ReachingPage,
    reader: UserId,
    later: bool,
) -> ReachingView {
    let row = |reaching: Reaching| ReachingRow {
        you: reaching.member.user == reader,
        link: link_to(&reaching.member, reaching.member.user == reader),
        person: person(&reaching.member),
        ways: reaching.through.iter().map(|grant| way(grant, permissions)).collect(),
    };
    let next = page.next.as_ref().map(write_cursor);
    let rows = page.users.into_iter().map(row).collect();
    ReachingView { id, name, rows, later, next }
}

#[cfg(feature = "ssr")]
fn way(grant: &GrantRow, permissions: &[Permission]) -> Way {
    let day = formats::day(grant.given_at);
    Way {
        opens: words::reaching_line(&grant.outline.with_only(permissions)),
        given: match &grant.given_by {
            Some(name) => words!(reaching.given_by, name = name.clone(), day = day),
            None => words!(reaching.given, day = day),
        },
        why: grant.why.clone(),
    }
}

/// What somebody reaches of an area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReachedView {
    /// Who it is.
    pub(crate) person: PersonView,
    /// The area's id, as it stands in the path.
    pub(crate) area: String,
    /// What the page is called.
    pub(crate) heading: String,
    /// The things' pages, with their names.
    pub(crate) things: Vec<(String, String)>,
    /// Where there are more.
    pub(crate) pages: PagesView,
    /// What those pages are called.
    pub(crate) pages_name: String,
}

/// What somebody reaches of the account's services, or of its domains.
#[server(prefix = "/api", endpoint = "users/reached-page", input = GetUrl)]
pub(crate) async fn reached_page(
    account: String,
    user: String,
    area: String,
    #[server(default)] before: String,
    #[server(default)] after: String,
) -> Result<Page<ReachedView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let place = ListPlace::between(read_cursor(&before), read_cursor(&after));
    let found = domain::reaching::page_of(latchkey, actor, (&user, &area), place).await;
    let number = inside.acting.number;
    inside.page(found.map(|found| reached_view(number, found))).await
}

#[cfg(feature = "ssr")]
fn reached_view(number: AccountNumber, found: ThingsOf) -> ReachedView {
    let ThingsOf { member, area, things } = found;
    let (page, pages_name, count) = match area {
        Area::Domains => {
            (DOMAIN, words!(domains.pages), words!(overview.domains, count = things.count))
        }
        _ => (SERVICE, words!(services.pages), words!(overview.services, count = things.count)),
    };
    let name = member.full_name.clone();
    let pages = PagesView::around(&things, count);
    let things = things.page.rows.into_iter();
    ReachedView {
        person: person(&member),
        area: area.id().to_owned(),
        heading: words!(reaching.things_heading, name = name, area = words::area(area)),
        things: things.map(|one| (address_of(page, &[&number, &one.id]), one.name)).collect(),
        pages,
        pages_name,
    }
}
