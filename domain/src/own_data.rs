//! What is known of the viewer, for themselves: their login, and lists that come a piece at a time.

use model::Failure;
pub use store::{
    OwnAccount, OwnActivity, OwnFactor, OwnGrant, OwnIdentity, OwnInvitation, OwnLogin, OwnMail,
    OwnOwnerChange, OwnReport, OwnRequest, OwnSession, Placed,
};
use uuid::Uuid;

use crate::Latchkey;
use crate::viewer::{Viewer, must_be_proven};

/// How many rows a piece has at most.
const MOST: usize = 500;

/// A list of what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Where the viewer is signed in.
    Sessions,
    /// The accounts that they are in.
    Accounts,
    /// Invitations to their address.
    InvitationsReceived,
    /// Invitations by them.
    InvitationsSent,
    /// What they asked for in their accounts.
    AccessRequests,
    /// Changes of who owns an account that are about them, or that they made.
    OwnerChanges,
    /// Inviters whom they didn't know.
    Reports,
    /// Mails to them.
    Mails,
    /// What the accounts' logs tell that they did.
    Log,
}

impl List {
    /// Every list, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Sessions,
        Self::Accounts,
        Self::InvitationsReceived,
        Self::InvitationsSent,
        Self::AccessRequests,
        Self::OwnerChanges,
        Self::Reports,
        Self::Mails,
        Self::Log,
    ];
}

/// Rows of a list.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Of [`List::Sessions`].
    Sessions(Vec<OwnSession>),
    /// Of [`List::Accounts`].
    Accounts(Vec<OwnAccount>),
    /// Of [`List::InvitationsReceived`] and [`List::InvitationsSent`].
    Invitations(Vec<OwnInvitation>),
    /// Of [`List::AccessRequests`].
    AccessRequests(Vec<OwnRequest>),
    /// Of [`List::OwnerChanges`].
    OwnerChanges(Vec<OwnOwnerChange>),
    /// Of [`List::Reports`].
    Reports(Vec<OwnReport>),
    /// Of [`List::Mails`].
    Mails(Vec<OwnMail>),
    /// Of [`List::Log`].
    Log(Vec<OwnActivity>),
}

/// The viewer's login.
///
/// # Errors
/// As [`must_be_proven`]; [`Failure::SignedOut`] when it is gone; [`Failure::Unavailable`].
pub async fn login(latchkey: &Latchkey, viewer: &Viewer) -> Result<OwnLogin, Failure> {
    must_be_proven(viewer)?;
    latchkey.store.own_login(viewer.user).await
}

/// The rows of a list behind this place, and where the next ones begin, if there are more.
///
/// # Errors
/// As [`must_be_proven`]; [`Failure::Unavailable`].
pub async fn rows(
    latchkey: &Latchkey,
    viewer: &Viewer,
    of: List,
    after: Uuid,
) -> Result<(Rows, Option<Uuid>), Failure> {
    must_be_proven(viewer)?;
    let (store, now) = (&latchkey.store, latchkey.now());
    let (user, email) = (viewer.user, &viewer.email);
    Ok(match of {
        List::Sessions => piece(store.own_sessions(user, after, MOST).await?, Rows::Sessions),
        List::Accounts => piece(store.own_accounts(user, after, MOST, now).await?, Rows::Accounts),
        List::InvitationsReceived => {
            piece(store.invitations_received(email, after, MOST, now).await?, Rows::Invitations)
        }
        List::InvitationsSent => {
            piece(store.invitations_sent(user, after, MOST, now).await?, Rows::Invitations)
        }
        List::AccessRequests => {
            piece(store.own_requests(user, after, MOST).await?, Rows::AccessRequests)
        }
        List::OwnerChanges => {
            piece(store.own_owner_changes(user, after, MOST).await?, Rows::OwnerChanges)
        }
        List::Reports => piece(store.reports_by(email, after, MOST).await?, Rows::Reports),
        List::Mails => piece(store.mails_to(email, after, MOST).await?, Rows::Mails),
        List::Log => piece(store.own_activity(user, after, MOST).await?, Rows::Log),
    })
}

/// A piece that is full may have others behind it.
fn piece<T: Placed>(rows: Vec<T>, of: fn(Vec<T>) -> Rows) -> (Rows, Option<Uuid>) {
    let next = rows.last().filter(|_| rows.len() >= MOST).map(Placed::place);
    (of(rows), next)
}
