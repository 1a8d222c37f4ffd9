//! The program.

use std::process::ExitCode;

use anyhow::{Context, Result};
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;

/// A third of a page's time went into getting memory and giving it back, and much stayed with threads that had
/// it once.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

fn main() -> Result<ExitCode> {
    let runtime = Runtime::new().context("the operating system gives no threads")?;
    let code = runtime.block_on(server::commands::run());
    // Whatever had to finish has: a thread that hangs doesn't keep the process.
    runtime.shutdown_background();
    Ok(code)
}
