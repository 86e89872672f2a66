//! The real programs of one minor, from the asset cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assets::AssetCache;
use catalog::{AssetSet, Release, Selection, SourceDigests, assets_for};

/// The programs of one Kubernetes minor.
pub(crate) struct Programs {
    cache: AssetCache,
    set: AssetSet,
    release: &'static Release,
}

impl Programs {
    /// Those of `minor` in the cache at `root`.
    pub(crate) fn open(root: &str, minor: &str) -> Self {
        let release = catalog::find(minor).unwrap();
        let cache = AssetCache::open(root);
        Self { cache, set: assets_for(release, &Selection::everything(SourceDigests::default())), release }
    }

    /// Their release.
    pub(crate) fn release(&self) -> &'static Release {
        self.release
    }

    /// Whether a program is in the cache.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.set.get(program).is_some_and(|spec| self.cache.find(spec.reference()).unwrap().is_some())
    }

    /// Where a program, or a tree of files, is.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        let version = self.release.kubernetes;
        let spec = self.set.get(program).unwrap_or_else(|| panic!("{version} has no asset {program}"));
        let cached = self.cache.find(spec.reference()).unwrap();
        let cached = cached.unwrap_or_else(|| panic!("not in the cache: {}", spec.asset_ref()));
        cached.path
    }

    /// Runs a program in an empty directory, to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[String], directory: &Path) -> Output {
        let mut command = Command::new("timeout");
        command.arg("60").arg(self.path(program)).args(arguments).current_dir(directory).env_clear();
        command.output().unwrap_or_else(|error| panic!("{program} does not start: {error}"))
    }

    /// Runs a program of the machine image on this host, with the image's own libraries.
    pub(crate) fn run_of_machine(&self, program: &str, arguments: &[&str]) -> Output {
        let root = self.path("rootfs");
        let libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib"].map(|path| root.join(path).display().to_string());
        let mut command = Command::new("timeout");
        command.arg("60").arg(root.join("usr/lib64/ld-linux-x86-64.so.2")).arg("--library-path");
        command.arg(libraries.join(":")).arg(root.join(program)).args(arguments).env_clear();
        command.output().unwrap_or_else(|error| panic!("{program} does not start: {error}"))
    }
}
