//! E-mail addresses: parsed once, compared normalised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::FieldProblem;
use crate::line::{legible, plain_width};

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

    /// Takes an address as typed or copied, also from a mail's header or a link that writes to it;
    /// what nobody sees of it and space around it are dropped.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::TooLong`] or [`FieldProblem::Malformed`].
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        if text.contains(['\r', '\n']) {
            return Err(FieldProblem::Malformed);
        }
        let legible = legible(&plain_width(text));
        let typed = alone(legible.trim()).to_owned();
        if typed.is_empty() {
            return Err(FieldProblem::Missing);
        }
        if typed.len() > Self::LONGEST {
            return Err(FieldProblem::TooLong);
        }
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

/// The address without what stands around it where it was copied: "Kari <kari@example.com>" (RFC 5322
/// section 3.4), "mailto:kari@example.com?subject=Hello" (RFC 6068).
fn alone(text: &str) -> &str {
    let text = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((_, address)) => address.trim(),
        None => text,
    };
    match text.split_at_checked("mailto:".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => {
            rest.split_once('?').map_or(rest, |(address, _)| address).trim()
        }
        _ => text,
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
            ("\u{200b}kari@example.com", "kari@example.com"),
            ("kari@example.com\u{a0}", "kari@example.com"),
            ("\u{feff}ka\u{ad}ri@exam\u{200d}ple.com\u{200e}", "kari@example.com"),
            ("\u{202a}kari@example.com\u{202c}", "kari@example.com"),
            ("kari\u{0}@example.com", "kari@example.com"),
            ("kari\u{e0061}@example\u{fe0f}.com\u{3164}", "kari@example.com"),
            ("mailto:kari@example.com", "kari@example.com"),
            ("MailTo:kari@example.com?subject=Hello", "kari@example.com"),
            ("Kari Nordmann <kari@example.com>", "kari@example.com"),
            ("\"Nordmann, Kari <KN>\" <mailto:kari@example.com> ", "kari@example.com"),
            ("<kari@example.com>", "kari@example.com"),
            ("ｋａｒｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "kari@example.com"),
        ];
        for (one, other) in pairs {
            let (one, other) = (EmailAddress::parse(one), EmailAddress::parse(other).unwrap());
            assert_eq!(one.as_ref(), Ok(&other));
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
    fn letters_and_digits_of_other_scripts_are_left_alone() {
        for text in ["علي١٢@example.com", "\u{645}\u{6cc}\u{62e}@example.com"] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
        }
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
            ("Kari <kari nordmann@example.com>", Malformed),
            ("Kari <>", Missing),
            ("mailto:", Missing),
            ("kari@example.com, ola@example.com", Malformed),
            ("<kari@example.com> <ola@example.com", Malformed),
            ("kari@example.com\r\nBcc: all@example.com", Malformed),
            ("kari@example.com\n", Malformed),
            ("kari\u{2003}nordmann@example.com", Malformed),
            ("\u{200b}\u{feff}", Missing),
            (long.as_str(), TooLong),
        ];
        for (text, problem) in cases {
            assert_eq!(EmailAddress::parse(text).err(), Some(problem), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_that_was_taken_is_taken_as_it_is(
            text in "[a-zA-Z<>\u{e9}\u{301}\u{200b}-\u{200f}\u{645}\u{ad}\u{a0}\u{fe0f}．？ｋ]{1,12}@[a-z\u{fc}\u{200b}\u{ad}．]{1,6}\\.[a-z\u{200d}>]{2,5}"
        ) {
            if let Ok(address) = EmailAddress::parse(&text) {
                let again = EmailAddress::parse(address.as_str());
                let same = again.map(|again| (again.typed, again.key));
                prop_assert_eq!(same, Ok((address.typed, address.key)));
            }
        }

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
