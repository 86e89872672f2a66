//! Whether a machine moved since the plan was made.

use plan::Change;
use resource::{FieldChange, reference};

/// Parts of a config that only people change. Units are not among them: they run or not by themselves.
const SETTLED: [&str; 3] = ["files", "directories", "sysctls"];

/// The first field that differs now and is not in the plan; `now` = what differs now.
///
/// Contents that come from another resource are left out: an action of the same run may have made them anew.
pub(crate) fn moved<'a>(change: &Change, now: &'a [FieldChange]) -> Option<&'a FieldChange> {
    now.iter().find(|field| {
        is_settled(field)
            && field.after.as_ref().is_none_or(|after| reference::find_references(after).is_empty())
            && !change.fields.iter().any(|planned| covers(planned, field))
    })
}

fn is_settled(field: &FieldChange) -> bool {
    matches!(field.path.as_slice(), [config, _, section, ..] if config == "config" && SETTLED.contains(&section.as_str()))
}

/// Whether the plan names this field, something above it, or something below it.
fn covers(planned: &FieldChange, field: &FieldChange) -> bool {
    planned.path.iter().zip(&field.path).all(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use plan::{ActionId, Operation, Reason};
    use serde_json::{Value, json};

    use super::*;

    fn field(path: &[&str], after: Value) -> FieldChange {
        FieldChange {
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            before: None,
            after: Some(after),
            secret: false,
            known_after_apply: false,
            changed_by: None,
        }
    }

    fn change(fields: Vec<FieldChange>) -> Change {
        let resource = resource::ResourceId::new("machine-config", "w");
        Change {
            id: ActionId::new("update", &resource),
            resource,
            operation: Operation::Update,
            reason: Reason::SpecChanged,
            replaces: false,
            fields,
            effects: Vec::new(),
            expect: None,
            before: None,
            after: None,
            depends_on: BTreeSet::new(),
        }
    }

    const FILE: [&str; 5] = ["config", "group", "files", "/etc/x", "content"];

    #[test]
    fn what_the_plan_names_may_differ() {
        assert_eq!(moved(&change(vec![field(&FILE, json!("b"))]), &[field(&FILE, json!("b"))]), None);
        assert_eq!(moved(&change(vec![field(&FILE[..4], json!("b"))]), &[field(&FILE, json!("b"))]), None);
    }

    #[test]
    fn another_file_that_differs_now_has_moved() {
        let other = field(&["config", "group", "files", "/etc/y", "content"], json!("b"));
        assert_eq!(moved(&change(vec![field(&FILE, json!("b"))]), std::slice::from_ref(&other)), Some(&other));
    }

    #[test]
    fn units_and_contents_made_in_the_same_run_do_not_count() {
        let unit = field(&["config", "group", "units", "kubelet.service", "start"], json!("always"));
        let made = field(&FILE, json!({"secret": {"$ref": "certificate/w/kubelet#key"}}));
        assert_eq!(moved(&change(vec![]), &[unit, made]), None);
    }
}
