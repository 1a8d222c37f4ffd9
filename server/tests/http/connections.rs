//! Connections: what a client sees that speaks to the accept loop over a socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use server::accept::{Limits, serve};
use test_database::{TestDatabase, apply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
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

    /// Connects as another client: all of 127.0.0.0/8 is this machine.
    async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Begins a form whose end doesn't come, and sees to it that it is in hand.
    async fn begin_form(&self) -> TcpStream {
        let mut stream = self.connect().await;
        ask(&mut stream, SLOW_FORM).await;
        assert_eq!(answer(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
        stream
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

/// Whoever is told to continue has their form read.
const SLOW_FORM: &str = "POST /sign-in HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
    content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n\
    content-length: 100\r\n\r\nform=sign";

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
async fn who_asks_nothing_gives_way_to_who_does() {
    let limits = Limits { connections: 4, per_client: 4, ..Limits::default() };
    let server = Serving::new(plain(), limits).await;
    let mut first = server.connect().await;
    ask(&mut first, PLAIN).await;
    answer(&mut first).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(server.connect().await);
    }
    let mut good = server.connect().await;
    ask(&mut good, PLAIN).await;
    assert!(answer(&mut good).await.starts_with("HTTP/1.1 200"));
    is_closed(&mut first).await;
    is_closed(&mut silent[0]).await;
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_hung_up_on() {
    struct Dropped(watch::Sender<bool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send_replace(true);
        }
    }
    let (given_up, mut was_given_up) = watch::channel(false);
    let app = Router::new().route(
        "/",
        get(move || {
            let held = Dropped(given_up.clone());
            let endless = futures_util::stream::repeat_with(move || {
                let _held = &held;
                Ok::<_, std::convert::Infallible>(vec![0; 64 * 1024])
            });
            async move { Body::from_stream(endless) }
        }),
    );
    let standstill = Duration::from_millis(100);
    let server = Serving::new(app, Limits { standstill, ..Limits::default() }).await;
    let mut slow = server.connect().await;
    ask(&mut slow, &PLAIN.repeat(3)).await;
    let given_up = was_given_up.wait_for(|given_up| *given_up);
    timeout(AT_ONCE, given_up).await.expect("an end of patience").unwrap();
    is_closed(&mut slow).await;
}

#[tokio::test]
async fn what_was_sent_before_the_stop_is_answered() {
    let server = Serving::new(plain(), Limits::default()).await;
    let mut kept = server.connect().await;
    ask(&mut kept, PLAIN).await;
    answer(&mut kept).await;
    let mut half = server.connect().await;
    ask(&mut half, &PLAIN[..20]).await;
    let mut streams = vec![kept];
    for _ in 0..8 {
        streams.push(server.connect().await);
    }
    for stream in &mut streams {
        ask(stream, PLAIN).await;
    }
    server.stop.send_replace(true);
    for stream in &mut streams {
        let head = answer(stream).await;
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("connection: close"), "{head}");
        is_closed(stream).await;
    }
    ask(&mut half, &PLAIN[20..]).await;
    assert!(answer(&mut half).await.starts_with("HTTP/1.1 200"));
    timeout(AT_ONCE, server.serving).await.expect("an end in time").unwrap();
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

#[apply(on_sqlite!)]
async fn health_checks_find_a_place_in_any_crowd(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let limits = Limits { connections: 2, per_client: 1, pause: AT_ONCE, ..Limits::default() };
    let server = Serving::new(app.router(), limits).await;
    let mut form = server.begin_form().await;
    for (path, status) in
        [("/sign-in", 503), ("/pkg/x/y", 503), ("/healthz", 200), ("/readyz", 200)]
    {
        let mut stream = server.connect().await;
        ask(&mut stream, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        let head = answer(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {head}");
        assert_eq!(head.contains("retry-after: 1\r\n"), status == 503, "{path}: {head}");
        assert!(head.contains("x-request-id") && head.contains("connection: close"), "{head}");
        is_closed(&mut stream).await;
    }
    // Another client has a place of its own.
    let mut other = server.connect_from("127.0.0.2").await;
    ask(&mut other, PLAIN).await;
    assert!(answer(&mut other).await.starts_with("HTTP/1.1 303"));
    // The form wasn't disturbed.
    ask(&mut form, &"x".repeat(91)).await;
    assert!(!answer(&mut form).await.starts_with("HTTP/1.1 5"));
}

#[apply(on_sqlite!)]
async fn a_form_that_doesnt_end_holds_no_stop_up(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let finish = Duration::from_millis(50);
    let server = Serving::new(app.router(), Limits { finish, ..Limits::default() }).await;
    let mut form = server.begin_form().await;
    server.stop.send_replace(true);
    timeout(AT_ONCE, server.serving).await.expect("an end in time").unwrap();
    is_closed(&mut form).await;
}

#[apply(on_sqlite!)]
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

#[apply(on_sqlite!)]
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
