//! Addresses: the present page's path, which paths are gone to, and how a text stands in a query.

use leptos::prelude::*;

/// The page's path. On the server from the request itself: the page that asks who one is has no router.
pub(crate) fn path() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<axum::http::request::Parts>()
        .map(|parts| parts.uri.path().to_owned())
        .unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    leptos_router::hooks::use_location().pathname.get_untracked()
}

/// The path, if it leads to a page of this site and nowhere else.
#[cfg(any(feature = "ssr", test))]
#[must_use]
pub fn same_site(path: &str) -> Option<&str> {
    let inside = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.contains(|c: char| c.is_control() || !c.is_ascii());
    inside.then_some(path)
}

/// A text as it may stand in a query (RFC 3986 section 3.4).
pub(crate) fn escape_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(byte as char);
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for path in ["/", "/accounts/1/users?search=a%20b", "/a/b"] {
            assert_eq!(same_site(path), Some(path));
        }
        for path in ["", "//evil.example", "https://evil.example", "/\\evil", "/a\nb", "/ø"] {
            assert_eq!(same_site(path), None, "{path}");
        }
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape_query("/a?b=c&d=é"), "/a%3Fb%3Dc%26d%3D%C3%A9");
    }
}
