//! Rule: proxies and mirrors are not looked for on the machine that asks, where nobody answers.

use super::host;
use crate::Cluster;
use crate::check::join;
use crate::effective::Draft;
use crate::validate::endpoint::is_every_machine;
use crate::validate::{Finding, World};

pub(super) fn check(world: &World<'_>, cluster: &Draft<Cluster>) -> Vec<Finding> {
    let mut findings = proxies(world, cluster);
    findings.extend(mirrors(cluster));
    findings
}

/// Every pull fails, save where the user brings to machines what answers there.
fn proxies(world: &World<'_>, cluster: &Draft<Cluster>) -> Vec<Finding> {
    let spec = &cluster.value.spec;
    let of_groups = world.groups().iter().any(|group| {
        let spec = &group.value.spec;
        !spec.files.is_empty() || !spec.hooks.is_empty()
    });
    let may_answer = of_groups || !spec.files.is_empty() || !spec.hooks.is_empty();
    let proxy = &spec.containerd.proxy;
    let mut findings = Vec::new();
    for (field, url) in [("http", &proxy.http), ("https", &proxy.https)] {
        let Some(url) = url.as_deref().filter(|url| is_here(url)) else { continue };
        let message = format!("the proxy {url} is every machine itself, not the host");
        let said = if may_answer { Finding::warning } else { Finding::error };
        let finding = said("spec::proxy", message).at(cluster, format!("spec.containerd.proxy.{field}"));
        findings.push(finding.help("write a name or address of the proxy that machines reach"));
    }
    findings
}

/// The registry itself is asked after them.
fn mirrors(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (registry, mirrors) in &cluster.value.spec.containerd.mirrors {
        let is_meant = is_here(registry);
        for (index, url) in mirrors.iter().enumerate().filter(|(_, url)| !is_meant && is_here(url)) {
            let message = format!("the mirror {url} is every machine itself, not the host");
            let place = format!("{}[{index}]", join("spec.containerd.mirrors", registry));
            let help = "write a name or address that machines reach, if nothing on them answers there";
            findings.push(Finding::warning("spec::mirror", message).at(cluster, place).help(help));
        }
    }
    findings
}

fn is_here(url: &str) -> bool {
    let host = host(url);
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(&host),
    };
    is_every_machine(bare)
}
