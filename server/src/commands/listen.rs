//! `latchkey webhook listen`: shows what an endpoint is told, to whoever is about to build its receiver.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use domain::Clock;
use domain::webhooks::{self, Message, Unsigned};
use model::{Secret, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::plain;
use super::told::{Audience, Told};
use crate::accept::{self, Limits};
use crate::clock::SystemClock;
use crate::config::WEBHOOK_SECRET;

/// The largest event that is taken, in bytes. Ours are far smaller.
const LARGEST: usize = 1024 * 1024;

/// What a receiver takes, and shows at once.
struct Receiver {
    secret: Option<Secret>,
    /// Whether it ends behind the first one.
    once: bool,
    audience: Audience,
    /// Why it came to an end, if it went wrong.
    trouble: watch::Sender<Option<String>>,
    stopping: watch::Sender<bool>,
}

/// What is known of who sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    Well,
    /// There was no secret to check it with.
    Unchecked,
    Badly(Unsigned),
}

/// Listens until it is stopped, or has one event.
pub(super) async fn run(
    address: SocketAddr,
    secret: Option<String>,
    once: bool,
    audience: Audience,
) -> Result<Told> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("can't listen on {address}"))?;
    listen(listener, read_secret(secret)?, once, audience).await
}

/// The secret that was said, or stands in the environment, where not every process sees it.
fn read_secret(said: Option<String>) -> Result<Option<Secret>> {
    let kept = || std::env::var(WEBHOOK_SECRET).ok().filter(|secret| !secret.is_empty());
    match said.or_else(kept).map(Secret::from) {
        Some(secret) if !webhooks::is_secret(&secret) => {
            bail!("that is no secret of an endpoint's, which begins with whsec_")
        }
        found => Ok(found),
    }
}

async fn listen(
    listener: TcpListener,
    secret: Option<Secret>,
    once: bool,
    audience: Audience,
) -> Result<Told> {
    let url = format!("http://{}", listener.local_addr()?);
    let begun = Told::new(json!({ "listens": url }));
    begun.line(format!("Listening for events at {url} (Ctrl+C ends it).")).say(audience)?;
    let (stopping, stop) = watch::channel(false);
    let (trouble, ended) = watch::channel(None);
    let receiver = Arc::new(Receiver { secret, once, audience, trouble, stopping });
    let app = Router::new().fallback(take).with_state(receiver);
    accept::serve(listener, app, Limits::default(), stop).await;
    let trouble = ended.borrow().clone();
    match trouble {
        Some(words) => Err(anyhow!(words)),
        None => Ok(Told::nothing()),
    }
}

/// Answers as receivers are to: at once, and with nothing to read.
async fn take(State(receiver): State<Arc<Receiver>>, request: Request) -> StatusCode {
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let (head, body) = request.into_parts();
    match read(&head.headers, body).await {
        Ok(message) => receiver.show(&message, SystemClock.now()),
        Err((status, why)) => {
            tracing::warn!("something came that is no event: {why}");
            status
        }
    }
}

/// An event as it came over the wire.
async fn read(headers: &HeaderMap, body: Body) -> Result<Message, (StatusCode, &'static str)> {
    let bad = |why| (StatusCode::BAD_REQUEST, why);
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let text = |name| header(name).map(str::to_owned);
    let id = text("webhook-id").ok_or_else(|| bad("it has no webhook-id"))?;
    let signature = text("webhook-signature").ok_or_else(|| bad("it has no webhook-signature"))?;
    let timestamp = header("webhook-timestamp").and_then(|text| text.parse().ok());
    let timestamp = timestamp.ok_or_else(|| bad("it has no webhook-timestamp"))?;
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "it is too large, or broke off");
    let body = to_bytes(body, LARGEST).await.map_err(|_| too_large)?;
    let body = String::from_utf8(body.into()).map_err(|_| bad("it isn't UTF-8"))?;
    Ok(Message { id, timestamp, signature, body })
}

impl Receiver {
    /// Shows an event. Answers what its sender is told.
    fn show(&self, message: &Message, now: Timestamp) -> StatusCode {
        let signed = match &self.secret {
            None => Signed::Unchecked,
            Some(secret) => match webhooks::check(message, secret, now) {
                Ok(()) => Signed::Well,
                Err(why) => Signed::Badly(why),
            },
        };
        let said = told(message, signed).say(self.audience);
        let trouble = match (said, signed) {
            (Err(error), _) => Some(format!("{error:#}")),
            (Ok(()), Signed::Badly(why)) if self.once => {
                Some(format!("the event's signature isn't good: {}", in_words(why)))
            }
            (Ok(()), _) => None,
        };
        if self.once || trouble.is_some() {
            self.trouble.send_replace(trouble);
            self.stopping.send_replace(true);
        }
        match signed {
            Signed::Well | Signed::Unchecked => StatusCode::NO_CONTENT,
            Signed::Badly(_) => StatusCode::BAD_REQUEST,
        }
    }
}

fn told(message: &Message, signed: Signed) -> Told {
    let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let kind = body["type"].as_str().unwrap_or("of no type");
    let (id, words) = match signed {
        Signed::Well => ("good", "good".to_owned()),
        Signed::Unchecked => ("unchecked", "not checked, as no secret was given".to_owned()),
        Signed::Badly(why) => ("bad", format!("bad: {}", in_words(why))),
    };
    let facts = json!({
        "id": message.id, "type": body["type"], "timestamp": message.timestamp, "signature": id,
        "body": body,
    });
    let line = format!("{}  {}  signature: {words}", plain(kind), plain(&message.id));
    Told::new(facts).line(line).line(plain(&message.body))
}

fn in_words(why: Unsigned) -> &'static str {
    match why {
        Unsigned::NoSecret | Unsigned::Otherwise => {
            "it was signed with another secret, or changed on the way"
        }
        Unsigned::NotNow => "it was sent at another time, or the clocks disagree",
    }
}

/// An address of this machine: what anybody could send isn't shown on a terminal.
pub(super) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let address: Option<SocketAddr> = text.parse().ok();
    let wanted = "it is no address and port of this machine, such as 127.0.0.1:4000";
    address.filter(|address| address.ip().is_loopback()).ok_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn receiver(secret: Option<&str>, once: bool) -> Receiver {
        Receiver {
            secret: secret.map(|secret| Secret::from(secret.to_owned())),
            once,
            audience: Audience::Program,
            trouble: watch::channel(None).0,
            stopping: watch::channel(false).0,
        }
    }

    /// The example of the specification's own libraries, and the moment that it was signed at.
    fn example() -> (Message, Timestamp) {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: 1_614_265_330,
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            body: "{\"test\": 2432232314}".to_owned(),
        };
        (message, Timestamp::from_micros(1_614_265_330_000_000))
    }

    #[test]
    fn what_is_signed_well_is_taken_and_nothing_else() {
        let (message, now) = example();
        let other = Message { body: "{\"test\": 2432232315}".to_owned(), ..message.clone() };
        for (secret, message, status) in [
            (Some(SECRET), &message, 204),
            (None, &other, 204),
            (Some(SECRET), &other, 400),
            (Some("whsec_AAAA"), &message, 400),
        ] {
            for once in [false, true] {
                let receiver = receiver(secret, once);
                assert_eq!(receiver.show(message, now), status);
                assert_eq!(*receiver.stopping.borrow(), once);
                assert_eq!(receiver.trouble.borrow().is_some(), once && status == 400);
            }
        }
    }

    #[tokio::test]
    async fn what_lacks_a_header_is_no_event() {
        let all = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let with = |names: &[&'static str]| -> HeaderMap {
            names.iter().map(|name| (name.parse().unwrap(), "7".parse().unwrap())).collect()
        };
        assert!(read(&with(&all), Body::from("{}")).await.is_ok());
        for missing in all {
            let rest: Vec<_> = all.into_iter().filter(|name| *name != missing).collect();
            let (status, why) = read(&with(&rest), Body::from("{}")).await.unwrap_err();
            assert!(status == 400 && why.ends_with(missing), "{why}");
        }
        assert_eq!(read(&with(&all), Body::from(vec![0xff])).await.unwrap_err().0, 400);
        let large = vec![b'x'; LARGEST + 1];
        assert_eq!(read(&with(&all), Body::from(large)).await.unwrap_err().0, 413);
    }

    #[test]
    fn it_listens_on_this_machine_alone() {
        for text in ["127.0.0.1:4000", "[::1]:4000"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:4000", "192.0.2.1:4000", "4000", "localhost:4000", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_told_at_once() {
        assert!(read_secret(Some("geheim".to_owned())).is_err());
        assert!(read_secret(Some(SECRET.to_owned())).unwrap().is_some());
    }
}
