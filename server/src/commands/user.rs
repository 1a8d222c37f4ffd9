//! `latchkey user reset-link`, `latchkey user sign-out` and `latchkey user remove-factors`.

use anyhow::{Result, bail};
use model::{EmailAddress, Failure, Field};

use super::{exact, explain, open, say};
use crate::config::Config;

/// Makes a link to choose a new password, for handing over by another way than mail.
pub(super) async fn reset_link(config: &Config, email: &str) -> Result<()> {
    let address = parse(email)?;
    let latchkey = open(config).await?;
    let (token, until) = match domain::passwords::reset_link(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with the address {address}"),
        made => made.map_err(explain)?,
    };
    latchkey.store.close().await;
    say(&format!(
        "With this link the password of {address} can be changed until {}, once:",
        exact(until)
    ))?;
    say(&format!("{}/reset/{}", config.public_url, token.secret().expose()))
}

/// Ends the sessions of whoever has this address.
pub(super) async fn sign_out(config: &Config, email: &str) -> Result<()> {
    let address = parse(email)?;
    let latchkey = open(config).await?;
    let ended = match domain::sessions::sign_out_for(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with the address {address}"),
        ended => ended.map_err(explain)?,
    };
    latchkey.store.close().await;
    say(&format!("{address} is signed out everywhere; sessions ended: {ended}."))
}

/// Ends everybody's sessions.
pub(super) async fn sign_everybody_out(config: &Config) -> Result<()> {
    let latchkey = open(config).await?;
    let ended = domain::sessions::sign_everybody_out(&latchkey).await.map_err(explain)?;
    latchkey.store.close().await;
    say(&format!("Everybody is signed out; sessions ended: {ended}."))
}

/// Removes the second factors of somebody who lost them all.
pub(super) async fn remove_factors(config: &Config, email: &str) -> Result<()> {
    let address = parse(email)?;
    let latchkey = open(config).await?;
    match domain::factors::remove_all(&latchkey, &address).await {
        Err(Failure::NotFound) => bail!("there is no login with a second factor at {address}"),
        removed => removed.map_err(explain)?,
    }
    latchkey.store.close().await;
    say(&format!(
        "The second factors of {address} are gone, and so are sessions and password: a new one is \
         chosen with \"Forgot your password?\". A mail tells them."
    ))
}

fn parse(email: &str) -> Result<EmailAddress> {
    EmailAddress::parse(email).map_err(|problem| explain(Failure::field(Field::Email, problem)))
}
