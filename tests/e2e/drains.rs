//! Pods that a drain would lose for good: named, refused, consented to.

use crate::world::World;

const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.63.0, args: [pause]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scratch}
spec:
  selector: {matchLabels: {app: scratch}}
  template:
    metadata: {labels: {app: scratch}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [NODE]}]}
      containers:
      - name: c
        image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
        args: [pause]
        volumeMounts: [{name: cache, mountPath: /cache}]
      volumes: [{name: cache, emptyDir: {}}]
";

/// A bare pod, and a Deployment's with an emptyDir.
pub(crate) fn put_something_on(world: &World, node: &str) {
    world.apply(&MANIFEST.replace("NODE", node));
    world.kubectl(&["wait", "pod/bare", "--for=condition=Ready", "--timeout=120s"]);
    world.kubectl(&["rollout", "status", "deployment/scratch", "--timeout=120s"]);
    let on = world.kubectl(&["get", "pods", "-l", "app=scratch", "-o", "jsonpath={.items[*].spec.nodeName}"]);
    assert_eq!(on, node);
}

/// What is pending is refused until the group consents to everything that it would lose on a node.
pub(crate) fn consent(world: &mut World, node: &str) {
    let update = ["update", "cluster", "default1"];
    let set = ["set", "cluster", "default1", "--instance-group", "worker"];
    let plan = refused(world, &update);
    for words in [
        format!("drain/{node}"),
        format!("evicts the pods of {node}"),
        "loses pod default/bare: no controller recreates it".to_owned(),
        "loses emptyDir data of pod default/scratch-".to_owned(),
        format!("kubewright {} spec.drain.deleteEmptyDirData=true spec.drain.force=true", set.join(" ")),
    ] {
        assert!(plan.contains(&words), "{words} is not in:\n{plan}");
    }
    assert!(!plan.contains("default/web-"), "replicas are no loss:\n{plan}");
    refused(world, &[&update[..], &["--yes"]].concat());
    world.kubewright(&[&set[..], &["spec.drain.force=true"]].concat());
    let plan = refused(world, &[&update[..], &["--yes"]].concat());
    assert!(plan.contains("worker spec.drain.deleteEmptyDirData=true\n"), "{plan}");
    let cordoned = world.kubectl(&["get", "node", node, "-o", "jsonpath={.spec.unschedulable}"]);
    assert_eq!(cordoned, "", "nothing was touched");
    world.kubectl(&["get", "pod/bare"]);
    world.kubewright(&[&set[..], &["spec.drain.deleteEmptyDirData=true"]].concat());
    let plan = world.kubewright(&[&update[..], &["-o", "json"]].concat());
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    let changes = plan["changes"].as_array().expect("changes");
    let drain = changes.iter().find(|change| change["resource"] == format!("drain/{node}")).expect("a drain");
    let kinds = drain["effects"].as_array().expect("effects").iter().map(|effect| &effect["loss"]["kind"]);
    assert_eq!(kinds.filter(|kind| !kind.is_null()).collect::<Vec<_>>(), ["pod", "emptyDirData"]);
}

/// Everything that a refused command printed.
fn refused(world: &mut World, arguments: &[&str]) -> String {
    let output = world.try_kubewright(arguments);
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(output.status.code(), Some(11), "{said}");
    said
}

/// The Deployment runs elsewhere, the bare pod is gone; both are forgotten, and so is the consent.
pub(crate) fn take_back(world: &mut World) {
    world.kubectl(&["rollout", "status", "deployment/scratch", "--timeout=120s"]);
    assert!(!world.try_kubectl(&["get", "pod/bare"]).status.success());
    world.kubectl(&["delete", "deployment/scratch", "--wait=true"]);
    let fields = ["spec.drain.force=false", "spec.drain.deleteEmptyDirData=false"];
    world.kubewright(&[&["set", "cluster", "default1", "--instance-group", "worker"], &fields[..]].concat());
}
