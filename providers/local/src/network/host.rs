//! What all networks of this host share: settings changed for them, remembered until the last one goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::sysctl;
use crate::{LocalError, command};

/// Lost at a reboot, like the settings themselves.
const DIRECTORY: &str = "/run/kubewright";
/// The file of the memory there.
const MEMORY: &str = "host.json";
/// How long to wait for another process that changes networks: each takes seconds.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How often to look whether the lock is free.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
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
pub(crate) struct Host {
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

/// Whether the host was changed for a bridge, as far as is remembered.
pub(super) fn remembers(bridge: &str) -> Result<bool, LocalError> {
    names(&Path::new(DIRECTORY).join(MEMORY), bridge)
}

fn names(file: &Path, bridge: &str) -> Result<bool, LocalError> {
    Ok(read(file)?.networks.contains(bridge))
}

/// Waits for the lock and reads the memory.
pub(crate) fn lock(cancel: &CancellationToken, say: &dyn Fn(&str)) -> Result<Host, LocalError> {
    let directory = Path::new(DIRECTORY);
    loop {
        fs_err::create_dir_all(directory).map_err(LocalError::io(format!("make {DIRECTORY}")))?;
        let path = directory.join("lock");
        let what = || format!("lock {}", path.display());
        // Not emptied: who holds it has written there who it is.
        let mut options = fs_err::OpenOptions::new();
        let mut lock = match options.read(true).write(true).create(true).truncate(false).open(&path) {
            // Whoever was last removed the directory between our two steps.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(LocalError::io(what()))?,
        };
        take(&mut lock, TIMEOUT, cancel, say)?;
        // The same for the file: a lock on a file that lost its name holds nobody else back.
        let named = fs_err::metadata(&path).map(|named| named.ino()).ok();
        if named.is_some() && named == lock.metadata().map(|held| held.ino()).ok() {
            let file = directory.join(MEMORY);
            let mut memory = read(&file)?;
            // A bridge that went without us, as at a reboot of a host that keeps its /run, must not hold back the last.
            memory.networks.retain(|bridge| Path::new("/sys/class/net").join(bridge).is_dir());
            return Ok(Host { memory, file, _lock: lock });
        }
    }
}

/// Takes the lock, within a time, and writes into it who has it.
fn take(
    lock: &mut fs_err::File,
    timeout: Duration,
    cancel: &CancellationToken,
    say: &dyn Fn(&str),
) -> Result<(), LocalError> {
    let what = format!("lock {}", lock.path().display());
    let since = Instant::now();
    let mut said = false;
    loop {
        match lock.file().try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if cancel.is_cancelled() => return Err(LocalError::Cancelled),
            Err(TryLockError::WouldBlock) if since.elapsed() >= timeout => {
                return Err(LocalError::Busy { holder: holder(lock), seconds: timeout.as_secs() });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(LocalError::Io { what, source }),
        }
        if !said && since.elapsed() >= Duration::from_secs(1) {
            say(&format!("waiting for {}, which changes this host's networks", holder(lock)));
            said = true;
        }
        thread::sleep(LOOK_AGAIN);
    }
    // Only for those who wait: what cannot be written is left out.
    let _ = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
    Ok(())
}

/// Who has the lock, by what is written in it.
fn holder(lock: &mut fs_err::File) -> String {
    let mut text = String::new();
    let _ = lock.rewind().and_then(|()| lock.read_to_string(&mut text));
    let _ = lock.rewind();
    match text.trim().parse::<u32>() {
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_owned(),
    }
}

impl Host {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_put_back_after_its_bridge_went_remembers_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(MEMORY);
        assert!(!names(&file, "kw-dev").unwrap());
        let memory = Memory { networks: ["kw-dev".to_owned()].into(), ..Memory::default() };
        fs_err::write(&file, serde_json::to_vec(&memory).unwrap()).unwrap();
        assert!(names(&file, "kw-dev").unwrap() && !names(&file, "kw-dev2").unwrap());
        fs_err::write(&file, "").unwrap();
        assert!(names(&file, "kw-dev").is_err(), "what cannot be read is not taken for nothing");
    }

    #[test]
    fn a_lock_that_is_held_is_waited_for_in_vain_only_for_a_time_and_its_holder_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            let mut options = fs_err::OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).open(directory.path().join("lock")).unwrap()
        };
        let (mut held, mut waiting) = (open(), open());
        let cancel = CancellationToken::new();
        take(&mut held, Duration::ZERO, &cancel, &|_| {}).unwrap();
        let error = take(&mut waiting, Duration::ZERO, &cancel, &|_| {}).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        cancel.cancel();
        let error = take(&mut waiting, TIMEOUT, &cancel, &|_| {}).unwrap_err();
        assert!(matches!(error, LocalError::Cancelled));
        drop(held);
        take(&mut waiting, Duration::ZERO, &cancel, &|_| {}).unwrap();
    }
}
