//! What users rely on in any cluster: Services, Deployments, volumes, access, debugging, and that all of it outlives an API
//! server that is away and a machine that is lost. The proofs are in `proofs`, one function for each row of the requirements.
//!
//! Rows that other stories prove are not proven again: T-10's rollout that loses no request, NodePort in T-04, DBG-09's `cp` and
//! `port-forward` and pods that talk across nodes are in *default cluster*; CLU-05 with one API server of three in *failover*;
//! the way of SH-01 beyond the host and its firewall in *foreign things*.

use crate::proofs;
use crate::published;
use crate::registry::{self, Registry};
use crate::world::World;
use crate::{checks, documents};

const CLUSTER: &str = "work1";

/// A lost machine is told of after 20 seconds instead of 50.
const SPEC: &str = "\
addons: {metricsServer: {enabled: true}}
kubeControllerManager: {extraArgs: {node-monitor-grace-period: 20s}}";

pub(crate) fn story(world: &mut World) {
    let file = world.write("work1.yaml", &documents::with_workers(CLUSTER, SPEC, 2));
    let directory = world.path("registry");
    std::thread::scope(|scope| {
        scope.spawn(|| registry::unpack(&directory));
        world.kubewright(&["create", "cluster", CLUSTER, "-f", &file, "--yes"]);
    });
    let registry = lead_pulls_to_a_registry(world, &directory);
    proofs::all(world, CLUSTER, registry.address());
    proofs::lost_worker::is_replaced(world, CLUSTER);
    checks::nothing_to_do(world, CLUSTER);
}

/// A registry at the address of this host in the machines' network, which is known only now; a running cluster learns of it.
fn lead_pulls_to_a_registry(world: &mut World, directory: &std::path::Path) -> Registry {
    let route = world.on_machine(CLUSTER, "worker-1", "ip -4 route show default");
    let host = route.split_whitespace().nth(2).expect("a gateway");
    let registry = Registry::serve(directory, host);
    let archive = &published::cached(world)["image-agnhost"];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for tag in ["v1", "v2"] {
        runtime.block_on(registry.push_as_another(archive, "google-samples/kubernetes-bootcamp", tag));
    }
    let mirrors = format!("spec.containerd.mirrors={{gcr.io: [\"{}\"]}}", registry.url());
    world.kubewright(&["set", "cluster", CLUSTER, &mirrors]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    registry
}
