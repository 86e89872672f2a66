//! The recipe of a container image put together from static programs and, where needed, a layer of Debian packages.

use serde::Serialize;

use crate::asset::AssetRef;

/// A container image as an archive that `ctr images import` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecipe {
    /// Its full name, such as `registry.k8s.io/pause:3.10.2`.
    pub name: String,
    /// Go's name of the architecture.
    pub architecture: String,
    /// The layer below.
    pub base: Option<AssetRef>,
    /// Files on top of it.
    pub files: Vec<ImageFile>,
    /// The image's entry point.
    pub entrypoint: Vec<String>,
    /// Arguments of the entry point when the pod gives none.
    pub command: Vec<String>,
    /// The user that it runs as, when not root.
    pub user: Option<String>,
    /// Raised when the builder changes what it puts into an image.
    pub revision: u32,
}

/// One program in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageFile {
    /// Its absolute path in the image.
    pub path: String,
    /// Where its content comes from.
    pub asset: AssetRef,
}
