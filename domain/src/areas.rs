//! What the areas show, each behind its permission.

use model::{
    Actor, Area, Cursor, Failure, ListPlace, On, Outline, PAGE_SIZE, Paged, Permission, Reached,
    Scope, Timestamp,
};
pub use store::{Domain, Invoice, KeptMessage, Service, SupportRequest, ThingsStanding};
use uuid::Uuid;

use crate::Latchkey;
use crate::viewer::{Viewer, must_be_confirmed};

/// How many invoices and support requests are shown: the newest.
const MOST: usize = 200;

/// The state of an invoice that is paid.
const PAID: &str = "paid";

/// A page of services or domains by name.
#[derive(Clone, Debug)]
pub struct ThingsPage<T> {
    /// Those of this page, and where others lie.
    pub page: Paged<T>,
    /// How many there are on all pages.
    pub count: u32,
}

impl<T> ThingsPage<T> {
    /// How many there are, where that needn't be asked: all of them are here.
    fn counted(place: &ListPlace, page: &Paged<T>) -> Option<u32> {
        let is_all = *place == ListPlace::First && page.after.is_none();
        is_all.then(|| u32::try_from(page.rows.len()).unwrap_or(u32::MAX))
    }
}

/// Where a thing stands in a list by name.
pub(crate) fn standing(id: Uuid, name: &str) -> Cursor {
    Cursor { key: name.to_owned(), id }
}

/// A page of the account's services that the actor may see; without their passwords, unless they may see
/// those, too, and proved lately who they are, and without links to what they may not do.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn services(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
    mut place: ListPlace,
) -> Result<ThingsPage<Service>, Failure> {
    let scope = actor.reach(Permission::ServicesView)?;
    let store = &latchkey.store;
    let mut services = store.services(actor, &scope, &place, PAGE_SIZE + 1).await?;
    // What stood there has gone.
    if services.is_empty() && place != ListPlace::First {
        place = ListPlace::First;
        services = store.services(actor, &scope, &place, PAGE_SIZE + 1).await?;
    }
    let mut page = place.page(services, PAGE_SIZE, |service| standing(service.id, &service.name));
    for service in &mut page.rows {
        hide_password(latchkey, actor, viewer, service);
        hide_service_links(actor, service);
    }
    let count = match ThingsPage::counted(&place, &page) {
        Some(count) => count,
        None => store.count_things(actor, &scope, Area::Services).await?,
    };
    Ok(ThingsPage { page, count })
}

/// How many services the actor may see, and how many of them are suspended.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn services_standing(
    latchkey: &Latchkey,
    actor: &Actor,
) -> Result<ThingsStanding, Failure> {
    let scope = actor.reach(Permission::ServicesView)?;
    latchkey.store.services_standing(actor, &scope).await
}

/// How many domains the actor may see, and how many of them expire before this moment.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn domains_standing(
    latchkey: &Latchkey,
    actor: &Actor,
    soon: Timestamp,
) -> Result<ThingsStanding, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    latchkey.store.domains_standing(actor, &scope, soon).await
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

/// A page of the account's domains that the actor may see, without links to what they may not do.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn domains(
    latchkey: &Latchkey,
    actor: &Actor,
    mut place: ListPlace,
) -> Result<ThingsPage<Domain>, Failure> {
    let scope = actor.reach(Permission::DomainsView)?;
    let store = &latchkey.store;
    let mut domains = store.domains(actor, &scope, &place, PAGE_SIZE + 1).await?;
    if domains.is_empty() && place != ListPlace::First {
        place = ListPlace::First;
        domains = store.domains(actor, &scope, &place, PAGE_SIZE + 1).await?;
    }
    let mut page = place.page(domains, PAGE_SIZE, |domain| standing(domain.id, &domain.name));
    for domain in &mut page.rows {
        hide_domain_links(actor, domain);
    }
    let count = match ThingsPage::counted(&place, &page) {
        Some(count) => count,
        None => store.count_things(actor, &scope, Area::Domains).await?,
    };
    Ok(ThingsPage { page, count })
}

/// How many services, and how many domains, the account has: of what somebody reaches so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The services; none where the actor doesn't see all of them.
    pub services: Option<u32>,
    /// The domains, in the same manner.
    pub domains: Option<u32>,
}

/// How many things there are of the areas in which some of these reach no more than so many.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn totals<'a>(
    latchkey: &Latchkey,
    actor: &Actor,
    held: impl Iterator<Item = &'a Outline> + Clone,
) -> Result<Totals, Failure> {
    let of = |area, seeing: Permission, reached: fn(&Outline) -> Reached| {
        let is_some = |outline: &Outline| {
            let is_about = outline.permissions.in_area(area).next().is_some();
            is_about && matches!(reached(outline), Reached::These(_))
        };
        let all = actor.reach(seeing).ok().filter(|scope| *scope == Scope::All);
        all.filter(|_| held.clone().any(is_some))
    };
    let services = of(Area::Services, Permission::ServicesView, |outline| outline.services);
    let domains = of(Area::Domains, Permission::DomainsView, |outline| outline.domains);
    let (store, mut totals) = (&latchkey.store, Totals::default());
    if let Some(all) = services {
        totals.services = Some(store.count_things(actor, &all, Area::Services).await?);
    }
    if let Some(all) = domains {
        totals.domains = Some(store.count_things(actor, &all, Area::Domains).await?);
    }
    Ok(totals)
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
