//! Tokens of the provider's own systems.

use std::time::Duration;

use model::{AccountId, AccountNumber, DoorScopes, Failure, Timestamp, TokenId};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{read, sql, unreadable, write};
use crate::{Store, TokenHash};

/// What a [`FoundToken`] reads, of tokens as `k`.
macro_rules! token_columns {
    () => {
        "k.id AS token_id, k.name AS token_name, k.secret_hash, k.scopes, k.account_id AS bound_to, \
         k.until AS token_until, k.last_used_at, k.revoked_at"
    };
}

pub(crate) use token_columns;

sql! {
    INSERT_TOKEN = "INSERT INTO tokens \
                        (id, name, prefix, secret_hash, scopes, account_id, made_at, until) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    TOKEN = concat!("SELECT ", token_columns!(), " FROM tokens k WHERE k.prefix = $1");
    TOKENS = "SELECT t.name, t.prefix, t.scopes, a.number, t.made_at, t.until, t.last_used_at, \
                  t.revoked_at \
              FROM tokens t LEFT JOIN accounts a ON a.id = t.account_id ORDER BY t.id";
    REVOKE_TOKEN = "UPDATE tokens SET revoked_at = $2 WHERE prefix = $1 AND revoked_at IS NULL";
    TOKEN_USED = "UPDATE tokens SET last_used_at = $2 \
                  WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3 OR last_used_at > $2)";
}

/// How often a token's use is noted.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// A token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// What the operator calls it.
    pub name: String,
    /// What it is found by, also where it leaked.
    pub prefix: String,
    /// The hash of its secret.
    pub secret_hash: TokenHash,
    /// What it opens.
    pub scopes: DoorScopes,
    /// The one account that it sees; none for all.
    pub account: Option<AccountId>,
    /// When it ends; none if it doesn't.
    pub until: Option<Timestamp>,
}

/// A token as whoever comes with it is checked by it.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// Its id.
    pub id: TokenId,
    /// What the operator calls it.
    pub name: String,
    /// The hash of its secret.
    pub secret_hash: TokenHash,
    /// What it opens.
    pub scopes: DoorScopes,
    /// The one account that it sees; none for all.
    pub account: Option<AccountId>,
    /// When it ends; none if it doesn't.
    pub until: Option<Timestamp>,
    /// When it was last used, as far as that is noted.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token in the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// What the operator calls it.
    pub name: String,
    /// What it is found by.
    pub prefix: String,
    /// What it opens.
    pub scopes: DoorScopes,
    /// The one account that it sees, by its number; none for all.
    pub account: Option<AccountNumber>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends; none if it doesn't.
    pub until: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token, or nothing where it stands beside something else that was asked for.
#[derive(FromRow)]
pub(crate) struct FoundToken {
    token_id: Option<Uuid>,
    token_name: Option<String>,
    secret_hash: Option<Vec<u8>>,
    scopes: Option<String>,
    bound_to: Option<Uuid>,
    token_until: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl FoundToken {
    pub(crate) fn read(self) -> Result<Option<StoredToken>, Failure> {
        let (Some(id), Some(secret_hash)) = (self.token_id, self.secret_hash) else {
            return Ok(None);
        };
        Ok(Some(StoredToken {
            id: id.into(),
            name: self.token_name.unwrap_or_default(),
            secret_hash: secret_hash.as_slice().try_into().map_err(unreadable)?,
            scopes: DoorScopes::from_stored(&self.scopes.unwrap_or_default()),
            account: self.bound_to.map(AccountId::from),
            until: self.token_until.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
        }))
    }
}

#[derive(FromRow)]
struct ListedToken {
    name: String,
    prefix: String,
    scopes: String,
    number: Option<i64>,
    made_at: i64,
    until: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl From<ListedToken> for TokenRow {
    fn from(row: ListedToken) -> Self {
        Self {
            name: row.name,
            prefix: row.prefix,
            scopes: DoorScopes::from_stored(&row.scopes),
            account: row.number.map(AccountNumber::from_stored),
            made_at: Timestamp::from_micros(row.made_at),
            until: row.until.map(Timestamp::from_micros),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_token(&self, token: &NewToken, now: Timestamp) -> Result<(), Failure> {
        write!(self, db => query(INSERT_TOKEN)
            .bind(Uuid::from(token.id))
            .bind(&token.name)
            .bind(&token.prefix)
            .bind(token.secret_hash.as_slice())
            .bind(token.scopes.to_string())
            .bind(token.account.map(Uuid::from))
            .bind(now.as_micros())
            .bind(token.until.map(Timestamp::as_micros))
            .execute(db))?;
        Ok(())
    }

    /// The token with this prefix, whatever became of it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn token(&self, prefix: &str) -> Result<Option<StoredToken>, Failure> {
        let row: Option<FoundToken> =
            read!(self, db => query_as(TOKEN).bind(prefix).fetch_optional(db))?;
        row.map_or(Ok(None), FoundToken::read)
    }

    /// Every token that was ever made, the oldest first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Failure> {
        let rows: Vec<ListedToken> = read!(self, db => query_as(TOKENS).fetch_all(db))?;
        Ok(rows.into_iter().map(TokenRow::from).collect())
    }

    /// Makes the token with this prefix void.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is none that isn't void already, [`Failure::Unavailable`].
    pub async fn revoke_token(&self, prefix: &str, now: Timestamp) -> Result<(), Failure> {
        let revoked = write!(self, db => query(REVOKE_TOKEN)
            .bind(prefix)
            .bind(now.as_micros())
            .execute(db))?;
        if revoked == 0 { Err(Failure::NotFound) } else { Ok(()) }
    }

    /// Notes that the token was used, at most once a minute.
    pub async fn note_token(&self, token: &StoredToken, now: Timestamp) {
        let stale = now.before(NOTED_EVERY);
        // Later than now was noted by a clock that ran ahead.
        if token.last_used_at.is_some_and(|noted| noted > stale && noted <= now) {
            return;
        }
        let (store, id) = (self.clone(), Uuid::from(token.id));
        self.note(async move {
            write!(store, db => query(TOKEN_USED)
                .bind(id)
                .bind(now.as_micros())
                .bind(stale.as_micros())
                .execute(db))
        })
        .await;
    }
}
