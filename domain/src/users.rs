//! The users of an account: listing them, changing what they may do, ending their access.

use model::{
    Access, AccessChange, AccessOutline, ActivityKind, Actor, Conflict, Failure, Field,
    FieldErrors, FieldProblem, GrantId, Mail, Noted, On, Outlines, Pause, Permission,
    PermissionSet, Terms, Timestamp, TypedName, UserId,
};
use store::{
    ChangeFacts, Grant, Holding, MembershipChange, NewActivity, NewMail, NewPause, PauseChange,
};
pub use store::{Held, Member};

use crate::giving::{self, Bounds, Read, Sought, Wished};
use crate::{Client, Latchkey};

/// One user of the account.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for whoever isn't in this account;
/// [`Failure::Unavailable`].
pub async fn member(latchkey: &Latchkey, actor: &Actor, user: &str) -> Result<Member, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let user: UserId = user.parse().map_err(|_| Failure::NotFound)?;
    latchkey.store.member(actor.account, user).await?.ok_or(Failure::NotFound)
}

/// A user of the account, and what the form for their permissions is made of.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The user.
    pub member: Member,
    /// The permissions of the grant that the form changes: everything of an owner's.
    pub granted: PermissionSet,
    /// Those that the actor can add to it, or take out of it.
    pub changeable: PermissionSet,
    /// What else there is to choose; none of an owner.
    pub bounds: Option<Bounds>,
    /// What the form is made of, for comparing when it is sent.
    pub made_of: String,
}

/// One user of the account, to be managed: the form for their first grant.
///
/// # Errors
/// As [`member`].
pub async fn manage(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    sought: &Sought,
) -> Result<Managed, Failure> {
    let member = member(latchkey, actor, user).await?;
    let (store, account) = (&latchkey.store, actor.account);
    let Holding::Granted(grants) =
        store.holding(account, member.user, member.held.is_owner()).await?
    else {
        let (granted, changeable) = (PermissionSet::all(), PermissionSet::EMPTY);
        return Ok(Managed { member, granted, changeable, bounds: None, made_of: String::new() });
    };
    managed(latchkey, actor, member, grants.first(), sought).await
}

/// A user of the account, and what the form for this grant of theirs is made of.
pub(crate) async fn managed(
    latchkey: &Latchkey,
    actor: &Actor,
    member: Member,
    grant: Option<&Grant>,
    sought: &Sought,
) -> Result<Managed, Failure> {
    let own = giving::own(latchkey, actor).await?;
    let terms = terms_of(grant);
    let (granted, changeable) = (terms.permissions, own.changeable(&terms));
    let why = grant.map(|grant| grant.why.as_str()).unwrap_or_default();
    let bounds = Some(giving::bounds(latchkey, actor, &own, &terms, why, sought).await?);
    Ok(Managed { member, granted, changeable, bounds, made_of: giving::made_of(grant) })
}

/// The permissions that the actor can add to what a user holds by their first grant, or take out of it.
///
/// # Errors
/// As [`member`].
pub async fn changeable(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
) -> Result<PermissionSet, Failure> {
    let member = member(latchkey, actor, user).await?;
    let (store, account) = (&latchkey.store, actor.account);
    let holding = store.holding(account, member.user, member.held.is_owner()).await?;
    if let Holding::Owner = holding {
        return Ok(PermissionSet::EMPTY);
    }
    let own = giving::own(latchkey, actor).await?;
    Ok(own.changeable(&terms_of(holding.grants().first())))
}

/// A grant's terms; nothing where there is none.
pub(crate) fn terms_of(grant: Option<&Grant>) -> Terms {
    grant.map_or_else(|| Terms::whole(PermissionSet::EMPTY), |grant| grant.terms.clone())
}

/// Which of the grants that somebody holds a form is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meant<'a> {
    /// The first one, whether there is one or not.
    First,
    /// A further one, by its id as it was sent.
    Extra(&'a str),
}

impl Meant<'_> {
    /// That one of these.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it is none of the further ones.
    pub(crate) fn of(self, grants: &[Grant]) -> Result<Option<&Grant>, Failure> {
        let Self::Extra(id) = self else { return Ok(grants.first()) };
        let mut further = grants.iter().skip(1);
        further.find(|grant| grant.id.to_string() == id).map(Some).ok_or(Failure::NotFound)
    }

    /// What is wrong when nothing would be left of it.
    pub(crate) const fn emptied(self) -> FieldProblem {
        match self {
            Self::First => FieldProblem::NothingLeft,
            // That is for another button.
            Self::Extra(_) => FieldProblem::Missing,
        }
    }
}

/// What saving somebody's access came to.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Whose access it is, as they were before.
    pub member: Member,
    /// What changed; none when everything is as it was.
    pub changed: Option<AccessChange>,
    /// Whether they are told of it.
    pub told: bool,
}

/// Gives a user of the account what is wished, by their first grant. What the actor can't give stays as
/// it is, and so does what isn't said. `before` is what the form was made of when the actor was shown
/// it, if that is known.
///
/// # Errors
/// As [`Actor::must_manage`] and [`model::Access::change`]; [`Failure::Invalid`], also for no permission
/// at all; [`Conflict::ChangedMeanwhile`] when it isn't as it was `before`; [`Failure::NotFound`];
/// [`Failure::Unavailable`].
pub async fn change_permissions(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    wished: &Wished,
    before: Option<&str>,
    client: &Client,
) -> Result<Saved, Failure> {
    change(latchkey, actor, user, Meant::First, wished, before, client).await
}

/// The same by one of their grants.
///
/// # Errors
/// As [`change_permissions`].
pub(crate) async fn change(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    meant: Meant<'_>,
    wished: &Wished,
    before: Option<&str>,
    client: &Client,
) -> Result<Saved, Failure> {
    let target = member(latchkey, actor, user).await?;
    actor.must_manage(target.user, target.held.is_owner())?;
    let (account, now) = (actor.account, latchkey.now());
    let shown = latchkey.store.holding(account, target.user, false).await?;
    let ends = meant.of(shown.grants())?.and_then(|grant| grant.terms.until);
    let mut errors = FieldErrors::default();
    let read = giving::read_for(latchkey, actor, wished, ends, &mut errors).await?;
    let Some(Read { wish, why }) = read else { return Err(errors.into_failure()) };
    let new = GrantId::from(latchkey.new_id());
    let (mut saved, mut told) = (None, false);
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        let grants = facts.holding.grants();
        let grant = meant.of(grants)?;
        let terms = terms_of(grant);
        let old_why = grant.map(|grant| grant.why.as_str()).unwrap_or_default();
        let why = why.clone().unwrap_or_else(|| old_why.to_owned());
        let changed = by.access.change(&terms, &wish)?;
        if changed == terms && why == old_why {
            return Ok(None);
        }
        must_be_made_of(grant, before)?;
        if changed.permissions.is_empty() {
            return Err(Failure::field(Field::Permissions, meant.emptied()));
        }
        // Who changed what it opens answers for it from now on: whoever gave it first may hold less.
        let (given_by, given_at) = match grant {
            Some(grant) if grant.terms == changed => (grant.given_by, grant.given_at),
            _ => (Some(by.actor.user), now),
        };
        let id = grant.map_or(new, |grant| grant.id);
        let changed = Grant { id, terms: changed, why, given_by, given_at };
        let is = changed.terms.clone();
        let change = holding_now(facts, with(grants, changed), now, client);
        let after = change.holding.as_ref().map(|holding| open_by(holding, now));
        let (before, after) = (open_by(&facts.holding, now), after.unwrap_or_default());
        saved = Some(AccessChange::new((&terms, &is), before, after));
        told = change.mail.is_some();
        Ok(Some(change))
    };
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(Saved { member: target, changed: saved, told })
}

/// The permissions that these grants open at this moment, on whatever it is.
fn open_by(holding: &Holding, now: Timestamp) -> PermissionSet {
    live(holding, now).grants().iter().flat_map(|grant| grant.terms.permissions.iter()).collect()
}

/// A form must be made of what there is now, if it says what it was made of.
///
/// # Errors
/// [`Conflict::ChangedMeanwhile`].
pub(crate) fn must_be_made_of(grant: Option<&Grant>, before: Option<&str>) -> Result<(), Failure> {
    match before {
        Some(before) if before != giving::made_of(grant) => {
            Err(Failure::Conflict(Conflict::ChangedMeanwhile))
        }
        _ => Ok(()),
    }
}

/// The grants with this one in the place of what it was, or behind them.
fn with(grants: &[Grant], changed: Grant) -> Vec<Grant> {
    let mut grants = grants.to_vec();
    match grants.iter_mut().find(|grant| grant.id == changed.id) {
        Some(grant) => *grant = changed,
        None => grants.push(changed),
    }
    grants
}

/// What becomes of somebody who holds these grants from now on. They are told when that opens something
/// else to them than before: a reason is between those who give.
pub(crate) fn holding_now(
    facts: &ChangeFacts,
    grants: Vec<Grant>,
    now: Timestamp,
    client: &Client,
) -> MembershipChange {
    let holding = Holding::Granted(grants);
    let (was, is) = (live(&facts.holding, now), live(&holding, now));
    let same = opens_all_of(&was, &is) && opens_all_of(&is, &was);
    let mail = (!same).then(|| to_target(facts, changed_mail(facts, &was, &is), client));
    let entry = entry(facts, ActivityKind::PermissionsChanged, client);
    MembershipChange {
        entry: entry.before(&facts.holding).after(&holding),
        holding: Some(holding),
        mail,
    }
}

/// Whether the one opens all that the other does, for as long.
pub(crate) fn opens_all_of(one: &Holding, other: &Holding) -> bool {
    let one = one.access();
    other.grants().iter().all(|grant| one.lacks(&grant.terms).is_none())
}

/// That what somebody may do changed, of what opens something at this moment.
fn changed_mail(facts: &ChangeFacts, before: &Holding, after: &Holding) -> Mail {
    Mail::PermissionsChanged {
        account: facts.by.account_name.clone().into(),
        changed_by: facts.by.name.clone().into(),
        before: told(before),
        after: told(after),
    }
}

/// Grants as mails tell them.
pub(crate) fn told(holding: &Holding) -> Outlines {
    holding.grants().iter().map(|grant| grant.terms.outline()).collect()
}

/// How long the reason for a pause can be, in characters.
pub const LONGEST_REASON: usize = 200;

/// Pauses a user's access to the account: it opens nothing from their next request on, until somebody
/// resumes it.
///
/// # Errors
/// As [`may_remove`]; [`Failure::Invalid`] for a reason that can't be one;
/// [`Conflict::ChangedMeanwhile`] when it is paused already; [`Failure::NotFound`];
/// [`Failure::Unavailable`].
pub async fn pause(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    why: &str,
    client: &Client,
) -> Result<Member, Failure> {
    let target = member(latchkey, actor, user).await?;
    let why = reason(why)?;
    let decide = |facts: &ChangeFacts| {
        may_remove(&facts.by.actor, &facts.target)?;
        if facts.target.paused.is_some() {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        let entry = with_reason(entry(facts, ActivityKind::AccessPaused, client), &why);
        let mail = pause_mail(facts, Some(why.clone().into()));
        let pause = Some(NewPause { by: facts.by.actor.user, why: why.clone() });
        Ok(Some(PauseChange { pause, entry, mail: to_target(facts, mail, client) }))
    };
    let (account, now) = (actor.account, latchkey.now());
    latchkey.store.change_pause(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// Why access is paused or resumed, as it was typed; empty if nobody says.
///
/// # Errors
/// [`Failure::Invalid`].
fn reason(typed: &str) -> Result<String, Failure> {
    match model::one_line(typed, LONGEST_REASON) {
        Err(FieldProblem::Missing) => Ok(String::new()),
        why => why.map_err(|problem| Failure::field(Field::PauseReason, problem)),
    }
}

fn with_reason(entry: NewActivity, why: &str) -> NewActivity {
    match why {
        "" => entry,
        why => entry.after(Noted::Reason(why.to_owned())),
    }
}

/// Resumes a user's paused access: it opens what they hold, without what lapsed meanwhile. `before` is
/// the pause that the actor was shown, as [`pause_id`] writes it, if that is known. Why is for the log.
///
/// # Errors
/// As [`may_remove`]; [`Failure::Invalid`] for a reason that can't be one;
/// [`Conflict::ChangedMeanwhile`] when it is another pause by now; [`Failure::NotFound`];
/// [`Failure::Unavailable`].
pub async fn resume(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    why: &str,
    before: Option<&str>,
    client: &Client,
) -> Result<Member, Failure> {
    let target = member(latchkey, actor, user).await?;
    let why = reason(why)?;
    let decide = |facts: &ChangeFacts| {
        may_remove(&facts.by.actor, &facts.target)?;
        let Some(pause) = &facts.target.paused else { return Ok(None) };
        if before.is_some_and(|before| before != pause_id(pause)) {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        let entry = with_reason(entry(facts, ActivityKind::AccessResumed, client), &why);
        let mail = to_target(facts, pause_mail(facts, None), client);
        Ok(Some(PauseChange { pause: None, entry, mail }))
    };
    let (account, now) = (actor.account, latchkey.now());
    latchkey.store.change_pause(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// What a pause is told from others by, in a form that resumes.
#[must_use]
pub fn pause_id(pause: &Pause) -> String {
    pause.since().as_micros().to_string()
}

fn pause_mail(facts: &ChangeFacts, paused: Option<TypedName>) -> Mail {
    let (account, changed_by) = (facts.by.account_name.clone(), facts.by.name.clone());
    Mail::AccessPaused { account: account.into(), changed_by: changed_by.into(), paused }
}

/// A grant that lapsed, and what giving it anew would give.
#[derive(Clone, Debug)]
pub struct Renewable {
    /// The grant.
    pub grant: GrantId,
    /// When it ended.
    pub ended: Timestamp,
    /// What it gave.
    pub gave: AccessOutline,
    /// The same for as long as the actor can give it; none if they can't.
    pub gives: Option<AccessOutline>,
}

/// A user's grants that lapsed, and what the actor can give anew of each.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn lapsed(
    latchkey: &Latchkey,
    actor: &Actor,
    target: &Member,
) -> Result<Vec<Renewable>, Failure> {
    let (store, account, now) = (&latchkey.store, actor.account, latchkey.now());
    let outline = target.held.outline();
    if target.user == actor.seen_as() || outline == outline.live(now) {
        return Ok(Vec::new());
    }
    let own = giving::own(latchkey, actor).await?;
    let holding = store.holding(account, target.user, target.held.is_owner()).await?;
    let renewable = |grant: &Grant| {
        let over = !grant.terms.is_live(now) && !grant.terms.is_nothing();
        let ended = grant.terms.until.filter(|_| over)?;
        let outline = |terms: Terms| Access::Granted(vec![terms]).outline();
        let gives = renewed(&own, &grant.terms).ok().map(outline);
        let gave = outline(without_end(&grant.terms));
        Some(Renewable { grant: grant.id, ended, gave, gives })
    };
    Ok(holding.grants().iter().filter_map(renewable).collect())
}

/// The same terms for as long as somebody with this access can give them.
fn renewed(own: &Access, terms: &Terms) -> Result<Terms, Failure> {
    let whole = without_end(terms);
    let as_long = own.cut(&whole).into_iter().find(|left| without_end(left) == whole);
    let terms = as_long.unwrap_or(whole);
    own.must_give(&terms).map(|()| terms)
}

fn without_end(terms: &Terms) -> Terms {
    Terms { until: None, ..terms.clone() }
}

/// Gives a user anew what they were given until a day that has passed: the same, as far as the actor
/// can give it, and without end unless the actor's own comes.
///
/// # Errors
/// As [`Actor::must_manage`] and [`Access::must_give`]; [`Conflict::ChangedMeanwhile`] when the grant
/// is gone or given anew already; [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn renew(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    grant: &str,
    client: &Client,
) -> Result<Member, Failure> {
    let target = member(latchkey, actor, user).await?;
    let (account, now) = (actor.account, latchkey.now());
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        let mut grants = facts.holding.grants().to_vec();
        let is_meant = |known: &&mut Grant| {
            known.id.to_string() == grant && !known.terms.is_live(now) && !known.terms.is_nothing()
        };
        let lapsed = grants.iter_mut().find(is_meant);
        let lapsed = lapsed.ok_or(Failure::Conflict(Conflict::ChangedMeanwhile))?;
        // It keeps its place among the others.
        lapsed.terms = renewed(&by.access, &lapsed.terms)?;
        (lapsed.given_by, lapsed.given_at) = (Some(by.actor.user), now);
        let holding = Holding::Granted(grants);
        let (before, after) = (live(&facts.holding, now), live(&holding, now));
        let mail = to_target(facts, changed_mail(facts, &before, &after), client);
        let entry = entry(facts, ActivityKind::AccessRenewed, client);
        Ok(Some(MembershipChange {
            holding: Some(holding),
            entry: entry.before(&before).after(&after),
            mail: Some(mail),
        }))
    };
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// A holding without what lapsed.
pub(crate) fn live(holding: &Holding, now: Timestamp) -> Holding {
    let grants = holding.grants().iter().filter(|grant| grant.terms.is_live(now));
    Holding::Granted(grants.cloned().collect())
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

/// Whether the actor may end this user's access, or pause it (rule 10).
///
/// # Errors
/// As [`remove_access`].
pub fn may_remove(actor: &Actor, target: &Member) -> Result<(), Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    if target.user == actor.user {
        return Err(Failure::Conflict(Conflict::OwnPermissions));
    }
    if target.held.is_owner() {
        return Err(Failure::Conflict(Conflict::OwnersStay));
    }
    Ok(())
}

/// Ends the actor's own access to the account.
///
/// # Errors
/// [`Conflict::LastOwner`] for an owner beside whom no other can come in (rule 5);
/// [`Failure::NotFound`] when they left already; [`Failure::Unavailable`].
pub async fn leave(latchkey: &Latchkey, actor: &Actor, client: &Client) -> Result<(), Failure> {
    let decide = |facts: &ChangeFacts| {
        if facts.target.held.is_owner() && facts.other_owners == 0 {
            return Err(Failure::Conflict(Conflict::LastOwner));
        }
        Ok(Some(ending(facts, ActivityKind::AccountLeft, None, client)))
    };
    let now = latchkey.now();
    latchkey.store.change_membership(actor.account, actor.user, actor.user, now, decide).await
}

fn ending(
    facts: &ChangeFacts,
    kind: ActivityKind,
    removed_by: Option<TypedName>,
    client: &Client,
) -> MembershipChange {
    let mail = Mail::AccessRemoved { account: facts.by.account_name.clone().into(), removed_by };
    MembershipChange {
        holding: None,
        entry: entry(facts, kind, client).before(&facts.holding),
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
