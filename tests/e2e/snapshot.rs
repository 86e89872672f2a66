//! What a host looks like: everything that machines and networks could leave behind. Only in directories that every program
//! writes to does it go by names: what kubewright is to put there while it is told of has a place of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::machines;

/// Lines that describe the host, by what they are about.
pub(crate) struct Snapshot {
    /// Where stories have their temporary files.
    temporary: PathBuf,
    lines: BTreeSet<String>,
}

impl Snapshot {
    /// Looks at the host. All temporary files of stories are in `temporary`.
    pub(crate) fn take(temporary: &Path) -> Self {
        let mut lines = BTreeSet::new();
        let mut add = |what: &str, text: &str| {
            lines.extend(
                text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{what}: {line}")),
            );
        };
        add("mount", &mounts());
        add("link", &output("ip", &["-o", "link", "show"], |line| line.split(':').nth(1).map(str::to_owned)));
        add("route", &output("ip", &["-4", "route", "show", "table", "all"], |line| Some(line.to_owned())));
        add("nft", &output("nft", &["list", "ruleset"], |line| Some(line.to_owned())));
        add("cgroup", &cgroups());
        add("listening", &output("ss", &["-Hltn"], |line| line.split_whitespace().nth(3).map(str::to_owned)));
        add("process", &processes());
        add("sysctl", &sysctls());
        add("file", &files(temporary));
        Self { temporary: temporary.to_owned(), lines }
    }

    /// What of the host is still not as it was, of all that is `ours`.
    pub(crate) fn left(&self, ours: impl Fn(&str) -> bool) -> Vec<String> {
        // The host's first process takes a moment to reap what was ended.
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let mut left = self.differences(&Self::take(&self.temporary));
            left.retain(|line| ours(line));
            if left.is_empty() || Instant::now() >= until {
                return left;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// What is in one of the two only.
    fn differences(&self, after: &Self) -> Vec<String> {
        let gone = self.lines.difference(&after.lines).map(|line| format!("- {line}"));
        let new = after.lines.difference(&self.lines).map(|line| format!("+ {line}"));
        gone.chain(new).collect()
    }
}

fn output(program: &str, arguments: &[&str], pick: impl Fn(&str) -> Option<String>) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return String::new() };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(pick).collect::<Vec<_>>().join("\n")
}

/// systemd-nspawn makes these with the first machine of a host, and keeps them for the next ones.
const KEPT_BY_SYSTEMD: [&str; 2] = ["/run/systemd/nspawn/locks", "/run/systemd/nspawn/propagate"];

/// What lies where programs leave things behind, outside the asset cache. Not deeper: others write there too.
fn files(temporary: &Path) -> String {
    let own = ["/run", "/run/netns", "/run/systemd/nspawn", "/etc", "/etc/systemd/system", "/var/lib"];
    let mut found: Vec<String> = own.iter().map(Path::new).chain([temporary]).flat_map(entries).collect();
    let everybodys = ["/tmp", "/var/tmp", "/root"];
    found.extend(everybodys.iter().map(Path::new).flat_map(entries).filter(|path| is_named_like_ours(path)));
    found.retain(|path| !KEPT_BY_SYSTEMD.contains(&path.as_str()));
    found.join("\n")
}

/// Whether a file has a name that kubewright, its tests or the library that they make temporary files with would give it.
fn is_named_like_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.contains("kubewright") || name.starts_with(".tmp")
}

fn entries(directory: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path().display().to_string())
}

fn mounts() -> String {
    let text = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').nth(1)).collect::<Vec<_>>().join("\n")
}

fn cgroups() -> String {
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), 0, &mut found);
    found.join("\n")
}

fn walk(directory: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        found.push(entry.path().display().to_string());
        if depth < 1 {
            walk(&entry.path(), depth + 1, found);
        }
    }
}

/// Programs that machines are made of. Other processes of the host come and go by themselves, and zombies have ended.
fn processes() -> String {
    const MACHINES: [&str; 6] = ["systemd-nspawn", "containerd", "kubelet", "kube-apiserver", "etcd", "kubewright"];
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let process = entry.file_name().to_string_lossy().into_owned();
        if MACHINES.iter().any(|program| name.starts_with(program)) && process.parse().is_ok_and(machines::lives) {
            found.push(format!("{process} {}", name.trim()));
        }
    }
    found.join("\n")
}

fn sysctls() -> String {
    ["net/ipv4/ip_forward", "kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom"]
        .iter()
        .map(|name| {
            let value = std::fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
            format!("{name} = {}", value.trim())
        })
        .collect::<Vec<_>>()
        .join("\n")
}
