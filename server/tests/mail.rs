//! The outbox against a real mail server: what happens to a mail that is taken, put off, refused,
//! or not answered at all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on fails, and says where"
)]

mod smtp;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{Clock, Latchkey};
use mail_parser::MessageParser;
use model::Timestamp;
use server::clock::SystemRandom;
use server::config::Config;
use server::mailer::{Mailer, Patience, Round, Transport};
use sqlx::{Connection, PgConnection, SqliteConnection};
use sqlx_macros::FromRow;
use store::Store;
use test_database::{TestDatabase, apply, on_both};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::smtp::{Protection, Received, Smtp};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// Long enough for anything that isn't stuck.
const IN_TIME: Duration = Duration::from_secs(60);

/// A clock that the test moves.
struct TestClock(AtomicI64);

impl TestClock {
    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The product on a test's database, with its workers' configuration.
struct Office {
    latchkey: Latchkey,
    clock: Arc<TestClock>,
    config: Config,
    url: String,
}

/// A row of the outbox.
#[derive(Debug, FromRow)]
struct Row {
    state: String,
    facts: Option<String>,
    answer: Option<String>,
    attempts: i64,
    due_at: i64,
}

impl Row {
    fn answer(&self) -> &str {
        self.answer.as_deref().unwrap_or_default()
    }

    /// Seconds after the start until it is tried again.
    fn due(&self) -> i64 {
        (self.due_at - START.as_micros()) / 1_000_000
    }
}

impl Office {
    /// An office that writes to the mail server with this address, if any.
    fn new(db: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(k, v)| (format!("LATCHKEY_{k}"), (*v).to_owned()));
        let own = [
            ("LATCHKEY_PUBLIC_URL".to_owned(), "https://my.provider.example".to_owned()),
            ("LATCHKEY_MAIL_FROM".to_owned(), "Provider <no-reply@provider.example>".to_owned()),
        ];
        let config = Config::parse(Path::new("none"), "", settings.chain(own)).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(START.as_micros())));
        let url = db.url.clone();
        let latchkey = latchkey(db.store.clone(), &clock, &config);
        Self { latchkey, clock, config, url }
    }

    fn mailer(&self, latchkey: &Latchkey) -> Mailer {
        let transport = Transport::new(&self.config).unwrap();
        let patience = Patience { send: Duration::from_secs(20), ..Patience::default() };
        Mailer::new(latchkey.clone(), Arc::new(self.config.site()), transport)
            .with_patience(patience)
    }

    /// Sends what is due.
    async fn send(&self) -> Round {
        self.mailer(&self.latchkey).send_due(&watch::channel(false).1).await
    }

    /// Sends what is due with a worker that isn't patient.
    async fn send_within(&self, limit: Duration) -> Round {
        let mailer = self.mailer(&self.latchkey);
        let patience = Patience { send: limit, ..Patience::default() };
        mailer.with_patience(patience).send_due(&watch::channel(false).1).await
    }

    /// Sets up an account, which invites its first owner. Answers the link's token.
    async fn invite(&self, email: &str) -> String {
        let created = domain::accounts::create(&self.latchkey, "Nordlys Bakeri", email).await;
        created.unwrap().1.secret().expose().to_owned()
    }

    /// The outbox, the oldest first.
    async fn outbox(&self) -> Vec<Row> {
        const ALL: &str = "SELECT state, facts, answer, CAST(attempts AS BIGINT) AS attempts, \
                           due_at FROM outbox ORDER BY id";
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_as(ALL).fetch_all(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_as(ALL).fetch_all(&mut connection).await.unwrap()
        }
    }

    async fn only_row(&self) -> Row {
        let mut rows = self.outbox().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }
}

fn latchkey(store: Store, clock: &Arc<TestClock>, config: &Config) -> Latchkey {
    let clock = Arc::clone(clock);
    Latchkey::new(store, clock, Arc::new(SystemRandom::new().unwrap()), config.settings())
}

fn handled(mails: usize) -> Round {
    Round { handled: mails, trouble: false }
}

const TROUBLE: Round = Round { handled: 1, trouble: true };

#[apply(on_both!)]
async fn a_mail_that_is_taken_is_noted_and_forgotten(db: TestDatabase) {
    let mut smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    let shown = office.invite("ok@Example.com").await;
    assert_eq!(office.send().await, handled(1));

    let Received { from, to, raw } = smtp.received().await;
    assert_eq!(
        (from.as_str(), to),
        ("no-reply@provider.example", vec!["ok@example.com".to_owned()])
    );
    let mail = MessageParser::default().parse(&raw).unwrap();
    let id = mail.message_id().unwrap();
    assert!(id.ends_with("@my.provider.example") && id.len() > 50, "{id}");
    assert_eq!(mail.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    assert_eq!(mail.date().unwrap().to_timestamp(), 1_800_000_000);
    let link = "https://my.provider.example/invitations/";
    let text = mail.body_text(0).unwrap();
    let token = text.split(link).nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(token.len() > 40 && token != shown, "the mailbox alone has this link");
    assert!(mail.body_html(0).unwrap().contains(&format!("{link}{token}")));

    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.facts.is_none()), ("sent", true));
    assert!(row.answer().starts_with("250 2.6.0 Message accepted"), "{row:?}");
    assert_eq!(office.send().await, handled(0));
}

#[apply(on_both!)]
async fn a_mail_that_is_put_off_is_tried_again_later(db: TestDatabase) {
    let smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    office.invite("defer@example.com").await;
    assert_eq!(office.send().await, handled(1));
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.due()), ("queued", 30));
    assert_eq!(row.answer(), "451 4.3.0 Try again later");

    office.clock.forward(29);
    assert_eq!(office.send().await, handled(0));
    office.clock.forward(1);
    assert_eq!(office.send().await, handled(1));
    let row = office.only_row().await;
    assert_eq!((row.attempts, row.due()), (2, 30 + 60));
    assert!(row.facts.is_some());
}

#[apply(on_both!)]
async fn a_mail_that_is_put_off_for_a_day_is_given_up(db: TestDatabase) {
    let smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    office.invite("defer@example.com").await;
    office.clock.forward(24 * 60 * 60);
    assert_eq!(office.send().await, handled(1));
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.facts.is_none()), ("failed", true));
    assert_eq!(row.answer(), "451 4.3.0 Try again later");
}

#[apply(on_both!)]
async fn a_mail_that_is_refused_is_given_up_with_the_servers_words(db: TestDatabase) {
    let mut smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    office.invite("refuse@example.com").await;
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, handled(2));
    let rows = office.outbox().await;
    assert_eq!((rows[0].state.as_str(), rows[0].facts.is_none()), ("failed", true));
    assert_eq!(rows[0].answer(), "550 5.1.1 Mailbox unknown");
    assert_eq!(rows[1].state, "sent");
    assert_eq!(smtp.received().await.to, ["ok@example.com"]);
}

#[apply(on_both!)]
async fn a_server_that_doesnt_answer_puts_the_mail_off(db: TestDatabase) {
    let smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    for (email, due) in [("hang@example.com", 30), ("stall@example.com", 30)] {
        office.invite(email).await;
        assert_eq!(office.send_within(Duration::from_millis(1500)).await, TROUBLE);
        let row = office.outbox().await.pop().unwrap();
        assert_eq!((row.state.as_str(), row.due()), ("queued", due), "{email}");
        assert_eq!(row.answer(), "the mail server didn't answer within 1.5 seconds");
    }
}

#[apply(on_both!)]
async fn a_server_that_hangs_up_puts_the_mail_off(db: TestDatabase) {
    let smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    office.invite("drop@example.com").await;
    assert_eq!(office.send().await, TROUBLE);
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.due()), ("queued", 30));
    assert!(row.answer().starts_with("the mail server broke off: "), "{row:?}");
}

#[apply(on_both!)]
async fn a_server_that_isnt_there_is_asked_for_one_mail_only(db: TestDatabase) {
    let office = Office::new(&db, &[("SMTP_URL", "smtp://127.0.0.1:1")]);
    office.invite("ok@example.com").await;
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, TROUBLE);
    let answers: Vec<_> = office.outbox().await.iter().map(|row| row.answer.is_some()).collect();
    assert_eq!(answers, [true, false]);
}

#[apply(on_both!)]
async fn without_a_mail_server_mails_wait_and_say_so(db: TestDatabase) {
    let office = Office::new(&db, &[]);
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, handled(1));
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.due()), ("queued", 30));
    assert_eq!(row.answer(), "no mail server is configured");
}

#[apply(on_both!)]
async fn in_the_demo_mails_are_kept(db: TestDatabase) {
    let office = Office::new(&db, &[("DEMO", "true")]);
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, handled(1));
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.facts.is_some()), ("kept", true));
    let mailbox = domain::mails::mailbox(&office.latchkey).await.unwrap();
    assert_eq!(mailbox.len(), 1);
}

#[apply(on_both!)]
async fn several_workers_send_every_mail_once(db: TestDatabase) {
    const MAILS: usize = 30;
    let mut smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    for number in 0..MAILS {
        office.invite(&format!("ok{number}@example.com")).await;
    }
    // Another node has a pool of its own.
    let other = latchkey(Store::open(&db.url).await.unwrap(), &office.clock, &office.config);
    let (stopping, stop) = watch::channel(false);
    let workers: Vec<_> = [&office.latchkey, &other, &office.latchkey, &other]
        .into_iter()
        .map(|latchkey| {
            let (mailer, stop) = (office.mailer(latchkey), stop.clone());
            tokio::spawn(async move { mailer.send_due(&stop).await })
        })
        .collect();
    let mut sent = 0;
    for worker in workers {
        sent += worker.await.unwrap().handled;
    }
    drop(stopping);
    assert_eq!(sent, MAILS);
    let mut to = Vec::new();
    for _ in 0..MAILS {
        to.extend(smtp.received().await.to);
    }
    to.sort();
    to.dedup();
    assert_eq!(to.len(), MAILS);
    assert!(office.outbox().await.iter().all(|row| row.state == "sent"));
    other.store.close().await;
}

#[apply(on_both!)]
async fn a_worker_wakes_for_new_mail_and_stops_when_told(db: TestDatabase) {
    let mut smtp = Smtp::start(Protection::None).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    let patience = Patience { rest: Duration::from_secs(3600), ..Patience::default() };
    let (stopping, stop) = watch::channel(false);
    let waiting = Arc::new(Notify::new());
    let mailer = office.mailer(&office.latchkey).with_patience(patience);
    let worker = tokio::spawn(mailer.run(Arc::clone(&waiting), stop));
    for _ in 0..2 {
        office.invite("ok@example.com").await;
        waiting.notify_one();
        assert_eq!(smtp.received().await.to, ["ok@example.com"]);
    }
    stopping.send_replace(true);
    worker.await.unwrap();
    assert!(office.outbox().await.iter().all(|row| row.state == "sent"));
}

#[apply(on_both!)]
async fn a_mail_server_that_is_silent_at_the_stop_isnt_waited_for(db: TestDatabase) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let office = Office::new(&db, &[("SMTP_URL", &url)]);
    office.invite("ok@example.com").await;
    let farewell = Duration::from_millis(50);
    let patience = Patience { farewell, send: 10 * IN_TIME, ..Patience::default() };
    let (stopping, stop) = watch::channel(false);
    let mailer = office.mailer(&office.latchkey).with_patience(patience);
    let worker = tokio::spawn(mailer.run(Arc::default(), stop));
    let (_line, _) = silent.accept().await.unwrap();
    stopping.send_replace(true);
    timeout(IN_TIME, worker).await.expect("an end in time").unwrap();

    // Whoever works next takes it up.
    let next = Office::new(&db, &[("SMTP_URL", "smtp://127.0.0.1:1")]);
    assert_eq!(next.send().await, handled(0), "it might still be sent");
    next.clock.forward(domain::mails::LEASE.as_secs().try_into().unwrap());
    assert_eq!(next.send().await, TROUBLE);
    assert_eq!(next.only_row().await.state, "queued");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_travel_encrypted_and_signed_in() {
    for tls in [Protection::StartTls, Protection::FromTheStart] {
        let db = test_database::sqlite().await;
        let mut smtp = Smtp::start(tls).await;
        let certificate = smtp.certificate();
        let settings = [("SMTP_URL", smtp.url()), ("SMTP_CA_FILE", certificate)];
        let office = Office::new(&db, &settings.each_ref().map(|(k, v)| (*k, v.as_str())));
        office.invite("ok@example.com").await;
        assert_eq!(office.send().await, handled(1), "{:?}", office.only_row().await);
        assert_eq!(smtp.received().await.to, ["ok@example.com"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_puts_mails_off_instead_of_giving_them_up() {
    let db = test_database::sqlite().await;
    let smtp = Smtp::start(Protection::StartTls).await;
    let url = smtp.url().replace(smtp::PASSWORD, "wrong");
    let certificate = smtp.certificate();
    let office = Office::new(&db, &[("SMTP_URL", &url), ("SMTP_CA_FILE", &certificate)]);
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, TROUBLE);
    let row = office.only_row().await;
    assert_eq!((row.state.as_str(), row.due()), ("queued", 30));
    assert!(row.answer().starts_with("535 5.7.8"), "{row:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_vouches_for_puts_mails_off() {
    let db = test_database::sqlite().await;
    let smtp = Smtp::start(Protection::FromTheStart).await;
    let office = Office::new(&db, &[("SMTP_URL", &smtp.url())]);
    office.invite("ok@example.com").await;
    assert_eq!(office.send().await, TROUBLE);
    let row = office.only_row().await;
    assert_eq!(row.state, "queued");
    assert!(row.answer().contains("certificate"), "{row:?}");
}
