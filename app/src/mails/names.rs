//! What people typed, as it stands in their mails. Programs that show mails make links of what looks
//! like an address, and decode what looks encoded: a name in a mail of ours mustn't become either.
//!
//! Such names aren't refused where they are typed, as harmless ones have dots and slashes, too
//! ("Node.js-teamet", "A/S Norge"), and whatever list there was, others would pass. They are broken up
//! instead, by a character that nobody sees and no address holds.

use model::{Mail, PolicyRule};

use crate::words;

/// U+2060 WORD JOINER: it takes no room, and no line is broken at it.
const JOINER: char = '\u{2060}';

/// The mail with its names broken up.
pub(super) fn harmless(mail: &Mail) -> Mail {
    let mut mail = mail.clone();
    let (names, addresses) = typed(&mut mail);
    for name in names {
        *name = broken_up(name);
    }
    for address in addresses {
        if !is_plain(address) {
            *address = broken_up(address);
        }
    }
    mail
}

/// A rule in words: the domains in it are somebody's.
pub(super) fn rule(rule: &PolicyRule) -> String {
    broken_up(&words::rule(rule))
}

/// The text as it was before it was broken up.
pub(super) fn as_typed(text: &str) -> String {
    text.replace(JOINER, "")
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

/// The names and the e-mail addresses in it.
fn typed(mail: &mut Mail) -> (Vec<&mut String>, Vec<&mut String>) {
    match mail {
        Mail::Invitation { account, inviter, access: _, expires_at: _, token: _ } => {
            (std::iter::once(account).chain(inviter).collect(), Vec::new())
        }
        Mail::InvitationAccepted { account, name, email, access: _ } => {
            (vec![account, name], vec![email])
        }
        Mail::InvitationDeclined { account, email } => (vec![account], vec![email]),
        Mail::InvitationReported { account_number: _, account, inviter, inviter_email, email } => {
            (vec![account, inviter], vec![inviter_email, email])
        }
        Mail::PermissionsChanged { account, changed_by, before: _, after: _ }
        | Mail::PolicyChanged { account, changed_by, before: _, after: _ } => {
            (vec![account, changed_by], Vec::new())
        }
        Mail::AccessRemoved { account, removed_by } => {
            (std::iter::once(account).chain(removed_by).collect(), Vec::new())
        }
        Mail::SecondFactorDemanded { account, from: _, closed: _ } => (vec![account], Vec::new()),
        Mail::EmailChange { before, expires_at: _, token: _ } => (Vec::new(), vec![before]),
        Mail::EmailUndo { after, expires_at: _, token: _ } => (Vec::new(), vec![after]),
        Mail::EmailNews { news: _, before, after, at: _ } => (Vec::new(), vec![before, after]),
        Mail::IdentityChanged { news: _, provider, at: _ } => (vec![provider], Vec::new()),
        Mail::Several { times: _, since: _, last } => typed(last),
        // What a browser calls itself is told by names of ours.
        Mail::NewDevice { at: _, user_agent: _, address: _ }
        | Mail::PasswordChanged { by_link: _, at: _, user_agent: _, address: _ }
        | Mail::PasswordReset { expires_at: _, token: _ }
        | Mail::EmailProof { expires_at: _, token: _ }
        | Mail::FactorChanged { news: _, at: _ }
        | Mail::EmailTaken { at: _ } => (Vec::new(), Vec::new()),
    }
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
            assert_eq!(as_typed(&broken), name);
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
