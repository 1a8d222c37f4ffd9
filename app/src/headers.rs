//! What stands in a request's headers. They are read as bytes and part by part: what is odd is
//! passed over, and what stands beside it counts.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The parts of a header that is a list, from all its lines (RFC 9110 section 5.6.1).
pub fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let parts = lines.flat_map(|line| line.split(|byte| *byte == b','));
    let plain = parts.filter(|part| part.is_ascii());
    plain.filter_map(|part| Some(str::from_utf8(part).ok()?.trim())).filter(|part| !part.is_empty())
}

/// The same, each with how dear it is, from 0 (not this) to 1 (section 12.4.2): `de;q=0.4`.
pub fn weighed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    listed(headers, name).filter_map(|part| {
        let mut parts = part.split(';').map(str::trim);
        let value = parts.next()?;
        let quality =
            parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim().strip_prefix('='));
        let quality = quality.map_or(Some(1.0), |quality| quality.trim().parse().ok())?;
        (0.0..=1.0).contains(&quality).then_some((value, quality))
    })
}

/// Whether a page is wanted rather than JSON, which our own scripts ask for (section 12.5.1). Whoever
/// names neither gets the page.
#[must_use]
pub fn want_page(headers: &HeaderMap) -> bool {
    let (html, json) = (dearness(headers, "text/html"), dearness(headers, "application/json"));
    match (html, json) {
        (Some(html), json) => html > 0.0 && html >= json.unwrap_or(0.0),
        (None, json) => json.unwrap_or(0.0) <= 0.0,
    }
}

/// How dear an answer of this kind is, by the range that names it best.
fn dearness(headers: &HeaderMap, kind: &str) -> Option<f32> {
    let group = kind.split_once('/').map_or(kind, |(group, _)| group);
    let near = |range: &str| match range {
        range if range.eq_ignore_ascii_case(kind) => Some(2),
        "*/*" => Some(0),
        range => range.strip_suffix("/*")?.eq_ignore_ascii_case(group).then_some(1),
    };
    let ranges = weighed(headers, header::ACCEPT);
    let ranges = ranges.filter_map(|(range, quality)| Some((near(range)?, quality)));
    ranges.max_by_key(|(near, _)| *near).map(|(_, quality)| quality)
}

/// The kind of a request's body, without what is said of it besides (section 8.3.1).
#[must_use]
pub fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
    str::from_utf8(kind).unwrap_or_default().trim()
}

/// A header for people, or for one who knows what to do with what is odd in it: every line of it,
/// with a sign in the place of what isn't UTF-8.
#[must_use]
pub fn words(headers: &HeaderMap, name: &str) -> String {
    let lines = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
    lines.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn what_is_odd_in_a_list_is_passed_over() {
        let lines: [&[u8]; 3] = [b"gzip, \xf8;q=1 ,br;q=0", "ø, deflate".as_bytes(), b" , \xff"];
        let headers = with(header::ACCEPT_ENCODING, &lines);
        let found: Vec<_> = weighed(&headers, header::ACCEPT_ENCODING).collect();
        assert_eq!(found, [("gzip", 1.0), ("br", 0.0), ("deflate", 1.0)]);
        for odd in ["gzip;q=nonsense", "gzip;q=2", "gzip;q=-1", "gzip;q=NaN", "gzip;q="] {
            let headers = with(header::ACCEPT_ENCODING, &[odd.as_bytes()]);
            assert_eq!(weighed(&headers, header::ACCEPT_ENCODING).count(), 0, "{odd}");
        }
    }

    #[test]
    fn whoever_rather_takes_a_page_gets_one() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let cases: [(&[&[u8]], bool); 18] = [
            (&[], true),
            (&[b""], true),
            (&[b"*/*"], true),
            (&[b"image/png"], true),
            (&[browser.as_bytes()], true),
            (&[b"application/json"], false),
            (&[b"Application/JSON"], false),
            (&[b"application/json, text/html"], true),
            (&[b"application/json;q=0.5, text/html;q=0.4"], false),
            (&[b"application/json;q=0.4, TEXT/HTML; level=1; Q=0.5"], true),
            (&[b"application/json", b"text/html"], true),
            (&[b"text/html;q=0"], false),
            (&[b"text/html;q=0, */*"], false),
            (&[b"text/*;q=0.1, application/*;q=0.2"], false),
            (&[b"application/json;q=0, */*"], true),
            (&[b"application/json;q=0"], true),
            (&[b"text/html, application/\xf8"], true),
            (&["ø, application/json".as_bytes()], false),
        ];
        for (lines, page) in cases {
            assert_eq!(want_page(&with(header::ACCEPT, lines)), page, "{lines:?}");
        }
    }

    #[test]
    fn the_kind_of_a_body_is_what_stands_in_front() {
        for (line, kind) in [
            (&b"application/json"[..], "application/json"),
            (b"text/plain; charset=\xf8", "text/plain"),
            (b"\xf8", ""),
        ] {
            assert_eq!(content_type(&with(header::CONTENT_TYPE, &[line])), kind);
        }
        assert_eq!(content_type(&HeaderMap::new()), "");
    }
}
