//! `latchkey migrate`.

use anyhow::Result;
use store::Store;

use super::say;
use crate::config::Config;

/// Applies the migrations that are missing.
pub(super) async fn run(config: &Config) -> Result<()> {
    let store = Store::open(config.database_url.expose()).await?;
    store.migrate().await?;
    store.close().await;
    say("The database is up to date.")
}
