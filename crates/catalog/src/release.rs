//! The component versions that belong to each supported Kubernetes minor.

mod common;
mod v1_34;
mod v1_35;
mod v1_36;

use thiserror::Error;

use crate::Gates;
use crate::image::{Image, ReleaseImage};

/// All supported releases, the oldest first.
static RELEASES: [&Release; 3] = [&v1_34::RELEASE, &v1_35::RELEASE, &v1_36::RELEASE];

/// The Kubernetes version of new clusters.
pub const DEFAULT_VERSION: &str = v1_36::RELEASE.kubernetes;

/// One Kubernetes minor with the versions of everything that belongs to it.
///
/// Versions stand without a leading `v`. What kubeadm pins is kubeadm's own value
/// (`cmd/kubeadm/app/constants/constants.go` of the same release), save for the named deviations.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// The `36` of `1.36`.
    pub minor: u32,
    /// Kubernetes itself, such as `1.36.3`.
    pub kubernetes: &'static str,
    /// etcd.
    pub etcd: &'static str,
    /// Tag of etcd's image: its version and the image's revision.
    pub etcd_image_tag: &'static str,
    /// CoreDNS.
    pub coredns: &'static str,
    /// Tag of the pause image.
    pub pause: &'static str,
    /// containerd.
    pub containerd: &'static str,
    /// Lowest containerd that this minor's kubelet works with.
    pub containerd_minimum: &'static str,
    /// Lowest runc that containerd's shim works with.
    pub runc_minimum: &'static str,
    /// crictl, of the same minor where the Go module proxy has it, else of the one before.
    pub crictl: &'static str,
    /// CNI plugins.
    pub cni_plugins: &'static str,
    /// flannel.
    pub flannel: &'static str,
    /// The `flannel` CNI plugin (the last release of the CNI plugins that had it).
    pub flannel_cni: &'static str,
    /// metrics-server.
    pub metrics_server: &'static str,
    /// local-path-provisioner.
    pub local_path_provisioner: &'static str,
    /// agnhost, the test workload.
    pub agnhost: &'static str,
    /// Lowest Go that builds this Kubernetes. Other components may need a newer one: see each recipe.
    pub go_minimum: &'static str,
    /// Where this release is not what kubeadm pins, and why.
    pub deviations: &'static [Deviation],
}

/// A version that is not the one kubeadm pins.
#[derive(Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The component.
    pub component: &'static str,
    /// kubeadm's version.
    pub kubeadm: &'static str,
    /// Ours.
    pub ours: &'static str,
    /// Why.
    pub why: &'static str,
}

/// A Kubernetes version that is not supported.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Kubernetes {asked} is not supported (supported: {})", .supported.join(", "))]
pub struct UnsupportedVersion {
    /// What was asked for, as written.
    pub asked: String,
    /// The supported versions, the oldest first.
    pub supported: Vec<&'static str>,
    /// The supported version that was probably meant.
    pub meant: Option<&'static str>,
}

/// The release of a minor version such as `1.36`.
pub fn release(minor: &str) -> Option<&'static Release> {
    let (major, minor) = minor.trim_start_matches('v').split_once('.')?;
    let minor: u32 = minor.parse().ok()?;
    RELEASES.into_iter().find(|release| major == "1" && release.minor == minor)
}

/// The release of a version as users write it: `1.36`, `1.36.3`, `v1.36.3`.
pub fn find(version: &str) -> Result<&'static Release, UnsupportedVersion> {
    let plain = version.strip_prefix('v').unwrap_or(version);
    let exact = RELEASES.into_iter().find(|release| release.kubernetes == plain);
    exact.or_else(|| release(plain)).ok_or_else(|| UnsupportedVersion {
        asked: version.to_owned(),
        supported: supported_versions(),
        meant: meant(plain),
    })
}

/// The supported Kubernetes versions, the oldest first.
pub fn supported_versions() -> Vec<&'static str> {
    RELEASES.into_iter().map(|release| release.kubernetes).collect()
}

/// All supported releases, the oldest first.
pub fn releases() -> &'static [&'static Release] {
    &RELEASES
}

/// The supported release of the same minor, or the newest one for a newer minor and the oldest one for an older minor.
fn meant(version: &str) -> Option<&'static str> {
    let minor: u32 = version.strip_prefix("1.")?.split('.').next()?.parse().ok()?;
    RELEASES.into_iter().min_by_key(|release| release.minor.abs_diff(minor)).map(|release| release.kubernetes)
}

impl Release {
    /// Which flags and fields this minor has.
    pub fn gates(&self) -> Gates {
        Gates::for_minor(self.minor)
    }

    /// Kubernetes' version as tags and messages have it, such as `v1.36.3`.
    pub fn tag(&self) -> String {
        format!("v{}", self.kubernetes)
    }

    /// All images of this release.
    pub fn images(&self) -> Vec<ReleaseImage> {
        Image::ALL.into_iter().map(|image| ReleaseImage { image, name: self.image(image) }).collect()
    }

    /// The full name of an image, such as `registry.k8s.io/etcd:3.6.8-0`.
    pub fn image(&self, image: Image) -> String {
        let tag = match image {
            Image::KubeApiserver | Image::KubeControllerManager | Image::KubeScheduler | Image::KubeProxy => self.tag(),
            Image::Etcd => self.etcd_image_tag.to_owned(),
            Image::CoreDns => format!("v{}", self.coredns),
            Image::Pause => self.pause.to_owned(),
            Image::Flannel => format!("v{}", self.flannel),
            Image::MetricsServer => format!("v{}", self.metrics_server),
            Image::LocalPathProvisioner => format!("v{}", self.local_path_provisioner),
            Image::Busybox => "v1".to_owned(),
            Image::Agnhost => self.agnhost.to_owned(),
        };
        format!("{}:{tag}", image.repository())
    }
}

#[cfg(test)]
mod tests;
