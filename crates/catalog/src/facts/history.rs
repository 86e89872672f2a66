//! What earlier minors had and the newest one has no more, with the minor in which it went.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Names that are gone, with the first minor that lacks them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Past {
    /// The oldest minor that was looked at.
    pub since: u32,
    /// Feature gates of any component.
    pub gates: BTreeMap<String, u32>,
    /// Flags, by component.
    pub flags: BTreeMap<String, BTreeMap<String, u32>>,
    /// Admission plugins.
    pub admission_plugins: BTreeMap<String, u32>,
}

static PAST: LazyLock<Past> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../facts/past.json")).unwrap_or_default());

/// What went before the newest minor.
pub fn past() -> &'static Past {
    &PAST
}

impl Past {
    /// The minor in which a component's flag went.
    pub fn flag(&self, component: &str, name: &str) -> Option<u32> {
        self.flags.get(component)?.get(name).copied()
    }
}
