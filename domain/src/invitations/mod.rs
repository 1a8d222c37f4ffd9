//! Invitations, sent, asked for and answered. What one opens at a moment (rule 7) is asked by all.

mod answering;
mod claiming;
mod sending;

use model::{Access, Conflict, Failure, GivenAccess, Timestamp};
use store::OpenedInvitation;
pub use store::{Invitation, PendingInvitation, Tracked, TrackedMail};

pub use self::answering::{
    Asks, Joined, JoinedAccount, Opened, decline, join_signed_in, join_with_new_login,
    join_with_password, open, report,
};
pub use self::claiming::{WaitingAccess, link, waiting};
pub(crate) use self::claiming::{link_for, mail};
pub(crate) use self::sending::{Links, Offering, offer_to_own};
pub use self::sending::{
    PendingPage, Sent, UsedUp, Waiting, Whereabouts, address_used_up_until, allowed_domains,
    cancel, correct, find, made_of, offered_again, pending, resend, send, send_to_owner, track,
    used_up,
};

/// Whether whoever joins becomes an owner: it was offered so, and the inviter is one at this moment
/// (rule 12).
fn to_own(opened: &OpenedInvitation) -> bool {
    let by_owner = opened.inviter_access.as_ref().is_some_and(Access::is_owner);
    opened.invitation.as_owner && by_owner
}

/// What is left of an offer when it is cut to what its inviter could give now; an offer of the
/// provider's is left as it is.
fn left_of(
    invitation: &Invitation,
    inviter: Option<&Access>,
    now: Timestamp,
) -> Result<GivenAccess, Failure> {
    let offered = &invitation.offered;
    // Whoever isn't the provider offers one grant.
    let why = offered.grants().first().map_or("", |grant| &grant.why);
    let left = match invitation.inviter {
        None => Some(offered.clone()),
        Some(_) => inviter
            .and_then(|inviter| inviter.left_of(&offered.access()))
            .map(|left| GivenAccess::new(left, why)),
    };
    // What was offered until a moment that has come opens nothing any more.
    let left = left.map(|left| left.live(now)).filter(|left| *left != GivenAccess::NONE);
    left.ok_or(Failure::Conflict(Conflict::NothingLeftToGrant))
}
