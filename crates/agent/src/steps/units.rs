//! Units of systemd: read again, enabled, started in their order, restarted only after a change that touches them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use machine::compare::{self, FoundUnit};
use machine::{Item, ItemState, Start, Unit, order};

use crate::failure::Outcome;
use crate::ledger::{Pending, UnitEntry};
use crate::replies::Replies;
use crate::system::System;
use crate::systemctl;
use crate::work::{States, View, Work};

pub(crate) fn observe(view: View<'_>) -> States {
    let units = &view.wanted.config.group.units;
    let names: Vec<&str> = units.keys().map(String::as_str).collect();
    let found = settled(view, &names);
    let state = |name: &String, unit: &Unit| match &found {
        Ok(found) => {
            let left = &view.ledger.pending;
            let pending = left.restarts.contains(name) || left.reloads.contains(name);
            compare::unit(unit, is_due(view.system, unit), pending, &found.get(name).cloned().unwrap_or_default())
        }
        Err(failure) => ItemState::Unknown { why: failure.why.clone() },
    };
    units.iter().map(|(name, unit)| (Item::Unit(name).to_string(), state(name, unit))).collect()
}

/// How long a boot may take before what it has not started by then is taken for something that does not start.
const BOOT: Duration = Duration::from_mins(1);
/// Between two looks at a machine that boots.
const PAUSE: Duration = Duration::from_millis(100);

/// What systemd says about units; while the machine boots and one of them does not run yet, that is waited for: what is about
/// to start needs no repair.
fn settled(view: View<'_>, names: &[&str]) -> Outcome<BTreeMap<String, FoundUnit>> {
    let units = &view.wanted.config.group.units;
    let runs = |found: &BTreeMap<String, FoundUnit>, name: &str| found.get(name).is_some_and(FoundUnit::is_running);
    let is_to_run = |name: &&&str| units.get(**name).is_some_and(|unit| is_due(view.system, unit));
    let began = Instant::now();
    loop {
        let found = systemctl::show(view.system, names)?;
        let all_run = names.iter().filter(is_to_run).all(|name| runs(&found, name));
        if all_run || systemctl::has_booted(view.system) || began.elapsed() >= BOOT {
            return Ok(found);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether a unit's start condition holds.
fn is_due(system: &System, unit: &Unit) -> bool {
    match &unit.start {
        Start::Always => true,
        Start::OnceAnyExists(paths) => paths.iter().any(|path| system.exists(path)),
        Start::Never => false,
    }
}

/// What must be done, by unit name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Todo<'a> {
    unmask: Vec<&'a str>,
    enable: Vec<&'a str>,
    disable: Vec<&'a str>,
    stop: Vec<&'a str>,
    start: BTreeSet<&'a str>,
    restart: BTreeSet<&'a str>,
    reload: BTreeSet<&'a str>,
    /// Units of others, restarted only if they run.
    try_restart: Vec<&'a str>,
}

fn decide<'a>(
    units: &'a BTreeMap<String, Unit>,
    found: &BTreeMap<String, FoundUnit>,
    pending: &'a Pending,
    due: impl Fn(&Unit) -> bool,
) -> Todo<'a> {
    let mut todo = Todo::default();
    for (name, unit) in units {
        let found = found.get(name).cloned().unwrap_or_default();
        let name = name.as_str();
        let due = due(unit);
        if found.is_masked() && (unit.enabled || due) {
            todo.unmask.push(name);
        }
        if unit.enabled && !found.is_enabled() {
            todo.enable.push(name);
        } else if !unit.enabled && !found.is_disabled() {
            todo.disable.push(name);
        }
        let running = found.is_running();
        if unit.start == Start::Never && running && !found.fleeting {
            todo.stop.push(name);
        } else if due && !running && !found.fleeting {
            todo.start.insert(name);
        } else if due && running && pending.restarts.contains(name) {
            todo.restart.insert(name);
        } else if due && running && pending.reloads.contains(name) {
            todo.reload.insert(name);
        }
    }
    todo.try_restart = pending.restarts.iter().filter(|name| !units.contains_key(*name)).map(String::as_str).collect();
    todo
}

/// Notes what the units are before they are touched.
pub(crate) fn intend(work: &mut Work<'_, '_>) -> Outcome<BTreeMap<String, FoundUnit>> {
    let names: Vec<&str> = work.wanted.config.group.units.keys().map(String::as_str).collect();
    let found = systemctl::show(work.system, &names)?;
    note(&mut work.store.ledger.units, &found);
    Ok(found)
}

pub(crate) fn apply(work: &mut Work<'_, '_>, found: &BTreeMap<String, FoundUnit>) -> Outcome<()> {
    let units = &work.wanted.config.group.units;
    let pending = work.store.ledger.pending.clone();
    let todo = decide(units, found, &pending, |unit| is_due(work.system, unit));
    act(work, "unmask", &todo.unmask, "unmasked")?;
    // `enable` makes systemd read its files again, too.
    if pending.reload && todo.enable.is_empty() {
        work.system.must("units", "systemctl", &["daemon-reload"])?;
    }
    act(work, "enable", &todo.enable, "enabled")?;
    act(work, "disable", &todo.disable, "disabled")?;
    act(work, "stop", &todo.stop, "stopped")?;
    systemctl::act(work.system, "try-restart", &todo.try_restart)?;
    for wave in order::waves(units)? {
        let of = |set: &BTreeSet<&'_ str>| wave.iter().copied().filter(|name| set.contains(name)).collect::<Vec<_>>();
        act(work, "restart", &of(&todo.restart), "restarted")?;
        // One that can't read its files again is restarted.
        act(work, "reload-or-restart", &of(&todo.reload), "reloaded")?;
        act(work, "start", &of(&todo.start), "started")?;
    }
    let started: Vec<&str> = todo.start.iter().chain(&todo.restart).chain(&todo.reload).copied().collect();
    systemctl::verify(work.system, &started)?;
    let left = &mut work.store.ledger.pending;
    left.restarts.clear();
    left.reloads.clear();
    left.reload = false;
    Ok(())
}

fn act(work: &mut Work<'_, '_>, verb: &str, names: &[&str], done: &str) -> Outcome<()> {
    systemctl::act(work.system, verb, names)?;
    for name in names {
        work.replies.changed(Item::Unit(name), done);
    }
    Ok(())
}

/// Notes what units are before they are touched for the first time.
pub(crate) fn note(ledger: &mut BTreeMap<String, UnitEntry>, found: &BTreeMap<String, FoundUnit>) {
    for (name, unit) in found {
        ledger.entry(name.clone()).or_insert_with(|| UnitEntry {
            enabled: !unit.is_disabled(),
            running: unit.is_running(),
            masked: unit.is_masked(),
        });
    }
}

/// Takes away what configs no longer name; before the files, which systemd needs for it.
pub(crate) fn prune(work: &mut Work<'_, '_>) -> Outcome<()> {
    let wanted = &work.wanted.config.group.units;
    let gone: BTreeMap<String, UnitEntry> = work
        .store
        .ledger
        .units
        .iter()
        .filter(|(name, _)| !wanted.contains_key(*name))
        .map(|(name, entry)| (name.clone(), *entry))
        .collect();
    undo(work.system, &gone, work.replies)?;
    work.store.ledger.units.retain(|name, _| wanted.contains_key(name));
    Ok(())
}

/// Makes units what they were before. May be done twice.
pub(crate) fn undo(system: &System, entries: &BTreeMap<String, UnitEntry>, replies: &mut Replies<'_>) -> Outcome<()> {
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    let found = systemctl::show(system, &names)?;
    let select = |wanted: &dyn Fn(&UnitEntry, &FoundUnit) -> bool| {
        let units = entries.iter().filter(|(name, entry)| found.get(*name).is_some_and(|unit| wanted(entry, unit)));
        units.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let alive = |unit: &FoundUnit| unit.exists() && !matches!(unit.active.as_str(), "inactive" | "failed");
    let stop = select(&|before, unit| !before.running && alive(unit));
    let disable = select(&|before, unit| !before.enabled && unit.exists() && !unit.is_disabled());
    let enable = select(&|before, unit| before.enabled && unit.exists() && unit.is_disabled());
    let start = select(&|before, unit| before.running && unit.exists() && !unit.is_running());
    let mask = select(&|before, unit| before.masked && !unit.is_masked());
    let todo = [
        ("stop", stop, "stopped"),
        ("disable", disable, "disabled"),
        ("enable", enable, "enabled"),
        ("start", start, "started"),
        ("mask", mask, "masked"),
    ];
    for (verb, names, done) in todo {
        systemctl::act(system, verb, &names)?;
        for name in names {
            replies.changed(Item::Unit(name), done);
        }
    }
    Ok(())
}
