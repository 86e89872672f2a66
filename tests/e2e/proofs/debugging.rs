//! What people do to find out what is wrong in a pod or on a node, on every node.

use super::{AGNHOST, Tools, field, field_becomes};
use crate::world::{World, both};

pub(super) fn all(world: &World, tools: &[Tools]) {
    for node in tools {
        debug_a_node(world, &node.node);
    }
    for on_node in tools {
        logs_are_read(world, on_node);
        commands_are_run(world, on_node);
    }
    a_container_is_added(world);
    for node in tools {
        the_node_was_seen(world, &node.node);
    }
}

/// LOG-02, DBG-08: lines in their order, of one container of several, and of a container that is no more.
fn logs_are_read(world: &World, tools: &Tools) {
    let logs = |arguments: &[&str]| world.kubectl(&[&["logs", &tools.pod], arguments].concat());
    let counted = logs(&["-c", "count"]);
    let first: Vec<&str> = counted.lines().take(3).collect();
    assert_eq!(first, ["0: counted", "1: counted", "2: counted"], "on {}", tools.node);
    world.eventually(&["logs", &tools.pod, "-c", "falls"], |text| text == "second run\n");
    assert_eq!(logs(&["-c", "falls", "--previous"]), "first run\n", "on {}", tools.node);
    assert_eq!(logs(&["-c", "count", "--tail=1"]).lines().count(), 1);
}

/// DBG-09: what a command prints and how it ends comes back; on a terminal it has one.
fn commands_are_run(world: &World, tools: &Tools) {
    assert_eq!(tools.run(world, "echo $HOSTNAME").trim(), tools.pod);
    let failed = world.try_kubectl(&["exec", &tools.pod, "-c", "count", "--", "sh", "-c", "echo why >&2; exit 7"]);
    assert_eq!((failed.status.code(), both(&failed).starts_with("why\n")), (Some(7), true), "{}", both(&failed));
    let kubectl = world.binary().with_file_name("kubectl").display().to_string();
    let typed = format!("'{kubectl}' exec -it {} -c count -- sh -c '[ -t 0 ] && [ -t 1 ] && echo both'", tools.pod);
    // Gives the command a terminal to be on.
    let mut command = world.program_at("script", &["-qec", &typed, "/dev/null"]);
    let output = command.stdin(std::process::Stdio::null()).output().expect("script starts");
    assert!(output.status.success() && both(&output).contains("both"), "{}", both(&output));
}

/// DBG-10: an image without a shell is looked into from a container beside it, in the same process namespace.
fn a_container_is_added(world: &World) {
    let refused = world.try_kubectl(&["exec", "ephemeral-demo", "--", "sh"]);
    assert!(!refused.status.success() && both(&refused).contains("executable file not found"), "{}", both(&refused));
    let image = format!("--image={AGNHOST}");
    let target = ["--target=c", "--container=looks", "--profile=general", "--", "sh", "-c", "cat /proc/1/comm"];
    world.kubectl(&[&["debug", "ephemeral-demo", &image], &target[..]].concat());
    world.eventually(&["logs", "ephemeral-demo", "-c", "looks"], |text| text == "pause\n");
    let listed = field(world, &["pod", "ephemeral-demo"], ".spec.ephemeralContainers[*].targetContainerName");
    assert_eq!(listed, "c");
}

/// DBG-12: a pod on a node, whatever taints it has, that sees the node's processes, network and files.
fn debug_a_node(world: &World, node: &str) {
    let script = "cat /host/etc/hostname /proc/1/comm; hostname; ls -d /host/etc/kubernetes; ls /sys/class/net";
    let image = format!("--image={AGNHOST}");
    let object = format!("node/{node}");
    world.kubectl(&["debug", &object, &image, "--profile=general", "--", "sh", "-c", script]);
}

/// The debugging pod is done; it stays until somebody deletes it.
fn the_node_was_seen(world: &World, node: &str) {
    let of_all = ["pods", "-l", "app.kubernetes.io/managed-by=kubectl-debug"];
    let name = format!(".items[?(@.spec.nodeName==\"{node}\")].metadata.name");
    let name = field(world, &of_all, &name);
    assert!(name.starts_with(&format!("node-debugger-{node}-")), "{name}");
    let pod = ["pod", name.as_str()];
    field_becomes(world, &pod, ".status.phase", |phase| phase == "Succeeded");
    let said = world.kubectl(&["logs", &name]);
    let expected = format!("{node}\nsystemd\n{node}\n/host/etc/kubernetes\n");
    assert!(said.starts_with(&expected) && said.contains("host0"), "{said}");
    let shared = "range .spec}{.hostPID} {.hostIPC} {.hostNetwork}{end";
    assert_eq!(field(world, &pod, shared), "true true true");
    world.kubectl(&["delete", "pod", &name, "--wait=false"]);
}
