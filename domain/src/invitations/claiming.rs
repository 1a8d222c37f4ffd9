//! What the provider put somebody into an account with, and waits until they come: nobody mailed them of it,
//! and it has no end. Whoever has the address asks for a link to it, which works as long as one to choose a
//! new password, and leads where every invitation's does.

use model::{
    AccessOutline, AccountNumber, EmailAddress, Failure, InvitationId, InvitationState, Mail,
    Timestamp,
};
use store::{NewLink, NewMail, OpenedInvitation, WaitingInvitation};

use crate::viewer::{Viewer, must_be_proven};
use crate::{Client, Latchkey, Token};

/// How much that waits is named at once.
const MOST: usize = 50;

/// What waits for the viewer in an account.
#[derive(Clone, Debug)]
pub struct WaitingAccess {
    /// What it is named by.
    pub id: InvitationId,
    /// The account's number.
    pub account_number: AccountNumber,
    /// Its name.
    pub account_name: String,
    /// What they would hold there.
    pub access: AccessOutline,
}

/// What waits for the viewer, who must have proved by themselves who they are. Nothing does as long as
/// nobody proved that their login's address is theirs: whoever has the mailbox may be somebody else.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn waiting(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<WaitingAccess>, Failure> {
    let now = latchkey.now();
    let found = found(latchkey, viewer).await?;
    let waits = |found: WaitingInvitation| WaitingAccess {
        id: found.invitation.id,
        account_number: found.account_number,
        account_name: found.account_name,
        access: found.invitation.offered.outline().live(now),
    };
    Ok(found.into_iter().map(waits).collect())
}

/// Gives the viewer a link to what waits for them. It takes nothing up.
///
/// # Errors
/// [`Failure::NotFound`] when it waits no longer, or for somebody else; as [`must_be_proven`];
/// [`Failure::Unavailable`].
pub async fn link(latchkey: &Latchkey, viewer: &Viewer, id: &str) -> Result<Token, Failure> {
    must_be_proven(viewer)?;
    let id: InvitationId = id.parse().map_err(|_| Failure::NotFound)?;
    let mut all = found(latchkey, viewer).await?.into_iter();
    let found = all.find(|found| found.invitation.id == id).ok_or(Failure::NotFound)?;
    issue(latchkey, &found, None).await
}

async fn found(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<WaitingInvitation>, Failure> {
    let (store, now) = (&latchkey.store, latchkey.now());
    if !viewer.proven {
        return Ok(Vec::new());
    }
    let found = store.waiting_for(&viewer.email, MOST, now).await?;
    match found.is_empty() || store.email_standing(viewer.user, now).await?.proven {
        true => Ok(found),
        false => Ok(Vec::new()),
    }
}

/// Gives whoever an identity provider of the operator's vouched for a link to what has waited longest for
/// their address, if something does.
///
/// # Errors
/// [`Failure::Unavailable`].
pub(crate) async fn link_for(
    latchkey: &Latchkey,
    email: &EmailAddress,
) -> Result<Option<Token>, Failure> {
    let Some(found) = latchkey.store.waiting_for(email, 1, latchkey.now()).await?.pop() else {
        return Ok(None);
    };
    match issue(latchkey, &found, None).await {
        Ok(token) => Ok(Some(token)),
        // Taken back or answered at this very moment.
        Err(Failure::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Mails a link to what waits for an address.
///
/// # Errors
/// [`Failure::NotFound`] when it waits no longer, [`Failure::Unavailable`].
pub(crate) async fn mail(
    latchkey: &Latchkey,
    found: &WaitingInvitation,
    client: &Client,
) -> Result<(), Failure> {
    issue(latchkey, found, Some(client)).await.map(drop)
}

/// Makes a link, and mails it if it is a client who asks for that.
async fn issue(
    latchkey: &Latchkey,
    found: &WaitingInvitation,
    client: Option<&Client>,
) -> Result<Token, Failure> {
    let (token, now) = (Token::new(latchkey.random.as_ref()), latchkey.now());
    let expires_at = now.after(latchkey.settings.reset_lifetime);
    let invitation = &found.invitation;
    let mail = client.map(|client| {
        let mail = Mail::AccessWaits {
            account: found.account_name.clone().into(),
            access: invitation.offered.outline(),
            expires_at,
            token: token.secret().clone(),
        };
        NewMail::to(invitation.email.clone(), mail).language(client.language.clone())
    });
    let link = NewLink { token_hash: token.hash(), expires_at };
    latchkey.store.issue_link(invitation.id, &link, mail, now).await?;
    Ok(token)
}

/// Whether a link to what waits leads there no longer: it is too old, or there is a newer one.
pub(super) fn is_over(latchkey: &Latchkey, opened: &OpenedInvitation, now: Timestamp) -> bool {
    let works = |until: Timestamp| until.is_awaited(latchkey.settings.reset_lifetime, now);
    opened.invitation.waits
        && opened.invitation.state == InvitationState::Pending
        && (opened.replaced || !opened.link_until.is_some_and(works))
}
