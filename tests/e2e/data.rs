//! A user's data: an object in the API, and a file on a volume.

use crate::world::World;

const WORD: &str = "written-before";

const MANIFEST: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: keeper}
spec:
  selector: {matchLabels: {app: keeper}}
  template:
    metadata: {labels: {app: keeper}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: keeper
        image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
        args: [pause]
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: kept}}]
";

/// Writes data into a cluster.
pub(crate) fn write(world: &World) {
    world.kubectl(&["create", "configmap", "kept", &format!("--from-literal=word={WORD}")]);
    world.apply(MANIFEST);
    world.kubectl(&["rollout", "status", "deployment/keeper", "--timeout=120s"]);
    world.kubectl(&["exec", "deployment/keeper", "--", "sh", "-c", &format!("echo {WORD} > /data/word && sync")]);
}

/// The data is there, and so is the pod that wrote it.
pub(crate) fn is_kept(world: &World) {
    let word = world.eventually(&["get", "configmap", "kept", "-o", "jsonpath={.data.word}"], |text| !text.is_empty());
    assert_eq!(word, WORD);
    let word = world.eventually(&["exec", "deployment/keeper", "--", "cat", "/data/word"], |_| true);
    assert_eq!(word.trim(), WORD);
}

/// A pod that is made anew finds what the one before it wrote.
pub(crate) fn outlives_its_pod(world: &World) {
    let uid = ["get", "pods", "-l", "app=keeper", "-o", "jsonpath={.items[0].metadata.uid}"];
    let before = world.kubectl(&uid);
    world.kubectl(&["delete", "pod", "-l", "app=keeper", "--wait=true"]);
    world.kubectl(&["rollout", "status", "deployment/keeper", "--timeout=120s"]);
    world.eventually(&uid, |after| !after.is_empty() && after != before);
    is_kept(world);
    world.kubectl(&["delete", "deployment/keeper", "pvc/kept", "--wait=true"]);
}
