//! The mail server: connecting to it, handing a mail over, and understanding what it says to that.
//! Only what it says of the recipient is the mail's end; what it says of us, the operator can mend.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::mails::Reply;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use model::EmailAddress;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::config::{Config, SmtpTls, SmtpUrl};
use crate::replies::{Reader, Replies};

/// The longest answer that is kept, in characters.
const LONGEST_ANSWER: usize = 300;
/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server, and as whom we write to it.
pub struct SmtpServer {
    url: SmtpUrl,
    tls: Option<TlsConnector>,
    /// The sender of every mail.
    pub(crate) from: Mailbox,
    /// The name by which we say hello, if there is one that others know.
    name: Option<String>,
}

/// What came of handing over one mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) reply: Reply,
    /// Whether the next mail would fare no better now.
    pub(crate) trouble: bool,
    /// What the operator can do.
    pub(crate) cure: Option<String>,
}

/// What went wrong, and when.
#[derive(Debug)]
struct Broken {
    stage: Stage,
    /// The code of the server's answer, if it was one.
    code: Option<u16>,
    /// The mail server's own words, or why there are none.
    words: String,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Reaching,
    Encrypting,
    Greeting,
    SigningIn,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, and what the server says to all of it.
    Content,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl SmtpServer {
    /// The mail server that the operator chose, if any. Nothing is sent yet.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(config: &Config) -> Result<Option<Self>> {
        let Some(url) = config.smtp_url.clone() else { return Ok(None) };
        let tls = (url.tls != SmtpTls::None).then(|| connector(config)).transpose()?;
        let mut from = config.mail_from.clone();
        from.email = in_ascii(&from.email);
        let public_url = Url::parse(&config.public_url);
        let name = match public_url.as_ref().ok().and_then(Url::host) {
            Some(Host::Domain(name)) if name.contains('.') => Some(name.to_owned()),
            _ => None,
        };
        Ok(Some(Self { url, tls, from, name }))
    }

    /// Connects, and signs in where that is asked for.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Broken> {
        let unreached = |error: io::Error| Broken::line(Stage::Reaching, &error);
        let tcp = self.reach().await.map_err(unreached)?;
        let peer = tcp.peer_addr().map_err(unreached)?;
        let me = match (&self.name, tcp.local_addr().map_err(unreached)?) {
            (Some(name), _) => ClientId::Domain(name.clone()),
            // RFC 5321 section 4.1.4.
            (None, std::net::SocketAddr::V4(own)) => ClientId::Ipv4(*own.ip()),
            (None, std::net::SocketAddr::V6(own)) => ClientId::Ipv6(*own.ip()),
        };
        let connected = match (&self.tls, self.url.tls) {
            (Some(tls), SmtpTls::FromTheStart) => {
                let line = Replies::after("", self.encrypt(tls, tcp).await?, peer);
                AsyncSmtpConnection::connect_with_transport(Box::new(line), &me).await
            }
            (Some(tls), _) => {
                let tcp = start_tls(tcp, &me).await?;
                // It greeted before it spoke TLS, and lettre waits for that.
                let line = Replies::after("220 hello\r\n", self.encrypt(tls, tcp).await?, peer);
                AsyncSmtpConnection::connect_with_transport(Box::new(line), &me).await
            }
            (None, _) => {
                let line = Replies::after("", tcp, peer);
                AsyncSmtpConnection::connect_with_transport(Box::new(line), &me).await
            }
        };
        let mut connection = connected.map_err(|error| Broken::at(Stage::Greeting, &error))?;
        if let Some(credentials) = &self.url.credentials {
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|error| Broken::at(Stage::SigningIn, &error))?;
        }
        Ok(connection)
    }

    /// A line to the first of the host's addresses that answers.
    async fn reach(&self) -> io::Result<TcpStream> {
        // One that is silent leaves time for the next.
        const FOR_ONE_ADDRESS: Duration = Duration::from_secs(10);
        let mut failed = io::Error::other("the host has no address");
        for address in lookup_host((self.url.host.as_str(), self.url.port)).await? {
            match timeout(FOR_ONE_ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = io::Error::from(io::ErrorKind::TimedOut),
            }
        }
        Err(failed)
    }

    async fn encrypt(
        &self,
        tls: &TlsConnector,
        line: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Broken> {
        let name = ServerName::try_from(self.url.host.clone());
        let name = name.map_err(|error| Broken::line(Stage::Encrypting, &error))?;
        let encrypted = tls.connect(name, line).await;
        encrypted.map_err(|error| Broken::line(Stage::Encrypting, &error))
    }

    /// Connects, asks whether we may send, and hangs up.
    ///
    /// # Errors
    /// What the mail server said, or why it can't be reached, and what to do, in words.
    pub async fn check(&self, limit: Duration) -> Result<(), String> {
        let attempt = async {
            let mut line = self.connect().await?;
            let asked = self.ask_to_send(&mut line).await;
            if asked.is_ok() {
                let _ = line.command(Rset).await;
            }
            let _ = timeout(GOODBYE, line.abort()).await;
            asked
        };
        match timeout(limit, attempt).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(broken)) => {
                let cure = broken.cure(self);
                Err(format!("{}: {}", broken.words, cure.as_deref().unwrap_or("check smtp_url")))
            }
            Err(_) => Err(format!("{}: check smtp_url", no_answer(limit))),
        }
    }

    async fn ask_to_send(&self, line: &mut AsyncSmtpConnection) -> Result<(), Broken> {
        let from = &self.from.email;
        let parameters = beyond_ascii(line, Stage::Sender, &[from])?;
        let asked = line.command(Mail::new(Some(from.clone()), parameters)).await;
        asked.map(drop).map_err(|error| Broken::at(Stage::Sender, &error))
    }

    /// Hands over one mail, on the open line if there is one, and leaves the line open after
    /// success.
    pub(crate) async fn deliver(
        &self,
        line: &mut Option<AsyncSmtpConnection>,
        (envelope, message): &(Envelope, Vec<u8>),
        limit: Duration,
    ) -> Delivery {
        let mut open = line.take();
        let attempt = async {
            let line = match &mut open {
                Some(line) => line,
                none => none.insert(self.connect().await?),
            };
            hand_over(line, envelope, message).await
        };
        match timeout(limit, attempt).await {
            Ok(Ok(words)) => {
                *line = open;
                Delivery { reply: Reply::Taken(words), trouble: false, cure: None }
            }
            // A server that is silent isn't told goodbye.
            Err(_) => {
                let words = no_answer(limit);
                Delivery { reply: Reply::NotNow(words), trouble: true, cure: None }
            }
            Ok(Err(broken)) => {
                if let Some(mut line) = open {
                    let _ = timeout(GOODBYE, line.abort()).await;
                }
                broken.delivery(self)
            }
        }
    }
}

/// What trusts the system's certificate authorities, and the operator's own.
fn connector(config: &Config) -> Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for own in config.smtp_ca_file.iter().flat_map(|file| &file.certificates) {
        roots.add(own.clone()).context("smtp_ca_file")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(tls)))
}

/// The address with its domain as mail servers take it (IDNA).
fn in_ascii(address: &Address) -> Address {
    let key = EmailAddress::parse(address.as_ref()).map(|parsed| parsed.key().to_owned());
    let domain = key.as_deref().ok().and_then(|key| Some(key.rsplit_once('@')?.1));
    let known = domain.and_then(|domain| Address::new(address.user(), domain).ok());
    known.unwrap_or_else(|| address.clone())
}

/// Has the server speak TLS on the line from now on (RFC 3207). lettre's own way to do that leaves no
/// room between TLS and what reads the replies.
async fn start_tls(mut line: TcpStream, me: &ClientId) -> Result<TcpStream, Broken> {
    converse(&mut line, Stage::Greeting, "").await?;
    let offered = converse(&mut line, Stage::Greeting, &format!("EHLO {me}\r\n")).await?;
    let offers =
        |line: &str| line.get(4..).is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS"));
    if !offered.lines().any(offers) {
        let words = "the mail server doesn't offer STARTTLS".to_owned();
        return Err(Broken { stage: Stage::Encrypting, code: None, words });
    }
    converse(&mut line, Stage::Encrypting, "STARTTLS\r\n").await?;
    Ok(line)
}

/// Says something and reads the reply, byte by byte: what comes behind it belongs to TLS.
async fn converse(line: &mut TcpStream, stage: Stage, said: &str) -> Result<String, Broken> {
    let broke = |error: io::Error| Broken::line(stage, &error);
    line.write_all(said.as_bytes()).await.map_err(broke)?;
    let mut reader = Reader::default();
    loop {
        let byte = line.read_u8().await.map_err(broke)?;
        reader.take(&[byte]);
        let reply = reader.whole();
        if !reply.is_empty() {
            let code = reply.get(..3).and_then(|code| code.parse().ok());
            return match code {
                Some(200..400) => Ok(reply),
                code => Err(Broken { stage, code, words: shorten(&reply) }),
            };
        }
    }
}

async fn hand_over(
    line: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    message: &[u8],
) -> Result<String, Broken> {
    let broken = |stage| move |error: Error| Broken::at(stage, &error);
    let from = envelope.from();
    let mut parameters = beyond_ascii(line, Stage::Sender, from.as_slice())?;
    let to: Vec<_> = envelope.to().iter().collect();
    if parameters.is_empty() {
        parameters = beyond_ascii(line, Stage::Recipient, &to)?;
    }
    let sender = Mail::new(from.cloned(), parameters);
    line.command(sender).await.map_err(broken(Stage::Sender))?;
    for to in to {
        let recipient = Rcpt::new(to.clone(), Vec::new());
        line.command(recipient).await.map_err(broken(Stage::Recipient))?;
    }
    line.command(Data).await.map_err(broken(Stage::Content))?;
    let taken = line.message(message).await.map_err(broken(Stage::Content))?;
    let told: Vec<_> = taken.message().collect();
    Ok(shorten(&format!("{} {}", taken.code(), told.join(" "))))
}

/// What `MAIL FROM` says of addresses with letters beyond ASCII (RFC 6531), which not every server
/// takes.
fn beyond_ascii(
    line: &AsyncSmtpConnection,
    stage: Stage,
    addresses: &[&Address],
) -> Result<Vec<MailParameter>, Broken> {
    let plain = addresses.iter().all(|address| address.to_string().is_ascii());
    match (plain, line.server_info().supports_feature(Extension::SmtpUtfEight)) {
        (true, _) => Ok(Vec::new()),
        (false, true) => Ok(vec![MailParameter::SmtpUtfEight]),
        (false, false) => {
            let words = "the mail server takes no address with letters beyond ASCII".to_owned();
            Err(Broken { stage, code: Some(553), words })
        }
    }
}

impl Broken {
    fn at(stage: Stage, error: &Error) -> Self {
        use std::error::Error as _;
        let told = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        match error.status() {
            Some(code) => {
                let words = shorten(&format!("{code} {told}"));
                Self { stage, code: Some(code.into()), words }
            }
            None => Self::line(stage, &told),
        }
    }

    /// No answer, but something about the line.
    fn line(stage: Stage, why: &dyn fmt::Display) -> Self {
        let what = match stage {
            Stage::Reaching | Stage::Encrypting | Stage::Greeting | Stage::SigningIn => {
                "the mail server can't be reached"
            }
            Stage::Sender | Stage::Recipient | Stage::Content => "the mail server broke off",
        };
        Self { stage, code: None, words: shorten(&format!("{what}: {why}")) }
    }

    fn delivery(self, server: &SmtpServer) -> Delivery {
        let permanent = self.code.is_some_and(|code| code >= 500);
        let about_all = self.stage <= Stage::Sender || self.wants_login();
        let cure = self.cure(server);
        let trouble = about_all || self.code.is_none_or(|code| code == 421);
        if permanent && self.is_about_recipient() {
            return Delivery { reply: Reply::Never(self.words), trouble: false, cure: None };
        }
        let ours = permanent || self.code.is_none() && self.stage == Stage::Encrypting;
        let reply = if ours { Reply::Ours(self.words) } else { Reply::NotNow(self.words) };
        Delivery { reply, trouble, cure }
    }

    /// We didn't sign in or lack TLS (RFC 4954 section 6, RFC 3207 section 4).
    fn wants_login(&self) -> bool {
        matches!(self.code, Some(530 | 534 | 535 | 538))
    }

    /// Whether a refusal is of the recipient: by its enhanced status code (RFC 3463), or where that
    /// says little, by the moment, the code and the words.
    fn is_about_recipient(&self) -> bool {
        if self.stage < Stage::Recipient || self.wants_login() {
            return false;
        }
        let at_recipient = self.stage == Stage::Recipient;
        let (of_us, of_them) = (self.says(OF_US), self.says(OF_THEM));
        match self.status() {
            // The sender's address.
            Some((1, 7..=9)) => false,
            Some((1 | 2, _)) => true,
            Some((4, _)) => at_recipient,
            Some((0, _)) | None if at_recipient && matches!(self.code, Some(550..=553)) => !of_us,
            _ => of_them && !of_us,
        }
    }

    /// Subject and detail of the enhanced status code.
    fn status(&self) -> Option<(u16, u16)> {
        self.words.split_whitespace().skip(1).take(2).find_map(|word| {
            let mut parts = word.trim_end_matches([':', ';', ',']).split('.');
            let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
            let in_form = class == "5" && parts.next().is_none();
            in_form.then_some(())?;
            Some((subject.parse().ok()?, detail.parse().ok()?))
        })
    }

    fn says(&self, some: &[&str]) -> bool {
        let words = self.words.to_lowercase();
        some.iter().any(|one| words.contains(one))
    }

    /// What the operator can do; none where waiting may be enough.
    fn cure(&self, server: &SmtpServer) -> Option<String> {
        let permanent = self.code.is_some_and(|code| code >= 500);
        let from = &server.from.email;
        let cure = match self.stage {
            Stage::Reaching => "check smtp_url, and that nothing on the way closes its port",
            Stage::Encrypting if self.says(&["not valid for name", "notvalidforname"]) => {
                "its certificate is for another name: write the name that is in it in smtp_url"
            }
            Stage::Encrypting if self.says(&["expired"]) => "its certificate has to be renewed",
            Stage::Encrypting if self.says(&["certificate"]) => {
                "if the certificate is your own, set smtp_ca_file to a PEM file with it, or with \
                 that of the authority that signed it"
            }
            Stage::Encrypting => {
                "write smtps:// in smtp_url where TLS begins at once (port 465), and smtp:// with \
                 ?tls=required where it begins with STARTTLS (port 587)"
            }
            Stage::SigningIn if !matches!(self.code, Some(530 | 538)) => {
                "check user and password in smtp_url"
            }
            _ if self.wants_login() && server.url.tls == SmtpTls::None => {
                "it wants TLS or a login first: write ?tls=required or smtps://, and user and \
                 password, in smtp_url"
            }
            _ if self.wants_login() => {
                "it wants a login first: write user and password in smtp_url"
            }
            Stage::Greeting if !permanent => return None,
            Stage::Greeting => {
                return Some(format!(
                    "it doesn't talk to this machine, or not to one that calls itself {}: set \
                     public_url to the address that people use, and ask whoever runs it",
                    server.name.as_deref().unwrap_or("by an address")
                ));
            }
            _ if !permanent => return None,
            Stage::Sender => {
                return Some(format!(
                    "it doesn't let us send as {from}: set mail_from to an address that the login \
                     in smtp_url may send as"
                ));
            }
            _ if self.is_about_recipient() => return None,
            _ if self.says(&["relay"]) => {
                "it sends for others only once they signed in: write user and password in smtp_url"
            }
            _ if self.says(LISTED) => {
                "it takes no mail from this machine's address: have that taken off the list, or set \
                 smtp_url to a mail server that sends for you"
            }
            _ if self.says(&["quota", "limit", "too many"]) => {
                "we send more than it allows: have it allow more, or set smtp_url to another one"
            }
            _ => {
                return Some(format!(
                    "it refuses what we send, not to whom: check that we may send as {from} \
                     (mail_from), and ask whoever runs it"
                ));
            }
        };
        Some(cure.to_owned())
    }
}

/// What refusals of us say where no status code does.
const OF_US: &[&str] = &[
    "relay",
    "block",
    "blacklist",
    "spam",
    "dnsbl",
    "rbl",
    "reputation",
    "policy",
    "sender",
    "authenti",
    "sign in",
    "log in",
    "login",
    "helo",
    "ehlo",
    "client host",
    "your ip",
    "spf",
    "dkim",
    "dmarc",
    "reverse",
    "too many",
    "limit exceeded",
    "quota exceeded for",
];
/// What refusals of the recipient say.
const OF_THEM: &[&str] = &[
    "unknown",
    "no such",
    "not exist",
    "n't exist",
    "not found",
    "unavailable",
    "no mailbox",
    "invalid recipient",
    "recipient address rejected",
    "disabled",
    "mailbox full",
    "over quota",
];
/// What is said by those who ask a list of addresses.
const LISTED: &[&str] =
    &["block", "blacklist", "spamhaus", "dnsbl", "rbl", "reputation", "your ip"];

fn no_answer(limit: Duration) -> String {
    format!("the mail server didn't answer within {} seconds", limit.as_secs_f32())
}

/// One line of at most [`LONGEST_ANSWER`] characters.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_ANSWER).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    type Answers = &'static [&'static [u8]];
    /// What is answered, what that is taken for, and what the operator can do.
    type Case = (Answers, fn(String) -> Reply, &'static str, bool, &'static str);

    /// A mail server that answers each line with the next of these, and then hangs up. What it was
    /// told comes out of the channel.
    async fn listening(answers: Answers) -> (u16, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (reading, mut writing) = stream.split();
            let mut lines = BufReader::new(reading).lines();
            for answer in answers {
                writing.write_all(answer).await.unwrap();
                writing.write_all(b"\r\n").await.unwrap();
                // After DATA comes the message, up to the line with a dot.
                while let Ok(Some(line)) = lines.next_line().await {
                    let ended = !answer.starts_with(b"354") || line == ".";
                    let _ = tell.send(line);
                    if ended {
                        break;
                    }
                }
            }
        });
        (port, told)
    }

    fn server_from(url: &str, from: &str) -> SmtpServer {
        let config = Config {
            public_url: "https://my.provider.example".to_owned(),
            smtp_url: SmtpUrl::parse(url),
            mail_from: from.parse().unwrap(),
            ..Config::default()
        };
        SmtpServer::new(&config).unwrap().unwrap()
    }

    fn server(url: &str) -> SmtpServer {
        server_from(url, "Grønn Sky AS <no-reply@provider.example>")
    }

    async fn deliver_to(server: &SmtpServer, to: &str) -> Delivery {
        let to = vec![Address::new(to, "example.com").unwrap()];
        let envelope = Envelope::new(Some(server.from.email.clone()), to).unwrap();
        let message = b"Subject: Hi\r\n\r\nHi\r\n".to_vec();
        server.deliver(&mut None, &(envelope, message), Duration::from_secs(20)).await
    }

    async fn deliver(answers: Answers) -> Delivery {
        let (port, _told) = listening(answers).await;
        deliver_to(&server(&format!("smtp://me:pw@127.0.0.1:{port}")), "kari").await
    }

    const HELLO: &[u8] = b"250-mail.example\r\n250 AUTH PLAIN";

    #[tokio::test]
    async fn a_mail_that_was_taken_is_taken_however_that_is_told() {
        let cases: [(Answers, &str); 6] = [
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"250 ok", b"354 go", b"250 2.0.0 Taken"],
                "250 2.0.0 Taken",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"250 ok", b"354 go", b"250 p\xe5 vei"],
                "250 på vei",
            ),
            (
                &[b"220", b"250-\r\n250 AUTH PLAIN", b"235", b"250", b"250", b"354", b"250"],
                "250 (no text)",
            ),
            (
                &[
                    b"220 hi\n",
                    HELLO,
                    b"235\tok",
                    b"250 ok",
                    b"251 forwarded",
                    b"354 go",
                    b"250-a\r\nb\r\n250 c",
                ],
                "250 a b c",
            ),
            (
                &[
                    b"220 Velkommen \xe5",
                    b"250-mail \xf8\r\n250 AUTH PLAIN",
                    b"235 \xe6",
                    b"250 \xe6",
                    b"250 \xe6",
                    b"354 \xe6",
                    b"250 \xe6",
                ],
                "250 æ",
            ),
            (
                &[
                    b"220 hi",
                    b"250-a\r\n250-AUTH PLAIN\r\n250",
                    b"235 ok",
                    b"250 ok",
                    b"250 ok",
                    b"354 go",
                    b"250 2.6.0 <x@y> [Hostname=z] Queued mail",
                ],
                "250 2.6.0 <x@y> [Hostname=z] Queued mail",
            ),
        ];
        for (answers, words) in cases {
            let taken =
                Delivery { reply: Reply::Taken(words.to_owned()), trouble: false, cure: None };
            assert_eq!(deliver(answers).await, taken);
        }
    }

    #[tokio::test]
    async fn only_a_refusal_of_the_recipient_is_final() {
        use Reply::{Never, NotNow, Ours};
        let cases: [Case; 25] = [
            (&[b"554 5.3.2 Go away"], Ours, "554 5.3.2 Go away", true, "public_url"),
            (&[b"220 hi", b"550 Who?"], Ours, "550 Who?", true, "my.provider.example"),
            (
                &[b"220 hi", HELLO, b"535 5.7.8 Wrong password"],
                Ours,
                "535 5.7.8 Wrong password",
                true,
                "user and password",
            ),
            (
                &[b"220 hi", HELLO, b"454 4.7.0 Not now"],
                NotNow,
                "454 4.7.0 Not now",
                true,
                "user and password",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"530 5.7.0 Use STARTTLS"],
                Ours,
                "530 5.7.0 Use STARTTLS",
                true,
                "?tls=required",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"553 5.7.1 Not yours"],
                Ours,
                "553 5.7.1 Not yours",
                true,
                "mail_from",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"550 No such sender"],
                Ours,
                "550 No such sender",
                true,
                "mail_from",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"552 5.2.2 Quota"],
                Ours,
                "552 5.2.2 Quota",
                true,
                "mail_from",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550-No such\r\n550 user"],
                Never,
                "550 No such user",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 5.1.1 <k@e>: unknown"],
                Never,
                "550 5.1.1 <k@e>: unknown",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"552 5.2.2 Mailbox full"],
                Never,
                "552 5.2.2 Mailbox full",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 5.4.1 Recipient address rejected"],
                Never,
                "550 5.4.1 Recipient address rejected",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 5.7.1 User unknown"],
                Never,
                "550 5.7.1 User unknown",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 5.1.8 Bad sender domain"],
                Ours,
                "550 5.1.8 Bad sender domain",
                false,
                "mail_from",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"554 5.7.1 <k@e>: Relay access denied"],
                Ours,
                "554 5.7.1 <k@e>: Relay access denied",
                false,
                "user and password",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 relaying denied"],
                Ours,
                "550 relaying denied",
                false,
                "user and password",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"550 blocked, see spamhaus"],
                Ours,
                "550 blocked, see spamhaus",
                false,
                "off the list",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"571 5.7.1 Blocked"],
                Ours,
                "501 571 5.7.1 Blocked",
                false,
                "off the list",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"554 refused"],
                Ours,
                "554 refused",
                false,
                "ask whoever",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"451 4.7.1 Greylisted"],
                NotNow,
                "451 4.7.1 Greylisted",
                false,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"421 4.3.2 Closing"],
                NotNow,
                "421 4.3.2 Closing",
                true,
                "",
            ),
            (
                &[b"220 hi", HELLO, b"235 ok", b"250 ok", b"250 ok", b"354 go", b"554 5.6.0 Spam"],
                Ours,
                "554 5.6.0 Spam",
                false,
                "mail_from",
            ),
            (
                &[
                    b"220 hi",
                    HELLO,
                    b"235 ok",
                    b"250 ok",
                    b"250 ok",
                    b"354 go",
                    b"550 5.7.26 SPF and DKIM fail",
                ],
                Ours,
                "550 5.7.26 SPF and DKIM fail",
                false,
                "mail_from",
            ),
            (
                &[
                    b"220 hi",
                    HELLO,
                    b"235 ok",
                    b"250 ok",
                    b"250 ok",
                    b"354 go",
                    b"550 5.1.1 Unknown",
                ],
                Never,
                "550 5.1.1 Unknown",
                false,
                "",
            ),
            (
                &[
                    b"220 hi",
                    HELLO,
                    b"235 ok",
                    b"250 ok",
                    b"250 ok",
                    b"354 go",
                    b"550 5.4.5 Daily sending quota exceeded",
                ],
                Ours,
                "550 5.4.5 Daily sending quota exceeded",
                false,
                "allow more",
            ),
        ];
        for (answers, reply, words, trouble, cure) in cases {
            let delivery = deliver(answers).await;
            assert_eq!(delivery.reply, reply(words.to_owned()), "{answers:?}");
            assert_eq!(delivery.trouble, trouble, "{words}");
            match delivery.cure {
                Some(told) => assert!(!cure.is_empty() && told.contains(cure), "{words}: {told}"),
                None => assert_eq!(cure, "", "{words}"),
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_isnt_there_or_hangs_up_puts_the_mail_off() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (port, _told) = listening(&[b"220 hi"]).await;
        for port in [free.port(), port] {
            let Delivery { reply: Reply::NotNow(words), trouble: true, .. } =
                deliver_to(&server(&format!("smtp://me:pw@127.0.0.1:{port}")), "kari").await
            else {
                panic!("the mail wasn't put off")
            };
            assert!(words.starts_with("the mail server can't be reached: "), "{words}");
        }
    }

    #[tokio::test]
    async fn a_server_without_starttls_gets_neither_password_nor_mail() {
        let (port, mut told) = listening(&[b"220 hi", HELLO, b"235 ok"]).await;
        let plain = server(&format!("smtp://me:pw@127.0.0.1:{port}?tls=required"));
        let Delivery { reply, trouble, cure } = deliver_to(&plain, "kari").await;
        assert!(trouble && matches!(&reply, Reply::Ours(words) if words.contains("STARTTLS")));
        assert!(cure.is_some_and(|cure| cure.contains("smtps://")));
        assert_eq!(told.recv().await.as_deref(), Some("EHLO my.provider.example"));
        assert_eq!(told.recv().await, None);
    }

    #[tokio::test]
    async fn it_says_hello_by_a_name_or_address_that_others_know() {
        let addresses = [
            ("https://my.provider.example", "EHLO my.provider.example"),
            ("https://bücher.example:8443", "EHLO xn--bcher-kva.example"),
            ("http://localhost:3000", "EHLO [127.0.0.1]"),
            ("https://latchkey", "EHLO [127.0.0.1]"),
            ("https://192.0.2.7", "EHLO [127.0.0.1]"),
        ];
        for (public_url, hello) in addresses {
            let (port, mut told) = listening(&[b"220 hi", b"421 bye"]).await;
            let smtp_url = SmtpUrl::parse(&format!("smtp://127.0.0.1:{port}"));
            let public_url = public_url.to_owned();
            let config = Config { public_url, smtp_url, ..Config::default() };
            let server = SmtpServer::new(&config).unwrap().unwrap();
            deliver_to(&server, "kari").await;
            assert_eq!(told.recv().await.as_deref(), Some(hello));
        }
    }

    #[tokio::test]
    async fn addresses_go_out_in_the_letters_that_the_server_takes() {
        const ALL: &[&[u8]] = &[b"220 hi", b"250 a", b"250 ok", b"250 ok", b"354 go", b"250 ok"];
        let (port, mut told) = listening(ALL).await;
        let url = format!("smtp://127.0.0.1:{port}");
        let idn = server_from(&url, "Bücher <Post@bücher.example>");
        assert!(matches!(deliver_to(&idn, "kari").await.reply, Reply::Taken(_)));
        assert_eq!(told.recv().await.as_deref(), Some("EHLO my.provider.example"));
        let sender = told.recv().await;
        assert_eq!(sender.as_deref(), Some("MAIL FROM:<Post@xn--bcher-kva.example>"));

        let (port, _told) = listening(ALL).await;
        let local = server_from(&format!("smtp://127.0.0.1:{port}"), "rené@provider.example");
        let Delivery { reply, cure, .. } = deliver_to(&local, "kari").await;
        assert!(matches!(reply, Reply::Ours(_)) && cure.unwrap().contains("mail_from"));

        let (port, _told) = listening(ALL).await;
        let plain = server(&format!("smtp://127.0.0.1:{port}"));
        assert!(matches!(deliver_to(&plain, "rené").await.reply, Reply::Never(_)));
    }

    #[tokio::test]
    async fn doctor_asks_whether_we_may_send() {
        let check = async |answers: Answers| {
            let (port, mut told) = listening(answers).await;
            let server = server(&format!("smtp://127.0.0.1:{port}"));
            let checked = server.check(Duration::from_secs(20)).await;
            let mut said = Vec::new();
            while let Some(line) = told.recv().await {
                said.push(line);
            }
            (checked, said)
        };
        let (fine, said) = check(&[b"220 hi", b"250 a", b"250 ok", b"250 ok", b"221 bye"]).await;
        assert_eq!(fine, Ok(()));
        let commands =
            ["EHLO my.provider.example", "MAIL FROM:<no-reply@provider.example>", "RSET", "QUIT"];
        assert_eq!(said, commands);
        let (refused, _) =
            check(&[b"220 hi", b"250 a", b"550 5.7.60 Not as this one", b"221"]).await;
        let words = refused.unwrap_err();
        assert!(words.starts_with("550 5.7.60 Not as this one: ") && words.contains("mail_from"));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_left_in_time() {
        let (port, _told) = listening(&[]).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap().port();
        for (port, limit) in [(silent, 300), (port, 20_000)] {
            let server = server(&format!("smtp://127.0.0.1:{port}"));
            let checked = server.check(Duration::from_millis(limit)).await;
            assert!(checked.is_err(), "{port}");
        }
    }

    #[test]
    fn an_answer_is_one_short_line() {
        assert_eq!(shorten(" 550 a\r\nb\u{0}c\t d "), "550 a b c d");
        assert_eq!(shorten(&"é".repeat(400)).chars().count(), LONGEST_ANSWER);
    }
}
