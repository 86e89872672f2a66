//! What one request works with: what is wanted, the machine, the ledger and the replies.

use std::collections::BTreeMap;

use machine::{DesiredFile, DigestKey, Facts, Holes, Item, ItemState, MachineConfig};

use crate::facts;
use crate::failure::{Failure, Outcome};
use crate::keep;
use crate::ledger::{Ledger, Origin, Store};
use crate::replies::Replies;
use crate::system::System;
use crate::write::Batch;

/// State by item.
pub(crate) type States = BTreeMap<String, ItemState>;

/// What the machine must be, with everything about this machine filled in.
pub(crate) struct Wanted {
    pub(crate) config: MachineConfig,
    pub(crate) files: BTreeMap<String, DesiredFile>,
    pub(crate) key: DigestKey,
    pub(crate) facts: Facts,
}

impl Wanted {
    pub(crate) fn new(system: &System, config: MachineConfig, digest_key: &str) -> Outcome<Self> {
        config.validate()?;
        let key =
            DigestKey::from_hex(digest_key).ok_or_else(|| Failure::new("request", "the digest key is not hex"))?;
        let facts = facts::gather(system);
        let files = config.desired_files(&Holes::new(&config.machine, &facts), &key)?;
        Ok(Self { config, files, key, facts })
    }
}

/// For looking.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) system: &'a System,
    pub(crate) wanted: &'a Wanted,
    pub(crate) ledger: &'a Ledger,
    /// Hash large files even if they look untouched.
    pub(crate) deep: bool,
}

/// For doing.
pub(crate) struct Work<'a, 'o> {
    pub(crate) system: &'a System,
    pub(crate) wanted: &'a Wanted,
    pub(crate) store: Store<'a>,
    /// What is written together.
    pub(crate) batch: Batch,
    pub(crate) replies: &'a mut Replies<'o>,
}

impl Work<'_, '_> {
    pub(crate) fn view(&self) -> View<'_> {
        // Writing rests on the same quick look as the preview that announced it.
        View { system: self.system, wanted: self.wanted, ledger: &self.store.ledger, deep: false }
    }

    /// Notes that a file is about to be written.
    pub(crate) fn intend_file(&mut self, path: &str, origin: Origin, restarts: &[String]) -> Outcome<()> {
        keep::intend_file(self.system, &mut self.store.ledger, path, origin, restarts)
    }
}

/// Whether an item must be changed. What could not be looked at is tried: the attempt says best what is wrong.
pub(crate) fn differs(states: &States, item: impl ToString) -> bool {
    states.get(&item.to_string()).is_some_and(|state| *state != ItemState::Same)
}

/// Refuses to replace what is not ours to replace: something of another type than `replaceable`.
pub(crate) fn refuse_other(states: &States, item: Item<'_>, path: &str, replaceable: &[&str]) -> Outcome<()> {
    let Some(ItemState::Differs { fields }) = states.get(&item.to_string()) else { return Ok(()) };
    match fields.get("type") {
        Some(kind) if !replaceable.contains(&kind.as_str()) => {
            Err(Failure::new(item, format!("a {kind} stands there"))
                .hint(format!("look at {path} on the machine and move it away")))
        }
        _ => Ok(()),
    }
}
