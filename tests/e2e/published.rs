//! What upstream publishes, as its release addresses have it, made of assets that are there already.
//!
//! The addresses are written down here once more on purpose: they are upstream's, not ours.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use testkit::WebServer;

use crate::world::World;

/// Assets by name, and their files.
pub(crate) type Assets = BTreeMap<String, PathBuf>;

const CNI_PLUGINS: [&str; 18] = [
    "bandwidth",
    "bridge",
    "dhcp",
    "dummy",
    "firewall",
    "host-device",
    "host-local",
    "ipvlan",
    "loopback",
    "macvlan",
    "portmap",
    "ptp",
    "sbr",
    "static",
    "tap",
    "tuning",
    "vlan",
    "vrf",
];

/// Every image that a 1.36 cluster runs, save for the helper image: asset, repository, tag.
pub(crate) const IMAGES: [(&str, &str, &str); 11] = [
    ("image-kube-apiserver", "registry.k8s.io/kube-apiserver", "v1.36.3"),
    ("image-kube-controller-manager", "registry.k8s.io/kube-controller-manager", "v1.36.3"),
    ("image-kube-scheduler", "registry.k8s.io/kube-scheduler", "v1.36.3"),
    ("image-kube-proxy", "registry.k8s.io/kube-proxy", "v1.36.3"),
    ("image-etcd", "registry.k8s.io/etcd", "3.6.8-0"),
    ("image-coredns", "registry.k8s.io/coredns/coredns", "v1.14.3"),
    ("image-pause", "registry.k8s.io/pause", "3.10.2"),
    ("image-flannel", "ghcr.io/flannel-io/flannel", "v0.28.4"),
    ("image-metrics-server", "registry.k8s.io/metrics-server/metrics-server", "v0.9.0"),
    ("image-local-path-provisioner", "docker.io/rancher/local-path-provisioner", "v0.0.30"),
    ("image-agnhost", "registry.k8s.io/e2e-test-images/agnhost", "2.63.0"),
];

/// The files of everything in the host's cache.
pub(crate) fn cached(world: &mut World) -> Assets {
    let listed = world.kubewright(&["assets", "list", "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed).expect("assets are JSON");
    let text = |asset: &Value, name: &str| asset[name].as_str().map(str::to_owned);
    let assets = listed.as_array().expect("a list").iter();
    assets.filter_map(|asset| Some((text(asset, "name")?, text(asset, "path")?.into()))).collect()
}

/// Puts the programs of Kubernetes 1.36.3 and what goes with it on a server.
pub(crate) fn publish(server: &WebServer, assets: &Assets) {
    let read = |name: &str| std::fs::read(&assets[name]).unwrap_or_else(|error| panic!("{name}: {error}"));
    for name in ["kubelet", "kubeadm", "kubectl"] {
        let address = format!("dl.k8s.io/release/v1.36.3/bin/linux/amd64/{name}");
        let content = read(name);
        server.put(&format!("{address}.sha256"), sha256(&content));
        server.put(&address, content);
    }
    let containerd = ["containerd", "containerd-shim-runc-v2", "ctr"].map(|name| (format!("bin/{name}"), read(name)));
    publish_archive(
        server,
        "github.com/containerd/containerd/releases/download/v2.4.2/containerd-2.4.2-linux-amd64.tar.gz",
        ".sha256sum",
        &containerd,
    );
    publish_archive(
        server,
        "github.com/kubernetes-sigs/cri-tools/releases/download/v1.36.0/crictl-v1.36.0-linux-amd64.tar.gz",
        ".sha256",
        &[("crictl".to_owned(), read("crictl"))],
    );
    let etcd = ["etcdctl", "etcdutl"].map(|name| (format!("etcd-v3.6.8-linux-amd64/{name}"), read(name)));
    let releases = "github.com/etcd-io/etcd/releases/download/v3.6.8";
    let archive = pack(&etcd);
    let sums = format!(
        "{}  etcd-v3.6.8-darwin-amd64.zip\n{}  etcd-v3.6.8-linux-amd64.tar.gz\n",
        "0".repeat(64),
        sha256(&archive)
    );
    server.put(&format!("{releases}/SHA256SUMS"), sums);
    server.put(&format!("{releases}/etcd-v3.6.8-linux-amd64.tar.gz"), archive);
    let plugins = CNI_PLUGINS.map(|name| (format!("./{name}"), read(&format!("cni-{name}"))));
    let flannel = [("./flannel".to_owned(), read("cni-flannel"))];
    for (version, files) in [("v1.9.1", plugins.as_slice()), ("v0.9.1", flannel.as_slice())] {
        let address = format!(
            "github.com/containernetworking/plugins/releases/download/{version}/cni-plugins-linux-amd64-{version}.tgz"
        );
        publish_archive(server, &address, ".sha256", files);
    }
}

fn publish_archive(server: &WebServer, address: &str, suffix: &str, files: &[(String, Vec<u8>)]) {
    let archive = pack(files);
    let name = address.rsplit('/').next().expect("a name");
    server.put(&format!("{address}{suffix}"), format!("{}  {name}\n", sha256(&archive)));
    server.put(address, archive);
}

fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, path, content.as_slice()).expect("a file is packed");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("the archive is packed")
}

fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}
