//! Recipes that take packages from the Debian archive.

use std::collections::BTreeMap;

use serde::Serialize;

/// The root file system of a machine, made by `mmdebstrap --variant=minbase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RootfsRecipe {
    /// Debian's name of the release, such as `trixie`.
    pub suite: String,
    /// Packages beyond the minimal base.
    pub packages: Vec<String>,
    /// Units that must not run in a machine.
    pub masked_units: Vec<String>,
    /// Raised when the builder changes what it puts into the tree.
    pub revision: u32,
}

/// An image layer (a tar) of extracted packages, made by `mmdebstrap --variant=extract`: no maintainer script runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerRecipe {
    /// Debian's name of the release, such as `trixie`.
    pub suite: String,
    /// Debian's name of the architecture, which is Go's too for those that are built.
    pub architecture: String,
    /// The packages; what they depend on comes with them.
    pub packages: Vec<String>,
    /// Symbolic links that maintainer scripts would have made: path to target.
    pub symlinks: BTreeMap<String, String>,
    /// Directories left out, such as `usr/share/doc`.
    pub excluded: Vec<String>,
    /// Raised when the builder changes what it puts into the layer.
    pub revision: u32,
}
