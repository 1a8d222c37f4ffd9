//! Eyes: looking at an account as somebody else in it would (rule 14), or as they would with what a form
//! that isn't sent would give. It changes nothing, so that the log has no row of it.

use std::time::Duration;

use model::{
    Actor, Draft, Failure, Field, FieldErrors, FieldProblem, GrantId, On, Permission, Terms,
    Timestamp, Wish,
};
use store::{ChangeFacts, LockedActor, NewDraft, NewEyes};
use uuid::Uuid;

use crate::accounts::{self, Acting};
use crate::giving::{self, Read, Wished};
use crate::users::{self, Meant};
use crate::viewer::Viewer;
use crate::{Latchkey, Token, extras};

/// How long one looks through somebody else's eyes.
pub const LOOKED_FOR: Duration = Duration::from_secs(30 * 60);

/// How long what was typed into a form is kept that an account is seen with: as long as one looks, and
/// as long again to go back to it.
const KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// A form that isn't sent, to see the account with what it would give.
#[derive(Clone, Debug)]
pub struct Unsent<'a> {
    /// What it is to give.
    pub wished: &'a Wished,
    /// What it was made of when the actor was shown it, if that is known.
    pub before: Option<&'a str>,
    /// The address of its page.
    pub page: String,
    /// All that was typed into it, to go back to.
    pub typed: String,
}

impl Unsent<'_> {
    /// The draft, once it is known what the form would give.
    fn draft(&self, draft: Draft, terms: Terms, now: Timestamp) -> NewDraft {
        let (page, typed) = (self.page.clone(), self.typed.clone());
        NewDraft { draft, terms, page, typed, expires_at: now.after(KEPT_FOR) }
    }
}

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
    let (token, new) = begun(latchkey, viewer);
    let decide = |facts: &ChangeFacts| {
        facts.by.actor.must(Permission::AccountUsers, On::Account)?;
        match facts.target.user == facts.by.actor.user {
            true => Err(Failure::field(Field::Form, FieldProblem::Malformed)),
            false => Ok(None),
        }
    };
    let (account, target, now) = (actor.account, target.user, latchkey.now());
    latchkey.store.begin_eyes(account, actor.user, target, new, now, decide).await?;
    Ok(token)
}

/// The same with what the form for the user's first grant would give, or the one for this extra access
/// of theirs: just what it would be if the form were sent.
///
/// # Errors
/// As [`users::change_permissions`]; [`Failure::NotFound`] also when they don't hold the extra access;
/// [`Failure::SignedOut`].
pub async fn begin_with_change(
    latchkey: &Latchkey,
    viewer: &Viewer,
    acting: &Acting,
    (user, extra): (&str, Option<&str>),
    unsent: &Unsent<'_>,
) -> Result<Token, Failure> {
    let actor = &acting.actor;
    let target = extras::receiver(latchkey, actor, user).await?;
    let meant = extra.map_or(Meant::First, Meant::Extra);
    let shown = latchkey.store.holding(actor.account, target.user, false).await?;
    let ends = meant.of(shown.grants())?.and_then(|grant| grant.terms.until);
    let mut errors = FieldErrors::default();
    let read = giving::read_for(latchkey, actor, unsent.wished, ends, &mut errors).await?;
    let Some(Read { wish, .. }) = read else { return Err(errors.into_failure()) };
    let ((token, new), now) = (begun(latchkey, viewer), latchkey.now());
    let id = latchkey.new_id().into();
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        let grant = meant.of(facts.holding.grants())?;
        let terms = by.access.change(&users::terms_of(grant), &wish)?;
        users::must_be_made_of(grant, unsent.before)?;
        if terms.permissions.is_empty() {
            return Err(Failure::field(Field::Permissions, meant.emptied()));
        }
        let draft = Draft { id, changes: grant.map(|grant| grant.id) };
        Ok(Some(unsent.draft(draft, terms, now)))
    };
    latchkey.store.begin_eyes(actor.account, actor.user, target.user, new, now, decide).await?;
    Ok(token)
}

/// The same with what the form for new extra access would give the user.
///
/// # Errors
/// As [`extras::give`], but for [`model::Conflict::TooManyGrants`]; [`Failure::SignedOut`].
pub async fn begin_with_extra(
    latchkey: &Latchkey,
    viewer: &Viewer,
    acting: &Acting,
    user: &str,
    unsent: &Unsent<'_>,
) -> Result<Token, Failure> {
    let actor = &acting.actor;
    let target = extras::receiver(latchkey, actor, user).await?;
    let wish = read_new(latchkey, actor, unsent).await?;
    let ((token, new), now) = (begun(latchkey, viewer), latchkey.now());
    let draft = Draft { id: latchkey.new_id().into(), changes: None };
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        Ok(Some(unsent.draft(draft, by.access.give(&wish)?, now)))
    };
    latchkey.store.begin_eyes(actor.account, actor.user, target.user, new, now, decide).await?;
    Ok(token)
}

/// Has the viewer's session look at the account through the eyes of somebody new, whom the form for
/// inviting would give this. The address doesn't matter: it opens nothing.
///
/// # Errors
/// [`Failure::Invalid`]; what [`model::Access::give`] answers; [`Failure::SignedOut`];
/// [`Failure::Unavailable`].
pub async fn begin_as_new(
    latchkey: &Latchkey,
    viewer: &Viewer,
    acting: &Acting,
    unsent: &Unsent<'_>,
) -> Result<Token, Failure> {
    let actor = &acting.actor;
    actor.must(Permission::AccountUsers, On::Account)?;
    let wish = read_new(latchkey, actor, unsent).await?;
    let ((token, new), now) = (begun(latchkey, viewer), latchkey.now());
    let draft = Draft { id: latchkey.new_id().into(), changes: None };
    let decide = |by: &LockedActor| Ok(unsent.draft(draft, by.access.give(&wish)?, now));
    latchkey.store.begin_new_eyes(actor.account, actor.user, new, now, decide).await?;
    Ok(token)
}

/// A look that begins, and what its browser is recognised by.
fn begun(latchkey: &Latchkey, viewer: &Viewer) -> (Token, NewEyes) {
    let token = Token::new(latchkey.random.as_ref());
    let (session, token_hash) = (viewer.session, token.hash());
    let expires_at = latchkey.now().after(LOOKED_FOR);
    (token, NewEyes { session, token_hash, expires_at })
}

/// What a form wishes that gives something new.
async fn read_new(
    latchkey: &Latchkey,
    actor: &Actor,
    unsent: &Unsent<'_>,
) -> Result<Wish, Failure> {
    let mut errors = FieldErrors::default();
    if unsent.wished.permissions.is_empty() {
        errors.note(Field::Permissions, FieldProblem::Missing);
    }
    let read = giving::read(latchkey, actor, unsent.wished, &mut errors).await?;
    match read {
        Some(read) if errors.0.is_empty() => Ok(read.wish),
        _ => Err(errors.into_failure()),
    }
}

/// Has the viewer's session see with its own eyes again. Answers the address of the page whose form
/// this draft comes from, if it is kept.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn end(
    latchkey: &Latchkey,
    viewer: &Viewer,
    draft: &str,
) -> Result<Option<String>, Failure> {
    latchkey.store.end_eyes(viewer.session).await?;
    let Some(draft) = parse(draft) else { return Ok(None) };
    latchkey.store.draft_page(draft, viewer.session, latchkey.now()).await
}

/// What the viewer typed into the form that this draft comes from, if it is kept and the form is on this
/// page.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn typed(
    latchkey: &Latchkey,
    viewer: &Viewer,
    actor: &Actor,
    page: &str,
    draft: &str,
) -> Result<Option<String>, Failure> {
    let Some(draft) = parse(draft).filter(|_| actor.eyes.is_none()) else { return Ok(None) };
    let (of, now) = ((actor.account, page), latchkey.now());
    latchkey.store.draft_typed(draft, viewer.session, of, now).await
}

fn parse(draft: &str) -> Option<GrantId> {
    draft.parse::<Uuid>().ok().map(GrantId::from)
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
    let (account, at) = (actor.account, actor.at);
    let found = latchkey.store.eyes(viewer.session, &token.hash(), account, at).await?;
    if let Some(found) = found {
        actor.eyes = Some(found.eyes);
        acting.eyes_of = found.full_name;
    }
    Ok(acting)
}
