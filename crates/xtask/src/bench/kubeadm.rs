//! kubeadm's side: machines without Kubernetes, and the script that makes a cluster of them; gone when it is dropped.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::place::Place;
use super::sample;
use crate::workspace::root;

/// Machines and the program that keeps them.
pub(super) struct Machines {
    /// Where they are.
    pub(super) place: Place,
    command: Command,
    keeper: Option<Child>,
}

impl Machines {
    /// Machines that are not booted yet; `yardstick` is the program that does it.
    pub(super) fn new(yardstick: &Path, cluster: &str, control_planes: u32, workers: u32) -> Result<Self> {
        let place = Place::new(cluster)?;
        let mut command = Command::new(yardstick);
        command.arg(place.directory()).arg(cluster);
        // A Ctrl-C ends the bench, and with its end of the pipe these machines go.
        command.args([control_planes, workers].map(|count| count.to_string())).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self { place, command, keeper: None })
    }

    /// Boots them, and returns when all accept connections.
    pub(super) fn boot(&mut self) -> Result<()> {
        let keeper = self.keeper.insert(self.command.spawn().context("cannot start the yardstick")?);
        let mut said = String::new();
        let output = keeper.stdout.as_mut().context("the yardstick has no output")?;
        BufReader::new(output).read_line(&mut said)?;
        if said == "ready\n" { Ok(()) } else { bail!("the machines do not boot") }
    }

    /// The script, started.
    pub(super) fn script(&self) -> Result<Child> {
        let log = File::create(self.log()).context("cannot write the log")?;
        let mut command = Command::new("bash");
        command.arg(root().join("crates/xtask/bench/kubeadm.sh")).arg(self.place.directory());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().context("cannot start the script")
    }

    /// What the script said.
    pub(super) fn log(&self) -> PathBuf {
        self.place.path("log")
    }

    /// Processor time of the program that booted the machines.
    pub(super) fn own_cpu_seconds(&self) -> Result<f64> {
        let keeper = self.keeper.as_ref().context("the machines are not booted")?;
        sample::own_cpu(keeper.id())
    }

    /// Removes them.
    pub(super) fn take_away(&mut self) -> Result<()> {
        let Some(mut keeper) = self.keeper.take() else { return Ok(()) };
        drop(keeper.stdin.take());
        let status = keeper.wait().context("cannot wait for the yardstick")?;
        if status.success() {
            return Ok(());
        }
        self.place.keep();
        bail!("the yardstick ended with {status}; what is left of its machines is in {}", self.place.state().display())
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        if let Err(error) = self.take_away() {
            println!("{error:#}");
        }
    }
}
