//! Accounts' policies: what owners require of everybody who enters, how it is required, and whom
//! they remind of it.

use std::time::Duration;

use model::{
    Actor, Conflict, Cursor, EmailDomains, Failure, Field, FieldErrors, FieldProblem, Keys,
    Language, Limited, Mail, MailKind, PAGE_SIZE, PolicyRule, SessionSpan, SessionSpans, Timestamp,
};
use store::{AccountMembership, Bound, NewActivity, NewMail, PolicyChange, PolicyFacts, Reminders};
pub use store::{AccountPolicy, Member, RequiredFactor};

use crate::viewer::Viewer;
use crate::{Client, Latchkey, giving, mails};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time that people can have to set a second factor up, in days.
pub const LONGEST_GRACE: u32 = 30;
/// How long they have unless the owner says otherwise.
pub const USUAL_GRACE: u32 = 14;
/// How long before its end they are reminded.
const SOON: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How many people are reminded in one transaction.
const BATCH: usize = 100;
/// How many accounts are looked at between two questions to the database.
const ACCOUNTS: usize = 100;

/// Whether the account's policy lets the viewer in. Answers from when on it won't, should they
/// have no second factor by then.
///
/// # Errors
/// [`Failure::SingleSignOn`] when they are to sign in with the account's own identity provider and
/// didn't, [`Failure::AddressGivenUp`] when they can't; [`Failure::NoSecondFactor`] when they needed
/// one from an earlier moment on; [`Failure::Unconfirmed`] when the account was left unused, or their
/// last proof of who they are is older, than its owners want it (NIST SP 800-63B-4 section 5.2; OWASP
/// ASVS 5.0 V7.3.1, V7.3.2), or when only another account's provider vouched for them;
/// [`Failure::VouchedLongAgo`] when that proof is the provider's to give.
pub(crate) fn admit(
    viewer: &Viewer,
    membership: &AccountMembership,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let AccountMembership { policy, second_factor, visited_at, .. } = membership;
    let proof = proof_that_counts(viewer, membership)?;
    let closes_at = closes_at(policy, *second_factor);
    if closes_at.is_some_and(|from| from <= now) {
        return Err(Failure::NoSecondFactor);
    }
    let (Proof::TheirOwn(proven_at) | Proof::TheProviders(proven_at)) = proof;
    let used_at = visited_at.map_or(proven_at, |visited| visited.max(proven_at));
    let is_over = |span: Option<SessionSpan>, since: Timestamp| {
        span.is_some_and(|span| now.since(since) > span.duration())
    };
    if is_over(policy.sessions.absolute, proven_at) || is_over(policy.sessions.idle, used_at) {
        return Err(match proof {
            Proof::TheirOwn(_) => Failure::Unconfirmed,
            Proof::TheProviders(_) => Failure::VouchedLongAgo,
        });
    }
    Ok(closes_at)
}

/// From when on the policy closes the account to somebody for want of a second factor.
pub(crate) fn closes_at(policy: &AccountPolicy, second_factor: bool) -> Option<Timestamp> {
    policy.factor.filter(|_| !second_factor).map(|factor| factor.from)
}

/// The proof of who the viewer is that an account goes by, and when it was last given. Once it is too
/// old, it is renewed by whoever gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// They proved it by themselves. A later word of the account's own provider renews that.
    TheirOwn(Timestamp),
    /// The account's own identity provider vouched for them, and nothing else counts.
    TheProviders(Timestamp),
}

/// Which proof of who the viewer is counts in this account. Their own does, unless the account
/// requires its provider's word of them; its provider's word always does.
fn proof_that_counts(viewer: &Viewer, membership: &AccountMembership) -> Result<Proof, Failure> {
    let requires_the_providers = membership.single_sign_on || membership.gave_address_up;
    let own_counts = viewer.proven && (!requires_the_providers || by_themselves(membership));
    match viewer.vouched_for(membership.account) {
        Some(vouched_at) if own_counts => {
            Ok(Proof::TheirOwn(viewer.authenticated_at.max(vouched_at)))
        }
        Some(vouched_at) => Ok(Proof::TheProviders(vouched_at)),
        None if own_counts => Ok(Proof::TheirOwn(viewer.authenticated_at)),
        None if membership.single_sign_on => Err(Failure::SingleSignOn),
        None if membership.gave_address_up => Err(Failure::AddressGivenUp),
        None => Err(Failure::Unconfirmed),
    }
}

/// Whether the user's own password and second factor open the account whatever its provider says: an
/// owner's do, as somebody must get in when it fails, and can then require it no longer. A factor that
/// came later doesn't count: a password alone is enough to set a first one up.
pub(crate) fn by_themselves(membership: &AccountMembership) -> bool {
    opens_by_itself(&membership.keys, membership.had_factor)
}

/// The same of whoever holds these keys.
pub(crate) fn opens_by_itself(keys: &Keys, had_factor: bool) -> bool {
    keys.is_owner() && had_factor
}

/// The account's policy.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn overview(latchkey: &Latchkey, actor: &Actor) -> Result<AccountPolicy, Failure> {
    actor.must_own()?;
    latchkey.store.policy(actor.account).await
}

/// Whether the actor has a second factor themselves.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn has_factor(latchkey: &Latchkey, actor: &Actor) -> Result<bool, Failure> {
    let login = latchkey.store.login_of(actor.seen_as()).await?;
    Ok(login.is_some_and(|login| login.second_factor))
}

/// One page of the users who have no second factor.
#[derive(Clone, Debug)]
pub struct LackingPage {
    /// The users, by name.
    pub users: Vec<Member>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The account's users who have no second factor.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn lacking(
    latchkey: &Latchkey,
    actor: &Actor,
    after: Option<&Cursor>,
) -> Result<LackingPage, Failure> {
    actor.must_own()?;
    let account = actor.account;
    let mut users = latchkey.store.users_without_factor(account, after, PAGE_SIZE + 1).await?;
    let more = users.len() > PAGE_SIZE;
    users.truncate(PAGE_SIZE);
    let next = users.last().filter(|_| more).map(|last| last.cursor(store::UserSort::Name));
    Ok(LackingPage { users, next })
}

/// Requires a second factor of everybody in the account, once so many days are over, which end where
/// the account is; those who have none are told by mail. Whoever joins later has the same date.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::SecondFactorFirst`] when the actor
/// has none themselves; [`Conflict::ChangedMeanwhile`] when it is required already;
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn require_factor(
    latchkey: &Latchkey,
    actor: &Actor,
    days: &str,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let days = parse_days(days).map_err(|problem| Failure::field(Field::Days, problem))?;
    let now = latchkey.now();
    let zone = giving::zone(latchkey, actor.account).await?;
    let last = now.after(days * DAY);
    let from = if days == 0 { now } else { giving::end_of_day(last, &zone).unwrap_or(last) };
    let factor = RequiredFactor { since: now, from, asked_at: None };
    // Each time everybody who has none gets a mail.
    let key = format!("demand:{}", uuid::Uuid::from(actor.account));
    let bound = mails::bound(MailKind::SecondFactorRequired, key, Limited::Reminders);
    let change = |facts: &PolicyFacts| {
        if facts.policy.factor.is_some() {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        }
        if !facts.has_factor {
            return Err(Failure::Conflict(Conflict::SecondFactorFirst));
        }
        let policy = AccountPolicy { factor: Some(factor), ..facts.policy.clone() };
        let rule = |factor: Option<RequiredFactor>| {
            PolicyRule::SecondFactor(factor.map(|factor| factor.from))
        };
        let mut change = changing(facts, policy, rule(None), rule(Some(factor)), client);
        change.bounds = vec![bound];
        change.reminders = Some(reminders(&facts.by.account_name, factor, now));
        Ok(Some(change))
    };
    apply(latchkey, actor, now, change).await
}

/// Requires a second factor no longer.
///
/// # Errors
/// [`Failure::OwnersOnly`], [`Failure::Unavailable`].
pub async fn require_no_factor(
    latchkey: &Latchkey,
    actor: &Actor,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let change = |facts: &PolicyFacts| {
        let Some(factor) = facts.policy.factor else { return Ok(None) };
        let policy = AccountPolicy { factor: None, ..facts.policy.clone() };
        let before = PolicyRule::SecondFactor(Some(factor.from));
        Ok(Some(changing(facts, policy, before, PolicyRule::SecondFactor(None), client)))
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Bounds for how long a session opens the account. An empty span is the provider's. `before` is
/// what the actor was shown, if that is known.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::ChangedMeanwhile`];
/// [`Failure::Unavailable`].
pub async fn bound_sessions(
    latchkey: &Latchkey,
    actor: &Actor,
    idle: &str,
    absolute: &str,
    before: Option<&str>,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let mut errors = FieldErrors::default();
    let idle = errors.take(Field::SessionIdle, parse_span(idle));
    let absolute = errors.take(Field::SessionAbsolute, parse_span(absolute));
    let (Some(idle), Some(absolute)) = (idle, absolute) else {
        return Err(errors.into_failure());
    };
    let sessions = SessionSpans { idle, absolute };
    let change = |facts: &PolicyFacts| {
        let policy = AccountPolicy { sessions, ..facts.policy.clone() };
        let (present, wanted) =
            (PolicyRule::Sessions(facts.policy.sessions), PolicyRule::Sessions(sessions));
        replacing(facts, policy, present, wanted, before, client)
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Has invitations go to addresses of these domains only; without any, to every address. Who is in
/// the account stays. `before` is what the actor was shown, if that is known.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Failure::Invalid`]; [`Conflict::ChangedMeanwhile`];
/// [`Failure::Unavailable`].
pub async fn limit_domains(
    latchkey: &Latchkey,
    actor: &Actor,
    domains: &str,
    before: Option<&str>,
    client: &Client,
) -> Result<(), Failure> {
    actor.must_own()?;
    let domains =
        EmailDomains::parse(domains).map_err(|problem| Failure::field(Field::Domains, problem))?;
    let change = |facts: &PolicyFacts| {
        let policy = AccountPolicy { domains: domains.clone(), ..facts.policy.clone() };
        let present = PolicyRule::Domains(facts.policy.domains.clone());
        let wanted = PolicyRule::Domains(domains.clone());
        replacing(facts, policy, present, wanted, before, client)
    };
    apply(latchkey, actor, latchkey.now(), change).await
}

/// Reminds everybody now who has no second factor: once a day. In a large account, the first
/// hundred at once and the others within the hour.
///
/// # Errors
/// [`Failure::OwnersOnly`]; [`Conflict::ChangedMeanwhile`] when none is required any more;
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn remind(latchkey: &Latchkey, actor: &Actor) -> Result<(), Failure> {
    actor.must_own()?;
    let now = latchkey.now();
    let key = format!("remind:{}", uuid::Uuid::from(actor.account));
    let bound = Bound { key, most: 1, window: DAY, of: Limited::Reminders };
    let change = |facts: &PolicyFacts| {
        let Some(factor) = facts.policy.factor else {
            return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
        };
        let factor = RequiredFactor { asked_at: Some(now), ..factor };
        Ok(Some(PolicyChange {
            policy: AccountPolicy { factor: Some(factor), ..facts.policy.clone() },
            single_sign_on: None,
            entry: None,
            mails: Vec::new(),
            bounds: vec![bound],
            reminders: Some(reminders(&facts.by.account_name, factor, now)),
        }))
    };
    apply(latchkey, actor, now, change).await
}

/// Reminds, in all accounts, those who have no second factor and weren't reached by the present
/// round yet. Answers how many. Nodes may do so at once: each person is reminded once a round.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn send_reminders(latchkey: &Latchkey) -> Result<usize, Failure> {
    let (mut sent, mut last) = (0, None);
    loop {
        let accounts = latchkey.store.requiring_accounts(last, ACCOUNTS).await?;
        let Some(newest) = accounts.last() else { return Ok(sent) };
        last = Some(*newest);
        for account in accounts {
            loop {
                let now = latchkey.now();
                let reminded = latchkey.store.remind_of_factor(account, now, |account| {
                    reminders(&account.name, account.factor, now)
                });
                let reminded = reminded.await?;
                sent += reminded;
                if reminded < BATCH {
                    break;
                }
            }
        }
    }
}

/// The names of accounts that close to the viewer, or have a date for it, should they turn their
/// second factor off.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn requiring(latchkey: &Latchkey, viewer: &Viewer) -> Result<Vec<String>, Failure> {
    latchkey.store.requiring_accounts_of(viewer.user, PAGE_SIZE).await
}

/// Changes what the actor, who must own the account at that moment, decides on its facts.
pub(crate) async fn apply(
    latchkey: &Latchkey,
    actor: &Actor,
    now: Timestamp,
    change: impl FnOnce(&PolicyFacts) -> Result<Option<PolicyChange>, Failure> + Send,
) -> Result<(), Failure> {
    let decide = |facts: &PolicyFacts| {
        facts.by.actor.must_own()?;
        change(facts)
    };
    latchkey.store.change_policy(actor.account, actor.user, now, decide).await
}

/// The change of a rule to what is wanted; none when it is so already.
fn replacing(
    facts: &PolicyFacts,
    policy: AccountPolicy,
    present: PolicyRule,
    wanted: PolicyRule,
    before: Option<&str>,
    client: &Client,
) -> Result<Option<PolicyChange>, Failure> {
    if present == wanted {
        return Ok(None);
    }
    if before.is_some_and(|before| before != present.to_stored()) {
        return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
    }
    Ok(Some(changing(facts, policy, present, wanted, client)))
}

/// What changing a rule writes: the policy, the log's row, and a mail to every owner.
pub(crate) fn changing(
    facts: &PolicyFacts,
    policy: AccountPolicy,
    before: PolicyRule,
    after: PolicyRule,
    client: &Client,
) -> PolicyChange {
    let mail = Mail::PolicyChanged {
        account: facts.by.account_name.clone().into(),
        changed_by: facts.by.name.clone().into(),
        before: before.clone(),
        after: after.clone(),
    };
    let entry = facts.by.entry(after.kind(), &client.address);
    PolicyChange {
        policy,
        single_sign_on: None,
        entry: Some(entry.before(before).after(after)),
        mails: to_owners(&facts.owners, &mail, client.language.as_ref()),
        bounds: Vec::new(),
        reminders: None,
    }
}

/// What the log and every owner hear of a rule that the operator changed.
pub(crate) fn by_operator(
    latchkey: &Latchkey,
    account: &str,
    owners: &[store::Owner],
    before: PolicyRule,
    after: PolicyRule,
) -> (NewActivity, Vec<NewMail>) {
    let mail = Mail::PolicyChanged {
        account: account.into(),
        changed_by: latchkey.settings.provider.clone().into(),
        before: before.clone(),
        after: after.clone(),
    };
    let entry = NewActivity::by_provider(after.kind()).before(before).after(after);
    (entry, to_owners(owners, &mail, None))
}

fn to_owners(owners: &[store::Owner], mail: &Mail, language: Option<&Language>) -> Vec<NewMail> {
    let to_owner = |owner: &store::Owner| {
        NewMail::to(owner.email.clone(), mail.clone()).language(language.cloned())
    };
    owners.iter().map(to_owner).collect()
}

/// The present round of reminders. One begins when a second factor is required, three days before
/// it is needed, at that moment, and whenever an owner asks for it.
fn reminders(account: &str, factor: RequiredFactor, now: Timestamp) -> Reminders {
    let RequiredFactor { since, from, asked_at } = factor;
    let rounds = [from.before(SOON), from].into_iter().chain(asked_at);
    let round = rounds.filter(|round| (since..=now).contains(round)).max().unwrap_or(since);
    let closed = from <= now;
    let mail = Mail::SecondFactorRequired { account: account.into(), from, closed };
    Reminders { round, mail, most: BATCH }
}

fn parse_days(text: &str) -> Result<u32, FieldProblem> {
    match model::plain_digits(&model::legible(text)).trim() {
        "" => Err(FieldProblem::Missing),
        text => {
            text.parse().ok().filter(|days| *days <= LONGEST_GRACE).ok_or(FieldProblem::Malformed)
        }
    }
}

fn parse_span(text: &str) -> Result<Option<SessionSpan>, FieldProblem> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| FieldProblem::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use model::{AccountId, AccountNumber, EmailAddress, Keys};
    use store::Vouched;
    use uuid::Uuid;

    use super::*;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_micros(days * 24 * 60 * 60 * 1_000_000)
    }

    /// Somebody who proved by themselves who they are on this day, or for whom the account's own
    /// provider vouched, or both.
    fn viewer(proven: Option<i64>, vouched: Option<i64>) -> Viewer {
        let number = AccountNumber::from_stored(100_001);
        let vouched = vouched.map(|day| Vouched { account: account(), number, at: at(day) });
        Viewer {
            session: Uuid::nil().into(),
            user: Uuid::nil().into(),
            email: EmailAddress::parse("olav@nordlys.example").unwrap(),
            full_name: "Olav Solberg".to_owned(),
            language: None,
            time_zone: None,
            authenticated_at: at(proven.unwrap_or(0)),
            second_factor: false,
            proven: proven.is_some(),
            vouched,
        }
    }

    fn account() -> AccountId {
        Uuid::nil().into()
    }

    /// A user's membership of an account that requires nothing.
    fn membership() -> AccountMembership {
        AccountMembership {
            account: account(),
            number: AccountNumber::from_stored(100_001),
            name: "Bakery".to_owned(),
            time_zone: None,
            keys: Keys::Granted(Vec::new()),
            pause: None,
            last_active_at: None,
            others: Some(Vec::new()),
            second_factor: false,
            policy: AccountPolicy::default(),
            visited_at: None,
            single_sign_on: false,
            gave_address_up: false,
            had_factor: false,
            owners_due_at: None,
        }
    }

    #[test]
    fn whose_proof_counts_in_which_account() {
        use Failure::{AddressGivenUp, SingleSignOn, Unconfirmed};
        use Proof::{TheProviders, TheirOwn};

        let nothing = membership();
        let single_sign_on = AccountMembership { single_sign_on: true, ..membership() };
        let of_old_address = AccountMembership { gave_address_up: true, ..membership() };
        let both = AccountMembership { gave_address_up: true, ..single_sign_on.clone() };
        let of_owner = |membership: &AccountMembership, had_factor| AccountMembership {
            keys: Keys::Owner,
            had_factor,
            ..membership.clone()
        };
        let of_user_with_factor = AccountMembership { had_factor: true, ..single_sign_on.clone() };

        let (own, providers) = (Ok(TheirOwn(at(1))), Ok(TheProviders(at(2))));
        let renewed = Ok(TheirOwn(at(2)));
        // By neither, by themselves on the first day, by the provider on the second, by both.
        let theirs = [Err(Unconfirmed), own.clone(), providers.clone(), renewed.clone()];
        let required = |failure: Failure| {
            [Err(failure.clone()), Err(failure), providers.clone(), providers.clone()]
        };
        let owners = |failure| [Err(failure), own.clone(), providers.clone(), renewed.clone()];
        let cases = [
            (nothing.clone(), theirs.clone()),
            (of_owner(&nothing, false), theirs.clone()),
            (of_owner(&nothing, true), theirs),
            (single_sign_on.clone(), required(SingleSignOn)),
            (of_user_with_factor, required(SingleSignOn)),
            (of_owner(&single_sign_on, false), required(SingleSignOn)),
            (of_owner(&single_sign_on, true), owners(SingleSignOn)),
            (of_old_address.clone(), required(AddressGivenUp)),
            (of_owner(&of_old_address, false), required(AddressGivenUp)),
            (of_owner(&of_old_address, true), owners(AddressGivenUp)),
            (both.clone(), required(SingleSignOn)),
            (of_owner(&both, true), owners(SingleSignOn)),
        ];
        for (membership, expected) in cases {
            let proofs = [(None, None), (Some(1), None), (None, Some(2)), (Some(1), Some(2))];
            for ((proven, vouched), expected) in proofs.into_iter().zip(expected) {
                let counts = proof_that_counts(&viewer(proven, vouched), &membership);
                assert_eq!(counts, expected, "{membership:?}, {proven:?}, {vouched:?}");
            }
        }
    }

    #[test]
    fn a_word_of_another_accounts_provider_counts_nowhere_else() {
        let elsewhere = AccountMembership { account: Uuid::max().into(), ..membership() };
        let proof = proof_that_counts(&viewer(None, Some(2)), &elsewhere);
        assert_eq!(proof, Err(Failure::Unconfirmed));
    }

    #[test]
    fn whom_the_policy_lets_in_for_how_long() {
        use Failure::{NoSecondFactor, Unconfirmed, VouchedLongAgo};

        let (own, providers) = (viewer(Some(20), None), viewer(None, Some(20)));
        let open = membership();
        let requiring = |from, second_factor| {
            let factor = Some(RequiredFactor { since: at(10), from: at(from), asked_at: None });
            let policy = AccountPolicy { factor, ..AccountPolicy::default() };
            AccountMembership { policy, second_factor, ..membership() }
        };
        let bounded = |idle, absolute, visited: Option<i64>| {
            let sessions = SessionSpans { idle, absolute };
            let policy = AccountPolicy { sessions, ..AccountPolicy::default() };
            AccountMembership { policy, visited_at: visited.map(at), ..membership() }
        };
        let (day, week) = (Some(SessionSpan::Day), Some(SessionSpan::Week));
        let closed_and_over = AccountMembership {
            policy: AccountPolicy {
                sessions: SessionSpans { idle: None, absolute: day },
                ..requiring(24, false).policy
            },
            ..membership()
        };
        // The account, the day, and what becomes of who proved it on the 20th by themselves, and of
        // for whom the provider vouched then.
        let cases = [
            (&open, 99, Ok(None), Ok(None)),
            // A second factor from the 24th on.
            (&requiring(24, true), 24, Ok(None), Ok(None)),
            (&requiring(24, false), 23, Ok(Some(at(24))), Ok(Some(at(24)))),
            (&requiring(24, false), 24, Err(NoSecondFactor), Err(NoSecondFactor)),
            // A proof of a week at most, whether the account is used or not.
            (&bounded(None, week, None), 27, Ok(None), Ok(None)),
            (&bounded(None, week, None), 28, Err(Unconfirmed), Err(VouchedLongAgo)),
            (&bounded(None, week, Some(28)), 28, Err(Unconfirmed), Err(VouchedLongAgo)),
            // A day without use at most; a proof is a use.
            (&bounded(day, None, None), 21, Ok(None), Ok(None)),
            (&bounded(day, None, None), 22, Err(Unconfirmed), Err(VouchedLongAgo)),
            (&bounded(day, None, Some(22)), 23, Ok(None), Ok(None)),
            (&bounded(day, None, Some(22)), 24, Err(Unconfirmed), Err(VouchedLongAgo)),
            (&bounded(day, None, Some(18)), 21, Ok(None), Ok(None)),
            // Both.
            (&bounded(day, week, Some(27)), 27, Ok(None), Ok(None)),
            (&bounded(day, week, Some(28)), 28, Err(Unconfirmed), Err(VouchedLongAgo)),
            // The second factor is asked for first: a proof alone wouldn't open the account.
            (&closed_and_over, 24, Err(NoSecondFactor), Err(NoSecondFactor)),
        ];
        for (membership, today, of_own, of_providers) in cases {
            assert_eq!(admit(&own, membership, at(today)), of_own, "{membership:?} on {today}");
            let admitted = admit(&providers, membership, at(today));
            assert_eq!(admitted, of_providers, "{membership:?} on {today}");
        }
    }

    #[test]
    fn a_round_begins_at_each_stage() {
        let factor = RequiredFactor { since: at(10), from: at(24), asked_at: None };
        let asked = RequiredFactor { asked_at: Some(at(22)), ..factor };
        let short = RequiredFactor { from: at(12), ..factor };
        let at_once = RequiredFactor { from: at(10), ..factor };
        let cases = [
            (factor, 10, 10, false),
            (factor, 20, 10, false),
            (factor, 21, 21, false),
            (factor, 24, 24, true),
            (factor, 90, 24, true),
            (asked, 22, 22, false),
            (asked, 24, 24, true),
            (short, 11, 10, false),
            (at_once, 10, 10, true),
        ];
        for (factor, now, round, closed) in cases {
            let reminders = reminders("Bakery", factor, at(now));
            assert_eq!(reminders.round, at(round), "{factor:?} on day {now}");
            let account = "Bakery".into();
            let mail = Mail::SecondFactorRequired { account, from: factor.from, closed };
            assert_eq!(reminders.mail, mail);
        }
    }

    #[test]
    fn how_many_days_there_can_be() {
        for (text, days) in [("0", 0), (" 14 ", 14), ("30", 30)] {
            assert_eq!(parse_days(text), Ok(days));
        }
        assert_eq!(parse_days(" "), Err(FieldProblem::Missing));
        for text in ["31", "-1", "1.5", "two", "99999999999"] {
            assert_eq!(parse_days(text), Err(FieldProblem::Malformed), "{text}");
        }
    }
}
