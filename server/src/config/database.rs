//! Where things are kept: the database, and the file with the key that signs the log's digests.

use std::path::{Path, PathBuf};

use model::Secret;
use serde::{Deserializer, de};
use store::Place;

use super::Config;
use super::values::{read_open, read_text};

impl Config {
    /// Where the SQLite file is; none for another database.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match Place::parse(self.database_url.expose()) {
            Ok(Place::Sqlite(file)) => Some(file),
            _ => None,
        }
    }
}

pub(super) fn database_url<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let url = read_text(from, "sqlite:path or postgres://user:password@host/name", |text| {
        Some(text.to_owned())
    })?;
    Place::parse(&url).map_err(de::Error::custom)?;
    Ok(Secret::from(url))
}

pub(super) fn log_key_file<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    read_open(from, "the path of a file", |text| {
        let names_one = Path::new(text).file_name().is_some() && !text.ends_with('/');
        (names_one && !Path::new(text).is_dir()).then(|| text.into())
    })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, problem, refuses};

    #[test]
    fn the_database_has_two_names_and_latchkeys_own_wins() {
        let named = |environment: &[_]| {
            parse("database_url = 'sqlite:file'", environment).unwrap().database_url
        };
        let general = ("DATABASE_URL", "sqlite:general");
        assert_eq!(named(&[general]).expose(), "sqlite:general");
        let own = ("LATCHKEY_DATABASE_URL", "sqlite:own");
        assert_eq!(named(&[own, general]).expose(), "sqlite:own");
        let told = problem("", &[("DATABASE_URL", "mysql://host")]);
        assert!(told.starts_with("DATABASE_URL in the environment must be sqlite:path"), "{told}");
        let told = problem("", &[general, ("LATCHKEY_DATABASE_URL", "mysql://host")]);
        assert!(told.starts_with("LATCHKEY_DATABASE_URL in the environment must be"), "{told}");
    }

    #[test]
    fn what_names_no_place_is_refused() {
        refuses(&[
            ("DATABASE_URL", "mysql://localhost/latchkey", "sqlite:path or postgres://"),
            ("DATABASE_URL", "sqlite:", "sqlite:path or postgres://"),
            ("DATABASE_URL", "file:x.db", "sqlite:path or postgres://"),
            (
                "DATABASE_URL",
                "'sqlite:x.db'",
                "sqlite:path or postgres://user:password@host/name, w",
            ),
            ("DATABASE_URL", "sqlite:x.db?mode=ro", "sqlite:path without parameters"),
            ("DATABASE_URL", "sqlite::memory:", "sqlite:path of a file"),
            (
                "DATABASE_URL",
                "postgres://me:a#b@host/latchkey",
                "postgres://user:password@host/name w",
            ),
            ("LOG_KEY_FILE", " ", "the path of a file"),
            ("LOG_KEY_FILE", "data/", "the path of a file"),
            ("LOG_KEY_FILE", "..", "the path of a file"),
            ("LOG_KEY_FILE", "src", "the path of a file"),
        ]);
    }
}
