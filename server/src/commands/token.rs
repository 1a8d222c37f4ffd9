//! `latchkey token` and what follows it.

use anyhow::{Result, anyhow, bail};
use domain::tokens::{self, Order, TokenRow, Unmade};
use model::{AccountNumber, DoorScope, Failure, Timestamp};
use serde_json::{Value, json};

use super::told::{Told, moment};
use super::{exact, explain, open, plain};
use crate::config::Config;

/// Makes a token, and shows it this once.
pub(super) async fn create(
    config: &Config,
    name: &str,
    scopes: Vec<DoorScope>,
    account: Option<AccountNumber>,
    until: Option<Timestamp>,
) -> Result<Told> {
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
    let keep =
        "Keep this token where only the system that needs it can read it. It isn't shown again:";
    Ok(Told::new(json!({ "token": token.expose() })).line(keep).line(token.expose()))
}

/// Lists every token that was ever made.
pub(super) async fn list(config: &Config) -> Result<Told> {
    let latchkey = open(config).await?;
    let tokens = tokens::list(&latchkey).await.map_err(explain)?;
    let now = latchkey.now();
    latchkey.store.close().await;
    let facts: Vec<_> = tokens.iter().map(facts).collect();
    let told = Told::new(json!({ "tokens": facts }));
    if tokens.is_empty() {
        return Ok(told.line("No token was made yet."));
    }
    Ok(told.lines(tokens.iter().map(|token| line(token, now))))
}

fn facts(token: &TokenRow) -> Value {
    json!({
        "prefix": format!("lk_{}", token.prefix),
        "name": token.name,
        "scopes": token.scopes.to_string(),
        "account": token.account.map(AccountNumber::get),
        "made_at": moment(token.made_at),
        "expires_at": token.until.map(moment),
        "last_used_at": token.last_used_at.map(moment),
        "revoked_at": token.revoked_at.map(moment),
    })
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
pub(super) async fn revoke(config: &Config, named: &str) -> Result<Told> {
    let latchkey = open(config).await?;
    match tokens::revoke(&latchkey, named).await {
        // What was given may be the token itself, which no terminal has to show again.
        Err(Failure::NotFound) => bail!("no token that works begins like that: see `token list`"),
        revoked => revoked.map_err(explain)?,
    }
    latchkey.store.close().await;
    Ok(Told::new(json!({ "revoked": true })).line("The token is void from now on."))
}
