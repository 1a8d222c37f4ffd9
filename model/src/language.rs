//! Languages, by their tag. Which of them the product speaks is the pages' to know.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language as a tag in lower case, such as `nb` or `pt-br` (RFC 5646).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Reads a tag. None for what can't be one: subtags are up to 8 letters or digits, and a tag
    /// longer than 35 characters needn't be understood (RFC 5646 section 4.4.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let subtag = |part: &str| {
            matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        (text.len() <= 35 && text.split('-').all(subtag)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0
    }

    /// The language without script, region or variant: `pt` of `pt-br`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_others_are_none() {
        let tag = |text| Language::parse(text).map(|language| language.to_string());
        assert_eq!(tag("nb").as_deref(), Some("nb"));
        assert_eq!(tag("pt-BR").as_deref(), Some("pt-br"));
        for no in ["", "-", "nb-", "no spaces", "norwegian", "n\u{e5}", &"a-".repeat(30)] {
            assert_eq!(tag(no), None, "{no:?}");
        }
        assert_eq!(Language::parse("de-CH-1996").unwrap().primary(), "de");
    }
}
