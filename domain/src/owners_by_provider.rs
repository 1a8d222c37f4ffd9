//! Owners as the operator makes, removes and invites them: on the provider's word, and told to
//! everybody concerned.

use model::{
    AccountNumber, ActivityKind, ChangedOwner, Conflict, EmailAddress, Failure, Field, GivenAccess,
    InvitationState, Mail, Noted, ProvidersChange, Timestamp, TypedName,
};
use store::{
    Belonging, LockedPerson, NewActivity, NewMail, Owner, OwnerChange, OwnersChange, OwnersFacts,
    ProvidersOfferFacts, Successor, WantedOwners,
};

use crate::invitations::{Links, Offering};
use crate::users::LONGEST_REASON;
use crate::{Latchkey, Token, giving, successors};

/// Why the owners of an account stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnersStay {
    /// Nobody has a login with this address.
    NoLogin(EmailAddress),
    /// Whoever has this address doesn't own the account.
    NotAnOwner(EmailAddress),
    /// Whoever has this address owns it already.
    OwnsAlready(EmailAddress),
    /// Nobody would be left who owns it and can come in.
    LastOwner,
    /// Whoever has this address is in the account, and is no owner to be invited.
    InAccount(EmailAddress),
    /// What was given can't be taken, there is no such account, or the database couldn't do it.
    Failed(Failure),
}

impl From<Failure> for OwnersStay {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(Conflict::LastOwner) => Self::LastOwner,
            failure => Self::Failed(failure),
        }
    }
}

/// What became of an account's owners.
#[derive(Clone, Debug)]
pub struct OwnersChanged {
    /// The account's name.
    pub account: String,
    /// Who owns it from now on.
    pub added: Option<LockedPerson>,
    /// Whose access ended.
    pub removed: Option<LockedPerson>,
    /// How many mails tell of it.
    pub mails: usize,
}

/// Who owns an account, and who may come to.
#[derive(Clone, Debug)]
pub struct Owners {
    /// Its owners, by name.
    pub owners: Vec<Owner>,
    /// The changes of who owns it that are offered or wait, oldest first.
    pub becoming: Vec<OwnerChange>,
    /// Its successor, if its owners named one, and whether they could ask for it at this moment.
    pub successor: Option<(Successor, bool)>,
}

/// Who owns the account by now, and who may come to.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
pub async fn list(latchkey: &Latchkey, number: AccountNumber) -> Result<Owners, Failure> {
    let store = &latchkey.store;
    let account = store.account(number).await?;
    store.settle_due_owners(account, latchkey.now()).await?;
    Ok(Owners {
        owners: store.owners(account, usize::MAX).await?,
        becoming: store.open_owner_changes(account, usize::MAX).await?,
        successor: successors::standing(latchkey, account).await?,
    })
}

/// Makes somebody who has a login an owner of the account: whoever is in it holds no grants any more,
/// whoever isn't joins.
///
/// # Errors
/// [`OwnersStay`], also when they own it already.
pub async fn add(
    latchkey: &Latchkey,
    number: AccountNumber,
    email: &EmailAddress,
    why: &str,
) -> Result<OwnersChanged, OwnersStay> {
    let wanted = WantedOwners { added: Some(email), removed: None };
    change(latchkey, number, wanted, why).await
}

/// Ends an owner's access to the account, and makes somebody else an owner in the same step if they are
/// named: the last owner can only be replaced.
///
/// # Errors
/// [`OwnersStay`].
pub async fn remove(
    latchkey: &Latchkey,
    number: AccountNumber,
    email: &EmailAddress,
    replaced_by: Option<&EmailAddress>,
    why: &str,
) -> Result<OwnersChanged, OwnersStay> {
    let wanted = WantedOwners { added: replaced_by, removed: Some(email) };
    change(latchkey, number, wanted, why).await
}

async fn change(
    latchkey: &Latchkey,
    number: AccountNumber,
    wanted: WantedOwners<'_>,
    why: &str,
) -> Result<OwnersChanged, OwnersStay> {
    let why = model::one_line(why, LONGEST_REASON)
        .map_err(|problem| Failure::field(Field::Why, problem))?;
    let (account, now) = (latchkey.store.account(number).await?, latchkey.now());
    let decide = |facts: &OwnersFacts| {
        if refused(facts, wanted).is_some() {
            return Ok(None);
        }
        must_leave_an_owner(facts)?;
        Ok(Some(changing(latchkey, facts, &why)))
    };
    let changed = latchkey.store.change_owners_by_provider(account, wanted, now, decide).await;
    let facts = changed?;
    if let Some(refused) = refused(&facts, wanted) {
        return Err(refused);
    }
    tracing::warn!(account = %number, "the operator changed an account's owners");
    let mails = concerned(&facts).len();
    let OwnersFacts { account_name: account, added, removed, .. } = facts;
    Ok(OwnersChanged { account, added, removed, mails })
}

/// What speaks against a change, but for the number of owners that it leaves.
fn refused(facts: &OwnersFacts, wanted: WantedOwners<'_>) -> Option<OwnersStay> {
    if let Some(email) = wanted.removed {
        let owns = |person: &LockedPerson| person.standing == Belonging::Owner;
        if !facts.removed.as_ref().is_some_and(owns) {
            return Some(OwnersStay::NotAnOwner(email.clone()));
        }
    }
    let email = wanted.added?;
    let Some(person) = &facts.added else { return Some(OwnersStay::NoLogin(email.clone())) };
    let in_vain = person.standing == Belonging::Owner && wanted.removed.is_none();
    let is_removed = facts.removed.as_ref().is_some_and(|removed| removed.user == person.user);
    (in_vain || is_removed).then(|| OwnersStay::OwnsAlready(email.clone()))
}

/// Somebody must own the account behind the change who can come in (rule 5). Who is added takes nobody's
/// place, and may be the first.
fn must_leave_an_owner(facts: &OwnersFacts) -> Result<(), Failure> {
    match facts.removed.is_some() && facts.left == 0 {
        true => Err(Failure::Conflict(Conflict::LastOwner)),
        false => Ok(()),
    }
}

/// What the change writes. Who is replaced by somebody who owned the account before is removed alone.
fn changing(latchkey: &Latchkey, facts: &OwnersFacts, why: &str) -> OwnersChange {
    let added = facts.added.as_ref().filter(|person| person.standing != Belonging::Owner);
    let row = |kind, person: &LockedPerson| {
        let entry = NewActivity::by_provider(kind).about(Some(person.user), &person.full_name);
        entry.after(Noted::Reason(why.to_owned()))
    };
    let cancelled = facts.pending.as_ref().map(|invitation| {
        let entry = NewActivity::by_provider(ActivityKind::InvitationCancelled);
        entry.about(None, invitation.email.as_str()).before(invitation)
    });
    let added_row = added.map(|person| row(ActivityKind::OwnerAddedByProvider, person));
    let removed = facts.removed.as_ref();
    let removed_row = removed.map(|person| row(ActivityKind::OwnerRemovedByProvider, person));
    let named = |news, person: &LockedPerson| ChangedOwner {
        news,
        name: person.full_name.clone().into(),
        email: (&person.email).into(),
        is_reader: false,
    };
    let news: Vec<_> = added
        .map(|person| named(ProvidersChange::Added, person))
        .into_iter()
        .chain(removed.map(|person| named(ProvidersChange::Removed, person)))
        .collect();
    let mail =
        |to: &EmailAddress| told(latchkey, &facts.account_name, &news, why.to_owned().into(), to);
    OwnersChange {
        entries: cancelled.into_iter().chain(added_row).chain(removed_row).collect(),
        mails: concerned(facts).into_iter().map(mail).collect(),
    }
}

/// Every owner before and after the change.
fn concerned(facts: &OwnersFacts) -> Vec<&EmailAddress> {
    let added = facts.added.as_ref().filter(|person| person.standing != Belonging::Owner);
    let owners = facts.owners.iter().map(|owner| &owner.email);
    owners.chain(added.map(|person| &person.email)).collect()
}

/// The mail that tells one of them.
pub(crate) fn told(
    latchkey: &Latchkey,
    account: &str,
    owners: &[ChangedOwner],
    why: TypedName,
    to: &EmailAddress,
) -> NewMail {
    let for_reader = |owner: &ChangedOwner| ChangedOwner {
        is_reader: owner.email == to.into(),
        ..owner.clone()
    };
    let mail = Mail::OwnersChangedByProvider {
        account: account.into(),
        changed_by: latchkey.settings.provider.clone().into(),
        owners: owners.iter().map(for_reader).collect(),
        why,
    };
    NewMail::to(to.clone(), mail)
}

/// An invitation to own an account that the operator sent.
#[derive(Clone, Debug)]
pub struct OwnerInvited {
    /// The account's name.
    pub account: String,
    /// How the invitation stood that it took the place of, if there was one.
    pub before: Option<InvitationState>,
    /// The token of a link to hand over: the mail has another one.
    pub token: Token,
    /// Until when it can be accepted.
    pub until: Timestamp,
    /// How many owners are told.
    pub owners: usize,
}

/// Invites an address to own the account, as its first owner was invited; a pending or expired
/// invitation of that address becomes this one.
///
/// # Errors
/// [`OwnersStay::InAccount`], [`OwnersStay::Failed`].
pub async fn invite(
    latchkey: &Latchkey,
    number: AccountNumber,
    email: &EmailAddress,
) -> Result<OwnerInvited, OwnersStay> {
    let (account, now) = (latchkey.store.account(number).await?, latchkey.now());
    let links = Links::new(latchkey, &giving::zone(latchkey, account).await?, now);
    let decide = |facts: &ProvidersOfferFacts| {
        if facts.in_account {
            return Err(Failure::Conflict(Conflict::AlreadyInAccount));
        }
        let entry = match &facts.pending {
            None => NewActivity::by_provider(ActivityKind::InvitationSent),
            Some(pending) if pending.offered.is_owner() => {
                NewActivity::by_provider(ActivityKind::InvitationResent)
            }
            Some(pending) => {
                NewActivity::by_provider(ActivityKind::InvitationChanged).before(pending)
            }
        };
        let offering = Offering {
            email,
            offered: GivenAccess::Owner,
            as_owner: false,
            account: &facts.account_name,
            inviter: None,
        };
        let invited = ChangedOwner {
            news: ProvidersChange::Invited,
            name: "".into(),
            email: email.into(),
            is_reader: false,
        };
        let news = [invited];
        let mail =
            |owner: &Owner| told(latchkey, &facts.account_name, &news, "".into(), &owner.email);
        let mails = facts.owners.iter().map(mail).collect();
        Ok((links.offer(offering, entry, None), mails))
    };
    let store = &latchkey.store;
    let facts = match store.offer_ownership_by_provider(account, email, now, decide).await {
        Err(Failure::Conflict(Conflict::AlreadyInAccount)) => {
            return Err(OwnersStay::InAccount(email.clone()));
        }
        offered => offered?,
    };
    tracing::warn!(account = %number, "the operator invited an owner to an account");
    Ok(OwnerInvited {
        account: facts.account_name,
        before: facts.pending.map(|pending| pending.state),
        token: links.shown,
        until: now.after(latchkey.settings.invitation_lifetime),
        owners: facts.owners.len(),
    })
}
