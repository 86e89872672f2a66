//! A plan for 1 000 machines: files to text, in a process of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::Bench;
use super::sample::{Sample, children_cpu};
use crate::dist;
use crate::workspace::output;

/// What a plan is made from, on disk, and the program that makes it.
pub(super) struct Scale {
    program: PathBuf,
    directory: PathBuf,
}

impl Scale {
    /// Writes documents, recorded state and observations.
    pub(super) fn set_up() -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("kubewright-bench-scale-{}", std::process::id()));
        let scale = Self { program: dist::example("scale")?, directory };
        std::fs::create_dir_all(&scale.directory).context("cannot make a directory")?;
        let made = output(Command::new(&scale.program).arg("setup").arg(&scale.directory))?;
        println!("plan-1000: {}", made.trim());
        Ok(scale)
    }

    fn plan(&self) -> Result<Plan> {
        let mut command = Command::new(&self.program);
        command.arg("plan").arg(&self.directory).stdin(Stdio::null());
        let before = children_cpu()?;
        let began = Instant::now();
        let output = command.output().context("cannot start the plan")?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu_seconds = children_cpu()? - before;
        let told = String::from_utf8_lossy(&output.stderr);
        let peak = told.lines().find_map(|line| line.strip_prefix("peak: ")?.strip_suffix(" kB")?.parse().ok());
        let kibibytes: u32 = peak.with_context(|| format!("the plan did not come to its end: {told}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = u32::try_from(text.lines().count()).context("more lines than anything sensible")?;
        Ok(Plan { seconds, cpu_seconds, megabytes: f64::from(kibibytes) * 1.024 / 1000.0, lines: f64::from(lines) })
    }
}

impl Drop for Scale {
    fn drop(&mut self) {
        // What cannot be removed is in the directory for temporary files, where it is swept up.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

struct Plan {
    seconds: f64,
    cpu_seconds: f64,
    megabytes: f64,
    lines: f64,
}

/// In seconds.
pub(super) fn time(bench: &Bench) -> Result<Sample> {
    let plan = bench.scale()?.plan()?;
    Ok(Sample::new(plan.seconds, plan.cpu_seconds).with("{} lines of text", plan.lines))
}

/// In microseconds.
pub(super) fn schedule(bench: &Bench) -> Result<Sample> {
    let scale = bench.scale()?;
    let before = children_cpu()?;
    let told = output(Command::new(&scale.program).arg("schedule"))?;
    let nanoseconds: u32 = told.trim().parse().context("the scheduler's cost is a number")?;
    Ok(Sample::new(f64::from(nanoseconds) / 1000.0, children_cpu()? - before))
}

/// In syncs for each record.
pub(super) fn journal(bench: &Bench) -> Result<Sample> {
    let scale = bench.scale()?;
    let before = children_cpu()?;
    let directory = tempfile::tempdir().context("cannot make a directory")?;
    let told = output(Command::new(&scale.program).arg("journal").arg(directory.path()))?;
    let syncs: f64 = told.trim().parse().context("the journal's cost is a number")?;
    Ok(Sample::new(syncs, children_cpu()? - before))
}

/// In megabytes.
pub(super) fn memory(bench: &Bench) -> Result<Sample> {
    let plan = bench.scale()?.plan()?;
    Ok(Sample::new(plan.megabytes, plan.cpu_seconds))
}
