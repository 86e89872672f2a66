//! One control plane and two workers: made, used, changed, scaled, deleted.

use crate::world::World;
use crate::{checks, data, drains, somebodys, tools, traffic};

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", "default1", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1", "worker-2"]);
    checks::nothing_to_do(world, "default1");
    world.kubewright(&["validate", "cluster", "default1"]);
    traffic::start_web(world);
    traffic::pods_talk(world, "default1");
    tools::work(world);
    traffic::scales(world);
    traffic::rolls_without_loss(world);
    traffic::stop_web(world);
    data::write(world);
    data::outlives_its_pod(world);
    a_label_changes_only_the_nodes(world);
    somebodys::metrics_server(world, "default1");
    an_addon_comes_and_goes(world);
    a_worker_comes_and_goes(world);
    kubeadm_accepts_it(world);
    machines_have_their_tools(world);
    checks::nothing_to_do(world, "default1");
}

fn a_label_changes_only_the_nodes(world: &mut World) {
    world.kubewright(&["set", "cluster", "default1", "--instance-group", "worker", "spec.labels={tier: front}"]);
    let plan = world.kubewright(&["update", "cluster", "default1"]);
    assert!(plan.contains("node/worker-1") && plan.contains("labels.tier"), "{plan}");
    assert!(plan.contains("0 to create, 2 to update, 0 to replace, 0 to delete"), "{plan}");
    let pending = world.try_kubewright(&["update", "cluster", "default1", "--detailed-exitcode"]);
    assert_eq!(pending.status.code(), Some(3), "changes are pending");
    world.kubewright(&["update", "cluster", "default1", "--yes"]);
    let labelled = world.kubectl(&["get", "nodes", "-l", "tier=front", "--no-headers"]);
    assert_eq!(labelled.lines().count(), 2);
    checks::nothing_to_do(world, "default1");
}

fn a_worker_comes_and_goes(world: &mut World) {
    world.kubewright(&["set", "cluster", "default1", "--instance-group", "worker", "spec.count=3"]);
    let plan = world.kubewright(&["update", "cluster", "default1"]);
    assert!(plan.contains("machine/default1/worker-3") && !plan.contains("machine/default1/worker-2"), "{plan}");
    world.kubewright(&["update", "cluster", "default1", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1", "worker-2", "worker-3"]);

    traffic::start_web(world);
    drains::put_something_on(world, "worker-3");
    world.kubewright(&["set", "cluster", "default1", "--instance-group", "worker", "spec.count=2"]);
    drains::consent(world, "worker-3");
    world.kubewright(&["update", "cluster", "default1", "--yes"]);
    drains::take_back(world);
    world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
    traffic::stop_web(world);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1", "worker-2"]);
}

const IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server:v0.9.0";

fn an_addon_comes_and_goes(world: &mut World) {
    world.kubewright(&["set", "cluster", "default1", "spec.addons.metricsServer.enabled=true"]);
    let plan = world.kubewright(&["update", "cluster", "default1"]);
    assert!(plan.contains("0 to update, 0 to replace, 0 to delete") && !plan.contains("machine"), "{plan}");
    world.kubewright(&["update", "cluster", "default1", "--yes"]);
    world.eventually(&["top", "nodes", "--no-headers"], |text| text.lines().count() == 3);
    world.on_machine("default1", "worker-1", &format!("ctr -n k8s.io images remove {IMAGE}"));
    let plan = world.kubewright(&["update", "cluster", "default1"]);
    assert!(plan.contains("image/worker-1/metrics-server") && plan.contains("1 to create, 0 to update"), "{plan}");
    world.kubewright(&["set", "cluster", "default1", "spec.addons.metricsServer.enabled=false"]);
    world.kubewright(&["update", "cluster", "default1", "--yes"]);
    let left = world.on_machine("default1", "worker-2", "ctr -n k8s.io images list --quiet");
    assert!(!left.contains(IMAGE), "{left}");
    assert!(!world.try_kubectl(&["get", "deployment", "-n", "kube-system", "metrics-server"]).status.success());
}

/// kubeadm, built from the same module, is a good judge of the layout.
fn kubeadm_accepts_it(world: &mut World) {
    let ssh = ["ssh", "default1", "control-plane-1", "--"];
    let certificates = world.kubewright(&[&ssh[..], &["kubeadm", "certs", "check-expiration"]].concat());
    assert_eq!(certificates.matches("364d").count(), 11, "{certificates}");
    let join = world.kubewright(&["get", "join-command", "default1"]);
    assert!(
        join.starts_with("kubeadm join ") && join.contains("--discovery-token-ca-cert-hash sha256:"),
        "a join command"
    );
    let admin = "--kubeconfig=/etc/kubernetes/admin.conf";
    let tokens = world.kubewright(&[&ssh[..], &["kubeadm", "token", "list", admin]].concat());
    assert_eq!(tokens.lines().count(), 2, "one token, and the titles:\n{tokens}");
}

/// What people look with where no API server answers.
fn machines_have_their_tools(world: &mut World) {
    for (machine, container) in [("control-plane-1", "etcd"), ("worker-1", "kube-proxy")] {
        let listed = world.on_machine("default1", machine, "crictl ps --all");
        assert!(listed.contains(container), "{listed}");
    }
    let versions = world.on_machine("default1", "worker-1", "crictl --version && curl --version");
    assert!(versions.starts_with("crictl version v1.36.0\ncurl "), "{versions}");
}
