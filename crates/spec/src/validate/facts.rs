//! Rule: what components are given is what the components of this minor take.

use catalog::{ComponentFacts, Facts, Past};

use super::{Finding, World};

mod containerd;
pub(super) mod fields;
mod flags;
pub(super) mod forms;
mod gates;
mod kube_proxy;
mod kubelet;
mod limits;
mod plugins;
mod together;
pub(super) mod values;

/// The minor of the cluster, and what its components take.
struct Known {
    minor: u32,
    facts: &'static Facts,
    past: &'static Past,
}

impl Known {
    /// What a component takes.
    fn component(&self, name: &str) -> Option<&'static ComponentFacts> {
        self.facts.component(name)
    }

    /// The structures of a component's configuration.
    fn types(&self, component: &str) -> Option<&'static fields::Types> {
        self.component(component).map(|component| &component.types)
    }

    /// The minor as it is written.
    fn version(&self) -> String {
        format!("1.{}", self.minor)
    }

    /// When something went that this minor has no more.
    fn went(&self, gone: Option<u32>) -> Option<String> {
        gone.filter(|minor| *minor <= self.minor).map(|minor| format!("it went with Kubernetes 1.{minor}; remove it"))
    }

    /// When something comes that this minor does not have yet.
    fn comes(&self, component: &str, has: impl Fn(&ComponentFacts) -> bool) -> Option<String> {
        let later = catalog::releases().iter().filter(|release| release.minor > self.minor);
        let first = later
            .map(|release| release.minor)
            .find(|minor| catalog::facts(*minor).and_then(|facts| facts.component(component)).is_some_and(&has));
        first.map(|minor| format!("it comes with Kubernetes 1.{minor}"))
    }
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let release = world.cluster().and_then(|cluster| catalog::find(&cluster.value.spec.kubernetes_version).ok());
    let Some(release) = release else { return Vec::new() };
    let Some(facts) = catalog::facts(release.minor) else { return Vec::new() };
    let known = Known { minor: release.minor, facts, past: catalog::past() };
    [flags::check, gates::check, plugins::check, kubelet::check, kube_proxy::check, containerd::check]
        .into_iter()
        .flat_map(|part| part(world, &known))
        .collect()
}
