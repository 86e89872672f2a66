//! Where things are below the store's directory, and how they are written durably.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use engine::StoreError;
use fs_err as fs;

/// Places of one cluster.
pub(crate) struct Paths {
    pub(crate) cluster: PathBuf,
}

impl Paths {
    pub(crate) fn new(root: &Path, cluster: &str) -> Self {
        Self { cluster: root.join("clusters").join(cluster) }
    }

    pub(crate) fn head(&self) -> PathBuf {
        self.cluster.join("head.json")
    }

    /// The head that the present one has replaced.
    pub(crate) fn earlier_head(&self) -> PathBuf {
        self.cluster.join("head.previous.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.cluster.join("lock")
    }

    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.cluster.join("objects").join(key)
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.cluster.join("objects")
    }

    pub(crate) fn journals(&self) -> PathBuf {
        self.cluster.join("journals")
    }

    pub(crate) fn journal(&self, run: &str) -> PathBuf {
        self.journals().join(format!("{run}.jsonl"))
    }
}

/// Says what could not be done.
pub(crate) fn unusable(what: impl Into<String>) -> impl FnOnce(io::Error) -> StoreError {
    let what = what.into();
    move |source| StoreError::Unusable { what, source }
}

/// Makes a directory that only its owner may enter, with its parents.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}

/// Writes a file so that after a crash either the old or the new content is there, never a part.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let directory = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    make_private_directory(directory)?;
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.options_mut().mode(0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path)).and_then(|()| sync_directory(directory));
    if renamed.is_err() {
        // What is half written must not lie around; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

/// Makes renames and new names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}
