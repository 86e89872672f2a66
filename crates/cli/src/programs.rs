//! This project's own programs that run elsewhere: where their sources are, and the digests of these.

use std::collections::BTreeMap;
use std::path::PathBuf;

use catalog::names;

use crate::error::CommandError;

/// The package of the program that holds a pod's namespaces.
pub(crate) const PAUSE: &str = "pause";

/// The workspace that this binary was built from, where its programs are built too.
pub(crate) fn workspace() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().and_then(std::path::Path::parent).map_or_else(PathBuf::new, PathBuf::from)
}

/// Digests over the sources of the agent and of pause, by asset name.
pub(crate) fn digests() -> Result<BTreeMap<String, String>, CommandError> {
    let workspace = workspace();
    let digest = |package: &str| {
        assets::sources_digest(&workspace, package)
            .map_err(|error| CommandError::from_source(&format!("cannot read the sources of {package}"), &error))
    };
    Ok(BTreeMap::from([(names::AGENT.to_owned(), digest("agent")?), (PAUSE.to_owned(), digest("pause")?)]))
}
