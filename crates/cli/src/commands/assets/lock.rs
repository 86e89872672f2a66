//! `assets lock`.

use catalog::{AssetSet, Lock, LockEntry};
use clap::Args;
use report::words;
use serde_json::json;

use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{output, prepare, sources};

/// What to pin.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: super::Which,
    /// Accept content that is not what the lock says
    #[arg(long)]
    update: bool,
}

pub(super) async fn run(app: &App, arguments: &Arguments) -> Outcome {
    let set = arguments.which.set()?;
    let old = app.asset_lock.find()?.unwrap_or_default();
    let puller = sources::puller(app, &arguments.which.sources);
    let pins = (!arguments.update).then_some(&old);
    let _working = app.stop.working();
    let pulled = app.phase("assets ready", puller.pull(&set, pins)).await;
    let lock = pinned(pulled.map_err(|error| prepare::failed(&error))?, &set);
    let path = app.asset_lock.path().display();
    let changes = changes(&old, &lock);
    output::data(app.format, &json!({"file": app.asset_lock.path(), "lock": lock, "changes": changes}))?;
    if changes.is_empty() {
        app.say(format!("{path} pins {} and needs no change.", words::count(lock.entries.len(), "asset")));
        return Ok(Exit::Fine);
    }
    app.asset_lock.write(&lock)?;
    for change in &changes {
        app.say(format!("  {change}"));
    }
    app.say(format!("{path} pins {} now.", words::count(lock.entries.len(), "asset")));
    Ok(Exit::Fine)
}

/// What comes out of the Debian archive changes with it, and is not pinned.
fn pinned(mut lock: Lock, set: &AssetSet) -> Lock {
    lock.entries.retain(|name, _| set.get(name).is_some_and(|spec| set.is_reproducible(spec)));
    lock
}

/// A line for each asset that is pinned otherwise than before.
fn changes(old: &Lock, new: &Lock) -> Vec<String> {
    let short = |entry: &LockEntry| entry.sha256.chars().take(12).collect::<String>();
    let gone = old.entries.keys().filter(|name| !new.entries.contains_key(*name)).map(|name| format!("- {name}"));
    let changed = new.entries.iter().filter_map(|(name, entry)| match old.entries.get(name) {
        None => Some(format!("+ {name} {}", short(entry))),
        Some(before) if before.sha256 == entry.sha256 && before.recipe == entry.recipe => None,
        Some(before) => Some(format!("~ {name} {} → {}", short(before), short(entry))),
    });
    gone.chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn lock(entries: &[(&str, &str)]) -> Lock {
        let entry = |sha256: &str| LockEntry { recipe: "r".into(), sha256: sha256.into(), size: 1 };
        let entries = entries.iter().map(|(name, sha256)| ((*name).to_owned(), entry(sha256)));
        Lock { entries: entries.collect::<BTreeMap<_, _>>(), ..Lock::default() }
    }

    #[test]
    fn every_change_of_a_lock_is_told() {
        let changes =
            changes(&lock(&[("a", "1"), ("b", "2"), ("c", "3")]), &lock(&[("b", "2"), ("c", "4"), ("d", "5")]));
        assert_eq!(changes, ["- a", "~ c 3 → 4", "+ d 5"]);
    }
}
