//! Every word that a reader sees stands in the language files: components hold none.
//!
//! What looks like prose in the sources is looked for the way that a reader would: literals and
//! text between tags that begin with a capital and go on in small letters.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on says where")]

use std::fs;
use std::path::{Path, PathBuf};

/// Names that aren't words: HTTP's headers, a media type's parts, a time zone's, browsers'.
const NAMES: [&str; 24] = [
    "Accept",
    "Content-Type",
    "From: {}\\nTo: {}\\nSubject: {}\\nMessage-ID: {}\\nAuto-Submitted: auto-generated",
    "Cookie",
    "Location",
    "no-store, no-transform",
    "Error",
    "UTC",
    "Edg",
    "Edge",
    "Opera",
    "SamsungBrowser/",
    "Samsung Internet",
    "Firefox",
    "Firefox/",
    "Chrome",
    "Chrome/",
    "Safari",
    "Safari/",
    "Android",
    "Windows",
    "Mac OS X",
    "Mac",
    "Linux",
];

#[test]
fn no_word_stands_outside_the_language_files() {
    let mut found = Vec::new();
    for file in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("//") || line.contains("reason = ") {
                continue;
            }
            for piece in literals(line).into_iter().chain(between_tags(line)) {
                if is_prose(&piece) && !NAMES.contains(&piece.as_str()) {
                    found.push(format!("{}:{}: {piece:?}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "words outside the language files:\n{}", found.join("\n"));
}

#[test]
fn prose_is_told_from_code() {
    for prose in ["Sign in", "Billing", "Choose at least one", "no such user, sorry"] {
        assert!(is_prose(prose), "{prose}");
    }
    let code =
        ["button button-primary", "/accounts/{number}", "users/invite", "%Y-%m", "", "a", "{}"];
    for code in code {
        assert!(!is_prose(code), "{code}");
    }
}

fn sources(folder: PathBuf) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// The string literals of a line.
fn literals(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What stands bare between two tags of a line.
fn between_tags(line: &str) -> Vec<String> {
    let pieces = line.split('<').skip(1).filter_map(|tag| tag.split_once('>'));
    // HTML's tags are in small letters; Rust's parameters aren't.
    let tags = pieces.filter(|(tag, _)| tag.starts_with(|c: char| c == '/' || c.is_lowercase()));
    let bare = tags.map(|(_, text)| text.trim().to_owned());
    bare.filter(|text| !text.contains(['{', '(', ';', '=', '.', ','])).collect()
}

/// Whether it reads like words: a capital and small letters, or a comma or full stop after a word
/// and before another.
fn is_prose(text: &str) -> bool {
    let mut letters = text.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    let small = letters.next().is_some_and(char::is_lowercase);
    let only_words = text.chars().all(|c| c.is_alphabetic() || " ,.'’“”!?-:".contains(c));
    (capital && small && only_words)
        || (text.contains(", ") && text.contains(char::is_lowercase) && only_words)
}
