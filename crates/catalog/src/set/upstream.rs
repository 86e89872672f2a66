//! Upstream's addresses of what clusters are made of.

use crate::upstream::{Published, Upstream};
use crate::{Image, Release};

/// A Kubernetes program. Each is published by itself.
pub(super) fn kubernetes(release: &Release, architecture: &str, name: &str) -> Upstream {
    let address = format!("dl.k8s.io/release/{}/bin/linux/{architecture}/{name}", release.tag());
    Upstream::File(Published::with_checksum(address, ".sha256"))
}

/// A program of containerd's archive.
pub(super) fn containerd(release: &Release, architecture: &str, name: &str) -> Upstream {
    let version = release.containerd;
    let file = format!("containerd-{version}-linux-{architecture}.tar.gz");
    let address = format!("github.com/containerd/containerd/releases/download/v{version}/{file}");
    Upstream::Member { archive: Published::with_checksum(address, ".sha256sum"), path: format!("bin/{name}") }
}

/// crictl, which is alone in its archive.
pub(super) fn crictl(release: &Release, architecture: &str) -> Upstream {
    let version = release.crictl;
    let file = format!("crictl-v{version}-linux-{architecture}.tar.gz");
    let address = format!("github.com/kubernetes-sigs/cri-tools/releases/download/v{version}/{file}");
    Upstream::Member { archive: Published::with_checksum(address, ".sha256"), path: "crictl".into() }
}

/// A program of etcd's archive.
pub(super) fn etcd(release: &Release, architecture: &str, name: &str) -> Upstream {
    let directory = format!("etcd-v{}-linux-{architecture}", release.etcd);
    let releases = format!("github.com/etcd-io/etcd/releases/download/v{}", release.etcd);
    let archive =
        Published { address: format!("{releases}/{directory}.tar.gz"), checksums: format!("{releases}/SHA256SUMS") };
    Upstream::Member { archive, path: format!("{directory}/{name}") }
}

/// A plugin of the CNI plugins' archive of `version`.
pub(super) fn cni_plugin(version: &str, architecture: &str, file: &str) -> Upstream {
    let address = format!(
        "github.com/containernetworking/plugins/releases/download/v{version}/cni-plugins-linux-{architecture}-v{version}.tgz"
    );
    Upstream::Member { archive: Published::with_checksum(address, ".sha256"), path: file.to_owned() }
}

/// An image, save for the helper image, which upstream does not have.
pub(super) fn image(release: &Release, image: Image) -> Option<Upstream> {
    (image != Image::Busybox).then(|| Upstream::Image(release.image(image)))
}
