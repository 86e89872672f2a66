//! The recipe of a containerd root that already holds images, so that a machine needs to import nothing.

use serde::Serialize;

use crate::asset::AssetRef;

/// A containerd root with unpacked, pinned images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageStoreRecipe {
    /// The images, as OCI archives.
    pub images: Vec<AssetRef>,
    /// The containerd that imports them (and will use the store).
    pub containerd: AssetRef,
    /// Its client.
    pub ctr: AssetRef,
    /// The snapshotter the images are unpacked for, such as `overlayfs`.
    pub snapshotter: String,
    /// Raised when the builder changes what it puts into the store.
    pub revision: u32,
}
