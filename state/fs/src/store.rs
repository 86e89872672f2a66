//! The store itself.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use engine::{JournalWriter, Lease, LockInfo, StateStore, StoreError, Version};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::fence::{self, Under};
use crate::journal::{self, FsJournal};
use crate::leases::Leases;
use crate::lock;
use crate::paths::{
    Paths, if_there, is_temporary, keep_as, make_private_directory, unusable, write_durably, write_new_durably,
};

/// State kept below one directory of a local file system.
#[derive(Debug, Clone)]
pub struct FsStore {
    root: PathBuf,
    leases: Leases,
}

impl FsStore {
    /// A store below `root`, which is made (mode 0700) on first use.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), leases: Leases::default() }
    }

    fn paths(&self, cluster: &str) -> Paths {
        Paths::new(&self.root, cluster)
    }
}

/// Names below a directory, relative to it, sorted; nothing when it does not exist.
fn walk(root: &Path, directory: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in if_there(fs::read_dir(directory))?.into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, found)?;
        } else if !is_temporary(&path)
            && let Ok(relative) = path.strip_prefix(root)
        {
            found.push(relative.to_string_lossy().into_owned());
        }
    }
    found.sort_unstable();
    Ok(())
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    if_there(fs::read(path)).map_err(unusable(format!("read {}", path.display())))
}

fn version_of(bytes: &[u8]) -> Version {
    Version(hex::encode(Sha256::digest(bytes)))
}

/// Whether a cluster's directory has a head. One that may not be looked into counts: whoever reads it is told why.
fn has_head(cluster: &Path) -> bool {
    let looked = fs::symlink_metadata(cluster.join("head.json"));
    !looked.is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

#[async_trait]
impl StateStore for FsStore {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    fn earlier_head(&self, cluster: &str) -> Option<String> {
        let path = self.paths(cluster).earlier_head();
        path.exists().then(|| path.display().to_string())
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        let directory = self.root.join("clusters");
        let entries = if_there(fs::read_dir(&directory)).map_err(unusable("list the clusters"))?;
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| has_head(&entry.path()))
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        Ok(read_if_there(&self.paths(cluster).head())?.map(|bytes| {
            let version = version_of(&bytes);
            (bytes, version)
        }))
    }

    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        let (paths, lease) = (self.paths(cluster), self.leases.of(cluster));
        let _fence = fence::alone(&paths, lease.as_deref())?;
        let current = read_if_there(&paths.head())?;
        if let (Some(current), Some(lease)) = (&current, &lease)
            && lock::epoch_of(current) > lease.epoch()
        {
            return Err(StoreError::LeaseLost);
        }
        if current.map(|bytes| version_of(&bytes)).as_ref() != expected {
            return Err(StoreError::Conflict);
        }
        // There is one to go back to when a disk or an editor damages the head.
        keep_as(&paths.head(), &paths.earlier_head())
            .map_err(unusable(format!("keep {}", paths.earlier_head().display())))?;
        write_durably(&paths.head(), head).map_err(unusable(format!("write {}", paths.head().display())))?;
        Ok(version_of(head))
    }

    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (paths, lease) = (self.paths(cluster), self.leases.of(cluster));
        let fence = fence::shared(&paths, lease.as_deref())?;
        let path = paths.object(key);
        let mut present = read_if_there(&path)?;
        if present.is_none() {
            let (place, content) = (path.clone(), bytes.to_vec());
            // The fence is opened also when nobody waits for the end any more.
            let write = move || {
                let _fence = fence;
                write_new_durably(&place, &content)
            };
            let written = tokio::task::spawn_blocking(write).await;
            let what = format!("write {}", path.display());
            if written.map_err(std::io::Error::other).flatten().map_err(unusable(what))? {
                return Ok(());
            }
            // Somebody else was faster.
            present = read_if_there(&path)?;
        }
        if present.as_deref() == Some(bytes) { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read_if_there(&self.paths(cluster).object(key))
    }

    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let root = self.paths(cluster).objects();
        let mut found = Vec::new();
        walk(&root, &root, &mut found).map_err(unusable("list objects"))?;
        found.retain(|key| key.starts_with(prefix));
        Ok(found)
    }

    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        let (paths, lease) = (self.paths(cluster), self.leases.of(cluster));
        let _fence = fence::shared(&paths, lease.as_deref())?;
        let removed = if_there(fs::remove_file(paths.object(key)));
        removed.map(drop).map_err(unusable(format!("delete {key}")))
    }

    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        let paths = self.paths(cluster);
        make_private_directory(&paths.cluster).map_err(unusable(format!("create {}", paths.cluster.display())))?;
        let lease = Arc::new(lock::lock(&paths, info, epoch)?);
        self.leases.add(cluster, &lease);
        Ok(lease)
    }

    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        lock::break_lock(&self.paths(cluster))
    }

    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        let under = Under::of(self.leases.of(cluster).as_ref());
        Ok(Arc::new(FsJournal::create(self.paths(cluster), run, under)?))
    }

    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        journal::read(&self.paths(cluster).journal(run))
    }

    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        journal::list(&self.paths(cluster).journals())
    }

    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        let (paths, lease) = (self.paths(cluster), self.leases.of(cluster));
        let _fence = fence::shared(&paths, lease.as_deref())?;
        let removed = if_there(fs::remove_file(paths.journal(run)));
        removed.map(drop).map_err(unusable(format!("delete the journal of run {run}")))
    }

    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        let (paths, lease) = (self.paths(cluster), self.leases.of(cluster));
        let _fence = fence::alone(&paths, lease.as_deref())?;
        let unread = unusable(format!("read {}", paths.cluster.display()));
        let entries = if_there(fs::read_dir(&paths.cluster)).map_err(unread)?;
        let all = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let others = all.filter(|path| *path != paths.head() && *path != paths.lock());
        for path in others.chain([paths.head(), paths.cluster.clone()]) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if_there(removed).map_err(unusable(format!("remove {}", path.display())))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use testkit::conformance::lock_info;

    use super::*;

    fn store() -> (tempfile::TempDir, FsStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = FsStore::new(directory.path().join("state"));
        (directory, store)
    }

    #[tokio::test]
    async fn a_head_is_swapped_only_from_what_was_read() {
        let (_guard, store) = store();
        let first = store.swap_head("demo", None, b"1").await.unwrap();
        assert!(matches!(store.swap_head("demo", None, b"2").await, Err(StoreError::Conflict)));
        let second = store.swap_head("demo", Some(&first), b"2").await.unwrap();
        assert_eq!(store.head("demo").await.unwrap(), Some((b"2".to_vec(), second)));
        assert_eq!(store.clusters().await.unwrap(), ["demo"]);
    }

    #[tokio::test]
    async fn a_cluster_whose_head_cannot_be_read_is_listed_and_hides_no_other() {
        let (_guard, store) = store();
        store.swap_head("demo", None, b"1").await.unwrap();
        let clusters = store.root.join("clusters");
        std::fs::create_dir(clusters.join("looped")).unwrap();
        std::os::unix::fs::symlink("head.json", clusters.join("looped/head.json")).unwrap();
        std::fs::create_dir(clusters.join("empty")).unwrap();
        std::fs::write(clusters.join("stray"), "").unwrap();
        assert_eq!(store.clusters().await.unwrap(), ["demo", "looped"]);
        assert!(matches!(store.head("looped").await, Err(StoreError::Unusable { .. })));
    }

    #[tokio::test]
    async fn objects_are_immutable_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, store) = store();
        store.put("demo", "secrets/a", b"x").await.unwrap();
        store.put("demo", "secrets/a", b"x").await.unwrap();
        assert!(matches!(store.put("demo", "secrets/a", b"y").await, Err(StoreError::Conflict)));
        assert_eq!(store.list("demo", "secrets/").await.unwrap(), ["secrets/a"]);
        let path = store.paths("demo").object("secrets/a");
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_second_lock_names_the_first_holder_and_epochs_rise() {
        let (_guard, store) = store();
        let lease = store.lock("demo", lock_info("one")).await.unwrap();
        match store.lock("demo", lock_info("two")).await {
            Err(StoreError::Locked(holder)) => assert_eq!(holder.id, "one"),
            other => panic!("{:?}", other.map(|lease| lease.epoch())),
        }
        assert_eq!(lease.epoch(), 1);
        drop(lease);
        assert_eq!(store.lock("demo", lock_info("two")).await.unwrap().epoch(), 2);
    }

    #[tokio::test]
    async fn a_torn_last_record_is_left_out() {
        let (_guard, store) = store();
        let journal = store.create_journal("demo", "r1").await.unwrap();
        journal.append(&["one".to_owned(), "two".to_owned()]).await.unwrap();
        let path = store.paths("demo").journal("r1");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("thr");
        std::fs::write(&path, text).unwrap();
        assert_eq!(store.read_journal("demo", "r1").await.unwrap(), ["one", "two"]);
    }

    #[tokio::test]
    async fn journals_are_listed_in_their_order_and_deleted_one_by_one() {
        let (_guard, store) = store();
        assert!(store.journals("demo").await.unwrap().is_empty());
        for run in ["20260102T000000Z-b", "20260101T000000Z-a"] {
            store.create_journal("demo", run).await.unwrap();
        }
        assert_eq!(store.journals("demo").await.unwrap(), ["20260101T000000Z-a", "20260102T000000Z-b"]);
        store.delete_journal("demo", "20260101T000000Z-a").await.unwrap();
        store.delete_journal("demo", "20260101T000000Z-a").await.unwrap();
        assert_eq!(store.journals("demo").await.unwrap(), ["20260102T000000Z-b"]);
    }

    #[tokio::test]
    async fn a_removed_cluster_leaves_nothing() {
        let (_guard, store) = store();
        store.swap_head("demo", None, b"1").await.unwrap();
        store.put("demo", "a/b", b"x").await.unwrap();
        store.remove("demo").await.unwrap();
        store.remove("demo").await.unwrap();
        assert!(store.clusters().await.unwrap().is_empty());
        assert!(!store.paths("demo").cluster.exists());
    }
}
