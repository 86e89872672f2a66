//! `kubewright-agent guard`: run by systemd before kubelet starts, so that a boot can't give birth to etcd again.

use std::io::Write;
use std::time::Duration;

use crate::etcd;
use crate::failure::{Of, Outcome};
use crate::ledger::{Lock, Store};
use crate::system::System;

/// systemd keeps this (dangling) symlink for as long as kubelet runs or is about to.
const KUBELET_RUNS: &str = "/run/systemd/units/invocation:kubelet.service";
/// How long a member that was just born is given to write its first log segment.
const BIRTH: Duration = Duration::from_mins(1);

/// When the guard is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// kubelet is about to start, and does not if the guard fails.
    BeforeKubelet,
    /// /var/lib/etcd has changed. Units of the first release also call it so before kubelet starts.
    Change,
}

/// Before kubelet starts: takes etcd's manifest away if the member's data has vanished; a failure means that this could not
/// be found out, or not be done, or that etcd could not go on with its data. While kubelet runs: only notes that a member lives
/// here now. Says on `log` what it did.
pub(crate) fn guard(system: &System, moment: Moment, log: &mut dyn Write) -> Outcome<()> {
    if !system.path(etcd::MANIFEST).try_exists().of("etcd")? {
        return Ok(());
    }
    if moment == Moment::Change && system.path(KUBELET_RUNS).is_symlink() {
        return note_birth(system);
    }
    // A ledger that can't be read knows nothing; if there is no data either, waiting for a person is the safe side.
    let store = Store::open(system);
    let vanished = match &store {
        Ok(store) => etcd::has_vanished(store, system)?,
        Err(_) => !etcd::has_data(system)?,
    };
    if vanished {
        return hold(system, log);
    }
    etcd::can_go_on(system)?;
    // An agent that is at work notes it himself when he is done. He is not waited for: he may be the one that starts kubelet,
    // and so waits for this.
    if store.is_ok_and(|store| store.exists())
        && let Some(_lock) = Lock::try_take(system)?
    {
        let mut store = Store::open(system)?;
        etcd::sight(&mut store, system)?;
        store.save()?;
    }
    Ok(())
}

fn hold(system: &System, log: &mut dyn Write) -> Outcome<()> {
    fs_err::rename(system.path(etcd::MANIFEST), system.path(etcd::HELD)).of("etcd")?;
    let _ = writeln!(
        log,
        "an etcd member lived on this machine, but its data in /var/lib/etcd/member is gone (or so is the record of it): {} \
         was moved to {} so that no empty member takes its place. Restore a snapshot, or forget the member with \
         --forget-etcd-data",
        etcd::MANIFEST,
        etcd::HELD
    );
    Ok(())
}

fn note_birth(system: &System) -> Outcome<()> {
    let pause = Duration::from_millis(200);
    let mut waited = Duration::ZERO;
    while !etcd::has_data(system)? {
        if waited >= BIRTH || !system.exists("/var/lib/etcd/member") {
            return Ok(());
        }
        std::thread::sleep(pause);
        waited += pause;
    }
    // Whoever is at work on the machine notes it himself when he is done.
    let Some(_lock) = Lock::try_take(system)? else { return Ok(()) };
    let mut store = Store::open(system)?;
    etcd::sight(&mut store, system)?;
    if store.exists() { store.save() } else { Ok(()) }
}
