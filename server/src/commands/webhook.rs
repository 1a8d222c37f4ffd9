//! `latchkey webhook` and what follows it.

use std::time::Duration;

use anyhow::{Result, bail};
use domain::Latchkey;
use domain::operator_commands::command;
use domain::webhooks::{self, DeliveryRow, Endpoint, Outcome};
use model::{DeliveryState, EventKind, Failure};

use super::{exact, explain, open, plain, say};
use crate::config::Config;
use crate::webhooks::{Courier, destination};

/// Adds an endpoint, and shows its secret.
pub(super) async fn add(config: &Config, url: &str, kinds: &[String]) -> Result<()> {
    let url = destination(config, url)?;
    let kinds = match webhooks::kinds(kinds.iter().map(String::as_str)) {
        Ok(kinds) => kinds,
        Err(id) => {
            let known = EventKind::ALL.map(EventKind::id).join(", ");
            bail!("there are no events of the kind {}, but of these: {known}", plain(id));
        }
    };
    let latchkey = open(config).await?;
    let (id, secret) = webhooks::add(&latchkey, &url, kinds).await.map_err(explain)?;
    latchkey.store.close().await;
    say(&format!("Endpoint {id} is told of events from now on."))?;
    say("Its receiver checks signatures with this secret, which is shown only now:")?;
    say(secret.expose())
}

/// Lists the endpoints, the oldest first.
pub(super) async fn list(config: &Config) -> Result<()> {
    let latchkey = open(config).await?;
    let endpoints = webhooks::endpoints(&latchkey).await.map_err(explain)?;
    latchkey.store.close().await;
    if endpoints.is_empty() {
        return say("There are no endpoints yet.");
    }
    for Endpoint { id, url, kinds, off, waiting, given_up, .. } in endpoints {
        let state = match off {
            None => "on".to_owned(),
            Some((since, why)) => format!("off since {}: {}", exact(since), plain(&why)),
        };
        let kinds = kinds.to_stored();
        say(&format!(
            "{id}  {}  {kinds}  waiting: {waiting}  given up: {given_up}  {state}",
            plain(&url)
        ))?;
    }
    Ok(())
}

/// Removes an endpoint.
pub(super) async fn remove(config: &Config, id: &str) -> Result<()> {
    let latchkey = open(config).await?;
    found(webhooks::remove(&latchkey, id).await, "endpoint", id)?;
    latchkey.store.close().await;
    say("The endpoint is told of nothing any more, and what waited for it is gone.")
}

/// Gives an endpoint another secret.
pub(super) async fn rotate(config: &Config, id: &str, hours: u32) -> Result<()> {
    let latchkey = open(config).await?;
    let overlap = Duration::from_secs(u64::from(hours) * 60 * 60);
    let secret = found(webhooks::rotate(&latchkey, id, overlap).await, "endpoint", id)?;
    let until = exact(latchkey.now().after(overlap));
    latchkey.store.close().await;
    say("What is sent is signed with this secret from now on, which is shown only now:")?;
    say(secret.expose())?;
    say(&match hours {
        0 => "The one before is used no more.".to_owned(),
        _ => format!("Until {until} it is signed with the one before, too."),
    })
}

/// Turns an endpoint on again.
pub(super) async fn turn_on(config: &Config, id: &str) -> Result<()> {
    let latchkey = open(config).await?;
    let turned = found(webhooks::turn_on(&latchkey, id).await, "endpoint", id)?;
    let endpoint = found(webhooks::endpoint(&latchkey, id).await, "endpoint", id)?;
    latchkey.store.close().await;
    say(&match turned {
        Some(held) => format!("The endpoint is on again. Events that were held for it: {held}."),
        None => "The endpoint is on already.".to_owned(),
    })?;
    if endpoint.given_up > 0 {
        say(&format!(
            "Given up before: {}. See `latchkey webhook deliveries --failed`, and send again what is \
             still wanted with `latchkey webhook redeliver`.",
            endpoint.given_up
        ))?;
    }
    Ok(())
}

/// Lists the newest deliveries, or only those of which a try came to nothing.
pub(super) async fn deliveries(config: &Config, failed: bool, most: usize) -> Result<()> {
    let latchkey = open(config).await?;
    let rows = webhooks::deliveries(&latchkey, failed, most).await.map_err(explain)?;
    latchkey.store.close().await;
    if rows.is_empty() {
        return say("There are none.");
    }
    for row in rows {
        let state = state(&row);
        let (at, url) = (exact(row.at), plain(&webhooks::shown(&row.url)));
        let tries = row.attempts;
        say(&format!("{}  {at}  {}  to {url}  tries: {tries}  {state}", row.id, row.kind))?;
    }
    Ok(())
}

/// How a delivery stands.
fn state(row: &DeliveryRow) -> String {
    let ended = row.ended_at.map(exact).unwrap_or_default();
    let state = match row.state {
        DeliveryState::Delivered => format!("delivered {ended}"),
        DeliveryState::GivenUp => format!("given up {ended}"),
        DeliveryState::Held => "held, as the endpoint is off".to_owned(),
        DeliveryState::Waiting => format!("waits until {}", exact(row.due_at)),
    };
    match &row.answer {
        Some(answer) => format!("{state}: {}", plain(answer)),
        None => state,
    }
}

/// Has an event delivered once more.
pub(super) async fn redeliver(config: &Config, id: &str) -> Result<()> {
    let latchkey = open(config).await?;
    let again = found(webhooks::redeliver(&latchkey, id).await, "delivery", id)?;
    latchkey.store.close().await;
    say(match again {
        true => "It is delivered once more as soon as the server runs and its endpoint is on.",
        false => "It waits to be delivered already.",
    })
}

/// Tries an endpoint, and tells what it answered.
pub(super) async fn test(config: &Config, id: &str) -> Result<()> {
    let latchkey = open(config).await?;
    let endpoint = found(webhooks::endpoint(&latchkey, id).await, "endpoint", id)?;
    let outcome = pinged(config, &latchkey, &endpoint).await;
    latchkey.store.close().await;
    match outcome? {
        Outcome::Taken(status) => say(&format!("The endpoint took a ping: HTTP {status}.")),
        Outcome::Refused { why, .. } => bail!("the endpoint didn't take a ping: {}", plain(&why)),
        Outcome::Gone => bail!("the endpoint wants nothing any more: HTTP 410 Gone"),
    }
}

async fn pinged(config: &Config, latchkey: &Latchkey, endpoint: &Endpoint) -> Result<Outcome> {
    Ok(Courier::new(latchkey.clone(), config)?.ping(endpoint).await)
}

/// What was done about a thing with this id, which must be there.
fn found<T>(done: Result<T, Failure>, thing: &str, id: &str) -> Result<T> {
    match done {
        Err(Failure::NotFound) => bail!("there is no {thing} {}", plain(id)),
        done => done.map_err(explain),
    }
}

/// The command that turns an endpoint on.
pub(super) fn on_command(endpoint: &Endpoint) -> String {
    command("latchkey webhook on", &[&endpoint.id.to_string()])
}
