//! Renewing what earlier versions wrote: names and addresses as they would be taken now, and the words
//! that users are found by. A migration does no more than mark whom this is left to do for: SQL knows
//! too little of letters.

use model::{EmailAddress, Failure, FullName};
use sqlx::{query, query_scalar};
use uuid::Uuid;

use crate::db::{Tx, limit, read, sql, write};
use crate::locks::MarkedUser;
use crate::{Store, locks, memberships};

sql! {
    NEXT = "SELECT id FROM users WHERE NOT folded ORDER BY id LIMIT $1";
    HAS_LOGIN = "SELECT EXISTS (SELECT 1 FROM users WHERE email_key = $1 AND id <> $2)";
    RENEW = "UPDATE users SET email = $2, email_key = $3, full_name = $4, folded = TRUE, \
                 email_proven = email_proven AND $5 \
             WHERE id = $1";
}

/// How many users are renewed at a stroke: everybody else's changes wait that long.
const PIECE: usize = 25;

/// Renews all that are marked, a piece at a time. Several nodes may do so at once, and one that is
/// stopped goes on at its next start.
pub(crate) async fn renew(store: &Store) -> Result<(), Failure> {
    let mut renewed = 0;
    loop {
        let next: Vec<Uuid> =
            read!(store, db => query_scalar(NEXT).bind(limit(PIECE)).fetch_all(db))?;
        let Some(last) = next.last() else { break };
        if renewed == 0 {
            tracing::info!("renewing what earlier versions wrote of names and addresses");
        }
        let mut tx = store.begin().await?;
        for marked in locks::marked_users(&mut tx, *last).await? {
            renew_one(&mut tx, marked).await?;
        }
        tx.commit().await?;
        renewed += next.len();
    }
    if renewed > 0 {
        tracing::info!(users = renewed, "renewed what earlier versions wrote");
    }
    Ok(())
}

async fn renew_one(tx: &mut Tx, row: MarkedUser) -> Result<(), Failure> {
    let name = FullName::parse(&row.full_name);
    let name = name.map_or(row.full_name, |name| name.as_str().to_owned());
    let present = EmailAddress::from_stored(row.email, row.email_key);
    let email = EmailAddress::parse(present.as_str()).unwrap_or_else(|_| present.clone());
    let taken: bool = read!(tx, db => query_scalar(HAS_LOGIN)
        .bind(email.key())
        .bind(row.id)
        .fetch_one(db))?;
    let email = if taken {
        tracing::warn!(user = %row.id, "a login's address differs from another's in nothing that shows");
        present.clone()
    } else {
        email
    };
    write!(tx, db => query(RENEW)
        .bind(row.id)
        .bind(email.as_str())
        .bind(email.key())
        .bind(&name)
        // Whoever proved the address proved another one.
        .bind(email == present)
        .execute(db))?;
    memberships::rename(tx, row.id.into(), &name, &email).await
}
