//! A program that is told of events, and behaves as a test likes. It speaks what goes over the wire itself,
//! so that it can also fall silent or say nonsense.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for anything that isn't stuck.
const IN_TIME: Duration = Duration::from_secs(60);

/// How it answers.
#[derive(Clone)]
pub enum Manner {
    /// With this head, and no body.
    Says(&'static str),
    /// With this head, and a body without end.
    Endless(&'static str),
    /// With something that isn't HTTP.
    Nonsense,
    /// Not at all, and keeps the line open.
    Silent,
    /// By hanging up.
    HangsUp,
}

/// A manner in which it takes everything.
pub const WELL: Manner = Manner::Says("204 No Content");

/// What its address holds that nobody else may know.
pub const KEY: &str = "geheimer-schluessel";

/// What it was sent.
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether what was sent is signed with this secret: by the specification's own library, which would
    /// take the system's clock for the moment.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let timestamp = self.header("webhook-timestamp").parse().unwrap();
        let webhook = Webhook::new(secret).unwrap();
        let signature = webhook.sign(self.header("webhook-id"), timestamp, &self.body).unwrap();
        self.header("webhook-signature").split(' ').any(|one| one == signature)
    }
}

/// The program, on this machine.
pub struct Receiver {
    pub url: String,
    manner: Arc<Mutex<Manner>>,
    received: UnboundedReceiver<Received>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?key={KEY}", listener.local_addr().unwrap());
        let manner = Arc::new(Mutex::new(manner));
        let (told, received) = unbounded_channel();
        let serving = tokio::spawn(serve(listener, Arc::clone(&manner), told));
        Self { url, manner, received, serving }
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// The next that it is sent.
    pub async fn next(&mut self) -> Received {
        timeout(IN_TIME, self.received.recv()).await.expect("something in time").unwrap()
    }

    /// All that it was sent since it was last asked.
    pub fn all(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, manner: Arc<Mutex<Manner>>, told: UnboundedSender<Received>) {
    loop {
        let Ok((line, _)) = listener.accept().await else { return };
        tokio::spawn(attend(line, Arc::clone(&manner), told.clone()));
    }
}

/// Answers one request. Whoever asks may hang up at any moment.
async fn attend(
    line: TcpStream,
    manner: Arc<Mutex<Manner>>,
    told: UnboundedSender<Received>,
) -> Option<()> {
    let mut line = BufReader::new(line);
    let received = read(&mut line).await?;
    let manner = manner.lock().unwrap().clone();
    let _ = told.send(received);
    match manner {
        Manner::Says(head) => {
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            line.write_all(answer.as_bytes()).await.ok()
        }
        Manner::Endless(head) => {
            let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
            line.write_all(head.as_bytes()).await.ok()?;
            loop {
                line.write_all(&[b'x'; 8192]).await.ok()?;
            }
        }
        Manner::Nonsense => line.write_all(b"\x00\xff\x16\x03nonsense\r\n\r\n").await.ok(),
        // Until the other end gives up.
        Manner::Silent => line.read(&mut [0; 1]).await.ok().map(drop),
        Manner::HangsUp => Some(()),
    }
}

async fn read(line: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut first = String::new();
    line.read_line(&mut first).await.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = HeaderMap::new();
    loop {
        let mut header = String::new();
        line.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, HeaderValue::from_str(value).ok()?);
    }
    let length = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let mut body = vec![0; length];
    line.read_exact(&mut body).await.ok()?;
    Some(Received { path, headers, body })
}
