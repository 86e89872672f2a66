//! Creations side by side: kubewright, and the committed script around kubeadm on the same machines.
//!
//! kubeadm's machines are booted by kubewright's local provider (`tests/yardstick`), in parallel and from the same image
//! and image store, so both sides boot the same machines in the same way; its time begins with that program's start, as
//! kubewright's does. Both end with the same probe. The script is given what kubewright makes beside Kubernetes itself:
//! containerd's configuration, units, flannel's objects.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Bench;
use super::cluster::Cluster;
use super::kubeadm::Machines;
use super::place::machine_names;
use super::probe::Probes;
use super::sample::{Sample, children_cpu};
use super::steady;

/// How long one creation may take.
const TIMEOUT: Duration = Duration::from_mins(4);
/// How often is looked whether a program has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// One control plane and two workers.
pub(super) fn small(bench: &Bench) -> Result<Sample> {
    side_by_side(bench, 1, 2)
}

/// Three control planes and two workers.
pub(super) fn highly_available(bench: &Bench) -> Result<Sample> {
    side_by_side(bench, 3, 2)
}

/// What one creation took.
pub(super) struct Took {
    /// Seconds until DNS answered on every machine.
    pub(super) seconds: f64,
    /// Seconds until the program had ended.
    program: f64,
    /// Processor time of the machines and the programs.
    pub(super) cpu_seconds: f64,
    /// What kubewright waited for longest.
    pub(super) longest: String,
}

fn side_by_side(bench: &Bench, control_planes: u32, workers: u32) -> Result<Sample> {
    bench.prepare_clusters()?;
    bench.yardstick()?;
    // By turns, since the second one finds files in memory that the first one had to read.
    let (ours, theirs) = if bench.turn() {
        let ours = kubewright(bench, control_planes, workers)?;
        (ours, kubeadm(bench, control_planes, workers)?)
    } else {
        let theirs = kubeadm(bench, control_planes, workers)?;
        (kubewright(bench, control_planes, workers)?, theirs)
    };
    Ok(Sample::new(ours.seconds / theirs.seconds, ours.cpu_seconds)
        .with("kubewright {} s", ours.seconds)
        .with("{} CPU-s", ours.cpu_seconds)
        .with("ended after {} s", ours.program)
        .with("kubeadm {} s", theirs.seconds)
        .with("{} CPU-s", theirs.cpu_seconds)
        .with("ended after {} s", theirs.program))
}

/// One creation by kubewright, and its end.
pub(super) fn kubewright(bench: &Bench, control_planes: u32, workers: u32) -> Result<Took> {
    let cluster = Cluster::new(bench.program()?, "bench")?;
    let before = children_cpu()?;
    let probes = Probes::begin(&cluster.place, &machine_names(control_planes, workers));
    let began = Instant::now();
    let mut creating = cluster.create(control_planes, workers)?;
    let ended = wait(bench, &mut creating, began + TIMEOUT);
    let program = began.elapsed().as_secs_f64();
    if !ended? {
        bail!("kubewright failed:\n{}", std::fs::read_to_string(cluster.log())?);
    }
    let seconds = probes.finish(bench, began + TIMEOUT).context("on kubewright's machines")?;
    let cpu_seconds = children_cpu()? - before + cluster.place.cpu_seconds()?;
    let longest = steady::longest(&std::fs::read_to_string(cluster.log())?);
    cluster.delete()?;
    Ok(Took { seconds, program, cpu_seconds, longest })
}

fn kubeadm(bench: &Bench, control_planes: u32, workers: u32) -> Result<Took> {
    let mut machines = Machines::new(bench.yardstick()?, "benchadm", control_planes, workers)?;
    let before = children_cpu()?;
    let probes = Probes::begin(&machines.place, &machine_names(control_planes, workers));
    let began = Instant::now();
    machines.boot()?;
    let mut script = machines.script()?;
    let ended = wait(bench, &mut script, began + TIMEOUT);
    let program = began.elapsed().as_secs_f64();
    if !ended? {
        bail!("the script failed:\n{}", std::fs::read_to_string(machines.log())?);
    }
    let seconds = probes.finish(bench, began + TIMEOUT).context("on the script's machines")?;
    let cpu_seconds = children_cpu()? - before + machines.place.cpu_seconds()? + machines.own_cpu_seconds()?;
    machines.take_away()?;
    Ok(Took { seconds, program, cpu_seconds, longest: String::new() })
}

/// Waits for a program; whether it succeeded. One that takes too long, or is no longer wanted, is ended.
fn wait(bench: &Bench, child: &mut Child, deadline: Instant) -> Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        let stopped = bench.check();
        if stopped.is_err() || Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            stopped?;
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}
