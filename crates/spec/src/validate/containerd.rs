//! Rules of the container runtime: its additions, registries and logins.

use super::{Finding, World};

mod additions;
mod logins;
mod mirrors;
mod own_machine;
#[cfg(test)]
mod tests;
mod values;

pub(super) use additions::has_moved;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let rules = [mirrors::check, logins::check, additions::check];
    let mut findings: Vec<Finding> = rules.into_iter().flat_map(|rule| rule(cluster)).collect();
    findings.extend(own_machine::check(world, cluster));
    findings
}

/// Names under which Docker Hub is known, though images of it are only ever asked for as `docker.io`.
const DOCKER_HUB: [&str; 4] = ["index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com"];

/// Host and port of an address.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_ascii_lowercase()
}
