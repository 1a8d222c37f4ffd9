//! `latchkey demo seed`, and telling the demo's data from real data.

use anyhow::{Result, bail};
use domain::Latchkey;
use domain::demo::INGRID;
use model::{EmailAddress, Failure};
use serde_json::json;

use super::told::Told;
use super::{explain, open};
use crate::config::Config;

/// Fills an empty database with the demo.
pub(super) async fn seed(config: &Config) -> Result<Told> {
    if !config.demo {
        bail!(
            "everybody knows the password of the demo's people: first set {} = true",
            config.name_of("demo")
        );
    }
    let latchkey = open(config).await?;
    let seeded = domain::demo::seed(&latchkey).await.map_err(explain)?;
    latchkey.store.close().await;
    Ok(Told::new(json!({ "seeded": seeded })).line(if seeded {
        "The demo is ready."
    } else {
        "There are accounts already, so nothing was changed."
    }))
}

/// Whether the demo's people are in the database.
///
/// # Errors
/// [`Failure::Unavailable`].
pub(super) async fn is_there(latchkey: &Latchkey) -> Result<bool, Failure> {
    let Ok(ingrid) = EmailAddress::parse(INGRID.email) else { return Ok(false) };
    Ok(latchkey.store.login(&ingrid).await?.is_some())
}
