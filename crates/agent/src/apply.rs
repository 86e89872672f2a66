//! Making the machine what a config says: refuse, note, change, wait.

use std::collections::{BTreeMap, BTreeSet};

use machine::compare::FoundUnit;
use machine::{Gate, MachineConfig};

use crate::etcd;
use crate::failure::Outcome;
use crate::gates;
use crate::itself;
use crate::ledger::{Lock, Store};
use crate::observe;
use crate::replies::Replies;
use crate::steps::{clients, directories, files, hostname, modules, packages, static_pods, swap, sysctls, units};
use crate::system::System;
use crate::systemctl;
use crate::work::{States, Wanted, Work};
use crate::write::Batch;

const KUBELET: &str = "kubelet.service";

/// What a request to apply asks for.
pub(crate) struct Apply {
    pub(crate) config: MachineConfig,
    pub(crate) digest_key: String,
    pub(crate) epoch: u64,
    pub(crate) lineage: String,
    pub(crate) etcd_recorded: bool,
}

/// Makes everything hold, and waits until the gates are open.
pub(crate) fn apply(system: &System, request: Apply, replies: &mut Replies<'_>) -> Outcome<()> {
    let _lock = Lock::take(system)?;
    let mut store = Store::open(system)?;
    store.admit(request.epoch)?;
    store.belong(&request.lineage)?;
    etcd::sight(&mut store, system)?;
    let wanted = Wanted::new(system, request.config, &request.digest_key)?;
    etcd::check(&wanted, &store, system, request.etcd_recorded)?;

    let mut work = Work { system, wanted: &wanted, store, batch: Batch::default(), replies };
    let found = prepare(&mut work)?;
    let later = clients::later(&work, &found.states);
    let outcome = change(&mut work, &found, &later);
    let sighted = etcd::sight(&mut work.store, system);
    // Also after a failure: what was changed must be known.
    let saved = work.store.save();
    outcome.and(sighted).and(saved)?;

    static_pods::end(&mut work)?;
    static_pods::wait(&mut work)?;
    open(&mut work)?;
    let started = clients::start(&mut work, &found.states, &later);
    let sighted = etcd::sight(&mut work.store, system);
    let saved = work.store.save();
    started.and(sighted).and(saved)
}

/// What was there before anything was changed.
struct Before {
    states: States,
    units: BTreeMap<String, FoundUnit>,
}

/// Up to the point where the machine is about to be changed. Packages come before it: they may bring files along.
fn prepare(work: &mut Work<'_, '_>) -> Outcome<Before> {
    let states = packages::observe(work.view());
    packages::apply(work, &states)?;

    let states = observe::settings(work.view());
    directories::precheck(work, &states)?;
    files::precheck(work, &states)?;
    static_pods::precheck(work, &states)?;
    modules::intend(work)?;
    sysctls::intend(work, &states)?;
    swap::intend(work, &states);
    hostname::intend(work, &states)?;
    directories::intend(work, &states)?;
    files::intend(work, &states)?;
    let units = units::intend(work)?;
    itself::intend(work.system, &mut work.store.ledger)?;
    work.store.save()?;
    Ok(Before { states, units })
}

/// Changes the machine; files whose paths are in `later` have their time when the gates are open.
fn change(work: &mut Work<'_, '_>, Before { states, units }: &Before, later: &BTreeSet<String>) -> Outcome<()> {
    itself::link(work.system, &work.store.ledger)?;
    units::prune(work)?;
    files::prune(work)?;
    modules::apply(work, states)?;
    // The bridge's sysctls exist only once its module is loaded.
    sysctls::apply(work, states)?;
    swap::apply(work, states)?;
    hostname::apply(work, states)?;
    directories::apply(work, states)?;
    files::apply(work, states, |path| !later.contains(path))?;
    if work.wanted.files.contains_key(etcd::MANIFEST) {
        // What the guard held back is in its place again.
        etcd::release(work.system)?;
    }
    directories::prune(work)?;
    if restarts_kubelet(work, units) {
        settle(work)?;
    }
    units::apply(work, units)
}

/// Whether kubelet is about to be restarted while it replaces static pods.
fn restarts_kubelet(work: &Work<'_, '_>, units: &BTreeMap<String, FoundUnit>) -> bool {
    let left = &work.store.ledger.pending;
    let runs = units.get(KUBELET).is_some_and(FoundUnit::is_running);
    runs && !left.pods.is_empty() && !left.restarts.is_empty()
}

/// Lets the kubelet that runs replace the static pods of manifests that changed.
///
/// A kubelet that starts between the end of the old API server and the start of the new one knows neither its Node nor which of the
/// old containers are its own: it starts nothing for minutes. kubeadm's upgrade has the same order.
fn settle(work: &mut Work<'_, '_>) -> Outcome<()> {
    work.store.save()?;
    static_pods::wait(work)?;
    open(work)
}

/// Waits until all gates are open.
fn open(work: &mut Work<'_, '_>) -> Outcome<()> {
    let wanted = work.wanted;
    wanted.config.group.gates.iter().try_for_each(|gate| wait(work, gate))
}

/// Waits for a gate. If it stays closed, the journal of a unit that does not run says most; where all run, kubelet's does. The
/// containers say which part of a control plane does not come up.
fn wait(work: &mut Work<'_, '_>, gate: &Gate) -> Outcome<()> {
    gates::wait(work.system, gate, work.replies).map_err(|failure| {
        let names: Vec<&str> = work.wanted.config.group.units.keys().map(String::as_str).collect();
        let mut failure = match systemctl::verify(work.system, &names) {
            Err(unit) => failure.hint(format!("{}: {}", unit.item, unit.why)).output(unit.output),
            Ok(()) if failure.output.is_empty() && names.contains(&KUBELET) => {
                failure.output(systemctl::journal(work.system, KUBELET))
            }
            Ok(()) => failure,
        };
        failure.output.extend(containers(work.system));
        failure
    })
}

/// The newest containers and how each is, those that have ended among them; empty where the runtime does not answer.
fn containers(system: &System) -> Vec<String> {
    let ran = system.programs().run("crictl", &["ps", "--all", "--last", "19"]);
    ran.ok().filter(|ran| ran.ok).map(|ran| ran.tail()).unwrap_or_default()
}
