//! Accounts' own identity providers: the domains that an account has proven to be its own, the
//! provider, and whether it is required of everybody with an address of such a domain.

use model::{
    AccountId, AccountNumber, Conflict, EmailAddress, EmailDomain, EmailDomains, Failure,
    PolicyRule, Secret, SessionId, Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, read, sql, taken_as, write};
use crate::{NewActivity, NewMail, Owner, Store, activity, locks, memberships, outbox};

macro_rules! provider {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.number, a.name, w.issuer, w.client_id, w.client_secret, \
             w.demanded_since AS required_since \
             FROM account_providers w JOIN accounts a ON a.id = w.account_id ",
            $which
        )
    };
}

sql! {
    PROVIDER = provider!("WHERE w.account_id = $1");
    PROVIDER_OF_DOMAIN = provider!(
        "JOIN account_domains d ON d.account_id = w.account_id \
         WHERE d.domain = $1 AND d.proven_at IS NOT NULL"
    );
    DOMAINS = "SELECT domain, token, proven_at FROM account_domains \
               WHERE account_id = $1 ORDER BY domain";
    IS_PROVEN = "SELECT EXISTS (SELECT 1 FROM account_domains \
                 WHERE account_id = $1 AND domain = $2 AND proven_at IS NOT NULL)";
    IS_SET_UP = "SELECT EXISTS (SELECT 1 FROM account_providers w \
                     JOIN account_domains d ON d.account_id = w.account_id \
                 WHERE d.proven_at IS NOT NULL)";
    ADD_DOMAIN = "INSERT INTO account_domains (account_id, domain, token) VALUES ($1, $2, $3) \
                  ON CONFLICT (account_id, domain) DO NOTHING";
    /// A unique index knows whether another account was faster.
    PROVE_DOMAIN = "UPDATE account_domains SET proven_at = $3 \
                    WHERE account_id = $1 AND domain = $2 AND proven_at IS NULL";
    REMOVE_DOMAIN = "DELETE FROM account_domains WHERE account_id = $1 AND domain = $2";
    SET_SECRET = "UPDATE account_providers SET client_secret = $4 \
                  WHERE account_id = $1 AND issuer = $2 AND client_id = $3";
    /// What hangs on it goes with it: identities, and what began by them.
    REMOVE_PROVIDER = "DELETE FROM account_providers WHERE account_id = $1";
    ADD_PROVIDER = "INSERT INTO account_providers (account_id, issuer, client_id, client_secret) \
                    VALUES ($1, $2, $3, $4)";
    REQUIRE = "UPDATE account_providers SET demanded_since = $2 \
               WHERE account_id = $1 AND EXISTS \
                   (SELECT 1 FROM sessions s JOIN identities i ON i.id = s.identity_id \
                    WHERE s.id = $3 AND i.account_id = $1)";
    LIFT = "UPDATE account_providers SET demanded_since = NULL WHERE account_id = $1";
    /// A domain is proven for one account alone.
    BIND = "UPDATE memberships SET bound_domain = $2 \
            WHERE user_id = $1 AND account_id IN \
                (SELECT w.account_id FROM account_providers w \
                     JOIN account_domains d ON d.account_id = w.account_id \
                 WHERE d.domain = $2 AND d.proven_at IS NOT NULL AND w.demanded_since IS NOT NULL)";
    UNBIND = "UPDATE memberships SET bound_domain = NULL \
              WHERE account_id = $1 AND bound_domain IS NOT NULL";
    UNBIND_FROM = "UPDATE memberships SET bound_domain = NULL \
                   WHERE account_id = $1 AND bound_domain = $2";
    UNBIND_USER = "UPDATE memberships SET bound_domain = NULL \
                   WHERE user_id = $1 AND bound_domain IS NOT NULL AND EXISTS \
                       (SELECT 1 FROM account_domains d \
                        WHERE d.account_id = memberships.account_id AND d.domain = $2 \
                            AND d.proven_at IS NOT NULL)";
    ACCOUNT = "SELECT id FROM accounts WHERE number = $1";
    HOLDER = "SELECT account_id FROM account_domains \
              WHERE domain = $1 AND proven_at IS NOT NULL";
}

/// An account's own identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProvider {
    /// The account.
    pub account: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// The provider's address, as it names itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// By which it knows us.
    pub client_secret: Secret,
    /// Since when everybody signs in with it who has an address of a proven domain.
    pub required_since: Option<Timestamp>,
}

/// A domain that an account says to be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDomain {
    /// The domain.
    pub domain: EmailDomain,
    /// What its TXT record must hold.
    pub token: String,
    /// When that was seen.
    pub proven_at: Option<Timestamp>,
}

/// How an account's own people sign in.
#[derive(Clone, Debug, Default)]
pub struct SingleSignOn {
    /// The account's provider, if it has one.
    pub provider: Option<AccountProvider>,
    /// Its domains, in the order of their ASCII forms.
    pub domains: Vec<AccountDomain>,
}

impl SingleSignOn {
    fn new(provider: Option<AccountProvider>, domains: Vec<DomainRow>) -> Self {
        Self { provider, domains: domains.into_iter().map(Into::into).collect() }
    }

    /// Whether signing in with the provider is required.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.provider.as_ref().is_some_and(|provider| provider.required_since.is_some())
    }

    /// The proven domains.
    #[must_use]
    pub fn proven(&self) -> EmailDomains {
        let proven = self.domains.iter().filter(|one| one.proven_at.is_some());
        proven.fold(EmailDomains::default(), |all, one| all.with(one.domain.clone()))
    }
}

/// What becomes of how an account's own people sign in.
#[derive(Clone, Debug)]
pub enum SingleSignOnStep {
    /// A domain that is to be proven, and what its record must hold.
    AddDomain(EmailDomain, String),
    /// A domain whose record was seen.
    ProveDomain(EmailDomain),
    /// A domain that is the account's no longer; identities with its addresses go with it.
    RemoveDomain(EmailDomain),
    /// Another provider, or another secret of the same.
    SetProvider {
        /// Its address.
        issuer: String,
        /// What it calls us.
        client_id: String,
        /// By which it knows us.
        client_secret: Secret,
    },
    /// None any more.
    RemoveProvider,
    /// It is required, by somebody whose session began by it.
    Require(SessionId),
    /// It isn't required any more.
    Lift,
}

#[derive(FromRow)]
struct ProviderRow {
    id: Uuid,
    number: i64,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    required_since: Option<i64>,
}

impl From<ProviderRow> for AccountProvider {
    fn from(row: ProviderRow) -> Self {
        Self {
            account: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            name: row.name,
            issuer: row.issuer,
            client_id: row.client_id,
            client_secret: row.client_secret.into(),
            required_since: row.required_since.map(Timestamp::from_micros),
        }
    }
}

#[derive(FromRow)]
struct DomainRow {
    domain: String,
    token: String,
    proven_at: Option<i64>,
}

impl From<DomainRow> for AccountDomain {
    fn from(row: DomainRow) -> Self {
        Self {
            domain: EmailDomain::from_stored(row.domain),
            token: row.token,
            proven_at: row.proven_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// How the account's own people sign in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn single_sign_on(&self, account: AccountId) -> Result<SingleSignOn, Failure> {
        let provider = self.account_provider(account).await?;
        let domains: Vec<DomainRow> =
            read!(self, db => query_as(DOMAINS).bind(Uuid::from(account)).fetch_all(db))?;
        Ok(SingleSignOn::new(provider, domains))
    }

    /// The account's own identity provider.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account_provider(
        &self,
        account: AccountId,
    ) -> Result<Option<AccountProvider>, Failure> {
        let row: Option<ProviderRow> =
            read!(self, db => query_as(PROVIDER).bind(Uuid::from(account)).fetch_optional(db))?;
        Ok(row.map(Into::into))
    }

    /// The identity provider of the account that has proven this domain.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn provider_of_domain(
        &self,
        domain: &EmailDomain,
    ) -> Result<Option<AccountProvider>, Failure> {
        let row: Option<ProviderRow> = read!(self, db => query_as(PROVIDER_OF_DOMAIN).bind(domain.as_str()).fetch_optional(db))?;
        Ok(row.map(Into::into))
    }

    /// Whether the account has proven this domain.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn has_proven(
        &self,
        account: AccountId,
        domain: &EmailDomain,
    ) -> Result<bool, Failure> {
        read!(self, db => query_scalar(IS_PROVEN)
            .bind(Uuid::from(account))
            .bind(domain.as_str())
            .fetch_one(db))
    }

    /// Whether there is an account whose people can sign in with its own provider.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn has_single_sign_on(&self) -> Result<bool, Failure> {
        read!(self, db => query_scalar(IS_SET_UP).fetch_one(db))
    }

    /// Requires an account's own provider no longer, and writes what `tell` makes of the account's
    /// name and its owners: the log's row and mails. Answers false when it isn't required.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is no such account, [`Failure::Unavailable`].
    pub async fn lift_single_sign_on(
        &self,
        number: AccountNumber,
        now: Timestamp,
        tell: impl FnOnce(&str, &[Owner]) -> (NewActivity, Vec<NewMail>) + Send,
    ) -> Result<bool, Failure> {
        let id: Option<Uuid> =
            read!(self, db => query_scalar(ACCOUNT).bind(number.get()).fetch_optional(db))?;
        let account = AccountId::from(id.ok_or(Failure::NotFound)?);
        let mut tx = self.begin_locking([account.into()]).await?;
        let name = locks::account(&mut tx, account, now).await?;
        if !find(&mut tx, account).await?.is_required() {
            return Ok(false);
        }
        take(&mut tx, account, &SingleSignOnStep::Lift, now).await?;
        let owners = memberships::owners(&mut tx, account).await?;
        let news = tell(&name, &owners);
        note(&mut tx, account, &news, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a domain away from the account that has proven it; with its last one, its provider is
    /// required no longer. Writes what `tell` makes of the account's name, its owners, and each rule
    /// before and after: the log's row and mails. Answers false when no account has proven it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn release_domain(
        &self,
        domain: &EmailDomain,
        now: Timestamp,
        tell: impl Fn(&str, &[Owner], &PolicyRule, &PolicyRule) -> (NewActivity, Vec<NewMail>) + Send,
    ) -> Result<bool, Failure> {
        let id: Option<Uuid> =
            read!(self, db => query_scalar(HOLDER).bind(domain.as_str()).fetch_optional(db))?;
        let Some(account) = id.map(AccountId::from) else { return Ok(false) };
        let mut tx = self.begin_locking([account.into()]).await?;
        let name = locks::account(&mut tx, account, now).await?;
        let found = find(&mut tx, account).await?;
        let before = found.proven();
        if !before.contain(domain) {
            return Ok(false);
        }
        let owners = memberships::owners(&mut tx, account).await?;
        let after = before.without(domain);
        let lifted = found.is_required() && after.is_empty();
        take(&mut tx, account, &SingleSignOnStep::RemoveDomain(domain.clone()), now).await?;
        let (before, after) = (PolicyRule::ProvenDomains(before), PolicyRule::ProvenDomains(after));
        note(&mut tx, account, &tell(&name, &owners, &before, &after), now).await?;
        if lifted {
            take(&mut tx, account, &SingleSignOnStep::Lift, now).await?;
            let (before, after) = (PolicyRule::SingleSignOn(true), PolicyRule::SingleSignOn(false));
            note(&mut tx, account, &tell(&name, &owners, &before, &after), now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Mails it, and appends it to the account's log.
async fn note(
    tx: &mut Tx,
    account: AccountId,
    (entry, mails): &(NewActivity, Vec<NewMail>),
    now: Timestamp,
) -> Result<(), Failure> {
    for mail in mails {
        outbox::queue(tx, mail, Some(account), now).await?;
    }
    activity::append(tx, account, entry, now).await
}

/// How the people of the account, which is locked, sign in.
pub(crate) async fn find(tx: &mut Tx, account: AccountId) -> Result<SingleSignOn, Failure> {
    let account = Uuid::from(account);
    let provider: Option<ProviderRow> =
        read!(tx, db => query_as(PROVIDER).bind(account).fetch_optional(db))?;
    let domains: Vec<DomainRow> = read!(tx, db => query_as(DOMAINS).bind(account).fetch_all(db))?;
    Ok(SingleSignOn::new(provider.map(Into::into), domains))
}

/// Takes a step for the account, which is locked.
pub(crate) async fn take(
    tx: &mut Tx,
    account: AccountId,
    step: &SingleSignOnStep,
    now: Timestamp,
) -> Result<(), Failure> {
    let account = Uuid::from(account);
    match step {
        SingleSignOnStep::AddDomain(domain, token) => {
            let domain = domain.as_str();
            write!(tx, db => query(ADD_DOMAIN).bind(account).bind(domain).bind(token).execute(db))?;
        }
        SingleSignOnStep::ProveDomain(domain) => {
            write!(tx, db => query(PROVE_DOMAIN)
                .bind(account)
                .bind(domain.as_str())
                .bind(now.as_micros())
                .execute(db), taken_as(Conflict::DomainTaken))?;
        }
        SingleSignOnStep::RemoveDomain(domain) => {
            let domain = domain.as_str();
            write!(tx, db => query(REMOVE_DOMAIN).bind(account).bind(domain).execute(db))?;
            write!(tx, db => query(UNBIND_FROM).bind(account).bind(domain).execute(db))?;
        }
        SingleSignOnStep::SetProvider { issuer, client_id, client_secret } => {
            let same = write!(tx, db => query(SET_SECRET)
                .bind(account)
                .bind(issuer)
                .bind(client_id)
                .bind(client_secret.expose())
                .execute(db))?;
            if same == 0 {
                write!(tx, db => query(REMOVE_PROVIDER).bind(account).execute(db))?;
                write!(tx, db => query(ADD_PROVIDER)
                    .bind(account)
                    .bind(issuer)
                    .bind(client_id)
                    .bind(client_secret.expose())
                    .execute(db))?;
            }
        }
        SingleSignOnStep::RemoveProvider => {
            write!(tx, db => query(REMOVE_PROVIDER).bind(account).execute(db))?;
        }
        SingleSignOnStep::Require(session) => {
            let required = write!(tx, db => query(REQUIRE)
                .bind(account)
                .bind(now.as_micros())
                .bind(Uuid::from(*session))
                .execute(db))?;
            if required == 0 {
                return Err(Failure::Conflict(Conflict::SignInFirst));
            }
        }
        SingleSignOnStep::Lift => {
            write!(tx, db => query(LIFT).bind(account).execute(db))?;
            write!(tx, db => query(UNBIND).bind(account).execute(db))?;
        }
    }
    Ok(())
}

/// Another address frees a user of nothing: they stay bound to the provider of the account that
/// requires it of addresses like the one that they give up, unless it knows the new one as well.
pub(crate) async fn bind(
    tx: &mut Tx,
    user: UserId,
    before: &EmailAddress,
    after: &EmailAddress,
) -> Result<(), Failure> {
    let user = Uuid::from(user);
    let (before, after) = (EmailDomain::of(before), EmailDomain::of(after));
    write!(tx, db => query(BIND).bind(user).bind(before.as_str()).execute(db))?;
    write!(tx, db => query(UNBIND_USER).bind(user).bind(after.as_str()).execute(db))?;
    Ok(())
}

/// Whether the account has a provider with this address, and has proven this domain, at this moment.
pub(crate) async fn still_stands(
    tx: &mut Tx,
    account: AccountId,
    issuer: &str,
    domain: &EmailDomain,
) -> Result<bool, Failure> {
    let account = Uuid::from(account);
    let provider: Option<ProviderRow> =
        read!(tx, db => query_as(PROVIDER).bind(account).fetch_optional(db))?;
    let proven: bool = read!(tx, db => query_scalar(IS_PROVEN)
        .bind(account)
        .bind(domain.as_str())
        .fetch_one(db))?;
    Ok(proven && provider.is_some_and(|provider| provider.issuer == issuer))
}
