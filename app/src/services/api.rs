//! Server functions of services.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::access_requests::lacks::LackView;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::access_requests::lacks::lacks_on,
    crate::address::{SERVICE, SERVICES, address_of},
    crate::request,
    domain::areas::{Service, may_see_password},
    model::{Failure, On, Permission, Timestamp},
};

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServicesView {
    /// The services.
    pub(crate) services: Vec<ServiceRow>,
    /// Whether the reader may see passwords of some.
    pub(crate) credentials: bool,
    /// Whether they have to prove first who they are.
    pub(crate) locked: bool,
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
pub(crate) async fn services_page(account: String) -> Result<Page<ServicesView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor, viewer) = (&inside.latchkey, &inside.acting.actor, &inside.viewer);
    let services = domain::areas::services(latchkey, actor, viewer).await;
    let locked = domain::viewer::must_be_confirmed(latchkey, viewer).is_err();
    let now = latchkey.now();
    let view = services.map(|services| ServicesView {
        credentials: services.iter().any(|service| may_see_password(actor, service)),
        services: services.into_iter().map(|service| row(service, now)).collect(),
        locked,
    });
    inside.page(view).await
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
    Ok(ServiceView {
        credentials: may_see_password(&inside.acting.actor, &service),
        locked: domain::viewer::must_be_confirmed(latchkey, viewer).is_err(),
        lacks: lacks_on(inside, &service.id.to_string(), On::Service(&service.named_by)).await?,
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
