//! What local machines boot from.

use super::{AssetSet, Selection};
use crate::asset::AssetSpec;
use crate::debian::machine_rootfs;
use crate::names;
use crate::recipe::{ImageStoreRecipe, Recipe};

/// Raised when the image store builder changes what it puts into a store.
const IMAGE_STORE_REVISION: u32 = 1;

/// Adds the root file system and the image store. Binaries and images must be there already.
pub(super) fn add(set: &mut AssetSet, selection: &Selection) {
    set.want(machine_rootfs());
    let reference = |name: &str| set.get(name).map(|spec| spec.reference().clone());
    let images = selection.warm_images().into_iter().filter_map(|image| reference(image.asset())).collect();
    let (Some(containerd), Some(ctr)) = (reference(names::CONTAINERD), reference(names::CTR)) else {
        return;
    };
    let recipe =
        ImageStoreRecipe { images, containerd, ctr, snapshotter: "overlayfs".into(), revision: IMAGE_STORE_REVISION };
    set.want(AssetSpec::new(names::IMAGE_STORE, Recipe::ImageStore(recipe)));
}
