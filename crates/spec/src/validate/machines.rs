//! Rule: the user's files and hooks keep clear of each other, and machines are large enough.

use super::{Finding, World, repeated};
use crate::effective::Draft;
use crate::format::amounts::bytes;
use crate::{Hook, MachineFile, Role};

/// With less, an API server with etcd and its fellows is killed at the first load.
const LEAST_CONTROL_PLANE: u64 = 1 << 30;
/// With less, kubelet, containerd, kube-proxy and the pod network leave nothing for pods.
const LEAST_WORKER: u64 = 512 << 20;

/// kubeadm's own least for control planes; on workers, the cluster's own pods take a good part of one.
const LEAST_PROCESSORS: u32 = 2;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(cluster) = world.cluster() {
        findings.extend(files(cluster, &cluster.value.spec.files));
        findings.extend(hooks(cluster, &cluster.value.spec.hooks));
    }
    for group in world.groups() {
        let spec = &group.value.spec;
        findings.extend(files(group, &spec.files));
        findings.extend(hooks(group, &spec.hooks));
        let (least, text) = match spec.role {
            Role::ControlPlane => (LEAST_CONTROL_PLANE, "1Gi"),
            Role::Worker => (LEAST_WORKER, "512Mi"),
        };
        if let Some(memory) = &spec.machine.memory
            && bytes(memory).is_some_and(|bytes| bytes < least)
        {
            let message = format!("{memory} of memory is little for a machine of role {:?}", spec.role);
            findings.push(
                Finding::warning("spec::small-machine", message)
                    .at(group, "spec.machine.memory")
                    .help(format!("give it {text} or more")),
            );
        }
        if let Some(cpus) = spec.machine.cpus.filter(|cpus| *cpus < LEAST_PROCESSORS) {
            let message = match spec.role {
                Role::ControlPlane => format!(
                    "the number of available CPUs {cpus} is less than the required {LEAST_PROCESSORS} (kubeadm's check NumCPU)"
                ),
                Role::Worker => format!("{cpus} processor is little for a machine of role {:?}", spec.role),
            };
            let finding = Finding::warning("spec::small-machine", message).at(group, "spec.machine.cpus");
            findings.push(finding.help(format!("give it {LEAST_PROCESSORS} or more")));
        }
    }
    findings
}

fn files<T>(draft: &Draft<T>, files: &[MachineFile]) -> Vec<Finding> {
    let path = |index: usize| format!("spec.files[{index}].path");
    let mut findings = Vec::new();
    for (first, again) in repeated(files.iter().map(|file| file.path.as_str())) {
        let message = "two files have the same path";
        findings.push(Finding::error("spec::duplicate-file", message).and(draft, path(again), "here again").and(
            draft,
            path(first),
            "first here",
        ));
    }
    findings
}

fn hooks<T>(draft: &Draft<T>, hooks: &[Hook]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, hook) in hooks.iter().enumerate() {
        if !hook.command.first().is_some_and(|program| program.starts_with('/')) {
            let finding = Finding::error(
                "spec::hook-command",
                format!("the program of hook `{}` is not an absolute path", hook.name),
            );
            let finding = finding.at(draft, format!("spec.hooks[{index}].command"));
            findings.push(finding.help("no shell looks it up; for a script write `[/bin/sh, -c, …]`"));
        }
        if let Some(unit) = hook.before.iter().find(|unit| hook.after.contains(unit)) {
            let message = format!("the hook `{}` is to run before and after `{unit}`", hook.name);
            let finding = Finding::error("spec::hook-order", message).at(draft, format!("spec.hooks[{index}].before"));
            let help = "systemd starts only one of them then; keep it in one of the two lists";
            findings.push(finding.and(draft, format!("spec.hooks[{index}].after"), "and here").help(help));
        }
    }
    for (first, again) in repeated(hooks.iter().map(|hook| hook.name.as_str())) {
        let path = |index: usize| format!("spec.hooks[{index}].name");
        let message = "two hooks have the same name";
        findings.push(Finding::error("spec::duplicate-hook", message).and(draft, path(again), "here again").and(
            draft,
            path(first),
            "first here",
        ));
    }
    findings
}
