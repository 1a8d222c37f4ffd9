//! What the release binary costs while it is asked: processor time by answer, over an empty one's, how long
//! answers take beside others, and the memory that is left of signing in.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use futures_util::future::join_all;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Method, Request, RequestBuilder, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::{Stage, answers, decisions, free_port, ratio, resident};

/// What the kernel counts a process's time in (USER_HZ, on every Linux).
const TICK: Duration = Duration::from_millis(10);
const CONNECTIONS: usize = 32;
const SIGN_INS_FOR: Duration = Duration::from_secs(10);

/// Whoever measures asks more often than anybody may.
const UNBOUNDED: [&str; 4] = [
    "LATCHKEY_REQUESTS_PER_TOKEN",
    "LATCHKEY_INVITATIONS_PER_INVITER",
    "LATCHKEY_INVITATIONS_PER_ACCOUNT",
    "LATCHKEY_INVITATIONS_PER_ADDRESS",
];

/// Prints the figures of a server with the stage's database, which lies in this folder.
pub(crate) async fn tell(folder: &Path, stage: &Stage) {
    let token = decisions::token(&stage.latchkey).await;
    let [small_account, large_account] =
        [&stage.small, &stage.large].map(|account| account.number.get());
    println!("Asking the release binary, on one processor…");
    let server = Server::start(folder).await;
    let cookie = &server.enter().await;
    let page = |account: i64| server.page(&format!("/accounts/{account}/users"), cookie);
    let data = |account: i64| {
        let query = "search=&sort=&after=&pending_after=";
        server.page(&format!("/api/users/page?account={account}&{query}"), cookie)
    };
    let empty = server.cost(20_000, || server.get("/healthz")).await;
    let evaluation = server.cost(10_000, || server.evaluation(&token)).await;
    let (data_small, data_large) = (
        server.cost(1_600, || data(small_account)).await,
        server.cost(1_600, || data(large_account)).await,
    );
    let (small, large) = (
        server.cost(1_600, || page(small_account)).await,
        server.cost(1_600, || page(large_account)).await,
    );
    let compressed = |encoding: &'static str| {
        let mut request = page(large_account);
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        request
    };
    let (newer, older) = (
        server.cost(1_600, || compressed("gzip, deflate, br, zstd")).await,
        server.cost(1_600, || compressed("gzip, deflate, br")).await,
    );
    let invitation = server.cost(800, || server.invitation(small_account, cookie)).await;
    let over = |cost: &Cost| ratio(cost.processor, empty.processor);
    println!(
        "an evaluation, processor time            {:>8.1} ×  an empty answer's (at most 10)",
        over(&evaluation)
    );
    println!("    empty {:?}, an evaluation {:?}", empty.processor, evaluation.processor);
    println!("users page, processor time               {:>8.1} ×  an empty answer's", over(&large));
    println!("    the page {:?}, its data alone {:?}", large.processor, data_large.processor);
    println!("    compressed: zstd {:?}, br {:?}", newer.processor, older.processor);
    println!(
        "    10,000 users over 100: data {:.2}, page {:.2} (at most 1.05)",
        ratio(data_large.processor, data_small.processor),
        ratio(large.processor, small.processor)
    );
    println!(
        "an invitation and its mail, processor time {:>6.1} ×  an empty answer's",
        over(&invitation)
    );
    println!("    an invitation {:?}", invitation.processor);
    println!(
        "users page on {CONNECTIONS} connections, p99 / p50  {:>8.2} ×  (at most 1.3)",
        ratio(large.at(99), large.at(50))
    );
    println!("    p50 {:?}, p99 {:?}", large.at(50), large.at(99));
    drop(server);
    signing_in(folder).await;
}

/// What signing in takes, and leaves behind on a server that did nothing else.
async fn signing_in(folder: &Path) {
    let server = Server::start(folder).await;
    let hash = hash_alone();
    let until = Instant::now() + SIGN_INS_FOR;
    // One after the other: tries at one login wait for each other.
    let people = RefCell::new(domain::demo::PEOPLE.iter().cycle());
    let next = || people.borrow_mut().next().expect("somebody").email;
    let sign_in = server.cost_until(until, 4, || server.sign_in(next())).await;
    println!(
        "a sign-in, processor time                {:>8.2} ×  its hash's alone",
        ratio(sign_in.processor, hash)
    );
    println!("    a sign-in {:?}, a hash alone {hash:?}", sign_in.processor);
    println!(
        "resident memory after signing in         {:>8.1} MB (at most 84), {} times on 4 connections",
        resident(server.process.id()) as f64 / 1e3,
        sign_in.times.len()
    );
}

struct Server {
    process: Child,
    client: Client,
    origin: String,
}

/// What an answer costs.
struct Cost {
    processor: Duration,
    /// How long each took, the shortest first.
    times: Vec<Duration>,
}

impl Cost {
    fn at(&self, percentile: usize) -> Duration {
        self.times[(self.times.len() * percentile / 100).min(self.times.len() - 1)]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    async fn start(folder: &Path) -> Self {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/latchkey");
        let port = free_port();
        let origin = format!("http://localhost:{port}");
        let process = Command::new("taskset")
            .args(["--cpu-list", "0"])
            .arg(&binary)
            .arg("serve")
            .current_dir(folder)
            .env("DATABASE_URL", format!("sqlite:{}", folder.join("bench.db").display()))
            .env("LATCHKEY_DEMO", "true")
            .env("LATCHKEY_LISTEN", format!("127.0.0.1:{port}"))
            .env("LATCHKEY_PUBLIC_URL", &origin)
            .envs(UNBOUNDED.map(|name| (name, "1000000")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("taskset and the release binary");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let server = Self { process, client: client.expect("a client"), origin };
        let begun = Instant::now();
        while !answers(port).await {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server doesn't start");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path).build().expect("a request")
    }

    fn page(&self, path: &str, cookie: &str) -> Request {
        let request = self.request(Method::GET, path).header(header::COOKIE, cookie);
        request.header(header::ACCEPT, "text/html").build().expect("a request")
    }

    fn evaluation(&self, token: &str) -> Request {
        let question = json!({
            "subject": { "type": "user", "id": domain::demo::BJORN.email },
            "action": { "name": "billing.pay" },
            "resource": { "type": "account", "id": "id:100001" },
        });
        let request = self.request(Method::POST, "/access/v1/evaluation");
        let request = request.bearer_auth(token).body(question.to_string());
        request.header(header::CONTENT_TYPE, "application/json").build().expect("a request")
    }

    /// Signs Ingrid in.
    async fn enter(&self) -> String {
        let answer = self.client.execute(self.sign_in(domain::demo::INGRID.email)).await;
        let answer = answer.expect("an answer");
        let cookies = answer.headers().get_all(header::SET_COOKIE).into_iter();
        let named = |cookie: &str| cookie.split(';').next().unwrap_or_default().to_owned();
        cookies.filter_map(|cookie| cookie.to_str().ok()).map(named).collect::<Vec<_>>().join("; ")
    }

    fn sign_in(&self, email: &str) -> Request {
        self.form(
            "/sign-in",
            &[
                ("form", "sign-in"),
                ("email", email),
                ("password", domain::demo::PASSWORD),
                ("next", "/accounts"),
            ],
        )
        .build()
        .expect("a request")
    }

    /// To somebody new each time.
    fn invitation(&self, account: i64, cookie: &str) -> Request {
        let account = account.to_string();
        let email = format!("guest-{}@new.example", Uuid::now_v7().simple());
        self.form(
            &format!("/accounts/{account}/users/invite"),
            &[
                ("form", "users/invite"),
                ("account", &account),
                ("email", &email),
                ("permissions[]", "billing.view"),
            ],
        )
        .header(header::COOKIE, cookie)
        .build()
        .expect("a request")
    }

    /// A form as a browser sends it.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin")
            .body(form)
    }

    /// On a server that is busy: where it has but one to answer, most of the time goes into waking up for it.
    async fn cost(&self, answers: usize, request: impl Fn() -> Request) -> Cost {
        // Warm.
        self.costs(|begun| begun < CONNECTIONS * 10, CONNECTIONS, &request).await;
        self.costs(|begun| begun < answers, CONNECTIONS, &request).await
    }

    async fn cost_until(
        &self,
        until: Instant,
        at_once: usize,
        request: impl Fn() -> Request,
    ) -> Cost {
        self.costs(|_| Instant::now() < until, at_once, &request).await
    }

    async fn costs(
        &self,
        goes_on: impl Fn(usize) -> bool,
        at_once: usize,
        request: &impl Fn() -> Request,
    ) -> Cost {
        let before = self.processor_time();
        let begun = Cell::new(0);
        let client = async || {
            let mut times = Vec::new();
            while goes_on(begun.replace(begun.get() + 1)) {
                let request = request();
                let leads_on = request.headers().contains_key(header::ORIGIN);
                let asked = Instant::now();
                let answer = self.client.execute(request).await.expect("an answer");
                let expected = if leads_on { StatusCode::SEE_OTHER } else { StatusCode::OK };
                assert_eq!(answer.status(), expected, "at {}", answer.url());
                answer.bytes().await.expect("a body");
                times.push(asked.elapsed());
            }
            times
        };
        let mut times = join_all((0..at_once).map(|_| client())).await.concat();
        times.sort();
        let answers = u32::try_from(times.len()).expect("few enough");
        Cost { processor: (self.settled().await - before) / answers, times }
    }

    /// What the process took of the processor once it has done what its answers left to do.
    async fn settled(&self) -> Duration {
        loop {
            let before = self.processor_time();
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = self.processor_time();
            if now <= before + TICK {
                return now;
            }
        }
    }

    /// What the process took of the processor so far.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let stat = stat.expect("a process");
        // Behind its name, which may be anything: proc_pid_stat(5), fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').expect("its name");
        let ticks = |field: usize| fields.split_whitespace().nth(field - 3)?.parse::<u32>().ok();
        TICK * (ticks(14).zip(ticks(15)).map(|(user, system)| user + system).expect("its times"))
    }
}

/// A hash of a password as it is stored, in memory that is kept.
fn hash_alone() -> Duration {
    let params = Params::new(19_456, 2, 1, None).expect("parameters");
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let mut times: Vec<_> = (0..60)
        .map(|_| {
            let begun = Instant::now();
            let password = domain::demo::PASSWORD.as_bytes();
            argon2
                .hash_password_into_with_memory(password, &[7; 16], &mut output, &mut memory)
                .expect("a hash");
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}
