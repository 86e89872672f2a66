//! One changed specification, and the program that has to live with it.

use std::fmt;

use serde_json::{Map, Value, json};

/// A change to the default cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// The program that is started with what is rendered.
    pub(super) program: &'static str,
    /// Fields of `spec` as JSON pointers, with what is written there.
    edits: Vec<(String, Value)>,
}

impl Case {
    /// A change of one field.
    pub(super) fn new(program: &'static str, field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { program, edits: vec![(field.into(), value.into())] }
    }

    /// And of another one.
    pub(super) fn and(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.edits.push((field.into(), value.into()));
        self
    }

    /// The cluster with the changes in it.
    pub(super) fn applied_to(&self, cluster: &Value) -> Value {
        let mut cluster = cluster.clone();
        for (field, value) in &self.edits {
            let mut at = &mut cluster["spec"];
            for name in field.split('/') {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = &mut at[name.replace("~1", "/")];
            }
            *at = value.clone();
        }
        cluster
    }
}

impl fmt::Display for Case {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", self.program)?;
        for (field, value) in &self.edits {
            write!(to, " {}={value}", field.replace('/', "."))?;
        }
        Ok(())
    }
}

#[test]
fn a_change_makes_the_maps_around_it_and_leaves_the_rest() {
    let case = Case::new("kubelet", "kubelet/config/evictionHard", json!({"memory.available": "1Gi"})).and("a/b~1c", 1);
    let changed = case.applied_to(&json!({"kind": "Cluster", "spec": {"kubelet": {"featureGates": {}}}}));
    let wanted = json!({"kind": "Cluster", "spec": {
        "a": {"b/c": 1},
        "kubelet": {"config": {"evictionHard": {"memory.available": "1Gi"}}, "featureGates": {}},
    }});
    assert_eq!(changed, wanted);
    assert_eq!(case.to_string(), r#"kubelet kubelet.config.evictionHard={"memory.available":"1Gi"} a.b~1c=1"#);
}
