//! The few effects that are not plain file access: programs of the operating system and four system calls.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::mount::UnmountFlags;
use rustix::process::{Pid, Signal};

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) ok: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The last lines of what it said, for a failure.
    pub(crate) fn tail(&self) -> Vec<String> {
        let lines: Vec<&str> =
            self.stdout.lines().chain(self.stderr.lines()).filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(20)..].iter().map(ToString::to_string).collect()
    }
}

/// What the agent asks of the machine besides reading and writing files.
pub(crate) trait Programs {
    /// Runs a program to its end. An error means that it could not be started.
    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<Ran>;
    /// Sets the kernel's host name.
    fn set_hostname(&self, name: &str) -> io::Result<()>;
    /// Takes a mount away, even a busy one.
    fn unmount(&self, path: &Path) -> io::Result<()>;
    /// Ends a process at once.
    fn kill(&self, pid: i32) -> io::Result<()>;
    /// Asks a process to end.
    fn terminate(&self, pid: i32) -> io::Result<()>;
}

/// The real machine.
pub(crate) struct RealPrograms;

impl Programs for RealPrograms {
    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<Ran> {
        // A login without a shell profile may lack the sbin directories; and output is only read in English.
        let output = Command::new(program)
            .args(arguments)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("SYSTEMD_COLORS", "0")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot run {program}: {error}")))?;
        Ok(Ran {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn set_hostname(&self, name: &str) -> io::Result<()> {
        Ok(rustix::system::sethostname(name.as_bytes())?)
    }

    fn unmount(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(path, UnmountFlags::DETACH)?)
    }

    fn kill(&self, pid: i32) -> io::Result<()> {
        signal(pid, Signal::KILL)
    }

    fn terminate(&self, pid: i32) -> io::Result<()> {
        signal(pid, Signal::TERM)
    }
}

fn signal(pid: i32, signal: Signal) -> io::Result<()> {
    let pid = Pid::from_raw(pid).filter(|pid| !pid.is_init()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, signal)?)
}
