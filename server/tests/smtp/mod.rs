//! A real mail server for a test: `end2end/smtp/server.mjs`, which says what it does for whom.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const USER: &str = "latchkey";
pub(crate) const PASSWORD: &str = "only-for-tests";
const LIMIT: Duration = Duration::from_secs(30);

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not at all, and nobody signs in.
    None,
    /// By STARTTLS, and with user name and password.
    StartTls,
    /// From the first byte, and with user name and password.
    FromTheStart,
}

/// The server. It ends with this value.
pub(crate) struct Smtp {
    port: u16,
    tls: Protection,
    lines: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
    _server: Child,
}

/// A mail that it took.
#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) raw: String,
}

impl Smtp {
    pub(crate) async fn start(tls: Protection) -> Self {
        let end2end = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end");
        assert!(
            end2end.join("node_modules/smtp-server").is_dir(),
            "the tests' mail server needs its Node packages: run `npm ci` in end2end/, or \
             `make setup-for-tests`"
        );
        let folder = TempDir::with_prefix("latchkey-smtp-").expect("making a temporary folder");
        let mut command = Command::new("node");
        command
            .arg(end2end.join("smtp/server.mjs"))
            .env("SMTP_CERTIFICATE_FILE", folder.path().join("certificate.pem"))
            .env(
                "SMTP_TLS",
                match tls {
                    Protection::None => "none",
                    Protection::StartTls => "starttls",
                    Protection::FromTheStart => "implicit",
                },
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if tls != Protection::None {
            command.env("SMTP_USER", USER).env("SMTP_PASSWORD", PASSWORD);
        }
        let mut server = command.spawn().unwrap_or_else(|error| {
            panic!("the tests' mail server needs Node.js 20 or newer as `node`: {error}")
        });
        let mut lines = BufReader::new(server.stdout.take().expect("its standard output")).lines();
        let port = timeout(LIMIT, lines.next_line()).await.expect("waiting for the mail server");
        let port = port.expect("reading its port").expect("the mail server didn't start");
        let port = port.parse().expect("the mail server's port");
        Self { port, tls, lines, folder, _server: server }
    }

    /// Its address, as the setting has it.
    pub(crate) fn url(&self) -> String {
        let port = self.port;
        match self.tls {
            Protection::None => format!("smtp://127.0.0.1:{port}"),
            Protection::StartTls => {
                format!("smtp://{USER}:{PASSWORD}@127.0.0.1:{port}?tls=required")
            }
            Protection::FromTheStart => format!("smtps://{USER}:{PASSWORD}@localhost:{port}"),
        }
    }

    /// The file with its certificate.
    pub(crate) fn certificate(&self) -> String {
        self.folder.path().join("certificate.pem").display().to_string()
    }

    /// The next mail that it took.
    pub(crate) async fn received(&mut self) -> Received {
        let line = timeout(LIMIT, self.lines.next_line()).await.expect("waiting for a mail");
        let line = line.expect("reading a mail").expect("the mail server ended");
        serde_json::from_str(&line).expect("a mail as JSON")
    }
}
