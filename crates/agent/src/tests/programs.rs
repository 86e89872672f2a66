//! A systemd, a package system and a kernel that keep their state in a directory.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::programs::{Programs, Ran};

/// What does not stand in the tree.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// For each restart, whether process 41 ran then.
    pub(crate) beside_restarts: Vec<bool>,
    /// How often the API server still refuses a client.
    pub(crate) refusals: usize,
    /// Every program that was run.
    pub(crate) calls: Vec<String>,
    /// The program at which the agent dies.
    pub(crate) dies_at: Option<usize>,
    /// Whether that program still did its work.
    pub(crate) dies_late: bool,
    pub(crate) killed: Vec<i32>,
    pub(crate) terminated: Vec<i32>,
    pub(crate) unmounted: Vec<String>,
    /// Unit files that systemd has read.
    pub(crate) loaded: BTreeSet<String>,
    pub(crate) running: BTreeSet<String>,
    pub(crate) broken: BTreeSet<String>,
    /// Somebody holds dpkg's lock.
    pub(crate) dpkg_is_locked: bool,
    pub(crate) oneshot: BTreeSet<String>,
    pub(crate) started: BTreeMap<String, usize>,
    /// Units that the boot is about to start, when it has been asked for so often whether it has ended.
    pub(crate) booting: Option<(usize, Vec<String>)>,
}

/// The fake.
pub(crate) struct FakePrograms {
    pub(crate) root: PathBuf,
    pub(crate) state: Rc<RefCell<State>>,
}

const WANTS: &str = "etc/systemd/system/multi-user.target.wants";

impl FakePrograms {
    fn unit_file(&self, name: &str) -> Option<PathBuf> {
        ["etc/systemd/system", "usr/lib/systemd/system"]
            .iter()
            .map(|directory| self.root.join(directory).join(name))
            .find(|path| path.is_symlink() || path.exists())
    }

    fn masked(&self, name: &str) -> bool {
        self.root.join("etc/systemd/system").join(name).is_symlink()
    }

    fn reload(&self) {
        for directory in ["etc/systemd/system", "usr/lib/systemd/system"] {
            for entry in std::fs::read_dir(self.root.join(directory)).into_iter().flatten().flatten() {
                self.state.borrow_mut().loaded.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
        self.state.borrow_mut().loaded.retain(|name| self.unit_file(name).is_some());
    }

    fn show(&self, name: &str) -> String {
        let state = self.state.borrow();
        let known = state.loaded.contains(name);
        let load = match (known, self.masked(name)) {
            (false, _) => "not-found",
            (true, true) => "masked",
            (true, false) => "loaded",
        };
        let (active, sub) = match (state.running.contains(name), state.broken.contains(name)) {
            (true, _) => ("active", "running"),
            (false, true) if state.started.contains_key(name) => ("failed", "failed"),
            _ => ("inactive", "dead"),
        };
        let file = match (known, self.masked(name), self.root.join(WANTS).join(name).is_symlink()) {
            (false, ..) => "",
            (_, true, _) => "masked",
            (_, _, true) => "enabled",
            (_, _, false) => "disabled",
        };
        let kind = if state.oneshot.contains(name) { "oneshot" } else { "notify" };
        format!(
            "Type={kind}\nRemainAfterExit=no\nLoadState={load}\nActiveState={active}\nSubState={sub}\nUnitFileState={file}\n"
        )
    }

    fn switch(&self, verb: &str, name: &str) -> bool {
        let mut state = self.state.borrow_mut();
        if verb == "restart" {
            state.beside_restarts.push(self.root.join("proc/41").exists());
        }
        match verb {
            "stop" => {
                state.running.remove(name);
                true
            }
            "try-restart" if !state.running.contains(name) => true,
            _ => {
                *state.started.entry(name.into()).or_default() += 1;
                let good = state.loaded.contains(name) && !state.broken.contains(name) && !self.masked(name);
                if good {
                    state.running.insert(name.into());
                } else {
                    state.running.remove(name);
                }
                good
            }
        }
    }

    /// How far the boot is; it goes on each time that somebody asks.
    fn boot(&self) -> &'static str {
        let mut state = self.state.borrow_mut();
        match state.booting.take() {
            Some((0, units)) => state.running.extend(units),
            Some((looks, units)) => state.booting = Some((looks - 1, units)),
            None => return "degraded\n",
        }
        "starting\n"
    }

    fn systemctl(&self, verb: &str, names: &[&str]) -> Ran {
        let good = Ran { ok: true, ..Ran::default() };
        match verb {
            "show" => {
                let blocks: Vec<String> = names.iter().map(|name| self.show(name)).collect();
                return Ran { stdout: blocks.join("\n"), ..good };
            }
            "daemon-reload" => self.reload(),
            "enable" => {
                for name in names {
                    let Some(file) = self.unit_file(name) else { return Ran::default() };
                    std::os::unix::fs::symlink(file, self.root.join(WANTS).join(name)).unwrap();
                }
                self.reload();
            }
            "disable" => names.iter().for_each(|name| drop(std::fs::remove_file(self.root.join(WANTS).join(name)))),
            "mask" => {
                for name in names {
                    std::os::unix::fs::symlink("/dev/null", self.root.join("etc/systemd/system").join(name)).unwrap();
                    // Swap units are stopped by --now.
                    let _ = std::fs::write(self.root.join("proc/swaps"), "Filename\n");
                }
                self.reload();
            }
            "unmask" => {
                for name in names.iter().filter(|name| self.masked(name)) {
                    std::fs::remove_file(self.root.join("etc/systemd/system").join(name)).unwrap();
                }
                self.reload();
            }
            "is-system-running" => return Ran { stdout: self.boot().into(), ok: false, ..good },
            "list-units" => return Ran { stdout: "dev-vda2.swap loaded active active Swap\n".into(), ..good },
            _ => return Ran { ok: names.iter().all(|name| self.switch(verb, name)), ..good },
        }
        good
    }

    fn packages(&self, edit: impl FnOnce(&mut String)) {
        let path = self.root.join("var/lib/dpkg/status");
        let mut status = std::fs::read_to_string(&path).unwrap();
        edit(&mut status);
        std::fs::write(&path, status).unwrap();
    }
}

impl Programs for FakePrograms {
    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<Ran> {
        let number = self.state.borrow().calls.len();
        self.state.borrow_mut().calls.push(format!("{program} {}", arguments.join(" ")));
        let dies = self.state.borrow().dies_at == Some(number);
        let dies_late = self.state.borrow().dies_late;
        assert!(!dies || dies_late, "killed");
        let ran = self.ran(program, arguments);
        assert!(!dies, "killed");
        ran
    }

    fn set_hostname(&self, name: &str) -> io::Result<()> {
        std::fs::write(self.root.join("proc/sys/kernel/hostname"), format!("{name}\n"))
    }

    fn unmount(&self, path: &Path) -> io::Result<()> {
        let path = format!("/{}", path.strip_prefix(&self.root).unwrap().display());
        self.state.borrow_mut().unmounted.push(path);
        Ok(())
    }

    fn kill(&self, pid: i32) -> io::Result<()> {
        self.state.borrow_mut().killed.push(pid);
        Ok(())
    }

    fn terminate(&self, pid: i32) -> io::Result<()> {
        self.state.borrow_mut().terminated.push(pid);
        std::fs::remove_dir_all(self.root.join(format!("proc/{pid}")))
    }
}

impl FakePrograms {
    fn ran(&self, program: &str, arguments: &[&str]) -> io::Result<Ran> {
        let names = arguments.iter().position(|word| *word == "--").map_or(&[][..], |at| &arguments[at + 1..]);
        match program {
            "systemctl" => return Ok(self.systemctl(arguments[0], names)),
            "modprobe" => {
                for name in names {
                    std::fs::create_dir_all(self.root.join("sys/module").join(name)).unwrap();
                }
            }
            "apt-get" => {
                let at = arguments.iter().position(|word| *word == "install").unwrap();
                let names = arguments[at + 1..].iter().flat_map(|name| [(*name).to_string(), format!("lib{name}")]);
                if arguments.contains(&"--simulate") {
                    let lines: Vec<String> = names.map(|name| format!("Inst {name} (1)")).collect();
                    let stdout = lines.join("\n");
                    return Ok(Ran { ok: true, stdout, ..Ran::default() });
                }
                self.packages(|status| {
                    for name in names {
                        write!(status, "Package: {name}\nStatus: install ok installed\n\n").unwrap();
                    }
                });
            }
            "dpkg" if self.state.borrow().dpkg_is_locked => {
                let stderr = "dpkg: error: dpkg frontend lock was locked by another process with pid 7\n".into();
                return Ok(Ran { stderr, ..Ran::default() });
            }
            "dpkg" => self.packages(|status| {
                for name in &arguments[1..] {
                    *status = status.replace(&format!("Package: {name}\nStatus: install ok installed\n\n"), "");
                }
            }),
            "journalctl" => return Ok(Ran { ok: true, stdout: "it says why\n".into(), ..Ran::default() }),
            "crictl" => {
                assert_eq!(arguments[..2], ["ps", "--all"], "the agent only lists containers");
                let stdout = "CONTAINER  STATE   NAME\n6fd01       Exited  etcd\n".into();
                return Ok(Ran { ok: true, stdout, ..Ran::default() });
            }
            "kubectl" => {
                let clients = self.root.join("etc/kubernetes/manifests/kube-scheduler.yaml");
                assert!(!clients.exists(), "a client was started before the API server let it");
                let mut state = self.state.borrow_mut();
                let ok = state.refusals == 0;
                state.refusals = state.refusals.saturating_sub(1);
                return Ok(Ran { ok, stderr: "Error from server (Forbidden)\n".into(), ..Ran::default() });
            }
            "swapon" => std::fs::write(self.root.join("proc/swaps"), "Filename\n/dev/vda2 partition\n")?,
            _ => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(Ran { ok: true, ..Ran::default() })
    }
}
