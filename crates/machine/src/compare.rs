//! What was found compared with what must be: pure, one function per kind of item.

use std::collections::BTreeMap;

use crate::config::{Start, Unit};
use crate::wire::ItemState;

/// Who owns what the agent makes: numeric user and group.
pub type Owner = (u32, u32);

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// It could not be looked at.
    Unreadable(String),
    /// Something of another type, such as `symlink`.
    Other(String),
    /// What was expected there: a file or a directory.
    Expected {
        /// Digest of the content, in the notation of the desired one; empty for directories.
        digest: String,
        /// Permission bits.
        mode: u32,
        /// Its owner.
        owner: Owner,
    },
}

/// Compares a file or (with an empty digest) a directory.
pub fn path(digest: &str, mode: u32, owner: Owner, found: &Found) -> ItemState {
    let mut fields = BTreeMap::new();
    match found {
        Found::Missing => return ItemState::Missing,
        Found::Unreadable(why) => return ItemState::Unknown { why: why.clone() },
        Found::Other(kind) => {
            fields.insert("type".to_string(), kind.clone());
        }
        Found::Expected { digest: actual, mode: actual_mode, owner: actual_owner } => {
            if actual != digest {
                fields.insert("content".to_string(), actual.clone());
            }
            if *actual_mode != mode {
                fields.insert("mode".to_string(), format!("{actual_mode:04o}"));
            }
            if *actual_owner != owner {
                fields.insert("owner".to_string(), format!("{}:{}", actual_owner.0, actual_owner.1));
            }
        }
    }
    state(fields)
}

/// Compares something that has a value now and one at the next boot; `None` = there is no such thing.
pub fn value(wanted: &str, now: Option<&str>, boot: Option<&str>) -> ItemState {
    let Some(now) = now else { return ItemState::Missing };
    let mut fields = BTreeMap::new();
    if !same_value(wanted, now) {
        fields.insert("value".to_string(), now.to_string());
    }
    match boot {
        Some(boot) if same_value(wanted, boot) => {}
        boot => {
            fields.insert("boot".to_string(), boot.unwrap_or("not set").to_string());
        }
    }
    state(fields)
}

/// Whether two values of a sysctl are the same: the kernel separates numbers by tabs, people by spaces.
pub fn same_value(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// What systemd says about a unit (`systemctl show`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundUnit {
    /// `LoadState`: `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `ActiveState`.
    pub active: String,
    /// `SubState`.
    pub sub: String,
    /// `UnitFileState`: `enabled`, `disabled`, `static`, …
    pub file: String,
    /// A oneshot that does not remain after its end: never seen running, so not compared.
    pub fleeting: bool,
}

impl FoundUnit {
    /// Whether systemd knows it.
    pub fn exists(&self) -> bool {
        !matches!(self.load.as_str(), "" | "not-found")
    }

    /// Whether it is masked, so that nothing can start it.
    pub fn is_masked(&self) -> bool {
        self.load == "masked" || self.file.starts_with("masked")
    }

    /// Whether it starts at boot as far as it can be told to. Units without an install section
    /// (`static`, `generated`, …) can't be.
    pub fn is_enabled(&self) -> bool {
        matches!(self.file.as_str(), "enabled" | "static" | "indirect" | "alias" | "generated" | "transient")
    }

    /// Whether it can and should be disabled.
    pub fn is_disabled(&self) -> bool {
        !matches!(self.file.as_str(), "enabled" | "enabled-runtime" | "linked" | "linked-runtime")
    }

    /// Whether it runs, or is on the way there. A unit that waits for its next restart does not.
    pub fn is_running(&self) -> bool {
        match self.active.as_str() {
            "active" | "reloading" => true,
            "activating" => self.sub != "auto-restart",
            _ => false,
        }
    }

    fn running_text(&self) -> String {
        if self.active == "activating" { self.sub.clone() } else { self.active.clone() }
    }
}

/// Compares a unit. `due` says whether its start condition holds, `pending` whether a restart was left over.
pub fn unit(wanted: &Unit, due: bool, pending: bool, found: &FoundUnit) -> ItemState {
    if !found.exists() {
        return ItemState::Missing;
    }
    let mut fields = BTreeMap::new();
    if (wanted.enabled && !found.is_enabled()) || (!wanted.enabled && !found.is_disabled()) {
        fields.insert("enabled".to_string(), if found.file.is_empty() { "unknown".into() } else { found.file.clone() });
    }
    let running = found.is_running();
    match (&wanted.start, due) {
        (Start::Never, _) if running && !found.fleeting => {
            fields.insert("running".to_string(), found.running_text());
        }
        (Start::Always, _) | (Start::OnceAnyExists(_), true) if !found.fleeting => {
            if !running {
                fields.insert("running".to_string(), found.running_text());
            } else if pending {
                fields.insert("running".to_string(), "with files from before their last change".into());
            }
        }
        _ => {}
    }
    state(fields)
}

fn state(fields: BTreeMap<String, String>) -> ItemState {
    if fields.is_empty() { ItemState::Same } else { ItemState::Differs { fields } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(state: &ItemState) -> Vec<String> {
        match state {
            ItemState::Differs { fields } => fields.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn a_file_differs_by_exactly_what_differs() {
        let found = |digest: &str, mode, owner| Found::Expected { digest: digest.into(), mode, owner };
        let compare = |found: &Found| path("sha256:a", 0o600, (0, 0), found);
        assert_eq!(compare(&found("sha256:a", 0o600, (0, 0))), ItemState::Same);
        assert_eq!(fields(&compare(&found("sha256:b", 0o600, (0, 0)))), ["content=sha256:b"]);
        assert_eq!(fields(&compare(&found("sha256:a", 0o644, (0, 0)))), ["mode=0644"]);
        assert_eq!(fields(&compare(&found("sha256:a", 0o600, (7, 0)))), ["owner=7:0"]);
        assert_eq!(fields(&compare(&Found::Other("symlink".into()))), ["type=symlink"]);
        assert_eq!(compare(&Found::Missing), ItemState::Missing);
    }

    #[test]
    fn unreadable_is_unknown_and_not_missing() {
        assert!(matches!(path("", 0, (0, 0), &Found::Unreadable("EIO".into())), ItemState::Unknown { .. }));
    }

    #[test]
    fn sysctls_compare_by_words_now_and_at_boot() {
        assert_eq!(
            value("4096 87380 6291456", Some("4096\t87380\t6291456\n"), Some("4096 87380 6291456")),
            ItemState::Same
        );
        assert_eq!(fields(&value("1", Some("0"), Some("1"))), ["value=0"]);
        assert_eq!(fields(&value("1", Some("1"), None)), ["boot=not set"]);
        assert_eq!(value("1", None, Some("1")), ItemState::Missing);
    }

    fn found(active: &str, sub: &str, file: &str) -> FoundUnit {
        FoundUnit { load: "loaded".into(), active: active.into(), sub: sub.into(), file: file.into(), fleeting: false }
    }

    fn wanted(enabled: bool, start: Start) -> Unit {
        Unit { enabled, start, after: vec![], reloads: false }
    }

    #[test]
    fn a_unit_in_a_crash_loop_is_not_running() {
        let state = unit(&wanted(true, Start::Always), true, false, &found("activating", "auto-restart", "enabled"));
        assert_eq!(fields(&state), ["running=auto-restart"]);
        let state = unit(&wanted(true, Start::Always), true, false, &found("activating", "start", "enabled"));
        assert_eq!(state, ItemState::Same);
    }

    #[test]
    fn a_unit_whose_condition_does_not_hold_need_not_run() {
        let start = Start::OnceAnyExists(vec!["/etc/kubernetes/kubelet.conf".into()]);
        let stopped = found("inactive", "dead", "enabled");
        assert_eq!(unit(&wanted(true, start.clone()), false, true, &stopped), ItemState::Same);
        assert_eq!(fields(&unit(&wanted(true, start), true, false, &stopped)), ["running=inactive"]);
    }

    #[test]
    fn never_means_stopped_and_static_units_count_as_enabled() {
        assert_eq!(
            fields(&unit(&wanted(false, Start::Never), true, false, &found("active", "running", "enabled"))),
            ["enabled=enabled", "running=active"]
        );
        assert_eq!(
            unit(&wanted(true, Start::Never), true, false, &found("inactive", "dead", "static")),
            ItemState::Same
        );
        let mut guard = found("inactive", "dead", "enabled");
        guard.fleeting = true;
        assert_eq!(unit(&wanted(true, Start::Always), true, false, &guard), ItemState::Same);
    }

    #[test]
    fn a_restart_left_over_by_a_killed_apply_is_reported() {
        let state = unit(&wanted(true, Start::Always), true, true, &found("active", "running", "enabled"));
        assert_eq!(fields(&state), ["running=with files from before their last change"]);
    }
}
