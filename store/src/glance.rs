//! What there is in an account, at a glance: how many users, and whether anything waits for somebody's
//! answer, or for its time.

use model::{AccountId, Failure};
use sqlx::query_as;
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{count, limit, read, sql};
use crate::factors::has_factor;

sql! {
    /// How many have a second factor is counted where all users are ($2) and somebody asks ($3).
    GLANCE = concat!(
        "SELECT l.users, CASE WHEN $3 AND l.users < $2 AND NOT EXISTS \
                    (SELECT 1 FROM account_policies WHERE account_id = $1 AND factor_from IS NOT NULL) \
                THEN (SELECT count(*) FROM memberships m WHERE m.account_id = $1 AND ",
        has_factor!("m.user_id"),
        ") END AS with_factor, \
             EXISTS (SELECT 1 FROM invitations WHERE account_id = $1 AND state = 'pending') \
             AS invitations, \
             EXISTS (SELECT 1 FROM access_requests WHERE account_id = $1 AND state = 'open') \
             AS requests, \
             EXISTS (SELECT 1 FROM owner_changes \
                     WHERE account_id = $1 AND state IN ('offered', 'waiting')) \
             AS owner_changes, \
             EXISTS (SELECT 1 FROM successors WHERE account_id = $1) AS successor \
         FROM (SELECT count(*) AS users \
               FROM (SELECT 1 FROM memberships WHERE account_id = $1 LIMIT $2) AS listed) AS l"
    );
}

/// What there is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// How many users, counted no further than was asked for.
    pub users: u32,
    /// How many of them have a second factor; none while the account requires one of everybody, where not
    /// all users were counted, or where nobody asked.
    pub with_factor: Option<u32>,
    /// Whether there are invitations that nobody answered, also such as ran out.
    pub invitations: bool,
    /// Whether there are requests for access that are open.
    pub requests: bool,
    /// Whether anybody was asked to become an owner, or waits for it.
    pub owner_changes: bool,
    /// Whether a successor is named for when no owner is there any more.
    pub successor: bool,
}

#[derive(FromRow)]
struct GlanceRow {
    users: i64,
    with_factor: Option<i64>,
    invitations: bool,
    requests: bool,
    owner_changes: bool,
    successor: bool,
}

impl Store {
    /// What there is in the account; users are counted no further than `most`, with their second factors
    /// if those are asked for.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn glance(
        &self,
        account: AccountId,
        most: usize,
        factors: bool,
    ) -> Result<Glance, Failure> {
        let row: GlanceRow = read!(self, db => query_as(GLANCE)
            .bind(Uuid::from(account))
            .bind(limit(most))
            .bind(factors)
            .fetch_one(db))?;
        Ok(Glance {
            users: count(row.users),
            with_factor: row.with_factor.map(count),
            invitations: row.invitations,
            requests: row.requests,
            owner_changes: row.owner_changes,
            successor: row.successor,
        })
    }
}
