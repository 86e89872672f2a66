//! A stopped cluster keeps its data and is what it was when it is started again, whatever its documents ask for meanwhile; it can
//! be deleted while it is stopped.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{World, both};
use crate::{checks, data, documents, machines, preview};

const NAMES: [&str; 2] = ["control-plane-1", "worker-1"];

pub(crate) fn story(world: &mut World) {
    // The data is on the control plane, whatever becomes of the worker.
    let documents =
        documents::with_workers("stop1", "", 0).replace("role: ControlPlane,", "role: ControlPlane, taints: [],");
    let documents = world.write("stop1.yaml", &documents);
    world.kubewright(&["create", "cluster", "stop1", "-f", &documents, "--yes"]);
    data::write(world);
    world.kubewright(&["set", "cluster", "stop1", "--instance-group", "worker", "spec.count=1"]);
    world.kubewright(&["update", "cluster", "stop1", "--yes"]);
    a_dead_worker_is_named_and_left_alone(world);
    world.kubewright(&["stop", "cluster", "stop1"]);
    assert!(machines::running(world, "stop1").is_empty(), "no machine runs");
    // What we stopped was not changed from outside, whoever looks.
    let shown = world.kubewright(&["update", "cluster", "stop1"]);
    assert!(shown.contains("stopped by ") && !shown.contains("hanged from outside"), "{shown}");
    assert!(world.kubewright(&["get", "machines", "stop1"]).contains("Stopped"), "a state that people know");
    for command in [&["validate", "cluster", "stop1"][..], &["ssh", "stop1", "control-plane-1", "--", "true"]] {
        let refused = world.try_kubewright(command);
        let said = both(&refused);
        assert!(!refused.status.success() && said.contains("kubewright start cluster stop1"), "{command:?}: {said}");
    }
    let running = |name: &str| (format!("update machine/stop1/{name}"), BTreeSet::from(["running".to_owned()]));
    assert_eq!(preview::update(world, "stop1"), BTreeMap::from(NAMES.map(running)));
    starting_deletes_nothing(world);
    data::is_kept(world);
    let before = world.on_machine("stop1", "control-plane-1", "journalctl -q -b -1 -u kubelet -n 1 --output cat");
    assert!(!before.trim().is_empty(), "the journal outlives the boot that it is of");
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, "stop1");
    world.kubewright(&["start", "cluster", "stop1"]);
    world.kubewright(&["stop", "cluster", "stop1"]);
    a_saved_plan_has_one_phase(world);
    world.kubewright(&["stop", "cluster", "stop1"]);
    world.kubewright(&["delete", "cluster", "stop1", "--yes"]);
}

/// A plan that was saved while machines were off switches them on, and says that what is on them was not in it.
fn a_saved_plan_has_one_phase(world: &mut World) {
    let file = world.path("plan.json").display().to_string();
    world.kubewright(&["update", "cluster", "stop1", "--out", &file]);
    let carried_out = world.try_kubewright(&["update", "cluster", "stop1", "--plan", &file, "--yes"]);
    let said = both(&carried_out);
    assert_eq!(carried_out.status.code(), Some(20), "{said}");
    let (_, end) = said.split_once("it is not all").expect("that something is left");
    assert!(end.contains("What is left to do: kubewright update cluster stop1"), "{said}");
    checks::nothing_to_do(world, "stop1");
}

/// A worker that nobody reaches keeps nobody from changing something else: that is done, the worker is named once, and the exit
/// code says so. It comes back when its machine boots again.
fn a_dead_worker_is_named_and_left_alone(world: &mut World) {
    let die = "systemctl stop kubelet && nft 'add table inet dead; add chain inet dead in { type filter hook input priority 0; }; \
               add rule inet dead in tcp dport 22 ct state new reject with tcp reset'";
    world.kubewright(&["ssh", "stop1", "worker-1", "--", die]);
    world.kubewright(&["set", "cluster", "stop1", "--instance-group", "control-plane", "spec.labels={tier: front}"]);
    let updated = world.try_kubewright(&["update", "cluster", "stop1", "--yes"]);
    let said = both(&updated);
    assert_eq!(updated.status.code(), Some(21), "{said}");
    let (_, end) = said.split_once("The rest is done").expect("what was left");
    assert_eq!(end.matches("machine-config/worker-1").count(), 1, "{said}");
    assert!(end.contains("kubewright update cluster stop1 --yes"), "{said}");
    let tier = world.kubectl(&["get", "node", "control-plane-1", "-o", "jsonpath={.metadata.labels.tier}"]);
    assert_eq!(tier, "front", "it was done");
}

/// The documents ask for less, and for something else, when the cluster is started: it comes up as it was, and is told what else
/// is pending. An update carries that out.
fn starting_deletes_nothing(world: &mut World) {
    world.kubewright(&["set", "cluster", "stop1", "spec.addons.metricsServer.enabled=true"]);
    world.kubewright(&["set", "cluster", "stop1", "--instance-group", "worker", "spec.count=0"]);
    let started = world.kubewright(&["start", "cluster", "stop1"]);
    let (done, pending) = started.split_once("Something else is pending").expect("what else is pending");
    assert!(done.contains("2 to update, 0 to replace, 0 to delete"), "{started}");
    for what in ["metrics-server", "- machine/stop1/worker-1", "- node/worker-1"] {
        assert!(pending.contains(what) && !done.contains(what), "{what}: {started}");
    }
    assert!(machines::running(world, "stop1").keys().eq(&NAMES), "all of them run");
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    let cordoned = world.kubectl(&["get", "node", "worker-1", "-o", "jsonpath={.spec.unschedulable}"]);
    assert_eq!(cordoned, "", "nothing has begun");
    let run = checks::runs(world, "stop1").pop().expect("a run");
    let actions = run["actions"].as_array().expect("actions").iter().map(|action| action["action"].to_string());
    assert_eq!(actions.collect::<BTreeSet<_>>(), NAMES.map(|name| format!("\"update machine/stop1/{name}\"")).into());
    let pending = preview::update(world, "stop1");
    for change in ["delete machine/stop1/worker-1", "delete node/worker-1"] {
        assert!(pending.contains_key(change), "{change} is pending still: {pending:?}");
    }
    world.kubewright(&["set", "cluster", "stop1", "spec.addons.metricsServer.enabled=false"]);
    world.kubewright(&["update", "cluster", "stop1", "--yes"]);
    assert!(machines::running(world, "stop1").keys().eq(&NAMES[..1]), "the update deletes it");
}
