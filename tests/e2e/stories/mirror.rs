//! A mirror is all that a host without a network and without a cache needs.

use crate::world::World;
use crate::{checks, documents};

pub(crate) fn story(world: &mut World) {
    let mirror = world.path("mirror").display().to_string();
    world.kubewright(&["assets", "mirror", &mirror]);
    world.leave_with_nothing();
    let documents = documents::control_plane("mirror1", &format!("assets: {{sources: [{mirror}]}}"));
    let documents = world.write("mirror1.yaml", &documents);
    world.kubewright(&["create", "cluster", "mirror1", "-f", &documents, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, "mirror1");
    world.kubewright(&["delete", "cluster", "mirror1", "--yes"]);
}
