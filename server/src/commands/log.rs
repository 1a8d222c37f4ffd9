//! `latchkey log verify`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::Latchkey;
use domain::chain::{self, Examined, Fault};
use domain::digests::{self, DigestFault, PublicKey};
use model::{AccountId, AccountNumber, Failure};
use serde_json::{Value, json};

use super::told::Told;
use super::{explain, open};
use crate::config::Config;
use crate::digests::DigestFile;
use crate::log_key;

/// Examines every account's log, or one account's: a line for each, and an error when one of them
/// isn't as it was written. `keys` are trusted besides the one in use.
pub(super) async fn verify(
    config: &Config,
    account: Option<AccountNumber>,
    mut keys: Vec<PublicKey>,
) -> Result<Told> {
    const PAGE: usize = 500;
    keys.extend(log_key::read(&config.log_key_file)?.map(|key| key.public()));
    let latchkey = open(config).await?;
    let mut logs = Vec::new();
    match account {
        Some(number) => {
            let id = find(&latchkey, number).await?;
            logs.push(Log::examine(&latchkey, number, id, &keys).await?);
        }
        None => {
            let mut after = None;
            loop {
                let accounts =
                    latchkey.store.accounts(after, PAGE, latchkey.now()).await.map_err(explain)?;
                for account in &accounts {
                    logs.push(Log::examine(&latchkey, account.number, account.id, &keys).await?);
                }
                match accounts.last() {
                    Some(last) if accounts.len() == PAGE => after = Some(last.number),
                    _ => break,
                }
            }
        }
    }
    latchkey.store.close().await;
    let broken = logs.iter().filter(|log| log.examined.fault.is_some()).count();
    let facts = logs.iter().map(Log::facts).collect::<Vec<_>>();
    let told = Told::new(json!({ "is_whole": broken == 0, "logs": facts }));
    let told = told.lines(logs.iter().map(Log::line));
    Ok(match broken {
        0 => told,
        _ => told.but(format!("there are problems in {broken} of {} logs", logs.len())),
    })
}

/// Compares a digest that somebody kept with its account's log, which is examined too.
pub(super) async fn verify_kept(
    config: &Config,
    file: &Path,
    mut keys: Vec<PublicKey>,
) -> Result<Told> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("{} can't be read", file.display()))?;
    let Some(digest) = DigestFile::parse(&text) else {
        bail!("{} isn't a digest as it was downloaded", file.display());
    };
    keys.extend(log_key::read(&config.log_key_file)?.map(|key| key.public()));
    let latchkey = open(config).await?;
    let number = digest.facts.number;
    let account = find(&latchkey, number).await?;
    let log = Log::examine(&latchkey, number, account, &keys).await?;
    let kept = chain::examine_kept(&latchkey, account, &digest, &keys).await.map_err(explain)?;
    latchkey.store.close().await;
    let is_whole = log.examined.fault.is_none() && kept.is_ok();
    let facts = json!({
        "is_whole": is_whole,
        "logs": [log.facts()],
        "digest": {
            "file": file.display().to_string(),
            "fits": kept.is_ok(),
            "problem": kept.err().map(digest_fault),
        },
    });
    let told = Told::new(facts).line(log.line()).line(match kept {
        Ok(()) => format!("{}: ok, it fits the log", file.display()),
        Err(fault) => format!("{}: problem: {}", file.display(), digest_fault(fault)),
    });
    Ok(match is_whole {
        true => told,
        false => {
            told.but(format!("there is a problem in the log of account {number}, or in the digest"))
        }
    })
}

async fn find(latchkey: &Latchkey, number: AccountNumber) -> Result<AccountId> {
    match latchkey.store.account(number).await {
        Err(Failure::NotFound) => bail!("there is no account {number}"),
        found => found.map_err(explain),
    }
}

/// An account's log, and what was found there.
struct Log {
    number: AccountNumber,
    examined: Examined,
}

impl Log {
    async fn examine(
        latchkey: &Latchkey,
        number: AccountNumber,
        account: AccountId,
        keys: &[PublicKey],
    ) -> Result<Self> {
        let examined = chain::examine(latchkey, account, keys).await.map_err(explain)?;
        Ok(Self { number, examined })
    }

    fn line(&self) -> String {
        format!("{}: {}", self.number, words(&self.examined))
    }

    fn facts(&self) -> Value {
        let Examined { rows, older, digests, fault } = self.examined;
        json!({
            "account": self.number.get(),
            "is_whole": fault.is_none(),
            "rows": rows,
            "older_rows": older,
            "digests": digests,
            "problem": fault.map(fault_words),
        })
    }
}

fn words(examined: &Examined) -> String {
    let Examined { rows, older, digests, fault } = *examined;
    if let Some(fault) = fault {
        return format!("problem: {}", fault_words(fault));
    }
    let older = match older {
        0 => String::new(),
        1 => ", 1 row from before there was a chain".to_owned(),
        older => format!(", {older} rows from before there was a chain"),
    };
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    let digests = if digests == 1 { "1 digest".to_owned() } else { format!("{digests} digests") };
    format!("ok, {rows}{older}, {digests}")
}

fn fault_words(fault: Fault) -> String {
    match fault {
        Fault::Changed(row) if row > 1 => {
            format!("row {row} was changed, or the one before it")
        }
        Fault::Changed(row) => format!("row {row} was changed"),
        Fault::Missing(row) => format!("row {row} is missing"),
        Fault::Inserted(row) => format!("row {row} was inserted"),
        Fault::Unlinked(rows) => format!("rows outside the chain were inserted, {rows} of them"),
        Fault::CutOff(row) => {
            format!("the end was cut off: row {row} and all after it are missing")
        }
        Fault::HeadGone => {
            "the note of its newest row is missing, so rows can be missing at the end".to_owned()
        }
        Fault::Digest(day, fault) => {
            format!("the digest of {}: {}", digests::write_day(day), digest_fault(fault))
        }
    }
}

fn digest_fault(fault: DigestFault) -> &'static str {
    match fault {
        DigestFault::ForeignKey => {
            "it was signed with another key than log_key_file's: name the public one with --key \
             if it is an earlier one of yours"
        }
        DigestFault::Forged => "its signature isn't one of what it says",
        DigestFault::DoesNotFit => {
            "the log doesn't fit it: rows that it covers were changed or removed"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use model::Day;

    use super::*;

    #[test]
    fn what_is_found_is_told_in_one_line() {
        let whole = Examined { rows: 14, older: 0, digests: 1, fault: None };
        assert_eq!(words(&whole), "ok, 14 rows, 1 digest");
        let older = Examined { rows: 1, older: 2, digests: 0, ..whole };
        assert_eq!(words(&older), "ok, 1 row, 2 rows from before there was a chain, 0 digests");
        let day = Day::from_stored(20_780);
        let faults = [
            (Fault::Changed(1), "row 1 was changed"),
            (Fault::Changed(5), "row 5 was changed, or the one before it"),
            (Fault::Missing(5), "row 5 is missing"),
            (Fault::Inserted(5), "row 5 was inserted"),
            (Fault::Unlinked(NonZeroU32::MIN), "rows outside the chain were inserted, 1 of them"),
            (Fault::CutOff(9), "the end was cut off: row 9 and all after it are missing"),
            (Fault::HeadGone, "the note of its newest row is missing"),
            (Fault::Digest(day, DigestFault::Forged), "the digest of 2026-11-23: its signature"),
        ];
        for (fault, expected) in faults {
            let told = words(&Examined { fault: Some(fault), ..whole });
            assert!(told.starts_with(&format!("problem: {expected}")), "{told}");
        }
    }
}
