//! Decisions: whether somebody may do something, asked by the provider's own systems. What decides is
//! what decides on every page: [`Actor::may`], asked of the keys that they hold at that moment.

use model::{
    AccountId, Actor, DoorKey, EmailAddress, Failure, Keys, Pause, Permission, ResourceKind,
    SessionSpans, Timestamp, UserId,
};
pub use store::Given;
use store::{DecisionFacts, NamedUser, Standing, StoredToken};
use uuid::Uuid;

use crate::tokens::{Shown, Token};
use crate::{Latchkey, policies};

/// The only kind of subject that there is.
pub const USER: &str = "user";
/// How many accounts of somebody's are looked at for one page of what is open to them.
const MOST_ACCOUNTS: usize = 50;

/// A subject or a resource as it is named by whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its kind.
    pub kind: String,
    /// Its id among those.
    pub id: String,
}

/// Whether somebody may do something to something, as it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Who.
    pub subject: Named,
    /// What: a permission's id.
    pub action: String,
    /// To what.
    pub resource: Named,
    /// When; none for this moment.
    pub time: Option<Timestamp>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why it is a yes or a no.
    pub reason: Reason,
    /// What the account asks of whoever enters it besides, which nobody's session can be looked at for.
    pub requires: Vec<Requirement>,
}

impl Decision {
    fn no(reason: Reason) -> Self {
        Self { reason, requires: Vec::new() }
    }

    /// Whether it is a yes.
    #[must_use]
    pub const fn permits(&self) -> bool {
        matches!(self.reason, Reason::Owner | Reason::Given(_))
    }
}

/// Why a decision is a yes (the first two) or a no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They own the account.
    Owner,
    /// This grant opens it; of several the one that lasts longest.
    Given(Given),
    /// There is no such action.
    UnknownAction,
    /// There is no such thing, or none that whoever asks may know of.
    UnknownResource,
    /// The action isn't about such things.
    NotAbout(Permission, ResourceKind),
    /// They aren't in the account: it doesn't matter whether there is such a user.
    NotInAccount,
    /// Their access is paused.
    Paused(Pause),
    /// The account is closed to them from this moment on, as they have no second factor.
    NoSecondFactor(Timestamp),
    /// None of their grants has the permission.
    Lacking(Permission),
    /// They have the permission, and no grant that has it reaches this.
    OutOfReach(Permission),
}

/// What an account asks of whoever enters it, besides access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// That they sign in with its own identity provider.
    SingleSignOn,
    /// That their session isn't older, or wasn't longer unused, than this.
    Sessions(SessionSpans),
    /// A second factor from this moment on.
    SecondFactor(Timestamp),
}

/// What somebody may do something to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResource {
    /// Its kind.
    pub kind: ResourceKind,
    /// How it is named: by the provider's id if it has one.
    pub key: DoorKey,
}

/// Where a page of resources goes on: behind this thing of this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceCursor {
    /// The account.
    pub account: AccountId,
    /// The thing.
    pub thing: Uuid,
}

/// A page of what was searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPage<T, C> {
    /// What was found; fewer than were asked for don't mean that it was all.
    pub found: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<C>,
}

impl<T, C> FoundPage<T, C> {
    const NOTHING: Self = Self { found: Vec::new(), next: None };
}

/// An answer before it is known who asked.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The account that it is about, if there is one.
    account: Option<AccountId>,
    decision: Decision,
}

impl Considered {
    /// The answer for whoever may know of this account alone; of all, if none is named.
    #[must_use]
    pub fn within(self, within: Option<AccountId>) -> Decision {
        match self.account {
            Some(account) if within.is_some_and(|within| within != account) => {
                Decision::no(Reason::UnknownResource)
            }
            _ => self.decision,
        }
    }
}

/// Decides whether somebody may do something at a moment. A moment that has passed is taken for this
/// one: what ended is over for everybody (rule 11).
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn evaluate(latchkey: &Latchkey, question: &Question) -> Result<Considered, Failure> {
    let at = moment(latchkey, question.time);
    match understood(question) {
        Ok((permission, kind)) => {
            let resource = &question.resource.id;
            let found = find(latchkey, None, &question.subject, kind, resource, at).await?;
            Ok(consider(found, permission, kind, at))
        }
        Err(reason) => Ok(nowhere(reason)),
    }
}

/// The same for whoever comes with this token. Who that is and what is asked for are found out at once,
/// so that a decision takes one way to the database and back.
///
/// # Errors
/// As [`crate::tokens::authenticate`].
pub async fn evaluate_for(
    latchkey: &Latchkey,
    bearer: &str,
    question: &Question,
) -> Result<(Token, Considered), Failure> {
    let shown = Shown::parse(bearer).ok_or(Failure::SignedOut)?;
    let at = moment(latchkey, question.time);
    let understood = understood(question);
    let found = match &understood {
        Ok((_, kind)) => {
            let (subject, resource) = (&question.subject, &question.resource.id);
            find_beside(latchkey, Some(shown.prefix), subject, *kind, resource, at).await?
        }
        Err(_) => None,
    };
    let (facts, token) = found.unzip();
    let token = match token {
        Some(token) => token,
        None => latchkey.store.token(shown.prefix).await?,
    };
    let token = shown.admit(latchkey, token, latchkey.now()).await?;
    let considered = match understood {
        Ok((permission, kind)) => consider(facts, permission, kind, at),
        Err(reason) => nowhere(reason),
    };
    Ok((token, considered))
}

/// The users who may do something to something at a moment, by id, at most `most`. `within` is the only
/// account that whoever asks may know of, if they are bound to one.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn subjects(
    latchkey: &Latchkey,
    within: Option<AccountId>,
    question: &Question,
    after: Option<UserId>,
    most: usize,
) -> Result<FoundPage<UserId, UserId>, Failure> {
    let at = moment(latchkey, question.time);
    let Ok((permission, kind)) = understood(question) else { return Ok(FoundPage::NOTHING) };
    if question.subject.kind != USER {
        return Ok(FoundPage::NOTHING);
    }
    let nobody = Named::default();
    let found = find(latchkey, within, &nobody, kind, &question.resource.id, at).await?;
    let Some(facts) = found else { return Ok(FoundPage::NOTHING) };
    let (account, thing) = (facts.account, facts.thing);
    let candidates =
        latchkey.store.decision_candidates(account, permission, thing, after, most + 1, at);
    let mut candidates = candidates.await?;
    let more = candidates.len() > most;
    candidates.truncate(most);
    let next = candidates.last().filter(|_| more).map(|last| last.user);
    let may = |one: &Standing| decide(account, one, kind, permission, at).permits();
    let found = candidates.iter().filter(|one| may(one)).map(|one| one.user).collect();
    Ok(FoundPage { found, next })
}

/// The things of a kind to which somebody may do something at a moment, by account and id, at most
/// `most`.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn resources(
    latchkey: &Latchkey,
    within: Option<AccountId>,
    question: &Question,
    after: Option<ResourceCursor>,
    most: usize,
) -> Result<FoundPage<FoundResource, ResourceCursor>, Failure> {
    let at = moment(latchkey, question.time);
    let Ok((permission, kind)) = understood(question) else { return Ok(FoundPage::NOTHING) };
    let Some(user) = named_user(&question.subject) else { return Ok(FoundPage::NOTHING) };
    let from = after.map(|after| after.account).max(within);
    let mut accounts = latchkey.store.standings(&user, from, MOST_ACCOUNTS + 1, at).await?;
    if settle_owners(latchkey, accounts.iter()).await? {
        accounts = latchkey.store.standings(&user, from, MOST_ACCOUNTS + 1, at).await?;
    }
    let mut found = Vec::new();
    for (place, facts) in accounts.iter().enumerate() {
        let account = facts.account;
        if within.is_some_and(|within| account != within) {
            break;
        }
        let behind = after.filter(|after| after.account == account).map(|after| after.thing);
        let mut last = ResourceCursor { account, thing: behind.unwrap_or_default() };
        if place == MOST_ACCOUNTS {
            // Nothing of this account was looked at.
            return Ok(FoundPage { found, next: Some(last) });
        }
        let room = most - found.len();
        let things = open_things(latchkey, facts, kind, permission, behind, room + 1, at).await?;
        for (thing, key) in things {
            if found.len() == most {
                return Ok(FoundPage { found, next: Some(last) });
            }
            found.push(FoundResource { kind, key });
            last.thing = thing;
        }
    }
    Ok(FoundPage { found, next: None })
}

/// What somebody may do to something at a moment, in the order in which permissions are shown.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn actions(
    latchkey: &Latchkey,
    within: Option<AccountId>,
    question: &Question,
) -> Result<Vec<Permission>, Failure> {
    let at = moment(latchkey, question.time);
    let Ok(kind) = question.resource.kind.parse::<ResourceKind>() else { return Ok(Vec::new()) };
    let found = find(latchkey, within, &question.subject, kind, &question.resource.id, at).await?;
    let Some(facts) = found else { return Ok(Vec::new()) };
    let Some(standing) = &facts.standing else { return Ok(Vec::new()) };
    let may = |permission: &Permission| {
        kind.takes(*permission) && decide(facts.account, standing, kind, *permission, at).permits()
    };
    Ok(Permission::ALL.into_iter().filter(may).collect())
}

/// The moment that a question is about.
fn moment(latchkey: &Latchkey, time: Option<Timestamp>) -> Timestamp {
    let now = latchkey.now();
    time.map_or(now, |time| time.max(now))
}

/// The permission and the kind of a question that makes sense, or why it makes none.
fn understood(question: &Question) -> Result<(Permission, ResourceKind), Reason> {
    let permission = question.action.parse().map_err(|_| Reason::UnknownAction)?;
    let kind = question.resource.kind.parse::<ResourceKind>();
    let kind = kind.map_err(|_| Reason::UnknownResource)?;
    if kind.takes(permission) {
        Ok((permission, kind))
    } else {
        Err(Reason::NotAbout(permission, kind))
    }
}

/// An answer that is about no account.
fn nowhere(reason: Reason) -> Considered {
    Considered { account: None, decision: Decision::no(reason) }
}

/// The answer by what was found.
fn consider(
    found: Option<DecisionFacts>,
    permission: Permission,
    kind: ResourceKind,
    at: Timestamp,
) -> Considered {
    let Some(facts) = found else { return nowhere(Reason::UnknownResource) };
    let decision = match &facts.standing {
        Some(standing) => decide(facts.account, standing, kind, permission, at),
        None => Decision::no(Reason::NotInAccount),
    };
    Considered { account: Some(facts.account), decision }
}

/// A thing that whoever asks may know of, and how somebody stands in its account.
async fn find(
    latchkey: &Latchkey,
    within: Option<AccountId>,
    subject: &Named,
    kind: ResourceKind,
    id: &str,
    at: Timestamp,
) -> Result<Option<DecisionFacts>, Failure> {
    let found = find_beside(latchkey, None, subject, kind, id, at).await?;
    let facts = found.map(|(facts, _)| facts);
    Ok(facts.filter(|facts| within.is_none_or(|within| within == facts.account)))
}

/// A thing, how somebody stands in its account, and the token with this prefix.
async fn find_beside(
    latchkey: &Latchkey,
    token: Option<&str>,
    subject: &Named,
    kind: ResourceKind,
    id: &str,
    at: Timestamp,
) -> Result<Option<(DecisionFacts, Option<StoredToken>)>, Failure> {
    let Ok(thing) = id.parse::<DoorKey>() else { return Ok(None) };
    let nobody = NamedUser::Id(UserId::from(Uuid::nil()));
    let user = named_user(subject).unwrap_or(nobody);
    let found = latchkey.store.decision_facts(kind, &thing, &user, token, at).await?;
    if settle_owners(latchkey, found.iter().map(|(facts, _)| facts)).await? {
        return latchkey.store.decision_facts(kind, &thing, &user, token, at).await;
    }
    Ok(found)
}

/// Has those own their accounts who do by now; answers whether somebody does who didn't before.
async fn settle_owners(
    latchkey: &Latchkey,
    found: impl Iterator<Item = &DecisionFacts>,
) -> Result<bool, Failure> {
    let now = latchkey.now();
    let due = found.filter(|facts| facts.owners_due_at.is_some_and(|due_at| due_at <= now));
    let due: Vec<_> = due.map(|facts| facts.account).collect();
    for account in &due {
        latchkey.store.settle_owners(*account, now).await?;
    }
    Ok(!due.is_empty())
}

/// A user is named by our id, which the provider has none of their own in the place of, or by their
/// address.
fn named_user(subject: &Named) -> Option<NamedUser> {
    if subject.kind != USER {
        return None;
    }
    match subject.id.strip_prefix("id:").unwrap_or(&subject.id).parse::<UserId>() {
        Ok(id) => Some(NamedUser::Id(id)),
        Err(_) => EmailAddress::parse(&subject.id).ok().map(NamedUser::Email),
    }
}

/// Decides for somebody who is in the account, as [`crate::accounts::act`] does and each page behind it.
/// What only a session can show is told as required besides.
fn decide(
    account: AccountId,
    standing: &Standing,
    kind: ResourceKind,
    permission: Permission,
    at: Timestamp,
) -> Decision {
    let closes_at = policies::closes_at(&standing.policy, standing.second_factor);
    if let Some(from) = closes_at.filter(|from| *from <= at) {
        return Decision::no(Reason::NoSecondFactor(from));
    }
    if let Some(pause) = &standing.pause {
        return Decision::no(Reason::Paused(pause.clone()));
    }
    let on = kind.on(&standing.named_by);
    let holder = |keys: Keys| Actor { user: standing.user, account, keys, at, eyes: None };
    let actor = holder(standing.keys.clone());
    if !actor.may(permission, on) {
        return Decision::no(match actor.open().contains(permission) {
            true => Reason::OutOfReach(permission),
            false => Reason::Lacking(permission),
        });
    }
    let reason = match &actor.keys {
        Keys::Owner => Some(Reason::Owner),
        Keys::Granted(_) => {
            let opens = |given: &&Given| {
                let of_it = holder(Keys::Granted(vec![given.key]));
                of_it.may(permission, kind.on(&given.named_by))
            };
            let lasts = |given: &&Given| (given.until.is_none(), given.until);
            let given = standing.given.iter().filter(opens).max_by_key(lasts);
            given.cloned().map(Reason::Given)
        }
    };
    match reason {
        Some(reason) => Decision { reason, requires: requires(standing, closes_at) },
        None => Decision::no(Reason::Lacking(permission)),
    }
}

/// What the account asks of them besides. Whoever's own word opens it needs its provider's no more than
/// on a page.
fn requires(standing: &Standing, closes_at: Option<Timestamp>) -> Vec<Requirement> {
    let by_provider = (standing.single_sign_on || standing.gave_address_up)
        && !policies::opens_by_itself(&standing.keys, standing.had_factor);
    let sessions = standing.policy.sessions;
    let bounded = sessions.idle.is_some() || sessions.absolute.is_some();
    let requires = [
        by_provider.then_some(Requirement::SingleSignOn),
        bounded.then_some(Requirement::Sessions(sessions)),
        closes_at.map(Requirement::SecondFactor),
    ];
    requires.into_iter().flatten().collect()
}

/// The things of an account to which somebody may do something: the account itself, or those that their
/// reach has, as in any list.
async fn open_things(
    latchkey: &Latchkey,
    facts: &DecisionFacts,
    kind: ResourceKind,
    permission: Permission,
    behind: Option<Uuid>,
    most: usize,
    at: Timestamp,
) -> Result<Vec<(Uuid, DoorKey)>, Failure> {
    let Some(standing) = &facts.standing else { return Ok(Vec::new()) };
    let closes_at = policies::closes_at(&standing.policy, standing.second_factor);
    if standing.pause.is_some() || closes_at.is_some_and(|from| from <= at) {
        return Ok(Vec::new());
    }
    let (user, account, keys) = (standing.user, facts.account, standing.keys.clone());
    let Ok(scope) = Actor { user, account, keys, at, eyes: None }.reach(permission) else {
        return Ok(Vec::new());
    };
    if kind == ResourceKind::Account {
        let itself = (Uuid::from(account), facts.account_key.clone());
        return Ok(if behind == Some(itself.0) { Vec::new() } else { vec![itself] });
    }
    latchkey.store.things_behind(account, kind, &scope, behind, most).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{Key, NamedBy, PermissionSet, SessionSpan};
    use proptest::prelude::*;
    use store::{AccountPolicy, RequiredFactor};

    use super::*;
    use Permission::{AccountUsers, BillingPay, BillingView, ServicesManage, ServicesView};

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn account() -> AccountId {
        Uuid::from_u128(1).into()
    }

    fn key(permissions: &[Permission], all_services: bool) -> Key {
        let permissions: PermissionSet = permissions.iter().copied().collect();
        Key { permissions, all_services, all_domains: false }
    }

    /// A grant with this number and end, which names the thing or not.
    fn given(n: u128, key: Key, names: bool, seconds: Option<u64>) -> Given {
        let until = seconds.map(|seconds| NOW.after(Duration::from_secs(seconds)));
        let own = if names { key.permissions } else { PermissionSet::EMPTY };
        let (named_by, by) = (NamedBy { own, ..NamedBy::default() }, Some("Ingrid".to_owned()));
        Given { grant: Uuid::from_u128(n).into(), key, named_by, until, by, at: NOW }
    }

    /// Somebody with these grants, in an account that requires nothing.
    fn holder(given: Vec<Given>) -> Standing {
        let own = given.iter().flat_map(|given| given.named_by.own.iter()).collect();
        let keys = Keys::Granted(given.iter().map(|given| given.key).collect());
        let named_by = NamedBy { own, ..NamedBy::default() };
        Standing { given, named_by, ..standing(keys) }
    }

    /// Somebody with these keys, which no grant tells of, in an account that requires nothing.
    fn standing(keys: Keys) -> Standing {
        Standing {
            user: Uuid::from_u128(2).into(),
            given: Vec::new(),
            keys,
            pause: None,
            named_by: NamedBy::default(),
            second_factor: false,
            policy: AccountPolicy::default(),
            single_sign_on: false,
            gave_address_up: false,
            had_factor: false,
        }
    }

    fn decided(standing: &Standing, kind: ResourceKind, permission: Permission) -> Decision {
        decide(account(), standing, kind, permission, NOW)
    }

    #[test]
    fn the_grant_that_lasts_longest_is_the_reason() {
        let held = |names| {
            holder(vec![
                given(1, key(&[ServicesView], true), false, Some(5)),
                given(2, key(&[ServicesManage], false), names, Some(9)),
                given(3, key(&[ServicesView], false), false, None),
                given(4, key(&[BillingPay], true), false, None),
                // Of two that are alike the one that lasts.
                given(5, key(&[ServicesManage], false), names, Some(7)),
            ])
        };
        let standing = held(true);
        let reason = |permission| decided(&standing, ResourceKind::Service, permission).reason;
        // The third reaches it no more than the fourth.
        assert_eq!(reason(ServicesView), Reason::Given(standing.given[1].clone()));
        assert_eq!(reason(ServicesManage), Reason::Given(standing.given[1].clone()));
        let unnamed = held(false);
        let reason = |permission| decided(&unnamed, ResourceKind::Service, permission).reason;
        assert_eq!(reason(ServicesView), Reason::Given(standing.given[0].clone()));
        assert_eq!(reason(ServicesManage), Reason::OutOfReach(ServicesManage));
        let reason = decided(&standing, ResourceKind::Account, AccountUsers).reason;
        assert_eq!(reason, Reason::Lacking(AccountUsers));
        let reason = decided(&standing, ResourceKind::Invoice, BillingView).reason;
        assert_eq!(reason, Reason::Given(standing.given[3].clone()));
    }

    #[test]
    fn what_closes_the_account_denies_and_what_a_session_shows_is_required() {
        let owner = standing(Keys::Owner);
        let decide = |standing: &Standing| decided(standing, ResourceKind::Account, AccountUsers);
        assert_eq!(decide(&owner), Decision { reason: Reason::Owner, requires: Vec::new() });

        let later = NOW.after(Duration::from_secs(1));
        for (from, reason, requires) in [
            (NOW, Reason::NoSecondFactor(NOW), vec![]),
            (later, Reason::Owner, vec![Requirement::SecondFactor(later)]),
        ] {
            let factor = Some(RequiredFactor { since: NOW, from, asked_at: None });
            let policy = AccountPolicy { factor, ..AccountPolicy::default() };
            let closing = Standing { policy, ..owner.clone() };
            assert_eq!(decide(&closing), Decision { reason, requires });
            let having = Standing { second_factor: true, ..closing };
            assert_eq!(decide(&having), decide(&owner));
        }

        let pause = Pause::Lapsed { since: NOW };
        let keys = Keys::Granted(Vec::new());
        let paused = Standing { pause: Some(pause.clone()), ..standing(keys) };
        assert_eq!(decide(&paused), Decision::no(Reason::Paused(pause)));

        let sessions = SessionSpans { idle: Some(SessionSpan::Hour), absolute: None };
        let policy = AccountPolicy { sessions, ..AccountPolicy::default() };
        let bounded = Standing { policy, ..owner.clone() };
        assert_eq!(decide(&bounded).requires, [Requirement::Sessions(sessions)]);

        let by_provider = Standing { single_sign_on: true, ..owner.clone() };
        assert_eq!(decide(&by_provider).requires, [Requirement::SingleSignOn]);
        let gone = Standing { gave_address_up: true, ..owner.clone() };
        assert_eq!(decide(&gone).requires, [Requirement::SingleSignOn]);
        // An owner's own word opens it all the same.
        let by_itself = Standing { had_factor: true, second_factor: true, ..by_provider };
        assert_eq!(decide(&by_itself).requires, []);
    }

    #[test]
    fn a_user_is_named_by_an_id_or_an_address() {
        let id = Uuid::from_u128(7);
        let subject =
            |kind: &str, id: &str| named_user(&Named { kind: kind.to_owned(), id: id.to_owned() });
        let user = Some(NamedUser::Id(id.into()));
        assert_eq!(subject(USER, &id.to_string()), user);
        assert_eq!(subject(USER, &format!("id:{id}")), user);
        let email = EmailAddress::parse("ingrid@example.com").unwrap();
        assert_eq!(subject(USER, "ingrid@example.com"), Some(NamedUser::Email(email)));
        for (kind, id) in [("group", "ingrid@example.com"), (USER, ""), (USER, "id:"), (USER, "1")]
        {
            assert_eq!(subject(kind, id), None, "{kind} {id}");
        }
    }

    proptest! {
        #[test]
        fn a_decision_is_what_the_actor_may(
            standing in prop_oneof![
                1 => Just(standing(Keys::Owner)),
                6 => proptest::collection::vec(any_given(), 0..5).prop_map(holder),
            ],
            kind in proptest::sample::select(ResourceKind::ALL.to_vec()),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            prop_assume!(kind.takes(permission));
            let (user, keys) = (standing.user, standing.keys.clone());
            let actor = Actor { user, account: account(), keys, at: NOW, eyes: None };
            let may = actor.may(permission, kind.on(&standing.named_by));
            prop_assert_eq!(decided(&standing, kind, permission).permits(), may);
        }
    }

    fn any_given() -> impl Strategy<Value = Given> {
        let permissions = proptest::sample::select(Permission::ALL.to_vec());
        let permissions = proptest::collection::vec(permissions, 0..6);
        (0..5_u128, permissions, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(n, permissions, all_services, all_domains, names)| {
                given(n, Key { all_domains, ..key(&permissions, all_services) }, names, None)
            },
        )
    }
}
