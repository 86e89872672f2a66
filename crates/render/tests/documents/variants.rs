//! Other clusters than the plain one: three members, two families, everything switched on, replaced templates.

use std::collections::BTreeMap;

use render::addons::coredns::{StubDomain, Upstream};
use render::addons::flannel::Backend;
use render::addons::metrics_server::Serving;
use render::addons::{coredns, flannel, metrics_server};
use render::kubelet::{KubeletConfiguration, NodePlatform};
use render::static_pods::etcd::{ClusterState, Member};
use render::static_pods::kube_apiserver::{Audit, EtcdServers};
use render::static_pods::{
    Component, HostMount, PathType, StartupProbe, etcd, kube_apiserver, kube_controller_manager, kube_scheduler,
};
use render::{AddressFamily, ExtraArgs, Template, Templates, kubelet};
use serde_json::{Value, json};

use crate::inputs::{self, LATEST};
use crate::tree::{self, document, find};

fn extra(pairs: &[(&str, &[&str])]) -> ExtraArgs {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    pairs.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect()
}

#[test]
fn a_member_of_three_names_all_and_a_later_one_joins() {
    let member = |name: &str, address: &str| Member { name: name.to_owned(), address: address.to_owned() };
    let founded = etcd::Etcd {
        initial_cluster: vec![member("cp-1", "10.0.0.1"), member("cp-2", "10.0.0.2")],
        initial_cluster_state: Some(ClusterState::Existing),
        ..inputs::etcd()
    };
    let args = etcd::args(&founded);
    assert!(args.contains(&"--initial-cluster=cp-1=https://10.0.0.1:2380,cp-2=https://10.0.0.2:2380".to_owned()));
    assert!(args.contains(&"--initial-cluster-state=existing".to_owned()));
}

#[test]
fn ipv6_addresses_stand_in_brackets_and_loopback_follows() {
    let etcd = etcd::Etcd { family: AddressFamily::V6, ..inputs::etcd() };
    let args = etcd::args(&etcd);
    assert!(args.contains(&"--listen-client-urls=https://[::1]:2379,https://[{{nodeIP}}]:2379".to_owned()));
    assert!(args.contains(&"--listen-metrics-urls=http://[::1]:2381".to_owned()));
    let api = kube_apiserver::KubeApiserver { family: AddressFamily::V6, ..inputs::kube_apiserver(LATEST) };
    let pod = document(&kube_apiserver::manifest(&api).unwrap());
    assert_eq!(pod["spec"]["containers"][0]["livenessProbe"]["httpGet"]["host"], "{{nodeIP}}");
    assert!(kube_apiserver::args(&api).contains(&"--etcd-servers=https://[::1]:2379".to_owned()));
}

fn everything_on() -> kube_apiserver::KubeApiserver {
    kube_apiserver::KubeApiserver {
        audit: Some(Audit::new("/etc/kubernetes/audit/policy.yaml")),
        encryption_config: Some("/etc/kubernetes/encryption/config.yaml".to_owned()),
        admission_config: Some("/etc/kubernetes/pki/admission.yaml".to_owned()),
        service_node_port_range: Some("30000-31000".to_owned()),
        component: Component {
            extra_args: extra(&[
                ("enable-admission-plugins", &["AlwaysPullImages"]),
                ("authorization-config", &["/etc/kubernetes/authz/config.yaml"]),
                ("tls-sni-cert-key", &["b.crt,b.key", "a.crt,a.key"]),
            ]),
            feature_gates: BTreeMap::from([("B".to_owned(), false), ("A".to_owned(), true)]),
            extra_volumes: vec![HostMount {
                name: "authz".to_owned(),
                host_path: "/etc/kubernetes/authz".to_owned(),
                mount_path: "/etc/kubernetes/authz".to_owned(),
                read_only: true,
                path_type: PathType::Directory,
            }],
            extra_env: BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://proxy:3128".to_owned())]),
            annotations: BTreeMap::from([("kubewright.io/audit-digest".to_owned(), "abc".to_owned())]),
            startup: StartupProbe::eager(),
            ..inputs::kube_apiserver(LATEST).component
        },
        ..inputs::kube_apiserver(LATEST)
    }
}

#[test]
fn an_api_server_with_everything_on_is_as_reviewed() {
    insta::assert_snapshot!(kube_apiserver::manifest(&everything_on()).unwrap());
}

#[test]
fn node_restriction_stays_and_structured_authorization_replaces_modes() {
    let args = kube_apiserver::args(&everything_on());
    assert!(args.contains(&"--enable-admission-plugins=NodeRestriction,AlwaysPullImages".to_owned()));
    assert!(!args.iter().any(|arg| arg.starts_with("--authorization-mode=")));
}

#[test]
fn kubeadm_is_told_what_it_would_not_do_by_itself() {
    let extra = kube_apiserver::extra(&everything_on());
    let volumes: Vec<_> = extra.volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(volumes, ["audit", "audit-log", "encryption-config", "authz"]);
    assert!(extra.args.contains_key("audit-policy-file") && extra.args.contains_key("feature-gates"));
    assert!(!extra.args.contains_key("advertise-address") && !extra.args.contains_key("etcd-servers"));
    assert_eq!(kube_apiserver::extra(&inputs::kube_apiserver(LATEST)), render::kubeadm::Extra::default());
    assert_eq!(etcd::extra(&inputs::etcd()), render::kubeadm::Extra::default());
    let mut cluster = inputs::cluster(LATEST).configuration;
    cluster.api_server = extra;
    let text = render::kubeadm::cluster_configuration(&cluster).unwrap();
    let names: Vec<_> = tree::document(&text)["apiServer"]["extraArgs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|argument| argument["name"] == "tls-sni-cert-key")
        .map(|argument| argument["value"].clone())
        .collect();
    assert_eq!(names, ["b.crt,b.key", "a.crt,a.key"]);
}

#[test]
fn an_external_etcd_is_asked_with_its_own_certificates() {
    let api = kube_apiserver::KubeApiserver {
        etcd: EtcdServers::External {
            urls: vec!["https://e1:2379".to_owned(), "https://e2:2379".to_owned()],
            ca_file: "/e/ca.crt".to_owned(),
            cert_file: "/e/c.crt".to_owned(),
            key_file: "/e/c.key".to_owned(),
        },
        ..inputs::kube_apiserver(LATEST)
    };
    assert!(kube_apiserver::args(&api).contains(&"--etcd-servers=https://e1:2379,https://e2:2379".to_owned()));
}

#[test]
fn two_families_have_a_mask_size_each_and_one_has_one() {
    let both = kube_controller_manager::KubeControllerManager {
        pod_cidrs: inputs::cidrs(&["10.244.0.0/16", "fd00:10::/56"]),
        node_cidr_mask_size_ipv4: Some(25),
        node_cidr_mask_size_ipv6: Some(64),
        signs_certificates: false,
        ..inputs::kube_controller_manager(LATEST)
    };
    let args = kube_controller_manager::args(&both);
    assert!(args.contains(&"--cluster-cidr=10.244.0.0/16,fd00:10::/56".to_owned()));
    assert!(args.contains(&"--node-cidr-mask-size-ipv4=25".to_owned()));
    assert!(args.contains(&"--node-cidr-mask-size-ipv6=64".to_owned()));
    assert!(args.contains(&"--cluster-signing-key-file=".to_owned()));
    let one = kube_controller_manager::KubeControllerManager { pod_cidrs: inputs::pod_cidrs(), ..both };
    assert!(kube_controller_manager::args(&one).contains(&"--node-cidr-mask-size=25".to_owned()));
}

#[test]
fn flexvolume_plugins_can_be_written_to() {
    let directory = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec";
    let input = kube_controller_manager::KubeControllerManager {
        flexvolume_dir: Some(directory.to_owned()),
        ..inputs::kube_controller_manager(LATEST)
    };
    let pod = document(&kube_controller_manager::manifest(&input).unwrap());
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"] == "flexvolume-dir").unwrap();
    assert_eq!(*mount, json!({"name": "flexvolume-dir", "mountPath": directory}));
}

#[test]
fn probes_follow_a_changed_bind_address() {
    let mut scheduler = inputs::kube_scheduler(LATEST);
    let host = |scheduler: &kube_scheduler::KubeScheduler| {
        let pod = document(&kube_scheduler::manifest(scheduler).unwrap());
        pod["spec"]["containers"][0]["livenessProbe"]["httpGet"]["host"].clone()
    };
    scheduler.component.extra_args = extra(&[("bind-address", &["0.0.0.0"])]);
    assert_eq!(host(&scheduler), "127.0.0.1");
    scheduler.component.extra_args = extra(&[("bind-address", &["10.0.0.7"])]);
    assert_eq!(host(&scheduler), "10.0.0.7");
}

#[test]
fn kubelets_layers_win_in_their_order() {
    let layer = |value: Value| value.as_object().unwrap().clone();
    let input = KubeletConfiguration {
        platform: NodePlatform::own_kernel(),
        server_tls_bootstrap: true,
        seccomp_default: true,
        layers: vec![
            layer(json!({"maxPods": 50, "evictionHard": {"memory.available": "5%"}})),
            layer(json!({"maxPods": 60, "healthzPort": null, "featureGates": {"X": true}})),
        ],
        ..KubeletConfiguration::new(vec!["10.96.0.10".parse().unwrap()], "cluster.local")
    };
    let config = document(&kubelet::config(&input).unwrap());
    assert_eq!(config["maxPods"], 60);
    assert_eq!(config["evictionHard"], json!({"memory.available": "5%"}));
    assert_eq!(config.get("healthzPort"), None);
    assert_eq!(config["serverTLSBootstrap"], true);
    assert_eq!(config.get("failSwapOn"), None, "kubelet's default");
    let shared = document(&kubelet::config_map_text(&input).unwrap());
    assert_eq!(shared.get("cgroupDriver"), None, "a hole can't be filled in a ConfigMap");
    assert_eq!(shared.get("containerRuntimeEndpoint"), None);
}

#[test]
fn dns_without_upstreams_forwards_nothing_and_stubs_are_blocks_of_their_own() {
    let mut input = coredns::CoreDns { upstream: Upstream::None, ..inputs::coredns() };
    input.stub_domains = vec![StubDomain {
        domain: "corp.example".to_owned(),
        servers: vec!["10.1.1.1".to_owned(), "10.1.1.2".to_owned()],
    }];
    insta::assert_snapshot!(coredns::corefile(&input, &Templates::builtin()).unwrap());
}

#[test]
fn dns_of_two_families_has_two_addresses() {
    let input = coredns::CoreDns {
        service_ips: vec!["10.96.0.10".parse().unwrap(), "fd00::a".parse().unwrap()],
        ..inputs::coredns()
    };
    let objects = coredns::objects(&input, &Templates::builtin()).unwrap();
    let spec = &find(&objects, "Service", "kube-dns")["spec"];
    assert_eq!(spec["clusterIPs"], json!(["10.96.0.10", "fd00::a"]));
    assert_eq!(spec["ipFamilyPolicy"], "RequireDualStack");
}

#[test]
fn a_replaced_template_is_used() {
    let templates = Templates::builtin().with(Template::Corefile, "# {{ cluster_domain }}\n");
    assert_eq!(coredns::corefile(&inputs::coredns(), &templates).unwrap(), "# cluster.local\n");
}

#[test]
fn flannel_knows_both_families_and_routes() {
    let input = flannel::Flannel {
        pod_cidrs: inputs::cidrs(&["fd00:10::/56", "10.244.0.0/16"]),
        family: AddressFamily::V6,
        backend: Backend::HostGateway,
        nftables: false,
        ..inputs::flannel()
    };
    let objects = flannel::objects(&input).unwrap();
    let conf = find(&objects, "ConfigMap", "kube-flannel-cfg")["data"]["net-conf.json"].as_str().unwrap();
    let conf: Value = serde_json::from_str(conf).unwrap();
    let expected = json!({
        "Network": "10.244.0.0/16", "EnableIPv6": true, "IPv6Network": "fd00:10::/56", "EnableNFTables": false,
        "Backend": {"Type": "host-gw"},
    });
    assert_eq!(conf, expected);
    let container = &find(&objects, "DaemonSet", "kube-flannel-ds")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"][1]["name"], "FLANNELD_PUBLIC_IPV6");
}

#[test]
fn metrics_are_served_under_a_certificate_that_is_checked() {
    let reference = json!({"$ref": "authority/metrics#certificateBase64"});
    let input = metrics_server::MetricsServer {
        serving: Serving::Secret { name: "metrics-server-tls".to_owned(), ca_bundle: reference.clone() },
        ..inputs::metrics_server()
    };
    let objects = metrics_server::objects(&input).unwrap();
    let spec = &find(&objects, "APIService", "v1beta1.metrics.k8s.io")["spec"];
    assert_eq!(spec["caBundle"], reference);
    assert_eq!(spec.get("insecureSkipTLSVerify"), None);
    let args = metrics_server::args(&input);
    assert!(args.contains(&"--tls-cert-file=/etc/metrics-server/serving/tls.crt".to_owned()));
}

#[test]
fn a_proxy_that_is_configured_otherwise_gets_new_pods() {
    let digest = |input: &render::addons::kube_proxy::KubeProxy| {
        let objects = render::addons::kube_proxy::objects(input).unwrap();
        find(&objects, "DaemonSet", "kube-proxy")["spec"]["template"]["metadata"]["annotations"].clone()
    };
    let one = inputs::kube_proxy(LATEST);
    let other = render::addons::kube_proxy::KubeProxy { server: "https://other:6443".to_owned(), ..one.clone() };
    assert_ne!(digest(&one), digest(&other));
}

#[test]
fn a_cluster_info_that_is_a_reference_stays_one() {
    let reference = json!({"$ref": "kubeconfig/cluster-info#config"});
    let object = render::objects::cluster_info(&reference).unwrap();
    assert_eq!(object["data"]["kubeconfig"], reference);
}

proptest::proptest! {
    #[test]
    fn any_argument_and_label_survives_yaml(value in "\\PC*", key in "[a-z]{1,8}") {
        let mut scheduler = inputs::kube_scheduler(LATEST);
        scheduler.component.extra_args = extra(&[("x", &[value.as_str()])]);
        scheduler.component.annotations = BTreeMap::from([(key.clone(), value.clone())]);
        let pod = document(&kube_scheduler::manifest(&scheduler).unwrap());
        let command = tree::texts(&pod["spec"]["containers"][0]["command"]);
        proptest::prop_assert_eq!(command.last(), Some(&format!("--x={value}")));
        proptest::prop_assert_eq!(&pod["metadata"]["annotations"][&key], &Value::from(value));
    }
}
