//! Taking connections. `axum::serve` would do, but for what it leaves open: Nagle's algorithm is
//! on, clients may take for ever to send headers and to read answers, and one of them may take all
//! the connections that there are.

mod line;
mod seats;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, header};
use domain::Client;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use line::{Asked, Line, Told};
use seats::{Begun, Place, Seats};

/// How many connections are taken beyond [`Limits::connections`]: health checks are answered on
/// them, and everybody else is told to come back.
pub const BEYOND: usize = 128;
/// How long a client may still begin a request after the stop: what it sent before is read by then.
const LEAVE: Duration = Duration::from_millis(200);

/// What clients may take of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections served at the same time.
    pub connections: usize,
    /// How many of them one client may have: an IPv4 address, or a /64 of IPv6.
    pub per_client: usize,
    /// Proxies that connect for many clients, and may have all of them.
    pub proxies: Vec<IpNet>,
    /// How long a client may take to send the headers of a request, the first and each after it.
    pub headers: Duration,
    /// How long it may keep us waiting for a form's rest, or take nothing of an answer, until its
    /// place can be another's.
    pub pause: Duration,
    /// How long an answer may stand still as its client takes nothing of it.
    pub standstill: Duration,
    /// How long requests under way may take to finish after the stop.
    pub finish: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_client: 256,
            proxies: Vec::new(),
            headers: Duration::from_secs(10),
            pause: Duration::from_secs(5),
            standstill: Duration::from_secs(30),
            finish: Duration::from_secs(7),
        }
    }
}

/// Goes with a request that there is no place for: only a health check is answered.
#[derive(Clone, Copy, Debug)]
pub struct Crowded;

/// Serves HTTP/1.1 until `stop` says so, then lets the requests under way finish.
///
/// A connection that waits for its client (for the next request, or to take more of an answer)
/// gives way to a new one where there is no other place.
///
/// Not HTTP/2: proxies don't ask for it, and to find out which of the two a client speaks would
/// take a wait for its first bytes that no deadline ends.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    stop: watch::Receiver<bool>,
) {
    let house = House::new(app, &limits, stop.clone());
    let mut served = JoinSet::new();
    let leave = a_moment_after(stop);
    tokio::pin!(leave);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => house.welcome(&mut served, stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection can't be accepted");
                    // It may have been one too many for the system.
                    house.make_room();
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = served.join_next() => {}
            () = &mut leave => break,
        }
    }
    drop(listener);
    let finished = timeout(limits.finish, async { while served.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!(requests = served.len(), "some requests didn't finish in time");
        served.shutdown().await;
    }
}

/// What every connection is served with.
struct House {
    app: Router,
    http: http1::Builder,
    proxies: Vec<IpNet>,
    standstill: Duration,
    seats: Arc<Seats>,
    /// For those who find no place.
    beyond: Arc<Seats>,
    crowd: Crowd,
    stop: watch::Receiver<bool>,
}

impl House {
    fn new(app: Router, limits: &Limits, stop: watch::Receiver<bool>) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.headers);
        Self {
            app,
            http,
            proxies: limits.proxies.clone(),
            standstill: limits.standstill,
            seats: Arc::new(Seats::new(limits.connections, limits.per_client, limits.pause)),
            beyond: Arc::new(Seats::new(BEYOND, BEYOND, limits.pause)),
            crowd: Crowd::default(),
            stop,
        }
    }

    /// Finds a place for a connection, and serves it there.
    fn welcome(&self, served: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr) {
        let address = peer.ip().to_canonical();
        let proxy = self.proxies.iter().any(|net| net.contains(&address));
        let client = Client { address: address.to_string(), ..Client::default() };
        let network = (!proxy).then(|| client.network());
        if let Some(place) = self.seats.take(network) {
            served.spawn(self.serve(stream, peer, place, false));
            return;
        }
        self.crowd.tell(&client.address);
        if let Some(place) = self.beyond.take(None) {
            served.spawn(self.serve(stream, peer, place, true));
        }
    }

    /// Has a connection closed that waits for its client.
    fn make_room(&self) {
        if !self.beyond.make_room() {
            self.seats.make_room();
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
        crowded: bool,
    ) -> impl Future<Output = ()> + use<> {
        // Pages go out in several small writes: held back, each page would wait for 40 ms.
        let _ = stream.set_nodelay(true);
        // What the system holds for a client who doesn't read is little, and so the first bytes
        // that are taken of it count as headway.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(128 * 1024);
        let (app, stop) = (self.app.clone(), self.stop.clone());
        let seat = Arc::clone(place.seat());
        let line = TokioIo::new(Line::new(stream, Arc::clone(&seat), self.standstill));
        let (stopped, whose) = (self.stop.clone(), Arc::clone(&seat));
        let answer = move |mut request: Request<Incoming>| {
            whose.begins();
            request.extensions_mut().insert(ConnectInfo(peer));
            if crowded {
                request.extensions_mut().insert(Crowded);
            }
            let asked = request.map(|body| Asked::new(body, Arc::clone(&whose)));
            let (answer, whose) = (app.clone().oneshot(asked), Arc::clone(&whose));
            let stopped = stopped.clone();
            async move {
                let mut answer = answer.await?;
                if crowded || *stopped.borrow() {
                    answer
                        .headers_mut()
                        .insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(answer.map(|body| Told::new(body, whose)))
            }
        };
        let connection = self.http.serve_connection(line, hyper::service::service_fn(answer));
        async move {
            let seat = place.seat();
            tokio::pin!(connection);
            tokio::select! {
                ended = &mut connection => return note(ended),
                () = seat.has_to_go() => return,
                () = a_moment_after(stop) => {}
            }
            match seat.begun() {
                Begun::Nothing => return,
                // Its answer says that it is the last one.
                Begun::Headers => {}
                Begun::Request => connection.as_mut().graceful_shutdown(),
            }
            tokio::select! {
                ended = connection => note(ended),
                () = seat.has_to_go() => {}
            }
        }
    }
}

/// Ends when requests that were sent before the stop have been read.
async fn a_moment_after(mut stop: watch::Receiver<bool>) {
    // An error says that nobody is left to stop it: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(LEAVE).await;
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Says now and then that there are too many connections.
#[derive(Default)]
struct Crowd(std::sync::Mutex<Option<Instant>>);

impl Crowd {
    fn tell(&self, client: &str) {
        const EVERY: Duration = Duration::from_secs(10);
        let Ok(mut told) = self.0.lock() else { return };
        if told.is_none_or(|at| at.elapsed() >= EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(
                client,
                "more connections than there are places for all clients or for this one: some get \
                 a 503 (a proxy in front belongs in trusted_proxies)"
            );
        }
    }
}
