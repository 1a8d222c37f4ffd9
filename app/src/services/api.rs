//! Server functions of services.

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
    crate::address::{SERVICE, SERVICES, address_of, read_cursor},
    crate::request,
    domain::areas::{Service, ThingsPage, may_see_password},
    model::{Area, Failure, ListPlace, On, Permission, Timestamp},
};

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServicesView {
    /// The services of this page.
    pub(crate) services: Vec<ServiceRow>,
    /// Where there are more.
    pub(crate) pages: PagesView,
    /// Whether the reader may see passwords of some.
    pub(crate) credentials: bool,
    /// Whether they have to prove first who they are.
    pub(crate) locked: bool,
    /// What they can do on none of them.
    pub(crate) lacks: Vec<LackView>,
}

/// What the page of one service shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceView {
    /// The service.
    pub(crate) service: ServiceRow,
    /// Whether the reader may see its password.
    pub(crate) credentials: bool,
    /// Whether they have to prove first who they are.
    pub(crate) locked: bool,
    /// What they can't do here.
    pub(crate) lacks: Vec<LackView>,
}

/// A service in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceRow {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What was ordered.
    pub(crate) plan: String,
    /// How it stands.
    pub(crate) mood: Mood,
    /// The same in words.
    pub(crate) state: String,
    /// When it renews.
    pub(crate) renews: Moment,
    /// The login name at the service; empty unless the reader may see it.
    pub(crate) login_name: String,
    /// The password at the service; empty unless the reader may see it.
    pub(crate) login_password: String,
    /// Where it is signed in to, if the reader may and the provider says.
    pub(crate) open: Option<String>,
    /// Where it is renewed, in the same manner.
    pub(crate) renew: Option<String>,
}

impl ServiceRow {
    /// Whether anything leads to the provider's own pages about it.
    pub(crate) const fn has_links(&self) -> bool {
        self.open.is_some() || self.renew.is_some()
    }
}

/// The account's services.
#[server(prefix = "/api", endpoint = "services/page", input = GetUrl)]
pub(crate) async fn services_page(
    account: String,
    #[server(default)] before: String,
    #[server(default)] after: String,
) -> Result<Page<ServicesView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, viewer) = (&inside.latchkey, &inside.acting.actor, &inside.viewer);
    let place = ListPlace::between(read_cursor(&before), read_cursor(&after));
    let view = match domain::areas::services(latchkey, actor, viewer, place).await {
        Ok(services) => services_view(&inside, services).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn services_view(
    inside: &request::Inside,
    services: ThingsPage<Service>,
) -> Result<ServicesView, Failure> {
    let (latchkey, actor, viewer) = (&inside.latchkey, &inside.acting.actor, &inside.viewer);
    let now = latchkey.now();
    let pages = PagesView::around(&services, words!(overview.services, count = services.count));
    let services = services.page.rows;
    Ok(ServicesView {
        credentials: services.iter().any(|service| may_see_password(actor, service)),
        services: services.into_iter().map(|service| row(service, now)).collect(),
        pages,
        locked: domain::viewer::must_be_confirmed(latchkey, viewer).is_err(),
        lacks: lacks_in(inside, Area::Services).await?,
    })
}

/// One of the account's services.
#[server(prefix = "/api", endpoint = "services/service-page", input = GetUrl)]
pub(crate) async fn service_page(
    account: String,
    service: String,
) -> Result<Page<ServiceView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, viewer) = (&inside.latchkey, &inside.acting.actor, &inside.viewer);
    let found = domain::areas::service(latchkey, actor, viewer, &service).await;
    let view = match found {
        Ok(service) => service_view(&inside, service).await,
        Err(failure) => Err(failure),
    };
    inside.page(view).await
}

#[cfg(feature = "ssr")]
async fn service_view(inside: &request::Inside, service: Service) -> Result<ServiceView, Failure> {
    let (latchkey, viewer) = (&inside.latchkey, &inside.viewer);
    let (id, on) = (service.id.to_string(), On::Service(&service.named_by));
    let lacks = lacks_on(inside, Area::Services, &id, on).await?;
    Ok(ServiceView {
        credentials: may_see_password(&inside.acting.actor, &service),
        locked: domain::viewer::must_be_confirmed(latchkey, viewer).is_err(),
        lacks,
        service: row(service, latchkey.now()),
    })
}

/// Shows the services' passwords, or one service's: proves who the reader is, as the page shows them
/// then.
#[server(prefix = "/api", endpoint = "services/show-passwords")]
pub(crate) async fn show_passwords(
    account: String,
    #[server(default)] service: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor, viewer) = (&inside.latchkey, &inside.acting.actor, &inside.viewer);
    actor.reach(Permission::ServicesCredentials)?;
    let number = inside.acting.number;
    let next = if service.is_empty() {
        address_of(SERVICES, &[&number])
    } else {
        let found = domain::areas::service(latchkey, actor, viewer, &service).await?;
        address_of(SERVICE, &[&number, &found.id])
    };
    request::redirect(&next);
    Ok(())
}

#[cfg(feature = "ssr")]
fn row(service: Service, now: Timestamp) -> ServiceRow {
    let (mood, state) = match service.state.as_str() {
        "active" => (Mood::Ok, words!(services.active)),
        "suspended" => (Mood::Trouble, words!(services.suspended)),
        _ => (Mood::Quiet, words!(services.ended)),
    };
    ServiceRow {
        id: service.id.to_string(),
        name: service.name,
        plan: service.plan,
        mood,
        state,
        renews: Moment::of_calendar(service.renews_at, now),
        login_name: service.login_name,
        login_password: service.login_password.expose().to_owned(),
        open: service.open_link.map(|link| link.to_string()),
        renew: service.renew_link.map(|link| link.to_string()),
    }
}
