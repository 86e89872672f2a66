//! Where binaries, images and templates come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::{AssetSource, FilePath, Sha256, TemplateName};

/// Where binaries and images come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assets {
    /// Sources, asked in order: `cache`, `upstream`, `go`, the address of a mirror (a directory or `https://`), or
    /// `auto`, which stands for cache, upstream where it answers, and go.
    #[serde(default = "defaults::asset_sources")]
    #[schemars(with = "Vec<AssetSource>", length(min = 1))]
    pub sources: Vec<String>,
}

impl Default for Assets {
    fn default() -> Self {
        Self { sources: defaults::asset_sources() }
    }
}

/// An own version of one of kubewright's templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateOverride {
    /// Name of the template that it stands for, such as `haproxy/haproxy.cfg`.
    #[schemars(with = "TemplateName")]
    pub name: String,
    /// The file, relative to the document.
    #[schemars(with = "FilePath")]
    pub path: String,
    /// SHA-256 of the file, 64 hex digits: a change of the template is a change of the spec.
    #[schemars(with = "Sha256")]
    pub sha256: String,
}
