//! Schemas of the kinds `network` and `machine`.

use resource::{Behaviour, Effect, FieldChange, KindSchema};
use serde_json::Value;

use crate::inputs::{MACHINE, NETWORK, pressing_binds};

/// Fields whose change restarts a machine, as other binds do.
const RESTARTING: [&str; 2] = ["hostKey", "hostKeyPublic"];

/// Both schemas. A network is changed in place: replacing it would take the machines' links with it.
pub(crate) fn schemas() -> Vec<KindSchema> {
    let mut machine = KindSchema::plain(MACHINE)
        .rule("image", Behaviour::CreateOnly)
        .rule("imageStore", Behaviour::CreateOnly)
        .rule("binds", Behaviour::Unordered)
        .rule("hostKey", Behaviour::Secret)
        .power("running")
        .effects(machine_effects);
    for field in ["hostname", "network", "bridge", "address", "prefixLength", "gateway"] {
        machine = machine.rule(field, Behaviour::Replace);
    }
    vec![KindSchema::plain(NETWORK), machine]
}

fn machine_effects(changes: &[FieldChange], before: &Value, after: &Value) -> Vec<Effect> {
    let changed = |field: &&str| changes.iter().any(|change| change.path.first().is_some_and(|first| first == field));
    // A machine that does not run has nothing to disturb.
    let runs = before.get("running") != Some(&Value::Bool(false));
    if !runs || !(pressing_binds(before) != pressing_binds(after) || RESTARTING.iter().any(changed)) {
        return Vec::new();
    }
    let name = after.get("hostname").and_then(Value::as_str).unwrap_or_default();
    vec![Effect::Reboots { machine: name.to_owned() }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(field: &str) -> FieldChange {
        FieldChange {
            path: vec![field.into()],
            before: None,
            after: None,
            secret: false,
            known_after_apply: false,
            changed_by: None,
        }
    }

    #[test]
    fn new_binds_reboot_a_running_machine_only() {
        let with = |binds: Value| json!({"hostname": "cp-1", "running": true, "binds": binds});
        let (kubelet, crictl) = (
            json!({"asset": "kubelet@1", "target": "/k"}),
            json!({"asset": "crictl@1", "target": "/c", "nextBoot": true}),
        );
        let (bare, wanted) = (with(json!([])), with(json!([kubelet, crictl])));
        let reboot = vec![Effect::Reboots { machine: "cp-1".into() }];
        assert_eq!(machine_effects(&[change("binds")], &bare, &wanted), reboot);
        assert_eq!(machine_effects(&[change("hostKey")], &wanted, &wanted), reboot);
        assert!(machine_effects(&[change("binds")], &json!({"running": false}), &wanted).is_empty());
        assert!(machine_effects(&[change("memory"), change("running")], &wanted, &wanted).is_empty());
        assert!(machine_effects(&[change("binds")], &bare, &with(json!([crictl]))).is_empty(), "it waits for a boot");
    }

    #[test]
    fn a_new_image_leaves_machines_alone_and_a_new_address_replaces() {
        let schemas = schemas();
        let machine = schemas.iter().find(|schema| schema.kind == MACHINE).unwrap();
        let behaviour = |field: &str| machine.behaviour(&[field.to_owned()]);
        assert!(matches!(behaviour("image"), Some(Behaviour::CreateOnly)));
        assert!(matches!(behaviour("address"), Some(Behaviour::Replace)));
        assert!(behaviour("running").is_none());
    }
}
