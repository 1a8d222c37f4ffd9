//! What waits in an account for somebody's answer, or for its time: whether there is any of it.

use model::{AccountId, Failure};
use sqlx::query_as;
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{read, sql};

sql! {
    WAITS = "SELECT EXISTS (SELECT 1 FROM invitations WHERE account_id = $1 AND state = 'pending') \
                 AS invitations, \
                 EXISTS (SELECT 1 FROM access_requests WHERE account_id = $1 AND state = 'open') \
                 AS requests, \
                 EXISTS (SELECT 1 FROM owner_changes \
                         WHERE account_id = $1 AND state IN ('offered', 'waiting')) \
                 AS owner_changes, \
                 EXISTS (SELECT 1 FROM successors WHERE account_id = $1) AS successor";
}

/// Of what there is any in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Waits {
    /// Invitations that nobody answered, also such as ran out.
    pub invitations: bool,
    /// Requests for access that are open.
    pub requests: bool,
    /// Those who were asked to become owners, or wait for it.
    pub owner_changes: bool,
    /// A successor, named for when no owner is there any more.
    pub successor: bool,
}

impl Store {
    /// Of what there is any in the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn waits(&self, account: AccountId) -> Result<Waits, Failure> {
        Ok(read!(self, db => query_as(WAITS).bind(Uuid::from(account)).fetch_one(db))?)
    }
}
