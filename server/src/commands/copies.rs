//! `latchkey backup` and `latchkey restore`.

use std::path::Path;

use anyhow::{Result, bail};
use domain::Clock;
use jiff::tz::TimeZone;
use model::Timestamp;
use store::{Settled, Store};

use super::{exact, explain, say};
use crate::clock::SystemClock;
use crate::config::Config;

/// Copies the database into a file, while a server goes on.
pub(super) async fn back_up(config: &Config, file: &Path, force: bool) -> Result<()> {
    let Some(database) = config.sqlite_file() else {
        bail!(
            "Postgres makes its own backups: run `pg_dump --format=custom --file={} \
             \"$DATABASE_URL\"`",
            file.display()
        );
    };
    if !database.exists() {
        bail!("there is no database at {}: check database_url", database.display());
    }
    let store = Store::open(config.database_url.expose()).await?;
    if !store.is_current().await.map_err(explain)? {
        bail!("the database isn't up to date: run `latchkey migrate` first");
    }
    store.back_up(file, force, SystemClock.now()).await?;
    store.close().await;
    say(&format!(
        "The database is backed up in {}. It holds password hashes: keep it as safe as the \
         database.",
        file.display()
    ))
}

/// Puts a copy in place of the database.
pub(super) async fn restore(config: &Config, copy: &Path, keep_mails: bool) -> Result<()> {
    let Some(database) = config.sqlite_file() else {
        bail!(
            "Postgres puts its own backups in place: stop the server, run `pg_restore --clean \
             --if-exists --single-transaction --dbname=\"$DATABASE_URL\" {}`, then `latchkey restore \
             --in-place`",
            copy.display()
        );
    };
    let now = SystemClock.now();
    let aside = format!("{}.before-{}", database.display(), compact(now));
    let restored = store::restore(&database, copy, aside.as_ref(), keep_mails, now).await?;
    match restored.copied_at {
        Some(at) => {
            say(&format!("The database is as it was on {}.", exact(at)))?;
        }
        None => say(&format!("The database is that of {}.", copy.display()))?,
    }
    if let Some(aside) = &restored.aside {
        say(&format!("What was there before is in {}.", aside.display()))?;
    }
    tell(restored.settled)
}

/// Ends what came back to life in a database that was restored in another way.
pub(super) async fn settle(config: &Config, keep_mails: bool) -> Result<()> {
    let store = Store::open(config.database_url.expose()).await?;
    store.migrate().await?;
    let settled = store.settle(keep_mails, SystemClock.now()).await.map_err(explain)?;
    store.renew_stamp().await.map_err(explain)?;
    store.close().await;
    tell(settled)
}

fn tell(settled: Settled) -> Result<()> {
    say(&in_words(settled))?;
    say("What was taken away since the backup (access, users, second factors, passwords) is there \
         again: look through it.")
}

/// What didn't come back to life.
pub(super) fn in_words(settled: Settled) -> String {
    let Settled { sessions, mails, invitations } = settled;
    format!(
        "Sessions ended: {sessions}; waiting mails given up, as they were probably sent: {mails}; \
         invitations expired, to be sent again: {invitations}."
    )
}

/// A moment as a part of a file's name.
fn compact(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}
