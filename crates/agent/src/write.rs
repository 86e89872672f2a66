//! Files put in place atomically and durably, many at a time.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use fs_err::File;
use fs_err::os::unix::fs::OpenOptionsExt;
use machine::compare::Owner;

use crate::system::beside;

/// How many files are flushed at once.
const FLUSHERS: usize = 8;

/// Where the bytes of a file come from.
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    /// A file that is moved; copied only where it can't be.
    Moved(PathBuf),
}

/// Files that are complete beside their places; they take them in the order in which they were staged.
#[derive(Default)]
pub(crate) struct Batch {
    staged: Vec<(File, PathBuf)>,
}

impl Batch {
    /// Writes a file beside its place.
    pub(crate) fn stage(&mut self, path: &Path, source: &Source<'_>, mode: u32, owner: Owner) -> io::Result<()> {
        let temporary = beside(path);
        // One may be left of an agent that was killed.
        remove(&temporary)?;
        let file = match source {
            Source::Bytes(bytes) => {
                let mut file = create(&temporary)?;
                file.write_all(bytes)?;
                file
            }
            Source::Moved(from) => match fs_err::rename(from, &temporary) {
                Ok(()) => File::open(&temporary)?,
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    let mut file = create(&temporary)?;
                    io::copy(&mut File::open(from)?, &mut file)?;
                    file
                }
                Err(error) => return Err(error),
            },
        };
        take_over(&file, mode, owner)?;
        self.staged.push((file, path.to_path_buf()));
        Ok(())
    }

    /// Flushes all of them at once, then renames them into their places, then flushes their directories.
    ///
    /// One fsync per file and not one syncfs: that would also wait for whatever else is on its way to the disk
    /// (images being unpacked). In parallel, because a file system commits what arrives together in one transaction:
    /// a whole config costs two waits for the disk. Directories are not flushed in between, so whether an earlier file
    /// survives a power cut whenever a later one does (manifests come last) rests on the file system's journal.
    pub(crate) fn commit(&mut self) -> io::Result<()> {
        flush(self.staged.iter().map(|(file, _)| file))?;
        for (_, path) in &self.staged {
            fs_err::rename(beside(path), path)?;
        }
        let staged = std::mem::take(&mut self.staged);
        let parents: BTreeSet<&Path> = staged.iter().filter_map(|(_, path)| path.parent()).collect();
        let parents = parents.into_iter().map(File::open).collect::<io::Result<Vec<File>>>()?;
        flush(parents.iter())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // What was not committed leaves no trace, as far as that can be helped.
        for (_, path) in &self.staged {
            let _ = remove(&beside(path));
        }
    }
}

/// One file, at once.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.stage(path, &Source::Bytes(bytes), mode, owner)?;
    batch.commit()
}

/// Sets mode and owner of an open file where they differ.
pub(crate) fn take_over(file: &File, mode: u32, owner: Owner) -> io::Result<()> {
    let metadata = file.metadata()?;
    if (metadata.uid(), metadata.gid()) != owner {
        fchown(file.file(), Some(owner.0), Some(owner.1))?;
    }
    // After the owner: a change of owner clears setuid bits. And always, because the mode at creation is masked.
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// Removes a file that may be missing; whether it was there.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs_err::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

// Nobody else may read it before it has its mode.
fn create(path: &Path) -> io::Result<File> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)
}

fn flush<'a>(files: impl Iterator<Item = &'a File>) -> io::Result<()> {
    let files: Vec<&File> = files.collect();
    let share = files.len().div_ceil(FLUSHERS).max(1);
    std::thread::scope(|scope| {
        let flushers: Vec<_> = files
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().try_for_each(|file| file.sync_all())))
            .collect();
        flushers.into_iter().try_for_each(|flusher| match flusher.join() {
            Ok(flushed) => flushed,
            Err(_) => Err(io::Error::other("flushing to disk broke off")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::World;

    #[test]
    fn a_batch_appears_complete_with_modes_and_leaves_nothing_beside() {
        let world = World::new();
        let owner = world.system.owner;
        let mut batch = Batch::default();
        for number in 0..40 {
            let path = world.system.path(&format!("/etc/f{number}"));
            batch.stage(&path, &Source::Bytes(b"text"), 0o640, owner).unwrap();
            assert!(!path.exists());
        }
        batch.commit().unwrap();
        assert_eq!(world.mode("/etc/f39"), 0o640);
        assert!(!world.tree().keys().any(|path| path.ends_with(".kubewright")));
    }

    #[test]
    fn what_is_not_committed_leaves_no_trace() {
        let world = World::new();
        let before = world.tree();
        let mut batch = Batch::default();
        batch.stage(&world.system.path("/etc/x"), &Source::Bytes(b"text"), 0o640, world.system.owner).unwrap();
        drop(batch);
        world.assert_tree(&before, "afterwards");
    }

    #[test]
    fn a_rest_of_a_killed_agent_is_in_nobodys_way() {
        let world = World::new();
        world.write("/etc/.x.kubewright", "rest");
        write(&world.system.path("/etc/x"), b"new", 0o600, world.system.owner).unwrap();
        assert_eq!(world.read("/etc/x"), "new");
        assert!(!world.system.exists("/etc/.x.kubewright"));
    }
}
