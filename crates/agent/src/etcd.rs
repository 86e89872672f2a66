//! etcd is never born twice: a member whose data has vanished must be restored or forgotten, not started anew.

use crate::failure::{Failure, Outcome};
use crate::ledger::Store;
use crate::system::System;
use crate::work::Goal;

/// The static pod that starts etcd.
pub(crate) const MANIFEST: &str = "/etc/kubernetes/manifests/etcd.yaml";
/// Where the guard holds it back; outside of what kubelet reads.
pub(crate) const HELD: &str = "/var/lib/kubewright/held-etcd.yaml";
/// Where a member's log is (etcd, server/storage/datadir). The member exists as soon as a first segment does.
const LOG: &str = "/var/lib/etcd/member/wal";

/// Whether a member's data is here.
pub(crate) fn has_data(system: &System) -> bool {
    let entries = fs_err::read_dir(system.path(LOG)).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "wal"))
}

/// Remembers a member's data while it is here.
pub(crate) fn sight(store: &mut Store<'_>, system: &System) {
    store.ledger.etcd.member_seen |= has_data(system);
}

/// Whether data that was here is gone.
pub(crate) fn has_vanished(store: &Store<'_>, system: &System) -> bool {
    store.ledger.etcd.member_seen && !has_data(system)
}

/// Refuses to start etcd on an empty directory where it had data; `recorded` is what the operator's records say.
pub(crate) fn check(goal: &Goal, store: &Store<'_>, system: &System, recorded: bool) -> Outcome<()> {
    let known = store.ledger.etcd.member_seen || recorded;
    if !goal.files.contains_key(MANIFEST) || !known || has_data(system) {
        return Ok(());
    }
    Err(Failure::new("etcd", "an etcd member lived on this machine, but its data in /var/lib/etcd/member is gone")
        .hint("restore a snapshot, or forget the member with --forget-etcd-data"))
}
