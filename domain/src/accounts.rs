//! Accounts: which ones somebody reaches, who they are there, and the accounts' own details.

use model::{
    AccessOutline, AccountNumber, ActivityKind, Actor, Conflict, Cursor, EmailAddress, Failure,
    Field, FieldErrors, FieldProblem, GivenAccess, On, PAGE_SIZE, Pause, PausedAccess, Permission,
    Timestamp,
};
pub use store::{AccountDetails, AccountRow, MembershipRow, NAMED_OTHERS, Owner};
use store::{AccountMembership, LockedActor, NewAccount, NewActivity};

use crate::invitations::{Links, Offering};
use crate::viewer::{Viewer, must_be_proven};
use crate::{Client, Latchkey, Token, giving, policies, zones};

/// Somebody acting in an account, and what its frame shows of it.
#[derive(Clone, Debug)]
pub struct Acting {
    /// Who asks.
    pub actor: Actor,
    /// The account's public number.
    pub number: AccountNumber,
    /// The account's name.
    pub name: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// When the actor was last active there, before this request.
    pub last_active_at: Option<Timestamp>,
    /// Their other accounts.
    pub others: Others,
    /// From when on it is closed to them, should they have no second factor by then.
    pub closes_at: Option<Timestamp>,
    /// Whose eyes they look through, by name, if they do and those aren't of somebody new.
    pub eyes_of: Option<String>,
    /// Whether somebody waits to become an owner.
    pub owner_waits: bool,
}

/// Who the viewer is in the account with this number: asked anew for every request, so that a
/// change is in force at the next one (rule 6). Nobody acts in an account but through here, so what
/// its policy requires is required here.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such account, the text is no number, or the viewer isn't
/// in it: all the same (rule 8). [`Failure::Unconfirmed`] for whoever is confined to another
/// account, whether there is this one or not. What [`policies::admit`] answers when the account's
/// policy keeps them out. [`Failure::Paused`] when their access is paused. [`Failure::Unavailable`].
pub async fn act(latchkey: &Latchkey, viewer: &Viewer, number: &str) -> Result<Acting, Failure> {
    let (acting, pause) = enter(latchkey, viewer, number).await?;
    let Some(pause) = pause else { return Ok(acting) };
    let owners = owners(latchkey, &acting.actor).await?;
    let owners = owners.into_iter().map(|owner| owner.full_name).collect();
    let (number, account, time_zone) = (acting.number, acting.name, acting.time_zone);
    let paused = PausedAccess { number, account, time_zone, pause, owners };
    Err(Failure::Paused(Box::new(paused)))
}

/// The same for whoever leaves the account: to them it is open, too, while their access is paused. They
/// hold no keys then.
///
/// # Errors
/// As [`act`], but for [`Failure::Paused`].
pub async fn act_to_leave(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: &str,
) -> Result<Acting, Failure> {
    Ok(enter(latchkey, viewer, number).await?.0)
}

/// Who the viewer is in the account, and why that is nobody at present, if their access is paused.
async fn enter(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: &str,
) -> Result<(Acting, Option<Pause>), Failure> {
    let number = number.parse().map_err(|_| Failure::NotFound)?;
    let now = latchkey.now();
    let (membership, closes_at) = admitted(latchkey, viewer, number, now).await?;
    if membership.pause.is_none() {
        let (user, session) = (viewer.user, viewer.session);
        latchkey.store.note_visit(user, session, &membership, now).await;
    }
    Ok(acting(viewer, membership, closes_at, now))
}

/// How the viewer stands in the account, if its policy lets them in, and from when on it won't.
async fn admitted(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: AccountNumber,
    now: Timestamp,
) -> Result<(AccountMembership, Option<Timestamp>), Failure> {
    if viewer.confined_to() != Some(number) {
        must_be_proven(viewer)?;
    }
    let (user, session) = (viewer.user, Some(viewer.session));
    let found = latchkey.store.membership(user, number, session, now).await?;
    let membership = found.ok_or(Failure::NotFound)?;
    let closes_at = policies::admit(viewer, &membership, now)?;
    Ok((membership, closes_at))
}

fn acting(
    viewer: &Viewer,
    membership: AccountMembership,
    closes_at: Option<Timestamp>,
    now: Timestamp,
) -> (Acting, Option<Pause>) {
    let (account, keys) = (membership.account, membership.keys);
    let actor = Actor { user: viewer.user, account, keys, at: now, eyes: None };
    let acting = Acting {
        actor,
        number: membership.number,
        name: membership.name,
        time_zone: membership.time_zone,
        last_active_at: membership.last_active_at,
        others: Others::of(viewer.proven, membership.others),
        closes_at,
        eyes_of: None,
        owner_waits: membership.owners_due_at.is_some(),
    };
    (acting, membership.pause)
}

/// The account that the viewer comes from, for a page outside of all: the one with this number, else the
/// one that they were active in last. None that isn't open to them, whether it exists or not (rule 8).
/// Passing it by is no visit, and is done with one's own eyes.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn left(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: &str,
) -> Result<Option<Acting>, Failure> {
    let named = number.parse().ok();
    if let Some(acting) = open(latchkey, viewer, named).await? {
        return Ok(Some(acting));
    }
    let last = match viewer.confined_to() {
        None => latchkey.store.last_entered(viewer.user).await?,
        only => only,
    };
    open(latchkey, viewer, last.filter(|last| named != Some(*last))).await
}

/// Who the viewer is in the account, if it is open to them.
async fn open(
    latchkey: &Latchkey,
    viewer: &Viewer,
    number: Option<AccountNumber>,
) -> Result<Option<Acting>, Failure> {
    let Some(number) = number else { return Ok(None) };
    let now = latchkey.now();
    match admitted(latchkey, viewer, number, now).await {
        Ok((membership, closes_at)) => {
            let (acting, pause) = acting(viewer, membership, closes_at, now);
            Ok(pause.is_none().then_some(acting))
        }
        Err(failure @ Failure::Unavailable) => Err(failure),
        Err(_) => Ok(None),
    }
}

/// Other accounts of the viewer's, to go to from the one that they act in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Whether there are any.
    pub are_any: bool,
    /// Their numbers and names, by name: at most [`NAMED_OTHERS`], none of very many.
    pub named: Vec<(AccountNumber, String)>,
    /// Whether there are more.
    pub more: bool,
}

impl Others {
    /// Whom one account's own provider vouched for is told of none, but that there are some.
    fn of(proven: bool, found: Option<Vec<(AccountNumber, String)>>) -> Self {
        let are_any = found.as_ref().is_none_or(|named| !named.is_empty());
        if !proven {
            return Self { are_any, ..Self::default() };
        }
        let more = found.as_ref().is_none_or(|named| named.len() > NAMED_OTHERS);
        let mut named = found.unwrap_or_default();
        named.truncate(NAMED_OTHERS);
        Self { are_any, named, more }
    }
}

/// One page of the accounts that somebody reaches.
#[derive(Clone, Debug)]
pub struct AccountsPage {
    /// The accounts, by name.
    pub accounts: Vec<MembershipRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The accounts that the viewer reaches.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn reachable(
    latchkey: &Latchkey,
    viewer: &Viewer,
    after: Option<&Cursor>,
) -> Result<AccountsPage, Failure> {
    found(latchkey, viewer, "", after).await
}

/// Those of them whose names or numbers fit this text; all for an empty one.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn found(
    latchkey: &Latchkey,
    viewer: &Viewer,
    search: &str,
    after: Option<&Cursor>,
) -> Result<AccountsPage, Failure> {
    let (user, most, now) = (viewer.user, PAGE_SIZE + 1, latchkey.now());
    let mut accounts = latchkey.store.memberships_found(user, search, after, most, now).await?;
    let more = accounts.len() > PAGE_SIZE;
    accounts.truncate(PAGE_SIZE);
    let next = accounts.last().filter(|_| more).map(MembershipRow::cursor);
    Ok(AccountsPage { accounts, next })
}

/// Whether the viewer has accounts to switch between.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn has_several(latchkey: &Latchkey, viewer: &Viewer) -> Result<bool, Failure> {
    latchkey.store.has_several_accounts(viewer.user).await
}

/// What the actor holds at this moment, in outline; through somebody else's eyes what their owner does.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn own_access(latchkey: &Latchkey, actor: &Actor) -> Result<AccessOutline, Failure> {
    let keys = match &actor.eyes {
        Some(eyes) if eyes.are_closed() => return Ok(AccessOutline::NONE),
        Some(eyes) if eyes.draft.is_some() => {
            let theirs = giving::held_by(latchkey, actor.account, eyes).await?;
            return Ok(theirs.live(latchkey.now()).outline());
        }
        Some(eyes) => &eyes.keys,
        None => &actor.keys,
    };
    let held = latchkey.store.held(actor.account, actor.seen_as(), keys.is_owner()).await?;
    Ok(held.outline().live(latchkey.now()))
}

/// Whether the actor owns the account, and nobody else who can come in: they can't leave it, nor step
/// down (rule 5).
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn is_last_owner(latchkey: &Latchkey, actor: &Actor) -> Result<bool, Failure> {
    Ok(actor.owns() && latchkey.store.other_owners(actor.account, actor.seen_as()).await? == 0)
}

/// The owners whom the actor can ask, at most ten.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn owners(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Owner>, Failure> {
    latchkey.store.owners(actor.account, 10).await
}

/// The account's details.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn details(latchkey: &Latchkey, actor: &Actor) -> Result<AccountDetails, Failure> {
    actor.must(Permission::AccountProfile, On::Account)?;
    latchkey.store.account_details(actor.account).await
}

/// What a form for an account's details holds, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct TypedDetails {
    /// The account's name.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub town: String,
    /// Country.
    pub country: String,
    /// The time zone in which its days end; empty for the provider's. None leaves it as it is.
    pub time_zone: Option<String>,
}

/// Changes the account's details. `before` is what the actor was shown, if that is known.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::Invalid`]; [`Conflict::ChangedMeanwhile`] when they aren't as
/// they were `before`; [`Failure::Unavailable`].
pub async fn change_details(
    latchkey: &Latchkey,
    actor: &Actor,
    typed: &TypedDetails,
    before: Option<&AccountDetails>,
    client: &Client,
) -> Result<(), Failure> {
    actor.must(Permission::AccountProfile, On::Account)?;
    let details = parse_details(typed)?;
    let now = latchkey.now();
    let decide = |by: &LockedActor, present: &AccountDetails| {
        by.actor.must(Permission::AccountProfile, On::Account)?;
        let details = match typed.time_zone {
            Some(_) => details,
            None => AccountDetails { time_zone: present.time_zone.clone(), ..details },
        };
        if *present == details {
            return Ok(None);
        }
        if before.is_some_and(|before| before != present) {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        let entry = by.entry(ActivityKind::AccountChanged, &client.address);
        let entry = entry.about(None, &details.name);
        Ok(Some((details, entry)))
    };
    latchkey.store.change_account_details(actor.account, actor.user, now, decide).await
}

fn parse_details(typed: &TypedDetails) -> Result<AccountDetails, Failure> {
    let mut errors = FieldErrors::default();
    let mut line = |field, text: &str, needed: bool| {
        let parsed = match model::one_line(text, 200) {
            Err(FieldProblem::Missing) if !needed => Ok(String::new()),
            parsed => parsed,
        };
        errors.take(field, parsed).unwrap_or_default()
    };
    let zone = zones::typed(typed.time_zone.as_deref().unwrap_or_default());
    let details = AccountDetails {
        name: line(Field::AccountName, &typed.name, true),
        street: line(Field::Street, &typed.street, false),
        postal_code: line(Field::PostalCode, &typed.postal_code, false),
        town: line(Field::Town, &typed.town, false),
        country: line(Field::Country, &typed.country, false),
        time_zone: errors.take(Field::TimeZone, zone).unwrap_or_default(),
    };
    if errors.0.is_empty() { Ok(details) } else { Err(errors.into_failure()) }
}

/// Sets up an account and invites its first owner. Answers the number, and the token of a
/// link to hand over: the mail has another one.
///
/// # Errors
/// [`Failure::Invalid`], [`Failure::Unavailable`].
pub async fn create(
    latchkey: &Latchkey,
    name: &str,
    owner: &str,
) -> Result<(AccountNumber, Token), Failure> {
    let details = parse_details(&TypedDetails { name: name.to_owned(), ..Default::default() })?;
    let owner =
        EmailAddress::parse(owner).map_err(|problem| Failure::field(Field::Email, problem))?;
    let now = latchkey.now();
    let zone = zones::first([latchkey.settings.time_zone.as_str()]);
    let links = Links::new(latchkey, &zone, now);
    let offering = Offering {
        email: &owner,
        offered: GivenAccess::Owner,
        as_owner: false,
        account: &details.name,
        inviter: None,
    };
    let entry = NewActivity::by_provider(ActivityKind::InvitationSent);
    let offer = links.offer(offering, entry, None);
    let id = latchkey.new_id().into();
    let account = NewAccount { id, name: details.name, owner, offer };
    Ok((latchkey.store.create_account(account, now).await?, links.shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_accounts_are_named_as_far_as_one_may_know_of_them_and_as_they_fit() {
        let found = |count: i64| {
            let account = |n| (AccountNumber::from_stored(n), format!("Account {n}"));
            Some((0..count).map(account).collect::<Vec<_>>())
        };
        let told = |others: Others| (others.are_any, others.named.len(), others.more);
        assert_eq!(told(Others::of(true, found(0))), (false, 0, false));
        assert_eq!(told(Others::of(true, found(9))), (true, 9, false));
        assert_eq!(told(Others::of(true, found(10))), (true, 9, true));
        assert_eq!(told(Others::of(true, None)), (true, 0, true));
        for found in [found(1), found(10), None] {
            assert_eq!(told(Others::of(false, found)), (true, 0, false));
        }
        assert_eq!(told(Others::of(false, found(0))), (false, 0, false));
    }
}
