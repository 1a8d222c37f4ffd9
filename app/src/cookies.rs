//! The browser's cookies: reading those that it sends, and giving it others. One that can't be read
//! is passed over, whoever's it is, and those beside it count.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::request::site;

/// What the first cookie with this name holds that `read` can read.
pub(crate) fn find<T>(
    headers: &HeaderMap,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let lines = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    // Not by the library, which passes over every space that Unicode has: a browser lets a neighbouring
    // site set a cookie with one before `__Host-`, and this would be ours.
    let mut values = pairs.filter_map(|pair| {
        let (found, value) = str::from_utf8(pair).ok()?.split_once('=')?;
        (plain(found) == name).then(|| plain(value))
    });
    values.find_map(read)
}

/// The text without the space that may stand around a cookie's name and value.
fn plain(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Gives the browser a cookie for so many seconds; none when it isn't said for how long. `Lax`, as a
/// link in a mail must find the person signed in; `HttpOnly`, as no script needs it.
pub(crate) fn set(name: &str, value: &str, seconds: Option<i64>) {
    let mut cookie = Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site().secure)
        .build();
    cookie.set_max_age(seconds.map(Duration::seconds));
    if let (Some(response), Ok(cookie)) =
        (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie.to_string()))
    {
        response.append_header(header::SET_COOKIE, cookie);
    }
}

/// Takes a cookie away.
pub(crate) fn end(name: &str) {
    set(name, "", Some(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_is_passed_over() {
        let mut headers = HeaderMap::new();
        for line in [
            &b"kunde=Bj\xf8rn; latchkey=; latchkey-x=no;latchkey =one"[..],
            "kunde=Bjørn; =; ; =x; ø".as_bytes(),
            b"latchkey=two; latchkey=a=b",
            "\u{2000}latchkey=three; \u{a0}latchkey=four".as_bytes(),
        ] {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        let all = |name: &str| {
            let found = std::cell::RefCell::new(Vec::new());
            let _none: Option<()> = find(&headers, name, |value| {
                found.borrow_mut().push(value.to_owned());
                None
            });
            found.into_inner()
        };
        assert_eq!(all("latchkey"), ["", "one", "two", "a=b"]);
        assert_eq!(all("kunde"), ["Bjørn"]);
        let first =
            find(&headers, "latchkey", |value| (!value.is_empty()).then(|| value.to_owned()));
        assert_eq!(first.as_deref(), Some("one"));
    }
}
