//! Packages of the operating system.

use machine::{Item, ItemState};

use crate::failure::{Failure, Outcome};
use crate::os;
use crate::replies::Replies;
use crate::system::System;
use crate::work::{States, View, Work, differs};

pub(crate) fn observe(view: View<'_>) -> States {
    let names = &view.wanted.config.group.packages;
    if names.is_empty() {
        return States::new();
    }
    let installed = match os::family(view.system) {
        Some(family) => family.installed(view.system).map_err(|failure| failure.why),
        None => Err("no known package system here".into()),
    };
    let state = |name: &String| match &installed {
        Ok(installed) if installed.has(name) => ItemState::Same,
        Ok(_) => ItemState::Missing,
        Err(why) => ItemState::Unknown { why: why.clone() },
    };
    names.iter().map(|name| (Item::Package(name).to_string(), state(name))).collect()
}

pub(crate) fn apply(work: &mut Work<'_, '_>, states: &States) -> Outcome<()> {
    let names = &work.wanted.config.group.packages;
    let missing: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| differs(states, Item::Package(name))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let family = os::family(work.system).ok_or_else(|| {
        Failure::new(Item::Package(missing[0]), "no known package system here")
            .hint(format!("install {} by hand, or leave packages out of the spec", missing.join(", ")))
    })?;
    let before = family.installed(work.system)?.packages;
    work.replies.progress(format!("installing {}", missing.join(", ")));
    // Named before they come: an agent that does not live to see them there leaves a ledger that a reset can go by.
    let coming = family.coming(work.system, &missing)?;
    work.store.ledger.packages.extend(coming.difference(&before).cloned());
    work.store.save()?;
    let outcome = family.install(work.system, &missing);
    // Also what came half-way, and what came along and was not foreseen. What did not come is forgotten: it may come by
    // somebody else.
    let after = family.installed(work.system)?;
    let known = &mut work.store.ledger.packages;
    known.extend(after.packages.difference(&before).cloned());
    known.retain(|name| after.packages.contains(name) || after.partly.contains(name));
    work.store.save()?;
    outcome?;
    for name in missing {
        if !after.has(name) {
            return Err(Failure::new(Item::Package(name), "it is not there although it was installed"));
        }
        work.replies.changed(Item::Package(name), "installed");
    }
    Ok(())
}

/// Removes what was installed; what something else has come to need stays. What stays for another reason, such as a lock
/// that somebody holds, is a failure: the ledger is the only one that knows of it.
pub(crate) fn undo(system: &System, packages: &[&str], replies: &mut Replies<'_>) -> Outcome<()> {
    let Some(family) = os::family(system) else { return Ok(()) };
    let installed = family.installed(system)?;
    let is_here = |name: &str| installed.packages.contains(name) || installed.partly.contains(name);
    let here: Vec<&str> = packages.iter().copied().filter(|name| is_here(name)).collect();
    if here.is_empty() {
        return Ok(());
    }
    replies.progress(format!("removing {} packages", here.len()));
    let outcome = family.remove(system, &here);
    let left = family.installed(system)?;
    let stays = |name: &str| left.packages.contains(name) || left.partly.contains(name);
    for name in here.iter().filter(|name| !left.packages.contains(**name)) {
        replies.changed(Item::Package(name), "removed");
    }
    match outcome {
        Ok(said) if !said.is_empty() => replies.progress(format!("some packages stay: {}", said.join("; "))),
        Err(failure) if here.iter().any(|name| stays(name)) => {
            return Err(failure.hint("when nothing else installs or removes packages there, reset again"));
        }
        _ => {}
    }
    Ok(())
}
