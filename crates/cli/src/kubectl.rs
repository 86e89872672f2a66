//! Puts kubectl of the cluster's version beside this program, unless somebody else's stands there.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use catalog::names;
use engine::AssetFiles as _;
use fs_err as fs;
use model::Resolved;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::app::App;

/// The file beside kubectl that says which one was put there.
const RECORD: &str = ".kubectl.kubewright";

/// Copies kubectl from the cache beside this program; `None` where it can't be put, or somebody else's is there.
pub(crate) fn beside(app: &App, resolved: &Resolved) -> Option<PathBuf> {
    let asset = app.cache.path(&resolved.assets.asset_ref(names::KUBECTL)?).ok()?;
    let place = std::env::current_exe().ok()?.with_file_name("kubectl");
    put(&asset, &place).ok()?.then_some(place)
}

/// What was put beside this program, as it was then: whoever writes to it or replaces it makes it theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Name of the file in the cache, which is its digest.
    asset: String,
    device: u64,
    inode: u64,
    size: u64,
    /// When content, owner or mode were last changed, in nanoseconds; nobody can set this back.
    changed: i64,
}

impl Record {
    fn of(asset: &Path, there: &std::fs::Metadata) -> Self {
        Self {
            asset: asset.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            device: there.dev(),
            inode: there.ino(),
            size: there.len(),
            changed: there.ctime() * 1_000_000_000 + there.ctime_nsec(),
        }
    }

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

/// Makes `place` a copy of `asset`, and says whether it is one now. A kubectl that we did not put there stays.
///
/// It is a copy of its own (on file systems that can, one that shares its blocks until somebody writes): through another name
/// of the same file, writing to it would spoil the cache.
fn put(asset: &Path, place: &Path) -> io::Result<bool> {
    let record = place.with_file_name(RECORD);
    let there = std::fs::symlink_metadata(place).ok();
    if let Some(there) = &there {
        match Record::read(&record)
            .filter(|record| *record == Record { asset: record.asset.clone(), ..Record::of(asset, there) })
        {
            Some(put) if put == Record::of(asset, there) => return Ok(true),
            Some(_) => {}
            None if is_of_the_cache(asset, place, there) => {}
            None => return Ok(false),
        }
    }
    // Made beside and renamed: a kubectl that is being started meanwhile is the old one or the new one.
    let file = NamedTempFile::new_in(place.parent().unwrap_or(Path::new(".")))?;
    fs::copy(asset, file.path())?;
    fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o755))?;
    let persisted = if there.is_some() { file.persist(place) } else { file.persist_noclobber(place) };
    persisted.map_err(|error| error.error)?;
    let text = serde_json::to_string(&Record::of(asset, &std::fs::symlink_metadata(place)?))?;
    fs::write(record, text + "\n")?;
    Ok(true)
}

/// Whether it is another name of a file in the cache, as earlier releases put it there.
fn is_of_the_cache(asset: &Path, place: &Path, there: &std::fs::Metadata) -> bool {
    let Some(objects) = asset.parent() else { return false };
    if there.is_symlink() {
        return std::fs::read_link(place).is_ok_and(|link| link.starts_with(objects));
    }
    let is_the_same = |file: &std::fs::Metadata| (file.dev(), file.ino()) == (there.dev(), there.ino());
    there.nlink() > 1
        && std::fs::read_dir(objects)
            .is_ok_and(|entries| entries.flatten().any(|entry| entry.metadata().is_ok_and(|file| is_the_same(&file))))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory with two files of a cache, and the place beside a program.
    fn host() -> (tempfile::TempDir, PathBuf, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("objects")).unwrap();
        fs::create_dir(path("bin")).unwrap();
        fs::write(path("objects/0a"), "old").unwrap();
        fs::write(path("objects/0b"), "new").unwrap();
        let (old, new, place) = (path("objects/0a"), path("objects/0b"), path("bin/kubectl"));
        (directory, old, new, place)
    }

    #[test]
    fn it_outlives_the_cache_and_follows_another_version() {
        let (_directory, old, new, place) = host();
        assert!(put(&old, &place).unwrap() && put(&old, &place).unwrap());
        fs::remove_file(&old).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        assert!(put(&new, &place).unwrap());
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn writing_to_it_leaves_the_cache_alone_and_makes_it_the_writers() {
        let (_directory, old, new, place) = host();
        put(&old, &place).unwrap();
        fs::write(&place, "mine").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
        assert!(!put(&new, &place).unwrap());
        assert_eq!(fs::read_to_string(&place).unwrap(), "mine");
    }

    #[test]
    fn somebody_elses_stays() {
        let (directory, old, new, place) = host();
        fs::write(&place, "own").unwrap();
        assert!(!put(&old, &place).unwrap());
        assert_eq!(fs::read_to_string(&place).unwrap(), "own");
        fs::remove_file(&place).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        fs::write(&elsewhere, "own").unwrap();
        symlink(&elsewhere, &place).unwrap();
        assert!(!put(&new, &place).unwrap());
        assert_eq!(std::fs::read_link(&place).unwrap(), elsewhere);
    }

    #[test]
    fn one_that_was_moved_over_ours_stays() {
        let (directory, old, new, place) = host();
        put(&old, &place).unwrap();
        let own = directory.path().join("own");
        fs::write(&own, "own").unwrap();
        fs::rename(&own, &place).unwrap();
        assert!(!put(&new, &place).unwrap());
        assert_eq!(fs::read_to_string(&place).unwrap(), "own");
    }

    #[test]
    fn names_of_files_in_the_cache_become_copies() {
        let (_directory, old, new, place) = host();
        fs::hard_link(&old, &place).unwrap();
        assert!(put(&new, &place).unwrap());
        assert_eq!((fs::read_to_string(&place).unwrap(), fs::metadata(&old).unwrap().nlink()), ("new".to_owned(), 1));
        fs::remove_file(&place).unwrap();
        symlink(&old, &place).unwrap();
        assert!(put(&old, &place).unwrap());
        assert!(!std::fs::symlink_metadata(&place).unwrap().is_symlink());
    }
}
