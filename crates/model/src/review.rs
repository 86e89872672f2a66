//! What is wrong with documents only in the light of what is made from them: found before there is any ground to make it on.

mod files;
mod holes;
mod manifests;
mod mounts;

use std::collections::BTreeMap;

use catalog::Edition;
use ipnet::Ipv4Net;
use resource::{Diagnostic, Severity};
use spec::{AuditPolicy, Cluster, InstanceGroup, Kind, LoadBalancer};

use crate::resolved::machine_names;
use crate::{Allocation, Ground, ModelError, ResolveError, Resolved, resolve};

/// Something to say about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Which document: `Cluster/demo`.
    pub document: String,
    /// What there is to say, with the field but without its place in a text.
    pub diagnostic: Diagnostic,
}

/// Why documents could not be looked at: a bug, for they are valid.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// They could not be resolved.
    #[error("the documents cannot be resolved")]
    Resolve(#[from] ResolveError),
    /// They could not be turned into configs of machines.
    #[error("the documents cannot be turned into machine configs")]
    Model(#[from] ModelError),
}

/// Holds valid documents against what is made from them: the user's files against ours, flags that name files against what
/// static pods see, and placeholders against the facts that machines fill in.
pub fn review(cluster: &Cluster, groups: &[InstanceGroup]) -> Result<Vec<Remark>, ReviewError> {
    let mut remarks = holes::check(cluster, groups)?;
    remarks.extend(files::check(cluster, groups)?);
    remarks.extend(manifests::check(cluster, groups)?);
    remarks.extend(mounts::check(&nominal(cluster.clone(), groups)?));
    Ok(remarks)
}

/// The documents on a ground that is nowhere, with one machine a group.
fn nominal(cluster: Cluster, groups: &[InstanceGroup]) -> Result<Resolved, ResolveError> {
    let mut cluster = cluster;
    // Texts of own templates are not known here, and say nothing about where files are.
    cluster.spec.templates.clear();
    let mut groups = groups.to_vec();
    for group in &mut groups {
        group.spec.count = 1;
    }
    let names: Vec<String> = groups.iter().flat_map(machine_names).collect();
    let subnet = Ipv4Net::new_assert([10, 0, 0, 0].into(), 8);
    let local = Allocation::new(String::new(), subnet).with_machines(names.iter().map(String::as_str));
    let ground = Ground {
        local: local.unwrap_or_else(|| Allocation::new(String::new(), subnet)),
        programs: BTreeMap::new(),
        cgroup_v1: false,
        edition: Edition::NEWEST,
        resolvers: Vec::new(),
        loopback_resolver: None,
        host: None,
        capacity: None,
        templates: BTreeMap::new(),
    };
    resolve("", cluster, groups, ground)
}

/// The cluster with every part switched on that has files of its own, so that switching one on later collides with nothing.
fn fullest(cluster: &Cluster) -> Cluster {
    let mut cluster = cluster.clone();
    let spec = &mut cluster.spec;
    spec.api.load_balancer = LoadBalancer::NodeLocal;
    if spec.audit.policy == AuditPolicy::None {
        spec.audit.policy = AuditPolicy::Metadata;
    }
    spec.containerd.additions.get_or_insert_default();
    spec.containerd.proxy.http.get_or_insert_default();
    spec.addons.local_path.enabled = true;
    spec.addons.metrics_server.enabled = true;
    spec.networking.kube_proxy.enabled = true;
    spec.files.clear();
    cluster
}

fn remark(document: String, severity: Severity, code: &str, field: String, message: String, help: String) -> Remark {
    let diagnostic =
        Diagnostic { code: code.to_owned(), severity, message, field, labels: Vec::new(), help: Some(help) };
    Remark { document, diagnostic }
}

fn of_cluster(cluster: &Cluster) -> String {
    format!("{}/{}", Kind::Cluster.kind(), cluster.metadata.name)
}

fn of_group(group: &InstanceGroup) -> String {
    format!("{}/{}", Kind::InstanceGroup.kind(), group.metadata.name)
}

#[cfg(test)]
mod tests;
