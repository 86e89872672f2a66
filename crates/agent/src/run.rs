//! Single steps, done once.

use machine::{Gate, Item, Step, desired, validate};

use crate::etcd;
use crate::failure::{Of, Outcome};
use crate::gates;
use crate::keep;
use crate::ledger::{Lock, Origin, Store};
use crate::replies::Replies;
use crate::steps::units;
use crate::system::System;
use crate::systemctl;
use crate::write;

/// Does the steps in their order. Whoever only waits changes nothing, and so needs neither a lease nor the ledger.
pub(crate) fn run(system: &System, steps: &[Step], epoch: u64, replies: &mut Replies<'_>) -> Outcome<()> {
    let gates: Vec<_> = steps.iter().filter_map(gate).collect();
    if !gates.is_empty() && gates.len() == steps.len() {
        return gates.into_iter().try_for_each(|gate| gates::wait(system, gate, replies));
    }
    let _lock = Lock::take(system)?;
    let mut store = Store::open(system)?;
    store.admit(epoch)?;
    let outcome = steps.iter().try_for_each(|step| one(system, &mut store, step, replies));
    let sighted = etcd::sight(&mut store, system);
    outcome.and(sighted).and(store.save())
}

fn gate(step: &Step) -> Option<&Gate> {
    match step {
        Step::Wait { gate } => Some(gate),
        _ => None,
    }
}

fn one(system: &System, store: &mut Store<'_>, step: &Step, replies: &mut Replies<'_>) -> Outcome<()> {
    match step {
        Step::WriteSecret { path, content, mode } => write_secret(system, store, path, content, mode, replies),
        Step::Remove { path } => remove(system, store, path, replies),
        Step::Start { unit } => switch(system, store, unit, "start", replies),
        Step::Stop { unit } => switch(system, store, unit, "stop", replies),
        Step::Wait { gate } => gates::wait(system, gate, replies),
        Step::ForgetEtcdData => {
            store.ledger.etcd.member_seen = false;
            store.save()
        }
    }
}

fn write_secret(
    system: &System,
    store: &mut Store<'_>,
    path: &str,
    content: &str,
    mode: &str,
    replies: &mut Replies<'_>,
) -> Outcome<()> {
    let item = Item::File(path);
    validate::path(item, path)?;
    let mode = validate::mode(&item.to_string(), mode)?;
    let bytes = desired::decode(&item.to_string(), content)?;
    // A file that a config names stays one of the config.
    let origin = store.ledger.files.get(path).map_or(Origin::Step, |entry| entry.origin);
    let restarts = store.ledger.files.get(path).map(|entry| entry.restarts.clone()).unwrap_or_default();
    keep::intend_file(system, &mut store.ledger, path, origin, &restarts)?;
    store.save()?;
    keep::make_parents(system, path).of(item)?;
    write::write(&system.path(path), &bytes, mode, system.owner).of(item)?;
    replies.changed(item, "written");
    Ok(())
}

fn remove(system: &System, store: &mut Store<'_>, path: &str, replies: &mut Replies<'_>) -> Outcome<()> {
    let item = Item::File(path);
    validate::path(item, path)?;
    let was_there = match store.ledger.files.remove(path) {
        Some(entry) => {
            let was_there = system.exists(path);
            keep::undo_file(system, path, &entry)?;
            was_there
        }
        None => write::remove(&system.path(path)).of(item)?,
    };
    if was_there {
        replies.changed(item, "removed");
    }
    Ok(())
}

fn switch(system: &System, store: &mut Store<'_>, unit: &str, verb: &str, replies: &mut Replies<'_>) -> Outcome<()> {
    let found = systemctl::show(system, &[unit])?;
    let running = found.get(unit).is_some_and(machine::compare::FoundUnit::is_running);
    if running == (verb == "start") {
        return Ok(());
    }
    units::note(&mut store.ledger.units, &found);
    store.save()?;
    systemctl::act(system, verb, &[unit])?;
    systemctl::verify(system, &[unit])?;
    replies.changed(Item::Unit(unit), if verb == "start" { "started" } else { "stopped" });
    Ok(())
}
