//! `latchkey user reset-link`.

use anyhow::{Result, bail};
use model::{EmailAddress, Failure, Field};

use super::{exact, explain, open, say};
use crate::config::Config;

/// Makes a link to choose a new password, for handing over by another way than mail.
pub(super) async fn reset_link(config: &Config, email: &str) -> Result<()> {
    let address = EmailAddress::parse(email)
        .map_err(|problem| explain(Failure::field(Field::Email, problem)))?;
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
