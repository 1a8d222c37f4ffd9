//! A line to a test's Postgres that falls silent, speaks again, or is cut, and counts what is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// The line. What goes through it waits while it is silent; nobody is told.
pub struct Line {
    /// The database's URL by way of the line.
    pub url: String,
    state: watch::Sender<State>,
    asked: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Default)]
struct State {
    silent: bool,
    cuts: u32,
}

impl Line {
    /// A line to the database with this URL.
    pub async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the line");
        let port = listener.local_addr().expect("the line's port").port();
        let (start, rest) = url.split_once("://").expect("a URL");
        let (authority, rest) = rest.split_once('/').expect("a database in the URL");
        let (database, options) = rest.split_once('?').unwrap_or((rest, ""));
        let folder = options.split('&').find_map(|option| option.strip_prefix("host="));
        let folder = folder.map(ToOwned::to_owned);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("postgres", authority));
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let (state, watched) = watch::channel(State::default());
        let asked = Arc::<AtomicU64>::default();
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (folder, host, watched) = (folder.clone(), host.clone(), watched.clone());
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    if let Some(folder) = folder {
                        let far = UnixStream::connect(format!("{folder}/.s.PGSQL.5432")).await;
                        let (read, write) = far.expect("the test's Postgres").into_split();
                        pass(near, read, write, watched, &count).await;
                    } else {
                        let far = TcpStream::connect(host).await.expect("the test's Postgres");
                        let (read, write) = far.into_split();
                        pass(near, read, write, watched, &count).await;
                    }
                });
            }
        });
        Self { url: format!("{start}://{user}@127.0.0.1:{port}/{database}"), state, asked }
    }

    /// How many times something was sent to Postgres so far. Whoever waits for each answer before they
    /// send more has been as many times on the way there and back.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Nothing comes through any more.
    pub fn fall_silent(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// What waited comes through, and all that follows.
    pub fn speak(&self) {
        self.state.send_modify(|state| state.silent = false);
    }

    /// Ends every connection that there is.
    pub async fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
        // The last one that looks is the one that takes new connections.
        while self.state.receiver_count() > 1 {
            tokio::task::yield_now().await;
        }
    }
}

async fn pass(
    near: TcpStream,
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    state: watch::Receiver<State>,
    count: &AtomicU64,
) {
    let (near_read, near_write) = near.into_split();
    let (mut cut, cuts) = (state.clone(), state.borrow().cuts);
    tokio::select! {
        () = one_way(near_read, write, state.clone(), Some(count)) => {}
        () = one_way(read, near_write, state, None) => {}
        _ = cut.wait_for(|state| state.cuts != cuts) => {}
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    count: Option<&AtomicU64>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Some(count) = count {
            count.fetch_add(1, Ordering::SeqCst);
        }
        let speaks = state.wait_for(|state| !state.silent).await.is_ok();
        if !speaks || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
