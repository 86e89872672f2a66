//! State in S3: a whole life of a cluster with nothing of its state on this host, and its move to a directory and back.

use crate::running::Moment;
use crate::world::{World, both};
use crate::{checks, documents, racing};

const CLUSTER: &str = "bucket1";

pub(crate) fn story(world: &mut World) {
    let bucket = world.keep_state_in_a_bucket();
    let documents = world.write("bucket1.yaml", &documents::with_workers(CLUSTER, "", 0));
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &documents, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, CLUSTER);
    assert!(!world.state().join("clusters").exists(), "no state is kept on this host");

    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.count=1"]);
    racing::one_of_many_wins(world, CLUSTER, "control-plane-1");
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    checks::nothing_to_do(world, CLUSTER);

    killed_and_followed(world);
    moved_and_back(world, &bucket);
    seen_from_another_home(world);
    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);
    assert!(!world.kubewright(&["get", "clusters"]).contains(CLUSTER));
}

/// A lease whose holder was killed on this host is nobody's.
fn killed_and_followed(world: &mut World) {
    world.kubewright(&["set", "cluster", CLUSTER, "spec.addons.localPath.enabled=false"]);
    let mut first = world.start_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert!(first.reaches(&Moment::Works), "the first one works");
    first.kill();
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
}

/// Whoever has another home shares the bucket, but not the machines: nothing is made twice, and nothing forgotten.
fn seen_from_another_home(world: &mut World) {
    let home = world.path("another-home");
    for verb in ["update", "delete", "stop"] {
        let arguments: &[&str] =
            if verb == "stop" { &["stop", "cluster", CLUSTER] } else { &[verb, "cluster", CLUSTER, "--yes"] };
        let output = world.program(arguments).env("XDG_STATE_HOME", &home).output().expect("kubewright starts");
        let said = both(&output);
        assert_eq!(output.status.code(), Some(11), "{verb}: {said}");
        assert!(said.contains(&world.state().display().to_string()), "where the machines live is said: {said}");
    }
    checks::nothing_to_do(world, CLUSTER);
}

/// The state moves to a directory, where it is the same; what is left in the bucket says where it went.
fn moved_and_back(world: &mut World, bucket: &str) {
    let directory = world.state().display().to_string();
    let copy = ["state", "copy", bucket, &directory, "--name", CLUSTER];
    let preview = both(&world.try_kubewright(&copy));
    assert!(preview.contains("Nothing was changed"), "{preview}");
    world.kubewright(&[&copy[..], &["--yes"]].concat());
    let refused = world.try_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let said = both(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("was moved to") && said.contains(&directory), "{said}");
    let clusters = world.kubewright(&["get", "clusters"]);
    assert!(clusters.contains("Moved to"), "{clusters}");
    let here = world.kubewright(&["update", "cluster", CLUSTER, "--detailed-exitcode", "--state", &directory]);
    assert!(here.contains("No changes."), "{here}");
    world.kubewright(&["state", "copy", &directory, bucket, "--name", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
    world.kubewright(&["state", "verify", CLUSTER]);
}
