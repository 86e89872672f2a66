//! Rule: registries' passwords stay outside of documents.

use super::{Finding, World};
use crate::check::join;

/// Keys of containerd's configuration that hold secrets.
const SECRETS: [&str; 4] = ["password", "auth", "identitytoken", "Authorization"];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let containerd = &cluster.value.spec.containerd;
    let mut findings = Vec::new();
    for registry in containerd.registry_credentials.keys() {
        let path = join("spec.containerd.registryCredentials", registry);
        if registry == "*" {
            let message = "credentials for every registry would be sent to every registry";
            findings.push(Finding::error("spec::credentials", message).at(cluster, &*path).help("name the registry"));
        }
    }
    let holds_secret = |line: &str| {
        let key = line.split_once('=').map_or("", |(key, _)| key).trim().trim_matches(['"', '\'']);
        SECRETS.contains(&key)
    };
    if containerd.additions.as_deref().is_some_and(|text| text.lines().any(holds_secret)) {
        let message = "`additions` contains a password, and documents are kept as written";
        let help = "use `spec.containerd.registryCredentials`";
        findings.push(Finding::error("spec::credentials", message).at(cluster, "spec.containerd.additions").help(help));
    }
    findings
}
