//! Who asks: somebody who is signed in, and what is demanded of them before they do what is sensitive.

use model::{
    AccountId, AccountNumber, EmailAddress, Failure, Language, SessionId, Timestamp, UserId,
};
pub use store::Vouched;

use crate::Latchkey;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The session that they came with.
    pub session: SessionId,
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// Their language, if they chose one.
    pub language: Option<Language>,
    /// When they last proved in this session who they are.
    pub authenticated_at: Timestamp,
    /// Whether that was by a second factor.
    pub second_factor: bool,
    /// Whether they proved by themselves who they are. Else an account's own identity provider
    /// vouched for them, and they reach no more than that account.
    pub proven: bool,
    /// That an account's own identity provider vouched for them.
    pub vouched: Option<Vouched>,
}

impl Viewer {
    /// When the account's own identity provider last vouched for them.
    #[must_use]
    pub fn vouched_for(&self, account: AccountId) -> Option<Timestamp> {
        self.vouched.filter(|vouched| vouched.account == account).map(|vouched| vouched.at)
    }

    /// The account that their session is confined to, until they prove by themselves who they are.
    #[must_use]
    pub fn confined_to(&self) -> Option<AccountNumber> {
        self.vouched.filter(|_| !self.proven).map(|vouched| vouched.number)
    }
}

/// Demands that the viewer proved lately who they are: what they are about to do would serve
/// somebody else who sits at their desk (OWASP ASVS 5.0 V7.5.1, V7.5.3).
///
/// # Errors
/// [`Failure::Unconfirmed`].
pub fn must_be_confirmed(latchkey: &Latchkey, viewer: &Viewer) -> Result<(), Failure> {
    must_be_proven(viewer)?;
    let age = latchkey.now().since(viewer.authenticated_at);
    if age <= latchkey.settings.confirmed_for { Ok(()) } else { Err(Failure::Unconfirmed) }
}

/// Demands that the viewer proved by themselves who they are: what an account's own identity
/// provider says counts in that account alone.
///
/// # Errors
/// [`Failure::Unconfirmed`].
pub fn must_be_proven(viewer: &Viewer) -> Result<(), Failure> {
    if viewer.proven { Ok(()) } else { Err(Failure::Unconfirmed) }
}

/// Demands the same, and from whoever has a second factor that it was by that: a password alone must
/// bring no other factor.
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
