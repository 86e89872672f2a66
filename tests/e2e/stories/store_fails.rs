//! The disk of the state is full, or read-only, in the middle of a run: nothing is lost, and typing the command again goes on.

use crate::running::Moment;
use crate::world::World;
use crate::{checks, documents, machines};

const CLUSTER: &str = "store1";

pub(crate) fn story(world: &mut World) {
    world.keep_state_on_a_small_disk();
    let documents = world.write("store1.yaml", &documents::with_workers(CLUSTER, "", 0));
    let create = ["create", "cluster", CLUSTER, "-f", &documents, "--yes"];
    interrupted(world, &create, World::fill_disk, "No space left");
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);

    let before = machines::running(world, CLUSTER);
    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.count=1"]);
    interrupted(world, &["update", "cluster", CLUSTER, "--yes"], World::freeze_disk, "Read-only file system");
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    let after = machines::running(world, CLUSTER);
    assert!(after.len() == 2 && after["control-plane-1"] == before["control-plane-1"], "{before:?} {after:?}");
    world.kubewright(&["state", "verify", CLUSTER]);
    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);
}

/// Something happens to the disk while a command works; when it is well again, the next command ends what was begun.
fn interrupted(world: &mut World, typed: &[&str], happens: fn(&World), why: &str) {
    let mut running = world.start_kubewright(typed);
    assert!(running.reaches(&Moment::Works), "it works");
    happens(world);
    let (status, said) = running.finish();
    assert!(!status.success() && status.code() != Some(70), "{status}:\n{said}");
    assert!(said.contains(why) && said.contains("nothing that was done is lost"), "{said}");
    let made = machines::running(world, CLUSTER);
    world.heal_disk();
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let now = machines::running(world, CLUSTER);
    assert!(made.iter().all(|(name, process)| now.get(name) == Some(process)), "{made:?} {now:?}");
    checks::nothing_to_do(world, CLUSTER);
}
