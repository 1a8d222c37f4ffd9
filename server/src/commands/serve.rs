//! `latchkey serve`: the server with its workers, from start to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::Latchkey;
use domain::digests::{self, LogKey};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::told::{Audience, Told};
use super::{copies, demo, explain, open_as_it_is};
use crate::accept::Limits;
use crate::config::Config;
use crate::identity_providers::OpenIdConnect;
use crate::mailer::{Mailer, Transport};
use crate::records::Dns;
use crate::router::{Parts, router};
use crate::spool::Spool;
use crate::webhooks::Courier;
use crate::{accept, assets, log_key, open_files};

/// How long requests and the mail in hand may take to finish after a stop: longer than each of them
/// takes by itself ([`Limits::finish`], the farewells of [`mailer::Patience`](crate::mailer::Patience) and
/// [`webhooks::Patience`](crate::webhooks::Patience)).
const FAREWELL: Duration = Duration::from_secs(8);
/// How long closing the database may take after that. Both together, and the last words, take less
/// than the ten seconds that many who stop a process wait until they kill it.
const CLOSING: Duration = Duration::from_secs(1);
/// How long after a defect work begins again.
const PAUSE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT (Ctrl+C), then finishes what is under way. The second one ends it
/// at once.
pub(super) async fn run(config: Arc<Config>, audience: Audience) -> Result<Told> {
    let (stopping, stop) = watch::channel(false);
    let (hurrying, mut hurry) = watch::channel(false);
    let signals = watch_signals(stopping.clone(), hurrying)?;
    tokio::select! {
        served = serve(config, audience, stopping, stop) => {
            signals.abort();
            // What it had to say was said when it began.
            served.map(|()| Told::nothing())
        }
        Ok(_) = hurry.wait_for(|hurry| *hurry) => {
            bail!("told to stop twice, so what was under way was cut off")
        }
    }
}

async fn serve(
    config: Arc<Config>,
    audience: Audience,
    stopping: watch::Sender<bool>,
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let started = tokio::select! {
        started = start(&config, audience, &stop) => started?,
        () = overdue(stop.clone()) => bail!("told to stop before the start was done"),
    };
    let (mut parts, latchkey) = started;
    let whole = tokio::select! {
        whole = finish(&mut parts, &stop, &stopping) => whole,
        () = overdue(stop.clone()) => {
            tracing::warn!("not everything finished within {} seconds", FAREWELL.as_secs());
            // One that hangs isn't waited for.
            parts.abort_all();
            true
        }
    };
    if tokio::time::timeout(CLOSING, latchkey.store.close()).await.is_err() {
        tracing::warn!("the database didn't close in time");
    }
    if !whole {
        bail!("a part of the server broke off, so all of it was stopped");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Opens and makes what there has to be, and sets the parts of the server going.
async fn start(
    config: &Arc<Config>,
    audience: Audience,
    stop: &watch::Receiver<bool>,
) -> Result<(JoinSet<()>, Latchkey)> {
    let connections = open_files::make_room(usize::try_from(config.connections)?);
    if !assets::are_there() {
        tracing::warn!("the files for the browser aren't built: pages have no style and no script");
    }
    let latchkey = open_as_it_is(config).await?;
    let identity_providers = Arc::new(OpenIdConnect::new(config)?);
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
    prepare_demo(config, &latchkey).await?;
    let transport = Transport::new(config).context("TLS for the mail server can't be set up")?;
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
    let courier = Courier::new(latchkey.clone(), config)?;
    let app = router(Parts {
        latchkey: latchkey.clone(),
        site,
        config: Arc::clone(config),
        assets: assets::load(),
        mail_waiting: Arc::clone(&mail_waiting),
        pages: Arc::new(Semaphore::new(connections)),
    });
    let limits = Limits {
        connections,
        // A quarter, but enough for a few browsers.
        per_client: (connections / 4).max(24).min(connections),
        proxies: config.trusted_proxies.clone(),
        ..Limits::default()
    };

    let mut parts = JoinSet::new();
    parts.spawn(accept::serve(listener, app, limits, stop.clone()));
    let mailing = stop.clone();
    let mail = move || mailer.clone().run(Arc::clone(&mail_waiting), mailing.clone());
    parts.spawn(again_and_again("sending mails", PAUSE, mail, stop.clone()));
    let delivering = stop.clone();
    let deliver = move || courier.clone().run(delivering.clone());
    parts.spawn(again_and_again("delivering events", PAUSE, deliver, stop.clone()));
    let (tidied, tidying) = (latchkey.clone(), stop.clone());
    let tidy = move || every_minute(tidied.clone(), tidying.clone());
    parts.spawn(again_and_again("the work of every minute", PAUSE, tidy, stop.clone()));
    let (hourly, log_key, sweeping) = (latchkey.clone(), Arc::new(log_key), stop.clone());
    let sweep = move || every_hour(hourly.clone(), Arc::clone(&log_key), sweeping.clone());
    parts.spawn(again_and_again("the hourly work", PAUSE, sweep, stop.clone()));
    announce(config, audience);
    Ok((parts, latchkey))
}

/// Does work until the stop, and begins it again when a defect ends it: one mail that can't be
/// handled isn't to take the pages with it, nor the mails after it.
async fn again_and_again<W: Future<Output = ()> + Send + 'static>(
    name: &str,
    pause: Duration,
    work: impl Fn() -> W,
    mut stop: watch::Receiver<bool>,
) {
    // A task of its own ends with its panic. It is stopped with whoever waits for it.
    let mut task = JoinSet::new();
    loop {
        task.spawn(work());
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!("{name} broke off, and begins again");
            }
            _ => return,
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
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

fn watch_signals(
    stopping: watch::Sender<bool>,
    hurrying: watch::Sender<bool>,
) -> Result<tokio::task::JoinHandle<()>> {
    let watching = "signals can't be watched";
    let mut terminate = signal(SignalKind::terminate()).context(watching)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(watching)?;
    Ok(tokio::spawn(async move {
        for told in [stopping, hurrying] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("told to stop");
            told.send_replace(true);
        }
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

/// Says on standard output that we serve. Whether anybody reads that is no reason not to.
fn announce(config: &Config, audience: Audience) {
    let Ok(output) = Spool::new(io::stdout()) else { return };
    let (url, password) = (&config.public_url, domain::demo::PASSWORD);
    let password = config.demo.then_some(password);
    let said = match (audience, password) {
        (Audience::Program, password) => {
            format!("{}\n", json!({ "serves": url, "demo_password": password }))
        }
        (Audience::Person, None) => format!("Latchkey serves {url}\n"),
        (Audience::Person, Some(password)) => format!(
            "Latchkey serves {url}\nThe demo's logins are on {url}/sign-in; their password is \
             \"{password}\"\n"
        ),
    };
    output.add(said.as_bytes());
}

/// Has the database put away what was written and forget what was erased, and whoever became an owner
/// told of it, and webhooks tell of invitations
/// that ran out, every minute.
async fn every_minute(latchkey: Latchkey, mut stop: watch::Receiver<bool>) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        tokio::select! {
            _ = minutes.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // A failure is in the log already, and the next minute comes.
        let _ = latchkey.store.tidy().await;
        if let Ok(accounts @ 1..) = domain::owner_changes::settle(&latchkey).await {
            tracing::info!(accounts, "wrote down who owns what by now");
        }
        let _ = domain::webhooks::tell_of_expired_invitations(&latchkey).await;
    }
}

/// Deletes what ended, reminds people of second factors, of ends and of takeovers, and signs the logs of the day that
/// ended, every hour.
async fn every_hour(latchkey: Latchkey, log_key: Arc<LogKey>, mut stop: watch::Receiver<bool>) {
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
        if let Ok(grants @ 1..) = domain::ends::tell(&latchkey).await {
            tracing::info!(grants, "told of ends of what people were given");
        }
        if let Ok(takeovers @ 1..) = domain::successors::remind(&latchkey).await {
            tracing::info!(takeovers, "reminded owners that somebody takes their account over");
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
    fn a_stop_takes_ten_seconds_at_most() {
        let limits = [Limits::default().finish, Patience::default().farewell];
        assert!(limits.iter().all(|limit| *limit < FAREWELL));
        assert!(FAREWELL + CLOSING + super::super::LAST_WORDS < Duration::from_secs(10));
        let unit = include_str!("../../../deploy/latchkey.service");
        let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec="));
        assert!(stop.unwrap().parse::<u64>().unwrap() > 10);
    }

    #[tokio::test]
    async fn work_that_a_defect_ended_begins_again_until_the_stop() {
        let (stopping, stop) = watch::channel(false);
        let (runs, mut ran) = watch::channel(0);
        let work = move || {
            let runs = runs.clone();
            async move {
                runs.send_modify(|runs| *runs += 1);
                panic!("a defect")
            }
        };
        let working = tokio::spawn(again_and_again("the test", Duration::ZERO, work, stop));
        ran.wait_for(|runs| *runs == 3).await.unwrap();
        stopping.send_replace(true);
        working.await.unwrap();
    }
}
