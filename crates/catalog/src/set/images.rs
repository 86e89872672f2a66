//! Container images, with the programs that only go into them.

use super::{AssetSet, Selection, binaries, upstream};
use crate::asset::{AssetRef, AssetSpec};
use crate::debian::{busybox_layer, network_layer};
use crate::recipe::{ImageFile, ImageRecipe, Recipe};
use crate::{Image, Release, names};

/// Raised when the image builder changes what it puts into an image.
const REVISION: u32 = 1;

/// Adds the selected images.
pub(super) fn add(set: &mut AssetSet, release: &Release, selection: &Selection) {
    for image in selection.images() {
        let parts = parts(set, image, release, selection);
        let recipe = ImageRecipe {
            name: release.image(image),
            architecture: selection.architecture.clone(),
            base: parts.base,
            files: parts.files.into_iter().map(|(path, asset)| ImageFile { path: path.to_owned(), asset }).collect(),
            entrypoint: parts.entrypoint.into_iter().map(str::to_owned).collect(),
            command: parts.command.into_iter().map(str::to_owned).collect(),
            user: None,
            revision: REVISION,
        };
        set.want(AssetSpec::new(image.asset(), Recipe::Image(recipe)).published(upstream::image(release, image)));
    }
}

/// What an image is put together from.
#[derive(Default)]
struct Parts {
    base: Option<AssetRef>,
    files: Vec<(&'static str, AssetRef)>,
    entrypoint: Vec<&'static str>,
    command: Vec<&'static str>,
}

impl Parts {
    /// One program that the image starts.
    fn program(path: &'static str, asset: AssetRef) -> Self {
        Self { files: vec![(path, asset)], entrypoint: vec![path], ..Self::default() }
    }
}

/// Paths and entry points are those of the upstream images, so that upstream's manifests fit.
fn parts(set: &mut AssetSet, image: Image, release: &Release, selection: &Selection) -> Parts {
    let architecture = selection.architecture.as_str();
    let kubernetes = |set: &mut AssetSet, name| set.part(binaries::kubernetes(release, architecture, name));
    match image {
        Image::KubeApiserver => Parts::program("/usr/local/bin/kube-apiserver", kubernetes(set, "kube-apiserver")),
        Image::KubeControllerManager => {
            Parts::program("/usr/local/bin/kube-controller-manager", kubernetes(set, "kube-controller-manager"))
        }
        Image::KubeScheduler => Parts::program("/usr/local/bin/kube-scheduler", kubernetes(set, "kube-scheduler")),
        Image::KubeProxy => Parts {
            base: Some(set.part(network_layer(architecture))),
            ..Parts::program("/usr/local/bin/kube-proxy", kubernetes(set, "kube-proxy"))
        },
        Image::Etcd => etcd(set, release, architecture),
        Image::CoreDns => Parts::program("/coredns", set.part(binaries::coredns(architecture))),
        Image::Pause => {
            Parts::program("/pause", set.part(binaries::own("pause", "pause", architecture, &selection.sources.pause)))
        }
        Image::Flannel => flannel(set, release, architecture),
        Image::MetricsServer => {
            Parts::program("/metrics-server", set.part(binaries::metrics_server(release, architecture)))
        }
        Image::LocalPathProvisioner => {
            let program = set.part(binaries::local_path_provisioner(release, architecture));
            Parts::program("/usr/bin/local-path-provisioner", program)
        }
        Image::Busybox => {
            Parts { base: Some(set.part(busybox_layer(architecture))), command: vec!["/bin/sh"], ..Parts::default() }
        }
        Image::Agnhost => Parts {
            base: Some(set.part(busybox_layer(architecture))),
            command: vec!["pause"],
            ..Parts::program("/agnhost", set.part(binaries::agnhost(release, architecture)))
        },
    }
}

fn etcd(set: &mut AssetSet, release: &Release, architecture: &str) -> Parts {
    let files = vec![
        ("/usr/local/bin/etcd", set.part(binaries::etcd(release, architecture, "etcd"))),
        ("/usr/local/bin/etcdctl", binaries::etcd(release, architecture, names::ETCDCTL).reference().clone()),
        ("/usr/local/bin/etcdutl", binaries::etcd(release, architecture, names::ETCDUTL).reference().clone()),
    ];
    Parts { files, entrypoint: vec!["/usr/local/bin/etcd"], ..Parts::default() }
}

fn flannel(set: &mut AssetSet, release: &Release, architecture: &str) -> Parts {
    let files = vec![
        ("/opt/bin/flanneld", set.part(binaries::flanneld(release, architecture))),
        ("/flannel", binaries::flannel_cni(release, architecture).reference().clone()),
    ];
    Parts {
        base: Some(set.part(network_layer(architecture))),
        files,
        entrypoint: vec!["/opt/bin/flanneld"],
        ..Parts::default()
    }
}
