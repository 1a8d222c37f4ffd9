//! The program.

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

fn main() -> Result<ExitCode> {
    let runtime = Runtime::new().context("the operating system gives no threads")?;
    let code = runtime.block_on(server::commands::run());
    // Whatever had to finish has: a thread that hangs doesn't keep the process.
    runtime.shutdown_background();
    Ok(code)
}
