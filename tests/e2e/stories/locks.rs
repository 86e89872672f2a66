//! One at a time: a second change is refused and told who works on the cluster; a killed one blocks nobody.

use crate::running::Moment;
use crate::world::{World, both};
use crate::{checks, documents, racing};

pub(crate) fn story(world: &mut World) {
    let documents = world.write("locks1.yaml", &documents::with_workers("locks1", "", 0));
    let mut first = world.start_kubewright(&["create", "cluster", "locks1", "-f", &documents, "--yes"]);
    assert!(first.reaches(&Moment::Works), "the first one works");
    let holder = format!("process {}", first.process());
    for second in [
        ["update", "cluster", "locks1", "--yes"].as_slice(),
        ["delete", "cluster", "locks1", "--yes"].as_slice(),
        ["set", "cluster", "locks1", "spec.addons.localPath.enabled=false"].as_slice(),
        ["stop", "cluster", "locks1"].as_slice(),
    ] {
        let output = world.try_kubewright(second);
        let said = both(&output);
        assert_eq!(output.status.code(), Some(13), "{second:?}:\n{said}");
        assert!(
            said.contains(&holder) && said.contains("update cluster"),
            "{second:?} does not name {holder}:\n{said}"
        );
    }
    let clusters = world.kubewright(&["get", "clusters"]);
    assert!(clusters.contains("locks1"), "looking needs no lock: {clusters}");
    first.kill();
    world.kubewright(&["update", "cluster", "locks1", "--yes"]);
    world.kubewright(&["set", "cluster", "locks1", "--instance-group", "worker", "spec.count=1"]);
    racing::one_of_many_wins(world, "locks1", "control-plane-1");
    taken_away(world);
    world.kubewright(&["delete", "cluster", "locks1", "--yes"]);
}

/// A lock that is taken away is lost to whoever held it: it starts nothing more.
fn taken_away(world: &mut World) {
    world.kubewright(&["set", "cluster", "locks1", "--instance-group", "worker", "spec.count=2"]);
    let mut first = world.start_kubewright(&["update", "cluster", "locks1", "--yes"]);
    assert!(first.reaches(&Moment::Works), "the first one works");
    let holder = format!("process {}", first.process());
    let refused = world.try_kubewright(&["state", "unlock", "locks1"]);
    let said = both(&refused);
    assert_eq!(refused.status.code(), Some(13), "{said}");
    assert!(said.contains(&holder) && said.contains("--force"), "{said}");
    let taken = world.kubewright(&["state", "unlock", "locks1", "--force"]);
    assert!(taken.contains(&holder), "{taken}");
    let (status, said) = first.finish();
    assert_eq!(status.code(), Some(13), "{said}");
    assert!(said.contains("the lock on the cluster was lost"), "{said}");
    world.kubewright(&["update", "cluster", "locks1", "--yes"]);
    checks::nothing_to_do(world, "locks1");
    assert!(world.kubewright(&["state", "unlock", "locks1"]).contains("Nobody holds the lock"));
}
