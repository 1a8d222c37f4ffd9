//! `latchkey migrate`.

use anyhow::Result;
use serde_json::json;
use store::Store;

use super::explain;
use super::told::Told;
use crate::config::Config;

/// Applies the migrations that are missing.
pub(super) async fn run(config: &Config) -> Result<Told> {
    let store = Store::open(config.database_url.expose()).await?;
    store.migrate().await?;
    // The server that starts next wants to see that this is a copy.
    if !store.is_a_copy().await.map_err(explain)? {
        store.renew_stamp().await.map_err(explain)?;
    }
    store.close().await;
    Ok(Told::new(json!({ "is_current": true })).line("The database is up to date."))
}
