//! `kubewright-agent guard`: run by a unit before kubelet starts, so that a boot can't give birth to etcd again.

use std::io::Write;
use std::time::Duration;

use crate::etcd;
use crate::failure::{Of, Outcome};
use crate::ledger::{Lock, Store};
use crate::system::System;

/// systemd keeps this (dangling) symlink for as long as kubelet runs.
const KUBELET_RUNS: &str = "/run/systemd/units/invocation:kubelet.service";
/// How long a member that was just born is given to write its first log segment.
const BIRTH: Duration = Duration::from_mins(1);

/// Before kubelet starts: takes etcd's manifest away if the member's data has vanished. While kubelet runs (called when
/// /var/lib/etcd changes): only notes that a member lives here now. Says on `log` what it did.
pub(crate) fn guard(system: &System, log: &mut dyn Write) -> Outcome<()> {
    if !system.exists(etcd::MANIFEST) {
        return Ok(());
    }
    if system.path(KUBELET_RUNS).is_symlink() {
        return note_birth(system);
    }
    // Never waited for: the agent that holds it may be the one that starts kubelet, and so waits for this.
    let lock = Lock::try_take(system)?;
    // A ledger that can't be read knows nothing; if there is no data either, waiting for a person is the safe side.
    let vanished = match Store::open(system) {
        Ok(mut store) => {
            etcd::sight(&mut store, system);
            if lock.is_some() {
                store.save()?;
            }
            etcd::has_vanished(&store, system)
        }
        Err(_) => !etcd::has_data(system),
    };
    if vanished {
        fs_err::rename(system.path(etcd::MANIFEST), system.path(etcd::HELD)).of("etcd")?;
        let _ = writeln!(
            log,
            "an etcd member lived on this machine, but its data in /var/lib/etcd/member is gone: {} was moved to {} \
             so that no empty member takes its place. Restore a snapshot, or forget the member with --forget-etcd-data",
            etcd::MANIFEST,
            etcd::HELD
        );
    }
    Ok(())
}

fn note_birth(system: &System) -> Outcome<()> {
    let pause = Duration::from_millis(200);
    let mut waited = Duration::ZERO;
    while !etcd::has_data(system) {
        if waited >= BIRTH || !system.exists("/var/lib/etcd/member") {
            return Ok(());
        }
        std::thread::sleep(pause);
        waited += pause;
    }
    // Whoever is at work on the machine notes it himself when he is done.
    let Some(_lock) = Lock::try_take(system)? else { return Ok(()) };
    let mut store = Store::open(system)?;
    etcd::sight(&mut store, system);
    if store.exists() { store.save() } else { Ok(()) }
}
