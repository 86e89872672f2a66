//! Three control planes and two workers come up at once, with one etcd of three members.

use crate::checks;
use crate::world::World;

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", "ha", "--control-plane-count", "3", "--yes"]);
    let names = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
    checks::nodes_and_system(world, "1.36.3", &names);
    let members = world.kubectl(&[
        "exec", "-n", "kube-system", "etcd-control-plane-1", "--", "etcdctl", "member", "list",
        "--cacert=/etc/kubernetes/pki/etcd/ca.crt", "--cert=/etc/kubernetes/pki/etcd/server.crt",
        "--key=/etc/kubernetes/pki/etcd/server.key",
    ]);
    assert_eq!(members.lines().filter(|line| line.contains("started")).count(), 3, "{members}");
    checks::nothing_to_do(world, "ha");
}
