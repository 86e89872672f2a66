//! A program that was copied to another place lives a cluster's life where its sources are not.

use crate::world::World;
use crate::{checks, documents};

const CLUSTER: &str = "moved1";
/// Set where the program under test is one that `cargo xtask dist` has made.
const RELEASED: &str = "KUBEWRIGHT_RELEASED";
const NAMES: [&str; 2] = ["control-plane-1", "worker-1"];

pub(crate) fn story(world: &mut World) {
    if std::env::var_os(RELEASED).is_some() {
        // It has its agent inside; one in the cache would do as well, and hide that it can't get it out.
        world.lose_from_the_cache("kubewright-agent");
    }
    world.move_the_program();
    let sources = world.program_at("ls", &[env!("CARGO_MANIFEST_DIR")]).output().expect("ls starts");
    assert!(!sources.status.success(), "the sources are out of sight");

    let documents = world.write("moved1.yaml", &documents::with_workers(CLUSTER, "", 0));
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &documents, "--yes"]);
    world.kubewright(&["validate", "cluster", CLUSTER]);
    world.kubewright(&["export", "kubeconfig", CLUSTER]);
    checks::nodes_and_system(world, "1.36.3", &NAMES[..1]);
    assert_eq!(world.on_machine(CLUSTER, NAMES[0], "hostname").trim(), NAMES[0]);
    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.count=1"]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    checks::nothing_to_do(world, CLUSTER);
    world.kubewright(&["stop", "cluster", CLUSTER]);
    world.kubewright(&["start", "cluster", CLUSTER]);
    checks::nothing_to_do(world, CLUSTER);
    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);
}
