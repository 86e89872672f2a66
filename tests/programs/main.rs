//! Puts real programs from the asset cache into a directory, under the names that they are called by.
//!
//! `programs DIR MINOR CACHE`: for tests of crates that know neither the catalog nor the cache, which `cargo xtask test` runs.

use std::path::Path;

use assets::AssetCache;
use catalog::{Selection, SourceDigests, assets_for};

/// What these tests start.
const PROGRAMS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubeadm"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, minor, cache] = arguments.as_slice() else { panic!("programs DIR MINOR CACHE") };
    let release = catalog::find(minor).expect("a minor of the catalog");
    let set = assets_for(release, &Selection::everything(SourceDigests::default()));
    let cache = AssetCache::open(cache);
    for name in PROGRAMS {
        let asset = set.get(name).unwrap_or_else(|| panic!("{minor} has no asset {name}"));
        let cached = cache.find(asset.reference()).expect("the cache can be read");
        let cached = cached.unwrap_or_else(|| panic!("not in the cache: {}", asset.asset_ref()));
        std::os::unix::fs::symlink(&cached.path, Path::new(directory).join(name)).expect("a link");
    }
}
