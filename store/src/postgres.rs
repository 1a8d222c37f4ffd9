//! A Postgres: opening it, and whether it is one that Latchkey can work with.

use std::str::FromStr;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Pool, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, Row, raw_sql};

use crate::OpenError;
use crate::lent::{self, Lent, Trust, lend, pool, timely, within};

const CONNECTIONS: usize = 10;
/// How long a connection is used: whoever moves the database elsewhere needn't restart anything.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How long one may take for a sign of life before it is lent again.
const PULSE: Duration = Duration::from_secs(1);
/// How long ago one was used that is lent tentatively without any.
const LATELY: Duration = Duration::from_millis(250);
/// How long Postgres lets a statement wait for a lock, a statement take as a whole, and a
/// transaction of a node that is gone hold its locks: a request that meets one of them is answered
/// as by [`PATIENCE`]. A statement is planned once, whatever values it is asked with, as on SQLite: to
/// plan one takes longer than most of them do. Set once connected: a pooler in between refuses them as
/// it is connected to.
const SETTINGS: &str = "SET lock_timeout = '2s'; SET statement_timeout = '10s'; \
                        SET idle_in_transaction_session_timeout = '10s'; \
                        SET plan_cache_mode = force_generic_plan";

const NO_LIMITS: &str = "SET lock_timeout = 0; SET statement_timeout = 0; \
                         SET idle_in_transaction_session_timeout = 0";

tokio::task_local! {
    /// Whoever asks once more if a connection fails.
    static TENTATIVELY: ();
}

#[derive(Clone)]
pub(crate) struct PostgresDatabase {
    pool: Pool<Opener>,
}

/// Opens connections to the server, and looks at each before it is lent.
pub(crate) struct Opener {
    options: PgConnectOptions,
    trust: Trust,
}

impl PostgresDatabase {
    pub(crate) async fn open(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(OpenError::Unreachable)?;
        // Nothing here is a float, and poolers don't know the setting.
        let options = options.extra_float_digits(None);
        let opener = Opener { options, trust: Trust::default() };
        let database = Self { pool: pool(opener, CONNECTIONS).map_err(OpenError::Unreachable)? };
        database.examine().await?;
        Ok(database)
    }

    async fn examine(&self) -> Result<(), OpenError> {
        let asked = async {
            let (mut one, mut other) = (lend(&self.pool).await?, lend(&self.pool).await?);
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
        let options = &self.pool.manager().options;
        let mut connection = timely(PgConnection::connect_with(options)).await?;
        timely(connection.execute(NO_LIMITS)).await?;
        Ok(connection)
    }

    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let connection = lend(&self.pool).await?;
        Ok(Lent::postgres(connection, self.pool.manager().trust.clone()))
    }

    /// For what can be asked once more, of a connection that was lent in the usual way.
    pub(crate) async fn lend_tentatively(&self) -> Result<Lent, sqlx::Error> {
        TENTATIVELY.scope((), self.lend()).await
    }

    pub(crate) async fn close(&self) {
        let _ = timely(async {
            lent::close(&self.pool).await;
            Ok(())
        })
        .await;
    }
}

impl Manager for Opener {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        timely(connection.execute(SETTINGS)).await?;
        Ok(connection)
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        facts: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if facts.age() > LIFETIME || !self.trust.covers(facts.age()) {
            return Err(RecycleError::message("it is too old"));
        }
        if facts.last_used() < LATELY && TENTATIVELY.try_with(|()| ()).is_ok() {
            return Ok(());
        }
        let alive = within(PULSE, connection.ping()).await;
        Ok(alive.inspect_err(|_| self.trust.withdraw())?)
    }
}

/// The server's process behind the connection, and its encoding. Not a prepared statement, which
/// some poolers lose.
async fn about(connection: &mut PgConnection) -> Result<(i32, String), sqlx::Error> {
    let asked = raw_sql("SELECT pg_backend_pid(), current_setting('server_encoding')");
    let row = timely(asked.fetch_one(connection)).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
