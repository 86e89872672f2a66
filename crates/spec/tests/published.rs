//! What users see of the spec: the schema and the reference are up to date, and every example is sound.
//!
//! `cargo xtask gen` writes the generated files anew.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]
#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, not in their helpers

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use spec::{Effective, HostContext, Kind, LoadBalancer, Source, load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The example of this name; it must be sound.
fn example(name: &str) -> Effective {
    let path = root().join("examples").join(name);
    let source = Source::from_bytes(name, fs_err::read(path).unwrap()).unwrap();
    let loaded = load(&[source], &HostContext::default());
    assert_eq!(loaded.diagnostics, [], "{name}");
    loaded.effective.unwrap()
}

/// Names of the example files in a directory below `examples`.
fn examples(below: &str) -> Vec<String> {
    let files = fs_err::read_dir(root().join("examples").join(below)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml")).collect()
}

/// Where a document breaks a schema.
fn wrong(schema: &Validator, document: &Value) -> Vec<String> {
    schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn assert_up_to_date(file: &str, wanted: &str) {
    let path = root().join("docs").join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs_err::create_dir_all(root().join("docs")).unwrap();
        fs_err::write(&path, wanted).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/{file} is out of date: run `cargo xtask gen`");
}

#[test]
fn the_schemas_are_up_to_date() {
    let text = |schema: Value| format!("{schema:#}\n");
    assert_up_to_date("spec.schema.json", &text(spec::schema()));
    assert_up_to_date("plan-rules.schema.json", &text(spec::plan_rules_schema()));
}

#[test]
fn the_reference_is_up_to_date() {
    assert_up_to_date("spec-reference.md", &spec::reference());
}

#[test]
fn every_example_is_sound_and_valid_by_the_schema() {
    let schema = jsonschema::validator_for(&spec::schema()).unwrap();
    for name in examples("") {
        let effective = example(&name);
        let text = fs_err::read_to_string(root().join("examples").join(&name)).unwrap();
        for document in spec::parse(&[Source::new(&*name, text)]).documents {
            assert_eq!(wrong(&schema, &document.value.unwrap()), [""; 0], "{name}");
        }
        // Defaults written out are valid too.
        assert_eq!(wrong(&schema, &serde_json::to_value(&effective.cluster).unwrap()), [""; 0], "{name}");
    }
}

#[test]
fn every_example_of_rules_is_valid_by_the_schema_and_what_cannot_be_asked_is_not() {
    let schema = jsonschema::validator_for(&spec::plan_rules_schema()).unwrap();
    for name in examples("rules") {
        let text = fs_err::read_to_string(root().join("examples/rules").join(&name)).unwrap();
        assert_eq!(wrong(&schema, &serde_yaml::from_str(&text).unwrap()), [""; 0], "{name}");
    }
    let rule = |fields: Value| json!({"apiVersion": spec::API_VERSION, "kind": "PlanRules", "rules": [fields]});
    assert_eq!(wrong(&schema, &rule(json!({"name": "a", "deny": "false", "message": "m"}))), [""; 0]);
    for refused in [
        json!({"name": "a", "message": "m"}),
        json!({"name": "a", "deny": "false", "allow": "true", "message": "m"}),
        json!({"name": "a", "deny": "false", "message": "m", "severty": "warn"}),
    ] {
        assert_ne!(wrong(&schema, &rule(refused.clone())), [""; 0], "{refused}");
    }
}

#[test]
fn the_local_examples_are_what_they_are_called() {
    let counts = |effective: &Effective| effective.groups.iter().map(|group| group.spec.count).collect::<Vec<_>>();
    let local = example("local.yaml");
    assert_eq!((counts(&local), local.cluster.spec.api.load_balancer), (vec![1, 2], LoadBalancer::None));
    let ha = example("local-ha.yaml");
    assert_eq!((counts(&ha), ha.cluster.spec.api.load_balancer), (vec![3, 2], LoadBalancer::NodeLocal));
}

#[test]
fn the_full_example_has_every_field() {
    let text = fs_err::read_to_string(root().join("examples/local-full.yaml")).unwrap();
    let documents = spec::parse(&[Source::new("local-full.yaml", text)]).documents;
    for kind in Kind::ALL {
        let schema = &spec::schema();
        let mut wanted = BTreeSet::new();
        fields(schema, &schema["$defs"][kind.kind()], "", &mut wanted);
        for document in documents.iter().filter(|document| document.kind == kind) {
            seen(document.value.as_ref().unwrap(), &schema["$defs"][kind.kind()], schema, "", &mut wanted);
        }
        assert_eq!(wanted, BTreeSet::new(), "{}", kind.kind());
    }
}

/// All paths of fields; items and free keys are left out of them.
fn fields(root: &Value, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let schema = resolved(root, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        fields(root, field, &path, found);
        found.insert(path);
    }
    for inner in [&schema["items"], &schema["additionalProperties"]] {
        if inner.is_object() {
            fields(root, inner, path, found);
        }
    }
}

fn seen(value: &Value, schema: &Value, root: &Value, path: &str, wanted: &mut BTreeSet<String>) {
    let schema = resolved(root, schema);
    wanted.remove(path);
    match value {
        Value::Array(items) => items.iter().for_each(|item| seen(item, &schema["items"], root, path, wanted)),
        Value::Object(entries) => {
            for (name, value) in entries {
                match schema["properties"].get(name) {
                    Some(field) => seen(value, field, root, &format!("{path}.{name}"), wanted),
                    None => seen(value, &schema["additionalProperties"], root, path, wanted),
                }
            }
        }
        _ => {}
    }
}

/// A schema with its reference followed; keywords beside the reference are annotations here.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(schema, |pointer| root.pointer(pointer).unwrap())
}
