//! Three control planes and two workers come up at once, with one etcd of three members, and change one after the other.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::checks;
use crate::world::World;

const CLUSTER: &str = "ha";
const CONTROL_PLANES: [&str; 3] = ["control-plane-1", "control-plane-2", "control-plane-3"];

/// Keeps kubewright from the API, and nobody else.
const BLOCK: &str = "add table inet story; add chain inet story input { type filter hook input priority 0; }; \
                     add rule inet story input ip saddr $GATEWAY tcp dport 6443 drop";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--control-plane-count", "3", "--yes"]);
    let names = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
    checks::nodes_and_system(world, "1.36.3", &names);
    checks::etcd_is_whole(world, "control-plane-1", 3);
    checks::nothing_to_do(world, CLUSTER);

    let flags = [
        "spec.kubeAPIServer.extraArgs={max-requests-inflight: \"555\"}",
        "spec.etcd.extraArgs={max-request-bytes: \"2097152\"}",
    ];
    world.kubewright(&[&["set", "cluster", CLUSTER][..], &flags].concat());
    shown_one_after_the_other(world);
    blocked(world, BLOCK);
    // Who sees nothing of the API must not take it for gone.
    shown_one_after_the_other(world);
    blocked(world, "delete table inet story");
    // kubelet gives each API server half a minute to end: `cargo xtask soak` waits for that.
    if std::env::var_os("KUBEWRIGHT_TURNS").is_some() {
        carried_out(world);
        checks::nodes_and_system(world, "1.36.3", &names);
        checks::nothing_to_do(world, CLUSTER);
        carried_out_unseen(world);
        checks::nodes_and_system(world, "1.36.3", &names);
        checks::nothing_to_do(world, CLUSTER);
    }
}

/// Nobody sees the API while etcd's flags change: that takes no quorum away.
fn carried_out_unseen(world: &mut World) {
    world.kubewright(&["set", "cluster", CLUSTER, "spec.etcd.extraArgs={max-request-bytes: \"3145728\"}"]);
    blocked(world, BLOCK);
    let earlier = last_journal(world);
    let mut update = world.start_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let is_done = |world: &World| last_journal(world) != earlier && steps(world).len() == 2 * CONTROL_PLANES.len();
    while update.goes_on() && !is_done(world) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_ne!(last_journal(world), earlier, "a run was begun");
    one_after_the_other(world);
    blocked(world, "delete table inet story");
    // What needs the API is done by now, or is left to the next one.
    let _ = update.finish();
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::etcd_is_whole(world, "control-plane-1", 3);
}

/// Changes the firewall of every control plane; `$GATEWAY` is where kubewright comes from.
fn blocked(world: &mut World, rules: &str) {
    for name in CONTROL_PLANES {
        world.on_machine(
            CLUSTER,
            name,
            &format!("GATEWAY=$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p'); nft \"{rules}\""),
        );
    }
}

/// While the update goes on the API answers, and in the end all have their flags.
fn carried_out(world: &mut World) {
    let servers = servers(world);
    let mut update = world.start_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let mut fewest = servers.len();
    while update.goes_on() {
        fewest = fewest.min(servers.iter().filter(|server| answers(world, server)).count());
    }
    let (status, said) = update.finish();
    assert!(status.success(), "{said}");
    assert!(fewest > 0, "the API was away");
    one_after_the_other(world);
    checks::etcd_is_whole(world, "control-plane-1", 3);
    for name in CONTROL_PLANES {
        runs_with(world, &format!("kube-apiserver-{name}"), "--max-requests-inflight=555");
        runs_with(world, &format!("etcd-{name}"), "--max-request-bytes=2097152");
    }
}

/// The preview says that each control plane waits for the one before it.
fn shown_one_after_the_other(world: &mut World) {
    let plan: Value =
        serde_json::from_str(&world.kubewright(&["update", "cluster", CLUSTER, "-o", "json"])).expect("a plan");
    let id = |name: &str| format!("update machine-config/{name}");
    for pair in CONTROL_PLANES.windows(2) {
        let changes = plan["changes"].as_array().expect("changes");
        let change = changes.iter().find(|change| change["id"] == id(pair[1]).as_str()).expect("it changes");
        let waits_for = change["dependsOn"].as_array().expect("dependencies");
        assert!(waits_for.iter().any(|on| *on == id(pair[0]).as_str()), "{}: {waits_for:?}", pair[1]);
    }
}

/// Where each API server listens.
fn servers(world: &World) -> Vec<String> {
    let addresses = "jsonpath={.items[*].status.addresses[?(@.type==\"InternalIP\")].address}";
    let text = world.kubectl(&["get", "nodes", "-l", "node-role.kubernetes.io/control-plane", "-o", addresses]);
    let servers: Vec<String> = text.split_whitespace().map(|address| format!("https://{address}:6443")).collect();
    assert_eq!(servers.len(), CONTROL_PLANES.len(), "{text}");
    servers
}

/// Whether an API server lives, whatever etcd does.
fn answers(world: &World, server: &str) -> bool {
    let mut command: Command =
        world.kubectl_command(&["get", "--raw", "/livez/ping", "--server", server, "--request-timeout", "5s"]);
    command.output().expect("kubectl runs").status.success()
}

/// By the journal, no control plane was begun before the one before it was done.
fn one_after_the_other(world: &World) {
    let expected: Vec<String> = CONTROL_PLANES
        .iter()
        .flat_map(|name| ["actionStarted", "actionSucceeded"].map(|what| format!("{what} {name}")))
        .collect();
    assert_eq!(steps(world), expected);
}

fn last_journal(world: &World) -> PathBuf {
    let journals = world.state().join("clusters").join(CLUSTER).join("journals");
    let files = std::fs::read_dir(journals).expect("journals").map(|file| file.expect("a journal").path());
    files.max().expect("a run")
}

/// What the journal of the last run says of the control planes' configs so far.
fn steps(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(last_journal(world)).expect("a journal");
    // The last line may only be begun.
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_control_planes = records.filter_map(|record| {
        let name = record["action"].as_str()?.strip_prefix("update machine-config/")?.to_owned();
        CONTROL_PLANES
            .contains(&name.as_str())
            .then(|| format!("{} {name}", record["record"].as_str().unwrap_or_default()))
    });
    of_control_planes.collect()
}

fn runs_with(world: &World, pod: &str, flag: &str) {
    let command = ["get", "pod", "-n", "kube-system", pod, "-o", "jsonpath={.spec.containers[0].command}"];
    world.eventually(&command, |text| text.contains(flag));
}
