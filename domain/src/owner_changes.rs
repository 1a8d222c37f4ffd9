//! Owners: making somebody one, handing the account over, stepping down, and the waiting time in which
//! every owner can stop what would give the account away.

use model::{
    ActivityKind, Actor, Afterwards, Conflict, Failure, Field, FieldErrors, FieldProblem, GrantId,
    Limited, MailKind, Noted, On, OwnerChangeId, OwnerChangeState, Permission, Terms,
};
use store::{
    Bound, ChangeFacts, Grant, Holding, Member, MembershipChange, NewOwnerChange, OwnerChangeFacts,
    OwnerOfferFacts, OwnerStep,
};
pub use store::{OwnerChange, WaitingElsewhere};

use crate::giving::{self, Read, Wished};
use crate::viewer::Viewer;
use crate::{Client, Latchkey, mails, users};

/// How many open changes of an account are read at once: of more, the oldest.
const MOST_OPEN: usize = 100;

/// How many that wait are told of on a page outside of all accounts: the next ones.
const MOST_ELSEWHERE: usize = 10;

/// What somebody becomes who hands the account over, as they chose it.
#[derive(Clone, Debug)]
pub enum Leftover {
    /// A user of the account who holds what is wished.
    User(Wished),
    /// Nobody: they leave.
    Out,
}

/// Somebody whom an owner wants to make one, or to hand the account to.
///
/// # Errors
/// As [`users::member`]; [`Failure::OwnersOnly`]; [`Conflict::OwnerAlready`] for an owner;
/// [`Conflict::PausedUser`] for somebody whose access is paused.
pub async fn heir(latchkey: &Latchkey, actor: &Actor, user: &str) -> Result<Member, Failure> {
    actor.must_own()?;
    let member = users::member(latchkey, actor, user).await?;
    may_become(&member)?;
    Ok(member)
}

/// Whether somebody can be asked to become an owner.
fn may_become(member: &Member) -> Result<(), Failure> {
    if member.held.is_owner() {
        return Err(Failure::Conflict(Conflict::OwnerAlready));
    }
    match member.paused {
        Some(_) => Err(Failure::Conflict(Conflict::PausedUser)),
        None => Ok(()),
    }
}

/// Asks a user of the account to become an owner of it. Answers whom.
///
/// # Errors
/// As [`heir`]; [`Conflict::OwnerChangeAsked`] when they were asked already; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn make_owner(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    client: &Client,
) -> Result<Member, Failure> {
    let heir = heir(latchkey, actor, user).await?;
    offer(latchkey, actor, heir, None, client).await
}

/// Asks a user of the account to own it in the actor's place, who becomes what they chose then. Answers
/// whom.
///
/// # Errors
/// As [`make_owner`]; [`Failure::Invalid`] for what they can't become; [`Conflict::HandedAlready`] when
/// they hand the account over already. None for `leftover` is what they didn't choose.
pub async fn hand_over(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    leftover: Option<&Leftover>,
    client: &Client,
) -> Result<Member, Failure> {
    let heir = heir(latchkey, actor, user).await?;
    let afterwards = match leftover {
        None => return Err(Failure::field(Field::Becomes, FieldProblem::Missing)),
        Some(Leftover::Out) => Afterwards::Out,
        Some(Leftover::User(wished)) => {
            let (terms, why) = chosen(latchkey, actor, wished).await?;
            Afterwards::User(terms, why)
        }
    };
    offer(latchkey, actor, heir, Some(afterwards), client).await
}

async fn offer(
    latchkey: &Latchkey,
    actor: &Actor,
    heir: Member,
    afterwards: Option<Afterwards>,
    client: &Client,
) -> Result<Member, Failure> {
    let decide = |facts: &OwnerOfferFacts| {
        let (by, target) = (&facts.by, &facts.target);
        by.actor.must_own()?;
        may_become(target)?;
        if facts.asked {
            return Err(Failure::Conflict(Conflict::OwnerChangeAsked));
        }
        if facts.handing && afterwards.is_some() {
            return Err(Failure::Conflict(Conflict::HandedAlready));
        }
        let entry = by.entry(ActivityKind::OwnerOffered, &client.address);
        let entry = entry.about(Some(target.user), &target.full_name).after(Noted::Owner);
        Ok(NewOwnerChange { afterwards, entry, bounds: vec![bound(&by.actor)] })
    };
    let (account, user, now) = (actor.account, actor.user, latchkey.now());
    latchkey.store.offer_ownership(account, user, heir.user, now, decide).await?;
    Ok(heir)
}

/// How often an account's owners can offer it, to a user or by an invitation: each offer is told to all of
/// them, and to whom it is made.
pub(crate) fn bound(actor: &Actor) -> Bound {
    let key = format!("owners:{}", uuid::Uuid::from(actor.account));
    mails::bound(MailKind::OwnerNews, key, Limited::OwnerChanges)
}

/// What an owner chose to hold as a user, as terms that they can give, and why.
async fn chosen(
    latchkey: &Latchkey,
    actor: &Actor,
    wished: &Wished,
) -> Result<(Terms, String), Failure> {
    let mut errors = FieldErrors::default();
    if wished.permissions.is_empty() {
        errors.note(Field::Permissions, FieldProblem::Missing);
    }
    let read = giving::read(latchkey, actor, wished, &mut errors).await?;
    let (Some(Read { wish, why }), true) = (read, errors.0.is_empty()) else {
        return Err(errors.into_failure());
    };
    let own = giving::own(latchkey, actor).await?;
    Ok((own.give(&wish)?, why.unwrap_or_default()))
}

/// Has the actor, an owner, be a user of the account from now on who holds what is wished.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::LastOwner`]; [`Failure::Unavailable`].
pub async fn step_down(
    latchkey: &Latchkey,
    actor: &Actor,
    wished: &Wished,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let (terms, why) = chosen(latchkey, actor, wished).await?;
    let (now, id) = (latchkey.now(), GrantId::from(latchkey.new_id()));
    let decide = |facts: &ChangeFacts| {
        facts.by.actor.must_own()?;
        if facts.other_owners == 0 {
            return Err(Failure::Conflict(Conflict::LastOwner));
        }
        let given_by = Some(facts.by.actor.user);
        let holding = Holding::Granted(vec![Grant { id, terms, why, given_by, given_at: now }]);
        let entry = facts.by.entry(ActivityKind::OwnerSteppedDown, &client.address);
        let entry = entry.about(Some(facts.target.user), &facts.target.full_name);
        let entry = entry.before(&facts.holding).after(&holding);
        Ok(Some(MembershipChange { holding: Some(holding), entry, mail: None }))
    };
    latchkey.store.change_membership(actor.account, actor.user, actor.user, now, decide).await
}

/// Accepts to become an owner: it comes true when the waiting time is over.
///
/// # Errors
/// [`Failure::NotFound`] for whoever wasn't asked; [`Conflict::OwnerChangeOver`] when it is answered,
/// stopped or over; [`Conflict::PausedUser`]; [`Failure::Unavailable`].
pub async fn accept(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<OwnerChange, Failure> {
    let now = latchkey.now();
    let due_at = now.after(latchkey.settings.owner_wait);
    let decide = |facts: &OwnerChangeFacts| {
        must_be_asked(facts)?;
        if facts.change.paused {
            return Err(Failure::Conflict(Conflict::PausedUser));
        }
        if !facts.made_by_owner {
            return Err(Failure::Conflict(Conflict::OwnerChangeOver));
        }
        let entry = entry(facts, ActivityKind::OwnerAccepted, client).after(Noted::Since(due_at));
        Ok(OwnerStep::Accept(due_at, entry))
    };
    step(latchkey, actor, id, decide).await
}

/// Declines to become an owner.
///
/// # Errors
/// As [`accept`].
pub async fn decline(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<OwnerChange, Failure> {
    let decide = |facts: &OwnerChangeFacts| {
        must_be_asked(facts)?;
        Ok(OwnerStep::Decline(entry(facts, ActivityKind::OwnerDeclined, client)))
    };
    step(latchkey, actor, id, decide).await
}

/// Stops that somebody becomes an owner: any owner can, as long as it isn't true.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::NotFound`]; [`Conflict::OwnerChangeOver`] when it is true or over
/// already; [`Failure::Unavailable`].
pub async fn stop(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<OwnerChange, Failure> {
    actor.must_own()?;
    let decide = |facts: &OwnerChangeFacts| {
        facts.by.actor.must_own()?;
        match facts.change.state.is_open() {
            true => Ok(OwnerStep::Stop(entry(facts, ActivityKind::OwnerStopped, client))),
            false => Err(Failure::Conflict(Conflict::OwnerChangeOver)),
        }
    };
    step(latchkey, actor, id, decide).await
}

/// Only whoever was asked answers, once; to others there is nothing to answer (rule 8).
fn must_be_asked(facts: &OwnerChangeFacts) -> Result<(), Failure> {
    if facts.change.user != facts.by.actor.user {
        return Err(Failure::NotFound);
    }
    match facts.change.state {
        OwnerChangeState::Offered => Ok(()),
        _ => Err(Failure::Conflict(Conflict::OwnerChangeOver)),
    }
}

fn entry(facts: &OwnerChangeFacts, kind: ActivityKind, client: &Client) -> store::NewActivity {
    let change = &facts.change;
    facts.by.entry(kind, &client.address).about(Some(change.user), &change.person.full_name)
}

/// Has the actor take a step with a change of who owns the account.
pub(crate) async fn step(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    decide: impl FnOnce(&OwnerChangeFacts) -> Result<OwnerStep, Failure> + Send,
) -> Result<OwnerChange, Failure> {
    let (account, user, now) = (actor.account, actor.user, latchkey.now());
    latchkey.store.step_owner_change(account, user, parse(id)?, now, decide).await
}

fn parse(id: &str) -> Result<OwnerChangeId, Failure> {
    let id: uuid::Uuid = id.parse().map_err(|_| Failure::NotFound)?;
    Ok(id.into())
}

/// One change of who owns the account, to an owner and to whoever it is about.
///
/// # Errors
/// [`Failure::NotFound`], also for everybody else; [`Failure::Unavailable`].
pub async fn find(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<OwnerChange, Failure> {
    let found = latchkey.store.owner_change(actor.account, parse(id)?).await?;
    let is_shown = |change: &OwnerChange| actor.owns() || is_about(change, actor);
    found.filter(is_shown).ok_or(Failure::NotFound)
}

/// Whether there may have been a change with this id that isn't kept any more, to an owner: it goes with
/// whoever it was about, and 90 days after it was over. To everybody else nothing was there (rule 8).
#[must_use]
pub fn may_be_gone(actor: &Actor, id: &str) -> bool {
    actor.owns() && actor.eyes.is_none() && parse(id).is_ok()
}

/// Whether it is about the actor, who looks through nobody else's eyes.
fn is_about(change: &OwnerChange, actor: &Actor) -> bool {
    actor.eyes.is_none() && change.user == actor.user
}

/// The open changes of who owns the account, to whoever manages its users.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn open(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<OwnerChange>, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    latchkey.store.open_owner_changes(actor.account, MOST_OPEN).await
}

/// Those that wait and can be stopped, to an owner; to others none.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn waiting(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<OwnerChange>, Failure> {
    if !actor.owns() {
        return Ok(Vec::new());
    }
    let open = latchkey.store.open_owner_changes(actor.account, MOST_OPEN).await?;
    let waits = |change: &OwnerChange| change.state == OwnerChangeState::Waiting;
    Ok(open.into_iter().filter(waits).collect())
}

/// Those that wait in any account that the viewer owns, for pages outside of all.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn waiting_anywhere(
    latchkey: &Latchkey,
    viewer: &Viewer,
) -> Result<Vec<WaitingElsewhere>, Failure> {
    latchkey.store.waiting_elsewhere(viewer.user, MOST_ELSEWHERE, latchkey.now()).await
}

/// What the actor was asked, or waits for, if that is open.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn own(latchkey: &Latchkey, actor: &Actor) -> Result<Option<OwnerChange>, Failure> {
    if actor.owns() || actor.eyes.is_some() {
        return Ok(None);
    }
    latchkey.store.open_owner_change_of(actor.account, actor.user).await
}

/// How many accounts are settled between two questions to the database.
const ACCOUNTS: usize = 100;

/// Writes down, in all accounts, who owns them by now, so that those are told whom nobody looked at.
/// Answers in how many. Nodes may do so at once: each change comes true once.
///
/// # Errors
/// [`Failure::Unavailable`] when it can't be known where; an account that can't be settled is left for
/// whoever looks at it.
pub async fn settle(latchkey: &Latchkey) -> Result<usize, Failure> {
    let (mut settled, now) = (0, latchkey.now());
    loop {
        let accounts = latchkey.store.due_owner_accounts(ACCOUNTS, now).await?;
        let before = settled;
        for account in accounts {
            match latchkey.store.settle_owners(account, now).await {
                Ok(()) => settled += 1,
                Err(error) => {
                    tracing::warn!(?error, "an account's owners weren't settled; later again");
                }
            }
        }
        // What couldn't be settled is found again and again.
        if settled == before {
            return Ok(settled);
        }
    }
}
