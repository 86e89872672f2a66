//! Bad input is refused before anything is touched, with the place and a hint.

use crate::world::{World, both};

pub(crate) fn story(world: &mut World) {
    refused(world, &["create", "cluster", "UPPER", "--yes"], 10, "lower-case");
    refused(world, &["create", "cluster", "demo", "--kubernetes-version", "1.20", "--yes"], 10, "1.36");
    refused(world, &["create", "cluster", "demo", "--control-plane-count", "2", "--yes"], 10, "write 1 or 3");
    refused(world, &["update", "cluster", "nowhere"], 1, "create cluster");
    let clusters = world.kubewright(&["get", "clusters"]);
    assert!(clusters.contains("There are no clusters"), "{clusters}");
}

fn refused(world: &mut World, arguments: &[&str], code: i32, part: &str) {
    let output = world.try_kubewright(arguments);
    let text = both(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{text}");
    assert!(text.contains(part), "{arguments:?} does not say {part}:\n{text}");
}
