//! What users rely on in any cluster, one function for each row of the requirements, judged by kubectl as a user would.

mod access;
mod debugging;
mod deployments;
mod egress;
mod lost_api;
pub(crate) mod lost_worker;
mod pods;
mod scaling;
mod services;
mod services_by_type;
mod stateful;

use std::time::Instant;

use crate::world::World;

/// All that the proofs look at.
const WORKLOADS: &str = include_str!("proofs/workloads.yaml");
/// Upstream's image of many tools, in every machine's store.
const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";
/// An image that is only in the registry of the test, which stands in for the one that is named here.
const BOOTCAMP: &str = "gcr.io/google-samples/kubernetes-bootcamp";

/// A pod of a DaemonSet with tools, and its node.
struct Tools {
    pod: String,
    node: String,
}

/// All proofs, on a cluster with two workers that pulls from the registry at `registry` what it thinks comes from gcr.io.
pub(crate) fn all(world: &World, cluster: &str, registry: &str) {
    world.apply(WORKLOADS);
    world.kubectl(&["autoscale", "deployment/busy", "--min=1", "--max=3", "--cpu=50%"]);
    world.kubectl(&["rollout", "status", "daemonset/tools", "--timeout=120s"]);
    world.kubectl(&["rollout", "status", "deployment/hostnames", "--timeout=120s"]);
    let tools = &tools(world);
    // Each of these looks at objects of its own.
    at_once(&[
        ("services", &|| services::all(world, tools)),
        ("services by type", &|| services_by_type::all(world, tools, registry)),
        ("images", &|| deployments::images(world)),
        ("deployments", &|| deployments::rollouts(world)),
        ("pods", &|| pods::all(world, tools)),
        ("stateful", &|| stateful::all(world, tools)),
        ("egress", &|| egress::all(world, tools, registry)),
    ]);
    at_once(&[("without the API server", &|| lost_api::services_go_on(world, cluster, tools))]);
    // While scheduler and controllers are still waiting for the leases of those that went with the API server: these need neither.
    at_once(&[("debugging", &|| debugging::all(world, tools)), ("access", &|| access::all(world))]);
    at_once(&[("with it again", &|| lost_api::changes_go_on(world)), ("scaling", &|| scaling::all(world))]);
}

fn at_once(proofs: &[(&str, &(dyn Fn() + Sync))]) {
    std::thread::scope(|scope| {
        for (name, prove) in proofs {
            scope.spawn(move || {
                let began = Instant::now();
                prove();
                println!("      ({name}: {:.1} s)", began.elapsed().as_secs_f32());
            });
        }
    });
}

/// One on each node, the control plane among them.
fn tools(world: &World) -> Vec<Tools> {
    let line = "jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}";
    let text = world.kubectl(&["get", "pods", "-l", "app=tools", "-o", line]);
    let found = text.lines().map(|line| {
        let (pod, node) = line.split_once(' ').expect("a name and a node");
        Tools { pod: pod.to_owned(), node: node.to_owned() }
    });
    let found: Vec<Tools> = found.collect();
    assert_eq!(found.len(), 3, "one on each node:\n{text}");
    found
}

impl Tools {
    /// Runs a script in it, which must succeed; gives what it printed.
    fn run(&self, world: &World, script: &str) -> String {
        world.kubectl(&["exec", &self.pod, "-c", "count", "--", "sh", "-c", script])
    }

    /// Runs a script in it again and again, until `good` likes what it prints: rules and names may be a moment behind.
    fn eventually(&self, world: &World, script: &str, good: impl Fn(&str) -> bool) -> String {
        world.eventually(&["exec", &self.pod, "-c", "count", "--", "sh", "-c", script], good)
    }
}

/// Applies a manifest that is kept under a name of its own, because others are applied meanwhile.
fn apply(world: &World, name: &str, manifest: &str) {
    let path = world.write(&format!("{name}.yaml"), manifest);
    world.kubectl(&["apply", "-f", &path]);
}

/// A field of an object, or of a list of them.
fn field(world: &World, object: &[&str], path: &str) -> String {
    world.kubectl(&[&["get"], object, &["-o", &format!("jsonpath={{{path}}}")]].concat())
}

/// Waits until a field of an object, or of a list of them, is as `good` likes it.
fn field_becomes(world: &World, object: &[&str], path: &str, good: impl Fn(&str) -> bool) -> String {
    world.eventually(&[&["get"], object, &["-o", &format!("jsonpath={{{path}}}")]].concat(), good)
}

/// Words in an order of their own.
fn sorted(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}
