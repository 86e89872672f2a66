//! The cluster that the tests render: one control plane as the reference has it.

use std::collections::BTreeMap;

use catalog::Edition;
use ipnet::IpNet;
use render::addons::{coredns, flannel, kube_proxy, local_path, metrics_server};
use render::containerd::{Containerd, ContainerdUnit};
use render::haproxy::{Backend, Haproxy};
use render::kubeadm::{ClusterConfiguration, EtcdConfiguration, Extra};
use render::kubelet::{KubeletConfiguration, KubeletFlags, KubeletUnit, NodePlatform};
use render::objects::ClusterInput;
use render::static_pods::etcd::Etcd;
use render::static_pods::kube_apiserver::KubeApiserver;
use render::static_pods::kube_controller_manager::KubeControllerManager;
use render::static_pods::kube_scheduler::KubeScheduler;
use render::{Error, Gates, Templates, yaml};
use serde_json::Value;

/// What a minor pins.
#[derive(Clone, Copy)]
pub(crate) struct Release {
    pub(crate) minor: u32,
    pub(crate) version: &'static str,
    pub(crate) pause: &'static str,
}

pub(crate) const RELEASES: [Release; 3] = [
    Release { minor: 34, version: "v1.34.4", pause: "registry.k8s.io/pause:3.10.1" },
    Release { minor: 35, version: "v1.35.4", pause: "registry.k8s.io/pause:3.10.1" },
    LATEST,
];
pub(crate) const LATEST: Release = Release { minor: 36, version: "v1.36.3", pause: "registry.k8s.io/pause:3.10.2" };

pub(crate) const ENDPOINT: &str = "10.77.0.51:6443";
pub(crate) const SERVER: &str = "https://10.77.0.51:6443";
pub(crate) const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";

pub(crate) fn cidrs(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn pod_cidrs() -> Vec<IpNet> {
    cidrs(&["10.244.0.0/16"])
}

pub(crate) fn service_cidrs() -> Vec<IpNet> {
    cidrs(&["10.96.0.0/12"])
}

pub(crate) fn image(release: Release, name: &str) -> String {
    format!("registry.k8s.io/{name}:{}", release.version)
}

pub(crate) fn etcd() -> Etcd {
    Etcd::new("registry.k8s.io/etcd:3.6.8-0")
}

pub(crate) fn kube_apiserver(release: Release) -> KubeApiserver {
    KubeApiserver::new(image(release, "kube-apiserver"), service_cidrs(), "cluster.local")
}

pub(crate) fn kube_controller_manager(release: Release) -> KubeControllerManager {
    let image = image(release, "kube-controller-manager");
    KubeControllerManager::new(image, "kubernetes", pod_cidrs(), service_cidrs())
}

pub(crate) fn kube_scheduler(release: Release) -> KubeScheduler {
    KubeScheduler::new(image(release, "kube-scheduler"))
}

pub(crate) fn kubelet() -> KubeletConfiguration {
    KubeletConfiguration {
        platform: NodePlatform::shared_kernel(),
        ..KubeletConfiguration::new(vec!["10.96.0.10".parse().unwrap()], "cluster.local")
    }
}

pub(crate) fn cluster(release: Release) -> ClusterInput {
    ClusterInput {
        configuration: ClusterConfiguration {
            kubernetes_version: release.version.to_owned(),
            cluster_name: "kubernetes".to_owned(),
            control_plane_endpoint: ENDPOINT.to_owned(),
            image_repository: "registry.k8s.io".to_owned(),
            cluster_domain: "cluster.local".to_owned(),
            pod_cidrs: pod_cidrs(),
            service_cidrs: service_cidrs(),
            ca_validity_days: 3650,
            certificate_validity_days: 365,
            certificate_sans: Vec::new(),
            etcd: EtcdConfiguration::Local {
                data_dir: "/var/lib/etcd".to_owned(),
                image_tag: None,
                extra_args: BTreeMap::new(),
            },
            dns_image_tag: None,
            api_server: Extra::default(),
            controller_manager: Extra::default(),
            scheduler: Extra::default(),
        },
        kubelet: KubeletConfiguration {
            cgroup_driver: "cgroupfs".to_owned(),
            resolv_conf: "/run/systemd/resolve/resolv.conf".to_owned(),
            ..kubelet()
        },
        cluster_info_kubeconfig: render::objects::cluster_info_kubeconfig(SERVER, AUTHORITY).unwrap().into(),
    }
}

pub(crate) fn kube_proxy(release: Release) -> kube_proxy::KubeProxy {
    kube_proxy::KubeProxy {
        conntrack: Some(kube_proxy::Conntrack::UNTOUCHED),
        ..kube_proxy::KubeProxy::new(image(release, "kube-proxy"), SERVER, pod_cidrs())
    }
}

pub(crate) fn coredns() -> coredns::CoreDns {
    let addresses = vec!["10.96.0.10".parse().unwrap()];
    coredns::CoreDns::new("registry.k8s.io/coredns/coredns:v1.14.3", addresses, "cluster.local")
}

pub(crate) fn flannel() -> flannel::Flannel {
    flannel::Flannel::new("ghcr.io/flannel-io/flannel:v0.28.4", pod_cidrs(), "10.77.0.51", 6443)
}

pub(crate) fn local_path() -> local_path::LocalPath {
    let image = "docker.io/rancher/local-path-provisioner:v0.0.30";
    local_path::LocalPath::new(image, "ghcr.io/flannel-io/flannel:v0.28.4")
}

pub(crate) fn metrics_server() -> metrics_server::MetricsServer {
    metrics_server::MetricsServer::new("registry.k8s.io/metrics-server/metrics-server:v0.9.0")
}

fn texts(objects: Vec<Value>) -> Result<String, Error> {
    yaml::to_texts(&objects)
}

/// All documents of a minor by file name.
pub(crate) fn documents(release: Release) -> Result<Vec<(&'static str, String)>, Error> {
    documents_in(Edition::NEWEST, release)
}

/// The same of an edition.
pub(crate) fn documents_in(edition: Edition, release: Release) -> Result<Vec<(&'static str, String)>, Error> {
    let (mut etcd, mut api_server) = (etcd(), kube_apiserver(release));
    let (mut controllers, mut scheduler) = (kube_controller_manager(release), kube_scheduler(release));
    for component in
        [&mut etcd.component, &mut api_server.component, &mut controllers.component, &mut scheduler.component]
    {
        component.edition = edition;
    }
    let kubelet = KubeletConfiguration { edition, ..kubelet() };
    let mut cluster = cluster(release);
    cluster.kubelet.edition = edition;
    let coredns = coredns::CoreDns { edition, ..coredns() };
    let kube_proxy = kube_proxy::KubeProxy { edition, ..kube_proxy(release) };
    let flannel = flannel::Flannel { edition, ..flannel() };
    let local_path = local_path::LocalPath { edition, ..local_path() };
    let metrics_server = metrics_server::MetricsServer { edition, ..metrics_server() };
    let templates = Templates::builtin();
    let flags = KubeletFlags::new(Gates::of_minor(release.minor), release.pause);
    let backend =
        |name: &str, address: &str| Backend { name: name.to_owned(), address: address.to_owned(), port: 6443 };
    let backends = vec![backend("cp-1", "10.77.0.51"), backend("cp-2", "10.77.0.52"), backend("cp-3", "10.77.0.53")];
    Ok(vec![
        ("etcd.yaml", render::static_pods::etcd::manifest(&etcd)?),
        ("kube-apiserver.yaml", render::static_pods::kube_apiserver::manifest(&api_server)?),
        ("kube-controller-manager.yaml", render::static_pods::kube_controller_manager::manifest(&controllers)?),
        ("kube-scheduler.yaml", render::static_pods::kube_scheduler::manifest(&scheduler)?),
        ("kubelet-config.yaml", render::kubelet::config(&kubelet)?),
        ("kubelet-instance-config.yaml", render::kubelet::instance_config()?),
        ("kubeadm-flags.env", render::kubelet::flags_env(&flags)),
        ("kubelet.service", render::kubelet::unit(&KubeletUnit::default(), &templates)?),
        ("10-kubeadm.conf", render::kubelet::drop_in(&KubeletUnit::default(), &templates)?),
        ("containerd-config.toml", render::containerd::config(&Containerd::new(release.pause))?),
        ("containerd.service", render::containerd::unit(&ContainerdUnit::default(), &templates)?),
        ("crictl.yaml", render::crictl::config()?),
        ("haproxy.cfg", render::haproxy::config(&Haproxy::new(6444, backends), &templates)?),
        ("bootstrap.yaml", texts(render::objects::bootstrap(&cluster)?)?),
        ("kube-proxy.yaml", texts(kube_proxy::objects(&kube_proxy)?)?),
        ("coredns.yaml", texts(coredns::objects(&coredns, &templates)?)?),
        ("flannel.yaml", texts(flannel::objects(&flannel)?)?),
        ("local-path.yaml", texts(local_path::objects(&local_path)?)?),
        ("metrics-server.yaml", texts(metrics_server::objects(&metrics_server)?)?),
    ])
}
