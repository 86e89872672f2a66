//! An update that has nothing to do, on real machines, and what of it is not just the connections.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Bench;
use super::cluster::Cluster;
use super::place::machine_names;
use super::sample::{Sample, children_cpu, median};
use crate::workspace::output;

const CONTROL_PLANES: u32 = 3;
const WORKERS: u32 = 2;
/// How often both are measured on one cluster, by turns.
const TURNS: usize = 5;

/// Seconds that `update cluster --yes` takes beyond a bare `ssh true` to all machines at once.
pub(super) fn update(bench: &Bench) -> Result<Sample> {
    bench.prepare_clusters()?;
    let cluster = Cluster::new(bench.program()?, "bench")?;
    let status = cluster.create(CONTROL_PLANES, WORKERS)?.wait()?;
    if !status.success() {
        bail!("kubewright failed:\n{}", std::fs::read_to_string(cluster.log())?);
    }
    let machines = machine_names(CONTROL_PLANES, WORKERS);
    let addresses = machines.iter().map(|machine| cluster.place.address(machine)).collect::<Result<Vec<_>>>()?;
    let_in(&cluster, &machines)?;
    update_once(&cluster)?; // Warm, as the ones that are measured.
    let (mut updates, mut connections, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bench.check()?;
        connections.push(connect(&cluster, &addresses)?);
        let before = children_cpu()?;
        updates.push(update_once(&cluster)?);
        cpu.push(children_cpu()? - before);
    }
    cluster.delete()?;
    let (update, connection) = (median(updates), median(connections));
    Ok(Sample::new(update - connection, median(cpu)).with("update {} s", update).with("ssh true {} s", connection))
}

fn update_once(cluster: &Cluster<'_>) -> Result<f64> {
    let began = Instant::now();
    let said = output(&mut cluster.command(&["update", "cluster", &cluster.name, "--yes"]))?;
    let seconds = began.elapsed().as_secs_f64();
    if said.contains("No changes.") { Ok(seconds) } else { bail!("the update had something to do:\n{said}") }
}

/// Makes a key and lets it in, in the second file that sshd reads: the first one is kubewright's.
fn let_in(cluster: &Cluster<'_>, machines: &[String]) -> Result<()> {
    let key = cluster.place.path("key");
    output(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let public = std::fs::read_to_string(key.with_extension("pub")).context("cannot read the key")?;
    let script = format!("echo '{}' > /root/.ssh/authorized_keys2", public.trim());
    for machine in machines {
        output(cluster.command(&["ssh", &cluster.name, machine, "--", &script]).stdin(Stdio::null()))?;
    }
    Ok(())
}

/// Seconds of `ssh true` on all machines at once.
fn connect(cluster: &Cluster<'_>, addresses: &[String]) -> Result<f64> {
    let began = Instant::now();
    let mut running = Vec::new();
    for address in addresses {
        let mut command = Command::new("ssh");
        // Nothing but this one key is offered, and nobody's configuration is read.
        command.args(["-q", "-F", "none", "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey"]);
        command.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-i"]);
        command.arg(cluster.place.path("key")).args([&format!("root@{address}"), "true"]).stdin(Stdio::null());
        running.push(command.spawn().context("cannot start ssh")?);
    }
    for mut each in running {
        let status = each.wait()?;
        if !status.success() {
            bail!("ssh ended with {status}");
        }
    }
    Ok(began.elapsed().as_secs_f64())
}
