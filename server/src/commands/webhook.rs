//! `latchkey webhook` and what follows it.

use std::time::Duration;

use anyhow::{Result, bail};
use domain::Latchkey;
use domain::operator_commands::command;
use domain::webhooks::{self, DeliveryRow, Endpoint, Outcome};
use model::{DeliveryState, EventKind, Failure};
use serde_json::{Value, json};

use super::told::{Told, moment};
use super::{exact, explain, open, plain};
use crate::config::Config;
use crate::webhooks::{Courier, destination};

/// Adds an endpoint, and shows its secret.
pub(super) async fn add(config: &Config, url: &str, kinds: &[String]) -> Result<Told> {
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
    let told = Told::new(json!({ "endpoint": id.to_string(), "secret": secret.expose() }));
    let told = told.line(format!("Endpoint {id} is told of events from now on."));
    let told =
        told.line("Its receiver checks signatures with this secret, which is shown only now:");
    Ok(told.line(secret.expose()))
}

/// Lists the endpoints, the oldest first.
pub(super) async fn list(config: &Config) -> Result<Told> {
    let latchkey = open(config).await?;
    let endpoints = webhooks::endpoints(&latchkey).await.map_err(explain)?;
    latchkey.store.close().await;
    let facts: Vec<_> = endpoints.iter().map(facts).collect();
    let told = Told::new(json!({ "endpoints": facts }));
    if endpoints.is_empty() {
        return Ok(told.line("There are no endpoints yet."));
    }
    Ok(told.lines(endpoints.iter().map(line)))
}

fn line(endpoint: &Endpoint) -> String {
    let Endpoint { id, url, kinds, off, waiting, given_up, .. } = endpoint;
    let state = match off {
        None => "on".to_owned(),
        Some((since, why)) => format!("off since {}: {}", exact(*since), plain(why)),
    };
    let (url, kinds) = (plain(url), kinds.to_stored());
    format!("{id}  {url}  {kinds}  waiting: {waiting}  given up: {given_up}  {state}")
}

fn facts(endpoint: &Endpoint) -> Value {
    let off = endpoint.off.as_ref();
    json!({
        "endpoint": endpoint.id.to_string(),
        "url": endpoint.url,
        "kinds": endpoint.kinds.to_stored(),
        "waiting": endpoint.waiting,
        "given_up": endpoint.given_up,
        "off_since": off.map(|(since, _)| moment(*since)),
        "off_why": off.map(|(_, why)| why),
    })
}

/// Removes an endpoint.
pub(super) async fn remove(config: &Config, id: &str) -> Result<Told> {
    let latchkey = open(config).await?;
    found(webhooks::remove(&latchkey, id).await, "endpoint", id)?;
    latchkey.store.close().await;
    let removed = "The endpoint is told of nothing any more, and what waited for it is gone.";
    Ok(Told::new(json!({ "endpoint": id })).line(removed))
}

/// Gives an endpoint another secret.
pub(super) async fn rotate(config: &Config, id: &str, hours: u32) -> Result<Told> {
    let latchkey = open(config).await?;
    let overlap = Duration::from_secs(u64::from(hours) * 60 * 60);
    let secret = found(webhooks::rotate(&latchkey, id, overlap).await, "endpoint", id)?;
    let until = latchkey.now().after(overlap);
    latchkey.store.close().await;
    let facts = json!({
        "endpoint": id,
        "secret": secret.expose(),
        "former_secret_until": moment(until),
    });
    let told = Told::new(facts)
        .line("What is sent is signed with this secret from now on, which is shown only now:")
        .line(secret.expose());
    Ok(told.line(match hours {
        0 => "The one before is used no more.".to_owned(),
        _ => format!("Until {} it is signed with the one before, too.", exact(until)),
    }))
}

/// Turns an endpoint on again.
pub(super) async fn turn_on(config: &Config, id: &str) -> Result<Told> {
    let latchkey = open(config).await?;
    let turned = found(webhooks::turn_on(&latchkey, id).await, "endpoint", id)?;
    let endpoint = found(webhooks::endpoint(&latchkey, id).await, "endpoint", id)?;
    latchkey.store.close().await;
    let facts = json!({
        "endpoint": id,
        "was_off": turned.is_some(),
        "waiting": endpoint.waiting,
        "given_up": endpoint.given_up,
    });
    let told = Told::new(facts).line(match turned {
        Some(held) => format!("The endpoint is on again. Events that were held for it: {held}."),
        None => "The endpoint is on already.".to_owned(),
    });
    if endpoint.given_up == 0 {
        return Ok(told);
    }
    Ok(told.line(format!(
        "Given up before: {}. See `latchkey webhook deliveries --failed`, and send again what is still \
         wanted with `latchkey webhook redeliver`.",
        endpoint.given_up
    )))
}

/// Lists the newest deliveries, or only those of which a try came to nothing.
pub(super) async fn deliveries(config: &Config, failed: bool, most: usize) -> Result<Told> {
    let latchkey = open(config).await?;
    let rows = webhooks::deliveries(&latchkey, failed, most).await.map_err(explain)?;
    latchkey.store.close().await;
    let facts: Vec<_> = rows.iter().map(delivery).collect();
    let told = Told::new(json!({ "deliveries": facts }));
    if rows.is_empty() {
        return Ok(told.line("There are none."));
    }
    Ok(told.lines(rows.iter().map(|row| {
        let state = state(row);
        let (at, url) = (exact(row.at), plain(&webhooks::shown(&row.url)));
        let tries = row.attempts;
        format!("{}  {at}  {}  to {url}  tries: {tries}  {state}", row.id, row.kind)
    })))
}

fn delivery(row: &DeliveryRow) -> Value {
    json!({
        "delivery": row.id.to_string(),
        "at": moment(row.at),
        "kind": row.kind.to_string(),
        "url": webhooks::shown(&row.url),
        "tries": row.attempts,
        "state": row.state.id(),
        "due_at": moment(row.due_at),
        "ended_at": row.ended_at.map(moment),
        "answer": row.answer,
    })
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
pub(super) async fn redeliver(config: &Config, id: &str) -> Result<Told> {
    let latchkey = open(config).await?;
    let again = found(webhooks::redeliver(&latchkey, id).await, "delivery", id)?;
    latchkey.store.close().await;
    Ok(Told::new(json!({ "delivery": id, "waited_already": !again })).line(match again {
        true => "It is delivered once more as soon as the server runs and its endpoint is on.",
        false => "It waits to be delivered already.",
    }))
}

/// Tries an endpoint, and tells what it answered.
pub(super) async fn test(config: &Config, id: &str) -> Result<Told> {
    let latchkey = open(config).await?;
    let endpoint = found(webhooks::endpoint(&latchkey, id).await, "endpoint", id)?;
    let outcome = pinged(config, &latchkey, &endpoint).await;
    latchkey.store.close().await;
    match outcome? {
        Outcome::Taken(status) => {
            let told = Told::new(json!({ "endpoint": id, "status": status }));
            Ok(told.line(format!("The endpoint took a ping: HTTP {status}.")))
        }
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
