//! Links that the provider gives with its things, such as to where an invoice is paid: which addresses
//! they can be.

use model::{FieldProblem, Link};
use url::Url;

use crate::network::is_here;

/// Reads a link: an address of https, or of http on the reader's own machine, that holds no user or
/// password. It is kept as browsers write it.
///
/// # Errors
/// [`FieldProblem::TooLong`], [`FieldProblem::Malformed`].
pub fn read(text: &str) -> Result<Link, FieldProblem> {
    if text.chars().count() > Link::LONGEST {
        return Err(FieldProblem::TooLong);
    }
    // What browsers leave out of an address, or take for something else, isn't there for any good.
    let is_plain = !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    let url = Url::parse(text).ok().filter(|_| is_plain).ok_or(FieldProblem::Malformed)?;
    let leads_there = (url.scheme() == "https" && url.has_host()) || is_here(&url);
    if !leads_there || !url.username().is_empty() || url.password().is_some() {
        return Err(FieldProblem::Malformed);
    }
    match url.as_str() {
        long if long.chars().count() > Link::LONGEST => Err(FieldProblem::TooLong),
        url => Ok(Link::from_stored(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_of_https() {
        for text in [
            "https://pay.example/2026-0017?key=a%20b#now",
            "https://pay.example:8443/",
            "https://192.0.2.7/",
            "http://localhost:8080/pay",
            "http://127.0.0.1/",
            "http://[::1]/",
        ] {
            assert_eq!(read(text).as_ref().map(Link::as_str), Ok(text));
        }
        assert_eq!(read("HTTPS://Pay.Example").unwrap().as_str(), "https://pay.example/");
        assert_eq!(read("https://bøller.example/ø").unwrap().as_str(), {
            "https://xn--bller-vua.example/%C3%B8"
        });
        for text in [
            "",
            "pay.example",
            "//pay.example",
            "/pay",
            "http://pay.example/",
            "http://localhost.pay.example/",
            "ftp://pay.example/",
            "javascript:alert(1)",
            "JavaScript://pay.example/%0Aalert(1)",
            "data:text/html,x",
            "mailto:pay@pay.example",
            "https://",
            "https:///",
            "https://user@pay.example/",
            "https://user:geheim@pay.example/",
            "https://pay.example/a b",
            " https://pay.example/",
            "https://pay.example/\n",
            "java\tscript:alert(1)",
            "https:\\\\pay.example\\",
        ] {
            assert_eq!(read(text), Err(FieldProblem::Malformed), "{text}");
        }
    }

    #[test]
    fn a_link_is_bounded_as_it_is_sent_and_as_it_is_kept() {
        let long = |letter: &str, count| format!("https://pay.example/{}", letter.repeat(count));
        assert!(read(&long("x", Link::LONGEST - 20)).is_ok());
        assert_eq!(read(&long("x", Link::LONGEST - 19)), Err(FieldProblem::TooLong));
        assert_eq!(read(&long("ø", Link::LONGEST / 2)), Err(FieldProblem::TooLong));
    }
}
