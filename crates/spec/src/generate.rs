//! Documents of a new cluster, as text to start from.

use ipnet::IpNet;
use serde::Serialize;
use thiserror::Error;

use crate::{API_VERSION, Cni, Effective, Provider, Role};

/// Name of the control-plane group of new clusters.
pub const CONTROL_PLANE_GROUP: &str = "control-plane";
/// Name of the worker group of new clusters.
pub const WORKER_GROUP: &str = "worker";

/// Documents could not be written as YAML.
#[derive(Debug, Error)]
#[error("cannot write the documents as YAML")]
pub struct WriteError(#[from] serde_yaml::Error);

/// The shape of a new cluster. What is `None` or empty is left to defaults and not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCluster {
    /// Its name.
    pub name: String,
    /// Who brings its machines.
    pub provider: Provider,
    /// Version of Kubernetes.
    pub kubernetes_version: String,
    /// How many control-plane machines.
    pub control_planes: u32,
    /// How many workers. Without any, no worker group is written.
    pub workers: u32,
    /// The pod network.
    pub cni: Option<Cni>,
    /// Address ranges of pods.
    pub pod_cidrs: Vec<IpNet>,
    /// Address ranges of Services.
    pub service_cidrs: Vec<IpNet>,
    /// An endpoint in front of all control planes.
    pub endpoint: Option<String>,
    /// Most memory of each control-plane machine.
    pub control_plane_memory: Option<String>,
    /// Most memory of each worker.
    pub worker_memory: Option<String>,
}

impl NewCluster {
    /// A cluster of the newest version with one control plane and two workers.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            provider: Provider::default(),
            kubernetes_version: catalog::DEFAULT_VERSION.to_owned(),
            control_planes: 1,
            workers: 2,
            cni: None,
            pod_cidrs: Vec::new(),
            service_cidrs: Vec::new(),
            endpoint: None,
            control_plane_memory: None,
            worker_memory: None,
        }
    }
}

/// The documents of a new cluster: YAML without comments, in a stable order. They say no more than `new` does;
/// whether they are valid is for [`crate::load`] to say.
pub fn generate(new: &NewCluster) -> Result<String, WriteError> {
    let mut text = document("Cluster", &Named { name: &new.name, cluster: None }, &cluster_spec(new))?;
    text +=
        &group(new, CONTROL_PLANE_GROUP, Role::ControlPlane, new.control_planes, new.control_plane_memory.as_deref())?;
    if new.workers > 0 {
        text += &group(new, WORKER_GROUP, Role::Worker, new.workers, new.worker_memory.as_deref())?;
    }
    Ok(text)
}

impl Effective {
    /// The documents with every default written out.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        let mut text = resource::yaml::to_text(&self.cluster)?;
        for group in &self.groups {
            text += "---\n";
            text += &resource::yaml::to_text(group)?;
        }
        Ok(text)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, S> {
    api_version: &'static str,
    kind: &'static str,
    metadata: &'a Named<'a>,
    spec: &'a S,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenCluster<'a> {
    kubernetes_version: &'a str,
    provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    networking: Option<WrittenNetworking<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<WrittenApi<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenNetworking<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cni: Option<Cni>,
    #[serde(rename = "podCIDRs", skip_serializing_if = "<[_]>::is_empty")]
    pod_cidrs: &'a [IpNet],
    #[serde(rename = "serviceCIDRs", skip_serializing_if = "<[_]>::is_empty")]
    service_cidrs: &'a [IpNet],
}

#[derive(Serialize)]
struct WrittenApi<'a> {
    endpoint: &'a str,
}

#[derive(Serialize)]
struct WrittenGroup<'a> {
    role: Role,
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<WrittenMachine<'a>>,
}

#[derive(Serialize)]
struct WrittenMachine<'a> {
    memory: &'a str,
}

fn cluster_spec(new: &NewCluster) -> WrittenCluster<'_> {
    let says_nothing = new.cni.is_none() && new.pod_cidrs.is_empty() && new.service_cidrs.is_empty();
    WrittenCluster {
        kubernetes_version: &new.kubernetes_version,
        provider: new.provider,
        networking: (!says_nothing).then_some(WrittenNetworking {
            cni: new.cni,
            pod_cidrs: &new.pod_cidrs,
            service_cidrs: &new.service_cidrs,
        }),
        api: new.endpoint.as_deref().map(|endpoint| WrittenApi { endpoint }),
    }
}

fn group(new: &NewCluster, name: &str, role: Role, count: u32, memory: Option<&str>) -> Result<String, WriteError> {
    let spec = WrittenGroup { role, count, machine: memory.map(|memory| WrittenMachine { memory }) };
    let text = document("InstanceGroup", &Named { name, cluster: Some(&new.name) }, &spec)?;
    Ok(format!("---\n{text}"))
}

fn document<S: Serialize>(kind: &'static str, metadata: &Named<'_>, spec: &S) -> Result<String, WriteError> {
    Ok(resource::yaml::to_text(&Written { api_version: API_VERSION, kind, metadata, spec })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostContext, Source, load};

    fn effective(text: &str) -> Effective {
        let loaded = load(&[Source::new("new.yaml", text)], &HostContext::default());
        assert_eq!(loaded.diagnostics, [], "{text}");
        loaded.effective.unwrap()
    }

    #[test]
    fn a_new_cluster_is_written_plainly() {
        let expected = "\
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata:
  name: demo
spec:
  kubernetesVersion: 1.36.3
  provider: local
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata:
  name: control-plane
  cluster: demo
spec:
  role: ControlPlane
  count: 1
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata:
  name: worker
  cluster: demo
spec:
  role: Worker
  count: 2
";
        assert_eq!(generate(&NewCluster::new("demo")).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_read_back_whatever_the_shape() {
        for name in ["demo", "0123", "1e3", "yes", "null", "0x10"] {
            let new = NewCluster {
                control_planes: 3,
                workers: 0,
                cni: Some(Cni::None),
                pod_cidrs: vec!["10.10.0.0/16".parse().unwrap()],
                service_cidrs: vec!["10.20.0.0/16".parse().unwrap()],
                endpoint: Some("lb.example.org".to_owned()),
                control_plane_memory: Some("2Gi".to_owned()),
                ..NewCluster::new(name)
            };
            let effective = effective(&generate(&new).unwrap());
            assert_eq!(effective.cluster.metadata.name, name);
            assert_eq!(effective.cluster.spec.networking.pod_cidrs, new.pod_cidrs);
            assert_eq!(effective.cluster.spec.api.endpoint, new.endpoint);
            assert_eq!(effective.groups.len(), 1);
            assert_eq!(effective.groups[0].spec.machine.memory, new.control_plane_memory);
        }
    }

    #[test]
    fn written_out_documents_mean_the_same() {
        let first = effective(&generate(&NewCluster::new("demo")).unwrap());
        let second = effective(&first.to_yaml().unwrap());
        assert_eq!((&first.cluster, &first.groups), (&second.cluster, &second.groups));
    }
}
