//! APP-08: replicas by hand, and by a HorizontalPodAutoscaler that knows how busy pods are.

use super::{field, field_becomes};
use crate::world::World;

pub(super) fn all(world: &World) {
    load_makes_replicas(world);
    replicas_are_set_by_hand(world);
}

/// The target's value is a real one, which takes metrics-server and the way to it through the API; and it has consequences.
fn load_makes_replicas(world: &World) {
    let used = ".status.currentMetrics[0].resource.current.averageUtilization";
    let percent = field_becomes(world, &["hpa", "busy"], used, |text| text.parse::<u32>().is_ok_and(|used| used > 50));
    let listed = world.kubectl(&["get", "hpa", "busy", "--no-headers"]);
    assert!(listed.contains("Deployment/busy") && !listed.contains("<unknown>"), "{listed}");
    println!("      (busy pods use {percent} % of what they asked for)");
    field_becomes(world, &["deployment", "busy"], ".status.replicas", |text| text == "3");
}

/// Where no autoscaler decides.
fn replicas_are_set_by_hand(world: &World) {
    world.kubectl(&["delete", "hpa", "busy"]);
    world.kubectl(&["scale", "deployment/busy", "--replicas=1"]);
    field_becomes(world, &["pods", "-l", "app=busy"], ".items[*].metadata.name", |text| {
        text.split_whitespace().count() == 1
    });
    assert_eq!(field(world, &["deployment", "busy"], ".spec.replicas"), "1");
    world.kubectl(&["delete", "deployment", "busy", "--wait=false"]);
}
