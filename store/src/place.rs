//! Where the database is: what `database_url` says, understood or refused, never guessed at.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file.
    Sqlite(PathBuf),
    /// On a Postgres server.
    Postgres,
}

/// What the URL must be; it completes "must be". The URL isn't in it, as it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlProblem(pub &'static str);

const KINDS: UrlProblem = UrlProblem("sqlite:path or postgres://user:password@host/name");
const PARAMETERS: UrlProblem = UrlProblem(
    "sqlite:path without parameters (mode=rwc is what happens anyway); a ? in the path is written %3F",
);
const ESCAPES: UrlProblem =
    UrlProblem("sqlite:path with # written %23, % written %25, and only text after decoding");
const HOST: UrlProblem = UrlProblem(
    "sqlite:path: sqlite:/folder/file from the root, sqlite:folder/file from the working directory, \
     no host",
);
const A_FILE: UrlProblem =
    UrlProblem("sqlite:path of a file: memory forgets all of it, and ~ and folders are none");
const PASSWORD: UrlProblem = UrlProblem(
    "postgres://user:password@host/name with special characters of user and password \
     percent-encoded, such as %40 for @, %2F for /, %3F for ? and %23 for #",
);
const POSTGRES_PARAMETERS: UrlProblem = UrlProblem(
    "postgres://user:password@host/name, and after a ? only parameters that are known: sslmode, \
     sslrootcert, sslcert, sslkey, host, hostaddr, port, dbname, user, password, application_name, \
     options and statement-cache-capacity",
);

/// Those that sqlx knows; what it doesn't know it passes over, and with a slip of the pen in
/// `sslmode` the wish for TLS.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl Place {
    /// Takes `sqlite:path` or `postgres://…`.
    ///
    /// # Errors
    /// [`UrlProblem`] for what is neither, or could be meant in two ways.
    pub fn parse(url: &str) -> Result<Self, UrlProblem> {
        let (scheme, rest) = url.split_once(':').ok_or(KINDS)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => postgres(url, rest).map(|()| Self::Postgres),
            _ => Err(KINDS),
        }
    }
}

fn sqlite(rest: &str) -> Result<PathBuf, UrlProblem> {
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if !matches!(parameters, "" | "mode=rwc") {
        return Err(PARAMETERS);
    }
    if path.contains('#') {
        return Err(ESCAPES);
    }
    let path = path.strip_prefix("//").unwrap_or(path);
    let first = path.split('/').next().unwrap_or_default();
    if path.starts_with("//") || first.eq_ignore_ascii_case("localhost") || first == "127.0.0.1" {
        return Err(HOST);
    }
    let path =
        percent_decode(path).filter(|path| !path.chars().any(char::is_control)).ok_or(ESCAPES)?;
    let name = Path::new(&path).file_name();
    // SQLite itself takes what begins like these for something else than a path.
    let special = [":", "file:", "~"].iter().any(|start| path.starts_with(start));
    if name.is_none() || special || path.ends_with('/') || path.ends_with("/.") {
        return Err(if path.is_empty() { KINDS } else { A_FILE });
    }
    if Path::new(&path).is_dir() {
        return Err(A_FILE);
    }
    Ok(path.into())
}

fn postgres(url: &str, rest: &str) -> Result<(), UrlProblem> {
    let rest = rest.strip_prefix("//").ok_or(KINDS)?;
    let path = rest.get(rest.find(['/', '?']).unwrap_or(rest.len())..).unwrap_or_default();
    // A password with / or ? or # ends there, and what precedes it would be taken for host and port.
    if rest.contains('#') || path.contains('@') {
        return Err(PASSWORD);
    }
    let parameters = path.split_once('?').map_or("", |(_, parameters)| parameters);
    let known = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        KNOWN.contains(&name) || name.starts_with("options[") || name.starts_with("options%5B")
    };
    if !parameters.split('&').filter(|parameter| !parameter.is_empty()).all(known) {
        return Err(POSTGRES_PARAMETERS);
    }
    PgConnectOptions::from_str(url).map(drop).map_err(|_| PASSWORD)
}

/// Undoes percent-encoding in a setting's URL (RFC 3986 section 2.1); none for what is none, or no text.
#[must_use]
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_in_several_ways() {
        for (url, path) in [
            ("sqlite:data/latchkey.db", "data/latchkey.db"),
            ("sqlite://data/latchkey.db", "data/latchkey.db"),
            ("sqlite:/abs/latchkey.db", "/abs/latchkey.db"),
            ("sqlite:///abs/latchkey.db", "/abs/latchkey.db"),
            ("SQLite:x.db", "x.db"),
            ("sqlite:x.db?mode=rwc", "x.db"),
            ("sqlite://x.db?mode=rwc", "x.db"),
            ("sqlite:x.db?", "x.db"),
            ("sqlite:x%20y.db", "x y.db"),
            ("sqlite:x y.db", "x y.db"),
            ("sqlite:what%3Fmode=rwc%23.db", "what?mode=rwc#.db"),
            ("sqlite:100%25/n%C3%B8kkel.db", "100%/nøkkel.db"),
            ("sqlite:./localhost/x.db", "./localhost/x.db"),
        ] {
            assert_eq!(Place::parse(url), Ok(Place::Sqlite(path.into())), "{url}");
        }
    }

    #[test]
    fn what_names_no_file_or_could_be_meant_otherwise_is_refused() {
        for (url, problem) in [
            ("data/latchkey.db", KINDS),
            ("file:data/latchkey.db", KINDS),
            ("mysql://localhost/latchkey", KINDS),
            ("sqlite:", KINDS),
            ("sqlite://", KINDS),
            ("sqlite:///", A_FILE),
            ("sqlite::memory:", A_FILE),
            ("sqlite://:memory:", A_FILE),
            ("sqlite:%3Amemory%3A", A_FILE),
            ("sqlite:file:x.db", A_FILE),
            ("sqlite:~/x.db", A_FILE),
            ("sqlite:folder/", A_FILE),
            ("sqlite:/tmp", A_FILE),
            ("sqlite:..", A_FILE),
            ("sqlite:x.db?mode=ro", PARAMETERS),
            ("sqlite:x.db?mode=memory&cache=shared", PARAMETERS),
            ("sqlite:x.db?mode=rwc&vfs=unix", PARAMETERS),
            ("sqlite://localhost/abs/x.db", HOST),
            ("sqlite://localhost", HOST),
            ("sqlite:////host/x.db", HOST),
            ("sqlite:x#y.db", ESCAPES),
            ("sqlite:100%.db", ESCAPES),
            ("sqlite:x%00.db", ESCAPES),
            ("sqlite:x%FF.db", ESCAPES),
            ("sqlite:x%0A.db", ESCAPES),
            ("postgres:latchkey", KINDS),
            ("postgres://me:p#w@host/latchkey", PASSWORD),
            ("postgres://me:12#w@host/latchkey", PASSWORD),
            ("postgres://me:12/w@host/latchkey", PASSWORD),
            ("postgres://me:12?w@host/latchkey", PASSWORD),
            ("postgres://me:%FF@host/latchkey", PASSWORD),
            ("postgres://me:pw@host:port/latchkey", PASSWORD),
            ("postgres://host/latchkey?sslmod=require", POSTGRES_PARAMETERS),
            ("postgres://host/latchkey?schema=x", POSTGRES_PARAMETERS),
            ("postgres://host/latchkey?sslmode=perhaps", PASSWORD),
        ] {
            assert_eq!(Place::parse(url), Err(problem), "{url}");
        }
    }

    #[test]
    fn a_server_is_named_with_an_odd_password_and_parameters() {
        for url in [
            "postgres://host",
            "postgresql://me:p%40w%2F%3F%23%25%20%C3%BC@host:5433/latchkey?sslmode=verify-full",
            "postgres://postgres@localhost/latchkey?host=/run/postgresql",
            "postgres:///latchkey?host=/run/postgresql&options=-c%20work_mem%3D8MB",
            "Postgres://me:p;w!$&'()*+,=:x@[::1]/latchkey",
            "postgres://me:100%p@w@host/latchkey",
        ] {
            assert_eq!(Place::parse(url), Ok(Place::Postgres), "{url}");
        }
    }
}
