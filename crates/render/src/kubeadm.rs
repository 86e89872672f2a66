//! kubeadm's ClusterConfiguration, so that `kubeadm join`, `kubeadm certs` and `kubeadm upgrade` know the cluster.

use ipnet::IpNet;
use serde::Serialize;

use crate::static_pods::{HostMount, PKI_DIR};
use crate::{Error, ExtraArgs, Flags, yaml};

/// What is known about the cluster as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfiguration {
    /// With its `v`, such as `v1.36.3`.
    pub kubernetes_version: String,
    /// Name of the cluster.
    pub cluster_name: String,
    /// `host:port` of the API.
    pub control_plane_endpoint: String,
    /// Where the images of Kubernetes come from.
    pub image_repository: String,
    /// DNS domain of the cluster.
    pub cluster_domain: String,
    /// Ranges of pod addresses, the primary one first.
    pub pod_cidrs: Vec<IpNet>,
    /// Ranges of service addresses, the primary one first.
    pub service_cidrs: Vec<IpNet>,
    /// Days for which a new CA is valid.
    pub ca_validity_days: u32,
    /// Days for which a new certificate is valid.
    pub certificate_validity_days: u32,
    /// Further names and addresses in the API server's certificate.
    pub certificate_sans: Vec<String>,
    /// Where etcd is.
    pub etcd: EtcdConfiguration,
    /// Tag of CoreDNS' image where it is not the one kubeadm pins.
    pub dns_image_tag: Option<String>,
    /// The API server's flags and mounts that differ from kubeadm's.
    pub api_server: Extra,
    /// The controller manager's flags and mounts that differ from kubeadm's.
    pub controller_manager: Extra,
    /// The scheduler's flags and mounts that differ from kubeadm's.
    pub scheduler: Extra,
}

/// Where etcd is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtcdConfiguration {
    /// On the control planes.
    Local {
        /// Directory of the data.
        data_dir: String,
        /// Tag of the image where it is not the one kubeadm pins.
        image_tag: Option<String>,
        /// Flags that differ from kubeadm's.
        extra_args: ExtraArgs,
    },
    /// Elsewhere.
    External {
        /// URLs of its members.
        endpoints: Vec<String>,
        /// Path of its CA's certificate.
        ca_file: String,
        /// Path of the client certificate.
        cert_file: String,
        /// Path of the client certificate's key.
        key_file: String,
    },
}

/// What a user changed of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extra {
    /// Flags.
    pub args: ExtraArgs,
    /// Mounts from the host.
    pub volumes: Vec<HostMount>,
}

impl Extra {
    /// Flags and mounts that are in `ours` but not, or not so, in what kubeadm makes by itself.
    pub(crate) fn beyond(ours: (&Flags, Vec<HostMount>), kubeadms: (&Flags, &[HostMount])) -> Self {
        let (flags, volumes) = ours;
        let args = flags.as_map().iter().filter(|(name, values)| kubeadms.0.as_map().get(*name) != Some(*values));
        Self {
            args: args.map(|(name, values)| (name.clone(), values.clone())).collect(),
            volumes: volumes.into_iter().filter(|mount| !kubeadms.1.contains(mount)).collect(),
        }
    }
}

/// The text in the ConfigMap `kubeadm-config`.
pub fn cluster_configuration(input: &ClusterConfiguration) -> Result<String, Error> {
    let list = |cidrs: &[IpNet]| cidrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let document = Document {
        api_version: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        api_server: ApiServer { component: component(&input.api_server), cert_sans: input.certificate_sans.clone() },
        ca_certificate_validity_period: validity(input.ca_validity_days),
        certificate_validity_period: validity(input.certificate_validity_days),
        certificates_dir: PKI_DIR,
        cluster_name: &input.cluster_name,
        control_plane_endpoint: &input.control_plane_endpoint,
        controller_manager: component(&input.controller_manager),
        dns: Dns { image_tag: input.dns_image_tag.as_deref() },
        encryption_algorithm: "ECDSA-P256",
        etcd: etcd(&input.etcd),
        image_repository: &input.image_repository,
        kubernetes_version: &input.kubernetes_version,
        networking: Networking {
            dns_domain: &input.cluster_domain,
            pod_subnet: list(&input.pod_cidrs),
            service_subnet: list(&input.service_cidrs),
        },
        proxy: Empty {},
        scheduler: component(&input.scheduler),
    };
    yaml::typed_to_text(&document, "ClusterConfiguration")
}

/// As Go writes whole hours.
fn validity(days: u32) -> String {
    format!("{}h0m0s", u64::from(days) * 24)
}

fn component(extra: &Extra) -> ComponentConfiguration {
    ComponentConfiguration {
        extra_args: arguments(&extra.args),
        extra_volumes: extra.volumes.iter().map(volume).collect(),
    }
}

fn arguments(args: &ExtraArgs) -> Vec<Argument> {
    let repeated = |(name, values): (&String, &Vec<String>)| {
        let name = name.clone();
        values.clone().into_iter().map(move |value| Argument { name: name.clone(), value }).collect::<Vec<_>>()
    };
    args.iter().flat_map(repeated).collect()
}

fn volume(mount: &HostMount) -> HostPathMount {
    HostPathMount {
        name: mount.name.clone(),
        host_path: mount.host_path.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only,
        path_type: mount.path_type.as_str(),
    }
}

fn etcd(input: &EtcdConfiguration) -> Etcd {
    match input {
        EtcdConfiguration::Local { data_dir, image_tag, extra_args } => Etcd::Local(LocalEtcd {
            data_dir: data_dir.clone(),
            extra_args: arguments(extra_args),
            image_tag: image_tag.clone(),
        }),
        EtcdConfiguration::External { endpoints, ca_file, cert_file, key_file } => Etcd::External(ExternalEtcd {
            endpoints: endpoints.clone(),
            ca_file: ca_file.clone(),
            cert_file: cert_file.clone(),
            key_file: key_file.clone(),
        }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    api_server: ApiServer,
    ca_certificate_validity_period: String,
    certificate_validity_period: String,
    certificates_dir: &'static str,
    cluster_name: &'a str,
    control_plane_endpoint: &'a str,
    controller_manager: ComponentConfiguration,
    dns: Dns<'a>,
    encryption_algorithm: &'static str,
    etcd: Etcd,
    image_repository: &'a str,
    kubernetes_version: &'a str,
    networking: Networking<'a>,
    proxy: Empty,
    scheduler: ComponentConfiguration,
}

#[derive(Serialize)]
struct ApiServer {
    #[serde(flatten)]
    component: ComponentConfiguration,
    #[serde(rename = "certSANs", skip_serializing_if = "Vec::is_empty")]
    cert_sans: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComponentConfiguration {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_args: Vec<Argument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_volumes: Vec<HostPathMount>,
}

#[derive(Serialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HostPathMount {
    name: String,
    host_path: String,
    mount_path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    path_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dns<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Etcd {
    Local(LocalEtcd),
    External(ExternalEtcd),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocalEtcd {
    data_dir: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_args: Vec<Argument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalEtcd {
    endpoints: Vec<String>,
    ca_file: String,
    cert_file: String,
    key_file: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Networking<'a> {
    dns_domain: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pod_subnet: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    service_subnet: String,
}

#[derive(Serialize)]
struct Empty {}
