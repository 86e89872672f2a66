//! A machine joins with kubeadm and the printed command: the Node works, is told of, and is never deleted.

use crate::checks;
use crate::world::World;

const CLUSTER: &str = "join1";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "1", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    // A machine without a node: what was on it is taken away with kubeadm.
    world.on_machine(CLUSTER, "worker-1", "kubeadm reset --force");
    world.kubectl(&["delete", "node", "worker-1"]);

    let join = world.kubewright(&["get", "join-command", CLUSTER]);
    let join = format!("{} --node-name joined --ignore-preflight-errors=all", join.trim());
    world.on_machine(CLUSTER, "worker-1", &join);
    world.eventually(&["get", "node", "joined", "--no-headers"], |text| text.contains(" Ready "));

    let plan = world.kubewright(&["update", "cluster", CLUSTER]);
    assert!(plan.contains("node/joined  is not ours and stays as it is"), "{plan}");
    assert!(!plan.contains("delete node/joined") && !plan.contains("- node/joined"), "{plan}");
}
