//! Who asks: somebody who is signed in, and what they must prove before they do what is
//! sensitive.

use model::Failure;
pub use store::Viewer;

use crate::Latchkey;

/// The viewer must have proved lately who they are: what they are about to do would serve somebody
/// else who sits at their desk (OWASP ASVS 5.0 V7.5.1, V7.5.3).
///
/// # Errors
/// [`Failure::Unconfirmed`].
pub fn must_be_confirmed(latchkey: &Latchkey, viewer: &Viewer) -> Result<(), Failure> {
    must_be_proven(viewer)?;
    let age = latchkey.now().since(viewer.authenticated_at);
    if age <= latchkey.settings.confirmed_for { Ok(()) } else { Err(Failure::Unconfirmed) }
}

/// The viewer must have proved by themselves who they are: what an account's own identity
/// provider says counts in that account alone.
///
/// # Errors
/// [`Failure::Unconfirmed`].
pub fn must_be_proven(viewer: &Viewer) -> Result<(), Failure> {
    if viewer.proven { Ok(()) } else { Err(Failure::Unconfirmed) }
}

/// The same, and whoever has a second factor must have proved it by that: a password alone must bring
/// no other factor.
///
/// # Errors
/// [`Failure::Unconfirmed`], [`Failure::FactorUnconfirmed`], [`Failure::Unavailable`].
pub async fn must_be_confirmed_by_factor(
    latchkey: &Latchkey,
    viewer: &Viewer,
) -> Result<(), Failure> {
    must_be_proven(viewer)?;
    let login = latchkey.store.login_of(viewer.user).await?.ok_or(Failure::SignedOut)?;
    if login.second_factor && !viewer.second_factor {
        return Err(Failure::FactorUnconfirmed);
    }
    must_be_confirmed(latchkey, viewer).map_err(|failure| match failure {
        Failure::Unconfirmed if login.second_factor => Failure::FactorUnconfirmed,
        failure => failure,
    })
}
