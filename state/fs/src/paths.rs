//! Where things are below the store's directory, and how they are written durably.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use engine::StoreError;
use fs_err as fs;

/// Places of one cluster.
#[derive(Clone)]
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

/// What was done, or `None` when there was nothing to do it with.
pub(crate) fn if_there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        done => done.map(Some),
    }
}

/// Makes a directory that only its owner may enter, with its parents.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}

/// How the names of files begin that are being written; no key begins so.
const TEMPORARY: &str = ".tmp-";

/// Whether a file is one that a crash left half written.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

/// Writes a file so that after a crash either the old or the new content is there, never a part.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_beside(path, bytes, |temporary| fs::rename(temporary, path))
}

/// How a file gets another name.
type Link = fn(&Path, &Path) -> io::Result<()>;

fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

/// The same for a file that must not be there yet; false when it is.
pub(crate) fn write_new_durably(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    write_new_with(link, path, bytes)
}

fn write_new_with(link: Link, path: &Path, bytes: &[u8]) -> io::Result<bool> {
    // A link, unlike a rename, does not replace.
    let written = write_beside(path, bytes, |temporary| match link(temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => rename_to_new(temporary, path),
        linked => {
            fs::remove_file(temporary)?;
            linked
        }
    });
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        written => written.map(|()| true),
    }
}

/// Renames where nothing is, on file systems without links (vfat, many network ones): whoever does it locks first.
fn rename_to_new(temporary: &Path, path: &Path) -> io::Result<()> {
    let turn = path.with_file_name(format!("{TEMPORARY}turn"));
    let turn = fs::OpenOptions::new().write(true).create(true).truncate(false).open(turn)?;
    rustix::fs::flock(turn.file(), rustix::fs::FlockOperation::LockExclusive)?;
    if path.try_exists()? { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(temporary, path) }
}

/// Gives a file that may be missing a second name, or copies it where there are no links.
pub(crate) fn keep_as(path: &Path, other: &Path) -> io::Result<()> {
    keep_with(link, path, other)
}

fn keep_with(link: Link, path: &Path, other: &Path) -> io::Result<()> {
    if_there(fs::remove_file(other))?;
    if link(path, other).is_ok() {
        return Ok(());
    }
    if_there(fs::read(path))?.map_or(Ok(()), |bytes| write_durably(other, &bytes))
}

fn write_beside(path: &Path, bytes: &[u8], place: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    /// Tells writes of this process apart; its id tells it from others.
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let directory = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    make_private_directory(directory)?;
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.options_mut().mode(0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| place(&temporary)).and_then(|()| sync_directory(directory));
    if placed.is_err() {
        // What is half written must not lie around; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    placed
}

/// Makes renames and new names in a directory durable; on file systems where only files can be synced, they see to it.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    match fs::File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As on vfat.
    fn no_links(_: &Path, _: &Path) -> io::Result<()> {
        Err(rustix::io::Errno::PERM.into())
    }

    #[test]
    fn without_links_one_of_several_writers_makes_a_file_and_nothing_else_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("object");
        let write = |number: u8| write_new_with(no_links, &path, &[number]).unwrap();
        let won = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|number| (number, scope.spawn(move || write(number)))).collect();
            let ended = writers.into_iter().map(|(number, writer)| (number, writer.join().unwrap()));
            ended.filter_map(|(number, won)| won.then_some(number)).collect::<Vec<u8>>()
        });
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(std::fs::read(&path).unwrap(), won);
        let left = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        assert!(left.filter(|left| *left != path).all(|left| left.ends_with(".tmp-turn")));
    }

    #[test]
    fn without_links_the_earlier_head_is_a_copy() {
        let directory = tempfile::tempdir().unwrap();
        let (head, earlier) = (directory.path().join("head"), directory.path().join("earlier"));
        keep_with(no_links, &head, &earlier).unwrap();
        assert!(!earlier.exists());
        for text in ["1", "2"] {
            std::fs::write(&head, text).unwrap();
            keep_with(no_links, &head, &earlier).unwrap();
            assert_eq!(std::fs::read_to_string(&earlier).unwrap(), text);
        }
    }
}
