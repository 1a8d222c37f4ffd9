//! Domains of e-mail addresses: parsed once, compared in their ASCII form.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::line::legible;
use crate::{EmailAddress, FieldProblem};

/// A domain as it stands behind the `@`, in the form that [`EmailAddress::key`] has it in: ASCII
/// and lower case (IDNA, UTS 46).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailDomain(String);

impl EmailDomain {
    /// The longest domain, in bytes (RFC 1035 section 2.3.4, less the dots that aren't written).
    const LONGEST: usize = 253;

    /// Takes a domain as typed; an `@` in front of it and a dot behind it are for the eye. IP addresses and
    /// URLs are refused.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`] or [`FieldProblem::Malformed`].
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let legible = legible(text);
        let typed = legible.trim();
        let typed = typed.strip_prefix('@').unwrap_or(typed);
        let typed = typed.strip_suffix('.').unwrap_or(typed);
        if typed.is_empty() {
            return Err(FieldProblem::Missing);
        }
        let ascii = idna::domain_to_ascii_strict(typed).map_err(|_| FieldProblem::Malformed)?;
        // No top-level domain is a number (RFC 3696 section 2): this is an IP address.
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(FieldProblem::Malformed);
        }
        // What an address can't end with can't be a domain of addresses.
        match EmailAddress::parse(&format!("a@{ascii}")) {
            Ok(_) if ascii.len() <= Self::LONGEST => Ok(Self(ascii)),
            _ => Err(FieldProblem::Malformed),
        }
    }

    /// The domain of an address.
    #[must_use]
    pub fn of(address: &EmailAddress) -> Self {
        let domain = address.key().rsplit_once('@').map(|(_, domain)| domain);
        Self(domain.unwrap_or_default().to_owned())
    }

    /// A domain that was parsed before it was stored.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The ASCII form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailDomain {
    /// As its owners write it: in Unicode.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&idna::domain_to_unicode(&self.0).0)
    }
}

/// The domains that an account invites; none of them means every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailDomains(Vec<EmailDomain>);

impl EmailDomains {
    /// How many domains there can be.
    pub const MOST: usize = 50;

    /// Takes domains as typed, with commas or space between them, in whichever order.
    ///
    /// # Errors
    /// [`FieldProblem::Malformed`]; [`FieldProblem::TooLong`] for more than [`Self::MOST`].
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let legible = legible(text);
        let typed = legible.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let typed = typed.filter(|part| !part.is_empty()).map(EmailDomain::parse);
        let mut domains = typed.collect::<Result<Vec<_>, _>>()?;
        domains.sort();
        domains.dedup();
        if domains.len() > Self::MOST { Err(FieldProblem::TooLong) } else { Ok(Self(domains)) }
    }

    /// Whether an invitation may go to this address. A subdomain is a domain of its own.
    #[must_use]
    pub fn take(&self, address: &EmailAddress) -> bool {
        self.0.is_empty() || self.0.contains(&EmailDomain::of(address))
    }

    /// The domains, in the order of their ASCII forms.
    pub fn iter(&self) -> impl Iterator<Item = &EmailDomain> {
        self.0.iter()
    }

    /// Whether every domain will do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what [`Self::to_stored`] wrote.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(
            text.split(' ')
                .filter(|part| !part.is_empty())
                .map(|d| EmailDomain(d.to_owned()))
                .collect(),
        )
    }

    /// The same with one domain more.
    #[must_use]
    pub fn with(&self, domain: EmailDomain) -> Self {
        let mut domains = self.0.clone();
        domains.push(domain);
        domains.sort();
        domains.dedup();
        Self(domains)
    }

    /// The same without this domain.
    #[must_use]
    pub fn without(&self, domain: &EmailDomain) -> Self {
        Self(self.0.iter().filter(|one| *one != domain).cloned().collect())
    }

    /// Whether this domain is among them.
    #[must_use]
    pub fn contain(&self, domain: &EmailDomain) -> bool {
        self.0.contains(domain)
    }

    /// The ASCII forms with a space between them.
    #[must_use]
    pub fn to_stored(&self) -> String {
        self.0.iter().map(EmailDomain::as_str).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(text: &str) -> EmailDomains {
        EmailDomains::parse(text).unwrap()
    }

    fn takes(text: &str, address: &str) -> bool {
        domains(text).take(&EmailAddress::parse(address).unwrap())
    }

    #[test]
    fn domains_are_compared_as_addresses_are() {
        assert!(takes("B\u{fc}cher.Example", "kari@xn--bcher-kva.example"));
        assert!(takes("xn--bcher-kva.example", "kari@b\u{fc}cher.example"));
        assert!(takes("@nordlys.example, ledger.example.", "Kari@LEDGER.example"));
        assert!(!takes("nordlys.example", "kari@mail.nordlys.example"), "a subdomain is another");
        assert!(!takes("nordlys.example", "kari@evil-nordlys.example"));
        assert!(takes("\u{200b}nordlys.example\u{a0}led\u{ad}ger.example", "kari@ledger.example"));
        assert!(takes(" \u{feff}", "kari@anywhere.example"), "no domain means every one");
    }

    #[test]
    fn what_is_no_list_of_domains() {
        let many = (0..51).map(|n| format!("d{n}.example")).collect::<Vec<_>>().join(" ");
        let cases = [
            ("localhost", FieldProblem::Malformed),
            ("kari@nordlys.example", FieldProblem::Malformed),
            ("nordlys..example", FieldProblem::Malformed),
            ("nordlys.example..", FieldProblem::Malformed),
            ("127.0.0.1", FieldProblem::Malformed),
            ("1.2", FieldProblem::Malformed),
            ("a.0x7f", FieldProblem::Malformed),
            ("*.nordlys.example", FieldProblem::Malformed),
            ("https://nordlys.example", FieldProblem::Malformed),
            (many.as_str(), FieldProblem::TooLong),
        ];
        for (text, problem) in cases {
            assert_eq!(EmailDomains::parse(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_list_has_one_form() {
        let list = domains("b.example;a.example\n b.example");
        assert_eq!(list.to_stored(), "a.example b.example");
        assert_eq!(EmailDomains::from_stored(&list.to_stored()), list);
        assert_eq!(EmailDomains::from_stored(""), EmailDomains::default());
        let shown = domains("xn--bcher-kva.example").iter().next().map(ToString::to_string);
        assert_eq!(shown.as_deref(), Some("b\u{fc}cher.example"));
    }
}
