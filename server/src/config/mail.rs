//! How mails go out: the mail server, whose certificate is believed, and the sender; and who is
//! told by mail of what people report.

use std::fmt;
use std::path::PathBuf;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use model::EmailAddress;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserializer;
use store::percent_decode;
use url::Url;

use super::values::{read_open, read_text};

/// Where the mail server is, and how to speak to it.
#[derive(Clone)]
pub struct SmtpUrl {
    /// Its name or address.
    pub host: String,
    /// Its port; without one 25, 587 with STARTTLS, 465 with TLS from the start.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User name and password, if it asks for them.
    pub credentials: Option<Credentials>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// By STARTTLS (RFC 3207); without it nothing is sent.
    Required,
    /// By TLS from the first byte (RFC 8314 section 3.3).
    FromTheStart,
}

/// A certificate authority, as read from its file.
#[derive(Clone)]
pub struct CertificateFile {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub certificates: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, credentials } = self;
        let credentials = credentials.as_ref().map(|_| "***");
        f.debug_struct("SmtpUrl")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .field("credentials", &credentials)
            .finish()
    }
}

impl fmt::Debug for CertificateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl SmtpUrl {
    /// Takes what stands in the setting; none for what it can't be.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtp", None) => (SmtpTls::None, 25),
            ("smtp", Some("tls=required")) => (SmtpTls::Required, 587),
            ("smtps", None | Some("tls=required")) => (SmtpTls::FromTheStart, 465),
            _ => return None,
        };
        // Host names aren't parsed for schemes that browsers don't know: an address in brackets
        // keeps them, and the resolver wouldn't take it.
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some(Credentials::new(percent_decode(user)?, percent_decode(password)?))
            }
            _ => return None,
        };
        let plain = !host.is_empty() && url.fragment().is_none() && matches!(url.path(), "" | "/");
        let port = url.port().unwrap_or(port);
        plain.then_some(Self { host, port, tls, credentials })
    }
}

pub(super) fn smtp_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SmtpUrl>, D::Error> {
    const WANTED: &str = "smtp://host:port, smtp://user:password@host:port?tls=required or \
                          smtps://user:password@host:port, with special characters of user and \
                          password percent-encoded";
    read_text(from, WANTED, |text| SmtpUrl::parse(text).map(Some))
}

pub(super) fn smtp_ca_file<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<CertificateFile>, D::Error> {
    read_open(from, "the path of a readable PEM file with a certificate", |text| {
        let pem = std::fs::read(text).ok()?;
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.ok().filter(|found| !found.is_empty())?;
        Some(Some(CertificateFile { path: text.into(), certificates }))
    })
}

pub(super) fn mail_from<'de, D: Deserializer<'de>>(from: D) -> Result<Mailbox, D::Error> {
    read_open(from, "a sender such as \"My Provider <no-reply@provider.example>\"", |text| {
        text.parse().ok()
    })
}

pub(super) fn operator_email<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<EmailAddress>, D::Error> {
    read_open(from, "an e-mail address such as abuse@provider.example", |text| {
        EmailAddress::parse(text).ok().map(Some)
    })
}

pub(super) fn support_email<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<EmailAddress>, D::Error> {
    read_open(from, "an e-mail address such as support@provider.example", |text| {
        EmailAddress::parse(text).ok().map(Some)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::refuses;

    #[test]
    fn what_is_no_way_for_mail_is_refused() {
        refuses(&[
            ("SMTP_URL", "mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "https://mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "smtp://mail.provider.example?tls=maybe", "smtp://host:port"),
            ("SMTP_URL", "smtp://user@mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "smtp://mail.provider.example/queue", "smtp://host:port"),
            ("SMTP_CA_FILE", "/there/is/none.pem", "the path of a readable PEM file"),
            ("SMTP_CA_FILE", "Cargo.toml", "the path of a readable PEM file"),
            ("MAIL_FROM", "Latchkey", "a sender such as"),
            ("MAIL_FROM", "Me <me@provider.example>\r\nBcc: all@provider.example", "a sender"),
            ("OPERATOR_EMAIL", "the operator", "an e-mail address such as"),
        ]);
    }

    #[test]
    fn how_a_mail_server_is_named() {
        let read = |text: &str| {
            let url = SmtpUrl::parse(text)?;
            Some((url.host, url.port, url.tls, url.credentials))
        };
        let pair = Credentials::new("me@provider.example".to_owned(), "p:w/ü%".to_owned());
        let (none, required, start) = (SmtpTls::None, SmtpTls::Required, SmtpTls::FromTheStart);
        let cases = [
            ("smtp://localhost", "localhost", 25, none, None),
            ("smtp://127.0.0.1:2525/", "127.0.0.1", 2525, none, None),
            ("smtp://[::1]:2525", "::1", 2525, none, None),
            ("smtp://mail.example?tls=required", "mail.example", 587, required, None),
            (
                "smtps://me%40provider.example:p%3Aw%2F%C3%BC%25@mail.example",
                "mail.example",
                465,
                start,
                Some(pair),
            ),
        ];
        for (text, host, port, tls, credentials) in cases {
            assert_eq!(read(text), Some((host.to_owned(), port, tls, credentials)), "{text}");
        }
        for text in ["smtps://me:%zz@mail.example", "smtp://", "smtp:mail.example"] {
            assert!(SmtpUrl::parse(text).is_none(), "{text}");
        }
    }
}
