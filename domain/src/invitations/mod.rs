//! Invitations, sent and answered. What one opens at a moment (rule 7) is asked by both.

mod answering;
mod sending;

use model::{Access, Conflict, Failure, Permission, PermissionSet};
pub use store::{Invitation, PendingInvitation, Tracked, TrackedMail};

pub use self::answering::{
    Asks, Joined, JoinedAccount, Opened, decline, join_signed_in, join_with_new_login,
    join_with_password, open, report,
};
pub(crate) use self::sending::{Links, Offering, offer_to_own};
pub use self::sending::{
    PendingPage, Sent, UsedUp, Waiting, Whereabouts, address_used_up_until, allowed_domains,
    cancel, find, pending, resend, send, track, used_up,
};

/// What is left of an offer when it is cut to what its inviter could grant now.
fn grantable(offered: Access, inviter: Option<Access>) -> Result<Access, Failure> {
    let inviter = inviter.filter(|access| access.may(Permission::AccountUsers));
    let grantable = inviter.map_or(PermissionSet::EMPTY, Access::permissions);
    match offered {
        Access::Owner if inviter.is_some_and(Access::is_owner) => Ok(Access::Owner),
        Access::Owner => Err(Failure::Conflict(Conflict::NothingLeftToGrant)),
        Access::Granted(offered) => match offered.intersection(grantable) {
            PermissionSet::EMPTY => Err(Failure::Conflict(Conflict::NothingLeftToGrant)),
            left => Ok(Access::Granted(left)),
        },
    }
}
