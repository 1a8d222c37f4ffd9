//! `latchkey account` and what follows it.

use anyhow::{Result, bail};
use domain::single_sign_on;
use model::{AccountNumber, Failure};

use super::{exact, explain, open, say};
use crate::config::Config;

/// Sets up an account, and tells its number and what became of the invitation.
pub(super) async fn create(config: &Config, name: &str, owner_email: &str) -> Result<()> {
    let latchkey = open(config).await?;
    let until = latchkey.now().after(latchkey.settings.invitation_lifetime);
    let created = domain::accounts::create(&latchkey, name, owner_email).await;
    let (number, token) = created.map_err(explain)?;
    latchkey.store.close().await;
    let until = exact(until);
    say(&format!("Account {number} is set up."))?;
    say(&match (&config.smtp_url, config.demo) {
        (Some(_), _) => format!(
            "An invitation is on its way to {owner_email} as soon as the server runs; it works \
             until {until}."
        ),
        (None, true) => format!(
            "An invitation to {owner_email} is in the demo's mailbox as soon as the server runs; \
             it works until {until}."
        ),
        (None, false) => format!(
            "No mail server is configured, so {owner_email} gets no mail: hand over this link. It \
             works until {until}."
        ),
    })?;
    say(&format!("{}/invitations/{}", config.public_url, token.secret().expose()))
}

/// Lists every account, in the order of their numbers.
pub(super) async fn list(config: &Config) -> Result<()> {
    const PAGE: usize = 500;
    let latchkey = open(config).await?;
    say(&row("NUMBER", "OWNERS", "USERS", "NAME"))?;
    let mut after = None;
    loop {
        let accounts = latchkey.store.accounts(after, PAGE).await.map_err(explain)?;
        for account in &accounts {
            let [number, owners, users] =
                [account.number.get(), account.owners.into(), account.users.into()]
                    .map(|number| number.to_string());
            say(&row(&number, &owners, &users, &account.name))?;
        }
        match accounts.last() {
            Some(last) if accounts.len() == PAGE => after = Some(last.number),
            _ => break,
        }
    }
    latchkey.store.close().await;
    Ok(())
}

/// Requires an account's own identity provider no longer.
pub(super) async fn sso_off(config: &Config, number: AccountNumber) -> Result<()> {
    let latchkey = open(config).await?;
    let lifted = match single_sign_on::lift_for(&latchkey, number).await {
        Err(Failure::NotFound) => bail!("there is no account {number}"),
        lifted => lifted.map_err(explain)?,
    };
    latchkey.store.close().await;
    say(&match lifted {
        true => format!(
            "Account {number} opens without its identity provider again. Its owners get a mail as \
             soon as the server runs."
        ),
        false => format!("Account {number} doesn't demand a sign-in with its identity provider."),
    })
}

/// Takes a domain away from the account that has proven it.
pub(super) async fn release_domain(config: &Config, domain: &str) -> Result<()> {
    let latchkey = open(config).await?;
    let released = single_sign_on::release_domain(&latchkey, domain).await.map_err(explain)?;
    latchkey.store.close().await;
    say(&match released {
        true => format!(
            "{domain} is no account's any more. The owners of the one that it was get a mail as \
             soon as the server runs."
        ),
        false => format!("No account has proven {domain}."),
    })
}

fn row(number: &str, owners: &str, users: &str, name: &str) -> String {
    format!("{number:>10}  {owners:>6}  {users:>6}  {name}")
}
