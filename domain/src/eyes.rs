//! Eyes: looking at an account as somebody else in it would (rule 14). It changes nothing, so that the
//! log has no row of it.

use std::time::Duration;

use model::{Failure, Field, FieldProblem, On, Permission};
use store::{ChangeFacts, NewEyes};

use crate::accounts::{self, Acting};
use crate::viewer::Viewer;
use crate::{Latchkey, Token, users};

/// How long one looks through somebody else's eyes.
pub const LOOKED_FOR: Duration = Duration::from_secs(30 * 60);

/// Has the viewer's session look at the account through a user's eyes. Answers what its browser is
/// recognised by.
///
/// # Errors
/// [`Failure::NotAllowed`] without [`Permission::AccountUsers`]; [`Failure::Invalid`] for one's own
/// eyes; [`Failure::NotFound`] for whoever isn't in this account; [`Failure::SignedOut`];
/// [`Failure::Unavailable`].
pub async fn begin(
    latchkey: &Latchkey,
    viewer: &Viewer,
    acting: &Acting,
    user: &str,
) -> Result<Token, Failure> {
    let actor = &acting.actor;
    let target = users::member(latchkey, actor, user).await?;
    let (token, now) = (Token::new(latchkey.random.as_ref()), latchkey.now());
    let new = NewEyes {
        session: viewer.session,
        token_hash: token.hash(),
        expires_at: now.after(LOOKED_FOR),
    };
    let decide = |facts: &ChangeFacts| {
        facts.by.actor.must(Permission::AccountUsers, On::Account)?;
        match facts.target.user == facts.by.actor.user {
            true => Err(Failure::field(Field::Form, FieldProblem::Malformed)),
            false => Ok(()),
        }
    };
    let (account, target) = (actor.account, target.user);
    latchkey.store.begin_eyes(account, actor.user, target, new, now, decide).await?;
    Ok(token)
}

/// Has the viewer's session see with its own eyes again.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn end(latchkey: &Latchkey, viewer: &Viewer) -> Result<(), Failure> {
    latchkey.store.end_eyes(viewer.session).await
}

/// Who the viewer is in the account, as [`accounts::act`], looking through the eyes that their browser
/// holds this token of.
///
/// # Errors
/// As [`accounts::act`].
pub async fn act(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: &str,
    token: Option<&Token>,
) -> Result<Acting, Failure> {
    let acting = accounts::act(latchkey, viewer, number).await?;
    look(latchkey, viewer, acting, token).await
}

/// The same for whoever leaves the account, as [`accounts::act_to_leave`].
///
/// # Errors
/// As [`accounts::act_to_leave`].
pub async fn act_to_leave(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: &str,
    token: Option<&Token>,
) -> Result<Acting, Failure> {
    let acting = accounts::act_to_leave(latchkey, viewer, number).await?;
    look(latchkey, viewer, acting, token).await
}

/// Puts the eyes on that the token stands for, if the viewer may still manage users and the look is
/// neither over nor at another account (rule 6): all of it is asked at this moment.
async fn look(
    latchkey: &Latchkey,
    viewer: &Viewer,
    mut acting: Acting,
    token: Option<&Token>,
) -> Result<Acting, Failure> {
    let actor = &mut acting.actor;
    let may_look = actor.may(Permission::AccountUsers, On::Account);
    let Some(token) = token.filter(|_| may_look) else { return Ok(acting) };
    let (session, now) = (viewer.session, latchkey.now());
    let found = latchkey.store.eyes(session, &token.hash(), actor.account, now).await?;
    if let Some(found) = found {
        actor.eyes = Some(found.eyes);
        acting.eyes_of = Some(found.full_name);
    }
    Ok(acting)
}
