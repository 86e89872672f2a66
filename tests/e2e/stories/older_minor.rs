//! One control plane and two workers of the minor before the default one.

use crate::world::World;
use crate::{checks, traffic};

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", "older", "--kubernetes-version", "1.35", "--yes"]);
    checks::nodes_and_system(world, "1.35.4", &["control-plane-1", "worker-1", "worker-2"]);
    checks::nothing_to_do(world, "older");
    traffic::start_web_of(world, "2.59");
    traffic::pods_talk(world, "older");
    traffic::stop_web(world);
    checks::nothing_to_do(world, "older");
}
