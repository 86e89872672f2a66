//! The static pod of kube-apiserver.

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Pod;

use super::etcd::CLIENT_PORT;
use super::pod::{self, Parts, Probes};
use super::{CA_DIRECTORIES, Component, HostMount, PKI_DIR, PathType};
use crate::kubeadm::Extra;
use crate::{AddressFamily, Error, Flags, hole};

/// What is known about the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeApiserver {
    /// Image, flags, mounts.
    pub component: Component,
    /// Family of the node's first address.
    pub family: AddressFamily,
    /// Port it listens on.
    pub secure_port: u16,
    /// Ranges of service addresses, the primary one first.
    pub service_cidrs: Vec<IpNet>,
    /// DNS domain of the cluster, from which the issuer of tokens is made.
    pub cluster_domain: String,
    /// Where its etcd is.
    pub etcd: EtcdServers,
    /// Range of node ports such as `30000-32767`; `None`: the API server's default.
    pub service_node_port_range: Option<String>,
    /// Audit log; `None`: off.
    pub audit: Option<Audit>,
    /// Path of the encryption configuration; `None`: secrets are not encrypted at rest.
    pub encryption_config: Option<String>,
    /// Path of the admission configuration (Pod Security defaults); `None`: built-in defaults.
    pub admission_config: Option<String>,
    /// Directories of CA certificates to mount.
    pub ca_directories: Vec<String>,
}

/// Where the API server's etcd is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtcdServers {
    /// The member on the same machine, over loopback.
    Local,
    /// Elsewhere.
    External {
        /// URLs of its members.
        urls: Vec<String>,
        /// Path of its CA's certificate.
        ca_file: String,
        /// Path of the client certificate.
        cert_file: String,
        /// Path of the client certificate's key.
        key_file: String,
    },
}

/// Where and how long the audit log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Path of the policy.
    pub policy_file: String,
    /// Path of the log.
    pub log_path: String,
    /// Days a rotated log is kept.
    pub max_age_days: u32,
    /// How many rotated logs are kept.
    pub max_backups: u32,
    /// Megabytes at which the log is rotated.
    pub max_size_megabytes: u32,
}

impl Audit {
    /// Kubernetes' usual paths and a bounded log.
    pub fn new(policy_file: impl Into<String>) -> Self {
        Self {
            policy_file: policy_file.into(),
            log_path: "/var/log/kubernetes/audit/audit.log".to_owned(),
            max_age_days: 30,
            max_backups: 10,
            max_size_megabytes: 100,
        }
    }
}

impl KubeApiserver {
    /// An API server with kubeadm's defaults.
    pub fn new(image: impl Into<String>, service_cidrs: Vec<IpNet>, cluster_domain: impl Into<String>) -> Self {
        Self {
            component: Component::new(image),
            family: AddressFamily::V4,
            secure_port: 6443,
            service_cidrs,
            cluster_domain: cluster_domain.into(),
            etcd: EtcdServers::Local,
            service_node_port_range: None,
            audit: None,
            encryption_config: None,
            admission_config: None,
            ca_directories: CA_DIRECTORIES.map(str::to_owned).to_vec(),
        }
    }
}

/// The flags of kube-apiserver.
pub fn args(input: &KubeApiserver) -> Vec<String> {
    flags(input).to_args()
}

/// What kubeadm has to be told to make the same pod.
pub fn extra(input: &KubeApiserver) -> Extra {
    let kubeadms = KubeApiserver {
        component: Component::new(&input.component.image),
        service_node_port_range: None,
        audit: None,
        encryption_config: None,
        admission_config: None,
        ..input.clone()
    };
    let ours = mounts(input).into_iter().chain(input.component.extra_volumes.clone());
    Extra::beyond((&flags(input), ours.collect()), (&flags(&kubeadms), &mounts(&kubeadms)))
}

/// The pod.
pub fn pod(input: &KubeApiserver) -> Pod {
    pod::pod(Parts {
        name: "kube-apiserver",
        component: &input.component,
        args: args(input),
        mounts: pod::by_name(mounts(input)),
        annotation: Some((
            "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint",
            input.family.join(hole::NODE_IP, input.secure_port),
        )),
        requests: &[("cpu", "250m")],
        probes: Probes {
            host: hole::NODE_IP.to_owned(),
            port: input.secure_port,
            scheme: "HTTPS",
            liveness: "/livez",
            readiness: Some("/readyz"),
            startup: "/livez",
        },
    })
}

/// The manifest `kube-apiserver.yaml`.
pub fn manifest(input: &KubeApiserver) -> Result<String, Error> {
    pod::manifest(&pod(input), "kube-apiserver")
}

fn flags(input: &KubeApiserver) -> Flags {
    let extra = &input.component.extra_args;
    let flags = authentication(Flags::new(), input)
        .with("advertise-address", hole::NODE_IP)
        .with("allow-privileged", "true")
        .with("authorization-mode", "Node,RBAC")
        .with("enable-admission-plugins", "NodeRestriction")
        .with("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname")
        .with("secure-port", input.secure_port.to_string())
        .with_list("service-cluster-ip-range", &input.service_cidrs)
        .with_some("service-node-port-range", input.service_node_port_range.as_deref())
        .with_some("admission-control-config-file", input.admission_config.as_deref())
        .with_feature_gates(&input.component.feature_gates);
    let flags = audit(encryption(etcd(flags, input), input), input)
        .replaced_by(extra)
        // Without it a kubelet could write any node's labels and other nodes' pods.
        .with_list_naming("enable-admission-plugins", "NodeRestriction");
    // The two exclude each other.
    if flags.has("authorization-config") { flags.without("authorization-mode") } else { flags }
}

fn authentication(flags: Flags, input: &KubeApiserver) -> Flags {
    let pki = |file: &str| format!("{PKI_DIR}/{file}");
    flags
        .with("client-ca-file", pki("ca.crt"))
        .with("enable-bootstrap-token-auth", "true")
        .with("kubelet-client-certificate", pki("apiserver-kubelet-client.crt"))
        .with("kubelet-client-key", pki("apiserver-kubelet-client.key"))
        .with("proxy-client-cert-file", pki("front-proxy-client.crt"))
        .with("proxy-client-key-file", pki("front-proxy-client.key"))
        .with("requestheader-allowed-names", "front-proxy-client")
        .with("requestheader-client-ca-file", pki("front-proxy-ca.crt"))
        .with("requestheader-extra-headers-prefix", "X-Remote-Extra-")
        .with("requestheader-group-headers", "X-Remote-Group")
        .with("requestheader-username-headers", "X-Remote-User")
        .with("service-account-issuer", format!("https://kubernetes.default.svc.{}", input.cluster_domain))
        .with("service-account-key-file", pki("sa.pub"))
        .with("service-account-signing-key-file", pki("sa.key"))
        .with("tls-cert-file", pki("apiserver.crt"))
        .with("tls-private-key-file", pki("apiserver.key"))
}

fn etcd(flags: Flags, input: &KubeApiserver) -> Flags {
    match &input.etcd {
        EtcdServers::Local => flags
            .with("etcd-cafile", format!("{PKI_DIR}/etcd/ca.crt"))
            .with("etcd-certfile", format!("{PKI_DIR}/apiserver-etcd-client.crt"))
            .with("etcd-keyfile", format!("{PKI_DIR}/apiserver-etcd-client.key"))
            .with("etcd-servers", format!("https://{}", input.family.join(input.family.loopback(), CLIENT_PORT))),
        EtcdServers::External { urls, ca_file, cert_file, key_file } => flags
            .with("etcd-cafile", ca_file)
            .with("etcd-certfile", cert_file)
            .with("etcd-keyfile", key_file)
            .with_list("etcd-servers", urls),
    }
}

fn encryption(flags: Flags, input: &KubeApiserver) -> Flags {
    match &input.encryption_config {
        None => flags,
        Some(path) => flags
            .with("encryption-provider-config", path)
            // A new key is read without a restart.
            .with("encryption-provider-config-automatic-reload", "true"),
    }
}

fn audit(flags: Flags, input: &KubeApiserver) -> Flags {
    let Some(audit) = &input.audit else { return flags };
    flags
        .with("audit-log-maxage", audit.max_age_days.to_string())
        .with("audit-log-maxbackup", audit.max_backups.to_string())
        .with("audit-log-maxsize", audit.max_size_megabytes.to_string())
        .with("audit-log-path", &audit.log_path)
        .with("audit-policy-file", &audit.policy_file)
}

fn mounts(input: &KubeApiserver) -> Vec<HostMount> {
    let mut mounts = pod::certificate_mounts(&input.ca_directories);
    // Directories, not files: a mounted file stays the old one after it was replaced on the host.
    let mut directory_of = |name: &str, file: &str, read_only: bool| {
        let directory = file.rsplit_once('/').map_or("/", |(directory, _)| directory);
        let seen = |mount: &HostMount| mount.mount_path == directory || is_under(directory, &mount.mount_path);
        if !mounts.iter().any(seen) {
            mounts.push(HostMount { read_only, ..pod::same_path(name, directory, PathType::DirectoryOrCreate) });
        }
    };
    if let Some(audit) = &input.audit {
        directory_of("audit", &audit.policy_file, true);
        directory_of("audit-log", &audit.log_path, false);
    }
    if let Some(path) = &input.encryption_config {
        directory_of("encryption-config", path, true);
    }
    if let Some(path) = &input.admission_config {
        directory_of("admission-config", path, true);
    }
    mounts
}

fn is_under(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
