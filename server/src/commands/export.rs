//! `latchkey export`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use api::export::{NotExported, export};
use model::{AccountNumber, Failure};
use serde_json::json;

use super::told::Told;
use super::{explain, open};
use crate::config::Config;

/// Writes all of an account into a file, or onto standard output.
pub(super) async fn run(
    config: &Config,
    account: AccountNumber,
    passwords: bool,
    file: Option<&Path>,
) -> Result<Told> {
    let latchkey = open(config).await?;
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout());
        let exported = export(&latchkey, account, passwords, &mut out).await;
        latchkey.store.close().await;
        return match exported {
            // `latchkey export … | head` is no error.
            Err(NotExported::Unwritten(error)) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(Told::nothing())
            }
            exported => explained(account, exported).map(|()| Told::nothing()),
        };
    };
    let name = file.display();
    let mut out = match new_file(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("{name} is there already"),
        made => BufWriter::new(made.with_context(|| format!("{name} can't be written"))?),
    };
    let exported = export(&latchkey, account, passwords, &mut out).await;
    latchkey.store.close().await;
    let exported = explained(account, exported)
        .and_then(|()| out.flush().with_context(|| format!("{name} can't be written")));
    if exported.is_err() {
        // Half an account is none.
        drop(out);
        fs::remove_file(file).with_context(|| format!("{name} is left, and holds only a part"))?;
    }
    exported?;
    let facts = json!({ "account": account.get(), "file": name.to_string() });
    Ok(Told::new(facts).line(format!("Account {account} is in {name}.")))
}

/// A file that only its owner can read: people's names are in it.
fn new_file(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn explained(account: AccountNumber, exported: Result<(), NotExported>) -> Result<()> {
    match exported {
        Ok(()) => Ok(()),
        Err(NotExported::Failed(Failure::NotFound)) => bail!("there is no account {account}"),
        Err(NotExported::Failed(failure)) => Err(explain(failure)),
        Err(NotExported::Unwritten(error)) => {
            Err(anyhow::Error::new(error).context("the export can't be written"))
        }
    }
}
