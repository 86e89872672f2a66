//! What users bring of their own is there, stays without a change, and goes; certificates that kubeadm renewed stay as well.

use crate::world::World;
use crate::{checks, preview};

const CLUSTER: &str = "own1";
const MACHINE: &str = "control-plane-1";

const DOCUMENTS: &str = r#"
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {name: own1}
spec:
  kubernetesVersion: 1.36.3
  sysctls: {net.core.somaxconn: "2048"}
  networking:
    flannel: {backend: hostGateway, mtu: 1400}
    kubeProxy: {config: {logging: {verbosity: 3}}}
    stubDomains: {corp.example.org: [192.0.2.53]}
  containerd:
    proxy: {https: "http://proxy.example.org:3128", noProxy: [.example.org]}
  addons:
    manifests:
    - name: widgets
      content: |
        apiVersion: example.org/v1
        kind: Widget
        metadata: {name: first, namespace: team}
        spec: {size: 3}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings, creationTimestamp: null}
        data: {on: "yes"}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.org}
        spec:
          group: example.org
          names: {kind: Widget, plural: widgets}
          scope: Namespaced
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                x-kubernetes-preserve-unknown-fields: true
    - name: team
      content: '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}'
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {name: control-plane, cluster: own1}
spec:
  role: ControlPlane
  annotations: {example.org/rack: Row 3}
  machine: {memory: 3Gi}
"#;

pub(crate) fn story(world: &mut World) {
    let file = world.write("own.yaml", DOCUMENTS);
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &file, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    let size = world.kubectl(&["get", "widget", "-n", "team", "first", "-o", "jsonpath={.spec.size}"]);
    assert_eq!(size, "3", "an object of an own kind, whose kind and namespace came first");
    assert_eq!(world.kubectl(&["get", "configmap", "settings", "-o", "jsonpath={.data.on}"]), "yes");
    on_the_machine(world);
    checks::nothing_to_do(world, CLUSTER);

    world.kubectl(&["delete", "widget", "-n", "team", "first"]);
    let drifted: Vec<String> = preview::update(world, CLUSTER).into_keys().collect();
    assert_eq!(drifted, ["create object/example.org/v1/Widget/team/first"]);
    let digest = "sha256sum /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/admin.conf";
    let before = world.quietly_on_machine(CLUSTER, MACHINE, digest);
    world.on_machine(CLUSTER, MACHINE, "kubeadm certs renew all");
    let renewed = world.quietly_on_machine(CLUSTER, MACHINE, digest);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert_ne!(before, renewed);
    assert_eq!(world.quietly_on_machine(CLUSTER, MACHINE, digest), renewed, "what kubeadm renewed stays");
    checks::nothing_to_do(world, CLUSTER);

    world.kubewright(&["set", "cluster", CLUSTER, "spec.addons.manifests=[]"]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    for gone in
        [&["get", "configmap", "settings"][..], &["get", "crd", "widgets.example.org"], &["get", "namespace", "team"]]
    {
        world.eventually(&[gone, &["--ignore-not-found", "-o", "name"]].concat(), str::is_empty);
    }
    checks::nothing_to_do(world, CLUSTER);
}

fn on_the_machine(world: &mut World) {
    let read = |world: &World, script: &str| world.quietly_on_machine(CLUSTER, MACHINE, script).trim().to_owned();
    assert_eq!(read(world, "cat /proc/sys/net/core/somaxconn"), "2048");
    assert!(read(world, "systemctl show containerd -p Environment").contains("proxy.example.org:3128"));
    assert!(read(world, "ls /var/log/journal").len() >= 32, "the journal is on disk");
    let rack = "jsonpath={.metadata.annotations.example\\.org/rack}";
    assert_eq!(world.kubectl(&["get", "node", MACHINE, "-o", rack]), "Row 3");
    let memory = world.kubectl(&["get", "node", MACHINE, "-o", "jsonpath={.status.allocatable.memory}"]);
    let kibibytes: u64 = memory.trim_end_matches("Ki").parse().expect("memory in KiB");
    assert!((2 << 20..=3 << 20).contains(&kibibytes), "of 3Gi, {memory} are left for pods");
    let corefile =
        world.kubectl(&["get", "configmap", "-n", "kube-system", "coredns", "-o", "jsonpath={.data.Corefile}"]);
    assert!(corefile.contains("corp.example.org:53") && corefile.contains("192.0.2.53"), "{corefile}");
    let network = world.kubectl(&["get", "configmap", "-n", "kube-flannel", "kube-flannel-cfg", "-o", "yaml"]);
    assert!(network.contains("host-gw"), "{network}");
    let budgets = world.kubectl(&["get", "pdb", "-n", "kube-system", "-o", "name"]);
    assert!(budgets.contains("coredns"), "{budgets}");
}
