//! `latchkey account` and what follows it.

use anyhow::{Result, anyhow, bail};
use domain::operator_commands::command;
use domain::owners_by_provider::{self, Owners, OwnersChanged, OwnersStay};
use domain::{Token, single_sign_on};
use model::{
    AccountNumber, Failure, Field, FieldProblem, InvitationState, OwnerChangeKind, Timestamp,
};
use serde_json::{Value, json};
use store::{AccountRow, Belonging, LockedPerson, Owner, OwnerChange};

use super::told::{Told, moment};
use super::{address, exact, explain, open, plain};
use crate::config::Config;

/// Sets up an account, and tells its number and what became of the invitation.
pub(super) async fn create(config: &Config, name: &str, owner_email: &str) -> Result<Told> {
    let owner = address(owner_email)?;
    let latchkey = open(config).await?;
    let until = latchkey.now().after(latchkey.settings.invitation_lifetime);
    let created = domain::accounts::create(&latchkey, name, owner.as_str()).await;
    let (number, token) = created.map_err(explain)?;
    latchkey.store.close().await;
    let invitation = Invited { email: owner.as_str(), token: &token, until };
    let facts = json!({ "account": number.get(), "invitation": invitation.facts(config) });
    let told = Told::new(facts).line(format!("Account {number} is set up."));
    Ok(told.lines(invitation.lines(config)))
}

/// An invitation that was just queued.
struct Invited<'a> {
    email: &'a str,
    token: &'a Token,
    until: Timestamp,
}

impl Invited<'_> {
    fn link(&self, config: &Config) -> String {
        format!("{}/invitations/{}", config.public_url, self.token.secret().expose())
    }

    /// What becomes of it, and the link to hand over.
    fn lines(&self, config: &Config) -> [String; 2] {
        let (email, until) = (self.email, exact(self.until));
        let mail = match (&config.smtp_url, config.demo) {
            (Some(_), _) => format!(
                "An invitation is on its way to {email} as soon as the server runs; it works until \
                 {until}."
            ),
            (None, true) => format!(
                "An invitation to {email} is in the demo's mailbox as soon as the server runs; it \
                 works until {until}."
            ),
            (None, false) => format!(
                "No mail server is configured, so {email} gets no mail: hand over this link. It \
                 works until {until}."
            ),
        };
        [mail, self.link(config)]
    }

    fn facts(&self, config: &Config) -> Value {
        json!({
            "email": self.email,
            "expires_at": moment(self.until),
            "link": self.link(config),
            "is_mailed": config.smtp_url.is_some(),
        })
    }
}

/// Lists every account, in the order of their numbers.
pub(super) async fn list(config: &Config) -> Result<Told> {
    const PAGE: usize = 500;
    let latchkey = open(config).await?;
    let mut rows: Vec<AccountRow> = Vec::new();
    loop {
        let after = rows.last().map(|last| last.number);
        let page = latchkey.store.accounts(after, PAGE, latchkey.now()).await.map_err(explain)?;
        let last = page.len() < PAGE;
        rows.extend(page);
        if last {
            break;
        }
    }
    latchkey.store.close().await;
    let facts = rows.iter().map(|account| {
        json!({
            "account": account.number.get(),
            "name": account.name,
            "owners": account.owners,
            "users": account.users,
        })
    });
    let told = Told::new(json!({ "accounts": facts.collect::<Vec<_>>() }));
    let told = told.line(row("NUMBER", "OWNERS", "USERS", "NAME"));
    Ok(told.lines(rows.iter().map(|account| {
        let [number, owners, users] =
            [account.number.get(), account.owners.into(), account.users.into()]
                .map(|number| number.to_string());
        row(&number, &owners, &users, &plain(&account.name))
    })))
}

/// Lists an account's owners, by name, who may become one, and its successor.
pub(super) async fn owners(config: &Config, number: AccountNumber) -> Result<Told> {
    let latchkey = open(config).await?;
    let found = match owners_by_provider::list(&latchkey, number).await {
        Err(Failure::NotFound) => bail!("there is no account {number}"),
        found => found.map_err(explain)?,
    };
    latchkey.store.close().await;
    let Owners { owners, becoming, successor } = found;
    let person = |owner: &Owner| json!({ "name": owner.full_name, "email": owner.email.as_str() });
    let change = |change: &OwnerChange| {
        json!({
            "name": change.person.full_name,
            "email": change.person.email.as_str(),
            "way": change.kind.id(),
            "by": change.made_by_name,
            "asked_at": moment(change.asked_at),
            "becomes_owner_at": change.due_at.map(moment),
        })
    };
    let facts = json!({
        "account": number.get(),
        "owners": owners.iter().map(person).collect::<Vec<_>>(),
        "becoming": becoming.iter().map(change).collect::<Vec<_>>(),
        "successor": successor.as_ref().map(|(successor, able)| {
            json!({
                "name": successor.person.full_name,
                "email": successor.person.email.as_str(),
                "wait_days": successor.wait.number(),
                "can_take_over": able,
            })
        }),
    });
    let told = Told::new(facts);
    let told = match owners.is_empty() {
        true => told.line(format!(
            "Nobody owns account {number} yet: `{}` invites somebody.",
            invite_owner(number, "EMAIL")
        )),
        false => told.lines(owners.iter().map(named)),
    };
    let told = told.lines(becoming.iter().map(|change| {
        let (who, by) = (named(&change.person), plain(&change.made_by_name));
        match (change.due_at, change.kind) {
            (Some(due_at), OwnerChangeKind::TakenOver) => {
                format!("{who} asked to take the account over: an owner from {}", exact(due_at))
            }
            (Some(due_at), OwnerChangeKind::Handed) => {
                format!("{who} is handed the account by {by}: an owner from {}", exact(due_at))
            }
            (Some(due_at), OwnerChangeKind::Made) => {
                format!("{who} becomes an owner, as {by} offered: from {}", exact(due_at))
            }
            (None, OwnerChangeKind::Handed) => {
                format!("{who} was asked by {by} to take the account over")
            }
            (None, OwnerChangeKind::Made | OwnerChangeKind::TakenOver) => {
                format!("{who} was asked by {by} to become an owner")
            }
        }
    }));
    Ok(told.lines(successor.iter().map(|(successor, able)| {
        let closed = if *able { "" } else { ", whose access is paused or has ended" };
        format!("{} is the successor{closed}", named(&successor.person))
    })))
}

fn named(owner: &Owner) -> String {
    format!("{} <{}>", plain(&owner.full_name), owner.email)
}

/// Makes somebody who has a login an owner of an account.
pub(super) async fn add_owner(
    config: &Config,
    number: AccountNumber,
    email: &str,
    why: &str,
) -> Result<Told> {
    let email = address(email)?;
    let latchkey = open(config).await?;
    let changed = owners_by_provider::add(&latchkey, number, &email, why).await;
    let changed = changed.map_err(|why_not| stay(number, why_not))?;
    latchkey.store.close().await;
    Ok(tell_changed(number, &changed))
}

/// Ends an owner's access to an account, and makes somebody else an owner in the same step, if they are
/// named.
pub(super) async fn remove_owner(
    config: &Config,
    number: AccountNumber,
    email: &str,
    replaced_by: Option<&str>,
    why: &str,
) -> Result<Told> {
    let email = address(email)?;
    let replaced_by = replaced_by.map(address).transpose()?;
    let latchkey = open(config).await?;
    let changed =
        owners_by_provider::remove(&latchkey, number, &email, replaced_by.as_ref(), why).await;
    let changed = changed.map_err(|why_not| stay(number, why_not))?;
    latchkey.store.close().await;
    Ok(tell_changed(number, &changed))
}

/// Invites somebody to own an account, as its first owner was.
pub(super) async fn invite_owner_of(
    config: &Config,
    number: AccountNumber,
    email: &str,
) -> Result<Told> {
    let email = address(email)?;
    let latchkey = open(config).await?;
    let invited = owners_by_provider::invite(&latchkey, number, &email).await;
    let invited = invited.map_err(|why_not| stay(number, why_not))?;
    latchkey.store.close().await;
    let invitation = Invited { email: email.as_str(), token: &invited.token, until: invited.until };
    let before = match invited.before {
        None => None,
        Some(InvitationState::Expired) => Some("expired"),
        Some(_) => Some("pending"),
    };
    let facts = json!({
        "account": number.get(),
        "invitation": invitation.facts(config),
        "replaced": before,
        "owners_told": invited.owners,
    });
    let account = plain(&invited.account);
    let done = format!("{email} is invited to own account {number}, {account}.");
    let done = match before {
        None => done,
        Some(state) => {
            format!(
                "{done} That takes the place of their {state} invitation, whose links are dead."
            )
        }
    };
    let told = Told::new(facts).line(done).lines(invitation.lines(config));
    Ok(match invited.owners {
        0 => told,
        1 => told.line("Its owner gets a mail about it."),
        owners => told.line(format!("Its {owners} owners get a mail about it.")),
    })
}

fn tell_changed(number: AccountNumber, changed: &OwnersChanged) -> Told {
    let OwnersChanged { account, added, removed, mails } = changed;
    let person = |person: &LockedPerson| {
        json!({
            "name": person.full_name,
            "email": person.email.as_str(),
            "was": match person.standing {
                Belonging::Outside => "outside",
                Belonging::User => "user",
                Belonging::Owner => "owner",
            },
        })
    };
    let facts = json!({
        "account": number.get(),
        "added": added.as_ref().map(person),
        "removed": removed.as_ref().map(person),
        "mails": mails,
    });
    let named = |person: &LockedPerson| format!("{} <{}>", plain(&person.full_name), person.email);
    let of = format!("account {number}, {}", plain(account));
    let added = added.as_ref().map(|person| match person.standing {
        Belonging::Outside => format!("{} joined {of}, and owns it.", named(person)),
        Belonging::User => {
            format!("{} owns {of}; what they had been given before ended.", named(person))
        }
        Belonging::Owner => format!("{} owns {of}, as before.", named(person)),
    });
    let removed = removed
        .as_ref()
        .map(|person| format!("{} owns {of} no more, and isn't in it any more.", named(person)));
    let mails = match mails {
        1 => "1 mail tells of it".to_owned(),
        mails => format!("{mails} mails tell of it"),
    };
    let told = Told::new(facts).lines(added.into_iter().chain(removed));
    told.line(format!("{mails}, as soon as the server runs."))
}

/// Why an account's owners stay as they are, and what would do.
fn stay(number: AccountNumber, why: OwnersStay) -> anyhow::Error {
    match why {
        OwnersStay::NoLogin(email) => anyhow!(
            "there is no login with the address {email}: `{}` invites them",
            invite_owner(number, email.as_str())
        ),
        OwnersStay::NotAnOwner(email) => anyhow!(
            "{email} is no owner of account {number}: `{}` lists them",
            command("latchkey account owners", &[&number.to_string()])
        ),
        OwnersStay::OwnsAlready(email) => anyhow!("{email} owns account {number} already"),
        OwnersStay::LastOwner => anyhow!(
            "nobody else who can sign in owns account {number}: name who shall own it instead with \
             --replace-with"
        ),
        OwnersStay::InAccount(email) => anyhow!(
            "{email} is in account {number} already: `{}` makes them an owner",
            command(
                "latchkey account add-owner --reason REASON",
                &[&number.to_string(), email.as_str()]
            )
        ),
        OwnersStay::Failed(Failure::NotFound) => anyhow!("there is no account {number}"),
        OwnersStay::Failed(Failure::Invalid(errors)) => {
            let problem = errors.0.iter().find(|error| error.field == Field::Why);
            match problem.map(|error| error.problem) {
                Some(FieldProblem::Missing) => anyhow!("the reason says nothing"),
                Some(FieldProblem::TooLong) => {
                    anyhow!("the reason has more than {} characters", domain::users::LONGEST_REASON)
                }
                _ => explain(Failure::Invalid(errors)),
            }
        }
        OwnersStay::Failed(failure) => explain(failure),
    }
}

fn invite_owner(number: AccountNumber, email: &str) -> String {
    command("latchkey account invite-owner", &[&number.to_string(), email])
}

/// Requires an account's own identity provider no longer.
pub(super) async fn sso_off(config: &Config, number: AccountNumber) -> Result<Told> {
    let latchkey = open(config).await?;
    let lifted = match single_sign_on::lift_for(&latchkey, number).await {
        Err(Failure::NotFound) => bail!("there is no account {number}"),
        lifted => lifted.map_err(explain)?,
    };
    latchkey.store.close().await;
    let told = Told::new(json!({ "account": number.get(), "lifted": lifted }));
    Ok(told.line(match lifted {
        true => format!(
            "Account {number} opens without its identity provider again. Its owners get a mail as \
             soon as the server runs."
        ),
        false => format!("Account {number} doesn't require a sign-in with its identity provider."),
    }))
}

/// Takes a domain away from the account that has proven it.
pub(super) async fn release_domain(config: &Config, domain: &str) -> Result<Told> {
    if model::EmailDomain::parse(domain).is_err() {
        bail!("'{}' isn't a domain, such as nordlys.example", plain(domain));
    }
    let latchkey = open(config).await?;
    let released = single_sign_on::release_domain(&latchkey, domain).await.map_err(explain)?;
    latchkey.store.close().await;
    let told = Told::new(json!({ "domain": domain, "released": released }));
    Ok(told.line(match released {
        true => format!(
            "{domain} is no account's any more. The owners of the one that it was get a mail as \
             soon as the server runs."
        ),
        false => format!("No account has proven {domain}."),
    }))
}

fn row(number: &str, owners: &str, users: &str, name: &str) -> String {
    format!("{number:>10}  {owners:>6}  {users:>6}  {name}")
}
