//! What the areas show, each behind its permission.

use model::{Actor, Failure, On, Permission};
pub use store::{Domain, Invoice, KeptMessage, Service, SupportRequest};

use crate::Latchkey;
use crate::viewer::{Viewer, must_be_confirmed};

/// How many rows of an area are shown.
const MOST: usize = 200;

/// The state of an invoice that is paid.
const PAID: &str = "paid";

/// The account's services that the actor may see; without their passwords, unless they may see those,
/// too, and proved lately who they are, and without links to what they may not do.
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
        hide_service_links(actor, service);
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
    hide_service_links(actor, &mut service);
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

/// Takes those links off a service that lead to what the actor may not do there.
fn hide_service_links(actor: &Actor, service: &mut Service) {
    let may = |permission| actor.may(permission, On::Service(&service.named_by));
    let (signs_in, orders) = (may(Permission::ServicesSignIn), may(Permission::ServicesOrder));
    service.open_link = service.open_link.take().filter(|_| signs_in);
    service.renew_link = service.renew_link.take().filter(|_| orders);
}

/// The same of a domain.
fn hide_domain_links(actor: &Actor, domain: &mut Domain) {
    let manages = actor.may(Permission::DomainsManage, On::Domain(&domain.named_by));
    domain.renew_link = domain.renew_link.take().filter(|_| manages);
}

/// The same of an invoice. What is paid is paid by nobody any more.
fn hide_invoice_links(actor: &Actor, invoice: &mut Invoice) {
    let pays = actor.may(Permission::BillingPay, On::Account) && invoice.state != PAID;
    invoice.pay_link = invoice.pay_link.take().filter(|_| pays);
}

/// Whether the actor may see a service's password, should they prove who they are. Through somebody
/// else's eyes nobody does, whatever both may.
#[must_use]
pub fn may_see_password(actor: &Actor, service: &Service) -> bool {
    actor.eyes.is_none()
        && actor.may(Permission::ServicesCredentials, On::Service(&service.named_by))
}

/// The account's domains that the actor may see, without links to what they may not do.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn domains(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Domain>, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    let mut domains = latchkey.store.domains(actor, &scope, MOST).await?;
    for domain in &mut domains {
        hide_domain_links(actor, domain);
    }
    Ok(domains)
}

/// One of these domains.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't there, or is out of the actor's
/// reach; [`Failure::Unavailable`].
pub async fn domain(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<Domain, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    let found = latchkey.store.domain(actor, &scope, id).await?;
    let mut domain = found.ok_or(Failure::NotFound)?;
    hide_domain_links(actor, &mut domain);
    Ok(domain)
}

/// The account's invoices, without links to what the actor may not do.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn invoices(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Invoice>, Failure> {
    actor.must(Permission::BillingView, On::Account)?;
    let mut invoices = latchkey.store.invoices(actor.account, MOST).await?;
    for invoice in &mut invoices {
        hide_invoice_links(actor, invoice);
    }
    Ok(invoices)
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

/// One of the account's support requests, and what was last said in it, the newest last.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't there; [`Failure::Unavailable`].
pub async fn support_request(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
) -> Result<(SupportRequest, Vec<KeptMessage>), Failure> {
    actor.must(Permission::SupportView, On::Account)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    let found = latchkey.store.support_request(actor.account, id).await?;
    let request = found.ok_or(Failure::NotFound)?;
    let mut messages = latchkey.store.newest_support_messages(request.id, MOST).await?;
    messages.reverse();
    Ok((request, messages))
}
