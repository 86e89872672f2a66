//! Machines: systemd-nspawn containers, each with its directories, cgroups and process.

mod boot_files;
mod clone;
mod console;
mod end;
mod home;
mod launch;
mod observe;
mod process;
mod ready;
mod record;
mod veth;

use std::path::PathBuf;

use resource::Secret;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub(crate) use end::{remove, stop};
pub(crate) use home::Home;
pub(crate) use observe::{Keys, Wanted, host_key, observe, other_lineage};
pub(crate) use process::supervisors;

use crate::cgroup::{self, Limits};
use crate::inputs::{MachineInputs, pressing_binds};
use crate::{LocalError, Resolvers};

/// Everything that a machine is made from, with references resolved and assets found.
pub(crate) struct Machine {
    /// Where it lives.
    pub home: Home,
    /// Its inputs, typed.
    pub inputs: MachineInputs,
    /// Its inputs as they stand in the plan, references unresolved.
    pub unresolved: Value,
    /// Private host key.
    pub host_key: Secret,
    /// Public host key.
    pub host_key_public: String,
    /// Public key that may log in.
    pub authorized_key: String,
    /// Read-only binds: file or directory of this host, path in the machine.
    pub binds: Vec<(PathBuf, String)>,
}

/// Finds assets on this host.
pub(crate) type FindAsset<'a> = &'a dyn Fn(&str) -> Result<PathBuf, LocalError>;

/// Makes the machine as it must be and returns when it accepts SSH connections.
///
/// Whatever is there already is kept: directories with data, the image it was made from, a process that need not restart.
pub(crate) fn ensure(
    machine: &Machine,
    assets: FindAsset<'_>,
    cancel: &CancellationToken,
    say: &dyn Fn(&str),
) -> Result<(), LocalError> {
    let home = &machine.home;
    home.make()?;
    let mut record = match record::read(home)? {
        Some(record) => record,
        // Written before anything is made: what is half made must be known as this state's.
        None => record::begin(home, &machine.inputs.image, &machine.unresolved["lineage"])?,
    };
    let layout = cgroup::Layout::of_host()?;
    let limits = Limits { memory: machine.inputs.memory, milli_cpus: machine.inputs.milli_cpus };
    let files = boot_files::files(machine, &Resolvers::of_this_host().reachable);
    let running = process::find(home)?;
    if running.is_some() && record.prepared && !must_restart(&record.inputs, &machine.unresolved, home, &files) {
        cgroup::limit(&layout, &home.owner, &home.name, limits)?;
        boot_files::write_live(home, &files)?;
        record.inputs.clone_from(&machine.unresolved);
        record::write(home, &record)?;
        return ready::wait(machine, cancel);
    }
    if running.is_some() {
        say("stopping the machine");
        stop(home, &layout)?;
    }
    go_on(cancel)?;
    if !record.prepared {
        prepare(machine, assets, say)?;
        record.prepared = true;
    }
    go_on(cancel)?;
    boot_files::write(home, &files)?;
    record.inputs.clone_from(&machine.unresolved);
    record::write(home, &record)?;
    cgroup::remove(&layout, &home.owner, &home.name)?;
    cgroup::create(&layout, &home.owner, &home.name)?;
    cgroup::limit(&layout, &home.owner, &home.name, limits)?;
    veth::unplug(home)?;
    go_on(cancel)?;
    say("booting");
    launch::start(machine, &assets(&record.image)?, &layout)?;
    ready::wait(machine, cancel)
}

/// An error when this is to end: whoever stopped it may be the last who knows of the machine, and it must not boot behind
/// their back.
fn go_on(cancel: &CancellationToken) -> Result<(), LocalError> {
    if cancel.is_cancelled() { Err(LocalError::Cancelled) } else { Ok(()) }
}

/// Powers a machine off and keeps its data; `inputs` are what it is recorded with from now on.
pub(crate) fn rest(home: &Home, inputs: &Value, layout: &cgroup::Layout) -> Result<(), LocalError> {
    stop(home, layout)?;
    let Some(mut record) = record::read(home)? else { return Ok(()) };
    record.inputs.clone_from(inputs);
    record::write(home, &record)
}

/// Fills the machine's own directories; what an interrupted run left of them is made anew.
fn prepare(machine: &Machine, assets: FindAsset<'_>, say: &dyn Fn(&str)) -> Result<(), LocalError> {
    if let Some(store) = &machine.inputs.image_store {
        say("cloning images");
        clone::clone_store(&assets(store)?, &machine.home.containerd())?;
    }
    Ok(())
}

/// Whether a running machine must be booted again for new inputs.
fn must_restart(before: &Value, after: &Value, home: &Home, files: &[boot_files::BootFile]) -> bool {
    let changed = before.get("bridge") != after.get("bridge") || pressing_binds(before) != pressing_binds(after);
    changed || boot_files::differ(home, files)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    /// A machine for tests.
    pub(super) fn machine() -> Machine {
        let unresolved = json!({
            "hostname": "cp-1", "network": "dev", "bridge": "kw-dev", "address": "10.88.0.11", "prefixLength": 24,
            "gateway": "10.88.0.1", "image": "rootfs@1", "imageStore": null, "running": true,
            "binds": [{"asset": "kubelet@1", "target": "/usr/local/bin/kubelet"}],
            "hostKey": "PRIVATE", "hostKeyPublic": "ssh-ed25519 HOST", "authorizedKey": "ssh-ed25519 USER",
        });
        Machine {
            home: Home::new(Path::new("/s/machines"), "dev", "cp-1"),
            inputs: serde_json::from_value(unresolved.clone()).unwrap(),
            unresolved,
            host_key: Secret::new("PRIVATE"),
            host_key_public: "ssh-ed25519 HOST".into(),
            authorized_key: "ssh-ed25519 USER".into(),
            binds: vec![("/cache/kubelet".into(), "/usr/local/bin/kubelet".into())],
        }
    }

    #[test]
    fn only_binds_and_boot_files_restart_a_running_machine() {
        let directory = tempfile::tempdir().unwrap();
        let machine = Machine { home: Home::new(directory.path(), "dev", "cp-1"), ..machine() };
        let files = boot_files::files(&machine, &[]);
        machine.home.make().unwrap();
        boot_files::write(&machine.home, &files).unwrap();
        let restarts = |after: &Value, files: &[boot_files::BootFile]| {
            must_restart(&machine.unresolved, after, &machine.home, files)
        };
        let mut after = machine.unresolved.clone();
        after["memory"] = json!(1 << 30);
        after["image"] = json!("rootfs@2");
        assert!(!restarts(&after, &files));
        after["binds"] = json!([]);
        assert!(restarts(&after, &files));
        let rotated = Machine { host_key: Secret::new("OTHER"), home: machine.home.clone(), ..self::machine() };
        assert!(restarts(&machine.unresolved, &boot_files::files(&rotated, &[])));
        let other_user =
            Machine { authorized_key: "ssh-ed25519 OTHER".into(), home: machine.home.clone(), ..self::machine() };
        assert!(!restarts(&machine.unresolved, &boot_files::files(&other_user, &[])));
    }
}
