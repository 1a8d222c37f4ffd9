//! `latchkey user` and what follows it, but for showing one (`user_record.rs`).

use anyhow::{Result, bail};
use model::Failure;
use serde_json::json;

use super::told::{Told, moment};
use super::{address, exact, explain, open};
use crate::config::Config;

/// Makes a link to choose a new password, for handing over by another way than mail.
pub(super) async fn reset_link(config: &Config, email: &str) -> Result<Told> {
    let address = address(email)?;
    let latchkey = open(config).await?;
    let (token, until) = match domain::passwords::reset_link(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with the address {address}"),
        made => made.map_err(explain)?,
    };
    latchkey.store.close().await;
    let link = format!("{}/reset/{}", config.public_url, token.secret().expose());
    let facts =
        json!({ "email": address.as_str(), "expires_at": moment(until), "link": link.as_str() });
    let told = Told::new(facts).line(format!(
        "With this link the password of {address} can be changed until {}, once:",
        exact(until)
    ));
    Ok(told.line(link))
}

/// Ends the sessions of whoever has this address.
pub(super) async fn sign_out(config: &Config, email: &str) -> Result<Told> {
    let address = address(email)?;
    let latchkey = open(config).await?;
    let ended = match domain::sessions::sign_out_for(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with the address {address}"),
        ended => ended.map_err(explain)?,
    };
    latchkey.store.close().await;
    let told = Told::new(json!({ "email": address.as_str(), "sessions_ended": ended }));
    Ok(told.line(format!("{address} is signed out everywhere; sessions ended: {ended}.")))
}

/// Ends everybody's sessions.
pub(super) async fn sign_everybody_out(config: &Config) -> Result<Told> {
    let latchkey = open(config).await?;
    let ended = domain::sessions::sign_everybody_out(&latchkey).await.map_err(explain)?;
    latchkey.store.close().await;
    let told = Told::new(json!({ "everybody": true, "sessions_ended": ended }));
    Ok(told.line(format!("Everybody is signed out; sessions ended: {ended}.")))
}

/// Removes the second factors of somebody who lost them all.
pub(super) async fn remove_factors(config: &Config, email: &str) -> Result<Told> {
    let address = address(email)?;
    let latchkey = open(config).await?;
    match domain::factors::remove_all(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with a second factor at {address}"),
        removed => removed.map_err(explain)?,
    }
    latchkey.store.close().await;
    let told = Told::new(json!({ "email": address.as_str(), "factors_removed": true }));
    Ok(told.line(format!(
        "The second factors of {address} are gone, and so are sessions and password: a new one is \
         chosen with \"Forgot your password?\". A mail tells them."
    )))
}
