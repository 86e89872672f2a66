//! What all networks of this host share: settings changed for them, remembered until the last one goes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sysctl;
use crate::{LocalError, command};

/// Lost at a reboot, like the settings themselves.
const DIRECTORY: &str = "/run/kubewright";
/// Filters bridged packets inside machines, where services must be reachable from pods of the same bridge.
const BRIDGE_MODULE: &str = "br_netfilter";

/// The memory of this host, as JSON.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    /// Bridges in use.
    networks: BTreeSet<String>,
    /// Settings as they were before the first network.
    settings: BTreeMap<String, String>,
    /// Modules loaded for networks.
    modules: BTreeSet<String>,
}

/// The memory of this host, locked against other processes until dropped.
pub(super) struct Host {
    memory: Memory,
    file: PathBuf,
    _lock: fs_err::File,
}

/// Whether the host forwards packets and filters can see bridged ones in machines.
pub(super) fn forwards() -> bool {
    sysctl::read(sysctl::FORWARDING).as_deref() == Some("1") && has_bridge_filters()
}

fn has_bridge_filters() -> bool {
    Path::new("/proc/sys/net/bridge").is_dir()
}

impl Host {
    /// Waits for the lock and reads the memory.
    pub(super) fn lock() -> Result<Self, LocalError> {
        let directory = Path::new(DIRECTORY);
        loop {
            fs_err::create_dir_all(directory).map_err(LocalError::io(format!("make {DIRECTORY}")))?;
            let path = directory.join("lock");
            let what = || format!("lock {}", path.display());
            let lock = match fs_err::File::create(&path) {
                // Whoever was last removed the directory between our two steps.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(LocalError::io(what()))?,
            };
            lock.file().lock().map_err(LocalError::io(what()))?;
            // The same for the file: a lock on a file that lost its name holds nobody else back.
            let named = fs_err::metadata(&path).map(|named| named.ino()).ok();
            if named.is_some() && named == lock.metadata().map(|held| held.ino()).ok() {
                let file = directory.join("host.json");
                let mut memory = read(&file)?;
                // A bridge that went without us, as at a reboot of a host that keeps its /run, must not hold back the last.
                memory.networks.retain(|bridge| Path::new("/sys/class/net").join(bridge).is_dir());
                return Ok(Self { memory, file, _lock: lock });
            }
        }
    }

    /// Notes that a bridge is in use and makes the host ready for it. What was changed is on disk before it changes.
    pub(super) fn claim(&mut self, bridge: &str) -> Result<(), LocalError> {
        let current = current();
        let first = self.memory.networks.is_empty();
        self.memory.settings = sysctl::remembered(std::mem::take(&mut self.memory.settings), &current, first);
        let loads_module = !has_bridge_filters();
        if loads_module {
            self.memory.modules.insert(BRIDGE_MODULE.to_owned());
        }
        self.memory.networks.insert(bridge.to_owned());
        self.save()?;
        if loads_module {
            command::run("modprobe", &[BRIDGE_MODULE])?;
            // New network namespaces start with the filters on; the host's own bridges stay as they were, without.
            for name in sysctl::BRIDGE_FILTERS {
                sysctl::write(name, "0")?;
            }
        }
        for (name, value) in sysctl::needed(&current) {
            sysctl::write(name, &value)?;
        }
        Ok(())
    }

    /// Notes that a bridge is gone and, with the last one, puts back what was changed.
    pub(super) fn release(&mut self, bridge: &str, foreign_bridges: bool) -> Result<(), LocalError> {
        self.memory.networks.remove(bridge);
        if !self.memory.networks.is_empty() {
            return self.save();
        }
        for (name, value) in sysctl::restored(&self.memory.settings, &current(), foreign_bridges) {
            sysctl::write(name, &value)?;
        }
        let unused = sysctl::BRIDGE_FILTERS.iter().all(|name| sysctl::read(name).as_deref() == Some("0"));
        if self.memory.modules.contains(BRIDGE_MODULE) && unused && !foreign_bridges {
            // A module that somebody uses by now stays; that is no failure.
            let _ = command::run("modprobe", &["-r", BRIDGE_MODULE]);
        }
        self.memory = Memory::default();
        forget(&self.file)
    }

    fn save(&self) -> Result<(), LocalError> {
        let what = || format!("write {}", self.file.display());
        let text = serde_json::to_vec_pretty(&self.memory)
            .map_err(|source| LocalError::Unreadable { what: "the host's memory".into(), source })?;
        let beside = self.file.with_extension("new");
        fs_err::write(&beside, text).map_err(LocalError::io(what()))?;
        fs_err::rename(&beside, &self.file).map_err(LocalError::io(what()))
    }
}

fn current() -> BTreeMap<String, String> {
    sysctl::names().filter_map(|name| Some((name.to_owned(), sysctl::read(name)?))).collect()
}

fn read(file: &Path) -> Result<Memory, LocalError> {
    match fs_err::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|source| LocalError::Unreadable { what: file.display().to_string(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(source) => Err(LocalError::Io { what: format!("read {}", file.display()), source }),
    }
}

/// Removes the memory and, where nothing else is in it, its directory.
fn forget(file: &Path) -> Result<(), LocalError> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(fs_err::remove_file(file)).map_err(LocalError::io(format!("remove {}", file.display())))?;
    let _ = fs_err::remove_file(file.with_file_name("lock"));
    let _ = fs_err::remove_dir(DIRECTORY);
    Ok(())
}
