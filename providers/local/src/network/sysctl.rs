//! Settings of the host's kernel that machines need or change, and what to put back afterwards. Pure but for two adapters.

use std::collections::BTreeMap;

use crate::LocalError;

/// What must hold for one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Set to this value.
    Exactly(&'static str),
    /// Raised to this value.
    AtLeast(u64),
    /// Not touched here, but kubelets in machines set it to this value: it belongs to the host.
    SetByKubelet(&'static str),
}

impl Rule {
    /// The value that the setting has once machines run.
    fn made(self) -> String {
        match self {
            Self::Exactly(value) | Self::SetByKubelet(value) => value.to_owned(),
            Self::AtLeast(least) => least.to_string(),
        }
    }
}

/// All settings. Those of inotify are per user, so that all machines share them.
const SETTINGS: [(&str, Rule); 9] = [
    (FORWARDING, Rule::Exactly("1")),
    ("fs.inotify.max_user_instances", Rule::AtLeast(8192)),
    ("fs.inotify.max_user_watches", Rule::AtLeast(524_288)),
    ("kernel.keys.root_maxbytes", Rule::SetByKubelet("25000000")),
    ("kernel.keys.root_maxkeys", Rule::SetByKubelet("1000000")),
    ("kernel.panic", Rule::SetByKubelet("10")),
    ("kernel.panic_on_oops", Rule::SetByKubelet("1")),
    ("vm.overcommit_memory", Rule::SetByKubelet("1")),
    ("vm.panic_on_oom", Rule::SetByKubelet("0")),
];

/// Whether the host forwards packets.
pub(super) const FORWARDING: &str = "net.ipv4.ip_forward";

/// Whether bridged packets of the host's own bridges go through its packet filters.
pub(super) const BRIDGE_FILTERS: [&str; 3] = [
    "net.bridge.bridge-nf-call-arptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
];

/// Names of all settings that are remembered.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, _)| *name)
}

/// What to write so that machines can run, given the current values.
pub(super) fn needed(current: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    SETTINGS
        .iter()
        .filter_map(|(name, rule)| {
            let now = current.get(*name)?;
            match rule {
                Rule::Exactly(value) if now != value => Some((*name, (*value).to_owned())),
                Rule::AtLeast(least) if now.parse::<u64>().is_ok_and(|now| now < *least) => {
                    Some((*name, least.to_string()))
                }
                _ => None,
            }
        })
        .collect()
}

/// What to put back one day, given what was remembered so far and the current values.
///
/// For the `first` network an older memory counts only where the host still has what machines made of it: a reboot may
/// have put everything back.
pub(super) fn remembered(
    mut memory: BTreeMap<String, String>,
    current: &BTreeMap<String, String>,
    first: bool,
) -> BTreeMap<String, String> {
    for (name, rule) in SETTINGS {
        let Some(now) = current.get(name) else { continue };
        if first && *now != rule.made() {
            memory.insert(name.to_owned(), now.clone());
        } else {
            memory.entry(name.to_owned()).or_insert_with(|| now.clone());
        }
    }
    memory
}

/// What to write when the last network is gone: remembered values, where the current one is still what machines made it.
///
/// Forwarding stays on where the host has bridges of others (Docker switches it on only when it starts).
pub(super) fn restored(
    remembered: &BTreeMap<String, String>,
    current: &BTreeMap<String, String>,
    foreign_bridges: bool,
) -> Vec<(&'static str, String)> {
    SETTINGS
        .iter()
        .filter(|(name, _)| *name != FORWARDING || !foreign_bridges)
        .filter_map(|(name, rule)| {
            let (before, now) = (remembered.get(*name)?, current.get(*name)?);
            (before != now && *now == rule.made()).then(|| (*name, before.clone()))
        })
        .collect()
}

/// The value of a setting; `None` where the kernel has no such setting.
pub(super) fn read(name: &str) -> Option<String> {
    fs_err::read_to_string(path(name)).ok().map(|text| text.trim().to_owned())
}

/// Writes a setting.
pub(super) fn write(name: &str, value: &str) -> Result<(), LocalError> {
    fs_err::write(path(name), value).map_err(LocalError::io(format!("set {name} to {value}")))
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_falls_short_is_set() {
        let current = values(&[
            (FORWARDING, "0"),
            ("fs.inotify.max_user_instances", "128"),
            ("fs.inotify.max_user_watches", "1048576"),
            ("kernel.panic", "0"),
        ]);
        assert_eq!(needed(&current), [(FORWARDING, "1".into()), ("fs.inotify.max_user_instances", "8192".into())]);
    }

    #[test]
    fn everything_machines_changed_is_put_back() {
        let before = values(&[(FORWARDING, "0"), ("kernel.panic", "0"), ("fs.inotify.max_user_instances", "128")]);
        let now = values(&[(FORWARDING, "1"), ("kernel.panic", "10"), ("fs.inotify.max_user_instances", "8192")]);
        let back = restored(&before, &now, false);
        assert_eq!(
            back,
            [(FORWARDING, "0".into()), ("fs.inotify.max_user_instances", "128".into()), ("kernel.panic", "0".into())]
        );
    }

    #[test]
    fn settings_that_a_reboot_put_back_are_remembered_anew_and_others_as_they_were() {
        let memory = values(&[("kernel.panic", "0"), ("vm.overcommit_memory", "0")]);
        let now = values(&[("kernel.panic", "5"), ("vm.overcommit_memory", "1")]);
        assert_eq!(
            remembered(memory.clone(), &now, true),
            values(&[("kernel.panic", "5"), ("vm.overcommit_memory", "0")])
        );
        assert_eq!(remembered(memory.clone(), &now, false), memory, "other networks are there");
    }

    #[test]
    fn what_somebody_else_changed_meanwhile_is_left_alone() {
        assert!(restored(&values(&[("kernel.panic", "0")]), &values(&[("kernel.panic", "60")]), false).is_empty());
    }

    #[test]
    fn forwarding_stays_on_for_the_bridges_of_others() {
        assert!(restored(&values(&[(FORWARDING, "0")]), &values(&[(FORWARDING, "1")]), true).is_empty());
    }
}
