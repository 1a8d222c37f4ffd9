//! Users: the logins.

use model::{
    Conflict, EmailAddress, Failure, Field, FieldProblem, FullName, Language, LoginChange, Secret,
    Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, read, sql, write};
use crate::factors::has_factor;
use crate::locks::LockedUser;
use crate::{
    NewMail, Store, emails, factors, locks, memberships, outbox, resets, sessions, webhooks,
};

macro_rules! login {
    ($which:literal) => {
        concat!(
            "SELECT u.id, u.email, u.email_key, u.full_name, u.language, u.password_hash, ",
            has_factor!("u.id"),
            " AS second_factor FROM users u WHERE ",
            $which
        )
    };
}

sql! {
    LOGIN = login!("u.email_key = $1");
    LOGIN_OF = login!("u.id = $1");
    INSERT_USER = "INSERT INTO users \
                       (id, email, email_key, full_name, password_hash, language, created_at, \
                        email_proven, folded) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, TRUE) ON CONFLICT (email_key) DO NOTHING";
    /// An empty time zone is none; none leaves it as it is.
    CHANGE_PROFILE = "UPDATE users SET full_name = $2, language = coalesce($3, language), \
                          time_zone = nullif(coalesce($4, time_zone), '') \
                      WHERE id = $1";
    SET_LANGUAGE = "UPDATE users SET language = $2 WHERE id = $1";
    PASSWORD = "SELECT password_hash FROM users WHERE id = $1";
    HAS_FACTOR = concat!("SELECT ", has_factor!("$1"));
    SET_PASSWORD = "UPDATE users SET password_hash = $2, password_short = $3 WHERE id = $1";
    RENEW_HASH = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
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
    /// Their language, if they chose one.
    pub language: Option<Language>,
    /// The password's hash in PHC string form.
    pub password_hash: Secret,
    /// Whether signing in takes a second factor.
    pub second_factor: bool,
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

/// A password that replaces another.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Its hash in PHC string form.
    pub hash: Secret,
    /// Whether it is too short to stand alone, without a second factor.
    pub short: bool,
    /// The mail that tells its user, if nothing else does; it goes to the address that they have.
    pub told: Option<NewMail>,
}

#[derive(FromRow)]
struct LoginRow {
    id: Uuid,
    email: String,
    email_key: String,
    full_name: String,
    language: Option<String>,
    password_hash: String,
    second_factor: bool,
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self {
            id: row.id.into(),
            email: EmailAddress::from_stored(row.email, row.email_key),
            full_name: row.full_name,
            language: row.language.as_deref().and_then(Language::parse),
            password_hash: row.password_hash.into(),
            second_factor: row.second_factor,
        }
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
        insert(&mut tx, user, true, now).await?;
        tx.commit().await
    }

    /// Gives the user another name, also where lists are sorted and searched by it, and another
    /// language and time zone if they are named; an empty time zone is none.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Unavailable`].
    pub async fn change_profile(
        &self,
        user: UserId,
        name: &FullName,
        language: Option<&Language>,
        time_zone: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (mut tx, locked) = self.begin_everywhere(user).await?;
        write!(tx, db => query(CHANGE_PROFILE)
            .bind(Uuid::from(user))
            .bind(name.as_str())
            .bind(language.map(Language::tag))
            .bind(time_zone)
            .execute(db))?;
        memberships::rename(&mut tx, user, name.as_str(), &locked.email()).await?;
        if name.as_str() != locked.full_name() {
            webhooks::tell_login(&mut tx, user, LoginChange::Name, now).await?;
        }
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

    /// Replaces the hash `before` of the user's password, ends every session of theirs but `keep`
    /// and takes their reset links back.
    ///
    /// # Errors
    /// [`FieldProblem::WrongPassword`] when the password was changed since it was compared;
    /// [`FieldProblem::TooShort`] for a short one when the user has no second factor (any more);
    /// [`Failure::Unavailable`].
    pub async fn change_password(
        &self,
        user: UserId,
        before: &Secret,
        password: &NewPassword,
        keep: Option<&crate::TokenHash>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let locked = locks::user(&mut tx, user).await?;
        let present: String =
            read!(tx, db => query_scalar(PASSWORD).bind(Uuid::from(user)).fetch_one(db))?;
        if present != before.expose() {
            return Err(Failure::field(Field::Password, FieldProblem::WrongPassword));
        }
        if password.short && !has_factor(&mut tx, user).await? {
            return Err(Failure::field(Field::NewPassword, FieldProblem::TooShort));
        }
        resets::drop_all(&mut tx, user, &locked.email()).await?;
        set_password(&mut tx, user, password, keep, now).await?;
        tell_of_password(&mut tx, &locked, password, now).await?;
        tx.commit().await
    }

    /// Stores a stronger hash of the same password in place of the hash `before`; sign-ins that are
    /// half-way go on with it. Answers false when the password was changed since it was compared, or
    /// another sign-in did this at the same moment.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn renew_password_hash(
        &self,
        user: UserId,
        before: &Secret,
        after: &Secret,
    ) -> Result<bool, Failure> {
        let mut tx = self.begin_locking([user.into()]).await?;
        let renewed = write!(tx, db => query(RENEW_HASH)
            .bind(Uuid::from(user))
            .bind(before.expose())
            .bind(after.expose())
            .execute(db))?;
        if renewed == 0 {
            return Ok(false);
        }
        factors::renew_sign_ins(&mut tx, user, before, after).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Whether signing in takes a second factor.
pub(crate) async fn has_factor(tx: &mut Tx, user: UserId) -> Result<bool, Failure> {
    read!(tx, db => query_scalar(HAS_FACTOR).bind(Uuid::from(user)).fetch_one(db))
}

/// Makes a login; `proven` says whether mail to its address is known to reach whoever makes it.
pub(crate) async fn insert(
    tx: &mut Tx,
    user: &NewUser,
    proven: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let inserted = write!(tx, db => query(INSERT_USER)
        .bind(Uuid::from(user.id))
        .bind(user.email.as_str())
        .bind(user.email.key())
        .bind(user.full_name.as_str())
        .bind(user.password_hash.expose())
        .bind(user.language.as_ref().map(Language::tag))
        .bind(now.as_micros())
        .bind(proven)
        .execute(db))?;
    if inserted == 0 {
        return Err(Failure::Conflict(Conflict::LoginExists));
    }
    // Asked after the address is theirs: from here on nobody else can come to hold it.
    if emails::is_held(tx, &user.email, user.id, now).await? {
        return Err(Failure::Conflict(Conflict::AddressHeld));
    }
    Ok(())
}

/// Sets the password and ends every session but `keep`, every sign-in that is half-way, and what
/// was asked for about the address: whoever knew the old one is out.
pub(crate) async fn set_password(
    tx: &mut Tx,
    user: UserId,
    password: &NewPassword,
    keep: Option<&crate::TokenHash>,
    now: Timestamp,
) -> Result<(), Failure> {
    write!(tx, db => query(SET_PASSWORD)
        .bind(Uuid::from(user))
        .bind(password.hash.expose())
        .bind(password.short)
        .execute(db))?;
    factors::drop_sign_ins(tx, user).await?;
    emails::drop_asked(tx, user).await?;
    match keep {
        None => {
            write!(tx, db => query(END_SESSIONS).bind(Uuid::from(user)).execute(db))?;
        }
        Some(keep) => sessions::end_others(tx, user, keep).await?,
    }
    webhooks::tell_login(tx, user, LoginChange::Password, now).await
}

/// Tells the user, whose row is locked, that their password is another one.
pub(crate) async fn tell_of_password(
    tx: &mut Tx,
    locked: &LockedUser,
    password: &NewPassword,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(mail) = &password.told else { return Ok(()) };
    let mail = NewMail { to: locked.email(), ..mail.clone() };
    outbox::queue(tx, &mail, None, now).await
}
