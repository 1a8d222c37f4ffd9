//! E-mail addresses: parsed once, compared normalised.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use crate::FieldProblem;

/// An e-mail address: as it was typed, and normalised for comparing.
///
/// The normalised form is Unicode NFC in lower case with the domain in its ASCII form (IDNA, UTS
/// 46). Dots and plus signs mean what the address's mail server says, so they are left alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmailAddress {
    typed: String,
    key: String,
}

impl EmailAddress {
    /// The longest address taken, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
    pub const LONGEST: usize = 254;

    /// Takes an address as typed; space around it is dropped.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::TooLong`] or [`FieldProblem::Malformed`].
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        if text.contains(['\r', '\n']) {
            return Err(FieldProblem::Malformed);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::Missing);
        }
        if text.len() > Self::LONGEST {
            return Err(FieldProblem::TooLong);
        }
        let typed = ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned();
        let (local, domain) = typed.rsplit_once('@').ok_or(FieldProblem::Malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| FieldProblem::Malformed)?;
        let key = format!("{}@{domain}", local.to_lowercase());
        let in_form = email_address::EmailAddress::from_str(&key).is_ok()
            && domain.contains('.')
            && !local.contains('"')
            && !typed.chars().any(|c| c.is_control() || c.is_whitespace());
        if !in_form {
            Err(FieldProblem::Malformed)
        } else if key.len() > Self::LONGEST {
            Err(FieldProblem::TooLong)
        } else {
            Ok(Self { typed, key })
        }
    }

    /// An address that was parsed before it was stored.
    #[must_use]
    pub fn from_stored(typed: String, key: String) -> Self {
        Self { typed, key }
    }

    /// As it was typed: for showing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// Normalised: for comparing, and for the mail's envelope.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for EmailAddress {}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_mean_the_same_compare_equal() {
        let pairs = [
            ("Kari@Example.COM", "kari@example.com"),
            (" kari@example.com ", "kari@example.com"),
            ("kari@bücher.example", "kari@xn--bcher-kva.example"),
            ("re\u{0301}ne\u{0301}@example.com", "r\u{e9}n\u{e9}@example.com"),
        ];
        for (one, other) in pairs {
            assert_eq!(EmailAddress::parse(one), EmailAddress::parse(other), "{one} {other}");
        }
    }

    #[test]
    fn dots_and_plus_signs_are_left_alone() {
        assert_ne!(
            EmailAddress::parse("k.ari@example.com"),
            EmailAddress::parse("kari@example.com")
        );
        assert_ne!(
            EmailAddress::parse("kari+x@example.com"),
            EmailAddress::parse("kari@example.com")
        );
    }

    #[test]
    fn what_is_no_address() {
        use FieldProblem::{Malformed, Missing, TooLong};
        let long = format!("{}@example.com", "x".repeat(250));
        let cases = [
            ("", Missing),
            ("  ", Missing),
            ("kari", Malformed),
            ("kari@", Malformed),
            ("@example.com", Malformed),
            ("kari@localhost", Malformed),
            ("kari@example..com", Malformed),
            ("a@b@example.com", Malformed),
            ("kari nordmann@example.com", Malformed),
            ("Kari <kari@example.com>", Malformed),
            ("kari@example.com\r\nBcc: all@example.com", Malformed),
            ("kari@example.com\n", Malformed),
            ("kari\u{0}@example.com", Malformed),
            (long.as_str(), TooLong),
        ];
        for (text, problem) in cases {
            assert_eq!(EmailAddress::parse(text).err(), Some(problem), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic_or_lets_a_line_break_through(text in ".*") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(!address.as_str().contains(char::is_control));
                prop_assert!(!address.key().contains(char::is_control));
            }
        }

        #[test]
        fn normalising_twice_changes_nothing(local in "[a-zA-Z0-9.+_-]{1,20}", domain in "[a-z]{1,10}\\.[a-z]{2,5}") {
            if let Ok(address) = EmailAddress::parse(&format!("{local}@{domain}")) {
                let again = EmailAddress::parse(address.key());
                prop_assert_eq!(again.map(|a| a.key().to_owned()), Ok(address.key().to_owned()));
            }
        }
    }
}
