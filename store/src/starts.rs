//! What a form for giving can begin with: people whose access others may get, too.

use model::{AccountId, Failure, Timestamp, UserId};
use sqlx::query_as;
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{limit, read, sql};

sql! {
    /// An owner's access can't be given, and what is paused or lapsed is none.
    PEOPLE = "SELECT m.user_id, u.full_name \
              FROM memberships m JOIN users u ON u.id = m.user_id \
              WHERE m.account_id = $1 AND NOT m.owner AND m.paused_at IS NULL \
                  AND m.user_id <> $2 AND m.user_id <> $3 \
                  AND EXISTS (SELECT 1 FROM grants g \
                              WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                                  AND (g.until IS NULL OR g.until > $4)) \
              ORDER BY m.name_key, m.user_id LIMIT $5";
}

/// Somebody in an account whose access a form can begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPerson {
    /// The user.
    pub user: UserId,
    /// Their name.
    pub full_name: String,
}

#[derive(FromRow)]
struct PersonRow {
    user_id: Uuid,
    full_name: String,
}

impl From<PersonRow> for StartPerson {
    fn from(row: PersonRow) -> Self {
        Self { user: row.user_id.into(), full_name: row.full_name }
    }
}

impl Store {
    /// The account's users by name who own nothing of it and hold something at this moment, but for
    /// these two; at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn people_to_start_from(
        &self,
        account: AccountId,
        but: [UserId; 2],
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<StartPerson>, Failure> {
        let [one, other] = but.map(Uuid::from);
        let rows: Vec<PersonRow> = read!(self, db => query_as(PEOPLE)
            .bind(Uuid::from(account))
            .bind(one)
            .bind(other)
            .bind(now.as_micros())
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(StartPerson::from).collect())
    }
}
