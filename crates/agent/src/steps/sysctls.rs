//! Sysctls: set now, and at boot through sysctl.d.

use machine::{Item, compare};

use crate::failure::{Failure, Outcome};
use crate::keep;
use crate::replies::Replies;
use crate::system::System;
use crate::work::{States, View, Work, differs};

/// Sorts after what distributions ship (`99-sysctl.conf`), so that it wins.
/// Nobody else writes a file of this name, and a reset removes it.
pub(crate) const BOOT: &str = "/etc/sysctl.d/99-zz-kubewright.conf";

pub(crate) fn observe(view: View<'_>) -> States {
    let boot = view.system.text(BOOT).unwrap_or_default();
    let at_boot = |name: &str| {
        boot.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        })
    };
    let state = |name: &str, wanted: &str| {
        let now = view.system.text(&path(name));
        compare::value(wanted, now.as_deref().map(str::trim), at_boot(name))
    };
    let sysctls = &view.wanted.config.group.sysctls;
    sysctls.iter().map(|(name, wanted)| (Item::Sysctl(name).to_string(), state(name, wanted))).collect()
}

/// Notes the values that are about to be changed.
pub(crate) fn intend(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    for (name, wanted) in &work.wanted.config.group.sysctls {
        if differs(states, Item::Sysctl(name))
            && let Some(now) = work.system.text(&path(name))
            && !compare::same_value(wanted, &now)
        {
            work.store.ledger.sysctls.entry(name.clone()).or_insert_with(|| now.trim().to_string());
        }
    }
    let lines = boot_lines(work);
    keep::intend_boot_file(work, BOOT, &lines)
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    let sysctls = &work.wanted.config.group.sysctls;
    let dropped = work.store.ledger.sysctls.extract_if(.., |name, _| !sysctls.contains_key(name));
    for (name, before) in dropped {
        set(work.system, &name, &before)?;
        work.replies.changed(Item::Sysctl(&name), "set back");
    }
    for (name, wanted) in sysctls.iter().filter(|(name, _)| differs(states, Item::Sysctl(name))) {
        let now = work.system.text(&path(name)).unwrap_or_default();
        if !compare::same_value(wanted, &now) {
            set(work.system, name, wanted)?;
        }
        work.replies.changed(Item::Sysctl(name), "set");
    }
    let lines = boot_lines(work);
    keep::boot_file(work, BOOT, &lines)
}

fn boot_lines(work: &Work<'_, '_>) -> Vec<String> {
    work.wanted.config.group.sysctls.iter().map(|(name, value)| format!("{name} = {value}")).collect()
}

/// Gives sysctls their values back, as far as the kernel lets.
pub(crate) fn undo<'a>(
    system: &System,
    before: impl Iterator<Item = (&'a String, &'a String)>,
    replies: &mut Replies<'_>,
) {
    for (name, value) in before {
        if system.text(&path(name)).is_some_and(|now| !compare::same_value(value, &now))
            && set(system, name, value).is_ok()
        {
            replies.changed(Item::Sysctl(name), "set back");
        }
    }
}

fn set(system: &System, name: &str, value: &str) -> Outcome<()> {
    fs_err::write(system.path(&path(name)), value).map_err(|error| {
        let failure = Failure::new(Item::Sysctl(name), error);
        if name.starts_with("net.bridge.") {
            failure.hint("it exists once the module br_netfilter is loaded")
        } else {
            failure.hint("the kernel lacks it, or in a container it belongs to the host: set it there")
        }
    })
}

/// Where a sysctl is. If a slash is the first separator, dots belong to names (interfaces), as sysctl.d(5) says.
fn path(name: &str) -> String {
    let slashes_first = name.find(['.', '/']).is_some_and(|at| name.as_bytes()[at] == b'/');
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = if slashes_first { name.into() } else { name.chars().map(swap).collect() };
    format!("/proc/sys/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_lead_to_the_same_place() {
        assert_eq!(path("net.ipv4.conf.eth0/100.rp_filter"), "/proc/sys/net/ipv4/conf/eth0.100/rp_filter");
        assert_eq!(path("net/ipv4/conf/eth0.100/rp_filter"), "/proc/sys/net/ipv4/conf/eth0.100/rp_filter");
    }
}
