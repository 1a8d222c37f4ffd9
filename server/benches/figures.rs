//! The figures that `make bench` prints. Costs are ratios within one run, against floor handlers
//! on the same router: the machine's mood cancels out. With `-- pages`, `-- decisions` or `-- load` those alone.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench tells its figures, and stops when it can't"
)]

#[path = "figures/decisions.rs"]
mod decisions;
#[path = "figures/load.rs"]
mod load;
#[path = "figures/pages.rs"]
mod pages;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use axum::{Extension, Router};
use domain::sessions::SignedIn;
use domain::{Client, Latchkey};
use http_body_util::BodyExt;
use mimalloc::MiMalloc;
use model::{
    Access, AccountId, AccountNumber, EmailAddress, FullName, Permission, PermissionSet, Reach,
    Secret, Terms, UserId,
};
use server::clock::{SystemClock, SystemRandom};
use server::config::Config;
use server::router::{Parts, router};
use store::{Login, NewUser, Service, Store};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use uuid::Uuid;

/// The program's.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

const ROUNDS: usize = 400;
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let alone = |what: &str| std::env::args().any(|argument| argument == what);
    if alone("decisions") {
        return decisions::tell().await;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stage = Stage::new(&format!("sqlite:{}", folder.path().join("bench.db").display())).await;
    if alone("load") {
        return load::tell(folder.path(), &stage).await;
    }
    let database = test_database::postgres().await;
    pages::tell([&stage, &Stage::new(&database.url).await]).await;
    if alone("pages") {
        return;
    }
    let Stage { latchkey, app, cookie, large, .. } = &stage;

    let bounded = fill(latchkey, "Bounded", 10_000, &names("Shop", 9)).await.number;
    let many = Many::new(latchkey).await;
    pages::settle(&stage.url).await;
    let floor =
        Router::new().route("/static", get(|| async { "x".repeat(8_000) })).layer(Extension(()));
    let fixed = median(&floor, "/static", "").await;
    let overview = median(app, "/accounts/100001", cookie).await;
    println!("a signed-in page over a static answer   {:>8.1} ×", ratio(overview, fixed));
    println!("    static {fixed:?}, overview {overview:?}");
    let users = median(app, &format!("/accounts/{}/users", large.number), cookie).await;
    let users_bounded = median(app, &format!("/accounts/{bounded}/users"), cookie).await;
    println!(
        "users page, each with reach and end      {:>8.2} ×  (at most 1.2)",
        ratio(users_bounded, users)
    );
    println!("    without {users:?}, with {users_bounded:?}");
    many.tell(latchkey, app).await;
    decisions::tell().await;
    sizes();
    process(folder.path()).await;
    load::tell(folder.path(), &stage).await;
}

/// The demo on a database, with an account of few users and one of many.
struct Stage {
    url: String,
    latchkey: Latchkey,
    app: Router,
    /// Ingrid's, who owns them.
    cookie: String,
    small: Filled,
    large: Filled,
}

impl Stage {
    async fn new(url: &str) -> Self {
        println!("Filling accounts with 100 and 10,000 users…");
        let store = Store::open(url).await.expect("a database");
        store.migrate().await.expect("migrations");
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let latchkey = Latchkey::new(store, clock, random, domain::Settings::default());
        domain::demo::seed(&latchkey).await.expect("the demo");
        let small = fill(&latchkey, "Small", 100, &[]).await;
        let large = fill(&latchkey, "Large", 10_000, &[]).await;
        let cookie = sign_in(&latchkey, domain::demo::INGRID.email).await;
        let app = router(parts_of(&latchkey));
        Self { url: url.to_owned(), latchkey, app, cookie, small, large }
    }
}

/// What the router takes, as a server that nobody configured has it.
fn parts_of(latchkey: &Latchkey) -> Parts {
    let config = Arc::new(Config::default());
    Parts {
        latchkey: latchkey.clone(),
        site: Arc::new(config.site()),
        config,
        assets: server::assets::load(),
        mail_waiting: Arc::default(),
        pages: Arc::new(Semaphore::new(1024)),
    }
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// An account that was filled.
struct Filled {
    number: AccountNumber,
    account: AccountId,
    services: Vec<Uuid>,
}

fn names(name: &str, count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("{name} {n:04}")).collect()
}

/// An account with this many users, Ingrid an owner of it, and services with these names. If there are
/// any, each user reaches three of them for a year.
async fn fill(latchkey: &Latchkey, name: &str, count: usize, services: &[String]) -> Filled {
    let store = &latchkey.store;
    let owner = domain::demo::INGRID.email;
    let (number, token) =
        domain::accounts::create(latchkey, name, owner).await.expect("an account");
    let (token, password) = (token.secret().expose(), domain::demo::PASSWORD);
    let client = Client::default();
    domain::invitations::join_with_password(latchkey, token, password, &client)
        .await
        .expect("a membership");
    let ingrid = login(latchkey, owner).await;
    let now = latchkey.now();
    let membership = store.membership(ingrid.id, number, None, now).await.expect("a store");
    let account = membership.expect("a membership").account;
    let mut ids = Vec::new();
    for name in services {
        let service = Service {
            id: latchkey.new_id(),
            name: name.clone(),
            plan: "Managed hosting M".to_owned(),
            state: "active".to_owned(),
            renews_at: now.after(YEAR),
            login_name: String::new(),
            login_password: String::new().into(),
            open_link: None,
            renew_link: None,
            named_by: model::NamedBy::default(),
        };
        store.add_service(account, &service).await.expect("a service");
        ids.push(service.id);
    }
    for n in 1..count {
        let terms = match ids.as_slice() {
            [] => Terms::whole([Permission::BillingView].into_iter().collect()),
            ids => {
                let three = [n, n + 1, n + 2].map(|place| ids[place % ids.len()]);
                Terms { until: Some(now.after(YEAR)), ..on_services(three) }
            }
        };
        let email = format!("person{n}@{}.example", name.to_lowercase());
        let full_name = format!("Person {n} {}", group(n));
        let hash = &ingrid.password_hash;
        let id = add_user(latchkey, &email, &full_name, hash).await;
        let access = Access::Granted(vec![terms]);
        store.add_member(account, id, access, now).await.expect("a membership");
    }
    Filled { number, account, services: ids }
}

async fn login(latchkey: &Latchkey, email: &str) -> Login {
    let email = EmailAddress::parse(email).expect("an address");
    latchkey.store.login(&email).await.expect("a store").expect("a login")
}

async fn add_user(latchkey: &Latchkey, email: &str, full_name: &str, hash: &Secret) -> UserId {
    let id = UserId::from(latchkey.new_id());
    let user = NewUser {
        id,
        email: EmailAddress::parse(email).expect("an address"),
        full_name: FullName::parse(full_name).expect("a name"),
        password_hash: hash.clone(),
        language: None,
    };
    latchkey.store.add_user(&user, latchkey.now()).await.expect("a user");
    id
}

/// Seeing these services and managing them.
fn on_services(ids: impl IntoIterator<Item = Uuid>) -> Terms {
    let permissions: PermissionSet = [Permission::ServicesManage].into_iter().collect();
    let services = Reach::of(false, ids);
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(permissions) }
}

/// An account with 5,000 services, and users who reach 500 of them: by one grant, and by 200.
struct Many {
    number: AccountNumber,
    one_grant: UserId,
    many_grants: UserId,
}

impl Many {
    const BY_ONE: &str = "one@many.example";

    async fn new(latchkey: &Latchkey) -> Self {
        let Filled { number, account, services } =
            fill(latchkey, "Many", 1, &names("Service", 5_000)).await;
        let (store, now) = (&latchkey.store, latchkey.now());
        let hash = login(latchkey, domain::demo::INGRID.email).await.password_hash;
        let mut users = Vec::new();
        for (email, count) in [(Self::BY_ONE, 1), ("two-hundred@many.example", 200)] {
            let user = add_user(latchkey, email, "Many Services", &hash).await;
            // Spread over all: none of them is another's neighbour.
            let reached = services.iter().copied().step_by(10);
            let terms = on_services(reached);
            let access = Access::Granted(vec![terms; count]);
            store.add_member(account, user, access, now).await.expect("a membership");
            users.push(user);
        }
        Self { number, one_grant: users[0], many_grants: users[1] }
    }

    async fn tell(&self, latchkey: &Latchkey, app: &Router) {
        let [one, many] = [self.one_grant, self.many_grants].map(|user| self.check(latchkey, user));
        let (one, many) = (one.await, many.await);
        println!(
            "a request's check, 200 grants over one   {:>8.2} ×  (at most 1.3)",
            ratio(many, one)
        );
        println!("    one grant {one:?}, 200 grants with 500 services each {many:?}");
        let list = format!("/accounts/{}/services", self.number);
        let owner = sign_in(latchkey, domain::demo::INGRID.email).await;
        let reader = sign_in(latchkey, Self::BY_ONE).await;
        let all = median(app, &list, &owner).await;
        let some = median(app, &list, &reader).await;
        println!(
            "services, a reach of 500 of 5,000        {:>8.2} ×  (at most 1.5)",
            ratio(some, all)
        );
        println!("    all {all:?}, those in reach {some:?}");
    }

    /// How long it takes to find out what a user may do.
    async fn check(&self, latchkey: &Latchkey, user: UserId) -> Duration {
        let (store, now) = (&latchkey.store, latchkey.now());
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let found = store.membership(user, self.number, None, now).await.expect("a store");
            times.push(begun.elapsed());
            assert!(found.is_some(), "nobody is there");
        }
        times.sort();
        times[ROUNDS / 2]
    }
}

/// A tenth of all are in the north, another in the south, nobody in both.
fn group(n: usize) -> &'static str {
    match n % 10 {
        0 => "North",
        5 => "South",
        _ => "Bench",
    }
}

async fn sign_in(latchkey: &Latchkey, email: &str) -> String {
    let client = Client::default();
    let (password, named) = (domain::demo::PASSWORD, Config::default().site().session_cookie());
    let signed_in = domain::sessions::sign_in(latchkey, email, password, &client, None).await;
    match signed_in.expect("the right password") {
        SignedIn::Wholly(begun) => format!("{named}={}", begun.session.secret().expose()),
        SignedIn::HalfWay(_) => panic!("nobody has a second factor here"),
    }
}

async fn median(app: &Router, path: &str, cookie: &str) -> Duration {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let request = Request::get(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html")
            .body(Body::empty())
            .expect("a request");
        let begun = Instant::now();
        let response = app.clone().oneshot(request).await.expect("an answer");
        let leads_to = response.headers().get(header::LOCATION);
        assert_eq!(response.status(), StatusCode::OK, "{path} leads to {leads_to:?}");
        response.into_body().collect().await.expect("a body");
        times.push(begun.elapsed());
    }
    times.sort();
    times[ROUNDS / 2]
}

/// What the first load of a page costs on the wire.
fn sizes() {
    let pkg = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site/pkg");
    let size = |name: &str| {
        let compressed = pkg.join(format!("{name}.br"));
        std::fs::metadata(compressed).map(|file| file.len()).unwrap_or(0)
    };
    let pages = std::fs::read_to_string(pkg.join("pages.json")).unwrap_or_default();
    let pages: Vec<(String, Vec<String>)> = serde_json::from_str(&pages).unwrap_or_default();
    let users = pages.iter().find(|(path, _)| path == "/accounts/:account/users");
    let besides = users.map(|(_, files)| files.as_slice()).unwrap_or_default();
    let of_kind = |end: &str| -> u64 {
        besides.iter().filter(|file| file.ends_with(end)).map(|file| size(file)).sum()
    };
    let (pieces, split) = (of_kind(".wasm"), of_kind(".js"));
    let wasm = size("latchkey.wasm").max(size("latchkey_bg.wasm"));
    let css = size("latchkey.css");
    let js = size("latchkey.js");
    let all = wasm + js + split + css + pieces;
    println!(
        "first load of User management           {:>8.1} kB brotli (at most 280), without the HTML",
        all as f64 / 1e3
    );
    println!(
        "    main WASM {wasm}, its pieces {pieces}, JavaScript {}, styles {css} bytes",
        js + split
    );
    println!(
        "sign-in and join pages                   {:>8.1} kB brotli (at most 40), without the HTML",
        css as f64 / 1e3
    );
}

/// Cold start and memory of the real binary.
async fn process(folder: &Path) {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/latchkey");
    let database = format!("sqlite:{}", folder.join("bench.db").display());
    let port = free_port();
    let mut starts = Vec::new();
    let mut memory = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        let mut server = Command::new(&binary)
            .arg("serve")
            .current_dir(folder)
            .env("DATABASE_URL", &database)
            .env("LATCHKEY_DEMO", "true")
            .env("LATCHKEY_LISTEN", format!("127.0.0.1:{port}"))
            .env("LATCHKEY_PUBLIC_URL", format!("http://localhost:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the release binary");
        while !answers(port).await {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server doesn't start");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        starts.push(begun.elapsed());
        memory = resident(server.id());
        server.kill().expect("a process");
        server.wait().expect("a process");
    }
    starts.sort();
    println!(
        "cold start to the first 200              {:>8} ms (at most 250)",
        starts[2].as_millis()
    );
    println!(
        "resident memory, idle                    {:>8.1} MB (at most 60)",
        memory as f64 / 1e3
    );
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    listener.and_then(|listener| listener.local_addr()).expect("a free port").port()
}

async fn answers(port: u16) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else {
        return false;
    };
    let request = b"GET /sign-in HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}

/// In kB, as the kernel says.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}
