//! What must not be deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::ResourceId;

/// What kubewright must not delete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Protection {
    /// Resources that no plan deletes or replaces as long as they stand here, such as `machine/demo/worker-1`. A cluster
    /// with such a resource is not deleted either.
    #[serde(default)]
    #[schemars(with = "Vec<ResourceId>")]
    pub resources: Vec<resource::ResourceId>,
}
