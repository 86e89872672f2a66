//! Rule: every mirror is asked, and is asked once.

use super::{DOCKER_HUB, host};
use crate::Cluster;
use crate::check::join;
use crate::effective::Draft;
use crate::validate::{Finding, repeated};

pub(super) fn check(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let containerd = &cluster.value.spec.containerd;
    let mut findings = Vec::new();
    for (registry, mirrors) in &containerd.mirrors {
        let field = join("spec.containerd.mirrors", registry);
        findings.extend(hub(cluster, &field, registry));
        let plain: Vec<String> = mirrors.iter().map(|url| plainest(url)).collect();
        for (first, again) in repeated(plain.iter().map(String::as_str)) {
            let path = |index: usize| format!("{field}[{index}]");
            let message = format!("a mirror of {registry} is named twice, and containerd reads no table twice");
            let finding = Finding::error("spec::mirror", message).and(cluster, path(again), "here again");
            findings.push(finding.and(cluster, path(first), "first here").help("remove one of them"));
        }
        for (index, url) in mirrors.iter().enumerate().filter(|(_, url)| url.contains(['?', '#'])) {
            let message = format!("the mirror {url} has a query, which registries have not");
            let finding = Finding::error("spec::mirror", message).at(cluster, format!("{field}[{index}]"));
            findings.push(finding.help("write scheme, host, port and path only"));
        }
    }
    for registry in containerd.extra_cas.keys() {
        findings.extend(hub(cluster, &join("spec.containerd.extraCAs", registry), registry));
    }
    findings
}

/// Docker Hub under another name than images have.
fn hub(cluster: &Draft<Cluster>, field: &str, registry: &str) -> Option<Finding> {
    DOCKER_HUB.contains(&registry).then(|| {
        let message = format!("no image is ever asked for at `{registry}`: names of Docker Hub begin with `docker.io`");
        Finding::warning("spec::registry", message).at(cluster, field).help("write `docker.io`")
    })
}

/// The address without what makes no difference.
fn plainest(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let path = rest.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    let port = if scheme == "http" { ":80" } else { ":443" };
    let host = host(url);
    format!("{scheme}://{}/{path}", host.strip_suffix(port).unwrap_or(&host))
}
