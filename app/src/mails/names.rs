//! What people typed, as it stands in their mails. Programs that show mails make links of what looks
//! like an address, and decode what looks encoded: a name in a mail of ours mustn't become either.
//!
//! Such names aren't refused where they are typed, as harmless ones have dots and slashes, too
//! ("Node.js-teamet", "A/S Norge"), and whatever list there was, others would pass. They are broken up
//! instead, by a character that nobody sees and no address holds. What a browser calls itself is told
//! by names of ours.

use model::{PolicyRule, TypedAddress, TypedName};

use crate::words;

/// U+2060 WORD JOINER: it takes no room, and no line is broken at it.
const JOINER: char = '\u{2060}';

/// What somebody typed, for a sentence in a mail.
pub(super) trait Harmless {
    /// The text, in which nothing leads anywhere.
    fn harmless(&self) -> String;
}

impl Harmless for TypedName {
    fn harmless(&self) -> String {
        broken_up(self.as_typed())
    }
}

impl Harmless for TypedAddress {
    fn harmless(&self) -> String {
        let address = self.as_typed();
        if is_plain(address) { address.to_owned() } else { broken_up(address) }
    }
}

/// A rule in words: the domains in it are somebody's.
pub(super) fn rule(rule: &PolicyRule) -> String {
    broken_up(&words::rule(rule))
}

/// The text with what addresses and encoded words are made of standing alone.
fn broken_up(text: &str) -> String {
    let mut broken = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        // What ends a word leads nowhere: a full stop, a colon.
        let ends = rest.peek().is_none_or(|next| next.is_whitespace());
        if joins(character) && !ends {
            broken.extend([JOINER, character, JOINER]);
        } else {
            broken.push(character);
        }
    }
    broken
}

/// Whether an address, or an encoded word (RFC 2047 section 2), is put together with it; also what
/// browsers take for a dot (UTS 46), and what looks like a dot, a colon, a slash or an at sign.
fn joins(character: char) -> bool {
    const ASCII: &str = ".:/\\@=?#";
    const DOTS: &str = "\u{3002}\u{ff0e}\u{ff61}\u{2024}\u{fe52}\u{2025}\u{2026}";
    const COLONS: &str = "\u{ff1a}\u{fe55}\u{fe13}\u{a789}\u{2236}\u{02d0}\u{05c3}";
    const SLASHES: &str = "\u{ff0f}\u{2044}\u{2215}\u{29f8}\u{27cb}\u{2571}\u{ff3c}\u{2216}";
    const AT_SIGNS: &str = "\u{ff20}\u{fe6b}";
    [ASCII, DOTS, COLONS, SLASHES, AT_SIGNS].iter().any(|some| some.contains(character))
}

/// Whether an e-mail address is taken for no other address, such as `www.evil.test/x@example.com`.
fn is_plain(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    !local.is_empty()
        && local.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether two parts of it still stand together around something that joins.
    fn leads_somewhere(text: &str) -> bool {
        let characters: Vec<_> = text.chars().collect();
        characters.windows(2).any(|pair| match pair {
            [joint, next] => joins(*joint) && !next.is_whitespace() && *next != JOINER,
            _ => false,
        })
    }

    #[test]
    fn what_looks_like_an_address_is_broken_up() {
        let names = [
            "http://evil.test/x click",
            "evil.test/x",
            "www.evil.test",
            "mailto:kari@evil.test",
            "kari@evil.test",
            "192.0.2.1",
            "[2001:db8::1]",
            "hxxp://evil.test",
            "//localhost/x",
            "http:\\\\evil.test",
            "evil\u{3002}test",
            "evil\u{ff0e}test\u{ff0f}x",
            "evil\u{2024}test\u{2044}x",
            "http\u{ff1a}\u{2215}\u{2215}evil\u{ff61}test",
            "javascript:alert(1)",
            "tel:+4712345678",
            "=?utf-8?q?Kari?=",
            "=?utf-8?b?S2FyaQ==?= x",
        ];
        for name in names {
            assert!(leads_somewhere(name), "{name}");
            let broken = broken_up(name);
            assert!(!leads_somewhere(&broken), "{broken:?}");
            assert!(!broken.contains("=?") && !broken.contains("?="), "{broken:?}");
            assert_eq!(broken.replace(JOINER, ""), name);
        }
    }

    #[test]
    fn harmless_names_look_as_before() {
        for name in
            ["Kari Nordmann", "St. Olav's AS", "Dr. Ø. Åsen", "Hansen & Sønn: bakeri", "A. B."]
        {
            assert_eq!(broken_up(name), name);
        }
        for name in ["Web.de GmbH", "Node.js-teamet", "A/S Norge", "3.14 AS", "Yahoo!?", "C/O E.A."]
        {
            let seen: String = broken_up(name).chars().filter(|c| *c != JOINER).collect();
            assert_eq!(seen, name);
        }
    }

    #[test]
    fn addresses_stay_whole_unless_they_hold_another() {
        for address in ["kari@nordlys.example", "k.a-r_i+x1@bücher.example", "rené@a.example"] {
            assert!(is_plain(address), "{address}");
        }
        for address in ["www.evil.test/x@a.example", "evil.test?x=@a.example", "a'b@a.example", "x"]
        {
            assert!(!is_plain(address), "{address}");
        }
    }
}
