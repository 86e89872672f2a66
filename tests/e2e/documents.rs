//! Documents of small clusters, as a user would write them.

/// A cluster with one control plane. `spec` are fields of its Cluster document beside version and provider, one a line.
pub(crate) fn control_plane(cluster: &str, spec: &str) -> String {
    let fields: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "\
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {{name: {cluster}}}
spec:
  kubernetesVersion: 1.36.3
  provider: local
{fields}{}",
        group(cluster, "control-plane", "ControlPlane", 1)
    )
}

/// The same with a group of workers.
pub(crate) fn with_workers(cluster: &str, spec: &str, workers: usize) -> String {
    control_plane(cluster, spec) + &group(cluster, "worker", "Worker", workers)
}

fn group(cluster: &str, name: &str, role: &str, count: usize) -> String {
    format!(
        "\
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {{name: {name}, cluster: {cluster}}}
spec: {{role: {role}, count: {count}}}
"
    )
}
