//! An account's users as the provider's own systems read and change them: on the provider's word, by
//! the rules about owners and by the account's own about invitations, and told to whom it concerns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::{
    AccountId, ActivityKind, Area, ChangedOwner, Cursor, DoorKey, EmailAddress, Failure,
    FieldProblem, FullName, GivenAccess, GivenGrant, GrantId, InvitationId, InvitationState, Mail,
    PermissionSet, ProvidersChange, Reach, Terms, Timestamp,
};
pub use store::{
    AskedMember, DoorMember, Grant, Holding, Invitation, KeptMember, KeyedThings, Member,
    MemberName, MembersPage, PendingInvitation, ProvidersMemberDone, ProvidersMemberFacts,
};
use store::{NewMail, NewWaiting, ProvidersMemberStep, ThingKeys};
use uuid::Uuid;

use crate::door::{self, Behind, By};
use crate::giving::{self, FARTHEST};
use crate::invitations::{Links, Offering};
use crate::tokens::Token;
use crate::{Latchkey, owners_by_provider, users};

/// How many characters the name can have by which somebody is called who hasn't come yet.
pub const LONGEST_NAME: usize = FullName::LONGEST;

/// How many characters the reason of a grant can have.
pub const LONGEST_WHY: usize = giving::LONGEST_WHY;

/// Which things of an area somebody is to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedReach {
    /// All, also those to come.
    All,
    /// These.
    These(Vec<DoorKey>),
}

/// A grant that somebody is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedGrant {
    /// Which of those that they hold it is, if it is one of them.
    pub id: Option<GrantId>,
    /// Its permissions.
    pub permissions: PermissionSet,
    /// Which services; none where no permission is about them.
    pub services: Option<WantedReach>,
    /// Which domains, in the same manner.
    pub domains: Option<WantedReach>,
    /// The moment from which it opens nothing.
    pub until: Option<Timestamp>,
    /// Why it is given; empty if that isn't said.
    pub why: String,
}

/// How somebody is to stand in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedMember {
    /// Whether they are to own it: then they hold everything, and no grants.
    pub owner: bool,
    /// What they are to hold, if not.
    pub grants: Vec<WantedGrant>,
    /// What they are called until they come; empty if that isn't said.
    pub full_name: String,
    /// How they come into the account, if they aren't in it; none if that isn't said.
    pub invite: Option<Invite>,
}

/// How somebody comes into an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invite {
    /// They are sent an invitation now.
    Now,
    /// It waits for them until they come by themselves.
    FirstSignIn,
}

/// What is to become of somebody in an account.
#[derive(Clone, Debug)]
pub enum Becomes {
    /// They stand like this.
    This(WantedMember),
    /// Their access ends; that of an owner only if that is said.
    Nothing {
        /// Whether it is an owner's that is to end.
        owner: bool,
    },
}

/// Why somebody stands as they did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused<E> {
    /// Whoever asked says why.
    Said(E),
    /// Nobody in the account is named so.
    NotFound,
    /// Nobody in the account is named so, and the name is no address that they could have.
    NoAddress,
    /// Whoever has the address has another id of the provider's than the one that they are named by.
    OtherRef,
    /// Somebody else in the account has the id of the provider's that they are to have.
    RefTaken,
    /// They own the account, and nothing says that this may change.
    OwnerStays,
    /// Nobody would be left who owns the account (rule 5).
    LastOwner,
    /// They hold no grant with the id of this one.
    NoSuchGrant(usize),
    /// The account has no such service or domain.
    NotThere {
        /// The grant.
        grant: usize,
        /// Of which area.
        area: Area,
        /// Which of those that it names.
        place: usize,
    },
    /// The end of this grant can't be one.
    End(usize, FieldProblem),
    /// The account's policy takes in addresses of other domains.
    OtherDomain,
    /// Who has the address reported the account, and gets no invitations.
    Reported,
}

/// The users of an account, and who waits in it, behind this place in the order of changes, at most `most`.
///
/// # Errors
/// [`Failure::NotFound`] when the token doesn't see the account, [`Failure::Unavailable`].
pub async fn list(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    behind: Behind,
    most: usize,
) -> Result<MembersPage, Failure> {
    let account = settled(latchkey, token, account).await?;
    latchkey.store.members_at_door(account, behind, most, latchkey.now()).await
}

/// Who is named so in an account.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn find(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    name: &MemberName,
) -> Result<(DoorMember, KeyedThings), Failure> {
    let (account, now) = (settled(latchkey, token, account).await?, latchkey.now());
    latchkey.store.member_at_door(account, name, now).await?.ok_or(Failure::NotFound)
}

/// The account with this key, with its owners as they are by now.
async fn settled(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
) -> Result<AccountId, Failure> {
    let account = door::account(latchkey, token, account).await?.id;
    latchkey.store.settle_due_owners(account, latchkey.now()).await?;
    Ok(account)
}

/// Has somebody stand in an account as `becomes` says, which is told how they stand. For whoever isn't in
/// it that waits until they come and take it, whether they have a login or not, or they are invited.
/// Without `write` it is found out what would come of it. The log says that the provider did it, and by
/// which token.
///
/// # Errors
/// [`Failure::NotFound`] when the token doesn't see the account; [`Failure::Conflict`] when somebody
/// else was faster; [`Failure::Unavailable`].
pub async fn change<E: Send>(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    asked: &AskedMember,
    write: bool,
    becomes: impl FnOnce(&ProvidersMemberFacts) -> Result<Becomes, E> + Send,
) -> Result<Result<ProvidersMemberDone, Refused<E>>, Failure> {
    let (account, now) = (door::account(latchkey, token, account).await?.id, latchkey.now());
    let links = Links::new(latchkey, &giving::zone(latchkey, account).await?, now);
    let want = |facts: &ProvidersMemberFacts| wanted(becomes(facts));
    let deciding = Deciding { latchkey, by: By { latchkey, token }, now, links: &links };
    let decide = |facts: &ProvidersMemberFacts, becomes: Becomes, things: &KeyedThings| {
        deciding.decide(facts, asked, becomes, things)
    };
    latchkey.store.change_member_by_provider(account, asked, write, now, want, decide).await
}

/// Has several people stand in accounts as `becomes` says, which is told which of them it is about and how
/// they stand: all of them, or nobody if one comes to nothing.
///
/// # Errors
/// As [`change`].
pub async fn change_all<E: Send>(
    latchkey: &Latchkey,
    token: &Token,
    asked: &[(AccountId, AskedMember)],
    write: bool,
    mut becomes: impl FnMut(usize, &ProvidersMemberFacts) -> Result<Becomes, E> + Send,
) -> Result<Vec<Result<ProvidersMemberDone, Refused<E>>>, Failure> {
    let now = latchkey.now();
    let mut links = HashMap::new();
    for (account, _) in asked {
        if let Entry::Vacant(place) = links.entry(*account) {
            place.insert(Links::new(latchkey, &giving::zone(latchkey, *account).await?, now));
        }
    }
    let want = |index, facts: &ProvidersMemberFacts| wanted(becomes(index, facts));
    let decide =
        |index: usize, facts: &ProvidersMemberFacts, becomes: Becomes, things: &KeyedThings| {
            let (account, asked) = asked.get(index).ok_or(Refused::NotFound)?;
            let links = links.get(account).ok_or(Refused::NotFound)?;
            let deciding = Deciding { latchkey, by: By { latchkey, token }, now, links };
            deciding.decide(facts, asked, becomes, things)
        };
    latchkey.store.change_members_by_provider(asked, write, now, want, decide).await
}

/// What is to become of somebody, and which things that names.
fn wanted<E>(becomes: Result<Becomes, E>) -> Result<(Becomes, ThingKeys), Refused<E>> {
    let becomes = becomes.map_err(Refused::Said)?;
    let keys = match &becomes {
        Becomes::This(wanted) => named(&wanted.grants),
        Becomes::Nothing { .. } => ThingKeys::default(),
    };
    Ok((becomes, keys))
}

/// Nobody has two ids of the provider's in an account, and no two have one.
fn must_be_free<E>(facts: &ProvidersMemberFacts, asked: &AskedMember) -> Result<(), Refused<E>> {
    let Some(given) = asked.given() else { return Ok(()) };
    let present = match &facts.kept {
        Some(kept) => kept.reference.as_ref(),
        None => facts.pending.as_ref().and_then(|pending| pending.reference.as_ref()),
    };
    if present.is_some_and(|present| present != given) {
        return Err(Refused::OtherRef);
    }
    if facts.is_taken { Err(Refused::RefTaken) } else { Ok(()) }
}

/// Which things these grants name.
fn named(grants: &[WantedGrant]) -> ThingKeys {
    let mut keys = ThingKeys::default();
    for grant in grants {
        let areas = [(&grant.services, &mut keys.services), (&grant.domains, &mut keys.domains)];
        for (reach, into) in areas {
            if let Some(WantedReach::These(named)) = reach {
                into.extend(named.iter().cloned());
            }
        }
    }
    keys
}

/// What a change is decided by.
struct Deciding<'a> {
    latchkey: &'a Latchkey,
    by: By<'a>,
    now: Timestamp,
    links: &'a Links,
}

impl Deciding<'_> {
    fn decide<E>(
        &self,
        facts: &ProvidersMemberFacts,
        asked: &AskedMember,
        becomes: Becomes,
        things: &KeyedThings,
    ) -> Result<ProvidersMemberStep, Refused<E>> {
        let wanted = match (becomes, &facts.kept, facts.waiting()) {
            (Becomes::Nothing { owner }, Some(kept), _) => return self.end(facts, kept, owner),
            (Becomes::Nothing { .. }, None, Some(waiting)) => return Ok(self.take_back(waiting)),
            (Becomes::Nothing { .. }, None, None) => return Err(Refused::NotFound),
            (Becomes::This(wanted), ..) => wanted,
        };
        must_be_free::<E>(facts, asked)?;
        match (&facts.kept, &facts.email, &asked.name) {
            (Some(kept), ..) => self.hold(facts, kept, &wanted, things),
            (None, Some(email), _) => self.come(facts, email, &wanted, things),
            (None, None, MemberName::Id(_)) => Err(Refused::NotFound),
            (None, None, MemberName::Ref(_)) => Err(Refused::NoAddress),
        }
    }

    /// Ends somebody's access.
    fn end<E>(
        &self,
        facts: &ProvidersMemberFacts,
        kept: &KeptMember,
        owner: bool,
    ) -> Result<ProvidersMemberStep, Refused<E>> {
        let member = &kept.member;
        let entry = |kind| self.by.entry(kind).about(Some(member.user), &member.full_name);
        if !member.held.is_owner() {
            let removed_by = Some(self.latchkey.settings.provider.clone().into());
            let account = facts.account_name.clone().into();
            let mail = Mail::AccessRemoved { account, removed_by };
            let entry = entry(ActivityKind::AccessRemoved).before(&kept.holding);
            let mail = NewMail::to(member.email.clone(), mail);
            return Ok(ProvidersMemberStep::End(entry, vec![mail]));
        }
        if !owner {
            return Err(Refused::OwnerStays);
        }
        if facts.other_owners == 0 {
            return Err(Refused::LastOwner);
        }
        let mails = self.to_owners(facts, ProvidersChange::Removed, member, None);
        Ok(ProvidersMemberStep::End(entry(ActivityKind::OwnerRemovedByProvider), mails))
    }

    /// Has somebody hold what is wanted.
    fn hold<E>(
        &self,
        facts: &ProvidersMemberFacts,
        kept: &KeptMember,
        wanted: &WantedMember,
        things: &KeyedThings,
    ) -> Result<ProvidersMemberStep, Refused<E>> {
        let member = &kept.member;
        let entry = |kind| self.by.entry(kind).about(Some(member.user), &member.full_name);
        match (member.held.is_owner(), wanted.owner) {
            (true, true) => return Ok(ProvidersMemberStep::Leave),
            (true, false) => return Err(Refused::OwnerStays),
            (false, true) => {
                let mails =
                    self.to_owners(facts, ProvidersChange::Added, member, Some(&member.email));
                return Ok(ProvidersMemberStep::Own(
                    entry(ActivityKind::OwnerAddedByProvider),
                    mails,
                ));
            }
            (false, false) => {}
        }
        let held = kept.holding.grants();
        let grants = self.grants(held, &wanted.grants, things)?;
        if grants == held {
            return Ok(ProvidersMemberStep::Leave);
        }
        let holding = Holding::Granted(grants.clone());
        let (was, is) = (users::live(&kept.holding, self.now), users::live(&holding, self.now));
        let same = users::opens_all_of(&was, &is) && users::opens_all_of(&is, &was);
        let mail = (!same).then(|| {
            let mail = Mail::PermissionsChanged {
                account: facts.account_name.clone().into(),
                changed_by: self.latchkey.settings.provider.clone().into(),
                before: users::told(&was),
                after: users::told(&is),
            };
            NewMail::to(member.email.clone(), mail)
        });
        let entry = entry(ActivityKind::PermissionsChanged).before(&kept.holding).after(&holding);
        Ok(ProvidersMemberStep::Hold(grants, entry, mail.into_iter().collect()))
    }

    /// The grants as they are wanted, in the order of their ids. One that is held already, by its id or
    /// as it is wanted, stays the same.
    fn grants<E>(
        &self,
        held: &[Grant],
        wanted: &[WantedGrant],
        things: &KeyedThings,
    ) -> Result<Vec<Grant>, Refused<E>> {
        let mut left: Vec<&Grant> = held.iter().collect();
        let mut same: Vec<Option<&Grant>> = Vec::with_capacity(wanted.len());
        for (index, grant) in wanted.iter().enumerate() {
            same.push(match grant.id {
                None => None,
                Some(id) => {
                    let place = left.iter().position(|held| held.id == id);
                    let place = place.ok_or(Refused::NoSuchGrant(index))?;
                    Some(left.remove(place))
                }
            });
        }
        let mut grants: Vec<Grant> = Vec::with_capacity(wanted.len());
        for ((index, grant), same) in wanted.iter().enumerate().zip(same) {
            let terms = terms(index, grant, things)?;
            let is_so = |held: &Grant| held.terms == terms && held.why == grant.why;
            let same = same.or_else(|| {
                let place = left.iter().position(|held| is_so(held))?;
                Some(left.remove(place))
            });
            if same.is_none_or(|same| same.terms.until != terms.until) {
                self.must_lie_ahead(index, terms.until)?;
            }
            grants.push(match same {
                Some(same) if is_so(same) => same.clone(),
                Some(same) => {
                    // Who changed what it opens answers for it from now on.
                    let (given_by, given_at) = match same.terms == terms {
                        true => (same.given_by, same.given_at),
                        false => (None, self.now),
                    };
                    Grant { id: same.id, terms, why: grant.why.clone(), given_by, given_at }
                }
                None => {
                    let known = held.iter().chain(&grants).map(|grant| grant.id);
                    let id = GrantId::from(self.latchkey.new_id()).behind(known);
                    let (why, given_at) = (grant.why.clone(), self.now);
                    Grant { id, terms, why, given_by: None, given_at }
                }
            });
        }
        grants.sort_by_key(|grant| grant.id);
        Ok(grants)
    }

    fn must_lie_ahead<E>(&self, index: usize, until: Option<Timestamp>) -> Result<(), Refused<E>> {
        match until {
            Some(until) if until <= self.now => Err(Refused::End(index, FieldProblem::Past)),
            Some(until) if until > self.now.after(FARTHEST) => {
                Err(Refused::End(index, FieldProblem::TooFar))
            }
            _ => Ok(()),
        }
    }

    /// Takes back what waits for somebody.
    fn take_back(&self, waiting: &Invitation) -> ProvidersMemberStep {
        let entry = self.by.entry(ActivityKind::InvitationCancelled);
        let entry = entry.about(None, waiting.email.as_str()).before(waiting);
        ProvidersMemberStep::TakeBack(entry)
    }

    /// Offers something to an address that isn't in the account: by an invitation, if that is wanted, or
    /// else it waits. Who was sent the same already, by the provider, and may still answer, isn't made to
    /// wait unless that is said.
    fn come<E>(
        &self,
        facts: &ProvidersMemberFacts,
        email: &EmailAddress,
        wanted: &WantedMember,
        things: &KeyedThings,
    ) -> Result<ProvidersMemberStep, Refused<E>> {
        let offered = offered(wanted, things)?;
        let pending = facts.pending.as_ref();
        let pending = pending.filter(|pending| pending.state == InvitationState::Pending);
        let own = pending.filter(|pending| pending.inviter.is_none() && !pending.as_owner);
        let same = own.filter(|pending| pending.offered.is_as(&offered));
        match (wanted.invite, same) {
            (Some(Invite::Now) | None, Some(same)) if !same.waits => {
                return Ok(ProvidersMemberStep::Leave);
            }
            (Some(Invite::FirstSignIn) | None, Some(same))
                if same.waits && same.full_name == wanted.full_name =>
            {
                return Ok(ProvidersMemberStep::Leave);
            }
            _ => {}
        }
        let known = own.filter(|_| wanted.invite != Some(Invite::Now));
        let known = known.map_or(&[][..], |pending| pending.offered.grants());
        for (index, grant) in offered.grants().iter().enumerate() {
            if !known.contains(grant) {
                self.must_lie_ahead(index, grant.terms.until)?;
            }
        }
        if !facts.domains.take(email) {
            return Err(Refused::OtherDomain);
        }
        if facts.reported {
            return Err(Refused::Reported);
        }
        let entry = match pending {
            Some(pending) => self.by.entry(ActivityKind::InvitationChanged).before(pending),
            None => self.by.entry(ActivityKind::InvitationSent),
        };
        // That somebody is to own it is told once.
        let is_news = same.is_none_or(|same| !same.waits);
        let mails = match offered.is_owner() && is_news {
            true => self.of_owner(facts, email),
            false => Vec::new(),
        };
        let full_name = wanted.full_name.clone();
        if wanted.invite == Some(Invite::Now) {
            let account = &facts.account_name;
            let offering = Offering { email, offered, as_owner: false, account, inviter: None };
            let offer = self.links.offer(offering, entry, None);
            return Ok(ProvidersMemberStep::Offer(offer, full_name, mails));
        }
        // Another name alone is no news.
        let entry = is_news.then(|| entry.about(None, email.as_str()).after(&offered));
        let token_hash = self.links.mailed.hash();
        let waiting = NewWaiting { offered, full_name, token_hash, entry };
        Ok(ProvidersMemberStep::Wait(waiting, mails))
    }

    /// The mails to every owner that tell that somebody is offered to own the account.
    fn of_owner(&self, facts: &ProvidersMemberFacts, email: &EmailAddress) -> Vec<NewMail> {
        let invited = ChangedOwner {
            news: ProvidersChange::Invited,
            name: "".into(),
            email: email.into(),
            is_reader: false,
        };
        let owners = facts.owners.iter().map(|owner| &owner.email);
        self.told(facts, &invited, owners)
    }

    /// The mails to every owner, and to whoever becomes one, that tell of this one.
    fn to_owners(
        &self,
        facts: &ProvidersMemberFacts,
        news: ProvidersChange,
        member: &Member,
        joins: Option<&EmailAddress>,
    ) -> Vec<NewMail> {
        let changed = ChangedOwner {
            news,
            name: member.full_name.clone().into(),
            email: (&member.email).into(),
            is_reader: false,
        };
        let owners = facts.owners.iter().map(|owner| &owner.email).chain(joins);
        self.told(facts, &changed, owners)
    }

    fn told<'m>(
        &self,
        facts: &ProvidersMemberFacts,
        changed: &ChangedOwner,
        readers: impl Iterator<Item = &'m EmailAddress>,
    ) -> Vec<NewMail> {
        let (account, changed) = (&facts.account_name, std::slice::from_ref(changed));
        let mail =
            |reader| owners_by_provider::told(self.latchkey, account, changed, "".into(), reader);
        readers.map(mail).collect()
    }
}

/// What whoever isn't in the account is to be offered. None of their grants has an id yet.
fn offered<E>(wanted: &WantedMember, things: &KeyedThings) -> Result<GivenAccess, Refused<E>> {
    if wanted.owner {
        return Ok(GivenAccess::Owner);
    }
    let grants = wanted.grants.iter().enumerate().map(|(index, grant)| match grant.id {
        Some(_) => Err(Refused::NoSuchGrant(index)),
        None => Ok(GivenGrant { terms: terms(index, grant, things)?, why: grant.why.clone() }),
    });
    grants.collect()
}

/// A wanted grant's terms, with the ids of what it reaches.
fn terms<E>(index: usize, grant: &WantedGrant, things: &KeyedThings) -> Result<Terms, Refused<E>> {
    let reach = |area: Area, wanted: Option<&WantedReach>| match wanted {
        None => Ok(Reach::NOTHING),
        Some(WantedReach::All) => Ok(Reach::All),
        Some(WantedReach::These(keys)) => {
            let ids = keys.iter().enumerate().map(|(place, key)| {
                let found = things.find(area, key);
                found.ok_or(Refused::NotThere { grant: index, area, place })
            });
            Ok(Reach::These(ids.collect::<Result<_, Refused<E>>>()?))
        }
    };
    let (services, domains) = (
        reach(Area::Services, grant.services.as_ref())?,
        reach(Area::Domains, grant.domains.as_ref())?,
    );
    let (permissions, until) = (grant.permissions, grant.until);
    Ok(Terms { permissions, services, domains, until }.opening())
}

/// An account's invitations that wait for an answer or ran out unanswered, the newest first, behind the
/// one with this id, at most `most`; and what they reach by name.
///
/// # Errors
/// [`Failure::NotFound`] when the token doesn't see the account, [`Failure::Unavailable`].
pub async fn invitations(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    behind: Option<Uuid>,
    most: usize,
) -> Result<(Vec<PendingInvitation>, KeyedThings), Failure> {
    let account = door::account(latchkey, token, account).await?.id;
    let after = behind.map(|id| Cursor { key: String::new(), id });
    let (store, now) = (&latchkey.store, latchkey.now());
    let found = store.pending_invitations(account, after.as_ref(), most, now).await?;
    let offered: Vec<_> = found.iter().map(|pending| &pending.invitation).collect();
    let things = store.things_of_invitations(account, &offered).await?;
    Ok((found, things))
}

/// One of them.
///
/// # Errors
/// [`Failure::NotFound`], also when it was answered or taken back; [`Failure::Unavailable`].
pub async fn invitation(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    invitation: InvitationId,
) -> Result<(PendingInvitation, KeyedThings), Failure> {
    let account = door::account(latchkey, token, account).await?.id;
    let store = &latchkey.store;
    let found = store.open_invitation_of(account, invitation, latchkey.now()).await?;
    let things = store.things_of_invitations(account, &[&found.invitation]).await?;
    Ok((found, things))
}

/// Takes an invitation of an account back: its link is dead from now on. `may` is told how it stands, and
/// can refuse that. Without `write` it is found out whether there is one. Answers how it stood, and what it
/// reached by name.
///
/// # Errors
/// [`Failure::NotFound`] when there is none that waits or ran out; [`Failure::Unavailable`].
pub async fn cancel<E: Send>(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    invitation: InvitationId,
    write: bool,
    may: impl FnOnce(&Invitation) -> Result<(), E> + Send,
) -> Result<Result<(Invitation, KeyedThings), E>, Failure> {
    let account = door::account(latchkey, token, account).await?.id;
    let (store, now, by) = (&latchkey.store, latchkey.now(), By { latchkey, token });
    let decide = |invitation: &Invitation| {
        may(invitation)?;
        let entry = by.entry(ActivityKind::InvitationCancelled);
        Ok(entry.about(None, invitation.email.as_str()).before(invitation))
    };
    let cancelled =
        store.cancel_invitation_by_provider(account, invitation, write, now, decide).await?;
    let cancelled = match cancelled {
        Ok(cancelled) => cancelled,
        Err(refused) => return Ok(Err(refused)),
    };
    let things = store.things_of_invitations(account, &[&cancelled]).await?;
    Ok(Ok((cancelled, things)))
}
