//! The resolved spec: documents with every default, what is kept with them, machines, versions and assets.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use catalog::{AssetSet, Cni, Image, Release, Selection, SourceDigests, names};
use ipnet::IpNet;
use render::{Template, Templates, host_port};
use resource::Reference;
use serde_json::Value;
use spec::{Cluster, InstanceGroup, LoadBalancer, Role, TemplateOverride};
use thiserror::Error;

use crate::stand_in::StandIns;
use crate::{Address, ElasticGroup, Facts, Infrastructure, Machine, ModelError, Platform};

/// Why documents and facts don't fit together.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The version is not one that this kubewright knows.
    #[error("Kubernetes {0} is not supported")]
    Version(String),
    /// An own template stands for none of ours.
    #[error("spec.templates: there is no template {name}; there are {}", known.join(", "))]
    UnknownTemplate {
        /// The name.
        name: String,
        /// All names.
        known: Vec<&'static str>,
    },
    /// No text of an own template is kept.
    #[error("spec.templates: the text of {0} is not known")]
    NoTemplate(String),
}

/// Everything known before resources are built.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Identity of the cluster's state.
    pub lineage: String,
    /// The cluster's document, every default filled in.
    pub cluster: Cluster,
    /// Its groups.
    pub groups: Vec<InstanceGroup>,
    /// Its machines, control planes first, in order of their groups.
    pub machines: Vec<Machine>,
    /// Groups whose machines come and go by themselves.
    pub elastic: Vec<ElasticGroup>,
    /// What the machines are like.
    pub platform: Platform,
    /// The networks that they are in.
    pub networks: Vec<IpNet>,
    /// Name servers that they can reach, for names outside the cluster.
    nearby_resolvers: Vec<IpAddr>,
    /// What was chosen where the Cluster document leaves it open, by JSON pointer.
    pub chosen: BTreeMap<String, Value>,
    /// What is kept with the revision.
    pub facts: Facts,
    /// Templates of line formats, the user's own in the place of ours.
    pub templates: Templates,
    /// What stands in for addresses that nobody knows yet.
    pub(crate) stand_ins: StandIns,
    /// Versions of everything.
    pub release: &'static Release,
    /// Everything that must be built or fetched.
    pub assets: AssetSet,
}

/// Names of a group's machines: `<group>-1`, `<group>-2`, ….
pub fn machine_names(group: &InstanceGroup) -> impl Iterator<Item = String> + '_ {
    (1..=group.spec.count).map(|number| format!("{}-{number}", group.metadata.name))
}

/// Puts documents, what is kept with them, and what their provider brings together.
///
/// # Errors
/// When the version or an own template is not known.
pub fn resolve(
    lineage: &str,
    cluster: Cluster,
    groups: Vec<InstanceGroup>,
    infrastructure: Infrastructure,
    facts: Facts,
) -> Result<Resolved, ResolveError> {
    let release = catalog::find(&cluster.spec.kubernetes_version)
        .map_err(|_| ResolveError::Version(cluster.spec.kubernetes_version.clone()))?;
    let Infrastructure { mut machines, elastic, platform, networks, resolvers, chosen } = infrastructure;
    machines.sort_by_key(|machine| machine.role != Role::ControlPlane);
    Ok(Resolved {
        lineage: lineage.to_owned(),
        assets: catalog::assets_for(release, &selection(&cluster, &platform, &facts)),
        templates: templates(&cluster.spec.templates, &facts)?,
        nearby_resolvers: resolvers,
        stand_ins: StandIns::of(&machines),
        cluster,
        groups,
        machines,
        elastic,
        platform,
        networks,
        chosen,
        facts,
        release,
    })
}

fn templates(wanted: &[TemplateOverride], facts: &Facts) -> Result<Templates, ResolveError> {
    wanted.iter().try_fold(Templates::builtin(), |templates, wanted| {
        let template = Template::from_name(&wanted.name).ok_or_else(|| ResolveError::UnknownTemplate {
            name: wanted.name.clone(),
            known: Template::ALL.iter().map(|template| template.name()).collect(),
        })?;
        let text = facts.templates.get(&wanted.sha256.to_ascii_lowercase());
        let text = text.ok_or_else(|| ResolveError::NoTemplate(wanted.name.clone()))?;
        Ok(templates.with(template, text.clone()))
    })
}

/// The assets that a cluster needs, and the test workload.
fn selection(cluster: &Cluster, platform: &Platform, facts: &Facts) -> Selection {
    let digest = |name: &str| facts.programs.get(name).cloned().unwrap_or_default();
    Selection {
        cni: match cluster.spec.networking.cni {
            spec::Cni::Flannel => Cni::Flannel,
            spec::Cni::None => Cni::Other,
        },
        metrics_server: cluster.spec.addons.metrics_server.enabled,
        machine_image: platform.machine_image,
        ..Selection::everything(SourceDigests { agent: digest(names::AGENT), pause: digest("pause") })
    }
}

impl Resolved {
    /// The cluster's name.
    pub fn name(&self) -> &str {
        &self.cluster.metadata.name
    }

    /// The control plane machines.
    pub fn control_planes(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.role == Role::ControlPlane)
    }

    /// The other machines.
    pub fn workers(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.role == Role::Worker)
    }

    /// The group of a machine.
    pub fn group_of(&self, machine: &Machine) -> &InstanceGroup {
        &self.groups[machine.group]
    }

    /// The full name of one of the cluster's images.
    pub fn image(&self, image: Image) -> String {
        self.release.image(image)
    }

    /// The reference of an asset.
    ///
    /// # Errors
    /// When no recipe makes one of that name.
    pub fn asset(&self, name: &str) -> Result<String, ModelError> {
        self.assets.asset_ref(name).ok_or_else(|| ModelError::NoAsset(name.to_owned()))
    }

    /// Port of every API server.
    pub fn api_port(&self) -> u16 {
        self.cluster.spec.api.port
    }

    /// The same with those addresses that are outputs, where they are known.
    #[must_use]
    pub fn knowing(mut self, output: impl Fn(&Reference) -> Option<String>) -> Self {
        for machine in &mut self.machines {
            if let Address::Output(reference) = &machine.address
                && let Some(address) = output(reference).and_then(|address| address.parse().ok())
            {
                machine.address = Address::Known(address);
            }
        }
        self
    }

    /// The address of a machine, or what stands in for it in what is wanted.
    pub(crate) fn address(&self, machine: &Machine) -> Ipv4Addr {
        self.stand_ins.address(machine)
    }

    /// URLs of all API servers, or what stands in for them in what is wanted.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.control_planes().map(|machine| self.server(self.address(machine))).collect()
    }

    /// URLs of those API servers whose address is known.
    pub fn known_servers(&self) -> Vec<String> {
        self.control_planes().filter_map(|machine| Some(self.server(machine.address.known()?))).collect()
    }

    fn server(&self, address: Ipv4Addr) -> String {
        format!("https://{address}:{}", self.api_port())
    }

    /// Host and port at which kubelets of workers and kube-proxies reach the API.
    pub(crate) fn node_endpoint(&self) -> (String, u16) {
        let api = &self.cluster.spec.api;
        match api.load_balancer {
            LoadBalancer::NodeLocal => ("127.0.0.1".to_owned(), api.load_balancer_port),
            _ => self.routable_endpoint(),
        }
    }

    /// The same as a URL.
    pub(crate) fn node_server(&self) -> String {
        let (host, port) = self.node_endpoint();
        format!("https://{}", host_port(&host, port))
    }

    /// Host and port at which everyone else reaches the API, or what stands in for it in what is wanted.
    fn routable_endpoint(&self) -> (String, u16) {
        let first =
            || self.control_planes().next().map(|machine| self.address(machine).to_string()).unwrap_or_default();
        (self.cluster.spec.api.endpoint.clone().unwrap_or_else(first), self.api_port())
    }

    /// The same as one text, an IPv6 address in brackets.
    pub(crate) fn routable_address(&self) -> String {
        let (host, port) = self.routable_endpoint();
        host_port(&host, port)
    }

    /// Host and port at which everyone else reaches the API, where they are known.
    pub fn known_endpoint(&self) -> Option<(String, u16)> {
        let first = || Some(self.control_planes().next()?.address.known()?.to_string());
        Some((self.cluster.spec.api.endpoint.clone().or_else(first)?, self.api_port()))
    }

    /// The address of the Service `kubernetes` in each service range: the first one.
    pub fn service_addresses(&self) -> Vec<IpAddr> {
        self.nth_service_addresses(0)
    }

    /// Who answers machines and CoreDNS for names outside the cluster: whom the documents name, otherwise who is near them.
    pub fn resolvers(&self) -> &[IpAddr] {
        let named = &self.cluster.spec.networking.upstream_resolvers;
        if named.is_empty() { &self.nearby_resolvers } else { named }
    }

    /// The address of cluster DNS in each service range: the tenth one.
    pub fn dns_addresses(&self) -> Vec<IpAddr> {
        self.nth_service_addresses(9)
    }

    fn nth_service_addresses(&self, index: usize) -> Vec<IpAddr> {
        self.cluster.spec.networking.service_cidrs.iter().filter_map(|range| nth_host(range, index)).collect()
    }
}

fn nth_host(range: &IpNet, index: usize) -> Option<IpAddr> {
    match range {
        IpNet::V4(range) => range.hosts().nth(index).map(IpAddr::V4),
        // `hosts` of IPv6 begins with the network's own address.
        IpNet::V6(range) => range.hosts().nth(index + 1).map(IpAddr::V6),
    }
}
