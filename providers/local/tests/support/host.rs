//! What this host looks like, for comparing before and after.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::process::Command;

/// What this host looks like.
pub(crate) struct Snapshot(BTreeMap<&'static str, Vec<String>>);

/// Settings that machines or networks may change.
const SETTINGS: &str = "net.ipv4.ip_forward kernel.panic kernel.panic_on_oops vm.overcommit_memory vm.panic_on_oom \
    kernel.keys.root_maxkeys kernel.keys.root_maxbytes fs.inotify.max_user_instances fs.inotify.max_user_watches \
    kernel.pid_max kernel.sysrq kernel.core_pattern net.core.default_qdisc fs.protected_hardlinks \
    net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.forwarding kernel.hostname";

impl Snapshot {
    /// Looks at the host now. Lines that name only what changes by itself are left out.
    pub(crate) fn take() -> Self {
        let shell = |script: &str| {
            let output = Command::new("sh").args(["-c", script]).output().unwrap();
            let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        Self(BTreeMap::from([
            (
                "processes",
                shell(
                    "ps -eo args | grep -E 'nspawn|kubewright-machine|^/usr/lib/systemd|sshd: /usr/sbin/sshd -D' | grep -v -e grep -e defunct",
                ),
            ),
            ("mounts", shell("cut -d' ' -f4-5,9- /proc/self/mountinfo")),
            ("links", shell("ip -o link show | cut -d: -f2-3 | sed 's/state.*//'")),
            ("addresses", shell("ip -o address show | cut -d' ' -f2-7")),
            ("routes", shell("ip route show table all | sed 's/expires.*//'")),
            ("rules", shell("nft list ruleset")),
            ("cgroups", shell("find /sys/fs/cgroup -type d | grep -v process_api")),
            ("settings", shell(&format!("sysctl {SETTINGS}"))),
            ("run", shell("find /run/systemd/nspawn /run/kubewright 2>/dev/null")),
        ]))
    }

    /// Fails with what differs.
    pub(crate) fn assert_same(&self, before: &Self) {
        for (what, lines) in &self.0 {
            let old = &before.0[what];
            let more: Vec<_> = lines.iter().filter(|line| !old.contains(line)).collect();
            let less: Vec<_> = old.iter().filter(|line| !lines.contains(line)).collect();
            assert!(more.is_empty() && less.is_empty(), "{what}: new {more:#?}, gone {less:#?}");
        }
    }
}
