//! Turns the language files into functions: a key that no file has fails the build.

use std::path::PathBuf;

use leptos_i18n_build::{Config, ParseOptions, TranslationsInfos};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let options = ParseOptions::new().interpolate_display(true);
    let languages = TranslationsInfos::parse(Config::new("en")?.parse_options(options))?;
    languages.emit_diagnostics();
    languages.rerun_if_locales_changed();
    let folder = PathBuf::from(std::env::var("OUT_DIR")?).join("i18n");
    languages.generate_i18n_module(folder)?;
    Ok(())
}
