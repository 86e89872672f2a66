//! Kernel modules: loaded now, and at boot through modules-load.d.

use machine::{Item, compare};

use crate::facts;
use crate::failure::{Failure, Of, Outcome};
use crate::keep;
use crate::system::System;
use crate::work::{States, View, Work, differs};

const BOOT: &str = "/etc/modules-load.d/kubewright.conf";

/// What shows that a module which sysfs does not list is built into the kernel.
const EVIDENCE: [(&str, &str); 2] =
    [("br_netfilter", "/proc/sys/net/bridge"), ("nf_conntrack", "/proc/sys/net/netfilter/nf_conntrack_max")];

pub(crate) fn observe(view: View<'_>) -> States {
    let boot = view.system.text(BOOT).unwrap_or_default();
    let state = |name: &String| {
        let now = is_loaded(view.system, name).then_some("loaded");
        let boot = boot.lines().any(|line| line == name).then_some("loaded");
        compare::value("loaded", now, boot)
    };
    let names = &view.wanted.config.group.kernel_modules;
    names.iter().map(|name| (Item::Module(name).to_string(), state(name))).collect()
}

pub(crate) fn intend(work: &mut Work<'_, '_>) -> Outcome<()> {
    let names = &work.wanted.config.group.kernel_modules;
    let missing = names.iter().filter(|name| !is_loaded(work.system, name)).cloned();
    work.store.ledger.modules.extend(missing);
    keep::intend_boot_file(work, BOOT, names)
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    let names = &work.wanted.config.group.kernel_modules;
    let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_loaded(work.system, name)).collect();
    if !missing.is_empty() {
        load(work.system, &missing)?;
    }
    keep::boot_file(work, BOOT, names)?;
    for name in names.iter().filter(|name| differs(states, Item::Module(name))) {
        work.replies.changed(Item::Module(name), "loaded");
    }
    Ok(())
}

fn load(system: &System, names: &[&str]) -> Outcome<()> {
    let ran = system.programs().run("modprobe", &[&["-a", "--"], names].concat()).of(Item::Module(names[0]))?;
    match names.iter().find(|name| !is_loaded(system, name)) {
        None => Ok(()),
        Some(name) => Err(Failure::new(Item::Module(name), "the kernel has no such module")
            .hint("if the kernel was upgraded since the last boot, boot the machine again")
            .output(ran.tail())),
    }
}

fn is_loaded(system: &System, name: &str) -> bool {
    let plain = name.replace('-', "_");
    let built_in = || {
        let release = facts::line(system, "/proc/sys/kernel/osrelease");
        let list = system.text(&format!("/lib/modules/{release}/modules.builtin")).unwrap_or_default();
        let file = format!("{plain}.ko");
        list.lines().any(|line| line.rsplit('/').next().is_some_and(|last| last.replace('-', "_") == file))
    };
    system.exists(&format!("/sys/module/{plain}"))
        || EVIDENCE.iter().any(|(module, path)| *module == plain && system.exists(path))
        || system.text("/proc/filesystems").is_some_and(|list| list.lines().any(|line| line.trim() == plain))
        || built_in()
        // The kernel of a container is the host's business; nothing can be loaded or told from inside.
        || system.exists("/run/systemd/container")
}
