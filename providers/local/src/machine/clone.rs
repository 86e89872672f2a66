//! Gives a machine its own copy of a containerd root that already holds images: hard links for what never changes.

use std::ffi::CStr;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, XattrFlags};

use crate::{LocalError, command};

/// Parts of a containerd root whose files never change once written: content blobs and unpacked layers. Containers
/// write into directories of their own. Everything else (databases) must be real copies.
const IMMUTABLE: [&str; 2] =
    ["io.containerd.content.v1.content/blobs", "io.containerd.snapshotter.v1.overlayfs/snapshots"];

/// Makes `target` a clone of `source`. What is in `target` is removed first: it can only be half a clone.
pub(super) fn clone_store(source: &Path, target: &Path) -> Result<(), LocalError> {
    let what = || format!("clone {} to {}", source.display(), target.display());
    match fs_err::remove_dir_all(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(LocalError::Io { what: what(), source: error });
        }
        _ => {}
    }
    match directory(source, target, Path::new("")) {
        // The asset cache and the machines are on different file systems: slower, and no disk is saved.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy(source, target),
        other => other.map_err(LocalError::io(what())),
    }
}

fn copy(source: &Path, target: &Path) -> Result<(), LocalError> {
    let what = || format!("copy {} to {}", source.display(), target.display());
    fs_err::remove_dir_all(target).map_err(LocalError::io(what()))?;
    let paths = [source.display().to_string(), target.display().to_string()];
    command::run("cp", &["--archive", "--reflink=auto", "--", &paths[0], &paths[1]]).map(drop)
}

fn directory(source: &Path, target: &Path, relative: &Path) -> io::Result<()> {
    fs_err::create_dir(target)?;
    let shared = IMMUTABLE.iter().any(|part| relative.starts_with(part));
    for entry in fs_err::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            directory(&from, &to, &relative.join(entry.file_name()))?;
        } else if shared {
            link(&from, &to)?;
        } else if kind.is_file() {
            fs_err::copy(&from, &to)?;
        }
        // Sockets and pipes outside the layers belong to the process that made them.
    }
    attributes(source, target)
}

/// A hard link of anything but a directory: whiteouts (device nodes) and symbolic links included.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::linkat(CWD, from, CWD, to, AtFlags::empty())?)
}

/// Owner, mode and extended attributes of a directory (an opaque directory of a layer is marked by one).
fn attributes(source: &Path, target: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs_err::metadata(source)?;
    std::os::unix::fs::chown(target, Some(metadata.uid()), Some(metadata.gid()))?;
    fs_err::set_permissions(target, metadata.permissions())?;
    let mut names = vec![0u8; 4096];
    let length = match rustix::fs::llistxattr(source, &mut names[..]) {
        Err(rustix::io::Errno::NOTSUP) => 0,
        other => other?,
    };
    let names = names.get(..length).unwrap_or_default();
    for name in names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok()) {
        let mut value = vec![0u8; 4096];
        let length = rustix::fs::lgetxattr(source, name, &mut value[..])?;
        rustix::fs::lsetxattr(target, name, value.get(..length).unwrap_or_default(), XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn inode(path: &Path) -> u64 {
        fs_err::symlink_metadata(path).unwrap().ino()
    }

    #[test]
    fn layers_are_shared_and_databases_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let (source, target) = (directory.path().join("store"), directory.path().join("machine/containerd"));
        let layer = "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/bin";
        let database = "io.containerd.metadata.v1.bolt/meta.db";
        fs_err::create_dir_all(source.join(layer)).unwrap();
        fs_err::create_dir_all(source.join("io.containerd.metadata.v1.bolt")).unwrap();
        fs_err::write(source.join(layer).join("tool"), "tool").unwrap();
        fs_err::write(source.join(database), "db").unwrap();
        std::os::unix::fs::symlink("nowhere", source.join(layer).join("link")).unwrap();
        fs_err::set_permissions(source.join(layer), std::fs::Permissions::from_mode(0o711)).unwrap();
        fs_err::create_dir_all(target.join("half")).unwrap();
        clone_store(&source, &target).unwrap();
        assert_eq!(inode(&source.join(layer).join("tool")), inode(&target.join(layer).join("tool")));
        assert_eq!(inode(&source.join(layer).join("link")), inode(&target.join(layer).join("link")));
        assert_ne!(inode(&source.join(database)), inode(&target.join(database)));
        assert_eq!(fs_err::metadata(target.join(layer)).unwrap().mode() & 0o777, 0o711);
        assert!(!target.join("half").exists());
    }

    #[test]
    fn a_copy_replaces_half_a_clone() {
        let directory = tempfile::tempdir().unwrap();
        let (source, target) = (directory.path().join("store"), directory.path().join("containerd"));
        fs_err::create_dir_all(source.join("io.containerd.metadata.v1.bolt")).unwrap();
        fs_err::create_dir_all(target.join("half")).unwrap();
        copy(&source, &target).unwrap();
        assert!(target.join("io.containerd.metadata.v1.bolt").is_dir() && !target.join("half").exists());
    }
}
