//! Owners as the provider makes, removes and invites them, on its word alone. What becomes of an
//! account's last owner is the caller's to say.

use model::{AccountId, DoorRef, EmailAddress, Failure, GivenAccess, Timestamp, UserId};
use sqlx::{query, query_scalar};
use uuid::Uuid;

use crate::db::{Tx, read, sql, write};
use crate::grants::{self, Holding};
use crate::invitations::Called;
use crate::{
    Invitation, NewActivity, NewMail, Offer, Owner, Store, access_requests, activity, invitations,
    locks, memberships, outbox, owner_changes,
};

sql! {
    PERSON = "SELECT id FROM users WHERE email_key = $1";
    OWNS = "SELECT owner FROM memberships WHERE account_id = $1 AND user_id = $2";
    /// An owner's access is never paused.
    MAKE_OWNER = "UPDATE memberships \
                  SET owner = TRUE, paused_at = NULL, paused_by = NULL, paused_why = '' \
                  WHERE account_id = $1 AND user_id = $2";
}

/// Who is to own an account, and who isn't to be in it any more.
#[derive(Clone, Copy, Debug)]
pub struct WantedOwners<'a> {
    /// The address of who becomes an owner.
    pub added: Option<&'a EmailAddress>,
    /// The address of the owner whose access ends.
    pub removed: Option<&'a EmailAddress>,
}

/// What somebody is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// Nobody.
    Outside,
    /// One of its users.
    User,
    /// One of its owners.
    Owner,
}

/// Somebody with a login: read under lock.
#[derive(Clone, Debug)]
pub struct LockedPerson {
    /// The user.
    pub user: UserId,
    /// Their name.
    pub full_name: String,
    /// Their address.
    pub email: EmailAddress,
    /// What they are in the account.
    pub standing: Belonging,
}

/// What a change of an account's owners by the provider is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct OwnersFacts {
    /// The account's name.
    pub account_name: String,
    /// Every owner, before the change.
    pub owners: Vec<Owner>,
    /// Who becomes an owner, if that is wanted and they have a login.
    pub added: Option<LockedPerson>,
    /// Whose access ends, if that is wanted and they have a login.
    pub removed: Option<LockedPerson>,
    /// How many own the account behind the change and can come in.
    pub left: u32,
    /// The invitation that is pending (or expired) of whoever becomes an owner.
    pub pending: Option<Invitation>,
}

/// What a change of an account's owners by the provider writes besides memberships.
#[derive(Clone, Debug)]
pub struct OwnersChange {
    /// The log's rows.
    pub entries: Vec<NewActivity>,
    /// The mails to everybody concerned.
    pub mails: Vec<NewMail>,
}

/// What an invitation to own an account is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct ProvidersOfferFacts {
    /// The account's name.
    pub account_name: String,
    /// Every owner.
    pub owners: Vec<Owner>,
    /// Whether whoever has the address is in the account already.
    pub in_account: bool,
    /// The invitation of that address that is pending (or expired), if there is one.
    pub pending: Option<Invitation>,
}

impl Store {
    /// Makes somebody an owner of the account, ends an owner's access, or both at once: locks the
    /// account and the people, reads the facts, asks `decide`, writes memberships, log and mails, or
    /// nothing when it answers none. Whoever becomes an owner joins if they aren't in the account, and
    /// has neither grants nor a pending invitation of it any more. Answers what it was decided on.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when there is no such account,
    /// [`Failure::Unavailable`].
    pub async fn change_owners_by_provider(
        &self,
        account: AccountId,
        wanted: WantedOwners<'_>,
        now: Timestamp,
        decide: impl FnOnce(&OwnersFacts) -> Result<Option<OwnersChange>, Failure> + Send,
    ) -> Result<OwnersFacts, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let account_name = locks::account(&mut tx, account, now).await?;
        let owners = memberships::owners(&mut tx, account).await?;
        let people = locked_people(&mut tx, account, wanted).await?;
        let with = |email: Option<&EmailAddress>| {
            let email = email?;
            people.iter().find(|person| person.email.key() == email.key()).cloned()
        };
        let (added, removed) = (with(wanted.added), with(wanted.removed));
        let pending = match &added {
            Some(person) => invitations::pending_of(&mut tx, account, &person.email, now).await?,
            None => None,
        };
        let left = left(&mut tx, account, added.as_ref(), removed.as_ref()).await?;
        let facts = OwnersFacts { account_name, owners, added, removed, left, pending };

        let Some(change) = decide(&facts)? else { return Ok(facts) };
        if let Some(person) = &facts.added {
            add(&mut tx, account, &facts.account_name, person, now).await?;
        }
        if let Some(pending) = &facts.pending {
            invitations::end(&mut tx, pending, "cancelled", now).await?;
        }
        let mut gone = None;
        if let Some(person) = &facts.removed {
            let reference = remove(&mut tx, account, &facts.account_name, person, now).await?;
            gone = Some((person.user, reference));
        }
        for entry in change.entries {
            let entry = match &gone {
                Some((user, reference)) if entry.subject == Some(*user) => {
                    entry.known_as(reference.clone())
                }
                _ => entry,
            };
            activity::append(&mut tx, account, &entry, now).await?;
        }
        for mail in &change.mails {
            outbox::queue(&mut tx, mail, Some(account), now).await?;
        }
        tx.commit().await?;
        Ok(facts)
    }

    /// Offers `email` to own the account, in the provider's name: in place of what is pending of that
    /// address. Locks the account, reads the facts, asks `decide`, writes invitation, log and mails:
    /// the invitation's, and those to the owners. Answers what it was decided on.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when there is no such account,
    /// [`Failure::Unavailable`].
    pub async fn offer_ownership_by_provider(
        &self,
        account: AccountId,
        email: &EmailAddress,
        now: Timestamp,
        decide: impl FnOnce(&ProvidersOfferFacts) -> Result<(Offer, Vec<NewMail>), Failure> + Send,
    ) -> Result<ProvidersOfferFacts, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let account_name = locks::account(&mut tx, account, now).await?;
        let owners = memberships::owners(&mut tx, account).await?;
        let in_account = invitations::member_at(&mut tx, account, email).await?.is_some();
        let pending = invitations::pending_of(&mut tx, account, email, now).await?;
        let facts = ProvidersOfferFacts { account_name, owners, in_account, pending };

        let (offer, mails) = decide(&facts)?;
        let pending = facts.pending.as_ref();
        let full_name = pending.map_or("", |pending| pending.full_name.as_str());
        let called = Called { reference: None, full_name };
        invitations::offer_by_provider(&mut tx, account, email, pending, offer, called, now)
            .await?;
        for mail in &mails {
            outbox::queue(&mut tx, mail, Some(account), now).await?;
        }
        tx.commit().await?;
        Ok(facts)
    }
}

/// Whoever has the wanted addresses, locked one after the other in the order of their ids, so that
/// nobody waits in a circle. Whoever gave theirs up meanwhile isn't among them.
async fn locked_people(
    tx: &mut Tx,
    account: AccountId,
    wanted: WantedOwners<'_>,
) -> Result<Vec<LockedPerson>, Failure> {
    let mut found = Vec::new();
    for email in [wanted.added, wanted.removed].into_iter().flatten() {
        let id: Option<Uuid> =
            read!(tx, db => query_scalar(PERSON).bind(email.key()).fetch_optional(db))?;
        found.extend(id.map(|id| (id, email)));
    }
    found.sort_by_key(|(id, _)| *id);
    let mut people = Vec::new();
    for (id, email) in found {
        let locked = locks::user(tx, id.into()).await?;
        if locked.email().key() != email.key() {
            continue;
        }
        let owns: Option<bool> = read!(tx, db => query_scalar(OWNS)
            .bind(Uuid::from(account))
            .bind(id)
            .fetch_optional(db))?;
        people.push(LockedPerson {
            user: id.into(),
            full_name: locked.full_name().to_owned(),
            email: locked.email(),
            standing: match owns {
                None => Belonging::Outside,
                Some(false) => Belonging::User,
                Some(true) => Belonging::Owner,
            },
        });
    }
    Ok(people)
}

/// How many own the account, which is locked, and can come in, once these were added and removed.
async fn left(
    tx: &mut Tx,
    account: AccountId,
    added: Option<&LockedPerson>,
    removed: Option<&LockedPerson>,
) -> Result<u32, Failure> {
    let user = |person: Option<&LockedPerson>| person.map(|person| person.user);
    let left = memberships::owners_left(tx, account, user(added), user(removed)).await?;
    // Whoever joins has given up no address by which its provider would know them.
    let joins = added.is_some_and(|person| person.standing == Belonging::Outside);
    Ok(left + u32::from(joins))
}

/// Has somebody own the account with this name from now on.
pub(crate) async fn add(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    person: &LockedPerson,
    now: Timestamp,
) -> Result<(), Failure> {
    let (user, owner) = (person.user, Holding::Owner);
    match person.standing {
        Belonging::Outside => {
            memberships::join(tx, account, user, &GivenAccess::Owner, None, now).await
        }
        Belonging::User => {
            let before = grants::holding(tx, account, user, false).await?;
            grants::replace(tx, account, user, before.grants(), &[], now).await?;
            write!(tx, db => query(MAKE_OWNER)
                .bind(Uuid::from(account))
                .bind(Uuid::from(user))
                .execute(db))?;
            owner_changes::owned(tx, account, name, user, now).await?;
            access_requests::settle(tx, account, user, &owner, None, now).await
        }
        Belonging::Owner => Ok(()),
    }
}

/// Ends somebody's membership. Answers the provider's own id of them in the account.
async fn remove(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    person: &LockedPerson,
    now: Timestamp,
) -> Result<Option<DoorRef>, Failure> {
    owner_changes::end_of(tx, account, name, person.user, now).await?;
    memberships::end(tx, account, person.user, &person.email).await
}
