//! Mutation sweep: whatever field of whatever kind somebody else changes, the plan names exactly that, and repairs it.

use std::collections::{BTreeMap, BTreeSet};

use engine::Handler as _;
use plan::{Change, Plan, Reason};
use resource::{Behaviour, Desired, FieldChange, KindSchema, Reference, ResourceId};
use serde_json::{Value, json};
use testkit::Site;

use crate::check::{apply, assert_settled, site};
use crate::clusters::{self, Wanted, small};

/// Kinds of which there are only actions: nothing is left behind that somebody could change.
const STEPS: [&str; 4] = ["drain", "node-ready", "room", "uncordon"];

/// A field of a kind, with one resource that has it.
struct Field {
    resource: ResourceId,
    path: Vec<String>,
}

impl Field {
    /// Whether it is all that differs. A list of plain values differs as a whole, an empty map in what came into it.
    fn is_all_of(&self, fields: &[FieldChange]) -> bool {
        matches!(fields, [only] if self.path.starts_with(&only.path) || only.path.starts_with(&self.path))
    }

    fn pointer(&self) -> String {
        self.path.iter().map(|segment| format!("/{}", segment.replace('~', "~0").replace('/', "~1"))).collect()
    }
}

/// Every field of inputs: what is neither a list nor a map, or stands for another resource's output.
fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Value)> = match value {
        _ if Reference::from_value(value).is_some() => Vec::new(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    if children.is_empty() {
        found.push(path.clone());
    }
    for (name, child) in children {
        path.push(name);
        leaves(child, path, found);
        path.pop();
    }
}

/// What a field is called in every resource of its kind: names of files, units and labels, and places in lists, are left out.
fn general(path: &[String]) -> String {
    let is_name = |segment: &String| segment.contains(['/', '.', '-', ' ']) || segment.parse::<usize>().is_ok();
    let segments = path.iter().map(|segment| if is_name(segment) { "*" } else { segment.as_str() });
    segments.collect::<Vec<_>>().join(".")
}

/// Each field of each kind once.
fn fields(wanted: &Wanted) -> BTreeMap<(String, String), Field> {
    let mut fields = BTreeMap::new();
    for (id, Desired { inputs, .. }) in wanted {
        let mut found = Vec::new();
        leaves(inputs, &mut Vec::new(), &mut found);
        for path in found.into_iter().filter(|path| !path.is_empty()) {
            let key = (id.kind().to_owned(), general(&path));
            fields.entry(key).or_insert_with(|| Field { resource: id.clone(), path });
        }
    }
    fields
}

fn another(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
        Value::String(text) => json!(format!("{text}, but changed")),
        Value::Array(_) => json!(["changed"]),
        _ => json!({"changed": true}),
    }
}

/// The plan names the field, as the field of that resource that somebody changed, and does nothing else that does not
/// follow from it.
fn assert_named(plan: &Plan, field: &Field, schema: &KindSchema) {
    let what = format!("{} {:?}", field.resource, field.path);
    let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
    match schema.behaviour(&field.path) {
        Some(Behaviour::CreateOnly | Behaviour::Computed) => {
            assert!(ids.is_empty() && plan.drift.is_empty(), "{what} is of no interest: {ids:?}");
            return;
        }
        Some(Behaviour::Replace) => {
            assert!(plan.changes.iter().any(|change| change.replaces && change.resource == field.resource), "{what}");
        }
        _ => {
            let own = |change: &&Change| change.resource == field.resource;
            let change = plan.changes.iter().find(own).unwrap_or_else(|| panic!("{what} is not repaired"));
            assert_eq!(change.reason, Reason::Drifted, "{what}");
            assert!(field.is_all_of(&change.fields), "{what}: {:#?}", change.fields);
        }
    }
    let [drift] = plan.drift.as_slice() else { panic!("{what}: {:#?}", plan.drift) };
    assert!(drift.resource == field.resource && !drift.gone, "{what}: {drift:#?}");
    assert!(field.is_all_of(&drift.fields), "{what}: {drift:#?}");
    let follows = |change: &Change| {
        let reasons = matches!(
            change.reason,
            Reason::DependencyChanged { .. }
                | Reason::ContainedIn { .. }
                | Reason::StepOf { .. }
                | Reason::ServesAgain { .. }
        );
        change.resource == field.resource || reasons
    };
    assert!(plan.changes.iter().all(follows), "{what}: {ids:?}");
}

async fn sweep(
    site: &Site,
    wanted: &Wanted,
    schemas: &BTreeMap<&str, KindSchema>,
    seen: &mut BTreeSet<(String, String)>,
) {
    for (key, field) in fields(wanted) {
        if !seen.insert(key) {
            continue;
        }
        let site = site.fork();
        let pointer = field.pointer();
        let there = site.world.snapshot().things[&field.resource].clone();
        let now = there.pointer(&pointer).unwrap_or_else(|| panic!("{}: nothing at {pointer}", field.resource));
        assert!(site.world.tamper(&field.resource, &pointer, another(now)));
        let plan = site.plan(wanted).await.unwrap();
        assert_named(&plan, &field, &schemas[field.resource.kind()]);
        apply(&site, wanted).await;
        assert_settled(&site, wanted, &format!("{} {pointer}", field.resource)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_kind_that_somebody_changes_is_named_and_repaired() {
    let mut seen = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for name in clusters::names() {
        let wanted = small(clusters::wanted(&name));
        let site = site().await;
        apply(&site, &wanted).await;
        let schemas = site.world.schemas().into_iter().map(|schema| (schema.kind, schema)).collect();
        kinds.extend(site.world.schemas().into_iter().map(|schema| schema.kind.to_owned()));
        sweep(&site, &wanted, &schemas, &mut seen).await;
    }
    let swept: BTreeSet<String> = seen.iter().map(|(kind, _)| kind.clone()).collect();
    let left_out: Vec<&String> = kinds.difference(&swept).filter(|kind| !STEPS.contains(&kind.as_str())).collect();
    assert!(left_out.is_empty(), "no example has {left_out:?}");
    assert!(seen.len() > 100, "only {} fields", seen.len());
}

#[tokio::test(start_paused = true)]
async fn every_resource_that_somebody_removes_is_named_and_made_again() {
    let wanted = clusters::smallest(|_| {});
    let made = site().await;
    apply(&made, &wanted).await;
    for id in wanted.keys() {
        let site = made.fork();
        site.world.take_away(id);
        let plan = site.plan(&wanted).await.unwrap();
        let drift = plan.drift.iter().find(|line| line.resource == *id);
        assert!(drift.is_some_and(|line| line.gone), "{id}: {:#?}", plan.drift);
        assert!(plan.changes.iter().any(|change| change.resource == *id), "{id}");
        apply(&site, &wanted).await;
        assert_settled(&site, &wanted, id.as_str()).await;
    }
}
