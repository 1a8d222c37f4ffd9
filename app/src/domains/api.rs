//! Server functions of domains.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::access_requests::lacks::LackView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::pages::PagesView;
use crate::ui::state::Mood;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::access_requests::lacks::{lacks_in, lacks_on},
    crate::address::read_cursor,
    crate::request,
    domain::areas::{Domain, ThingsPage},
    model::{Area, Failure, ListPlace, On, Timestamp},
};

/// How long before a domain expires it is marked.
#[cfg(feature = "ssr")]
pub(crate) const SOON: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);

/// A domain in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainRow {
    /// Its id.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) mood: Mood,
    /// The same in words.
    pub(crate) state: String,
    /// When it expires.
    pub(crate) expires: Moment,
    /// Whether transfers away are locked.
    pub(crate) locked: bool,
    /// Where it is renewed, if the reader may and the provider says.
    pub(crate) renew: Option<String>,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainsView {
    /// The domains of this page.
    pub(crate) domains: Vec<DomainRow>,
    /// Where there are more.
    pub(crate) pages: PagesView,
    /// What the reader can do on none of them.
    pub(crate) lacks: Vec<LackView>,
}

/// What the page of one domain shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainView {
    /// The domain.
    pub(crate) domain: DomainRow,
    /// What the reader can't do here.
    pub(crate) lacks: Vec<LackView>,
}

/// The account's domains.
#[server(prefix = "/api", endpoint = "domains/page", input = GetUrl)]
pub(crate) async fn domains_page(
    account: String,
    #[server(default)] before: String,
    #[server(default)] after: String,
) -> Result<Page<DomainsView>, Problem> {
    let inside = request::inside(&account).await?;
    let place = ListPlace::between(read_cursor(&before), read_cursor(&after));
    let view = match domain::areas::domains(&inside.latchkey, &inside.acting.actor, place).await {
        Ok(domains) => domains_view(&inside, domains).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn domains_view(
    inside: &request::Inside,
    domains: ThingsPage<Domain>,
) -> Result<DomainsView, Failure> {
    let now = inside.latchkey.now();
    let pages = PagesView::around(&domains, words!(overview.domains, count = domains.count));
    Ok(DomainsView {
        domains: domains.page.rows.into_iter().map(|domain| row(domain, now)).collect(),
        pages,
        lacks: lacks_in(inside, Area::Domains).await?,
    })
}

/// One of the account's domains.
#[server(prefix = "/api", endpoint = "domains/domain-page", input = GetUrl)]
pub(crate) async fn domain_page(
    account: String,
    domain: String,
) -> Result<Page<DomainView>, Problem> {
    let inside = request::inside(&account).await?;
    let found = domain::areas::domain(&inside.latchkey, &inside.acting.actor, &domain).await;
    let view = match found {
        Ok(found) => domain_view(&inside, found).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn domain_view(inside: &request::Inside, domain: Domain) -> Result<DomainView, Failure> {
    let (id, on) = (domain.id.to_string(), On::Domain(&domain.named_by));
    let lacks = lacks_on(inside, Area::Domains, &id, on).await?;
    Ok(DomainView { lacks, domain: row(domain, inside.latchkey.now()) })
}

#[cfg(feature = "ssr")]
fn row(domain: Domain, now: Timestamp) -> DomainRow {
    let expires = Moment::of_calendar(domain.expires_at, now);
    let soon = now.after(SOON);
    let (mood, state) = match domain.state.as_str() {
        "active" if domain.expires_at < soon => {
            (Mood::Waiting, words!(domains.expires_soon, when = expires.relative()))
        }
        "active" => (Mood::Ok, words!(domains.active)),
        "transferring" => (Mood::Waiting, words!(domains.transferring)),
        _ => (Mood::Trouble, words!(domains.expired)),
    };
    DomainRow {
        id: domain.id.to_string(),
        name: domain.name,
        mood,
        state,
        expires,
        locked: domain.locked,
        renew: domain.renew_link.map(|link| link.to_string()),
    }
}
