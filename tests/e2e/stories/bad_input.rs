//! Bad input is refused before anything is touched, with the place and a hint.

use std::process::Command;

use crate::world::{World, both};

/// A sound cluster, line by line; the cases put something else in the place of one of its lines.
const GOOD: &str = "\
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {name: bad1}
spec:
  kubernetesVersion: 1.36.3
  provider: local
  networking: {cni: flannel}
  api: {port: 6443}
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {name: control-plane, cluster: bad1}
spec: {role: ControlPlane, count: 1}
";

/// A line of the sound cluster, what is written instead, and what the refusal says.
const DOCUMENTS: &[(&str, &str, &[&str])] = &[
    ("  provider: local", "  provder: local", &["bad1.yaml:6", "provder", "provider"]),
    ("  provider: local", "  provider: loca", &["bad1.yaml:6", "loca", "local"]),
    ("  provider: local", "  provider: [local]", &["bad1.yaml:6", "spec.provider"]),
    ("  kubernetesVersion: 1.36.3", "  kubernetesVersion: 1.20.0", &["bad1.yaml:5", "1.36"]),
    ("  networking: {cni: flannel}", "  networking: {cni: weave}", &["bad1.yaml:7", "weave", "flannel"]),
    (
        "  networking: {cni: flannel}",
        "  networking: {podCIDRs: [10.96.0.0/12]}",
        &["bad1.yaml:7", "10.96.0.0/12", "no address in common"],
    ),
    ("  networking: {cni: flannel}", "  networking: {podCIDRs: [10.244.0.0/25]}", &["bad1.yaml:7", "10.244.0.0/25"]),
    ("  networking: {cni: flannel}", "  local: {subnet: 127.0.0.0/24}", &["bad1.yaml:7", "127.0.0.0/24"]),
    ("  api: {port: 6443}", "  kubeAPIServer: {serviceNodePortRange: 6000-7000}", &["bad1.yaml:8", "6443"]),
    ("  api: {port: 6443}", "  provider: local", &["bad1.yaml:8", "provider", "6"]),
    ("spec: {role: ControlPlane, count: 1}", "spec: {role: ControlPlane, count: 2}", &["bad1.yaml:13", "1 or 3"]),
    ("spec: {role: ControlPlane, count: 1}", "spec: {role: ControlPlane, count: 0}", &["bad1.yaml:13"]),
    ("spec: {role: ControlPlane, count: 1}", "spec: {role: Worker, count: 1}", &["bad1.yaml:1", "control-plane"]),
    ("  api: {port: 6443}", "  api: {port: 22}", &["bad1.yaml:8", "SSH"]),
    ("  api: {port: 6443}", "  api: {endpoint: localhost}", &["bad1.yaml:8", "would ask itself"]),
    (
        "  api: {port: 6443}",
        "  kubelet: {config: {enforceNodeAllocatable: [pods, system-reserved]}}",
        &["bad1.yaml:8", "systemReservedCgroup"],
    ),
    (
        "  api: {port: 6443}",
        "  files: [{path: /etc/systemd/system/haproxy.service, content: x}]",
        &["bad1.yaml:8", "haproxy.service"],
    ),
    ("  api: {port: 6443}", "  files: [{path: /etc/a, content: '{{instance}}'}]", &["bad1.yaml:8", "{{ instance }}"]),
    ("metadata: {name: bad1}", "metadata: {name: Bad_1}", &["bad1.yaml:3", "lower-case"]),
];

pub(crate) fn story(world: &mut World) {
    refused(world, &["create", "cluster", "UPPER", "--yes"], 2, &["lower-case"]);
    refused(world, &["create", "cluster", "bad2", "--kubernetes-version", "1.20", "--yes"], 10, &["1.36"]);
    refused(world, &["update", "cluster", "nowhere"], 1, &["create cluster"]);
    for (line, instead, says) in DOCUMENTS {
        assert!(GOOD.lines().any(|good| good == *line), "{line}");
        let path = world.write("bad1.yaml", &GOOD.replace(&format!("{line}\n"), &format!("{instead}\n")));
        refused(world, &["create", "cluster", "bad1", "-f", &path, "--yes"], 10, says);
    }
    let path = world.write("bad1.yaml", "");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&path, utf16).expect("a file in another encoding");
    refused(world, &["create", "cluster", "bad1", "-f", &path, "--dry-run"], 10, &["UTF-16LE", "iconv"]);
    let second = GOOD.split("---\n").nth(1).expect("a group");
    let twice = world.write("bad1.yaml", &format!("{GOOD}---\n{second}"));
    refused(world, &["create", "cluster", "bad1", "-f", &twice, "--yes"], 10, &["bad1.yaml:17", "control-plane"]);
    let missing = world.path("missing.yaml").display().to_string();
    refused(world, &["create", "cluster", "bad1", "-f", &missing, "--yes"], 1, &["missing.yaml"]);

    the_host_is_no_good(world);
    let clusters = world.kubewright(&["get", "clusters"]);
    assert!(clusters.contains("There are no clusters"), "{clusters}");
    assert!(!world.state().join("machines").exists(), "no machine was made");
}

fn the_host_is_no_good(world: &mut World) {
    let path = world.write("bad1.yaml", GOOD);
    let create = ["create", "cluster", "bad1", "-f", &path, "--yes"];
    let run = |arguments: &[&str]| {
        let done = Command::new(arguments[0]).args(&arguments[1..]).status().expect("the program starts");
        assert!(done.success(), "{arguments:?} ended with {done}");
    };
    run(&["ip", "link", "add", "kw-bad1", "type", "bridge"]);
    refused(world, &create, 11, &["kw-bad1", "ip -d link show kw-bad1"]);
    run(&["ip", "link", "delete", "kw-bad1"]);

    let (program, _home) = world.program_like_nobody(&create);
    refused_by(program, 1, &["root"]);
    let mut program = world.program(&create);
    program.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("XDG_CACHE_HOME", world.path("no-cache"));
    refused_by(program, 1, &["`go`", "mirror"]);
    world.kubewright(&["delete", "cluster", "bad1", "--yes"]);

    let disk = world.path("disk").display().to_string();
    std::fs::create_dir(&disk).expect("a directory");
    run(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", &disk]);
    let full = world.program(&create).env("XDG_CACHE_HOME", &disk).output().expect("kubewright starts");
    run(&["umount", &disk]);
    check(&full, 1, &["no space left", "free some space"]);
    run(&["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", &disk]);
    let state = format!("{disk}/state");
    let read_only = world.program(&create).env("KUBEWRIGHT_STATE", &state).output().expect("kubewright starts");
    run(&["umount", &disk]);
    check(&read_only, 1, &["Read-only file system", &state]);
    world.kubewright(&["delete", "cluster", "bad1", "--yes"]);
}

fn refused(world: &mut World, arguments: &[&str], code: i32, parts: &[&str]) {
    let output = world.try_kubewright(arguments);
    check(&output, code, parts);
}

fn refused_by(mut program: Command, code: i32, parts: &[&str]) {
    check(&program.output().expect("kubewright starts"), code, parts);
}

fn check(output: &std::process::Output, code: i32, parts: &[&str]) {
    let text = both(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "it does not say {part}:\n{text}");
    }
}
