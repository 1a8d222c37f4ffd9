//! Users: the logins.

use model::{Conflict, EmailAddress, Failure, FullName, Language, Secret, Timestamp, UserId};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Tx, read, sql, write};
use crate::{Store, memberships};

sql! {
    LOGIN = "SELECT id, email, email_key, full_name, password_hash FROM users \
             WHERE email_key = $1";
    LOGIN_OF = "SELECT id, email, email_key, full_name, password_hash FROM users WHERE id = $1";
    /// Sessions, resets and names of one user change one after the other. On Postgres memberships
    /// that name the user as inviter pass: they need no more than that the user stays there.
    LOCK_USER = "SELECT email, email_key, full_name FROM users WHERE id = $1",
        // SQLite's one writer holds the lock on everything already.
        on Postgres "SELECT email, email_key, full_name FROM users WHERE id = $1 \
                     FOR NO KEY UPDATE";
    INSERT_USER = "INSERT INTO users \
                       (id, email, email_key, full_name, password_hash, language, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING";
    LOCK_ACCOUNTS_OF = "SELECT id FROM accounts \
         WHERE id IN (SELECT account_id FROM memberships WHERE user_id = $1) ORDER BY id",
        on Postgres "SELECT id FROM accounts \
         WHERE id IN (SELECT account_id FROM memberships WHERE user_id = $1) ORDER BY id \
         FOR UPDATE";
    RENAME = "UPDATE users SET full_name = $2, language = coalesce($3, language) WHERE id = $1";
    SET_LANGUAGE = "UPDATE users SET language = $2 WHERE id = $1";
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
    END_OTHER_SESSIONS = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";
}

/// A login as sign-in needs it.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub id: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: String,
    /// The password's hash in PHC string form.
    pub password_hash: Secret,
}

/// A login that is to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The user's id.
    pub id: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub full_name: FullName,
    /// The password's hash in PHC string form.
    pub password_hash: Secret,
    /// Their language, if it is known.
    pub language: Option<Language>,
}

#[derive(FromRow)]
struct LoginRow {
    id: Uuid,
    email: String,
    email_key: String,
    full_name: String,
    password_hash: String,
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self {
            id: row.id.into(),
            email: EmailAddress::from_stored(row.email, row.email_key),
            full_name: row.full_name,
            password_hash: row.password_hash.into(),
        }
    }
}

/// Who a locked user is.
#[derive(FromRow)]
pub(crate) struct Identity {
    email: String,
    email_key: String,
    full_name: String,
}

impl Identity {
    pub(crate) fn email(&self) -> EmailAddress {
        EmailAddress::from_stored(self.email.clone(), self.email_key.clone())
    }

    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }
}

impl Store {
    /// The login with this address, compared normalised.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn login(&self, email: &EmailAddress) -> Result<Option<Login>, Failure> {
        let row: Option<LoginRow> =
            read!(self, db => query_as(LOGIN).bind(email.key()).fetch_optional(db))?;
        Ok(row.map(Login::from))
    }

    /// The user's own login.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn login_of(&self, user: UserId) -> Result<Option<Login>, Failure> {
        let row: Option<LoginRow> =
            read!(self, db => query_as(LOGIN_OF).bind(Uuid::from(user)).fetch_optional(db))?;
        Ok(row.map(Login::from))
    }

    /// Makes a login outside an invitation: for the demo and for tests.
    ///
    /// # Errors
    /// [`Conflict::LoginExists`], [`Failure::Unavailable`].
    pub async fn add_user(&self, user: &NewUser, now: Timestamp) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        insert(&mut tx, user, now).await?;
        tx.commit().await
    }

    /// Gives the user another name, also where lists are sorted and searched by it, and another
    /// language if one is named.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn change_profile(
        &self,
        user: UserId,
        name: &FullName,
        language: Option<&Language>,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        // The accounts before the user, as everywhere: joining takes them in this order too.
        let accounts = LOCK_ACCOUNTS_OF.on(&tx);
        let _: Vec<Uuid> =
            read!(tx, db => query_scalar(accounts).bind(Uuid::from(user)).fetch_all(db))?;
        let identity = lock(&mut tx, user).await?;
        write!(tx, db => query(RENAME)
            .bind(Uuid::from(user))
            .bind(name.as_str())
            .bind(language.map(Language::tag))
            .execute(db))?;
        memberships::rename(&mut tx, user, name.as_str(), &identity.email()).await?;
        tx.commit().await
    }

    /// Gives the user another language.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn set_language(&self, user: UserId, language: &Language) -> Result<(), Failure> {
        write!(self, db => query(SET_LANGUAGE)
            .bind(Uuid::from(user))
            .bind(language.tag())
            .execute(db))?;
        Ok(())
    }

    /// Replaces the password's hash and ends every session of the user but `keep`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn change_password(
        &self,
        user: UserId,
        password_hash: &Secret,
        keep: Option<&crate::TokenHash>,
    ) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        set_password(&mut tx, user, password_hash, keep).await?;
        tx.commit().await
    }
}

/// Locks a user, so that their name and links stay as they are until the end of the transaction.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> Result<Identity, Failure> {
    let text = LOCK_USER.on(tx);
    let row = read!(tx, db => query_as(text).bind(Uuid::from(user)).fetch_optional(db))?;
    row.ok_or(Failure::NotFound)
}

pub(crate) async fn insert(tx: &mut Tx, user: &NewUser, now: Timestamp) -> Result<(), Failure> {
    let inserted = write!(tx, db => query(INSERT_USER)
        .bind(Uuid::from(user.id))
        .bind(user.email.as_str())
        .bind(user.email.key())
        .bind(user.full_name.as_str())
        .bind(user.password_hash.expose())
        .bind(user.language.as_ref().map(Language::tag))
        .bind(now.as_micros())
        .execute(db))?;
    if inserted == 0 { Err(Failure::Conflict(Conflict::LoginExists)) } else { Ok(()) }
}

/// Sets the password and ends every session but `keep`: whoever knew the old one is out.
pub(crate) async fn set_password(
    tx: &mut Tx,
    user: UserId,
    password_hash: &Secret,
    keep: Option<&crate::TokenHash>,
) -> Result<(), Failure> {
    let user = Uuid::from(user);
    write!(tx, db => query(SET_PASSWORD).bind(user).bind(password_hash.expose()).execute(db))?;
    match keep {
        None => write!(tx, db => query(END_SESSIONS).bind(user).execute(db))?,
        Some(keep) => {
            write!(tx, db => query(END_OTHER_SESSIONS).bind(user).bind(&keep[..]).execute(db))?
        }
    };
    Ok(())
}
