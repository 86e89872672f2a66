//! Which process on which host holds a lease, and whether it is dead, as far as that can be known from here.

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

/// One process, told apart from every other on any host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    /// Random, new at every boot.
    pub boot_id: String,
    /// Process ids mean something only within it.
    pub pid_namespace: String,
    /// Its id there.
    pub process: u32,
    /// When it started, clock ticks since the boot: ids are given again, this is not.
    pub process_start: u64,
}

impl Host {
    /// This process. What cannot be found out stays empty; then nobody takes it for a process of their host.
    pub fn here() -> Self {
        let process = std::process::id();
        let boot_id = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs_err::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            boot_id: boot_id.trim().to_owned(),
            pid_namespace: namespace.to_string_lossy().into_owned(),
            process,
            process_start: read_stat(process).map_or(0, |stat| stat.start),
        }
    }

    /// Whether it is certain that this process is dead, asked by the process `asking`.
    pub(crate) fn is_dead(&self, asking: &Self) -> bool {
        let known = !self.boot_id.is_empty() && !self.pid_namespace.is_empty();
        if !known || self.boot_id != asking.boot_id || self.pid_namespace != asking.pid_namespace {
            return false;
        }
        let Some(pid) = i32::try_from(self.process).ok().and_then(Pid::from_raw) else { return false };
        // /proc may hide processes of other users; a signal's answer does not lie.
        if test_kill_process(pid) == Err(Errno::SRCH) {
            return true;
        }
        read_stat(self.process).is_some_and(|stat| stat.is_over || stat.start != self.process_start)
    }
}

struct Stat {
    /// Ended, and only not yet noticed by its parent.
    is_over: bool,
    start: u64,
}

/// State and start of a process: the third and 22nd field of proc_pid_stat(5).
fn read_stat(process: u32) -> Option<Stat> {
    let text = fs_err::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, with anything in it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let is_over = matches!(fields.next()?, "Z" | "X");
    Some(Stat { is_over, start: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_dead_only_when_that_is_certain() {
        let here = Host::here();
        assert!(here.process_start > 0 && !here.boot_id.is_empty());
        assert!(!here.is_dead(&here));
        let reused = Host { process_start: here.process_start + 1, ..here.clone() };
        assert!(reused.is_dead(&here));
        assert!(!Host { boot_id: "other".into(), ..reused.clone() }.is_dead(&here));
        assert!(!Host { pid_namespace: "other".into(), ..reused.clone() }.is_dead(&here));
        let unknown = Host { boot_id: String::new(), ..reused };
        assert!(!unknown.is_dead(&unknown));
    }

    #[test]
    fn a_killed_child_is_dead_before_and_after_it_is_reaped() {
        let here = Host::here();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let start = read_stat(child.id()).unwrap().start;
        let host = Host { process: child.id(), process_start: start, ..here.clone() };
        assert!(!host.is_dead(&here));
        child.kill().unwrap();
        while !host.is_dead(&here) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(host.is_dead(&here));
    }
}
