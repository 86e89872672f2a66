//! The container images of a release.

/// A container image that clusters run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Image {
    /// The API server.
    KubeApiserver,
    /// The controller manager.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// The service proxy, with nftables and iptables.
    KubeProxy,
    /// etcd with etcdctl and etcdutl.
    Etcd,
    /// Cluster DNS.
    CoreDns,
    /// What holds a pod's namespaces.
    Pause,
    /// The default pod network.
    Flannel,
    /// Resource metrics.
    MetricsServer,
    /// Makes volumes out of local directories.
    LocalPathProvisioner,
    /// A shell and small tools, for helper pods.
    Busybox,
    /// The test workload.
    Agnhost,
}

/// An image with its full name in one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseImage {
    /// Which.
    pub image: Image,
    /// Its full name, with tag.
    pub name: String,
}

impl Image {
    /// All images.
    pub const ALL: [Self; 12] = [
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::KubeProxy,
        Self::Etcd,
        Self::CoreDns,
        Self::Pause,
        Self::Flannel,
        Self::MetricsServer,
        Self::LocalPathProvisioner,
        Self::Busybox,
        Self::Agnhost,
    ];

    /// Whether machines get it only when something that runs it is switched on: it takes minutes to build, and most clusters
    /// do without it.
    pub fn is_loaded(self) -> bool {
        self == Self::MetricsServer
    }

    /// The name of its asset, such as `image-etcd`.
    pub fn asset(self) -> &'static str {
        match self {
            Self::KubeApiserver => "image-kube-apiserver",
            Self::KubeControllerManager => "image-kube-controller-manager",
            Self::KubeScheduler => "image-kube-scheduler",
            Self::KubeProxy => "image-kube-proxy",
            Self::Etcd => "image-etcd",
            Self::CoreDns => "image-coredns",
            Self::Pause => "image-pause",
            Self::Flannel => "image-flannel",
            Self::MetricsServer => "image-metrics-server",
            Self::LocalPathProvisioner => "image-local-path-provisioner",
            Self::Busybox => "image-busybox",
            Self::Agnhost => "image-agnhost",
        }
    }

    /// Its name without a tag. Upstream's, save for the helper image, which upstream does not have.
    pub fn repository(self) -> &'static str {
        match self {
            Self::KubeApiserver => "registry.k8s.io/kube-apiserver",
            Self::KubeControllerManager => "registry.k8s.io/kube-controller-manager",
            Self::KubeScheduler => "registry.k8s.io/kube-scheduler",
            Self::KubeProxy => "registry.k8s.io/kube-proxy",
            Self::Etcd => "registry.k8s.io/etcd",
            Self::CoreDns => "registry.k8s.io/coredns/coredns",
            Self::Pause => "registry.k8s.io/pause",
            Self::Flannel => "ghcr.io/flannel-io/flannel",
            Self::MetricsServer => "registry.k8s.io/metrics-server/metrics-server",
            Self::LocalPathProvisioner => "docker.io/rancher/local-path-provisioner",
            Self::Busybox => "registry.kubewright.io/busybox",
            Self::Agnhost => "registry.k8s.io/e2e-test-images/agnhost",
        }
    }
}
