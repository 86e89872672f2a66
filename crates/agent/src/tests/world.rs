//! A machine that is a directory, and requests to the agent on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::rc::Rc;

use machine::{
    Content, Directory, File, GroupConfig, ItemState, MachineConfig, MachinePart, Reply, Request, Stage, Start, Step,
    Unit,
};

use super::programs::{FakePrograms, State};
use crate::serve;
use crate::system::System;

/// The key of the tests' secrets.
pub(crate) const KEY: &str = "00112233";

/// The machine.
pub(crate) struct World {
    root: tempfile::TempDir,
    pub(crate) system: System,
    pub(crate) state: Rc<RefCell<State>>,
}

impl World {
    pub(crate) fn new() -> Self {
        // In memory where that is possible: the agent flushes to disk what it writes.
        let root = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let state = Rc::new(RefCell::new(State::default()));
        let programs = FakePrograms { root: root.path().into(), state: Rc::clone(&state) };
        let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let world = Self { system: System::fake(root.path(), Box::new(programs), owner), root, state };
        world.write("/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n");
        world.write("/etc/hostname", "localhost\n");
        world.write("/proc/sys/kernel/hostname", "localhost\n");
        world.write("/proc/sys/kernel/osrelease", "6.12.0\n");
        world.write("/proc/sys/net/ipv4/ip_forward", "0\n");
        world.write("/proc/meminfo", "MemTotal:        8388608 kB\n");
        world.write("/proc/swaps", "Filename\n");
        world.write("/var/lib/dpkg/status", "Package: base\nStatus: install ok installed\n\n");
        world.write("/etc/systemd/system/multi-user.target.wants/.keep", "");
        world.write("/usr/lib/systemd/system/.keep", "");
        world
    }

    pub(crate) fn at(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let at = self.at(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let at = self.at(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(target, at).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    pub(crate) fn chmod(&self, path: &str, mode: u32) {
        std::fs::set_permissions(self.at(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        std::fs::metadata(self.at(path)).unwrap().mode() & 0o7777
    }

    pub(crate) fn inode(&self, path: &str) -> u64 {
        std::fs::metadata(self.at(path)).unwrap().ino()
    }

    pub(crate) fn killed(&self) -> Vec<i32> {
        self.state.borrow().killed.clone()
    }

    pub(crate) fn terminated(&self) -> Vec<i32> {
        self.state.borrow().terminated.clone()
    }

    pub(crate) fn unmounted(&self) -> Vec<String> {
        self.state.borrow().unmounted.clone()
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.borrow_mut().calls)
    }

    /// Everything in the tree: type, mode and content by path. Loaded modules stay loaded, so they don't count.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        self.walk(self.root.path(), &mut tree);
        tree.retain(|path, _| !path.starts_with("/sys"));
        tree
    }

    fn walk(&self, directory: &Path, tree: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let at = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&at).unwrap();
            let what = if metadata.is_symlink() {
                format!("-> {}", std::fs::read_link(&at).unwrap().display())
            } else if metadata.is_dir() {
                self.walk(&at, tree);
                format!("directory {:o}", metadata.mode())
            } else {
                let bytes = std::fs::read(&at).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                // The kernel ends its lines itself.
                let text = if at.starts_with(self.at("/proc")) { text.trim_end() } else { &text };
                format!("{:o} {text}", metadata.mode())
            };
            tree.insert(format!("/{}", at.strip_prefix(self.root.path()).unwrap().display()), what);
        }
    }

    /// Expects the tree to be what it was; says only what is different.
    #[track_caller]
    pub(crate) fn assert_tree(&self, before: &BTreeMap<String, String>, when: &str) {
        let after = self.tree();
        let paths = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
        let other = paths.filter(|path| before.get(*path) != after.get(*path));
        let other: Vec<_> = other.map(|path| (path, before.get(path), after.get(path))).collect();
        assert!(other.is_empty(), "{when}: {other:#?}");
    }

    /// All replies to a request, after the hello.
    pub(crate) fn ask(&self, request: &Request) -> Vec<Reply> {
        let mut output = Vec::new();
        let input = serde_json::to_vec(request).unwrap();
        let good = serve::serve(&self.system, &mut input.as_slice(), &mut output);
        let text = String::from_utf8(output).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(r#"{"kubewrightAgent":1}"#));
        let replies: Vec<Reply> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(good, !matches!(replies.last(), Some(Reply::Failed { .. })));
        replies
    }

    pub(crate) fn apply(&self, config: &MachineConfig) -> Vec<Reply> {
        self.ask(&apply(config, 1, "lineage-a"))
    }

    /// Applies, and expects that it works; the items that were changed.
    pub(crate) fn applied(&self, config: &MachineConfig) -> Vec<String> {
        let replies = self.apply(config);
        assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
        changed(&replies)
    }

    /// The items that are not the same, with the names of their fields.
    pub(crate) fn drift(&self, config: &MachineConfig) -> Vec<String> {
        let replies = self.ask(&observe(config, false));
        let Some(Reply::Observed { items, .. }) = replies.last() else { panic!("{replies:?}") };
        let differing = items.iter().filter(|(_, state)| **state != ItemState::Same);
        differing.map(|(item, state)| format!("{item} {}", in_words(state))).collect()
    }

    pub(crate) fn reset(&self) -> Vec<Reply> {
        self.ask(&Request::Reset { epoch: 1 })
    }

    pub(crate) fn run(&self, steps: Vec<Step>) -> Vec<Reply> {
        self.ask(&Request::Run { steps, epoch: 1 })
    }
}

pub(crate) fn apply(config: &MachineConfig, epoch: u64, lineage: &str) -> Request {
    let config = Box::new(config.clone());
    Request::Apply { config, digest_key: KEY.into(), epoch, lineage: lineage.into(), etcd_recorded: false }
}

pub(crate) fn observe(config: &MachineConfig, deep: bool) -> Request {
    Request::Observe {
        config: Box::new(config.clone()),
        digest_key: KEY.into(),
        deep,
        probe: vec!["/etc/hostname".into(), "/nix".into()],
    }
}

pub(crate) fn changed(replies: &[Reply]) -> Vec<String> {
    let changed = replies.iter().filter_map(|reply| match reply {
        Reply::Changed { item, done } => Some(format!("{item} {done}")),
        _ => None,
    });
    changed.collect()
}

fn in_words(state: &ItemState) -> String {
    match state {
        // The text goes along with the content that it is.
        ItemState::Differs { fields } => {
            fields.keys().filter(|field| *field != "text").cloned().collect::<Vec<_>>().join(",")
        }
        other => format!("{other:?}").to_lowercase(),
    }
}

pub(crate) fn text(text: &str) -> File {
    file(Content::Text(text.into()), "0644")
}

pub(crate) fn secret(mode: &str) -> File {
    // "hunter2"
    file(Content::Secret("aHVudGVyMg==".into()), mode)
}

fn file(content: Content, mode: &str) -> File {
    File { content, mode: mode.into(), stage: Stage::Base, create_only: false, restarts: vec![] }
}

/// A config with something of everything.
pub(crate) fn config() -> MachineConfig {
    let kubelet = Unit {
        enabled: true,
        start: Start::OnceAnyExists(vec![
            "/etc/kubernetes/kubelet.conf".into(),
            "/etc/kubernetes/bootstrap.conf".into(),
        ]),
        after: vec!["containerd.service".into()],
        reloads: false,
    };
    let mut manifest = text("image: x\n");
    manifest.stage = Stage::Manifest;
    let mut settings = text("node={{nodeName}} ip={{nodeIP}} driver={{cgroupDriver}}\n");
    settings.restarts = vec!["kubelet.service".into()];
    let mut rotated = text("first\n");
    rotated.create_only = true;
    let files = [
        ("/etc/systemd/system/containerd.service", text("[Service]\n")),
        ("/etc/systemd/system/kubelet.service", text("[Service]\n")),
        ("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", text("[Service]\n")),
        ("/var/lib/kubelet/config.yaml", settings),
        ("/etc/kubernetes/manifests/static.yaml", manifest),
        ("/etc/kubernetes/kubelet.conf", rotated),
    ];
    let directory = |mode: &str| Directory { mode: mode.into() };
    MachineConfig {
        group: GroupConfig {
            packages: vec!["base".into(), "socat".into()],
            kernel_modules: vec!["overlay".into(), "br_netfilter".into()],
            sysctls: [("net.ipv4.ip_forward".to_string(), "1".to_string())].into(),
            swap_off: true,
            directories: [
                ("/etc/kubernetes".to_string(), directory("0755")),
                ("/var/lib/etcd".to_string(), directory("0700")),
            ]
            .into(),
            files: files.map(|(path, file)| (path.to_string(), file)).into(),
            units: [
                (
                    "containerd.service".to_string(),
                    Unit { enabled: true, start: Start::Always, after: vec![], reloads: false },
                ),
                ("kubelet.service".to_string(), kubelet),
                (
                    "haproxy.service".to_string(),
                    Unit { enabled: false, start: Start::Never, after: vec![], reloads: false },
                ),
            ]
            .into(),
            gates: vec![],
        },
        machine: MachinePart {
            node_name: "cp-1".into(),
            node_ips: vec!["10.0.0.1".into()],
            files: [("/etc/kubernetes/pki/apiserver.key".to_string(), secret("0600"))].into(),
        },
    }
}
