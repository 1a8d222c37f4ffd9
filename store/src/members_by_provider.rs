//! An account's users, and who is invited, as the provider's own systems read and change them: on the
//! provider's word, without an actor.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountId, Area, Conflict, Cursor, DoorKey, DoorRef, EmailAddress, EmailDomains, Failure,
    InvitationId, InvitationState, Reach, Terms, Timestamp, UserId,
};
use sqlx::{query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Differing, Tx, limit, read, sql, unreadable};
use crate::grants::{self, Grant, Holding, ids_in, list};
use crate::invitations::Called;
use crate::memberships::{self, MemberRow, members};
use crate::{
    Behind, Belonging, Invitation, LockedPerson, Member, NewActivity, NewMail, NewWaiting, Offer,
    Owner, PendingInvitation, Store, access_requests, activity, invitations, locks, outbox,
    owner_changes, owners_by_provider, policies, reports,
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
    MEMBERS = members!(
        "",
        " AND (m.changed, m.user_id) > ($2, $3) ORDER BY m.changed, m.user_id LIMIT $4"
    );
    MEMBER = members!("", " AND m.user_id = $2");
    MEMBER_BY_REF = members!("", " AND m.ref = $2");
    USER_BY_REF = "SELECT user_id FROM memberships WHERE account_id = $1 AND ref = $2";
    MEMBER_BY_EMAIL = members!("", " AND u.email_key = $2");
    USER_BY_EMAIL = "SELECT id FROM users WHERE email_key = $1";
    USER_BY_ID = "SELECT id FROM users WHERE id = $1";
}

/// How somebody in an account is named at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberName {
    /// By the provider's own id; if nobody has that, and it is an address, by address.
    Ref(DoorRef),
    /// By our id of a user.
    Id(UserId),
}

impl MemberName {
    /// The address that it is, if it is one.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        match self {
            Self::Ref(text) => EmailAddress::parse(text.as_str()).ok(),
            Self::Id(_) => None,
        }
    }
}

/// Who is asked for at the door, and what a request says of them besides.
#[derive(Clone, Debug)]
pub struct AskedMember {
    /// How they are named.
    pub name: MemberName,
    /// Their address, if the name is none and the request tells it.
    pub email: Option<EmailAddress>,
    /// The id of the provider's that they are to have, if the request tells it.
    pub reference: Option<DoorRef>,
}

impl AskedMember {
    /// Whoever is named so.
    #[must_use]
    pub const fn named(name: MemberName) -> Self {
        Self { name, email: None, reference: None }
    }

    /// The address that they have if nobody has their name.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        self.name.email().or_else(|| self.email.clone())
    }

    /// The id of the provider's that they get if they have none.
    #[must_use]
    pub fn given(&self) -> Option<&DoorRef> {
        match &self.name {
            MemberName::Ref(reference) if self.name.email().is_none() => Some(reference),
            MemberName::Ref(_) | MemberName::Id(_) => self.reference.as_ref(),
        }
    }
}

/// A user of an account as the door keeps them.
#[derive(Clone, Debug)]
pub struct KeptMember {
    /// The user.
    pub member: Member,
    /// What they hold, by name.
    pub holding: Holding,
    /// The provider's own id of them there, if there is one.
    pub reference: Option<DoorRef>,
}

/// Somebody in an account's list at the door.
#[derive(Clone, Debug)]
pub enum DoorMember {
    /// A user of the account.
    Kept(KeptMember),
    /// Somebody who hasn't come yet.
    Waiting(Invitation),
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct MembersPage {
    /// Who is on it, in the order in which what is told of them changed last, each with their place.
    pub rows: Vec<(Behind, DoorMember)>,
    /// From when on is to be asked next time, by whoever read all pages.
    pub as_of: Timestamp,
    /// What all of them reach by name.
    pub things: KeyedThings,
}

#[derive(FromRow)]
struct KeptMemberRow {
    #[sqlx(flatten)]
    member: MemberRow,
    reference: Option<String>,
    changed: i64,
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

    /// Has these among them, too.
    fn take(&mut self, others: Self) {
        self.services.extend(others.services);
        self.domains.extend(others.domains);
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
    /// The address that is asked for, or that whoever waits is to come with; none for our id.
    pub email: Option<EmailAddress>,
    /// The invitation of that address, or with that id of the provider's, that is pending (or expired).
    pub pending: Option<Invitation>,
    /// Whether somebody else has the id of the provider's that is to be theirs.
    pub is_taken: bool,
    /// Whether a report keeps the account from inviting that address.
    pub reported: bool,
    /// The domains that the account invites.
    pub domains: EmailDomains,
    /// What both of them reach by name.
    pub things: KeyedThings,
}

impl ProvidersMemberFacts {
    /// What waits for somebody who hasn't come yet, if they are named.
    #[must_use]
    pub fn waiting(&self) -> Option<&Invitation> {
        waiting(self.kept.as_ref(), self.pending.as_ref())
    }
}

/// Whom an invitation stands for in the list at the door: nobody, if they are a user of the account.
fn waiting<'a>(
    kept: Option<&KeptMember>,
    pending: Option<&'a Invitation>,
) -> Option<&'a Invitation> {
    pending.filter(|pending| kept.is_none() && pending.waits)
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
    /// Their address is invited, in place of what was offered to it before, and the provider calls them so.
    /// The mails are those besides the invitation.
    Offer(Offer, String, Vec<NewMail>),
    /// It waits for them, in place of what was offered to their address before.
    Wait(NewWaiting, Vec<NewMail>),
    /// What waits for them is taken back.
    TakeBack(NewActivity),
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

impl ProvidersMemberDone {
    /// Who waited before, and who waits now.
    #[must_use]
    pub fn waiting(&self) -> [Option<&Invitation>; 2] {
        [
            waiting(self.before.as_ref(), self.invited_before.as_ref()),
            waiting(self.after.as_ref(), self.invited.as_ref()),
        ]
    }
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
    let offered = invitation.into_iter().flat_map(|invitation| invitation.offered.grants());
    held.map(|grant| &grant.terms).chain(offered.map(|grant| &grant.terms))
}

impl Store {
    /// Users of the account and who waits in it, behind this place in the order of changes, at most
    /// `most`, and what they reach by name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn members_at_door(
        &self,
        account: AccountId,
        behind: Behind,
        most: usize,
        now: Timestamp,
    ) -> Result<MembersPage, Failure> {
        let as_of = self.as_of().await?;
        let rows: Vec<KeptMemberRow> = read!(self, db => query_as(MEMBERS)
            .bind(Uuid::from(account))
            .bind(behind.changed.as_micros())
            .bind(behind.id)
            .bind(limit(most))
            .fetch_all(db))?;
        // Whoever comes between the two is in neither, and among those that changed since.
        let waiting = self.waiting_in(account, behind, most, now).await?;
        let places: Vec<_> = rows.iter().map(|row| Timestamp::from_micros(row.changed)).collect();
        let (kept, mut things) = self.kept_members(account, rows).await?;
        let offered: Vec<_> = waiting.iter().map(|(_, invitation)| invitation).collect();
        things.take(self.things_of_invitations(account, &offered).await?);
        let kept = places.into_iter().zip(kept).map(|(changed, kept)| {
            (Behind { changed, id: kept.member.user.into() }, DoorMember::Kept(kept))
        });
        let waiting = waiting.into_iter().map(|(changed, invitation)| {
            (Behind { changed, id: invitation.id.into() }, DoorMember::Waiting(invitation))
        });
        let mut rows: Vec<_> = kept.chain(waiting).collect();
        rows.sort_by_key(|(place, _)| (place.changed, place.id));
        rows.truncate(most);
        Ok(MembersPage { rows, as_of, things })
    }

    /// Who is named so in the account, and what they reach by name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn member_at_door(
        &self,
        account: AccountId,
        name: &MemberName,
        now: Timestamp,
    ) -> Result<Option<(DoorMember, KeyedThings)>, Failure> {
        let own = Uuid::from(account);
        let row: Option<KeptMemberRow> = match name {
            MemberName::Id(user) => read!(self, db => query_as(MEMBER)
                .bind(own)
                .bind(Uuid::from(*user))
                .fetch_optional(db))?,
            MemberName::Ref(reference) => read!(self, db => query_as(MEMBER_BY_REF)
                .bind(own)
                .bind(reference.as_str())
                .fetch_optional(db))?,
        };
        if let Some(found) = self.kept_one(account, row).await? {
            return Ok(Some(found));
        }
        let MemberName::Ref(reference) = name else { return Ok(None) };
        let mut waiting = self.waiting_by_ref(account, reference, now).await?;
        // Whoever waits may be in the account by now, with another address before.
        let email = waiting.as_ref().map(|waiting| waiting.email.clone()).or(name.email());
        if let Some(email) = email {
            let row: Option<KeptMemberRow> = read!(self, db => query_as(MEMBER_BY_EMAIL)
                .bind(own)
                .bind(email.key())
                .fetch_optional(db))?;
            if let Some(found) = self.kept_one(account, row).await? {
                return Ok(Some(found));
            }
            if waiting.is_none() {
                waiting = self.waiting_by_email(account, &email, now).await?;
            }
        }
        let Some(waiting) = waiting else { return Ok(None) };
        let things = self.things_of_invitations(account, &[&waiting]).await?;
        Ok(Some((DoorMember::Waiting(waiting), things)))
    }

    async fn kept_one(
        &self,
        account: AccountId,
        row: Option<KeptMemberRow>,
    ) -> Result<Option<(DoorMember, KeyedThings)>, Failure> {
        let (mut kept, things) = self.kept_members(account, row.into_iter().collect()).await?;
        Ok(kept.pop().map(|kept| (DoorMember::Kept(kept), things)))
    }

    async fn kept_members(
        &self,
        account: AccountId,
        rows: Vec<KeptMemberRow>,
    ) -> Result<(Vec<KeptMember>, KeyedThings), Failure> {
        let (references, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|row| (row.reference, row.member)).unzip();
        let members = self.with_grants(account, rows).await?;
        let granted = members.iter().filter(|member| !member.held.is_owner());
        let users = granted.map(|member| Uuid::from(member.user)).collect();
        let mut grants = self.grants_of(account, &users).await?;
        let kept = members.into_iter().zip(references).map(|(member, reference)| {
            let holding = match member.held.is_owner() {
                true => Holding::Owner,
                false => {
                    let own = grants.remove(&Uuid::from(member.user));
                    Holding::Granted(own.unwrap_or_default())
                }
            };
            KeptMember { member, holding, reference: reference.map(DoorRef::from_stored) }
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
    /// with those that are there, and writes membership, invitation, log and mails. Whoever stays or
    /// comes, and has no id of the provider's, gets the one that is asked for. Without `write` it is
    /// found out what would come of it. Open requests that are opened by what they hold then are given.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account; [`Conflict::ChangedMeanwhile`] when whoever
    /// is named gives their address up at the same moment; [`Failure::Unavailable`].
    pub async fn change_member_by_provider<W: Send, R: Send>(
        &self,
        account: AccountId,
        asked: &AskedMember,
        write: bool,
        now: Timestamp,
        want: impl FnOnce(&ProvidersMemberFacts) -> Result<(W, ThingKeys), R> + Send,
        decide: impl FnOnce(&ProvidersMemberFacts, W, &KeyedThings) -> Result<ProvidersMemberStep, R>
        + Send,
    ) -> Result<Result<ProvidersMemberDone, R>, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let done = change(&mut tx, account, asked, now, want, decide).await?;
        if write && done.is_ok() {
            tx.commit().await?;
        }
        Ok(done)
    }

    /// Does the same of several, one after the other in one transaction: all of it, or nothing if one comes
    /// to nothing. `want` and `decide` are told which it is about.
    ///
    /// # Errors
    /// As [`Store::change_member_by_provider`].
    pub async fn change_members_by_provider<W: Send, R: Send>(
        &self,
        asked: &[(AccountId, AskedMember)],
        write: bool,
        now: Timestamp,
        mut want: impl FnMut(usize, &ProvidersMemberFacts) -> Result<(W, ThingKeys), R> + Send,
        mut decide: impl FnMut(
            usize,
            &ProvidersMemberFacts,
            W,
            &KeyedThings,
        ) -> Result<ProvidersMemberStep, R>
        + Send,
    ) -> Result<Vec<Result<ProvidersMemberDone, R>>, Failure> {
        // In the order of their ids, so that nobody waits in a circle.
        let accounts: BTreeSet<Uuid> = asked.iter().map(|(account, _)| (*account).into()).collect();
        let mut tx = self.begin_locking(accounts.iter().copied()).await?;
        for account in accounts {
            locks::account(&mut tx, account.into(), now).await?;
        }
        let mut rows = Vec::with_capacity(asked.len());
        for (index, (account, asked)) in asked.iter().enumerate() {
            let want = |facts: &ProvidersMemberFacts| want(index, facts);
            let decide = |facts: &ProvidersMemberFacts, wanted, things: &KeyedThings| {
                decide(index, facts, wanted, things)
            };
            rows.push(change(&mut tx, *account, asked, now, want, decide).await?);
        }
        if write && rows.iter().all(Result::is_ok) {
            tx.commit().await?;
        }
        Ok(rows)
    }

    /// An invitation of the account that is pending or ran out, and who invites, by name.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such invitation, or it was answered or taken back;
    /// [`Failure::Unavailable`].
    pub async fn open_invitation_of(
        &self,
        account: AccountId,
        invitation: InvitationId,
        now: Timestamp,
    ) -> Result<PendingInvitation, Failure> {
        // The list begins below what it is asked to begin behind.
        let above = Uuid::from_u128(Uuid::from(invitation).as_u128().saturating_add(1));
        let cursor = Cursor { key: String::new(), id: above };
        let found = self.pending_invitations(account, Some(&cursor), 1, now).await?.pop();
        found.filter(|found| found.invitation.id == invitation).ok_or(Failure::NotFound)
    }

    /// Takes an invitation of the account back that is pending or ran out, with the log's row that
    /// `decide` makes. Without `write` it is found out whether there is one. Answers how it stood, or why
    /// `decide` leaves it.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such invitation, or it was answered or taken back;
    /// [`Failure::Unavailable`].
    pub async fn cancel_invitation_by_provider<R: Send>(
        &self,
        account: AccountId,
        invitation: InvitationId,
        write: bool,
        now: Timestamp,
        decide: impl FnOnce(&Invitation) -> Result<NewActivity, R> + Send,
    ) -> Result<Result<Invitation, R>, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        locks::account(&mut tx, account, now).await?;
        let invitation = invitations::find(&mut tx, account, invitation, now).await?;
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::NotFound);
        };
        let entry = match decide(&invitation) {
            Ok(entry) => entry.of(invitation.id),
            Err(refused) => return Ok(Err(refused)),
        };
        invitations::end(&mut tx, &invitation, "cancelled", now).await?;
        activity::append(&mut tx, account, &entry, now).await?;
        if write {
            tx.commit().await?;
        }
        Ok(Ok(invitation))
    }
}

/// Changes how somebody stands in an account, or what their address is offered: locks the account and them,
/// and does what is decided.
async fn change<W: Send, R: Send>(
    tx: &mut Tx,
    account: AccountId,
    asked: &AskedMember,
    now: Timestamp,
    want: impl FnOnce(&ProvidersMemberFacts) -> Result<(W, ThingKeys), R> + Send,
    decide: impl FnOnce(&ProvidersMemberFacts, W, &KeyedThings) -> Result<ProvidersMemberStep, R> + Send,
) -> Result<Result<ProvidersMemberDone, R>, Failure> {
    let account_name = locks::account(tx, account, now).await?;
    let owners = memberships::owners(tx, account).await?;
    let Found { person, email, pending } = found(tx, account, asked, now).await?;
    let kept = match &person {
        Some(person) => kept(tx, account, person.user).await?,
        None => None,
    };
    let user = person.as_ref().map(|person| person.user);
    let other_owners = memberships::owners_left(tx, account, None, user).await?;
    let reported = match &email {
        Some(email) => reports::in_force(tx, account, email).await?,
        None => false,
    };
    let is_taken = match asked.given() {
        Some(reference) => {
            let user = kept.as_ref().map(|kept| kept.member.user);
            let invitation = pending.as_ref().map(|pending| pending.id);
            is_taken(tx, account, reference, user, invitation, now).await?
        }
        None => false,
    };
    let domains = policies::domains(tx, account).await?;
    let reached = ThingKeys::reached(terms_of(kept.as_ref(), pending.as_ref()));
    let things = keyed_things(tx, account, &reached).await?;
    let facts = ProvidersMemberFacts {
        account_name,
        owners,
        other_owners,
        kept,
        email,
        pending,
        is_taken,
        reported,
        domains,
        things,
    };

    let (wanted, keys) = match want(&facts) {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(Err(refused)),
    };
    let found = keyed_things(tx, account, &keys).await?;
    let step = match decide(&facts, wanted, &found) {
        Ok(step) => step,
        Err(refused) => return Ok(Err(refused)),
    };
    take(tx, account, &facts, person, asked.given(), step, now).await?;

    let after = match user {
        Some(user) => self::kept(tx, account, user).await?,
        None => None,
    };
    let invited = match &facts.email {
        Some(email) => invitations::pending_of(tx, account, email, now).await?,
        None => None,
    };
    let ProvidersMemberFacts { kept: before, pending: invited_before, .. } = facts;
    let reached = terms_of(before.as_ref(), invited_before.as_ref())
        .chain(terms_of(after.as_ref(), invited.as_ref()));
    let things = keyed_things(tx, account, &ThingKeys::reached(reached)).await?;
    Ok(Ok(ProvidersMemberDone { before, after, invited_before, invited, things }))
}

/// Does what was decided.
async fn take(
    tx: &mut Tx,
    account: AccountId,
    facts: &ProvidersMemberFacts,
    person: Option<LockedPerson>,
    reference: Option<&DoorRef>,
    step: ProvidersMemberStep,
    now: Timestamp,
) -> Result<(), Failure> {
    let gone = || Failure::Conflict(Conflict::ChangedMeanwhile);
    let (email, pending) = (facts.email.as_ref(), facts.pending.as_ref());
    if !matches!(step, ProvidersMemberStep::End(..) | ProvidersMemberStep::TakeBack(_))
        && let Some(reference) = reference
    {
        if let Some(kept) = facts.kept.as_ref().filter(|kept| kept.reference.is_none()) {
            memberships::set_reference(tx, account, kept.member.user, reference).await?;
        } else if let Some(pending) = pending.filter(|pending| pending.reference.is_none())
            && facts.kept.is_none()
        {
            invitations::set_reference(tx, pending.id, reference).await?;
        }
    }
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
            let reference = memberships::end(tx, account, user, &person.email).await?;
            (entry.known_as(reference), mails)
        }
        ProvidersMemberStep::Offer(offer, full_name, mails) => {
            let called = Called { reference, full_name: &full_name };
            let email = email.ok_or_else(gone)?;
            invitations::offer_by_provider(tx, account, email, pending, offer, called, now).await?;
            return queue(tx, account, &mails, now).await;
        }
        ProvidersMemberStep::Wait(waiting, mails) => {
            let email = email.ok_or_else(gone)?;
            invitations::wait(tx, account, email, pending, waiting, reference, now).await?;
            return queue(tx, account, &mails, now).await;
        }
        ProvidersMemberStep::TakeBack(entry) => {
            let waiting = facts.waiting().ok_or_else(gone)?;
            invitations::end(tx, waiting, "cancelled", now).await?;
            (entry.of(waiting.id), Vec::new())
        }
    };
    activity::append(tx, account, &entry, now).await?;
    queue(tx, account, &mails, now).await
}

async fn queue(
    tx: &mut Tx,
    account: AccountId,
    mails: &[NewMail],
    now: Timestamp,
) -> Result<(), Failure> {
    for mail in mails {
        outbox::queue(tx, mail, Some(account), now).await?;
    }
    Ok(())
}

/// Who is asked for, as far as anybody is known.
struct Found {
    /// Whoever has a login, in the account or not.
    person: Option<LockedPerson>,
    /// The address by which they are or can be invited; none for our id.
    email: Option<EmailAddress>,
    /// The invitation that is pending for them.
    pending: Option<Invitation>,
}

/// Finds who is asked for in an account that is locked: by the provider's own id, or else by address.
async fn found(
    tx: &mut Tx,
    account: AccountId,
    asked: &AskedMember,
    now: Timestamp,
) -> Result<Found, Failure> {
    let reference = match &asked.name {
        MemberName::Id(user) => {
            let person = locked_person(tx, Some(*user), None).await?;
            return Ok(Found { person, email: None, pending: None });
        }
        MemberName::Ref(reference) => reference,
    };
    let user: Option<Uuid> = read!(tx, db => query_scalar(USER_BY_REF)
        .bind(Uuid::from(account))
        .bind(reference.as_str())
        .fetch_optional(db))?;
    if let Some(user) = user {
        let person = locked_person(tx, Some(user.into()), None).await?;
        return Ok(Found { person, email: None, pending: None });
    }
    if let Some(pending) = invitations::pending_by_ref(tx, account, reference, now).await? {
        let email = pending.email.clone();
        let person = locked_person(tx, None, Some(&email)).await?;
        return Ok(Found { person, email: Some(email), pending: Some(pending) });
    }
    let Some(email) = asked.email() else {
        return Ok(Found { person: None, email: None, pending: None });
    };
    let person = locked_person(tx, None, Some(&email)).await?;
    let pending = invitations::pending_of(tx, account, &email, now).await?;
    Ok(Found { person, email: Some(email), pending })
}

/// Whether somebody else in an account that is locked, or who is invited to it, has this id of the
/// provider's.
async fn is_taken(
    tx: &mut Tx,
    account: AccountId,
    reference: &DoorRef,
    user: Option<UserId>,
    invitation: Option<InvitationId>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let holder: Option<Uuid> = read!(tx, db => query_scalar(USER_BY_REF)
        .bind(Uuid::from(account))
        .bind(reference.as_str())
        .fetch_optional(db))?;
    if let Some(holder) = holder {
        return Ok(user != Some(holder.into()));
    }
    let pending = invitations::pending_by_ref(tx, account, reference, now).await?;
    Ok(pending.is_some_and(|pending| invitation != Some(pending.id)))
}

/// Whoever has this id or this address, locked: their name and address stay as they are. What they are in
/// the account is read behind it.
async fn locked_person(
    tx: &mut Tx,
    user: Option<UserId>,
    email: Option<&EmailAddress>,
) -> Result<Option<LockedPerson>, Failure> {
    let id: Option<Uuid> = match (user, email) {
        (Some(user), _) => {
            let user = Uuid::from(user);
            read!(tx, db => query_scalar(USER_BY_ID).bind(user).fetch_optional(db))?
        }
        (None, Some(email)) => {
            read!(tx, db => query_scalar(USER_BY_EMAIL).bind(email.key()).fetch_optional(db))?
        }
        (None, None) => None,
    };
    let Some(id) = id else { return Ok(None) };
    let locked = locks::user(tx, id.into()).await?;
    if email.is_some_and(|email| locked.email().key() != email.key()) {
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
    let row: Option<KeptMemberRow> = read!(tx, db => query_as(MEMBER)
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .fetch_optional(db))?;
    let Some(KeptMemberRow { member, reference, .. }) = row else { return Ok(None) };
    let mut member = Member::from(member);
    let owner = member.held.is_owner();
    member.held = grants::held(tx, account, user, owner).await?;
    let holding = grants::holding(tx, account, user, owner).await?;
    Ok(Some(KeptMember { member, holding, reference: reference.map(DoorRef::from_stored) }))
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
