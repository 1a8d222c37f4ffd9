//! `latchkey serve`: the server with its workers, from start to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::Latchkey;
use domain::digests::{self, LogKey};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::{copies, demo, explain, open_as_it_is, say};
use crate::config::Config;
use crate::identity_providers::OpenIdConnect;
use crate::mailer::{Mailer, Transport};
use crate::records::Dns;
use crate::router::{Parts, router};
use crate::{accept, assets, log_key};

/// How long requests and the mail in hand may take to finish after a stop: longer than
/// [`Patience::send`](crate::mailer::Patience), and less than `TimeoutStopSec` in
/// `deploy/latchkey.service`.
const FAREWELL: Duration = Duration::from_secs(70);
/// How long closing the database may take after that.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT (Ctrl+C), then finishes what is under way.
pub(super) async fn run(config: Arc<Config>) -> Result<()> {
    let (stopping, stop) = watch::channel(false);
    let signals = watch_signals(stopping.clone())?;

    if !assets::are_there() {
        tracing::warn!("the files for the browser aren't built: pages have no style and no script");
    }
    let latchkey = open_as_it_is(&config).await?;
    let identity_providers = Arc::new(OpenIdConnect::new(&config)?);
    let records = Arc::new(Dns::new(config.dns_server));
    let latchkey = latchkey.with_identity_providers(identity_providers).with_records(records);
    let log_key = log_key::read_or_make(&config.log_key_file, latchkey.random.as_ref())?;
    latchkey.store.migrate().await?;
    know_the_database(&latchkey).await?;
    if !digests::is_the_key_in_use(&latchkey, log_key.public()).await.map_err(explain)? {
        tracing::warn!(
            "the newest digest of a log was signed with another key than log_key_file's: nodes \
             must share it"
        );
    }
    if let Some(words) = config.why_no_passkeys() {
        tracing::warn!("there are no passkeys: {words}");
    }
    prepare_demo(&config, &latchkey).await?;
    let transport = Transport::new(&config).context("TLS for the mail server can't be set up")?;
    if let Transport::Missing = transport {
        tracing::warn!(
            "no mail server is configured: mails wait, and are given up after four days"
        );
    }
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("can't listen on {}", config.listen))?;

    let site = Arc::new(config.site());
    let mail_waiting = Arc::new(Notify::new());
    let mailer = Mailer::new(latchkey.clone(), Arc::clone(&site), transport);
    let connections = usize::try_from(config.connections)?;
    let app = router(Parts {
        latchkey: latchkey.clone(),
        site,
        config: Arc::clone(&config),
        assets: assets::load(),
        mail_waiting: Arc::clone(&mail_waiting),
        pages: Arc::new(Semaphore::new(connections)),
    });
    let limits = accept::Limits { connections, ..accept::Limits::default() };

    let mut parts = JoinSet::new();
    parts.spawn(accept::serve(listener, app, limits, stop.clone()));
    parts.spawn(mailer.run(mail_waiting, stop.clone()));
    parts.spawn(every_minute(latchkey.clone(), stop.clone()));
    parts.spawn(every_hour(latchkey.clone(), log_key, stop.clone()));
    announce(&config)?;

    let whole = tokio::select! {
        whole = finish(&mut parts, &stop, &stopping) => whole,
        () = overdue(stop.clone()) => {
            tracing::warn!("not everything finished within {} seconds", FAREWELL.as_secs());
            parts.shutdown().await;
            true
        }
    };
    signals.abort();
    if tokio::time::timeout(CLOSING, latchkey.store.close()).await.is_err() {
        tracing::warn!("the database didn't close within {} seconds", CLOSING.as_secs());
    }
    if !whole {
        bail!("a part of the server broke off, so all of it was stopped");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits for every part. One that ends before its time takes the others with it: a server
/// without its mail worker looks well and isn't. Answers whether none did.
async fn finish(
    parts: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
    stopping: &watch::Sender<bool>,
) -> bool {
    let mut whole = true;
    while let Some(ended) = parts.join_next().await {
        if let Err(error) = &ended {
            tracing::error!(%error, "a part of the server broke off");
        }
        whole &= ended.is_ok() && *stop.borrow();
        stopping.send_replace(true);
    }
    whole
}

/// Ends when a stop has taken too long.
async fn overdue(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(FAREWELL).await;
}

fn watch_signals(stopping: watch::Sender<bool>) -> Result<tokio::task::JoinHandle<()>> {
    let watching = "signals can't be watched";
    let mut terminate = signal(SignalKind::terminate()).context(watching)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(watching)?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopping.send_replace(true);
    }))
}

/// Notices a backup that was copied in place of the database, and has nothing of it come back to life
/// that ended since; then gives the database the stamp that tells it from later copies.
async fn know_the_database(latchkey: &Latchkey) -> Result<()> {
    if latchkey.store.is_a_copy().await.map_err(explain)? {
        let settled = latchkey.store.settle(false, latchkey.now()).await.map_err(explain)?;
        tracing::warn!("the database was replaced by a backup. {}", copies::in_words(settled));
    }
    latchkey.store.renew_stamp().await.map_err(explain)
}

async fn prepare_demo(config: &Config, latchkey: &Latchkey) -> Result<()> {
    if config.demo {
        let seeded = domain::demo::seed(latchkey).await.map_err(explain)?;
        if !seeded && !demo::is_there(latchkey).await.map_err(explain)? {
            bail!(
                "demo is on, but the database holds accounts that aren't the demo's, and the demo \
                 shows everybody their mails: turn it off, or choose another database_url"
            );
        }
        if !domain::demo::is_whole(latchkey).await.map_err(explain)? {
            bail!(
                "the demo's data is only half there, as its making was stopped: run `make \
                 demo-reset`, or choose another database_url"
            );
        }
    } else if demo::is_there(latchkey).await.map_err(explain)? {
        tracing::warn!(
            "the database holds the demo's people, whose password everybody knows: use another \
             database_url"
        );
    }
    Ok(())
}

fn announce(config: &Config) -> Result<()> {
    say(&format!("Latchkey serves {}", config.public_url))?;
    if config.demo {
        let url = &config.public_url;
        let password = domain::demo::PASSWORD;
        say(&format!("The demo's logins are on {url}/sign-in; their password is \"{password}\""))?;
    }
    Ok(())
}

/// Has the database put away what was written and forget what was erased, every minute.
async fn every_minute(latchkey: Latchkey, mut stop: watch::Receiver<bool>) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        tokio::select! {
            _ = minutes.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // A failure is in the log already, and the next minute comes.
        let _ = latchkey.store.tidy().await;
    }
}

/// Deletes what ended, reminds people of second factors, and signs the logs of the day that ended,
/// every hour.
async fn every_hour(latchkey: Latchkey, log_key: LogKey, mut stop: watch::Receiver<bool>) {
    const EVERY: Duration = Duration::from_secs(60 * 60);
    let mut hours = interval(EVERY);
    loop {
        tokio::select! {
            _ = hours.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // A failure is in the log already, and the next hour comes.
        let _ = latchkey.store.renew_stamp().await;
        if let Ok(rows) = domain::sessions::sweep(&latchkey).await {
            tracing::debug!(rows, "swept");
        }
        if let Ok(rows) = domain::guesses::sweep(&latchkey).await {
            tracing::debug!(rows, "swept tries at signing in");
        }
        if let Ok(people @ 1..) = domain::policies::send_reminders(&latchkey).await {
            tracing::info!(people, "reminded of the second factor that an account demands");
        }
        if let Ok(logs @ 1..) = digests::sign_finished(&latchkey, &log_key).await {
            tracing::info!(logs, "signed how the logs stood at the end of the day");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailer::Patience;

    #[test]
    fn a_stop_leaves_time_for_the_mail_in_hand() {
        let unit = include_str!("../../../deploy/latchkey.service");
        let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec="));
        let stop = Duration::from_secs(stop.unwrap().parse().unwrap());
        assert!(Patience::default().send < FAREWELL && FAREWELL + CLOSING < stop);
    }
}
