//! What pages and mails show of the provider: its name, its colours and mark, the language, and the
//! places that addresses are at.

use std::path::Path;

use app::Locale;
use app::places::Places;
use app::request::Site;
use model::Language;
use serde::{Deserializer, de};

use super::values::{read_open, read_text};
use super::{Config, links};
use crate::look::{self, Colour, Mark, Theme};

impl Config {
    /// What pages and mails need to know.
    #[must_use]
    pub fn site(&self) -> Site {
        Site {
            provider: self.provider_name.clone(),
            public_url: self.public_url.clone(),
            demo: self.demo,
            mailbox: self.demo && self.smtp_url.is_none(),
            mail_from: self.mail_from.to_string(),
            secure: self.public_url.starts_with("https:"),
            accent_light: self.accent_light.map(|colour| colour.to_string()),
            accent_dark: self.accent_dark.map(|colour| colour.to_string()),
            mark: self.mark_file.is_some(),
            language: self.language,
            time_zone: self.time_zone.clone(),
            places: self.geoip_file.clone(),
            support_email: self.support_email.clone(),
            support_url: self.support_url.clone(),
            links: self.links.clone(),
        }
    }
}

pub(super) fn provider_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read_text(from, "a name of 1 to 100 characters on one line", |text| {
        (1..=100).contains(&text.chars().count()).then(|| text.to_owned())
    })
}

pub(super) fn accent_light<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Colour>, D::Error> {
    accent(from, &look::LIGHT)
}

pub(super) fn accent_dark<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Colour>, D::Error> {
    accent(from, &look::DARK)
}

/// A colour that can be read in this theme. Which contrast it lacks is no secret.
fn accent<'de, D: Deserializer<'de>>(from: D, theme: &Theme) -> Result<Option<Colour>, D::Error> {
    let colour: Colour = read_open(from, "a colour such as #005ea5", |text| text.parse().ok())?;
    match colour.check(theme) {
        Ok(()) => Ok(Some(colour)),
        Err((found, needed)) => Err(de::Error::custom(format!(
            "a colour that can be read on {} pages: {colour} has a contrast of {found:.1}:1 where \
             {needed}:1 is needed",
            theme.name
        ))),
    }
}

pub(super) fn mark_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mark>, D::Error> {
    read_open(from, "the path of a readable SVG or PNG file of at most 64 KiB", |text| {
        Mark::parse(std::fs::read(text).ok()?).map(Some)
    })
}

pub(super) fn language<'de, D: Deserializer<'de>>(from: D) -> Result<Locale, D::Error> {
    let spoken: Vec<_> = app::all_languages().into_iter().map(|(tag, _)| tag).collect();
    let wanted = format!("one of {}", spoken.join(", "));
    read_open(from, &wanted, |text| {
        Language::parse(text).and_then(|language| app::spoken(&language))
    })
}

pub(super) fn geoip_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Places>, D::Error> {
    read_open(from, "the path of a readable GeoIP file in the MaxMind DB format", |text| {
        Places::read(Path::new(text)).ok().map(Some)
    })
}

pub(super) fn support_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    const WANTED: &str = "an http or https address, such as https://provider.example/contact";
    read_text(from, WANTED, |text| links::page(text).map(Some))
}

#[cfg(test)]
mod tests {
    use crate::config::tests::refuses;

    #[test]
    fn what_no_page_can_show_is_refused() {
        refuses(&[
            ("PROVIDER_NAME", "two\nlines", "a name of 1 to 100 characters on one line"),
            ("PROVIDER_NAME", " ", "a name of 1 to 100 characters on one line"),
            (
                "PROVIDER_NAME",
                "\"Acme\"",
                "a name of 1 to 100 characters on one line, without quot",
            ),
            ("LANGUAGE", "fr", "one of en, "),
            ("ACCENT_LIGHT", "teal", "a colour such as #005ea5"),
            ("ACCENT_LIGHT", "#ffcc00", "a colour that can be read on light pages: #ffcc00 has"),
            ("ACCENT_DARK", "#005ea5", "a colour that can be read on dark pages: #005ea5 has"),
            ("MARK_FILE", "/there/is/none.svg", "the path of a readable SVG or PNG file"),
            ("MARK_FILE", "Cargo.toml", "the path of a readable SVG or PNG file"),
            ("MARK_FILE", "src", "the path of a readable SVG or PNG file"),
            ("GEOIP_FILE", "/there/is/none.mmdb", "the path of a readable GeoIP file"),
            ("GEOIP_FILE", "Cargo.toml", "the path of a readable GeoIP file"),
            ("SUPPORT_URL", "javascript:alert(1)", "an http or https address, such as"),
            ("SUPPORT_URL", "https://", "an http or https address, such as"),
            ("SUPPORT_URL", "mailto:help@provider.example", "an http or https address, such as"),
        ]);
    }
}
