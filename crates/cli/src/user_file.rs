//! Writes a file of the user: as a whole where it is a file, and never as another kind of thing than it was.

use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::{Builder, NamedTempFile};

/// Who may read a file that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner only.
    Owner,
    /// Whom the user's umask allows to.
    Usual,
}

/// Links that lead on from one to the next, before they are taken for a circle.
const LINKS: usize = 40;

/// Writes `content` to `path`.
///
/// A symbolic link stays one and its target is written; the owner and mode of a file that is there stay; a device or pipe is
/// written to. A file is replaced in one step, so that whoever reads meanwhile never sees half of it, unless its directory or
/// its kind does not allow that: then it is written in its place.
pub(crate) fn write(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let target = target(path)?;
    let Ok(there) = fs::metadata(&target) else { return create(&target, content, readers) };
    if !there.is_file() || is_open_elsewhere(&target) {
        // What stands in front of it is not ours to cut off, such as what this program printed before.
        return fs::OpenOptions::new().append(true).open(&target)?.write_all(content);
    }
    if there.nlink() > 1 {
        // Its other names would keep the old content.
        return in_place(&target, content);
    }
    let replaced = replacement(&target, content, &there)
        .and_then(|file| file.persist(&target).map(drop).map_err(|error| error.error));
    match replaced {
        Err(error) if is_kept_in_its_place(&error) => in_place(&target, content),
        other => other,
    }
}

/// Whether a file can perhaps be written, but not replaced; a full disk, say, would cost what stands in it.
fn is_kept_in_its_place(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// The directory of the file that `path` leads to.
pub(crate) fn directory(path: &Path) -> io::Result<PathBuf> {
    Ok(parent(&target(path)?).to_owned())
}

/// Follows symbolic links, also to where nothing is yet; not those of the kernel, which need not name anything.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        if is_open_elsewhere(&target) {
            return Ok(target);
        }
        match std::fs::read_link(&target) {
            Ok(link) => target = parent(&target).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other(format!("{} is a circle of symbolic links", path.display())))
}

/// Whether it names what a process has open, such as `/dev/stdout`. Files lie below /dev too, in its shared memory.
fn is_open_elsewhere(path: &Path) -> bool {
    let standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name));
    standard || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

fn create(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let mode = if readers == Readers::Owner { 0o600 } else { 0o666 };
    let mut builder = Builder::new();
    let mut file = builder.permissions(std::fs::Permissions::from_mode(mode)).tempfile_in(parent(path))?;
    fill(&mut file, content)?;
    file.persist(path)?;
    Ok(())
}

/// A file beside `path` that can take its place: of the same owner and mode.
fn replacement(path: &Path, content: &[u8], there: &std::fs::Metadata) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(parent(path))?;
    let made = file.as_file().metadata()?;
    if (made.uid(), made.gid()) != (there.uid(), there.gid()) {
        std::os::unix::fs::fchown(file.as_file(), Some(there.uid()), Some(there.gid()))?;
    }
    file.as_file().set_permissions(there.permissions())?;
    fill(&mut file, content)?;
    Ok(file)
}

fn fill(file: &mut NamedTempFile, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.as_file().sync_all()
}

fn in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_secret_is_its_owners() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        write(&path, b"one", Readers::Owner).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), mode(&path)), ("one".to_owned(), 0o600));
    }

    #[test]
    fn a_link_stays_one_with_the_mode_of_what_it_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("dotfiles")).unwrap();
        let real = directory.path().join("dotfiles/config");
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("dotfiles/config", directory.path().join("middle")).unwrap();
        let link = directory.path().join("config");
        symlink("middle", &link).unwrap();
        write(&link, b"new", Readers::Owner).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read_to_string(&real).unwrap(), mode(&real)), ("new".to_owned(), 0o640));
        assert_eq!(super::directory(&link).unwrap(), real.parent().unwrap());
    }

    #[test]
    fn a_link_to_nothing_yet_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("config");
        symlink(directory.path().join("later"), &link).unwrap();
        write(&link, b"new", Readers::Owner).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(directory.path().join("later")).unwrap(), "new");
    }

    #[test]
    fn links_in_a_circle_are_said() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        symlink(&one, &two).unwrap();
        symlink(&two, &one).unwrap();
        let error = write(&one, b"", Readers::Usual).unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
    }

    #[test]
    fn another_owners_file_stays_theirs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "old").unwrap();
        if std::os::unix::fs::chown(&path, Some(1234), Some(1235)).is_err() {
            eprintln!("skipped: only root can give files away");
            return;
        }
        write(&path, b"new", Readers::Owner).unwrap();
        let there = fs::metadata(&path).unwrap();
        assert_eq!((there.uid(), there.gid(), fs::read_to_string(&path).unwrap()), (1234, 1235, "new".to_owned()));
    }

    #[test]
    fn a_file_with_two_names_keeps_both() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        fs::write(&one, "old and long").unwrap();
        fs::hard_link(&one, &two).unwrap();
        write(&one, b"new", Readers::Owner).unwrap();
        assert_eq!(fs::read_to_string(&two).unwrap(), "new");
    }

    #[test]
    fn a_device_stays_one() {
        write(Path::new("/dev/null"), b"text", Readers::Owner).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("config");
        symlink("/dev/null", &link).unwrap();
        write(&link, b"text", Readers::Owner).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_file_in_shared_memory_is_replaced_like_any_other() {
        let Ok(directory) = tempfile::tempdir_in("/dev/shm") else { return println!("skipped: no shared memory") };
        let path = directory.path().join("plan.json");
        write(&path, b"the first and longer one", Readers::Owner).unwrap();
        write(&path, b"the second", Readers::Owner).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the second");
    }

    #[test]
    fn what_a_process_has_open_is_written_to_where_it_stands() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let mut open = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        open.write_all(b"printed before\n").unwrap();
        let name = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        write(&name, b"the plan\n", Readers::Owner).unwrap();
        open.write_all(b"printed after\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "printed before\nthe plan\nprinted after\n");
    }
}
