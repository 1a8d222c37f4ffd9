//! Identities at identity providers: which login each opens, ways to a provider and back that
//! aren't over, and identities that wait to be linked.

use model::{Conflict, EmailAddress, Failure, Identity, IdentityId, Secret, Timestamp, UserId};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Tx, new_id, read, sql, write};
use crate::{
    FactorChange, NewMail, NewSession, Store, TokenHash, factors, outbox, sessions, users,
};

sql! {
    BEGIN = "INSERT INTO identity_sign_ins (token_hash, provider, expires_at) \
             VALUES ($1, $2, $3)";
    UNDER_WAY = "SELECT provider FROM identity_sign_ins \
                 WHERE token_hash = $1 AND expires_at > $2";
    RETURN = "DELETE FROM identity_sign_ins WHERE token_hash = $1 AND expires_at > $2 \
              RETURNING provider";
    OFFER = "INSERT INTO identity_offers \
                 (token_hash, issuer, subject, email, email_key, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)";
    OFFERED = "SELECT issuer, subject, email, email_key FROM identity_offers \
               WHERE token_hash = $1 AND expires_at > $2";
    TAKE_OFFER = "DELETE FROM identity_offers WHERE token_hash = $1 AND expires_at > $2 \
                  RETURNING issuer, subject, email, email_key";
    LOGIN_OF_IDENTITY = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    USE = "UPDATE identities SET last_used_at = $4 \
           WHERE issuer = $1 AND subject = $2 AND user_id = $3";
    LINK = "INSERT INTO identities (id, user_id, issuer, subject, email, since) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, subject) DO NOTHING";
    LINKED = "SELECT id, issuer, subject, email, since, last_used_at FROM identities \
              WHERE user_id = $1 ORDER BY since, id";
    DROP_SINCE = "DELETE FROM identities WHERE user_id = $1 AND since >= $2";
    UNLINK = "DELETE FROM identities WHERE user_id = $1 AND id = $2";
}

/// An identity that may be linked to the login with its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityOffer {
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
    issuer: String,
    subject: String,
    email: String,
    email_key: String,
}

impl From<OfferRow> for IdentityOffer {
    fn from(row: OfferRow) -> Self {
        Self {
            identity: Identity::from_stored(row.issuer, row.subject),
            email: EmailAddress::from_stored(row.email, row.email_key),
        }
    }
}

#[derive(FromRow)]
struct LinkedRow {
    id: Uuid,
    issuer: String,
    subject: String,
    email: String,
    since: i64,
    last_used_at: Option<i64>,
}

impl Store {
    /// Notes that a browser goes to the identity provider with this id in the settings.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn begin_identity_sign_in(
        &self,
        token_hash: &TokenHash,
        provider: &str,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(BEGIN)
            .bind(&token_hash[..])
            .bind(provider)
            .bind(expires_at.as_micros())
            .execute(db))?;
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
    ) -> Result<Option<String>, Failure> {
        read!(self, db => query_scalar(UNDER_WAY)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))
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
    ) -> Result<Option<String>, Failure> {
        let mut tx = self.begin().await?;
        let provider: Option<String> = read!(tx, db => query_scalar(RETURN)
            .bind(&token_hash[..])
            .bind(now.as_micros())
            .fetch_optional(db))?;
        tx.commit().await?;
        Ok(provider)
    }

    /// Whose login this identity opens.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn user_of_identity(&self, identity: &Identity) -> Result<Option<UserId>, Failure> {
        let user: Option<Uuid> = read!(self, db => query_scalar(LOGIN_OF_IDENTITY)
            .bind(identity.issuer())
            .bind(identity.subject())
            .fetch_optional(db))?;
        Ok(user.map(UserId::from))
    }

    /// Begins a session for the user whose login the identity opens, and ends the one that the same
    /// browser had. The provider asked them who they are at `proven_at`.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the identity opens it no more, the password was changed, or a
    /// second factor is asked for since then; [`Failure::Unavailable`].
    pub async fn begin_session_by_identity(
        &self,
        identity: &Identity,
        user: UserId,
        session: &NewSession,
        proven_at: Timestamp,
        instead_of: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        use_identity(&mut tx, identity, user, now).await?;
        sessions::replace(&mut tx, user, session, instead_of, now).await.map_err(over)?;
        sessions::prove(&mut tx, &session.token_hash, false, proven_at).await?;
        tx.commit().await
    }

    /// Notes a sign-in by an identity whose second factor is still to come.
    ///
    /// # Errors
    /// [`Conflict::SignInOver`] when the identity doesn't open the login any more;
    /// [`Failure::Unavailable`].
    pub async fn begin_sign_in_by_identity(
        &self,
        identity: &Identity,
        user: UserId,
        token_hash: &TokenHash,
        password_hash: &Secret,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        use_identity(&mut tx, identity, user, now).await?;
        factors::begin_sign_in(&mut tx, user, token_hash, password_hash, expires_at).await?;
        tx.commit().await
    }

    /// Keeps an identity for whoever has the token, to be linked to the login with its address.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn offer_identity(
        &self,
        token_hash: &TokenHash,
        offer: &IdentityOffer,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(OFFER)
            .bind(&token_hash[..])
            .bind(offer.identity.issuer())
            .bind(offer.identity.subject())
            .bind(offer.email.as_str())
            .bind(offer.email.key())
            .bind(expires_at.as_micros())
            .execute(db))?;
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
    ///
    /// # Errors
    /// [`Failure::FactorUnconfirmed`] beside a second factor; [`Conflict::SignInOver`] when the offer
    /// is over or the identity opens a login already; [`Conflict::OtherLogin`];
    /// [`Failure::Unavailable`].
    pub async fn link_identity(
        &self,
        token_hash: &TokenHash,
        user: UserId,
        by_factor: bool,
        mail: &NewMail,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        let login = users::lock(&mut tx, user).await?;
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
        let linked = write!(tx, db => query(LINK)
            .bind(new_id(now))
            .bind(Uuid::from(user))
            .bind(offer.identity.issuer())
            .bind(offer.identity.subject())
            .bind(offer.email.as_str())
            .bind(now.as_micros())
            .execute(db))?;
        if linked == 0 {
            return Err(Failure::Conflict(Conflict::SignInOver));
        }
        outbox::queue(&mut tx, mail, now).await?;
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
        let mut tx = self.begin().await?;
        users::lock(&mut tx, user).await?;
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

/// Notes that the user signs in by the identity, if it opens their login at this moment. The user
/// is locked first, as where links and factors change: neither waits for the other.
async fn use_identity(
    tx: &mut Tx,
    identity: &Identity,
    user: UserId,
    now: Timestamp,
) -> Result<(), Failure> {
    users::lock(tx, user).await?;
    let used = write!(tx, db => query(USE)
        .bind(identity.issuer())
        .bind(identity.subject())
        .bind(Uuid::from(user))
        .bind(now.as_micros())
        .execute(db))?;
    if used == 0 { Err(Failure::Conflict(Conflict::SignInOver)) } else { Ok(()) }
}

/// A session that can't begin: something about the login changed meanwhile.
fn over(failure: Failure) -> Failure {
    match failure {
        Failure::Invalid(_) => Failure::Conflict(Conflict::SignInOver),
        failure => failure,
    }
}
