//! Rule: registries' passwords stay outside of documents, and every login is shown to somebody.

use super::{DOCKER_HUB, host};
use crate::Cluster;
use crate::check::join;
use crate::effective::Draft;
use crate::validate::Finding;

pub(super) fn check(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let containerd = &cluster.value.spec.containerd;
    let mut findings = Vec::new();
    for registry in containerd.registry_credentials.keys() {
        let path = join("spec.containerd.registryCredentials", registry);
        if registry == "*" {
            let message = "credentials for every registry would be sent to every registry";
            findings.push(Finding::error("spec::credentials", message).at(cluster, &*path).help("name the registry"));
        } else if DOCKER_HUB.contains(&registry.as_str()) {
            let message =
                format!("the login of `{registry}` is never used: names of Docker Hub begin with `docker.io`");
            findings.push(Finding::warning("spec::credentials", message).at(cluster, &*path).help("write `docker.io`"));
        } else {
            findings.extend(of_mirror(cluster, &path, registry));
        }
    }
    findings
}

/// kubelet looks for a login by the name of the image, not by the mirror that is asked for it.
fn of_mirror(cluster: &Draft<Cluster>, path: &str, registry: &str) -> Option<Finding> {
    let mirrors = &cluster.value.spec.containerd.mirrors;
    let is_mirrored = |urls: &Vec<String>| urls.iter().position(|url| same_host(&host(url), registry));
    let (of, index) = mirrors.iter().find_map(|(of, urls)| Some((of, is_mirrored(urls)?)))?;
    if of == registry {
        return None;
    }
    let message = format!(
        "the login of {registry} is not used for images of {of} that it mirrors, only for images named `{registry}/…`"
    );
    let place = format!("{}[{index}]", join("spec.containerd.mirrors", of));
    let finding = Finding::warning("spec::credentials", message).at(cluster, path).and(cluster, place, "the mirror");
    Some(finding.help(match of.as_str() {
        "*" => "name the registries that it mirrors, each with its login: a registry's login is shown to its mirrors, too"
            .to_owned(),
        of => format!("write it under `{of}`: the login of a registry is shown to its mirrors, too"),
    }))
}

fn same_host(a: &str, b: &str) -> bool {
    let bare = |host: &str| host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
    bare(a) == bare(b)
}
