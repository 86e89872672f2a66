//! What users see of the spec: the schema and the reference are up to date, and every example is sound.
//!
//! `cargo xtask gen` writes the generated files anew.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]
#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, not in their helpers

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use spec::{Effective, Kind, LoadBalancer, Source, Surroundings, load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The example of this name; it must be sound.
fn example(name: &str) -> Effective {
    let path = root().join("examples").join(name);
    let source = Source::from_bytes(name, fs_err::read(path).unwrap()).unwrap();
    let loaded = load(&[source], &Surroundings::default());
    assert_eq!(loaded.diagnostics, [], "{name}");
    loaded.effective.unwrap()
}

fn examples() -> Vec<String> {
    let files = fs_err::read_dir(root().join("examples")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml")).collect()
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
fn the_schema_is_up_to_date() {
    assert_up_to_date("spec.schema.json", &format!("{}\n", serde_json::to_string_pretty(&spec::schema()).unwrap()));
}

#[test]
fn the_reference_is_up_to_date() {
    assert_up_to_date("spec-reference.md", &spec::reference());
}

#[test]
fn every_example_is_sound_and_valid_by_the_schema() {
    let schema = spec::schema();
    for name in examples() {
        let effective = example(&name);
        let text = fs_err::read_to_string(root().join("examples").join(&name)).unwrap();
        for document in spec::parse(&[Source::new(&*name, text)]).documents {
            let kind = &schema["$defs"][document.kind.kind()];
            assert_eq!(invalid(&schema, kind, &document.value.unwrap(), ""), [""; 0], "{name}");
        }
        // Defaults written out are valid too.
        assert_eq!(
            invalid(&schema, &schema["$defs"]["Cluster"], &serde_json::to_value(&effective.cluster).unwrap(), ""),
            [""; 0]
        );
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

/// Where `value` breaks `schema`, by the keywords that the schema uses: a reader of its own, independent of the parser.
fn invalid(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let schema = resolved(root, schema);
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, keyword: &str| {
        if !holds {
            wrong.push(format!("{path}: {keyword}"));
        }
    };
    let number = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
    if let Some(kind) = schema.get("type") {
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        expect(kind == is, "type");
    }
    if let Some(constant) = schema.get("const") {
        expect(constant == value, "const");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        expect(words.contains(value), "enum");
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        expect(choices.iter().filter(|choice| invalid(root, choice, value, path).is_empty()).count() == 1, "oneOf");
    }
    if let Some(value) = value.as_i64() {
        expect(number("minimum").is_none_or(|least| value >= least), "minimum");
        expect(number("maximum").is_none_or(|most| value <= most), "maximum");
    }
    if let Value::Array(items) = value {
        let length = i64::try_from(items.len()).unwrap();
        expect(number("minItems").is_none_or(|least| length >= least), "minItems");
        expect(number("maxItems").is_none_or(|most| length <= most), "maxItems");
        for (index, item) in items.iter().enumerate().filter(|_| schema.get("items").is_some()) {
            wrong.extend(invalid(root, &schema["items"], item, &format!("{path}[{index}]")));
        }
    } else if let Value::Object(entries) = value {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            expect(entries.contains_key(name), name);
        }
        for (name, value) in entries {
            let path = format!("{path}.{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(field), _) => wrong.extend(invalid(root, field, value, &path)),
                (None, Value::Bool(false)) => wrong.push(format!("{path}: additionalProperties")),
                (None, others) if others.is_object() => wrong.extend(invalid(root, others, value, &path)),
                _ => {}
            }
        }
    }
    wrong
}
