//! The assets of one cluster: what a release and a selection need, and how each is made.

mod binaries;
mod images;
mod machines;
mod upstream;

use std::collections::BTreeMap;

use crate::asset::{AssetRef, AssetSpec};
use crate::recipe::Recipe;
use crate::{Image, Release, names};

/// The pod network, as far as assets go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cni {
    /// flannel: its image, and its CNI plugin beside the others.
    #[default]
    Flannel,
    /// Another one, whose images the machines fetch themselves.
    Other,
}

/// SHA-256 digests (hex) over the sources of this project's own programs, given by whoever can read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceDigests {
    /// Of `kubewright-agent`.
    pub agent: String,
    /// Of `pause`.
    pub pause: String,
}

/// What a cluster needs beyond Kubernetes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Go's name of the machines' architecture.
    pub architecture: String,
    /// The pod network.
    pub cni: Cni,
    /// With metrics-server.
    pub metrics_server: bool,
    /// With local-path-provisioner and its helper image.
    pub local_path_provisioner: bool,
    /// With agnhost, the test workload.
    pub agnhost: bool,
    /// With what machines boot from: a root file system and a warm image store.
    pub machine_image: bool,
    /// Sources of our own programs.
    pub sources: SourceDigests,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            architecture: "amd64".into(),
            cni: Cni::default(),
            metrics_server: true,
            local_path_provisioner: true,
            agnhost: false,
            machine_image: true,
            sources: SourceDigests::default(),
        }
    }
}

impl Selection {
    /// Everything there is, test workload included.
    pub fn everything(sources: SourceDigests) -> Self {
        Self { agnhost: true, sources, ..Self::default() }
    }

    /// The images that the cluster's machines must have, be it from their birth or loaded later.
    pub fn images(&self) -> Vec<Image> {
        let selected = |image: &Image| match image {
            Image::Flannel => self.cni == Cni::Flannel,
            Image::MetricsServer => self.metrics_server,
            Image::LocalPathProvisioner => self.local_path_provisioner,
            Image::Busybox => self.local_path_provisioner || self.agnhost,
            Image::Agnhost => self.agnhost,
            _ => true,
        };
        Image::ALL.into_iter().filter(selected).collect()
    }

    /// Those of them that are in every local machine's image store from its birth. It is shared by all local clusters, and
    /// does not depend on which addons are switched on: that must not make new machines.
    pub fn warm_images(&self) -> Vec<Image> {
        self.images().into_iter().filter(|image| !image.is_loaded()).collect()
    }
}

/// The assets of one cluster: the wanted ones, and those that they are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetSet {
    /// By name.
    specs: BTreeMap<String, AssetSpec>,
    /// Names, inputs before what is made from them.
    order: Vec<String>,
    /// Names of what machines and operators use.
    wanted: Vec<String>,
}

/// The assets that `selection` on `release` needs.
pub fn assets_for(release: &Release, selection: &Selection) -> AssetSet {
    let mut set = AssetSet { specs: BTreeMap::new(), order: Vec::new(), wanted: Vec::new() };
    binaries::add(&mut set, release, selection);
    images::add(&mut set, release, selection);
    if selection.machine_image {
        machines::add(&mut set, selection);
    }
    set
}

impl AssetSet {
    /// The asset called `name`.
    pub fn get(&self, name: &str) -> Option<&AssetSpec> {
        self.specs.get(name)
    }

    /// The reference of the asset called `name`, as text.
    pub fn asset_ref(&self, name: &str) -> Option<String> {
        self.get(name).map(AssetSpec::asset_ref)
    }

    /// All assets, inputs before what is made from them.
    pub fn specs(&self) -> impl Iterator<Item = &AssetSpec> {
        self.order.iter().filter_map(|name| self.specs.get(name))
    }

    /// The assets that machines and operators use, without those only used to make others.
    pub fn wanted(&self) -> impl Iterator<Item = &AssetSpec> {
        self.wanted.iter().filter_map(|name| self.specs.get(name))
    }

    /// Whether making the asset again gives the same content. What comes out of the Debian archive changes with it.
    pub fn is_reproducible(&self, spec: &AssetSpec) -> bool {
        match spec.recipe() {
            Recipe::Layer(_) | Recipe::Rootfs(_) | Recipe::ImageStore(_) => false,
            recipe => recipe
                .inputs()
                .iter()
                .filter_map(|input| self.get(input.name()))
                .all(|input| self.is_reproducible(input)),
        }
    }

    /// The same set, wanting only these; names that are not in it are left out.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.wanted =
            names.iter().filter(|name| self.specs.contains_key(**name)).map(|&name| name.to_owned()).collect();
        self
    }

    /// Adds an asset that machines or operators use.
    fn want(&mut self, spec: AssetSpec) -> AssetRef {
        self.wanted.push(spec.name().to_owned());
        self.part(spec)
    }

    /// Adds an asset that others are made from.
    fn part(&mut self, spec: AssetSpec) -> AssetRef {
        let reference = spec.reference().clone();
        if self.specs.insert(spec.name().to_owned(), spec).is_none() {
            self.order.push(reference.name().to_owned());
        }
        reference
    }
}

/// The kubectl of a release, the one asset that an operator's machine needs by itself.
pub fn kubectl(release: &Release, architecture: &str) -> AssetSpec {
    binaries::kubernetes(release, architecture, names::KUBECTL)
}

#[cfg(test)]
mod tests;
