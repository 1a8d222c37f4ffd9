//! Accounts' policies: what owners require of everybody who enters, and who was reminded of it.

use model::{
    AccountId, EmailAddress, EmailDomains, Failure, Mail, SessionSpan, SessionSpans, Timestamp,
    UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, read, sql, write};
use crate::factors::has_factor;
use crate::{
    Bound, LockedActor, NewActivity, NewMail, Owner, SingleSignOn, SingleSignOnStep, Store,
    activity, limits, locks, memberships, outbox, single_sign_on, users,
};

/// What a [`PolicyRow`] reads, of policies as `p`.
macro_rules! policy_columns {
    () => {
        "p.factor_since, p.factor_from, p.factor_asked_at, p.session_idle, p.session_absolute, \
         p.domains"
    };
}

pub(crate) use policy_columns;

sql! {
    POLICY = concat!("SELECT ", policy_columns!(), " FROM account_policies p WHERE p.account_id = $1");
    SET_POLICY = "INSERT INTO account_policies \
                      (account_id, factor_since, factor_from, factor_asked_at, session_idle, \
                       session_absolute, domains) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7) \
                  ON CONFLICT (account_id) DO UPDATE \
                  SET factor_since = excluded.factor_since, factor_from = excluded.factor_from, \
                      factor_asked_at = excluded.factor_asked_at, \
                      session_idle = excluded.session_idle, \
                      session_absolute = excluded.session_absolute, domains = excluded.domains";
    REQUIRING = "SELECT account_id FROM account_policies \
                 WHERE factor_from IS NOT NULL AND account_id > $1 ORDER BY account_id LIMIT $2";
    REQUIRING_OF = "SELECT a.name FROM memberships m JOIN accounts a ON a.id = m.account_id \
                        JOIN account_policies p ON p.account_id = m.account_id \
                    WHERE m.user_id = $1 AND p.factor_from IS NOT NULL \
                    ORDER BY m.account_key, m.account_id LIMIT $2";
    /// A round later than now was noted by a clock that ran ahead, unless it is the present one.
    TO_REMIND = concat!(
        "SELECT u.id, u.email, u.email_key \
         FROM memberships m JOIN users u ON u.id = m.user_id \
             LEFT JOIN factor_reminders r \
                 ON r.account_id = m.account_id AND r.user_id = m.user_id \
         WHERE m.account_id = $1 \
             AND (coalesce(r.round, 0) < $2 OR (r.round > $4 AND r.round <> $2)) AND NOT ",
        has_factor!("m.user_id"),
        " ORDER BY m.user_id LIMIT $3"
    );
    NOTE_REMINDER = "INSERT INTO factor_reminders (account_id, user_id, round) \
                     VALUES ($1, $2, $3) ON CONFLICT (account_id, user_id) DO UPDATE \
                     SET round = excluded.round \
                     WHERE factor_reminders.round < excluded.round OR factor_reminders.round > $4";
}

/// What an account's owners require of everybody who enters it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// The second factor that entering takes; none when it takes none.
    pub factor: Option<RequiredFactor>,
    /// For how long a session opens the account.
    pub sessions: SessionSpans,
    /// The domains that invitations go to.
    pub domains: EmailDomains,
}

/// A second factor that an account requires of everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredFactor {
    /// Since when it is required.
    pub since: Timestamp,
    /// From when on nobody enters without one.
    pub from: Timestamp,
    /// When an owner last had those reminded who have none.
    pub asked_at: Option<Timestamp>,
}

/// What a change of a policy is decided on: read under lock.
#[derive(Clone, Debug)]
pub struct PolicyFacts {
    /// Who asks.
    pub by: LockedActor,
    /// Whether they have a second factor; they keep or lack it until the change is written.
    pub has_factor: bool,
    /// The account's owners.
    pub owners: Vec<Owner>,
    /// The policy.
    pub policy: AccountPolicy,
    /// How the account's own people sign in.
    pub single_sign_on: SingleSignOn,
}

/// What becomes of a policy.
#[derive(Clone, Debug)]
pub struct PolicyChange {
    /// The policy from now on.
    pub policy: AccountPolicy,
    /// What becomes of how the account's own people sign in.
    pub single_sign_on: Option<SingleSignOnStep>,
    /// The log's row; none when no rule changes.
    pub entry: Option<NewActivity>,
    /// The mails that tell of it.
    pub mails: Vec<NewMail>,
    /// What it counts against.
    pub bounds: Vec<Bound>,
    /// Whom it reminds.
    pub reminders: Option<Reminders>,
}

/// Mails to users of an account who have no second factor.
#[derive(Clone, Debug)]
pub struct Reminders {
    /// The round: whoever was reached by it, or by a later one, is left alone.
    pub round: Timestamp,
    /// The mail to each of them.
    pub mail: Mail,
    /// To how many at most; the others' turn comes with the next call.
    pub most: usize,
}

/// An account that requires a second factor.
#[derive(Clone, Debug)]
pub struct RequiringAccount {
    /// Its name.
    pub name: String,
    /// What it requires.
    pub factor: RequiredFactor,
}

/// The columns are NULL where an account has no policy.
#[derive(FromRow, Default)]
pub(crate) struct PolicyRow {
    factor_since: Option<i64>,
    factor_from: Option<i64>,
    factor_asked_at: Option<i64>,
    session_idle: Option<i64>,
    session_absolute: Option<i64>,
    domains: Option<String>,
}

impl From<PolicyRow> for AccountPolicy {
    fn from(row: PolicyRow) -> Self {
        let required = row.factor_since.zip(row.factor_from);
        let factor = required.map(|(since, from)| RequiredFactor {
            since: Timestamp::from_micros(since),
            from: Timestamp::from_micros(from),
            asked_at: row.factor_asked_at.map(Timestamp::from_micros),
        });
        Self {
            factor,
            sessions: SessionSpans {
                idle: row.session_idle.map(SessionSpan::from_stored),
                absolute: row.session_absolute.map(SessionSpan::from_stored),
            },
            domains: read_domains(row.domains.as_deref()),
        }
    }
}

impl Store {
    /// The account's policy.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn policy(&self, account: AccountId) -> Result<AccountPolicy, Failure> {
        let row: Option<PolicyRow> =
            read!(self, db => query_as(POLICY).bind(Uuid::from(account)).fetch_optional(db))?;
        Ok(row.unwrap_or_default().into())
    }

    /// Changes the account's policy: locks the account and the actor's factors, reads the facts,
    /// asks `decide`, writes policy, log and mails, or nothing when it answers none.
    ///
    /// # Errors
    /// What `decide` answers, [`Failure::NotFound`] when the user isn't in the account,
    /// [`Failure::TooMany`] beyond a bound of the change, [`Conflict::DomainTaken`] when another
    /// account has proven the domain, [`Conflict::SignInFirst`] when what is required isn't what the
    /// actor's session began by, [`Failure::Unavailable`].
    ///
    /// [`Conflict::DomainTaken`]: model::Conflict::DomainTaken
    /// [`Conflict::SignInFirst`]: model::Conflict::SignInFirst
    pub async fn change_policy(
        &self,
        account: AccountId,
        actor: UserId,
        now: Timestamp,
        decide: impl FnOnce(&PolicyFacts) -> Result<Option<PolicyChange>, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = memberships::locked_actor(&mut tx, account, actor, now).await?;
        // Factors are turned on and off under this lock.
        locks::user(&mut tx, actor).await?;
        let has_factor = users::has_factor(&mut tx, actor).await?;
        let owners = memberships::owners(&mut tx, account).await?;
        let policy = find(&mut tx, account).await?;
        let single_sign_on = single_sign_on::find(&mut tx, account).await?;
        let facts = PolicyFacts { by, has_factor, owners, policy, single_sign_on };

        let Some(change) = decide(&facts)? else { return Ok(()) };
        limits::keep_within(&mut tx, &change.bounds, now).await?;
        set(&mut tx, account, &change.policy).await?;
        if let Some(step) = &change.single_sign_on {
            single_sign_on::take(&mut tx, account, step, now).await?;
        }
        for mail in &change.mails {
            outbox::queue(&mut tx, mail, Some(account), now).await?;
        }
        if let Some(reminders) = &change.reminders {
            remind(&mut tx, account, reminders, now).await?;
        }
        if let Some(entry) = &change.entry {
            activity::append(&mut tx, account, entry, now).await?;
        }
        tx.commit().await
    }

    /// Accounts that require a second factor, in the order of their ids and after this one, at most
    /// `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn requiring_accounts(
        &self,
        after: Option<AccountId>,
        most: usize,
    ) -> Result<Vec<AccountId>, Failure> {
        let ids: Vec<Uuid> = read!(self, db => query_scalar(REQUIRING)
            .bind(after.map_or(Uuid::nil(), Uuid::from))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(ids.into_iter().map(AccountId::from).collect())
    }

    /// The names of the user's accounts that require a second factor, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn requiring_accounts_of(
        &self,
        user: UserId,
        most: usize,
    ) -> Result<Vec<String>, Failure> {
        read!(self, db => query_scalar(REQUIRING_OF)
            .bind(Uuid::from(user))
            .bind(limit(most))
            .fetch_all(db))
    }

    /// Reminds users of the account who have no second factor, as `decide` says of what the
    /// account requires at this moment. Answers how many.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
    pub async fn remind_of_factor(
        &self,
        account: AccountId,
        now: Timestamp,
        decide: impl FnOnce(&RequiringAccount) -> Reminders + Send,
    ) -> Result<usize, Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let name = locks::account(&mut tx, account, now).await?;
        let Some(factor) = find(&mut tx, account).await?.factor else { return Ok(0) };
        let reminders = decide(&RequiringAccount { name, factor });
        let reminded = remind(&mut tx, account, &reminders, now).await?;
        if reminded > 0 {
            tx.commit().await?;
        }
        Ok(reminded)
    }
}

/// The domains that the account, which is locked, invites.
pub(crate) async fn domains(tx: &mut Tx, account: AccountId) -> Result<EmailDomains, Failure> {
    Ok(find(tx, account).await?.domains)
}

/// Reads the domains of a policy that there may be none of.
pub(crate) fn read_domains(stored: Option<&str>) -> EmailDomains {
    EmailDomains::from_stored(stored.unwrap_or_default())
}

async fn find(tx: &mut Tx, account: AccountId) -> Result<AccountPolicy, Failure> {
    let row: Option<PolicyRow> =
        read!(tx, db => query_as(POLICY).bind(Uuid::from(account)).fetch_optional(db))?;
    Ok(row.unwrap_or_default().into())
}

async fn set(tx: &mut Tx, account: AccountId, policy: &AccountPolicy) -> Result<(), Failure> {
    let AccountPolicy { factor, sessions, domains } = policy;
    let minutes = |span: Option<SessionSpan>| span.map(|span| i64::from(span.minutes()));
    let asked_at = factor.and_then(|factor| factor.asked_at);
    write!(tx, db => query(SET_POLICY)
        .bind(Uuid::from(account))
        .bind(factor.map(|factor| factor.since.as_micros()))
        .bind(factor.map(|factor| factor.from.as_micros()))
        .bind(asked_at.map(Timestamp::as_micros))
        .bind(minutes(sessions.idle))
        .bind(minutes(sessions.absolute))
        .bind(domains.to_stored())
        .execute(db))?;
    Ok(())
}

async fn remind(
    tx: &mut Tx,
    account: AccountId,
    reminders: &Reminders,
    now: Timestamp,
) -> Result<usize, Failure> {
    let (id, round) = (Uuid::from(account), reminders.round.as_micros());
    let people: Vec<(Uuid, String, String)> = read!(tx, db => query_as(TO_REMIND)
        .bind(id)
        .bind(round)
        .bind(limit(reminders.most))
        .bind(now.as_micros())
        .fetch_all(db))?;
    let reminded = people.len();
    for (user, email, key) in people {
        write!(tx, db => query(NOTE_REMINDER)
            .bind(id)
            .bind(user)
            .bind(round)
            .bind(now.as_micros())
            .execute(db))?;
        let to = EmailAddress::from_stored(email, key);
        let mail = NewMail::to(to, reminders.mail.clone());
        outbox::queue(tx, &mail, Some(account), now).await?;
    }
    Ok(reminded)
}
