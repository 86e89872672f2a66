//! `ssh`: logs in to a machine with the operator's key, its host key pinned.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};

use clap::Args;
use engine::ObserveContext as _;
use model::ids;
use resource::Reference;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{open, reach};

/// Arguments of `ssh`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the cluster
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    /// Name of the machine
    #[arg(value_name = "MACHINE")]
    machine: String,
    /// Command to run there
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let open = open::cluster(app, &arguments.cluster).await?;
    let Some(machine) = open.resolved.machines.iter().find(|machine| machine.name == arguments.machine) else {
        let names: Vec<&str> = open.resolved.machines.iter().map(|machine| machine.name.as_str()).collect();
        return Err(CommandError::failed(format!(
            "cluster {} has no machine {}",
            arguments.cluster, arguments.machine
        ))
        .hint(format!("its machines are: {}", names.join(", "))));
    };
    let target = reach::target(&open.operation, &open.resolved, machine)?;
    let key = open
        .operation
        .outputs
        .output(&Reference::new(ids::ssh_key("operator"), "private"))
        .map_err(|error| CommandError::from_source("there is no key to log in with", &error))?;
    let (key_file, _key) = memory_file("operator-key", key.text().unwrap_or_default())?;
    let known = format!("{} {}\n", target.address.ip(), target.host_key);
    let (known_hosts, _known) = memory_file("known-hosts", &known)?;
    let status = std::process::Command::new("ssh")
        .arg("-i")
        .arg(&key_file)
        .arg("-o")
        .arg(format!("UserKnownHostsFile={known_hosts}"))
        .args(["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", "HostKeyAlgorithms=ssh-ed25519"])
        .args(["-p", &target.address.port().to_string()])
        .arg(format!("{}@{}", target.user, target.address.ip()))
        .args(&arguments.command)
        .status()
        .map_err(|error| CommandError::from_source("cannot start ssh", &error).hint("install an OpenSSH client"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(Exit::Failed, Exit::Program))
}

/// A file that lives in memory only, and no longer than this process. ssh opens it through this process's descriptors,
/// because it closes all it inherits.
fn memory_file(name: &str, content: &str) -> Result<(String, OwnedFd), CommandError> {
    let failed = |error: std::io::Error| CommandError::from_source("cannot hand the key to ssh", &error);
    let file = memfd_create(name, MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
    let mut file = File::from(file);
    file.write_all(content.as_bytes()).map_err(failed)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((path, file.into()))
}
