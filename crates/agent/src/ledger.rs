//! What the agent remembers of a machine: everything it made or changed, so that it can undo exactly that.

use fs_err::os::unix::fs::OpenOptionsExt;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use machine::compare::Owner;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Of, Outcome};
use crate::pods::Process;
use crate::system::{System, beside};
use crate::write;

/// Version of the ledger's format.
const VERSION: u32 = 1;
pub(crate) const FILE: &str = "/var/lib/kubewright/ledger.json";
const LOCK: &str = "/var/lib/kubewright/lock";
/// How long another agent on this machine is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The document. An entry is written before the change it stands for, so it may name something that was not made yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Ledger {
    pub(crate) version: u32,
    pub(crate) lineage: String,
    pub(crate) epoch: u64,
    pub(crate) files: BTreeMap<String, FileEntry>,
    pub(crate) directories: BTreeMap<String, DirectoryEntry>,
    pub(crate) modules: BTreeSet<String>,
    /// Value before the first change, by name.
    pub(crate) sysctls: BTreeMap<String, String>,
    pub(crate) packages: BTreeSet<String>,
    pub(crate) units: BTreeMap<String, UnitEntry>,
    pub(crate) swap: SwapEntry,
    /// The host name before the first change.
    pub(crate) hostname: Option<String>,
    pub(crate) pending: Pending,
    pub(crate) etcd: Etcd,
}

/// Who asked for a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Origin {
    /// A config; removed when the config no longer names it.
    #[default]
    Config,
    /// A single step; stays until a step removes it.
    Step,
    /// The agent itself, to make modules, sysctls and the host name hold at boot.
    Agent,
}

/// A file that was made or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FileEntry {
    pub(crate) origin: Origin,
    /// `sha256:…`, or `hmac:…` of a secret.
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) inode: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) restarts: Vec<String>,
    /// What stood there before.
    pub(crate) original: Option<Original>,
}

/// What stood at a path before the agent came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Original {
    /// A file, kept under this name in the agent's own directory.
    Kept { name: String, mode: u32, owner: Owner },
    /// A small public text.
    Text { text: String, mode: u32, owner: Owner },
    /// A symlink to this target.
    Link { target: String },
}

/// A directory that was made or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DirectoryEntry {
    /// Named by a config, not only the parent of something.
    pub(crate) configured: bool,
    /// It was not there.
    pub(crate) made: bool,
    /// It was there and empty, so what is in it now came with the cluster.
    pub(crate) was_empty: bool,
    /// Its mode and owner before they were changed.
    pub(crate) before: Option<(u32, Owner)>,
}

/// What a unit was before the agent first touched it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UnitEntry {
    pub(crate) enabled: bool,
    pub(crate) running: bool,
    pub(crate) masked: bool,
}

/// What was done to swap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SwapEntry {
    pub(crate) masked: BTreeSet<String>,
    pub(crate) fstab: bool,
    pub(crate) was_on: bool,
}

/// What must still happen because files were changed; outlives an agent that is killed in between.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Pending {
    pub(crate) restarts: BTreeSet<String>,
    /// Units that read their files again without a restart.
    pub(crate) reloads: BTreeSet<String>,
    /// systemd has to read its files again.
    pub(crate) reload: bool,
    /// What must be ended, so that kubelet starts it anew: it read an earlier content of a file. By the static pod's name.
    pub(crate) ends: BTreeMap<String, Vec<Process>>,
    /// What ran from a static pod's earlier manifest, by the pod's name: kubelet ends it.
    pub(crate) pods: BTreeMap<String, Vec<Process>>,
}

/// What is known about etcd's data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Etcd {
    /// A member's data was seen here.
    pub(crate) member_seen: bool,
}

/// The ledger in memory, and what of it is on disk.
pub(crate) struct Store<'a> {
    system: &'a System,
    pub(crate) ledger: Ledger,
    saved: Option<Ledger>,
}

impl<'a> Store<'a> {
    /// Reads it; an empty one where there is none.
    pub(crate) fn open(system: &'a System) -> Outcome<Self> {
        let saved = read(system)?;
        let ledger = saved.clone().unwrap_or_else(|| Ledger { version: VERSION, ..Ledger::default() });
        Ok(Self { system, ledger, saved })
    }

    /// Whether the agent was ever at work here.
    pub(crate) fn exists(&self) -> bool {
        self.saved.is_some()
    }

    /// Refuses an operator whose lease is older than one that was here before.
    pub(crate) fn admit(&mut self, epoch: u64) -> Outcome<()> {
        let seen = self.ledger.epoch;
        if epoch < seen {
            return Err(Failure::new("lease", format!("epoch {epoch} is older than {seen}, which was here before"))
                .hint("another operator has taken this cluster over; run the command again"));
        }
        self.ledger.epoch = epoch;
        Ok(())
    }

    /// Refuses a config of another cluster.
    pub(crate) fn belong(&mut self, lineage: &str) -> Outcome<()> {
        let mine = &self.ledger.lineage;
        if !mine.is_empty() && mine != lineage {
            return Err(Failure::new("lineage", format!("this machine belongs to another cluster ({mine})"))
                .hint("reset it from the cluster it belongs to first"));
        }
        self.ledger.lineage = lineage.to_string();
        Ok(())
    }

    /// Writes it if it changed, durably: it must know of a change before the change is made.
    pub(crate) fn save(&mut self) -> Outcome<()> {
        if self.saved.as_ref() == Some(&self.ledger) {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&self.ledger).of("ledger")?;
        self.write(&text).of("ledger")?;
        self.saved = Some(self.ledger.clone());
        Ok(())
    }

    fn write(&self, text: &[u8]) -> std::io::Result<()> {
        self.system.make_memory()?;
        let path = self.system.path(FILE);
        let temporary = beside(&path);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs_err::rename(&temporary, &path)?;
        if self.saved.is_some() {
            // If the rename is lost in a power cut, then so is what was done after it.
            return Ok(());
        }
        fs_err::File::open(self.system.memory())?.sync_all()
    }

    /// Forgets everything, files included.
    pub(crate) fn destroy(self) -> Outcome<()> {
        let at = |path| self.system.path(path);
        for path in [beside(&at(FILE)), at(FILE), at(LOCK)] {
            write::remove(&path).of("ledger")?;
        }
        // The agent itself may have been put here; then the directory stays.
        let _ = fs_err::remove_dir(self.system.memory());
        Ok(())
    }
}

fn read(system: &System) -> Outcome<Option<Ledger>> {
    let text = match fs_err::read(system.path(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::new("ledger", error)),
    };
    let ledger: Ledger = serde_json::from_slice(&text).map_err(|error| {
        Failure::new("ledger", format!("{FILE} can't be read: {error}")).hint(format!(
            "if it can't be repaired, move {FILE} away: what stands on the machine is then taken over as it is"
        ))
    })?;
    if ledger.version > VERSION {
        return Err(Failure::new("ledger", format!("{FILE} has format {}, newer than {VERSION}", ledger.version))
            .hint("use the newer kubewright that wrote it"));
    }
    Ok(Some(ledger))
}

/// Held while the machine is changed; given back by the kernel when the agent ends, however it ends.
pub(crate) struct Lock {
    _file: fs_err::File,
}

impl Lock {
    /// Waits for another agent, but not forever.
    pub(crate) fn take(system: &System) -> Outcome<Self> {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(lock) = Self::try_take(system)? {
                return Ok(lock);
            }
            if Instant::now() >= until {
                return Err(Failure::new("lock", "another kubewright-agent is at work on this machine")
                    .hint("wait for it to end, or look for it with `pgrep -a kubewright`"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The lock if it is free.
    pub(crate) fn try_take(system: &System) -> Outcome<Option<Self>> {
        system.make_memory().of("lock")?;
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(system.path(LOCK)).of("lock")?;
        match file.file().try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(Failure::new("lock", error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::World;

    #[test]
    fn it_is_written_for_root_only_and_only_when_it_changed() {
        let world = World::new();
        let mut store = Store::open(&world.system).unwrap();
        store.ledger.epoch = 3;
        store.save().unwrap();
        assert_eq!(world.mode(FILE), 0o600);
        assert_eq!(world.mode("/var/lib/kubewright"), 0o700);
        let before = world.inode(FILE);
        store.save().unwrap();
        assert_eq!(world.inode(FILE), before);
        assert_eq!(Store::open(&world.system).unwrap().ledger.epoch, 3);
    }

    #[test]
    fn an_older_lease_and_another_cluster_are_refused() {
        let world = World::new();
        let mut store = Store::open(&world.system).unwrap();
        store.admit(7).unwrap();
        assert_eq!(store.admit(6).unwrap_err().item, "lease");
        store.belong("mine").unwrap();
        assert_eq!(store.belong("theirs").unwrap_err().item, "lineage");
    }

    #[test]
    fn one_agent_at_a_time() {
        let world = World::new();
        let first = Lock::try_take(&world.system).unwrap();
        assert!(first.is_some());
        assert!(Lock::try_take(&world.system).unwrap().is_none());
        drop(first);
        assert!(Lock::try_take(&world.system).unwrap().is_some());
    }

    #[test]
    fn a_ledger_of_the_future_is_not_guessed_at() {
        let world = World::new();
        world.write(FILE, r#"{"version": 99}"#);
        assert!(Store::open(&world.system).is_err());
        world.write(FILE, "half a docum");
        assert!(Store::open(&world.system).is_err_and(|failure| failure.hint.is_some()));
    }
}
