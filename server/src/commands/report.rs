//! `latchkey report list` and `latchkey report lift`.

use anyhow::{Result, bail};
use model::{AccountNumber, EmailAddress, Failure, Field};

use super::{exact, explain, open, plain, say};
use crate::config::Config;

/// Lists who invited people that don't know them, newest first: when, the account's number and
/// name, the invited address, the inviter, and whether it was lifted.
pub(super) async fn list(config: &Config, most: usize) -> Result<()> {
    let latchkey = open(config).await?;
    let reports = domain::reports::newest(&latchkey, most).await.map_err(explain)?;
    latchkey.store.close().await;
    if reports.is_empty() {
        return say("Nobody reported an inviter yet.");
    }
    for one in reports {
        let (at, number, email) = (exact(one.at), one.account_number, one.email);
        let (account, inviter) = (plain(&one.account_name), plain(&one.inviter_name));
        let lifted = one.lifted_at.map(|at| format!("  lifted {}", exact(at))).unwrap_or_default();
        say(&format!(
            "{at}  {number} {account}  {email}  invited by {inviter} <{}>{lifted}",
            one.inviter_email
        ))?;
    }
    Ok(())
}

/// Lets an account invite an address again.
pub(super) async fn lift(config: &Config, number: &str, email: &str) -> Result<()> {
    let Ok(number) = number.parse::<AccountNumber>() else {
        bail!("{} is no account number", plain(number));
    };
    let email = EmailAddress::parse(email)
        .map_err(|problem| explain(Failure::field(Field::Email, problem)))?;
    let latchkey = open(config).await?;
    match domain::reports::lift(&latchkey, number, &email).await {
        Err(Failure::NotFound) => {
            bail!("no report keeps account {number} from inviting {email}")
        }
        lifted => lifted.map_err(explain)?,
    }
    latchkey.store.close().await;
    say(&format!("Account {number} can invite {email} again."))
}
