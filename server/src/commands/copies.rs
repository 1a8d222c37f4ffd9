//! `latchkey backup` and `latchkey restore`.

use std::path::Path;

use anyhow::{Result, bail};
use domain::Clock;
use jiff::tz::TimeZone;
use model::Timestamp;
use serde_json::{Value, json};
use store::{Settled, Store};

use super::told::{Told, moment};
use super::{exact, explain, must_be_there};
use crate::clock::SystemClock;
use crate::config::Config;

/// Copies the database into a file, while a server goes on.
pub(super) async fn back_up(config: &Config, file: &Path, force: bool) -> Result<Told> {
    if config.sqlite_file().is_none() {
        bail!(
            "Postgres makes its own backups: run `pg_dump --format=custom --file={} \
             \"$DATABASE_URL\"`",
            file.display()
        );
    }
    must_be_there(config)?;
    let store = Store::open(config.database_url.expose()).await?;
    if !store.is_current().await.map_err(explain)? {
        bail!("the database isn't up to date: run `latchkey migrate` first");
    }
    store.back_up(file, force, SystemClock.now()).await?;
    store.close().await;
    let told = Told::new(json!({ "file": file.display().to_string() }));
    Ok(told.line(format!(
        "The database is backed up in {}. It holds password hashes: keep it as safe as the \
         database.",
        file.display()
    )))
}

/// Puts a copy in place of the database.
pub(super) async fn restore(config: &Config, copy: &Path, keep_mails: bool) -> Result<Told> {
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
    let mut facts = facts(&restored.settled);
    let aside = restored.aside.as_ref().map(|aside| aside.display().to_string());
    facts["file"] = copy.display().to_string().into();
    facts["copied_at"] = restored.copied_at.map(moment).into();
    facts["aside"] = aside.clone().into();
    let told = Told::new(facts).line(match restored.copied_at {
        Some(at) => format!("The database is as it was on {}.", exact(at)),
        None => format!("The database is that of {}.", copy.display()),
    });
    let aside = aside.map(|aside| format!("What was there before is in {aside}."));
    Ok(told.lines(aside).lines(lines(restored.settled)))
}

/// Ends what came back to life in a database that was restored in another way.
pub(super) async fn settle(config: &Config, keep_mails: bool) -> Result<Told> {
    must_be_there(config)?;
    let store = Store::open(config.database_url.expose()).await?;
    store.migrate().await?;
    let settled = store.settle(keep_mails, SystemClock.now()).await.map_err(explain)?;
    store.renew_stamp().await.map_err(explain)?;
    store.close().await;
    Ok(Told::new(facts(&settled)).lines(lines(settled)))
}

fn lines(settled: Settled) -> [String; 2] {
    let again = "What was taken away since the backup (access, users, second factors, passwords) is \
                 there again: look through it.";
    [in_words(settled), again.to_owned()]
}

fn facts(settled: &Settled) -> Value {
    json!({
        "sessions_ended": settled.sessions,
        "mails_given_up": settled.mails,
        "invitations_expired": settled.invitations,
    })
}

/// What didn't come back to life.
pub(super) fn in_words(settled: Settled) -> String {
    let Settled { sessions, mails, invitations, tokens, deliveries } = settled;
    format!(
        "Sessions ended: {sessions}; waiting mails given up, as they were probably sent: {mails}; \
         events for webhooks likewise: {deliveries}; invitations expired, to be sent again: {invitations}; tokens revoked, to be made anew: \
         {tokens}."
    )
}

/// A moment as a part of a file's name.
fn compact(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}
