//! The provider's own pages, which stand at the foot of all pages and mails.

use app::request::SiteLink;
use model::{EmailAddress, one_line};
use serde::{Deserializer, de};
use url::Url;

use super::values::{Given, read};

/// How many there are at most: they stand in one line.
const MOST: usize = 10;

/// How many characters their words may have.
const LONGEST_WORDS: usize = 60;

const WANTED: &str = "words with an http, https or mailto address behind a colon, such as \
                      Imprint: https://provider.example/imprint";

pub(super) fn links<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SiteLink>, D::Error> {
    let entries: Vec<String> = read(from, WANTED, |given| match given {
        Given::Text(text) => Some(text.split(';').map(str::to_owned).collect()),
        Given::List(entries) => Some(entries),
        Given::Flag(_) | Given::Number(_) => None,
    })?;
    let entries = entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty());
    let links = (1..).zip(entries).map(|(number, entry)| {
        link(entry).ok_or_else(|| de::Error::custom(format!("{WANTED}: link {number} isn't")))
    });
    let links = links.collect::<Result<Vec<_>, D::Error>>()?;
    match links.len() {
        0..=MOST => Ok(links),
        _ => Err(de::Error::custom(format!("at most {MOST} links"))),
    }
}

fn link(entry: &str) -> Option<SiteLink> {
    let (words, address) = entry.split_once(':')?;
    let words = one_line(words, LONGEST_WORDS).ok()?;
    let address = address.trim();
    let href = match address.strip_prefix("mailto:") {
        Some(email) => format!("mailto:{}", EmailAddress::parse(email).ok()?),
        None => page(address)?,
    };
    Some(SiteLink { words, href })
}

/// A page's address, as browsers write it: nothing that runs, and no password in it.
pub(super) fn page(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_page = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none();
    is_page.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{parse, refuses};

    fn read(links: &[SiteLink]) -> Vec<(&str, &str)> {
        links.iter().map(|link| (&*link.words, &*link.href)).collect()
    }

    #[test]
    fn links_are_a_list_in_the_file_and_one_line_in_the_environment() {
        let file = r#"links = ["Imprint: https://provider.example/imprint", "Post:mailto:us@provider.example"]"#;
        let line = "Imprint: https://provider.example/imprint; Post: mailto:us@provider.example;\r";
        let expected = [
            ("Imprint", "https://provider.example/imprint"),
            ("Post", "mailto:us@provider.example"),
        ];
        assert_eq!(read(&parse(file, &[]).unwrap().links), expected);
        let config = parse(file, &[("LATCHKEY_LINKS", line)]).unwrap();
        assert_eq!(read(&config.links), expected);
        assert_eq!(config.site().links, config.links);
        for none in ["", "links = []", "links = ''"] {
            assert!(parse(none, &[]).unwrap().links.is_empty(), "{none}");
        }
    }

    #[test]
    fn what_is_no_link_is_refused() {
        let long = format!("{}: https://provider.example", "x".repeat(61));
        let many = ["Imprint: https://provider.example"; 11].join(";");
        for wrong in [
            "Imprint",
            "https://provider.example/imprint",
            ": https://provider.example",
            "Imprint: /imprint",
            "Imprint: javascript:alert(1)",
            "Imprint: https://user:geheim@provider.example",
            "Post: mailto:nobody",
            long.as_str(),
        ] {
            refuses(&[("LINKS", wrong, "words with an http, https or mailto address behind a")]);
        }
        refuses(&[("LINKS", &many, "at most 10 links")]);
    }
}
