//! A cluster of the release before is taken over by an update that nothing in it feels; what else this one brings comes when its
//! owner asks for it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cache::Missing;
use crate::world::World;
use crate::{checks, documents, earlier, preview};

const CLUSTER: &str = "taken1";
const NAMES: [&str; 2] = ["control-plane-1", "worker-1"];

/// A user's pods.
const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: mine}
spec:
  replicas: 2
  selector: {matchLabels: {app: mine}}
  template:
    metadata: {labels: {app: mine}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.63.0, args: [pause]}
";

pub(crate) fn story(world: &mut World) {
    let earlier = match earlier::program() {
        Ok(program) => program,
        Err(Missing(why)) => return world.skip(format!("the release before is not to be had here: {why}")),
    };
    let documents = world.write("taken1.yaml", &documents::with_workers(CLUSTER, "", 1));
    let now = world.use_program(earlier);
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &documents, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    world.apply(DEPLOYMENT);
    world.kubectl(&["rollout", "status", "deployment/mine", "--timeout=120s"]);
    let before = Felt::of(world);
    world.use_program(now);

    only_what_nothing_feels(world);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    assert_eq!(Felt::of(world), before, "a newer kubewright alone changes nothing that runs");

    world.kubewright(&["set", "cluster", CLUSTER, "spec.edition=v2"]);
    let asked = preview::update(world, CLUSTER);
    assert!(asked.contains_key("update object/apps/v1/DaemonSet/kube-system/kube-proxy"), "{asked:#?}");
    assert!(asked.keys().all(|change| !change.starts_with("delete ")), "{asked:#?}");
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
    let after = Felt::of(world);
    assert_eq!((&after.mine, &after.machines), (&before.mine, &before.machines), "the user's pods live on");
    assert_ne!(after.room, before.room, "the new edition keeps something for the machines themselves");
    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);
}

/// The preview has markers, the guard of etcd's data and names of the API server's certificate, and none of it disturbs anything.
fn only_what_nothing_feels(world: &mut World) {
    let output = world.try_kubewright(&["update", "cluster", CLUSTER, "-o", "json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).expect("a plan is JSON");
    let changes = plan["changes"].as_array().expect("changes");
    assert!(!changes.is_empty(), "the markers are new");
    for change in changes {
        assert!(["create", "update"].iter().any(|fine| change["operation"] == *fine), "{change:#}");
        assert_eq!(change["replaces"], false, "{change:#}");
        assert!(change["effects"].as_array().expect("effects").is_empty(), "{change:#}");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("An earlier release made this cluster."), "{said}");
    assert!(said.contains(&format!("kubewright set cluster {CLUSTER} spec.edition=v2")), "{said}");
}

/// What somebody who uses a cluster would notice.
#[derive(Debug, PartialEq)]
struct Felt {
    /// Uids of the user's pods.
    mine: BTreeMap<String, String>,
    /// Every container that was ever started on each machine, those of static pods too.
    containers: Vec<String>,
    /// When each machine, its kubelet and its containerd started.
    machines: Vec<String>,
    kubelets: Vec<String>,
    /// What each Node has for pods.
    room: Vec<Value>,
}

impl Felt {
    fn of(world: &mut World) -> Self {
        let on_each =
            |world: &mut World, script: &str| NAMES.map(|name| world.on_machine(CLUSTER, name, script)).into();
        let nodes = world.get(&["nodes"]);
        Self {
            mine: pods(world),
            containers: on_each(world, "ls /var/log/containers"),
            machines: on_each(world, "cut -d ' ' -f 22 /proc/1/stat; systemctl show containerd -p MainPID"),
            kubelets: on_each(world, "systemctl show kubelet -p MainPID"),
            room: nodes["items"]
                .as_array()
                .expect("nodes")
                .iter()
                .map(|node| node["status"]["allocatable"].clone())
                .collect(),
        }
    }
}

fn pods(world: &World) -> BTreeMap<String, String> {
    let pods = world.get(&["pods"]);
    let life = |pod: &Value| {
        let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
        (pod["metadata"]["name"].to_string(), format!("{} {restarts}", pod["metadata"]["uid"]))
    };
    pods["items"].as_array().expect("pods").iter().map(life).collect()
}
