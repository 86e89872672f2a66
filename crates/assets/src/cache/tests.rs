//! The cache: what comes back, what damage does, what two processes do to each other.

use catalog::AssetSpec;
use catalog::recipe::{Recipe, TreeRecipe};
use tempfile::TempDir;

use super::*;

fn reference(name: &str) -> AssetRef {
    AssetSpec::new(name, Recipe::Tree(TreeRecipe { entries: Vec::new() })).reference().clone()
}

fn cache() -> (TempDir, AssetCache) {
    let directory = TempDir::new().unwrap();
    let cache = AssetCache::open(directory.path().join("cache"));
    (directory, cache)
}

fn insert_file(cache: &AssetCache, name: &str, content: &str) -> CachedAsset {
    let scratch = cache.scratch().unwrap();
    let made = scratch.path().join("made");
    fs::write(&made, content).unwrap();
    let measured = AssetCache::measure(AssetKind::File, &made).unwrap();
    cache.insert(&reference(name), &made, measured).unwrap()
}

fn insert_tree(cache: &AssetCache, name: &str) -> CachedAsset {
    let scratch = cache.scratch().unwrap();
    let made = scratch.path().join("made");
    fs::create_dir_all(made.join("sub")).unwrap();
    fs::write(made.join("sub/file with space"), "content").unwrap();
    std::os::unix::fs::symlink("sub", made.join("link")).unwrap();
    let measured = AssetCache::measure(AssetKind::Tree, &made).unwrap();
    cache.insert(&reference(name), &made, measured).unwrap()
}

/// Changes a read-only file behind the cache's back.
fn tamper(path: &Path, content: &str) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_file_is_found_under_its_digest() {
    let (_directory, cache) = cache();
    let asset = insert_file(&cache, "kubelet", "program");
    let name = reference("kubelet").to_string();
    assert_eq!(AssetFiles::path(&cache, &name).unwrap(), asset.path);
    assert_eq!(AssetFiles::sha256(&cache, &name).unwrap(), asset.record.sha256);
    assert!(asset.path.ends_with(&asset.record.sha256));
}

#[test]
fn an_asset_that_was_never_made_is_missing() {
    let (_directory, cache) = cache();
    assert_eq!(cache.find(&reference("kubelet")).unwrap(), None);
    assert!(AssetFiles::path(&cache, "not a reference").is_err());
}

#[test]
fn equal_content_is_kept_once() {
    let (_directory, cache) = cache();
    assert_eq!(insert_file(&cache, "one", "same").path, insert_file(&cache, "two", "same").path);
    assert_eq!(cache.list().unwrap().len(), 2);
}

#[test]
fn damage_is_reported_with_both_digests_and_moved_out_of_the_way() {
    let (_directory, cache) = cache();
    let asset = insert_file(&cache, "kubelet", "program");
    tamper(&asset.path, "PROGRAM");
    let error = cache.find(&reference("kubelet")).unwrap_err();
    let AssetError::Damaged { expected, found, moved_to, .. } = &error else { panic!("{error}") };
    assert_eq!(expected, &asset.record.sha256);
    assert_ne!(found, expected);
    assert_eq!(fs::read_to_string(moved_to.as_ref().unwrap()).unwrap(), "PROGRAM");
    assert_eq!(cache.find(&reference("kubelet")).unwrap(), None, "it can be made again");
}

#[test]
fn a_touched_file_is_rehashed_once_and_trusted_again() {
    let (_directory, cache) = cache();
    let asset = insert_file(&cache, "kubelet", "program");
    tamper(&asset.path, "program");
    let found = cache.find(&reference("kubelet")).unwrap().unwrap();
    assert_ne!(found.record.modified, asset.record.modified);
    assert!(record::matches(&found.path, &found.record));
}

#[test]
fn only_a_deep_check_sees_a_change_that_kept_size_and_time() {
    let (_directory, cache) = cache();
    let asset = insert_file(&cache, "kubelet", "program");
    let time = fs::metadata(&asset.path).unwrap().modified().unwrap();
    tamper(&asset.path, "PROGRAM");
    fs::File::open(&asset.path).unwrap().into_parts().0.set_modified(time).unwrap();
    assert!(cache.find(&reference("kubelet")).unwrap().is_some());
    assert!(matches!(cache.verify(&reference("kubelet")), Err(AssetError::Damaged { .. })));
}

#[test]
fn a_tree_has_one_digest_for_all_of_it() {
    let (_directory, cache) = cache();
    let asset = insert_tree(&cache, "rootfs");
    assert_eq!(asset.record.size, 7);
    assert!(cache.verify(&reference("rootfs")).unwrap().is_some());
    fs::write(asset.path.join("sub/file with space"), "CONTENT").unwrap();
    assert!(matches!(cache.verify(&reference("rootfs")), Err(AssetError::Damaged { .. })));
}

#[test]
fn the_same_tree_made_twice_has_the_same_digest() {
    let (_directory, cache) = cache();
    let first = insert_tree(&cache, "rootfs");
    let second = insert_tree(&cache, "rootfs");
    assert_eq!(first.record.sha256, second.record.sha256);
}

#[test]
fn content_that_was_removed_by_hand_counts_as_missing() {
    let (_directory, cache) = cache();
    let asset = insert_file(&cache, "kubelet", "program");
    fs::remove_file(&asset.path).unwrap();
    assert_eq!(cache.find(&reference("kubelet")).unwrap(), None);
    assert!(cache.list().unwrap().is_empty());
}
