//! Ends machines: stopping keeps their data, removing leaves nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::Home;
use super::process::{self, Supervisor};
use super::veth;
use crate::{LocalError, cgroup};

/// How long a machine may take to power off before it is killed.
const POWER_OFF: Duration = Duration::from_secs(10);
/// How often a machine is asked to power off.
const ASKED_AGAIN: Duration = Duration::from_secs(2);
/// How long a killed machine may take to be gone.
const KILLED: Duration = Duration::from_secs(10);

/// Powers a machine off and keeps its data; fine where it does not run.
pub(crate) fn stop(home: &Home, layout: &cgroup::Layout) -> Result<(), LocalError> {
    if let Some(supervisor) = process::find(home)? {
        let until = Instant::now() + POWER_OFF;
        let mut ended = false;
        while !ended && Instant::now() < until {
            // Asked again: a machine in the first moments of its boot does not listen to signals yet.
            supervisor.power_off()?;
            ended = gone(&supervisor, ASKED_AGAIN);
        }
        if !ended {
            kill(home, &supervisor)?;
        }
    }
    clear(home, layout)
}

/// Ends a machine and removes everything of it; fine where it is gone already.
///
/// It is killed at once: nothing that powering off would save outlives its directories.
pub(crate) fn remove(home: &Home, layout: &cgroup::Layout) -> Result<(), LocalError> {
    if let Some(supervisor) = process::find(home)? {
        kill(home, &supervisor)?;
    }
    clear(home, layout)?;
    // Nothing is mounted there on the host unless somebody did it by hand; removing would reach through it.
    if let Some(mount) = mounts_below(home.directory())?.into_iter().next() {
        return Err(LocalError::Mounted(mount));
    }
    let what = || format!("remove {}", home.directory().display());
    match fs_err::remove_dir_all(home.directory()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LocalError::Io { what: what(), source: error }),
        _ => {
            if let Some(cluster) = home.directory().parent() {
                let _ = fs_err::remove_dir(cluster); // It stays while the cluster has other machines.
            }
            Ok(())
        }
    }
}

fn kill(home: &Home, supervisor: &Supervisor) -> Result<(), LocalError> {
    let until = Instant::now() + KILLED;
    while Instant::now() < until {
        // Asked again each time: a supervisor that was killed before its machine had a process 1 may just have got one.
        supervisor.kill();
        if gone(supervisor, Duration::from_millis(500)) {
            return Ok(());
        }
    }
    Err(LocalError::StillRunning(home.name.clone()))
}

fn gone(supervisor: &Supervisor, timeout: Duration) -> bool {
    let until = Instant::now() + timeout;
    while supervisor.runs() {
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Removes what a machine that does not run any more leaves outside its directories.
fn clear(home: &Home, layout: &cgroup::Layout) -> Result<(), LocalError> {
    let _ = fs_err::remove_file(home.pid_file());
    // systemd-nspawn leaves these where /run is not a tmpfs. They are empty, or they stay.
    for directory in ["propagate", "unix-export"] {
        let _ = fs_err::remove_dir(Path::new("/run/systemd/nspawn").join(directory).join(home.machine_name()));
    }
    veth::unplug(home)?;
    cgroup::remove(layout, &home.owner, &home.name)?;
    cgroup::remove_empty_parents(layout, &home.owner);
    Ok(())
}

fn mounts_below(directory: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let table = fs_err::read_to_string("/proc/self/mountinfo").map_err(LocalError::io("read the mount table"))?;
    Ok(below(&table, directory))
}

/// Mount points at or below a directory.
fn below(table: &str, directory: &Path) -> Vec<PathBuf> {
    let mounts = table.lines().filter_map(|line| line.split(' ').nth(4));
    // The table writes blanks in octal.
    mounts
        .map(|mount| PathBuf::from(mount.replace("\\040", " ")))
        .filter(|mount| mount.starts_with(directory))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_below_a_machine_is_seen() {
        let table = "22 1 8:1 / / rw - ext4 /dev/sda rw\n30 22 0:40 / /s/dev/cp-1/root rw - overlay o rw\n31 22 0:40 / /s/dev/cp-10 rw - overlay o rw";
        assert_eq!(below(table, Path::new("/s/dev/cp-1")), [PathBuf::from("/s/dev/cp-1/root")]);
    }

    #[test]
    fn removing_what_is_not_there_is_fine() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path(), "dev", "cp-1");
        remove(&home, &cgroup::Layout::V1(Vec::new())).unwrap();
    }
}
