//! Where stories keep what takes long to make, outside any checkout: a shortcut, and never more than that.

use std::fs::File;
use std::path::PathBuf;

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
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).expect("a home");
        let path = cache.join("kubewright-tests").join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        let lock = File::create(path.join("lock")).expect("a file");
        lock.lock().expect("nobody else makes it");
        Self { path, _lock: lock }
    }
}
