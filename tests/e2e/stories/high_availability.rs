//! Three control planes and two workers come up at once, with one etcd of three members.

use crate::checks;
use crate::world::World;

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", "ha", "--control-plane-count", "3", "--yes"]);
    let names = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
    checks::nodes_and_system(world, "1.36.3", &names);
    checks::etcd_is_whole(world, "control-plane-1", 3);
    checks::nothing_to_do(world, "ha");
}
