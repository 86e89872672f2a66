//! JSON Schema of the documents, from their types.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::check::join;
use crate::shape::Shape;
use crate::{Cluster, InstanceGroup};

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A whole cluster.
    Cluster,
    /// Machines that are alike.
    InstanceGroup,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Cluster, Self::InstanceGroup];

    /// The kind as it stands in `kind`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::InstanceGroup => "InstanceGroup",
        }
    }

    /// The kind of this name.
    pub fn named(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|document| document.kind() == kind)
    }
}

/// The JSON Schema (draft 2020-12) of one document of any kind.
pub fn schema() -> Value {
    let mut definitions = serde_json::Map::new();
    for document in Kind::ALL {
        let mut schema = match document {
            Kind::Cluster => generated::<Cluster>(false),
            Kind::InstanceGroup => generated::<InstanceGroup>(false),
        };
        if let Some(Value::Object(own)) = schema.as_object_mut().and_then(|schema| schema.remove("$defs")) {
            definitions.extend(own);
        }
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$schema");
        }
        definitions.insert(document.kind().to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubewright document",
        "oneOf": Kind::ALL.map(|document| json!({"$ref": format!("#/$defs/{}", document.kind())})),
        "$defs": definitions,
    })
}

/// A field that can't be changed in a cluster that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedField {
    /// Its path, such as `spec.provider`.
    pub path: String,
    /// What changing it would take, in a sentence for the user.
    pub takes: String,
}

/// The fields that can't be changed in a cluster that exists.
pub fn fixed_fields(kind: Kind) -> Vec<FixedField> {
    fn collect(shape: &Shape, path: &str, found: &mut Vec<FixedField>) {
        for (name, field) in shape.fields().into_iter().flatten() {
            let path = join(path, name);
            if let Some(takes) = field.immutable.clone() {
                found.push(FixedField { path: path.clone(), takes });
            }
            collect(&field.shape, &path, found);
        }
    }
    let mut found = Vec::new();
    collect(shape(kind), "", &mut found);
    found
}

/// What a document of this kind may contain.
pub(crate) fn shape(document: Kind) -> &'static Shape {
    static CLUSTER: LazyLock<Shape> = LazyLock::new(|| Shape::of(&generated::<Cluster>(true)));
    static GROUP: LazyLock<Shape> = LazyLock::new(|| Shape::of(&generated::<InstanceGroup>(true)));
    match document {
        Kind::Cluster => &CLUSTER,
        Kind::InstanceGroup => &GROUP,
    }
}

/// The JSON Schema of a type.
pub(crate) fn generated<T: JsonSchema>(inline: bool) -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = inline)
        .with_transform(schemars::transform::RecursiveTransform(without_false_defaults));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A default that follows from other fields is not the one that serde sees.
fn without_false_defaults(schema: &mut Schema) {
    if schema.get("x-derived").is_some() {
        schema.remove("default");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_fixed_says_what_changing_it_takes() {
        fn check(value: &Value) {
            assert!(value.get("x-immutable").is_none_or(Value::is_string), "{value}");
            value.as_object().into_iter().flatten().for_each(|(_, inner)| check(inner));
            value.as_array().into_iter().flatten().for_each(check);
        }
        check(&schema());
    }

    #[test]
    fn what_a_cluster_is_built_on_is_fixed() {
        let expected = [
            "metadata.name",
            "spec.local.subnet",
            "spec.networking.cni",
            "spec.networking.dnsDomain",
            "spec.networking.flannel.backend",
            "spec.networking.nodeCIDRMaskSize",
            "spec.networking.podCIDRs",
            "spec.networking.serviceCIDRs",
            "spec.provider",
        ];
        let paths = |kind| fixed_fields(kind).into_iter().map(|field| field.path).collect::<Vec<_>>();
        assert_eq!(paths(Kind::Cluster), expected);
        assert_eq!(paths(Kind::InstanceGroup), ["spec.role"]);
    }
}
