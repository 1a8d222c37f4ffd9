//! The worker that empties the outbox: it puts a mail together, hands it to the mail server, and
//! notes the answer. When to try again and when to give up is `domain`'s to say.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use app::mails::{Told, Written};
use app::request::Site;
use domain::Latchkey;
use domain::mails::{self, QueuedMail, Reply};
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::{Address, Message};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::mail_server::{Delivery, SmtpServer};

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
    pub fn new(config: &Config) -> Result<Self> {
        Ok(match &config.smtp_url {
            Some(_) => SmtpServer::new(config)?.map_or(Self::Missing, |s| Self::Smtp(Box::new(s))),
            None if config.demo => Self::Keep,
            None => Self::Missing,
        })
    }
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
        let Delivery { reply, trouble, cure } = match &*self.transport {
            Transport::Keep => return self.keep(mail).await,
            Transport::Missing => {
                let reply = Reply::Ours("no mail server is configured".to_owned());
                Delivery { reply, trouble: false, cure: Some("set smtp_url".to_owned()) }
            }
            Transport::Smtp(server) => match compose(mail, &self.site, &server.from) {
                Ok(message) => server.deliver(line, &message, self.patience.send).await,
                Err(words) => Delivery { reply: Reply::Never(words), trouble: false, cure: None },
            },
        };
        tell(mail, &reply, cure.as_deref());
        // A mail that went out and isn't noted is sent once more when its lease is over: it is
        // worth a few tries.
        for _ in 0..3 {
            if mails::note(&self.latchkey, mail, &reply).await.is_ok() {
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

/// One line per try: no link, and of the recipient only the domain. Where the operator has to mend
/// something, it says what.
fn tell(mail: &QueuedMail, reply: &Reply, cure: Option<&str>) {
    let (id, kind, to) = (mail.id, mail.mail.kind().id(), domain_of(mail));
    let (Reply::Taken(words) | Reply::NotNow(words) | Reply::Ours(words) | Reply::Never(words)) =
        reply;
    let words = without_recipient(mail, words);
    match reply {
        Reply::Taken(_) => tracing::info!(mail = %id, kind, to, answer = words, "sent a mail"),
        Reply::NotNow(_) => {
            tracing::warn!(mail = %id, kind, to, answer = words, cure, "put off a mail");
        }
        Reply::Ours(_) => {
            tracing::error!(mail = %id, kind, to, answer = words, cure, "can't send a mail");
        }
        Reply::Never(_) => {
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
    let told = Told {
        account: mail.time_zone.as_deref(),
        own: mail.own_zone.as_deref(),
        queued_at: mail.queued_at,
    };
    let Written { subject, text, html } =
        app::mails::write(&mail.mail, mail.language.as_ref(), told, site);
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
    use model::{AccessOutline, EmailAddress, Mail, Secret, Timestamp};

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
            time_zone: None,
            own_zone: None,
            attempts: 0,
            queued_at: Timestamp::from_micros(1_800_000_000_000_000),
        }
    }

    fn invitation(inviter: &str, account: &str) -> Mail {
        Mail::Invitation {
            account: account.into(),
            inviter: Some(inviter.into()),
            inviter_email: None,
            access: AccessOutline::Owner,
            becomes_owner: false,
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
    fn a_name_is_neither_a_link_nor_decoded() {
        let encoded = "=?utf-8?q?From_your_bank?=";
        let names = [
            "http://evil.test/x click",
            "evil.test/x",
            "www.evil.test",
            "kari@evil.test",
            encoded,
            "=?UTF-8?B?RXZpbA==?= evil\u{ff0e}test\u{2215}x",
        ];
        for name in names {
            let (_, message) = composed(&queued("k@a.example", invitation(name, name)));
            let parsed = MessageParser::default().parse(&message).unwrap();
            let subject = parsed.subject().unwrap();
            let seen = |text: &str| text.replace('\u{2060}', "");
            assert!(seen(subject).contains(name), "{subject}");
            let parts = [subject, &parsed.body_text(0).unwrap(), &parsed.body_html(0).unwrap()];
            for part in parts {
                let raw = ["evil.test", "//evil", "www.evil", "@evil", "=?", "\u{ff0e}test"];
                assert!(raw.iter().all(|raw| !part.contains(raw)), "{part}");
            }
        }
        let (_, message) = composed(&queued("k@a.example", invitation("Ola", "St. Olav's AS")));
        assert!(!message.contains('\u{2060}') && message.contains("St. Olav's AS"), "{message}");
    }

    #[test]
    fn a_command_in_a_mail_runs_nothing_else() {
        let report = |email: &str| Mail::InvitationReported {
            account_number: "100001".parse().unwrap(),
            account: "Nordlys".into(),
            inviter: "Ingrid".into(),
            inviter_email: "ingrid@nordlys.example".into(),
            email: email.into(),
        };
        let cases = [
            ("kari@a.example", "lift 100001 kari@a.example"),
            ("x`touch${IFS}x`@a.example", "lift 100001 'x`touch${IFS}x`@a.example'"),
            ("www.evil.test/x$(id)@a.example", "lift 100001 'www.evil.test/x$(id)@a.example'"),
            ("-x@a.example", "lift -- 100001 -x@a.example"),
        ];
        for (email, command) in cases {
            let (_, message) = composed(&queued("operator@a.example", report(email)));
            let parsed = MessageParser::default().parse(&message).unwrap();
            let text = parsed.body_text(0).unwrap();
            assert!(text.contains(&format!("latchkey report {command}")), "{text}");
        }
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
}
