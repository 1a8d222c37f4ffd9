//! Ends of grants: whom they are told, a week and a day before they come and when they do.

use std::collections::BTreeMap;

use model::{AccountId, EmailAddress, EndStage, Failure, GivenEnd, Mail, Outlines, UserId};
use store::{Ending, EndingFacts, NewMail, Owner};

use crate::Latchkey;

/// How many accounts are looked at between two questions to the database.
const ACCOUNTS: usize = 100;
/// How many grants are told of in one transaction: the account is locked for no longer than that takes.
const BATCH: usize = 50;

/// Tells, in all accounts, who holds a grant that ends soon or ended, and who gave it. Answers of how
/// many grants. Nodes may do so at once: each stage is told once.
///
/// # Errors
/// [`Failure::Unavailable`] when it can't be known where; an account that can't be told is left for later.
pub async fn tell(latchkey: &Latchkey) -> Result<usize, Failure> {
    let (mut told, mut last) = (0, None);
    loop {
        let accounts = latchkey.store.ending_accounts(last, ACCOUNTS, latchkey.now()).await?;
        let Some(newest) = accounts.last() else { return Ok(told) };
        last = Some(*newest);
        for account in accounts {
            // The others needn't wait for one whose lock is held.
            match tell_in(latchkey, account).await {
                Ok(batch) => told += batch,
                Err(error) => {
                    tracing::warn!(?error, "an account wasn't told of its ends; later again")
                }
            }
        }
    }
}

async fn tell_in(latchkey: &Latchkey, account: AccountId) -> Result<usize, Failure> {
    // What is told at one moment becomes one mail to a person, in however many transactions.
    let (mut told, now) = (0, latchkey.now());
    loop {
        let batch = latchkey.store.tell_of_ends(account, BATCH, now, mails).await?;
        told += batch;
        if batch < BATCH {
            return Ok(told);
        }
    }
}

/// A mail to each person for all of theirs that is in the same stage, and one to whoever gave it.
fn mails(facts: &EndingFacts) -> Vec<NewMail> {
    let mut people: BTreeMap<(UserId, EndStage), Vec<&Ending>> = BTreeMap::new();
    for ending in &facts.ending {
        people.entry((ending.user, ending.stage)).or_default().push(ending);
    }
    let mut givers: BTreeMap<(String, EndStage), (EmailAddress, Vec<GivenEnd>)> = BTreeMap::new();
    let mut mails = Vec::new();
    for ((_, stage), theirs) in people {
        let Some(first) = theirs.first() else { continue };
        let mail = Mail::AccessEnds {
            account: facts.account.clone().into(),
            ending: outlines(&theirs),
            stage,
        };
        mails.push(NewMail::to(first.person.email.clone(), mail));
        for (giver, given) in by_giver(&theirs) {
            let key = (giver.email.key().to_owned(), stage);
            let (_, ends) = givers.entry(key).or_insert_with(|| (giver.email.clone(), Vec::new()));
            ends.push(GivenEnd {
                name: first.person.full_name.clone().into(),
                email: (&first.person.email).into(),
                ending: outlines(&given),
            });
        }
    }
    let to_giver =
        |((_, stage), (to, given)): ((String, EndStage), (EmailAddress, Vec<GivenEnd>))| {
            let account = facts.account.clone().into();
            let account_number = facts.number;
            NewMail::to(to, Mail::GivenEnds { account, account_number, given, stage })
        };
    mails.extend(givers.into_iter().map(to_giver));
    mails
}

/// What one person holds, by who gave it.
fn by_giver<'a>(theirs: &[&'a Ending]) -> Vec<(&'a Owner, Vec<&'a Ending>)> {
    let mut found: Vec<(&Owner, Vec<&Ending>)> = Vec::new();
    for ending in theirs.iter().copied() {
        let Some(giver) = &ending.giver else { continue };
        match found.iter_mut().find(|(known, _)| known.email.key() == giver.email.key()) {
            Some((_, given)) => given.push(ending),
            None => found.push((giver, vec![ending])),
        }
    }
    found
}

fn outlines(ending: &[&Ending]) -> Outlines {
    ending.iter().map(|ending| ending.outline).collect()
}
