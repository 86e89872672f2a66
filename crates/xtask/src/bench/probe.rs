//! The end of a creation: cluster DNS answers on every machine. One process per machine asks in its network, from the
//! moment at which the machine is there.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use super::dns;
use super::place::{Machines, Place};

/// How often is looked; what is measured is many hundred times longer.
const PAUSE: Duration = Duration::from_millis(10);

/// Probes of all machines of a cluster; they end when this is dropped.
pub(super) struct Probes {
    began: Instant,
    stop: Arc<AtomicBool>,
    machines: Vec<JoinHandle<Result<Instant>>>,
}

impl Probes {
    /// Begins to look. The machines need not be there yet.
    pub(super) fn begin(place: &Place, machines: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let probe = |machine: &String| {
            let (machines, name, stop) = (place.machines(), machine.clone(), stop.clone());
            std::thread::spawn(move || {
                answered(&machines, &name, &stop).with_context(|| format!("DNS on machine {name}"))
            })
        };
        Self { began: Instant::now(), machines: machines.iter().map(probe).collect(), stop }
    }

    /// Seconds from the beginning to the last machine's answer.
    pub(super) fn finish(mut self, bench: &super::Bench, deadline: Instant) -> Result<f64> {
        let mut last = self.began;
        for machine in std::mem::take(&mut self.machines) {
            while !machine.is_finished() {
                bench.check()?;
                if Instant::now() > deadline {
                    bail!("cluster DNS does not answer on every machine");
                }
                std::thread::sleep(PAUSE);
            }
            last = last.max(machine.join().map_err(|_| anyhow!("a probe panicked"))??);
        }
        Ok(last.duration_since(self.began).as_secs_f64())
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for machine in std::mem::take(&mut self.machines) {
            let _ = machine.join(); // Nobody is interested in its answer any more.
        }
    }
}

/// When a machine got its answer.
fn answered(machines: &Machines, name: &str, stop: &AtomicBool) -> Result<Instant> {
    let leader = loop {
        if stop.load(Ordering::Relaxed) {
            bail!("it was not there");
        }
        match machines.home(name).and_then(|home| leader(&home)) {
            Some(leader) => break leader,
            None => std::thread::sleep(PAUSE),
        }
    };
    // Leads to this program even when another one was built in its place.
    let own = format!("/proc/{}/exe", std::process::id());
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{leader}/ns/net")).arg(own).args(["ask-dns", dns::SERVER]).stdin(Stdio::null());
    let mut asking = command.spawn().context("cannot start nsenter")?;
    let status = loop {
        match asking.try_wait()? {
            Some(status) => break status,
            None if stop.load(Ordering::Relaxed) => end(&mut asking)?,
            None => std::thread::sleep(PAUSE),
        }
    };
    if status.success() { Ok(Instant::now()) } else { bail!("the probe ended with {status}") }
}

fn end(asking: &mut Child) -> Result<()> {
    asking.kill().context("cannot end a probe")
}

/// Process 1 of a machine: the supervisor's child that is number 1 in a namespace of its own.
fn leader(home: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(home.join("run/pid")).ok()?;
    let pid: u32 = text.split_whitespace().next()?.parse().ok()?;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        is_first_of_its_own(&status) && has_a_network_of_its_own(*pid)
    })
}

/// systemd-nspawn's process 1 leaves the host's network a moment after it was born: whoever entered it earlier would ask the
/// host's network for ever.
fn has_a_network_of_its_own(pid: u32) -> bool {
    let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    matches!((network(&pid.to_string()), network("self")), (Some(its), Some(ours)) if its != ours)
}

fn is_first_of_its_own(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_the_hosts_network_is_no_machine_yet() {
        assert!(!has_a_network_of_its_own(std::process::id()));
        assert!(!has_a_network_of_its_own(u32::MAX), "gone");
    }

    #[test]
    fn a_machines_process_1_is_one_in_its_own_namespace_only() {
        assert!(is_first_of_its_own("Name:\tsystemd\nNSpid:\t4711\t1\n"));
        assert!(!is_first_of_its_own("NSpid:\t1\n"), "the host's");
        assert!(!is_first_of_its_own("NSpid:\t4711\t2\n") && !is_first_of_its_own(""));
    }
}
