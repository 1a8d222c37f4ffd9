//! Who may take an account over if none of its owners can be reached: naming them, asking for it, and the
//! days in which every owner can say that they are here.

use std::time::Duration;

use model::{
    AccountId, ActivityKind, Actor, Conflict, Failure, Field, FieldErrors, FieldProblem, Limited,
    MailKind, Noted, On, OwnerChangeState, Permission, UserId, WaitDays,
};
pub use store::Successor;
use store::{
    Bound, Member, NewTakeover, OwnerChange, OwnerChangeFacts, OwnerStep, SuccessorChange,
    SuccessorFacts, TakeoverFacts, UserSort, UsersQuery,
};

use crate::{Client, Latchkey, mails, owner_changes};

/// How many people one chooses from at once: of more, one searches.
pub const MOST_OFFERED: usize = 50;

/// How often one successor can ask to take one account over, in thirty days.
const MOST_TAKEOVERS: u32 = 3;

/// How long asking for it is counted.
const TAKEOVERS_COUNTED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What there is to choose from for an owner who names a successor.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The successor until now, and whether they could ask for the account at this moment.
    pub successor: Option<(Successor, bool)>,
    /// Users of the account who could be named, by name.
    pub offered: Vec<Member>,
    /// Whether there are others, whom a search finds.
    pub more: bool,
}

/// The account's successor, and who could be it, to an owner.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn naming(latchkey: &Latchkey, actor: &Actor, search: &str) -> Result<Naming, Failure> {
    actor.must_own()?;
    let (successor, now) = (standing(latchkey, actor.account).await?, latchkey.now());
    let search = Some(search.trim().to_owned()).filter(|search| !search.is_empty());
    let query = UsersQuery { search, sort: UserSort::Name, ..UsersQuery::default() };
    let mut offered = latchkey.store.users(actor.account, &query, MOST_OFFERED + 1).await?;
    let more = offered.len() > MOST_OFFERED;
    offered.truncate(MOST_OFFERED);
    offered.retain(|member| !member.held.is_owner() && member.pause(now).is_none());
    Ok(Naming { successor, offered, more })
}

/// Who the account's successor is, to whoever manages its users. As long as their access is paused or has
/// ended they take nothing over, and are none to be marked.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn marked(latchkey: &Latchkey, actor: &Actor) -> Result<Option<UserId>, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let successor = standing(latchkey, actor.account).await?;
    Ok(successor.filter(|(_, able)| *able).map(|(successor, _)| successor.user))
}

/// An account's successor, if it has one, and whether they could ask for it at this moment: they can't
/// while their access is paused, nor once it has ended.
pub(crate) async fn standing(
    latchkey: &Latchkey,
    account: AccountId,
) -> Result<Option<(Successor, bool)>, Failure> {
    let store = &latchkey.store;
    let Some(successor) = store.successor(account).await? else { return Ok(None) };
    let member = store.member(account, successor.user).await?;
    let able = member.is_some_and(|member| member.pause(latchkey.now()).is_none());
    Ok(Some((successor, able)))
}

/// Names a user of the account as its successor, or has the one that there is wait other days. Answers
/// whom.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`] for what was typed, and for whoever isn't in the account;
/// [`Conflict::OwnerAlready`] for an owner; [`Conflict::PausedUser`] for somebody whose access is paused;
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn name(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    days: &str,
    client: &Client,
) -> Result<Member, Failure> {
    actor.must_own()?;
    let mut errors = FieldErrors::default();
    let named = errors.take(Field::Successor, chosen(latchkey, actor, user).await?);
    let wait = errors.take(Field::WaitDays, WaitDays::parse(days));
    let (Some(named), Some(wait)) = (named, wait) else { return Err(errors.into_failure()) };
    let now = latchkey.now();
    let decide = |facts: &SuccessorFacts| {
        facts.by.actor.must_own()?;
        let named = facts.named.as_ref().ok_or(Failure::NotFound)?;
        if named.held.is_owner() {
            return Err(Failure::Conflict(Conflict::OwnerAlready));
        }
        if named.pause(now).is_some() {
            return Err(Failure::Conflict(Conflict::PausedUser));
        }
        let entry = facts.by.entry(ActivityKind::SuccessorNamed, &client.address);
        let entry = entry.about(Some(named.user), &named.full_name);
        Ok(change(facts, Some(wait), entry, client))
    };
    let (account, user) = (actor.account, actor.user);
    latchkey.store.change_successor(account, user, Some(named.user), now, decide).await?;
    Ok(named)
}

/// Whom somebody chose.
async fn chosen(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
) -> Result<Result<Member, FieldProblem>, Failure> {
    if user.is_empty() {
        return Ok(Err(FieldProblem::Missing));
    }
    let Ok(user) = user.parse() else { return Ok(Err(FieldProblem::Unknown)) };
    let found = latchkey.store.member(actor.account, user).await?;
    Ok(found.ok_or(FieldProblem::Unknown))
}

/// Has the account have no successor any more. Answers who it was, by name.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::NotFound`] when there is none; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn remove(
    latchkey: &Latchkey,
    actor: &Actor,
    client: &Client,
) -> Result<String, Failure> {
    actor.must_own()?;
    let (account, user, now) = (actor.account, actor.user, latchkey.now());
    let mut name = String::new();
    let decide = |facts: &SuccessorFacts| {
        facts.by.actor.must_own()?;
        let before = facts.before.as_ref().ok_or(Failure::NotFound)?;
        name.clone_from(&before.person.full_name);
        let entry = facts.by.entry(ActivityKind::SuccessorRemoved, &client.address);
        let entry = entry.about(Some(before.user), &before.person.full_name);
        Ok(change(facts, None, entry, client))
    };
    latchkey.store.change_successor(account, user, None, now, decide).await?;
    Ok(name)
}

fn change(
    facts: &SuccessorFacts,
    wait: Option<WaitDays>,
    entry: store::NewActivity,
    client: &Client,
) -> SuccessorChange {
    let stopped = facts.by.entry(ActivityKind::OwnerStopped, &client.address);
    let stopped = match &facts.before {
        Some(before) => stopped.about(Some(before.user), &before.person.full_name),
        None => stopped,
    };
    // All owners are told each time.
    let key = format!("successor:{}", uuid::Uuid::from(facts.by.actor.account));
    let bounds = vec![mails::bound(MailKind::OwnerNews, key, Limited::OwnerChanges)];
    SuccessorChange { wait, entry, stopped, bounds }
}

/// How long the actor waits who may take the account over; none for everybody else, and through
/// somebody else's eyes.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn own(latchkey: &Latchkey, actor: &Actor) -> Result<Option<WaitDays>, Failure> {
    if actor.owns() || actor.eyes.is_some() {
        return Ok(None);
    }
    let successor = latchkey.store.successor(actor.account).await?;
    Ok(successor.filter(|successor| successor.user == actor.user).map(|successor| successor.wait))
}

/// Asks for the account that the actor is the successor of: they become an owner when the days are over
/// in which every owner can stop it.
///
/// # Errors
/// [`Failure::NotFound`] for whoever isn't its successor; [`Conflict::TakeoverAsked`];
/// [`Conflict::PausedUser`]; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn take_over(
    latchkey: &Latchkey,
    actor: &Actor,
    client: &Client,
) -> Result<model::OwnerChangeId, Failure> {
    let now = latchkey.now();
    let decide = |facts: &TakeoverFacts| {
        let user = facts.by.actor.user;
        let successor = facts.successor.as_ref().filter(|successor| successor.user == user);
        let successor = successor.ok_or(Failure::NotFound)?;
        if facts.member.pause(now).is_some() {
            return Err(Failure::Conflict(Conflict::PausedUser));
        }
        if facts.asked {
            return Err(Failure::Conflict(Conflict::TakeoverAsked));
        }
        let due_at = now.after(successor.wait.span());
        let entry = facts.by.entry(ActivityKind::TakeoverAsked, &client.address);
        let entry = entry.about(Some(user), &facts.by.name).after(Noted::Since(due_at));
        Ok(NewTakeover { due_at, entry, bounds: vec![bound(actor.account, user)] })
    };
    latchkey.store.take_over(actor.account, actor.user, now, decide).await
}

fn bound(account: AccountId, user: UserId) -> Bound {
    Bound {
        key: format!("takeover:{}:{user}", uuid::Uuid::from(account)),
        most: MOST_TAKEOVERS,
        window: TAKEOVERS_COUNTED,
        of: Limited::Takeovers,
    }
}

/// An owner says that they are here, and with that nobody takes the account over.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::NotFound`], also for what is no takeover;
/// [`Conflict::OwnerChangeOver`] when it is true or over already; [`Failure::Unavailable`].
pub async fn answer(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<OwnerChange, Failure> {
    actor.must_own()?;
    let decide = |facts: &OwnerChangeFacts| {
        facts.by.actor.must_own()?;
        let change = &facts.change;
        if !change.is_takeover() {
            return Err(Failure::NotFound);
        }
        match change.state {
            OwnerChangeState::Waiting => {
                let entry = facts.by.entry(ActivityKind::TakeoverAnswered, &client.address);
                let entry = entry.about(Some(change.user), &change.person.full_name);
                Ok(OwnerStep::Answer(entry))
            }
            _ => Err(Failure::Conflict(Conflict::OwnerChangeOver)),
        }
    };
    owner_changes::step(latchkey, actor, id, decide).await
}

/// How many accounts are looked at between two questions to the database.
const ACCOUNTS: usize = 100;

/// Reminds the owners of all accounts that somebody takes them over, after three days and after seven.
/// Answers of how many. Nodes may do so at once: each time is told once.
///
/// # Errors
/// [`Failure::Unavailable`] when it can't be known where; an account that can't be told is left for later.
pub async fn remind(latchkey: &Latchkey) -> Result<usize, Failure> {
    let (mut reminded, mut last, now) = (0, None, latchkey.now());
    loop {
        let accounts = latchkey.store.accounts_to_remind(last, ACCOUNTS, now).await?;
        let Some(newest) = accounts.last() else { return Ok(reminded) };
        last = Some(*newest);
        for account in accounts {
            match latchkey.store.remind_of_takeovers(account, now).await {
                Ok(takeovers) => reminded += takeovers,
                Err(error) => {
                    tracing::warn!(?error, "an account's owners weren't reminded; later again");
                }
            }
        }
    }
}
