//! What the areas show, each behind its permission.

use model::{Actor, Failure, Permission};
pub use store::{Domain, Invoice, Service, SupportRequest};

use crate::Latchkey;
use crate::viewer::{Viewer, must_be_confirmed};

/// How many rows of an area are shown.
const MOST: usize = 200;

/// The account's services; without their passwords, unless the actor may see those and proved
/// lately who they are.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn services(
    latchkey: &Latchkey,
    actor: &Actor,
    viewer: &Viewer,
) -> Result<Vec<Service>, Failure> {
    actor.must(Permission::ServicesView)?;
    let mut services = latchkey.store.services(actor.account, MOST).await?;
    let confirmed = must_be_confirmed(latchkey, viewer).is_ok();
    if !confirmed || !actor.may(Permission::ServicesCredentials) {
        for service in &mut services {
            service.login_name = String::new();
            service.login_password = String::new().into();
        }
    }
    Ok(services)
}

/// The account's domains.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn domains(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Domain>, Failure> {
    actor.must(Permission::DomainsView)?;
    latchkey.store.domains(actor.account, MOST).await
}

/// The account's invoices.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn invoices(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Invoice>, Failure> {
    actor.must(Permission::BillingView)?;
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
    actor.must(Permission::SupportView)?;
    latchkey.store.support_requests(actor.account, MOST).await
}
