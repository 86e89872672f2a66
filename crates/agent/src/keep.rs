//! What is kept so that a file or directory can be undone: ledger entries, what stood there before, and the undoing.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::failure::{Failure, Of, Outcome};
use crate::ledger::{DirectoryEntry, FileEntry, Ledger, Origin, Original};
use crate::system::{System, beside};
use crate::work::Work;
use crate::write::{self, Source};

const ORIGINALS: &str = "/var/lib/kubewright/originals";

/// Notes that a file is about to be written, and keeps what stands there if it is not ours.
///
/// What is kept is on the disk before the ledger can name it: an agent may be killed at any point.
pub(crate) fn intend_file(
    system: &System,
    ledger: &mut Ledger,
    path: &str,
    origin: Origin,
    restarts: &[String],
) -> Outcome<()> {
    if !ledger.files.contains_key(path) {
        let original = keep_original(system, path, origin)?;
        ledger.files.insert(path.to_string(), FileEntry { original, ..FileEntry::default() });
        intend_parents(system, ledger, path);
    }
    if let Some(entry) = ledger.files.get_mut(path) {
        entry.origin = origin;
        entry.restarts = restarts.to_vec();
    }
    Ok(())
}

/// Notes which parents of a path will have to be made.
pub(crate) fn intend_parents(system: &System, ledger: &mut Ledger, path: &str) {
    let mut rest = path;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        if parent.is_empty() || system.exists(parent) {
            break;
        }
        ledger.directories.entry(parent.to_string()).or_default().made = true;
        rest = parent;
    }
}

/// Makes the parents of a path, readable for everybody as system directories are.
pub(crate) fn make_parents(system: &System, path: &str) -> io::Result<()> {
    match system.path(path).parent() {
        Some(parent) if !parent.is_dir() => std::fs::DirBuilder::new().recursive(true).mode(0o755).create(parent),
        _ => Ok(()),
    }
}

/// Notes what a file looks like now that it is written, so that it need not be hashed again while it stays so.
pub(crate) fn note_file(system: &System, ledger: &mut Ledger, path: &str, digest: &str) -> Outcome<()> {
    let metadata = fs_err::symlink_metadata(system.path(path)).of(format_args!("file/{path}"))?;
    if let Some(entry) = ledger.files.get_mut(path) {
        entry.digest = digest.to_string();
        (entry.size, entry.inode, entry.modified) = (metadata.size(), metadata.ino(), modified(&metadata));
    }
    Ok(())
}

/// When a file was last modified, in nanoseconds since 1970.
pub(crate) fn modified(metadata: &std::fs::Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

fn kept_at(system: &System, name: &str) -> PathBuf {
    system.path(ORIGINALS).join(name)
}

fn keep_original(system: &System, path: &str, origin: Origin) -> Outcome<Option<Original>> {
    let item = format!("file/{path}");
    let at = system.path(path);
    let metadata = match fs_err::symlink_metadata(&at) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::new(item, error)),
    };
    if metadata.is_symlink() {
        let target = fs_err::read_link(&at).of(&item)?.to_string_lossy().into_owned();
        return Ok(Some(Original::Link { target }));
    }
    if !metadata.is_file() {
        return Err(Failure::new(item, "something that is not a file stands there")
            .hint(format!("look at {path} on the machine and move it away")));
    }
    let (mode, owner) = (metadata.mode() & 0o7777, (metadata.uid(), metadata.gid()));
    if origin == Origin::Agent {
        // The host name and the like: small and public, so no file of its own.
        let text = fs_err::read_to_string(&at).of(&item)?;
        return Ok(Some(Original::Text { text, mode, owner }));
    }
    let name = hex::encode(&Sha256::digest(path)[..8]);
    system.make_memory().of(&item)?;
    fs_err::create_dir_all(system.path(ORIGINALS)).of(&item)?;
    // It may hold a secret: for nobody else to read, whatever its own mode.
    let bytes = fs_err::read(&at).of(&item)?;
    write::write(&kept_at(system, &name), &bytes, 0o600, system.owner).of(&item)?;
    Ok(Some(Original::Kept { name, mode, owner }))
}

/// Takes a file away and puts back what stood there before. May be done twice.
pub(crate) fn undo_file(system: &System, path: &str, entry: &FileEntry) -> Outcome<()> {
    let item = format!("file/{path}");
    let at = system.path(path);
    write::remove(&beside(&at)).of(&item)?;
    match &entry.original {
        None => write::remove(&at).map(drop).of(&item),
        Some(Original::Link { target }) => {
            write::remove(&at).of(&item)?;
            make_parents(system, path).of(&item)?;
            fs_err::os::unix::fs::symlink(target, &at).of(&item)
        }
        Some(Original::Text { text, mode, owner }) => {
            make_parents(system, path).of(&item)?;
            write::write(&at, text.as_bytes(), *mode, *owner).of(&item)
        }
        Some(Original::Kept { name, mode, owner }) => {
            let kept = kept_at(system, name);
            match fs_err::read(&kept) {
                Ok(bytes) => {
                    make_parents(system, path).of(&item)?;
                    write::write(&at, &bytes, *mode, *owner).of(&item)?;
                    write::remove(&kept).map(drop).of(&item)
                }
                // Put back by an undoing that was interrupted.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(Failure::new(item, error)),
            }
        }
    }
}

/// Takes away directories that were made and are empty, deepest first, and gives the others their mode and owner back.
/// Answers with those that must stay because something else is in them.
pub(crate) fn undo_directories(system: &System, entries: &BTreeMap<String, DirectoryEntry>) -> Outcome<Vec<String>> {
    let mut kept = Vec::new();
    for (path, entry) in entries.iter().rev() {
        let item = format!("directory/{path}");
        let at = system.path(path);
        if entry.made {
            match fs_err::remove_dir(&at) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Not empty, or something is mounted there.
                Err(_) => kept.push(path.clone()),
            }
        } else if let Some((mode, owner)) = entry.before
            && at.is_dir()
        {
            std::os::unix::fs::chown(&at, Some(owner.0), Some(owner.1)).of(&item)?;
            fs_err::set_permissions(&at, std::fs::Permissions::from_mode(mode)).of(&item)?;
        }
    }
    Ok(kept)
}

/// Takes the agent's store of originals away.
pub(crate) fn forget_originals(system: &System) -> Outcome<()> {
    match fs_err::remove_dir_all(system.path(ORIGINALS)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::new("ledger", error)),
        _ => Ok(()),
    }
}

/// Notes that a boot file is about to be written.
pub(crate) fn intend_boot_file(work: &mut Work<'_, '_>, path: &str, lines: &[String]) -> Outcome<()> {
    if lines.is_empty() || work.system.text(path).is_some_and(|text| text == boot_text(lines)) {
        return Ok(());
    }
    work.intend_file(path, Origin::Agent, &[])
}

/// Stages a file that the agent keeps so that a section holds at boot; no file when there is nothing to say.
pub(crate) fn boot_file(work: &mut Work<'_, '_>, path: &str, lines: &[String]) -> Outcome<()> {
    if lines.is_empty() {
        return match work.store.ledger.files.remove(path) {
            Some(entry) => undo_file(work.system, path, &entry),
            None => Ok(()),
        };
    }
    let text = boot_text(lines);
    if work.system.text(path).as_ref() == Some(&text) {
        return Ok(());
    }
    make_parents(work.system, path).of(path)?;
    work.batch.stage(&work.system.path(path), &Source::Bytes(text.as_bytes()), 0o644, work.system.owner).of(path)
}

fn boot_text(lines: &[String]) -> String {
    format!("# Written by kubewright-agent.\n{}\n", lines.join("\n"))
}
