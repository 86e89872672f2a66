//! The kinds: how their fields are compared, and what changing them disturbs.

use std::collections::BTreeSet;

use machine::static_pod;
use resource::{Behaviour, Effect, FieldChange, KindSchema};
use serde_json::Value;

/// Everything a machine must be.
pub(crate) const MACHINE_CONFIG: &str = "machine-config";
/// A kubelet's way to its first certificate.
pub(crate) const NODE_BOOTSTRAP: &str = "node-bootstrap";
/// A container image that was loaded into a machine.
pub(crate) const IMAGE: &str = "image";

/// Schemas of all kinds.
pub(crate) fn schemas() -> Vec<KindSchema> {
    let config = KindSchema { is_member: runs_etcd, ..KindSchema::plain(MACHINE_CONFIG) }
        .rule("target", Behaviour::Computed)
        .rule("config.group.packages", Behaviour::Unordered)
        .rule("config.group.kernelModules", Behaviour::Unordered)
        .effects(config_effects);
    // Done once; how it was done does not matter afterwards.
    let bootstrap = ["access", "node", "clusterName", "server", "authority", "kubeletConf"]
        .into_iter()
        .fold(KindSchema::plain(NODE_BOOTSTRAP).rule("target", Behaviour::Computed), |schema, field| {
            schema.rule(field, Behaviour::CreateOnly)
        });
    let image = KindSchema::plain(IMAGE).rule("target", Behaviour::Computed);
    vec![config, bootstrap, image]
}

/// Whether a machine has a member of etcd.
fn runs_etcd(inputs: &Value) -> bool {
    let of = |part: &str| inputs["config"][part]["files"].as_object().into_iter().flat_map(|files| files.keys());
    of("group").chain(of("machine")).any(|path| static_pod::name(path) == Some("etcd"))
}

/// Which units and static pods a change restarts. A machine that is made anew has nothing to restart.
fn config_effects(fields: &[FieldChange], before: &Value, after: &Value) -> Vec<Effect> {
    if before.is_null() {
        return Vec::new();
    }
    let inputs = if after.is_null() { before } else { after };
    let machine = inputs["target"]["name"].as_str().unwrap_or_default();
    let units: BTreeSet<String> = fields.iter().flat_map(|field| restarted(field, before, after)).collect();
    units.into_iter().map(|unit| Effect::Restarts { unit, machine: machine.to_owned() }).collect()
}

fn restarted(field: &FieldChange, before: &Value, after: &Value) -> Vec<String> {
    let path: Vec<&str> = field.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["config", part, "files"] => {
            all_entries(before, after, part, "files", &|file| by_file(before, after, part, file))
        }
        // Only another content does.
        ["config", "group" | "machine", "files", _, "restarts" | "mode" | "stage" | "createOnly", ..]
        | ["config", "group", "units", _, "reloads"] => Vec::new(),
        ["config", part @ ("group" | "machine"), "files", file, ..] => by_file(before, after, part, file),
        ["config", "group", "units", unit] if field.before.is_some() => vec![(*unit).to_owned()],
        ["config", "group", "units", unit, "start"] => vec![(*unit).to_owned()],
        _ => Vec::new(),
    }
}

fn by_file(before: &Value, after: &Value, part: &str, path: &str) -> Vec<String> {
    if let Some(pod) = static_pod::name(path) {
        return vec![pod.to_owned()];
    }
    let file = [after, before].into_iter().find_map(|inputs| inputs["config"][part]["files"].get(path));
    let units = file.and_then(|file| file["restarts"].as_array()).into_iter().flatten();
    let units = units.filter_map(Value::as_str).filter(|unit| !is_reloaded(after, path, unit));
    units.map(str::to_owned).collect()
}

/// Whether a file reaches a unit without a restart: not one of those that systemd reads.
fn is_reloaded(after: &Value, path: &str, unit: &str) -> bool {
    after["config"]["group"]["units"][unit]["reloads"] == true && !path.contains("/systemd/system/")
}

/// A whole section came or went.
fn all_entries(
    before: &Value,
    after: &Value,
    part: &str,
    section: &str,
    each: &dyn Fn(&str) -> Vec<String>,
) -> Vec<String> {
    let names = [before, after].into_iter().filter_map(|inputs| inputs["config"][part][section].as_object());
    names.flat_map(|entries| entries.keys()).flat_map(|name| each(name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs(flags: &str, manifest: &str, start: &str) -> Value {
        json!({
            "target": {"name": "cp-1"},
            "config": {
                "group": {
                    "files": {
                        "/var/lib/kubelet/flags.env":
                            {"content": {"text": flags}, "mode": "0644", "restarts": ["kubelet.service"]},
                        "/etc/motd": {"content": {"text": flags}, "mode": "0644"},
                    },
                    "units": {"containerd.service": {"enabled": true, "start": start}},
                },
                "machine": {"files": {"/etc/kubernetes/manifests/etcd.yaml": {"content": {"text": manifest}, "mode": "0600"}}},
            },
        })
    }

    fn restarts(before: &Value, after: &Value) -> Vec<String> {
        let schema = schemas().into_iter().find(|schema| schema.kind == MACHINE_CONFIG).unwrap();
        let fields = plan::field_changes(&schema, before, after);
        (schema.effects)(&fields, before, after)
            .into_iter()
            .map(|effect| match effect {
                Effect::Restarts { unit, machine } => format!("{unit}@{machine}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_changed_file_restarts_its_units_and_nothing_else() {
        assert_eq!(restarts(&inputs("a", "m", "always"), &inputs("b", "m", "always")), ["kubelet.service@cp-1"]);
    }

    #[test]
    fn what_a_unit_reads_again_does_not_restart_it() {
        let with = |reloads: bool, flags: &str| {
            let mut inputs = inputs(flags, "m", "always");
            inputs["config"]["group"]["units"]["kubelet.service"] = json!({"start": "always", "reloads": reloads});
            inputs
        };
        assert_eq!(restarts(&with(true, "a"), &with(true, "b")), [""; 0]);
        assert_eq!(restarts(&with(false, "a"), &with(false, "b")), ["kubelet.service@cp-1"]);
    }

    #[test]
    fn only_another_content_restarts() {
        let before = inputs("a", "m", "always");
        let mut after = before.clone();
        after["config"]["group"]["files"]["/etc/motd"]["restarts"] = json!(["kubelet.service"]);
        after["config"]["group"]["files"]["/var/lib/kubelet/flags.env"]["mode"] = json!("0600");
        assert_eq!(restarts(&before, &after), [""; 0]);
    }

    #[test]
    fn a_file_that_a_static_pod_reads_at_its_start_restarts_it() {
        let with = |text: &str| {
            let mut inputs = inputs("a", "m", "always");
            inputs["config"]["group"]["files"]["/etc/kubernetes/audit/policy.yaml"] =
                json!({"content": {"text": text}, "mode": "0600", "restarts": ["kube-apiserver"]});
            inputs
        };
        assert_eq!(restarts(&with("a"), &with("b")), ["kube-apiserver@cp-1"]);
    }

    #[test]
    fn a_changed_manifest_restarts_its_static_pod() {
        assert_eq!(restarts(&inputs("a", "m", "always"), &inputs("a", "n", "always")), ["etcd@cp-1"]);
    }

    #[test]
    fn a_machine_with_etcds_manifest_is_a_member_of_the_quorum() {
        let mut inputs = inputs("a", "m", "always");
        assert!(runs_etcd(&inputs));
        for part in ["group", "machine"] {
            if let Some(files) = inputs["config"][part]["files"].as_object_mut() {
                files.remove(&static_pod::manifest("etcd"));
            }
        }
        assert!(!runs_etcd(&inputs) && !runs_etcd(&Value::Null));
    }

    #[test]
    fn a_unit_that_starts_or_stops_is_named() {
        assert_eq!(restarts(&inputs("a", "m", "always"), &inputs("a", "m", "never")), ["containerd.service@cp-1"]);
    }

    #[test]
    fn a_removed_file_restarts_its_units_too() {
        let mut after = inputs("a", "m", "always");
        after["config"]["group"]["files"].as_object_mut().unwrap().remove("/var/lib/kubelet/flags.env");
        assert_eq!(restarts(&inputs("a", "m", "always"), &after), ["kubelet.service@cp-1"]);
    }

    #[test]
    fn a_target_is_no_reason_for_a_change() {
        let mut after = inputs("a", "m", "always");
        after["target"]["address"] = json!("10.0.0.9");
        let schema = &schemas()[0];
        assert!(plan::field_changes(schema, &inputs("a", "m", "always"), &after).is_empty());
    }

    #[test]
    fn a_bootstrap_is_done_once_whatever_changes_later() {
        let before = json!({"target": {}, "access": 1, "node": "w", "clusterName": "c", "server": "s", "authority": 1, "kubeletConf": "x"});
        let after = json!({"target": {"name": "w"}, "access": 2, "node": "v", "clusterName": "d", "server": "t", "authority": 2, "kubeletConf": "y"});
        assert!(plan::field_changes(&schemas()[1], &before, &after).is_empty());
    }
}
