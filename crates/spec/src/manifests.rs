//! The user's own manifests: texts of YAML as the objects that they stand for.

use resource::yaml::older_truth;
use serde_json::Value;

use crate::source::Source;
use crate::tree::{self, Kind, Node, Scalar};

/// Something in a text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoYaml {
    /// What is wrong.
    pub(crate) message: String,
    /// Its line in the text, from 1.
    pub(crate) line: usize,
}

/// An object, and the line of its text on which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) object: Value,
    pub(crate) line: usize,
}

/// The objects of a text without what says nothing: fields that are null, and the status, which is the cluster's to tell. Only
/// texts that were validated have objects alone in them.
pub fn manifest_objects(content: &str) -> Vec<Value> {
    let plain = |mut placed: Placed| {
        if let Value::Object(fields) = &mut placed.object {
            fields.remove("status");
        }
        without_nulls(&mut placed.object);
        placed.object
    };
    read(content).map(|objects| objects.into_iter().map(plain).collect()).unwrap_or_default()
}

/// Every document of a text that is not empty.
pub(crate) fn read(content: &str) -> Result<Vec<Placed>, Vec<NoYaml>> {
    let source = Source::new("manifest", content);
    let (documents, diagnostics) = tree::read(&source);
    if !diagnostics.is_empty() {
        let wrong = diagnostics.into_iter().map(|diagnostic| NoYaml {
            line: diagnostic.labels.first().map_or(1, |label| label.line),
            message: diagnostic.message,
        });
        return Err(wrong.collect());
    }
    let placed = documents.iter().filter(|document| !document.is_empty()).map(|document| {
        let before = content.get(..document.span.start).unwrap_or_default();
        Placed { object: value(document), line: before.matches('\n').count() + 1 }
    });
    Ok(placed.collect())
}

/// A node as kubectl takes it, which reads YAML 1.1: `0644` is octal, and `yes` is true.
fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) => older_meaning(scalar).unwrap_or_else(|| node.to_value()),
        Kind::List(items) => items.iter().map(value).collect(),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), value(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// What a scalar stands for in YAML 1.1 alone.
fn older_meaning(scalar: &Scalar) -> Option<Value> {
    let text = scalar.text.as_str();
    if !scalar.plain {
        return None;
    }
    let octal = || {
        let digits = text.strip_prefix('0').filter(|digits| !digits.is_empty())?;
        i64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with(['+', '-'])).map(Value::from)
    };
    older_truth(text).map(Value::Bool).or_else(octal)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn generators_leave_nothing_behind_that_would_differ_for_ever() {
        let text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: null}\ndata: {on: \"yes\", port: \"1\"}\nstatus: {}\n---\n# nothing\n---\nkind: B\n";
        let objects = manifest_objects(text);
        let first = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"on": "yes", "port": "1"}});
        assert_eq!(objects, [first, json!({"kind": "B"})]);
        assert_eq!(read(text).unwrap().last().unwrap().line, 10);
        assert_eq!(read("a: [").unwrap_err().len(), 1);
    }

    #[test]
    fn a_manifest_means_what_it_means_to_kubectl() {
        let text = "mode: 0440\nsmall: 010\nready: yes\nquiet: Off\ntext: \"0440\"\nnine: 089\nzero: 0\nlist: [no]\n";
        let meant = json!({"mode": 288, "small": 8, "ready": true, "quiet": false, "text": "0440", "nine": 89, "zero": 0, "list": [false]});
        assert_eq!(manifest_objects(text), [meant]);
    }
}
