//! `latchkey token` and what follows it.

use anyhow::{Result, anyhow, bail};
use domain::tokens::{self, Order, TokenRow, Unmade};
use model::{AccountNumber, DoorScope, Failure, Timestamp};

use super::{exact, explain, open, plain, say};
use crate::config::Config;

/// Makes a token, and shows it this once.
pub(super) async fn create(
    config: &Config,
    name: &str,
    scopes: Vec<DoorScope>,
    account: Option<AccountNumber>,
    until: Option<Timestamp>,
) -> Result<()> {
    let latchkey = open(config).await?;
    let order = Order { name, scopes: scopes.into_iter().collect(), account, until };
    let token = tokens::create(&latchkey, order).await.map_err(|unmade| match unmade {
        Unmade::Name => anyhow!("the token needs a name of 1 to 100 characters"),
        Unmade::NoScope => anyhow!("the token needs a scope, such as services:write"),
        Unmade::NoAccount(number) => anyhow!("there is no account {number}"),
        Unmade::Over => anyhow!("the end of the token is over already"),
        Unmade::Failed(failure) => explain(failure),
    })?;
    latchkey.store.close().await;
    say("Keep this token where only the system that needs it can read it. It isn't shown again:")?;
    say(token.expose())
}

/// Lists every token that was ever made.
pub(super) async fn list(config: &Config) -> Result<()> {
    let latchkey = open(config).await?;
    let tokens = tokens::list(&latchkey).await.map_err(explain)?;
    let now = latchkey.now();
    latchkey.store.close().await;
    if tokens.is_empty() {
        return say("No token was made yet.");
    }
    for token in tokens {
        say(&line(&token, now))?;
    }
    Ok(())
}

fn line(token: &TokenRow, now: Timestamp) -> String {
    let stands = match (token.revoked_at, token.until) {
        (Some(at), _) => format!("revoked {}", exact(at)),
        (None, Some(until)) if until <= now => format!("ended {}", exact(until)),
        (None, Some(until)) => format!("works until {}", exact(until)),
        (None, None) => "works".to_owned(),
    };
    let used = match token.last_used_at {
        Some(at) => format!("last used {}", exact(at)),
        None => "never used".to_owned(),
    };
    let account = token.account.map(|number| format!("account {number}, ")).unwrap_or_default();
    format!(
        "lk_{}  {}  {account}{}  made {}, {used}, {stands}",
        token.prefix,
        plain(&token.name),
        token.scopes,
        exact(token.made_at)
    )
}

/// Makes a token void at once.
pub(super) async fn revoke(config: &Config, named: &str) -> Result<()> {
    let latchkey = open(config).await?;
    match tokens::revoke(&latchkey, named).await {
        // What was given may be the token itself, which no terminal has to show again.
        Err(Failure::NotFound) => bail!("no token that works begins like that: see `token list`"),
        revoked => revoked.map_err(explain)?,
    }
    latchkey.store.close().await;
    say("The token is void from now on.")
}
