//! Comparing the machine with a config, without changing anything of it.

use machine::{MachineConfig, Reply};

use crate::etcd;
use crate::failure::Outcome;
use crate::ledger::{Lock, Store};
use crate::members;
use crate::steps::{directories, files, hostname, modules, packages, swap, sysctls, units};
use crate::system::System;
use crate::work::{States, View, Wanted};

/// What a request to observe asks for.
pub(crate) struct Observe {
    pub(crate) config: MachineConfig,
    pub(crate) digest_key: String,
    pub(crate) deep: bool,
    pub(crate) probe: Vec<String>,
}

/// The state of every item.
pub(crate) fn observe(system: &System, request: Observe) -> Outcome<Reply> {
    let wanted = Wanted::new(system, request.config, &request.digest_key)?;
    let store = Store::open(system)?;
    let view = View { system, wanted: &wanted, ledger: &store.ledger, deep: request.deep };
    let mut items = settings(view);
    items.append(&mut packages::observe(view));
    items.append(&mut units::observe(view));
    let exists = request.probe.into_iter().filter(|path| system.exists(path)).collect();
    let (facts, member_serves) = (wanted.facts.clone(), members::serves(system));
    let reply = Reply::Observed { items, exists, facts, member_serves };
    remember_etcd(system, &store)?;
    Ok(reply)
}

/// Everything between packages (which may bring files) and units (which need them).
pub(crate) fn settings(view: View<'_>) -> States {
    let steps =
        [modules::observe, sysctls::observe, swap::observe, hostname::observe, directories::observe, files::observe];
    steps.iter().flat_map(|observe| observe(view)).collect()
}

/// The agent's own memory is no part of what is observed: a member that is seen for the first time is noted, so that
/// its data can't vanish unnoticed before the next apply. Whoever is at work on the machine notes it himself.
fn remember_etcd(system: &System, store: &Store<'_>) -> Outcome<()> {
    if !store.exists() || store.ledger.etcd.member_seen || !etcd::has_data(system)? {
        return Ok(());
    }
    if let Some(_lock) = Lock::try_take(system)? {
        let mut store = Store::open(system)?;
        etcd::sight(&mut store, system)?;
        store.save()?;
    }
    Ok(())
}
