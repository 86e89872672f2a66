//! Rule: what stands before the control planes fits how many there are.

use super::{Finding, World};
use crate::{LoadBalancer, Role};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    const FIELD: &str = "spec.api.loadBalancer";
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let api = &cluster.value.spec.api;
    let control_planes: u32 = world
        .groups()
        .iter()
        .filter(|group| group.value.spec.role == Role::ControlPlane)
        .map(|group| group.value.spec.count)
        .sum();
    let finding = match (api.load_balancer, &api.endpoint) {
        (LoadBalancer::External, None) => {
            Finding::error("spec::no-endpoint", "`loadBalancer: external` needs an endpoint")
                .at(cluster, FIELD)
                .help("set `spec.api.endpoint` to the load balancer's name or address, or leave `loadBalancer` out")
        }
        (LoadBalancer::None, _) if control_planes > 1 && world.is_complete() => {
            let message =
                format!("with {control_planes} control planes and no load balancer, every node depends on one of them");
            Finding::error("spec::no-load-balancer", message)
                .at(cluster, FIELD)
                .help("write `nodeLocal`, or `external` with an endpoint")
        }
        _ => return Vec::new(),
    };
    vec![finding]
}
