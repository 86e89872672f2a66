//! A mirror is all that a host without a network and without a cache needs.

use crate::checks;
use crate::world::World;

pub(crate) fn story(world: &mut World) {
    let mirror = world.path("mirror").display().to_string();
    world.kubewright(&["assets", "mirror", &mirror]);
    world.leave_with_nothing();
    let documents = format!(
        "
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {{name: mirror1}}
spec:
  kubernetesVersion: 1.36.3
  provider: local
  assets: {{sources: [{mirror}]}}
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {{name: control-plane, cluster: mirror1}}
spec: {{role: ControlPlane, count: 1}}
"
    );
    let documents = world.write("mirror1.yaml", &documents);
    world.kubewright(&["create", "cluster", "mirror1", "-f", &documents, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, "mirror1");
    world.kubewright(&["delete", "cluster", "mirror1", "--yes"]);
}
