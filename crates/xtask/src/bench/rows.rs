//! How each row is measured.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::Bench;
use super::sample::{Sample, children_cpu};
use crate::workspace::output;

/// In milliseconds.
pub(super) fn get_clusters(bench: &Bench) -> Result<Sample> {
    let store = std::env::temp_dir().join(format!("kubewright-bench-{}", std::process::id()));
    let mut command = Command::new(bench.program()?);
    command.args(["get", "clusters", "--state"]).arg(&store);
    let before = children_cpu()?;
    let began = Instant::now();
    let result = output(&mut command);
    let value = began.elapsed().as_secs_f64() * 1000.0;
    if store.exists() {
        std::fs::remove_dir_all(&store).context("cannot remove the store that was measured")?;
    }
    result?;
    Ok(Sample::new(value, children_cpu()? - before))
}

/// In megabytes.
pub(super) fn binary_size(bench: &Bench) -> Result<Sample> {
    let bytes = std::fs::metadata(bench.program()?).context("the program was not built")?.len();
    let kilobytes = u32::try_from(bytes / 1000).context("the program is larger than anything sensible")?;
    Ok(Sample::new(f64::from(kilobytes) / 1000.0, 0.0))
}
