//! A Postgres: opening it, and whether it is one that Latchkey can work with.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool, Row, raw_sql};

use crate::OpenError;
use crate::db::PATIENCE;
use crate::lent::{Lent, Trust, timely};

const CONNECTIONS: u32 = 10;
/// How long Postgres lets a statement wait for a lock, a statement take as a whole, and a
/// transaction of a node that is gone hold its locks: a request that meets one of them is answered
/// as by [`PATIENCE`]. Set once connected: a pooler in between refuses them as it is connected to.
const LIMITS: &str = "SET lock_timeout = '2s'; SET statement_timeout = '10s'; \
                      SET idle_in_transaction_session_timeout = '10s'";

const NO_LIMITS: &str = "SET lock_timeout = 0; SET statement_timeout = 0; \
                         SET idle_in_transaction_session_timeout = 0";

#[derive(Clone)]
pub(crate) struct PostgresDatabase {
    pool: PgPool,
    trust: Trust,
}

impl PostgresDatabase {
    pub(crate) async fn open(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(OpenError::Unreachable)?;
        // Nothing here is a float, and poolers don't know the setting.
        let options = options.extra_float_digits(None);
        let trust = Trust::default();
        let pool = PgPoolOptions::new()
            .acquire_timeout(PATIENCE)
            .max_connections(CONNECTIONS)
            .after_connect(|connection, _| {
                Box::pin(async move { timely(connection.execute(LIMITS)).await.map(drop) })
            });
        let pool = trust.watch(pool).connect_with(options).await;
        let database = Self { pool: pool.map_err(OpenError::Unreachable)?, trust };
        database.examine().await?;
        Ok(database)
    }

    async fn examine(&self) -> Result<(), OpenError> {
        let asked = async {
            let (mut one, mut other) = (self.pool.acquire().await?, self.pool.acquire().await?);
            Ok((about(&mut one).await?, about(&mut other).await?))
        };
        let (one, other) = asked.await.map_err(OpenError::Unreachable)?;
        // Two connections that are one behind the pooler: it lends it for a transaction.
        if one == other {
            return Err(OpenError::Pooled);
        }
        let (_, encoding) = one;
        if encoding == "UTF8" { Ok(()) } else { Err(OpenError::Encoding(encoding)) }
    }

    /// What migrations run on: a connection of its own without limits, which may wait for another
    /// node to finish and take as long as it needs.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection =
            timely(PgConnection::connect_with(&self.pool.connect_options())).await?;
        timely(connection.execute(NO_LIMITS)).await?;
        Ok(connection)
    }

    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        self.pool.acquire().await.map(|lent| Lent::postgres(lent, self.trust.clone()))
    }

    pub(crate) async fn close(&self) {
        let _ = timely(async {
            self.pool.close().await;
            Ok(())
        })
        .await;
    }
}

/// The server's process behind the connection, and its encoding. Not a prepared statement, which
/// some poolers lose.
async fn about(connection: &mut PgConnection) -> Result<(i32, String), sqlx::Error> {
    let asked = raw_sql("SELECT pg_backend_pid(), current_setting('server_encoding')");
    let row = timely(asked.fetch_one(connection)).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
