//! etcd is never born twice: a member whose data has vanished must be restored or forgotten, not started anew; one whose disk
//! can't be read or written waits until it can.

use std::io::ErrorKind;

use machine::Body;
use rustix::fs::Access;

use crate::failure::{Failure, Of, Outcome};
use crate::ledger::Store;
use crate::system::System;
use crate::work::Wanted;
use crate::write;

/// The static pod that starts etcd.
pub(crate) const MANIFEST: &str = "/etc/kubernetes/manifests/etcd.yaml";
/// Where the guard holds it back: in the same directory, so that a rename always gets there, under a name that kubelet passes
/// over (it begins with a dot).
pub(crate) const HELD: &str = "/etc/kubernetes/manifests/.etcd.yaml.held";
/// Where guards of the first release held it back.
const HELD_EARLIER: &str = "/var/lib/kubewright/held-etcd.yaml";
/// Where a member's log is (etcd, server/storage/datadir). The member exists as soon as a first segment does.
const LOG: &str = "/var/lib/etcd/member/wal";

/// Whether a member's data is here. What can't be looked at is neither here nor gone: that is a failure.
pub(crate) fn has_data(system: &System) -> Outcome<bool> {
    let entries = match fs_err::read_dir(system.path(LOG)) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
        Err(error) => return Err(unseen(error)),
    };
    for entry in entries {
        if entry.map_err(unseen)?.path().extension().is_some_and(|extension| extension == "wal") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unseen(error: std::io::Error) -> Failure {
    of_disk(format!("whether a member lives on this machine can't be seen: {error}"))
}

fn of_disk(why: String) -> Failure {
    Failure::new("etcd", why)
        .hint("look at the disk of /var/lib/etcd: `dmesg`, `mount`; when it is mended, kubelet starts by itself")
}

/// Refuses to start a member whose data is here and could not go on with it. On a disk that was mounted read-only etcd would end
/// again and again, and only a pod's log would say why.
pub(crate) fn can_go_on(system: &System) -> Outcome<()> {
    if !has_data(system)? {
        return Ok(());
    }
    rustix::fs::access(system.path(LOG), Access::WRITE_OK).map_err(|error| {
        of_disk(format!("the data of the member on this machine, in {LOG}, can't be written: {error}"))
    })
}

/// Remembers a member's data while it is here.
pub(crate) fn sight(store: &mut Store<'_>, system: &System) -> Outcome<()> {
    store.ledger.etcd.member_seen |= has_data(system)?;
    Ok(())
}

/// Whether data that was here is gone, or must be taken for that. Without a record nobody knows whether a member lived here;
/// then a person has to look, as the agent leaves a record before it writes the first manifest.
pub(crate) fn has_vanished(store: &Store<'_>, system: &System) -> Outcome<bool> {
    Ok((store.ledger.etcd.member_seen || !store.exists()) && !has_data(system)?)
}

/// Forgets what the guard held back; the manifest itself stands in its place again, or is not wanted any more.
pub(crate) fn release(system: &System) -> Outcome<()> {
    for path in [HELD, HELD_EARLIER] {
        write::remove(&system.path(path)).of("etcd")?;
    }
    Ok(())
}

/// Refuses to start etcd on an empty directory where it had data; `recorded` is what the operator's records say.
pub(crate) fn check(wanted: &Wanted, store: &Store<'_>, system: &System, recorded: bool) -> Outcome<()> {
    if !wanted.files.contains_key(MANIFEST) {
        return Ok(());
    }
    let known = store.ledger.etcd.member_seen || recorded;
    if known && !has_data(system)? { Err(gone()) } else { can_go_on(system) }
}

/// Refuses to wait for a cluster whose member does not start on this machine: the guard holds it back, or keeps kubelet from
/// starting. Nothing comes up by itself any more.
pub(crate) fn may_start(system: &System) -> Outcome<()> {
    if [HELD, HELD_EARLIER].iter().any(|path| system.exists(path)) {
        return Err(gone());
    }
    if system.exists(MANIFEST) { can_go_on(system) } else { Ok(()) }
}

/// Whether a member belongs on this machine: its manifest is there or held back, or there may be data of one.
pub(crate) fn is_member(system: &System) -> bool {
    [MANIFEST, HELD, HELD_EARLIER].iter().any(|path| system.exists(path)) || has_data(system).unwrap_or(true)
}

/// Whether the member that a config asks for makes a cluster of its own.
pub(crate) fn is_alone(wanted: &Wanted) -> bool {
    let Some(Body::Bytes { bytes, .. }) = wanted.files.get(MANIFEST).map(|file| &file.body) else { return false };
    let text = String::from_utf8_lossy(bytes);
    let members = text.lines().find_map(|line| line.trim().strip_prefix("- --initial-cluster="));
    members.is_some_and(|members| !members.contains(','))
}

fn gone() -> Failure {
    Failure::new("etcd", "an etcd member lived on this machine, but its data in /var/lib/etcd/member is gone")
        .hint("restore a snapshot, or forget the member with --forget-etcd-data")
}
