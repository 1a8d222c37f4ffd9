//! The worker that hands events to the endpoints of webhooks. Several go out at once, but of one account
//! to one endpoint one after the other. When to try again, and when to give up, is `domain`'s to say; what
//! protects the requests is `guarded_http.rs`'s.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::time::Duration;

use anyhow::Result;
use domain::Latchkey;
use domain::webhooks::{
    self, Delivery, Endpoint, LONGEST_URL, Message, NoDestination, Noted, Outcome,
};
use model::EndpointId;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use crate::config::Config;
use crate::guarded_http::{self, Http};

/// How many deliveries are under way at once on a node, and how many of them to one endpoint: one that
/// falls silent leaves room for others.
const AT_ONCE: usize = 8;
const AT_ONCE_PER_ENDPOINT: usize = 4;
/// How much of an answer's body is read, in bytes, so that the connection can be used again.
const READ_AT_MOST: usize = 16 * 1024;
/// How often noting what came of a delivery is tried.
const NOTE_TRIES: usize = 3;

/// How long the worker waits, for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For an endpoint's answer, from connecting to its last byte. Less than half of
    /// [`webhooks::LEASE`], so that noting it fits in too.
    pub answer: Duration,
    /// For more events.
    pub rest: Duration,
    /// After the database couldn't be reached.
    pub trouble: Duration,
    /// For what is under way to come to an end after the stop.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            rest: Duration::from_secs(1),
            trouble: Duration::from_secs(5),
            farewell: Duration::from_secs(7),
        }
    }
}

/// The worker. Any number of them, on any number of nodes, share what is to be delivered.
#[derive(Clone)]
pub struct Courier {
    latchkey: Latchkey,
    http: Http,
    patience: Patience,
}

/// What came of delivering what was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many deliveries were handled, taken or not.
    pub handled: usize,
    /// Whether it ended as the database couldn't be reached.
    pub trouble: bool,
}

/// What is asked at which addresses.
fn http(config: &Config) -> Result<Http> {
    let private = config.webhook_private_addresses;
    Ok(Http { client: guarded_http::client(private)?, plain: private, private })
}

/// Reads an address that is to be told of events.
///
/// # Errors
/// What it must be, for the operator.
pub fn destination(config: &Config, text: &str) -> Result<Url> {
    let lifted =
        "webhook_private_addresses lets it be in your own network, and http on this machine";
    webhooks::destination(text, config.webhook_private_addresses).map_err(|why| match why {
        NoDestination::NoAddress => anyhow::anyhow!(
            "that is no address of at most {LONGEST_URL} characters, such as \
             https://crm.example/hooks"
        ),
        NoDestination::NotBare => anyhow::anyhow!(
            "the address must have no user, password or fragment: what is sent is signed"
        ),
        NoDestination::NotPublic => {
            anyhow::anyhow!("the address must be https, and public: {lifted}")
        }
    })
}

impl Courier {
    /// A worker that delivers the product's events.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(latchkey: Latchkey, config: &Config) -> Result<Self> {
        Ok(Self { latchkey, http: http(config)?, patience: Patience::default() })
    }

    /// The same worker with other waits.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Works until `stop` is true: then what is under way is finished, and nothing else is taken. An
    /// endpoint that takes too long for that isn't waited for: whoever works next delivers it when
    /// [`webhooks::LEASE`] is over. It may have it twice, then, with the same `webhook-id`; but never not
    /// at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let round = tokio::select! {
                round = self.send_due(&stop) => round,
                () = long_after(stop.clone(), self.patience.farewell) => {
                    tracing::warn!("events under way weren't delivered before the stop: they wait");
                    return;
                }
            };
            let wait = if round.trouble { self.patience.trouble } else { self.patience.rest };
            tokio::select! {
                () = sleep(wait) => {}
                // An error says that nobody is left to stop it: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Delivers what is due, until nothing is left or `stop` is true.
    pub async fn send_due(&self, stop: &watch::Receiver<bool>) -> Round {
        let mut round = Round::default();
        let mut under_way = JoinSet::new();
        let mut busy: HashMap<EndpointId, usize> = HashMap::new();
        loop {
            while under_way.len() < AT_ONCE && !round.trouble && !*stop.borrow() {
                let full = busy.iter().filter(|(_, many)| **many >= AT_ONCE_PER_ENDPOINT);
                let full: Vec<_> = full.map(|(endpoint, _)| *endpoint).collect();
                match webhooks::take(&self.latchkey, &full).await {
                    Ok(Some(delivery)) => {
                        *busy.entry(delivery.endpoint).or_default() += 1;
                        let courier = self.clone();
                        under_way.spawn(async move {
                            (delivery.endpoint, courier.handle(&delivery).await)
                        });
                    }
                    Ok(None) => break,
                    Err(_) => round.trouble = true,
                }
            }
            if under_way.is_empty() {
                return round;
            }
            // Others needn't wait for an endpoint that takes its time.
            let ended = tokio::select! {
                ended = under_way.join_next() => ended,
                () = sleep(self.patience.rest) => continue,
            };
            round.handled += 1;
            match ended {
                Some(Ok((endpoint, noted))) => {
                    round.trouble |= !noted;
                    if let Some(many) = busy.get_mut(&endpoint) {
                        *many = many.saturating_sub(1);
                    }
                }
                // A defect in one delivery: it is tried again when its lease is over. Its endpoint
                // counts as busier than it is until this round ends.
                Some(Err(_)) => tracing::error!("delivering an event broke off"),
                None => return round,
            }
        }
    }

    /// Handles one delivery. Answers whether what came of it could be noted.
    async fn handle(&self, delivery: &Delivery) -> bool {
        let message = webhooks::message(delivery, self.latchkey.now());
        let outcome = self.hand_over(&delivery.url, message).await;
        tell(delivery, &outcome);
        for _ in 0..NOTE_TRIES {
            if let Ok(noted) = webhooks::note(&self.latchkey, delivery, &outcome).await {
                if noted == Noted::GivenUp {
                    tracing::warn!(delivery = %delivery.id, "gave up an event");
                }
                return true;
            }
            sleep(self.patience.trouble).await;
        }
        tracing::error!(delivery = %delivery.id, "what became of an event couldn't be noted");
        false
    }

    /// Tries an endpoint with a message that tells of nothing.
    pub async fn ping(&self, endpoint: &Endpoint) -> Outcome {
        self.hand_over(&endpoint.url, webhooks::ping(&self.latchkey, endpoint)).await
    }

    async fn hand_over(&self, url: &str, message: Message) -> Outcome {
        let refused = |status, why: String| Outcome::Refused { status, why, retry_after: None };
        let Ok(url) = Url::parse(url) else { return refused(None, "it is no address".to_owned()) };
        if !self.http.may_go_to(&url) {
            return refused(None, "the address isn't https, or isn't public".to_owned());
        }
        let request = self
            .http
            .client
            .request(Method::POST, url)
            .timeout(self.patience.answer)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body)
            .build();
        let request = match request {
            Ok(request) => request,
            Err(error) => return refused(None, why(&error)),
        };
        let mut answer = match self.http.ask(request).await {
            Ok(answer) => answer,
            Err(error) => return refused(None, why(&error)),
        };
        let status = answer.status();
        let retry_after = retry_after(&answer);
        // Its body says nothing to us; what is wrong with it neither.
        let mut read = 0;
        while read < READ_AT_MOST
            && let Ok(Some(piece)) = answer.chunk().await
        {
            read += piece.len();
        }
        match status {
            status if status.is_success() => Outcome::Taken(status.as_u16()),
            StatusCode::GONE => Outcome::Gone,
            status => {
                let reason = status.canonical_reason().unwrap_or("unknown");
                let why = match status.is_redirection() {
                    true => format!("HTTP {} {reason}, which isn't followed", status.as_u16()),
                    false => format!("HTTP {} {reason}", status.as_u16()),
                };
                Outcome::Refused { status: Some(status.as_u16()), why, retry_after }
            }
        }
    }
}

/// How long the endpoint asks us to wait, where it says so in seconds (RFC 9110 section 10.2.3).
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Why there was no answer, for the operator: without the address, which may hold a key.
fn why(error: &(dyn Error + 'static)) -> String {
    let mut words = "it can't be asked".to_owned();
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<reqwest::Error>() {
            Some(error) if error.is_timeout() => return "it didn't answer in time".to_owned(),
            // Its words have the address; the last behind them say why.
            Some(_) => {}
            None => words = error.to_string(),
        }
        // What such an error holds isn't its source, but its source's source is.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// One line per try, without the address, which may hold a key.
fn tell(delivery: &Delivery, outcome: &Outcome) {
    let Delivery { id, endpoint, event, kind, .. } = delivery;
    match outcome {
        Outcome::Taken(status) => {
            tracing::info!(delivery = %id, %endpoint, %event, kind, status, "delivered an event");
        }
        Outcome::Refused { why, .. } => {
            tracing::warn!(delivery = %id, %endpoint, %event, kind, why, "couldn't deliver an event");
        }
        Outcome::Gone => {
            tracing::warn!(delivery = %id, %endpoint, %event, kind, "an endpoint is gone");
        }
    }
}

/// Ends when the stop was this long ago.
async fn long_after(mut stop: watch::Receiver<bool>, limit: Duration) {
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(limit).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(private: bool) -> Config {
        Config { webhook_private_addresses: private, ..Config::default() }
    }

    #[test]
    fn only_public_https_addresses_are_told_unless_configured() {
        let takes = |private, text: &str| destination(&config(private), text).is_ok();
        for text in ["https://crm.example/hooks?key=1", "https://8.8.8.8/", "https://crm.example"] {
            assert!(takes(false, text) && takes(true, text), "{text}");
        }
        for text in [
            "http://127.0.0.1:9000/",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
        ] {
            assert!(!takes(false, text) && takes(true, text), "{text}");
        }
        for text in [
            "",
            "crm.example/hooks",
            "http://crm.example/",
            "http://10.1.2.3/",
            "ftp://crm.example/",
            "file:///etc/passwd",
            "https://me:geheim@crm.example/",
            "https://crm.example/#part",
            "https://",
        ] {
            assert!(!takes(false, text) && !takes(true, text), "{text}");
        }
        assert!(!takes(true, &format!("https://crm.example/{}", "x".repeat(LONGEST_URL))));
    }

    #[test]
    fn waits_fit_into_a_lease_and_a_stop() {
        let patience = Patience::default();
        assert!(patience.answer * 2 < webhooks::LEASE);
        assert_eq!(patience.farewell, crate::mailer::Patience::default().farewell);
    }
}
