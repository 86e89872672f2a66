//! What is asked of systemd: as many units as possible in one call, because every call is a process.

use std::collections::BTreeMap;

use machine::Item;
use machine::compare::FoundUnit;

use crate::failure::{Failure, Of, Outcome};
use crate::system::System;

const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState,UnitFileState,Type,RemainAfterExit";

/// What systemd says about units.
pub(crate) fn show(system: &System, names: &[&str]) -> Outcome<BTreeMap<String, FoundUnit>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ran = system.programs().run("systemctl", &[&["show", PROPERTIES, "--"], names].concat()).of("units")?;
    let found = parse(&ran.stdout);
    if !ran.ok || found.len() != names.len() {
        return Err(Failure::new("units", "systemd does not answer").output(ran.tail()));
    }
    Ok(names.iter().map(ToString::to_string).zip(found).collect())
}

/// Whether the machine has booted as far as it does by itself. Where systemd does not say, it has.
pub(crate) fn has_booted(system: &System) -> bool {
    let ran = system.programs().run("systemctl", &["is-system-running"]);
    // It ends with 1 for everything but `running`.
    !ran.is_ok_and(|ran| matches!(ran.stdout.trim(), "initializing" | "starting"))
}

/// Blocks in the order of the names, separated by empty lines. The names themselves are not asked for: a unit that was
/// asked for by an alias answers with another one.
fn parse(text: &str) -> Vec<FoundUnit> {
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(parse_unit).collect()
}

fn parse_unit(block: &str) -> FoundUnit {
    let property = |name: &str| {
        let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().to_string()
    };
    FoundUnit {
        load: property("LoadState"),
        active: property("ActiveState"),
        sub: property("SubState"),
        file: property("UnitFileState"),
        fleeting: property("Type") == "oneshot" && property("RemainAfterExit") == "no",
    }
}

/// Does one thing to some units at once. A failure is one of the unit that failed, with the end of its journal.
pub(crate) fn act(system: &System, verb: &str, names: &[&str]) -> Outcome<()> {
    if names.is_empty() {
        return Ok(());
    }
    let ran = system.programs().run("systemctl", &[&[verb, "--"], names].concat()).of(Item::Unit(names[0]))?;
    if ran.ok {
        return Ok(());
    }
    verify(system, names)?;
    Err(Failure::new(Item::Unit(names[0]), format!("`systemctl {verb} {}` failed", names.join(" "))).output(ran.tail()))
}

/// Refuses if one of these units has failed or keeps failing.
pub(crate) fn verify(system: &System, names: &[&str]) -> Outcome<()> {
    for (name, unit) in show(system, names)? {
        if unit.active == "failed" || unit.sub == "auto-restart" {
            return Err(Failure::new(Item::Unit(&name), format!("it does not run: {} ({})", unit.active, unit.sub))
                .hint(format!("`journalctl -u {name}` on the machine says more"))
                .output(journal(system, &name)));
        }
    }
    Ok(())
}

/// The last lines of a unit's journal; empty when there is none.
pub(crate) fn journal(system: &System, name: &str) -> Vec<String> {
    let arguments = ["--no-pager", "-o", "cat", "-n", "20", "-u", name];
    system.programs().run("journalctl", &arguments).map(|ran| ran.tail()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_in_order() {
        let found = parse(
            "Type=notify\nRemainAfterExit=no\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n\n\
             LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n\n\
             Type=oneshot\nRemainAfterExit=no\nLoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=static\n",
        );
        assert_eq!(found.len(), 3);
        assert!(found[0].is_running() && found[0].is_enabled() && !found[0].fleeting);
        assert!(!found[1].exists());
        assert!(found[2].fleeting);
    }
}
