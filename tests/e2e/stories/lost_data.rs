//! etcd's data is gone: the machine does not come up as a new, empty cluster until somebody says that it may.

use crate::world::{World, both};
use crate::{checks, machines};

const CLUSTER: &str = "lost1";
const MACHINE: &str = "control-plane-1";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "0", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    let cluster = identity(world);
    world.kubewright(&["stop", "cluster", CLUSTER]);
    let data = world.state().join("machines").join(CLUSTER).join(MACHINE).join("etcd/member");
    std::fs::rename(&data, world.path("member")).expect("the data is taken away");

    // What the guard refuses is said when it is seen, not when DNS has been waited for.
    let refused = world.try_kubewright(&["start", "cluster", CLUSTER]);
    let said = both(&refused);
    assert!(!refused.status.success() && said.contains("/var/lib/etcd/member is gone"), "{said}");
    assert!(said.contains("--forget-etcd-data") && !said.contains("logs ds/kube-flannel-ds"), "{said}");
    world.kubewright(&["stop", "cluster", CLUSTER]);

    // What is on a machine is looked at when it runs.
    let refused = world.try_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let said = both(&refused);
    assert!(!refused.status.success() && said.contains("--forget-etcd-data"), "{said}");
    assert!(machines::running(world, CLUSTER).contains_key(MACHINE), "the machine itself runs");
    assert!(!data.exists(), "no member was born");
    let unknown = world.try_kubewright(&["update", "cluster", CLUSTER, "--forget-etcd-data", "nobody", "--yes"]);
    assert!(both(&unknown).contains("there are: control-plane-1"), "{}", both(&unknown));

    world.kubewright(&["stop", "cluster", CLUSTER]);
    let _ = std::fs::remove_dir_all(&data);
    std::fs::rename(world.path("member"), &data).expect("the data is put back");
    // Starting changes power only; the manifest that was held back is put back by an update.
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    assert_eq!(identity(world), cluster, "it is the same cluster");
    checks::nothing_to_do(world, CLUSTER);
    lose_the_bridge();
}

fn identity(world: &World) -> String {
    world.eventually(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"], |uid| !uid.is_empty())
}

/// A bridge that somebody took away: the delete that ends the story takes what else there was of its network with it.
fn lose_the_bridge() {
    let bridge = format!("kw-{CLUSTER}");
    let gone = std::process::Command::new("ip").args(["link", "delete", "dev", &bridge]).status().expect("ip runs");
    assert!(gone.success(), "{bridge} is gone");
}
