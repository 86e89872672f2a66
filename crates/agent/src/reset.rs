//! Undoing exactly what the ledger says, and what the cluster put into directories that the agent made.

use std::io::ErrorKind;

use machine::Item;
use machine::compare::FoundUnit;

use crate::etcd;
use crate::failure::{Failure, Of, Outcome};
use crate::keep;
use crate::ledger::{self, Ledger, Lock, Store};
use crate::pods;
use crate::replies::Replies;
use crate::steps::{hostname, packages, swap, sysctls, units};
use crate::system::System;
use crate::systemctl;
use crate::write;

/// Directories in which only a cluster's components write. If one of them (or one below) was made by the agent, or was
/// empty when it came, its content goes, too.
const DATA: [&str; 6] =
    ["/etc/cni/net.d", "/etc/kubernetes", "/var/lib/cni", "/var/lib/containerd", "/var/lib/etcd", "/var/lib/kubelet"];

/// Makes the machine what it was. May be interrupted and done again.
pub(crate) fn reset(system: &System, epoch: u64, replies: &mut Replies<'_>) -> Outcome<()> {
    if !system.exists(ledger::FILE) {
        refuse_unknown_work(system)?;
    }
    if !system.memory().is_dir() {
        return Ok(());
    }
    let lock = Lock::take(system)?;
    let mut store = Store::open(system)?;
    store.admit(epoch)?;
    let ledger = store.ledger.clone();

    replies.progress("stopping units");
    units::undo(system, &ledger.units, replies)?;
    if ledger.units.keys().any(|name| name == "kubelet.service") {
        replies.progress("ending pods");
        pods::end(system)?;
    }
    empty_data(system, &ledger, replies)?;
    etcd::release(system)?;
    undo_settings(system, &ledger, replies)?;
    let packages: Vec<&str> = ledger.packages.iter().map(String::as_str).collect();
    packages::undo(system, &packages, replies)?;
    for path in keep::undo_directories(system, &ledger.directories)? {
        replies.progress(format!("{path} stays: something else is in it"));
    }
    keep::forget_originals(system)?;
    forget_archives(system)?;
    let outcome = store.destroy();
    drop(lock);
    outcome
}

/// An error where a cluster runs that was put here by an agent whose memory is out of sight.
fn refuse_unknown_work(system: &System) -> Outcome<()> {
    if !system.exists(sysctls::BOOT) {
        return Ok(());
    }
    let kubelet_runs = systemctl::show(system, &["kubelet.service"])?.values().any(FoundUnit::is_running);
    if !kubelet_runs && pods::running(system, "etcd").is_empty() {
        return Ok(());
    }
    let why = format!("{} is not there, but {} is, and kubelet or etcd runs", ledger::FILE, sysctls::BOOT);
    Err(Failure::new("ledger", why).hint(
        "if its disk is not mounted, mount it and reset again; if it is gone for good, stop kubelet and etcd by hand first",
    ))
}

/// Archives of images that an import which was killed has left in the agent's directory.
fn forget_archives(system: &System) -> Outcome<()> {
    for entry in fs_err::read_dir(system.memory()).of("ledger")? {
        let entry = entry.of("ledger")?;
        if entry.file_name().to_string_lossy().starts_with("loading-") {
            write::remove(&entry.path()).of("ledger")?;
        }
    }
    Ok(())
}

fn undo_settings(system: &System, ledger: &Ledger, replies: &mut Replies<'_>) -> Outcome<()> {
    for (path, entry) in &ledger.files {
        let was_there = system.path(path).is_symlink() || system.exists(path);
        keep::undo_file(system, path, entry)?;
        if was_there {
            replies.changed(Item::File(path), if entry.original.is_some() { "put back" } else { "removed" });
        }
    }
    sysctls::undo(system, ledger.sysctls.iter(), replies);
    swap::undo(system, &ledger.swap, replies)?;
    if let Some(name) = &ledger.hostname {
        hostname::set(system, name)?;
    }
    if !ledger.units.is_empty() {
        system.must("units", "systemctl", &["daemon-reload"])?;
    }
    Ok(())
}

/// Empties the directories of the cluster's data, but only once nothing is mounted in them: what is mounted into a
/// volume is not the cluster's.
fn empty_data(system: &System, ledger: &Ledger, replies: &mut Replies<'_>) -> Outcome<()> {
    for (path, entry) in &ledger.directories {
        let is_data = DATA
            .iter()
            .any(|data| path.strip_prefix(data).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        if !is_data || !(entry.made || entry.was_empty) {
            continue;
        }
        let item = Item::Directory(path);
        if let Some(mount) = pods::mounts_below(system, path).first() {
            return Err(Failure::new(item, format!("something is mounted at {mount}"))
                .hint(format!("`umount {mount}`, then reset again")));
        }
        let entries = match fs_err::read_dir(system.path(path)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(Failure::new(item, error)),
        };
        let mut emptied = false;
        for entry in entries {
            let entry = entry.of(item)?;
            let removed = if entry.file_type().of(item)?.is_dir() {
                fs_err::remove_dir_all(entry.path())
            } else {
                fs_err::remove_file(entry.path())
            };
            removed.of(item)?;
            emptied = true;
        }
        if emptied {
            replies.changed(item, "emptied");
        }
    }
    Ok(())
}
