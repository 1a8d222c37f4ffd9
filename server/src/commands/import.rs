//! `latchkey import`.

use std::io::Read;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, bail};
use api::import::{Imported, NotImported, Table, Wrong, import};
use indicatif::{ProgressBar, ProgressStyle};
use model::Failure;
use serde_json::{Value, json};

use super::told::Told;
use super::{explain, open, plain};
use crate::config::Config;

/// How many errors are told one by one.
const TOLD: usize = 50;

/// Writes what a table says, all of it or nothing; with `dry_run` tells what would come of it.
pub(super) async fn run(config: &Config, file: &Path, dry_run: bool) -> Result<Told> {
    let bytes = read(file)?;
    let table = match Table::read(&bytes) {
        Ok(table) => table,
        Err(wrong) => return Ok(refused(&wrong)),
    };
    let latchkey = open(config).await?;
    // Where nobody looks, nothing is drawn.
    let bar = ProgressBar::new(table.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} rows, {eta} left") {
        bar.set_style(style);
    }
    let progress = |done: usize| bar.set_position(done as u64);
    let imported = import(&latchkey, &table, !dry_run, &progress).await;
    bar.finish_and_clear();
    latchkey.store.close().await;
    match imported {
        Ok(imported) => Ok(told(table.kind.name(), imported, dry_run)),
        Err(NotImported::Wrong(wrong)) => Ok(refused(&wrong)),
        Err(NotImported::Failed(Failure::Conflict(_))) => {
            bail!(
                "nothing was imported, as somebody changed the same at the same moment: try again"
            )
        }
        Err(NotImported::Failed(failure)) => Err(explain(failure)),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let name = file.display();
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("standard input can't be read")?;
        return Ok(bytes);
    }
    fs::read(file).with_context(|| format!("{name} can't be read"))
}

fn told(kind: &str, imported: Imported, dry_run: bool) -> Told {
    let Imported { created, changed, unchanged } = imported;
    let facts = json!({
        "kind": kind, "dry_run": dry_run, "written": !dry_run,
        "created": created, "changed": changed, "unchanged": unchanged, "errors": [],
    });
    let line = match dry_run {
        true => format!(
            "Of the {kind}, {created} would come about, {changed} would change, and {unchanged} are so \
             already. Nothing was written."
        ),
        false => format!(
            "Of the {kind}, {created} came about, {changed} changed, and {unchanged} were so already."
        ),
    };
    Told::new(facts).line(line)
}

fn refused(wrong: &[Wrong]) -> Told {
    let errors: Vec<_> = wrong.iter().map(facts).collect();
    let told = Told::new(json!({ "written": false, "errors": errors }));
    let more = wrong.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("And {more} more."));
    let trouble = match wrong.len() {
        1 => "nothing was imported: one thing is wrong with it".to_owned(),
        count => format!("nothing was imported: {count} things are wrong with it"),
    };
    told.lines(wrong.iter().take(TOLD).map(line)).lines(more).but(trouble)
}

fn facts(wrong: &Wrong) -> Value {
    let (column, name) = wrong.column.clone().unzip();
    json!({ "line": wrong.line, "column": column, "name": name, "detail": wrong.detail })
}

fn line(wrong: &Wrong) -> String {
    let (line, detail) = (wrong.line, plain(&wrong.detail));
    match &wrong.column {
        Some((column, name)) => format!("line {line}, column {column} ({}): {detail}", plain(name)),
        None => format!("line {line}: {detail}"),
    }
}
