//! One at a time: a second change is refused and told who works on the cluster; a killed one blocks nobody.

use crate::running::Moment;
use crate::world::{World, both};

pub(crate) fn story(world: &mut World) {
    let mut first = world.start_kubewright(&["create", "cluster", "locks1", "--node-count", "0", "--yes"]);
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
    world.kubewright(&["delete", "cluster", "locks1", "--yes"]);
}
