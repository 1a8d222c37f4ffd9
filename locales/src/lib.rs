//! The language files beside this folder as functions, one for each key. A crate of its own: nothing
//! else makes so much code, and it changes with the sentences alone.
#![allow(missing_docs, unused, reason = "made from the language files")]

include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));

pub use i18n::Locale;
