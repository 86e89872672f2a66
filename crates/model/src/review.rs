//! What is wrong with documents only in the light of what is made from them: found before there is anything to make it on.

mod files;
mod holes;
mod manifests;
mod mounts;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use catalog::Edition;
use resource::{Diagnostic, ResourceId, Severity};
use serde_json::Value;
use spec::{AuditPolicy, Cluster, InstanceGroup, Kind, LoadBalancer, Role};

use crate::resolved::machine_names;
use crate::{
    Access, Address, Facts, Infrastructure, Machine, ModelError, Platform, ProviderFacts, ResolveError, Resolved,
    resolve,
};

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

/// The documents on machines that are nowhere, one a group.
fn nominal(cluster: Cluster, groups: &[InstanceGroup]) -> Result<Resolved, ResolveError> {
    let mut cluster = cluster;
    // Texts of own templates are not known here, and say nothing about where files are.
    cluster.spec.templates.clear();
    let mut groups = groups.to_vec();
    for group in &mut groups {
        group.spec.count = 1;
    }
    let machines = groups.iter().enumerate().flat_map(|(index, group)| {
        machine_names(group).map(move |name| nominal_machine(name, group.spec.role, index)).collect::<Vec<_>>()
    });
    let infrastructure = Infrastructure {
        machines: machines.collect(),
        elastic: Vec::new(),
        platform: Platform { machine_image: true, ..Platform::default() },
        networks: Vec::new(),
        resolvers: Vec::new(),
        chosen: BTreeMap::new(),
    };
    let facts = Facts {
        provider: ProviderFacts { name: String::new(), format: 0, value: Value::Null },
        programs: BTreeMap::new(),
        edition: Edition::NEWEST,
        templates: BTreeMap::new(),
    };
    resolve("", cluster, groups, infrastructure, facts)
}

fn nominal_machine(name: String, role: Role, group: usize) -> Machine {
    let number = u8::try_from(group).unwrap_or(u8::MAX);
    let access =
        Access { address: Value::Null, port: 22, user: String::new(), host_key: Value::Null, private_key: Value::Null };
    let resource = ResourceId::new("machine", &name);
    Machine {
        name,
        role,
        group,
        zone: None,
        address: Address::Known(Ipv4Addr::new(10, 0, 0, number)),
        resource,
        access,
    }
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
