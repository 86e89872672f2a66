//! Where stories keep what takes long to make, outside any checkout: a shortcut, and never more than that.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why something cannot be made here.
pub(crate) struct Missing(pub(crate) String);

/// A place in it, which nobody else fills while this is held.
pub(crate) struct Place {
    /// The directory.
    pub(crate) path: PathBuf,
    _lock: File,
}

impl Place {
    /// The place of this name; waits for whoever fills it.
    pub(crate) fn take(name: &str) -> Self {
        let path = caches().join("kubewright-tests").join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        let lock = File::create(path.join("lock")).expect("a file");
        lock.lock().expect("nobody else makes it");
        Self { path, _lock: lock }
    }
}

/// Where the user who runs the tests has caches.
fn caches() -> PathBuf {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).expect("a home")
}

/// Makes a cache of hard links to what is in kubewright's own, but for one asset, in the directory `home`.
pub(crate) fn copy_without(asset: &str, home: &Path) {
    let (from, to) = (caches().join("kubewright"), home.join("kubewright"));
    std::fs::create_dir_all(&to).expect("a directory");
    for part in ["manifests", "objects", "refs", "trees"] {
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--link"]).arg(from.join(part)).arg(&to);
        assert!(copy.status().expect("cp starts").success(), "{part} of the cache is copied");
    }
    let refs = std::fs::read_dir(to.join("refs")).expect("a directory").map(|entry| entry.expect("a file").path());
    let is_of_asset = |path: &PathBuf| path.file_name().is_some_and(|name| is_of(asset, &name.to_string_lossy()));
    let gone = refs.filter(is_of_asset).map(|path| std::fs::remove_file(path).expect("it is removed")).count();
    assert!(gone > 0, "{asset} was in the cache");
}

fn is_of(asset: &str, reference: &str) -> bool {
    reference.split_once('@').is_some_and(|(name, _)| name == asset)
}
