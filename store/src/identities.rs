//! Identities at identity providers, the operator's and accounts' own: which login each opens, ways
//! to a provider and back that aren't over, and identities that wait to be linked.

use model::{
    AccountId, Conflict, EmailAddress, EmailDomain, Failure, Identity, IdentityId, Secret,
    Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, alive, gone_as, new_id, read, sql, write};
use crate::{
    FactorChange, NewMail, NewSession, Store, TokenHash, factors, locks, memberships, outbox,
    sessions, single_sign_on, users,
};

/// Which identity: NULL as its account stands for the operator's providers.
macro_rules! identity {
    () => {
        "issuer = $1 AND subject = $2 AND \
         (account_id = $3 OR (account_id IS NULL AND $3 IS NULL))"
    };
}

sql! {
    BEGIN = "INSERT INTO identity_sign_ins (token_hash, provider, account_id, expires_at) \
             VALUES ($1, $2, $3, $4)";
    UNDER_WAY = concat!(
        "SELECT provider, account_id FROM identity_sign_ins WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2")
    );
    RETURN = concat!(
        "DELETE FROM identity_sign_ins WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2"),
        " RETURNING provider, account_id"
    );
    OFFER = "INSERT INTO identity_offers \
                 (token_hash, account_id, issuer, subject, email, email_key, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OFFERED = concat!(
        "SELECT account_id, issuer, subject, email, email_key FROM identity_offers \
         WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2")
    );
    TAKE_OFFER = concat!(
        "DELETE FROM identity_offers WHERE token_hash = $1 AND ",
        alive!("expires_at", "$2"),
        " RETURNING account_id, issuer, subject, email, email_key"
    );
    LOGIN_OF_IDENTITY = concat!("SELECT user_id FROM identities WHERE ", identity!());
    USE = concat!(
        "UPDATE identities SET last_used_at = $5 WHERE ",
        identity!(),
        " AND user_id = $4 RETURNING id"
    );
    LINK = "INSERT INTO identities \
                (id, user_id, account_id, domain, issuer, subject, email, since) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    LINKED = "SELECT id, account_id, issuer, subject, email, since, last_used_at FROM identities \
              WHERE user_id = $1 ORDER BY since, id";
    DROP_SINCE = "DELETE FROM identities WHERE user_id = $1 AND since >= $2";
    UNLINK = "DELETE FROM identities WHERE user_id = $1 AND id = $2";
    DROP_ACCOUNTS = "DELETE FROM identities WHERE user_id = $1 AND account_id IS NOT NULL";
}

/// Who vouches for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The operator's identity provider with this id in the settings.
    Operators(String),
    /// The account's own one.
    Accounts(AccountId),
}

impl Provider {
    fn stored(&self) -> (Option<&str>, Option<Uuid>) {
        match self {
            Self::Operators(id) => (Some(id), None),
            Self::Accounts(account) => (None, Some(Uuid::from(*account))),
        }
    }

    fn from_stored((id, account): (Option<String>, Option<Uuid>)) -> Option<Self> {
        let account = account.map(|account| Self::Accounts(account.into()));
        account.or_else(|| id.map(Self::Operators))
    }
}

/// An identity that may be linked to the login with its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityOffer {
    /// The account whose own provider it is at.
    pub account: Option<AccountId>,
    /// The identity.
    pub identity: Identity,
    /// The address that the provider verified.
    pub email: EmailAddress,
}

/// An identity that opens a login.
#[derive(Clone, Debug)]
pub struct LinkedIdentity {
    /// The link's id.
    pub id: IdentityId,
    /// The account whose own provider it is at.
    pub account: Option<AccountId>,
    /// The identity.
    pub identity: Identity,
    /// The address that it was linked by.
    pub email: String,
    /// Since when.
    pub since: Timestamp,
    /// When somebody last signed in by it.
    pub last_used_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct OfferRow {
    account_id: Option<Uuid>,
    issuer: String,
    subject: String,
    email: String,
    email_key: String,
}

impl From<OfferRow> for IdentityOffer {
    fn from(row: OfferRow) -> Self {
        Self {
            account: row.account_id.map(AccountId::from),
            identity: Identity::from_stored(row.issuer, row.subject),
            email: EmailAddress::from_stored(row.email, row.email_key),
        }
    }
}

#[derive(FromRow)]
struct LinkedRow {
    id: Uuid,
    account_id: Option<Uuid>,
    issuer: String,
    subject: String,
    email: String,
    since: i64,
    last_used_at: Option<i64>,
}

impl Store {
    /// Notes that a browser goes to an identity provider.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the account has none any more; [`Failure::Unavailable`].
    pub async fn begin_identity_sign_in(
        &self,
        token_hash: &TokenHash,
        provider: &Provider,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (provider, account) = provider.stored();
        write!(self, db => query(BEGIN)
            .bind(&token_hash[..])
            .bind(provider)
            .bind(account)
            .bind(expires_at.as_micros())
            .execute(db), gone_as(Conflict::SignInOver))?;
        Ok(())
    }

    /// To which provider the browser with this token is on its way; none when that is over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn identity_sign_in(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Provider>, Failure> {
        let row: Option<(Option<String>, Option<Uuid>)> = read!(self, db => query_as(UNDER_WAY)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.and_then(Provider::from_stored))
    }

    /// Ends the way of the browser with this token, which is back from the provider; none when that
    /// is over already: it comes back once.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn return_from_identity_provider(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Provider>, Failure> {
        let mut tx = self.begin().await?;
        let row: Option<(Option<String>, Option<Uuid>)> = read!(tx, db => query_as(RETURN)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        tx.commit().await?;
        Ok(row.and_then(Provider::from_stored))
    }

    /// Whose login this identity opens: at an operator's provider wholly, at an account's own for
    /// that account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn user_of_identity(
        &self,
        account: Option<AccountId>,
        identity: &Identity,
    ) -> Result<Option<UserId>, Failure> {
        let user: Option<Uuid> = read!(self, db => query_scalar(LOGIN_OF_IDENTITY)
            .bind(identity.issuer())
            .bind(identity.subject())
            .bind(account.map(Uuid::from))
            .fetch_optional(db))?;
        Ok(user.map(UserId::from))
    }

    /// Begins a session for the user whose login the identity opens, and ends the one that the same
    /// browser had. The operator's provider asked them who they are at `proven_at`; an account's own
    /// proves nothing, and the session opens that account alone.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the identity opens it no more, the password was changed, or a
    /// second factor is asked for since then; [`Failure::Unavailable`].
    #[expect(clippy::too_many_arguments, reason = "who, by what, for whom, in place of what, when")]
    pub async fn begin_session_by_identity(
        &self,
        account: Option<AccountId>,
        identity: &Identity,
        user: UserId,
        session: &NewSession,
        proven_at: Timestamp,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let used = use_identity(&mut tx, account, identity, user, now).await?;
        let session = NewSession { identity: account.map(|_| used), ..session.clone() };
        sessions::replace(&mut tx, user, &session, instead_of, now).await.map_err(over)?;
        sessions::prove(&mut tx, &session.token_hash, false, proven_at).await?;
        tx.commit().await
    }

    /// Notes that an identity at an account's own provider vouches for the user in their session.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the identity doesn't open the login any more;
    /// [`Failure::Unavailable`].
    pub async fn vouch_for_session(
        &self,
        account: AccountId,
        identity: &Identity,
        user: UserId,
        session: &TokenHash,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let used = use_identity(&mut tx, Some(account), identity, user, now).await?;
        sessions::vouch(&mut tx, session, user, used, now).await?;
        tx.commit().await
    }

    /// Notes a sign-in by an identity whose second factor is still to come.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the identity doesn't open the login any more;
    /// [`Failure::Unavailable`].
    #[expect(clippy::too_many_arguments, reason = "who, by what, recognised by what, until when")]
    pub async fn begin_sign_in_by_identity(
        &self,
        account: Option<AccountId>,
        identity: &Identity,
        user: UserId,
        token_hash: &TokenHash,
        password_hash: &Secret,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let used = use_identity(&mut tx, account, identity, user, now).await?;
        let identity = account.map(|_| used);
        factors::begin_sign_in(&mut tx, user, token_hash, password_hash, identity, expires_at)
            .await?;
        tx.commit().await
    }

    /// Keeps an identity for whoever has the token, to be linked to the login with its address.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when its account has no provider any more;
    /// [`Failure::Unavailable`].
    pub async fn offer_identity(
        &self,
        token_hash: &TokenHash,
        offer: &IdentityOffer,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(OFFER)
            .bind(&token_hash[..])
            .bind(offer.account.map(Uuid::from))
            .bind(offer.identity.issuer())
            .bind(offer.identity.subject())
            .bind(offer.email.as_str())
            .bind(offer.email.key())
            .bind(expires_at.as_micros())
            .execute(db), gone_as(Conflict::SignInOver))?;
        Ok(())
    }

    /// The identity that whoever has this token may link; none when that is over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn offered_identity(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<IdentityOffer>, Failure> {
        let row: Option<OfferRow> = read!(self, db => query_as(OFFERED)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.map(IdentityOffer::from))
    }

    /// Links the offered identity to the user's login, which must have the verified address at this
    /// moment, and tells them. `by_factor` says whether they proved by a second factor who they are.
    /// An identity at an account's own provider vouches for them in their session from then on.
    ///
    /// # Errors
    /// [`Failure::FactorUnconfirmed`] beside a second factor; [`Conflict::SignInOver`] when the offer
    /// is over or the identity opens a login already; [`Conflict::OtherLogin`];
    /// [`Conflict::NotInAccount`] when the user, or the address's domain, isn't the account's (any
    /// more); [`Failure::Unavailable`].
    pub async fn link_identity(
        &self,
        token_hash: &TokenHash,
        user: UserId,
        session: &TokenHash,
        by_factor: bool,
        mail: &NewMail,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let offer: Option<OfferRow> = read!(self, db => query_as(OFFERED)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let account = offer.and_then(|offer| offer.account_id).map(AccountId::from);
        let locked = account.map(Uuid::from).into_iter().chain([user.into()]);
        let mut tx = self.begin_locking(locked).await?;
        // The account before the user: what the link hangs on stays until it is written.
        if let Some(account) = account {
            locks::account(&mut tx, account, now).await?;
        }
        let login = locks::user(&mut tx, user).await?;
        if !by_factor && users::has_factor(&mut tx, user).await? {
            return Err(Failure::FactorUnconfirmed);
        }
        let row: Option<OfferRow> = read!(tx, db => query_as(TAKE_OFFER)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        let offer = row.map(IdentityOffer::from).ok_or(Failure::Conflict(Conflict::SignInOver))?;
        if login.email() != offer.email {
            return Err(Failure::Conflict(Conflict::OtherLogin));
        }
        let domain = EmailDomain::of(&offer.email);
        if let Some(account) = account {
            let issuer = offer.identity.issuer();
            let elsewhere = Failure::Conflict(Conflict::NotInAccount);
            match memberships::locked_actor(&mut tx, account, user, now).await {
                Err(Failure::NotFound) => return Err(elsewhere),
                by => by?,
            };
            if !single_sign_on::still_stands(&mut tx, account, issuer, &domain).await? {
                return Err(elsewhere);
            }
        }
        let id = new_id(now);
        let linked = write!(tx, db => query(LINK)
            .bind(id)
            .bind(Uuid::from(user))
            .bind(account.map(Uuid::from))
            .bind(account.map(|_| domain.as_str()))
            .bind(offer.identity.issuer())
            .bind(offer.identity.subject())
            .bind(offer.email.as_str())
            .bind(now.as_micros())
            .execute(db))?;
        if linked == 0 {
            return Err(Failure::Conflict(Conflict::SignInOver));
        }
        if account.is_some() {
            sessions::vouch(&mut tx, session, user, id.into(), now).await?;
        }
        outbox::queue(&mut tx, mail, None, now).await?;
        tx.commit().await
    }

    /// The identities that open the user's login, the first linked first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn linked_identities(&self, user: UserId) -> Result<Vec<LinkedIdentity>, Failure> {
        let rows: Vec<LinkedRow> =
            read!(self, db => query_as(LINKED).bind(Uuid::from(user)).fetch_all(db))?;
        let linked = |row: LinkedRow| LinkedIdentity {
            id: row.id.into(),
            account: row.account_id.map(AccountId::from),
            identity: Identity::from_stored(row.issuer, row.subject),
            email: row.email,
            since: Timestamp::from_micros(row.since),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        };
        Ok(rows.into_iter().map(linked).collect())
    }

    /// Has an identity open the user's login no more: their other sessions end, and every sign-in
    /// that is half-way.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it doesn't (any more), [`Failure::Unavailable`].
    pub async fn unlink_identity(
        &self,
        user: UserId,
        id: IdentityId,
        change: &FactorChange,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        locks::user(&mut tx, user).await?;
        // Before the sessions that end with it, as everywhere.
        factors::drop_sign_ins(&mut tx, user).await?;
        let unlinked = write!(tx, db => query(UNLINK)
            .bind(Uuid::from(user))
            .bind(Uuid::from(id))
            .execute(db))?;
        if unlinked == 0 {
            return Err(Failure::NotFound);
        }
        factors::changed(&mut tx, user, change, now).await?;
        tx.commit().await
    }
}

/// Has the identities that were linked since then open the user's login no more.
pub(crate) async fn drop_since(tx: &mut Tx, user: UserId, since: Timestamp) -> Result<(), Failure> {
    write!(tx, db => query(DROP_SINCE)
        .bind(Uuid::from(user))
        .bind(since.as_micros())
        .execute(db))?;
    Ok(())
}

/// Has identities at accounts' providers open the user's login no more: those vouch for an address
/// that isn't theirs any more.
pub(crate) async fn drop_accounts(tx: &mut Tx, user: UserId) -> Result<(), Failure> {
    write!(tx, db => query(DROP_ACCOUNTS).bind(Uuid::from(user)).execute(db))?;
    Ok(())
}

/// Notes that the user signs in by the identity, if it opens their login at this moment. The user
/// is locked first, as where links and factors change: neither waits for the other.
async fn use_identity(
    tx: &mut Tx,
    account: Option<AccountId>,
    identity: &Identity,
    user: UserId,
    now: Timestamp,
) -> Result<IdentityId, Failure> {
    locks::user(tx, user).await?;
    let used: Option<Uuid> = read!(tx, db => query_scalar(USE)
        .bind(identity.issuer())
        .bind(identity.subject())
        .bind(account.map(Uuid::from))
        .bind(Uuid::from(user))
        .bind(now.as_micros())
        .fetch_optional(db))?;
    used.map(IdentityId::from).ok_or(Failure::Conflict(Conflict::SignInOver))
}

/// A session that can't begin: something about the login changed meanwhile.
fn over(failure: Failure) -> Failure {
    match failure {
        Failure::Invalid(_) => Failure::Conflict(Conflict::SignInOver),
        failure => failure,
    }
}
