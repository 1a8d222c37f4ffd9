//! What the areas show, each behind its permission.

use model::{Actor, Failure, On, Permission};
pub use store::{Domain, Invoice, Service, SupportRequest};

use crate::Latchkey;
use crate::viewer::{Viewer, must_be_confirmed};

/// How many rows of an area are shown.
const MOST: usize = 200;

/// The account's services that the actor may see; without their passwords, unless they may see those,
/// too, and proved lately who they are.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn services(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
) -> Result<Vec<Service>, Failure> {
    let scope = actor.reach(Permission::ServicesView)?;
    let mut services = latchkey.store.services(actor, &scope, MOST).await?;
    for service in &mut services {
        hide_password(latchkey, actor, viewer, service);
    }
    Ok(services)
}

/// One of these services, in the same manner.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't there, or is out of the actor's
/// reach; [`Failure::Unavailable`].
pub async fn service(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
    id: &str,
) -> Result<Service, Failure> {
    let mut service = find_service(latchkey, actor, id).await?;
    hide_password(latchkey, actor, viewer, &mut service);
    Ok(service)
}

pub(crate) async fn find_service(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
) -> Result<Service, Failure> {
    let scope = actor.reach(Permission::ServicesView)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    latchkey.store.service(actor, &scope, id).await?.ok_or(Failure::NotFound)
}

/// Takes the password out of a service, unless the actor may see it and proved lately who they are.
fn hide_password(latchkey: &Latchkey, actor: &Actor, viewer: &Viewer, service: &mut Service) {
    let confirmed = must_be_confirmed(latchkey, viewer).is_ok();
    if !confirmed || !may_see_password(actor, service) {
        service.login_name = String::new();
        service.login_password = String::new().into();
    }
}

/// Whether the actor may see a service's password, should they prove who they are. Through somebody
/// else's eyes nobody does, whatever both may.
#[must_use]
pub fn may_see_password(actor: &Actor, service: &Service) -> bool {
    actor.eyes.is_none()
        && actor.may(Permission::ServicesCredentials, On::Service(&service.named_by))
}

/// The account's domains that the actor may see.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn domains(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Domain>, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    latchkey.store.domains(actor, &scope, MOST).await
}

/// One of these domains.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't there, or is out of the actor's
/// reach; [`Failure::Unavailable`].
pub async fn domain(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<Domain, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    latchkey.store.domain(actor, &scope, id).await?.ok_or(Failure::NotFound)
}

/// The account's invoices.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn invoices(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Invoice>, Failure> {
    actor.must(Permission::BillingView, On::Account)?;
    latchkey.store.invoices(actor.account, MOST).await
}

/// The account's support requests.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn support_requests(
    latchkey: &Latchkey,
    actor: &Actor,
) -> Result<Vec<SupportRequest>, Failure> {
    actor.must(Permission::SupportView, On::Account)?;
    latchkey.store.support_requests(actor.account, MOST).await
}
