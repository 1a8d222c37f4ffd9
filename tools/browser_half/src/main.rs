//! Makes of the browser's half, as the compiler leaves it, what browsers load: leaves out what no browser runs, parts
//! the WASM into a main module and the pieces that pages need besides, and binds the main module to JavaScript.
//!
//! `browser_half INPUT FOLDER`, of which INPUT is a WASM file with relocations. `scripts/front.mjs` calls it.

mod never_run;

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::{Options, transform};

/// What all of it is called.
const NAME: &str = "latchkey";

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let input = arguments.next().context("Which WASM file?")?;
    let folder = arguments.next().context("Into which folder?")?;

    let wasm = std::fs::read(&input).with_context(|| format!("{}", input.display()))?;
    let wasm = never_run::without_never_run(wasm)?;
    let main = input.with_file_name(format!("{NAME}.wasm"));
    let script = format!("./{NAME}.js");
    let mut options = Options::new(&wasm);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.main_module = &script;
    // The macro that marks where to part it names this file, too.
    options.link_name = "./__wasm_split.______________________.js";
    let parted = transform(options).map_err(|error| anyhow!("{error:?}"))?;
    let needed = serde_json::to_vec(&parted.prefetch_map)?;
    std::fs::write(folder.join("__wasm_split_manifest.json"), needed)?;

    Bindgen::new()
        .input_path(&main)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .demangle(false)
        .keep_lld_exports(true)
        .generate(&folder)
}
