//! Static pods: what ran from an earlier manifest or file has ended before an apply says that the new one holds.

use std::time::Duration;

use machine::{Body, DesiredFile, Item, static_pod};

use crate::etcd;
use crate::failure::{Failure, Outcome};
use crate::members;
use crate::pods::{self, Process};
use crate::replies::Replies;
use crate::steps::files;
use crate::system::System;
use crate::waiting;
use crate::work::{States, Work};

/// How long kubelet may take to end a pod: it gives it 30 s (kubelet's default for static pods) before it kills it.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Refuses where a member of etcd would be restarted that the others can't spare.
pub(crate) fn precheck(work: &Work<'_, '_>, states: &States) -> Outcome<()> {
    let Some(file) = work.wanted.files.get(etcd::MANIFEST) else { return Ok(()) };
    if files::changes(states, etcd::MANIFEST) && restarts(work.system, etcd::MANIFEST, file) {
        members::spare(work.system, work.wanted)?;
    }
    Ok(())
}

/// Whether a pod runs from a manifest that means something else. kubelet compares pods, not texts, and lets one run on of
/// which the manifest means the same.
fn restarts(system: &System, path: &str, file: &DesiredFile) -> bool {
    let Body::Bytes { bytes, .. } = &file.body else { return false };
    system.text(path).is_some_and(|before| meant(&before) != meant(&String::from_utf8_lossy(bytes)))
}

/// Notes what runs from a manifest that is about to be written anew. Its main program has the manifest's name, as kubeadm
/// lays them out; of other pods nothing is known.
pub(crate) fn intend(work: &mut Work<'_, '_>, path: &str, file: &DesiredFile) {
    let Some(name) = static_pod::name(path) else { return };
    if !restarts(work.system, path, file) {
        return;
    }
    let running = pods::running(work.system, name);
    note(work.store.ledger.pending.pods.entry(name.to_owned()).or_default(), running);
}

/// Notes what runs of a static pod that reads a file at its start only.
pub(crate) fn intend_end(work: &mut Work<'_, '_>, name: &str) {
    let running = pods::running(work.system, name);
    if !running.is_empty() {
        note(work.store.ledger.pending.ends.entry(name.to_owned()).or_default(), running);
    }
}

/// Asks what was noted to end: kubelet starts it again, and it reads its files anew. Then it is waited for.
pub(crate) fn end(work: &mut Work<'_, '_>) -> Outcome<()> {
    for (name, processes) in work.store.ledger.pending.ends.clone() {
        work.replies.progress(format!("restarting {name}"));
        for process in processes.iter().filter(|process| pods::is_alive(work.system, process)) {
            // It may have ended by itself since.
            let _ = work.system.programs().terminate(process.pid);
        }
        note(work.store.ledger.pending.pods.entry(name.clone()).or_default(), processes);
        work.store.ledger.pending.ends.remove(&name);
    }
    work.store.save()
}

fn note(noted: &mut Vec<Process>, processes: Vec<Process>) {
    for process in processes {
        if !noted.contains(&process) {
            noted.push(process);
        }
    }
}

/// The lines of a manifest that say something.
fn meant(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.trim_start().starts_with('#')).collect()
}

/// Waits until kubelet has ended what was noted, also by an agent that did not live to see it.
pub(crate) fn wait(work: &mut Work<'_, '_>) -> Outcome<()> {
    for (name, processes) in work.store.ledger.pending.pods.clone() {
        ended(work.system, work.replies, &name, &processes)?;
        work.store.ledger.pending.pods.remove(&name);
    }
    work.store.save()
}

fn ended(system: &System, replies: &mut Replies<'_>, name: &str, processes: &[Process]) -> Outcome<()> {
    let item = Item::File(&static_pod::manifest(name)).to_string();
    let look = || {
        let runs_on = processes.iter().any(|process| pods::is_alive(system, process));
        Ok(if runs_on { Err("kubelet has not ended it of the earlier manifest".to_owned()) } else { Ok(()) })
    };
    waiting::until(&item, name, TIMEOUT, replies, look)?.map_err(|_| {
        let why = format!("kubelet did not end {name} of the earlier manifest within {} s", TIMEOUT.as_secs());
        Failure::new(item, why).hint("see what it says: journalctl -u kubelet")
    })
}

#[cfg(test)]
mod tests {
    use machine::{Content, MachineConfig};

    use crate::pods::Process;
    use crate::tests::world::{World, config};

    /// A machine on which `static` runs from its manifest.
    fn running() -> (World, MachineConfig) {
        let world = World::new();
        let mut config = config();
        config.group.units.remove("haproxy.service");
        world.applied(&config);
        world.write("/sys/fs/cgroup/pids/kubepods/pod1/c/cgroup.procs", "41\n");
        world.write("/proc/41/cmdline", "static\0--flag");
        world.write("/proc/41/stat", "41 (static) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0\n");
        (world, config)
    }

    fn change(config: &mut MachineConfig, text: &str) {
        let file = config.group.files.get_mut("/etc/kubernetes/manifests/static.yaml").unwrap();
        file.content = Content::Text(text.into());
    }

    fn pending(world: &World) -> Vec<Process> {
        let ledger: crate::ledger::Ledger =
            serde_json::from_str(&world.read("/var/lib/kubewright/ledger.json")).unwrap();
        ledger.pending.pods.into_values().flatten().collect()
    }

    #[test]
    fn an_apply_ends_when_what_ran_from_the_earlier_manifest_has() {
        let (world, mut config) = running();
        change(&mut config, "image: y\n");
        let process = world.at("/proc/41");
        let kubelet = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            std::fs::remove_dir_all(process).unwrap();
        });
        world.applied(&config);
        assert!(!world.exists("/proc/41"), "it was waited for");
        kubelet.join().unwrap();
        assert!(pending(&world).is_empty());
    }

    #[test]
    fn kubelet_is_restarted_only_when_it_has_ended_what_ran_from_the_earlier_manifest() {
        let (world, mut config) = running();
        change(&mut config, "image: y\n");
        let settings = config.group.files.get_mut("/var/lib/kubelet/config.yaml").unwrap();
        settings.content = Content::Text("other\n".into());
        let process = world.at("/proc/41");
        let kubelet = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            std::fs::remove_dir_all(process).unwrap();
        });
        let changed = world.applied(&config);
        kubelet.join().unwrap();
        assert!(changed.contains(&"unit/kubelet.service restarted".to_owned()), "{changed:?}");
        assert_eq!(world.state.borrow().beside_restarts, [false], "nothing of the earlier manifest ran then");
    }

    #[test]
    fn a_pod_that_reads_a_file_at_its_start_is_ended_once_when_the_file_changes() {
        let (world, mut config) = running();
        let mut policy = crate::tests::world::text("first\n");
        policy.restarts = vec!["static".into()];
        config.group.files.insert("/etc/kubernetes/policy.yaml".into(), policy);
        std::fs::rename(world.at("/proc/41"), world.at("/proc/hidden")).unwrap();
        world.applied(&config);
        std::fs::rename(world.at("/proc/hidden"), world.at("/proc/41")).unwrap();
        world.applied(&config);
        assert!(world.terminated().is_empty(), "nothing changed");
        let file = config.group.files.get_mut("/etc/kubernetes/policy.yaml").unwrap();
        file.content = Content::Text("second\n".into());
        world.calls();
        world.applied(&config);
        assert_eq!(world.terminated(), [41]);
        assert!(pending(&world).is_empty() && !world.calls().iter().any(|call| call.contains("restart")));
    }

    #[test]
    fn what_was_not_waited_for_is_so_by_the_next_apply() {
        let (world, mut config) = running();
        change(&mut config, "image: y\n");
        world.state.borrow_mut().broken.insert("containerd.service".into());
        world.state.borrow_mut().running.remove("containerd.service");
        world.apply(&config);
        assert_eq!(pending(&world), [Process { pid: 41, started: 777 }]);
        world.state.borrow_mut().broken.clear();
        std::fs::remove_dir_all(world.at("/proc/41")).unwrap();
        world.applied(&config);
        assert!(pending(&world).is_empty());
    }

    #[test]
    fn a_manifest_that_means_the_same_ends_nothing() {
        let (world, config) = running();
        world.write("/etc/kubernetes/manifests/static.yaml", "# a note\nimage: x\n\n");
        world.applied(&config);
        assert!(world.exists("/proc/41") && pending(&world).is_empty());
    }
}
