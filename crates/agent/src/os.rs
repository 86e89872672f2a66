//! Families of operating systems: how packages are looked up, installed and removed.

mod debian;
mod rhel;

use std::collections::BTreeSet;

use crate::failure::Outcome;
use crate::system::System;

/// What os-release says.
#[derive(Debug, Clone, Default)]
pub(crate) struct OsRelease {
    pub(crate) id: String,
    pub(crate) version: String,
    like: Vec<String>,
}

impl OsRelease {
    pub(crate) fn read(system: &System) -> Self {
        let text = system.text("/etc/os-release").or_else(|| system.text("/usr/lib/os-release")).unwrap_or_default();
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().trim().trim_matches(['"', '\'']).to_string()
        };
        let like = field("ID_LIKE").split_whitespace().map(String::from).collect();
        Self { id: field("ID"), version: field("VERSION_ID"), like }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.id == *name || self.like.iter().any(|like| like == name))
    }
}

/// One family.
pub(crate) trait Family {
    /// Names that are installed, with what installed packages provide.
    fn installed(&self, system: &System) -> Outcome<Installed>;
    /// Which packages installing these would bring along, these among them, as far as that can be known before.
    fn coming(&self, system: &System, names: &[&str]) -> Outcome<BTreeSet<String>>;
    /// Installs packages, with what they need.
    fn install(&self, system: &System, names: &[&str]) -> Outcome<()>;
    /// Removes exactly these packages, and none that something else needs: gives back what was said of those.
    fn remove(&self, system: &System, names: &[&str]) -> Outcome<Vec<String>>;
}

/// What is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Packages by name.
    pub(crate) packages: BTreeSet<String>,
    /// Packages of which a part is here: their installation broke off.
    pub(crate) partly: BTreeSet<String>,
    /// Virtual names that they provide.
    pub(crate) provided: BTreeSet<String>,
}

impl Installed {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.packages.contains(name) || self.provided.contains(name)
    }
}

/// The family of this machine; `None` when its packages can't be handled.
pub(crate) fn family(system: &System) -> Option<Box<dyn Family>> {
    let os = OsRelease::read(system);
    if os.is(&["debian", "ubuntu"]) {
        Some(Box::new(debian::Debian))
    } else if os.is(&["rhel", "fedora", "centos"]) {
        Some(Box::new(rhel::Rhel))
    } else {
        None
    }
}
