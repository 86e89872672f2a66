//! Somebody else's objects where an addon's would be: named, left alone, and taken when that is asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::preview;
use crate::world::World;

/// What upstream's manifests of metrics-server would make, in part.
const MANIFEST: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: metrics-server, namespace: kube-system, labels: {k8s-app: metrics-server, team: theirs}}
---
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system, labels: {k8s-app: metrics-server, team: theirs}}
spec:
  selector: {k8s-app: metrics-server}
  ports: [{name: https, port: 443, targetPort: 4443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: metrics-server, namespace: kube-system, labels: {k8s-app: metrics-server, team: theirs}}
spec:
  replicas: 0
  selector: {matchLabels: {k8s-app: metrics-server}}
  template:
    metadata: {labels: {k8s-app: metrics-server}}
    spec:
      containers: [{name: metrics-server, image: 'registry.example.org/theirs:1'}]
";

/// Theirs, by what plans call them.
const THEIRS: [(&str, &str); 3] = [
    ("object/v1/ServiceAccount/kube-system/metrics-server", "serviceaccount"),
    ("object/v1/Service/kube-system/metrics-server", "service"),
    ("object/apps/v1/Deployment/kube-system/metrics-server", "deployment"),
];

/// The addon is switched on and off beside somebody else's; then theirs is given to kubewright.
pub(crate) fn metrics_server(world: &mut World, cluster: &str) {
    let switch = |world: &mut World, on: bool| {
        world.kubewright(&["set", "cluster", cluster, &format!("spec.addons.metricsServer.enabled={on}")]);
    };
    world.apply(MANIFEST);
    let before = theirs(world);
    switch(world, true);
    let shown = world.kubewright(&["update", "cluster", cluster]);
    for (id, _) in THEIRS {
        let line = shown.lines().find(|line| line.contains(&format!("? {id} ")));
        let line = line.unwrap_or_else(|| panic!("{id} is not told of:\n{shown}"));
        assert!(line.contains("is somebody else's and stays as it is") || line.contains("waits for object/"), "{line}");
    }
    assert!(shown.contains("`state adopt` makes it ours"), "{shown}");
    let shown = world.kubewright(&["update", "cluster", cluster, "--yes"]);
    assert!(shown.contains("is somebody else's"), "{shown}");
    assert_eq!(theirs(world), before, "it is theirs while the addon is on");
    switch(world, false);
    let planned = preview::update(world, cluster);
    assert!(THEIRS.iter().all(|(id, _)| !planned.contains_key(&format!("delete {id}"))), "{planned:?}");
    world.kubewright(&["update", "cluster", cluster, "--yes"]);
    assert_eq!(theirs(world), before, "it is theirs when the addon is off again");

    switch(world, true);
    let ids = THEIRS.map(|(id, _)| id);
    world.kubewright(&[&["state", "adopt", cluster], &ids[..], &["--yes"]].concat());
    let fields = |objects: &BTreeMap<&'static str, Value>| {
        objects.iter().map(|(kind, object)| (*kind, object["spec"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(fields(&theirs(world)), fields(&before), "adopting changes no more than the marker");
    let planned = preview::update(world, cluster);
    assert!(planned.contains_key(&format!("update {}", ids[2])), "it is ours to change now: {planned:?}");
    switch(world, false);
    world.kubewright(&["update", "cluster", cluster, "--yes"]);
    let kinds = "deployment,service,serviceaccount";
    let left = world.kubectl(&["get", kinds, "--namespace=kube-system", "--selector=team=theirs", "--output=name"]);
    assert_eq!(left, "", "and to delete");
}

/// All that is theirs, as the API has it.
fn theirs(world: &World) -> BTreeMap<&'static str, Value> {
    let get = |kind| (kind, world.get(&["-n", "kube-system", kind, "metrics-server"]));
    let mut objects: BTreeMap<_, _> = THEIRS.iter().map(|(_, kind)| get(*kind)).collect();
    // What its controller says of it comes when it comes.
    let deployment = objects.get_mut("deployment").and_then(Value::as_object_mut).expect("a Deployment");
    deployment.remove("status");
    let metadata = deployment["metadata"].as_object_mut().expect("metadata");
    metadata.retain(|field, _| ["labels", "annotations", "uid", "generation"].contains(&field.as_str()));
    metadata["annotations"].as_object_mut().expect("annotations").remove("deployment.kubernetes.io/revision");
    objects
}
