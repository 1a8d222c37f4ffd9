//! What `make torture` does to the real binary: ends it while it writes, again and again, and sends
//! it requests that nobody means. It prints its figures, and fails when a promise breaks.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "it tells its figures, and stops when it can't go on"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::demo::{self, DemoPerson};

/// How often the server is killed, on each kind of database.
const KILLS: u32 = 30;
/// How many mutated requests it is sent.
const MUTATIONS: u32 = 8_000;
/// How many of them travel at the same time.
const SENDERS: u32 = 4;
/// After how long an answer counts as none.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for the answer to a broken request, of which there may be more to come.
const GLANCE: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sqlite = format!("sqlite:{}", folder.path().join("torture.db").display());
    killed_while_writing("SQLite", &Place::new(folder.path(), &sqlite));
    let postgres = test_database::empty_postgres_url().await;
    killed_while_writing("Postgres", &Place::new(folder.path(), &postgres));
    fed_with_mutations(&Place::new(folder.path(), &sqlite));
}

/// Where the server runs, and on which database.
struct Place<'a> {
    folder: &'a Path,
    database: &'a str,
    listen: String,
}

impl<'a> Place<'a> {
    fn new(folder: &'a Path, database: &'a str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        Self { folder, database, listen: free.expect("a free port").to_string() }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn start(&self) -> Server {
        let log = self.folder.join("log");
        let log = File::options().create(true).append(true).open(log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .arg("serve")
            .current_dir(self.folder)
            .env("DATABASE_URL", self.database)
            .env("LATCHKEY_DEMO", "true")
            .env("LATCHKEY_LISTEN", &self.listen)
            .env("LATCHKEY_PUBLIC_URL", format!("http://{}", self.listen))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the binary");
        let server = Server(child);
        let begun = Instant::now();
        while !self.ask("GET /readyz HTTP/1.1", "", "").is_ok_and(|answer| answer.status == 200) {
            assert!(begun.elapsed() < PATIENCE, "the server doesn't start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Sends one request and reads the answer to its end.
    fn ask(&self, line: &str, headers: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        self.send(
            format!(
                "{line}\r\nhost: {}\r\naccept: text/html\r\nconnection: close\r\n{headers}\
                 content-length: {length}\r\n\r\n{body}",
                self.listen
            )
            .as_bytes(),
            PATIENCE,
        )
    }

    fn send(&self, request: &[u8], patience: Duration) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.listen)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Answer::read(&answer).ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The server, as long as this is.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// The cookies that it sets, as a browser sends them.
    fn cookies(&self) -> String {
        let set = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let pairs: Vec<_> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        format!("cookie: {}\r\n", pairs.join("; "))
    }

    /// The hidden fields of the form with this name, as it is sent.
    fn hidden(&self, form: &str) -> String {
        let named = format!("value=\"{form}\"");
        let form = self.body.split("<form").find(|part| part.contains(&named));
        let form = form.unwrap_or_else(|| panic!("there is no form {named}: {}", self.body));
        let inputs = form.split("<input").filter(|input| input.contains("type=\"hidden\""));
        let attribute = |input: &str, name: &str| {
            let value = input.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
            Some(value.to_owned())
        };
        let mut fields = form_urlencoded::Serializer::new(String::new());
        for input in inputs {
            if let (Some(name), Some(value)) = (attribute(input, "name"), attribute(input, "value"))
            {
                fields.append_pair(&name, &value);
            }
        }
        fields.finish()
    }
}

/// Somebody who changes their name again and again.
struct Writer {
    cookies: String,
    /// The number that their name ends with, as far as it was answered that it is written.
    written: u64,
}

impl Writer {
    fn sign_in(place: &Place, person: DemoPerson) -> Self {
        let page = place.ask("GET /sign-in HTTP/1.1", "", "").expect("the sign-in page");
        let mut form = form_urlencoded::Serializer::new(page.hidden("sign-in"));
        form.append_pair("email", person.email).append_pair("password", demo::PASSWORD);
        let answer = place.post("/sign-in", "", &form.finish()).expect("an answer");
        assert_eq!(answer.status, 303, "{}", answer.body);
        Self { cookies: answer.cookies(), written: 0 }
    }

    /// Writes until the server is gone; answers how often it was told that it is written.
    fn write(&mut self, place: &Place, gone: &AtomicBool, written: &AtomicU32) -> u64 {
        let begun = self.written;
        let page = place.ask("GET /profile HTTP/1.1", &self.cookies, "");
        let Ok(page) = page.filter_status(200) else { return 0 };
        let form = page.hidden("profile/save");
        while !gone.load(Ordering::Relaxed) {
            let name = self.written + 1;
            let form = format!("{form}&full_name=Kari+Nordmann+{name}&language=en");
            match place.post("/profile", &self.cookies, &form) {
                Ok(answer) if answer.status == 303 => {
                    self.written = name;
                    written.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer) => panic!("a name was refused with {}", answer.status),
                Err(_) => break,
            }
        }
        self.written - begun
    }

    /// Whether what was answered to be written is there: the last name, or the one that was on its
    /// way.
    fn finds_it(&mut self, place: &Place) -> bool {
        let page = place.ask("GET /profile HTTP/1.1", &self.cookies, "").expect("the profile");
        assert_eq!(page.status, 200, "a session is gone");
        if self.written == 0 {
            return true;
        }
        let kept = |name: u64| page.body.contains(&format!("\"Kari Nordmann {name}\""));
        if kept(self.written + 1) {
            self.written += 1;
            return true;
        }
        kept(self.written)
    }
}

trait FilterStatus {
    fn filter_status(self, status: u16) -> io::Result<Answer>;
}

impl FilterStatus for io::Result<Answer> {
    fn filter_status(self, status: u16) -> io::Result<Answer> {
        self.and_then(|answer| match answer.status == status {
            true => Ok(answer),
            false => Err(io::ErrorKind::Other.into()),
        })
    }
}

impl Place<'_> {
    fn post(&self, path: &str, cookies: &str, form: &str) -> io::Result<Answer> {
        let kind = "content-type: application/x-www-form-urlencoded\r\n";
        let origin = format!("{cookies}{kind}origin: http://{}\r\n", self.listen);
        self.ask(&format!("POST {path} HTTP/1.1"), &origin, form)
    }
}

/// What was answered with success is there after the process was killed in the middle of it.
fn killed_while_writing(name: &str, place: &Place) {
    let mut chance = Chance(0x5eed);
    let mut server = place.start();
    let people = [demo::INGRID, demo::OLAV, demo::AMIRA, demo::MEI];
    let mut writers = people.map(|person| Writer::sign_in(place, person));
    let (mut acknowledged, mut lost) = (0, 0);
    for _ in 0..KILLS {
        let (gone, written) = (AtomicBool::new(false), AtomicU32::new(0));
        let enough = 4 + chance.below(12);
        acknowledged += std::thread::scope(|scope| {
            let writing: Vec<_> = writers
                .iter_mut()
                .map(|writer| scope.spawn(|| writer.write(place, &gone, &written)))
                .collect();
            let begun = Instant::now();
            while written.load(Ordering::Relaxed) < enough && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(u64::from(1 + chance.below(20))));
            }
            drop(server);
            gone.store(true, Ordering::Relaxed);
            writing.into_iter().map(|writing| writing.join().expect("a writer")).sum::<u64>()
        });
        server = place.start();
        lost +=
            writers.iter_mut().filter_map(|writer| (!writer.finds_it(place)).then_some(())).count();
    }
    drop(server);
    println!("{name}: killed {KILLS} times, {acknowledged} writes acknowledged, {lost} lost");
    assert!(acknowledged > u64::from(KILLS) && lost == 0, "a promise is broken");
}

/// Requests that were changed at a byte or two are answered, and nothing breaks.
fn fed_with_mutations(place: &Place) {
    let server = place.start();
    let cookies = Writer::sign_in(place, demo::INGRID).cookies;
    let seeds = seeds(&place.listen, &cookies);
    let counts = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let seeds = &seeds;
                scope.spawn(move || {
                    let mut chance = Chance(u64::from(sender) + 1);
                    let mut counts = BTreeMap::<String, u32>::new();
                    for _ in 0..MUTATIONS / SENDERS {
                        let request = chance.mutate(seeds);
                        let outcome = match place.send(&request, GLANCE) {
                            Ok(answer) => answer.status.to_string(),
                            Err(_) => "none yet".to_owned(),
                        };
                        *counts.entry(outcome).or_default() += 1;
                    }
                    counts
                })
            })
            .collect();
        sending.into_iter().map(|sending| sending.join().expect("a sender")).fold(
            BTreeMap::<String, u32>::new(),
            |mut all, counts| {
                counts
                    .into_iter()
                    .for_each(|(status, count)| *all.entry(status).or_default() += count);
                all
            },
        )
    });
    let alive = place.ask("GET /readyz HTTP/1.1", "", "").is_ok_and(|answer| answer.status == 200);
    drop(server);
    println!("{MUTATIONS} mutated requests: {counts:?}");
    let panics = place.log().matches("panic").count();
    assert!(alive && panics == 0 && !counts.contains_key("500"), "{panics} panics in the log");
}

/// Requests as browsers send them.
fn seeds(host: &str, cookies: &str) -> Vec<Vec<u8>> {
    let paths = [
        "/",
        "/sign-in?next=/profile",
        "/accounts",
        "/accounts/100001",
        "/accounts/100001/users",
        "/accounts/100001/users?search=ol&after=x",
        "/accounts/100001/log?from=2026-11-01",
        "/accounts/100001/log.csv",
        "/accounts/100001/services",
        "/profile",
        "/security",
        "/invitations/abc",
        "/help/users",
        "/api/users/page?account=100001",
        "/pkg/0/latchkey.js",
        "/demo/mailbox",
        "/readyz",
    ];
    let forms = [
        ("/profile", "form=profile%2Fsave&full_name=Ingrid&language=en"),
        ("/accounts/100001/users/invite", "form=users%2Finvite&account=100001&email=a%40b.example"),
        ("/sign-in", "form=sign-in&email=a%40b.example&password=0&next=%2F"),
        ("/help/users", "form=help%2Ffeedback&helped=yes&words=%C3%B8"),
        ("/api/users/invite", "account=100001&email=a%40b.example&permissions%5B%5D=billing.view"),
    ];
    let head = format!(
        "host: {host}\r\naccept: text/html\r\naccept-language: nb, de;q=0.5\r\nuser-agent: Browser\r\n\
         accept-encoding: br\r\nx-forwarded-for: 203.0.113.9\r\norigin: http://{host}\r\n{cookies}\
         connection: close\r\n"
    );
    let pages = paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\n{head}\r\n"));
    let forms = forms.iter().map(|(path, form)| {
        let length = form.len();
        let kind = "content-type: application/x-www-form-urlencoded";
        format!("POST {path} HTTP/1.1\r\n{head}{kind}\r\ncontent-length: {length}\r\n\r\n{form}")
    });
    pages.chain(forms).map(String::into_bytes).collect()
}

/// Chance that repeats itself from run to run (a linear congruential generator, as Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % bound.max(1)
    }

    /// One of these, with one to three bytes changed, doubled, or cut out.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        const ODD: &[u8] = b"\0\r\n %/?&=;:\"<>'\\\x7f\x80\xc3\xff0A{[*";
        let mut request = seeds[self.below(seeds.len() as u32) as usize].clone();
        for _ in 0..=self.below(3) {
            let at = self.below(request.len() as u32) as usize;
            let odd = ODD[self.below(ODD.len() as u32) as usize];
            match self.below(4) {
                0 => request[at] = odd,
                1 => request.insert(at, odd),
                2 => drop(request.remove(at)),
                _ => {
                    let to = (at + self.below(40) as usize).min(request.len());
                    let piece = request[at..to].to_vec();
                    request.splice(at..at, piece);
                }
            }
        }
        request
    }
}
