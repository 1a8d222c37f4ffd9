//! The built files, inside the binary: scripts, styles, icons. What is under `/pkg` carries a hash
//! of all of it in its address, so that browsers may keep it for good.

use std::borrow::Cow;
use std::sync::Arc;

use app::Assets;
use app::headers::{listed, weighed};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use crate::router::Parts;

/// What `cargo leptos build` left in the site folder.
#[derive(Embed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Built;

/// The addresses of the built files, all under one hash: the pieces of WASM refer to each other, so
/// they change their address together.
#[must_use]
pub fn load() -> Arc<Assets> {
    let mut all = Sha256::new();
    let mut names: Vec<_> = Built::iter().collect();
    names.sort();
    for file in names.iter().filter_map(|name| Built::get(name)) {
        all.update(file.metadata.sha256_hash());
    }
    let id = hex(&all.finalize()[..8]);
    let root = format!("/pkg/{id}");
    let pages: Vec<(String, Vec<String>)> = Built::get("pkg/pages.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default();
    let addresses =
        |files: Vec<String>| files.iter().map(|file| format!("{root}/{file}")).collect();
    let pages = pages.into_iter().map(|(path, files)| (path, addresses(files))).collect();
    let wasm =
        if Built::get("pkg/latchkey_bg.wasm").is_some() { "latchkey_bg" } else { "latchkey" };
    Arc::new(Assets {
        build: id,
        js: format!("{root}/latchkey.js"),
        wasm: format!("{root}/{wasm}.wasm"),
        css: format!("{root}/latchkey.css"),
        pages,
    })
}

/// Whether the built files are there; `latchkey doctor` asks.
#[must_use]
pub fn are_there() -> bool {
    ["js", "css"].iter().all(|kind| Built::get(&format!("pkg/latchkey.{kind}")).is_some())
}

/// `GET /pkg/…`, a build's id and a file's name: compressed beforehand, never to be asked for again.
/// Another build's address finds nothing: its bytes must not be kept under this one's name.
pub async fn package(
    State(parts): State<Parts>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let this_build = |id: &str| parts.assets.js.starts_with(&format!("/pkg/{id}/"));
    let Some((_, file)) = path.split_once('/').filter(|(id, _)| this_build(id)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    send(&format!("pkg/{file}"), &headers, forever)
}

/// `GET /favicon.svg` and the like: kept for an hour, then asked for by its `ETag`.
pub async fn file(name: &'static str, headers: HeaderMap) -> Response {
    send(name, &headers, HeaderValue::from_static("public, max-age=3600"))
}

fn send(name: &str, headers: &HeaderMap, keep: HeaderValue) -> Response {
    let Some((file, encoding)) = find(name, headers) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = match file.data {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    };
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
    let kind = format!("{kind}{charset}");
    let mut response = unless_known(body, &file.metadata.sha256_hash(), &kind, headers, keep);
    let out = response.headers_mut();
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// A file of the provider's: kept for an hour, then asked for by its `ETag`.
pub(crate) fn own(bytes: Vec<u8>, kind: &str, headers: &HeaderMap) -> Response {
    let hash = Sha256::digest(&bytes);
    let keep = HeaderValue::from_static("public, max-age=3600");
    unless_known(bytes.into_response(), &hash, kind, headers, keep)
}

/// The body, unless the browser has it already (RFC 9110 section 13.1.2).
fn unless_known(
    body: Response,
    hash: &[u8],
    kind: &str,
    headers: &HeaderMap,
    keep: HeaderValue,
) -> Response {
    let tag = format!("\"{}\"", hex(&hash[..16]));
    let mut known = listed(headers, header::IF_NONE_MATCH);
    let is_known = known.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { body };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, keep);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if let Ok(kind) = HeaderValue::from_str(kind) {
        out.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// The smallest form of the file that the browser takes.
fn find(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let takes = |encoding: &str| {
        let mut accepted = weighed(headers, header::ACCEPT_ENCODING);
        accepted.any(|(one, quality)| one.eq_ignore_ascii_case(encoding) && quality > 0.0)
    };
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if takes(encoding)
            && let Some(file) = Built::get(&format!("{name}.{ending}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Built::get(name).map(|file| (file, None))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
