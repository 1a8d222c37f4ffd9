//! What invited people report: an inviter whom they don't know. [`crate::invitations::report`]
//! writes it; this is for the operator.

use model::{AccountNumber, EmailAddress, Failure};
pub use store::Report;

use crate::Latchkey;

/// What was reported, newest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn newest(latchkey: &Latchkey, most: usize) -> Result<Vec<Report>, Failure> {
    latchkey.store.reports(most).await
}

/// Lets the account invite this address again.
///
/// # Errors
/// [`Failure::NotFound`] when no report keeps it from that, [`Failure::Unavailable`].
pub async fn lift(
    latchkey: &Latchkey,
    account: AccountNumber,
    email: &EmailAddress,
) -> Result<(), Failure> {
    latchkey.store.lift_report(account, email, latchkey.now()).await
}
