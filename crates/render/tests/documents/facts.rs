//! Facts of kubeadm's layout (read from what kubeadm 1.36.3 writes), held for all minors.

use crate::inputs::{RELEASES, documents};
use crate::tree::{self, document, find, texts};

const ETCD: &[&str] = &[
    "--advertise-client-urls=https://{{nodeIP}}:2379",
    "--cert-file=/etc/kubernetes/pki/etcd/server.crt",
    "--client-cert-auth=true",
    "--data-dir=/var/lib/etcd",
    "--feature-gates=InitialCorruptCheck=true",
    "--initial-advertise-peer-urls=https://{{nodeIP}}:2380",
    "--initial-cluster={{nodeName}}=https://{{nodeIP}}:2380",
    "--key-file=/etc/kubernetes/pki/etcd/server.key",
    "--listen-client-urls=https://127.0.0.1:2379,https://{{nodeIP}}:2379",
    "--listen-metrics-urls=http://127.0.0.1:2381",
    "--listen-peer-urls=https://{{nodeIP}}:2380",
    "--name={{nodeName}}",
    "--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt",
    "--peer-client-cert-auth=true",
    "--peer-key-file=/etc/kubernetes/pki/etcd/peer.key",
    "--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
    "--snapshot-count=10000",
    "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
    "--watch-progress-notify-interval=5s",
];

const KUBE_APISERVER: &[&str] = &[
    "--advertise-address={{nodeIP}}",
    "--allow-privileged=true",
    "--authorization-mode=Node,RBAC",
    "--client-ca-file=/etc/kubernetes/pki/ca.crt",
    "--enable-admission-plugins=NodeRestriction",
    "--enable-bootstrap-token-auth=true",
    "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt",
    "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
    "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
    "--etcd-servers=https://127.0.0.1:2379",
    "--kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt",
    "--kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key",
    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
    "--proxy-client-cert-file=/etc/kubernetes/pki/front-proxy-client.crt",
    "--proxy-client-key-file=/etc/kubernetes/pki/front-proxy-client.key",
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    "--secure-port=6443",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    "--service-account-key-file=/etc/kubernetes/pki/sa.pub",
    "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key",
    "--service-cluster-ip-range=10.96.0.0/12",
    "--tls-cert-file=/etc/kubernetes/pki/apiserver.crt",
    "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
];

const KUBE_CONTROLLER_MANAGER: &[&str] = &[
    "--allocate-node-cidrs=true",
    "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
    "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf",
    "--bind-address=127.0.0.1",
    "--client-ca-file=/etc/kubernetes/pki/ca.crt",
    "--cluster-cidr=10.244.0.0/16",
    "--cluster-name=kubernetes",
    "--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt",
    "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key",
    "--controllers=*,bootstrapsigner,tokencleaner",
    "--kubeconfig=/etc/kubernetes/controller-manager.conf",
    "--leader-elect=true",
    "--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt",
    "--root-ca-file=/etc/kubernetes/pki/ca.crt",
    "--service-account-private-key-file=/etc/kubernetes/pki/sa.key",
    "--service-cluster-ip-range=10.96.0.0/12",
    "--use-service-account-credentials=true",
];

const KUBE_SCHEDULER: &[&str] = &[
    "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
    "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
    "--bind-address=127.0.0.1",
    "--kubeconfig=/etc/kubernetes/scheduler.conf",
    "--leader-elect=true",
];

/// Name, flags, cpu request, port, liveness path, mounts (`name path type`, by volume name; `rw` where writable).
type Component = (&'static str, &'static [&'static str], &'static str, u16, &'static str, &'static [&'static str]);

const COMPONENTS: [Component; 4] = [
    (
        "etcd",
        ETCD,
        "100m",
        2381,
        "/livez",
        &["etcd-certs /etc/kubernetes/pki/etcd DirectoryOrCreate rw", "etcd-data /var/lib/etcd DirectoryOrCreate rw"],
    ),
    (
        "kube-apiserver",
        KUBE_APISERVER,
        "250m",
        6443,
        "/livez",
        &[
            "ca-certs /etc/ssl/certs DirectoryOrCreate",
            "etc-ca-certificates /etc/ca-certificates DirectoryOrCreate",
            "k8s-certs /etc/kubernetes/pki DirectoryOrCreate",
            "usr-local-share-ca-certificates /usr/local/share/ca-certificates DirectoryOrCreate",
            "usr-share-ca-certificates /usr/share/ca-certificates DirectoryOrCreate",
        ],
    ),
    (
        "kube-controller-manager",
        KUBE_CONTROLLER_MANAGER,
        "200m",
        10257,
        "/healthz",
        &[
            "ca-certs /etc/ssl/certs DirectoryOrCreate",
            "etc-ca-certificates /etc/ca-certificates DirectoryOrCreate",
            "k8s-certs /etc/kubernetes/pki DirectoryOrCreate",
            "kubeconfig /etc/kubernetes/controller-manager.conf FileOrCreate",
            "usr-local-share-ca-certificates /usr/local/share/ca-certificates DirectoryOrCreate",
            "usr-share-ca-certificates /usr/share/ca-certificates DirectoryOrCreate",
        ],
    ),
    (
        "kube-scheduler",
        KUBE_SCHEDULER,
        "100m",
        10259,
        "/livez",
        &["kubeconfig /etc/kubernetes/scheduler.conf FileOrCreate"],
    ),
];

fn rendered(release: crate::inputs::Release, file: &str) -> String {
    let documents = documents(release).unwrap();
    documents.into_iter().find(|(name, _)| *name == file).map(|(_, text)| text).unwrap()
}

#[test]
fn static_pods_have_kubeadms_flags_probes_and_mounts() {
    for release in RELEASES {
        for (name, flags, cpu, port, liveness, mounts) in COMPONENTS {
            let pod = document(&rendered(release, &format!("{name}.yaml")));
            let container = &pod["spec"]["containers"][0];
            let command = texts(&container["command"]);
            assert_eq!(command.first().map(String::as_str), Some(name));
            assert_eq!(command[1..], flags[..], "{name} {}", release.version);
            assert_eq!(container["resources"]["requests"]["cpu"], cpu);
            assert_eq!(container["ports"][0]["containerPort"], port);
            assert_eq!(container["livenessProbe"]["httpGet"]["path"], liveness);
            assert_eq!(container["startupProbe"]["failureThreshold"], 24);
            assert_eq!(pod["spec"]["hostNetwork"], true);
            assert_eq!(pod["spec"]["priorityClassName"], "system-node-critical");
            assert_eq!(mounts_of(&pod), mounts, "{name}");
        }
    }
}

fn mounts_of(pod: &serde_json::Value) -> Vec<String> {
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    let line = |volume: &serde_json::Value| {
        let (name, path) = (volume["name"].as_str().unwrap(), volume["hostPath"]["path"].as_str().unwrap());
        let mount = mounts.iter().find(|mount| mount["name"] == name).unwrap();
        assert_eq!(mount["mountPath"], path);
        let write = if mount["readOnly"] == true { "" } else { " rw" };
        format!("{name} {path} {}{write}", volume["hostPath"]["type"].as_str().unwrap())
    };
    pod["spec"]["volumes"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn kubelet_has_kubeadms_settings_and_what_containers_need() {
    for release in RELEASES {
        let config = document(&rendered(release, "kubelet-config.yaml"));
        let expected = serde_json::json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "{{cgroupDriver}}",
            "clusterDNS": ["10.96.0.10"],
            "clusterDomain": "cluster.local",
            "containerLogMaxFiles": 5,
            "containerLogMaxSize": "10Mi",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": 10248,
            "resolvConf": "{{resolvConf}}",
            "rotateCertificates": true,
            "staticPodPath": "/etc/kubernetes/manifests",
            // What machines that are containers need.
            "failCgroupV1": false,
            "failSwapOn": false,
            "featureGates": {"KubeletInUserNamespace": true},
            "localStorageCapacityIsolation": false,
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "imagefs.available": "0%", "imagefs.inodesFree": "0%", "memory.available": "100Mi",
                "nodefs.available": "0%", "nodefs.inodesFree": "0%",
            },
        });
        assert_eq!(config, expected);
    }
}

/// Binding, role, subjects.
const BINDINGS: &[(&str, &str, &str)] = &[
    (
        "ClusterRoleBinding -/kubeadm:apiserver-kubelet-client",
        "ClusterRole system:kubelet-api-admin",
        "User kube-apiserver-kubelet-client",
    ),
    ("ClusterRoleBinding -/kubeadm:cluster-admins", "ClusterRole cluster-admin", "Group kubeadm:cluster-admins"),
    (
        "ClusterRoleBinding -/kubeadm:get-nodes",
        "ClusterRole kubeadm:get-nodes",
        "Group system:bootstrappers:kubeadm:default-node-token",
    ),
    (
        "ClusterRoleBinding -/kubeadm:kubelet-bootstrap",
        "ClusterRole system:node-bootstrapper",
        "Group system:bootstrappers:kubeadm:default-node-token",
    ),
    (
        "ClusterRoleBinding -/kubeadm:node-autoapprove-bootstrap",
        "ClusterRole system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        "Group system:bootstrappers:kubeadm:default-node-token",
    ),
    (
        "ClusterRoleBinding -/kubeadm:node-autoapprove-certificate-rotation",
        "ClusterRole system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        "Group system:nodes",
    ),
    ("ClusterRoleBinding -/kubeadm:node-proxier", "ClusterRole system:node-proxier", "ServiceAccount kube-proxy"),
    ("ClusterRoleBinding -/system:coredns", "ClusterRole system:coredns", "ServiceAccount coredns"),
    (
        "RoleBinding kube-public/kubeadm:bootstrap-signer-clusterinfo",
        "Role kubeadm:bootstrap-signer-clusterinfo",
        "User system:anonymous",
    ),
    ("RoleBinding kube-system/kube-proxy", "Role kube-proxy", "Group system:bootstrappers:kubeadm:default-node-token"),
    (
        "RoleBinding kube-system/kubeadm:kubelet-config",
        "Role kubeadm:kubelet-config",
        "Group system:bootstrappers:kubeadm:default-node-token, Group system:nodes",
    ),
    (
        "RoleBinding kube-system/kubeadm:nodes-kubeadm-config",
        "Role kubeadm:nodes-kubeadm-config",
        "Group system:bootstrappers:kubeadm:default-node-token, Group system:nodes",
    ),
];

/// Role and its rules as `group/resource[name] verbs`.
const ROLES: &[(&str, &str)] = &[
    ("ClusterRole -/kubeadm:get-nodes", "/nodes get"),
    (
        "ClusterRole -/system:coredns",
        "/endpoints,services,pods,namespaces list,watch; discovery.k8s.io/endpointslices list,watch",
    ),
    ("Role kube-public/kubeadm:bootstrap-signer-clusterinfo", "/configmaps[cluster-info] get"),
    ("Role kube-system/kube-proxy", "/configmaps[kube-proxy] get"),
    ("Role kube-system/kubeadm:kubelet-config", "/configmaps[kubelet-config] get"),
    ("Role kube-system/kubeadm:nodes-kubeadm-config", "/configmaps[kubeadm-config] get"),
];

#[test]
fn rbac_is_kubeadms() {
    for release in RELEASES {
        let objects: Vec<_> = ["bootstrap.yaml", "kube-proxy.yaml", "coredns.yaml"]
            .iter()
            .flat_map(|file| tree::documents(&rendered(release, file)))
            .collect();
        let of_kinds = |kinds: [&str; 2]| {
            objects.iter().filter(move |object| kinds.contains(&object["kind"].as_str().unwrap())).collect::<Vec<_>>()
        };
        let mut bindings: Vec<_> = of_kinds(["RoleBinding", "ClusterRoleBinding"]).into_iter().map(binding).collect();
        bindings.sort();
        let expected: Vec<_> =
            BINDINGS.iter().map(|(id, role, who)| ((*id).to_owned(), (*role).to_owned(), (*who).to_owned())).collect();
        assert_eq!(bindings, expected);
        let mut roles: Vec<_> = of_kinds(["Role", "ClusterRole"]).into_iter().map(role).collect();
        roles.sort();
        let expected: Vec<_> = ROLES.iter().map(|(id, rules)| ((*id).to_owned(), (*rules).to_owned())).collect();
        assert_eq!(roles, expected);
    }
}

fn binding(object: &serde_json::Value) -> (String, String, String) {
    let words =
        |value: &serde_json::Value| format!("{} {}", value["kind"].as_str().unwrap(), value["name"].as_str().unwrap());
    let mut subjects: Vec<_> = object["subjects"].as_array().unwrap().iter().map(words).collect();
    subjects.sort();
    (tree::id(object), words(&object["roleRef"]), subjects.join(", "))
}

fn role(object: &serde_json::Value) -> (String, String) {
    let list = |value: &serde_json::Value| texts(value).join(",");
    let rule = |rule: &serde_json::Value| {
        let names = list(&rule["resourceNames"]);
        let names = if names.is_empty() { names } else { format!("[{names}]") };
        format!("{}/{}{names} {}", list(&rule["apiGroups"]), list(&rule["resources"]), list(&rule["verbs"]))
    };
    let rules: Vec<_> = object["rules"].as_array().unwrap().iter().map(rule).collect();
    (tree::id(object), rules.join("; "))
}

#[test]
fn dns_is_kubeadms() {
    for release in RELEASES {
        let objects = tree::documents(&rendered(release, "coredns.yaml"));
        let service = find(&objects, "Service", "kube-dns");
        assert_eq!(service["spec"]["clusterIP"], "10.96.0.10");
        let deployment = find(&objects, "Deployment", "coredns");
        assert_eq!(deployment["spec"]["replicas"], 2);
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["priorityClassName"], "system-cluster-critical");
        let container = &pod["containers"][0];
        assert_eq!(container["resources"]["limits"]["memory"], "170Mi");
        assert_eq!(container["livenessProbe"]["initialDelaySeconds"], 60);
        let corefile = find(&objects, "ConfigMap", "coredns")["data"]["Corefile"].as_str().unwrap();
        let plugins = [
            "errors",
            "health {",
            "lameduck 5s",
            "ready",
            "kubernetes cluster.local in-addr.arpa ip6.arpa {",
            "pods insecure",
            "fallthrough in-addr.arpa ip6.arpa",
            "ttl 30",
            "prometheus :9153",
            "forward . /etc/resolv.conf {",
            "max_concurrent 1000",
            "cache 30 {",
            "disable success cluster.local",
            "disable denial cluster.local",
            "loop",
            "reload",
            "loadbalance",
        ];
        let lines: Vec<_> = corefile.lines().map(str::trim).filter(|line| !matches!(*line, "}" | ".:53 {")).collect();
        assert_eq!(lines, plugins);
    }
}

#[test]
fn the_service_proxy_is_kubeadms() {
    for release in RELEASES {
        let objects = tree::documents(&rendered(release, "kube-proxy.yaml"));
        let data = &find(&objects, "ConfigMap", "kube-proxy")["data"];
        assert_eq!(data.as_object().unwrap().len(), 2);
        let config = document(data["config.conf"].as_str().unwrap());
        assert_eq!(config["clusterCIDR"], "10.244.0.0/16");
        assert_eq!(config["conntrack"], serde_json::json!({"maxPerCore": 0, "min": 0}));
        let kubeconfig = document(data["kubeconfig.conf"].as_str().unwrap());
        // Never the service address, which kube-proxy itself makes.
        assert_eq!(kubeconfig["clusters"][0]["cluster"]["server"], "https://10.77.0.51:6443");
        let pod = &find(&objects, "DaemonSet", "kube-proxy")["spec"]["template"]["spec"];
        assert_eq!(pod["tolerations"], serde_json::json!([{"operator": "Exists"}]));
        assert_eq!(
            texts(&pod["containers"][0]["command"]),
            [
                "/usr/local/bin/kube-proxy",
                "--config=/var/lib/kube-proxy/config.conf",
                "--hostname-override=$(NODE_NAME)"
            ]
        );
    }
}
