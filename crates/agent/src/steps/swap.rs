//! Swap: off now, and not switched on again at boot by fstab or a unit.

use machine::{Item, compare};

use crate::facts::active_swaps;
use crate::failure::{Failure, Of, Outcome};
use crate::ledger::SwapEntry;
use crate::replies::Replies;
use crate::system::System;
use crate::work::{States, View, Work, differs};
use crate::write;

const FSTAB: &str = "/etc/fstab";
/// Stands before lines that were taken out of fstab.
const MARK: &str = "#kubewright# ";

pub(crate) fn observe(view: View<'_>) -> States {
    if !view.wanted.config.group.swap_off {
        return States::new();
    }
    let swaps = active_swaps(view.system);
    let now = if swaps.is_empty() { "off".to_string() } else { swaps.join(", ") };
    let fstab = view.system.text(FSTAB).unwrap_or_default();
    let boot = if fstab.lines().any(is_swap) { "fstab" } else { "off" };
    let state = compare::value("off", Some(now.as_str()), Some(boot));
    [(Item::Swap.to_string(), state)].into()
}

pub(crate) fn intend(work: &mut Work<'_, '_>, states: &States) {
    if differs(states, Item::Swap) {
        let swap = &mut work.store.ledger.swap;
        swap.fstab = true;
        swap.was_on |= !active_swaps(work.system).is_empty();
    }
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    if !differs(states, Item::Swap) {
        return Ok(());
    }
    edit_fstab(work.system, |line| if is_swap(line) { format!("{MARK}{line}") } else { line.into() })?;
    if !active_swaps(work.system).is_empty() {
        // Units of swap come from fstab, partition types (gpt-auto) and zram: masked, none of them comes back.
        let list = ["list-units", "--type=swap", "--all", "--plain", "--no-legend", "--no-pager"];
        let units = work.system.must("swap", "systemctl", &list)?.stdout;
        let units: Vec<&str> = units.lines().filter_map(|line| line.split_whitespace().next()).collect();
        if !units.is_empty() {
            work.store.ledger.swap.masked.extend(units.iter().map(ToString::to_string));
            work.store.save()?;
            work.system.must("swap", "systemctl", &[&["mask", "--now", "--"], &*units].concat())?;
        }
        if !active_swaps(work.system).is_empty() {
            work.system.must("swap", "swapoff", &["-a"])?;
        }
        if !active_swaps(work.system).is_empty() {
            return Err(Failure::new("swap", "it is still on").hint("in a container it belongs to the host"));
        }
    }
    work.replies.changed(Item::Swap, "switched off");
    Ok(())
}

/// Lets swap be what it was.
pub(crate) fn undo(system: &System, entry: &SwapEntry, replies: &mut Replies<'_>) -> Outcome<()> {
    if entry.fstab {
        edit_fstab(system, |line| line.strip_prefix(MARK).unwrap_or(line).into())?;
    }
    if !entry.masked.is_empty() {
        let units: Vec<&str> = entry.masked.iter().map(String::as_str).collect();
        system.must("swap", "systemctl", &[&["unmask", "--"], &*units].concat())?;
    }
    if entry.was_on && active_swaps(system).is_empty() {
        // What was not in fstab (zram) comes back at the next boot.
        if system.programs().run("swapon", &["-a"]).is_ok_and(|ran| ran.ok) {
            replies.changed(Item::Swap, "switched on");
        }
    }
    Ok(())
}

fn is_swap(line: &str) -> bool {
    !line.trim_start().starts_with('#') && line.split_whitespace().nth(2) == Some("swap")
}

fn edit_fstab(system: &System, edit: impl Fn(&str) -> String) -> Outcome<()> {
    let Some(text) = system.text(FSTAB) else { return Ok(()) };
    let mut edited: String = text.lines().map(edit).collect::<Vec<_>>().join("\n");
    if text.ends_with('\n') {
        edited.push('\n');
    }
    if edited == text {
        return Ok(());
    }
    write::write(&system.path(FSTAB), edited.as_bytes(), 0o644, system.owner).of("swap")
}
