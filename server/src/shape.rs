//! The shape of a page that comes to life: which elements, texts and comments stand where. The
//! document says it, and the browser's half begins only where it finds the same (`app/src/living.js`):
//! a proxy, an extension or a translation may have changed what it would build on.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use memchr::{memchr, memchr2_iter};

/// Where the document says it: the element around the page, not filled in yet. A name that stands
/// before it, as in the title, can't be the same, as its `<` is escaped.
const OPEN: &str = "<div id=\"page\" data-shape=\"?\">";

/// Elements that hold nothing and have no end tag (HTML, section 13.1.2).
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// The document with its page's shape in it.
pub(crate) async fn noted(document: Response) -> Response {
    let (head, body) = document.into_parts();
    let Ok(body) = body.collect().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let bytes = body.to_bytes();
    let noted = std::str::from_utf8(&bytes).ok().and_then(|document| {
        let (before, page) = document.split_once(OPEN)?;
        let open = OPEN.replace('?', &format!("{:x}", shape(page)));
        Some(format!("{before}{open}{page}"))
    });
    Response::from_parts(head, noted.map_or_else(|| Body::from(bytes), Body::from))
}

/// The shape of what stands before the end of the surrounding element.
fn shape(page: &str) -> u32 {
    let mut shape = Fnv(0x811c_9dc5);
    let (mut rest, mut depth) = (page, 0_usize);
    while let Some(begin) = memchr(b'<', rest.as_bytes()) {
        let markup = &rest[begin + 1..];
        if begin > 0 {
            shape.add("#");
        }
        if let Some(comment) = markup.strip_prefix('!') {
            shape.add("!");
            let end = if comment.starts_with("--") { "-->" } else { ">" };
            rest = comment.split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        let (tag, after) = tag(markup);
        rest = after;
        if tag.starts_with('/') {
            if depth == 0 {
                break;
            }
            depth -= 1;
            shape.add("/");
            continue;
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default();
        shape.add("<");
        shape.add(name);
        let is_void = VOID.iter().any(|void| name.eq_ignore_ascii_case(void));
        if is_void || tag.ends_with('/') {
            shape.add("/");
        } else {
            depth += 1;
        }
    }
    shape.0
}

/// A tag without its angle brackets, and what follows it. A `>` in an attribute's quotes ends none.
fn tag(markup: &str) -> (&str, &str) {
    let bytes = markup.as_bytes();
    let mut quoted = false;
    let end = memchr2_iter(b'"', b'>', bytes).find(|place| {
        quoted ^= bytes[*place] == b'"';
        bytes[*place] == b'>' && !quoted
    });
    let (tag, after) = markup.split_at(end.unwrap_or(markup.len()));
    (tag, after.strip_prefix('>').unwrap_or(after))
}

/// FNV-1a: short to write in both languages. It tells accidents apart, not attacks.
struct Fnv(u32);

impl Fnv {
    /// Names of elements are the same in capitals.
    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tokens: &str) -> u32 {
        let mut all = Fnv(0x811c_9dc5);
        all.add(tokens);
        all.0
    }

    #[test]
    fn a_shape_is_made_of_elements_texts_and_comments() {
        let cases = [
            ("</div>", ""),
            ("text</div><p>beyond</p>", "#"),
            ("<p class=\"a>b\">a<!>b</p></div>", "<p#!#/"),
            ("<ul><li>a</li><li></li></ul><!--x>y--></div>", "<ul<li#/<li//!"),
            (
                "<input value=\"</div>\">a<br><svg><path d=\"M1\"/></svg></div>",
                "<input/#<br/<svg<path//",
            ),
            ("<P>a</P></div>", "<p#/"),
        ];
        for (page, tokens) in cases {
            assert_eq!(shape(page), of(tokens), "{page}");
        }
    }

    #[tokio::test]
    async fn a_document_says_its_shape_and_any_other_stays_as_it_is() {
        // Somebody may be called like it.
        let title = "<title>&lt;div id=\"page\" data-shape=\"?\"></title>";
        let page = format!("{title}<div id=\"page\" data-shape=\"?\"><p>æ</p></div>");
        let shape = of("<p#/");
        let said = format!("{title}<div id=\"page\" data-shape=\"{shape:x}\"><p>æ</p></div>");
        for (before, after) in [(&*page, &*said), ("<body>a</body>", "<body>a</body>")] {
            let body = noted(before.to_owned().into_response()).await.into_body();
            assert_eq!(body.collect().await.unwrap().to_bytes(), after.as_bytes());
        }
    }
}
