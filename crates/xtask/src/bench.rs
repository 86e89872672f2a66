//! `cargo xtask bench`: budgets and what is measured against them, medians of interleaved runs.

mod cluster;
mod create;
mod dns;
mod kubeadm;
mod no_op;
mod place;
mod probe;
mod report;
mod rows;
mod sample;
mod scale;
mod steady;

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};

pub(crate) use self::dns::ask as ask_dns;
use self::sample::Sample;
use self::scale::Scale;
use crate::dist::{self, Profile};
use crate::workspace::{output, root};

/// One budget.
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) about: &'static str,
    /// The most that may be measured, in `unit`.
    budget: f64,
    unit: &'static str,
    measure: fn(&Bench) -> Result<Sample>,
}

/// All of them.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "create-1-2",
        about: "1 control plane, 2 workers: `create --yes` until DNS answers on every machine, beside kubeadm",
        budget: 0.55,
        unit: "of its time",
        measure: create::small,
    },
    Row {
        name: "create-3-2",
        about: "3 control planes, 2 workers, likewise",
        budget: 0.38,
        unit: "of its time",
        measure: create::highly_available,
    },
    Row {
        name: "create-steady",
        about: "10 creations of 1 control plane and 2 workers in a row: the slowest one, until DNS answers on every machine",
        budget: 1.15,
        unit: "medians",
        measure: steady::creations,
    },
    Row {
        name: "no-op-update",
        about: "`update --yes` of 3 control planes and 2 workers with nothing to do, less `ssh true` to all at once",
        budget: 0.5,
        unit: "s",
        measure: no_op::update,
    },
    Row {
        name: "plan-1000-machines",
        about: "files → plan text, 1 000 machines in 20 groups, recorded and observed loaded from disk",
        budget: 0.5,
        unit: "s",
        measure: scale::time,
    },
    Row {
        name: "plan-1000-memory",
        about: "most memory that this takes",
        budget: 150.0,
        unit: "MB",
        measure: scale::memory,
    },
    Row {
        name: "schedule",
        about: "the scheduler's cost of an action, in a plan of 30 actions on each of 1 000 machines",
        budget: 5.0,
        unit: "µs",
        measure: scale::schedule,
    },
    Row {
        name: "journal",
        about: "syncs of the disk for each record of a journal that 100 actions write to at once",
        budget: 0.1,
        unit: "syncs",
        measure: scale::journal,
    },
    Row {
        name: "get-clusters",
        about: "`get clusters` of an empty store",
        budget: 50.0,
        unit: "ms",
        measure: rows::get_clusters,
    },
    Row { name: "binary", about: "size of the released program", budget: 60.0, unit: "MB", measure: rows::binary_size },
];

/// How to measure.
pub(crate) struct Options {
    /// Rows to measure; none stands for all.
    pub(crate) only: Vec<String>,
    /// How often each.
    pub(crate) runs: usize,
    /// Put the table into the documents.
    pub(crate) write: bool,
}

/// What is measured, and what that needs, made at first use.
struct Bench {
    program: OnceCell<PathBuf>,
    scale: OnceCell<Scale>,
    clusters: OnceCell<()>,
    yardstick: OnceCell<PathBuf>,
    first: Cell<bool>,
    stop: Arc<AtomicBool>,
}

impl Bench {
    fn new() -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        // Clusters must not outlive a bench that is stopped.
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, stop.clone()).context("cannot listen for signals")?;
        }
        let first = Cell::new(false);
        let (program, scale, clusters, yardstick) = Default::default();
        Ok(Self { program, scale, clusters, yardstick, first, stop })
    }

    /// The program as it is released.
    fn program(&self) -> Result<&Path> {
        if self.program.get().is_none() {
            let _ = self.program.set(dist::program(Profile::Release)?); // It is empty: nobody else is here.
        }
        self.program.get().map(PathBuf::as_path).context("nothing was built")
    }

    /// Whether this side is the first one now: in every other run it is.
    fn turn(&self) -> bool {
        self.first.get()
    }

    /// An error when somebody wants this to stop.
    fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        Ok(())
    }

    /// Documents, recorded state and observations of 1 000 machines.
    fn scale(&self) -> Result<&Scale> {
        if self.scale.get().is_none() {
            let _ = self.scale.set(Scale::set_up()?); // It is empty: nobody else is here.
        }
        self.scale.get().context("nothing was set up")
    }

    /// Everything that clusters need is in the cache, which is not part of what is measured.
    fn prepare_clusters(&self) -> Result<()> {
        if self.clusters.get().is_none() {
            output(Command::new(self.program()?).args(["assets", "pull"]).current_dir(root()))?;
            let _ = self.clusters.set(()); // It is empty: nobody else is here.
        }
        Ok(())
    }

    /// The program that boots kubeadm's machines.
    fn yardstick(&self) -> Result<&Path> {
        if self.yardstick.get().is_none() {
            let _ = self.yardstick.set(dist::example("yardstick")?); // It is empty: nobody else is here.
        }
        self.yardstick.get().map(PathBuf::as_path).context("nothing was built")
    }
}

/// Measures, and prints the table. A missed budget is told, and is no error.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options.only.iter().find(|name| !ROWS.iter().any(|row| row.name == **name)) {
        bail!("there is no row {unknown}; see: cargo xtask bench --list");
    }
    if options.runs == 0 {
        bail!("--runs must be at least 1");
    }
    let is_partial = ROWS.iter().any(|row| !is_wanted(row, &options.only));
    if options.write && is_partial {
        bail!("--write needs all rows: the table would lose the others");
    }
    let bench = Bench::new()?;
    let rows: Vec<&Row> = ROWS.iter().filter(|row| is_wanted(row, &options.only)).collect();
    let mut samples: Vec<Vec<Sample>> = rows.iter().map(|_| Vec::new()).collect();
    // Interleaved: what else the machine does then falls on all rows alike.
    for number in 1..=options.runs {
        bench.first.set(!bench.first.get());
        for (row, samples) in rows.iter().zip(&mut samples) {
            bench.check()?;
            let sample = (row.measure)(&bench).with_context(|| format!("row {}", row.name))?;
            println!("run {number} of {}: {}", options.runs, report::line(row, &sample));
            samples.push(sample);
        }
    }
    let text = report::table(&rows, &samples);
    println!("\n{text}");
    if options.write {
        let path = root().join("docs/benchmarks.md");
        std::fs::write(&path, report::document(&text, options.runs)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn is_wanted(row: &Row, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|name| name == row.name)
}
