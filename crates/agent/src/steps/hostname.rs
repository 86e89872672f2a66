//! The host name, now and at boot.

use machine::{Item, compare};

use crate::facts;
use crate::failure::{Of, Outcome};
use crate::ledger::Origin;
use crate::system::System;
use crate::work::{States, View, Work, differs};
use crate::write::Source;

const BOOT: &str = "/etc/hostname";

pub(crate) fn observe(view: View<'_>) -> States {
    let now = current(view.system);
    let boot = view.system.text(BOOT).unwrap_or_default();
    let boot = boot.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let wanted = &view.wanted.config.machine.node_name;
    [(Item::Hostname.to_string(), compare::value(wanted, Some(now.as_str()), boot))].into()
}

pub(crate) fn intend(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    if !differs(states, Item::Hostname) {
        return Ok(());
    }
    let now = current(work.system);
    work.store.ledger.hostname.get_or_insert(now);
    work.intend_file(BOOT, Origin::Agent, &[])
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    if !differs(states, Item::Hostname) {
        return Ok(());
    }
    let wanted = &work.wanted.config.machine.node_name;
    set(work.system, wanted)?;
    let text = format!("{wanted}\n");
    let at = work.system.path(BOOT);
    work.batch.stage(&at, &Source::Bytes(text.as_bytes()), 0o644, work.system.owner).of(Item::Hostname)?;
    work.replies.changed(Item::Hostname, "set");
    Ok(())
}

/// Sets the kernel's host name where it differs.
pub(crate) fn set(system: &System, name: &str) -> Outcome<()> {
    if current(system) == name { Ok(()) } else { system.programs().set_hostname(name).of(Item::Hostname) }
}

fn current(system: &System) -> String {
    facts::line(system, "/proc/sys/kernel/hostname")
}
