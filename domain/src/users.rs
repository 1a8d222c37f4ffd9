//! The users of an account: listing them, changing what they may do, ending their access.

use model::{
    Access, ActivityKind, Actor, Conflict, Cursor, Failure, Field, FieldProblem, Mail, PAGE_SIZE,
    Permission, PermissionSet, TypedName, UserId,
};
use store::{ChangeFacts, MembershipChange, NewActivity, NewMail, UsersQuery};
pub use store::{Member, UserSort};

use crate::{Client, Latchkey};

/// One page of an account's users.
#[derive(Clone, Debug)]
pub struct UsersPage {
    /// The users.
    pub users: Vec<Member>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The account's users.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn list(
    latchkey: &Latchkey,
    actor: &Actor,
    search: &str,
    sort: UserSort,
    after: Option<Cursor>,
) -> Result<UsersPage, Failure> {
    actor.must(Permission::AccountUsers)?;
    let search = Some(search.trim().to_owned()).filter(|search| !search.is_empty());
    let query = UsersQuery { search, sort, after };
    let mut users = latchkey.store.users(actor.account, &query, PAGE_SIZE + 1).await?;
    let more = users.len() > PAGE_SIZE;
    users.truncate(PAGE_SIZE);
    let next = users.last().filter(|_| more).map(|last| last.cursor(sort));
    Ok(UsersPage { users, next })
}

/// One user of the account.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for whoever isn't in this account;
/// [`Failure::Unavailable`].
pub async fn member(latchkey: &Latchkey, actor: &Actor, user: &str) -> Result<Member, Failure> {
    actor.must(Permission::AccountUsers)?;
    let user: UserId = user.parse().map_err(|_| Failure::NotFound)?;
    latchkey.store.member(actor.account, user).await?.ok_or(Failure::NotFound)
}

/// Gives a user of the account other permissions: those whose boxes are ticked, as the boxes of a
/// form without scripts, which don't follow each other. Those that the actor doesn't hold stay as
/// they are. `before` is what the user had when the actor was shown it, if that is known.
///
/// # Errors
/// As [`Actor::change`]; [`Failure::Invalid`] for an unknown permission or none at all;
/// [`Conflict::ChangedMeanwhile`] when it isn't as it was `before`; [`Failure::NotFound`];
/// [`Failure::Unavailable`].
pub async fn change_permissions(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    ticks: &[String],
    before: Option<&str>,
    client: &Client,
) -> Result<Member, Failure> {
    let target = member(latchkey, actor, user).await?;
    let ticks = parse_ticks(ticks)?;
    let shown = before.map(PermissionSet::from_stored);
    let decide = |facts: &ChangeFacts| {
        let before = facts.target.access.permissions();
        let wanted = before.with_ticks(&ticks, facts.by.actor.access.permissions());
        let after = facts.by.actor.change(facts.target.user, facts.target.access, wanted)?;
        if after == before {
            return Ok(None);
        }
        if shown.is_some_and(|shown| shown != before) {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        if after.is_empty() {
            return Err(Failure::field(Field::Permissions, FieldProblem::NothingLeft));
        }
        let mail = Mail::PermissionsChanged {
            account: facts.by.account_name.clone().into(),
            changed_by: facts.by.name.clone().into(),
            before,
            after,
        };
        let entry = entry(facts, ActivityKind::PermissionsChanged, client);
        Ok(Some(MembershipChange {
            access: Some(Access::Granted(after)),
            entry: entry.before(before).after(after),
            mail: Some(to_target(facts, mail, client)),
        }))
    };
    let (account, now) = (actor.account, latchkey.now());
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// Ends a user's access to the account.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Conflict::OwnersStay`] for an owner; [`Conflict::OwnPermissions`]
/// for oneself ([`leave`] is for that); [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn remove_access(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    client: &Client,
) -> Result<Member, Failure> {
    let target = member(latchkey, actor, user).await?;
    let decide = |facts: &ChangeFacts| {
        may_remove(&facts.by.actor, &facts.target)?;
        let removed_by = Some(facts.by.name.clone().into());
        Ok(Some(ending(facts, ActivityKind::AccessRemoved, removed_by, client)))
    };
    let (account, now) = (actor.account, latchkey.now());
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// Whether the actor may end this user's access.
///
/// # Errors
/// As [`remove_access`].
pub fn may_remove(actor: &Actor, target: &Member) -> Result<(), Failure> {
    actor.must(Permission::AccountUsers)?;
    if target.user == actor.user {
        return Err(Failure::Conflict(Conflict::OwnPermissions));
    }
    if target.access.is_owner() {
        return Err(Failure::Conflict(Conflict::OwnersStay));
    }
    Ok(())
}

/// Ends the actor's own access to the account.
///
/// # Errors
/// [`Conflict::LastOwner`]; [`Failure::NotFound`] when they left already;
/// [`Failure::Unavailable`].
pub async fn leave(latchkey: &Latchkey, actor: &Actor, client: &Client) -> Result<(), Failure> {
    let decide = |facts: &ChangeFacts| {
        if facts.target.access.is_owner() && facts.owners < 2 {
            return Err(Failure::Conflict(Conflict::LastOwner));
        }
        Ok(Some(ending(facts, ActivityKind::AccountLeft, None, client)))
    };
    let now = latchkey.now();
    latchkey.store.change_membership(actor.account, actor.user, actor.user, now, decide).await
}

/// Reads the permissions that a form sends.
pub(crate) fn parse_permissions(ids: &[String]) -> Result<PermissionSet, FieldProblem> {
    PermissionSet::parse(ids).map_err(|_| FieldProblem::Unknown)
}

fn parse_ticks(ids: &[String]) -> Result<Vec<Permission>, Failure> {
    let unknown = |_| Failure::field(Field::Permissions, FieldProblem::Unknown);
    ids.iter().map(|id| id.parse().map_err(unknown)).collect()
}

fn ending(
    facts: &ChangeFacts,
    kind: ActivityKind,
    removed_by: Option<TypedName>,
    client: &Client,
) -> MembershipChange {
    let mail = Mail::AccessRemoved { account: facts.by.account_name.clone().into(), removed_by };
    MembershipChange {
        access: None,
        entry: entry(facts, kind, client).before(facts.target.access),
        mail: Some(to_target(facts, mail, client)),
    }
}

fn entry(facts: &ChangeFacts, kind: ActivityKind, client: &Client) -> NewActivity {
    let target = &facts.target;
    facts.by.entry(kind, &client.address).about(Some(target.user), &target.full_name)
}

fn to_target(facts: &ChangeFacts, mail: Mail, client: &Client) -> NewMail {
    NewMail::to(facts.target.email.clone(), mail).language(client.language.clone())
}
