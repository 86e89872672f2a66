//! T-04: a Service of each type, and one without a selector. That labels choose the pods is SVC-10's.

use super::{Tools, apply, field};
use crate::world::World;
use crate::{probe, traffic};

pub(super) fn all(world: &World, tools: &[Tools], registry: &str) {
    a_cluster_ip_is_the_default(world);
    a_node_port_is_open_on_every_node(world);
    a_load_balancer_is_left_to_its_provider(world);
    an_external_name_is_another_name(world, &tools[0]);
    endpoints_may_be_given_by_hand(world, &tools[0], registry);
}

fn a_cluster_ip_is_the_default(world: &World) {
    assert_eq!(field(world, &["service", "by-hand"], ".spec.type"), "ClusterIP");
}

fn a_node_port_is_open_on_every_node(world: &World) {
    answers_on_every_node(world, "on-nodes");
}

/// No provider of load balancers is there: the address is pending, and all the rest of such a Service works.
fn a_load_balancer_is_left_to_its_provider(world: &World) {
    let listed = world.kubectl(&["get", "service", "balanced", "--no-headers"]);
    assert!(listed.contains("LoadBalancer") && listed.contains("<pending>"), "{listed}");
    answers_on_every_node(world, "balanced");
}

fn an_external_name_is_another_name(world: &World, tools: &Tools) {
    let said = tools.run(world, "nslookup elsewhere.default.svc.cluster.local");
    assert!(said.contains("canonical name = on-nodes.default.svc.cluster.local"), "{said}");
    tools.eventually(world, "wget -qO- -T 2 http://elsewhere", |text| text.starts_with("hostnames-"));
}

/// Without a selector nobody makes endpoints. Who makes them may lead anywhere: here to the test's registry on the host.
fn endpoints_may_be_given_by_hand(world: &World, tools: &Tools, registry: &str) {
    let slices = ["endpointslices", "-l", "kubernetes.io/service-name=by-hand"];
    assert_eq!(field(world, &slices, ".items[*].metadata.name"), "");
    let (address, port) = registry.split_once(':').expect("an address and a port");
    let slice = format!(
        "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: by-hand-1, labels: {{kubernetes.io/service-name: by-hand}}}}
addressType: IPv4
ports: [{{name: '', port: {port}}}]
endpoints: [{{addresses: [{address}]}}]
"
    );
    apply(world, "by-hand", &slice);
    tools.eventually(world, "wget -qO- -T 2 http://by-hand/v2/", |text| text == "{}");
}

fn answers_on_every_node(world: &World, service: &str) {
    let port = field(world, &["service", service], ".spec.ports[0].nodePort");
    for node in traffic::nodes(world) {
        probe::from_host(&format!("{}:{port}", node.address));
    }
}
