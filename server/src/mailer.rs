//! The worker that empties the outbox: it puts a mail together, hands it to the mail server, and
//! notes the answer. When to try again and when to give up is `domain`'s to say.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use app::mails::Written;
use app::request::Site;
use domain::Latchkey;
use domain::mails::{self, Answer, QueuedMail};
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::config::{Config, SmtpTls, SmtpUrl};

/// The longest answer that is kept, in characters.
const LONGEST_ANSWER: usize = 300;

/// Where mails go.
#[derive(Debug)]
pub enum Transport {
    /// To a mail server.
    Smtp(Box<SmtpServer>),
    /// Into the demo's mailbox.
    Keep,
    /// Nowhere, as the operator named no mail server: they wait.
    Missing,
}

/// A mail server, and as whom we write to it.
pub struct SmtpServer {
    url: SmtpUrl,
    tls: Option<TlsParameters>,
    from: Mailbox,
}

/// How long the worker waits, for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one mail to be sent, from connecting to the answer. Less than half of
    /// [`mails::LEASE`], so that noting the answer fits in too.
    pub send: Duration,
    /// For more mail, if nobody wakes it.
    pub rest: Duration,
    /// After the database or the mail server couldn't be reached.
    pub trouble: Duration,
    /// For the mail in hand to be sent after the stop.
    pub farewell: Duration,
}

/// The worker. Any number of them, on any number of nodes, share one outbox.
#[derive(Clone)]
pub struct Mailer {
    latchkey: Latchkey,
    site: Arc<Site>,
    transport: Arc<Transport>,
    patience: Patience,
}

/// What came of emptying the outbox once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// How many mails were handled, sent or not.
    pub handled: usize,
    /// Whether it ended as the database or the mail server couldn't be reached.
    pub trouble: bool,
}

/// What came of handing over one mail.
#[derive(Debug, PartialEq, Eq)]
struct Delivery {
    answer: Answer,
    /// Whether the next mail would fare no better now.
    trouble: bool,
}

/// How far a mail got before the error.
#[derive(Debug)]
enum Broken {
    /// There is no connection that mail could be sent on.
    Connecting(Error),
    /// The server was asked to take the mail.
    Sending(Error),
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            send: Duration::from_secs(60),
            rest: Duration::from_secs(1),
            trouble: Duration::from_secs(5),
            farewell: Duration::from_secs(7),
        }
    }
}

impl Transport {
    /// The transport that the operator chose.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(config: &Config) -> Result<Self, Error> {
        Ok(match &config.smtp_url {
            Some(_) => SmtpServer::new(config)?.map_or(Self::Missing, |s| Self::Smtp(Box::new(s))),
            None if config.demo => Self::Keep,
            None => Self::Missing,
        })
    }
}

impl SmtpServer {
    /// The mail server that the operator chose, if any. Nothing is sent yet.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(config: &Config) -> Result<Option<Self>, Error> {
        let Some(url) = config.smtp_url.clone() else { return Ok(None) };
        let tls = match url.tls {
            SmtpTls::None => None,
            SmtpTls::Required | SmtpTls::FromTheStart => {
                let mut tls = TlsParameters::builder(url.host.clone());
                if let Some(file) = &config.smtp_ca_file {
                    tls = tls.add_root_certificate(file.certificate.clone());
                }
                Some(tls.build()?)
            }
        };
        Ok(Some(Self { url, tls, from: config.mail_from.clone() }))
    }

    /// Connects, and signs in where that is asked for.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        // A host may have several addresses; one that is silent leaves time for the next.
        const FOR_ONE_ADDRESS: Duration = Duration::from_secs(10);
        let me = ClientId::default();
        let server = (self.url.host.as_str(), self.url.port);
        let at_once = self.tls.clone().filter(|_| self.url.tls == SmtpTls::FromTheStart);
        let limit = Some(FOR_ONE_ADDRESS);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, limit, &me, at_once, None).await?;
        if let (SmtpTls::Required, Some(tls)) = (self.url.tls, self.tls.clone()) {
            connection.starttls(tls, &me).await?;
        }
        if let Some(credentials) = &self.url.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// Connects and hangs up.
    ///
    /// # Errors
    /// What the mail server said, or why it can't be reached, in words.
    pub async fn check(&self) -> Result<(), String> {
        let limit = Patience::default().send;
        match timeout(limit, self.connect()).await {
            Ok(Ok(mut connection)) => {
                connection.abort().await;
                Ok(())
            }
            Ok(Err(error)) => Err(Broken::Connecting(error).words()),
            Err(_) => Err(no_answer(limit)),
        }
    }

    /// Hands over one mail, on the open line if there is one, and leaves the line open after
    /// success.
    async fn deliver(
        &self,
        line: &mut Option<AsyncSmtpConnection>,
        (envelope, message): &(Envelope, Vec<u8>),
        limit: Duration,
    ) -> Delivery {
        let attempt = async {
            let mut connection = match line.take() {
                Some(connection) => connection,
                None => self.connect().await.map_err(Broken::Connecting)?,
            };
            let response = connection.send(envelope, message).await.map_err(Broken::Sending)?;
            *line = Some(connection);
            let told: Vec<_> = response.message().collect();
            Ok(shorten(&format!("{} {}", response.code(), told.join(" "))))
        };
        match timeout(limit, attempt).await {
            Ok(Ok(words)) => Delivery { answer: Answer::Taken(words), trouble: false },
            Ok(Err(broken)) => Broken::delivery(&broken),
            Err(_) => Delivery { answer: Answer::NotNow(no_answer(limit)), trouble: true },
        }
    }
}

impl Broken {
    /// Only an answer to the mail itself can be final: what goes wrong before that is ours or the
    /// server's, and no reason to give up on the recipient.
    fn delivery(&self) -> Delivery {
        let words = self.words();
        match self {
            Self::Connecting(_) => Delivery { answer: Answer::NotNow(words), trouble: true },
            Self::Sending(error) => {
                let code = error.status().map(|code| code.to_string());
                match code.as_deref() {
                    // We didn't sign in or lack TLS (RFC 4954 section 6, RFC 3207 section 4).
                    Some("530" | "534" | "535" | "538") => {
                        Delivery { answer: Answer::NotNow(words), trouble: true }
                    }
                    _ if error.is_permanent() || error.is_client() => {
                        Delivery { answer: Answer::Never(words), trouble: false }
                    }
                    // It is about to close (RFC 5321 section 3.8), or isn't there any more.
                    Some("421") | None => Delivery { answer: Answer::NotNow(words), trouble: true },
                    Some(_) => Delivery { answer: Answer::NotNow(words), trouble: false },
                }
            }
        }
    }

    /// The mail server's own words, or why there are none.
    fn words(&self) -> String {
        let (Self::Connecting(error) | Self::Sending(error)) = self;
        let told = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        shorten(&match (error.status(), self) {
            (Some(code), _) => format!("{code} {told}"),
            (None, Self::Connecting(_)) => format!("the mail server can't be reached: {told}"),
            (None, Self::Sending(_)) => format!("the mail server broke off: {told}"),
        })
    }
}

fn no_answer(limit: Duration) -> String {
    format!("the mail server didn't answer within {} seconds", limit.as_secs_f32())
}

/// One line of at most [`LONGEST_ANSWER`] characters.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_ANSWER).collect()
}

impl Mailer {
    /// A worker that sends the product's mails.
    #[must_use]
    pub fn new(latchkey: Latchkey, site: Arc<Site>, transport: Transport) -> Self {
        Self { latchkey, site, transport: Arc::new(transport), patience: Patience::default() }
    }

    /// The same worker with other waits.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Works until `stop` is true: then the mail in hand is finished, and no other is taken. A mail
    /// server that takes too long for that isn't waited for. The mail stays queued, and whoever
    /// works next sends it when [`mails::LEASE`] is over: twice, if the mail server took it and only
    /// its answer was missing, which nobody can know (RFC 5321 section 4.5.3.2.6); but never not at
    /// all. Both have the same `Message-ID`.
    pub async fn run(self, waiting: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let round = tokio::select! {
                round = self.send_due(&stop) => round,
                () = long_after(stop.clone(), self.patience.farewell) => {
                    tracing::warn!("a mail in hand wasn't sent before the stop: it stays queued");
                    return;
                }
            };
            let wait = if round.trouble { self.patience.trouble } else { self.patience.rest };
            tokio::select! {
                () = sleep(wait) => {}
                () = waiting.notified(), if !round.trouble => {}
                // An error says that nobody is left to stop it: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Sends what is due, one mail after the other, until nothing is left, `stop` is true, or
    /// the next one would fare no better.
    pub async fn send_due(&self, stop: &watch::Receiver<bool>) -> Round {
        let mut line = None;
        let mut round = Round { handled: 0, trouble: false };
        while !round.trouble && !*stop.borrow() {
            let mail = match mails::take(&self.latchkey).await {
                Ok(Some(mail)) => mail,
                Ok(None) => break,
                Err(_) => {
                    round.trouble = true;
                    break;
                }
            };
            round.trouble = !self.handle(&mail, &mut line).await;
            round.handled += 1;
        }
        if let Some(mut line) = line {
            // A server that doesn't say goodbye isn't waited for.
            let _ = timeout(self.patience.rest, line.abort()).await;
        }
        round
    }

    /// Handles one mail. Answers whether the next one may fare better.
    async fn handle(&self, mail: &QueuedMail, line: &mut Option<AsyncSmtpConnection>) -> bool {
        let Delivery { answer, trouble } = match &*self.transport {
            Transport::Keep => return self.keep(mail).await,
            Transport::Missing => {
                let words = "no mail server is configured".to_owned();
                Delivery { answer: Answer::NotNow(words), trouble: false }
            }
            Transport::Smtp(server) => match compose(mail, &self.site, &server.from) {
                Ok(message) => server.deliver(line, &message, self.patience.send).await,
                Err(words) => Delivery { answer: Answer::Never(words), trouble: false },
            },
        };
        tell(mail, &answer);
        // A mail that went out and isn't noted is sent once more when its lease is over: it is
        // worth a few tries.
        for _ in 0..3 {
            if mails::note(&self.latchkey, mail, &answer).await.is_ok() {
                return !trouble;
            }
            sleep(self.patience.trouble).await;
        }
        tracing::error!(mail = %mail.id, "what became of a mail couldn't be noted");
        false
    }

    async fn keep(&self, mail: &QueuedMail) -> bool {
        let kept = mails::keep(&self.latchkey, mail).await.is_ok();
        if kept {
            let kind = mail.mail.kind().id();
            tracing::info!(mail = %mail.id, kind, to = domain_of(mail), "kept a mail");
        }
        kept
    }
}

/// Ends when the stop was this long ago.
async fn long_after(mut stop: watch::Receiver<bool>, limit: Duration) {
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(limit).await;
}

/// One line per try: no link, and of the recipient only the domain.
fn tell(mail: &QueuedMail, answer: &Answer) {
    let (id, kind, to) = (mail.id, mail.mail.kind().id(), domain_of(mail));
    match answer {
        Answer::Taken(words) => {
            let words = without_recipient(mail, words);
            tracing::info!(mail = %id, kind, to, answer = words, "sent a mail");
        }
        Answer::NotNow(words) => {
            let words = without_recipient(mail, words);
            tracing::warn!(mail = %id, kind, to, answer = words, "put off a mail");
        }
        Answer::Never(words) => {
            let words = without_recipient(mail, words);
            tracing::warn!(mail = %id, kind, to, answer = words, "gave up a mail");
        }
    }
}

fn domain_of(mail: &QueuedMail) -> &str {
    mail.to.key().rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Mail servers like to repeat the address.
fn without_recipient(mail: &QueuedMail, words: &str) -> String {
    words.replace(mail.to.key(), "…").replace(mail.to.as_str(), "…")
}

/// Says that no person wrote this and none needs an automatic answer (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Puts a mail together (RFC 5322): from whom to whom, and the message. It is the same for every
/// try but for the boundary between its parts.
fn compose(mail: &QueuedMail, site: &Site, from: &Mailbox) -> Result<(Envelope, Vec<u8>), String> {
    let Written { subject, text, html } =
        app::mails::write(&mail.mail, mail.language.as_ref(), site);
    let to: Address = mail.to.key().parse().map_err(|error| format!("the address: {error}"))?;
    let micros = u64::try_from(mail.queued_at.as_micros()).unwrap_or(0);
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject)
        .date(UNIX_EPOCH + Duration::from_micros(micros))
        .message_id(Some(app::mails::message_id(mail.id, site)))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| format!("the mail can't be put together: {error}"))?;
    Ok((message.envelope().clone(), message.formatted()))
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use model::{Access, EmailAddress, Mail, Secret, Timestamp};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    const TOKEN: &str = "Zm9yLXRoZS10ZXN0cy1vbmx5LW5vLXJlYWwtdG9rZW4";

    fn site() -> Site {
        Site { public_url: "https://my.provider.example".to_owned(), ..Config::default().site() }
    }

    fn from() -> Mailbox {
        "Grønn Sky AS <no-reply@provider.example>".parse().unwrap()
    }

    fn queued(to: &str, mail: Mail) -> QueuedMail {
        QueuedMail {
            language: None,
            id: "01890000-0000-7000-8000-000000000001".parse().unwrap(),
            to: EmailAddress::parse(to).unwrap(),
            mail,
            attempts: 0,
            queued_at: Timestamp::from_micros(1_800_000_000_000_000),
        }
    }

    fn invitation(inviter: &str, account: &str) -> Mail {
        Mail::Invitation {
            account: account.to_owned(),
            inviter: Some(inviter.to_owned()),
            access: Access::Owner,
            expires_at: Timestamp::from_micros(1_800_600_000_000_000),
            token: Secret::from(TOKEN.to_owned()),
        }
    }

    fn composed(mail: &QueuedMail) -> (Envelope, String) {
        let (envelope, message) = compose(mail, &site(), &from()).unwrap();
        (envelope, String::from_utf8(message).unwrap())
    }

    /// The names of the headers, in the order of the message.
    fn header_names(message: &str) -> Vec<&str> {
        let (headers, _) = message.split_once("\r\n\r\n").unwrap();
        let starts = headers.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        starts.map(|line| line.split_once(':').unwrap().0).collect()
    }

    #[test]
    fn a_mail_has_its_headers_and_both_parts() {
        let mail = queued("Kari@Bücher.example", invitation("Ingrid Solberg", "Nordlys Bakeri"));
        let (envelope, message) = composed(&mail);
        assert_eq!(envelope.from().unwrap().to_string(), "no-reply@provider.example");
        let to: Vec<_> = envelope.to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["kari@xn--bcher-kva.example"]);
        assert_eq!(
            header_names(&message),
            [
                "From",
                "To",
                "Subject",
                "Date",
                "Message-ID",
                "Auto-Submitted",
                "MIME-Version",
                "Content-Type"
            ]
        );
        let parsed = MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Grønn Sky AS"));
        assert_eq!(parsed.date().unwrap().to_timestamp(), 1_800_000_000);
        assert_eq!(
            parsed.message_id(),
            Some("01890000-0000-7000-8000-000000000001@my.provider.example")
        );
        assert!(message.contains("\r\nAuto-Submitted: auto-generated\r\n"));
        let subject = parsed.subject().unwrap();
        assert!(subject.contains("Ingrid Solberg") && subject.contains("Nordlys Bakeri"));
        let kind = parsed.content_type().unwrap();
        assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
        let parts: Vec<_> =
            parsed.parts.iter().filter_map(|p| p.content_type()?.subtype()).collect();
        assert_eq!(parts, ["alternative", "plain", "html"]);
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        for part in [&text, &html] {
            let links: Vec<_> = part.match_indices("://").collect();
            assert!(!links.is_empty());
            for (at, _) in links {
                assert!(part[..at].ends_with("https"), "{part}");
                assert!(part[at..].starts_with("://my.provider.example/"), "{part}");
            }
            assert!(part.contains(&format!("https://my.provider.example/invitations/{TOKEN}")));
        }
    }

    #[test]
    fn every_line_is_short_enough() {
        let (_, message) = composed(&queued("k@a.example", invitation(&"Ø".repeat(200), "N")));
        // RFC 5321 section 4.5.3.1.6.
        assert!(message.split("\r\n").all(|line| line.len() <= 998), "{message}");
        assert!(!message.replace("\r\n", "").contains(['\r', '\n']));
    }

    #[test]
    fn names_bring_no_header_of_their_own() {
        let names = [
            "Kari\r\nBcc: all@example.com",
            "Kari\nBcc: all@example.com",
            "Kari\rBcc: all@example.com",
            "Kari\r\n\r\n<h1>Other text</h1>",
            "Kari\u{0}\u{85}\u{2028}Bcc: all@example.com",
            "=?utf-8?q?Kari=0D=0ABcc:_all@example.com?=",
        ];
        for name in names {
            let (envelope, message) = composed(&queued("k@a.example", invitation(name, name)));
            assert_eq!(header_names(&message).len(), 8, "{message}");
            assert!(!header_names(&message).contains(&"Bcc"), "{message}");
            assert_eq!(envelope.to().len(), 1);
            let parsed = MessageParser::default().parse(&message).unwrap();
            let html = parsed.body_html(0).unwrap();
            assert!(!html.contains("<h1>Other text"), "{html}");
        }
    }

    #[test]
    fn an_answer_is_one_short_line() {
        assert_eq!(shorten(" 550 a\r\nb\u{0}c\t d "), "550 a b c d");
        assert_eq!(shorten(&"é".repeat(400)).chars().count(), LONGEST_ANSWER);
    }

    #[test]
    fn a_log_line_has_no_recipient() {
        let mail = queued("Kari@example.com", invitation("Ingrid", "Nordlys"));
        assert_eq!(
            without_recipient(&mail, "550 <kari@example.com>: no Kari@example.com here"),
            "550 <…>: no … here"
        );
        assert_eq!(domain_of(&mail), "example.com");
    }

    /// A mail server that answers each line with the next of these, and then hangs up.
    async fn scripted(answers: &'static [&'static str]) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (reading, mut writing) = stream.split();
            let mut lines = BufReader::new(reading).lines();
            for answer in answers {
                writing.write_all(answer.as_bytes()).await.unwrap();
                writing.write_all(b"\r\n").await.unwrap();
                // After DATA comes the message, up to the line with a dot.
                while let Ok(Some(line)) = lines.next_line().await {
                    if !answer.starts_with("354") || line == "." {
                        break;
                    }
                }
            }
        });
        server(&format!("smtp://me:pw@{address}"))
    }

    fn server(url: &str) -> SmtpServer {
        let smtp_url = SmtpUrl::parse(url);
        let config = Config { smtp_url, mail_from: from(), ..Config::default() };
        SmtpServer::new(&config).unwrap().unwrap()
    }

    async fn deliver(server: SmtpServer) -> Delivery {
        let mail = queued("kari@example.com", invitation("Ingrid", "Nordlys"));
        let message = compose(&mail, &site(), &from()).unwrap();
        server.deliver(&mut None, &message, Duration::from_secs(20)).await
    }

    fn delivery(answer: fn(String) -> Answer, words: &str, trouble: bool) -> Delivery {
        Delivery { answer: answer(words.to_owned()), trouble }
    }

    #[tokio::test]
    async fn only_an_answer_to_the_mail_itself_is_final() {
        const HELLO: &str = "250-mail.example\r\n250 AUTH PLAIN";
        let cases: [(&'static [&'static str], Delivery); 9] = [
            (
                &["220 hi", HELLO, "235 ok", "250 ok", "250 ok", "354 go", "250 2.0.0 Taken\r\n"],
                delivery(Answer::Taken, "250 2.0.0 Taken", false),
            ),
            (&["554 5.3.2 Go away"], delivery(Answer::NotNow, "554 5.3.2 Go away", true)),
            (&["220 hi", "550 Who?"], delivery(Answer::NotNow, "550 Who?", true)),
            (
                &["220 hi", HELLO, "535 5.7.8 Wrong password"],
                delivery(Answer::NotNow, "535 5.7.8 Wrong password", true),
            ),
            (
                &["220 hi", HELLO, "235 ok", "530 5.7.0 Use STARTTLS"],
                delivery(Answer::NotNow, "530 5.7.0 Use STARTTLS", true),
            ),
            (
                &["220 hi", HELLO, "235 ok", "250 ok", "550-No such\r\n550 user"],
                delivery(Answer::Never, "550 No such user", false),
            ),
            (
                &["220 hi", HELLO, "235 ok", "250 ok", "451 4.7.1 Greylisted"],
                delivery(Answer::NotNow, "451 4.7.1 Greylisted", false),
            ),
            (
                &["220 hi", HELLO, "235 ok", "250 ok", "421 4.3.2 Closing"],
                delivery(Answer::NotNow, "421 4.3.2 Closing", true),
            ),
            (
                &["220 hi", HELLO, "235 ok", "250 ok", "250 ok", "354 go", "554 5.6.0 Spam"],
                delivery(Answer::Never, "554 5.6.0 Spam", false),
            ),
        ];
        for (answers, expected) in cases {
            assert_eq!(deliver(scripted(answers).await).await, expected, "{answers:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_isnt_there_or_hangs_up_puts_the_mail_off() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        for server in [server(&format!("smtp://{free}")), scripted(&["220 hi"]).await] {
            let Delivery { answer: Answer::NotNow(words), trouble: true } = deliver(server).await
            else {
                panic!("the mail wasn't put off")
            };
            assert!(words.starts_with("the mail server can't be reached: "), "{words}");
        }
    }

    #[tokio::test]
    async fn a_server_without_starttls_gets_neither_password_nor_mail() {
        let plain = scripted(&["220 hi", "250-mail.example\r\n250 AUTH PLAIN", "235 ok"]).await;
        let url = format!("smtp://me:pw@127.0.0.1:{}?tls=required", plain.url.port);
        let Delivery { answer, trouble } = deliver(server(&url)).await;
        assert!(trouble && matches!(&answer, Answer::NotNow(words) if words.contains("STARTTLS")));
    }
}
