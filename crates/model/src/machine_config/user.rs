//! Files and boot hooks that the user adds to machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use machine::config::{Start, Unit};
use spec::{Hook, InstanceGroup, MachineFile};

use super::files;
use crate::Resolved;

/// Adds the cluster's files and hooks, with the group's laid over them.
pub(super) fn add(
    resolved: &Resolved,
    group: &InstanceGroup,
    all: &mut BTreeMap<String, machine::File>,
    units: &mut BTreeMap<String, Unit>,
) {
    let wanted: BTreeMap<&str, &MachineFile> =
        resolved.cluster.spec.files.iter().chain(&group.spec.files).map(|file| (file.path.as_str(), file)).collect();
    for (path, file) in wanted {
        all.insert(path.to_owned(), files::text(file.content.clone(), &file.mode));
    }
    let hooks: BTreeMap<&str, &Hook> =
        resolved.cluster.spec.hooks.iter().chain(&group.spec.hooks).map(|hook| (hook.name.as_str(), hook)).collect();
    for (name, hook) in hooks {
        let unit = format!("kubewright-hook-{name}.service");
        all.insert(format!("/etc/systemd/system/{unit}"), files::restarting(unit_text(hook), &unit));
        units.insert(unit, Unit { enabled: true, start: Start::Always, after: Vec::new(), reloads: false });
    }
}

/// The unit of a hook. Arguments are quoted by systemd's rules; no shell is involved.
fn unit_text(hook: &Hook) -> String {
    let mut text = format!("[Unit]\nDescription=kubewright hook {}\n", hook.name);
    for (key, units) in [("Before", &hook.before), ("After", &hook.after)] {
        if !units.is_empty() {
            let _ = writeln!(text, "{key}={}", units.join(" "));
        }
    }
    let command: Vec<String> = hook.command.iter().map(|word| quote(word)).collect();
    let _ = write!(
        text,
        "\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={}\n\n[Install]\nWantedBy=multi-user.target\n",
        command.join(" ")
    );
    text
}

fn quote(word: &str) -> String {
    let escaped: String = word
        .chars()
        .flat_map(|character| match character {
            '"' | '\\' => vec!['\\', character],
            '%' => vec!['%', '%'],
            '$' => vec!['$', '$'],
            '\n' => vec!['\\', 'n'],
            _ => vec![character],
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_hooks_reach_the_program_as_written() {
        assert_eq!(quote(r#"a "b" $HOME 5% \"#), r#""a \"b\" $$HOME 5%% \\""#);
    }
}
