//! How an asset is made: everything that determines its content, and the digest over it.

pub mod cargo;
pub mod debian;
pub mod go;
pub mod image;
pub mod image_store;
pub mod tree;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use cargo::CargoRecipe;
pub use debian::{LayerRecipe, RootfsRecipe};
pub use go::{GoModule, GoRecipe};
pub use image::{ImageFile, ImageRecipe};
pub use image_store::ImageStoreRecipe;
pub use tree::{TreeEntry, TreeRecipe};

use crate::asset::{AssetKind, AssetRef};

/// How an asset is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Recipe {
    /// A program built from a Go module.
    Go(GoRecipe),
    /// A program built from this project's own sources.
    Cargo(CargoRecipe),
    /// A directory put together from other assets.
    Tree(TreeRecipe),
    /// An image layer of Debian packages.
    Layer(LayerRecipe),
    /// A container image put together from other assets.
    Image(ImageRecipe),
    /// The root file system of a machine.
    Rootfs(RootfsRecipe),
    /// A containerd root that already holds images.
    ImageStore(ImageStoreRecipe),
}

impl Recipe {
    /// SHA-256 of the canonical JSON of everything that determines the content, hex.
    pub fn digest(&self) -> String {
        // A recipe holds only strings, numbers, lists and string-keyed maps, which always serialise.
        let json = serde_json::to_value(self).unwrap_or_default();
        hex::encode(Sha256::digest(json.to_string()))
    }

    /// Whether it makes a file or a directory.
    pub fn kind(&self) -> AssetKind {
        match self {
            Self::Go(_) | Self::Cargo(_) | Self::Layer(_) | Self::Image(_) => AssetKind::File,
            Self::Tree(_) | Self::Rootfs(_) | Self::ImageStore(_) => AssetKind::Tree,
        }
    }

    /// The assets it is made from.
    pub fn inputs(&self) -> Vec<&AssetRef> {
        match self {
            Self::Go(_) | Self::Cargo(_) | Self::Layer(_) | Self::Rootfs(_) => Vec::new(),
            Self::Tree(recipe) => recipe.entries.iter().map(|entry| &entry.asset).collect(),
            Self::Image(recipe) => recipe.base.iter().chain(recipe.files.iter().map(|file| &file.asset)).collect(),
            Self::ImageStore(recipe) => [&recipe.containerd, &recipe.ctr].into_iter().chain(&recipe.images).collect(),
        }
    }
}
