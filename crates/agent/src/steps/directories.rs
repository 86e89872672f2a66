//! Directories with their modes.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use fs_err::File;
use machine::compare::{self, Found};
use machine::{Item, ItemState, validate};

use crate::failure::{Failure, Of, Outcome};
use crate::keep;
use crate::ledger::DirectoryEntry;
use crate::system::System;
use crate::work::{self, States, View, Work, differs};
use crate::write;

pub(crate) fn observe(view: View<'_>) -> States {
    let directories = &view.wanted.config.group.directories;
    let state = |path: &str, mode: &str| match validate::mode(path, mode) {
        Ok(mode) => compare::path("", mode, view.system.owner, &find(view.system, path)),
        Err(error) => ItemState::Unknown { why: error.to_string() },
    };
    directories.iter().map(|(path, wanted)| (Item::Directory(path).to_string(), state(path, &wanted.mode))).collect()
}

/// Refuses before anything is changed if something else stands where a directory belongs.
pub(crate) fn precheck(work: &Work<'_, '_>, states: &States) -> Outcome<()> {
    for path in work.wanted.config.group.directories.keys() {
        work::refuse_other(states, Item::Directory(path), path, &[])?;
    }
    Ok(())
}

/// Notes what will be made or changed, and at the first apply which directories of the cluster's data are still empty.
pub(crate) fn intend(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    for path in work.wanted.config.group.directories.keys() {
        let item = Item::Directory(path);
        let known = work.store.ledger.directories.contains_key(path);
        match find(work.system, path) {
            Found::Missing => {
                work.store.ledger.directories.entry(path.clone()).or_default().made = true;
                keep::intend_parents(work.system, &mut work.store.ledger, path);
            }
            Found::Expected { mode, owner, .. } if !known => {
                let was_empty = is_empty(work.system, path);
                let before = differs(states, item).then_some((mode, owner));
                if was_empty || before.is_some() {
                    let entry = DirectoryEntry { was_empty, before, ..DirectoryEntry::default() };
                    work.store.ledger.directories.insert(path.clone(), entry);
                }
            }
            Found::Expected { .. } | Found::Other(_) => {}
            Found::Unreadable(why) => return Err(Failure::new(item, why)),
        }
        if let Some(entry) = work.store.ledger.directories.get_mut(path) {
            entry.configured = true;
        }
    }
    Ok(())
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    for (path, wanted) in &work.wanted.config.group.directories {
        let item = Item::Directory(path);
        let Some(state) = states.get(&item.to_string()).filter(|state| **state != ItemState::Same) else { continue };
        let mode = validate::mode(&item.to_string(), &wanted.mode)?;
        let at = work.system.path(path);
        keep::make_parents(work.system, path).of(item)?;
        match fs_err::create_dir(&at) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Failure::new(item, error)),
            _ => {}
        }
        let directory = File::open(&at).of(item)?;
        write::take_over(&directory, mode, work.system.owner).of(item)?;
        work.replies.changed(item, if *state == ItemState::Missing { "created" } else { "mode set" });
    }
    Ok(())
}

/// Takes away what configs no longer name, where it is empty.
pub(crate) fn prune(work: &mut Work<'_, '_>) -> Outcome<()> {
    let wanted = &work.wanted.config.group.directories;
    let gone =
        work.store.ledger.directories.iter().filter(|(path, entry)| entry.configured && !wanted.contains_key(*path));
    let gone: std::collections::BTreeMap<_, _> = gone.map(|(path, entry)| (path.clone(), entry.clone())).collect();
    let kept = keep::undo_directories(work.system, &gone)?;
    for path in gone.keys() {
        if kept.contains(path) {
            // Something is in it; a reset looks again.
            if let Some(entry) = work.store.ledger.directories.get_mut(path) {
                entry.configured = false;
            }
        } else {
            work.store.ledger.directories.remove(path);
            work.replies.changed(Item::Directory(path), "removed");
        }
    }
    Ok(())
}

// A symlink to a directory is as good: data directories are often moved to another disk that way.
fn find(system: &System, path: &str) -> Found {
    match fs_err::metadata(system.path(path)) {
        Ok(metadata) if metadata.is_dir() => Found::Expected {
            digest: String::new(),
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
        },
        Ok(_) => Found::Other("file".into()),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs_err::symlink_metadata(system.path(path)) {
            Ok(_) => Found::Other("dangling symlink".into()),
            Err(_) => Found::Missing,
        },
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

fn is_empty(system: &System, path: &str) -> bool {
    fs_err::read_dir(system.path(path)).is_ok_and(|mut entries| entries.next().is_none())
}
