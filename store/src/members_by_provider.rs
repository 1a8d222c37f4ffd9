//! An account's users, and who is invited, as the provider's own systems read and change them: on the
//! provider's word, without an actor.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountId, Area, Conflict, DoorKey, DoorRef, EmailAddress, EmailDomains, Failure, InvitationId,
    InvitationState, Reach, Terms, Timestamp, UserId,
};
use sqlx::{query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Differing, Tx, limit, read, sql, unreadable};
use crate::grants::{self, Grant, Holding, ids_in, list};
use crate::memberships::{self, MemberRow, members};
use crate::{
    Belonging, Invitation, LockedPerson, Member, NewActivity, NewMail, Offer, Owner, Store,
    access_requests, activity, invitations, locks, outbox, owner_changes, owners_by_provider,
    policies, reports,
};

/// The texts of a parameter that is a list of them in JSON.
macro_rules! texts_in {
    (sqlite $list:literal) => {
        concat!("(SELECT value FROM json_each(", $list, "))")
    };
    (postgres $list:literal) => {
        concat!(
            "(SELECT key FROM json_array_elements_text(CAST(",
            $list,
            " AS JSON)) AS listed (key))"
        )
    };
}

/// The things of an account that have one of these ids of ours, or of the provider's.
macro_rules! keyed {
    ($db:ident $things:literal) => {
        concat!(
            "SELECT t.id, t.ref AS reference FROM ",
            $things,
            " t WHERE t.account_id = $1 AND (t.id IN ",
            ids_in!($db "$2"),
            " OR t.ref IN ",
            texts_in!($db "$3"),
            ")"
        )
    };
}

sql! {
    SERVICES = keyed!(sqlite "services"), on Postgres keyed!(postgres "services");
    DOMAINS = keyed!(sqlite "domains"), on Postgres keyed!(postgres "domains");
    /// Everybody has their place for good: whoever reads on misses nobody who stays.
    MEMBERS = members!("", " AND m.user_id > $2 ORDER BY m.user_id LIMIT $3");
    MEMBER = members!("", " AND m.user_id = $2");
    MEMBER_BY_EMAIL = members!("", " AND u.email_key = $2");
    USER_BY_EMAIL = "SELECT id FROM users WHERE email_key = $1";
    USER_BY_ID = "SELECT id FROM users WHERE id = $1";
}

/// How a user of an account is named at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberName {
    /// By their address.
    Email(EmailAddress),
    /// By our id of them.
    Id(UserId),
}

/// A user of an account as the door keeps them.
#[derive(Clone, Debug)]
pub struct KeptMember {
    /// The user.
    pub member: Member,
    /// What they hold, by name.
    pub holding: Holding,
}

/// Services and domains of an account, with the provider's own ids of them.
#[derive(Clone, Debug, Default)]
pub struct KeyedThings {
    services: BTreeMap<Uuid, Option<DoorRef>>,
    domains: BTreeMap<Uuid, Option<DoorRef>>,
}

impl KeyedThings {
    const fn of_area(&self, area: Area) -> &BTreeMap<Uuid, Option<DoorRef>> {
        match area {
            Area::Domains => &self.domains,
            Area::Services | Area::Billing | Area::Support | Area::Account => &self.services,
        }
    }

    /// The service or domain with this key, if it is among them.
    #[must_use]
    pub fn find(&self, area: Area, key: &DoorKey) -> Option<Uuid> {
        let things = self.of_area(area);
        match key {
            DoorKey::Id(id) => things.contains_key(id).then_some(*id),
            DoorKey::Ref(reference) => {
                let mut all = things.iter();
                all.find(|(_, known)| known.as_ref() == Some(reference)).map(|(id, _)| *id)
            }
            DoorKey::Number(_) => None,
        }
    }

    /// How a service or domain is named: by the provider's own id, or else by ours.
    #[must_use]
    pub fn name(&self, area: Area, id: Uuid) -> DoorKey {
        match self.of_area(area).get(&id) {
            Some(Some(reference)) => DoorKey::Ref(reference.clone()),
            Some(None) | None => DoorKey::Id(id),
        }
    }
}

/// Which services and domains are asked for.
#[derive(Clone, Debug, Default)]
pub struct ThingKeys {
    /// Services.
    pub services: BTreeSet<DoorKey>,
    /// Domains.
    pub domains: BTreeSet<DoorKey>,
}

impl ThingKeys {
    /// Those that these terms reach by name.
    fn reached<'a>(all: impl IntoIterator<Item = &'a Terms>) -> Self {
        let mut keys = Self::default();
        for terms in all {
            let reaches =
                [(&terms.services, &mut keys.services), (&terms.domains, &mut keys.domains)];
            for (reach, into) in reaches {
                if let Reach::These(ids) = reach {
                    into.extend(ids.iter().copied().map(DoorKey::Id));
                }
            }
        }
        keys
    }

    /// The keys as the two parameters that statements take: ids of ours, and of the provider's.
    fn parameters(keys: &BTreeSet<DoorKey>) -> Result<(String, String), Failure> {
        let ids = keys.iter().filter_map(|key| match key {
            DoorKey::Id(id) => Some(*id),
            DoorKey::Ref(_) | DoorKey::Number(_) => None,
        });
        let references = keys.iter().filter_map(|key| match key {
            DoorKey::Ref(reference) => Some(reference.as_str()),
            DoorKey::Id(_) | DoorKey::Number(_) => None,
        });
        let references: Vec<_> = references.collect();
        Ok((list(ids), serde_json::to_string(&references).map_err(unreadable)?))
    }
}

/// What a change of an account's user by the provider is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct ProvidersMemberFacts {
    /// The account's name.
    pub account_name: String,
    /// Every owner, before the change.
    pub owners: Vec<Owner>,
    /// How many others than who is named so own the account and can come in.
    pub other_owners: u32,
    /// Who is named so and in the account, with what they hold.
    pub kept: Option<KeptMember>,
    /// The invitation of the address that is pending (or expired), if one is named.
    pub pending: Option<Invitation>,
    /// Whether a report keeps the account from inviting that address.
    pub reported: bool,
    /// The domains that the account invites.
    pub domains: EmailDomains,
    /// What both of them reach by name.
    pub things: KeyedThings,
}

/// What becomes of somebody, besides the rows of the log and the mails that tell of it.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "made once in a request and consumed at once")]
pub enum ProvidersMemberStep {
    /// All stays as it is.
    Leave,
    /// They hold these grants. A grant stays the same as long as its id does.
    Hold(Vec<Grant>, NewActivity, Vec<NewMail>),
    /// They own the account.
    Own(NewActivity, Vec<NewMail>),
    /// They aren't in the account any more.
    End(NewActivity, Vec<NewMail>),
    /// Their address is invited, in place of what was offered to it before. The mails are those besides
    /// the invitation.
    Offer(Offer, Vec<NewMail>),
}

/// How somebody stood and stands, or their address's invitation.
#[derive(Clone, Debug)]
pub struct ProvidersMemberDone {
    /// Before.
    pub before: Option<KeptMember>,
    /// Now.
    pub after: Option<KeptMember>,
    /// The invitation before, if the address was or is invited.
    pub invited_before: Option<Invitation>,
    /// The invitation now.
    pub invited: Option<Invitation>,
    /// What all of them reach by name.
    pub things: KeyedThings,
}

#[derive(FromRow)]
struct KeyedRow {
    id: Uuid,
    reference: Option<String>,
}

fn keyed(rows: Vec<KeyedRow>) -> BTreeMap<Uuid, Option<DoorRef>> {
    rows.into_iter().map(|row| (row.id, row.reference.map(DoorRef::from_stored))).collect()
}

/// Which terms somebody holds, or is offered.
fn terms_of<'a>(
    kept: Option<&'a KeptMember>,
    invitation: Option<&'a Invitation>,
) -> impl Iterator<Item = &'a Terms> {
    let held = kept.into_iter().flat_map(|kept| kept.holding.grants());
    let offered = invitation.into_iter().flat_map(|invitation| match &invitation.access {
        model::Access::Granted(offered) => offered.as_slice(),
        model::Access::Owner => &[],
    });
    held.map(|grant| &grant.terms).chain(offered)
}

impl Store {
    /// Users of the account behind the one with this id, in the order of their ids, at most `most`, and
    /// what they reach by name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn members_at_door(
        &self,
        account: AccountId,
        behind: Uuid,
        most: usize,
    ) -> Result<(Vec<KeptMember>, KeyedThings), Failure> {
        let rows: Vec<MemberRow> = read!(self, db => query_as(MEMBERS)
            .bind(Uuid::from(account))
            .bind(behind)
            .bind(limit(most))
            .fetch_all(db))?;
        self.kept_members(account, rows).await
    }

    /// The user of the account who is named so, and what they reach by name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn member_at_door(
        &self,
        account: AccountId,
        name: &MemberName,
    ) -> Result<Option<(KeptMember, KeyedThings)>, Failure> {
        let own = Uuid::from(account);
        let row: Option<MemberRow> = match name {
            MemberName::Id(user) => read!(self, db => query_as(MEMBER)
                .bind(own)
                .bind(Uuid::from(*user))
                .fetch_optional(db))?,
            MemberName::Email(email) => read!(self, db => query_as(MEMBER_BY_EMAIL)
                .bind(own)
                .bind(email.key())
                .fetch_optional(db))?,
        };
        let (mut kept, things) = self.kept_members(account, row.into_iter().collect()).await?;
        Ok(kept.pop().map(|kept| (kept, things)))
    }

    async fn kept_members(
        &self,
        account: AccountId,
        rows: Vec<MemberRow>,
    ) -> Result<(Vec<KeptMember>, KeyedThings), Failure> {
        let members = self.with_grants(account, rows).await?;
        let granted = members.iter().filter(|member| !member.held.is_owner());
        let users = granted.map(|member| Uuid::from(member.user)).collect();
        let mut grants = self.grants_of(account, &users).await?;
        let kept = members.into_iter().map(|member| {
            let holding = match member.held.is_owner() {
                true => Holding::Owner,
                false => {
                    let own = grants.remove(&Uuid::from(member.user));
                    Holding::Granted(own.unwrap_or_default())
                }
            };
            KeptMember { member, holding }
        });
        let kept: Vec<_> = kept.collect();
        let reached = kept.iter().flat_map(|kept| terms_of(Some(kept), None));
        let things = self.keyed_things(account, &ThingKeys::reached(reached)).await?;
        Ok((kept, things))
    }

    /// What these invitations of the account reach by name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn things_of_invitations(
        &self,
        account: AccountId,
        invitations: &[&Invitation],
    ) -> Result<KeyedThings, Failure> {
        let reached = invitations.iter().flat_map(|invitation| terms_of(None, Some(*invitation)));
        self.keyed_things(account, &ThingKeys::reached(reached)).await
    }

    async fn keyed_things(
        &self,
        account: AccountId,
        keys: &ThingKeys,
    ) -> Result<KeyedThings, Failure> {
        let mut things = KeyedThings::default();
        let areas = [
            (SERVICES, &keys.services, &mut things.services),
            (DOMAINS, &keys.domains, &mut things.domains),
        ];
        for (text, keys, found) in areas {
            if keys.is_empty() {
                continue;
            }
            let (text, (ids, references)) = (text.at(self), ThingKeys::parameters(keys)?);
            let rows: Vec<KeyedRow> = read!(self, db => query_as(text)
                .bind(Uuid::from(account))
                .bind(&ids)
                .bind(&references)
                .fetch_all(db))?;
            *found = keyed(rows);
        }
        Ok(things)
    }

    /// Changes how somebody stands in the account, or what their address is offered: locks the account
    /// and them, reads the facts, asks `want` what is wanted and which things that names, asks `decide`
    /// with those that are there, and writes membership, invitation, log and mails. Without `write` it is
    /// found out what would come of it. Open requests that are opened by what they hold then are given.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account; [`Conflict::ChangedMeanwhile`] when whoever
    /// is named gives their address up at the same moment; [`Failure::Unavailable`].
    pub async fn change_member_by_provider<W: Send, R: Send>(
        &self,
        account: AccountId,
        name: &MemberName,
        write: bool,
        now: Timestamp,
        want: impl FnOnce(&ProvidersMemberFacts) -> Result<(W, ThingKeys), R> + Send,
        decide: impl FnOnce(&ProvidersMemberFacts, W, &KeyedThings) -> Result<ProvidersMemberStep, R>
        + Send,
    ) -> Result<Result<ProvidersMemberDone, R>, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let account_name = locks::account(&mut tx, account, now).await?;
        let owners = memberships::owners(&mut tx, account).await?;
        let person = locked_person(&mut tx, name).await?;
        let kept = match &person {
            Some(person) => kept(&mut tx, account, person.user).await?,
            None => None,
        };
        let user = person.as_ref().map(|person| person.user);
        let other_owners = memberships::owners_left(&mut tx, account, None, user).await?;
        let email = match name {
            MemberName::Email(email) => Some(email),
            MemberName::Id(_) => None,
        };
        let (pending, reported) = match email {
            Some(email) => (
                invitations::pending_of(&mut tx, account, email, now).await?,
                reports::in_force(&mut tx, account, email).await?,
            ),
            None => (None, false),
        };
        let domains = policies::domains(&mut tx, account).await?;
        let reached = ThingKeys::reached(terms_of(kept.as_ref(), pending.as_ref()));
        let things = keyed_things(&mut tx, account, &reached).await?;
        let facts = ProvidersMemberFacts {
            account_name,
            owners,
            other_owners,
            kept,
            pending,
            reported,
            domains,
            things,
        };

        let (wanted, keys) = match want(&facts) {
            Ok(wanted) => wanted,
            Err(refused) => return Ok(Err(refused)),
        };
        let found = keyed_things(&mut tx, account, &keys).await?;
        let step = match decide(&facts, wanted, &found) {
            Ok(step) => step,
            Err(refused) => return Ok(Err(refused)),
        };
        take(&mut tx, account, &facts, person, email, step, now).await?;

        let after = match user {
            Some(user) => self::kept(&mut tx, account, user).await?,
            None => None,
        };
        let invited = match email {
            Some(email) => invitations::pending_of(&mut tx, account, email, now).await?,
            None => None,
        };
        let ProvidersMemberFacts { kept: before, pending: invited_before, .. } = facts;
        let reached = terms_of(before.as_ref(), invited_before.as_ref())
            .chain(terms_of(after.as_ref(), invited.as_ref()));
        let things = keyed_things(&mut tx, account, &ThingKeys::reached(reached)).await?;
        if write {
            tx.commit().await?;
        }
        Ok(Ok(ProvidersMemberDone { before, after, invited_before, invited, things }))
    }

    /// Takes an invitation of the account back that is pending or ran out, with the log's row that
    /// `entry` makes. Without `write` it is found out whether there is one. Answers how it stood.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such invitation, or it was answered or taken back;
    /// [`Failure::Unavailable`].
    pub async fn cancel_invitation_by_provider(
        &self,
        account: AccountId,
        invitation: InvitationId,
        write: bool,
        now: Timestamp,
        entry: impl FnOnce(&Invitation) -> NewActivity + Send,
    ) -> Result<Invitation, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        locks::account(&mut tx, account, now).await?;
        let invitation = invitations::find(&mut tx, account, invitation, now).await?;
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::NotFound);
        };
        invitations::end(&mut tx, &invitation, "cancelled", now).await?;
        let entry = entry(&invitation).of(invitation.id);
        activity::append(&mut tx, account, &entry, now).await?;
        if write {
            tx.commit().await?;
        }
        Ok(invitation)
    }
}

/// Does what was decided.
async fn take(
    tx: &mut Tx,
    account: AccountId,
    facts: &ProvidersMemberFacts,
    person: Option<LockedPerson>,
    email: Option<&EmailAddress>,
    step: ProvidersMemberStep,
    now: Timestamp,
) -> Result<(), Failure> {
    let gone = || Failure::Conflict(Conflict::ChangedMeanwhile);
    let (entry, mails) = match step {
        ProvidersMemberStep::Leave => return Ok(()),
        ProvidersMemberStep::Hold(held, entry, mails) => {
            let (user, kept) = (person.ok_or_else(gone)?.user, facts.kept.as_ref());
            let before = kept.map_or(&[][..], |kept| kept.holding.grants());
            grants::replace(tx, account, user, before, &held, now).await?;
            owner_changes::note_due_anew(tx, account).await?;
            let holding = Holding::Granted(held);
            access_requests::settle(tx, account, user, &holding, None, now).await?;
            (entry, mails)
        }
        ProvidersMemberStep::Own(entry, mails) => {
            let person = LockedPerson { standing: Belonging::User, ..person.ok_or_else(gone)? };
            owners_by_provider::add(tx, account, &facts.account_name, &person, now).await?;
            (entry, mails)
        }
        ProvidersMemberStep::End(entry, mails) => {
            let person = person.ok_or_else(gone)?;
            let (user, name) = (person.user, &facts.account_name);
            owner_changes::end_of(tx, account, name, user, now).await?;
            memberships::end(tx, account, user, &person.email).await?;
            (entry, mails)
        }
        ProvidersMemberStep::Offer(offer, mails) => {
            let (email, pending) = (email.ok_or_else(gone)?, facts.pending.as_ref());
            invitations::offer_by_provider(tx, account, email, pending, offer, now).await?;
            for mail in &mails {
                outbox::queue(tx, mail, Some(account), now).await?;
            }
            return Ok(());
        }
    };
    activity::append(tx, account, &entry, now).await?;
    for mail in &mails {
        outbox::queue(tx, mail, Some(account), now).await?;
    }
    Ok(())
}

/// Whoever is named so, locked: their name and address stay as they are. What they are in the account is
/// read behind it.
async fn locked_person(tx: &mut Tx, name: &MemberName) -> Result<Option<LockedPerson>, Failure> {
    let id: Option<Uuid> = match name {
        MemberName::Email(email) => {
            read!(tx, db => query_scalar(USER_BY_EMAIL).bind(email.key()).fetch_optional(db))?
        }
        MemberName::Id(user) => {
            let user = Uuid::from(*user);
            read!(tx, db => query_scalar(USER_BY_ID).bind(user).fetch_optional(db))?
        }
    };
    let Some(id) = id else { return Ok(None) };
    let locked = locks::user(tx, id.into()).await?;
    if let MemberName::Email(email) = name
        && locked.email().key() != email.key()
    {
        return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
    }
    let (full_name, email) = (locked.full_name().to_owned(), locked.email());
    let (user, standing) = (id.into(), Belonging::Outside);
    Ok(Some(LockedPerson { user, full_name, email, standing }))
}

/// A user of an account that is locked, with what they hold.
async fn kept(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
) -> Result<Option<KeptMember>, Failure> {
    let row: Option<MemberRow> = read!(tx, db => query_as(MEMBER)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    let Some(row) = row else { return Ok(None) };
    let mut member = Member::from(row);
    let owner = member.held.is_owner();
    member.held = grants::held(tx, account, user, owner).await?;
    let holding = grants::holding(tx, account, user, owner).await?;
    Ok(Some(KeptMember { member, holding }))
}

/// The things with these keys, of an account that is locked.
async fn keyed_things(
    tx: &mut Tx,
    account: AccountId,
    keys: &ThingKeys,
) -> Result<KeyedThings, Failure> {
    let mut things = KeyedThings::default();
    let areas: [(Differing, _, _); 2] = [
        (SERVICES, &keys.services, &mut things.services),
        (DOMAINS, &keys.domains, &mut things.domains),
    ];
    for (text, keys, found) in areas {
        if keys.is_empty() {
            continue;
        }
        let (text, (ids, references)) = (text.on(tx), ThingKeys::parameters(keys)?);
        let rows: Vec<KeyedRow> = read!(tx, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(&ids)
            .bind(&references)
            .fetch_all(db))?;
        *found = keyed(rows);
    }
    Ok(things)
}
