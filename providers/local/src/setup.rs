//! Installs what a host lacks, with its own package manager, after saying what.

use engine::ActionError;
use provider::{ProviderError, Setup, shown};

use crate::{LocalError, command};

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageManager {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora, Red Hat Enterprise Linux and its rebuilds.
    Dnf,
    /// openSUSE.
    Zypper,
    /// Arch Linux.
    Pacman,
}

impl PackageManager {
    /// The one of this host.
    pub(crate) fn of_host() -> Option<Self> {
        let known = [("apt-get", Self::Apt), ("dnf", Self::Dnf), ("zypper", Self::Zypper), ("pacman", Self::Pacman)];
        known.into_iter().find(|(program, _)| command::find(program).is_some()).map(|(_, manager)| manager)
    }

    /// The packages that bring a program.
    fn packages(self, program: &str) -> &'static [&'static str] {
        match (program, self) {
            ("systemd-nspawn", Self::Pacman) => &["systemd"],
            ("systemd-nspawn", _) => &["systemd-container"],
            ("ip", Self::Dnf) => &["iproute"],
            ("ip", _) => &["iproute2"],
            ("nft", _) => &["nftables"],
            // Without Debian's keys its archive is not trusted; on Debian they are there already.
            ("mmdebstrap", Self::Apt) => &["mmdebstrap", "debian-archive-keyring"],
            ("mmdebstrap", Self::Dnf) => &["mmdebstrap", "debian-keyring"],
            ("mmdebstrap", _) => &["mmdebstrap"],
            ("mount" | "setsid" | "unshare", _) => &["util-linux"],
            _ => &[],
        }
    }
}

/// Commands that install `programs`, each as its words; empty where nothing is to be installed.
fn commands(manager: PackageManager, programs: &[&str]) -> Vec<Vec<String>> {
    let mut packages: Vec<&str> = programs.iter().flat_map(|program| manager.packages(program)).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Vec::new();
    }
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (refresh, install) = match manager {
        PackageManager::Apt => (Some("apt-get update"), "apt-get install --yes --no-install-recommends"),
        PackageManager::Dnf => (None, "dnf install --assumeyes"),
        PackageManager::Zypper => (None, "zypper --non-interactive install"),
        PackageManager::Pacman => (None, "pacman --sync --needed --noconfirm"),
    };
    let mut commands: Vec<Vec<String>> = refresh.into_iter().map(words).collect();
    commands.push(words(install).into_iter().chain(packages.into_iter().map(str::to_owned)).collect());
    commands
}

/// The command that installs one program, for a shell.
pub(crate) fn command_for(manager: PackageManager, program: &str) -> String {
    shown(&commands(manager, &[program]))
}

/// The programs that this host lacks, with what installs them.
pub(crate) struct HostSetup {
    commands: Vec<Vec<String>>,
}

impl HostSetup {
    /// Looks what is missing; `None` where nothing is, or no package manager is known.
    pub(crate) fn of_this_host() -> Option<Self> {
        let missing: Vec<&str> =
            crate::preflight::programs().filter(|program| command::find(program).is_none()).collect();
        let commands = commands(PackageManager::of_host()?, &missing);
        (!commands.is_empty()).then_some(Self { commands })
    }
}

impl Setup for HostSetup {
    fn commands(&self) -> &[Vec<String>] {
        &self.commands
    }

    fn run(&self, say: &dyn Fn(&str)) -> Result<(), ProviderError> {
        run(&self.commands, say).map_err(|error| ActionError::from(error).into())
    }
}

fn run(commands: &[Vec<String>], say: &dyn Fn(&str)) -> Result<(), LocalError> {
    for words in commands {
        let Some((program, arguments)) = words.split_first() else { continue };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // `env` keeps apt from asking questions; other package managers don't know the variable.
        let quiet = ["DEBIAN_FRONTEND=noninteractive", program.as_str()];
        let output = command::run("env", &[&quiet[..], &arguments].concat())?;
        output.lines().for_each(say);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_installs_every_missing_program() {
        let found = commands(PackageManager::Apt, &["systemd-nspawn", "nft", "unshare", "mount"]);
        assert_eq!(
            shown(&found),
            "apt-get update && apt-get install --yes --no-install-recommends nftables systemd-container util-linux"
        );
    }

    #[test]
    fn package_names_are_those_of_the_host() {
        assert_eq!(shown(&commands(PackageManager::Dnf, &["ip"])), "dnf install --assumeyes iproute");
        assert_eq!(
            shown(&commands(PackageManager::Pacman, &["systemd-nspawn"])),
            "pacman --sync --needed --noconfirm systemd"
        );
    }

    #[test]
    fn nothing_missing_needs_no_command() {
        assert!(commands(PackageManager::Apt, &[]).is_empty());
    }
}
