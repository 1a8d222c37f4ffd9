//! `latchkey report list` and `latchkey report lift`.

use anyhow::{Result, bail};
use model::{AccountNumber, Failure};
use serde_json::json;

use super::told::{Told, moment};
use super::{address, exact, explain, open, plain};
use crate::config::Config;

/// Lists who invited people that don't know them, newest first: when, the account's number and
/// name, the invited address, the inviter, and whether it was lifted.
pub(super) async fn list(config: &Config, most: usize) -> Result<Told> {
    let latchkey = open(config).await?;
    let reports = domain::reports::newest(&latchkey, most).await.map_err(explain)?;
    latchkey.store.close().await;
    let facts = reports.iter().map(|one| {
        json!({
            "at": moment(one.at),
            "account": one.account_number.get(),
            "account_name": one.account_name,
            "email": one.email.as_str(),
            "inviter": one.inviter_name,
            "inviter_email": one.inviter_email.as_str(),
            "lifted_at": one.lifted_at.map(moment),
        })
    });
    let told = Told::new(json!({ "reports": facts.collect::<Vec<_>>() }));
    if reports.is_empty() {
        return Ok(told.line("Nobody reported an inviter yet."));
    }
    Ok(told.lines(reports.iter().map(|one| {
        let (at, number, email) = (exact(one.at), one.account_number, &one.email);
        let (account, inviter) = (plain(&one.account_name), plain(&one.inviter_name));
        let lifted = one.lifted_at.map(|at| format!("  lifted {}", exact(at))).unwrap_or_default();
        format!(
            "{at}  {number} {account}  {email}  invited by {inviter} <{}>{lifted}",
            one.inviter_email
        )
    })))
}

/// Lets an account invite an address again.
pub(super) async fn lift(config: &Config, number: &str, email: &str) -> Result<Told> {
    let Ok(number) = number.parse::<AccountNumber>() else {
        bail!("'{}' is no account number, such as 100001", plain(number));
    };
    let email = address(email)?;
    let latchkey = open(config).await?;
    match domain::reports::lift(&latchkey, number, &email).await {
        Err(Failure::NotFound) => {
            bail!("no report keeps account {number} from inviting {email}")
        }
        lifted => lifted.map_err(explain)?,
    }
    latchkey.store.close().await;
    let facts = json!({ "account": number.get(), "email": email.as_str(), "lifted": true });
    Ok(Told::new(facts).line(format!("Account {number} can invite {email} again.")))
}
