//! Connections: what a client sees that speaks to the accept loop over a socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use server::accept::{Limits, serve};
use test_database::on_both;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::story::TestApp;

/// Long enough for anything that isn't stuck.
const AT_ONCE: Duration = Duration::from_secs(60);

/// A server on a port of its own.
struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Serving {
    async fn new(app: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        Self { address, stop, serving: tokio::spawn(serve(listener, app, limits, stopped)) }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

async fn ask(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// The next answer's head, its body read past.
async fn answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(AT_ONCE, stream.read_u8()).await.expect("an answer in time");
        head.push(byte.expect("an open connection"));
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    head
}

/// Waits for the server to hang up.
async fn is_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = timeout(AT_ONCE, stream.read_to_end(&mut rest)).await.expect("a hang-up in time");
}

const PLAIN: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn plain() -> Router {
    Router::new().route("/", get(|| async { "here" }))
}

#[tokio::test]
async fn clients_that_send_nothing_give_their_places_back() {
    let headers = Duration::from_millis(100);
    let server = Serving::new(plain(), Limits { connections: 2, headers, ..Limits::default() });
    let server = server.await;
    let (mut silent, mut slow) = (server.connect().await, server.connect().await);
    ask(&mut slow, "PRI * HT").await;
    let mut third = server.connect().await;
    ask(&mut third, PLAIN).await;
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200"));
    is_closed(&mut silent).await;
    is_closed(&mut slow).await;
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait_their_turn() {
    let server = Serving::new(plain(), Limits { connections: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    ask(&mut first, PLAIN).await;
    answer(&mut first).await;
    let mut second = server.connect().await;
    ask(&mut second, PLAIN).await;
    let waiting = timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(waiting.is_err(), "it is answered while the first has the place");
    drop(first);
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_finish_and_takes_no_more() {
    let (begun, mut began) = watch::channel(false);
    let (finish, finishing) = watch::channel(false);
    let app = Router::new().route(
        "/",
        get(move || {
            begun.send_replace(true);
            let mut finishing = finishing.clone();
            async move { finishing.wait_for(|finish| *finish).await.map_or("", |_| "done") }
        }),
    );
    let server = Serving::new(app, Limits::default()).await;
    let mut under_way = server.connect().await;
    ask(&mut under_way, PLAIN).await;
    began.wait_for(|began| *began).await.unwrap();
    let mut idle = server.connect().await;
    server.stop.send_replace(true);
    is_closed(&mut idle).await;
    finish.send_replace(true);
    assert!(answer(&mut under_way).await.starts_with("HTTP/1.1 200"));
    is_closed(&mut under_way).await;
    timeout(AT_ONCE, server.serving).await.expect("an end in time").unwrap();
}

on_both! {
    async fn a_connection_stays_usable_after_what_is_no_form(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let server = Serving::new(app.router(), Limits::default()).await;
        let mut stream = server.connect().await;
        for (kind, length, status) in [
            ("application/x-www-form-urlencoded", 500_000, "413"),
            ("application/json", 300_000, "415"),
        ] {
            let head = format!(
                "POST /sign-in HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n\
                 accept: application/json\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
            );
            ask(&mut stream, &(head + &"x".repeat(length))).await;
            let head = answer(&mut stream).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        }
        ask(&mut stream, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    async fn every_request_target_is_answered(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let server = Serving::new(app.router(), Limits::default()).await;
        for (line, status) in [
            ("GET x", 400),
            ("GET *", 400),
            ("OPTIONS *", 400),
            ("CONNECT host:1", 400),
            ("GET http://localhost/healthz", 200),
            ("GET http://localhost/sign-in?next=/x", 200),
            ("GET http://localhost", 303),
            ("GET http://localhost?x", 303),
            ("GET https://elsewhere.example/accounts", 302),
            ("GET ?x", 400),
            ("GET #x", 400),
            ("POST x", 400),
            ("GET //", 308),
        ] {
            let mut stream = server.connect().await;
            ask(&mut stream, &format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
            let head = answer(&mut stream).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {head}");
        }
    }
}
