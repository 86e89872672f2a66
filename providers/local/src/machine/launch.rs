//! Starts a machine's supervisor so that it outlives this process.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Home, Machine, console, process};
use crate::cgroup::{self, Limits};
use crate::{LocalError, command};

/// Becomes the supervisor; see the script.
const START: &str = include_str!("start.sh");
/// Mounts what only the supervisor sees; see the script.
const INSIDE: &str = include_str!("inside.sh");
/// Where the modules of the running kernel are.
const MODULES: &str = "/lib/modules";

/// How the host shapes a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KernelFeatures {
    /// cgroups are version 1.
    v1: bool,
    /// The host has modules to share.
    modules: bool,
}

/// Starts the supervisor and returns at once.
pub(super) fn start(machine: &Machine, image: &Path, layout: &cgroup::Layout) -> Result<(), LocalError> {
    let home = &machine.home;
    let kernel = KernelFeatures { v1: matches!(layout, cgroup::Layout::V1(_)), modules: Path::new(MODULES).is_dir() };
    let what = || format!("start machine {}", home.name);
    let lower = home.directory().join("lower");
    let _ = fs_err::remove_file(&lower);
    fs_err::os::unix::fs::symlink(image, &lower).map_err(LocalError::io(what()))?;
    let _ = fs_err::remove_file(home.pid_file());
    let mut options = fs_err::OpenOptions::new();
    let output = options.create(true).append(true).open(home.console()).map_err(LocalError::io(what()))?;
    let output = output.into_parts().0;
    let errors = output.try_clone().map_err(LocalError::io(what()))?;
    // Forking once more leaves no zombie with this process as its parent; a session of its own keeps a Ctrl-C away, and a
    // group of its own does until then.
    let status = Command::new(command::find("setsid").ok_or_else(|| LocalError::ProgramMissing("setsid".into()))?)
        .args(["--fork", "/bin/sh", "-c", START, "kubewright-machine"])
        .args(supervisor(machine, kernel, layout))
        .current_dir(home.directory())
        .env_clear()
        .env("PATH", command::PATH)
        .env("KW_CGROUPS", joined(&cgroups(layout, home)))
        .env("KW_VERSION", if kernel.v1 { "1" } else { "2" })
        // kubelet writes kernel settings below /proc/sys.
        .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "1")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .map_err(LocalError::io(what()))?;
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Died { name: home.name.clone(), console: console::tail(home) })
}

/// cgroups that the supervisor moves itself into; under systemd a scope does that.
fn cgroups(layout: &cgroup::Layout, home: &Home) -> Vec<PathBuf> {
    match layout {
        cgroup::Layout::V1(_) | cgroup::Layout::V2(_) => layout.of_machine(&home.owner, &home.name),
        cgroup::Layout::Scopes(_) => Vec::new(),
    }
}

fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// What the supervisor becomes, step by step: a scope (under systemd), namespaces, mounts, systemd-nspawn.
fn supervisor(machine: &Machine, kernel: KernelFeatures, layout: &cgroup::Layout) -> Vec<String> {
    let limits = Limits { memory: machine.inputs.memory, milli_cpus: machine.inputs.milli_cpus };
    let mut argv = layout.enter(&machine.home.owner, &machine.home.name, limits);
    argv.push("unshare".into());
    if kernel.v1 {
        argv.push("--cgroup".into());
    }
    argv.extend(["--mount", "--propagation", "slave", "/bin/sh", "-c", INSIDE, "kubewright-machine"].map(String::from));
    argv.extend(nspawn(machine, kernel));
    argv
}

/// systemd-nspawn's arguments.
fn nspawn(machine: &Machine, kernel: KernelFeatures) -> Vec<String> {
    let (home, inputs) = (&machine.home, &machine.inputs);
    let mut argv = vec![
        "systemd-nspawn".into(),
        "--quiet".into(),
        "--boot".into(),
        process::argument(&home.machine_name()),
        format!("--directory={}", home.root().display()),
        format!("--hostname={}", inputs.hostname),
        // It is nobody's business but ours: no registration, no unit, no files of the host's.
        "--register=no".into(),
        "--keep-unit".into(),
        "--settings=no".into(),
        "--link-journal=no".into(),
        "--resolv-conf=off".into(),
        "--timezone=off".into(),
        "--console=pipe".into(),
        "--capability=all".into(),
        "--system-call-filter=@keyring bpf @known".into(),
        format!("--network-bridge={}", inputs.bridge),
        "--bind=/dev/kmsg".into(),
    ];
    if kernel.modules {
        argv.push(format!("--bind-ro={MODULES}"));
    }
    argv.extend(home.data().iter().map(|(here, there)| format!("--bind={}:{there}", escaped(here))));
    argv.extend(machine.binds.iter().map(|(here, there)| format!("--bind-ro={}:{there}", escaped(here))));
    if kernel.v1 {
        // Kernel arguments of the machine: its systemd must use version 1 too, which it does only when forced.
        argv.extend(["systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"].map(String::from));
    }
    argv
}

/// A path in a bind argument, where a colon separates.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::super::tests::machine;
    use super::*;

    const V1: KernelFeatures = KernelFeatures { v1: true, modules: false };

    #[test]
    fn a_machine_on_version_1_gets_its_own_cgroup_view_and_forces_its_systemd_there() {
        let argv = supervisor(&machine(), V1, &cgroup::Layout::V1(Vec::new()));
        assert_eq!(argv[..3], ["unshare", "--cgroup", "--mount"]);
        assert!(argv.contains(&"--machine=kw-dev-cp-1".to_owned()));
        assert!(argv.contains(&"--network-bridge=kw-dev".to_owned()));
        assert!(argv.contains(&"--bind=/s/machines/dev/cp-1/etcd:/var/lib/etcd".to_owned()));
        assert!(argv.contains(&"--bind-ro=/cache/kubelet:/usr/local/bin/kubelet".to_owned()));
        assert_eq!(argv.last().unwrap(), "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1");
    }

    #[test]
    fn under_systemd_with_version_2_a_scope_is_delegated() {
        let mut limited = machine();
        limited.inputs.memory = Some(1 << 30);
        let layout = cgroup::Layout::Scopes("/c".into());
        let argv = supervisor(&limited, KernelFeatures { v1: false, modules: true }, &layout);
        assert_eq!(argv[..4], ["systemd-run", "--scope", "--quiet", "--collect"]);
        assert!(argv.contains(&"--unit=kubewright-dev_cp-1.scope".to_owned()));
        assert!(argv.contains(&"--property=Delegate=yes".to_owned()));
        assert!(argv.contains(&"--property=MemoryMax=1073741824".to_owned()));
        assert!(argv.contains(&"--bind-ro=/lib/modules".to_owned()));
        assert!(!argv.iter().any(|word| word == "--cgroup" || word.contains("LEGACY")));
    }

    #[test]
    fn a_supervisor_joins_every_hierarchy_unless_systemd_places_it() {
        let layout = cgroup::Layout::V1(vec!["/c/memory".into(), "/c/systemd".into()]);
        let home = machine().home;
        assert_eq!(joined(&cgroups(&layout, &home)), "/c/memory/kubewright/dev/cp-1 /c/systemd/kubewright/dev/cp-1");
        assert_eq!(cgroups(&cgroup::Layout::V2("/c".into()), &home).len(), 1);
        assert!(cgroups(&cgroup::Layout::Scopes("/c".into()), &home).is_empty());
    }

    #[test]
    fn colons_in_paths_do_not_end_them() {
        assert_eq!(escaped(Path::new("/a:b")), "/a\\:b");
    }
}
