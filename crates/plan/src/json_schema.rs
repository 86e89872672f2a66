//! The shape of a plan as data, for whoever reads plans with other programs.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::Plan;

/// The JSON Schema (2020-12) of plan files and of plans printed with `-o json`.
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Plan>().to_value()
}
