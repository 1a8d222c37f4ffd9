//! Leaving: what deleting the viewer's login would do, and doing it. Nobody leaves an account without an
//! owner (rule 5), and what happened stays in the accounts' logs.

use model::{ActivityKind, EmailAddress, Failure, Field, FieldProblem, Mail};
pub use store::{Held, LeavingAccount};
use store::{Leaving, LeavingFacts, NewActivity, NewMail};

use crate::viewer::{Viewer, must_be_confirmed_by_factor};
use crate::{Client, Latchkey};

/// The accounts that the viewer would leave with their login, by name, with what they hold there: those
/// first that nobody else owns who can come in.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn outlook(
    latchkey: &Latchkey,
    viewer: &Viewer,
) -> Result<Vec<(LeavingAccount, Held)>, Failure> {
    let mut accounts = latchkey.store.leaving_accounts(viewer.user, latchkey.now()).await?;
    accounts.sort_by_key(|(account, _)| !account.would_be_left_alone());
    Ok(accounts)
}

/// Deletes the viewer's login, whose address they typed to say that they mean it. Every session of
/// theirs ends.
///
/// # Errors
/// As [`must_be_confirmed_by_factor`]; [`Failure::Invalid`]; [`Failure::OnlyOwner`];
/// [`Failure::SignedOut`] when it is deleted already; [`Failure::Unavailable`].
pub async fn delete_login(
    latchkey: &Latchkey,
    viewer: &Viewer,
    email: &str,
    client: &Client,
) -> Result<(), Failure> {
    must_be_confirmed_by_factor(latchkey, viewer).await?;
    let refuse = |problem| Failure::field(Field::Email, problem);
    let email = EmailAddress::parse(email).map_err(refuse)?;
    if email != viewer.email {
        return Err(refuse(FieldProblem::OtherAddress));
    }
    let now = latchkey.now();
    let decide = |facts: &LeavingFacts| {
        let alone = facts.accounts.iter().filter(|(account, _)| account.would_be_left_alone());
        let alone: Vec<_> = alone.map(|(account, _)| account.name.clone()).collect();
        if !alone.is_empty() {
            return Err(Failure::OnlyOwner(alone));
        }
        let (at, address) = (now, client.address.clone());
        let mail = Mail::LoginDeleted { at, user_agent: client.user_agent.clone(), address };
        let mail = NewMail::to(facts.email.clone(), mail).language(client.language.clone());
        Ok(Leaving { entries: entries(facts, client), mail })
    };
    let deleted = latchkey.store.delete_login(viewer.user, now, decide).await;
    deleted.map_err(|failure| match failure {
        Failure::NotFound => Failure::SignedOut,
        failure => failure,
    })?;
    tracing::info!(user = %viewer.user, "a login was deleted by its user");
    Ok(())
}

/// What the accounts' logs tell: first what becomes of the invitations that nobody has answered, and
/// then that the user left.
fn entries(facts: &LeavingFacts, client: &Client) -> Vec<(model::AccountId, NewActivity)> {
    let (user, name) = (Some(facts.user), facts.full_name.as_str());
    let entry = |kind| NewActivity::by(user, name, kind, &client.address);
    let ended = facts.invitations.iter().map(|(account, invitation)| {
        let about = invitation.email.as_str();
        let entry = match invitation.email == facts.email {
            true => entry(ActivityKind::InvitationDeclined)
                .about(user, about)
                .known_as(invitation.reference.clone()),
            false => entry(ActivityKind::InvitationCancelled).about(None, about),
        };
        (*account, entry.before(invitation))
    });
    let left = facts.accounts.iter().map(|(account, holding)| {
        let entry = entry(ActivityKind::LoginDeleted).about(user, name).before(holding);
        let entry = entry.known_as(account.reference.clone());
        (account.account, entry)
    });
    let mut entries: Vec<_> = ended.chain(left).collect();
    // The heads of the logs are locked in one order.
    entries.sort_by_key(|(account, _)| *account);
    entries
}
