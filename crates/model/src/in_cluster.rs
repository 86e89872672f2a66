//! Objects inside the cluster: kubeadm's ConfigMaps and RBAC, kube-proxy, pod network, DNS, addons.

use std::collections::BTreeSet;

use catalog::{Edition, Image};
use render::addons::{coredns, flannel, kube_proxy, local_path, metrics_server};
use render::kubeadm::{ClusterConfiguration, EtcdConfiguration};
use render::objects::{ClusterInput, bootstrap};
use resource::{Desired, ResourceId};
use serde_json::{Value, json};
use spec::{Cni, FlannelBackend, ProxyMode};

use crate::builder::{Builder, rendering};
use crate::ids::{self, output};
use crate::machine_config::{extra_args, kubeadm_extras, kubelet_configuration};
use crate::{ModelError, Resolved, images};

/// Says on every object whose it is.
const OWNER: &str = "kubewright.io/owner";
/// And of which cluster's state: objects are copied from one cluster to another with their annotations.
const LINEAGE: &str = "kubewright.io/lineage";
const RBAC: &str = "rbac.authorization.k8s.io/v1";
/// Kinds that start pods, which need what the other objects of their addon give.
const WORKLOADS: [&str; 2] = ["Deployment", "DaemonSet"];

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) -> Result<(), ModelError> {
    builder.generate(ids::cluster_info(resolved.name()), cluster_info_kubeconfig(resolved));
    add(resolved, builder, rendering("kubeadm's objects", bootstrap(&cluster_input(resolved)))?);
    if resolved.cluster.spec.networking.kube_proxy.enabled {
        add(resolved, builder, rendering("kube-proxy", kube_proxy::objects(&kube_proxy_input(resolved)))?);
    }
    let dns = rendering("CoreDNS", coredns::objects(&coredns_input(resolved), &resolved.templates))?;
    add(resolved, builder, dns);
    if resolved.cluster.spec.networking.cni == Cni::Flannel {
        add(resolved, builder, rendering("flannel", flannel::objects(&flannel_input(resolved)))?);
    }
    let addons = &resolved.cluster.spec.addons;
    if addons.local_path.enabled {
        let mut input =
            local_path::LocalPath::new(resolved.image(Image::LocalPathProvisioner), resolved.image(Image::Busybox));
        input.edition = resolved.facts.edition;
        add(resolved, builder, rendering("local-path-provisioner", local_path::objects(&input))?);
    }
    if addons.metrics_server.enabled {
        let input = metrics_server::MetricsServer {
            replicas: metrics_replicas(resolved),
            edition: resolved.facts.edition,
            ..metrics_server::MetricsServer::new(resolved.image(Image::MetricsServer))
        };
        let loaded = images::load(resolved, builder, Image::MetricsServer)?;
        add_after(&loaded, resolved, builder, rendering("metrics-server", metrics_server::objects(&input))?);
    }
    Ok(())
}

/// Two where there are machines for two: one is away whenever its machine is drained.
fn metrics_replicas(resolved: &Resolved) -> i32 {
    let fewest: u32 = resolved.elastic.iter().map(|group| group.min).sum();
    let workers = resolved.workers().count() + fewest as usize;
    // Without workers, control planes take all pods.
    let machines = if workers == 0 { resolved.machines.len() } else { workers };
    if machines < 2 || resolved.facts.edition < Edition::V2 { 1 } else { 2 }
}

/// The bindings without which a token may not ask for a certificate, or nobody signs it.
pub(crate) fn bootstrap_rbac() -> Vec<ResourceId> {
    ["kubeadm:kubelet-bootstrap", "kubeadm:node-autoapprove-bootstrap"]
        .map(|name| ids::object(RBAC, "ClusterRoleBinding", None, name))
        .into()
}

fn add(resolved: &Resolved, builder: &mut Builder<'_>, manifests: Vec<Value>) {
    add_after(&[], resolved, builder, manifests);
}

/// Adds the objects of one part of the cluster. Its workloads come after everything else in it, and after `needed`.
fn add_after(needed: &[ResourceId], resolved: &Resolved, builder: &mut Builder<'_>, manifests: Vec<Value>) {
    let named: Vec<(ResourceId, Value)> = manifests.into_iter().map(|manifest| (id(&manifest), manifest)).collect();
    let (workloads, others): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, manifest)| WORKLOADS.contains(&kind(manifest)));
    let namespaces: BTreeSet<ResourceId> =
        others.iter().filter(|(_, manifest)| kind(manifest) == "Namespace").map(|(id, _)| id.clone()).collect();
    let before_workloads: BTreeSet<ResourceId> = others.iter().map(|(id, _)| id.clone()).collect();
    for (id, manifest) in others {
        let mut object = object(resolved, id, manifest);
        object.depends_on.extend(namespaces.iter().filter(|namespace| **namespace != object.id).cloned());
        builder.add(object);
    }
    for (id, manifest) in workloads {
        let mut object = object(resolved, id, manifest);
        object.depends_on.extend(before_workloads.iter().chain(needed).cloned());
        // Taints must be there first, or pods settle on control planes.
        let tainted = resolved.control_planes().map(|machine| ids::node(&machine.name));
        // Those of a workload that is there are where they may be: a control plane that is out of sight changes nothing about it.
        builder.add(tainted.fold(object, Desired::after_if_seen));
    }
}

fn kind(manifest: &Value) -> &str {
    manifest["kind"].as_str().unwrap_or_default()
}

pub(crate) fn id(manifest: &Value) -> ResourceId {
    let metadata = &manifest["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ids::object(
        &text(&manifest["apiVersion"]),
        kind(manifest),
        metadata["namespace"].as_str(),
        &text(&metadata["name"]),
    )
}

pub(crate) fn object(resolved: &Resolved, id: ResourceId, mut manifest: Value) -> Desired {
    manifest["metadata"]["annotations"][OWNER] = id.as_str().into();
    manifest["metadata"]["annotations"][LINEAGE] = resolved.lineage.as_str().into();
    let cluster = ids::cluster(resolved.name());
    let inputs = json!({"access": output(cluster.clone(), "access"), "manifest": manifest});
    Desired::new(id, inputs).contained_in(cluster)
}

/// What anyone may read to find the cluster: where it is, and whom to trust.
fn cluster_info_kubeconfig(resolved: &Resolved) -> Value {
    json!({
        "server": format!("https://{}", resolved.routable_address()),
        "authority": output(ids::authority("kubernetes"), "certificate"),
    })
}

fn cluster_input(resolved: &Resolved) -> ClusterInput {
    let spec = &resolved.cluster.spec;
    let components = kubeadm_extras(resolved);
    ClusterInput {
        configuration: ClusterConfiguration {
            kubernetes_version: resolved.release.tag(),
            cluster_name: resolved.name().to_owned(),
            control_plane_endpoint: resolved.routable_address(),
            image_repository: "registry.k8s.io".to_owned(),
            cluster_domain: spec.networking.dns_domain.clone(),
            pod_cidrs: spec.networking.pod_cidrs.clone(),
            service_cidrs: spec.networking.service_cidrs.clone(),
            ca_validity_days: spec.pki.ca_validity_days,
            certificate_validity_days: spec.pki.certificate_validity_days,
            certificate_sans: crate::pki::further_names(resolved),
            etcd: EtcdConfiguration::Local {
                data_dir: "/var/lib/etcd".to_owned(),
                image_tag: None,
                extra_args: extra_args(&spec.etcd.extra_args),
            },
            dns_image_tag: Some(format!("v{}", resolved.release.coredns)),
            api_server: components.api_server,
            controller_manager: components.controller_manager,
            scheduler: components.scheduler,
        },
        kubelet: kubelet_configuration(resolved, None),
        cluster_info_kubeconfig: output(ids::cluster_info(resolved.name()), "kubeconfig").to_value(),
    }
}

fn kube_proxy_input(resolved: &Resolved) -> kube_proxy::KubeProxy {
    let networking = &resolved.cluster.spec.networking;
    let mut input = kube_proxy::KubeProxy::new(
        resolved.image(Image::KubeProxy),
        resolved.node_server(),
        networking.pod_cidrs.clone(),
    );
    input.edition = resolved.facts.edition;
    input.mode = match networking.kube_proxy.mode {
        ProxyMode::Nftables => kube_proxy::Mode::Nftables,
        ProxyMode::Iptables => kube_proxy::Mode::Iptables,
    };
    // Every component of Kubernetes knows the gates of all others.
    input.feature_gates.clone_from(&resolved.cluster.spec.feature_gates);
    // The table of connections belongs to the kernel.
    input.conntrack = (!resolved.platform.own_kernel).then_some(kube_proxy::Conntrack::UNTOUCHED);
    input.layer.clone_from(&networking.kube_proxy.config);
    input
}

fn coredns_input(resolved: &Resolved) -> coredns::CoreDns {
    let networking = &resolved.cluster.spec.networking;
    let mut input =
        coredns::CoreDns::new(resolved.image(Image::CoreDns), resolved.dns_addresses(), networking.dns_domain.clone());
    input.edition = resolved.facts.edition;
    let resolvers = resolved.resolvers();
    input.upstream = if resolvers.is_empty() {
        coredns::Upstream::None
    } else {
        coredns::Upstream::Servers(resolvers.iter().map(ToString::to_string).collect())
    };
    let stubs = networking.stub_domains.iter().map(|(domain, servers)| coredns::StubDomain {
        domain: domain.clone(),
        servers: servers.iter().map(ToString::to_string).collect(),
    });
    input.stub_domains = stubs.collect();
    input
}

fn flannel_input(resolved: &Resolved) -> flannel::Flannel {
    let networking = &resolved.cluster.spec.networking;
    let (host, port) = resolved.node_endpoint();
    let mut input = flannel::Flannel::new(resolved.image(Image::Flannel), networking.pod_cidrs.clone(), host, port);
    input.edition = resolved.facts.edition;
    input.backend = match networking.flannel.backend {
        FlannelBackend::Vxlan => flannel::Backend::Vxlan { port: None },
        FlannelBackend::HostGateway => flannel::Backend::HostGateway,
    };
    input.mtu = networking.flannel.mtu;
    input.interface.clone_from(&networking.flannel.interface);
    input.nftables = networking.kube_proxy.mode == ProxyMode::Nftables;
    input
}
