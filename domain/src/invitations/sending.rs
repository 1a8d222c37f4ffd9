//! Sending invitations: offering, resending and cancelling them, those that wait, and what bounds them.

use std::time::Duration;

use jiff::tz::TimeZone;
use model::{
    Access, ActivityKind, Actor, Conflict, Cursor, EmailAddress, EmailDomains, Failure, Field,
    FieldErrors, FieldProblem, GivenAccess, GivenGrant, InvitationId, InvitationState, Language,
    Limited, Mail, Noted, On, PAGE_SIZE, Permission, PermissionSet, Terms, Timestamp, Until, Which,
    Wish,
};
use store::{
    Bound, Invitation, InvitationFacts, InvitationStep, LockedActor, NewActivity, NewMail, Offer,
    OfferFacts, PendingInvitation, Tracked,
};

use crate::giving::{self, Read, Start, Wished};
use crate::{Client, Latchkey, Token, owner_changes, starts};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What sending came to.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The invited address.
    pub email: EmailAddress,
    /// The token of a link to be copied now; it isn't stored. The mail has another one: joining by
    /// that proves the address, by this one it doesn't.
    pub token: Token,
    /// Whether a pending invitation was updated instead of a new one made.
    pub updated: bool,
}

/// Invites an address with what is wished; what isn't said is as much, and for as long, as the actor
/// can give. A pending invitation of that address gets it instead, and a new link.
///
/// # Errors
/// [`Failure::Invalid`]; [`Failure::OtherDomain`]; what [`Access::give`] answers when the actor
/// lacks [`Permission::AccountUsers`] or what they want to give; [`Failure::TooMany`];
/// [`Failure::Unavailable`].
pub async fn send(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &str,
    wished: &Wished,
    client: &Client,
) -> Result<Sent, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let mut errors = FieldErrors::default();
    let email = errors.take(Field::Email, EmailAddress::parse(email));
    let read = read(latchkey, actor, wished, &mut errors).await?;
    let (Some(email), Some(Read { wish, why }), true) = (email, read, errors.0.is_empty()) else {
        return Err(errors.into_failure());
    };
    let offered = Offered { wish: &wish, why: &why.unwrap_or_default(), to_own: false, of: None };
    send_to(latchkey, actor, email, offered, client).await
}

/// Sends an invitation again, with other terms. `before` is what the form was made of when the actor was
/// shown it, if that is known.
///
/// # Errors
/// As [`send`]; [`Failure::NotFound`]; [`Conflict::Invitation`] when it was answered or cancelled;
/// [`Conflict::ChangedMeanwhile`] when it isn't as it was `before`.
pub async fn correct(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    wished: &Wished,
    before: Option<&str>,
    client: &Client,
) -> Result<Sent, Failure> {
    let found = find(latchkey, actor, id).await?;
    let (InvitationState::Pending | InvitationState::Expired) = found.state else {
        return Err(Failure::Conflict(Conflict::Invitation(found.state)));
    };
    let mut errors = FieldErrors::default();
    let read = read(latchkey, actor, wished, &mut errors).await?;
    let (Some(Read { wish, why }), true) = (read, errors.0.is_empty()) else {
        return Err(errors.into_failure());
    };
    let of = Some((found.id, before));
    let offered = Offered { wish: &wish, why: &why.unwrap_or_default(), to_own: false, of };
    send_to(latchkey, actor, found.email, offered, client).await
}

/// Invites an address to own the account: whoever joins holds everything as a user at once, and becomes
/// an owner when the waiting time is over. All owners are told.
///
/// # Errors
/// [`Failure::OwnersOnly`]; else as [`send`].
pub async fn send_to_owner(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &str,
    client: &Client,
) -> Result<Sent, Failure> {
    actor.must_own()?;
    let email =
        EmailAddress::parse(email).map_err(|problem| Failure::field(Field::Email, problem))?;
    let everything = Wish {
        ticks: PermissionSet::all().iter().collect(),
        services: Which::All,
        domains: Which::All,
        until: Until::Endless,
    };
    let offered = Offered { wish: &everything, why: "", to_own: true, of: None };
    send_to(latchkey, actor, email, offered, client).await
}

/// What is wished, which must be something.
async fn read(
    latchkey: &Latchkey,
    actor: &Actor,
    wished: &Wished,
    errors: &mut FieldErrors,
) -> Result<Option<Read>, Failure> {
    if wished.permissions.is_empty() {
        errors.note(Field::Permissions, FieldProblem::Missing);
    }
    giving::read(latchkey, actor, wished, errors).await
}

/// What is offered.
struct Offered<'a> {
    wish: &'a Wish,
    why: &'a str,
    /// Whether whoever joins becomes an owner.
    to_own: bool,
    /// The invitation that it corrects, and what it was made of, if it isn't a new one.
    of: Option<(InvitationId, Option<&'a str>)>,
}

async fn send_to(
    latchkey: &Latchkey,
    actor: &Actor,
    email: EmailAddress,
    Offered { wish, why, to_own: as_owner, of }: Offered<'_>,
    client: &Client,
) -> Result<Sent, Failure> {
    let now = latchkey.now();
    let links = Links::new(latchkey, &giving::zone(latchkey, actor.account).await?, now);
    let decide = |facts: &OfferFacts| {
        let by = &facts.by;
        if as_owner {
            by.actor.must_own()?;
        }
        let terms = by.access.give(wish)?;
        if let Some(user) = facts.in_account {
            return Err(Failure::field(Field::Email, FieldProblem::AlreadyInAccount(user)));
        }
        if !facts.domains.take(&email) {
            return Err(Failure::OtherDomain(facts.domains.clone()));
        }
        if facts.reported {
            return Err(Failure::field(Field::Email, FieldProblem::TakesNoInvitations));
        }
        let is_meant = |(id, before): (InvitationId, Option<&str>)| {
            let pending = facts.pending.as_ref().filter(|pending| pending.id == id);
            pending.is_some_and(|pending| before.is_none_or(|before| before == made_of(pending)))
        };
        if of.is_some_and(|of| !is_meant(of)) {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        // The provider's offer to a first owner is nobody else's to replace.
        if facts.pending.as_ref().is_some_and(|invitation| invitation.offered.is_owner()) {
            return Err(Failure::Conflict(Conflict::OwnersStay));
        }
        // Nor is an owner's offer to become one anybody's but an owner's.
        if facts.pending.as_ref().is_some_and(|invitation| invitation.as_owner) {
            by.actor.must_own().map_err(|_| Failure::Conflict(Conflict::OwnersStay))?;
        }
        let pending = facts
            .pending
            .as_ref()
            .filter(|invitation| invitation.state == InvitationState::Pending);
        let entry = |kind| by.entry(kind, &client.address);
        let entry = match pending {
            Some(pending) => entry(ActivityKind::InvitationChanged).before(pending),
            None => entry(ActivityKind::InvitationSent),
        };
        let offered = std::iter::once(GivenGrant { terms, why: why.to_owned() }).collect();
        let offering = Offering::by(by, &email, offered);
        let offering = Offering { as_owner, ..offering };
        let offer = links.offer(offering, entry, client.language.clone());
        // Owners hear of it when it is offered, and not each time that it is sent.
        let tells_owners = as_owner && pending.is_none_or(|pending| !pending.as_owner);
        Ok(telling(latchkey, by, &email, offer, tells_owners))
    };
    let offered =
        latchkey.store.offer_invitation(actor.account, actor.user, &email, now, decide).await?;
    let updated = matches!(offered, store::Offered::Updated(_));
    Ok(Sent { email, token: links.shown, updated })
}

/// The offer with what its mails count against: those of an invitation, and of telling all owners of it.
fn telling(
    latchkey: &Latchkey,
    by: &LockedActor,
    email: &EmailAddress,
    offer: Offer,
    tells_owners: bool,
) -> Offer {
    let told = tells_owners.then(|| owner_changes::bound(&by.actor));
    let bounds = bounds(latchkey, &by.actor, email).into_iter().chain(told).collect();
    Offer { tells_owners, bounds, ..offer }
}

/// A limit of invitation mails that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// Which one.
    pub of: Limited,
    /// How many mails an hour there are.
    pub most: u32,
    /// Until when no more are sent.
    pub until: Timestamp,
}

/// Which limit keeps the actor from inviting anybody now: their own or the account's, whichever
/// lasts longer.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn used_up(latchkey: &Latchkey, actor: &Actor) -> Result<Option<UsedUp>, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let own = used_up_until(latchkey, &by_inviter(latchkey, actor)).await?;
    let accounts = used_up_until(latchkey, &by_account(latchkey, actor)).await?;
    Ok(own.into_iter().chain(accounts).max_by_key(|used_up| used_up.until))
}

/// Until when no more mails may be sent to this address, if they are used up.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn address_used_up_until(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &EmailAddress,
) -> Result<Option<Timestamp>, Failure> {
    let from_account = used_up_until(latchkey, &to_address(latchkey, actor, email)).await?;
    let from_all = used_up_until(latchkey, &to_address_from_all(latchkey, email)).await?;
    Ok(from_account.into_iter().chain(from_all).map(|used_up| used_up.until).max())
}

async fn used_up_until(latchkey: &Latchkey, bound: &Bound) -> Result<Option<UsedUp>, Failure> {
    let attempts = latchkey.store.attempts(&bound.key, bound.window, latchkey.now()).await?;
    let used_up = attempts.filter(|attempts| attempts.count >= bound.most);
    Ok(used_up.map(|attempts| UsedUp { of: bound.of, most: bound.most, until: attempts.until }))
}

/// The domains that the account's policy lets invitations go to; without any, every one.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn allowed_domains(latchkey: &Latchkey, actor: &Actor) -> Result<EmailDomains, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    Ok(latchkey.store.policy(actor.account).await?.domains)
}

/// What became of an address: why somebody doesn't get their invitation.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// Nobody invited that address; whether the account's policy allows it.
    NotInvited(bool),
    /// Whoever has it is in the account.
    InAccount,
    /// The newest invitation of it, and whether the account's policy allows the address.
    Invited(Box<Tracked>, bool),
}

/// Looks for an address among the account's users and invitations.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Invalid`] for what is no address,
/// [`Failure::Unavailable`].
pub async fn track(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &str,
) -> Result<Whereabouts, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let email =
        EmailAddress::parse(email).map_err(|problem| Failure::field(Field::Email, problem))?;
    if latchkey.store.is_in_account(actor.account, &email).await? {
        return Ok(Whereabouts::InAccount);
    }
    let tracked = latchkey.store.track_invitation(actor.account, &email, latchkey.now()).await?;
    let allowed = allowed_domains(latchkey, actor).await?.take(&email);
    Ok(match tracked {
        Some(found) => Whereabouts::Invited(Box::new(found), allowed),
        None => Whereabouts::NotInvited(allowed),
    })
}

/// Sends a pending or expired invitation again with a new link; the clock starts anew. What waits for
/// somebody becomes an invitation as any other thereby.
///
/// # Errors
/// [`Failure::NotAllowed`] when the actor couldn't offer this now; [`Failure::NotFound`];
/// [`Conflict::Invitation`] when it isn't pending any more; [`Conflict::OtherDomain`];
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn resend(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<Sent, Failure> {
    let invitation = find(latchkey, actor, id).await?;
    let now = latchkey.now();
    let links = Links::new(latchkey, &giving::zone(latchkey, actor.account).await?, now);
    let decide = |facts: &InvitationFacts| {
        let (by, invitation) = (&facts.by, &facts.invitation);
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::Conflict(Conflict::Invitation(invitation.state)));
        };
        // Whoever resends sees the link: it must open no more than they could offer themselves.
        let offered = &invitation.offered;
        may_offer(by, &offered.access())?;
        if invitation.as_owner {
            by.actor.must_own().map_err(|_| Failure::Conflict(Conflict::OwnersStay))?;
        }
        if offered.access().has_lapsed(now) {
            return Err(Failure::field(Field::Until, FieldProblem::Past));
        }
        if !facts.domains.take(&invitation.email) {
            return Err(Failure::Conflict(Conflict::OtherDomain));
        }
        // It is their offer from now on: whoever invited first may have lost the right to.
        let inviter = invitation.inviter.map(|_| by);
        let email = &invitation.email;
        let offering = Offering::by(by, email, offered.clone());
        let offering = Offering { inviter, as_owner: invitation.as_owner, ..offering };
        // What waited was never sent.
        let kind = match invitation.waits {
            true => ActivityKind::InvitationSent,
            false => ActivityKind::InvitationResent,
        };
        let entry = by.entry(kind, &client.address);
        let offer = links.offer(offering, entry, client.language.clone());
        // What had run out is offered anew.
        let tells_owners = invitation.as_owner && invitation.state == InvitationState::Expired;
        Ok(InvitationStep::Resend(telling(latchkey, by, email, offer, tells_owners)))
    };
    let (account, user) = (actor.account, actor.user);
    latchkey.store.step_invitation(account, user, invitation.id, now, decide).await?;
    Ok(Sent { email: invitation.email, token: links.shown, updated: false })
}

/// Takes a pending or expired invitation back: its link is dead from now on.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`]; [`Conflict::Invitation`] when it was answered
/// or cancelled already; [`Failure::Unavailable`].
pub async fn cancel(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<EmailAddress, Failure> {
    let invitation = find(latchkey, actor, id).await?;
    let decide = |facts: &InvitationFacts| {
        facts.by.actor.must(Permission::AccountUsers, On::Account)?;
        let invitation = &facts.invitation;
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::Conflict(Conflict::Invitation(invitation.state)));
        };
        let entry = facts.by.entry(ActivityKind::InvitationCancelled, &client.address);
        let entry = entry.about(None, invitation.email.as_str()).before(invitation);
        Ok(InvitationStep::Cancel { entry })
    };
    let (account, user, now) = (actor.account, actor.user, latchkey.now());
    latchkey.store.step_invitation(account, user, invitation.id, now, decide).await?;
    Ok(invitation.email)
}

/// One invitation of the account.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn find(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<Invitation, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    let found = latchkey.store.invitation(actor.account, id, latchkey.now()).await?;
    found.ok_or(Failure::NotFound)
}

/// What a form that corrects an invitation is made of, to notice that somebody else changed it.
#[must_use]
pub fn made_of(invitation: &Invitation) -> String {
    let made_of = |grant: &GivenGrant| giving::made_of_terms(&grant.terms, &grant.why);
    invitation.offered.grants().iter().map(made_of).collect::<Vec<_>>().join(" + ")
}

/// An invitation that waits for an answer or ran out unanswered, and what a form for sending it with other
/// terms begins with: the permissions and things that it offers as far as the actor could, and its end. Of
/// several grants that is the first; what is sent takes the place of all of them.
///
/// # Errors
/// As [`find`], also for one that was answered or cancelled.
pub async fn offered_again(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
) -> Result<(Invitation, Start), Failure> {
    let found = find(latchkey, actor, id).await?;
    if !matches!(found.state, InvitationState::Pending | InvitationState::Expired) {
        return Err(Failure::NotFound);
    }
    let own = giving::own(latchkey, actor).await?;
    let start = found.offered.grants().first().map(|GivenGrant { terms, why }| Start {
        terms: Terms { until: terms.until, ..starts::as_far_as(&own, terms) },
        why: why.clone(),
    });
    Ok((found, start.unwrap_or_default()))
}

/// A pending (or expired) invitation in the account's list.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The invitation, and what became of its mail.
    pub row: PendingInvitation,
    /// Whether it still opens all that it offers: its inviter could grant all of it now (rule 7), to own
    /// the account included.
    pub opens_all: bool,
    /// Whether the account takes in addresses of its domain.
    pub fits_domains: bool,
}

/// One page of the account's pending invitations.
#[derive(Clone, Debug, Default)]
pub struct PendingPage {
    /// The invitations.
    pub invitations: Vec<Waiting>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The account's invitations that wait for an answer or ran out unanswered.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn pending(
    latchkey: &Latchkey,
    actor: &Actor,
    after: Option<&Cursor>,
) -> Result<PendingPage, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let (account, now) = (actor.account, latchkey.now());
    let mut invitations =
        latchkey.store.pending_invitations(account, after, PAGE_SIZE + 1, now).await?;
    let more = invitations.len() > PAGE_SIZE;
    invitations.truncate(PAGE_SIZE);
    let next = invitations.last().filter(|_| more).map(PendingInvitation::cursor);
    let domains = allowed_domains(latchkey, actor).await?;
    let waiting = |row: PendingInvitation| {
        let offered = row.invitation.offered.access();
        let as_owner = row.invitation.as_owner;
        let covers =
            |inviter: &Access| inviter.covers(&offered) && (!as_owner || inviter.is_owner());
        let opens_all = !offered.has_lapsed(now)
            && (row.invitation.inviter.is_none()
                || row.inviter_access.as_ref().is_some_and(covers));
        let fits_domains = domains.take(&row.invitation.email);
        Waiting { row, opens_all, fits_domains }
    };
    Ok(PendingPage { invitations: invitations.into_iter().map(waiting).collect(), next })
}

fn may_offer(by: &LockedActor, access: &Access) -> Result<(), Failure> {
    match access {
        Access::Owner => by.actor.must_own().map_err(|_| Failure::Conflict(Conflict::OwnersStay)),
        Access::Granted(offered) => {
            by.actor.must(Permission::AccountUsers, On::Account)?;
            offered.iter().try_for_each(|terms| by.access.must_give(terms))
        }
    }
}

/// An invitation's two links, and until when they work.
pub(crate) struct Links {
    /// Goes by mail: joining by it proves the address.
    pub(crate) mailed: Token,
    /// Is shown to whoever invites, to hand it over.
    pub(crate) shown: Token,
    expires_at: Timestamp,
}

/// What is offered, to whom, and in whose name.
pub(crate) struct Offering<'a> {
    /// The invited address.
    pub(crate) email: &'a EmailAddress,
    /// What joining opens.
    pub(crate) offered: GivenAccess,
    /// Whether whoever joins becomes an owner besides.
    pub(crate) as_owner: bool,
    /// The account's name.
    pub(crate) account: &'a str,
    /// Who invites; none for the provider.
    pub(crate) inviter: Option<&'a LockedActor>,
}

impl<'a> Offering<'a> {
    /// What somebody in the account offers.
    fn by(by: &'a LockedActor, email: &'a EmailAddress, offered: GivenAccess) -> Self {
        Self { email, offered, as_owner: false, account: &by.account_name, inviter: Some(by) }
    }
}

impl Links {
    /// New ones, which work from now on, and until the end of their last day in this time zone.
    pub(crate) fn new(latchkey: &Latchkey, zone: &TimeZone, now: Timestamp) -> Self {
        let random = latchkey.random.as_ref();
        let expires_at = now.after(latchkey.settings.invitation_lifetime);
        let expires_at = giving::end_of_day(expires_at, zone).unwrap_or(expires_at);
        Self { mailed: Token::new(random), shown: Token::new(random), expires_at }
    }

    /// The offer by these links, with its mail. The log's row comes to say what is offered, and to
    /// whom. It counts against nothing yet.
    pub(crate) fn offer(
        &self,
        offering: Offering<'_>,
        entry: NewActivity,
        language: Option<Language>,
    ) -> Offer {
        let Offering { email, offered, as_owner, account, inviter } = offering;
        let mail = Mail::Invitation {
            account: account.into(),
            inviter: inviter.map(|by| by.name.as_str().into()),
            inviter_email: inviter.map(|by| by.email.as_str().into()),
            access: offered.outline(),
            becomes_owner: as_owner,
            expires_at: self.expires_at,
            token: self.mailed.secret().clone(),
        };
        let noted = match as_owner {
            true => Noted::Owner,
            false => Noted::from(&offered),
        };
        let entry = entry.about(None, email.as_str()).after(noted);
        Offer {
            offered,
            as_owner,
            tells_owners: false,
            token_hash: self.mailed.hash(),
            copy_hash: Some(self.shown.hash()),
            expires_at: self.expires_at,
            entry,
            mail: NewMail::to(email.clone(), mail).language(language),
            bounds: Vec::new(),
        }
    }
}

/// What an invitation mail counts against: it is bounded from both ends, so that nobody floods and
/// nobody is flooded. Only mails that go out count; a try that comes to nothing uses nothing up.
fn bounds(latchkey: &Latchkey, actor: &Actor, email: &EmailAddress) -> Vec<Bound> {
    vec![
        by_inviter(latchkey, actor),
        to_address(latchkey, actor, email),
        by_account(latchkey, actor),
        to_address_from_all(latchkey, email),
    ]
}

fn by_inviter(latchkey: &Latchkey, actor: &Actor) -> Bound {
    let key = format!("invite:by:{}", actor.user);
    let most = latchkey.settings.invitations_per_inviter;
    Bound { key, most, window: HOUR, of: Limited::InvitationsOfInviter }
}

fn to_address(latchkey: &Latchkey, actor: &Actor, email: &EmailAddress) -> Bound {
    let key = format!("invite:{}:{}", uuid::Uuid::from(actor.account), email.key());
    let most = latchkey.settings.invitations_per_address;
    Bound { key, most, window: HOUR, of: Limited::InvitationsToAddress }
}

fn by_account(latchkey: &Latchkey, actor: &Actor) -> Bound {
    let key = format!("invite:{}", uuid::Uuid::from(actor.account));
    let most = latchkey.settings.invitations_per_account;
    Bound { key, most, window: HOUR, of: Limited::InvitationsOfAccount }
}

fn to_address_from_all(latchkey: &Latchkey, email: &EmailAddress) -> Bound {
    let key = format!("invite:to:{}", email.key());
    let most = latchkey.settings.invitations_to_address;
    Bound { key, most, window: DAY, of: Limited::InvitationsToAddress }
}

/// The offer to own the account, with the log's row and the mail.
pub(crate) fn offer_to_own(
    links: &Links,
    by: &LockedActor,
    email: &EmailAddress,
    client: &Client,
) -> Offer {
    let entry = by.entry(ActivityKind::InvitationSent, &client.address);
    links.offer(Offering::by(by, email, GivenAccess::Owner), entry, client.language.clone())
}
