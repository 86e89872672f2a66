//! Files: compared by digest, mode and owner; written together, static pod manifests after all others.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use fs_err::File;
use machine::compare::{self, Found};
use machine::{Body, DesiredFile, Item, ItemState, Stage, digest, static_pod};
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Of, Outcome};
use crate::keep;
use crate::ledger::Origin;
use crate::renewed;
use crate::steps::static_pods;
use crate::system::System;
use crate::work::{self, States, View, Work, differs};
use crate::write::{self, Batch, Source};

/// Where unit files and their drop-ins are; a change there needs systemd to read them again.
const UNIT_FILES: [&str; 5] = [
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
];

/// The longest text, in bytes, that is sent when it is not what it must be.
const SHOWN: u64 = 64 * 1024;

pub(crate) fn observe(view: View<'_>) -> States {
    let files = view.wanted.files.iter();
    files.map(|(path, file)| (Item::File(path).to_string(), state(view, path, file))).collect()
}

fn state(view: View<'_>, path: &str, file: &DesiredFile) -> ItemState {
    let Some(digest) = file.body.digest().filter(|_| !file.create_only) else {
        // Only that something is there counts, be it behind a symlink (kubelet's current certificate).
        return if view.system.exists(path) { ItemState::Same } else { ItemState::Missing };
    };
    let mut state = compare::path(digest, file.mode, view.system.owner, &find(view, path, file));
    if let ItemState::Differs { fields } = &mut state
        && fields.contains_key("content")
        && renewed::is_renewed(view, path, file)
    {
        fields.remove("content");
        if fields.is_empty() {
            return ItemState::Same;
        }
    }
    if let ItemState::Differs { fields } = &mut state
        && fields.contains_key("content")
        && matches!(&file.body, Body::Bytes { secret: false, .. })
        && let Some(text) = found_text(view.system, path)
    {
        fields.insert("text".to_owned(), text);
    }
    state
}

/// What stands in a file instead of a text of ours, where it is a text too and short enough to be shown.
fn found_text(system: &System, path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(system.path(path)).ok()?;
    io::Read::read_to_end(&mut io::Read::take(file, SHOWN + 1), &mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    (text.len() as u64 <= SHOWN).then_some(text)
}

fn find(view: View<'_>, path: &str, file: &DesiredFile) -> Found {
    let at = view.system.path(path);
    let metadata = match fs_err::symlink_metadata(&at) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Found::Missing,
        Err(error) => return Found::Unreadable(error.to_string()),
    };
    if !metadata.is_file() {
        return Found::Other(kind(metadata.file_type()).into());
    }
    let digest = match &file.body {
        Body::Bytes { secret: true, .. } => fs_err::read(&at).map(|bytes| view.wanted.key.secret(&bytes)),
        Body::Uploaded { digest, .. } if is_untouched(view, path, digest, &metadata) => Ok(digest.clone()),
        _ => hash(view.system, path),
    };
    match digest {
        Ok(digest) => {
            Found::Expected { digest, mode: metadata.mode() & 0o7777, owner: (metadata.uid(), metadata.gid()) }
        }
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

/// Whether a large file still looks as it did when it was written, so that it need not be hashed.
fn is_untouched(view: View<'_>, path: &str, digest: &str, metadata: &std::fs::Metadata) -> bool {
    let same = |entry: &crate::ledger::FileEntry| {
        entry.digest == digest
            && (entry.size, entry.inode, entry.modified) == (metadata.size(), metadata.ino(), keep::modified(metadata))
    };
    !view.deep && view.ledger.files.get(path).is_some_and(same)
}

fn hash(system: &System, path: &str) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(system.path(path))?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(digest::from_sha256(&hex::encode(hasher.finalize()))),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn kind(of: std::fs::FileType) -> &'static str {
    if of.is_symlink() {
        "symlink"
    } else if of.is_dir() {
        "directory"
    } else if of.is_socket() || of.is_fifo() {
        "socket"
    } else {
        "device"
    }
}

/// Whether an apply will write something else into a file.
pub(crate) fn changes(states: &States, path: &str) -> bool {
    states.get(&Item::File(path).to_string()).is_some_and(changes_content)
}

/// What an apply will do to a file.
fn changes_content(state: &ItemState) -> bool {
    match state {
        ItemState::Same => false,
        ItemState::Differs { fields } => fields.contains_key("content") || fields.contains_key("type"),
        ItemState::Missing | ItemState::Unknown { .. } => true,
    }
}

/// Refuses before anything is changed if something that others must bring is not there.
pub(crate) fn precheck(work: &Work<'_, '_>, states: &States) -> Outcome<()> {
    for (path, file) in &work.wanted.files {
        let item = Item::File(path);
        let Some(state) = states.get(&item.to_string()) else { continue };
        work::refuse_other(states, item, path, &["symlink"])?;
        match &file.body {
            Body::Provided { asset } if *state == ItemState::Missing => {
                return Err(Failure::new(item, format!("{asset} is not there"))
                    .hint("whoever makes the machine has to put it there; make the machine again"));
            }
            Body::Uploaded { asset, path: upload, digest } if changes_content(state) => {
                let actual = hash(work.system, upload).of(format_args!("{item} (upload of {asset})"))?;
                if actual != *digest {
                    return Err(Failure::new(item, format!("the upload of {asset} is {actual}, not {digest}"))
                        .hint("run the command again to upload it anew"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Notes what is about to be written, and what must be restarted and reloaded after it.
pub(crate) fn intend(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    for (path, file) in &work.wanted.files {
        let item = Item::File(path);
        if differs(states, item) {
            work.intend_file(path, Origin::Config, &file.restarts)?;
            if states.get(&item.to_string()).is_some_and(changes_content) {
                static_pods::intend(work, path, file);
                follow(work, path, &file.restarts);
            }
        } else if let Some(entry) = work.store.ledger.files.get_mut(path) {
            (entry.origin, entry.restarts) = (Origin::Config, file.restarts.clone());
        }
    }
    for (path, restarts) in dropped(work) {
        follow(work, &path, &restarts);
    }
    Ok(())
}

/// Notes what follows from a change of a file.
fn follow(work: &mut Work<'_, '_>, path: &str, restarts: &[String]) {
    let is_unit_file = UNIT_FILES.iter().any(|directory| path.starts_with(directory));
    for name in restarts {
        let pending = &mut work.store.ledger.pending;
        if work.wanted.files.contains_key(&static_pod::manifest(name)) {
            static_pods::intend_end(work, name);
        } else if !is_unit_file && work.wanted.config.group.units.get(name).is_some_and(|unit| unit.reloads) {
            pending.reloads.insert(name.clone());
        } else {
            pending.restarts.insert(name.clone());
        }
    }
    work.store.ledger.pending.reload |= is_unit_file;
}

/// Files of earlier configs that this one does not name.
fn dropped(work: &Work<'_, '_>) -> Vec<(String, Vec<String>)> {
    let files = work.store.ledger.files.iter();
    files
        .filter(|(path, entry)| entry.origin == Origin::Config && !work.wanted.files.contains_key(*path))
        .map(|(path, entry)| (path.clone(), entry.restarts.clone()))
        .collect()
}

/// Takes away what configs no longer name.
pub(crate) fn prune(work: &mut Work<'_, '_>) -> Outcome<()> {
    for (path, _) in dropped(work) {
        if let Some(entry) = work.store.ledger.files.get(&path) {
            keep::undo_file(work.system, &path, entry)?;
        }
        work.store.ledger.files.remove(&path);
        work.replies.changed(Item::File(&path), "removed");
    }
    Ok(())
}

/// Writes what differs, of the files that are `chosen` by their paths, together with what earlier steps have staged.
pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States, chosen: impl Fn(&str) -> bool) -> Outcome<()> {
    let mut done = Vec::new();
    for stage in [Stage::Base, Stage::Manifest] {
        for (path, file) in work.wanted.files.iter().filter(|(path, file)| file.stage == stage && chosen(path)) {
            let item = Item::File(path);
            let Some(state) = states.get(&item.to_string()).filter(|state| **state != ItemState::Same) else {
                continue;
            };
            if changes_content(state) {
                stage_file(work.system, &mut work.batch, path, file).of(item)?;
                done.push((path, file, if *state == ItemState::Missing { "created" } else { "written" }));
            } else {
                let opened = File::open(work.system.path(path)).of(item)?;
                write::take_over(&opened, file.mode, work.system.owner).of(item)?;
                done.push((path, file, "mode and owner set"));
            }
        }
    }
    work.batch.commit().of("files")?;
    for (path, file, how) in done {
        let digest = file.body.digest().unwrap_or_default();
        keep::note_file(work.system, &mut work.store.ledger, path, digest)?;
        work.replies.changed(Item::File(path), how);
    }
    Ok(())
}

fn stage_file(system: &System, batch: &mut Batch, path: &str, file: &DesiredFile) -> io::Result<()> {
    let source = match &file.body {
        Body::Bytes { bytes, .. } => Source::Bytes(bytes),
        Body::Uploaded { path: upload, .. } => Source::Moved(system.path(upload)),
        Body::Provided { .. } => return Ok(()),
    };
    keep::make_parents(system, path)?;
    batch.stage(&system.path(path), &source, file.mode, system.owner)
}
