//! The flags that are kubewright's, and what to use instead; empty where there is nothing to choose.

pub(super) type Flags = &'static [(&'static str, &'static str)];

/// kube-apiserver.
pub(super) const API_SERVER: Flags = &[
    ("admission-control", "`spec.kubeAPIServer.admissionPlugins`"),
    ("advertise-address", ""),
    ("audit-log-maxage", "`spec.audit.log.maxAge`"),
    ("audit-log-maxbackup", "`spec.audit.log.maxBackups`"),
    ("audit-log-maxsize", "`spec.audit.log.maxSize`"),
    ("audit-log-path", "`spec.audit.policy`"),
    ("audit-policy-file", "`spec.audit.policy`"),
    ("authorization-mode", ""),
    ("client-ca-file", ""),
    ("disable-admission-plugins", "`spec.kubeAPIServer.admissionPlugins.disable`"),
    ("enable-admission-plugins", "`spec.kubeAPIServer.admissionPlugins.enable`"),
    ("enable-bootstrap-token-auth", ""),
    ("encryption-provider-config", "`spec.encryptionAtRest.provider`"),
    ("etcd-cafile", ""),
    ("etcd-certfile", ""),
    ("etcd-keyfile", ""),
    ("etcd-prefix", ""),
    ("etcd-servers", ""),
    ("feature-gates", "`spec.kubeAPIServer.featureGates`"),
    ("kubelet-certificate-authority", ""),
    ("kubelet-client-certificate", ""),
    ("kubelet-client-key", ""),
    ("proxy-client-cert-file", ""),
    ("proxy-client-key-file", ""),
    ("requestheader-allowed-names", ""),
    ("requestheader-client-ca-file", ""),
    ("requestheader-extra-headers-prefix", ""),
    ("requestheader-group-headers", ""),
    ("requestheader-username-headers", ""),
    ("secure-port", "`spec.api.port`"),
    ("service-account-key-file", ""),
    ("service-account-signing-key-file", ""),
    ("service-cluster-ip-range", "`spec.networking.serviceCIDRs`"),
    ("service-node-port-range", "`spec.kubeAPIServer.serviceNodePortRange`"),
    ("tls-cert-file", ""),
    ("tls-private-key-file", ""),
];

/// kube-controller-manager.
pub(super) const CONTROLLER_MANAGER: Flags = &[
    ("allocate-node-cidrs", ""),
    ("authentication-kubeconfig", ""),
    ("authorization-kubeconfig", ""),
    ("client-ca-file", ""),
    ("cluster-cidr", "`spec.networking.podCIDRs`"),
    ("cluster-name", ""),
    ("cluster-signing-cert-file", ""),
    ("cluster-signing-key-file", ""),
    ("feature-gates", "`spec.kubeControllerManager.featureGates`"),
    ("kubeconfig", ""),
    ("leader-elect", ""),
    ("node-cidr-mask-size", "`spec.networking.nodeCIDRMaskSize`"),
    ("node-cidr-mask-size-ipv4", "`spec.networking.nodeCIDRMaskSize`"),
    ("requestheader-client-ca-file", ""),
    ("root-ca-file", ""),
    ("secure-port", ""),
    ("service-account-private-key-file", ""),
    ("service-cluster-ip-range", "`spec.networking.serviceCIDRs`"),
    ("use-service-account-credentials", ""),
];

/// kube-scheduler.
pub(super) const SCHEDULER: Flags = &[
    ("authentication-kubeconfig", ""),
    ("authorization-kubeconfig", ""),
    ("feature-gates", "`spec.kubeScheduler.featureGates`"),
    ("kubeconfig", ""),
    ("leader-elect", ""),
    ("secure-port", ""),
];

/// etcd.
pub(super) const ETCD: Flags = &[
    ("advertise-client-urls", ""),
    ("cert-file", ""),
    ("client-cert-auth", ""),
    ("config-file", ""),
    ("data-dir", ""),
    ("discovery", ""),
    ("discovery-endpoints", ""),
    ("discovery-srv", ""),
    ("discovery-token", ""),
    ("force-new-cluster", ""),
    ("initial-advertise-peer-urls", ""),
    ("initial-cluster", ""),
    ("initial-cluster-state", ""),
    ("initial-cluster-token", ""),
    ("key-file", ""),
    ("listen-client-urls", ""),
    ("listen-metrics-urls", ""),
    ("listen-peer-urls", ""),
    ("name", ""),
    ("peer-cert-file", ""),
    ("peer-client-cert-auth", ""),
    ("peer-key-file", ""),
    ("peer-trusted-ca-file", ""),
    ("trusted-ca-file", ""),
    ("wal-dir", ""),
];

/// Flags of kube-apiserver that do not go with one that kubewright sets.
pub(super) const EXCLUDING: Flags = &[
    ("authorization-config", "authorization-mode"),
    ("authorization-policy-file", "authorization-mode"),
    ("authorization-webhook-config-file", "authorization-mode"),
    ("service-account-signing-endpoint", "service-account-signing-key-file"),
];
