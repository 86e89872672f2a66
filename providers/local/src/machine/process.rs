//! The processes of a machine: its supervisor (systemd-nspawn) and its leader (the machine's process 1).

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Home;
use crate::{LocalError, command};

/// `SIGRTMIN+4`: asks a machine's systemd to power off. The number is that of the GNU C library inside the machine.
const POWER_OFF: &str = "-38";

/// The supervisor of a machine: a process that is what its pid file says, and not another one with a recycled id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Supervisor {
    pid: i32,
    start: u64,
    marker: String,
}

/// The supervisor of a machine, if it runs.
pub(super) fn find(home: &Home) -> Result<Option<Supervisor>, LocalError> {
    let file = home.pid_file();
    let text = match fs_err::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LocalError::Io { what: format!("read {}", file.display()), source }),
    };
    let marker = argument(&home.machine_name());
    Ok(read_pid_file(&text).map(|(pid, start)| Supervisor { pid, start, marker }).filter(Supervisor::runs))
}

/// The argument by which a machine's supervisor is known.
pub(super) fn argument(machine_name: &str) -> String {
    format!("--machine={machine_name}")
}

/// Process id and start time, as the start script writes them.
fn read_pid_file(text: &str) -> Option<(i32, u64)> {
    let (pid, start) = text.trim().split_once(' ')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

/// State and start time (clock ticks since boot) from /proc/<pid>/stat. The name before them may contain anything.
fn read_stat(text: &str) -> Option<(char, u64)> {
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Whether a command line (arguments ended by zero bytes) has `argument`.
fn has_argument(command_line: &[u8], argument: &str) -> bool {
    command_line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
}

impl Supervisor {
    /// Whether it still runs: same start time, same command line, not a zombie.
    pub(super) fn runs(&self) -> bool {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let alive = read_stat(&stat).is_some_and(|(state, start)| !matches!(state, 'Z' | 'X') && start == self.start);
        if !alive {
            return false;
        }
        let command_line = fs_err::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        // It is empty in the middle of an exec, of which a start has several.
        command_line.is_empty() || has_argument(&command_line, &self.marker)
    }

    /// The machine's process 1, once there is one.
    pub(super) fn leader(&self) -> Option<i32> {
        children(self.pid).into_iter().find(|pid| is_leader(*pid))
    }

    /// Asks the machine to power off; nothing happens while it has no process 1 yet.
    pub(super) fn power_off(&self) -> Result<(), LocalError> {
        let Some(leader) = self.leader().filter(|_| self.runs()) else { return Ok(()) };
        // A process that ended meanwhile needs no signal.
        match command::run("sh", &["-c", &format!("kill {POWER_OFF} {leader}")]) {
            Err(LocalError::ProgramFailed { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Kills the machine: with its process 1 the kernel ends all its processes, and the supervisor follows.
    pub(super) fn kill(&self) {
        match self.leader().filter(|_| self.runs()) {
            Some(leader) => kill(leader, || self.leader() == Some(leader)),
            None => kill(self.pid, || self.runs()),
        }
    }
}

/// The children of a process, as the kernel lists them; one that was built without that list (`PROC_CHILDREN`) shows each
/// process' parent.
fn children(parent: i32) -> Vec<i32> {
    let Ok(children) = fs_err::read_to_string(format!("/proc/{parent}/task/{parent}/children")) else {
        return children_by_parent(parent);
    };
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn children_by_parent(parent: i32) -> Vec<i32> {
    let processes = fs_err::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        read_parent(&stat) == Some(parent)
    };
    pids.filter(is_child).collect()
}

/// The parent's id from /proc/<pid>/stat: the second field after the name.
fn read_parent(text: &str) -> Option<i32> {
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process is number 1 of a process namespace below ours.
fn is_leader(pid: i32) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

/// Kills one process; `same` is asked after it is held, so that a recycled id is not hit.
fn kill(pid: i32, same: impl Fn() -> bool) {
    let Some(held) = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return };
    if same() {
        let _ = pidfd_send_signal(held, Signal::KILL); // It may have ended by itself.
    }
}

/// Directories of machines whose supervisors run on this host, by their command lines.
pub(crate) fn supervisors() -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir("/proc").into_iter().flatten().flatten() {
        let command_line = fs_err::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
        let text = |prefix: &str| {
            let word = words.iter().find_map(|word| word.strip_prefix(prefix.as_bytes()))?;
            Some(String::from_utf8_lossy(word).into_owned())
        };
        let is_nspawn = words
            .first()
            .is_some_and(|program| Path::new(&*String::from_utf8_lossy(program)).ends_with("systemd-nspawn"));
        if let (true, Some(name), Some(root)) = (is_nspawn, text("--machine=kw-"), text("--directory=")) {
            let mut line = root.strip_suffix("/root").unwrap_or(&root).to_owned();
            let _ = write!(line, " (kw-{name})");
            found.push(line);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_whatever_the_process_is_called() {
        let stat = "4321 (a) b (c) S 1 4321 4321 0 -1 4194560 120 0 0 0 1 2 3 4 20 0 1 0 987654 2 3";
        assert_eq!(read_stat(stat), Some(('S', 987_654)));
        assert_eq!(read_stat(""), None);
    }

    #[test]
    fn a_kernel_without_a_list_of_children_shows_the_same_ones_by_their_parents() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let found = children_by_parent(own);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&i32::try_from(child.id()).unwrap()), "{found:?}");
        assert_eq!(read_parent("4321 (a) b (c) S 17 4321 4321"), Some(17));
    }

    #[test]
    fn a_recycled_process_id_is_not_taken_for_the_machine() {
        let own = i32::try_from(std::process::id()).unwrap();
        let stat = fs_err::read_to_string("/proc/self/stat").unwrap();
        let start = read_stat(&stat).unwrap().1;
        let argument = std::env::args().next().unwrap();
        let own = Supervisor { pid: own, start, marker: argument };
        assert!(own.runs());
        assert!(!Supervisor { start: start + 1, ..own.clone() }.runs());
        assert!(!Supervisor { marker: "--machine=kw-dev-cp-1".into(), ..own }.runs());
    }

    #[test]
    fn an_argument_must_match_as_a_whole() {
        assert!(has_argument(b"systemd-nspawn\0--machine=kw-a\0", "--machine=kw-a"));
        assert!(!has_argument(b"systemd-nspawn\0--machine=kw-ab\0", "--machine=kw-a"));
    }

    #[test]
    fn a_pid_file_is_two_numbers() {
        assert_eq!(read_pid_file("12 345\n"), Some((12, 345)));
        assert_eq!(read_pid_file("12"), None);
    }
}
