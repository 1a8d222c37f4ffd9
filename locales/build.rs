//! Turns the language files into functions. A key that no file has, or that one of them lacks, fails
//! the build.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use leptos_i18n_codegen::gen_code;
use leptos_i18n_parser::parse_locales::options::{Config, ParseOptions};
use leptos_i18n_parser::parse_locales::parse_locales;
use serde_json::Value;

/// The language that every other one is compared with, and that readers of none of them get.
const FIRST: &str = "en";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.");
    let languages = languages(Path::new("."))?;
    compare(&languages)?;
    let mut config = Config::new(FIRST)?.locales_path(".");
    for language in languages.keys().filter(|language| *language != FIRST) {
        config = config.add_locale(language.as_str())?;
    }
    let options = ParseOptions::new().interpolate_display(true);
    let parsed = parse_locales(None, config.parse_options(options))?;
    for warning in parsed.diag.warnings().iter() {
        println!("cargo::warning={warning}");
    }
    for error in parsed.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    let (crate_path, attributes, emit_diagnostics, docs) = (None, None, false, false);
    let code = gen_code(&parsed, crate_path, emit_diagnostics, attributes, docs)?;
    let folder = PathBuf::from(std::env::var("OUT_DIR")?).join("i18n");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("mod.rs"), code.to_string())?;
    Ok(())
}

/// What a language file holds: for every key the names of what is put in.
type Keys = BTreeMap<String, Vec<String>>;

fn languages(folder: &Path) -> Result<BTreeMap<String, Keys>, Box<dyn Error>> {
    let mut languages = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut keys = Keys::new();
        collect(&file, "", &mut keys);
        languages.insert(name.to_owned(), keys);
    }
    Ok(languages)
}

fn collect(value: &Value, path: &str, keys: &mut Keys) {
    if let Value::Object(entries) = value {
        for (name, value) in entries {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect(value, &path, keys);
        }
    } else {
        // The forms of a plural are one key: a language has as many as it needs.
        let forms = ["_zero", "_one", "_two", "_few", "_many", "_other"];
        let form = forms.iter().find_map(|form| path.strip_suffix(form));
        let names = value.as_str().map(names).unwrap_or_default();
        let known = keys.entry(form.unwrap_or(path).to_owned()).or_default();
        known.extend(names);
        known.sort();
        known.dedup();
        if form.is_some() {
            // "One minute" needn't name the number.
            known.retain(|name| name != "count");
        }
    }
}

/// The names between double braces.
fn names(text: &str) -> Vec<String> {
    let parts = text.split("{{").skip(1).filter_map(|part| part.split_once("}}"));
    parts.map(|(name, _)| name.trim().to_owned()).collect()
}

fn compare(languages: &BTreeMap<String, Keys>) -> Result<(), String> {
    let first = languages.get(FIRST).ok_or(format!("locales/{FIRST}.json is missing"))?;
    let mut wrong = Vec::new();
    for (language, keys) in languages {
        for key in first.keys().filter(|key| !keys.contains_key(*key)) {
            wrong.push(format!("locales/{language}.json lacks {key}"));
        }
        for (key, names) in keys {
            match first.get(key) {
                None => {
                    wrong.push(format!("locales/{language}.json has {key}, which {FIRST} lacks"))
                }
                Some(expected) if expected != names => wrong.push(format!(
                    "locales/{language}.json: {key} puts in {names:?}, {FIRST} {expected:?}"
                )),
                Some(_) => {}
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
