//! How log lines look, and which there are.

use serde::Deserializer;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::Config;
use super::values::read_open;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// What is logged. One part is kept from the most talkative level: there it writes addresses
    /// whole, also those that are keys (OWASP ASVS 5.0 V16.2.5).
    #[must_use]
    pub fn log_filter(&self) -> EnvFilter {
        let filter = EnvFilter::new(&self.log);
        match "tower_http::csrf=debug".parse() {
            Ok(quiet) if self.log_is_talkative() => filter.add_directive(quiet),
            _ => filter,
        }
    }

    fn log_is_talkative(&self) -> bool {
        EnvFilter::new(&self.log).max_level_hint() == Some(LevelFilter::TRACE)
    }
}

pub(super) fn log_format<'de, D: Deserializer<'de>>(from: D) -> Result<LogFormat, D::Error> {
    read_open(from, "text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    })
}

pub(super) fn log<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const WANTED: &str = "a log level such as info, or levels per part such as info,sqlx=debug";
    read_open(from, WANTED, |text| {
        let parts: Vec<_> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        // A misspelt level would be the name of a part, and nothing but that part's lines logged.
        let has_level = |part: &&str| {
            let mut name = part.chars().take_while(|c| !"[=".contains(*c));
            let level = part.rsplit('=').next().unwrap_or_default();
            name.all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c))
                && !level.is_empty()
                && level.parse::<LevelFilter>().is_ok()
        };
        let text = parts.join(",");
        let sound = parts.iter().all(has_level) && EnvFilter::try_new(&text).is_ok();
        (sound && !parts.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::refuses;

    #[test]
    fn what_would_log_something_else_is_refused() {
        refuses(&[
            ("LOG_FORMAT", "xml", "text or json"),
            ("LOG", "info=loud=very", "a log level such as info"),
            ("LOG", "infos", "a log level such as info"),
            ("LOG", "info;sqlx=debug", "a log level such as info"),
            ("LOG", "info,sqlx", "a log level such as info"),
            ("LOG", "sqlx=", "a log level such as info"),
            ("LOG", "[{x=(((}]=info", "a log level such as info"),
            ("LOG", ",", "a log level such as info"),
        ]);
    }
}
